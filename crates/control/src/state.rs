//! What is known of each charger, connector and meter right now.

use crate::Reason;
use crate::plan::Target;
use crate::readings::Beside;
use crate::standing::{UNANSWERED, tolerated};
use crate::wake::Wake;
use domain::{
    Charger, ChargerSample, ConnectorNumber, ConnectorStatus, DurationMs, HardwareInfo, Hold, Instant, Meter,
    MeterSample, MilliAmps, Now, PerPhase, Site, StatusDetail, WattHours, Watts, Wiring,
};
use std::collections::{BTreeMap, VecDeque};

/// A car follows within 5 s and chargers change the pilot at most every 5 s (IEC 61851-1): after this long a
/// command has taken effect or is not going to.
pub(crate) const SETTLE: DurationMs = DurationMs::from_secs(10);
/// Cars pause for up to a minute when a fan or a contactor switches; only what lasts longer is a habit.
pub(crate) const HABIT: DurationMs = DurationMs::from_secs(60);
/// Below this a car draws nothing; above [`AWAKE`] it does again.
pub(crate) const ASLEEP: MilliAmps = MilliAmps(500);
pub(crate) const AWAKE: MilliAmps = MilliAmps(1000);
/// A charger's newest reading says nothing about now once it is older; chargers report at least once a minute.
pub(crate) const READING_MAX_AGE: DurationMs = DurationMs::from_secs(120);
/// Chargers answer a limit at once; one that has done so and then takes longer may not have got the next one.
const ANSWER_WITHIN: DurationMs = DurationMs::from_secs(4);
/// A reading may wait so long behind other messages of its charger; one that says it is older has a wrong clock.
const LATE_MAX: DurationMs = READING_MAX_AGE;
/// Enough readings to find those around any meter sample that still counts, at one a second.
const READINGS_MAX: usize = 150;
/// Setpoints change at most a few times in [`READING_MAX_AGE`]; older ones decide nothing.
const SETS_MAX: usize = 64;

/// Whether a charger can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// Nothing heard since the program started.
    Unheard {
        since: Instant,
    },
    Online,
    Offline {
        since: Instant,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct ChargerLive {
    pub(crate) charger: Charger,
    pub(crate) hold: Option<Hold>,
    pub(crate) hardware: HardwareInfo,
    pub(crate) link: Link,
    /// State of the charger as a whole, where it reports one.
    pub(crate) status: ConnectorStatus,
    /// Fallback that fits; what its carrier was told to install.
    pub(crate) fallback: Option<MilliAmps>,
    pub(crate) connectors: BTreeMap<ConnectorNumber, ConnectorLive>,
}

impl ChargerLive {
    pub(crate) fn new(charger: Charger, now: Now) -> Self {
        let connectors = (1..=charger.connectors).map(|n| (ConnectorNumber(n), ConnectorLive::new(now))).collect();
        Self {
            charger,
            hold: None,
            hardware: HardwareInfo::default(),
            link: Link::Unheard { since: now.instant },
            status: ConnectorStatus::Unknown,
            fallback: None,
            connectors,
        }
    }

    pub(crate) const fn is_online(&self) -> bool {
        matches!(self.link, Link::Online)
    }

    /// The fallback that is in force on it.
    pub(crate) fn fallback_in_force(&self) -> MilliAmps {
        self.fallback.unwrap_or(self.charger.fallback)
    }

    /// Most it is given now on each wire, in whole amperes, the manager's order included.
    pub(crate) fn most(&self) -> MilliAmps {
        match self.hold {
            None => self.charger.max,
            Some(Hold::Paused) => MilliAmps::ZERO,
            Some(Hold::LimitedTo(limit)) => limit.min(self.charger.max),
        }
    }
}

/// Currents a charger measured, per wire, with the moment they arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Draw {
    pub(crate) at: Instant,
    /// When it was measured, as far as clocks agree.
    pub(crate) taken: Instant,
    /// When its charger says it was measured: it may have waited behind other messages for much longer than a clock
    /// that is merely wrong would explain.
    pub(crate) told: Instant,
    pub(crate) per_wire: Vec<MilliAmps>,
}

impl Draw {
    pub(crate) fn fullest(&self) -> MilliAmps {
        self.per_wire.iter().copied().max().unwrap_or_default()
    }

    pub(crate) fn on_grid(&self, wiring: &Wiring) -> PerPhase<MilliAmps> {
        wiring.to_grid(&self.per_wire)
    }
}

/// How a car uses what it is offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Appetite {
    /// Nothing says it takes less than offered.
    #[default]
    Open,
    /// It has drawn clearly less for a minute; more than this is of no use to it.
    Capped(MilliAmps),
    /// It has drawn nothing for a minute: full, or asleep.
    Idle,
}

#[derive(Clone, Debug)]
pub(crate) struct ConnectorLive {
    pub(crate) status: ConnectorStatus,
    pub(crate) detail: StatusDetail,
    /// Since when it has been free; a session here is over once that lasts.
    pub(crate) free_since: Option<Instant>,
    /// Commanded current per wire.
    pub(crate) set: MilliAmps,
    /// When the setpoint was last sent; `None` before the first time.
    pub(crate) sent_at: Option<Instant>,
    /// Its setpoint when every meter above it was last heard: a silent meter raises nobody above that.
    pub(crate) when_heard: MilliAmps,
    /// Setpoints in force before the present one, oldest first, each with its beginning.
    sets: VecDeque<(Instant, MilliAmps)>,
    draws: VecDeque<Draw>,
    /// Since when each wire has carried nothing while another did; empty when that is not measured.
    idle_wires: Vec<Option<Instant>>,
    pub(crate) power: Option<(Instant, Watts)>,
    pub(crate) energy: Option<(Instant, WattHours)>,
    /// What it measured beside current, power and energy since it was last recorded.
    pub(crate) beside: Beside,
    /// Returns from standby no earlier.
    pub(crate) standby_until: Option<Instant>,
    /// Back from standby it would fit now, but not into the room that has lasted: it goes on waiting.
    pub(crate) kept_out: Option<Reason>,
    /// Preset `published`: room that was missing when it was sent to standby.
    pub(crate) standby_room: Option<MilliAmps>,
    /// How far it may be raised, as the newest division found it.
    pub(crate) ceiling: Option<Target>,
    pub(crate) appetite: Appetite,
    pub(crate) below_since: Option<Instant>,
    pub(crate) over_since: Option<Instant>,
    pub(crate) obeys_since: Option<Instant>,
    pub(crate) disobeys: bool,
    /// The charger refused the present setpoint, and nothing measured since shows that it is kept anyway.
    pub(crate) refuses: bool,
    /// The charger took the present setpoint.
    pub(crate) answered: bool,
    /// The setpoint it took last in this session; `None` while it has answered none.
    held: Option<MilliAmps>,
    /// A larger one it held, and until when.
    held_before: Option<(Instant, MilliAmps)>,
    /// Since when a setpoint below that one has waited for its answer.
    cut_waits_since: Option<Instant>,
    /// First heard with a session of the run before: its next setpoint replaces a profile nobody here sent.
    pub(crate) adopt: bool,
    pub(crate) reason: Reason,
    /// Why the guard gives it what it has.
    pub(crate) guarded: Option<Reason>,
    /// Setpoint and reason as last recorded.
    pub(crate) decided: Option<(MilliAmps, Reason)>,
    /// Whether its car comes back from pauses.
    pub(crate) wake: Wake,
    /// How long its car took to follow, at most, as far as seen in this session.
    pub(crate) response: Response,
}

/// How long a car takes until a reading shows that it follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Response {
    /// A change that is being watched, and what was drawn before it.
    awaited: Option<(Instant, MilliAmps)>,
    /// The slowest answer.
    pub(crate) most: Option<DurationMs>,
}

/// A larger change than readings wobble.
const CLEAR_CHANGE: MilliAmps = MilliAmps(2000);
/// A car that has not followed by then does not follow this change.
const NO_ANSWER: DurationMs = DurationMs::from_secs(60);

impl Response {
    /// A clear change of the setpoint begins to be watched; another one ends that.
    fn commanded(&mut self, now: Instant, from: MilliAmps, to: MilliAmps, drawn: Option<MilliAmps>) {
        let clear = from.0.abs_diff(to.0) >= CLEAR_CHANGE.0 && !from.is_zero() && !to.is_zero();
        self.awaited = drawn.filter(|drawn| clear && drawn.0.abs_diff(from.0) < 1000).map(|drawn| (now, drawn));
    }

    fn read(&mut self, at: Instant, drawn: MilliAmps) {
        let Some((since, before)) = self.awaited else { return };
        let took = at.since(since);
        if took > NO_ANSWER {
            self.awaited = None;
        } else if drawn.0.abs_diff(before.0) >= CLEAR_CHANGE.0 / 2 {
            self.awaited = None;
            self.most = Some(self.most.map_or(took, |most| most.max(took)));
        }
    }
}

impl ConnectorLive {
    pub(crate) fn new(now: Now) -> Self {
        Self {
            status: ConnectorStatus::Unknown,
            detail: StatusDetail::default(),
            free_since: None,
            set: MilliAmps::ZERO,
            when_heard: MilliAmps::ZERO,
            sent_at: None,
            sets: VecDeque::from([(now.instant, MilliAmps::ZERO)]),
            draws: VecDeque::new(),
            idle_wires: Vec::new(),
            power: None,
            energy: None,
            beside: Beside::default(),
            standby_until: None,
            kept_out: None,
            standby_room: None,
            ceiling: None,
            appetite: Appetite::Open,
            below_since: None,
            over_since: None,
            obeys_since: None,
            disobeys: false,
            refuses: false,
            answered: false,
            held: None,
            held_before: None,
            cut_waits_since: None,
            adopt: false,
            reason: Reason::Idle,
            guarded: None,
            decided: None,
            wake: Wake::default(),
            response: Response::default(),
        }
    }

    /// Takes a new setpoint into force.
    pub(crate) fn command(&mut self, now: Now, limit: MilliAmps) {
        if limit == self.set {
            return;
        }
        if limit > self.set {
            self.below_since = None;
        }
        let drawn = self.draw(now).map(Draw::fullest);
        self.response.commanded(now.instant, self.set, limit, drawn);
        self.refuses = false;
        self.answered = false;
        if self.held.is_some_and(|held| limit < held) {
            self.cut_waits_since.get_or_insert(now.instant);
        } else {
            self.cut_waits_since = None;
        }
        self.set = limit;
        self.sets.push_back((now.instant, limit));
        while self.sets.len() > SETS_MAX {
            self.sets.pop_front();
        }
    }

    /// Heard again with a session of the run before: a profile of any size may live, until it is replaced.
    pub(crate) fn assume_profile(&mut self, now: Now, largest: MilliAmps) {
        self.command(now, largest);
        self.adopt = true;
    }

    /// When the present setpoint came into force.
    pub(crate) fn set_since(&self) -> Instant {
        self.sets.back().map(|(at, _)| *at).unwrap_or_default()
    }

    /// Setpoints in force at any time between `from` and `to`.
    pub(crate) fn sets_between(&self, from: Instant, to: Instant) -> impl Iterator<Item = MilliAmps> {
        let ends = self.sets.iter().skip(1).map(|(at, _)| *at).chain(std::iter::once(Instant(u64::MAX)));
        self.sets
            .iter()
            .zip(ends)
            .filter(move |((begin, _), end)| *begin <= to && *end >= from)
            .map(|((_, limit), _)| *limit)
    }

    /// Largest setpoint in force at any time in the last `back` before `at`.
    pub(crate) fn largest_set(&self, at: Instant, back: DurationMs) -> MilliAmps {
        let from = Instant(at.0.saturating_sub(back.0));
        self.sets_between(from, at).max().unwrap_or_default()
    }

    pub(crate) fn measured(&mut self, now: Now, wiring: &Wiring, site: &Site, sample: &ChargerSample) {
        self.beside.take(sample);
        if let Some(power) = sample.power {
            self.power = Some((now.instant, power));
        }
        if let Some(energy) = sample.energy {
            self.energy = Some((now.instant, energy));
        }
        let per_wire = if sample.current_per_wire.is_empty() {
            let Some(power) = sample.power else { return };
            current_from_power(power, wiring, site)
        } else {
            sample.current_per_wire.clone()
        };
        self.note_wires(now, &sample.current_per_wire, wiring.wires().len());
        let taken = crate::guard::taken_at(now, sample.at);
        let late = u64::try_from(now.wall.0.saturating_sub(sample.at.0)).unwrap_or(0);
        let told = if late <= LATE_MAX.0 { Instant(now.instant.0.saturating_sub(late)) } else { taken };
        let draw = Draw { at: now.instant, taken, told, per_wire };
        self.response.read(taken, draw.fullest());
        self.draws.push_back(draw);
        while self.draws.len() > READINGS_MAX {
            self.draws.pop_front();
        }
    }

    /// Newest reading that still says something about now.
    pub(crate) fn draw(&self, now: Now) -> Option<&Draw> {
        self.draws.back().filter(|draw| now.instant.since(draw.at) <= READING_MAX_AGE)
    }

    /// Notes which wires carry nothing while another does. Values that do not name each wire say nothing of any.
    fn note_wires(&mut self, now: Now, per_wire: &[MilliAmps], wires: usize) {
        if per_wire.len() != wires {
            self.idle_wires.clear();
            return;
        }
        self.idle_wires.resize(wires, None);
        let drawing = per_wire.iter().any(|amount| *amount >= AWAKE);
        for (idle, amount) in self.idle_wires.iter_mut().zip(per_wire) {
            if *amount >= ASLEEP {
                *idle = None;
            } else if drawing {
                idle.get_or_insert(now.instant);
            }
        }
    }

    /// The wires a car is taken to use: a wire that has carried nothing for a minute, while another of the same
    /// cable did, is not one of them until it carries something, or until readings stop.
    pub(crate) fn wiring_in_use(&self, now: Now, wiring: &Wiring) -> Wiring {
        let wires = wiring.wires();
        if self.draw(now).is_none() || self.idle_wires.len() != wires.len() {
            return wiring.clone();
        }
        let in_use = |idle: &Option<Instant>| idle.is_none_or(|since| now.instant.since(since) < HABIT);
        let used = wires.iter().zip(&self.idle_wires).filter(|(_, idle)| in_use(idle)).map(|(wire, _)| *wire);
        Wiring::new(used.collect()).unwrap_or_else(|_| wiring.clone())
    }

    /// Whether the charger has ever told what its car draws.
    pub(crate) fn is_measured(&self) -> bool {
        !self.draws.is_empty()
    }

    /// Whether a reading since the present setpoint came into force keeps to it, whatever the charger answers.
    pub(crate) fn is_seen_to_obey(&self, now: Now) -> bool {
        self.draw(now).is_some_and(|draw| draw.at > self.set_since() && draw.fullest() <= tolerated(self.set))
    }

    /// The readings on both sides of a moment, of those that say something about it.
    pub(crate) fn draws_around(&self, at: Instant) -> (Option<&Draw>, Option<&Draw>) {
        let before = self.draws.iter().rev().find(|draw| draw.at <= at && at.since(draw.at) <= READING_MAX_AGE);
        let after = self.draws.iter().find(|draw| draw.at > at);
        (before, after)
    }

    /// Newest measured power that still says something about now.
    pub(crate) fn power_now(&self, now: Now) -> Option<Watts> {
        self.power.filter(|(at, _)| now.instant.since(*at) <= READING_MAX_AGE).map(|(_, power)| power)
    }

    /// Its charger says that the car takes current again; readings that show how much come later.
    pub(crate) fn wake(&mut self, now: Now) {
        if self.appetite == Appetite::Idle {
            self.appetite = Appetite::Open;
            self.below_since = Some(now.instant);
        }
    }

    /// A session began or ended: what was learnt of the car is void.
    pub(crate) fn forget_car(&mut self) {
        self.appetite = Appetite::Open;
        self.when_heard = MilliAmps::ZERO;
        self.below_since = None;
        self.standby_until = None;
        self.kept_out = None;
        self.standby_room = None;
        self.ceiling = None;
        self.wake = Wake::default();
        self.response = Response::default();
        self.idle_wires.clear();
        (self.held, self.held_before, self.cut_waits_since) = (None, None, None);
    }

    /// The charger answered a limit, perhaps not the present one.
    pub(crate) fn limit_answered(&mut self, now: Now, limit: MilliAmps, accepted: bool) {
        if accepted && let Some(before) = self.held.replace(limit).filter(|before| *before > limit) {
            self.held_before = Some((now.instant, before));
        }
        if limit != self.set {
            return;
        }
        self.answered = accepted;
        self.refuses = !accepted && !self.is_seen_to_obey(now);
        if accepted {
            self.cut_waits_since = None;
        }
    }

    /// Largest limit that it may have kept in the last `back`, because it had not answered a lower one.
    pub(crate) fn largest_held(&self, now: Now, back: DurationMs) -> MilliAmps {
        let waits = self.cut_waits_since.is_some_and(|since| now.instant.since(since) <= UNANSWERED);
        let held = self.held.filter(|_| waits).unwrap_or_default();
        let before = self.held_before.filter(|(until, _)| now.instant.since(*until) <= back);
        held.max(before.map(|(_, limit)| limit).unwrap_or_default())
    }

    /// What it took last, while a cut below that waits longer for its answer than this charger needs otherwise.
    pub(crate) fn overdue(&self, now: Now) -> Option<MilliAmps> {
        let waits = self.cut_waits_since.is_some_and(|since| now.instant.since(since) >= ANSWER_WITHIN);
        self.held.filter(|_| waits && !self.is_seen_to_obey(now))
    }
}

fn current_from_power(power: Watts, wiring: &Wiring, site: &Site) -> Vec<MilliAmps> {
    let wires = wiring.wires().len();
    let volts = u64::from(site.nominal_voltage.0.max(1)) * u64::try_from(wires.max(1)).unwrap_or(1);
    let current = (u64::from(power.0) * 1_000_000).div_ceil(volts);
    vec![MilliAmps(u32::try_from(current).unwrap_or(u32::MAX)); wires]
}

#[derive(Clone, Debug)]
pub(crate) struct MeterLive {
    pub(crate) meter: Meter,
    pub(crate) online: bool,
    /// Newest good sample with the moment it arrived.
    pub(crate) sample: Option<(Instant, MeterSample)>,
    /// Load that is no car, as found with the newest sample of a meter that measures the cars too.
    pub(crate) last_load: PerPhase<MilliAmps>,
    /// How far the meter's clock lies behind ours, as last seen on a good sample, in ms.
    lag_ms: i64,
    /// As that, of the newest good sample.
    newest_lag_ms: i64,
    /// Since when samples have been refused as old.
    refused_since: Option<Instant>,
}

impl MeterLive {
    pub(crate) fn new(meter: Meter) -> Self {
        let last_load = PerPhase::default();
        Self { meter, online: false, sample: None, last_load, lag_ms: i64::MAX, newest_lag_ms: 0, refused_since: None }
    }

    /// Takes a sample unless it was taken long before it arrived: a backlog sent after an outage says nothing
    /// about now. A meter whose clock jumped back is believed again once that has lasted.
    pub(crate) fn take(&mut self, now: Now, sample: MeterSample, max_age: DurationMs) {
        let lag_ms = now.wall.0.saturating_sub(sample.at.0);
        let allowed = self.lag_ms.saturating_add(i64::try_from(max_age.0).unwrap_or(i64::MAX));
        if self.sample.is_some() && lag_ms > allowed {
            let since = *self.refused_since.get_or_insert(now.instant);
            if now.instant.since(since) <= DurationMs(max_age.0.saturating_mul(2)) {
                return;
            }
            self.lag_ms = lag_ms;
        }
        self.refused_since = None;
        self.lag_ms = self.lag_ms.min(lag_ms);
        self.newest_lag_ms = lag_ms;
        self.sample = Some((now.instant, sample));
        self.online = true;
    }

    /// When the newest good sample was taken, as far as clocks agree, and when it arrived.
    pub(crate) fn taken(&self) -> Option<(Instant, Instant)> {
        self.sample.map(|(arrived, sample)| {
            let wall = domain::Timestamp(sample.at.0.saturating_add(self.newest_lag_ms));
            (crate::guard::taken_at(Now { instant: arrived, wall }, sample.at), arrived)
        })
    }

    pub(crate) fn is_fresh(&self, now: Now, max_age: DurationMs) -> bool {
        self.sample.is_some_and(|(at, _)| now.instant.since(at) <= max_age)
    }
}

//! The fast guard of circuits whose protection acts within seconds: how much is kept free there, and for whom.
//!
//! Reaction alone is too slow for such a device: a step of the building shows in the meter only at its next sample,
//! travels, waits for the pilot's pause and for the car. So room is kept free for what the building may add before
//! the cars have followed. The guard learns the building's steps per phase ([`Steps`]) and how fast each car follows
//! ([`Car`]). What a fast car draws can be taken back before the device acts, so it needs little room kept free; what
//! a slow car draws must fit beside every rise that is likely within its delay.
//!
//! Must not know: who carries a setpoint, the allocator's rule, any clock.

mod car;
mod cycle;
mod echo;
mod room;
mod steps;

pub(crate) use self::car::Car;
pub(crate) use self::cycle::taken_at;

use self::steps::{Rate, Step, Steps, exceedance, risks};
use crate::device::Device;
use crate::plan::Connector;
use domain::{DurationMs, Instant, MilliAmps, PerPhase, Phase, TripModel};
use std::collections::{BTreeMap, VecDeque};

/// Overruns of the device's patience that are accepted, were the cars at the limit all the time: 4 in 500 hours.
const ACCEPTED: Rate = 2_222_222;
/// While the meter is late or silent, which is rare, more is accepted for that time.
const ACCEPTED_LATE: Rate = 3 * ACCEPTED;
const ACCEPTED_SILENT: Rate = 3 * ACCEPTED;
/// For cars at their minimum: stops are frequent otherwise, and such moments rare.
const STOP_FACTOR: Rate = 1_000;
/// The same while the meter is late or silent, since what is too much then stays until it is heard again.
const STOP_FACTOR_LATE: Rate = 100;
const STOP_FACTOR_SILENT: Rate = 25;
/// For the seconds after a raise of a pilot. They are the more, the more cars are raised and the more phases they may
/// overload: so it is divided by wires and phases, and stays between these.
const PINNED_FACTOR: Rate = 450;
const PINNED_LEAST: Rate = 10;
const PINNED_MOST: Rate = 100;
/// For those after a cut: as few, but the building has just begun to draw more.
const CUT_FACTOR: Rate = 5;
/// Levels are kept this long, for cars that want to begin.
const HISTORY: DurationMs = DurationMs::from_secs(60);
/// Steps of the reserve; finer ones are below the meter's accuracy.
const GRAIN: u32 = 500;
const GRAINS_MAX: u32 = 400;
/// Largest step assumed before any was seen: a quarter of the circuit.
const PRIOR_PARTS: u32 = 4;
/// Of a hundred samples one is lost, and some come late.
const LOST_PER_MILLE: u32 = 15;
/// Most that is planned for, in thousandths of the limit: above it every small step would need a cut.
const FULL_MILLI: u64 = 930;
/// Half of a device's budget, in thousandths.
const HALF_MILLI: u16 = 500;
/// An overload of at most this many thousandths of a second of the whole limit is planned for in a row: an inrush, which
/// is not planned for, comes on top.
const EXCESS_MS: u64 = 2000;

/// For what room is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Care {
    /// Current above the minimum, which can be taken back without a stop.
    Flexible,
    /// The minimum of cars that charge.
    Minimum,
    /// The minimum of one that would begin.
    Entry,
    /// What a charger that has just changed its pilot cannot take back for 5 s.
    Pinned,
    /// The same after a cut, which comes where the building has just switched something on.
    Cut,
}

/// How late the newest sample is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Lateness {
    /// It came when it should.
    #[default]
    None,
    /// One is missing; the newest is this old, in s.
    Late(u32),
    /// Several are missing.
    Silent(u32),
}

impl Lateness {
    const fn extra_s(self) -> u32 {
        match self {
            Self::None => 0,
            Self::Late(age) => age.saturating_sub(1),
            Self::Silent(age) => age,
        }
    }

    const fn accepted(self) -> Rate {
        match self {
            Self::None => ACCEPTED,
            Self::Late(_) => ACCEPTED_LATE,
            Self::Silent(_) => ACCEPTED_SILENT,
        }
    }

    const fn stop_factor(self) -> Rate {
        match self {
            Self::None => STOP_FACTOR,
            Self::Late(_) => STOP_FACTOR_LATE,
            Self::Silent(_) => STOP_FACTOR_SILENT,
        }
    }
}

/// A circuit whose protection needs a guard.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    /// Overloads shorter than this do no harm, in s.
    ride_s: u32,
    /// What the device carries for ever, in thousandths of the limit.
    cap_milli: u64,
    /// Between two samples, in s, and how long they travel: at least and at most.
    period_s: u32,
    travel_s: (u32, u32),
    gaps: VecDeque<u32>,
    steps: PerPhase<Steps>,
    devices: PerPhase<Device>,
    /// Levels of the building by the moment they were measured: at least and at most.
    history: VecDeque<(Instant, PerPhase<MilliAmps>, PerPhase<MilliAmps>)>,
}

impl Watch {
    fn new(model: TripModel, limit: PerPhase<MilliAmps>) -> Self {
        let (ride_s, cap_milli) = patience(model);
        let steps = |limit: MilliAmps| Steps::new(MilliAmps(limit.0 / PRIOR_PARTS), DurationMs::from_secs(14));
        Self {
            ride_s,
            cap_milli,
            period_s: 5,
            travel_s: (1, 2),
            gaps: VecDeque::new(),
            steps: limit.map(steps),
            devices: PerPhase::splat(Device::new(model)),
            history: VecDeque::new(),
        }
    }

    /// A sample that was taken at `taken` and arrived at `arrived`.
    pub(crate) fn sampled(
        &mut self,
        taken: Instant,
        arrived: Instant,
        low: PerPhase<MilliAmps>,
        high: PerPhase<MilliAmps>,
    ) {
        if let Some((before, ..)) = self.history.back() {
            if taken <= *before {
                return;
            }
            self.gaps.push_back(seconds_up(taken.since(*before)));
            while self.gaps.len() > 9 {
                self.gaps.pop_front();
            }
            let mut gaps: Vec<u32> = self.gaps.iter().copied().collect();
            gaps.sort_unstable();
            self.period_s = gaps.get(gaps.len() / 2).copied().unwrap_or(5).max(1);
        }
        let travelled = seconds_up(arrived.since(taken));
        self.travel_s = (self.travel_s.0.min(travelled.max(1)), self.travel_s.1.max(travelled));
        self.history.push_back((taken, low, high));
        while self.history.front().is_some_and(|(at, ..)| taken.since(*at) > HISTORY) {
            self.history.pop_front();
        }
        let pause = DurationMs::from_secs(u64::from(2 * self.period_s + 4));
        for phase in Phase::ALL {
            let (low, high) = (*low.get(phase), *high.get(phase));
            let steps = self.steps.get_mut(phase);
            steps.set_pause(pause);
            if high.saturating_sub(low) < MilliAmps(1000) {
                steps.note(taken, MilliAmps(u32::midpoint(low.0, high.0)));
            }
        }
        let inrush = self.inrush(taken);
        if let Some((_, low, high)) = self.history.back_mut() {
            *low = low.zip(inrush).map(|(level, inrush)| level.saturating_sub(inrush));
            *high = high.zip(inrush).map(|(level, inrush)| level.saturating_sub(inrush));
        }
    }

    /// How much of the newest sample is an inrush that is over within seconds.
    fn inrush(&self, now: Instant) -> PerPhase<MilliAmps> {
        let Some((taken, ..)) = self.history.back() else { return PerPhase::default() };
        let lasts = DurationMs::from_secs(u64::from(self.period_s + self.travel_s.1));
        let of = |phase| self.steps.get(phase).inrush(*taken, now, lasts);
        PerPhase::new(of(Phase::L1), of(Phase::L2), of(Phase::L3))
    }

    /// By how much the highest level of the last `back` is above the newest low one.
    fn above_newest(&self, now: Instant, back: DurationMs) -> PerPhase<MilliAmps> {
        let Some((_, newest, high)) = self.history.back() else { return PerPhase::default() };
        let recent = self.history.iter().filter(|(at, ..)| now.since(*at) <= back);
        let peak = recent.fold(*high, |peak, (_, low, _)| peak.zip(*low).map(|(a, b)| a.max(b)));
        peak.zip(*newest).map(|(peak, newest)| peak.saturating_sub(newest))
    }

    /// Integrates the device from the whole current.
    fn carries(&mut self, at: Instant, current: PerPhase<MilliAmps>, limit: PerPhase<MilliAmps>) {
        for phase in Phase::ALL {
            self.devices.get_mut(phase).carries(at, *current.get(phase), *limit.get(phase));
        }
    }

    /// Whether a device with a thermal memory has used half its budget: what rides through at the minimum stops.
    fn is_half_used(&self) -> bool {
        self.devices
            .iter()
            .any(|(_, device)| matches!(device.model(), TripModel::Thermal { .. }) && device.used_milli() >= HALF_MILLI)
    }

    fn lateness(&self, now: Instant) -> Lateness {
        let Some((newest, ..)) = self.history.back() else { return Lateness::Silent(60) };
        let age = seconds_up(now.since(*newest));
        if age > 3 * self.period_s + 3 {
            Lateness::Silent(age)
        } else if age > self.period_s + self.travel_s.1 {
            Lateness::Late(age)
        } else {
            Lateness::None
        }
    }

    /// By how long the answer of something that follows within `response_s` comes too late, with the share of each in
    /// millionths.
    fn windows(&self, response_s: u32, extra_s: u32) -> BTreeMap<u32, u64> {
        let mut windows = BTreeMap::new();
        for wait in 0..self.period_s {
            for (travel, share) in [(self.travel_s.0, 800), (self.travel_s.1, 200)] {
                for (lost, chance) in [(0, 1000 - LOST_PER_MILLE), (1, LOST_PER_MILLE)] {
                    let delay = wait + travel + lost * self.period_s + extra_s + response_s;
                    let late = delay.saturating_sub(self.ride_s);
                    if late > 0 {
                        *windows.entry(late).or_insert(0) += u64::from(share * chance) / u64::from(self.period_s);
                    }
                }
            }
        }
        windows
    }

    /// Kept free beside what follows within `response_s`.
    fn reserve(&self, steps: &[Step], response_s: u32, accepted: Rate, extra_s: u32) -> MilliAmps {
        let mut moments: [Rate; 3] = [0; 3];
        for (late, share) in self.windows(response_s, extra_s) {
            let (late, share) = (Rate::from(late), Rate::from(share));
            for (moment, power) in moments.iter_mut().zip([1, late, late * late]) {
                *moment += share * power;
            }
        }
        least_rise(|rise| {
            let overruns = risks(steps, rise).into_iter().zip(moments).map(|(risk, moment)| risk * moment);
            overruns.sum::<Rate>() / 1_000_000 <= accepted
        })
    }

    /// Most that building and cars may carry together so that a step with its overload until the cars follow stays
    /// within [`EXCESS_MS`].
    fn most_by_excess(&self, limit: MilliAmps, steps: &[Step], response_s: u32, accepted: Rate) -> u64 {
        let halves = self.period_s + 1 + 2 * response_s + 4;
        let rise = least_rise(|rise| exceedance(steps, rise, halves / 4) <= accepted);
        let limit = u64::from(limit.0);
        (limit + 2 * EXCESS_MS * limit / 1000 / u64::from(halves)).saturating_sub(u64::from(rise.0))
    }
}

/// Smallest rise that satisfies `is_enough`, which holds for every larger one too.
fn least_rise(is_enough: impl Fn(MilliAmps) -> bool) -> MilliAmps {
    let (mut low, mut high) = (0, GRAINS_MAX);
    while low < high {
        let middle = u32::midpoint(low, high);
        if is_enough(MilliAmps(middle * GRAIN)) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    MilliAmps(low * GRAIN)
}

/// Overloads a device takes without harm: for how long in s, and how much for ever in thousandths of the limit.
///
/// A definite-time relay is left after 7 tenths of its delay. A thermal device is loaded with 1.5 times its limit
/// from full load until half its budget is used.
fn patience(model: TripModel) -> (u32, u64) {
    match model {
        TripModel::DefiniteTime { ratio_milli, after } => {
            let ride_s = after.0 * 7 / 10_000;
            (u32::try_from(ride_s).unwrap_or(u32::MAX), u64::from(ratio_milli.saturating_sub(5).max(1000)))
        }
        TripModel::Thermal { trip_theta_milli, tau } => {
            let half = u64::from(trip_theta_milli.saturating_sub(1000)) / 2;
            // Heating from 1 towards 2.25; below a quarter of the way the exponential is nearly a line.
            let ride_s = tau.0 * half.min(1000) / 1_250_000;
            (u32::try_from(ride_s).unwrap_or(u32::MAX), 1000)
        }
    }
}

fn seconds_up(duration: DurationMs) -> u32 {
    u32::try_from(duration.0.div_ceil(1000)).unwrap_or(u32::MAX)
}

/// What the guard remembers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guard {
    /// Circuits that need one, by number.
    watches: BTreeMap<usize, Watch>,
    pub(crate) cars: BTreeMap<Connector, Car>,
    /// A command whose effect is looked for in the current of a circuit.
    echo: Option<echo::Echo>,
    acted: Option<Instant>,
    raised: Option<Instant>,
    swapped: Option<Instant>,
    /// Begins once the one it takes the place of has stopped.
    successor: Option<Connector>,
    /// Is to stop for the successor.
    leaves: Option<Connector>,
    /// Who could begin, and since when without a break.
    beginners: BTreeMap<Connector, Instant>,
    tidied: Instant,
}

impl Guard {
    /// Watches these circuits; what is known of those watched already stays.
    pub(crate) fn watch(&mut self, circuits: impl IntoIterator<Item = (usize, TripModel, PerPhase<MilliAmps>)>) {
        let mut known = std::mem::take(&mut self.watches);
        for (index, model, limit) in circuits {
            let (ride_s, cap_milli) = patience(model);
            let mut watch = known.remove(&index).unwrap_or_else(|| Watch::new(model, limit));
            (watch.ride_s, watch.cap_milli) = (ride_s, cap_milli);
            if watch.devices.l1.model() != model {
                watch.devices = PerPhase::splat(Device::new(model));
            }
            self.watches.insert(index, watch);
        }
    }

    pub(crate) fn is_active(&self) -> bool {
        !self.watches.is_empty()
    }

    /// The least and the most a car drew at a moment, where the guard follows it.
    pub(crate) fn bounds(&self, key: &Connector, taken: Instant) -> Option<(MilliAmps, MilliAmps)> {
        self.cars.get(key).filter(|_| self.is_active()).map(|car| car.bounds(taken))
    }

    /// Kept free on a circuit for the building's own rises beside the car that follows fastest.
    pub(crate) fn reserve(&self, index: usize) -> PerPhase<MilliAmps> {
        let Some(watch) = self.watches.get(&index) else { return PerPhase::default() };
        let fastest = self.cars.values().map(Car::response_s).min().unwrap_or(16);
        let of = |phase| watch.reserve(&watch.steps.get(phase).available(), fastest, ACCEPTED, 0);
        PerPhase::new(of(Phase::L1), of(Phase::L2), of(Phase::L3))
    }

    /// Circuits where even the minimum has to stop.
    fn used_up(&self) -> Vec<usize> {
        self.watches.iter().filter(|(_, watch)| watch.is_half_used()).map(|(index, _)| *index).collect()
    }

    /// How much of a circuit's newest sample is an inrush that is over within seconds.
    fn inrush(&self, index: usize, now: Instant) -> PerPhase<MilliAmps> {
        self.watches.get(&index).map(|watch| watch.inrush(now)).unwrap_or_default()
    }

    fn lateness(&self, now: Instant) -> Lateness {
        let all = self.watches.values().map(|watch| watch.lateness(now));
        all.max_by_key(|lateness| lateness.extra_s()).unwrap_or_default()
    }

    fn tidy(&mut self, now: Instant) {
        if now.since(self.tidied) < DurationMs::from_secs(60) {
            return;
        }
        self.tidied = now;
        for watch in self.watches.values_mut() {
            for phase in Phase::ALL {
                watch.steps.get_mut(phase).tidy(now);
            }
        }
    }
}

#[cfg(test)]
mod tests;

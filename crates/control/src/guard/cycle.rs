//! One turn of the guard: what arrived is learnt, what does not fit is cut at once, and what fits is given slowly.

use super::Lateness;
use super::room::{Picture, Urgency, key_of, rank};
use crate::pace::Assessment;
use crate::plan::{Connector, Grounds, Side, Target, Targets};
use crate::standing::Standing;
use crate::{Change, Control, Output, Reason};
use allocator::{Demand, Plan};
use domain::{DurationMs, Instant, MeterRole, MilliAmps, Now, Pacing};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Between two raises: each makes the charger change its pilot, and the next cut would have to wait for 5 s.
const RAISE_GAP: DurationMs = DurationMs::from_secs(8);
/// A charger changes its pilot no more often, and a setpoint takes a second on its way: so long a cut may have to wait.
const PINNED: DurationMs = DurationMs::from_secs(6);
/// A load that comes and goes within this time is counted while it is away.
const HOLD: DurationMs = DurationMs::from_secs(5);
/// Room for another car has lasted this long before it begins; the first need not wait so long.
const BEGIN_HOLD: DurationMs = DurationMs::from_secs(60);
const BEGIN_ALONE_HOLD: DurationMs = DurationMs::from_secs(20);
/// What is missing by less than this is let be.
const SLACK: MilliAmps = MilliAmps(1000);
const AMPERE: MilliAmps = MilliAmps::from_amps(1);
/// A car nobody has seen follow is raised by no more than this at once.
const FIRST_STEP: MilliAmps = MilliAmps(3000);
/// It is asked to follow a small change, so that it becomes known.
const PROBE: MilliAmps = MilliAmps(2000);
/// Cars change places no more often.
const SWAP_EVERY: DurationMs = DurationMs::from_secs(300);
const SWAP_PAUSE: DurationMs = DurationMs::from_secs(15);
/// Turns while no sample comes.
const LATE_TURN: DurationMs = DurationMs::from_secs(2);

/// What a turn decided.
#[derive(Default)]
struct Turn {
    commands: Vec<(Connector, MilliAmps)>,
    plan: Plan,
    raised: bool,
}

impl Control {
    /// Keeps circuits whose protection acts within seconds. False where there is none, or none with a meter.
    pub(crate) fn keep_safe(&mut self, now: Now, out: &mut Vec<Output>) -> bool {
        self.watch_circuits();
        if !self.guard.is_active() {
            return false;
        }
        self.follow_cars(now);
        let mut assessment = self.assess(now);
        let sampled = self.note_levels(now, &assessment);
        for (index, load) in assessment.loads.iter_mut().enumerate() {
            let inrush = self.guard.inrush(index, now.instant);
            load.low = load.low.zip(inrush).map(|(level, inrush)| level.saturating_sub(inrush));
        }
        self.guard.tidy(now.instant);
        let lateness = self.guard.lateness(now.instant);
        let mut low = self.targets_low(now, &assessment);
        self.plan_rejected = low.rejected;
        self.settle_fixed(now, &low, &assessment, out);
        let waited = self.guard.acted.is_none_or(|at| now.instant.since(at) >= LATE_TURN);
        // A reading that came after the sample may show that the building takes more than it seemed.
        let is_due = sampled || (lateness != Lateness::None && waited) || !self.is_commanded_safe(&low);
        if is_due {
            self.guard.acted = Some(now.instant);
            let turn = self.turn(now, &assessment, lateness);
            let sent = out.len();
            for (key, limit) in &turn.commands {
                let before = self.guard.cars.get(key).map_or(MilliAmps::ZERO, |car| car.set);
                self.carry_out(now, key, *limit, out);
                self.listen(now, key, before, out.get(sent..).unwrap_or_default());
            }
            if turn.raised || lateness != Lateness::None {
                self.guard.raised = Some(now.instant);
            }
            self.note_reasons(now, &assessment, &turn.plan);
            if let Some(key) = self.guard.leaves.take() {
                self.carry_out(now, &key, MilliAmps::ZERO, out);
            }
        }
        self.compose(&mut low, &assessment);
        self.verify_commanded(now, &low, out);
        self.explain(now, &low, out);
        true
    }

    fn watch_circuits(&mut self) {
        let mut watched = Vec::new();
        if self.site.pacing == Pacing::Careful {
            for (index, branch) in self.tree.branches.iter().enumerate() {
                let device = self.circuits.get(&branch.id).and_then(|circuit| circuit.rating.device);
                let is_metered = self.meters.values().any(|live| {
                    live.meter.approved
                        && live.meter.circuit == branch.id
                        && matches!(live.meter.role, MeterRole::Circuit | MeterRole::House)
                });
                if let Some(device) = device.filter(|_| is_metered) {
                    let limit = branch.limit.map(|limit| limit.saturating_sub(self.site.margin));
                    watched.push((index, device.trip_model(), limit));
                }
            }
        }
        self.guard.watch(watched);
    }

    /// Learns from readings how the cars follow.
    fn follow_cars(&mut self, now: Now) {
        let Self { chargers, ledger, guard, .. } = self;
        let mut present = BTreeSet::new();
        for (id, live) in chargers {
            for (number, connector) in &live.connectors {
                let key = (id.clone(), *number);
                if ledger.running(id, *number).is_none() {
                    continue;
                }
                present.insert(key.clone());
                let car = guard.cars.entry(key).or_insert_with(|| super::Car::new(now.instant, connector.set));
                car.commanded(now.instant, connector.set);
                if let Some(draw) = connector.draw(now) {
                    car.read(draw.taken, draw.fullest());
                }
            }
        }
        guard.cars.retain(|key, _| present.contains(key));
    }

    /// Notes the levels of samples that are new. True when one was.
    fn note_levels(&mut self, now: Now, assessment: &Assessment) -> bool {
        let flows: BTreeMap<usize, _> =
            self.guard.watches.keys().map(|index| (*index, self.known_flow(now, *index))).collect();
        let mut is_new = false;
        let mut heard = Vec::new();
        for (index, watch) in &mut self.guard.watches {
            let Some(branch) = self.tree.branches.get(*index) else { continue };
            let here = self.meters.values().filter(|live| live.meter.approved && live.meter.circuit == branch.id);
            let newest = here
                .filter(|live| matches!(live.meter.role, MeterRole::Circuit | MeterRole::House))
                .filter_map(|live| live.taken())
                .max();
            let (Some((taken, arrived)), Some(load)) = (newest, assessment.loads.get(*index)) else { continue };
            if watch.history.back().is_none_or(|(before, ..)| taken > *before) {
                watch.sampled(taken, arrived, load.low, load.high);
                if let Some(net) = flows.get(index).copied().flatten() {
                    let import = net.map(|net| MilliAmps(u32::try_from(net.max(0)).unwrap_or(u32::MAX)));
                    watch.carries(taken, import, branch.limit);
                    heard.push((*index, taken, net));
                }
                is_new = true;
            }
        }
        for (index, taken, net) in heard {
            self.hear(index, taken, &net);
        }
        is_new
    }

    fn targets_low(&self, now: Now, assessment: &Assessment) -> Targets {
        self.grounds(now, assessment).targets(Side::Low)
    }

    fn grounds<'a>(&'a self, now: Now, assessment: &'a Assessment) -> Grounds<'a> {
        let Assessment { standings, loads, .. } = assessment;
        self.grounds_of(now, standings, loads)
    }

    /// Connectors that do not share get what they are told, and cars in doubt after a restart their minimum.
    fn settle_fixed(&mut self, now: Now, low: &Targets, assessment: &Assessment, out: &mut Vec<Output>) {
        let min = self.site.min_charge;
        for (key, target) in &low.by_connector {
            let Some(connector) = self.connector_mut(key) else { continue };
            let set = connector.set;
            if connector.adopt {
                connector.adopt = false;
                let limit = target.limit.min(min);
                self.command(now, key, limit, if limit.is_zero() { Change::Cut } else { Change::Raise }, out);
                continue;
            }
            let counted = match assessment.standings.get(key) {
                Some(Standing::Demand { max, .. }) => {
                    let whole = MilliAmps(max.0 - max.0 % 1000);
                    if whole < set {
                        let limit = if whole < min { MilliAmps::ZERO } else { whole };
                        self.command(now, key, limit, Change::Cut, out);
                    }
                    continue;
                }
                Some(Standing::Counted { amount, .. }) => *amount,
                Some(Standing::Nothing(_)) | None => MilliAmps::ZERO,
            };
            if target.limit < set {
                self.command(now, key, target.limit, Change::Cut, out);
            } else if target.limit > set && counted >= target.limit {
                self.command(now, key, target.limit, Change::Raise, out);
            }
        }
    }

    fn turn(&self, now: Now, assessment: &Assessment, lateness: Lateness) -> Turn {
        let grounds = self.grounds(now, assessment);
        let set: BTreeMap<Connector, MilliAmps> = self.set_of_demands(assessment);
        let charging: BTreeSet<Connector> =
            set.iter().filter(|(_, amount)| !amount.is_zero()).map(|(key, _)| key.clone()).collect();
        let picture = Picture::new(&self.guard, grounds.snapshot(Side::Low).0, lateness, now.instant);
        if !picture.fits(&set, SLACK) {
            let turn = cuts(&picture, &charging, &set, &self.pinned(now));
            if !turn.commands.is_empty() {
                return turn;
            }
        }
        let (_, plan) = picture.shares(&charging, Urgency::None, |demand| demand.max);
        let mut turn = Turn { plan, ..Turn::default() };
        if lateness != Lateness::None {
            return turn;
        }
        let gap = self.guard.raised.is_none_or(|at| now.instant.since(at) >= RAISE_GAP);
        if !gap || self.guard.echo.as_ref().is_some_and(|echo| echo.wants_quiet(now.instant)) {
            return turn;
        }
        let period = self.guard.watches.values().map(|watch| watch.period_s).max().unwrap_or(5);
        let hold = DurationMs(HOLD.0 + u64::from(period) * 1000);
        let picture = picture.at_peak(hold, now.instant);
        self.raises(now, &picture, &set, &charging, &mut turn);
        turn
    }

    fn set_of_demands(&self, assessment: &Assessment) -> BTreeMap<Connector, MilliAmps> {
        let shares = |key: &Connector| matches!(assessment.standings.get(key), Some(Standing::Demand { .. }));
        let connectors = self.chargers.iter().flat_map(|(id, live)| {
            live.connectors.iter().map(move |(number, connector)| ((id.clone(), *number), connector.set))
        });
        connectors.filter(|(key, _)| shares(key)).collect()
    }

    fn raises(
        &self,
        now: Now,
        picture: &Picture<'_>,
        set: &BTreeMap<Connector, MilliAmps>,
        charging: &BTreeSet<Connector>,
        turn: &mut Turn,
    ) {
        let most = |demand: &Demand| {
            let car = self.guard.cars.get(&key_of(demand)).and_then(|car| car.max);
            car.map_or(demand.max, |max| max.min(demand.max))
        };
        let (shares, _) = picture.shares(charging, Urgency::None, most);
        let mut wanted: Vec<(Connector, MilliAmps, MilliAmps)> = Vec::new();
        for (key, share) in &shares {
            let (Some(car), Some(now_set)) = (self.guard.cars.get(key), set.get(key)) else { continue };
            if *share < *now_set + AMPERE || now.instant.since(car.changed) < raise_gap(car) {
                continue;
            }
            let limit = if car.is_known() { *share } else { (*share).min(*now_set + FIRST_STEP) };
            wanted.push((key.clone(), *now_set, limit));
        }
        self.raise_what_fits(now, picture, set, wanted, turn);
        if turn.commands.is_empty() {
            self.even_out(now, &shares, set, turn);
        }
        if turn.commands.is_empty() {
            self.probe(now, &shares, set, turn);
        }
        if turn.commands.is_empty() {
            self.begin_next(now, picture, charging, turn);
        }
        turn.raised = !turn.commands.is_empty();
    }

    /// Raises those whose share fits beside what the others have now: it may fit only once those who have more than
    /// their share have given it back.
    fn raise_what_fits(
        &self,
        now: Now,
        picture: &Picture<'_>,
        set: &BTreeMap<Connector, MilliAmps>,
        mut wanted: Vec<(Connector, MilliAmps, MilliAmps)>,
        turn: &mut Turn,
    ) {
        wanted.sort_by_key(|(key, from, to)| (Reverse(to.saturating_sub(*from)), key.clone()));
        let mut raised = set.clone();
        let mut pinned = self.pinned(now);
        for (key, from, to) in wanted {
            let fits = |to: MilliAmps| {
                let mut raised = raised.clone();
                raised.insert(key.clone(), to);
                let pinned = pinned.iter().chain([&key]).cloned().collect();
                picture.fits(&raised, MilliAmps::ZERO) && picture.bears(&raised, &pinned)
            };
            if let Some(to) = most_amperes(from, to, fits) {
                pinned.insert(key.clone());
                raised.insert(key.clone(), to);
                turn.commands.push((key, to));
            }
        }
    }

    /// Who has more than the share gives way to who has less.
    fn even_out(
        &self,
        now: Now,
        shares: &BTreeMap<Connector, MilliAmps>,
        set: &BTreeMap<Connector, MilliAmps>,
        turn: &mut Turn,
    ) {
        let of = |key: &Connector| set.get(key).copied().unwrap_or_default();
        if !shares.iter().any(|(key, share)| *share > of(key) + AMPERE) {
            return;
        }
        for (key, share) in shares {
            let settled = self.guard.cars.get(key).is_some_and(|car| now.instant.since(car.changed) >= RAISE_GAP);
            if settled && *share + AMPERE < of(key) {
                turn.commands.push((key.clone(), *share));
            }
        }
    }

    /// A car nobody has seen follow is asked to follow a small change.
    fn probe(
        &self,
        now: Now,
        shares: &BTreeMap<Connector, MilliAmps>,
        set: &BTreeMap<Connector, MilliAmps>,
        turn: &mut Turn,
    ) {
        let min = self.site.min_charge;
        for (key, share) in shares {
            let (Some(car), Some(amount)) = (self.guard.cars.get(key), set.get(key)) else { continue };
            if car.is_known() || !car.awake || now.instant.since(car.changed) < car.settles() {
                continue;
            }
            if *amount >= min + PROBE {
                turn.commands.push((key.clone(), amount.saturating_sub(PROBE)));
                return;
            }
            if *share >= min + PROBE {
                turn.commands.push((key.clone(), min + PROBE));
                return;
            }
        }
    }
}

/// The most that fits in whole amperes above `from` and up to `to`, where less always fits too.
fn most_amperes(from: MilliAmps, to: MilliAmps, fits: impl Fn(MilliAmps) -> bool) -> Option<MilliAmps> {
    let above = |amperes: u32| MilliAmps(from.0 + amperes * 1000);
    let (mut low, mut high) = (0, to.saturating_sub(from).amps_floor());
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if fits(above(middle)) { low = middle } else { high = middle - 1 }
    }
    (low > 0).then(|| above(low))
}

/// A car that is not known yet is raised only once the raise before has shown.
fn raise_gap(car: &super::Car) -> DurationMs {
    if car.is_known() { RAISE_GAP } else { car.settles() }
}

/// What has to go so that the rest fits. Whoever is cut has to wait for the pilot before the next cut, so as much goes
/// from them that another step is borne meanwhile.
fn cuts(
    picture: &Picture<'_>,
    charging: &BTreeSet<Connector>,
    set: &BTreeMap<Connector, MilliAmps>,
    pinned: &BTreeSet<Connector>,
) -> Turn {
    let kept = picture.kept(charging);
    let of = |key: &Connector| set.get(key).copied().unwrap_or_default();
    let (shares, plan) = picture.shares(&kept, Urgency::Cut, |demand| of(&key_of(demand)));
    let share = |key: &Connector| shares.get(key).copied().unwrap_or_default();
    let cut: BTreeSet<Connector> = charging.iter().filter(|key| share(key) < of(key)).cloned().collect();
    let min = picture.snapshot().min;
    let deeper = |amount: MilliAmps| {
        let limit = |key: &Connector| share(key).saturating_sub(amount).max(share(key).min(min));
        cut.iter().map(|key| (key.clone(), limit(key))).collect::<Vec<_>>()
    };
    let pinned: BTreeSet<Connector> = pinned.union(&cut).cloned().collect();
    let unborne = |amount: MilliAmps| {
        let mut left = set.clone();
        left.extend(deeper(amount));
        picture.unborne(&left, &pinned)
    };
    let most = cut.iter().map(|key| share(key).saturating_sub(min)).max().unwrap_or_default();
    let least = unborne(most);
    let depth = (0..=most.0.div_ceil(AMPERE.0)).map(|steps| MilliAmps(AMPERE.0 * steps));
    let depth = depth.into_iter().find(|amount| unborne(*amount) <= least).unwrap_or(most);
    Turn { commands: deeper(depth), plan, raised: false }
}

impl Control {
    /// Whose pilot has just changed.
    fn pinned(&self, now: Now) -> BTreeSet<Connector> {
        let changed = self.guard.cars.iter().filter(|(_, car)| now.instant.since(car.changed) < PINNED);
        changed.map(|(key, _)| key.clone()).collect()
    }

    /// One more car begins, or takes the place of one that follows more slowly than it may.
    fn begin_next(&self, now: Now, picture: &Picture<'_>, charging: &BTreeSet<Connector>, turn: &mut Turn) {
        let active_max = self.site.max_active_chargers.map_or(usize::MAX, usize::from);
        if let Some(successor) = &self.guard.successor {
            let paused = self.guard.swapped.is_none_or(|at| now.instant.since(at) > SWAP_PAUSE);
            if paused && charging.len() < active_max && picture.admits(charging, successor) {
                self.let_begin(picture, charging, successor, turn);
            }
            return;
        }
        let hold = if charging.is_empty() { BEGIN_ALONE_HOLD } else { BEGIN_HOLD };
        let ready = |demand: &&Demand| {
            let since = self.guard.beginners.get(&key_of(demand));
            since.is_some_and(|since| now.instant.since(*since) >= hold)
        };
        let begins = self.by_gain(picture, charging).into_iter().find(ready);
        if let Some(demand) = begins.filter(|_| charging.len() < active_max) {
            self.let_begin(picture, charging, &key_of(demand), turn);
        }
    }

    /// A car begins with the minimum, and those who charge give what is missing for it. They have followed before its
    /// car draws.
    fn let_begin(&self, picture: &Picture<'_>, charging: &BTreeSet<Connector>, comes: &Connector, turn: &mut Turn) {
        let set = |key: &Connector| {
            self.chargers.get(&key.0).and_then(|live| live.connectors.get(&key.1)).map_or(MilliAmps::ZERO, |c| c.set)
        };
        let mut all = charging.clone();
        all.insert(comes.clone());
        let most = |demand: &Demand| {
            let key = key_of(demand);
            if key == *comes { self.site.min_charge } else { set(&key) }
        };
        let (shares, _) = picture.shares(&all, Urgency::None, most);
        let gives = charging.iter().filter_map(|key| Some((key.clone(), *shares.get(key)?)));
        turn.commands.extend(gives.filter(|(key, share)| *share < set(key)));
        turn.commands.push((comes.clone(), self.site.min_charge));
    }

    /// Who could begin now, with the loads of the last minute; noted so that it lasts before it counts.
    fn note_beginner(&mut self, now: Now, assessment: &Assessment) {
        let grounds = self.grounds(now, assessment);
        let set = self.set_of_demands(assessment);
        let charging: BTreeSet<Connector> =
            set.iter().filter(|(_, amount)| !amount.is_zero()).map(|(key, _)| key.clone()).collect();
        let lateness = self.guard.lateness(now.instant);
        let picture = Picture::new(&self.guard, grounds.snapshot(Side::Low).0, lateness, now.instant)
            .at_peak(super::HISTORY, now.instant);
        let able: Vec<Connector> = self
            .by_gain(&picture, &charging)
            .into_iter()
            .map(key_of)
            .filter(|key| picture.admits(&charging, key))
            .collect();
        // Who gives a place away stops, which is no help while something has to go anyway.
        let is_calm = able.is_empty() && picture.fits(&set, SLACK);
        let swap = if is_calm { self.swap(now, &picture, &charging) } else { None };
        let since = |key: &Connector| self.guard.beginners.get(key).copied().unwrap_or(now.instant);
        let able = able.into_iter().filter(|_| lateness == Lateness::None);
        self.guard.beginners = able.map(|key| (key.clone(), since(&key))).collect();
        if let Some((goes, comes)) = swap {
            self.guard.successor = Some(comes);
            self.guard.swapped = Some(now.instant);
            self.guard.leaves = Some(goes);
        }
    }

    /// Those who wait, first the one whose start uses most of the current that nobody takes now. As long as those who
    /// charge can take all there is, another would only bring more stops.
    fn by_gain<'a>(&self, picture: &'a Picture<'_>, charging: &BTreeSet<Connector>) -> Vec<&'a Demand> {
        let usable = |demand: &Demand| {
            self.guard.cars.get(&key_of(demand)).and_then(|car| car.max).unwrap_or(demand.max).min(demand.max)
        };
        let (shares, _) = picture.shares(charging, Urgency::None, usable);
        let min = i64::from(self.site.min_charge.0);
        let waiting = picture.snapshot().demands.iter().filter(|demand| !charging.contains(&key_of(demand)));
        let mut waiting: Vec<(&Demand, i64)> =
            waiting.map(|demand| (demand, picture.gain(&shares, demand, usable(demand)))).collect();
        waiting.retain(|(_, gain)| *gain >= min);
        waiting.sort_by_key(|(demand, gain)| {
            let key = key_of(demand);
            (Reverse(demand.priority), Reverse(gain / min), rank(&self.guard, &key), demand.registered, key)
        });
        waiting.into_iter().map(|(demand, _)| demand).collect()
    }

    /// A car that follows slowly gives its place to one that follows faster or has not been seen yet.
    fn swap(&self, now: Now, picture: &Picture<'_>, charging: &BTreeSet<Connector>) -> Option<(Connector, Connector)> {
        let rested = self.guard.swapped.is_none_or(|at| now.instant.since(at) > SWAP_EVERY);
        let all_known = charging.iter().all(|key| self.guard.cars.get(key).is_some_and(super::Car::is_known));
        if !rested || !all_known || self.guard.successor.is_some() {
            return None;
        }
        let demands = &picture.snapshot().demands;
        let goes = demands
            .iter()
            .filter(|demand| charging.contains(&key_of(demand)))
            .filter(|demand| {
                let since = self.guard.cars.get(&key_of(demand)).and_then(|car| car.on_since);
                since.is_some_and(|at| now.instant.since(at) > SWAP_EVERY)
            })
            .max_by_key(|demand| rank(&self.guard, &key_of(demand)))?;
        let comes = demands
            .iter()
            .filter(|demand| !charging.contains(&key_of(demand)))
            .filter(|demand| {
                demand.priority >= goes.priority && demand.wiring == goes.wiring && demand.node == goes.node
            })
            .min_by_key(|demand| (rank(&self.guard, &key_of(demand)), demand.registered))?;
        let better = rank(&self.guard, &key_of(comes)) + 2 <= rank(&self.guard, &key_of(goes));
        better.then(|| (key_of(goes), key_of(comes)))
    }

    fn carry_out(&mut self, now: Now, key: &Connector, limit: MilliAmps, out: &mut Vec<Output>) {
        let Some(connector) = self.connector_mut(key) else { return };
        let set = connector.set;
        if limit.is_zero() {
            connector.standby_until = Some(now.instant + crate::pace::STANDBY_HOLD);
        }
        if self.guard.successor.as_ref() == Some(key) {
            self.guard.successor = None;
        }
        self.command(now, key, limit, if limit < set { Change::Cut } else { Change::Raise }, out);
        if let Some(car) = self.guard.cars.get_mut(key) {
            car.commanded(now.instant, limit);
        }
    }

    /// What each has and why, for people: the guard's shares take the place of the allocator's.
    fn compose(&self, low: &mut Targets, assessment: &Assessment) {
        for (key, target) in &mut low.by_connector {
            if !matches!(assessment.standings.get(key), Some(Standing::Demand { .. })) {
                continue;
            }
            let Some(connector) = self.chargers.get(&key.0).and_then(|live| live.connectors.get(&key.1)) else {
                continue;
            };
            let reason = match (connector.set.is_zero(), &connector.guarded, &target.reason) {
                (false, Some(reason), _) => reason.clone(),
                (true, _, Reason::Waiting { .. } | Reason::WaitingForTurn { .. }) | (false, None, _) => {
                    target.reason.clone()
                }
                (true, _, _) => Reason::Waiting { min: self.site.min_charge, place: 1, bottleneck: None },
            };
            *target = Target { limit: connector.set, reason };
        }
    }

    fn note_reasons(&mut self, now: Now, assessment: &Assessment, plan: &Plan) {
        let reasons: Vec<(Connector, Reason)> = {
            let grounds = self.grounds(now, assessment);
            plan.shares.iter().map(|share| ((share.charger.clone(), share.connector), grounds.reason(share))).collect()
        };
        for (key, reason) in reasons {
            if let Some(connector) = self.connector_mut(&key) {
                connector.guarded = Some(reason);
            }
        }
        self.note_beginner(now, assessment);
    }
}

/// Kept for the moment a sample was taken.
pub(crate) fn taken_at(now: Now, at: domain::Timestamp) -> Instant {
    // A device whose clock is wrong says nothing about when; what arrived is then as old as its way.
    let lag_ms = now.wall.0.saturating_sub(at.0);
    let plausible = u64::try_from(lag_ms).ok().filter(|ms| *ms <= 10_000).unwrap_or(0);
    Instant(now.instant.0.saturating_sub(plausible))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::{Car, Guard};
    use allocator::{Guide, Node, NodeIndex, Snapshot};
    use domain::{ChargerId, ConnectorNumber, PerPhase, Phase, TripModel, Wiring};

    fn at(second: u64) -> Instant {
        Instant(second * 1000)
    }

    fn amps(amps: u16) -> MilliAmps {
        MilliAmps::from_amps(amps)
    }

    /// A car that was seen to follow within 3 s and takes 12 A.
    fn fast_car() -> Car {
        let mut car = Car::new(at(0), amps(12));
        let (mut second, mut draws) = (0, amps(12));
        for set in [9, 12, 9, 12] {
            for passed in 0..60 {
                if passed == 30 {
                    car.commanded(at(second), amps(set));
                }
                if passed == 34 {
                    draws = amps(set);
                }
                second += 1;
                car.read(at(second), draws);
            }
        }
        assert!(car.is_known() && car.response_s() <= 4, "{} s", car.response_s());
        car
    }

    /// Pilots that have just been cut wait for 5 s, so a cut leaves what another step of the building may add in them,
    /// not only what fits now.
    #[test]
    fn a_cut_leaves_room_for_the_next_step() {
        let limit = PerPhase::splat(amps(30));
        let keys: Vec<Connector> = ["c1", "c2"].map(|id| (ChargerId::new(id).unwrap(), ConnectorNumber(1))).to_vec();
        let mut guard = Guard::default();
        guard.watch([(0, TripModel::STRICT_DEFINITE_TIME, limit)]);
        guard.cars.extend(keys.iter().map(|key| (key.clone(), fast_car())));
        let watch = guard.watches.get_mut(&0).unwrap();
        // A kettle and an oven, of which one is on now.
        for second in 0..12_000 {
            let on = |from: u64, amount: u16| if (second + from) % 600 < 60 { amount } else { 0 };
            let load = PerPhase::splat(amps(2 + on(30, 7) + on(330, 6)));
            watch.sampled(at(second), at(second + 1), load, load);
        }
        let demand = |key: &Connector| Demand {
            charger: key.0.clone(),
            connector: key.1,
            node: NodeIndex(0),
            wiring: Wiring::new(vec![Phase::L1]).unwrap(),
            priority: 0,
            registered: 1,
            max: amps(32),
            guide: Guide::default(),
        };
        let snapshot = Snapshot {
            nodes: vec![Node { parent: None, limit, load: PerPhase::splat(amps(9)) }],
            demands: keys.iter().map(demand).collect(),
            min: amps(6),
            max_active: None,
            leftover: allocator::Leftover::ToHigherPriority,
            sharing: allocator::Sharing::default(),
        };
        let picture = Picture::new(&guard, snapshot, Lateness::None, at(12_000));
        let charging: BTreeSet<Connector> = keys.iter().cloned().collect();
        let set: BTreeMap<Connector, MilliAmps> = keys.iter().map(|key| (key.clone(), amps(12))).collect();
        assert!(!picture.fits(&set, SLACK));
        let turn = cuts(&picture, &charging, &set, &BTreeSet::new());
        let left: BTreeMap<Connector, MilliAmps> = turn.commands.into_iter().collect();
        let bare: BTreeMap<Connector, MilliAmps> = keys.iter().map(|key| (key.clone(), amps(6))).collect();
        assert_eq!(left.keys().cloned().collect::<BTreeSet<_>>(), charging);
        assert!(left.values().all(|limit| *limit >= amps(6)), "nobody stops for it: {left:?}");
        assert_eq!(picture.unborne(&left, &charging), picture.unborne(&bare, &charging));
        let plain = picture.shares(&picture.kept(&charging), Urgency::Cut, |_| amps(12)).0;
        assert!(picture.unborne(&left, &charging) < picture.unborne(&plain, &charging), "{plain:?} would not do");
    }
}

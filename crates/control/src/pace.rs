//! When a target becomes a command: cuts at once, raises slowly and only into room that was measured.

use crate::check::check;
use crate::estimate::{Basis, Evidence, Load};
use crate::per_connector::{Beside, PerConnector};
use crate::plan::{Connector, Grounds, Side, Target, Targets, is_below_silence};
use crate::safe_plan::safe_plan;
use crate::standing::{Standing, Standings, Surroundings, lingering};
use crate::state::{ConnectorLive, SETTLE};
use crate::{Change, Control, Output, Reason};
use allocator::{Demand, Guide, NodeIndex, Snapshot};
use domain::{DurationMs, Instant, MilliAmps, Now, Pacing, PerPhase, Phase};
use std::cmp::Reverse;

/// After a stop a car waits at least this long: contactors wear, and some cars give up after a few interruptions.
pub(crate) const STANDBY_HOLD: DurationMs = DurationMs::from_secs(60);
/// Setpoints are sent again this often, so that those of a dead decider run out.
const RENEW_EVERY: DurationMs = DurationMs::from_secs(30);
/// A meter sample this much younger than the last raise shows what the raise did.
const RESPONSE: DurationMs = DurationMs::from_secs(2);
/// Compressors, heaters and hobs cycle within this time.
const PEAK_HOLD: DurationMs = DurationMs::from_secs(15);
/// A car that was sent to standby returns into room that lasted this long.
const RETURN_HOLD: DurationMs = DurationMs::from_secs(60);
/// A raise takes at most one part in this many of the way, but at least an ampere.
const RAISE_PARTS: u32 = 2;
const AMPERE: MilliAmps = MilliAmps::from_amps(1);

/// What is known of the site at one moment.
pub(crate) struct Assessment {
    pub(crate) standings: Standings,
    pub(crate) loads: Vec<Load>,
    /// Most each connector may draw until something newer is known.
    pub(crate) committed: PerConnector<MilliAmps>,
}

impl Control {
    pub(crate) fn assess(&self, now: Now) -> Assessment {
        let limits = self.power_limits();
        let surroundings = Surroundings {
            now,
            local: self.wall_clock(now),
            site: &self.site,
            access: &self.access,
            ledger: &self.ledger,
            in_use: &self.in_use,
            limits: &limits,
            capped: &self.capped,
            better: &self.guides.better,
            is_guarded: self.guard.is_active(),
        };
        let mut standings = Standings::default();
        let mut committed = PerConnector::default();
        for live in self.chargers.values() {
            surroundings.of(live, &mut standings);
        }
        self.soften(&mut standings);
        for (id, live) in &self.chargers {
            for (number, connector) in &live.connectors {
                let key = (id.clone(), *number);
                let amount = match standings.get(&key) {
                    Some(Standing::Counted { amount, .. }) => *amount,
                    Some(Standing::Demand { .. }) => connector.set.max(lingering(now, connector)),
                    Some(Standing::Nothing(_)) | None if self.ledger.running(id, *number).is_some() => {
                        lingering(now, connector)
                    }
                    Some(Standing::Nothing(_)) | None => MilliAmps::ZERO,
                };
                committed.insert(key, amount);
            }
        }
        let loads = self.evidence(now, &standings, &committed).loads();
        Assessment { standings, loads, committed }
    }

    pub(crate) fn evidence<'a>(
        &'a self,
        now: Now,
        standings: &'a Standings,
        committed: &'a PerConnector<MilliAmps>,
    ) -> Evidence<'a> {
        Evidence {
            now,
            site: &self.site,
            tree: &self.tree,
            meters: &self.meters,
            chargers: &self.chargers,
            standings,
            committed,
            guard: &self.guard,
        }
    }

    pub(crate) fn grounds_of<'a>(&'a self, now: Now, standings: &'a Standings, loads: &'a [Load]) -> Grounds<'a> {
        let Self { site, tree, chargers, guides, .. } = self;
        Grounds { now, site, tree, chargers, standings, loads, guides }
    }

    fn targets(&self, now: Now, assessment: &Assessment, side: Side) -> Targets {
        let Assessment { standings, loads, .. } = assessment;
        self.grounds_of(now, standings, loads).targets(side)
    }

    /// Cuts whatever does not fit any more. Runs on every input that can make it necessary.
    pub(crate) fn guard(&mut self, now: Now, out: &mut Vec<Output>) {
        self.unsettled = false;
        if self.keep_safe(now, out) {
            return;
        }
        let assessment = self.assess(now);
        self.note_peaks(now, &assessment.loads);
        self.note_heard(&assessment.loads);
        let low = self.targets(now, &assessment, Side::Low);
        self.cut(now, &low, out);
        self.explain(now, &low, out);
    }

    /// The regular division: cuts, then raises.
    pub(crate) fn divide(&mut self, now: Now, out: &mut Vec<Output>) {
        self.unsettled = false;
        if self.keep_safe(now, out) {
            return;
        }
        self.keep_out(now);
        let assessment = self.assess(now);
        self.note_peaks(now, &assessment.loads);
        self.note_heard(&assessment.loads);
        let low = self.targets(now, &assessment, Side::Low);
        let sent = out.len();
        self.cut(now, &low, out);
        match self.site.pacing {
            Pacing::Published => {
                let high = self.targets(now, &assessment, Side::High);
                self.raise_all(now, &high, out);
            }
            Pacing::Careful => {
                // Unless something was cut, what is known is still the same.
                let assessment = if out.len() == sent { assessment } else { self.assess(now) };
                self.raise_carefully(now, &low, assessment, out);
            }
        }
        self.verify_commanded(now, &low, out);
        self.explain(now, &low, out);
    }

    /// Who was sent to standby returns only into room that has lasted; until then others use it.
    fn keep_out(&mut self, now: Now) {
        let mut someone_returns = false;
        for connector in self.chargers.values_mut().flat_map(|live| live.connectors.values_mut()) {
            connector.kept_out = None;
            someone_returns |= connector.returns(now);
        }
        if self.site.pacing == Pacing::Published || !someone_returns {
            return;
        }
        let mut assessment = self.assess(now);
        self.hold_peaks(now, RETURN_HOLD, &mut assessment.loads);
        for (key, target) in self.targets(now, &assessment, Side::High).by_connector {
            let Some(connector) = self.connector_mut(&key) else { continue };
            if connector.returns(now) && target.limit.is_zero() && matches!(target.reason, Reason::Waiting { .. }) {
                connector.kept_out = Some(target.reason);
            }
        }
    }

    fn cut(&mut self, now: Now, low: &Targets, out: &mut Vec<Output>) {
        self.plan_rejected = low.rejected;
        let min = self.site.min_charge;
        for (key, target) in &low.by_connector {
            let Some(connector) = self.connector_mut(key) else { continue };
            let set = connector.set;
            if connector.adopt {
                connector.adopt = false;
                // What the car draws is not known yet: the minimum keeps it going and is counted already.
                let limit = target.limit.min(whole(min));
                let change = if limit.is_zero() { Change::Cut } else { Change::Raise };
                self.command(now, key, limit, change, out);
            } else if target.limit < set {
                if target.limit.is_zero() && matches!(target.reason, Reason::Waiting { .. }) {
                    self.send_to_standby(now, key, low);
                }
                self.command(now, key, target.limit, Change::Cut, out);
            }
        }
    }

    fn send_to_standby(&mut self, now: Now, key: &Connector, low: &Targets) {
        let pacing = self.site.pacing;
        let min = self.site.min_charge;
        let ahead = low.by_connector.iter().filter(|(other, target)| *other != key && !target.limit.is_zero()).count();
        let Some(connector) = self.connector_mut(key) else { return };
        match pacing {
            Pacing::Careful => connector.standby_until = Some(now.instant + STANDBY_HOLD),
            Pacing::Published => {
                let cars = u32::try_from(ahead + 1).unwrap_or(u32::MAX);
                connector.standby_room = Some(MilliAmps(min.0.saturating_mul(cars)));
            }
        }
    }

    /// Raises at once to all that is free by the high estimate, as published. Where a meter measures the building
    /// without the cars, as in the papers, the estimates are one; elsewhere a car's ramp must not look like building.
    fn raise_all(&mut self, now: Now, targets: &Targets, out: &mut Vec<Output>) {
        for (key, target) in &targets.by_connector {
            if self.connector_mut(key).is_some_and(|connector| target.limit > connector.set) {
                self.command(now, key, target.limit, Change::Raise, out);
            }
        }
    }

    /// Raises part of the way, the higher priority first, into room that exists even in the high estimate and
    /// while every cut may still linger.
    fn raise_carefully(&mut self, now: Now, low: &Targets, mut assessment: Assessment, out: &mut Vec<Output>) {
        self.hold_peaks(now, PEAK_HOLD, &mut assessment.loads);
        let mut high = self.targets(now, &assessment, Side::High);
        self.keep_in_silence(&mut high, &assessment.loads);
        self.note_ceilings(&high);
        let mut room = Residual::new(&high.snapshot);
        let mut demands: Vec<&Demand> = high.snapshot.demands.iter().collect();
        demands.sort_by_key(|d| (Reverse(d.priority), d.guide.rank, d.registered, &d.charger, d.connector));
        for demand in &demands {
            let committed = assessment.committed.get(&key_of(demand)).copied().unwrap_or_default();
            room.take(demand, committed);
        }
        for lost in self.lingering_outside(&assessment) {
            room.take(&lost, lost.max);
        }
        let mut active = self.active(&assessment.standings);
        // Those raised in this division do not wait for each other.
        let raised = self.last_raise;
        for demand in demands {
            let key = key_of(demand);
            let target = [low, &high].map(|t| t.by_connector.get(&key).map_or(MilliAmps::ZERO, |t| t.limit));
            let target = target[0].min(target[1]);
            let set = self.connector_mut(&key).map_or(target, |connector| connector.set);
            let turn = !set.is_zero() || self.site.max_active_chargers.is_none_or(|max| active < usize::from(max));
            if target <= set || !turn || !self.is_confirmed(now, raised, demand, &assessment.loads) {
                continue;
            }
            let Some(next) = next_step(set, target, whole(self.site.min_charge), room.left(demand)) else { continue };
            room.take(demand, next.saturating_sub(set));
            active += usize::from(set.is_zero());
            self.command(now, &key, next, Change::Raise, out);
        }
        // What is told a fixed setpoint is counted already, at least at that.
        for (key, target) in &low.by_connector {
            let counted = matches!(assessment.standings.get(key), Some(Standing::Counted { amount, .. }) if *amount >= target.limit);
            if counted && self.connector_mut(key).is_some_and(|connector| connector.set < target.limit) {
                self.command(now, key, target.limit, Change::Raise, out);
            }
        }
    }

    /// Notes the setpoints of those whose meters speak.
    fn note_heard(&mut self, loads: &[Load]) {
        let Self { chargers, tree, .. } = self;
        let someone_is_silent = loads.iter().any(|load| load.basis == Basis::Silent);
        for live in chargers.values_mut() {
            if someone_is_silent && is_below_silence(tree, loads, live) {
                continue;
            }
            for connector in live.connectors.values_mut() {
                connector.when_heard = connector.set;
            }
        }
    }

    /// Below a silent meter nobody is raised above what they had when it was last heard. Who has nothing may begin, with
    /// the minimum and in the room that the declared load leaves.
    fn keep_in_silence(&self, high: &mut Targets, loads: &[Load]) {
        if loads.iter().all(|load| load.basis != Basis::Silent) {
            return;
        }
        for (key, target) in &mut high.by_connector {
            let Some(live) = self.chargers.get(&key.0).filter(|live| is_below_silence(&self.tree, loads, live)) else {
                continue;
            };
            let had = live.connectors.get(&key.1).map(|connector| connector.when_heard).unwrap_or_default();
            let most = had.max(whole(self.site.min_charge));
            if target.limit > most {
                *target = Target { limit: most, reason: Reason::MeterSilent };
            }
        }
    }

    /// A load that comes and goes is counted while it is away: raising into its gaps would be cut at its return.
    fn hold_peaks(&self, now: Now, hold: DurationMs, loads: &mut [Load]) {
        for (index, load) in loads.iter_mut().enumerate() {
            for (_, peak) in
                self.peaks.get(&index).into_iter().flatten().filter(|(at, _)| now.instant.since(*at) <= hold)
            {
                load.high = load.high.zip(*peak).map(|(high, peak)| high.max(peak));
            }
        }
    }

    fn note_peaks(&mut self, now: Now, loads: &[Load]) {
        for (index, load) in loads.iter().enumerate() {
            let peaks = self.peaks.entry(index).or_default();
            // A larger load makes every earlier smaller one irrelevant.
            while peaks.back().is_some_and(|(_, peak)| Phase::ALL.iter().all(|p| peak.get(*p) <= load.low.get(*p))) {
                peaks.pop_back();
            }
            peaks.push_back((now.instant, load.low));
            while peaks.front().is_some_and(|(at, _)| now.instant.since(*at) > RETURN_HOLD) {
                peaks.pop_front();
            }
        }
    }

    /// Draws that a cut should have ended, of connectors that do not share any more.
    fn lingering_outside(&self, assessment: &Assessment) -> Vec<Demand> {
        let mut list = Vec::new();
        for (key, standing) in &assessment.standings {
            let Standing::Nothing(_) = standing else { continue };
            let amount = assessment.committed.get(key).copied().unwrap_or_default();
            let Some(live) = self.chargers.get(&key.0).filter(|_| !amount.is_zero()) else { continue };
            let Some(node) = self.tree.index(&live.charger.circuit) else { continue };
            list.push(Demand {
                charger: key.0.clone(),
                connector: key.1,
                node: NodeIndex(node),
                wiring: live.charger.counted_wiring(self.site.phases),
                priority: live.charger.priority,
                registered: live.charger.registered,
                max: amount,
                guide: Guide::default(),
            });
        }
        list
    }

    /// Connectors that share and have current.
    fn active(&self, standings: &Standings) -> usize {
        let shares = |key: &Connector| matches!(standings.get(key), Some(Standing::Demand { .. }));
        let connectors = self.chargers.iter().flat_map(|(id, live)| {
            live.connectors.iter().map(move |(number, connector)| ((id.clone(), *number), connector.set))
        });
        connectors.filter(|(key, set)| !set.is_zero() && shares(key)).count()
    }

    /// Whether every circuit above has been measured since the last raise took effect.
    fn is_confirmed(&self, now: Now, raised: Option<Instant>, demand: &Demand, loads: &[Load]) -> bool {
        let Some(raised) = raised else { return true };
        let Some(own) = self.chargers.get(&demand.charger).and_then(|live| self.tree.index(&live.charger.circuit))
        else {
            return false;
        };
        self.tree.path(own).all(|index| match loads.get(index).map(|load| load.basis) {
            Some(Basis::Measured(at)) => at >= raised + RESPONSE,
            Some(Basis::Silent | Basis::Declared) | None => now.instant >= raised + SETTLE,
            // Without a meter of its own, the one further up speaks for it.
            Some(Basis::Below) => true,
        })
    }

    /// Whether what is commanded now keeps every rule, judged by the check.
    pub(crate) fn is_commanded_safe(&self, low: &Targets) -> bool {
        let commanded = low.as_commanded(|(charger, number)| {
            let live = self.chargers.get(charger).and_then(|live| live.connectors.get(number));
            live.map_or(MilliAmps::ZERO, |connector| connector.set)
        });
        check(&low.snapshot, &commanded).is_ok()
    }

    /// What is commanded now is checked as a whole; where it breaks a rule the safe plan takes its place.
    pub(crate) fn verify_commanded(&mut self, now: Now, low: &Targets, out: &mut Vec<Output>) {
        if self.is_commanded_safe(low) {
            return;
        }
        self.plan_rejected = true;
        let fallbacks = self.chargers.iter().map(|(id, live)| (id.clone(), live.fallback_in_force())).collect();
        for share in safe_plan(&low.snapshot, &fallbacks).shares {
            let key = (share.charger, share.connector);
            if self.connector_mut(&key).is_some_and(|connector| share.limit < connector.set) {
                self.command(now, &key, share.limit, Change::Cut, out);
            }
        }
    }

    /// Takes a setpoint into force and has it sent.
    pub(crate) fn command(
        &mut self,
        now: Now,
        key: &Connector,
        limit: MilliAmps,
        change: Change,
        out: &mut Vec<Output>,
    ) {
        if change == Change::Raise {
            self.last_raise = Some(now.instant);
        }
        let Some(connector) = self.connector_mut(key) else { return };
        if !limit.is_zero() {
            connector.standby_room = None;
            connector.standby_until = None;
        }
        connector.command(now, limit);
        connector.sent_at = Some(now.instant);
        out.push(Output::Setpoint { charger: key.0.clone(), connector: key.1, limit, change });
    }

    /// Sends setpoints again that were not sent for a while.
    pub(crate) fn renew(&mut self, now: Now, out: &mut Vec<Output>) {
        for (id, live) in &mut self.chargers {
            if !live.charger.approved || !live.is_online() {
                continue;
            }
            for (number, connector) in &mut live.connectors {
                if connector.sent_at.is_none_or(|at| now.instant.since(at) >= RENEW_EVERY) {
                    connector.sent_at = Some(now.instant);
                    let (charger, limit) = (id.clone(), connector.set);
                    out.push(Output::Setpoint { charger, connector: *number, limit, change: Change::Renew });
                }
            }
        }
    }

    /// Remembers how far each connector may be raised, and what holds it there.
    fn note_ceilings(&mut self, high: &Targets) {
        for (key, target) in &high.by_connector {
            let Some(connector) = self.connector_mut(key) else { continue };
            connector.ceiling = Some(target.clone());
        }
    }

    /// Notes why each connector has what it has, and records what changed.
    pub(crate) fn explain(&mut self, now: Now, low: &Targets, out: &mut Vec<Output>) {
        for Beside { value: target, connector, .. } in low.by_connector.beside(&mut self.chargers) {
            connector.reason = held_by(connector, target.limit, &target.reason);
        }
        self.form_line(now);
        let mut news = Vec::new();
        for Beside { key, connector, is_approved, .. } in low.by_connector.beside(&mut self.chargers) {
            if is_approved && !connector.is_told() {
                connector.decided = Some((connector.set, connector.reason.clone()));
                news.push((key, connector.set, connector.reason.clone()));
            }
        }
        if news.is_empty() {
            return;
        }
        let known = self.known(now);
        for (key, limit, reason) in news {
            out.push(Output::Decided {
                charger: key.0.clone(),
                connector: key.1,
                at: now.wall,
                limit,
                reason,
                known: Box::new(self.known_besides(&known, key)),
            });
        }
    }
}

impl ConnectorLive {
    /// Whether what it has and why is what was recorded last.
    pub(crate) fn is_told(&self) -> bool {
        match &self.decided {
            Some((set, reason)) => *set == self.set && same_story(reason, &self.reason),
            None => self.set.is_zero() && matches!(self.reason, Reason::Idle),
        }
    }

    /// Whether it was sent to standby and may be back by the time that has passed.
    fn returns(&self, now: Now) -> bool {
        self.set.is_zero() && self.standby_until.is_some_and(|until| until <= now.instant)
    }
}

/// Why a connector has no more than it has, when `limit` is what it is meant to have and `reason` why.
fn held_by(connector: &ConnectorLive, limit: MilliAmps, reason: &Reason) -> Reason {
    if connector.set >= limit || matches!(reason, Reason::CarTakesLess { .. } | Reason::Disobeys { .. }) {
        return reason.clone();
    }
    match &connector.ceiling {
        Some(ceiling) if ceiling.limit > connector.set => Reason::Confirming,
        // What is certain leaves no room for more, although there may be some.
        Some(ceiling) if !ceiling.limit.is_zero() || connector.set.is_zero() => ceiling.reason.clone(),
        Some(_) => reason.clone(),
        None => Reason::Confirming,
    }
}

/// Whether two reasons tell a person the same; seconds that count down and readings that wobble do not matter.
fn same_story(a: &Reason, b: &Reason) -> bool {
    match (a, b) {
        (Reason::WaitingHold { .. }, Reason::WaitingHold { .. })
        | (Reason::WaitingForPrice { .. }, Reason::WaitingForPrice { .. })
        | (Reason::CarTakesLess { .. }, Reason::CarTakesLess { .. }) => true,
        (a, b) => a == b,
    }
}

fn key_of(demand: &Demand) -> Connector {
    (demand.charger.clone(), demand.connector)
}

/// The next setpoint on the way up: the minimum first, then at most half of the rest, as far as there is room.
fn next_step(set: MilliAmps, target: MilliAmps, min: MilliAmps, room: MilliAmps) -> Option<MilliAmps> {
    if set.is_zero() {
        return (room >= min && target >= min).then_some(min);
    }
    let rest = target.saturating_sub(set);
    let part = whole(MilliAmps(rest.0.div_ceil(RAISE_PARTS))).max(AMPERE);
    let step = part.min(rest).min(MilliAmps(room.0 - room.0 % 1000));
    (!step.is_zero()).then_some(set + step)
}

const fn whole(current: MilliAmps) -> MilliAmps {
    MilliAmps(current.0.saturating_add(999) / 1000 * 1000)
}

/// Room left on every circuit and phase while raises are handed out.
struct Residual {
    nodes: Vec<(Option<NodeIndex>, PerPhase<MilliAmps>)>,
}

impl Residual {
    fn new(snapshot: &Snapshot) -> Self {
        let left = |node: &allocator::Node| node.limit.zip(node.load).map(|(limit, load)| limit.saturating_sub(load));
        Self { nodes: snapshot.nodes.iter().map(|node| (node.parent, left(node))).collect() }
    }

    fn path(&self, demand: &Demand) -> Vec<usize> {
        let mut path = Vec::new();
        let mut at = Some(demand.node);
        while let Some((parent, _)) = at.and_then(|NodeIndex(index)| self.nodes.get(index)) {
            if path.len() > self.nodes.len() {
                break;
            }
            path.extend(at.map(|NodeIndex(index)| index));
            at = *parent;
        }
        path
    }

    fn take(&mut self, demand: &Demand, amount: MilliAmps) {
        for index in self.path(demand) {
            let Some((_, left)) = self.nodes.get_mut(index) else { continue };
            for wire in demand.wiring.wires() {
                let left = left.get_mut(*wire);
                *left = left.saturating_sub(amount);
            }
        }
    }

    fn left(&self, demand: &Demand) -> MilliAmps {
        let path = self.path(demand);
        let lefts = path.iter().filter_map(|index| self.nodes.get(*index));
        let most = lefts.flat_map(|(_, left)| demand.wiring.wires().iter().map(|wire| *left.get(*wire))).min();
        most.unwrap_or_default()
    }
}

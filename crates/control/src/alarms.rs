//! What is wrong, from when to when.

use crate::state::Link;
use crate::{Control, Output, StorageState};
use domain::{Alarm, AlarmKind, ConnectorStatus, DurationMs, Instant, MeterRole, Now, Record, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// Chargers reconnect by themselves all the time; only a link that stays down is worth a person's attention.
const OFFLINE_FOR: DurationMs = DurationMs::from_secs(30);
/// Shorter excesses are the guard's business, not a person's.
const OVER_FOR: DurationMs = DurationMs::from_secs(5);
/// How long a rebuilt router stays listed.
const ROUTER_SHOWN: DurationMs = DurationMs::from_secs(600);

/// Alarms that last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Alarms {
    open: BTreeMap<AlarmKind, Timestamp>,
    /// Since when each circuit has carried more than its limit.
    over_since: BTreeMap<usize, Instant>,
}

impl Alarms {
    pub(crate) fn new(open: Vec<Alarm>) -> Self {
        let open = open.into_iter().filter(|alarm| alarm.cleared_at.is_none());
        Self { open: open.map(|alarm| (alarm.kind, alarm.raised_at)).collect(), over_since: BTreeMap::new() }
    }

    /// Newest first.
    pub(crate) fn list(&self) -> Vec<Alarm> {
        let alarm =
            |(kind, at): (&AlarmKind, &Timestamp)| Alarm { kind: kind.clone(), raised_at: *at, cleared_at: None };
        let mut list: Vec<Alarm> = self.open.iter().map(alarm).collect();
        list.sort_by(|a, b| b.raised_at.cmp(&a.raised_at).then_with(|| a.kind.cmp(&b.kind)));
        list
    }

    fn settle(&mut self, now: Now, wanted: BTreeSet<AlarmKind>, out: &mut Vec<Output>) {
        let over: Vec<AlarmKind> = self.open.keys().filter(|kind| !wanted.contains(kind)).cloned().collect();
        for kind in over {
            let raised_at = self.open.remove(&kind).unwrap_or(now.wall);
            out.push(Output::Save(Record::Alarm(Alarm { kind, raised_at, cleared_at: Some(now.wall) })));
        }
        for kind in wanted {
            if !self.open.contains_key(&kind) {
                self.open.insert(kind.clone(), now.wall);
                out.push(Output::Save(Record::Alarm(Alarm { kind, raised_at: now.wall, cleared_at: None })));
            }
        }
    }
}

impl Control {
    /// Compares what is wrong with what is listed.
    pub(crate) fn review_alarms(&mut self, now: Now, out: &mut Vec<Output>) {
        let mut wanted = BTreeSet::new();
        self.site_alarms(now, &mut wanted);
        self.meter_alarms(now, &mut wanted);
        self.charger_alarms(now, &mut wanted);
        self.over_limit(now, &mut wanted);
        self.alarms.settle(now, wanted, out);
    }

    fn site_alarms(&self, now: Now, wanted: &mut BTreeSet<AlarmKind>) {
        if self.storage == StorageState::Failing {
            wanted.insert(AlarmKind::StorageFailing);
        }
        if self.router_rebuilt.is_some_and(|at| now.instant.since(at) < ROUTER_SHOWN) {
            wanted.insert(AlarmKind::BrokerRestarted);
        }
        if self.plan_rejected {
            wanted.insert(AlarmKind::PlanRejected);
        }
    }

    fn meter_alarms(&self, now: Now, wanted: &mut BTreeSet<AlarmKind>) {
        let mut grid_metered = false;
        for (id, live) in &self.meters {
            if !live.meter.approved {
                wanted.insert(AlarmKind::WaitsForApproval(id.as_str().to_owned()));
                continue;
            }
            grid_metered |= live.meter.circuit == *self.circuits.root()
                && matches!(live.meter.role, MeterRole::Circuit | MeterRole::House);
            let since = live.sample.map_or(self.started, |(at, _)| at);
            if now.instant.since(since) > self.site.meter_max_age {
                wanted.insert(AlarmKind::MeterSilent(id.clone()));
            }
        }
        if !grid_metered {
            wanted.insert(AlarmKind::NoMeter);
        }
    }

    fn charger_alarms(&self, now: Now, wanted: &mut BTreeSet<AlarmKind>) {
        for (id, live) in &self.chargers {
            if !live.charger.approved {
                wanted.insert(AlarmKind::WaitsForApproval(id.as_str().to_owned()));
                continue;
            }
            let down_since = match live.link {
                Link::Online => None,
                Link::Unheard { since } | Link::Offline { since } => Some(since),
            };
            if down_since.is_some_and(|since| now.instant.since(since) >= OFFLINE_FOR) {
                wanted.insert(AlarmKind::ChargerOffline(id.clone()));
            }
            let faulted = ConnectorStatus::Faulted;
            if live.status == faulted || live.connectors.values().any(|connector| connector.status == faulted) {
                wanted.insert(AlarmKind::ChargerFaulted(id.clone()));
            }
            if live.connectors.values().any(|connector| connector.disobeys || connector.refuses) {
                wanted.insert(AlarmKind::ChargerDisobeys(id.clone()));
            }
            if live.fallback_in_force() < live.charger.fallback {
                wanted.insert(AlarmKind::FallbackDoesNotFit(id.clone()));
            }
        }
    }

    fn over_limit(&mut self, now: Now, wanted: &mut BTreeSet<AlarmKind>) {
        let over: BTreeMap<usize, bool> =
            (0..self.tree.branches.len()).map(|i| (i, self.is_over_limit(now, i))).collect();
        for (index, over) in over {
            if !over {
                self.alarms.over_since.remove(&index);
                continue;
            }
            let since = *self.alarms.over_since.entry(index).or_insert(now.instant);
            if now.instant.since(since) >= OVER_FOR
                && let Some(branch) = self.tree.branches.get(index)
            {
                wanted.insert(AlarmKind::OverLimit(branch.id.clone()));
            }
        }
    }

    /// Whether what is known to flow through a circuit is more than it may carry; never from stale values.
    fn is_over_limit(&self, now: Now, index: usize) -> bool {
        let Some(branch) = self.tree.branches.get(index) else { return false };
        let Some(flow) = self.known_flow(now, index) else { return false };
        self.site
            .phases
            .phases()
            .iter()
            .any(|phase| flow.get(*phase).unsigned_abs() > u64::from(branch.limit.get(*phase).0))
    }
}

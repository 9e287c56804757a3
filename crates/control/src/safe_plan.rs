//! The plan that takes the place of one the check refused: fallbacks where they fit, nothing elsewhere.

use crate::check::check;
use allocator::{Cause, Plan, Share, Snapshot};
use domain::{ChargerId, MilliAmps};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Every connector at its charger's fallback where that fits, in the order of priority; else nothing.
pub(crate) fn safe_plan(snapshot: &Snapshot, fallbacks: &BTreeMap<ChargerId, MilliAmps>) -> Plan {
    let mut demands: Vec<_> = snapshot.demands.iter().collect();
    demands.sort_by_key(|d| (Reverse(d.priority), d.registered, d.charger.clone(), d.connector));
    let mut plan = Plan::default();
    for (place, demand) in (1..).zip(demands) {
        let fallback = fallbacks.get(&demand.charger).copied().unwrap_or_default();
        let whole = MilliAmps(fallback.0 - fallback.0 % 1000);
        let share = |limit, cause| Share { charger: demand.charger.clone(), connector: demand.connector, limit, cause };
        plan.shares.push(share(whole, Cause::Maximum));
        if whole.is_zero() || check(snapshot, &plan).is_err() {
            plan.shares.pop();
            plan.shares.push(share(MilliAmps::ZERO, Cause::Waiting { place, bottleneck: None }));
        }
    }
    plan
}

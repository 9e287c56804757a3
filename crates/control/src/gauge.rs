//! How far the device of every circuit is on its way to a trip, from what is measured: for people and for the records.

use crate::Control;
use crate::device::Device;
use domain::{MilliAmps, Now, PerPhase};
use std::collections::BTreeMap;

/// The devices of all circuits with a known device and a known flow, by number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gauges(BTreeMap<usize, PerPhase<Device>>);

impl Gauges {
    /// The way used at a circuit per phase, in thousandths; at most all of it.
    pub(crate) fn used_milli(&self, index: usize) -> Option<PerPhase<u16>> {
        self.0.get(&index).map(|devices| devices.map(|device| device.used_milli().min(1_000)))
    }
}

impl Control {
    /// Takes in what flows now.
    pub(crate) fn follow_devices(&mut self, now: Now) {
        let mut before = std::mem::take(&mut self.gauges).0;
        let mut kept = BTreeMap::new();
        for (index, branch) in self.tree.branches.iter().enumerate() {
            let Some(device) = self.circuits.get(&branch.id).and_then(|circuit| circuit.rating.device) else {
                continue;
            };
            let Some(flow) = self.known_flow(now, index) else { continue };
            let fresh = PerPhase::splat(Device::new(device.trip_model()));
            let known =
                before.remove(&index).filter(|known| known.get(domain::Phase::L1).model() == device.trip_model());
            let mut phases = known.unwrap_or(fresh);
            for phase in self.site.phases.phases() {
                let current = MilliAmps(u32::try_from(flow.get(*phase).unsigned_abs()).unwrap_or(u32::MAX));
                let rated = device.rated().unwrap_or(*branch.limit.get(*phase));
                phases.get_mut(*phase).carries(now.instant, current, rated);
            }
            kept.insert(index, phases);
        }
        self.gauges = Gauges(kept);
    }
}

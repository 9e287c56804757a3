//! What meters report.

use crate::state::MeterLive;
use crate::{Control, Output};
use domain::{Meter, MeterEvent, MeterId, MeterRole, Now, Record};

/// More meters than any manager would approve at once.
const WAITING_MAX: usize = 64;

impl Control {
    pub(crate) fn meter_event(&mut self, now: Now, id: &MeterId, event: MeterEvent, out: &mut Vec<Output>) {
        if !self.meters.contains_key(id) && !self.register_meter(now, id, out) {
            return;
        }
        let max_age = self.site.meter_max_age;
        let Some(live) = self.meters.get_mut(id) else { return };
        match event {
            MeterEvent::Connected => {
                live.online = true;
                out.push(Output::MeterApproved { meter: id.clone(), approved: live.meter.approved });
            }
            // Age decides, not the link: the newest sample counts until it is too old.
            MeterEvent::Disconnected => live.online = false,
            MeterEvent::Measured(sample) => {
                live.take(now, sample, max_age);
                self.remember_load(now, id);
                self.guard(now, out);
            }
        }
    }

    fn register_meter(&mut self, now: Now, id: &MeterId, out: &mut Vec<Output>) -> bool {
        if self.meters.values().filter(|live| !live.meter.approved).count() >= WAITING_MAX {
            return false;
        }
        let meter = Meter {
            id: id.clone(),
            name: id.as_str().to_owned(),
            approved: false,
            circuit: self.circuits.root().clone(),
            role: MeterRole::House,
        };
        self.meters.insert(id.clone(), MeterLive::new(meter.clone()));
        out.push(Output::Save(Record::Meter(meter)));
        self.review_alarms(now, out);
        true
    }

    /// Notes the load behind a meter that measures the cars too, for the time it may fall silent.
    fn remember_load(&mut self, now: Now, id: &MeterId) {
        let Some(live) = self.meters.get(id).filter(|live| live.meter.role == MeterRole::Circuit) else { return };
        let Some(index) = self.tree.index(&live.meter.circuit) else { return };
        let assessment = self.assess(now);
        let load = self.evidence(now, &assessment.standings, &assessment.committed).whole(index, live).low;
        if let Some(live) = self.meters.get_mut(id) {
            live.last_load = load;
        }
    }
}

//! One aligned row of values per control interval, for the graphs.

use crate::{Control, Output};
use domain::{DurationMs, Now, Quantity, Reading, Record, Series, Source, Timestamp};

const CURRENTS: [Quantity; 3] = [Quantity::CurrentL1, Quantity::CurrentL2, Quantity::CurrentL3];

impl Control {
    pub(crate) fn record_readings(&self, now: Now, out: &mut Vec<Output>) {
        let at = aligned(now.wall, self.site.control_interval);
        let mut row = Vec::new();
        let mut add = |source: &Source, quantity: Quantity, value: i64| {
            row.push(Reading { series: Series { source: source.clone(), quantity }, at, value });
        };
        let flows = self.grid_flows(now);
        let limit = self.tree.branches.get(self.tree.root).map(|branch| branch.limit).unwrap_or_default();
        let root = Source::Circuit(self.circuits.root().clone());
        let least = self.site.phases.phases().iter().map(|phase| limit.get(*phase).0).min().unwrap_or_default();
        for (phase, quantity) in self.site.phases.phases().iter().zip(CURRENTS) {
            add(&Source::House, quantity, *flows.house.get(*phase));
            add(&root, quantity, *flows.total.get(*phase));
        }
        add(&Source::House, Quantity::Power, flows.house_power_w);
        add(&root, Quantity::Power, flows.total_power_w);
        add(&root, Quantity::Limit, i64::from(least));
        if let Some(power) = flows.solar_power_w {
            add(&Source::Solar, Quantity::Power, power);
        }
        for live in self.chargers.values().filter(|live| live.charger.approved) {
            for (number, connector) in &live.connectors {
                let source = Source::Connector(live.charger.id.clone(), *number);
                let drawn = self.drawn_now(now, live, *number).unwrap_or_default();
                let grid = live.charger.wiring.to_grid(drawn);
                for (phase, quantity) in self.site.phases.phases().iter().zip(CURRENTS) {
                    if live.charger.wiring.uses(*phase) {
                        add(&source, quantity, i64::from(grid.get(*phase).0));
                    }
                }
                add(&source, Quantity::Power, self.connector_power_w(now, live, *number));
                add(&source, Quantity::Setpoint, i64::from(connector.set.0));
                if let Some((_, energy)) = connector.energy {
                    add(&source, Quantity::Energy, i64::try_from(energy.0).unwrap_or(i64::MAX));
                }
            }
        }
        for (id, live) in self.meters.iter().filter(|(_, live)| live.meter.approved) {
            if let Some(energy) = live.sample.and_then(|(_, sample)| sample.energy) {
                add(&Source::Meter(id.clone()), Quantity::Energy, i64::try_from(energy.0).unwrap_or(i64::MAX));
            }
        }
        out.push(Output::Save(Record::Readings(row)));
    }

    /// Saves sessions whose energy moved on; once per interval is often enough, the registers are kept anyway.
    pub(crate) fn save_moved(&mut self, out: &mut Vec<Output>) {
        for id in std::mem::take(&mut self.moved) {
            if let Some(session) = self.ledger.find(id) {
                out.push(Output::Save(Record::Session(session.clone())));
            }
        }
    }
}

fn aligned(at: Timestamp, step: DurationMs) -> Timestamp {
    let step = i64::try_from(step.0.max(1)).unwrap_or(i64::MAX);
    Timestamp(at.0 - at.0.rem_euclid(step))
}

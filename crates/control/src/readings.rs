//! One aligned row of values per control interval, for the graphs.

use crate::{Control, Output};
use domain::{
    ChargerSample, DurationMs, MilliVolts, Now, Phase, Quantity, Reading, Record, Series, Source, Timestamp, Wiring,
};

const CURRENTS: [Quantity; 3] = [Quantity::CurrentL1, Quantity::CurrentL2, Quantity::CurrentL3];

/// What a connector measured beside current, power and energy. Nothing is decided by it; it is kept for the graphs,
/// each value once: a row for every interval would repeat what is measured once a minute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Beside {
    voltage_per_wire: Vec<MilliVolts>,
    soc_percent: Option<u8>,
    temperature_dc: Option<i32>,
}

impl Beside {
    /// Takes what a sample has; a message may bring one value now and another later.
    pub(crate) fn take(&mut self, sample: &ChargerSample) {
        if !sample.voltage_per_wire.is_empty() {
            self.voltage_per_wire.clone_from(&sample.voltage_per_wire);
        }
        self.soc_percent = sample.soc_percent.or(self.soc_percent);
        self.temperature_dc = sample.temperature_dc.or(self.temperature_dc);
    }

    fn values(self, wiring: &Wiring) -> impl Iterator<Item = (Quantity, i64)> {
        let wires = wiring.wires().to_vec().into_iter().zip(self.voltage_per_wire);
        // A wire without a value is left out by the machines as 0 mV, which no wire that measures anything has.
        let volts =
            wires.filter(|(_, volts)| volts.0 > 0).map(|(phase, volts)| (voltage_of(phase), i64::from(volts.0)));
        let soc = self.soc_percent.map(|percent| (Quantity::StateOfCharge, i64::from(percent)));
        let temperature = self.temperature_dc.map(|tenths| (Quantity::Temperature, i64::from(tenths)));
        volts.chain(soc).chain(temperature)
    }
}

const fn voltage_of(phase: Phase) -> Quantity {
    match phase {
        Phase::L1 => Quantity::VoltageL1,
        Phase::L2 => Quantity::VoltageL2,
        Phase::L3 => Quantity::VoltageL3,
    }
}

impl Control {
    pub(crate) fn record_readings(&mut self, now: Now, out: &mut Vec<Output>) {
        // What nobody measures is assumed, not recorded; with a first device the building's assumed load explains what it gets.
        let devices = self.chargers.values().map(|live| live.charger.approved);
        if !devices.chain(self.meters.values().map(|live| live.meter.approved)).any(|approved| approved) {
            return;
        }
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
            let Some((arrived, sample)) = live.sample else { continue };
            let source = Source::Meter(id.clone());
            if let Some(energy) = sample.energy {
                add(&source, Quantity::Energy, i64::try_from(energy.0).unwrap_or(i64::MAX));
            }
            // Of this interval only: an older one was recorded when it was new.
            if let Some(voltage) = sample.voltage.filter(|_| now.instant.since(arrived) < self.site.control_interval) {
                for phase in self.site.phases.phases() {
                    add(&source, voltage_of(*phase), i64::from(voltage.get(*phase).0));
                }
            }
        }
        for live in self.chargers.values_mut().filter(|live| live.charger.approved) {
            for (number, connector) in &mut live.connectors {
                let source = Source::Connector(live.charger.id.clone(), *number);
                for (quantity, value) in std::mem::take(&mut connector.beside).values(&live.charger.wiring) {
                    add(&source, quantity, value);
                }
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

//! What meters and chargers measure.

use super::Mesh;
use crate::Output;
use crate::wire::{ChargerLoad, Code, CounterLoad, Refusal};
use domain::{
    ChargerEvent, ChargerId, ChargerSample, Flow, MeterEvent, MeterId, MeterSample, MilliAmps, MilliVolts, Now,
    PerPhase, SessionId, Timestamp, WattHours, Watts,
};

/// No building's connection carries more per phase; a larger number is a fault of the sender.
const CURRENT_MA_MAX: u32 = 10_000_000;

/// A sample from further ahead has a wrong clock; it was taken now.
const AHEAD_MS_MAX: i64 = 10_000;

impl Mesh {
    pub(super) fn counter_load(&mut self, now: Now, id: MeterId, load: &CounterLoad) -> Result<(), Refusal> {
        let code = Code::CounterLoad;
        if !self.meters.get(&id).is_some_and(|meter| meter.approved) {
            return Err(Refusal::NotApproved(id.to_string()));
        }
        let imported = per_phase(code, "current_ma", &load.current_ma)?;
        let imported = imported.ok_or_else(|| field(code, "needs current_ma with one value per phase"))?;
        let exported = per_phase(code, "export_ma", &load.export_ma)?.unwrap_or_default();
        let mut current = PerPhase::default();
        for (phase, (import, export)) in imported.zip(exported).iter() {
            *current.get_mut(phase) = match (*import, *export) {
                (import, 0) => Flow::Import(MilliAmps(import)),
                (0, export) => Flow::Export(MilliAmps(export)),
                _ => return Err(field(code, "has current_ma and export_ma above 0 on one phase")),
            };
        }
        let voltage = per_phase(code, "voltage_mv", &load.voltage_mv)?.map(|voltage| voltage.map(MilliVolts));
        let power = match (load.power_w, load.export_w) {
            (power, None | Some(0)) => power.map(|power| Flow::Import(Watts(power))),
            (None | Some(0), Some(export)) => Some(Flow::Export(Watts(export))),
            (Some(_), Some(_)) => return Err(field(code, "has power_w and export_w above 0")),
        };
        let at = sampled_at(now, load.at_ms);
        let sample = MeterSample { at, current, voltage, power, energy: load.energy_wh.map(WattHours) };
        self.out.push(Output::Meter { id, event: MeterEvent::Measured(sample) });
        Ok(())
    }

    pub(super) fn charger_load(&mut self, now: Now, id: ChargerId, load: ChargerLoad) -> Result<(), Refusal> {
        let code = Code::ChargerLoad;
        if !self.chargers.get(&id).is_some_and(|charger| charger.approved) {
            return Err(Refusal::NotApproved(id.to_string()));
        }
        let connector = self.connector(code, &id, Some(load.connector))?;
        per_phase(code, "current_ma", &load.current_ma)?;
        per_phase(code, "voltage_mv", &load.voltage_mv)?;
        let sample = ChargerSample {
            at: sampled_at(now, load.at_ms),
            current_per_wire: load.current_ma.into_iter().map(MilliAmps).collect(),
            offered: load.offered_ma.map(MilliAmps),
            power: load.power_w.map(Watts),
            voltage_per_wire: load.voltage_mv.into_iter().map(MilliVolts).collect(),
            energy: load.energy_wh.map(WattHours),
            soc_percent: load.soc_percent.filter(|percent| *percent <= 100),
            temperature_dc: load.temperature_dc,
        };
        if !sample.is_empty() {
            let session = load.session.filter(|number| *number >= 1).map(SessionId);
            let event = ChargerEvent::Measured { connector: Some(connector), session, sample };
            self.out.push(Output::Charger { id, event });
        }
        Ok(())
    }
}

/// When a sample was taken. An old one keeps its time, so that it counts as old; one from the future would count as
/// fresh for ever.
fn sampled_at(now: Now, at_ms: Option<i64>) -> Timestamp {
    let at = at_ms.map_or(now.wall, Timestamp);
    if at.0.saturating_sub(now.wall.0) > AHEAD_MS_MAX { now.wall } else { at }
}

/// One to three values as phases; `None` when there are none.
fn per_phase(code: Code, name: &str, values: &[u32]) -> Result<Option<PerPhase<u32>>, Refusal> {
    if values.iter().any(|value| *value > CURRENT_MA_MAX) {
        return Err(field(code, &format!("has a value in {name} that no building reaches")));
    }
    match *values {
        [] => Ok(None),
        [l1] => Ok(Some(PerPhase::new(l1, 0, 0))),
        [l1, l2] => Ok(Some(PerPhase::new(l1, l2, 0))),
        [l1, l2, l3] => Ok(Some(PerPhase::new(l1, l2, l3))),
        [..] => Err(field(code, &format!("has {} values in {name}, at most three are possible", values.len()))),
    }
}

pub(super) fn field(code: Code, detail: &str) -> Refusal {
    Refusal::Field { code, detail: detail.to_owned() }
}

//! Meter values as chargers write them, made into one sample per moment.
//!
//! Absent is absent, never zero. A total wins over the sum of its phases, a phase over a guess.

use domain::{ChargerSample, DurationMs, Instant, MilliAmps, MilliVolts, Timestamp, WattHours, Watts};
use ocpp::Decimal;
use ocpp::v16::{
    Location, Measurand, MeterValue, ReadingContext, SampledPhase, SampledValue, UnitOfMeasure, ValueFormat,
};

/// Values of one measurand: one without a phase and one per wire.
#[derive(Clone, Copy, Debug, Default)]
struct Values {
    total: Option<i64>,
    wires: [Option<i64>; 3],
}

impl Values {
    fn put(&mut self, wire: Option<usize>, value: i64, is_begin: bool) {
        let place = match wire {
            None => &mut self.total,
            Some(wire) => match self.wires.get_mut(wire) {
                Some(place) => place,
                None => return,
            },
        };
        // One message may repeat the value of the session's beginning beside the present one.
        if place.is_none() || !is_begin {
            *place = Some(value);
        }
    }

    /// The total, or else the sum of what the wires say.
    fn sum(&self) -> Option<i64> {
        let known: Vec<i64> = self.wires.iter().copied().flatten().collect();
        self.total
            .or_else(|| (!known.is_empty()).then(|| known.iter().fold(0_i64, |sum, value| sum.saturating_add(*value))))
    }

    /// One value per wire; a single value without a phase stands for each of them.
    fn per_wire(&self, phases: u8) -> Vec<i64> {
        let last = self.wires.iter().rposition(Option::is_some);
        match (last, self.total) {
            (Some(last), _) => self.wires.iter().take(last + 1).map(|value| value.unwrap_or(0)).collect(),
            (None, Some(total)) => vec![total; usize::from(phases.clamp(1, 3))],
            (None, None) => Vec::new(),
        }
    }
}

/// A sample and what its energy register said before any correction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Measured {
    pub(crate) sample: ChargerSample,
    /// Register in mWh as labelled, where the label can be wrong (Wh, or none).
    pub(crate) doubtful_mwh: Option<i64>,
}

/// Makes one sample of one meter value; `phases` is the number of wires that carry current.
pub(crate) fn measured(value: &MeterValue, at: Timestamp, phases: u8) -> Measured {
    let mut energy = Values::default();
    let (mut power, mut current, mut voltage) = (Values::default(), Values::default(), Values::default());
    let mut sample = ChargerSample { at, ..ChargerSample::default() };
    let mut is_doubtful = true;
    for sampled in &value.sampled_value {
        let Some((raw, written)) = number(sampled) else { continue };
        let Some(wire) = wire(sampled.phase.as_ref()) else { continue };
        let is_begin = sampled.context == Some(ReadingContext::TransactionBegin);
        let unit = sampled.unit.as_ref().or(written.as_ref());
        match sampled.measurand.as_ref().unwrap_or_else(|| implied(unit)) {
            Measurand::EnergyActiveImportRegister => {
                is_doubtful = matches!(unit, None | Some(UnitOfMeasure::Wh));
                energy.put(wire, in_milli_units(raw, unit), is_begin);
            }
            Measurand::PowerActiveImport => power.put(wire, in_milli_units(raw, unit), is_begin),
            Measurand::CurrentImport => current.put(wire, in_milli_units(raw, unit), is_begin),
            Measurand::Voltage => voltage.put(wire, in_milli_units(raw, unit), is_begin),
            Measurand::CurrentOffered => sample.offered = Some(MilliAmps(magnitude(in_milli_units(raw, unit)))),
            Measurand::SoC => sample.soc_percent = u8::try_from(raw / 1000).ok().filter(|percent| *percent <= 100),
            Measurand::Temperature => sample.temperature_dc = sample.temperature_dc.or(Some(tenths_celsius(raw, unit))),
            _not_used => {}
        }
    }
    let register = energy.sum().filter(|mwh| *mwh >= 0);
    sample.energy = register.and_then(|mwh| u64::try_from(mwh / 1000).ok()).map(WattHours);
    sample.power = power.sum().map(|mw| Watts(magnitude(mw) / 1000));
    sample.current_per_wire = current.per_wire(phases).into_iter().map(|ma| MilliAmps(magnitude(ma))).collect();
    sample.voltage_per_wire = voltage.per_wire(phases).into_iter().map(|mv| MilliVolts(magnitude(mv))).collect();
    Measured { sample, doubtful_mwh: register.filter(|_| is_doubtful) }
}

/// What a value without a measurand measures: energy, as the standard says, unless its unit says otherwise.
const fn implied(unit: Option<&UnitOfMeasure>) -> &'static Measurand {
    match unit {
        Some(UnitOfMeasure::A) => &Measurand::CurrentImport,
        Some(UnitOfMeasure::V) => &Measurand::Voltage,
        Some(UnitOfMeasure::W | UnitOfMeasure::Kw) => &Measurand::PowerActiveImport,
        Some(UnitOfMeasure::Percent) => &Measurand::SoC,
        Some(UnitOfMeasure::Celcius | UnitOfMeasure::Celsius | UnitOfMeasure::Fahrenheit | UnitOfMeasure::K) => {
            &Measurand::Temperature
        }
        _ => &Measurand::EnergyActiveImportRegister,
    }
}

/// The value in thousandths, and the unit behind it where one is written there; nothing for one that is signed, empty or
/// measured inside the car.
fn number(sampled: &SampledValue) -> Option<(i64, Option<UnitOfMeasure>)> {
    let in_car = sampled.location == Some(Location::Ev) && sampled.measurand != Some(Measurand::SoC);
    if sampled.format == Some(ValueFormat::SignedData) || in_car {
        return None;
    }
    if let Some(value) = Decimal::parse(&sampled.value) {
        return Some((value.thousandths(), None));
    }
    // `16.0 A`
    let text = sampled.value.trim();
    let (value, unit) = text.split_at_checked(text.rfind(|c: char| c.is_ascii_digit())? + 1)?;
    let unit = UnitOfMeasure::from_text(unit);
    Decimal::parse(value).filter(|_| unit.is_listed()).map(|value| (value.thousandths(), Some(unit)))
}

/// The wire a phase names: `Some(None)` is all of them, `None` is one that carries no load of its own.
#[expect(clippy::option_option, reason = "three answers: skip, total, one wire")]
fn wire(phase: Option<&SampledPhase>) -> Option<Option<usize>> {
    match phase {
        None | Some(SampledPhase::Unlisted(_)) => Some(None),
        Some(SampledPhase::L1 | SampledPhase::L1N) => Some(Some(0)),
        Some(SampledPhase::L2 | SampledPhase::L2N) => Some(Some(1)),
        Some(SampledPhase::L3 | SampledPhase::L3N) => Some(Some(2)),
        Some(SampledPhase::N | SampledPhase::L1L2 | SampledPhase::L2L3 | SampledPhase::L3L1) => None,
    }
}

/// In thousandths of the base unit (mWh, mW, mA, mV), whatever the label.
fn in_milli_units(raw: i64, unit: Option<&UnitOfMeasure>) -> i64 {
    match unit {
        Some(UnitOfMeasure::KWh | UnitOfMeasure::Kw | UnitOfMeasure::Kva) => raw.saturating_mul(1000),
        Some(UnitOfMeasure::Unlisted(text)) if text.starts_with('k') => raw.saturating_mul(1000),
        Some(UnitOfMeasure::Unlisted(text)) if text.starts_with('M') => raw.saturating_mul(1_000_000),
        Some(UnitOfMeasure::Unlisted(text)) if text.starts_with('m') => raw / 1000,
        _ => raw,
    }
}

/// Meters wired backwards count as load: the size is what the fuse feels.
fn magnitude(value: i64) -> u32 {
    u32::try_from(value.unsigned_abs()).unwrap_or(u32::MAX)
}

fn tenths_celsius(thousandths: i64, unit: Option<&UnitOfMeasure>) -> i32 {
    let celsius = match unit {
        Some(UnitOfMeasure::K) => thousandths.saturating_sub(273_150),
        Some(UnitOfMeasure::Fahrenheit) => thousandths.saturating_sub(32_000).saturating_mul(5) / 9,
        _ => thousandths,
    };
    i32::try_from(celsius / 100).unwrap_or(i32::MAX)
}

/// Finds registers that count kWh under the label Wh: the register rises a thousand times too slowly for
/// the power beside it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RegisterScale {
    counts_kwh: bool,
    last: Option<(Instant, i64, Watts)>,
    /// What should have been counted, and what was, both in mWh.
    expected: i64,
    counted: i64,
}

/// Enough energy to tell a thousandth from a car that pauses.
const ENOUGH_MWH: i64 = 100_000;
/// Samples further apart than this say nothing about the power between them.
const GAP_MAX: DurationMs = DurationMs::from_secs(300);

impl RegisterScale {
    /// Corrects the sample's register where needed; true when the charger has just been found out.
    pub(crate) fn apply(&mut self, now: Instant, measured: &mut Measured) -> bool {
        let Some(mwh) = measured.doubtful_mwh else { return false };
        let found = !self.counts_kwh && self.learn(now, mwh, measured.sample.power);
        if self.counts_kwh {
            measured.sample.energy = u64::try_from(mwh).ok().map(WattHours);
        }
        found
    }

    fn learn(&mut self, now: Instant, mwh: i64, power: Option<Watts>) -> bool {
        let Some(power) = power else { return false };
        if let Some((then, last_mwh, last_power)) = self.last {
            let passed = now.since(then);
            let counted = mwh.saturating_sub(last_mwh);
            if passed > GAP_MAX || counted < 0 {
                (self.expected, self.counted) = (0, 0);
            } else {
                let watts = i64::from(power.0.min(last_power.0));
                let millis = i64::try_from(passed.0).unwrap_or(0);
                self.expected = self.expected.saturating_add(watts.saturating_mul(millis) / 3600);
                self.counted = self.counted.saturating_add(counted);
            }
        }
        self.last = Some((now, mwh, power));
        if self.expected < ENOUGH_MWH {
            return false;
        }
        // A thousandth, give or take a factor of three.
        self.counts_kwh = self.counted > self.expected / 3000 && self.counted < self.expected / 300;
        (self.expected, self.counted) = (0, 0);
        self.counts_kwh
    }
}

#[cfg(test)]
#[path = "measure_tests.rs"]
mod tests;

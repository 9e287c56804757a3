//! Collects what a meter says and gives a sample whenever all phases are known.

use crate::{Mapping, MappingError, Milli, Quantity};
use domain::{DurationMs, Flow, MeterSample, MilliAmps, MilliVolts, Now, PerPhase, Phase, Timestamp, WattHours, Watts};
use std::collections::BTreeMap;

/// A value that was not repeated for this long is forgotten: some meters send each value by itself, and only changes.
const KEPT_FOR: DurationMs = DurationMs::from_secs(60);
/// No building's connection carries more per phase, in mA; a larger number is a fault of the sender.
const CURRENT_MA_MAX: i64 = 10_000_000;

/// How a meter hangs on the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Whether it measures three phases.
    pub three: bool,
    /// Voltage of a phase, for meters that tell power only.
    pub nominal: MilliVolts,
}

impl Shape {
    fn phases(self) -> &'static [Phase] {
        if self.three { &Phase::ALL } else { &[Phase::L1] }
    }
}

/// What was made of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Understood {
    /// The values found in it.
    pub values: Vec<(Quantity, Milli)>,
    /// What is known of the meter now, when every phase is and something of it is new.
    pub sample: Option<MeterSample>,
}

/// A meter of another maker.
#[derive(Clone, Debug)]
pub struct Meter {
    mapping: Mapping,
    shape: Shape,
    newest: BTreeMap<Quantity, (Timestamp, Milli)>,
}

impl Meter {
    /// Checks that the mapping tells what flows on every phase.
    ///
    /// # Errors
    /// Names the phase nothing is known of.
    pub fn new(mapping: Mapping, shape: Shape) -> Result<Self, MappingError> {
        let one_total = !shape.three && mapping.has(Quantity::PowerTotal);
        for phase in shape.phases() {
            let known = mapping.has(Quantity::Current(*phase)) || mapping.has(Quantity::Power(*phase));
            if !known && !one_total {
                let name = match phase {
                    Phase::L1 => "L1",
                    Phase::L2 => "L2",
                    Phase::L3 => "L3",
                };
                return Err(MappingError::NoLoad(name));
            }
        }
        Ok(Self { mapping, shape, newest: BTreeMap::new() })
    }

    /// How it hangs on the grid.
    #[must_use]
    pub const fn shape(&self) -> Shape {
        self.shape
    }

    /// The mapping it reads with.
    #[must_use]
    pub const fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// Takes a message; `topic` is empty over HTTP.
    pub fn take(&mut self, now: Now, topic: &str, payload: &str) -> Understood {
        let values = self.mapping.read(topic, payload);
        for (quantity, value) in &values {
            self.newest.insert(*quantity, (now.wall, *value));
        }
        let is_news = values.iter().any(|(quantity, _)| quantity.is_load());
        let sample = if is_news { self.sample(now) } else { None };
        Understood { values, sample }
    }

    /// Every value that is known, newest each.
    pub fn known(&self) -> impl Iterator<Item = (Quantity, Timestamp, Milli)> {
        self.newest.iter().map(|(quantity, (at, value))| (*quantity, *at, *value))
    }

    fn value(&self, now: Now, quantity: Quantity) -> Option<(Timestamp, i64)> {
        let (at, value) = self.newest.get(&quantity)?;
        let age = now.wall.0.saturating_sub(at.0);
        (age <= i64::try_from(KEPT_FOR.0).unwrap_or(i64::MAX)).then_some((*at, value.0))
    }

    fn sample(&self, now: Now) -> Option<MeterSample> {
        let mut current = PerPhase::default();
        let mut at = now.wall;
        for phase in self.shape.phases() {
            let (taken, flow) = self.current(now, *phase)?;
            *current.get_mut(*phase) = flow;
            // As old as its oldest part.
            at = at.min(taken);
        }
        let voltages: Vec<Option<MilliVolts>> = Phase::ALL.iter().map(|phase| self.voltage(now, *phase)).collect();
        let voltage = match voltages.as_slice() {
            [Some(l1), Some(l2), Some(l3)] if self.shape.three => Some(PerPhase::new(*l1, *l2, *l3)),
            [Some(l1), ..] if !self.shape.three => Some(PerPhase::splat(*l1)),
            _ => None,
        };
        Some(MeterSample { at, current, voltage, power: self.power(now), energy: self.energy() })
    }

    fn voltage(&self, now: Now, phase: Phase) -> Option<MilliVolts> {
        let (_, value) = self.value(now, Quantity::Voltage(phase))?;
        u32::try_from(value).ok().filter(|value| *value > 0).map(MilliVolts)
    }

    /// Current with direction. Most meters tell the direction with the power only.
    fn current(&self, now: Now, phase: Phase) -> Option<(Timestamp, Flow<MilliAmps>)> {
        let total = || if self.shape.three { None } else { self.value(now, Quantity::PowerTotal) };
        let power = self.value(now, Quantity::Power(phase)).or_else(total);
        let (at, milliamps) = match self.value(now, Quantity::Current(phase)) {
            Some((at, current)) => {
                let flows_out = power.is_some_and(|(_, power)| power < 0);
                (at, if flows_out { -current.abs() } else { current })
            }
            None => {
                let (at, power) = power?;
                let voltage = i64::from(self.voltage(now, phase).unwrap_or(self.shape.nominal).0.max(1));
                let milliamps = power.unsigned_abs().saturating_mul(1000).div_ceil(voltage.unsigned_abs());
                (at, i64::try_from(milliamps).ok()?.saturating_mul(power.signum()))
            }
        };
        (milliamps.abs() <= CURRENT_MA_MAX).then_some(())?;
        let amount = MilliAmps(u32::try_from(milliamps.unsigned_abs()).ok()?);
        Some((at, if milliamps < 0 { Flow::Export(amount) } else { Flow::Import(amount) }))
    }

    fn power(&self, now: Now) -> Option<Flow<Watts>> {
        let sum = || {
            let mut sum = 0_i64;
            for phase in self.shape.phases() {
                sum = sum.saturating_add(self.value(now, Quantity::Power(*phase))?.1);
            }
            Some(sum)
        };
        let milliwatts = self.value(now, Quantity::PowerTotal).map(|(_, value)| value).or_else(sum)?;
        let watts = Watts(u32::try_from((milliwatts.unsigned_abs() + 500) / 1000).ok()?);
        Some(if milliwatts < 0 { Flow::Export(watts) } else { Flow::Import(watts) })
    }

    /// Registers move slowly and some meters send them seldom, so an old one is still the newest.
    fn energy(&self) -> Option<WattHours> {
        let value = |quantity| self.newest.get(&quantity).map(|(_, value)| value.0);
        let sum = || {
            let mut sum = 0_i64;
            for phase in self.shape.phases() {
                sum = sum.saturating_add(value(Quantity::Import(*phase))?);
            }
            Some(sum)
        };
        let milli = value(Quantity::ImportTotal).or_else(sum)?;
        u64::try_from(milli / 1000).ok().map(WattHours)
    }
}

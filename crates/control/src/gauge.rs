//! How far each protection device is on its way to a trip, from what is measured: for people and for the records.
//!
//! The same two models as the measuring tool's. A thermal memory starts at full load, so nothing is forgiven that
//! happened before the program ran.

use crate::Control;
use domain::{DurationMs, Instant, MilliAmps, Now, PerPhase, TripModel};
use std::collections::BTreeMap;

/// Millionths: steps of a second are far above rounding.
const ONE: u64 = 1_000_000;

/// One phase of one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Gauge {
    /// Thermal memory in millionths of the square of the rated current.
    theta: u64,
    /// Time spent above the ratio of a definite-time device, without a pause.
    above: DurationMs,
}

impl Default for Gauge {
    fn default() -> Self {
        Self { theta: ONE, above: DurationMs(0) }
    }
}

impl Gauge {
    /// Takes in that `current` flowed for `time`.
    fn flow(&mut self, model: TripModel, current: MilliAmps, rated: MilliAmps, time: DurationMs) {
        let ratio = u64::from(current.0) * 1_000 / u64::from(rated.0.max(1));
        match model {
            TripModel::Thermal { tau, .. } => {
                // At most a hundredfold current, so that the square fits.
                let heat = ratio.min(100_000).pow(2);
                let (time, tau) = (time.0.min(tau.0.max(1)), tau.0.max(1));
                self.theta = if heat >= self.theta {
                    self.theta + (heat - self.theta) / tau * time + (heat - self.theta) % tau * time / tau
                } else {
                    self.theta - ((self.theta - heat) / tau * time + (self.theta - heat) % tau * time / tau)
                };
            }
            TripModel::DefiniteTime { ratio_milli, .. } => {
                let is_above = ratio > u64::from(ratio_milli);
                self.above = if is_above { DurationMs(self.above.0.saturating_add(time.0)) } else { DurationMs(0) };
            }
        }
    }

    /// The way to a trip that is used, in thousandths.
    fn used_milli(&self, model: TripModel) -> u16 {
        let (done, whole) = match model {
            TripModel::Thermal { trip_theta_milli, .. } => {
                (self.theta.saturating_sub(ONE), (u64::from(trip_theta_milli) * 1_000).saturating_sub(ONE))
            }
            TripModel::DefiniteTime { after, .. } => (self.above.0, after.0),
        };
        u16::try_from(done.saturating_mul(1_000) / whole.max(1)).unwrap_or(u16::MAX).min(1_000)
    }
}

/// The gauges of all circuits with a known device and a known flow, by number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gauges {
    by_circuit: BTreeMap<usize, (TripModel, PerPhase<Gauge>)>,
    at: Option<Instant>,
}

impl Gauges {
    /// The way used at a circuit per phase, in thousandths.
    pub(crate) fn used_milli(&self, index: usize) -> Option<PerPhase<u16>> {
        self.by_circuit.get(&index).map(|(model, gauges)| gauges.map(|gauge| gauge.used_milli(*model)))
    }
}

impl Control {
    /// Takes in what flowed since the last tick.
    pub(crate) fn follow_devices(&mut self, now: Now) {
        let mut gauges = std::mem::take(&mut self.gauges);
        let time = gauges.at.replace(now.instant).map_or(DurationMs(0), |before| now.instant.since(before));
        let mut kept = BTreeMap::new();
        for (index, branch) in self.tree.branches.iter().enumerate() {
            let Some(device) = self.circuits.get(&branch.id).and_then(|circuit| circuit.rating.device) else {
                continue;
            };
            let Some(flow) = self.known_flow(now, index) else { continue };
            let model = device.trip_model();
            let before = gauges.by_circuit.remove(&index).filter(|(known, _)| *known == model);
            let mut phases = before.map(|(_, phases)| phases).unwrap_or_default();
            for phase in self.site.phases.phases() {
                let current = MilliAmps(u32::try_from(flow.get(*phase).unsigned_abs()).unwrap_or(u32::MAX));
                let rated = device.rated().unwrap_or(*branch.limit.get(*phase));
                phases.get_mut(*phase).flow(model, current, rated, time);
            }
            kept.insert(index, (model, phases));
        }
        gauges.by_circuit = kept;
        self.gauges = gauges;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The seconds to a trip from full load are those of the measuring tool's table, to the second.
    #[test]
    fn trips_when_the_table_says() {
        let cases = [
            (TripModel::MID_BAND_BREAKER, 1_300, 167),
            (TripModel::MID_BAND_BREAKER, 1_450, 47),
            (TripModel::MID_BAND_BREAKER, 2_000, 13),
            (TripModel::LINKY, 1_450, 123),
            (TripModel::LINKY, 2_000, 33),
            (TripModel::SPANISH_ICP, 1_500, 639),
            (TripModel::STRICT_DEFINITE_TIME, 1_100, 10),
        ];
        for (model, ratio_milli, seconds) in cases {
            let mut gauge = Gauge::default();
            let mut at = 0_u32;
            while gauge.used_milli(model) < 1_000 && at < 10_000 {
                gauge.flow(model, MilliAmps(30 * ratio_milli), MilliAmps(30_000), DurationMs(1_000));
                at += 1;
            }
            // Steps of a second against the exact solution: within two of a hundred.
            assert!(at.abs_diff(seconds) <= 1 + seconds / 50, "{model:?} at {ratio_milli}: {at} s, not {seconds} s");
        }
    }

    /// Rated current is carried for ever, and a short overload is forgotten.
    #[test]
    fn rated_current_never_trips() {
        for model in [TripModel::MID_BAND_BREAKER, TripModel::LINKY, TripModel::STRICT_DEFINITE_TIME] {
            let mut gauge = Gauge::default();
            for _ in 0..5 {
                gauge.flow(model, MilliAmps(40_000), MilliAmps(30_000), DurationMs(1_000));
            }
            assert!(gauge.used_milli(model) > 0, "{model:?}");
            for _ in 0..3_600 {
                gauge.flow(model, MilliAmps(29_000), MilliAmps(30_000), DurationMs(1_000));
            }
            assert_eq!(gauge.used_milli(model), 0, "{model:?}");
        }
    }
}

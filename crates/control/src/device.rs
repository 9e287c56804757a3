//! How far a protection device is on its way to a trip, integrated from the measured current.
//!
//! A thermal device follows `d(theta)/dt = (r² - theta) / tau` with r as current over limit, and is taken to begin at
//! full load. A definite-time relay counts how long its ratio is exceeded without a pause.

use domain::{Instant, MilliAmps, TripModel};

/// One, in the millionths in which theta is kept.
const ONE: u64 = 1_000_000;
/// A current is taken to last this long without a newer sample, in ms.
const LASTS_MS: u64 = 10_000;

/// One device on one phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Device {
    model: TripModel,
    theta: u64,
    over_ms: u64,
    newest: Option<(Instant, u64)>,
}

impl Device {
    pub(crate) const fn new(model: TripModel) -> Self {
        Self { model, theta: ONE, over_ms: 0, newest: None }
    }

    pub(crate) const fn model(&self) -> TripModel {
        self.model
    }

    /// The current since the last sample was what that one said; from now on it is this.
    pub(crate) fn carries(&mut self, at: Instant, current: MilliAmps, limit: MilliAmps) {
        let ratio_milli = u64::from(current.0) * 1000 / u64::from(limit.0.max(1));
        if let Some((before, ratio)) = self.newest {
            self.pass(at.since(before).0.min(LASTS_MS), ratio);
        }
        self.newest = Some((at, ratio_milli));
    }

    fn pass(&mut self, ms: u64, ratio_milli: u64) {
        match self.model {
            TripModel::Thermal { tau, .. } => {
                let square = ratio_milli.saturating_mul(ratio_milli);
                // Half a step is taken into account, so that long steps do not overshoot.
                let (part, whole) = (2 * ms, 2 * tau.0.max(1) + ms);
                self.theta = if square >= self.theta {
                    self.theta.saturating_add((square - self.theta).saturating_mul(part) / whole)
                } else {
                    self.theta.saturating_sub((self.theta - square).saturating_mul(part) / whole)
                };
            }
            TripModel::DefiniteTime { ratio_milli: limit, .. } => {
                self.over_ms = if ratio_milli > u64::from(limit) { self.over_ms.saturating_add(ms) } else { 0 };
            }
        }
    }

    /// Share of the way from full load to a trip that is used, in thousandths.
    pub(crate) fn used_milli(&self) -> u16 {
        let (part, whole) = match self.model {
            TripModel::Thermal { trip_theta_milli, .. } => {
                (self.theta.saturating_sub(ONE), (u64::from(trip_theta_milli) * 1000).saturating_sub(ONE))
            }
            TripModel::DefiniteTime { after, .. } => (self.over_ms, after.0),
        };
        u16::try_from(part.saturating_mul(1000) / whole.max(1)).unwrap_or(u16::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::DurationMs;

    fn seconds_to(model: TripModel, ratio_milli: u32, used: u16) -> u64 {
        let mut device = Device::new(model);
        for second in 0..10_000 {
            device.carries(Instant(second * 1000), MilliAmps(30 * ratio_milli), MilliAmps(30_000));
            if device.used_milli() >= used {
                return second;
            }
        }
        u64::MAX
    }

    /// Times to trip from full load agree with `t = tau ln((r² - 1) / (r² - theta))`, as published.
    #[test]
    fn devices_trip_when_they_are_said_to() {
        for (model, ratio_milli, published_s) in [
            (TripModel::MID_BAND_BREAKER, 1_300, 167),
            (TripModel::MID_BAND_BREAKER, 1_450, 47),
            (TripModel::MID_BAND_BREAKER, 2_000, 13),
            (TripModel::LINKY, 1_450, 123),
            (TripModel::LINKY, 2_000, 33),
            (TripModel::SPANISH_ICP, 1_500, 639),
            (TripModel::STRICT_DEFINITE_TIME, 1_100, 10),
        ] {
            let seconds = seconds_to(model, ratio_milli, 1000);
            assert!(seconds.abs_diff(published_s) <= 1 + published_s / 50, "{model:?} at {ratio_milli}: {seconds} s");
        }
        assert_eq!(seconds_to(TripModel::MID_BAND_BREAKER, 1_130, 1000), u64::MAX, "1.13 In is carried for ever");
    }

    /// Rated current is carried for ever, and a short overload is forgotten.
    #[test]
    fn rated_current_never_trips() {
        for model in [TripModel::MID_BAND_BREAKER, TripModel::LINKY, TripModel::STRICT_DEFINITE_TIME] {
            let mut device = Device::new(model);
            let mut carry = |second: u64, amps: u16| {
                device.carries(Instant(second * 1000), MilliAmps::from_amps(amps), MilliAmps(30_000));
                device.used_milli()
            };
            let overloaded = (0..=5).map(|second| carry(second, 40)).max();
            assert!(overloaded > Some(0), "{model:?}");
            let rested = (6..=3_606).map(|second| carry(second, 29)).last();
            assert_eq!(rested, Some(0), "{model:?}");
        }
    }

    /// A silence of the meter does not run the model away: the last current counts for ten seconds.
    #[test]
    fn silence_counts_for_ten_seconds() {
        let mut device = Device::new(TripModel::LINKY);
        device.carries(Instant(0), MilliAmps(60_000), MilliAmps(30_000));
        device.carries(Instant(DurationMs::from_secs(600).0), MilliAmps(0), MilliAmps(30_000));
        assert!(device.used_milli() < 400, "{}", device.used_milli());
    }
}

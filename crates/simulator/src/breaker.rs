//! Breakers: how close a current came to opening the main switch.
//!
//! Thermal devices follow d(theta)/dt = (r² - theta) / tau with r = current / rated current and open at
//! a threshold. All start at full load (theta = 1), the worst legal start. The figures:
//! IEC 60898-1 mid-band (limit 1.29 In, 2.55 In from cold in 15 s), Enedis Linky (B = 0.008 each second,
//! 1.3 times the subscribed power), and a definite-time stand-in for meters whose curve is not published.

use domain::{DurationMs, MilliAmps};
use serde::Serialize;

/// A kind of device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakerKind {
    /// Opens when the current stays above 1.05 times the rating for 10 s.
    DefiniteTime,
    /// A circuit breaker in the middle of what IEC 60898-1 allows.
    IecMidBand,
    /// The French smart meter.
    Linky,
}

impl BreakerKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::DefiniteTime, Self::IecMidBand, Self::Linky];

    /// Threshold of theta and time constant in seconds.
    const fn thermal(self) -> Option<(f64, f64)> {
        match self {
            Self::DefiniteTime => None,
            Self::IecMidBand => Some((1.29 * 1.29, 51.0)),
            Self::Linky => Some((1.3 * 1.3, 125.0)),
        }
    }
}

/// Definite time: share of the rating in thousandths, and how long.
const DEFINITE_PER_MILLE: u64 = 1_050;
const DEFINITE_MS: u64 = 10_000;

/// One breaker on one phase.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Breaker {
    kind: BreakerKind,
    rated: MilliAmps,
    theta: f64,
    theta_max: f64,
    over_ms: u64,
    over_ms_max: u64,
    tripped: bool,
}

impl Breaker {
    /// A breaker that has carried its full rating for long.
    #[must_use]
    pub const fn new(kind: BreakerKind, rated: MilliAmps) -> Self {
        Self { kind, rated, theta: 1.0, theta_max: 1.0, over_ms: 0, over_ms_max: 0, tripped: false }
    }

    /// Lets time pass with this current.
    pub fn step(&mut self, current: MilliAmps, time: DurationMs) {
        match self.kind.thermal() {
            Some((threshold, tau_s)) => {
                let ratio = f64::from(current.0) / f64::from(self.rated.0.max(1));
                let seconds = f64::from(u32::try_from(time.0).unwrap_or(u32::MAX)) / 1000.0;
                self.theta += (ratio * ratio - self.theta) * (1.0 - (-seconds / tau_s).exp());
                self.theta_max = self.theta_max.max(self.theta);
                self.tripped |= self.theta > threshold;
            }
            None => {
                let over = u64::from(current.0) * 1000 > u64::from(self.rated.0) * DEFINITE_PER_MILLE;
                self.over_ms = if over { self.over_ms + time.0 } else { 0 };
                self.over_ms_max = self.over_ms_max.max(self.over_ms);
                self.tripped |= self.over_ms > DEFINITE_MS;
            }
        }
    }

    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> BreakerKind {
        self.kind
    }

    /// Whether it would have opened.
    #[must_use]
    pub const fn tripped(&self) -> bool {
        self.tripped
    }

    /// The largest share of the way from full load to a trip, in percent; above 100 it tripped.
    #[must_use]
    pub fn used_percent(&self) -> f64 {
        match self.kind.thermal() {
            Some((threshold, _)) => (self.theta_max - 1.0) / (threshold - 1.0) * 100.0,
            None => f64::from(u32::try_from(self.over_ms_max).unwrap_or(u32::MAX)) / 100.0,
        }
    }
}

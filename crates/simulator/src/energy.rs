//! Energy counted without rounding, so that two counters on one wire always agree.

use domain::{DurationMs, MilliAmps, MilliVolts, WattHours};
use std::ops::AddAssign;

/// An exact amount of energy in nanojoules: mA × mV × ms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Energy(u128);

/// 1 Wh = 3600 J.
const NJ_PER_WH: u128 = 3_600_000_000_000;

impl Energy {
    /// None.
    pub const ZERO: Self = Self(0);

    /// From whole watt-hours.
    #[must_use]
    pub const fn from_wh(wh: WattHours) -> Self {
        // Lossless: u64 fits in u128, and the product stays far below its end.
        Self(wh.0 as u128 * NJ_PER_WH)
    }

    /// What flows through one wire in this time.
    #[must_use]
    pub fn flow(current: MilliAmps, voltage: MilliVolts, time: DurationMs) -> Self {
        Self(u128::from(current.0) * u128::from(voltage.0) * u128::from(time.0))
    }

    /// Whole watt-hours, rounded down as registers show them.
    #[must_use]
    pub fn wh(self) -> WattHours {
        WattHours(u64::try_from(self.0 / NJ_PER_WH).unwrap_or(u64::MAX))
    }

    /// Thousandths of a watt-hour, rounded down.
    #[must_use]
    pub fn milli_wh(self) -> u64 {
        u64::try_from(self.0 / (NJ_PER_WH / 1000)).unwrap_or(u64::MAX)
    }

    /// The difference, or none where `other` is larger.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// This share of `other` in thousandths, at most 1000.
    #[must_use]
    pub fn per_mille_of(self, other: Self) -> u32 {
        if other.0 == 0 {
            return 1000;
        }
        u32::try_from((self.0 * 1000 / other.0).min(1000)).unwrap_or(1000)
    }
}

impl AddAssign for Energy {
    fn add_assign(&mut self, other: Self) {
        self.0 = self.0.saturating_add(other.0);
    }
}

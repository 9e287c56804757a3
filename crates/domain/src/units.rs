//! Quantities: one integer type per unit, in the smallest step we act on.
//!
//! No quantity is a float between a meter and a command. Division names its rounding.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident($raw:ty), $unit:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $raw);

        impl $name {
            /// Nothing of it.
            pub const ZERO: Self = Self(0);
            /// More than any real site can carry; sums saturate here.
            pub const MAX: Self = Self(<$raw>::MAX);

            /// The difference, or zero where `other` is larger.
            #[must_use]
            pub const fn saturating_sub(self, other: Self) -> Self {
                Self(self.0.saturating_sub(other.0))
            }

            /// Whether there is none.
            #[must_use]
            pub const fn is_zero(self) -> bool {
                self.0 == 0
            }
        }

        /// Saturates at [`Self::MAX`]: a sum of limits never wraps to a small number.
        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0.saturating_add(other.0))
            }
        }

        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                *self = *self + other;
            }
        }

        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
                iter.fold(Self::ZERO, Add::add)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!("{} ", $unit), self.0)
            }
        }
    };
}

quantity!(
    /// Electric current in thousandths of an ampere, without direction.
    MilliAmps(u32), "mA"
);
quantity!(
    /// Voltage in thousandths of a volt.
    MilliVolts(u32), "mV"
);
quantity!(
    /// Active power in watts, without direction.
    Watts(u32), "W"
);
quantity!(
    /// Apparent power in volt-amperes; contracts are written in it.
    VoltAmps(u32), "VA"
);
quantity!(
    /// Energy in watt-hours, as on a charger's register.
    WattHours(u64), "Wh"
);

impl MilliAmps {
    /// A whole number of amperes, as chargers are commanded.
    #[must_use]
    pub const fn from_amps(amps: u16) -> Self {
        // Lossless: u16::MAX * 1000 fits in u32.
        Self(amps as u32 * 1000)
    }

    /// The whole amperes in it, rounded down: a limit is never rounded up.
    #[must_use]
    pub const fn amps_floor(self) -> u32 {
        self.0 / 1000
    }
}

/// A quantity with its direction, seen from the site: import flows in from the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flow<T> {
    /// From the grid into the measured circuit.
    Import(T),
    /// Out of the measured circuit, as a solar roof does at noon.
    Export(T),
}

impl Flow<MilliAmps> {
    /// Positive for import, negative for export, in mA.
    #[must_use]
    pub fn net_ma(self) -> i64 {
        match self {
            Self::Import(value) => i64::from(value.0),
            Self::Export(value) => -i64::from(value.0),
        }
    }

    /// From a net value in mA, positive for import; saturates at the ends of the type.
    #[must_use]
    pub fn from_net_ma(net_ma: i64) -> Self {
        let size = MilliAmps(u32::try_from(net_ma.unsigned_abs()).unwrap_or(u32::MAX));
        if net_ma < 0 { Self::Export(size) } else { Self::Import(size) }
    }
}

impl Flow<Watts> {
    /// Positive for import, negative for export, in W.
    #[must_use]
    pub fn net_w(self) -> i64 {
        match self {
            Self::Import(value) => i64::from(value.0),
            Self::Export(value) => -i64::from(value.0),
        }
    }

    /// From a net value in W, positive for import; saturates at the ends of the type.
    #[must_use]
    pub fn from_net_w(net_w: i64) -> Self {
        let size = Watts(u32::try_from(net_w.unsigned_abs()).unwrap_or(u32::MAX));
        if net_w < 0 { Self::Export(size) } else { Self::Import(size) }
    }
}

impl<T: Default> Default for Flow<T> {
    fn default() -> Self {
        Self::Import(T::default())
    }
}

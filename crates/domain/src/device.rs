//! Protection devices: what opens a circuit, and after how much current for how long.
//!
//! Two models describe all of them. A *thermal memory* heats with the square of the current and trips at a
//! temperature; a *definite-time* device trips when a ratio is exceeded without a pause. Currents are ratios to
//! [`ProtectionDevice::rated`]. All figures are integers in thousandths.

use crate::{DurationMs, MilliAmps};
use serde::{Deserialize, Serialize};

/// Instantaneous range of a breaker (IEC 60898-1, table 2). All letters share one thermal part, so the letter changes
/// nothing in load management; it is kept for the wiring diagram and for motors behind the branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum BreakerCurve {
    /// Instantaneous between 3 and 5 times the rated current.
    B,
    /// Instantaneous between 5 and 10 times.
    C,
    /// Instantaneous between 10 and 20 times.
    D,
}

/// What protects a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ProtectionDevice {
    /// A miniature circuit breaker after IEC 60898-1 (or the overload part of IEC 61009-1).
    Breaker {
        /// Its letter.
        curve: BreakerCurve,
        /// Its rated current In.
        rated: MilliAmps,
    },
    /// The French meter's cut-off: a thermal memory of 125 s that trips at 1.3 times the subscribed power.
    Linky,
    /// The Spanish meter's cut-off (ICP): 1.5 times for 15 min, 2 times for more than 5 min.
    SpanishIcp,
    /// The Portuguese meter's cut-off (DCP). Its timing is not public, so it is taken as definite-time: 1.05 times for 10 s.
    PortugueseDcp,
    /// A thermal memory with known figures.
    Thermal {
        /// Current at ratio 1.
        rated: MilliAmps,
        /// Square of the ratio carried for ever at which it trips, in thousandths; above 1000.
        trip_theta_milli: u32,
        /// Time constant.
        tau: DurationMs,
    },
    /// A relay with a fixed delay.
    DefiniteTime {
        /// Current at ratio 1.
        rated: MilliAmps,
        /// Ratio that starts the delay, in thousandths; above 1000.
        ratio_milli: u32,
        /// The delay.
        after: DurationMs,
    },
}

/// How a device comes to trip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TripModel {
    /// `d(theta)/dt = (r² - theta) / tau`; trips when theta reaches `trip_theta_milli / 1000`.
    Thermal {
        /// Trip level in thousandths.
        trip_theta_milli: u32,
        /// Time constant.
        tau: DurationMs,
    },
    /// Trips when the ratio stays above `ratio_milli / 1000` for `after`.
    DefiniteTime {
        /// Ratio in thousandths.
        ratio_milli: u32,
        /// Delay.
        after: DurationMs,
    },
}

impl TripModel {
    /// A breaker in the middle of the band that IEC 60898-1 allows between 1.13 and 1.45 In within an hour and at 2.55 In.
    pub const MID_BAND_BREAKER: Self = Self::Thermal { trip_theta_milli: 1_664, tau: DurationMs(51_000) };
    /// The fastest breaker IEC 60898-1 allows: 1.13 In for ever from cold, 2.55 In for one second. Reported as a bound.
    pub const FASTEST_BREAKER: Self = Self::Thermal { trip_theta_milli: 1_277, tau: DurationMs(4_600) };
    /// Linky computes `Y = 0.008 X² + 0.992 Y` every second and trips at 1.3 times.
    pub const LINKY: Self = Self::Thermal { trip_theta_milli: 1_690, tau: DurationMs(125_000) };
    /// The thermal memory through the two published points of the Spanish ICP.
    pub const SPANISH_ICP: Self = Self::Thermal { trip_theta_milli: 1_950, tau: DurationMs(448_000) };
    /// Stand-in for a device whose timing nobody publishes, and for an unknown one.
    pub const STRICT_DEFINITE_TIME: Self = Self::DefiniteTime { ratio_milli: 1_050, after: DurationMs(10_000) };
}

/// Why a protection device cannot exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// A rated current nobody builds.
    #[error("the rated current of the breaker must be between 1 and 6300 A")]
    Rated,
    /// It would trip at its own rated current, or never.
    #[error("the trip level must be above 1 and at most 20")]
    Level,
    /// A delay outside what devices have.
    #[error("the time of the device must be between 0.1 s and 2 h")]
    Time,
}

/// Largest rated current of low-voltage air breakers (IEC 60947-2).
const RATED_MAX: MilliAmps = MilliAmps(6_300_000);
/// Upper end of the instantaneous range of curve D.
const LEVEL_MILLI_MAX: u32 = 20_000;

impl ProtectionDevice {
    /// Current at ratio 1 for devices that carry it themselves; `None` for a meter's cut-off, which follows the contract.
    #[must_use]
    pub const fn rated(&self) -> Option<MilliAmps> {
        match self {
            Self::Breaker { rated, .. } | Self::Thermal { rated, .. } | Self::DefiniteTime { rated, .. } => {
                Some(*rated)
            }
            Self::Linky | Self::SpanishIcp | Self::PortugueseDcp => None,
        }
    }

    /// How it comes to trip.
    #[must_use]
    pub const fn trip_model(&self) -> TripModel {
        match self {
            Self::Breaker { .. } => TripModel::MID_BAND_BREAKER,
            Self::Linky => TripModel::LINKY,
            Self::SpanishIcp => TripModel::SPANISH_ICP,
            Self::PortugueseDcp => TripModel::STRICT_DEFINITE_TIME,
            Self::Thermal { trip_theta_milli, tau, .. } => {
                TripModel::Thermal { trip_theta_milli: *trip_theta_milli, tau: *tau }
            }
            Self::DefiniteTime { ratio_milli, after, .. } => {
                TripModel::DefiniteTime { ratio_milli: *ratio_milli, after: *after }
            }
        }
    }

    /// Checks its figures.
    ///
    /// # Errors
    /// Names the figure that cannot be.
    pub fn check(&self) -> Result<(), DeviceError> {
        if self.rated().is_some_and(|rated| rated < MilliAmps::from_amps(1) || rated > RATED_MAX) {
            return Err(DeviceError::Rated);
        }
        let (level, time) = match self.trip_model() {
            TripModel::Thermal { trip_theta_milli, tau } => (trip_theta_milli, tau),
            TripModel::DefiniteTime { ratio_milli, after } => (ratio_milli, after),
        };
        if level <= 1_000 || level > LEVEL_MILLI_MAX {
            return Err(DeviceError::Level);
        }
        if time < DurationMs(100) || time > DurationMs::from_secs(7_200) {
            return Err(DeviceError::Time);
        }
        Ok(())
    }
}

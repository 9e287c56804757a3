//! A site: one building with one grid connection.

use crate::{DurationMs, LocalTime, MilliAmps, MilliVolts, PhaseCount, PolicyError, SiteRules, VoltAmps};
use serde::{Deserialize, Serialize};

/// How loads are connected between the conductors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Connection {
    /// Between a phase and neutral: 230/400 V.
    LineNeutral,
    /// Between two phases: 3 x 230 V as in parts of Norway, 3 x 220 V in parts of Brazil.
    LineLine,
}

/// Settings of a site, checked by [`Site::check`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Name people see.
    pub name: String,
    /// IANA name, such as `Europe/Lisbon`.
    pub time_zone: String,
    /// ISO 4217 code, such as `EUR`.
    pub currency: String,
    /// Nominal voltage between the conductors a load hangs on.
    pub nominal_voltage: MilliVolts,
    /// How loads are connected.
    pub connection: Connection,
    /// Phases of the grid connection.
    pub phases: PhaseCount,
    /// Contracted power.
    pub contracted: VoltAmps,
    /// Rating of the main fuse per phase.
    pub main_fuse: MilliAmps,
    /// Current kept free below every limit.
    pub margin: MilliAmps,
    /// Least a car can charge with; below it a car is on standby. IEC 61851-1: 6 A.
    pub min_charge: MilliAmps,
    /// Most chargers that may be active at once; `None` for no such rule.
    pub max_active_chargers: Option<u16>,
    /// Most meters that may register.
    pub max_meters: u16,
    /// Time between two divisions of the available current.
    pub control_interval: DurationMs,
    /// Largest building load without chargers the manager declares, per phase; assumed while no meter speaks.
    pub declared_load: MilliAmps,
    /// Age at which the newest sample of a meter no longer counts.
    pub meter_max_age: DurationMs,
    /// Whether a raise waits for confirmation and holds, or follows at once (preset `published`).
    pub pacing: Pacing,
    /// Rules beyond the ratings.
    pub rules: SiteRules,
}

/// How eagerly current is raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pacing {
    /// Raises wait for a measured confirmation of the room; standby holds before a return.
    Careful,
    /// Every update divides all that is measured to be free, as in the published simulations.
    Published,
}

/// Why site settings cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SiteError {
    /// A name for the site.
    #[error("give the building a name")]
    Name,
    /// A value outside its range.
    #[error("{field} must be between {min} and {max}")]
    Range {
        /// Field as in the API.
        field: &'static str,
        /// Smallest allowed.
        min: u64,
        /// Largest allowed.
        max: u64,
    },
    /// A rule that cannot be used.
    #[error("{0}")]
    Rule(PolicyError),
}

impl Site {
    /// Checks every range.
    ///
    /// # Errors
    /// Names the first field that is out of range.
    pub fn check(&self) -> Result<(), SiteError> {
        if self.name.trim().is_empty() {
            return Err(SiteError::Name);
        }
        let ranges = [
            ("nominal_voltage_v", u64::from(self.nominal_voltage.0), 100_000, 500_000, 1000),
            ("contracted_kva", u64::from(self.contracted.0), 1_000, 10_000_000, 1000),
            ("main_fuse_a", u64::from(self.main_fuse.0), 6_000, 10_000_000, 1000),
            ("margin_a", u64::from(self.margin.0), 0, u64::from(self.main_fuse.0), 1000),
            ("min_charge_a", u64::from(self.min_charge.0), 6_000, 32_000, 1000),
            ("control_interval_s", self.control_interval.0, 1_000, 60_000, 1000),
            ("declared_load_a", u64::from(self.declared_load.0), 0, 10_000_000, 1000),
            ("meter_max_age_s", self.meter_max_age.0, 5_000, 600_000, 1000),
        ];
        for (field, value, min, max, scale) in ranges {
            if value < min || value > max {
                return Err(SiteError::Range { field, min: min / scale, max: max / scale });
            }
        }
        self.rules.check(self.main_fuse).map_err(SiteError::Rule)
    }

    /// Current per phase that the contract allows, rounded down to mA.
    ///
    /// Single phase: S / U. Three phases to neutral: S / (3 U). Three phases line to line: S / (sqrt 3 U).
    #[must_use]
    pub fn contracted_current(&self) -> MilliAmps {
        self.current_of(self.contracted)
    }

    /// Current per phase of an apparent power over all phases, rounded down to mA.
    #[must_use]
    pub fn current_of(&self, power: VoltAmps) -> MilliAmps {
        let micro_va = u128::from(power.0) * 1_000_000;
        let voltage = u128::from(self.nominal_voltage.0).max(1);
        let milli_amps = match (self.phases, self.connection) {
            (PhaseCount::One, _) => micro_va / voltage,
            (PhaseCount::Three, Connection::LineNeutral) => micro_va / (3 * voltage),
            (PhaseCount::Three, Connection::LineLine) => (micro_va * micro_va / (3 * voltage * voltage)).isqrt(),
        };
        MilliAmps(u32::try_from(milli_amps).unwrap_or(u32::MAX))
    }

    /// Contracted power at a moment of the week: the first period that fits, else the contract of the site.
    #[must_use]
    pub fn contracted_at(&self, at: LocalTime) -> VoltAmps {
        let period = self.rules.contract_periods.iter().find(|period| period.window.contains(at));
        period.map_or(self.contracted, |period| period.contracted)
    }

    /// The least that is contracted at any time: what must hold while nobody follows the clock.
    #[must_use]
    pub fn contracted_least(&self) -> VoltAmps {
        self.rules.contract_periods.iter().map(|period| period.contracted).fold(self.contracted, VoltAmps::min)
    }

    /// As [`Site::grid_limit`], with the contract of that moment.
    #[must_use]
    pub fn grid_limit_at(&self, at: LocalTime) -> MilliAmps {
        self.current_of(self.contracted_at(at)).min(self.main_fuse)
    }

    /// Limit of the grid connection per phase: the smaller of contract and main fuse.
    #[must_use]
    pub fn grid_limit(&self) -> MilliAmps {
        self.contracted_current().min(self.main_fuse)
    }
}

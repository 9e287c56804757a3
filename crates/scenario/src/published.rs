//! The published simulations, bundled.

use crate::file::{Scenario, ScenarioError};

/// A published simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Published {
    /// One charger follows a house whose load jumps.
    OneCharger,
    /// Three chargers, steps (a) to (n).
    ThreeChargers,
    /// The earlier run with 19.9 A available.
    Available19,
}

impl Published {
    /// All of them, in the order they were published here.
    pub const ALL: [Self; 3] = [Self::OneCharger, Self::ThreeChargers, Self::Available19];

    /// The file as bundled.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::OneCharger => include_str!("../scenarios/one-charger.toml"),
            Self::ThreeChargers => include_str!("../scenarios/three-chargers.toml"),
            Self::Available19 => include_str!("../scenarios/available-19.toml"),
        }
    }

    /// The scenario.
    ///
    /// # Errors
    /// Never with the bundled files, which a test reads.
    pub fn scenario(self) -> Result<Scenario, ScenarioError> {
        Scenario::parse(self.text())
    }
}

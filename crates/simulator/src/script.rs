//! A script for a building: what the house draws and which cars come and go, step by step.

use domain::MilliAmps;
use serde::{Deserialize, Serialize};

/// A published simulation as steps.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Script {
    /// Short name, as in the file.
    pub name: String,
    /// Current of the grid connection the script was written for; the demo building leaves as much free.
    pub grid_a: f64,
    /// The steps in order.
    #[serde(rename = "step")]
    pub steps: Vec<ScriptStep>,
}

/// One step of a script.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct ScriptStep {
    /// Letter or number, as published.
    pub label: String,
    /// What happens, in one sentence.
    #[serde(default)]
    pub says: String,
    /// How long it lasts.
    pub hold_s: u64,
    /// House load per phase from here on; absent keeps it.
    #[serde(default)]
    pub house_a: Option<f64>,
    /// Chargers that get a car and a card, counted from 1 in the order of registration.
    #[serde(default)]
    pub start: Vec<usize>,
    /// Chargers whose cars leave.
    #[serde(default)]
    pub stop: Vec<usize>,
}

/// Why a script cannot be played.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// Nothing to play.
    #[error("the script {0} has no steps")]
    Empty(String),
    /// A load that cannot be.
    #[error("step {0}: house_a must be a number from 0 to 1000")]
    House(String),
}

impl Script {
    /// How many chargers it uses.
    #[must_use]
    pub fn chargers(&self) -> usize {
        self.steps.iter().flat_map(|step| &step.start).max().copied().unwrap_or(0)
    }

    /// Checks that it can be played.
    ///
    /// # Errors
    /// Names the step that is wrong.
    pub fn check(&self) -> Result<(), ScriptError> {
        if self.steps.is_empty() {
            return Err(ScriptError::Empty(self.name.clone()));
        }
        for step in &self.steps {
            if step.house_a.is_some_and(|amps| !(0.0..=1000.0).contains(&amps)) {
                return Err(ScriptError::House(step.label.clone()));
            }
        }
        Ok(())
    }
}

/// Amps as written in files, to the nearest mA; nothing below zero.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the range first, then rounded to the nearest"
)]
pub(crate) fn milli_amps(amps: f64) -> MilliAmps {
    MilliAmps((amps * 1000.0).round().clamp(0.0, 4.0e9) as u32)
}

//! The station.

use crate::{Input, Output, StationConfig};
use domain::Now;

/// One charger identity; survives reconnects.
#[derive(Clone, Debug)]
pub struct Station {
    config: StationConfig,
}

impl Station {
    /// A charger nobody has heard of yet in this process.
    #[must_use]
    pub const fn new(config: StationConfig) -> Self {
        Self { config }
    }

    /// Takes one input and says what to do, in order.
    pub fn handle(&mut self, now: Now, input: Input<'_>) -> Vec<Output> {
        drop((now, input, &self.config));
        Vec::new()
    }
}

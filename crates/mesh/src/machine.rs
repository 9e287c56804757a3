//! The membership machine.

use crate::{Input, MeshConfig, Output};
use domain::Now;

/// All devices that speak the protocol, and what each was told last.
#[derive(Clone, Debug)]
pub struct Mesh {
    config: MeshConfig,
}

impl Mesh {
    /// Starts with the devices of earlier runs.
    #[must_use]
    pub fn new(config: MeshConfig) -> Self {
        Self { config }
    }

    /// Takes one input and says what follows from it, in order.
    pub fn handle(&mut self, now: Now, input: Input<'_>) -> Vec<Output> {
        drop((now, input, &self.config));
        Vec::new()
    }
}

//! The machine.

use crate::{GridState, Input, Output, Setup, Snapshot};
use domain::Now;

/// The site's one decider.
#[derive(Debug)]
pub struct Control {
    setup: Setup,
}

impl Control {
    /// Continues where the store left off. Until a charger reports it is counted at the most it may draw.
    #[must_use]
    pub fn new(setup: Setup, _now: Now) -> Self {
        Self { setup }
    }

    /// Takes what happened and says what to do. Never panics, whatever the input.
    pub fn handle(&mut self, _now: Now, _input: Input) -> Vec<Output> {
        Vec::new()
    }

    /// The live state.
    #[must_use]
    pub fn snapshot(&self, now: Now) -> Snapshot {
        Snapshot {
            at: now.wall,
            site: self.setup.site.clone(),
            grid: GridState::default(),
            circuits: Vec::new(),
            chargers: Vec::new(),
            meters: Vec::new(),
            alarms: Vec::new(),
            enrolment: None,
            refused_cards: Vec::new(),
            tenants: Vec::new(),
            cards: Vec::new(),
        }
    }
}

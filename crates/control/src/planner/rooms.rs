//! What the circuits usually leave for the cars: the room of the last half hour, on each phase.

use super::{Branch, real};
use domain::{Instant, Phase};

/// The past counts half as much after about this many minutes.
const MEMORY_MIN: f64 = 25.0;

/// A sliding mean of the room of each circuit, in amperes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rooms {
    at: Option<Instant>,
    usual: Vec<[f64; 3]>,
}

impl Rooms {
    pub(crate) fn note(&mut self, now: Instant, branches: &[Branch]) {
        let minutes = self.at.map_or(0.0, |at| real(now.since(at).0 / 1000) / 60.0);
        let share = minutes / (minutes + MEMORY_MIN);
        let fresh = self.usual.len() != branches.len();
        if fresh {
            self.usual = vec![[0.0; 3]; branches.len()];
        }
        for (usual, branch) in self.usual.iter_mut().zip(branches) {
            for (usual, phase) in usual.iter_mut().zip(Phase::ALL) {
                let room = real(branch.room.get(phase).0) / 1000.0;
                *usual = if fresh { room } else { *usual + (room - *usual) * share };
            }
        }
        self.at = Some(now);
    }

    /// Amperes that are usually there.
    pub(crate) fn usual(&self, branch: usize, phase: Phase) -> f64 {
        let at = match phase {
            Phase::L1 => 0,
            Phase::L2 => 1,
            Phase::L3 => 2,
        };
        self.usual.get(branch).and_then(|usual| usual.get(at)).copied().unwrap_or_default()
    }
}

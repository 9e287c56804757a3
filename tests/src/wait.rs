//! Waiting for a state with a deadline: the only place that pauses.

use std::time::{Duration, Instant};

/// How long a state may take before the test fails; generous, since test machines are slow and shared.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Time between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// Looks until `look` finds something; fails the test with `what` when the deadline passes.
#[track_caller]
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < DEADLINE, "waited {} s in vain for: {what}", DEADLINE.as_secs());
        std::thread::sleep(PAUSE);
    }
}

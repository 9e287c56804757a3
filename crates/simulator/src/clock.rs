//! A clock that can run faster than life and never jumps.

use domain::{Clock, DurationMs, Instant, Now, Timestamp};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How fast a demo's time runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Speed {
    /// As in life.
    #[default]
    X1,
    /// Ten times.
    X10,
    /// A minute each second.
    X60,
}

impl Speed {
    /// Seconds of this clock in one second of life.
    #[must_use]
    pub const fn factor(self) -> u32 {
        match self {
            Self::X1 => 1,
            Self::X10 => 10,
            Self::X60 => 60,
        }
    }
}

/// A clock with a switchable speed. A change of speed bends its line but never breaks it:
/// the monotonic time goes on from where it was.
#[derive(Debug)]
pub struct ScaledClock {
    start_wall: Timestamp,
    anchor: Mutex<Anchor>,
}

#[derive(Clone, Copy, Debug)]
struct Anchor {
    real: std::time::Instant,
    scaled: Duration,
    speed: Speed,
}

impl Anchor {
    fn scaled_now(&self) -> Duration {
        self.scaled.saturating_add(self.real.elapsed().saturating_mul(self.speed.factor()))
    }
}

impl ScaledClock {
    /// Starts at this civil time with this speed.
    #[must_use]
    pub fn new(start_wall: Timestamp, speed: Speed) -> Self {
        let anchor = Anchor { real: std::time::Instant::now(), scaled: Duration::ZERO, speed };
        Self { start_wall, anchor: Mutex::new(anchor) }
    }

    /// Starts at the present civil time of this machine.
    #[must_use]
    pub fn from_now(speed: Speed) -> Self {
        Self::new(Timestamp(jiff::Timestamp::now().as_millisecond()), speed)
    }

    /// Changes the speed from this moment on.
    pub fn set_speed(&self, speed: Speed) {
        let mut anchor = self.lock();
        let scaled = anchor.scaled_now();
        *anchor = Anchor { real: std::time::Instant::now(), scaled, speed };
    }

    /// The present speed.
    #[must_use]
    pub fn speed(&self) -> Speed {
        self.lock().speed
    }

    fn lock(&self) -> MutexGuard<'_, Anchor> {
        // The guard protects three plain values; a panic elsewhere cannot leave them half written.
        self.anchor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ScaledClock {
    fn now(&self) -> Now {
        let passed = DurationMs(u64::try_from(self.lock().scaled_now().as_millis()).unwrap_or(u64::MAX));
        Now { instant: Instant::default() + passed, wall: self.start_wall + passed }
    }

    fn real(&self, duration: DurationMs) -> Duration {
        Duration::from_millis(duration.0) / self.speed().factor()
    }
}

/// Reads a time such as `2026-01-14T18:30:00Z`.
#[must_use]
pub fn parse_time(text: &str) -> Option<Timestamp> {
    text.parse::<jiff::Timestamp>().ok().map(|time| Timestamp(time.as_millisecond()))
}

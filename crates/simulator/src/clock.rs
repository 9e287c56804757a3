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

/// Furthest a fast clock runs ahead of what the program has dealt with: two of its ticks and some.
const AHEAD_OF_PROGRAM: Duration = Duration::from_millis(2_500);
/// Furthest it runs ahead of what the building has lived through: one of its turns at the fastest speed and some.
const AHEAD_OF_BUILDING: Duration = Duration::from_millis(1_500);

/// A clock with a switchable speed. A change of speed bends its line but never breaks it:
/// the monotonic time goes on from where it was. It runs faster than life only while the program and the virtual building
/// keep up; beyond that, as in life.
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
    /// Until when the program lets it run faster than life; none before its first word.
    program: Option<Duration>,
    /// Until when the building does.
    building: Option<Duration>,
}

impl Anchor {
    fn scaled_now(&self) -> Duration {
        let passed = self.real.elapsed();
        let fast = self.scaled.saturating_add(passed.saturating_mul(self.speed.factor()));
        let Some(end) = [self.program, self.building].into_iter().flatten().min() else { return fast };
        let end = end.max(self.scaled);
        if fast <= end {
            return fast;
        }
        let until_end = end.saturating_sub(self.scaled) / self.speed.factor();
        end.saturating_add(passed.saturating_sub(until_end))
    }

    /// The same moment, from which time goes on.
    fn here(&self) -> Self {
        Self { real: std::time::Instant::now(), scaled: self.scaled_now(), ..*self }
    }
}

impl ScaledClock {
    /// Starts at this civil time with this speed.
    #[must_use]
    pub fn new(start_wall: Timestamp, speed: Speed) -> Self {
        let anchor =
            Anchor { real: std::time::Instant::now(), scaled: Duration::ZERO, speed, program: None, building: None };
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
        *anchor = Anchor { speed, ..anchor.here() };
    }

    /// The present speed.
    #[must_use]
    pub fn speed(&self) -> Speed {
        self.lock().speed
    }

    /// The virtual building has lived through everything up to this moment: its cars have followed what they were
    /// told, and what its devices asked was answered.
    pub fn lived(&self, moment: Instant) {
        let mut anchor = self.lock();
        let end = Some(since_start(moment).saturating_add(AHEAD_OF_BUILDING));
        *anchor = Anchor { building: anchor.building.max(end), ..anchor.here() };
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

    fn reached(&self, moment: Instant) {
        let mut anchor = self.lock();
        let end = Some(since_start(moment).saturating_add(AHEAD_OF_PROGRAM));
        *anchor = Anchor { program: anchor.program.max(end), ..anchor.here() };
    }
}

const fn since_start(moment: Instant) -> Duration {
    Duration::from_millis(moment.0)
}

/// Reads a time such as `2026-01-14T18:30:00Z`.
#[must_use]
pub fn parse_time(text: &str) -> Option<Timestamp> {
    text.parse::<jiff::Timestamp>().ok().map(|time| Timestamp(time.as_millisecond()))
}

//! Two times: a monotonic one that decides and a wall one that labels. Both are injected.

use serde::{Deserialize, Serialize};
use std::ops::{Add, Sub};

/// A length of time in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DurationMs(pub u64);

impl DurationMs {
    /// From whole seconds.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs * 1000)
    }
}

/// A point on a clock that never jumps, in milliseconds since that clock began. Decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub u64);

impl Instant {
    /// Time passed since `earlier`; zero when `earlier` lies ahead.
    #[must_use]
    pub const fn since(self, earlier: Self) -> DurationMs {
        DurationMs(self.0.saturating_sub(earlier.0))
    }
}

impl Add<DurationMs> for Instant {
    type Output = Self;
    fn add(self, duration: DurationMs) -> Self {
        Self(self.0.saturating_add(duration.0))
    }
}

/// A point of civil time in milliseconds since 1970-01-01 UTC. Labels; never decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Add<DurationMs> for Timestamp {
    type Output = Self;
    fn add(self, duration: DurationMs) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.0).unwrap_or(i64::MAX)))
    }
}

impl Sub<DurationMs> for Timestamp {
    type Output = Self;
    fn sub(self, duration: DurationMs) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.0).unwrap_or(i64::MAX)))
    }
}

/// Both times of one moment, as every machine receives it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Monotonic: what decisions compare.
    pub instant: Instant,
    /// Civil: what people and records see.
    pub wall: Timestamp,
}

/// Where the outer layers get the time from; the demo runs it faster than life.
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Now;
    /// How long to sleep in real time so that `duration` passes on this clock.
    fn real(&self, duration: DurationMs) -> std::time::Duration;
    /// Everything that happened up to this moment has been dealt with. A clock that runs faster than life waits for it,
    /// so that a slow computer shows a slower building and not one whose messages come too late.
    fn reached(&self, _moment: Instant) {}
}

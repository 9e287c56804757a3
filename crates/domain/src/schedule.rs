//! Times that come back every week, in the time zone of the site.

use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Weekday {
    /// All days, Monday first.
    pub const ALL: [Self; 7] = [Self::Mon, Self::Tue, Self::Wed, Self::Thu, Self::Fri, Self::Sat, Self::Sun];

    /// The day before.
    #[must_use]
    pub const fn before(self) -> Self {
        match self {
            Self::Mon => Self::Sun,
            Self::Tue => Self::Mon,
            Self::Wed => Self::Tue,
            Self::Thu => Self::Wed,
            Self::Fri => Self::Thu,
            Self::Sat => Self::Fri,
            Self::Sun => Self::Sat,
        }
    }
}

const MINUTES_PER_DAY: u16 = 1_440;
const MS_PER_MINUTE: i64 = 60_000;

/// Seconds that local time is ahead of UTC, daylight saving included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UtcOffset(pub i32);

/// A moment as a clock on the wall of the site shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTime {
    /// The day.
    pub day: Weekday,
    /// Minutes since midnight, 0 to 1439.
    pub minute: u16,
}

impl LocalTime {
    /// The local time of a moment.
    #[must_use]
    pub fn of(at: Timestamp, offset: UtcOffset) -> Self {
        let minutes = (at.0.saturating_add(i64::from(offset.0) * 1000)).div_euclid(MS_PER_MINUTE);
        let per_day = i64::from(MINUTES_PER_DAY);
        // 1 January 1970 was a Thursday, the fourth day.
        let day = usize::try_from((minutes.div_euclid(per_day) + 3).rem_euclid(7)).unwrap_or(0);
        Self {
            day: Weekday::ALL.get(day).copied().unwrap_or(Weekday::Mon),
            minute: u16::try_from(minutes.rem_euclid(per_day)).unwrap_or(0),
        }
    }
}

/// A time that comes back every week. It ends on the next day when `to` is not after `from`, and then belongs to the
/// day on which it begins; `from` equal to `to` is 24 hours.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TimeWindow {
    /// Days on which it begins; empty means every day.
    #[serde(default)]
    pub days: Vec<Weekday>,
    /// First minute, since midnight, 0 to 1439.
    pub from_minute: u16,
    /// First minute after it, since midnight, 0 to 1440.
    pub to_minute: u16,
}

impl TimeWindow {
    /// Whether the minutes exist.
    #[must_use]
    pub const fn is_possible(&self) -> bool {
        self.from_minute < MINUTES_PER_DAY && self.to_minute <= MINUTES_PER_DAY
    }

    /// Whether a moment lies in it.
    #[must_use]
    pub fn contains(&self, at: LocalTime) -> bool {
        let on = |day: Weekday| self.days.is_empty() || self.days.contains(&day);
        if self.from_minute < self.to_minute {
            return on(at.day) && (self.from_minute..self.to_minute).contains(&at.minute);
        }
        (on(at.day) && at.minute >= self.from_minute) || (on(at.day.before()) && at.minute < self.to_minute)
    }
}

//! Civil time of the building: months, days and the hour on the wall, with their 23- and 25-hour days.

use domain::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A building's time zone, from the rules compiled into the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    name: String,
    rules: TimeZone,
}

/// A time zone nobody knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no time zone {0:?}; use a name such as Europe/Lisbon or America/Sao_Paulo")]
pub struct ZoneError(String);

/// What a clock on the wall shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WallTime {
    /// The day.
    pub date: Date,
    /// Minutes since midnight by the clock on the wall: 0 to 1439.
    pub minute: u16,
    /// Second within the minute.
    pub second: u8,
    /// Whether summer time is in force.
    pub summer: bool,
}

impl Zone {
    /// By IANA name.
    ///
    /// # Errors
    /// When there is no such zone.
    pub fn new(name: &str) -> Result<Self, ZoneError> {
        let rules = TimeZoneDatabase::bundled().get(name).map_err(|_unknown| ZoneError(name.to_owned()))?;
        Ok(Self { name: name.to_owned(), rules })
    }

    /// Its IANA name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What a clock on the wall shows at a moment.
    #[must_use]
    pub fn wall(&self, at: Timestamp) -> WallTime {
        let at = instant(at);
        let info = self.rules.to_offset_info(at);
        let local = info.offset().to_datetime(at);
        let part = |value: i8| u8::try_from(value).unwrap_or(0);
        WallTime {
            date: local.date(),
            minute: u16::from(part(local.hour())) * 60 + u16::from(part(local.minute())),
            second: part(local.second()),
            summer: info.dst().is_dst(),
        }
    }

    /// The first moment of a day; where the clock jumps over midnight, the moment it lands.
    #[must_use]
    pub fn day_start(&self, date: Date) -> Timestamp {
        let start = self.rules.to_ambiguous_timestamp(date.at(0, 0, 0, 0)).compatible();
        Timestamp(start.map_or(0, |at| at.as_millisecond()))
    }

    /// The day a moment falls on.
    #[must_use]
    pub fn date(&self, at: Timestamp) -> Date {
        self.wall(at).date
    }
}

fn instant(at: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

/// A calendar month; as text `2026-10`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Month {
    year: i16,
    month: i8,
}

/// A text that names no month.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no month; write it as 2026-10")]
pub struct MonthError(String);

impl Month {
    /// The month a day falls in.
    #[must_use]
    pub fn of(date: Date) -> Self {
        Self { year: date.year(), month: date.month() }
    }

    /// Year.
    #[must_use]
    pub const fn year(self) -> i16 {
        self.year
    }

    /// Month of the year, from 1.
    #[must_use]
    pub const fn number(self) -> i8 {
        self.month
    }

    /// Its first day.
    #[must_use]
    pub fn first(self) -> Date {
        Date::new(self.year, self.month, 1).unwrap_or(Date::ZERO)
    }

    /// How many days it has.
    #[must_use]
    pub fn days(self) -> u8 {
        u8::try_from(self.first().days_in_month()).unwrap_or(31)
    }

    /// Every day of it.
    pub fn dates(self) -> impl Iterator<Item = Date> {
        let last = i8::try_from(self.days()).unwrap_or(28);
        (1..=last).filter_map(move |day| Date::new(self.year, self.month, day).ok())
    }

    /// The month after.
    #[must_use]
    pub const fn next(self) -> Self {
        if self.month == 12 {
            Self { year: self.year.saturating_add(1), month: 1 }
        } else {
            Self { year: self.year, month: self.month + 1 }
        }
    }

    /// The month before.
    #[must_use]
    pub const fn previous(self) -> Self {
        if self.month == 1 {
            Self { year: self.year.saturating_sub(1), month: 12 }
        } else {
            Self { year: self.year, month: self.month - 1 }
        }
    }

    /// First moment of the month and first moment of the next, by the clock on the building's wall.
    #[must_use]
    pub fn range(self, zone: &Zone) -> (Timestamp, Timestamp) {
        (zone.day_start(self.first()), zone.day_start(self.next().first()))
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl FromStr for Month {
    type Err = MonthError;

    fn from_str(text: &str) -> Result<Self, MonthError> {
        let bad = || MonthError(text.to_owned());
        let (year, month) = text.split_once('-').ok_or_else(bad)?;
        if year.len() != 4 || month.len() != 2 || !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
            return Err(bad());
        }
        let (year, month): (i16, i8) = year.parse().ok().zip(month.parse().ok()).ok_or_else(bad)?;
        if !(1970..=9998).contains(&year) || !(1..=12).contains(&month) {
            return Err(bad());
        }
        Ok(Self { year, month })
    }
}

impl TryFrom<String> for Month {
    type Error = MonthError;
    fn try_from(text: String) -> Result<Self, MonthError> {
        text.parse()
    }
}

impl From<Month> for String {
    fn from(month: Month) -> Self {
        month.to_string()
    }
}

/// Monday is 0, Sunday is 6.
#[must_use]
pub(crate) fn weekday_index(date: Date) -> usize {
    match date.weekday() {
        Weekday::Monday => 0,
        Weekday::Tuesday => 1,
        Weekday::Wednesday => 2,
        Weekday::Thursday => 3,
        Weekday::Friday => 4,
        Weekday::Saturday => 5,
        Weekday::Sunday => 6,
    }
}

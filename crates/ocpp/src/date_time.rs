//! Points of time as text: kept as they came, read with tolerance, written in one form.

use jiff::civil;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point of time as its text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DateTime(String);

/// What a text says about time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadTime {
    /// Milliseconds since 1970-01-01, as UTC where the text has no zone.
    pub unix_ms: i64,
    /// Whether the text names a zone.
    pub has_zone: bool,
}

impl DateTime {
    /// Any text; whether it is a time shows when it is read.
    #[must_use]
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// From milliseconds since 1970-01-01 UTC as `YYYY-MM-DDTHH:MM:SSZ`, the only form every charger
    /// reads; milliseconds are cut off and times no calendar has become 1970.
    #[must_use]
    pub fn from_unix_ms(unix_ms: i64) -> Self {
        let time = jiff::Timestamp::from_second(unix_ms.div_euclid(1000)).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        Self(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The point of time, if the text is one: RFC 3339 with any fraction, `T` or a space, with or without
    /// seconds and zone; seconds or milliseconds since 1970; and what chargers make of these by leaving out leading
    /// zeros or writing other separators.
    #[must_use]
    pub fn read(&self) -> Option<ReadTime> {
        let text = self.0.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\0' | '"'));
        if let Ok(time) = text.parse::<jiff::Timestamp>() {
            return Some(ReadTime { unix_ms: time.as_millisecond(), has_zone: true });
        }
        if let Some(unix_ms) = since_1970(text) {
            return Some(ReadTime { unix_ms, has_zone: true });
        }
        if let Ok(civil) = text.parse::<civil::DateTime>()
            && text.contains(':')
        {
            let time = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
            return Some(ReadTime { unix_ms: time.as_millisecond(), has_zone: false });
        }
        loose(text)
    }
}

/// Seconds since 1970 with or without a fraction, or milliseconds: nine to ten digits or twelve to thirteen.
fn since_1970(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if !whole.bytes().chain(part.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i64 = whole.parse().ok()?;
    match whole.len() {
        9 | 10 => {
            let millis: String = part.chars().chain("000".chars()).take(3).collect();
            Some(number * 1000 + millis.parse::<i64>().ok()?)
        }
        12 | 13 => Some(number),
        _ => None,
    }
}

/// A date and a time of day in any punctuation, such as `2026-1-9T7:05:3Z` or `2026/01/09 07:05:03 +01:00`.
fn loose(text: &str) -> Option<ReadTime> {
    let mut rest = text;
    let year = number(&mut rest, 4, &[]).filter(|year| *year >= 1970)?;
    let month = number(&mut rest, 2, &['-', '/', '.'])?;
    let day = number(&mut rest, 2, &['-', '/', '.'])?;
    let hour = number(&mut rest, 2, &['T', 't', ' ', '_', '-'])?;
    let minute = number(&mut rest, 2, &[':', '.', '-'])?;
    let second = if rest.starts_with([':', '.']) { number(&mut rest, 2, &[':', '.'])? } else { 0 };
    let mut millis = 0;
    if let Some(fraction) = rest.strip_prefix(['.', ',', ':']) {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        let digits: String = fraction.chars().take(digits.min(3)).chain("000".chars()).take(3).collect();
        millis = digits.parse::<i64>().ok()?;
        rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    let date = civil::Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    let (hour, minute) = (i8::try_from(hour).ok()?, i8::try_from(minute).ok()?);
    let time = civil::Time::new(hour, minute, i8::try_from(second.min(59)).ok()?, 0).ok()?;
    let local = date.to_datetime(time).to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond() + millis;
    let offset_s = offset(rest.trim())?;
    let unix_ms = local - offset_s.unwrap_or(0) * 1000;
    Some(ReadTime { unix_ms, has_zone: offset_s.is_some() })
}

/// The next number, behind separators.
fn number(rest: &mut &str, digits_max: usize, separators: &[char]) -> Option<i16> {
    let text = rest.trim_start_matches(separators);
    let digits = text.bytes().take(digits_max).take_while(u8::is_ascii_digit).count();
    let (taken, left) = text.split_at_checked(digits)?;
    *rest = left;
    taken.parse().ok()
}

/// Seconds east of UTC: nothing, a word for UTC, `+1`, `+01:00`, `+0100`, each of them with a `Z` too many.
#[expect(clippy::option_option, reason = "three answers: unreadable, no zone, a zone")]
fn offset(text: &str) -> Option<Option<i64>> {
    let bare = text.trim_end_matches(['Z', 'z']).trim_end();
    if bare.is_empty() {
        return Some((!text.is_empty()).then_some(0));
    }
    if ["UTC", "GMT"].iter().any(|zone| bare.eq_ignore_ascii_case(zone)) {
        return Some(Some(0));
    }
    let (sign, digits) = match bare.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let digits: String = digits.chars().filter(|c| *c != ':').collect();
    let (hours, minutes) = match digits.len() {
        1 | 2 => (digits.as_str(), "0"),
        3 | 4 => digits.split_at_checked(digits.len() - 2)?,
        _ => return None,
    };
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 14 && minutes < 60).then_some(Some(sign * (hours * 3600 + minutes * 60)))
}

impl From<String> for DateTime {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl Serialize for DateTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for DateTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::read::text(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Option<(i64, bool)> {
        DateTime::from_text(text).read().map(|time| (time.unix_ms, time.has_zone))
    }

    /// Q29: the Growatt form without a zone is read, and known to have none.
    #[test]
    fn timestamp_no_zone() {
        assert_eq!(read("2023-10-19T15:28:07"), Some((1_697_729_287_000, false)));
        assert_eq!(read("2023-10-19 15:28:07"), Some((1_697_729_287_000, false)));
        assert_eq!(read("2023-10-19T15:28:07.250"), Some((1_697_729_287_250, false)));
    }

    /// Every spelling of a zone that chargers use leads to the same moment.
    #[test]
    fn zones_are_read_in_every_spelling() {
        for text in [
            "2023-10-19T15:28:07Z",
            "2023-10-19t15:28:07z",
            "2023-10-19T15:28:07.000000000Z",
            "2023-10-19T17:28:07+02:00",
            "2023-10-19T17:28:07+0200",
            "2023-10-19T17:28:07+02",
            "2023-10-19 15:28:07 UTC",
            "2023-10-19T15:28:07 GMT",
            "2023-10-19 17:28:07 +02:00",
            "2023-10-19T17:28:07+2:00",
            "2023-10-19T17:28:07+02:00Z",
        ] {
            assert_eq!(read(text), Some((1_697_729_287_000, true)), "{text}");
        }
        for text in ["", "now", "0", "2023-13-45T99:99:99Z", "2023-10-19T", "2023-10-19T15:28:07+99:00", "20231019"] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    /// Seconds and milliseconds since 1970, missing leading zeros, other separators and a comma are read, too.
    #[test]
    fn times_in_other_shapes_are_read() {
        for text in ["1697729287", "1697729287.0", "1697729287000", "\"2023-10-19T15:28:07Z\"", "20231019T152807Z"] {
            assert_eq!(read(text), Some((1_697_729_287_000, true)), "{text}");
        }
        assert_eq!(read("1697729287.25"), Some((1_697_729_287_250, true)));
        assert_eq!(read("2023-10-19T15:28:07,250Z"), Some((1_697_729_287_250, true)));
        assert_eq!(read("2023/10/19 15:28:07"), Some((1_697_729_287_000, false)));
        assert_eq!(read("2023-1-9T5:8:7Z"), read("2023-01-09T05:08:07Z"));
        assert_eq!(read("2023-10-19T15:28Z"), Some((1_697_729_280_000, true)));
    }

    /// Q32: we write seconds and `Z`, nothing else.
    #[test]
    fn currenttime_format() {
        assert_eq!(DateTime::from_unix_ms(1_697_729_287_999).as_str(), "2023-10-19T15:28:07Z");
        assert_eq!(DateTime::from_unix_ms(-1).as_str(), "1969-12-31T23:59:59Z");
        assert_eq!(DateTime::from_unix_ms(i64::MAX).as_str(), "1970-01-01T00:00:00Z");
    }

    proptest! {
        /// No text makes the reader panic, and what we write we read.
        #[test]
        fn any_text_is_harmless(junk in ".{0,40}", seconds in 0_i64..4_000_000_000) {
            let _read = read(&junk);
            prop_assert_eq!(read(DateTime::from_unix_ms(seconds * 1000).as_str()), Some((seconds * 1000, true)));
        }
    }
}

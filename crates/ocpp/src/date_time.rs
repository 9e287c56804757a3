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
    /// seconds and zone.
    #[must_use]
    pub fn read(&self) -> Option<ReadTime> {
        let text = self.0.trim();
        if let Ok(time) = text.parse::<jiff::Timestamp>() {
            return Some(ReadTime { unix_ms: time.as_millisecond(), has_zone: true });
        }
        // A space before the zone, or a zone spelled out.
        let tight =
            text.strip_suffix("UTC").or_else(|| text.strip_suffix("GMT")).map(|rest| format!("{}Z", rest.trim_end()));
        if let Some(time) = tight.and_then(|text| text.parse::<jiff::Timestamp>().ok()) {
            return Some(ReadTime { unix_ms: time.as_millisecond(), has_zone: true });
        }
        let civil: civil::DateTime = text.trim_end_matches(['Z', 'z']).trim_end().parse().ok()?;
        let time = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
        Some(ReadTime { unix_ms: time.as_millisecond(), has_zone: text.ends_with(['Z', 'z']) })
    }
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
        ] {
            assert_eq!(read(text), Some((1_697_729_287_000, true)), "{text}");
        }
        for text in ["", "now", "0", "2023-13-45T99:99:99Z", "2023-10-19T"] {
            assert_eq!(read(text), None, "{text:?}");
        }
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

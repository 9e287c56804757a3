//! Times as text: RFC 3339 in UTC, as every client of the API sees them.

use domain::Timestamp;

/// RFC 3339 UTC with milliseconds only where there are any.
pub(crate) fn text(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(|_out_of_range| String::new(), |time| time.to_string())
}

/// Reads RFC 3339 with any offset.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    // A plus sign that was not percent-encoded arrives as a space.
    let text = text.trim().replace(' ', "+");
    text.parse::<jiff::Timestamp>().ok().map(|time| Timestamp(time.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What goes out comes back: clients page through lists with the times they were given.
    #[test]
    fn round_trip() {
        let at = Timestamp(1_767_225_600_123);
        assert_eq!(text(at), "2026-01-01T00:00:00.123Z");
        assert_eq!(parse(&text(at)), Some(at));
        assert_eq!(parse("2026-01-01T01:00:00.123+01:00"), Some(at));
        assert_eq!(parse("2026-01-01T01:00:00.123 01:00"), Some(at));
        assert_eq!(parse("yesterday"), None);
    }
}

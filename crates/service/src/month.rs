//! Calendar months of the building, as its clocks show them.

use domain::Timestamp;
use jiff::tz::TimeZone;

/// Beginning of the month that holds a moment, and of the next one; UTC where the zone is unknown.
pub(crate) fn month_of(zone: &str, at: Timestamp) -> Option<(Timestamp, Timestamp)> {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let local = jiff::Timestamp::from_millisecond(at.0).ok()?.to_zoned(zone.clone());
    let first = local.date().first_of_month();
    let next = first.last_of_month().tomorrow().ok()?;
    let midnight = |date: jiff::civil::Date| {
        date.to_zoned(zone.clone()).ok().map(|start| Timestamp(start.timestamp().as_millisecond()))
    };
    midnight(first).zip(midnight(next))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// October of Lisbon begins in summer time and ends in winter time: an hour longer than 31 days.
    #[test]
    fn months_follow_the_clocks_of_the_building() {
        let (starts, ends) = month_of("Europe/Lisbon", Timestamp(1_792_972_800_000)).unwrap();
        assert_eq!(ends.0 - starts.0, (31 * 24 + 1) * 3_600_000);
        assert_eq!(month_of("Europe/Lisbon", Timestamp(ends.0 - 1)), Some((starts, ends)));
        assert_ne!(month_of("Europe/Lisbon", ends), Some((starts, ends)));
    }
}

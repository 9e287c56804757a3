//! Names of copies, and which of them stay.

use super::{BackupSettings, Copy};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use std::collections::BTreeSet;

const PREFIX: &str = "meshwatt-";
const SUFFIX: &str = ".db";
const FORMAT: &str = "%Y%m%dT%H%M%SZ";

/// Name of a copy made at a time.
pub(super) fn name_at(at_ms: i64) -> String {
    let at = Timestamp::from_millisecond(at_ms).unwrap_or_default();
    format!("{PREFIX}{}{SUFFIX}", at.strftime(FORMAT))
}

/// When a copy of this name was made; `None` when it is no copy.
pub(super) fn stamp_of(name: &str) -> Option<i64> {
    let stamp = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    let at = DateTime::strptime(FORMAT, stamp).ok()?;
    Some(at.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

/// Names the period a copy was made in.
type Period<'a> = &'a dyn Fn(&Copy) -> String;

/// Names of the copies the rule does not keep. The newest of each of the last so many days, weeks and months that have
/// one stay; the newest of all stays always.
pub(super) fn to_remove(copies: &[Copy], settings: &BackupSettings) -> Vec<String> {
    let mut kept: BTreeSet<&str> = copies.first().map(|copy| copy.name.as_str()).into_iter().collect();
    let date = |copy: &Copy| Timestamp::from_millisecond(copy.at_ms).unwrap_or_default().to_zoned(TimeZone::UTC).date();
    let day = |copy: &Copy| date(copy).to_string();
    let week = |copy: &Copy| {
        let week = date(copy).iso_week_date();
        format!("{}-{}", week.year(), week.week())
    };
    let month = |copy: &Copy| date(copy).strftime("%Y-%m").to_string();
    let rules: [(u32, Period<'_>); 3] = [(settings.days, &day), (settings.weeks, &week), (settings.months, &month)];
    for (count, period) in rules {
        let mut seen = BTreeSet::new();
        for copy in copies {
            let newest_of_its_period = seen.insert(period(copy));
            if newest_of_its_period && seen.len() <= usize::try_from(count).unwrap_or(usize::MAX) {
                kept.insert(&copy.name);
            }
        }
    }
    copies.iter().filter(|copy| !kept.contains(copy.name.as_str())).map(|copy| copy.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;

    /// After three years of daily copies those of the last week, of four weeks and of twelve months are left, and a file
    /// of somebody else is never touched.
    #[test]
    fn a_rule_keeps_days_weeks_and_months() {
        let start = 1_700_000_000_000;
        let settings = BackupSettings::default();
        let mut copies: Vec<Copy> = Vec::new();
        for day in 0..1100 {
            let at_ms = start + day * DAY;
            copies.insert(0, Copy { name: name_at(at_ms), at_ms, bytes: 1 });
            let gone = to_remove(&copies, &settings);
            copies.retain(|copy| !gone.contains(&copy.name));
        }
        let ages: Vec<i64> = copies.iter().map(|copy| (start + 1099 * DAY - copy.at_ms) / DAY).collect();
        assert_eq!(ages[..7], [0, 1, 2, 3, 4, 5, 6]);
        assert!((7 + 2 + 10..=7 + 4 + 12).contains(&copies.len()), "{ages:?}");
        assert!(ages.last().is_some_and(|age| (304..=366).contains(age)), "{ages:?}");
        assert_eq!(stamp_of("holiday.db"), None);
        assert_eq!(stamp_of(&name_at(start)), Some(start / 1000 * 1000));
    }
}

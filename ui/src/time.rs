//! Civil time for people: RFC 3339 text to milliseconds and milliseconds to local clock readings.

/// A second in milliseconds.
pub(crate) const SECOND_MS: i64 = 1000;
/// A minute in milliseconds.
pub(crate) const MINUTE_MS: i64 = 60 * SECOND_MS;
/// An hour in milliseconds.
pub(crate) const HOUR_MS: i64 = 60 * MINUTE_MS;
/// A day in milliseconds.
pub(crate) const DAY_MS: i64 = 24 * HOUR_MS;

/// Minutes that local clocks are ahead of UTC, as a function of milliseconds since 1970 and of the
/// building's IANA time zone. The page asks the browser; tests give a constant.
pub type ZoneOffset = Box<dyn Fn(i64, &str) -> i32>;

/// A moment on the building's wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Civil {
    /// Year.
    pub(crate) year: i64,
    /// Month, from 1.
    pub(crate) month: u8,
    /// Day, from 1.
    pub(crate) day: u8,
    /// Hour.
    pub(crate) hour: u8,
    /// Minute.
    pub(crate) minute: u8,
    /// Second.
    pub(crate) second: u8,
}

/// The clock reading `offset_min` minutes ahead of UTC.
#[must_use]
pub(crate) fn civil(at_ms: i64, offset_min: i32) -> Civil {
    let local = at_ms + i64::from(offset_min) * MINUTE_MS;
    let days = local.div_euclid(DAY_MS);
    let rest = local.rem_euclid(DAY_MS);
    let (year, month, day) = date_of(days);
    let small = |value: i64| u8::try_from(value).unwrap_or(0);
    Civil {
        year,
        month,
        day,
        hour: small(rest / HOUR_MS),
        minute: small(rest / MINUTE_MS % 60),
        second: small(rest / SECOND_MS % 60),
    }
}

/// Days since 1970 to a date of the Gregorian calendar (Hinnant's `civil_from_days`).
fn date_of(days: i64) -> (i64, u8, u8) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    (year, u8::try_from(month).unwrap_or(1), u8::try_from(day).unwrap_or(1))
}

/// A date to days since 1970 (Hinnant's `days_from_civil`).
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let mp = if month > 2 { month - 3 } else { month + 9 };
    let doy = (153 * mp + 2) / 5 + day - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    era * 146_097 + doe - 719_468
}

/// Reads RFC 3339 text such as `2026-11-20T07:49:01.250Z`; `None` when it is not that.
#[must_use]
pub(crate) fn parse(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize| -> Option<i64> { text.get(from..to)?.parse().ok() };
    let (date, rest) = (days_of(number(0, 4)?, number(5, 7)?, number(8, 10)?), text.get(19..)?);
    let clock = number(11, 13)? * HOUR_MS + number(14, 16)? * MINUTE_MS + number(17, 19)? * SECOND_MS;
    let digits = rest.strip_prefix('.').map_or(0, |tail| tail.bytes().take_while(u8::is_ascii_digit).count());
    let fraction = rest.get(1..=digits).unwrap_or_default();
    let milli: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let zone = if digits == 0 { rest } else { rest.get(digits + 1..)? };
    Some(date * DAY_MS + clock + milli - zone_ms(zone)?)
}

fn zone_ms(zone: &str) -> Option<i64> {
    if matches!(zone, "Z" | "z" | "") {
        return Some(0);
    }
    let sign = match zone.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let hours: i64 = zone.get(1..3)?.parse().ok()?;
    let minutes: i64 = zone.get(4..6)?.parse().ok()?;
    Some(sign * (hours * HOUR_MS + minutes * MINUTE_MS))
}

/// Milliseconds since 1970 as RFC 3339 UTC text with whole seconds, as queries need it.
#[must_use]
pub(crate) fn rfc3339(at_ms: i64) -> String {
    let c = civil(at_ms, 0);
    format!("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", c.year, c.month, c.day, c.hour, c.minute, c.second)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Text and milliseconds are one moment, with fractions and offsets, over leap days and before 1970.
    #[test]
    fn parses_and_prints_rfc3339() {
        let cases = [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2026-11-20T07:49:01.25Z", Some(1_795_160_941_250)),
            ("2026-11-20T08:49:01+01:00", Some(1_795_160_941_000)),
            ("2024-02-29T23:59:59.999999Z", Some(1_709_251_199_999)),
            ("1969-12-31T23:59:59Z", Some(-1000)),
            ("yesterday", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), expected, "{text}");
        }
        assert_eq!(rfc3339(1_795_160_941_250), "2026-11-20T07:49:01Z");
    }

    /// Local clocks follow the offset over midnight.
    #[test]
    fn civil_time_follows_the_offset() {
        let at = parse("2026-03-01T23:30:00Z").unwrap();
        let c = civil(at, 60);
        assert_eq!((c.year, c.month, c.day, c.hour, c.minute), (2026, 3, 2, 0, 30));
    }
}

//! Numbers and times as people of each language write them. All functions are pure.

use crate::time::{Civil, civil};
use api::Language;

/// Shown where nothing is known.
pub(crate) const UNKNOWN: &str = "–";

/// A number with a fixed count of decimals: `7.4` or `7,4`. A minus sign is U+2212; minus zero is zero.
#[must_use]
pub(crate) fn number(value: f64, decimals: usize, language: Language) -> String {
    if !value.is_finite() {
        return UNKNOWN.to_owned();
    }
    let text = format!("{value:.decimals$}");
    let (negative, digits) = text.strip_prefix('-').map_or((false, text.as_str()), |rest| (true, rest));
    let zero = digits.bytes().all(|b| matches!(b, b'0' | b'.'));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let (decimal, group) = match language {
        Language::English => ('.', ','),
        Language::Portuguese => (',', '\u{a0}'),
    };
    let mut out = String::new();
    if negative && !zero {
        out.push('−');
    }
    // Thousands are grouped from five digits on, as both languages allow.
    for (index, digit) in whole.chars().enumerate() {
        let left = whole.len() - index;
        if whole.len() > 4 && index > 0 && left % 3 == 0 {
            out.push(group);
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push(decimal);
        out.push_str(fraction);
    }
    out
}

/// Amperes with at most one decimal, none when it is zero: `8 A`, `7.5 A`.
#[must_use]
pub(crate) fn amps(value: f64, language: Language) -> String {
    let decimals = usize::from((value * 10.0).round() % 10.0 != 0.0);
    format!("{} A", number(value, decimals, language))
}

/// Amperes per wire: `7.9 / 8.0 / 7.8 A`, a single number for one wire, a dash for none.
#[must_use]
pub(crate) fn amps_per_wire(values: &[f64], language: Language) -> String {
    if values.is_empty() {
        return UNKNOWN.to_owned();
    }
    let texts: Vec<String> = values.iter().map(|value| number(*value, 1, language)).collect();
    format!("{} A", texts.join(" / "))
}

/// Kilowatts with one decimal.
#[must_use]
pub(crate) fn kilowatts(value: f64, language: Language) -> String {
    format!("{} kW", number(value, 1, language))
}

/// Energy in kWh with two decimals below 100.
#[must_use]
pub(crate) fn energy(watt_hours: u64, language: Language) -> String {
    // Lossless below 2^53 Wh.
    let kwh = u32::try_from(watt_hours).map_or(f64::from(u32::MAX), f64::from) / 1000.0;
    format!("{} kWh", number(kwh, if kwh < 100.0 { 2 } else { 1 }, language))
}

/// Hour and minute: `07:49`.
#[must_use]
pub(crate) fn clock(at_ms: i64, offset_min: i32) -> String {
    let c = civil(at_ms, offset_min);
    format!("{:02}:{:02}", c.hour, c.minute)
}

/// Hour, minute and second: `07:49:01`.
#[must_use]
pub(crate) fn clock_seconds(at_ms: i64, offset_min: i32) -> String {
    let c = civil(at_ms, offset_min);
    format!("{:02}:{:02}:{:02}", c.hour, c.minute, c.second)
}

/// Day, month, hour and minute, with the year when it is another one than now: `20 Nov, 07:49`.
#[must_use]
pub(crate) fn day_clock(at_ms: i64, now_ms: i64, offset_min: i32, language: Language) -> String {
    let (at, now) = (civil(at_ms, offset_min), civil(now_ms, offset_min));
    if (at.year, at.month, at.day) == (now.year, now.month, now.day) {
        return clock(at_ms, offset_min);
    }
    let year = if at.year == now.year { String::new() } else { format!(" {}", at.year) };
    format!("{}{year}, {}", day_month(at, language), clock(at_ms, offset_min))
}

/// Day and month: `20 Nov`, `20 nov.`.
#[must_use]
pub(crate) fn day_month(at: Civil, language: Language) -> String {
    const EN: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    const PT: [&str; 12] =
        ["jan.", "fev.", "mar.", "abr.", "mai.", "jun.", "jul.", "ago.", "set.", "out.", "nov.", "dez."];
    let names = match language {
        Language::English => EN,
        Language::Portuguese => PT,
    };
    let month = names.get(usize::from(at.month.saturating_sub(1))).copied().unwrap_or(UNKNOWN);
    format!("{} {month}", at.day)
}

/// A length of time: `45 s`, `12 min`, `3 h 05 min`, `2 d 4 h`.
#[must_use]
pub(crate) fn duration(ms: i64) -> String {
    let seconds = (ms / 1000).max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, _) => format!("{hours} h {:02} min", minutes % 60),
        (_, _, _) => format!("{days} d {} h", hours % 24),
    }
}

/// A number as it stands in a field: no grouping, no trailing zeros, at most two decimals.
#[must_use]
pub(crate) fn field_number(value: f64, language: Language) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    match language {
        Language::English => text.to_owned(),
        Language::Portuguese => text.replace('.', ","),
    }
}

/// The same with up to three decimals, for values that have a thousandth: watt-hours of a kWh, a unit key.
#[must_use]
pub(crate) fn field_precise(value: f64, language: Language) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    match language {
        Language::English => text.to_owned(),
        Language::Portuguese => text.replace('.', ","),
    }
}

/// Reads a number as a person of either language types it: `7.5`, `7,5`, ` 7 `.
#[must_use]
pub(crate) fn read_number(text: &str) -> Option<f64> {
    let cleaned: String = text.trim().replace(['\u{a0}', ' '], "").replace(',', ".").replace('−', "-");
    cleaned.parse::<f64>().ok().filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decimals, thousands and signs follow the language, and an unknown number is a dash.
    #[test]
    fn numbers_follow_the_language() {
        let cases = [
            (7.44, 1, "7.4", "7,4"),
            (-0.04, 1, "0.0", "0,0"),
            (-3.25, 1, "−3.2", "−3,2"),
            (1234.5, 1, "1234.5", "1234,5"),
            (12_345.0, 0, "12,345", "12\u{a0}345"),
            (f64::NAN, 1, UNKNOWN, UNKNOWN),
        ];
        for (value, decimals, en, pt) in cases {
            assert_eq!(number(value, decimals, Language::English), en, "{value} in English");
            assert_eq!(number(value, decimals, Language::Portuguese), pt, "{value} in Portuguese");
        }
        assert_eq!(amps(8.0, Language::English), "8 A");
        assert_eq!(amps(7.96, Language::English), "8 A");
        assert_eq!(amps(7.5, Language::Portuguese), "7,5 A");
        assert_eq!(energy(12_345, Language::Portuguese), "12,35 kWh");
    }

    /// What people type in either language is read as the same number.
    #[test]
    fn reads_numbers_of_both_languages() {
        for (text, expected) in [("7,5", Some(7.5)), (" 41.4 ", Some(41.4)), ("", None), ("6A", None), ("inf", None)] {
            assert_eq!(read_number(text), expected, "{text:?}");
        }
    }

    /// Dates are short today and complete in another year.
    #[test]
    fn dates_say_as_much_as_needed() {
        let now = 1_795_160_941_000;
        assert_eq!(day_clock(now, now, 0, Language::English), "07:49");
        assert_eq!(day_clock(now - 86_400_000, now, 0, Language::Portuguese), "19 nov., 07:49");
        assert_eq!(day_clock(now - 366 * 86_400_000, now, 0, Language::English), "19 Nov 2025, 07:49");
        assert_eq!(duration(3 * 3_600_000 + 5 * 60_000), "3 h 05 min");
    }
}

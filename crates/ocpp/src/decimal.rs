//! Decimal numbers as whole thousandths; no value of a meter ever passes through a float.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use std::fmt;

/// A decimal number kept in thousandths; digits beyond are cut off, sizes beyond `i64` saturate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(i64);

/// Digits kept before saturating; enough for every `i64` in thousandths and far below overflow of `i128`.
const DIGITS_MAX: u32 = 30;
/// Exponents beyond this saturate or vanish anyway.
const EXPONENT_MAX: i32 = 60;

impl Decimal {
    /// From thousandths.
    #[must_use]
    pub const fn from_thousandths(thousandths: i64) -> Self {
        Self(thousandths)
    }

    /// From a whole number; saturates.
    #[must_use]
    pub const fn from_whole(whole: i64) -> Self {
        Self(whole.saturating_mul(1000))
    }

    /// In thousandths.
    #[must_use]
    pub const fn thousandths(self) -> i64 {
        self.0
    }

    /// Reads what chargers print: sign, digits, a point or a comma, an exponent, white space around it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        thousandths(text).map(|value| Self(clamp(value)))
    }

    /// Reads a whole number with the same tolerance; a fraction is cut off, sizes beyond `i64` saturate.
    #[must_use]
    pub fn parse_whole(text: &str) -> Option<i64> {
        thousandths(text).map(|value| clamp(value / 1000))
    }
}

fn clamp(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

fn thousandths(text: &str) -> Option<i128> {
    let text = text.trim();
    // Both signs: the last one is the point, the others part thousands.
    let last = text.rfind(['.', ',']);
    if let Some(last) = last
        && text.contains('.')
        && text.contains(',')
    {
        let (whole, part) = text.split_at_checked(last)?;
        let whole: String = whole.chars().filter(|c| !matches!(c, '.' | ',')).collect();
        return thousandths(&format!("{whole}.{}", part.get(1..)?));
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match digits.find(['e', 'E']) {
        Some(at) => (digits.get(..at)?, digits.get(at + 1..)?.parse::<i32>().ok()?),
        None => (digits, 0),
    };
    let mut value: i128 = 0;
    let (mut taken, mut seen_digit, mut point) = (0, false, None::<i32>);
    // `scale` counts how many digits of the value lie right of the point.
    let mut scale = exponent.clamp(-EXPONENT_MAX, EXPONENT_MAX).saturating_neg();
    for c in mantissa.chars() {
        if let Some(digit) = c.to_digit(10) {
            seen_digit = true;
            if taken < DIGITS_MAX {
                value = value * 10 + i128::from(digit);
                taken += u32::from(value != 0);
                scale += i32::from(point.is_some());
            } else {
                scale -= i32::from(point.is_none());
            }
        } else if matches!(c, '.' | ',') && point.is_none() {
            point = Some(0);
        } else {
            return None;
        }
    }
    if !seen_digit {
        return None;
    }
    let shift = 3 - scale;
    for _step in 0..shift.unsigned_abs().min(80) {
        value = if shift > 0 { value.saturating_mul(10) } else { value / 10 };
    }
    Some(if negative { value.saturating_neg() } else { value })
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, part) = (self.0.unsigned_abs() / 1000, self.0.unsigned_abs() % 1000);
        if part == 0 {
            return write!(f, "{sign}{whole}");
        }
        write!(f, "{sign}{whole}.{}", format!("{part:03}").trim_end_matches('0'))
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw = RawValue::from_string(self.to_string()).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::read::decimal(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Values as chargers print them become exact thousandths.
    #[test]
    fn decimals_are_read_exactly() {
        for (text, thousandths) in [
            ("0.1", 100),
            (" 21.4 ", 21_400),
            ("-3", -3_000),
            ("12,5", 12_500),
            ("1.2345", 1_234),
            ("1e3", 1_000_000),
            ("2.5E-1", 250),
            ("+.5", 500),
            ("9223372036854775807", i64::MAX),
            ("1e400", i64::MAX),
            ("-1e400", i64::MIN),
        ] {
            let exponent_too_big = text.contains("400");
            let read = Decimal::parse(text).map(Decimal::thousandths);
            assert_eq!(read, Some(thousandths), "{text} (beyond the type: {exponent_too_big})");
        }
        for text in ["", " ", "abc", "1.2.3", "0x10", "NaN", "--1", "1e", "e5", "."] {
            assert_eq!(Decimal::parse(text), None, "{text:?}");
        }
    }

    /// Q1: the largest i64 stays itself as a whole number.
    #[test]
    fn tx_id_i64_max() {
        assert_eq!(Decimal::parse_whole("9223372036854775807"), Some(i64::MAX));
        assert_eq!(Decimal::parse_whole("12.9"), Some(12));
    }

    proptest! {
        /// What we print we read back, and no text makes the reader panic.
        #[test]
        fn printing_and_reading_agree(value in any::<i64>(), junk in ".{0,40}") {
            prop_assert_eq!(Decimal::parse(&Decimal(value).to_string()), Some(Decimal(value)));
            let _read = Decimal::parse(&junk);
        }
    }
}

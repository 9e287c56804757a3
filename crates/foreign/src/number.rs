//! Decimal numbers as thousandths, without floating point.

/// Largest value that is believed, in thousandths: a register of a building over its life, in Wh.
const MILLI_MAX: i128 = 1_000_000_000_000_000;
/// More digits than any meter sends.
const DIGITS_MAX: usize = 40;

/// A number in thousandths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Milli(pub i64);

impl Milli {
    /// Reads `-12.5`, `1e3` or `7`, times `factor` (a number of the same kind), rounded to the nearest thousandth.
    /// `None` for what is no number, or one no meter measures.
    #[must_use]
    pub fn read(text: &str, factor: &str) -> Option<Self> {
        let (value, value_exponent) = parts(text)?;
        let (factor, factor_exponent) = parts(factor)?;
        let product = value.checked_mul(factor)?;
        let milli = shift(product, value_exponent + factor_exponent + 3)?;
        (-MILLI_MAX..=MILLI_MAX).contains(&milli).then(|| i64::try_from(milli).map(Self).ok()).flatten()
    }
}

/// Digits and the power of ten they are multiplied with.
fn parts(text: &str) -> Option<(i128, i32)> {
    let text = text.trim();
    if text.len() > DIGITS_MAX {
        return None;
    }
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (sign, digits) = match mantissa.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{fraction}");
    if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // A tenth digit after the point is beyond any meter; more would only overflow.
    let kept = all.get(..all.len().min(whole.len() + 9))?;
    let places = i32::try_from(kept.len() - whole.len()).ok()?;
    Some((sign * kept.parse::<i128>().ok()?, exponent.checked_sub(places)?))
}

/// Times a power of ten, rounded half away from zero.
fn shift(value: i128, exponent: i32) -> Option<i128> {
    if value == 0 {
        return Some(0);
    }
    let power = 10_i128.checked_pow(exponent.unsigned_abs());
    if exponent >= 0 {
        return value.checked_mul(power?);
    }
    // So small a part is nothing.
    let Some(power) = power else { return Some(0) };
    let half = power / 2;
    Some((value + half * value.signum()) / power)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers as meters write them become the right thousandths; text that is none is refused, not taken as zero.
    #[test]
    fn numbers_are_read() {
        let read = |text: &str, factor: &str| Milli::read(text, factor).map(|milli| milli.0);
        assert_eq!(read("230.1", "1"), Some(230_100));
        assert_eq!(read("-0.0005", "1"), Some(-1));
        assert_eq!(read("12.3456789", "1000"), Some(12_345_679));
        assert_eq!(read("1.5e2", "1"), Some(150_000));
        assert_eq!(read("60", "0.0166666667"), Some(1_000));
        assert_eq!(read("7", "-1"), Some(-7_000));
        for wrong in ["", "-", "NaN", "inf", "1,5", "0x10", "1e400", "9999999999999999999"] {
            assert_eq!(read(wrong, "1"), None, "{wrong}");
        }
        assert_eq!(read("1", "many"), None);
    }
}

//! The rules of the schemas, checked before anything is written.

use crate::{DateTime, Decimal};

/// A broken rule: where and which.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {rule}")]
pub struct Violation {
    /// Path of the field, parts joined by dots.
    pub path: String,
    /// The rule in words.
    pub rule: String,
}

/// Something whose schema can be checked.
pub trait Check {
    /// Checks lengths, lists of words, counts and decimals against the schema.
    ///
    /// # Errors
    /// The first broken rule.
    fn check(&self) -> Result<(), Violation>;
}

fn broken(field: &str, rule: String) -> Violation {
    Violation { path: field.to_owned(), rule }
}

pub(crate) fn inside(field: &str, result: Result<(), Violation>) -> Result<(), Violation> {
    result.map_err(|inner| Violation { path: format!("{field}.{}", inner.path), rule: inner.rule })
}

pub(crate) fn text(field: &str, text: &str, max: usize) -> Result<(), Violation> {
    match text.chars().count() {
        len if len > max => Err(broken(field, format!("at most {max} characters, this has {len}"))),
        _ => Ok(()),
    }
}

pub(crate) fn date_time(field: &str, value: &DateTime) -> Result<(), Violation> {
    match value.read() {
        Some(time) if time.has_zone => Ok(()),
        _ => {
            Err(broken(field, format!("{:?} is not a time with a zone, such as 2026-01-31T12:00:00Z", value.as_str())))
        }
    }
}

pub(crate) fn tenths(field: &str, value: &Decimal) -> Result<(), Violation> {
    if value.thousandths() % 100 == 0 {
        Ok(())
    } else {
        Err(broken(field, format!("{value} has more than one decimal")))
    }
}

pub(crate) fn listed(field: &str, word: &str, is_listed: bool) -> Result<(), Violation> {
    if is_listed { Ok(()) } else { Err(broken(field, format!("{word:?} is not a word of the list"))) }
}

pub(crate) fn at_least(field: &str, len: usize, min: usize) -> Result<(), Violation> {
    if len >= min { Ok(()) } else { Err(broken(field, format!("at least {min} entries, this has {len}"))) }
}

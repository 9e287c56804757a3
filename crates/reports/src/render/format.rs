//! Numbers, money, dates and times as people of each language write them.

use super::text::{EN, PT_BR, PT_PT, Text};
use crate::{Cents, Currency, Month, Zone};
use domain::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// Language of a statement, with its way to write numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Language {
    /// Portuguese of Portugal.
    #[default]
    #[serde(rename = "pt-PT")]
    PtPt,
    /// Portuguese of Brazil.
    #[serde(rename = "pt-BR")]
    PtBr,
    /// English.
    #[serde(rename = "en")]
    En,
}

/// A language nobody translated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are no statements in {0:?}; choose pt-PT, pt-BR or en")]
pub struct LanguageError(String);

impl FromStr for Language {
    type Err = LanguageError;
    fn from_str(text: &str) -> Result<Self, LanguageError> {
        match text.to_ascii_lowercase().as_str() {
            "pt" | "pt-pt" => Ok(Self::PtPt),
            "pt-br" => Ok(Self::PtBr),
            "en" | "en-gb" | "en-us" => Ok(Self::En),
            _ => Err(LanguageError(text.to_owned())),
        }
    }
}

/// Keeps a number and its unit on one line.
const NO_BREAK: char = '\u{a0}';

impl Language {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::PtPt, Self::PtBr, Self::En];

    /// Its code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::PtPt => "pt-PT",
            Self::PtBr => "pt-BR",
            Self::En => "en",
        }
    }

    pub(super) const fn text(self) -> &'static Text {
        match self {
            Self::PtPt => &PT_PT,
            Self::PtBr => &PT_BR,
            Self::En => &EN,
        }
    }

    /// A decimal with at least so many digits after the point; more where it has them.
    pub(super) fn number(self, value: Decimal, digits: u32) -> String {
        let mut value = value.normalize();
        if value.scale() < digits {
            value.rescale(digits);
        }
        let plain = value.abs().to_string();
        let (whole, fraction) = plain.split_once('.').map_or((plain.as_str(), None), |(w, f)| (w, Some(f)));
        let mut text = String::new();
        if value.is_sign_negative() && !value.is_zero() {
            text.push('−');
        }
        let (group, point) = match self {
            Self::PtPt => (NO_BREAK, ','),
            Self::PtBr => ('.', ','),
            Self::En => (',', '.'),
        };
        // In Portugal four digits stay together.
        let grouped = whole.len() > if self == Self::PtPt { 4 } else { 3 };
        for (index, digit) in whole.chars().enumerate() {
            if grouped && index > 0 && (whole.len() - index).is_multiple_of(3) {
                text.push(group);
            }
            text.push(digit);
        }
        if let Some(fraction) = fraction {
            text.push(point);
            text.push_str(fraction);
        }
        text
    }

    /// Energy in kWh, to the watt-hour.
    pub(super) fn kwh(self, wh: i64) -> String {
        format!("{}{NO_BREAK}kWh", self.number(Decimal::new(wh, 3), 3))
    }

    /// Energy in kWh with one digit, for large print.
    pub(super) fn kwh_short(self, wh: u64) -> String {
        let value = crate::kwh(wh).round_dp_with_strategy(1, rust_decimal::RoundingStrategy::MidpointAwayFromZero);
        format!("{}{NO_BREAK}kWh", self.number(value, 1))
    }

    /// An amount of money.
    pub(super) fn money(self, amount: Cents, currency: &Currency) -> String {
        self.price(amount.decimal(currency), currency)
    }

    /// A price, with all its digits.
    pub(super) fn price(self, value: Decimal, currency: &Currency) -> String {
        let sign = if value.is_sign_negative() && !value.is_zero() { "−" } else { "" };
        let number = self.number(value.abs(), currency.digits());
        let symbol = currency.symbol();
        match self {
            Self::PtPt => format!("{sign}{number}{NO_BREAK}{symbol}"),
            Self::PtBr => format!("{sign}{symbol}{NO_BREAK}{number}"),
            Self::En if symbol.chars().all(char::is_alphabetic) => format!("{sign}{symbol}{NO_BREAK}{number}"),
            Self::En => format!("{sign}{symbol}{number}"),
        }
    }

    /// A month by name, as it stands in a sentence.
    #[must_use]
    pub fn month(self, month: Month) -> String {
        let name = usize::try_from(month.number() - 1).ok().and_then(|index| self.text().months.get(index)).copied();
        let name = name.unwrap_or_default();
        match self {
            Self::PtPt | Self::PtBr => format!("{name} de {}", month.year()),
            Self::En => format!("{name} {}", month.year()),
        }
    }

    /// A day.
    pub(super) fn date(self, date: Date) -> String {
        match self {
            Self::PtPt | Self::PtBr => format!("{:02}/{:02}/{:04}", date.day(), date.month(), date.year()),
            Self::En => format!("{} {} {}", date.day(), self.short_month(date), date.year()),
        }
    }

    /// A moment by the clock on the building's wall, without the year.
    pub(super) fn moment(self, at: Timestamp, zone: &Zone) -> String {
        let wall = zone.wall(at);
        let time = format!("{:02}:{:02}", wall.minute / 60, wall.minute % 60);
        match self {
            Self::PtPt | Self::PtBr => format!("{:02}/{:02} {time}", wall.date.day(), wall.date.month()),
            Self::En => format!("{} {} {time}", wall.date.day(), self.short_month(wall.date)),
        }
    }

    fn short_month(self, date: Date) -> String {
        let name = usize::try_from(date.month() - 1).ok().and_then(|index| self.text().months.get(index)).copied();
        name.unwrap_or_default().chars().take(3).collect()
    }

    /// A change in per cent, rounded to whole ones, with its sign.
    pub(super) fn change(self, before: i64, now: i64) -> Option<String> {
        let (before, now) = (i128::from(before), i128::from(now));
        if before <= 0 {
            return None;
        }
        let percent = ((now - before) * 1000 / before + if now >= before { 5 } else { -5 }) / 10;
        let arrow = if percent > 0 {
            "↑"
        } else if percent < 0 {
            "↓"
        } else {
            "="
        };
        Some(format!("{arrow} {}{NO_BREAK}%", percent.unsigned_abs()))
    }
}

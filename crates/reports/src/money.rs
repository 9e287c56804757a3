//! Money: exact decimals until a line is finished, then whole minor units (cents) for ever.
//!
//! The rounding rule of all statements, stated here and nowhere else: a line is quantity times price, computed
//! exactly, and rounded once to the currency's smallest unit, halves away from zero. Totals are sums of rounded
//! lines. An amount that is divided among many is divided by [`apportion`], so that the parts sum to it exactly.

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub};

/// An amount in the smallest unit of the building's currency, such as euro cents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cents(pub i64);

impl Cents {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The amount in the currency's main unit, such as euros.
    #[must_use]
    pub fn decimal(self, currency: &Currency) -> Decimal {
        Decimal::new(self.0, currency.digits())
    }
}

impl Add for Cents {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Cents {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Cents {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Neg for Cents {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl Sum for Cents {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Add::add)
    }
}

/// An ISO 4217 currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Currency(String);

/// Currencies without a smaller unit, ISO 4217.
const NO_DIGITS: [&str; 15] =
    ["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF"];

/// Currencies with thousandths, ISO 4217.
const THREE_DIGITS: [&str; 7] = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];

impl Currency {
    /// From its code; any case.
    #[must_use]
    pub fn new(code: &str) -> Self {
        Self(code.trim().to_ascii_uppercase())
    }

    /// Its code, such as `EUR`.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.0
    }

    /// Decimals of its smallest unit.
    #[must_use]
    pub fn digits(&self) -> u32 {
        if NO_DIGITS.contains(&self.code()) {
            0
        } else if THREE_DIGITS.contains(&self.code()) {
            3
        } else {
            2
        }
    }

    /// How it is written beside an amount.
    #[must_use]
    pub fn symbol(&self) -> &str {
        match self.code() {
            "EUR" => "€",
            "BRL" => "R$",
            "GBP" => "£",
            "USD" => "US$",
            "NOK" | "SEK" | "DKK" => "kr",
            other => other,
        }
    }

    /// Rounds an exact amount in the main unit to its smallest unit, halves away from zero.
    #[must_use]
    pub fn round(&self, exact: Decimal) -> Cents {
        let scale = Decimal::from(10_u64.pow(self.digits()));
        let whole = exact
            .checked_mul(scale)
            .unwrap_or(Decimal::MAX)
            .round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
        Cents(i64::try_from(whole.mantissa() / 10_i128.pow(whole.scale())).unwrap_or(i64::MAX))
    }
}

/// Watt-hours as exact kilowatt-hours.
#[must_use]
pub fn kwh(wh: u64) -> Decimal {
    Decimal::from_i128_with_scale(i128::from(wh), 3)
}

/// Divides an amount in proportion to the weights, by largest remainder: the parts sum to the amount exactly, each
/// differs from its exact share by less than one unit, and of equal remainders the earlier part gets the unit.
/// `None` when no weight is above zero: then nobody can be named to carry it.
#[must_use]
pub fn apportion(amount: Cents, weights: &[u128]) -> Option<Vec<Cents>> {
    let sum: u128 = weights.iter().sum();
    if sum == 0 {
        return None;
    }
    let total = u128::from(amount.0.unsigned_abs());
    // Weights are watt-hours, days or shares: far below 2^64, as is the amount, so the product fits.
    let exact = |weight: &u128| total.saturating_mul(*weight);
    let mut parts: Vec<u128> = weights.iter().map(|weight| exact(weight) / sum).collect();
    let mut left = total - parts.iter().sum::<u128>().min(total);
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(weights.get(*index).map_or(0, |weight| exact(weight) % sum)));
    for index in order {
        if left == 0 {
            break;
        }
        if let Some(part) = parts.get_mut(index) {
            *part += 1;
            left -= 1;
        }
    }
    let signed = |part: u128| {
        let size = Cents(i64::try_from(part).unwrap_or(i64::MAX));
        if amount.0 < 0 { -size } else { size }
    };
    Some(parts.into_iter().map(signed).collect())
}

//! Rounding and dividing.

use crate::common::decimal;
use proptest::prelude::*;
use reports::{Cents, Currency, apportion};

/// The rounding rule: once, to the smallest unit of the currency, halves away from zero.
#[test]
fn halves_round_away_from_zero() {
    for (currency, exact, cents) in [
        ("EUR", "0.004", 0),
        ("EUR", "0.005", 1),
        ("EUR", "0.0149999999", 1),
        ("EUR", "0.015", 2),
        ("EUR", "2.675", 268),
        ("EUR", "-0.005", -1),
        ("JPY", "10.5", 11),
        ("TND", "0.0005", 1),
        ("eur", "12", 1200),
    ] {
        assert_eq!(Currency::new(currency).round(decimal(exact)), Cents(cents), "{exact} {currency}");
    }
}

/// The unit that is left over goes to the largest remainder, of equal ones to the first.
#[test]
fn largest_remainder() {
    assert_eq!(apportion(Cents(100), &[1, 1, 1]), Some(vec![Cents(34), Cents(33), Cents(33)]));
    assert_eq!(apportion(Cents(5), &[10, 0, 90]), Some(vec![Cents(1), Cents(0), Cents(4)]));
    assert_eq!(apportion(Cents(-100), &[1, 2]), Some(vec![Cents(-33), Cents(-67)]));
    assert_eq!(apportion(Cents(100), &[0, 0]), None);
}

proptest! {
    /// The parts of a divided amount sum to it, none is more than a unit off its exact share, nobody without weight pays.
    #[test]
    fn parts_sum_to_the_amount(amount in -1_000_000_000_i64..1_000_000_000, weights in proptest::collection::vec(0_u128..1_000_000_000, 1..60)) {
        let sum: u128 = weights.iter().sum();
        let Some(parts) = apportion(Cents(amount), &weights) else {
            prop_assert_eq!(sum, 0);
            return Ok(());
        };
        prop_assert_eq!(parts.iter().map(|part| part.0).sum::<i64>(), amount);
        for (part, weight) in parts.iter().zip(&weights) {
            let exact = amount as f64 * *weight as f64 / sum as f64;
            prop_assert!((part.0 as f64 - exact).abs() <= 1.0, "{} is not {exact}", part.0);
            prop_assert!(*weight > 0 || part.0 == 0);
        }
    }
}

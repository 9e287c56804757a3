//! Whether two card numbers may be one card that two readers print differently. Pure, and only a guess: a person says
//! whether it is so.

use crate::CardUid;
use std::collections::BTreeSet;

/// How the other number comes from the same card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CardLikeness {
    /// The same bytes as a decimal number.
    Decimal,
    /// The bytes in the other order.
    Reversed,
    /// Only some of the bytes: readers of the first days know numbers of four bytes, Wiegand of three.
    CutOff,
}

/// Shortest part of a number that says anything: Wiegand carries three bytes.
const PART_BYTES_MIN: usize = 3;
/// Shortest number of a card (ISO 14443-3, single size).
const CARD_BYTES_MIN: usize = 4;
/// Longest number of a card (ISO 14443-3, triple size).
const CARD_BYTES_MAX: usize = 10;
/// First byte of a number that goes on in the next cascade level (ISO 14443-3).
const CASCADE_TAG: u8 = 0x88;

impl CardUid {
    /// How `other` may be another reading of this card; `None` when nothing speaks for it, or both are the same number.
    ///
    /// The likeness is symmetric: it does not say which of the two readers prints the whole number.
    #[must_use]
    pub fn likeness(&self, other: &Self) -> Option<CardLikeness> {
        if self == other {
            return None;
        }
        let (ours, theirs) = (meanings(self.as_str()), meanings(other.as_str()));
        ours.iter().flat_map(|one| theirs.iter().filter_map(move |two| alike(one, two))).min()
    }
}

/// What a number may mean: its bytes, and whether they were written as hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Meaning {
    bytes: Vec<u8>,
    is_hex: bool,
}

fn meanings(text: &str) -> BTreeSet<Meaning> {
    let mut found = BTreeSet::new();
    if let Some(bytes) = hex(text) {
        found.insert(Meaning { bytes, is_hex: true });
    }
    found.extend(decimal(text).into_iter().chain(wiegand(text)).map(|bytes| Meaning { bytes, is_hex: false }));
    found
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits?;
    let pair = |pair: &[u8]| pair.iter().fold(0_u8, |byte, digit| byte << 4 | digit);
    let bytes: Vec<u8> = digits.chunks(2).map(pair).collect();
    let fits = digits.len().is_multiple_of(2) && (PART_BYTES_MIN..=CARD_BYTES_MAX).contains(&bytes.len());
    fits.then_some(bytes)
}

/// The bytes of a decimal number; readers that type print ten digits with zeros in front.
fn decimal(text: &str) -> Option<Vec<u8>> {
    let number: u128 = text.parse().ok()?;
    let bytes: Vec<u8> = number.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
    if !(PART_BYTES_MIN..=CARD_BYTES_MAX).contains(&bytes.len()) {
        return None;
    }
    Some(bytes)
}

/// `123,45678`: a group of one or two bytes, and a number of two.
fn wiegand(text: &str) -> Option<Vec<u8>> {
    let (group, number) = text.split_once([',', '/', '.'])?;
    let (group, number): (u16, u16) = (group.parse().ok()?, number.parse().ok()?);
    let group = group.to_be_bytes().into_iter().skip_while(|byte| *byte == 0);
    let bytes: Vec<u8> = group.chain(number.to_be_bytes()).collect();
    (bytes.len() >= PART_BYTES_MIN).then_some(bytes)
}

fn alike(one: &Meaning, two: &Meaning) -> Option<CardLikeness> {
    let (long, short) = if one.bytes.len() >= two.bytes.len() { (one, two) } else { (two, one) };
    // Three bytes of hexadecimal digits are no card; three bytes of a decimal number are Wiegand.
    if long.bytes.len() < CARD_BYTES_MIN && (one.is_hex || two.is_hex) {
        return None;
    }
    if short.is_hex && short.bytes.len() < CARD_BYTES_MIN {
        return None;
    }
    let mut turned = long.bytes.clone();
    turned.reverse();
    let same_writing = one.is_hex == two.is_hex;
    if short.bytes == long.bytes {
        return (!same_writing).then_some(CardLikeness::Decimal);
    }
    if short.bytes == turned {
        return Some(CardLikeness::Reversed);
    }
    // A zero byte at the front of the whole number is lost in a decimal one.
    let is_part = |whole: &[u8], part: &[u8]| whole.starts_with(part) || whole.ends_with(part);
    let cascade = match short.bytes.split_first() {
        Some((&CASCADE_TAG, rest)) if short.bytes.len() == CARD_BYTES_MIN => long.bytes.starts_with(rest),
        Some(_) | None => false,
    };
    let mut back = short.bytes.clone();
    back.reverse();
    let shorter = short.bytes.len() < long.bytes.len() || !same_writing;
    let part = is_part(&long.bytes, &short.bytes) || is_part(&long.bytes, &back);
    ((shorter && part) || (cascade && long.bytes.len() > CARD_BYTES_MIN)).then_some(CardLikeness::CutOff)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn like(one: &str, two: &str) -> Option<CardLikeness> {
        let uid = |text: &str| CardUid::new(text).unwrap();
        assert_eq!(uid(one).likeness(&uid(two)), uid(two).likeness(&uid(one)), "{one} and {two}");
        uid(one).likeness(&uid(two))
    }

    /// The ways in which readers on the market print one card.
    #[test]
    fn readings_of_one_card() {
        for (one, two, expected) in [
            ("04A1B2C3", "C3B2A104", Some(CardLikeness::Reversed)),
            ("04A1B2C3", "0077705923", Some(CardLikeness::Decimal)),
            ("04A1B2C3", "77705923", Some(CardLikeness::Decimal)),
            ("04A1B2C3", "3283263748", Some(CardLikeness::Reversed)),
            ("04A1B2C3D4E5F6", "04A1B2C3", Some(CardLikeness::CutOff)),
            ("04A1B2C3D4E5F6", "C3D4E5F6", Some(CardLikeness::CutOff)),
            ("04A1B2C3D4E5F6", "8804A1B2", Some(CardLikeness::CutOff)),
            ("04A1B2C3D4E5F6", "F6E5D4C3B2A104", Some(CardLikeness::Reversed)),
            ("04A1B2C3D4E5F6", "F6E5D4C3", Some(CardLikeness::CutOff)),
            ("04A1B2C3D4E5F60718", "04A1B2C3D4E5F6", Some(CardLikeness::CutOff)),
            ("04A1B2C3", "161,45763", Some(CardLikeness::CutOff)),
            ("04A1B2C3", "04A1B2C3", None),
            ("04A1B2C3", "04A1B2C4", None),
            ("04A1B2C3", "A1B2C3", None),
            ("ANA", "BRUNO", None),
            ("1", "01", None),
        ] {
            assert_eq!(like(one, two), expected, "{one} and {two}");
        }
    }

    proptest! {
        /// Every way of printing a number is found, whatever the number.
        #[test]
        fn every_printing_is_found(bytes in prop::collection::vec(1_u8.., 7)) {
            let print = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>();
            let turned: Vec<u8> = bytes.iter().rev().copied().collect();
            let number = bytes.iter().fold(0_u128, |sum, byte| sum << 8 | u128::from(*byte));
            let whole = print(&bytes);
            for other in [print(&turned), number.to_string(), print(&bytes[..4]), print(&bytes[3..])] {
                prop_assert!(other == whole || like(&whole, &other).is_some(), "{} and {}", whole, other);
            }
        }

        /// Numbers that share nothing are not offered as one card.
        #[test]
        fn strangers_are_not_offered(one in prop::collection::vec(0x10_u8..0x7F, 7), two in prop::collection::vec(0x80_u8.., 7)) {
            let print = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>();
            prop_assert_eq!(like(&print(&one), &print(&two)), None);
        }
    }
}

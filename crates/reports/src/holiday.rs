//! Days on which a tariff counts as a holiday.
//!
//! Brazil: the national holidays of ANEEL's Resolução Normativa 1000/2021, article 2 (definition of the peak), and
//! 20 November, national since Lei 14.759/2023. Portugal: the mandatory holidays of the Código do Trabalho,
//! article 234. The movable ones follow Easter by the Gregorian computus.

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Which days are holidays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "calendar")]
pub enum Holidays {
    /// None.
    #[default]
    None,
    /// National holidays of Brazil as the white tariff counts them.
    Brazil,
    /// National holidays of Portugal.
    Portugal,
    /// Days the manager lists.
    Listed {
        /// The days.
        dates: Vec<Date>,
    },
}

/// Month and day.
const BRAZIL: [(i8, i8); 9] = [(1, 1), (4, 21), (5, 1), (9, 7), (10, 12), (11, 2), (11, 15), (11, 20), (12, 25)];

/// Month and day.
const PORTUGAL: [(i8, i8); 10] =
    [(1, 1), (4, 25), (5, 1), (6, 10), (8, 15), (10, 5), (11, 1), (12, 1), (12, 8), (12, 25)];

/// 20 November became a national holiday of Brazil in this year.
const BRAZIL_CONSCIOUSNESS_SINCE: i16 = 2024;

impl Holidays {
    /// Whether a day is one.
    #[must_use]
    pub fn contains(&self, date: Date) -> bool {
        let day = (date.month(), date.day());
        match self {
            Self::None => false,
            Self::Brazil => {
                let fixed = BRAZIL.contains(&day) && (day != (11, 20) || date.year() >= BRAZIL_CONSCIOUSNESS_SINCE);
                // Carnival Tuesday, Good Friday, Corpus Christi.
                fixed || [-47, -2, 60].iter().any(|days| easter_plus(date.year(), *days) == Some(date))
            }
            Self::Portugal => {
                // Good Friday, Easter Sunday, Corpo de Deus.
                PORTUGAL.contains(&day) || [-2, 0, 60].iter().any(|days| easter_plus(date.year(), *days) == Some(date))
            }
            Self::Listed { dates } => dates.contains(&date),
        }
    }
}

fn easter_plus(year: i16, days: i32) -> Option<Date> {
    easter(year)?.checked_add(days.days()).ok()
}

/// Easter Sunday of the Gregorian calendar (Meeus, Jones and Butcher).
#[must_use]
pub fn easter(year: i16) -> Option<Date> {
    let y = i32::from(year);
    let (a, b, c) = (y % 19, y / 100, y % 100);
    let (d, e, f) = (b / 4, b % 4, (b + 8) / 25);
    let g = (b - f + 1) / 3;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let sum = h + l - 7 * m + 114;
    Date::new(year, i8::try_from(sum / 31).ok()?, i8::try_from(sum % 31 + 1).ok()?).ok()
}

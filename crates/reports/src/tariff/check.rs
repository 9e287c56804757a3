//! Whether a tariff can be used. Everything wrong is said at once, each in a sentence that says what to do.

use super::{Category, DayKind, EnergyPrice, Rule, Share, Tariff, TaxRate, Version};
use crate::Month;
use jiff::ToSpan as _;
use jiff::civil::Date;
use rust_decimal::Decimal;

/// Something that keeps a tariff from being used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TariffError {
    /// A version, period, charge, flag or tax without a name.
    #[error("give every part of {0} a name")]
    Unnamed(String),
    /// The last day lies before the first.
    #[error("{name:?} ends on {to}, before it begins on {from}; correct one of the dates")]
    Backwards {
        /// Version.
        name: String,
        /// First day.
        from: Date,
        /// Last day.
        to: Date,
    },
    /// Two versions hold on one day.
    #[error("{first:?} and {second:?} are both valid on {on}; end the first the day before the second begins")]
    Overlap {
        /// Earlier version.
        first: String,
        /// Later version.
        second: String,
        /// First day they share.
        on: Date,
    },
    /// Days between two versions have no price.
    #[error("no version is valid from {from} to {to}, between {first:?} and {second:?}; extend one of them")]
    VersionGap {
        /// Earlier version.
        first: String,
        /// Later version.
        second: String,
        /// First day without a price.
        from: Date,
        /// Last day without a price.
        to: Date,
    },
    /// A time of the week has no period.
    #[error("{version:?} has no period on {day:?} at {at} ({season} time); add a rule that covers it")]
    PeriodGap {
        /// Version.
        version: String,
        /// Kind of day.
        day: DayKind,
        /// `summer` or `winter`.
        season: &'static str,
        /// Time of the day.
        at: String,
    },
    /// A time of the week has two periods.
    #[error("{version:?} has two periods on {day:?} at {at} ({season} time); shorten one of the rules")]
    PeriodOverlap {
        /// Version.
        version: String,
        /// Kind of day.
        day: DayKind,
        /// `summer` or `winter`.
        season: &'static str,
        /// Time of the day.
        at: String,
    },
    /// A rule names a period that does not exist, ends before it begins, or names no day.
    #[error("rule {rule} of {version:?} needs a period that exists, at least one day, and an end after its beginning")]
    Rule {
        /// Version.
        version: String,
        /// Which rule, counted from 1.
        rule: usize,
    },
    /// No period at all.
    #[error("{0:?} needs at least one period, and rules that say when each is valid if there are several")]
    NoPeriod(String),
    /// A price below zero.
    #[error("{what} of {version:?} is {value}, below zero; prices and fees are zero or more")]
    Negative {
        /// Version.
        version: String,
        /// Which price.
        what: String,
        /// The price.
        value: Decimal,
    },
    /// More than any price can be.
    #[error("{what} of {version:?} is {value}; at most 1,000,000 with ten decimals can be computed exactly")]
    TooLarge {
        /// Version.
        version: String,
        /// Which price.
        what: String,
        /// The price.
        value: Decimal,
    },
    /// An amount every tenant pays in full cannot be a divided invoice.
    #[error("the invoice of {0:?} is divided; choose equally, by use or by unit key")]
    InvoiceEach(String),
    /// Dividing by unit key without any.
    #[error("{0:?} divides by unit key; enter the share of at least one unit")]
    NoUnitKeys(String),
    /// A tax on a tax or on a correction.
    #[error("the tax {tax:?} of {version:?} is on corrections, which carry their tax already; remove that")]
    TaxOnCorrection {
        /// Version.
        version: String,
        /// Tax.
        tax: String,
    },
    /// A month names a flag no version knows.
    #[error("{month} has the flag {flag:?}, which no version valid in it knows; choose one of its flags")]
    UnknownFlag {
        /// Month.
        month: Month,
        /// Flag.
        flag: String,
    },
    /// An invoice below zero.
    #[error("the invoice of {month} is {amount}; enter an amount from zero to 1,000,000,000")]
    InvoiceAmount {
        /// Month.
        month: Month,
        /// Amount.
        amount: Decimal,
    },
}

/// Beyond this a price is a slip of the keyboard.
const PRICE_MAX: i64 = 1_000_000;

/// Decimals a price may have: with them every product stays inside the 28 digits of a decimal.
const PRICE_SCALE_MAX: u32 = 10;

impl Tariff {
    /// Everything that keeps it from being used, in the order of the document.
    ///
    /// # Errors
    /// The list, when it is not empty.
    pub fn check(&self) -> Result<(), Vec<TariffError>> {
        let mut found = Vec::new();
        for version in &self.versions {
            check_version(version, &mut found);
            let by_key = version.charges.iter().any(|charge| charge.share == Share::ByUnitKey)
                || version.invoice == Some(Share::ByUnitKey);
            if by_key && self.unit_keys.values().all(|share| *share == 0) {
                found.push(TariffError::NoUnitKeys(version.name.clone()));
            }
        }
        self.check_validity(&mut found);
        self.check_months(&mut found);
        if found.is_empty() { Ok(()) } else { Err(found) }
    }

    fn check_validity(&self, found: &mut Vec<TariffError>) {
        let mut order: Vec<&Version> = self.versions.iter().collect();
        order.sort_by_key(|version| version.valid_from);
        for pair in order.windows(2) {
            let [first, second] = pair else { continue };
            let (names, on) = ((first.name.clone(), second.name.clone()), second.valid_from);
            match first.valid_to {
                Some(last) if last < on => {
                    let expected = last.checked_add(1.day()).unwrap_or(on);
                    if expected < on {
                        let to = on.checked_sub(1.day()).unwrap_or(on);
                        found.push(TariffError::VersionGap { first: names.0, second: names.1, from: expected, to });
                    }
                }
                Some(_) | None => found.push(TariffError::Overlap { first: names.0, second: names.1, on }),
            }
        }
    }

    fn check_months(&self, found: &mut Vec<TariffError>) {
        for (month, entry) in &self.months {
            if let Some(flag) = &entry.flag {
                let known = month
                    .dates()
                    .filter_map(|date| self.version_on(date))
                    .any(|(_, version)| version.flags.iter().any(|known| known.name == *flag));
                if !known {
                    found.push(TariffError::UnknownFlag { month: *month, flag: flag.clone() });
                }
            }
            if let Some(amount) = entry.invoice_amount
                && (amount < Decimal::ZERO || amount > Decimal::from(PRICE_MAX * 1000))
            {
                found.push(TariffError::InvoiceAmount { month: *month, amount });
            }
        }
    }
}

fn check_version(version: &Version, found: &mut Vec<TariffError>) {
    let name = || version.name.clone();
    if let Some(last) = version.valid_to.filter(|last| *last < version.valid_from) {
        found.push(TariffError::Backwards { name: name(), from: version.valid_from, to: last });
    }
    let names = std::iter::once(&version.name)
        .chain(version.energy.periods.iter().map(|period| &period.name))
        .chain(version.flags.iter().map(|flag| &flag.name))
        .chain(version.charges.iter().map(|charge| &charge.name))
        .chain(version.taxes.iter().map(|tax| &tax.name));
    if names.into_iter().any(|name| name.trim().is_empty()) {
        let which =
            if version.name.trim().is_empty() { "the tariff".to_owned() } else { format!("{:?}", version.name) };
        found.push(TariffError::Unnamed(which));
    }
    for (what, value) in prices(version) {
        if value < Decimal::ZERO {
            found.push(TariffError::Negative { version: name(), what, value });
        } else if value > Decimal::from(PRICE_MAX) || value.scale() > PRICE_SCALE_MAX {
            found.push(TariffError::TooLarge { version: name(), what, value });
        }
    }
    if version.invoice == Some(Share::Each) {
        found.push(TariffError::InvoiceEach(name()));
    }
    for tax in version.taxes.iter().filter(|tax| tax.on.contains(&Category::Correction)) {
        found.push(TariffError::TaxOnCorrection { version: name(), tax: tax.name.clone() });
    }
    check_periods(version, found);
}

/// Every price of a version with the words for it.
fn prices(version: &Version) -> Vec<(String, Decimal)> {
    let mut all = vec![("the session fee".to_owned(), version.session_fee)];
    all.extend(version.energy.periods.iter().map(|p| (format!("the price of {:?}", p.name), p.price_per_kwh)));
    all.extend(version.solar_price_per_kwh.map(|price| ("the solar price".to_owned(), price)));
    all.extend(version.flags.iter().map(|flag| (format!("the flag {:?}", flag.name), flag.per_kwh)));
    all.extend(version.idle_fee.as_ref().map(|fee| ("the idle fee".to_owned(), fee.per_hour)));
    all.extend(version.charges.iter().map(|charge| (format!("the charge {:?}", charge.name), charge.amount)));
    all.extend(version.taxes.iter().map(|tax| {
        let rate = match &tax.rate {
            TaxRate::Percent(rate) | TaxRate::PerKwh(rate) => *rate,
        };
        (format!("the tax {:?}", tax.name), rate)
    }));
    all
}

fn check_periods(version: &Version, found: &mut Vec<TariffError>) {
    let EnergyPrice { periods, rules, .. } = &version.energy;
    if periods.is_empty() || (rules.is_empty() && periods.len() > 1) {
        found.push(TariffError::NoPeriod(version.name.clone()));
        return;
    }
    for (index, rule) in rules.iter().enumerate() {
        if rule.period >= periods.len() || rule.days.is_empty() || rule.to <= rule.from {
            found.push(TariffError::Rule { version: version.name.clone(), rule: index + 1 });
        }
    }
    let knows_holidays = rules.iter().any(|rule| rule.days.contains(&DayKind::Holiday));
    let days = DayKind::ALL.into_iter().filter(|kind| *kind != DayKind::Holiday || knows_holidays);
    for day in days.filter(|_| !rules.is_empty()) {
        for (season, summer) in [("summer", true), ("winter", false)] {
            check_day(version, rules, (day, season, summer), found);
        }
    }
}

/// The first gap and the first overlap of a kind of day.
fn check_day(
    version: &Version,
    rules: &[Rule],
    (day, season, summer): (DayKind, &'static str, bool),
    found: &mut Vec<TariffError>,
) {
    let at = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    let count = |minute: u16| rules.iter().filter(|rule| rule.matches(day, summer, minute)).count();
    let quarters = || (0..96_u16).map(|quarter| quarter * 15);
    let version = &version.name;
    if let Some(minute) = quarters().find(|minute| count(*minute) == 0) {
        found.push(TariffError::PeriodGap { version: version.clone(), day, season, at: at(minute) });
    }
    if let Some(minute) = quarters().find(|minute| count(*minute) > 1) {
        found.push(TariffError::PeriodOverlap { version: version.clone(), day, season, at: at(minute) });
    }
}

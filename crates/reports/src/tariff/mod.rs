//! What energy and everything else costs, in versions that follow each other.
//!
//! A [`Tariff`] is one document: versions, what the manager enters for single months, and the shares of the units.
//! [`Tariff::check`] says everything that is wrong with it at once.

mod check;
mod portuguese;
mod templates;

pub use self::check::TariffError;
pub use self::templates::{Template, template, templates};

use crate::Month;
use crate::holiday::Holidays;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The building's tariff.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tariff {
    /// Versions by validity; a day outside all of them has no price.
    #[serde(default)]
    pub versions: Vec<Version>,
    /// What was entered for single months.
    #[serde(default)]
    pub months: BTreeMap<Month, MonthEntry>,
    /// Share of each unit (permilagem), by tenant; only their proportions count. They are the tenants' own, not part of the
    /// document: whoever computes a month puts them in.
    #[serde(default, skip_serializing)]
    pub unit_keys: BTreeMap<i64, u32>,
}

/// What holds from one day to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// Name people see.
    pub name: String,
    /// First day.
    pub valid_from: Date,
    /// Last day; open when absent.
    #[serde(default)]
    pub valid_to: Option<Date>,
    /// Price of energy over the day, the week and the year.
    pub energy: EnergyPrice,
    /// Price of a kWh from the solar roof; `None` prices it like the grid's.
    #[serde(default)]
    pub solar_price_per_kwh: Option<Decimal>,
    /// Surcharges per kWh that a month may carry ("bandeira tarifária").
    #[serde(default)]
    pub flags: Vec<Flag>,
    /// Fee for each session.
    #[serde(default)]
    pub session_fee: Decimal,
    /// Fee for standing connected after the car is full.
    #[serde(default)]
    pub idle_fee: Option<IdleFee>,
    /// Fixed amounts: power charge, monthly fees, common costs.
    #[serde(default)]
    pub charges: Vec<Charge>,
    /// Recovers the supplier's invoice: its amount is entered for each month and divided like this.
    #[serde(default)]
    pub invoice: Option<Share>,
    /// Taxes, each computed on the rounded lines it is on.
    #[serde(default)]
    pub taxes: Vec<Tax>,
}

/// Prices of a kWh.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnergyPrice {
    /// The periods and their prices; a flat tariff has one.
    pub periods: Vec<Period>,
    /// When each period is in force; empty for a flat tariff.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// Days that count as [`DayKind::Holiday`].
    #[serde(default)]
    pub holidays: Holidays,
}

/// A tariff period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// Name people see, such as "Vazio".
    pub name: String,
    /// Price of a kWh before taxes, in the main unit of the currency.
    pub price_per_kwh: Decimal,
}

/// A kind of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayKind {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
    /// A holiday of the version's calendar, whatever its weekday.
    Holiday,
}

impl DayKind {
    /// All of them, in order.
    pub const ALL: [Self; 8] = [
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
        Self::Sunday,
        Self::Holiday,
    ];
    /// Monday to Friday.
    pub const WORKDAYS: [Self; 5] = [Self::Monday, Self::Tuesday, Self::Wednesday, Self::Thursday, Self::Friday];
}

/// Part of the year.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Season {
    /// The whole year.
    #[default]
    All,
    /// While summer time is in force ("hora legal de verão").
    Summer,
    /// While it is not ("hora legal de inverno").
    Winter,
}

/// When a period is in force: these days, in this season, from one time to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The days; without [`DayKind::Holiday`] anywhere, a holiday counts as its weekday.
    pub days: Vec<DayKind>,
    /// The season.
    #[serde(default)]
    pub season: Season,
    /// First minute, by the clock on the wall.
    pub from: ClockTime,
    /// First minute after; `24:00` for midnight.
    pub to: ClockTime,
    /// Which period, counted from 0.
    pub period: usize,
}

/// Minutes since midnight, on a full quarter of an hour; as text `09:15`. Every zone's offset is a multiple of a
/// quarter of an hour, so a building's periods change on the same grid all year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClockTime(u16);

/// A text that is no time of the day.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no time on a full quarter of an hour; write it as 09:15, the end of the day as 24:00")]
pub struct ClockTimeError(String);

impl ClockTime {
    /// The end of the day.
    pub const END: Self = Self(1440);

    /// From hours and minutes; `None` beyond 24:00 or off the quarter of an hour.
    #[must_use]
    pub const fn new(hour: u16, minute: u16) -> Option<Self> {
        let minutes = hour.saturating_mul(60).saturating_add(minute);
        if minute < 60 && minutes <= 1440 && minutes.is_multiple_of(15) { Some(Self(minutes)) } else { None }
    }

    /// Minutes since midnight.
    #[must_use]
    pub const fn minutes(self) -> u16 {
        self.0
    }
}

impl TryFrom<String> for ClockTime {
    type Error = ClockTimeError;
    fn try_from(text: String) -> Result<Self, ClockTimeError> {
        let parsed =
            text.split_once(':').and_then(|(hour, minute)| Self::new(hour.parse().ok()?, minute.parse().ok()?));
        parsed.ok_or(ClockTimeError(text))
    }
}

impl From<ClockTime> for String {
    fn from(time: ClockTime) -> Self {
        format!("{:02}:{:02}", time.0 / 60, time.0 % 60)
    }
}

/// A surcharge a month may carry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flag {
    /// Name people see, such as "Vermelha 1".
    pub name: String,
    /// Surcharge per kWh from the grid.
    pub per_kwh: Decimal,
}

/// Fee for standing connected after the car stopped drawing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdleFee {
    /// Price of an hour.
    pub per_hour: Decimal,
    /// Minutes that are free.
    #[serde(default)]
    pub grace_minutes: u32,
}

/// What a fixed amount is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChargeKind {
    /// Contracted power.
    Power,
    /// A fee.
    Fee,
    /// A common cost, such as maintenance or insurance.
    Cost,
}

/// How often an amount is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Every {
    /// Each day.
    Day,
    /// Each month; a part of a month counts by its days.
    Month,
}

/// Who carries an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Share {
    /// Every tenant carries the whole amount.
    Each,
    /// Divided equally, by days of tenancy.
    Equal,
    /// Divided by the energy of the month.
    ByUse,
    /// Divided by the unit's share of the building.
    ByUnitKey,
}

/// A fixed amount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Charge {
    /// What for.
    pub kind: ChargeKind,
    /// Name people see.
    pub name: String,
    /// The amount.
    pub amount: Decimal,
    /// How often.
    pub every: Every,
    /// Who carries it.
    pub share: Share,
}

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Energy of a period.
    Energy,
    /// Energy from the solar roof.
    Solar,
    /// Surcharge of the month's flag.
    Flag,
    /// Fee per session.
    Session,
    /// Fee for standing connected.
    Idle,
    /// Contracted power.
    Power,
    /// Fixed fees.
    Fee,
    /// Common costs.
    Cost,
    /// Part of the supplier's invoice.
    Invoice,
    /// Correction of a closed month.
    Correction,
}

impl Category {
    /// Whether its lines follow from use, so that a late session changes them.
    #[must_use]
    pub const fn is_usage(self) -> bool {
        match self {
            Self::Energy | Self::Solar | Self::Flag | Self::Session | Self::Idle => true,
            Self::Power | Self::Fee | Self::Cost | Self::Invoice | Self::Correction => false,
        }
    }
}

/// A tax.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tax {
    /// Name people see, such as "IVA 23 %".
    pub name: String,
    /// Rate.
    pub rate: TaxRate,
    /// What it is on; corrections are never taxed twice.
    pub on: Vec<Category>,
}

/// How a tax is computed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaxRate {
    /// So many percent of the lines.
    Percent(Decimal),
    /// So much for each kWh.
    PerKwh(Decimal),
}

/// What the manager enters for one month.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MonthEntry {
    /// Name of the flag in force.
    #[serde(default)]
    pub flag: Option<String>,
    /// Amount of the supplier's invoice to recover.
    #[serde(default)]
    pub invoice_amount: Option<Decimal>,
}

impl Tariff {
    /// The version in force on a day.
    #[must_use]
    pub fn version_on(&self, date: Date) -> Option<(usize, &Version)> {
        self.versions.iter().enumerate().find(|(_, version)| version.holds(date))
    }
}

impl Version {
    /// Whether it is in force on a day.
    #[must_use]
    pub fn holds(&self, date: Date) -> bool {
        self.valid_from <= date && self.valid_to.is_none_or(|last| date <= last)
    }
}

impl EnergyPrice {
    /// The period in force on a day of a kind at a minute; `None` in a gap.
    #[must_use]
    pub fn period_at(&self, kind: DayKind, summer: bool, minute: u16) -> Option<usize> {
        if self.rules.is_empty() {
            return (self.periods.len() == 1).then_some(0);
        }
        self.rules.iter().find(|rule| rule.matches(kind, summer, minute)).map(|rule| rule.period)
    }

    /// The kind of a day: a holiday only where some rule speaks of holidays.
    #[must_use]
    pub fn day_kind(&self, date: Date) -> DayKind {
        let knows_holidays = self.rules.iter().any(|rule| rule.days.contains(&DayKind::Holiday));
        if knows_holidays && self.holidays.contains(date) {
            return DayKind::Holiday;
        }
        DayKind::ALL.get(crate::zone::weekday_index(date)).copied().unwrap_or(DayKind::Sunday)
    }
}

impl Rule {
    /// Whether it speaks of this minute.
    #[must_use]
    pub fn matches(&self, kind: DayKind, summer: bool, minute: u16) -> bool {
        let season = match self.season {
            Season::All => true,
            Season::Summer => summer,
            Season::Winter => !summer,
        };
        season && self.days.contains(&kind) && self.from.0 <= minute && minute < self.to.0
    }
}

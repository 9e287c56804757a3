//! Tariffs and the letterhead, as they are read and replaced. Prices are decimals written as text, so that none is
//! rounded on its way; dates are `2026-10-01`, times of the day `09:15`.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The building's tariff: all of it, to read and to replace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TariffDocument {
    /// Versions by validity; they neither overlap nor leave gaps.
    pub versions: Vec<TariffVersion>,
    /// Entries of single months, by `yyyy-mm`.
    #[serde(default)]
    pub months: BTreeMap<String, TariffMonth>,
}

/// What holds from one day to another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TariffVersion {
    /// Name people see.
    pub name: String,
    /// First day.
    pub valid_from: String,
    /// Last day; `null` for no end.
    #[serde(default)]
    pub valid_to: Option<String>,
    /// Prices of a kWh.
    pub energy: TariffEnergy,
    /// Price of a kWh from the solar roof; `null` prices it like the grid's.
    #[serde(default)]
    pub solar_price_per_kwh: Option<String>,
    /// Surcharges per kWh a month may carry.
    #[serde(default)]
    pub flags: Vec<TariffFlag>,
    /// Fee for each session.
    #[serde(default = "zero")]
    pub session_fee: String,
    /// Fee for standing connected after the car is full.
    #[serde(default)]
    pub idle_fee: Option<TariffIdleFee>,
    /// Fixed amounts.
    #[serde(default)]
    pub charges: Vec<TariffCharge>,
    /// How the supplier's invoice is divided; `null` recovers none.
    #[serde(default)]
    pub invoice: Option<TariffShare>,
    /// Taxes.
    #[serde(default)]
    pub taxes: Vec<TariffTax>,
}

fn zero() -> String {
    "0".to_owned()
}

/// Prices of a kWh over the week.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TariffEnergy {
    /// Periods and their prices; a flat tariff has one.
    pub periods: Vec<TariffPeriod>,
    /// When each is valid; empty for a flat tariff.
    #[serde(default)]
    pub rules: Vec<TariffRule>,
    /// Days that count as holidays.
    #[serde(default)]
    pub holidays: TariffHolidays,
}

/// A tariff period.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TariffPeriod {
    /// Name people see.
    pub name: String,
    /// Price of a kWh before taxes.
    pub price_per_kwh: String,
}

/// When a period is valid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TariffRule {
    /// `monday` to `sunday` and `holiday`.
    pub days: Vec<String>,
    /// `all`, `summer` or `winter`.
    pub season: String,
    /// First minute.
    pub from: String,
    /// First minute after; `24:00` for the end of the day.
    pub to: String,
    /// Period, counted from 0.
    pub period: usize,
}

/// Which days are holidays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", tag = "calendar")]
pub enum TariffHolidays {
    /// None.
    #[default]
    None,
    /// National holidays of Brazil.
    Brazil,
    /// National holidays of Portugal.
    Portugal,
    /// These days.
    Listed {
        /// The days.
        dates: Vec<String>,
    },
}

/// A surcharge a month may carry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TariffFlag {
    /// Name people see.
    pub name: String,
    /// Surcharge per kWh.
    pub per_kwh: String,
}

/// Fee for standing connected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TariffIdleFee {
    /// Price of an hour.
    pub per_hour: String,
    /// Minutes that are free.
    #[serde(default)]
    pub grace_minutes: u32,
}

/// Who carries an amount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TariffShare {
    /// Every tenant the whole amount.
    #[default]
    Each,
    /// Divided equally.
    Equal,
    /// Divided by energy.
    ByUse,
    /// Divided by unit key.
    ByUnitKey,
}

/// A fixed amount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TariffCharge {
    /// `power`, `fee` or `cost`.
    pub kind: String,
    /// Name people see.
    pub name: String,
    /// The amount.
    pub amount: String,
    /// `day` or `month`.
    pub every: String,
    /// Who carries it.
    pub share: TariffShare,
}

/// A tax.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TariffTax {
    /// Name people see.
    pub name: String,
    /// Rate.
    pub rate: TariffRate,
    /// `energy`, `solar`, `flag`, `session`, `idle`, `power`, `fee`, `cost`, `invoice`.
    pub on: Vec<String>,
}

/// How a tax is computed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TariffRate {
    /// Percent of the lines.
    Percent(String),
    /// Amount per kWh.
    PerKwh(String),
}

/// What was entered for one month.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TariffMonth {
    /// Flag in force.
    #[serde(default)]
    pub flag: Option<String>,
    /// Amount of the supplier's invoice.
    #[serde(default)]
    pub invoice_amount: Option<String>,
}

/// The tariff with what helps to show it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TariffPage {
    /// The tariff in force.
    pub tariff: TariffDocument,
    /// For each version, its week.
    pub calendars: Vec<TariffCalendar>,
    /// Ready-made versions to begin with.
    pub templates: Vec<TariffVersion>,
    /// Why the tariff cannot be used; empty for one that can.
    pub problems: Vec<String>,
    /// The same in Portuguese.
    #[serde(default)]
    pub problems_pt: Vec<String>,
}

/// The period of every quarter of an hour: 96 numbers for each of Monday to Sunday and holiday.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TariffCalendar {
    /// In summer time.
    pub summer: Vec<Vec<Option<u8>>>,
    /// In winter time.
    pub winter: Vec<Vec<Option<u8>>>,
}

/// Who sends the statements.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LetterheadItem {
    /// Name; the site's when empty.
    #[serde(default)]
    pub name: String,
    /// Address and contact, one line each.
    #[serde(default)]
    pub lines: Vec<String>,
    /// PNG or JPEG as Base64; empty for none.
    #[serde(default)]
    pub logo_base64: String,
    /// `pt-PT`, `pt-BR` or `en`: of the summary, and of tenants who chose none.
    #[serde(default)]
    pub language: String,
    /// Chargers whose meter is MID-certified.
    #[serde(default)]
    pub mid_chargers: Vec<String>,
}

/// The manager's own mail server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MailItem {
    /// Its name; empty for none.
    #[serde(default)]
    pub host: String,
    /// Its port.
    #[serde(default)]
    pub port: u16,
    /// `tls`, `starttls` or `none` (this computer only).
    #[serde(default)]
    pub security: String,
    /// User name; empty for none.
    #[serde(default)]
    pub user: String,
    /// Sender, such as `Condomínio <administracao@example.pt>`.
    #[serde(default)]
    pub from: String,
    /// Only when it changes; never given back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// Where the password is kept; empty when there is none. Only in answers.
    #[serde(default)]
    pub password_in: String,
}

//! What a month comes to: figures and names from the tariff, no names of people, ready to be closed and rendered.

use crate::Month;
use crate::money::{Cents, Currency};
use crate::obstacle::Obstacle;
use crate::tariff::{Category, TaxRate};
use domain::{ChargerId, ConnectorNumber, Provenance, SessionId, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// A month of a building: one statement per tenant, what nobody pays, and how it all adds up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonthResult {
    /// The summary.
    pub summary: Summary,
    /// One per tenant with energy or money, in the order of the input.
    pub statements: Vec<Statement>,
    /// The part nobody pays: sessions without a tenant, and what could not be divided.
    pub unassigned: Statement,
}

/// One tenant's month, or the building's own part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// Month.
    pub month: Month,
    /// Pseudonym; `None` is the building's own part.
    pub tenant: Option<String>,
    /// Time zone of the building.
    pub time_zone: String,
    /// Currency.
    pub currency: Currency,
    /// Sessions in the order they began.
    pub sessions: Vec<SessionLine>,
    /// Energy of all sessions in this month.
    pub energy_wh: u64,
    /// Of it, measured by MID-certified meters.
    pub mid_wh: u64,
    /// Energy of each day.
    pub days_wh: Vec<u64>,
    /// What it costs, in the order of the tariff.
    pub lines: Vec<Line>,
    /// Taxes on the lines.
    pub taxes: Vec<TaxLine>,
    /// Sum of the lines.
    pub net: Cents,
    /// Sum of the taxes.
    pub tax: Cents,
    /// Sum of both.
    pub total: Cents,
    /// The month before; `None` when it is not closed.
    pub previous: Option<Previous>,
    /// Net and taxes of the lines that follow from use: what a late session would change.
    pub usage_total: Cents,
}

/// The month before, for comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Previous {
    /// Energy.
    pub energy_wh: u64,
    /// Total.
    pub total: Cents,
}

/// The part of a session that lies in the month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionLine {
    /// Number.
    pub id: SessionId,
    /// Charger.
    pub charger: ChargerId,
    /// Connector.
    pub connector: ConnectorNumber,
    /// Start; may lie before the month.
    pub started_at: Timestamp,
    /// End; may lie after the month, `None` while it runs.
    pub ended_at: Option<Timestamp>,
    /// Energy in this month.
    pub energy_wh: u64,
    /// Its share of the energy lines (energy, solar, flag); the shares sum to those lines.
    pub amount: Cents,
    /// Trust.
    pub provenance: Provenance,
    /// Whether part of it lies in another month.
    pub is_cut: bool,
    /// Whether a cut lies between readings far apart.
    pub is_cut_estimated: bool,
    /// Whether its meter is MID-certified.
    pub is_mid: bool,
}

/// A line of a statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What it is about.
    pub category: Category,
    /// Its name in the tariff: the period, flag or charge; the month for a correction.
    pub name: String,
    /// The tariff version, where the month has several.
    pub version: Option<String>,
    /// How much of it.
    pub quantity: Amount,
    /// Price of one unit of the quantity, in the main unit of the currency; `None` for a share of a common amount.
    pub price: Option<Decimal>,
    /// What it costs.
    pub amount: Cents,
}

/// How much of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Amount {
    /// Energy in Wh, priced per kWh.
    Energy(u64),
    /// Energy to add or take back.
    EnergyChange(i64),
    /// Sessions.
    Sessions(u32),
    /// Minutes, priced per hour.
    Minutes(u64),
    /// Days.
    Days(u32),
    /// A part of an amount of the whole building.
    ShareOf(Cents),
}

/// A tax.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxLine {
    /// Its name in the tariff.
    pub name: String,
    /// Its rate.
    pub rate: TaxRate,
    /// What it is on; for a tax per kWh the energy is in `energy_wh`.
    pub base: Cents,
    /// Energy it is on; 0 for a percentage.
    pub energy_wh: u64,
    /// The tax.
    pub amount: Cents,
}

/// The month of the whole building.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Month.
    pub month: Month,
    /// Time zone.
    pub time_zone: String,
    /// Currency.
    pub currency: Currency,
    /// Names of the tariff versions in force.
    pub versions: Vec<String>,
    /// Tenants, in the order of the statements.
    pub tenants: Vec<SummaryRow>,
    /// What nobody pays.
    pub unassigned: SummaryRow,
    /// Energy of each day.
    pub days_wh: Vec<u64>,
    /// Energy of all sessions: tenants and unassigned.
    pub energy_wh: u64,
    /// Sum of all totals.
    pub total: Cents,
    /// How sessions, registers and meters compare.
    pub reconciliation: Reconciliation,
    /// What keeps the month from closing, and what the manager decided about it.
    pub obstacles: Vec<Obstacle>,
    /// What is kept beside the documents of a closed month, so that the chain covers it too; `None` while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_with: Option<Basis>,
}

/// What a closed month keeps beside its documents: corrections of later months are computed from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// When it was closed.
    pub closed_at: Timestamp,
    /// Its first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
    /// SHA-256 of the tariff's text, in hexadecimal.
    pub tariff: String,
    /// Tells whether any of its sessions changed since.
    pub sessions: String,
}

/// One tenant in the summary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SummaryRow {
    /// Pseudonym; `None` is the building's own part.
    pub tenant: Option<String>,
    /// Sessions.
    pub sessions: u32,
    /// Energy.
    pub energy_wh: u64,
    /// Before taxes.
    pub net: Cents,
    /// Taxes.
    pub tax: Cents,
    /// Total.
    pub total: Cents,
}

/// How sessions, registers and meters compare. Differences are shown, never spread.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconciliation {
    /// Energy of all sessions.
    pub sessions_wh: u64,
    /// Of it, paid by tenants.
    pub tenants_wh: u64,
    /// Of it, paid by nobody.
    pub unassigned_wh: u64,
    /// Registers of the connectors.
    pub registers: Vec<RegisterRow>,
    /// Meters that measure nothing but chargers.
    pub meters: Vec<MeterRow>,
}

/// A connector's register against its sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterRow {
    /// Charger.
    pub charger: ChargerId,
    /// Connector.
    pub connector: ConnectorNumber,
    /// Energy of its sessions.
    pub sessions_wh: u64,
    /// What the register counted; `None` when it cannot be told.
    pub register_wh: Option<u64>,
    /// Register less sessions.
    pub difference_wh: Option<i64>,
    /// Why they differ.
    pub explanation: Explanation,
}

/// A meter against all sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeterRow {
    /// Its name.
    pub name: String,
    /// What it counted.
    pub meter_wh: u64,
    /// Meter less sessions.
    pub difference_wh: i64,
    /// Why they differ.
    pub explanation: Explanation,
}

/// Why two counts differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Explanation {
    /// They do not.
    Equal,
    /// Within what the times of the readings and the losses of the wiring explain.
    WithinTolerance,
    /// The register went back: it was reset or exchanged.
    RegisterReset,
    /// No register was read at one of the ends of the month.
    NoRegister,
    /// The register counted energy that no session has.
    OutsideSessions,
    /// The sessions have energy the register did not count.
    SessionsExceed,
}

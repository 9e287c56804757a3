//! Tariffs, monthly statements and the files they are handed out as.
//!
//! [`compute`] turns a [`MonthInput`] (sessions with their readings, a checked [`Tariff`], the tenants by pseudonym) into
//! a [`MonthResult`]; [`chain::seal`] closes it; [`render`] makes PDF, XLSX and CSV of it. Everything is exact: energy in
//! whole watt-hours, money in decimals that are rounded once (see [`Cents`]).
//!
//! Must not know: queries, screens, the network, the present time. Names of people arrive only when rendering.

pub mod chain;
mod compute;
mod cut;
mod doubt;
pub mod holiday;
mod input;
mod money;
mod obstacle;
mod price;
mod reconcile;
pub mod render;
mod statement;
mod tariff;
mod timeline;
mod trace;
mod zone;

pub use self::compute::{compute, corrections, corrections_in, touches};
pub use self::input::{ConnectorRegister, Correction, MeterCount, MeteredSession, MonthInput, Payer};
pub use self::money::{Cents, Currency, apportion, kwh};
pub use self::obstacle::{Obstacle, ObstacleKind};
pub use self::statement::{
    Amount, Basis, Explanation, Line, MeterRow, MonthResult, Previous, Reconciliation, RegisterRow, SessionLine,
    Statement, Summary, SummaryRow, TaxLine,
};
pub use self::tariff::{
    Category, Charge, ChargeKind, ClockTime, ClockTimeError, DayKind, EnergyPrice, Every, Flag, IdleFee, MonthEntry,
    Period, Rule, Season, Share, Tariff, TariffError, Tax, TaxRate, Template, Version, template, templates,
};
pub use self::zone::{Month, MonthError, WallTime, Zone, ZoneError};

//! What a month is computed from.

use crate::Month;
use crate::money::{Cents, Currency};
use crate::tariff::Tariff;
use crate::zone::Zone;
use domain::{ChargerId, ConnectorNumber, OrphanStop, Session, TenantId, Timestamp, WattHours};
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// Everything a month's statements follow from. The same input always gives the same statements.
#[derive(Clone, Debug)]
pub struct MonthInput {
    /// Which month.
    pub month: Month,
    /// Time zone of the building.
    pub zone: Zone,
    /// Currency of the building.
    pub currency: Currency,
    /// The tariff; pass only checked ones.
    pub tariff: Tariff,
    /// Everyone who may pay.
    pub tenants: Vec<Payer>,
    /// Sessions that touch the month, in any order.
    pub sessions: Vec<MeteredSession>,
    /// Stops of this month that fit no session.
    pub orphans: Vec<OrphanStop>,
    /// Registers of the connectors at both ends of the month.
    pub registers: Vec<ConnectorRegister>,
    /// Meters that measure nothing but chargers, and what they counted in the month.
    pub meters: Vec<MeterCount>,
    /// Part of the building's energy that came from its own roof, in thousandths, by the quarter of an hour (its first
    /// millisecond since 1970 UTC).
    pub solar_permille: BTreeMap<i64, u16>,
    /// Chargers whose meter is certified under the Measuring Instruments Directive (2014/32/EU).
    pub mid_chargers: BTreeSet<ChargerId>,
    /// What the manager decided about obstacles: key and reason.
    pub decisions: BTreeMap<String, String>,
    /// Energy and total of the month before, by pseudonym.
    pub previous: BTreeMap<String, (u64, Cents)>,
    /// What arrived too late for closed months.
    pub corrections: Vec<Correction>,
    /// The oldest month with sessions that is not closed, if it lies before this one.
    pub earlier_open: Option<Month>,
    /// The newest closed month, if any.
    pub newest_closed: Option<Month>,
    /// The present.
    pub now: Timestamp,
}

/// Someone who pays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payer {
    /// Number.
    pub id: TenantId,
    /// Pseudonym: names are kept elsewhere, so that they can be erased.
    pub key: String,
    /// First day of the tenancy; open when absent.
    pub from: Option<Date>,
    /// Last day of the tenancy; open when absent.
    pub to: Option<Date>,
}

/// A session with the readings that tell when its energy flowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeteredSession {
    /// The session, as corrected by the manager where he did.
    pub session: Session,
    /// Energy since its start, by time; may be empty.
    pub readings: Vec<(Timestamp, WattHours)>,
    /// Most power its connector can give, in W; 0 when unknown.
    pub power_max_w: u64,
    /// Whether the manager decided about what looked wrong in it.
    pub decided: bool,
}

/// A connector's register at both ends of the month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectorRegister {
    /// Charger.
    pub charger: ChargerId,
    /// Connector.
    pub connector: ConnectorNumber,
    /// Last value before the month; `None` when never read.
    pub at_start: Option<WattHours>,
    /// Last value before the month's end; `None` when never read.
    pub at_end: Option<WattHours>,
}

/// What a meter counted in the month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterCount {
    /// Its name.
    pub name: String,
    /// Energy.
    pub energy: WattHours,
}

/// Energy and money that a closed month should have had and did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// The closed month.
    pub month: Month,
    /// Pseudonym of the tenant; `None` is the building's own part.
    pub tenant: Option<String>,
    /// Energy to add; below zero to take back.
    pub energy_wh: i64,
    /// Money to add, taxes included; below zero to give back.
    pub amount: Cents,
}

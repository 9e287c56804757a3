//! A small building and a way to say a session in one line.

use domain::{ChargerId, ConnectorNumber, EndReason, Provenance, Session, SessionId, TenantId, Timestamp, WattHours};
use jiff::civil::Date;
use reports::{
    Charge, ChargeKind, Currency, EnergyPrice, Every, MeteredSession, Month, MonthInput, Payer, Period, Share, Tariff,
    Version, Zone, holiday::Holidays,
};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

/// A moment as RFC 3339 says it.
pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

pub(crate) fn date(text: &str) -> Date {
    text.parse().unwrap()
}

pub(crate) fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub(crate) fn month(text: &str) -> Month {
    text.parse().unwrap()
}

/// A session of a tenant at charger C1 that ended.
pub(crate) fn session(id: i32, tenant: Option<i64>, from: &str, to: &str, wh: u64) -> MeteredSession {
    MeteredSession {
        session: Session {
            id: SessionId(id),
            charger: ChargerId::new("C1").unwrap(),
            connector: ConnectorNumber(1),
            card: None,
            tenant: tenant.map(TenantId),
            started_at: at(from),
            ended_at: Some(at(to)),
            meter_start: WattHours(1_000),
            meter_last: WattHours(1_000 + wh),
            energy: WattHours(wh),
            provenance: Provenance::Measured,
            end_reason: Some(EndReason::Card),
        },
        readings: Vec::new(),
        power_max_w: 22_000,
        decided: false,
    }
}

/// Adds readings as `(time, Wh since the start)`.
pub(crate) fn read(mut one: MeteredSession, readings: &[(&str, u64)]) -> MeteredSession {
    one.readings = readings.iter().map(|(time, wh)| (at(time), WattHours(*wh))).collect();
    one
}

/// A flat tariff.
pub(crate) fn flat(price: &str, from: &str) -> Version {
    Version {
        name: "Flat".to_owned(),
        valid_from: date(from),
        valid_to: None,
        energy: EnergyPrice {
            periods: vec![Period { name: "Energy".to_owned(), price_per_kwh: decimal(price) }],
            rules: Vec::new(),
            holidays: Holidays::None,
        },
        solar_price_per_kwh: None,
        flags: Vec::new(),
        session_fee: Decimal::ZERO,
        idle_fee: None,
        charges: Vec::new(),
        invoice: None,
        taxes: Vec::new(),
    }
}

pub(crate) fn charge(amount: &str, every: Every, share: Share) -> Charge {
    Charge { kind: ChargeKind::Cost, name: "Common".to_owned(), amount: decimal(amount), every, share }
}

pub(crate) fn tariff(versions: Vec<Version>) -> Tariff {
    Tariff { versions, ..Tariff::default() }
}

/// A building in Lisbon with tenants 1 to 3, long after the month.
pub(crate) fn input(of: &str, tariff: Tariff, sessions: Vec<MeteredSession>) -> MonthInput {
    let payer = |id| Payer { id: TenantId(id), key: format!("key-{id}"), from: None, to: None };
    MonthInput {
        month: month(of),
        zone: Zone::new("Europe/Lisbon").unwrap(),
        currency: Currency::new("EUR"),
        tariff,
        tenants: (1..=3).map(payer).collect(),
        sessions,
        orphans: Vec::new(),
        registers: Vec::new(),
        meters: Vec::new(),
        solar_permille: BTreeMap::new(),
        mid_chargers: BTreeSet::new(),
        decisions: BTreeMap::new(),
        previous: BTreeMap::new(),
        corrections: Vec::new(),
        earlier_open: None,
        newest_closed: None,
        now: at("2030-01-01T00:00:00Z"),
    }
}

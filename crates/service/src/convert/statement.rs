//! Statements and tariffs for clients.

use crate::books::MonthBook;
use crate::time_text;
use api::{
    MonthState, MonthStatement, ObstacleCode, ObstacleItem, ReconciliationRow, StatementItem, StatementLine,
    StatementRow, StatementSession, TariffCalendar,
};
use reports::{Amount, Cents, Currency, DayKind, Obstacle, ObstacleKind, Statement, SummaryRow, TaxRate, Version};
use serde::Serialize;

fn money(amount: Cents, currency: &Currency) -> String {
    amount.decimal(currency).to_string()
}

/// The word serde has for a value that is one word.
fn word(value: impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// A month for clients.
pub(crate) fn month_statement(book: &MonthBook) -> MonthStatement {
    let summary = &book.result.summary;
    let row = |row: &SummaryRow| summary_row(row, book, &summary.currency);
    let registers = summary.reconciliation.registers.iter().map(|row| ReconciliationRow {
        name: format!("{} · {}", row.charger, row.connector),
        sessions_wh: row.sessions_wh,
        counted_wh: row.register_wh,
        difference_wh: row.difference_wh,
        explanation: word(row.explanation),
    });
    let meters = summary.reconciliation.meters.iter().map(|row| ReconciliationRow {
        name: row.name.clone(),
        sessions_wh: summary.energy_wh,
        counted_wh: Some(row.meter_wh),
        difference_wh: Some(row.difference_wh),
        explanation: word(row.explanation),
    });
    MonthStatement {
        month: book.month.to_string(),
        state: state(book),
        closed_at: book.closed_at.map(time_text::text),
        hash: book.summary_seal.as_ref().map(|seal| seal.hash.clone()),
        currency: summary.currency.code().to_owned(),
        versions: summary.versions.clone(),
        tenants: summary.tenants.iter().map(row).collect(),
        unassigned: row(&summary.unassigned),
        days_wh: summary.days_wh.clone(),
        energy_wh: summary.energy_wh,
        total: money(summary.total, &summary.currency),
        reconciliation: registers.chain(meters).collect(),
        obstacles: summary.obstacles.iter().map(obstacle).collect(),
    }
}

const fn state(book: &MonthBook) -> MonthState {
    if book.is_closed() { MonthState::Closed } else { MonthState::Preview }
}

fn summary_row(row: &SummaryRow, book: &MonthBook, currency: &Currency) -> StatementRow {
    let known = row.tenant.as_ref().and_then(|key| book.around.known.get(key));
    StatementRow {
        tenant_id: known.map(|known| known.id.0),
        name: known.map(|known| known.person.name.clone()).unwrap_or_default(),
        unit: known.map(|known| known.person.unit.clone()).unwrap_or_default(),
        sessions: row.sessions,
        energy_wh: row.energy_wh,
        net: money(row.net, currency),
        tax: money(row.tax, currency),
        total: money(row.total, currency),
    }
}

/// One tenant's statement for clients.
pub(crate) fn statement_item(statement: &Statement, book: &MonthBook) -> StatementItem {
    let currency = &statement.currency;
    let seal = book.seals.get(&statement.tenant);
    let row = SummaryRow {
        tenant: statement.tenant.clone(),
        sessions: u32::try_from(statement.sessions.len()).unwrap_or(u32::MAX),
        energy_wh: statement.energy_wh,
        net: statement.net,
        tax: statement.tax,
        total: statement.total,
    };
    StatementItem {
        month: book.month.to_string(),
        state: state(book),
        currency: currency.code().to_owned(),
        row: summary_row(&row, book, currency),
        lines: statement.lines.iter().map(|one| line(one, currency)).collect(),
        taxes: statement.taxes.iter().map(|tax| tax_line(tax, currency)).collect(),
        sessions: statement.sessions.iter().map(|one| session(one, currency)).collect(),
        days_wh: statement.days_wh.clone(),
        mid_wh: statement.mid_wh,
        number: seal.map(|seal| seal.number),
        hash: seal.map(|seal| seal.hash.clone()),
    }
}

fn line(line: &reports::Line, currency: &Currency) -> StatementLine {
    let (energy_wh, quantity) = match line.quantity {
        Amount::Energy(wh) => (i64::try_from(wh).ok(), None),
        Amount::EnergyChange(wh) => (Some(wh), None),
        Amount::Sessions(count) => (None, Some(count.to_string())),
        Amount::Minutes(minutes) => (None, Some(minutes.to_string())),
        Amount::Days(days) => (None, Some(days.to_string())),
        Amount::ShareOf(whole) => (None, Some(money(whole, currency))),
    };
    StatementLine {
        category: word(line.category),
        name: line.name.clone(),
        energy_wh,
        quantity,
        price: line.price.map(|price| price.to_string()),
        amount: money(line.amount, currency),
    }
}

fn tax_line(tax: &reports::TaxLine, currency: &Currency) -> StatementLine {
    let (energy_wh, quantity, price) = match &tax.rate {
        TaxRate::Percent(percent) => (None, Some(money(tax.base, currency)), percent),
        TaxRate::PerKwh(price) => (i64::try_from(tax.energy_wh).ok(), None, price),
    };
    StatementLine {
        category: "tax".to_owned(),
        name: tax.name.clone(),
        energy_wh,
        quantity,
        price: Some(price.to_string()),
        amount: money(tax.amount, currency),
    }
}

fn session(line: &reports::SessionLine, currency: &Currency) -> StatementSession {
    StatementSession {
        id: line.id.0,
        charger: line.charger.as_str().to_owned(),
        connector: line.connector.0,
        started_at: time_text::text(line.started_at),
        ended_at: line.ended_at.map(time_text::text),
        energy_wh: line.energy_wh,
        amount: money(line.amount, currency),
        provenance: word(line.provenance),
        is_cut: line.is_cut,
    }
}

fn obstacle(obstacle: &Obstacle) -> ObstacleItem {
    let signed = |wh: u64| i64::try_from(wh).unwrap_or(i64::MAX);
    let (code, subject, energy_wh) = match &obstacle.kind {
        ObstacleKind::MonthRuns => (ObstacleCode::MonthRuns, String::new(), 0),
        ObstacleKind::EarlierMonthOpen { earlier } => (ObstacleCode::EarlierMonthOpen, earlier.to_string(), 0),
        ObstacleKind::LaterMonthClosed { later } => (ObstacleCode::LaterMonthClosed, later.to_string(), 0),
        ObstacleKind::NoTariff { from, .. } => (ObstacleCode::NoTariff, from.to_string(), 0),
        ObstacleKind::InvoiceMissing => (ObstacleCode::InvoiceMissing, String::new(), 0),
        ObstacleKind::FlagMissing => (ObstacleCode::FlagMissing, String::new(), 0),
        ObstacleKind::OpenSession { charger, .. } => (ObstacleCode::OpenSession, charger.to_string(), 0),
        ObstacleKind::EndsBeforeStart { .. } => (ObstacleCode::EndsBeforeStart, String::new(), 0),
        ObstacleKind::ImpossibleEnergy { energy_wh, .. } => {
            (ObstacleCode::ImpossibleEnergy, String::new(), signed(*energy_wh))
        }
        ObstacleKind::RegisterDoubt { energy_wh, .. } => {
            (ObstacleCode::RegisterDoubt, String::new(), signed(*energy_wh))
        }
        ObstacleKind::NoTenant { energy_wh, .. } => (ObstacleCode::NoTenant, String::new(), signed(*energy_wh)),
        ObstacleKind::EndEstimated { .. } => (ObstacleCode::EndEstimated, String::new(), 0),
        ObstacleKind::ReadingsMissing { .. } => (ObstacleCode::ReadingsMissing, String::new(), 0),
        ObstacleKind::OrphanStop { charger, .. } => (ObstacleCode::OrphanStop, charger.to_string(), 0),
        ObstacleKind::RegisterMismatch { charger, connector, difference_wh } => {
            (ObstacleCode::RegisterMismatch, format!("{charger} · {connector}"), *difference_wh)
        }
        ObstacleKind::MeterMismatch { meter, difference_wh } => {
            (ObstacleCode::MeterMismatch, meter.clone(), *difference_wh)
        }
    };
    ObstacleItem {
        key: obstacle.key.clone(),
        code,
        can_accept: obstacle.kind.can_be_accepted(),
        accepted: obstacle.accepted.clone(),
        session_id: obstacle.kind.session().map(|id| id.0),
        subject,
        energy_wh,
    }
}

/// The week of a version.
pub(crate) fn calendar(version: &Version) -> TariffCalendar {
    let day = |kind: DayKind, summer: bool| -> Vec<Option<u8>> {
        let quarters = (0..96_u16).map(|quarter| quarter * 15);
        let period = |minute| version.energy.period_at(kind, summer, minute).and_then(|index| u8::try_from(index).ok());
        quarters.map(period).collect()
    };
    let week = |summer| DayKind::ALL.into_iter().map(|kind| day(kind, summer)).collect();
    TariffCalendar { summer: week(true), winter: week(false) }
}

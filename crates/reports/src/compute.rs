//! A month's statements from its sessions and its tariff.

use crate::cut::{Account, Cut};
use crate::doubt::doubts;
use crate::input::{Correction, MonthInput, Payer};
use crate::money::Cents;
use crate::obstacle::{Obstacle, ObstacleKind};
use crate::price::{Party, finish, invoice_rule, price};
use crate::reconcile::reconcile;
use crate::statement::{MonthResult, Statement, Summary, SummaryRow};
use crate::timeline::Timeline;
use crate::trace::Trace;
use domain::{TenantId, Timestamp};
use jiff::civil::Date;
use std::collections::BTreeMap;

/// Computes a month. The same input gives the same result; nothing is lost: tenants and the building's own part sum to
/// the sessions to the watt-hour, and lines and taxes to the totals to the cent.
#[must_use]
pub fn compute(input: &MonthInput) -> MonthResult {
    let timeline = Timeline::new(&input.zone, &input.tariff, input.month);
    let cut = Cut::new(input, &timeline);
    let mut parties: Vec<Party> = input.tenants.iter().map(|payer| party(input, payer)).collect();
    let building = parties.len();
    parties.push(Party {
        key: None,
        account: Account::new(input.month.days()),
        days: Vec::new(),
        unit_key: 0,
        lines: Vec::new(),
    });
    let places: BTreeMap<TenantId, usize> =
        input.tenants.iter().enumerate().map(|(index, payer)| (payer.id, index)).collect();
    let mut found = month_obstacles(input, &timeline);
    for one in &input.sessions {
        let session = &one.session;
        let trace = Trace::new((session.started_at, session.ended_at), session.energy, &one.readings);
        let place = session.tenant.and_then(|tenant| places.get(&tenant)).copied().unwrap_or(building);
        let Some(account) = parties.get_mut(place).map(|party| &mut party.account) else { continue };
        let before = account.lines.len();
        cut.add(one, &trace, account);
        let Some(line) = account.lines.get(before) else { continue };
        found.extend(doubts(one, &trace, timeline.to));
        if place == building && line.energy_wh > 0 && !one.decided {
            found.push(ObstacleKind::NoTenant { session: session.id, energy_wh: line.energy_wh });
        }
        if line.is_cut_estimated {
            found.push(ObstacleKind::ReadingsMissing { session: session.id });
        }
    }
    price(input, &cut, &mut parties);
    let mut statements: Vec<Statement> = parties.into_iter().map(|party| finish(input, party)).collect();
    // The building was pushed last.
    let unassigned = statements.pop().unwrap_or_else(|| finish(input, empty(input)));
    statements.retain(|statement| !is_empty(statement));
    let (reconciliation, differences) = reconcile(input, &statements, &unassigned);
    found.extend(differences);
    let summary = summary(input, &statements, &unassigned, reconciliation, found);
    MonthResult { summary, statements, unassigned }
}

fn empty(input: &MonthInput) -> Party {
    let account = Account::new(input.month.days());
    Party { key: None, account, days: Vec::new(), unit_key: 0, lines: Vec::new() }
}

fn party(input: &MonthInput, payer: &Payer) -> Party {
    let present =
        |date: &Date| payer.from.is_none_or(|from| from <= *date) && payer.to.is_none_or(|last| *date <= last);
    Party {
        key: Some(payer.key.clone()),
        account: Account::new(input.month.days()),
        days: input.month.dates().filter(present).collect(),
        unit_key: input.tariff.unit_keys.get(&payer.id.0).copied().unwrap_or(0),
        lines: Vec::new(),
    }
}

fn is_empty(statement: &Statement) -> bool {
    statement.energy_wh == 0 && statement.lines.is_empty() && statement.sessions.is_empty()
}

/// What is in the way of the month as a whole.
fn month_obstacles(input: &MonthInput, timeline: &Timeline) -> Vec<ObstacleKind> {
    let mut found = Vec::new();
    if input.now < timeline.to {
        found.push(ObstacleKind::MonthRuns);
    }
    if let Some(earlier) = input.earlier_open.filter(|earlier| *earlier < input.month) {
        found.push(ObstacleKind::EarlierMonthOpen { earlier });
    }
    if let Some(later) = input.newest_closed.filter(|later| *later >= input.month) {
        found.push(ObstacleKind::LaterMonthClosed { later });
    }
    if let Some(from) = timeline.unpriced.first() {
        let days = u32::try_from(timeline.unpriced.len()).unwrap_or(u32::MAX);
        found.push(ObstacleKind::NoTariff { from: *from, days });
    }
    let entry = input.tariff.months.get(&input.month);
    if invoice_rule(input).is_some() && entry.is_none_or(|entry| entry.invoice_amount.is_none()) {
        found.push(ObstacleKind::InvoiceMissing);
    }
    let in_force = |date: Date| input.tariff.version_on(date).map(|(_, version)| version);
    let has_flags = input.month.dates().filter_map(in_force).any(|version| !version.flags.is_empty());
    if has_flags && entry.is_none_or(|entry| entry.flag.is_none()) {
        found.push(ObstacleKind::FlagMissing);
    }
    for orphan in &input.orphans {
        found.push(ObstacleKind::OrphanStop { charger: orphan.charger.clone(), at: orphan.request.at });
    }
    found
}

fn summary(
    input: &MonthInput,
    statements: &[Statement],
    unassigned: &Statement,
    reconciliation: crate::statement::Reconciliation,
    found: Vec<ObstacleKind>,
) -> Summary {
    let mut days_wh = vec![0; usize::from(input.month.days())];
    for statement in statements.iter().chain([unassigned]) {
        for (sum, wh) in days_wh.iter_mut().zip(&statement.days_wh) {
            *sum += wh;
        }
    }
    let decided = |kind: ObstacleKind| {
        let key = kind.key();
        let accepted = input.decisions.get(&key).filter(|_| kind.can_be_accepted()).cloned();
        Obstacle { key, kind, accepted }
    };
    let in_force = |date: Date| input.tariff.version_on(date).map(|(_, version)| version.name.clone());
    let mut versions: Vec<String> = input.month.dates().filter_map(in_force).collect();
    versions.dedup();
    Summary {
        month: input.month,
        time_zone: input.zone.name().to_owned(),
        currency: input.currency.clone(),
        versions,
        tenants: statements.iter().map(row).collect(),
        unassigned: row(unassigned),
        days_wh,
        energy_wh: reconciliation.sessions_wh,
        total: statements.iter().chain([unassigned]).map(|statement| statement.total).sum(),
        reconciliation,
        obstacles: found.into_iter().map(decided).collect(),
        closed_with: None,
    }
}

fn row(statement: &Statement) -> SummaryRow {
    SummaryRow {
        tenant: statement.tenant.clone(),
        sessions: u32::try_from(statement.sessions.len()).unwrap_or(u32::MAX),
        energy_wh: statement.energy_wh,
        net: statement.net,
        tax: statement.tax,
        total: statement.total,
    }
}

/// What a closed month should have had: the difference between what was closed, with the corrections made since, and
/// what the same tariff gives with what is known now. Only what follows from use; common costs stay as divided.
#[must_use]
pub fn corrections(closed: &[Statement], made: &[Correction], now: &MonthResult) -> Vec<Correction> {
    let mut known: BTreeMap<Option<String>, (i64, Cents)> = BTreeMap::new();
    let signed = |wh: u64| i64::try_from(wh).unwrap_or(i64::MAX);
    for statement in now.statements.iter().chain([&now.unassigned]) {
        let entry = known.entry(statement.tenant.clone()).or_default();
        *entry = (entry.0 + signed(statement.energy_wh), entry.1 + statement.usage_total);
    }
    for statement in closed {
        let entry = known.entry(statement.tenant.clone()).or_default();
        *entry = (entry.0 - signed(statement.energy_wh), entry.1 - statement.usage_total);
    }
    for correction in made.iter().filter(|made| made.month == now.summary.month) {
        let entry = known.entry(correction.tenant.clone()).or_default();
        *entry = (entry.0 - correction.energy_wh, entry.1 - correction.amount);
    }
    known
        .into_iter()
        .filter(|(_, difference)| *difference != (0, Cents::ZERO))
        .map(|(tenant, (energy_wh, amount))| Correction { month: now.summary.month, tenant, energy_wh, amount })
        .collect()
}

/// The corrections a closed statement carries, as they were made.
#[must_use]
pub fn corrections_in(statement: &Statement) -> Vec<Correction> {
    let made = statement.lines.iter().filter_map(|line| match line.quantity {
        crate::Amount::EnergyChange(energy_wh) => Some(Correction {
            month: line.name.parse().ok()?,
            tenant: statement.tenant.clone(),
            energy_wh,
            amount: line.amount,
        }),
        crate::Amount::Energy(_)
        | crate::Amount::Sessions(_)
        | crate::Amount::Minutes(_)
        | crate::Amount::Days(_)
        | crate::Amount::ShareOf(_) => None,
    });
    made.collect()
}

/// Whether a session can touch a month: its beginning lies before the end, its end not before the beginning.
#[must_use]
pub fn touches(started_at: Timestamp, ended_at: Option<Timestamp>, from: Timestamp, to: Timestamp) -> bool {
    started_at < to && ended_at.is_none_or(|ended| ended.max(started_at) >= from)
}

//! The recording of a Norwegian housing cooperative, month by month. Sørensen et al., "Residential electric vehicle
//! charging datasets from apartment buildings", Data in Brief 36 (2021) 107105, CC BY 4.0; see the copy's source line
//! in `crates/simulator/data`.

use crate::common::{date, input, month, tariff};
use domain::{ChargerId, ConnectorNumber, EndReason, Provenance, Session, SessionId, TenantId, Timestamp, WattHours};
use jiff::civil::DateTime;
use reports::chain::{self, Document, Sealed};
use reports::render::{Language, Letterhead, Person, Setting, statement_pdf, summary_pdf};
use reports::{
    Basis, Currency, MeteredSession, Month, MonthInput, MonthResult, ObstacleKind, Payer, Zone, compute, template,
    touches,
};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

const RECORDING: &str = include_str!("../../../simulator/data/trondheim_ev_sessions.csv");

/// What the source says, with energies in whole watt-hours.
fn recording() -> (Vec<MeteredSession>, Vec<Payer>) {
    let zone = jiff::tz::TimeZoneDatabase::bundled().get("Europe/Oslo").unwrap();
    let at = |text: &str| {
        let local: DateTime = text.parse().unwrap();
        Timestamp(zone.to_ambiguous_timestamp(local).compatible().unwrap().as_millisecond())
    };
    let mut users: BTreeMap<&str, i64> = BTreeMap::new();
    let mut sessions = Vec::new();
    for (row, line) in RECORDING.lines().skip(1).enumerate() {
        let cells: Vec<&str> = line.split(',').collect();
        let next = i64::try_from(users.len()).unwrap() + 1;
        let tenant = *users.entry(cells[3]).or_insert(next);
        let kwh: Decimal = cells[6].parse().unwrap();
        let wh = u64::try_from((kwh * Decimal::from(1000)).round().mantissa()).unwrap();
        let place = if cells[5].is_empty() { cells[3] } else { cells[5] };
        sessions.push(MeteredSession {
            session: Session {
                id: SessionId(i32::try_from(row).unwrap() + 1),
                charger: ChargerId::new(place).unwrap(),
                connector: ConnectorNumber(1),
                card: None,
                tenant: Some(TenantId(tenant)),
                started_at: at(cells[0]),
                ended_at: Some(at(cells[1])),
                meter_start: WattHours::ZERO,
                meter_last: WattHours(wh),
                energy: WattHours(wh),
                provenance: Provenance::Measured,
                end_reason: Some(EndReason::Unplugged),
            },
            readings: Vec::new(),
            // 16 A on one phase: what a manager may have entered, and less than some of these chargers give.
            power_max_w: 3_680,
            decided: false,
        });
    }
    let payer = |id: i64| Payer { id: TenantId(id), key: format!("resident-{id}"), from: None, to: None };
    (sessions, users.into_values().map(payer).collect())
}

fn of_month(name: Month, sessions: &[MeteredSession], payers: &[Payer]) -> MonthInput {
    let version = template("flat", date("2018-01-01")).unwrap().version;
    let mut input = input(&name.to_string(), tariff(vec![version]), Vec::new());
    input.zone = Zone::new("Europe/Oslo").unwrap();
    input.currency = Currency::new("NOK");
    let (from, to) = name.range(&input.zone);
    let here = |one: &&MeteredSession| touches(one.session.started_at, one.session.ended_at, from, to);
    input.sessions = sessions.iter().filter(here).cloned().collect();
    input.tenants = payers.to_vec();
    input
}

/// Every month closes once what looks wrong was decided; together they have every watt-hour of the source, tenant by
/// tenant; the chain holds; the largest month can be handed out.
#[test]
fn the_recording_is_billed_to_the_watt_hour() {
    let (sessions, payers) = recording();
    assert_eq!((sessions.len(), payers.len()), (2_542, 58));
    let mut by_tenant: BTreeMap<String, u64> = BTreeMap::new();
    let mut sealed: Vec<Sealed> = Vec::new();
    let mut flagged = BTreeSet::new();
    let mut largest: Option<MonthResult> = None;
    let mut name = month("2018-12");
    while name <= month("2019-10") {
        let mut input = of_month(name, &sessions, &payers);
        let first = compute(&input);
        for obstacle in &first.summary.obstacles {
            assert!(obstacle.kind.can_be_accepted(), "{name}: {obstacle:?}");
            if let ObstacleKind::EndsBeforeStart { session, .. } | ObstacleKind::ImpossibleEnergy { session, .. } =
                &obstacle.kind
            {
                flagged.insert(*session);
            }
            input.decisions.insert(obstacle.key.clone(), "As in the source".to_owned());
        }
        let result = compute(&input);
        assert!(result.summary.obstacles.iter().all(|one| !one.is_open()), "{name} closes");
        for statement in &result.statements {
            *by_tenant.entry(statement.tenant.clone().unwrap()).or_default() += statement.energy_wh;
        }
        let last = sealed.last().map(|one| (one.number, one.hash.clone()));
        let (from, to) = name.range(&input.zone);
        let basis = Basis { closed_at: to, from, to, tariff: chain::hash_of(""), sessions: String::new() };
        let last = last.as_ref().map(|(number, hash)| (*number, hash.as_str()));
        sealed.extend(chain::seal(last, &result, basis).unwrap());
        if largest.as_ref().is_none_or(|largest| largest.summary.energy_wh < result.summary.energy_wh) {
            largest = Some(result);
        }
        name = name.next();
    }
    // None of the copy ends before it begins; these have more energy than the rating allows in their time.
    assert_eq!(flagged.len(), 330, "{flagged:?}");
    let mut source: BTreeMap<String, u64> = BTreeMap::new();
    for one in &sessions {
        *source.entry(format!("resident-{}", one.session.tenant.unwrap())).or_default() += one.session.energy.0;
    }
    assert_eq!(by_tenant, source);
    assert_eq!(source.values().sum::<u64>(), 33_354_330);
    chain::verify(&sealed).unwrap();
    assert!(sealed.iter().all(|one| matches!(chain::open(one), Ok(Document::Statement(_) | Document::Summary(_)))));
    render(&largest.unwrap());
}

fn render(result: &MonthResult) {
    assert_eq!(result.summary.month, month("2019-09"));
    let zone = Zone::new("Europe/Oslo").unwrap();
    let letterhead = Letterhead { name: "Risvollan borettslag".to_owned(), ..Letterhead::default() };
    let people: BTreeMap<String, Person> = result
        .statements
        .iter()
        .filter_map(|one| one.tenant.clone())
        .map(|key| (key.clone(), Person { name: key, unit: String::new() }))
        .collect();
    let chargers = BTreeMap::new();
    let setting = Setting {
        language: Language::En,
        zone: &zone,
        letterhead: &letterhead,
        people: &people,
        chargers: &chargers,
        seal: None,
    };
    for statement in &result.statements {
        assert!(statement_pdf(statement, &setting).unwrap().starts_with(b"%PDF-"));
    }
    assert!(summary_pdf(&result.summary, &setting).unwrap().len() > 10_000);
}

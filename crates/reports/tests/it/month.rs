//! Whole months: sums, fees, taxes, shares, obstacles, corrections.

use crate::common::{at, charge, date, decimal, flat, input, month, read, session, tariff};
use domain::{ChargerId, ConnectorNumber, WattHours};
use proptest::prelude::*;
use reports::{
    Amount, Category, Cents, ConnectorRegister, Every, Explanation, Flag, IdleFee, MeterCount, MeteredSession,
    MonthEntry, MonthResult, ObstacleKind, Share, Statement, Tax, TaxRate, compute, corrections, corrections_in,
    template,
};

fn line(statement: &Statement, category: Category) -> (Amount, Cents) {
    let found = statement.lines.iter().find(|line| line.category == category).unwrap();
    (found.quantity, found.amount)
}

fn open(result: &MonthResult) -> Vec<&ObstacleKind> {
    result.summary.obstacles.iter().filter(|one| one.is_open()).map(|one| &one.kind).collect()
}

/// Every kind of line at once, against figures worked out by hand.
#[test]
fn a_statement_by_hand() {
    let mut version = flat("0.1580", "2026-01-01");
    version.session_fee = decimal("0.35");
    version.idle_fee = Some(IdleFee { per_hour: decimal("2.00"), grace_minutes: 30 });
    version.flags = vec![Flag { name: "Amarela".to_owned(), per_kwh: decimal("0.01885") }];
    version.solar_price_per_kwh = Some(decimal("0.0900"));
    version.charges = vec![charge("0.75", Every::Day, Share::Each), charge("100", Every::Month, Share::Equal)];
    version.taxes = vec![
        Tax {
            name: "IVA".to_owned(),
            rate: TaxRate::Percent(decimal("23")),
            on: vec![Category::Energy, Category::Solar],
        },
        Tax { name: "IEC".to_owned(), rate: TaxRate::PerKwh(decimal("0.001")), on: vec![Category::Energy] },
    ];
    let mut tariff = tariff(vec![version]);
    tariff.months.insert(month("2026-11"), MonthEntry { flag: Some("Amarela".to_owned()), invoice_amount: None });
    assert_eq!(tariff.check(), Ok(()));
    // 12:00 to 14:00, 7.333 kWh by 13:00, then full; a third of the first quarter of an hour is solar.
    let one = session(1, Some(1), "2026-11-10T12:00:00Z", "2026-11-10T14:00:00Z", 7_333);
    let one = read(one, &[("2026-11-10T12:15:00Z", 3_000), ("2026-11-10T13:00:00Z", 7_333)]);
    let mut input = input("2026-11", tariff, vec![one]);
    input.solar_permille.insert(at("2026-11-10T12:00:00Z").0, 333);
    let result = compute(&input);
    let mine = &result.statements[0];
    assert_eq!(line(mine, Category::Solar), (Amount::Energy(999), Cents(9))); // 0.999 * 0.09 = 0.08991
    assert_eq!(line(mine, Category::Energy), (Amount::Energy(6_334), Cents(100))); // 6.334 * 0.158 = 1.000772
    assert_eq!(line(mine, Category::Flag), (Amount::Energy(6_334), Cents(12))); // 6.334 * 0.01885 = 0.1193959
    assert_eq!(line(mine, Category::Session), (Amount::Sessions(1), Cents(35)));
    assert_eq!(line(mine, Category::Idle), (Amount::Minutes(30), Cents(100)));
    let costs: Vec<Cents> =
        mine.lines.iter().filter(|line| line.category == Category::Cost).map(|line| line.amount).collect();
    assert_eq!(costs, [Cents(2_250), Cents(3_334)]);
    assert_eq!(mine.net, Cents(9 + 100 + 12 + 35 + 100 + 2_250 + 3_334));
    assert_eq!(mine.taxes.iter().map(|tax| tax.amount).collect::<Vec<_>>(), [Cents(25), Cents(1)]); // 1.09 * 0.23 = 0.2507
    assert_eq!(mine.total, mine.net + Cents(26));
    assert_eq!(mine.sessions[0].amount, Cents(121));
    assert_eq!(result.statements.len(), 3, "the others carry their part of the common cost");
    assert_eq!(open(&result), Vec::<&ObstacleKind>::new());
}

/// A price that changes inside a month is charged from its day on; fixed amounts by the days of each version.
#[test]
fn versions_change_at_midnight() {
    let mut old = flat("0.10", "2026-01-01");
    old.valid_to = Some(date("2026-10-15"));
    old.charges = vec![charge("31", Every::Month, Share::Each)];
    let mut new = flat("0.20", "2026-10-16");
    new.name = "New".to_owned();
    new.charges = vec![charge("62", Every::Month, Share::Each)];
    // Ten hours, 1 kWh each, half of them before midnight in Lisbon (summer time: 23:00 UTC).
    let one = session(1, Some(1), "2026-10-15T18:00:00Z", "2026-10-16T04:00:00Z", 10_000);
    let result = compute(&input("2026-10", tariff(vec![old, new]), vec![one]));
    let lines: Vec<(&str, Cents)> =
        result.statements[0].lines.iter().map(|line| (line.version.as_deref().unwrap(), line.amount)).collect();
    assert_eq!(lines, [("Flat", Cents(50)), ("New", Cents(100)), ("Flat", Cents(1_500)), ("New", Cents(3_200))]);
    assert_eq!(result.summary.versions, ["Flat", "New"]);
}

/// The supplier's invoice is recovered to the cent, the part of sessions without a tenant stays with the building.
#[test]
fn an_invoice_is_recovered_whole() {
    let version = template("invoice", date("2026-01-01")).unwrap().version;
    let mut all = tariff(vec![version]);
    let sessions = || {
        vec![
            session(1, Some(1), "2026-10-01T20:00:00Z", "2026-10-02T06:00:00Z", 10_001),
            session(2, Some(2), "2026-10-03T20:00:00Z", "2026-10-04T06:00:00Z", 7_000),
            session(3, None, "2026-10-05T20:00:00Z", "2026-10-06T06:00:00Z", 3_333),
        ]
    };
    let missing = compute(&input("2026-10", all.clone(), sessions()));
    assert!(open(&missing).contains(&&ObstacleKind::InvoiceMissing));
    all.months.insert(month("2026-10"), MonthEntry { flag: None, invoice_amount: Some(decimal("312.47")) });
    let result = compute(&input("2026-10", all, sessions()));
    assert_eq!(result.summary.total, Cents(31_247));
    let parts: Vec<Cents> = result.statements.iter().chain([&result.unassigned]).map(|one| one.total).collect();
    assert_eq!(parts, [Cents(15_368), Cents(10_757), Cents(5_122)]);
    assert!(matches!(open(&result)[..], [ObstacleKind::NoTenant { energy_wh: 3_333, .. }]));
}

/// Common costs by unit key, by use and equally, also for a tenant who moved in during the month.
#[test]
fn costs_are_shared_as_agreed() {
    let mut version = flat("0", "2026-01-01");
    version.charges = vec![
        charge("90", Every::Month, Share::ByUnitKey),
        charge("60", Every::Month, Share::ByUse),
        charge("100", Every::Month, Share::Equal),
    ];
    let mut all = tariff(vec![version]);
    all.unit_keys = [(1, 20), (2, 10)].into();
    let sessions = vec![
        session(1, Some(1), "2026-11-01T20:00:00Z", "2026-11-02T06:00:00Z", 1_000),
        session(2, Some(3), "2026-11-03T20:00:00Z", "2026-11-04T06:00:00Z", 2_000),
    ];
    let mut input = input("2026-11", all, sessions);
    input.tenants[2].from = Some(date("2026-11-16"));
    let result = compute(&input);
    let costs = |index: usize| -> Vec<i64> {
        let lines = result.statements[index].lines.iter().filter(|line| line.category == Category::Cost);
        lines.map(|line| line.amount.0).collect()
    };
    assert_eq!(costs(0), [6_000, 2_000, 4_000]);
    assert_eq!(costs(1), [3_000, 4_000]);
    assert_eq!(costs(2), [4_000, 2_000]);
    assert_eq!(result.summary.total, Cents(25_000));
}

/// Everything that keeps a month from closing is named; what may be accepted is, with its reason, and nothing else.
#[test]
fn obstacles_are_named_and_decided() {
    let mut late = session(1, Some(1), "2026-10-05T20:00:00Z", "2026-10-05T19:00:00Z", 4_000);
    late.session.meter_last = WattHours(5_000);
    let mut running = session(2, Some(1), "2026-10-31T20:00:00Z", "2026-10-31T21:00:00Z", 4_000);
    running.session.ended_at = None;
    let mut jump = session(3, Some(2), "2026-10-07T20:00:00Z", "2026-10-07T21:00:00Z", 900_000);
    jump.session.meter_last = WattHours(1_000);
    let mut input = input("2026-10", tariff(vec![flat("0.1", "2026-10-03")]), vec![late, running, jump]);
    input.now = at("2026-10-31T21:30:00Z");
    input.decisions = [
        ("session/1/ends_before_start".to_owned(), "checked with the tenant".to_owned()),
        ("month_runs".to_owned(), "no".to_owned()),
    ]
    .into();
    let result = compute(&input);
    let keys: Vec<&str> =
        result.summary.obstacles.iter().filter(|one| one.is_open()).map(|one| one.key.as_str()).collect();
    assert_eq!(
        keys,
        ["month_runs", "no_tariff", "session/2/open", "session/3/impossible_energy", "session/3/register_doubt"]
    );
    let accepted = result.summary.obstacles.iter().find(|one| !one.is_open()).unwrap();
    assert_eq!(accepted.accepted.as_deref(), Some("checked with the tenant"));
    // A session that ended before it began still has its energy, at its beginning.
    assert_eq!(result.statements[0].days_wh[4], 4_000);
}

/// A running session with a reading after the month's end is cut there and keeps nothing from closing.
#[test]
fn a_running_session_with_readings_is_cut() {
    let one = session(1, Some(1), "2026-10-31T20:00:00Z", "2026-11-01T08:00:00Z", 9_000);
    let mut one =
        read(one, &[("2026-10-31T23:59:00Z", 5_000), ("2026-11-01T00:01:00Z", 5_200), ("2026-11-01T06:00:00Z", 9_000)]);
    one.session.ended_at = None;
    let result = compute(&input("2026-10", tariff(vec![flat("0.1", "2026-01-01")]), vec![one]));
    assert_eq!(result.statements[0].energy_wh, 5_100);
    assert_eq!(open(&result), Vec::<&ObstacleKind>::new());
}

/// Registers and meters are compared with the sessions; differences are explained and shown, never spread.
#[test]
fn counts_are_compared() {
    let sessions = vec![session(1, Some(1), "2026-10-05T20:00:00Z", "2026-10-06T06:00:00Z", 50_000)];
    let mut input = input("2026-10", tariff(vec![flat("0.1", "2026-01-01")]), sessions);
    let register = |name: &str, start, end| ConnectorRegister {
        charger: ChargerId::new(name).unwrap(),
        connector: ConnectorNumber(1),
        at_start: start,
        at_end: end,
    };
    input.registers = vec![
        register("C1", Some(WattHours(1_000)), Some(WattHours(51_000))),
        register("C2", Some(WattHours(1_000)), Some(WattHours(21_000))),
        register("C3", Some(WattHours(9_000)), Some(WattHours(10))),
        register("C4", None, Some(WattHours(10))),
    ];
    input.meters = vec![MeterCount { name: "Garage".to_owned(), energy: WattHours(71_000) }];
    let result = compute(&input);
    let rows = &result.summary.reconciliation;
    let explained: Vec<Explanation> = rows.registers.iter().map(|row| row.explanation).collect();
    assert_eq!(
        explained,
        [Explanation::Equal, Explanation::OutsideSessions, Explanation::RegisterReset, Explanation::NoRegister]
    );
    assert_eq!(rows.meters[0].difference_wh, 21_000);
    assert_eq!(rows.sessions_wh, 50_000);
    assert!(matches!(
        open(&result)[..],
        [
            ObstacleKind::RegisterMismatch { difference_wh: 20_000, .. },
            ObstacleKind::MeterMismatch { difference_wh: 21_000, .. }
        ]
    ));
}

/// What arrives after closing becomes one correction, once, taxes included; so does what moves to another tenant.
#[test]
fn late_sessions_become_corrections() {
    let mut version = flat("0.20", "2026-01-01");
    version.taxes =
        vec![Tax { name: "IVA".to_owned(), rate: TaxRate::Percent(decimal("23")), on: vec![Category::Energy] }];
    let versions = tariff(vec![version]);
    let first = session(1, Some(1), "2026-10-05T20:00:00Z", "2026-10-06T06:00:00Z", 10_000);
    let closed = compute(&input("2026-10", versions.clone(), vec![first.clone()]));
    let statements: Vec<Statement> = closed.statements.iter().chain([&closed.unassigned]).cloned().collect();
    let mut moved = first;
    moved.session.tenant = Some(domain::TenantId(2));
    let late = session(2, Some(2), "2026-10-31T20:00:00Z", "2026-11-01T06:00:00Z", 5_000);
    let again = compute(&input("2026-10", versions.clone(), vec![moved, late.clone()]));
    let found = corrections(&statements, &[], &again);
    let short: Vec<(Option<&str>, i64, i64)> =
        found.iter().map(|one| (one.tenant.as_deref(), one.energy_wh, one.amount.0)).collect();
    assert_eq!(short, [(Some("key-1"), -10_000, -246), (Some("key-2"), 12_000, 295)]);
    let mut next = input("2026-11", versions, vec![late]);
    next.corrections = found;
    let november = compute(&next);
    assert_eq!(november.statements[0].total, Cents(-246));
    assert_eq!(november.statements[1].total, Cents(295 + 60 + 14));
    let made: Vec<_> = november.statements.iter().flat_map(corrections_in).collect();
    assert_eq!(corrections(&statements, &made, &again), [], "never twice");
}

fn any_session() -> impl Strategy<Value = MeteredSession> {
    let day = 86_400_000_i64;
    let base = at("2026-10-01T00:00:00Z").0;
    (
        0..6_i64,
        -3 * day..34 * day,
        0..2 * day,
        0_u64..60_000,
        proptest::collection::vec((0..2 * day, 0_u64..70_000), 0..6),
    )
        .prop_map(move |(tenant, start, length, wh, mut readings)| {
            let mut one =
                session(1, (tenant > 0).then_some(tenant), "2026-10-01T00:00:00Z", "2026-10-01T00:00:00Z", wh);
            one.session.started_at = domain::Timestamp(base + start);
            one.session.ended_at = Some(domain::Timestamp(base + start + length));
            readings.sort_unstable();
            one.readings = readings
                .into_iter()
                .map(|(after, wh)| (domain::Timestamp(base + start + after), WattHours(wh)))
                .collect();
            one
        })
}

proptest! {
    /// Whatever the sessions: tenants and unassigned sum to the sessions to the watt-hour, also over three months, and
    /// every statement's parts sum to its total to the cent.
    #[test]
    fn everything_adds_up(sessions in proptest::collection::vec(any_session(), 0..30)) {
        let mut version = template("pt_tri_weekly", date("2026-01-01")).unwrap().version;
        version.session_fee = decimal("0.333");
        version.charges.push(charge("77.77", Every::Month, Share::ByUse));
        let versions = tariff(vec![version]);
        let all: u64 = sessions.iter().map(|one| one.session.energy.0).sum();
        let mut seen = 0;
        for name in ["2026-09", "2026-10", "2026-11"] {
            let result = compute(&input(name, versions.clone(), sessions.clone()));
            let mut month_wh = 0;
            for statement in result.statements.iter().chain([&result.unassigned]) {
                prop_assert_eq!(statement.days_wh.iter().sum::<u64>(), statement.energy_wh);
                prop_assert_eq!(statement.sessions.iter().map(|line| line.energy_wh).sum::<u64>(), statement.energy_wh);
                prop_assert_eq!(statement.lines.iter().map(|line| line.amount).sum::<Cents>(), statement.net);
                prop_assert_eq!(statement.net + statement.taxes.iter().map(|tax| tax.amount).sum(), statement.total);
                let energy: u64 = statement.lines.iter().map(|line| match line.quantity {
                    Amount::Energy(wh) => wh,
                    _ => 0,
                }).sum();
                prop_assert_eq!(energy, statement.energy_wh);
                let of_energy: Cents = statement.lines.iter().filter(|line| line.category == Category::Energy).map(|line| line.amount).sum();
                prop_assert_eq!(statement.sessions.iter().map(|line| line.amount).sum::<Cents>(), of_energy);
                month_wh += statement.energy_wh;
            }
            prop_assert_eq!(month_wh, result.summary.energy_wh);
            prop_assert_eq!(result.summary.days_wh.iter().sum::<u64>(), month_wh);
            seen += month_wh;
        }
        prop_assert_eq!(seen, all);
    }
}

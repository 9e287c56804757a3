//! Civil time: days of 23 and 25 hours, tariff periods over a change of the clock, movable holidays.

use crate::common::{at, date, flat, input, month, read, session, tariff};
use reports::holiday::{Holidays, easter};
use reports::{Month, Zone, compute, template};

/// The month begins and ends at local midnight, on either side of a clock change.
#[test]
fn a_month_is_local() {
    let zone = Zone::new("Europe/Lisbon").unwrap();
    assert_eq!(month("2026-10").range(&zone), (at("2026-09-30T23:00:00Z"), at("2026-11-01T00:00:00Z")));
    assert_eq!(month("2026-03").range(&zone), (at("2026-03-01T00:00:00Z"), at("2026-03-31T23:00:00Z")));
    let brazil = Zone::new("America/Sao_Paulo").unwrap();
    assert_eq!(month("2026-10").range(&brazil), (at("2026-10-01T03:00:00Z"), at("2026-11-01T03:00:00Z")));
    assert!(Zone::new("Europe/Atlantis").unwrap_err().to_string().contains("Europe/Lisbon"));
}

/// Only `yyyy-mm` is a month.
#[test]
fn other_texts_are_no_month() {
    for text in ["2026-13", "2026-00", "2026-1", "26-10", "2026/10", "", "2026-+1", "2026-10-01"] {
        assert!(text.parse::<Month>().is_err(), "{text}");
    }
    assert_eq!(month("2026-12").next(), month("2027-01"));
    assert_eq!(month("2027-01").previous(), month("2026-12"));
}

/// Steady charging over the day of 23 hours: the hour that does not exist has no energy, and the empty hours of the
/// daily cycle are 9 instead of 10.
#[test]
fn day_of_23_hours() {
    let version = template("pt_bi_daily", date("2026-01-01")).unwrap().version;
    // 29 March 2026 in Lisbon: 00:00 WET to 24:00 WEST is 23 hours; 1 kWh an hour.
    let one = session(1, Some(1), "2026-03-29T00:00:00Z", "2026-03-29T23:00:00Z", 23_000);
    let result = compute(&input("2026-03", tariff(vec![version]), vec![one]));
    let statement = &result.statements[0];
    assert_eq!(statement.days_wh[28], 23_000);
    assert_eq!(quantities(statement), [("Vazio", 9_000), ("Fora de vazio", 14_000)]);
}

/// The same over the day of 25 hours: the hour that comes twice counts twice.
#[test]
fn day_of_25_hours() {
    let version = template("pt_bi_daily", date("2026-01-01")).unwrap().version;
    let one = session(1, Some(1), "2026-10-24T23:00:00Z", "2026-10-26T00:00:00Z", 25_000);
    let result = compute(&input("2026-10", tariff(vec![version]), vec![one]));
    let statement = &result.statements[0];
    assert_eq!(statement.days_wh[24], 25_000);
    assert_eq!(quantities(statement), [("Vazio", 11_000), ("Fora de vazio", 14_000)]);
}

/// ERSE's peak of the daily cycle lies at other hours in winter time than in summer time.
#[test]
fn seasons_follow_the_legal_time() {
    let version = template("pt_tri_daily", date("2026-01-01")).unwrap().version;
    // 09:00 to 10:30 by the clock on the wall: peak in winter, none in summer.
    let winter = session(1, Some(1), "2026-10-28T09:00:00Z", "2026-10-28T10:30:00Z", 3_000);
    let summer = session(2, Some(2), "2026-10-20T08:00:00Z", "2026-10-20T09:30:00Z", 3_000);
    let result = compute(&input("2026-10", tariff(vec![version]), vec![winter, summer]));
    assert_eq!(quantities(&result.statements[0]), [("Ponta", 3_000)]);
    assert_eq!(quantities(&result.statements[1]), [("Cheias", 3_000)]);
}

/// The white tariff has no peak on Corpus Christi, which moves with Easter, nor on weekends.
#[test]
fn white_tariff_knows_movable_holidays() {
    let version = template("br_white", date("2026-01-01")).unwrap().version;
    // 4 June 2026 is Corpus Christi, a Thursday; 3 June is a working day. 18:00 to 21:00 in São Paulo.
    let holiday = session(1, Some(1), "2026-06-04T21:00:00Z", "2026-06-05T00:00:00Z", 3_000);
    let workday = session(2, Some(2), "2026-06-03T21:00:00Z", "2026-06-04T00:00:00Z", 3_000);
    let mut month = input("2026-06", tariff(vec![version]), vec![holiday, workday]);
    month.zone = Zone::new("America/Sao_Paulo").unwrap();
    let result = compute(&month);
    assert_eq!(quantities(&result.statements[0]), [("Fora ponta", 3_000)]);
    assert_eq!(quantities(&result.statements[1]), [("Ponta", 3_000)]);
}

/// Easter Sundays and the holidays that hang on them, from the calendars of those years.
#[test]
fn movable_holidays() {
    for (year, sunday) in [(2024, "2024-03-31"), (2025, "2025-04-20"), (2026, "2026-04-05"), (2038, "2038-04-25")] {
        assert_eq!(easter(year), Some(date(sunday)));
    }
    for (day, holidays) in [
        ("2026-02-17", Holidays::Brazil),
        ("2026-04-03", Holidays::Brazil),
        ("2026-06-04", Holidays::Brazil),
        ("2026-11-20", Holidays::Brazil),
        ("2026-04-03", Holidays::Portugal),
        ("2026-06-04", Holidays::Portugal),
        ("2026-06-10", Holidays::Portugal),
    ] {
        assert!(holidays.contains(date(day)), "{day} {holidays:?}");
    }
    assert!(!Holidays::Brazil.contains(date("2023-11-20")), "not yet national");
    assert!(!Holidays::Portugal.contains(date("2026-02-17")), "carnival is no mandatory holiday there");
}

/// A session over month end and midnight is cut by its readings, and both months together have all of it.
#[test]
fn month_end_is_cut_by_readings() {
    let one = || {
        let one = session(1, Some(1), "2026-10-31T20:00:00Z", "2026-11-01T06:00:00Z", 10_007);
        read(one, &[("2026-10-31T23:50:00Z", 9_001), ("2026-11-01T00:05:00Z", 9_002)])
    };
    let versions = tariff(vec![flat("0.10", "2026-01-01")]);
    let october = compute(&input("2026-10", versions.clone(), vec![one()]));
    let november = compute(&input("2026-11", versions, vec![one()]));
    // One watt-hour between the readings around midnight: it is not there yet at midnight.
    assert_eq!(october.statements[0].energy_wh, 9_001);
    assert_eq!(november.statements[0].energy_wh, 1_006);
    assert!(!october.statements[0].sessions[0].is_cut_estimated);
}

fn quantities(statement: &reports::Statement) -> Vec<(&str, u64)> {
    let energy = statement.lines.iter().filter_map(|line| match line.quantity {
        reports::Amount::Energy(wh) => Some((line.name.as_str(), wh)),
        _ => None,
    });
    energy.collect()
}

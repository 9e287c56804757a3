//! What makes a tariff unusable, and that the ready-made ones are usable.

use crate::common::{charge, date, decimal, flat, month, tariff};
use reports::{
    Category, ClockTime, DayKind, Every, MonthEntry, Season, Share, Tariff, TariffError, Tax, TaxRate, templates,
};

/// Every ready-made calendar covers every minute of every day exactly once.
#[test]
fn templates_are_usable() {
    let all = templates(date("2026-01-01"));
    assert_eq!(all.len(), 8);
    for template in all {
        let checked = tariff(vec![template.version.clone()]).check();
        assert_eq!(checked, Ok(()), "{}", template.key);
        let text = serde_json::to_string(&template.version).unwrap();
        assert_eq!(serde_json::from_str::<reports::Version>(&text).unwrap(), template.version);
    }
}

fn errors(tariff: &Tariff) -> Vec<TariffError> {
    tariff.check().unwrap_err()
}

/// Versions neither overlap nor leave days without a price between them; the message names the day.
#[test]
fn versions_follow_each_other() {
    let mut first = flat("0.1", "2026-01-01");
    let second = flat("0.2", "2026-07-01");
    assert!(
        matches!(&errors(&tariff(vec![first.clone(), second.clone()]))[..], [TariffError::Overlap { on, .. }] if *on == date("2026-07-01"))
    );
    first.valid_to = Some(date("2026-07-01"));
    assert!(matches!(&errors(&tariff(vec![first.clone(), second.clone()]))[..], [TariffError::Overlap { .. }]));
    first.valid_to = Some(date("2026-06-28"));
    let found = errors(&tariff(vec![second.clone(), first.clone()]));
    assert!(found[0].to_string().contains("2026-06-29 to 2026-06-30"), "{}", found[0]);
    first.valid_to = Some(date("2026-06-30"));
    assert_eq!(tariff(vec![first.clone(), second]).check(), Ok(()));
    first.valid_to = Some(date("2025-12-31"));
    assert!(matches!(&errors(&tariff(vec![first]))[..], [TariffError::Backwards { .. }]));
}

/// A time of the week without a period, or with two, is named with its day and hour.
#[test]
fn periods_cover_the_week_once() {
    let mut version = templates(date("2026-01-01")).remove(2).version;
    let taken = version.energy.rules.remove(0);
    let found = errors(&tariff(vec![version.clone()]));
    assert!(
        found
            .iter()
            .any(|error| matches!(error, TariffError::PeriodGap { day: DayKind::Monday, at, .. } if at == "00:00"))
    );
    version.energy.rules.push(taken.clone());
    version.energy.rules.push(reports::Rule {
        days: vec![DayKind::Friday],
        season: Season::Winter,
        from: ClockTime::new(6, 45).unwrap(),
        ..taken
    });
    let found = errors(&tariff(vec![version]));
    assert!(
        matches!(&found[..], [TariffError::PeriodOverlap { day: DayKind::Friday, season: "winter", at, .. }] if at == "06:45")
    );
}

/// Prices below zero and slips of the keyboard are refused by name, wherever they stand.
#[test]
fn prices_are_plausible() {
    let mut version = flat("-0.1", "2026-01-01");
    version.session_fee = decimal("-1");
    version.solar_price_per_kwh = Some(decimal("2000000"));
    version.charges.push(charge("-3", Every::Month, Share::Equal));
    version.taxes.push(Tax {
        name: "T".to_owned(),
        rate: TaxRate::Percent(decimal("-23")),
        on: vec![Category::Energy],
    });
    let found = errors(&tariff(vec![version]));
    assert_eq!(found.iter().filter(|error| matches!(error, TariffError::Negative { .. })).count(), 4);
    assert_eq!(found.iter().filter(|error| matches!(error, TariffError::TooLarge { .. })).count(), 1);
}

/// Dividing by unit key needs keys, a divided invoice a way to divide it, a month's flag a version that has it.
#[test]
fn parts_fit_together() {
    let mut version = flat("0.1", "2026-01-01");
    version.charges.push(charge("10", Every::Month, Share::ByUnitKey));
    version.invoice = Some(Share::Each);
    let mut all = tariff(vec![version]);
    all.months
        .insert(month("2026-10"), MonthEntry { flag: Some("Verde".to_owned()), invoice_amount: Some(decimal("-1")) });
    let found = errors(&all);
    assert!(found.iter().any(|error| matches!(error, TariffError::NoUnitKeys(_))));
    assert!(found.iter().any(|error| matches!(error, TariffError::InvoiceEach(_))));
    assert!(found.iter().any(|error| matches!(error, TariffError::UnknownFlag { .. })));
    assert!(found.iter().any(|error| matches!(error, TariffError::InvoiceAmount { .. })));
}

/// Times off the quarter of an hour are refused with an example.
#[test]
fn times_lie_on_the_quarter() {
    for text in ["9:10", "24:15", "25:00", "noon", "09:60"] {
        let error = serde_json::from_value::<ClockTime>(serde_json::json!(text)).unwrap_err();
        assert!(error.to_string().contains("09:15"), "{error}");
    }
    assert_eq!(serde_json::from_value::<ClockTime>(serde_json::json!("24:00")).unwrap(), ClockTime::END);
}

//! The published simulations come out exactly as published.
#![expect(clippy::unwrap_used, reason = "a test may stop at what cannot be")]

use scenario::{Published, Report, Scenario, run};

fn check(report: &Report) {
    assert!(report.unmet.is_empty(), "{report}");
    assert!(!report.tripped, "{report}");
    // One update, plus the way to the charger and the car's own reaction.
    assert!(report.longest_over_limit_s <= 5.0 + 1.5, "{report}");
    assert_eq!(report.unconfirmed, 0, "{report}");
    let rounding = u64::try_from(report.sessions).unwrap();
    assert!(report.delivered_wh.abs_diff(report.sessions_wh) <= rounding, "{report}");
}

/// (1) One charger follows the house; each excess is corrected within one update.
#[test]
fn one_charger_follows_the_house() {
    let report = run(&Published::OneCharger.scenario().unwrap(), 1).unwrap();
    check(&report);
}

/// (2) Three chargers, steps (a) to (n), amp by amp.
#[test]
fn three_chargers_share_as_published() {
    let report = run(&Published::ThreeChargers.scenario().unwrap(), 1).unwrap();
    check(&report);
    let labels: String = report.steps.iter().map(|step| step.label.as_str()).collect();
    assert_eq!(labels, "abcdefghijklmn");
}

/// (3) From 19.9 A down to nothing and back: last registered first to standby, return in priority order.
#[test]
fn the_last_registered_goes_first_and_all_come_back() {
    let report = run(&Published::Available19.scenario().unwrap(), 1).unwrap();
    check(&report);
}

/// The published runs do not depend on chance: other seeds move messages, not results.
#[test]
fn the_seed_changes_nothing_published() {
    for seed in 2..6 {
        for published in Published::ALL {
            let report = run(&published.scenario().unwrap(), seed).unwrap();
            check(&report);
        }
    }
}

/// The same three chargers on OCPP: the protocol carries setpoints, it does not decide them.
#[test]
fn the_protocol_makes_no_difference() {
    let text = Published::ThreeChargers.text().replace("\"ievcc\"", "\"ocpp1.6\"");
    let report = run(&Scenario::parse(&text).unwrap(), 1).unwrap();
    check(&report);
}

/// The default rule differs in one thing: the amp that equal division strands goes to the higher priority,
/// and the limit is never exceeded longer than in the published runs.
#[test]
fn the_default_rule_hands_on_the_stranded_amp() {
    let text = Published::ThreeChargers
        .text()
        .replace("pacing = \"published\"", "pacing = \"careful\"")
        .replace("hold_s = 30", "hold_s = 900")
        .replace("hold_s = 27", "hold_s = 900")
        .replace("hold_s = 20", "hold_s = 900")
        .replace("Charger-1 = 12, Charger-2 = 12", "Charger-1 = 13, Charger-2 = 12");
    let mut scenario = Scenario::parse(&text).unwrap();
    // What that means for every step; after the long hold of (k) charger 3 is back, since 13.6 A serves two.
    let steps = [
        ("e", [13, 12, 0]),
        ("f", [9, 8, 8]),
        ("g", [6, 6, 6]),
        ("h", [9, 8, 0]),
        ("j", [7, 6, 0]),
        ("k", [7, 0, 6]),
        ("l", [9, 8, 8]),
        ("m", [13, 12, 0]),
    ];
    for (step, set) in steps {
        let step = scenario.steps.iter_mut().find(|spec| spec.label == step).unwrap();
        for (number, amps) in set.into_iter().enumerate() {
            step.expect.0.insert(format!("Charger-{}", number + 1), amps);
        }
    }
    let report = run(&scenario, 1).unwrap();
    check(&report);
}

/// Every bundled file can be read, and its script can be played in the demo building.
#[test]
fn every_bundled_file_can_be_read() {
    for published in Published::ALL {
        published.scenario().unwrap().script().check().unwrap();
    }
    Scenario::parse(include_str!("../scenarios/harsh-building.toml")).unwrap();
}

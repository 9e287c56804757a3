//! A living building with random faults: the fuse holds, and no kilowatt-hour is lost or invented.
#![expect(clippy::unwrap_used, reason = "a test may stop at what cannot be")]

use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use scenario::{FaultKind, FaultSpec, Report, Scenario, run};
use simulator::BreakerKind;

fn harsh() -> Scenario {
    Scenario::parse(include_str!("../scenarios/harsh-building.toml")).unwrap()
}

/// Every session's energy is what its car got, within the rounding of its two registers.
fn energy_is_conserved(report: &Report) -> bool {
    let rounding = u64::try_from(report.sessions).unwrap();
    report.unconfirmed == 0 && report.delivered_wh.abs_diff(report.sessions_wh) <= rounding
}

/// The bundled evening with everything that breaks in it: no breaker opens, on several seeds.
#[test]
fn nothing_trips_on_a_harsh_evening() {
    for seed in 1..=2 {
        let report = run(&harsh(), seed).unwrap();
        assert!(!report.tripped, "{report}");
        assert!(energy_is_conserved(&report), "{report}");
        assert!(report.delivered_wh > 8_000, "cars do charge: {report}");
    }
}

/// A run is the same from the same seed, to the last figure.
#[test]
fn the_same_seed_gives_the_same_run() {
    let scenario = Scenario { duration_s: 600, ..harsh() };
    assert_eq!(run(&scenario, 11).unwrap(), run(&scenario, 11).unwrap());
    assert_ne!(run(&scenario, 11).unwrap(), run(&scenario, 12).unwrap());
}

const DEVICES: [&str; 9] = ["Counter-1", "CP-1", "CP-2", "CP-3", "CP-4", "CP-5", "Charger-1", "Charger-2", "Charger-3"];

fn fault() -> impl Strategy<Value = FaultSpec> {
    let kind = prop_oneof![
        Just(FaultKind::Silent),
        Just(FaultKind::LinkLost),
        Just(FaultKind::CommandsLost),
        Just(FaultKind::Disobeys),
    ];
    (20_u64..500, 5_u64..200, kind, 0..DEVICES.len()).prop_map(|(at_s, for_s, kind, device)| FaultSpec {
        at_s,
        for_s,
        kind,
        device: DEVICES[device].to_owned(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 8, ..ProptestConfig::default() })]

    /// Whatever breaks whenever: energy is conserved, every session is told in the end, and no breaker with a
    /// thermal memory opens. A definite-time device must hold as long as every charger does as it is told: one that
    /// draws its maximum at full load takes longer to notice than such a device waits, so only a reserve as large as
    /// a charger could spare it.
    #[test]
    fn faults_cost_neither_the_fuse_nor_a_watt_hour(
        seed in any::<u64>(),
        hour in 0_u8..24,
        faults in proptest::collection::vec(fault(), 0..5),
    ) {
        let starts_at = format!("2026-01-14T{hour:02}:17:00Z");
        let scenario = Scenario { duration_s: 720, faults, starts_at, ..harsh() };
        let report = run(&scenario, seed).unwrap();
        let obeyed = !scenario.faults.iter().any(|f| matches!(f.kind, FaultKind::Disobeys | FaultKind::CommandsLost));
        for breaker in &report.breakers {
            let excused = breaker.kind == BreakerKind::DefiniteTime && !obeyed;
            prop_assert!(!breaker.tripped || excused, "{}", report);
        }
        prop_assert_eq!(report.unconfirmed, 0, "{}", report);
        prop_assert!(energy_is_conserved(&report), "{}", report);
    }

    /// With nothing broken the limit is never exceeded longer than one control interval and the reaction of
    /// meter, link, pilot wire and the slowest car.
    #[test]
    fn the_limit_holds_within_one_interval_and_the_reaction(seed in any::<u64>(), hour in 0_u8..24) {
        let starts_at = format!("2026-01-14T{hour:02}:17:00Z");
        let scenario = Scenario { duration_s: 600, faults: Vec::new(), starts_at, ..harsh() };
        let report = run(&scenario, seed).unwrap();
        // 2 s meter + 0.8 s links + 5 s pilot wire + 8 s slowest car: a cut does not wait for the interval.
        prop_assert!(report.longest_over_limit_by_chargers_s <= 16.0, "{}", report);
        // Two rated currents for a second: what every breaker of the bank forgives.
        prop_assert!(report.worst_over_limit_as <= 2.0 * report.limit_a, "{}", report);
        prop_assert!(!report.tripped, "{}", report);
    }
}

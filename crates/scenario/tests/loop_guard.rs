//! The guard on the harsh little site: no device comes near a trip, whatever the meter and the links do.

use scenario::LoopBench;

const HALF_AN_HOUR: u32 = 1800;

/// Short runs of both sites with fast and slow meters and links, one with a silent meter: the margin holds in each.
#[test]
fn the_margin_holds_on_both_sites() {
    for (seed, three_phase, meter_s, telemetry_s, latency_s, outage_s) in [
        (1, false, 2, 2, (0.3, 1.5), 0),
        (2, false, 5, 10, (1.0, 8.0), 60),
        (3, false, 1, 60, (0.3, 1.5), 60),
        (4, true, 2, 2, (0.3, 1.5), 0),
    ] {
        let bench =
            LoopBench { three_phase, meter_s, telemetry_s, latency_s, outage_s, loss: 0.01, seconds: HALF_AN_HOUR };
        let figures = bench.play(seed).unwrap();
        println!("seed {seed}: {figures:?}");
        assert!(figures.margin >= 0.3, "seed {seed}: {figures:?}");
        assert!(figures.worst_excess_as <= if three_phase { 126.0 } else { 60.0 }, "seed {seed}: {figures:?}");
    }
}

/// One run is the same from the same seed.
#[test]
fn a_run_can_be_repeated() {
    let bench = LoopBench {
        three_phase: false,
        meter_s: 2,
        telemetry_s: 2,
        latency_s: (0.3, 1.5),
        outage_s: 0,
        loss: 0.01,
        seconds: 300,
    };
    assert_eq!(bench.play(7).unwrap(), bench.play(7).unwrap());
}

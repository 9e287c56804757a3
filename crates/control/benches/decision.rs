//! How long a decision takes: `cargo bench -p control`. The aims are 0.2 ms for 64 chargers on 3 levels and 5 ms for 1,000.
#![expect(clippy::unwrap_used, reason = "names of a bench are valid")]

use allocator::{Demand, Guide, Leftover, Node, NodeIndex, Sharing, Snapshot, allocate};
use control::check;
use control::planner::{Bench, Branch, CarFacts, LocalMinute, Moment};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use domain::{CardUid, ChargerId, ConnectorNumber, Instant, MilliAmps, PerPhase, Phase, SessionId, WattHours, Wiring};
use std::hint::black_box;

/// A main circuit, feeders below it, panels below those: three levels with room for about half of the cars.
fn branches(chargers: usize) -> Vec<Branch> {
    let room = |share: usize| PerPhase::splat(MilliAmps(u32::try_from(chargers * 8_000 / share).unwrap().max(32_000)));
    let main = Branch { parent: None, room: room(1) };
    let feeders = (0..4).map(|_| Branch { parent: Some(0), room: room(3) });
    let panels = (0..16).map(|panel| Branch { parent: Some(1 + panel % 4), room: room(10) });
    std::iter::once(main).chain(feeders).chain(panels).collect()
}

fn wiring(number: usize) -> Wiring {
    match number % 4 {
        0 => Wiring::three(),
        1 => Wiring::new(vec![Phase::L2]).unwrap(),
        2 => Wiring::new(vec![Phase::L3]).unwrap(),
        _ => Wiring::single(),
    }
}

fn place(number: usize) -> (ChargerId, ConnectorNumber) {
    (ChargerId::new(format!("CP-{number:04}")).unwrap(), ConnectorNumber(1))
}

fn snapshot(chargers: usize, sharing: Sharing) -> Snapshot {
    let nodes = branches(chargers).into_iter().map(|branch| Node {
        parent: branch.parent.map(NodeIndex),
        limit: branch.room,
        load: PerPhase::splat(MilliAmps(3_000)),
    });
    let demands = (0..chargers).map(|number| Demand {
        charger: place(number).0,
        connector: ConnectorNumber(1),
        node: NodeIndex(5 + number % 16),
        wiring: wiring(number),
        priority: i32::try_from(number % 3).unwrap(),
        registered: u32::try_from(number).unwrap(),
        max: MilliAmps::from_amps([16, 32, 20, 13][number % 4]),
        guide: Guide {
            rank: u32::try_from(number * 7 % chargers).unwrap(),
            usable: MilliAmps::from_amps([16, 16, 20, 10][number % 4]),
            keeps: number.is_multiple_of(5),
            ..Guide::default()
        },
    });
    Snapshot {
        nodes: nodes.collect(),
        demands: demands.collect(),
        min: MilliAmps::from_amps(6),
        max_active: None,
        leftover: Leftover::ToHigherPriority,
        sharing,
    }
}

fn moment(chargers: usize, minute: u64) -> Moment {
    let cars = (0..chargers).map(|number| CarFacts {
        place: place(number),
        branch: 5 + number % 16,
        wiring: wiring(number),
        registered: u32::try_from(number).unwrap(),
        priority: 0,
        session: SessionId(i32::try_from(number).unwrap()),
        card: CardUid::new(format!("0400{number:04X}")).ok(),
        since: LocalMinute(18 * 60),
        max: MilliAmps::from_amps(32),
        car_max: None,
        set: MilliAmps::from_amps(if number.is_multiple_of(2) { 10 } else { 0 }),
        drawn: number.is_multiple_of(2).then(|| MilliAmps::from_amps(10)),
        delivered: WattHours(u64::try_from(number % 9).unwrap() * 1_000),
        received_before: WattHours(0),
        departs: number.is_multiple_of(3).then_some(Instant(12 * 3_600_000)),
        needs: number.is_multiple_of(3).then_some(WattHours(9_000)),
        promised: MilliAmps::ZERO,
        never_pause: false,
        thrifty: false,
        response: None,
    });
    Moment {
        now: Instant(minute * 60_000),
        local: LocalMinute(19 * 60 + i64::try_from(minute).unwrap()),
        volts: 230,
        min: MilliAmps::from_amps(6),
        max_active: None,
        branches: branches(chargers),
        cars: cars.collect(),
    }
}

/// Dividing and checking: what happens at every sample of a meter.
fn divisions(c: &mut Criterion) {
    let mut group = c.benchmark_group("division and check");
    for chargers in [64, 1_000] {
        for sharing in [Sharing::Equally, Sharing::InLine] {
            let snapshot = snapshot(chargers, sharing);
            let id = BenchmarkId::new(format!("{sharing:?}"), chargers);
            group.bench_with_input(id, &snapshot, |b, snapshot| {
                b.iter(|| {
                    let plan = allocate(black_box(snapshot));
                    check(snapshot, &plan).is_ok()
                });
            });
        }
    }
    group.finish();
}

/// The planner's look, once a minute, with the division and the check after it.
fn plans(c: &mut Criterion) {
    let mut group = c.benchmark_group("planner, division and check");
    for chargers in [64, 1_000] {
        let mut bench = Bench::new(&[]);
        let mut minute = 0;
        group.bench_function(BenchmarkId::from_parameter(chargers), |b| {
            b.iter(|| {
                minute += 1;
                bench.step(black_box(&moment(chargers, minute)))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, divisions, plans);
criterion_main!(benches);

//! Phases, rotation, feeders, several meters, several connectors.

use super::{Building, ONE, amps, charger, circuits, meter, root, site, uid};
use crate::{BottleneckKind, Input, Reason, Setup};
use domain::{
    Charger, ChargerEvent, ChargerSample, Circuit, CircuitId, CircuitTree, ConnectorNumber, Flow, Meter, MeterEvent,
    MeterId, MeterRole, MeterSample, MilliAmps, Pacing, PerPhase, Phase, PhaseCount, Provenance, Site, StartRequest,
    VoltAmps, WattHours, Wiring,
};

fn three_phase() -> Site {
    Site { phases: PhaseCount::Three, contracted: VoltAmps(41_400), main_fuse: amps(60), ..site(Pacing::Careful) }
}

fn garage() -> CircuitId {
    CircuitId::new("garage").unwrap()
}

fn building(chargers: Vec<Charger>, meters: Vec<Meter>) -> Building {
    let circuit = |id: CircuitId, parent, a| Circuit {
        name: id.to_string(),
        id,
        parent,
        limit: PerPhase::splat(amps(a)),
        rating: domain::CircuitRating::default(),
    };
    let tree = CircuitTree::new(vec![circuit(root(), None, 200), circuit(garage(), Some(root()), 32)]).unwrap();
    let template = Building::new(site(Pacing::Careful), 4, MeterRole::House);
    let known = template.control.snapshot(template.now());
    let mut setup = Setup::empty(three_phase(), tree);
    (setup.tenants, setup.cards) = (known.tenants, known.cards);
    let ids: Vec<_> = chargers.iter().map(|c| c.registered).collect();
    (setup.chargers, setup.meters) = (chargers, meters);
    let mut b = Building::of(setup, MeterRole::House);
    b.metered = false;
    for n in ids {
        b.event(n, ChargerEvent::Connected);
    }
    b
}

fn sample(b: &mut Building, id: &str, currents: [u16; 3]) {
    let [l1, l2, l3] = currents.map(|a| Flow::Import(amps(a)));
    let sample = MeterSample { at: b.now().wall, current: PerPhase::new(l1, l2, l3), ..MeterSample::default() };
    b.input(Input::Meter { id: MeterId::new(id).unwrap(), event: MeterEvent::Measured(sample) });
}

fn reading(b: &mut Building, n: u32, connector: u16, currents: &[u16]) {
    let current_per_wire = currents.iter().map(|a| amps(*a)).collect();
    let sample = ChargerSample { at: b.now().wall, current_per_wire, ..ChargerSample::default() };
    let connector = Some(ConnectorNumber(connector));
    b.event(n, ChargerEvent::Measured { connector, session: None, sample });
}

/// A charger's first wire on L2 loads L2: its readings are taken off the phases they flow in.
#[test]
fn rotation_is_applied_to_readings() {
    let rotated = Wiring::new(vec![Phase::L2, Phase::L3, Phase::L1]).unwrap();
    let mut b = building(vec![charger(1, rotated)], vec![meter(MeterRole::Circuit)]);
    b.start(1, amps(32));
    for _ in 0..60 {
        b.ms += 1000;
        let set = u16::try_from(b.set(1).amps_floor()).unwrap();
        // A single-phase car: only the first wire carries current. The house takes 20 A on each phase.
        reading(&mut b, 1, 1, &[set.min(16), 0, 0]);
        sample(&mut b, "M", [20, 20 + set.min(16), 20]);
        b.input(Input::Tick);
    }
    let house = b.control.snapshot(b.now()).grid.house;
    assert_eq!(house, PerPhase::splat(Flow::Import(amps(20))));
    assert_eq!(b.set(1), amps(32));
}

/// House meters of one circuit add up; a meter on a feeder limits the feeder by what else it feeds.
#[test]
fn meters_add_up_and_feeders_have_their_own() {
    let on = |id: &str, circuit: CircuitId, role| Meter { id: MeterId::new(id).unwrap(), circuit, ..meter(role) };
    let meters = vec![
        on("A", root(), MeterRole::House),
        on("B", root(), MeterRole::House),
        on("G", garage(), MeterRole::Circuit),
    ];
    let in_garage = Charger { circuit: garage(), ..charger(1, Wiring::three()) };
    let mut b = building(vec![in_garage, charger(2, Wiring::three())], meters);
    b.start(1, amps(32));
    b.start(2, amps(32));
    for _ in 0..90 {
        b.ms += 1000;
        let set = u16::try_from(b.set(1).amps_floor()).unwrap();
        for n in [1, 2] {
            let set = u16::try_from(b.set(n).amps_floor()).unwrap();
            reading(&mut b, n, 1, &[set; 3]);
        }
        sample(&mut b, "A", [10; 3]);
        sample(&mut b, "B", [15, 5, 5]);
        // The garage door and its lights take 12 A of the feeder's 32 A.
        sample(&mut b, "G", [set + 12; 3]);
        b.input(Input::Tick);
    }
    assert_eq!(b.sets(2), [18, 17], "60 A less 25 A on L1, shared; the feeder leaves 20 A");
    let flows: Vec<_> = b.control.snapshot(b.now()).circuits.into_iter().map(|c| (c.circuit.id, c.flow.l1)).collect();
    assert_eq!(flows, [(garage(), Flow::Import(amps(30))), (root(), Flow::Import(amps(60)))]);
}

/// Two connectors of one charger never get more than the charger's maximum together.
#[test]
fn connectors_share_their_charger() {
    let twin = Charger { connectors: 2, ..charger(1, Wiring::three()) };
    let mut b = building(vec![twin], vec![meter(MeterRole::House)]);
    for number in [1, 2] {
        let (reply, at) = (b.reply(), b.now().wall);
        let (connector, card) = (ConnectorNumber(number), Some(uid(u32::from(number))));
        let (meter, provenance) = (WattHours(0), Provenance::Measured);
        let request = StartRequest { connector, card, at, meter, provenance };
        b.event(1, ChargerEvent::SessionStarted { reply, request });
    }
    for _ in 0..90 {
        b.ms += 1000;
        sample(&mut b, "M", [5; 3]);
        b.input(Input::Tick);
    }
    let charger = b.control.snapshot(b.now()).chargers.remove(0);
    let sets: Vec<_> = charger.connectors.iter().map(|connector| (connector.number, connector.set)).collect();
    assert_eq!(sets, [(ONE, amps(16)), (ConnectorNumber(2), amps(16))]);
    assert!(matches!(charger.connectors[0].reason, Reason::Shared { cars: 2, bottleneck: None, .. }));
}

/// The limit that holds a car down is named as people know it.
#[test]
fn the_limit_is_named() {
    for (contracted, fuse, own, kind, limit_ma) in [
        (6_900, 30, 200, BottleneckKind::MainFuse, 30_000),
        (5_750, 30, 200, BottleneckKind::Contract, 25_000),
        (13_800, 40, 200, BottleneckKind::MainFuse, 40_000),
        (13_800, 60, 20, BottleneckKind::MainFuse, 20_000),
    ] {
        let settings = Site { contracted: VoltAmps(contracted), main_fuse: amps(fuse), ..site(Pacing::Published) };
        let template = Building::new(settings.clone(), 2, MeterRole::House);
        let known = template.control.snapshot(template.now());
        let mut setup = Setup::empty(settings, circuits(own));
        (setup.tenants, setup.cards) = (known.tenants, known.cards);
        setup.chargers = (1..=2).map(|n| charger(n, Wiring::single())).collect();
        setup.meters = vec![meter(MeterRole::House)];
        let mut b = Building::of(setup, MeterRole::House);
        for n in [1, 2] {
            b.event(n, ChargerEvent::Connected);
            b.start(n, amps(32));
        }
        b.run(6);
        let Reason::Shared { bottleneck: Some(place), .. } = b.reason(1) else { panic!("{:?}", b.reason(1)) };
        assert_eq!((place.kind, place.limit, place.phase), (kind, MilliAmps(limit_ma), None));
        assert_eq!(b.sets(2), [limit_ma / 2000; 2]);
    }
}

//! What a silent meter may never bring: more current.

use super::property::{Step, input_of, start_site, steps};
use super::{Building, MeterRole, amps, charger_id, site};
use crate::{Change, Output, Reason};
use domain::{ChargerId, CircuitRating, ConnectorNumber, MeterId, MilliAmps, Pacing, ProtectionDevice, SessionId};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Session and setpoint of every connector.
type Sets = BTreeMap<(ChargerId, ConnectorNumber), (Option<SessionId>, MilliAmps)>;

fn sets(b: &Building) -> Sets {
    let mut sets = Sets::new();
    for (id, live) in &b.control.chargers {
        for (number, connector) in &live.connectors {
            let session = b.control.ledger.running(id, *number).map(|session| session.id);
            sets.insert((id.clone(), *number), (session, connector.set));
        }
    }
    sets
}

fn is_fresh(b: &Building) -> bool {
    let meter = MeterId::new("M").unwrap();
    b.control.meters.get(&meter).is_some_and(|live| live.is_fresh(b.now(), b.control.site.meter_max_age))
}

/// Plays the steps; no setpoint rises above what the same session had when the meter was last heard, but for a car
/// that has nothing and begins with the minimum.
fn play(b: &mut Building, steps: &[Step]) -> Result<(), TestCaseError> {
    let mut heard = Sets::new();
    for step in steps {
        let input = input_of(b, step);
        if is_fresh(b) {
            heard = sets(b);
        }
        let out = b.input(input);
        if is_fresh(b) || b.control.site.pacing == Pacing::Published {
            continue;
        }
        let now_running = sets(b);
        for output in &out {
            let Output::Setpoint { charger, connector, limit, change: Change::Raise } = output else { continue };
            let key = (charger.clone(), *connector);
            let session = now_running.get(&key).and_then(|(session, _)| *session);
            let had = heard.get(&key).filter(|(before, _)| *before == session).map_or(MilliAmps::ZERO, |(_, set)| *set);
            prop_assert!(*limit <= had.max(b.control.site.min_charge), "{step:?}: {output:?}, had {had}");
        }
    }
    Ok(())
}

/// Steps in which the meter speaks for a while and then never again.
fn falls_silent() -> impl Strategy<Value = Vec<Step>> {
    let speaks = |step: &Step| !matches!(step, Step::Meter { .. });
    (prop::collection::vec(steps(), 5..40), prop::collection::vec(steps().prop_filter("silent", speaks), 1..40))
        .prop_map(|(mut before, after)| {
            before.push(Step::Wait(20));
            before.extend(after);
            before
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    /// Stale or missing input never raises a setpoint, whatever else happens meanwhile.
    #[test]
    fn a_silent_meter_raises_nobody(steps in falls_silent(), whole in any::<bool>()) {
        let mut b = start_site(if whole { MeterRole::Circuit } else { MeterRole::House });
        play(&mut b, &steps)?;
    }
}

/// Two cars that share what a silent meter leaves: when one goes, the other does not get its current; one that comes
/// begins with the minimum in the room of the declared load.
#[test]
fn room_below_a_silent_meter_is_given_to_nobody_who_charges() {
    for role in [MeterRole::House, MeterRole::Circuit] {
        let mut b = Building::new(domain::Site { declared_load: amps(12), ..site(Pacing::Careful) }, 3, role);
        b.house = amps(4);
        b.start(1, amps(32));
        b.start(2, amps(32));
        b.run(120);
        assert_eq!(b.sets(2), [13, 13]);
        b.metered = false;
        b.run(30);
        assert_eq!(b.sets(2), [9, 9], "what the declared load leaves");
        b.stop(2);
        b.run(120);
        assert_eq!(b.sets(1), [13], "as much as it had, and no more");
        assert_eq!(b.reason(1), Reason::MeterSilent);
        b.start(3, amps(32));
        b.run(120);
        assert_eq!((b.set(1), b.set(3)), (amps(9), amps(6)));
        b.metered = true;
        b.run(120);
        assert_eq!((b.set(1), b.set(3)), (amps(13), amps(13)));
    }
}

/// Where a device that acts within seconds protects the circuit, nobody is raised or begins while the meter is silent.
#[test]
fn the_guard_raises_nobody_in_silence() {
    let mut b = Building::new(site(Pacing::Careful), 2, MeterRole::Circuit);
    let mut circuits: Vec<_> = b.control.circuits.iter().cloned().collect();
    circuits[0].rating = CircuitRating { device: Some(ProtectionDevice::PortugueseDcp), ..CircuitRating::default() };
    b.order(crate::Order::SetCircuits(domain::CircuitTree::new(circuits).unwrap())).unwrap();
    b.house = amps(3);
    b.start(1, amps(32));
    b.run(600);
    assert!(b.set(1) >= amps(6), "{}", b.set(1));
    b.metered = false;
    b.run(5);
    let had = b.set(1);
    b.start(2, amps(32));
    b.log.clear();
    b.run(300);
    let raised = |o: &&Output| {
        matches!(o, Output::Setpoint { change: Change::Raise, limit, charger, .. }
        if *limit > if *charger == charger_id(1) { had } else { amps(6) })
    };
    assert_eq!(b.log.iter().find(raised), None);
}

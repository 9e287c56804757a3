//! Random sites and random inputs: nothing panics, and the rules hold after every single input.

use super::{Building, ONE, amps, charger, charger_id, circuits, meter, root, site, uid};
use crate::standing::Standing;
use crate::{Control, Input, Order, Output, Setup, StorageState};
use domain::{
    CardStatus, ChargerEvent, ChargerSample, Circuit, CircuitId, CircuitTree, ConnectorNumber, ConnectorStatus,
    DurationMs, Flow, HardwareInfo, Hold, MeterEvent, MeterId, MeterRole, MeterSample, MilliAmps, Now, Pacing,
    PerPhase, Phase, PhaseCount, Protocol, Provenance, SessionId, SessionRef, Site, StartRequest, StatusDetail,
    StopReason, StopRequest, TenantId, Timestamp, VoltAmps, WattHours, Watts, Wiring,
};
use proptest::prelude::*;

/// One thing that may happen, in small numbers so that sequences shrink well.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Wait(u16),
    Meter { house_ma: i32, late_s: u16 },
    SecondMeter { ma: i32 },
    MeterLink(bool),
    Link { n: u32, up: bool },
    Boot(u32),
    Status { n: u32, connector: u16, status: u8 },
    Tap { n: u32, card: u32 },
    Start { n: u32, connector: u16, card: u32, meter: u64 },
    Stop { n: u32, session: i32, meter: u64 },
    Measured { n: u32, ma: u32, wh: u64, late_s: u16 },
    Power { n: u32, w: u32 },
    Hold { n: u32, hold: u8 },
    Priority(u32),
    Configure { n: u32, max: u16, fallback: u16, wiring: u8, circuit: u8 },
    Approve(u32),
    Remove(u32),
    Site { margin: u16, active: Option<u16>, published: bool, single: bool },
    Feeder(u16),
    Card { card: u32, what: u8 },
    Storage(bool),
    End(u32),
    Policy { n: u32, card: u32, what: u8 },
    Feed(Option<i64>),
}

pub(super) fn steps() -> impl Strategy<Value = Step> {
    let n = 1..5_u32;
    let wh = prop_oneof![Just(0), 0..20_000_u64, Just(u64::MAX)];
    prop_oneof![
        6 => (0..40_u16).prop_map(Step::Wait),
        6 => (-40_000..90_000_i32, prop_oneof![4 => Just(0_u16), 1 => 0..900_u16])
            .prop_map(|(house_ma, late_s)| Step::Meter { house_ma, late_s }),
        1 => (-40_000..90_000_i32).prop_map(|ma| Step::SecondMeter { ma }),
        1 => any::<bool>().prop_map(Step::MeterLink),
        2 => (n.clone(), any::<bool>()).prop_map(|(n, up)| Step::Link { n, up }),
        1 => n.clone().prop_map(Step::Boot),
        3 => (n.clone(), 0..4_u16, 0..9_u8).prop_map(|(n, connector, status)| Step::Status { n, connector, status }),
        1 => (n.clone(), 1..7_u32).prop_map(|(n, card)| Step::Tap { n, card }),
        4 => (n.clone(), 1..3_u16, 1..7_u32, wh.clone())
            .prop_map(|(n, connector, card, meter)| Step::Start { n, connector, card, meter }),
        2 => (n.clone(), -1..6_i32, wh.clone()).prop_map(|(n, session, meter)| Step::Stop { n, session, meter }),
        6 => (n.clone(), prop_oneof![0..40_000_u32, Just(u32::MAX)], wh, prop_oneof![Just(0_u16), 0..900_u16])
            .prop_map(|(n, ma, wh, late_s)| Step::Measured { n, ma, wh, late_s }),
        1 => (n.clone(), any::<u32>()).prop_map(|(n, w)| Step::Power { n, w }),
        1 => (n.clone(), 0..4_u8).prop_map(|(n, hold)| Step::Hold { n, hold }),
        1 => n.clone().prop_map(Step::Priority),
        1 => (n.clone(), 0..90_u16, 0..40_u16, 0..4_u8, 0..3_u8)
            .prop_map(|(n, max, fallback, wiring, circuit)| Step::Configure { n, max, fallback, wiring, circuit }),
        1 => n.clone().prop_map(Step::Approve),
        1 => n.clone().prop_map(Step::Remove),
        1 => (0..10_u16, prop::option::of(0..4_u16), any::<bool>(), any::<bool>())
            .prop_map(|(margin, active, published, single)| Step::Site { margin, active, published, single }),
        1 => (0..70_u16).prop_map(Step::Feeder),
        1 => (1..7_u32, 0..4_u8).prop_map(|(card, what)| Step::Card { card, what }),
        1 => any::<bool>().prop_map(Step::Storage),
        1 => n.clone().prop_map(Step::End),
        1 => (n, 1..7_u32, 0..6_u8).prop_map(|(n, card, what)| Step::Policy { n, card, what }),
        1 => prop::option::of(-200_000..900_000_i64).prop_map(Step::Feed),
    ]
}

const STATUSES: [ConnectorStatus; 9] = [
    ConnectorStatus::Available,
    ConnectorStatus::Preparing,
    ConnectorStatus::Charging,
    ConnectorStatus::SuspendedEv,
    ConnectorStatus::SuspendedEvse,
    ConnectorStatus::Finishing,
    ConnectorStatus::Unavailable,
    ConnectorStatus::Faulted,
    ConnectorStatus::Unknown,
];

fn three_phase() -> Site {
    Site { phases: PhaseCount::Three, contracted: VoltAmps(41_400), main_fuse: amps(60), ..site(Pacing::Careful) }
}

fn garage() -> CircuitId {
    CircuitId::new("garage").unwrap()
}

fn tree(feeder: u16) -> CircuitTree {
    let circuit = |id: CircuitId, parent, a| Circuit {
        name: id.to_string(),
        id,
        parent,
        limit: PerPhase::splat(amps(a)),
        rating: domain::CircuitRating::default(),
    };
    CircuitTree::new(vec![circuit(root(), None, 200), circuit(garage(), Some(root()), feeder)]).unwrap()
}

pub(super) fn start_site(role: MeterRole) -> Building {
    let template = Building::new(site(Pacing::Careful), 4, MeterRole::House);
    let known = template.control.snapshot(template.now());
    let mut setup = Setup::empty(three_phase(), tree(40));
    (setup.tenants, setup.cards) = (known.tenants, known.cards);
    setup.chargers = (1..=3).map(|n| charger(n, Wiring::three())).collect();
    setup.meters = vec![meter(role)];
    Building::of(setup, role)
}

fn sample_of(b: &Building, id: &str, ma: i32, late_s: u16) -> Input {
    let at = Timestamp(b.now().wall.0 - i64::from(late_s) * 1000);
    let current = PerPhase::new(i64::from(ma), i64::from(ma / 2), i64::from(-ma)).map(Flow::<MilliAmps>::from_net_ma);
    let sample = MeterSample { at, current, ..MeterSample::default() };
    Input::Meter { id: MeterId::new(id).unwrap(), event: MeterEvent::Measured(sample) }
}

fn of_charger(n: u32, event: ChargerEvent) -> Input {
    Input::Charger { id: charger_id(n), protocol: Protocol::Ocpp16, event }
}

fn of_session(b: &mut Building, step: &Step) -> Option<Input> {
    let (reply, at) = (b.reply(), b.now().wall);
    let provenance = Provenance::Measured;
    match step {
        Step::Start { n, connector, card, meter } => {
            let (connector, meter) = (ConnectorNumber(*connector), WattHours(*meter));
            let card = (*card < 6).then(|| uid(*card));
            let request = StartRequest { connector, card, at, meter, provenance };
            Some(of_charger(*n, ChargerEvent::SessionStarted { reply, request }))
        }
        Step::Stop { n, session, meter } => {
            let session = if *session < 1 { SessionRef::Unknown } else { SessionRef::Known(SessionId(*session)) };
            let (meter, reason) = (WattHours(*meter), StopReason::Other);
            let request = StopRequest { session, card: None, at, meter, reason, provenance };
            Some(of_charger(*n, ChargerEvent::SessionStopped { reply, request }))
        }
        Step::Tap { n, card } => {
            Some(of_charger(*n, ChargerEvent::CardTapped { reply, connector: None, card: uid(*card) }))
        }
        _ => None,
    }
}

fn of_device(b: &Building, step: &Step) -> Option<Input> {
    let at = b.now().wall;
    match step {
        Step::Meter { house_ma, late_s } => Some(sample_of(b, "M", *house_ma, *late_s)),
        Step::SecondMeter { ma } => Some(sample_of(b, "N", *ma, 0)),
        Step::MeterLink(up) => {
            let event = if *up { MeterEvent::Connected } else { MeterEvent::Disconnected };
            Some(Input::Meter { id: MeterId::new("M").unwrap(), event })
        }
        Step::Link { n, up } => {
            Some(of_charger(*n, if *up { ChargerEvent::Connected } else { ChargerEvent::Disconnected }))
        }
        Step::Boot(n) => Some(of_charger(*n, ChargerEvent::Booted(HardwareInfo::default()))),
        Step::Status { n, connector, status } => {
            let connector = (*connector > 0).then_some(ConnectorNumber(*connector));
            let (status, detail) = (STATUSES[usize::from(*status)], StatusDetail::default());
            Some(of_charger(*n, ChargerEvent::Status { connector, status, detail, at }))
        }
        Step::Measured { n, ma, wh, late_s } => {
            let at = Timestamp(at.0 - i64::from(*late_s) * 1000);
            // Some cars leave wires unused, and some chargers do not name them all.
            let second = if ma.is_multiple_of(2) { 0 } else { *ma / 2 };
            let wires = if n.is_multiple_of(2) { 2 } else { 3 };
            let current_per_wire = [*ma, second, 0].into_iter().take(wires).map(MilliAmps).collect();
            let energy = Some(WattHours(*wh));
            let sample = ChargerSample { at, current_per_wire, energy, ..ChargerSample::default() };
            Some(of_charger(*n, ChargerEvent::Measured { connector: Some(ONE), session: None, sample }))
        }
        Step::Power { n, w } => {
            let sample = ChargerSample { at, power: Some(Watts(*w)), ..ChargerSample::default() };
            Some(of_charger(*n, ChargerEvent::Measured { connector: None, session: None, sample }))
        }
        _ => None,
    }
}

fn order_of(step: &Step) -> Option<Order> {
    let ttl = DurationMs::from_secs(60);
    Some(match step {
        Step::Hold { n, hold } => {
            let hold = match hold {
                0 => None,
                1 => Some(Hold::Paused),
                more => Some(Hold::LimitedTo(amps(u16::from(*more) * 4))),
            };
            Order::Hold { charger: charger_id(*n), hold }
        }
        Step::Priority(n) => Order::OrderChargers(vec![charger_id(*n)]),
        Step::Configure { n, max, fallback, wiring, circuit } => {
            let wiring = match wiring {
                0 => Wiring::single(),
                1 => Wiring::new(vec![Phase::L2]).unwrap(),
                2 => Wiring::new(vec![Phase::L3, Phase::L1]).unwrap(),
                _ => Wiring::three(),
            };
            let circuit = match circuit {
                0 => root(),
                1 => garage(),
                _ => CircuitId::new("nowhere").unwrap(),
            };
            let connectors = 1 + u16::from(*max % 3 == 0);
            let (max, fallback) = (amps(*max), amps(*fallback));
            Order::SetCharger(domain::Charger { max, fallback, circuit, connectors, ..charger(*n, wiring) })
        }
        Step::Approve(n) => Order::ApproveCharger(charger_id(*n)),
        Step::Remove(n) => Order::RemoveCharger(charger_id(*n)),
        Step::Site { margin, active, published, single } => Order::SetSite(Site {
            margin: amps(*margin),
            max_active_chargers: *active,
            pacing: if *published { Pacing::Published } else { Pacing::Careful },
            phases: if *single { PhaseCount::One } else { PhaseCount::Three },
            ..three_phase()
        }),
        Step::Feeder(0) => Order::SetCircuits(circuits(60)),
        Step::Feeder(a) => Order::SetCircuits(tree(*a)),
        Step::Card { card, what } => match what {
            0 => Order::SetCardStatus { uid: uid(*card), status: CardStatus::Blocked },
            1 => Order::RemoveCard(uid(*card)),
            2 => Order::Enrol { tenant: Some(TenantId(1)), charger: None, ttl },
            _ => Order::AddCard { tenant: TenantId(2), uid: uid(*card) },
        },
        Step::Policy { n, what: what @ 0..4, .. } => {
            let times = if *what == 0 { domain::ChargingTimes::Cheapest } else { domain::ChargingTimes::Always };
            let pausing = if *what == 1 { domain::Pausing::Never } else { domain::Pausing::Allowed };
            let source = if *what == 2 { domain::EnergySource::SolarOnly } else { domain::EnergySource::Grid };
            let policy = domain::ChargerPolicy { times, pausing, source, ..domain::ChargerPolicy::default() };
            Order::SetCharger(domain::Charger { policy, ..charger(*n, Wiring::single()) })
        }
        Step::Policy { card, what, .. } => {
            let policy = domain::CardPolicy { sleeps: *what == 4, priority: Some(5), ..domain::CardPolicy::default() };
            Order::SetCardPolicy { uid: uid(*card), policy }
        }
        Step::End(n) => Order::EndSession { charger: charger_id(*n), connector: ONE },
        _ => return None,
    })
}

pub(super) fn input_of(b: &mut Building, step: &Step) -> Input {
    if let Step::Wait(secs) = step {
        b.ms += u64::from(*secs) * 1000;
        return Input::Tick;
    }
    if let Step::Storage(failing) = step {
        return Input::Storage(if *failing { StorageState::Failing } else { StorageState::Healthy });
    }
    if let Step::Feed(price_micro) = step {
        let from = b.now().wall;
        let period = |hour: u64, price_micro| domain::OutlookPeriod {
            from: from + DurationMs::from_secs(hour * 3600),
            to: from + DurationMs::from_secs((hour + 1) * 3600),
            price_micro,
            surplus: None,
        };
        let periods = vec![period(0, Some(100_000)), period(1, *price_micro), period(2, Some(50_000))];
        return Input::Outlook(price_micro.and_then(|_| domain::Outlook::new(periods).ok()));
    }
    if let Some(order) = order_of(step) {
        return Input::Order(order);
    }
    of_session(b, step).or_else(|| of_device(b, step)).unwrap_or(Input::Tick)
}

/// Setpoints, counted loads and the building fit every phase of every circuit, or the cars there have nothing.
fn assert_fits(control: &Control, now: Now) {
    let assessment = control.assess(now);
    for (index, branch) in control.tree.branches.iter().enumerate() {
        for phase in Phase::ALL {
            let load = assessment.loads[index];
            let house = match control.site.pacing {
                Pacing::Careful => load.low,
                Pacing::Published => load.high,
            };
            let (mut counted, mut shared) = (*house.get(phase), MilliAmps::ZERO);
            for ((id, number), standing) in &assessment.standings {
                let live = &control.chargers[id];
                let own = control.tree.index(&live.charger.circuit).unwrap_or(control.tree.root);
                let wiring = match (standing, control.site.pacing) {
                    (Standing::Demand { .. }, Pacing::Careful) => {
                        live.connectors[number].wiring_in_use(now, &live.charger.wiring)
                    }
                    _ => live.charger.wiring.clone(),
                };
                if !wiring.uses(phase) || !control.tree.path(own).any(|above| above == index) {
                    continue;
                }
                match standing {
                    Standing::Demand { .. } => shared += live.connectors[number].set,
                    Standing::Counted { amount, .. } => counted += *amount,
                    Standing::Nothing(_) => assert!(live.connectors[number].set.is_zero(), "{id} {standing:?}"),
                }
            }
            let limit = branch.limit.get(phase).saturating_sub(control.site.margin);
            assert!(shared.is_zero() || counted + shared <= limit, "{phase:?} of {}: {counted} + {shared}", branch.id);
        }
    }
}

fn assert_sound(input: &Input, out: &[Output]) {
    for output in out {
        if let Output::Setpoint { limit, .. } = output {
            assert!(limit.is_zero() || (limit.0 % 1000 == 0 && (6..=80).contains(&limit.amps_floor())), "{output:?}");
        }
        if let Output::Save(domain::Record::Session(session)) = output {
            assert!(session.energy.0 < 1_000_000_000, "{session:?}");
        }
    }
    let done = out.iter().filter(|o| matches!(o, Output::Done(_))).count();
    assert_eq!(done, usize::from(matches!(input, Input::Order(_))), "one answer per order");
    if let Input::Charger { event, .. } = input {
        let asks = matches!(
            event,
            ChargerEvent::CardTapped { .. } | ChargerEvent::SessionStarted { .. } | ChargerEvent::SessionStopped { .. }
        );
        let answers = out.iter().filter(|o| {
            matches!(o, Output::CardAnswer { .. } | Output::StartAnswer { .. } | Output::StopAnswer { .. })
        });
        assert_eq!(answers.count(), usize::from(asks), "one answer per request: {event:?}");
    }
}

/// Values alone are looked at with the next sample or tick, so a burst of reports costs nothing.
fn is_looked_at_once(input: &Input) -> bool {
    match input {
        Input::Charger { event, .. } => !matches!(
            event,
            ChargerEvent::Measured { .. }
                | ChargerEvent::Booted(_)
                | ChargerEvent::LimitAnswered { .. }
                | ChargerEvent::CardTapped { .. }
        ),
        Input::Storage(_) | Input::BrokerRestarted | Input::UtcOffset(_) | Input::Outlook(_) => false,
        Input::Meter { event, .. } => matches!(event, MeterEvent::Measured(_)),
        Input::PastLoads(_) => false,
        Input::Tick | Input::Order(_) | Input::Month { .. } => true,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Whatever happens in whatever order, no `handle` panics, every setpoint is one chargers can be told, every
    /// request and order is answered once, and what is commanded fits.
    #[test]
    fn any_sequence_keeps_the_rules(
        steps in prop::collection::vec(steps(), 1..60),
        whole in any::<bool>(),
    ) {
        let mut b = start_site(if whole { MeterRole::Circuit } else { MeterRole::House });
        for step in &steps {
            let input = input_of(&mut b, step);
            let out = b.input(input.clone());
            assert_sound(&input, &out);
            // The published rule knows no bounds, so what it believes of cars moves with what it commands.
            let bounded = !whole || b.control.site.pacing == Pacing::Careful;
            if bounded && is_looked_at_once(&input) {
                assert_fits(&b.control, b.now());
            }
            let snapshot = b.control.snapshot(b.now());
            prop_assert!(!snapshot.alarms.iter().any(|a| a.kind == domain::AlarmKind::PlanRejected), "{step:?}");
        }
    }
}

//! The IEVCC devices against a manager played by the test.
#![expect(clippy::unwrap_used, reason = "a test may stop at what cannot be")]

use domain::{
    CardUid, ChargerId, ConnectorStatus, DurationMs, HardwareInfo, Instant, MeterId, MilliAmps, MilliVolts, Now,
    PerPhase, PhaseCount, Timestamp, WattHours, Wiring,
};
use mesh::wire::{
    AvailableLoad, CardAction, ChargerOrder, DeviceBody, DeviceMessage, ManagerBody, ManagerMessage, Registered,
    StartAnswer, StopAnswer, TapAnswer, VerdictWord,
};
use simulator::{CarTraits, MeshCharger, MeshChargerBuild, MeshInput, MeshMeter, MeshOutput, OutletBuild, VirtualCar};

struct Bench {
    charger: MeshCharger,
    now: Now,
    heard: Vec<(String, DeviceMessage)>,
    sent: u64,
}

impl Bench {
    fn new() -> Self {
        let charger = MeshCharger::new(MeshChargerBuild {
            id: ChargerId::new("Charger-1").unwrap(),
            meter: MeterId::new("Counter-1").unwrap(),
            hardware: HardwareInfo::default(),
            outlet: OutletBuild {
                wiring: Wiring::single(),
                max: MilliAmps::from_amps(32),
                offer_interval: DurationMs(0),
                register: WattHours(500),
            },
            fallback: MilliAmps::ZERO,
        });
        let now = Now { instant: Instant(0), wall: Timestamp(1_768_000_000_000) };
        Self { charger, now, heard: Vec::new(), sent: 0 }
    }

    fn input(&mut self, input: MeshInput<'_>) {
        for output in self.charger.handle(self.now, input) {
            if let MeshOutput::Publish { topic, payload } = output {
                self.heard.push((topic, DeviceMessage::decode(&payload).unwrap()));
            }
        }
    }

    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds * 10 {
            let step = DurationMs(100);
            self.now = Now { instant: self.now.instant + step, wall: self.now.wall + step };
            self.charger.outlet_mut().step(PerPhase::splat(MilliVolts(230_000)), step);
            self.input(MeshInput::Tick);
        }
    }

    fn manager(&mut self, re: Option<u64>, body: ManagerBody) {
        self.sent += 1;
        let payload = ManagerMessage { id: self.sent, re, body }.encode();
        self.input(MeshInput::Message(&payload));
    }

    fn register(&mut self) {
        self.input(MeshInput::LinkUp);
        let registered = Registered {
            text: "Charger registered: Charger-1".to_owned(),
            approved: true,
            report_s: 5,
            time_ms: 0,
            fallback_ma: Some(6_000),
        };
        self.manager(None, ManagerBody::ChargerRegistered(registered));
    }

    fn plug_and_tap(&mut self) {
        let car = VirtualCar::new(CarTraits::prompt(1, MilliAmps::from_amps(32)), WattHours(20_000));
        self.input(MeshInput::Plug(car));
        self.input(MeshInput::Tap(CardUid::new("04A1B2C3").unwrap()));
        let tap = self.last(|body| matches!(body, DeviceBody::ChargerStatus(status) if status.tap.is_some()));
        let answer = TapAnswer { verdict: VerdictWord::Accepted, action: CardAction::Start, tenant: Some(1) };
        self.order(tap.id, ChargerOrder { tap: Some(answer), ..ChargerOrder::default() });
    }

    fn order(&mut self, re: Option<u64>, order: ChargerOrder) {
        self.manager(re, ManagerBody::Order(order));
    }

    fn last(&self, wanted: impl Fn(&DeviceBody) -> bool) -> DeviceMessage {
        self.heard.iter().rev().find(|(_, message)| wanted(&message.body)).unwrap().1.clone()
    }

    fn count(&self, wanted: impl Fn(&DeviceBody) -> bool) -> usize {
        self.heard.iter().filter(|(_, message)| wanted(&message.body)).count()
    }
}

fn is_start(body: &DeviceBody) -> bool {
    matches!(body, DeviceBody::ChargerStatus(status) if status.start.is_some())
}

fn is_stop(body: &DeviceBody) -> bool {
    matches!(body, DeviceBody::ChargerStatus(status) if status.stop.is_some())
}

/// A charger announces itself on its meter's topic, and on hello/new when it was thrown out there.
#[test]
fn a_stranger_is_thrown_out_and_says_hello() {
    let mut bench = Bench::new();
    bench.input(MeshInput::LinkUp);
    assert_eq!(bench.heard[0].0, "Counter-1");
    bench.input(MeshInput::LinkDown);
    bench.input(MeshInput::LinkUp);
    assert_eq!(bench.heard[1].0, "hello/new");
}

/// A limit holds for as long as it says; then the charger draws its fallback.
#[test]
fn an_expired_limit_leaves_the_fallback() {
    let mut bench = Bench::new();
    bench.register();
    bench.plug_and_tap();
    let load = AvailableLoad { connector: 1, limit_ma: 20_000, valid_s: 60, fallback_ma: 6_000 };
    bench.manager(None, ManagerBody::AvailableLoad(load));
    bench.pass(59);
    assert_eq!(bench.charger.outlet().car().unwrap().draws(), MilliAmps::from_amps(20));
    bench.pass(4);
    assert_eq!(bench.charger.outlet().car().unwrap().draws(), MilliAmps::from_amps(6));
    assert_eq!(bench.charger.status(), ConnectorStatus::Charging);
}

/// Starts and stops are repeated until the manager answers, in order, and survive a lost link.
#[test]
fn starts_and_stops_are_repeated_until_answered() {
    let mut bench = Bench::new();
    bench.register();
    bench.plug_and_tap();
    bench.pass(11);
    assert_eq!(bench.count(is_start), 3, "at 0, 5 and 10 s");
    bench.input(MeshInput::LinkDown);
    bench.input(MeshInput::Unplug);
    assert_eq!(bench.charger.unconfirmed(), 2);
    bench.heard.clear();
    bench.register();
    bench.pass(1);
    assert_eq!((bench.count(is_start), bench.count(is_stop)), (1, 0), "the start first");
    let start = StartAnswer { local: local(&bench), session: 42, verdict: VerdictWord::Accepted };
    bench.order(None, ChargerOrder { start: Some(start), ..ChargerOrder::default() });
    let stop = bench.last(is_stop);
    let DeviceBody::ChargerStatus(status) = stop.body else { unreachable!() };
    assert_eq!(status.stop.unwrap().session, Some(42));
    let stop = StopAnswer { local: local(&bench) };
    bench.order(None, ChargerOrder { stop: Some(stop), ..ChargerOrder::default() });
    assert_eq!(bench.charger.unconfirmed(), 0);
}

fn local(bench: &Bench) -> u64 {
    let DeviceBody::ChargerStatus(status) = bench.last(is_start).body else { unreachable!() };
    status.start.unwrap().local
}

/// A start that is refused ends the session, so nobody charges on an unknown card.
#[test]
fn a_refused_start_ends_the_session() {
    let mut bench = Bench::new();
    bench.register();
    bench.plug_and_tap();
    bench.pass(1);
    let start = StartAnswer { local: local(&bench), session: 42, verdict: VerdictWord::Blocked };
    bench.order(None, ChargerOrder { start: Some(start), ..ChargerOrder::default() });
    assert!(!bench.charger.is_in_session());
    assert_eq!(bench.count(is_stop), 1);
}

/// A meter announces itself on hello/new, reports at the interval it was told, and export is no import.
#[test]
fn a_meter_reports_what_flows() {
    let mut meter = MeshMeter::new(MeterId::new("Counter-1").unwrap(), PhaseCount::Three);
    let now = Now { instant: Instant(1_000), wall: Timestamp(1_000) };
    let hello = meter.handle(now, MeshInput::LinkUp);
    assert!(matches!(&hello[0], MeshOutput::Publish { topic, .. } if topic == "hello/new"));
    let volts = PerPhase::splat(MilliVolts(230_000));
    meter.measure(now, PerPhase::new(10_000, -4_000, 0), volts, DurationMs(3_600_000));
    let registered = Registered { approved: true, report_s: 5, ..Registered::default() };
    let message = ManagerMessage { id: 1, re: None, body: ManagerBody::CounterRegistered(registered) }.encode();
    let out = meter.handle(now, MeshInput::Message(&message));
    let MeshOutput::Publish { topic, payload } = &out[0] else { unreachable!() };
    assert_eq!(topic, "Counter-1");
    let DeviceBody::CounterLoad(load) = DeviceMessage::decode(payload).unwrap().body else { unreachable!() };
    assert_eq!((load.current_ma, load.export_ma), (vec![10_000, 0, 0], vec![0, 4_000, 0]));
    assert_eq!((load.power_w, load.energy_wh), (Some(1_380), Some(2_300)));
    let early = Now { instant: Instant(5_900), wall: Timestamp(5_900) };
    assert!(meter.handle(early, MeshInput::Tick).is_empty());
    let due = Now { instant: Instant(6_000), wall: Timestamp(6_000) };
    assert_eq!(meter.handle(due, MeshInput::Tick).len(), 1);
}

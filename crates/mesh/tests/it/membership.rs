//! Registration, refusals, approval, removal.

use crate::common::*;
use domain::{ChargerEvent, Flow, HardwareInfo, MeterEvent, MilliAmps, PerPhase, Timestamp, WattHours, Watts};
use mesh::wire::{Code, ManagerBody, Refused};
use mesh::{Input, Output};

const COUNTER_1: &str = r#"{"v":1,"code":"0x001","from":"Counter-1"}"#;
const CHARGER_1: &str = r#"{"v":1,"code":"0x002","from":"Charger-1"}"#;

/// Published: an unknown code is refused, whatever the topic.
#[test]
fn published_message_code() {
    let mut world = World::empty();
    let outputs = world.say("Counter-1", "0x000", r#"{"v":1,"code":"0x000","from":"Counter-1"}"#);
    assert_eq!(outputs, [Output::Notice("Invalid Message: message code".to_owned())]);
}

/// Published: a counter registers on hello/new.
#[test]
fn published_counter_registered() {
    let mut world = World::empty();
    assert_eq!(notice(&world.say("Counter-1", "hello/new", COUNTER_1)), "Counter registered: Counter-1");
}

/// Published: a charger registers on the topic of a registered counter.
#[test]
fn published_charger_registered() {
    let mut world = World::empty();
    world.say("Counter-1", "hello/new", COUNTER_1);
    assert_eq!(notice(&world.say("Charger-1", "Counter-1", CHARGER_1)), "Charger registered: Charger-1");
}

/// Published: the same on a topic that is no registered counter is refused.
#[test]
fn published_message_topic() {
    let mut world = World::empty();
    world.say("Counter-1", "hello/new", COUNTER_1);
    let outputs = world.say("Charger-1", "Counter-2", CHARGER_1);
    assert_eq!(outputs, [Output::Notice("Invalid Message: message topic".to_owned())]);
}

/// Published: a counter beyond the configured maximum is refused; a known one is not counted twice; a higher maximum
/// lets it in.
#[test]
fn published_max_counters() {
    let mut world = World::empty();
    let hello = |name: &str| format!(r#"{{"v":1,"code":"0x001","from":"{name}"}}"#);
    for name in ["Counter-1", "Counter-2", "Counter-1"] {
        assert_eq!(notice(&world.say(name, "hello/new", &hello(name))), format!("Counter registered: {name}"));
    }
    let outputs = world.say("Counter-3", "hello/new", &hello("Counter-3"));
    assert_eq!(outputs, [Output::Notice("Max registered counters achieved".to_owned())]);
    world.give(Input::SetMaxMeters(3));
    let outputs = world.say("Counter-3", "hello/new", &hello("Counter-3"));
    assert_eq!(notice(&outputs), "Counter registered: Counter-3");
}

/// A registered device learns on its own topic why its message was refused, with the number of that message.
#[test]
fn a_registered_device_is_told_why() {
    let mut world = World::running();
    let cases = [
        (r#"{"v":1,"code":"0x099","from":"Counter-1"}"#, "Invalid Message: message code"),
        (
            r#"{"v":2,"code":"0x031","from":"Counter-1","current_ma":[1]}"#,
            "Invalid Message: version 2, this manager speaks version 1",
        ),
        (r#"{"v":1,"code":"0x031","from":"Counter-1","current_ma":[-1]}"#, "Invalid Message: negative load"),
        (
            r#"{"v":1,"code":"0x031","from":"Counter-1","current_ma":[1],"power_w":-5}"#,
            "Invalid Message: negative load",
        ),
        (r#"{"v":1,"code":"0x031","from":"Counter-1"}"#, "Invalid Message: 0x031 missing field `current_ma`"),
        (r#"{"v":1,"code":"0x031","from":"Counter-1","current_ma":[]}"#, "Invalid Message: 0x031 needs current_ma"),
        (r#"{"v":1,"code":"0x031","from":"Counter-1","current_ma":[1,2,3,4]}"#, "Invalid Message: 0x031 has 4 values"),
        (r#"{"v":1,"code":"0x031","from":"Counter-1","current_ma":[1.5]}"#, "Invalid Message: 0x031 invalid type"),
        (
            r#"{"v":1,"code":"0x031","from":"Counter-1","current_ma":[4000000000]}"#,
            "Invalid Message: 0x031 has a value",
        ),
        (
            r#"{"v":1,"code":"0x031","from":"Counter-1","current_ma":[1],"export_ma":[1]}"#,
            "Invalid Message: 0x031 has current_ma and export_ma above 0 on one phase",
        ),
        (r#"{"v":1,"code":"0x031","from":"Counter-2","current_ma":[1]}"#, "Invalid Message: from says Counter-2"),
        (r#"{"v":1,"code":"0x032","from":"Counter-1","connector":1}"#, "Invalid Message: message topic"),
        ("{", "Invalid Message: not a JSON object"),
        ("[]", "Invalid Message: not a JSON object"),
    ];
    for (json, expected) in cases {
        let outputs = world.say("Counter-1", "Counter-1", json);
        assert!(notice(&outputs).starts_with(expected), "{json}: {outputs:?}");
        let [ManagerBody::Refused(_, Refused { error })] = &bodies(&outputs)[..] else { unreachable!("{outputs:?}") };
        assert!(error.starts_with(expected), "{error}");
        assert!(meter_events(&outputs).is_empty());
    }
    for load in ["[]", "[-1]", "7"] {
        let json = format!(r#"{{"v":1,"code":"0x031","from":"Counter-1","id":41,"current_ma":{load}}}"#);
        let (topic, message, _) = published(&world.say("Counter-1", "Counter-1", &json)).remove(0);
        assert_eq!((topic.as_str(), message.re), ("Counter-1", Some(41)));
        assert!(matches!(message.body, ManagerBody::Refused(Some(Code::CounterLoad), _)), "{message:?}");
    }
}

/// A device that reports on another's topic, or a charger on its meter's, moves nobody's load.
#[test]
fn loads_count_on_the_own_topic_only() {
    let mut world = World::running();
    let load = r#"{"v":1,"code":"0x032","from":"Charger-1","connector":1,"current_ma":[6000]}"#;
    assert_eq!(notice(&world.say("Charger-1", "Counter-1", load)), "Invalid Message: message topic");
    assert_eq!(notice(&world.say("Charger-1", "hello/new", load)), "Invalid Message: message topic");
    assert_eq!(notice(&world.stranger_says("Charger-1", "Charger-1", load)), "Invalid Message: message topic");
    assert_eq!(charger_events(&world.say("Charger-1", "Charger-1", load)).len(), 1);
}

/// Payloads nobody sends in earnest are not read at all.
#[test]
fn a_huge_payload_is_refused() {
    let mut world = World::running();
    let huge = format!(r#"{{"v":1,"code":"0x031","from":"Counter-1","x":"{}"}}"#, "x".repeat(20_000));
    assert!(notice(&world.say("Counter-1", "Counter-1", &huge)).contains("at most 16384 are read"));
}

/// A stranger waits for approval, cannot pass for a known device, and is told nothing on a topic it cannot read.
#[test]
fn strangers_wait() {
    let mut world = World::running();
    let outputs = world.stranger_says("Counter-1", "hello/new", COUNTER_1);
    assert!(notice(&outputs).contains("the name Counter-1 is taken"), "{outputs:?}");
    let outputs = world.stranger_says("Charger-1", "hello/new", CHARGER_1);
    assert!(notice(&outputs).contains("the name Charger-1 is taken"), "{outputs:?}");

    let hello = r#"{"v":1,"code":"0x002","from":"Charger-9","counter":"Counter-1","vendor":"Maker","connectors":2,"max_ma":16000}"#;
    let outputs = world.stranger_says("Charger-9", "hello/new", hello);
    let hardware = HardwareInfo { vendor: "Maker".to_owned(), ..HardwareInfo::default() };
    assert_eq!(
        outputs,
        [
            Output::Charger { id: charger("Charger-9"), event: ChargerEvent::Booted(hardware) },
            Output::Charger { id: charger("Charger-9"), event: ChargerEvent::Disconnected },
            Output::ChargerDescribed {
                id: charger("Charger-9"),
                meter: Some(meter("Counter-1")),
                connectors: 2,
                max: Some(MilliAmps::from_amps(16)),
            },
            Output::Notice("Charger registered: Charger-9".to_owned()),
        ]
    );
    assert_eq!(world.stranger_says("Charger-9", "hello/new", hello), [], "repeating changes nothing");
    let outputs = world.stranger_says("Charger-8", "Counter-1", &hello.replace("Charger-9", "Charger-8"));
    assert_eq!(notice(&outputs), "Invalid Message: message topic", "strangers speak on hello/new only");

    world.give(Input::SetApproved { charger: charger("Charger-9"), approved: true });
    let outputs = world.give(Input::Connected { client: "Charger-9" });
    assert_eq!(charger_events(&outputs), [ChargerEvent::Connected]);
    let outputs = world.say("Charger-9", "Counter-1", &hello.replace("hello", ""));
    let told = bodies(&outputs);
    assert!(matches!(&told[0], ManagerBody::ChargerRegistered(told) if told.approved), "{told:?}");
}

/// No device passes for the manager, for another kind of device, or for another by a space in its name.
#[test]
fn names_are_unique() {
    let mut world = World::running();
    for name in ["manager", "Manager"] {
        let json = format!(r#"{{"v":1,"code":"0x001","from":"{name}"}}"#);
        assert!(notice(&world.stranger_says(name, "hello/new", &json)).contains("is taken"));
    }
    let json = r#"{"v":1,"code":"0x001","from":"Charger-1"}"#;
    assert!(notice(&world.say("Charger-1", "hello/new", json)).contains("is taken"));
    let json = r#"{"v":1,"code":"0x002","from":"Counter-1"}"#;
    assert!(notice(&world.say("Counter-1", "Counter-1", json)).contains("is taken"));
    let json = r#"{"v":1,"code":"0x031","from":" Counter-1","current_ma":[1]}"#;
    assert_eq!(notice(&world.say(" Counter-1", " Counter-1", json)), "Invalid Message: message topic");
    let json = r#"{"v":1,"code":"0x001","from":" Counter-1"}"#;
    assert!(notice(&world.say(" Counter-1", "hello/new", json)).contains("space"));
}

/// Strangers can announce any number of names; the memory they take is bounded.
#[test]
fn a_flood_of_strangers_is_bounded() {
    let mut world = World::running();
    let mut registered = 0;
    for number in 0..500 {
        let name = format!("Charger-x{number}");
        let json = format!(r#"{{"v":1,"code":"0x002","from":"{name}"}}"#);
        if notice(&world.stranger_says(&name, "hello/new", &json)).starts_with("Charger registered") {
            registered += 1;
        }
    }
    assert_eq!(registered, 64);
}

/// After a restart nothing is registered by hand: known devices count at once.
#[test]
fn known_devices_count_at_once() {
    let mut world = World::running();
    let json = r#"{"v":1,"code":"0x031","from":"Counter-1","at_ms":1788220799000,"current_ma":[5000,0,7000],"export_ma":[0,2000],
        "voltage_mv":[230000,231000,229000],"power_w":2300,"energy_wh":12}"#;
    let events = meter_events(&world.say("Counter-1", "Counter-1", json));
    let [MeterEvent::Measured(sample)] = &events[..] else { unreachable!("one sample") };
    let amps = |amps: u16| MilliAmps::from_amps(amps);
    assert_eq!(sample.current, PerPhase::new(Flow::Import(amps(5)), Flow::Export(amps(2)), Flow::Import(amps(7))));
    assert_eq!((sample.power, sample.energy), (Some(Flow::Import(Watts(2300))), Some(WattHours(12))));
    assert_eq!(sample.at, Timestamp(1_788_220_799_000));
}

/// A sample from the future would count as fresh for ever; an old one keeps its age.
#[test]
fn a_wrong_clock_never_makes_a_sample_fresh() {
    let mut world = World::running();
    for (at, expected) in
        [(WALL + 3_600_000, WALL), (i64::MAX, WALL), (WALL - 60_000, WALL - 60_000), (i64::MIN, i64::MIN)]
    {
        let json = format!(r#"{{"v":1,"code":"0x031","from":"Counter-1","at_ms":{at},"current_ma":[1]}}"#);
        let events = meter_events(&world.say("Counter-1", "Counter-1", &json));
        let [MeterEvent::Measured(sample)] = &events[..] else { unreachable!("one sample") };
        assert_eq!(sample.at, Timestamp(expected));
    }
}

/// What an unapproved meter measures moves nobody's current.
#[test]
fn an_unapproved_meter_is_not_believed() {
    let mut world = World::running();
    let load = r#"{"v":1,"code":"0x031","from":"Counter-1","current_ma":[1000]}"#;
    world.give(Input::MeterApproved { meter: meter("Counter-1"), approved: false });
    let outputs = world.say("Counter-1", "Counter-1", load);
    assert!(meter_events(&outputs).is_empty() && notice(&outputs).contains("waits for approval"), "{outputs:?}");
    let outputs = world.give(Input::MeterApproved { meter: meter("Counter-1"), approved: true });
    assert!(matches!(&bodies(&outputs)[0], ManagerBody::CounterRegistered(told) if told.approved));
    assert_eq!(meter_events(&world.say("Counter-1", "Counter-1", load)).len(), 1);
}

/// A connection that takes over from an older one must not look like a device that left.
#[test]
fn connections_are_counted() {
    let mut world = World::running();
    assert_eq!(world.give(Input::Connected { client: "Counter-1" }), []);
    assert_eq!(world.give(Input::Disconnected { client: "Counter-1" }), []);
    let outputs = world.give(Input::Disconnected { client: "Counter-1" });
    assert_eq!(meter_events(&outputs), [MeterEvent::Disconnected]);
    assert_eq!(world.give(Input::Disconnected { client: "Counter-1" }), [], "one too many changes nothing");
}

/// Codes 0x011 and 0x012 in both directions: a device leaves, or the manager removes it and says so.
#[test]
fn devices_leave_and_are_removed() {
    let mut world = World::running();
    let outputs = world.say("Charger-1", "Charger-1", r#"{"v":1,"code":"0x012","from":"Charger-1"}"#);
    assert!(outputs.contains(&Output::ChargerLeft(charger("Charger-1"))));
    assert_eq!(notice(&outputs), "Charger removed: Charger-1");
    assert_eq!(bodies(&outputs), [ManagerBody::ChargerRemoved]);
    let status = r#"{"v":1,"code":"0x022","from":"Charger-1","connector":1,"status":"available"}"#;
    assert_eq!(notice(&world.say("Charger-1", "Charger-1", status)), "Invalid Message: message topic");

    let outputs = world.give(Input::RemoveMeter(meter("Counter-1")));
    assert_eq!(bodies(&outputs), [ManagerBody::CounterRemoved]);
    assert_eq!(world.give(Input::RemoveMeter(meter("Counter-1"))), []);
    assert_eq!(notice(&world.say("Charger-1", "Counter-1", CHARGER_1)), "Invalid Message: message topic");
    let outputs = world.say("Counter-1", "hello/new", COUNTER_1);
    assert_eq!(meter_events(&outputs), [MeterEvent::Connected], "it may come back, unapproved");
    let left = world.say("Counter-1", "Counter-1", r#"{"v":1,"code":"0x011","from":"Counter-1"}"#);
    assert!(left.contains(&Output::MeterLeft(meter("Counter-1"))));
}

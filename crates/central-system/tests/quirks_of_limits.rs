//! What real chargers do with configuration and limits. Names are those of the compatibility list.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod bench;

use bench::*;
use central_system::{Command, Gate, Output};
use domain::MilliAmps;
use serde_json::{Value, json};

/// Q49, Q51: the wanted configuration is set after each boot; a list that is refused is shortened, and the list
/// that worked is remembered.
#[test]
fn measurand_probe_bounded() {
    let mut bench = Bench::new(|_| ());
    bench.open();
    bench.boot();
    let short = |call: &ocpp::frame::Call| {
        let too_long = call.payload.contains("Voltage") || call.payload.contains("Power.Active");
        Some(json!({ "status": if too_long { "Rejected" } else { "Accepted" } }))
    };
    let lists = |out: &[Output]| {
        let all = asked(out, "ChangeConfiguration").into_iter().filter(|it| it["key"] == "MeterValuesSampledData");
        all.map(|it| it["value"].as_str().unwrap().matches(',').count() + 1).collect::<Vec<_>>()
    };
    assert_eq!(lists(&bench.settle(short)), [4, 3, 2]);
    bench.boot();
    assert_eq!(lists(&bench.settle(short)), [2]);
    let mut bench = Bench::new(|_| ());
    bench.open();
    bench.boot();
    let nothing = |_: &ocpp::frame::Call| Some(json!({ "status": "Rejected" }));
    assert_eq!(lists(&bench.settle(nothing)), [4, 3, 2, 1], "and no more");
}

/// Q51: a boot applies the configuration again; a key that needs a restart is said to people.
#[test]
fn desired_config_on_boot() {
    let mut bench = Bench::ready();
    bench.boot();
    let out = bench.settle(|call| {
        let status = if call.payload.contains("SampleInterval") { "RebootRequired" } else { "Accepted" };
        Some(json!({ "status": status }))
    });
    let keys: Vec<Value> = asked(&out, "ChangeConfiguration").into_iter().map(|it| it["key"].clone()).collect();
    let always = ["MeterValueSampleInterval", "MeterValuesSampledData", "StopTransactionOnInvalidId"];
    assert_eq!(keys, always, "what it confirmed before is not written again");
    assert_eq!(notices(&out), ["MeterValueSampleInterval = 10 takes effect after a restart of the charger"]);
}

/// Q50: keys in any case, values in quotes, empty lists; a slower interval than asked for is said to people.
#[test]
fn getconfiguration_variants() {
    for (list, expected) in [
        (json!([]), 0),
        (json!([{ "key": "metervaluesampleinterval", "value": " \"60\" ", "readonly": "true" }]), 1),
        (json!([{ "key": "MeterValueSampleInterval" }]), 0),
    ] {
        let mut bench = Bench::new(|_| ());
        bench.open();
        bench.boot();
        let out = bench.settle(|call| match call.action.as_str() {
            "GetConfiguration" => Some(json!({ "configurationKey": list })),
            _ => agreeable(call),
        });
        assert_eq!(notices(&out).len(), expected, "{out:?}");
    }
}

/// Q52: availability is changed only on request.
#[test]
fn change_availability_optional() {
    let mut bench = Bench::new(|_| ());
    bench.open();
    bench.boot();
    assert_eq!(asked(&bench.ticks(600, agreeable), "ChangeAvailability").len(), 0);
    let out = bench.command(Command::ChangeAvailability { connector: Some(ONE), operative: true });
    assert_eq!(asked(&out, "ChangeAvailability"), [json!({ "connectorId": 1, "type": "Operative" })]);
}

/// Q53: a charger that says watts, in any spelling, gets watts for its active phases; others get amperes.
#[test]
fn rate_unit_variants() {
    for (text, unit) in [
        ("Power", "W"),
        ("power", "W"),
        ("W", "W"),
        ("Current", "A"),
        ("Current,Power", "A"),
        ("\"A\",\"W\"", "A"),
        ("", "A"),
    ] {
        let mut bench = Bench::new(|config| config.phases = 3);
        bench.open();
        bench.boot();
        let out = bench.settle(|call| match call.action.as_str() {
            "GetConfiguration" => {
                Some(json!({ "configurationKey": [{ "key": "ChargingScheduleAllowedChargingRateUnit", "readonly": true, "value": text }] }))
            }
            _ => agreeable(call),
        });
        let fallback = profiles(&out).pop().unwrap();
        let expected =
            if unit == "W" { "TxDefaultProfile Relative 0 4140 W" } else { "TxDefaultProfile Relative 0 6 A" };
        assert_eq!(fallback, expected, "{text:?}");
        bench.start(1);
        let live = profiles(&bench.limit(MilliAmps::from_amps(10), agreeable)).pop().unwrap();
        assert!(live.ends_with(if unit == "W" { "6900 W" } else { "10 A" }), "{text:?}: {live}");
    }
}

/// Q54: whatever one way of writing a profile a charger takes, it is found and remembered.
#[test]
fn profile_ladder() {
    for wanted in [
        "TxProfile Relative 0 10 A",
        "TxProfile Absolute 1 10 A",
        "TxProfile Relative 1 10 A",
        "TxProfile Absolute 0 2300 W",
        "TxProfile Relative 0 2300 W",
        "TxDefaultProfile Absolute 2 10 A",
    ] {
        let mut bench = Bench::ready();
        bench.start(1);
        let picky = |call: &ocpp::frame::Call| {
            let text = ocpp::frame::Frame::Call(call.clone()).to_string();
            let profile = profiles(&[Output::Send { text, gate: Gate::Now }]).pop();
            let is_wanted = profile.is_none_or(|profile| {
                let shape = |text: &str| {
                    text.split(' ')
                        .enumerate()
                        .filter(|(at, _)| *at != 3)
                        .map(|(_, word)| word.to_owned())
                        .collect::<Vec<_>>()
                };
                shape(&profile) == shape(wanted)
            });
            Some(json!({ "status": if is_wanted { "Accepted" } else { "Rejected" } }))
        };
        let out = bench.limit(MilliAmps::from_amps(10), picky);
        assert_eq!(limits_answered(&out), [(MilliAmps::from_amps(10), true)], "{wanted}");
        assert_eq!(profiles(&out).pop().as_deref(), Some(wanted));
        let out = bench.limit(MilliAmps::from_amps(8), picky);
        assert_eq!(profiles(&out).len(), 1, "remembered");
        bench.close();
        bench.open();
        let out = bench.settle(picky);
        let live = profiles(&out).into_iter().filter(|text| text.contains(" 8 A") || text.contains("1840 W")).count();
        assert_eq!(live, 1, "remembered over reconnects");
    }
}

/// Q54: a charger that takes none says so once, with its own words, and the limit counts as refused.
#[test]
fn profiles_refused_altogether() {
    for refusal in [
        json!({ "status": "Rejected", "statusInfo": "Load balancer is disabled" }),
        json!({ "error": "NotImplemented" }),
    ] {
        let mut bench = Bench::ready();
        bench.start(1);
        let out = bench.limit(MilliAmps::from_amps(10), |_| Some(refusal.clone()));
        assert_eq!(limits_answered(&out), [(MilliAmps::from_amps(10), false)]);
        assert_eq!(notices(&out).len(), 1, "{out:?}");
        assert!(profiles(&bench.ticks(30, |_| Some(refusal.clone()))).is_empty(), "not again at once");
    }
}

/// Q57: the limit is sent again when energy flows after a pause.
#[test]
fn resume_from_zero() {
    let mut bench = Bench::ready();
    bench.start(1);
    bench.call("StatusNotification", json!({ "connectorId": 1, "errorCode": "NoError", "status": "SuspendedEVSE" }));
    bench.limit(MilliAmps::ZERO, agreeable);
    bench.limit(MilliAmps::from_amps(6), agreeable);
    let out =
        bench.call("StatusNotification", json!({ "connectorId": 1, "errorCode": "NoError", "status": "Charging" }));
    assert_eq!(profiles(&out), ["TxProfile Absolute 0 6 A"]);
}

/// Q59: a pause is a limit of 0 A; no session is ended to save current.
#[test]
fn pause_strategy() {
    let mut bench = Bench::ready();
    bench.start(1);
    let out = bench.limit(MilliAmps::ZERO, agreeable);
    assert_eq!(profiles(&out), ["TxProfile Absolute 0 0 A"]);
    assert_eq!(asked(&out, "RemoteStopTransaction").len(), 0);
}

/// Q54: one refusal, of a session the charger did not know yet, must not make a way permanent whose limits the
/// standard ends two minutes after the session began: the next session begins with an absolute schedule again.
#[test]
fn a_single_refusal_is_not_learnt() {
    let mut bench = Bench::ready();
    bench.start(1);
    let mut refusals = 1;
    let out = bench.limit(MilliAmps::from_amps(10), |call| {
        let is_refused = call.action == "SetChargingProfile" && std::mem::take(&mut refusals) > 0;
        Some(json!({ "status": if is_refused { "Rejected" } else { "Accepted" } }))
    });
    assert_eq!(profiles(&out), ["TxProfile Absolute 0 10 A", "TxProfile Relative 0 10 A"]);
    let kept = out.iter().rev().find_map(|output| match output {
        Output::Remember(memory) => Some(memory.learned.clone()),
        _ => None,
    });
    let stop = json!({ "transactionId": 1, "meterStop": 2000, "timestamp": bench.text() });
    let reply = stopped(&bench.call("StopTransaction", stop)).0;
    bench.give(central_system::Input::StopAnswer { reply, verdict: None });
    bench.start(2);
    let out = bench.limit(MilliAmps::from_amps(8), agreeable);
    assert_eq!(profiles(&out), ["TxProfile Absolute 0 8 A"]);
    // The same for another charger of that model.
    let mut bench = Bench::new(|config| config.memory.learned = kept.unwrap_or_default());
    bench.open();
    bench.boot();
    bench.settle(agreeable);
    bench.start(3);
    let out = bench.limit(MilliAmps::from_amps(8), agreeable);
    assert_eq!(profiles(&out), ["TxProfile Absolute 0 8 A"]);
}

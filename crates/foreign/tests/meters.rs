//! Messages as the makers document them, through presets, mappings and the machine of a metered charger.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use domain::{
    ChargerEvent, ConnectorStatus, Flow, Instant, MeterSample, MilliAmps, MilliVolts, Now, PerPhase, Phase, Provenance,
    StopRequest, Timestamp, WattHours, Watts,
};
use foreign::{Mapping, Meter, Metered, Preset, Quantity, Rule, Shape};
use proptest::prelude::*;

const THREE: Shape = Shape { three: true, nominal: MilliVolts(230_000) };
const ONE: Shape = Shape { three: false, nominal: MilliVolts(230_000) };

fn at(second: u64) -> Now {
    let wall = Timestamp(1_795_000_000_000 + i64::try_from(second * 1000).unwrap());
    Now { instant: Instant(second * 1000), wall }
}

fn preset(preset: Preset, shape: Shape) -> Meter {
    Meter::new(Mapping::new(preset.rules()).unwrap(), shape).unwrap()
}

fn currents(sample: MeterSample) -> [i64; 3] {
    Phase::ALL.map(|phase| match sample.current.get(phase) {
        Flow::Import(MilliAmps(current)) => i64::from(*current),
        Flow::Export(MilliAmps(current)) => -i64::from(*current),
    })
}

/// A Shelly 3EM sends each value on a topic of its own; a sample comes once all phases are known, and a phase that feeds
/// in is told from its power.
#[test]
fn shelly_3em_over_mqtt() {
    let mut meter = preset(Preset::Shelly3em, THREE);
    let mut samples = Vec::new();
    let values = [(0, "1150.0", "5.02", "229.8"), (1, "-460.5", "2.00", "230.4"), (2, "0.0", "0.02", "231.0")];
    for (index, power, current, voltage) in values {
        for (name, text) in [("power", power), ("current", current), ("voltage", voltage), ("total", "1000.4")] {
            let taken = meter.take(at(1), &format!("shellies/shellyem3-34945472A6B5/emeter/{index}/{name}"), text);
            assert_eq!(taken.values.len(), 1, "{name}");
            samples.extend(taken.sample);
        }
    }
    let last = *samples.last().unwrap();
    assert_eq!(currents(last), [5_020, -2_000, 20]);
    assert_eq!(last.power, Some(Flow::Import(Watts(690))));
    meter.take(at(2), "shellies/shellyem3-34945472A6B5/relay/0", "off");
    let sample = meter.take(at(2), "shellies/shellyem3-34945472A6B5/emeter/0/power", "1150").sample.unwrap();
    assert_eq!(sample.energy, Some(WattHours(3_001)));
    assert_eq!(sample.voltage, Some(PerPhase::new(MilliVolts(229_800), MilliVolts(230_400), MilliVolts(231_000))));
    assert_eq!(sample.at, at(1).wall, "as old as its oldest part");
    assert_eq!(meter.take(at(100), "a/emeter/0/power", "1").sample, None, "two phases have been silent for too long");
}

/// The same meter asked over HTTP.
#[test]
fn shelly_3em_over_http() {
    let body = r#"{"wifi_sta":{"connected":true},"relays":[{"ison":false}],"emeters":[
        {"power":1150.2,"pf":0.99,"current":5.02,"voltage":229.8,"is_valid":true,"total":1000.1,"total_returned":0.0},
        {"power":0,"pf":0,"current":0.01,"voltage":230.4,"is_valid":true,"total":20.0,"total_returned":0.0},
        {"power":690,"pf":1,"current":3,"voltage":231.01,"is_valid":true,"total":3.0,"total_returned":0.0}],
        "total_power":1840.2,"fs_mounted":true}"#;
    let sample = preset(Preset::Shelly3em, THREE).take(at(1), "", body).sample.unwrap();
    assert_eq!(currents(sample), [5_020, 10, 3_000]);
    assert_eq!((sample.power, sample.energy), (Some(Flow::Import(Watts(1840))), Some(WattHours(1_023))));
}

/// A Shelly EM tells power and voltage but no current, which is worked out, rounded up.
#[test]
fn shelly_em_without_current() {
    let body = r#"{"emeters":[{"power":-920.0,"reactive":0,"voltage":230.0,"is_valid":true,"total":5,"total_returned":77},
        {"power":10,"reactive":0,"voltage":230.0,"is_valid":true,"total":0,"total_returned":0}]}"#;
    let sample = preset(Preset::ShellyEm, ONE).take(at(1), "", body).sample.unwrap();
    assert_eq!(currents(sample), [-4_000, 0, 0]);
}

/// A Shelly Pro 3EM says the same in three envelopes: its status topic, its notifications, and over HTTP.
#[test]
fn shelly_pro_3em_everywhere() {
    let em = r#"{"id":0,"a_current":4.029,"a_voltage":236.1,"a_act_power":951.2,"b_current":0.5,"b_voltage":236.2,
        "b_act_power":-100,"c_current":3,"c_voltage":236.3,"c_act_power":700,"n_current":null,"total_current":7.5,
        "total_act_power":1551.2,"total_aprt_power":1600}"#;
    let data = r#"{"id":0,"total_act":12345.67,"total_act_ret":3}"#;
    let cases = [
        vec![("pro/status/emdata:0", data.to_owned()), ("pro/status/em:0", em.to_owned())],
        vec![
            ("pro/events/rpc", format!(r#"{{"src":"x","method":"NotifyStatus","params":{{"emdata:0":{data}}}}}"#)),
            ("pro/events/rpc", format!(r#"{{"src":"x","method":"NotifyStatus","params":{{"ts":1,"em:0":{em}}}}}"#)),
        ],
        vec![("", format!(r#"{{"em:0":{em},"emdata:0":{data},"sys":{{"mac":"A"}}}}"#))],
    ];
    for messages in cases {
        let mut meter = preset(Preset::ShellyPro3em, THREE);
        let sample = messages.iter().filter_map(|(topic, text)| meter.take(at(1), topic, text).sample).last().unwrap();
        assert_eq!(currents(sample), [4_029, -500, 3_000], "{messages:?}");
        assert_eq!(sample.energy, Some(WattHours(12_345)));
        assert_eq!(sample.power, Some(Flow::Import(Watts(1_551))));
    }
}

/// A single-phase meter of the second generation.
#[test]
fn shelly_pro_em() {
    let body = r#"{"em1:0":{"id":0,"current":2.5,"voltage":230,"act_power":-575,"pf":-1},"em1data:0":{"id":0,"total_act_energy":10.9}}"#;
    let sample = preset(Preset::ShellyProEm, ONE).take(at(1), "", body).sample.unwrap();
    assert_eq!((currents(sample), sample.energy), ([-2_500, 0, 0], Some(WattHours(10))));
}

/// Tasmota writes plain values for one phase and lists for three, and kWh.
#[test]
fn tasmota_one_and_three_phases() {
    let one = r#"{"Time":"2026-11-20T10:00:00","ENERGY":{"Total":3.185,"Yesterday":3.0,"Today":0.1,"Period":0,
        "Power":575,"ApparentPower":600,"ReactivePower":0,"Factor":0.95,"Voltage":230,"Current":2.500}}"#;
    let sample = preset(Preset::Tasmota, ONE).take(at(1), "tele/meter/SENSOR", one).sample.unwrap();
    assert_eq!((currents(sample), sample.energy), ([2_500, 0, 0], Some(WattHours(3_185))));
    let three = r#"{"StatusSNS":{"ENERGY":{"Total":1.5,"Power":[100,200,-300],"Voltage":[230,231,232],"Current":[0.5,1.0,1.3]}}}"#;
    let sample = preset(Preset::Tasmota, THREE).take(at(1), "", three).sample.unwrap();
    assert_eq!(currents(sample), [500, 1_000, -1_300]);
    let other = preset(Preset::Tasmota, ONE).take(at(1), "tele/meter/STATE", r#"{"Uptime":"0T00:01:00"}"#);
    assert_eq!(other, foreign::Understood::default(), "other messages are read past");
}

/// A mapping must tell what flows on every phase: an unknown phase would count as empty.
#[test]
fn unknown_phase_is_refused() {
    let rule = |quantity| Rule { topic: String::new(), path: "x".to_owned(), quantity, factor: "1".to_owned() };
    let mapping = |quantities: &[Quantity]| Mapping::new(quantities.iter().copied().map(rule).collect()).unwrap();
    let one = mapping(&[Quantity::PowerTotal]);
    assert!(Meter::new(one.clone(), ONE).is_ok());
    assert!(Meter::new(one.clone(), THREE).unwrap_err().to_string().contains("L1"));
    assert!(Metered::new(one, ONE, None, false).unwrap_err().to_string().contains("register"));
}

fn metered(register: Option<u64>, running: bool) -> Metered {
    Metered::new(Mapping::new(Preset::Shelly3em.rules()).unwrap(), THREE, register.map(WattHours), running).unwrap()
}

fn body(amps: u32, total: u32) -> String {
    let phase = |total: u32| format!(r#"{{"power":{},"current":{amps},"voltage":230,"total":{total}}}"#, amps * 230);
    format!(r#"{{"emeters":[{},{},{}]}}"#, phase(total), phase(0), phase(0))
}

fn stop_of(events: &[ChargerEvent]) -> Option<&StopRequest> {
    events.iter().find_map(|event| match event {
        ChargerEvent::SessionStopped { request, .. } => Some(request),
        _ => None,
    })
}

/// A session begins with the current, outlives a pause of minutes, and ends with the time and register at which the
/// current ended: what is billed is exactly what flowed.
#[test]
fn sessions_are_told_from_the_energy() {
    let mut charger = metered(None, false);
    let first = charger.take(at(0), "", &body(0, 5_000)).1;
    assert_eq!(first[0], ChargerEvent::Connected);
    assert!(matches!(first[1], ChargerEvent::Status { status: ConnectorStatus::Available, .. }));
    let begun = charger.take(at(10), "", &body(16, 5_010)).1;
    let start = begun.iter().find_map(|event| match event {
        ChargerEvent::SessionStarted { request, .. } => Some(request),
        _ => None,
    });
    let start = start.expect("a session begins");
    assert_eq!((start.meter, start.at, start.provenance), (WattHours(5_000), at(10).wall, Provenance::Measured));
    for second in (20..4_000).step_by(10) {
        // Five minutes of balancing in the middle.
        let amps = if (1_000..1_300).contains(&second) { 0 } else { 16 };
        let events = charger.take(at(second), "", &body(amps, 5_010 + u32::try_from(second).unwrap())).1;
        assert!(stop_of(&events).is_none(), "{second}");
    }
    let mut ended = None;
    for second in (4_000..4_700).step_by(10) {
        let events = charger.take(at(second), "", &body(0, 9_005)).1;
        ended = ended.or(stop_of(&events).cloned());
    }
    let stop = ended.expect("the session ends");
    assert_eq!((stop.at, stop.meter), (at(4_000).wall, WattHours(9_005)));
}

/// What a car drew while the program was off becomes a session marked as late; a session that was open goes on.
#[test]
fn energy_unseen_is_not_lost() {
    let events = metered(Some(5_000), false).take(at(0), "", &body(0, 12_000)).1;
    let start = events.iter().find_map(|event| match event {
        ChargerEvent::SessionStarted { request, .. } => Some((request.meter, request.provenance)),
        _ => None,
    });
    assert_eq!(start, Some((WattHours(5_000), Provenance::ReceivedLate)));
    let events = metered(Some(5_000), true).take(at(0), "", &body(10, 12_000)).1;
    assert!(!events.iter().any(|event| matches!(event, ChargerEvent::SessionStarted { .. })));
}

/// Silence is told once, and the return as well.
#[test]
fn silence_is_noticed() {
    let mut charger = metered(None, false);
    charger.take(at(0), "", &body(0, 1));
    assert_eq!(charger.tick(at(30)), []);
    assert_eq!(charger.tick(at(61)), [ChargerEvent::Disconnected]);
    assert_eq!(charger.tick(at(62)), []);
    assert_eq!(charger.take(at(63), "", &body(0, 1)).1[0], ChargerEvent::Connected);
}

proptest! {
    /// Whatever a device sends, nothing panics and nothing impossible comes out.
    #[test]
    fn any_message_is_survived(topic in ".{0,40}", text in ".{0,200}", number in any::<f64>()) {
        for preset in Preset::ALL {
            let shape = if preset.phases() == 3 { THREE } else { ONE };
            let mut meter = Meter::new(Mapping::new(preset.rules()).unwrap(), shape).unwrap();
            meter.take(at(1), &topic, &text);
            let telling = format!(r#"{{"emeters":[{{"power":{number},"current":{number},"voltage":{number}}}]}}"#);
            if let Some(sample) = meter.take(at(2), "", &telling).sample {
                prop_assert!(currents(sample).iter().all(|current| current.abs() <= 10_000_000));
            }
        }
    }
}

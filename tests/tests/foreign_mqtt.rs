//! mosquitto's clients drive one whole IEVCC session against `meshwatt serve`, as `docs/mqtt.md` tells it.

use serde_json::json;
use tests::{Api, Meshwatt, MqttDevice, Subscription, approve_charger, approve_meter, enrol, published_site, until};

const CARD: &str = "04A1B2C3";

/// Protects the published protocol from being understood by our own simulator only: a meter on MQTT 3.1.1 and a
/// charger on MQTT 5 announce themselves, are let in, charge with the current that is left, and stop.
#[test]
fn mosquitto_drives_a_whole_session() {
    let directory = tempfile::tempdir().unwrap();
    let program = Meshwatt::serve(directory.path());
    let api = program.api();
    published_site(api, 1.0);
    let tenant = enrol(api, "Ana", CARD);

    let meter = MqttDevice::new(program.port("mqtt"), "Counter-1", "meter secret", "311");
    let meter_topic = join_meter(api, &meter);
    meter_topic.wait("Counter registered", |message| message["text"] == "Counter registered: Counter-1");
    let charger = MqttDevice::new(program.port("mqtt"), "Charger-1", "charger secret", "5");
    let topic = join_charger(api, &charger);
    topic.wait("Charger registered", |message| {
        message["text"] == "Charger registered: Charger-1" && message["approved"] == true
    });

    report_house(&meter, 3_200);
    assert!(charger.say("Charger-1", "0x022", json!({"connector": 1, "status": "preparing"})).is_some());
    let session = start(&charger, &topic);
    // 30 A less 3.2 A leaves 26 whole amps.
    until("26 A for the charger", || {
        report_house(&meter, 3_200);
        report_charger(&charger, 1_000, 0);
        topic.messages().into_iter().find(|message| message["code"] == "0x033" && message["limit_ma"] == 26_000)
    });
    report_charger(&charger, 1_250, 26_000);
    stop(&charger, &topic);

    let path = format!("sessions?charger=Charger-1&tenant_id={tenant}");
    let ended = until("the session's end", || {
        api.items(&path).into_iter().find(|item| item["id"] == session && !item["ended_at"].is_null())
    });
    assert_eq!(ended["energy_wh"], 250, "{ended}");
    assert_eq!(ended["card"], CARD, "{ended}");
    assert_eq!(ended["end_reason"], "card", "{ended}");
}

fn join_meter(api: &Api, meter: &MqttDevice) -> Subscription {
    assert!(meter.say("hello/new", "0x001", json!({"vendor": "Foreign"})).is_some(), "hello/new is open to all");
    approve_meter(api, "Counter-1");
    let topic = meter.listen();
    assert!(meter.say("hello/new", "0x001", json!({})).is_some(), "a known meter may announce itself again");
    topic
}

fn join_charger(api: &Api, charger: &MqttDevice) -> Subscription {
    let body = json!({"counter": "Counter-1", "vendor": "Foreign", "connectors": 1, "max_ma": 32_000});
    assert!(charger.say("hello/new", "0x002", body).is_some(), "hello/new is open to all");
    approve_charger(api, "Charger-1");
    let topic = charger.listen();
    assert!(charger.say("Counter-1", "0x002", json!({"connectors": 1})).is_some(), "announced on its meter's topic");
    topic
}

fn start(charger: &MqttDevice, topic: &Subscription) -> i64 {
    let tap = charger.say("Charger-1", "0x022", json!({"connector": 1, "tap": {"card": CARD}})).unwrap();
    let answer = topic.wait("the answer to the first tap", |message| message["re"] == tap);
    assert_eq!(answer["tap"]["verdict"], "accepted", "{answer}");
    assert_eq!(answer["tap"]["action"], "start", "{answer}");
    let body = json!({"connector": 1, "start": {"local": 1, "card": CARD, "meter_wh": 1_000}});
    let start = charger.say("Charger-1", "0x022", body).unwrap();
    let answer = topic.wait("the answer to the start", |message| message["re"] == start);
    assert_eq!(answer["start"]["verdict"], "accepted", "{answer}");
    assert!(charger.say("Charger-1", "0x022", json!({"connector": 1, "status": "charging"})).is_some());
    answer["start"]["session"].as_i64().expect("a session has a number")
}

fn stop(charger: &MqttDevice, topic: &Subscription) {
    let tap = charger.say("Charger-1", "0x022", json!({"connector": 1, "tap": {"card": CARD}})).unwrap();
    let answer = topic.wait("the answer to the second tap", |message| message["re"] == tap);
    assert_eq!(answer["tap"]["action"], "stop", "{answer}");
    let body = json!({"connector": 1, "stop": {"local": 1, "card": CARD, "meter_wh": 1_250, "reason": "card"}});
    let stop = charger.say("Charger-1", "0x022", body).unwrap();
    let answer = topic.wait("the answer to the stop", |message| message["re"] == stop);
    assert_eq!(answer["stop"]["local"], 1, "{answer}");
}

fn report_house(meter: &MqttDevice, current_ma: u32) {
    let body = json!({"current_ma": [current_ma], "voltage_mv": [230_000]});
    assert!(meter.say("Counter-1", "0x031", body).is_some(), "a meter reports on its own topic");
}

fn report_charger(charger: &MqttDevice, energy_wh: u32, current_ma: u32) {
    let body = json!({"connector": 1, "current_ma": [current_ma], "energy_wh": energy_wh});
    assert!(charger.say("Charger-1", "0x032", body).is_some(), "a charger reports on its own topic");
}

/// Protects the identity of every message: a device speaks on its own topics only, and a stranger with a known
/// name but another password is nobody.
#[test]
fn mosquitto_cannot_speak_for_others() {
    let directory = tempfile::tempdir().unwrap();
    let program = Meshwatt::serve(directory.path());
    let api = program.api();
    published_site(api, 1.0);
    let port = program.port("mqtt");
    let meter = MqttDevice::new(port, "Counter-1", "meter secret", "311");
    let topic = join_meter(api, &meter);
    topic.wait("Counter registered", |message| message["text"] == "Counter registered: Counter-1");

    let thief = MqttDevice::new(port, "Counter-1", "guessed", "311");
    let _refused = thief.say("Counter-1", "0x031", json!({"current_ma": [1]}));
    let stranger = MqttDevice::new(port, "Stranger", "anything", "5");
    assert!(stranger.say("Counter-1", "0x031", json!({"current_ma": [2]})).is_none(), "a stranger's load is refused");
    assert!(
        meter.say("Charger-9", "0x032", json!({"connector": 1})).is_none(),
        "a meter's word for a charger is refused"
    );
    report_house(&meter, 5_000);
    let item = until("the meter's own load to show", || {
        api.item("meters", "Counter-1").filter(|item| item["current_a"] == json!([5.0]))
    });
    assert_eq!(item["online"], true, "{item}");
}

//! Whatever comes in, the answer says what is wrong and the building goes on.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use tests::{
    Meshwatt, MqttDevice, RawCharger, approve_charger, approve_meter, enrol, published_site, serve_command, until,
};

const CARD: &str = "04A1B2C3";

struct Building {
    program: Meshwatt,
    charger: RawCharger,
    _directory: tempfile::TempDir,
}

/// A building with one approved charger that has booted.
fn building() -> Building {
    let directory = tempfile::tempdir().unwrap();
    let program = Meshwatt::serve(directory.path());
    published_site(program.api(), 1.0);
    enrol(program.api(), "Ana", CARD);
    let mut charger = RawCharger::connect(&program.charger_url("CP1"));
    charger.call("BootNotification", json!({"chargePointVendor": "Raw", "chargePointModel": "Test"}));
    approve_charger(program.api(), "CP1");
    charger.boot();
    Building { program, charger, _directory: directory }
}

impl Building {
    /// Whether it still serves: health is good and a whole session passes.
    #[track_caller]
    fn goes_on(&mut self) {
        assert!(self.program.api().is_sound(), "{}", self.program.api().get("health").text);
        let transaction = self.charger.start(CARD, 100);
        let at = self.charger.time();
        let body = json!({"transactionId": transaction, "meterStop": 200, "timestamp": at, "idTag": CARD});
        self.charger.call("StopTransaction", body);
        self.charger.status("Available");
    }
}

/// Protects against broken firmware: text that is no OCPP is refused or ignored, and the connection serves on.
#[test]
fn malformed_frames_change_nothing() {
    let mut building = building();
    for text in ["", "{", "null", "[]", "[2]", "[2,\"x\"]", "[9,\"x\",\"Heartbeat\",{}]", "\u{0}", &"[".repeat(5_000)] {
        building.charger.send_text(text);
    }
    let id = building.charger.send("NoSuchAction", json!({}));
    let refused = building.charger.wait("the refusal of NoSuchAction", |frame| frame[1] == id.as_str());
    assert_eq!((&refused[0], &refused[2]), (&json!(4), &json!("NotImplemented")), "{refused}");
    for action in ["BootNotification", "StatusNotification", "MeterValues", "Authorize", "DataTransfer"] {
        let id =
            building.charger.send(action, json!({"connectorId": "one", "vendorId": 5, "idTag": [], "status": "?"}));
        let answer = building.charger.wait(&format!("an answer to a wrong {action}"), |frame| frame[1] == id.as_str());
        // A wrong message is refused with the reason, or answered as far as it could be understood.
        assert!(answer[0] == 3 || answer[3].as_str().is_some_and(|why| !why.is_empty()), "{action}: {answer}");
    }
    building.goes_on();
}

/// Protects the database and the console from endless texts: a card of 300 characters is refused with the reason,
/// by the charger's socket and by the API.
#[test]
fn a_card_of_300_characters_is_refused() {
    let mut building = building();
    let card = "A".repeat(300);
    let answer = building.charger.try_call("Authorize", json!({"idTag": card})).expect("the connection holds");
    let refused = answer[0] == 4 || answer[2]["idTagInfo"]["status"] == "Invalid";
    assert!(refused, "{answer}");
    let api = building.program.api();
    let tenant = api.items("tenants")[0]["id"].clone();
    let answer = api.post(&format!("tenants/{tenant}/cards"), &json!({"uid": card}));
    assert!((400..500).contains(&answer.status), "{}", answer.text);
    assert!(answer.body["code"].is_string() && answer.body["detail"].is_string(), "{}", answer.text);
    building.goes_on();
}

/// Protects a charger that lost its link without noticing: the newest connection is the charger, the old one closes.
#[test]
fn a_second_connection_takes_over() {
    let mut building = building();
    let mut second = RawCharger::connect(&building.program.charger_url("CP1"));
    second.boot();
    building.charger.wait_closed();
    building.charger = second;
    building.goes_on();
}

/// Protects the load picture: an unknown topic, text that is no message and a negative load are refused with the
/// reason on the device's own topic, and the last good load stands.
#[test]
fn bad_mqtt_messages_change_nothing() {
    let mut building = building();
    let (port, api) = (building.program.port("mqtt"), building.program.api().clone());
    let meter = MqttDevice::new(port, "Counter-1", "secret", "311");
    assert!(meter.say("hello/new", "0x001", json!({})).is_some(), "hello/new is open to all");
    approve_meter(&api, "Counter-1");
    let topic = meter.listen();
    assert!(meter.say("hello/new", "0x001", json!({})).is_some(), "a known meter announces itself");
    assert!(meter.say("Counter-1", "0x031", json!({"current_ma": [4_000]})).is_some(), "a good load");

    until("the good load to show", || api.item("meters", "Counter-1").filter(|item| item["current_a"] == json!([4.0])));
    assert!(!meter.publish("nowhere/at/all", "{}"), "an unknown topic is refused");
    assert!(meter.publish("Counter-1", "{\"v\":1,"), "the broker takes any text on a device's own topic");
    topic.wait("the refusal of what is no message", |message| contains(&message["error"], "Invalid Message"));
    let id = meter.say("Counter-1", "0x031", json!({"current_ma": [-4_000]})).unwrap();
    topic.wait("the refusal of a negative load", |message| {
        contains(&message["error"], "negative load") && (message["re"] == id || message["re"].is_null())
    });
    let id = meter.say("Counter-1", "0x099", json!({})).unwrap();
    topic.wait("the refusal of an unknown code", |message| {
        contains(&message["error"], "message code") && (message["re"] == id || message["re"].is_null())
    });
    let item = api.item("meters", "Counter-1").unwrap();
    assert_eq!(item["current_a"], json!([4.0]), "the last good load stands: {item}");
    building.goes_on();
}

fn contains(value: &Value, text: &str) -> bool {
    value.as_str().is_some_and(|value| value.contains(text))
}

/// Protects programs that use the API: each wrong request gets a problem with a code and a reason.
#[test]
fn wrong_requests_are_explained() {
    let mut building = building();
    let api = building.program.api();
    let wrong = [
        api.post("tenants", &json!({"name": ""})),
        api.patch("chargers/CP1", &json!({"priority": "first"})),
        api.patch("chargers/CP1", &json!({"max_a": -3})),
        api.patch("chargers/NoSuch", &json!({"priority": 1})),
        api.post("chargers/NoSuch/approve", &json!({})),
        api.put("site", &json!({"name": "x"})),
        api.get("readings?series=no/such/series&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z"),
        api.get("sessions?from=yesterday"),
        api.get("no/such/thing"),
    ];
    for answer in wrong {
        assert!((400..500).contains(&answer.status), "{} {}", answer.status, answer.text);
        assert!(answer.body["code"].is_string(), "{}", answer.text);
    }
    building.goes_on();
}

/// `meshwatt serve` with its data on a file system of its own of 12 MB, which only it sees.
fn serve_on_small_disk(directory: &Path) -> (Meshwatt, PathBuf) {
    let inner = serve_command(directory);
    let script = "mount -t tmpfs -o size=12m,mode=0777 tmpfs \"$0\" && exec \"$@\"";
    let root = rustix::process::getuid().is_root();
    let mut command = Command::new("unshare");
    command.arg(if root { "-m" } else { "-rm" }).args(["sh", "-c", script]).arg(directory);
    command.arg(inner.get_program()).args(inner.get_args());
    Meshwatt::start_seeing(command, |id| PathBuf::from(format!("/proc/{id}/root{}", directory.display())))
}

/// Protects people and fuses from a full disk: charging goes on from memory, what must be kept is not
/// acknowledged, the health says so, and everything is taken once there is room again.
#[test]
fn a_full_disk_stops_no_charging() {
    let directory = tempfile::tempdir().unwrap();
    let (program, seen) = serve_on_small_disk(directory.path());
    let api = program.api();
    published_site(api, 1.0);
    enrol(api, "Ana", CARD);
    let mut charger = RawCharger::connect(&program.charger_url("CP1"));
    charger.call("BootNotification", json!({"chargePointVendor": "Raw", "chargePointModel": "Test"}));
    approve_charger(api, "CP1");
    charger.boot();
    let transaction = charger.start(CARD, 100);

    let ballast = seen.join("ballast");
    let filled = std::fs::write(&ballast, vec![0_u8; 64 * 1024 * 1024]);
    assert!(filled.is_err(), "the disk is full");
    until("the health to say that records cannot be written", || {
        let body = charger.values(transaction, 6.0, 150);
        let _answer = charger.send("MeterValues", body);
        charger.serve();
        (api.part("store") == "degraded").then_some(())
    });
    let at = charger.time();
    let stop = json!({"transactionId": transaction, "meterStop": 200, "timestamp": at, "idTag": CARD});
    let unanswered = charger.send("StopTransaction", stop.clone());
    // Heartbeats pass in order behind it: when this one is answered, the stop was seen and not acknowledged.
    charger.call("Heartbeat", json!({}));
    assert!(!charger.has_answer(&unanswered), "the end of a session is not acknowledged before it is kept");

    std::fs::remove_file(&ballast).unwrap();
    until("the health to be good again", || api.is_sound().then_some(()));
    if !charger.has_answer(&unanswered) {
        charger.call("StopTransaction", stop);
    }
    let ended = until("the end of the session", || {
        api.items("sessions").into_iter().find(|item| item["id"] == transaction && !item["ended_at"].is_null())
    });
    assert_eq!(ended["energy_wh"], 100, "{ended}");
}

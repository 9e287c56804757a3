use super::{OcppBuild, OcppCharger, OcppInput, OcppOutput};
use crate::outlet::OutletBuild;
use crate::{CarTraits, VirtualCar};
use domain::{
    CardUid, ChargerId, DurationMs, HardwareInfo, Instant, MilliAmps, MilliVolts, Now, PerPhase, Timestamp, WattHours,
    Wiring,
};
use serde_json::{Value, json};

/// A charger on a bench: the test plays the central system.
struct Bench {
    charger: OcppCharger,
    now: Now,
    heard: Vec<Value>,
    closed: bool,
}

impl Bench {
    fn new() -> Self {
        let build = OcppBuild {
            id: ChargerId::new("CP-1").unwrap(),
            hardware: HardwareInfo { vendor: "Elva".to_owned(), model: "Trio".to_owned(), ..HardwareInfo::default() },
            outlet: OutletBuild {
                wiring: Wiring::three(),
                max: MilliAmps::from_amps(32),
                offer_interval: DurationMs(0),
                register: WattHours(1_000),
            },
            without_profile: MilliAmps::ZERO,
        };
        let now = Now { instant: Instant(0), wall: Timestamp(1_768_000_000_000) };
        Self { charger: OcppCharger::new(build), now, heard: Vec::new(), closed: false }
    }

    fn input(&mut self, input: OcppInput<'_>) {
        for output in self.charger.handle(self.now, input) {
            match output {
                OcppOutput::Send(text) => self.heard.push(serde_json::from_str(&text).unwrap()),
                OcppOutput::Close => self.closed = true,
            }
        }
    }

    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds * 10 {
            let step = DurationMs(100);
            self.now = Now { instant: self.now.instant + step, wall: self.now.wall + step };
            self.charger.outlet_mut().step(PerPhase::splat(MilliVolts(230_000)), step);
            self.input(OcppInput::Tick);
        }
    }

    /// Answers every request the charger makes with `answer(action, payload)` until it makes none.
    fn serve(&mut self, answer: impl Fn(&str, &Value) -> Option<Value>) -> Vec<(String, Value)> {
        let mut served = Vec::new();
        while let Some(position) = self.heard.iter().position(|frame| frame[0] == json!(2)) {
            let frame = self.heard.remove(position);
            let action = frame[2].as_str().unwrap().to_owned();
            let Some(payload) = answer(&action, &frame[3]) else { break };
            served.push((action, frame[3].clone()));
            let reply = json!([3, frame[1], payload]).to_string();
            self.input(OcppInput::Text(&reply));
        }
        served
    }

    fn call(&mut self, action: &str, payload: Value) -> Value {
        let frame = json!([2, "server-1", action, payload]).to_string();
        self.input(OcppInput::Text(&frame));
        let at = self.heard.iter().position(|frame| frame[1] == json!("server-1")).unwrap();
        self.heard.remove(at)
    }

    /// Boots, plugs in and taps; leaves with a running transaction 7.
    fn in_session() -> Self {
        let mut bench = Self::new();
        bench.input(OcppInput::LinkUp);
        bench.serve(friendly);
        let car = VirtualCar::new(CarTraits::prompt(3, MilliAmps::from_amps(16)), WattHours(20_000));
        bench.input(OcppInput::Plug(car));
        bench.input(OcppInput::Tap(CardUid::new("04A1B2C3").unwrap()));
        bench.serve(friendly);
        bench
    }
}

/// A central system that accepts everything.
#[expect(clippy::unnecessary_wraps, reason = "the shape every central system of these tests has")]
fn friendly(action: &str, _payload: &Value) -> Option<Value> {
    Some(match action {
        "BootNotification" => {
            json!({ "status": "Accepted", "currentTime": "2026-01-10T00:00:00Z", "interval": 300 })
        }
        "Authorize" => json!({ "idTagInfo": { "status": "Accepted", "parentIdTag": "T1" } }),
        "StartTransaction" => json!({ "transactionId": 7, "idTagInfo": { "status": "Accepted", "parentIdTag": "T1" } }),
        _ => json!({}),
    })
}

fn profile(purpose: &str, amps: f64, extra: &Value) -> Value {
    let mut profile = json!({
        "chargingProfileId": if purpose == "TxProfile" { 2 } else { 1 },
        "stackLevel": 0,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Absolute",
        "chargingSchedule": {
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{ "startPeriod": 0, "limit": amps }],
        },
    });
    for (key, value) in extra.as_object().unwrap() {
        profile["chargingSchedule"][key] = value.clone();
    }
    json!({ "connectorId": 1, "csChargingProfiles": profile })
}

/// A charger that is Pending sends nothing but BootNotification, and again after the interval it was told.
#[test]
fn a_pending_charger_only_boots() {
    let mut bench = Bench::new();
    bench.input(OcppInput::LinkUp);
    bench.serve(|action, _| (action == "BootNotification").then(|| json!({ "status": "Pending", "interval": 10 })));
    bench.pass(9);
    assert!(bench.heard.is_empty(), "silent while Pending: {:?}", bench.heard);
    bench.pass(2);
    assert_eq!(bench.heard[0][2], "BootNotification");
    assert!(!bench.charger.is_ready());
}

/// A card held to the reader again before its answer came does not end the session it has just begun.
#[test]
fn an_impatient_hand_starts_one_session() {
    let mut bench = Bench::new();
    bench.input(OcppInput::LinkUp);
    bench.serve(friendly);
    bench.input(OcppInput::Plug(VirtualCar::new(CarTraits::prompt(3, MilliAmps::from_amps(16)), WattHours(20_000))));
    for _ in 0..3 {
        bench.input(OcppInput::Tap(CardUid::new("04A1B2C3").unwrap()));
        bench.pass(5);
    }
    let told = bench.serve(friendly);
    assert_eq!(told.iter().filter(|(action, _)| action == "StartTransaction").count(), 1);
    assert!(bench.charger.is_in_session());
}

/// A card whose answer comes after its car has left starts nothing for the next car.
#[test]
fn a_late_answer_is_not_for_the_next_car() {
    let mut bench = Bench::new();
    bench.input(OcppInput::LinkUp);
    bench.serve(friendly);
    let car = || VirtualCar::new(CarTraits::prompt(3, MilliAmps::from_amps(16)), WattHours(20_000));
    bench.input(OcppInput::Plug(car()));
    bench.serve(friendly);
    bench.input(OcppInput::Tap(CardUid::new("04A1B2C3").unwrap()));
    bench.input(OcppInput::Unplug);
    bench.serve(friendly);
    bench.input(OcppInput::Plug(car()));
    let told = bench.serve(friendly);
    assert!(told.iter().all(|(action, _)| action != "StartTransaction"), "{told:?}");
    bench.input(OcppInput::Tap(CardUid::new("BADC0DE5").unwrap()));
    let told = bench.serve(friendly);
    let start = &told.iter().find(|(action, _)| action == "StartTransaction").unwrap().1;
    assert_eq!(start["idTag"], "BADC0DE5");
}

/// A whole session in the order of the standard, with the register of the charger in start and stop.
#[test]
fn a_session_is_told_in_order() {
    let mut bench = Bench::in_session();
    assert_eq!(
        bench.call("SetChargingProfile", profile("TxDefaultProfile", 16.0, &json!({})))[2]["status"],
        "Accepted"
    );
    bench.pass(61);
    let told = bench.serve(friendly);
    let sample = &told.iter().find(|(action, _)| action == "MeterValues").unwrap().1;
    assert_eq!(sample["transactionId"], 7);
    let values = sample["meterValue"][0]["sampledValue"].as_array().unwrap();
    let amps = values.iter().find(|v| v["measurand"] == "Current.Import" && v["phase"] == "L3").unwrap();
    assert_eq!(amps["value"], "16.000");
    bench.input(OcppInput::Unplug);
    let told = bench.serve(friendly);
    let stop = &told.iter().find(|(action, _)| action == "StopTransaction").unwrap().1;
    assert_eq!((&stop["transactionId"], &stop["reason"]), (&json!(7), &json!("EVDisconnected")));
    assert!(stop["meterStop"].as_u64().unwrap() > 1_000 + 150, "about 11 kW for a minute: {stop}");
}

/// The charger forgets its live limit when the duration has passed and falls back to the default.
#[test]
fn an_expired_profile_leaves_the_default() {
    let mut bench = Bench::in_session();
    bench.call("SetChargingProfile", profile("TxDefaultProfile", 6.0, &json!({})));
    bench.call("SetChargingProfile", profile("TxProfile", 13.0, &json!({ "duration": 60 })));
    bench.pass(50);
    assert_eq!(bench.charger.outlet().allowed(), MilliAmps::from_amps(13));
    bench.pass(11);
    assert_eq!(bench.charger.outlet().allowed(), MilliAmps::from_amps(6));
}

/// A TxProfile without a transaction, or for another one, is refused.
#[test]
fn a_profile_for_no_transaction_is_refused() {
    let mut bench = Bench::new();
    bench.input(OcppInput::LinkUp);
    bench.serve(friendly);
    assert_eq!(bench.call("SetChargingProfile", profile("TxProfile", 13.0, &json!({})))[2]["status"], "Rejected");
}

/// What happens without a link is told afterwards, in order and with the right transaction.
#[test]
fn nothing_is_lost_while_offline() {
    let mut bench = Bench::in_session();
    bench.input(OcppInput::LinkDown);
    bench.heard.clear();
    bench.pass(130);
    bench.input(OcppInput::Unplug);
    let car = VirtualCar::new(CarTraits::prompt(3, MilliAmps::from_amps(16)), WattHours(20_000));
    bench.input(OcppInput::Plug(car));
    bench.input(OcppInput::Tap(CardUid::new("04A1B2C3").unwrap()));
    bench.pass(5);
    assert!(bench.charger.is_in_session(), "a card accepted before starts while offline");
    bench.input(OcppInput::LinkUp);
    let told = bench.serve(|action, payload| match action {
        "StartTransaction" => Some(json!({ "transactionId": 8, "idTagInfo": { "status": "Accepted" } })),
        _ => friendly(action, payload),
    });
    let story: Vec<&str> =
        told.iter().map(|(action, _)| action.as_str()).filter(|a| a.ends_with("Transaction")).collect();
    assert_eq!(story, ["StopTransaction", "StartTransaction"]);
    assert_eq!(told.iter().filter(|(action, _)| action == "MeterValues").count(), 2);
    assert_eq!(bench.charger.unconfirmed(), 0);
}

/// A start the central system refuses ends at once, and no energy flows.
#[test]
fn a_refused_card_ends_the_transaction() {
    let mut bench = Bench::in_session();
    bench.input(OcppInput::Unplug);
    bench.serve(friendly);
    let frame = json!([2, "server-1", "RemoteStartTransaction", { "idTag": "99", "connectorId": 1 }]).to_string();
    bench.input(OcppInput::Text(&frame));
    let car = VirtualCar::new(CarTraits::prompt(3, MilliAmps::from_amps(16)), WattHours(20_000));
    bench.input(OcppInput::Plug(car));
    let told = bench.serve(|action, payload| match action {
        "StartTransaction" => Some(json!({ "transactionId": 9, "idTagInfo": { "status": "Invalid" } })),
        _ => friendly(action, payload),
    });
    let stop = &told.iter().find(|(action, _)| action == "StopTransaction").unwrap().1;
    assert_eq!((&stop["transactionId"], &stop["reason"]), (&json!(9), &json!("DeAuthorized")));
    assert!(!bench.charger.is_in_session());
}

/// Another card of the same parent ends a session, also after the cache was cleared; a stranger's does not.
#[test]
fn only_the_same_parent_ends_a_session() {
    let mut bench = Bench::in_session();
    bench.input(OcppInput::Tap(CardUid::new("BADC0DE5").unwrap()));
    bench.serve(|action, payload| match action {
        "Authorize" => Some(json!({ "idTagInfo": { "status": "Accepted", "parentIdTag": "T2" } })),
        _ => friendly(action, payload),
    });
    assert!(bench.charger.is_in_session());
    // A cache that is cleared meanwhile changes nothing about the session.
    assert_eq!(bench.call("ClearCache", json!({}))[2]["status"], "Accepted");
    bench.input(OcppInput::Tap(CardUid::new("04A1B2C4").unwrap()));
    bench.serve(friendly);
    assert!(!bench.charger.is_in_session());
}

/// Every operation of the Core profile towards the charger has its proper answer, an unknown one CALLERROR.
#[test]
fn every_call_has_its_answer() {
    let cases = [
        ("ChangeConfiguration", json!({ "key": "MeterValueSampleInterval", "value": "5" }), "Accepted"),
        ("ChangeConfiguration", json!({ "key": "NumberOfConnectors", "value": "5" }), "Rejected"),
        ("ChangeConfiguration", json!({ "key": "Nonsense", "value": "5" }), "NotSupported"),
        ("ChangeConfiguration", json!({ "key": "HeartbeatInterval", "value": "soon" }), "Rejected"),
        ("ChangeAvailability", json!({ "connectorId": 0, "type": "Inoperative" }), "Scheduled"),
        ("ClearCache", json!({}), "Accepted"),
        ("DataTransfer", json!({ "vendorId": "Nobody" }), "UnknownVendorId"),
        ("TriggerMessage", json!({ "requestedMessage": "Heartbeat" }), "Accepted"),
        ("RemoteStartTransaction", json!({ "idTag": "1", "connectorId": 1 }), "Rejected"),
        ("RemoteStopTransaction", json!({ "transactionId": 99 }), "Rejected"),
        ("UnlockConnector", json!({ "connectorId": 1 }), "Unlocked"),
    ];
    let mut bench = Bench::in_session();
    for (action, payload, expected) in cases {
        assert_eq!(bench.call(action, payload)[2]["status"], expected, "{action}");
    }
    let keys = bench.call("GetConfiguration", json!({ "key": ["MeterValueSampleInterval", "Nonsense"] }));
    assert_eq!(keys[2]["configurationKey"][0]["value"], "5");
    assert_eq!(keys[2]["unknownKey"], json!(["Nonsense"]));
    let error = bench.call("MakeCoffee", json!({}));
    assert_eq!((&error[0], &error[2]), (&json!(4), &json!("NotImplemented")));
}

/// Reset ends the transaction, closes the link and boots again.
#[test]
fn a_reset_restarts_the_charger() {
    let mut bench = Bench::in_session();
    assert_eq!(bench.call("Reset", json!({ "type": "Soft" }))[2]["status"], "Accepted");
    assert!(bench.closed);
    bench.input(OcppInput::LinkDown);
    bench.heard.clear();
    bench.input(OcppInput::LinkUp);
    bench.pass(3);
    assert!(bench.heard.is_empty(), "a restart takes a few seconds: {:?}", bench.heard);
    bench.pass(2);
    let told = bench.serve(friendly);
    assert_eq!(told[0].0, "BootNotification");
    let stop = &told.iter().find(|(action, _)| action == "StopTransaction").unwrap().1;
    assert_eq!(stop["reason"], "SoftReset");
}

/// A card on the list charges without a link although it never charged here before; a blocked one does not, and changes that
/// do not follow the version are refused.
#[test]
fn the_list_of_cards_charges_without_a_link() {
    let mut bench = Bench::new();
    bench.input(OcppInput::LinkUp);
    bench.serve(friendly);
    let list = |version: i64, kind: &str, cards: Value| json!({ "listVersion": version, "updateType": kind, "localAuthorizationList": cards });
    let full = json!([{ "idTag": "04AA", "idTagInfo": { "status": "Accepted" } }, { "idTag": "04BB", "idTagInfo": { "status": "Blocked" } }]);
    bench.call("ChangeConfiguration", json!({ "key": "LocalAuthListEnabled", "value": "true" }));
    assert_eq!(bench.call("SendLocalList", list(3, "Full", full))[2]["status"], "Accepted");
    assert_eq!(bench.call("GetLocalListVersion", json!({}))[2]["listVersion"], 3);
    assert_eq!(bench.call("SendLocalList", list(3, "Differential", json!([])))[2]["status"], "VersionMismatch");
    let change = json!([{ "idTag": "04CC", "idTagInfo": { "status": "Accepted" } }]);
    assert_eq!(bench.call("SendLocalList", list(4, "Differential", change))[2]["status"], "Accepted");
    bench.input(OcppInput::LinkDown);
    for (card, charges) in [("04BB", false), ("04DD", false), ("04CC", true)] {
        bench.input(OcppInput::Tap(CardUid::new(card).unwrap()));
        assert_eq!(bench.charger.permit.is_some(), charges, "{card}");
    }
}

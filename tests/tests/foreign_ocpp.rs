//! The `ocpp` package from PyPI drives one whole OCPP 1.6J session against `meshwatt serve`, and takes every
//! operation of the central system.

use serde_json::{Value, json};
use tests::{Api, ForeignCharger, Meshwatt, approve_charger, enrol, published_site, until};

const CARD: &str = "04A1B2C3";
const LOCATION: &str = "http://127.0.0.1:9/file";
const PEM: &str = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
const AT: &str = "2026-01-01T10:00:00Z";

/// Waits until the charger is told it is accepted; a charger asks again while it is pending.
fn boot_until_accepted(charger: &mut ForeignCharger, api: &Api, id: &str) {
    let boot = json!({"charge_point_vendor": "Foreign", "charge_point_model": "PyPI"});
    let answer = charger.call("BootNotification", boot.clone());
    assert_eq!(answer["status"], "Pending", "a charger nobody approved waits: {answer}");
    approve_charger(api, id);
    until("the boot to be accepted", || {
        let answer = charger.call("BootNotification", boot.clone());
        (answer["status"] == "Accepted").then_some(())
    });
}

fn report_status(charger: &mut ForeignCharger, status: &str) {
    let body = json!({"connector_id": 1, "error_code": "NoError", "status": status, "timestamp": AT});
    let _answer = charger.call("StatusNotification", body);
}

fn report_values(charger: &mut ForeignCharger, transaction: &Value, current: &str, energy: &str) {
    let values = json!([
        {"value": current, "measurand": "Current.Import", "phase": "L1", "unit": "A"},
        {"value": energy, "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
    ]);
    let now = charger.call("Heartbeat", json!({}))["current_time"].clone();
    let body = json!({"connector_id": 1, "transaction_id": transaction,
        "meter_value": [{"timestamp": now, "sampled_value": values}]});
    let _answer = charger.call("MeterValues", body);
}

/// Protects the whole life of a charger that nobody here wrote: pending, approved, a card, a session with a live
/// limit below a fallback, values, the end, and the record of it.
#[test]
fn the_ocpp_package_drives_a_whole_session() {
    let directory = tempfile::tempdir().unwrap();
    let program = Meshwatt::serve(directory.path());
    let api = program.api();
    published_site(api, 1.0);
    let tenant = enrol(api, "Ana", CARD);
    let mut charger = ForeignCharger::connect(&program.charger_url("CP1"), "CP1");
    boot_until_accepted(&mut charger, api, "CP1");
    charger.asked("SetChargingProfile", |asked| {
        asked["cs_charging_profiles"]["charging_profile_purpose"] == "TxDefaultProfile"
    });

    report_status(&mut charger, "Preparing");
    let refused = charger.call("Authorize", json!({"id_tag": "FFFFFFFF"}));
    assert_eq!(refused["id_tag_info"]["status"], "Invalid", "{refused}");
    let answer = charger.call("Authorize", json!({"id_tag": CARD}));
    assert_eq!(answer["id_tag_info"]["status"], "Accepted", "{answer}");
    let now = charger.call("Heartbeat", json!({}))["current_time"].clone();
    let body = json!({"connector_id": 1, "id_tag": CARD, "meter_start": 1_000, "timestamp": now});
    let started = charger.call("StartTransaction", body);
    assert_eq!(started["id_tag_info"]["status"], "Accepted", "{started}");
    let transaction = started["transaction_id"].clone();
    report_status(&mut charger, "Charging");
    report_values(&mut charger, &transaction, "0.0", "1000");
    let profile = charger.asked("SetChargingProfile", |asked| {
        let profile = &asked["cs_charging_profiles"];
        profile["charging_profile_purpose"] == "TxProfile" && limit_of(profile) >= 6.0
    });
    let profile = &profile["cs_charging_profiles"];
    let duration = profile["charging_schedule"]["duration"].as_i64().unwrap();
    assert!(duration <= 120, "a live limit lapses by itself: {profile}");
    report_values(&mut charger, &transaction, "10.0", "1150");

    let now = charger.call("Heartbeat", json!({}))["current_time"].clone();
    let body = json!({"transaction_id": transaction, "id_tag": CARD, "meter_stop": 1_320, "timestamp": now, "reason": "Local"});
    let stopped = charger.call("StopTransaction", body);
    assert_eq!(stopped["id_tag_info"]["status"], "Accepted", "{stopped}");
    let path = format!("sessions?charger=CP1&tenant_id={tenant}");
    let ended = until("the session's end", || {
        api.items(&path).into_iter().find(|item| item["id"] == transaction && !item["ended_at"].is_null())
    });
    assert_eq!(ended["energy_wh"], 320, "{ended}");
}

fn limit_of(profile: &Value) -> f64 {
    profile["charging_schedule"]["charging_schedule_period"][0]["limit"].as_f64().unwrap_or_default()
}

/// Protects every operation the central system can ask for: each reaches a charger that checks it against the
/// standard's schema, and its outcome comes back.
#[test]
#[expect(clippy::too_many_lines, reason = "a table of operations, one entry each")]
fn the_ocpp_package_takes_every_operation() {
    let directory = tempfile::tempdir().unwrap();
    let program = Meshwatt::serve(directory.path());
    let api = program.api();
    published_site(api, 1.0);
    enrol(api, "Ana", CARD);
    let mut charger = ForeignCharger::connect(&program.charger_url("CP1"), "CP1");
    boot_until_accepted(&mut charger, api, "CP1");
    report_status(&mut charger, "Preparing");

    let data = charger.call("DataTransfer", json!({"vendor_id": "Foreign", "data": "x"}));
    assert_eq!(data["status"], "UnknownVendorId", "{data}");
    accepted(api, "start", &json!({"connector": 1, "card": CARD}));
    let asked = charger.asked("RemoteStartTransaction", |_| true);
    assert_eq!(asked["id_tag"], CARD, "{asked}");
    let now = charger.call("Heartbeat", json!({}))["current_time"].clone();
    let body = json!({"connector_id": 1, "id_tag": CARD, "meter_start": 0, "timestamp": now});
    let transaction = charger.call("StartTransaction", body)["transaction_id"].clone();
    report_status(&mut charger, "Charging");
    accepted(api, "stop", &json!({"connector": 1}));
    charger.asked("RemoteStopTransaction", |asked| asked["transaction_id"] == transaction);

    accepted(api, "unlock", &json!({"connector": 1}));
    charger.asked("UnlockConnector", |asked| asked["connector_id"] == 1);
    let profile = json!({"id": 100, "stack_level": 1, "purpose": "tx_default", "kind": "daily", "unit": "A",
        "start": "2026-01-01T00:00:00Z", "duration_s": 86400, "periods": [{"from_s": 0, "limit": 16.0}, {"from_s": 3600, "limit": 6.5, "phases": 1}]});
    let operations = [
        (json!({"operation": "get_configuration", "keys": ["HeartbeatInterval"]}), "GetConfiguration"),
        (
            json!({"operation": "change_configuration", "key": "HeartbeatInterval", "value": "60"}),
            "ChangeConfiguration",
        ),
        (json!({"operation": "change_availability", "connector": 1, "operative": true}), "ChangeAvailability"),
        (json!({"operation": "clear_cache"}), "ClearCache"),
        (json!({"operation": "trigger_message", "message": "MeterValues", "connector": 1}), "TriggerMessage"),
        (json!({"operation": "data_transfer", "vendor_id": "Foreign"}), "DataTransfer"),
        (
            json!({"operation": "reserve_now", "connector": 1, "card": CARD, "until": "2100-01-01T00:00:00Z"}),
            "ReserveNow",
        ),
        (json!({"operation": "cancel_reservation", "reservation_id": 7}), "CancelReservation"),
        (json!({"operation": "set_charging_profile", "connector": 1, "profile": profile}), "SetChargingProfile"),
        (json!({"operation": "clear_charging_profile", "profile_id": 100}), "ClearChargingProfile"),
        (json!({"operation": "get_composite_schedule", "connector": 1, "duration_s": 600}), "GetCompositeSchedule"),
        (json!({"operation": "get_diagnostics", "location": LOCATION}), "GetDiagnostics"),
        (json!({"operation": "get_log", "log": "security", "location": LOCATION}), "GetLog"),
        (json!({"operation": "update_firmware", "location": LOCATION}), "UpdateFirmware"),
        (
            json!({"operation": "signed_update_firmware", "location": LOCATION, "signing_certificate": PEM, "signature": "AA=="}),
            "SignedUpdateFirmware",
        ),
        (json!({"operation": "get_local_list_version"}), "GetLocalListVersion"),
        (json!({"operation": "send_local_list"}), "SendLocalList"),
        (
            json!({"operation": "extended_trigger_message", "message": "SignChargePointCertificate"}),
            "ExtendedTriggerMessage",
        ),
        (
            json!({"operation": "install_certificate", "use_for": "central_system_root", "certificate": PEM}),
            "InstallCertificate",
        ),
        (
            json!({"operation": "get_installed_certificate_ids", "use_for": "manufacturer_root"}),
            "GetInstalledCertificateIds",
        ),
        (
            json!({"operation": "delete_certificate", "hash_algorithm": "SHA256", "issuer_name_hash": "aa",
                "issuer_key_hash": "bb", "serial_number": "01"}),
            "DeleteCertificate",
        ),
        (json!({"operation": "certificate_signed", "certificate_chain": PEM}), "CertificateSigned"),
    ];
    for (operation, action) in operations {
        accepted(api, "operations", &operation);
        charger.asked(action, |_| true);
    }
    for kind in ["soft", "hard"] {
        accepted(api, "reset", &json!({"kind": kind}));
    }
    charger.asked("Reset", |asked| asked["type"] == "Soft");
    charger.asked("Reset", |asked| asked["type"] == "Hard");
}

/// Gives a command and waits for its outcome.
#[track_caller]
fn accepted(api: &Api, what: &str, body: &Value) {
    let answer = api.post(&format!("chargers/CP1/{what}"), body);
    assert_eq!(answer.status, 202, "{what}: {}", answer.text);
    let id = answer.body["command_id"].as_u64().expect("a command has a number");
    let ended = until(&format!("the outcome of {body}"), || {
        let state = api.get(&format!("commands/{id}")).ok();
        (state["outcome"] != "pending").then_some(state)
    });
    assert_eq!(ended["outcome"], "accepted", "{ended}");
}

/// Protects charging while this program is off: the list of cards reaches a charger nobody here wrote, is verified, loses
/// a blocked card, and what was charged meanwhile arrives later and is booked to its own time.
#[test]
fn the_ocpp_package_charges_offline() {
    let directory = tempfile::tempdir().unwrap();
    let program = Meshwatt::serve(directory.path());
    let api = program.api();
    published_site(api, 1.0);
    let tenant = enrol(api, "Ana", CARD);
    enrol(api, "Rui", "04FFFFFF");
    let mut charger = ForeignCharger::connect(&program.charger_url("CP1"), "CP1");
    boot_until_accepted(&mut charger, api, "CP1");
    report_status(&mut charger, "Available");
    let list = charger.asked("SendLocalList", |asked| asked["cards"].as_object().is_some_and(|cards| cards.len() == 2));
    assert_eq!(list["cards"][CARD], "Accepted", "{list}");
    until("the list to be verified", || {
        let cards = api.get("chargers/CP1/detail").ok()["cards"].clone();
        (cards["state"] == "verified" && cards["held"] == 2).then_some(())
    });
    let card = api.items("cards").into_iter().find(|card| card["uid"] == "04FFFFFF").unwrap()["id"].clone();
    let _blocked: Value = api.patch(&format!("cards/{card}"), &json!({"blocked": true})).ok();
    charger.asked("SendLocalList", |asked| {
        asked["type"] == "Differential" && asked["cards"].as_object().is_some_and(|cards| cards.len() == 1)
    });

    let body = json!({"connector_id": 1, "id_tag": CARD, "meter_start": 500, "timestamp": AT});
    let started = charger.call("StartTransaction", body);
    assert_eq!(started["id_tag_info"]["status"], "Accepted", "{started}");
    let body = json!({"transaction_id": started["transaction_id"], "id_tag": CARD, "meter_stop": 4_500,
        "timestamp": "2026-01-01T12:00:00Z", "reason": "EVDisconnected"});
    charger.call("StopTransaction", body);
    let path = format!("sessions?charger=CP1&tenant_id={tenant}");
    let session = until("the session", || api.items(&path).into_iter().find(|item| !item["ended_at"].is_null()));
    assert_eq!((&session["energy_wh"], &session["started_at"]), (&json!(4_000), &json!(AT)), "{session}");
    assert_eq!(session["provenance"], "received_late", "{session}");
}

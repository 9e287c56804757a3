//! Every operation of OCPP 1.6 and of its security extension that goes to the charger, as it is written.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod bench;

use bench::*;
use central_system::{
    CertificateHash, CertificateKind, Command, Download, HashAlgorithm, Input, ListEntry, ListUpdate, LogKind, Outcome,
    Output, ProfileKind, ProfileOrder, ProfilePeriod, ProfilePurpose, RateUnit, ResetKind, Trigger, Upload,
};
use domain::{CardUid, SessionId, TenantId, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const AT: Timestamp = Timestamp(MORNING_MS);
const AT_TEXT: &str = "2026-11-20T08:00:00Z";

fn card() -> CardUid {
    CardUid::new("04A1B2C3").unwrap()
}

fn upload() -> Upload {
    let location = "http://192.168.1.2:8090/upload/x".to_owned();
    Upload { location, retries: Some(2), retry_interval_s: Some(60), from: Some(AT), to: None }
}

fn download() -> Download {
    Download { location: "http://192.168.1.2:8090/f".to_owned(), at: AT, retries: None, retry_interval_s: None }
}

fn profile() -> ProfileOrder {
    ProfileOrder {
        id: 100,
        stack_level: 1,
        purpose: ProfilePurpose::Session,
        kind: ProfileKind::Daily,
        session: Some(SessionId(7)),
        valid_from: Some(AT),
        valid_to: None,
        start: Some(AT),
        duration_s: Some(3600),
        unit: RateUnit::Amps,
        min_rate_tenths: Some(60),
        periods: vec![ProfilePeriod { from_s: 0, limit_tenths: 105, phases: Some(3) }],
    }
}

fn core() -> Vec<(Command, &'static str, Value)> {
    vec![
        (
            Command::RemoteStart { connector: Some(ONE), card: card() },
            "RemoteStartTransaction",
            json!({ "connectorId": 1, "idTag": "04A1B2C3" }),
        ),
        (Command::RemoteStop { session: SessionId(7) }, "RemoteStopTransaction", json!({ "transactionId": 7 })),
        (Command::Reset(ResetKind::Hard), "Reset", json!({ "type": "Hard" })),
        (Command::Unlock { connector: ONE }, "UnlockConnector", json!({ "connectorId": 1 })),
        (
            Command::ChangeAvailability { connector: None, operative: false },
            "ChangeAvailability",
            json!({ "connectorId": 0, "type": "Inoperative" }),
        ),
        (Command::GetConfiguration { keys: vec![] }, "GetConfiguration", json!({})),
        (
            Command::ChangeConfiguration { key: "K".to_owned(), value: "1".to_owned() },
            "ChangeConfiguration",
            json!({ "key": "K", "value": "1" }),
        ),
        (Command::ClearCache, "ClearCache", json!({})),
        (
            Command::TriggerMessage { message: Trigger::MeterValues, connector: Some(ONE) },
            "TriggerMessage",
            json!({ "requestedMessage": "MeterValues", "connectorId": 1 }),
        ),
        (
            Command::DataTransfer { vendor: "V".to_owned(), message: None, data: Some("x".to_owned()) },
            "DataTransfer",
            json!({ "vendorId": "V", "data": "x" }),
        ),
        (
            Command::Reserve { reservation: 3, connector: Some(ONE), card: card(), until: AT },
            "ReserveNow",
            json!({ "reservationId": 3, "connectorId": 1, "idTag": "04A1B2C3", "expiryDate": AT_TEXT }),
        ),
        (Command::CancelReservation { reservation: 3 }, "CancelReservation", json!({ "reservationId": 3 })),
        (Command::GetLocalListVersion, "GetLocalListVersion", json!({})),
        (
            Command::SendLocalList {
                version: 2,
                update: ListUpdate::Differential,
                entries: vec![
                    ListEntry { tag: "A1".to_owned(), tenant: Some(TenantId(4)) },
                    ListEntry { tag: "A2".to_owned(), tenant: None },
                ],
            },
            "SendLocalList",
            json!({ "listVersion": 2, "updateType": "Differential", "localAuthorizationList": [
                { "idTag": "A1", "idTagInfo": { "status": "Accepted", "parentIdTag": "T4" } }, { "idTag": "A2" }] }),
        ),
    ]
}

fn charging() -> Vec<(Command, &'static str, Value)> {
    vec![
        (
            Command::SetProfile { connector: Some(ONE), profile: Box::new(profile()) },
            "SetChargingProfile",
            json!({ "connectorId": 1, "csChargingProfiles": { "chargingProfileId": 100, "stackLevel": 1, "transactionId": 7,
                "chargingProfilePurpose": "TxProfile", "chargingProfileKind": "Recurring", "recurrencyKind": "Daily",
                "validFrom": AT_TEXT, "chargingSchedule": { "duration": 3600, "startSchedule": AT_TEXT,
                    "chargingRateUnit": "A", "minChargingRate": 6,
                    "chargingSchedulePeriod": [{ "startPeriod": 0, "limit": 10.5, "numberPhases": 3 }] } } }),
        ),
        (
            Command::ClearProfiles {
                profile: Some(100),
                connector: Some(ONE),
                purpose: Some(ProfilePurpose::Charger),
                stack_level: Some(1),
            },
            "ClearChargingProfile",
            json!({ "id": 100, "connectorId": 1, "chargingProfilePurpose": "ChargePointMaxProfile", "stackLevel": 1 }),
        ),
        (
            Command::GetCompositeSchedule { connector: Some(ONE), duration_s: 3600, unit: Some(RateUnit::Watts) },
            "GetCompositeSchedule",
            json!({ "connectorId": 1, "duration": 3600, "chargingRateUnit": "W" }),
        ),
    ]
}

fn files() -> Vec<(Command, &'static str, Value)> {
    let location = "http://192.168.1.2:8090/upload/x";
    vec![
        (
            Command::GetDiagnostics(upload()),
            "GetDiagnostics",
            json!({ "location": location, "retries": 2, "retryInterval": 60, "startTime": AT_TEXT }),
        ),
        (
            Command::GetLog { kind: LogKind::Security, request: 5, upload: upload() },
            "GetLog",
            json!({ "logType": "SecurityLog", "requestId": 5, "retries": 2, "retryInterval": 60,
                "log": { "remoteLocation": location, "oldestTimestamp": AT_TEXT } }),
        ),
        (
            Command::UpdateFirmware(download()),
            "UpdateFirmware",
            json!({ "location": "http://192.168.1.2:8090/f", "retrieveDate": AT_TEXT }),
        ),
        (
            Command::UpdateSignedFirmware {
                request: 6,
                download: download(),
                install_at: None,
                certificate: "C".to_owned(),
                signature: "S".to_owned(),
            },
            "SignedUpdateFirmware",
            json!({ "requestId": 6, "firmware": { "location": "http://192.168.1.2:8090/f",
                "retrieveDateTime": AT_TEXT, "signingCertificate": "C", "signature": "S" } }),
        ),
    ]
}

fn security() -> Vec<(Command, &'static str, Value)> {
    let hash = CertificateHash {
        algorithm: HashAlgorithm::Sha256,
        issuer_name: "aa".to_owned(),
        issuer_key: "bb".to_owned(),
        serial: "1".to_owned(),
    };
    vec![
        (
            Command::ExtendedTrigger { message: Trigger::SignCertificate, connector: None },
            "ExtendedTriggerMessage",
            json!({ "requestedMessage": "SignChargePointCertificate" }),
        ),
        (
            Command::InstallCertificate { kind: CertificateKind::ManufacturerRoot, pem: "P".to_owned() },
            "InstallCertificate",
            json!({ "certificateType": "ManufacturerRootCertificate", "certificate": "P" }),
        ),
        (
            Command::DeleteCertificate(hash),
            "DeleteCertificate",
            json!({ "certificateHashData": { "hashAlgorithm": "SHA256", "issuerNameHash": "aa", "issuerKeyHash": "bb",
                "serialNumber": "1" } }),
        ),
        (
            Command::ListCertificates(CertificateKind::CentralSystemRoot),
            "GetInstalledCertificateIds",
            json!({ "certificateType": "CentralSystemRootCertificate" }),
        ),
        (Command::CertificateSigned { chain: "P".to_owned() }, "CertificateSigned", json!({ "certificateChain": "P" })),
    ]
}

/// Every request is written as the schemas say, and its answer is its outcome. Together they are every action the
/// standard sends to a charger.
#[test]
fn every_operation_reaches_the_charger() {
    let mut seen = BTreeSet::new();
    for (command, action, payload) in [core(), charging(), files(), security()].concat() {
        let mut bench = Bench::ready();
        let out = bench.command(command.clone());
        assert_eq!(asked(&out, action), [payload], "{command:?}");
        let answered = bench.answered(&out, &mut agreeable);
        let [(9, Outcome::Accepted, _)] = &outcomes(&answered)[..] else { panic!("{command:?}: {answered:?}") };
        seen.insert(action);
    }
    let sent_by_chargers = [
        "Authorize",
        "BootNotification",
        "DiagnosticsStatusNotification",
        "FirmwareStatusNotification",
        "Heartbeat",
        "LogStatusNotification",
        "MeterValues",
        "SecurityEventNotification",
        "SignCertificate",
        "SignedFirmwareStatusNotification",
        "StartTransaction",
        "StatusNotification",
        "StopTransaction",
    ];
    let all = ocpp::v16::Action::ALL.iter().map(|action| action.name());
    let missing: Vec<&str> = all.filter(|name| !seen.contains(name) && !sent_by_chargers.contains(name)).collect();
    assert_eq!(missing, Vec::<&str>::new());
}

/// What breaks a rule of the standard is refused in words and never sent.
#[test]
fn what_breaks_the_standard_is_never_sent() {
    let mut bench = Bench::ready();
    let long = Command::DataTransfer { vendor: "V".repeat(300), message: None, data: None };
    let trigger = Command::TriggerMessage { message: Trigger::SignCertificate, connector: None };
    for command in [long, trigger] {
        let out = bench.command(command);
        assert_eq!(requests(&out), []);
        let [(9, Outcome::Rejected, answer)] = &outcomes(&out)[..] else { panic!("{out:?}") };
        assert!(answer.contains("error"), "{answer}");
    }
}

/// What a charger tells beside sessions is kept for its page: files, security events, certificates, every measurand.
#[test]
fn reports_are_kept() {
    let mut bench = Bench::ready();
    let at = bench.text();
    bench.call("DiagnosticsStatusNotification", json!({ "status": "Uploading" }));
    bench.call("LogStatusNotification", json!({ "status": "Uploaded", "requestId": 5 }));
    bench.call("FirmwareStatusNotification", json!({ "status": "Word of a vendor" }));
    bench.call("SecurityEventNotification", json!({ "type": "TamperDetectionActivated", "timestamp": at }));
    let sampled = json!([
        { "value": "9.8", "measurand": "Current.Import", "phase": "L1", "unit": "A" },
        { "value": "55", "measurand": "SoC" },
        { "value": "0.98", "measurand": "Power.Factor", "context": "Sample.Clock" },
    ]);
    let values = json!([{ "timestamp": at, "sampledValue": sampled }]);
    bench.call("MeterValues", json!({ "connectorId": 1, "meterValue": values }));
    let out = bench.call("SignCertificate", json!({ "csr": "-----BEGIN CERTIFICATE REQUEST-----" }));
    assert!(out.iter().any(|it| matches!(it, Output::CertificateWanted(_))), "{out:?}");
    let view = bench.station.view(bench.now);
    let transfers: Vec<&str> = view.transfers.iter().map(|it| it.status.as_str()).collect();
    assert_eq!(transfers, ["Word of a vendor", "Uploaded", "Uploading"]);
    assert_eq!((view.transfers[1].request, view.security[0].kind.as_str()), (Some(5), "TamperDetectionActivated"));
    let values: Vec<(&str, &str, &str)> =
        view.values.iter().map(|it| (it.measurand.as_str(), it.unit.as_str(), it.context.as_str())).collect();
    let periodic = "Sample.Periodic";
    let expected =
        [("Current.Import", "A", periodic), ("Power.Factor", "", "Sample.Clock"), ("SoC", "Percent", periodic)];
    assert_eq!(values, expected);
}

/// A configuration that a person reads is shown with what differs from what is wanted; a new wish is written at once.
#[test]
fn drift_is_shown_and_mended() {
    let mut bench = Bench::ready();
    let out = bench.command(Command::GetConfiguration { keys: vec![] });
    let list = json!([
        { "key": "MeterValueSampleInterval", "value": "60", "readonly": false },
        { "key": "ConnectorPhaseRotation", "value": "1.RST", "readonly": false },
    ]);
    bench.answered(&out, &mut |_| Some(json!({ "configurationKey": list })));
    let drift = |bench: &Bench| {
        let all = bench.station.view(bench.now).configuration;
        all.into_iter().filter(|it| it.is_drift).map(|it| it.key).collect::<Vec<_>>()
    };
    assert_eq!(drift(&bench), ["MeterValueSampleInterval"]);
    let settings = central_system::Settings {
        sample_interval_s: Some(30),
        measurands: vec!["SoC".to_owned()],
        heartbeat_s: Some(60),
        keys: [("ConnectorPhaseRotation".to_owned(), "1.STR".to_owned())].into(),
    };
    let mut out = bench.give(Input::SetSettings(Box::new(settings)));
    out.extend(bench.answered(&out.clone(), &mut agreeable));
    let written: Vec<Value> = asked(&out, "ChangeConfiguration").into_iter().map(|it| it["value"].clone()).collect();
    assert_eq!(written, ["30", "SoC", "60", "1.STR"]);
    assert_eq!(drift(&bench), Vec::<String>::new());
}

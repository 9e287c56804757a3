//! Foreign clients prove themselves: the `ocpp` package over the security profiles 1 to 3, mosquitto's clients over TLS.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use tests::{Api, ForeignCharger, Meshwatt, MqttDevice, approve_charger, approve_meter, until};

const TLS: [&str; 6] = ["--ocpps", "127.0.0.1:0", "--mqtts", "127.0.0.1:0", "--https", "127.0.0.1:0"];

fn boot(charger: &mut ForeignCharger) -> Value {
    charger.call("BootNotification", json!({"charge_point_vendor": "Foreign", "charge_point_model": "PyPI"}))
}

fn url(program: &Meshwatt, listener: &str, login: &str) -> String {
    let scheme = if listener == "ocpps" { "wss" } else { "ws" };
    format!("{scheme}://{login}{}/ocpp/CP1", program.address(listener))
}

/// The authority's certificate as a charger gets it, on the disk.
fn authority(api: &Api, directory: &Path) -> PathBuf {
    let path = directory.join("authority.pem");
    std::fs::write(&path, api.get("certificates/authority").text).unwrap();
    path
}

fn refusal(api: &Api, code: &str) -> Value {
    until(&format!("the refusal {code} in the list"), || {
        api.items("connections").into_iter().find(|item| item["refusal"] == code)
    })
}

fn enforced(api: &Api) -> Value {
    api.get("chargers/CP1/security").ok()["enforced"].clone()
}

/// Lets charger CP1 in and gives it the password it is asked to take.
fn with_password(program: &Meshwatt, target: u8) -> String {
    let api = program.api();
    let mut charger = ForeignCharger::connect(&url(program, "ocpp", ""), "CP1");
    assert_eq!(boot(&mut charger)["status"], "Pending");
    approve_charger(api, "CP1");
    let _set = api.put("chargers/CP1/security", &json!({"target": target})).ok();
    let made = api.post("chargers/CP1/security/password", &json!({"send": true})).ok();
    let asked = charger.asked("ChangeConfiguration", |asked| asked["key"] == "AuthorizationKey");
    assert_eq!(asked["value"], made["password"], "the charger is sent what is shown");
    asked["value"].as_str().unwrap().to_owned()
}

/// Protects profiles 1 and 2: the password sent to a charger is demanded once it was used, TLS once it was used with it, a
/// wrong one is refused, and every refusal is in the list with its reason.
#[test]
fn the_ocpp_package_proves_itself_with_a_password_and_tls() {
    let directory = tempfile::tempdir().unwrap();
    let program = Meshwatt::serve_with(directory.path(), &TLS);
    let api = program.api();
    let password = with_password(&program, 2);
    let login = format!("CP1:{password}@");

    let mut charger = ForeignCharger::connect(&url(&program, "ocpp", &login), "CP1");
    assert_eq!(boot(&mut charger)["status"], "Accepted");
    assert_eq!(enforced(api), 1);
    let without = ForeignCharger::refused(&url(&program, "ocpp", ""), "CP1", &[]);
    assert!(without.contains("401"), "{without}");
    let _listed = refusal(api, "password_missing");
    let wrong = ForeignCharger::refused(&url(&program, "ocpp", "CP1:0123456789abcdef0123@"), "CP1", &[]);
    assert!(wrong.contains("401"), "{wrong}");
    let listed = refusal(api, "wrong_password");
    assert_eq!((&listed["device"], &listed["attempts"]), (&json!("CP1"), &json!(1)), "{listed}");

    let authority = authority(api, directory.path());
    let untrusting = ForeignCharger::refused(&url(&program, "ocpps", &login), "CP1", &[]);
    assert!(untrusting.contains("CERTIFICATE_VERIFY_FAILED") || untrusting.contains("SSL"), "{untrusting}");
    let mut charger = ForeignCharger::connect_with(&url(&program, "ocpps", &login), "CP1", &[&authority]);
    assert_eq!(boot(&mut charger)["status"], "Accepted");
    assert_eq!(enforced(api), 2);
    let fallen = ForeignCharger::refused(&url(&program, "ocpp", &login), "CP1", &[]);
    assert!(fallen.contains("401"), "the charger never falls back to a readable line: {fallen}");
    let _listed = refusal(api, "tls_missing");
}

/// Protects the message log from passwords.
#[test]
fn no_password_is_in_the_message_log() {
    let directory = tempfile::tempdir().unwrap();
    let program = Meshwatt::serve_with(directory.path(), &TLS);
    let password = with_password(&program, 1);
    let log = until("the request in the log", || {
        let log = program.api().get("chargers/CP1/frames?limit=100").text;
        log.contains("AuthorizationKey").then_some(log)
    });
    assert!(!log.contains(&password) && log.contains("***"), "{log}");
}

/// Protects whoever looks for a charger that does not appear: a handshake that fails is in the list with its reason
/// (row Q40 of the field quirks).
#[test]
fn tls_failure_visible() {
    let directory = tempfile::tempdir().unwrap();
    let program = Meshwatt::serve_with(directory.path(), &TLS);
    let api = program.api();
    let other = tempfile::tempdir().unwrap();
    let stranger = authority(Meshwatt::serve_with(other.path(), &TLS).api(), other.path());
    // Python hangs up without a word, OpenSSL says what it thinks of a certificate it does not trust.
    let _error = ForeignCharger::refused(&url(&program, "ocpps", ""), "CP1", &[&stranger]);
    let listed = refusal(api, "tls_aborted");
    assert!(listed["detail"].as_str().unwrap().contains("install the certificate"), "{listed}");
    shake_hands(&program.address("ocpps"), &["-verify_return_error", "-CAfile", stranger.to_str().unwrap()]);
    let _listed = refusal(api, "tls_not_trusted");
    shake_hands(&program.address("ocpps"), &["-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0"]);
    let _listed = refusal(api, "tls_too_old");
    let plain = format!("ws://{}/ocpp/CP1", program.address("ocpps"));
    let _error = ForeignCharger::refused(&plain, "CP1", &[]);
    let _listed = refusal(api, "plain_on_tls_port");
    let secured = format!("wss://{}/ocpp/CP1", program.address("ocpp"));
    let _error = ForeignCharger::refused(&secured, "CP1", &[&stranger]);
    let _listed = refusal(api, "tls_on_plain_port");
}

/// Protects profile 3: a charger asks for a certificate when told, proves itself with it, is refused without it, and
/// when it was revoked.
#[test]
fn the_ocpp_package_proves_itself_with_a_certificate() {
    let directory = tempfile::tempdir().unwrap();
    let program = Meshwatt::serve_with(directory.path(), &TLS);
    let api = program.api();
    let password = with_password(&program, 3);
    let login = format!("CP1:{password}@");
    let authority = authority(api, directory.path());
    let mut charger = ForeignCharger::connect_with(&url(&program, "ocpps", &login), "CP1", &[&authority]);
    assert_eq!(boot(&mut charger)["status"], "Accepted");

    let _accepted = api.post("chargers/CP1/security/certificate", &json!({})).ok();
    let asked = charger.asked("ExtendedTriggerMessage", |_any| true);
    assert_eq!(asked["requested_message"], "SignChargePointCertificate", "{asked}");
    let (key, request) = key_and_request(directory.path());
    assert_eq!(charger.call("SignCertificate", json!({"csr": request}))["status"], "Accepted");
    let signed = charger.asked("CertificateSigned", |_any| true);
    let certificate = directory.path().join("charger.pem");
    std::fs::write(&certificate, signed["certificate_chain"].as_str().unwrap()).unwrap();

    let files: [&Path; 3] = [&authority, &certificate, &key];
    let mut charger = ForeignCharger::connect_with(&url(&program, "ocpps", ""), "CP1", &files);
    assert_eq!(boot(&mut charger)["status"], "Accepted");
    assert_eq!(enforced(api), 3);
    let fallen = ForeignCharger::refused(&url(&program, "ocpps", &login), "CP1", &[&authority]);
    assert!(fallen.contains("401"), "{fallen}");
    let _listed = refusal(api, "certificate_missing");
    let foreign = format!("wss://{}/ocpp/CP2", program.address("ocpps"));
    let _error = ForeignCharger::refused(&foreign, "CP2", &files);
    assert_eq!(refusal(api, "certificate_of_another")["about"], "CP1");

    let serial = api.get("chargers/CP1/security").ok()["certificates"][0]["serial"].as_str().unwrap().to_owned();
    assert_eq!(api.post(&format!("certificates/{serial}/revoke"), &json!({})).status, 204);
    let _error = ForeignCharger::refused(&url(&program, "ocpps", ""), "CP1", &files);
    let _listed = refusal(api, "certificate_revoked");
}

/// Tries a TLS handshake with OpenSSL; the other end tells how it went.
fn shake_hands(address: &str, arguments: &[&str]) {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-connect", address]).args(arguments).stdin(std::process::Stdio::null());
    let output = command.output().expect("openssl starts");
    assert!(!output.status.success(), "{address} {arguments:?} must be refused");
}

/// A key and a request as a charger makes them, by a program that nobody here wrote.
fn key_and_request(directory: &Path) -> (PathBuf, String) {
    let (key, request) = (directory.join("charger.key"), directory.join("charger.csr"));
    let output = Command::new("openssl")
        .args(["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj"])
        .arg("/O=Somebody/CN=SN-4711")
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&request)
        .output()
        .expect("openssl starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (key, std::fs::read_to_string(&request).unwrap())
}

/// Protects MQTT devices over TLS: mosquitto trusts the authority, a device created in the console logs in with the password that was
/// shown once, and what it may not do is refused and listed.
#[test]
fn mosquitto_talks_over_tls() {
    let directory = tempfile::tempdir().unwrap();
    let program = Meshwatt::serve_with(directory.path(), &TLS);
    let api = program.api();
    let authority = authority(api, directory.path());
    let made = api.post("mqtt/devices", &json!({"name": "Counter-1"})).ok();
    assert_eq!(made["user"], "Counter-1");
    let password = made["password"].as_str().unwrap();
    let device = |password: &str, version| {
        MqttDevice::new(program.port("mqtts"), "Counter-1", password, version).trusting(&authority)
    };
    let meter = device(password, "5");
    assert!(meter.say("hello/new", "0x001", json!({"vendor": "Foreign"})).is_some());
    approve_meter(api, "Counter-1");
    assert!(meter.say("Counter-1", "0x031", json!({"current_ma": [1_000, 1_000, 1_000]})).is_some());
    assert!(!meter.publish("Charger-9", "{}"), "a foreign topic is refused");
    let listed = refusal(api, "foreign_publish");
    assert_eq!((&listed["device"], &listed["about"]), (&json!("Counter-1"), &json!("Charger-9")), "{listed}");
    assert!(!device("wrong", "311").publish("hello/new", "{}"));
    let _listed = refusal(api, "mqtt_wrong_password");
}

/// Protects files of chargers with TLS: one of which TLS is demanded gets `https` addresses that its authority vouches for,
/// on the port on which others are served without.
#[test]
fn files_of_a_charger_with_tls_are_private() {
    let directory = tempfile::tempdir().unwrap();
    let program = Meshwatt::serve_with(directory.path(), &[&TLS[..], &["--files", "127.0.0.1:0"]].concat());
    let api = program.api();
    let password = with_password(&program, 2);
    let plain = {
        let mut charger = ForeignCharger::connect(&url(&program, "ocpp", &format!("CP1:{password}@")), "CP1");
        assert_eq!(boot(&mut charger)["status"], "Accepted");
        let _asked = api.post("chargers/CP1/operations", &json!({"operation": "get_diagnostics"})).ok();
        charger.asked("GetDiagnostics", |_any| true)["location"].as_str().unwrap().to_owned()
    };
    assert!(plain.starts_with("http://"), "TLS is not demanded yet: {plain}");
    let authority = authority(api, directory.path());
    let address = url(&program, "ocpps", &format!("CP1:{password}@"));
    let mut charger = ForeignCharger::connect_with(&address, "CP1", &[&authority]);
    assert_eq!(boot(&mut charger)["status"], "Accepted");
    let _asked = api.post("chargers/CP1/operations", &json!({"operation": "get_diagnostics"})).ok();
    let place = charger.asked("GetDiagnostics", |_any| true)["location"].as_str().unwrap().to_owned();
    assert!(place.starts_with("https://"), "{place}");
    let script = "import ssl, sys, urllib.request as web\n\
        trust = ssl.create_default_context(cafile=sys.argv[1])\n\
        request = web.Request(sys.argv[2] + 'log.txt', data=b'between us', method='PUT')\n\
        print(web.urlopen(request, context=trust, timeout=60).status)";
    let put = |place: &str| {
        let done = Command::new(tests::python()).args(["-c", script]).arg(&authority).arg(place).output().unwrap();
        assert!(done.status.success(), "{place}: {}", String::from_utf8_lossy(&done.stderr));
        assert_eq!(String::from_utf8_lossy(&done.stdout).trim(), "201");
    };
    put(&place);
    put(&plain);
    let files = api.items("files");
    let contents = files
        .iter()
        .filter(|file| !file["bytes"].is_null())
        .map(|file| api.get(&format!("files/{}/content", file["id"].as_str().unwrap())).text);
    assert_eq!(contents.collect::<Vec<_>>(), ["between us", "between us"]);
}

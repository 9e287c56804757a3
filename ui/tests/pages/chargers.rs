//! Chargers: connecting, watching, operating, policies and wishes.

use crate::hand::{go, live, open, press, says, small, write};
use api::Language;
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use ui::fixtures;

/// Picks a part of a page.
fn tab(harness: &mut Harness<'_>, name: &str) {
    let name = format!("Lugar 1 · Ana: {name}");
    harness.get_by_role_and_label(Role::RadioButton, &name).click();
    harness.run();
}

/// Chargers say why they have their current, and can be moved, paused, stopped and limited.
#[test]
fn chargers_can_be_moved_paused_stopped_and_limited() {
    let server = live(fixtures::snapshot());
    let mut harness = small(&server, Language::English);
    go(&mut harness, "Chargers");
    assert!(says(&harness, "8 A: shared equally by three cars; main fuse L1 60 A"), "the reason is a sentence");
    server.asked();
    press(&mut harness, "Move up Lugar 2 · Bruno");
    let asked = server.asked();
    assert!(
        asked.iter().any(|line| line.starts_with(r#"PUT chargers/order {"chargers":["CP-02","CP-01","#)),
        "{asked:?}"
    );
    press(&mut harness, "Pause Lugar 1 · Ana");
    press(&mut harness, "Stop Lugar 1 · Ana");
    press(&mut harness, "Limit Lugar 1 · Ana");
    assert!(says(&harness, "Limit Lugar 1 · Ana"), "the dialog asks for the limit");
    press(&mut harness, "Apply");
    let sent = [
        "POST chargers/CP-01/pause {}",
        r#"POST chargers/CP-01/stop {"connector":1}"#,
        r#"POST chargers/CP-01/limit {"limit_a":32.0}"#,
    ];
    assert_eq!(server.asked(), sent);
}

/// Dragging a charger by its handle below another sends the new order once.
#[test]
fn dragging_a_charger_changes_the_order() {
    let server = live(fixtures::snapshot());
    let mut harness = small(&server, Language::English);
    go(&mut harness, "Chargers");
    let from = harness.get_by_label("Drag to change the priority Lugar 1 · Ana").rect().center();
    let to = harness.get_by_label("Drag to change the priority Lugar 3 · Carla").rect().center() + egui::vec2(0.0, 8.0);
    server.asked();
    harness.drag_at(from);
    harness.run_steps(2);
    harness.hover_at(to);
    harness.run_steps(2);
    harness.drop_at(to);
    harness.run_steps(4);
    let asked = server.asked();
    let expected = r#"PUT chargers/order {"chargers":["CP-02","CP-03","CP-01","#;
    assert_eq!(asked.iter().filter(|line| line.starts_with(expected)).count(), 1, "{asked:?}");
}

/// A charger's page saves only what was changed, and sends operations.
#[test]
fn charger_details_save_changes_and_send_operations() {
    let server = live(fixtures::snapshot());
    let mut harness = open(&server, Language::English, [1920.0, 1080.0]);
    go(&mut harness, "Chargers");
    press(&mut harness, "Details Lugar 1 · Ana");
    write(&mut harness, Role::TextInput, "Name", "!");
    server.asked();
    press(&mut harness, "Save");
    tab(&mut harness, "Operations");
    press(&mut harness, "Restart");
    press(&mut harness, "Forget cached cards");
    let asked = server.asked();
    let sent = [
        r#"PATCH chargers/CP-01 {"name":"Lugar 1 · Ana!"}"#,
        r#"POST chargers/CP-01/reset {"kind":"soft"}"#,
        r#"POST chargers/CP-01/operations {"operation":"clear_cache"}"#,
    ];
    assert_eq!(asked, sent);
}

/// A charger's page tells what the charger is and whether it works alone, shows every value, and what differs from what
/// is wanted; wishes are sent as a whole, in both languages.
#[test]
fn a_charger_is_seen_in_detail() {
    let server = live(fixtures::snapshot());
    let mut harness = open(&server, Language::English, [1920.0, 1080.0]);
    go(&mut harness, "Chargers");
    press(&mut harness, "Details Lugar 1 · Ana");
    assert!(says(&harness, "V1-00017"));
    assert!(says(&harness, "List of cards: 8 of 12, version 4"));
    tab(&mut harness, "Values");
    assert!(says(&harness, "7.9 A") && says(&harness, "61 Percent"));
    tab(&mut harness, "Configuration table");
    assert!(says(&harness, "shall be 10"), "drift is shown");
    write(&mut harness, Role::TextInput, "Seconds between values", "30");
    harness.get_by_role_and_label(Role::CheckBox, "SoC").click();
    harness.run();
    server.asked();
    press(&mut harness, "Save Measuring");
    let sent =
        r#"PUT chargers/CP-01/settings {"sample_interval_s":30,"measurands":["SoC"],"heartbeat_s":null,"keys":{}}"#;
    assert_eq!(server.asked().first().map(String::as_str), Some(sent));
    tab(&mut harness, "Messages");
    write(&mut harness, Role::TextInput, "Find in messages", "Boot");
    server.asked();
    press(&mut harness, "Search");
    assert_eq!(server.asked(), ["GET chargers/CP-01/frames?limit=200&text=Boot"]);
}

/// The outcome of a command arrives later and is said in the words of its button.
#[test]
fn command_outcomes_are_said() {
    let server = live(fixtures::snapshot());
    server.answer("chargers/CP-01/reset", &api::CommandAccepted { command_id: 41 });
    let mut harness = open(&server, Language::English, [1920.0, 1080.0]);
    go(&mut harness, "Chargers");
    press(&mut harness, "Details Lugar 1 · Ana");
    tab(&mut harness, "Operations");
    press(&mut harness, "Restart");
    assert!(says(&harness, "Restart: sent, no answer yet"), "pending is shown");
    server.push_message(&api::LiveMessage::Command(api::CommandState {
        id: 41,
        charger: "CP-01".to_owned(),
        what: "reset".to_owned(),
        outcome: api::CommandOutcome::Rejected,
        answer: serde_json::json!({"status": "Rejected"}),
    }));
    harness.run_steps(3);
    assert!(says(&harness, "Restart: refused by the charger"), "the outcome is shown");
}

/// Whoever connects a device reads what to type, who waits, and why an attempt was refused, in their own language.
#[test]
fn connect_page_says_what_to_type_and_why_attempts_failed() {
    let server = live(fixtures::snapshot());
    let mut harness = open(&server, Language::Portuguese, [1280.0, 720.0]);
    go(&mut harness, "Ligar");
    assert!(says(&harness, "ws://192.168.1.20:8887/ocpp/") && says(&harness, "wss://192.168.1.20:8888/ocpp/"));
    assert!(harness.query_by_role_and_label(Role::Image, "Código QR de ws://192.168.1.20:8887/ocpp/").is_some());
    let wrong = api::RefusalCode::WrongPassword.sentence(Language::Portuguese, "");
    assert!(says(&harness, &wrong), "the reason is said in Portuguese");
    assert!(says(&harness, "Recusado") && says(&harness, "Ligado"), "attempts that went well are listed, too");
    server.asked();
    press(&mut harness, "Aprovar CP-09");
    assert_eq!(server.asked()[0], "POST chargers/CP-09/approve {}");
    harness.get_by_role_and_label(Role::RadioButton, "Rede: wlan0").click();
    harness.run();
    assert!(says(&harness, "ws://10.0.4.7:8887/ocpp/"), "each network has its own address");
}

/// A password for a device is shown once and is gone with its dialog.
#[test]
fn device_password_is_shown_once() {
    let server = live(fixtures::snapshot());
    let shown = api::ShownPassword { user: "Counter-9".to_owned(), password: "0a1b2c".to_owned(), command_id: None };
    server.answer("mqtt/devices", &shown);
    let mut harness = small(&server, Language::English);
    go(&mut harness, "Connect");
    press(&mut harness, "Add an MQTT device");
    write(&mut harness, Role::TextInput, "Name", "Counter-9");
    server.asked();
    press(&mut harness, "Make a password");
    assert_eq!(server.asked()[0], r#"POST mqtt/devices {"name":"Counter-9"}"#);
    assert!(says(&harness, "0a1b2c"), "it is shown");
    press(&mut harness, "Close");
    assert!(!says(&harness, "0a1b2c"), "and then it is gone");
}

/// A charger that has not proven what is wanted says its next step; each step is one button.
#[test]
fn security_of_chargers_goes_step_by_step() {
    let server = live(fixtures::snapshot());
    let mut harness = open(&server, Language::English, [1920.0, 1600.0]);
    go(&mut harness, "Connect");
    assert!(says(&harness, "Next: give it a password"), "the next step is said");
    server.asked();
    press(&mut harness, "Send a password CP-01");
    press(&mut harness, "Let it ask for a certificate CP-02");
    let asked: Vec<String> = server.asked().into_iter().filter(|line| line.starts_with("POST")).collect();
    let sent = [
        r#"POST chargers/CP-01/security/password {"password":null,"send":true}"#,
        "POST chargers/CP-02/security/certificate {}",
    ];
    assert_eq!(asked, sent);
}

/// "I need 20 kWh by 07:30": the dialog sends the wish of the session.
#[test]
fn a_wish_is_sent() {
    let server = live(fixtures::snapshot());
    let mut harness = small(&server, Language::English);
    go(&mut harness, "Chargers");
    press(&mut harness, "Details Lugar 1 · Ana");
    press(&mut harness, "Needs energy by Lugar 1 · Ana");
    write(&mut harness, Role::TextInput, "Energy of this session (kWh)", "20");
    server.asked();
    press(&mut harness, "Save what it needs");
    assert_eq!(server.asked(), [r#"POST sessions/7/wish {"energy_kwh":20.0,"by":"07:30"}"#]);
}

/// A charger's policy is sent whole, and a decision shows what was known at its moment.
#[test]
fn policy_is_sent_and_decisions_open() {
    let server = live(fixtures::snapshot());
    let mut harness = open(&server, Language::English, [1920.0, 1600.0]);
    go(&mut harness, "Chargers");
    press(&mut harness, "Details Lugar 1 · Ana");
    harness.get_by_role_and_label(Role::RadioButton, "Energy: Solar first").click();
    harness.run();
    harness.get_by_role_and_label(Role::RadioButton, "When current is short: Never pause").click();
    harness.run();
    server.asked();
    press(&mut harness, "Save how it is served");
    let asked = server.asked();
    let sent = asked.first().expect("something was sent");
    assert!(sent.starts_with(r#"PATCH chargers/CP-01 {"policy":{"never_pause":true"#), "{sent}");
    assert!(sent.contains(r#""energy_source":"solar_first""#), "{sent}");
    let decision = "8 A: shared equally by three cars; main fuse L1 60 A";
    let row = harness.query_all_by_role_and_label(Role::Button, decision).next().expect("a decision is listed");
    row.click();
    harness.run();
    assert!(says(&harness, "17.4 / 14.2 / 15.9 A"), "the building's load is shown");
}

/// In Portuguese, whose words are longer, both columns of a charger's page stay on it, and past decisions are said in that
/// language.
#[test]
fn a_charger_in_portuguese_fits_and_speaks_portuguese() {
    let server = live(fixtures::snapshot());
    let mut harness = small(&server, Language::Portuguese);
    go(&mut harness, "Carregadores");
    press(&mut harness, "Detalhes Lugar 1 · Ana");
    harness.run_steps(2);
    let said = "8 A: dividido igualmente por três carros; disjuntor geral L1 60 A";
    let row = harness.query_all_by_role_and_label(Role::Button, said).next().expect("a decision in Portuguese");
    let right = row.rect().right();
    assert!((1_000.0..1_250.0).contains(&right), "{right}");
}

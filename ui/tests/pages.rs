//! Each page as a person uses it: what it says, in both languages, and what it sends when it is used.
//!
//! egui_kittest also fails a run when a field has no name or a letter has no glyph.

use api::{EnrolmentState, Language, Snapshot};
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use ui::fixtures::{self, Server};

/// A console at this size with its first snapshot on screen.
fn open(server: &Server, language: Language, size: [f32; 2]) -> Harness<'static> {
    let mut console = server.console(language);
    let mut harness = Harness::builder().with_size(size).with_max_steps(60).build_ui(move |ui| {
        console.logic(ui.ctx());
        console.ui(ui);
    });
    harness.run();
    harness
}

fn small(server: &Server, language: Language) -> Harness<'static> {
    open(server, language, [1280.0, 720.0])
}

fn live(snapshot: Snapshot) -> Server {
    let server = Server::signed_in();
    server.push(snapshot);
    server
}

fn go(harness: &mut Harness<'_>, page: &str) {
    harness.get_by_role_and_label(Role::Tab, page).click();
    harness.run();
}

fn press(harness: &mut Harness<'_>, name: &str) {
    harness.get_by_role_and_label(Role::Button, name).click();
    harness.run();
}

/// Picks a part of a page.
fn tab(harness: &mut Harness<'_>, name: &str) {
    let name = format!("Lugar 1 · Ana: {name}");
    harness.get_by_role_and_label(Role::RadioButton, &name).click();
    harness.run();
}

fn says(harness: &Harness<'_>, text: &str) -> bool {
    harness.query_all_by_label(text).next().is_some() || harness.query_all_by_value(text).next().is_some()
}

/// A file as somebody drops it on the page.
#[derive(Debug)]
struct Dropped(Vec<u8>);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &std::path::Path {
        std::path::Path::new("list.csv")
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        Ok(self.0.clone())
    }
}

fn drop_file(harness: &mut Harness<'_>, bytes: &[u8]) {
    harness.input_mut().dropped_files.push(std::sync::Arc::new(Dropped(bytes.to_vec())));
    harness.run();
}

fn write(harness: &mut Harness<'_>, role: Role, name: &str, text: &str) {
    harness.get_by_role_and_label(role, name).focus();
    harness.run();
    harness.get_by_role_and_label(role, name).type_text(text);
    harness.run();
}

/// Signing in sends the password and shows the server's refusal in its own words.
#[test]
fn a_wrong_password_is_refused_in_plain_words() {
    let server = Server::signed_out(false);
    let problem =
        r#"{"type":"about:blank","title":"No","status":401,"detail":"The password is wrong","code":"wrong_password"}"#;
    server.answer_text("login", 401, problem);
    let mut harness = small(&server, Language::English);
    write(&mut harness, Role::PasswordInput, "Password", "letmein");
    server.asked();
    press(&mut harness, "Sign in");
    assert_eq!(server.asked(), [r#"POST login {"password":"letmein"}"#]);
    assert!(says(&harness, "The password is wrong"), "the refusal is shown");
}

/// The first run asks for everything needed before it sends anything.
#[test]
fn set_up_checks_the_answers_before_sending() {
    let server = Server::signed_out(true);
    let mut harness = small(&server, Language::Portuguese);
    server.asked();
    press(&mut harness, "Começar");
    assert!(says(&harness, "Dê um nome ao edifício"), "the missing name is said");
    write(&mut harness, Role::TextInput, "Nome do edifício", "Alameda");
    write(&mut harness, Role::TextInput, "Potência contratada (kVA)", "41,4");
    write(&mut harness, Role::PasswordInput, "Escolha uma palavra-passe", "segredo-longo");
    press(&mut harness, "Começar");
    let asked = server.asked();
    let sent = r#"POST setup {"name":"Alameda","contracted_kva":41.4,"phases":3,"password":"segredo-longo"}"#;
    assert_eq!(asked.first().map(String::as_str), Some(sent), "{asked:?}");
}

/// The overview says the numbers of the snapshot, and a waiting device is approved with one press.
#[test]
fn overview_shows_live_numbers_and_approves_devices() {
    let server = live(fixtures::snapshot());
    let mut harness = small(&server, Language::English);
    assert_eq!(harness.get_by_role_and_label(Role::Status, "In use now").value().as_deref(), Some("28.7 kW"));
    assert_eq!(harness.get_by_role_and_label(Role::Status, "Cars waiting").value().as_deref(), Some("1"));
    assert!(says(&harness, "Visitas 1 cannot be reached and is counted at its fallback; check its power and network"));
    let mut newer = fixtures::snapshot();
    newer.site.total_kw = 31.2;
    server.push(newer);
    harness.run();
    assert_eq!(harness.get_by_role_and_label(Role::Status, "In use now").value().as_deref(), Some("31.2 kW"));
    server.asked();
    press(&mut harness, "Approve CP-09");
    assert_eq!(server.asked(), ["POST chargers/CP-09/approve {}"]);
}

/// The graph asks the server once for each quantity and range, and has a name and a table twin.
#[test]
fn graph_asks_for_the_past_once_and_has_a_twin() {
    let server = live(fixtures::snapshot());
    let mut harness = small(&server, Language::English);
    let readings = |asked: Vec<String>| asked.into_iter().filter(|line| line.starts_with("GET readings")).count();
    assert_eq!(readings(server.asked()), 1, "once for the first range");
    harness.get_by_role_and_label(Role::RadioButton, "Time range: 1 h").click();
    harness.run();
    let mut currents = fixtures::columns(&["CP-01".to_owned()], 720, 1000);
    for name in &mut currents.series {
        *name = name.replace("power_w", "current_l2_ma");
    }
    server.answer("readings", &currents);
    harness.get_by_role_and_label(Role::RadioButton, "Quantity: L2").click();
    harness.run();
    assert_eq!(readings(server.asked()), 2, "once for the longer range, once for the other quantity");
    let named = |harness: &Harness<'_>| {
        harness
            .query_all_by_role(Role::Image)
            .any(|node| node.accesskit_node().label().is_some_and(|label| label.starts_with("Load over 1 h")))
    };
    assert!(named(&harness), "the graph has a name");
    press(&mut harness, "Table");
    assert!(harness.query_all_by_role(Role::Cell).count() > 10, "the table has the values");
}

/// Pointing at the graph shows the values of that moment.
#[test]
fn pointing_at_the_graph_shows_values() {
    let server = live(fixtures::snapshot());
    let mut harness = small(&server, Language::English);
    assert!(!says(&harness, "Total"), "nothing is pointed at");
    let graph = harness.query_all_by_role(Role::Image).next().map(|node| node.rect().center());
    harness.hover_at(graph.unwrap());
    harness.run_steps(4);
    assert!(says(&harness, "Total") && says(&harness, "18:22:30"), "the values of the middle are shown");
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

/// Enrolling: wait for the tap, name the tenant, done.
#[test]
fn enrolling_a_card_from_tap_to_tenant() {
    let server = live(fixtures::snapshot());
    let mut harness = small(&server, Language::English);
    go(&mut harness, "Cards");
    server.asked();
    press(&mut harness, "Enrol a card");
    assert_eq!(
        server.asked().first().map(String::as_str),
        Some(r#"POST enrolment {"tenant_id":null,"charger":null,"ttl_s":600}"#)
    );
    let mut waiting = fixtures::snapshot();
    let state = EnrolmentState {
        tenant_id: None,
        charger: None,
        remaining_s: 118,
        captured_uid: None,
        captured_at_charger: None,
        bound: false,
        resembles: None,
    };
    waiting.enrolment = Some(state.clone());
    server.push(waiting);
    harness.run();
    assert!(says(&harness, "Hold the card to any charger") && says(&harness, "118 s left"), "the countdown is shown");
    let mut captured = fixtures::snapshot();
    let (uid, at) = (Some("04D1E2F3".to_owned()), Some("CP-04".to_owned()));
    captured.enrolment = Some(EnrolmentState { captured_uid: uid, captured_at_charger: at, ..state });
    server.push(captured);
    harness.run();
    assert!(says(&harness, "Card 04D1E2F3 was read at Lugar 4"), "the tap is confirmed");
    write(&mut harness, Role::TextInput, "Name", "Eva Pinto");
    let tenant = api::TenantItem { id: 9, form: api::TenantForm::named("Eva Pinto", ""), ..api::TenantItem::default() };
    server.answer("tenants", &tenant);
    server.asked();
    press(&mut harness, "Enrol");
    let asked = server.asked();
    let sent = r#"POST tenants {"name":"Eva Pinto","unit":"""#;
    assert!(asked.first().is_some_and(|line| line.starts_with(sent)), "{asked:?}");
    assert!(asked.iter().any(|line| line == r#"POST tenants/9/cards {"uid":"04D1E2F3"}"#), "{asked:?}");
    assert!(says(&harness, "The card is enrolled; the next tap charges"), "the end is said");
}

/// Sessions are listed, filtered by the server, continued, and one shows its load curve.
#[test]
fn sessions_are_listed_continued_and_opened() {
    let server = live(fixtures::snapshot());
    let mut harness = small(&server, Language::Portuguese);
    go(&mut harness, "Sessões");
    assert!(says(&harness, "6,42 kWh"), "energy in the person's decimals");
    server.asked();
    press(&mut harness, "Mostrar mais");
    let asked = server.asked();
    assert!(asked.iter().any(|line| line.ends_with("&cursor=50")), "{asked:?}");
    press(&mut harness, "Mostrar a curva de carga 49 Bruno Sousa");
    assert!(says(&harness, "Sessão 49"), "the session is open");
    assert_eq!(server.asked(), ["GET sessions/49/curve", "GET sessions/49/changes"]);
    harness.get_by_role_and_label(Role::RadioButton, "Período: Últimos 7 dias").click();
    harness.run();
    assert!(server.asked().iter().any(|line| line.contains("from=2026-11-13T18:30:00Z")), "the filter is the server's");
}

/// Words, figures and owners are filtered by the server; the badge says where figures come from.
#[test]
fn sessions_are_searched_and_badged() {
    let server = live(fixtures::snapshot());
    let mut harness = small(&server, Language::English);
    go(&mut harness, "Sessions");
    assert!(says(&harness, "Estimated") && says(&harness, "Measured"), "each session says what its figures are");
    server.asked();
    write(&mut harness, Role::TextInput, "Search", "04A1 é");
    assert!(server.asked().iter().any(|line| line.ends_with("&q=04A1%20%C3%A9")), "the words are the server's");
    harness.get_by_role_and_label(Role::CheckBox, "Only without tenant").click();
    harness.run();
    assert!(server.asked().iter().any(|line| line.contains("&unassigned=true&q=")), "and who pays");
}

/// An end that fits no session is told on the page, and given to a session with a reason, never without.
#[test]
fn ends_without_a_session_are_decided() {
    let server = live(fixtures::snapshot());
    let orphan = api::OrphanItem {
        id: 5,
        charger: "CP-02".to_owned(),
        at: "2026-11-20T17:00:00Z".to_owned(),
        session_id: None,
        card: None,
        meter_wh: 91_250,
        decided: false,
        assigned_session_id: None,
        reason: String::new(),
    };
    server.answer("orphan-stops", &api::Page { items: vec![orphan], next_cursor: None });
    let mut harness = small(&server, Language::English);
    go(&mut harness, "Sessions");
    press(&mut harness, "Decide");
    assert!(says(&harness, "91.25 kWh"), "its register is shown");
    server.asked();
    press(&mut harness, "Belongs to none");
    assert!(server.asked().is_empty(), "not without a reason");
    write(&mut harness, Role::TextInput, "Reason", "Test of the electrician");
    server.asked();
    press(&mut harness, "Belongs to none");
    let asked = server.asked();
    let sent = r#"POST orphan-stops/5/decide {"session_id":null,"reason":"Test of the electrician"}"#;
    assert_eq!(asked.first().map(String::as_str), Some(sent), "{asked:?}");
}

/// A number typed at the desk goes the way of a tap; one that is an enrolled card in other digits is offered as that.
#[test]
fn a_card_is_typed_and_recognised() {
    let server = live(fixtures::snapshot());
    let mut harness = small(&server, Language::English);
    go(&mut harness, "Cards");
    press(&mut harness, "Enrol a card");
    let mut waiting = fixtures::snapshot();
    let state = EnrolmentState {
        tenant_id: None,
        charger: None,
        remaining_s: 90,
        captured_uid: None,
        captured_at_charger: None,
        bound: false,
        resembles: None,
    };
    waiting.enrolment = Some(state.clone());
    server.push(waiting);
    harness.run();
    write(&mut harness, Role::TextInput, "Or read it here", "C3B2A104");
    server.asked();
    harness.key_press(egui::Key::Enter);
    harness.run();
    assert_eq!(server.asked().first().map(String::as_str), Some(r#"POST enrolment/card {"uid":"C3B2A104"}"#));
    let mut captured = fixtures::snapshot();
    let (uid, resembles) = (Some("C3B2A104".to_owned()), Some("04A1B2C3".to_owned()));
    captured.enrolment = Some(EnrolmentState { captured_uid: uid, resembles, ..state });
    server.push(captured);
    harness.run();
    assert!(says(&harness, "This looks like card 04A1B2C3 of Ana Martins, read by another reader"));
    server.asked();
    press(&mut harness, "It is the same card");
    let asked = server.asked();
    let sent = r#"POST tenants/1/cards {"uid":"C3B2A104","alias_of":"04A1B2C3"}"#;
    assert_eq!(asked.first().map(String::as_str), Some(sent), "{asked:?}");
}

/// A list of tenants is looked at first; while a row has something wrong, nothing can be imported.
#[test]
fn a_list_is_looked_at_before_it_is_imported() {
    let server = live(fixtures::snapshot());
    let row = |line, name: &str, problems| api::ImportRow {
        line,
        tenant: api::TenantForm::named(name, "1.º"),
        cards: vec!["04AA".to_owned()],
        problems,
    };
    let problem = api::ImportProblem {
        column: api::ImportColumn::MaxPower,
        value: "much".to_owned(),
        detail: "write a number such as 7.4".to_owned(),
    };
    let mut preview = api::ImportPreview {
        encoding: "windows-1252".to_owned(),
        separator: ";".to_owned(),
        rows: vec![row(2, "Ana", Vec::new()), row(3, "Rui", vec![problem])],
        wrong_rows: 1,
        imported: false,
    };
    server.answer("tenants/import", &preview);
    let mut harness = small(&server, Language::English);
    go(&mut harness, "Cards");
    press(&mut harness, "Import");

    server.asked();
    drop_file(&mut harness, b"name;max_power_kw\nAna;\nRui;much\n");
    let asked = server.asked();
    assert!(
        asked.iter().any(|line| line.starts_with("POST tenants/import") && line.ends_with(r#""dry_run":true}"#)),
        "{asked:?}"
    );
    assert!(says(&harness, "Maximum power (kW): write a number such as 7.4"), "the row says what is wrong");
    press(&mut harness, "Import all");
    assert!(server.asked().is_empty(), "nothing is imported while a row is wrong");
    preview.rows.truncate(1);
    preview.wrong_rows = 0;
    server.answer("tenants/import", &preview);
    drop_file(&mut harness, b"name\nAna\n");
    preview.imported = true;
    server.answer("tenants/import", &preview);
    server.asked();
    press(&mut harness, "Import all");
    assert!(server.asked().iter().any(|line| line.ends_with(r#""dry_run":false}"#)), "all of it at once");
    assert!(says(&harness, "Tenants imported: 1"));
}

/// Settings refuse impossible values in plain words and send possible ones.
#[test]
fn settings_are_checked_and_sent() {
    let server = live(fixtures::snapshot());
    let mut harness = open(&server, Language::English, [1920.0, 1400.0]);
    go(&mut harness, "Settings");
    write(&mut harness, Role::TextInput, "Least current to charge (A)", "0");
    server.asked();
    press(&mut harness, "Save");
    assert!(says(&harness, "Least current to charge (A) must be a number from 6 to 32"), "60 is refused");
    assert!(server.asked().is_empty(), "nothing was sent");
    write(&mut harness, Role::TextInput, "Main fuse (A)", "0");
    harness.get_by_role_and_label(Role::TextInput, "Least current to charge (A)").focus();
    harness.run();
    harness.key_press(egui::Key::Backspace);
    harness.run();
    press(&mut harness, "Save");
    let asked = server.asked();
    assert!(
        asked.first().is_some_and(|line| line.starts_with("PUT site {") && line.contains(r#""main_fuse_a":630.0"#)),
        "{asked:?}"
    );
}

/// The demo panel plugs, taps and breaks links of virtual devices.
#[test]
fn demo_panel_commands_the_virtual_building() {
    let server = live(fixtures::snapshot());
    let mut harness = open(&server, Language::English, [1920.0, 1080.0]);
    go(&mut harness, "Demo");
    server.asked();
    press(&mut harness, "Plug in a car EV-3");
    press(&mut harness, "Break the link CP-01");
    harness.get_by_role_and_label(Role::RadioButton, "Speed of time: 60×").click();
    harness.run();
    let asked: Vec<String> = server.asked().into_iter().filter(|line| line.starts_with("POST")).collect();
    let sent = [
        r#"POST demo {"command":"plug","charger":"EV-3","wants_kwh":20.0}"#,
        r#"POST demo {"command":"set_link","device":"CP-01","linked":false}"#,
        r#"POST demo {"command":"set_speed","speed":"x60"}"#,
    ];
    assert_eq!(asked, sent);
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

/// A meter of another maker is added in a few fields, tried before it is kept, and what is understood is shown.
#[test]
fn meters_of_other_makers_are_added_and_tried() {
    let server = live(fixtures::snapshot());
    let mut harness = open(&server, Language::English, [1920.0, 3000.0]);
    go(&mut harness, "Connect");
    assert!(says(&harness, "L1 3.02 A · L2 −1.50 A · L3 0.00 A · 345 W · 1234.6 kWh"), "values are shown");
    assert!(says(&harness, "The meter does not answer in time; check its power and network"), "and problems");
    press(&mut harness, "Add a meter");
    write(&mut harness, Role::TextInput, "Name", "cellar");
    harness.get_by_role_and_label(Role::RadioButton, "How it speaks: HTTP").click();
    harness.run();
    write(&mut harness, Role::TextInput, "Address", "http://10.0.4.9");
    server.asked();
    press(&mut harness, "Try it");
    press(&mut harness, "Save");
    let asked: Vec<String> = server.asked().into_iter().filter(|line| !line.starts_with("GET")).collect();
    assert!(
        asked[0].starts_with("POST foreign-meters/preview") && asked[0].contains(r#""url":"http://10.0.4.9""#),
        "{asked:?}"
    );
    let put = &asked[1];
    assert!(put.starts_with("PUT foreign-meters/cellar") && put.contains(r#""preset":"shelly_3em""#), "{put}");
    server.asked();
    press(&mut harness, "Remove roof");
    assert_eq!(server.asked()[0], "DELETE foreign-meters/roof");
}

/// The demo page exists only in the demo.
#[test]
fn a_real_building_has_no_demo_page() {
    let mut snapshot = fixtures::snapshot();
    snapshot.demo = false;
    let harness = small(&live(snapshot), Language::English);
    assert!(harness.query_by_role_and_label(Role::Tab, "Demo").is_none());
}

/// A lost connection is said, and the last values stay.
#[test]
fn a_lost_connection_is_said_and_values_stay() {
    let server = live(fixtures::snapshot());
    let mut harness = small(&server, Language::English);
    server.drop_live();
    harness.run();
    assert!(says(&harness, "Connection lost. The last values are shown in grey while the console tries again."));
    assert_eq!(harness.get_by_role_and_label(Role::Status, "In use now").value().as_deref(), Some("28.7 kW"));
    server.push(fixtures::snapshot());
    harness.run();
    assert!(!says(&harness, "Connection lost. The last values are shown in grey while the console tries again."));
}

/// A session that ended elsewhere leads back to signing in, with nothing of the building left on screen.
#[test]
fn an_ended_session_leads_back_to_signing_in() {
    let server = live(fixtures::snapshot());
    let mut harness = small(&server, Language::English);
    let problem =
        r#"{"type":"about:blank","title":"No","status":401,"detail":"Sign in first","code":"unauthenticated"}"#;
    server.answer_text("tenants", 401, problem);
    harness.get_by_role_and_label(Role::Tab, "Cards").click();
    harness.run();
    assert!(harness.query_by_role_and_label(Role::PasswordInput, "Password").is_some(), "the password is asked");
    assert!(!says(&harness, "Edifício Alameda") && !server.live_open(), "nothing is left");
}

/// A console that nobody touches and to which nothing arrives draws no frames.
#[test]
fn idle_draws_no_frames() {
    for page in [
        "Overview",
        "Chargers",
        "Cards",
        "Sessions",
        "Tariffs",
        "Statements",
        "Connect",
        "Cloud and copies",
        "Settings",
        "Demo",
    ] {
        let server = live(fixtures::snapshot());
        let mut harness = small(&server, Language::English);
        go(&mut harness, page);
        harness.run_steps(3);
        assert!(!harness.ctx.has_requested_repaint(), "{page} asks for frames without new data");
    }
}

/// Every page can be drawn in both languages and both sizes, with an empty and with a hostile building.
#[test]
fn all_pages_survive_empty_and_hostile_buildings() {
    let pages = [
        [
            "Overview",
            "Chargers",
            "Cards",
            "Sessions",
            "Tariffs",
            "Statements",
            "Connect",
            "Cloud and copies",
            "Settings",
        ],
        [
            "Visão geral",
            "Carregadores",
            "Cartões",
            "Sessões",
            "Tarifários",
            "Extratos",
            "Ligar",
            "Nuvem e cópias",
            "Definições",
        ],
    ];
    for (language, names) in [Language::English, Language::Portuguese].into_iter().zip(pages) {
        for size in [[1280.0, 720.0], [1920.0, 1080.0]] {
            for snapshot in [fixtures::empty_snapshot(), fixtures::hostile_snapshot()] {
                let mut harness = open(&live(snapshot), language, size);
                for name in names {
                    go(&mut harness, name);
                    let wide = harness.get_by_role_and_label(Role::Tab, name).rect();
                    assert!(wide.right() < 240.0, "{name}: the navigation keeps its width");
                }
            }
        }
    }
}

/// A new building says what to do first.
#[test]
fn empty_pages_say_what_to_do() {
    let server = live(fixtures::empty_snapshot());
    let mut harness = small(&server, Language::English);
    go(&mut harness, "Chargers");
    assert!(says(&harness, "No chargers yet"));
    assert!(says(&harness, "ws://192.168.1.20:8887/ocpp/"), "the address to type is shown");
}

/// The wiring diagram says the live current against the limit of every circuit and phase, and the chargers below it.
#[test]
fn wiring_diagram_says_current_against_limit() {
    let server = live(fixtures::snapshot());
    for (language, page, load) in [
        (Language::English, "Circuits", "Piso -2 L2: 17.2 of 16 A"),
        (Language::Portuguese, "Circuitos", "Piso -2 L2: 17,2 de 16 A"),
    ] {
        let mut harness = open(&server, language, [1280.0, 1000.0]);
        server.push(fixtures::snapshot());
        go(&mut harness, page);
        assert!(says(&harness, load), "{language:?}");
        assert!(says(&harness, "Lugar 1 · Ana"), "its chargers");
    }
}

/// The editor adds, renames and rates a circuit, moves a charger there, and sends all of it at once; a mistake is named
/// and nothing is sent; discarding brings the building back.
#[test]
fn circuits_are_edited_as_a_whole() {
    let server = live(fixtures::snapshot());
    let mut harness = open(&server, Language::English, [1920.0, 1400.0]);
    go(&mut harness, "Circuits");
    harness.get_by_role_and_label(Role::RadioButton, "Circuits: Edit").click();
    harness.run();
    harness.get_by_role_and_label(Role::TreeItem, "Garagem").click();
    harness.run();
    press(&mut harness, "Add a circuit below Garagem");
    write(&mut harness, Role::TextInput, "Name", " west");
    write(&mut harness, Role::TextInput, "Cable limit (A)", "none");
    server.asked();
    press(&mut harness, "Save drawing");
    assert!(says(&harness, "Cable limit (A) must be a number from 1 to 6300"), "the mistake is named");
    assert!(server.asked().is_empty(), "nothing was sent");
    press(&mut harness, "Discard changes");
    assert!(says(&harness, "As the building is"));
    harness.get_by_role_and_label(Role::TreeItem, "Garagem").click();
    harness.run();
    press(&mut harness, "Add a circuit below Garagem");
    press(&mut harness, "Save drawing");
    let asked = server.asked();
    let sent = asked.first().expect("something was sent");
    assert!(sent.starts_with("PUT circuits {"), "{sent}");
    assert!(sent.contains(r#""id":"circuit-1","name":"New circuit","parent":"garage""#), "{sent}");
    assert!(sent.contains(r#""device":{"kind":"breaker","curve":"C","rated_a":50.0}"#), "{sent}");
}

/// Who cannot charge while the computer is off is named, with the circuit that has no room.
#[test]
fn the_fallback_check_names_who_cannot_charge() {
    let server = live(fixtures::snapshot());
    let mut harness = small(&server, Language::English);
    go(&mut harness, "Circuits");
    harness.get_by_role_and_label(Role::RadioButton, "Circuits: While this computer is off").click();
    harness.run();
    let words = "Garage CP-03 cannot charge while this computer is off: its 6 A do not fit at Piso -2";
    assert!(says(&harness, words));
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

/// Contract periods, sharing and off-peak times are part of the settings; a wrong time is named.
#[test]
fn rules_are_checked_and_sent() {
    let server = live(fixtures::snapshot());
    let mut harness = open(&server, Language::English, [1920.0, 2000.0]);
    go(&mut harness, "Settings");
    write(&mut harness, Role::TextInput, "from Off-peak 1", "9");
    server.asked();
    press(&mut harness, "Save rules");
    assert!(says(&harness, "22:009 is no time of day; write it as 07:30"));
    assert!(server.asked().is_empty(), "nothing was sent");
    press(&mut harness, "Remove Off-peak 1");
    press(&mut harness, "Save rules");
    let asked = server.asked();
    let sent = asked.first().expect("something was sent");
    assert!(sent.contains(r#""off_peak":[]"#) && sent.contains(r#""kva":34.5"#), "{sent}");
    assert!(sent.contains(r#""sharing":"by_departure""#), "{sent}");
}

//! The first screens, the graph, the demo panel, and what every page does with empty and hostile buildings.

use crate::hand::{go, live, open, press, says, small, write};
use api::Language;
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use ui::fixtures::{self, Server};

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
    let sent = concat!(
        r#"POST setup {"name":"Alameda","contracted_kva":41.4,"phases":3,"#,
        r#""password":"segredo-longo","language":"pt"}"#
    );
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

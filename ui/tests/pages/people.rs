//! Cards, tenants and sessions.

use crate::hand::{drop_file, go, live, press, says, small, write};
use api::{EnrolmentState, Language};
use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use ui::fixtures;

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
    let state = fixtures::enrolment(118);
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
    let state = fixtures::enrolment(90);
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

/// Any measured quantities are chosen together, each gets a graph of its own in its own unit, and the file behind all of
/// them is one link; the week's busiest day reads as a sentence in Portuguese.
#[test]
fn measured_quantities_are_chosen_and_plotted() {
    let server = live(fixtures::snapshot());
    let series = ["charger/CP-01/1/power_w", "charger/CP-01/1/voltage_l1_mv", "charger/CP-01/1/soc_percent"];
    let names: Vec<String> = series.iter().map(|name| (*name).to_owned()).collect();
    server.answer("readings/series", &names);
    let now = fixtures::snapshot().at_ms;
    let columns = |names: &[String], values: &[i64]| api::ReadingColumns {
        series: names.to_vec(),
        at_ms: (0..3).map(|minute| now - 600_000 + minute * 60_000).collect(),
        values: values.iter().map(|value| vec![Some(*value), Some(*value), Some(value + 1)]).collect(),
    };
    server.answer("readings", &columns(&names[..1], &[7_400]));
    let row = api::UsageRow {
        id: String::new(),
        name: String::new(),
        bucket: "2026-11-18".to_owned(),
        energy_wh: 9_000,
        sessions: 1,
        connected_s: 3_600,
    };
    let usage = api::Usage {
        rows: vec![row],
        energy_wh: 9_000,
        sessions: 1,
        weekdays_wh: vec![0, 0, 9_000, 0, 0, 0, 0],
        ..api::Usage::default()
    };
    server.answer("usage", &usage);
    let mut harness = small(&server, Language::Portuguese);
    go(&mut harness, "Análise");
    assert!(says(&harness, "O dia da semana com mais energia é a quarta-feira"));
    harness.get_by_role_and_label(Role::RadioButton, "Análise: Valores medidos").click();
    harness.run();
    harness.get_by_role_and_label(Role::CheckBox, "Tensão L1").click();
    harness.get_by_role_and_label(Role::CheckBox, "Carga da bateria do carro").click();
    server.asked();
    server.answer("readings", &columns(&names, &[7_400, 231_000, 64]));
    harness.run();
    let asked = server.asked();
    let wanted = "power_w,charger/CP-01/1/voltage_l1_mv,charger/CP-01/1/soc_percent";
    assert!(asked.iter().any(|line| line.replace("%2F", "/").contains(wanted)), "{asked:?}");
    for title in ["Potência", "Tensão L1", "Carga da bateria do carro"] {
        let graphs = harness
            .query_all_by_role(Role::Image)
            .filter(|node| node.accesskit_node().label().is_some_and(|label| label.starts_with(title)));
        assert_eq!(graphs.count(), 1, "{title}");
    }
}

//! Tariffs and statements as a manager uses them: what the pages say, in both languages, and what they send.

use crate::hand::{go, live, press, says, small};
use api::{JobState, Language, MonthState};
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use ui::fixtures::{self, Server, books};

fn on(server: &Server, language: Language, page: &str) -> Harness<'static> {
    let mut harness = small(server, language);
    go(&mut harness, page);
    harness
}

fn server() -> Server {
    live(fixtures::snapshot())
}

/// A month says what is in the way and what to do; an obstacle is accepted with a reason, never without.
#[test]
fn obstacles_are_settled_with_a_reason() {
    let server = server();
    let mut harness = on(&server, Language::English, "Statements");
    assert!(says(&harness, "Nobody pays for session 41 with 3.000 kWh"));
    assert!(says(&harness, "Assign the session, or accept that the building pays"));
    let accept = "Accept session/41/no_tenant";
    assert!(harness.query_by_role_and_label(Role::Button, accept).is_none(), "not without a reason");
    let field = "Reason session/41/no_tenant";
    harness.get_by_role_and_label(Role::TextInput, field).focus();
    harness.run();
    harness.get_by_role_and_label(Role::TextInput, field).type_text("Visitor");
    harness.run();
    server.asked();
    press(&mut harness, accept);
    assert_eq!(
        server.asked(),
        [r#"PUT statements/2026-10/decisions {"key":"session/41/no_tenant","reason":"Visitor"}"#]
    );
    let portuguese = on(&self::server(), Language::Portuguese, "Extratos");
    assert!(says(&portuguese, "Ninguém paga a sessão 41 com 3,000 kWh"));
}

/// A month closes only when nothing is in the way, and only after asking once more.
#[test]
fn closing_asks_once_more() {
    let server = server();
    let mut month = books::month(MonthState::Preview);
    month.obstacles.remove(0);
    server.answer("statements/2026-10", &month);
    server.answer("statements/2026-10/close", &books::month(MonthState::Closed));
    let mut harness = on(&server, Language::English, "Statements");
    server.asked();
    press(&mut harness, "Close the month…");
    assert!(server.asked().is_empty(), "nothing is sent by the first press");
    assert!(says(&harness, "A closed month never changes again"));
    press(&mut harness, "Close for ever 2026-10");
    assert_eq!(server.asked()[0], "POST statements/2026-10/close {}");
    assert!(says(&harness, "closed"));
}

/// Files for all tenants are made with progress, can be stopped, and are fetched when they are done.
#[test]
fn files_for_all_show_progress() {
    let server = server();
    server.answer("statements/2026-10/export", &books::job(JobState::Running, 1));
    server.answer("statement-jobs/7", &books::job(JobState::Done, 4));
    let mut harness = on(&server, Language::English, "Statements");
    harness.get_by_role_and_label(Role::RadioButton, "Statements: Hand out").click();
    harness.run();
    server.asked();
    press(&mut harness, "All PDF");
    assert_eq!(server.asked()[0], r#"POST statements/2026-10/export {"format":"pdf","dialect":null}"#);
    assert!(says(&harness, "1 of 4"));
    server.push(fixtures::snapshot());
    harness.run();
    harness.run();
    assert!(says(&harness, "4 of 4"));
    assert!(harness.query_by_role_and_label(Role::Button, "Download").is_some());
}

/// A change of the tariff is checked while it is typed and kept only when saved.
#[test]
fn a_tariff_is_checked_while_typed() {
    let server = server();
    let mut harness = on(&server, Language::English, "Tariffs");
    server.asked();
    harness.get_by_role_and_label(Role::TextInput, "Price per kWh 1").focus();
    harness.run();
    harness.get_by_role_and_label(Role::TextInput, "Price per kWh 1").type_text("9");
    harness.run();
    let asked = server.asked();
    assert!(asked.iter().any(|one| one.starts_with("POST tariffs/check") && one.contains("9")), "{asked:?}");
    press(&mut harness, "Save");
    let asked = server.asked();
    assert!(asked.iter().any(|one| one.starts_with("PUT tariffs ")), "{asked:?}");
}

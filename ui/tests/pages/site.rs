//! The building: settings, rules, circuits, meters and the safety of its fallbacks.

use crate::hand::{drop_file, go, live, open, press, says, small, write};
use api::Language;
use egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;
use ui::fixtures;

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

/// Firmware is brought by dropping it or choosing it, and picked by its name when a charger is told to fetch it.
#[test]
fn firmware_is_brought_and_picked() {
    let server = live(fixtures::snapshot());
    let mut files = serde_json::from_str::<serde_json::Value>(&server.answers()["files"].1).unwrap();
    let mut firmware = files["items"][0].clone();
    for (field, value) in [("id", "f9"), ("kind", "firmware"), ("name", "terra-1.8.32.bin")] {
        firmware[field] = value.into();
    }
    files["items"].as_array_mut().unwrap().push(firmware);
    server.answer("files", &files);
    let mut harness = open(&server, Language::English, [1920.0, 3400.0]);
    go(&mut harness, "Connect");
    server.asked();
    drop_file(&mut harness, b"firmware");
    let asked = server.asked();
    assert!(asked.iter().any(|line| line == "POST files?name=list.csv 8 bytes"), "{asked:?}");
    assert!(asked.iter().any(|line| line.starts_with("GET files")), "the list is asked for again: {asked:?}");
    assert!(says(&harness, "terra-1.8.32.bin"), "what is kept is listed");
}

/// Listeners with TLS and the file server are switched on in the console, which says that they count from the next start.
#[test]
fn listeners_are_switched_on() {
    let server = live(fixtures::snapshot());
    let mut harness = open(&server, Language::English, [1920.0, 3400.0]);
    go(&mut harness, "Connect");
    server.asked();
    let switches = api::ListenerSwitches { files: true, ..api::ListenerSwitches::default() };
    server.answer("listeners", &api::ListenerItem { switches, restart: true, ..api::ListenerItem::default() });
    let name = "Firmware for chargers, and diagnostics and logs from them (port 8889)";
    harness.get_by_role_and_label(Role::CheckBox, name).click();
    harness.run();
    let asked = server.asked();
    let put = r#"PUT listeners {"https":false,"ocpps":false,"mqtts":false,"files":true}"#;
    assert!(asked.iter().any(|line| line == put), "{asked:?}");
    assert!(says(&harness, "Quit the program and start it again; chargers go on at their fallback meanwhile"));
}

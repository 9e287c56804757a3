//! Cloud and copies as a manager uses them: what the page says, in both languages, and what it sends.

use crate::hand::{go, live, open, press, says};
use api::{ConnectionTest, Language};
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use ui::fixtures::{self, Server, keeping};

fn on_page(server: &Server, language: Language, size: [f32; 2]) -> Harness<'static> {
    let mut harness = open(server, language, size);
    let page = match language {
        Language::English => "Cloud and copies",
        Language::Portuguese => "Nuvem e cópias",
    };
    go(&mut harness, page);
    harness
}

fn server() -> Server {
    live(fixtures::snapshot())
}

/// The page says how far sending has come and what stands in the way, in the language of the console, and sends what is
/// typed: a test changes nothing, a box is only ticked by the manager, the password goes once.
#[test]
fn the_cloud_says_what_is_wrong_and_what_leaves() {
    let server = server();
    let mut harness = on_page(&server, Language::English, [1280.0, 1000.0]);
    assert!(says(&harness, "Something stands in the way") && says(&harness, "48120"));
    assert!(says(&harness, "Nothing personal leaves unless you tick it"));
    harness.get_by_role_and_label(Role::PasswordInput, "Password").focus();
    harness.run();
    harness.get_by_role_and_label(Role::PasswordInput, "Password").type_text("secret");
    harness.run();
    server.asked();
    let tested = ConnectionTest { server: "15.14".to_owned(), encrypted: true, ..ConnectionTest::default() };
    server.answer("sync/cloud/test", &tested);
    press(&mut harness, "Test connection");
    let asked = server.asked().join("\n");
    assert!(asked.contains("POST sync/cloud/test") && asked.contains(r#""names":false"#), "{asked}");
    harness.run();
    assert!(says(&harness, "The connection works and is encrypted: PostgreSQL 15.14"));
    let names = "Names, flats, e-mail addresses and telephone numbers";
    harness.get_by_role_and_label(Role::CheckBox, names).click();
    harness.run();
    server.answer("sync/cloud", &keeping::cloud());
    server.asked();
    press(&mut harness, "Start");
    let asked = server.asked().join("\n");
    assert!(asked.contains("PUT sync/cloud") && asked.contains(r#""names":true,"cards":false"#), "{asked}");
    assert!(asked.contains(r#""password":"secret""#), "{asked}");
    let portuguese = on_page(&self::server(), Language::Portuguese, [1920.0, 1080.0]);
    assert!(says(&portuguese, "O servidor existe, mas não responde nessa porta; verifique a porta e a firewall"));
}

/// A copy is looked into before it is brought back, and brought back only after the manager said so.
#[test]
fn a_copy_is_looked_into_first() {
    let server = server();
    let mut harness = on_page(&server, Language::English, [1280.0, 1000.0]);
    harness.get_by_role_and_label(Role::RadioButton, "Cloud and copies: Copies").click();
    harness.run();
    press(&mut harness, "What is in it meshwatt-20261120T030000Z.db");
    harness.run();
    assert!(says(&harness, "12 chargers, 34 tenants, 2210 sessions, 9 closed months"));
    assert!(says(&harness, "3 files of chargers come back with it"));
    let again = "Not in it; on another computer, give again: password of the cloud, password of the mail server";
    assert!(says(&harness, again));
    harness.get_by_role_and_label(Role::CheckBox, "I want to go back to this copy").click();
    harness.run();
    server.answer("backups/meshwatt-20261120T030000Z.db/restore", &keeping::backups());
    server.asked();
    press(&mut harness, "Restore at the next start");
    assert_eq!(server.asked()[0], "POST backups/meshwatt-20261120T030000Z.db/restore {}");
}

/// How long records are kept says what is usual, and choosing a shorter time warns before it is saved.
#[test]
fn retention_is_chosen_with_care() {
    let server = server();
    let mut harness = on_page(&server, Language::English, [1280.0, 1400.0]);
    harness.get_by_role_and_label(Role::RadioButton, "Cloud and copies: Copies").click();
    harness.run();
    assert!(says(&harness, "The records take 812.4 MB on the disk") && says(&harness, "usually 40"));
    let raw = || Role::SpinButton;
    harness.get_by_role_and_label(raw(), "Readings as measured").focus();
    harness.run();
    harness.input_mut().events.push(egui::Event::Text("59".to_owned()));
    harness.run();
    let warned = "What is older than that is removed within minutes and does not come back";
    assert!(says(&harness, warned), "a shorter time warns");
    server.answer("retention", &keeping::retention());
    server.asked();
    press(&mut harness, "Save How long records are kept");
    let asked = server.asked().join("\n");
    assert!(asked.contains(r#"PUT retention {"raw_days":59,"minute_days":761,"#), "{asked}");
}

/// The line to the MQTT broker can be encrypted; the usual port follows the box.
#[test]
fn the_line_to_the_broker_can_be_encrypted() {
    let server = server();
    let mqtt = api::MqttForm { host: "broker.example.pt".to_owned(), port: 1883, ..api::MqttForm::default() };
    server.answer("sync/mqtt", &api::MqttItem { form: mqtt, ..api::MqttItem::default() });
    let mut harness = on_page(&server, Language::English, [1280.0, 1400.0]);
    harness.get_by_role_and_label(Role::RadioButton, "Cloud and copies: Other systems").click();
    harness.run();
    harness.get_by_role_and_label(Role::CheckBox, "Encrypt the connection and check the broker's certificate").click();
    harness.run();
    assert!(says(&harness, "Certificate of the broker's authority"));
    server.answer("sync/mqtt/test", &ConnectionTest::default());
    server.asked();
    press(&mut harness, "Test connection MQTT broker");
    let asked = server.asked().join("\n");
    assert!(asked.contains(r#""port":8883"#) && asked.contains(r#""tls":true"#), "{asked}");
}

/// What the key of a record for Kafka is can be chosen.
#[test]
fn the_key_of_records_is_chosen() {
    let server = server();
    let kafka = api::KafkaForm {
        brokers: "kafka.example.pt:9092".to_owned(),
        keys: "record".to_owned(),
        ..api::KafkaForm::default()
    };
    server.answer("sync/kafka", &api::KafkaItem { form: kafka, ..api::KafkaItem::default() });
    let mut harness = on_page(&server, Language::English, [1280.0, 1400.0]);
    harness.get_by_role_and_label(Role::RadioButton, "Cloud and copies: Other systems").click();
    harness.run();
    harness.get_by_role_and_label(Role::ComboBox, "Key of a record").click();
    harness.run();
    press(&mut harness, "Its charger");
    server.answer("sync/kafka/test", &ConnectionTest::default());
    server.asked();
    press(&mut harness, "Test connection Kafka");
    let asked = server.asked().join("\n");
    assert!(asked.contains(r#""keys":"charger""#), "{asked}");
}

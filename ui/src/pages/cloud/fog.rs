//! What leaves for other systems: a broker further up, and Kafka.

use super::CloudState;
use super::database::{progress_of, trouble_notice};
use crate::command::{Command, Resource};
use crate::icons::Icon;
use crate::keeping::{KeepingCommand, KeepingResource};
use crate::pages::{Cx, not_yet};
use crate::text::Text;
use crate::tokens;
use crate::widgets::{self, Field, Loudness, Mood};
use api::{KafkaForm, KafkaItem, MqttForm, MqttItem};
use egui::Ui;

pub(super) fn show(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut CloudState) {
    let values = &cx.model.values.keeping;
    let Some(mqtt) = values.mqtt.value().cloned() else {
        return not_yet(cx, ui, &values.mqtt, Resource::Keeping(KeepingResource::Mqtt));
    };
    let Some(kafka) = values.kafka.value().cloned() else {
        return not_yet(cx, ui, &values.kafka, Resource::Keeping(KeepingResource::Kafka));
    };
    let mut mqtt_form = state.mqtt.clone().unwrap_or_else(|| mqtt.form.clone());
    let mut kafka_form = state.kafka.clone().unwrap_or_else(|| kafka.form.clone());
    let shared = std::cell::RefCell::new((cx, &mut *state));
    super::columns(
        ui,
        |ui| {
            let (cx, state) = &mut *shared.borrow_mut();
            northbound(cx, ui, &mut mqtt_form, &mut state.mqtt_password, &mqtt);
        },
        |ui| {
            let (cx, state) = &mut *shared.borrow_mut();
            stream(cx, ui, &mut kafka_form, &mut state.kafka_password, &kafka);
        },
    );
    (state.mqtt, state.kafka) = (Some(mqtt_form), Some(kafka_form));
}

fn northbound(cx: &mut Cx<'_>, ui: &mut Ui, form: &mut MqttForm, password: &mut String, item: &MqttItem) {
    widgets::card_title(ui, cx.text(Text::FogMqtt), cx.text(Text::FogMqttSub));
    widgets::form_field(ui, cx.text(Text::FogBroker), "", &mut form.host, Field::Text);
    ui.horizontal(|ui| {
        let label = widgets::weak(ui, cx.text(Text::FogBrokerPort));
        ui.add(egui::DragValue::new(&mut form.port).range(1..=65_535)).labelled_by(label.id);
    });
    widgets::form_field(ui, cx.text(Text::FogBrokerUser), "", &mut form.user, Field::Text);
    widgets::form_field(ui, cx.text(Text::FogBrokerPassword), "", password, Field::Password);
    if ui.checkbox(&mut form.tls, cx.text(Text::FogMqttTls)).changed() {
        // The usual port of each, unless somebody chose another.
        match (form.tls, form.port) {
            (true, 1883) => form.port = 8883,
            (false, 8883) => form.port = 1883,
            (true | false, _) => {}
        }
    }
    if form.tls {
        widgets::form_field(
            ui,
            cx.text(Text::FogMqttCaFile),
            cx.text(Text::CloudCaFileHint),
            &mut form.ca_file,
            Field::Text,
        );
    }
    widgets::form_field(ui, cx.text(Text::FogName), "", &mut form.name, Field::Text);
    let label = cx.text(Text::FogPreset);
    widgets::field_label(ui, label);
    let presets = [
        ("home_assistant", "Home Assistant"),
        ("emoncms", "emoncms"),
        ("dojot", "Dojot"),
        ("own", cx.text(Text::FogOwn)),
    ]
    .map(|(word, name)| (word.to_owned(), name.to_owned()));
    if let Some(preset) = widgets::select(ui, label, &presets, &form.preset, 240.0) {
        form.preset = preset;
    }
    if form.preset == "own" {
        widgets::form_field(ui, cx.text(Text::FogTopic), cx.text(Text::FogBlanks), &mut form.topic, Field::Text);
        widgets::form_field(ui, cx.text(Text::FogPayload), "", &mut form.payload, Field::Text);
        widgets::tick(ui, &mut form.retain, cx.text(Text::FogRetain));
    }
    widgets::tick(ui, &mut form.consent.raw, cx.text(Text::FogRawMqtt));
    let sent = MqttForm { password: Some(password.clone()).filter(|typed| !typed.is_empty()), ..form.clone() };
    ui.horizontal_wrapped(|ui| {
        let name = cx.text(Text::FogMqtt);
        cx.button(ui, Loudness::Normal, None, name, Command::Keeping(KeepingCommand::TestMqtt(Box::new(sent.clone()))));
        cx.button(ui, Loudness::Primary, None, name, Command::Keeping(KeepingCommand::StartMqtt(Box::new(sent))));
    });
    after(cx, ui, "mqtt", cx.model.values.keeping.mqtt_test.clone(), &item.status);
}

fn stream(cx: &mut Cx<'_>, ui: &mut Ui, form: &mut KafkaForm, password: &mut String, item: &KafkaItem) {
    widgets::card_title(ui, "Kafka", cx.text(Text::FogKafkaSub));
    widgets::form_field(ui, cx.text(Text::FogBrokers), cx.text(Text::FogBrokersHint), &mut form.brokers, Field::Text);
    widgets::form_field(ui, cx.text(Text::FogRows), "", &mut form.topic, Field::Text);
    widgets::form_field(
        ui,
        cx.text(Text::FogReadings),
        cx.text(Text::FogReadingsHint),
        &mut form.readings_topic,
        Field::Text,
    );
    let label = cx.text(Text::FogKeys);
    widgets::field_label(ui, label);
    let keys = [("record", Text::FogKeysRecord), ("charger", Text::FogKeysCharger), ("site", Text::FogKeysSite)]
        .map(|(word, name)| (word.to_owned(), cx.text(name).to_owned()));
    if let Some(chosen) = widgets::select(ui, label, &keys, &form.keys, 240.0) {
        form.keys = chosen;
    }
    widgets::weak(ui, cx.text(Text::FogKeysHint));
    let label = cx.text(Text::FogSasl);
    widgets::field_label(ui, label);
    let ways = [
        ("none", cx.text(Text::FogSaslNone)),
        ("scram256", "SCRAM-SHA-256"),
        ("scram512", "SCRAM-SHA-512"),
        ("plain", "PLAIN"),
    ]
    .map(|(word, name)| (word.to_owned(), name.to_owned()));
    if let Some(way) = widgets::select(ui, label, &ways, &form.sasl, 240.0) {
        form.sasl = way;
    }
    if form.sasl != "none" {
        widgets::form_field(ui, cx.text(Text::FogKafkaUser), "", &mut form.user, Field::Text);
        widgets::form_field(ui, cx.text(Text::FogKafkaPassword), "", password, Field::Password);
    }
    widgets::tick(ui, &mut form.tls, cx.text(Text::FogTls));
    if form.tls {
        widgets::form_field(
            ui,
            cx.text(Text::CloudCaFile),
            cx.text(Text::CloudCaFileHint),
            &mut form.ca_file,
            Field::Text,
        );
    }
    for (ticked, text) in [
        (&mut form.consent.names, Text::FogNames),
        (&mut form.consent.cards, Text::FogCards),
        (&mut form.consent.papers, Text::FogPapers),
        (&mut form.consent.frames, Text::FogFrames),
        (&mut form.consent.raw, Text::FogRaw),
    ] {
        widgets::tick(ui, ticked, cx.text(text));
    }
    let sent = KafkaForm { password: Some(password.clone()).filter(|typed| !typed.is_empty()), ..form.clone() };
    ui.horizontal_wrapped(|ui| {
        cx.button(
            ui,
            Loudness::Normal,
            None,
            "Kafka",
            Command::Keeping(KeepingCommand::TestKafka(Box::new(sent.clone()))),
        );
        cx.button(ui, Loudness::Primary, None, "Kafka", Command::Keeping(KeepingCommand::StartKafka(Box::new(sent))));
    });
    after(cx, ui, "kafka", cx.model.values.keeping.kafka_test.clone(), &item.status);
}

/// What a test found, how far sending has come, and pausing and forgetting.
fn after(cx: &mut Cx<'_>, ui: &mut Ui, sink: &str, test: Option<api::ConnectionTest>, status: &api::SinkStatus) {
    match test {
        Some(api::ConnectionTest { trouble: Some(trouble), .. }) => trouble_notice(cx, ui, &trouble),
        Some(_) => widgets::notice(ui, Icon::Check, cx.text(Text::FogWorks), Mood::Good),
        None => {}
    }
    if status.configured {
        ui.add_space(tokens::GAP_M);
        progress_of(cx, ui, status);
        let is_paused = status.phase == "paused";
        ui.horizontal_wrapped(|ui| {
            let pause = KeepingCommand::PauseSink(sink.to_owned(), !is_paused);
            cx.button(ui, Loudness::Normal, None, sink, Command::Keeping(pause));
            cx.button(ui, Loudness::Quiet, None, sink, Command::Keeping(KeepingCommand::ForgetSink(sink.to_owned())));
        });
    }
}

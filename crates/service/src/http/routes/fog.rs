//! What leaves the building for other systems: an MQTT broker further up, and Kafka.

use super::super::Shared;
use super::super::problem::{Answer, Body, Failure};
use super::sync::{consent_form, consents_of, order, sink_status, states, trouble_item};
use crate::cloud::{KAFKA, MQTT, secret_name};
use api::{ConnectionTest, ConsentForm, KafkaForm, KafkaItem, MqttForm, MqttItem, SinkPause, SinkStatus};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use store::{SinkOrder, SinkSetup};
use sync::kafka::{self, Keys, Sasl};
use sync::mqtt::{self, Preset};

/// The usual port of MQTT without TLS.
const MQTT_PORT: u16 = 1883;

/// And with it.
const MQTT_TLS_PORT: u16 = 8883;

const PRESETS: [(&str, Preset); 4] = [
    ("own", Preset::Own),
    ("dojot", Preset::Dojot),
    ("emoncms", Preset::Emoncms),
    ("home_assistant", Preset::HomeAssistant),
];

const SASLS: [(&str, Sasl); 4] =
    [("none", Sasl::None), ("plain", Sasl::Plain), ("scram256", Sasl::Scram256), ("scram512", Sasl::Scram512)];

const KEYS: [(&str, Keys); 3] = [("record", Keys::Record), ("charger", Keys::Charger), ("site", Keys::Site)];

fn word_of<T: PartialEq + Copy>(words: &[(&'static str, T)], value: T) -> String {
    words.iter().find(|(_, known)| *known == value).map(|(word, _)| (*word).to_owned()).unwrap_or_default()
}

fn value_of<T: Default + Copy>(words: &[(&'static str, T)], word: &str) -> Answer<T> {
    if word.is_empty() {
        return Ok(T::default());
    }
    let all = || words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
    let found = words.iter().find(|(known, _)| *known == word).map(|(_, value)| *value);
    found.ok_or_else(|| Failure::invalid(format!("{word:?} is none of {}", all())))
}

fn mqtt_settings(form: &MqttForm) -> Answer<mqtt::Settings> {
    Ok(mqtt::Settings {
        host: form.host.trim().to_owned(),
        port: match form.port {
            0 if form.tls => MQTT_TLS_PORT,
            0 => MQTT_PORT,
            port => port,
        },
        user: form.user.trim().to_owned(),
        name: form.name.trim().to_owned(),
        preset: value_of(&PRESETS, &form.preset)?,
        topic: form.topic.clone(),
        payload: form.payload.clone(),
        retain: form.retain,
        tls: form.tls,
        ca_file: form.ca_file.trim().to_owned(),
    })
}

fn kafka_settings(form: &KafkaForm) -> Answer<kafka::Settings> {
    Ok(kafka::Settings {
        brokers: form.brokers.split([',', ' ']).filter(|part| !part.is_empty()).map(str::to_owned).collect(),
        topic: form.topic.trim().to_owned(),
        readings_topic: form.readings_topic.trim().to_owned(),
        keys: value_of(&KEYS, &form.keys)?,
        sasl: value_of(&SASLS, &form.sasl)?,
        user: form.user.trim().to_owned(),
        tls: form.tls,
        ca_file: form.ca_file.trim().to_owned(),
    })
}

async fn password(shared: &Shared, sink: &str, typed: Option<&String>) -> Answer<String> {
    if let Some(password) = typed {
        return Ok(password.clone());
    }
    let kept = shared.secrets.get(&secret_name(sink)).await;
    let kept = kept.map_err(|error| Failure::conflict(crate::error::chain(&error)))?;
    Ok(kept.map(|password| password.to_string()).unwrap_or_default())
}

/// Keeps settings and password, and begins.
async fn begin(
    shared: &Shared,
    name: &str,
    settings: &impl serde::Serialize,
    typed: Option<&String>,
    consent: ConsentForm,
) -> Answer<()> {
    if let Some(password) = typed {
        let kept = if password.is_empty() {
            shared.secrets.remove(&secret_name(name)).await
        } else {
            shared.secrets.set(&secret_name(name), password).await
        };
        kept.map_err(|error| Failure::conflict(crate::error::chain(&error)))?;
    }
    let (consents, resolution) = consents_of(consent);
    let settings = serde_json::to_string(settings).map_err(|_unwritable| Failure::internal())?;
    order(shared, SinkOrder::Set(SinkSetup { name: name.to_owned(), settings, consents, resolution, paused: false }))
        .await
}

fn tested<T>(found: Result<T, sync::Trouble>) -> ConnectionTest {
    match found {
        Ok(_open) => ConnectionTest { prepared: true, ..ConnectionTest::default() },
        Err(trouble) => ConnectionTest { trouble: Some(trouble_item(&trouble)), ..ConnectionTest::default() },
    }
}

/// Settings of a sink as they are kept, its boxes, and how it is doing.
async fn kept(shared: &Shared, name: &str) -> Answer<(Option<String>, ConsentForm, SinkStatus)> {
    let states = states(shared).await?;
    let state = states.iter().find(|state| state.sink.setup.name == name);
    let consent = state.map(|state| consent_form(&state.sink.setup)).unwrap_or_default();
    Ok((state.map(|state| state.sink.setup.settings.clone()), consent, sink_status(shared, name, state).await))
}

async fn mqtt_item(shared: &Shared) -> Answer<Json<MqttItem>> {
    let (settings, consent, status) = kept(shared, MQTT).await?;
    let settings: mqtt::Settings =
        settings.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_else(|| mqtt::Settings {
            port: MQTT_PORT,
            preset: Preset::HomeAssistant,
            name: "building".to_owned(),
            topic: "meshwatt/{site}/{source}/{quantity}".to_owned(),
            payload: "{\"value\":{value},\"at\":\"{at}\"}".to_owned(),
            ..mqtt::Settings::default()
        });
    let form = MqttForm {
        host: settings.host,
        port: settings.port,
        user: settings.user,
        name: settings.name,
        preset: word_of(&PRESETS, settings.preset),
        topic: settings.topic,
        payload: settings.payload,
        retain: settings.retain,
        tls: settings.tls,
        ca_file: settings.ca_file,
        password: None,
        consent,
    };
    Ok(Json(MqttItem { form, status }))
}

async fn kafka_item(shared: &Shared) -> Answer<Json<KafkaItem>> {
    let (settings, consent, status) = kept(shared, KAFKA).await?;
    let settings: kafka::Settings =
        settings.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_else(|| kafka::Settings {
            topic: "meshwatt.records".to_owned(),
            readings_topic: "meshwatt.readings".to_owned(),
            ..kafka::Settings::default()
        });
    let form = KafkaForm {
        brokers: settings.brokers.join(", "),
        topic: settings.topic,
        readings_topic: settings.readings_topic,
        keys: word_of(&KEYS, settings.keys),
        sasl: word_of(&SASLS, settings.sasl),
        user: settings.user,
        tls: settings.tls,
        ca_file: settings.ca_file,
        password: None,
        consent,
    };
    Ok(Json(KafkaItem { form, status }))
}

/// The broker further up and how far sending has come
#[utoipa::path(get, path = "/sync/mqtt", tag = "sync", responses((status = 200, body = MqttItem)))]
pub(crate) async fn mqtt_get(State(shared): State<Shared>) -> Answer<Json<MqttItem>> {
    mqtt_item(&shared).await
}

/// Publish readings on a broker further up, or change what is published
#[utoipa::path(put, path = "/sync/mqtt", tag = "sync", request_body = MqttForm,
    responses((status = 200, body = MqttItem), (status = 409, body = api::Problem), (status = 422, body = api::Problem)))]
pub(crate) async fn mqtt_put(State(shared): State<Shared>, Body(form): Body<MqttForm>) -> Answer<Json<MqttItem>> {
    let settings = mqtt_settings(&form)?;
    mqtt::Templates::new(&settings).map_err(|error| Failure::invalid(error.to_string()))?;
    begin(&shared, MQTT, &settings, form.password.as_ref(), form.consent).await?;
    mqtt_item(&shared).await
}

/// Try the broker: says precisely what is wrong, and changes nothing
#[utoipa::path(post, path = "/sync/mqtt/test", tag = "sync", request_body = MqttForm,
    responses((status = 200, body = ConnectionTest)))]
pub(crate) async fn mqtt_test(
    State(shared): State<Shared>,
    Body(form): Body<MqttForm>,
) -> Answer<Json<ConnectionTest>> {
    let password = password(&shared, MQTT, form.password.as_ref()).await?;
    let mut settings = mqtt_settings(&form)?;
    // Its own identity: the broker would throw out the connection that sends.
    settings.name.push_str("-test");
    Ok(Json(tested(mqtt::Northbound::connect(&settings, &password).await)))
}

/// Kafka and how far sending has come
#[utoipa::path(get, path = "/sync/kafka", tag = "sync", responses((status = 200, body = KafkaItem)))]
pub(crate) async fn kafka_get(State(shared): State<Shared>) -> Answer<Json<KafkaItem>> {
    kafka_item(&shared).await
}

/// Send records to Kafka, or change what is sent
#[utoipa::path(put, path = "/sync/kafka", tag = "sync", request_body = KafkaForm,
    responses((status = 200, body = KafkaItem), (status = 409, body = api::Problem), (status = 422, body = api::Problem)))]
pub(crate) async fn kafka_put(State(shared): State<Shared>, Body(form): Body<KafkaForm>) -> Answer<Json<KafkaItem>> {
    let settings = kafka_settings(&form)?;
    begin(&shared, KAFKA, &settings, form.password.as_ref(), form.consent).await?;
    kafka_item(&shared).await
}

/// Try the brokers: says precisely what is wrong, and changes nothing
#[utoipa::path(post, path = "/sync/kafka/test", tag = "sync", request_body = KafkaForm,
    responses((status = 200, body = ConnectionTest)))]
pub(crate) async fn kafka_test(
    State(shared): State<Shared>,
    Body(form): Body<KafkaForm>,
) -> Answer<Json<ConnectionTest>> {
    let password = password(&shared, KAFKA, form.password.as_ref()).await?;
    Ok(Json(tested(kafka::Stream::connect(&kafka_settings(&form)?, &password, "test").await)))
}

fn known(sink: &str) -> Answer<String> {
    if [MQTT, KAFKA].contains(&sink) { Ok(sink.to_owned()) } else { Err(Failure::not_found("such sink")) }
}

/// Stop sending and forget where to
#[utoipa::path(delete, path = "/sync/{sink}", tag = "sync", params(("sink" = String, Path, description = "mqtt or kafka")),
    responses((status = 204), (status = 404, body = api::Problem)))]
pub(crate) async fn sink_remove(State(shared): State<Shared>, Path(sink): Path<String>) -> Answer<StatusCode> {
    order(&shared, SinkOrder::Remove(known(&sink)?)).await?;
    let forgotten = shared.secrets.remove(&secret_name(&sink)).await;
    forgotten.map_err(|error| Failure::conflict(crate::error::chain(&error)))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Send nothing for now, or go on; nothing is lost meanwhile
#[utoipa::path(post, path = "/sync/{sink}/pause", tag = "sync", request_body = SinkPause,
    params(("sink" = String, Path, description = "mqtt or kafka")),
    responses((status = 204), (status = 404, body = api::Problem)))]
pub(crate) async fn sink_pause(
    State(shared): State<Shared>,
    Path(sink): Path<String>,
    Body(body): Body<SinkPause>,
) -> Answer<StatusCode> {
    order(&shared, SinkOrder::Pause(known(&sink)?, body.paused)).await?;
    Ok(StatusCode::NO_CONTENT)
}

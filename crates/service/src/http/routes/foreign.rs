//! Meters of other makers.

use super::super::Shared;
use super::super::problem::{Answer, Body, Failure, Path};
use super::meters::reconnect;
use crate::convert;
use crate::engine::{Foreign, Happened};
use crate::foreign::{Known, Source, Transport, check, fetch, read, read_rules, wire_rules};
use crate::time_text;
use api::{
    ForeignMessage, ForeignMeterItem, ForeignMeterPut, ForeignPreset, ForeignPreview, ForeignReading, ForeignStands,
    ForeignTransport, ForeignValue,
};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use control::Order;
use domain::{
    Charger, ChargerId, CircuitId, Flow, Meter, MeterId, MeterRole, MilliAmps, Now, Phase, Protocol, Timestamp, Wiring,
};
use foreign::Preset;
use tokio::sync::oneshot;

/// Rhythm of questions over HTTP when none is given.
const EVERY_S: u32 = 2;
/// More meters than any building has.
const SOURCES_MAX: usize = 64;
/// Most a charger without orders is counted with until somebody sets it.
const CHARGER_MAX: MilliAmps = MilliAmps::from_amps(32);
/// Longest address.
const URL_CHARS_MAX: usize = 500;

/// Meters of other makers with what is understood of them
#[utoipa::path(get, path = "/foreign-meters", tag = "meters", responses((status = 200, body = Vec<ForeignMeterItem>)))]
pub(crate) async fn foreign_list(State(shared): State<Shared>) -> Answer<Json<Vec<ForeignMeterItem>>> {
    let now = shared.clock.now();
    let nominal = shared.live().state.site.nominal_voltage;
    let all = known(&shared).await?;
    Ok(Json(all.iter().map(|known| item(known, now, nominal)).collect()))
}

/// The meters whose messages are known
#[utoipa::path(get, path = "/foreign-meters/presets", tag = "meters",
    responses((status = 200, body = Vec<ForeignPreset>)))]
pub(crate) async fn foreign_presets() -> Json<Vec<ForeignPreset>> {
    let preset = |preset: Preset| ForeignPreset {
        key: preset.word().to_owned(),
        title: preset.title().to_owned(),
        phases: preset.phases(),
        http_path: preset.http_path().to_owned(),
        rules: wire_rules(&preset.rules()),
    };
    Json(Preset::ALL.into_iter().map(preset).collect())
}

/// Add a meter of another maker, or change how it is read
#[utoipa::path(put, path = "/foreign-meters/{id}", tag = "meters", params(("id" = String, Path)),
    request_body = ForeignMeterPut,
    responses((status = 200, body = ForeignMeterItem), (status = 422, body = api::Problem)))]
pub(crate) async fn foreign_put(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    Body(put): Body<ForeignMeterPut>,
) -> Answer<Json<ForeignMeterItem>> {
    let source = source(&id, &put)?;
    let all = known(&shared).await?;
    let is_new = !all.iter().any(|known| known.source.id == source.id);
    if is_new && all.len() >= SOURCES_MAX {
        return Err(Failure::conflict(format!("at most {SOURCES_MAX} such meters can be added; remove some")));
    }
    if let Some(before) = all.iter().find(|known| known.source.id == source.id)
        && before.source.is_charger != source.is_charger
    {
        return Err(Failure::conflict("a meter cannot become a charger; remove it and add it anew"));
    }
    // Wrong ones are refused before anything is made for them.
    let nominal = shared.live().state.site.nominal_voltage;
    check(&source, nominal).map_err(|error| Failure::invalid(error.to_string()))?;
    let order = if source.is_charger {
        charger_order(&shared, &source, &put, is_new)?
    } else {
        meter_order(&shared, &source, &put, is_new)?
    };
    shared.order_kept(order).await?;
    let (reply, answer) = oneshot::channel();
    ask(&shared, Foreign::Put { source: Box::new(source.clone()), reply }).await?;
    answer.await.map_err(|_ended| Failure::draining())?.map_err(Failure::invalid)?;
    if is_new {
        // It comes back with the rights it has now.
        reconnect(&shared, &source.id).await;
    }
    let all = known(&shared).await?;
    let made = all.iter().find(|known| known.source.id == source.id).ok_or_else(Failure::draining)?;
    Ok(Json(item(made, shared.clock.now(), nominal)))
}

/// Forget a meter of another maker with what it stands for; its readings and sessions stay
#[utoipa::path(delete, path = "/foreign-meters/{id}", tag = "meters", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = api::Problem)))]
pub(crate) async fn foreign_delete(State(shared): State<Shared>, Path(id): Path<String>) -> Answer<StatusCode> {
    let all = known(&shared).await?;
    let found = all.iter().find(|known| known.source.id == id).ok_or_else(|| Failure::not_found("such meter"))?;
    shared.credentials.forget(&id).await.map_err(|error| shared.store_failure(&error))?;
    let order = if found.source.is_charger {
        Order::RemoveCharger(ChargerId::new(&id)?)
    } else {
        Order::RemoveMeter(MeterId::new(&id)?)
    };
    let removed = shared.order_kept(order).await;
    let (reply, answer) = oneshot::channel();
    ask(&shared, Foreign::Remove { id, reply }).await?;
    drop(answer.await);
    removed.map(|_made| StatusCode::NO_CONTENT)
}

/// What a mapping makes of a meter's messages, of an address asked now, or of a text
#[utoipa::path(post, path = "/foreign-meters/preview", tag = "meters", request_body = ForeignPreview,
    responses((status = 200, body = ForeignReading), (status = 422, body = api::Problem)))]
pub(crate) async fn foreign_preview(
    State(shared): State<Shared>,
    Body(preview): Body<ForeignPreview>,
) -> Answer<Json<ForeignReading>> {
    let put = ForeignMeterPut {
        stands: preview.stands,
        transport: if preview.url.is_some() { ForeignTransport::Http } else { ForeignTransport::Mqtt },
        url: preview.url.clone().unwrap_or_default(),
        phases: preview.phases,
        preset: preview.preset.clone(),
        rules: preview.rules.clone(),
        ..ForeignMeterPut::default()
    };
    let source = source("preview", &put)?;
    let now = shared.clock.now();
    let nominal = shared.live().state.site.nominal_voltage;
    let messages: Vec<(String, Timestamp, String)> = match (&preview.id, &source.transport, preview.text) {
        (_, _, Some(text)) => vec![(preview.topic, now.wall, text)],
        (Some(id), _, None) => {
            let all = known(&shared).await?;
            let found =
                all.into_iter().find(|known| known.source.id == *id).ok_or_else(|| Failure::not_found("such meter"))?;
            found.messages.into_iter().map(|(topic, (at, text))| (topic, at, text)).collect()
        }
        (None, Transport::Http { url, .. }, None) => match fetch(url.clone()).await {
            Ok(text) => vec![(String::new(), now.wall, text)],
            Err(problem) => return Ok(Json(ForeignReading { problem, ..ForeignReading::default() })),
        },
        (None, Transport::Mqtt, None) => {
            return Err(Failure::invalid("give id, url or text: something to read"));
        }
    };
    Ok(Json(reading(&source, now, nominal, &messages)))
}

async fn ask(shared: &Shared, wish: Foreign) -> Answer<()> {
    shared.engine.send(Happened::Foreign(wish)).await.map_err(|_ended| Failure::draining())
}

async fn known(shared: &Shared) -> Answer<Vec<Known>> {
    let (reply, answer) = oneshot::channel();
    ask(shared, Foreign::List { reply }).await?;
    answer.await.map_err(|_ended| Failure::draining())
}

fn source(id: &str, put: &ForeignMeterPut) -> Answer<Source> {
    let id = MeterId::new(id)?;
    if id.as_str() == crate::mqtt::RESERVED {
        return Err(Failure::invalid("this name is our own; give the meter a name of its own"));
    }
    let preset = match &put.preset {
        Some(word) => Some(Preset::of_word(word).ok_or_else(|| {
            let known: Vec<&str> = Preset::ALL.into_iter().map(Preset::word).collect();
            Failure::invalid(format!("preset must be one of {}", known.join(", ")))
        })?),
        None => None,
    };
    let own = read_rules(&put.rules).map_err(Failure::invalid)?;
    let rules = if own.is_empty() { preset.map(Preset::rules).unwrap_or_default() } else { own };
    let three = match put.phases.or(preset.map(Preset::phases)) {
        Some(1) => false,
        Some(3) | None => true,
        Some(_) => return Err(Failure::invalid("phases must be 1 or 3")),
    };
    let transport = match put.transport {
        ForeignTransport::Mqtt => Transport::Mqtt,
        ForeignTransport::Http => {
            let every_s = put.every_s.unwrap_or(EVERY_S);
            if !(1..=60).contains(&every_s) {
                return Err(Failure::invalid("every_s must be between 1 and 60"));
            }
            Transport::Http { url: address(&put.url, preset)?, every_s }
        }
    };
    let is_charger = put.stands == ForeignStands::Charger;
    Ok(Source { id: id.to_string(), is_charger, transport, three, preset: put.preset.clone(), rules })
}

/// A bare address gets the preset's path.
fn address(url: &str, preset: Option<Preset>) -> Answer<String> {
    let url = url.trim();
    let wrong = || Failure::invalid("url must be an address such as http://192.168.1.40");
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")).ok_or_else(wrong)?;
    let host = rest.split('/').next().unwrap_or_default();
    if host.is_empty()
        || url.chars().count() > URL_CHARS_MAX
        || url.chars().any(|c| c.is_whitespace() || c.is_control())
    {
        return Err(wrong());
    }
    if host.contains('@') {
        return Err(Failure::invalid(
            "an address with a password in it would be kept readable; switch the meter's authentication off, or let it use MQTT",
        ));
    }
    let is_bare = rest.trim_end_matches('/') == host;
    Ok(match preset.filter(|_| is_bare) {
        Some(preset) => format!("{}{}", url.trim_end_matches('/'), preset.http_path()),
        None => url.to_owned(),
    })
}

fn meter_order(shared: &Shared, source: &Source, put: &ForeignMeterPut, is_new: bool) -> Answer<Order> {
    let id = MeterId::new(&source.id)?;
    let live = shared.live();
    let before = live.state.meters.iter().find(|state| state.meter.id == id).map(|state| state.meter.clone());
    // A device of our own protocol keeps its name.
    if is_new && before.as_ref().is_some_and(|meter| meter.approved) {
        return Err(Failure::conflict("a meter of this name exists; take another name"));
    }
    let mut meter = before.unwrap_or_else(|| Meter {
        name: id.to_string(),
        id,
        approved: true,
        circuit: root(&live),
        role: MeterRole::Circuit,
    });
    meter.approved = true;
    if let Some(circuit) = &put.circuit {
        meter.circuit = CircuitId::new(circuit)?;
    }
    Ok(Order::SetMeter(meter))
}

fn charger_order(shared: &Shared, source: &Source, put: &ForeignMeterPut, is_new: bool) -> Answer<Order> {
    let id = ChargerId::new(&source.id)?;
    let live = shared.live();
    let before = live.state.chargers.iter().find(|state| state.charger.id == id).map(|state| state.charger.clone());
    if is_new && before.is_some() {
        return Err(Failure::conflict("a charger of this name exists; take another name"));
    }
    let wide = source.three && live.state.site.phases == domain::PhaseCount::Three;
    let mut charger = before.unwrap_or_else(|| Charger {
        name: id.to_string(),
        id,
        protocol: Protocol::Metered,
        registered: 0,
        approved: true,
        priority: 0,
        max: CHARGER_MAX,
        fallback: CHARGER_MAX,
        circuit: root(&live),
        wiring: if wide { Wiring::three() } else { Wiring::single() },
        connectors: 1,
        policy: domain::ChargerPolicy::default(),
    });
    if let Some(circuit) = &put.circuit {
        charger.circuit = CircuitId::new(circuit)?;
    }
    Ok(Order::SetCharger(charger))
}

fn root(live: &crate::engine::Live) -> CircuitId {
    let circuits = &live.state.circuits;
    let root = circuits.iter().find(|state| state.circuit.parent.is_none()).or_else(|| circuits.first());
    root.map(|state| state.circuit.id.clone()).unwrap_or_else(crate::beginning::grid_circuit)
}

fn item(known: &Known, now: Now, nominal: domain::MilliVolts) -> ForeignMeterItem {
    let source = &known.source;
    let (transport, url, every_s) = match &source.transport {
        Transport::Mqtt => (ForeignTransport::Mqtt, String::new(), 0),
        Transport::Http { url, every_s } => (ForeignTransport::Http, url.clone(), *every_s),
    };
    let messages: Vec<_> =
        known.messages.iter().map(|(topic, (at, text))| (topic.clone(), *at, text.clone())).collect();
    let mut reading = reading(source, now, nominal, &messages);
    if !known.problem.is_empty() {
        reading.problem.clone_from(&known.problem);
    } else if known.heard_at.is_none() {
        "Nothing has been heard of it yet".clone_into(&mut reading.problem);
    }
    ForeignMeterItem {
        id: source.id.clone(),
        stands: if source.is_charger { ForeignStands::Charger } else { ForeignStands::Meter },
        transport,
        url,
        every_s,
        phases: if source.three { 3 } else { 1 },
        preset: source.preset.clone(),
        rules: wire_rules(&source.rules),
        heard_at: known.heard_at.map(time_text::text),
        reading,
    }
}

fn reading(
    source: &Source,
    now: Now,
    nominal: domain::MilliVolts,
    messages: &[(String, Timestamp, String)],
) -> ForeignReading {
    let mut by_time: Vec<&(String, Timestamp, String)> = messages.iter().collect();
    by_time.sort_by_key(|(_, at, _)| *at);
    let texts = by_time.iter().map(|(topic, at, text)| (topic.as_str(), *at, text.as_str()));
    let made = if source.rules.is_empty() {
        let problem = "Choose a preset or map at least one value".to_owned();
        crate::foreign::Reading { values: Vec::new(), sample: None, problem }
    } else {
        read(source, nominal, now, texts)
    };
    let phases: &[Phase] = if source.three { &Phase::ALL } else { &[Phase::L1] };
    let signed = |flow: &Flow<MilliAmps>| match flow {
        Flow::Import(current) => convert::amps(*current),
        Flow::Export(current) => -convert::amps(*current),
    };
    let message = |(topic, at, text): &&(String, Timestamp, String)| ForeignMessage {
        topic: topic.clone(),
        text: text.clone(),
        at: time_text::text(*at),
    };
    let thousandths = |milli: i64| format!("{}e-3", milli).parse::<f64>().unwrap_or_default();
    ForeignReading {
        messages: by_time.iter().map(message).collect(),
        values: made
            .values
            .iter()
            .map(|(quantity, value)| ForeignValue { quantity: quantity.word().to_owned(), value: thousandths(value.0) })
            .collect(),
        current_a: made
            .sample
            .map(|sample| phases.iter().map(|phase| signed(sample.current.get(*phase))).collect())
            .unwrap_or_default(),
        power_w: made.sample.and_then(|sample| sample.power).map(|power| match power {
            Flow::Import(power) => f64::from(power.0),
            Flow::Export(power) => -f64::from(power.0),
        }),
        energy_wh: made.sample.and_then(|sample| sample.energy).map(|energy| energy.0),
        problem: made.problem,
    }
}

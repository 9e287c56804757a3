//! The program itself: health, metrics, description, connections, the live state.

use super::super::paging::PageQuery;
use super::super::problem::{Answer, Body, Failure, Query};
use super::super::{Shared, live};
use crate::convert;
use crate::reach::{self, reachable};
use api::{
    AlarmCode, ConnectionItem, ConnectionPage, Health, HealthPart, ListenerItem, ListenerSwitches, NetworkItem,
    Snapshot,
};
use axum::Json;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{State, WebSocketUpgrade};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use control::StorageState;
use std::net::SocketAddr;

/// Whether the program is well
#[utoipa::path(get, path = "/health", tag = "system", security(()), responses((status = 200, body = Health)))]
pub(crate) async fn health(State(shared): State<Shared>) -> Json<Health> {
    let live = shared.live();
    let alarm = |code: AlarmCode| {
        live.shown.alarms.iter().find(|alarm| alarm.text.code == code).map(|alarm| alarm.sentence.clone())
    };
    let stored = (live.storage == StorageState::Failing)
        .then(|| "Records cannot be written, charging goes on; free space on the disk or check it".to_owned())
        .or_else(|| {
            let damaged = "The records are damaged, charging goes on; restart Meshwatt, it recovers them";
            shared.writer.is_doubted().then(|| damaged.to_owned())
        });
    let engine = shared.engine.is_closed().then(|| "The engine ended; restart Meshwatt".to_owned());
    let sinks = super::sync::all_sinks(&shared).await;
    let sending = sinks.iter().find(|sink| sink.failing).map(|sink| {
        let why = sink.last_trouble.as_ref().map(|trouble| trouble.sentence.clone()).unwrap_or_default();
        format!("Nothing is sent to the {}: {why}", sink.name)
    });
    let parts: Vec<HealthPart> = [
        ("store", stored),
        ("sync", sending),
        ("backup", shared.backups.trouble().map(|why| format!("The last copy of the records failed: {why}"))),
        ("broker", alarm(AlarmCode::BrokerRestarted)),
        ("ocpp", None),
        ("control", engine.or_else(|| alarm(AlarmCode::PlanRejected))),
        ("meters", alarm(AlarmCode::NoMeter).or_else(|| alarm(AlarmCode::MeterSilent))),
    ]
    .into_iter()
    .map(|(name, detail)| HealthPart {
        name: name.to_owned(),
        status: if detail.is_some() { "degraded" } else { "ok" }.to_owned(),
        detail: detail.unwrap_or_default(),
    })
    .collect();
    let degraded = parts.iter().any(|part| part.status != "ok");
    Json(Health {
        status: if degraded { "degraded" } else { "ok" }.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        parts,
    })
}

/// This description
#[utoipa::path(get, path = "/openapi.json", tag = "system", security(()), responses((status = 200, body = Object)))]
pub(crate) async fn openapi() -> Response {
    Json(super::openapi_document()).into_response()
}

/// Counters in the text format of Prometheus
#[utoipa::path(get, path = "/metrics", tag = "system", responses((status = 200, body = String, content_type = "text/plain")))]
pub(crate) async fn metrics(State(shared): State<Shared>) -> Response {
    let sinks = super::sync::all_sinks(&shared).await;
    let text = shared.metrics.text(&shared.live(), shared.writer.transactions(), &sinks);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

/// Devices that are, were or want to be connected, and the addresses new ones connect to
#[utoipa::path(get, path = "/connections", tag = "system", params(PageQuery),
    responses((status = 200, body = ConnectionPage)))]
pub(crate) async fn connections(
    State(shared): State<Shared>,
    Query(query): Query<PageQuery>,
) -> Answer<Json<ConnectionPage>> {
    let live = shared.live();
    let items = shared.connections.list().iter().map(|entry| convert::connection_item(entry, &live.state)).collect();
    let page =
        query.page(items, |item: &ConnectionItem| format!("{}:{}:{}", item.protocol, item.device, item.state))?;
    let typed = |bound, scheme: &str, path: &str| {
        reachable(bound).into_iter().map(|address| format!("{scheme}://{address}{path}")).collect()
    };
    Ok(Json(ConnectionPage {
        items: page.items,
        next_cursor: page.next_cursor,
        ocpp_addresses: typed(shared.addresses.ocpp, "ws", "/ocpp/"),
        mqtt_addresses: typed(shared.addresses.mqtt, "mqtt", ""),
        networks: networks(&shared.addresses),
    }))
}

/// Which listeners with TLS are switched on, and the file server
#[utoipa::path(get, path = "/listeners", tag = "system", responses((status = 200, body = ListenerItem)))]
pub(crate) async fn listeners_get(State(shared): State<Shared>) -> Json<ListenerItem> {
    Json(shared.listeners.item(shared.addresses))
}

/// Switch listeners on or off from the next start on
#[utoipa::path(put, path = "/listeners", tag = "system", request_body = ListenerSwitches,
    responses((status = 200, body = ListenerItem), (status = 503, body = api::Problem)))]
pub(crate) async fn listeners_put(
    State(shared): State<Shared>,
    Body(switches): Body<ListenerSwitches>,
) -> Answer<Json<ListenerItem>> {
    shared.listeners.set(switches).map_err(|error| {
        tracing::error!(%error, "the switches of the listeners cannot be kept");
        Failure::storage()
    })?;
    Ok(Json(shared.listeners.item(shared.addresses)))
}

/// What to type into a device, by network card; cards on which nothing listens are left out.
fn networks(addresses: &crate::Addresses) -> Vec<NetworkItem> {
    let mut cards = reach::cards();
    // A listener bound to loopback is for this computer itself.
    let loopback = std::net::IpAddr::from([127, 0, 0, 1]);
    if !cards.iter().any(|card| card.address == loopback) {
        cards.push(reach::Card { address: loopback, name: "loopback".to_owned() });
    }
    let all_bound: Vec<SocketAddr> =
        [Some(addresses.ocpp), Some(addresses.mqtt), addresses.ocpps, addresses.mqtts].into_iter().flatten().collect();
    let everywhere = all_bound.iter().all(|bound| bound.ip().is_unspecified());
    cards
        .into_iter()
        .filter(|card| {
            !(everywhere && card.address.is_loopback()) || reach::cards().iter().all(|card| card.address.is_loopback())
        })
        .filter(|card| all_bound.iter().any(|bound| reach::is_reached_at(*bound, card.address)))
        .map(|card| {
            let typed = |bound: Option<SocketAddr>, scheme: &str, path: &str| {
                let bound = bound.filter(|bound| reach::is_reached_at(*bound, card.address))?;
                Some(format!("{scheme}://{}{path}", SocketAddr::new(card.address, bound.port())))
            };
            NetworkItem {
                ocpp: typed(Some(addresses.ocpp), "ws", "/ocpp/"),
                ocpps: typed(addresses.ocpps, "wss", "/ocpp/"),
                mqtt: typed(Some(addresses.mqtt), "mqtt", ""),
                mqtts: typed(addresses.mqtts, "mqtts", ""),
                https: typed(addresses.https, "https", ""),
                name: card.name,
            }
        })
        .collect()
}

/// The live state once
#[utoipa::path(get, path = "/snapshot", tag = "system", responses((status = 200, body = Snapshot)))]
pub(crate) async fn snapshot(State(shared): State<Shared>) -> Json<Snapshot> {
    Json(shared.live().shown.clone())
}

/// The live socket: messages of type LiveMessage
#[utoipa::path(get, path = "/live", tag = "system", responses((status = 101, description = "A WebSocket that sends LiveMessage")))]
pub(crate) async fn live(
    State(shared): State<Shared>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Answer<Response> {
    let upgrade = upgrade.map_err(|_no_websocket| {
        Failure::new(StatusCode::UPGRADE_REQUIRED, api::Code::Invalid, "Open this address as a WebSocket")
    })?;
    Ok(upgrade.max_message_size(64 * 1024).on_upgrade(move |socket| live::talk(socket, shared)))
}

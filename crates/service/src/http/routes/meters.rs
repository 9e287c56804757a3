//! Meters.

use super::super::Shared;
use super::super::paging::PageQuery;
use super::super::problem::{Answer, Body, Failure, Path, Query};
use crate::convert;
use crate::mqtt::ToBroker;
use api::{MeterItem, MeterPatch, Page};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use control::{MeterState, Order};

fn find(shared: &Shared, id: &str) -> Answer<MeterState> {
    let live = shared.live();
    live.state
        .meters
        .iter()
        .find(|state| state.meter.id.as_str() == id)
        .cloned()
        .ok_or_else(|| Failure::not_found("such meter"))
}

fn item(shared: &Shared, id: &str) -> Answer<Json<MeterItem>> {
    let phases = shared.live().state.site.phases;
    find(shared, id).map(|state| Json(convert::meter_item(&state, phases)))
}

/// Meters by identity
#[utoipa::path(get, path = "/meters", tag = "meters", params(PageQuery), responses((status = 200, body = Page<MeterItem>)))]
pub(crate) async fn meter_list(
    State(shared): State<Shared>,
    Query(query): Query<PageQuery>,
) -> Answer<Json<Page<MeterItem>>> {
    let live = shared.live();
    let items = live.state.meters.iter().map(|state| convert::meter_item(state, live.state.site.phases)).collect();
    query.page(items, |item: &MeterItem| item.id.clone()).map(Json)
}

/// One meter
#[utoipa::path(get, path = "/meters/{id}", tag = "meters", params(("id" = String, Path)),
    responses((status = 200, body = MeterItem), (status = 404, body = api::Problem)))]
pub(crate) async fn meter_get(State(shared): State<Shared>, Path(id): Path<String>) -> Answer<Json<MeterItem>> {
    item(&shared, &id)
}

/// Change a meter; absent fields stay
#[utoipa::path(patch, path = "/meters/{id}", tag = "meters", params(("id" = String, Path)), request_body = MeterPatch,
    responses((status = 200, body = MeterItem), (status = 404, body = api::Problem), (status = 422, body = api::Problem)))]
pub(crate) async fn meter_patch(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    Body(patch): Body<MeterPatch>,
) -> Answer<Json<MeterItem>> {
    let meter = convert::patched_meter(find(&shared, &id)?.meter, &patch)?;
    shared.order_kept(Order::SetMeter(meter)).await?;
    item(&shared, &id)
}

/// Let a meter in; fields that are present change it first
#[utoipa::path(post, path = "/meters/{id}/approve", tag = "meters", params(("id" = String, Path)), request_body = MeterPatch,
    responses((status = 200, body = MeterItem), (status = 404, body = api::Problem)))]
pub(crate) async fn meter_approve(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    Body(patch): Body<MeterPatch>,
) -> Answer<Json<MeterItem>> {
    let before = find(&shared, &id)?.meter;
    let id = before.id.clone();
    if patch != MeterPatch::default() {
        shared.order_kept(Order::SetMeter(convert::patched_meter(before, &patch)?)).await?;
    }
    shared.credentials.pin(id.as_str()).await.map_err(|error| shared.store_failure(&error))?;
    shared.order_kept(Order::ApproveMeter(id.clone())).await?;
    reconnect(&shared, id.as_str()).await;
    item(&shared, id.as_str())
}

/// Ends a device's connections, so that it returns with the rights it has now.
pub(super) async fn reconnect(shared: &Shared, device: &str) {
    if shared.to_broker.send(ToBroker::Disconnect(device.to_owned())).await.is_err() {
        tracing::debug!("the broker ended first");
    }
}

/// Forget a meter; its readings stay
#[utoipa::path(delete, path = "/meters/{id}", tag = "meters", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = api::Problem)))]
pub(crate) async fn meter_delete(State(shared): State<Shared>, Path(id): Path<String>) -> Answer<StatusCode> {
    let id = find(&shared, &id)?.meter.id;
    // First, since the device comes back at once and must then be a stranger in every respect.
    shared.credentials.forget(id.as_str()).await.map_err(|error| shared.store_failure(&error))?;
    shared.order_kept(Order::RemoveMeter(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

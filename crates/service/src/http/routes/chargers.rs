//! Chargers: what they are and how they are served.

use super::super::Shared;
use super::super::paging::{self, PageQuery};
use super::super::problem::{Answer, Body, Failure, Path, Query};
use super::meters::reconnect;
use crate::convert;
use api::{ChargerItem, ChargerPatch, DecisionItem, LimitRequest, Page, PriorityOrder};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use control::{ChargerState, Order};
use domain::{ChargerId, Hold, Protocol};

pub(super) fn find(shared: &Shared, id: &str) -> Answer<ChargerState> {
    let live = shared.live();
    live.state
        .chargers
        .iter()
        .find(|state| state.charger.id.as_str() == id)
        .cloned()
        .ok_or_else(|| Failure::not_found("such charger"))
}

fn item(shared: &Shared, id: &str) -> Answer<Json<ChargerItem>> {
    let live = shared.live();
    find(shared, id).map(|state| Json(convert::charger_item(&state, &live.state)))
}

/// Chargers in the order they are served
#[utoipa::path(get, path = "/chargers", tag = "chargers", params(PageQuery),
    responses((status = 200, body = Page<ChargerItem>)))]
pub(crate) async fn charger_list(
    State(shared): State<Shared>,
    Query(query): Query<PageQuery>,
) -> Answer<Json<Page<ChargerItem>>> {
    let live = shared.live();
    let items = live.state.chargers.iter().map(|state| convert::charger_item(state, &live.state)).collect();
    query.page(items, |item: &ChargerItem| item.id.clone()).map(Json)
}

/// One charger
#[utoipa::path(get, path = "/chargers/{id}", tag = "chargers", params(("id" = String, Path)),
    responses((status = 200, body = ChargerItem), (status = 404, body = api::Problem)))]
pub(crate) async fn charger_get(State(shared): State<Shared>, Path(id): Path<String>) -> Answer<Json<ChargerItem>> {
    item(&shared, &id)
}

/// Change a charger; absent fields stay
#[utoipa::path(patch, path = "/chargers/{id}", tag = "chargers", params(("id" = String, Path)), request_body = ChargerPatch,
    responses((status = 200, body = ChargerItem), (status = 404, body = api::Problem), (status = 422, body = api::Problem)))]
pub(crate) async fn charger_patch(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    Body(patch): Body<ChargerPatch>,
) -> Answer<Json<ChargerItem>> {
    let charger = convert::patched_charger(find(&shared, &id)?.charger, &patch)?;
    shared.order_kept(Order::SetCharger(charger)).await?;
    item(&shared, &id)
}

/// Forget a charger; its sessions and readings stay
#[utoipa::path(delete, path = "/chargers/{id}", tag = "chargers", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = api::Problem)))]
pub(crate) async fn charger_delete(State(shared): State<Shared>, Path(id): Path<String>) -> Answer<StatusCode> {
    let id = find(&shared, &id)?.charger.id;
    // First, since the device comes back at once and must then be a stranger in every respect.
    shared.credentials.forget(id.as_str()).await.map_err(|error| shared.store_failure(&error))?;
    shared.access.forget(&id).await.map_err(|error| shared.store_failure(&error))?;
    shared.order_kept(Order::RemoveCharger(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Let a charger in
#[utoipa::path(post, path = "/chargers/{id}/approve", tag = "chargers", params(("id" = String, Path)),
    responses((status = 200, body = ChargerItem), (status = 404, body = api::Problem)))]
pub(crate) async fn charger_approve(State(shared): State<Shared>, Path(id): Path<String>) -> Answer<Json<ChargerItem>> {
    let charger = find(&shared, &id)?.charger;
    let over_mqtt = charger.protocol == Protocol::Ievcc;
    if over_mqtt {
        shared.credentials.pin(&id).await.map_err(|error| shared.store_failure(&error))?;
    }
    if !over_mqtt {
        shared.access.approve(&charger.id).await.map_err(|error| shared.store_failure(&error))?;
    }
    shared.order_kept(Order::ApproveCharger(charger.id)).await?;
    if over_mqtt {
        reconnect(&shared, &id).await;
    }
    item(&shared, &id)
}

/// Give chargers descending priorities in this order; those not named follow
#[utoipa::path(put, path = "/chargers/order", tag = "chargers", request_body = PriorityOrder,
    responses((status = 200, body = Page<ChargerItem>), (status = 404, body = api::Problem)))]
pub(crate) async fn charger_order(
    State(shared): State<Shared>,
    Body(order): Body<PriorityOrder>,
) -> Answer<Json<Page<ChargerItem>>> {
    let chargers = order.chargers.iter().map(ChargerId::new).collect::<Result<Vec<_>, _>>()?;
    shared.order_kept(Order::OrderChargers(chargers)).await?;
    let live = shared.live();
    let items = live.state.chargers.iter().map(|state| convert::charger_item(state, &live.state)).collect();
    Ok(Json(Page { items, next_cursor: None }))
}

/// Holds are safety: they take force even while nothing can be kept.
async fn hold(shared: &Shared, id: &str, hold: Option<Hold>) -> Answer<Json<ChargerItem>> {
    shared.order(Order::Hold { charger: ChargerId::new(id)?, hold }).await?;
    item(shared, id)
}

/// Give a charger nothing until it is resumed
#[utoipa::path(post, path = "/chargers/{id}/pause", tag = "chargers", params(("id" = String, Path)),
    responses((status = 200, body = ChargerItem), (status = 404, body = api::Problem)))]
pub(crate) async fn charger_pause(State(shared): State<Shared>, Path(id): Path<String>) -> Answer<Json<ChargerItem>> {
    hold(&shared, &id, Some(Hold::Paused)).await
}

/// Lift a pause or a limit
#[utoipa::path(post, path = "/chargers/{id}/resume", tag = "chargers", params(("id" = String, Path)),
    responses((status = 200, body = ChargerItem), (status = 404, body = api::Problem)))]
pub(crate) async fn charger_resume(State(shared): State<Shared>, Path(id): Path<String>) -> Answer<Json<ChargerItem>> {
    hold(&shared, &id, None).await
}

/// Never give a charger more than this; null lifts it
#[utoipa::path(post, path = "/chargers/{id}/limit", tag = "chargers", params(("id" = String, Path)), request_body = LimitRequest,
    responses((status = 200, body = ChargerItem), (status = 404, body = api::Problem), (status = 422, body = api::Problem)))]
pub(crate) async fn charger_limit(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    Body(limit): Body<LimitRequest>,
) -> Answer<Json<ChargerItem>> {
    let limit = limit.limit_a.map(|limit_a| convert::milli_amps("limit_a", limit_a)).transpose()?;
    hold(&shared, &id, limit.map(Hold::LimitedTo)).await
}

/// Why a charger got what it got, newest first
#[utoipa::path(get, path = "/chargers/{id}/decisions", tag = "chargers", params(("id" = String, Path), PageQuery),
    responses((status = 200, body = Page<DecisionItem>)))]
pub(crate) async fn charger_decisions(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    Query(query): Query<PageQuery>,
) -> Answer<Json<Page<DecisionItem>>> {
    let list = shared.reader.decision_list(Some(&ChargerId::new(id)?), &query.for_store()?).await;
    let live = shared.live();
    let item = |decision: &_| convert::decision_item(decision, &live.state);
    Ok(Json(paging::stored(list.map_err(|error| shared.store_failure(&error))?, item)))
}

//! Tenants, their cards, and enrolling a card by tapping it.

use super::super::Shared;
use super::super::paging::{self, PageQuery};
use super::super::problem::{Answer, Body, Failure, Path, Query};
use crate::card_reader::{self, Seen};
use crate::convert;
use crate::credentials::tenant_key;
use api::{
    CardItem, CardPatch, CardReaderItem, CardReaderState, EnrolmentRequest, EnrolmentState, NewCard, Page,
    RefusedCardItem, TenantForm, TenantItem, TenantPatch,
};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use control::{Made, Order};
use domain::{Card, CardStatus, CardUid, ChargerId, DurationMs, Tenant, TenantId};
use serde::{Deserialize, Serialize};

/// Longest wait for a card: an hour is a walk around any garage.
const TTL_S_MAX: u32 = 3600;

/// Who gets a captured card.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct Assign {
    /// The tenant.
    tenant_id: i64,
}

fn tenant(shared: &Shared, id: i64) -> Answer<Tenant> {
    let live = shared.live();
    let known = live.state.tenants.iter().find(|tenant| tenant.id.0 == id && !tenant.is_erased());
    known.cloned().ok_or_else(|| Failure::not_found("such tenant"))
}

fn item(shared: &Shared, id: i64) -> Answer<Json<TenantItem>> {
    let live = shared.live();
    tenant(shared, id).map(|tenant| Json(convert::tenant_item(&tenant, &live.state.cards)))
}

/// A new tenant of a form.
fn new_tenant(shared: &Shared, form: &TenantForm) -> Answer<Tenant> {
    let key = tenant_key().map_err(|_unavailable| Failure::internal())?;
    convert::tenant_from(form, key, &shared.live().state.site.time_zone)
}

fn uid(text: &str) -> Answer<CardUid> {
    CardUid::new(text).map_err(|error| Failure::invalid(error.to_string()))
}

/// Tenants by identity
#[utoipa::path(get, path = "/tenants", tag = "tenants", params(PageQuery), responses((status = 200, body = Page<TenantItem>)))]
pub(crate) async fn tenant_list(
    State(shared): State<Shared>,
    Query(query): Query<PageQuery>,
) -> Answer<Json<Page<TenantItem>>> {
    let live = shared.live();
    let known = live.state.tenants.iter().filter(|tenant| !tenant.is_erased());
    let items = known.map(|tenant| convert::tenant_item(tenant, &live.state.cards)).collect();
    query.page(items, |item: &TenantItem| item.id.to_string()).map(Json)
}

/// Add a tenant
#[utoipa::path(post, path = "/tenants", tag = "tenants", request_body = TenantForm,
    responses((status = 201, body = TenantItem), (status = 422, body = api::Problem)))]
pub(crate) async fn tenant_add(
    State(shared): State<Shared>,
    Body(new): Body<TenantForm>,
) -> Answer<(StatusCode, Json<TenantItem>)> {
    let order = Order::AddTenant(Box::new(new_tenant(&shared, &new)?));
    match shared.order_kept(order).await? {
        Made::Tenant(tenant) => Ok((StatusCode::CREATED, Json(convert::tenant_item(&tenant, &[])))),
        Made::Nothing | Made::Card(_) | Made::Charger(_) | Made::Meter(_) | Made::Session(_) | Made::Ending(_) => {
            Err(Failure::internal())
        }
    }
}

/// One tenant
#[utoipa::path(get, path = "/tenants/{id}", tag = "tenants", params(("id" = i64, Path)),
    responses((status = 200, body = TenantItem), (status = 404, body = api::Problem)))]
pub(crate) async fn tenant_get(State(shared): State<Shared>, Path(id): Path<i64>) -> Answer<Json<TenantItem>> {
    item(&shared, id)
}

/// Change a tenant; absent fields stay
#[utoipa::path(patch, path = "/tenants/{id}", tag = "tenants", params(("id" = i64, Path)), request_body = TenantPatch,
    responses((status = 200, body = TenantItem), (status = 404, body = api::Problem), (status = 422, body = api::Problem)))]
pub(crate) async fn tenant_patch(
    State(shared): State<Shared>,
    Path(id): Path<i64>,
    Body(patch): Body<TenantPatch>,
) -> Answer<Json<TenantItem>> {
    let live = shared.live();
    let tenant = tenant(&shared, id)?;
    let tenant = convert::patched_tenant(&tenant, patch, &live.state.site.time_zone, shared.clock.now().wall)?;
    shared.order_kept(Order::SetTenant(Box::new(tenant))).await?;
    item(&shared, id)
}

/// Erase a tenant: name, contact and cards are gone, sessions keep the number and the key, so that sums stay
#[utoipa::path(delete, path = "/tenants/{id}", tag = "tenants", params(("id" = i64, Path)),
    responses((status = 204), (status = 404, body = api::Problem)))]
pub(crate) async fn tenant_delete(State(shared): State<Shared>, Path(id): Path<i64>) -> Answer<StatusCode> {
    shared.order_kept(Order::EraseTenant(TenantId(id))).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Enrol a card by its number
#[utoipa::path(post, path = "/tenants/{id}/cards", tag = "tenants", params(("id" = i64, Path)), request_body = NewCard,
    responses((status = 201, body = CardItem), (status = 404, body = api::Problem), (status = 409, body = api::Problem), (status = 422, body = api::Problem)))]
pub(crate) async fn tenant_card_add(
    State(shared): State<Shared>,
    Path(id): Path<i64>,
    Body(new): Body<NewCard>,
) -> Answer<(StatusCode, Json<CardItem>)> {
    let order = match &new.alias_of {
        None => Order::AddCard { tenant: TenantId(id), uid: uid(&new.uid)? },
        Some(known) => {
            let card = find_card(&shared, known)?;
            if card.tenant.0 != id {
                return Err(Failure::invalid("alias_of must be a card of the same tenant"));
            }
            Order::AddAlias { card: card.uid, uid: uid(&new.uid)? }
        }
    };
    let made = shared.order_kept(order).await?;
    card_of(made).map(|card| (StatusCode::CREATED, Json(convert::card_item(&card))))
}

fn card_of(made: Made) -> Answer<Card> {
    match made {
        Made::Card(card) => Ok(card),
        Made::Nothing | Made::Tenant(_) | Made::Charger(_) | Made::Meter(_) | Made::Session(_) | Made::Ending(_) => {
            Err(Failure::internal())
        }
    }
}

/// Cards by number
#[utoipa::path(get, path = "/cards", tag = "cards", params(PageQuery), responses((status = 200, body = Page<CardItem>)))]
pub(crate) async fn card_list(
    State(shared): State<Shared>,
    Query(query): Query<PageQuery>,
) -> Answer<Json<Page<CardItem>>> {
    let live = shared.live();
    let items = live.state.cards.iter().map(convert::card_item).collect();
    query.page(items, |item: &CardItem| item.uid.clone()).map(Json)
}

/// A card by its identity, or by its number as any reader prints it.
fn find_card(shared: &Shared, text: &str) -> Answer<Card> {
    let live = shared.live();
    let by_id = text.parse().ok().and_then(|id: i64| live.state.cards.iter().find(|card| card.id.0 == id));
    let found = match by_id {
        Some(card) => Some(card),
        None => {
            let uid = uid(text)?;
            live.state.cards.iter().find(|card| card.uid == uid)
        }
    };
    found.cloned().ok_or_else(|| Failure::not_found("such card"))
}

/// Change a card; absent fields stay
#[utoipa::path(patch, path = "/cards/{id}", tag = "cards", params(("id" = String, Path)), request_body = CardPatch,
    responses((status = 200, body = CardItem), (status = 404, body = api::Problem), (status = 422, body = api::Problem)))]
pub(crate) async fn card_patch(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    Body(patch): Body<CardPatch>,
) -> Answer<Json<CardItem>> {
    let mut card = find_card(&shared, &id)?;
    if let Some(policy) = &patch.policy {
        card.policy = convert::card_policy_from(policy)?;
        shared.order_kept(Order::SetCardPolicy { uid: card.uid.clone(), policy: card.policy }).await?;
    }
    if let Some(blocked) = patch.blocked {
        card.status = if blocked { CardStatus::Blocked } else { CardStatus::Active };
        shared.order_kept(Order::SetCardStatus { uid: card.uid.clone(), status: card.status }).await?;
    }
    Ok(Json(convert::card_item(&card)))
}

/// Remove a card
#[utoipa::path(delete, path = "/cards/{id}", tag = "cards", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = api::Problem)))]
pub(crate) async fn card_delete(State(shared): State<Shared>, Path(id): Path<String>) -> Answer<StatusCode> {
    let card = find_card(&shared, &id)?;
    shared.order_kept(Order::RemoveCard(card.uid)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Refused cards, newest first
#[utoipa::path(get, path = "/refused-cards", tag = "cards", params(PageQuery),
    responses((status = 200, body = Page<RefusedCardItem>)))]
pub(crate) async fn refused_card_list(
    State(shared): State<Shared>,
    Query(query): Query<PageQuery>,
) -> Answer<Json<Page<RefusedCardItem>>> {
    let list = shared.reader.refused_card_list(&query.for_store()?).await;
    let live = shared.live();
    let item = |refused: &domain::RefusedCard| convert::refused_card_item(refused, &live.state.cards);
    Ok(Json(paging::stored(list.map_err(|error| shared.store_failure(&error))?, item)))
}

/// Card enrolment under way, or null
#[utoipa::path(get, path = "/enrolment", tag = "cards", responses((status = 200, body = Option<EnrolmentState>)))]
pub(crate) async fn enrolment_get(State(shared): State<Shared>) -> Json<Option<EnrolmentState>> {
    Json(shared.live().shown.enrolment.clone())
}

/// Capture the next unknown card that is tapped
#[utoipa::path(post, path = "/enrolment", tag = "cards", request_body = EnrolmentRequest,
    responses((status = 200, body = EnrolmentState), (status = 404, body = api::Problem), (status = 422, body = api::Problem)))]
pub(crate) async fn enrolment_begin(
    State(shared): State<Shared>,
    Body(request): Body<EnrolmentRequest>,
) -> Answer<Json<EnrolmentState>> {
    if !(1..=TTL_S_MAX).contains(&request.ttl_s) {
        return Err(Failure::invalid(format!("ttl_s must be between 1 and {TTL_S_MAX}")));
    }
    let charger = request.charger.as_ref().map(ChargerId::new).transpose()?;
    let order = Order::Enrol {
        tenant: request.tenant_id.map(TenantId),
        charger,
        ttl: DurationMs::from_secs(u64::from(request.ttl_s)),
    };
    shared.order(order).await?;
    Ok(Json(shared.live().shown.enrolment.clone().unwrap_or(EnrolmentState {
        tenant_id: request.tenant_id,
        charger: request.charger,
        remaining_s: request.ttl_s,
        captured_uid: None,
        captured_at_charger: None,
        bound: false,
        resembles: None,
    })))
}

/// A card read by a reader at a desk, or typed
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct ReadCard {
    /// As the reader prints it.
    uid: String,
}

/// Hand the card to the enrolment that waits for one, as a charger's reader would
#[utoipa::path(post, path = "/enrolment/card", tag = "cards", request_body = ReadCard,
    responses((status = 200, body = Option<EnrolmentState>), (status = 409, body = api::Problem), (status = 422, body = api::Problem)))]
pub(crate) async fn enrolment_card(
    State(shared): State<Shared>,
    Body(read): Body<ReadCard>,
) -> Answer<Json<Option<EnrolmentState>>> {
    shared.order_kept(Order::CaptureCard(uid(&read.uid)?)).await?;
    Ok(enrolment_get(State(shared)).await)
}

/// Look for a card on the reader of the computer this program runs on, for up to two seconds, and hand it to the enrolment
#[utoipa::path(post, path = "/enrolment/reader", tag = "cards", responses((status = 200, body = CardReaderItem)))]
pub(crate) async fn enrolment_reader(State(shared): State<Shared>) -> Answer<Json<CardReaderItem>> {
    let seen = tokio::task::spawn_blocking(card_reader::look).await.map_err(|_ended| Failure::internal())?;
    let (reader, number) = match seen {
        Seen::Nothing(item) => return Ok(Json(item)),
        Seen::Card { reader, uid } => (reader, uid),
    };
    let refused = shared.order_kept(Order::CaptureCard(uid(&number)?)).await.err();
    let state = if refused.is_some() { CardReaderState::Refused } else { CardReaderState::Read };
    let detail = refused.map_or(number, |failure| failure.detail().to_owned());
    Ok(Json(CardReaderItem { state, name: reader, detail }))
}

/// Stop waiting for a card
#[utoipa::path(delete, path = "/enrolment", tag = "cards", responses((status = 204)))]
pub(crate) async fn enrolment_end(State(shared): State<Shared>) -> Answer<StatusCode> {
    shared.order(Order::CancelEnrolment).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Bind the captured card to a tenant
#[utoipa::path(post, path = "/enrolment/assign", tag = "cards", request_body = Assign,
    responses((status = 201, body = CardItem), (status = 404, body = api::Problem), (status = 409, body = api::Problem)))]
pub(crate) async fn enrolment_assign(
    State(shared): State<Shared>,
    Body(assign): Body<Assign>,
) -> Answer<(StatusCode, Json<CardItem>)> {
    let made = shared.order_kept(Order::AssignCaptured { tenant: TenantId(assign.tenant_id) }).await?;
    card_of(made).map(|card| (StatusCode::CREATED, Json(convert::card_item(&card))))
}

//! What people change about sessions, and ends that fitted no session.

use super::super::Shared;
use super::super::paging::{self, PageQuery};
use super::super::problem::{Answer, Body, Failure, Path, Query};
use super::records::find;
use crate::convert;
use crate::time_text;
use api::{OrphanDecisionRequest, OrphanItem, Page, SessionChangeItem, SessionFiguresItem, SessionItem, SessionPatch};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use control::{Correction, Made, Order, OrphanOrder};
use domain::{OrphanFate, SessionChange, SessionFigures, SessionRef, TenantId, Timestamp, WattHours};
use serde::Deserialize;
use store::{KeptOrphan, OrphanFilter};

/// Longest reason, in characters.
const REASON_CHARS_MAX: usize = 500;

fn reason(text: String) -> Answer<String> {
    if text.chars().count() > REASON_CHARS_MAX {
        return Err(Failure::invalid(format!("reason has at most {REASON_CHARS_MAX} characters")));
    }
    Ok(text)
}

/// Correct a session, or say who pays for it; the original is kept
#[utoipa::path(patch, path = "/sessions/{id}", tag = "sessions", params(("id" = i32, Path)), request_body = SessionPatch,
    responses((status = 200, body = SessionItem), (status = 404, body = api::Problem), (status = 409, body = api::Problem), (status = 422, body = api::Problem)))]
pub(crate) async fn session_patch(
    State(shared): State<Shared>,
    Path(id): Path<i32>,
    Body(patch): Body<SessionPatch>,
) -> Answer<Json<SessionItem>> {
    let session = find(&shared, id).await?;
    let correction = Correction {
        tenant: patch.tenant_id.map(|tenant| tenant.map(TenantId)),
        started_at: paging::time("started_at", patch.started_at.as_deref())?,
        ended_at: paging::time("ended_at", patch.ended_at.as_deref())?,
        energy: patch.energy_wh.map(WattHours),
    };
    let reason = reason(patch.reason)?;
    let made = shared.order_kept(Order::CorrectSession { session: Box::new(session), correction, reason }).await?;
    match made {
        Made::Session(session) => Ok(Json(convert::session_item(&session, &shared.live().state.tenants))),
        Made::Nothing | Made::Tenant(_) | Made::Card(_) | Made::Charger(_) | Made::Meter(_) | Made::Ending(_) => {
            Err(Failure::internal())
        }
    }
}

fn figures_item(figures: &SessionFigures) -> SessionFiguresItem {
    SessionFiguresItem {
        tenant_id: figures.tenant.map(|tenant| tenant.0),
        started_at: time_text::text(figures.started_at),
        ended_at: figures.ended_at.map(time_text::text),
        energy_wh: figures.energy.0,
        provenance: figures.provenance,
    }
}

fn change_item(change: &SessionChange) -> SessionChangeItem {
    SessionChangeItem {
        at: time_text::text(change.at),
        reason: change.reason.clone(),
        before: figures_item(&change.before),
        after: figures_item(&change.after),
    }
}

/// What people changed about a session, oldest first; the first change holds the original
#[utoipa::path(get, path = "/sessions/{id}/changes", tag = "sessions", params(("id" = i32, Path), PageQuery),
    responses((status = 200, body = Page<SessionChangeItem>), (status = 404, body = api::Problem)))]
pub(crate) async fn session_changes(
    State(shared): State<Shared>,
    Path(id): Path<i32>,
    Query(query): Query<PageQuery>,
) -> Answer<Json<Page<SessionChangeItem>>> {
    let session = find(&shared, id).await?;
    let list = shared.reader.session_change_list(session.id).await.map_err(|error| shared.store_failure(&error))?;
    query.page(list.iter().map(change_item).collect(), |item: &SessionChangeItem| item.at.clone()).map(Json)
}

/// Which ends.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct OrphanQuery {
    /// Only those nobody decided about.
    #[serde(default)]
    open: Option<bool>,
    /// Most items.
    #[serde(default)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    cursor: Option<String>,
}

fn orphan_item(kept: &KeptOrphan) -> OrphanItem {
    let request = &kept.stop.request;
    OrphanItem {
        id: kept.id,
        charger: kept.stop.charger.to_string(),
        at: time_text::text(request.at),
        session_id: match request.session {
            SessionRef::Known(id) => Some(id.0),
            SessionRef::Unknown => None,
        },
        card: request.card.as_ref().map(ToString::to_string),
        meter_wh: request.meter.0,
        decided: kept.decision.is_some(),
        assigned_session_id: kept.decision.as_ref().and_then(|decision| match decision.fate {
            OrphanFate::Assigned(id) => Some(id.0),
            OrphanFate::Dismissed => None,
        }),
        reason: kept.decision.as_ref().map(|decision| decision.reason.clone()).unwrap_or_default(),
    }
}

/// Session ends that fitted no session, newest first
#[utoipa::path(get, path = "/orphan-stops", tag = "sessions", params(OrphanQuery),
    responses((status = 200, body = Page<OrphanItem>), (status = 422, body = api::Problem)))]
pub(crate) async fn orphan_list(
    State(shared): State<Shared>,
    Query(query): Query<OrphanQuery>,
) -> Answer<Json<Page<OrphanItem>>> {
    let filter = if query.open == Some(true) { OrphanFilter::Open } else { OrphanFilter::All };
    let page = PageQuery { limit: query.limit, cursor: query.cursor }.for_store()?;
    let list = shared.reader.orphan_stop_list(filter, &page).await.map_err(|error| shared.store_failure(&error))?;
    Ok(Json(paging::stored(list, orphan_item)))
}

/// Say which session an end belongs to, or that it belongs to none
#[utoipa::path(post, path = "/orphan-stops/{id}/decide", tag = "sessions", params(("id" = i64, Path)), request_body = OrphanDecisionRequest,
    responses((status = 204), (status = 404, body = api::Problem), (status = 409, body = api::Problem), (status = 422, body = api::Problem)))]
pub(crate) async fn orphan_decide(
    State(shared): State<Shared>,
    Path(id): Path<i64>,
    Body(request): Body<OrphanDecisionRequest>,
) -> Answer<StatusCode> {
    let kept = shared.reader.orphan_stop_get(id).await.map_err(|error| shared.store_failure(&error))?;
    let kept = kept.ok_or_else(|| Failure::not_found("such session end"))?;
    if kept.decision.is_some() {
        return Err(Failure::conflict("this end was decided before; read the list for what is open"));
    }
    let session = match request.session_id {
        Some(id) => Some(Box::new(find(&shared, id).await?)),
        None => None,
    };
    let order = OrphanOrder { orphan: kept.id, stop: kept.stop, session, reason: reason(request.reason)? };
    shared.order_kept(Order::DecideOrphan(order)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Everything the records say about one tenant
#[utoipa::path(get, path = "/tenants/{id}/export", tag = "tenants", params(("id" = i64, Path)),
    responses((status = 200, body = Object), (status = 404, body = api::Problem)))]
pub(crate) async fn tenant_export(
    State(shared): State<Shared>,
    Path(id): Path<i64>,
) -> Answer<Json<serde_json::Value>> {
    let live = shared.live();
    let tenant = live.state.tenants.iter().find(|tenant| tenant.id.0 == id && !tenant.is_erased());
    let tenant = tenant.ok_or_else(|| Failure::not_found("such tenant"))?;
    let filter = store::SessionFilter { tenant: Some(tenant.id), ..store::SessionFilter::default() };
    let mut page = store::Page::first(store::Page::LIMIT_MAX);
    let mut sessions = Vec::new();
    loop {
        let list = shared.reader.session_list(&filter, &page).await.map_err(|error| shared.store_failure(&error))?;
        sessions.extend(list.items);
        match list.next_cursor {
            Some(cursor) => page.cursor = Some(cursor),
            None => break,
        }
    }
    let mut items = Vec::with_capacity(sessions.len());
    for session in &sessions {
        let changes = shared.reader.session_change_list(session.id).await;
        let changes = changes.map_err(|error| shared.store_failure(&error))?;
        items.push(serde_json::json!({
            "session": convert::session_item(session, &live.state.tenants),
            "changes": changes.iter().map(change_item).collect::<Vec<_>>(),
        }));
    }
    let cards: Vec<&str> =
        live.state.cards.iter().filter(|card| card.tenant == tenant.id).map(|card| card.uid.as_str()).collect();
    let refused = live.state.refused_cards.iter().filter(|refused| cards.contains(&refused.uid.as_str()));
    let energy_wh: u64 = sessions.iter().map(|session| session.energy.0).sum();
    let now: Timestamp = shared.clock.now().wall;
    Ok(Json(serde_json::json!({
        "exported_at": time_text::text(now),
        "tenant": convert::tenant_item(tenant, &live.state.cards),
        "sessions": items,
        "energy_wh": energy_wh,
        "refused_cards": refused.map(|refused| convert::refused_card_item(refused, &live.state.cards)).collect::<Vec<_>>(),
    })))
}

//! The site's settings and its tree of circuits.

use super::super::Shared;
use super::super::problem::{Answer, Body};
use crate::convert;
use api::{CircuitItem, CircuitList, Page, SiteItem};
use axum::Json;
use axum::extract::State;
use control::Order;

/// The settings
#[utoipa::path(get, path = "/site", tag = "site", responses((status = 200, body = SiteItem)))]
pub(crate) async fn site_get(State(shared): State<Shared>) -> Json<SiteItem> {
    Json(convert::site_item(&shared.live().state.site))
}

/// Replace the settings
#[utoipa::path(put, path = "/site", tag = "site", request_body = SiteItem,
    responses((status = 200, body = SiteItem), (status = 422, body = api::Problem)))]
pub(crate) async fn site_put(State(shared): State<Shared>, Body(item): Body<SiteItem>) -> Answer<Json<SiteItem>> {
    let site = convert::site_from(&item)?;
    let shown = convert::site_item(&site);
    shared.order_kept(Order::SetSite(site)).await?;
    Ok(Json(shown))
}

fn circuits(shared: &Shared) -> Vec<CircuitItem> {
    let live = shared.live();
    live.state.circuits.iter().map(|state| convert::circuit_item(state, live.state.site.phases)).collect()
}

/// The tree of circuits with what flows
#[utoipa::path(get, path = "/circuits", tag = "site", responses((status = 200, body = Page<CircuitItem>)))]
pub(crate) async fn circuits_get(State(shared): State<Shared>) -> Json<Page<CircuitItem>> {
    Json(Page { items: circuits(&shared), next_cursor: None })
}

/// Replace the tree of circuits
#[utoipa::path(put, path = "/circuits", tag = "site", request_body = CircuitList,
    responses((status = 200, body = Page<CircuitItem>), (status = 409, body = api::Problem), (status = 422, body = api::Problem)))]
pub(crate) async fn circuits_put(
    State(shared): State<Shared>,
    Body(list): Body<CircuitList>,
) -> Answer<Json<Page<CircuitItem>>> {
    let tree = convert::circuit_tree(&list.items, shared.live().state.site.phases)?;
    shared.order_kept(Order::SetCircuits(tree)).await?;
    Ok(Json(Page { items: circuits(&shared), next_cursor: None }))
}

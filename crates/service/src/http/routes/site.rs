//! The site's settings and its tree of circuits.

use super::super::Shared;
use super::super::problem::{Answer, Body, Failure};
use crate::convert;
use api::{CircuitItem, CircuitList, FallbackReport, OutlookItem, Page, SiteItem};
use axum::Json;
use axum::extract::State;
use control::Order;
use domain::{CircuitId, SiteRules};
use serde_json::Value;

/// The settings
#[utoipa::path(get, path = "/site", tag = "site", responses((status = 200, body = SiteItem)))]
pub(crate) async fn site_get(State(shared): State<Shared>) -> Json<SiteItem> {
    Json(convert::site_item(&shared.live().state.site))
}

/// Replace the settings
#[utoipa::path(put, path = "/site", tag = "site", request_body = SiteItem,
    responses((status = 200, body = SiteItem), (status = 422, body = api::Problem)))]
pub(crate) async fn site_put(State(shared): State<Shared>, Body(given): Body<Value>) -> Answer<Json<SiteItem>> {
    let site = convert::site_from(&over(&shared.live().state.site.rules, given)?)?;
    let shown = convert::site_item(&site);
    shared.order_kept(Order::SetSite(site)).await?;
    Ok(Json(shown))
}

/// The settings of a request; rules that a client of an older version does not name stay as they are.
fn over(rules: &SiteRules, mut given: Value) -> Answer<SiteItem> {
    let kept = serde_json::to_value(convert::site_rules_item(rules)).map_err(|_impossible| Failure::internal())?;
    if let (Value::Object(given), Value::Object(kept)) = (&mut given, kept) {
        for (field, value) in kept {
            given.entry(field).or_insert(value);
        }
    }
    serde_json::from_value(given).map_err(|error| Failure::invalid(error.to_string()))
}

/// What flows at every circuit when nobody commands the chargers, and who cannot charge then
#[utoipa::path(get, path = "/fallbacks", tag = "site", responses((status = 200, body = FallbackReport)))]
pub(crate) async fn fallbacks(State(shared): State<Shared>) -> Json<FallbackReport> {
    Json(convert::fallback_report(&shared.live().state))
}

/// What the price feed said, as far as it is still in force
#[utoipa::path(get, path = "/outlook", tag = "site", responses((status = 200, body = OutlookItem)))]
pub(crate) async fn outlook(State(shared): State<Shared>) -> Json<OutlookItem> {
    Json(convert::outlook_item(&shared.live().state))
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
    let live = shared.live();
    let state = &live.state;
    let mut chargers = Vec::new();
    for place in &list.chargers {
        let known = state.chargers.iter().find(|known| known.charger.id.as_str() == place.charger);
        let known = known.ok_or_else(|| Failure::not_found(&format!("charger {}", place.charger)))?;
        chargers.push(convert::placed_charger(known.charger.clone(), place)?);
    }
    let mut meters = Vec::new();
    for place in &list.meters {
        let known = state.meters.iter().find(|known| known.meter.id.as_str() == place.meter);
        let mut meter = known.ok_or_else(|| Failure::not_found(&format!("meter {}", place.meter)))?.meter.clone();
        meter.circuit = CircuitId::new(&place.circuit)?;
        meters.push(meter);
    }
    shared.order_kept(Order::Rewire { circuits: tree, chargers, meters }).await?;
    Ok(Json(Page { items: circuits(&shared), next_cursor: None }))
}

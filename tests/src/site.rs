//! Setting a building up through the API, as a program of the manager would.

use crate::{Api, until};
use serde_json::{Value, json};

/// The building of the published simulations: 6.9 kVA on one phase are 30 A, an update every `interval_s`
/// seconds, no margin, no hold times.
pub fn published_site(api: &Api, interval_s: f64) {
    let mut site = api.get("site").ok();
    let changes = json!({
        "name": "Published", "nominal_voltage_v": 230.0, "connection": "line_neutral", "phases": 1,
        "contracted_kva": 6.9, "main_fuse_a": 30.0, "margin_a": 0.0, "min_charge_a": 6.0,
        "max_active_chargers": null, "control_interval_s": interval_s, "declared_load_a": 10.0, "pacing": "published",
    });
    for (name, value) in changes.as_object().into_iter().flatten() {
        site[name] = value.clone();
    }
    // Fields that the answer only tells are not taken back.
    let answer = api.put("site", &site);
    let _site: Value = answer.ok();
    let mut circuits = api.get("circuits").ok();
    circuits["items"][0]["limit_a"] = json!([30.0]);
    let list = json!({"items": [circuits["items"][0]]});
    let _circuits: Value = api.put("circuits", &list).ok();
}

/// A tenant with one card; returns the tenant's number.
pub fn enrol(api: &Api, tenant: &str, uid: &str) -> i64 {
    let made = api.post("tenants", &json!({"name": tenant, "unit": "1A"})).ok();
    let id = made["id"].as_i64().expect("a tenant has a number");
    let _card: Value = api.post(&format!("tenants/{id}/cards"), &json!({"uid": uid})).ok();
    id
}

/// Waits until charger `id` has announced itself, lets it in, and waits until that shows.
#[track_caller]
pub fn approve_charger(api: &Api, id: &str) {
    until(&format!("{id} to announce itself"), || api.item("chargers", id));
    let _charger: Value = api.post(&format!("chargers/{id}/approve"), &json!({})).ok();
    until(&format!("{id} to be approved"), || api.item("chargers", id).filter(|charger| charger["approved"] == true));
}

/// The same for a meter.
#[track_caller]
pub fn approve_meter(api: &Api, id: &str) {
    until(&format!("{id} to announce itself"), || api.item("meters", id));
    let _meter: Value = api.post(&format!("meters/{id}/approve"), &json!({})).ok();
    until(&format!("{id} to be approved"), || api.item("meters", id).filter(|meter| meter["approved"] == true));
}

//! Tenants, cards, sessions and sums through the API, with a charger on a real socket.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use base64::Engine as _;
use serde_json::{Value, json};
use support::Site;

fn file(text: &[u8], dry_run: bool) -> Value {
    json!({"content_base64": base64::engine::general_purpose::STANDARD.encode(text), "dry_run": dry_run})
}

/// Terms are kept as entered, null takes one away, and what cannot be is refused and changes nothing.
#[tokio::test]
async fn terms_are_entered_and_checked() {
    let site = Site::start().await;
    let form = json!({"name": "Ana", "unit": "2.º Esq.", "email": "ana@example.com", "language": "pt-BR",
        "parking_spaces": ["12"], "max_power_kw": 7.4, "priority": 3, "monthly_cap_kwh": 120.5,
        "valid_from": "2026-11-01", "valid_until": "2026-11-30", "unit_key_permille": 12.345});
    let made = site.post("tenants", form).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let path = format!("tenants/{}", made.json["id"]);
    assert_eq!(made.json["key"].as_str().unwrap().len(), 32);
    let before = site.get(&path).await.json;
    assert_eq!((&before["max_power_kw"], &before["unit_key_permille"]), (&json!(7.4), &json!(12.345)));
    assert_eq!(before["language"], "pt-BR");
    for wrong in [
        json!({"email": "nobody"}),
        json!({"max_power_kw": 0.5}),
        json!({"monthly_cap_kwh": 0}),
        json!({"valid_until": "2026-10-01"}),
        json!({"valid_until": "soon"}),
        json!({"unit_key_permille": 1001}),
        json!({"priority": 5000}),
        json!({"colour": "red"}),
    ] {
        let refused = site.ask("PATCH", &path, Some(wrong.clone())).await;
        assert_eq!((refused.status, refused.code()), (422, "invalid"), "{wrong}: {}", refused.text);
        assert_eq!(site.get(&path).await.json, before, "{wrong} changes nothing");
    }
    let patched = site.ask("PATCH", &path, Some(json!({"max_power_kw": null, "archived": true}))).await.json;
    assert_eq!(patched["max_power_kw"], Value::Null);
    assert_eq!(patched["monthly_cap_kwh"], 120.5);
    assert!(patched["archived_at"].is_string());
}

/// A card read at a desk takes the place of a tap; in other digits it is told to be like the enrolled one, and becomes
/// another reading of it only when somebody says so.
#[tokio::test]
async fn a_card_is_read_at_the_desk() {
    let site = Site::start().await;
    let refused = site.post("enrolment/card", json!({"uid": "04A1B2C3"})).await;
    assert_eq!((refused.status, refused.code()), (409, "conflict"), "nobody waits: {}", refused.text);
    let tenant = site.post("tenants", json!({"name": "Ana"})).await.json["id"].clone();
    site.post("enrolment", json!({"tenant_id": tenant, "charger": null, "ttl_s": 60})).await;
    let read = site.post("enrolment/card", json!({"uid": " 04:a1:b2:c3 "})).await;
    assert_eq!(read.status, 200, "{}", read.text);
    site.until("enrolment", |state| state["bound"] == true && state["captured_uid"] == "04A1B2C3").await;
    site.ask("DELETE", "enrolment", None).await;

    site.post("enrolment", json!({"tenant_id": tenant, "charger": null, "ttl_s": 60})).await;
    site.post("enrolment/card", json!({"uid": "3283263748"})).await;
    site.until("enrolment", |state| state["bound"] == false && state["resembles"] == "04A1B2C3").await;
    let path = format!("tenants/{tenant}/cards");
    let alias = site.post(&path, json!({"uid": "3283263748", "alias_of": "04A1B2C3"})).await;
    assert_eq!(alias.status, 201, "{}", alias.text);
    assert!(alias.json["alias_of"].is_i64(), "{}", alias.text);
    let look = site.post("enrolment/reader", json!({})).await;
    assert_eq!(look.status, 200, "{}", look.text);
    assert!(look.json["state"].is_string(), "a missing reader is told, never an error: {}", look.text);
}

/// Everything measured is listed by name, and comes as a table with a row for each step.
#[tokio::test]
async fn readings_are_listed_and_exported() {
    let site = Site::start().await;
    let names = site.get("readings/series").await;
    assert_eq!(names.status, 200, "{}", names.text);
    assert!(names.json.is_array());
    let path = "readings?series=house/power_w&from=2026-11-01T00:00:00Z&to=2026-11-01T00:01:00Z&step_s=10&format=csv";
    let table = site.get(path).await;
    assert!(table.text.starts_with("\u{feff}time,\"house/power_w\"\r\n"), "{}", table.text);
}

/// A list is looked at first and imported whole; with one wrong row nothing is.
#[tokio::test]
async fn a_list_is_imported_whole_or_not_at_all() {
    let site = Site::start().await;
    site.tenant_with_card("Old", "04FF").await;
    let bad = "name;unit;cards\nAna;1;04A1\nRui;2;04FF\n;3;04A1\n".as_bytes();
    let seen = site.post("tenants/import", file(bad, true)).await.json;
    assert_eq!(
        (&seen["encoding"], &seen["wrong_rows"], &seen["imported"]),
        (&json!("utf-8"), &json!(2), &json!(false))
    );
    assert_eq!(seen["rows"][1]["problems"][0]["column"], "cards");
    assert_eq!(site.post("tenants/import", file(bad, false)).await.status, 422);
    assert_eq!(site.get("tenants").await.json["items"].as_array().unwrap().len(), 1);
    let utf16 = site.post("tenants/import", file(b"\xFF\xFEn\0", true)).await;
    assert!(utf16.status == 422 && utf16.text.contains("UTF-8"), "{}", utf16.text);
    let good = b"nome;fra\xE7\xE3o;cart\xF5es\nConcei\xE7\xE3o;2.\xBA Esq.;04A1|04A2\n";
    let done = site.post("tenants/import", file(good, false)).await.json;
    assert_eq!((&done["encoding"], &done["imported"]), (&json!("windows-1252"), &json!(true)));
    let list = site.get("tenants").await.json;
    assert_eq!((&list["items"][1]["name"], &list["items"][1]["unit"]), (&json!("Conceição"), &json!("2.º Esq.")));
    assert_eq!(list["items"][1]["cards"].as_array().unwrap().len(), 2);
}

/// A session is corrected with its original kept, given to somebody else, found, summed, exported, and stays when its
/// tenant is erased.
#[tokio::test]
async fn a_session_is_corrected_found_summed_and_survives_its_tenant() {
    let site = Site::start().await;
    let ana = site.tenant_with_card("Ana", "04A1").await;
    let rui = site.tenant_with_card("Rui", "04B1").await;
    let mut charger = site.approved_charger("CP1").await;
    let started = charger.start("04A1", 1000).await;
    charger.stop(&started["transactionId"], "04A1", 1400).await;
    let path = format!("sessions/{}", started["transactionId"]);
    let ended = site.until(&path, |session| session["ended_at"].is_string()).await;
    assert_eq!(ended["energy_wh"], 400);
    let nothing = site.ask("PATCH", &path, Some(json!({"reason": " ", "energy_wh": 300}))).await;
    assert_eq!(nothing.status, 422, "a reason is needed: {}", nothing.text);
    let change = json!({"reason": "The register jumped", "energy_wh": 300, "tenant_id": rui});
    let after = site.ask("PATCH", &path, Some(change)).await.json;
    assert_eq!(
        (&after["energy_wh"], &after["tenant"], &after["provenance"]),
        (&json!(300), &json!("Rui"), &json!("corrected"))
    );
    let changes = site.get(&format!("{path}/changes")).await.json;
    assert_eq!(
        (&changes["items"][0]["before"]["energy_wh"], &changes["items"][0]["before"]["tenant_id"]),
        (&json!(400), &json!(ana))
    );
    for (query, count) in
        [("q=rui", 1), ("q=04a1", 1), ("q=nobody", 0), ("unassigned=true", 0), ("provenance=corrected", 1)]
    {
        let found = site.get(&format!("sessions?{query}")).await.json;
        assert_eq!(found["items"].as_array().unwrap().len(), count, "{query}");
    }
    let usage = site.get("usage?from=2020-01-01T00:00:00Z&to=2022-01-01T00:00:00Z&by=tenant").await;
    assert_eq!(usage.status, 200, "{}", usage.text);
    let from = ended["started_at"].as_str().unwrap().replace('+', "%2B");
    let usage = site.get(&format!("usage?from={from}&by=tenant&bucket=day")).await.json;
    assert_eq!((&usage["energy_wh"], &usage["rows"][0]["name"]), (&json!(300), &json!("Rui")));
    let csv = site.get(&format!("usage?from={from}&by=charger&format=csv")).await;
    assert!(csv.text.contains("\"CP1\",\"CP1\",300,1,"), "{}", csv.text);
    let export = site.get(&format!("tenants/{rui}/export")).await.json;
    assert_eq!((&export["energy_wh"], &export["tenant"]["name"]), (&json!(300), &json!("Rui")));
    assert_eq!(site.ask("DELETE", &format!("tenants/{rui}"), None).await.status, 204);
    let left = site.get(&path).await.json;
    assert_eq!((&left["energy_wh"], &left["tenant_id"], &left["tenant"]), (&json!(300), &json!(rui), &Value::Null));
    assert_eq!(site.get(&format!("tenants/{rui}")).await.status, 404);
}

/// An end that fits no session is listed, refused a session of another charger, and dismissed once with a reason.
#[tokio::test]
async fn an_end_without_a_session_is_decided() {
    let site = Site::start().await;
    site.tenant_with_card("Ana", "04A1").await;
    let mut charger = site.approved_charger("CP1").await;
    charger.stop(&json!(4711), "04A1", 1400).await;
    let list = site
        .until("orphan-stops?open=true", |list| list["items"].as_array().is_some_and(|items| !items.is_empty()))
        .await;
    let path = format!("orphan-stops/{}/decide", list["items"][0]["id"]);
    assert_eq!(site.post(&path, json!({"reason": ""})).await.status, 422);
    assert_eq!(site.post(&path, json!({"session_id": 99, "reason": "hers"})).await.status, 404);
    assert_eq!(site.post(&path, json!({"reason": "A test of the electrician"})).await.status, 204);
    assert_eq!(site.post(&path, json!({"reason": "again"})).await.status, 409);
    assert_eq!(site.get("orphan-stops?open=true").await.json["items"], json!([]));
    assert_eq!(site.get("orphan-stops").await.json["items"][0]["decided"], true);
}

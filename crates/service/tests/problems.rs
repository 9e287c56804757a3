//! Every error is a problem with a stable code, and the description covers every route.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use serde_json::{Value, json};
use support::{Site, request};

/// What a client does wrong is told as `application/problem+json`, whatever layer notices it.
#[tokio::test]
async fn errors_are_problems() {
    let site = Site::start().await;
    let http = site.addresses().http;
    let token = format!("Authorization: Bearer {}\r\n", site.running.token());
    let huge = format!("{{\"name\":\"{}\"}}", "x".repeat(2_000_000));
    let cases: [(&str, &str, String, &str, u16, &str); 10] = [
        ("GET", "nothing", String::new(), "", 404, "not_found"),
        ("GET", "chargers/none", String::new(), "", 404, "not_found"),
        ("DELETE", "health", String::new(), "", 405, "invalid"),
        ("POST", "tenants", "{".to_owned(), "", 400, "invalid"),
        ("POST", "tenants", "{}".to_owned(), "", 422, "invalid"),
        ("POST", "tenants", "name=x".to_owned(), "Content-Type: text/plain\r\n", 415, "invalid"),
        ("POST", "tenants", r#"{"name":" "}"#.to_owned(), "", 422, "invalid"),
        ("POST", "tenants", huge, "", 413, "invalid"),
        ("GET", "sessions?limit=0", String::new(), "", 422, "invalid"),
        ("GET", "readings?series=house", String::new(), "", 422, "invalid"),
    ];
    for (method, path, body, kind, status, code) in cases {
        let answer = request(http, method, &format!("/api/v1/{path}"), &format!("{token}{kind}"), &body).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{method} {path}: {}", answer.text);
        assert!(answer.head.contains("application/problem+json"), "{method} {path}: {}", answer.head);
        assert!(answer.json["detail"].as_str().unwrap().len() > 10, "{method} {path} says what to do");
    }
}

/// Whatever the description names exists and is protected; nothing answers that is not in it.
#[tokio::test]
async fn description_covers_every_route() {
    let site = Site::start().await;
    let http = site.addresses().http;
    let document = request(http, "GET", "/api/v1/openapi.json", "", "").await.json;
    let paths = document["paths"].as_object().unwrap();
    let open = ["/health", "/openapi.json", "/session", "/login", "/login/ticket", "/logout", "/setup"];
    for (path, methods) in paths {
        for method in methods.as_object().unwrap().keys() {
            let concrete = path.replace("{id}", "1");
            let answer = request(http, &method.to_uppercase(), &format!("/api/v1{concrete}"), "", "{}").await;
            assert!(![404, 405].contains(&answer.status), "{method} {path} is described but missing");
            assert_eq!(
                answer.status == 401,
                !open.contains(&path.as_str()),
                "{method} {path} answers {}",
                answer.status
            );
        }
    }
    for needed in [
        "/site",
        "/circuits",
        "/meters",
        "/chargers",
        "/tenants",
        "/cards",
        "/enrolment",
        "/sessions",
        "/readings",
        "/alarms",
        "/connections",
        "/metrics",
        "/live",
        "/commands/{id}",
        "/chargers/{id}/operations",
        "/demo",
    ] {
        assert!(paths.contains_key(needed), "{needed} is missing");
    }
    let references: Vec<String> = references(&document);
    for reference in references {
        let name = reference.rsplit('/').next().unwrap();
        assert!(document["components"]["schemas"].get(name).is_some(), "{reference} leads nowhere");
    }
}

fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, field)| match (name.as_str(), field) {
                ("$ref", Value::String(text)) => vec![text.clone()],
                _ => references(field),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

/// Without a console in the program people still see that it runs, and pages carry the headers that protect them.
#[tokio::test]
async fn page_without_console() {
    let site = Site::start().await;
    let page = request(site.addresses().http, "GET", "/", "", "").await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("Meshwatt is running"), "{}", page.text);
    assert!(page.head.contains("'wasm-unsafe-eval'") && page.head.contains("nosniff"), "{}", page.head);
}

/// Settings that make no sense are refused by name, and lists page by cursor.
#[tokio::test]
async fn settings_and_pages() {
    let site = Site::start().await;
    let mut settings = site.get("site").await.json;
    settings["contracted_kva"] = json!(-1);
    let refused = site.ask("PUT", "site", Some(settings.clone())).await;
    assert!(refused.status == 422 && refused.text.contains("contracted_kva"), "{}", refused.text);
    settings["contracted_kva"] = json!(41.4);
    settings["main_fuse_a"] = json!(60);
    settings["control_interval_s"] = json!(1);
    assert_eq!(site.ask("PUT", "site", Some(settings)).await.status, 200);
    assert_eq!(site.get("site").await.json["contracted_kva"], 41.4);
    for number in 1..=5 {
        assert_eq!(site.post("tenants", json!({"name": format!("Tenant {number}")})).await.status, 201);
    }
    let first = site.get("tenants?limit=2").await.json;
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = site.get(&format!("tenants?limit=3&cursor={cursor}")).await.json;
    assert_eq!(second["items"].as_array().unwrap().len(), 3);
    assert_eq!(second["next_cursor"], Value::Null);
    let patched = site.ask("PATCH", "tenants/1", Some(json!({"unit": "2.º Esq."}))).await;
    assert_eq!(patched.json["unit"], "2.º Esq.");
    assert_eq!(site.ask("DELETE", "tenants/1", None).await.status, 204);
    assert_eq!(site.get("tenants/1").await.status, 404);
}

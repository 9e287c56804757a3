//! Signing in, the token, the first run.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use serde_json::json;
use support::{PASSWORD, Site, request};

/// People sign in with the password and stay signed in by a cookie no script can read; programs use the token file.
#[tokio::test]
async fn cookie_and_token() {
    let site = Site::start().await;
    let http = site.addresses().http;
    let bare = request(http, "GET", "/api/v1/site", "", "").await;
    assert_eq!((bare.status, bare.code()), (401, "unauthenticated"));
    let wrong = request(http, "POST", "/api/v1/login", "", r#"{"password":"wrong"}"#).await;
    assert_eq!((wrong.status, wrong.code()), (401, "wrong_password"));
    let login = request(http, "POST", "/api/v1/login", "", &json!({"password": PASSWORD}).to_string()).await;
    assert_eq!(login.status, 200, "{}", login.text);
    let line = login.head.lines().find(|line| line.starts_with("set-cookie")).unwrap().to_owned();
    assert!(line.contains("HttpOnly") && line.contains("SameSite=Strict"), "{line}");
    let cookie = login.cookie();
    assert_eq!(request(http, "GET", "/api/v1/site", &cookie, "").await.status, 200);
    let session = request(http, "GET", "/api/v1/session", &cookie, "").await;
    assert_eq!(session.json, json!({"signed_in": true, "setup_needed": false, "demo": false}));
    let foreign = format!("{cookie}Origin: http://evil.example\r\n");
    let refused = request(http, "POST", "/api/v1/tenants", &foreign, r#"{"name":"Eve"}"#).await;
    assert_eq!(refused.status, 403, "a foreign page cannot act with the cookie: {}", refused.text);
    assert_eq!(request(http, "POST", "/api/v1/logout", &cookie, "").await.status, 204);
    assert_eq!(request(http, "GET", "/api/v1/site", &cookie, "").await.status, 401);

    let token = std::fs::read_to_string(site.dir.path().join("api.token")).unwrap();
    assert_eq!(token, site.running.token());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(site.dir.path().join("api.token")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "only this user reads the token");
    }
    assert_eq!(site.get("site").await.status, 200);
}

/// The window of the desktop shell enters once with its ticket; the ticket is worth nothing afterwards.
#[tokio::test]
async fn ticket_enters_once() {
    let site = Site::start().await;
    let http = site.addresses().http;
    let address = site.running.sign_in_address().unwrap();
    let path = address.split_once(&http.to_string()).unwrap().1.to_owned();
    let entered = request(http, "GET", &path, "", "").await;
    assert_eq!(entered.status, 303);
    assert_eq!(request(http, "GET", "/api/v1/site", &entered.cookie(), "").await.status, 200);
    let again = request(http, "GET", &path, "", "").await;
    assert!(!again.head.contains("set-cookie"), "{}", again.head);
    let ticket = json!({"ticket": site.running.ticket().unwrap()}).to_string();
    assert_eq!(request(http, "POST", "/api/v1/login/ticket", "", &ticket).await.status, 200);
    assert_eq!(request(http, "POST", "/api/v1/login/ticket", "", &ticket).await.status, 401);
}

/// Guessing the password stops after a few attempts.
#[tokio::test]
async fn guessing_is_stopped() {
    let site = Site::start().await;
    let http = site.addresses().http;
    let mut codes = Vec::new();
    for _ in 0..6 {
        codes.push(request(http, "POST", "/api/v1/login", "", r#"{"password":"guess"}"#).await.code().to_owned());
    }
    assert_eq!(codes.last().unwrap(), "too_many_attempts", "{codes:?}");
}

/// The first run sets name, contract and password, once; the site is the answers' afterwards, also after a restart.
#[tokio::test]
async fn first_run() {
    let site = Site::start_with(|config| config.manager_password = None).await;
    let http = site.addresses().http;
    let session = request(http, "GET", "/api/v1/session", "", "").await;
    assert_eq!(session.json["setup_needed"], true);
    let short = json!({"name": "Casa", "contracted_kva": 6.9, "phases": 1, "password": "short"}).to_string();
    assert_eq!(request(http, "POST", "/api/v1/setup", "", &short).await.status, 422);
    let answers =
        json!({"name": "Casa", "contracted_kva": 6.9, "phases": 1, "password": PASSWORD, "language": "pt"}).to_string();
    let done = request(http, "POST", "/api/v1/setup", "", &answers).await;
    assert_eq!(done.status, 200, "{}", done.text);
    assert_eq!(request(http, "GET", "/api/v1/site", &done.cookie(), "").await.json["main_fuse_a"], 30.0);
    let again = request(http, "POST", "/api/v1/setup", "", &answers).await;
    assert_eq!((again.status, again.code()), (409, "setup_done"));
    let site = site.restart().await;
    assert_eq!(site.get("site").await.json["name"], "Casa");
    let circuits = site.get("circuits").await.json;
    assert_eq!(circuits["items"][0]["limit_a"], json!([30.0]));
    assert_eq!(circuits["items"][0]["name"], "Ligação à rede", "in the language of who answers");
}

/// A page of somebody else that gave this computer a name of its own is not answered.
#[tokio::test]
async fn foreign_name_is_refused() {
    let site = Site::start().await;
    let foreign = request(site.addresses().http, "GET", "/api/v1/session", "Host: evil.example\r\n", "").await;
    assert_eq!(foreign.status, 421);
}

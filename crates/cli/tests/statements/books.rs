//! A folder with a closed month, made by the program itself, and a client of its API.

use domain::{
    ChargerId, ConnectorNumber, EndReason, Provenance, Session, SessionId, Tenant, TenantId, TenantKey, Timestamp,
    WattHours,
};
use serde_json::{Value, json};
use service::{Config, History};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_meshwatt");

/// 2024-09-02 00:00 in Lisbon.
const SEPTEMBER_2024: i64 = 1_725_231_600_000;

/// The first day of the tariff: a text that is nowhere in the statements, so that altering it alters nothing else.
pub(crate) const VALID_FROM: &str = "2024-01-01";

fn tenant(id: i64, name: &str, email: &str) -> Tenant {
    let key = TenantKey(u128::try_from(id).unwrap());
    let mut tenant = Tenant::new(TenantId(id), key, name, format!("{id}.º Esq."), Timestamp(0));
    tenant.contact.email = email.to_owned();
    tenant
}

fn session(id: i32, tenant: i64) -> Session {
    let started_at = Timestamp(SEPTEMBER_2024 + i64::from(id) * 86_400_000);
    Session {
        id: SessionId(id),
        charger: ChargerId::new("C1").unwrap(),
        connector: ConnectorNumber(1),
        card: None,
        tenant: Some(TenantId(tenant)),
        started_at,
        ended_at: Some(Timestamp(started_at.0 + 7_200_000)),
        meter_start: WattHours(u64::try_from(id).unwrap() * 10_000),
        meter_last: WattHours(u64::try_from(id).unwrap() * 10_000 + 10_000),
        energy: WattHours(10_000),
        provenance: Provenance::Measured,
        end_reason: Some(EndReason::Card),
    }
}

fn config(dir: &Path) -> Config {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut config = Config::new(dir.to_owned());
    (config.http, config.ocpp, config.mqtt) = (any, any, any);
    config.secrets = service::SecretsChoice::File;
    config.initial.tenants = vec![tenant(1, "Ana Pires", "ana@example.pt"), tenant(2, "João Sá", "nobody@example.pt")];
    let sessions = vec![session(1, 1), session(2, 2)];
    config.initial.history = Some(History { sessions, ..History::default() });
    config
}

/// One request with the token of programs; the status and the answer.
pub(crate) async fn ask(http: SocketAddr, token: &str, method: &str, path: &str, body: Value) -> (u16, Value) {
    let body = body.to_string();
    let head = format!(
        "{method} /api/v1/{path} HTTP/1.1\r\nHost: {http}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(http).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let status = text.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap_or(Value::Null))
}

/// A folder with one closed month of two tenants, and the program ended.
pub(crate) async fn closed_month() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let running = service::start(config(dir.path())).await.unwrap();
    let (http, token) = (running.addresses().http, running.token().to_owned());
    let tariff = json!({"versions": [{"name": "Simples", "valid_from": VALID_FROM,
        "energy": {"periods": [{"name": "Energia", "price_per_kwh": "0.1580"}]}}]});
    assert_eq!(ask(http, &token, "PUT", "tariffs", tariff).await.0, 200);
    let (status, closed) = ask(http, &token, "POST", "statements/2024-09/close", json!({})).await;
    assert_eq!((status, closed["state"].as_str()), (200, Some("closed")), "{closed}");
    running.shutdown().await;
    dir
}

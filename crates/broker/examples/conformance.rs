//! A broker that lets everybody in and refuses one filter, for the conformance suite eclipse/paho.mqtt.testing.
//!
//! `cargo run --package broker --example conformance -- 127.0.0.1:18830`, then each test of the suite against that port.

#![allow(missing_docs, reason = "a program, not a library")]

use broker::{Admission, Attempt, Authority, Broker, Config, Connection, Identity, Incoming, Login, Receipt};
use std::sync::Arc;

/// The filter the suite expects to be refused.
const REFUSED: &str = "test/nosubscribe";

struct Open;

impl Authority for Open {
    async fn authenticate(&self, login: Login) -> Admission {
        Admission::Admitted(Identity::new(&login.client_id))
    }

    fn may_publish(&self, _who: &Identity, _topic: &str) -> bool {
        true
    }

    fn may_subscribe(&self, _who: &Identity, filter: &str) -> bool {
        filter != REFUSED
    }

    async fn received(&self, _message: Incoming) -> Receipt {
        Receipt::Taken
    }

    async fn connected(&self, _who: &Identity, _connection: &Connection) {}

    async fn disconnected(&self, _who: &Identity, _connection: &Connection, _reason: &str) {}

    async fn refused(&self, _attempt: Attempt) {}
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:18830".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    let config = Config { session_expiry_max: std::time::Duration::from_secs(86_400), ..Config::default() };
    let _broker = Broker::start(config, listener, Arc::new(Open)).await?;
    std::future::pending().await
}

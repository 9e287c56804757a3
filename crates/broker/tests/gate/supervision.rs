//! The router dies, and the building goes on.

use broker::{Config, Retain};

use crate::support::{Hello, PATIENCE, Site, packet};

/// A router killed by a packet it cannot survive is replaced: devices are sent away, come back, and find their sessions, and what was
/// retained is still there.
#[tokio::test]
async fn a_dead_router_is_replaced() {
    let site = Site::start().await;
    let mut restarts = site.broker.router_restarts();
    site.broker.publish("Charger-1/limit", "16", Retain::Keep).await.unwrap();
    let hello = Hello::v5("Charger-1").kept("c1");
    let mut client = site.raw().await;
    client.login(&hello).await;
    client.subscribe_5("Charger-1", 1).await;
    for count in 1..=3 {
        site.broker.break_router().await.unwrap();
        tokio::time::timeout(PATIENCE, restarts.wait_for(|now| *now == count)).await.unwrap().unwrap();
        assert_eq!(client.expect_closed().await, Some(0x8B));
        client = site.raw().await;
        assert_eq!(client.login(&hello).await[..2], [1, 0]);
        site.broker.publish("Charger-1", "x", Retain::Pass).await.unwrap();
        let arrived = client.arrived_5().await;
        assert_eq!(arrived.payload, b"x");
        client.send(&packet(0x40, &arrived.id.to_be_bytes())).await;
        client.subscribe_5("Charger-1/limit", 0).await;
        assert_eq!(client.arrived_5().await.payload, b"16");
    }
    site.assert_works().await;
}

/// The session of a device that is away survives the death of the router, too.
#[tokio::test]
async fn an_absent_device_keeps_its_session() {
    let site = Site::start().await;
    let mut ear = site.listen();
    let mut restarts = site.broker.router_restarts();
    let hello = Hello::v3("Charger-1").kept("c1");
    let mut client = site.raw().await;
    client.login(&hello).await;
    client.subscribe("Charger-1", 1).await;
    client.goodbye().await;
    ear.disconnected("Charger-1").await;
    site.broker.break_router().await.unwrap();
    tokio::time::timeout(PATIENCE, restarts.wait_for(|now| *now == 1)).await.unwrap().unwrap();
    let mut client = site.raw().await;
    assert_eq!(client.login(&hello).await, [1, 0]);
    site.broker.publish("Charger-1", "x", Retain::Pass).await.unwrap();
    assert_eq!(client.message().await.1, b"x");
}

/// The router never forgets a topic, so it is replaced before it remembers too many.
#[tokio::test]
async fn a_router_that_remembers_too_much_is_replaced() {
    let site = Site::with(Config { router_names_max: 50, ..Config::default() }).await;
    let mut restarts = site.broker.router_restarts();
    for number in 0..60 {
        site.broker.publish(&format!("t/{number}"), "x", Retain::Pass).await.unwrap();
    }
    tokio::time::timeout(PATIENCE, restarts.wait_for(|now| *now == 1)).await.unwrap().unwrap();
    site.assert_works().await;
}

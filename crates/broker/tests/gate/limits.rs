//! Limits that protect the building's computer from its devices.

use std::time::Duration;

use broker::{Attempt, Config, Retain};

use crate::support::{Hello, PING, Site, publish_v3};

/// Somebody who connects and says nothing is shown the door, and holds nobody up meanwhile.
#[tokio::test]
async fn a_silent_stranger_is_closed() {
    let site = Site::with(Config { connect_timeout: Duration::from_millis(300), ..Config::default() }).await;
    let mut ear = site.listen();
    let mut silent = site.raw().await;
    let mut slow = site.raw().await;
    slow.send(&Hello::v3("admin").bytes()[..10]).await;
    site.assert_works().await;
    silent.expect_closed().await;
    slow.expect_closed().await;
    assert!(matches!(ear.refused().await, Attempt::Login { reason, .. } if reason.contains("no login within")));
}

/// One address cannot take all places.
#[tokio::test]
async fn the_limit_per_address_holds() {
    let site = Site::with(Config { connections_per_ip_max: 2, ..Config::default() }).await;
    let mut ear = site.listen();
    let _first = site.v3("admin").await;
    let _second = site.v3("admin").await;
    site.raw().await.expect_closed().await;
    assert!(matches!(ear.refused().await, Attempt::Connection { reason, .. } if reason.contains("127.0.0.1")));
}

/// One identity cannot take all sessions, and is told so.
#[tokio::test]
async fn sessions_are_limited() {
    let site = Site::start().await;
    let mut clients = Vec::new();
    let mut refused = 0;
    for number in 0..20 {
        let mut client = site.raw().await;
        let connack = client.login(&Hello::v3("Charger-1").kept(&format!("c{number}"))).await;
        refused += usize::from(connack == [0, 3]);
        clients.push(client);
    }
    assert_eq!(refused, 4);
    site.assert_works().await;
}

/// Subscriptions are limited per session; one that exists can still be renewed.
#[tokio::test]
async fn subscriptions_are_limited() {
    let site = Site::with(Config { subscriptions_max: 2, ..Config::default() }).await;
    let mut client = site.v3("admin").await;
    client.subscribe("a", 0).await;
    client.subscribe("b", 0).await;
    client.send(&crate::support::subscribe_v3(1, "c", 0)).await;
    assert_eq!(client.expect(0x90).await, [0, 1, 0x80]);
    client.subscribe("a", 1).await;
}

/// A device that floods and never reads is cut off, without memory growing and without holding anybody up.
#[tokio::test]
async fn a_client_that_never_reads_is_cut_off() {
    let site = Site::with(Config { write_timeout: Duration::from_millis(300), ..Config::default() }).await;
    let mut ear = site.listen();
    let mut deaf = site.v3("deaf").await;
    deaf.subscribe("deaf", 0).await;
    let mut sender = site.v3("admin").await;
    let flood = async {
        loop {
            sender.send(&publish_v3("deaf", &[0; 50_000], 0, 0)).await;
        }
    };
    let reason = tokio::select! {
        reason = ear.disconnected("deaf") => reason,
        () = flood => unreachable!("it never ends"),
    };
    assert!(reason.contains("did not read"), "{reason}");
    site.assert_works().await;
}

/// A device that was idle for longer than it may refuse to read gets its next message.
#[tokio::test(flavor = "multi_thread")]
async fn an_idle_client_is_not_a_deaf_one() {
    let config = Config {
        write_timeout: Duration::from_millis(100),
        connect_timeout: Duration::from_millis(300),
        ..Config::default()
    };
    let site = Site::with(config).await;
    let mut idle = Vec::new();
    for _ in 0..10 {
        let mut client = site.v3("Charger-1").await;
        client.subscribe("Charger-1", 1).await;
        idle.push(client);
    }
    // Takes longer than the write timeout.
    site.raw().await.expect_closed().await;
    // Large, so that it takes several writes.
    site.broker.publish("Charger-1", vec![0; 200_000], Retain::Pass).await.unwrap();
    site.broker.publish("Charger-1", "x", Retain::Pass).await.unwrap();
    for client in &mut idle {
        assert_eq!(client.message().await.1.len(), 200_000);
        assert_eq!(client.message().await.1, b"x");
    }
}

/// A keep-alive of zero means never, and pings are answered.
#[tokio::test]
async fn a_keep_alive_of_zero_is_allowed() {
    let site = Site::start().await;
    let mut client = site.v3("admin").await;
    for _ in 0..3 {
        client.send(&PING).await;
        client.expect(0xD0).await;
    }
}

/// More QoS 2 messages at once than announced end the connection.
#[tokio::test]
async fn unreleased_messages_are_limited() {
    let site = Site::with(Config { inflight_max: 3, ..Config::default() }).await;
    let mut client = site.v5("admin").await;
    for id in 1..=4 {
        client.send(&crate::support::publish_v5("a", b"x", 2, id, &[])).await;
    }
    assert_eq!(client.expect_closed().await, Some(0x93));
}

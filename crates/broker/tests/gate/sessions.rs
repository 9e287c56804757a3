//! Sessions that outlive their connections, takeover, and the end of both.

use std::time::Duration;

use broker::{Config, Retain};

use crate::support::{GOODBYE, Hello, PATIENCE, Site, Told, packet, publish_v3};

/// The newest connection of a client wins, the authority hears both in order, and the session's messages go to the newer one.
#[tokio::test]
async fn the_newest_connection_wins() {
    let site = Site::start().await;
    let mut ear = site.listen();
    let hello = Hello::v5("Charger-1").kept("c1");
    let mut older = site.raw().await;
    older.login(&hello).await;
    older.subscribe_5("Charger-1", 1).await;
    let mut newer = site.raw().await;
    assert_eq!(newer.login(&hello).await[..2], [1, 0]);
    assert_eq!(older.expect_closed().await, Some(0x8E));
    let heard: Vec<(bool, u64)> =
        vec![ear.hear(generation).await, ear.hear(generation).await, ear.hear(generation).await];
    let first = heard[0].1;
    assert_eq!(heard[0], (true, first));
    assert_eq!(heard[1], (false, first));
    assert!(heard[2].0 && heard[2].1 > first, "{heard:?}");
    site.broker.publish("Charger-1", "x", Retain::Pass).await.unwrap();
    assert_eq!(newer.arrived_5().await.payload, b"x");
}

fn generation(told: Told) -> Option<(bool, u64)> {
    match told {
        Told::Connected { generation, .. } => Some((true, generation)),
        Told::Disconnected { generation, .. } => Some((false, generation)),
        Told::Received(_) | Told::Refused(_) | Told::Asked(_) => None,
    }
}

/// A client id of somebody else does not take over: sessions belong to identities.
#[tokio::test]
async fn a_foreign_client_id_takes_nothing_over() {
    let site = Site::start().await;
    let mut owner = site.raw().await;
    owner.login(&Hello::v3("Charger-1").kept("c1")).await;
    owner.subscribe("Charger-1", 1).await;
    let mut thief = site.raw().await;
    assert_eq!(thief.login(&Hello::v3("Charger-2").kept("c1")).await, [0, 0]);
    site.broker.publish("Charger-1", "x", Retain::Pass).await.unwrap();
    assert_eq!(owner.message().await.1, b"x");
    thief.assert_silent().await;
}

/// Ten connections of one client in a storm: one of them ends up connected, and it works.
#[tokio::test]
async fn a_storm_of_takeovers_leaves_one_that_works() {
    let site = Site::start().await;
    let hello = Hello::v3("Charger-1").kept("c1");
    let mut all = Vec::new();
    for _ in 0..10 {
        let mut client = site.raw().await;
        client.send(&hello.bytes()).await;
        all.push(client);
    }
    let mut last = site.raw().await;
    last.login(&hello).await;
    last.subscribe("Charger-1", 1).await;
    site.broker.publish("Charger-1", "x", Retain::Pass).await.unwrap();
    assert_eq!(last.message().await.1, b"x");
    for mut client in all {
        client.expect_closed().await;
    }
}

/// A kept session collects messages while its client is away and repeats what was not acknowledged.
#[tokio::test]
async fn a_kept_session_loses_nothing() {
    let site = Site::start().await;
    let mut ear = site.listen();
    for hello in [Hello::v3("Charger-1").kept("three"), Hello::v5("Charger-1").kept("five")] {
        let mut client = site.raw().await;
        assert_eq!(client.login(&hello).await[..2], [0, 0]);
        if hello.level == 5 {
            client.subscribe_5("Charger-1", 1).await;
        } else {
            client.subscribe("Charger-1", 1).await;
        }
        site.broker.publish("Charger-1", "1", Retain::Pass).await.unwrap();
        let (first, _) = client.packet().await.unwrap();
        assert_eq!(first, 0x32);
        client.cut();
        ear.disconnected("Charger-1").await;
        site.broker.publish("Charger-1", "2", Retain::Pass).await.unwrap();
        let mut client = site.raw().await;
        assert_eq!(client.login(&hello).await[..2], [1, 0]);
        let (first, body) = client.packet().await.unwrap();
        assert_eq!((first, body.last()), (0x3A, Some(&b'1')), "repeated, and marked so");
        let (first, body) = client.packet().await.unwrap();
        assert_eq!((first, body.last()), (0x32, Some(&b'2')));
        client.send(&GOODBYE).await;
        ear.disconnected("Charger-1").await;
        let mut client = site.raw().await;
        assert_eq!(client.login(&Hello { clean: true, ..hello }).await[..2], [0, 0]);
        client.assert_silent().await;
        client.goodbye().await;
        ear.disconnected("Charger-1").await;
    }
}

/// Sent with QoS 2, recorded, then disconnected: after the reconnect the release is repeated, not the message.
#[tokio::test]
async fn a_recorded_message_is_released_after_a_reconnect() {
    let site = Site::start().await;
    let mut ear = site.listen();
    let hello = Hello::v3("admin").kept("a");
    let mut client = site.raw().await;
    client.login(&hello).await;
    client.subscribe("two", 2).await;
    client.send(&publish_v3("two", b"x", 2, 1)).await;
    client.expect(0x50).await;
    let arrived = client.arrived().await;
    client.send(&packet(0x50, &arrived.id.to_be_bytes())).await;
    assert_eq!(client.expect(0x62).await, arrived.id.to_be_bytes());
    client.cut();
    ear.disconnected("admin").await;
    let mut client = site.raw().await;
    assert_eq!(client.login(&hello).await, [1, 0]);
    assert_eq!(client.expect(0x62).await, arrived.id.to_be_bytes());
    client.send(&packet(0x70, &arrived.id.to_be_bytes())).await;
    client.assert_silent().await;
}

/// The queue of an absent client is bounded, and what is left at the end is the newest.
#[tokio::test]
async fn the_queue_of_an_absent_client_keeps_the_newest() {
    let site = Site::with(Config { queue_messages_max: 10, ..Config::default() }).await;
    let mut ear = site.listen();
    let hello = Hello::v3("Charger-1").kept("c1");
    let mut client = site.raw().await;
    client.login(&hello).await;
    client.subscribe("Charger-1", 1).await;
    client.goodbye().await;
    ear.disconnected("Charger-1").await;
    for number in 0..100_u8 {
        site.broker.publish("Charger-1", vec![number], Retain::Pass).await.unwrap();
    }
    // Everything published before has left the router when a later subscriber got a later message.
    site.assert_works().await;
    let mut client = site.raw().await;
    client.login(&hello).await;
    let mut last = Vec::new();
    for _ in 0..10 {
        last = client.message().await.1;
    }
    assert!(last[0] >= 89, "{last:?}");
}

/// A session that nobody comes back to ends: after our limit, whatever the client asked for. Seen from outside: there is room for
/// another one then.
#[tokio::test]
async fn a_session_expires() {
    for kept in [Hello::v3("Charger-1").kept("first"), Hello::v5("Charger-1").kept("first")] {
        let config = Config {
            session_expiry_max: Duration::from_millis(200),
            sessions_per_identity_max: 1,
            ..Config::default()
        };
        let site = Site::with(config).await;
        let mut client = site.raw().await;
        assert_eq!(client.login(&kept).await[..2], [0, 0]);
        let other = Hello::v3("Charger-1");
        assert_eq!(site.raw().await.login(&other).await, [0, 3]);
        client.cut();
        let room = async { while site.raw().await.login(&other).await != [0, 0] {} };
        tokio::time::timeout(PATIENCE, room).await.expect("the session never ended");
    }
}

/// The manager disconnects a device: its session is gone, and it comes back with nothing.
#[tokio::test]
async fn a_disconnected_identity_loses_its_sessions() {
    let site = Site::start().await;
    let hello = Hello::v5("Charger-1").kept("c1");
    let mut client = site.raw().await;
    client.login(&hello).await;
    client.subscribe_5("Charger-1", 1).await;
    site.broker.disconnect("Charger-1");
    assert_eq!(client.expect_closed().await, Some(0x98));
    let mut client = site.raw().await;
    assert_eq!(client.login(&hello).await[..2], [0, 0]);
    site.assert_works().await;
}

/// Rights that change while a login is being checked do not slip through: that login has to come again.
#[tokio::test]
async fn a_login_during_a_change_of_rights_comes_again() {
    let site = Site::start().await;
    let mut ear = site.listen();
    site.house.logins.forget_permits(usize::MAX);
    let hello = Hello::v5("Charger-1");
    let mut client = site.raw().await;
    client.send(&hello.bytes()).await;
    ear.hear(|told| if let Told::Asked(client_id) = told { Some(client_id) } else { None }).await;
    site.broker.disconnect("Charger-1");
    site.house.logins.add_permits(2);
    assert_eq!(client.expect(0x20).await[..2], [0, 0x88]);
    assert_eq!(site.raw().await.login(&hello).await[..2], [0, 0]);
}

/// The broker says goodbye, stops everything it started, and its port is free again.
#[tokio::test]
async fn shutdown_says_goodbye_and_ends() {
    let site = Site::start().await;
    let addr = site.addr();
    let mut client = site.v5("admin").await;
    let _unfinished = site.raw().await;
    site.broker.shutdown().await;
    assert_eq!(client.expect_closed().await, Some(0x8B));
    drop(tokio::net::TcpListener::bind(addr).await.unwrap());
}

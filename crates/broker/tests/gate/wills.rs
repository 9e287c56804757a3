//! Wills: published by the gate, exactly when the standard says so.

use broker::{Attempt, Origin};

use crate::support::{GOODBYE, Hello, RETAIN, Site, packet};

fn dying(hello: Hello, topic: &str, payload: &str) -> Hello {
    Hello { will: Some((topic.to_owned(), payload.as_bytes().to_vec(), 1 << 3, Vec::new())), ..hello }
}

/// A lost connection publishes the will in the name of its owner; a goodbye does not.
#[tokio::test]
async fn a_lost_connection_publishes_the_will() {
    let site = Site::start().await;
    let mut ear = site.listen();
    let mut receiver = site.v3("admin").await;
    receiver.subscribe("Charger-1", 1).await;
    for hello in [Hello::v3("Charger-1"), Hello::v5("Charger-1")] {
        let hello = dying(hello, "Charger-1", "gone");
        let mut client = site.raw().await;
        client.login(&hello).await;
        client.goodbye().await;
        receiver.assert_silent().await;
        let mut client = site.raw().await;
        client.login(&hello).await;
        client.cut();
        let message = ear.received().await;
        assert_eq!((message.who.name(), message.origin), ("Charger-1", Origin::Will));
        let arrived = receiver.arrived().await;
        assert_eq!((arrived.qos(), arrived.payload.as_slice()), (1, &b"gone"[..]));
    }
}

/// A protocol error, and a MQTT 5 goodbye that asks for it, publish the will too.
#[tokio::test]
async fn errors_and_a_goodbye_with_will_publish_it() {
    let site = Site::start().await;
    let mut receiver = site.v3("admin").await;
    receiver.subscribe("Charger-1", 0).await;
    for last_words in [packet(0x10, &[]), packet(0xE0, &[0x04])] {
        let mut client = site.raw().await;
        client.login(&dying(Hello::v5("Charger-1"), "Charger-1", "gone")).await;
        client.send(&last_words).await;
        client.expect_closed().await;
        assert_eq!(receiver.message().await.1, b"gone");
    }
}

/// On a takeover the will of the older connection is published, and that of the newer one stays for later.
#[tokio::test]
async fn a_takeover_publishes_the_older_will() {
    let site = Site::start().await;
    let mut receiver = site.v3("admin").await;
    receiver.subscribe("Charger-1", 0).await;
    let mut older = site.raw().await;
    older.login(&dying(Hello::v3("Charger-1").kept("c1"), "Charger-1", "older")).await;
    let mut newer = site.raw().await;
    newer.login(&dying(Hello::v3("Charger-1").kept("c1"), "Charger-1", "newer")).await;
    older.expect_closed().await;
    assert_eq!(receiver.message().await.1, b"older");
    receiver.assert_silent().await;
    newer.cut();
    assert_eq!(receiver.message().await.1, b"newer");
}

/// A silent client is noticed after one and a half times its keep-alive time, and its will is published.
#[tokio::test]
async fn a_silent_client_dies() {
    let site = Site::start().await;
    let mut ear = site.listen();
    let mut receiver = site.v3("admin").await;
    receiver.subscribe("Charger-1", 0).await;
    let mut client = site.raw().await;
    let hello = Hello { keep_alive_s: 1, ..dying(Hello::v5("Charger-1"), "Charger-1", "gone") };
    client.login(&hello).await;
    assert_eq!(client.expect_closed().await, Some(0x8D));
    assert_eq!(receiver.message().await.1, b"gone");
    assert!(ear.disconnected("Charger-1").await.contains("keep-alive"));
}

/// A will on somebody else's topic would go around the rules: such a client is not let in.
#[tokio::test]
async fn a_foreign_will_is_refused_at_login() {
    let site = Site::start().await;
    let mut ear = site.listen();
    for (hello, code) in [(Hello::v3("Charger-1"), 5), (Hello::v5("Charger-1"), 0x87)] {
        let mut client = site.raw().await;
        assert_eq!(client.login(&dying(hello, "Charger-2", "x")).await[..2], [0, code]);
        assert!(matches!(ear.refused().await, Attempt::Login { reason, .. } if reason.contains("\"Charger-2\"")));
    }
}

/// MQTT 5: a delayed will is forgotten when the client comes back in time, and published when it does not.
#[tokio::test]
async fn a_delayed_will_waits_for_the_client() {
    let site = Site::start().await;
    let mut ear = site.listen();
    let mut receiver = site.v3("admin").await;
    receiver.subscribe("Charger-1", 0).await;
    let delayed = |seconds: u8| {
        let will = Some(("Charger-1".to_owned(), b"gone".to_vec(), RETAIN << 2, vec![0x18, 0, 0, 0, seconds]));
        Hello { will, ..Hello::v5("Charger-1").kept("c1") }
    };
    let mut client = site.raw().await;
    client.login(&delayed(100)).await;
    client.cut();
    ear.disconnected("Charger-1").await;
    let mut client = site.raw().await;
    assert_eq!(client.login(&delayed(1)).await[..2], [1, 0]);
    client.assert_silent().await;
    receiver.assert_silent().await;
    client.cut();
    assert_eq!(receiver.message().await.1, b"gone");
    let mut client = site.raw().await;
    client.login(&delayed(1)).await;
    client.send(&GOODBYE).await;
    client.expect_closed().await;
    receiver.assert_silent().await;
}

//! Retained messages.

use broker::{Config, Retain};

use crate::support::{Hello, RETAIN, Site, publish_v3, publish_v5, subscribe_v5};

/// A retained message is there for whoever comes later, marked as retained; those already there get it as a normal one.
#[tokio::test]
async fn a_retained_message_is_kept_for_later() {
    let site = Site::start().await;
    let mut early = site.v3("admin").await;
    early.subscribe("r", 1).await;
    let mut sender = site.v3("admin").await;
    sender.send(&publish_v3("r", b"1", 1 | RETAIN, 1)).await;
    sender.expect(0x40).await;
    assert!(!early.arrived().await.is_retained());
    let mut late = site.v3("admin").await;
    late.subscribe("r", 1).await;
    let arrived = late.arrived().await;
    assert!(arrived.is_retained() && arrived.qos() == 1 && arrived.payload == b"1", "{arrived:?}");
}

/// A second subscription to the same filter sends retained messages again; the options of MQTT 5 decide otherwise.
#[tokio::test]
async fn a_second_subscription_sends_retained_messages_again() {
    let site = Site::start().await;
    site.broker.publish("r", "1", Retain::Keep).await.unwrap();
    let mut client = site.v3("admin").await;
    for _ in 0..3 {
        client.subscribe("r", 1).await;
        assert_eq!(client.message().await.1, b"1");
        client.assert_silent().await;
    }
    let mut client = site.v5("admin").await;
    // Retain handling 1: only when the subscription is new. 2: never.
    for (options, expected) in [(0x10 | 1, 1), (0x10 | 1, 0), (1, 1), (0x20 | 1, 0)] {
        client.send(&subscribe_v5(1, "r", options, &[])).await;
        client.expect(0x90).await;
        for _ in 0..expected {
            assert_eq!(client.arrived_5().await.payload, b"1");
        }
        client.assert_silent().await;
    }
}

/// An empty retained message deletes; an empty message that is not retained does not.
#[tokio::test]
async fn only_an_empty_retained_message_deletes() {
    let site = Site::start().await;
    let mut sender = site.v3("admin").await;
    sender.send(&publish_v3("r", b"1", 1 | RETAIN, 1)).await;
    sender.expect(0x40).await;
    sender.send(&publish_v3("r", b"", 1, 1)).await;
    sender.expect(0x40).await;
    let mut receiver = site.v3("admin").await;
    receiver.subscribe("r", 0).await;
    assert_eq!(receiver.message().await.1, b"1");
    sender.send(&publish_v3("r", b"", 1 | RETAIN, 1)).await;
    sender.expect(0x40).await;
    assert_eq!(receiver.message().await.1, b"");
    receiver.subscribe("r", 0).await;
    receiver.assert_silent().await;
}

/// Five hundred retained messages all arrive at one wildcard, with QoS 0 and with QoS 1.
#[tokio::test]
async fn a_wildcard_gets_every_retained_message() {
    let site = Site::start().await;
    for number in 0..500_u32 {
        site.broker.publish(&format!("r/{number}"), number.to_string(), Retain::Keep).await.unwrap();
    }
    for qos in [0, 1] {
        let mut receiver = site.v3("admin").await;
        receiver.subscribe("r/#", qos).await;
        let mut found = Vec::new();
        for _ in 0..500 {
            found.push(receiver.message().await.0);
        }
        found.sort();
        found.dedup();
        assert_eq!(found.len(), 500);
        receiver.assert_silent().await;
    }
}

/// Beyond the budget a message is delivered but not kept, and what is kept stays.
#[tokio::test]
async fn the_budget_of_retained_bytes_holds() {
    let site = Site::with(Config { retained_bytes_max: 2_000, ..Config::default() }).await;
    site.broker.publish("small", "1", Retain::Keep).await.unwrap();
    let mut present = site.v3("admin").await;
    present.subscribe("large", 0).await;
    site.broker.publish("large", vec![0; 3_000], Retain::Keep).await.unwrap();
    assert_eq!(present.message().await.1.len(), 3_000);
    let mut late = site.v3("admin").await;
    late.subscribe("#", 0).await;
    assert_eq!(late.message().await.0, "small");
    late.assert_silent().await;
}

/// MQTT 5: retain as published keeps the mark, and an expired message is gone.
#[tokio::test]
async fn retain_as_published_keeps_the_mark() {
    let site = Site::start().await;
    let mut receiver = site.raw().await;
    receiver.login(&Hello::v5("admin")).await;
    receiver.subscribe_5("r", 0x08).await;
    let mut sender = site.v5("admin").await;
    sender.send(&publish_v5("r", b"1", RETAIN, 0, &[0x02, 0, 0, 0, 100])).await;
    let arrived = receiver.arrived_5().await;
    assert!(arrived.is_retained());
    assert_eq!(arrived.properties[..4], [0x02, 0, 0, 0]);
    sender.send(&publish_v5("r", b"2", RETAIN, 0, &[0x02, 0, 0, 0, 0])).await;
    sender.assert_silent().await;
    let mut late = site.v5("admin").await;
    late.subscribe_5("r", 0).await;
    late.assert_silent().await;
}

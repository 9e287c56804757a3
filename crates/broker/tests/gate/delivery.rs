//! Messages arrive as the standard says: quality of service, order, properties, limits of the receiver.

use std::sync::atomic::Ordering;

use broker::Retain;
use bytes::Bytes;
use rumqttc::QoS;

use crate::support::{Hello, REPEATED, Raw, Site, packet, publish_v3, publish_v5, subscribe_v5};

/// A message arrives with the smaller of both qualities, never with a larger one.
#[tokio::test]
async fn the_smaller_quality_of_service_wins() {
    let site = Site::start().await;
    for subscribed in 0..3 {
        let mut receiver = site.v3("admin").await;
        receiver.subscribe("q", subscribed).await;
        let mut sender = site.v3("admin").await;
        for published in 0..3 {
            sender.send(&publish_v3("q", &[published], published, 7)).await;
            finish_sending(&mut sender, published, 7).await;
            let arrived = receiver.arrived().await;
            assert_eq!((arrived.qos(), arrived.payload), (published.min(subscribed), vec![published]));
            finish_receiving(&mut receiver, published.min(subscribed), arrived.id).await;
        }
    }
}

async fn finish_sending(sender: &mut Raw, qos: u8, id: u8) {
    match qos {
        0 => {}
        1 => assert_eq!(sender.expect(0x40).await, [0, id]),
        _ => {
            assert_eq!(sender.expect(0x50).await, [0, id]);
            sender.send(&packet(0x62, &[0, id])).await;
            assert_eq!(sender.expect(0x70).await, [0, id]);
        }
    }
}

async fn finish_receiving(receiver: &mut Raw, qos: u8, id: u16) {
    let id = id.to_be_bytes();
    match qos {
        0 => {}
        1 => receiver.send(&packet(0x40, &id)).await,
        _ => {
            receiver.send(&packet(0x50, &id)).await;
            assert_eq!(receiver.expect(0x62).await, id);
            receiver.send(&packet(0x70, &id)).await;
        }
    }
}

/// A QoS 2 message that is sent twice is delivered once, and the message after it is not lost.
#[tokio::test]
async fn a_repeated_qos_2_message_is_delivered_once() {
    let site = Site::start().await;
    let mut receiver = site.v3("admin").await;
    receiver.subscribe("two", 0).await;
    let mut sender = site.v3("admin").await;
    sender.send(&publish_v3("two", b"1", 2, 5)).await;
    assert_eq!(sender.expect(0x50).await, [0, 5]);
    sender.send(&publish_v3("two", b"1", 2 | REPEATED, 5)).await;
    assert_eq!(sender.expect(0x50).await, [0, 5]);
    sender.send(&packet(0x62, &[0, 5])).await;
    assert_eq!(sender.expect(0x70).await, [0, 5]);
    sender.send(&publish_v3("two", b"2", 2, 5)).await;
    assert_eq!(sender.expect(0x50).await, [0, 5]);
    assert_eq!(receiver.message().await.1, b"1");
    assert_eq!(receiver.message().await.1, b"2");
    receiver.assert_silent().await;
}

/// The release may come after a reconnect, and in any order.
#[tokio::test]
async fn qos_2_goes_on_after_a_reconnect_and_out_of_order() {
    let site = Site::start().await;
    let mut ear = site.listen();
    let mut receiver = site.v3("admin").await;
    receiver.subscribe("Meter-1", 2).await;
    let hello = Hello::v3("Meter-1").kept("m1");
    let mut sender = site.raw().await;
    sender.login(&hello).await;
    for id in [1, 2] {
        sender.send(&publish_v3("Meter-1", &[id], 2, u16::from(id))).await;
        assert_eq!(sender.expect(0x50).await, [0, id]);
    }
    sender.cut();
    ear.disconnected("Meter-1").await;
    let mut sender = site.raw().await;
    assert_eq!(sender.login(&hello).await, [1, 0]);
    sender.send(&publish_v3("Meter-1", &[1], 2 | REPEATED, 1)).await;
    assert_eq!(sender.expect(0x50).await, [0, 1]);
    for id in [2, 1] {
        sender.send(&packet(0x62, &[0, id])).await;
        assert_eq!(sender.expect(0x70).await, [0, id]);
    }
    assert_eq!(receiver.message().await.1, [1]);
    assert_eq!(receiver.message().await.1, [2]);
    receiver.assert_silent().await;
}

/// Nothing is acknowledged, and nobody else sees it, before the authority has taken it.
#[tokio::test]
async fn a_message_is_acknowledged_only_when_it_is_stored() {
    let site = Site::start().await;
    let mut receiver = site.v3("admin").await;
    receiver.subscribe("Meter-1", 0).await;
    let mut sender = site.v3("Meter-1").await;
    let permits = site.house.storage.forget_permits(usize::MAX);
    assert!(permits > 0);
    sender.send(&publish_v3("Meter-1", b"x", 1, 1)).await;
    receiver.assert_silent().await;
    site.house.storage.add_permits(1);
    assert_eq!(sender.expect(0x40).await, [0, 1]);
    assert_eq!(receiver.message().await.1, b"x");
}

/// While nothing can be stored: no acknowledgement for MQTT 3.1.1, a reason for MQTT 5, and both stay connected.
#[tokio::test]
async fn what_cannot_be_stored_is_not_acknowledged() {
    let site = Site::start().await;
    let mut receiver = site.v3("admin").await;
    receiver.subscribe("#", 0).await;
    let mut older = site.v3("Meter-1").await;
    let mut newer = site.v5("Meter-2").await;
    site.house.storage_fails.store(true, Ordering::SeqCst);
    for qos in [1, 2] {
        older.send(&publish_v3("Meter-1", b"x", qos, 1)).await;
        older.assert_silent().await;
        newer.send(&publish_v5("Meter-2", b"x", qos, 1, &[])).await;
        assert_eq!(newer.expect(if qos == 1 { 0x40 } else { 0x50 }).await, [0, 1, 0x97]);
    }
    receiver.assert_silent().await;
    site.house.storage_fails.store(false, Ordering::SeqCst);
    older.send(&publish_v3("Meter-1", b"again", 1 | REPEATED, 1)).await;
    assert_eq!(older.expect(0x40).await, [0, 1]);
    assert_eq!(receiver.message().await.1, b"again");
}

/// What this program publishes arrives with QoS 1, in order, and with QoS 0 where that was asked for.
#[tokio::test]
async fn the_program_itself_publishes_with_qos_1() {
    let site = Site::start().await;
    let mut sure = site.v3("Charger-1").await;
    sure.subscribe("Charger-1", 2).await;
    let mut fast = site.v5("Charger-1").await;
    fast.subscribe_5("Charger-1", 0).await;
    for number in 0..50_u8 {
        site.broker.publish("Charger-1", vec![number], Retain::Pass).await.unwrap();
    }
    for number in 0..50 {
        let arrived = sure.arrived().await;
        assert_eq!((arrived.qos(), arrived.payload), (1, vec![number]));
        finish_receiving(&mut sure, 1, arrived.id).await;
        let arrived = fast.arrived_5().await;
        assert_eq!((arrived.qos(), arrived.payload), (0, vec![number]));
    }
    for topic in ["", "a/+", "$SYS/x", "a\0"] {
        assert!(site.broker.publish(topic, Bytes::new(), Retain::Pass).await.is_err(), "{topic:?}");
    }
}

/// Many messages of many sizes arrive all and in order: neither the router's small logs nor the queues lose any on the way.
#[tokio::test]
async fn many_messages_arrive_in_order() {
    let site = Site::start().await;
    let mut receiver = site.client("admin");
    receiver.subscribe("Meter-1/#", QoS::AtLeastOnce).await;
    let sender = site.client("Meter-1");
    let sending = tokio::spawn(async move {
        for number in 0..3_000_u32 {
            let mut payload = number.to_be_bytes().to_vec();
            payload.resize(4 + usize::try_from(number * 7 % 900).unwrap(), b'x');
            let topic = format!("Meter-1/{}", number % 5);
            sender.client.publish(topic, QoS::AtLeastOnce, false, payload).await.unwrap();
        }
        sender
    });
    for number in 0..3_000_u32 {
        let message = receiver.message().await;
        assert_eq!(message.payload[..4], number.to_be_bytes());
    }
    drop(sending.await.unwrap());
}

/// A burst from this program that is larger than all logs of the router arrives whole at a reader that keeps up.
#[tokio::test]
async fn a_burst_of_large_messages_arrives_whole() {
    let site = Site::start().await;
    let mut receiver = site.client("Charger-1");
    receiver.subscribe("Charger-1", QoS::AtMostOnce).await;
    for round in 0..40_u8 {
        for part in 0..5_u8 {
            site.broker.publish("Charger-1", vec![round * 5 + part; 20_000], Retain::Pass).await.unwrap();
        }
        for part in 0..5_u8 {
            assert_eq!(receiver.message().await.payload, vec![round * 5 + part; 20_000]);
        }
    }
}

/// MQTT 5: a subscriber that asked for it does not get its own messages, others do.
#[tokio::test]
async fn no_local_keeps_own_messages_away() {
    let site = Site::start().await;
    let mut own = site.v5("Charger-1").await;
    own.subscribe_5("Charger-1", 0x04 | 1).await;
    let mut other = site.v5("Charger-1").await;
    other.subscribe_5("Charger-1", 1).await;
    own.send(&publish_v5("Charger-1", b"x", 1, 1, &[])).await;
    own.expect(0x40).await;
    assert_eq!(other.arrived_5().await.payload, b"x");
    own.assert_silent().await;
    site.broker.publish("Charger-1", "y", Retain::Pass).await.unwrap();
    assert_eq!(own.arrived_5().await.payload, b"y");
}

/// MQTT 5: the receiver's maximum of unacknowledged messages holds, and the rest follows as it acknowledges.
#[tokio::test]
async fn the_receive_maximum_holds() {
    let site = Site::start().await;
    let mut receiver = site.raw().await;
    receiver.login(&Hello { properties: vec![0x21, 0, 2], ..Hello::v5("Charger-1") }).await;
    receiver.subscribe_5("Charger-1", 1).await;
    for number in 0..5_u8 {
        site.broker.publish("Charger-1", vec![number], Retain::Pass).await.unwrap();
    }
    let first = receiver.arrived_5().await;
    let second = receiver.arrived_5().await;
    receiver.assert_silent().await;
    receiver.send(&packet(0x40, &second.id.to_be_bytes())).await;
    assert_eq!(receiver.arrived_5().await.payload, [2]);
    receiver.assert_silent().await;
    receiver.send(&packet(0x40, &first.id.to_be_bytes())).await;
    assert_eq!(receiver.arrived_5().await.payload, [3]);
}

/// MQTT 5: a message larger than the receiver takes is left out, the next one arrives.
#[tokio::test]
async fn the_receivers_packet_size_holds() {
    let site = Site::start().await;
    let mut receiver = site.raw().await;
    receiver.login(&Hello { properties: vec![0x27, 0, 0, 0, 50], ..Hello::v5("Charger-1") }).await;
    receiver.subscribe_5("Charger-1", 1).await;
    site.broker.publish("Charger-1", vec![0; 100], Retain::Pass).await.unwrap();
    site.broker.publish("Charger-1", "small", Retain::Pass).await.unwrap();
    assert_eq!(receiver.arrived_5().await.payload, b"small");
}

/// MQTT 5: each message tells by which subscriptions it comes; where two overlap, it comes once and names both.
#[tokio::test]
async fn subscription_identifiers_are_told() {
    let site = Site::start().await;
    let mut receiver = site.v5("Meter-1").await;
    receiver.send(&subscribe_v5(1, "Meter-1/#", 0, &[0x0B, 7])).await;
    receiver.expect(0x90).await;
    receiver.send(&subscribe_v5(2, "Meter-1/a", 0, &[0x0B, 0x80, 0x01])).await;
    receiver.expect(0x90).await;
    site.broker.publish("Meter-1/b", "x", Retain::Pass).await.unwrap();
    assert_eq!(receiver.arrived_5().await.properties, [0x0B, 7]);
    site.broker.publish("Meter-1/a", "x", Retain::Pass).await.unwrap();
    assert_eq!(receiver.arrived_5().await.properties, [0x0B, 7, 0x0B, 0x80, 0x01]);
    site.broker.publish("Meter-1/b", "y", Retain::Pass).await.unwrap();
    assert_eq!(receiver.arrived_5().await.properties, [0x0B, 7], "and not once more");
}

/// After the end of a subscription nothing more of it arrives, and it can be made again.
#[tokio::test]
async fn an_unsubscribed_filter_is_silent() {
    let site = Site::start().await;
    let mut receiver = site.v5("Meter-1").await;
    receiver.subscribe_5("Meter-1", 1).await;
    for _ in 0..3 {
        site.broker.publish("Meter-1", "x", Retain::Pass).await.unwrap();
        assert_eq!(receiver.arrived_5().await.payload, b"x");
        let mut body = vec![0, 9, 0];
        body.extend(crate::support::text("Meter-1"));
        body.extend(crate::support::text("never/subscribed"));
        receiver.send(&packet(0xA2, &body)).await;
        assert_eq!(receiver.expect(0xB0).await, [0, 9, 0, 0, 0x11]);
        site.broker.publish("Meter-1", "y", Retain::Pass).await.unwrap();
        receiver.assert_silent().await;
        receiver.subscribe_5("Meter-1", 1).await;
    }
}

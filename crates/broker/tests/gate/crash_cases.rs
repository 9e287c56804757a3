//! Every packet or sequence that kills a stock rumqttd 0.20, harmless through the gate.

use broker::Config;

use crate::support::{GOODBYE, Hello, PATIENCE, Site, packet, publish_v3, publish_v5, subscribe_v3, subscribe_v5};

/// Case 1: the router cuts a topic after its first byte. Through the gate such a topic is just a topic.
#[tokio::test]
async fn a_topic_that_begins_with_a_long_character_is_delivered() {
    let site = Site::start().await;
    let mut receiver = site.v3("admin").await;
    receiver.subscribe("#", 0).await;
    let mut sender = site.v3("admin").await;
    sender.send(&publish_v3("é/x", b"3", 0, 0)).await;
    let mut sender = site.v5("admin").await;
    sender.send(&publish_v5("€", b"5", 0, 0, &[])).await;
    let mut both = [receiver.message().await, receiver.message().await];
    both.sort();
    assert_eq!(both, [("é/x".to_owned(), b"3".to_vec()), ("€".to_owned(), b"5".to_vec())]);
    site.assert_works().await;
}

/// Case 1 once more, as the topic of a will.
#[tokio::test]
async fn a_will_on_a_topic_that_begins_with_a_long_character_is_delivered() {
    let site = Site::start().await;
    let mut receiver = site.v3("admin").await;
    receiver.subscribe("é/#", 0).await;
    for hello in [Hello::v3("admin"), Hello::v5("admin")] {
        let mut dying = site.raw().await;
        let will = Some(("é/gone".to_owned(), b"x".to_vec(), 0, Vec::new()));
        dying.login(&Hello { will, ..hello }).await;
        dying.cut();
        assert_eq!(receiver.message().await.0, "é/gone");
    }
    site.assert_works().await;
}

/// Case 2: the only member of a shared subscription leaves with an unacknowledged message. There are no shared subscriptions here.
#[tokio::test]
async fn a_shared_subscription_is_refused() {
    let site = Site::start().await;
    let mut client = site.raw().await;
    client.login(&Hello::v3("admin").kept("shared")).await;
    client.send(&subscribe_v3(1, "$share/g/t", 1)).await;
    assert_eq!(client.expect(0x90).await, [0, 1, 0x80]);
    client.send(&publish_v3("t", b"x", 1, 1)).await;
    client.expect(0x40).await;
    client.goodbye().await;
    let mut client = site.v5("admin").await;
    client.send(&subscribe_v5(1, "$share/g/t", 1, &[])).await;
    assert_eq!(client.expect(0x90).await, [0, 1, 0, 0x9E]);
    site.assert_works().await;
}

/// Case 3: a slow subscriber is taken over, the newer connection leaves, the older socket drains.
#[tokio::test]
async fn a_slow_subscriber_that_is_taken_over_does_no_harm() {
    let site = Site::start().await;
    let mut slow = site.raw().await;
    let hello = Hello { client_id: "slow".to_owned(), ..Hello::v3("admin") };
    slow.login(&hello).await;
    slow.subscribe("flood", 0).await;
    let mut sender = site.v3("admin").await;
    for _ in 0..3_000 {
        sender.send(&publish_v3("flood", &[b'x'; 2_000], 0, 0)).await;
    }
    sender.assert_silent().await;
    let mut newer = site.raw().await;
    newer.login(&hello).await;
    newer.goodbye().await;
    slow.expect_closed().await;
    site.assert_works().await;
}

/// Case 4: a client id that the router does not like, twice.
#[tokio::test]
async fn client_ids_that_the_router_refuses_are_fine() {
    let site = Site::start().await;
    for client_id in ["a/b", "a/b", "$a", "#", "+", "é", "a b", " "] {
        let mut client = site.raw().await;
        let hello = Hello { client_id: client_id.to_owned(), ..Hello::v3("admin") };
        assert_eq!(client.login(&hello).await, [0, 0], "{client_id}");
        client.subscribe("a/b", 1).await;
    }
    site.assert_works().await;
}

/// Case 5: the limit of connections is reached and somebody insists. The listener lives on, and a place that is free is given away.
#[tokio::test]
async fn reaching_the_limit_of_connections_refuses_one_connection_only() {
    let site = Site::with(Config { connections_max: 3, ..Config::default() }).await;
    let mut ear = site.listen();
    let first = site.v3("admin").await;
    let _second = site.v3("admin").await;
    let _third = site.v3("admin").await;
    for _ in 0..10 {
        let mut extra = site.raw().await;
        extra.expect_closed().await;
    }
    first.goodbye().await;
    ear.disconnected("admin").await;
    let again = async {
        loop {
            let mut client = site.raw().await;
            client.send(&Hello::v3("admin").bytes()).await;
            if let Some((first, body)) = client.packet().await {
                return (first, body);
            }
        }
    };
    assert_eq!(tokio::time::timeout(PATIENCE, again).await.unwrap(), (0x20, vec![0, 0]));
}

/// Case 6: packets that only a server may send. Each costs its sender the connection, and no place is lost.
#[tokio::test]
async fn packets_of_a_server_end_the_connection_and_give_the_place_back() {
    let site = Site::with(Config { connections_max: 10, ..Config::default() }).await;
    for round in 0..3 {
        for (first, body) in
            [(0x20, vec![0, 0, 0]), (0x90, vec![0, 1, 0, 0]), (0xB0, vec![0, 1, 0, 0]), (0xD0, vec![]), (0xF0, vec![0])]
        {
            for hello in [Hello::v5("admin"), Hello::v3("admin")] {
                let mut client = site.raw().await;
                let connack = tokio::time::timeout(PATIENCE, async {
                    loop {
                        client.send(&hello.bytes()).await;
                        match client.packet().await {
                            Some(connack) => return connack,
                            // The place of the one before is not free yet.
                            None => client = site.raw().await,
                        }
                    }
                });
                assert_eq!(connack.await.unwrap().1[..2], [0, 0], "round {round}");
                client.send(&packet(first, &body)).await;
                let reason = client.expect_closed().await;
                assert_eq!(reason, if hello.level == 5 { Some(0x82) } else { None }, "{first:#x}");
            }
        }
    }
    site.assert_works().await;
}

/// Case 7: properties of MQTT 5 on their way to a subscriber with MQTT 3.1.1.
#[tokio::test]
async fn properties_do_not_disturb_an_older_subscriber() {
    let site = Site::start().await;
    let mut older = site.v3("admin").await;
    older.subscribe("p", 1).await;
    let mut newer = site.v5("admin").await;
    newer.subscribe_5("p", 1).await;
    let mut sender = site.v5("admin").await;
    // Payload format, content type, response topic, correlation data, user property.
    let mut properties = vec![0x01, 1, 0x03, 0, 1, b't', 0x08, 0, 1, b'r', 0x09, 0, 1, 9];
    properties.extend([0x26, 0, 1, b'k', 0, 1, b'v']);
    sender.send(&publish_v5("p", b"x", 1, 1, &properties)).await;
    sender.expect(0x40).await;
    assert_eq!(older.message().await, ("p".to_owned(), b"x".to_vec()));
    assert_eq!(newer.arrived_5().await.properties, properties);
    older.assert_silent().await;
}

/// A packet larger than allowed, and one that only claims to be, end the connection before anything is stored.
#[tokio::test]
async fn oversized_packets_end_the_connection() {
    let site = Site::with(Config { packet_bytes_max: 1_000, ..Config::default() }).await;
    let mut client = site.v5("admin").await;
    client.send(&[0x30, 0xFF, 0xFF, 0xFF, 0x7F]).await;
    assert_eq!(client.expect_closed().await, Some(0x95));
    let mut client = site.v3("admin").await;
    client.send(&publish_v3("a", &[0; 2_000], 0, 0)[..1_500]).await;
    client.expect_closed().await;
    let mut stranger = site.raw().await;
    stranger.send(&[0x10, 0xFF, 0xFF, 0xFF, 0x7F]).await;
    stranger.expect_closed().await;
    site.assert_works().await;
}

/// Acknowledgements nobody asked for are ignored, as the standard lets clients repeat them; each gets its proper answer.
#[tokio::test]
async fn unsolicited_acknowledgements_are_harmless() {
    let site = Site::start().await;
    let mut client = site.v3("admin").await;
    for first in [0x40, 0x50, 0x62, 0x70] {
        client.send(&packet(first, &[0, 9])).await;
    }
    assert_eq!(client.expect(0x62).await, [0, 9]);
    assert_eq!(client.expect(0x70).await, [0, 9]);
    client.assert_silent().await;
    let mut client = site.v5("admin").await;
    client.send(&packet(0x50, &[0, 9])).await;
    assert_eq!(client.expect(0x62).await, [0, 9, 0x92]);
    client.send(&packet(0x62, &[0, 9])).await;
    assert_eq!(client.expect(0x70).await, [0, 9, 0x92]);
    client.send(&GOODBYE).await;
    site.assert_works().await;
}

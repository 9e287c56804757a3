//! Who may log in, publish and subscribe, and that every message carries its sender.

use broker::{Attempt, Incoming, Origin, Protocol, QoS, Standing};

use crate::support::{Hello, Site, Told, packet, publish_bytes, publish_v3, publish_v5, subscribe_v3, subscribe_v5};

/// Both versions are served on one port, and each gets refusals in its own words.
#[tokio::test]
async fn a_wrong_password_is_refused_in_the_words_of_each_version() {
    let site = Site::start().await;
    let mut ear = site.listen();
    for (hello, code) in [(Hello::v3("Charger-1"), 5), (Hello::v5("Charger-1"), 0x86)] {
        let mut client = site.raw().await;
        let connack = client.login(&Hello { password: Some("wrong".to_owned()), ..hello }).await;
        assert_eq!(connack[..2], [0, code]);
        client.expect_closed().await;
        match ear.refused().await {
            Attempt::Login { user, reason, .. } => {
                assert_eq!(user.as_deref(), Some("Charger-1"));
                assert!(reason.contains("wrong"), "{reason}");
            }
            other => panic!("{other:?}"),
        }
    }
    let mut client = site.raw().await;
    assert_eq!(client.login(&Hello::v5("banned")).await[..2], [0, 0x8A]);
    assert_eq!(site.raw().await.login(&Hello::v3("Charger-1")).await, [0, 0]);
    assert_eq!(site.raw().await.login(&Hello::v5("Charger-1")).await[..2], [0, 0]);
}

/// A password is bytes, not text, and is never shown.
#[tokio::test]
async fn a_login_does_not_show_its_password() {
    let login = broker::Login {
        client_id: "c".to_owned(),
        user: Some("u".to_owned()),
        password: Some(b"secret".to_vec()),
        peer: "127.0.0.1:1".parse().unwrap(),
        protocol: Protocol::V5,
    };
    let shown = format!("{login:?}");
    assert!(shown.contains("***") && !shown.contains("secret") && !shown.contains("115"), "{shown}");
}

/// Versions that are not spoken are told so; what is no MQTT at all is just closed.
#[tokio::test]
async fn other_protocols_are_turned_away() {
    let site = Site::start().await;
    for (level, connack) in [(3_u8, vec![0_u8, 1]), (6, vec![0, 0x84])] {
        let mut client = site.raw().await;
        client.send(&Hello { level, ..Hello::v3("admin") }.bytes()).await;
        assert_eq!(client.expect(0x20).await[..2], connack);
    }
    let mut browser = site.raw().await;
    browser.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    browser.expect_closed().await;
    site.assert_works().await;
}

/// An empty client id is replaced; MQTT 5 is told by what. Keeping a session under no name is refused.
#[tokio::test]
async fn an_empty_client_id_is_replaced() {
    let site = Site::start().await;
    let nameless = |hello: Hello| Hello { client_id: String::new(), ..hello };
    assert_eq!(site.raw().await.login(&nameless(Hello::v3("admin"))).await, [0, 0]);
    let mut client = site.raw().await;
    let connack = client.login(&nameless(Hello::v5("admin"))).await;
    assert!(String::from_utf8_lossy(&connack).contains("auto-"), "{connack:?}");
    let kept = Hello { clean: false, ..nameless(Hello::v3("admin")) };
    assert_eq!(site.raw().await.login(&kept).await, [0, 2]);
}

/// A foreign filter is refused in its place of the answer, the others are granted, and the authority is told.
#[tokio::test]
async fn a_foreign_filter_is_refused() {
    let site = Site::start().await;
    let mut ear = site.listen();
    let mut client = site.v3("Charger-1").await;
    let mut body = vec![0, 5];
    for filter in ["Charger-1", "Charger-2", "#", "Charger-1/+"] {
        body.extend(crate::support::text(filter));
        body.push(1);
    }
    client.send(&packet(0x82, &body)).await;
    assert_eq!(client.expect(0x90).await, [0, 5, 1, 0x80, 0x80, 1]);
    match ear.refused().await {
        Attempt::Subscribe { who, filter } => assert_eq!((who.name(), filter.as_str()), ("Charger-1", "Charger-2")),
        other => panic!("{other:?}"),
    }
    let mut client = site.v5("Charger-1").await;
    client.send(&subscribe_v5(6, "Charger-2", 1, &[])).await;
    assert_eq!(client.expect(0x90).await, [0, 6, 0, 0x80]);
    let mut other = site.v3("Charger-2").await;
    other.send(&publish_v3("Charger-2", b"secret", 1, 1)).await;
    other.expect(0x40).await;
    client.assert_silent().await;
}

/// A foreign publish reaches nobody. MQTT 5 is told in the acknowledgement; MQTT 3.1.1 has no words for it and is disconnected.
#[tokio::test]
async fn a_foreign_publish_reaches_nobody() {
    let site = Site::start().await;
    let mut ear = site.listen();
    let mut victim = site.v3("Charger-2").await;
    victim.subscribe("Charger-2", 1).await;
    let mut client = site.v5("Charger-1").await;
    client.send(&publish_v5("Charger-2", b"x", 1, 3, &[])).await;
    assert_eq!(client.expect(0x40).await, [0, 3, 0x87]);
    client.send(&publish_v5("Charger-2", b"x", 2, 4, &[])).await;
    assert_eq!(client.expect(0x50).await, [0, 4, 0x87]);
    client.send(&publish_v5("Charger-2", b"x", 0, 0, &[])).await;
    assert_eq!(client.expect_closed().await, Some(0x87));
    let mut client = site.v3("Charger-1").await;
    client.send(&publish_v3("Charger-2", b"x", 1, 3)).await;
    client.expect_closed().await;
    match ear.refused().await {
        Attempt::Publish { who, topic } => assert_eq!((who.name(), topic.as_str()), ("Charger-1", "Charger-2")),
        other => panic!("{other:?}"),
    }
    let reason = ear.disconnected("Charger-1").await;
    assert!(reason.contains("not allowed to publish on \"Charger-2\""), "{reason}");
    victim.assert_silent().await;
}

/// Topics of the server and of nobody: `$` is refused even for somebody who may publish everywhere.
#[tokio::test]
async fn topics_under_a_dollar_are_not_for_clients() {
    let site = Site::start().await;
    let mut client = site.v5("admin").await;
    client.send(&publish_v5("$SYS/x", b"x", 1, 3, &[])).await;
    assert_eq!(client.expect(0x40).await, [0, 3, 0x87]);
    client.send(&subscribe_v5(6, "$SYS/#", 1, &[])).await;
    assert_eq!(client.expect(0x90).await, [0, 6, 0, 0x8F]);
}

/// MQTT 3.1.1 has no word for it: a message under `$` is acknowledged, reaches nobody and is reported; the client stays.
#[tokio::test]
async fn old_clients_survive_a_dollar() {
    let site = Site::start().await;
    let mut ear = site.listen();
    let mut client = site.v3("admin").await;
    client.send(&publish_v3("$SYS/x", b"x", 1, 3)).await;
    assert_eq!(client.expect(0x40).await, [0, 3]);
    assert!(matches!(ear.refused().await, Attempt::Publish { topic, .. } if topic == "$SYS/x"));
    client.send(&publish_v3("$SYS/x", b"x", 2, 4)).await;
    assert_eq!(client.expect(0x50).await, [0, 4]);
}

/// An MQTT 5 client that asks for a long keep-alive time is told the longest one; 0 stays 0.
#[tokio::test]
async fn keep_alive_is_bounded() {
    let site = Site::start().await;
    for (asked, told) in [(120_u16, true), (60, false), (0, false)] {
        let connack = site.raw().await.login(&Hello { keep_alive_s: asked, ..Hello::v5("admin") }).await;
        let has = connack.windows(3).any(|part| part == [0x13, 0, 60]);
        assert_eq!(has, told, "asked for {asked}: {connack:?}");
    }
}

/// The message carries who sent it, proven at the login, whatever the payload or the client id claims.
#[tokio::test]
async fn every_message_carries_its_sender() {
    let site = Site::start().await;
    let mut ear = site.listen();
    let mut client = site.raw().await;
    client.login(&Hello { client_id: "Charger-2".to_owned(), ..Hello::v3("Charger-1") }).await;
    client.send(&publish_v3("Charger-1", b"{\"from\":\"Charger-2\"}", 1, 1)).await;
    client.expect(0x40).await;
    let Incoming { who, client_id, topic, payload, qos, retain, origin } = ear.received().await;
    assert_eq!((who.name(), who.standing()), ("Charger-1", Standing::Trusted));
    assert_eq!((client_id.as_str(), topic.as_str()), ("Charger-2", "Charger-1"));
    assert_eq!(payload, &b"{\"from\":\"Charger-2\"}"[..]);
    assert_eq!((qos, retain, origin), (QoS::AtLeastOnce, false, Origin::Device));
}

/// Somebody unknown may say hello and nothing else, and leaves no session behind.
#[tokio::test]
async fn quarantine_allows_hello_only() {
    let site = Site::start().await;
    let mut ear = site.listen();
    let mut guest = site.raw().await;
    let hello = Hello { user: None, password: None, ..Hello::v5("x").kept("guest") };
    assert_eq!(guest.login(&hello).await[..2], [0, 0]);
    let standing = ear
        .hear(|told| if let Told::Connected { name, standing, .. } = told { Some((name, standing)) } else { None })
        .await;
    assert_eq!(standing, ("guest".to_owned(), Standing::Quarantined));
    guest.send(&publish_v5("hello/new", b"here I am", 1, 1, &[])).await;
    assert_eq!(guest.expect(0x40).await, [0, 1]);
    assert_eq!(ear.received().await.who.standing(), Standing::Quarantined);
    guest.send(&publish_v5("Counter-1", b"x", 1, 2, &[])).await;
    assert_eq!(guest.expect(0x40).await, [0, 2, 0x87]);
    guest.send(&subscribe_v5(3, "hello/new", 1, &[])).await;
    assert_eq!(guest.expect(0x90).await, [0, 3, 0, 0x80]);
    guest.cut();
    ear.disconnected("guest").await;
    assert_eq!(site.raw().await.login(&hello).await[..2], [0, 0], "a session was kept");
}

/// Topics that must never be published on end the connection; so do packets that hold something malformed.
#[tokio::test]
async fn malformed_publishes_end_the_connection() {
    let site = Site::start().await;
    for topic in [&b"a/+/b"[..], b"#", b"", b"a\0b", b"a\xFFb", b"\xED\xA0\x80", b"a\nb"] {
        let mut client = site.v3("admin").await;
        client.send(&publish_bytes(topic, b"x", 0, 0, None)).await;
        client.expect_closed().await;
        let mut client = site.v5("admin").await;
        client.send(&publish_bytes(topic, b"x", 0, 0, Some(&[]))).await;
        assert!(matches!(client.expect_closed().await, Some(0x81 | 0x90)), "{topic:?}");
    }
    // QoS 3; QoS 0 repeated; packet id 0; a topic alias; a subscription identifier; a property of a CONNACK.
    let bad: [&[u8]; 6] = [
        &[0x36, 6, 0, 1, b'a', 0, 1, 0],
        &[0x38, 4, 0, 1, b'a', 0],
        &[0x32, 6, 0, 1, b'a', 0, 0, 0],
        &[0x30, 7, 0, 1, b'a', 3, 0x23, 0, 1],
        &[0x30, 6, 0, 1, b'a', 2, 0x0B, 1],
        &[0x30, 6, 0, 1, b'a', 2, 0x25, 1],
    ];
    for bytes in bad {
        let mut client = site.v5("admin").await;
        client.send(bytes).await;
        assert!(client.expect_closed().await.is_some_and(|reason| reason >= 0x80), "{bytes:?}");
    }
    site.assert_works().await;
}

/// Filters with misplaced wildcards are refused, not acknowledged.
#[tokio::test]
async fn malformed_filters_are_refused() {
    let site = Site::start().await;
    let mut client = site.v3("admin").await;
    for filter in ["a/#/b", "a#", "#a", "a+/b", "++", "", "$SYS/#", "a\u{7}b"] {
        client.send(&subscribe_v3(1, filter, 0)).await;
        assert_eq!(client.expect(0x90).await, [0, 1, 0x80], "{filter:?}");
    }
    for filter in ["#", "+", "a/+/b", "a/#", "/", "//+", "é/#"] {
        client.send(&subscribe_v3(1, filter, 0)).await;
        assert_eq!(client.expect(0x90).await, [0, 1, 0], "{filter:?}");
    }
}

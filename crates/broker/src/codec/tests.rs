//! The codec against bytes of its own making and against bytes of nobody's.

use bytes::{Bytes, BytesMut};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::{Protocol, QoS};

const TOPIC_BYTES_MAX: usize = 100;

/// Printed by a failing test, so that it can be repeated.
const SEED: u64 = 0x636F_6465;

fn read(bytes: &[u8], protocol: Protocol) -> Result<Packet, Fault> {
    let mut buffer = BytesMut::from(bytes);
    let frame = take_frame(&mut buffer, 1_000)?.expect("a whole packet");
    assert!(buffer.is_empty(), "bytes were left over");
    read_packet(frame, protocol, TOPIC_BYTES_MAX)
}

/// Whatever comes, the codec answers with a packet or a fault, and never takes more or less than one packet from the buffer.
#[test]
fn no_bytes_make_the_codec_panic() {
    println!("seed {SEED:#x}");
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    for _ in 0..300_000 {
        let kind: u8 = rng.random_range(0..16);
        let length = rng.random_range(0..40_u8);
        let mut bytes = vec![kind << 4 | if rng.random() { 2 } else { rng.random_range(0..16) }, length];
        // Small numbers make lengths and identifiers that fit more often.
        bytes.extend((0..length).map(|_| if rng.random() { rng.random_range(0..8) } else { rng.random() }));
        let mut buffer = BytesMut::from(bytes.as_slice());
        let Ok(Some(frame)) = take_frame(&mut buffer, 1_000) else { panic!("the length is right") };
        assert!(buffer.is_empty());
        drop(read_connect(frame.clone(), TOPIC_BYTES_MAX));
        drop(read_packet(frame.clone(), Protocol::V311, TOPIC_BYTES_MAX));
        drop(read_packet(frame, Protocol::V5, TOPIC_BYTES_MAX));
    }
}

/// Noise as a stream: the length is only trusted within its limit.
#[test]
fn no_stream_makes_the_codec_panic() {
    println!("seed {SEED:#x}");
    let mut rng = ChaCha8Rng::seed_from_u64(SEED + 1);
    for _ in 0..50_000 {
        let length = rng.random_range(0..12);
        let mut buffer: BytesMut = (0..length).map(|_| rng.random::<u8>()).collect();
        while let Ok(Some(_)) = take_frame(&mut buffer, 1_000) {}
    }
}

/// What is written is read back as it was: topic, payload, quality, identifier, properties.
#[test]
fn a_written_publish_is_read_back() {
    for protocol in [Protocol::V311, Protocol::V5] {
        for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
            let id = if qos == QoS::AtMostOnce { 0 } else { 7 };
            let properties = if protocol == Protocol::V5 {
                Bytes::from_static(&[0x26, 0, 1, b'k', 0, 1, b'v'])
            } else {
                Bytes::new()
            };
            let delivery = Delivery {
                topic: Bytes::from_static("é/x".as_bytes()),
                payload: Bytes::from(vec![9; 300]),
                qos,
                retain: true,
                repeated: false,
                id,
                expiry_s: None,
                subscription_ids: Vec::new(),
                properties: properties.clone(),
            };
            let mut out = BytesMut::new();
            write_publish(&mut out, protocol, &delivery);
            let Ok(Packet::Publish(publish)) = read(&out, protocol) else { panic!("not a publish") };
            assert_eq!((publish.topic.as_str(), publish.payload.len()), ("é/x", 300));
            assert_eq!((publish.qos, publish.id, publish.retain), (qos, id, true));
            assert_eq!(publish.properties, properties);
        }
    }
}

/// The length of a packet is read in all its sizes, and refused when it is too large or endless.
#[test]
fn lengths_are_read_within_the_limit() {
    assert_eq!(frame_length(&[0x30], 1_000), Ok(None));
    assert_eq!(frame_length(&[0x30, 0], 1_000), Ok(Some(2)));
    assert_eq!(frame_length(&[0x30, 0x7F], 1_000), Ok(Some(129)));
    assert_eq!(frame_length(&[0x30, 0x80], 1_000), Ok(None));
    assert_eq!(frame_length(&[0x30, 0x80, 0x01], 1_000), Ok(Some(131)));
    assert_eq!(frame_length(&[0x30, 0xE5, 0x07], 1_000), Ok(Some(1_000)));
    assert!(frame_length(&[0x30, 0xE6, 0x07], 1_000).is_err());
    assert_eq!(frame_length(&[0x30, 0xFF, 0xFF, 0xFF, 0x7F], usize::MAX), Ok(Some(268_435_460)));
    assert!(frame_length(&[0x30, 0xFF, 0xFF, 0xFF, 0xFF], usize::MAX).is_err());
}

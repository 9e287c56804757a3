//! Fuzz targets of the OCPP decoders: captured frames, damaged in every way a socket can damage them.
//!
//! They run on stable Rust for a bounded number of cases, more with `PROPTEST_CASES`; a failing case is kept beside this
//! file and repeated from then on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use ocpp::frame::Frame;
use ocpp::v16::*;
use proptest::prelude::*;

/// Frames as chargers in the field sent them.
const CAPTURED: [&str; 10] = [
    r#"[2,"19223201","BootNotification",{"chargePointVendor":"VendorX","chargePointModel":"SingleSocketCharger"}]"#,
    r#"[2,"a","MeterValues",{"connectorId":1,"transactionId":9223372036854775807,"meterValue":[{"timestamp":"2019-02-01T10:00:00Z","sampledValue":[{"value":"12.0","context":"CurrentMax"}]}]}]"#,
    r#"[2, "b" ,"StopTransaction",{"transactionId":-1,"idTag":"F6CA0CC5","meterStop":12.5,"timestamp":"2023-10-19T15:28:07"}]"#,
    r#"[2,"c","StatusNotification",{"connectorId":"1","status":"Finishing","errorCode":"OtherError","info":null}]"#,
    r#"[3,"1-4",{"configurationKey":[{"key":"localauthlistenabled","readonly":"true","value":" TRUE "}],"unknownKey":[]}]"#,
    r#"[3,"1-5",{"status":"Accepted"}]"#,
    r#"[4,"1-6","NotImplemented","",{}]"#,
    r#"[4,"1-7","GenericError"]"#,
    r#"[2,"d","FirmwareStatusNotification",{"status":"Idle"},"more"]"#,
    r#"[2,17,"Heartbeat",{}]"#,
];

/// What happens to the bytes of a frame.
#[derive(Clone, Debug)]
enum Damage {
    Cut(usize),
    Drop(usize),
    Replace(usize, u8),
    Insert(usize, Vec<u8>),
    Repeat(usize, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        any::<usize>().prop_map(Damage::Cut),
        any::<usize>().prop_map(Damage::Drop),
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Damage::Replace(at, byte)),
        (any::<usize>(), prop::collection::vec(any::<u8>(), 1..8)).prop_map(|(at, more)| Damage::Insert(at, more)),
        (any::<usize>(), any::<usize>()).prop_map(|(at, length)| Damage::Repeat(at, length)),
    ]
}

fn damaged(text: &str, damages: &[Damage]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for damage in damages {
        let len = bytes.len().max(1);
        match damage {
            Damage::Cut(at) => bytes.truncate(at % len),
            Damage::Drop(at) if !bytes.is_empty() => drop(bytes.remove(at % len)),
            Damage::Replace(at, byte) if !bytes.is_empty() => bytes[at % len] = *byte,
            Damage::Insert(at, more) => {
                drop(bytes.splice(at % len..at % len, more.iter().copied()).collect::<Vec<_>>())
            }
            Damage::Repeat(at, length) if bytes.len() < 4096 => {
                let from = at % len;
                let part = bytes[from.min(bytes.len())..(from + length % 40).min(bytes.len())].to_vec();
                bytes.extend(part);
            }
            Damage::Drop(_) | Damage::Replace(..) | Damage::Repeat(..) => {}
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

proptest! {
    /// No text makes the frame reader panic, and what it reads can be written and read again.
    #[test]
    fn frames(which in 0..CAPTURED.len(), damages in prop::collection::vec(damage(), 0..6)) {
        let text = damaged(CAPTURED[which], &damages);
        if let Ok(frame) = Frame::parse(&text) {
            let written = match &frame {
                Frame::Call(call) => call.to_string(),
                Frame::Result(result) => result.to_string(),
                Frame::Error(error) => error.to_string(),
            };
            let again = Frame::parse(&written);
            prop_assert!(again.is_ok(), "{written} is not read again: {:?}", again.err());
        }
    }

    /// No payload of any frame makes the reader of any message panic, and what is read is written or refused in words.
    #[test]
    fn payloads(which in 0..CAPTURED.len(), damages in prop::collection::vec(damage(), 0..4)) {
        let text = damaged(CAPTURED[which], &damages);
        let payload = match Frame::parse(&text) {
            Ok(Frame::Call(call)) => call.payload,
            Ok(Frame::Result(result)) => result.payload,
            Ok(Frame::Error(error)) => error.details,
            Err(_) => text,
        };
        macro_rules! harmless {
            ($name:literal, $message:ty) => {
                let _read = ocpp::read::<$message>(&payload).map(|message| ocpp::write(&message).is_ok());
            };
        }
        ocpp::for_each_v16_message!(harmless);
    }

    /// No text makes the reader of times panic, and a time that is read is one.
    #[test]
    fn times(text in "[0-9TZ:+. -]{0,40}|.{0,40}") {
        let _read = ocpp::DateTime::from_text(text).read();
    }
}

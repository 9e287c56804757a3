//! Frames as they are, as chargers bend them, and as noise.

use super::*;
use proptest::prelude::*;

fn call(text: &str) -> Call {
    match Frame::parse(text) {
        Ok(Frame::Call(call)) => call,
        other => panic!("{text}: {other:?}"),
    }
}

/// The three kinds of frame survive reading and printing.
#[test]
fn every_kind_goes_there_and_back() {
    for text in [
        r#"[2,"19223201","BootNotification",{"chargePointVendor":"V"}]"#,
        r#"[3,"19223201",{"currentTime":"2026-01-01T00:00:00Z"}]"#,
        r#"[4,"162376037","NotSupported","",{}]"#,
    ] {
        assert_eq!(Frame::parse(text).unwrap().to_string(), text);
    }
}

/// What chargers get wrong without changing the meaning is read.
#[test]
fn bent_frames_are_read() {
    assert_eq!(call(r#"[2,"1","Heartbeat"]"#).payload, "{}");
    assert_eq!(call(r#"[2,"1","Heartbeat",null]"#).payload, "{}");
    assert_eq!(call(r#"[2,"1","Heartbeat",""]"#).payload, "{}");
    assert_eq!(call(r#"[2,"1","Heartbeat",{},{},"more",5]"#).payload, "{}");
    assert_eq!(call(r#"["2","1","Heartbeat",{}]"#).action, "Heartbeat");
    assert_eq!(call("\u{feff} [2,\"1\",\"Heartbeat\",{}]\r\n\0").action, "Heartbeat");
    assert_eq!(call(r#"[2,"1","Heartbeat","{\"a\":1}"]"#).payload, "{\"a\":1}");
    assert_eq!(call(r#"[2,"1","Heartbeat",[{"a":1}]]"#).payload, "{\"a\":1}");
    assert_eq!(call("[2,\"1\",\"Authorize\",{\"idTag\":\"A\u{2}\",},]").payload, r#"{"idTag":"A\u0002"}"#);
    assert_eq!(call(r#"[2,"","Heartbeat",{}]"#).id.as_str(), "");
    let long = "x".repeat(2000);
    assert_eq!(call(&format!(r#"[2,"{long}","Heartbeat",{{}}]"#)).id.as_str(), long);
    let call = call(r#"[2,77,"Heartbeat",{}]"#);
    assert_eq!(call.id.as_str(), "77");
    let answer = CallResult { id: call.id, payload: "{}".to_owned() };
    assert_eq!(answer.to_string(), "[3,77,{}]", "a number is answered with a number");
    let error = Frame::parse(r#"[4,"1"]"#).unwrap();
    assert_eq!(error.to_string(), r#"[4,"1","GenericError","",{}]"#);
}

/// What is no frame gives an error that names the fault and the id an answer must carry.
#[test]
fn what_is_no_frame_says_what_is_wrong() {
    let id = || MessageId::new("1");
    for (text, error, answer) in [
        ("", FrameError::NotAList, Some("-1")),
        ("hello", FrameError::NotAList, Some("-1")),
        ("{}", FrameError::NotAList, Some("-1")),
        ("[2,\"1\",\"Heartbeat\",{}", FrameError::NotAList, Some("-1")),
        ("[]", FrameError::Kind { id: None }, Some("-1")),
        ("[9,\"1\"]", FrameError::Kind { id: Some(id()) }, Some("1")),
        ("[2]", FrameError::Id, Some("-1")),
        ("[2,null,\"Heartbeat\",{}]", FrameError::Id, Some("-1")),
        ("[2,\"1\"]", FrameError::Action { id: id() }, Some("1")),
        ("[2,\"1\",7,{}]", FrameError::Action { id: id() }, Some("1")),
        ("[2,\"1\",\"Heartbeat\",7]", FrameError::Payload { id: id(), is_call: true }, Some("1")),
        ("[3,\"1\",[1]]", FrameError::Payload { id: id(), is_call: false }, None),
    ] {
        assert_eq!(Frame::parse(text), Err(error.clone()), "{text}");
        assert_eq!(error.answer_id().as_ref().map(MessageId::as_str), answer, "{text}");
    }
}

/// A description never exceeds what a charger must take, and hostile text stays inside its quotes.
#[test]
fn errors_are_printed_within_bounds() {
    let error = CallError {
        id: MessageId::new("a\"b"),
        code: codes::GENERIC_ERROR.to_owned(),
        description: "ä\"".repeat(300),
        details: "{}".to_owned(),
    };
    let Ok(Frame::Error(read)) = Frame::parse(&error.to_string()) else { panic!("no error frame") };
    assert_eq!(read.id, error.id);
    assert_eq!(read.description.chars().count(), 255);
}

/// JSON made of the pieces frames are made of, in any order.
fn near_frame() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("2".to_owned()),
        Just("3".to_owned()),
        Just("4".to_owned()),
        Just("\"id\"".to_owned()),
        Just("\"Heartbeat\"".to_owned()),
        Just("{}".to_owned()),
        Just("null".to_owned()),
        Just("[[[[".to_owned()),
        "[\\[\\]{}:,\"a-z0-9\\\\]{0,12}",
    ];
    proptest::collection::vec(piece, 0..7).prop_map(|pieces| format!("[{}]", pieces.join(",")))
}

proptest! {
    /// No text makes the reader panic, and what is read prints to something that reads the same.
    #[test]
    fn noise_never_panics(text in prop_oneof![".{0,200}", near_frame()]) {
        if let Ok(frame) = Frame::parse(&text) {
            prop_assert_eq!(Frame::parse(&frame.to_string()), Ok(frame));
        }
    }

    /// Every id and payload goes there and back.
    #[test]
    fn calls_go_there_and_back(id in "[^\\p{C}]{1,36}", action in "[A-Za-z]{1,20}", field in ".{0,20}") {
        let payload = serde_json::json!({ "data": field }).to_string();
        let call = Call { id: MessageId::new(id), action, payload };
        prop_assert_eq!(Frame::parse(&call.to_string()), Ok(Frame::Call(call)));
    }
}

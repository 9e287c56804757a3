//! What holds for every sequence of inputs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod bench;

use bench::*;
use central_system::{Input, Output};
use domain::{CardVerdict, ChargerEvent, MilliAmps, SessionId};
use ocpp::frame::{Call, Frame};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Texts from plain noise to valid calls with noise inside.
fn texts() -> impl Strategy<Value = String> {
    let action = prop_oneof![
        Just("BootNotification"),
        Just("StatusNotification"),
        Just("Authorize"),
        Just("StartTransaction"),
        Just("StopTransaction"),
        Just("MeterValues"),
        Just("Heartbeat"),
        Just("Reset"),
        Just("Unknown"),
    ];
    let scalar = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
        Just(json!("2026-11-20T08:00:00Z")),
        Just(json!([{ "timestamp": "2026-11-20T08:00:00", "sampledValue": [{ "value": "1e9", "unit": "kWh" }] }])),
    ];
    let field = prop_oneof![
        Just("connectorId"),
        Just("transactionId"),
        Just("idTag"),
        Just("meterStart"),
        Just("meterStop"),
        Just("timestamp"),
        Just("status"),
        Just("meterValue"),
        Just("transactionData"),
    ];
    let payload = proptest::collection::btree_map(field, scalar, 0..9).prop_map(|fields| json!(fields));
    let call = (action, payload).prop_map(|(action, payload)| json!([2, "x", action, payload]).to_string());
    let answer = (0_u32..20, "[a-zA-Z]{0,9}")
        .prop_map(|(id, word)| json!([3, format!("1-{id}"), { "status": word }]).to_string());
    prop_oneof![3 => call, 1 => answer, 1 => ".{0,80}", 1 => "\\[[234],\"a\",.{0,30}\\]"]
}

#[derive(Clone, Debug)]
enum Step {
    Text(String),
    Seconds(u64),
    Reconnect,
    Limit(u32),
    Approve(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => texts().prop_map(Step::Text),
        2 => (1_u64..90).prop_map(Step::Seconds),
        1 => Just(Step::Reconnect),
        2 => (0_u32..40_000).prop_map(Step::Limit),
        1 => any::<bool>().prop_map(Step::Approve),
    ];
    proptest::collection::vec(step, 1..40)
}

/// Decides as the rest of the program would; returns the outputs that followed.
fn decide(bench: &mut Bench, outputs: &[Output]) -> Vec<Output> {
    let mut all = Vec::new();
    for event in events(outputs) {
        all.extend(match event {
            ChargerEvent::CardTapped { reply, .. } => {
                bench.give(Input::CardAnswer { reply, verdict: CardVerdict::Unknown })
            }
            ChargerEvent::SessionStarted { reply, .. } => {
                bench.give(Input::StartAnswer { reply, session: SessionId(5), verdict: ACCEPTED })
            }
            ChargerEvent::SessionStopped { reply, .. } => bench.give(Input::StopAnswer { reply, verdict: None }),
            _ => Vec::new(),
        });
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// No input makes a station panic; each call gets exactly one answer, everything else none that looks like one;
    /// there is never more than one request of ours without its answer.
    #[test]
    fn every_call_gets_one_answer(steps in steps()) {
        let mut bench = Bench::new(|_| ());
        bench.open();
        let mut open_requests = 0_usize;
        for step in steps {
            let (out, answers_due) = match step {
                Step::Text(text) => {
                    let parsed = Frame::parse(&text);
                    if matches!(parsed, Ok(Frame::Result(_) | Frame::Error(_))) {
                        open_requests = 0;
                    }
                    let mut out = bench.frame(&text);
                    let decided = decide(&mut bench, &out);
                    out.extend(decided);
                    (out, match parsed { Ok(Frame::Call(_)) => Some(1), Ok(_) => Some(0), Err(_) => None })
                }
                Step::Seconds(seconds) => {
                    open_requests = 0;
                    let mut all = Vec::new();
                    for _second in 0..seconds {
                        let out = bench.ticks(1, |_| None);
                        prop_assert!(requests(&out).len() <= 1);
                        all.extend(out);
                    }
                    prop_assert_eq!(answers(&all).len(), 0);
                    continue;
                }
                Step::Reconnect => {
                    open_requests = 0;
                    let mut out = bench.close();
                    out.extend(bench.open());
                    (out, Some(0))
                }
                Step::Limit(ma) => (bench.give(Input::SetLimit { connector: ONE, limit: MilliAmps(ma) }), Some(0)),
                Step::Approve(approved) => (bench.give(Input::SetApproved(approved)), Some(0)),
            };
            match answers_due {
                Some(due) => prop_assert_eq!(answers(&out).len(), due, "{:?}", out),
                None => prop_assert!(answers(&out).len() <= 1),
            }
            open_requests += requests(&out).len();
            prop_assert!(open_requests <= 1, "two requests at a time: {:?}", out);
        }
    }

    /// Whatever a charger refuses, drops or delays on the way, once it answers again it holds the newest limit.
    #[test]
    fn the_newest_limit_ends_up_installed(
        limits in proptest::collection::vec((0_u32..33, 0_u64..20, 0_u8..4), 1..25),
        last in 0_u32..33,
    ) {
        let mut bench = Bench::ready();
        bench.start(1);
        for (amps, seconds, mood) in limits {
            bench.give(Input::SetLimit { connector: ONE, limit: MilliAmps(amps * 1000) });
            bench.ticks(seconds, |_| match mood {
                0 => None,
                1 => Some(json!({ "status": "Rejected" })),
                2 => Some(json!({ "error": "InternalError" })),
                _ => Some(json!({ "status": "Accepted" })),
            });
        }
        bench.give(Input::SetLimit { connector: ONE, limit: MilliAmps(last * 1000) });
        // The charger as the standard wants it: it holds what it accepted last.
        let mut held = None;
        bench.ticks(200, |call: &Call| {
            let request: Value = serde_json::from_str(&call.payload).unwrap();
            let profile = &request["csChargingProfiles"];
            if profile["transactionId"] == 1 {
                held = profile["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"].as_u64();
            }
            agreeable(call)
        });
        prop_assert_eq!(held, Some(u64::from(last)));
    }
}

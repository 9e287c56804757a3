//! Nothing a device can send, in any order, makes the machine panic, grow without bound or believe a stranger.

use crate::common::*;
use domain::{
    CardUid, CardVerdict, ChargerEvent, ConnectorNumber, MeterEvent, MilliAmps, ReplyKey, SessionId, TenantId,
};
use mesh::wire::{Code, DeviceMessage, ManagerMessage};
use mesh::{Command, Input, Output, Trust};
use proptest::prelude::*;

const NAMES: [&str; 6] = ["Counter-1", "Counter-2", "Charger-1", "Charger-2", "manager", ""];
const TOPICS: [&str; 7] = ["hello/new", "Counter-1", "Counter-2", "Charger-1", "Charger-2", "0x000", "#"];

/// Fields of every message, with good and bad values.
fn field() -> impl Strategy<Value = String> {
    prop_oneof![
        (-2_i64..20_000).prop_map(|value| format!(r#""current_ma":[{value}]"#)),
        (-2_i64..20_000).prop_map(|value| format!(r#""power_w":{value}"#)),
        (0_u32..4).prop_map(|value| format!(r#""connector":{value}"#)),
        any::<i64>().prop_map(|value| format!(r#""at_ms":{value}"#)),
        (0_u8..9, any::<bool>()).prop_map(|(amps, accepted)| format!(r#""limit_ma":{amps}000,"accepted":{accepted}"#)),
        "[A-Z0-9:]{0,40}".prop_map(|card| format!(r#""tap":{{"card":"{card}"}}"#)),
        (0_u64..4, 0_u64..3).prop_map(|(local, wh)| format!(r#""start":{{"local":{local},"meter_wh":{wh}}}"#)),
        (0_u64..4, -1_i32..4).prop_map(|(local, session)| format!(
            r#""stop":{{"local":{local},"session":{session},"meter_wh":1,"reason":"card"}}"#
        )),
        (0_u64..4, -1_i32..4)
            .prop_map(|(local, session)| format!(r#""running":{{"local":{local},"session":{session}}}"#)),
        Just(r#""status":"available""#.to_owned()),
        Just(r#""status":"charging""#.to_owned()),
        Just(r#""result":"accepted""#.to_owned()),
        (0_u64..9).prop_map(|re| format!(r#""re":{re}"#)),
    ]
}

#[derive(Clone, Debug)]
enum Step {
    Say { client: usize, from: usize, topic: usize, stranger: bool, json: String },
    Bytes { client: usize, topic: usize, bytes: Vec<u8> },
    Link { client: usize, up: bool },
    Decide(u8, u64, i32),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let json = (0..Code::ALL.len() + 1, proptest::collection::vec(field(), 0..4));
    prop_oneof![
        6 => (0..NAMES.len(), 0..12_usize, 0..TOPICS.len(), any::<bool>(), json).prop_map(
            |(client, from, topic, stranger, (code, fields))| {
                let code = Code::ALL.get(code).map_or("0x999", |code| code.text());
                let from = if from < NAMES.len() { from } else { client };
                let rest: String = fields.iter().map(|field| format!(",{field}")).collect();
                let json = format!(r#"{{"v":1,"code":"{code}","from":"{}"{rest}}}"#, NAMES[from]);
                Step::Say { client, from, topic, stranger, json }
            }
        ),
        1 => (0..NAMES.len(), 0..TOPICS.len(), proptest::collection::vec(any::<u8>(), 0..60))
            .prop_map(|(client, topic, bytes)| Step::Bytes { client, topic, bytes }),
        1 => (0..NAMES.len(), any::<bool>()).prop_map(|(client, up)| Step::Link { client, up }),
        3 => (0_u8..14, 0_u64..12, 0_i32..4).prop_map(|(what, key, number)| Step::Decide(what, key, number)),
        1 => (1_u64..40).prop_map(Step::Pass),
    ]
}

fn decision(what: u8, key: u64, number: i32) -> Input<'static> {
    let charger = charger(if number % 2 == 0 { "Charger-1" } else { "Charger-2" });
    let connector = ConnectorNumber(u16::try_from(key % 3).unwrap());
    let reply = ReplyKey(key);
    let verdict =
        if number == 3 { CardVerdict::Unknown } else { CardVerdict::Accepted { tenant: TenantId(number.into()) } };
    let session = SessionId(number);
    let limit = MilliAmps::from_amps(u16::try_from(key).unwrap());
    match what {
        0 => Input::SetLimit { charger, connector, limit },
        1 => Input::SetFallback { charger, limit },
        2 => Input::SetApproved { charger, approved: number > 1 },
        3 => Input::MeterApproved { meter: meter("Counter-2"), approved: number > 1 },
        4 => Input::RemoveCharger(charger),
        5 => Input::RemoveMeter(meter("Counter-1")),
        6 => Input::SetMaxMeters(u16::try_from(number).unwrap()),
        7 => Input::CardAnswer { charger, reply, verdict },
        8 => Input::StartAnswer { charger, reply, session, verdict },
        9 => Input::StopAnswer { charger, reply, verdict: None },
        10 => Input::EndSession { charger, connector, session },
        11 => Input::KnownSessions { charger, sessions: Vec::new() },
        12 => Input::Command { id: key, charger, command: Command::Stop { session } },
        _ => Input::Command {
            id: key,
            charger,
            command: Command::Start { connector, card: CardUid::new("AA").unwrap() },
        },
    }
}

/// Whatever came out must be readable, for a real topic, and never a measurement of somebody else.
fn check(outputs: &[Output], client: Option<&str>, stranger: bool) -> Result<(), TestCaseError> {
    for output in outputs {
        match output {
            Output::Publish { topic, payload, .. } => {
                prop_assert!(ManagerMessage::decode(payload).is_ok_and(|message| message.is_some()));
                prop_assert!(NAMES.contains(&topic.as_str()) && topic != "manager", "{topic}");
            }
            Output::Meter { id, event: MeterEvent::Measured(_) } => {
                prop_assert_eq!(Some(id.as_str()), client);
                prop_assert!(!stranger);
            }
            Output::Charger { id, event } => {
                let harmless =
                    matches!(event, ChargerEvent::Booted(_) | ChargerEvent::Connected | ChargerEvent::Disconnected);
                prop_assert!(harmless || !stranger, "{event:?}");
                if let Some(client) = client {
                    prop_assert_eq!(id.as_str(), client);
                }
            }
            Output::Meter { .. }
            | Output::ChargerDescribed { .. }
            | Output::ChargerLeft(_)
            | Output::MeterLeft(_)
            | Output::Notice(_)
            | Output::CommandDone { .. } => {}
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// Random messages, links, decisions and times in any order.
    #[test]
    fn any_sequence_is_safe(steps in proptest::collection::vec(step(), 1..80)) {
        let mut world = World::running();
        for step in steps {
            match step {
                Step::Say { client, from, topic, stranger, json } => {
                    let trust = if stranger { Trust::Quarantined } else { Trust::Proven };
                    let (client, topic) = (NAMES[client], TOPICS[topic]);
                    let outputs = world.give(Input::Message { client, trust, topic, payload: json.as_bytes() });
                    check(&outputs, Some(client), stranger)?;
                    if NAMES[from] != client {
                        prop_assert!(notice(&outputs).starts_with("Invalid Message"), "{:?}", outputs);
                    }
                }
                Step::Bytes { client, topic, bytes } => {
                    let (client, topic, trust) = (NAMES[client], TOPICS[topic], Trust::Proven);
                    let outputs = world.give(Input::Message { client, trust, topic, payload: &bytes });
                    prop_assert!(notice(&outputs).starts_with("Invalid Message"));
                }
                Step::Link { client, up } => {
                    let client = NAMES[client];
                    world.give(if up { Input::Connected { client } } else { Input::Disconnected { client } });
                }
                Step::Decide(what, key, number) => check(&world.give(decision(what, key, number)), None, false)?,
                Step::Pass(seconds) => {
                    for (_, output) in world.pass(seconds) {
                        check(&[output], None, false)?;
                    }
                }
            }
        }
    }

    /// Random bytes are refused, never believed.
    #[test]
    fn any_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(DeviceMessage::decode(&bytes).is_err());
        prop_assert!(ManagerMessage::decode(&bytes).is_err());
    }
}

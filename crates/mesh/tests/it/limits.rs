//! Limits and commands: at once, repeated, renewed before they expire.

use crate::common::*;
use domain::{CardUid, ChargerEvent, MilliAmps, SessionId};
use mesh::wire::{AvailableLoad, ManagerBody};
use mesh::{Command, Gate, Input, Outcome, Output};

fn loads(outputs: &[Output]) -> Vec<AvailableLoad> {
    bodies(outputs)
        .into_iter()
        .filter_map(|body| match body {
            ManagerBody::AvailableLoad(load) => Some(load),
            _ => None,
        })
        .collect()
}

fn set(world: &mut World, amps: u16) -> Vec<Output> {
    world.give(Input::SetLimit { charger: charger("Charger-1"), connector: ONE, limit: MilliAmps::from_amps(amps) })
}

fn answer(world: &mut World, amps: u16, accepted: bool) -> Vec<Output> {
    let json = format!(
        r#"{{"v":1,"code":"0x033","from":"Charger-1","re":1,"connector":1,"limit_ma":{},"accepted":{accepted}}}"#,
        u32::from(amps) * 1000
    );
    world.say("Charger-1", "Charger-1", &json)
}

/// Seconds at which a limit was sent.
fn sent(outputs: Vec<(u64, Output)>) -> Vec<u64> {
    outputs
        .into_iter()
        .filter(|(_, output)| !loads(std::slice::from_ref(output)).is_empty())
        .map(|(at, _)| at)
        .collect()
}

/// A limit leaves at once, before anything is stored, and says how long it holds and what follows.
#[test]
fn a_limit_leaves_at_once() {
    let mut world = World::running();
    let outputs = set(&mut world, 16);
    assert_eq!(loads(&outputs), [AvailableLoad { connector: 1, limit_ma: 16_000, valid_s: 120, fallback_ma: 6000 }]);
    let (topic, _, gate) = &published(&outputs)[0];
    assert_eq!((topic.as_str(), *gate), ("Charger-1", Gate::Now));
}

/// Repeated every 5 s until answered, then renewed every 30 s: three messages may be lost before 120 s are over.
#[test]
fn a_limit_is_repeated_then_renewed() {
    let mut world = World::running();
    set(&mut world, 16);
    assert_eq!(sent(world.pass(12)), [5, 10]);
    let events = charger_events(&answer(&mut world, 16, true));
    let limit = MilliAmps::from_amps(16);
    assert_eq!(events, [ChargerEvent::LimitAnswered { connector: ONE, limit, accepted: true }]);
    assert_eq!(sent(world.pass(100)), [40, 70, 100]);
}

/// A limit that nobody answers for 30 s counts as refused, once: it may never have arrived.
#[test]
fn a_limit_without_an_answer_counts_as_refused() {
    let mut world = World::running();
    set(&mut world, 16);
    let refusals = |outputs: Vec<(u64, Output)>| {
        let outputs: Vec<Output> = outputs.into_iter().map(|(_, output)| output).collect();
        charger_events(&outputs)
    };
    assert_eq!(refusals(world.pass(29)), []);
    set(&mut world, 16);
    let limit = MilliAmps::from_amps(16);
    assert_eq!(refusals(world.pass(60)), [ChargerEvent::LimitAnswered { connector: ONE, limit, accepted: false }]);
    let late = charger_events(&answer(&mut world, 16, true));
    assert_eq!(late, [ChargerEvent::LimitAnswered { connector: ONE, limit, accepted: true }]);
}

/// An answer to an older limit must not stop the repetition of the newest.
#[test]
fn an_old_answer_does_not_count() {
    let mut world = World::running();
    set(&mut world, 16);
    set(&mut world, 8);
    assert_eq!(charger_events(&answer(&mut world, 16, true)), []);
    assert_eq!(sent(world.pass(6)), [5]);
    let events = charger_events(&answer(&mut world, 8, false));
    assert!(matches!(events[..], [ChargerEvent::LimitAnswered { accepted: false, .. }]));
}

/// Setting the same limit again within seconds does not flood the charger.
#[test]
fn the_same_limit_is_not_sent_twice() {
    let mut world = World::running();
    assert_eq!(loads(&set(&mut world, 16)).len(), 1);
    assert_eq!(set(&mut world, 16), []);
}

/// Without a link nothing is published; as soon as the charger is back it gets the newest limit.
#[test]
fn a_limit_waits_for_the_link() {
    let mut world = World::running();
    world.give(Input::Disconnected { client: "Charger-1" });
    assert_eq!(set(&mut world, 16), []);
    assert_eq!(set(&mut world, 9), []);
    assert_eq!(sent(world.pass(200)), [0_u64; 0]);
    world.give(Input::Connected { client: "Charger-1" });
    let outputs = world.say("Charger-1", "Counter-1", r#"{"v":1,"code":"0x002","from":"Charger-1"}"#);
    assert_eq!(loads(&outputs)[0].limit_ma, 9000);
}

/// A new fallback reaches the charger at once, with every limit.
#[test]
fn a_new_fallback_is_told() {
    let mut world = World::running();
    set(&mut world, 16);
    let outputs = world.give(Input::SetFallback { charger: charger("Charger-1"), limit: MilliAmps::ZERO });
    assert!(matches!(&bodies(&outputs)[0], ManagerBody::ChargerRegistered(told) if told.fallback_ma == Some(0)));
    assert_eq!(loads(&outputs)[0].fallback_ma, 0);
}

fn done(outputs: &[Output]) -> Vec<(u64, Outcome)> {
    outputs
        .iter()
        .filter_map(|output| match output {
            Output::CommandDone { id, outcome, .. } => Some((*id, *outcome)),
            _ => None,
        })
        .collect()
}

/// Every command ends exactly once: answered, refused, too late, or without a link.
#[test]
fn every_command_ends_once() {
    let mut world = World::running();
    let commands = [
        Command::Start { connector: ONE, card: CardUid::new("AA").unwrap() },
        Command::Stop { session: SessionId(1) },
        Command::SoftReset,
        Command::Unlock { connector: ONE },
    ];
    let mut messages = Vec::new();
    for (id, command) in (1..).zip(commands) {
        let outputs = world.give(Input::Command { id, charger: charger("Charger-1"), command });
        messages.push(published(&outputs)[0].1.id);
    }
    let reply =
        |re: u64, result: &str| format!(r#"{{"v":1,"code":"0x022","from":"Charger-1","re":{re},"result":"{result}"}}"#);
    let outputs = world.say("Charger-1", "Charger-1", &reply(messages[0], "accepted"));
    assert_eq!(done(&outputs), [(1, Outcome::Accepted)]);
    assert_eq!(done(&world.say("Charger-1", "Charger-1", &reply(messages[0], "accepted"))), [], "only once");
    let outputs = world.say("Charger-1", "Charger-1", &reply(messages[1], "rejected"));
    assert_eq!(done(&outputs), [(2, Outcome::Rejected)]);
    world.pass(15);
    world.give(Input::Command { id: 9, charger: charger("Charger-1"), command: Command::Report });
    let late: Vec<Output> = world.pass(15).into_iter().map(|(_, output)| output).collect();
    assert_eq!(done(&late), [(3, Outcome::TimedOut), (4, Outcome::TimedOut)]);
    assert_eq!(done(&world.give(Input::Disconnected { client: "Charger-1" })), [(9, Outcome::Disconnected)]);
    let outputs = world.give(Input::Command { id: 10, charger: charger("Charger-1"), command: Command::HardReset });
    assert_eq!(done(&outputs), [(10, Outcome::Disconnected)]);
}

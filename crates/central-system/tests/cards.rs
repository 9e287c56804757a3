//! The list of cards of a charger: pushed, versioned, verified, so that tenants charge while the program is off.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod bench;

use bench::*;
use central_system::{CardList, Command, Input, ListState, Memory, OfflineReason, Outcome, Output};
use domain::{CardUid, TenantId};
use ocpp::frame::Call;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

fn cards(numbers: std::ops::Range<u32>) -> Arc<CardList> {
    let card = |number: u32| (CardUid::new(format!("04A1{number:04X}")).unwrap(), TenantId(i64::from(number)));
    Arc::new(numbers.map(card).collect())
}

/// A charger that keeps a list as the standard says, with limits of its own.
#[derive(Default)]
struct Keeper {
    version: i64,
    cards: BTreeMap<String, Value>,
    message_max: Option<usize>,
    list_max: Option<usize>,
    updates: Vec<String>,
}

impl Keeper {
    fn answer(&mut self, call: &Call) -> Value {
        let asked: Value = serde_json::from_str(&call.payload).unwrap();
        match call.action.as_str() {
            "GetLocalListVersion" => json!({ "listVersion": self.version }),
            "SendLocalList" => {
                let list = asked["localAuthorizationList"].as_array().cloned().unwrap_or_default();
                if self.message_max.is_some_and(|max| list.len() > max) {
                    return json!({ "status": "Failed" });
                }
                let update = asked["updateType"].as_str().unwrap().to_owned();
                if update == "Full" {
                    self.cards.clear();
                } else if asked["listVersion"].as_i64().unwrap() <= self.version {
                    return json!({ "status": "VersionMismatch" });
                }
                for entry in &list {
                    let tag = entry["idTag"].as_str().unwrap().to_owned();
                    match entry.get("idTagInfo") {
                        Some(info) => self.cards.insert(tag, info.clone()),
                        None => self.cards.remove(&tag),
                    };
                }
                self.updates.push(format!("{update} {}", list.len()));
                self.version = asked["listVersion"].as_i64().unwrap();
                json!({ "status": "Accepted" })
            }
            "GetConfiguration" => {
                let max = |key: &str, value: Option<usize>| {
                    value.map(|max| json!({ "key": key, "value": max.to_string(), "readonly": true }))
                };
                let keys = [max("LocalAuthListMaxLength", self.list_max)];
                json!({ "configurationKey": keys.into_iter().flatten().collect::<Vec<_>>() })
            }
            _ => json!({ "status": "Accepted" }),
        }
    }
}

fn ready(keeper: &RefCell<Keeper>, wanted: &Arc<CardList>) -> Bench {
    let mut bench = Bench::new(|_| ());
    bench.give(Input::SetCards(Arc::clone(wanted)));
    bench.open();
    bench.boot();
    bench.settle(|call| Some(keeper.borrow_mut().answer(call)));
    bench
}

fn state(bench: &Bench) -> (ListState, usize, usize) {
    let cards = bench.station.view(bench.now).cards;
    (cards.state, cards.wanted, cards.held)
}

/// Q67: the list goes in parts that fit, is versioned, and counts only once the charger confirmed its version.
#[test]
fn local_list_push() {
    let keeper = RefCell::new(Keeper::default());
    let bench = ready(&keeper, &cards(0..45));
    assert_eq!(keeper.borrow().updates, ["Full 20", "Differential 20", "Differential 5"]);
    assert_eq!(state(&bench), (ListState::Verified, 45, 45));
    assert_eq!(keeper.borrow().cards["04A10003"], json!({ "parentIdTag": "T3", "status": "Accepted" }));
    let offline = bench.station.view(bench.now).offline;
    assert!(offline.works, "{offline:?}");
}

/// A charger that takes fewer cards in a message gets fewer, and never more again.
#[test]
fn a_long_message_is_halved() {
    let keeper = RefCell::new(Keeper { message_max: Some(6), ..Keeper::default() });
    let bench = ready(&keeper, &cards(0..11));
    assert_eq!(state(&bench), (ListState::Verified, 11, 11));
    assert_eq!(keeper.borrow().updates, ["Full 5", "Differential 5", "Differential 1"]);
}

/// A list that is too short holds what fits, and the charger's page says so.
#[test]
fn a_short_list_is_partial() {
    let keeper = RefCell::new(Keeper { list_max: Some(4), ..Keeper::default() });
    let bench = ready(&keeper, &cards(0..9));
    assert_eq!(state(&bench), (ListState::Partial, 9, 4));
    let offline = bench.station.view(bench.now).offline;
    assert_eq!((offline.works, offline.reasons), (true, vec![OfflineReason::ListTooShort]));
}

/// A card that was blocked leaves the list before anything else is asked.
#[test]
fn a_blocked_card_leaves_at_once() {
    let keeper = RefCell::new(Keeper::default());
    let mut bench = ready(&keeper, &cards(0..3));
    bench.command(Command::ClearCache);
    let out = bench.give(Input::SetCards(cards(1..3)));
    assert_eq!(requests(&out), [], "one request at a time");
    let answered = bench.frame(&json!([3, "1-99", { "status": "Accepted" }]).to_string());
    assert_eq!(answered, []);
    let out = bench.ticks(40, |call| Some(keeper.borrow_mut().answer(call)));
    assert_eq!(requests(&out)[0].action, "SendLocalList");
    assert!(!keeper.borrow().cards.contains_key("04A10000"));
    assert_eq!(state(&bench), (ListState::Verified, 2, 2));
}

/// After a restart of the program an unchanged list is confirmed, not sent; a charger that lost it gets it anew.
#[test]
fn a_known_list_is_only_confirmed() {
    let keeper = RefCell::new(Keeper::default());
    let mut bench = Bench::new(|_| ());
    bench.give(Input::SetCards(cards(0..3)));
    bench.open();
    bench.boot();
    let out = bench.settle(|call| Some(keeper.borrow_mut().answer(call)));
    let memory = remembered(&out).unwrap();
    for lost in [false, true] {
        keeper.borrow_mut().updates.clear();
        if lost {
            *keeper.borrow_mut() = Keeper::default();
        }
        let mut bench = Bench::new(|config| config.memory = memory.clone());
        bench.give(Input::SetCards(cards(0..3)));
        bench.open();
        bench.boot();
        bench.settle(|call| Some(keeper.borrow_mut().answer(call)));
        assert_eq!(state(&bench), (ListState::Verified, 3, 3));
        assert_eq!(keeper.borrow().updates.is_empty(), !lost);
    }
}

fn remembered(out: &[Output]) -> Option<Memory> {
    out.iter().rev().find_map(|output| match output {
        Output::Remember(memory) => Some((**memory).clone()),
        _ => None,
    })
}

/// A charger without a list is asked once, is said to keep none, and is not asked again by the next run.
#[test]
fn a_charger_without_a_list_is_left_alone() {
    for answer in [json!({ "listVersion": -1 }), json!({ "error": "NotImplemented" })] {
        let without = |call: &Call| match call.action.as_str() {
            "GetLocalListVersion" => Some(answer.clone()),
            _ => agreeable(call),
        };
        let mut bench = Bench::new(|_| ());
        bench.give(Input::SetCards(cards(0..3)));
        bench.open();
        bench.boot();
        let out = bench.settle(without);
        assert_eq!(asked(&out, "GetLocalListVersion").len(), 1);
        let offline = bench.station.view(bench.now).offline;
        assert!(!offline.works || offline.reasons == [OfflineReason::CacheOnly], "{offline:?}");
        let memory = remembered(&out).unwrap();
        let mut bench = Bench::new(|config| config.memory = memory);
        bench.give(Input::SetCards(cards(0..3)));
        bench.open();
        bench.boot();
        assert_eq!(asked(&bench.settle(agreeable), "GetLocalListVersion").len(), 0);
    }
}

/// A charger that says accepted and keeps something else is found out, and left alone after three tries.
#[test]
fn a_lying_charger_is_found_out() {
    let liar = |call: &Call| match call.action.as_str() {
        "GetLocalListVersion" => Some(json!({ "listVersion": 0 })),
        _ => agreeable(call),
    };
    let mut bench = Bench::new(|_| ());
    bench.give(Input::SetCards(cards(0..3)));
    bench.open();
    bench.boot();
    let out = bench.ticks(300, liar);
    assert_eq!(asked(&out, "SendLocalList").len(), 3);
    assert_eq!(state(&bench).0, ListState::Refused);
    assert!(!bench.station.view(bench.now).offline.works);
}

/// The list spells cards as the charger's reader does, else nobody on it would be recognised.
#[test]
fn the_list_is_spelt_like_the_reader() {
    let keeper = RefCell::new(Keeper::default());
    let mut bench = ready(&keeper, &cards(0..2));
    let (reply, _) = tapped(&bench.call("Authorize", json!({ "idTag": "04:A1:00:01" })));
    bench.give(Input::CardAnswer { reply, verdict: ACCEPTED });
    bench.ticks(40, |call| Some(keeper.borrow_mut().answer(call)));
    let tags: Vec<String> = keeper.borrow().cards.keys().cloned().collect();
    assert_eq!(tags, ["04:A1:00:00", "04:A1:00:01"]);
    assert_eq!(state(&bench), (ListState::Verified, 2, 2));
}

/// A person can have the list sent anew; the order ends when the charger confirmed it.
#[test]
fn the_list_is_sent_on_request() {
    let keeper = RefCell::new(Keeper::default());
    let mut bench = ready(&keeper, &cards(0..2));
    keeper.borrow_mut().updates.clear();
    let mut out = bench.command(Command::PushCards);
    out.extend(bench.answered(&out.clone(), &mut |call| Some(keeper.borrow_mut().answer(call))));
    let [(9, Outcome::Accepted, answer)] = &outcomes(&out)[..] else { panic!("{out:?}") };
    assert!(answer.contains("\"cards\":2"), "{answer}");
    assert_eq!(keeper.borrow().updates, ["Full 2"]);
}

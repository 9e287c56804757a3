//! The living demo building: its virtual devices are clients of their own on real sockets.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use tests::{Api, Meshwatt, until};

/// Cards nobody enrolled, that are not two readings of one.
const NEW_CARDS: [(&str, &str); 2] = [("ocpp", "04FFEEDD"), ("ievcc", "2A7C31905B")];

fn demo(api: &Api, command: &Value) {
    let _snapshot: Value = api.post("demo", command).ok();
}

fn tap(api: &Api, charger: &str, uid: &str) {
    demo(api, &json!({"command": "tap_card", "charger": charger, "uid": uid}));
}

/// The session that runs at a charger.
fn running(api: &Api, charger: &str) -> Option<Value> {
    let items = api.items(&format!("sessions?charger={charger}&limit=5"));
    items.into_iter().find(|item| item["ended_at"].is_null())
}

/// A charger of this protocol without a car.
fn free_charger(api: &Api, protocol: &str) -> String {
    until(&format!("a free charger that speaks {protocol}"), || {
        let snapshot = api.get("demo").ok();
        let chargers = snapshot["chargers"].as_array()?.clone();
        let free = chargers.into_iter().rev().find(|item| item["protocol"] == protocol && item["car"].is_null())?;
        free["id"].as_str().map(str::to_owned)
    })
}

/// Protects the first impression: every device comes up over its protocol, cars charge, two months of history are
/// there, and a stopped demo comes back with all of it.
#[test]
fn the_demo_lives_and_comes_back() {
    let directory = tempfile::tempdir().unwrap();
    let (program, _address) = Meshwatt::demo(directory.path());
    let api = program.api();
    let online = |api: &Api| {
        let chargers = api.items("chargers");
        (chargers.len() == 8 && chargers.iter().all(|charger| charger["online"] == true)).then_some(chargers)
    };
    let chargers = until("all eight chargers to be online", || online(api));
    let ocpp = chargers.iter().filter(|charger| charger["protocol"] == "ocpp1.6").count();
    assert_eq!(ocpp, 5, "five speak OCPP, the others IEVCC");
    until("both meters to report", || {
        let meters = api.items("meters");
        (meters.len() == 2 && meters.iter().all(|meter| meter["online"] == true)).then_some(())
    });
    demo(api, &json!({"command": "set_speed", "speed": "x10"}));
    until("a car to charge", || {
        api.items("chargers").into_iter().find(|charger| charger["connectors"][0]["power_kw"].as_f64() > Some(1.0))
    });
    let past = api.items("sessions?limit=500");
    assert!(past.len() > 100, "only {} sessions of history", past.len());
    let kept = past.iter().filter(|session| !session["ended_at"].is_null()).max_by_key(|s| s["id"].as_i64()).unwrap();
    assert!(program.stop().success(), "the demo ends in order");

    let (program, _address) = Meshwatt::demo(directory.path());
    until("all chargers to reconnect", || online(program.api()));
    let again = program.api().items("sessions?limit=500");
    assert!(again.contains(kept), "the history is still there, such as {kept}");
}

/// Sessions that run, by number, with where they are; once there are some on both protocols and the chargers are online.
fn settled_sessions(api: &Api) -> Option<BTreeMap<i64, String>> {
    let chargers = api.items("chargers");
    let is_settled = |charger: &Value| charger["online"] == true && charger["connectors"][0]["status"] != "unknown";
    if chargers.len() < 8 || !chargers.iter().all(is_settled) {
        return None;
    }
    let speaks = |protocol: &str| {
        chargers
            .iter()
            .any(|charger| charger["protocol"] == protocol && charger["connectors"][0]["session_id"].is_number())
    };
    let items = api.items("sessions?limit=50").into_iter().filter(|item| item["ended_at"].is_null());
    let place = |item: Value| (item["id"].as_i64().unwrap(), item["charger"].as_str().unwrap().to_owned());
    (speaks("ocpp1.6") && speaks("ievcc")).then(|| items.map(place).collect())
}

/// Protects "stop the program in any way, start it again: running sessions continue", in the demo: its cars are still
/// there, under the same sessions on both protocols, whether it ended in order or by a power cut, and they charge on.
#[test]
fn running_sessions_survive_the_end_of_the_demo() {
    let directory = tempfile::tempdir().unwrap();
    let (mut program, _address) = Meshwatt::demo(directory.path());
    for power_cut in [false, true] {
        let before = until("sessions on both protocols", || settled_sessions(program.api()));
        let energy = |api: &Api, id: i64| {
            let item = api.items("sessions?limit=50").into_iter().find(|item| item["id"] == id).unwrap();
            assert!(item["ended_at"].is_null(), "it still runs: {item}");
            item["energy_wh"].as_u64().unwrap()
        };
        if power_cut {
            program.kill();
        } else {
            assert!(program.stop().success(), "the demo ends in order");
        }
        program = Meshwatt::demo(directory.path()).0;
        let api = program.api();
        demo(api, &json!({"command": "set_speed", "speed": "x10"}));
        let after = until("the sessions to be there again", || settled_sessions(api));
        for (id, charger) in &before {
            assert_eq!(after.get(id), Some(charger), "session {id} runs on: {after:?}");
        }
        let kept: BTreeMap<i64, u64> = before.keys().map(|id| (*id, energy(api, *id))).collect();
        until("a session of each protocol to go on", || {
            let on = |prefix: &str| {
                let mut here = before.iter().filter(|(_, charger)| charger.starts_with(prefix));
                here.any(|(id, _)| energy(api, *id) > kept[id])
            };
            (on("CP-") && on("Charger-")).then_some(())
        });
        demo(api, &json!({"command": "set_speed", "speed": "x1"}));
    }
}

/// Protects what the manager tried out: virtual devices added on the panel are there after the next start, those that
/// were removed are not.
#[test]
fn added_and_removed_devices_stay_so() {
    let directory = tempfile::tempdir().unwrap();
    let (program, _address) = Meshwatt::demo(directory.path());
    let names = |api: &Api| {
        let snapshot = api.get("demo").ok();
        let of = |kind: &str| snapshot[kind].as_array().unwrap().iter().map(|item| item["id"].clone()).collect();
        let (chargers, meters): (Vec<Value>, Vec<Value>) = (of("chargers"), of("meters"));
        (!chargers.is_empty()).then_some((chargers, meters))
    };
    let api = program.api();
    let before = until("the virtual building", || names(api));
    demo(api, &json!({"command": "add_charger", "protocol": "ocpp"}));
    demo(api, &json!({"command": "add_charger", "protocol": "ievcc"}));
    demo(api, &json!({"command": "add_meter"}));
    demo(api, &json!({"command": "remove_charger", "charger": "CP-2"}));
    let changed = until("the changes", || names(api));
    assert_eq!((changed.0.len(), changed.1.len()), (before.0.len() + 1, before.1.len() + 1));
    assert!(!changed.0.contains(&json!("CP-2")), "{changed:?}");
    let added: Vec<&Value> = changed.0.iter().filter(|name| !before.0.contains(name)).collect();
    let is_online = |api: &Api, name: &str| api.item("chargers", name).filter(|item| item["online"] == true);
    for name in added.iter().filter_map(|name| name.as_str()) {
        until("the new charger to announce itself", || api.item("chargers", name));
        let _approved: Value = api.post(&format!("chargers/{name}/approve"), &json!({})).ok();
        until("the new charger to report", || is_online(api, name));
    }
    program.kill();

    let (program, _address) = Meshwatt::demo(directory.path());
    let api = program.api();
    assert_eq!(until("the virtual building again", || names(api)), changed);
    for name in &added {
        until("the added charger to come back", || is_online(api, name.as_str().unwrap()));
    }
}

/// Protects the building after a power cut in the middle of a published simulation: the site shares by its own rule
/// again, and its meter counts as measuring the cars too.
#[test]
fn a_power_cut_ends_a_simulation() {
    let directory = tempfile::tempdir().unwrap();
    let rule = |api: &Api| {
        let role = api.item("meters", "Counter-1").map(|meter| meter["role"].clone());
        (api.get("site").ok()["pacing"].clone(), role.unwrap_or_default())
    };
    let (program, _address) = Meshwatt::demo(directory.path());
    let own = rule(program.api());
    assert_eq!(own, (json!("careful"), json!("circuit")));
    // The virtual building opens its links a moment after the address is known.
    until("the simulation to begin", || {
        let command = json!({"command": "start_scenario", "scenario": "three_chargers"});
        (program.api().post("demo", &command).status < 300).then_some(())
    });
    until("the published rule", || (rule(program.api()) == (json!("published"), json!("house"))).then_some(()));
    program.kill();
    let (program, _address) = Meshwatt::demo(directory.path());
    assert_eq!(rule(program.api()), own);
}

/// Protects the way a tenant gets a card, on both protocols: an unknown card is refused and listed, enrolment
/// captures the next tap, the tap after that charges, another tenant's card changes nothing, and another card of the
/// same tenant ends it.
#[test]
fn a_card_is_enrolled_by_tapping_it() {
    let directory = tempfile::tempdir().unwrap();
    let (program, _address) = Meshwatt::demo(directory.path());
    let api = program.api();
    let tenants = api.items("tenants");
    let (owner, other) = (&tenants[0], &tenants[1]);
    let card_of = |tenant: &Value| tenant["cards"][0]["uid"].as_str().unwrap().to_owned();
    for (protocol, uid) in NEW_CARDS {
        let charger = free_charger(api, protocol);
        demo(api, &json!({"command": "plug", "charger": charger, "wants_kwh": 20.0}));
        // A reader answers once the cable is in; a tap before that is lost, as in life.
        until("the cable to be seen", || {
            api.item("chargers", &charger).filter(|item| item["connectors"][0]["status"] == "preparing")
        });
        tap(api, &charger, uid);
        until("the refused card in the list", || {
            let refused = api.get("refused-cards").body;
            refused.to_string().contains(uid).then_some(())
        });
        let body = json!({"tenant_id": owner["id"], "charger": charger, "ttl_s": 120});
        let _enrolment: Value = api.post("enrolment", &body).ok();
        tap(api, &charger, uid);
        until("the card to be bound", || {
            let item = api.items("tenants").into_iter().find(|tenant| tenant["id"] == owner["id"])?;
            item["cards"].as_array()?.iter().any(|card| card["uid"] == uid).then_some(())
        });
        tap(api, &charger, uid);
        let session = until("the session of the new card", || running(api, &charger));
        assert_eq!((&session["card"], &session["tenant_id"]), (&json!(uid), &owner["id"]), "{session}");
        tap(api, &charger, &card_of(other));
        tap(api, &charger, &card_of(owner));
        let ended = until("the end of the session", || {
            api.items("sessions?limit=50").into_iter().find(|s| s["id"] == session["id"] && !s["ended_at"].is_null())
        });
        assert_eq!(ended["end_reason"], "card", "{ended}");
        let frames = api.items(&format!("chargers/{charger}/frames?limit=200"));
        let texts: Vec<&str> = frames.iter().filter_map(|frame| frame["text"].as_str()).collect();
        let heard = texts.iter().any(|text| text.contains(&card_of(other)));
        assert!(heard, "the other tenant's card was tapped: {texts:#?}");
        let ends = |text: &&&str| {
            text.contains("\"StopTransaction\"") || text.contains("\"meter_wh\"") && text.contains("\"stop\"")
        };
        let stop = texts.iter().find(ends).expect("the message that ended the session");
        assert!(stop.contains(&card_of(owner)), "{stop}");
    }
}

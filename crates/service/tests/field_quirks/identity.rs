//! Cards as readers in the field spell them, and charging while nobody answers.

use crate::station::{CARD, House, Reply, agreeable};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Q62: one card in every spelling is one card.
#[tokio::test]
async fn idtag_normalise() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    for tag in ["04A1B2C3", "04a1b2c3", "04:A1:B2:C3", " 04 A1 B2 C3", "04-a1-b2-c3 "] {
        let answer = station.call("Authorize", json!({ "idTag": tag })).await;
        assert_eq!(answer["idTagInfo"]["status"], "Accepted", "{tag}");
    }
    station.boot_as("KEBA AG", "P30").await;
    let answer = station.call("Authorize", json!({ "idTag": "04A1B2C3_21001234" })).await;
    assert_eq!(answer["idTagInfo"]["status"], "Accepted");
}

/// Q63: a start from the console carries the tenant's own card, in hexadecimal.
#[tokio::test]
async fn remote_start_hex() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    let started = house.site.post("chargers/C1/start", json!({ "connector": 1, "card": "04:a1:b2:c3" })).await;
    assert_eq!(started.status, 202, "{}", started.text);
    let asked = house.until_asked(&mut station, |action, _| action == "RemoteStartTransaction").await;
    assert_eq!(asked["idTag"], CARD);
}

/// Q64: what starts with the charger's own fixed card is paid by the owner of its parking space.
#[tokio::test]
async fn fixed_tag_default_owner() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    let fixed = json!({ "connectorId": 1, "idTag": "SERIAL0123", "meterStart": 0, "timestamp": house.at(0) });
    let answer = station.call("StartTransaction", fixed.clone()).await;
    assert_eq!(answer["idTagInfo"]["status"], "Invalid", "nobody owns it yet");
    house.stop_session(&mut station, &answer["transactionId"], 0).await;
    let owned = json!({ "owner_tenant_id": house.tenant });
    let patched = house.site.ask("PATCH", "chargers/C1", Some(owned)).await;
    assert_eq!(patched.json["owner_tenant_id"], house.tenant, "{}", patched.text);
    let mut later = fixed;
    later["timestamp"] = json!(house.at(60));
    house.pass(&mut station, 60).await;
    let answer = station.call("StartTransaction", later.clone()).await;
    assert_eq!(answer["idTagInfo"]["status"], "Accepted", "{answer}");
    assert_eq!(station.call("StartTransaction", later).await, answer, "a repetition gets the same answer");
    house.stop_session(&mut station, &answer["transactionId"], 500).await;
    let sessions = house.sessions().await;
    let paid = sessions.iter().find(|it| it["id"] == answer["transactionId"]).unwrap();
    assert_eq!((&paid["tenant_id"], &paid["energy_wh"]), (&json!(house.tenant), &json!(500)));
}

/// Q66: a card that was refused before it was enrolled charges after: the charger forgets the refusal.
#[tokio::test]
async fn enrol_then_clear_cache() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    let tap = json!({ "idTag": "DEADBEEF" });
    assert_eq!(station.call("Authorize", tap.clone()).await["idTagInfo"]["status"], "Invalid");
    station.asked.clear();
    house.site.tenant_with_card("Rui", "DEADBEEF").await;
    house.until_asked(&mut station, |action, _| action == "ClearCache").await;
    assert_eq!(station.call("Authorize", tap).await["idTagInfo"]["status"], "Accepted");
}

#[derive(Default)]
struct List {
    version: i64,
    cards: BTreeMap<String, Value>,
}

fn keeps(list: &Arc<Mutex<List>>) -> impl FnMut(&str, &Value) -> Reply + Send + 'static {
    let list = Arc::clone(list);
    move |action, body| {
        let mut list = list.lock().unwrap();
        Reply::Result(match action {
            "GetLocalListVersion" => json!({ "listVersion": list.version }),
            "SendLocalList" => {
                if body["updateType"] == "Full" {
                    list.cards.clear();
                }
                for entry in body["localAuthorizationList"].as_array().into_iter().flatten() {
                    let tag = entry["idTag"].as_str().unwrap().to_owned();
                    match entry.get("idTagInfo") {
                        Some(info) => list.cards.insert(tag, info.clone()),
                        None => list.cards.remove(&tag),
                    };
                }
                list.version = body["listVersion"].as_i64().unwrap();
                json!({ "status": "Accepted" })
            }
            "GetConfiguration" => json!({ "configurationKey": [
                { "key": "LocalAuthListEnabled", "value": "false", "readonly": false },
                { "key": "SendLocalListMaxLength", "value": "2", "readonly": true }] }),
            _ => return agreeable(action, body),
        })
    }
}

/// Q67: enrolled tenants charge while this program is off: keys set, list pushed in parts and verified, a blocked card
/// taken off at once, and the charger's page says so.
#[tokio::test]
async fn local_list_push() {
    let house = House::start().await;
    for number in 0..4 {
        house.site.tenant_with_card(&format!("T{number}"), &format!("0400000{number}")).await;
    }
    let list = Arc::new(Mutex::new(List::default()));
    let mut station = house.station_that("C1", keeps(&list)).await;
    let detail = house.until(&mut station, "chargers/C1/detail", |detail| detail["cards"]["state"] == "verified").await;
    assert_eq!((&detail["cards"]["held"], &detail["works_offline"]), (&json!(5), &json!(true)), "{detail:#}");
    let set: Vec<(Value, Value)> = station
        .asked_for("ChangeConfiguration")
        .into_iter()
        .map(|it| (it["key"].clone(), it["value"].clone()))
        .collect();
    for (key, value) in
        [("LocalAuthListEnabled", "true"), ("LocalPreAuthorize", "true"), ("AllowOfflineTxForUnknownId", "false")]
    {
        assert!(set.contains(&(json!(key), json!(value))), "{key}: {set:?}");
    }
    let parts = station.asked_for("SendLocalList");
    assert!(parts.iter().all(|it| it["localAuthorizationList"].as_array().unwrap().len() <= 2), "{parts:?}");
    let cards = house.site.get("cards").await.json;
    let card = cards["items"].as_array().unwrap().iter().find(|it| it["uid"] == CARD).unwrap()["id"].clone();
    station.asked.clear();
    house.site.ask("PATCH", &format!("cards/{card}"), Some(json!({ "blocked": true }))).await;
    house.until_asked(&mut station, |action, _| action == "SendLocalList").await;
    house.pass(&mut station, 2).await;
    assert!(!list.lock().unwrap().cards.contains_key(CARD), "a blocked card leaves at once");
    let detail = house.until(&mut station, "chargers/C1/detail", |detail| detail["cards"]["state"] == "verified").await;
    assert_eq!(detail["cards"]["held"], 4);
}

//! What the electrician and the manager set, through the API.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use serde_json::{Value, json};
use support::Site;

/// Rules of the site are set, come back and survive a restart; a client that does not know them leaves them alone, and a
/// wrong one changes nothing.
#[tokio::test]
async fn site_rules_are_kept() {
    let site = Site::start().await;
    let plain = site.get("site").await.json;
    assert_eq!((&plain["sharing"], &plain["contract_periods"]), (&json!("equal"), &json!([])));
    let mut wanted = plain.clone();
    wanted["sharing"] = json!("by_departure");
    wanted["imbalance_a"] = json!(18.0);
    wanted["off_peak"] = json!([{"days": [], "from": "22:00", "to": "08:00"}]);
    wanted["contract_periods"] = json!([{"days": ["sat", "sun"], "from": "00:00", "to": "24:00", "kva": 3.45}]);
    wanted["price_feed"] = json!("https://prices.example/today");
    let answer = site.ask("PUT", "site", Some(wanted.clone())).await;
    assert_eq!((answer.status, &answer.json), (200, &wanted));
    let old_fields = ["sharing", "imbalance_a", "off_peak", "contract_periods", "price_feed", "stand_alone_buffer_a"];
    let mut old = plain.clone();
    for field in old_fields {
        old.as_object_mut().unwrap().remove(field);
    }
    assert_eq!(site.ask("PUT", "site", Some(old)).await.json, wanted, "what an older client does not name stays");
    for (field, value, word) in [
        ("imbalance_a", json!(3.0), "imbalance_a"),
        ("off_peak", json!([{"from": "25:00", "to": "08:00"}]), "off_peak"),
        ("price_feed", json!("prices"), "price feed"),
        ("sharing", json!("first_come"), "first_come"),
        ("contract_periods", json!([{"from": "00:00", "to": "08:00", "kva": 0.1}]), "kva"),
    ] {
        let mut wrong = wanted.clone();
        wrong[field] = value;
        let refused = site.ask("PUT", "site", Some(wrong)).await;
        assert_eq!((refused.status, refused.code()), (422, "invalid"), "{field}");
        assert!(refused.text.contains(word), "{field}: {}", refused.text);
    }
    let site = site.restart().await;
    assert_eq!(site.get("site").await.json, wanted);
}

fn circuit(id: &str, parent: Value, extra: Value) -> Value {
    let mut item = json!({"id": id, "name": id, "parent": parent});
    for (field, value) in extra.as_object().unwrap() {
        item[field] = value.clone();
    }
    item
}

/// The tree is saved as a whole with its protection; the limit follows from it, and a broken tree changes nothing.
#[tokio::test]
async fn circuits_carry_their_protection() {
    let site = Site::start().await;
    let device = json!({"kind": "breaker", "curve": "C", "rated_a": 40.0});
    let root = circuit("main", Value::Null, json!({"limit_a": [30.0]}));
    let garage = circuit("garage", json!("main"), json!({"rated_a": [40.0], "cable_a": 32.0, "device": device}));
    let put = |items: Value| site.ask("PUT", "circuits", Some(json!({"items": items})));
    let phases = site.get("site").await.json["phases"].as_u64().unwrap();
    let widen = |item: &Value| {
        let mut item = item.clone();
        for field in ["limit_a", "rated_a"] {
            if let Some(one) = item.get(field).and_then(|list| list.get(0)).cloned() {
                item[field] = Value::Array(vec![one; usize::try_from(phases).unwrap()]);
            }
        }
        item
    };
    let answer = put(json!([widen(&root), widen(&garage)])).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let list = site.get("circuits").await.json;
    let shown = list["items"].as_array().unwrap().iter().find(|item| item["id"] == "garage").unwrap().clone();
    assert_eq!((&shown["limit_a"][0], &shown["device"], &shown["cable_a"]), (&json!(32.0), &device, &json!(32.0)));
    assert!(shown["headroom_a"][0].is_number() && shown["in_force_a"][0] == json!(32.0), "{shown}");
    let above = circuit("garage", json!("main"), json!({"limit_a": [50.0], "rated_a": [40.0]}));
    let strange = circuit(
        "garage",
        json!("main"),
        json!({"limit_a": [40.0], "device": {"kind": "thermal", "rated_a": 40.0, "trip_theta": 0.9, "tau_s": 50.0}}),
    );
    for (wrong, word) in [(above, "above its protection"), (strange, "trip level")] {
        let refused = put(json!([widen(&root), widen(&wrong)])).await;
        assert_eq!((refused.status, refused.code()), (422, "invalid"), "{word}");
        assert!(refused.text.contains(word), "{}", refused.text);
    }
    assert_eq!(site.get("circuits").await.json["items"], list["items"], "nothing changed");
}

/// A drawing with chargers and meters is saved whole: a feeder goes while its charger moves, and a mistake changes nothing.
#[tokio::test]
async fn a_drawing_is_saved_whole() {
    let site = Site::start().await;
    let _charger = site.approved_charger("C1").await;
    let before = site.get("circuits").await.json["items"].clone();
    let limit = before[0]["limit_a"].clone();
    let garage = circuit("garage", json!("main"), json!({"limit_a": limit}));
    let place = |circuit: &str| json!([{"charger": "C1", "circuit": circuit, "phases": [1], "rotation_known": false}]);
    let drawing = |circuit: &str| json!({"items": [before[0], garage], "chargers": place(circuit)});
    let refused = site.ask("PUT", "circuits", Some(drawing("attic"))).await;
    assert_eq!(refused.status, 409, "{}", refused.text);
    assert_eq!(site.get("circuits").await.json["items"].as_array().unwrap().len(), 1, "nothing changed");
    assert_eq!(site.ask("PUT", "circuits", Some(drawing("garage"))).await.status, 200);
    let charger = site.get("chargers/C1").await.json;
    assert_eq!((&charger["circuit"], &charger["policy"]["rotation_known"]), (&json!("garage"), &json!(false)));
    let back = json!({"items": [before[0]], "chargers": place("main")});
    assert_eq!(site.ask("PUT", "circuits", Some(back)).await.status, 200, "the feeder goes with its charger");
    let unknown = json!({"items": [before[0]], "meters": [{"meter": "M9", "circuit": "main"}]});
    assert_eq!(site.ask("PUT", "circuits", Some(unknown)).await.status, 404);
}

/// Policies of a charger and of a card are replaced whole, and impossible ones are refused by name.
#[tokio::test]
async fn policies_are_set() {
    let site = Site::start().await;
    let _charger = site.approved_charger("C1").await;
    let policy = json!({"never_pause": true, "guaranteed_a": 8.0, "charging_times": "windows", "windows": [{"days": [], "from": "22:00", "to": "06:00"}],
        "energy_source": "solar_first", "fixed_a": null, "rotation_known": false});
    let answer = site.ask("PATCH", "chargers/C1", Some(json!({"policy": policy}))).await;
    assert_eq!((answer.status, &answer.json["policy"]), (200, &policy));
    for (wrong, word) in [
        (json!({"guaranteed_a": 200.0}), "guaranteed_a"),
        (json!({"charging_times": "windows"}), "windows"),
        (json!({"fixed_a": 3.0}), "fixed_a"),
        (json!({"fixed_amps": 8.0}), "fixed_amps"),
    ] {
        let refused = site.ask("PATCH", "chargers/C1", Some(json!({"policy": wrong}))).await;
        assert_eq!(refused.status, 422, "{wrong}");
        assert!(refused.text.contains(word), "{}", refused.text);
    }
    assert_eq!(site.get("chargers/C1").await.json["policy"], policy);
    site.tenant_with_card("Ana", "AAAA0001").await;
    let card = json!({"max_a": 10.0, "priority": 5, "never_pause": true, "sleeps": false});
    let answer = site.ask("PATCH", "cards/AAAA0001", Some(json!({"policy": card}))).await;
    assert_eq!((answer.status, &answer.json["policy"], &answer.json["blocked"]), (200, &card, &json!(false)));
    let refused = site.ask("PATCH", "cards/AAAA0001", Some(json!({"policy": {"max_a": 2.0}, "blocked": true}))).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    let list = site.get("cards").await.json;
    assert_eq!((&list["items"][0]["policy"], &list["items"][0]["blocked"]), (&card, &json!(false)), "nothing changed");
}

/// "I need 20 kWh by 07:30" is a wish of a running session; the decision about it says what was known.
#[tokio::test]
async fn a_session_has_a_wish_and_decisions_say_what_was_known() {
    let site = Site::start().await;
    site.tenant_with_card("Ana", "AAAA0001").await;
    let mut charger = site.approved_charger("C1").await;
    charger.status("Preparing").await;
    let session = charger.start("AAAA0001", 100).await["transactionId"].clone();
    let path = format!("sessions/{session}/wish");
    let refused = site.post(&path, json!({"energy_kwh": 20.0, "by": "7 in the morning"})).await;
    assert_eq!((refused.status, refused.code()), (422, "invalid"));
    assert!(refused.text.contains("07:30"), "{}", refused.text);
    assert_eq!(site.post("sessions/999/wish", json!({"energy_kwh": 20.0, "by": "07:30"})).await.status, 404);
    assert_eq!(site.post(&path, json!({"energy_kwh": 20.0, "by": "07:30"})).await.status, 204);
    let shown = site.get("chargers/C1").await.json["connectors"][0]["wish"].clone();
    assert_eq!(shown["energy_kwh"], json!(20.0), "{shown}");
    assert!(shown["by"].as_str().unwrap().ends_with('Z'), "{shown}");
    let decided = site.until("chargers/C1/decisions", |list| list["items"][0]["known"].is_object()).await;
    let known = &decided["items"][0]["known"];
    assert!(known["limit_a"][0].as_f64().unwrap() > 0.0 && known["house_a"].is_array(), "{known}");
    assert_eq!(site.ask("DELETE", &path, None).await.status, 204);
    assert_eq!(site.get("chargers/C1").await.json["connectors"][0]["wish"], Value::Null);
}

/// The electrician sees at every circuit what flows while the computer is off, and who cannot charge then.
#[tokio::test]
async fn fallbacks_are_shown() {
    let site = Site::start().await;
    let _charger = site.approved_charger("C1").await;
    let report = site.get("fallbacks").await.json;
    assert_eq!(report["circuits"][0]["circuit"], "main");
    assert!(report["circuits"][0]["building_a"][0].as_f64().unwrap() > 0.0, "{report}");
    assert_eq!(report["chargers"][0]["charger"], "C1");
    assert!(report["chargers"][0]["installed_a"].is_number(), "{report}");
}

/// A feed from a file and over HTTP is asked; what it said is what control is told, and a broken one is left out.
#[tokio::test]
async fn a_price_feed_is_followed() {
    let site = Site::start().await;
    let from = jiff::Timestamp::now();
    let document = json!({"version": 1, "currency": "EUR", "periods": [
        {"from": from.to_string(), "to": (from + jiff::SignedDuration::from_hours(2)).to_string(), "price_per_kwh": 0.25}]});
    let file = site.dir.path().join("prices.json");
    std::fs::write(&file, document.to_string()).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/today.json", listener.local_addr().unwrap());
    let body = document.to_string();
    let server = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let (mut socket, _peer) = listener.accept().await.unwrap();
        let mut asked = vec![0; 4096];
        let length = socket.read(&mut asked).await.unwrap();
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
        socket.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8_lossy(&asked[..length]).into_owned()
    });
    let mut settings = site.get("site").await.json;
    for feed in [file.to_str().unwrap(), &address] {
        settings["price_feed"] = json!(feed);
        assert_eq!(site.ask("PUT", "site", Some(settings.clone())).await.status, 200);
        let shown = site.until("outlook", |outlook| outlook["periods"][0]["price_per_kwh"] == json!(0.25)).await;
        assert_eq!(shown["periods"].as_array().unwrap().len(), 1);
        settings["price_feed"] = Value::Null;
        assert_eq!(site.ask("PUT", "site", Some(settings.clone())).await.status, 200);
        site.until("outlook", |outlook| outlook["periods"] == json!([])).await;
    }
    assert!(server.await.unwrap().starts_with("GET /today.json"));
    std::fs::write(&file, "<html>").unwrap();
    settings["price_feed"] = json!(file.to_str().unwrap());
    assert_eq!(site.ask("PUT", "site", Some(settings)).await.status, 200);
    assert!(site.get("health").await.json["status"].is_string());
}

/// A car at a charger for the cheapest hours waits for those of the feed while there is time, says until when, and
/// charges at once when its driver needs more than they give.
#[tokio::test]
async fn a_car_waits_for_the_cheap_hours_of_the_feed() {
    let site = Site::start().await;
    site.tenant_with_card("Ana", "AAAA0001").await;
    let mut charger = site.approved_charger("C1").await;
    let hour = |hours: i64| jiff::Timestamp::now() + jiff::SignedDuration::from_hours(hours);
    let period = |from: i64, to: i64, price: f64| json!({"from": hour(from).to_string(), "to": hour(to).to_string(), "price_per_kwh": price});
    let document = json!({"version": 1, "periods": [period(-1, 2, 0.30), period(2, 5, 0.05), period(5, 24, 0.30)]});
    let file = site.dir.path().join("prices.json");
    std::fs::write(&file, document.to_string()).unwrap();
    let mut settings = site.get("site").await.json;
    settings["price_feed"] = json!(file.to_str().unwrap());
    // Without a meter the declared load is all that is known of the building.
    settings["declared_load_a"] = json!(2.0);
    assert_eq!(site.ask("PUT", "site", Some(settings)).await.status, 200);
    site.until("outlook", |outlook| outlook["periods"][0].is_object()).await;
    let policy = json!({"policy": {"charging_times": "cheapest"}});
    assert_eq!(site.ask("PATCH", "chargers/C1", Some(policy)).await.status, 200);
    charger.status("Preparing").await;
    let session = charger.start("AAAA0001", 100).await["transactionId"].clone();
    let path = format!("sessions/{session}/wish");
    let wish = |kwh: f64| json!({"energy_kwh": kwh, "by": hour(10).to_string()});
    assert_eq!(site.post(&path, wish(3.0)).await.status, 204);
    let waiting = |shown: &Value| shown["connectors"][0]["why"]["code"] == "waiting_for_price";
    let shown = site.until("chargers/C1", waiting).await;
    let remaining_s = shown["connectors"][0]["why"]["remaining_s"].as_u64().unwrap();
    assert!((6_000..=8_100).contains(&remaining_s), "{remaining_s}");
    assert!(shown["connectors"][0]["reason"].as_str().unwrap().contains("cheaper"), "{shown}");
    assert_eq!(shown["connectors"][0]["set_a"], json!(0.0));
    assert_eq!(site.post(&path, wish(60.0)).await.status, 204);
    site.until("chargers/C1", |shown| !waiting(shown)).await;
}

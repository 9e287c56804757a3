//! A month's statements against the frames the charger sent, recomputed by code that shares nothing with `reports`:
//! other arithmetic, other calendar, other reading of the messages. One watt-hour or one cent of difference fails.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails")]

mod support;

use domain::{Clock, DurationMs, Instant, Now, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use support::{Charger, Site};

/// A clock the test sets; waiting takes a moment.
struct Hand(AtomicI64);

/// 2026-10-01 00:00 UTC.
const OCTOBER: i64 = 1_790_812_800_000;
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

impl Clock for Hand {
    fn now(&self) -> Now {
        let wall = self.0.load(Ordering::SeqCst);
        Now { instant: Instant(u64::try_from(wall - OCTOBER + DAY).unwrap()), wall: Timestamp(wall) }
    }

    fn real(&self, duration: DurationMs) -> Duration {
        Duration::from_millis((duration.0 / 20).clamp(1, 50))
    }
}

fn text(at: i64) -> String {
    jiff::Timestamp::from_millisecond(at).unwrap().to_string()
}

/// Charges from one time to another, with a reading every four minutes, at a power that changes. The charger connects
/// anew each time: days passed on the clock, and silence ends a connection after five minutes.
async fn charge(site: &Site, clock: &Hand, card: &str, register: &mut i64, (from, to): (i64, i64)) {
    clock.0.store(from, Ordering::SeqCst);
    let mut charger = Charger::connect(site.addresses().ocpp, "C1").await;
    assert_eq!(charger.boot().await["status"], "Accepted");
    let start = json!({"connectorId": 1, "idTag": card, "meterStart": *register, "timestamp": text(from)});
    let session = charger.call("StartTransaction", start).await["transactionId"].clone();
    let mut at = from + 4 * MINUTE;
    while at < to {
        *register += 150 + (at / MINUTE) % 97 * 3;
        clock.0.store(at, Ordering::SeqCst);
        let sampled =
            json!([{"measurand": "Energy.Active.Import.Register", "unit": "Wh", "value": register.to_string()}]);
        let values = json!({"connectorId": 1, "transactionId": session,
            "meterValue": [{"timestamp": text(at), "sampledValue": sampled}]});
        charger.call("MeterValues", values).await;
        at += 4 * MINUTE;
    }
    *register += 111;
    clock.0.store(to, Ordering::SeqCst);
    let stop = json!({"transactionId": session, "idTag": card, "meterStop": *register, "timestamp": text(to), "reason": "Local"});
    charger.call("StopTransaction", stop).await;
}

fn tariff() -> Value {
    let days = |days: &[&str], spans: &[(&str, &str, u8)], season: &str| -> Vec<Value> {
        spans
            .iter()
            .map(|(from, to, period)| json!({"days": days, "season": season, "from": from, "to": to, "period": period}))
            .collect()
    };
    let work = ["monday", "tuesday", "wednesday", "thursday", "friday"];
    let mut rules = days(
        &work,
        &[("00:00", "07:00", 0), ("07:00", "18:30", 1), ("18:30", "21:00", 2), ("21:00", "24:00", 1)],
        "winter",
    );
    rules.extend(days(&work, &[("00:00", "07:00", 0), ("07:00", "24:00", 1)], "summer"));
    rules.extend(days(&["saturday", "sunday"], &[("00:00", "24:00", 0)], "all"));
    json!({"versions": [{
        "name": "Tri", "valid_from": "2026-01-01",
        "energy": {"periods": [
            {"name": "Vazio", "price_per_kwh": "0.1020"}, {"name": "Cheias", "price_per_kwh": "0.1660"},
            {"name": "Ponta", "price_per_kwh": "0.2480"}], "rules": rules},
        "session_fee": "0.25",
        "charges": [{"kind": "cost", "name": "Manutenção", "amount": "31.01", "every": "month", "share": "by_use"}],
        "taxes": [{"name": "IVA 23 %", "rate": {"percent": "23"}, "on": ["energy", "session"]}]
    }]})
}

/// Lisbon's clock in October and November 2026: UTC+1 until 01:00 UTC of 25 October, UTC after.
fn lisbon(at: i64) -> i64 {
    at + if at < OCTOBER + 24 * DAY + HOUR { HOUR } else { 0 }
}

/// Period of the tariff above, worked out from minutes alone. 1 October 2026 is a Thursday.
fn period(at: i64) -> usize {
    let local = lisbon(at) - OCTOBER;
    let (day, minute) = (local.div_euclid(DAY), local.rem_euclid(DAY) / MINUTE);
    let is_winter = lisbon(at) == at;
    match ((day + 3).rem_euclid(7), minute) {
        (5 | 6, _) | (_, 0..420) => 0,
        (_, 1110..1260) if is_winter => 2,
        (_, _) => 1,
    }
}

/// What one card owes, from the frames.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Owed {
    wh: [i128; 3],
    sessions: i128,
}

/// Reads frames as text and follows each transaction's register minute by minute.
fn owed(frames: &[Value]) -> BTreeMap<String, Owed> {
    let mut called: BTreeMap<String, Value> = BTreeMap::new();
    let mut runs: BTreeMap<i64, (String, Vec<(i64, i128)>)> = BTreeMap::new();
    let at = |value: &Value| value["timestamp"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_millisecond();
    for frame in frames {
        let frame: Value = serde_json::from_str(frame["text"].as_str().unwrap()).unwrap();
        let id = frame[1].as_str().unwrap().to_owned();
        match (frame[0].as_i64(), frame[2].as_str()) {
            (Some(2), Some("StartTransaction")) => {
                called.insert(id, frame[3].clone());
            }
            (Some(3), _) => {
                if let (Some(start), Some(run)) = (called.remove(&id), frame[2]["transactionId"].as_i64()) {
                    let card = start["idTag"].as_str().unwrap().to_owned();
                    runs.insert(run, (card, vec![(at(&start), i128::from(start["meterStart"].as_i64().unwrap()))]));
                }
            }
            (Some(2), Some("MeterValues")) => {
                let reading = &frame[3]["meterValue"][0];
                let value: i128 = reading["sampledValue"][0]["value"].as_str().unwrap().parse().unwrap();
                runs.get_mut(&frame[3]["transactionId"].as_i64().unwrap()).unwrap().1.push((at(reading), value));
            }
            (Some(2), Some("StopTransaction")) => {
                let stop = i128::from(frame[3]["meterStop"].as_i64().unwrap());
                runs.get_mut(&frame[3]["transactionId"].as_i64().unwrap()).unwrap().1.push((at(&frame[3]), stop));
            }
            _ => {}
        }
    }
    let mut all: BTreeMap<String, Owed> = BTreeMap::new();
    let (from, to) = (OCTOBER - HOUR, OCTOBER + 31 * DAY);
    for (card, points) in runs.into_values() {
        let begin = points[0];
        let entry = all.entry(card).or_default();
        entry.sessions += i128::from((from..to).contains(&begin.0));
        // The register at every quarter of an hour, rounded down; the last stretch ends with the session.
        let register = |when: i64| -> i128 {
            let after = points.iter().position(|point| point.0 >= when);
            match after {
                None => points.last().unwrap().1,
                Some(0) => begin.1,
                Some(index) => {
                    let ((t0, r0), (t1, r1)) = (points[index - 1], points[index]);
                    r0 + (r1 - r0) * i128::from(when - t0) / i128::from(t1 - t0)
                }
            }
        };
        let mut quarter = begin.0.div_euclid(15 * MINUTE) * 15 * MINUTE;
        while quarter < points.last().unwrap().0 {
            if (from..to).contains(&quarter) {
                entry.wh[period(quarter)] += register(quarter + 15 * MINUTE) - register(quarter);
            }
            quarter += 15 * MINUTE;
        }
    }
    all
}

/// Halves up, by adding a half: the other way to round.
fn rounded(amount: i128, unit: i128) -> i128 {
    (amount * 2 + unit) / (unit * 2)
}

/// One watt-hour or one cent of difference between the statements and the frames fails.
#[tokio::test]
async fn statements_are_what_the_frames_say() {
    let clock = Arc::new(Hand(AtomicI64::new(OCTOBER + 22 * DAY)));
    let given = Arc::clone(&clock);
    let site = Site::start_with(|config| config.clock = given).await;
    assert_eq!(site.ask("PUT", "tariffs", Some(tariff())).await.status, 200);
    drop(site.approved_charger("C1").await);
    let ana = site.tenant_with_card("Ana", "CARD1").await;
    let rui = site.tenant_with_card("Rui", "CARD2").await;
    let mut register = 1_234;
    for (card, from, to) in [
        // Friday evening into Saturday.
        ("CARD1", 22 * DAY + 17 * HOUR + 3 * MINUTE, 22 * DAY + 25 * HOUR),
        // Over the night of 25 hours.
        ("CARD2", 23 * DAY + 22 * HOUR + 11 * MINUTE, 24 * DAY + 3 * HOUR + 2 * MINUTE),
        // Through the peak of a working day in winter time.
        ("CARD1", 26 * DAY + 17 * HOUR + 41 * MINUTE, 26 * DAY + 22 * HOUR + 13 * MINUTE),
        // Over the end of the month.
        ("CARD2", 30 * DAY + 20 * HOUR + 29 * MINUTE, 31 * DAY + 5 * HOUR + MINUTE),
    ] {
        charge(&site, &clock, card, &mut register, (OCTOBER + from, OCTOBER + to)).await;
    }
    clock.0.store(OCTOBER + 32 * DAY, Ordering::SeqCst);
    let mut frames = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = site.get(&format!("chargers/C1/frames?limit=500{cursor}")).await.json;
        frames.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    frames.reverse();
    let owed = owed(&frames);

    let month = site.get("statements/2026-10").await.json;
    let open: Vec<&Value> =
        month["obstacles"].as_array().unwrap().iter().filter(|one| one["accepted"].is_null()).collect();
    assert!(open.is_empty(), "{open:#?}");
    let whole: i128 = owed.values().map(|one| one.wh.iter().sum::<i128>()).sum();
    assert!(whole > 20_000, "the frames were read: {owed:?}");
    assert_eq!(i128::from(month["energy_wh"].as_i64().unwrap()), whole);
    let cents = |value: &Value| value.as_str().unwrap().replace('.', "").parse::<i128>().unwrap();
    let mut common = 0;
    for (tenant, card) in [(ana, "CARD1"), (rui, "CARD2")] {
        let own = site.get(&format!("statements/2026-10?tenant_id={tenant}")).await.json;
        let used = &owed[card];
        let energy: Vec<i128> = used
            .wh
            .iter()
            .zip([1_020_i128, 1_660, 2_480])
            .filter(|(wh, _)| **wh > 0)
            .map(|(wh, price)| rounded(wh * price, 100_000))
            .collect();
        let lines = own["lines"].as_array().unwrap();
        let of = |category: &str| -> Vec<&Value> { lines.iter().filter(|line| line["category"] == category).collect() };
        let wh: Vec<i128> = of("energy").iter().map(|line| i128::from(line["energy_wh"].as_i64().unwrap())).collect();
        assert_eq!(wh, used.wh.iter().copied().filter(|wh| *wh > 0).collect::<Vec<_>>(), "{card}");
        assert_eq!(of("energy").iter().map(|line| cents(&line["amount"])).collect::<Vec<_>>(), energy, "{card}");
        let fee = used.sessions * 25;
        assert_eq!(of("session").iter().map(|line| cents(&line["amount"])).sum::<i128>(), fee, "{card}");
        let taxed = energy.iter().sum::<i128>() + fee;
        let tax = rounded(taxed * 23, 100);
        assert_eq!(
            own["taxes"].as_array().unwrap().iter().map(|line| cents(&line["amount"])).sum::<i128>(),
            tax,
            "{card}"
        );
        let share = cents(&of("cost")[0]["amount"]);
        let exact = 3_101 * used.wh.iter().sum::<i128>();
        assert!((share * whole - exact).abs() < whole, "{card}: {share} of {exact} / {whole}");
        common += share;
        assert_eq!(cents(&own["row"]["total"]), taxed + tax + share, "{card}");
    }
    assert_eq!(common, 3_101);
}

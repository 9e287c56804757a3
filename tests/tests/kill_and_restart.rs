//! A power cut in the middle of charging loses nothing that was acknowledged.

use serde_json::json;
use std::collections::BTreeSet;
use std::sync::mpsc;
use std::time::{Duration, Instant};
use tests::{Meshwatt, RawCharger, approve_charger, enrol, published_site, until};

const CARD: &str = "04A1B2C3";

/// Register at the start of each session.
const METER_START_WH: u64 = 1_000;

/// Energy between the last acknowledged value and the end.
const LAST_WH: u64 = 50;

/// How long each charger reports before the power is cut.
const CHARGES_FOR: Duration = Duration::from_secs(4);

/// A session's energy is kept with the readings of each control interval (here 1 s), so the sum that shows right after
/// a power cut may lie this much behind the acknowledged frames, which are all kept; the next value catches up.
const SUM_LAG_MAX: Duration = Duration::from_secs(2);

/// What a charger was promised before the power was cut.
struct Promised {
    charger: String,
    transaction: i64,
    /// Register of every acknowledged value, with the moment of its answer.
    registers: Vec<(Instant, u64)>,
    /// Numbers of the acknowledged frames.
    frames: BTreeSet<String>,
}

impl Promised {
    /// Energy of the values acknowledged more than `lag` before the last one.
    fn acknowledged_before(&self, lag: Duration) -> u64 {
        let Some((last, _)) = self.registers.last() else { return 0 };
        let early = self.registers.iter().rev().find(|(at, _)| last.duration_since(*at) >= lag);
        early.map_or(0, |(_, register)| register - METER_START_WH)
    }
}

/// Charges and reports as fast as answers come, until the connection breaks.
fn charge_until_broken(url: &str, name: &str, card: &str, enough: &mpsc::SyncSender<()>) -> Promised {
    let mut charger = RawCharger::connect(url);
    charger.boot();
    let transaction = charger.start(card, METER_START_WH);
    let mut promised =
        Promised { charger: name.to_owned(), transaction, registers: Vec::new(), frames: BTreeSet::new() };
    let body = charger.values(transaction, 6.0, 0);
    let (begun, mut told) = (Instant::now(), false);
    for count in 1.. {
        let energy_wh = METER_START_WH + count;
        let mut body = body.clone();
        body["meterValue"][0]["sampledValue"][1]["value"] = json!(energy_wh.to_string());
        if charger.try_call("MeterValues", body).is_none() {
            break;
        }
        promised.registers.push((Instant::now(), energy_wh));
        promised.frames.insert(charger.last_id());
        if !told && begun.elapsed() >= CHARGES_FOR {
            told = true;
            enough.send(()).unwrap();
        }
    }
    promised
}

/// Protects what tenants pay for: after kill -9 every acknowledged session and reading is there, the sessions run
/// on, and they end with the right energy.
#[test]
fn nothing_acknowledged_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    let program = Meshwatt::serve(directory.path());
    published_site(program.api(), 1.0);
    let names = ["CP1", "CP2"];
    let (enough, is_enough) = mpsc::sync_channel(names.len());
    let mut running = Vec::new();
    for (index, name) in names.into_iter().enumerate() {
        let card = format!("{CARD}0{index}");
        enrol(program.api(), name, &card);
        let (url, enough) = (program.charger_url(name), enough.clone());
        running.push(std::thread::spawn(move || charge_until_broken(&url, name, &card, &enough)));
        approve_charger(program.api(), name);
    }
    for _ in names {
        is_enough.recv_timeout(tests::DEADLINE).expect("both chargers report");
    }
    program.kill();
    let promised: Vec<Promised> = running.into_iter().map(|charger| charger.join().unwrap()).collect();

    let program = Meshwatt::serve(directory.path());
    let api = program.api();
    for kept in &promised {
        let session = until("the session after the restart", || {
            api.items("sessions").into_iter().find(|item| item["id"] == kept.transaction)
        });
        assert!(session["ended_at"].is_null(), "it still runs: {session}");
        assert_eq!(session["charger"], kept.charger, "{session}");
        let energy = session["energy_wh"].as_u64().unwrap();
        let acknowledged = kept.acknowledged_before(SUM_LAG_MAX);
        assert!(energy >= acknowledged && acknowledged > 0, "acknowledged {acknowledged} Wh: {session}");
        let frames = received_frames(api, &kept.charger);
        let lost: Vec<_> = kept.frames.difference(&frames).collect();
        assert!(lost.is_empty(), "{} acknowledged frames are lost: {lost:?}", lost.len());
        end_session(&program, kept);
    }
}

/// Numbers of all frames a charger sent, from its message log.
fn received_frames(api: &tests::Api, charger: &str) -> BTreeSet<String> {
    let mut numbers = BTreeSet::new();
    let mut cursor = String::new();
    loop {
        let page = api.get(&format!("chargers/{charger}/frames?limit=500{cursor}")).ok();
        for item in page["items"].as_array().unwrap().iter().filter(|item| item["direction"] == "received") {
            let frame: serde_json::Value = serde_json::from_str(item["text"].as_str().unwrap()).unwrap();
            numbers.insert(frame[1].as_str().unwrap_or_default().to_owned());
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return numbers,
        }
    }
}

fn end_session(program: &Meshwatt, kept: &Promised) {
    let mut charger = RawCharger::connect(&program.charger_url(&kept.charger));
    charger.boot();
    let at = charger.time();
    let (_, last) = kept.registers.last().expect("values were acknowledged");
    let body = json!({"transactionId": kept.transaction, "meterStop": last + LAST_WH, "timestamp": at, "reason": "EVDisconnected"});
    charger.call("StopTransaction", body);
    let ended = until("the end of the session", || {
        let items = program.api().items("sessions");
        items.into_iter().find(|item| item["id"] == kept.transaction && !item["ended_at"].is_null())
    });
    assert_eq!(ended["energy_wh"], last + LAST_WH - METER_START_WH, "{ended}");
}

//! Readings: packed without loss, reduced as documented, fast to open at any age.

use crate::common::*;
use domain::*;
use store::seed::{History, SeriesHistory, seed_history};
use store::{Options, Page, Retention, Store};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Midnight of 1 September 2026 UTC.
const START: i64 = 1_788_220_800_000;

fn ms(value: i64) -> DurationMs {
    DurationMs(value.unsigned_abs())
}

/// 5-second values of two series for `hours`, the register rising by 7 Wh each time.
fn measured(hours: i64) -> Vec<Reading> {
    (0..hours * 720)
        .flat_map(|i| {
            let at = START + i * 5000;
            [reading("house/power_w", at, (i * 37) % 4001 - 500), reading("charger/C1/1/energy_wh", at, i * 7)]
        })
        .collect()
}

async fn write(writer: &store::Writer, readings: Vec<Reading>) {
    for part in readings.chunks(5000) {
        writer.commit(vec![Record::Readings(part.to_vec())]).await.unwrap();
    }
}

/// Packing must not change any answer, at any step, whether part of an hour is packed or none.
#[tokio::test]
async fn packing_changes_no_answer() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = open(dir.path()).await;
    write(&writer, measured(3)).await;
    let wanted = [series("house/power_w"), series("charger/C1/1/energy_wh")];
    let answers = async || {
        let mut all = Vec::new();
        for step in [5000, 7000, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR] {
            let (from, to) = (Timestamp(START + 1234), Timestamp(START + 3 * HOUR));
            all.push(reader.reading_columns(&wanted, from, to, ms(step)).await.unwrap());
        }
        all
    };
    let before = answers().await;
    assert_eq!(before[0].values[0].iter().flatten().count(), 3 * 720);
    let done = writer.maintain(Timestamp(START + 2 * HOUR + 10 * MINUTE)).await.unwrap();
    assert_eq!(done.packed, 2 * 2 * 720, "two finished hours of two series");
    assert_eq!(answers().await, before);
    let done = writer.maintain(Timestamp(START + DAY)).await.unwrap();
    assert_eq!(done.packed, 2 * 720);
    assert_eq!(answers().await, before);
    assert_eq!(writer.maintain(Timestamp(START + DAY)).await.unwrap(), store::Maintenance::default());
}

/// A charger that was offline reports old values after their hour was packed: they are merged, and the means follow.
#[tokio::test]
async fn late_values_are_merged() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = open(dir.path()).await;
    write(&writer, vec![reading("house/power_w", START, 100), reading("house/power_w", START + 10_000, 300)]).await;
    writer.maintain(Timestamp(START + 2 * HOUR)).await.unwrap();
    write(&writer, vec![reading("house/power_w", START + 5000, 800), reading("house/power_w", START, 400)]).await;
    for _ in 0..2 {
        let wanted = [series("house/power_w")];
        let raw = reader.reading_columns(&wanted, Timestamp(START), Timestamp(START + 15_000), ms(5000)).await.unwrap();
        assert_eq!(raw.values, [vec![Some(400), Some(800), Some(300)]]);
        writer.maintain(Timestamp(START + 2 * HOUR)).await.unwrap();
        let minute =
            reader.reading_columns(&wanted, Timestamp(START), Timestamp(START + MINUTE), ms(MINUTE)).await.unwrap();
        assert_eq!(minute.values, [vec![Some(500)]]);
    }
}

/// Where nothing was measured the answer is "unknown", never zero; an unknown series is a column of nothing.
#[tokio::test]
async fn gaps_stay_gaps() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = open(dir.path()).await;
    write(&writer, vec![reading("house/power_w", START, 1), reading("house/power_w", START + 2 * MINUTE, 0)]).await;
    let wanted = [series("house/power_w"), series("solar/power_w")];
    let (from, to) = (Timestamp(START), Timestamp(START + 3 * MINUTE));
    let columns = reader.reading_columns(&wanted, from, to, ms(MINUTE)).await.unwrap();
    assert_eq!(columns.at, [START, START + MINUTE, START + 2 * MINUTE].map(Timestamp));
    assert_eq!(columns.values, [vec![Some(1), None, Some(0)], vec![None; 3]]);
    let nothing = reader.reading_columns(&wanted, to, from, ms(MINUTE)).await.unwrap();
    assert!(nothing.at.is_empty() && nothing.values.iter().all(Vec::is_empty));
}

/// A period nobody can show in one-second steps is answered in wider ones.
#[tokio::test]
async fn a_huge_period_is_answered_in_wider_steps() {
    let dir = tempfile::tempdir().unwrap();
    let (_writer, reader) = open(dir.path()).await;
    let wanted = [series("house/power_w")];
    for (from, to) in [(0, 50 * 365 * DAY), (i64::MIN, i64::MAX), (i64::MAX - 1, i64::MAX)] {
        for step in [0, 1000, i64::MAX] {
            let columns = reader.reading_columns(&wanted, Timestamp(from), Timestamp(to), ms(step)).await.unwrap();
            assert!(columns.at.len() <= 20_000, "{} steps", columns.at.len());
            assert!(columns.step >= ms(step));
        }
    }
}

/// Retention: raw values go first and minutes take their place, then quarter-hours theirs; frames and decisions go too.
#[tokio::test]
async fn what_is_too_old_is_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let retention = Retention { raw: ms(2 * DAY), minutes: ms(10 * DAY), frames: ms(DAY), ..Retention::default() };
    let (writer, reader) = Store::open(dir.path(), Options { retention, ..Options::default() }).await.unwrap();
    write(&writer, measured(1)).await;
    writer.commit(vec![Record::Frame(frame("C1", START, "old"))]).await.unwrap();
    let wanted = [series("house/power_w")];
    let distinct = async |step| {
        let (from, to) = (Timestamp(START), Timestamp(START + HOUR));
        let columns = reader.reading_columns(&wanted, from, to, ms(step)).await.unwrap();
        assert!(columns.values[0].iter().all(Option::is_some), "older parts are filled from coarser values");
        let distinct: std::collections::BTreeSet<_> = columns.values[0].iter().flatten().collect();
        distinct.len()
    };
    writer.maintain(Timestamp(START + DAY)).await.unwrap();
    assert_eq!(reader.frame_list(None, &Page::first(9)).await.unwrap().items.len(), 1, "kept to the last moment");
    assert!(distinct(5000).await > 60);
    writer.maintain(Timestamp(START + 4 * DAY)).await.unwrap();
    assert_eq!(reader.frame_list(None, &Page::first(9)).await.unwrap().items, []);
    assert!((30..=60).contains(&distinct(5000).await), "minutes are left");
    writer.maintain(Timestamp(START + 40 * DAY)).await.unwrap();
    assert!(distinct(5000).await <= 4, "quarter-hours are left");
}

/// The demo writes two months at its start and must show the first graph within three seconds; any period must open in
/// under 200 ms. Both bounds are checked loosely here, because this build is not optimised.
#[tokio::test]
async fn two_months_are_seeded_and_opened_fast() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = open(dir.path()).await;
    let names: Vec<Series> = (1..=12).map(|i| series(&format!("charger/C{i}/1/power_w"))).collect();
    let minutes = names.iter().map(|series| SeriesHistory {
        series: series.clone(),
        values: (0..8300).map(|i| (Timestamp(START + i * MINUTE), (i * 13) % 7400)).collect(),
    });
    let quarters = names.iter().map(|series| SeriesHistory {
        series: series.clone(),
        values: (1..5760).map(|i| (Timestamp(START - i * 15 * MINUTE), i % 7400)).collect(),
    });
    let sessions: Vec<Session> =
        (1..=500).map(|id| ended(id, START + i64::from(id) * HOUR, START + i64::from(id + 3) * HOUR)).collect();
    let history = History { sessions, minutes: minutes.collect(), quarters: quarters.collect(), ..History::default() };
    let began = std::time::Instant::now();
    seed_history(&writer, history).await.unwrap();
    let seeded = began.elapsed();
    let mut slowest = std::time::Duration::ZERO;
    for (days, step) in [(60, 15 * MINUTE), (5, MINUTE), (1, 5000), (60, 5000)] {
        let began = std::time::Instant::now();
        let (from, to) = (Timestamp(START + 5 * DAY - days * DAY), Timestamp(START + 5 * DAY));
        let columns = reader.reading_columns(&names, from, to, ms(step)).await.unwrap();
        slowest = slowest.max(began.elapsed());
        assert!(columns.values.iter().all(|values| values.iter().all(Option::is_some)), "no gap in seeded history");
    }
    println!("seeded in {seeded:?}, slowest graph {slowest:?}");
    assert!(seeded.as_secs() < 10 && slowest.as_secs() < 3, "seeded in {seeded:?}, slowest graph {slowest:?}");
    assert_eq!(reader.setup(Timestamp(START)).await.unwrap().last_session, SessionId(500));
}

/// Packed frames are listed, searched and paged as if they were not, those about transactions outlive the others, and a
/// frame a sink still waits for is not packed away from it.
#[tokio::test]
async fn packed_frames_stay_readable() {
    const HOUR: i64 = 3_600_000;
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = open(dir.path()).await;
    let text = |i: i64| if i % 3 == 0 { format!(r#"{{"transactionId":{i}}}"#) } else { format!("Heartbeat {i}") };
    for i in 0..2500 {
        let device = if i % 2 == 0 { "C1" } else { "C2" };
        writer.commit(vec![Record::Frame(frame(device, i / 2 * 1000, &text(i)))]).await.unwrap();
    }
    let pages = async || {
        let mut all = Vec::new();
        let mut page = Page::first(700);
        loop {
            let list = reader.frame_list(None, &page).await.unwrap();
            all.extend(list.items);
            let Some(cursor) = list.next_cursor else { return all };
            page.cursor = Some(cursor);
        }
    };
    let filter =
        store::FrameFilter { text: "BEAT 5".to_owned(), from: Some(Timestamp(1000)), to: Some(Timestamp(900_000)) };
    let (all, found) = (pages().await, reader.frame_search("C1", &filter, &Page::first(50)).await.unwrap());
    assert_eq!(all.len(), 2500);
    assert_eq!(writer.maintain(Timestamp(2 * HOUR)).await.unwrap().frames, 2500);
    assert!(pages().await == all, "the same frames in the same order");
    assert_eq!(reader.frame_search("C1", &filter, &Page::first(50)).await.unwrap(), found);
    assert!(!found.items.is_empty());
    writer.maintain(Timestamp(10 * 24 * HOUR)).await.unwrap();
    let left = pages().await;
    assert_eq!(left.len(), 834, "a week for the others");
    writer.maintain(Timestamp(50 * 24 * HOUR)).await.unwrap();
    assert!(pages().await.is_empty());

    let setup = store::SinkSetup {
        name: "cloud".to_owned(),
        settings: String::new(),
        consents: store::Consent::BOXES.to_vec(),
        resolution: store::Resolution::Minutes,
        paused: false,
    };
    writer.sink(store::SinkOrder::Set(setup)).await.unwrap();
    writer.commit(vec![Record::Frame(frame("C1", 60 * 24 * HOUR, "late"))]).await.unwrap();
    assert_eq!(writer.maintain(Timestamp(90 * 24 * HOUR)).await.unwrap().frames, 0);
    let (_, batch) = reader.outbox_batch("cloud").await.unwrap().unwrap();
    assert!(batch.rows.iter().any(|row| row.table == "frame"));
    writer.sink(store::SinkOrder::Advance { name: "cloud".to_owned(), through: batch.through, rows: 1 }).await.unwrap();
    writer.maintain(Timestamp(90 * 24 * HOUR)).await.unwrap();
    assert!(pages().await.is_empty());
}

//! The outbox: what every sink gets, in which order, and what it never gets.

use crate::common::*;
use domain::*;
use std::collections::BTreeMap;
use store::seed::{History, SeriesHistory, seed_history};
use store::{Consent, OutboxBatch, Reader, Resolution, SinkOrder, SinkSetup, Writer};

fn setup(consents: &[Consent]) -> SinkSetup {
    SinkSetup {
        name: "cloud".to_owned(),
        settings: "{}".to_owned(),
        consents: consents.to_vec(),
        resolution: Resolution::Minutes,
        paused: false,
    }
}

/// Takes everything that waits, as a sink does.
async fn drain(writer: &Writer, reader: &Reader) -> OutboxBatch {
    let mut all = OutboxBatch::default();
    loop {
        let (sink, batch) = reader.outbox_batch("cloud").await.unwrap().unwrap();
        if batch.through == sink.cursor {
            return all;
        }
        all.rows.extend(batch.rows);
        all.readings.extend(batch.readings);
        all.series.extend(batch.series);
        writer.sink(SinkOrder::Advance { name: "cloud".to_owned(), through: batch.through, rows: 1 }).await.unwrap();
    }
}

fn tables(batch: &OutboxBatch) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for row in &batch.rows {
        *counts.entry(row.table).or_default() += 1;
    }
    counts
}

/// A sink that is made late gets everything there is, and then each change once, the newest state of it.
#[tokio::test]
async fn a_new_sink_gets_all_and_then_changes() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = open(dir.path()).await;
    writer.commit(one_of_each()).await.unwrap();
    writer.sink(SinkOrder::Set(setup(&Consent::BOXES))).await.unwrap();
    let first = drain(&writer, &reader).await;
    let counts = tables(&first);
    for table in ["site", "circuit", "charger", "tenant", "person", "card", "session", "orphan_stop", "frame", "fact"] {
        assert!(counts.contains_key(table), "{table} is missing in {counts:?}");
    }
    assert_eq!(first.readings.len(), 2, "the minute that is still open is sent as far as it is known");
    assert!(drain(&writer, &reader).await.rows.is_empty(), "nothing is sent twice");

    writer.commit(vec![Record::Session(session(2, 31)), Record::Session(session(3, 32))]).await.unwrap();
    writer
        .commit(vec![Record::Session(ended(2, 31, 90)), Record::CardRemoved(CardUid::new("04A1B2C3").unwrap())])
        .await
        .unwrap();
    let second = drain(&writer, &reader).await;
    let told: Vec<(&str, &str, bool)> =
        second.rows.iter().map(|row| (row.table, row.key.as_str(), row.body.is_some())).collect();
    assert_eq!(told, [("session", "[3]", true), ("session", "[2]", true), ("card", "[1]", false)]);
    assert!(second.rows[1].body.as_deref().unwrap().contains(r#""ended_at_ms":90"#));
    let newest_of_first = first.rows.iter().map(|row| row.seq).max().unwrap();
    assert!(second.rows.iter().all(|row| row.seq > newest_of_first), "a change always beats what came before");
}

/// Names, card numbers, texts and frames stay at home unless they are ticked; ticking sends them, unticking takes back.
#[tokio::test]
async fn nothing_personal_leaves_unticked() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = open(dir.path()).await;
    writer.sink(SinkOrder::Set(setup(&[]))).await.unwrap();
    writer.commit(one_of_each()).await.unwrap();
    let text = |batch: &OutboxBatch| format!("{:?}", batch.rows);
    let told = text(&drain(&writer, &reader).await);
    for personal in ["Tenant 1", "2.º Esq.", "04A1B2C3", "It was Ana", "Heartbeat"] {
        assert!(!told.contains(personal), "{personal} left");
    }
    assert!(told.contains("energy_wh"));
    writer.sink(SinkOrder::Set(setup(&[Consent::Names]))).await.unwrap();
    let told = text(&drain(&writer, &reader).await);
    assert!(told.contains("Tenant 1") && !told.contains("04A1B2C3") && !told.contains("energy_wh"), "{told}");
    writer.sink(SinkOrder::Set(setup(&[]))).await.unwrap();
    let told = text(&drain(&writer, &reader).await);
    assert!(!told.contains("Tenant 1") && told.contains("created_at_ms"), "{told}");
}

/// The minutes that arrive are those that are kept: also when a value comes late, when the hour was packed before it was
/// sent, and after another start.
#[tokio::test]
async fn minutes_arrive_as_they_are_kept() {
    const HOUR: i64 = 3_600_000;
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = open(dir.path()).await;
    writer.sink(SinkOrder::Set(setup(&[]))).await.unwrap();
    let start = 1_700_000_000_000 / HOUR * HOUR;
    let name = "house/power_w";
    let mut arrived: BTreeMap<i64, i64> = BTreeMap::new();
    let mut take = |batch: OutboxBatch| {
        arrived.extend(batch.readings.iter().map(|reading| (reading.at_ms, reading.value)));
        batch.readings.len()
    };
    let mut put = Vec::new();
    for at in (0..2 * HOUR).step_by(10_000) {
        put.push(reading(name, start + at, at / 1000 % 977));
        if at % 700_000 == 0 {
            writer.commit(vec![Record::Readings(std::mem::take(&mut put))]).await.unwrap();
        }
        if at == 30 * 60_000 {
            take(drain(&writer, &reader).await);
        }
    }
    writer.commit(vec![Record::Readings(put)]).await.unwrap();
    writer.maintain(Timestamp(start + HOUR + 200_000)).await.unwrap();
    writer.close().await.unwrap();
    drop(reader);
    let (writer, reader) = open(dir.path()).await;
    take(drain(&writer, &reader).await);
    writer.commit(vec![Record::Readings(vec![reading(name, start + 65_000, 5000)])]).await.unwrap();
    take(drain(&writer, &reader).await);
    writer.maintain(Timestamp(start + 3 * HOUR)).await.unwrap();
    take(drain(&writer, &reader).await);
    let (sink, _) = reader.outbox_batch("cloud").await.unwrap().unwrap();
    let (number, _, _) = reader.outbox_days().await.unwrap()[0].clone();
    let kept: BTreeMap<i64, i64> = reader
        .outbox_readings(&sink, number, Timestamp(start), Timestamp(start + 3 * HOUR))
        .await
        .unwrap()
        .into_iter()
        .collect();
    assert_eq!(kept.len(), 120);
    assert_eq!(arrived, kept);
}

/// Sinks do not wait for each other, and the outbox keeps what the slowest still needs, and no more.
#[tokio::test]
async fn each_sink_has_its_cursor() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = open(dir.path()).await;
    writer.sink(SinkOrder::Set(setup(&[]))).await.unwrap();
    writer.commit(vec![Record::Session(session(1, 1))]).await.unwrap();
    writer.sink(SinkOrder::Set(SinkSetup { name: "kafka".to_owned(), ..setup(&[]) })).await.unwrap();
    drain(&writer, &reader).await;
    writer.commit(vec![Record::Session(session(2, 2))]).await.unwrap();
    drain(&writer, &reader).await;
    let waiting = |states: Vec<store::SinkState>| states.iter().map(|state| state.waiting).collect::<Vec<_>>();
    assert_eq!(waiting(reader.sink_list().await.unwrap()), [0, 2]);
    let (_, batch) = reader.outbox_batch("kafka").await.unwrap().unwrap();
    assert_eq!(tables(&batch), BTreeMap::from([("session", 2)]));
    writer.sink(SinkOrder::Remove("kafka".to_owned())).await.unwrap();
    writer.sink(SinkOrder::Remove("cloud".to_owned())).await.unwrap();
    writer.commit(vec![Record::Session(session(3, 3))]).await.unwrap();
    writer.sink(SinkOrder::Set(setup(&[]))).await.unwrap();
    assert_eq!(waiting(reader.sink_list().await.unwrap()), [3], "without a sink nothing was gathered");
}

/// What a comparison expects is what sinks were given, whether values are packed, wait to be packed, came late, or are
/// known as quarter-hours only; no time leaves twice at two resolutions.
#[tokio::test]
async fn what_is_compared_is_what_was_sent() {
    const MINUTE: i64 = 60_000;
    const HOUR: i64 = 60 * MINUTE;
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = open(dir.path()).await;
    // As long ago as a day begins; minutes are known from its third hour on, quarter-hours of all of it.
    let start = 1_795_132_800_000;
    let mean = |step: i64, count: i64, from: i64| SeriesHistory {
        series: series("house/power_w"),
        values: (0..count).map(|i| (Timestamp(from + i * step), i)).collect(),
    };
    let history = History {
        quarters: vec![mean(15 * MINUTE, 8, start)],
        minutes: vec![mean(MINUTE, 60, start + 2 * HOUR)],
        ..History::default()
    };
    seed_history(&writer, history).await.unwrap();
    writer.sink(SinkOrder::Set(setup(&[]))).await.unwrap();
    let mut sent: BTreeMap<(i64, i64), i64> = BTreeMap::new();
    let mut take = async || {
        for one in drain(&writer, &reader).await.readings {
            sent.insert((one.step_ms, one.at_ms), one.value);
        }
        sent.clone()
    };
    take().await;
    let live = start + 3 * HOUR;
    let measured = |at: i64, value| vec![Record::Readings(vec![reading("house/power_w", at, value)])];
    for i in 0..90 {
        writer.commit(measured(live + i * MINUTE, i)).await.unwrap();
    }
    take().await;
    writer.maintain(Timestamp(live + HOUR + 5 * MINUTE)).await.unwrap();
    // Late ones: into a packed minute, into a packed hour beside it, into a minute that is only known as a mean.
    for at in [live + 5 * MINUTE + 30_000, live - HOUR + 7 * MINUTE, live + 95 * MINUTE] {
        writer.commit(measured(at, 1000)).await.unwrap();
    }
    take().await;
    writer.maintain(Timestamp(live + HOUR + 5 * MINUTE)).await.unwrap();
    let sent = take().await;
    let (sink, _) = reader.outbox_batch("cloud").await.unwrap().unwrap();
    let (number, _) = reader.outbox_series().await.unwrap()[0].clone();
    let open = reader.outbox_open_minutes().await.unwrap();
    let (from, to) = (Timestamp(start), Timestamp(start + 24 * HOUR));
    let fine = reader.outbox_readings(&sink, number, from, to).await.unwrap();
    let quarters = reader.outbox_quarters(number).await.unwrap();
    let mut expected: BTreeMap<(i64, i64), i64> =
        fine.into_iter().filter(|(at, _)| !open.contains(at)).map(|(at, value)| ((MINUTE, at), value)).collect();
    expected.extend(quarters.into_iter().map(|(at, value)| ((15 * MINUTE, at), value)));
    assert_eq!(sent, expected);
    assert_eq!(sent.keys().filter(|(step, _)| *step > MINUTE).count(), 8, "quarter-hours of the time before");
    assert_eq!(sent[&(MINUTE, live + 5 * MINUTE)], 503, "the mean of both values");
}

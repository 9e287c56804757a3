//! Crashes, full disks, damage and contradictions.

use crate::common::*;
use domain::*;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use store::{Options, Page, Store, StoreError};

/// Many callers share a transaction, or a building of forty chargers waits for the disk.
#[tokio::test]
async fn concurrent_commits_share_transactions() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = open(dir.path()).await;
    let before = writer.transactions();
    let tasks: Vec<_> = (0..200)
        .map(|i| {
            let writer = writer.clone();
            tokio::spawn(async move { writer.commit(vec![Record::Frame(frame("C1", i, "x"))]).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let used = writer.transactions() - before;
    assert!((1..=50).contains(&used), "{used} transactions for 200 commits");
    assert_eq!(reader.frame_list(None, &Page::first(500)).await.unwrap().items.len(), 200);
}

/// A card of a tenant that does not exist is refused, with everything its caller sent; the neighbours in the same
/// transaction are kept.
#[tokio::test]
async fn a_refused_record_does_not_poison_others() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = open(dir.path()).await;
    let good =
        |id| vec![Record::Session(session(id, 1)), Record::Readings(vec![reading("house/power_w", id.into(), 1)])];
    let bad = vec![Record::Session(session(9, 1)), Record::Card(card(1, "AA", 77)), Record::Frame(frame("C9", 1, "x"))];
    let (first, second, third) = tokio::join!(writer.commit(good(1)), writer.commit(bad), writer.commit(good(2)));
    first.unwrap();
    third.unwrap();
    let error = second.unwrap_err();
    assert!(matches!(error, StoreError::Rejected(_)), "{error}");
    assert!(!error.is_storage());
    assert_eq!(reader.session_get(SessionId(1)).await.unwrap(), Some(session(1, 1)));
    assert_eq!(reader.session_get(SessionId(2)).await.unwrap(), Some(session(2, 1)));
    assert_eq!(reader.session_get(SessionId(9)).await.unwrap(), None, "all of a caller's records or none");
    assert!(reader.frame_list(None, &Page::first(9)).await.unwrap().items.is_empty());
    writer.commit(good(3)).await.unwrap();
}

/// A full disk is a clear error for every caller, nothing acknowledged is lost, and writing goes on once there is room.
#[tokio::test]
async fn a_full_disk_is_told_to_every_caller() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { pages_max: Some(180), ..Options::default() };
    let (writer, reader) = Store::open(dir.path(), options).await.unwrap();
    let text = "x".repeat(20_000);
    let mut kept = 0;
    let error = loop {
        let commit = |at| writer.commit(vec![Record::Frame(frame("C1", at, &text))]);
        match tokio::join!(commit(kept), commit(kept + 1)) {
            (Ok(()), Ok(())) => kept += 2,
            (Err(first), Err(second)) => {
                assert!(matches!(second, StoreError::DiskFull(_)), "{second}");
                break first;
            }
            mixed => panic!("one transaction, two answers: {mixed:?}"),
        }
        assert!(kept < 100, "the limit was never reached");
    };
    assert!(matches!(error, StoreError::DiskFull(_)) && error.is_storage(), "{error}");
    assert!(error.to_string().contains("free some space"), "{error}");
    assert!(kept > 0);
    let list = reader.frame_list(None, &Page::first(500)).await.unwrap();
    assert_eq!(i64::try_from(list.items.len()).unwrap(), kept);
    drop(writer.close().await);
    drop(reader);
    let (writer, _reader) = open(dir.path()).await;
    writer.commit(vec![Record::Frame(frame("C1", 1000, &text))]).await.unwrap();
}

/// What is past its retention makes room again, and a series first seen while the disk was full is not lost with it.
#[tokio::test]
async fn a_full_disk_recovers_by_retention() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) =
        Store::open(dir.path(), Options { pages_max: Some(220), ..Options::default() }).await.unwrap();
    let text = "x".repeat(3000);
    for at in 0.. {
        if writer.commit(vec![Record::Frame(frame("C1", at, &text))]).await.is_err() {
            break;
        }
    }
    let values: Vec<Reading> = (0..2000).map(|at| reading("house/power_w", at, at)).collect();
    let readings = vec![Record::Readings(values)];
    let error = writer.commit(readings.clone()).await.unwrap_err();
    assert!(matches!(error, StoreError::DiskFull(_)), "{error}");
    assert!(reader.series_list().await.unwrap().is_empty());

    let week = 8 * 86_400_000;
    assert!(writer.maintain(Timestamp(week)).await.unwrap().removed > 50);
    writer.commit(readings).await.unwrap();
    let (from, to) = (Timestamp(0), Timestamp(2000));
    let columns = reader.reading_columns(&[series("house/power_w")], from, to, DurationMs(1)).await.unwrap();
    assert_eq!(columns.values[0], (0..2000).map(Some).collect::<Vec<_>>());
}

/// A shorter retention removes what is older, from the next tidying on and after a restart; quarter-hours stay.
#[tokio::test]
async fn a_chosen_retention_is_obeyed_and_kept() {
    const DAY: i64 = 86_400_000;
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = open(dir.path()).await;
    let now = Timestamp(1_795_132_800_000);
    for age in [1, 20] {
        let at = now.0 - age * DAY;
        let records =
            vec![Record::Frame(frame("C1", at, "x")), Record::Readings(vec![reading("house/power_w", at, 5)])];
        writer.commit(records).await.unwrap();
    }
    let days = |count: u64| DurationMs(count * 86_400_000);
    let chosen =
        store::Retention { raw: days(3), minutes: days(10), frames: days(30), ..reader.retention().await.unwrap() };
    writer.retain(chosen).await.unwrap();
    writer.maintain(now).await.unwrap();
    let value = async |reader: &store::Reader, age: i64, step| {
        let (from, to) = (Timestamp(now.0 - age * DAY), Timestamp(now.0 - age * DAY + 900_000));
        let columns = reader.reading_columns(&[series("house/power_w")], from, to, DurationMs(step)).await.unwrap();
        columns.values[0].iter().flatten().count()
    };
    assert_eq!(reader.frame_list(None, &Page::first(9)).await.unwrap().items.len(), 2, "frames were to stay longer");
    assert_eq!((value(&reader, 1, 60_000).await, value(&reader, 20, 900_000).await), (1, 1), "quarter-hours stay");
    let minutes: Vec<_> = reader.outbox_days().await.unwrap();
    assert_eq!(minutes.len(), 1, "means of a minute of 20 days ago are gone: {minutes:?}");
    writer.close().await.unwrap();
    drop(reader);
    let (writer, reader) = open(dir.path()).await;
    assert_eq!(reader.retention().await.unwrap(), chosen);
    writer.commit(vec![Record::Frame(frame("C1", now.0 - 40 * DAY, "x"))]).await.unwrap();
    writer.maintain(now).await.unwrap();
    assert_eq!(reader.frame_list(None, &Page::first(9)).await.unwrap().items.len(), 2, "it is obeyed after a restart");
}

/// Two programs on one directory would both command the chargers.
#[tokio::test]
async fn a_second_program_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, _reader) = open(dir.path()).await;
    let error = Store::open(dir.path(), Options::default()).await.unwrap_err();
    assert!(matches!(error, StoreError::InUse { .. }), "{error}");
    assert!(error.to_string().contains("data directory of its own"), "{error}");
    writer.close().await.unwrap();
    open(dir.path()).await;
}

/// A data directory that cannot be made names itself.
#[tokio::test]
async fn an_impossible_directory_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let error = Store::open(&file.join("data"), Options::default()).await.unwrap_err();
    assert!(matches!(error, StoreError::Directory { .. }), "{error}");
    assert!(error.to_string().contains("file/data"), "{error}");
}

/// Records of a newer program are left untouched.
#[tokio::test]
async fn a_newer_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = open(dir.path()).await;
    writer.commit(one_of_each()).await.unwrap();
    writer.close().await.unwrap();
    drop(reader);
    let url = format!("sqlite://{}", dir.path().join("meshwatt.db").display());
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'from the future', 1, x'00', 0)",
    )
    .execute(&pool)
    .await
    .unwrap();
    pool.close().await;
    let error = Store::open(dir.path(), Options::default()).await.unwrap_err();
    assert!(matches!(error, StoreError::NewerSchema { found: 9999, .. }), "{error}");
    assert!(error.to_string().contains("install the newer Meshwatt"), "{error}");
    assert!(dir.path().join("meshwatt.db").exists());
}

async fn damage(dir: &Path, offset: usize, bytes: &[u8]) {
    let (writer, reader) = open(dir).await;
    let frames: Vec<Record> = (0..200).map(|at| Record::Frame(frame("C1", at, &"y".repeat(500)))).collect();
    writer.commit(frames).await.unwrap();
    writer.close().await.unwrap();
    drop(reader);
    let path = dir.join("meshwatt.db");
    let mut content = std::fs::read(&path).unwrap();
    content[offset..offset + bytes.len()].copy_from_slice(bytes);
    std::fs::write(&path, content).unwrap();
    // As after a crash: the file is checked.
    std::fs::write(dir.join("meshwatt.lock"), "").unwrap();
}

/// A damaged file is set aside whole and said so; the next opening starts afresh, and charging goes on.
#[tokio::test]
async fn a_damaged_file_is_set_aside() {
    for (offset, bytes) in [(0, vec![0_u8; 64]), (4096 * 12, vec![0xa5; 4096 * 8])] {
        let dir = tempfile::tempdir().unwrap();
        damage(dir.path(), offset, &bytes).await;
        let error = Store::open(dir.path(), Options::default()).await.unwrap_err();
        let StoreError::Damaged { set_aside } = &error else { panic!("{error:?}") };
        assert!(set_aside.exists() && !dir.path().join("meshwatt.db").exists());
        assert!(error.to_string().contains("restore a backup"), "{error}");
        let (writer, reader) = open(dir.path()).await;
        writer.commit(one_of_each()).await.unwrap();
        assert_eq!(reader.frame_list(None, &Page::first(9)).await.unwrap().items.len(), 1);
    }
}

/// Name of the environment variable that makes [`child_writes_until_killed`] the child.
const CHILD: &str = "MESHWATT_STORE_CHILD_DIR";

/// The other half of [`kill_9_loses_nothing_acknowledged`]; does nothing on its own.
#[tokio::test]
async fn child_writes_until_killed() {
    let Some(dir) = std::env::var_os(CHILD) else { return };
    let (writer, _reader) = open(Path::new(&dir)).await;
    for number in 1_i32.. {
        let at = i64::from(number);
        let records = vec![
            Record::Session(session(number, at)),
            Record::Frame(frame("C1", at, "start")),
            Record::Readings(vec![reading("house/power_w", at * 1000, at)]),
        ];
        writer.commit(records).await.unwrap();
        println!("acknowledged {number}");
        std::io::Write::flush(&mut std::io::stdout()).unwrap();
    }
}

/// A killed program has lost nothing it acknowledged, and at most one batch beyond that is there, whole.
#[tokio::test]
async fn kill_9_loses_nothing_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "faults::child_writes_until_killed", "--nocapture"])
        .env(CHILD, dir.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = 0_i32;
    for line in lines.map_while(Result::ok) {
        if let Some(number) = line.rsplit_once("acknowledged ").and_then(|(_, number)| number.parse().ok()) {
            acknowledged = number;
            if acknowledged == 60 {
                // SIGKILL on Unix.
                child.kill().unwrap();
            }
        }
    }
    child.wait().unwrap();
    assert!(acknowledged >= 60, "the child ended at {acknowledged}");
    let (_writer, reader) = open(dir.path()).await;
    let found = reader.setup(Timestamp(0)).await.unwrap().last_session.0;
    assert!((acknowledged..=acknowledged + 1).contains(&found), "acknowledged {acknowledged}, found {found}");
    let frames = reader.frame_list(None, &Page::first(9999)).await.unwrap().items.len();
    assert_eq!(i32::try_from(frames).unwrap(), found, "a batch is whole or absent");
    let (from, to) = (Timestamp(1000), Timestamp(i64::from(found + 1) * 1000));
    let columns = reader.reading_columns(&[series("house/power_w")], from, to, DurationMs(1000)).await.unwrap();
    assert_eq!(columns.values[0], (1..=i64::from(found)).map(Some).collect::<Vec<_>>());
}

/// After a clean close the journal is folded in, so a copy of the one file is a whole backup.
#[tokio::test]
async fn a_clean_close_leaves_one_file() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = open(dir.path()).await;
    writer.commit(one_of_each()).await.unwrap();
    let before = everything(&reader).await;
    drop(reader);
    let clone = writer.clone();
    writer.close().await.unwrap();
    let error = clone.commit(one_of_each()).await.unwrap_err();
    assert!(matches!(error, StoreError::Closed), "{error}");
    let copy = tempfile::tempdir().unwrap();
    std::fs::copy(dir.path().join("meshwatt.db"), copy.path().join("meshwatt.db")).unwrap();
    let (_writer, reader) = open(copy.path()).await;
    assert_eq!(everything(&reader).await, before);
}

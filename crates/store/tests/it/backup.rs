//! Copies of the records, and what is saved from a damaged file.

use crate::common::*;
use domain::*;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use store::{Options, Page, Store, StoreError, backup_inspect, backup_restore, backup_write, salvage};

/// Overwrites a page of a file with rubbish, as a dying disk does.
fn damage(path: &Path, page: u64) {
    let mut file = std::fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(page * 4096)).unwrap();
    file.write_all(&[0xa5; 4096]).unwrap();
}

/// A copy is made while others write, says what is in it, and brings back exactly what it holds; what was there is kept.
#[tokio::test]
async fn a_copy_brings_everything_back() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = open(dir.path()).await;
    writer.commit(one_of_each()).await.unwrap();
    let before = everything(&reader).await;
    let copy = dir.path().join("copies/one.db");
    let during = async {
        for at in 100..200 {
            writer.commit(vec![Record::Frame(frame("C1", at, "x"))]).await.unwrap();
        }
    };
    let (bytes, ()) = tokio::join!(backup_write(dir.path(), &copy), during);
    assert!(bytes.unwrap() > 10_000);
    let found = backup_inspect(&copy).await.unwrap();
    assert_eq!((found.site.as_str(), found.sessions, found.tenants, found.chargers), ("Rua do Sol 7", 2, 1, 2));
    let refused = backup_restore(&copy, dir.path()).await.unwrap_err();
    assert!(matches!(refused, StoreError::InUse { .. }), "never below a running program: {refused}");

    let calm = dir.path().join("copies/two.db");
    let other = tempfile::tempdir().unwrap();
    let (second, _) = open(other.path()).await;
    second.commit(one_of_each()).await.unwrap();
    backup_write(other.path(), &calm).await.unwrap();
    writer.close().await.unwrap();
    drop(reader);
    let kept = backup_restore(&calm, dir.path()).await.unwrap().unwrap();
    assert!(kept.exists());
    let (_writer, reader) = open(dir.path()).await;
    assert_eq!(everything(&reader).await, before);
}

/// A damaged or foreign file is refused before anything is touched.
#[tokio::test]
async fn a_damaged_copy_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, _reader) = open(dir.path()).await;
    for at in 0..200 {
        writer.commit(vec![Record::Frame(frame("C1", at, &"y".repeat(500)))]).await.unwrap();
    }
    let copy = dir.path().join("copy.db");
    let bytes = backup_write(dir.path(), &copy).await.unwrap();
    damage(&copy, bytes / 4096 - 2);
    let target = tempfile::tempdir().unwrap();
    let refused = backup_restore(&copy, target.path()).await.unwrap_err();
    assert!(matches!(refused, StoreError::DamagedCopy { .. }) && refused.to_string().contains("copy.db is damaged"));
    assert!(!target.path().join("meshwatt.db").exists());
    std::fs::write(&copy, "no database at all, but long enough to be read as one".repeat(100)).unwrap();
    let refused = backup_inspect(&copy).await.unwrap_err();
    assert!(refused.to_string().contains("copy.db is no copy of Meshwatt's records"), "{refused}");
    let foreign = format!("sqlite://{}?mode=rwc", dir.path().join("foreign.db").display());
    let pool = sqlx::SqlitePool::connect(&foreign).await.unwrap();
    sqlx::query("CREATE TABLE holiday (day TEXT)").execute(&pool).await.unwrap();
    pool.close().await;
    let refused = backup_inspect(&dir.path().join("foreign.db")).await.unwrap_err();
    assert!(matches!(refused, StoreError::NoCopy { .. }), "{refused}");
}

/// After damage, rows of the pages that can still be read come back on top of the copy.
#[tokio::test]
async fn what_can_be_read_is_saved() {
    for last in [false, true] {
        what_can_be_read(last).await;
    }
}

/// Damages a page in the middle of the file, or the last one.
async fn what_can_be_read(last: bool) {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = open(dir.path()).await;
    writer.commit((1..400).map(|id| Record::Session(session(id, id.into()))).collect::<Vec<_>>()).await.unwrap();
    let copy = dir.path().join("copy.db");
    backup_write(dir.path(), &copy).await.unwrap();
    writer.commit(vec![Record::Session(ended(1, 1, 500))]).await.unwrap();
    writer.commit((400..2000).map(|id| Record::Session(session(id, id.into()))).collect::<Vec<_>>()).await.unwrap();
    writer.commit(vec![Record::Tenant(tenant(1)), Record::Frame(frame("C1", 7, "kept"))]).await.unwrap();
    writer.close().await.unwrap();
    drop(reader);
    let file = dir.path().join("meshwatt.db");
    let pages = std::fs::metadata(&file).unwrap().len() / 4096;
    damage(&file, if last { pages - 1 } else { pages / 2 });
    let mut lock = std::fs::OpenOptions::new().read(true).write(true).open(dir.path().join("meshwatt.lock")).unwrap();
    let mut text = String::new();
    lock.read_to_string(&mut text).unwrap();
    lock.set_len(0).unwrap();
    let damaged = match Store::open(dir.path(), Options::default()).await {
        Err(StoreError::Damaged { set_aside }) => Some(set_aside),
        Err(_) | Ok(_) => None,
    };
    let set_aside = damaged.expect("the damage was seen");
    backup_restore(&copy, dir.path()).await.unwrap();
    let saved = salvage(&set_aside, dir.path()).await.unwrap();
    assert!(saved > 1000, "{saved}");
    let (_writer, reader) = open(dir.path()).await;
    let all = reader.session_list(&store::SessionFilter::default(), &Page::first(5000)).await.unwrap().items;
    assert!((1800..=1999).contains(&all.len()), "a page at the most is lost: {}, {last}", all.len());
    assert_eq!(reader.session_get(SessionId(1)).await.unwrap(), Some(ended(1, 1, 500)), "the newer state");
    assert_eq!(reader.frame_list(None, &Page::first(9)).await.unwrap().items.len(), 1);
}

/// Damage that shows while the program runs is remembered: the next start checks every page, although the program ended
/// in order.
#[tokio::test]
async fn damage_seen_while_running_is_checked_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = open(dir.path()).await;
    for at in 0..200 {
        writer.commit(vec![Record::Frame(frame("C1", at, &"y".repeat(500)))]).await.unwrap();
    }
    writer.close().await.unwrap();
    drop(reader);
    let file = dir.path().join("meshwatt.db");
    let pages = std::fs::metadata(&file).unwrap().len() / 4096;
    for page in pages - 12..pages {
        damage(&file, page);
    }
    let (writer, reader) = open(dir.path()).await;
    let error = reader.frame_list(None, &Page::first(500)).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt(_)) && error.to_string().contains("restart"), "{error}");
    writer.doubt();
    drop(reader);
    writer.close().await.unwrap();
    let again = Store::open(dir.path(), Options::default()).await.unwrap_err();
    assert!(matches!(again, StoreError::Damaged { .. }), "{again}");
}

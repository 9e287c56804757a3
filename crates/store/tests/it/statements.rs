//! Closed months stay as they were closed; traces keep what cuts a session.

use crate::common::*;
use domain::*;
use store::{ClosedMonth, ClosedStatement, NamedDocument, ObstacleDecision, StatementRecord};

fn month(name: &str) -> ClosedMonth {
    ClosedMonth {
        month: name.to_owned(),
        closed_at: Timestamp(5),
        from: Timestamp(0),
        to: Timestamp(100),
        tariff: "{}".to_owned(),
        fingerprint: "0-0-0".to_owned(),
    }
}

fn statement(number: i64, name: &str) -> ClosedStatement {
    ClosedStatement {
        number,
        month: name.to_owned(),
        tenant: Some("key".to_owned()),
        kind: "statement".to_owned(),
        text: format!("text {number}"),
        previous: format!("hash {}", number - 1),
        hash: format!("hash {number}"),
    }
}

/// A month closes once and whole; a chain that does not go on where it ended is refused and leaves nothing behind.
#[tokio::test]
async fn a_month_closes_once() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = open(dir.path()).await;
    let close = |name: &str, numbers: &[i64]| {
        let statements = numbers.iter().map(|number| statement(*number, name)).collect();
        writer.statement(StatementRecord::Close(month(name), statements))
    };
    close("2026-09", &[1, 2]).await.unwrap();
    assert!(close("2026-09", &[3]).await.is_err(), "closed already");
    assert!(close("2026-10", &[2, 3]).await.is_err(), "a number that is taken");
    assert!(close("2026-10", &[4]).await.is_err(), "a gap");
    assert_eq!(reader.closed_month_list().await.unwrap(), [month("2026-09")]);
    close("2026-10", &[3]).await.unwrap();
    assert_eq!(reader.statement_last().await.unwrap(), Some((3, "hash 3".to_owned())));
    assert_eq!(reader.statement_chain(2, 10).await.unwrap(), [statement(2, "2026-09"), statement(3, "2026-10")]);
    assert_eq!(reader.statement_list("2026-10").await.unwrap(), [statement(3, "2026-10")]);
}

/// Not even this program can change or remove what was closed.
#[tokio::test]
async fn closed_statements_cannot_be_changed() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, _reader) = open(dir.path()).await;
    writer.statement(StatementRecord::Close(month("2026-09"), vec![statement(1, "2026-09")])).await.unwrap();
    writer.close().await.unwrap();
    let path = format!("sqlite://{}", dir.path().join("meshwatt.db").display());
    let pool = sqlx::SqlitePool::connect(&path).await.unwrap();
    for sql in [
        "UPDATE statement SET text = 'x'",
        "DELETE FROM statement",
        "UPDATE closed_month SET tariff = 'x'",
        "DELETE FROM closed_month",
    ] {
        let error = sqlx::query(sql).execute(&pool).await.unwrap_err();
        assert!(error.to_string().contains("never"), "{error}");
    }
}

/// Of each quarter of an hour the first and the last reading are kept, also of a backlog that arrives out of order.
#[tokio::test]
async fn traces_keep_the_borders_of_quarters() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = open(dir.path()).await;
    let minute = 60_000;
    let measured = |at: i64, energy: u64| Record::SessionMeasured {
        session: SessionId(1),
        at: Timestamp(at * minute),
        energy: WattHours(energy),
    };
    let mut records = vec![Record::Session(ended(1, 0, 60 * minute))];
    records.extend([1, 5, 10, 14, 16, 20, 31].map(|at| measured(at, u64::try_from(at).unwrap() * 100)));
    records.push(measured(25, 2_500));
    writer.commit(records).await.unwrap();
    let traced = reader.session_list_traced(Timestamp(0), Timestamp(minute)).await.unwrap();
    let trace: Vec<(i64, u64)> = traced[0].trace.iter().map(|(at, wh)| (at.0 / minute, wh.0)).collect();
    assert_eq!(trace, [(1, 100), (14, 1_400), (16, 1_600), (20, 2_000), (25, 2_500), (31, 3_100)]);
}

/// A session belongs to every period it touches; one that ended before it began, to the period of its beginning.
#[tokio::test]
async fn periods_have_the_sessions_that_touch_them() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = open(dir.path()).await;
    let records = vec![
        Record::Session(ended(1, 0, 99)),
        Record::Session(ended(2, 50, 150)),
        Record::Session(session(3, 10)),
        Record::Session(ended(4, 120, 80)),
        Record::Session(ended(5, 200, 300)),
    ];
    writer.commit(records).await.unwrap();
    let ids = async |from, to| -> Vec<i32> {
        let list = reader.session_list_traced(Timestamp(from), Timestamp(to)).await.unwrap();
        list.iter().map(|traced| traced.session.id.0).collect()
    };
    assert_eq!(ids(100, 200).await, [3, 2, 4]);
    assert_eq!(ids(0, 100).await, [1, 3, 2]);
    let before = reader.session_fingerprint(Timestamp(100), Timestamp(200)).await.unwrap();
    assert_eq!(reader.session_fingerprint(Timestamp(100), Timestamp(200)).await.unwrap(), before);
    let mut changed = ended(2, 50, 150);
    changed.tenant = Some(TenantId(9));
    writer.commit(vec![Record::Session(changed)]).await.unwrap();
    assert_ne!(reader.session_fingerprint(Timestamp(100), Timestamp(200)).await.unwrap(), before);
}

/// The newest document of a name counts; an empty reason takes a decision back.
#[tokio::test]
async fn the_newest_document_counts() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = open(dir.path()).await;
    for (at, text) in [(1, "old"), (2, "new")] {
        let document = NamedDocument { name: "tariff".to_owned(), at: Timestamp(at), text: text.to_owned() };
        writer.statement(StatementRecord::Document(document)).await.unwrap();
    }
    assert_eq!(reader.document_get("tariff").await.unwrap().unwrap().text, "new");
    assert_eq!(reader.document_get("letterhead").await.unwrap(), None);
    let decide = |reason: &str| {
        let (month, key) = ("2026-10".to_owned(), "register/C1".to_owned());
        writer.statement(StatementRecord::Decision(ObstacleDecision {
            month,
            key,
            reason: reason.to_owned(),
            at: Timestamp(1),
        }))
    };
    decide("seen").await.unwrap();
    assert_eq!(reader.obstacle_decision_list("2026-10").await.unwrap()["register/C1"], "seen");
    decide("").await.unwrap();
    assert!(reader.obstacle_decision_list("2026-10").await.unwrap().is_empty());
}

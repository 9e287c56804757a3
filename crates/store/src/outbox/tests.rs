//! The list of what leaves against the tables themselves.

use super::catalogue::{HOME, TABLES};
use std::collections::BTreeSet;

/// Protects both ways: a new table or column is either sent or kept at home on purpose, and none is named that is gone.
#[tokio::test]
async fn every_column_is_decided_about() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = crate::Store::open(dir.path(), crate::Options::default()).await.unwrap();
    let mut conn = reader.conn().await.unwrap();
    let columns: Vec<(String, String)> = sqlx::query_as(
        "SELECT m.name, c.name FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS c WHERE m.type = 'table'",
    )
    .fetch_all(&mut *conn)
    .await
    .unwrap();
    let found: BTreeSet<(String, String)> =
        columns.into_iter().filter(|(table, _)| !HOME.contains(&table.as_str())).collect();
    let listed: BTreeSet<(String, String)> = TABLES
        .iter()
        .flat_map(|table| {
            let all = table.key.iter().chain(table.columns.iter().map(|(name, _)| name));
            all.map(|column| (table.name.to_owned(), (*column).to_owned()))
        })
        .collect();
    let forgotten: Vec<_> = found.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&found).collect();
    assert!(
        forgotten.is_empty() && gone.is_empty(),
        "name them in outbox/catalogue.rs: {forgotten:?}; remove: {gone:?}"
    );
    drop(conn);
    writer.close().await.unwrap();
}

//! Table `card`.

use super::{Result, bad, from_json, to_json, words};
use domain::{Card, CardId, CardStatus, CardUid, TenantId, Timestamp};
use sqlx::SqliteConnection;

words!(status_word, status_of, "card", CardStatus {
    CardStatus::Active => "active",
    CardStatus::Blocked => "blocked",
});

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    uid: String,
    tenant: i64,
    status: String,
    enrolled_at_ms: i64,
    policy: String,
    alias_of: Option<i64>,
}

impl TryFrom<Row> for Card {
    type Error = crate::StoreError;
    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: CardId(row.id),
            uid: CardUid::new(row.uid).map_err(|error| bad("card", error))?,
            tenant: TenantId(row.tenant),
            status: status_of(&row.status)?,
            enrolled_at: Timestamp(row.enrolled_at_ms),
            policy: from_json("card", &row.policy)?,
            alias_of: row.alias_of.map(CardId),
        })
    }
}

/// A card that is enrolled again under a new number replaces the old row: the printed number is what it is.
pub(crate) async fn upsert(conn: &mut SqliteConnection, card: &Card) -> Result<()> {
    sqlx::query(
        "INSERT INTO card (id, uid, tenant, status, enrolled_at_ms, policy, alias_of) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET uid = excluded.uid, tenant = excluded.tenant, status = excluded.status,
             enrolled_at_ms = excluded.enrolled_at_ms, policy = excluded.policy, alias_of = excluded.alias_of
         ON CONFLICT (uid) DO UPDATE SET id = excluded.id, tenant = excluded.tenant, status = excluded.status,
             enrolled_at_ms = excluded.enrolled_at_ms, policy = excluded.policy, alias_of = excluded.alias_of",
    )
    .bind(card.id.0)
    .bind(card.uid.as_str())
    .bind(card.tenant.0)
    .bind(status_word(card.status))
    .bind(card.enrolled_at.0)
    .bind(to_json(&card.policy))
    .bind(card.alias_of.map(|id| id.0))
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn remove(conn: &mut SqliteConnection, uid: &CardUid) -> Result<()> {
    sqlx::query("DELETE FROM card WHERE uid = ?").bind(uid.as_str()).execute(conn).await?;
    Ok(())
}

pub(crate) async fn list(conn: &mut SqliteConnection) -> Result<Vec<Card>> {
    let rows: Vec<Row> = sqlx::query_as("SELECT * FROM card ORDER BY id").fetch_all(conn).await?;
    rows.into_iter().map(Card::try_from).collect()
}

/// Highest number ever given; 0 when none was.
pub(crate) async fn last_id(conn: &mut SqliteConnection) -> Result<CardId> {
    let last: i64 = sqlx::query_scalar(
        "SELECT max(ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'card'), 0),
             ifnull((SELECT max(id) FROM card), 0))",
    )
    .fetch_one(conn)
    .await?;
    Ok(CardId(last))
}

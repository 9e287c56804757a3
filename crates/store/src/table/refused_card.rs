//! Table `refused_card`.

use super::{Result, bad};
use crate::page::{Key, Keyed};
use crate::{List, Page};
use domain::{CardUid, CardVerdict, ChargerId, RefusedCard, Timestamp};
use sqlx::{QueryBuilder, SqliteConnection};

/// The word of a refusal; `None` for an accepted card, which is no refusal and is not kept.
const fn verdict_word(verdict: CardVerdict) -> Option<&'static str> {
    match verdict {
        CardVerdict::Accepted { .. } => None,
        CardVerdict::Unknown => Some("unknown"),
        CardVerdict::Blocked => Some("blocked"),
        CardVerdict::NotApproved => Some("not_approved"),
        CardVerdict::InUse => Some("in_use"),
        CardVerdict::NotValid => Some("not_valid"),
        CardVerdict::CapReached => Some("cap_reached"),
        CardVerdict::NotHere => Some("not_here"),
    }
}

fn verdict_of(word: &str) -> Result<CardVerdict> {
    match word {
        "unknown" => Ok(CardVerdict::Unknown),
        "blocked" => Ok(CardVerdict::Blocked),
        "not_approved" => Ok(CardVerdict::NotApproved),
        "in_use" => Ok(CardVerdict::InUse),
        "not_valid" => Ok(CardVerdict::NotValid),
        "cap_reached" => Ok(CardVerdict::CapReached),
        "not_here" => Ok(CardVerdict::NotHere),
        other => Err(bad("refused_card", format_args!("unknown word {other:?}"))),
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    uid: String,
    charger: String,
    at_ms: i64,
    verdict: String,
}

impl Keyed for Row {
    fn key(&self) -> Key {
        Key { at_ms: self.at_ms, id: self.id }
    }
}

impl TryFrom<Row> for RefusedCard {
    type Error = crate::StoreError;
    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            uid: CardUid::new(row.uid).map_err(|error| bad("refused_card", error))?,
            charger: ChargerId::new(row.charger).map_err(|error| bad("refused_card", error))?,
            at: Timestamp(row.at_ms),
            verdict: verdict_of(&row.verdict)?,
        })
    }
}

pub(crate) async fn upsert(conn: &mut SqliteConnection, card: &RefusedCard) -> Result<()> {
    let Some(word) = verdict_word(card.verdict) else { return Ok(()) };
    sqlx::query(
        "INSERT INTO refused_card (uid, charger, at_ms, verdict) VALUES (?, ?, ?, ?)
         ON CONFLICT (uid, charger, at_ms) DO UPDATE SET verdict = excluded.verdict",
    )
    .bind(card.uid.as_str())
    .bind(card.charger.as_str())
    .bind(card.at.0)
    .bind(word)
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn list(conn: &mut SqliteConnection, page: &Page) -> Result<List<RefusedCard>> {
    let mut query = QueryBuilder::new("SELECT * FROM refused_card WHERE 1");
    page.finish(&mut query, "at_ms")?;
    let rows: Vec<Row> = query.build_query_as().fetch_all(conn).await?;
    page.list(rows, RefusedCard::try_from)
}

/// Removes the refusals before a time, some at once.
pub(crate) async fn remove_before(conn: &mut SqliteConnection, before: Timestamp, rows_max: i64) -> Result<u64> {
    let done = sqlx::query(
        "DELETE FROM refused_card WHERE id IN (SELECT id FROM refused_card WHERE at_ms < ? ORDER BY at_ms LIMIT ?)",
    )
    .bind(before.0)
    .bind(rows_max)
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

//! What the company orders about cards.

use super::Cloud;
use super::write::failed;
use crate::Trouble;

/// What is to become of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardAction {
    /// It opens nothing any more.
    Block,
    /// It opens again.
    Unblock,
    /// It is a new card of a tenant.
    Add,
}

/// An order for this site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardOrder {
    /// Its number.
    pub id: i64,
    /// The card.
    pub uid: String,
    /// What is to become of it.
    pub action: CardAction,
    /// Number of the tenant, for a new card.
    pub tenant: Option<i64>,
}

impl Cloud {
    /// Orders this site has not answered yet, oldest first.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn card_orders(&mut self) -> Result<Vec<CardOrder>, Trouble> {
        let rows: Vec<(i64, String, String, Option<i64>)> = sqlx::query_as(
            "SELECT id, uid, action, tenant FROM meshwatt.card_order AS o
             WHERE (site_id = $1 OR site_id IS NULL)
               AND NOT EXISTS (SELECT 1 FROM meshwatt.card_order_done AS d WHERE d.order_id = o.id AND d.site_id = $1)
             ORDER BY id LIMIT 500",
        )
        .bind(self.site)
        .fetch_all(&mut self.conn)
        .await
        .map_err(|error| failed(&error))?;
        let action = |word: &str| match word {
            "block" => Some(CardAction::Block),
            "unblock" => Some(CardAction::Unblock),
            "add" => Some(CardAction::Add),
            _ => None,
        };
        Ok(rows
            .into_iter()
            .filter_map(|(id, uid, word, tenant)| Some(CardOrder { id, uid, action: action(&word)?, tenant }))
            .collect())
    }

    /// Says what became of an order here.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn card_order_answer(&mut self, id: i64, outcome: Result<(), String>) -> Result<(), Trouble> {
        sqlx::query(
            "INSERT INTO meshwatt.card_order_done (order_id, site_id, done, detail) VALUES ($1, $2, $3, $4)
             ON CONFLICT (order_id, site_id) DO NOTHING",
        )
        .bind(id)
        .bind(self.site)
        .bind(outcome.is_ok())
        .bind(outcome.err().unwrap_or_default())
        .execute(&mut self.conn)
        .await
        .map_err(|error| failed(&error))?;
        Ok(())
    }
}

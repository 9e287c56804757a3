//! What the statements are read from.

use crate::statements::Result;
use crate::table::{charger, circuit, meter, orphan_stop, session, site, statement, tenant};
use crate::{ClosedMonth, ClosedStatement, Delivery, NamedDocument, Reader, TracedSession};
use domain::{Charger, CircuitTree, Meter, OrphanStop, Site, Tenant, Timestamp};
use sqlx::Connection as _;
use std::collections::BTreeMap;

/// The building as the statements need it.
#[derive(Clone, Debug)]
pub struct StatementBasis {
    /// Settings; `None` before the first run is finished.
    pub site: Option<Site>,
    /// Circuits; `None` before the first run is finished.
    pub circuits: Option<CircuitTree>,
    /// Meters by identity.
    pub meters: Vec<Meter>,
    /// Chargers in the order of registration.
    pub chargers: Vec<Charger>,
    /// Tenants by number.
    pub tenants: Vec<Tenant>,
}

impl Reader {
    /// The building as it is now.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn statement_basis(&self) -> Result<StatementBasis> {
        let mut conn = self.conn().await?;
        let mut at = conn.begin().await?;
        Ok(StatementBasis {
            site: site::load(&mut at).await?,
            circuits: circuit::load(&mut at).await?,
            meters: meter::list(&mut at).await?,
            chargers: charger::list(&mut at).await?,
            tenants: tenant::list(&mut at).await?,
        })
    }

    /// Sessions that touch a period, oldest first, each with its energy by time.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn session_list_traced(&self, from: Timestamp, to: Timestamp) -> Result<Vec<TracedSession>> {
        session::list_traced(&mut *self.conn().await?, from, to).await
    }

    /// Tells whether any session that touches a period changed: equal texts mean the same figures.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn session_fingerprint(&self, from: Timestamp, to: Timestamp) -> Result<String> {
        session::fingerprint(&mut *self.conn().await?, from, to).await
    }

    /// Start of the first session with energy; `None` when there is none.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn session_first_start(&self) -> Result<Option<Timestamp>> {
        session::first_start(&mut *self.conn().await?).await
    }

    /// Session ends of a period that fit no session, oldest first.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn orphan_stop_list_between(&self, from: Timestamp, to: Timestamp) -> Result<Vec<OrphanStop>> {
        orphan_stop::list_between(&mut *self.conn().await?, from, to).await
    }

    /// The document of a name that is in force.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn document_get(&self, name: &str) -> Result<Option<NamedDocument>> {
        statement::document_newest(&mut *self.conn().await?, name).await
    }

    /// What the manager decided about the obstacles of a month: key and reason.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn obstacle_decision_list(&self, month: &str) -> Result<BTreeMap<String, String>> {
        statement::decision_list(&mut *self.conn().await?, month).await
    }

    /// Closed months in order.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn closed_month_list(&self) -> Result<Vec<ClosedMonth>> {
        statement::closed_list(&mut *self.conn().await?).await
    }

    /// Closed statements of a month, in the order of the chain.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn statement_list(&self, month: &str) -> Result<Vec<ClosedStatement>> {
        statement::of_month(&mut *self.conn().await?, month).await
    }

    /// The chain of closed statements from a number on, some at once.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn statement_chain(&self, from: i64, limit: u32) -> Result<Vec<ClosedStatement>> {
        statement::chain(&mut *self.conn().await?, from, limit).await
    }

    /// Number and hash of the newest closed statement.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn statement_last(&self) -> Result<Option<(i64, String)>> {
        statement::last(&mut *self.conn().await?).await
    }

    /// Deliveries of a month, newest first.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn delivery_list(&self, month: &str) -> Result<Vec<Delivery>> {
        statement::delivery_list(&mut *self.conn().await?, month).await
    }
}

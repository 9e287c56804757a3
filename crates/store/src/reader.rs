//! Everything that is read.

use crate::columns::{self, Columns};
use crate::table::{
    alarm, card, certificate, charger, charger_security, circuit, decision, fact, frame, hardware, hold, meter,
    orphan_stop, refused_card, retention, secret, series, session, session_change, site, status_change, stored_file,
    tenant, wish,
};
use crate::usage::{self, UsageQuestion, UsageSum};
use crate::{
    AlarmFilter, FrameFilter, List, OrphanFilter, OutboxBatch, Page, Retention, RowPage, SessionFilter, Sink,
    SinkState, StoreError, outbox,
};
use domain::{
    Alarm, Card, CardId, Charger, ChargerId, ChargerSecurity, CircuitTree, Decision, DurationMs, Fact, Frame,
    HardwareInfo, Hold, IssuedCertificate, Meter, OrphanDecision, OrphanStop, RefusedCard, Series, Session,
    SessionChange, SessionId, Site, StatusChange, StoredFile, Tenant, TenantId, Timestamp,
};
use sqlx::pool::PoolConnection;
use sqlx::{Connection as _, Sqlite, SqlitePool};
use std::collections::BTreeSet;

/// Sessions that ended this long ago may still be reported again by a charger that was offline.
const RECENT: DurationMs = DurationMs(32 * 86_400_000);

/// Refused cards shown at the start; older ones are in the list.
const REFUSED_CARDS: u32 = 100;

/// What the site looked like when the program last ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedSetup {
    /// Settings; `None` before the first run is finished.
    pub site: Option<Site>,
    /// Circuits; `None` before the first run is finished.
    pub circuits: Option<CircuitTree>,
    /// Meters by identity.
    pub meters: Vec<Meter>,
    /// Chargers in the order of registration.
    pub chargers: Vec<Charger>,
    /// What the manager ordered, by charger.
    pub holds: Vec<(ChargerId, Hold)>,
    /// What chargers said about themselves, by charger.
    pub hardware: Vec<(ChargerId, HardwareInfo)>,
    /// Tenants by number.
    pub tenants: Vec<Tenant>,
    /// Cards by number.
    pub cards: Vec<Card>,
    /// Sessions that run, oldest first.
    pub open_sessions: Vec<Session>,
    /// Sessions that ended in the 32 days before, oldest first: more than any month.
    pub recent_sessions: Vec<Session>,
    /// Highest number ever given; 0 when none was.
    pub last_session: SessionId,
    /// What tenants need from sessions that run.
    pub wishes: Vec<(SessionId, domain::Wish)>,
    /// Highest number ever given, removed ones included; 0 when none was.
    pub last_tenant_id: TenantId,
    /// Highest number ever given, removed ones included; 0 when none was.
    pub last_card_id: CardId,
    /// Newest refused cards, newest first, 100 at most.
    pub refused_cards: Vec<RefusedCard>,
    /// Alarms that last, oldest first.
    pub open_alarms: Vec<Alarm>,
    /// Named texts by subject and name.
    pub facts: Vec<Fact>,
}

/// An orphan stop as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptOrphan {
    /// Its row.
    pub id: i64,
    /// What the charger said.
    pub stop: OrphanStop,
    /// What a person decided; `None` while nobody did.
    pub decision: Option<OrphanDecision>,
}

/// Reads records while others write. Clones share a few connections.
#[derive(Clone, Debug)]
pub struct Reader {
    pool: SqlitePool,
}

impl Reader {
    pub(crate) const fn new(pool: SqlitePool) -> Self {
        Self { pool }
    }

    pub(crate) async fn conn(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        Ok(self.pool.acquire().await?)
    }

    /// Everything needed to go on where the program stopped; `now` limits the recent sessions.
    ///
    /// # Errors
    /// When the file cannot be read or a row not be understood.
    pub async fn setup(&self, now: Timestamp) -> Result<LoadedSetup, StoreError> {
        let mut conn = self.conn().await?;
        // One transaction: all of it as of one moment.
        let mut at = conn.begin().await?;
        Ok(LoadedSetup {
            site: site::load(&mut at).await?,
            circuits: circuit::load(&mut at).await?,
            meters: meter::list(&mut at).await?,
            chargers: charger::list(&mut at).await?,
            holds: hold::list(&mut at).await?,
            hardware: hardware::list(&mut at).await?,
            tenants: tenant::list(&mut at).await?,
            cards: card::list(&mut at).await?,
            open_sessions: session::list_open(&mut at).await?,
            recent_sessions: session::list_ended_since(&mut at, now - RECENT).await?,
            wishes: wish::list_open(&mut at).await?,
            last_session: session::last_id(&mut at).await?,
            last_tenant_id: tenant::last_id(&mut at).await?,
            last_card_id: card::last_id(&mut at).await?,
            refused_cards: refused_card::list(&mut at, &Page::first(REFUSED_CARDS)).await?.items,
            open_alarms: alarm::list_open(&mut at).await?,
            facts: fact::list(&mut at).await?,
        })
    }

    /// Sessions, newest start first.
    ///
    /// # Errors
    /// As [`Self::setup`], or a cursor no list gave out.
    pub async fn session_list(&self, filter: &SessionFilter, page: &Page) -> Result<List<Session>, StoreError> {
        session::list(&mut *self.conn().await?, filter, page).await
    }

    /// One session.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn session_get(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        session::get(&mut *self.conn().await?, id).await
    }

    /// Mean values of series from `from` (inclusive) to `to` (exclusive), at the finest resolution kept for each part of
    /// the period; an energy register is the last value of its step. Steps begin at multiples of the step, so the first
    /// may begin before `from`.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn reading_columns(
        &self,
        series: &[Series],
        from: Timestamp,
        to: Timestamp,
        step: DurationMs,
    ) -> Result<Columns, StoreError> {
        let mut conn = self.conn().await?;
        let mut at = conn.begin().await?;
        columns::read(&mut at, series, from, to, step).await
    }

    /// Every series that ever had a value, in order.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn series_list(&self) -> Result<Vec<Series>, StoreError> {
        series::list(&mut *self.conn().await?).await
    }

    /// Frames, newest first; all devices when none is named.
    ///
    /// # Errors
    /// As [`Self::session_list`].
    pub async fn frame_list(&self, device: Option<&str>, page: &Page) -> Result<List<Frame>, StoreError> {
        frame::list(&mut *self.conn().await?, device, page).await
    }

    /// Frames of one device that contain a text (in any letter case) in a span, newest first.
    ///
    /// # Errors
    /// As [`Self::session_list`].
    pub async fn frame_search(
        &self,
        device: &str,
        filter: &FrameFilter,
        page: &Page,
    ) -> Result<List<Frame>, StoreError> {
        frame::search(&mut *self.conn().await?, device, filter, page).await
    }

    /// How a charger and its connectors changed from `from` (inclusive) to `to` (exclusive), oldest first, and the state
    /// each had before.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn status_change_list(
        &self,
        charger: &ChargerId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<StatusChange>, StoreError> {
        status_change::list(&mut *self.conn().await?, charger, from, to).await
    }

    /// Decisions, newest first; all chargers when none is named.
    ///
    /// # Errors
    /// As [`Self::session_list`].
    pub async fn decision_list(&self, charger: Option<&ChargerId>, page: &Page) -> Result<List<Decision>, StoreError> {
        decision::list(&mut *self.conn().await?, charger, page).await
    }

    /// Alarms, newest first.
    ///
    /// # Errors
    /// As [`Self::session_list`].
    pub async fn alarm_list(&self, filter: AlarmFilter, page: &Page) -> Result<List<Alarm>, StoreError> {
        alarm::list(&mut *self.conn().await?, filter, page).await
    }

    /// Refused cards, newest first.
    ///
    /// # Errors
    /// As [`Self::session_list`].
    pub async fn refused_card_list(&self, page: &Page) -> Result<List<RefusedCard>, StoreError> {
        refused_card::list(&mut *self.conn().await?, page).await
    }

    /// Session ends that fit no session, newest first.
    ///
    /// # Errors
    /// As [`Self::session_list`].
    pub async fn orphan_stop_list(&self, filter: OrphanFilter, page: &Page) -> Result<List<KeptOrphan>, StoreError> {
        orphan_stop::list(&mut *self.conn().await?, filter, page).await
    }

    /// One of them.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn orphan_stop_get(&self, id: i64) -> Result<Option<KeptOrphan>, StoreError> {
        orphan_stop::get(&mut *self.conn().await?, id).await
    }

    /// What people changed about a session, oldest first; the first holds the original figures.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn session_change_list(&self, id: SessionId) -> Result<Vec<SessionChange>, StoreError> {
        session_change::list(&mut *self.conn().await?, id).await
    }

    /// Energy of sessions, summed as the question says.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn usage(&self, question: &UsageQuestion) -> Result<Vec<UsageSum>, StoreError> {
        usage::sums(&mut *self.conn().await?, question).await
    }

    /// A secret by name.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn secret_get(&self, name: &str) -> Result<Option<String>, StoreError> {
        secret::get(&mut *self.conn().await?, name).await
    }

    /// How long each kind of record is kept; as the program does by itself while nobody chose.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn retention(&self) -> Result<Retention, StoreError> {
        Ok(retention::get(&mut *self.conn().await?).await?.unwrap_or_default())
    }

    /// Names of the secrets that begin with `prefix`, in order.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn secret_names(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        secret::names(&mut *self.conn().await?, prefix).await
    }

    /// Certificates issued to chargers, by number.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn certificate_list(&self) -> Result<Vec<IssuedCertificate>, StoreError> {
        certificate::list(&mut *self.conn().await?).await
    }

    /// What is demanded of each charger, by charger.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn charger_security_list(&self) -> Result<Vec<ChargerSecurity>, StoreError> {
        charger_security::list(&mut *self.conn().await?).await
    }

    /// Files of chargers and the places kept for them, newest first.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn file_list(&self) -> Result<Vec<StoredFile>, StoreError> {
        stored_file::list(&mut *self.conn().await?).await
    }

    /// The statements that made the tables, in order: what `doctor` compares.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn schema(&self) -> Result<Vec<String>, StoreError> {
        Ok(sqlx::query_scalar("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
            .fetch_all(&mut *self.conn().await?)
            .await?)
    }

    /// Where records are sent to, by name, and what waits for each.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn sink_list(&self) -> Result<Vec<SinkState>, StoreError> {
        let mut conn = self.conn().await?;
        let mut at = conn.begin().await?;
        let mut states = Vec::new();
        for sink in outbox::list(&mut at).await? {
            states.push(outbox::state(&mut at, sink).await?);
        }
        Ok(states)
    }

    /// What comes next for a sink, as of one moment; `None` when there is no such sink.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn outbox_batch(&self, sink: &str) -> Result<Option<(Sink, OutboxBatch)>, StoreError> {
        let mut conn = self.conn().await?;
        let mut at = conn.begin().await?;
        let Some(sink) = outbox::list(&mut at).await?.into_iter().find(|one| one.setup.name == sink) else {
            return Ok(None);
        };
        let batch = outbox::batch(&mut at, &sink).await?;
        Ok(Some((sink, batch)))
    }

    /// The highest number a sink was ever given by these records, noted before it was; 0 for none.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn outbox_sent(&self, sink: &str) -> Result<i64, StoreError> {
        outbox::sent(&mut *self.conn().await?, sink).await
    }

    /// The identity of this site among all sites of a cloud.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn site_key(&self) -> Result<String, StoreError> {
        outbox::site_key(&mut *self.conn().await?).await
    }

    /// Rows of a table as a sink gets them, some at once: those after the key `after`.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn outbox_rows(
        &self,
        sink: &Sink,
        table: &str,
        after: Option<&str>,
        limit: i64,
    ) -> Result<RowPage, StoreError> {
        outbox::row_page(&mut *self.conn().await?, sink, table, after, limit).await
    }

    /// Days with readings, as number of the series, its name and the beginning of the day.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn outbox_days(&self) -> Result<Vec<(i64, String, i64)>, StoreError> {
        outbox::day_list(&mut *self.conn().await?).await
    }

    /// What waits for a sink, as kind (a table, or `minute`, `chunk`, `quarters` for readings) and key, a JSON array.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn outbox_waiting(&self, sink: &str) -> Result<BTreeSet<(String, String)>, StoreError> {
        outbox::waiting(&mut *self.conn().await?, sink).await
    }

    /// Beginnings of the minutes that may still get readings: a sink has not got them as they will be.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn outbox_open_minutes(&self) -> Result<BTreeSet<i64>, StoreError> {
        outbox::open_minutes(&mut *self.conn().await?).await
    }

    /// Numbers and names of all series.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn outbox_series(&self) -> Result<Vec<(i64, String)>, StoreError> {
        outbox::series_list(&mut *self.conn().await?).await
    }

    /// Means of quarter-hours of a series as a sink gets them: those from before it has minutes.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn outbox_quarters(&self, series: i64) -> Result<Vec<(i64, i64)>, StoreError> {
        let mut conn = self.conn().await?;
        let mut at = conn.begin().await?;
        // As far as times of chunks can be.
        outbox::quarters(&mut at, series, 0, i64::MAX).await
    }

    /// Readings of a series as a sink gets them, packed or not: times and values.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn outbox_readings(
        &self,
        sink: &Sink,
        series: i64,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<(i64, i64)>, StoreError> {
        let mut conn = self.conn().await?;
        // One transaction: a value is packed between two reads else.
        let mut at = conn.begin().await?;
        outbox::readings_between(&mut at, sink.setup.resolution, series, from.0, to.0).await
    }
}

/// Tables that leave to a sink, those others refer to first.
#[must_use]
pub fn outbox_tables(sink: &Sink) -> Vec<outbox::OutboxTable> {
    outbox::table_list(sink)
}

/// All tables that can leave, those others refer to first.
#[must_use]
pub fn all_outbox_tables() -> Vec<outbox::OutboxTable> {
    outbox::all_tables()
}

//! Everything that is read.

use crate::{AlarmFilter, List, Page, SessionFilter, StoreError};
use domain::{
    Alarm, Card, CardId, Charger, ChargerId, CircuitTree, Decision, DurationMs, Frame, HardwareInfo, Hold, Meter,
    OrphanStop, RefusedCard, Series, Session, SessionId, Site, Tenant, TenantId, Timestamp,
};

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
    /// Sessions that ended in the 30 days before, oldest first.
    pub recent_sessions: Vec<Session>,
    /// Highest number ever given; 0 when none was.
    pub last_session: SessionId,
    /// Highest number ever given, removed ones included; 0 when none was.
    pub last_tenant_id: TenantId,
    /// Highest number ever given, removed ones included; 0 when none was.
    pub last_card_id: CardId,
    /// Newest refused cards, newest first, 100 at most.
    pub refused_cards: Vec<RefusedCard>,
    /// Alarms that last, oldest first.
    pub open_alarms: Vec<Alarm>,
}

/// Readings on an even grid of times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// Width of a step; wider than asked where that many points would not fit.
    pub step: DurationMs,
    /// Start of each step.
    pub at: Vec<Timestamp>,
    /// One column per series asked for, in that order; `None` where nothing is known.
    pub values: Vec<Vec<Option<i64>>>,
}

/// Reads records while others write. Clones share a few connections.
#[derive(Clone, Debug)]
pub struct Reader {
}

impl Reader {
    /// Everything needed to go on where the program stopped; `now` limits the recent sessions.
    ///
    /// # Errors
    /// When the file cannot be read or a row not be understood.
    pub async fn setup(&self, now: Timestamp) -> Result<LoadedSetup, StoreError> {
        let _ = now;
        Err(StoreError::Closed)
    }

    /// Sessions, newest start first.
    ///
    /// # Errors
    /// As [`Self::setup`], or a cursor no list gave out.
    pub async fn session_list(&self, filter: &SessionFilter, page: &Page) -> Result<List<Session>, StoreError> {
        drop((filter, page));
        Err(StoreError::Closed)
    }

    /// One session.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn session_get(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        let _ = id;
        Err(StoreError::Closed)
    }

    /// Mean values of series from `from` (inclusive) to `to` (exclusive), at the finest resolution kept for each part of
    /// the period; an energy register is the last value of its step.
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
        drop((series, from, to, step));
        Err(StoreError::Closed)
    }

    /// Every series that ever had a value, in order.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn series_list(&self) -> Result<Vec<Series>, StoreError> {
        Err(StoreError::Closed)
    }

    /// Frames, newest first; all devices when none is named.
    ///
    /// # Errors
    /// As [`Self::session_list`].
    pub async fn frame_list(&self, device: Option<&str>, page: &Page) -> Result<List<Frame>, StoreError> {
        drop((device, page));
        Err(StoreError::Closed)
    }

    /// Decisions, newest first; all chargers when none is named.
    ///
    /// # Errors
    /// As [`Self::session_list`].
    pub async fn decision_list(&self, charger: Option<&ChargerId>, page: &Page) -> Result<List<Decision>, StoreError> {
        drop((charger, page));
        Err(StoreError::Closed)
    }

    /// Alarms, newest first.
    ///
    /// # Errors
    /// As [`Self::session_list`].
    pub async fn alarm_list(&self, filter: AlarmFilter, page: &Page) -> Result<List<Alarm>, StoreError> {
        drop((filter, page));
        Err(StoreError::Closed)
    }

    /// Refused cards, newest first.
    ///
    /// # Errors
    /// As [`Self::session_list`].
    pub async fn refused_card_list(&self, page: &Page) -> Result<List<RefusedCard>, StoreError> {
        let _ = page;
        Err(StoreError::Closed)
    }

    /// Session ends that fit no session, newest first.
    ///
    /// # Errors
    /// As [`Self::session_list`].
    pub async fn orphan_stop_list(&self, page: &Page) -> Result<List<OrphanStop>, StoreError> {
        let _ = page;
        Err(StoreError::Closed)
    }

    /// A secret by name.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn secret_get(&self, name: &str) -> Result<Option<String>, StoreError> {
        let _ = name;
        Err(StoreError::Closed)
    }

    /// Names of the secrets that begin with `prefix`, in order.
    ///
    /// # Errors
    /// As [`Self::setup`].
    pub async fn secret_names(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let _ = prefix;
        Err(StoreError::Closed)
    }
}

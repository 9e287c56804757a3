//! Lists in pages, and what they are filtered by.

use crate::StoreError;
use domain::{ChargerId, Provenance, TenantId, Timestamp};
use sqlx::{QueryBuilder, Sqlite};

/// Which part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Most items; at most [`Page::LIMIT_MAX`] are given.
    pub limit: u32,
    /// `next_cursor` of the page before; `None` for the first.
    pub cursor: Option<String>,
}

impl Page {
    /// A page never holds more: a list must not fill the memory of a small PC.
    pub const LIMIT_MAX: u32 = 10_000;

    /// The first page.
    #[must_use]
    pub const fn first(limit: u32) -> Self {
        Self { limit, cursor: None }
    }
}

/// One page of a list, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins; `None` on the last.
    pub next_cursor: Option<String>,
}

/// Which sessions; `None` does not filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// Started at or after.
    pub from: Option<Timestamp>,
    /// Started before.
    pub to: Option<Timestamp>,
    /// Paid by.
    pub tenant: Option<TenantId>,
    /// At this charger.
    pub charger: Option<ChargerId>,
    /// Paid by anyone, or by nobody yet.
    pub owner: OwnerFilter,
    /// With this trust.
    pub provenance: Option<Provenance>,
    /// Whose number, card, charger, tenant or flat contains this.
    pub text: Option<String>,
}

/// Who pays for a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OwnerFilter {
    /// A tenant, or nobody.
    #[default]
    Anyone,
    /// Nobody.
    Nobody,
}

/// Which orphan stops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OrphanFilter {
    /// All of them.
    #[default]
    All,
    /// Those nobody decided about.
    Open,
}

/// Which frames; empty and `None` do not filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrameFilter {
    /// A text they contain, in any letter case.
    pub text: String,
    /// At or after.
    pub from: Option<Timestamp>,
    /// Before.
    pub to: Option<Timestamp>,
}

/// Which alarms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AlarmFilter {
    /// All of them.
    #[default]
    All,
    /// Those that last.
    Open,
}

/// Place of a row in a list that is ordered by time and row number, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) at_ms: i64,
    pub(crate) id: i64,
}

/// A row that knows its place.
pub(crate) trait Keyed {
    fn key(&self) -> Key;
}

impl Page {
    /// Rows to fetch: one more than asked for tells whether there is a next page.
    pub(crate) fn rows(&self) -> i64 {
        i64::from(self.limit.clamp(1, Self::LIMIT_MAX)) + 1
    }

    pub(crate) fn key(&self) -> Result<Option<Key>, StoreError> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        let parsed =
            cursor.split_once('_').and_then(|(at, id)| Some(Key { at_ms: at.parse().ok()?, id: id.parse().ok()? }));
        parsed.map(Some).ok_or_else(|| StoreError::Cursor(cursor.clone()))
    }

    /// Ends a statement whose last condition is open: continues after the cursor, orders and limits.
    /// `time` is the column of the list's time.
    pub(crate) fn finish(&self, query: &mut QueryBuilder<Sqlite>, time: &'static str) -> Result<(), StoreError> {
        if let Some(key) = self.key()? {
            query
                .push(" AND (")
                .push(time)
                .push(", id) < (")
                .push_bind(key.at_ms)
                .push(", ")
                .push_bind(key.id)
                .push(")");
        }
        query.push(" ORDER BY ").push(time).push(" DESC, id DESC LIMIT ").push_bind(self.rows());
        Ok(())
    }

    /// Turns fetched rows into a page.
    pub(crate) fn list<R: Keyed, T>(
        &self,
        mut rows: Vec<R>,
        convert: impl Fn(R) -> Result<T, StoreError>,
    ) -> Result<List<T>, StoreError> {
        let limit = usize::try_from(self.rows() - 1).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().map(Keyed::key).filter(|_| more);
        Ok(List {
            items: rows.into_iter().map(convert).collect::<Result<_, _>>()?,
            next_cursor: last.map(|key| format!("{}_{}", key.at_ms, key.id)),
        })
    }
}

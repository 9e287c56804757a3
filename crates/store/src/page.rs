//! Lists in pages, and what they are filtered by.

use domain::{ChargerId, TenantId, Timestamp};

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

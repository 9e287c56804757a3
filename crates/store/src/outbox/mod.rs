//! The outbox: what changed and is still to be sent, in order, for every sink with its own cursor.
//!
//! It holds identities, not rows: who sends reads the row as it is by then. So a session that changed a hundred times
//! while the line was down is sent once, and the outbox of a month fits in some megabytes. Triggers fill it in the
//! transaction of the change; without a sink there are none.

mod catalogue;
mod feed;
mod read;
mod restore;
mod sinks;
#[cfg(test)]
mod tests;

pub use self::catalogue::Consent;
pub use self::read::{OutboxBatch, OutboxReading, OutboxRow, OutboxTable, RowPage};
pub use self::sinks::{Resolution, Sink, SinkOrder, SinkSetup, SinkState};

pub(crate) use self::feed::{Repacked, flush_minutes, install, minute_settled, minutes_seen, repack};
pub(crate) use self::read::{
    all_tables, batch, day_list, open_minutes, quarters, readings_between, row_page, series_list, table_list, waiting,
};

pub(crate) use self::sinks::{list, obey, sent, site_key, state};

//! History for the demo, written in bulk.

use crate::maintenance::{Mean, Overwrite, means, merge};
use crate::series_codec::Point;
use crate::table::reading_chunk::Resolution;
use crate::table::series::SeriesNumbers;
use crate::table::{self, session, session_trace, to_i64};
use crate::{StoreError, Writer};
use domain::{Series, Session, SessionId, Timestamp, WattHours};
use sqlx::SqliteConnection;

/// Months of a building, ready to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Sessions that ended.
    pub sessions: Vec<Session>,
    /// Energy of sessions since their start, by time.
    pub traces: Vec<(SessionId, Vec<(Timestamp, WattHours)>)>,
    /// Values of series at minute resolution; their quarter-hours follow from them.
    pub minutes: Vec<SeriesHistory>,
    /// Values of series at quarter-hour resolution, for times without minutes.
    pub quarters: Vec<SeriesHistory>,
}

/// Values of one series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesHistory {
    /// Which.
    pub series: Series,
    /// Times (rounded down to the resolution) and values, in the order of time.
    pub values: Vec<(Timestamp, i64)>,
}

/// Writes the history in one transaction.
///
/// # Errors
/// As [`Writer::commit`]; nothing is kept then.
pub async fn seed_history(writer: &Writer, history: History) -> Result<(), StoreError> {
    writer.seed(history).await
}

/// Writes the history inside the open transaction.
pub(crate) async fn write(
    conn: &mut SqliteConnection,
    numbers: &mut SeriesNumbers,
    history: History,
) -> table::Result<()> {
    for one in &history.sessions {
        session::upsert(conn, one).await?;
    }
    for (session, trace) in &history.traces {
        let points = trace.iter().map(|(at, energy)| (at.0, to_i64(energy.0))).collect();
        session_trace::set(conn, *session, points).await?;
    }
    for (list, resolutions) in [
        (&history.quarters, [Resolution::Quarter].as_slice()),
        (&history.minutes, &[Resolution::Minute, Resolution::Quarter]),
    ] {
        for one in list {
            let number = numbers.number(conn, &one.series).await?;
            let points: Vec<Point> = one.values.iter().map(|(at, value)| (at.0, *value)).collect();
            let mean = Mean::of(one.series.quantity);
            for resolution in resolutions {
                let means = means(&points, resolution.step_ms(), mean);
                merge(conn, number, *resolution, means, Overwrite::Always).await?;
            }
        }
    }
    Ok(())
}

//! What is sent at once.

use std::collections::BTreeMap;

/// A row that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its number: a higher one is newer, over all times of a site.
    pub seq: i64,
    /// Its table.
    pub table: String,
    /// Names of the columns of its key.
    pub key_columns: Vec<String>,
    /// Values of its key, a JSON array.
    pub key: String,
    /// The row, a JSON object, key included; `None` when it was removed.
    pub body: Option<String>,
}

/// A reading, or a mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Its number, as of a row.
    pub seq: i64,
    /// Number of its series in this site.
    pub series: i64,
    /// Milliseconds since 1970.
    pub at_ms: i64,
    /// What it is a mean over, in milliseconds; 0 for a raw value.
    pub step_ms: i64,
    /// The value in the unit of its series.
    pub value: i64,
}

/// Changes in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The cursor once everything has arrived.
    pub through: i64,
    /// Rows.
    pub rows: Vec<Row>,
    /// Readings.
    pub readings: Vec<Reading>,
    /// Names of the series in it, by number.
    pub series: BTreeMap<i64, String>,
}

impl Batch {
    /// Rows and readings together.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len() + self.readings.len()
    }

    /// Whether nothing is in it. The cursor may move all the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The readings without those a later one in the same batch replaces, by series and time.
    #[must_use]
    pub fn newest_readings(&self) -> Vec<Reading> {
        let mut newest: BTreeMap<(i64, i64), Reading> = BTreeMap::new();
        for reading in &self.readings {
            newest.insert((reading.series, reading.at_ms), *reading);
        }
        newest.into_values().collect()
    }
}

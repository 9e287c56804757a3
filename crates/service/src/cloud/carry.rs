//! The outbox of the records as `sync` wants it.

use crate::error::chain;
use store::{OutboxBatch, Reader, SinkOrder, Writer};
use sync::{Batch, Next, Outbox, Reading, Row};

/// The outbox for one sink.
pub(crate) struct Carrier {
    reader: Reader,
    writer: Writer,
    sink: &'static str,
}

impl Carrier {
    pub(crate) const fn new(reader: Reader, writer: Writer, sink: &'static str) -> Self {
        Self { reader, writer, sink }
    }
}

impl Outbox for Carrier {
    async fn next(&self) -> Result<Option<Next>, String> {
        let found = self.reader.outbox_batch(self.sink).await.map_err(|error| chain(&error))?;
        Ok(found.map(|(sink, batch)| Next {
            settings: sink.setup.settings,
            paused: sink.setup.paused,
            cursor: sink.cursor,
            batch: batch_of(batch),
        }))
    }

    async fn begins(&self, through: i64) -> Result<(), String> {
        let order = SinkOrder::Attempt { name: self.sink.to_owned(), through };
        self.writer.sink(order).await.map_err(|error| chain(&error))
    }

    async fn arrived(&self, through: i64, rows: i64) -> Result<(), String> {
        let order = SinkOrder::Advance { name: self.sink.to_owned(), through, rows };
        self.writer.sink(order).await.map_err(|error| chain(&error))
    }
}

fn batch_of(batch: OutboxBatch) -> Batch {
    let row = |row: store::OutboxRow| Row {
        seq: row.seq,
        table: row.table.to_owned(),
        key_columns: row.key_columns.iter().map(|name| (*name).to_owned()).collect(),
        key: row.key,
        body: row.body,
    };
    let reading = |one: store::OutboxReading| Reading {
        seq: one.seq,
        series: one.series,
        at_ms: one.at_ms,
        step_ms: one.step_ms,
        value: one.value,
    };
    Batch {
        through: batch.through,
        rows: batch.rows.into_iter().map(row).collect(),
        readings: batch.readings.into_iter().map(reading).collect(),
        series: batch.series,
    }
}

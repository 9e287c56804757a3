//! What leaves the building: from the outbox to PostgreSQL, Kafka and an MQTT broker.
//!
//! [`run()`] takes batches from an [`Outbox`], hands each to a [`Sink`] and moves the cursor once it has arrived. A batch
//! that arrived although nobody heard of it is sent again, and every sink makes that harmless. `docs/cloud.md` says what
//! arrives where.
//!
//! Must not know: the control loop, or where the outbox is stored.

mod batch;
#[cfg(unix)]
pub mod cluster;
pub mod kafka;
pub mod mqtt;
pub mod postgres;
mod runner;
mod tls;

pub use self::batch::{Batch, Reading, Row};
pub use self::runner::{Next, Outbox, Phase, Sink, Status, Trouble, run};

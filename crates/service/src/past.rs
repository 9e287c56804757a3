//! What the building itself drew in the last weeks, read from the records once for the planner.
//!
//! Charging does not wait for it. Where nothing can be read the planner begins with nothing, as in a new building.

use crate::engine::{Happened, Live};
use domain::{DurationMs, MeterRole, MilliAmps, Now, PerPhase, Quantity, Series, Source, Timestamp};
use std::sync::Arc;
use store::{Reader, StoreError};
use tokio::sync::{mpsc, watch};

/// As far back as the planner remembers.
const BACK: DurationMs = DurationMs(60 * 86_400_000);
/// Minutes of a reading of the records: fewer than they give at once.
const PIECE: DurationMs = DurationMs(10 * 86_400_000);
const MINUTE: DurationMs = DurationMs::from_secs(60);
const CURRENTS: [Quantity; 3] = [Quantity::CurrentL1, Quantity::CurrentL2, Quantity::CurrentL3];

/// Reads the last weeks and hands them to the engine. A building without a meter has only assumed loads in its
/// records, which teach nothing.
pub(crate) async fn recall(
    now: Now,
    reader: Reader,
    live: watch::Receiver<Arc<Live>>,
    engine: mpsc::WeakSender<Happened>,
) {
    let is_metered = {
        let live = live.borrow();
        let root = live.state.circuits.iter().find(|state| state.circuit.parent.is_none()).map(|s| &s.circuit.id);
        let measures = |role: MeterRole| matches!(role, MeterRole::Circuit | MeterRole::House);
        let mut meters = live.state.meters.iter().map(|state| &state.meter);
        meters.any(|meter| meter.approved && Some(&meter.circuit) == root && measures(meter.role))
    };
    if !is_metered {
        return;
    }
    match read(&reader, now.wall).await {
        Ok(past) => {
            let Some(engine) = engine.upgrade().filter(|_| !past.is_empty()) else { return };
            // Nobody to tell: the program ends.
            drop(engine.send(Happened::PastLoads(past)).await);
        }
        Err(error) => {
            let error = crate::error::chain(&error);
            tracing::warn!(error, "the building's load of the last weeks cannot be read; it is learnt again");
        }
    }
}

async fn read(reader: &Reader, now: Timestamp) -> Result<Vec<(Timestamp, PerPhase<MilliAmps>)>, StoreError> {
    let series = CURRENTS.map(|quantity| Series { source: Source::House, quantity });
    let mut past = Vec::new();
    let mut from = now - BACK;
    while from < now {
        let to = (from + PIECE).min(now);
        let kept = reader.reading_columns(&series, from, to, MINUTE).await?;
        for (row, at) in kept.at.iter().enumerate() {
            let value = |phase: usize| kept.values.get(phase).and_then(|column| column.get(row)).copied().flatten();
            let load = |phase: usize| MilliAmps(u32::try_from(value(phase).unwrap_or(0).max(0)).unwrap_or(u32::MAX));
            if value(0).is_some() {
                past.push((*at, PerPhase::new(load(0), load(1), load(2))));
            }
        }
        from = to;
    }
    Ok(past)
}

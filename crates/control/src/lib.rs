//! The site's one decider, without IO: it shares the current, judges cards and keeps the session ledger.
//!
//! [`Control::handle`] takes one [`Input`] and gives the [`Output`]s to perform; [`Control::snapshot`] shows
//! the live state. `serve`, `simulate`, `allocate` and the property tests run this same machine.
//!
//! Must not know: any protocol, storage, runtime or socket; who carries a setpoint; the wall clock (the time
//! arrives with every call).

mod control;
mod device;
mod input;
mod known;
mod output;
mod reason;
mod rewire;
mod snapshot;
mod soft;

mod chargers;
mod meters;
mod orders;

mod access;
mod corrections;
mod people;
mod per_connector;
mod register;
mod sessions;
mod state;

mod ahead;
mod alarms;
mod check;
mod estimate;
mod fallback;
mod gauge;
mod guard;
mod guide;
mod line;
mod obey;
mod pace;
mod plan;
pub mod planner;
mod readings;
mod safe_plan;
mod standing;
mod tenancy;
mod tree;
mod view;
mod wake;

pub use self::check::{Violation, check};
pub use self::control::Control;
pub use self::input::{Correction, Input, Order, OrphanOrder, Setup, StorageState, TenantImport};
pub use self::output::{Change, Made, OrderDone, OrderError, Output};
pub use self::reason::{Bottleneck, BottleneckKind, Reason};
pub use self::snapshot::{
    ChargerState, CircuitState, ConnectorState, EnrolmentState, FallbackCheck, FallbackCircuit, FallbackFit,
    ForecastState, GridState, MeterState, Snapshot,
};

#[cfg(test)]
mod tests;

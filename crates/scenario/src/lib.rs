//! A whole building on virtual time: the same control, stations and mesh as in `serve`, joined with
//! virtual devices, no sockets and no waiting.
//!
//! [`Scenario::parse`] reads a scenario file, [`run`] plays it and gives a [`Report`]. The published
//! simulations are in [`Published`]. Two runs with one seed are the same to the last milliampere.
//!
//! Must not know: sockets, SQL, any user interface.

mod engine;
mod file;
mod metrics;
mod published;
mod report;
mod run;

pub use self::file::{
    CarModel, ChargerSpec, ExpectSpec, FaultKind, FaultSpec, MeterSpec, Scenario, ScenarioError, SiteSpec, StepSpec,
};
pub use self::published::Published;
pub use self::report::{BreakerReport, Report, StepReport};
pub use self::run::run;

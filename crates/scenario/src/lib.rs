//! A whole building on virtual time: the same control, stations and mesh as in `serve`, joined with
//! virtual devices, no sockets and no waiting.
//!
//! [`Scenario::parse`] reads a scenario file, [`run`] plays it and gives a [`Report`]. The published
//! simulations are in [`Published`]; [`LoopSite`] lets a measuring tool play the site second by second. Two runs with one seed are the same to the last milliampere.
//!
//! Must not know: sockets, SQL, any user interface.

mod engine;
mod file;
mod guarded;
mod metrics;
mod month;
mod picture;
mod published;
mod report;
mod run;

pub use self::file::{
    CarModel, ChargerSpec, ExpectSpec, FaultKind, FaultSpec, MeterSpec, Scenario, ScenarioError, SiteSpec, StepSpec,
};
pub use self::guarded::{
    ChargerReport, ChargerSetup, LoopBench, LoopFigures, LoopSetup, LoopSite, LoopTick, MeterReport, RigError,
};
pub use self::month::{MonthFigures, Trial, month_by_wire, play_month, try_building};
pub use self::picture::{Trace, TraceRow};
pub use self::published::Published;
pub use self::report::{BreakerReport, Report, StepReport};
pub use self::run::{run, run_traced};

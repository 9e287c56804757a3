//! The guard's decisions on a small site, second by second: one grid connection, one meter that measures all
//! of it, one car at every charger. The command `allocate --loop` and the loop bench drive the same [`Control`]
//! as `serve` through this.

mod bench;
mod plant;
mod rig;

pub use self::bench::{LoopBench, LoopFigures};
pub use self::rig::{ChargerReport, ChargerSetup, LoopSetup, LoopSite, LoopTick, MeterReport, RigError};

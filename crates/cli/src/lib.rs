//! The `meshwatt` command and what the desktop shell shares with it.
//!
//! [`serve::start`] runs one's own building, [`demo::start`] a living demo building; [`run`] is the command line
//! around both, with `simulate`, `allocate` and `bench`.
//!
//! Must not know: SQL, OCPP, MQTT.

pub mod allocate;
mod arguments;
mod backup;
pub mod bench;
mod cloud;
mod console;
pub mod demo;
mod doctor;
mod failure;
mod log;
mod log_file;
mod report;
pub mod serve;
mod signal;
mod simulate;

pub use self::arguments::run;
pub use self::console::console_assets;
pub use self::failure::Failure;
pub use self::log::begin as begin_log;

//! What the end-to-end tests drive the built program with: the process itself ([`Meshwatt`]), its API
//! ([`Api`]), plain sockets that follow no rules ([`RawCharger`]), a browser ([`Browser`]), a screen
//! without a screen ([`Screen`]), and waiting for states instead of sleeping ([`until`]).
//!
//! The programs under test are those of the same build, beside this one, unless `MESHWATT_BIN` and
//! `MESHWATT_DESKTOP_BIN` name others. Must not know: any crate of the product; the tests see what its users see.

mod api;
mod browser;
mod building;
mod foreign_charger;
mod foreign_mqtt;
pub mod layers;
mod lines;
mod programs;
mod raw_charger;
mod screen;
mod site;
mod wait;

pub use self::api::{Answer, Api};
pub use self::browser::Browser;
pub use self::building::Building;
pub use self::foreign_charger::ForeignCharger;
pub use self::foreign_mqtt::{MqttDevice, Subscription};
pub use self::lines::Lines;
pub use self::programs::{Meshwatt, desktop_program, foreign, meshwatt_program, python, serve_command, terminate};
pub use self::raw_charger::RawCharger;
pub use self::screen::Screen;
pub use self::site::{approve_charger, approve_meter, enrol, published_site};
pub use self::wait::{DEADLINE, until};

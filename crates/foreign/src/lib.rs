//! Meters of other makers over MQTT or HTTP: what their JSON means, and what follows from it.
//!
//! A [`Mapping`] says where in which message a [`Quantity`] stands; [`Preset`]s are mappings for common meters. A
//! [`Meter`] collects what is said until every phase is known and gives samples. A [`Metered`] does the same for a
//! charger that has nothing but a meter: it tells sessions from the energy that flows.
//!
//! Must not know: sockets, topics' rights, who stores or polls.

mod mapping;
mod meter;
mod metered;
mod number;
mod path;
mod preset;

pub use self::mapping::{Mapping, MappingError, Quantity, Rule};
pub use self::meter::{Meter, Shape, Understood};
pub use self::metered::Metered;
pub use self::number::Milli;
pub use self::preset::Preset;

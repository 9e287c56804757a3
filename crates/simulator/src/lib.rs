//! Virtual meters, chargers, cars and breakers: the other end of every wire.
//!
//! Everything is a machine without IO that is deterministic from one seed: [`World`] is the building's
//! physics, [`OcppCharger`], [`MeshCharger`] and [`MeshMeter`] its devices. [`Building`] puts them on real
//! sockets as separate clients that use nothing but the wire protocols.
//!
//! Must not know: how current is shared, how anything is stored or shown, or that the other end is ours.

mod breaker;
mod building;
mod car;
mod changes;
mod client;
mod clock;
mod construct;
mod dice;
mod energy;
mod history;
mod house;
mod life;
mod mesh_charger;
mod mesh_meter;
mod ocpp_charger;
mod outlet;
mod plan;
mod profile;
mod recordings;
mod script;
mod stage;
mod trip;
mod visits;
mod world;

pub use self::breaker::{Breaker, BreakerKind};
pub use self::building::{
    Building, BuildingCommand, BuildingConfig, BuildingError, BuildingState, CarState, DeviceState, VirtualProtocol,
};
pub use self::car::{CarTraits, OFFER_MIN, VirtualCar};
pub use self::changes::{Changes, NewDevice};
pub use self::client::{Link, MeshClient, MeshClientConfig, OcppClient, OcppClientConfig, Port};
pub use self::clock::{ScaledClock, Speed, parse_time};
pub use self::construct::{Physics, build_world};
pub use self::dice::Dice;
pub use self::energy::Energy;
pub use self::history::{History, history};
pub use self::house::{House, HouseBuild, HouseLoad, Lift, current_of};
pub use self::life::{Life, People};
pub use self::mesh_charger::{MeshCharger, MeshChargerBuild};
pub use self::mesh_meter::{MeshInput, MeshMeter, MeshOutput};
pub use self::ocpp_charger::{OcppBuild, OcppCharger, OcppInput, OcppOutput};
pub use self::outlet::{Obedience, Outlet, OutletBuild, Resumed};
pub use self::plan::{BuildingPlan, Credential, Household, PlanError, building_plan};
pub use self::profile::{Profile, ProfileRefusal, ProfileStack, Purpose};
pub use self::script::{Script, ScriptError, ScriptStep};
pub use self::stage::{Act, Stage};
pub use self::trip::{TripFigures, TripWatch};
pub use self::visits::{Visit, visits};
pub use self::world::{Device, DeviceInput, DeviceOutput, HouseSource, Measures, Traffic, World, WorldBuild};

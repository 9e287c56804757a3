//! The demo panel: what the virtual building shows and what one can do to it. Only in the demo.

use serde::{Deserialize, Serialize};

/// How fast the demo's time runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DemoSpeed {
    /// As in life.
    #[default]
    X1,
    /// Ten times.
    X10,
    /// A minute each second.
    X60,
}

/// What a virtual charger speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DemoProtocol {
    /// OCPP 1.6J over WebSocket.
    Ocpp,
    /// IEVCC over MQTT.
    Ievcc,
}

/// The published simulations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DemoScenario {
    /// One charger follows a house whose load jumps.
    OneCharger,
    /// Three chargers by priority of registration, steps (a) to (n).
    ThreeChargers,
    /// The earlier run with 19.9 A available.
    Available19,
}

/// State of the virtual building.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DemoSnapshot {
    /// How fast time runs.
    pub speed: DemoSpeed,
    /// Extra house load from the slider, in kW; negative removes load.
    pub extra_load_kw: f64,
    /// The scenario that runs, with the step it is at; `null` when none does.
    pub scenario: Option<(DemoScenario, String)>,
    /// Virtual chargers.
    pub chargers: Vec<DemoCharger>,
    /// Virtual meters.
    pub meters: Vec<DemoMeter>,
}

/// A virtual charger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DemoCharger {
    /// Identity on the wire.
    pub id: String,
    /// What it speaks.
    pub protocol: DemoProtocol,
    /// Whether its link is intact.
    pub linked: bool,
    /// The car plugged in; `null` when none is.
    pub car: Option<DemoCar>,
}

/// A virtual car.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DemoCar {
    /// Energy it still wants.
    pub wants_kwh: f64,
    /// What it draws per phase.
    pub draws_a: f64,
}

/// A virtual meter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DemoMeter {
    /// Identity on the wire.
    pub id: String,
    /// Whether its link is intact.
    pub linked: bool,
}

/// What one can do to the virtual building.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum DemoCommand {
    /// Change how fast time runs.
    SetSpeed {
        /// How fast.
        speed: DemoSpeed,
    },
    /// Move the house-load slider.
    SetExtraLoad {
        /// Extra load in kW, -20 to 60.
        extra_load_kw: f64,
    },
    /// Plug a car in.
    Plug {
        /// Where.
        charger: String,
        /// Energy it wants.
        wants_kwh: f64,
    },
    /// Pull the cable.
    Unplug {
        /// Where.
        charger: String,
    },
    /// Hold a card to the reader.
    TapCard {
        /// Where.
        charger: String,
        /// The card.
        uid: String,
    },
    /// Add a virtual charger that announces itself.
    AddCharger {
        /// What it speaks.
        protocol: DemoProtocol,
    },
    /// Take a virtual charger away.
    RemoveCharger {
        /// Which.
        charger: String,
    },
    /// Add a virtual meter that announces itself.
    AddMeter,
    /// Take a virtual meter away.
    RemoveMeter {
        /// Which.
        meter: String,
    },
    /// Break or mend the link of a device.
    SetLink {
        /// Charger or meter.
        device: String,
        /// Whether it is intact.
        linked: bool,
    },
    /// Run a published simulation.
    StartScenario {
        /// Which.
        scenario: DemoScenario,
    },
    /// Go back to the demo building.
    StopScenario,
}

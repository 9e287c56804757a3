//! The demo panel: the API's words in the building's.

use super::changes;
use api::{DemoCar, DemoCharger, DemoCommand, DemoMeter, DemoProtocol, DemoScenario, DemoSnapshot, DemoSpeed};
use domain::{CardUid, MeterId, MilliAmps, WattHours};
use scenario::Published;
use service::Settings;
use simulator::{
    Building, BuildingCommand, BuildingError, BuildingState, CarState, DeviceState, Link, Measures, Speed,
    VirtualProtocol,
};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Most energy a virtual car may want, in kWh: more than any real battery holds.
const WANTS_KWH_MAX: f64 = 200.0;

/// The building behind the panel; empty until the service listens and after the demo ended.
#[derive(Default)]
pub(crate) struct Panel(Mutex<Inside>);

#[derive(Default)]
struct Inside {
    building: Option<(Building, Settings)>,
    dir: PathBuf,
    scenario: Option<DemoScenario>,
}

impl Panel {
    /// The building runs; what is added to it is kept in this folder.
    pub(crate) fn open(&self, building: Building, settings: Settings, dir: &Path) {
        let mut inside = self.lock();
        inside.building = Some((building, settings));
        dir.clone_into(&mut inside.dir);
    }

    /// Hangs a virtual meter elsewhere.
    pub(crate) fn set_measures(&self, meter: &MeterId, measures: Measures) {
        let command = BuildingCommand::SetMeasures { meter: meter.to_string(), measures };
        if let Some((building, _)) = &self.lock().building
            && let Err(error) = building.command(command)
        {
            tracing::warn!(%error, "the demo's meter was not moved");
        }
    }

    /// Whether a published simulation plays.
    pub(crate) fn is_playing(&self) -> bool {
        self.lock().building.as_ref().is_some_and(|(building, _)| building.state().script.is_some())
    }

    /// Takes the building away.
    pub(crate) fn close(&self) {
        drop(self.lock().building.take());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl service::Demo for Panel {
    fn snapshot(&self) -> DemoSnapshot {
        let mut inside = self.lock();
        let Some(state) = inside.building.as_ref().map(|(building, _)| building.state()) else {
            return DemoSnapshot::default();
        };
        if state.script.is_none() {
            inside.scenario = None;
        }
        shown(&state, inside.scenario)
    }

    fn command(&self, command: DemoCommand) -> Result<(), String> {
        let mut inside = self.lock();
        let playing = match &command {
            DemoCommand::StartScenario { scenario } => Some(*scenario),
            DemoCommand::StopScenario => None,
            DemoCommand::SetSpeed { .. }
            | DemoCommand::SetExtraLoad { .. }
            | DemoCommand::Plug { .. }
            | DemoCommand::Unplug { .. }
            | DemoCommand::TapCard { .. }
            | DemoCommand::AddCharger { .. }
            | DemoCommand::RemoveCharger { .. }
            | DemoCommand::AddMeter
            | DemoCommand::RemoveMeter { .. }
            | DemoCommand::SetLink { .. } => inside.scenario,
        };
        let (building, settings) =
            inside.building.as_ref().ok_or("the virtual building is starting; try again in a moment")?;
        let before = building.changes();
        building.command(building_command(command, settings)?).map_err(|error| words(&error))?;
        let changes = building.changes();
        if changes != before {
            changes::write(&inside.dir, &changes);
        }
        inside.scenario = playing;
        Ok(())
    }
}

fn words(error: &BuildingError) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

fn shown(state: &BuildingState, scenario: Option<DemoScenario>) -> DemoSnapshot {
    DemoSnapshot {
        speed: match state.speed {
            Speed::X1 => DemoSpeed::X1,
            Speed::X10 => DemoSpeed::X10,
            Speed::X60 => DemoSpeed::X60,
        },
        extra_load_kw: kilo(state.extra_w),
        scenario: scenario.zip(state.script.as_ref().map(|(_, step)| step.clone())),
        chargers: state.chargers.iter().map(charger).collect(),
        meters: state
            .meters
            .iter()
            .map(|meter| DemoMeter { id: meter.id.clone(), linked: meter.link == Link::Intact })
            .collect(),
    }
}

fn charger(state: &DeviceState) -> DemoCharger {
    DemoCharger {
        id: state.id.clone(),
        protocol: match state.protocol {
            VirtualProtocol::Ocpp => DemoProtocol::Ocpp,
            VirtualProtocol::Ievcc => DemoProtocol::Ievcc,
        },
        linked: state.link == Link::Intact,
        car: state.car.map(|CarState { wants, draws }| DemoCar {
            wants_kwh: kilo(i64::try_from(wants.0).unwrap_or(i64::MAX)),
            draws_a: amps(draws),
        }),
    }
}

fn amps(current: MilliAmps) -> f64 {
    f64::from(current.0) / 1000.0
}

/// The demo's numbers stay far below what an `i32` holds.
fn kilo(value: i64) -> f64 {
    f64::from(i32::try_from(value).unwrap_or(i32::MAX)) / 1000.0
}

/// A number in thousandths, when it lies in the range.
fn thousandths(what: &str, value: f64, min: f64, max: f64) -> Result<i64, String> {
    if !(min..=max).contains(&value) {
        return Err(format!("{what} must be between {min} and {max}"));
    }
    format!("{:.0}", value * 1000.0).parse().map_err(|_impossible| format!("{what} must be a number"))
}

fn building_command(command: DemoCommand, settings: &Settings) -> Result<BuildingCommand, String> {
    Ok(match command {
        DemoCommand::SetSpeed { speed } => BuildingCommand::SetSpeed(match speed {
            DemoSpeed::X1 => Speed::X1,
            DemoSpeed::X10 => Speed::X10,
            DemoSpeed::X60 => Speed::X60,
        }),
        DemoCommand::SetExtraLoad { extra_load_kw } => {
            BuildingCommand::SetExtraLoad(thousandths("extra_load_kw", extra_load_kw, -20.0, 60.0)?)
        }
        DemoCommand::Plug { charger, wants_kwh } => {
            let wants = thousandths("wants_kwh", wants_kwh, 0.1, WANTS_KWH_MAX)?;
            BuildingCommand::Plug { charger, wants: WattHours(wants.unsigned_abs()) }
        }
        DemoCommand::Unplug { charger } => BuildingCommand::Unplug { charger },
        DemoCommand::TapCard { charger, uid } => {
            BuildingCommand::TapCard { charger, card: CardUid::new(&uid).map_err(|error| error.to_string())? }
        }
        DemoCommand::AddCharger { protocol } => BuildingCommand::AddCharger(match protocol {
            DemoProtocol::Ocpp => VirtualProtocol::Ocpp,
            DemoProtocol::Ievcc => VirtualProtocol::Ievcc,
        }),
        DemoCommand::RemoveCharger { charger } => BuildingCommand::RemoveCharger(charger),
        DemoCommand::AddMeter => BuildingCommand::AddMeter,
        DemoCommand::RemoveMeter { meter } => BuildingCommand::RemoveMeter(meter),
        DemoCommand::SetLink { device, linked } => {
            BuildingCommand::SetLink { device, link: if linked { Link::Intact } else { Link::Broken } }
        }
        DemoCommand::StartScenario { scenario } => {
            let published = match scenario {
                DemoScenario::OneCharger => Published::OneCharger,
                DemoScenario::ThreeChargers => Published::ThreeChargers,
                DemoScenario::Available19 => Published::Available19,
            };
            let scenario = published.scenario().map_err(|error| error.to_string())?;
            BuildingCommand::StartScript { script: Box::new(scenario.script()), chargers: settings.free_chargers() }
        }
        DemoCommand::StopScenario => BuildingCommand::StopScript,
    })
}

//! Builds virtual devices from a plan.

use crate::building::VirtualProtocol;
use crate::changes::{Changes, NewDevice};
use crate::house::House;
use crate::life::People;
use crate::mesh_charger::{MeshCharger, MeshChargerBuild};
use crate::mesh_meter::MeshMeter;
use crate::ocpp_charger::{OcppBuild, OcppCharger};
use crate::outlet::OutletBuild;
use crate::plan::BuildingPlan;
use crate::world::{Device, HouseSource, Measures, World, WorldBuild};
use domain::{
    CardUid, Charger, ChargerId, DurationMs, HardwareInfo, IdError, MeterId, MeterRole, MilliAmps, MilliVolts,
    PhaseCount, Protocol, WattHours, Wiring,
};
use std::collections::BTreeMap;

/// How exactly the electrical parts follow life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Physics {
    /// Voltage of each phase without load.
    pub voltage: MilliVolts,
    /// Voltage lost in the feeder per ampere, in mV.
    pub drop_mv_per_a: u32,
    /// Least time between two changes of a charger's offer.
    pub offer_interval: DurationMs,
}

impl Physics {
    /// As in life: a feeder of about 0.03 ohm, and offers that change at most every 5 s (IEC 61851-1).
    pub const REAL: Self = Self { voltage: MilliVolts(232_500), drop_mv_per_a: 30, offer_interval: DurationMs(5_000) };
    /// As in the published simulations: constant 230 V, chargers that follow at once.
    pub const IDEAL: Self = Self { voltage: MilliVolts(230_000), drop_mv_per_a: 0, offer_interval: DurationMs(0) };
}

/// The world of a plan, with all its devices. Registers not named start at zero.
#[must_use]
pub fn build_world(plan: &BuildingPlan, registers: &BTreeMap<ChargerId, WattHours>, physics: Physics) -> World {
    let build = WorldBuild {
        voltage: physics.voltage,
        drop_mv_per_a: physics.drop_mv_per_a,
        phases: plan.site.phases,
        rated: plan.site.grid_limit(),
    };
    let mut world = World::new(build, HouseSource::Living(House::new(plan.house.clone())));
    for meter in &plan.meters {
        let measures = match meter.role {
            MeterRole::Circuit => Measures::Everything,
            MeterRole::House => Measures::House,
            MeterRole::Solar => Measures::Solar,
            MeterRole::Battery => Measures::Nothing,
        };
        let device = Device::Meter(Box::new(MeshMeter::new(meter.id.clone(), plan.site.phases)), measures);
        world.add(meter.id.as_str(), device);
    }
    for charger in &plan.chargers {
        let register = registers.get(&charger.id).copied().unwrap_or_default();
        let hardware = plan.hardware.iter().find(|(id, _)| *id == charger.id).map(|(_, info)| info.clone());
        let device = charger_of(plan, charger, register, hardware.unwrap_or_default(), physics);
        world.add(charger.id.as_str(), device);
    }
    world
}

fn charger_of(
    plan: &BuildingPlan,
    charger: &Charger,
    register: WattHours,
    hardware: HardwareInfo,
    physics: Physics,
) -> Device {
    let outlet = OutletBuild {
        wiring: charger.wiring.clone(),
        max: charger.max,
        offer_interval: physics.offer_interval,
        register,
    };
    // Out of the box a charger gives nothing until it was told a safe current.
    match (charger.protocol, plan.meters.first()) {
        (Protocol::Ievcc, Some(meter)) => Device::Mesh(Box::new(MeshCharger::new(MeshChargerBuild {
            id: charger.id.clone(),
            meter: meter.id.clone(),
            hardware,
            outlet,
            fallback: MilliAmps::ZERO,
        }))),
        (Protocol::Ocpp16 | Protocol::Metered, _) | (Protocol::Ievcc, None) => {
            Device::Ocpp(Box::new(OcppCharger::new(OcppBuild {
                id: charger.id.clone(),
                hardware,
                outlet,
                without_profile: MilliAmps::ZERO,
            })))
        }
    }
}

/// A charger nobody knows yet, on every phase of the site.
fn new_charger(
    plan: &BuildingPlan,
    id: ChargerId,
    protocol: VirtualProtocol,
    register: WattHours,
) -> Result<Device, IdError> {
    let hardware = HardwareInfo {
        vendor: "Elva".to_owned(),
        model: "Solo 7".to_owned(),
        firmware: "1.0.0".to_owned(),
        serial: format!("SN-{id}"),
    };
    let charger = Charger {
        name: id.to_string(),
        id,
        protocol: match protocol {
            VirtualProtocol::Ocpp => Protocol::Ocpp16,
            VirtualProtocol::Ievcc => Protocol::Ievcc,
        },
        registered: 0,
        approved: false,
        priority: 0,
        max: MilliAmps::from_amps(32),
        fallback: MilliAmps::ZERO,
        circuit: domain::CircuitId::new("main")?,
        wiring: match plan.site.phases {
            PhaseCount::One => Wiring::single(),
            PhaseCount::Three => Wiring::three(),
        },
        policy: domain::ChargerPolicy::default(),
        connectors: 1,
    };
    Ok(match charger_of(plan, &charger, register, hardware, Physics::REAL) {
        Device::Mesh(charger) => Device::Mesh(Box::new(charger.stranger())),
        other @ (Device::Ocpp(_) | Device::Meter(..)) => other,
    })
}

/// A device nobody knows yet; a meter measures the house.
pub(crate) fn new_device(
    plan: &BuildingPlan,
    name: &str,
    new: NewDevice,
    register: WattHours,
) -> Result<Device, IdError> {
    match new {
        NewDevice::Charger(protocol) => new_charger(plan, ChargerId::new(name)?, protocol, register),
        NewDevice::Meter => {
            let meter = MeshMeter::new(MeterId::new(name)?, plan.site.phases);
            Ok(Device::Meter(Box::new(meter), Measures::House))
        }
    }
}

/// Makes a planned building what it was when it last stood still.
pub(crate) fn change(
    world: &mut World,
    plan: &BuildingPlan,
    registers: &BTreeMap<ChargerId, WattHours>,
    changes: &Changes,
) {
    for name in changes.removed() {
        world.remove(name);
    }
    for (name, new) in changes.added() {
        let register = ChargerId::new(name).ok().and_then(|id| registers.get(&id).copied()).unwrap_or_default();
        match new_device(plan, name, new, register) {
            Ok(device) => world.add(name, device),
            Err(error) => tracing::warn!(name, %error, "a virtual device has no valid name and stays away"),
        }
    }
}

/// Most wires a charger of the building has.
pub(crate) fn most_wires(plan: &BuildingPlan) -> usize {
    plan.chargers.iter().map(|charger| charger.wiring.wires().len()).max().unwrap_or(1)
}

/// Chargers a script uses: of the usable ones, in their order, those with the most wires, since they share every phase.
pub(crate) fn script_chargers(
    plan: &BuildingPlan,
    people: &People,
    usable: &[&ChargerId],
) -> Vec<(String, usize, CardUid)> {
    let most = most_wires(plan);
    let known = |id: &ChargerId| plan.chargers.iter().any(|c| c.id == *id && c.wiring.wires().len() == most);
    let chosen = usable.iter().filter(|id| known(id));
    chosen.enumerate().filter_map(|(number, id)| Some((id.to_string(), most, people.card(number)?.clone()))).collect()
}

//! What clients send, checked and turned into what the deciders take.

use super::power;
use crate::http::problem::Failure;
use api::{ChargerPatch, ChargerPlace, CircuitItem, MeterPatch, SiteItem};
use domain::{
    Charger, Circuit, CircuitId, CircuitRating, CircuitTree, DurationMs, Meter, MilliAmps, MilliVolts, PerPhase, Phase,
    PhaseCount, Rotation, Site, VoltAmps, Wiring,
};

/// Largest number a client may send for any setting; every real one is far below.
const THOUSANDS_MAX: f64 = 1_000_000.0;

/// A number in whole units as an integer in thousandths, rounded to the nearest.
pub(super) fn thousandths(field: &str, value: f64) -> Result<u32, Failure> {
    if !(0.0..=THOUSANDS_MAX).contains(&value) {
        return Err(Failure::invalid(format!("{field} must be between 0 and {THOUSANDS_MAX}")));
    }
    // Bounded above, so the text of the rounded number always fits.
    format!("{:.0}", value * 1000.0).parse().map_err(|_too_large| Failure::invalid(format!("{field} is too large")))
}

/// Amperes of a request.
pub(crate) fn milli_amps(field: &str, value: f64) -> Result<MilliAmps, Failure> {
    thousandths(field, value).map(MilliAmps)
}

pub(super) fn duration(field: &str, value: f64) -> Result<DurationMs, Failure> {
    thousandths(field, value).map(|ms| DurationMs(u64::from(ms)))
}

/// Settings of a request.
pub(crate) fn site_from(item: &SiteItem) -> Result<Site, Failure> {
    let site = Site {
        name: item.name.trim().to_owned(),
        time_zone: item.time_zone.clone(),
        currency: item.currency.clone(),
        nominal_voltage: MilliVolts(thousandths("nominal_voltage_v", item.nominal_voltage_v)?),
        connection: item.connection,
        phases: item.phases.count(),
        contracted: VoltAmps(thousandths("contracted_kva", item.contracted_kva)?),
        main_fuse: milli_amps("main_fuse_a", item.main_fuse_a)?,
        margin: milli_amps("margin_a", item.margin_a)?,
        min_charge: milli_amps("min_charge_a", item.min_charge_a)?,
        max_active_chargers: item.max_active_chargers,
        max_meters: item.max_meters,
        control_interval: duration("control_interval_s", item.control_interval_s)?,
        declared_load: milli_amps("declared_load_a", item.declared_load_a)?,
        meter_max_age: duration("meter_max_age_s", item.meter_max_age_s)?,
        pacing: item.pacing,
        rules: power::site_rules_from(&item.rules)?,
    };
    if jiff::tz::TimeZone::get(&site.time_zone).is_err() {
        return Err(Failure::invalid("time_zone must be a name such as Europe/Lisbon"));
    }
    if site.currency.len() != 3 || !site.currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(Failure::invalid("currency must be three capital letters such as EUR"));
    }
    site.check().map_err(|error| Failure::invalid(error.to_string()))?;
    Ok(site)
}

/// The tree of circuits of a request.
pub(crate) fn circuit_tree(items: &[CircuitItem], phases: PhaseCount) -> Result<CircuitTree, Failure> {
    let circuits = items.iter().map(|item| circuit(item, phases)).collect::<Result<Vec<_>, _>>()?;
    CircuitTree::new(circuits).map_err(|error| Failure::invalid(error.to_string()))
}

/// One value for each phase of the site; phases it does not have carry nothing.
fn each_phase(field: &str, values: &[f64], phases: PhaseCount) -> Result<PerPhase<MilliAmps>, Failure> {
    let values = values.iter().map(|value| milli_amps(field, *value)).collect::<Result<Vec<_>, _>>()?;
    match (values.as_slice(), phases) {
        ([one], PhaseCount::One) => Ok(PerPhase::new(*one, MilliAmps::ZERO, MilliAmps::ZERO)),
        ([l1, l2, l3], PhaseCount::Three) => Ok(PerPhase::new(*l1, *l2, *l3)),
        (other, _) => {
            let (wanted, given) = (phases.phases().len(), other.len());
            Err(Failure::invalid(format!("{field} needs {wanted} values, one for each phase, not {given}")))
        }
    }
}

fn circuit(item: &CircuitItem, phases: PhaseCount) -> Result<Circuit, Failure> {
    let rating = CircuitRating {
        rated: item.rated_a.as_deref().map(|rated| each_phase("rated_a", rated, phases)).transpose()?,
        cable: item.cable_a.map(|cable| milli_amps("cable_a", cable)).transpose()?,
        device: item.device.map(power::device_from).transpose()?,
    };
    let limit = match rating.limit() {
        Some(rated) if item.limit_a.is_empty() => rated,
        Some(_) | None => each_phase("limit_a", &item.limit_a, phases)?,
    };
    let name = item.name.trim();
    Ok(Circuit {
        id: CircuitId::new(&item.id)?,
        name: if name.is_empty() { item.id.clone() } else { name.to_owned() },
        parent: item.parent.as_ref().map(CircuitId::new).transpose()?,
        limit,
        rating,
    })
}

/// A charger with what a request changes.
pub(crate) fn patched_charger(mut charger: Charger, patch: &ChargerPatch) -> Result<Charger, Failure> {
    if let Some(name) = &patch.name {
        name.trim().clone_into(&mut charger.name);
    }
    if let Some(priority) = patch.priority {
        charger.priority = priority;
    }
    if let Some(max_a) = patch.max_a {
        charger.max = milli_amps("max_a", max_a)?;
    }
    if let Some(fallback_a) = patch.fallback_a {
        charger.fallback = milli_amps("fallback_a", fallback_a)?;
    }
    if let Some(circuit) = &patch.circuit {
        charger.circuit = CircuitId::new(circuit)?;
    }
    if let Some(phases) = &patch.phases {
        let wires = phases
            .iter()
            .map(|number| {
                Phase::from_number(*number)
                    .ok_or_else(|| Failure::invalid(format!("phases must be 1, 2 or 3, not {number}")))
            })
            .collect::<Result<Vec<_>, _>>()?;
        charger.wiring = Wiring::new(wires).map_err(|error| Failure::invalid(error.to_string()))?;
    }
    if let Some(policy) = &patch.policy {
        let owner = charger.policy.owner;
        charger.policy = domain::ChargerPolicy { owner, ..power::charger_policy_from(policy)? };
    }
    // Nobody can tell it to take less, whoever speaks to it.
    if charger.protocol == domain::Protocol::Metered {
        charger.fallback = charger.max;
    }
    if let Some(owner) = patch.owner_tenant_id {
        charger.policy.owner = (owner > 0).then_some(domain::TenantId(owner));
    }
    Ok(charger)
}

/// A charger where an electrician draws it.
pub(crate) fn placed_charger(charger: Charger, place: &ChargerPlace) -> Result<Charger, Failure> {
    let patch = ChargerPatch {
        circuit: Some(place.circuit.clone()),
        phases: Some(place.phases.clone()),
        ..ChargerPatch::default()
    };
    let mut charger = patched_charger(charger, &patch)?;
    charger.policy.rotation = if place.rotation_known { Rotation::Known } else { Rotation::Unknown };
    Ok(charger)
}

/// A meter with what a request changes.
pub(crate) fn patched_meter(mut meter: Meter, patch: &MeterPatch) -> Result<Meter, Failure> {
    if let Some(name) = &patch.name {
        name.trim().clone_into(&mut meter.name);
    }
    if let Some(circuit) = &patch.circuit {
        meter.circuit = CircuitId::new(circuit)?;
    }
    if let Some(role) = patch.role {
        meter.role = role;
    }
    Ok(meter)
}

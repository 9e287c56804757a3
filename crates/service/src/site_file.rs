//! The initial site as people write it down: TOML, or the same as JSON.
//!
//! Everything is optional; what is absent keeps the default of a small building. Field names are those of the API.
//!
//! ```toml
//! [site]
//! name = "Rua das Flores 12"
//! time_zone = "Europe/Lisbon"
//! phases = 3
//! contracted_kva = 41.4
//! main_fuse_a = 60
//! margin_a = 2
//! control_interval_s = 5
//! pacing = "careful"            # or "published"
//! sharing = "equal"             # or "by_priority", "by_fairness", "by_departure"
//! imbalance_a = 18              # most by which the phases may differ because of charging
//! off_peak = [{ from = "22:00", to = "08:00" }]
//! contract_periods = [{ days = ["sat", "sun"], from = "00:00", to = "24:00", kva = 34.5 }]
//! # price_feed = "https://prices.example/today.json"   # see docs/price-feed.md
//! # stand_alone_buffer_a = 3    # one home charger that manages itself
//!
//! [[circuits]]                  # without any, there is the grid connection "main" alone
//! id = "main"
//! name = "Grid connection"
//! limit_a = [60, 60, 60]
//!
//! [[circuits]]
//! id = "garage"
//! parent = "main"
//! rated_a = [40, 40, 40]        # or limit_a where only the limit is known
//! cable_a = 46
//! device = { kind = "breaker", curve = "C", rated_a = 40 }   # or linky, spanish_icp, portuguese_dcp, thermal, definite_time
//!
//! [[meters]]                    # known and let in from the start
//! id = "Counter-1"
//! role = "house"                # "circuit", "house", "solar" or "battery"
//! password = "its MQTT password"
//!
//! [[chargers]]
//! id = "C1"
//! protocol = "ocpp1.6"          # or "ievcc"
//! circuit = "garage"
//! phases = [1, 2, 3]            # grid phase of each wire
//! max_a = 32
//! fallback_a = 6
//! policy = { never_pause = true, energy_source = "grid", rotation_known = true }   # as in PATCH chargers/{id}
//! password = "only for ievcc"
//!
//! [[tenants]]
//! name = "Ana Silva"
//! unit = "2.º Esq."
//! cards = ["04A1B2C3"]
//! ```

use crate::config::InitialSite;
use crate::convert;
use domain::{
    CardUid, Charger, ChargerId, CircuitId, CircuitTree, MeterId, MeterRole, Pacing, Phase, Protocol, Tenant, TenantId,
    Timestamp, Wiring,
};
use serde::Deserialize;

/// Why a description of a site cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SiteFileError {
    /// It is neither TOML nor JSON, or has a field nobody knows.
    #[error("the site file cannot be read: {0}")]
    Syntax(String),
    /// A value breaks a rule.
    #[error("the site file cannot be used: {0}")]
    Value(String),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Document {
    site: SitePart,
    circuits: Vec<CircuitPart>,
    meters: Vec<MeterPart>,
    chargers: Vec<ChargerPart>,
    tenants: Vec<TenantPart>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct SitePart {
    name: Option<String>,
    time_zone: Option<String>,
    currency: Option<String>,
    nominal_voltage_v: Option<f64>,
    connection: Option<domain::Connection>,
    phases: Option<u8>,
    contracted_kva: Option<f64>,
    main_fuse_a: Option<f64>,
    margin_a: Option<f64>,
    min_charge_a: Option<f64>,
    max_active_chargers: Option<u16>,
    max_meters: Option<u16>,
    control_interval_s: Option<f64>,
    declared_load_a: Option<f64>,
    meter_max_age_s: Option<f64>,
    pacing: Option<Pacing>,
    #[serde(default)]
    contract_periods: Vec<api::ContractPeriodItem>,
    imbalance_a: Option<f64>,
    sharing: Option<domain::SharingRule>,
    #[serde(default)]
    off_peak: Vec<api::TimeWindowItem>,
    stand_alone_buffer_a: Option<f64>,
    price_feed: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CircuitPart {
    id: String,
    #[serde(default)]
    name: String,
    parent: Option<String>,
    #[serde(default)]
    limit_a: Vec<f64>,
    rated_a: Option<Vec<f64>>,
    cable_a: Option<f64>,
    device: Option<api::DeviceItem>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MeterPart {
    id: String,
    name: Option<String>,
    circuit: Option<String>,
    #[serde(default = "house")]
    role: MeterRole,
    password: Option<String>,
}

const fn house() -> MeterRole {
    MeterRole::House
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChargerPart {
    id: String,
    name: Option<String>,
    #[serde(default = "ocpp")]
    protocol: Protocol,
    circuit: Option<String>,
    phases: Option<Vec<u8>>,
    max_a: Option<f64>,
    fallback_a: Option<f64>,
    priority: Option<i32>,
    connectors: Option<u16>,
    approved: Option<bool>,
    policy: Option<api::ChargerPolicyItem>,
    password: Option<String>,
}

const fn ocpp() -> Protocol {
    Protocol::Ocpp16
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TenantPart {
    name: String,
    #[serde(default)]
    unit: String,
    #[serde(default)]
    cards: Vec<String>,
}

/// Reads a description of a site, TOML or JSON; `now` labels tenants and cards.
///
/// # Errors
/// Names the place and what is wrong there.
pub fn parse_site_file(text: &str, now: Timestamp) -> Result<InitialSite, SiteFileError> {
    let document: Document = if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|error| SiteFileError::Syntax(error.to_string()))?
    } else {
        toml::from_str(text).map_err(|error| SiteFileError::Syntax(error.to_string()))?
    };
    document.into_site(now).map_err(SiteFileError::Value)
}

impl Document {
    fn into_site(self, now: Timestamp) -> Result<InitialSite, String> {
        let mut initial = InitialSite { site: self.site.over(&InitialSite::default().site)?, ..InitialSite::default() };
        let circuits = if self.circuits.is_empty() {
            crate::beginning::default_circuits(&initial.site, api::Language::default())
        } else {
            let items: Vec<_> = self.circuits.into_iter().map(CircuitPart::item).collect();
            convert::circuit_tree(&items, initial.site.phases).map_err(|failure| failure.into_detail())?
        };
        for part in self.meters {
            let name = part.name.unwrap_or_else(|| part.id.clone());
            if let Some(password) = part.password {
                initial.mqtt_credentials.push((part.id.clone(), password));
            }
            initial.meters.push(domain::Meter {
                id: MeterId::new(&part.id).map_err(|error| format!("meter {:?}: {error}", part.id))?,
                name,
                approved: true,
                circuit: circuit(part.circuit.as_deref(), &circuits)?,
                role: part.role,
            });
        }
        for (part, registered) in self.chargers.into_iter().zip(1..) {
            if let Some(password) = &part.password {
                initial.mqtt_credentials.push((part.id.clone(), password.clone()));
            }
            initial.chargers.push(part.charger(registered, &circuits, initial.site.phases)?);
        }
        for (part, id) in self.tenants.into_iter().zip(1..) {
            let key = crate::credentials::tenant_key().map_err(|error| format!("no random numbers: {error}"))?;
            let tenant = Tenant::new(TenantId(id), key, part.name, part.unit, now);
            for uid in part.cards {
                let uid = CardUid::new(&uid).map_err(|error| format!("card {uid:?}: {error}"))?;
                let number = i64::try_from(initial.cards.len()).unwrap_or(i64::MAX - 1) + 1;
                initial.cards.push(InitialSite::card(number, uid, tenant.id, now));
            }
            initial.tenants.push(tenant);
        }
        initial.circuits = Some(circuits);
        Ok(initial)
    }
}

impl CircuitPart {
    fn item(self) -> api::CircuitItem {
        let Self { id, name, parent, limit_a, rated_a, cable_a, device } = self;
        api::CircuitItem { id, name, parent, limit_a, rated_a, cable_a, device, ..api::CircuitItem::default() }
    }
}

impl SitePart {
    fn over(self, default: &domain::Site) -> Result<domain::Site, String> {
        let mut item = convert::site_item(default);
        let fuse_given = self.main_fuse_a.is_some();
        let load_given = self.declared_load_a.is_some();
        if let Some(phases) = self.phases {
            let count = match phases {
                1 => domain::PhaseCount::One,
                3 => domain::PhaseCount::Three,
                other => return Err(format!("phases must be 1 or 3, not {other}")),
            };
            item.phases = count.into();
        }
        let numbers = [
            (&mut item.nominal_voltage_v, self.nominal_voltage_v),
            (&mut item.contracted_kva, self.contracted_kva),
            (&mut item.main_fuse_a, self.main_fuse_a),
            (&mut item.margin_a, self.margin_a),
            (&mut item.min_charge_a, self.min_charge_a),
            (&mut item.control_interval_s, self.control_interval_s),
            (&mut item.declared_load_a, self.declared_load_a),
            (&mut item.meter_max_age_s, self.meter_max_age_s),
        ];
        for (field, value) in numbers {
            *field = value.unwrap_or(*field);
        }
        item.name = self.name.unwrap_or(item.name);
        item.time_zone = self.time_zone.unwrap_or(item.time_zone);
        item.currency = self.currency.unwrap_or(item.currency);
        item.connection = self.connection.unwrap_or(item.connection);
        item.max_active_chargers = self.max_active_chargers.or(item.max_active_chargers);
        item.max_meters = self.max_meters.unwrap_or(item.max_meters);
        item.pacing = self.pacing.unwrap_or(item.pacing);
        item.rules = api::SiteRulesItem {
            contract_periods: self.contract_periods,
            imbalance_a: self.imbalance_a,
            sharing: self.sharing.unwrap_or_default(),
            off_peak: self.off_peak,
            stand_alone_buffer_a: self.stand_alone_buffer_a,
            price_feed: self.price_feed,
        };
        if !fuse_given {
            // The largest allowed, until the contract's current is known below.
            item.main_fuse_a = 10_000.0;
        }
        let mut site = convert::site_from(&item).map_err(|failure| failure.into_detail())?;
        if !fuse_given {
            site.main_fuse = site.contracted_current();
        }
        if !load_given {
            site.declared_load = site.main_fuse;
        }
        Ok(site)
    }
}

impl ChargerPart {
    fn charger(self, registered: u32, circuits: &CircuitTree, phases: domain::PhaseCount) -> Result<Charger, String> {
        let context = format!("charger {:?}", self.id);
        let wiring = match self.phases {
            None if phases == domain::PhaseCount::One => Wiring::single(),
            None => Wiring::three(),
            Some(numbers) => {
                let wires: Option<Vec<Phase>> = numbers.iter().map(|number| Phase::from_number(*number)).collect();
                let wires = wires.ok_or_else(|| format!("{context}: phases are 1, 2 or 3"))?;
                Wiring::new(wires).map_err(|error| format!("{context}: {error}"))?
            }
        };
        let amps = |field: &str, value: f64| {
            convert::milli_amps(field, value).map_err(|failure| format!("{context}: {}", failure.into_detail()))
        };
        let policy = self.policy.as_ref().map(convert::charger_policy_from).transpose();
        let policy = policy.map_err(|failure| format!("{context}: {}", failure.into_detail()))?.unwrap_or_default();
        Ok(Charger {
            max: amps("max_a", self.max_a.unwrap_or(32.0))?,
            fallback: amps("fallback_a", self.fallback_a.unwrap_or(0.0))?,
            id: ChargerId::new(&self.id).map_err(|error| format!("{context}: {error}"))?,
            protocol: self.protocol,
            name: self.name.unwrap_or_else(|| self.id.clone()),
            registered,
            approved: self.approved.unwrap_or(true),
            priority: self.priority.unwrap_or(0),
            circuit: circuit(self.circuit.as_deref(), circuits)?,
            wiring,
            connectors: self.connectors.unwrap_or(1).max(1),
            policy,
        })
    }
}

fn circuit(name: Option<&str>, circuits: &CircuitTree) -> Result<CircuitId, String> {
    let Some(name) = name else { return Ok(circuits.root().clone()) };
    let id = CircuitId::new(name).map_err(|error| format!("circuit {name:?}: {error}"))?;
    circuits.get(&id).map(|known| known.id.clone()).ok_or_else(|| format!("the circuit {name} is not described"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::MilliAmps;

    /// The example in the documentation is a site, and JSON says the same.
    #[test]
    fn example_is_read() {
        let example: String = include_str!("site_file.rs")
            .lines()
            .skip_while(|line| !line.ends_with("```toml"))
            .skip(1)
            .take_while(|line| !line.ends_with("```"))
            .map(|line| format!("{}\n", line.trim_start_matches("//!")))
            .collect();
        let initial = parse_site_file(&example, Timestamp(0)).unwrap();
        assert_eq!(initial.site.grid_limit(), MilliAmps::from_amps(60));
        assert_eq!(initial.circuits.unwrap().iter().count(), 2);
        assert_eq!(initial.chargers[0].circuit.as_str(), "garage");
        assert_eq!(initial.cards[0].tenant, initial.tenants[0].id);
        assert_eq!(initial.mqtt_credentials.len(), 2);
        let json = parse_site_file(r#"{"site":{"contracted_kva":6.9,"phases":1}}"#, Timestamp(0)).unwrap();
        assert_eq!(json.site.main_fuse, MilliAmps(30_000), "without a fuse the contract decides");
    }

    /// A wrong word or value is named.
    #[test]
    fn mistakes_are_named() {
        let unknown = parse_site_file("[site]\ncontracted_kw = 3", Timestamp(0)).unwrap_err().to_string();
        assert!(unknown.contains("contracted_kw"), "{unknown}");
        let value = parse_site_file("[[chargers]]\nid = \"C1\"\ncircuit = \"attic\"", Timestamp(0)).unwrap_err();
        assert_eq!(value.to_string(), "the site file cannot be used: the circuit attic is not described");
    }
}

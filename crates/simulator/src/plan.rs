//! The demo building on paper: what its owner configured and what its devices are.

use crate::dice::{Dice, stream};
use crate::house::{HouseBuild, Lift};
use domain::{
    Card, CardId, CardPolicy, CardStatus, CardUid, Charger, ChargerId, ChargerPolicy, Circuit, CircuitId,
    CircuitRating, Connection, DurationMs, HardwareInfo, IdError, Meter, MeterId, MeterRole, MilliAmps, MilliVolts,
    Pacing, PerPhase, Phase, PhaseCount, Protocol, Site, SiteRules, Tenant, TenantId, TenantKey, Timestamp, VoltAmps,
    Watts, Wiring, WiringError,
};

/// User name and password of a device on MQTT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Its identity, which is user name and topic as well.
    pub device: String,
    /// Its password.
    pub password: String,
}

/// A tenant with the cards of the household.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Household {
    /// Who pays.
    pub tenant: Tenant,
    /// Their cards; the first is the one they use.
    pub cards: Vec<Card>,
}

/// A building as configured, enough to seed a store and to build the virtual devices.
#[derive(Clone, Debug, PartialEq)]
pub struct BuildingPlan {
    /// Seed of everything random in it.
    pub seed: u64,
    /// The site.
    pub site: Site,
    /// Its circuits.
    pub circuits: Vec<Circuit>,
    /// Its meters, approved.
    pub meters: Vec<Meter>,
    /// Its chargers, approved, in the order of registration.
    pub chargers: Vec<Charger>,
    /// What the chargers say about themselves.
    pub hardware: Vec<(ChargerId, HardwareInfo)>,
    /// Tenants with their cards.
    pub households: Vec<Household>,
    /// Passwords of the devices on MQTT.
    pub credentials: Vec<Credential>,
    /// Flats, lift and solar roof.
    pub house: HouseBuild,
}

/// Why a plan cannot be drawn; only a mistake in the tables below can cause it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// An identity in the tables is wrong.
    #[error("the demo building names an impossible device")]
    Id(#[from] IdError),
    /// A wiring in the tables is wrong.
    #[error("the demo building has an impossible wiring")]
    Wiring(#[from] WiringError),
    /// A card in the tables is wrong.
    #[error("the demo building has an impossible card")]
    Card(#[from] domain::CardUidError),
}

use Phase::{L1, L2, L3};

/// Identity, protocol, circuit, wires, fallback in amps, vendor, model.
type ChargerRow = (&'static str, Protocol, &'static str, &'static [Phase], u16, &'static str, &'static str);

/// On every phase the fallbacks sum up to 18 A at most, which fits beside the declared load. Three
/// chargers of level -2 hang on L1 of a 16 A feeder, so that one of them waits when all have cars.
const CHARGERS: [ChargerRow; 8] = [
    ("CP-1", Protocol::Ocpp16, "garage-1", &[L1, L2, L3], 6, "Elva", "Trio 22"),
    ("CP-2", Protocol::Ocpp16, "garage-1", &[L2, L3, L1], 6, "Elva", "Trio 22"),
    ("CP-3", Protocol::Ocpp16, "garage-1", &[L1], 6, "Nordlade", "Home 7"),
    ("CP-4", Protocol::Ocpp16, "garage-1", &[L2], 6, "Nordlade", "Home 7"),
    ("CP-5", Protocol::Ocpp16, "garage-2", &[L1], 0, "Nordlade", "Home 7"),
    ("Charger-1", Protocol::Ievcc, "garage-2", &[L3, L1, L2], 0, "Meshwatt", "Virtual charger"),
    ("Charger-2", Protocol::Ievcc, "garage-2", &[L1], 0, "Meshwatt", "Virtual charger"),
    ("Charger-3", Protocol::Ievcc, "garage-2", &[L2], 0, "Meshwatt", "Virtual charger"),
];

/// Name, flat, cards.
const HOUSEHOLDS: [(&str, &str, &[&str]); 10] = [
    ("Ana Martins", "R/C Dto.", &["04A1B2C3", "04A1B2C4"]),
    ("Bruno Ferreira", "R/C Esq.", &["04D17E20"]),
    ("Carla Nunes", "1.º Dto.", &["2069C021"]),
    ("Diogo Almeida", "1.º Esq.", &["83F4110B", "83F4110C"]),
    ("Eva Lopes", "2.º Dto.", &["5C0E77A9"]),
    ("Francisco Reis", "2.º Esq.", &["B17A3D44"]),
    ("Graça Tavares", "3.º Dto.", &["E0042F6D"]),
    ("Hugo Pinto", "3.º Esq.", &["19C8AB52"]),
    ("Inês Carvalho", "4.º Dto.", &["7744D0EE"]),
    ("João Sousa", "4.º Esq.", &["A6502B18", "A6502B19"]),
];

/// The demo building: 41.4 kVA on three phases, a lift, twelve flats, a solar roof, eight chargers.
///
/// `created_at` is when its tenants and cards were entered.
///
/// # Errors
/// Never with the tables above, which a test draws.
pub fn building_plan(seed: u64, created_at: Timestamp) -> Result<BuildingPlan, PlanError> {
    let chargers = chargers()?;
    let hardware = chargers.iter().zip(CHARGERS).map(|(charger, row)| (charger.id.clone(), hardware(&row))).collect();
    let meters = meters()?;
    let mqtt = chargers.iter().filter(|charger| charger.protocol == Protocol::Ievcc).map(|charger| charger.id.as_str());
    let credentials = meters.iter().map(|meter| meter.id.as_str()).chain(mqtt).map(|id| credential(seed, id)).collect();
    let house = HouseBuild {
        seed,
        flats: 12,
        flat_percent: 40,
        lift: Lift::Present,
        solar_peak: Watts(15_000),
        latitude_deg: 38.72,
        longitude_deg: -9.14,
    };
    let households = households(created_at)?;
    Ok(BuildingPlan {
        seed,
        site: site(),
        circuits: circuits()?,
        meters,
        chargers,
        hardware,
        households,
        credentials,
        house,
    })
}

fn site() -> Site {
    Site {
        name: "Edifício Miradouro".to_owned(),
        time_zone: "Europe/Lisbon".to_owned(),
        currency: "EUR".to_owned(),
        nominal_voltage: MilliVolts(230_000),
        connection: Connection::LineNeutral,
        phases: PhaseCount::Three,
        contracted: VoltAmps(41_400),
        main_fuse: MilliAmps::from_amps(63),
        margin: MilliAmps::from_amps(2),
        min_charge: MilliAmps::from_amps(6),
        max_active_chargers: None,
        max_meters: 16,
        control_interval: DurationMs::from_secs(5),
        declared_load: MilliAmps::from_amps(40),
        meter_max_age: DurationMs::from_secs(20),
        pacing: Pacing::Careful,
        rules: SiteRules::default(),
    }
}

fn circuits() -> Result<Vec<Circuit>, PlanError> {
    let main = CircuitId::new("main")?;
    let circuit = |id: &str, name: &str, parent: Option<CircuitId>, amps: u16| {
        Ok::<_, PlanError>(Circuit {
            id: CircuitId::new(id)?,
            name: name.to_owned(),
            parent,
            limit: PerPhase::splat(MilliAmps::from_amps(amps)),
            rating: CircuitRating::default(),
        })
    };
    Ok(vec![
        circuit("main", "Main fuse", None, 63)?,
        circuit("garage-1", "Garage, level -1", Some(main.clone()), 50)?,
        circuit("garage-2", "Garage, level -2", Some(main), 16)?,
    ])
}

fn meters() -> Result<Vec<Meter>, PlanError> {
    let meter = |id: &str, name: &str, role: MeterRole| {
        Ok::<_, PlanError>(Meter {
            id: MeterId::new(id)?,
            name: name.to_owned(),
            approved: true,
            circuit: CircuitId::new("main")?,
            role,
        })
    };
    Ok(vec![
        meter("Counter-1", "Grid connection", MeterRole::Circuit)?,
        meter("Counter-2", "Solar roof", MeterRole::Solar)?,
    ])
}

fn chargers() -> Result<Vec<Charger>, PlanError> {
    let mut list = Vec::new();
    for (number, (id, protocol, circuit, wires, fallback, _, _)) in (1_u32..).zip(CHARGERS) {
        list.push(Charger {
            id: ChargerId::new(id)?,
            protocol,
            name: format!("Bay {number}"),
            registered: number,
            approved: true,
            priority: 0,
            max: MilliAmps::from_amps(32),
            fallback: MilliAmps::from_amps(fallback),
            circuit: CircuitId::new(circuit)?,
            wiring: Wiring::new(wires.to_vec())?,
            connectors: 1,
            policy: ChargerPolicy::default(),
        });
    }
    Ok(list)
}

fn hardware(row: &ChargerRow) -> HardwareInfo {
    HardwareInfo {
        vendor: row.5.to_owned(),
        model: row.6.to_owned(),
        firmware: "1.4.2".to_owned(),
        serial: format!("SN-{}", row.0),
    }
}

/// Nobody lives in the demo, so the pseudonym need not be a secret.
fn demo_key(number: i64) -> TenantKey {
    TenantKey(u128::from(number.unsigned_abs()))
}

fn households(created_at: Timestamp) -> Result<Vec<Household>, PlanError> {
    let mut list = Vec::new();
    let mut cards_made = 0;
    for (number, (name, unit, uids)) in (1_i64..).zip(HOUSEHOLDS) {
        let tenant = Tenant::new(TenantId(number), demo_key(number), name, unit, created_at);
        let mut cards = Vec::new();
        for uid in uids {
            cards_made += 1;
            cards.push(Card {
                id: CardId(cards_made),
                uid: CardUid::new(uid)?,
                tenant: tenant.id,
                status: CardStatus::Active,
                enrolled_at: created_at,
                policy: CardPolicy::default(),
                alias_of: None,
            });
        }
        list.push(Household { tenant, cards });
    }
    Ok(list)
}

/// The password a virtual device of this building uses; not secret, since the building is not real.
pub(crate) fn credential(seed: u64, device: &str) -> Credential {
    let stream = device.bytes().fold(stream::LINKS, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let number = Dice::new(seed, stream).any();
    Credential { device: device.to_owned(), password: format!("demo-{number:016x}") }
}

//! What the deciders begin with: what the last run left, or the initial site of a fresh folder.

use crate::access::{Access, Passwords};
use crate::books::{self, BooksError};
use crate::config::{Config, InitialSite};
use crate::credentials::{Hasher, Strength};
use crate::engine::Kept;
use crate::error::StartError;
use crate::foreign::ForeignMeters;
use crate::http::MANAGER_SECRET;
use crate::mqtt::DeviceCredentials;
use api::Language;
use central_system::{ChargerMachine, Version};
use control::Setup;
use domain::{
    ChargerId, Circuit, CircuitId, CircuitTree, DurationMs, Now, PerPhase, Protocol, Quantity, Record, Series, Session,
    SessionId, Site, Source, Timestamp,
};
use mesh::Mesh;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use store::{LoadedSetup, Reader, Writer};

/// An error of the store in the words of the start.
pub(crate) fn store_error(dir: &Path, error: store::StoreError) -> StartError {
    StartError::Store { path: dir.to_owned(), source: Box::new(error) }
}

/// What the last run left, or the initial site where there was none.
pub(crate) async fn load(
    config: &Config,
    writer: &Writer,
    reader: &Reader,
    credentials: &DeviceCredentials,
    now: Now,
) -> Result<(Setup, Kept), StartError> {
    let dir = config.data_dir.as_path();
    let loaded = reader.setup(now.wall).await.map_err(|error| store_error(dir, error))?;
    if loaded.site.is_some() {
        let kept = Kept::from_facts(&loaded.facts);
        let read_at = read_at(reader, &loaded.open_sessions, now).await.map_err(|error| store_error(dir, error))?;
        return Ok((Setup { read_at, ..setup_from(loaded, &config.initial) }, kept));
    }
    let initial = &config.initial;
    initial.site.check().map_err(|error| StartError::Site(Box::new(error)))?;
    let circuits = initial.circuits.clone().unwrap_or_else(|| default_circuits(&initial.site, Language::default()));
    let mut records = vec![Record::Site(initial.site.clone()), Record::Circuits(circuits.iter().cloned().collect())];
    records.extend(initial.meters.iter().cloned().map(Record::Meter));
    records.extend(initial.chargers.iter().cloned().map(Record::Charger));
    records.extend(initial.tenants.iter().cloned().map(Record::Tenant));
    records.extend(initial.cards.iter().cloned().map(Record::Card));
    writer.commit(records).await.map_err(|error| store_error(dir, error))?;
    if let Some(history) = initial.history.clone() {
        store::seed::seed_history(writer, history).await.map_err(|error| store_error(dir, error))?;
    }
    begin_books(initial, writer, now).await?;
    for (name, password) in &initial.mqtt_credentials {
        credentials.provision(name, password).await.map_err(|error| StartError::Site(error.into()))?;
    }
    let loaded = reader.setup(now.wall).await.map_err(|error| store_error(dir, error))?;
    Ok((setup_from(loaded, initial), Kept::default()))
}

/// The tariff and the letterhead a demonstration begins with. The tariff holds since the year before.
async fn begin_books(initial: &InitialSite, writer: &Writer, now: Now) -> Result<(), StartError> {
    let wrong = |error: BooksError| StartError::Site(Box::new(error));
    if let Some(key) = &initial.tariff {
        let zone = reports::Zone::new(&initial.site.time_zone).map_err(|error| wrong(BooksError::Zone(error)))?;
        let year_before = now.wall - DurationMs(365 * 86_400_000);
        let first = reports::Month::of(zone.date(year_before)).first();
        let versions = reports::template(key, first).map(|template| template.version).into_iter().collect();
        let tariff = reports::Tariff { versions, ..reports::Tariff::default() };
        books::tariff_set(writer, now.wall, &tariff).await.map_err(wrong)?;
    }
    if let Some(item) = &initial.letterhead {
        let document = books::letterhead_from(item).map_err(wrong)?;
        books::letterhead_set(writer, now.wall, &document).await.map_err(wrong)?;
    }
    Ok(())
}

/// When the register of each running session reached the value it was last seen at, to the minute.
async fn read_at(
    reader: &Reader,
    sessions: &[Session],
    now: Now,
) -> Result<Vec<(SessionId, Timestamp)>, store::StoreError> {
    let mut times = Vec::new();
    for session in sessions.iter().filter(|session| session.meter_last > session.meter_start) {
        let source = Source::Connector(session.charger.clone(), session.connector);
        let series = [Series { source, quantity: Quantity::Energy }];
        let kept = reader.reading_columns(&series, session.started_at, now.wall, DurationMs::from_secs(60)).await?;
        let last = i64::try_from(session.meter_last.0).unwrap_or(i64::MAX);
        let column = kept.values.first().into_iter().flatten();
        let reached = kept.at.iter().zip(column).find(|(_, value)| value.is_some_and(|value| value >= last));
        times.extend(reached.map(|(at, _)| (session.id, *at)));
    }
    Ok(times)
}

/// One circuit, the grid connection, as large as contract and fuse allow.
pub(crate) fn default_circuits(site: &Site, language: Language) -> CircuitTree {
    let id = grid_circuit();
    let limit = PerPhase::splat(site.grid_limit());
    let name = match language {
        Language::English => "Grid connection",
        Language::Portuguese => "Ligação à rede",
    };
    let name = name.to_owned();
    #[expect(clippy::expect_used, reason = "one circuit without a parent is a tree")]
    CircuitTree::new(vec![Circuit { id, name, parent: None, limit, rating: domain::CircuitRating::default() }])
        .expect("one circuit without a parent is a tree")
}

pub(crate) fn grid_circuit() -> CircuitId {
    #[expect(clippy::expect_used, reason = "a constant of four letters is an identity")]
    CircuitId::new("main").expect("a constant of four letters is an identity")
}

fn setup_from(loaded: LoadedSetup, initial: &InitialSite) -> Setup {
    let site = loaded.site.unwrap_or_else(|| initial.site.clone());
    let circuits = loaded.circuits.unwrap_or_else(|| default_circuits(&site, Language::default()));
    Setup {
        meters: loaded.meters,
        chargers: loaded.chargers,
        holds: loaded.holds,
        hardware: loaded.hardware,
        tenants: loaded.tenants,
        cards: loaded.cards,
        open_sessions: loaded.open_sessions,
        recent_sessions: loaded.recent_sessions,
        wishes: loaded.wishes,
        last_session: loaded.last_session,
        last_tenant: loaded.last_tenant_id,
        last_card: loaded.last_card_id,
        refused_cards: loaded.refused_cards,
        open_alarms: loaded.open_alarms,
        ..Setup::empty(site, circuits)
    }
}

/// The meters of other makers of the last run. A charger among them goes on with its register and its session.
pub(crate) fn foreign_from(setup: &Setup, kept: &Kept) -> ForeignMeters {
    ForeignMeters::from_facts(&kept.foreign, setup.site.nominal_voltage, |id| {
        let all = setup.recent_sessions.iter().chain(&setup.open_sessions);
        let register = all.filter(|session| session.charger.as_str() == id).map(|session| session.meter_last).max();
        (register, setup.open_sessions.iter().any(|session| session.charger.as_str() == id))
    })
}

/// The mesh with the devices and sessions of the last run.
pub(crate) fn mesh_from(setup: &Setup, now: Now) -> Mesh {
    let chargers: Vec<_> = setup.chargers.iter().filter(|charger| charger.protocol == Protocol::Ievcc).collect();
    let mut mesh = Mesh::new(mesh::MeshConfig {
        meters: setup
            .meters
            .iter()
            .map(|meter| mesh::KnownMeter { id: meter.id.clone(), approved: meter.approved })
            .collect(),
        chargers: chargers
            .iter()
            .map(|charger| mesh::KnownCharger {
                id: charger.id.clone(),
                meter: None,
                approved: charger.approved,
                fallback: charger.fallback,
                connectors: charger.connectors,
            })
            .collect(),
        max_meters: setup.site.max_meters,
        report_interval: setup.site.control_interval,
    });
    for charger in chargers {
        let sessions: Vec<_> = setup
            .open_sessions
            .iter()
            .filter(|session| session.charger == charger.id)
            .map(|session| mesh::KnownSession {
                connector: session.connector,
                session: session.id,
                tenant: session.tenant,
            })
            .collect();
        if !sessions.is_empty() {
            let input = mesh::Input::KnownSessions { charger: charger.id.clone(), sessions };
            drop(mesh.handle(now, input));
        }
    }
    mesh
}

/// A station for each OCPP charger of the last run, with its sessions.
pub(crate) fn stations_from(setup: &Setup, kept: &Kept, now: Now) -> BTreeMap<ChargerId, Box<dyn ChargerMachine>> {
    let offset = jiff::tz::TimeZone::get(&setup.site.time_zone)
        .ok()
        .zip(jiff::Timestamp::from_millisecond(now.wall.0).ok())
        .map(|(zone, at)| zone.to_offset(at).seconds());
    let mut stations = BTreeMap::new();
    let ocpp = setup.chargers.iter().filter_map(|it| Some((it, Version::of_protocol(it.protocol)?)));
    for (charger, version) in ocpp {
        let mut station = version.machine(central_system::StationConfig {
            approved: charger.approved,
            fallback: charger.fallback,
            phases: u8::try_from(charger.wiring.wires().len()).unwrap_or(3),
            connectors: charger.connectors,
            voltage_v: u16::try_from(setup.site.nominal_voltage.0 / 1000).unwrap_or(230),
            site_offset_s: offset,
            settings: kept.settings.get(&charger.id).cloned().unwrap_or_default(),
            hardware: setup.hardware.iter().find(|(id, _)| *id == charger.id).map(|(_, info)| info.clone()),
            memory: kept.memories.get(&charger.id).cloned().unwrap_or_default(),
            ..central_system::StationConfig::new(charger.id.clone())
        });
        let sessions: Vec<_> = setup
            .open_sessions
            .iter()
            .filter(|session| session.charger == charger.id)
            .map(|session| (session.connector, session.id, session.started_at))
            .collect();
        if !sessions.is_empty() {
            drop(station.handle(now, central_system::Input::KnownSessions(sessions)));
        }
        stations.insert(charger.id.clone(), station);
    }
    stations
}

/// The hash of the manager's password, if there is one by now.
pub(crate) async fn manager_password(
    config: &Config,
    writer: &Writer,
    reader: &Reader,
    hasher: &Hasher,
) -> Result<Option<String>, StartError> {
    let dir = config.data_dir.as_path();
    let known = reader.secret_get(MANAGER_SECRET).await.map_err(|error| store_error(dir, error))?;
    let (None, Some(password)) = (&known, &config.manager_password) else {
        return Ok(known);
    };
    let strength = Strength::Person;
    let hash = hasher.hash(strength, password.as_bytes().to_vec()).await.map_err(|_failed| StartError::Random)?;
    writer.secret_set(MANAGER_SECRET, &hash).await.map_err(|error| store_error(dir, error))?;
    Ok(Some(hash))
}

/// Chargers the manager let in.
pub(crate) fn approved_chargers(loaded: &Setup) -> BTreeSet<ChargerId> {
    loaded.chargers.iter().filter(|charger| charger.approved).map(|charger| charger.id.clone()).collect()
}

/// Who must bring which proof, as the last run left it.
pub(crate) async fn access(
    config: &Config,
    reader: &Reader,
    writer: &Writer,
    hasher: Hasher,
    approved: BTreeSet<ChargerId>,
) -> Result<Access, StartError> {
    let passwords =
        Passwords::new(reader.clone(), writer.clone(), hasher).map_err(|_unavailable| StartError::Random)?;
    let opened = Access::open(reader, writer.clone(), passwords, approved).await;
    opened.map_err(|error| store_error(&config.data_dir, error))
}

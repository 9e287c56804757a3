//! Prepared buildings and a prepared server, for tests and measurements. Not part of the page.

pub mod books;
mod connect;
pub mod keeping;
mod power;
mod server;

#[cfg(test)]
use crate::history::{Quantity, Track};
use api::{
    AlarmCode, AlarmItem, AlarmText, Bottleneck, BottleneckKind, Capability, CardItem, CardListItem, ChargerDetail,
    ChargerItem, ConfigurationItem, ConnectionItem, ConnectorItem, DecisionItem, DemoCar, DemoCharger, DemoMeter,
    DemoProtocol, DemoSnapshot, EnrolmentState, FrameItem, HeldProfile, Language, MeterItem, OfflineReason,
    ReadingColumns, Reason, RefusedCardItem, SessionItem, SiteItem, SiteLive, Snapshot, TenantForm, TenantItem,
    TimelineItem, TransferItem, ValueItem,
};
use domain::{Connection, ConnectorStatus, EndReason, MeterRole, Pacing, PhaseCount, Protocol, Provenance};

pub use self::server::Server;

/// The moment the prepared buildings live in: 2026-11-20 18:30 UTC.
pub const NOW_MS: i64 = 1_795_199_400_000;

fn at(ms: i64) -> String {
    crate::time::rfc3339(ms)
}

/// A charger that charges with 8 A on three phases.
#[must_use]
pub fn charger(id: &str) -> ChargerItem {
    ChargerItem {
        id: id.to_owned(),
        name: format!("Garage {id}"),
        protocol: Protocol::Ocpp16,
        online: true,
        approved: true,
        priority: 0,
        max_a: 32.0,
        fallback_a: 6.0,
        circuit: "main".to_owned(),
        phases: vec![1, 2, 3],
        owner_tenant_id: None,
        paused: false,
        policy: api::ChargerPolicyItem::default(),
        manager_limit_a: None,
        hardware: "Elinta CityCharge Mini".to_owned(),
        firmware: "1.4.2".to_owned(),
        connectors: vec![ConnectorItem {
            id: 1,
            status: ConnectorStatus::Charging,
            set_a: 8.0,
            measured_a: vec![7.9, 8.0, 7.8],
            power_kw: 5.4,
            session_id: Some(7),
            tenant: Some("Ana Martins".to_owned()),
            card: Some("04A1B2C3".to_owned()),
            session_energy_wh: 6_420,
            session_started_at: Some(at(NOW_MS - 4_300_000)),
            reason: "8 A: shared equally by three cars; main fuse 60 A".to_owned(),
            why: shared(8.0),
            wish: None,
            error: String::new(),
        }],
    }
}

fn shared(set_a: f64) -> Reason {
    let limit =
        Bottleneck { circuit: "main".to_owned(), kind: BottleneckKind::MainFuse, limit_a: 60.0, phase: Some(1) };
    Reason::Shared { set_a, cars: 3, bottleneck: Some(limit), extra_amp: false }
}

/// Eight chargers in all states, a house, a solar roof, an alarm, a device that waits.
#[must_use]
pub fn snapshot() -> Snapshot {
    let mut chargers: Vec<ChargerItem> =
        ["CP-01", "CP-02", "CP-03", "CP-04", "CP-05", "EV-1", "EV-2", "EV-3"].into_iter().map(charger).collect();
    let names = [
        "Lugar 1 · Ana",
        "Lugar 2 · Bruno",
        "Lugar 3 · Carla",
        "Lugar 4",
        "Lugar 5",
        "Visitas 1",
        "Visitas 2",
        "Cave -2",
    ];
    let tenants = ["Ana Martins", "Bruno Sousa", "Carla Nunes", "Duarte Reis"];
    for (index, charger) in chargers.iter_mut().enumerate() {
        charger.name = names.get(index).copied().unwrap_or("Lugar").to_owned();
        let Some(connector) = charger.connectors.first_mut() else { continue };
        connector.tenant = tenants.get(index).map(|tenant| (*tenant).to_owned());
        connector.set_a = 8.0 + f64::from(u8::try_from(index % 3).unwrap_or(0)) * 2.0;
        connector.why = shared(connector.set_a);
        if index >= 3 {
            *connector = ConnectorItem { id: 1, status: ConnectorStatus::Available, ..ConnectorItem::default() };
        }
        if index >= 5 {
            charger.protocol = Protocol::Ievcc;
        }
    }
    if let [_, _, _, waiting, paused, offline, ..] = chargers.as_mut_slice() {
        for connector in &mut waiting.connectors {
            connector.status = ConnectorStatus::SuspendedEvse;
            connector.session_id = Some(9);
            connector.tenant = Some("Duarte Reis".to_owned());
            connector.why = Reason::Waiting { min_a: 6.0, place: 1, bottleneck: None };
        }
        paused.paused = true;
        for connector in &mut paused.connectors {
            connector.why = Reason::Paused;
        }
        offline.online = false;
        for connector in &mut offline.connectors {
            connector.why = Reason::Offline { fallback_a: 6.0 };
        }
    }
    Snapshot {
        revision: 1,
        at: at(NOW_MS),
        at_ms: NOW_MS,
        site: site_live(),
        chargers,
        meters: meters(),
        circuits: power::circuits(),
        alarms: vec![alarm(AlarmCode::ChargerOffline, "Visitas 1")],
        waiting_devices: vec![connection("CP-09", "charger", "waiting")],
        refused_connections: connect::refused(),
        enrolment: None,
        refused_cards: vec![refused("04D1E2F3", "unknown"), refused("04FFEE11", "blocked")],
        demo: true,
    }
}

fn site_live() -> SiteLive {
    SiteLive {
        name: "Edifício Alameda".to_owned(),
        limit_a: 60.0,
        margin_a: 2.0,
        house_a: vec![17.4, 14.2, 15.9],
        total_a: vec![43.1, 40.0, 41.8],
        house_kw: 10.9,
        total_kw: 28.7,
        solar_kw: Some(1.2),
        battery_kw: Some(-0.8),
        forecast: Some(power::forecast()),
        limit_kw: 41.4,
        margin_kw: 1.4,
        headroom_a: 14.9,
        cars_charging: 3,
        cars_waiting: 1,
        metered: true,
    }
}

fn meters() -> Vec<MeterItem> {
    let meter = |id: &str, name: &str, role, power_kw| MeterItem {
        id: id.to_owned(),
        name: name.to_owned(),
        approved: true,
        online: true,
        circuit: "main".to_owned(),
        role,
        current_a: vec![43.1, 40.0, 41.8],
        power_kw: Some(power_kw),
        sampled_at: Some(at(NOW_MS)),
    };
    vec![
        meter("Counter-1", "Contador geral", MeterRole::Circuit, 28.7),
        meter("Counter-2", "Telhado", MeterRole::Solar, -1.2),
    ]
}

fn alarm(code: AlarmCode, subject: &str) -> AlarmItem {
    let text = AlarmText { code, subject: subject.to_owned() };
    let sentence = text.sentence(Language::English);
    AlarmItem { text, sentence, raised_at: at(NOW_MS - 1_500_000), cleared_at: None }
}

fn connection(device: &str, kind: &str, state: &str) -> ConnectionItem {
    ConnectionItem {
        device: device.to_owned(),
        kind: kind.to_owned(),
        protocol: "ocpp1.6".to_owned(),
        address: "192.168.1.57".to_owned(),
        at: at(NOW_MS - 40_000),
        state: state.to_owned(),
        detail: String::new(),
        refusal: None,
        about: String::new(),
        attempts: 1,
    }
}

fn refused(uid: &str, why: &str) -> RefusedCardItem {
    RefusedCardItem {
        uid: uid.to_owned(),
        charger: "CP-04".to_owned(),
        at: at(NOW_MS - 600_000),
        why: why.to_owned(),
        resembles: None,
    }
}

/// A building where nothing was added yet.
#[must_use]
pub fn empty_snapshot() -> Snapshot {
    let site = SiteLive {
        name: "Rua da Alegria 12".to_owned(),
        limit_a: 30.0,
        limit_kw: 6.9,
        total_a: vec![0.0],
        house_a: vec![0.0],
        ..SiteLive::default()
    };
    Snapshot { revision: 1, at: at(NOW_MS), at_ms: NOW_MS, site, ..Snapshot::default() }
}

/// Forty chargers, names of 200 letters, many alarms, export, over the limit.
#[must_use]
pub fn hostile_snapshot() -> Snapshot {
    let mut snapshot = snapshot();
    let long = "Condomínio Residencial Jardins da Quinta Nova do Outeiro ".repeat(4);
    snapshot.site.name = long.clone();
    snapshot.site.house_kw = -12.4;
    snapshot.site.total_kw = 1_234.5;
    snapshot.site.headroom_a = -7.5;
    snapshot.chargers = (0..40)
        .map(|index| {
            let mut charger = charger(&format!("CP-{index:02}"));
            charger.name = if index % 3 == 0 { long.clone() } else { format!("Lugar {index}") };
            for connector in &mut charger.connectors {
                connector.tenant = Some(long.clone());
                connector.error = "GroundFailure".to_owned();
            }
            charger
        })
        .collect();
    snapshot.alarms = (0..30).map(|_| alarm(AlarmCode::ChargerDisobeys, &long)).collect();
    snapshot.waiting_devices = (0..5).map(|_| connection(&long, "meter", "waiting")).collect();
    for (index, device) in snapshot.waiting_devices.iter_mut().enumerate() {
        device.device = format!("{index} {}", device.device);
    }
    snapshot
}

/// `rows` values, 5 s apart, of the house and the chargers of [`snapshot`], ending now.
#[cfg(test)]
pub(crate) fn track(rows: usize) -> Track {
    let ids = snapshot().chargers.into_iter().map(|charger| charger.id).collect::<Vec<_>>();
    let mut track = Track::default();
    track.merge(Quantity::Power, &columns(&ids, rows, 1000), 0);
    track
}

/// Readings of the past in the shape of `GET readings`: a wave for the house, blocks for the chargers.
#[must_use]
pub fn columns(chargers: &[String], rows: usize, scale: i64) -> ReadingColumns {
    let count = i64::try_from(rows).unwrap_or(0);
    let at_ms: Vec<i64> = (0..count).map(|row| NOW_MS - (count - 1 - row) * 5000).collect();
    let wave = |ms: i64| {
        // A day's shape without floats: a triangle over the day and a ripple over minutes.
        let minute = ms / 60_000 % 1440;
        let day = 720 - (minute - 720).abs();
        let ripple = (ms / 5000 * 7919 % 101) * 6;
        (2000 + day * 9 + ripple) * scale / 1000
    };
    let mut series = vec!["house/power_w".to_owned()];
    let mut values = vec![at_ms.iter().map(|ms| Some(wave(*ms))).collect::<Vec<_>>()];
    for (index, id) in chargers.iter().enumerate() {
        let shift = i64::try_from(index).unwrap_or(0) * 23;
        series.push(format!("charger/{id}/1/power_w"));
        let block = |ms: i64| {
            let phase = (ms / 60_000 + shift) % 97;
            let power = 1400 * (1 + (phase + shift) % 4) + ms / 5000 * 31 % 60;
            Some(if phase < 58 { power * scale / 1000 } else { 0 })
        };
        values.push(at_ms.iter().map(|ms| block(*ms)).collect());
    }
    ReadingColumns { series, at_ms, values }
}

/// Settings of the prepared building.
#[must_use]
pub fn site() -> SiteItem {
    SiteItem {
        name: "Edifício Alameda".to_owned(),
        time_zone: "Europe/Lisbon".to_owned(),
        currency: "EUR".to_owned(),
        nominal_voltage_v: 230.0,
        connection: Connection::LineNeutral,
        phases: PhaseCount::Three.into(),
        contracted_kva: 41.4,
        main_fuse_a: 63.0,
        margin_a: 2.0,
        min_charge_a: 6.0,
        max_active_chargers: None,
        max_meters: 16,
        control_interval_s: 5.0,
        declared_load_a: 30.0,
        meter_max_age_s: 30.0,
        pacing: Pacing::Careful,
        rules: power::rules(),
    }
}

/// An enrolment that waits for a card at any charger.
#[must_use]
pub fn enrolment(remaining_s: u32) -> EnrolmentState {
    EnrolmentState {
        tenant_id: None,
        charger: None,
        remaining_s,
        captured_uid: None,
        captured_at_charger: None,
        bound: false,
        resembles: None,
    }
}

/// Two tenants with cards and one without.
#[must_use]
pub fn tenants() -> Vec<TenantItem> {
    let card = |id: i64, uid: &str, tenant_id: i64, blocked| CardItem {
        id,
        uid: uid.to_owned(),
        tenant_id,
        blocked,
        enrolled_at: at(NOW_MS - 30 * crate::time::DAY_MS),
        policy: api::CardPolicyItem::default(),
        alias_of: None,
    };
    let tenant = |id: i64, name: &str, unit: &str, cards: Vec<CardItem>| TenantItem {
        id,
        form: TenantForm::named(name, unit),
        cards,
        created_at: at(NOW_MS - 60 * crate::time::DAY_MS),
        ..TenantItem::default()
    };
    vec![
        tenant(1, "Ana Martins", "1.º Esq.", vec![card(1, "04A1B2C3", 1, false), card(2, "04A1B2C4", 1, true)]),
        tenant(2, "Bruno Sousa", "2.º Dto.", vec![card(3, "04B1B2C3D4E5F6", 2, false)]),
        tenant(3, "Carla Nunes", "R/C", Vec::new()),
    ]
}

/// Sessions, newest first; the first one runs.
#[must_use]
pub fn sessions(count: i32) -> Vec<SessionItem> {
    let people = ["Ana Martins", "Bruno Sousa", "Carla Nunes"];
    (0..count)
        .map(|index| {
            let start = NOW_MS - 5_000_000 - i64::from(index) * 9 * crate::time::HOUR_MS;
            let tenant = usize::try_from(index % 4).unwrap_or(0);
            SessionItem {
                id: count - index,
                charger: format!("CP-0{}", index % 5 + 1),
                connector: 1,
                card: Some("04A1B2C3".to_owned()),
                tenant_id: people.get(tenant).map(|_| i64::from(index % 4) + 1),
                tenant: people.get(tenant).map(|name| (*name).to_owned()),
                started_at: at(start),
                ended_at: (index > 0).then(|| at(start + 7_800_000 + i64::from(index) * 60_000)),
                energy_wh: 6_420 + u64::try_from(index).unwrap_or(0) * 1_137,
                provenance: if index == 3 { Provenance::Estimated } else { Provenance::Measured },
                end_reason: (index > 0).then_some(EndReason::Card),
            }
        })
        .collect()
}

/// The virtual building of the demo panel.
#[must_use]
pub fn demo() -> DemoSnapshot {
    let chargers = snapshot().chargers.into_iter().enumerate().map(|(index, charger)| DemoCharger {
        id: charger.id,
        protocol: if index < 5 { DemoProtocol::Ocpp } else { DemoProtocol::Ievcc },
        linked: index != 5,
        car: (index < 4).then_some(DemoCar { wants_kwh: 14.2, draws_a: 8.0 }),
    });
    DemoSnapshot {
        chargers: chargers.collect(),
        meters: vec![
            DemoMeter { id: "Counter-1".to_owned(), linked: true },
            DemoMeter { id: "Counter-2".to_owned(), linked: false },
        ],
        ..DemoSnapshot::default()
    }
}

fn decisions(charger: &str) -> Vec<DecisionItem> {
    (0..40)
        .map(|index| DecisionItem {
            at: at(NOW_MS - index * 97_000),
            charger: charger.to_owned(),
            connector: 1,
            set_a: 8.0,
            sentence: "8 A: shared equally by three cars; main fuse L1 60 A".to_owned(),
            reason: Some(shared(8.0)),
            known: (index % 2 == 0).then(power::known),
        })
        .collect()
}

/// A charger in detail.
#[must_use]
pub fn charger_detail() -> ChargerDetail {
    let value = |measurand: &str, phase: &str, value: &str, unit: &str| ValueItem {
        connector: 1,
        measurand: measurand.to_owned(),
        phase: phase.to_owned(),
        location: String::new(),
        value: value.to_owned(),
        unit: unit.to_owned(),
        context: "Sample.Periodic".to_owned(),
        at: at(NOW_MS - 4000),
    };
    let key = |key: &str, value: &str, wanted: Option<&str>| ConfigurationItem {
        key: key.to_owned(),
        value: Some(value.to_owned()),
        readonly: wanted.is_none(),
        wanted: wanted.map(str::to_owned),
        drift: wanted.is_some_and(|wanted| wanted != value),
    };
    ChargerDetail {
        vendor: "Volta".to_owned(),
        model: "One".to_owned(),
        firmware: "1.4.2".to_owned(),
        serial: "V1-00017".to_owned(),
        connections_last_hour: 1,
        capabilities: ["Core", "SmartCharging", "Reservation"]
            .map(|name| Capability { name: name.to_owned(), supported: (name != "Reservation").then_some(true) })
            .into(),
        works_offline: false,
        offline_reasons: vec![OfflineReason::ListNotVerified, OfflineReason::FallbackZero],
        cards: CardListItem { state: "sending".to_owned(), version: Some(4), wanted: 12, held: 8, max: Some(100) },
        configuration: vec![
            key("HeartbeatInterval", "300", Some("300")),
            key("MeterValueSampleInterval", "60", Some("10")),
            key("NumberOfConnectors", "1", None),
        ],
        profiles: vec![HeldProfile { purpose: "session".to_owned(), connector: 1, session_id: Some(7), limit_a: 8.0 }],
        profile_way: "TxProfile, Absolute, stack level 0, A".to_owned(),
        values: vec![
            value("Voltage", "L1", "231.2", "V"),
            value("Current.Import", "L1", "7.9", "A"),
            value("SoC", "", "61", "Percent"),
        ],
        transfers: vec![TransferItem {
            kind: "firmware".to_owned(),
            status: "Downloading".to_owned(),
            request_id: None,
            at: at(NOW_MS - 60_000),
        }],
        ..ChargerDetail::default()
    }
}

fn timeline() -> Vec<TimelineItem> {
    let item = |connector: u16, from_h: i64, to_h: i64, status: Option<ConnectorStatus>| TimelineItem {
        connector,
        from_ms: NOW_MS - from_h * 3_600_000,
        to_ms: NOW_MS - to_h * 3_600_000,
        state: if status.is_none() { "online".to_owned() } else { "status".to_owned() },
        status,
        error: String::new(),
    };
    vec![
        item(0, 24, 0, None),
        item(1, 24, 9, Some(ConnectorStatus::Available)),
        item(1, 9, 3, Some(ConnectorStatus::Charging)),
        item(1, 3, 0, Some(ConnectorStatus::Faulted)),
    ]
}

fn frames() -> Vec<FrameItem> {
    (0..60)
        .map(|index| FrameItem {
            at: at(NOW_MS - index * 10_000),
            direction: if index % 2 == 0 { "received" } else { "sent" }.to_owned(),
            topic: String::new(),
            text: r#"[2,"1743","MeterValues",{"connectorId":1,"transactionId":7,"meterValue":[{"timestamp":"2026-11-20T18:29:50Z"}]}]"#.to_owned(),
        })
        .collect()
}

//! Records for the tests of this crate.

use domain::*;
use store::{Options, Reader, Store, Writer};

pub(crate) async fn open(dir: &std::path::Path) -> (Writer, Reader) {
    Store::open(dir, Options::default()).await.expect("the directory is empty or ours")
}

pub(crate) fn charger_id(text: &str) -> ChargerId {
    ChargerId::new(text).unwrap()
}

fn night() -> TimeWindow {
    TimeWindow { days: vec![Weekday::Fri, Weekday::Sat], from_minute: 1320, to_minute: 480 }
}

pub(crate) fn site() -> Site {
    Site {
        name: "Rua do Sol 7".to_owned(),
        time_zone: "Europe/Lisbon".to_owned(),
        currency: "EUR".to_owned(),
        nominal_voltage: MilliVolts(230_000),
        connection: Connection::LineNeutral,
        phases: PhaseCount::Three,
        contracted: VoltAmps(41_400),
        main_fuse: MilliAmps::from_amps(63),
        margin: MilliAmps::from_amps(2),
        min_charge: MilliAmps::from_amps(6),
        max_active_chargers: Some(8),
        max_meters: 4,
        control_interval: DurationMs::from_secs(5),
        declared_load: MilliAmps::from_amps(30),
        meter_max_age: DurationMs::from_secs(20),
        pacing: Pacing::Careful,
        rules: SiteRules {
            contract_periods: vec![ContractPeriod { window: night(), contracted: VoltAmps(34_500) }],
            imbalance: Some(MilliAmps::from_amps(18)),
            sharing: SharingRule::ByDeparture,
            off_peak: vec![night()],
            stand_alone: Some(MilliAmps::from_amps(2)),
            feed: Some("https://prices.example/today".to_owned()),
        },
    }
}

pub(crate) fn circuits() -> Vec<Circuit> {
    let circuit = |id: &str, parent: Option<&str>| Circuit {
        id: CircuitId::new(id).unwrap(),
        name: id.to_uppercase(),
        parent: parent.map(|id| CircuitId::new(id).unwrap()),
        limit: PerPhase::splat(MilliAmps::from_amps(40)),
        rating: CircuitRating {
            rated: Some(PerPhase::splat(MilliAmps::from_amps(40))),
            cable: Some(MilliAmps::from_amps(46)),
            device: Some(ProtectionDevice::Breaker { curve: BreakerCurve::C, rated: MilliAmps::from_amps(40) }),
        },
    };
    vec![circuit("garage", Some("main")), circuit("main", None)]
}

pub(crate) fn charger(id: &str, registered: u32) -> Charger {
    Charger {
        id: charger_id(id),
        protocol: Protocol::Ievcc,
        name: format!("Place {registered}"),
        registered,
        approved: true,
        priority: -3,
        max: MilliAmps::from_amps(32),
        fallback: MilliAmps::from_amps(6),
        circuit: CircuitId::new("garage").unwrap(),
        wiring: Wiring::new(vec![Phase::L2, Phase::L3, Phase::L1]).unwrap(),
        connectors: 2,
        policy: ChargerPolicy {
            pausing: Pausing::Never,
            guaranteed: Some(MilliAmps::from_amps(8)),
            times: ChargingTimes::Windows(vec![night()]),
            source: EnergySource::SolarFirst,
            fixed: Some(MilliAmps::from_amps(10)),
            rotation: Rotation::Unknown,
            owner: Some(TenantId(1)),
        },
    }
}

pub(crate) fn meter(id: &str) -> Meter {
    Meter {
        id: MeterId::new(id).unwrap(),
        name: "Main meter".to_owned(),
        approved: false,
        circuit: CircuitId::new("main").unwrap(),
        role: MeterRole::House,
    }
}

pub(crate) fn tenant(id: i64) -> Tenant {
    let key = TenantKey(u128::from(id.unsigned_abs()));
    Tenant::new(TenantId(id), key, format!("Tenant {id}"), "2.º Esq.", Timestamp(1))
}

pub(crate) fn card(id: i64, uid: &str, tenant: i64) -> Card {
    Card {
        id: CardId(id),
        uid: CardUid::new(uid).unwrap(),
        tenant: TenantId(tenant),
        status: CardStatus::Active,
        enrolled_at: Timestamp(2),
        policy: CardPolicy {
            max: Some(MilliAmps::from_amps(16)),
            priority: Some(-2),
            pausing: Pausing::Never,
            sleeps: true,
        },
        alias_of: None,
    }
}

/// A correction of a session's energy.
pub(crate) fn change(session: i32, at: i64, before_wh: u64, after_wh: u64) -> SessionChange {
    let figures = |energy, provenance| SessionFigures {
        tenant: Some(TenantId(1)),
        started_at: Timestamp(10),
        ended_at: Some(Timestamp(20)),
        energy: WattHours(energy),
        provenance,
    };
    SessionChange {
        session: SessionId(session),
        at: Timestamp(at),
        reason: "The register jumped".to_owned(),
        before: figures(before_wh, Provenance::Measured),
        after: figures(after_wh, Provenance::Corrected),
    }
}

pub(crate) fn wish() -> Wish {
    Wish { energy: WattHours(20_000), by: Timestamp(500) }
}

pub(crate) fn session(id: i32, start_ms: i64) -> Session {
    Session {
        id: SessionId(id),
        charger: charger_id("C1"),
        connector: ConnectorNumber(1),
        card: Some(CardUid::new("04A1B2C3").unwrap()),
        tenant: Some(TenantId(1)),
        started_at: Timestamp(start_ms),
        ended_at: None,
        meter_start: WattHours(1000),
        meter_last: WattHours(1500),
        energy: WattHours(500),
        provenance: Provenance::Measured,
        end_reason: None,
    }
}

pub(crate) fn ended(id: i32, start_ms: i64, end_ms: i64) -> Session {
    Session { ended_at: Some(Timestamp(end_ms)), end_reason: Some(EndReason::Card), ..session(id, start_ms) }
}

pub(crate) fn frame(device: &str, at_ms: i64, text: &str) -> Frame {
    Frame {
        device: device.to_owned(),
        direction: Direction::Received,
        at: Timestamp(at_ms),
        topic: String::new(),
        text: text.to_owned(),
    }
}

pub(crate) fn series(text: &str) -> Series {
    text.parse().unwrap()
}

pub(crate) fn reading(name: &str, at_ms: i64, value: i64) -> Reading {
    Reading { series: series(name), at: Timestamp(at_ms), value }
}

pub(crate) fn alarm(kind: AlarmKind, raised_ms: i64, cleared_ms: Option<i64>) -> Alarm {
    Alarm { kind, raised_at: Timestamp(raised_ms), cleared_at: cleared_ms.map(Timestamp) }
}

/// One of every kind of record.
#[expect(clippy::too_many_lines, reason = "a table with one of each")]
pub(crate) fn one_of_each() -> Vec<Record> {
    let uid = CardUid::new("04A1B2C3").unwrap();
    vec![
        Record::Site(site()),
        Record::Circuits(circuits()),
        Record::Meter(meter("Counter-1")),
        Record::Charger(charger("C1", 2)),
        Record::Charger(charger("C0", 3)),
        Record::Hardware(
            charger_id("C1"),
            HardwareInfo {
                vendor: "Maker".to_owned(),
                model: "M1".to_owned(),
                firmware: "1.2".to_owned(),
                serial: "77".to_owned(),
            },
        ),
        Record::Hold(charger_id("C1"), Some(Hold::LimitedTo(MilliAmps::from_amps(10)))),
        Record::Hold(charger_id("C0"), Some(Hold::Paused)),
        Record::Tenant(tenant(1)),
        Record::Card(card(1, "04A1B2C3", 1)),
        Record::CardRefused(RefusedCard {
            uid: uid.clone(),
            charger: charger_id("C1"),
            at: Timestamp(50),
            verdict: CardVerdict::InUse,
        }),
        Record::Session(ended(1, 10, 20)),
        Record::Session(session(2, 30)),
        Record::Wish(SessionId(2), Some(wish())),
        Record::OrphanStop(OrphanStop {
            charger: charger_id("C1"),
            request: StopRequest {
                session: SessionRef::Unknown,
                card: Some(uid),
                at: Timestamp(40),
                meter: WattHours(9),
                reason: StopReason::PowerLoss,
                provenance: Provenance::ReceivedLate,
            },
        }),
        Record::OrphanDecided(OrphanDecision {
            orphan: 1,
            at: Timestamp(45),
            fate: OrphanFate::Assigned(SessionId(1)),
            reason: "It was Ana".to_owned(),
        }),
        Record::SessionChanged(change(1, 46, 700, 650)),
        Record::Readings(vec![reading("house/power_w", 1000, -5), reading("charger/C1/1/set_ma", 1000, 6000)]),
        Record::Decision(Decision {
            charger: charger_id("C1"),
            connector: ConnectorNumber(1),
            at: Timestamp(60),
            limit: MilliAmps::from_amps(8),
            sentence: "Shared equally by three cars".to_owned(),
            reason: Some(r#"{"code":"idle"}"#.to_owned()),
            known: Some(Known { margin: MilliAmps(2_000), ..Known::default() }),
        }),
        Record::Alarm(alarm(AlarmKind::ChargerOffline(charger_id("C1")), 70, None)),
        Record::Alarm(alarm(AlarmKind::PlanRejected, 71, Some(72))),
        Record::ChargerSecurity(ChargerSecurity {
            charger: charger_id("C1"),
            target: Some(SecurityProfile::TlsCertificate),
            enforced: SecurityProfile::Basic,
        }),
        Record::Certificate(IssuedCertificate {
            serial: "40ab".to_owned(),
            charger: charger_id("C1"),
            pem: "-----BEGIN".to_owned(),
            issued_at: Timestamp(1),
            expires_at: Timestamp(2),
            revoked_at: Some(Timestamp(3)),
        }),
        Record::File(StoredFile {
            id: "f1".to_owned(),
            kind: FileKind::Upload,
            charger: Some(charger_id("C1")),
            name: "log.zip".to_owned(),
            bytes: Some(7),
            sha256: "00".to_owned(),
            at: Timestamp(4),
        }),
        Record::Frame(frame("C1", 80, r#"[2,"1","Heartbeat",{}]"#)),
        Record::StatusChange(StatusChange {
            charger: charger_id("C1"),
            connector: Some(ConnectorNumber(1)),
            at: Timestamp(81),
            state: ReportedState::Status(ConnectorStatus::Charging),
            error: String::new(),
        }),
        Record::Fact(Fact {
            subject: "charger/C1".to_owned(),
            name: "memory".to_owned(),
            value: Some("{}".to_owned()),
        }),
    ]
}

/// Everything a reader can tell, to compare.
pub(crate) async fn everything(reader: &Reader) -> String {
    let page = store::Page::first(1000);
    let readings = reader
        .reading_columns(&reader.series_list().await.unwrap(), Timestamp(0), Timestamp(5000), DurationMs(1000))
        .await
        .unwrap();
    format!(
        "{:#?}",
        (
            reader.setup(Timestamp(100)).await.unwrap(),
            reader.session_list(&store::SessionFilter::default(), &page).await.unwrap(),
            reader.orphan_stop_list(store::OrphanFilter::All, &page).await.unwrap(),
            reader.session_change_list(SessionId(1)).await.unwrap(),
            reader.decision_list(None, &page).await.unwrap(),
            reader.alarm_list(store::AlarmFilter::All, &page).await.unwrap(),
            reader.refused_card_list(&page).await.unwrap(),
            reader.frame_list(None, &page).await.unwrap(),
            reader.status_change_list(&charger_id("C1"), Timestamp(0), Timestamp(100)).await.unwrap(),
            readings,
        )
    )
}

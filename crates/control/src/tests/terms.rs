//! What tenants' terms do: validity, caps, own chargers, maximum power, priority, and corrected sessions.

use super::{Building, ONE, WALL, amps, charger_id, site, uid};
use crate::{Correction, Input, Made, Order, OrderError, Output, Reason};
use domain::{
    CardUid, CardVerdict, ChargerEvent, MeterRole, OwnChargerUse, Pacing, Provenance, Record, Session, StartRequest,
    Tenant, TenantId, TenantStatus, TenantTerms, Timestamp, WattHours, Watts,
};

fn building(n: u32) -> Building {
    let mut b = Building::new(site(Pacing::Careful), n, MeterRole::House);
    let (starts, ends) = (Timestamp(WALL - 1_000_000), Timestamp(WALL + 1_000_000_000));
    b.input(Input::Month { starts, ends });
    b
}

fn tenant(b: &Building, n: i64) -> Tenant {
    b.control.snapshot(b.now()).tenants.into_iter().find(|tenant| tenant.id == TenantId(n)).unwrap()
}

fn with_terms(b: &mut Building, n: i64, terms: TenantTerms) {
    let tenant = Tenant { terms, ..tenant(b, n) };
    b.order(Order::SetTenant(Box::new(tenant))).unwrap();
}

fn tap(b: &mut Building, n: u32, card: CardUid) -> CardVerdict {
    let reply = b.reply();
    let out = b.event(n, ChargerEvent::CardTapped { reply, connector: None, card });
    let verdict = |o: &Output| if let Output::CardAnswer { verdict, .. } = o { Some(*verdict) } else { None };
    out.iter().find_map(verdict).unwrap()
}

fn session(out: &[Output]) -> Session {
    let saved = |o: &Output| if let Output::Save(Record::Session(session)) = o { Some(session.clone()) } else { None };
    out.iter().rev().find_map(saved).unwrap()
}

const OWN: CardVerdict = CardVerdict::Accepted { tenant: TenantId(1) };

/// A card charges from the first moment of its validity to the last, and not when its tenant has moved out.
#[test]
fn validity_is_kept_to_the_moment() {
    for (from, until, verdict) in [
        (Some(0), Some(1), OWN),
        (Some(1), None, CardVerdict::NotValid),
        (None, Some(0), CardVerdict::NotValid),
        (Some(0), None, OWN),
    ] {
        let mut b = building(1);
        let at = |offset: i64| Timestamp(WALL + offset);
        let terms = TenantTerms { valid_from: from.map(at), valid_until: until.map(at), ..TenantTerms::default() };
        with_terms(&mut b, 1, terms);
        assert_eq!(tap(&mut b, 1, uid(1)), verdict, "{from:?} {until:?}");
    }
    let mut b = building(1);
    let gone = Tenant { status: TenantStatus::Archived(Timestamp(WALL)), ..tenant(&b, 1) };
    b.order(Order::SetTenant(Box::new(gone))).unwrap();
    assert_eq!(tap(&mut b, 1, uid(1)), CardVerdict::NotValid);
    assert_eq!(b.control.snapshot(b.now()).refused_cards[0].verdict, CardVerdict::NotValid, "the reason is listed");
}

/// Once the month's energy is used, the running car gets nothing, the next tap is refused, and a new month or a
/// larger cap lets it charge again; ending one's own session is always possible.
#[test]
fn a_monthly_cap_ends_charging() {
    let mut b = building(2);
    with_terms(&mut b, 1, TenantTerms { monthly_cap: Some(WattHours(500)), ..TenantTerms::default() });
    b.start(1, amps(16));
    b.run(60);
    assert!(!b.set(1).is_zero());
    let sample = domain::ChargerSample { at: b.now().wall, energy: Some(WattHours(1500)), ..Default::default() };
    b.event(1, ChargerEvent::Measured { connector: Some(ONE), session: None, sample });
    b.run(6);
    assert_eq!((b.set(1), b.reason(1)), (amps(0), Reason::CapReached));
    assert_eq!(tap(&mut b, 1, uid(1)), OWN, "to end it");
    assert_eq!(tap(&mut b, 2, uid(1)), CardVerdict::CapReached);
    b.stop(1);
    assert_eq!(tap(&mut b, 1, uid(1)), CardVerdict::CapReached);
    let now = b.now().wall;
    b.input(Input::Month { starts: Timestamp(now.0 + 1), ends: Timestamp(now.0 + 1_000_000) });
    assert_eq!(tap(&mut b, 1, uid(1)), OWN, "a new month");
}

/// A charger of one's own refuses others, unless its owner shares it; strangers are the owner's where that is said.
#[test]
fn own_chargers_are_kept_for_their_owner() {
    for (charger_use, other, stranger) in [
        (OwnChargerUse::OwnerOnly, CardVerdict::NotHere, CardVerdict::Unknown),
        (OwnChargerUse::Everyone, CardVerdict::Accepted { tenant: TenantId(2) }, CardVerdict::Unknown),
        (OwnChargerUse::OwnerPays, CardVerdict::NotHere, OWN),
    ] {
        let mut b = building(2);
        with_terms(&mut b, 1, TenantTerms { chargers: vec![charger_id(1)], charger_use, ..TenantTerms::default() });
        assert_eq!(tap(&mut b, 1, uid(1)), OWN);
        assert_eq!(tap(&mut b, 1, uid(2)), other, "{charger_use:?}");
        assert_eq!(tap(&mut b, 1, uid(77)), stranger, "{charger_use:?}");
        assert_eq!(tap(&mut b, 2, uid(2)), CardVerdict::Accepted { tenant: TenantId(2) }, "elsewhere as ever");
    }
    let mut b = building(2);
    with_terms(&mut b, 1, TenantTerms { chargers: vec![charger_id(1)], ..TenantTerms::default() });
    let terms = TenantTerms { chargers: vec![charger_id(1)], ..TenantTerms::default() };
    let taken = b.order(Order::SetTenant(Box::new(Tenant { terms, ..tenant(&b, 2) })));
    assert!(matches!(taken, Err(OrderError::ChargerOwned { .. })), "{taken:?}");
}

/// A charger that charges without a card bills its owner, and the car gets current.
#[test]
fn free_vending_is_the_owners() {
    let mut b = building(2);
    let terms =
        TenantTerms { chargers: vec![charger_id(1)], charger_use: OwnChargerUse::OwnerPays, ..TenantTerms::default() };
    with_terms(&mut b, 1, terms);
    b.cars.insert(1, amps(16));
    b.status(1, domain::ConnectorStatus::Charging);
    for card in [None, Some(uid(88))] {
        let (reply, at) = (b.reply(), b.now().wall);
        let request =
            StartRequest { connector: ONE, card, at, meter: WattHours(1000), provenance: Provenance::Measured };
        let out = b.event(1, ChargerEvent::SessionStarted { reply, request });
        assert_eq!(session(&out).tenant, Some(TenantId(1)));
        b.run(30);
        assert!(!b.set(1).is_zero(), "it charges: {:?}", b.reason(1));
    }
}

/// Two cars of one tenant share the tenant's maximum power; where it is too little for both, the second waits.
#[test]
fn maximum_power_is_shared_by_a_tenants_cars() {
    for (power, expected) in [(5_520, [amps(12), amps(12)]), (2_300, [amps(10), amps(0)])] {
        let mut b = Building::new(
            domain::Site {
                main_fuse: amps(63),
                contracted: domain::VoltAmps(13_800),
                declared_load: amps(0),
                ..site(Pacing::Careful)
            },
            2,
            MeterRole::House,
        );
        b.order(Order::AddCard { tenant: TenantId(1), uid: uid(9) }).unwrap();
        with_terms(&mut b, 1, TenantTerms { max_power: Some(Watts(power)), ..TenantTerms::default() });
        b.order(Order::RemoveCard(uid(2))).unwrap();
        b.order(Order::AddCard { tenant: TenantId(1), uid: uid(2) }).unwrap();
        b.start(1, amps(32));
        b.run(5);
        b.start(2, amps(32));
        b.run(180);
        assert_eq!([b.set(1), b.set(2)], expected, "{power} W");
        assert_eq!(b.reason(2), Reason::TenantLimit);
    }
}

/// With room for one car only, the tenant with the higher priority charges, whichever charger comes first.
#[test]
fn priority_of_a_tenant_counts() {
    let mut b = building(2);
    with_terms(&mut b, 2, TenantTerms { priority: 10, ..TenantTerms::default() });
    b.house = amps(20);
    b.start(1, amps(16));
    b.run(60);
    b.start(2, amps(16));
    b.run(300);
    assert!(b.set(1).is_zero() && !b.set(2).is_zero(), "{:?}", b.sets(2));
}

/// Another reading of a card may do what the card may do, is blocked with it, and goes with it.
#[test]
fn readings_of_one_card_belong_together() {
    let mut b = building(2);
    let alias = CardUid::new("3C2B1A04").unwrap();
    b.order(Order::AddAlias { card: uid(1), uid: alias.clone() }).unwrap();
    assert_eq!(tap(&mut b, 2, alias.clone()), OWN);
    b.start(1, amps(16));
    assert_eq!(tap(&mut b, 2, alias.clone()), CardVerdict::InUse, "it is one card");
    b.stop(1);
    b.order(Order::SetCardStatus { uid: alias.clone(), status: domain::CardStatus::Blocked }).unwrap();
    assert_eq!(tap(&mut b, 1, uid(1)), CardVerdict::Blocked);
    b.order(Order::RemoveCard(uid(1))).unwrap();
    assert_eq!(tap(&mut b, 1, alias), CardVerdict::Unknown);
}

/// A correction needs a reason and possible figures, keeps the original beside it, and is not undone by what arrives
/// later.
#[test]
fn corrections_keep_the_original() {
    let mut b = building(1);
    b.start(1, amps(16));
    b.run(60);
    let stored = session(&b.stop(1));
    let correct = |correction, reason: &str| Order::CorrectSession {
        session: Box::new(stored.clone()),
        correction,
        reason: reason.to_owned(),
    };
    let energy = |wh| Correction { energy: Some(WattHours(wh)), ..Correction::default() };
    assert_eq!(b.order(correct(energy(10), " ")), Err(OrderError::NoReason));
    assert!(matches!(b.order(correct(energy(900_000), "typo")), Err(OrderError::SessionEnergy { .. })));
    assert_eq!(b.order(correct(Correction::default(), "nothing")), Err(OrderError::NothingChanged));
    let late = Correction { ended_at: Some(Timestamp(stored.started_at.0 - 1)), ..Correction::default() };
    assert_eq!(b.order(correct(late, "times")), Err(OrderError::SessionTimes));
    let done = b.order(correct(energy(10), "The register jumped"));
    let Ok(Made::Session(after)) = done else { panic!("{done:?}") };
    assert_eq!((after.energy, after.provenance), (WattHours(10), Provenance::Corrected));
    let change = b.log.iter().rev().find_map(|o| match o {
        Output::Save(Record::SessionChanged(change)) => Some(change.clone()),
        _ => None,
    });
    assert_eq!(change.unwrap().before.energy, stored.energy, "the original is kept");
    let nobody = Correction { tenant: Some(None), ..Correction::default() };
    let Ok(Made::Session(after)) = b.order(correct(nobody, "Not hers")) else { panic!() };
    assert_eq!((after.tenant, after.energy), (None, WattHours(10)), "on top of the first correction");
}

/// A list is imported whole or not at all.
#[test]
fn an_import_happens_whole() {
    let mut b = building(1);
    let row = |name: &str, cards: &[u32]| crate::TenantImport {
        tenant: Tenant::new(TenantId(0), domain::TenantKey(9), name, "", Timestamp(0)),
        cards: cards.iter().map(|n| uid(*n)).collect(),
    };
    for bad in [vec![row("Ana", &[5]), row("", &[])], vec![row("Ana", &[5, 5])], vec![row("Ana", &[1])]] {
        let before = b.log.len();
        assert!(b.order(Order::ImportTenants(bad)).is_err());
        assert!(!b.log[before..].iter().any(|o| matches!(o, Output::Save(_))), "nothing is kept");
    }
    b.order(Order::ImportTenants(vec![row("Ana", &[5]), row("Rui", &[6, 7])])).unwrap();
    assert_eq!(tap(&mut b, 1, uid(7)), CardVerdict::Accepted { tenant: TenantId(3) });
}

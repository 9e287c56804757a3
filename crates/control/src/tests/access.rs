//! Cards, tenants and enrolling by a tap.

use super::{Building, amps, charger_id, site, uid};
use crate::{Input, Made, Order, OrderError, Output};
use domain::{CardStatus, CardUid, CardVerdict, ChargerEvent, DurationMs, MeterRole, Pacing, Record, Tenant, TenantId};

fn building() -> Building {
    Building::new(site(Pacing::Careful), 2, MeterRole::House)
}

fn tap(b: &mut Building, n: u32, card: CardUid) -> CardVerdict {
    let reply = b.reply();
    let out = b.event(n, ChargerEvent::CardTapped { reply, connector: None, card });
    let verdict = |o: &Output| match o {
        Output::CardAnswer { reply: r, verdict, .. } if *r == reply => Some(*verdict),
        _ => None,
    };
    out.iter().find_map(verdict).unwrap()
}

fn enrol(tenant: Option<i64>, charger: Option<u32>) -> Order {
    let ttl = DurationMs::from_secs(120);
    Order::Enrol { tenant: tenant.map(TenantId), charger: charger.map(charger_id), ttl }
}

fn refused(b: &Building) -> usize {
    b.control.snapshot(b.now()).refused_cards.len()
}

/// An unknown card is refused and listed; an enrolled one charges for its tenant.
#[test]
fn unknown_cards_are_refused_and_listed() {
    let mut b = building();
    assert_eq!(tap(&mut b, 1, uid(1)), CardVerdict::Accepted { tenant: TenantId(1) });
    assert_eq!(tap(&mut b, 1, uid(50)), CardVerdict::Unknown);
    assert_eq!(tap(&mut b, 1, uid(50)), CardVerdict::Unknown);
    assert_eq!(refused(&b), 1, "once is enough");
}

/// With a tenant named, the tap that enrols is still refused, without being listed, and the next one charges.
#[test]
fn the_next_tap_charges() {
    let mut b = building();
    b.order(enrol(Some(2), None)).unwrap();
    let reply = b.reply();
    let out = b.event(1, ChargerEvent::CardTapped { reply, connector: None, card: uid(50) });
    assert!(out.iter().any(|o| matches!(o, Output::Save(Record::Card(card)) if card.uid == uid(50))), "{out:?}");
    assert!(out.iter().any(|o| matches!(o, Output::ClearCache { .. })), "chargers must forget the refusal");
    assert!(out.iter().any(|o| matches!(o, Output::CardAnswer { verdict: CardVerdict::Unknown, .. })));
    assert_eq!(refused(&b), 0);
    assert_eq!(tap(&mut b, 1, uid(50)), CardVerdict::Accepted { tenant: TenantId(2) });
}

/// Without a tenant the card waits for one; refused earlier, it leaves the list when it is enrolled.
#[test]
fn a_captured_card_is_assigned() {
    let mut b = building();
    tap(&mut b, 1, uid(50));
    assert_eq!(refused(&b), 1);
    b.order(enrol(None, Some(2))).unwrap();
    assert_eq!(tap(&mut b, 1, uid(50)), CardVerdict::Unknown, "another reader");
    let assign = Order::AssignCaptured { tenant: TenantId(1) };
    assert_eq!(b.order(assign.clone()), Err(OrderError::NothingCaptured));
    assert_eq!(tap(&mut b, 2, uid(50)), CardVerdict::Unknown);
    let state = b.control.snapshot(b.now()).enrolment.unwrap();
    assert_eq!(state.captured, Some((uid(50), Some(charger_id(2)))));
    assert!(matches!(b.order(assign), Ok(Made::Card(card)) if card.uid == uid(50)));
    assert!(b.control.snapshot(b.now()).enrolment.is_none());
    assert_eq!((refused(&b), tap(&mut b, 2, uid(50))), (0, CardVerdict::Accepted { tenant: TenantId(1) }));
}

/// A reader at a desk takes the place of a charger's; a card that is enrolled, or that nobody waits for, is refused.
#[test]
fn a_card_is_read_at_a_desk() {
    let mut b = building();
    let read = |text: &str| Order::CaptureCard(CardUid::new(text).unwrap());
    assert_eq!(b.order(read("7B3C90AA")), Err(OrderError::NotEnrolling));
    b.order(enrol(Some(2), None)).unwrap();
    assert!(matches!(b.order(Order::CaptureCard(uid(1))), Err(OrderError::CardTaken { .. })));
    assert!(matches!(b.order(read("7B3C90AA")), Ok(Made::Card(card)) if card.tenant == TenantId(2)));
    let state = b.control.snapshot(b.now()).enrolment.unwrap();
    assert!(state.bound && state.resembles.is_none(), "{state:?}");
}

/// A card that may be an enrolled one in other digits is never bound by itself: somebody says what it is.
#[test]
fn another_reading_waits_for_an_answer() {
    let mut b = building();
    let card = CardUid::new("7B3C90AA").unwrap();
    b.order(Order::AddCard { tenant: TenantId(2), uid: card.clone() }).unwrap();
    b.order(enrol(Some(2), None)).unwrap();
    let turned = CardUid::new("AA903C7B").unwrap();
    assert_eq!(b.order(Order::CaptureCard(turned.clone())), Ok(Made::Nothing));
    let state = b.control.snapshot(b.now()).enrolment.unwrap();
    assert_eq!((state.bound, state.resembles), (false, Some(card.clone())));
    assert_eq!(tap(&mut b, 1, turned.clone()), CardVerdict::Unknown);
    b.order(Order::AddAlias { card, uid: turned.clone() }).unwrap();
    assert_eq!(tap(&mut b, 1, turned), CardVerdict::Accepted { tenant: TenantId(2) });
}

/// Enrolment ends by itself and by order.
#[test]
fn enrolment_ends() {
    let mut b = building();
    b.order(enrol(Some(1), None)).unwrap();
    b.run(121);
    assert!(b.control.snapshot(b.now()).enrolment.is_none());
    tap(&mut b, 1, uid(50));
    assert_eq!(refused(&b), 1);
    b.order(enrol(Some(1), None)).unwrap();
    b.order(Order::CancelEnrolment).unwrap();
    tap(&mut b, 1, uid(51));
    assert_eq!(refused(&b), 2);
}

/// A card that charges at one charger is in use at another; at its own it may end the session.
#[test]
fn only_a_card_of_the_same_tenant_ends_a_session() {
    let mut b = building();
    b.start(1, amps(16));
    assert_eq!(tap(&mut b, 2, uid(1)), CardVerdict::InUse, "its car charges at charger 1");
    assert_eq!(tap(&mut b, 1, uid(2)), CardVerdict::InUse, "somebody else's session");
    b.order(Order::AddCard { tenant: TenantId(1), uid: uid(60) }).unwrap();
    assert_eq!(tap(&mut b, 1, uid(60)), CardVerdict::Accepted { tenant: TenantId(1) }, "the same tenant");
    b.stop(1);
    assert_eq!(tap(&mut b, 2, uid(1)), CardVerdict::Accepted { tenant: TenantId(1) });
}

/// A blocked card is refused, and what it started gets nothing from that moment.
#[test]
fn a_blocked_card_gets_nothing() {
    let mut b = building();
    b.start(1, amps(16));
    b.run(30);
    assert!(!b.set(1).is_zero());
    b.order(Order::SetCardStatus { uid: uid(1), status: CardStatus::Blocked }).unwrap();
    assert!(b.set(1).is_zero());
    assert_eq!(tap(&mut b, 1, uid(1)), CardVerdict::Blocked);
}

/// No card charges at a charger nobody let in.
#[test]
fn an_unapproved_charger_accepts_no_card() {
    let mut b = building();
    assert_eq!(tap(&mut b, 9, uid(1)), CardVerdict::NotApproved);
    b.order(Order::ApproveCharger(charger_id(9))).unwrap();
    assert_eq!(tap(&mut b, 9, uid(1)), CardVerdict::Accepted { tenant: TenantId(1) });
}

fn new_tenant(name: &str) -> Tenant {
    Tenant::new(TenantId(0), domain::TenantKey(7), name, "2.º Esq.", domain::Timestamp(0))
}

/// Orders that cannot be carried out say what to do and change nothing.
#[test]
fn impossible_orders_say_what_to_do() {
    let mut b = building();
    let taken = b.order(Order::AddCard { tenant: TenantId(2), uid: uid(1) }).unwrap_err();
    assert_eq!(taken.to_string(), "the card CARD1 already belongs to Tenant 1; remove it there first");
    for order in [
        Order::AddCard { tenant: TenantId(99), uid: uid(70) },
        Order::AddTenant(Box::new(new_tenant("  "))),
        Order::RemoveCard(uid(99)),
        Order::EraseTenant(TenantId(99)),
        Order::ApproveCharger(charger_id(99)),
        Order::OrderChargers(vec![charger_id(99)]),
        Order::SetSite(domain::Site { name: String::new(), ..site(Pacing::Careful) }),
        enrol(Some(99), None),
        enrol(None, Some(99)),
        Order::SetCardPolicy { uid: uid(99), policy: domain::CardPolicy::default() },
        Order::SetCardPolicy {
            uid: uid(1),
            policy: domain::CardPolicy { max: Some(super::amps(5)), ..domain::CardPolicy::default() },
        },
        Order::SetWish { session: domain::SessionId(99), wish: None },
    ] {
        let text = format!("{order:?}");
        let out = b.input(Input::Order(order));
        assert!(out.iter().any(|o| matches!(o, Output::Done(Err(_)))), "{text}");
        assert!(!out.iter().any(|o| matches!(o, Output::Save(_))), "{text}");
    }
}

/// Tenants are created with fresh numbers and take their cards with them.
#[test]
fn tenants_come_and_go() {
    let mut b = building();
    let order = Order::AddTenant(Box::new(new_tenant(" Ana ")));
    let Ok(Made::Tenant(Tenant { id, name, .. })) = b.order(order) else { panic!() };
    assert_eq!((id, name.as_str()), (TenantId(3), "Ana"));
    b.order(Order::AddCard { tenant: id, uid: uid(60) }).unwrap();
    b.order(Order::EraseTenant(id)).unwrap();
    assert_eq!(tap(&mut b, 1, uid(60)), CardVerdict::Unknown);
}

/// The time is for the tap: once a card is captured there is time to ask for the name.
#[test]
fn a_captured_card_waits_for_its_name() {
    let mut b = building();
    b.order(enrol(None, None)).unwrap();
    b.run(115);
    tap(&mut b, 1, uid(50));
    b.run(60);
    assert!(matches!(b.order(Order::AssignCaptured { tenant: TenantId(1) }), Ok(Made::Card(_))));
    assert_eq!(tap(&mut b, 1, uid(50)), CardVerdict::Accepted { tenant: TenantId(1) });
}

/// A card that is removed is unknown from that moment, also to the session it started.
#[test]
fn a_removed_card_gets_nothing() {
    for order in [Order::RemoveCard(uid(1)), Order::EraseTenant(TenantId(1))] {
        let mut b = building();
        b.start(1, amps(16));
        b.run(30);
        assert!(!b.set(1).is_zero());
        b.order(order).unwrap();
        assert!(b.set(1).is_zero());
        assert_eq!(b.reason(1), crate::Reason::NotAuthorised);
    }
}

/// After a restart the list of refused cards does not bring back those that were enrolled since.
#[test]
fn an_enrolled_card_is_no_stranger_after_a_restart() {
    let mut b = building();
    let known = b.control.snapshot(b.now());
    let mut setup = crate::Setup::empty(site(Pacing::Careful), super::circuits(200));
    (setup.tenants, setup.cards) = (known.tenants, known.cards);
    let refused =
        |card, verdict| domain::RefusedCard { uid: uid(card), charger: charger_id(1), at: b.now().wall, verdict };
    setup.refused_cards =
        vec![refused(1, CardVerdict::Unknown), refused(2, CardVerdict::Blocked), refused(50, CardVerdict::Unknown)];
    b = Building::of(setup, MeterRole::House);
    let listed: Vec<_> = b.control.snapshot(b.now()).refused_cards.into_iter().map(|card| card.uid).collect();
    assert_eq!(listed, [uid(2), uid(50)]);
}

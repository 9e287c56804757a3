//! The rules of the vocabulary: what can exist, and how limits are rounded.

#![expect(clippy::unwrap_used, reason = "a step of a test that fails ends it")]

use domain::{
    CardUid, CardUidError, ChargerId, Circuit, CircuitId, CircuitTree, CircuitTreeError, Connection, DurationMs, Flow,
    IdError, MilliAmps, MilliVolts, Pacing, PerPhase, Phase, PhaseCount, Series, Site, SiteError, VoltAmps, Wiring,
    WiringError,
};
use proptest::prelude::*;

fn site(contracted_va: u32, phases: PhaseCount, connection: Connection) -> Site {
    Site {
        name: "Prédio".to_owned(),
        time_zone: "Europe/Lisbon".to_owned(),
        currency: "EUR".to_owned(),
        nominal_voltage: MilliVolts(230_000),
        connection,
        phases,
        contracted: VoltAmps(contracted_va),
        main_fuse: MilliAmps::from_amps(63),
        margin: MilliAmps::from_amps(1),
        min_charge: MilliAmps::from_amps(6),
        max_active_chargers: None,
        max_meters: 8,
        control_interval: DurationMs::from_secs(5),
        declared_load: MilliAmps::from_amps(20),
        meter_max_age: DurationMs::from_secs(15),
        pacing: Pacing::Careful,
        rules: domain::SiteRules::default(),
    }
}

fn circuit(id: &str, parent: Option<&str>) -> Circuit {
    Circuit {
        id: CircuitId::new(id).unwrap(),
        name: id.to_owned(),
        parent: parent.map(|parent| CircuitId::new(parent).unwrap()),
        limit: PerPhase::splat(MilliAmps::from_amps(32)),
        rating: domain::CircuitRating::default(),
    }
}

/// Protects the conversion every limit starts from: 6.9 kVA is 30 A, and 41.4 kVA on three phases is 60 A.
#[test]
fn contracted_power_becomes_current_per_phase() {
    let cases = [
        (6_900, PhaseCount::One, Connection::LineNeutral, 30_000),
        (41_400, PhaseCount::Three, Connection::LineNeutral, 60_000),
        // 41.4 kVA / (sqrt 3 * 230 V) = 103.923 A, rounded down.
        (41_400, PhaseCount::Three, Connection::LineLine, 103_923),
        (10_350, PhaseCount::One, Connection::LineNeutral, 45_000),
    ];
    for (va, phases, connection, milli_amps) in cases {
        assert_eq!(site(va, phases, connection).contracted_current(), MilliAmps(milli_amps), "{va} VA {phases:?}");
    }
}

/// Protects against a contract larger than the fuse: the smaller one is the limit.
#[test]
fn the_fuse_limits_a_large_contract() {
    let site = site(41_400, PhaseCount::One, Connection::LineNeutral);
    assert_eq!(site.grid_limit(), MilliAmps::from_amps(63), "180 A contracted behind a 63 A fuse");
}

/// Protects the manager from settings no site can have; the message names the field of the form.
#[test]
fn settings_out_of_range_are_named() {
    let good = site(6_900, PhaseCount::One, Connection::LineNeutral);
    assert_eq!(good.check(), Ok(()), "ordinary settings");
    let nameless = Site { name: "  ".to_owned(), ..good.clone() };
    assert_eq!(nameless.check(), Err(SiteError::Name), "blank name");
    let weak = Site { min_charge: MilliAmps::from_amps(5), ..good };
    let error = weak.check().unwrap_err();
    assert_eq!(error.to_string(), "min_charge_a must be between 6 and 32", "5 A is below IEC 61851-1");
}

/// Protects card identity: readers print one card in many ways.
#[test]
fn one_card_has_one_number() {
    for text in ["2069C021", "20:69:c0:21", " 20 69 C0 21", "20-69-C0-21"] {
        assert_eq!(CardUid::new(text).unwrap().as_str(), "2069C021", "{text:?}");
    }
    assert_eq!(CardUid::new(" :- "), Err(CardUidError::Empty), "separators only");
    assert_eq!(CardUid::new("A".repeat(300)), Err(CardUidError::TooLong { len: 300, max: 36 }), "300 characters");
    assert_eq!(CardUid::new("Ä1"), Err(CardUidError::Character('Ä')), "not ASCII");
}

/// Protects topics and addresses: an identity never contains a character that changes their meaning.
#[test]
fn identities_are_plain() {
    assert_eq!(ChargerId::new(" C-1 ").unwrap().as_str(), "C-1", "trimmed");
    assert_eq!(ChargerId::new(""), Err(IdError::Empty), "empty");
    for c in ['/', '+', '#', '$', '\u{0}', '\n'] {
        assert_eq!(ChargerId::new(format!("a{c}b")), Err(IdError::Character(c)), "{c:?}");
    }
}

/// Protects every sum of limits: circuits are one tree or nothing.
#[test]
fn circuits_form_one_tree() {
    let tree = CircuitTree::new(vec![circuit("garage", Some("main")), circuit("main", None)]).unwrap();
    assert_eq!(tree.root().as_str(), "main", "the one without a parent");
    let path: Vec<_> = tree.path_to_root(&CircuitId::new("garage").unwrap()).map(|c| c.id.as_str()).collect();
    assert_eq!(path, ["garage", "main"], "from the branch up");

    let cases = [
        (vec![], "a site has exactly one grid connection, these circuits have 0"),
        (vec![circuit("a", None), circuit("b", None)], "a site has exactly one grid connection, these circuits have 2"),
        (vec![circuit("a", None), circuit("a", None)], "the circuit a is listed twice"),
        (vec![circuit("a", None), circuit("b", Some("c"))], "the circuit b hangs on c, which does not exist"),
        (vec![circuit("a", None), circuit("b", Some("c")), circuit("c", Some("b"))], "the circuit b hangs on itself"),
    ];
    for (list, message) in cases {
        let error: CircuitTreeError = CircuitTree::new(list).unwrap_err();
        assert_eq!(error.to_string(), message, "a broken tree names what breaks it");
    }
}

/// Protects the right phase: a charger whose first wire hangs on L2 loads L2.
#[test]
fn wiring_moves_values_to_the_grid_phase() {
    let wiring = Wiring::new(vec![Phase::L2, Phase::L3, Phase::L1]).unwrap();
    assert_eq!(wiring.to_grid(&[10, 20, 30]), PerPhase::new(30, 10, 20), "rotation");
    assert_eq!(Wiring::single().to_grid(&[7, 8, 9]), PerPhase::new(7, 0, 0), "surplus values have no wire");
    assert_eq!(Wiring::new(vec![]), Err(WiringError::Count(0)), "no wire");
    assert_eq!(Wiring::new(vec![Phase::L1, Phase::L1]), Err(WiringError::Repeated), "two wires on one phase");
}

proptest! {
    /// Protects sums of limits: they saturate and never wrap to a small number.
    #[test]
    fn sums_never_wrap(a: u32, b: u32) {
        let sum = MilliAmps(a) + MilliAmps(b);
        prop_assert!(sum >= MilliAmps(a) && sum >= MilliAmps(b));
    }

    /// Protects direction: export survives the way through a net value.
    #[test]
    fn flow_keeps_its_direction(net in -i64::from(u32::MAX)..=i64::from(u32::MAX)) {
        prop_assert_eq!(Flow::<MilliAmps>::from_net_ma(net).net_ma(), net);
    }

    /// Protects stored series: every name we write is read back as the same series.
    #[test]
    fn series_names_round_trip(id in "[A-Za-z0-9_-]{1,20}", number in 1u16.., quantity in 0usize..7) {
        for text in [
            format!("house/{}", domain::Quantity::ALL[quantity].name()),
            format!("circuit/{id}/{}", domain::Quantity::ALL[quantity].name()),
            format!("charger/{id}/{number}/{}", domain::Quantity::ALL[quantity].name()),
        ] {
            let series: Series = text.parse().unwrap();
            prop_assert_eq!(series.to_string(), text);
        }
    }

    /// Protects against texts from outside: whatever arrives is an identity or an error, never a panic.
    #[test]
    fn texts_from_outside_never_panic(text in "\\PC*") {
        drop((CardUid::new(&text), ChargerId::new(&text), text.parse::<Series>()));
    }
}

//! A closed month cannot be changed unseen.

use crate::common::{at, flat, input, session, tariff};
use reports::chain::{self, ChainError, Filed, Sealed};
use reports::{Basis, compute};
use std::collections::BTreeMap;

fn basis(month: &str) -> Basis {
    Basis {
        closed_at: at("2026-12-01T09:00:00Z"),
        from: at("2026-10-01T00:00:00Z"),
        to: at("2026-11-01T00:00:00Z"),
        tariff: chain::hash_of("{}"),
        sessions: format!("2/{month}"),
    }
}

fn closed() -> Vec<Sealed> {
    let sessions = vec![
        session(1, Some(1), "2026-10-01T20:00:00Z", "2026-10-02T06:00:00Z", 10_000),
        session(2, Some(2), "2026-10-03T20:00:00Z", "2026-10-04T06:00:00Z", 8_000),
    ];
    let versions = tariff(vec![flat("0.1580", "2026-01-01")]);
    let mut all = chain::seal(None, &compute(&input("2026-10", versions.clone(), sessions)), basis("2026-10")).unwrap();
    let last = all.last().map(|last| (last.number, last.hash.clone())).unwrap();
    let next = compute(&input("2026-11", versions, Vec::new()));
    all.extend(chain::seal(Some((last.0, &last.1)), &next, basis("2026-11")).unwrap());
    all
}

/// An untouched chain holds over months, and gives the hash of its newest document.
#[test]
fn a_whole_chain_holds() {
    let all = closed();
    assert_eq!(all.len(), 6);
    assert_eq!(chain::verify(&all).unwrap(), all[5].hash);
    assert!(chain::verify(&[]).is_ok());
}

/// Every way to change what was closed is found at the document where it was done.
#[test]
fn changes_are_found() {
    let mut altered = closed();
    altered[1].text = altered[1].text.replace("8000", "7000");
    assert!(matches!(chain::verify(&altered), Err(ChainError::Altered(2))));
    let mut rehashed = altered;
    rehashed[1].hash = chain::hash(&rehashed[1].previous, &rehashed[1].text);
    assert!(matches!(chain::verify(&rehashed), Err(ChainError::Link(3))));
    let mut shorter = closed();
    shorter.remove(2);
    assert!(matches!(chain::verify(&shorter), Err(ChainError::Missing { expected: 3, found: 4 })));
    let mut swapped = closed();
    swapped.swap(0, 1);
    assert!(chain::verify(&swapped).is_err());
}

/// A chain that holds but was cut off, that has a month nobody closed, or whose documents lie elsewhere, is not complete.
#[test]
fn a_chain_is_complete_or_not() {
    let all = closed();
    let summary = |one: &Sealed| matches!(chain::open(one).unwrap(), chain::Document::Summary(_));
    let tenant = |one: &Sealed| match chain::open(one).unwrap() {
        chain::Document::Statement(statement) => statement.tenant,
        chain::Document::Summary(_) => None,
    };
    let tenants: Vec<Option<String>> = all.iter().map(tenant).collect();
    let filed = |count: usize| -> Vec<Filed<'_>> {
        let month = |index: usize| if index < 4 { "2026-10" } else { "2026-11" };
        let one = |index: usize| Filed { sealed: &all[index], month: month(index), tenant: tenants[index].as_deref() };
        (0..count).map(one).collect()
    };
    let months =
        |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), basis(name))).collect::<BTreeMap<_, _>>();
    let both = months(&["2026-10", "2026-11"]);
    assert!(summary(&all[3]) && summary(&all[5]));
    chain::verify_filing(&filed(6), &both).unwrap();
    for cut in [5, 4, 3, 0] {
        assert!(matches!(chain::verify_filing(&filed(cut), &both), Err(ChainError::Incomplete(_))), "cut to {cut}");
    }
    assert!(matches!(chain::verify_filing(&filed(6), &months(&["2026-10"])), Err(ChainError::Incomplete(_))));
    let mut elsewhere = filed(6);
    elsewhere[1].month = "2026-09";
    assert!(matches!(chain::verify_filing(&elsewhere, &both), Err(ChainError::Filed(2))));
    let mut of_another = filed(6);
    of_another[0].tenant = Some("key-2");
    assert!(matches!(chain::verify_filing(&of_another, &both), Err(ChainError::Filed(1))));
}

/// The tariff, the period and the fingerprint that a closed month keeps beside its documents are in the chain: corrections
/// follow from them.
#[test]
fn what_a_month_was_closed_with_cannot_be_altered() {
    let all = closed();
    let tenants = [Some("key-1"), Some("key-2"), None, None];
    let filed: Vec<Filed<'_>> =
        all.iter().zip(tenants).map(|(sealed, tenant)| Filed { sealed, month: "2026-10", tenant }).collect();
    let check = |basis: Basis| chain::verify_filing(&filed, &BTreeMap::from([("2026-10".to_owned(), basis)]));
    check(basis("2026-10")).unwrap();
    for altered in [
        Basis { tariff: chain::hash_of("{ }"), ..basis("2026-10") },
        Basis { sessions: String::new(), ..basis("2026-10") },
        Basis { from: at("2026-10-02T00:00:00Z"), ..basis("2026-10") },
        Basis { to: at("2026-10-02T00:00:00Z"), ..basis("2026-10") },
        Basis { closed_at: at("2026-12-01T09:00:01Z"), ..basis("2026-10") },
    ] {
        assert!(matches!(check(altered.clone()), Err(ChainError::Basis(_))), "{altered:?}");
    }
}

/// What is hashed is what can be read back, to the last field.
#[test]
fn documents_are_read_back() {
    for one in closed() {
        let text = serde_json::to_string(&chain::open(&one).unwrap()).unwrap();
        assert_eq!(text, one.text);
    }
}

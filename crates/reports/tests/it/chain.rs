//! A closed month cannot be changed unseen.

use crate::common::{flat, input, session, tariff};
use reports::chain::{self, ChainError, Sealed};
use reports::compute;

fn closed() -> Vec<Sealed> {
    let sessions = vec![
        session(1, Some(1), "2026-10-01T20:00:00Z", "2026-10-02T06:00:00Z", 10_000),
        session(2, Some(2), "2026-10-03T20:00:00Z", "2026-10-04T06:00:00Z", 8_000),
    ];
    let versions = tariff(vec![flat("0.1580", "2026-01-01")]);
    let mut all = chain::seal(None, &compute(&input("2026-10", versions.clone(), sessions))).unwrap();
    let last = all.last().map(|last| (last.number, last.hash.clone())).unwrap();
    let next = compute(&input("2026-11", versions, Vec::new()));
    all.extend(chain::seal(Some((last.0, &last.1)), &next).unwrap());
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

/// What is hashed is what can be read back, to the last field.
#[test]
fn documents_are_read_back() {
    for one in closed() {
        let text = serde_json::to_string(&chain::open(&one).unwrap()).unwrap();
        assert_eq!(text, one.text);
    }
}

//! Random bytes, and packets that are almost right, against a broker that has to go on.

use broker::Config;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::support::{Hello, Raw, Site, packet, publish_v5, subscribe_v5};

/// Printed by a failing test, so that it can be repeated.
const SEED: u64 = 0x6D71_7474;

fn random(rng: &mut ChaCha8Rng, bytes_max: usize) -> Vec<u8> {
    let length = rng.random_range(0..bytes_max);
    (0..length).map(|_| rng.random()).collect()
}

async fn throw(site: &Site, level: Option<u8>, bytes: &[u8]) -> Raw {
    let mut client = site.raw().await;
    match level {
        Some(5) => client = site.v5("admin").await,
        Some(_) => client = site.v3("admin").await,
        None => {}
    }
    client.send(bytes).await;
    client
}

/// Pure noise, before and after the login, in both versions.
#[tokio::test]
async fn noise_does_no_harm() {
    println!("seed {SEED:#x}");
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let site = Site::with(Config { sessions_per_identity_max: 1_000, ..Config::default() }).await;
    let mut clients = Vec::new();
    for round in 0..300 {
        let level = [None, Some(4), Some(5)][round % 3];
        clients.push(throw(&site, level, &random(&mut rng, 300)).await);
        if clients.len() > 50 {
            clients.clear();
        }
    }
    site.assert_works().await;
    assert_eq!(*site.broker.router_restarts().borrow(), 0);
}

/// Right packets with some bytes changed: much closer to what could really break a parser.
#[tokio::test]
async fn damaged_packets_do_no_harm() {
    println!("seed {SEED:#x}");
    let mut rng = ChaCha8Rng::seed_from_u64(SEED + 1);
    let site = Site::with(Config { sessions_per_identity_max: 1_000, ..Config::default() }).await;
    let will = Some(("w".to_owned(), b"x".to_vec(), 0x28, vec![0x18, 0, 0, 0, 1]));
    let templates = [
        Hello { will, ..Hello::v5("admin") }.bytes(),
        Hello::v3("admin").bytes(),
        publish_v5("é/x", b"payload", 2, 7, &[0x26, 0, 1, b'k', 0, 1, b'v', 0x02, 0, 0, 0, 9]),
        subscribe_v5(7, "a/+/b/#", 0x2E, &[0x0B, 7]),
        packet(0x62, &[0, 7, 0, 0]),
        packet(0xA2, &[0, 7, 0, 0, 1, b'a']),
        packet(0xE0, &[0, 5, 0x11, 0, 0, 0, 9]),
    ];
    let mut clients = Vec::new();
    for round in 0..700 {
        let mut bytes = templates[round % templates.len()].clone();
        for _ in 0..rng.random_range(1..4) {
            let at = rng.random_range(0..bytes.len());
            bytes[at] = rng.random();
        }
        let level = if round % templates.len() < 2 { None } else { Some(4 + u8::try_from(round % 2).unwrap()) };
        clients.push(throw(&site, level, &bytes).await);
        if clients.len() > 50 {
            clients.clear();
        }
    }
    site.assert_works().await;
    assert_eq!(*site.broker.router_restarts().borrow(), 0);
}

//! Who is let in with which proof.

use super::*;
use crate::credentials::Hasher;
use store::{Options, Store};

struct Site {
    access: Access,
    _dir: tempfile::TempDir,
}

async fn site() -> Site {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = Store::open(dir.path(), Options::default()).await.unwrap();
    let passwords = Passwords::new(reader.clone(), writer.clone(), Hasher::default()).unwrap();
    let access = Access::open(&reader, writer, passwords, BTreeSet::from([charger()])).await.unwrap();
    Site { access, _dir: dir }
}

fn charger() -> ChargerId {
    ChargerId::new("C1").unwrap()
}

fn link(peer: &str, tls: Option<Proof>) -> Link {
    Link { peer: peer.parse().unwrap(), tls }
}

fn password(text: &str) -> Credentials {
    Credentials { password: text.as_bytes().to_vec() }
}

const LAN: &str = "192.168.1.9:5000";
const INTERNET: &str = "203.0.113.9:5000";

/// Without any proof the local network is the limit, unless the manager chose otherwise.
#[tokio::test]
async fn open_only_within_the_local_network() {
    let site = site().await;
    assert_eq!(site.access.judge(&charger(), None, &link(LAN, None)).await, Ok(SecurityProfile::Open));
    let refused = site.access.judge(&charger(), None, &link(INTERNET, None)).await.unwrap_err();
    assert_eq!(refused, Denied::Proof(RefusalCode::OpenLocalOnly, String::new()));
    site.access.set_policy(Policy::new(SecurityProfile::Open, OpenFrom::Anywhere)).await.unwrap();
    assert!(site.access.judge(&charger(), None, &link(INTERNET, None)).await.is_ok());
    site.access.set_policy(Policy::new(SecurityProfile::Open, OpenFrom::Nowhere)).await.unwrap();
    assert!(site.access.judge(&charger(), None, &link(LAN, None)).await.is_err());
}

/// What a charger has proven is demanded from then on, as far as it is wanted, and a wrong password is refused at once.
#[tokio::test]
async fn proof_rises_and_never_falls() {
    let site = site().await;
    site.access.set_policy(Policy::new(SecurityProfile::TlsBasic, OpenFrom::LocalNetwork)).await.unwrap();
    let made = site.access.passwords().generate(&charger()).await.unwrap().0;
    assert!(site.access.judge(&charger(), None, &link(LAN, None)).await.is_ok(), "not proven yet, not demanded yet");
    let wrong = site.access.judge(&charger(), Some(&password("0123456789abcdef")), &link(LAN, None)).await;
    assert!(wrong.is_ok_and(|proven| proven == SecurityProfile::Open), "the new password was never used");
    let right = password(&made);
    assert_eq!(site.access.judge(&charger(), Some(&right), &link(LAN, None)).await, Ok(SecurityProfile::Basic));
    assert!(site.access.judge(&charger(), None, &link(LAN, None)).await.is_err(), "the password is demanded now");
    let wrong = site.access.judge(&charger(), Some(&password("0123456789abcdef")), &link(LAN, None)).await;
    assert_eq!(wrong, Err(Denied::Proof(RefusalCode::WrongPassword, String::new())));
    let private = link(INTERNET, Some(Proof::Private));
    assert_eq!(site.access.judge(&charger(), Some(&right), &private).await, Ok(SecurityProfile::TlsBasic));
    let fallen = site.access.judge(&charger(), Some(&right), &link(LAN, None)).await;
    assert_eq!(fallen, Err(Denied::Proof(RefusalCode::TlsMissing, String::new())));
    let own = link(LAN, Some(Proof::Certificate(charger())));
    assert_eq!(site.access.judge(&charger(), None, &own).await, Ok(SecurityProfile::TlsCertificate));
    assert_eq!(site.access.of(&charger()).enforced, SecurityProfile::TlsBasic, "never above what is wanted");
}

/// A certificate of one charger opens nothing for another.
#[tokio::test]
async fn foreign_certificate_is_refused() {
    let site = site().await;
    let foreign = link(LAN, Some(Proof::Certificate(ChargerId::new("C2").unwrap())));
    let refused = site.access.judge(&charger(), None, &foreign).await.unwrap_err();
    assert_eq!(refused, Denied::Proof(RefusalCode::CertificateOfAnother, "C2".to_owned()));
}

/// The password in hexadecimal counts in either case and as the bytes it stands for; chargers do all three.
#[tokio::test]
async fn passwords_in_every_spelling() {
    let site = site().await;
    let made = site.access.passwords().generate(&charger()).await.unwrap().0;
    let bytes: Vec<u8> = made
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    for spelling in [made.as_bytes().to_vec(), made.to_ascii_uppercase().into_bytes(), bytes] {
        let credentials = Credentials { password: spelling };
        let judged = site.access.judge(&charger(), Some(&credentials), &link(LAN, None)).await;
        assert_eq!(judged, Ok(SecurityProfile::Basic));
    }
    site.access.passwords().choose(&charger(), "a password of mine").await.unwrap_err();
    site.access.passwords().choose(&charger(), "a-password-of-mine").await.unwrap();
    let chosen = password("a-password-of-mine");
    assert_eq!(site.access.judge(&charger(), Some(&chosen), &link(LAN, None)).await, Ok(SecurityProfile::Basic));
    assert!(
        site.access.judge(&charger(), Some(&password(&made)), &link(LAN, None)).await.is_err(),
        "the old one ended"
    );
}

/// A stranger's first password is its own once it is let in; nobody else can take its name meanwhile.
#[tokio::test]
async fn stranger_keeps_its_password() {
    let site = site().await;
    let stranger = ChargerId::new("new").unwrap();
    let own = password("first-password-it-had");
    assert_eq!(site.access.judge(&stranger, Some(&own), &link(LAN, None)).await, Ok(SecurityProfile::Open));
    let other = site.access.judge(&stranger, Some(&password("another-password")), &link(LAN, None)).await;
    assert!(other.is_err());
    site.access.approve(&stranger).await.unwrap();
    assert_eq!(site.access.judge(&stranger, Some(&own), &link(LAN, None)).await, Ok(SecurityProfile::Basic));
    site.access.forget(&stranger).await.unwrap();
    let again = site.access.judge(&stranger, Some(&password("another-password")), &link(LAN, None)).await;
    assert_eq!(again, Ok(SecurityProfile::Open), "a forgotten charger is a stranger again");
}

//! Against a real PostgreSQL.

use std::collections::BTreeMap;
use sync::cluster::{Cluster, Ending, PASSWORD};
use sync::postgres::{Cloud, Kind, Settings, Tls, Writer, migrate, test};
use sync::{Batch, Reading, Row, Sink as _};

const SITE: &str = "00112233445566778899aabbccddeeff";

fn writer(computer: &str) -> Writer {
    Writer {
        site: SITE.to_owned(),
        site_name: "Rua do Sol 7".to_owned(),
        computer: computer.to_owned(),
        computer_name: format!("pc-{computer}"),
    }
}

fn session(seq: i64, id: i64, energy: i64) -> Row {
    Row {
        seq,
        table: "session".to_owned(),
        key_columns: vec!["id".to_owned()],
        key: format!("[{id}]"),
        body: Some(format!(r#"{{"id":{id},"charger":"C1","connector":1,"energy_wh":{energy},"of_tomorrow":"x"}}"#)),
    }
}

fn batch(through: i64, rows: Vec<Row>) -> Batch {
    Batch { through, rows, ..Batch::default() }
}

/// A newer row is never replaced by an older one, whatever is sent again; a removed row stays removed; nothing doubles.
#[tokio::test(flavor = "multi_thread")]
async fn newer_rows_win_and_nothing_doubles() {
    let dir = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(dir.path(), &[]).unwrap();
    let settings = cluster.settings();
    assert_eq!(test(&settings, PASSWORD).await.unwrap().format, None);
    let trouble = Cloud::connect(&settings, PASSWORD, &writer("a")).await.unwrap_err();
    assert_eq!(trouble.code, "format");
    assert_eq!(migrate(&settings, PASSWORD).await.unwrap().0, None);
    assert!(migrate(&settings, PASSWORD).await.unwrap().0.is_some(), "twice is once");
    let mut cloud = Cloud::connect(&settings, PASSWORD, &writer("a")).await.unwrap();
    cloud.deliver(&batch(10, vec![session(5, 1, 500), session(6, 2, 600)])).await.unwrap();
    cloud.deliver(&batch(20, vec![session(15, 1, 900)])).await.unwrap();
    cloud.deliver(&batch(20, vec![session(5, 1, 500), session(15, 1, 900)][..1].to_vec())).await.unwrap();
    let removed = Row { seq: 16, body: None, ..session(16, 2, 0) };
    cloud.deliver(&batch(21, vec![removed])).await.unwrap();
    cloud.deliver(&batch(21, vec![session(6, 2, 600)])).await.unwrap();
    let all = cluster.sql("SELECT id, energy_wh, removed, more ->> 'of_tomorrow' FROM meshwatt.session ORDER BY id");
    assert_eq!(all.unwrap(), "1|900|f|x\n2||t|");

    let reading = |seq, at_ms, value| Reading { seq, series: 7, at_ms, step_ms: 60_000, value };
    let series = BTreeMap::from([(7, "house/power_w".to_owned())]);
    let readings = vec![reading(30, 60_000, 1), reading(31, 60_000, 2), reading(31, 120_001, -3)];
    let sent = Batch { through: 31, readings, series, ..Batch::default() };
    cloud.deliver(&sent).await.unwrap();
    cloud.deliver(&sent).await.unwrap();
    assert_eq!(cloud.series_readings(7, 0, 999_999).await.unwrap(), [(60_000, 2), (120_001, -3)]);

    let body =
        |id: i64, wh: i64| format!(r#"{{"id":{id},"charger":"C1","connector":1,"energy_wh":{wh},"of_tomorrow":"x"}}"#);
    let rows = vec![("[1]".to_owned(), body(1, 901)), ("[2]".to_owned(), body(2, 600)), ("[3]".to_owned(), body(3, 1))];
    let found = cloud.compare("session", &["id"], &rows).await.unwrap();
    let told: Vec<_> = found.iter().map(|one| (one.key.as_str(), one.kind, one.columns.join(","))).collect();
    assert_eq!(
        told,
        [
            ("[1]", Kind::Different, "energy_wh".to_owned()),
            ("[2]", Kind::Missing, String::new()),
            ("[3]", Kind::Missing, String::new())
        ]
    );
    for view in ["sites", "sessions", "energy_by_month", "live_state", "alarms"] {
        cluster.sql(&format!("SELECT * FROM meshwatt.{view}")).unwrap();
    }
}

/// Two computers never write for one building, and the one that lost stops at once.
#[tokio::test(flavor = "multi_thread")]
async fn one_computer_writes_for_a_building() {
    let dir = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(dir.path(), &[]).unwrap();
    let settings = cluster.settings();
    migrate(&settings, PASSWORD).await.unwrap();
    let mut old = Cloud::connect(&settings, PASSWORD, &writer("old")).await.unwrap();
    let trouble = Cloud::connect(&settings, PASSWORD, &writer("new")).await.unwrap_err();
    assert!(trouble.code == "other_computer" && trouble.sentence.contains("pc-old"), "{trouble:?}");
    Cloud::take_over(&settings, PASSWORD, &writer("new")).await.unwrap();
    let mut new = Cloud::connect(&settings, PASSWORD, &writer("new")).await.unwrap();
    new.deliver(&batch(9, vec![session(9, 1, 1)])).await.unwrap();
    assert_eq!(old.deliver(&batch(10, vec![session(10, 1, 2)])).await.unwrap_err().code, "other_computer");
    let elsewhere = Writer { site: "f".repeat(32), ..writer("c") };
    let mut other = Cloud::connect(&settings, PASSWORD, &elsewhere).await.unwrap();
    other.deliver(&batch(3, vec![session(3, 1, 77)])).await.unwrap();
    assert_eq!(cluster.sql("SELECT energy_wh FROM meshwatt.session ORDER BY 1").unwrap(), "1\n77", "ids never clash");
}

/// Whatever is wrong with a connection has its own name and says what to do.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let mut cluster = Cluster::start(dir.path(), &[]).unwrap();
    let good = cluster.settings();
    let check = async |settings: Settings, password: &str, code: &str, says: &str| {
        let trouble = test(&settings, password).await.unwrap_err();
        assert!(trouble.code == code && trouble.sentence.contains(says), "wanted {code}, {says}: {trouble:?}");
    };
    check(Settings { host: String::new(), ..good.clone() }, PASSWORD, "incomplete", "Enter host").await;
    check(Settings { host: "no.such.host.invalid".to_owned(), ..good.clone() }, PASSWORD, "name", "No computer").await;
    check(Settings { port: sync::cluster::free_port().unwrap(), ..good.clone() }, PASSWORD, "port", "nothing listens")
        .await;
    check(good.clone(), "wrong", "password", "refuses the password").await;
    check(Settings { user: "nobody".to_owned(), ..good.clone() }, PASSWORD, "password", "nobody").await;
    check(Settings { database: "nowhere".to_owned(), ..good.clone() }, PASSWORD, "database", "no database").await;
    check(Settings { tls: Tls::VerifyFull, ..good.clone() }, PASSWORD, "tls", "offers no TLS").await;
    let missing = Settings { tls: Tls::VerifyCa, ca_file: "/no/such.pem".to_owned(), ..good.clone() };
    check(missing, PASSWORD, "tls", "/no/such.pem").await;
    cluster.sql("CREATE ROLE guest LOGIN PASSWORD 'guest'; REVOKE CREATE ON DATABASE postgres FROM PUBLIC").unwrap();
    let guest = Settings { user: "guest".to_owned(), ..good.clone() };
    check(guest.clone(), "guest", "rights", "GRANT CREATE ON DATABASE").await;
    migrate(&good, PASSWORD).await.unwrap();
    check(guest.clone(), "guest", "rights", "GRANT USAGE ON SCHEMA").await;
    cluster
        .sql("GRANT USAGE ON SCHEMA meshwatt TO guest; GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA meshwatt TO guest")
        .unwrap();
    test(&guest, "guest").await.unwrap();
    cluster.sql("INSERT INTO meshwatt.format (format) VALUES (99)").unwrap();
    check(good.clone(), PASSWORD, "format", "update Meshwatt").await;
    cluster.sql("DELETE FROM meshwatt.format WHERE format > 1").unwrap();
    let trouble = Cloud::connect(&good, PASSWORD, &writer("a")).await.unwrap_err();
    assert!(trouble.sentence.contains("cloud migrate"), "{trouble:?}");
    cluster.stop(Ending::Fast).unwrap();
    check(good, PASSWORD, "port", "nothing listens").await;
}

/// Each way of checking the server's certificate does what it says.
#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_checked() {
    let dir = tempfile::tempdir().unwrap();
    let issuer_key = rcgen::KeyPair::generate().unwrap();
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_pem = authority.self_signed(&issuer_key).unwrap().pem();
    let issuer = rcgen::Issuer::new(authority, issuer_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let leaf = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    std::fs::write(path("ca.pem"), authority_pem).unwrap();
    std::fs::write(path("server.pem"), leaf.pem()).unwrap();
    std::fs::write(path("server.key"), key.serialize_pem()).unwrap();
    std::fs::set_permissions(path("server.key"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let tls = [format!("ssl_cert_file={}", path("server.pem")), format!("ssl_key_file={}", path("server.key"))];
    let home = dir.path().join("cluster");
    std::fs::create_dir(&home).unwrap();
    std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    drop(std::process::Command::new("chown").args(["postgres", &path("server.key"), &path("server.pem")]).status());
    let cluster = Cluster::start(&home, &["ssl=on", &tls[0], &tls[1]]).unwrap();
    let by = |tls, ca: &str, host: &str| Settings {
        tls,
        ca_file: if ca.is_empty() { String::new() } else { path(ca) },
        host: host.to_owned(),
        ..cluster.settings()
    };
    assert!(test(&by(Tls::Encrypt, "", "127.0.0.1"), PASSWORD).await.unwrap().encrypted);
    assert!(test(&by(Tls::VerifyFull, "ca.pem", "localhost"), PASSWORD).await.unwrap().encrypted);
    assert!(test(&by(Tls::VerifyCa, "ca.pem", "127.0.0.1"), PASSWORD).await.unwrap().encrypted);
    let name = test(&by(Tls::VerifyFull, "ca.pem", "127.0.0.1"), PASSWORD).await.unwrap_err();
    assert!(name.code == "tls" && name.sentence.contains("another name"), "{name:?}");
    let issuer = test(&by(Tls::VerifyCa, "", "localhost"), PASSWORD).await.unwrap_err();
    assert!(issuer.code == "tls" && issuer.sentence.contains("authority nobody here knows"), "{issuer:?}");
}

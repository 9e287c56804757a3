//! Against a real PostgreSQL.

use std::collections::BTreeMap;
use sync::cluster::{Cluster, Ending, PASSWORD};
use sync::postgres::{Cloud, Kind, Settings, Step, Tls, Writer, migrate, test};
use sync::{Batch, Reading, Row, Sink as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const SITE: &str = "00112233445566778899aabbccddeeff";

fn writer(computer: &str) -> Writer {
    Writer {
        site: SITE.to_owned(),
        site_name: "Rua do Sol 7".to_owned(),
        computer: computer.to_owned(),
        computer_name: format!("pc-{computer}"),
        sent: i64::MAX,
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
    assert_eq!(cloud.series_readings(7, Step::Fine, (0, 999_999)).await.unwrap(), [(60_000, 2), (120_001, -3)]);

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

/// Records restored from an older copy send nothing until somebody decides, so that nothing newer is replaced: not even
/// by a row that got the same number again.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_copy_never_replaces_newer_rows() {
    let dir = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(dir.path(), &[]).unwrap();
    let settings = cluster.settings();
    migrate(&settings, PASSWORD).await.unwrap();
    let of = |sent| Writer { sent, ..writer("pc") };
    let mut cloud = Cloud::connect(&settings, PASSWORD, &of(0)).await.unwrap();
    cloud.deliver(&batch(100, vec![session(100, 1, 500)])).await.unwrap();
    cloud.deliver(&batch(200, vec![session(200, 2, 700)])).await.unwrap();
    // It was killed before it noted that this arrived; it had noted that it begins.
    drop(Cloud::connect(&settings, PASSWORD, &of(200)).await.unwrap());
    let older = Cloud::connect(&settings, PASSWORD, &of(100)).await.unwrap_err();
    assert!(older.code == "restored" && older.sentence.contains("cloud pull"), "{older:?}");
    Cloud::take_over(&settings, PASSWORD, &of(100)).await.unwrap();
    let mut decided = Cloud::connect(&settings, PASSWORD, &of(100)).await.unwrap();
    decided.deliver(&batch(110, vec![session(110, 2, 9)])).await.unwrap();
    let all = "SELECT string_agg(id || ':' || energy_wh, ' ' ORDER BY id) FROM meshwatt.session";
    assert_eq!(cluster.sql(all).unwrap(), "1:500 2:700", "older numbers never win, whoever decides");
}

/// Many buildings write at once, with the same numbers of their own; each finds its rows and no others.
#[tokio::test(flavor = "multi_thread")]
async fn buildings_write_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(dir.path(), &[]).unwrap();
    let settings = cluster.settings();
    migrate(&settings, PASSWORD).await.unwrap();
    let sites: Vec<String> = (1..=6).map(|number| format!("{number:032x}")).collect();
    let tasks: Vec<_> = (1..=6)
        .zip(sites.clone())
        .map(|(number, site)| {
            let settings = settings.clone();
            tokio::spawn(async move {
                let mine = Writer { site, ..writer("pc") };
                let mut cloud = Cloud::connect(&settings, PASSWORD, &mine).await.unwrap();
                for through in 1..=20 {
                    let rows = (1..=50).map(|id| session(through * 100 + id, id, number * 1000 + through)).collect();
                    let reading =
                        Reading { seq: through, series: 1, at_ms: through * 60_000, step_ms: 60_000, value: number };
                    let series = BTreeMap::from([(1, "house/power_w".to_owned())]);
                    let sent = Batch { through, rows, readings: vec![reading], series };
                    cloud.deliver(&sent).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let found = cluster
        .sql(
            "SELECT string_agg(n || ' ' || least || ' ' || most, ',' ORDER BY least) FROM
             (SELECT count(*) AS n, min(energy_wh) AS least, max(energy_wh) AS most FROM meshwatt.session GROUP BY site_id) AS x",
        )
        .unwrap();
    let wanted: Vec<String> = (1..=6).map(|number| format!("50 {0} {0}", number * 1000 + 20)).collect();
    assert_eq!(found, wanted.join(","));
    let readings = "SELECT string_agg(n || ' ' || value, ',' ORDER BY value) FROM
        (SELECT count(*) AS n, value FROM meshwatt.reading GROUP BY site_id, value) AS x";
    assert_eq!(cluster.sql(readings).unwrap(), "20 1,20 2,20 3,20 4,20 5,20 6");
}

/// The statements of `docs/cloud.md` cut the readings into months; sending goes on into them, and the views still answer.
#[tokio::test(flavor = "multi_thread")]
async fn readings_are_cut_into_months() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cloud.md")).unwrap();
    let block = text.split("```sql\n").find(|block| block.starts_with("-- Readings by month")).unwrap();
    let statements = block.split("```").next().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(dir.path(), &[]).unwrap();
    let settings = cluster.settings();
    migrate(&settings, PASSWORD).await.unwrap();
    let send = async |seq, at_ms, value| {
        let mut cloud = Cloud::connect(&settings, PASSWORD, &writer("a")).await.unwrap();
        let reading = Reading { seq, series: 7, at_ms, step_ms: 60_000, value };
        let series = BTreeMap::from([(7, "house/power_w".to_owned())]);
        cloud.deliver(&Batch { through: seq, readings: vec![reading], series, ..Batch::default() }).await.unwrap();
    };
    let now_ms: i64 = cluster
        .sql("SELECT (extract(epoch FROM date_trunc('minute', now())) * 1000)::bigint")
        .unwrap()
        .parse()
        .unwrap();
    send(1, now_ms, 10).await;
    cluster.sql(statements).unwrap();
    send(2, now_ms, 11).await;
    send(3, 60_000, 12).await;
    let month = cluster.sql("SELECT to_char(now(), '\"meshwatt.reading_\"YYYY_MM')").unwrap();
    assert_eq!(cluster.sql(&format!("SELECT value FROM {month}")).unwrap(), "11", "the newer value, in its month");
    assert_eq!(cluster.sql("SELECT value FROM meshwatt.reading_other").unwrap(), "12", "and nothing is refused");
    cluster.sql("SELECT * FROM meshwatt.live_state").unwrap();
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
    let web = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let elsewhere = Settings { port: web.local_addr().unwrap().port(), ..good.clone() };
    let answers = tokio::spawn(async move {
        while let Ok((mut stream, _peer)) = web.accept().await {
            if stream.read(&mut [0; 1024]).await.is_ok_and(|heard| heard > 0) {
                stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
            }
        }
    });
    check(elsewhere, PASSWORD, "port", "is no PostgreSQL server").await;
    answers.abort();
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

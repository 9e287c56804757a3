//! A building and its cloud: a real PostgreSQL that comes and goes.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use serde_json::{Value, json};
use service::{CloudTool, Pace, SecretsChoice};
use std::time::Duration;
use support::{PATIENCE, Site};
use sync::cluster::{Cluster, Ending, PASSWORD};

fn form(cluster: &Cluster, cards: bool) -> Value {
    let settings = cluster.settings();
    json!({"host": settings.host, "port": settings.port, "database": settings.database, "user": settings.user,
        "tls": "off", "password": PASSWORD, "consent": {"cards": cards}})
}

fn tool(site: &Site) -> CloudTool {
    CloudTool::new(site.dir.path(), SecretsChoice::File, None, None)
}

async fn arrived(site: &Site) {
    site.until("sync/cloud", |item| item["status"]["waiting"] == 0 && item["status"]["phase"] == "up_to_date").await;
}

async fn until_sql(cluster: &Cluster, query: &str, wanted: &str) {
    let deadline = tokio::time::Instant::now() + PATIENCE * 3;
    loop {
        let found = cluster.sql(query).unwrap();
        if found == wanted {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "{query}: wanted {wanted:?}, found {found:?}");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

/// Compares until nothing differs: what changes while the comparison runs differs until it has arrived too.
async fn until_equal(site: &Site) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        arrived(site).await;
        let found = tool(site).verify().await.unwrap();
        if found.is_equal() && found.waiting == 0 {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "{found:#?}");
    }
}

/// From the page to the rows: a test that says what is wrong, the first upload, changes, a server that is away for a
/// while, a restart of the program, the comparison row by row, and what stays at home.
#[tokio::test(flavor = "multi_thread")]
async fn records_arrive_in_the_cloud() {
    let home = tempfile::tempdir().unwrap();
    let mut cluster = Cluster::start(home.path(), &[]).unwrap();
    let site = Site::start().await;
    let ana = site.tenant_with_card("Ana of the third floor", "04A1B2C3").await;
    let wrong = json!({"host": "127.0.0.1", "port": sync::cluster::free_port().unwrap(), "database": "x", "user": "y",
        "tls": "off"});
    let tested = site.post("sync/cloud/test", wrong.clone()).await;
    assert_eq!(tested.json["trouble"]["code"], "port", "{}", tested.text);
    let refused = site.ask("PUT", "sync/cloud", Some(wrong)).await;
    assert!(refused.status == 409 && refused.text.contains("nothing listens"), "{}", refused.text);
    let tested = site.post("sync/cloud/test", form(&cluster, false)).await;
    assert_eq!((&tested.json["trouble"], &tested.json["prepared"]), (&Value::Null, &json!(false)), "{}", tested.text);
    let begun = site.ask("PUT", "sync/cloud", Some(form(&cluster, false))).await;
    assert_eq!(begun.status, 200, "{}", begun.text);
    assert!(!begun.text.contains(PASSWORD), "the password is never given back");
    arrived(&site).await;
    let tenants = "SELECT count(*) FROM meshwatt.tenant WHERE NOT removed";
    assert_eq!(cluster.sql(tenants).unwrap(), "1");
    assert_eq!(cluster.sql("SELECT count(*) FROM meshwatt.person").unwrap(), "0", "names stay at home");
    assert_eq!(cluster.sql("SELECT count(*) FROM meshwatt.card WHERE uid IS NOT NULL").unwrap(), "0");

    cluster.stop(Ending::Crash).unwrap();
    let mut charger = site.approved_charger("C1").await;
    let started = charger.start("04A1B2C3", 1000).await;
    assert!(started["transactionId"].is_number(), "charging does not wait for the cloud: {started}");
    site.tenant_with_card("Rui", "04A1B2C4").await;
    site.until("sync/cloud", |item| item["status"]["failing"] == true).await;
    let metrics = site.get("metrics").await.text;
    assert!(metrics.contains("meshwatt_sink_waiting{sink=\"cloud\"}"), "{metrics}");
    let site = site.restart().await;
    cluster.resume().unwrap();
    arrived(&site).await;
    assert_eq!(cluster.sql(tenants).unwrap(), "2");
    assert_eq!(cluster.sql("SELECT tenant FROM meshwatt.session").unwrap(), ana.to_string());
    assert_eq!(cluster.sql("SELECT session FROM meshwatt.live_state WHERE charger = 'C1'").unwrap(), "1");
    until_equal(&site).await;

    let paused = site.post("sync/cloud/pause", json!({"paused": true})).await;
    assert_eq!(paused.json["status"]["phase"], "paused");
    cluster.sql("UPDATE meshwatt.session SET energy_wh = 7; DELETE FROM meshwatt.card WHERE id = 1").unwrap();
    let found = tool(&site).verify().await.unwrap();
    let told = found.shown.join("\n");
    assert!(told.contains("session [1] differs in energy_wh") && told.contains("card [1] is missing"), "{told}");
    assert_eq!(site.ask("DELETE", "sync/cloud", None).await.status, 204);
    assert_eq!(site.get("sync").await.json["items"], json!([]));
}

/// A card the company blocks or adds is blocked or added at the site, and the company hears what became of it; a new
/// computer takes a building over from the cloud as it was.
#[tokio::test(flavor = "multi_thread")]
async fn the_company_orders_and_restores() {
    let home = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(home.path(), &[]).unwrap();
    let site = Site::start().await;
    let ana = site.tenant_with_card("Ana", "04A1B2C3").await;
    assert_eq!(site.ask("PUT", "sync/cloud", Some(form(&cluster, true))).await.status, 200);
    arrived(&site).await;
    cluster
        .sql(&format!(
            "INSERT INTO meshwatt.card_order (uid, action, tenant) VALUES ('04A1B2C3', 'block', NULL),
                 ('04DDDDDD', 'add', {ana}), ('04EEEEEE', 'block', NULL)"
        ))
        .unwrap();
    let done = "SELECT string_agg(done::text, ',' ORDER BY order_id) FROM meshwatt.card_order_done";
    until_sql(&cluster, done, "true,true,false").await;
    let detail = cluster.sql("SELECT detail FROM meshwatt.card_order_done WHERE NOT done").unwrap();
    assert!(detail.contains("04EEEEEE is not enrolled"), "{detail}");
    let cards = site.get("tenants").await.text;
    assert!(cards.contains("04DDDDDD") && cards.contains("blocked"), "{cards}");
    arrived(&site).await;
    until_sql(&cluster, "SELECT string_agg(status, ',' ORDER BY id) FROM meshwatt.card", "blocked,active").await;

    let fresh = tempfile::tempdir().unwrap();
    let given = Some((cluster.settings(), PASSWORD.to_owned()));
    let pc = CloudTool::new(fresh.path(), SecretsChoice::File, None, given.clone());
    let pulled = pc.pull(None, |_line| {}).await.unwrap();
    assert_eq!(pulled.name, "My building");
    let again = CloudTool::new(fresh.path(), SecretsChoice::File, None, given);
    assert!(again.pull(None, |_line| {}).await.unwrap_err().to_string().contains("has records already"));
    site.until("sync/cloud", |_item| true).await;
    site.tenant_with_card("Too late", "04FFFFFF").await;
    let item = site.until("sync/cloud", |item| item["status"]["failing"] == true).await;
    assert_eq!(item["status"]["last_trouble"]["code"], "other_computer", "{item}");
    assert_eq!(cluster.sql("SELECT count(*) FROM meshwatt.tenant").unwrap(), "1", "the old computer writes no more");
    drop(site);
    let running = service::start(support::config(fresh.path())).await.unwrap();
    let site = Site { running, dir: fresh };
    let cards = site.get("tenants").await.text;
    assert!(cards.contains("04DDDDDD") && cards.contains("04A1B2C3"), "{cards}");
    // The manager ticks again what may leave, which begins it.
    assert_eq!(site.ask("PUT", "sync/cloud", Some(form(&cluster, true))).await.status, 200);
    let tenant = site.get("tenants").await.json["items"][0].clone();
    assert_eq!(tenant["id"], ana);
    site.tenant_with_card("Rui", "04A1B2C4").await;
    arrived(&site).await;
    assert_eq!(cluster.sql("SELECT count(*) FROM meshwatt.tenant").unwrap(), "2");
    assert_eq!(cluster.sql("SELECT count(DISTINCT site_id) FROM meshwatt.site").unwrap(), "1");
    until_equal(&site).await;
}

/// A card the company blocks is blocked at every building within a minute, also where the line broke meanwhile, and stays
/// blocked where the cloud is away; time passes by hand.
#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_card_is_blocked_everywhere_within_a_minute() {
    let home = tempfile::tempdir().unwrap();
    let mut cluster = Cluster::start(home.path(), &[]).unwrap();
    let (clock, passed) = tokio::sync::watch::channel(Duration::ZERO);
    let (begun, mut waits) = tokio::sync::watch::channel(0_u64);
    let pace = Pace::ByHand { passed, begun };
    let mut sites = Vec::new();
    for _building in 0..2 {
        let site = Site::start_with(|config| config.order_pace = pace.clone()).await;
        let tenant = site.tenant_with_card("Ana", "04A1B2C3").await;
        assert_eq!(site.ask("PUT", "sync/cloud", Some(form(&cluster, true))).await.status, 200);
        arrived(&site).await;
        sites.push((site, tenant));
    }
    let keys = "SELECT site_id FROM meshwatt.site ORDER BY site_id";
    let keys: Vec<String> = cluster.sql(keys).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(keys.len(), 2, "two buildings, one cloud");
    cluster
        .sql(&format!(
            "INSERT INTO meshwatt.card_order (uid, action) VALUES ('04A1B2C3', 'block');
             INSERT INTO meshwatt.card_order (site_id, uid, action, tenant) VALUES
                 ('{}', '04AAAAAA', 'add', {tenant}), ('{}', '04AAAAAA', 'add', {tenant})",
            keys[0],
            keys[1],
            tenant = sites[0].1
        ))
        .unwrap();
    let done = "SELECT count(*) FROM meshwatt.card_order_done WHERE done";
    // The first question after the order meets a broken line.
    cluster.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()").unwrap();
    for seconds in [20, 40, 60] {
        let before = *waits.borrow_and_update();
        clock.send_replace(Duration::from_secs(seconds));
        let both = tokio::time::timeout(PATIENCE, waits.wait_for(|count| *count >= before + 2)).await;
        assert!(both.is_ok_and(|seen| seen.is_ok()), "both buildings ask and wait again");
    }
    assert_eq!(cluster.sql(done).unwrap(), "4", "two orders at each of two buildings");
    cluster.stop(Ending::Crash).unwrap();
    for (site, _tenant) in &sites {
        let mut charger = site.approved_charger("C1").await;
        let blocked = charger.start("04A1B2C3", 0).await;
        assert_eq!(blocked["idTagInfo"]["status"], "Blocked", "{blocked}");
        let added = charger.start("04AAAAAA", 0).await;
        assert_eq!(added["idTagInfo"]["status"], "Accepted", "the building decides alone: {added}");
    }
}

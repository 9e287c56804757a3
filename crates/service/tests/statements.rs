//! Tariffs and statements as programs use them: from the first tariff to a closed month.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails")]

mod support;

use domain::{
    ChargerId, ConnectorNumber, EndReason, Provenance, Session, SessionId, Tenant, TenantId, TenantKey, Timestamp,
    WattHours,
};
use serde_json::{Value, json};
use service::{Config, History};
use support::Site;

/// 2024-09-01 00:00 in Lisbon; before the clock of every test.
const SEPTEMBER_2024: i64 = 1_725_145_200_000;
const HOUR: i64 = 3_600_000;

fn tenant(id: i64, name: &str) -> Tenant {
    let key = TenantKey(u128::try_from(id).unwrap());
    Tenant::new(TenantId(id), key, name, format!("{id}.º Esq."), Timestamp(0))
}

fn session(id: i32, tenant: Option<i64>, hour: i64, wh: u64) -> Session {
    Session {
        id: SessionId(id),
        charger: ChargerId::new("C1").unwrap(),
        connector: ConnectorNumber(1),
        card: None,
        tenant: tenant.map(TenantId),
        started_at: Timestamp(SEPTEMBER_2024 + hour * HOUR),
        ended_at: Some(Timestamp(SEPTEMBER_2024 + (hour + 2) * HOUR)),
        meter_start: WattHours(u64::try_from(id).unwrap() * 100_000),
        meter_last: WattHours(u64::try_from(id).unwrap() * 100_000 + wh),
        energy: WattHours(wh),
        provenance: Provenance::Measured,
        end_reason: Some(EndReason::Card),
    }
}

fn with_sessions(config: &mut Config) {
    config.initial.tenants = vec![tenant(1, "Ana"), tenant(2, "Rui & Sons <b>")];
    let sessions = vec![session(1, Some(1), 10, 10_000), session(2, Some(2), 40, 5_005), session(3, None, 70, 1_000)];
    config.initial.history = Some(History { sessions, ..History::default() });
}

fn flat(price: &str) -> Value {
    json!({"versions": [{
        "name": "Simples", "valid_from": "2024-01-01",
        "energy": {"periods": [{"name": "Energia", "price_per_kwh": price}]},
        "taxes": [{"name": "IVA 23 %", "rate": {"percent": "23"}, "on": ["energy"]}]
    }]})
}

/// A whole month: no tariff, a wrong one, a right one; an obstacle, its acceptance, closing; files; the chain.
#[tokio::test]
async fn a_month_is_priced_settled_and_closed() {
    let site = Site::start_with(with_sessions).await;
    let months = site.get("statements").await;
    assert_eq!(months.status, 200, "{}", months.text);
    assert!(months.json["items"].as_array().unwrap().iter().any(|item| item["month"] == "2024-09"));
    let bare = site.get("statements/2024-09").await.json;
    assert!(bare["obstacles"].as_array().unwrap().iter().any(|one| one["code"] == "no_tariff"), "{bare:#}");

    let negative = site.ask("PUT", "tariffs", Some(flat("-0.1"))).await;
    assert_eq!((negative.status, negative.code()), (422, "invalid"));
    assert!(negative.json["detail"].as_str().unwrap().contains("below zero"), "{}", negative.text);
    let comma = site.ask("PUT", "tariffs", Some(flat("0,158"))).await;
    assert!(comma.status == 422 && comma.json["detail"].as_str().unwrap().contains("prices as 0.15"), "{}", comma.text);
    assert_eq!(site.get("tariffs").await.json["tariff"]["versions"], json!([]), "nothing changed");
    let tariff = site.ask("PUT", "tariffs", Some(flat("0.1580"))).await;
    assert_eq!(tariff.status, 200, "{}", tariff.text);
    assert_eq!(tariff.json["calendars"][0]["winter"][0].as_array().unwrap().len(), 96);

    let month = site.get("statements/2024-09").await.json;
    assert_eq!(month["energy_wh"], 16_005);
    // 10 kWh * 0.158 = 1.58 + 0.36; 5.005 * 0.158 = 0.79079 + 0.18; 1 * 0.158 = 0.16 + 0.04.
    let totals: Vec<&str> =
        month["tenants"].as_array().unwrap().iter().map(|row| row["total"].as_str().unwrap()).collect();
    assert_eq!(totals, ["1.94", "0.97"]);
    assert_eq!((month["unassigned"]["total"].as_str(), month["total"].as_str()), (Some("0.20"), Some("3.11")));
    let refused = site.post("statements/2024-09/close", json!({})).await;
    assert_eq!(refused.status, 409, "{}", refused.text);

    let open: Vec<&Value> = month["obstacles"].as_array().unwrap().iter().collect();
    assert_eq!(open.len(), 1, "{open:#?}");
    assert_eq!((open[0]["code"].as_str(), open[0]["session_id"].as_i64()), (Some("no_tenant"), Some(3)));
    let path = "statements/2024-09/decisions";
    let unknown = site.ask("PUT", path, Some(json!({"key": "session/9/no_tenant", "reason": "x"}))).await;
    assert_eq!(unknown.status, 404);
    let accepted = site.ask("PUT", path, Some(json!({"key": open[0]["key"], "reason": "The building pays"}))).await;
    assert_eq!(accepted.json["obstacles"][0]["accepted"], "The building pays", "{}", accepted.text);
    let closed = site.post("statements/2024-09/close", json!({})).await;
    assert_eq!((closed.status, closed.json["state"].as_str()), (200, Some("closed")), "{}", closed.text);
    assert_eq!(site.post("statements/2024-09/close", json!({})).await.status, 409);
    assert_eq!(site.ask("PUT", path, Some(json!({"key": "x", "reason": "y"}))).await.status, 409);

    // A new price does not touch what is closed.
    assert_eq!(site.ask("PUT", "tariffs", Some(flat("9.9"))).await.status, 200);
    assert_eq!(site.get("statements/2024-09").await.json["total"], "3.11");
    let chain = site.get("statement-chain").await.json;
    assert_eq!((chain["whole"].as_bool(), chain["documents"].as_u64()), (Some(true), Some(4)), "{chain}");

    let own = site.get("statements/2024-09?tenant_id=1").await.json;
    assert_eq!((own["row"]["total"].as_str(), own["lines"][0]["amount"].as_str()), (Some("1.94"), Some("1.58")));
    assert_eq!(site.get("statements/2024-09?tenant_id=99").await.status, 404);
    let pdf = site.get("statements/2024-09?format=pdf&tenant_id=2").await;
    assert!(pdf.text.starts_with("%PDF-") && pdf.head.contains("application/pdf"), "{}", pdf.head);
    assert!(
        pdf.head.contains("filename=\"2024-09_2-o-Esq_Rui-Sons-b_2.pdf\"") || pdf.head.contains("Rui-Sons"),
        "{}",
        pdf.head
    );
    assert!(site.get("statements/2024-09?format=xlsx").await.text.starts_with("PK"));
    let csv = site.get("statements/2024-09?format=csv&dialect=semicolon&language=pt-PT").await;
    assert!(csv.text.contains("2024-09;1.º Esq.;Ana;1;10,000;1,58;0,36;1,94;EUR"), "{}", csv.text);
    for path in ["statements/2024-13", "statements/2024-09?format=doc", "statements/2024-09?language=fr"] {
        assert_eq!(site.get(path).await.status, 422, "{path}");
    }
}

/// All tenants at once: progress, the archive, and what a cancelled or unknown job says.
#[tokio::test]
async fn all_statements_come_in_one_archive() {
    let site = Site::start_with(with_sessions).await;
    assert_eq!(site.ask("PUT", "tariffs", Some(flat("0.1580"))).await.status, 200);
    let job = site.post("statements/2024-09/export", json!({"format": "pdf"})).await;
    assert_eq!((job.status, job.json["total"].as_u64()), (202, Some(3)), "{}", job.text);
    let path = format!("statement-jobs/{}", job.json["id"]);
    let done = site.until(&path, |job| job["state"] != "running").await;
    assert_eq!((done["state"].as_str(), done["done"].as_u64()), (Some("done"), Some(3)), "{done}");
    let archive = site.get(&format!("{path}/file")).await;
    assert!(archive.text.starts_with("PK") && archive.text.contains("2024-09_summary.pdf"));
    assert_eq!(site.get("statement-jobs/99").await.status, 404);
    assert_eq!(site.post("statements/2024-09/export", json!({"format": "exe"})).await.status, 422);
}

/// A letterhead that is no picture, a mail server that makes no sense, an e-mail of an open month: each refused in
/// words, and nothing is kept.
#[tokio::test]
async fn wrong_settings_are_refused() {
    let site = Site::start_with(with_sessions).await;
    let wrong = site.ask("PUT", "letterhead", Some(json!({"name": "X", "logo_base64": "JVBERi0xLjc="}))).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.json["detail"].as_str().unwrap().contains("PNG or JPEG"), "{}", wrong.text);
    assert_eq!(site.get("letterhead").await.json["name"], "");
    let right = json!({"name": "Condomínio X", "lines": ["Rua 1"], "language": "pt-BR", "mid_chargers": ["C1"]});
    assert_eq!(site.ask("PUT", "letterhead", Some(right)).await.json["language"], "pt-BR");
    assert_eq!(site.post("statements/2024-09/send", json!({})).await.status, 409);
    for mail in [
        json!({"host": "mail.example", "from": "nobody"}),
        json!({"host": "mail.example", "from": "a@example.pt", "security": "none"}),
        json!({"host": "mail.example", "from": "a@example.pt", "security": "maybe"}),
    ] {
        assert_eq!(site.ask("PUT", "mail", Some(mail.clone())).await.status, 422, "{mail}");
    }
    let kept = site
        .ask("PUT", "mail", Some(json!({"host": "localhost", "from": "A <a@example.pt>", "security": "none", "user": "a", "password": "secret"})))
        .await;
    assert_eq!((kept.status, kept.json["port"].as_u64()), (200, Some(25)), "{}", kept.text);
    assert!(!kept.text.contains("secret") && !kept.json["password_in"].as_str().unwrap().is_empty(), "{}", kept.text);
}

/// A mail server as far as it is needed: takes every letter and gives its text.
async fn mail_server() -> (u16, tokio::sync::mpsc::Receiver<String>) {
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (letters, received) = tokio::sync::mpsc::channel(8);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (read, mut write) = stream.into_split();
            let mut lines = BufReader::new(read).lines();
            write.write_all(b"220 ready\r\n").await.unwrap();
            let (mut letter, mut in_letter) = (String::new(), false);
            while let Ok(Some(line)) = lines.next_line().await {
                if in_letter && line != "." {
                    letter.push_str(&line);
                    letter.push('\n');
                    continue;
                }
                let answer = match line.split(' ').next().unwrap_or_default() {
                    "DATA" => {
                        in_letter = true;
                        "354 go on"
                    }
                    "." => {
                        in_letter = false;
                        letters.send(std::mem::take(&mut letter)).await.unwrap();
                        "250 taken"
                    }
                    "QUIT" => "221 bye",
                    "EHLO" => "250 mail.example",
                    _ if line.contains("nobody@") => "550 no such mailbox",
                    _ => "250 ok",
                };
                write.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
            }
        }
    });
    (port, received)
}

/// Every tenant with an address gets their own PDF through the manager's server; who has none, or whom the server
/// refuses, is in the list with the reason.
#[tokio::test]
async fn statements_are_sent_through_the_managers_server() {
    let site = Site::start_with(|config| {
        with_sessions(config);
        let mail = |tenant: &mut Tenant, address: &str| tenant.contact.email = address.to_owned();
        config.initial.tenants.push(tenant(3, "Eva"));
        mail(&mut config.initial.tenants[0], "ana@example.pt");
        mail(&mut config.initial.tenants[2], "nobody@example.pt");
        config.initial.history.as_mut().unwrap().sessions.push(session(4, Some(3), 100, 2_000));
    })
    .await;
    assert_eq!(site.ask("PUT", "tariffs", Some(flat("0.1580"))).await.status, 200);
    let decision = json!({"key": "session/3/no_tenant", "reason": "The building pays"});
    assert_eq!(site.ask("PUT", "statements/2024-09/decisions", Some(decision)).await.status, 200);
    assert_eq!(site.post("statements/2024-09/close", json!({})).await.status, 200);
    assert_eq!(site.post("statements/2024-09/send", json!({})).await.status, 409, "no server yet");
    let (port, mut letters) = mail_server().await;
    let mail = json!({"host": "localhost", "port": port, "security": "none", "from": "Condomínio <admin@example.pt>"});
    assert_eq!(site.ask("PUT", "mail", Some(mail)).await.status, 200);
    let job = site.post("statements/2024-09/send", json!({})).await;
    assert_eq!((job.status, job.json["total"].as_u64()), (202, Some(3)), "{}", job.text);
    let path = format!("statement-jobs/{}", job.json["id"]);
    let done = site.until(&path, |job| job["state"] != "running").await;
    assert_eq!((done["state"].as_str(), done["done"].as_u64()), (Some("done"), Some(3)), "{done}");
    let letter = letters.recv().await.unwrap();
    assert!(letter.contains("To: ana@example.pt") && letter.contains("application/pdf"), "{letter:.600}");
    assert!(letters.try_recv().is_err(), "nobody else got one");
    let list = site.get("statements/2024-09/deliveries").await.json;
    let said: Vec<(&str, bool)> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["name"].as_str().unwrap(), one["sent"].as_bool().unwrap()))
        .collect();
    assert_eq!(said, [("Eva", false), ("Rui & Sons <b>", false), ("Ana", true)]);
    let detail = |index: usize| list["items"][index]["detail"].as_str().unwrap().to_owned();
    assert!(detail(0).contains("no such mailbox"), "{}", detail(0));
    assert!(detail(1).contains("no e-mail address"), "{}", detail(1));
}

//! Chargers leave diagnostics and fetch firmware: asked by the `ocpp` package as a charger, carried by a plain HTTP client.

use serde_json::json;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use tests::{Api, ForeignCharger, Meshwatt, approve_charger, until};

/// A request of a client that knows nothing but an address; the answer as it came.
fn request(method: &str, location: &str, body: &[u8]) -> (String, Vec<u8>) {
    request_with(method, location, "", body)
}

fn request_with(method: &str, location: &str, headers: &str, body: &[u8]) -> (String, Vec<u8>) {
    let rest = location.strip_prefix("http://").expect("chargers get plain addresses");
    let (host, path) = rest.split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let head = format!(
        "{method} /{path} HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|part| part == b"\r\n\r\n").unwrap();
    (String::from_utf8_lossy(&answer[..end]).into_owned(), answer[end + 4..].to_vec())
}

fn connected(program: &Meshwatt, api: &Api) -> ForeignCharger {
    let mut charger = ForeignCharger::connect(&program.charger_url("CP1"), "CP1");
    let boot = json!({"charge_point_vendor": "Foreign", "charge_point_model": "PyPI"});
    assert_eq!(charger.call("BootNotification", boot.clone())["status"], "Pending");
    approve_charger(api, "CP1");
    until("the boot to be accepted", || {
        (charger.call("BootNotification", boot.clone())["status"] == "Accepted").then_some(())
    });
    charger
}

/// Protects the way of diagnostics: the charger is told a place nobody can guess, leaves a file there, and the manager
/// finds it under the charger's name; other places take nothing.
#[test]
fn diagnostics_arrive_and_can_be_downloaded() {
    let directory = tempfile::tempdir().unwrap();
    let program = Meshwatt::serve_with(directory.path(), &["--files", "127.0.0.1:0"]);
    let api = program.api();
    let charger = connected(&program, api);
    let _accepted = api.post("chargers/CP1/operations", &json!({"operation": "get_diagnostics"})).ok();
    let asked = charger.asked("GetDiagnostics", |_any| true);
    let place = asked["location"].as_str().unwrap();
    let (head, _) = request("PUT", &format!("{place}log%202026.txt"), b"all is well");
    assert!(head.starts_with("HTTP/1.1 201"), "{head}");
    let files = api.items("files");
    let file = files.iter().find(|file| !file["bytes"].is_null()).expect("the file is listed");
    assert_eq!((&file["charger"], &file["name"]), (&json!("CP1"), &json!("log 2026.txt")), "{file}");
    let content = api.get(&format!("files/{}/content", file["id"].as_str().unwrap())).text;
    assert_eq!(content, "all is well");
    let form = "--b\r\nContent-Disposition: form-data; name=\"comment\"\r\n\r\nhello\r\n--b\r\nContent-Disposition: form-data; \
        name=\"file\"; filename=\"C:\\\\logs\\\\second.zip\"\r\nContent-Type: application/zip\r\n\r\nPK--inside--\r\n--b--\r\n";
    let head = request_with("POST", place, "Content-Type: multipart/form-data; boundary=b\r\n", form.as_bytes()).0;
    assert!(head.starts_with("HTTP/1.1 201"), "a form is taken, too: {head}");
    let files = api.items("files");
    let file = files.iter().find(|file| file["name"] == "second.zip").expect("the file of the form is listed");
    assert_eq!(api.get(&format!("files/{}/content", file["id"].as_str().unwrap())).text, "PK--inside--");
    let (head, _) = request("PUT", &format!("http://{}/upload/0123/x", program.address("files")), b"spam");
    assert!(head.starts_with("HTTP/1.1 404"), "a place nobody asked for takes nothing: {head}");
    let (head, _) = request("GET", &format!("http://{}/", program.address("files")), b"");
    assert!(head.starts_with("HTTP/1.1 404"), "nothing is listed: {head}");
}

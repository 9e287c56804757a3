//! Statements by e-mail through real SMTP servers (the package aiosmtpd), with TLS of both kinds and a password.

use crate::books::{PROGRAM, ask, closed_month};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Lines};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// Longest wait for anything; reached only when a test fails.
const PATIENCE: Duration = Duration::from_secs(300);

/// A program that tells things on stdout, ended with the test.
struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn next(&mut self) -> Value {
        serde_json::from_str(&self.lines.next().expect("the program ended").unwrap()).unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn python() -> PathBuf {
    std::env::var_os("MESHWATT_TEST_PYTHON").map_or_else(
        || std::env::current_exe().unwrap().ancestors().nth(3).unwrap().join("python/bin/python"),
        PathBuf::from,
    )
}

/// A certificate for this computer that signs itself: the files of certificate and key.
fn certificate(dir: &Path, name: &str) -> [PathBuf; 2] {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let files = ["pem", "key"].map(|end| dir.join(format!("{name}.{end}")));
    std::fs::write(&files[0], made.cert.pem()).unwrap();
    std::fs::write(&files[1], made.signing_key.serialize_pem()).unwrap();
    files
}

struct Building {
    http: SocketAddr,
    token: String,
    _program: Process,
}

impl Building {
    /// The program on a folder, on a computer that trusts one more certificate.
    fn start(dir: &Path, trusted: &Path) -> Self {
        let mut command = Command::new(PROGRAM);
        command.args(["serve", "--http", "127.0.0.1:0", "--ocpp", "127.0.0.1:0", "--mqtt", "127.0.0.1:0"]);
        command.args(["--secrets", "file", "--data-dir"]).arg(dir).env("SSL_CERT_FILE", trusted);
        let mut program = Process::start(command.stderr(Stdio::null()));
        let http = program.next()["http"].as_str().unwrap().parse().unwrap();
        let token = std::fs::read_to_string(dir.join("api.token")).unwrap();
        Self { http, token, _program: program }
    }

    async fn ask(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = ask(self.http, &self.token, method, path, body).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    /// Sends the month to everyone through a server; what the list says of each of the newest two, by name.
    async fn send(&self, port: &Value, security: &str, password: &str) -> [(bool, String); 2] {
        let mail = json!({"host": "localhost", "port": port, "security": security, "user": "gestor@example.pt",
            "password": password, "from": "Condomínio <gestor@example.pt>"});
        self.ask("PUT", "mail", mail).await;
        let job = self.ask("POST", "statements/2024-09/send", json!({})).await;
        let path = format!("statement-jobs/{}", job["id"]);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let job = self.ask("GET", &path, Value::Null).await;
            if job["state"] != "running" {
                assert_eq!((&job["state"], &job["done"]), (&json!("done"), &json!(2)), "{job}");
                break;
            }
            assert!(Instant::now() < deadline, "{job}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let list = self.ask("GET", "statements/2024-09/deliveries", Value::Null).await;
        ["Ana Pires", "João Sá"].map(|name| {
            let one = list["items"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap();
            (one["sent"].as_bool().unwrap(), one["detail"].as_str().unwrap().to_owned())
        })
    }
}

/// What people rely on: with TLS of either kind and the right password a letter arrives with the tenant's own PDF and
/// readable Portuguese; a mailbox the server refuses, a wrong password and a certificate that this computer does not trust
/// are each in the list with the server's or the program's words, and nothing is sent in the clear.
#[tokio::test]
async fn statements_arrive_through_a_real_server() {
    let dir = closed_month().await;
    let (ours, strange) = (certificate(dir.path(), "ours"), certificate(dir.path(), "strange"));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/statements/smtp_server.py");
    let mut server = Process::start(Command::new(python()).arg(script).args(&ours).args(&strange));
    let ports = server.next()["ports"].clone();
    let building = Building::start(dir.path(), &ours[0]);

    for security in ["tls", "starttls"] {
        let [ana, joao] = building.send(&ports[security], security, "pá ss:wörd").await;
        assert!(ana.0, "{security}: {}", ana.1);
        assert!(!joao.0 && joao.1.contains("no such mailbox"), "{security}: {}", joao.1);
        let letter = server.next()["letter"].clone();
        assert_eq!(letter["envelope_to"], json!(["ana@example.pt"]));
        assert_eq!(letter["from"], "Condomínio <gestor@example.pt>");
        assert!(
            letter["subject"].as_str().unwrap().ends_with("extrato de carregamentos de setembro de 2024"),
            "{letter}"
        );
        assert!(letter["text"].as_str().unwrap().contains("não serve de fatura"), "{letter}");
        let file = json!({"name": "2024-09_1-Esq_Ana-Pires_1.pdf", "type": "application/pdf", "is_pdf": true});
        assert_eq!(letter["files"], json!([file]));
    }
    let [wrong, _] = building.send(&ports["tls"], "tls", "guess").await;
    assert!(!wrong.0 && wrong.1.contains("535"), "{}", wrong.1);
    let [strange, _] = building.send(&ports["strange"], "tls", "pá ss:wörd").await;
    assert!(!strange.0 && strange.1.to_lowercase().contains("certificate"), "{}", strange.1);
}

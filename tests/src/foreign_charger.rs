//! The `ocpp` package from PyPI as a charger, told what to do line by line.

use crate::{Lines, foreign, python, until};
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

/// A charger that nobody here wrote.
pub struct ForeignCharger {
    child: Child,
    input: ChildStdin,
    output: Lines,
    errors: Lines,
    answers_seen: usize,
}

impl ForeignCharger {
    /// Connects to `url` as `id`.
    #[must_use]
    pub fn connect(url: &str, id: &str) -> Self {
        Self::connect_with(url, id, &[])
    }

    /// Connects with the files of TLS: the authority to trust, then a certificate and its key.
    #[must_use]
    pub fn connect_with(url: &str, id: &str, files: &[&Path]) -> Self {
        let mut child = Self::command(url, id, files)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("Python starts; cargo xtask setup prepares it");
        let output = Lines::collect(child.stdout.take().unwrap());
        let errors = Lines::collect(child.stderr.take().unwrap());
        let input = child.stdin.take().unwrap();
        let charger = Self { child, input, output, errors, answers_seen: 0 };
        until("the foreign charger to connect", || charger.output.find("\"connected\": \"ocpp1.6\""));
        charger
    }

    /// Tries to connect, which must fail; what the package says about it.
    #[must_use]
    pub fn refused(url: &str, id: &str, files: &[&Path]) -> String {
        let output = Self::command(url, id, files).stdin(Stdio::null()).output().expect("Python starts");
        assert!(!output.status.success(), "{url} must be refused");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    fn command(url: &str, id: &str, files: &[&Path]) -> Command {
        let mut command = Command::new(python());
        command.arg(foreign("ocpp_charger.py")).args([url, id]).args(files);
        command
    }

    /// Sends a request with the package's own field names and returns the answer, which the package has checked.
    #[track_caller]
    pub fn call(&mut self, action: &str, payload: Value) -> Value {
        writeln!(self.input, "{}", json!({"call": action, "payload": payload})).unwrap();
        let answer = until(&format!("the answer to {action}"), || {
            self.events()
                .into_iter()
                .filter(|event| event["asked"].is_null() && event["connected"].is_null())
                .nth(self.answers_seen)
        });
        self.answers_seen += 1;
        assert_eq!(answer["answer"], action, "{answer}\n{}", self.errors.all().join("\n"));
        answer["payload"].clone()
    }

    /// Waits until the central system asked for `action` in a way that `wanted` recognises.
    #[track_caller]
    pub fn asked(&self, action: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        until(&format!("the central system to ask for {action}"), || {
            let asked = self.events().into_iter().filter(|event| event["asked"] == action);
            asked.map(|event| event["payload"].clone()).find(&wanted)
        })
    }

    /// Everything it told so far.
    #[must_use]
    pub fn events(&self) -> Vec<Value> {
        self.output.all().iter().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }
}

impl Drop for ForeignCharger {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the foreign charger told:\n{}\n{}", self.output.all().join("\n"), self.errors.all().join("\n"));
        }
        // It may have ended already; both calls then fail harmlessly.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

//! A headless Chromium, driven through ChromeDriver by the few calls of the WebDriver standard needed here.

use crate::{Lines, until};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Longest a single WebDriver call may take; starting a browser on a busy machine is the slowest.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);

/// A browser with an empty profile.
pub struct Browser {
    driver: Child,
    agent: ureq::Agent,
    /// Address of the WebDriver session.
    session: String,
    _profile: TempDir,
}

impl Browser {
    /// Starts ChromeDriver on a free port and a browser of the given size.
    #[must_use]
    pub fn start(width: u32, height: u32) -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts; cargo xtask setup installs it");
        let lines = Lines::collect(driver.stdout.take().unwrap());
        let line = until("ChromeDriver to name its port", || lines.find("successfully on port "));
        let port: String = line.rsplit("on port ").next().unwrap().chars().take_while(char::is_ascii_digit).collect();
        let config =
            ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(CALL_TIMEOUT)).build();
        let profile = tempfile::tempdir().unwrap();
        let mut browser = Self {
            driver,
            agent: config.into(),
            session: format!("http://127.0.0.1:{port}/session"),
            _profile: profile,
        };
        let options = json!({"args": browser.arguments(width, height), "binary": chromium()});
        let made = browser
            .call("", Some(&json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}})))
            .expect("Chromium starts");
        browser.session = format!("{}/{}", browser.session, made["sessionId"].as_str().unwrap());
        browser
    }

    fn arguments(&self, width: u32, height: u32) -> Vec<String> {
        let mut arguments: Vec<String> = [
            "--headless=new",
            "--no-sandbox",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            "--use-angle=swiftshader",
            "--enable-unsafe-swiftshader",
        ]
        .map(str::to_owned)
        .to_vec();
        arguments.push(format!("--window-size={width},{height}"));
        arguments.push(format!("--user-data-dir={}", self._profile.path().display()));
        arguments
    }

    /// Opens an address.
    pub fn open(&self, url: &str) {
        self.call("/url", Some(&json!({"url": url}))).unwrap_or_else(|error| panic!("{url}: {error}"));
    }

    /// Runs JavaScript in the page (`return …` gives a value).
    #[track_caller]
    #[must_use]
    pub fn script(&self, script: &str, arguments: &[Value]) -> Value {
        self.call("/execute/sync", Some(&json!({"script": script, "args": arguments})))
            .unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Title of the page.
    #[must_use]
    pub fn title(&self) -> String {
        self.call("/title", None).unwrap().as_str().unwrap_or_default().to_owned()
    }

    /// What everything on the page says: the console mirrors its canvas into real elements.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        let script = "return [...document.querySelectorAll('#mirror *')]
            .map(e => [e.getAttribute('aria-label'), e.textContent.trim()].filter(Boolean).join(': '));";
        let texts = self.script(script, &[]);
        texts.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
    }

    /// Waits until something on the page says what `wanted` recognises, and returns it.
    #[track_caller]
    pub fn wait_text(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let mut last = Vec::new();
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            until(what, || {
                last = self.texts();
                last.iter().find(|text| wanted(text)).cloned()
            })
        }));
        found.unwrap_or_else(|_told| panic!("the page never showed {what}; it says {last:#?}"))
    }

    /// Text of the element with this handle, when it is there.
    #[must_use]
    pub fn value_of(&self, handle: &str) -> Option<String> {
        let script = "return document.querySelector(`[data-id=\"${arguments[0]}\"]`)?.textContent ?? null;";
        self.script(script, &[json!(handle)]).as_str().map(str::to_owned)
    }

    /// Waits for the button or tab with exactly this name and activates it as a screen reader would.
    #[track_caller]
    pub fn activate(&self, name: &str) {
        let script = "const e = [...document.querySelectorAll('#mirror button')]
            .find(e => !e.disabled && (e.getAttribute('aria-label') || e.textContent.trim()) === arguments[0]);
            if (e) e.click();
            return !!e;";
        until(&format!("a button named {name:?}"), || {
            self.script(script, &[json!(name)]).as_bool().filter(|done| *done)
        });
    }

    /// Waits for the field with exactly this name and types into it.
    #[track_caller]
    pub fn fill(&self, name: &str, text: &str) {
        let script = "const e = [...document.querySelectorAll('#mirror input')]
            .find(e => e.getAttribute('aria-label') === arguments[0]);
            if (e) { e.value = arguments[1]; e.dispatchEvent(new Event('input', {bubbles: true})); }
            return !!e;";
        until(&format!("a field named {name:?}"), || {
            self.script(script, &[json!(name), json!(text)]).as_bool().filter(|done| *done)
        });
    }

    /// A picture of the page as PNG.
    pub fn picture(&self, file: &Path) {
        let script = "base64 -d";
        let encoded = self.call("/screenshot", None).unwrap();
        let mut decoder = Command::new("sh")
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(std::fs::File::create(file).unwrap())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut decoder.stdin.take().unwrap(), encoded.as_str().unwrap().as_bytes()).unwrap();
        assert!(decoder.wait().unwrap().success(), "the picture is no base64");
    }

    fn call(&self, path: &str, body: Option<&Value>) -> Result<Value, String> {
        let url = format!("{}{path}", self.session);
        let outcome = match body {
            Some(body) => self.agent.post(&url).content_type("application/json").send(body.to_string()),
            None => self.agent.get(&url).call(),
        };
        let mut response = outcome.map_err(|error| error.to_string())?;
        let status = response.status();
        let text = response
            .body_mut()
            .with_config()
            .limit(64 * 1024 * 1024)
            .read_to_string()
            .map_err(|error| error.to_string())?;
        if !status.is_success() {
            return Err(text);
        }
        let value: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        Ok(value["value"].clone())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        drop(self.agent.delete(&self.session).call());
        // It may have ended already; both calls then fail harmlessly.
        drop(self.driver.kill());
        drop(self.driver.wait());
    }
}

fn chromium() -> &'static str {
    ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
        .into_iter()
        .find(|path| Path::new(path).exists())
        .expect("Chromium is installed; cargo xtask setup does it")
}

//! The HTTP API as another program on the same computer uses it: with the token.

use serde_json::Value;
use std::time::Duration;

/// Longest a single call may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(20);

/// A client of `/api/v1`.
#[derive(Clone, Debug)]
pub struct Api {
    agent: ureq::Agent,
    address: String,
    token: String,
}

/// An answer, whatever its status.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body; `null` when it is not JSON.
    pub body: Value,
    /// The body as text.
    pub text: String,
}

impl Answer {
    /// The body of a successful answer.
    #[track_caller]
    #[must_use]
    pub fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "the API answered {}: {}", self.status, self.text);
        self.body
    }
}

impl Api {
    /// A client for the service at `address`, such as `127.0.0.1:8480`.
    #[must_use]
    pub fn new(address: &str, token: &str) -> Self {
        let config =
            ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(CALL_TIMEOUT)).build();
        Self { agent: config.into(), address: address.to_owned(), token: token.trim().to_owned() }
    }

    /// Where the service answers.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// `GET /api/v1/{path}`.
    #[track_caller]
    #[must_use]
    pub fn get(&self, path: &str) -> Answer {
        self.try_get(path).expect("the service answers")
    }

    /// As [`Self::get`], for a service that may be gone.
    #[must_use]
    pub fn try_get(&self, path: &str) -> Option<Answer> {
        let request = self.agent.get(self.url(path)).header("Authorization", self.bearer());
        answer(request.call())
    }

    /// `POST`.
    #[track_caller]
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        let request = self.agent.post(self.url(path));
        self.send(request, body)
    }

    /// `PUT`.
    #[track_caller]
    pub fn put(&self, path: &str, body: &Value) -> Answer {
        let request = self.agent.put(self.url(path));
        self.send(request, body)
    }

    /// `PATCH`.
    #[track_caller]
    pub fn patch(&self, path: &str, body: &Value) -> Answer {
        let request = self.agent.patch(self.url(path));
        self.send(request, body)
    }

    /// `DELETE`.
    #[track_caller]
    pub fn delete(&self, path: &str) -> Answer {
        let request = self.agent.delete(self.url(path)).header("Authorization", self.bearer());
        answer(request.call()).expect("the service answers")
    }

    /// Items of a list.
    #[track_caller]
    #[must_use]
    pub fn items(&self, path: &str) -> Vec<Value> {
        let body = self.get(path).ok();
        body["items"].as_array().unwrap_or_else(|| panic!("{path} has no items: {body}")).clone()
    }

    /// State of one part of the program, `ok` or `degraded`: `store`, `broker`, `ocpp`, `control` or `meters`.
    #[must_use]
    pub fn part(&self, name: &str) -> String {
        let health = self.get("health").body;
        let parts = health["parts"].as_array().into_iter().flatten();
        let found =
            parts.filter(|part| part["name"] == name).find_map(|part| part["status"].as_str().map(str::to_owned));
        found.unwrap_or_else(|| panic!("no part {name} in {health}"))
    }

    /// Whether every part works; the meters' part apart, which waits for a meter in most tests.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        ["store", "broker", "ocpp", "control"].iter().all(|part| self.part(part) == "ok")
    }

    /// The item of a list with this `id`.
    #[must_use]
    pub fn item(&self, path: &str, id: &str) -> Option<Value> {
        self.items(path).into_iter().find(|item| item["id"] == id)
    }

    #[track_caller]
    fn send(&self, request: ureq::RequestBuilder<ureq::typestate::WithBody>, body: &Value) -> Answer {
        let request = request.header("Authorization", self.bearer()).content_type("application/json");
        answer(request.send(body.to_string())).expect("the service answers")
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/api/v1/{path}", self.address)
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }
}

fn answer(outcome: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Option<Answer> {
    let mut response = outcome.ok()?;
    let status = response.status().as_u16();
    let text = response.body_mut().read_to_string().ok()?;
    Some(Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::Null), text })
}

//! A station on a virtual clock, with a charger that answers as the test says.

#![allow(dead_code, reason = "each test file uses a part of the bench")]

use central_system::{Command, Gate, Input, Outcome, Output, Station, StationConfig};
use domain::{
    CardVerdict, ChargerEvent, ChargerId, ChargerSample, ConnectorNumber, DurationMs, Instant, MilliAmps, Now,
    ReplyKey, SessionId, StartRequest, StopRequest, TenantId, Timestamp,
};
use ocpp::frame::{Call, Frame};
use serde_json::{Value, json};

/// 2026-11-20T08:00:00Z
pub(crate) const MORNING_MS: i64 = 1_795_161_600_000;
pub(crate) const ONE: ConnectorNumber = ConnectorNumber(1);
pub(crate) const ACCEPTED: CardVerdict = CardVerdict::Accepted { tenant: TenantId(7) };

/// Answers of a charger that agrees with everything.
pub(crate) fn agreeable(_call: &Call) -> Option<Value> {
    Some(json!({ "status": "Accepted" }))
}

pub(crate) struct Bench {
    pub(crate) station: Station,
    pub(crate) now: Now,
    pub(crate) generation: u64,
    next_id: u32,
}

impl Bench {
    pub(crate) fn new(change: impl FnOnce(&mut StationConfig)) -> Self {
        let mut config = StationConfig::new(ChargerId::new("C1").unwrap());
        (config.approved, config.fallback) = (true, MilliAmps::from_amps(6));
        change(&mut config);
        let now = Now { instant: Instant(1_000_000), wall: Timestamp(MORNING_MS) };
        Self { station: Station::new(config), now, generation: 0, next_id: 0 }
    }

    /// An approved charger that has connected, booted and answered all of the set-up.
    pub(crate) fn ready() -> Self {
        let mut bench = Self::new(|_| ());
        bench.open();
        bench.boot();
        bench.settle(agreeable);
        bench
    }

    pub(crate) fn give(&mut self, input: Input<'_>) -> Vec<Output> {
        self.station.handle(self.now, input)
    }

    pub(crate) fn pass(&mut self, duration: DurationMs) {
        self.now = Now { instant: self.now.instant + duration, wall: self.now.wall + duration };
    }

    pub(crate) fn open(&mut self) -> Vec<Output> {
        self.generation += 1;
        let generation = self.generation;
        self.give(Input::Opened { generation })
    }

    pub(crate) fn close(&mut self) -> Vec<Output> {
        let generation = self.generation;
        self.give(Input::Closed { generation })
    }

    pub(crate) fn frame(&mut self, text: &str) -> Vec<Output> {
        let generation = self.generation;
        self.give(Input::Frame { generation, text })
    }

    /// The charger calls.
    pub(crate) fn call(&mut self, action: &str, payload: Value) -> Vec<Output> {
        self.next_id += 1;
        let text = json!([2, format!("c{}", self.next_id), action, payload]).to_string();
        self.frame(&text)
    }

    pub(crate) fn boot(&mut self) -> Vec<Output> {
        self.call("BootNotification", json!({ "chargePointVendor": "Volta", "chargePointModel": "One" }))
    }

    /// Seconds pass, one tick each; the charger answers each request at once, or not when `answer` is `None`.
    pub(crate) fn ticks(&mut self, seconds: u64, mut answer: impl FnMut(&Call) -> Option<Value>) -> Vec<Output> {
        let mut all = Vec::new();
        for _second in 0..seconds {
            self.pass(DurationMs::from_secs(1));
            let out = self.give(Input::Tick);
            let answered = self.answered(&out, &mut answer);
            all.extend(out);
            all.extend(answered);
        }
        all
    }

    /// Answers every request in these outputs, and those that follow.
    pub(crate) fn answered(
        &mut self,
        outputs: &[Output],
        answer: &mut impl FnMut(&Call) -> Option<Value>,
    ) -> Vec<Output> {
        let mut all = Vec::new();
        for call in requests(outputs) {
            let Some(payload) = answer(&call) else { continue };
            let text = match payload.get("error") {
                Some(code) => json!([4, call.id.as_str(), code, "", {}]).to_string(),
                None => json!([3, call.id.as_str(), payload]).to_string(),
            };
            let out = self.frame(&text);
            let more = self.answered(&out, answer);
            all.extend(out);
            all.extend(more);
        }
        all
    }

    /// Enough time for all that follows a connection.
    pub(crate) fn settle(&mut self, answer: impl FnMut(&Call) -> Option<Value>) -> Vec<Output> {
        self.ticks(40, answer)
    }

    /// The charger begins a session, which gets this identity.
    pub(crate) fn start(&mut self, session: i32) -> Vec<Output> {
        let payload = json!({ "connectorId": 1, "idTag": "04A1B2C3", "meterStart": 1000, "timestamp": self.text() });
        let out = self.call("StartTransaction", payload);
        let reply = started(&out).0;
        self.give(Input::StartAnswer { reply, session: SessionId(session), verdict: ACCEPTED })
    }

    /// Wants a limit and lets the charger answer.
    pub(crate) fn limit(&mut self, limit: MilliAmps, mut answer: impl FnMut(&Call) -> Option<Value>) -> Vec<Output> {
        let mut out = self.give(Input::SetLimit { connector: ONE, limit });
        out.extend(self.answered(&out.clone(), &mut answer));
        out
    }

    pub(crate) fn command(&mut self, command: Command) -> Vec<Output> {
        self.give(Input::Command { id: 9, command })
    }

    /// Our present as OCPP text.
    pub(crate) fn text(&self) -> String {
        ocpp::DateTime::from_unix_ms(self.now.wall.0).as_str().to_owned()
    }
}

/// Requests of ours among outputs.
pub(crate) fn requests(outputs: &[Output]) -> Vec<Call> {
    let texts = outputs.iter().filter_map(|output| match output {
        Output::Send { text, gate } => Some((text, gate)),
        _ => None,
    });
    let frames = texts.map(|(text, gate)| (Frame::parse(text).unwrap(), *gate));
    let calls = frames.filter_map(|(frame, gate)| match frame {
        Frame::Call(call) => {
            assert_eq!(gate, Gate::Now, "a request waits for nothing");
            Some(call)
        }
        Frame::Result(_) | Frame::Error(_) => None,
    });
    calls.collect()
}

/// Requests of one action, payloads as JSON.
pub(crate) fn asked(outputs: &[Output], action: &str) -> Vec<Value> {
    let calls = requests(outputs).into_iter().filter(|call| call.action == action);
    calls.map(|call| serde_json::from_str(&call.payload).unwrap()).collect()
}

/// Answers of ours among outputs: payload or `[code, description]`, and the gate.
pub(crate) fn answers(outputs: &[Output]) -> Vec<(Value, Gate)> {
    let texts = outputs.iter().filter_map(|output| match output {
        Output::Send { text, gate } => Some((text, *gate)),
        _ => None,
    });
    let answers = texts.filter_map(|(text, gate)| match Frame::parse(text).unwrap() {
        Frame::Result(result) => Some((serde_json::from_str(&result.payload).unwrap(), gate)),
        Frame::Error(error) => Some((json!([error.code, error.description]), gate)),
        Frame::Call(_) => None,
    });
    answers.collect()
}

/// The one answer among outputs.
pub(crate) fn answer(outputs: &[Output]) -> Value {
    let all = answers(outputs);
    assert_eq!(all.len(), 1, "{outputs:?}");
    all[0].0.clone()
}

pub(crate) fn events(outputs: &[Output]) -> Vec<ChargerEvent> {
    let events = outputs.iter().filter_map(|output| match output {
        Output::Event(event) => Some(event.clone()),
        _ => None,
    });
    events.collect()
}

pub(crate) fn samples(outputs: &[Output]) -> Vec<ChargerSample> {
    let samples = events(outputs).into_iter().filter_map(|event| match event {
        ChargerEvent::Measured { sample, .. } => Some(sample),
        _ => None,
    });
    samples.collect()
}

pub(crate) fn started(outputs: &[Output]) -> (ReplyKey, StartRequest) {
    let found = events(outputs).into_iter().find_map(|event| match event {
        ChargerEvent::SessionStarted { reply, request } => Some((reply, request)),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("no session began: {outputs:?}"))
}

pub(crate) fn stopped(outputs: &[Output]) -> (ReplyKey, StopRequest) {
    let found = events(outputs).into_iter().find_map(|event| match event {
        ChargerEvent::SessionStopped { reply, request } => Some((reply, request)),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("no session ended: {outputs:?}"))
}

pub(crate) fn tapped(outputs: &[Output]) -> (ReplyKey, String) {
    let found = events(outputs).into_iter().find_map(|event| match event {
        ChargerEvent::CardTapped { reply, card, .. } => Some((reply, card.as_str().to_owned())),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("no card was tapped: {outputs:?}"))
}

pub(crate) fn notices(outputs: &[Output]) -> Vec<String> {
    let notices = outputs.iter().filter_map(|output| match output {
        Output::Notice(text) => Some(text.clone()),
        _ => None,
    });
    notices.collect()
}

pub(crate) fn outcomes(outputs: &[Output]) -> Vec<(u64, Outcome, String)> {
    let outcomes = outputs.iter().filter_map(|output| match output {
        Output::CommandDone { id, outcome, answer } => Some((*id, *outcome, answer.clone())),
        _ => None,
    });
    outcomes.collect()
}

/// Whether the charger agreed to limits, in order, with the limits.
pub(crate) fn limits_answered(outputs: &[Output]) -> Vec<(MilliAmps, bool)> {
    let answered = events(outputs).into_iter().filter_map(|event| match event {
        ChargerEvent::LimitAnswered { limit, accepted, .. } => Some((limit, accepted)),
        _ => None,
    });
    answered.collect()
}

/// Purpose, kind, stack level, unit and limit of every profile we asked for.
pub(crate) fn profiles(outputs: &[Output]) -> Vec<String> {
    let requests = asked(outputs, "SetChargingProfile");
    let texts = requests.iter().map(|request| {
        let profile = &request["csChargingProfiles"];
        let schedule = &profile["chargingSchedule"];
        format!(
            "{} {} {} {} {}",
            profile["chargingProfilePurpose"].as_str().unwrap(),
            profile["chargingProfileKind"].as_str().unwrap(),
            profile["stackLevel"],
            schedule["chargingSchedulePeriod"][0]["limit"],
            schedule["chargingRateUnit"].as_str().unwrap(),
        )
    });
    texts.collect()
}

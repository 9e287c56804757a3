//! Reading and writing whole messages.

use super::{
    AvailableLoad, ChargerLoad, ChargerOrder, ChargerStatus, Code, CounterLoad, CounterStatus, LimitAck, MANAGER,
    NewCharger, NewCounter, PAYLOAD_BYTES_MAX, Refused, Registered, VERSION,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// A message of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceMessage {
    /// Its name: user name and topic as well.
    pub from: String,
    /// Its own number of the message; the manager's answer carries it as `re`.
    pub id: Option<u64>,
    /// The manager's message this one answers.
    pub re: Option<u64>,
    /// What it says.
    pub body: DeviceBody,
}

/// What a device says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceBody {
    /// 0x001.
    NewCounter(NewCounter),
    /// 0x002.
    NewCharger(NewCharger),
    /// 0x011.
    DelCounter,
    /// 0x012.
    DelCharger,
    /// 0x021.
    CounterStatus(CounterStatus),
    /// 0x022.
    ChargerStatus(ChargerStatus),
    /// 0x031.
    CounterLoad(CounterLoad),
    /// 0x032.
    ChargerLoad(ChargerLoad),
    /// 0x033.
    LimitAck(LimitAck),
}

impl DeviceBody {
    /// The code it travels under.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::NewCounter(_) => Code::NewCounter,
            Self::NewCharger(_) => Code::NewCharger,
            Self::DelCounter => Code::DelCounter,
            Self::DelCharger => Code::DelCharger,
            Self::CounterStatus(_) => Code::CounterStatus,
            Self::ChargerStatus(_) => Code::ChargerStatus,
            Self::CounterLoad(_) => Code::CounterLoad,
            Self::ChargerLoad(_) => Code::ChargerLoad,
            Self::LimitAck(_) => Code::AvailableLoad,
        }
    }
}

/// A message of the manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagerMessage {
    /// The manager's number of the message.
    pub id: u64,
    /// The device's message this one answers.
    pub re: Option<u64>,
    /// What it says.
    pub body: ManagerBody,
}

/// What the manager says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ManagerBody {
    /// 0x001.
    CounterRegistered(Registered),
    /// 0x002.
    ChargerRegistered(Registered),
    /// 0x011.
    CounterRemoved,
    /// 0x012.
    ChargerRemoved,
    /// 0x022.
    Order(ChargerOrder),
    /// 0x033.
    AvailableLoad(AvailableLoad),
    /// The code of the refused message, or `0x000` when it had none.
    Refused(Option<Code>, Refused),
}

/// Why a payload is not a message of this protocol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No JSON object with the head every message has.
    #[error("Invalid Message: not a JSON object with v, code and from ({0})")]
    Malformed(String),
    /// Longer than any real message.
    #[error("Invalid Message: {0} bytes, at most 16384 are read")]
    TooLong(usize),
    /// A version of the payload nobody here speaks.
    #[error("Invalid Message: version {0}, this manager speaks version 1")]
    Version(u64),
    /// Published: no known code, or one only the other side may send.
    #[error("Invalid Message: message code")]
    Code,
    /// Published: a topic this message does not belong on.
    #[error("Invalid Message: message topic")]
    Topic,
    /// A load, voltage or register below zero.
    #[error("Invalid Message: negative load ({0} must not be below 0; use export_ma or export_w for what is fed in)")]
    Negative(String),
    /// The message names another device than the one that sent it.
    #[error("Invalid Message: from says {from}, but this connection belongs to {client}")]
    Identity {
        /// Whom the message names.
        from: String,
        /// Whom the broker has proven.
        client: String,
    },
    /// A name no device can have.
    #[error("Invalid Message: the device's name cannot be used: {0}")]
    Name(String),
    /// Somebody else has the name, or it is reserved.
    #[error("Invalid Message: the name {0} is taken; connect with its password, or choose another name")]
    Taken(String),
    /// Published: as many meters as may register have registered.
    #[error("Max registered counters achieved")]
    MaxCounters,
    /// Strangers can announce any number of chargers.
    #[error("Too many chargers wait for approval: approve or remove some first")]
    TooManyWait,
    /// Nothing a device measures counts before the building manager let it in.
    #[error("{0} waits for approval in the console; nothing it measures counts until then")]
    NotApproved(String),
    /// A field is missing or has a wrong shape.
    #[error("Invalid Message: {code} {detail}")]
    Field {
        /// Of which message.
        code: Code,
        /// What is wrong.
        detail: String,
    },
}

#[derive(Serialize, Deserialize)]
struct Head {
    v: u64,
    code: String,
    from: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    re: Option<u64>,
    #[serde(flatten)]
    body: Map<String, Value>,
}

/// Fields that measure; none of them can be negative.
const MEASURES: [&str; 9] =
    ["current_ma", "export_ma", "voltage_mv", "power_w", "export_w", "energy_wh", "offered_ma", "limit_ma", "max_ma"];

fn read_head(payload: &[u8]) -> Result<Head, Refusal> {
    if payload.len() > PAYLOAD_BYTES_MAX {
        return Err(Refusal::TooLong(payload.len()));
    }
    let head: Head = serde_json::from_slice(payload).map_err(|error| Refusal::Malformed(error.to_string()))?;
    if head.v != u64::from(VERSION) {
        return Err(Refusal::Version(head.v));
    }
    Ok(head)
}

/// Code and number of a message whose rest may be wrong, so that its refusal can name it.
pub(crate) fn read_code_and_id(payload: &[u8]) -> (Option<Code>, Option<u64>) {
    read_head(payload).map_or((None, None), |head| (head.code.parse().ok(), head.id))
}

fn check_measures(body: &Map<String, Value>) -> Result<(), Refusal> {
    let negative = |value: &Value| value.as_f64().is_some_and(|number| number < 0.0);
    for field in MEASURES {
        let bad = match body.get(field) {
            Some(Value::Array(values)) => values.iter().any(negative),
            Some(value) => negative(value),
            None => false,
        };
        if bad {
            return Err(Refusal::Negative(field.to_owned()));
        }
    }
    Ok(())
}

fn read_body<T: DeserializeOwned>(code: Code, body: Map<String, Value>) -> Result<T, Refusal> {
    serde_json::from_value(Value::Object(body)).map_err(|error| Refusal::Field { code, detail: error.to_string() })
}

fn write<T: Serialize>(code: &str, from: &str, id: Option<u64>, re: Option<u64>, body: &T) -> Vec<u8> {
    let body = match serde_json::to_value(body) {
        Ok(Value::Object(body)) => body,
        Ok(_) | Err(_) => Map::new(),
    };
    let head = Head { v: u64::from(VERSION), code: code.to_owned(), from: from.to_owned(), id, re, body };
    serde_json::to_vec(&head).unwrap_or_default()
}

impl DeviceMessage {
    /// Reads what a device published.
    ///
    /// # Errors
    /// Says what is wrong with it, in the published words where there are any.
    pub fn decode(payload: &[u8]) -> Result<Self, Refusal> {
        let head = read_head(payload)?;
        let code: Code = head.code.parse().map_err(|_unknown| Refusal::Code)?;
        check_measures(&head.body)?;
        let body = head.body;
        let body = match code {
            Code::NewCounter => DeviceBody::NewCounter(read_body(code, body)?),
            Code::NewCharger => DeviceBody::NewCharger(read_body(code, body)?),
            Code::DelCounter => DeviceBody::DelCounter,
            Code::DelCharger => DeviceBody::DelCharger,
            Code::CounterStatus => DeviceBody::CounterStatus(read_body(code, body)?),
            Code::ChargerStatus => DeviceBody::ChargerStatus(read_body(code, body)?),
            Code::CounterLoad => DeviceBody::CounterLoad(read_body(code, body)?),
            Code::ChargerLoad => DeviceBody::ChargerLoad(read_body(code, body)?),
            Code::AvailableLoad => DeviceBody::LimitAck(read_body(code, body)?),
        };
        Ok(Self { from: head.from, id: head.id, re: head.re, body })
    }

    /// As it travels.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let put = |body: &dyn erased::Body| body.write(self.body.code(), &self.from, self.id, self.re);
        match &self.body {
            DeviceBody::NewCounter(body) => put(body),
            DeviceBody::NewCharger(body) => put(body),
            DeviceBody::DelCounter | DeviceBody::DelCharger => put(&()),
            DeviceBody::CounterStatus(body) => put(body),
            DeviceBody::ChargerStatus(body) => put(body),
            DeviceBody::CounterLoad(body) => put(body),
            DeviceBody::ChargerLoad(body) => put(body),
            DeviceBody::LimitAck(body) => put(body),
        }
    }
}

impl ManagerMessage {
    /// Reads a message on a device's topic; `None` when it is not from the manager (devices see their own
    /// publications, because both share the topic).
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn decode(payload: &[u8]) -> Result<Option<Self>, Refusal> {
        let head = read_head(payload)?;
        if head.from != MANAGER {
            return Ok(None);
        }
        let code: Option<Code> = head.code.parse().ok();
        let id = head.id.unwrap_or_default();
        if head.body.contains_key("error") {
            let detail = head.body.get("error").and_then(Value::as_str).unwrap_or_default().to_owned();
            return Ok(Some(Self { id, re: head.re, body: ManagerBody::Refused(code, Refused { error: detail }) }));
        }
        let code = code.ok_or(Refusal::Code)?;
        let body = match code {
            Code::NewCounter => ManagerBody::CounterRegistered(read_body(code, head.body)?),
            Code::NewCharger => ManagerBody::ChargerRegistered(read_body(code, head.body)?),
            Code::DelCounter => ManagerBody::CounterRemoved,
            Code::DelCharger => ManagerBody::ChargerRemoved,
            Code::ChargerStatus => ManagerBody::Order(read_body(code, head.body)?),
            Code::AvailableLoad => ManagerBody::AvailableLoad(read_body(code, head.body)?),
            Code::CounterStatus | Code::CounterLoad | Code::ChargerLoad => return Err(Refusal::Code),
        };
        Ok(Some(Self { id, re: head.re, body }))
    }

    /// As it travels.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let put = |code: Code, body: &dyn erased::Body| body.write(code, MANAGER, Some(self.id), self.re);
        match &self.body {
            ManagerBody::CounterRegistered(body) => put(Code::NewCounter, body),
            ManagerBody::ChargerRegistered(body) => put(Code::NewCharger, body),
            ManagerBody::CounterRemoved => put(Code::DelCounter, &()),
            ManagerBody::ChargerRemoved => put(Code::DelCharger, &()),
            ManagerBody::Order(body) => put(Code::ChargerStatus, body),
            ManagerBody::AvailableLoad(body) => put(Code::AvailableLoad, body),
            ManagerBody::Refused(code, body) => {
                write(code.map_or("0x000", Code::text), MANAGER, Some(self.id), self.re, body)
            }
        }
    }
}

/// `Serialize` is not dyn-compatible; this is, and keeps the two tables above one line per message.
mod erased {
    use super::{Code, write};
    use serde::Serialize;

    pub(super) trait Body {
        fn write(&self, code: Code, from: &str, id: Option<u64>, re: Option<u64>) -> Vec<u8>;
    }

    impl<T: Serialize> Body for T {
        fn write(&self, code: Code, from: &str, id: Option<u64>, re: Option<u64>) -> Vec<u8> {
            write(code.text(), from, id, re, self)
        }
    }
}

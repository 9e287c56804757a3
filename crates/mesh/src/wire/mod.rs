//! The messages of the protocol, version 1, as JSON objects. Clients use the same types.
//!
//! Every message carries `v`, `code` and `from`; `docs/mqtt.md` is the specification and a test reads
//! every example in it. Unknown fields are ignored, so that either side can be newer.

mod body;
mod code;
mod message;

pub use self::body::{
    AvailableLoad, CardAction, ChargerLoad, ChargerOrder, ChargerStatus, CommandName, CommandResult, CounterLoad,
    CounterStatus, DeviceCommand, EndOrder, LimitAck, NewCharger, NewCounter, Refused, Registered, RunningReport,
    StartAnswer, StartReport, StopAnswer, StopReport, StopWord, TapAnswer, TapReport, VerdictWord,
};
pub use self::code::Code;
pub(crate) use self::message::read_code_and_id;
pub use self::message::{DeviceBody, DeviceMessage, ManagerBody, ManagerMessage, Refusal};

/// Version of the payload described here.
pub const VERSION: u32 = 1;

/// Where devices nobody knows yet announce themselves.
pub const HELLO_TOPIC: &str = "hello/new";

/// `from` of everything the manager publishes; no device may carry this name.
pub const MANAGER: &str = "manager";

/// Most bytes of a payload; the largest real message is below 1 KB.
pub const PAYLOAD_BYTES_MAX: usize = 16 * 1024;

/// Longest time a limit holds without being renewed, in seconds; then the charger uses its fallback.
pub const LIMIT_VALID_S: u32 = 120;

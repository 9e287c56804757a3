//! What goes into a station and what comes out of it, whatever version of OCPP the charger speaks.

use crate::cards::CardList;
use crate::command::Command;
use crate::memory::{Learned, Memory};
use crate::setup::Settings;
use domain::{
    CardVerdict, ChargerEvent, ChargerId, ConnectorNumber, DurationMs, HardwareInfo, MilliAmps, ReplyKey, SessionId,
    Timestamp,
};
use std::sync::Arc;

/// How a station is set up. Everything but the identity has a sensible default in [`StationConfig::new`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StationConfig {
    /// The last part of the charger's address.
    pub id: ChargerId,
    /// Whether the manager let it in.
    pub approved: bool,
    /// What the charger draws at most when nobody speaks to it, installed as its `TxDefaultProfile`.
    pub fallback: MilliAmps,
    /// How many wires carry current, 1 to 3; needed where a charger takes watts only.
    pub phases: u8,
    /// Connectors the charger is known to have, at least 1; more are learned from its messages.
    pub connectors: u16,
    /// Nominal voltage between a wire and neutral in V; needed where a charger takes watts only.
    pub voltage_v: u16,
    /// Seconds between heartbeats, told in the answer to an approved `BootNotification`; at most 900.
    pub heartbeat_s: u32,
    /// Seconds after which a charger that waits for approval asks again.
    pub pending_retry_s: u32,
    /// Seconds between meter values during a session, configured after each boot.
    pub sample_interval_s: u32,
    /// Seconds the building's civil time is ahead of UTC, for chargers that send times without a zone.
    pub site_offset_s: Option<i32>,
    /// Pause after a connection before we ask anything of the charger.
    pub settle: DurationMs,
    /// How long a charger may take to answer one of our requests.
    pub call_timeout: DurationMs,
    /// What the manager wants it to be set to.
    pub settings: Settings,
    /// What it said about itself in an earlier run.
    pub hardware: Option<HardwareInfo>,
    /// What was kept of it in an earlier run.
    pub memory: Memory,
}

impl StationConfig {
    /// An unapproved single-phase charger with fallback 0 A, 300 s heartbeat and 10 s samples.
    #[must_use]
    pub fn new(id: ChargerId) -> Self {
        Self {
            id,
            approved: false,
            fallback: MilliAmps::ZERO,
            phases: 1,
            connectors: 1,
            voltage_v: 230,
            heartbeat_s: 300,
            pending_retry_s: 30,
            sample_interval_s: 10,
            site_offset_s: None,
            settle: DurationMs::from_secs(3),
            call_timeout: DurationMs::from_secs(30),
            settings: Settings::default(),
            hardware: None,
            memory: Memory::default(),
        }
    }
}

/// Everything that can happen to a station.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input<'a> {
    /// The charger opened a socket. Generations grow; the newest socket is the charger.
    Opened {
        /// Number of the socket.
        generation: u64,
    },
    /// A socket closed; one that is not the newest changes nothing.
    Closed {
        /// Number of the socket.
        generation: u64,
    },
    /// A text frame arrived.
    Frame {
        /// Number of the socket.
        generation: u64,
        /// The text as received.
        text: &'a str,
    },
    /// Time passed; call once a second of the site's clock.
    Tick,
    /// The current a connector may take now. Zero means pause.
    SetLimit {
        /// Which connector.
        connector: ConnectorNumber,
        /// Current per wire.
        limit: MilliAmps,
    },
    /// The current the charger falls back to when nobody speaks to it.
    SetFallback(MilliAmps),
    /// How many wires carry current, 1 to 3.
    SetWiring(u8),
    /// The manager let it in, or took that back.
    SetApproved(bool),
    /// The cards that may charge, whenever that changes.
    SetCards(Arc<CardList>),
    /// What the manager wants it to be set to.
    SetSettings(Box<Settings>),
    /// What is known of chargers of its model and firmware; an answer to [`ChargerEvent::Booted`].
    SetLearned(Box<Learned>),
    /// Sessions that were running when this process started, and when they began.
    KnownSessions(Vec<(ConnectorNumber, SessionId, Timestamp)>),
    /// Answer to [`ChargerEvent::CardTapped`].
    CardAnswer {
        /// Key of the request.
        reply: ReplyKey,
        /// What the card may do.
        verdict: CardVerdict,
    },
    /// Answer to [`ChargerEvent::SessionStarted`].
    StartAnswer {
        /// Key of the request.
        reply: ReplyKey,
        /// The session's identity, which becomes the `transactionId`.
        session: SessionId,
        /// What the card may do.
        verdict: CardVerdict,
    },
    /// Answer to [`ChargerEvent::SessionStopped`].
    StopAnswer {
        /// Key of the request.
        reply: ReplyKey,
        /// What the card that ended it may do, where a card did.
        verdict: Option<CardVerdict>,
    },
    /// Something the charger shall do.
    Command {
        /// Comes back in [`Output::CommandDone`].
        id: u64,
        /// What.
        command: Command,
    },
}

/// When a text may go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// An answer that lets the charger forget the start or end of a session: only after the commit, never without it.
    Durable,
    /// Any other answer: after the commit, but also when storage fails.
    Recorded,
    /// A request of ours: at once.
    Now,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The charger agreed.
    Accepted,
    /// The charger refused; the answer says how.
    Rejected,
    /// No answer in time.
    TimedOut,
    /// The charger is not connected, or went away before it answered.
    Disconnected,
}

/// What a station wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a text frame on the newest socket.
    Send {
        /// The text.
        text: String,
        /// When it may go out.
        gate: Gate,
    },
    /// The charger reported something.
    Event(ChargerEvent),
    /// A command ended.
    CommandDone {
        /// As given.
        id: u64,
        /// How.
        outcome: Outcome,
        /// The charger's answer as JSON; `{}` when there is none.
        answer: String,
    },
    /// The charger wants a certificate for this signing request, PEM; the answer is [`Command::CertificateSigned`].
    CertificateWanted(String),
    /// Keep this; it replaces what was kept before.
    Remember(Box<Memory>),
    /// Close the newest socket.
    Close {
        /// Why, for people.
        reason: String,
    },
    /// Something a person may want to know.
    Notice(String),
}

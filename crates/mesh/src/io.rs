//! What goes into the machine and what comes out of it.

use domain::{
    CardUid, CardVerdict, ChargerEvent, ChargerId, ConnectorNumber, DurationMs, MeterEvent, MeterId, MilliAmps,
    ReplyKey, SessionId, TenantId,
};

/// A meter the manager's records already hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownMeter {
    /// Its identity, user name and topic.
    pub id: MeterId,
    /// Whether the manager let it in.
    pub approved: bool,
}

/// A charger the manager's records already hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownCharger {
    /// Its identity, user name and topic.
    pub id: ChargerId,
    /// The meter it belongs to; `None` when that is not known yet: any registered meter will do.
    pub meter: Option<MeterId>,
    /// Whether the manager let it in.
    pub approved: bool,
    /// What it draws at most when nobody speaks to it.
    pub fallback: MilliAmps,
    /// Connectors it has, counted from 1.
    pub connectors: u16,
}

/// A session that was running when the manager stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownSession {
    /// Where.
    pub connector: ConnectorNumber,
    /// Which.
    pub session: SessionId,
    /// Who pays; a card of the same tenant ends it.
    pub tenant: Option<TenantId>,
}

/// What the machine starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeshConfig {
    /// Meters of earlier runs; accepted at once when they come back.
    pub meters: Vec<KnownMeter>,
    /// Chargers of earlier runs; accepted at once when they come back.
    pub chargers: Vec<KnownCharger>,
    /// Most meters that may register.
    pub max_meters: u16,
    /// How often devices are asked to send their load.
    pub report_interval: DurationMs,
}

impl Default for MeshConfig {
    fn default() -> Self {
        Self { meters: Vec::new(), chargers: Vec::new(), max_meters: 16, report_interval: DurationMs::from_secs(5) }
    }
}

/// How far the broker knows who sent a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The device presented the credentials pinned at its approval.
    Proven,
    /// Unknown device: it may announce itself on `hello/new` and nothing else.
    Quarantined,
}

/// Everything that can happen to the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input<'a> {
    /// A proven device opened a connection. Connections of one device are counted.
    Connected {
        /// Its proven identity.
        client: &'a str,
    },
    /// A connection of a proven device ended.
    Disconnected {
        /// Its proven identity.
        client: &'a str,
    },
    /// A device published.
    Message {
        /// The identity the broker established.
        client: &'a str,
        /// How it was established.
        trust: Trust,
        /// Where it published.
        topic: &'a str,
        /// What it published.
        payload: &'a [u8],
    },
    /// Once a second: renews limits, repeats unanswered ones, ends commands that got no answer.
    Tick,
    /// The current a connector may draw from now on.
    SetLimit {
        /// Which charger.
        charger: ChargerId,
        /// Which connector.
        connector: ConnectorNumber,
        /// Per wire.
        limit: MilliAmps,
    },
    /// What a charger draws at most when nobody speaks to it.
    SetFallback {
        /// Which charger.
        charger: ChargerId,
        /// Per wire.
        limit: MilliAmps,
    },
    /// The manager let a charger in or shut it out.
    SetApproved {
        /// Which charger.
        charger: ChargerId,
        /// Whether it is in.
        approved: bool,
    },
    /// The manager let a meter in or shut it out.
    MeterApproved {
        /// Which meter.
        meter: MeterId,
        /// Whether it is in.
        approved: bool,
    },
    /// The manager removed a charger; it is told and forgotten.
    RemoveCharger(ChargerId),
    /// The manager removed a meter; it is told and forgotten.
    RemoveMeter(MeterId),
    /// Most meters that may register.
    SetMaxMeters(u16),
    /// Answer to [`ChargerEvent::CardTapped`].
    CardAnswer {
        /// Which charger.
        charger: ChargerId,
        /// Key of the event.
        reply: ReplyKey,
        /// What the card may do.
        verdict: CardVerdict,
    },
    /// Answer to [`ChargerEvent::SessionStarted`].
    StartAnswer {
        /// Which charger.
        charger: ChargerId,
        /// Key of the event.
        reply: ReplyKey,
        /// The identity the session got.
        session: SessionId,
        /// What its card may do.
        verdict: CardVerdict,
    },
    /// Answer to [`ChargerEvent::SessionStopped`].
    StopAnswer {
        /// Which charger.
        charger: ChargerId,
        /// Key of the event.
        reply: ReplyKey,
        /// What the card that ended it may do, if one did.
        verdict: Option<CardVerdict>,
    },
    /// A session must end now.
    EndSession {
        /// Which charger.
        charger: ChargerId,
        /// Which connector.
        connector: ConnectorNumber,
        /// Which session.
        session: SessionId,
    },
    /// Sessions of a charger that were running when the manager stopped.
    KnownSessions {
        /// Which charger.
        charger: ChargerId,
        /// Its sessions.
        sessions: Vec<KnownSession>,
    },
    /// A command of the manager to a charger; ends with exactly one [`Output::CommandDone`].
    Command {
        /// Number of the command, chosen by the caller.
        id: u64,
        /// Which charger.
        charger: ChargerId,
        /// What to do.
        command: Command,
    },
}

/// What the manager can ask of a charger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Start a session as if this card had been tapped.
    Start {
        /// Where.
        connector: ConnectorNumber,
        /// With which card.
        card: CardUid,
    },
    /// End a session.
    Stop {
        /// Which.
        session: SessionId,
    },
    /// Restart, ending sessions properly first.
    SoftReset,
    /// Restart at once.
    HardReset,
    /// Release the cable.
    Unlock {
        /// Where.
        connector: ConnectorNumber,
    },
    /// Report status and load now.
    Report,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The charger did it.
    Accepted,
    /// The charger refused.
    Rejected,
    /// The charger did not answer in time.
    TimedOut,
    /// The charger is not connected.
    Disconnected,
}

/// When a publication may leave, as seen from the records of the same `handle`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Only after the records are durable: it acknowledges a session's start or end.
    Durable,
    /// At once: a limit or a notice never waits for storage.
    Now,
}

/// Everything the machine wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Publish to a device.
    Publish {
        /// Its topic.
        topic: String,
        /// One JSON message.
        payload: Vec<u8>,
        /// When it may leave.
        gate: Gate,
    },
    /// A charger reported something.
    Charger {
        /// Which.
        id: ChargerId,
        /// What.
        event: ChargerEvent,
    },
    /// A meter reported something.
    Meter {
        /// Which.
        id: MeterId,
        /// What.
        event: MeterEvent,
    },
    /// A charger announced how many connectors it has and the most it can give.
    ChargerDescribed {
        /// Which.
        id: ChargerId,
        /// The meter it belongs to.
        meter: Option<MeterId>,
        /// Connectors, counted from 1.
        connectors: u16,
        /// Most per wire; `None` when not told.
        max: Option<MilliAmps>,
    },
    /// A charger took itself out for good (0x012).
    ChargerLeft(ChargerId),
    /// A meter took itself out for good (0x011).
    MeterLeft(MeterId),
    /// One line for the log and the console, in the published words.
    Notice(String),
    /// A command ended.
    CommandDone {
        /// Number of the command.
        id: u64,
        /// How.
        outcome: Outcome,
        /// The charger's answer as JSON, or empty.
        answer: String,
    },
}

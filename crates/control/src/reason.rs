//! Why a connector has the current it has, as data; the API makes the sentence.

use domain::{CircuitId, DurationMs, MilliAmps, Phase};

/// Why a connector has the current it has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reason {
    /// No car wants energy here.
    #[default]
    Idle,
    /// The available current is shared.
    Shared {
        /// How many cars share.
        cars: u16,
        /// What limits them; `None` when nothing but the chargers' own maxima does.
        bottleneck: Option<Bottleneck>,
        /// Whether this one got the ampere that equal division leaves over.
        extra_amp: bool,
    },
    /// All the charger can give.
    ChargerMaximum,
    /// The manager set this limit.
    ManagerLimit,
    /// The tenant's maximum power; at 0 A their other sessions take all of it.
    TenantLimit,
    /// The tenant used the energy of this month.
    CapReached,
    /// The car takes less than it was offered.
    CarTakesLess {
        /// What it takes on its fullest wire.
        measured: MilliAmps,
    },
    /// Not enough current for its minimum.
    Waiting {
        /// The minimum.
        min: MilliAmps,
        /// Place in line, from 1.
        place: u16,
        /// What limits.
        bottleneck: Option<Bottleneck>,
    },
    /// Not enough current for its minimum while chargers nobody has heard from since the start are counted at the most
    /// they may draw.
    WaitingForNews {
        /// How many those are.
        chargers: u16,
    },
    /// The site's number of active chargers is reached.
    WaitingForTurn {
        /// How many may charge at once.
        max_active: u16,
        /// Place in line, from 1.
        place: u16,
    },
    /// It was paused a moment ago and returns after the hold time.
    WaitingHold {
        /// Time until it may return.
        remaining: DurationMs,
    },
    /// A raise waits until the meter confirms the room.
    Confirming,
    /// The manager paused it.
    Paused,
    /// It is outside its charging times.
    OutsideTimes,
    /// It charges from solar surplus only, and there is none.
    NoSurplus,
    /// It charges in the cheapest periods, and a better one comes.
    WaitingForPrice {
        /// Time until then.
        remaining: DurationMs,
    },
    /// Its car did not charge on after a pause, so its pilot is taken away for a moment.
    Waking {
        /// Which attempt this is, from 1.
        attempt: u8,
    },
    /// The phases would differ by more than the limit.
    Imbalance,
    /// A meter is silent, so the declared building load is assumed.
    MeterSilent,
    /// Nobody can reach it; it is counted at what it may draw then.
    Offline {
        /// What it is counted at.
        counted: MilliAmps,
    },
    /// Nobody has heard from it since the program started; it is counted at what it may draw.
    Unheard {
        /// What it is counted at.
        counted: MilliAmps,
    },
    /// It draws more than it is told, so it is counted at its maximum.
    Disobeys {
        /// What it is counted at.
        counted: MilliAmps,
    },
    /// The manager has not let it in yet.
    NotApproved,
    /// The running session belongs to nobody: its card is unknown, blocked or in use elsewhere.
    NotAuthorised,
}

/// What holds a current down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bottleneck {
    /// Which circuit.
    pub circuit: CircuitId,
    /// Which of its limits.
    pub kind: BottleneckKind,
    /// That limit, before the margin.
    pub limit: MilliAmps,
    /// On which phase; `None` on a single-phase site.
    pub phase: Option<Phase>,
}

/// Kinds of limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BottleneckKind {
    /// The main fuse.
    MainFuse,
    /// The contracted power.
    Contract,
    /// A fuse or cable further down.
    Circuit,
}

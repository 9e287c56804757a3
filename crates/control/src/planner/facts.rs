//! What an update depends on, and what comes of it.

use allocator::Guide;
use domain::{
    CardUid, ChargerId, ConnectorNumber, DurationMs, Instant, MilliAmps, PerPhase, SessionId, SharingRule, WattHours,
    Wiring,
};
use std::collections::BTreeMap;

/// A connector of the site.
pub type Place = (ChargerId, ConnectorNumber);

/// A minute of the site's local time, counted from 1970-01-01 00:00 there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocalMinute(pub i64);

/// A circuit and what the cars below it may draw together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Number of the circuit it hangs on; `None` for the grid connection.
    pub parent: Option<usize>,
    /// Current the cars may draw on each phase.
    pub room: PerPhase<MilliAmps>,
}

/// What is known of one car that wants energy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarFacts {
    /// Where it stands.
    pub place: Place,
    /// Number of the circuit it hangs on.
    pub branch: usize,
    /// The phases it uses.
    pub wiring: Wiring,
    /// Order of registration of its charger.
    pub registered: u32,
    /// Higher is served first.
    pub priority: i32,
    /// Its session.
    pub session: SessionId,
    /// The card that began the session.
    pub card: Option<CardUid>,
    /// When the session began.
    pub since: LocalMinute,
    /// Most its charger may give on each wire.
    pub max: MilliAmps,
    /// The car's own maximum where the charger knows it.
    pub car_max: Option<MilliAmps>,
    /// Setpoint in force until now.
    pub set: MilliAmps,
    /// What it drew under that setpoint; `None` when that is not known (yet).
    pub drawn: Option<MilliAmps>,
    /// Energy it got in this session.
    pub delivered: WattHours,
    /// Energy its tenant received lately before this session.
    pub received_before: WattHours,
    /// When it has to be ready, if its driver said so.
    pub departs: Option<Instant>,
    /// Energy it still needs by then, if its driver said so.
    pub needs: Option<WattHours>,
    /// Current it was promised before others get more than the minimum.
    pub promised: MilliAmps,
    /// It does not come back from a pause, so it keeps its minimum.
    pub never_pause: bool,
    /// It charges in the cheapest periods, as long as there is time to.
    pub thrifty: bool,
    /// How long it took to follow a command in this session, at most; `None` before that was seen.
    pub response: Option<DurationMs>,
}

/// A period that lies ahead; the first one runs now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// How long it still lasts, in minutes.
    pub minutes: u32,
    /// Price of a kWh in millionths of a currency; `None` where nobody knows.
    pub price_micro: Option<i64>,
    /// Power expected to be left over from the sun, in W.
    pub surplus_w: u32,
    /// Power the cars together may be expected to draw, in W.
    pub room_w: u32,
}

/// All that an update depends on.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Now.
    pub now: Instant,
    /// Now, as the clock on the wall of the building shows it.
    pub local: LocalMinute,
    /// Voltage between a wire and neutral, in volts.
    pub volts: u32,
    /// Least a car can charge with.
    pub min: MilliAmps,
    /// Who is served first within one priority.
    pub sharing: SharingRule,
    /// The circuits.
    pub branches: &'a [Branch],
    /// The cars that want energy.
    pub cars: &'a [CarFacts],
    /// The periods ahead, without gaps; empty when nobody waits for a better one.
    pub periods: &'a [Period],
}

/// What the division is to follow until the next update.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guidance {
    guides: BTreeMap<Place, Guide>,
    /// Minutes until the better period that a car waits for.
    waits: BTreeMap<Place, u32>,
}

impl Guidance {
    pub(crate) const fn new(guides: BTreeMap<Place, Guide>, waits: BTreeMap<Place, u32>) -> Self {
        Self { guides, waits }
    }

    /// Minutes until the better period that the car at a connector waits for; `None` when it charges now.
    #[must_use]
    pub fn waits(&self, place: &Place) -> Option<u32> {
        self.waits.get(place).copied()
    }

    /// The guide of one connector; one nobody knows anything of is last in line.
    #[must_use]
    pub fn of(&self, place: &Place) -> Guide {
        let unknown = Guide { rank: u32::MAX, ..Guide::default() };
        self.guides.get(place).copied().unwrap_or(unknown)
    }
}

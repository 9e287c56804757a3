//! The electrical part of a charger: contactor, pilot wire and energy register.

use crate::car::{OFFER_MIN, VirtualCar};
use crate::energy::Energy;
use domain::{DurationMs, MilliAmps, MilliVolts, PerPhase, SessionId, Timestamp, WattHours, Wiring};

/// Whether a charger does as it is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Obedience {
    /// It offers what it was allowed.
    #[default]
    Obeys,
    /// It confirms every limit and offers its full current all the same.
    Ignores,
}

/// What an outlet is built of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutletBuild {
    /// Grid phase of each wire.
    pub wiring: Wiring,
    /// Most it can offer.
    pub max: MilliAmps,
    /// Least time between two changes of the offer; to nothing it changes at once. IEC 61851-1: 5 s.
    pub offer_interval: DurationMs,
    /// Register when the simulation begins.
    pub register: WattHours,
}

/// A session that ran when the charger was last heard, to go on with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resumed {
    /// The session as the manager knows it.
    pub session: SessionId,
    /// The card that started it; empty when none was named.
    pub card: String,
    /// Whose other cards may end it (`parentIdTag`), where that is known.
    pub parent: Option<String>,
    /// When it began.
    pub started: Timestamp,
    /// The car that stands there.
    pub car: VirtualCar,
}

/// One outlet with its cable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlet {
    build: OutletBuild,
    obedience: Obedience,
    car: Option<VirtualCar>,
    closed: bool,
    allowed: MilliAmps,
    offer: MilliAmps,
    since_change: DurationMs,
    draws: MilliAmps,
    voltages: Vec<MilliVolts>,
    register: Energy,
    delivered: Energy,
}

impl Outlet {
    /// An outlet with nothing plugged in.
    #[must_use]
    pub fn new(build: OutletBuild) -> Self {
        let register = Energy::from_wh(build.register);
        let voltages = vec![MilliVolts(230_000); build.wiring.wires().len()];
        Self {
            since_change: build.offer_interval,
            build,
            obedience: Obedience::Obeys,
            car: None,
            closed: false,
            allowed: MilliAmps::ZERO,
            offer: MilliAmps::ZERO,
            draws: MilliAmps::ZERO,
            voltages,
            register,
            delivered: Energy::ZERO,
        }
    }

    /// Lets time pass; returns what flows on each grid phase.
    pub fn step(&mut self, grid: PerPhase<MilliVolts>, time: DurationMs) -> PerPhase<MilliAmps> {
        self.voltages = self.build.wiring.wires().iter().map(|phase| *grid.get(*phase)).collect();
        self.change_offer(time);
        let offer = self.offer;
        self.draws = match &mut self.car {
            Some(car) => car.step(offer, &self.voltages, time),
            None => MilliAmps::ZERO,
        };
        let currents = self.currents();
        for (current, voltage) in currents.iter().zip(&self.voltages) {
            let flow = Energy::flow(*current, *voltage, time);
            self.register += flow;
            self.delivered += flow;
        }
        self.build.wiring.to_grid(&currents)
    }

    fn change_offer(&mut self, time: DurationMs) {
        self.since_change = DurationMs(self.since_change.0.saturating_add(time.0));
        let goal = self.goal();
        let may_change = goal.is_zero() || self.offer.is_zero() || self.since_change >= self.build.offer_interval;
        if goal != self.offer && may_change {
            self.offer = goal;
            self.since_change = DurationMs::default();
        }
    }

    fn goal(&self) -> MilliAmps {
        if !self.closed || self.car.is_none() {
            return MilliAmps::ZERO;
        }
        let allowed = match self.obedience {
            Obedience::Obeys => self.allowed.min(self.build.max),
            Obedience::Ignores => self.build.max,
        };
        if allowed < OFFER_MIN { MilliAmps::ZERO } else { allowed }
    }

    /// Plugs a car in; one that was there leaves.
    pub fn plug(&mut self, car: VirtualCar) {
        self.car = Some(car);
        self.draws = MilliAmps::ZERO;
    }

    /// Pulls the cable: the current is cut at once.
    pub fn unplug(&mut self) -> Option<VirtualCar> {
        self.draws = MilliAmps::ZERO;
        self.offer = MilliAmps::ZERO;
        self.car.take()
    }

    /// Allows a current; takes effect with the next step.
    pub const fn allow(&mut self, limit: MilliAmps) {
        self.allowed = limit;
    }

    /// Closes the contactor (a session runs) or opens it.
    pub const fn set_closed(&mut self, closed: bool) {
        self.closed = closed;
    }

    /// Whether it does as it is told from now on.
    pub const fn set_obedience(&mut self, obedience: Obedience) {
        self.obedience = obedience;
    }

    /// The car, if one is plugged in.
    #[must_use]
    pub const fn car(&self) -> Option<&VirtualCar> {
        self.car.as_ref()
    }

    /// What it was allowed last.
    #[must_use]
    pub const fn allowed(&self) -> MilliAmps {
        self.allowed
    }

    /// What it offers the car now.
    #[must_use]
    pub const fn offer(&self) -> MilliAmps {
        self.offer
    }

    /// What flows through each of its wires.
    #[must_use]
    pub fn currents(&self) -> Vec<MilliAmps> {
        let used = self.car.as_ref().map_or(0, |car| car.traits().wires);
        (0..self.voltages.len()).map(|wire| if wire < used { self.draws } else { MilliAmps::ZERO }).collect()
    }

    /// Voltage on each of its wires.
    #[must_use]
    pub fn voltages(&self) -> &[MilliVolts] {
        &self.voltages
    }

    /// Power of all wires in watts, rounded down.
    #[must_use]
    pub fn power_w(&self) -> u32 {
        let micro_w: u64 =
            self.currents().iter().zip(&self.voltages).map(|(i, u)| u64::from(i.0) * u64::from(u.0)).sum();
        u32::try_from(micro_w / 1_000_000).unwrap_or(u32::MAX)
    }

    /// The register as it is shown.
    #[must_use]
    pub fn register(&self) -> WattHours {
        self.register.wh()
    }

    /// All energy that flowed since the simulation began, exact.
    #[must_use]
    pub const fn delivered(&self) -> Energy {
        self.delivered
    }

    /// What it is built of.
    #[must_use]
    pub const fn build(&self) -> &OutletBuild {
        &self.build
    }
}

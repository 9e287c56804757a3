//! A month of a building with many chargers, second by second: how long deciding takes, and what comes of it.
//!
//! [`play_month`] hands domain events straight to the decider: a meter every second, every charging car each ten, cars that
//! come and go. [`month_by_wire`] plays the same number of chargers through stations, mesh and their codecs.
//! [`try_building`] plays a random building in which something breaks, beside models of breakers.

mod trial;

use self::trial::{Fault, FaultOf};
pub use self::trial::{Trial, try_building};

use crate::file::{CarModel, ChargerSpec, MeterSpec, Scenario, ScenarioError, SiteSpec};
use crate::report::Report;
use control::{Control, Input, Output, Setup};
use domain::{
    Card, CardId, CardStatus, CardUid, Charger, ChargerEvent, ChargerId, ChargerSample, ConnectorNumber,
    ConnectorStatus, DurationMs, Flow, Instant, MeterEvent, MeterId, MeterRole, MeterSample, MilliAmps, Now, Pacing,
    PerPhase, Phase, Protocol, Provenance, ReplyKey, SessionRef, StartRequest, StatusDetail, StopReason, StopRequest,
    Tenant, TenantId, TenantKey, Timestamp, WattHours, Wiring,
};
use simulator::{Breaker, Dice};

const ONE: ConnectorNumber = ConnectorNumber(1);
const SECOND: DurationMs = DurationMs::from_secs(1);
/// Seconds between two readings of a car.
const REPORT_S: u64 = 10;
/// Seconds until a car follows its setpoint.
const FOLLOWS_S: u64 = 4;
const DAY_S: u64 = 86_400;
/// A live profile ends by itself within this time.
const PROFILE_LIFE_S: u64 = 120;
const VOLTS: u64 = 230;
/// Stream of the dice that no part of the virtual building uses.
const STREAM: u64 = 0x004d_4f4e_5448;

/// What came of a month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MonthFigures {
    /// Events the decider took.
    pub events: u64,
    /// Setpoints it sent that changed something.
    pub setpoints: u64,
    /// Sessions that ended.
    pub sessions: u64,
    /// What cars wanted in them, in Wh.
    pub wanted_wh: u64,
    /// What they got, in Wh.
    pub got_wh: u64,
    /// Seconds in which a phase of the grid connection carried more than its limit.
    pub over_limit_s: u64,
    /// Most that a phase carried.
    pub most: MilliAmps,
}

/// A car that is here.
#[derive(Clone, Copy, Debug)]
struct Car {
    leaves_s: u64,
    wants_ws: u64,
    got_ws: u64,
    max: MilliAmps,
    wires: usize,
    draws: MilliAmps,
}

/// A charger and who stands at it.
struct Wall {
    id: ChargerId,
    card: CardUid,
    wiring: Wiring,
    set: MilliAmps,
    set_at_s: u64,
    /// When it last got a setpoint, the same again included.
    heard_s: u64,
    car: Option<Car>,
    register_wh: u64,
    next_s: u64,
}

/// The building.
struct Month {
    control: Control,
    walls: Vec<Wall>,
    dice: Dice,
    second: u64,
    began: Timestamp,
    replies: u64,
    limit: MilliAmps,
    meter: MeterId,
    /// What runs in the building beside its usual load, per phase, and until when.
    appliance: PerPhase<(MilliAmps, u64)>,
    /// The building's load by day in percent of the usual one.
    house_percent: u32,
    figures: MonthFigures,
    /// What breaks.
    faults: Vec<Fault>,
    /// How far the wall clock is off.
    clock_ms: i64,
    /// What the store would know after a restart, but for the sessions.
    base: Setup,
    breakers: Vec<(Phase, Breaker)>,
    /// Whether the meter measures the cars too.
    whole: bool,
}

/// Plays `days` days of a building with `chargers` chargers on 3 x 160 A, from domain events.
///
/// # Errors
/// When the building cannot be drawn, as with more chargers than identities.
pub fn play_month(chargers: u16, days: u16, seed: u64) -> Result<MonthFigures, ScenarioError> {
    let mut month = Month::new(chargers, seed)?;
    for _ in 0..u64::from(days) * DAY_S {
        month.step();
    }
    Ok(month.figures)
}

/// Plays `days` days of as many chargers through stations, mesh and their codecs, in steps of a second.
///
/// # Errors
/// As [`play_month`].
pub fn month_by_wire(chargers: u16, days: u16, seed: u64) -> Result<Report, ScenarioError> {
    let scenario = scenario(chargers, u64::from(days) * DAY_S);
    crate::run::run_in_steps(&scenario, seed, SECOND)
}

fn scenario(chargers: u16, duration_s: u64) -> Scenario {
    let spec = |number: u16| ChargerSpec {
        id: format!("CP-{number:03}"),
        protocol: if number.is_multiple_of(4) { Protocol::Ievcc } else { Protocol::Ocpp16 },
        phases: if number.is_multiple_of(3) { vec![1, 2, 3] } else { vec![u8::try_from(number % 3).unwrap_or(0) + 1] },
        max_a: 32,
        fallback_a: 0,
        priority: 0,
    };
    Scenario {
        name: "month".to_owned(),
        title: "A month of a building with many chargers".to_owned(),
        site: Some(SiteSpec {
            contracted_kva: 110.4,
            phases: 3,
            main_fuse_a: 160.0,
            margin_a: 2.0,
            control_interval_s: 5,
            declared_load_a: 60.0,
            pacing: Pacing::Careful,
            max_active_chargers: None,
        }),
        cars: CarModel::Drawn,
        chargers: (1..=chargers).map(spec).collect(),
        meters: vec![MeterSpec { id: "Counter-1".to_owned(), role: MeterRole::House }],
        steps: Vec::new(),
        faults: Vec::new(),
        duration_s,
        starts_at: "2026-01-01T00:00:00Z".to_owned(),
    }
}

impl Month {
    fn new(chargers: u16, seed: u64) -> Result<Self, ScenarioError> {
        let plan = scenario(chargers, DAY_S).plan(seed)?;
        let began = Timestamp(1_767_225_600_000);
        let circuits = domain::CircuitTree::new(plan.circuits.clone()).map_err(ScenarioError::Circuits)?;
        let limit = plan.site.grid_limit();
        let meter = plan.meters.first().map(|meter| meter.id.clone());
        let mut setup = Setup::empty(plan.site, circuits);
        setup.meters = plan.meters;
        let mut walls = Vec::new();
        for charger in plan.chargers {
            let number = i64::from(charger.registered);
            let card = CardUid::new(format!("0400{number:04X}")).ok();
            setup.tenants.push(Tenant::new(
                TenantId(number),
                TenantKey(u128::from(charger.registered)),
                format!("Tenant {number}"),
                "",
                began,
            ));
            let Some(card) = card else { continue };
            setup.cards.push(Card {
                id: CardId(number),
                uid: card.clone(),
                tenant: TenantId(number),
                status: CardStatus::Active,
                enrolled_at: began,
                policy: domain::CardPolicy::default(),
                alias_of: None,
            });
            walls.push(wall(&charger, card));
            setup.chargers.push(charger);
        }
        let now = Now { instant: Instant(0), wall: began };
        let mut month = Self {
            control: Control::new(setup.clone(), now),
            walls,
            dice: Dice::new(seed, STREAM),
            second: 0,
            began,
            replies: 0,
            limit,
            meter: meter.ok_or_else(|| ScenarioError::UnknownDevice("Counter-1".to_owned()))?,
            appliance: PerPhase::default(),
            house_percent: 100,
            figures: MonthFigures::default(),
            faults: Vec::new(),
            clock_ms: 0,
            base: setup,
            breakers: Vec::new(),
            whole: false,
        };
        for index in 0..month.walls.len() {
            month.next_arrival(index);
            month.event(index, ChargerEvent::Connected);
        }
        Ok(month)
    }

    fn now(&self) -> Now {
        let passed = DurationMs::from_secs(self.second);
        Now { instant: Instant(passed.0), wall: Timestamp((self.began + passed).0 + self.clock_ms) }
    }

    fn input(&mut self, input: Input) {
        self.figures.events += 1;
        let out = self.control.handle(self.now(), input);
        for output in out {
            let Output::Setpoint { charger, limit, .. } = output else { continue };
            let Some(index) = self.walls.iter().position(|wall| wall.id == charger) else { continue };
            if self.is_broken(FaultOf::Link(index)) {
                continue;
            }
            let Some(wall) = self.walls.get_mut(index) else { continue };
            wall.heard_s = self.second;
            if wall.set != limit {
                self.figures.setpoints += 1;
                (wall.set, wall.set_at_s) = (limit, self.second);
            }
        }
    }

    fn event(&mut self, index: usize, event: ChargerEvent) {
        let Some(wall) = self.walls.get(index).filter(|_| !self.is_broken(FaultOf::Link(index))) else { return };
        let id = wall.id.clone();
        self.input(Input::Charger { id, protocol: Protocol::Ocpp16, event });
    }

    fn step(&mut self) {
        self.second += 1;
        self.break_and_mend();
        let house = self.house();
        let mut total = house;
        for index in 0..self.walls.len() {
            self.come_and_go(index);
            if let Some((drawn, wiring)) = self.charge(index) {
                for phase in wiring.wires() {
                    *total.get_mut(*phase) += drawn;
                }
            }
        }
        self.figures.over_limit_s += u64::from(Phase::ALL.iter().any(|phase| *total.get(*phase) > self.limit));
        self.figures.most = Phase::ALL.iter().map(|phase| *total.get(*phase)).fold(self.figures.most, MilliAmps::max);
        for (phase, breaker) in &mut self.breakers {
            breaker.step(*total.get(*phase), SECOND);
        }
        if !self.is_broken(FaultOf::Meter) {
            let seen = if self.whole { total } else { house };
            let current = seen.map(|amount| Flow::from_net_ma(i64::from(amount.0)));
            let sample = MeterSample { at: self.now().wall, current, ..MeterSample::default() };
            let id = self.meter.clone();
            self.input(Input::Meter { id, event: MeterEvent::Measured(sample) });
        }
        self.input(Input::Tick);
    }

    /// Flats and shared services: little at night, much in the evening, and something large now and then.
    fn house(&mut self) -> PerPhase<MilliAmps> {
        let hour = self.second % DAY_S / 3600;
        let usual = match hour {
            0..6 => 14_000,
            6..9 => 30_000,
            9..18 => 24_000,
            18..23 => 48_000,
            _ => 26_000,
        };
        let mut load = PerPhase::splat(MilliAmps(usual * self.house_percent / 100));
        for phase in Phase::ALL {
            let (amount, until) = *self.appliance.get(phase);
            if self.second < until {
                *load.get_mut(phase) += amount;
            } else if self.dice.between(0, 399) == 0 {
                let amount = MilliAmps(u32::try_from(4_000 + self.dice.between(0, 14_000)).unwrap_or(4_000));
                *self.appliance.get_mut(phase) = (amount, self.second + 30 + self.dice.between(0, 899));
            }
        }
        load
    }

    fn next_arrival(&mut self, index: usize) {
        // Mostly in the evening, a few by day.
        let hour =
            if self.dice.between(0, 3) == 0 { 8 + self.dice.between(0, 7) } else { 16 + self.dice.between(0, 5) };
        let second = hour * 3600 + self.dice.between(0, 3599);
        let days = u64::from(self.dice.between(0, 2) == 0);
        let today = self.second / DAY_S + u64::from(self.second % DAY_S >= second);
        if let Some(wall) = self.walls.get_mut(index) {
            wall.next_s = (today + days) * DAY_S + second;
        }
    }

    fn come_and_go(&mut self, index: usize) {
        let second = self.second;
        let Some(wall) = self.walls.get(index) else { return };
        match wall.car {
            None if second >= wall.next_s => self.arrive(index),
            Some(car) if second >= car.leaves_s => self.leave(index),
            None | Some(_) => {}
        }
    }

    fn arrive(&mut self, index: usize) {
        let stay_s = 3600 * (2 + self.dice.between(0, 11));
        let wants_ws = 3_600_000 * (3 + self.dice.between(0, 24));
        let max = [10, 16, 16, 20, 32];
        let max = max.get(usize::try_from(self.dice.between(0, 4)).unwrap_or(0)).copied().unwrap_or(16);
        let one_wire = self.dice.between(0, 1) == 0;
        let (at, leaves_s) = (self.now().wall, self.second + stay_s);
        self.replies += 1;
        let reply = ReplyKey(self.replies);
        let Some(wall) = self.walls.get_mut(index) else { return };
        let wires = if one_wire { 1 } else { wall.wiring.wires().len() };
        let max = MilliAmps::from_amps(max);
        wall.car = Some(Car { leaves_s, wants_ws, got_ws: 0, max, wires, draws: MilliAmps::ZERO });
        let request = StartRequest {
            connector: ONE,
            card: Some(wall.card.clone()),
            at,
            meter: WattHours(wall.register_wh),
            provenance: Provenance::Measured,
        };
        self.status(index, ConnectorStatus::Charging);
        self.event(index, ChargerEvent::SessionStarted { reply, request });
    }

    fn leave(&mut self, index: usize) {
        let at = self.now().wall;
        self.replies += 1;
        let reply = ReplyKey(self.replies);
        let Some(wall) = self.walls.get_mut(index) else { return };
        let Some(car) = wall.car.take() else { return };
        wall.register_wh += car.got_ws / 3600;
        self.figures.sessions += 1;
        self.figures.wanted_wh += car.wants_ws / 3600;
        self.figures.got_wh += car.got_ws / 3600;
        let request = StopRequest {
            session: SessionRef::Unknown,
            card: Some(wall.card.clone()),
            at,
            meter: WattHours(wall.register_wh),
            reason: StopReason::Local,
            provenance: Provenance::Measured,
        };
        self.event(index, ChargerEvent::SessionStopped { reply, request });
        self.status(index, ConnectorStatus::Available);
        self.next_arrival(index);
    }

    fn status(&mut self, index: usize, status: ConnectorStatus) {
        let (detail, at) = (StatusDetail::default(), self.now().wall);
        self.event(index, ChargerEvent::Status { connector: Some(ONE), status, detail, at });
    }

    /// A second of charging: what is drawn, and on which phases.
    fn charge(&mut self, index: usize) -> Option<(MilliAmps, Wiring)> {
        let (second, at) = (self.second, self.now().wall);
        let lies = self.is_broken(FaultOf::Obedience(index));
        let wall = self.walls.get_mut(index)?;
        if second > wall.heard_s + PROFILE_LIFE_S && !wall.set.is_zero() {
            // Nobody speaks to it any more: its profile ends, and the fallback of these buildings is nothing.
            (wall.set, wall.set_at_s) = (MilliAmps::ZERO, second);
        }
        let car = wall.car.as_mut()?;
        if second >= wall.set_at_s + FOLLOWS_S {
            let offered = if lies && !wall.set.is_zero() { car.max } else { wall.set.min(car.max) };
            car.draws = if car.got_ws >= car.wants_ws { MilliAmps::ZERO } else { offered };
        }
        let wires = u64::try_from(car.wires).unwrap_or(1);
        car.got_ws += u64::from(car.draws.0) * VOLTS * wires / 1000;
        let mut per_wire = vec![MilliAmps::ZERO; wall.wiring.wires().len()];
        per_wire.iter_mut().take(car.wires).for_each(|wire| *wire = car.draws);
        let used = Wiring::new(wall.wiring.wires().iter().take(car.wires).copied().collect()).ok()?;
        let drawn = car.draws;
        let energy = Some(WattHours(wall.register_wh + car.got_ws / 3600));
        if (second + u64::try_from(index).unwrap_or(0)).is_multiple_of(REPORT_S) {
            let sample = ChargerSample { at, current_per_wire: per_wire, energy, ..ChargerSample::default() };
            self.event(index, ChargerEvent::Measured { connector: Some(ONE), session: None, sample });
        }
        Some((drawn, used))
    }
}

fn wall(charger: &Charger, card: CardUid) -> Wall {
    Wall {
        id: charger.id.clone(),
        card,
        wiring: charger.wiring.clone(),
        set: MilliAmps::ZERO,
        set_at_s: 0,
        heard_s: 0,
        car: None,
        register_wh: 1_000,
        next_s: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A late afternoon of six chargers: cars come and charge, the grid connection is never overloaded for longer than
    /// cars need to follow, and a seed gives the same again.
    #[test]
    fn an_afternoon_passes_safely() {
        let afternoon = |seconds: u64| {
            let mut month = Month::new(6, 7).unwrap();
            month.second = 16 * 3600;
            for _ in 0..seconds {
                month.step();
            }
            let here: u64 = month.walls.iter().filter_map(|wall| wall.car).map(|car| car.got_ws / 3600).sum();
            (month.figures, here)
        };
        let (figures, here) = afternoon(5_400);
        assert!(figures.got_wh + here > 3_000, "{here} {figures:?}");
        assert!(figures.over_limit_s < 30, "{figures:?}");
        assert_eq!(afternoon(600), afternoon(600));
    }
}

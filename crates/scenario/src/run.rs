//! Plays a scenario from beginning to end.

use crate::engine::{Broken, Engine};
use crate::file::{CarModel, FaultSpec, Scenario, ScenarioError, StepSpec};
use crate::metrics::{Metrics, breakers};
use crate::picture::{Trace, TraceRow};
use crate::report::{BreakerReport, Report, StepReport};
use domain::{CardUid, DurationMs, Instant, Now};
use simulator::{Act, BuildingPlan, DeviceInput, Life, People, Physics, Stage, Traffic, build_world};
use std::collections::BTreeMap;

/// Step of the physics and of everything else, unless said otherwise.
const STEP: DurationMs = DurationMs(200);
/// Time for links, registrations and first readings before a script begins.
const WARM_UP: DurationMs = DurationMs(12_000);
/// Longest time after the end for the last sessions to be confirmed.
const WIND_DOWN: DurationMs = DurationMs(180_000);

/// Plays a scenario on virtual time.
///
/// # Errors
/// When the scenario cannot be played; a scenario that was read with [`Scenario::parse`] can.
pub fn run(scenario: &Scenario, seed: u64) -> Result<Report, ScenarioError> {
    run_in_steps(scenario, seed, STEP)
}

/// As [`run`], in steps of another length.
pub(crate) fn run_in_steps(scenario: &Scenario, seed: u64, step: DurationMs) -> Result<Report, ScenarioError> {
    let plan = scenario.plan(seed)?;
    let mut play = Play { step, ..Play::new(scenario, &plan, seed)? };
    play.warm_up();
    play.perform();
    play.wind_down();
    Ok(play.report(seed))
}

/// As [`run`], with what flowed in every second on the first phase, from which a picture can be drawn.
///
/// # Errors
/// As [`run`].
pub fn run_traced(scenario: &Scenario, seed: u64) -> Result<(Report, Trace), ScenarioError> {
    let plan = scenario.plan(seed)?;
    let mut play = Play::new(scenario, &plan, seed)?;
    play.warm_up();
    play.trace = Some(Trace {
        limit_ma: plan.site.grid_limit().0,
        chargers: plan.chargers.iter().map(|charger| charger.id.to_string()).collect(),
        rows: Vec::new(),
    });
    play.perform();
    let trace = play.trace.take().unwrap_or_default();
    play.wind_down();
    Ok((play.report(seed), trace))
}

/// What moves the cars.
enum Cast {
    Script(Box<Stage>),
    People(Box<People>),
}

struct Play<'a> {
    scenario: &'a Scenario,
    plan: &'a BuildingPlan,
    engine: Engine,
    step: DurationMs,
    cast: Cast,
    now: Now,
    began: Now,
    metrics: Metrics,
    step_metrics: Metrics,
    steps: Vec<StepReport>,
    /// What flowed in every second, where a picture is wanted.
    trace: Option<Trace>,
}

impl<'a> Play<'a> {
    fn new(scenario: &'a Scenario, plan: &'a BuildingPlan, seed: u64) -> Result<Self, ScenarioError> {
        let now = Now { instant: Instant::default(), wall: scenario.start()? };
        let physics = match scenario.cars {
            CarModel::Prompt => Physics::IDEAL,
            CarModel::Drawn => Physics::REAL,
        };
        let world = build_world(plan, &BTreeMap::new(), physics);
        let engine = Engine::new(plan, world, seed, now).map_err(ScenarioError::Circuits)?;
        let site = &plan.site;
        let usable = site.grid_limit().saturating_sub(site.margin);
        let cast = if scenario.steps.is_empty() {
            Cast::People(Box::new(People::new(plan, Life::Lively, now)))
        } else {
            Cast::Script(Box::new(Stage::new(scenario.script(), usable, parts(plan), now)))
        };
        let metrics = Metrics::new(site.grid_limit(), site.phases);
        Ok(Self {
            scenario,
            plan,
            engine,
            step: STEP,
            cast,
            now,
            began: now,
            step_metrics: metrics.clone(),
            metrics,
            steps: Vec::new(),
            trace: None,
        })
    }

    /// Lets one step of time pass.
    fn advance(&mut self) {
        self.now = Now { instant: self.now.instant + self.step, wall: self.now.wall + self.step };
        self.engine.step(self.now, self.step);
        self.metrics.step(&self.engine.world, self.step);
        self.step_metrics.step(&self.engine.world, self.step);
        if self.now.instant.0.is_multiple_of(1000) {
            self.note_second();
        }
    }

    fn note_second(&mut self) {
        let second = self.elapsed_s();
        let Some(trace) = &mut self.trace else { return };
        let world = &self.engine.world;
        let draws = |name: &String| {
            let outlet = world.device(name).and_then(|device| device.outlet());
            outlet.and_then(|outlet| outlet.car()).map_or(0, |car| car.draws().0)
        };
        let cars_ma = trace.chargers.iter().map(draws).collect();
        let house_ma = u32::try_from(world.house_ma().l1).unwrap_or(0);
        trace.rows.push(TraceRow { second, house_ma, cars_ma });
    }

    fn warm_up(&mut self) {
        if let Cast::Script(stage) = &mut self.cast {
            // The house of the first step runs before anyone charges.
            let mut empty = stage.clone();
            let traffic = empty.open(self.now, &mut self.engine.world);
            self.engine.carry(self.now, traffic);
            let traffic = empty.close(self.now, &mut self.engine.world);
            self.engine.carry(self.now, traffic);
            let until = self.now.instant + WARM_UP;
            while self.now.instant < until {
                self.advance();
            }
        }
        self.began = self.now;
    }

    fn perform(&mut self) {
        if let Cast::Script(stage) = &mut self.cast {
            let traffic = stage.open(self.now, &mut self.engine.world);
            self.engine.carry(self.now, traffic);
            self.step_metrics.restart();
        }
        loop {
            self.break_and_mend();
            self.advance();
            match self.direct() {
                Act::Playing => {}
                Act::Over => return,
            }
        }
    }

    fn elapsed_s(&self) -> u64 {
        self.now.instant.since(self.began.instant).0 / 1000
    }

    fn break_and_mend(&mut self) {
        let at_s = self.elapsed_s();
        for FaultSpec { at_s: from, for_s, kind, device } in &self.scenario.faults {
            let broken = if (*from..from + for_s).contains(&at_s) { Broken::Yes } else { Broken::No };
            self.engine.set_fault(self.now, device, *kind, broken);
        }
    }

    /// Lets the cars do what is due.
    fn direct(&mut self) -> Act {
        let (act, traffic, finished) = match &mut self.cast {
            Cast::People(people) => {
                let traffic = people.step(self.now, &mut self.engine.world);
                let over = self.elapsed_s() >= self.scenario.duration_s;
                (if over { Act::Over } else { Act::Playing }, traffic, None)
            }
            Cast::Script(stage) => {
                let before = stage.index();
                let (act, traffic) = stage.step(self.now, &mut self.engine.world);
                let moved = act == Act::Over || stage.index() != before;
                (act, traffic, moved.then_some(before))
            }
        };
        if let Some(step) = finished.and_then(|index| self.scenario.steps.get(index)) {
            let report = self.step_report(step);
            self.steps.push(report);
            self.step_metrics.restart();
        }
        self.engine.carry(self.now, traffic);
        act
    }

    fn step_report(&self, step: &StepSpec) -> StepReport {
        let world = &self.engine.world;
        let mut set_a = BTreeMap::new();
        let mut drawn_a = BTreeMap::new();
        for charger in &self.plan.chargers {
            let name = charger.id.as_str();
            let runs = self.runs_session(name);
            let set = self.engine.ledger.setpoints.get(name).copied().filter(|_| runs).unwrap_or_default();
            let drawn = world.device(name).and_then(|d| d.outlet()).and_then(|o| o.car()).map(|car| car.draws());
            set_a.insert(name.to_owned(), amps(set.0));
            drawn_a.insert(name.to_owned(), amps(drawn.unwrap_or_default().0));
        }
        StepReport {
            label: step.label.clone(),
            says: step.says.clone(),
            house_a: signed_amps(world.house_ma().l1),
            total_a: signed_amps(world.total_ma().l1),
            set_a,
            drawn_a,
            max_a: wide_amps(self.step_metrics.max_ma),
            longest_over_limit_s: seconds(self.step_metrics.longest_ms),
        }
    }

    fn runs_session(&self, charger: &str) -> bool {
        let mut sessions = self.engine.ledger.sessions.values();
        sessions.any(|session| session.charger.as_str() == charger && session.ended_at.is_none())
    }

    /// Mends everything, lets every car leave and waits until the last session is on record.
    fn wind_down(&mut self) {
        for fault in &self.scenario.faults {
            self.engine.set_fault(self.now, &fault.device, fault.kind, Broken::No);
        }
        let chargers: Vec<String> = self.plan.chargers.iter().map(|charger| charger.id.to_string()).collect();
        for device in chargers {
            let outputs = self.engine.world.handle(self.now, &device, DeviceInput::Unplug);
            let traffic = outputs.into_iter().map(|output| Traffic { device: device.clone(), output }).collect();
            self.engine.carry(self.now, traffic);
        }
        let until = self.now.instant + WIND_DOWN;
        while self.now.instant < until && self.is_unsettled() {
            self.advance();
        }
    }

    fn is_unsettled(&self) -> bool {
        let open = self.engine.ledger.sessions.values().any(|session| session.ended_at.is_none());
        open || self.engine.unconfirmed() > 0
    }

    fn report(&self, seed: u64) -> Report {
        let breakers: Vec<BreakerReport> = breakers(&self.engine.world)
            .into_iter()
            .map(|(kind, tripped, used_percent)| BreakerReport { kind, tripped, used_percent })
            .collect();
        let ledger = &self.engine.ledger;
        Report {
            scenario: self.scenario.name.clone(),
            title: self.scenario.title.clone(),
            seed,
            duration_s: self.elapsed_s(),
            limit_a: amps(self.plan.site.grid_limit().0),
            max_a: wide_amps(self.metrics.max_ma),
            over_limit_s: seconds(self.metrics.over_ms),
            longest_over_limit_s: seconds(self.metrics.longest_ms),
            worst_over_limit_as: wide_amps(self.metrics.worst_ma_ms / 1000),
            longest_over_limit_by_chargers_s: seconds(self.metrics.longest_by_cars_ms),
            tripped: breakers.iter().any(|breaker| breaker.tripped),
            breakers,
            delivered_wh: self.engine.world.delivered().wh().0,
            sessions_wh: ledger.sessions.values().map(|session| session.energy.0).sum(),
            sessions: ledger.sessions.len(),
            unconfirmed: self.engine.unconfirmed(),
            switches: ledger.switches,
            setpoints: ledger.changes,
            alarms: ledger.alarms.iter().map(|alarm| format!("{alarm:?}")).collect(),
            unmet: self.unmet(),
            steps: self.steps.clone(),
        }
    }

    fn unmet(&self) -> Vec<String> {
        let mut unmet = Vec::new();
        for (spec, report) in self.scenario.steps.iter().zip(&self.steps) {
            for (charger, expected) in &spec.expect.0 {
                let set = report.set_a.get(charger).copied().unwrap_or_default();
                if (set - f64::from(*expected)).abs() > f64::EPSILON {
                    unmet.push(format!("({}) {charger}: {set} A instead of {expected} A", spec.label));
                }
            }
        }
        unmet
    }
}

/// Chargers of a script with their wires and cards, in the order of registration.
fn parts(plan: &BuildingPlan) -> Vec<(String, usize, CardUid)> {
    let homes = plan.households.iter().filter_map(|home| home.cards.first());
    let chargers = plan.chargers.iter().zip(homes);
    chargers.map(|(charger, card)| (charger.id.to_string(), charger.wiring.wires().len(), card.uid.clone())).collect()
}

fn amps(milli_amps: u32) -> f64 {
    f64::from(milli_amps) / 1000.0
}

fn wide_amps(milli_amps: u64) -> f64 {
    amps(u32::try_from(milli_amps).unwrap_or(u32::MAX))
}

fn signed_amps(milli_amps: i64) -> f64 {
    f64::from(i32::try_from(milli_amps).unwrap_or(i32::MAX)) / 1000.0
}

fn seconds(milliseconds: u64) -> f64 {
    wide_amps(milliseconds)
}

//! What a run was like: for people and as JSON.

use serde::Serialize;
use simulator::BreakerKind;
use std::collections::BTreeMap;
use std::fmt;

/// Figures of one run. Currents in A, energies in Wh, times in s.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Name of the scenario.
    pub scenario: String,
    /// What it shows.
    pub title: String,
    /// Seed.
    pub seed: u64,
    /// Virtual time it covered.
    pub duration_s: u64,
    /// Limit of the grid connection per phase.
    pub limit_a: f64,
    /// Largest current on any phase.
    pub max_a: f64,
    /// Time with any phase above the limit.
    pub over_limit_s: f64,
    /// Longest time without a break above the limit.
    pub longest_over_limit_s: f64,
    /// Largest product of excess and time without a break, on one phase.
    pub worst_over_limit_as: f64,
    /// Most time above the limit for which the chargers, not the house alone, were the cause.
    pub longest_over_limit_by_chargers_s: f64,
    /// Whether any watched breaker would have opened.
    pub tripped: bool,
    /// Each kind of breaker at its worst phase.
    pub breakers: Vec<BreakerReport>,
    /// Energy that flowed into cars.
    pub delivered_wh: u64,
    /// Energy of all sessions.
    pub sessions_wh: u64,
    /// Sessions.
    pub sessions: usize,
    /// Sessions whose start or end nobody confirmed.
    pub unconfirmed: usize,
    /// Setpoints that went from nothing to something or back while a session ran.
    pub switches: u32,
    /// Setpoints sent that differ from the one before.
    pub setpoints: u32,
    /// Alarms raised.
    pub alarms: Vec<String>,
    /// The steps of a script.
    pub steps: Vec<StepReport>,
    /// Expectations that were not met, in words; empty when all is well.
    pub unmet: Vec<String>,
}

/// A breaker at its worst phase.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BreakerReport {
    /// Which.
    pub kind: BreakerKind,
    /// Whether it would have opened.
    pub tripped: bool,
    /// Share of the way to a trip.
    pub used_percent: f64,
}

/// What a step ended with.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StepReport {
    /// Letter or number.
    pub label: String,
    /// What happened.
    pub says: String,
    /// House load on the first phase.
    pub house_a: f64,
    /// Everything on the first phase.
    pub total_a: f64,
    /// Setpoints by charger.
    pub set_a: BTreeMap<String, f64>,
    /// What was drawn by charger.
    pub drawn_a: BTreeMap<String, f64>,
    /// Largest current on any phase during the step.
    pub max_a: f64,
    /// Longest time above the limit during the step.
    pub longest_over_limit_s: f64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {} (seed {}, {} s)", self.scenario, self.title, self.seed, self.duration_s)?;
        for step in &self.steps {
            write!(f, "  ({}) house {:4.1} A, total {:4.1} A", step.label, step.house_a, step.total_a)?;
            for (charger, amps) in &step.set_a {
                write!(f, ", {charger} {amps:.0} A")?;
            }
            writeln!(f, "  {}", step.says)?;
        }
        writeln!(
            f,
            "limit {:.1} A, most {:.1} A, over the limit {:.1} s in all, {:.1} s at once, {:.1} As at worst",
            self.limit_a, self.max_a, self.over_limit_s, self.longest_over_limit_s, self.worst_over_limit_as
        )?;
        for breaker in &self.breakers {
            let end = if breaker.tripped { "tripped" } else { "held" };
            writeln!(f, "breaker {:?}: {end}, {:.0} % of the way to a trip", breaker.kind, breaker.used_percent)?;
        }
        writeln!(
            f,
            "{} Wh into cars, {} Wh in {} sessions, {} switches, {} setpoints",
            self.delivered_wh, self.sessions_wh, self.sessions, self.switches, self.setpoints
        )?;
        for alarm in &self.alarms {
            writeln!(f, "alarm: {alarm}")?;
        }
        if self.unmet.is_empty() && !self.steps.is_empty() {
            writeln!(f, "every step came out as expected")?;
        }
        self.unmet.iter().try_for_each(|unmet| writeln!(f, "not as expected: {unmet}"))
    }
}

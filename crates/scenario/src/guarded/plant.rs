//! A harsh little site, second by second: appliances with inrush, a meter that is late and loses samples, setpoints
//! that arrive late, pilots that change at most every 5 s, cars that follow late and ramp.
//!
//! The figures are those of a public bench of this kind (30 A with 4 cars, 3 x 63 A with 9): it is meant to be harder
//! than any building.

use simulator::Dice;

/// What an appliance does: amperes, mean seconds on, extra amperes of its inrush and their seconds, mean seconds off.
struct Appliance {
    amps: f64,
    on_s: f64,
    inrush_amps: f64,
    inrush_s: f64,
    gap_s: f64,
}

const APPLIANCES: [Appliance; 5] = [
    // Kettle or coffee machine.
    Appliance { amps: 9.0, on_s: 180.0, inrush_amps: 0.0, inrush_s: 0.0, gap_s: 900.0 },
    // Thermostat of an oven or a hob.
    Appliance { amps: 10.0, on_s: 75.0, inrush_amps: 0.0, inrush_s: 0.0, gap_s: 420.0 },
    // Lift.
    Appliance { amps: 6.0, on_s: 25.0, inrush_amps: 14.0, inrush_s: 1.5, gap_s: 300.0 },
    // Pressure pump.
    Appliance { amps: 4.0, on_s: 120.0, inrush_amps: 10.0, inrush_s: 1.0, gap_s: 700.0 },
    // Heater of a washing machine.
    Appliance { amps: 8.5, on_s: 900.0, inrush_amps: 0.0, inrush_s: 0.0, gap_s: 2400.0 },
];
/// Pilots change at most this often (IEC 61851-1), in s.
const PILOT_S: f64 = 5.0;

/// Random numbers of physics.
pub(super) struct Chance(Dice);

impl Chance {
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        Self(Dice::new(seed, stream))
    }

    /// At least 0 and below 1.
    pub(super) fn share(&mut self) -> f64 {
        f64::from(self.0.between_u32(0, 999_999_999)) / 1e9
    }

    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.share()
    }

    /// Time to the next of events that come with this mean.
    fn wait(&mut self, mean: f64) -> f64 {
        -(1.0 - self.share()).ln() * mean
    }

    /// Of a bell of width 1.
    pub(super) fn bell(&mut self) -> f64 {
        (-2.0 * (1.0 - self.share()).ln()).sqrt() * (std::f64::consts::TAU * self.share()).cos()
    }
}

/// The building's own current by phase and second.
pub(super) struct Building(Vec<Vec<f64>>);

impl Building {
    pub(super) fn new(chance: &mut Chance, phases: usize, seconds: u32, scale: f64, limit: f64) -> Self {
        Self((0..phases).map(|_| phase(chance, seconds, scale, limit)).collect())
    }

    pub(super) fn at(&self, phase: usize, second: u32) -> f64 {
        let levels = self.0.get(phase);
        let level = usize::try_from(second).ok().and_then(|second| levels.and_then(|levels| levels.get(second)));
        level.copied().unwrap_or_default()
    }
}

fn phase(chance: &mut Chance, seconds: u32, scale: f64, limit: f64) -> Vec<f64> {
    let mut level: Vec<f64> = (0..seconds).map(|_| 3.0 * scale + 0.15 * chance.bell()).collect();
    let mut second_of: Vec<f64> = Vec::new();
    second_of.extend((0..seconds).map(f64::from));
    for appliance in &APPLIANCES {
        let mut at = chance.wait(appliance.gap_s);
        while at < f64::from(seconds) {
            let until = at + chance.wait(appliance.on_s).max(5.0);
            let from = second_of.partition_point(|second| *second < at.floor());
            for (second, amps) in second_of.iter().zip(&mut level).skip(from) {
                if *second >= until.floor() {
                    break;
                }
                let inrush = if *second - at < appliance.inrush_s { appliance.inrush_amps } else { 0.0 };
                *amps += (appliance.amps + inrush) * scale;
            }
            at = until + chance.wait(appliance.gap_s);
        }
    }
    level.into_iter().map(|amps| amps.clamp(0.0, 0.95 * limit)).collect()
}

/// A car with its charger and the link to it.
#[derive(Clone, Debug)]
pub(super) struct Car {
    /// Grid phases, from 0.
    pub(super) phases: Vec<usize>,
    pub(super) max: f64,
    dead_s: f64,
    up: f64,
    down: f64,
    latency_s: f64,
    wake_s: f64,
    /// What it was told last.
    pub(super) told: f64,
    pilot: f64,
    goal: f64,
    /// What it draws on each of its phases.
    pub(super) amps: f64,
    on_the_way: Vec<(f64, f64)>,
    seen: Vec<(f64, f64)>,
    pilot_at: f64,
    starts_at: f64,
    pub(super) switches: u32,
}

impl Car {
    pub(super) fn new(chance: &mut Chance, phases: Vec<usize>, latency: (f64, f64)) -> Self {
        let max = if chance.share() < 0.5 { 16.0 } else { 32.0 };
        // Some are slower than the standard allows.
        let dead_s = if chance.share() < 0.85 { chance.between(0.5, 3.5) } else { chance.between(4.5, 8.0) };
        Self {
            phases,
            max,
            dead_s,
            up: chance.between(1.0, 4.0),
            down: chance.between(4.0, 20.0),
            latency_s: chance.between(latency.0, latency.1),
            wake_s: chance.between(8.0, 30.0),
            told: 0.0,
            pilot: 0.0,
            goal: 0.0,
            amps: 0.0,
            on_the_way: Vec::new(),
            seen: Vec::new(),
            pilot_at: -PILOT_S,
            starts_at: 0.0,
            switches: 0,
        }
    }

    pub(super) fn tell(&mut self, amps: f64, at: f64) {
        if (amps - self.told).abs() < 0.5 {
            return;
        }
        self.switches += u32::from((amps > 0.0) != (self.told > 0.0));
        self.told = amps;
        self.on_the_way.push((at + self.latency_s, amps));
    }

    pub(super) fn step(&mut self, at: f64) {
        if at - self.pilot_at >= PILOT_S - 1e-9
            && let Some((_, amps)) = self.on_the_way.iter().rev().find(|(arrives, _)| *arrives <= at).copied()
        {
            self.on_the_way.retain(|(arrives, _)| *arrives > at);
            if amps > 0.0 && self.pilot <= 0.0 {
                self.starts_at = at + self.wake_s;
            }
            let dead_s = if amps > 0.0 { self.dead_s } else { self.dead_s.min(3.0) };
            (self.pilot, self.pilot_at) = (amps, at);
            self.seen.push((at + dead_s, amps));
        }
        while self.seen.first().is_some_and(|(when, _)| *when <= at) {
            self.goal = self.seen.remove(0).1;
        }
        let goal = if at < self.starts_at { 0.0 } else { self.goal.min(self.max) };
        self.amps += (goal - self.amps).clamp(-self.down, self.up);
    }
}

/// What a thermal device trips at, and its time constant in s. The fastest legal breaker is left out: no reaction
/// can spare it.
const THERMAL: [(f64, f64); 3] = [(1.6641, 51.0), (1.69, 125.0), (1.95, 448.0)];

/// Protection devices on one phase, all at full load in the beginning.
#[derive(Clone, Debug)]
pub(super) struct Devices {
    limit: f64,
    theta: [f64; 3],
    used: f64,
    over_s: f64,
    excess: f64,
    pub(super) longest_over_s: f64,
    pub(super) worst_excess_as: f64,
    pub(super) most: f64,
}

impl Devices {
    pub(super) const fn new(limit: f64) -> Self {
        Self {
            limit,
            theta: [1.0; 3],
            used: 0.0,
            over_s: 0.0,
            excess: 0.0,
            longest_over_s: 0.0,
            worst_excess_as: 0.0,
            most: 0.0,
        }
    }

    pub(super) fn step(&mut self, amps: f64) {
        let ratio = amps / self.limit;
        for (theta, (trips_at, tau)) in self.theta.iter_mut().zip(THERMAL) {
            *theta += (ratio * ratio - *theta) * (1.0 - (-1.0 / tau).exp());
            self.used = self.used.max((*theta - 1.0) / (trips_at - 1.0));
        }
        self.over_s = if ratio > 1.05 { self.over_s + 1.0 } else { 0.0 };
        self.excess = if ratio > 1.0 + 1e-9 { self.excess + amps - self.limit } else { 0.0 };
        self.longest_over_s = self.longest_over_s.max(self.over_s);
        self.worst_excess_as = self.worst_excess_as.max(self.excess);
        self.most = self.most.max(amps);
    }

    /// Share of the way to a trip that the worst of them has not used.
    pub(super) fn margin(&self) -> f64 {
        1.0 - self.used.max(self.longest_over_s / 10.0)
    }
}

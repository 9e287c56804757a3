//! Hours of the harsh site with the guard, and the figures that judge it.

use super::plant::{Building, Car, Chance, Devices};
use super::rig::{ChargerReport, ChargerSetup, LoopSetup, LoopSite, LoopTick, MeterReport, RigError};
use domain::{ConnectorStatus, DurationMs, Instant, MilliAmps, MilliVolts};
use std::collections::BTreeMap;

/// Seconds the reference sees ahead.
const FORESIGHT_S: u32 = 25;
const REFERENCE_REST_S: u32 = 120;
const MIN: f64 = 6.0;

/// The site and its troubles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoopBench {
    /// 3 x 63 A with 9 cars; else 30 A with 4.
    pub three_phase: bool,
    /// Between two samples of the meter, in s.
    pub meter_s: u32,
    /// Between two readings of a charger, in s.
    pub telemetry_s: u32,
    /// What a setpoint needs to its charger, least and most, in s.
    pub latency_s: (f64, f64),
    /// The meter falls silent twice, for this many s.
    pub outage_s: u32,
    /// Share of samples that are lost.
    pub loss: f64,
    /// Length of a run in s.
    pub seconds: u32,
}

/// What came of one run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LoopFigures {
    /// Share of the way to a trip that the worst device has not used: mid-band breaker, Linky, Spanish ICP, and a
    /// definite-time relay of 1.05 times for 10 s.
    pub margin: f64,
    /// Longest time in a row above 1.05 times the limit, in s.
    pub longest_over_s: f64,
    /// Worst overload in a row, in ampere-seconds.
    pub worst_excess_as: f64,
    /// Highest current.
    pub most_a: f64,
    /// Charge delivered, as a share of what one would deliver who knows the next 25 s.
    pub delivered: f64,
    /// Stops and starts per car and hour.
    pub switches_per_hour: f64,
}

impl LoopBench {
    const fn limit(&self) -> f64 {
        if self.three_phase { 63.0 } else { 30.0 }
    }

    const fn phases(&self) -> usize {
        if self.three_phase { 3 } else { 1 }
    }

    /// Plays one run.
    ///
    /// # Errors
    /// When the site cannot be built, which would be a mistake in here.
    pub fn play(&self, seed: u64) -> Result<LoopFigures, RigError> {
        let mut run = Run::new(self, seed);
        let mut site = LoopSite::new(&run.setup())?;
        run.play(|run, second, sample| {
            let told = site.tick(&run.tick(second, sample));
            told.into_iter().filter_map(|(id, limit)| Some((index_of(&id)?, f64::from(limit.amps_floor())))).collect()
        });
        let mut reference = Reference::new(self, Run::new(self, seed));
        reference.play();
        Ok(run.figures(reference.run.delivered))
    }
}

fn index_of(id: &str) -> Option<usize> {
    id.trim_start_matches('c').parse::<usize>().ok()?.checked_sub(1)
}

/// A sample on its way: when it arrives, when it was taken, what it says.
type Sample = (f64, u32, Vec<f64>);

struct Run {
    bench: LoopBench,
    levels: Building,
    cars: Vec<Car>,
    devices: Vec<Devices>,
    chance: Chance,
    readings: Vec<(f64, u32)>,
    delivered: f64,
}

impl Run {
    fn new(bench: &LoopBench, seed: u64) -> Self {
        let mut chance = Chance::new(seed, 0);
        let (phases, limit) = (bench.phases(), bench.limit());
        let scale = if bench.three_phase { 1.4 } else { 0.7 };
        let levels = Building::new(&mut chance, phases, bench.seconds, scale, limit);
        let count = if bench.three_phase { 9 } else { 4 };
        let wires = |car: usize| match (bench.three_phase, car % 3) {
            (false, _) => vec![0],
            (true, 0) => vec![0, 1, 2],
            (true, phase) => vec![phase],
        };
        let cars: Vec<Car> = (0..count).map(|car| Car::new(&mut chance, wires(car), bench.latency_s)).collect();
        Self {
            bench: *bench,
            levels,
            readings: vec![(0.0, 0); cars.len()],
            cars,
            devices: vec![Devices::new(limit); phases],
            chance,
            delivered: 0.0,
        }
    }

    fn setup(&self) -> LoopSetup {
        let limit = milli(self.bench.limit());
        let charger = |(index, car): (usize, &Car)| ChargerSetup {
            id: format!("c{}", index + 1),
            phases: car.phases.iter().filter_map(|phase| u8::try_from(phase + 1).ok()).collect(),
            max: MilliAmps::from_amps(32),
            priority: 0,
            registered: u32::try_from(index + 1).unwrap_or(u32::MAX),
        };
        LoopSetup {
            limits: vec![limit; self.bench.phases()],
            voltage: MilliVolts(230_000),
            min: milli(MIN),
            meter_period: DurationMs::from_secs(u64::from(self.bench.meter_s)),
            chargers: self.cars.iter().enumerate().map(charger).collect(),
        }
    }

    fn play(&mut self, mut decide: impl FnMut(&Self, u32, Option<(u32, Vec<f64>)>) -> BTreeMap<usize, f64>) {
        let mut on_the_way: Vec<Sample> = Vec::new();
        for second in 0..self.bench.seconds {
            self.measure(second, &mut on_the_way);
            let at = f64::from(second);
            let arrived = on_the_way.iter().rev().find(|(arrives, ..)| *arrives <= at).cloned();
            on_the_way.retain(|(arrives, ..)| *arrives > at);
            let told = decide(self, second, arrived.map(|(_, taken, amps)| (taken, amps)));
            for (index, amps) in told {
                if let Some(car) = self.cars.get_mut(index) {
                    car.tell(amps, at);
                }
            }
            self.cars.iter_mut().for_each(|car| car.step(at));
            for (phase, amps) in self.currents(second).into_iter().enumerate() {
                if let Some(devices) = self.devices.get_mut(phase) {
                    devices.step(amps);
                }
            }
            self.delivered += self.cars.iter().flat_map(|car| car.phases.iter().map(|_| car.amps)).sum::<f64>();
        }
    }

    fn currents(&self, second: u32) -> Vec<f64> {
        let cars = |phase: usize| self.cars.iter().filter(move |car| car.phases.contains(&phase)).map(|car| car.amps);
        (0..self.bench.phases()).map(|phase| self.levels.at(phase, second) + cars(phase).sum::<f64>()).collect()
    }

    fn measure(&mut self, second: u32, on_the_way: &mut Vec<Sample>) {
        let Self { bench, chance, cars, readings, .. } = self;
        let is_silent = [1, 2].iter().any(|part| {
            let from = bench.seconds / 3 * part;
            (from..from + bench.outage_s).contains(&second)
        });
        let is_due = second.is_multiple_of(bench.meter_s);
        let is_lost = is_due && chance.share() < bench.loss;
        if second.is_multiple_of(bench.telemetry_s) {
            for (reading, car) in readings.iter_mut().zip(cars.iter()) {
                *reading = ((car.amps * 10.0).round() / 10.0, second);
            }
        }
        if is_due && !is_lost && !is_silent {
            let arrives = f64::from(second) + self.chance.between(0.2, 1.2);
            let currents = self.currents(second);
            let noisy = |amps: f64| (amps * (1.0 + 0.005 * self.chance.bell()) * 10.0).round() / 10.0;
            on_the_way.push((arrives, second, currents.into_iter().map(noisy).collect()));
        }
    }

    fn tick(&self, second: u32, sample: Option<(u32, Vec<f64>)>) -> LoopTick {
        let report = |(index, (car, (amps, taken))): (usize, (&Car, &(f64, u32)))| ChargerReport {
            id: format!("c{}", index + 1),
            status: if car.told <= 0.0 {
                ConnectorStatus::SuspendedEvse
            } else if car.amps < 1.0 {
                ConnectorStatus::Preparing
            } else {
                ConnectorStatus::Charging
            },
            set: milli(car.told),
            measured: vec![milli(*amps); car.phases.len()],
            taken: instant(*taken),
        };
        LoopTick {
            at: instant(second),
            meter: sample.map(|(taken, amps)| MeterReport {
                taken: instant(taken),
                currents: amps.into_iter().map(milli).collect(),
            }),
            chargers: self.cars.iter().zip(&self.readings).enumerate().map(report).collect(),
        }
    }

    fn figures(&self, reference: f64) -> LoopFigures {
        let most = |of: fn(&Devices) -> f64| self.devices.iter().map(of).fold(0.0, f64::max);
        let hours = f64::from(self.bench.seconds) / 3600.0;
        let switches: f64 = self.cars.iter().map(|car| f64::from(car.switches)).sum();
        let cars: f64 = self.cars.iter().map(|_| 1.0).sum();
        LoopFigures {
            margin: self.devices.iter().map(Devices::margin).fold(1.0, f64::min),
            longest_over_s: most(|devices| devices.longest_over_s),
            worst_excess_as: most(|devices| devices.worst_excess_as),
            most_a: most(|devices| devices.most),
            delivered: if reference > 0.0 { self.delivered / reference } else { 1.0 },
            switches_per_hour: switches / hours / cars,
        }
    }
}

/// One who knows the building's next seconds and every car's maximum, and never passes the limit.
struct Reference {
    run: Run,
    set: Vec<f64>,
    stopped: Vec<Option<u32>>,
}

impl Reference {
    fn new(bench: &LoopBench, run: Run) -> Self {
        let count = run.cars.len();
        debug_assert_eq!(run.bench, *bench, "both see one site");
        Self { run, set: vec![0.0; count], stopped: vec![None; count] }
    }

    fn play(&mut self) {
        let (mut set, mut stopped) = (self.set.clone(), self.stopped.clone());
        self.run.play(|run, second, _| {
            if !second.is_multiple_of(5) {
                return BTreeMap::new();
            }
            let next = divide_ahead(run, second, &set, &stopped);
            for ((before, after), stopped) in set.iter().zip(&next).zip(&mut stopped) {
                if *before > 0.0 && *after <= 0.0 {
                    *stopped = Some(second);
                }
            }
            set = next;
            set.iter().copied().enumerate().collect()
        });
    }
}

/// Whole amperes in turn: the minimum first to those who charge, then one more each.
fn divide_ahead(run: &Run, second: u32, set: &[f64], stopped: &[Option<u32>]) -> Vec<f64> {
    let ahead = |phase: usize| {
        let seconds = second..(second + FORESIGHT_S).min(run.bench.seconds);
        seconds.map(|second| run.levels.at(phase, second)).fold(0.0, f64::max)
    };
    let mut room: Vec<f64> = (0..run.bench.phases()).map(|phase| (run.bench.limit() - ahead(phase)).floor()).collect();
    let mut next = vec![0.0; set.len()];
    let mut give = |index: usize, amps: f64, next: &mut [f64]| {
        let (Some(car), Some(slot)) = (run.cars.get(index), next.get_mut(index)) else { return false };
        let fits = *slot + amps <= car.max
            && car.phases.iter().all(|phase| room.get(*phase).is_some_and(|room| *room >= amps));
        if fits {
            *slot += amps;
            for phase in &car.phases {
                if let Some(room) = room.get_mut(*phase) {
                    *room -= amps;
                }
            }
        }
        fits
    };
    let charges = |index: &usize| set.get(*index).is_some_and(|amps| *amps > 0.0);
    let mut order: Vec<usize> = (0..set.len()).collect();
    order.sort_by_key(|index| !charges(index));
    for index in order {
        let rested = stopped.get(index).copied().flatten().is_none_or(|at| second - at >= REFERENCE_REST_S);
        if charges(&index) || rested {
            give(index, MIN, &mut next);
        }
    }
    loop {
        let mut given = false;
        for index in 0..set.len() {
            let has = next.get(index).is_some_and(|amps| *amps > 0.0);
            given |= has && give(index, 1.0, &mut next);
        }
        if !given {
            return next;
        }
    }
}

fn instant(second: u32) -> Instant {
    Instant(u64::from(second) * 1000)
}

/// To milliamperes; the plant knows no currents that do not fit.
fn milli(amps: f64) -> MilliAmps {
    MilliAmps(whole(amps * 1000.0))
}

fn whole(value: f64) -> u32 {
    let value = value.round().clamp(0.0, f64::from(u32::MAX));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the range by the clamp above")]
    let whole = value as u32;
    whole
}

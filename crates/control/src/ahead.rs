//! What the building itself draws: foretold for the next quarter of an hour, and over weeks the load it stays below
//! for 99.9 % of the time.
//!
//! Only minutes in which a meter of the grid connection spoke count. The past is handed in once, at the start.

use crate::planner::{Calibration, Forecast, LocalMinute};
use crate::{Control, ForecastState, Output};
use domain::{MilliAmps, Now, PerPhase, Phase, Timestamp};
use std::collections::{BTreeMap, VecDeque};

/// Cars are planned for by the quarter hour.
const AHEAD_MIN: u16 = 15;
/// The bound is meant to be exceeded in so many of a thousand quarter hours.
const ABOVE_PERMILLE: u16 = 10;
/// Days after which the measured load replaces the declared one.
pub(crate) const DAYS_KNOWN: u16 = 14;
/// Days that count: habits of a building change with the season.
const DAYS_MAX: usize = 60;
/// A day with fewer measured minutes is none: half a day.
const MINUTES_OF_A_DAY: u32 = 720;
const DAY_MIN: i64 = 24 * 60;
/// Of so many minutes one may lie above the load that counts.
const ONE_IN: u64 = 1000;

/// Minutes of one day by load, in steps of 100 mA, per phase.
#[derive(Clone, Debug, Default)]
struct Day {
    date: i64,
    minutes: u32,
    by_load: PerPhase<BTreeMap<u32, u32>>,
}

/// What is known of the building's own load.
#[derive(Clone, Debug)]
pub(crate) struct Ahead {
    forecasts: PerPhase<Forecast>,
    days: VecDeque<Day>,
    /// The minute that runs, with the largest load in it.
    minute: Option<(LocalMinute, PerPhase<MilliAmps>)>,
    /// The load it stays below for 99.9 % of the time, as found when the day began.
    usual_most: Option<PerPhase<MilliAmps>>,
}

impl Default for Ahead {
    fn default() -> Self {
        let one = || Forecast::new(AHEAD_MIN, ABOVE_PERMILLE);
        let forecasts = PerPhase::new(one(), one(), one());
        Self { forecasts, days: VecDeque::new(), minute: None, usual_most: None }
    }
}

impl Ahead {
    /// Takes a load; a minute counts with the largest in it. True when a new day began.
    fn note(&mut self, at: LocalMinute, load: PerPhase<MilliAmps>) -> bool {
        let (minute, most) = self.minute.unwrap_or((at, load));
        if minute == at {
            self.minute = Some((at, most.zip(load).map(|(most, load)| most.max(load))));
            return false;
        }
        self.minute = Some((at, load));
        for phase in Phase::ALL {
            let forecast = self.forecasts.get_mut(phase);
            if minute.0 + 1 != at.0 {
                forecast.begin_again();
            }
            forecast.note(minute, *most.get(phase));
        }
        self.keep(minute, most);
        let is_new_day = minute.0.div_euclid(DAY_MIN) != at.0.div_euclid(DAY_MIN);
        if is_new_day {
            self.usual_most = self.find_usual_most();
        }
        is_new_day
    }

    fn recall(&mut self, at: LocalMinute, load: PerPhase<MilliAmps>) {
        for phase in Phase::ALL {
            self.forecasts.get_mut(phase).recall(at, *load.get(phase));
        }
        self.keep(at, load);
    }

    fn keep(&mut self, at: LocalMinute, load: PerPhase<MilliAmps>) {
        let date = at.0.div_euclid(DAY_MIN);
        if self.days.back().is_none_or(|day| day.date != date) {
            self.days.push_back(Day { date, ..Day::default() });
        }
        while self.days.len() > DAYS_MAX {
            self.days.pop_front();
        }
        let Some(day) = self.days.back_mut() else { return };
        day.minutes += 1;
        for phase in Phase::ALL {
            *day.by_load.get_mut(phase).entry(load.get(phase).0.div_ceil(100)).or_default() += 1;
        }
    }

    /// Days that were measured for at least half of their time.
    pub(crate) fn days(&self) -> u16 {
        let days = self.days.iter().filter(|day| day.minutes >= MINUTES_OF_A_DAY).count();
        u16::try_from(days).unwrap_or(u16::MAX)
    }

    /// The load that the building stays below for 99.9 % of the time; `None` before enough days were measured.
    pub(crate) const fn usual_most(&self) -> Option<PerPhase<MilliAmps>> {
        self.usual_most
    }

    fn find_usual_most(&self) -> Option<PerPhase<MilliAmps>> {
        if self.days() < DAYS_KNOWN {
            return None;
        }
        let most = |phase: Phase| {
            let mut by_load: BTreeMap<u32, u64> = BTreeMap::new();
            for (load, minutes) in self.days.iter().flat_map(|day| day.by_load.get(phase)) {
                *by_load.entry(*load).or_default() += u64::from(*minutes);
            }
            let mut above = by_load.values().sum::<u64>() / ONE_IN;
            let found = by_load.into_iter().rev().find(|(_, minutes)| match above.checked_sub(*minutes) {
                Some(rest) => {
                    above = rest;
                    false
                }
                None => true,
            });
            MilliAmps(found.map_or(0, |(load, _)| load.saturating_mul(100)))
        };
        Some(PerPhase::new(most(Phase::L1), most(Phase::L2), most(Phase::L3)))
    }

    /// The load to reckon with in so many minutes, what is foretold and the reserve that its errors ask for.
    pub(crate) fn likely(&self, now: LocalMinute, minutes: u32, phase: Phase) -> Option<MilliAmps> {
        let forecast = self.forecasts.get(phase);
        let minutes = u16::try_from(minutes).unwrap_or(u16::MAX);
        let expected = milli_amps(forecast.expected(now, minutes)?);
        let present = milli_amps(forecast.expected(now, 0)?);
        let reserve = forecast.upper()?.saturating_sub(present);
        Some(expected + reserve)
    }

    fn state(&self, now: LocalMinute, phases: &[Phase]) -> Option<ForecastState> {
        let calibration = Calibration { target_permille: u32::from(ABOVE_PERMILLE), ..Calibration::default() };
        let (expected, upper) = (PerPhase::default(), PerPhase::default());
        let mut state = ForecastState { ahead_min: AHEAD_MIN, expected, upper, calibration };
        for phase in phases {
            let forecast = self.forecasts.get(*phase);
            *state.expected.get_mut(*phase) = milli_amps(forecast.expected(now, AHEAD_MIN)?);
            *state.upper.get_mut(*phase) = forecast.upper()?;
            state.calibration.outcomes += forecast.calibration().outcomes;
            state.calibration.above += forecast.calibration().above;
        }
        Some(state)
    }
}

impl Control {
    /// Takes in what the building draws now, when that is measured. A new day may bring other fallbacks.
    pub(crate) fn note_building(&mut self, now: Now, out: &mut Vec<Output>) {
        if !self.is_metered(now) {
            return;
        }
        let house = self.grid_flows(now).house;
        let load = house.map(|net| MilliAmps(u32::try_from(net.max(0)).unwrap_or(u32::MAX)));
        let at = self.local(now.wall);
        if self.ahead.note(at, load) {
            out.extend(self.fit_fallbacks());
        }
    }

    /// Takes in what was measured before the program started, minute by minute, oldest first.
    pub(crate) fn recall_building(&mut self, past: &[(Timestamp, PerPhase<MilliAmps>)], out: &mut Vec<Output>) {
        for (at, load) in past {
            let at = self.local(*at);
            self.ahead.recall(at, *load);
        }
        for phase in Phase::ALL {
            self.ahead.forecasts.get_mut(phase).begin_again();
        }
        self.ahead.usual_most = self.ahead.find_usual_most();
        out.extend(self.fit_fallbacks());
    }

    /// What the building is expected to draw.
    pub(crate) fn forecast(&self, now: Now) -> Option<ForecastState> {
        self.ahead.state(self.local(now.wall), self.site.phases.phases())
    }
}

/// A load of a plan, in whole milliamperes; no limit is computed from it.
fn milli_amps(amps: f64) -> MilliAmps {
    MilliAmps(format!("{:.0}", (amps * 1000.0).max(0.0)).parse().unwrap_or(u32::MAX))
}

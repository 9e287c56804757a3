//! What the building itself will draw: the load now, drawn towards the habit of the hour, with an upper bound that
//! measures itself.
//!
//! Within minutes nothing beats persistence, and within hours the profile of the hour does; the value lies in the
//! upper bound. It is the load now plus a quantile of the rises that followed loads of this size in the last week,
//! and the quantile is moved after every outcome so that the share of outcomes above the bound stays on target
//! (adaptive conformal inference), whatever the building does.

use super::{LocalMinute, real};
use domain::MilliAmps;
use std::collections::VecDeque;

/// Rises kept of each class: about a week of the common ones, months of the rare.
const RISES_MAX: usize = 1500;
/// Loads are alike within one of so many classes, each twice as wide as the one before: 1, 2, 4, 8, 16 A and more.
const CLASSES: usize = 6;
/// Below this many rises a class borrows from all.
const ENOUGH: usize = 200;
/// How fast the quantile follows its misses; larger forgets faster.
const STEP: f64 = 0.005;
/// Half of what is known of the present is gone after this many minutes.
const PRESENT_MIN: f64 = 60.0;
/// Weight of a new sample in the mean of its hour: about three weeks of memory.
const HOUR_SHARE: f64 = 1.0 / 1000.0;

/// How often outcomes lay above the bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calibration {
    /// Outcomes seen.
    pub outcomes: u64,
    /// Of these above the bound.
    pub above: u64,
    /// Meant to be above, in thousandths of all.
    pub target_permille: u32,
}

impl Calibration {
    /// Outcomes above the bound in thousandths of all; `None` before the first.
    #[must_use]
    pub fn above_permille(&self) -> Option<u64> {
        (self.above * 1000).checked_div(self.outcomes)
    }
}

/// Forecast of one phase for one horizon, fed once a minute.
#[derive(Clone, Debug)]
pub struct Forecast {
    ahead_min: usize,
    target: f64,
    /// The newest samples, oldest first, and the bound that was given with each.
    recent: VecDeque<(MilliAmps, MilliAmps)>,
    /// Rises by class of the load they began from, in mA, oldest first.
    rises: Vec<VecDeque<i64>>,
    /// Share of the rises that the bound leaves out now; moves around the target.
    alpha: f64,
    /// Mean load of each hour of the day, in A.
    hours: [Option<f64>; 24],
    calibration: Calibration,
}

impl Forecast {
    /// A forecast `ahead_min` minutes ahead whose bound is to be exceeded in `target_permille` of a thousand cases.
    #[must_use]
    pub fn new(ahead_min: u16, target_permille: u16) -> Self {
        let target = f64::from(target_permille) / 1000.0;
        Self {
            ahead_min: usize::from(ahead_min.max(1)),
            target,
            recent: VecDeque::new(),
            rises: vec![VecDeque::new(); CLASSES],
            alpha: target,
            hours: [None; 24],
            calibration: Calibration { target_permille: u32::from(target_permille), ..Calibration::default() },
        }
    }

    /// Takes the load of a minute long past: rises and hours are learnt, but no bound is judged that nobody gave.
    pub fn recall(&mut self, at: LocalMinute, load: MilliAmps) {
        if self.recent.len() == self.ahead_min
            && let Some((before, _)) = self.recent.pop_front()
        {
            self.learn(before, load);
        }
        self.note_hour(at, load);
        self.recent.push_back((load, load));
    }

    /// What is measured from here on does not follow what was measured before.
    pub fn begin_again(&mut self) {
        self.recent.clear();
    }

    /// Takes the load of one minute and judges the bound that was given for it.
    pub fn note(&mut self, at: LocalMinute, load: MilliAmps) {
        if self.recent.len() == self.ahead_min
            && let Some((before, bound)) = self.recent.pop_front()
        {
            self.judge(load > bound);
            self.learn(before, load);
        }
        self.note_hour(at, load);
        let bound = self.bound(load);
        self.recent.push_back((load, bound));
    }

    fn learn(&mut self, before: MilliAmps, load: MilliAmps) {
        let rise = i64::from(load.0) - i64::from(before.0);
        let Some(rises) = self.rises.get_mut(class(before)) else { return };
        rises.push_back(rise);
        if rises.len() > RISES_MAX {
            rises.pop_front();
        }
    }

    fn note_hour(&mut self, at: LocalMinute, load: MilliAmps) {
        let hour = usize::try_from(at.0.div_euclid(60).rem_euclid(24)).ok();
        let Some(hour) = hour.and_then(|hour| self.hours.get_mut(hour)) else { return };
        let amps = real(load.0) / 1000.0;
        *hour = Some(hour.map_or(amps, |mean| mean + (amps - mean) * HOUR_SHARE));
    }

    /// The load that is expected, in A: the present, fading into the habit of that hour.
    #[must_use]
    pub fn expected(&self, at: LocalMinute, minutes: u16) -> Option<f64> {
        let now = real(self.recent.back()?.0.0) / 1000.0;
        let hour = (at.0 + i64::from(minutes)).div_euclid(60).rem_euclid(24);
        let habit = usize::try_from(hour).ok().and_then(|hour| self.hours.get(hour).copied().flatten()).unwrap_or(now);
        let present = (-f64::from(minutes) / PRESENT_MIN).exp();
        Some(now * present + habit * (1.0 - present))
    }

    /// The load that is exceeded only as often as the target says.
    #[must_use]
    pub fn upper(&self) -> Option<MilliAmps> {
        self.recent.back().map(|(_, bound)| *bound)
    }

    /// How often the bound was exceeded.
    #[must_use]
    pub const fn calibration(&self) -> Calibration {
        self.calibration
    }

    fn judge(&mut self, above: bool) {
        self.calibration.outcomes += 1;
        self.calibration.above += u64::from(above);
        let miss = if above { 1.0 } else { 0.0 };
        self.alpha = (self.alpha + STEP * (self.target - miss)).clamp(0.0, 0.5);
    }

    fn bound(&self, load: MilliAmps) -> MilliAmps {
        let own = self.rises.get(class(load)).filter(|rises| rises.len() >= ENOUGH);
        let mut rises: Vec<i64> = match own {
            Some(own) => own.iter().copied().collect(),
            None => self.rises.iter().flatten().copied().collect(),
        };
        if rises.is_empty() {
            return load;
        }
        // The first rank above which no more than alpha of the rises lie.
        let above = (0..rises.len()).take_while(|above| real(*above) < self.alpha * real(rises.len())).count();
        let rank = rises.len().saturating_sub(above.max(1));
        let (_, rise, _) = rises.select_nth_unstable(rank);
        let bound = i64::from(load.0) + (*rise).max(0);
        MilliAmps(u32::try_from(bound).unwrap_or(u32::MAX))
    }
}

fn class(load: MilliAmps) -> usize {
    let mut amps = load.0 / 1000;
    let mut class = 0;
    while amps > 0 && class + 1 < CLASSES {
        amps /= 2;
        class += 1;
    }
    class
}

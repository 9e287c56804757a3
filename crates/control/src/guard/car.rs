//! How a charger and its car follow a command: when the current begins to change, when it stops, and the most the
//! car takes. Learnt from the charger's readings; until then the slowest is assumed.

use domain::{DurationMs, Instant, MilliAmps};
use std::collections::VecDeque;

/// Slowest answer assumed of a car nobody has seen follow: a slow link, the pilot's pause and a slow car, in s.
const UNKNOWN_S: u32 = 16;
/// As that, for a stop; chargers open within seconds.
const UNKNOWN_STOP_S: u32 = 11;
/// After this many observations a car is known.
const KNOWN: u32 = 3;
/// A change smaller than this is not seen among readings.
const SEEN: MilliAmps = MilliAmps(400);
/// What takes longer is no answer to the command any more, in s.
const LOST_S: u32 = 20;
/// Longest ramp after the current began to change, in s.
const RAMP_S: u32 = 8;
/// A cut of at least this much shows how fast a car lowers its current, and this little is left when it has.
const RAMP_LEAST: MilliAmps = MilliAmps(3000);
const RAMP_LEFT: MilliAmps = MilliAmps(1500);
const READINGS_MAX: usize = 12;
const SETS_MAX: usize = 24;

/// A command whose effect is awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Awaited {
    at: Instant,
    from: MilliAmps,
    rises: bool,
}

/// What is known of one car at its connector.
#[derive(Clone, Debug)]
pub(crate) struct Car {
    pub(crate) set: MilliAmps,
    sets: VecDeque<(Instant, MilliAmps)>,
    readings: VecDeque<(Instant, MilliAmps)>,
    /// Between these its current begins to follow, in s.
    least_s: u32,
    most_s: u32,
    seen: u32,
    stop_s: u32,
    stops_seen: u32,
    /// How long a large cut takes from its beginning to its end, in s.
    ramp_s: u32,
    /// A large cut that has begun, when it was seen to begin, and where it ends.
    falls: Option<(Instant, MilliAmps)>,
    awaited: Option<Awaited>,
    awaited_stop: Option<(Instant, MilliAmps)>,
    /// Most its car takes, where it was seen to take less than offered.
    pub(crate) max: Option<MilliAmps>,
    /// It draws since it was switched on.
    pub(crate) awake: bool,
    pub(crate) on_since: Option<Instant>,
    pub(crate) off_since: Option<Instant>,
    pub(crate) changed: Instant,
}

impl Car {
    pub(crate) fn new(now: Instant, set: MilliAmps) -> Self {
        Self {
            set,
            sets: VecDeque::from([(now, set)]),
            readings: VecDeque::new(),
            least_s: 1,
            most_s: UNKNOWN_S,
            seen: 0,
            stop_s: UNKNOWN_STOP_S,
            stops_seen: 0,
            ramp_s: 0,
            falls: None,
            awaited: None,
            awaited_stop: None,
            max: None,
            awake: false,
            on_since: (!set.is_zero()).then_some(now),
            off_since: None,
            changed: now,
        }
    }

    pub(super) fn newest_reading(&self) -> Option<Instant> {
        self.readings.back().map(|(at, _)| *at)
    }

    /// Seconds until the larger part of a cut is done, at most: what passes the device's limit is less than what goes.
    pub(crate) const fn response_s(&self) -> u32 {
        self.most_s + self.ramp_s / 2
    }

    /// Seconds until a stop shows, at most.
    pub(crate) const fn stop_s(&self) -> u32 {
        if self.stops_seen == 0 && self.most_s < self.stop_s { self.most_s } else { self.stop_s }
    }

    pub(crate) const fn is_known(&self) -> bool {
        self.seen >= KNOWN
    }

    /// Time after which a command has taken effect, as far as is known.
    pub(crate) const fn settles(&self) -> DurationMs {
        let response_s = if self.is_known() { self.most_s } else { UNKNOWN_S };
        DurationMs(1000 * (response_s as u64 + 3))
    }

    /// A new setpoint was commanded.
    pub(crate) fn commanded(&mut self, now: Instant, set: MilliAmps) {
        if set == self.set {
            return;
        }
        let since_change = self.readings.back().filter(|(at, _)| *at > self.changed);
        let taken = self.max.map_or(self.set, |max| self.set.min(max));
        let from = since_change.map_or(taken, |(_, amount)| *amount);
        // An effect of the command before must not pass for an effect of this one.
        let settled = now.since(self.changed) > self.settles();
        let follows = from.0.abs_diff(taken.0) < 700;
        let rises = set > self.set;
        let can_rise = self.max.is_none_or(|max| self.set < max);
        (self.awaited, self.awaited_stop, self.falls) = (None, None, None);
        if self.awake && settled {
            if set.is_zero() {
                self.awaited_stop = (from > MilliAmps(5000)).then_some((now, from));
            } else if !self.set.is_zero() && follows && (!rises || can_rise) {
                self.awaited = Some(Awaited { at: now, from, rises });
            }
        }
        if set.is_zero() {
            (self.awake, self.off_since) = (false, Some(now));
        } else if self.set.is_zero() {
            self.on_since = Some(now);
        }
        (self.set, self.changed) = (set, now);
        self.sets.push_back((now, set));
        while self.sets.len() > SETS_MAX {
            self.sets.pop_front();
        }
    }

    /// Its charger read this, on its fullest wire.
    pub(crate) fn read(&mut self, taken: Instant, amount: MilliAmps) {
        if self.readings.back().is_some_and(|(at, _)| *at >= taken) {
            return;
        }
        self.readings.push_back((taken, amount));
        while self.readings.len() > READINGS_MAX {
            self.readings.pop_front();
        }
        let fresh = taken.since(self.changed) < DurationMs::from_secs(20);
        self.awake = !self.set.is_zero() && (amount > MilliAmps(3000) || (self.awake && fresh));
        self.learn_maximum(taken, amount);
        self.learn_stop(taken, amount);
        self.learn_ramp(taken, amount);
        self.learn_response(taken, amount);
    }

    /// A large cut does not end when it begins: cars lower their current at a rate of their own.
    fn learn_ramp(&mut self, taken: Instant, amount: MilliAmps) {
        if let Some((begun, goal)) = self.falls {
            if amount > goal + RAMP_LEFT {
                if taken.since(begun) >= DurationMs::from_secs(u64::from(RAMP_S)) {
                    self.falls = None;
                }
                return;
            }
            let took_s = u32::try_from(taken.since(begun).0 / 1000).unwrap_or(RAMP_S);
            self.ramp_s = self.ramp_s.max(took_s.min(RAMP_S));
            self.falls = None;
            return;
        }
        let Some(Awaited { from, rises: false, .. }) = self.awaited else { return };
        let capped = self.max.map_or(self.set, |max| self.set.min(max));
        if from >= capped + RAMP_LEAST && amount + SEEN < from && amount > capped + RAMP_LEFT {
            self.falls = Some((taken, capped));
        }
    }

    fn learn_maximum(&mut self, taken: Instant, amount: MilliAmps) {
        if self.max.is_some_and(|max| amount > max + MilliAmps(500)) {
            self.max = None;
        }
        let earlier = self.readings.iter().rev().find(|(at, _)| taken.since(*at) >= DurationMs::from_secs(6));
        let steady = earlier.is_some_and(|(_, before)| before.0.abs_diff(amount.0) < 300);
        let long = taken.since(self.changed) > DurationMs::from_secs(u64::from(self.most_s) + 12);
        if self.awake && steady && long && amount > MilliAmps(5000) && amount + MilliAmps(600) < self.set {
            self.max = Some(MilliAmps((amount.0 + 400) / 1000 * 1000).max(MilliAmps::from_amps(6)));
        }
    }

    fn learn_stop(&mut self, taken: Instant, amount: MilliAmps) {
        let Some((at, from)) = self.awaited_stop else { return };
        let Some(since) = seconds_between(at, taken) else { return };
        if amount + SEEN < from {
            if since <= LOST_S {
                let since = since.max(1);
                self.stop_s =
                    if self.stops_seen == 0 || since > self.stop_s + 1 { since } else { self.stop_s.min(since) };
                self.stops_seen += 1;
            }
            self.awaited_stop = None;
        } else if since >= self.stop_s && self.stops_seen > 0 {
            self.stop_s = since + 1;
        } else if since > LOST_S {
            self.awaited_stop = None;
        }
    }

    fn learn_response(&mut self, taken: Instant, amount: MilliAmps) {
        let Some(Awaited { at, from, rises }) = self.awaited else { return };
        let Some(since) = seconds_between(at, taken) else { return };
        let moved = if rises { amount > from + SEEN } else { amount + SEEN < from };
        if moved {
            if (1..=LOST_S).contains(&since) {
                self.most_s = if self.seen == 0 || since > self.most_s + 1 {
                    since
                } else {
                    self.most_s.min(since.max(self.least_s))
                };
                self.seen += 1;
            }
            self.awaited = None;
            return;
        }
        if rises {
            // Perhaps it takes no more than it has: that says nothing of how it follows a cut.
            if since > LOST_S {
                self.awaited = None;
            }
            return;
        }
        self.least_s = self.least_s.max(since.min(self.most_s));
        if since >= self.most_s && self.seen > 0 {
            self.most_s = since + 1;
        }
        if since > LOST_S + 5 {
            self.awaited = None;
        }
    }

    /// The least and the most it can have drawn at `at`.
    pub(crate) fn bounds(&self, at: Instant) -> (MilliAmps, MilliAmps) {
        if let Some((_, amount)) = self.readings.iter().find(|(taken, _)| *taken == at) {
            return (*amount, *amount);
        }
        let near = DurationMs::from_secs(4);
        let before = self.readings.iter().rev().find(|(taken, _)| *taken < at && at.since(*taken) <= near);
        let after = self.readings.iter().find(|(taken, _)| *taken > at && taken.since(at) <= near);
        if let (Some((_, before)), Some((_, after))) = (before, after) {
            return (*before.min(after), *before.max(after));
        }
        let from = Instant(at.0.saturating_sub(u64::from(self.most_s + RAMP_S) * 1000));
        let to = Instant(at.0.saturating_sub(u64::from(self.least_s) * 1000));
        let ends = self.sets.iter().skip(1).map(|(at, _)| *at).chain([Instant(u64::MAX)]);
        let in_force = self.sets.iter().zip(ends).filter(|((begin, _), end)| *begin <= to && *end > from);
        let capped = |amount: MilliAmps| self.max.map_or(amount, |max| amount.min(max));
        let amounts: Vec<MilliAmps> = in_force.map(|((_, amount), _)| capped(*amount)).collect();
        let most = amounts.iter().copied().max().unwrap_or(self.set);
        let least = amounts.iter().copied().min().unwrap_or_default();
        if self.awake || self.set.is_zero() { (least, most) } else { (MilliAmps::ZERO, most) }
    }
}

/// Whole seconds from a command to the second before a reading that came later: what the reading shows happened by then.
fn seconds_between(command: Instant, taken: Instant) -> Option<u32> {
    let passed = taken.0.checked_sub(command.0).filter(|ms| *ms > 0)?;
    u32::try_from(passed.div_ceil(1000) - 1).ok()
}

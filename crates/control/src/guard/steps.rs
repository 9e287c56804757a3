//! The building's own steps: which appliances switch on, how large each is, how often, and which are on now.
//!
//! A level that leaves its place and settles elsewhere is a step. An inrush is over before the level settles, so it
//! counts as nothing of its own. Steps of one size are one kind. A kind that is on already cannot switch on again, so
//! it asks for no room; that is what lets the reserve shrink while large appliances run.

use domain::{DurationMs, Instant, MilliAmps};

/// Changes below this are the building's noise, not appliances.
const NOISE: MilliAmps = MilliAmps(1_100);
/// An inrush goes beyond what stays by at least this much, and comes within this of what was seen before; what stays
/// is told apart from it by more than the least.
const PEAK_LEAST: MilliAmps = MilliAmps(2_500);
const PEAK_NEAR: MilliAmps = MilliAmps(1_200);
const PEAK_APART: MilliAmps = MilliAmps(500);
/// It lasts no longer.
const PEAK_LASTS: DurationMs = DurationMs::from_secs(3);
/// Two samples this close together have settled.
const SETTLED: MilliAmps = MilliAmps(900);
/// Motors and lamps settle within this after they switch on.
const INRUSH: DurationMs = DurationMs::from_secs(4);
/// Of time that no sample covers, no more than this counts as watched.
const WATCHED_MAX: DurationMs = DurationMs::from_secs(10);
/// Before anything is known, a step that nobody has seen may come every ten minutes.
const PRIOR_EVERY_S: u64 = 600;
/// More kinds than this are not told apart; the smallest are left out.
const KINDS_MAX: usize = 12;
/// What was learnt is forgotten after this much watched time.
const WEEK: DurationMs = DurationMs::from_secs(7 * 24 * 3600);

/// Events in 10^12 seconds: rates as whole numbers.
pub(crate) type Rate = u128;
const PICO: u128 = 1_000_000_000_000;

/// Appliances of one size.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Kind {
    size: MilliAmps,
    /// How often one switched on.
    seen: u32,
    on: u32,
    /// Most that were on together.
    most: u32,
    /// How far the level went at first, where it went clearly beyond the size.
    peak: Option<MilliAmps>,
    last: Instant,
}

/// What one of the kinds may add.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) size: MilliAmps,
    pub(crate) rate: Rate,
}

/// The steps of one phase.
#[derive(Clone, Debug)]
pub(crate) struct Steps {
    kinds: Vec<Kind>,
    watched: DurationMs,
    /// Largest step assumed before any was seen.
    prior: MilliAmps,
    base: MilliAmps,
    settled: Option<MilliAmps>,
    left: Option<Instant>,
    /// Highest level since it left.
    highest: MilliAmps,
    newest: Option<(Instant, MilliAmps)>,
    /// Longest pause between samples that does not interrupt.
    pause: DurationMs,
}

impl Steps {
    pub(crate) const fn new(prior: MilliAmps, pause: DurationMs) -> Self {
        Self {
            kinds: Vec::new(),
            watched: DurationMs(0),
            prior,
            base: MilliAmps::MAX,
            settled: None,
            left: None,
            highest: MilliAmps::ZERO,
            newest: None,
            pause,
        }
    }

    pub(crate) const fn set_pause(&mut self, pause: DurationMs) {
        self.pause = pause;
    }

    /// Takes the level of a sample.
    pub(crate) fn note(&mut self, at: Instant, level: MilliAmps) {
        if let Some((before, _)) = self.newest {
            if at <= before {
                return;
            }
            let gap = at.since(before);
            self.watched = DurationMs(self.watched.0 + gap.min(WATCHED_MAX).0);
            if gap > self.pause {
                (self.settled, self.left, self.newest) = (None, None, None);
            }
        }
        self.base = self.base.min(level);
        let before = self.newest.replace((at, level)).map_or(level, |(_, level)| level);
        let Some(settled) = self.settled else {
            self.settled = Some(level);
            return;
        };
        if level.0.abs_diff(settled.0) <= NOISE.0 {
            self.left = None;
            // Follows what drifts.
            self.settled = Some(MilliAmps((settled.0.saturating_mul(7) + level.0.saturating_mul(3)) / 10));
        } else {
            if self.left.is_none() {
                self.highest = level;
            }
            self.highest = self.highest.max(level);
            let left = *self.left.get_or_insert(at);
            if level.0.abs_diff(before.0) <= SETTLED.0 && at.since(left) >= INRUSH {
                let now = MilliAmps(u32::midpoint(level.0, before.0));
                if now > settled {
                    let peak = self.highest.saturating_sub(settled);
                    self.up(at, now.saturating_sub(settled), peak)
                } else {
                    self.down(settled.saturating_sub(now))
                }
                (self.settled, self.left) = (Some(now), None);
            }
        }
        let above = level.saturating_sub(self.base) + MilliAmps(800);
        for kind in &mut self.kinds {
            kind.on = kind.on.min(above.0 / kind.size.0.max(1));
        }
    }

    fn up(&mut self, at: Instant, rise: MilliAmps, peak: MilliAmps) {
        let peak = (peak > rise + PEAK_LEAST).then_some(peak);
        let near = |kind: &&mut Kind| {
            let tolerance = (kind.size.0 * 6 / 100).max(350);
            kind.size.0.abs_diff(rise.0) <= tolerance
        };
        if let Some(kind) = self.kinds.iter_mut().filter(near).min_by_key(|kind| kind.size.0.abs_diff(rise.0)) {
            let weight = kind.seen.min(20);
            kind.size = MilliAmps((kind.size.0.saturating_mul(weight) + rise.0) / (weight + 1));
            kind.seen += 1;
            kind.on += 1;
            kind.most = kind.most.max(kind.on);
            kind.last = at;
            kind.peak = match (kind.peak, peak) {
                (Some(known), Some(peak)) if known.0.abs_diff(peak.0) <= PEAK_NEAR.0 => {
                    Some(MilliAmps(u32::midpoint(known.0, peak.0)))
                }
                (known, peak) => known.max(peak),
            };
            return;
        }
        let pairs = (0..self.kinds.len()).flat_map(|a| (a + 1..self.kinds.len()).map(move |b| (a, b)));
        let sum_of = |(a, b): &(usize, usize)| match (self.kinds.get(*a), self.kinds.get(*b)) {
            (Some(a), Some(b)) if a.seen > 1 && b.seen > 1 => (a.size + b.size).0.abs_diff(rise.0) < 600,
            _ => false,
        };
        if let Some((a, b)) = pairs.into_iter().find(sum_of) {
            for index in [a, b] {
                if let Some(kind) = self.kinds.get_mut(index) {
                    (kind.seen, kind.on, kind.last) = (kind.seen + 1, kind.on + 1, at);
                }
            }
            return;
        }
        self.kinds.push(Kind { size: rise, seen: 1, on: 1, most: 1, peak, last: at });
    }

    /// How much of the newest level is an inrush that ends within seconds: the level has gone as far as one known
    /// appliance goes when it switches on, and no one or two others together go there to stay.
    pub(crate) fn inrush(&self, taken: Instant, now: Instant, lasts: DurationMs) -> MilliAmps {
        let (Some(settled), Some(left), Some((at, level))) = (self.settled, self.left, self.newest) else {
            return MilliAmps::ZERO;
        };
        if at != taken || at.since(left) >= PEAK_LASTS || now.since(at) > lasts {
            return MilliAmps::ZERO;
        }
        let rise = self.highest.saturating_sub(settled);
        let is_near = |size: MilliAmps, near: MilliAmps| size.0.abs_diff(rise.0) <= near.0;
        let may_begin = |kind: &&Kind| kind.seen >= 2 && kind.on < kind.most;
        let goes_there = |kind: &&Kind| kind.peak.is_some_and(|peak| is_near(peak, PEAK_NEAR));
        let Some(kind) = self.kinds.iter().filter(may_begin).find(goes_there) else { return MilliAmps::ZERO };
        let mut stays = self.kinds.iter().enumerate().filter(|(_, kind)| may_begin(kind)).flat_map(|(index, one)| {
            let others = self.kinds.iter().skip(index + 1).filter(may_begin);
            std::iter::once(one.size).chain(others.map(|other| one.size + other.size))
        });
        if stays.any(|size| is_near(size, PEAK_APART)) {
            return MilliAmps::ZERO;
        }
        level.saturating_sub(settled + kind.size)
    }

    fn down(&mut self, fall: MilliAmps) {
        let near = |kind: &&mut Kind| {
            kind.on > 0 && kind.size.0.abs_diff(fall.0) <= (kind.size.0.saturating_mul(9) / 100).max(500)
        };
        if let Some(kind) = self.kinds.iter_mut().filter(near).min_by_key(|kind| kind.size.0.abs_diff(fall.0)) {
            kind.on -= 1;
            return;
        }
        // Several at once: whatever fits into the fall may be off.
        for kind in self.kinds.iter_mut().filter(|kind| kind.size <= fall + MilliAmps(500)) {
            kind.on = 0;
        }
    }

    /// Drops what was forgotten, and single steps that were several known ones at once. Wanted once a minute.
    pub(crate) fn tidy(&mut self, now: Instant) {
        self.kinds.retain(|kind| now.since(kind.last) <= WEEK);
        if self.watched > WEEK {
            // Counts and watched time fade together, so rates stay.
            self.watched = DurationMs(self.watched.0 / 2);
            self.kinds.iter_mut().for_each(|kind| kind.seen = kind.seen.div_ceil(2));
        }
        let known: Vec<u32> = self.kinds.iter().filter(|kind| kind.seen >= 2).map(|kind| kind.size.0).collect();
        self.kinds.retain(|kind| kind.seen >= 2 || !is_several(kind.size.0, &known));
    }

    /// What may still switch on, largest first.
    pub(crate) fn available(&self) -> Vec<Step> {
        let watched_ms = u128::from(self.watched.0) + 600_000;
        let is_off = |kind: &&Kind| kind.on < kind.most || kind.seen < 4;
        let mut steps: Vec<Step> = self
            .kinds
            .iter()
            .filter(is_off)
            .map(|kind| Step {
                size: kind.size + MilliAmps(if kind.seen > 3 { 150 } else { 300 }),
                rate: (u128::from(kind.seen) * 2 + 1) * PICO * 1000 / (2 * watched_ms),
            })
            .collect();
        let watched_s = self.watched.0 / 1000;
        let rate = PICO / u128::from(PRIOR_EVERY_S + watched_s.saturating_mul(watched_s) / PRIOR_EVERY_S);
        steps.extend([10, 8, 6].map(|tenths| Step { size: MilliAmps(self.prior.0 / 10 * tenths), rate }));
        steps.sort_by_key(|step| std::cmp::Reverse(step.size));
        steps.truncate(KINDS_MAX);
        steps
    }
}

/// Whether a step is two to four known ones together, each once.
fn is_several(step: u32, known: &[u32]) -> bool {
    let tolerance = step / 20 + 200;
    let hits = |sum: u32| sum.abs_diff(step) < tolerance;
    for (a, first) in known.iter().enumerate() {
        for (b, second) in known.iter().enumerate().skip(a + 1) {
            let two = first + second;
            if hits(two) {
                return true;
            }
            for (c, third) in known.iter().enumerate().skip(b + 1) {
                if hits(two + third) || known.iter().skip(c + 1).any(|fourth| hits(two + third + fourth)) {
                    return true;
                }
            }
        }
    }
    false
}

/// How often the building rises by more than `rise`: by one step alone, and, times the seconds within which they come
/// together once or twice, by two or three.
pub(crate) fn risks(steps: &[Step], rise: MilliAmps) -> [Rate; 3] {
    let [mut one, mut two, mut three]: [Rate; 3] = [0; 3];
    for (a, first) in steps.iter().enumerate() {
        if first.size > rise {
            one += first.rate;
            continue;
        }
        for (b, second) in steps.iter().enumerate().skip(a + 1) {
            let sum = first.size + second.size;
            let both = first.rate * second.rate / PICO;
            if sum > rise {
                two += 2 * both;
                continue;
            }
            // Largest first: what is too small now stays too small.
            for third in steps.iter().skip(b + 1).take_while(|third| sum + third.size > rise) {
                three += 3 * both * third.rate / PICO;
            }
        }
    }
    [one, two, three]
}

/// How often the building rises by more than `rise` within `window_s`: one step alone, or two or three together.
pub(crate) fn exceedance(steps: &[Step], rise: MilliAmps, window_s: u32) -> Rate {
    let window = Rate::from(window_s);
    let [one, two, three] = risks(steps, rise);
    one + two * window + three * window * window
}

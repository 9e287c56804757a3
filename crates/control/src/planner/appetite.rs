//! What each car can use, learnt from what it draws.

use domain::{Instant, MilliAmps};

/// Limits that cars and their cables have most often. A car of unknown size is offered the next of these, and
/// one ampere more once it uses that, before it is offered all.
const USUAL: [MilliAmps; 2] = [MilliAmps::from_amps(16), MilliAmps::from_amps(32)];
/// Drawing this much less than set is a limit of the car.
const CLEARLY_LESS: MilliAmps = MilliAmps(750);
/// A limit is tried again after this long: cars pause, warm up, and taper less when it gets warm. Every time it proves
/// the same the wait doubles, up to the longest: an ampere offered in vain helps nobody.
const RETRY_MS: u64 = 30 * 60 * 1000;
const RETRY_MS_MAX: u64 = 4 * 60 * 60 * 1000;
const AMPERE: MilliAmps = MilliAmps::from_amps(1);

/// What one car was seen to use in its session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Appetite {
    /// Most it drew.
    most: MilliAmps,
    /// What it drew when it was offered clearly more.
    cap: Option<Cap>,
    /// What the card's earlier sessions were limited to; a first guess only.
    expected: Option<MilliAmps>,
}

/// A limit a car was seen to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cap {
    current: MilliAmps,
    /// When more was last offered.
    tried: Instant,
    /// It is tried again after this long.
    wait_ms: u64,
}

impl Cap {
    fn is_due(&self, now: Instant) -> bool {
        now.since(self.tried).0 >= self.wait_ms
    }

    /// Finds a limit: the same as before, if there was one, or another.
    fn found(before: Option<Self>, now: Instant, current: MilliAmps) -> Self {
        let wait_ms = match before.filter(|before| before.current.0.abs_diff(current.0) < CLEARLY_LESS.0) {
            Some(same) if same.is_due(now) => (same.wait_ms * 2).min(RETRY_MS_MAX),
            Some(same) => same.wait_ms,
            None => RETRY_MS,
        };
        Self { current, tried: now, wait_ms }
    }
}

impl Appetite {
    pub(crate) fn expecting(expected: Option<MilliAmps>) -> Self {
        Self { expected, ..Self::default() }
    }

    /// Takes what it drew under a setpoint that was in force long enough.
    pub(crate) fn observe(&mut self, now: Instant, set: MilliAmps, drawn: MilliAmps) {
        if set.is_zero() {
            return;
        }
        self.most = self.most.max(drawn);
        if drawn + CLEARLY_LESS < set {
            self.cap = Some(Cap::found(self.cap, now, drawn));
        } else if self.cap.is_some_and(|cap| drawn > cap.current + CLEARLY_LESS) {
            // It takes more than it did, so where its limit lies is open again.
            self.cap = None;
        }
    }

    /// What it is expected to use, in whole amperes from `min` up. A tapering battery counts with its draw.
    pub(crate) fn usable(&self, now: Instant, min: MilliAmps) -> MilliAmps {
        let usable = match self.cap {
            Some(cap) if cap.is_due(now) => nearest(cap.current) + AMPERE,
            Some(cap) => nearest(cap.current),
            None => self.next_offer(),
        };
        usable.max(min)
    }

    fn next_offer(&self) -> MilliAmps {
        if let Some(expected) = self.expected.filter(|expected| self.most + CLEARLY_LESS < *expected) {
            return nearest(expected);
        }
        let known = self.most + CLEARLY_LESS;
        for usual in USUAL {
            if known < usual {
                return usual;
            }
            if known < usual + AMPERE {
                return usual + AMPERE;
            }
        }
        MilliAmps::MAX
    }

    /// The limit it was seen to have.
    pub(crate) fn cap(&self) -> Option<MilliAmps> {
        self.cap.map(|cap| cap.current)
    }

    /// Most it was seen to draw.
    pub(crate) const fn most(&self) -> MilliAmps {
        self.most
    }
}

/// Half an ampere offered in vain costs as much as half an ampere withheld.
fn nearest(current: MilliAmps) -> MilliAmps {
    MilliAmps(current.0.saturating_add(499) / 1000 * 1000)
}

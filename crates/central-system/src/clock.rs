//! What a charger's clock can be trusted for.
//!
//! Chargers send times without a zone, times from before their clock was set (1970, 2020-09-19), times
//! hours off, and backlogs that are months old. A time is kept where it can be right, and says so.

use domain::{DurationMs, Instant, Now, Provenance, Timestamp};
use ocpp::DateTime;
use std::collections::VecDeque;

/// A time from before this program existed (2021-01-01) comes from a clock that was never set.
const PLAUSIBLE_MS: i64 = 1_609_459_200_000;
/// Older than this is late, not live; newer than now by more than this is a wrong clock.
const LATE_MS: i64 = 10 * 60 * 1000;
/// A clock this close is right.
const GOOD_MS: i64 = 2 * 60 * 1000;
/// How many differences are remembered ...
const WINDOW: usize = 8;
/// ... one for each span of this length, the one with the least delay on the way.
const SPAN: DurationMs = DurationMs::from_secs(10);
/// A constant difference counts once it was seen over this time ...
const STEADY_FOR: DurationMs = DurationMs::from_secs(60);
/// ... and varied by no more than this.
const STEADY_WITHIN_MS: i64 = 20_000;

/// A corrected time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Corrected {
    pub(crate) at: Timestamp,
    pub(crate) provenance: Provenance,
}

/// What we know of one charger's clock.
#[derive(Clone, Debug)]
pub(crate) struct ChargerClock {
    site_offset_s: Option<i32>,
    /// Whether times without a zone are the building's time; `None` until a live message told.
    is_local: Option<bool>,
    /// When a message came and how far its time was ahead of ours, in ms; newest last.
    ahead: VecDeque<(Instant, i64)>,
    /// Whether its clock was right once since it connected.
    was_right: bool,
}

impl ChargerClock {
    pub(crate) const fn new(site_offset_s: Option<i32>) -> Self {
        Self { site_offset_s, is_local: None, ahead: VecDeque::new(), was_right: false }
    }

    /// A restart may have set the clock: differences seen before count no more.
    pub(crate) fn forget(&mut self) {
        self.ahead.clear();
        self.was_right = false;
    }

    /// The time of a session's start or end, or of a status.
    pub(crate) fn event(&mut self, raw: &DateTime, now: Now) -> Corrected {
        let Some(time) = self.read(raw, now) else {
            let provenance =
                if raw.as_str().trim().is_empty() { Provenance::Measured } else { Provenance::ClockCorrected };
            return Corrected { at: now.wall, provenance };
        };
        let ahead = time.0.saturating_sub(now.wall.0);
        if time.0 < PLAUSIBLE_MS {
            return Corrected { at: now.wall, provenance: Provenance::ClockCorrected };
        }
        match self.steady_ahead() {
            Some(steady) if steady.abs() > GOOD_MS => {
                let at = Timestamp(time.0.saturating_sub(steady)).min(now.wall);
                Corrected { at, provenance: Provenance::ClockCorrected }
            }
            _ if ahead > LATE_MS => Corrected { at: now.wall, provenance: Provenance::ClockCorrected },
            _ if ahead < -LATE_MS => Corrected { at: time, provenance: Provenance::ReceivedLate },
            _ => Corrected { at: time.min(now.wall), provenance: Provenance::Measured },
        }
    }

    /// The time of a measurement. A backlog from before the clock was set stays old, so that it never
    /// looks live, once this charger has shown that its clock is right now.
    pub(crate) fn sample(&mut self, raw: &DateTime, now: Now) -> Timestamp {
        let Some(time) = self.read(raw, now) else { return now.wall };
        if time.0 < PLAUSIBLE_MS {
            return if self.was_right { time } else { now.wall };
        }
        let steady = self.steady_ahead().unwrap_or(0);
        if steady == 0 && time.0.saturating_sub(now.wall.0) > LATE_MS {
            return now.wall;
        }
        Timestamp(time.0.saturating_sub(steady)).min(now.wall)
    }

    /// The charger's own reading of our present, in ms since 1970: what an absolute schedule must name.
    pub(crate) fn charger_now(&self, now: Now) -> i64 {
        now.wall.0.saturating_add(self.steady_ahead().unwrap_or(0))
    }

    fn read(&mut self, raw: &DateTime, now: Now) -> Option<Timestamp> {
        let read = raw.read()?;
        let mut unix_ms = read.unix_ms;
        if let (false, Some(offset_s)) = (read.has_zone, self.site_offset_s) {
            let as_local = unix_ms.saturating_sub(i64::from(offset_s) * 1000);
            let (off_utc, off_local) = (distance(unix_ms, now), distance(as_local, now));
            if off_utc.min(off_local) < LATE_MS {
                self.is_local = Some(off_local < off_utc);
            }
            if self.is_local == Some(true) {
                unix_ms = as_local;
            }
        }
        if unix_ms >= PLAUSIBLE_MS {
            self.note(now.instant, unix_ms.saturating_sub(now.wall.0));
            self.was_right |= distance(unix_ms, now) < GOOD_MS;
        }
        Some(Timestamp(unix_ms))
    }

    fn note(&mut self, at: Instant, ahead: i64) {
        if let Some((since, largest)) = self.ahead.back_mut()
            && at.since(*since) < SPAN
        {
            *largest = ahead.max(*largest);
            return;
        }
        if self.ahead.len() == WINDOW {
            self.ahead.pop_front();
        }
        self.ahead.push_back((at, ahead));
    }

    /// How far the charger's clock is ahead, once it has been the same for a while. A replayed backlog
    /// never looks like that: it arrives faster or slower than it was recorded.
    fn steady_ahead(&self) -> Option<i64> {
        let (first, last) = (self.ahead.front()?, self.ahead.back()?);
        let smallest = self.ahead.iter().map(|(_, ahead)| *ahead).min()?;
        let largest = self.ahead.iter().map(|(_, ahead)| *ahead).max()?;
        let steady = self.ahead.len() >= 3
            && last.0.since(first.0) >= STEADY_FOR
            && largest.saturating_sub(smallest) <= STEADY_WITHIN_MS;
        // The largest has the least delay on the way.
        steady.then_some(largest).filter(|ahead| ahead.abs() > STEADY_WITHIN_MS)
    }
}

fn distance(unix_ms: i64, now: Now) -> i64 {
    unix_ms.saturating_sub(now.wall.0).saturating_abs()
}

//! What a charger is asked after it (re)started, one question at a time and none of them essential.
//!
//! Some chargers hang for 30 s on every question, some restart when asked for the wrong list. So every
//! step may fail, the whole has a budget, and nothing is asked twice.

use domain::Instant;
use std::collections::VecDeque;

/// Measurands, most wanted list first. Never more: one model restarts when its long list is read.
const MEASURANDS: [&str; 4] = [
    "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage",
    "Energy.Active.Import.Register,Power.Active.Import,Current.Import",
    "Energy.Active.Import.Register,Current.Import",
    "Energy.Active.Import.Register",
];
/// Unanswered questions after which the rest is left until the next restart.
const PATIENCE: u8 = 2;
/// Keys read once, by name: the whole configuration is too long for some chargers.
pub(crate) const KEYS_READ: [&str; 2] = ["ChargingScheduleAllowedChargingRateUnit", "MeterValueSampleInterval"];

/// One question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Set a key.
    Configure { key: &'static str, value: String },
    /// Read [`KEYS_READ`].
    Read,
}

/// How a question ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StepEnd {
    Accepted,
    Refused,
    Unanswered,
}

/// The questions that are left.
#[derive(Clone, Debug, Default)]
pub(crate) struct Setup {
    steps: VecDeque<Step>,
    not_before: Instant,
    unanswered: u8,
    measurands_at: usize,
    /// Whether it ran to its end since this process started.
    pub(crate) done: bool,
}

impl Setup {
    /// Starts from the beginning, at the given time.
    pub(crate) fn begin(&mut self, not_before: Instant, sample_interval_s: u32) {
        let configure = |key, value: String| Step::Configure { key, value };
        let measurands = MEASURANDS.get(self.measurands_at).copied().unwrap_or(MEASURANDS[0]);
        self.steps = VecDeque::from([
            configure("MeterValueSampleInterval", sample_interval_s.to_string()),
            configure("MeterValuesSampledData", measurands.to_owned()),
            configure("StopTransactionOnInvalidId", "true".to_owned()),
            Step::Read,
        ]);
        (self.not_before, self.unanswered, self.done) = (not_before, 0, false);
    }

    /// Drops what is left; the next restart begins anew.
    pub(crate) fn cancel(&mut self) {
        self.steps.clear();
    }

    /// The next question.
    pub(crate) fn next(&mut self, now: Instant) -> Option<Step> {
        if now < self.not_before { None } else { self.steps.pop_front() }
    }

    /// Takes the end of a question.
    pub(crate) fn ended(&mut self, step: &Step, end: StepEnd) {
        match end {
            StepEnd::Accepted => self.unanswered = 0,
            StepEnd::Unanswered => {
                self.unanswered += 1;
                if self.unanswered >= PATIENCE {
                    self.steps.clear();
                }
            }
            StepEnd::Refused => {
                if let Step::Configure { key: key @ "MeterValuesSampledData", .. } = step
                    && let Some(shorter) = MEASURANDS.get(self.measurands_at + 1)
                {
                    self.measurands_at += 1;
                    self.steps.push_front(Step::Configure { key, value: (*shorter).to_owned() });
                }
            }
        }
        self.done = self.steps.is_empty();
    }
}

/// Whether a charger that answers `ChargingScheduleAllowedChargingRateUnit` with this text takes watts only.
/// `Current`, `Power`, `A`, `W`, lists, quotes and any letter case occur; what says nothing allows all.
pub(crate) fn is_watts_only(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).peekable();
    words.peek().is_some() && words.all(|word| matches!(word, "power" | "w" | "watt" | "watts"))
}

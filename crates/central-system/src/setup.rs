//! What a charger is asked after it (re)started, one question at a time and none of them essential.
//!
//! Some chargers hang for 30 s on every question, some restart when asked for the wrong list. So every
//! step may fail, the whole has a budget, nothing is asked twice, and what a model never answers is not asked again.

use crate::memory::{KeptKey, Learned};
use domain::Instant;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// Measurands, most wanted list first. Never more by ourselves: one model restarts when its long list is read.
const MEASURANDS: [&str; 4] = [
    "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage",
    "Energy.Active.Import.Register,Power.Active.Import,Current.Import",
    "Energy.Active.Import.Register,Current.Import",
    "Energy.Active.Import.Register",
];
/// Unanswered questions after which the rest is left until the next restart.
const PATIENCE: u8 = 2;
/// Keys read by name, a few at a time: the whole configuration is too long for some chargers, and the list of
/// measurands is never read back by ourselves because one model restarts when it is.
const KEYS_READ: [&[&str]; 3] = [
    &["ChargingScheduleAllowedChargingRateUnit", "MeterValueSampleInterval"],
    &[
        "SupportedFeatureProfiles",
        "LocalAuthListEnabled",
        "LocalAuthListMaxLength",
        "SendLocalListMaxLength",
        "LocalAuthorizeOffline",
    ],
    &["LocalPreAuthorize", "AllowOfflineTxForUnknownId", "AuthorizationCacheEnabled", "ChargeProfileMaxStackLevel"],
];
/// What lets enrolled tenants charge while nobody answers, and only them. Written where the charger differs.
const OFFLINE_KEYS: [(&str, &str); 5] = [
    ("LocalAuthListEnabled", "true"),
    ("LocalAuthorizeOffline", "true"),
    ("LocalPreAuthorize", "true"),
    ("AuthorizationCacheEnabled", "true"),
    ("AllowOfflineTxForUnknownId", "false"),
];
/// The key whose value has fall-backs.
const SAMPLED: &str = "MeterValuesSampledData";

/// What the manager wants a charger to be set to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Seconds between meter values during a session; `None` leaves the program's own choice.
    pub sample_interval_s: Option<u32>,
    /// Measurands to sample; empty leaves the program's own choice.
    pub measurands: Vec<String>,
    /// Seconds between heartbeats; `None` leaves the program's own choice.
    pub heartbeat_s: Option<u32>,
    /// Any other key of the charger and its wanted value.
    pub keys: BTreeMap<String, String>,
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Set a key.
    Configure { key: String, value: String },
    /// Read keys by name.
    Read { part: usize },
}

impl Step {
    /// Its name in what is learned.
    pub(crate) fn question(&self) -> String {
        match self {
            Self::Configure { key, .. } => format!("ChangeConfiguration {key}"),
            Self::Read { part } => format!("GetConfiguration {part}"),
        }
    }

    /// The keys a reading step reads.
    pub(crate) fn keys(&self) -> Vec<String> {
        match self {
            Self::Configure { .. } => Vec::new(),
            Self::Read { part } => {
                KEYS_READ.get(*part).into_iter().flat_map(|keys| keys.iter()).map(|key| (*key).to_owned()).collect()
            }
        }
    }
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
    /// Whether it ran to its end since this process started.
    pub(crate) done: bool,
}

/// What setting up depends on.
pub(crate) struct Wanted<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) sample_interval_s: u32,
    pub(crate) learned: &'a Learned,
}

impl Wanted<'_> {
    fn measurands(&self) -> String {
        if self.settings.measurands.is_empty() {
            MEASURANDS.get(self.learned.measurands_way).copied().unwrap_or(MEASURANDS[0]).to_owned()
        } else {
            self.settings.measurands.join(",")
        }
    }

    /// Every key that shall have a value, in the order of writing.
    pub(crate) fn keys(&self) -> Vec<(String, String)> {
        let interval = self.sample_interval_s;
        let mut keys = vec![
            ("MeterValueSampleInterval".to_owned(), interval.to_string()),
            (SAMPLED.to_owned(), self.measurands()),
            ("StopTransactionOnInvalidId".to_owned(), "true".to_owned()),
        ];
        keys.extend(OFFLINE_KEYS.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        keys.extend(self.settings.heartbeat_s.map(|seconds| ("HeartbeatInterval".to_owned(), seconds.to_string())));
        for (key, value) in &self.settings.keys {
            keys.retain(|(known, _)| !known.eq_ignore_ascii_case(key));
            keys.push((key.clone(), value.clone()));
        }
        keys
    }
}

/// Keys written after every restart, whatever the charger says: some forget them, some tell the wrong value.
const ALWAYS: usize = 3;

impl Setup {
    /// Starts from the beginning, at the given time.
    pub(crate) fn begin(&mut self, not_before: Instant, wanted: &Wanted<'_>) {
        let always = wanted.keys().into_iter().take(ALWAYS).map(|(key, value)| Step::Configure { key, value });
        let reads = (0..KEYS_READ.len()).map(|part| Step::Read { part });
        self.steps = always.chain(reads).filter(|step| wanted.learned.answers(&step.question())).collect();
        (self.not_before, self.unanswered, self.done) = (not_before, 0, self.steps.is_empty());
    }

    /// Drops what is left; the next restart begins anew.
    pub(crate) fn cancel(&mut self) {
        self.steps.clear();
    }

    /// Whether nothing is left to ask.
    pub(crate) fn is_over(&self) -> bool {
        self.steps.is_empty()
    }

    /// The next question.
    pub(crate) fn next(&mut self, now: Instant) -> Option<Step> {
        if now < self.not_before { None } else { self.steps.pop_front() }
    }

    /// The last part was read: what differs from what is wanted is written.
    pub(crate) fn compare(&mut self, known: &BTreeMap<String, KeptKey>, wanted: &Wanted<'_>) {
        for (key, value) in wanted.keys().into_iter().skip(ALWAYS) {
            let is_so = find(known, &key).is_some_and(|kept| {
                kept.readonly || kept.value.as_deref().is_some_and(|told| same_value(told, &value))
            });
            let step = Step::Configure { key, value };
            if !is_so && wanted.learned.answers(&step.question()) {
                self.steps.push_back(step);
            }
        }
        self.done = self.steps.is_empty();
    }

    /// Writes what the manager changed, now.
    pub(crate) fn apply(&mut self, wanted: &Wanted<'_>, known: &BTreeMap<String, KeptKey>) {
        for (key, value) in wanted.keys() {
            let is_so =
                find(known, &key).and_then(|kept| kept.value.as_deref()).is_some_and(|told| same_value(told, &value));
            if !is_so {
                self.steps.retain(|step| !matches!(step, Step::Configure { key: waiting, .. } if *waiting == key));
                self.steps.push_back(Step::Configure { key, value });
            }
        }
    }

    /// Takes the end of a question.
    pub(crate) fn ended(&mut self, step: &Step, end: StepEnd, learned: &mut Learned, settings: &Settings) {
        match end {
            StepEnd::Accepted => self.unanswered = 0,
            StepEnd::Unanswered => {
                self.unanswered += 1;
                learned.stayed_silent(&step.question());
                if self.unanswered >= PATIENCE {
                    self.steps.clear();
                }
            }
            StepEnd::Refused => {
                if let Step::Configure { key, .. } = step
                    && key == SAMPLED
                    && settings.measurands.is_empty()
                    && let Some(shorter) = MEASURANDS.get(learned.measurands_way + 1)
                {
                    learned.measurands_way += 1;
                    self.steps.push_front(Step::Configure { key: key.clone(), value: (*shorter).to_owned() });
                }
            }
        }
        self.done = self.steps.is_empty();
    }

    /// Whether this step is the last reading one.
    pub(crate) fn is_last_read(step: &Step) -> bool {
        matches!(step, Step::Read { part } if *part + 1 == KEYS_READ.len())
    }
}

/// Whether a refusal of this key is no news: it is about charging without us, and the console shows what follows.
pub(crate) fn is_optional(key: &str) -> bool {
    OFFLINE_KEYS.iter().any(|(optional, _)| *optional == key)
}

/// A key whatever its spelling.
pub(crate) fn find<'a>(known: &'a BTreeMap<String, KeptKey>, key: &str) -> Option<&'a KeptKey> {
    known.get(&key.to_ascii_lowercase())
}

/// Whether a charger's value means the wanted one: quotes, spaces and letter case do not count.
pub(crate) fn same_value(told: &str, wanted: &str) -> bool {
    let plain = |text: &str| {
        let text: String = text.chars().filter(|c| !matches!(c, '"' | ' ' | '[' | ']')).collect();
        text.to_ascii_lowercase()
    };
    plain(told) == plain(wanted)
}

/// Whether a charger that answers `ChargingScheduleAllowedChargingRateUnit` with this text takes watts only.
/// `Current`, `Power`, `A`, `W`, lists, quotes and any letter case occur; what says nothing allows all.
pub(crate) fn is_watts_only(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).peekable();
    words.peek().is_some() && words.all(|word| matches!(word, "power" | "w" | "watt" | "watts"))
}

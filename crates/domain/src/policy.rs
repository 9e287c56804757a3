//! What the manager decides about sharing: for the site, for a charger, for a card, for a session.
//!
//! The default of every rule changes nothing.

use crate::{
    DeviceError, LocalTime, MilliAmps, ProtectionDevice, TenantId, TimeWindow, Timestamp, VoltAmps, WattHours,
};
use serde::{Deserialize, Serialize};

/// Who gets the current that is left once every served car has its minimum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SharingRule {
    /// Equal shares; an amp that division strands goes to the higher priority.
    #[default]
    Equal,
    /// All to the highest priority, then to the next.
    ByPriority,
    /// First to the tenant who received the least energy lately.
    ByFairness,
    /// First to the car that leaves first or has the least time to spare.
    ByDeparture,
}

/// Contracted power at certain times of the week.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ContractPeriod {
    /// When.
    #[serde(flatten)]
    pub window: TimeWindow,
    /// Contracted power then.
    pub contracted: VoltAmps,
}

/// Rules of the whole site beyond its ratings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SiteRules {
    /// Contracted power by time; the first that fits counts, and outside them the contract of the site.
    pub contract_periods: Vec<ContractPeriod>,
    /// Most by which the phases may differ because of charging; `None` for no such rule.
    pub imbalance: Option<MilliAmps>,
    /// Who gets what is left.
    pub sharing: SharingRule,
    /// Times of cheap energy, for chargers that charge off-peak.
    pub off_peak: Vec<TimeWindow>,
    /// One home charger that manages itself: current kept free for the home besides the margin. `None` in a building.
    pub stand_alone: Option<MilliAmps>,
    /// Where prices and surplus come from: an `http://` or `https://` address, or an absolute path of a file.
    pub feed: Option<String>,
}

/// Whether a car may be paused for lack of current.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pausing {
    /// It may.
    #[default]
    Allowed,
    /// Only to protect a circuit, after all others.
    Never,
}

/// Which energy a charger uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnergySource {
    /// Any.
    #[default]
    Grid,
    /// The minimum from anywhere, more only from solar surplus.
    SolarFirst,
    /// Only solar surplus.
    SolarOnly,
}

/// When a charger gives energy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChargingTimes {
    /// At any time.
    #[default]
    Always,
    /// In the off-peak times of the site.
    OffPeak,
    /// In the cheapest periods before the car leaves, by the price feed or else the off-peak times; at any time when it
    /// is not known when that is.
    Cheapest,
    /// In these times.
    Windows(Vec<TimeWindow>),
}

/// Whether it is known which wire hangs on which phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// It is, as the wiring says.
    #[default]
    Known,
    /// It is not: the charger counts with its full current on every phase of the site.
    Unknown,
}

/// What the manager decided for one charger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChargerPolicy {
    /// Whether its car may be paused.
    pub pausing: Pausing,
    /// Current a car here gets before anyone gets more than the minimum; `None` for no such promise.
    pub guaranteed: Option<MilliAmps>,
    /// When it gives energy.
    pub times: ChargingTimes,
    /// Which energy it uses.
    pub source: EnergySource,
    /// Exactly this current while it fits, instead of a share.
    pub fixed: Option<MilliAmps>,
    /// Whether its wiring is known.
    pub rotation: Rotation,
    /// Who pays for what starts here with a card nobody enrolled, such as the charger's own fixed card; `None` lets no
    /// such card charge.
    pub owner: Option<TenantId>,
}

/// What the manager decided for one card.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct CardPolicy {
    /// Most current per wire for whatever it starts; `None` leaves it to the charger.
    pub max: Option<MilliAmps>,
    /// Takes the place of the charger's priority; higher is served first.
    pub priority: Option<i32>,
    /// Whether its car may be paused.
    pub pausing: Pausing,
    /// Learnt: its car did not charge on by itself after a pause, so it is not paused while another can be. The manager
    /// may take it back.
    pub sleeps: bool,
}

/// What a tenant needs from a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Wish {
    /// Energy the session shall have received by then, counted from its start.
    pub energy: WattHours,
    /// When the car leaves.
    pub by: Timestamp,
}

/// What protects a branch and its cable; all unknown by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CircuitRating {
    /// Rated current of the protection on each phase; `None` when only the limit is known.
    pub rated: Option<crate::PerPhase<MilliAmps>>,
    /// Most the cable may carry (Iz); `None` when it is no narrower than the protection.
    pub cable: Option<MilliAmps>,
    /// What protects it; `None` counts as the strictest device.
    pub device: Option<ProtectionDevice>,
}

impl CircuitRating {
    /// The smaller of protection and cable on each phase; `None` when neither is known.
    #[must_use]
    pub fn limit(&self) -> Option<crate::PerPhase<MilliAmps>> {
        let cable = self.cable.map(crate::PerPhase::splat);
        match (self.rated, cable) {
            (Some(rated), Some(cable)) => Some(rated.zip(cable).map(|(rated, cable)| rated.min(cable))),
            (rated, cable) => rated.or(cable),
        }
    }

    /// Checks the device's figures.
    ///
    /// # Errors
    /// As [`ProtectionDevice::check`].
    pub fn check(&self) -> Result<(), DeviceError> {
        self.device.map_or(Ok(()), |device| device.check())
    }
}

/// Why a rule cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// A time that no clock shows.
    #[error("a time is from 00:00 to 24:00; correct the times")]
    Window,
    /// A current below what charges a car or above the maximum.
    #[error("{field} must be between {min} A and {max} A")]
    Current {
        /// Field as in the API.
        field: &'static str,
        /// Smallest.
        min: u32,
        /// Largest.
        max: u32,
    },
    /// A contract that delivers nothing, or more than any building has.
    #[error("contract_periods: kva must be between 1 and 10000")]
    Contract,
    /// More periods than a week needs.
    #[error("at most {max} periods can be set")]
    TooMany {
        /// Most.
        max: usize,
    },
    /// Not an address.
    #[error("the address of the price feed must begin with http:// or https://, or be the full path of a file")]
    Feed,
    /// A wish that asks for nothing or lies in the past.
    #[error("a wish needs more than 0 and at most 1000 kWh, and a time within the next 14 days")]
    Wish,
}

/// Four seasons of prices would be others; a week has no more different times than this.
const PERIODS_MAX: usize = 64;
/// Longest address browsers take.
const FEED_CHARS_MAX: usize = 2_000;
/// Longest a car stays with one plan.
const WISH_AHEAD_MS_MAX: i64 = 14 * 24 * 3_600_000;
/// Ten times the largest car battery.
const WISH_WH_MAX: u64 = 1_000_000;

fn check_windows<'a>(windows: impl ExactSizeIterator<Item = &'a TimeWindow>) -> Result<(), PolicyError> {
    if windows.len() > PERIODS_MAX {
        return Err(PolicyError::TooMany { max: PERIODS_MAX });
    }
    for window in windows {
        if !window.is_possible() {
            return Err(PolicyError::Window);
        }
    }
    Ok(())
}

fn check_current(
    field: &'static str,
    value: Option<MilliAmps>,
    min: MilliAmps,
    max: MilliAmps,
) -> Result<(), PolicyError> {
    match value {
        Some(value) if value < min || value > max => {
            Err(PolicyError::Current { field, min: min.0.div_ceil(1000), max: max.amps_floor() })
        }
        Some(_) | None => Ok(()),
    }
}

impl SiteRules {
    /// Checks every rule; `main_fuse` bounds the currents.
    ///
    /// # Errors
    /// Names the first rule that cannot be used.
    pub fn check(&self, main_fuse: MilliAmps) -> Result<(), PolicyError> {
        check_windows(self.contract_periods.iter().map(|period| &period.window))?;
        check_windows(self.off_peak.iter())?;
        let kva = VoltAmps(1_000)..=VoltAmps(10_000_000);
        if self.contract_periods.iter().any(|period| !kva.contains(&period.contracted)) {
            return Err(PolicyError::Contract);
        }
        check_current("imbalance_a", self.imbalance, MilliAmps::from_amps(6), MilliAmps::from_amps(10_000))?;
        check_current("stand_alone_buffer_a", self.stand_alone, MilliAmps::ZERO, main_fuse)?;
        match &self.feed {
            Some(feed) if !is_feed(feed) => Err(PolicyError::Feed),
            Some(_) | None => Ok(()),
        }
    }
}

fn is_feed(feed: &str) -> bool {
    let web =
        ["http://", "https://"].iter().any(|scheme| feed.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()));
    (web || feed.starts_with('/') || feed.get(1..3) == Some(":\\"))
        && feed.len() <= FEED_CHARS_MAX
        && !feed.chars().any(char::is_control)
}

impl ChargerPolicy {
    /// Whether it gives energy at a moment of the week.
    #[must_use]
    pub fn is_open(&self, at: LocalTime, off_peak: &[TimeWindow]) -> bool {
        let windows = match &self.times {
            ChargingTimes::Always | ChargingTimes::Cheapest => return true,
            ChargingTimes::OffPeak => off_peak,
            ChargingTimes::Windows(windows) => windows,
        };
        // Without any off-peak time the site knows no cheap hours, and nobody is kept waiting for them.
        windows.is_empty() || windows.iter().any(|window| window.contains(at))
    }

    /// Checks currents against the site's minimum and the charger's maximum, and the times.
    ///
    /// # Errors
    /// Names the first rule that cannot be used.
    pub fn check(&self, min: MilliAmps, max: MilliAmps) -> Result<(), PolicyError> {
        check_current("guaranteed_a", self.guaranteed, min, max)?;
        check_current("fixed_a", self.fixed, min, max)?;
        match &self.times {
            ChargingTimes::Windows(windows) => check_windows(windows.iter()),
            ChargingTimes::Always | ChargingTimes::OffPeak | ChargingTimes::Cheapest => Ok(()),
        }
    }
}

impl CardPolicy {
    /// Checks the current against the site's minimum.
    ///
    /// # Errors
    /// When the current charges no car.
    pub fn check(&self, min: MilliAmps) -> Result<(), PolicyError> {
        check_current("max_a", self.max, min, MilliAmps::from_amps(80))
    }
}

impl Wish {
    /// Checks that it can be meant.
    ///
    /// # Errors
    /// When it asks for nothing, or for a time that is past or too far ahead.
    pub fn check(&self, now: Timestamp) -> Result<(), PolicyError> {
        let ahead = self.by.0.saturating_sub(now.0);
        let possible = (1..=WISH_WH_MAX).contains(&self.energy.0) && ahead > 0 && ahead <= WISH_AHEAD_MS_MAX;
        if possible { Ok(()) } else { Err(PolicyError::Wish) }
    }
}

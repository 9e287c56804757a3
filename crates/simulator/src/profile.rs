//! The charging profiles a charger holds (OCPP 1.6, section 3.13 "Smart Charging").
//!
//! Limits per wire at a moment: the `ChargePointMaxProfile` caps whatever the transaction's own profile
//! gives; while a `TxProfile` is in force it hides every `TxDefaultProfile`; when its duration has
//! passed, the default is back. That is what an offline charger falls back to.

use domain::{DurationMs, MilliAmps, Timestamp};
use serde_json::Value;

/// What a profile is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Limits the whole charger.
    ChargePointMax,
    /// For every transaction that has no profile of its own.
    TxDefault,
    /// For one transaction.
    Tx,
}

/// What the start of a schedule counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Absolute,
    Relative,
    Daily,
}

/// A profile as it was installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    id: i64,
    stack_level: i64,
    purpose: Purpose,
    transaction: Option<i64>,
    kind: Kind,
    start: Option<Timestamp>,
    received: Timestamp,
    valid_from: Option<Timestamp>,
    valid_to: Option<Timestamp>,
    duration: Option<DurationMs>,
    periods: Vec<(DurationMs, MilliAmps)>,
}

/// Why a profile cannot be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProfileRefusal {
    /// A field is missing or has no meaning: CALLERROR `FormationViolation`.
    Malformed,
    /// Understood and refused: status `Rejected`.
    Refused,
}

/// Volts assumed when a profile is in watts.
const PROFILE_VOLTS: u64 = 230;

impl Profile {
    /// Reads `csChargingProfiles`; `wires` turns watts into amps.
    ///
    /// # Errors
    /// When a required field is missing or cannot be read.
    pub fn parse(value: &Value, received: Timestamp, wires: usize) -> Result<Self, ProfileRefusal> {
        let purpose = match text(value, "chargingProfilePurpose")? {
            "ChargePointMaxProfile" => Purpose::ChargePointMax,
            "TxDefaultProfile" => Purpose::TxDefault,
            "TxProfile" => Purpose::Tx,
            _ => return Err(ProfileRefusal::Malformed),
        };
        let kind = match text(value, "chargingProfileKind")? {
            "Absolute" => Kind::Absolute,
            "Relative" => Kind::Relative,
            "Recurring" if value.get("recurrencyKind").and_then(Value::as_str) == Some("Daily") => Kind::Daily,
            "Recurring" => return Err(ProfileRefusal::Refused),
            _ => return Err(ProfileRefusal::Malformed),
        };
        let schedule = value.get("chargingSchedule").ok_or(ProfileRefusal::Malformed)?;
        Ok(Self {
            id: whole(value, "chargingProfileId")?,
            stack_level: whole(value, "stackLevel")?,
            purpose,
            transaction: value.get("transactionId").and_then(Value::as_i64),
            kind,
            start: time(schedule, "startSchedule")?,
            received,
            valid_from: time(value, "validFrom")?,
            valid_to: time(value, "validTo")?,
            duration: schedule.get("duration").and_then(Value::as_u64).map(DurationMs::from_secs),
            periods: periods(schedule, wires)?,
        })
    }

    /// What it is for.
    #[must_use]
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// The transaction it names.
    #[must_use]
    pub const fn transaction(&self) -> Option<i64> {
        self.transaction
    }

    fn limit(&self, at: Timestamp, transaction_start: Option<Timestamp>) -> Option<MilliAmps> {
        let too_early = self.valid_from.is_some_and(|from| at < from);
        let too_late = self.valid_to.is_some_and(|to| at >= to);
        if too_early || too_late {
            return None;
        }
        let start = match self.kind {
            Kind::Absolute | Kind::Daily => self.start.unwrap_or(self.received),
            Kind::Relative => transaction_start.unwrap_or(self.received),
        };
        let mut since = u64::try_from(at.0 - start.0).ok()?;
        if self.kind == Kind::Daily {
            since %= 86_400_000;
        }
        if self.duration.is_some_and(|duration| since >= duration.0) {
            return None;
        }
        self.periods.iter().rev().find(|(from, _)| since >= from.0).map(|(_, limit)| *limit)
    }
}

/// All profiles of one connector and of the charger as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileStack(Vec<Profile>);

impl ProfileStack {
    /// Installs a profile; one of the same identity, or of the same purpose and level, is replaced.
    pub fn install(&mut self, profile: Profile) {
        self.0.retain(|old| {
            old.id != profile.id && (old.purpose, old.stack_level) != (profile.purpose, profile.stack_level)
        });
        self.0.push(profile);
    }

    /// Removes what the filter names (absent = any); returns how many went.
    pub fn clear(&mut self, id: Option<i64>, purpose: Option<Purpose>, level: Option<i64>) -> usize {
        let before = self.0.len();
        self.0.retain(|profile| {
            let named = id.is_none_or(|id| id == profile.id)
                && purpose.is_none_or(|purpose| purpose == profile.purpose)
                && level.is_none_or(|level| level == profile.stack_level);
            !named
        });
        before - self.0.len()
    }

    /// A transaction's own profiles go with it.
    pub fn end_transaction(&mut self) {
        self.0.retain(|profile| profile.purpose != Purpose::Tx);
    }

    /// Limit per wire at a moment; `None` when nothing limits.
    #[must_use]
    pub fn limit(&self, at: Timestamp, transaction_start: Option<Timestamp>) -> Option<MilliAmps> {
        let of = |purpose: Purpose| {
            let mut in_force: Vec<(i64, MilliAmps)> = self
                .0
                .iter()
                .filter(|profile| profile.purpose == purpose)
                .filter_map(|profile| Some((profile.stack_level, profile.limit(at, transaction_start)?)))
                .collect();
            in_force.sort_unstable();
            in_force.last().map(|(_, limit)| *limit)
        };
        let own = of(Purpose::Tx).or_else(|| of(Purpose::TxDefault));
        match (own, of(Purpose::ChargePointMax)) {
            (Some(own), Some(cap)) => Some(own.min(cap)),
            (own, cap) => own.or(cap),
        }
    }

    /// Whether a profile of this purpose is installed.
    #[must_use]
    pub fn holds(&self, purpose: Purpose) -> bool {
        self.0.iter().any(|profile| profile.purpose == purpose)
    }
}

fn periods(schedule: &Value, wires: usize) -> Result<Vec<(DurationMs, MilliAmps)>, ProfileRefusal> {
    let in_watts = match text(schedule, "chargingRateUnit")? {
        "A" => false,
        "W" => true,
        _ => return Err(ProfileRefusal::Malformed),
    };
    let list = schedule.get("chargingSchedulePeriod").and_then(Value::as_array).ok_or(ProfileRefusal::Malformed)?;
    let mut periods = Vec::new();
    for period in list {
        let from = period.get("startPeriod").and_then(Value::as_u64).ok_or(ProfileRefusal::Malformed)?;
        let limit = period.get("limit").and_then(Value::as_f64).ok_or(ProfileRefusal::Malformed)?;
        let thousandths = floor_u64(limit * 1000.0).ok_or(ProfileRefusal::Malformed)?;
        let phases = period.get("numberPhases").and_then(Value::as_u64);
        let wires = phases.unwrap_or(u64::try_from(wires).unwrap_or(1)).clamp(1, 3);
        let milli_amps = if in_watts { thousandths / (PROFILE_VOLTS * wires) } else { thousandths };
        periods.push((DurationMs::from_secs(from), MilliAmps(u32::try_from(milli_amps).unwrap_or(u32::MAX))));
    }
    if periods.is_empty() { Err(ProfileRefusal::Malformed) } else { Ok(periods) }
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str, ProfileRefusal> {
    value.get(key).and_then(Value::as_str).ok_or(ProfileRefusal::Malformed)
}

fn whole(value: &Value, key: &str) -> Result<i64, ProfileRefusal> {
    value.get(key).and_then(Value::as_i64).ok_or(ProfileRefusal::Malformed)
}

fn time(value: &Value, key: &str) -> Result<Option<Timestamp>, ProfileRefusal> {
    let Some(text) = value.get(key).and_then(Value::as_str) else { return Ok(None) };
    let parsed: jiff::Timestamp = text.parse().map_err(|_ignored: jiff::Error| ProfileRefusal::Malformed)?;
    Ok(Some(Timestamp(parsed.as_millisecond())))
}

/// `None` for what is no non-negative number of a sensible size.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked against the range first, then rounded down"
)]
fn floor_u64(value: f64) -> Option<u64> {
    // A limit such as 8.7 A arrives as 8699.999…; half a thousandth is added so that it stays 8700 mA.
    (0.0..1e12).contains(&value).then_some((value + 0.5) as u64)
}

//! Charging profiles: how a current limit is written for a charger, and what to try when it refuses.
//!
//! Chargers differ in which kind, stack level, purpose and unit they take. A [`Ladder`] is climbed on
//! refusal and remembers the rung that worked.

use domain::{DurationMs, Instant, MilliAmps, SessionId};
use ocpp::v16::{
    ChargingProfile, ChargingProfileKind, ChargingProfilePurpose, ChargingRateUnit, ChargingSchedule,
    ChargingSchedulePeriod, SetChargingProfileRequest,
};
use ocpp::{DateTime, Decimal};

/// A live limit lasts this long, in s, so that a charger nobody speaks to falls back.
pub(crate) const DURATION_S: i64 = 120;
/// An absolute schedule begins this much before now, in ms, for clocks that are a little slow.
const EARLY_MS: i64 = 15_000;
/// A live limit is renewed after this time.
pub(crate) const RENEW_AFTER: DurationMs = DurationMs::from_secs(50);
/// Profile of the fallback; the live profile of connector n has this plus n.
const FALLBACK_PROFILE_ID: i64 = 10;
/// Refusals in a row after which a rung that once worked is doubted.
const DOUBT_AFTER: u8 = 3;

/// What a schedule's time is counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    /// A point of time we name.
    Absolute,
    /// The beginning of the session.
    Relative,
}

/// What a limit is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Amps,
    Watts,
}

/// What a profile is for, and on which connector it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// The running session: `TxProfile`.
    Session,
    /// Every session, as `TxDefaultProfile` of the whole charger.
    Charger,
    /// Every session, as `TxDefaultProfile` of one connector.
    Connector,
}

/// One way to write a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rung {
    start: Start,
    stack_level: i64,
    unit: Unit,
    role: Role,
}

impl Rung {
    /// In words for people who look for the reason.
    pub(crate) fn words(self) -> String {
        let role = match self.role {
            Role::Session => "TxProfile",
            Role::Charger => "TxDefaultProfile on connector 0",
            Role::Connector => "TxDefaultProfile on the connector",
        };
        let start = match self.start {
            Start::Absolute => "Absolute",
            Start::Relative => "Relative",
        };
        let unit = match self.unit {
            Unit::Amps => "A",
            Unit::Watts => "W",
        };
        format!("{role}, {start}, stack level {}, {unit}", self.stack_level)
    }
}

const fn rung(role: Role, start: Start, stack_level: i64, unit: Unit) -> Rung {
    Rung { start, stack_level, unit, role }
}

/// Ways to write a live limit. Absolute first: the standard counts the duration of a relative schedule
/// from the beginning of the session, where it would be over after two minutes. The last two are for
/// chargers that take no `TxProfile`: a default that ends, above the fallback that stays.
const LIVE: [Rung; 9] = [
    rung(Role::Session, Start::Absolute, 0, Unit::Amps),
    rung(Role::Session, Start::Relative, 0, Unit::Amps),
    rung(Role::Session, Start::Absolute, 1, Unit::Amps),
    rung(Role::Session, Start::Relative, 1, Unit::Amps),
    rung(Role::Session, Start::Absolute, 0, Unit::Watts),
    rung(Role::Session, Start::Relative, 0, Unit::Watts),
    rung(Role::Session, Start::Absolute, 1, Unit::Watts),
    rung(Role::Connector, Start::Absolute, 2, Unit::Amps),
    rung(Role::Connector, Start::Absolute, 2, Unit::Watts),
];

/// Ways to write the fallback. Relative first: it holds whatever the charger's clock says.
const FALLBACK: [Rung; 8] = [
    rung(Role::Charger, Start::Relative, 0, Unit::Amps),
    rung(Role::Charger, Start::Absolute, 0, Unit::Amps),
    rung(Role::Charger, Start::Relative, 1, Unit::Amps),
    rung(Role::Charger, Start::Absolute, 1, Unit::Amps),
    rung(Role::Charger, Start::Relative, 0, Unit::Watts),
    rung(Role::Charger, Start::Absolute, 0, Unit::Watts),
    rung(Role::Connector, Start::Relative, 0, Unit::Amps),
    rung(Role::Connector, Start::Absolute, 0, Unit::Amps),
];

/// Where we are in trying, for one kind of profile of one charger.
#[derive(Clone, Debug)]
pub(crate) struct Ladder {
    rungs: &'static [Rung],
    at: usize,
    worked: bool,
    /// The way that worked, while an absolute schedule is tried once more in its place.
    second_choice: Option<usize>,
    refusals: u8,
    unanswered: u32,
    retry_at: Instant,
    /// Longest pause after answers that never came.
    pause_max: DurationMs,
}

/// What a refusal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Try the next way now.
    TryNext,
    /// No other way for now.
    GiveUp,
}

impl Ladder {
    const fn new(rungs: &'static [Rung], pause_max: DurationMs) -> Self {
        Self {
            rungs,
            at: 0,
            worked: false,
            second_choice: None,
            refusals: 0,
            unanswered: 0,
            retry_at: Instant(0),
            pause_max,
        }
    }

    pub(crate) const fn live() -> Self {
        Self::new(&LIVE, DurationMs::from_secs(30))
    }

    pub(crate) const fn fallback() -> Self {
        Self::new(&FALLBACK, DurationMs::from_secs(300))
    }

    /// The present way.
    pub(crate) fn rung(&self) -> Rung {
        self.rungs.get(self.at).copied().unwrap_or(LIVE[0])
    }

    /// Begins with the way that worked before.
    pub(crate) fn recall(&mut self, way: Option<usize>) {
        if let Some(way) = way.filter(|way| *way < self.rungs.len()) {
            (self.at, self.worked, self.second_choice) = (way, true, None);
        }
    }

    /// A session begins. A relative schedule ends two minutes into it by the standard, and what made the charger refuse
    /// an absolute one may have been the moment: that is tried once more first.
    pub(crate) fn new_session(&mut self) {
        let rung = self.rung();
        let absolute = Rung { start: Start::Absolute, ..rung };
        if self.worked
            && rung != absolute
            && let Some(better) = self.rungs.iter().position(|other| *other == absolute)
        {
            (self.second_choice, self.at, self.worked) = (Some(self.at), better, false);
        }
    }

    /// The way that works, once one did.
    pub(crate) const fn way(&self) -> Option<usize> {
        if self.worked { Some(self.at) } else { None }
    }

    /// Whether it may be tried now.
    pub(crate) fn is_open(&self, now: Instant) -> bool {
        now >= self.retry_at
    }

    /// The charger said that it takes watts only: skip what it would refuse or, worse, ignore. True when
    /// that changes the way.
    pub(crate) fn prefer_watts(&mut self) -> bool {
        let changes = self.rung().unit != Unit::Watts;
        if changes {
            self.at = self.rungs.iter().position(|rung| rung.unit == Unit::Watts).unwrap_or(self.at);
            (self.worked, self.second_choice) = (false, None);
        }
        changes
    }

    /// The charger took it.
    pub(crate) fn accepted(&mut self) {
        (self.worked, self.refusals, self.unanswered, self.retry_at) = (true, 0, 0, Instant(0));
        self.second_choice = None;
    }

    /// The charger refused.
    pub(crate) fn refused(&mut self, now: Instant) -> Refusal {
        if let Some(way) = self.second_choice.take() {
            (self.at, self.worked) = (way, true);
            return Refusal::TryNext;
        }
        self.refusals = self.refusals.saturating_add(1);
        if self.worked {
            // It took this before, so it refuses the moment, not the way.
            self.retry_at = now + DurationMs::from_secs(5);
            if self.refusals >= DOUBT_AFTER {
                (self.worked, self.refusals, self.at) = (false, 0, 0);
            }
            return Refusal::GiveUp;
        }
        if self.at + 1 < self.rungs.len() {
            self.at += 1;
            return Refusal::TryNext;
        }
        (self.at, self.refusals) = (0, 0);
        self.retry_at = now + DurationMs::from_secs(60);
        Refusal::GiveUp
    }

    /// The charger did not answer: the same way again, later.
    pub(crate) fn unanswered(&mut self, now: Instant) {
        let pause = DurationMs::from_secs(5_u64 << self.unanswered.min(8));
        self.unanswered = self.unanswered.saturating_add(1);
        self.retry_at = now + pause.min(self.pause_max);
    }

    /// The charger does not know such profiles at all.
    pub(crate) fn unknown(&mut self, now: Instant) {
        (self.at, self.worked, self.second_choice, self.refusals) = (0, false, None, 0);
        self.retry_at = now + DurationMs::from_secs(600);
    }

    /// After a restart or a new connection everything may be tried again at once, but for a charger that
    /// answers nothing: it would hang and drop the connection each time.
    pub(crate) fn reopen(&mut self) {
        self.refusals = 0;
        if self.unanswered < 2 {
            self.retry_at = Instant(0);
        }
    }
}

/// What a profile needs to know of the charger.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Electric {
    pub(crate) phases: u8,
    pub(crate) voltage_v: u16,
    /// The charger's own reading of our present, in ms since 1970.
    pub(crate) charger_now_ms: i64,
}

/// The live limit of a session.
pub(crate) fn live(
    rung: Rung,
    connector: u16,
    session: SessionId,
    limit: MilliAmps,
    electric: Electric,
) -> SetChargingProfileRequest {
    let mut profile = profile(rung, FALLBACK_PROFILE_ID + i64::from(connector), limit, electric);
    profile.charging_schedule.duration = Some(DURATION_S);
    if rung.role == Role::Session {
        profile.charging_profile_purpose = ChargingProfilePurpose::TxProfile;
        profile.transaction_id = Some(i64::from(session.0));
    }
    SetChargingProfileRequest { connector_id: i64::from(connector), cs_charging_profiles: profile }
}

/// The fallback; `only` is the connector of a charger that has one.
pub(crate) fn fallback(
    rung: Rung,
    only: Option<u16>,
    limit: MilliAmps,
    electric: Electric,
) -> SetChargingProfileRequest {
    let profile = profile(rung, FALLBACK_PROFILE_ID, limit, electric);
    let connector_id = only.filter(|_| rung.role == Role::Connector).map_or(0, i64::from);
    SetChargingProfileRequest { connector_id, cs_charging_profiles: profile }
}

fn profile(rung: Rung, id: i64, limit: MilliAmps, electric: Electric) -> ChargingProfile {
    let start = DateTime::from_unix_ms(electric.charger_now_ms.saturating_sub(EARLY_MS));
    let (kind, start) = match rung.start {
        Start::Absolute => (ChargingProfileKind::Absolute, Some(start)),
        Start::Relative => (ChargingProfileKind::Relative, None),
    };
    let phases = electric.phases.clamp(1, 3);
    let (unit, limit, number_phases) = if rung.unit == Unit::Watts {
        let watts = i64::from(limit.0) * i64::from(electric.voltage_v) * i64::from(phases) / 1000;
        (ChargingRateUnit::W, Decimal::from_whole(watts), Some(i64::from(phases)))
    } else {
        // The standard allows tenths; a limit is never rounded up.
        (ChargingRateUnit::A, Decimal::from_thousandths(i64::from(limit.0 / 100 * 100)), None)
    };
    ChargingProfile {
        charging_profile_id: id,
        charging_profile_kind: kind,
        charging_profile_purpose: ChargingProfilePurpose::TxDefaultProfile,
        charging_schedule: ChargingSchedule {
            charging_rate_unit: unit,
            charging_schedule_period: vec![ChargingSchedulePeriod { limit, number_phases, start_period: 0 }],
            duration: None,
            min_charging_rate: None,
            start_schedule: start,
        },
        recurrency_kind: None,
        stack_level: rung.stack_level,
        transaction_id: None,
        valid_from: None,
        valid_to: None,
    }
}

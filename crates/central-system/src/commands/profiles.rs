//! Requests about charging profiles that people order.

use super::{Written, date_time, number, written};
use crate::command::{ProfileKind, ProfileOrder, ProfilePeriod, ProfilePurpose, RateUnit};
use domain::ConnectorNumber;
use ocpp::v16::{
    ChargingProfile, ChargingProfileKind, ChargingProfilePurpose, ChargingRateUnit, ChargingSchedule,
    ChargingSchedulePeriod, ClearChargingProfileRequest, GetCompositeScheduleRequest, RecurrencyKind,
    SetChargingProfileRequest,
};
use ocpp::{Decimal, WriteError};

fn purpose_word(purpose: ProfilePurpose) -> ChargingProfilePurpose {
    match purpose {
        ProfilePurpose::Charger => ChargingProfilePurpose::ChargePointMaxProfile,
        ProfilePurpose::Default => ChargingProfilePurpose::TxDefaultProfile,
        ProfilePurpose::Session => ChargingProfilePurpose::TxProfile,
    }
}

fn unit_word(unit: RateUnit) -> ChargingRateUnit {
    match unit {
        RateUnit::Amps => ChargingRateUnit::A,
        RateUnit::Watts => ChargingRateUnit::W,
    }
}

fn tenths(value: u32) -> Decimal {
    Decimal::from_thousandths(i64::from(value) * 100)
}

pub(super) fn set(connector: Option<&ConnectorNumber>, order: &ProfileOrder) -> Result<Written, WriteError> {
    let (kind, recurrency_kind) = match order.kind {
        ProfileKind::Absolute => (ChargingProfileKind::Absolute, None),
        ProfileKind::Relative => (ChargingProfileKind::Relative, None),
        ProfileKind::Daily => (ChargingProfileKind::Recurring, Some(RecurrencyKind::Daily)),
        ProfileKind::Weekly => (ChargingProfileKind::Recurring, Some(RecurrencyKind::Weekly)),
    };
    let period = |period: &ProfilePeriod| ChargingSchedulePeriod {
        limit: tenths(period.limit_tenths),
        number_phases: period.phases.map(i64::from),
        start_period: i64::from(period.from_s),
    };
    written(&SetChargingProfileRequest {
        connector_id: number(connector),
        cs_charging_profiles: ChargingProfile {
            charging_profile_id: i64::from(order.id),
            charging_profile_kind: kind,
            charging_profile_purpose: purpose_word(order.purpose),
            charging_schedule: ChargingSchedule {
                charging_rate_unit: unit_word(order.unit),
                charging_schedule_period: order.periods.iter().map(period).collect(),
                duration: order.duration_s.map(i64::from),
                min_charging_rate: order.min_rate_tenths.map(tenths),
                start_schedule: order.start.map(date_time),
            },
            recurrency_kind,
            stack_level: i64::from(order.stack_level),
            transaction_id: order.session.map(|session| i64::from(session.0)),
            valid_from: order.valid_from.map(date_time),
            valid_to: order.valid_to.map(date_time),
        },
    })
}

pub(super) fn clear(
    profile: Option<i32>,
    connector: Option<&ConnectorNumber>,
    purpose: Option<ProfilePurpose>,
    stack_level: Option<u16>,
) -> Result<Written, WriteError> {
    written(&ClearChargingProfileRequest {
        charging_profile_purpose: purpose.map(purpose_word),
        connector_id: connector.map(|number| i64::from(number.0)),
        id: profile.map(i64::from),
        stack_level: stack_level.map(i64::from),
    })
}

pub(super) fn composite(
    connector: Option<&ConnectorNumber>,
    duration_s: u32,
    unit: Option<RateUnit>,
) -> Result<Written, WriteError> {
    written(&GetCompositeScheduleRequest {
        charging_rate_unit: unit.map(unit_word),
        connector_id: number(connector),
        duration: i64::from(duration_s),
    })
}

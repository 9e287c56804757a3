//! A charger in detail, as clients see it.

use crate::time_text;
use api::{
    Capability, CardListItem, ChargerDetail, ChargerSettings, ConfigurationItem, HeldProfile, Language, OfflineReason,
    SecurityEventItem, TimelineItem, TransferItem, ValueItem,
};
use central_system::{ListState, NewestValue, Settings, StationView, TransferKind};
use domain::{ConnectorNumber, HardwareInfo, ReportedState, StatusChange, Timestamp};
use std::collections::BTreeMap;

/// Groups of operations in OCPP 1.6.
const PROFILES: [&str; 6] =
    ["Core", "FirmwareManagement", "LocalAuthListManagement", "Reservation", "SmartCharging", "RemoteTrigger"];

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// A charger that speaks no OCPP: only what it said about itself.
pub(crate) fn plain_detail(hardware: &HardwareInfo) -> ChargerDetail {
    ChargerDetail {
        vendor: hardware.vendor.clone(),
        model: hardware.model.clone(),
        firmware: hardware.firmware.clone(),
        serial: hardware.serial.clone(),
        ..ChargerDetail::default()
    }
}

/// A charger that speaks OCPP.
pub(crate) fn charger_detail(view: &StationView, settings: &Settings) -> ChargerDetail {
    let reasons: Vec<OfflineReason> = view.offline.reasons.iter().map(|reason| offline_reason(*reason)).collect();
    let values = view.values.iter().map(value_item).collect();
    ChargerDetail {
        connections_last_hour: count(view.connections_last_hour),
        capabilities: capabilities(view),
        works_offline: view.offline.works,
        offline_sentences: reasons.iter().map(|reason| reason.sentence(Language::English).to_owned()).collect(),
        offline_reasons: reasons,
        cards: CardListItem {
            state: list_word(view.cards.state).to_owned(),
            version: view.cards.version,
            wanted: count(view.cards.wanted),
            held: count(view.cards.held),
            max: view.cards.list_max.map(count),
        },
        configuration: view
            .configuration
            .iter()
            .map(|item| ConfigurationItem {
                key: item.key.clone(),
                value: item.value.clone(),
                readonly: item.readonly,
                wanted: item.wanted.clone(),
                drift: item.is_drift,
            })
            .collect(),
        restart_for: view.restart_for.clone(),
        settings: ChargerSettings {
            sample_interval_s: settings.sample_interval_s,
            measurands: settings.measurands.clone(),
            heartbeat_s: settings.heartbeat_s,
            keys: settings.keys.clone(),
        },
        profiles: profiles(view),
        profile_way: view.profile_way.clone(),
        values,
        transfers: view.transfers.iter().map(transfer_item).collect(),
        security_events: view
            .security
            .iter()
            .map(|event| SecurityEventItem {
                kind: event.kind.clone(),
                info: event.info.clone(),
                at: time_text::text(event.at),
            })
            .collect(),
        unanswered: view.learned.unanswered.keys().cloned().collect(),
        ..plain_detail(&view.hardware.clone().unwrap_or_default())
    }
}

fn profiles(view: &StationView) -> Vec<HeldProfile> {
    let fallback = view.fallback.map(|limit| HeldProfile {
        purpose: "fallback".to_owned(),
        connector: 0,
        session_id: None,
        limit_a: super::amps(limit),
    });
    let live = view.limits.iter().map(|held| HeldProfile {
        purpose: "session".to_owned(),
        connector: held.connector.0,
        session_id: Some(held.session.0),
        limit_a: super::amps(held.limit),
    });
    fallback.into_iter().chain(live).collect()
}

/// What the charger says it can do, corrected by what it did.
fn capabilities(view: &StationView) -> Vec<Capability> {
    let told = view.configuration.iter().find(|item| item.key.eq_ignore_ascii_case("SupportedFeatureProfiles"));
    let told = told.and_then(|item| item.value.as_deref()).filter(|value| !value.trim().is_empty());
    let says = |name: &str| {
        told.map(|value| value.split(',').any(|it| it.trim().trim_matches('"').eq_ignore_ascii_case(name)))
    };
    let capability = |name: &str| {
        let found = match name {
            "Core" => Some(true),
            "LocalAuthListManagement" => match view.cards.state {
                ListState::Verified | ListState::Partial => Some(true),
                ListState::Unsupported => Some(false),
                ListState::Unknown | ListState::Sending | ListState::Refused => None,
            },
            "SmartCharging" if view.fallback.is_some() || !view.limits.is_empty() => Some(true),
            _ => None,
        };
        Capability { name: name.to_owned(), supported: found.or_else(|| says(name)) }
    };
    PROFILES.iter().map(|name| capability(name)).collect()
}

const fn list_word(state: ListState) -> &'static str {
    match state {
        ListState::Unknown => "unknown",
        ListState::Sending => "sending",
        ListState::Verified => "verified",
        ListState::Partial => "partial",
        ListState::Unsupported => "unsupported",
        ListState::Refused => "refused",
    }
}

const fn offline_reason(reason: central_system::OfflineReason) -> OfflineReason {
    use central_system::OfflineReason as R;
    match reason {
        R::NotSeen => OfflineReason::NotSeen,
        R::NotApproved => OfflineReason::NotApproved,
        R::NoList => OfflineReason::NoList,
        R::CacheOnly => OfflineReason::CacheOnly,
        R::ListNotVerified => OfflineReason::ListNotVerified,
        R::ListRefused => OfflineReason::ListRefused,
        R::ListTooShort => OfflineReason::ListTooShort,
        R::OfflineDisabled => OfflineReason::OfflineDisabled,
        R::AcceptsUnknownCards => OfflineReason::AcceptsUnknownCards,
        R::FallbackZero => OfflineReason::FallbackZero,
        R::FallbackNotConfirmed => OfflineReason::FallbackNotConfirmed,
    }
}

fn value_item(value: &NewestValue) -> ValueItem {
    ValueItem {
        connector: value.connector,
        measurand: value.measurand.clone(),
        phase: value.phase.clone(),
        location: value.location.clone(),
        value: value.value.clone(),
        unit: value.unit.clone(),
        context: value.context.clone(),
        at: time_text::text(value.at),
    }
}

fn transfer_item(transfer: &central_system::Transfer) -> TransferItem {
    let kind = match transfer.kind {
        TransferKind::Diagnostics => "diagnostics",
        TransferKind::Log => "log",
        TransferKind::Firmware => "firmware",
        TransferKind::SignedFirmware => "signed_firmware",
    };
    TransferItem {
        kind: kind.to_owned(),
        status: transfer.status.clone(),
        request_id: transfer.request,
        at: time_text::text(transfer.at),
    }
}

/// Changes as stretches: each lasts until the next one of its line, the last one until `to`.
pub(crate) fn timeline(changes: &[StatusChange], from: Timestamp, to: Timestamp) -> Vec<TimelineItem> {
    let mut items: Vec<TimelineItem> = Vec::new();
    let mut open: BTreeMap<Option<ConnectorNumber>, usize> = BTreeMap::new();
    for change in changes {
        let at = change.at.0.clamp(from.0, to.0);
        if let Some(last) = open.get(&change.connector).and_then(|index| items.get_mut(*index)) {
            last.to_ms = at;
        }
        let (state, status) = match change.state {
            ReportedState::Online => ("online".to_owned(), None),
            ReportedState::Offline => ("offline".to_owned(), None),
            ReportedState::Status(status) => {
                let word = serde_json::to_value(status).ok();
                (word.and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default(), Some(status))
            }
        };
        open.insert(change.connector, items.len());
        let connector = change.connector.map_or(0, |number| number.0);
        items.push(TimelineItem { connector, from_ms: at, to_ms: to.0, state, status, error: change.error.clone() });
    }
    items.retain(|item| item.to_ms > item.from_ms);
    items
}

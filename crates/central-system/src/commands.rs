//! Commands as OCPP 1.6 requests, and answers as outcomes.

mod files;
mod profiles;
mod security;

use crate::command::{Command, ListEntry, ListUpdate, ResetKind, Trigger};
use crate::port::Outcome;
use domain::{ConnectorNumber, Timestamp};
use ocpp::DateTime;
use ocpp::v16::{
    Action, AuthorizationData, AuthorizationStatus, AvailabilityType, CancelReservationRequest,
    ChangeAvailabilityRequest, ChangeConfigurationRequest, ClearCacheRequest, DataTransferRequest,
    GetConfigurationRequest, GetLocalListVersionRequest, IdTagInfo, MessageTrigger, RemoteStartTransactionRequest,
    RemoteStopTransactionRequest, Request, ReserveNowRequest, ResetRequest, ResetType, SendLocalListRequest,
    TriggerMessageRequest, UnlockConnectorRequest, UpdateType,
};

/// A request ready to be framed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) action: Action,
    pub(crate) payload: String,
}

pub(crate) fn written<R: Request>(request: &R) -> Result<Written, ocpp::WriteError> {
    Ok(Written { action: R::ACTION, payload: ocpp::write(request)? })
}

/// Connector 0 is the whole charger.
fn number(connector: Option<&ConnectorNumber>) -> i64 {
    connector.map_or(0, |number| i64::from(number.0))
}

fn date_time(at: Timestamp) -> DateTime {
    DateTime::from_unix_ms(at.0)
}

/// The request of a command.
///
/// # Errors
/// When a value breaks a rule of the standard, such as a card of more than 20 characters.
pub(crate) fn request(command: &Command) -> Result<Written, ocpp::WriteError> {
    match command {
        Command::RemoteStart { connector, card } => written(&RemoteStartTransactionRequest {
            charging_profile: None,
            connector_id: connector.map(|number| i64::from(number.0)),
            id_tag: card.as_str().to_owned(),
        }),
        Command::RemoteStop { session } => {
            written(&RemoteStopTransactionRequest { transaction_id: i64::from(session.0) })
        }
        Command::Reset(ResetKind::Soft) => written(&ResetRequest { r#type: ResetType::Soft }),
        Command::Reset(ResetKind::Hard) => written(&ResetRequest { r#type: ResetType::Hard }),
        Command::Unlock { connector } => written(&UnlockConnectorRequest { connector_id: number(Some(connector)) }),
        Command::ChangeAvailability { connector, operative } => written(&ChangeAvailabilityRequest {
            connector_id: number(connector.as_ref()),
            r#type: if *operative { AvailabilityType::Operative } else { AvailabilityType::Inoperative },
        }),
        Command::GetConfiguration { keys } => {
            written(&GetConfigurationRequest { key: (!keys.is_empty()).then(|| keys.clone()) })
        }
        Command::ChangeConfiguration { key, value } => {
            written(&ChangeConfigurationRequest { key: key.clone(), value: value.clone() })
        }
        Command::ClearCache => written(&ClearCacheRequest {}),
        Command::TriggerMessage { message, connector } => written(&TriggerMessageRequest {
            connector_id: connector.map(|number| i64::from(number.0)),
            requested_message: trigger(*message),
        }),
        Command::DataTransfer { vendor, message, data } => {
            written(&DataTransferRequest { data: data.clone(), message_id: message.clone(), vendor_id: vendor.clone() })
        }
        Command::Reserve { reservation, connector, card, until } => written(&ReserveNowRequest {
            connector_id: number(connector.as_ref()),
            expiry_date: date_time(*until),
            id_tag: card.as_str().to_owned(),
            parent_id_tag: None,
            reservation_id: i64::from(*reservation),
        }),
        Command::CancelReservation { reservation } => {
            written(&CancelReservationRequest { reservation_id: i64::from(*reservation) })
        }
        // Never framed itself: the list has its own machine.
        Command::GetLocalListVersion | Command::PushCards => written(&GetLocalListVersionRequest {}),
        Command::SendLocalList { version, update, entries } => written(&local_list(*version, *update, entries)),
        Command::SetProfile { connector, profile } => profiles::set(connector.as_ref(), profile),
        Command::ClearProfiles { profile, connector, purpose, stack_level } => {
            profiles::clear(*profile, connector.as_ref(), *purpose, *stack_level)
        }
        Command::GetCompositeSchedule { connector, duration_s, unit } => {
            profiles::composite(connector.as_ref(), *duration_s, *unit)
        }
        Command::GetDiagnostics(upload) => files::diagnostics(upload),
        Command::GetLog { kind, request, upload } => files::log(*kind, *request, upload),
        Command::UpdateFirmware(download) => files::firmware(download),
        Command::UpdateSignedFirmware { request, download, install_at, certificate, signature } => {
            files::signed_firmware(*request, download, *install_at, certificate, signature)
        }
        Command::InstallCertificate { kind, pem } => security::install(*kind, pem),
        Command::DeleteCertificate(hash) => security::delete(hash),
        Command::ListCertificates(kind) => security::list(*kind),
        Command::CertificateSigned { chain } => security::signed(chain),
        Command::ExtendedTrigger { message, connector } => security::trigger(*message, connector.as_ref()),
    }
}

fn local_list(version: i32, update: ListUpdate, entries: &[ListEntry]) -> SendLocalListRequest {
    let entry = |entry: &ListEntry| AuthorizationData {
        id_tag: entry.tag.clone(),
        id_tag_info: entry.tenant.map(|tenant| IdTagInfo {
            expiry_date: None,
            parent_id_tag: Some(crate::answers::parent(tenant)),
            status: AuthorizationStatus::Accepted,
        }),
    };
    SendLocalListRequest {
        list_version: i64::from(version),
        local_authorization_list: Some(entries.iter().map(entry).collect()),
        update_type: match update {
            ListUpdate::Full => UpdateType::Full,
            ListUpdate::Differential => UpdateType::Differential,
        },
    }
}

fn trigger(message: Trigger) -> MessageTrigger {
    match message {
        Trigger::BootNotification => MessageTrigger::BootNotification,
        Trigger::DiagnosticsStatusNotification => MessageTrigger::DiagnosticsStatusNotification,
        Trigger::FirmwareStatusNotification => MessageTrigger::FirmwareStatusNotification,
        Trigger::Heartbeat => MessageTrigger::Heartbeat,
        Trigger::MeterValues => MessageTrigger::MeterValues,
        Trigger::StatusNotification => MessageTrigger::StatusNotification,
        // The plain request has no such word; a word outside the list is refused before it is sent.
        Trigger::SignCertificate => MessageTrigger::Unlisted("SignChargePointCertificate".to_owned()),
    }
}

/// The `status` word of an answer; `None` where the answer has none, as `GetConfiguration`.
pub(crate) fn status(payload: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(payload).ok()?;
    Some(value.get("status")?.as_str()?.trim().to_ascii_lowercase())
}

/// What an answer to a command means.
pub(crate) fn outcome(payload: &str) -> Outcome {
    match status(payload).as_deref() {
        None | Some("accepted" | "acceptedcanceled" | "scheduled" | "rebootrequired" | "unlocked") => Outcome::Accepted,
        Some(_) => Outcome::Rejected,
    }
}

//! Commands as OCPP 1.6 requests, and answers as outcomes.

use crate::{Command, Outcome, ResetKind, Trigger};
use domain::ConnectorNumber;
use ocpp::v16::{
    Action, AvailabilityType, ChangeAvailabilityRequest, ChangeConfigurationRequest, ClearCacheRequest,
    DataTransferRequest, GetConfigurationRequest, MessageTrigger, RemoteStartTransactionRequest,
    RemoteStopTransactionRequest, Request, ResetRequest, ResetType, TriggerMessageRequest, UnlockConnectorRequest,
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

/// The request of a command.
///
/// # Errors
/// When a value breaks a rule of the standard, such as a card of more than 20 characters.
pub(crate) fn request(command: &Command) -> Result<Written, ocpp::WriteError> {
    let number = |connector: &ConnectorNumber| i64::from(connector.0);
    match command {
        Command::RemoteStart { connector, card } => written(&RemoteStartTransactionRequest {
            charging_profile: None,
            connector_id: connector.as_ref().map(number),
            id_tag: card.as_str().to_owned(),
        }),
        Command::RemoteStop { session } => {
            written(&RemoteStopTransactionRequest { transaction_id: i64::from(session.0) })
        }
        Command::Reset(ResetKind::Soft) => written(&ResetRequest { r#type: ResetType::Soft }),
        Command::Reset(ResetKind::Hard) => written(&ResetRequest { r#type: ResetType::Hard }),
        Command::Unlock { connector } => written(&UnlockConnectorRequest { connector_id: number(connector) }),
        Command::ChangeAvailability { connector, operative } => written(&ChangeAvailabilityRequest {
            connector_id: connector.as_ref().map_or(0, number),
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
            connector_id: connector.as_ref().map(number),
            requested_message: trigger(*message),
        }),
        Command::DataTransfer { vendor, message, data } => {
            written(&DataTransferRequest { data: data.clone(), message_id: message.clone(), vendor_id: vendor.clone() })
        }
    }
}

const fn trigger(message: Trigger) -> MessageTrigger {
    match message {
        Trigger::BootNotification => MessageTrigger::BootNotification,
        Trigger::DiagnosticsStatusNotification => MessageTrigger::DiagnosticsStatusNotification,
        Trigger::FirmwareStatusNotification => MessageTrigger::FirmwareStatusNotification,
        Trigger::Heartbeat => MessageTrigger::Heartbeat,
        Trigger::MeterValues => MessageTrigger::MeterValues,
        Trigger::StatusNotification => MessageTrigger::StatusNotification,
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
        None | Some("accepted" | "scheduled" | "rebootrequired" | "unlocked") => Outcome::Accepted,
        Some(_) => Outcome::Rejected,
    }
}

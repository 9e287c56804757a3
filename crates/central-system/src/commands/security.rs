//! Requests of the security extension (OCA white paper "Improved security for OCPP 1.6-J").

use super::{Written, written};
use crate::command::{CertificateHash, CertificateKind, HashAlgorithm, Trigger};
use domain::ConnectorNumber;
use ocpp::WriteError;
use ocpp::v16::{
    CertificateHashData, CertificateSignedRequest, CertificateUse, DeleteCertificateRequest, ExtendedMessageTrigger,
    ExtendedTriggerMessageRequest, GetInstalledCertificateIdsRequest, HashAlgorithm as HashWord,
    InstallCertificateRequest,
};

fn kind_word(kind: CertificateKind) -> CertificateUse {
    match kind {
        CertificateKind::CentralSystemRoot => CertificateUse::CentralSystemRootCertificate,
        CertificateKind::ManufacturerRoot => CertificateUse::ManufacturerRootCertificate,
    }
}

pub(super) fn install(kind: CertificateKind, pem: &str) -> Result<Written, WriteError> {
    written(&InstallCertificateRequest { certificate: pem.to_owned(), certificate_type: kind_word(kind) })
}

pub(super) fn delete(hash: &CertificateHash) -> Result<Written, WriteError> {
    written(&DeleteCertificateRequest {
        certificate_hash_data: CertificateHashData {
            hash_algorithm: match hash.algorithm {
                HashAlgorithm::Sha256 => HashWord::Sha256,
                HashAlgorithm::Sha384 => HashWord::Sha384,
                HashAlgorithm::Sha512 => HashWord::Sha512,
            },
            issuer_key_hash: hash.issuer_key.clone(),
            issuer_name_hash: hash.issuer_name.clone(),
            serial_number: hash.serial.clone(),
        },
    })
}

pub(super) fn list(kind: CertificateKind) -> Result<Written, WriteError> {
    written(&GetInstalledCertificateIdsRequest { certificate_type: kind_word(kind) })
}

pub(super) fn signed(chain: &str) -> Result<Written, WriteError> {
    written(&CertificateSignedRequest { certificate_chain: chain.to_owned() })
}

pub(super) fn trigger(message: Trigger, connector: Option<&ConnectorNumber>) -> Result<Written, WriteError> {
    written(&ExtendedTriggerMessageRequest {
        connector_id: connector.map(|number| i64::from(number.0)),
        requested_message: match message {
            Trigger::BootNotification => ExtendedMessageTrigger::BootNotification,
            Trigger::DiagnosticsStatusNotification => ExtendedMessageTrigger::LogStatusNotification,
            Trigger::FirmwareStatusNotification => ExtendedMessageTrigger::FirmwareStatusNotification,
            Trigger::Heartbeat => ExtendedMessageTrigger::Heartbeat,
            Trigger::MeterValues => ExtendedMessageTrigger::MeterValues,
            Trigger::StatusNotification => ExtendedMessageTrigger::StatusNotification,
            Trigger::SignCertificate => ExtendedMessageTrigger::SignChargePointCertificate,
        },
    })
}

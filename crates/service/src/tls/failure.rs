//! Why a handshake failed, in words that say what to change.

use api::RefusalCode as Code;
use rustls::{AlertDescription as Alert, CertificateError, Error, InvalidMessage};

/// The reason for people, and what it is about.
pub(super) fn code(error: &std::io::Error) -> (Code, String) {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(error) => of_tls(error),
        None => (Code::TlsAborted, String::new()),
    }
}

fn of_tls(error: &Error) -> (Code, String) {
    match error {
        Error::AlertReceived(alert) => of_alert(*alert),
        Error::PeerIncompatible(reason) => (Code::TlsTooOld, format!("{reason:?}")),
        Error::InvalidCertificate(reason) => of_certificate(reason),
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => (Code::PlainOnTlsPort, String::new()),
        Error::InvalidMessage(InvalidMessage::UnknownProtocolVersion) => (Code::TlsTooOld, "SSL".to_owned()),
        other => (Code::TlsOther, other.to_string()),
    }
}

fn of_alert(alert: Alert) -> (Code, String) {
    match alert {
        Alert::UnknownCA | Alert::BadCertificate | Alert::CertificateUnknown => (Code::TlsNotTrusted, String::new()),
        Alert::CertificateExpired => (Code::TlsClock, String::new()),
        Alert::UnsupportedCertificate => (Code::TlsNoEcdsa, String::new()),
        Alert::ProtocolVersion | Alert::HandshakeFailure | Alert::InsufficientSecurity => {
            (Code::TlsTooOld, format!("{alert:?}"))
        }
        other => (Code::TlsOther, format!("{other:?}")),
    }
}

fn of_certificate(reason: &CertificateError) -> (Code, String) {
    match reason {
        CertificateError::Revoked => (Code::CertificateRevoked, String::new()),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (Code::CertificateEnded, String::new()),
        CertificateError::UnknownRevocationStatus => (Code::CertificateUnknown, String::new()),
        CertificateError::UnknownIssuer | CertificateError::BadSignature => (Code::CertificateForeign, String::new()),
        other => (Code::CertificateBad, other.to_string()),
    }
}

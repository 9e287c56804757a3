//! Why a handshake failed, in words that say what to change.

use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, PeerIncompatible};

/// The reason for people.
pub(super) fn words(error: &std::io::Error) -> String {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(error) => of_tls(error),
        None => "The device ended the TLS handshake; if it says nothing more, it does not trust our certificate: \
                 install the certificate of this building's authority in it"
            .to_owned(),
    }
}

fn of_tls(error: &Error) -> String {
    match error {
        Error::AlertReceived(alert) => of_alert(*alert),
        Error::PeerIncompatible(reason) => of_incompatible(reason),
        Error::InvalidCertificate(reason) => of_certificate(reason),
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "The device speaks no TLS here; set its address to wss, https or mqtts, or use the port without TLS"
                .to_owned()
        }
        Error::InvalidMessage(InvalidMessage::UnknownProtocolVersion) => {
            "The device speaks a TLS that is too old; 1.2 or 1.3 is needed: update its firmware, or use the port \
             without TLS and a password within the local network"
                .to_owned()
        }
        other => format!("The TLS handshake failed: {other}; update the device's firmware"),
    }
}

fn of_alert(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::UnknownCA | AlertDescription::BadCertificate | AlertDescription::CertificateUnknown => {
            "The device does not trust our certificate; install the certificate of this building's authority in it, \
             and type the address as it stands in the list of addresses"
                .to_owned()
        }
        AlertDescription::CertificateExpired => {
            "The device says that our certificate is not valid today; its clock is wrong: set it".to_owned()
        }
        AlertDescription::UnsupportedCertificate => {
            "The device cannot use certificates with elliptic curves; update its firmware, or use the port without TLS \
             and a password within the local network"
                .to_owned()
        }
        AlertDescription::ProtocolVersion
        | AlertDescription::HandshakeFailure
        | AlertDescription::InsufficientSecurity => {
            "The device and we have no TLS version or cipher in common; update its firmware, or use the port without \
             TLS and a password within the local network"
                .to_owned()
        }
        other => format!("The device ended the TLS handshake with \"{other:?}\"; look into its log"),
    }
}

fn of_incompatible(reason: &PeerIncompatible) -> String {
    format!(
        "The device's TLS is too old ({reason:?}); 1.2 with ECDHE or 1.3 is needed: update its firmware, or use the port \
         without TLS and a password within the local network"
    )
}

fn of_certificate(reason: &CertificateError) -> String {
    match reason {
        CertificateError::Revoked => "The device's certificate was revoked; let it ask for a new one".to_owned(),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "The device's certificate has ended; let it ask for a new one".to_owned()
        }
        CertificateError::UnknownRevocationStatus => {
            "The device's certificate is not in our list; let it ask for a new one".to_owned()
        }
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "The device's certificate was not made by this building's authority; let it ask for one here".to_owned()
        }
        other => format!("The device's certificate cannot be used: {other}; let it ask for a new one"),
    }
}

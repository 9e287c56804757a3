//! Which certificate belongs to which charger, answered from memory during handshakes.

use domain::{ChargerId, IssuedCertificate, Timestamp};
use rustls::pki_types::CertificateDer;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Issued certificates by number.
#[derive(Clone, Debug, Default)]
pub(crate) struct ChargerCertificates(Arc<RwLock<BTreeMap<String, IssuedCertificate>>>);

/// What a certificate that our authority signed stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Its charger proves itself with it.
    Valid(ChargerId),
    /// It was revoked.
    Revoked,
    /// We know nothing of it; the records may have been restored from an old backup.
    Unknown,
}

impl ChargerCertificates {
    /// Notes a certificate; the newest state wins.
    pub(crate) fn set(&self, certificate: IssuedCertificate) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(certificate.serial.clone(), certificate);
    }

    /// One certificate.
    pub(crate) fn get(&self, serial: &str) -> Option<IssuedCertificate> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(serial).cloned()
    }

    /// All of them, by number.
    pub(crate) fn list(&self) -> Vec<IssuedCertificate> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Chargers whose newest good certificate ends before `before`.
    pub(crate) fn ending_before(&self, before: Timestamp) -> Vec<ChargerId> {
        let mut newest: BTreeMap<ChargerId, Timestamp> = BTreeMap::new();
        for certificate in self.list().into_iter().filter(|certificate| certificate.revoked_at.is_none()) {
            let ends = newest.entry(certificate.charger).or_insert(certificate.expires_at);
            *ends = certificate.expires_at.max(*ends);
        }
        newest.into_iter().filter(|(_, ends)| *ends < before).map(|(charger, _)| charger).collect()
    }

    /// What this certificate stands for.
    pub(crate) fn standing(&self, certificate: &CertificateDer<'_>) -> Standing {
        let Some(serial) = serial_of(certificate) else { return Standing::Unknown };
        match self.get(&serial) {
            Some(known) if known.revoked_at.is_some() => Standing::Revoked,
            Some(known) if known.charger_is_same(certificate) => Standing::Valid(known.charger),
            Some(_) | None => Standing::Unknown,
        }
    }
}

/// Compares the whole certificate, since a number alone proves nothing.
trait SameCertificate {
    fn charger_is_same(&self, certificate: &CertificateDer<'_>) -> bool;
}

impl SameCertificate for IssuedCertificate {
    fn charger_is_same(&self, certificate: &CertificateDer<'_>) -> bool {
        use rustls::pki_types::pem::PemObject as _;
        CertificateDer::from_pem_slice(self.pem.as_bytes()).is_ok_and(|known| known.as_ref() == certificate.as_ref())
    }
}

fn serial_of(certificate: &CertificateDer<'_>) -> Option<String> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Some(certificate.raw_serial().iter().map(|byte| format!("{byte:02x}")).collect())
}

//! Making certificates: the authority itself, the server's, and those of chargers.

use domain::{ChargerId, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SerialNumber,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// Life of the authority: chargers pin it, and dates beyond January 2038 break clocks of 32 bits.
const AUTHORITY_DAYS: i64 = 3650;

/// Life of a server certificate: what every client accepts, browsers included.
const SERVER_DAYS: i64 = 397;

/// Life of a charger's certificate; it asks for a new one when told, long before.
const CHARGER_DAYS: i64 = 730;

/// Certificates begin in the past, because clocks of chargers are slow.
const BACKDATED_MS: i64 = 24 * 3600 * 1000;

const DAY_MS: i64 = 24 * 3600 * 1000;

/// Longest request of a charger; the standard allows 5500 characters.
const CSR_BYTES_MAX: usize = 16 * 1024;

/// Why a certificate could not be made.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A stored certificate or key cannot be read.
    #[error("a stored certificate or key cannot be read; restore it from a backup")]
    Unreadable,
    /// The charger's request cannot be used.
    #[error("the charger's certificate request cannot be used: {0}; update its firmware")]
    Request(String),
    /// The library failed.
    #[error("a certificate could not be made; please report this")]
    Library(#[source] rcgen::Error),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers; check the operating system")]
    Random,
}

/// A certificate made for a charger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Issued {
    /// Its number, in hexadecimal.
    pub(crate) serial: String,
    /// The certificate.
    pub(crate) pem: String,
    /// When it ends.
    pub(crate) expires_at: Timestamp,
}

/// The authority.
pub(crate) struct Authority {
    pem: String,
    der: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// A new authority and its key as PEM text.
    pub(crate) fn create(now: Timestamp) -> Result<(Self, Zeroizing<String>), AuthorityError> {
        let key = KeyPair::generate().map_err(AuthorityError::Library)?;
        let (serial, short) = serial()?;
        let mut params = CertificateParams::default();
        params.distinguished_name = name(&format!("Meshwatt authority {}", short.get(..6).unwrap_or_default()));
        params.serial_number = Some(serial);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages =
            vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
        dates(&mut params, now, AUTHORITY_DAYS)?;
        let certificate = params.self_signed(&key).map_err(AuthorityError::Library)?;
        let secret = Zeroizing::new(key.serialize_pem());
        let made = Self { pem: certificate.pem(), der: certificate.der().clone(), issuer: Issuer::new(params, key) };
        Ok((made, secret))
    }

    /// The authority of an earlier run.
    pub(crate) fn restore(certificate: &str, key: &str) -> Result<Self, AuthorityError> {
        let der = CertificateDer::from_pem_slice(certificate.as_bytes()).map_err(|_bad| AuthorityError::Unreadable)?;
        let key = KeyPair::from_pem(key).map_err(|_bad| AuthorityError::Unreadable)?;
        let issuer = Issuer::from_ca_cert_der(&der, key).map_err(|_bad| AuthorityError::Unreadable)?;
        Ok(Self { pem: certificate.to_owned(), der, issuer })
    }

    /// Its certificate as PEM text.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// Its certificate.
    pub(crate) fn der(&self) -> CertificateDer<'static> {
        self.der.clone()
    }

    /// A certificate and key for the server under these names and addresses.
    pub(crate) fn issue_server(
        &self,
        names: &[String],
        now: Timestamp,
    ) -> Result<(String, Zeroizing<String>), AuthorityError> {
        let key = KeyPair::generate().map_err(AuthorityError::Library)?;
        let mut params = CertificateParams::new(names).map_err(AuthorityError::Library)?;
        // The standard wants the server's own name here; clients read the list of names.
        params.distinguished_name = name(names.first().map_or("meshwatt", String::as_str));
        params.serial_number = Some(serial()?.0);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        dates(&mut params, now, SERVER_DAYS)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(AuthorityError::Library)?;
        Ok((certificate.pem(), Zeroizing::new(key.serialize_pem())))
    }

    /// Signs a charger's request. Only its key and its name are taken from it; what the certificate may be used for,
    /// and for how long, is decided here.
    pub(crate) fn sign_charger(
        &self,
        csr: &str,
        charger: &ChargerId,
        now: Timestamp,
    ) -> Result<Issued, AuthorityError> {
        if csr.len() > CSR_BYTES_MAX {
            return Err(AuthorityError::Request("it is too long".to_owned()));
        }
        let request = read_request(csr)?;
        let (number, serial) = serial()?;
        let mut params = CertificateParams::default();
        let common_name = match request.params.distinguished_name.get(&DnType::CommonName) {
            Some(rcgen::DnValue::Utf8String(name)) => name.clone(),
            Some(rcgen::DnValue::PrintableString(name)) => name.as_str().to_owned(),
            Some(rcgen::DnValue::Ia5String(name)) => name.as_str().to_owned(),
            Some(_) | None => charger.as_str().to_owned(),
        };
        params.distinguished_name = name(&common_name);
        params.serial_number = Some(number);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let expires_at = dates(&mut params, now, CHARGER_DAYS)?;
        let certificate = params.signed_by(&request.public_key, &self.issuer).map_err(AuthorityError::Library)?;
        Ok(Issued { serial, pem: certificate.pem(), expires_at })
    }
}

/// Requests come as PEM text, sometimes with escaped line ends, sometimes as bare base64.
fn read_request(csr: &str) -> Result<CertificateSigningRequestParams, AuthorityError> {
    let mut text = csr.trim().replace("\\r", "").replace("\\n", "\n");
    if !text.starts_with("-----BEGIN") {
        text = format!("-----BEGIN CERTIFICATE REQUEST-----\n{text}\n-----END CERTIFICATE REQUEST-----\n");
    }
    let text = text.replace("NEW CERTIFICATE REQUEST", "CERTIFICATE REQUEST");
    CertificateSigningRequestParams::from_pem(&text).map_err(|error| AuthorityError::Request(error.to_string()))
}

fn name(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "Meshwatt");
    // The standard of certificates ends a name at 64 characters.
    name.push(DnType::CommonName, common.chars().take(64).collect::<String>());
    name
}

/// A random number that cannot be guessed, positive, of 16 bytes; and its text.
fn serial() -> Result<(SerialNumber, String), AuthorityError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|_unavailable| AuthorityError::Random)?;
    bytes[0] = (bytes[0] & 0x7f) | 0x40;
    let text = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((SerialNumber::from_slice(&bytes), text))
}

/// Sets both ends and gives the later one.
fn dates(params: &mut CertificateParams, now: Timestamp, days: i64) -> Result<Timestamp, AuthorityError> {
    let at = |ms: i64| {
        OffsetDateTime::from_unix_timestamp(ms.div_euclid(1000))
            .map_err(|_out_of_range| AuthorityError::Library(rcgen::Error::Time))
    };
    let expires_at = Timestamp(now.0 + days * DAY_MS);
    params.not_before = at(now.0 - BACKDATED_MS)?;
    params.not_after = at(expires_at.0)?;
    Ok(expires_at)
}

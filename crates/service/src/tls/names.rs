//! Under which names and addresses this computer is reached, and which of them a certificate covers.

use domain::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::collections::BTreeSet;
use std::net::IpAddr;
use x509_parser::extensions::GeneralName;

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Covered {
    /// Names and addresses.
    pub(crate) names: BTreeSet<String>,
    /// Its first moment.
    pub(crate) begins_at: Timestamp,
    /// Its last moment.
    pub(crate) expires_at: Timestamp,
}

/// The host name first, then every address of every network card.
pub(crate) fn of_this_computer() -> Vec<String> {
    let host = gethostname::gethostname().to_string_lossy().to_ascii_lowercase();
    let mut names = Vec::new();
    if is_dns_name(&host) {
        if !host.contains('.') {
            names.push(format!("{host}.local"));
        }
        names.push(host);
    }
    names.push("localhost".to_owned());
    let mut addresses: BTreeSet<IpAddr> = if_addrs::get_if_addrs()
        .unwrap_or_default()
        .into_iter()
        // A link-local address of IPv6 cannot be typed without its zone.
        .filter(|interface| !(interface.is_link_local() && interface.ip().is_ipv6()))
        .map(|interface| interface.ip())
        .collect();
    addresses.insert(IpAddr::from([127, 0, 0, 1]));
    names.extend(addresses.into_iter().map(|address| address.to_string()));
    names
}

fn is_dns_name(text: &str) -> bool {
    text.len() <= 63
        && !text.is_empty()
        && text != "localhost"
        && !text.starts_with(['-', '.'])
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
}

/// What the certificate in this PEM text covers; `None` when it cannot be read.
pub(crate) fn of_certificate(pem: &str) -> Option<Covered> {
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
    let (_, certificate) = x509_parser::parse_x509_certificate(&der).ok()?;
    let names = certificate
        .subject_alternative_name()
        .ok()?
        .map(|extension| extension.value.general_names.iter().filter_map(text_of).collect())
        .unwrap_or_default();
    let validity = certificate.validity();
    Some(Covered {
        names,
        begins_at: Timestamp(validity.not_before.timestamp() * 1000),
        expires_at: Timestamp(validity.not_after.timestamp() * 1000),
    })
}

fn text_of(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match **bytes {
            [a, b, c, d] => Some(IpAddr::from([a, b, c, d]).to_string()),
            _ => <[u8; 16]>::try_from(*bytes).ok().map(|bytes| IpAddr::from(bytes).to_string()),
        },
        _ => None,
    }
}

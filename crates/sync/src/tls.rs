//! The client's side of TLS, for Kafka and MQTT.

use crate::Trouble;
use crate::postgres::trouble;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::sync::Arc;

/// Trusts the authority in a file, or those this computer knows when no file is named.
pub(crate) fn client(ca_file: &str) -> Result<Arc<rustls::ClientConfig>, Trouble> {
    let mut roots = rustls::RootCertStore::empty();
    if ca_file.is_empty() {
        let (_added, _ignored) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    } else {
        let unread = |error| trouble("tls", format!("The certificate file {ca_file} cannot be read"), error);
        let read = CertificateDer::pem_file_iter(ca_file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let (added, _ignored) = roots.add_parsable_certificates(read.map_err(unread)?);
        if added == 0 {
            return Err(trouble("tls", format!("There is no certificate in {ca_file}; choose a file in PEM"), ""));
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| trouble("tls", "TLS cannot be used on this computer", error))?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

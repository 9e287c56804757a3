//! Certificates, files, and where secrets are kept.

use serde::{Deserialize, Serialize};

/// Answer of `GET security`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SecurityState {
    /// Where keys and passwords are kept: `none` yet, `keyring`, `vault` (sealed with a passphrase) or `key_file` (sealed with a key
    /// that lies beside it).
    pub secrets: String,
    /// Names and addresses the server's certificate covers; empty without TLS.
    pub server_names: Vec<String>,
    /// When the server's certificate ends; it is renewed 30 days before.
    pub server_expires_at: Option<String>,
    /// SHA-256 of the authority's certificate, to compare with what a charger shows; `null` while there is none.
    pub authority_sha256: Option<String>,
}

/// A certificate that was made for a charger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CertificateItem {
    /// Its number, in hexadecimal.
    pub serial: String,
    /// Whose it is.
    pub charger: String,
    /// When it was made.
    pub issued_at: String,
    /// When it ends.
    pub expires_at: String,
    /// When it was revoked; `null` while it is good.
    pub revoked_at: Option<String>,
    /// The certificate as PEM text.
    pub pem: String,
}

/// A file of a charger, or the place kept for one that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FileItem {
    /// Identity.
    pub id: String,
    /// `upload` (from a charger) or `firmware` (for chargers).
    pub kind: String,
    /// Whose it is; `null` for firmware.
    pub charger: Option<String>,
    /// Its name; empty while it has not arrived.
    pub name: String,
    /// Its size; `null` while it has not arrived.
    pub bytes: Option<u64>,
    /// SHA-256 in hexadecimal; empty while it has not arrived.
    pub sha256: String,
    /// When it arrived or was asked for.
    pub at: String,
}

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
    /// Profile that chargers shall reach.
    pub default_profile: u8,
    /// From where chargers without any proof are let in: `local_network`, `anywhere` or `nowhere`.
    pub open_from: String,
    /// Each charger that speaks OCPP.
    #[serde(default)]
    pub chargers: Vec<ChargerSecurityItem>,
}

/// Listeners that are off until they are switched on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct ListenerSwitches {
    /// Console and API with TLS, on port 8443.
    pub https: bool,
    /// OCPP chargers with TLS, on port 8888.
    pub ocpps: bool,
    /// MQTT devices with TLS, on port 8883.
    pub mqtts: bool,
    /// Firmware for chargers and files from them, on port 8889.
    pub files: bool,
}

/// Answer of `GET listeners`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ListenerItem {
    /// What is switched on here; the options of the command line go before it.
    pub switches: ListenerSwitches,
    /// What listens now.
    pub running: ListenerSwitches,
    /// Whether the program must start again for the switches to count.
    pub restart: bool,
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

/// Body of `PUT security`: what holds for chargers without settings of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SecurityPolicy {
    /// Profile that chargers shall reach: 0, 1 (password), 2 (TLS and password) or 3 (TLS and certificate).
    pub default_profile: u8,
    /// From where chargers without any proof are let in: `local_network`, `anywhere` or `nowhere`.
    pub open_from: String,
}

/// How a charger proves who it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChargerSecurityItem {
    /// Which charger.
    pub charger: String,
    /// The profile it shall reach; `null` follows the site.
    pub target: Option<u8>,
    /// The profile it shall reach, the site's default included.
    pub wanted: u8,
    /// The profile its connections must bring at least; rises by itself to what it has proven.
    pub enforced: u8,
    /// Whether it has a password.
    pub has_password: bool,
    /// Its certificates, newest first.
    pub certificates: Vec<CertificateItem>,
}

/// Body of `PUT chargers/{id}/security`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ChargerSecurityPut {
    /// The profile it shall reach; `null` follows the site.
    pub target: Option<u8>,
    /// The profile its connections must bring from now on; absent leaves what it is, but never above the target.
    #[serde(default)]
    pub enforced: Option<u8>,
}

/// Body of `POST chargers/{id}/security/password`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewChargerPassword {
    /// 16 to 40 characters; made here when absent.
    #[serde(default)]
    pub password: Option<String>,
    /// Whether to send it to the charger now, as its `AuthorizationKey`; otherwise a person types it into the charger.
    #[serde(default)]
    pub send: bool,
}

/// A password that is shown once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShownPassword {
    /// User name of the device: its identity.
    pub user: String,
    /// The password; it cannot be shown again.
    pub password: String,
    /// The command that sends it, to ask `commands/{id}` for the outcome; `null` when it was not sent.
    pub command_id: Option<u64>,
}

/// Shows nothing of the password.
impl std::fmt::Debug for ShownPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ShownPassword").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Body of `POST mqtt/devices`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewDevice {
    /// Its name: its user name and its topic.
    pub name: String,
}

//! How chargers prove who they are, and the files they exchange with us.

use crate::{ChargerId, Timestamp};

/// Security profiles of the OCPP security whitepaper, in the order of what they prove.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecurityProfile {
    /// 0: no TLS, no password. Within a trusted local network only.
    #[default]
    Open,
    /// 1: a password, readable on the way.
    Basic,
    /// 2: TLS and a password.
    TlsBasic,
    /// 3: TLS and a certificate of the charger.
    TlsCertificate,
}

impl SecurityProfile {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::Open, Self::Basic, Self::TlsBasic, Self::TlsCertificate];

    /// Its number in the whitepaper.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Open => 0,
            Self::Basic => 1,
            Self::TlsBasic => 2,
            Self::TlsCertificate => 3,
        }
    }

    /// The profile of this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.number() == number)
    }
}

/// What is demanded of one charger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargerSecurity {
    /// Which charger.
    pub charger: ChargerId,
    /// What the manager wants; `None` follows the site.
    pub target: Option<SecurityProfile>,
    /// What a connection has to prove at least. Rises with what the charger has proven, up to the target; only the manager lowers it.
    pub enforced: SecurityProfile,
}

/// A certificate that our authority made for a charger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedCertificate {
    /// Its number, in hexadecimal.
    pub serial: String,
    /// Whose it is.
    pub charger: ChargerId,
    /// The certificate as PEM text.
    pub pem: String,
    /// When it was made.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was revoked; `None` while it is good.
    pub revoked_at: Option<Timestamp>,
}

/// Which way a file goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    /// From a charger: diagnostics and logs.
    Upload,
    /// To chargers: firmware.
    Firmware,
}

/// A file of a charger, or the place kept for one that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFile {
    /// Its name on the disk and in our addresses: random, so that nobody can guess it.
    pub id: String,
    /// Which way it goes.
    pub kind: FileKind,
    /// Whose it is; `None` for firmware, which serves many.
    pub charger: Option<ChargerId>,
    /// As the charger or the manager called it; empty while it has not arrived.
    pub name: String,
    /// Its size; `None` while it has not arrived.
    pub bytes: Option<u64>,
    /// SHA-256 in hexadecimal; empty while it has not arrived.
    pub sha256: String,
    /// When it arrived or was asked for.
    pub at: Timestamp,
}

//! Operations of `POST chargers/{id}/operations`: everything of OCPP 1.6 and its security extension beyond start,
//! stop, reset and unlock.

use serde::{Deserialize, Serialize};

/// One operation. Connector 0 is the whole charger; times are RFC 3339 UTC.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "operation", rename_all = "snake_case", deny_unknown_fields)]
pub enum Operation {
    /// Read configuration keys; all when empty.
    GetConfiguration {
        /// Which keys.
        #[serde(default)]
        keys: Vec<String>,
    },
    /// Write a configuration key.
    ChangeConfiguration {
        /// Which key.
        key: String,
        /// The value.
        value: String,
    },
    /// Take a connector out of service or back.
    ChangeAvailability {
        /// Which connector.
        connector: u16,
        /// Whether it shall serve.
        operative: bool,
    },
    /// Forget cached cards.
    ClearCache,
    /// Ask for a message now.
    TriggerMessage {
        /// Name as in OCPP, such as `MeterValues`.
        message: String,
        /// Which connector.
        #[serde(default)]
        connector: Option<u16>,
    },
    /// Ask for a message now, by the request of the security extension.
    ExtendedTriggerMessage {
        /// Name as in OCPP, such as `SignChargePointCertificate`.
        message: String,
        /// Which connector.
        #[serde(default)]
        connector: Option<u16>,
    },
    /// A message in the vendor's own words.
    DataTransfer {
        /// Vendor.
        vendor_id: String,
        /// Message.
        #[serde(default)]
        message_id: Option<String>,
        /// Content.
        #[serde(default)]
        data: Option<String>,
    },
    /// Keep a connector for a card.
    ReserveNow {
        /// Which connector.
        connector: u16,
        /// For whom.
        card: String,
        /// Until when.
        until: String,
        /// Number of the reservation; one is chosen when absent.
        #[serde(default)]
        reservation_id: Option<i32>,
    },
    /// Give a reserved connector free.
    CancelReservation {
        /// Number of the reservation.
        reservation_id: i32,
    },
    /// Install a charging profile.
    SetChargingProfile {
        /// On which connector.
        connector: u16,
        /// The profile.
        profile: ProfileRequest,
    },
    /// Remove charging profiles; absent fields match every profile.
    ClearChargingProfile {
        /// Number of one profile.
        #[serde(default)]
        profile_id: Option<i32>,
        /// On which connector.
        #[serde(default)]
        connector: Option<u16>,
        /// For what.
        #[serde(default)]
        purpose: Option<ProfilePurpose>,
        /// On which level.
        #[serde(default)]
        stack_level: Option<u16>,
    },
    /// Ask which limits follow from all profiles together.
    GetCompositeSchedule {
        /// Of which connector.
        connector: u16,
        /// For how many seconds from now.
        duration_s: u32,
        /// In which unit; the charger chooses when absent.
        #[serde(default)]
        unit: Option<RateUnit>,
    },
    /// Upload diagnostics.
    GetDiagnostics {
        /// Where to; the program's own file server when absent.
        #[serde(default)]
        location: Option<String>,
        /// Only what happened from then on.
        #[serde(default)]
        from: Option<String>,
        /// Only what happened until then.
        #[serde(default)]
        to: Option<String>,
        /// How often to try.
        #[serde(default)]
        retries: Option<u32>,
        /// Seconds between tries.
        #[serde(default)]
        retry_interval_s: Option<u32>,
    },
    /// Upload a log.
    GetLog {
        /// Which log.
        log: LogKind,
        /// Where to; the program's own file server when absent.
        #[serde(default)]
        location: Option<String>,
        /// Only what happened from then on.
        #[serde(default)]
        from: Option<String>,
        /// Only what happened until then.
        #[serde(default)]
        to: Option<String>,
        /// How often to try.
        #[serde(default)]
        retries: Option<u32>,
        /// Seconds between tries.
        #[serde(default)]
        retry_interval_s: Option<u32>,
    },
    /// Fetch and install firmware.
    UpdateFirmware {
        /// A file of the program's own file server.
        #[serde(default)]
        file: Option<String>,
        /// Any other address, when `file` is absent.
        #[serde(default)]
        location: Option<String>,
        /// When to fetch it; at once when absent.
        #[serde(default)]
        retrieve_at: Option<String>,
        /// How often to try.
        #[serde(default)]
        retries: Option<u32>,
        /// Seconds between tries.
        #[serde(default)]
        retry_interval_s: Option<u32>,
    },
    /// Fetch, verify and install signed firmware.
    SignedUpdateFirmware {
        /// A file of the program's own file server.
        #[serde(default)]
        file: Option<String>,
        /// Any other address, when `file` is absent.
        #[serde(default)]
        location: Option<String>,
        /// When to fetch it; at once when absent.
        #[serde(default)]
        retrieve_at: Option<String>,
        /// When to install it; at once when absent.
        #[serde(default)]
        install_at: Option<String>,
        /// Certificate of the signer, PEM.
        signing_certificate: String,
        /// Signature, Base64.
        signature: String,
        /// How often to try.
        #[serde(default)]
        retries: Option<u32>,
        /// Seconds between tries.
        #[serde(default)]
        retry_interval_s: Option<u32>,
    },
    /// Ask for the version of the list of cards.
    GetLocalListVersion,
    /// Send the list of cards anew, whatever the charger says it has.
    SendLocalList,
    /// Trust a certificate authority.
    InstallCertificate {
        /// For what.
        use_for: CertificateUse,
        /// The certificate, PEM.
        certificate: String,
    },
    /// Trust a certificate no longer.
    DeleteCertificate {
        /// `SHA256`, `SHA384` or `SHA512`.
        hash_algorithm: String,
        /// Hash of the issuer's name, hex.
        issuer_name_hash: String,
        /// Hash of the issuer's key, hex.
        issuer_key_hash: String,
        /// Serial number, hex.
        serial_number: String,
    },
    /// Ask which certificates are trusted.
    GetInstalledCertificateIds {
        /// For what.
        use_for: CertificateUse,
    },
    /// Hand over a new certificate of the charger's own.
    CertificateSigned {
        /// The certificate and those above it, PEM.
        certificate_chain: String,
    },
}

/// A charging profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ProfileRequest {
    /// Its number, at least 100: smaller ones are the program's own.
    pub id: i32,
    /// Higher levels win.
    #[serde(default)]
    pub stack_level: u16,
    /// What it is for.
    pub purpose: ProfilePurpose,
    /// What its times are counted from.
    pub kind: ProfileKind,
    /// The session of a `tx` profile; the running one when absent.
    #[serde(default)]
    pub session_id: Option<i32>,
    /// In force from.
    #[serde(default)]
    pub valid_from: Option<String>,
    /// In force until.
    #[serde(default)]
    pub valid_to: Option<String>,
    /// Start of the schedule.
    #[serde(default)]
    pub start: Option<String>,
    /// Length of the schedule.
    #[serde(default)]
    pub duration_s: Option<u32>,
    /// Unit of every limit.
    pub unit: RateUnit,
    /// Least rate worth charging with.
    #[serde(default)]
    pub min_rate: Option<f64>,
    /// The limits, first one at 0 s.
    pub periods: Vec<PeriodRequest>,
}

/// One stretch of a schedule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PeriodRequest {
    /// Seconds after the start.
    pub from_s: u32,
    /// Limit, one decimal at most.
    pub limit: f64,
    /// Phases to use, 1 to 3; the charger chooses when absent.
    #[serde(default)]
    pub phases: Option<u8>,
}

/// What a charging profile is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ProfilePurpose {
    /// `ChargePointMaxProfile`: the most the whole charger may ever draw.
    ChargePointMax,
    /// `TxDefaultProfile`: every session without a profile of its own.
    TxDefault,
    /// `TxProfile`: one running session.
    Tx,
}

/// What a schedule's times are counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ProfileKind {
    /// A named time.
    Absolute,
    /// The start of the session.
    Relative,
    /// Midnight, every day.
    Daily,
    /// Monday, every week.
    Weekly,
}

/// Unit of limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum RateUnit {
    /// Ampere per phase.
    A,
    /// Watt of all phases.
    W,
}

/// Which log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LogKind {
    /// For finding faults.
    Diagnostics,
    /// Security events.
    Security,
}

/// What a trusted certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CertificateUse {
    /// Knowing the central system.
    CentralSystemRoot,
    /// Knowing who signed firmware.
    ManufacturerRoot,
}

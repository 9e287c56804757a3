//! What people and the control loop can ask of a charger, in words that name no version of OCPP.

use domain::{CardUid, ConnectorNumber, SessionId, TenantId, Timestamp};

/// Something a charger shall do. Each ends in exactly one [`crate::Output::CommandDone`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Begin a session for a card.
    RemoteStart {
        /// Where; `None` lets the charger choose.
        connector: Option<ConnectorNumber>,
        /// Who pays.
        card: CardUid,
    },
    /// End a session.
    RemoteStop {
        /// Which.
        session: SessionId,
    },
    /// Restart the charger.
    Reset(ResetKind),
    /// Release the cable.
    Unlock {
        /// Where.
        connector: ConnectorNumber,
    },
    /// Take a connector in or out of service.
    ChangeAvailability {
        /// Which; `None` is the whole charger.
        connector: Option<ConnectorNumber>,
        /// Whether it shall be in service.
        operative: bool,
    },
    /// Read configuration keys.
    GetConfiguration {
        /// Which; empty asks for all, which some chargers cannot answer.
        keys: Vec<String>,
    },
    /// Write one configuration key.
    ChangeConfiguration {
        /// Key.
        key: String,
        /// Value.
        value: String,
    },
    /// Forget the cards it remembers.
    ClearCache,
    /// Send a message now.
    TriggerMessage {
        /// Which message.
        message: Trigger,
        /// About which connector.
        connector: Option<ConnectorNumber>,
    },
    /// Send a message now, by the request of the security extension.
    ExtendedTrigger {
        /// Which message.
        message: Trigger,
        /// About which connector.
        connector: Option<ConnectorNumber>,
    },
    /// Vendor-specific.
    DataTransfer {
        /// Vendor.
        vendor: String,
        /// Message.
        message: Option<String>,
        /// Payload as text.
        data: Option<String>,
    },
    /// Keep a connector for a card.
    Reserve {
        /// Number of the reservation.
        reservation: i32,
        /// Which connector; `None` lets the charger choose.
        connector: Option<ConnectorNumber>,
        /// For whom.
        card: CardUid,
        /// Until when.
        until: Timestamp,
    },
    /// Give a reserved connector free.
    CancelReservation {
        /// Number of the reservation.
        reservation: i32,
    },
    /// Install a charging profile made by a person. Limits of the control loop come by [`crate::Input::SetLimit`].
    SetProfile {
        /// Which connector; `None` is the whole charger.
        connector: Option<ConnectorNumber>,
        /// The profile.
        profile: Box<ProfileOrder>,
    },
    /// Remove charging profiles; fields that are `None` match every profile.
    ClearProfiles {
        /// Number of one profile.
        profile: Option<i32>,
        /// On which connector, 0 for the whole charger.
        connector: Option<ConnectorNumber>,
        /// For what.
        purpose: Option<ProfilePurpose>,
        /// On which level.
        stack_level: Option<u16>,
    },
    /// Tell which limits follow from all profiles together.
    GetCompositeSchedule {
        /// Which connector; `None` is the whole charger.
        connector: Option<ConnectorNumber>,
        /// For how many seconds from now.
        duration_s: u32,
        /// In which unit; `None` lets the charger choose.
        unit: Option<RateUnit>,
    },
    /// Upload diagnostics.
    GetDiagnostics(Upload),
    /// Upload a log, by the request of the security extension.
    GetLog {
        /// Which log.
        kind: LogKind,
        /// Number of the request, which the charger's reports repeat.
        request: i32,
        /// Where to and what.
        upload: Upload,
    },
    /// Fetch and install firmware.
    UpdateFirmware(Download),
    /// Fetch, verify and install signed firmware.
    UpdateSignedFirmware {
        /// Number of the request, which the charger's reports repeat.
        request: i32,
        /// Where from and when.
        download: Download,
        /// When to install; `None` is at once.
        install_at: Option<Timestamp>,
        /// Certificate of the signer, PEM.
        certificate: String,
        /// Signature, Base64.
        signature: String,
    },
    /// Tell the version of the list of cards.
    GetLocalListVersion,
    /// Take a list of cards, or changes of it.
    SendLocalList {
        /// Version after this update.
        version: i32,
        /// Whole or changes.
        update: ListUpdate,
        /// The cards.
        entries: Vec<ListEntry>,
    },
    /// Send the list of enrolled cards anew, whatever the charger says it has; ends when the list is verified.
    PushCards,
    /// Trust a certificate authority.
    InstallCertificate {
        /// For what.
        kind: CertificateKind,
        /// The certificate, PEM.
        pem: String,
    },
    /// Trust a certificate no longer.
    DeleteCertificate(CertificateHash),
    /// Tell which certificates are trusted.
    ListCertificates(CertificateKind),
    /// Use a new certificate of its own.
    CertificateSigned {
        /// The certificate and those above it, PEM.
        chain: String,
    },
}

impl Command {
    /// Its name for programs, such as `change_availability`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::RemoteStart { .. } => "start",
            Self::RemoteStop { .. } => "stop",
            Self::Reset(_) => "reset",
            Self::Unlock { .. } => "unlock",
            Self::ChangeAvailability { .. } => "change_availability",
            Self::GetConfiguration { .. } => "get_configuration",
            Self::ChangeConfiguration { .. } => "change_configuration",
            Self::ClearCache => "clear_cache",
            Self::TriggerMessage { .. } => "trigger_message",
            Self::ExtendedTrigger { .. } => "extended_trigger_message",
            Self::DataTransfer { .. } => "data_transfer",
            Self::Reserve { .. } => "reserve_now",
            Self::CancelReservation { .. } => "cancel_reservation",
            Self::SetProfile { .. } => "set_charging_profile",
            Self::ClearProfiles { .. } => "clear_charging_profile",
            Self::GetCompositeSchedule { .. } => "get_composite_schedule",
            Self::GetDiagnostics(_) => "get_diagnostics",
            Self::GetLog { .. } => "get_log",
            Self::UpdateFirmware(_) => "update_firmware",
            Self::UpdateSignedFirmware { .. } => "signed_update_firmware",
            Self::GetLocalListVersion => "get_local_list_version",
            Self::SendLocalList { .. } | Self::PushCards => "send_local_list",
            Self::InstallCertificate { .. } => "install_certificate",
            Self::DeleteCertificate(_) => "delete_certificate",
            Self::ListCertificates(_) => "get_installed_certificate_ids",
            Self::CertificateSigned { .. } => "certificate_signed",
        }
    }
}

/// How to restart a charger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetKind {
    /// Sessions end in order first.
    Soft,
    /// At once.
    Hard,
}

/// What a charger can be asked to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// `BootNotification`
    BootNotification,
    /// `DiagnosticsStatusNotification`; the security extension calls it `LogStatusNotification`.
    DiagnosticsStatusNotification,
    /// `FirmwareStatusNotification`
    FirmwareStatusNotification,
    /// `Heartbeat`
    Heartbeat,
    /// `MeterValues`
    MeterValues,
    /// `StatusNotification`
    StatusNotification,
    /// `SignCertificate`, of the security extension only.
    SignCertificate,
}

/// A charging profile as a person orders it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileOrder {
    /// Its number; the control loop's own profiles have 10 to 99.
    pub id: i32,
    /// Higher levels win.
    pub stack_level: u16,
    /// What it is for.
    pub purpose: ProfilePurpose,
    /// What its times are counted from.
    pub kind: ProfileKind,
    /// The session of a [`ProfilePurpose::Session`] profile.
    pub session: Option<SessionId>,
    /// In force from.
    pub valid_from: Option<Timestamp>,
    /// In force until.
    pub valid_to: Option<Timestamp>,
    /// Start of the schedule, for [`ProfileKind::Absolute`] and recurring ones.
    pub start: Option<Timestamp>,
    /// Length of the schedule in s; `None` has no end.
    pub duration_s: Option<u32>,
    /// Unit of every limit.
    pub unit: RateUnit,
    /// Least rate worth charging with, in tenths of the unit.
    pub min_rate_tenths: Option<u32>,
    /// The limits, first one at 0 s.
    pub periods: Vec<ProfilePeriod>,
}

/// One stretch of a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProfilePeriod {
    /// Seconds after the start.
    pub from_s: u32,
    /// Limit in tenths of the unit.
    pub limit_tenths: u32,
    /// Phases to use, 1 to 3; `None` leaves that to the charger.
    pub phases: Option<u8>,
}

/// What a charging profile is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProfilePurpose {
    /// The most the whole charger may ever draw.
    Charger,
    /// Every session without a profile of its own.
    Default,
    /// The running session.
    Session,
}

/// What a schedule's times are counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateUnit {
    /// Current per phase.
    Amps,
    /// Power of all phases.
    Watts,
}

/// A file the charger sends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Upload {
    /// Address to send it to.
    pub location: String,
    /// How often to try.
    pub retries: Option<u32>,
    /// Seconds between tries.
    pub retry_interval_s: Option<u32>,
    /// Only what happened from then on.
    pub from: Option<Timestamp>,
    /// Only what happened until then.
    pub to: Option<Timestamp>,
}

/// Which log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogKind {
    /// For finding faults.
    Diagnostics,
    /// Security events.
    Security,
}

/// A file the charger fetches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Download {
    /// Address to fetch it from.
    pub location: String,
    /// When.
    pub at: Timestamp,
    /// How often to try.
    pub retries: Option<u32>,
    /// Seconds between tries.
    pub retry_interval_s: Option<u32>,
}

/// How a list of cards is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListUpdate {
    /// It replaces the list.
    Full,
    /// It changes the list.
    Differential,
}

/// One card of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListEntry {
    /// The card as the charger's reader writes it.
    pub tag: String,
    /// Who pays; `None` takes the card out of the list.
    pub tenant: Option<TenantId>,
}

/// What a trusted certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateKind {
    /// Knowing the central system.
    CentralSystemRoot,
    /// Knowing who signed firmware.
    ManufacturerRoot,
}

/// Names one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateHash {
    /// How the hashes were made.
    pub algorithm: HashAlgorithm,
    /// Hash of the issuer's name, hex.
    pub issuer_name: String,
    /// Hash of the issuer's key, hex.
    pub issuer_key: String,
    /// Serial number, hex.
    pub serial: String,
}

/// How hashes are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashAlgorithm {
    /// SHA-256
    Sha256,
    /// SHA-384
    Sha384,
    /// SHA-512
    Sha512,
}

//! Operations of clients in the words of a station.

use super::super::Shared;
use super::super::problem::{Answer, Failure};
use super::chargers;
use crate::files::Reach;
use crate::time_text;
use api::{CertificateUse, LogKind, Operation, ProfileKind, ProfilePurpose, ProfileRequest, RateUnit};
use central_system::{
    CertificateHash, CertificateKind, Command, Download, HashAlgorithm, ProfileOrder, ProfilePeriod, Trigger, Upload,
};
use domain::{CardUid, ChargerId, ConnectorNumber, SecurityProfile, SessionId, Timestamp};
use std::net::SocketAddr;

/// Smaller profile numbers belong to the control loop: 10 for the fallback and 10 + n for connector n.
const PROFILE_ID_MIN: i32 = 100;

/// A day is as far as any charger computes a composite schedule.
const COMPOSITE_S_MAX: u32 = 7 * 86_400;

/// Connector 0 is the whole charger.
fn part(connector: u16) -> Option<ConnectorNumber> {
    (connector > 0).then_some(ConnectorNumber(connector))
}

fn time(field: &str, text: Option<&str>) -> Answer<Option<Timestamp>> {
    text.map(str::trim)
        .filter(|text| !text.is_empty())
        .map(|text| {
            time_text::parse(text)
                .ok_or_else(|| Failure::invalid(format!("{field} must be a time such as 2026-11-01T00:00:00Z")))
        })
        .transpose()
}

/// What a station shall do for an operation.
pub(super) async fn command_of(shared: &Shared, charger: &str, operation: Operation) -> Answer<Command> {
    Ok(match operation {
        Operation::GetConfiguration { keys } => Command::GetConfiguration { keys },
        Operation::ChangeConfiguration { key, value } => Command::ChangeConfiguration { key, value },
        Operation::ChangeAvailability { connector, operative } => {
            Command::ChangeAvailability { connector: part(connector), operative }
        }
        Operation::ClearCache => Command::ClearCache,
        Operation::TriggerMessage { message, connector } => {
            Command::TriggerMessage { message: trigger(&message, &PLAIN)?, connector: connector.and_then(part) }
        }
        Operation::ExtendedTriggerMessage { message, connector } => {
            Command::ExtendedTrigger { message: trigger(&message, &EXTENDED)?, connector: connector.and_then(part) }
        }
        Operation::DataTransfer { vendor_id, message_id, data } => {
            Command::DataTransfer { vendor: vendor_id, message: message_id, data }
        }
        Operation::ReserveNow { connector, card, until, reservation_id } => Command::Reserve {
            reservation: reservation_id.unwrap_or_else(|| shared.commands.request_number(shared.clock.now())),
            connector: part(connector),
            card: CardUid::new(&card).map_err(|error| Failure::invalid(error.to_string()))?,
            until: time("until", Some(&until))?
                .filter(|until| *until > shared.clock.now().wall)
                .ok_or_else(|| Failure::invalid("until must be a time that is still to come"))?,
        },
        Operation::CancelReservation { reservation_id } => Command::CancelReservation { reservation: reservation_id },
        Operation::SetChargingProfile { connector, profile } => Command::SetProfile {
            connector: part(connector),
            profile: Box::new(profile_order(shared, charger, connector, &profile)?),
        },
        Operation::ClearChargingProfile { profile_id, connector, purpose, stack_level } => Command::ClearProfiles {
            profile: profile_id,
            connector: connector.map(ConnectorNumber),
            purpose: purpose.map(purpose_of),
            stack_level,
        },
        Operation::GetCompositeSchedule { connector, duration_s, unit } => {
            if !(1..=COMPOSITE_S_MAX).contains(&duration_s) {
                return Err(Failure::invalid(format!("duration_s must be between 1 and {COMPOSITE_S_MAX}")));
            }
            Command::GetCompositeSchedule { connector: part(connector), duration_s, unit: unit.map(unit_of) }
        }
        Operation::GetLocalListVersion => Command::GetLocalListVersion,
        Operation::SendLocalList => Command::PushCards,
        files @ (Operation::GetDiagnostics { .. }
        | Operation::GetLog { .. }
        | Operation::UpdateFirmware { .. }
        | Operation::SignedUpdateFirmware { .. }) => file_command(shared, charger, files).await?,
        certificates @ (Operation::InstallCertificate { .. }
        | Operation::DeleteCertificate { .. }
        | Operation::GetInstalledCertificateIds { .. }
        | Operation::CertificateSigned { .. }) => certificate_command(certificates)?,
    })
}

async fn file_command(shared: &Shared, charger: &str, operation: Operation) -> Answer<Command> {
    Ok(match operation {
        Operation::GetDiagnostics { location, from, to, retries, retry_interval_s } => {
            let location = upload_location(shared, charger, location).await?;
            let (from, to) = (time("from", from.as_deref())?, time("to", to.as_deref())?);
            Command::GetDiagnostics(Upload { location, retries, retry_interval_s, from, to })
        }
        Operation::GetLog { log, location, from, to, retries, retry_interval_s } => {
            let location = upload_location(shared, charger, location).await?;
            let (from, to) = (time("from", from.as_deref())?, time("to", to.as_deref())?);
            Command::GetLog {
                kind: match log {
                    LogKind::Diagnostics => central_system::LogKind::Diagnostics,
                    LogKind::Security => central_system::LogKind::Security,
                },
                request: shared.commands.request_number(shared.clock.now()),
                upload: Upload { location, retries, retry_interval_s, from, to },
            }
        }
        Operation::UpdateFirmware { file, location, retrieve_at, retries, retry_interval_s } => {
            let location = download_location(shared, charger, file, location)?;
            let at = time("retrieve_at", retrieve_at.as_deref())?.unwrap_or_else(|| shared.clock.now().wall);
            Command::UpdateFirmware(Download { location, at, retries, retry_interval_s })
        }
        Operation::SignedUpdateFirmware {
            file,
            location,
            retrieve_at,
            install_at,
            signing_certificate,
            signature,
            retries,
            retry_interval_s,
        } => {
            let location = download_location(shared, charger, file, location)?;
            let at = time("retrieve_at", retrieve_at.as_deref())?.unwrap_or_else(|| shared.clock.now().wall);
            Command::UpdateSignedFirmware {
                request: shared.commands.request_number(shared.clock.now()),
                download: Download { location, at, retries, retry_interval_s },
                install_at: time("install_at", install_at.as_deref())?,
                certificate: pem("signing_certificate", signing_certificate)?,
                signature: signature.split_whitespace().collect(),
            }
        }
        _ => return Err(Failure::internal()),
    })
}

fn no_file_server() -> Failure {
    Failure::conflict("the file server for chargers is off; switch it on on the page Connect, or give a location")
}

/// How a charger reaches our file server.
fn charger_at(shared: &Shared, charger: &ChargerId) -> Reach {
    let address = shared.connections.get(charger.as_str()).and_then(|entry| entry.address.parse::<SocketAddr>().ok());
    let is_private = shared.access.of(charger).enforced >= SecurityProfile::TlsBasic;
    Reach { at: address.map(|address| address.ip()), is_private }
}

/// Where a charger shall send a file to.
async fn upload_location(shared: &Shared, charger: &str, location: Option<String>) -> Answer<String> {
    if let Some(location) = given(location) {
        return Ok(location);
    }
    let charger = ChargerId::new(charger)?;
    let place = shared.files.upload_url(&charger, charger_at(shared, &charger)).await;
    let place = place.map_err(|error| {
        tracing::error!(error = crate::error::chain(&error), "no place for a charger's file");
        Failure::storage()
    })?;
    place.ok_or_else(no_file_server)
}

/// Where a charger shall fetch a file from.
fn download_location(shared: &Shared, charger: &str, file: Option<String>, location: Option<String>) -> Answer<String> {
    match (given(file), given(location)) {
        (Some(file), _) => match shared.files.firmware_url(&file, charger_at(shared, &ChargerId::new(charger)?)) {
            Some(address) => Ok(address),
            None if shared.files.get(&file).is_none() => Err(Failure::not_found("such firmware file")),
            None => Err(no_file_server()),
        },
        (None, Some(location)) => Ok(location),
        (None, None) => Err(Failure::invalid("file or location must say where the charger fetches the firmware")),
    }
}

fn given(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn pem(field: &str, text: String) -> Answer<String> {
    if text.contains("-----BEGIN CERTIFICATE-----") {
        return Ok(text);
    }
    Err(Failure::invalid(format!("{field} must be a certificate in PEM, beginning with -----BEGIN CERTIFICATE-----")))
}

fn certificate_command(operation: Operation) -> Answer<Command> {
    let kind = |use_for| match use_for {
        CertificateUse::CentralSystemRoot => CertificateKind::CentralSystemRoot,
        CertificateUse::ManufacturerRoot => CertificateKind::ManufacturerRoot,
    };
    Ok(match operation {
        Operation::InstallCertificate { use_for, certificate } => {
            Command::InstallCertificate { kind: kind(use_for), pem: pem("certificate", certificate)? }
        }
        Operation::DeleteCertificate { hash_algorithm, issuer_name_hash, issuer_key_hash, serial_number } => {
            let algorithm = match hash_algorithm.to_ascii_uppercase().as_str() {
                "SHA256" => HashAlgorithm::Sha256,
                "SHA384" => HashAlgorithm::Sha384,
                "SHA512" => HashAlgorithm::Sha512,
                _other => return Err(Failure::invalid("hash_algorithm must be SHA256, SHA384 or SHA512")),
            };
            Command::DeleteCertificate(CertificateHash {
                algorithm,
                issuer_name: issuer_name_hash,
                issuer_key: issuer_key_hash,
                serial: serial_number,
            })
        }
        Operation::GetInstalledCertificateIds { use_for } => Command::ListCertificates(kind(use_for)),
        Operation::CertificateSigned { certificate_chain } => {
            Command::CertificateSigned { chain: pem("certificate_chain", certificate_chain)? }
        }
        _ => return Err(Failure::internal()),
    })
}

const PLAIN: [(&str, Trigger); 6] = [
    ("BootNotification", Trigger::BootNotification),
    ("DiagnosticsStatusNotification", Trigger::DiagnosticsStatusNotification),
    ("FirmwareStatusNotification", Trigger::FirmwareStatusNotification),
    ("Heartbeat", Trigger::Heartbeat),
    ("MeterValues", Trigger::MeterValues),
    ("StatusNotification", Trigger::StatusNotification),
];

const EXTENDED: [(&str, Trigger); 7] = [
    ("BootNotification", Trigger::BootNotification),
    ("FirmwareStatusNotification", Trigger::FirmwareStatusNotification),
    ("Heartbeat", Trigger::Heartbeat),
    ("LogStatusNotification", Trigger::DiagnosticsStatusNotification),
    ("MeterValues", Trigger::MeterValues),
    ("SignChargePointCertificate", Trigger::SignCertificate),
    ("StatusNotification", Trigger::StatusNotification),
];

fn trigger(message: &str, known: &[(&str, Trigger)]) -> Answer<Trigger> {
    known.iter().find(|(name, _)| *name == message).map(|(_, trigger)| *trigger).ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        Failure::invalid(format!("message must be one of {}", names.join(", ")))
    })
}

const fn purpose_of(purpose: ProfilePurpose) -> central_system::ProfilePurpose {
    match purpose {
        ProfilePurpose::ChargePointMax => central_system::ProfilePurpose::Charger,
        ProfilePurpose::TxDefault => central_system::ProfilePurpose::Default,
        ProfilePurpose::Tx => central_system::ProfilePurpose::Session,
    }
}

const fn unit_of(unit: RateUnit) -> central_system::RateUnit {
    match unit {
        RateUnit::A => central_system::RateUnit::Amps,
        RateUnit::W => central_system::RateUnit::Watts,
    }
}

/// A rate in tenths, rounded down: a limit is never rounded up.
fn tenths(field: &str, value: f64) -> Answer<u32> {
    if !(0.0..=1_000_000.0).contains(&value) {
        return Err(Failure::invalid(format!("{field} must be between 0 and 1000000")));
    }
    // Bounded above, so the text of the number always fits; 1e-6 forgives binary fractions such as 6.1.
    format!("{:.0}", (value * 10.0 + 1e-6).floor())
        .parse()
        .map_err(|_too_large| Failure::invalid(format!("{field} is too large")))
}

fn profile_order(shared: &Shared, charger: &str, connector: u16, profile: &ProfileRequest) -> Answer<ProfileOrder> {
    if profile.id < PROFILE_ID_MIN {
        return Err(Failure::invalid(format!(
            "id must be at least {PROFILE_ID_MIN}; smaller ones are the program's own"
        )));
    }
    if profile.periods.first().is_none_or(|period| period.from_s != 0)
        || !profile.periods.is_sorted_by(|a, b| a.from_s < b.from_s)
    {
        return Err(Failure::invalid("periods must begin at from_s 0 and rise"));
    }
    let session = match (profile.purpose, profile.session_id) {
        (ProfilePurpose::Tx, Some(id)) => Some(SessionId(id)),
        (ProfilePurpose::Tx, None) => {
            let state = chargers::find(shared, charger)?;
            let running =
                state.connectors.iter().find(|it| it.number.0 == connector).and_then(|it| it.session.as_ref());
            Some(
                running
                    .map(|session| session.id)
                    .ok_or_else(|| Failure::conflict("no session runs there; a tx profile needs one"))?,
            )
        }
        (ProfilePurpose::ChargePointMax | ProfilePurpose::TxDefault, _) => None,
    };
    if profile.purpose == ProfilePurpose::ChargePointMax && connector != 0 {
        return Err(Failure::invalid("a charge_point_max profile belongs to connector 0"));
    }
    let period = |period: &api::PeriodRequest| {
        Ok(ProfilePeriod {
            from_s: period.from_s,
            limit_tenths: tenths("limit", period.limit)?,
            phases: match period.phases {
                None | Some(1..=3) => period.phases,
                Some(_) => return Err(Failure::invalid("phases must be 1, 2 or 3")),
            },
        })
    };
    Ok(ProfileOrder {
        id: profile.id,
        stack_level: profile.stack_level,
        purpose: purpose_of(profile.purpose),
        kind: match profile.kind {
            ProfileKind::Absolute => central_system::ProfileKind::Absolute,
            ProfileKind::Relative => central_system::ProfileKind::Relative,
            ProfileKind::Daily => central_system::ProfileKind::Daily,
            ProfileKind::Weekly => central_system::ProfileKind::Weekly,
        },
        session,
        valid_from: time("valid_from", profile.valid_from.as_deref())?,
        valid_to: time("valid_to", profile.valid_to.as_deref())?,
        start: time("start", profile.start.as_deref())?,
        duration_s: profile.duration_s,
        unit: unit_of(profile.unit),
        min_rate_tenths: profile.min_rate.map(|rate| tenths("min_rate", rate)).transpose()?,
        periods: profile.periods.iter().map(period).collect::<Answer<Vec<_>>>()?,
    })
}

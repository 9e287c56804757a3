//! The building's certificate authority and where secrets are kept.

use super::super::Shared;
use super::super::paging::PageQuery;
use super::super::problem::{Answer, Body, Failure, Path, Query};
use crate::access::{Access, OpenFrom, PasswordError, Policy};
use crate::engine::ChargerCommand;
use crate::time_text;
use crate::tls::CertificateError;
use api::{
    CertificateItem, ChargerSecurityItem, ChargerSecurityPut, CommandAccepted, CommandOutcome, CommandState,
    NewChargerPassword, Page, SecurityPolicy, SecurityState, ShownPassword,
};
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use central_system::{CertificateKind, Command, Trigger};
use domain::{ChargerId, ChargerSecurity, IssuedCertificate, Protocol, SecurityProfile};
use tokio::sync::broadcast;
use zeroize::Zeroizing;

fn failure(error: &CertificateError) -> Failure {
    tracing::error!(error = crate::error::chain(error), "the certificates cannot be used");
    Failure::new(StatusCode::SERVICE_UNAVAILABLE, api::Code::Internal, crate::error::chain(error))
}

/// Where secrets are kept, and what the server's certificate covers
#[utoipa::path(get, path = "/security", tag = "security", responses((status = 200, body = SecurityState)))]
pub(crate) async fn security(State(shared): State<Shared>) -> Answer<Json<SecurityState>> {
    let place = shared.secrets.place().await.map_err(|error| failure(&CertificateError::Secrets(error)))?;
    let policy = shared.access.policy();
    let mut state = SecurityState {
        secrets: place.name().to_owned(),
        default_profile: policy.default_profile().number(),
        open_from: open_name(policy.open_from()).to_owned(),
        chargers: all_chargers(&shared).await?,
        ..SecurityState::default()
    };
    if shared.certificates.is_open() {
        let described = shared.certificates.describe().await.map_err(|error| failure(&error))?;
        state.server_names = described.server.names.into_iter().collect();
        state.server_expires_at = Some(time_text::text(described.server.expires_at));
        state.authority_sha256 = Some(described.authority_sha256);
    }
    Ok(Json(state))
}

/// Change what holds for chargers without settings of their own
#[utoipa::path(put, path = "/security", tag = "security", request_body = SecurityPolicy,
    responses((status = 200, body = SecurityState), (status = 422, body = api::Problem)))]
pub(crate) async fn security_put(
    State(shared): State<Shared>,
    Body(policy): Body<SecurityPolicy>,
) -> Answer<Json<SecurityState>> {
    let open_from = OPEN_NAMES
        .into_iter()
        .find(|(_, name)| *name == policy.open_from)
        .map(|(open_from, _)| open_from)
        .ok_or_else(|| Failure::invalid("open_from must be local_network, anywhere or nowhere"))?;
    let policy = Policy::new(profile(policy.default_profile)?, open_from);
    shared.access.set_policy(policy).await.map_err(|error| shared.store_failure(&error))?;
    security(State(shared)).await
}

const OPEN_NAMES: [(OpenFrom, &str); 3] =
    [(OpenFrom::LocalNetwork, "local_network"), (OpenFrom::Anywhere, "anywhere"), (OpenFrom::Nowhere, "nowhere")];

fn open_name(open_from: OpenFrom) -> &'static str {
    OPEN_NAMES.into_iter().find(|(known, _)| *known == open_from).map_or("local_network", |(_, name)| name)
}

fn profile(number: u8) -> Answer<SecurityProfile> {
    SecurityProfile::from_number(number).ok_or_else(|| Failure::invalid("a security profile is 0, 1, 2 or 3"))
}

fn certificate_item(certificate: IssuedCertificate) -> CertificateItem {
    CertificateItem {
        serial: certificate.serial,
        charger: certificate.charger.to_string(),
        issued_at: time_text::text(certificate.issued_at),
        expires_at: time_text::text(certificate.expires_at),
        revoked_at: certificate.revoked_at.map(time_text::text),
        pem: certificate.pem,
    }
}

/// How a charger proves who it is
#[utoipa::path(get, path = "/chargers/{id}/security", tag = "security", params(("id" = String, Path)),
    responses((status = 200, body = ChargerSecurityItem), (status = 404, body = api::Problem)))]
pub(crate) async fn charger_security(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Answer<Json<ChargerSecurityItem>> {
    let charger = ocpp_charger(&shared, &id)?;
    shared.certificates.load().await.map_err(|error| failure(&error))?;
    Ok(Json(security_of(&shared, &charger)))
}

async fn all_chargers(shared: &Shared) -> Answer<Vec<ChargerSecurityItem>> {
    shared.certificates.load().await.map_err(|error| failure(&error))?;
    let live = shared.live();
    let chargers = live.state.chargers.iter().map(|state| &state.charger);
    let chargers = chargers.filter(|charger| charger.approved && charger.protocol == Protocol::Ocpp16);
    Ok(chargers.map(|charger| security_of(shared, &charger.id)).collect())
}

fn security_of(shared: &Shared, charger: &ChargerId) -> ChargerSecurityItem {
    let security = shared.access.of(charger);
    let mut certificates = shared.certificates.chargers().list();
    certificates.retain(|certificate| certificate.charger == *charger);
    certificates.sort_by_key(|certificate| std::cmp::Reverse(certificate.issued_at));
    ChargerSecurityItem {
        charger: charger.to_string(),
        target: security.target.map(SecurityProfile::number),
        wanted: shared.access.wanted(charger).number(),
        enforced: security.enforced.number(),
        has_password: shared.access.passwords().is_set(charger),
        certificates: certificates.into_iter().map(certificate_item).collect(),
    }
}

/// Say which profile a charger shall reach, and which it must bring from now on
#[utoipa::path(put, path = "/chargers/{id}/security", tag = "security", params(("id" = String, Path)),
    request_body = ChargerSecurityPut,
    responses((status = 200, body = ChargerSecurityItem), (status = 404, body = api::Problem), (status = 422, body = api::Problem)))]
pub(crate) async fn charger_security_put(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    Body(put): Body<ChargerSecurityPut>,
) -> Answer<Json<ChargerSecurityItem>> {
    let charger = ocpp_charger(&shared, &id)?;
    let target = put.target.map(profile).transpose()?;
    let wanted = target.unwrap_or_else(|| shared.access.policy().default_profile());
    let enforced = match put.enforced {
        Some(number) => profile(number)?,
        None => shared.access.of(&charger).enforced.min(wanted),
    };
    let security = ChargerSecurity { charger, target, enforced };
    shared.access.set(security).await.map_err(|error| shared.store_failure(&error))?;
    charger_security(State(shared), Path(id)).await
}

/// Give a charger a password; it is shown once, and counts from the first time the charger uses it
#[utoipa::path(post, path = "/chargers/{id}/security/password", tag = "security", params(("id" = String, Path)),
    request_body = NewChargerPassword,
    responses((status = 200, body = ShownPassword), (status = 404, body = api::Problem), (status = 422, body = api::Problem)))]
pub(crate) async fn charger_password(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    Body(wanted): Body<NewChargerPassword>,
) -> Answer<Json<ShownPassword>> {
    let charger = ocpp_charger(&shared, &id)?;
    let refused = |error: PasswordError| match error {
        PasswordError::Shape => Failure::invalid(error.to_string()),
        PasswordError::Store(error) => shared.store_failure(&error),
        PasswordError::Hash(_) | PasswordError::Random => Failure::internal(),
    };
    let password = match wanted.password {
        Some(password) => {
            shared.access.passwords().choose(&charger, &password).await.map_err(refused)?;
            Zeroizing::new(password)
        }
        None => shared.access.passwords().generate(&charger).await.map_err(refused)?.0,
    };
    let mut command_id = None;
    if wanted.send {
        let key = "AuthorizationKey".to_owned();
        let command = Command::ChangeConfiguration { key, value: password.to_string() };
        // Before the command, so that its outcome cannot be missed.
        let outcomes = shared.outcomes.subscribe();
        let sent = shared.command(charger.clone(), ChargerCommand::Ocpp(command)).await;
        let id = match sent {
            Ok(id) => id,
            Err(failure) => {
                shared.access.passwords().take_back(&charger).await.map_err(|error| shared.store_failure(&error))?;
                return Err(failure);
            }
        };
        tokio::spawn(take_back_when_refused(shared.access.clone(), charger, id, outcomes));
        command_id = Some(id);
    }
    Ok(Json(ShownPassword { user: id, password: password.to_string(), command_id }))
}

/// Let a charger ask for a certificate of this building; the outcome follows on `commands/{id}`
#[utoipa::path(post, path = "/chargers/{id}/security/certificate", tag = "security", params(("id" = String, Path)),
    responses((status = 202, body = CommandAccepted), (status = 404, body = api::Problem), (status = 409, body = api::Problem)))]
pub(crate) async fn charger_certificate(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Answer<(StatusCode, Json<CommandAccepted>)> {
    let charger = ocpp_charger(&shared, &id)?;
    shared.access.invite(&charger);
    let command = Command::ExtendedTrigger { message: Trigger::SignCertificate, connector: None };
    let command_id = shared.command(charger, ChargerCommand::Ocpp(command)).await?;
    Ok((StatusCode::ACCEPTED, Json(CommandAccepted { command_id })))
}

/// Send a charger the authority's certificate, so that it trusts this computer; the outcome follows on `commands/{id}`
#[utoipa::path(post, path = "/chargers/{id}/security/trust", tag = "security", params(("id" = String, Path)),
    responses((status = 202, body = CommandAccepted), (status = 404, body = api::Problem), (status = 409, body = api::Problem)))]
pub(crate) async fn charger_trust(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Answer<(StatusCode, Json<CommandAccepted>)> {
    let charger = ocpp_charger(&shared, &id)?;
    let pem = shared.certificates.authority_pem().await.map_err(|error| failure(&error))?;
    let command = Command::InstallCertificate { kind: CertificateKind::CentralSystemRoot, pem };
    let command_id = shared.command(charger, ChargerCommand::Ocpp(command)).await?;
    Ok((StatusCode::ACCEPTED, Json(CommandAccepted { command_id })))
}

/// A charger that refuses its new password goes on with the one before.
async fn take_back_when_refused(
    access: Access,
    charger: ChargerId,
    command: u64,
    mut outcomes: broadcast::Receiver<CommandState>,
) {
    loop {
        match outcomes.recv().await {
            Ok(state) if state.id == command => {
                if state.outcome == CommandOutcome::Rejected
                    && let Err(error) = access.passwords().take_back(&charger).await
                {
                    tracing::error!(%charger, error = crate::error::chain(&error), "a refused password could not be removed");
                }
                return;
            }
            Ok(_other) => {}
            Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

fn ocpp_charger(shared: &Shared, id: &str) -> Answer<ChargerId> {
    let charger = super::chargers::find(shared, id)?.charger;
    match charger.protocol {
        Protocol::Ocpp16 => Ok(charger.id),
        Protocol::Ievcc => Err(Failure::new(
            StatusCode::CONFLICT,
            api::Code::Unsupported,
            "Security profiles are for chargers that speak OCPP; this one has a user name and a password",
        )),
        Protocol::Metered => Err(Failure::new(
            StatusCode::CONFLICT,
            api::Code::Unsupported,
            "Security profiles are for chargers that speak OCPP; this one only has a meter",
        )),
    }
}

/// The authority's certificate, to install in chargers, meters and browsers; made when there is none
#[utoipa::path(get, path = "/certificates/authority", tag = "security",
    responses((status = 200, body = String, content_type = "application/x-pem-file")))]
pub(crate) async fn authority(State(shared): State<Shared>) -> Answer<Response> {
    let pem = shared.certificates.authority_pem().await.map_err(|error| failure(&error))?;
    let headers = [
        (header::CONTENT_TYPE, "application/x-pem-file"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"meshwatt-authority.pem\""),
    ];
    Ok((headers, pem).into_response())
}

/// Certificates made for chargers
#[utoipa::path(get, path = "/certificates", tag = "security", params(PageQuery),
    responses((status = 200, body = Page<CertificateItem>)))]
pub(crate) async fn certificate_list(
    State(shared): State<Shared>,
    Query(query): Query<PageQuery>,
) -> Answer<Json<Page<CertificateItem>>> {
    shared.certificates.load().await.map_err(|error| failure(&error))?;
    let items = shared.certificates.chargers().list().into_iter().map(certificate_item).collect();
    query.page(items, |item: &CertificateItem| item.serial.clone()).map(Json)
}

/// Revoke a charger's certificate: no handshake accepts it from now on
#[utoipa::path(post, path = "/certificates/{serial}/revoke", tag = "security", params(("serial" = String, Path)),
    responses((status = 204), (status = 404, body = api::Problem)))]
pub(crate) async fn certificate_revoke(State(shared): State<Shared>, Path(serial): Path<String>) -> Answer<StatusCode> {
    if shared.certificates.revoke(&serial).await.map_err(|error| failure(&error))? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Failure::not_found("such certificate"))
    }
}

//! The building's certificate authority and where secrets are kept.

use super::super::Shared;
use super::super::paging::PageQuery;
use super::super::problem::{Answer, Failure, Path, Query};
use crate::time_text;
use crate::tls::CertificateError;
use api::{CertificateItem, Page, SecurityState};
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};

fn failure(error: &CertificateError) -> Failure {
    tracing::error!(error = crate::error::chain(error), "the certificates cannot be used");
    Failure::new(StatusCode::SERVICE_UNAVAILABLE, api::Code::Internal, crate::error::chain(error))
}

/// Where secrets are kept, and what the server's certificate covers
#[utoipa::path(get, path = "/security", tag = "security", responses((status = 200, body = SecurityState)))]
pub(crate) async fn security(State(shared): State<Shared>) -> Answer<Json<SecurityState>> {
    let place = shared.secrets.place().await.map_err(|error| failure(&CertificateError::Secrets(error)))?;
    let mut state = SecurityState { secrets: place.name().to_owned(), ..SecurityState::default() };
    if shared.certificates.is_open() {
        let described = shared.certificates.describe().await.map_err(|error| failure(&error))?;
        state.server_names = described.server.names.into_iter().collect();
        state.server_expires_at = Some(time_text::text(described.server.expires_at));
        state.authority_sha256 = Some(described.authority_sha256);
    }
    Ok(Json(state))
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
    let items = shared
        .certificates
        .chargers()
        .list()
        .into_iter()
        .map(|certificate| CertificateItem {
            serial: certificate.serial,
            charger: certificate.charger.to_string(),
            issued_at: time_text::text(certificate.issued_at),
            expires_at: time_text::text(certificate.expires_at),
            revoked_at: certificate.revoked_at.map(time_text::text),
            pem: certificate.pem,
        })
        .collect();
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

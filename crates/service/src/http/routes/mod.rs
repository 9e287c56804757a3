//! Every resource, one file per kind, and the description made from them.

mod account;
mod backups;
mod charger_detail;
mod chargers;
mod commands;
mod corrections;
mod demo;
mod devices;
mod files;
mod fog;
mod foreign;
mod imports;
mod insight;
mod meters;
mod operations;
mod people;
mod records;
mod security;
mod site;
mod statements;
mod sync;
mod system;
mod tariffs;
mod values;

use super::Shared;
use super::auth::Upgrade;
use super::problem::Failure;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use self::account::enter;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Meshwatt",
        description = "Everything under /api/v1. Times are RFC 3339 UTC, units are in the names. People sign in and get a cookie; \
            programs on the same machine send Authorization: Bearer with the token in DIR/api.token. Errors are \
            application/problem+json with a stable code. Lists take limit and cursor; from is inclusive, to is exclusive.",
        license(name = "Apache-2.0 OR MIT")
    ),
    components(schemas(api::Problem, api::LiveMessage)),
    security(("token" = []), ("cookie" = []))
)]
struct Description;

/// The API's router without its state, and its description.
pub(crate) fn router(shared: &Shared) -> (Router<Shared>, OpenApi) {
    let (router, document) =
        open_routes().merge(closed_routes().layer(from_fn_with_state(shared.clone(), require_proof))).split_for_parts();
    let router = router
        .fallback(|| async {
            Failure::new(
                StatusCode::NOT_FOUND,
                api::Code::NotFound,
                "There is no such resource; the description is at /api/v1/openapi.json",
            )
        })
        .method_not_allowed_fallback(|| async {
            Failure::new(
                StatusCode::METHOD_NOT_ALLOWED,
                api::Code::Invalid,
                "The resource has no such method; the description is at /api/v1/openapi.json",
            )
        });
    (router, document)
}

/// The description of `/api/v1`, made from the routes themselves.
#[must_use]
pub fn openapi_document() -> OpenApi {
    let (_, mut document) = open_routes().merge(closed_routes()).split_for_parts();
    document.servers = Some(vec![utoipa::openapi::Server::new("/api/v1")]);
    let components = document.components.get_or_insert_default();
    components
        .add_security_scheme("token", SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build()));
    components
        .add_security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("meshwatt_session"))));
    document
}

/// What answers without a proof.
fn open_routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(system::health))
        .routes(routes!(system::openapi))
        .routes(routes!(account::session))
        .routes(routes!(account::login))
        .routes(routes!(account::login_ticket))
        .routes(routes!(account::logout))
        .routes(routes!(account::setup))
}

/// What demands one.
#[expect(clippy::too_many_lines, reason = "the list of all routes")]
fn closed_routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(system::metrics))
        .routes(routes!(system::live))
        .routes(routes!(system::snapshot))
        .routes(routes!(system::connections))
        .routes(routes!(system::listeners_get, system::listeners_put))
        .routes(routes!(statements::month_list))
        .routes(routes!(statements::statement_get))
        .routes(routes!(statements::month_close))
        .routes(routes!(statements::decision_set))
        .routes(routes!(statements::export_begin))
        .routes(routes!(statements::send_begin))
        .routes(routes!(statements::delivery_list))
        .routes(routes!(statements::job_get, statements::job_cancel))
        .routes(routes!(statements::job_file))
        .routes(routes!(statements::chain_check))
        .routes(routes!(tariffs::tariff_get, tariffs::tariff_put))
        .routes(routes!(tariffs::tariff_check))
        .routes(routes!(backups::backup_list, backups::backup_make, backups::backup_settings))
        .routes(routes!(backups::backup_look))
        .routes(routes!(backups::backup_bring))
        .routes(routes!(backups::export_write))
        .routes(routes!(backups::retention_get, backups::retention_put))
        .routes(routes!(sync::sync_list))
        .routes(routes!(sync::cloud_get, sync::cloud_put, sync::cloud_remove))
        .routes(routes!(sync::cloud_test))
        .routes(routes!(sync::cloud_pause))
        .routes(routes!(sync::cloud_take_over))
        .routes(routes!(fog::mqtt_get, fog::mqtt_put))
        .routes(routes!(fog::mqtt_test))
        .routes(routes!(fog::kafka_get, fog::kafka_put))
        .routes(routes!(fog::kafka_test))
        .routes(routes!(fog::sink_remove))
        .routes(routes!(fog::sink_pause))
        .routes(routes!(tariffs::letterhead_get, tariffs::letterhead_put))
        .routes(routes!(tariffs::mail_get, tariffs::mail_put))
        .routes(routes!(site::site_get, site::site_put))
        .routes(routes!(site::circuits_get, site::circuits_put))
        .routes(routes!(site::fallbacks))
        .routes(routes!(site::outlook))
        .routes(routes!(meters::meter_list))
        .routes(routes!(meters::meter_get, meters::meter_patch, meters::meter_delete))
        .routes(routes!(meters::meter_approve))
        .routes(routes!(foreign::foreign_list))
        .routes(routes!(foreign::foreign_presets))
        .routes(routes!(foreign::foreign_preview))
        .routes(routes!(foreign::foreign_put, foreign::foreign_delete))
        .routes(routes!(chargers::charger_list))
        .routes(routes!(chargers::charger_get, chargers::charger_patch, chargers::charger_delete))
        .routes(routes!(chargers::charger_approve))
        .routes(routes!(chargers::charger_order))
        .routes(routes!(chargers::charger_pause))
        .routes(routes!(chargers::charger_resume))
        .routes(routes!(chargers::charger_limit))
        .routes(routes!(charger_detail::charger_frames))
        .routes(routes!(charger_detail::charger_detail))
        .routes(routes!(charger_detail::charger_settings))
        .routes(routes!(values::charger_values))
        .routes(routes!(charger_detail::charger_timeline))
        .routes(routes!(chargers::charger_decisions))
        .routes(routes!(commands::start))
        .routes(routes!(commands::stop))
        .routes(routes!(commands::reset))
        .routes(routes!(commands::unlock))
        .routes(routes!(commands::operate))
        .routes(routes!(commands::command_get))
        .routes(routes!(people::tenant_list, people::tenant_add))
        .routes(routes!(people::tenant_get, people::tenant_patch, people::tenant_delete))
        .routes(routes!(people::tenant_card_add))
        .routes(routes!(people::card_list))
        .routes(routes!(people::card_patch, people::card_delete))
        .routes(routes!(people::refused_card_list))
        .routes(routes!(people::enrolment_get, people::enrolment_begin, people::enrolment_end))
        .routes(routes!(people::enrolment_assign))
        .routes(routes!(people::enrolment_card))
        .routes(routes!(people::enrolment_reader))
        .routes(routes!(records::session_list))
        .routes(routes!(records::session_get, corrections::session_patch))
        .routes(routes!(corrections::session_changes))
        .routes(routes!(corrections::orphan_list))
        .routes(routes!(corrections::orphan_decide))
        .routes(routes!(corrections::tenant_export))
        .routes(routes!(insight::usage))
        .routes(routes!(imports::tenant_import))
        .routes(routes!(records::session_curve))
        .routes(routes!(records::wish_put, records::wish_delete))
        .routes(routes!(records::readings))
        .routes(routes!(records::reading_series))
        .routes(routes!(records::alarm_list))
        .routes(routes!(records::decision_list))
        .routes(routes!(security::security, security::security_put))
        .routes(routes!(security::charger_security, security::charger_security_put))
        .routes(routes!(security::charger_password))
        .routes(routes!(security::charger_certificate))
        .routes(routes!(security::charger_trust))
        .routes(routes!(security::authority))
        .routes(routes!(security::certificate_list))
        .routes(routes!(security::certificate_revoke))
        .routes(routes!(devices::device_add))
        .routes(routes!(files::file_list, files::file_add))
        .routes(routes!(files::file_content))
        .routes(routes!(files::file_remove))
        .routes(routes!(demo::demo_get, demo::demo_post))
        .routes(routes!(demo::demo_command))
}

async fn require_proof(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let upgrade = if request.headers().contains_key(header::UPGRADE) { Upgrade::WebSocket } else { Upgrade::No };
    match shared.auth.require(request.method(), request.headers(), upgrade) {
        Ok(_proof) => next.run(request).await,
        Err(failure) => failure.into_response(),
    }
}

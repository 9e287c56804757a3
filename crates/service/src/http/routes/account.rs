//! Signing in and out, and the first-run questions.

use super::super::Shared;
use super::super::auth::{self, MANAGER_SECRET};
use super::super::problem::{Answer, Body, Failure, Query};
use crate::beginning::default_circuits;
use crate::convert::milli_amps;
use api::{Code, Login, SessionInfo, Setup};
use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse as _, Redirect, Response};
use control::{Order, StorageState};
use domain::{Site, VoltAmps};
use serde::Deserialize;
use std::net::SocketAddr;

/// Shortest password of a manager, in characters.
const PASSWORD_CHARS_MIN: usize = 8;

/// Longest; hashing a novel takes time.
const PASSWORD_CHARS_MAX: usize = 256;

/// A one-time ticket of the desktop shell.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
pub(crate) struct Ticket {
    /// The ticket.
    ticket: String,
}

fn signed_in(shared: &Shared, cookie: &str) -> Response {
    let cookie = AppendHeaders([(header::SET_COOKIE, auth::set_cookie(cookie))]);
    (cookie, Json(SessionInfo { signed_in: true, setup_needed: false, demo: shared.demo.is_some() })).into_response()
}

/// Whether someone is signed in
#[utoipa::path(get, path = "/session", tag = "account", security(()), responses((status = 200, body = SessionInfo)))]
pub(crate) async fn session(State(shared): State<Shared>, headers: HeaderMap) -> Json<SessionInfo> {
    Json(SessionInfo {
        signed_in: shared.auth.proof(&headers).is_some(),
        setup_needed: shared.auth.setup_needed(),
        demo: shared.demo.is_some(),
    })
}

/// Sign in with the manager's password
#[utoipa::path(post, path = "/login", tag = "account", security(()), request_body = Login,
    responses((status = 200, body = SessionInfo), (status = 401, body = api::Problem), (status = 429, body = api::Problem)))]
pub(crate) async fn login(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Body(login): Body<Login>,
) -> Answer<Response> {
    if login.password.chars().count() > PASSWORD_CHARS_MAX {
        return Err(Failure::invalid(format!("A password has at most {PASSWORD_CHARS_MAX} characters")));
    }
    let cookie = shared.auth.sign_in(peer.ip(), &login.password).await?;
    Ok(signed_in(&shared, &cookie))
}

/// Sign in with a one-time ticket of the desktop shell
#[utoipa::path(post, path = "/login/ticket", tag = "account", security(()), request_body = Ticket,
    responses((status = 200, body = SessionInfo), (status = 401, body = api::Problem)))]
pub(crate) async fn login_ticket(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Body(ticket): Body<Ticket>,
) -> Answer<Response> {
    let cookie = shared.auth.redeem(peer.ip(), &ticket.ticket)?;
    Ok(signed_in(&shared, &cookie))
}

/// Opens the console signed in: what the desktop shell and the demo's printed address lead to.
pub(crate) async fn enter(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Query(ticket): Query<Ticket>,
) -> Response {
    match shared.auth.redeem(peer.ip(), &ticket.ticket) {
        Ok(cookie) => {
            (AppendHeaders([(header::SET_COOKIE, auth::set_cookie(&cookie))]), Redirect::to("/")).into_response()
        }
        // The console asks for the password then.
        Err(_spent) => Redirect::to("/").into_response(),
    }
}

/// Sign out
#[utoipa::path(post, path = "/logout", tag = "account", security(()), responses((status = 204)))]
pub(crate) async fn logout(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    shared.auth.sign_out(&headers);
    (StatusCode::NO_CONTENT, AppendHeaders([(header::SET_COOKIE, auth::clear_cookie())])).into_response()
}

/// Answer the first-run questions
#[utoipa::path(post, path = "/setup", tag = "account", security(()), request_body = Setup,
    responses((status = 200, body = SessionInfo), (status = 409, body = api::Problem), (status = 422, body = api::Problem)))]
pub(crate) async fn setup(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Body(setup): Body<Setup>,
) -> Answer<Response> {
    if !shared.auth.setup_needed() {
        return Err(Failure::new(StatusCode::CONFLICT, Code::SetupDone, "The set-up was done before; sign in instead"));
    }
    if !peer.ip().is_loopback() && shared.auth.proof(&headers).is_none() {
        return Err(Failure::new(
            StatusCode::FORBIDDEN,
            Code::Unauthenticated,
            "Answer the first-run questions on the computer Meshwatt runs on",
        ));
    }
    let length = setup.password.chars().count();
    if !(PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&length) {
        return Err(Failure::invalid(format!("password must have at least {PASSWORD_CHARS_MIN} characters")));
    }
    let live = shared.live();
    if live.storage == StorageState::Failing {
        return Err(Failure::storage());
    }
    let site = site_of(&setup, &live.state.site)?;
    let circuits = (live.state.circuits.len() <= 1).then(|| default_circuits(&site, setup.language));
    shared.order_kept(Order::SetSite(site)).await?;
    if let Some(circuits) = circuits {
        shared.order_kept(Order::SetCircuits(circuits)).await?;
    }
    let hash = shared.auth.hash(&setup.password).await?;
    shared.writer.secret_set(MANAGER_SECRET, &hash).await.map_err(|error| shared.store_failure(&error))?;
    shared.auth.set_password_hash(hash);
    let cookie = shared.auth.sign_in(peer.ip(), &setup.password).await?;
    Ok(signed_in(&shared, &cookie))
}

/// The questions' answers in place of what the site began with.
fn site_of(setup: &Setup, before: &Site) -> Answer<Site> {
    let contracted = VoltAmps(milli_amps("contracted_kva", setup.contracted_kva)?.0);
    let mut site =
        Site { name: setup.name.trim().to_owned(), contracted, phases: setup.phases.count(), ..before.clone() };
    // The contract decides until an electrician says what the fuse is; the building may use all of it.
    site.main_fuse = site.contracted_current();
    site.declared_load = site.main_fuse;
    site.margin = site.margin.min(site.main_fuse);
    site.check().map_err(|error| Failure::invalid(error.to_string()))?;
    Ok(site)
}

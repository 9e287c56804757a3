//! Tariff, letterhead and mail server: what the statements are made with.

use super::super::Shared;
use super::super::problem::{Answer, Body, Failure};
use super::statements::failure;
use crate::books::{self, Books, BooksError, MailServer, Security};
use crate::convert;
use api::{LetterheadItem, MailItem, TariffDocument, TariffPage};
use axum::Json;
use axum::extract::State;
use reports::{Month, Tariff, TariffError, Zone};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

/// Name of the mail server's password among the secrets.
const MAIL_SECRET: &str = "smtp-password";

/// Both have the same words; `reports` has the checked types.
fn same_words<A: Serialize, B: DeserializeOwned>(value: &A) -> Answer<B> {
    let value = serde_json::to_value(value).map_err(|_unwritable| Failure::internal())?;
    serde_json::from_value(value).map_err(|error| Failure::invalid(error.to_string()))
}

/// Checks a tariff with the shares that tenants have.
fn checked(shared: &Shared, tariff: &Tariff) -> Result<(), Vec<TariffError>> {
    books::with_unit_keys(tariff.clone(), &shared.live().state.tenants).check()
}

fn page(shared: &Shared, tariff: &Tariff) -> Answer<TariffPage> {
    let zone = Zone::new(&shared.live().state.site.time_zone).map_err(|error| failure(&BooksError::Zone(error)))?;
    let first = Month::of(zone.date(shared.clock.now().wall)).first();
    let templates = reports::templates(first);
    let problems = checked(shared, tariff).err().unwrap_or_default();
    Ok(TariffPage {
        tariff: same_words(tariff)?,
        calendars: tariff.versions.iter().map(convert::calendar).collect(),
        templates: templates.iter().map(|one| same_words(&one.version)).collect::<Answer<_>>()?,
        problems: problems.iter().map(ToString::to_string).collect(),
        problems_pt: problems.iter().map(TariffError::portuguese).collect(),
    })
}

/// The tariff in force, with its calendars and ready-made versions
#[utoipa::path(get, path = "/tariffs", tag = "statements", responses((status = 200, body = TariffPage)))]
pub(crate) async fn tariff_get(State(shared): State<Shared>) -> Answer<Json<TariffPage>> {
    let tariff = Books::new(shared.reader.clone()).tariff().await.map_err(|error| failure(&error))?;
    page(&shared, &tariff).map(Json)
}

/// Replace the tariff; closed months keep theirs
#[utoipa::path(put, path = "/tariffs", tag = "statements", request_body = TariffDocument,
    responses((status = 200, body = TariffPage), (status = 422, body = api::Problem)))]
pub(crate) async fn tariff_put(
    State(shared): State<Shared>,
    Body(document): Body<TariffDocument>,
) -> Answer<Json<TariffPage>> {
    let tariff: Tariff =
        same_words(&document).map_err(|failure| Failure::invalid(unreadable_sentence(failure.detail())))?;
    checked(&shared, &tariff).map_err(|errors| failure(&BooksError::Tariff(errors)))?;
    let kept = books::tariff_set(&shared.writer, shared.clock.now().wall, &tariff).await;
    kept.map_err(|error| failure(&error))?;
    page(&shared, &tariff).map(Json)
}

/// What to write where dates, times or prices are no such things.
fn unreadable_sentence(detail: &str) -> String {
    format!("something cannot be read yet ({detail}); write dates as 2026-11-01, times as 07:30 and prices as 0.15")
}

/// A tariff that cannot be read, as while it is being typed.
fn unreadable(document: TariffDocument, failure: &Failure) -> TariffPage {
    let english = unreadable_sentence(failure.detail());
    TariffPage {
        tariff: document,
        calendars: Vec::new(),
        templates: Vec::new(),
        problems_pt: vec![api::in_portuguese(&english).unwrap_or_else(|| english.clone())],
        problems: vec![english],
    }
}

/// Check a tariff without keeping it
#[utoipa::path(post, path = "/tariffs/check", tag = "statements", request_body = TariffDocument,
    responses((status = 200, body = TariffPage)))]
pub(crate) async fn tariff_check(
    State(shared): State<Shared>,
    Body(document): Body<TariffDocument>,
) -> Answer<Json<TariffPage>> {
    match same_words(&document) {
        Ok(tariff) => page(&shared, &tariff).map(Json),
        Err(failure) => Ok(Json(unreadable(document, &failure))),
    }
}

/// Who sends the statements
#[utoipa::path(get, path = "/letterhead", tag = "statements", responses((status = 200, body = LetterheadItem)))]
pub(crate) async fn letterhead_get(State(shared): State<Shared>) -> Answer<Json<LetterheadItem>> {
    let document = Books::new(shared.reader.clone()).letterhead().await.map_err(|error| failure(&error))?;
    Ok(Json(books::letterhead_item(&document)))
}

/// Replace the letterhead
#[utoipa::path(put, path = "/letterhead", tag = "statements", request_body = LetterheadItem,
    responses((status = 200, body = LetterheadItem), (status = 422, body = api::Problem)))]
pub(crate) async fn letterhead_put(
    State(shared): State<Shared>,
    Body(item): Body<LetterheadItem>,
) -> Answer<Json<LetterheadItem>> {
    let document = books::letterhead_from(&item).map_err(|error| failure(&error))?;
    let kept = books::letterhead_set(&shared.writer, shared.clock.now().wall, &document).await;
    kept.map_err(|error| failure(&error))?;
    Ok(Json(books::letterhead_item(&document)))
}

/// The password of the mail server, if one is kept.
pub(super) async fn mail_password(shared: &Shared) -> Answer<Option<Zeroizing<String>>> {
    shared.secrets.get(MAIL_SECRET).await.map_err(|error| Failure::conflict(crate::error::chain(&error)))
}

async fn mail_item(shared: &Shared, server: &MailServer) -> Answer<MailItem> {
    let has_password = mail_password(shared).await.is_ok_and(|found| found.is_some());
    let place = shared.secrets.place().await.ok().filter(|_| has_password);
    let security = match server.security {
        Security::Tls => "tls",
        Security::Starttls => "starttls",
        Security::None => "none",
    };
    Ok(MailItem {
        host: server.host.clone(),
        port: server.port,
        security: security.to_owned(),
        user: server.user.clone(),
        from: server.from.clone(),
        password: None,
        password_in: place.map(|place| place.name().to_owned()).unwrap_or_default(),
    })
}

/// The mail server; its password is never given back
#[utoipa::path(get, path = "/mail", tag = "statements", responses((status = 200, body = MailItem)))]
pub(crate) async fn mail_get(State(shared): State<Shared>) -> Answer<Json<MailItem>> {
    let server = Books::new(shared.reader.clone()).mail().await.map_err(|error| failure(&error))?;
    mail_item(&shared, &server).await.map(Json)
}

/// Replace the mail server
#[utoipa::path(put, path = "/mail", tag = "statements", request_body = MailItem,
    responses((status = 200, body = MailItem), (status = 422, body = api::Problem)))]
pub(crate) async fn mail_put(State(shared): State<Shared>, Body(item): Body<MailItem>) -> Answer<Json<MailItem>> {
    let security = match item.security.as_str() {
        "tls" | "" => Security::Tls,
        "starttls" => Security::Starttls,
        "none" => Security::None,
        _ => return Err(Failure::invalid("security is tls, starttls or none")),
    };
    let trimmed = |text: &str| text.trim().to_owned();
    let port = match (item.port, security) {
        (0, Security::Tls) => 465,
        (0, Security::Starttls) => 587,
        (0, Security::None) => 25,
        (port, _) => port,
    };
    let server =
        MailServer { host: trimmed(&item.host), port, security, user: trimmed(&item.user), from: trimmed(&item.from) };
    if !server.host.is_empty() {
        server.check().map_err(|error| Failure::invalid(error.to_string()))?;
    }
    if let Some(password) = &item.password {
        let kept = if password.is_empty() {
            shared.secrets.remove(MAIL_SECRET).await
        } else {
            shared.secrets.set(MAIL_SECRET, password).await
        };
        kept.map_err(|error| Failure::conflict(crate::error::chain(&error)))?;
    }
    let kept = books::mail_set(&shared.writer, shared.clock.now().wall, &server).await;
    kept.map_err(|error| failure(&error))?;
    mail_item(&shared, &server).await.map(Json)
}

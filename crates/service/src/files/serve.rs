//! The file server for chargers: `PUT` or `POST` to `/upload/<place>/<name>`, `GET` from `/firmware/<id>/<name>`.
//! The body of an upload is the file, or a form (`multipart/form-data`) with it, as browsers and some chargers send.
//!
//! Nothing else exists here, nothing is listed, and a wrong address gives nothing away.

use super::keep::{FileErrorKind, Incoming};
use super::listen::EitherListener;
use super::{FileError, Files};
use crate::tls::{Certificates, Failed};
use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, FromRequest as _, Multipart, Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, put};
use domain::FileKind;
use std::io::SeekFrom;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::io::ReaderStream;

/// Serves chargers until the drain, with and without TLS.
pub(crate) async fn serve(
    listener: TcpListener,
    files: Files,
    certificates: Certificates,
    failed: Failed,
    mut drain: watch::Receiver<bool>,
) {
    let ended = async move { crate::drain::drained(&mut drain).await };
    let listener = match EitherListener::start(listener, certificates, failed) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "the file server cannot begin"),
    };
    if let Err(error) = axum::serve(listener, router(files)).with_graceful_shutdown(ended).await {
        tracing::error!(%error, "the file server ended");
    }
}

pub(super) fn router(files: Files) -> Router {
    Router::new()
        .route("/upload/{place}", put(upload_unnamed).post(upload_unnamed))
        .route("/upload/{place}/", put(upload_unnamed).post(upload_unnamed))
        .route("/upload/{place}/{*name}", put(upload).post(upload))
        .route("/firmware/{id}/{*name}", get(firmware))
        .route("/firmware/{id}", get(firmware_unnamed))
        // Whatever arrives is counted while it is written; a form is read the same way.
        .layer(DefaultBodyLimit::disable())
        .with_state(files)
}

/// Parts of a form that are looked at.
const FORM_PARTS_MAX: usize = 16;

async fn upload_unnamed(State(files): State<Files>, Path(place): Path<String>, request: Request) -> Response {
    let name = disposition_name(request.headers()).unwrap_or_default();
    take(&files, place, &name, request).await
}

async fn upload(State(files): State<Files>, Path((place, name)): Path<(String, String)>, request: Request) -> Response {
    take(&files, place, &name, request).await
}

async fn take(files: &Files, place: String, name: &str, request: Request) -> Response {
    let is_form = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if is_form.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("multipart/form-data")) {
        return take_form(files, place, name, request).await;
    }
    answer(name, files.take(Incoming::Upload { place }, name, request.into_body().into_data_stream()).await)
}

/// The first part of a form that is a file, or its first part where none has the name of one.
async fn take_form(files: &Files, place: String, name: &str, request: Request) -> Response {
    let broken = |error: &dyn std::fmt::Display| {
        tracing::warn!(%error, name, "a form could not be read");
        (StatusCode::BAD_REQUEST, "the form cannot be read; send the file as the body or as its only part\n")
            .into_response()
    };
    let mut form = match Multipart::from_request(request, &()).await {
        Ok(form) => form,
        Err(error) => return broken(&error),
    };
    for _ in 0..FORM_PARTS_MAX {
        match form.next_field().await {
            Ok(Some(field)) if field.file_name().is_none() && name.is_empty() => {}
            Ok(Some(field)) => {
                let own = field.file_name().filter(|own| !own.trim().is_empty()).map(ToOwned::to_owned);
                let name = own.unwrap_or_else(|| name.to_owned());
                return answer(&name, files.take(Incoming::Upload { place }, &name, field).await);
            }
            Ok(None) => break,
            Err(error) => return broken(&error),
        }
    }
    broken(&"no part of it is a file")
}

fn answer(name: &str, taken: Result<domain::StoredFile, FileError>) -> Response {
    match taken {
        Ok(_file) => StatusCode::CREATED.into_response(),
        Err(error) => {
            tracing::warn!(error = crate::error::chain(&error), name, "a file was not taken");
            (status(&error), format!("{error}\n")).into_response()
        }
    }
}

fn status(error: &FileError) -> StatusCode {
    match error.kind() {
        FileErrorKind::NotFound => StatusCode::NOT_FOUND,
        FileErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        FileErrorKind::NoRoom => StatusCode::INSUFFICIENT_STORAGE,
        FileErrorKind::Invalid => StatusCode::BAD_REQUEST,
        FileErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

async fn firmware(
    State(files): State<Files>,
    Path((id, _name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    send(&files, &id, FileKind::Firmware, &headers).await
}

async fn firmware_unnamed(State(files): State<Files>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    send(&files, &id, FileKind::Firmware, &headers).await
}

/// Sends a file, or the part of it that was asked for: chargers resume broken downloads.
pub(crate) async fn send(files: &Files, id: &str, kind: FileKind, headers: &HeaderMap) -> Response {
    let Some((file, size)) =
        files.get(id).filter(|file| file.kind == kind).and_then(|file| file.bytes.map(|bytes| (file, bytes)))
    else {
        return (StatusCode::NOT_FOUND, "there is no such file\n").into_response();
    };
    let mut reader = match tokio::fs::File::open(files.path(id)).await {
        Ok(reader) => reader,
        Err(error) => {
            tracing::error!(id, %error, "a stored file cannot be read");
            return (StatusCode::NOT_FOUND, "the file is gone from the disk\n").into_response();
        }
    };
    let range = headers.get(header::RANGE).and_then(|value| value.to_str().ok()).and_then(|text| range_of(text, size));
    let (first, last) = range.unwrap_or((0, size.saturating_sub(1)));
    if let Err(error) = reader.seek(SeekFrom::Start(first)).await {
        tracing::error!(id, %error, "a stored file cannot be read");
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let length = last + 1 - first;
    let body = Body::from_stream(ReaderStream::with_capacity(reader.take(length), 64 * 1024));
    let mut builder = Response::builder()
        .status(if range.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK })
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .header(header::CONTENT_LENGTH, length)
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", super::path_name(&file.name)));
    if range.is_some() {
        builder = builder.header(header::CONTENT_RANGE, format!("bytes {first}-{last}/{size}"));
    }
    builder.body(body).unwrap_or_else(|_impossible| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// First and last byte of `bytes=1-5`, `bytes=5-` or `bytes=-5`; `None` for anything else, which means the whole file.
pub(super) fn range_of(text: &str, size: u64) -> Option<(u64, u64)> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let (first, last) = match (first.trim(), last.trim()) {
        ("", last) => (size.checked_sub(last.parse().ok()?)?, size.checked_sub(1)?),
        (first, "") => (first.parse().ok()?, size.checked_sub(1)?),
        (first, last) => (first.parse().ok()?, last.parse::<u64>().ok()?.min(size.checked_sub(1)?)),
    };
    (first <= last && last < size).then_some((first, last))
}

/// The name in `Content-Disposition`, for chargers that put it there.
fn disposition_name(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_DISPOSITION)?.to_str().ok()?;
    let (_, name) = value.split_once("filename=")?;
    Some(name.split(';').next().unwrap_or_default().trim().trim_matches('"').to_owned())
}

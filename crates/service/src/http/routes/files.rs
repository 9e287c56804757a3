//! Files from and for chargers, as the manager sees them.

use super::super::Shared;
use super::super::paging::PageQuery;
use super::super::problem::{Answer, Failure, Path, Query};
use crate::files::{self, FileError, FileErrorKind, Incoming};
use crate::time_text;
use api::{Code, FileItem, Page};
use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::{FileKind, StoredFile};
use serde::Deserialize;

/// The name of a new file.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
pub(crate) struct FileName {
    /// As the maker calls it, such as `terra-1.8.24.bin`.
    name: String,
}

fn item(file: StoredFile) -> FileItem {
    FileItem {
        id: file.id,
        kind: match file.kind {
            FileKind::Upload => "upload",
            FileKind::Firmware => "firmware",
        }
        .to_owned(),
        charger: file.charger.map(|charger| charger.to_string()),
        name: file.name,
        bytes: file.bytes,
        sha256: file.sha256,
        at: time_text::text(file.at),
    }
}

fn failure(error: &FileError) -> Failure {
    let detail = crate::error::chain(error);
    match error.kind() {
        FileErrorKind::NotFound => Failure::not_found("such file"),
        FileErrorKind::TooLarge => Failure::new(StatusCode::PAYLOAD_TOO_LARGE, Code::Invalid, detail),
        FileErrorKind::NoRoom => Failure::new(StatusCode::INSUFFICIENT_STORAGE, Code::Invalid, detail),
        FileErrorKind::Invalid => Failure::invalid(detail),
        FileErrorKind::Unavailable => {
            tracing::error!(detail, "a file could not be kept");
            Failure::storage()
        }
    }
}

/// Files from and for chargers, newest first
#[utoipa::path(get, path = "/files", tag = "files", params(PageQuery), responses((status = 200, body = Page<FileItem>)))]
pub(crate) async fn file_list(
    State(shared): State<Shared>,
    Query(query): Query<PageQuery>,
) -> Answer<Json<Page<FileItem>>> {
    let items = shared.files.list().into_iter().map(item).collect();
    query.page(items, |item: &FileItem| item.id.clone()).map(Json)
}

/// Keep a firmware file for chargers; the body is the file
#[utoipa::path(post, path = "/files", tag = "files", params(FileName),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = FileItem), (status = 413, body = api::Problem), (status = 507, body = api::Problem)))]
pub(crate) async fn file_add(
    State(shared): State<Shared>,
    Query(name): Query<FileName>,
    request: Request,
) -> Answer<Json<FileItem>> {
    let bytes = request.into_body().into_data_stream();
    let file = shared.files.take(Incoming::Firmware, &name.name, bytes).await.map_err(|error| failure(&error))?;
    Ok(Json(item(file)))
}

/// The bytes of a file
#[utoipa::path(get, path = "/files/{id}/content", tag = "files", params(("id" = String, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"), (status = 404, body = api::Problem)))]
pub(crate) async fn file_content(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer<Response> {
    let file =
        shared.files.get(&id).filter(|file| file.bytes.is_some()).ok_or_else(|| Failure::not_found("such file"))?;
    Ok(files::send(&shared.files, &id, file.kind, &headers).await)
}

/// Remove a file
#[utoipa::path(delete, path = "/files/{id}", tag = "files", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = api::Problem)))]
pub(crate) async fn file_remove(State(shared): State<Shared>, Path(id): Path<String>) -> Answer<StatusCode> {
    if shared.files.remove(&id).await.map_err(|error| failure(&error))? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Failure::not_found("such file"))
    }
}

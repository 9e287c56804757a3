//! Months, their statements, and the jobs that make files and e-mails of them.

use super::super::Shared;
use super::super::problem::{Answer, Body, Failure, Path, Query};
use crate::books::{Books, BooksError, FileKind, Job, MailTask, MonthBook, Which, send_all};
use crate::convert;
use crate::time_text;
use api::{
    ChainCheck, Code, DeliveryItem, ExportRequest, JobItem, MonthItem, MonthState, MonthStatement, ObstacleDecision,
    Page, SendRequest,
};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::TenantId;
use reports::Month;
use reports::render::Language;
use serde::Deserialize;
use std::sync::Arc;
use store::StatementRecord;

/// How a statement is wanted.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct StatementQuery {
    /// `json`, `csv`, `xlsx` or `pdf`; JSON when absent.
    #[serde(default)]
    format: Option<String>,
    /// One tenant's statement; the building's summary when absent.
    #[serde(default)]
    tenant_id: Option<i64>,
    /// Of a CSV: `rfc4180` or `semicolon`.
    #[serde(default)]
    dialect: Option<String>,
    /// `pt-PT`, `pt-BR` or `en`; the tenant's own when absent.
    #[serde(default)]
    language: Option<String>,
}

/// Longest reason of a decision.
const REASON_CHARS_MAX: usize = 500;

pub(super) fn failure(error: &BooksError) -> Failure {
    let detail = crate::error::chain(error);
    match error {
        BooksError::Store(store) if store.is_storage() => Failure::storage(),
        BooksError::Store(_) | BooksError::Pdf(_) | BooksError::Xlsx(_) | BooksError::Archive(_) => {
            tracing::error!(error = detail, "the statements failed");
            Failure::internal()
        }
        BooksError::Document { .. } | BooksError::Chain(_) => {
            tracing::error!(error = detail, "the statements cannot be read");
            Failure::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, detail)
        }
        BooksError::NoSite | BooksError::Obstacles(_) | BooksError::Closed => Failure::conflict(detail),
        BooksError::Zone(_) | BooksError::Tariff(_) | BooksError::Logo(_) | BooksError::Language(_) => {
            Failure::invalid(detail)
        }
        BooksError::NoStatement => Failure::not_found("such statement in this month"),
        BooksError::Ending => Failure::draining(),
    }
}

fn books(shared: &Shared) -> Books {
    Books::new(shared.reader.clone())
}

fn month(text: &str) -> Answer<Month> {
    text.parse().map_err(|error: reports::MonthError| Failure::invalid(error.to_string()))
}

async fn book(shared: &Shared, month: Month) -> Answer<MonthBook> {
    books(shared).month(month, shared.clock.now().wall).await.map_err(|error| failure(&error))
}

fn key(book: &MonthBook, tenant: i64) -> Answer<String> {
    book.key(TenantId(tenant)).ok_or_else(|| failure(&BooksError::NoStatement))
}

/// Rendering takes tens of milliseconds: not on a thread that answers others.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, BooksError> + Send + 'static) -> Answer<T> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|_cancelled| Failure::draining())?;
    done.map_err(|error| failure(&error))
}

/// Months with sessions, newest first
#[utoipa::path(get, path = "/statements", tag = "statements", responses((status = 200, body = Page<MonthItem>)))]
pub(crate) async fn month_list(State(shared): State<Shared>) -> Answer<Json<Page<MonthItem>>> {
    let months = books(&shared).months(shared.clock.now().wall).await.map_err(|error| failure(&error))?;
    let item = |one: crate::books::ListedMonth| MonthItem {
        month: one.month.to_string(),
        state: if one.closed_at.is_some() { MonthState::Closed } else { MonthState::Preview },
        closed_at: one.closed_at.map(time_text::text),
    };
    Ok(Json(Page { items: months.into_iter().map(item).collect(), next_cursor: None }))
}

/// A month as closed, or as it would close now; with a tenant, their statement
#[utoipa::path(get, path = "/statements/{month}", tag = "statements", params(("month" = String, Path), StatementQuery),
    responses((status = 200, body = MonthStatement), (status = 404, body = api::Problem), (status = 422, body = api::Problem)))]
pub(crate) async fn statement_get(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Query(query): Query<StatementQuery>,
) -> Answer<Response> {
    let month = month(&name)?;
    let language = query.language.as_deref().map(str::parse::<Language>).transpose();
    let language = language.map_err(|error| Failure::invalid(error.to_string()))?;
    let format = query.format.as_deref().unwrap_or("json");
    let kind = FileKind::from_words(format, query.dialect.as_deref());
    if format != "json" && kind.is_none() {
        return Err(Failure::invalid("format is json, csv, xlsx or pdf; dialect is rfc4180 or semicolon"));
    }
    let book = book(&shared, month).await?;
    let key = query.tenant_id.map(|tenant| key(&book, tenant)).transpose()?;
    let Some(kind) = kind else {
        return Ok(match key.and_then(|key| book.statement(&key).map(|one| convert::statement_item(one, &book))) {
            Some(item) => Json(item).into_response(),
            None => Json(convert::month_statement(&book)).into_response(),
        });
    };
    let which = key.map_or(Which::Summary, Which::Tenant);
    let name = book.file_name(&which, kind);
    let bytes = blocking(move || book.file(&which, kind, language)).await?;
    Ok(file(&name, kind.media_type(), bytes.into()))
}

fn file(name: &str, media_type: &'static str, bytes: bytes::Bytes) -> Response {
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    // The name has letters, digits, points, lines and dashes only.
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

/// Close a month: it never changes again
#[utoipa::path(post, path = "/statements/{month}/close", tag = "statements", params(("month" = String, Path)),
    responses((status = 200, body = MonthStatement), (status = 409, body = api::Problem)))]
pub(crate) async fn month_close(
    State(shared): State<Shared>,
    Path(name): Path<String>,
) -> Answer<Json<MonthStatement>> {
    let month = month(&name)?;
    let now = shared.clock.now().wall;
    let book = books(&shared).close(&shared.writer, month, now).await.map_err(|error| failure(&error))?;
    Ok(Json(convert::month_statement(&book)))
}

/// Accept an obstacle with a reason, or take that back
#[utoipa::path(put, path = "/statements/{month}/decisions", tag = "statements", params(("month" = String, Path)),
    request_body = ObstacleDecision,
    responses((status = 200, body = MonthStatement), (status = 409, body = api::Problem), (status = 422, body = api::Problem)))]
pub(crate) async fn decision_set(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Body(decision): Body<ObstacleDecision>,
) -> Answer<Json<MonthStatement>> {
    let month = month(&name)?;
    let reason = decision.reason.trim().to_owned();
    if reason.chars().count() > REASON_CHARS_MAX {
        return Err(Failure::invalid(format!("reason has at most {REASON_CHARS_MAX} characters")));
    }
    let before = book(&shared, month).await?;
    if before.is_closed() {
        return Err(failure(&BooksError::Closed));
    }
    let found = before.result.summary.obstacles.iter().find(|one| one.key == decision.key);
    match found {
        None => return Err(Failure::not_found("such obstacle in this month")),
        Some(one) if !one.kind.can_be_accepted() => {
            return Err(Failure::invalid("this obstacle cannot be accepted; do what it asks for"));
        }
        Some(_) => {}
    }
    let at = shared.clock.now().wall;
    let record = store::ObstacleDecision { month: month.to_string(), key: decision.key, reason, at };
    let kept = shared.writer.statement(StatementRecord::Decision(record)).await;
    kept.map_err(|error| shared.store_failure(&error))?;
    Ok(Json(convert::month_statement(&book(&shared, month).await?)))
}

/// Make a file for every tenant; ask the job for progress and the archive
#[utoipa::path(post, path = "/statements/{month}/export", tag = "statements", params(("month" = String, Path)),
    request_body = ExportRequest, responses((status = 202, body = JobItem), (status = 422, body = api::Problem)))]
pub(crate) async fn export_begin(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Body(request): Body<ExportRequest>,
) -> Answer<(StatusCode, Json<JobItem>)> {
    let month = month(&name)?;
    let kind = FileKind::from_words(&request.format, request.dialect.as_deref())
        .ok_or_else(|| Failure::invalid("format is csv, xlsx or pdf; dialect is rfc4180 or semicolon"))?;
    let book = book(&shared, month).await?;
    let job = shared.jobs.begin("export", month.to_string(), book.papers().len());
    let begun = Arc::clone(&job);
    drop(tokio::task::spawn_blocking(move || match book.archive(kind, &begun) {
        Ok(Some(bytes)) => begun.end_with_file(format!("{month}_{}.zip", kind.extension()), bytes),
        Ok(None) => begun.end_cancelled(),
        Err(error) => begun.end_failed(crate::error::chain(&error)),
    }));
    Ok((StatusCode::ACCEPTED, Json(job.item())))
}

/// E-mail the statements of a closed month
#[utoipa::path(post, path = "/statements/{month}/send", tag = "statements", params(("month" = String, Path)),
    request_body = SendRequest, responses((status = 202, body = JobItem), (status = 409, body = api::Problem)))]
pub(crate) async fn send_begin(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Body(request): Body<SendRequest>,
) -> Answer<(StatusCode, Json<JobItem>)> {
    let book = book(&shared, month(&name)?).await?;
    if !book.is_closed() {
        return Err(Failure::conflict("Close the month first: what is sent must not change any more"));
    }
    let keys = if request.tenant_ids.is_empty() {
        book.result.statements.iter().filter_map(|one| one.tenant.clone()).collect()
    } else {
        request.tenant_ids.iter().map(|id| key(&book, *id)).collect::<Answer<Vec<String>>>()?
    };
    let server = books(&shared).mail().await.map_err(|error| failure(&error))?;
    server.check().map_err(|error| Failure::conflict(error.to_string()))?;
    let password = super::tariffs::mail_password(&shared).await?;
    let job = shared.jobs.begin("send", book.month.to_string(), keys.len());
    let task = MailTask { server, password, book, keys };
    drop(tokio::spawn(send_all(task, shared.writer.clone(), Arc::clone(&shared.clock), Arc::clone(&job))));
    Ok((StatusCode::ACCEPTED, Json(job.item())))
}

/// E-mails of a month, newest first
#[utoipa::path(get, path = "/statements/{month}/deliveries", tag = "statements", params(("month" = String, Path)),
    responses((status = 200, body = Page<DeliveryItem>)))]
pub(crate) async fn delivery_list(
    State(shared): State<Shared>,
    Path(name): Path<String>,
) -> Answer<Json<Page<DeliveryItem>>> {
    let list = shared.reader.delivery_list(&month(&name)?.to_string()).await;
    let live = shared.live();
    let item = |one: store::Delivery| {
        let tenant = live.state.tenants.iter().find(|tenant| tenant.id == one.tenant);
        let name = tenant.map(|tenant| tenant.name.clone()).unwrap_or_default();
        DeliveryItem { tenant_id: one.tenant.0, name, at: time_text::text(one.at), sent: one.sent, detail: one.detail }
    };
    let items = list.map_err(|error| shared.store_failure(&error))?.into_iter().map(item).collect();
    Ok(Json(Page { items, next_cursor: None }))
}

fn find_job(shared: &Shared, id: u64) -> Answer<Arc<Job>> {
    shared.jobs.get(id).ok_or_else(|| Failure::not_found("such job"))
}

/// Progress of a job
#[utoipa::path(get, path = "/statement-jobs/{id}", tag = "statements", params(("id" = u64, Path)),
    responses((status = 200, body = JobItem), (status = 404, body = api::Problem)))]
pub(crate) async fn job_get(State(shared): State<Shared>, Path(id): Path<u64>) -> Answer<Json<JobItem>> {
    Ok(Json(find_job(&shared, id)?.item()))
}

/// Cancel a job; what is sent or made already stays
#[utoipa::path(delete, path = "/statement-jobs/{id}", tag = "statements", params(("id" = u64, Path)),
    responses((status = 200, body = JobItem), (status = 404, body = api::Problem)))]
pub(crate) async fn job_cancel(State(shared): State<Shared>, Path(id): Path<u64>) -> Answer<Json<JobItem>> {
    let job = find_job(&shared, id)?;
    job.cancel();
    Ok(Json(job.item()))
}

/// The archive an export made
#[utoipa::path(get, path = "/statement-jobs/{id}/file", tag = "statements", params(("id" = u64, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/zip"), (status = 404, body = api::Problem)))]
pub(crate) async fn job_file(State(shared): State<Shared>, Path(id): Path<u64>) -> Answer<Response> {
    let made = find_job(&shared, id)?.file();
    let (name, bytes) = made.ok_or_else(|| Failure::not_found("file of this job yet"))?;
    Ok(file(&name, "application/zip", bytes))
}

/// Whether anything closed was altered
#[utoipa::path(get, path = "/statement-chain", tag = "statements", responses((status = 200, body = ChainCheck)))]
pub(crate) async fn chain_check(State(shared): State<Shared>) -> Answer<Json<ChainCheck>> {
    match books(&shared).verify(None).await {
        Ok(found) => Ok(Json(ChainCheck {
            whole: true,
            documents: found.documents,
            newest_hash: found.newest_hash,
            detail: String::new(),
        })),
        Err(BooksError::Chain(error)) => {
            Ok(Json(ChainCheck { whole: false, documents: 0, newest_hash: String::new(), detail: error.to_string() }))
        }
        Err(error) => Err(failure(&error)),
    }
}

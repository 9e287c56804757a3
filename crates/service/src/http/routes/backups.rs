//! Copies of the records: list, make, look into, bring back; and everything as open formats.

use super::super::Shared;
use super::super::problem::{Answer, Body, Failure};
use crate::backup::{self, BackupError, BackupSettings, Copy};
use crate::error::chain;
use api::{BackupForm, BackupItem, BackupPage, BackupPreview, ExportWritten, RetentionForm, RetentionItem};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::DurationMs;
use std::path::PathBuf;
use store::Retention;

const DAY_MS: u64 = 86_400_000;

fn failure(error: &BackupError) -> Failure {
    match error {
        BackupError::Unknown(_) => Failure::new(StatusCode::NOT_FOUND, api::Code::NotFound, chain(error)),
        BackupError::Rule(_) => Failure::invalid(chain(error)),
        BackupError::Store(_) | BackupError::File { .. } => Failure::conflict(chain(error)),
    }
}

fn time(at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms).unwrap_or_default().to_string()
}

fn item(copy: &Copy) -> BackupItem {
    BackupItem { name: copy.name.clone(), at: time(copy.at_ms), bytes: copy.bytes }
}

fn page(shared: &Shared) -> BackupPage {
    let settings = shared.backups.settings();
    let folder = settings.folder_in(shared.backups.dir());
    let restores = backup::waits(shared.backups.dir());
    BackupPage {
        items: backup::copies(&folder).iter().map(item).collect(),
        folder: folder.display().to_string(),
        form: BackupForm {
            folder: settings.folder,
            daily: settings.daily,
            days: settings.days,
            weeks: settings.weeks,
            months: settings.months,
        },
        trouble: shared.backups.trouble().unwrap_or_default(),
        restores: restores.and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned())).unwrap_or_default(),
    }
}

/// Copies of the records, newest first, and the rule that keeps them
#[utoipa::path(get, path = "/backups", tag = "backup", responses((status = 200, body = BackupPage)))]
pub(crate) async fn backup_list(State(shared): State<Shared>) -> Json<BackupPage> {
    Json(page(&shared))
}

/// Make a copy now
#[utoipa::path(post, path = "/backups", tag = "backup",
    responses((status = 201, body = BackupItem), (status = 409, body = api::Problem)))]
pub(crate) async fn backup_make(State(shared): State<Shared>) -> Answer<(StatusCode, Json<BackupItem>)> {
    let copy = shared.backups.now().await.map_err(|error| failure(&error))?;
    Ok((StatusCode::CREATED, Json(item(&copy))))
}

/// Choose the folder and the rule
#[utoipa::path(put, path = "/backups", tag = "backup", request_body = BackupForm,
    responses((status = 200, body = BackupPage), (status = 409, body = api::Problem), (status = 422, body = api::Problem)))]
pub(crate) async fn backup_settings(
    State(shared): State<Shared>,
    Body(form): Body<BackupForm>,
) -> Answer<Json<BackupPage>> {
    let folder = form.folder.trim().to_owned();
    if !folder.is_empty() && !PathBuf::from(&folder).is_absolute() {
        return Err(Failure::invalid("name the folder from the root, such as /media/backup or D:\\Backup"));
    }
    let BackupForm { daily, days, weeks, months, .. } = form;
    let settings = BackupSettings { folder, daily, days, weeks, months };
    shared.backups.set(&settings).map_err(|error| failure(&error))?;
    Ok(Json(page(&shared)))
}

/// Most days: a hundred years.
const DAYS_MAX: u32 = 36_525;

fn retention_form(kept: &Retention) -> RetentionForm {
    let days = |time: DurationMs| u32::try_from(time.0 / DAY_MS).unwrap_or(u32::MAX);
    RetentionForm {
        raw_days: days(kept.raw),
        minute_days: days(kept.minutes),
        frame_days: days(kept.frames),
        transaction_frame_days: days(kept.transaction_frames),
        decision_days: days(kept.decisions),
        event_days: days(kept.events),
    }
}

async fn retention_item(shared: &Shared) -> Answer<Json<RetentionItem>> {
    let kept = shared.reader.retention().await.map_err(|error| shared.store_failure(&error))?;
    let bytes = store::size_on_disk(shared.backups.dir());
    Ok(Json(RetentionItem { form: retention_form(&kept), usual: retention_form(&Retention::default()), bytes }))
}

/// How long records are kept, and how large they are
#[utoipa::path(get, path = "/retention", tag = "backup", responses((status = 200, body = RetentionItem)))]
pub(crate) async fn retention_get(State(shared): State<Shared>) -> Answer<Json<RetentionItem>> {
    retention_item(&shared).await
}

/// Choose how long records are kept; what is older goes within minutes and does not come back
#[utoipa::path(put, path = "/retention", tag = "backup", request_body = RetentionForm,
    responses((status = 200, body = RetentionItem), (status = 422, body = api::Problem)))]
pub(crate) async fn retention_put(
    State(shared): State<Shared>,
    Body(form): Body<RetentionForm>,
) -> Answer<Json<RetentionItem>> {
    let RetentionForm { raw_days, minute_days, frame_days, transaction_frame_days, decision_days, event_days } = form;
    let all = [raw_days, minute_days, frame_days, transaction_frame_days, decision_days, event_days];
    if all.iter().any(|days| !(1..=DAYS_MAX).contains(days)) {
        return Err(Failure::invalid(format!("keep each kind of record between 1 and {DAYS_MAX} days")));
    }
    if minute_days < raw_days {
        return Err(Failure::invalid("keep means of a minute at least as long as readings as measured"));
    }
    let days = |count: u32| DurationMs(u64::from(count) * DAY_MS);
    let retention = Retention {
        raw: days(raw_days),
        minutes: days(minute_days),
        frames: days(frame_days),
        transaction_frames: days(transaction_frame_days),
        decisions: days(decision_days),
        events: days(event_days),
    };
    shared.writer.retain(retention).await.map_err(|error| shared.store_failure(&error))?;
    retention_item(&shared).await
}

/// The file of a copy in the folder; nothing else can be named.
fn find(shared: &Shared, name: &str) -> Answer<PathBuf> {
    let folder = shared.backups.settings().folder_in(shared.backups.dir());
    let known = backup::copies(&folder).into_iter().any(|copy| copy.name == name);
    if known { Ok(folder.join(name)) } else { Err(failure(&BackupError::Unknown(name.to_owned()))) }
}

/// What is in a copy
#[utoipa::path(get, path = "/backups/{name}", tag = "backup", params(("name" = String, Path, description = "File name")),
    responses((status = 200, body = BackupPreview), (status = 404, body = api::Problem), (status = 409, body = api::Problem)))]
pub(crate) async fn backup_look(State(shared): State<Shared>, Path(name): Path<String>) -> Answer<Json<BackupPreview>> {
    let file = find(&shared, &name)?;
    let found = backup::backup_inspect(&file).await.map_err(|error| failure(&error))?;
    let beside = backup::backup_beside(&file).await.map_err(|error| failure(&error))?;
    Ok(Json(BackupPreview {
        name,
        site: found.site,
        chargers: found.chargers,
        tenants: found.tenants,
        sessions: found.sessions,
        closed_months: found.closed_months,
        newest: found.newest_ms.map(time).unwrap_or_default(),
        files: beside.files,
        files_missing: beside.files_missing,
        sealed: beside.sealed,
        again: beside.again,
        bytes: found.bytes,
    }))
}

/// Put a copy in place of the records when Meshwatt starts the next time
#[utoipa::path(post, path = "/backups/{name}/restore", tag = "backup",
    params(("name" = String, Path, description = "File name")),
    responses((status = 202, body = BackupPage), (status = 404, body = api::Problem), (status = 409, body = api::Problem)))]
pub(crate) async fn backup_bring(
    State(shared): State<Shared>,
    Path(name): Path<String>,
) -> Answer<(StatusCode, Json<BackupPage>)> {
    let path = find(&shared, &name)?;
    backup::backup_inspect(&path).await.map_err(|error| failure(&error))?;
    backup::restore_at_next_start(shared.backups.dir(), &path).map_err(|error| failure(&error))?;
    Ok((StatusCode::ACCEPTED, Json(page(&shared))))
}

/// Write everything but secrets into the folder of the copies: tables as JSON lines, readings as CSV
#[utoipa::path(post, path = "/export", tag = "backup",
    responses((status = 201, body = ExportWritten), (status = 409, body = api::Problem)))]
pub(crate) async fn export_write(State(shared): State<Shared>) -> Answer<(StatusCode, Json<ExportWritten>)> {
    let now = time(shared.clock.now().wall.0).replace(':', "-");
    let dir = shared.backups.dir();
    let folder = shared.backups.settings().folder_in(dir).join(format!("export-{now}"));
    let written = backup::export(dir, &folder).await.map_err(|error| failure(&error))?;
    let body = ExportWritten {
        folder: folder.display().to_string(),
        files: u32::try_from(written.files.len()).unwrap_or(u32::MAX),
        rows: written.files.iter().map(|(_, rows)| rows).sum(),
    };
    Ok((StatusCode::CREATED, Json(body)))
}

//! One charger in detail: what it is, how it is set, how its state changed, what it said.

use super::super::Shared;
use super::super::paging::{self, PageQuery};
use super::super::problem::{Answer, Body, Failure, Path, Query};
use super::chargers::find;
use crate::convert;
use crate::engine::{Happened, Look};
use api::{ChargerDetail, ChargerSettings, FrameItem, Page, TimelineItem};
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use central_system::Settings;
use domain::{Direction, Timestamp};
use serde::Deserialize;
use store::FrameFilter;
use tokio::sync::oneshot;

/// A timeline of a charger shows a day unless asked for more.
const DAY_MS: i64 = 86_400_000;
/// Frames in one export.
const EXPORT_MAX: u32 = 10_000;
/// Keys the manager may want of one charger.
const KEYS_MAX: usize = 100;

/// Which frames.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FrameQuery {
    /// Only messages that contain this text, in any letter case.
    #[serde(default)]
    text: Option<String>,
    /// At or after.
    #[serde(default)]
    from: Option<String>,
    /// Before.
    #[serde(default)]
    to: Option<String>,
    /// `csv` or `jsonl`: a file with at most 10,000 messages, newest first, instead of a page.
    #[serde(default)]
    format: Option<String>,
    /// Most items.
    #[serde(default)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    cursor: Option<String>,
}

/// Which span.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SpanQuery {
    /// From; a day before the end when absent.
    #[serde(default)]
    from: Option<String>,
    /// Until; now when absent.
    #[serde(default)]
    to: Option<String>,
}

/// A charger in detail
#[utoipa::path(get, path = "/chargers/{id}/detail", tag = "chargers", params(("id" = String, Path)),
    responses((status = 200, body = ChargerDetail), (status = 404, body = api::Problem)))]
pub(crate) async fn charger_detail(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Answer<Json<ChargerDetail>> {
    let state = find(&shared, &id)?;
    let (reply, answer) = oneshot::channel();
    let look = Look::At { charger: state.charger.id.clone(), reply };
    shared.engine.send(Happened::Look(look)).await.map_err(|_ended| Failure::draining())?;
    let view = answer.await.map_err(|_ended| Failure::draining())?;
    Ok(Json(match view {
        Some((view, settings)) => convert::charger_detail(&view, &settings),
        None => convert::plain_detail(&state.hardware),
    }))
}

/// Say how a charger shall be set: sampling interval, measurands, heartbeat and any other key
#[utoipa::path(put, path = "/chargers/{id}/settings", tag = "chargers", params(("id" = String, Path)), request_body = ChargerSettings,
    responses((status = 200, body = ChargerDetail), (status = 404, body = api::Problem), (status = 422, body = api::Problem)))]
pub(crate) async fn charger_settings(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    Body(wanted): Body<ChargerSettings>,
) -> Answer<Json<ChargerDetail>> {
    let charger = find(&shared, &id)?.charger.id;
    let settings = Box::new(checked(wanted)?);
    if shared.live().storage == control::StorageState::Failing {
        return Err(Failure::storage());
    }
    let (reply, answer) = oneshot::channel();
    let look = Look::Set { charger, settings, reply };
    shared.engine.send(Happened::Look(look)).await.map_err(|_ended| Failure::draining())?;
    if !answer.await.map_err(|_ended| Failure::draining())? {
        return Err(Failure::conflict("this charger speaks no OCPP, so it has no such settings"));
    }
    charger_detail(State(shared), Path(id)).await
}

fn checked(wanted: ChargerSettings) -> Answer<Settings> {
    if wanted.sample_interval_s.is_some_and(|seconds| !(1..=3600).contains(&seconds)) {
        return Err(Failure::invalid("sample_interval_s must be between 1 and 3600"));
    }
    if wanted.heartbeat_s.is_some_and(|seconds| !(10..=900).contains(&seconds)) {
        return Err(Failure::invalid("heartbeat_s must be between 10 and 900"));
    }
    let is_word =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    let measurands: Vec<String> = wanted.measurands.iter().map(|text| text.trim().to_owned()).collect();
    if measurands.len() > 30 || !measurands.iter().all(|text| is_word(text)) {
        return Err(Failure::invalid("measurands must be up to 30 names such as Current.Import"));
    }
    let is_key = |key: &str| !key.trim().is_empty() && key.chars().count() <= 50;
    if wanted.keys.len() > KEYS_MAX
        || !wanted.keys.iter().all(|(key, value)| is_key(key) && value.chars().count() <= 500)
    {
        return Err(Failure::invalid(
            "keys must be up to 100 names of at most 50 characters, with values of at most 500",
        ));
    }
    let keys = wanted.keys.into_iter().map(|(key, value)| (key.trim().to_owned(), value)).collect();
    Ok(Settings { sample_interval_s: wanted.sample_interval_s, measurands, heartbeat_s: wanted.heartbeat_s, keys })
}

/// How a charger's link and connectors changed, as stretches; the last day when no span is given
#[utoipa::path(get, path = "/chargers/{id}/timeline", tag = "chargers", params(("id" = String, Path), SpanQuery),
    responses((status = 200, body = Page<TimelineItem>), (status = 404, body = api::Problem)))]
pub(crate) async fn charger_timeline(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    Query(query): Query<SpanQuery>,
) -> Answer<Json<Page<TimelineItem>>> {
    let charger = find(&shared, &id)?.charger.id;
    let to = paging::time("to", query.to.as_deref())?.unwrap_or_else(|| shared.clock.now().wall);
    let from = paging::time("from", query.from.as_deref())?.unwrap_or(Timestamp(to.0.saturating_sub(DAY_MS)));
    if from >= to {
        return Err(Failure::invalid("from must lie before to"));
    }
    let changes = shared.reader.status_change_list(&charger, from, to).await;
    let changes = changes.map_err(|error| shared.store_failure(&error))?;
    Ok(Json(Page { items: convert::timeline(&changes, from, to), next_cursor: None }))
}

/// Messages from and to a charger or meter, newest first; search and export
#[utoipa::path(get, path = "/chargers/{id}/frames", tag = "chargers", params(("id" = String, Path), FrameQuery),
    responses((status = 200, body = Page<FrameItem>), (status = 422, body = api::Problem)))]
pub(crate) async fn charger_frames(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    Query(query): Query<FrameQuery>,
) -> Answer<Response> {
    let filter = FrameFilter {
        text: query.text.unwrap_or_default(),
        from: paging::time("from", query.from.as_deref())?,
        to: paging::time("to", query.to.as_deref())?,
    };
    let format = query.format.as_deref().unwrap_or_default();
    let page = match format {
        "" => PageQuery { limit: query.limit, cursor: query.cursor }.for_store()?,
        "csv" | "jsonl" => store::Page { limit: EXPORT_MAX, cursor: query.cursor },
        _ => return Err(Failure::invalid("format must be csv or jsonl")),
    };
    let list = shared.reader.frame_search(&id, &filter, &page).await.map_err(|error| shared.store_failure(&error))?;
    if format.is_empty() {
        return Ok(Json(paging::stored(list, convert::frame_item)).into_response());
    }
    let (kind, text) = if format == "csv" {
        ("text/csv; charset=utf-8", csv(&list.items))
    } else {
        ("application/x-ndjson", lines(&list.items))
    };
    let name = file_name(&id);
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}-messages.{format}\"")),
    ];
    Ok((StatusCode::OK, headers, text).into_response())
}

/// An identity of a charger may hold anything but control signs; a file name may not.
pub(super) fn file_name(id: &str) -> String {
    id.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect()
}

fn csv(frames: &[domain::Frame]) -> String {
    let mut text = "at,direction,topic,text\r\n".to_owned();
    for frame in frames {
        let direction = match frame.direction {
            Direction::Received => "received",
            Direction::Sent => "sent",
        };
        let at = crate::time_text::text(frame.at);
        text.push_str(&format!("{at},{direction},{},{}\r\n", cell(&frame.topic), cell(&frame.text)));
    }
    text
}

/// A cell no spreadsheet takes for a formula.
pub(super) fn cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

fn lines(frames: &[domain::Frame]) -> String {
    let line = |frame| serde_json::to_string(&convert::frame_item(frame)).unwrap_or_default() + "\n";
    frames.iter().map(line).collect()
}

//! Everything a charger measured, as it said it: each value with its phase, context, location and unit.
//!
//! Read from the messages themselves, which are kept whole, so no measurand needs to be known in advance.

use super::super::Shared;
use super::super::paging::{self, PageQuery};
use super::super::problem::{Answer, Failure, Path, Query};
use super::charger_detail::{cell, file_name};
use super::chargers::find;
use crate::time_text;
use api::{MeasuredItem, Page};
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::{Direction, Frame};
use serde::Deserialize;
use serde_json::Value;
use store::FrameFilter;

/// What messages with values contain.
const MARK: &str = "sampledValue";
/// Messages in one export.
const EXPORT_MAX: u32 = 10_000;

/// Which values.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ValueQuery {
    /// Only this measurand, such as `Voltage`.
    #[serde(default)]
    measurand: Option<String>,
    /// Only this phase, such as `L1`.
    #[serde(default)]
    phase: Option<String>,
    /// Received at or after.
    #[serde(default)]
    from: Option<String>,
    /// Received before.
    #[serde(default)]
    to: Option<String>,
    /// `csv`: a file with the values of at most 10,000 messages instead of a page.
    #[serde(default)]
    format: Option<String>,
    /// Most messages, each with all its values.
    #[serde(default)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    cursor: Option<String>,
}

/// Every value an OCPP charger measured, as it said it, newest message first
#[utoipa::path(get, path = "/chargers/{id}/values", tag = "chargers", params(("id" = String, Path), ValueQuery),
    responses((status = 200, body = Page<MeasuredItem>), (status = 404, body = api::Problem), (status = 422, body = api::Problem)))]
pub(crate) async fn charger_values(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    Query(query): Query<ValueQuery>,
) -> Answer<Response> {
    find(&shared, &id)?;
    let filter = FrameFilter {
        text: MARK.to_owned(),
        from: paging::time("from", query.from.as_deref())?,
        to: paging::time("to", query.to.as_deref())?,
    };
    let is_file = match query.format.as_deref().unwrap_or_default() {
        "" => false,
        "csv" => true,
        _ => return Err(Failure::invalid("format must be csv")),
    };
    let page = if is_file {
        store::Page { limit: EXPORT_MAX, cursor: query.cursor }
    } else {
        PageQuery { limit: query.limit, cursor: query.cursor }.for_store()?
    };
    let list = shared.reader.frame_search(&id, &filter, &page).await.map_err(|error| shared.store_failure(&error))?;
    let is_wanted = |item: &MeasuredItem| {
        query.measurand.as_ref().is_none_or(|wanted| item.measurand.eq_ignore_ascii_case(wanted))
            && query.phase.as_ref().is_none_or(|wanted| item.phase.eq_ignore_ascii_case(wanted))
    };
    let items: Vec<MeasuredItem> = list.items.iter().flat_map(measured).filter(is_wanted).collect();
    if !is_file {
        return Ok(Json(Page { items, next_cursor: list.next_cursor }).into_response());
    }
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}-values.csv\"", file_name(&id))),
    ];
    Ok((StatusCode::OK, headers, csv(&items)).into_response())
}

/// The values of a message; what is left out has the standard's default.
fn measured(frame: &Frame) -> Vec<MeasuredItem> {
    if frame.direction != Direction::Received {
        return Vec::new();
    }
    let Ok(Value::Array(parts)) = serde_json::from_str(frame.text.trim()) else { return Vec::new() };
    let Some(payload) = parts.get(3) else { return Vec::new() };
    let of = |name: &str| payload.get(name).and_then(Value::as_array).into_iter().flatten();
    let mut items = Vec::new();
    for group in of("meterValue").chain(of("transactionData")) {
        let at = group.get("timestamp").and_then(Value::as_str).unwrap_or_default();
        for sampled in group.get("sampledValue").and_then(Value::as_array).into_iter().flatten() {
            let text = |name: &str, default: &str| {
                let told =
                    sampled.get(name).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
                told.filter(|told| !told.is_empty()).unwrap_or_else(|| default.to_owned())
            };
            items.push(MeasuredItem {
                at: at.to_owned(),
                received_at: time_text::text(frame.at),
                connector: payload.get("connectorId").and_then(Value::as_i64),
                transaction: payload.get("transactionId").and_then(Value::as_i64),
                measurand: text("measurand", "Energy.Active.Import.Register"),
                phase: text("phase", ""),
                context: text("context", "Sample.Periodic"),
                location: text("location", "Outlet"),
                format: text("format", "Raw"),
                unit: text("unit", ""),
                value: text("value", ""),
            });
        }
    }
    items
}

fn csv(items: &[MeasuredItem]) -> String {
    let mut out =
        "at,received_at,connector,transaction,measurand,phase,context,location,format,unit,value\r\n".to_owned();
    let number = |value: Option<i64>| value.map(|value| value.to_string()).unwrap_or_default();
    for item in items {
        let texts =
            [&item.measurand, &item.phase, &item.context, &item.location, &item.format, &item.unit, &item.value];
        let cells: Vec<String> = texts.into_iter().map(|text| cell(text)).collect();
        let (connector, transaction) = (number(item.connector), number(item.transaction));
        let at = cell(&item.at);
        out.push_str(&format!("{at},{},{connector},{transaction},{}\r\n", item.received_at, cells.join(",")));
    }
    out
}

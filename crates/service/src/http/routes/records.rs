//! What was kept: sessions, readings, alarms, decisions.

use super::super::Shared;
use super::super::paging::{self, PageQuery};
use super::super::problem::{Answer, Body, Failure, Path, Query};
use super::insight::{Format, csv_file, quoted};
use crate::convert;
use crate::time_text;
use api::{AlarmItem, DecisionItem, Page, ReadingColumns, SessionItem, WishItem};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use control::Order;
use domain::{ChargerId, DurationMs, Provenance, Quantity, Series, Session, SessionId, Source, TenantId, Timestamp};
use serde::Deserialize;
use store::{AlarmFilter, OwnerFilter, SessionFilter};

/// Most series in one question.
const SERIES_MAX: usize = 64;

/// Most steps in one answer: three times what the widest screen shows.
const STEPS_MAX: u64 = 20_000;

/// Steps of a session's curve.
const CURVE_STEPS: u64 = 400;

/// Which sessions.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SessionQuery {
    /// Started at or after.
    #[serde(default)]
    from: Option<String>,
    /// Started before.
    #[serde(default)]
    to: Option<String>,
    /// Paid by.
    #[serde(default)]
    tenant_id: Option<i64>,
    /// At this charger.
    #[serde(default)]
    charger: Option<String>,
    /// `true` for those nobody pays for yet.
    #[serde(default)]
    unassigned: bool,
    /// With this trust: `measured`, `received_late`, `clock_corrected`, `estimated` or `corrected`.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    provenance: Option<Provenance>,
    /// Whose number, card, charger, tenant or flat contains this.
    #[serde(default)]
    q: Option<String>,
    /// Most items.
    #[serde(default)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    cursor: Option<String>,
}

/// Which readings.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReadingQuery {
    /// Series such as `house/power_w` or `charger/C1/1/set_ma`; repeat it or separate with commas.
    #[serde(default)]
    series: Vec<String>,
    /// First time.
    #[serde(default)]
    from: Option<String>,
    /// End; now when absent.
    #[serde(default)]
    to: Option<String>,
    /// Seconds of a step.
    #[serde(default)]
    step_s: Option<u32>,
    /// `json` or `csv`.
    #[serde(default)]
    #[param(value_type = String)]
    format: Format,
}

/// Which alarms.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AlarmQuery {
    /// Only those that last.
    #[serde(default)]
    open: Option<bool>,
    /// Most items.
    #[serde(default)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    cursor: Option<String>,
}

/// Sessions, newest first
#[utoipa::path(get, path = "/sessions", tag = "sessions", params(SessionQuery),
    responses((status = 200, body = Page<SessionItem>), (status = 422, body = api::Problem)))]
pub(crate) async fn session_list(
    State(shared): State<Shared>,
    Query(query): Query<SessionQuery>,
) -> Answer<Json<Page<SessionItem>>> {
    let filter = SessionFilter {
        from: paging::time("from", query.from.as_deref())?,
        to: paging::time("to", query.to.as_deref())?,
        tenant: query.tenant_id.map(TenantId),
        charger: query.charger.map(ChargerId::new).transpose()?,
        owner: if query.unassigned { OwnerFilter::Nobody } else { OwnerFilter::Anyone },
        provenance: query.provenance,
        text: query.q,
    };
    let page = PageQuery { limit: query.limit, cursor: query.cursor }.for_store()?;
    let list = shared.reader.session_list(&filter, &page).await.map_err(|error| shared.store_failure(&error))?;
    let live = shared.live();
    Ok(Json(paging::stored(list, |session| convert::session_item(session, &live.state.tenants))))
}

pub(super) async fn find(shared: &Shared, id: i32) -> Answer<Session> {
    let found = shared.reader.session_get(SessionId(id)).await.map_err(|error| shared.store_failure(&error))?;
    found.ok_or_else(|| Failure::not_found("such session"))
}

/// One session
#[utoipa::path(get, path = "/sessions/{id}", tag = "sessions", params(("id" = i32, Path)),
    responses((status = 200, body = SessionItem), (status = 404, body = api::Problem)))]
pub(crate) async fn session_get(State(shared): State<Shared>, Path(id): Path<i32>) -> Answer<Json<SessionItem>> {
    let session = find(&shared, id).await?;
    Ok(Json(convert::session_item(&session, &shared.live().state.tenants)))
}

/// Load curve of a session: power, current of each phase and setpoint
#[utoipa::path(get, path = "/sessions/{id}/curve", tag = "sessions", params(("id" = i32, Path)),
    responses((status = 200, body = ReadingColumns), (status = 404, body = api::Problem)))]
pub(crate) async fn session_curve(State(shared): State<Shared>, Path(id): Path<i32>) -> Answer<Json<ReadingColumns>> {
    let session = find(&shared, id).await?;
    let quantities =
        [Quantity::Power, Quantity::Setpoint, Quantity::CurrentL1, Quantity::CurrentL2, Quantity::CurrentL3];
    let source = Source::Connector(session.charger.clone(), session.connector);
    let series: Vec<Series> =
        quantities.into_iter().map(|quantity| Series { source: source.clone(), quantity }).collect();
    let to = session.ended_at.unwrap_or_else(|| shared.clock.now().wall);
    let span = u64::try_from(to.0.saturating_sub(session.started_at.0)).unwrap_or(0);
    let step = DurationMs((span / CURVE_STEPS).next_multiple_of(5_000).max(5_000));
    columns(&shared, &series, session.started_at, to + step, step).await.map(Json)
}

/// Measured and commanded values as columns
#[utoipa::path(get, path = "/readings", tag = "readings", params(ReadingQuery),
    responses((status = 200, body = ReadingColumns), (status = 422, body = api::Problem)))]
pub(crate) async fn readings(State(shared): State<Shared>, Query(query): Query<ReadingQuery>) -> Answer<Response> {
    let series = query
        .series
        .iter()
        .flat_map(|part| part.split(','))
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| part.parse::<Series>().map_err(|error| Failure::invalid(crate::error::chain(&error))))
        .collect::<Result<Vec<_>, _>>()?;
    if series.is_empty() || series.len() > SERIES_MAX {
        return Err(Failure::invalid(format!("series must name 1 to {SERIES_MAX} series, such as house/power_w")));
    }
    let to = paging::time("to", query.to.as_deref())?.unwrap_or_else(|| shared.clock.now().wall);
    let from = paging::time("from", query.from.as_deref())?.unwrap_or(Timestamp(to.0.saturating_sub(900_000)));
    if from >= to {
        return Err(Failure::invalid("from must lie before to"));
    }
    let span = u64::try_from(to.0.saturating_sub(from.0)).unwrap_or(0);
    let step = match query.step_s {
        Some(0) => return Err(Failure::invalid("step_s must be at least 1")),
        Some(step_s) => DurationMs::from_secs(u64::from(step_s)),
        None => DurationMs((span / 1000).next_multiple_of(1000).max(1000)),
    };
    if span / step.0 > STEPS_MAX {
        return Err(Failure::invalid(format!(
            "That is more than {STEPS_MAX} steps; ask for a longer step_s or a shorter time"
        )));
    }
    let columns = columns(&shared, &series, from, to, step).await?;
    Ok(match query.format {
        Format::Json => Json(columns).into_response(),
        Format::Csv => reading_csv(&columns),
    })
}

/// A row for each step, times in UTC, an empty cell where nothing was measured. Series have no letters a spreadsheet
/// minds but in identities, which are quoted.
fn reading_csv(columns: &ReadingColumns) -> Response {
    let names: Vec<String> = columns.series.iter().map(|name| quoted(name)).collect();
    let mut text = format!("\u{feff}time,{}\r\n", names.join(","));
    for (row, at) in columns.at_ms.iter().enumerate() {
        text.push_str(&time_text::text(Timestamp(*at)));
        for column in &columns.values {
            text.push(',');
            if let Some(value) = column.get(row).copied().flatten() {
                text.push_str(&value.to_string());
            }
        }
        text.push_str("\r\n");
    }
    csv_file("readings.csv", text)
}

/// Names of everything that is measured or commanded
#[utoipa::path(get, path = "/readings/series", tag = "readings", responses((status = 200, body = Vec<String>)))]
pub(crate) async fn reading_series(State(shared): State<Shared>) -> Answer<Json<Vec<String>>> {
    let list = shared.reader.series_list().await.map_err(|error| shared.store_failure(&error))?;
    let mut names: Vec<String> = list.iter().map(ToString::to_string).collect();
    names.sort_unstable();
    Ok(Json(names))
}

async fn columns(
    shared: &Shared,
    series: &[Series],
    from: Timestamp,
    to: Timestamp,
    step: DurationMs,
) -> Answer<ReadingColumns> {
    let found =
        shared.reader.reading_columns(series, from, to, step).await.map_err(|error| shared.store_failure(&error))?;
    Ok(ReadingColumns {
        series: series.iter().map(ToString::to_string).collect(),
        at_ms: found.at.iter().map(|at| at.0).collect(),
        values: found.values,
    })
}

/// Alarms, newest first
#[utoipa::path(get, path = "/alarms", tag = "alarms", params(AlarmQuery), responses((status = 200, body = Page<AlarmItem>)))]
pub(crate) async fn alarm_list(
    State(shared): State<Shared>,
    Query(query): Query<AlarmQuery>,
) -> Answer<Json<Page<AlarmItem>>> {
    let filter = if query.open == Some(true) { AlarmFilter::Open } else { AlarmFilter::All };
    let page = PageQuery { limit: query.limit, cursor: query.cursor }.for_store()?;
    let list = shared.reader.alarm_list(filter, &page).await.map_err(|error| shared.store_failure(&error))?;
    let live = shared.live();
    Ok(Json(paging::stored(list, |alarm| convert::alarm_item(alarm, Some(&live.state)))))
}

/// Why connectors got what they got, newest first
#[utoipa::path(get, path = "/decisions", tag = "chargers", params(PageQuery), responses((status = 200, body = Page<DecisionItem>)))]
pub(crate) async fn decision_list(
    State(shared): State<Shared>,
    Query(query): Query<PageQuery>,
) -> Answer<Json<Page<DecisionItem>>> {
    let list = shared.reader.decision_list(None, &query.for_store()?).await;
    let live = shared.live();
    let item = |decision: &_| convert::decision_item(decision, &live.state);
    Ok(Json(paging::stored(list.map_err(|error| shared.store_failure(&error))?, item)))
}

/// Say what a running session needs: so much energy by then
#[utoipa::path(post, path = "/sessions/{id}/wish", tag = "sessions", params(("id" = i32, Path)), request_body = WishItem,
    responses((status = 204), (status = 404, body = api::Problem), (status = 422, body = api::Problem)))]
pub(crate) async fn wish_put(
    State(shared): State<Shared>,
    Path(id): Path<i32>,
    Body(wish): Body<WishItem>,
) -> Answer<StatusCode> {
    let wish = convert::wish_from(&wish, shared.clock.now(), &shared.live().state.site.time_zone)?;
    shared.order_kept(Order::SetWish { session: SessionId(id), wish: Some(wish) }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Withdraw what a running session needs
#[utoipa::path(delete, path = "/sessions/{id}/wish", tag = "sessions", params(("id" = i32, Path)),
    responses((status = 204), (status = 404, body = api::Problem)))]
pub(crate) async fn wish_delete(State(shared): State<Shared>, Path(id): Path<i32>) -> Answer<StatusCode> {
    shared.order_kept(Order::SetWish { session: SessionId(id), wish: None }).await?;
    Ok(StatusCode::NO_CONTENT)
}

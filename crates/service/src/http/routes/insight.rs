//! Sums for charts: who used how much, when, and where.

use super::super::Shared;
use super::super::paging;
use super::super::problem::{Answer, Failure, Query};
use crate::time_text;
use api::{Usage, UsageRow};
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use domain::{ChargerId, TenantId, Timestamp};
use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::collections::BTreeMap;
use store::{Slice, UsageGroup, UsageKey, UsageQuestion, UsageSum};

/// Longest period: three years of hours are 26 thousand slices.
const DAYS_MAX: i64 = 1_100;

/// What a chart shows along its time axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Bucket {
    /// Everything in one.
    #[default]
    Total,
    /// Each day.
    Day,
    /// Each month.
    Month,
    /// Each hour of the day, all days together.
    Hour,
}

/// What a chart sums separately.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum By {
    /// Nothing.
    #[default]
    All,
    /// Each tenant.
    Tenant,
    /// Each charger.
    Charger,
}

/// How the answer is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Format {
    /// For programs.
    #[default]
    Json,
    /// For spreadsheets.
    Csv,
}

/// Which sums.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct UsageQuery {
    /// First moment.
    from: String,
    /// End; now when absent.
    #[serde(default)]
    to: Option<String>,
    /// `total`, `day`, `month` or `hour` (of the day), by the building's clocks.
    #[serde(default)]
    #[param(value_type = String)]
    bucket: Bucket,
    /// `all`, `tenant` or `charger`.
    #[serde(default)]
    #[param(value_type = String)]
    by: By,
    /// Only this tenant.
    #[serde(default)]
    tenant_id: Option<i64>,
    /// Only this charger.
    #[serde(default)]
    charger: Option<String>,
    /// `json` or `csv`.
    #[serde(default)]
    #[param(value_type = String)]
    format: Format,
}

/// Energy, sessions and connected time, summed for a chart; a session's energy is spread evenly over its time
#[utoipa::path(get, path = "/usage", tag = "insight", params(UsageQuery),
    responses((status = 200, body = Usage), (status = 422, body = api::Problem)))]
pub(crate) async fn usage(State(shared): State<Shared>, Query(query): Query<UsageQuery>) -> Answer<Response> {
    let now = shared.clock.now().wall;
    let from = paging::time("from", Some(&query.from))?.ok_or_else(|| Failure::invalid("from is needed"))?;
    let to = paging::time("to", query.to.as_deref())?.unwrap_or(now);
    if to <= from || to.0 - from.0 > DAYS_MAX * 86_400_000 {
        return Err(Failure::invalid(format!("to must be after from, and at most {DAYS_MAX} days later")));
    }
    let live = shared.live();
    let zone = TimeZone::get(&live.state.site.time_zone).unwrap_or(TimeZone::UTC);
    let charger = query.charger.as_ref().map(ChargerId::new).transpose()?;
    let question = |group, slices| UsageQuestion {
        tenant: query.tenant_id.map(TenantId),
        charger: charger.clone(),
        group,
        slices,
        to,
        now,
    };
    let group = match query.by {
        By::All => UsageGroup::All,
        By::Tenant => UsageGroup::Tenant,
        By::Charger => UsageGroup::Charger,
    };
    let (slices, names) = slices(query.bucket, from, to, &zone);
    let ask = async |question: &UsageQuestion| {
        shared.reader.usage(question).await.map_err(|error| shared.store_failure(&error))
    };
    let mut sums = ask(&question(group, slices)).await?;
    let hours = ask(&question(UsageGroup::All, hours(from, to, &zone))).await?;
    let weekdays = ask(&question(UsageGroup::All, weekdays(from, to, &zone))).await?;
    let busiest = hours.iter().filter(|sum| sum.energy.0 > 0).max_by_key(|sum| (sum.energy, -sum.slice));
    let name = |key: &UsageKey| match key {
        UsageKey::All | UsageKey::Tenant(None) => (String::new(), String::new()),
        UsageKey::Tenant(Some(id)) => {
            let known = live.state.tenants.iter().find(|tenant| tenant.id == *id);
            (id.to_string(), known.map_or_else(String::new, |tenant| tenant.name.clone()))
        }
        UsageKey::Charger(id) => {
            let known = live.state.chargers.iter().find(|state| state.charger.id == *id);
            (id.to_string(), known.map_or_else(|| id.to_string(), |state| state.charger.name.clone()))
        }
    };
    let row = |sum: &UsageSum| {
        let (id, name) = name(&sum.of);
        UsageRow {
            id,
            name,
            bucket: names.get(&sum.slice).cloned().unwrap_or_default(),
            energy_wh: sum.energy.0,
            sessions: sum.sessions,
            connected_s: sum.connected_ms / 1000,
        }
    };
    sums.sort_by(|a, b| (a.slice, &a.of).cmp(&(b.slice, &b.of)));
    let usage = Usage {
        from: time_text::text(from),
        to: time_text::text(to),
        energy_wh: sums.iter().map(|sum| sum.energy.0).sum(),
        sessions: sums.iter().map(|sum| sum.sessions).sum(),
        rows: sums.iter().map(row).collect(),
        busiest_hour: busiest.and_then(|sum| u8::try_from(sum.slice).ok()),
        hours_wh: by_slice(&hours, 24),
        weekdays_wh: by_slice(&weekdays, 7),
        connected_s: sums.iter().map(|sum| sum.connected_ms / 1000).sum(),
    };
    Ok(match query.format {
        Format::Json => Json(usage).into_response(),
        Format::Csv => csv(&usage),
    })
}

/// Beginnings of the buckets of a period, and what they are called.
fn slices(bucket: Bucket, from: Timestamp, to: Timestamp, zone: &TimeZone) -> (Vec<Slice>, BTreeMap<i32, String>) {
    let mut names = BTreeMap::new();
    let mut list = vec![Slice { start: from, key: 0 }];
    let step = match bucket {
        Bucket::Total => return (list, names),
        Bucket::Hour => {
            names.extend((0..24).map(|hour| (hour, hour.to_string())));
            return (hours(from, to, zone), names);
        }
        Bucket::Day => 1.day(),
        Bucket::Month => 1.month(),
    };
    let name = |date: Date| match bucket {
        Bucket::Month => date.strftime("%Y-%m").to_string(),
        Bucket::Total | Bucket::Day | Bucket::Hour => date.to_string(),
    };
    let Ok(first) = jiff::Timestamp::from_millisecond(from.0) else { return (list, names) };
    let first = first.to_zoned(zone.clone()).date();
    let mut date = if bucket == Bucket::Month { first.first_of_month() } else { first };
    names.insert(0, name(date));
    for key in 1.. {
        let Ok(next) = date.checked_add(step) else { break };
        date = next;
        let Ok(start) = date.to_zoned(zone.clone()) else { break };
        let start = Timestamp(start.timestamp().as_millisecond());
        if start >= to {
            break;
        }
        if start > from {
            names.insert(key, name(date));
            list.push(Slice { start, key });
        }
    }
    (list, names)
}

/// Energy by slice, 0 where there is none.
fn by_slice(sums: &[UsageSum], count: i32) -> Vec<u64> {
    let energy = |slice| sums.iter().filter(|sum| sum.slice == slice).map(|sum| sum.energy.0).sum();
    (0..count).map(energy).collect()
}

/// Every day of a period, under its day of the week, Monday first.
fn weekdays(from: Timestamp, to: Timestamp, zone: &TimeZone) -> Vec<Slice> {
    let weekday = |date: Date| i32::from(date.weekday().to_monday_zero_offset());
    let Ok(first) = jiff::Timestamp::from_millisecond(from.0) else { return Vec::new() };
    let mut date = first.to_zoned(zone.clone()).date();
    let mut list = vec![Slice { start: from, key: weekday(date) }];
    while let Ok(next) = date.tomorrow() {
        date = next;
        let Ok(start) = date.to_zoned(zone.clone()) else { break };
        let start = Timestamp(start.timestamp().as_millisecond());
        if start >= to {
            break;
        }
        list.push(Slice { start, key: weekday(date) });
    }
    list
}

/// Every hour of a period, under its hour of the day.
fn hours(from: Timestamp, to: Timestamp, zone: &TimeZone) -> Vec<Slice> {
    let mut list = Vec::new();
    let mut at = from;
    while at < to {
        let Ok(moment) = jiff::Timestamp::from_millisecond(at.0) else { break };
        let local = moment.to_zoned(zone.clone());
        list.push(Slice { start: at, key: i32::from(local.hour()) });
        // Offsets of zones are whole quarters of an hour, so the next full hour is found within the hour.
        let into = i64::from(local.minute()) * 60_000 + i64::from(local.second()) * 1000 + at.0.rem_euclid(1000);
        at = Timestamp(at.0 + 3_600_000 - into);
    }
    list
}

/// A cell that a spreadsheet does not take for a formula.
pub(super) fn quoted(text: &str) -> String {
    let text = if text.starts_with(['=', '+', '-', '@', '\t']) { format!("'{text}") } else { text.to_owned() };
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// A text as a file to keep.
pub(super) fn csv_file(name: &str, text: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    (headers, text).into_response()
}

fn csv(usage: &Usage) -> Response {
    let mut text = String::from("\u{feff}bucket,id,name,energy_wh,sessions,connected_s\r\n");
    for row in &usage.rows {
        let UsageRow { bucket, id, name, energy_wh, sessions, connected_s } = row;
        text.push_str(&format!("{bucket},{},{},{energy_wh},{sessions},{connected_s}\r\n", quoted(id), quoted(name)));
    }
    csv_file("usage.csv", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The day on which clocks go back has 25 hours in one bucket, and two of them are under one hour of the day.
    #[test]
    fn buckets_follow_the_clocks_of_the_building() {
        let zone = TimeZone::get("Europe/Lisbon").unwrap();
        let at = |text: &str| Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond());
        let (from, to) = (at("2026-10-24T23:00:00Z"), at("2026-10-27T00:00:00Z"));
        let (days, names) = slices(Bucket::Day, from, to, &zone);
        assert_eq!(days.len(), 2);
        assert_eq!(days[1].start.0 - days[0].start.0, 25 * 3_600_000);
        assert_eq!(names.values().collect::<Vec<_>>(), ["2026-10-25", "2026-10-26"]);
        let hours = hours(from, to, &zone);
        assert_eq!(hours.len(), 49);
        assert_eq!(hours.iter().filter(|slice| slice.key == 1).count(), 3, "01:00 comes twice on the 25th");
        let (months, names) = slices(Bucket::Month, at("2026-10-15T00:00:00Z"), at("2026-12-01T00:00:00Z"), &zone);
        assert_eq!((months.len(), names.len()), (2, 2));
    }
}

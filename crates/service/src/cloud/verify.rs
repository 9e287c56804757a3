//! Row by row: the records here against those in the cloud.

use super::CloudError;
use domain::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use store::{Reader, SinkState};
use sync::postgres::{Cloud, Difference, Kind, Step};

/// Rows compared at once.
const PAGE: i64 = 1000;

/// Differences that are kept to show; all are counted.
const SHOWN_MAX: usize = 50;

const DAY_MS: i64 = 86_400_000;

const MINUTE_MS: i64 = 60_000;

const QUARTER_MS: i64 = 900_000;

/// How one table compares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifiedTable {
    /// Its name.
    pub name: String,
    /// Rows here.
    pub rows: u64,
    /// Rows that are not there.
    pub missing: u64,
    /// Rows that say something else there.
    pub different: u64,
    /// Rows that are there only.
    pub extra: u64,
}

/// How everything compares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// Table by table; readings last.
    pub tables: Vec<VerifiedTable>,
    /// Changes that had not been sent when it began; they are not compared.
    pub waiting: i64,
    /// Some of the differences.
    pub shown: Vec<String>,
}

impl Verification {
    /// Whether nothing differs.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.tables.iter().all(|table| table.missing + table.different + table.extra == 0)
    }

    fn show(&mut self, difference: &Difference) {
        if self.shown.len() < SHOWN_MAX {
            let kind = match difference.kind {
                Kind::Missing => "is missing in the cloud".to_owned(),
                Kind::Extra => "is in the cloud only".to_owned(),
                Kind::Different => format!("differs in {}", difference.columns.join(", ")),
            };
            self.shown.push(format!("{} {} {kind}", difference.table, difference.key));
        }
    }
}

/// What has not arrived, because it waits or may still change: it is not compared.
pub(super) struct OnItsWay {
    rows: BTreeSet<(String, String)>,
    minutes: BTreeSet<i64>,
    /// Series, from, to.
    spans: Vec<(i64, i64, i64)>,
}

impl OnItsWay {
    pub(super) async fn read(reader: &Reader, sink: &str) -> Result<Self, CloudError> {
        let rows = reader.outbox_waiting(sink).await?;
        let mut found = Self { rows: BTreeSet::new(), minutes: reader.outbox_open_minutes().await?, spans: Vec::new() };
        for (kind, key) in rows {
            let numbers: Vec<i64> = serde_json::from_str(&key).unwrap_or_default();
            match (kind.as_str(), numbers.as_slice()) {
                ("minute", [minute]) => {
                    found.minutes.insert(*minute);
                }
                ("chunk" | "quarters", [series, from, to]) => found.spans.push((*series, *from, *to)),
                _ => {
                    found.rows.insert((kind, key));
                }
            }
        }
        Ok(found)
    }

    /// Whether a reading has arrived as it is.
    pub(super) fn has_arrived(&self, series: i64, at: i64) -> bool {
        let waits = |(of, from, to): &(i64, i64, i64)| *of == series && (*from..*to).contains(&at);
        !self.minutes.contains(&at.saturating_sub(at.rem_euclid(MINUTE_MS))) && !self.spans.iter().any(waits)
    }

    fn waits(&self, table: &str, key: &str) -> bool {
        self.rows.contains(&(table.to_owned(), key.to_owned()))
    }

    fn join(&mut self, other: Self) {
        self.rows.extend(other.rows);
        self.minutes.extend(other.minutes);
        self.spans.extend(other.spans);
    }
}

/// Compares all tables and all readings but what is on its way.
pub(super) async fn verify(reader: &Reader, state: &SinkState, cloud: &mut Cloud) -> Result<Verification, CloudError> {
    let mut found = Verification { waiting: state.waiting, ..Verification::default() };
    for table in store::outbox_tables(&state.sink) {
        let mut sums = VerifiedTable { name: table.name.to_owned(), ..VerifiedTable::default() };
        let name = state.sink.setup.name.as_str();
        let mut after: Option<String> = None;
        // Rows here that are not there, those on their way among them.
        let mut absent = 0;
        let mut way = OnItsWay::read(reader, name).await?;
        loop {
            let page = reader.outbox_rows(&state.sink, table.name, after.as_deref(), PAGE).await?;
            sums.rows += count(page.rows.len());
            let differences = cloud.compare(table.name, table.key, &page.rows).await?;
            if !differences.is_empty() {
                way.join(OnItsWay::read(reader, name).await?);
            }
            for difference in differences {
                absent += u64::from(difference.kind == Kind::Missing);
                if way.waits(table.name, &difference.key) {
                    continue;
                }
                match difference.kind {
                    Kind::Missing => sums.missing += 1,
                    Kind::Different => sums.different += 1,
                    Kind::Extra => sums.extra += 1,
                }
                found.show(&difference);
            }
            after = page.rows.last().map(|(key, _)| key.clone());
            if page.is_last {
                break;
            }
        }
        if table.follows {
            let there = u64::try_from(cloud.count(table.name).await?).unwrap_or(0);
            // A row that went here and waits to go there is counted there still.
            let going = count(way.rows.iter().filter(|(of, _)| *of == sums.name).count());
            let extra = there.saturating_sub(sums.rows.saturating_sub(absent));
            sums.extra = if extra <= going { 0 } else { extra };
        }
        found.tables.push(sums);
    }
    let readings = readings(reader, state, cloud, &mut found).await?;
    found.tables.push(readings);
    Ok(found)
}

/// Counts how two series of values differ.
fn add(
    sums: &mut VerifiedTable,
    found: &mut Verification,
    what: std::fmt::Arguments<'_>,
    local: &BTreeMap<i64, i64>,
    remote: &BTreeMap<i64, i64>,
) {
    let missing = count(local.keys().filter(|at| !remote.contains_key(at)).count());
    let extra = count(remote.keys().filter(|at| !local.contains_key(at)).count());
    let different = count(local.iter().filter(|(at, value)| remote.get(at).is_some_and(|it| it != *value)).count());
    sums.rows += count(local.len());
    sums.missing += missing;
    sums.extra += extra;
    sums.different += different;
    if missing + extra + different > 0 && found.shown.len() < SHOWN_MAX {
        found.shown.push(format!("reading {what}: {missing} missing, {different} different, {extra} extra"));
    }
}

async fn readings(
    reader: &Reader,
    state: &SinkState,
    cloud: &mut Cloud,
    found: &mut Verification,
) -> Result<VerifiedTable, CloudError> {
    let mut sums = VerifiedTable { name: "reading".to_owned(), ..VerifiedTable::default() };
    for (series, name, day) in reader.outbox_days().await? {
        let end = day.saturating_add(DAY_MS);
        // Before and after the values: what changes meanwhile is on its way.
        let mut way = OnItsWay::read(reader, &state.sink.setup.name).await?;
        let here = reader.outbox_readings(&state.sink, series, Timestamp(day), Timestamp(end)).await?;
        let there = cloud.series_readings(series, Step::Fine, (day, end)).await?;
        way.join(OnItsWay::read(reader, &state.sink.setup.name).await?);
        let arrived = |(at, _): &(i64, i64)| way.has_arrived(series, *at);
        let local: BTreeMap<i64, i64> = here.into_iter().filter(arrived).collect();
        let remote: BTreeMap<i64, i64> = there.into_iter().filter(arrived).collect();
        add(&mut sums, found, format_args!("{name} {day}"), &local, &remote);
    }
    let way = OnItsWay::read(reader, &state.sink.setup.name).await?;
    quarters(reader, cloud, &way, found, &mut sums).await?;
    Ok(sums)
}

/// Quarter-hours from before there are minutes. Where the cloud still has minutes of such a time, it knows more.
async fn quarters(
    reader: &Reader,
    cloud: &mut Cloud,
    way: &OnItsWay,
    found: &mut Verification,
    sums: &mut VerifiedTable,
) -> Result<(), CloudError> {
    for (series, name) in reader.outbox_series().await? {
        let mut local: BTreeMap<i64, i64> = reader.outbox_quarters(series).await?.into_iter().collect();
        let Some((first, last)) = local.keys().next().copied().zip(local.keys().next_back().copied()) else { continue };
        let span = (first, last.saturating_add(QUARTER_MS));
        let fine = cloud.series_readings(series, Step::Fine, span).await?;
        let finer: BTreeSet<i64> = fine.iter().map(|(at, _)| at.saturating_sub(at.rem_euclid(QUARTER_MS))).collect();
        local.retain(|at, _| !finer.contains(at) && way.has_arrived(series, *at));
        let mut remote: BTreeMap<i64, i64> =
            cloud.series_readings(series, Step::Quarter, span).await?.into_iter().collect();
        remote.retain(|at, _| !finer.contains(at) && way.has_arrived(series, *at));
        add(sums, found, format_args!("{name} by quarter-hours"), &local, &remote);
    }
    Ok(())
}

fn count(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

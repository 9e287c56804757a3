//! A year of a building in seconds, with the tables and the packing of the real thing: how large the file becomes and how
//! fast graphs open. What would have been removed by its age is not written in the first place.

use crate::maintenance::{Mean, means};
use crate::series_codec::Point;
use crate::table::frame::Row;
use crate::table::reading_chunk::{self, Resolution};
use crate::table::series::SeriesNumbers;
use crate::table::{frame_chunk, session, session_trace, to_json};
use crate::{Options, Retention, Store, StoreError};
use domain::{
    ChargerId, ConnectorNumber, DurationMs, EndReason, Known, Provenance, Quantity, Series, Session, SessionId, Source,
    Timestamp, WattHours,
};
use sqlx::{ConnectOptions as _, Connection as _, QueryBuilder, SqliteConnection};
use std::path::Path;
use std::time::{Duration, Instant};

const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;

/// Time between two readings of a series.
const READ_EVERY_MS: i64 = 10_000;

/// Columns of a charger that belong to its connector; the one after them is the second connector's power.
const FIRST_CONNECTOR: usize = 7;

/// Hours a car charges on a day, from six in the evening.
const CHARGES_FROM_H: i64 = 18;
const CHARGES_H: i64 = 6;

/// Decisions about a charger on a day: one every two minutes while it charges.
const DECISIONS_A_DAY: i64 = 180;

/// When the simulated time ends: 2026-01-01.
const END_MS: i64 = 1_767_225_600_000;

/// What to simulate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct YearPlan {
    /// Chargers, each with eight series.
    pub chargers: u16,
    /// Days.
    pub days: u16,
}

/// What came out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct YearReport {
    /// Readings that were measured.
    pub readings: u64,
    /// Size of the file, journal included.
    pub bytes: u64,
    /// Size of each table with its indices, largest first.
    pub tables: Vec<(String, u64)>,
    /// Time a graph of each period took: its name, the first time and the slowest of five.
    pub graphs: Vec<(String, Duration)>,
}

/// Fills an empty folder and measures.
///
/// # Errors
/// As [`crate::Store::open`].
pub async fn year(dir: &Path, plan: YearPlan, tell: impl Fn(u16)) -> Result<YearReport, StoreError> {
    let (writer, reader) = Store::open(dir, Options::default()).await?;
    drop(reader);
    writer.close().await?;
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(dir.join(crate::open::FILE))
        .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
        .synchronous(sqlx::sqlite::SqliteSynchronous::Off)
        .disable_statement_logging();
    let mut conn = options.connect().await?;
    let mut report = YearReport::default();
    let mut fill = Fill::new(plan);
    for day in 0..plan.days {
        let mut at = conn.begin().await?;
        report.readings += fill.day(&mut at, day).await?;
        at.commit().await?;
        tell(day + 1);
    }
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut conn).await?;
    report.tables = sizes(&mut conn).await?;
    conn.close().await?;
    report.bytes = std::fs::metadata(dir.join(crate::open::FILE)).map_or(0, |meta| meta.len());
    report.graphs = graphs(dir, plan).await?;
    Ok(report)
}

/// Pages of each table; none where SQLite was built without counting them.
async fn sizes(conn: &mut SqliteConnection) -> Result<Vec<(String, u64)>, StoreError> {
    let rows: Result<Vec<(String, i64)>, sqlx::Error> = sqlx::query_as(
        "SELECT tbl_name, sum(pgsize) FROM dbstat JOIN sqlite_schema USING (name) GROUP BY tbl_name ORDER BY 2 DESC LIMIT 8",
    )
    .fetch_all(conn)
    .await;
    let rows = rows.unwrap_or_default();
    Ok(rows.into_iter().map(|(name, bytes)| (name, u64::try_from(bytes).unwrap_or(0))).collect())
}

async fn graphs(dir: &Path, plan: YearPlan) -> Result<Vec<(String, Duration)>, StoreError> {
    let reader = Store::open_to_read(dir).await?;
    let mut wanted = vec![Series { source: Source::House, quantity: Quantity::Power }];
    for charger in 0..plan.chargers.min(11) {
        wanted.push(Series { source: source(charger), quantity: Quantity::Power });
    }
    let mut graphs = Vec::new();
    for (name, days_before, span_ms, step_ms) in [
        ("an hour, as measured", 0, HOUR_MS, 10_000),
        ("a day, as measured", 0, DAY_MS, 10_000),
        ("a day, 30 days ago", 30, DAY_MS, 10_000),
        ("a month, by quarter-hours", 0, 30 * DAY_MS, 900_000),
        ("a month, by minutes", 0, 30 * DAY_MS, 60_000),
        ("a year, by hours", 0, 365 * DAY_MS, 3_600_000),
        ("a year, by days", 0, 365 * DAY_MS, DAY_MS),
    ] {
        let to = END_MS - days_before * DAY_MS;
        let mut slowest = Duration::ZERO;
        for _ in 0..5 {
            let began = Instant::now();
            let step = DurationMs(u64::try_from(step_ms).unwrap_or(1));
            reader.reading_columns(&wanted, Timestamp(to - span_ms), Timestamp(to), step).await?;
            slowest = slowest.max(began.elapsed());
        }
        graphs.push((format!("{name}, {} series", wanted.len()), slowest));
    }
    Ok(graphs)
}

fn source(charger: u16) -> Source {
    #[expect(clippy::expect_used, reason = "letters and digits are an identity")]
    let id = ChargerId::new(format!("CP-{charger:03}")).expect("letters and digits are an identity");
    Source::Connector(id, ConnectorNumber(1))
}

/// Noise that is the same every time: `SplitMix64`.
struct Noise(u64);

impl Noise {
    fn below(&mut self, range: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        i64::try_from((z ^ (z >> 31)) >> 1).unwrap_or(0).rem_euclid(range.max(1))
    }
}

/// What of a day is young enough to be kept; quarter-hours always are.
#[derive(Clone, Copy)]
struct Kept {
    raw: bool,
    minutes: bool,
}

struct Fill {
    plan: YearPlan,
    retention: Retention,
    noise: Noise,
    numbers: SeriesNumbers,
    energy: Vec<i64>,
    sessions: i32,
}

impl Fill {
    fn new(plan: YearPlan) -> Self {
        Self {
            plan,
            retention: Retention::default(),
            noise: Noise(2026),
            numbers: SeriesNumbers::default(),
            energy: vec![0; usize::from(plan.chargers)],
            sessions: 0,
        }
    }

    async fn day(&mut self, conn: &mut SqliteConnection, day: u16) -> Result<u64, StoreError> {
        let start = END_MS - i64::from(self.plan.days - day) * DAY_MS;
        let age = |keep: DurationMs| END_MS - start <= i64::try_from(keep.0).unwrap_or(i64::MAX);
        let kept = Kept { raw: age(self.retention.raw), minutes: age(self.retention.minutes) };
        let mut readings = 0;
        let house = Series { source: Source::House, quantity: Quantity::Power };
        let mut load = 20_000;
        let values: Vec<Point> = (0..DAY_MS / READ_EVERY_MS)
            .map(|i| {
                load = (load + self.noise.below(401) - 200).clamp(3_000, 60_000);
                (start + i * READ_EVERY_MS, load)
            })
            .collect();
        readings += self.keep(conn, &house, &values, kept).await?;
        for charger in 0..self.plan.chargers {
            for (series, values) in self.charger(charger, start) {
                readings += self.keep(conn, &series, &values, kept).await?;
            }
            self.session(conn, charger, start).await?;
            if age(self.retention.decisions) {
                self.decisions(conn, charger, start).await?;
            }
            let (others, transactions) = (age(self.retention.frames), age(self.retention.transaction_frames));
            if transactions {
                self.frames(conn, charger, start, others).await?;
            }
        }
        Ok(readings)
    }

    /// Eight series of a charger on one day.
    fn charger(&mut self, charger: u16, start: i64) -> Vec<(Series, Vec<Point>)> {
        let mut columns: [Vec<Point>; 8] = Default::default();
        let mut set = 16_000;
        let mut energy = self.energy.get(usize::from(charger)).copied().unwrap_or(0);
        let mut rest = 0;
        for i in 0..DAY_MS / READ_EVERY_MS {
            let at = start + i * READ_EVERY_MS;
            let hour = (at - start) / HOUR_MS;
            let charges = (CHARGES_FROM_H..CHARGES_FROM_H + CHARGES_H).contains(&hour);
            if charges && self.noise.below(12) == 0 {
                set = 6_000 + self.noise.below(27) * 1_000;
            }
            let mut phase = || if charges { set - 100 + self.noise.below(60) } else { 0 };
            let currents = [phase(), phase(), phase()];
            let power = currents.iter().sum::<i64>() * 230 / 1000;
            rest += power * READ_EVERY_MS;
            energy += rest / HOUR_MS;
            rest %= HOUR_MS;
            let commanded = if charges { set } else { 0 };
            let [l1, l2, l3] = currents;
            for (column, value) in columns.iter_mut().zip([l1, l2, l3, power, energy, commanded, 32_000, 0]) {
                column.push((at, value));
            }
        }
        if let Some(kept) = self.energy.get_mut(usize::from(charger)) {
            *kept = energy;
        }
        let second = match source(charger) {
            Source::Connector(id, _) => Source::Connector(id, ConnectorNumber(2)),
            other => other,
        };
        columns
            .into_iter()
            .enumerate()
            .map(|(column, values)| {
                let quantity = Quantity::ALL.get(column).copied().filter(|_| column < FIRST_CONNECTOR);
                let series = match quantity {
                    Some(quantity) => Series { source: source(charger), quantity },
                    None => Series { source: second.clone(), quantity: Quantity::Power },
                };
                (series, values)
            })
            .collect()
    }

    /// Packs a day of a series as maintenance does, at the resolutions that are still kept.
    async fn keep(
        &mut self,
        conn: &mut SqliteConnection,
        series: &Series,
        values: &[Point],
        kept: Kept,
    ) -> Result<u64, StoreError> {
        let number = self.numbers.number(conn, series).await?;
        let mean = Mean::of(series.quantity);
        if kept.raw {
            for hour in values.chunks(usize::try_from(HOUR_MS / READ_EVERY_MS).unwrap_or(360)) {
                let start = hour.first().map_or(0, |point| point.0);
                reading_chunk::set(conn, number, Resolution::Raw, start, hour.iter().copied()).await?;
            }
        }
        let start = values.first().map_or(0, |point| point.0);
        if kept.minutes {
            let points = means(values, Resolution::Minute.step_ms(), mean);
            reading_chunk::set(conn, number, Resolution::Minute, start, points).await?;
        }
        let quarters = means(values, Resolution::Quarter.step_ms(), mean);
        let chunk = Resolution::Quarter.chunk_start(start);
        let mut points = reading_chunk::get(conn, number, Resolution::Quarter, chunk).await?;
        points.extend(quarters);
        reading_chunk::set(conn, number, Resolution::Quarter, chunk, points).await?;
        Ok(u64::try_from(values.len()).unwrap_or(0))
    }

    async fn session(&mut self, conn: &mut SqliteConnection, charger: u16, start: i64) -> Result<(), StoreError> {
        self.sessions += 1;
        let Source::Connector(id, connector) = source(charger) else { return Ok(()) };
        let (from, to) = (start + CHARGES_FROM_H * HOUR_MS, start + (CHARGES_FROM_H + CHARGES_H) * HOUR_MS);
        let one = Session {
            id: SessionId(self.sessions),
            charger: id,
            connector,
            card: None,
            tenant: None,
            started_at: Timestamp(from),
            ended_at: Some(Timestamp(to)),
            meter_start: WattHours(0),
            meter_last: WattHours(40_000),
            energy: WattHours(40_000),
            provenance: Provenance::Measured,
            end_reason: Some(EndReason::Card),
        };
        session::upsert(conn, &one).await?;
        let quarters = (0..CHARGES_H * 8).map(|i| (from + i * HOUR_MS / 8, i * 850)).collect();
        session_trace::set(conn, one.id, quarters).await
    }

    async fn decisions(&mut self, conn: &mut SqliteConnection, charger: u16, start: i64) -> Result<(), StoreError> {
        let Source::Connector(id, connector) = source(charger) else { return Ok(()) };
        let first = start + CHARGES_FROM_H * HOUR_MS;
        let known = to_json(&Known::default());
        let mut query =
            QueryBuilder::new("INSERT INTO decision (charger, connector, at_ms, limit_ma, sentence, known) ");
        query.push_values(0..DECISIONS_A_DAY, |mut row, i| {
            row.push_bind(id.as_str().to_owned())
                .push_bind(connector.0)
                .push_bind(first + i * CHARGES_H * HOUR_MS / DECISIONS_A_DAY)
                .push_bind(6_000 + i * 10)
                .push_bind("Shared with 7 other cars: the grid connection has 41.5 A left on L2")
                .push_bind(known.clone());
        });
        query.build().execute(conn).await?;
        Ok(())
    }

    /// A report of values every ten seconds while it charges, a heartbeat every minute, and their answers.
    async fn frames(
        &mut self,
        conn: &mut SqliteConnection,
        charger: u16,
        start: i64,
        others: bool,
    ) -> Result<(), StoreError> {
        let device = format!("CP-{charger:03}");
        for hour in 0..24 {
            let charges = (CHARGES_FROM_H..CHARGES_FROM_H + CHARGES_H).contains(&hour);
            let from = start + hour * HOUR_MS;
            let mut rows = Vec::new();
            let mut push = |at_ms: i64, received: bool, text: String| {
                rows.push(Row { id: at_ms, device: device.clone(), received, at_ms, topic: String::new(), text });
            };
            if charges {
                for i in 0..360 {
                    let at = from + i * 10_000;
                    let [a, b, c] = [0; 3].map(|_: i32| self.noise.below(60));
                    push(
                        at,
                        true,
                        format!(
                            r#"[2,"{at}","MeterValues",{{"connectorId":1,"transactionId":{},"meterValue":[{{"timestamp":"2026-11-20T{hour:02}:{:02}:{:02}Z","sampledValue":[{{"value":"{}.{a:02}","measurand":"Current.Import","phase":"L1","unit":"A"}},{{"value":"{}.{b:02}","measurand":"Current.Import","phase":"L2","unit":"A"}},{{"value":"{}.{c:02}","measurand":"Current.Import","phase":"L3","unit":"A"}},{{"value":"{}","measurand":"Energy.Active.Import.Register","unit":"Wh"}}]}}]}}]"#,
                            self.sessions,
                            i / 6,
                            i * 10 % 60,
                            12 + a % 5,
                            12 + b % 5,
                            12 + c % 5,
                            i * 30
                        ),
                    );
                    push(at + 5, false, format!(r#"[3,"{at}",{{}}]"#));
                }
                frame_chunk::insert(conn, &device, true, std::mem::take(&mut rows)).await?;
            } else if others {
                for i in 0..60 {
                    let at = from + i * 60_000;
                    push(at, true, format!(r#"[2,"{at}","Heartbeat",{{}}]"#));
                    push(at + 5, false, format!(r#"[3,"{at}",{{"currentTime":"2026-11-20T{hour:02}:{i:02}:00Z"}}]"#));
                }
                frame_chunk::insert(conn, &device, false, rows).await?;
            }
        }
        Ok(())
    }
}

//! Opening: one program per directory, a whole file, tables in this program's format.

use crate::lock::{Closed, Lock};
use crate::table::retention;
use crate::{Reader, StoreError, Writer, outbox};
use domain::DurationMs;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long each kind of record is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Readings as measured.
    pub raw: DurationMs,
    /// Minute means. Quarter-hours are kept for ever.
    pub minutes: DurationMs,
    /// Protocol frames outside transactions.
    pub frames: DurationMs,
    /// Protocol frames about transactions.
    pub transaction_frames: DurationMs,
    /// Decisions.
    pub decisions: DurationMs,
    /// Refused cards and cleared alarms.
    pub events: DurationMs,
}

const DAY_MS: u64 = 86_400_000;

impl Default for Retention {
    /// 40 days raw covers a month and its statement; 25 months of minutes compare two years; a week of frames is what
    /// a support case needs.
    fn default() -> Self {
        Self {
            raw: DurationMs(40 * DAY_MS),
            minutes: DurationMs(761 * DAY_MS),
            frames: DurationMs(7 * DAY_MS),
            transaction_frames: DurationMs(40 * DAY_MS),
            decisions: DurationMs(400 * DAY_MS),
            events: DurationMs(761 * DAY_MS),
        }
    }
}

/// How to open the records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// How long each kind of record is kept while nobody chose.
    pub retention: Retention,
    /// Most pages of 4 KiB the file may have; `None` for as many as the disk holds.
    pub pages_max: Option<u32>,
}

/// The file inside the data directory; SQLite keeps its journal beside it.
pub(crate) const FILE: &str = "meshwatt.db";

/// What SQLite appends to the file name for its journal and the index of it.
pub(crate) const COMPANIONS: [&str; 3] = ["", "-wal", "-shm"];

/// Another process can hold the file only for a moment, such as a backup.
pub(crate) const BUSY: Duration = Duration::from_secs(5);

/// Reading connections: the console, a program and a report at once. Each costs about 2 MB.
const READERS: u32 = 3;

/// The journal is cut back to this after a burst.
const JOURNAL_BYTES_MAX: &str = "67108864";

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// The records of one site.
#[derive(Debug)]
pub struct Store;

impl Store {
    /// Opens (or makes) the records in `dir`, checks that the file is whole and brings its tables to this program's
    /// format. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another program has them, [`StoreError::NewerSchema`] when a newer program wrote them,
    /// [`StoreError::Damaged`] when the file was damaged: it has then been renamed, and calling again starts afresh.
    pub async fn open(dir: &Path, options: Options) -> Result<(Writer, Reader), StoreError> {
        let (lock, closed) = Lock::take(dir)?;
        let path = dir.join(FILE);
        let mut conn = match open_whole(&path, &options, closed).await {
            Err(StoreError::Corrupt(error)) => {
                tracing::error!(%error, path = %path.display(), "the records are damaged");
                return Err(StoreError::Damaged { set_aside: set_aside(dir)? });
            }
            other => other?,
        };
        let feeding = outbox::install(&mut conn).await?;
        let kept = retention::get(&mut conn).await?.unwrap_or(options.retention);
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_lazy_with(connect_options(&path).pragma("query_only", "1"));
        Ok((Writer::start(conn, lock, kept, feeding), Reader::new(readers)))
    }
}

impl Store {
    /// Opens the records in `dir` only to read them, also while another program writes them.
    ///
    /// # Errors
    /// When there are none, or their format is not this program's.
    pub async fn open_to_read(dir: &Path) -> Result<Reader, StoreError> {
        let path = dir.join(FILE);
        let missing =
            |source: std::io::Error| StoreError::Directory { dir: dir.to_path_buf(), source: Arc::new(source) };
        std::fs::metadata(&path).map_err(missing)?;
        let options = SqliteConnectOptions::new().filename(&path).busy_timeout(BUSY).disable_statement_logging();
        let mut conn = options.clone().connect().await?;
        check_format(&mut conn, &path).await?;
        conn.close().await?;
        let options = options.pragma("query_only", "1");
        Ok(Reader::new(SqlitePoolOptions::new().max_connections(READERS).connect_lazy_with(options)))
    }
}

fn connect_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY)
        .foreign_keys(true)
        .pragma("journal_size_limit", JOURNAL_BYTES_MAX)
        .disable_statement_logging()
}

async fn open_whole(path: &Path, options: &Options, closed: Closed) -> Result<SqliteConnection, StoreError> {
    let mut conn = connect_options(path).connect().await?;
    if let Err(error) = make_ready(&mut conn, path, options, closed).await {
        // Closed before anything is done to the file: its journal goes with the last connection, whenever that is.
        drop(conn.close().await);
        return Err(error);
    }
    Ok(conn)
}

async fn make_ready(
    conn: &mut SqliteConnection,
    path: &Path,
    options: &Options,
    closed: Closed,
) -> Result<(), StoreError> {
    if closed == Closed::Unknown {
        check_whole(conn).await?;
    }
    check_format(conn, path).await?;
    if let Some(pages) = options.pages_max {
        let sql = format!("PRAGMA max_page_count = {pages}");
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut *conn).await?;
    }
    MIGRATOR.run(conn).await.map_err(|error| match error {
        sqlx::migrate::MigrateError::Execute(error) => StoreError::from(error),
        other => StoreError::Migration(Arc::new(other)),
    })
}

/// Reads every page once. Only after a crash: a file that was closed cleanly is as it was.
pub(crate) async fn check_whole(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    let found: Vec<String> = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_all(conn).await?;
    match found.first().map(String::as_str) {
        Some("ok") | None => Ok(()),
        Some(other) => Err(StoreError::Corrupt(Arc::new(sqlx::Error::Protocol(other.to_owned())))),
    }
}

/// Refuses a file of a newer program before anything is written to it.
pub(crate) async fn check_format(conn: &mut SqliteConnection, path: &Path) -> Result<(), StoreError> {
    let made: Option<i64> = sqlx::query_scalar("SELECT 1 FROM sqlite_schema WHERE name = '_sqlx_migrations'")
        .fetch_optional(&mut *conn)
        .await?;
    if made.is_none() {
        return Ok(());
    }
    let found: Option<i64> = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations").fetch_one(conn).await?;
    let known = MIGRATOR.iter().map(|migration| migration.version).max().unwrap_or(0);
    match found {
        Some(found) if found > known => Err(StoreError::NewerSchema { path: path.to_path_buf(), found, known }),
        Some(_) | None => Ok(()),
    }
}

/// Bytes the records in `dir` take on the disk, journal included.
#[must_use]
pub fn size_on_disk(dir: &Path) -> u64 {
    let sizes =
        COMPANIONS.map(|companion| std::fs::metadata(dir.join(format!("{FILE}{companion}"))).map(|it| it.len()));
    sizes.into_iter().flatten().sum()
}

/// Renames the damaged file and its journal, so that nothing in them is lost to a repair by hand.
fn set_aside(dir: &Path) -> Result<PathBuf, StoreError> {
    let stamp = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
    let target = dir.join(format!("meshwatt.damaged-{stamp}.db"));
    for companion in COMPANIONS {
        let from = dir.join(format!("{FILE}{companion}"));
        let to = dir.join(format!("meshwatt.damaged-{stamp}.db{companion}"));
        match std::fs::rename(&from, &to) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(StoreError::Directory { dir: dir.to_path_buf(), source: Arc::new(error) });
            }
            // There is not always a journal.
            Ok(()) | Err(_) => {}
        }
    }
    Ok(target)
}

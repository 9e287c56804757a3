//! Copies of the records: made while others write, looked into, brought back; and what can be saved from a damaged file.

use crate::error::StoreError;
use crate::lock::Lock;
use crate::open::{BUSY, COMPANIONS, FILE, check_format, check_whole};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, SqliteConnection};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Rows saved from a damaged table in one step: what one broken page costs at most.
const SALVAGE_STEP: i64 = 100;

/// What is in a copy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inspection {
    /// Name of the building.
    pub site: String,
    /// Sessions, tenants, chargers and closed months in it.
    pub sessions: i64,
    /// Tenants in it.
    pub tenants: i64,
    /// Chargers in it.
    pub chargers: i64,
    /// Closed months in it.
    pub closed_months: i64,
    /// When its newest session began or ended, in milliseconds since 1970.
    pub newest_ms: Option<i64>,
    /// Size in bytes.
    pub bytes: u64,
    /// Format of its tables.
    pub format: i64,
}

fn directory(dir: &Path) -> impl Fn(std::io::Error) -> StoreError + '_ {
    |source| StoreError::Directory { dir: dir.to_path_buf(), source: Arc::new(source) }
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

async fn connect(path: &Path) -> Result<SqliteConnection, StoreError> {
    let options = SqliteConnectOptions::new().filename(path).busy_timeout(BUSY).disable_statement_logging();
    Ok(options.connect().await?)
}

/// Copies the records in `dir` into a new file `to`, whole and as of one moment, while others write. The file appears
/// under its name only when it is complete and on the disk.
///
/// # Errors
/// When there are no records, or the folder cannot be written or is full.
pub async fn backup_write(dir: &Path, to: &Path) -> Result<u64, StoreError> {
    let failed = directory(parent(to));
    std::fs::create_dir_all(parent(to)).map_err(&failed)?;
    let unfinished = to.with_extension("unfinished");
    if unfinished.exists() {
        std::fs::remove_file(&unfinished).map_err(&failed)?;
    }
    let source = dir.join(FILE);
    std::fs::metadata(&source).map_err(directory(dir))?;
    let mut conn = connect(&source).await?;
    let done = sqlx::query("VACUUM INTO ?").bind(unfinished.display().to_string()).execute(&mut conn).await;
    conn.close().await?;
    if let Err(error) = done {
        drop(std::fs::remove_file(&unfinished));
        return Err(error.into());
    }
    let file = std::fs::OpenOptions::new().write(true).open(&unfinished).map_err(&failed)?;
    file.sync_all().map_err(&failed)?;
    let bytes = file.metadata().map_err(&failed)?.len();
    std::fs::rename(&unfinished, to).map_err(&failed)?;
    Ok(bytes)
}

/// First bytes of every SQLite file.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Looks into a copy and checks that it is whole.
///
/// # Errors
/// When it is damaged, no copy of records, or of a newer program.
pub async fn backup_inspect(file: &Path) -> Result<Inspection, StoreError> {
    let named = |source| StoreError::Directory { dir: file.to_path_buf(), source: Arc::new(source) };
    let no_copy = || StoreError::NoCopy { file: file.to_path_buf() };
    if !file.is_file() {
        return Err(no_copy());
    }
    let bytes = std::fs::metadata(file).map_err(named)?.len();
    let mut first = [0; 16];
    let read = std::fs::File::open(file).and_then(|mut file| file.read(&mut first)).map_err(named)?;
    if first.get(..read) != Some(MAGIC) {
        return Err(no_copy());
    }
    match inspect(file, bytes).await {
        Err(StoreError::Corrupt(source)) => Err(StoreError::DamagedCopy { file: file.to_path_buf(), source }),
        // A database of somebody else has other tables.
        Err(StoreError::Query(_)) => Err(no_copy()),
        other => other,
    }
}

async fn inspect(file: &Path, bytes: u64) -> Result<Inspection, StoreError> {
    let options =
        SqliteConnectOptions::new().filename(file).read_only(true).immutable(true).disable_statement_logging();
    let mut conn = options.connect().await?;
    check_whole(&mut conn).await?;
    check_format(&mut conn, file).await?;
    let (sessions, tenants, chargers, newest_ms, format): (i64, i64, i64, Option<i64>, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM session), (SELECT count(*) FROM tenant), (SELECT count(*) FROM charger),
             (SELECT max(ifnull(ended_at_ms, started_at_ms)) FROM session), (SELECT max(version) FROM _sqlx_migrations)",
    )
    .fetch_one(&mut conn)
    .await?;
    let site: Option<String> = sqlx::query_scalar("SELECT name FROM site").fetch_optional(&mut conn).await?;
    // Copies of older programs have no months.
    let closed_months = sqlx::query_scalar("SELECT count(*) FROM closed_month").fetch_one(&mut conn).await.unwrap_or(0);
    conn.close().await?;
    let site = site.unwrap_or_default();
    Ok(Inspection { site, sessions, tenants, chargers, closed_months, newest_ms, bytes, format })
}

/// Names, in the folder of files, of the files a copy knows of; those that never arrived are not among them.
///
/// # Errors
/// As [`backup_inspect`].
pub async fn backup_files(file: &Path) -> Result<Vec<String>, StoreError> {
    let options =
        SqliteConnectOptions::new().filename(file).read_only(true).immutable(true).disable_statement_logging();
    let mut conn = options.connect().await?;
    let known: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE name = 'stored_file'")
        .fetch_one(&mut conn)
        .await?;
    // Copies of older programs have none.
    let names = match known {
        0 => Vec::new(),
        _ => {
            sqlx::query_scalar("SELECT id FROM stored_file WHERE bytes IS NOT NULL ORDER BY id")
                .fetch_all(&mut conn)
                .await?
        }
    };
    conn.close().await?;
    Ok(names)
}

/// Puts a copy in place of the records in `dir`, which no program may be using. What was there is kept beside it under
/// the name that is returned.
///
/// # Errors
/// As [`backup_inspect`]; [`StoreError::InUse`] while a program uses the records. Nothing has changed then.
pub async fn backup_restore(file: &Path, dir: &Path) -> Result<Option<PathBuf>, StoreError> {
    backup_inspect(file).await?;
    let failed = directory(dir);
    std::fs::create_dir_all(dir).map_err(&failed)?;
    let (lock, _closed) = Lock::take(dir)?;
    let arriving = dir.join("meshwatt.arriving.db");
    std::fs::copy(file, &arriving).map_err(&failed)?;
    std::fs::File::open(&arriving).and_then(|file| file.sync_all()).map_err(&failed)?;
    let stamp = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
    let mut kept = None;
    for companion in COMPANIONS {
        let from = dir.join(format!("{FILE}{companion}"));
        if from.exists() {
            let to = dir.join(format!("meshwatt.before-restore-{stamp}.db{companion}"));
            std::fs::rename(&from, &to).map_err(&failed)?;
            kept.get_or_insert(to);
        }
    }
    std::fs::rename(&arriving, dir.join(FILE)).map_err(&failed)?;
    drop(lock);
    Ok(kept)
}

/// Brings over what can still be read from a damaged file into the records in `dir`, where it is missing: what happened
/// since the copy they were restored from. Gives the number of rows. No program may be using the records.
///
/// # Errors
/// When the records themselves cannot be written.
pub async fn salvage(damaged: &Path, dir: &Path) -> Result<u64, StoreError> {
    let (lock, _closed) = Lock::take(dir)?;
    let options = SqliteConnectOptions::new()
        .filename(dir.join(FILE))
        .journal_mode(SqliteJournalMode::Wal)
        .foreign_keys(false)
        .disable_statement_logging();
    let mut conn = options.connect().await?;
    sqlx::query("ATTACH ? AS damaged").bind(damaged.display().to_string()).execute(&mut conn).await?;
    let tables: Vec<(String, String)> = sqlx::query_as(
        "SELECT name, sql FROM main.sqlite_schema WHERE type = 'table' AND name NOT GLOB 'sqlite_*'
             AND name NOT GLOB '_sqlx*' AND name <> 'outbox' ORDER BY name",
    )
    .fetch_all(&mut conn)
    .await?;
    let mut saved = 0;
    for (table, sql) in tables {
        let whole = sql.to_uppercase().contains("WITHOUT ROWID");
        saved += salvage_table(&mut conn, &table, whole).await;
    }
    // A detach that fails changes nothing: the connection ends anyway.
    drop(sqlx::query("DETACH damaged").execute(&mut conn).await);
    conn.close().await?;
    drop(lock);
    Ok(saved)
}

/// Rows of one table; those that cannot be read are left.
async fn salvage_table(conn: &mut SqliteConnection, table: &str, whole: bool) -> u64 {
    // The newest state of a session that both have is the one in the damaged file, which went on for longer.
    let conflict = if table == "session" || table == "session_trace" { "REPLACE" } else { "IGNORE" };
    let insert = format!("INSERT OR {conflict} INTO main.{table} SELECT * FROM damaged.{table}");
    if let Ok(done) = sqlx::query(AssertSqlSafe(insert.clone())).execute(&mut *conn).await {
        return done.rows_affected();
    }
    let last: Option<i64> = sqlx::query_scalar(AssertSqlSafe(format!("SELECT max(rowid) FROM damaged.{table}")))
        .fetch_one(&mut *conn)
        .await
        .unwrap_or(None);
    let (Some(last), false) = (last, whole) else { return 0 };
    let first: i64 = sqlx::query_scalar(AssertSqlSafe(format!("SELECT ifnull(max(rowid), 0) FROM main.{table}")))
        .fetch_one(&mut *conn)
        .await
        .unwrap_or(0);
    // From a little before what the copy knows: rows change for a while.
    let mut from = (first - 10 * SALVAGE_STEP).max(0);
    let mut saved = 0;
    while from <= last {
        let step = format!("{insert} WHERE rowid >= {from} AND rowid < {}", from + SALVAGE_STEP);
        match sqlx::query(AssertSqlSafe(step)).execute(&mut *conn).await {
            Ok(done) => saved += done.rows_affected(),
            Err(error) => tracing::warn!(table, from, %error, "rows of the damaged file cannot be read"),
        }
        from += SALVAGE_STEP;
    }
    saved
}

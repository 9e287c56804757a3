//! The least a durable log can be: one table, one writer, everything that waits in one transaction. What the whole
//! store is compared with.

use crate::StoreError;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use std::path::Path;
use std::sync::LazyLock;
use tokio::sync::{mpsc, oneshot};

/// Texts in one transaction at most.
const GROUP_MAX: usize = 4096;

/// Texts in one statement.
const TOGETHER: usize = 32;

static INSERT_MANY: LazyLock<String> =
    LazyLock::new(|| format!("INSERT INTO log (text) VALUES {}", vec!["(?)"; TOGETHER].join(", ")));

type Waiting = (String, oneshot::Sender<()>);

/// A durable log of texts, only for measuring.
#[derive(Clone, Debug)]
pub struct BareLog {
    waiting: mpsc::Sender<Waiting>,
}

impl BareLog {
    /// Opens a new log in a folder.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub async fn open(dir: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(dir.join("bare.sqlite"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full);
        let mut conn = options.connect().await?;
        sqlx::query("CREATE TABLE IF NOT EXISTS log (id INTEGER PRIMARY KEY, text TEXT NOT NULL)")
            .execute(&mut conn)
            .await?;
        let (waiting, received) = mpsc::channel(GROUP_MAX);
        drop(tokio::spawn(write(conn, received)));
        Ok(Self { waiting })
    }

    /// Keeps a text; returns when it is on the disk.
    ///
    /// # Errors
    /// When the log died.
    pub async fn keep(&self, text: String) -> Result<(), StoreError> {
        let (done, kept) = oneshot::channel();
        self.waiting.send((text, done)).await.map_err(|_died| StoreError::Closed)?;
        kept.await.map_err(|_died| StoreError::Closed)
    }
}

async fn write(mut conn: SqliteConnection, mut received: mpsc::Receiver<Waiting>) {
    let mut group = Vec::with_capacity(GROUP_MAX);
    while received.recv_many(&mut group, GROUP_MAX).await > 0 {
        if let Err(error) = commit(&mut conn, &group).await {
            tracing::error!(%error, "the bare log failed");
            return;
        }
        for (_, done) in group.drain(..) {
            // Whoever stopped waiting needs no answer.
            let _gone = done.send(());
        }
    }
}

async fn commit(conn: &mut SqliteConnection, group: &[Waiting]) -> Result<(), sqlx::Error> {
    sqlx::query("BEGIN IMMEDIATE").execute(&mut *conn).await?;
    // As the store does: many rows in a statement, since each is a way to the database's thread and back.
    let (many, rest) = group.as_chunks::<TOGETHER>();
    for texts in many {
        let query = texts.iter().fold(sqlx::query(INSERT_MANY.as_str()), |query, (text, _)| query.bind(text));
        query.execute(&mut *conn).await?;
    }
    for (text, _) in rest {
        sqlx::query("INSERT INTO log (text) VALUES (?)").bind(text).execute(&mut *conn).await?;
    }
    sqlx::query("COMMIT").execute(&mut *conn).await?;
    Ok(())
}

//! PostgreSQL: all sites of a company in one database, and what can stand in the way, precisely.

mod compare;
mod connect;
mod fetch;
mod orders;
mod schema;
mod write;

pub use self::compare::{Difference, Kind, RemoteReading, Step};
pub(crate) use self::connect::trouble;
pub use self::connect::{Settings, Tested, Tls, migrate, test};
pub use self::fetch::{RemoteRow, RemoteSite};
pub use self::orders::{CardAction, CardOrder};
pub use self::schema::FORMAT;

use crate::{Batch, Sink, Trouble};
use sqlx::PgConnection;
use sqlx::types::Uuid;

/// A connection that sends for one site.
#[derive(Debug)]
pub struct Cloud {
    pub(crate) conn: PgConnection,
    pub(crate) site: Uuid,
    pub(crate) tables: write::Tables,
}

/// Who sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writer {
    /// Identity of the site, 32 hexadecimal digits.
    pub site: String,
    /// Its name, for lists.
    pub site_name: String,
    /// Identity of this computer's data folder.
    pub computer: String,
    /// The computer's name.
    pub computer_name: String,
    /// The highest number its records ever handed over, noted before they did: a cloud that has more had it from newer
    /// records.
    pub sent: i64,
}

impl Sink for Cloud {
    async fn deliver(&mut self, batch: &Batch) -> Result<(), Trouble> {
        self.write(batch).await
    }
}

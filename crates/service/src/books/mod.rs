//! The books: tariff, letterhead and months, read from the records and computed by `reports`.
//!
//! Everything that only reads works on a [`store::Reader`], so that `meshwatt report` and `meshwatt verify` do the same
//! as the running program, also beside it.

mod around;
mod error;
mod files;
mod input;
mod job;
mod mail;
mod month;

pub use self::error::BooksError;
pub use self::files::{FileKind, Which};
pub(crate) use self::job::{Job, Jobs};
pub(crate) use self::mail::{MailServer, MailTask, Security, send_all};
pub use self::month::{MonthBook, Verified};

use self::around::LetterheadDocument;
use domain::{Clock as _, Timestamp};
use reports::{Month, Tariff, Zone};
use serde::de::DeserializeOwned;
use std::path::Path;
use store::{NamedDocument, Reader, StatementRecord, Store, Writer};

/// Names of the documents in the records.
const TARIFF: &str = "tariff";
const LETTERHEAD: &str = "letterhead";
const MAIL: &str = "mail";

/// Reads tariff, letterhead and months.
#[derive(Clone, Debug)]
pub struct Books {
    reader: Reader,
}

/// A month in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedMonth {
    /// Which.
    pub month: Month,
    /// When it was closed; `None` while it is open.
    pub closed_at: Option<Timestamp>,
}

impl Books {
    pub(crate) const fn new(reader: Reader) -> Self {
        Self { reader }
    }

    /// The present by this computer's clock, for commands that run beside the program.
    #[must_use]
    pub fn present() -> Timestamp {
        crate::config::SystemClock::default().now().wall
    }

    /// Opens the books in a data folder to read them, also while the program runs.
    ///
    /// # Errors
    /// When there are no records, or they are of another version.
    pub async fn open(dir: &Path) -> Result<Self, BooksError> {
        Ok(Self::new(Store::open_to_read(dir).await?))
    }

    pub(crate) async fn tariff(&self) -> Result<Tariff, BooksError> {
        Ok(self.document(TARIFF).await?.unwrap_or_default())
    }

    pub(crate) async fn letterhead(&self) -> Result<LetterheadDocument, BooksError> {
        Ok(self.document(LETTERHEAD).await?.unwrap_or_default())
    }

    pub(crate) async fn mail(&self) -> Result<MailServer, BooksError> {
        Ok(self.document(MAIL).await?.unwrap_or_default())
    }

    async fn document<T: DeserializeOwned>(&self, name: &'static str) -> Result<Option<T>, BooksError> {
        let found = self.reader.document_get(name).await?;
        let read = |document: NamedDocument| {
            serde_json::from_str(&document.text).map_err(|source| BooksError::Document { name, source })
        };
        found.map(read).transpose()
    }

    /// Months with sessions or statements, newest first, up to the present one.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub async fn months(&self, now: Timestamp) -> Result<Vec<ListedMonth>, BooksError> {
        let zone = self.zone().await?;
        let closed = self.reader.closed_month_list().await?;
        let first = self.reader.session_first_start().await?.unwrap_or(now).min(now);
        let first = closed.first().and_then(|month| month.month.parse().ok()).unwrap_or(Month::of(zone.date(first)));
        let first = first.min(Month::of(zone.date(now)));
        let last = Month::of(zone.date(now));
        let mut months = Vec::new();
        let mut month = first;
        // A clock that was once wrong by decades must not make a list of centuries.
        while month <= last && months.len() < 1200 {
            let closed_at = closed.iter().find(|one| one.month == month.to_string()).map(|one| one.closed_at);
            months.push(ListedMonth { month, closed_at });
            month = month.next();
        }
        months.reverse();
        Ok(months)
    }

    async fn zone(&self) -> Result<Zone, BooksError> {
        let basis = self.reader.statement_basis().await?;
        let site = basis.site.ok_or(BooksError::NoSite)?;
        Zone::new(&site.time_zone).map_err(BooksError::Zone)
    }
}

/// Keeps a document as the one in force.
pub(crate) async fn document_set(
    writer: &Writer,
    name: &'static str,
    at: Timestamp,
    value: &impl serde::Serialize,
) -> Result<(), BooksError> {
    let text = serde_json::to_string(value).map_err(|source| BooksError::Document { name, source })?;
    let document = NamedDocument { name: name.to_owned(), at, text };
    Ok(writer.statement(StatementRecord::Document(document)).await?)
}

pub(crate) async fn tariff_set(writer: &Writer, at: Timestamp, tariff: &Tariff) -> Result<(), BooksError> {
    document_set(writer, TARIFF, at, tariff).await
}

pub(crate) async fn letterhead_set(
    writer: &Writer,
    at: Timestamp,
    letterhead: &LetterheadDocument,
) -> Result<(), BooksError> {
    document_set(writer, LETTERHEAD, at, letterhead).await
}

pub(crate) async fn mail_set(writer: &Writer, at: Timestamp, server: &MailServer) -> Result<(), BooksError> {
    document_set(writer, MAIL, at, server).await
}

pub(crate) use self::around::{letterhead_from, letterhead_item};
pub(crate) use self::input::with_unit_keys;

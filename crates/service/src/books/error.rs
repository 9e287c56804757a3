//! Why the books cannot be read, closed or written.

use reports::chain::ChainError;
use reports::render::{LanguageError, LogoError, PdfError, XlsxFailure};
use reports::{TariffError, ZoneError};
use store::StoreError;

/// Why something about the statements failed, in words that say what to do.
#[derive(Debug, thiserror::Error)]
pub enum BooksError {
    /// The records.
    #[error("the records cannot be read or written")]
    Store(#[source] StoreError),
    /// First run.
    #[error("the building has no settings yet; finish the set-up first")]
    NoSite,
    /// The building's zone.
    #[error("the time zone of the building is wrong")]
    Zone(#[source] ZoneError),
    /// A document of another version.
    #[error("the {name} cannot be read; save it again in the console")]
    Document {
        /// Which.
        name: &'static str,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The tariff breaks its rules.
    #[error("{}", sentences(.0))]
    Tariff(Vec<TariffError>),
    /// No picture.
    #[error(transparent)]
    Logo(LogoError),
    /// No language.
    #[error(transparent)]
    Language(LanguageError),
    /// Something keeps the month from closing.
    #[error("the month cannot close yet: {0} to settle; see its obstacles")]
    Obstacles(usize),
    /// It is closed.
    #[error("the month is closed already; what comes later becomes a correction of the next one")]
    Closed,
    /// The chain does not hold.
    #[error(transparent)]
    Chain(ChainError),
    /// The tenant has no statement.
    #[error("this tenant has no statement in this month")]
    NoStatement,
    /// No PDF.
    #[error(transparent)]
    Pdf(PdfError),
    /// No workbook.
    #[error(transparent)]
    Xlsx(XlsxFailure),
    /// No archive.
    #[error("the archive cannot be written")]
    Archive(#[source] zip::result::ZipError),
    /// A computation ended before its time.
    #[error("the program is ending; try again when it runs")]
    Ending,
}

fn sentences(errors: &[TariffError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl From<StoreError> for BooksError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<ChainError> for BooksError {
    fn from(error: ChainError) -> Self {
        Self::Chain(error)
    }
}

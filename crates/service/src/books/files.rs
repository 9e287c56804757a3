//! Statements as files, one by one and all in an archive.

use super::{BooksError, Job, MonthBook};
use reports::render::{
    Dialect, Language, statement_csv, statement_pdf, statement_xlsx, summary_csv, summary_pdf, summary_xlsx,
};
use std::io::{Cursor, Write as _};

/// Which paper of a month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The building's summary.
    Summary,
    /// A tenant's statement, by pseudonym.
    Tenant(String),
}

/// Kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// PDF.
    Pdf,
    /// Workbook.
    Xlsx,
    /// CSV as in RFC 4180.
    Csv,
    /// CSV with semicolons and decimal commas.
    CsvSemicolon,
}

impl FileKind {
    /// From the words of the API and the command line; `None` for words they do not have.
    #[must_use]
    pub fn from_words(format: &str, dialect: Option<&str>) -> Option<Self> {
        match (format, dialect) {
            ("pdf", _) => Some(Self::Pdf),
            ("xlsx", _) => Some(Self::Xlsx),
            ("csv", None | Some("rfc4180")) => Some(Self::Csv),
            ("csv", Some("semicolon")) => Some(Self::CsvSemicolon),
            _ => None,
        }
    }

    /// End of the file's name.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Xlsx => "xlsx",
            Self::Csv | Self::CsvSemicolon => "csv",
        }
    }

    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Csv | Self::CsvSemicolon => "text/csv; charset=utf-8",
        }
    }
}

pub(super) fn render(
    book: &MonthBook,
    which: &Which,
    kind: FileKind,
    language: Option<Language>,
) -> Result<Vec<u8>, BooksError> {
    match which {
        Which::Summary => {
            let setting = book.around.setting(language.unwrap_or(book.around.language), book.summary_seal.as_ref());
            let summary = &book.result.summary;
            match kind {
                FileKind::Pdf => summary_pdf(summary, &setting).map_err(BooksError::Pdf),
                FileKind::Xlsx => summary_xlsx(summary, &setting).map_err(BooksError::Xlsx),
                FileKind::Csv => Ok(summary_csv(summary, &setting, Dialect::Rfc4180)),
                FileKind::CsvSemicolon => Ok(summary_csv(summary, &setting, Dialect::Semicolon)),
            }
        }
        Which::Tenant(key) => {
            let statement = book.statement(key).ok_or(BooksError::NoStatement)?;
            let own = book.around.known.get(key).and_then(|known| known.language);
            let language = language.or(own).unwrap_or(book.around.language);
            let setting = book.around.setting(language, book.seals.get(&statement.tenant));
            match kind {
                FileKind::Pdf => statement_pdf(statement, &setting).map_err(BooksError::Pdf),
                FileKind::Xlsx => statement_xlsx(statement, &setting).map_err(BooksError::Xlsx),
                FileKind::Csv => Ok(statement_csv(statement, &setting, Dialect::Rfc4180)),
                FileKind::CsvSemicolon => Ok(statement_csv(statement, &setting, Dialect::Semicolon)),
            }
        }
    }
}

/// Letters and digits of a text, for a file name every system takes.
fn plain(text: &str) -> String {
    let mut name = String::new();
    for letter in text.chars() {
        match fold(letter) {
            Some(letter) => name.push(letter),
            None if !name.is_empty() && !name.ends_with('-') => name.push('-'),
            None => {}
        }
    }
    name.trim_matches('-').chars().take(40).collect()
}

fn fold(letter: char) -> Option<char> {
    const ACCENTED: &str = "áàâãäéèêëíìîïóòôõöúùûüçñÁÀÂÃÄÉÈÊËÍÌÎÏÓÒÔÕÖÚÙÛÜÇÑ";
    const PLAIN: &str = "aaaaaeeeeiiiiooooouuuucnAAAAAEEEEIIIIOOOOOUUUUCN";
    if letter.is_ascii_alphanumeric() {
        return Some(letter);
    }
    let place = ACCENTED.chars().position(|known| known == letter)?;
    PLAIN.chars().nth(place)
}

impl MonthBook {
    /// A name for a paper's file: the month, the unit, the tenant, and a number that tells equal ones apart.
    #[must_use]
    pub fn file_name(&self, which: &Which, kind: FileKind) -> String {
        let month = self.month;
        let extension = kind.extension();
        match which {
            Which::Summary => format!("{month}_summary.{extension}"),
            Which::Tenant(key) => {
                let known = self.around.known.get(key);
                let id = known.map_or_else(|| plain(key), |known| known.id.to_string());
                let person = known.map(|known| &known.person);
                let unit = person.map(|person| plain(&person.unit)).unwrap_or_default();
                let name = person.map(|person| plain(&person.name)).unwrap_or_default();
                let parts = [month.to_string(), unit, name, id];
                let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
                format!("{}.{extension}", parts.join("_"))
            }
        }
    }

    /// Every paper in one archive, paper by paper, until the job is cancelled.
    pub(crate) fn archive(&self, kind: FileKind, job: &Job) -> Result<Option<Vec<u8>>, BooksError> {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        // The files are compressed inside already.
        let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        for which in self.papers() {
            if job.is_cancelled() {
                return Ok(None);
            }
            archive.start_file(self.file_name(&which, kind), options).map_err(BooksError::Archive)?;
            let bytes = self.file(&which, kind, None)?;
            archive.write_all(&bytes).map_err(|error| BooksError::Archive(error.into()))?;
            job.step();
        }
        let done = archive.finish().map_err(BooksError::Archive)?;
        Ok(Some(done.into_inner()))
    }
}

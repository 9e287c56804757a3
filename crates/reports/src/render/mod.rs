//! The files statements are handed out as: PDF, XLSX and CSV, in the tenant's language.
//!
//! Must not compute: every figure comes from a [`Statement`](crate::Statement) or a [`Summary`](crate::Summary).

mod accepted;
mod canvas;
mod chart;
mod csv_file;
mod format;
mod parts;
mod statement_pdf;
mod summary_pdf;
mod table;
mod text;
mod xlsx_file;

pub use self::canvas::PdfError;
pub use self::csv_file::{Dialect, statement_csv, summary_csv};
pub use self::format::{Language, LanguageError};
pub use self::statement_pdf::statement_pdf;
pub use self::summary_pdf::summary_pdf;
pub use self::xlsx_file::{XlsxFailure, statement_xlsx, summary_xlsx};

use crate::Zone;
use domain::ChargerId;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// The head of every page: who sends it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Letterhead {
    /// Name of the building or its administration.
    pub name: String,
    /// Address and contact, one line each.
    pub lines: Vec<String>,
    /// Picture beside the name.
    pub logo: Option<Logo>,
}

/// A picture that was checked: PNG or JPEG.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logo {
    bytes: std::sync::Arc<Vec<u8>>,
    kind: LogoKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LogoKind {
    Png,
    Jpeg,
}

/// Why a file cannot be the logo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogoError {
    /// Some other kind of file.
    #[error("this file is no PNG or JPEG picture; choose one that is")]
    NotAPicture,
    /// A picture that cannot be decoded.
    #[error("this picture is damaged; save it again as PNG and choose that")]
    Damaged,
    /// Too large for a letterhead.
    #[error("this picture has more than {max_kib} KiB; make it smaller, 1000 pixels across are plenty")]
    TooLarge {
        /// Most KiB.
        max_kib: usize,
    },
}

/// It is inside every PDF that is sent.
const LOGO_BYTES_MAX: usize = 512 * 1024;

impl Logo {
    /// Checks that the bytes are a picture.
    ///
    /// # Errors
    /// Says what to do when they are not.
    pub fn new(bytes: Vec<u8>) -> Result<Self, LogoError> {
        let kind = if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            LogoKind::Png
        } else if bytes.starts_with(b"\xff\xd8\xff") {
            LogoKind::Jpeg
        } else {
            return Err(LogoError::NotAPicture);
        };
        if bytes.len() > LOGO_BYTES_MAX {
            return Err(LogoError::TooLarge { max_kib: LOGO_BYTES_MAX / 1024 });
        }
        let logo = Self { bytes: std::sync::Arc::new(bytes), kind };
        canvas::decode(&logo).map(|_picture| logo).ok_or(LogoError::Damaged)
    }

    /// The file as it was given.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// A tenant as named on paper.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// Name; empty when it was erased.
    pub name: String,
    /// Unit, such as "2.º Esq."; may be empty.
    pub unit: String,
}

/// When and where in the chain a statement was closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// Its number in the chain.
    pub number: i64,
    /// Its hash.
    pub hash: String,
    /// The day it was closed.
    pub closed_on: Date,
}

/// Everything around the figures.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// Language and number format.
    pub language: Language,
    /// Time zone of the building.
    pub zone: &'a Zone,
    /// Who sends it.
    pub letterhead: &'a Letterhead,
    /// Names by pseudonym; who is missing was erased.
    pub people: &'a BTreeMap<String, Person>,
    /// Names of chargers; the identity where missing.
    pub chargers: &'a BTreeMap<ChargerId, String>,
    /// `None` for a preview.
    pub seal: Option<&'a Seal>,
}

impl Setting<'_> {
    /// The tenant's name, or what to print instead.
    fn person(&self, key: Option<&str>) -> Person {
        let text = self.language.text();
        match key {
            None => Person { name: text.unassigned.to_owned(), unit: String::new() },
            Some(key) => {
                let known = self.people.get(key).cloned().unwrap_or_default();
                if known.name.is_empty() { Person { name: text.erased.to_owned(), ..known } } else { known }
            }
        }
    }

    fn charger(&self, id: &ChargerId) -> String {
        self.chargers.get(id).filter(|name| !name.is_empty()).cloned().unwrap_or_else(|| id.as_str().to_owned())
    }
}

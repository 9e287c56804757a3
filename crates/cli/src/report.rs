//! `meshwatt report` and `meshwatt verify`: the statements without the console, also beside the running program.

use crate::Failure;
use clap::{Args, ValueEnum};
use service::{Books, BooksError, FileKind, MonthBook};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Statements of a month as files.
#[derive(Clone, Debug, Args)]
pub(crate) struct ReportOptions {
    /// Month of the building's time zone, such as 2026-10
    #[arg(long, value_name = "YYYY-MM")]
    month: String,
    /// Folder for the files; made when it is not there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Folder with the building's records; the desktop program's when absent
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Kind of file
    #[arg(long, value_enum, default_value_t = Format::Pdf)]
    format: Format,
}

/// Kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// PDF, one per tenant and a summary
    Pdf,
    /// Excel workbooks
    Xlsx,
    /// CSV as in RFC 4180
    Csv,
    /// CSV with semicolons and decimal commas
    CsvSemicolon,
}

impl Format {
    const fn kind(self) -> FileKind {
        match self {
            Self::Pdf => FileKind::Pdf,
            Self::Xlsx => FileKind::Xlsx,
            Self::Csv => FileKind::Csv,
            Self::CsvSemicolon => FileKind::CsvSemicolon,
        }
    }
}

/// Check of the closed statements.
#[derive(Clone, Debug, Args)]
pub(crate) struct VerifyOptions {
    /// A hash noted elsewhere, as at the foot of every closed page: the chain must have it, so that it cannot be replaced
    #[arg(long, value_name = "SHA-256")]
    hash: Option<String>,
    /// Folder with the building's records; the desktop program's when absent
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

fn failed(error: BooksError) -> Failure {
    Failure::Books(Box::new(error))
}

/// Writes a file for every tenant, and the building's summary.
pub(crate) async fn report(options: ReportOptions) -> Result<(), Failure> {
    let month = options.month.parse().map_err(|error| Failure::Usage(format!("--month: {error}")))?;
    let dir = options.data_dir.map_or_else(desktop_dir, Ok)?;
    let books = Books::open(&dir).await.map_err(failed)?;
    let book = books.month(month, Books::present()).await.map_err(failed)?;
    let written = write_all(&book, options.format.kind(), &options.out, |done, total| {
        progress(&format!("{done} of {total}"));
    })?;
    let state = if book.is_closed() {
        "closed".to_owned()
    } else {
        format!("a preview, {} to settle before it can close", book.obstacles())
    };
    say(&format!("{} files of {} in {} ({state})", written, options.month, options.out.display()))
}

/// Writes every paper of a month; tells how many of how many are done.
pub(crate) fn write_all(
    book: &MonthBook,
    kind: FileKind,
    out: &Path,
    progress: impl Fn(usize, usize),
) -> Result<usize, Failure> {
    let cannot = |source| Failure::Write { path: out.to_owned(), source };
    std::fs::create_dir_all(out).map_err(cannot)?;
    let papers = book.papers();
    for (index, which) in papers.iter().enumerate() {
        let bytes = book.file(which, kind, None).map_err(failed)?;
        let path = out.join(book.file_name(which, kind));
        std::fs::write(&path, bytes).map_err(|source| Failure::Write { path, source })?;
        progress(index + 1, papers.len());
    }
    Ok(papers.len())
}

/// Checks that no closed statement was altered.
pub(crate) async fn verify(options: VerifyOptions) -> Result<(), Failure> {
    let dir = options.data_dir.map_or_else(desktop_dir, Ok)?;
    let books = Books::open(&dir).await.map_err(failed)?;
    let found = books.verify(options.hash.as_deref()).await.map_err(|error| Failure::Altered(Box::new(error)))?;
    say(&format!("{} closed documents, none altered; newest hash {}", found.documents, found.newest_hash))
}

/// Name of the desktop program's folder, as in `src-tauri/tauri.conf.json`.
const DESKTOP: &str = "org.meshwatt.console";

/// Where the desktop program keeps its records.
pub(crate) fn desktop_dir() -> Result<PathBuf, Failure> {
    let var = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let data = if cfg!(target_os = "macos") {
        var("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        var("APPDATA").or_else(|| var("XDG_DATA_HOME")).or_else(|| var("HOME").map(|home| home.join(".local/share")))
    };
    data.map(|data| data.join(DESKTOP))
        .ok_or_else(|| Failure::Usage("no data folder is known here; name it with --data-dir".to_owned()))
}

/// A line on stdout.
pub(crate) fn say(line: &str) -> Result<(), Failure> {
    let cannot = |source| Failure::System { what: "cannot write to stdout", source };
    writeln!(std::io::stdout().lock(), "{line}").map_err(cannot)
}

/// Progress goes to stderr, over itself; nobody is hurt when it cannot.
pub(crate) fn progress(line: &str) {
    let mut stderr = std::io::stderr().lock();
    drop(write!(stderr, "\r{line}"));
    if line.split(" of ").collect::<Vec<_>>().windows(2).any(|pair| pair.first() == pair.last()) {
        drop(writeln!(stderr));
    }
}

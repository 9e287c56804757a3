//! Everything as open formats: each table as JSON lines, readings as CSV, one file for each month.

use super::BackupError;
use domain::Timestamp;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use store::{Consent, Resolution, Sink, SinkSetup, Store};

/// Rows read at once.
const PAGE: i64 = 1000;

const DAY_MS: i64 = 86_400_000;

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Files with the number of rows in each.
    pub files: Vec<(String, u64)>,
}

/// Writes everything but secrets into a folder, also while the program runs.
///
/// # Errors
/// When the records cannot be read or the folder not be written.
pub async fn export(dir: &Path, out: &Path) -> Result<Exported, BackupError> {
    let failed = |source| BackupError::File { path: out.to_owned(), source };
    std::fs::create_dir_all(out).map_err(failed)?;
    let reader = Store::open_to_read(dir).await?;
    // As a sink that may see everything would get it.
    let setup = SinkSetup {
        name: "export".to_owned(),
        settings: String::new(),
        consents: Consent::BOXES.to_vec(),
        resolution: Resolution::Minutes,
        paused: false,
    };
    let all = Sink { setup, cursor: 0, sent: 0, filled: 0 };
    let mut exported = Exported::default();
    for table in store::outbox_tables(&all) {
        let name = format!("{}.jsonl", table.name);
        let mut file = BufWriter::new(File::create(out.join(&name)).map_err(failed)?);
        let mut rows = 0;
        let mut after: Option<String> = None;
        loop {
            let page = reader.outbox_rows(&all, table.name, after.as_deref(), PAGE).await?;
            for (_, body) in &page.rows {
                writeln!(file, "{body}").map_err(failed)?;
                rows += 1;
            }
            after = page.rows.last().map(|(key, _)| key.clone());
            if page.is_last {
                break;
            }
        }
        file.flush().map_err(failed)?;
        exported.files.push((name, rows));
    }
    let mut months: BTreeMap<String, (BufWriter<File>, u64)> = BTreeMap::new();
    for (series, series_name, day) in reader.outbox_days().await? {
        let month = jiff::Timestamp::from_millisecond(day).unwrap_or_default().strftime("%Y-%m").to_string();
        if !months.contains_key(&month) {
            let mut file = BufWriter::new(File::create(out.join(format!("readings-{month}.csv"))).map_err(failed)?);
            writeln!(file, "series,at,value").map_err(failed)?;
            months.insert(month.clone(), (file, 0));
        }
        let Some((file, rows)) = months.get_mut(&month) else { continue };
        for (at, value) in reader.outbox_readings(&all, series, Timestamp(day), Timestamp(day + DAY_MS)).await? {
            let at = jiff::Timestamp::from_millisecond(at).unwrap_or_default();
            writeln!(file, "{series_name},{at},{value}").map_err(failed)?;
            *rows += 1;
        }
    }
    for (month, (mut file, rows)) in months {
        file.flush().map_err(failed)?;
        exported.files.push((format!("readings-{month}.csv"), rows));
    }
    Ok(exported)
}

//! `meshwatt backup`, `restore` and `export`: copies of the records without the console.

use crate::Failure;
use crate::report::{desktop_dir, say};
use clap::Args;
use service::{
    BackupError, BackupSettings, Beside, Inspection, backup_beside, backup_inspect, backup_now, backup_restore,
    export as write_out,
};
use std::path::PathBuf;

/// A copy of the records.
#[derive(Clone, Debug, Args)]
pub(crate) struct BackupOptions {
    /// Folder with the building's records; the desktop program's when absent
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Folder for the copy; the one set in the console when absent
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// A copy to look into or bring back.
#[derive(Clone, Debug, Args)]
pub(crate) struct RestoreOptions {
    /// The copy, such as meshwatt-20261120T030000Z.db
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Folder with the building's records; the desktop program's when absent
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Put it in place of the records; without this it is only looked into
    #[arg(long)]
    yes: bool,
}

/// Everything as files.
#[derive(Clone, Debug, Args)]
pub(crate) struct ExportOptions {
    /// Folder with the building's records; the desktop program's when absent
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Folder for the files; made when it is not there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

fn failed(error: BackupError) -> Failure {
    Failure::Backup(Box::new(error))
}

/// Makes a copy now.
pub(crate) async fn backup(options: BackupOptions) -> Result<(), Failure> {
    let dir = options.data_dir.map_or_else(desktop_dir, Ok)?;
    let mut settings = BackupSettings::read(&dir);
    if let Some(out) = options.out {
        settings.folder = out.display().to_string();
    }
    let now = jiff::Timestamp::now().as_millisecond();
    let copy = backup_now(&dir, &settings, now).await.map_err(failed)?;
    say(&format!("{} ({} bytes)", settings.folder_in(&dir).join(copy.name).display(), copy.bytes))
}

/// Shows what is in a copy, and brings it back when told to.
pub(crate) async fn restore(options: RestoreOptions) -> Result<(), Failure> {
    let found = backup_inspect(&options.file).await.map_err(failed)?;
    preview(&found)?;
    beside(&backup_beside(&options.file).await.map_err(failed)?)?;
    if !options.yes {
        return say("Nothing was changed; stop Meshwatt and add --yes to put this in place of the records");
    }
    let dir = options.data_dir.map_or_else(desktop_dir, Ok)?;
    match backup_restore(&options.file, &dir).await.map_err(failed)? {
        Some(kept) => say(&format!("Restored; what was there is kept as {}", kept.display())),
        None => say("Restored"),
    }
}

fn preview(found: &Inspection) -> Result<(), Failure> {
    let newest = found.newest_ms.and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
    say(&format!("Building: {}", found.site))?;
    say(&format!(
        "{} chargers, {} tenants, {} sessions, {} closed months, {} bytes, format {}, whole",
        found.chargers, found.tenants, found.sessions, found.closed_months, found.bytes, found.format
    ))?;
    say(&newest.map_or_else(|| "No session in it".to_owned(), |at| format!("Newest session: {at}")))
}

fn beside(found: &Beside) -> Result<(), Failure> {
    match (found.files, found.files_missing) {
        (0, 0) => say("No files of chargers")?,
        (files, 0) => say(&format!("{files} files of chargers come back with it"))?,
        (files, missing) => {
            say(&format!("{files} files of chargers come back with it, {missing} are not beside it"))?;
        }
    }
    if found.sealed {
        say("Passwords and keys come back with it; set MESHWATT_VAULT_PASSPHRASE to the passphrase of then")?;
    }
    if found.again.is_empty() {
        return Ok(());
    }
    let names = found.again.iter().map(|word| match word.as_str() {
        "cloud" => "password of the cloud",
        "mqtt" => "password of the MQTT broker",
        "kafka" => "password of Kafka",
        "mail" => "password of the mail server",
        "certificates" => "certificates of chargers",
        other => other,
    });
    say(&format!("Not in it; on another computer, give again: {}", names.collect::<Vec<_>>().join(", ")))
}

/// Writes everything out.
pub(crate) async fn export(options: ExportOptions) -> Result<(), Failure> {
    let dir = options.data_dir.map_or_else(desktop_dir, Ok)?;
    let exported = write_out(&dir, &options.out).await.map_err(failed)?;
    for (name, rows) in &exported.files {
        say(&format!("{name}: {rows} rows"))?;
    }
    Ok(())
}

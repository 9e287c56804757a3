//! `meshwatt cloud`: the cloud database without the console, also beside the running program.

use crate::Failure;
use crate::report::{desktop_dir, say};
use clap::{Args, Subcommand};
use service::{CloudError, CloudSettings, CloudTool, SecretsChoice};
use std::path::PathBuf;

/// Environment variable with the password of the database.
const PASSWORD_VARIABLE: &str = "MESHWATT_CLOUD_PASSWORD";

/// Which building and which cloud.
#[derive(Clone, Debug, Args)]
pub(crate) struct Place {
    /// Folder with the building's records; the desktop program's when absent
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Another cloud than the one set up: postgres://USER@HOST:PORT/DATABASE?sslmode=verify-full; the password comes from
    /// MESHWATT_CLOUD_PASSWORD
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// File with the authority's certificate, for --url
    #[arg(long, value_name = "FILE", requires = "url")]
    ca_file: Option<PathBuf>,
}

/// What to do with the cloud.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Cloud {
    /// Make or update the tables
    Migrate(Place),
    /// How far sending has come, and which buildings are there
    Status(Place),
    /// Compare the records here with those there, row by row
    Verify(Place),
    /// Send for this building from this computer, in place of the one that did before
    Takeover(Place),
    /// Restore a building from the cloud into an empty folder, and send for it from here
    Pull {
        /// Which cloud and where to
        #[command(flatten)]
        place: Place,
        /// Part of the building's name, or its identity; not needed when there is only one
        #[arg(long, value_name = "NAME")]
        site: Option<String>,
    },
}

fn failed(error: CloudError) -> Failure {
    Failure::Cloud(Box::new(error))
}

fn tool(place: Place) -> Result<CloudTool, Failure> {
    let dir = place.data_dir.map_or_else(desktop_dir, Ok)?;
    let given = match place.url {
        Some(url) => {
            let ca_file = place.ca_file.map(|path| path.display().to_string()).unwrap_or_default();
            let settings = CloudSettings::from_url(&url, &ca_file).map_err(|error| Failure::Usage(error.sentence))?;
            Some((settings, std::env::var(PASSWORD_VARIABLE).unwrap_or_default()))
        }
        None => None,
    };
    Ok(CloudTool::new(&dir, SecretsChoice::Auto, crate::serve::passphrase(), given))
}

/// Does it.
pub(crate) async fn run(cloud: Cloud) -> Result<(), Failure> {
    match cloud {
        Cloud::Migrate(place) => {
            let (before, after) = tool(place)?.migrate().await.map_err(failed)?;
            match before {
                Some(before) if before == after => say(&format!("The tables have format {after} already")),
                Some(before) => say(&format!("The tables went from format {before} to {after}")),
                None => say(&format!("The tables were made, with format {after}")),
            }
        }
        Cloud::Status(place) => status(&tool(place)?).await,
        Cloud::Verify(place) => verify(&tool(place)?).await,
        Cloud::Takeover(place) => {
            tool(place)?.take_over().await.map_err(failed)?;
            say("This computer sends for the building from now on")
        }
        Cloud::Pull { place, site } => {
            let tell = |line: &str| drop(say(line));
            let pulled = tool(place)?.pull(site.as_deref(), tell).await.map_err(failed)?;
            let rows: u64 = pulled.rows.iter().map(|(_, rows)| rows).sum();
            say(&format!(
                "{}: {rows} rows and {} readings restored. Sending is paused: open the Cloud page, tick what may leave, and start",
                pulled.name, pulled.readings
            ))
        }
    }
}

async fn status(tool: &CloudTool) -> Result<(), Failure> {
    let found = tool.status().await.map_err(failed)?;
    let paused = if found.paused { ", paused" } else { "" };
    say(&format!("This building {}: {} rows sent, {} changes wait{paused}", found.site, found.sent, found.waiting))?;
    for site in &found.sites {
        let here = if site.id == found.site { " (this one)" } else { "" };
        say(&format!(
            "{} {}{here}: {} rows, last at {} from {}",
            site.id, site.name, site.rows, site.at, site.computer
        ))?;
    }
    Ok(())
}

async fn verify(tool: &CloudTool) -> Result<(), Failure> {
    let found = tool.verify().await.map_err(failed)?;
    say(&format!("{:<20} {:>10} {:>9} {:>9} {:>9}", "table", "rows here", "missing", "different", "extra"))?;
    for table in &found.tables {
        say(&format!(
            "{:<20} {:>10} {:>9} {:>9} {:>9}",
            table.name, table.rows, table.missing, table.different, table.extra
        ))?;
    }
    for line in &found.shown {
        say(line)?;
    }
    if found.waiting > 0 {
        say(&format!("{} changes had not been sent yet; differences may be among them", found.waiting))?;
    }
    if found.is_equal() {
        return say("Here and there are equal");
    }
    Err(Failure::NotMet("here and there differ; let everything arrive and compare again".to_owned()))
}

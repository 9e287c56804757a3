//! Rows a second when a cloud that was away comes back.

use crate::Failure;
use crate::report::say;
use clap::Args;
use sync::cluster::{Cluster, PASSWORD};

/// Least rows a second.
const ROWS_PER_S_MIN: f64 = 20_000.0;

/// How much waits.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Days the cloud was away
    #[arg(long, value_name = "N", default_value_t = 30)]
    days: u16,
    /// Series of readings, eight for a charger
    #[arg(long, value_name = "N", default_value_t = 320)]
    series: u16,
}

/// Measures, and fails below 20 000 rows a second.
pub(super) async fn run(options: &Options) -> Result<(), Failure> {
    let failed = |what| move |source| Failure::System { what, source };
    let home = std::env::temp_dir().join(format!("meshwatt-catch-up-{}", std::process::id()));
    let server = home.join("server");
    std::fs::create_dir_all(&server).map_err(failed("cannot write to the temporary folder"))?;
    let cluster = Cluster::start(&server, &[]).map_err(failed("no PostgreSQL for the measurement"))?;
    let measured =
        service::catch_up(&home.join("data"), &cluster.settings(), PASSWORD, options.series, options.days).await;
    drop(cluster);
    drop(std::fs::remove_dir_all(&home));
    let measured = measured.map_err(|error| Failure::Cloud(Box::new(error)))?;
    #[expect(clippy::cast_precision_loss, reason = "shown to three digits")]
    let rate = measured.rows as f64 / measured.took.as_secs_f64();
    say(&format!("{} rows in {:.1} s: {rate:.0} rows a second", measured.rows, measured.took.as_secs_f64()))?;
    if rate >= ROWS_PER_S_MIN {
        return Ok(());
    }
    Err(Failure::NotMet(format!("{rate:.0} rows a second are fewer than {ROWS_PER_S_MIN:.0}")))
}

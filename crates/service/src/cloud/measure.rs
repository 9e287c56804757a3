//! How fast a sink catches up after a month without the cloud.

use super::carry::Carrier;
use super::{CLOUD, CloudError};
use domain::{Series, Timestamp};
use std::path::Path;
use std::time::{Duration, Instant};
use store::seed::{History, SeriesHistory};
use store::{Options, Resolution, SinkOrder, SinkSetup, Store};
use sync::postgres::{Cloud, Settings};
use sync::{Outbox as _, Sink as _};

const DAY_MS: i64 = 86_400_000;

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaughtUp {
    /// Rows that arrived.
    pub rows: u64,
    /// Time they took.
    pub took: Duration,
}

/// Makes days of minutes of so many series in an empty data folder and sends them to a database that has none of them.
///
/// # Errors
/// Says what stands in the way.
pub async fn catch_up(
    dir: &Path,
    settings: &Settings,
    password: &str,
    series: u16,
    days: u16,
) -> Result<CaughtUp, CloudError> {
    let (writer, reader) = Store::open(dir, Options::default()).await?;
    let first = 1_760_000_000_000 / DAY_MS * DAY_MS;
    for number in 0..series {
        let name = format!(
            "charger/C{}/1/{}",
            number / 6,
            ["power_w", "energy_wh", "set_ma", "current_l1_ma", "current_l2_ma", "current_l3_ma"]
                [usize::from(number % 6)]
        );
        let Ok(series) = name.parse::<Series>() else { continue };
        let minutes = i64::from(days) * 1440;
        let values =
            (0..minutes).map(|minute| (Timestamp(first + minute * 60_000), (minute * 7919) % 32_000)).collect();
        let history = History { minutes: vec![SeriesHistory { series, values }], ..History::default() };
        store::seed::seed_history(&writer, history).await?;
    }
    sync::postgres::migrate(settings, password).await?;
    let setup = SinkSetup {
        name: CLOUD.to_owned(),
        settings: "{}".to_owned(),
        consents: Vec::new(),
        resolution: Resolution::Minutes,
        paused: false,
    };
    writer.sink(SinkOrder::Set(setup)).await?;
    let computer = sync::postgres::Writer {
        site: reader.site_key().await?,
        site_name: "bench".to_owned(),
        computer: "bench".to_owned(),
        computer_name: "bench".to_owned(),
        sent: 0,
    };
    let mut cloud = Cloud::connect(settings, password, &computer).await?;
    let carrier = Carrier::new(reader.clone(), writer.clone(), CLOUD);
    let mut rows = 0;
    let began = Instant::now();
    while let Some(next) = carrier.next().await.map_err(|detail| super::own_trouble("outbox", detail))? {
        if next.batch.through == next.cursor {
            break;
        }
        let begun = carrier.begins(next.batch.through).await;
        begun.map_err(|detail| super::own_trouble("outbox", detail))?;
        cloud.deliver(&next.batch).await?;
        let count = next.batch.len();
        rows += u64::try_from(count).unwrap_or(0);
        let moved = carrier.arrived(next.batch.through, i64::try_from(count).unwrap_or(0)).await;
        moved.map_err(|detail| super::own_trouble("outbox", detail))?;
    }
    let took = began.elapsed();
    drop(carrier);
    drop(reader);
    writer.close().await?;
    Ok(CaughtUp { rows, took })
}

//! The price feed: asks the configured address or file for prices and surplus, and tells control.
//!
//! The JSON is described in `docs/price-feed.md`. Prices are a wish, never a limit: a feed that fails or says
//! nonsense leaves the last good answer standing until its periods are over, and charging goes on without it.

use crate::engine::{Happened, Live};
use domain::{Clock, DurationMs, Outlook, OutlookPeriod, Watts};
use serde::Deserialize;
use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Time between two questions: prices change by the quarter hour, surplus within minutes.
const EVERY: DurationMs = DurationMs::from_secs(300);
/// Time after a failure: soon enough to be back within a plan or two.
const RETRY: DurationMs = DurationMs::from_secs(60);
/// Longest a server may take altogether.
const PATIENCE: Duration = Duration::from_secs(20);
/// Largest answer: a month of quarter hours is below 500 kB.
const BYTES_MAX: u64 = 1024 * 1024;

/// What a feed says. Unknown fields are an error so that a misspelt one is noticed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    #[serde(default)]
    currency: Option<String>,
    periods: Vec<Period>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Period {
    from: jiff::Timestamp,
    to: jiff::Timestamp,
    #[serde(default)]
    price_per_kwh: Option<f64>,
    #[serde(default)]
    surplus_kw: Option<f64>,
}

/// Why a feed cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FeedError {
    /// The server did not answer well.
    #[error("the price feed {0} does not answer; check the address and the network")]
    Fetch(String, #[source] Box<ureq::Error>),
    /// The file cannot be read.
    #[error("the price feed {0} cannot be read; check that the file exists and may be read")]
    File(String, #[source] std::io::Error),
    /// More than any real feed says.
    #[error("the price feed is larger than 1 MiB; let it say less at once")]
    TooLarge,
    /// Not the JSON of `docs/price-feed.md`.
    #[error("the price feed is not the JSON described in docs/price-feed.md: {0}")]
    Shape(String),
}

/// Reads what a feed said, for a site that counts in `currency`.
pub(crate) fn parse(text: &str, currency: &str) -> Result<Outlook, FeedError> {
    let document: Document = serde_json::from_str(text).map_err(|error| FeedError::Shape(error.to_string()))?;
    if document.version != 1 {
        return Err(FeedError::Shape(format!("version must be 1, not {}", document.version)));
    }
    if let Some(other) = document.currency.filter(|other| other != currency) {
        return Err(FeedError::Shape(format!("the prices are in {other}, but the building counts in {currency}")));
    }
    let periods = document.periods.iter().map(period).collect::<Result<Vec<_>, _>>()?;
    Outlook::new(periods).map_err(|error| FeedError::Shape(error.to_string()))
}

fn period(period: &Period) -> Result<OutlookPeriod, FeedError> {
    Ok(OutlookPeriod {
        from: domain::Timestamp(period.from.as_millisecond()),
        to: domain::Timestamp(period.to.as_millisecond()),
        price_micro: period.price_per_kwh.map(|price| whole("price_per_kwh", price, 1e6, -1e4..=1e4)).transpose()?,
        surplus: match period.surplus_kw {
            Some(kilowatts) => {
                let watts = whole("surplus_kw", kilowatts, 1e3, 0.0..=1e5)?;
                Some(Watts(u32::try_from(watts).unwrap_or(u32::MAX)))
            }
            None => None,
        },
    })
}

/// A number times its scale, rounded to the nearest.
fn whole(field: &str, value: f64, scale: f64, range: std::ops::RangeInclusive<f64>) -> Result<i64, FeedError> {
    let wrong = || FeedError::Shape(format!("{field} must be between {} and {}", range.start(), range.end()));
    if !range.contains(&value) {
        return Err(wrong());
    }
    // Bounded above, so the text of the rounded number always fits.
    format!("{:.0}", value * scale).parse().map_err(|_too_large| wrong())
}

/// Asks once. Blocks, so it runs on a thread for that.
fn ask(feed: &str) -> Result<String, FeedError> {
    let mut text = String::new();
    let read = if feed.starts_with("http://") || feed.starts_with("https://") {
        let tls = ureq::tls::TlsConfig::builder()
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .root_certs(ureq::tls::RootCerts::PlatformVerifier);
        let config = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).tls_config(tls.build());
        let agent: ureq::Agent = config.build().into();
        let failed = |error| FeedError::Fetch(feed.to_owned(), Box::new(error));
        let mut answer = agent.get(feed).header("Accept", "application/json").call().map_err(failed)?;
        answer.body_mut().as_reader().take(BYTES_MAX + 1).read_to_string(&mut text)
    } else {
        let file = std::fs::File::open(feed).map_err(|error| FeedError::File(feed.to_owned(), error))?;
        file.take(BYTES_MAX + 1).read_to_string(&mut text)
    };
    let length = read.map_err(|error| FeedError::File(feed.to_owned(), error))?;
    if u64::try_from(length).unwrap_or(u64::MAX) > BYTES_MAX { Err(FeedError::TooLarge) } else { Ok(text) }
}

/// Asks again and again until the drain. A new address is asked at once; without one control is told that nothing is known.
pub(crate) async fn run(
    clock: Arc<dyn Clock>,
    mut live: watch::Receiver<Arc<Live>>,
    engine: mpsc::WeakSender<Happened>,
    mut drain: watch::Receiver<bool>,
) {
    let mut asked: Option<String> = None;
    let mut complained = false;
    let mut next = tokio::time::Instant::now();
    loop {
        let (feed, currency) = {
            let live = live.borrow_and_update();
            (live.state.site.rules.feed.clone(), live.state.site.currency.clone())
        };
        let is_due = tokio::time::Instant::now() >= next;
        if feed != asked || (feed.is_some() && is_due) {
            let told = match &feed {
                None => Ok(None),
                Some(feed) => outlook(feed.clone(), &currency).await.map(Some),
            };
            asked = feed;
            let wait = match told {
                Ok(outlook) => {
                    complained = false;
                    let Some(engine) = engine.upgrade() else { return };
                    if engine.send(Happened::Outlook(outlook)).await.is_err() {
                        return;
                    }
                    EVERY
                }
                Err(error) => {
                    if !std::mem::replace(&mut complained, true) {
                        tracing::warn!(error = crate::error::chain(&error), "the price feed is left out");
                    }
                    RETRY
                }
            };
            next = tokio::time::Instant::now() + clock.real(wait);
        }
        tokio::select! {
            () = crate::drain::drained(&mut drain) => return,
            () = tokio::time::sleep_until(next), if asked.is_some() => {}
            changed = address_changes(&mut live, asked.as_deref()) => if changed.is_err() { return },
        }
    }
}

/// Waits until the settings name another address.
async fn address_changes(
    live: &mut watch::Receiver<Arc<Live>>,
    asked: Option<&str>,
) -> Result<(), watch::error::RecvError> {
    live.wait_for(|live| live.state.site.rules.feed.as_deref() != asked).await.map(|_live| ())
}

async fn outlook(feed: String, currency: &str) -> Result<Outlook, FeedError> {
    let text = tokio::task::spawn_blocking(move || ask(&feed)).await;
    let text = text.map_err(|_ended| FeedError::Shape("asking was interrupted".to_owned()))??;
    parse(&text, currency)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;

    /// The example of the documentation is a feed.
    #[test]
    fn example_is_read() {
        let page = include_str!("../../../docs/price-feed.md");
        let example: String =
            page.lines().skip_while(|line| *line != "```json").skip(1).take_while(|line| *line != "```").collect();
        let outlook = parse(&example, "EUR").unwrap();
        assert_eq!(outlook.periods().len(), 3);
        let first = outlook.at(Timestamp(1_795_219_200_000)).unwrap();
        assert_eq!((first.price_micro, first.surplus), (Some(89_200), None));
        assert_eq!(outlook.periods()[2].surplus, Some(Watts(6_500)));
    }

    /// A mistake is named, so that whoever runs the feed can mend it.
    #[test]
    fn mistakes_are_named() {
        let one = |period: &str| parse(&format!(r#"{{"version":1,"periods":[{period}]}}"#), "EUR");
        let times = r#""from":"2026-11-21T00:00:00Z","to":"2026-11-21T01:00:00Z""#;
        let cases = [
            (parse("<html>", "EUR"), "expected value"),
            (parse(r#"{"version":2,"periods":[]}"#, "EUR"), "version must be 1"),
            (parse(r#"{"version":1,"currency":"BRL","periods":[]}"#, "EUR"), "BRL"),
            (one(&format!(r#"{{{times},"price":0.2}}"#)), "price"),
            (one(&format!(r#"{{{times},"price_per_kwh":1e9}}"#)), "price_per_kwh"),
            (one(&format!(r#"{{{times},"surplus_kw":-1}}"#)), "surplus_kw"),
            (one(r#"{"from":"2026-11-21T01:00:00Z","to":"2026-11-21T01:00:00Z"}"#), "no length"),
        ];
        for (result, word) in cases {
            let error = result.unwrap_err().to_string();
            assert!(error.contains(word), "{word}: {error}");
        }
    }
}

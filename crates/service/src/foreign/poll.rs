//! Asks meters that speak HTTP.

use super::{Source, Transport};
use crate::engine::Happened;
use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

/// Longest a meter may take; the next question waits for it.
const PATIENCE: Duration = Duration::from_secs(4);
/// Largest answer; the status of a device has a few kB.
const BYTES_MAX: u64 = 256 * 1024;

/// Asks every meter in its rhythm until the drain; starts anew when the list changes.
pub(crate) async fn poll(
    mut sources: watch::Receiver<Arc<Vec<Source>>>,
    engine: mpsc::WeakSender<Happened>,
    mut drain: watch::Receiver<bool>,
) {
    loop {
        let mut tasks = JoinSet::new();
        for source in sources.borrow_and_update().iter() {
            if let Transport::Http { url, every_s } = &source.transport {
                tasks.spawn(ask(source.id.clone(), url.clone(), *every_s, engine.clone()));
            }
        }
        tokio::select! {
            () = crate::drain::drained(&mut drain) => return,
            changed = sources.changed() => if changed.is_err() { return },
        }
        tasks.shutdown().await;
    }
}

async fn ask(id: String, url: String, every_s: u32, engine: mpsc::WeakSender<Happened>) {
    let mut rhythm = tokio::time::interval(Duration::from_secs(u64::from(every_s.max(1))));
    rhythm.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rhythm.tick().await;
        let answer = fetch(url.clone()).await;
        let Some(engine) = engine.upgrade() else { return };
        if engine.send(Happened::ForeignAnswer { id: id.clone(), answer }).await.is_err() {
            return;
        }
    }
}

/// Asks once.
///
/// # Errors
/// In words for a person.
pub(crate) async fn fetch(url: String) -> Result<String, String> {
    let asked = tokio::task::spawn_blocking(move || fetch_now(&url)).await;
    asked.unwrap_or_else(|_ended| Err("Asking was interrupted".to_owned()))
}

fn fetch_now(url: &str) -> Result<String, String> {
    let tls = ureq::tls::TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .root_certs(ureq::tls::RootCerts::PlatformVerifier);
    let config = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).tls_config(tls.build()).max_redirects(0);
    let agent: ureq::Agent = config.build().into();
    let mut answer = agent.get(url).header("Accept", "application/json").call().map_err(|error| words(&error))?;
    if !answer.status().is_success() {
        return Err(format!("The meter answered {}; check the path of its address", answer.status()));
    }
    let mut text = String::new();
    let read = answer.body_mut().as_reader().take(BYTES_MAX + 1).read_to_string(&mut text);
    let length = read.map_err(|error| format!("The meter's answer cannot be read: {error}"))?;
    if u64::try_from(length).unwrap_or(u64::MAX) > BYTES_MAX {
        return Err("The meter's answer is longer than 256 kB; check the path of its address".to_owned());
    }
    Ok(text)
}

fn words(error: &ureq::Error) -> String {
    match error {
        ureq::Error::StatusCode(401 | 403) => {
            "The meter wants a password; switch its authentication off in its own settings, or let it use MQTT"
                .to_owned()
        }
        ureq::Error::StatusCode(code) => format!("The meter answered {code}; check the path of its address"),
        ureq::Error::Timeout(_) => "The meter does not answer in time; check its power and network".to_owned(),
        other => format!("The meter cannot be reached: {other}; check the address, its power and network"),
    }
}

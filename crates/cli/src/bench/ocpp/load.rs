//! Chargers that report, and how long their answers take.

use crate::bench::wire::Wire;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Time one connection may take in all.
const CONNECT_WAIT: Duration = Duration::from_secs(60);

/// How the chargers of a run fared.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) connected: AtomicU64,
    pub(super) booted: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) lost: AtomicU64,
    times: Mutex<Vec<Duration>>,
}

impl Tally {
    /// Times of the answers so far, in order.
    pub(super) fn take_times(&self) -> Vec<Duration> {
        let mut times = std::mem::take(&mut *self.times.lock().unwrap_or_else(PoisonError::into_inner));
        times.sort_unstable();
        times
    }

    fn add(&self, times: &mut Vec<Duration>) {
        self.times.lock().unwrap_or_else(PoisonError::into_inner).append(times);
    }
}

/// The value below which so many percent of them lie.
pub(super) fn percentile(times: &[Duration], percent: usize) -> Duration {
    times.get((times.len() * percent / 100).min(times.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// What a charger does once it is connected.
#[derive(Clone, Copy)]
pub(super) enum Habit {
    /// The next report as soon as the last one is answered.
    Eager,
    /// A report every so often.
    Every(Duration),
    /// Nothing but answers.
    Idle,
}

/// Chargers on the run.
pub(super) struct Fleet {
    tasks: JoinSet<()>,
    pub(super) tally: Arc<Tally>,
    /// What they do; set once all are there.
    habit: tokio::sync::watch::Sender<Habit>,
    stop: Arc<AtomicBool>,
}

impl Fleet {
    /// Connects chargers `from..=to` at once; each boots and reports its connector.
    pub(super) fn launch(address: SocketAddr, from: usize, to: usize) -> Self {
        Self::launch_with(address, from, to, &[])
    }

    /// The same, each with the login of its number; none beyond the list.
    pub(super) fn launch_with(address: SocketAddr, from: usize, to: usize, logins: &[String]) -> Self {
        let tally = Arc::new(Tally::default());
        let stop = Arc::new(AtomicBool::new(false));
        let (habit, _) = tokio::sync::watch::channel(Habit::Idle);
        let mut tasks = JoinSet::new();
        for number in from..=to {
            let (tally, stop, habit) = (Arc::clone(&tally), Arc::clone(&stop), habit.subscribe());
            let login = logins.get(number.wrapping_sub(1)).cloned();
            tasks.spawn(async move {
                let begun = begin(address, number, login.as_deref(), &tally);
                match tokio::time::timeout(CONNECT_WAIT, begun).await {
                    Ok(Ok(wire)) => {
                        if live(wire, habit, &tally, &stop).await.is_err() && !stop.load(Ordering::Relaxed) {
                            tally.lost.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                    Ok(Err(_)) | Err(_) => {
                        tally.refused.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        Self { tasks, tally, habit, stop }
    }

    /// Waits until every charger was served or refused; says how long that took.
    pub(super) async fn served(&self, count: usize) -> Duration {
        let begun = Instant::now();
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        while self.tally.booted.load(Ordering::Relaxed) + self.tally.refused.load(Ordering::Relaxed) < count
            && begun.elapsed() < CONNECT_WAIT
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        begun.elapsed()
    }

    /// Everybody does this from now on.
    pub(super) fn set(&self, habit: Habit) {
        self.habit.send_replace(habit);
    }

    /// All connections drop without a goodbye.
    pub(super) async fn drop_all(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.tasks.shutdown().await;
    }
}

/// Connects, boots and reports the connector.
async fn begin(address: SocketAddr, number: usize, login: Option<&str>, tally: &Tally) -> io::Result<Wire> {
    let mut wire = Wire::connect(address, &format!("B{number}"), login).await?;
    tally.connected.fetch_add(1, Ordering::Relaxed);
    let boot = r#"[2,"boot","BootNotification",{"chargePointVendor":"Bench","chargePointModel":"Wire"}]"#;
    call(&mut wire, boot, "boot").await?;
    let status = r#"[2,"status","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Available"}]"#;
    call(&mut wire, status, "status").await?;
    tally.booted.fetch_add(1, Ordering::Relaxed);
    Ok(wire)
}

/// Sends a request and waits for its answer, agreeing to whatever is asked meanwhile.
async fn call(wire: &mut Wire, text: &str, id: &str) -> io::Result<()> {
    wire.send(text).await?;
    while !handle(wire, id).await? {}
    Ok(())
}

/// Takes one text; true when it answers `id`. An answer begins with its kind and id, so no JSON is read.
async fn handle(wire: &mut Wire, id: &str) -> io::Result<bool> {
    let text = wire.receive().await?;
    let mut parts = text.trim_start_matches('[').splitn(3, ',');
    let (kind, told) = (parts.next().unwrap_or_default().trim(), parts.next().unwrap_or_default().trim());
    if kind == "2" {
        wire.send(&format!("[3,{told},{{\"status\":\"Accepted\"}}]")).await?;
        return Ok(false);
    }
    Ok(told.trim_matches('"') == id)
}

async fn live(
    mut wire: Wire,
    mut habit: tokio::sync::watch::Receiver<Habit>,
    tally: &Tally,
    stop: &AtomicBool,
) -> io::Result<()> {
    let mut sent: u64 = 0;
    let mut times = Vec::new();
    let mut next = tokio::time::Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let now = *habit.borrow_and_update();
        let is_due = match now {
            Habit::Eager => true,
            Habit::Every(_) => tokio::time::Instant::now() >= next,
            Habit::Idle => false,
        };
        if is_due {
            sent += 1;
            let (id, begun) = (sent.to_string(), Instant::now());
            call(&mut wire, &report(&id, sent), &id).await?;
            times.push(begun.elapsed());
            tally.add(&mut times);
            if let Habit::Every(pause) = now {
                next = (next + pause).max(tokio::time::Instant::now());
            }
            continue;
        }
        let wake = match now {
            Habit::Every(_) => next,
            Habit::Eager | Habit::Idle => tokio::time::Instant::now() + Duration::from_secs(1),
        };
        tokio::select! {
            biased;
            changed = habit.changed() => {
                if changed.is_err() {
                    return Ok(());
                }
                if let Habit::Every(pause) = *habit.borrow() {
                    // Spread over the pause, as real chargers are.
                    let share = sent_share(&wire, pause);
                    next = tokio::time::Instant::now() + share;
                }
            }
            handled = handle(&mut wire, "") => drop(handled?),
            () = tokio::time::sleep_until(wake) => {}
        }
    }
    Ok(())
}

/// A part of the pause that differs from charger to charger.
fn sent_share(wire: &Wire, pause: Duration) -> Duration {
    pause.mul_f64(f64::from(wire.port() % 1000) / 1000.0)
}

/// Meter values with eight samples, as of a car that charges on three phases.
fn report(id: &str, count: u64) -> String {
    let sampled = |measurand: &str, phase: &str, unit: &str, value: &str| {
        let phase = if phase.is_empty() { String::new() } else { format!(r#""phase":"{phase}","#) };
        format!(r#"{{"measurand":"{measurand}",{phase}"unit":"{unit}","value":"{value}"}}"#)
    };
    let register = (100_000 + count).to_string();
    let samples = [
        sampled("Energy.Active.Import.Register", "", "Wh", &register),
        sampled("Power.Active.Import", "", "W", "0"),
        sampled("Current.Import", "L1", "A", "0.0"),
        sampled("Current.Import", "L2", "A", "0.0"),
        sampled("Current.Import", "L3", "A", "0.0"),
        sampled("Voltage", "L1", "V", "230.1"),
        sampled("Voltage", "L2", "V", "230.2"),
        sampled("Voltage", "L3", "V", "230.3"),
    ];
    let at = jiff::Timestamp::now();
    let values = samples.join(",");
    format!(
        r#"[2,"{id}","MeterValues",{{"connectorId":1,"meterValue":[{{"timestamp":"{at}","sampledValue":[{values}]}}]}}]"#
    )
}

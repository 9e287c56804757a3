//! The program inside the shell: started once, drained once.

use cli::{Failure, demo, serve};
use service::{Config, Running, StartError};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tauri::{AppHandle, Url};
use tokio::runtime::Runtime;

/// What to run.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Whose building.
    pub(crate) building: Building,
    /// Folder with the database; the usual one when absent.
    pub(crate) data_dir: Option<PathBuf>,
    /// Where the console listens; the usual place when absent.
    pub(crate) http: Option<SocketAddr>,
    /// Where OCPP chargers connect; the usual place when absent.
    pub(crate) ocpp: Option<SocketAddr>,
    /// Where MQTT devices connect; the usual place when absent.
    pub(crate) mqtt: Option<SocketAddr>,
}

/// Whose building is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Building {
    /// One's own.
    Own,
    /// The living demo building.
    Demo,
}

/// The running program and the runtime it lives on.
pub(crate) struct Backend {
    runtime: Runtime,
    running: Arc<Mutex<State>>,
}

/// What there is to drain.
enum State {
    Starting,
    Own(Running),
    Demo(demo::Demo),
    /// Drained, or about to be: what starts from now on ends at once.
    Ended,
}

impl Backend {
    /// A backend that runs nothing yet.
    ///
    /// # Errors
    /// The system gives no threads.
    pub(crate) fn new() -> std::io::Result<Self> {
        Ok(Self { runtime: Runtime::new()?, running: Arc::new(Mutex::new(State::Starting)) })
    }

    /// Starts the program in the background and tells the console's address, or why there is none.
    ///
    /// On a thread of its own, since what starts the store cannot move between threads.
    ///
    /// # Errors
    /// The system gives no threads.
    pub(crate) fn start(
        &self,
        options: Options,
        done: impl FnOnce(Result<Url, String>) + Send + 'static,
    ) -> std::io::Result<()> {
        let (running, runtime) = (Arc::clone(&self.running), self.runtime.handle().clone());
        let start = async |running: &Mutex<State>| match begin(options).await {
            Ok(begun) => keep(running, begun).await,
            Err(failure) => Err(failure.line()),
        };
        std::thread::Builder::new().name("start".to_owned()).spawn(move || done(runtime.block_on(start(&running))))?;
        Ok(())
    }

    /// Ends the program when the operating system asks for it.
    pub(crate) fn end_on_signal(&self, app: &AppHandle) {
        let handle = app.clone();
        self.runtime.spawn(async move {
            if let Err(error) = signal().await {
                tracing::warn!("the signal to end will not be heard: {error}");
                return;
            }
            handle.exit(0);
        });
    }

    /// Ends the program in order; later calls do nothing.
    pub(crate) fn drain(&self) {
        let state = std::mem::replace(&mut *lock(&self.running), State::Ended);
        self.runtime.block_on(end(state));
    }
}

async fn begin(options: Options) -> Result<State, Failure> {
    match options.building {
        Building::Demo => {
            let defaults = demo::Options::default();
            let http = options.http.unwrap_or(defaults.http);
            let options = demo::Options { data_dir: options.data_dir, http, ..defaults };
            demo::start(options).await.map(State::Demo)
        }
        Building::Own => {
            let data_dir = options.data_dir.ok_or_else(|| {
                Failure::Usage("this system names no folder for data; choose one with --data-dir".to_owned())
            })?;
            let defaults = Config::new(data_dir.clone());
            let options = serve::Options {
                data_dir,
                http: options.http.unwrap_or(defaults.http),
                ocpp: options.ocpp.unwrap_or(defaults.ocpp),
                mqtt: options.mqtt.unwrap_or(defaults.mqtt),
                https: None,
                ocpps: None,
                mqtts: None,
                files: None,
                site: None,
                secrets: serve::SecretsPlace::Auto,
            };
            serve::start(options).await.map(State::Own)
        }
    }
}

/// Keeps what began for the drain and makes the address that signs the window in.
async fn keep(running: &Mutex<State>, begun: State) -> Result<Url, String> {
    let address = begun.address().map_err(|error| error.to_string())?;
    let address = Url::parse(&address).map_err(|error| format!("the console has no address: {error}"))?;
    let late = {
        let mut state = lock(running);
        if matches!(*state, State::Ended) { Some(begun) } else { std::mem::replace(&mut *state, begun).into_late() }
    };
    if let Some(late) = late {
        end(late).await;
    }
    Ok(address)
}

impl State {
    fn address(&self) -> Result<String, StartError> {
        match self {
            Self::Own(running) => running.sign_in_address(),
            Self::Demo(demo) => demo.running().sign_in_address(),
            Self::Starting | Self::Ended => Ok(String::new()),
        }
    }

    /// Something that runs and that nobody keeps; the state before the start is nothing.
    fn into_late(self) -> Option<Self> {
        match self {
            Self::Own(_) | Self::Demo(_) => Some(self),
            Self::Starting | Self::Ended => None,
        }
    }
}

async fn end(state: State) {
    match state {
        State::Own(running) => running.shutdown().await,
        State::Demo(demo) => demo.shutdown().await,
        State::Starting | State::Ended => {}
    }
}

/// The guard protects one value that is replaced whole, so a panic elsewhere cannot leave it half written.
fn lock(running: &Mutex<State>) -> MutexGuard<'_, State> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Resolves at SIGTERM or Ctrl-C.
#[cfg(unix)]
async fn signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Resolves at Ctrl-C.
#[cfg(not(unix))]
async fn signal() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}

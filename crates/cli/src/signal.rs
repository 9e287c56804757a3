//! The wish of the operating system or the person at the keyboard that the program ends.

use crate::Failure;

/// Listens for SIGTERM and Ctrl-C from now on; what it gives resolves at the first of them.
///
/// # Errors
/// When the operating system does not let us listen.
pub(crate) fn listen() -> Result<impl Future<Output = ()>, Failure> {
    let refused = |source| Failure::System { what: "cannot listen for the signal to end", source };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).map_err(refused)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(refused)?;
        Ok(async move {
            tokio::select! {
                _ = terminate.recv() => {},
                _ = interrupt.recv() => {},
            }
        })
    }
    #[cfg(not(unix))]
    {
        let _ = refused;
        Ok(async {
            drop(tokio::signal::ctrl_c().await);
        })
    }
}

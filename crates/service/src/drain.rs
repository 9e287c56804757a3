//! The one signal on which every task ends.

use tokio::sync::watch;

/// Resolves when everything ends. Cancel-safe.
pub(crate) async fn drained(drain: &mut watch::Receiver<bool>) {
    // An error means that the owner is gone, which ends everything as well.
    drop(drain.wait_for(|drain| *drain).await);
}

//! How waits between two questions to the cloud pass: with this computer's time, or by hand in a test.

use std::time::Duration;
use tokio::sync::watch;

/// How waits pass.
#[derive(Clone, Debug, Default)]
pub enum Pace {
    /// With this computer's time.
    #[default]
    Real,
    /// By hand.
    ByHand {
        /// The time that has passed.
        passed: watch::Receiver<Duration>,
        /// Counts waits that began.
        begun: watch::Sender<u64>,
    },
}

impl Pace {
    pub(super) async fn pass(&mut self, time: Duration) {
        match self {
            Self::Real => tokio::time::sleep(time).await,
            Self::ByHand { passed, begun } => {
                let until = passed.borrow_and_update().saturating_add(time);
                begun.send_modify(|count| *count += 1);
                if passed.wait_for(|passed| *passed >= until).await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        }
    }
}

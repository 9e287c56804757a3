//! Devices on real sockets. A client owns a link that can be broken and mended; the machine behind it is
//! reached through a [`Port`], so that a whole building can share one physics.

mod mesh;
mod ocpp;

pub use self::mesh::{MeshClient, MeshClientConfig};
pub use self::ocpp::{OcppClient, OcppClientConfig};

use crate::world::{DeviceInput, DeviceOutput};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// The machine behind a client.
pub trait Port: Send + Sync + 'static {
    /// Hands an input to the machine; returns what to do on the wire.
    fn handle(&self, input: DeviceInput<'_>) -> Vec<DeviceOutput>;
}

/// State of a wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// As it should be.
    Intact,
    /// Cut; nothing passes and nothing reconnects.
    Broken,
    /// The device was taken away; its client ends.
    Gone,
}

/// Outputs a machine made on its own (timers) that wait for their client. A link that takes nothing for
/// so long is as good as broken.
pub(crate) const QUEUE: usize = 256;

/// Shortest and longest pause between two attempts to connect, in real time.
const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// Longest wait for a connection, in real time.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// What a client's task works with.
pub(crate) struct Wire {
    pub(crate) port: Arc<dyn Port>,
    pub(crate) outputs: mpsc::Receiver<DeviceOutput>,
    pub(crate) link: watch::Receiver<Link>,
}

/// A client's handle: pushes outputs and breaks the link.
#[derive(Clone, Debug)]
pub(crate) struct Handle {
    pub(crate) outputs: mpsc::Sender<DeviceOutput>,
    pub(crate) link: watch::Sender<Link>,
}

pub(crate) fn wire(port: Arc<dyn Port>) -> (Handle, Wire) {
    let (outputs, receiver) = mpsc::channel(QUEUE);
    let (link, watch) = watch::channel(Link::Intact);
    (Handle { outputs, link }, Wire { port, outputs: receiver, link: watch })
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It came about and was lost or closed.
    Lost,
    /// It never came about.
    Refused,
}

impl Wire {
    /// Waits until the link is intact; `false` when the device is gone.
    pub(crate) async fn intact(&mut self) -> bool {
        match self.link.wait_for(|link| *link != Link::Broken).await {
            Ok(link) => *link == Link::Intact,
            Err(_) => false,
        }
    }

    /// Resolves when the link is no longer intact.
    pub(crate) async fn cut(link: &mut watch::Receiver<Link>) {
        // An error means that nobody holds the other end any more: the device is gone.
        let _gone = link.wait_for(|link| *link != Link::Intact).await.is_err();
    }

    /// Outputs made while there was no link mean nothing to the next one.
    pub(crate) fn drop_stale(&mut self) {
        while self.outputs.try_recv().is_ok() {}
    }
}

/// Pauses that grow with every refusal.
#[derive(Debug)]
pub(crate) struct Backoff(Duration);

impl Backoff {
    pub(crate) const fn new() -> Self {
        Self(PAUSE_MIN)
    }

    pub(crate) async fn pause(&mut self, ended: Ended) {
        match ended {
            Ended::Lost => self.0 = PAUSE_MIN,
            Ended::Refused => self.0 = (self.0 * 2).min(PAUSE_MAX),
        }
        tokio::time::sleep(self.0).await;
    }
}

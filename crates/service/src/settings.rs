//! The site's settings for the program that composes the service; clients use `/api/v1/site`.

use crate::engine::{Happened, Live, OrderRefused};
use control::Order;
use domain::{ChargerId, Meter, Site};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch};

/// Reads and replaces the site's settings while the service runs.
#[derive(Clone)]
pub struct Settings {
    /// Weak, because the engine ends when nobody can ask it any more.
    engine: mpsc::WeakSender<Happened>,
    live: watch::Receiver<Arc<Live>>,
}

/// Why settings were not taken.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The program ends.
    #[error("the program is ending")]
    Ending,
    /// They cannot be used.
    #[error("the settings cannot be used")]
    Refused(#[source] control::OrderError),
    /// They are in force but not on the disk.
    #[error("the settings are in force until the program ends, but could not be written")]
    NotKept,
}

impl Settings {
    pub(crate) const fn new(engine: mpsc::WeakSender<Happened>, live: watch::Receiver<Arc<Live>>) -> Self {
        Self { engine, live }
    }

    /// The settings as last shown.
    #[must_use]
    pub fn site(&self) -> Site {
        self.live.borrow().state.site.clone()
    }

    /// Replaces the settings.
    ///
    /// # Errors
    /// When they cannot be used or kept, or the program ends.
    pub async fn set_site(&self, site: Site) -> Result<(), SettingsError> {
        self.order(Order::SetSite(site)).await
    }

    /// The meters as last shown.
    #[must_use]
    pub fn meters(&self) -> Vec<Meter> {
        self.live.borrow().state.meters.iter().map(|state| state.meter.clone()).collect()
    }

    /// Replaces a meter's settings.
    ///
    /// # Errors
    /// When they cannot be used or kept, or the program ends.
    pub async fn set_meter(&self, meter: Meter) -> Result<(), SettingsError> {
        self.order(Order::SetMeter(meter)).await
    }

    /// Chargers that share as they are: approved and neither paused nor limited, first served first.
    #[must_use]
    pub fn free_chargers(&self) -> Vec<ChargerId> {
        let live = self.live.borrow();
        let free = live.state.chargers.iter().filter(|state| state.charger.approved && state.hold.is_none());
        free.map(|state| state.charger.id.clone()).collect()
    }

    async fn order(&self, order: Order) -> Result<(), SettingsError> {
        let (reply, answer) = oneshot::channel();
        let engine = self.engine.upgrade().ok_or(SettingsError::Ending)?;
        engine.send(Happened::Order { order, reply }).await.map_err(|_ended| SettingsError::Ending)?;
        drop(engine);
        match answer.await.map_err(|_dropped| SettingsError::Ending)? {
            Ok(_made) => Ok(()),
            Err(OrderRefused::Refused(error)) => Err(SettingsError::Refused(error)),
            Err(OrderRefused::NotKept) => Err(SettingsError::NotKept),
        }
    }
}

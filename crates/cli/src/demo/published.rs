//! While a published simulation plays, the site shares by the published rule; afterwards by its own again.

use super::panel::Panel;
use domain::{Pacing, Site};
use service::{Demo as _, Settings};
use std::sync::Arc;
use std::time::Duration;

/// A step of a simulation lasts at least half a second even at the fastest speed.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Keeps the site's rule in step with the panel until it is aborted.
pub(super) async fn follow(panel: Arc<Panel>, settings: Settings) {
    let mut own: Option<Pacing> = None;
    loop {
        let plays = panel.snapshot().scenario.is_some();
        let site = settings.site();
        let wanted = match (plays, own) {
            (true, None) => {
                own = Some(site.pacing);
                // The margin stays: the script makes the house leave free, below it, what was free in the papers.
                Some(Pacing::Published)
            }
            (false, Some(before)) => {
                own = None;
                Some(before)
            }
            (true, Some(_)) | (false, None) => None,
        };
        if let Some(pacing) = wanted
            && let Err(error) = settings.set_site(Site { pacing, ..site }).await
        {
            tracing::warn!(%error, "the demo's rule was not changed");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

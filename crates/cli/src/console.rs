//! The console's files inside this program.

use service::{Asset, ConsoleAssets};
use std::sync::Arc;

/// Made by `build.rs`; empty when the console was not built.
static FILES: &[(&str, Asset)] = include!(concat!(env!("OUT_DIR"), "/console.rs"));

/// The console, when it was built before this program.
#[must_use]
pub fn console_assets() -> Option<Arc<ConsoleAssets>> {
    if FILES.is_empty() {
        return None;
    }
    let files = FILES.iter().map(|(name, asset)| ((*name).to_owned(), asset.clone())).collect();
    Some(Arc::new(ConsoleAssets { files }))
}

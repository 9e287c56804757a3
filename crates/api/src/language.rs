//! The languages the product speaks.

use serde::{Deserialize, Serialize};

/// A language of the console and of every sentence made for people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Language {
    /// English.
    #[default]
    #[serde(rename = "en")]
    English,
    /// European Portuguese.
    #[serde(rename = "pt")]
    Portuguese,
}

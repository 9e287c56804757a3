//! The messages of OCPP 1.6 and of its security whitepaper.

mod generated;

pub use self::generated::actions::Action;
pub use self::generated::enums::*;
pub use self::generated::messages::*;
pub use self::generated::parts::*;

use crate::Check;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A request and the response that belongs to it.
pub trait Request: Serialize + DeserializeOwned + Check {
    /// Its action.
    const ACTION: Action;
    /// What answers it.
    type Response: Serialize + DeserializeOwned + Check;
}

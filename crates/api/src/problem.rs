//! Errors as `application/problem+json` (RFC 9457) with a stable code.

use serde::{Deserialize, Serialize};

/// Stable error codes; one exists only if a client acts on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// Sign in first.
    Unauthenticated,
    /// The password is wrong.
    WrongPassword,
    /// Too many attempts; wait.
    TooManyAttempts,
    /// First run: the manager's password is not set yet.
    SetupNeeded,
    /// The set-up was done before.
    SetupDone,
    /// No such resource.
    NotFound,
    /// The request cannot be read or breaks a rule; `detail` says which.
    Invalid,
    /// It exists already.
    Conflict,
    /// The charger is not connected.
    ChargerOffline,
    /// The charger waits for approval.
    NotApproved,
    /// The charger's protocol has no such operation.
    Unsupported,
    /// Only in the demo.
    DemoOnly,
    /// The disk refuses; nothing was changed.
    StorageFailing,
    /// Our fault.
    Internal,
}

/// An error answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Always `about:blank`; the code tells kinds apart.
    #[serde(rename = "type")]
    pub kind: String,
    /// Short title.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What is wrong and what to do, in English.
    pub detail: String,
    /// Stable code.
    pub code: Code,
}

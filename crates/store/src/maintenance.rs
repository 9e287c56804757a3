//! Packing readings into chunks, and forgetting what is past its retention.

/// What one round of maintenance did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Maintenance {
    /// Raw readings packed into chunks.
    pub packed: u64,
    /// Rows and chunks removed because they were too old.
    pub removed: u64,
}

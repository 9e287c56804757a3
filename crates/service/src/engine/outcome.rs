//! Why an order did not work out.

/// Why an order was refused or is not durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OrderRefused {
    /// Control says no; nothing changed.
    Refused(control::OrderError),
    /// It is in force, but only in memory until the disk works again.
    NotKept,
}

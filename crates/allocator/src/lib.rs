//! Shares the current of a tree of circuits between connectors, with the reason for each share.
//!
//! [`allocate`] is pure: the same [`Snapshot`] always gives the same [`Plan`], whatever the order of its lists.
//! Two rules, see [`Sharing`]. Equally: in the order of priority everybody who fits gets the minimum; then the
//! rest is divided in equal whole amperes on every phase of every circuit (max-min), and an ampere that equal
//! division strands goes to the higher priority. In line: who is ahead gets all its car uses, neighbours in one
//! row share equally, and no ampere is left while somebody behind could use it. Who does not fit waits.
//!
//! Must not know: the clock, who carries a setpoint, names people see, how the uncontrolled load was found.

mod line;
mod plan;
mod room;
mod snapshot;

pub use self::plan::{Bottleneck, Cause, Plan, Share, allocate};
pub use self::snapshot::{Demand, Guide, Leftover, Node, NodeIndex, Sharing, Snapshot};

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_line;

//! The load graph: readings to pixel columns, columns to a plan, a plan to paint.

pub(crate) mod axis;
pub(crate) mod columns;
pub(crate) mod curve;
pub(crate) mod paint;
pub(crate) mod plan;
pub(crate) mod table;

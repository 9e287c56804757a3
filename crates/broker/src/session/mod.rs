//! Sessions: one task each, which owns everything of the session, with or without a connection.

mod online;
mod registry;
mod state;
mod task;
mod wire;

pub(crate) use registry::{Era, NoSession, Registry};
pub(crate) use task::{Attach, Context, refusal_reason};
pub(crate) use wire::{Io, Wire};

//! Written by `cargo xtask generate`; every file but this one.

pub(super) mod actions;
pub(super) mod enums;
pub(super) mod messages;
pub(super) mod parts;

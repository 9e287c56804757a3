//! Tariffs and statements from the outside.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

mod chain;
mod clock;
mod common;
mod money;
mod month;
mod render;
mod tariff;
mod trondheim;

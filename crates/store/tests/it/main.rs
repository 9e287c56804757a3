//! The store as its callers see it, on real files.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where it fails")]

mod backup;
mod common;
mod disk;
mod faults;
mod outbox;
mod readings;
mod records;
mod statements;

//! The mesh machine as its callers see it.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

mod any_input;
mod common;
mod documentation;
mod limits;
mod membership;
mod sessions;

//! Every row of the compatibility list as a test under its name: a station that does what a charger in the field does,
//! scripted, on a real socket, against a whole service.
//!
//! Numbers such as Q25 are those of the list. The clock is moved by hand, so that half an hour passes in a second and a
//! slow machine changes nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod certificates;
mod configuration;
mod connection;
mod identity;
mod limits;
mod measuring;
mod station;
#[path = "../support/mod.rs"]
mod support;
mod transactions;
mod unlisted;

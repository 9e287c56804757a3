//! The gate against real sockets: through `rumqttc`, and with bytes written by hand where no client would write them.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod access;
mod crash_cases;
mod delivery;
mod fuzz;
mod limits;
mod retained;
mod sessions;
mod supervision;
mod support;
mod wills;

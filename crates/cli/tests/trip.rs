//! The trip metric from `serve` on real sockets.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::process::{Command, Stdio};

/// A virtual building beside a real `serve`, with limits that get lost on their way and a kill -9 in the middle: cars
/// charge, and no device of any circuit opens. How close it comes on a busy machine is measured, not asserted.
#[test]
fn nothing_opens_while_serve_is_killed() {
    let played = Command::new(env!("CARGO_BIN_EXE_meshwatt"))
        .args([
            "bench",
            "trip",
            "--seconds",
            "60",
            "--loss",
            "5",
            "--margin",
            "0",
            "--longest",
            "10",
            "--excess",
            "100",
        ])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&played.stdout);
    assert!(played.status.success(), "{said}{}", String::from_utf8_lossy(&played.stderr));
    assert!(said.contains("killed 1 times; no device opened"), "{said}");
}

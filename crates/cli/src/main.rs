//! The `meshwatt` command; everything is in the library.

use mimalloc::MiMalloc;
use std::process::ExitCode;

/// A message of a charger is hundreds of short-lived pieces of memory that are made in one thread and let go in another.
/// The allocator of Debian's C library spends half of the processor time of such a message on them, and keeps half as
/// much memory again for each connected charger (`meshwatt bench ocpp`).
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    cli::run(std::env::args_os())
}

//! The desktop window shows the console of the program inside it.

use std::process::{Command, Stdio};
use tests::{Lines, Screen, desktop_program, terminate, until};

/// Protects the people who only ever see the window: on a screen without a screen it shows the living demo, not a
/// blank page, and it ends in order.
#[test]
fn the_window_is_not_blank() {
    let directory = tempfile::tempdir().unwrap();
    let screen = Screen::start();
    let mut shell = Command::new(desktop_program())
        .args(["--demo", "--exit-on-close", "--data-dir"])
        .arg(directory.path())
        .env("DISPLAY", screen.display())
        .env("GDK_BACKEND", "x11")
        // WebKit cannot composite on Xvfb.
        .env("WEBKIT_DISABLE_COMPOSITING_MODE", "1")
        .env("HOME", directory.path())
        .env("RUST_LOG", "info")
        .env_remove("WAYLAND_DISPLAY")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let errors = Lines::collect(shell.stderr.take().unwrap());
    let picture = directory.path().join("window.png");
    let mut last = None;
    let seen = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        until("the window to name itself after the site, as it does once it shows live numbers", || {
            errors.find("– Meshwatt")
        });
        until("the window to show more than an empty page", || {
            last = screen.picture(&picture);
            // An empty page has two colours and one with some words a few hundred; the overview has thousands.
            last.filter(|(colours, deviation)| *colours > 1_000 && *deviation > 0.02)
        })
    }));
    if let Err(why) = seen {
        terminate(&shell);
        panic!(
            "{:?}; last picture {last:?}; the shell said:\n{}",
            why.downcast_ref::<String>(),
            errors.all().join("\n")
        );
    }
    terminate(&shell);
    let status = until("the shell to end after SIGTERM", || shell.try_wait().unwrap());
    assert!(status.success(), "{status}: {}", errors.all().join("\n"));
}

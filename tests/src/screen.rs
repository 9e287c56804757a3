//! A screen without a screen: Xvfb, and looking at what it shows.

use crate::{Lines, until};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A running Xvfb of 1360 x 900 pixels.
pub struct Screen {
    child: Child,
    display: String,
}

impl Screen {
    /// Starts one on a free display number, which Xvfb itself chooses.
    #[must_use]
    pub fn start() -> Self {
        let mut child = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1360x900x24", "-nolisten", "tcp"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb starts; cargo xtask setup installs it");
        let lines = Lines::collect(child.stdout.take().unwrap());
        let number = until("Xvfb to name its display", || lines.all().first().cloned());
        Self { child, display: format!(":{}", number.trim()) }
    }

    /// For the variable `DISPLAY`.
    #[must_use]
    pub fn display(&self) -> &str {
        &self.display
    }

    /// Takes a picture into `file` and returns how many colours it has and how much they vary (0 to 1).
    #[must_use]
    pub fn picture(&self, file: &Path) -> Option<(u64, f64)> {
        let taken = Command::new("import")
            .args(["-display", &self.display, "-window", "root"])
            .arg(file)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("import starts; cargo xtask setup installs imagemagick");
        if !taken.success() {
            return None;
        }
        let output =
            Command::new("identify").args(["-format", "%k %[fx:standard_deviation]"]).arg(file).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let (colours, deviation) = text.trim().split_once(' ')?;
        Some((colours.parse().ok()?, deviation.parse().ok()?))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // It may have ended already; both calls then fail harmlessly.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

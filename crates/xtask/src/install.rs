//! Installs what is missing, by name, through the system's own package manager; what is there is left alone.

use crate::process::{self, ChoreError, Result, output_of, program, run};
use std::path::PathBuf;

/// A system package and how to tell that it is not needed.
struct Package {
    /// Name in Debian.
    debian: &'static str,
    /// Name in Ubuntu.
    ubuntu: &'static str,
    /// A program that makes the package unnecessary, whoever installed it; empty for libraries.
    program: &'static str,
}

const fn library(name: &'static str) -> Package {
    Package { debian: name, ubuntu: name, program: "" }
}

const fn tool(name: &'static str, program: &'static str) -> Package {
    Package { debian: name, ubuntu: name, program }
}

/// What builds C code, and card readers.
const SERVICE: &[Package] =
    &[tool("build-essential", "cc"), tool("pkg-config", "pkg-config"), library("libpcsclite-dev")];

/// The desktop window: WebKit and the tray.
const WINDOW: &[Package] =
    &[library("libwebkit2gtk-4.1-dev"), library("libayatana-appindicator3-dev"), library("librsvg2-dev")];

/// Foreign clients and servers, a browser, and a screen without a screen.
const TEST: &[Package] = &[
    tool("xvfb", "Xvfb"),
    tool("imagemagick", "import"),
    tool("mosquitto-clients", "mosquitto_pub"),
    tool("mosquitto", "mosquitto"),
    library("postgresql"),
    library("pcscd"),
    library("vsmartcard-vpcd"),
    Package { debian: "chromium", ubuntu: "chromium-browser", program: "chromium" },
    Package { debian: "chromium-driver", ubuntu: "chromium-chromedriver", program: "chromedriver" },
    // A keyring without a screen, on a message bus of its own.
    tool("gnome-keyring", "gnome-keyring-daemon"),
    tool("dbus", "dbus-daemon"),
];

/// What the foreign OCPP client needs, by exact version: a new release shall not change what a test proves.
const PYTHON_PACKAGES: &[&str] = &["ocpp==2.1.0", "websockets==17.4", "confluent-kafka==2.16.1", "aiosmtpd==1.4.6"];

/// Everything that `demo` needs.
pub(crate) fn for_demo() -> Result {
    packages(&[SERVICE, WINDOW])?;
    wasm_target()
}

/// Everything that building the service and its console needs, and so `demo` without a window.
pub(crate) fn for_service() -> Result {
    packages(&[SERVICE])?;
    wasm_target()
}

/// Everything that `test` needs.
pub(crate) fn for_tests() -> Result {
    packages(&[SERVICE, WINDOW, TEST])?;
    wasm_target()?;
    python_environment()
}

/// The compiler's target for the console.
fn wasm_target() -> Result {
    let target = "wasm32-unknown-unknown";
    let installed = output_of(program("rustc", &["--print", "target-libdir", "--target", target]))
        .is_some_and(|directory| PathBuf::from(directory).is_dir());
    if installed { Ok(()) } else { run(program("rustup", &["target", "add", target])) }
}

/// The interpreter with the foreign OCPP client, below the target directory.
pub(crate) fn python() -> Result<PathBuf> {
    Ok(process::target_directory()?.join("python/bin/python"))
}

fn packages(groups: &[&[Package]]) -> Result {
    if !process::has("dpkg-query") {
        println!("No dpkg here, so system libraries are taken as they are; see the README for what is needed.");
        return Ok(());
    }
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let missing = missing(groups, System::of(&release), process::has, is_installed);
    if missing.is_empty() {
        return Ok(());
    }
    println!("Installing {}", missing.join(", "));
    // Package lists may be absent or old; an update that fails is not fatal where the packages are cached.
    if let Err(error) = run(apt(&["update", "-qq"])) {
        eprintln!("{error}");
    }
    let mut arguments = vec!["install", "-y", "-qq", "--no-install-recommends"];
    arguments.extend(missing);
    run(apt(&arguments))
}

/// Systems whose packages have names of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum System {
    Debian,
    Ubuntu,
}

impl System {
    /// From the text of `/etc/os-release`; everything that is not Ubuntu or made from it is taken for Debian.
    fn of(release: &str) -> Self {
        let ubuntu = release.lines().any(|line| {
            line.split_once('=').is_some_and(|(key, value)| matches!(key, "ID" | "ID_LIKE") && value.contains("ubuntu"))
        });
        if ubuntu { Self::Ubuntu } else { Self::Debian }
    }
}

/// Names of the packages to install: what neither a program nor the package itself shows to be there.
fn missing(
    groups: &[&[Package]],
    system: System,
    has_program: impl Fn(&str) -> bool,
    is_installed: impl Fn(&str) -> bool,
) -> Vec<&'static str> {
    groups
        .iter()
        .flat_map(|group| group.iter())
        .filter(|package| package.program.is_empty() || !has_program(package.program))
        .map(|package| match system {
            System::Debian => package.debian,
            System::Ubuntu => package.ubuntu,
        })
        .filter(|name| !is_installed(name))
        .collect()
}

fn is_installed(name: &str) -> bool {
    output_of(program("dpkg-query", &["-W", "-f", "${db:Status-Status}", name])).is_some_and(|text| text == "installed")
}

/// Servers stay off after their installation: tests start their own, on ports of their own.
fn apt(arguments: &[&str]) -> std::process::Command {
    let root = output_of(program("id", &["-u"])).is_some_and(|id| id == "0");
    let mut command = if root {
        program("apt-get", arguments)
    } else {
        let mut command = program("sudo", &["DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "apt-get"]);
        command.args(arguments);
        command
    };
    command.env("DEBIAN_FRONTEND", "noninteractive").env("RUNLEVEL", "1");
    command
}

fn python_environment() -> Result {
    let python = python()?;
    let Some(directory) = python.ancestors().nth(2) else { return Ok(()) };
    let wanted = PYTHON_PACKAGES.join("\n");
    let stamp = directory.join("installed.txt");
    if python.exists() && std::fs::read_to_string(&stamp).is_ok_and(|text| text == wanted) {
        return Ok(());
    }
    if output_of(program("python3", &["-c", "import venv, ensurepip"])).is_none() {
        packages(&[&[library("python3"), library("python3-venv")]])?;
    }
    let (directory_text, python_text) = (directory.to_string_lossy(), python.to_string_lossy());
    run(program("python3", &["-m", "venv", "--clear", &directory_text]))?;
    let mut arguments = vec!["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    arguments.extend(PYTHON_PACKAGES);
    run(program(&python_text, &arguments))?;
    std::fs::write(&stamp, wanted).map_err(|source| ChoreError::File { path: stamp, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects a machine from installs it does not need: a program or a package that is there is not asked for, and
    /// Ubuntu gets its own names.
    #[test]
    fn only_what_is_missing_is_installed() {
        let check = |system, program: &str, package: &str| {
            missing(&[TEST], system, |name| name == program, |name| name == package)
        };
        assert_eq!(
            check(System::Debian, "chromium", "xvfb"),
            [
                "imagemagick",
                "mosquitto-clients",
                "mosquitto",
                "postgresql",
                "pcscd",
                "vsmartcard-vpcd",
                "chromium-driver",
                "gnome-keyring",
                "dbus"
            ],
            "a program or its package is enough"
        );
        assert!(check(System::Ubuntu, "", "").contains(&"chromium-browser"), "Ubuntu names Chromium differently");
    }

    /// Protects systems made from Ubuntu.
    #[test]
    fn systems_are_told_apart() {
        assert_eq!(System::of("ID=debian\nVERSION_ID=\"12\"\n"), System::Debian);
        assert_eq!(System::of("NAME=x\nID=ubuntu\n"), System::Ubuntu);
        assert_eq!(System::of("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n"), System::Ubuntu);
        assert_eq!(System::of(""), System::Debian);
    }
}

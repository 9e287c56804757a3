//! Running other programs: named after what they are for, so that a failure says what to do.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Why a chore could not be done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChoreError {
    /// A program is not there or cannot start.
    #[error("{program} cannot be started ({source}); install it and try again")]
    Start {
        /// The program.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// A program ended with a failure; it has said why itself.
    #[error("failed: {line}")]
    Failed {
        /// The whole command line.
        line: String,
    },
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Anything else, in one sentence.
    #[error("{0}")]
    Other(String),
}

/// Result of a chore.
pub(crate) type Result<T = ()> = std::result::Result<T, ChoreError>;

/// Attaches the path to an error of the file system.
pub(crate) fn at(path: &Path) -> impl FnOnce(std::io::Error) -> ChoreError + '_ {
    |source| ChoreError::File { path: path.to_owned(), source }
}

/// A cargo command in the root of the repository.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    // Set by `cargo run` for this program only; children must find their own.
    for name in ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "CARGO_MANIFEST_PATH"] {
        command.env_remove(name);
    }
    command
}

/// Any other program in the root of the repository.
pub(crate) fn program(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments).current_dir(root());
    command
}

/// Runs to the end with its output shown.
pub(crate) fn run(mut command: Command) -> Result {
    let line = line_of(&command);
    println!("> {line}");
    let status = command.stdin(Stdio::null()).status().map_err(|source| start_error(&command, source))?;
    if status.success() { Ok(()) } else { Err(ChoreError::Failed { line }) }
}

/// Runs to the end with its output shown, and returns the lines of its error stream that `keep` wants.
pub(crate) fn run_keeping(mut command: Command, keep: impl Fn(&str) -> bool) -> (Vec<String>, Result) {
    let line = line_of(&command);
    println!("> {line}");
    let mut kept = Vec::new();
    let mut child = match command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(source) => return (kept, Err(start_error(&command, source))),
    };
    if let Some(stream) = child.stderr.take() {
        for text in BufReader::new(stream).lines().map_while(std::result::Result::ok) {
            eprintln!("{text}");
            if keep(&text) {
                kept.push(text);
            }
        }
    }
    let outcome = match child.wait() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(ChoreError::Failed { line }),
        Err(source) => Err(start_error(&command, source)),
    };
    (kept, outcome)
}

/// What a program prints; `None` when it is missing or fails.
pub(crate) fn output_of(mut command: Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Whether a program can be found.
pub(crate) fn has(name: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|directory| directory.join(name).is_file()))
}

/// Root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map_or_else(PathBuf::new, Path::to_path_buf)
}

/// Where cargo puts what it builds.
///
/// # Errors
/// Cargo cannot read the workspace.
pub(crate) fn target_directory() -> Result<PathBuf> {
    let text = output_of(cargo(&["metadata", "--no-deps", "--format-version", "1"]))
        .ok_or_else(|| ChoreError::Other("cargo metadata failed; does `cargo check` work?".to_owned()))?;
    serde_json::from_str::<serde_json::Value>(&text)
        .ok()
        .and_then(|metadata| metadata.get("target_directory")?.as_str().map(PathBuf::from))
        .ok_or_else(|| ChoreError::Other("cargo metadata names no target directory".to_owned()))
}

fn line_of(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().rsplit('/').next().unwrap_or_default().to_owned()];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}

fn start_error(command: &Command, source: std::io::Error) -> ChoreError {
    ChoreError::Start { program: command.get_program().to_string_lossy().into_owned(), source }
}

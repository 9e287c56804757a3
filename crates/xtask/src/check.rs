//! `cargo xtask test`: every check, in the order that fails soonest, with a summary at the end.

use crate::process::{self, ChoreError, Result, cargo, run, run_keeping};
use crate::{console, install};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// The targets of the workspace that are built and tested together: asking for the same set every time keeps
/// cargo from building anything twice with other features.
const TARGETS: &[&str] = &["--workspace", "--lib", "--bins", "--tests"];

/// Most lines of a failed test run that the summary repeats.
const FAILURE_LINES_MAX: usize = 30;

/// How one step ended.
struct Outcome {
    name: &'static str,
    took: Duration,
    result: Result,
}

/// Runs every step, also after a failure, so that one run tells everything that is wrong.
pub(crate) fn run_all() -> Result {
    let begun = Instant::now();
    let mut tests = Vec::new();
    let mut outcomes = Vec::new();
    let mut step = |name: &'static str, action: &mut dyn FnMut() -> Result| {
        println!("\n== {name}");
        let started = Instant::now();
        let result = action();
        if let Err(error) = &result {
            eprintln!("{name}: {error}");
        }
        outcomes.push(Outcome { name, took: started.elapsed(), result });
    };
    step("install what is missing", &mut install::for_tests);
    step("formatting", &mut || run(cargo(&["fmt", "--all", "--check"])));
    step("generated code is up to date", &mut || crate::generate(true));
    step("console", &mut || console::build().map(|_directory| ()));
    step("lints", &mut || run(cargo(&[&["clippy", "--keep-going"], TARGETS, &["--", "--deny", "warnings"]].concat())));
    step("lints of the console for browsers", &mut || {
        let package = ["clippy", "--package", "ui", "--lib", "--profile", "wasm"];
        run(cargo(&[&package[..], &["--target", "wasm32-unknown-unknown", "--", "--deny", "warnings"]].concat()))
    });
    step("documentation", &mut || {
        let mut command = cargo(&["doc", "--workspace", "--no-deps", "--quiet", "--keep-going"]);
        command.env("RUSTDOCFLAGS", "--deny warnings");
        run(command)
    });
    step("build", &mut || run(cargo(&[&["build"], TARGETS].concat())));
    step("tests", &mut || {
        let (lines, result) = tests_run();
        tests = lines;
        result
    });
    summary(&outcomes, &tests, begun.elapsed())
}

/// Runs every test; returns the lines worth repeating.
fn tests_run() -> (Vec<String>, Result) {
    let directories = process::target_directory().and_then(|target| Ok((target, install::python()?)));
    let (target, python) = match directories {
        Ok(found) => found,
        Err(error) => return (Vec::new(), Err(error)),
    };
    let nextest = process::has("cargo-nextest");
    let runner: &[&str] = if nextest { &["nextest", "run", "--no-fail-fast"] } else { &["test", "--no-fail-fast"] };
    let mut command = cargo(&[runner, TARGETS].concat());
    command
        .env("MESHWATT_BIN", target.join("debug/meshwatt"))
        .env("MESHWATT_DESKTOP_BIN", target.join("debug/meshwatt-desktop"))
        .env("MESHWATT_TEST_PYTHON", python);
    if !nextest {
        println!("cargo-nextest is not installed, so cargo test runs the tests.");
        return (Vec::new(), run(command));
    }
    run_keeping(command, is_worth_repeating)
}

/// The verdict of nextest and the tests that failed.
fn is_worth_repeating(line: &str) -> bool {
    let line = line.trim_start();
    ["Summary [", "FAIL [", "SIGABRT [", "SIGSEGV [", "TIMEOUT [", "FLAKY "].iter().any(|start| line.starts_with(start))
}

fn summary(outcomes: &[Outcome], tests: &[String], took: Duration) -> Result {
    println!("\n== summary");
    for outcome in outcomes {
        let verdict = if outcome.result.is_ok() { "ok    " } else { "FAILED" };
        println!("{verdict} {:>6.1} s  {}", outcome.took.as_secs_f32(), outcome.name);
    }
    // A failed test is told when it fails and again at the end; the last word about each is enough.
    let verdicts: BTreeSet<&str> = tests.iter().map(|line| line.trim()).collect();
    for line in verdicts.iter().rev().take(FAILURE_LINES_MAX) {
        println!("       {line}");
    }
    println!("all steps together: {:.0} s", took.as_secs_f32());
    let failed: Vec<&str> = outcomes.iter().filter(|step| step.result.is_err()).map(|step| step.name).collect();
    if failed.is_empty() {
        println!("Everything passed.");
        return Ok(());
    }
    Err(ChoreError::Other(format!("Failed: {}", failed.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::is_worth_repeating;

    /// Protects the last page of a failed run: the verdict and the names of failed tests are repeated, nothing else.
    #[test]
    fn verdicts_are_repeated() {
        assert!(is_worth_repeating("     Summary [  12.345s] 3 tests run: 2 passed, 1 failed, 0 skipped"));
        assert!(is_worth_repeating("        FAIL [   0.012s] (3/9) mesh tests::unknown_topic"));
        assert!(!is_worth_repeating("        PASS [   0.012s] (1/9) mesh tests::hello"));
        assert!(!is_worth_repeating("   Compiling mesh v0.1.0"));
    }
}

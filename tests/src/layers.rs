//! What may depend on what: the table of ARCHITECTURE.md as data, and the search for what breaks it.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A crate of ours and the crates of ours it may use; anything absent is forbidden.
pub const TABLE: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("allocator", &["domain"]),
    ("control", &["domain", "allocator"]),
    ("ocpp", &[]),
    ("central-system", &["domain", "ocpp"]),
    ("mesh", &["domain"]),
    ("foreign", &["domain"]),
    ("broker", &[]),
    ("store", &["domain"]),
    ("sync", &["domain"]),
    ("reports", &["domain"]),
    ("api", &["domain"]),
    ("simulator", &["domain", "ocpp", "mesh"]),
    ("scenario", &["domain", "control", "ocpp", "central-system", "mesh", "simulator"]),
    ("ui", &["api", "domain"]),
    (
        "service",
        &[
            "domain",
            "allocator",
            "control",
            "ocpp",
            "central-system",
            "mesh",
            "foreign",
            "broker",
            "store",
            "sync",
            "reports",
            "api",
        ],
    ),
    ("cli", &["service", "sync", "api", "control", "scenario", "simulator", "domain"]),
    ("desktop", &["cli", "service", "api", "domain"]),
    ("xtask", &[]),
    ("tests", &["simulator", "domain"]),
];

/// Crates that decide: no runtime, no storage, no clock, no socket, no randomness. They may use these and
/// nothing else from outside; a new name here is a decision of its own.
pub const PURE: &[(&str, &[&str])] = &[
    ("domain", &["serde", "thiserror"]),
    ("allocator", &["thiserror"]),
    ("control", &["thiserror"]),
    ("ocpp", &["serde", "serde_json", "thiserror", "jiff"]),
    ("central-system", &["serde", "serde_json", "thiserror", "jiff"]),
    ("mesh", &["serde", "serde_json", "thiserror"]),
    ("foreign", &["serde_json", "thiserror"]),
    (
        "reports",
        &[
            "csv",
            "jiff",
            "krilla",
            "rust_decimal",
            "rust_xlsxwriter",
            "serde",
            "serde_json",
            "sha2",
            "skrifa",
            "thiserror",
        ],
    ),
    ("api", &["serde", "serde_json", "utoipa"]),
];

/// Libraries that reach outside, and the only crates that may name them.
pub const RESERVED: &[(&str, &[&str])] = &[
    ("sqlx", &["store", "sync"]),
    ("rumqttd", &["broker"]),
    ("rumqttc", &["simulator", "broker", "service", "sync"]),
    ("rskafka", &["sync"]),
    ("axum", &["service"]),
    ("tauri", &["desktop"]),
    ("egui", &["ui"]),
    ("eframe", &["ui"]),
    ("egui_plot", &["ui"]),
];

/// Words in the source of a pure crate that would let the outside in.
pub const FORBIDDEN_WORDS: &[&str] = &[
    "std::fs",
    "std::env",
    "std::net",
    "std::process",
    "std::thread",
    "std::io",
    "SystemTime",
    "std::time::Instant",
    "tokio::",
    "async fn",
    "println!",
    "HashMap",
    "HashSet",
];

/// Everything in the answer of `cargo metadata` that the tables forbid, one sentence each.
#[must_use]
pub fn violations(metadata: &Value) -> Vec<String> {
    let table: BTreeMap<&str, BTreeSet<&str>> =
        TABLE.iter().map(|(name, may_use)| (*name, may_use.iter().copied().collect())).collect();
    let mut found = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = text(&package["name"]);
        let Some(may_use) = table.get(name) else {
            found.push(format!("{name} is missing from the table of layers"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let used = text(&dependency["name"]);
            let for_tests_only = dependency["kind"] == "dev";
            if dependency["path"].is_string() {
                if !may_use.contains(used) && !for_tests_only {
                    found.push(format!("{name} may not use {used}"));
                }
            } else if !for_tests_only {
                found.extend(outside_violation(name, used));
            }
        }
    }
    found
}

/// What is wrong with crate `name` using the library `used`, if anything.
fn outside_violation(name: &str, used: &str) -> Option<String> {
    if let Some((_, allowed)) = PURE.iter().find(|(pure, _)| *pure == name)
        && !allowed.contains(&used)
    {
        return Some(format!("{name} decides and may not use {used}"));
    }
    let (_, owners) = RESERVED.iter().find(|(library, _)| *library == used)?;
    (!owners.contains(&name)).then(|| format!("{used} belongs to {} alone, not to {name}", owners.join(", ")))
}

/// Forbidden words in a source text, as `line: word`; comments and everything below `#[cfg(test)]` are free.
#[must_use]
pub fn forbidden_words(source: &str) -> Vec<String> {
    source
        .lines()
        .enumerate()
        .take_while(|(_, line)| line.trim() != "#[cfg(test)]")
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .flat_map(|(index, line)| {
            FORBIDDEN_WORDS
                .iter()
                .filter(move |word| line.contains(**word))
                .map(move |word| format!("{}: {word}", index + 1))
        })
        .collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

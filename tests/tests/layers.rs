//! The dependency rules hold, and the tests for them can fail.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use tests::layers::{PURE, forbidden_words, violations};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON")
}

/// Protects the layout: a crate uses only what its row of the table allows.
#[test]
fn every_crate_keeps_its_layer() {
    let found = violations(&metadata());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Protects the test above from passing because it sees nothing: each kind of breach is found.
#[test]
fn a_breach_of_the_layers_is_found() {
    let package = |name: &str, used: &str, path: Value, kind: Value| json!({"packages": [{"name": name, "dependencies": [{"name": used, "path": path, "kind": kind}]}]});
    let ours = json!("/somewhere");
    let cases = [
        (package("control", "store", ours.clone(), Value::Null), "control may not use store"),
        (package("mesh", "ocpp", ours.clone(), json!("build")), "mesh may not use ocpp"),
        (package("novel", "domain", ours.clone(), Value::Null), "novel is missing from the table of layers"),
        (package("domain", "tokio", Value::Null, Value::Null), "domain decides and may not use tokio"),
        (package("cli", "sqlx", Value::Null, Value::Null), "sqlx belongs to store, sync alone, not to cli"),
    ];
    for (metadata, expected) in cases {
        assert_eq!(violations(&metadata), [expected], "{metadata}");
    }
    let for_tests = package("control", "simulator", ours, json!("dev"));
    assert!(violations(&for_tests).is_empty(), "tests may use anything");
}

/// Protects the machines without IO: no file, clock, socket, thread or unordered map in their sources.
#[test]
fn pure_crates_reach_nothing_outside() {
    let mut found = Vec::new();
    let mut files = 0;
    for (name, _) in PURE {
        visit(&root().join("crates").join(name).join("src"), &mut |path, source| {
            files += 1;
            found.extend(forbidden_words(source).iter().map(|word| format!("{}:{word}", path.display())));
        });
    }
    assert!(files > PURE.len(), "only {files} source files were found; did the folders move?");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Protects the test above: words are found in code, and only in code.
#[test]
fn forbidden_words_are_found_in_code_only() {
    let source = "// std::fs is free here\nuse std::fs;\n\n#[cfg(test)]\nmod tests { use std::fs; }\n";
    assert_eq!(forbidden_words(source), ["2: std::fs"]);
}

fn visit(directory: &Path, see: &mut impl FnMut(&Path, &str)) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let tests = path.file_name().is_some_and(|name| name == "tests.rs" || name == "tests");
        if tests {
            continue;
        }
        if path.is_dir() {
            visit(&path, see);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            see(&path, &std::fs::read_to_string(&path).unwrap());
        }
    }
}

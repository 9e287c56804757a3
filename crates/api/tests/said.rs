//! Every sentence that the pages of tenants, cards, sessions, tariffs and statements can bring up is known in Portuguese.

use std::path::Path;

/// Sources whose sentences reach those pages.
const SOURCES: [&str; 21] = [
    "control/src/input.rs",
    "domain/src/card.rs",
    "domain/src/tenant.rs",
    "reports/src/chain.rs",
    "reports/src/render/canvas.rs",
    "reports/src/render/mod.rs",
    "reports/src/zone.rs",
    "service/src/books/around.rs",
    "service/src/books/error.rs",
    "service/src/books/files.rs",
    "service/src/books/mail.rs",
    "service/src/http/routes/corrections.rs",
    "service/src/http/routes/imports.rs",
    "service/src/http/routes/insight.rs",
    "service/src/http/routes/people.rs",
    "service/src/http/routes/records.rs",
    "service/src/http/routes/statements.rs",
    "service/src/http/routes/tariffs.rs",
    "service/src/import.rs",
    "service/src/http/paging.rs",
    "store/src/error.rs",
];

/// What stands before a sentence for people.
const BEFORE: [&str; 5] = ["#[error(", "Failure::invalid(", "Failure::conflict(", "let detail = ", "C::Language => "];

/// The text literal a source goes on with, if it does, with a word for each part that is put in.
fn literal(source: &str) -> Option<String> {
    let source = source.trim_start();
    let source = source.strip_prefix("format!(").unwrap_or(source).trim_start();
    let mut chars = source.strip_prefix('"')?.chars();
    let mut text = String::new();
    loop {
        match chars.next()? {
            '"' => return Some(text),
            '\\' => match chars.next()? {
                '\n' => {
                    while chars.clone().next().is_some_and(char::is_whitespace) {
                        chars.next();
                    }
                }
                escaped => text.push(escaped),
            },
            '{' => {
                while chars.next()? != '}' {}
                text.push_str("word");
            }
            other => text.push(other),
        }
    }
}

fn sentences(source: &str) -> Vec<String> {
    let found = BEFORE.iter().flat_map(|before| source.match_indices(before).map(|(at, _)| at + before.len()));
    found.filter_map(|at| literal(source.get(at..)?)).filter(|text| text.contains(' ')).collect()
}

/// Protects the Portuguese console from English: a new sentence in one of these sources needs its Portuguese.
#[test]
fn every_sentence_of_these_pages_is_known() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let (mut count, mut missing) = (0, Vec::new());
    for path in SOURCES {
        let source = std::fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        for sentence in sentences(&source) {
            count += 1;
            if api::in_portuguese(&sentence).is_none() {
                missing.push(format!("{path}: {sentence}"));
            }
        }
    }
    assert!(count > 80, "only {count} sentences were found; did the sources move?");
    assert!(missing.is_empty(), "without Portuguese, in crates/api/src/said.rs:\n{}", missing.join("\n"));
}

/// Protects the test above from passing because it reads nothing.
#[test]
fn sentences_are_read_from_sources() {
    let source = r##"#[error("the \"{0:?}\" is late; wait")] x Failure::invalid(format!("at most {MAX} of them"))"##;
    assert_eq!(sentences(source), ["the \"word\" is late; wait", "at most word of them"]);
    assert!(sentences("Failure::invalid(error.to_string())").is_empty());
}

//! `meshwatt verify` and `meshwatt report` on the records of a building with a closed month.

use crate::books::{PROGRAM, VALID_FROM, closed_month};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Exit code, and everything it said.
fn meshwatt(dir: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(PROGRAM).args(arguments).arg("--data-dir").arg(dir).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

/// Replaces a text by another of the same length wherever it lies in the files of the records, as somebody could who has
/// the disk; tells how often.
fn tamper(dir: &Path, from: &str, to: &str) -> usize {
    assert_eq!(from.len(), to.len());
    let files: Vec<PathBuf> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    let mut count = 0;
    for file in files.into_iter().filter(|file| file.is_file()) {
        let mut bytes = std::fs::read(&file).unwrap();
        let places: Vec<usize> = bytes
            .windows(from.len())
            .enumerate()
            .filter(|(_, part)| *part == from.as_bytes())
            .map(|(at, _)| at)
            .collect();
        count += places.len();
        for at in &places {
            bytes[*at..*at + to.len()].copy_from_slice(to.as_bytes());
        }
        if !places.is_empty() {
            std::fs::write(&file, bytes).unwrap();
        }
    }
    count
}

/// What a manager relies on: an untouched chain passes and names its newest hash, that hash is found again, another is
/// not, and an altered statement or an altered tariff of a closed month is told by name, each with exit code 1.
#[tokio::test]
async fn what_was_altered_is_found() {
    let dir = closed_month().await;
    let (code, whole) = meshwatt(dir.path(), &["verify"]);
    assert_eq!(code, Some(0), "{whole}");
    assert!(whole.starts_with("4 closed documents, none altered; newest hash "), "{whole}");
    let hash = whole.trim().rsplit(' ').next().unwrap().to_owned();
    assert_eq!(hash.len(), 64, "{whole}");
    assert_eq!(meshwatt(dir.path(), &["verify", "--hash", &hash.to_uppercase()]).0, Some(0));
    let (code, other) = meshwatt(dir.path(), &["verify", "--hash", &"ab".repeat(32)]);
    assert!(code == Some(1) && other.contains("no closed document has the hash abab"), "{other}");

    assert!(tamper(dir.path(), VALID_FROM, "2024-01-02") > 0);
    let (code, tariff) = meshwatt(dir.path(), &["verify"]);
    assert!(code == Some(1) && tariff.contains("the tariff or the period that 2024-09 was closed with"), "{tariff}");
    assert!(tamper(dir.path(), "2024-01-02", VALID_FROM) > 0);
    assert_eq!(meshwatt(dir.path(), &["verify"]).0, Some(0), "put back as it was");

    assert!(tamper(dir.path(), "\"energy_wh\":10000", "\"energy_wh\":10001") > 0);
    let (code, statement) = meshwatt(dir.path(), &["verify"]);
    assert!(code == Some(1) && statement.contains("statement 1 was altered after it was closed"), "{statement}");
}

/// Every kind of file is written for every tenant, with names that any system takes; what cannot be is said in words.
#[tokio::test]
async fn a_month_is_written_as_files() {
    let dir = closed_month().await;
    for (format, end) in [("pdf", "pdf"), ("xlsx", "xlsx"), ("csv", "csv"), ("csv-semicolon", "csv")] {
        let out = dir.path().join(format);
        let folder = out.to_string_lossy().into_owned();
        let (code, said) =
            meshwatt(dir.path(), &["report", "--month", "2024-09", "--out", &folder, "--format", format]);
        assert!(code == Some(0) && said.contains("3 files of 2024-09 in "), "{said}");
        assert!(said.contains("(closed)"), "{said}");
        let mut names: Vec<String> = std::fs::read_dir(&out)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        let expected = ["1-Esq_Ana-Pires_1", "2-Esq_Joao-Sa_2", "summary"].map(|name| format!("2024-09_{name}.{end}"));
        assert_eq!(names, expected);
    }
    let taken = dir.path().join("taken");
    std::fs::write(&taken, "a file").unwrap();
    let wrong =
        |month: &str, out: &Path| meshwatt(dir.path(), &["report", "--month", month, "--out", &out.to_string_lossy()]);
    assert_eq!(wrong("2024-13", &dir.path().join("x")).0, Some(64));
    let (code, said) = wrong("2024-09", &taken);
    assert!(code == Some(1) && said.contains("taken"), "{said}");
}

//! A disk that loses what was not synchronised, is full, or became read-only: played at the boundary to the system.

use crate::common::*;
use domain::*;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use store::{Page, StoreError};

/// Name of the environment variable that makes [`child_writes_to_a_bad_disk`] the child.
const CHILD: &str = "MESHWATT_DISK_DIR";

/// The other half of the tests below; does nothing on its own. For each line it hears it commits a session, a frame and
/// a reading, and says what came of it.
#[tokio::test]
async fn child_writes_to_a_bad_disk() {
    let Some(dir) = std::env::var_os(CHILD) else { return };
    let (writer, _reader) = open(Path::new(&dir)).await;
    let mut out = std::io::stdout();
    for (line, number) in std::io::stdin().lines().zip(1_i32..) {
        line.unwrap();
        let at = i64::from(number);
        let records = vec![
            Record::Session(session(number, at)),
            Record::Frame(frame("C1", at, "start")),
            Record::Readings(vec![reading("house/power_w", at * 1000, at)]),
        ];
        match writer.commit(records).await {
            Ok(()) => writeln!(out, "acknowledged {number}").unwrap(),
            Err(error) => {
                let kind = match error {
                    StoreError::DiskFull(_) => "full",
                    StoreError::ReadOnly(_) | StoreError::Disk(_) => "disk",
                    _ => "other",
                };
                writeln!(out, "refused {kind} {} {error}", error.is_storage()).unwrap();
            }
        }
        out.flush().unwrap();
    }
    // As when the power goes: no goodbye.
    std::process::abort();
}

/// A program on such a disk.
struct Program {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    dir: tempfile::TempDir,
    synced: PathBuf,
}

impl Program {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (data, synced) = (dir.path().join("data"), dir.path().join("synced"));
        std::fs::create_dir_all(&data).unwrap();
        std::fs::create_dir_all(&synced).unwrap();
        // The names of open files are without links.
        let data = data.canonicalize().unwrap();
        let library = dir.path().join("disk.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/disk/disk.c");
        let built = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).status();
        assert!(built.unwrap().success(), "cargo xtask test installs a C compiler");
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "disk::child_writes_to_a_bad_disk", "--nocapture"])
            .env(CHILD, &data)
            .env("MESHWATT_DISK_SYNCED", &synced)
            .env("LD_PRELOAD", &library)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines, dir, synced }
    }

    /// Commits once; gives what came of it.
    fn commit(&mut self) -> String {
        writeln!(self.child.stdin.as_mut().unwrap(), "go").unwrap();
        let wanted = |line: &String| line.contains("acknowledged ") || line.contains("refused ");
        self.lines.by_ref().map(Result::unwrap).find(wanted).expect("the child answers")
    }

    fn set(&self, fault: &str) {
        std::fs::write(self.synced.join(fault), "").unwrap();
    }

    fn heal(&self, fault: &str) {
        std::fs::remove_file(self.synced.join(fault)).unwrap();
    }

    /// The power goes; gives the folder as the disk has it.
    fn cut(mut self) -> (tempfile::TempDir, PathBuf) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        (self.dir, self.synced)
    }
}

/// Sessions, frames and readings in a folder, which must agree with each other.
async fn kept(dir: &Path) -> i32 {
    let (_writer, reader) = open(dir).await;
    let sessions = reader.setup(Timestamp(0)).await.unwrap().last_session.0;
    let frames = reader.frame_list(None, &Page::first(9999)).await.unwrap().items.len();
    assert_eq!(i32::try_from(frames).unwrap(), sessions, "a batch is whole or absent");
    let (from, to) = (Timestamp(1000), Timestamp(i64::from(sessions + 1) * 1000));
    let columns = reader.reading_columns(&[series("house/power_w")], from, to, DurationMs(1000)).await.unwrap();
    assert_eq!(columns.values[0], (1..=i64::from(sessions)).map(Some).collect::<Vec<_>>());
    sessions
}

/// A power cut loses every write that was not synchronised; nothing acknowledged may be among them.
#[tokio::test]
async fn a_power_cut_loses_nothing_acknowledged() {
    let mut program = Program::start();
    for number in 1..=25 {
        assert!(program.commit().ends_with(&format!("acknowledged {number}")));
    }
    let (_dir, synced) = program.cut();
    assert_eq!(kept(&synced).await, 25);
}

/// A disk that is full or read-only for a while refuses with words that say what to do, keeps what it acknowledged, and
/// goes on once it works; a power cut right after changes nothing.
#[tokio::test]
async fn a_disk_that_refuses_for_a_while_loses_nothing() {
    for (fault, kind, says) in [("full", "full", "free some space"), ("read-only", "disk", "read-only")] {
        let mut program = Program::start();
        for _ in 0..5 {
            assert!(program.commit().contains("acknowledged"));
        }
        program.set(fault);
        for _ in 0..3 {
            let refused = program.commit();
            assert!(refused.contains(&format!("refused {kind} true")) && refused.contains(says), "{refused}");
        }
        program.heal(fault);
        // Numbers go on: those refused are not there.
        let again = program.commit();
        assert!(again.ends_with("acknowledged 9"), "{again}");
        let (_dir, synced) = program.cut();
        let (_writer, reader) = open(&synced).await;
        let mut found: Vec<i64> =
            reader.frame_list(None, &Page::first(99)).await.unwrap().items.iter().map(|frame| frame.at.0).collect();
        found.sort_unstable();
        assert_eq!(found, [1, 2, 3, 4, 5, 9], "{fault}");
    }
}

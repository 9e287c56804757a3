//! Log files that rotate: a new one each day and whenever one is full; only the newest are kept.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Bytes of one file: opens at once in any editor.
const BYTES_MAX: u64 = 10_000_000;

/// Files that are kept: a quiet program has one each day, enough to look back at a weekend and the week before it; one that
/// logs without end takes no more than 140 MB.
const FILES_MAX: usize = 14;

/// Today in UTC, such as `2026-11-20`.
fn today() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d").to_string()
}

/// Writes to `meshwatt.<day>.<number>.log` in a folder.
pub(crate) struct LogFile {
    folder: PathBuf,
    today: fn() -> String,
    bytes_max: u64,
    day: String,
    number: u32,
    file: File,
    bytes: u64,
}

fn name(day: &str, number: u32) -> String {
    format!("meshwatt.{day}.{number:04}.log")
}

/// Files of ours in a folder, oldest first.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with("meshwatt.") && name.ends_with(".log"))
        .collect();
    names.sort();
    names
}

impl LogFile {
    /// Goes on with the newest file of today.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        Self::open_with(folder, today, BYTES_MAX)
    }

    fn open_with(folder: &Path, today: fn() -> String, bytes_max: u64) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let day = today();
        let of_today = |name: &String| name.strip_prefix("meshwatt.")?.strip_prefix(&day)?.get(1..5)?.parse().ok();
        let number = names(folder).iter().filter_map(of_today).max().unwrap_or(0);
        let (file, bytes) = append(&folder.join(name(&day, number)))?;
        Ok(Self { folder: folder.to_owned(), today, bytes_max, day, number, file, bytes })
    }

    /// Begins the next file and removes the oldest.
    fn turn(&mut self, day: String) -> io::Result<()> {
        self.number = if day == self.day { self.number + 1 } else { 0 };
        self.day = day;
        (self.file, self.bytes) = append(&self.folder.join(name(&self.day, self.number)))?;
        let names = names(&self.folder);
        for old in names.iter().take(names.len().saturating_sub(FILES_MAX)) {
            std::fs::remove_file(self.folder.join(old))?;
        }
        Ok(())
    }
}

fn append(path: &Path) -> io::Result<(File, u64)> {
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    let bytes = file.metadata()?.len();
    Ok((file, bytes))
}

impl Write for LogFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let (length, day) = (u64::try_from(line.len()).unwrap_or(u64::MAX), (self.today)());
        if day != self.day || (self.bytes > 0 && self.bytes.saturating_add(length) > self.bytes_max) {
            self.turn(day)?;
        }
        self.file.write_all(line)?;
        self.bytes = self.bytes.saturating_add(length);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn monday() -> String {
        "2026-11-16".to_owned()
    }

    fn tuesday() -> String {
        "2026-11-17".to_owned()
    }

    /// A program that logs without end fills no disk: files stay below their size and only the newest are left; the next
    /// start and the next day go on where they should, and files of others are not touched.
    #[test]
    fn files_rotate_by_size_and_day() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("mine.txt"), "kept").unwrap();
        let line = [b'x'; 100];
        let mut log = LogFile::open_with(dir.path(), monday, 1000).unwrap();
        for _line in 0..200 {
            log.write_all(&line).unwrap();
        }
        log.write_all(b"the newest").unwrap();
        drop(log);
        let sizes: Vec<u64> =
            names(dir.path()).iter().map(|name| std::fs::metadata(dir.path().join(name)).unwrap().len()).collect();
        assert_eq!(sizes.len(), FILES_MAX);
        assert!(sizes.iter().all(|bytes| *bytes <= 1000), "{sizes:?}");
        let newest = names(dir.path()).pop().unwrap();
        assert_eq!(newest, "meshwatt.2026-11-16.0020.log");
        let mut again = LogFile::open_with(dir.path(), monday, 1000).unwrap();
        again.write_all(b", and more").unwrap();
        assert_eq!(std::fs::read(dir.path().join(&newest)).unwrap(), b"the newest, and more");
        again.today = tuesday;
        again.write_all(b"a day later").unwrap();
        assert_eq!(names(dir.path()).len(), FILES_MAX);
        assert_eq!(std::fs::read(dir.path().join("meshwatt.2026-11-17.0000.log")).unwrap(), b"a day later");
        assert!(dir.path().join("mine.txt").exists());
    }
}

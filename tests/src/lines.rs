//! Lines another program prints, collected in the background.

use std::io::{BufRead as _, BufReader, Read};
use std::sync::{Arc, Mutex};

/// Lines so far, in order.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    lines: Arc<Mutex<Vec<String>>>,
}

impl Lines {
    /// Collects until the stream ends.
    pub fn collect(stream: impl Read + Send + 'static) -> Self {
        let collected = Self::default();
        let lines = Arc::clone(&collected.lines);
        std::thread::Builder::new()
            .name("lines".to_owned())
            .spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    lines.lock().unwrap().push(line);
                }
            })
            .unwrap();
        collected
    }

    /// All lines so far.
    #[must_use]
    pub fn all(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// The first line that contains `text`.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<String> {
        self.lines.lock().unwrap().iter().find(|line| line.contains(text)).cloned()
    }

    /// How many lines contain `text`.
    #[must_use]
    pub fn count(&self, text: &str) -> usize {
        self.lines.lock().unwrap().iter().filter(|line| line.contains(text)).count()
    }
}

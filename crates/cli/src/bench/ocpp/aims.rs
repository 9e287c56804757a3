//! What is demanded, what was measured, and whether that is enough.

use std::fmt;

/// One demand.
struct Aim {
    name: String,
    measured: String,
    is_met: bool,
}

/// All demands of a run, in the order in which they were measured.
#[derive(Default)]
pub(super) struct Aims(Vec<Aim>);

impl Aims {
    /// Adds one.
    pub(super) fn add(&mut self, name: String, measured: String, is_met: bool) {
        self.0.push(Aim { name, measured, is_met });
    }

    /// The missed ones in a sentence; `None` when all are met.
    pub(super) fn missed(&self) -> Option<String> {
        let missed = self.0.iter().filter(|aim| !aim.is_met);
        let words: Vec<String> = missed.map(|aim| format!("{}: {}", aim.name, aim.measured)).collect();
        (!words.is_empty()).then(|| words.join("; "))
    }
}

impl fmt::Display for Aims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("aims:")?;
        for aim in &self.0 {
            let word = if aim.is_met { "met   " } else { "missed" };
            write!(f, "\n  {word}  {}: {}", aim.name, aim.measured)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every demand is printed with what was measured, and exactly the missed ones fail a check.
    #[test]
    fn missed_demands_are_named() {
        let mut aims = Aims::default();
        aims.add("fast".to_owned(), "1 s".to_owned(), true);
        assert_eq!(aims.missed(), None);
        aims.add("small".to_owned(), "50 kB".to_owned(), false);
        assert_eq!(aims.missed().as_deref(), Some("small: 50 kB"));
        assert_eq!(aims.to_string(), "aims:\n  met     fast: 1 s\n  missed  small: 50 kB");
    }
}

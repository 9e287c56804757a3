//! Which topics and filters are valid, and which filter matches which topic.

use std::fmt;

use crate::codec::{Fault, Reason};

/// A topic to publish on: not empty, no wildcards, no control characters, not too long.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Topic(String);

impl Topic {
    /// # Errors
    /// With what is wrong, as the end of the connection that sent it.
    pub(crate) fn new(name: &str, bytes_max: usize) -> Result<Self, Fault> {
        let refused = |text| Err(Fault { reason: Reason::TopicNameInvalid, text });
        if name.is_empty() {
            return refused("a topic is empty");
        }
        if name.len() > bytes_max {
            return refused("a topic is too long");
        }
        if name.contains(['+', '#']) {
            return refused("a topic to publish on holds wildcards");
        }
        if !is_clean(name) {
            return refused("a topic holds control characters");
        }
        Ok(Self(name.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Topics under `$` belong to the server.
    pub(crate) fn is_reserved(&self) -> bool {
        self.0.starts_with('$')
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A filter to subscribe to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Filter(String);

/// Why a filter is not accepted; only the subscription is refused, not the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FilterError {
    /// Empty, too long, misplaced wildcards, control characters, or under `$`.
    Invalid,
    /// A shared subscription, which this broker does not have.
    Shared,
}

impl Filter {
    pub(crate) fn new(name: &str, bytes_max: usize) -> Result<Self, FilterError> {
        if name.starts_with("$share/") || name == "$share" {
            return Err(FilterError::Shared);
        }
        if name.is_empty() || name.len() > bytes_max || name.starts_with('$') || !is_clean(name) {
            return Err(FilterError::Invalid);
        }
        let mut levels = name.split('/').peekable();
        while let Some(level) = levels.next() {
            let is_last = levels.peek().is_none();
            let is_valid = match level {
                "+" => true,
                "#" => is_last,
                text => !text.contains(['+', '#']),
            };
            if !is_valid {
                return Err(FilterError::Invalid);
            }
        }
        Ok(Self(name.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a message on `topic` belongs to this filter. Wildcards never match topics under `$`.
    pub(crate) fn matches(&self, topic: &str) -> bool {
        let mut levels = topic.split('/');
        for (position, wanted) in self.0.split('/').enumerate() {
            if wanted == "#" {
                return position > 0 || !topic.starts_with('$');
            }
            match levels.next() {
                Some(level) if wanted == "+" => {
                    if position == 0 && level.starts_with('$') {
                        return false;
                    }
                }
                Some(level) if wanted == level => {}
                Some(_) | None => return false,
            }
        }
        levels.next().is_none()
    }
}

/// No control characters: they have no place in names, and would forge lines in logs.
pub(crate) fn is_clean(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the standard, and its edges: empty levels, the parent of `#`, topics under `$`.
    #[test]
    fn filters_match_as_the_standard_says() {
        for (filter, topic, expected) in [
            ("sport/tennis/player1/#", "sport/tennis/player1", true),
            ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true),
            ("sport/#", "sport", true),
            ("sport/#", "sports", false),
            ("sport/tennis/+", "sport/tennis/player1", true),
            ("sport/tennis/+", "sport/tennis/player1/ranking", false),
            ("sport/+", "sport", false),
            ("sport/+", "sport/", true),
            ("+/+", "/finance", true),
            ("/+", "/finance", true),
            ("+", "/finance", false),
            ("#", "$SYS/x", false),
            ("+/x", "$SYS/x", false),
            ("#", "é", true),
            ("é/+", "é/x", true),
        ] {
            assert_eq!(Filter::new(filter, 100).unwrap().matches(topic), expected, "{filter} {topic}");
        }
    }
}

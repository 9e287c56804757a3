//! Where in a JSON text a value stands: `emeters[0].current`, `params.em:0.a_voltage`; nothing is the text itself.

use serde_json::Value;

/// Longest path that is looked at.
pub(crate) const PATH_CHARS_MAX: usize = 200;

/// A step into a value.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

/// A parsed path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Path(Vec<Step>);

impl Path {
    /// `None` for a path that cannot be meant.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut steps = Vec::new();
        if text.trim().is_empty() {
            return Some(Self(steps));
        }
        if text.chars().count() > PATH_CHARS_MAX {
            return None;
        }
        for part in text.trim().split('.') {
            let mut pieces = part.split('[');
            let key = pieces.next().unwrap_or_default();
            if !key.is_empty() {
                steps.push(Step::Key(key.to_owned()));
            } else if !part.starts_with('[') {
                return None;
            }
            for piece in pieces {
                let index = piece.strip_suffix(']')?;
                steps.push(Step::Index(index.parse().ok()?));
            }
        }
        Some(Self(steps))
    }

    /// The value there. A list of one is often written as the value itself, so `[0]` of a plain value is that value.
    pub(crate) fn find<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(value, |value, step| match step {
            Step::Key(key) => value.get(key),
            Step::Index(index) => match value {
                Value::Array(items) => items.get(*index),
                Value::Number(_) | Value::String(_) => (*index == 0).then_some(value),
                Value::Null | Value::Bool(_) | Value::Object(_) => None,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Paths as people write them lead to the value; broken ones are refused when they are entered.
    #[test]
    fn paths_are_followed() {
        let value = json!({"emeters": [{"power": 1}, {"power": 2}], "em:0": {"a_current": 3}, "E": 4});
        let find = |path: &str| Path::parse(path).unwrap().find(&value).cloned();
        assert_eq!(find("emeters[1].power"), Some(json!(2)));
        assert_eq!(find("em:0.a_current"), Some(json!(3)));
        assert_eq!(find("E[0]"), Some(json!(4)));
        assert_eq!(find("E[1]"), None);
        assert_eq!(find(""), Some(value.clone()));
        assert_eq!(find("missing.thing"), None);
        for wrong in ["a..b", "a[", "a[x]", "a[1", "."] {
            assert_eq!(Path::parse(wrong), None, "{wrong}");
        }
    }
}

//! JSON as firmware writes it by hand, made into JSON.
//!
//! Control characters inside texts, a comma before a closing bracket, numbers such as `007`, `.5` and `nan`: the
//! meaning is clear, and a charger whose message is refused for it repeats it for ever.

use serde_json::value::RawValue;
use std::fmt::Write as _;

/// The text as JSON; `None` where nothing had to be mended, or it is still none.
pub(crate) fn mended(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        rest = match first {
            '"' => quoted(rest, &mut out),
            ',' => {
                let after = rest.get(1..).unwrap_or_default();
                let next = after.trim_start_matches(|c: char| c.is_whitespace() || c.is_control()).chars().next();
                if !matches!(next, Some(']' | '}')) {
                    out.push(',');
                }
                after
            }
            c if is_word(c) => {
                let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                let (token, after) = rest.split_at_checked(end)?;
                out.push_str(&word(token));
                after
            }
            c => {
                out.push(if c.is_control() { ' ' } else { c });
                rest.get(c.len_utf8()..).unwrap_or_default()
            }
        };
    }
    (out != text && serde_json::from_str::<&RawValue>(&out).is_ok()).then_some(out)
}

const fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | '_')
}

/// Copies one text with its quotes; gives what follows it.
fn quoted<'a>(rest: &'a str, out: &mut String) -> &'a str {
    out.push('"');
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                out.push('"');
                return rest.get(at + 1..).unwrap_or_default();
            }
            '\\' => match chars.next() {
                Some((_, next @ ('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't' | 'u'))) => out.extend(['\\', next]),
                Some((_, next)) => out.extend(['\\', '\\', next]),
                None => out.push('\\'),
            },
            c if u32::from(c) < 0x20 => {
                // Writing to a text cannot fail.
                let _infallible = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    ""
}

/// A number or a word of JSON behind what was written.
fn word(token: &str) -> String {
    if serde_json::from_str::<&RawValue>(token).is_ok() {
        return token.to_owned();
    }
    let bare = token.trim_start_matches('+');
    match bare.trim_start_matches('-').to_ascii_lowercase().as_str() {
        "nan" | "inf" | "infinity" | "none" | "null" | "undefined" | "nil" => return "null".to_owned(),
        "true" => return "true".to_owned(),
        "false" => return "false".to_owned(),
        _ => {}
    }
    let (sign, digits) = bare.strip_prefix('-').map_or(("", bare), |digits| ("-", digits));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = !digits.is_empty() && whole.bytes().chain(part.bytes()).all(|byte| byte.is_ascii_digit());
    if !is_number || (whole.is_empty() && part.is_empty()) {
        return token.to_owned();
    }
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What firmware gets wrong by hand is read as it was meant.
    #[test]
    fn broken_json_is_mended() {
        for (broken, meant) in [
            ("{\"a\":1,}", "{\"a\":1}"),
            ("[1,2,\n]", "[1,2 ]"),
            ("{\"a\":\"x\ny\u{1}\"}", "{\"a\":\"x\\u000ay\\u0001\"}"),
            ("{\"a\":\"x\\_\"}", "{\"a\":\"x\\\\_\"}"),
            ("[nan,-inf,NaN,True,None]", "[null,null,null,true,null]"),
            ("[007,.5,5.,+3,-.25,00]", "[7,0.5,5,3,-0.25,0]"),
            ("[1,\u{1}2]", "[1, 2]"),
        ] {
            assert_eq!(mended(broken).as_deref(), Some(meant), "{broken}");
        }
    }

    /// What is JSON already, and what cannot be mended, is left alone.
    #[test]
    fn the_rest_is_left_alone() {
        for text in ["[1,\"a,]\",{\"b\":[]}]", "[1", "hello", "", "\"a", "[1,,2]"] {
            assert_eq!(mended(text), None, "{text}");
        }
    }

    proptest! {
        /// No text makes it panic, and what it gives is JSON.
        #[test]
        fn any_text(text in "[\\[\\]{}:,\"a-z0-9.+\\\\\n -]{0,60}|.{0,60}") {
            if let Some(mended) = mended(&text) {
                prop_assert!(serde_json::from_str::<serde_json::Value>(&mended).is_ok(), "{mended}");
            }
        }
    }
}

//! Passwords of chargers kept out of the message log.

use serde_json::Value;
use std::borrow::Cow;

/// The configuration key that carries a charger's password.
const SECRET_KEY: &str = "AuthorizationKey";

/// Where in the key its rarest letter stands, and which it is.
const RARE_LETTER: (usize, u8) = (7, b'z');

/// The text of a frame as it may be kept: values of the password's key are replaced.
pub(crate) fn frame(text: String) -> String {
    match redacted(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(redacted) => redacted,
    }
}

fn redacted(text: &str) -> Cow<'_, str> {
    // Nearly every frame ends here.
    // A letter that is rare in frames is looked at first.
    let is_key = |part: &[u8]| {
        part.get(RARE_LETTER.0).is_some_and(|byte| byte | 0x20 == RARE_LETTER.1)
            && part.eq_ignore_ascii_case(SECRET_KEY.as_bytes())
    };
    if !text.as_bytes().windows(SECRET_KEY.len()).any(is_key) {
        return Cow::Borrowed(text);
    }
    let Ok(mut value) = serde_json::from_str::<Value>(text) else {
        return Cow::Owned(format!("(a frame that names {SECRET_KEY} and is no JSON)"));
    };
    hide(&mut value);
    Cow::Owned(value.to_string())
}

fn hide(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(hide),
        Value::Object(fields) => {
            let is_secret = fields
                .get("key")
                .and_then(Value::as_str)
                .is_some_and(|key| key.trim().eq_ignore_ascii_case(SECRET_KEY));
            if is_secret && let Some(secret) = fields.get_mut("value") {
                *secret = Value::from("***");
            }
            fields.values_mut().for_each(hide);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A password is never readable in the message log, in whichever direction it passed; everything else is.
    #[test]
    fn passwords_are_hidden() {
        let sent = r#"[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"00ff00ff"}]"#;
        let kept = frame(sent.to_owned());
        assert!(!kept.contains("00ff00ff") && kept.contains("***"), "{kept}");
        let answer = r#"[3,"2",{"configurationKey":[{"key":"authorizationkey","readonly":false,"value":"00ff00ff"},{"key":"A","value":"b"}]}]"#;
        let kept = frame(answer.to_owned());
        assert!(!kept.contains("00ff00ff") && kept.contains(r#""value":"b""#), "{kept}");
        assert!(!frame(r#"[2,"1","X",{"key":"AuthorizationKey","value":"00ff00"#.to_owned()).contains("00ff00"));
        let other = r#"[2, "1", "Heartbeat", {}]"#;
        assert_eq!(frame(other.to_owned()), other, "left as it crossed the wire");
    }
}

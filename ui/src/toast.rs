//! Short messages that leave by themselves. Time is given from outside, in seconds.

/// Seconds a good message stays.
const GOOD_S: f64 = 5.0;
/// Seconds an error stays: long enough to read two lines twice.
const BAD_S: f64 = 12.0;
/// Most messages at once; the oldest makes room.
const TOASTS_MAX: usize = 4;

/// How a message is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// It worked.
    Good,
    /// It did not.
    Bad,
}

/// A message on screen.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Toast {
    /// Identity.
    pub(crate) id: u64,
    /// How it is meant.
    pub(crate) tone: Tone,
    /// The words.
    pub(crate) text: String,
    /// When it leaves; `None` until it was first shown.
    until_s: Option<f64>,
}

/// The messages on screen, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Toasts {
    list: Vec<Toast>,
    next_id: u64,
}

impl Toasts {
    /// Says something; the same words again only stay longer.
    pub(crate) fn say(&mut self, tone: Tone, text: String) {
        self.list.retain(|toast| toast.text != text);
        if self.list.len() >= TOASTS_MAX {
            self.list.remove(0);
        }
        self.next_id += 1;
        self.list.push(Toast { id: self.next_id, tone, text, until_s: None });
    }

    /// Closes one.
    pub(crate) fn dismiss(&mut self, id: u64) {
        self.list.retain(|toast| toast.id != id);
    }

    /// Drops what is over at `now_s`; returns the seconds until the next one is.
    pub(crate) fn tick(&mut self, now_s: f64) -> Option<f64> {
        for toast in &mut self.list {
            let stay = match toast.tone {
                Tone::Good => GOOD_S,
                Tone::Bad => BAD_S,
            };
            toast.until_s.get_or_insert(now_s + stay);
        }
        self.list.retain(|toast| toast.until_s.is_none_or(|until| until > now_s));
        self.list.iter().filter_map(|toast| toast.until_s).map(|until| until - now_s).reduce(f64::min)
    }

    /// The messages on screen, oldest first.
    pub(crate) fn list(&self) -> &[Toast] {
        &self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Messages leave after their time, and the caller learns when to look again.
    #[test]
    fn messages_leave_by_themselves() {
        let mut toasts = Toasts::default();
        toasts.say(Tone::Good, "saved".to_owned());
        toasts.say(Tone::Bad, "refused".to_owned());
        assert_eq!(toasts.tick(100.0), Some(GOOD_S));
        assert_eq!(toasts.tick(105.0), Some(BAD_S - 5.0));
        assert_eq!(toasts.list().len(), 1, "only the error is left");
        assert_eq!(toasts.tick(112.0), None);
    }
}

//! A value that lives on the server: asked for once, kept on screen while a newer one travels.

/// State of a remote value.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Remote<T> {
    /// Nobody asked yet.
    #[default]
    Absent,
    /// Asked; the previous value stays readable.
    Pending(Option<T>),
    /// Here.
    Ready(T),
    /// The server said no, in these words; the previous value stays readable.
    Failed(String, Option<T>),
}

impl<T> Remote<T> {
    /// The newest value known, even while a newer one travels.
    pub(crate) const fn value(&self) -> Option<&T> {
        match self {
            Self::Absent => None,
            Self::Pending(previous) | Self::Failed(_, previous) => previous.as_ref(),
            Self::Ready(value) => Some(value),
        }
    }

    /// Whether it should be asked for now.
    pub(crate) const fn is_wanted(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Whether an answer is still travelling.
    pub(crate) const fn is_pending(&self) -> bool {
        matches!(self, Self::Pending(_))
    }

    /// What the server said when it refused.
    pub(crate) fn failure(&self) -> Option<&str> {
        match self {
            Self::Failed(detail, _) => Some(detail),
            Self::Absent | Self::Pending(_) | Self::Ready(_) => None,
        }
    }

    /// Notes that it was asked for.
    pub(crate) fn ask(&mut self) {
        let previous = self.take();
        *self = Self::Pending(previous);
    }

    /// Notes the answer.
    pub(crate) fn answer(&mut self, answer: Result<T, String>) {
        *self = match answer {
            Ok(value) => Self::Ready(value),
            Err(detail) => Self::Failed(detail, self.take()),
        };
    }

    fn take(&mut self) -> Option<T> {
        match std::mem::take(self) {
            Self::Absent => None,
            Self::Pending(previous) | Self::Failed(_, previous) => previous,
            Self::Ready(value) => Some(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value never vanishes from the screen because a newer one is on its way or was refused.
    #[test]
    fn previous_value_stays_readable() {
        let mut remote = Remote::Absent;
        assert!(remote.is_wanted(), "a fresh value is wanted");
        remote.ask();
        assert_eq!(remote.value(), None, "nothing yet");
        remote.answer(Ok(7));
        remote.ask();
        assert_eq!((remote.value(), remote.is_pending()), (Some(&7), true), "old value while pending");
        remote.answer(Err("no".to_owned()));
        assert_eq!((remote.value(), remote.failure()), (Some(&7), Some("no")), "old value beside the failure");
    }
}

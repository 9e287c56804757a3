//! Every text of the console, English beside Portuguese (pt-PT), in one catalogue.
//!
//! Sentence case; one sentence has no period; `…` means that more is asked. `{}` is filled by [`Text::fill`].
//! Sentences about decisions and alarms come from `api`, so that every client says the same.

use api::Language;

macro_rules! catalogue {
    ($($(#[$doc:meta])* $name:ident: $english:literal, $portuguese:literal;)*) => {
        /// A text of the console.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Text { $($(#[$doc])* $name,)* }

        impl Text {
            /// All of them, for tests.
            #[cfg(test)]
            pub(crate) const ALL: &[Self] = &[$(Self::$name,)*];

            /// In one language.
            pub(crate) const fn get(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Self::$name, Language::English) => $english,
                      (Self::$name, Language::Portuguese) => $portuguese,)*
                }
            }
        }
    };
}

impl Text {
    /// In one language, with each `{}` replaced in order.
    pub(crate) fn fill(self, language: Language, parts: &[&str]) -> String {
        let mut pieces = self.get(language).split("{}");
        let mut out = pieces.next().unwrap_or_default().to_owned();
        for (piece, part) in pieces.zip(parts.iter().copied().chain(std::iter::repeat(""))) {
            out.push_str(part);
            out.push_str(piece);
        }
        out
    }
}

/// A sentence of the server in the language of the page; one that nobody translated stays as it came.
pub(crate) fn said(english: &str, language: Language) -> String {
    let portuguese = match language {
        Language::English => None,
        Language::Portuguese => api::in_portuguese(english),
    };
    portuguese.unwrap_or_else(|| english.to_owned())
}

mod catalogue;
pub(crate) use self::catalogue::Text;

#[cfg(test)]
mod tests {
    use super::*;

    /// Every text exists in both languages with the same blanks, and follows the rules of product text.
    #[test]
    fn texts_follow_the_rules() {
        for text in Text::ALL {
            let (en, pt) = (text.get(Language::English), text.get(Language::Portuguese));
            assert_eq!(en.matches("{}").count(), pt.matches("{}").count(), "{text:?}: blanks differ");
            for words in [en, pt] {
                assert!(!words.trim().is_empty(), "{text:?} is empty");
                let sentences = words.matches(". ").count() + usize::from(words.ends_with('.'));
                assert!(sentences != 1 || !words.ends_with('.'), "{text:?}: one sentence has no period: {words}");
                assert!(!words.contains("..."), "{text:?}: use … instead of three dots");
            }
        }
    }

    /// Blanks are filled in order and missing parts leave nothing behind.
    #[test]
    fn blanks_are_filled_in_order() {
        assert_eq!(
            Text::EnrolCaptured.fill(Language::English, &["04A1", "Garage 3"]),
            "Card 04A1 was read at Garage 3"
        );
        assert_eq!(Text::EnrolCaptured.fill(Language::English, &["04A1"]), "Card 04A1 was read at ");
    }
}

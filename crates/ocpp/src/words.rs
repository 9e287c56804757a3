//! Lists of words: every word of the schema is a variant, any other word is kept as it came.

/// Declares a list of words with tolerant reading: exact first, then without regard to letter case.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum $name {
            $(
                #[doc = concat!("`", $text, "`")]
                $variant,
            )+
            /// A word the list does not have, as it came; cannot be written.
            Unlisted(String),
        }

        impl $name {
            /// Every word of the list.
            pub const ALL: &'static [&'static str] = &[$($text),+];

            /// The word.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Unlisted(text) => text,
                }
            }

            /// The word behind a text; letter case and white space around it do not matter.
            #[must_use]
            pub fn from_text(text: &str) -> Self {
                let trimmed = text.trim();
                $(if trimmed.eq_ignore_ascii_case($text) { return Self::$variant; })+
                Self::Unlisted(text.to_owned())
            }

            /// Whether the schema knows the word.
            #[must_use]
            pub const fn is_listed(&self) -> bool {
                !matches!(self, Self::Unlisted(_))
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::Unlisted(String::new())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::from_text(&text)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::read::text(deserializer).map(|text| Self::from_text(&text))
            }
        }
    };
}
pub(crate) use words;

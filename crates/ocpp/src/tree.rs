//! JSON read once into a tree that borrows from its text.
//!
//! Reading with tolerance looks at a value more than once. In a text each look costs what the part is long, once for every
//! level it lies below; in a tree it costs nothing. Numbers keep the digits they were written with.

use serde::de::value::Error;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// What lies deeper is kept as text: no message has more than eight levels, and a tree must not exhaust the stack.
const LEVELS_MAX: u8 = 32;

/// A value.
#[derive(Clone, Debug)]
pub(crate) enum Tree<'a> {
    Nothing,
    /// A number, `true` or `false` as it is written.
    Bare(&'a str),
    Text(Cow<'a, str>),
    List {
        source: &'a str,
        items: Vec<Self>,
    },
    Group {
        source: &'a str,
        fields: Vec<(Cow<'a, str>, Self)>,
    },
}

impl<'a> Tree<'a> {
    /// The tree of a text; `None` where it is no JSON.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let mut reader = Reader { text, at: 0 };
        let tree = reader.value(LEVELS_MAX)?;
        reader.space();
        (reader.at == text.len()).then_some(tree)
    }

    /// Where a field is given twice, the last one counts, as in most JSON readers.
    pub(crate) fn keep_last(&mut self) {
        match self {
            Self::Group { fields, .. } => {
                let mut seen = BTreeSet::new();
                let mut kept: Vec<_> = fields.drain(..).rev().filter(|(name, _)| seen.insert(name.clone())).collect();
                kept.reverse();
                *fields = kept;
                fields.iter_mut().for_each(|(_, value)| value.keep_last());
            }
            Self::List { items, .. } => items.iter_mut().for_each(Self::keep_last),
            Self::Nothing | Self::Bare(_) | Self::Text(_) => {}
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        self.space();
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn value(&mut self, levels: u8) -> Option<Tree<'a>> {
        self.space();
        match self.peek()? {
            b'"' => self.quoted().map(|text| text.map_or(Tree::Nothing, Tree::Text)),
            b'[' | b'{' if levels == 0 => self.deep(),
            b'[' => self.list(levels),
            b'{' => self.group(levels),
            _ => self.bare(),
        }
    }

    /// A text; `Some(None)` for one whose escapes mean no text.
    fn quoted(&mut self) -> Option<Option<Cow<'a, str>>> {
        let begin = self.at;
        let mut is_plain = true;
        loop {
            self.at += 1;
            match self.peek()? {
                b'"' => break,
                b'\\' => {
                    is_plain = false;
                    self.at += 1;
                }
                0..=0x1f => return None,
                _ => {}
            }
        }
        self.at += 1;
        let source = self.text.get(begin..self.at)?;
        if is_plain {
            return Some(source.get(1..source.len() - 1).map(Cow::Borrowed));
        }
        // Whether the escapes are some is the library's to say; what they mean, too.
        serde_json::from_str::<&RawValue>(source).ok()?;
        Some(serde_json::from_str(source).ok().map(Cow::Owned))
    }

    fn bare(&mut self) -> Option<Tree<'a>> {
        let begin = self.at;
        while matches!(self.peek(), Some(b'+' | b'-' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z')) {
            self.at += 1;
        }
        let source = self.text.get(begin..self.at)?;
        match source {
            "null" => Some(Tree::Nothing),
            "true" | "false" => Some(Tree::Bare(source)),
            number => serde_json::from_str::<&RawValue>(number).ok().map(|_is_one| Tree::Bare(number)),
        }
    }

    fn list(&mut self, levels: u8) -> Option<Tree<'a>> {
        let begin = self.at;
        self.at += 1;
        let mut items = Vec::new();
        if self.take(b']').is_none() {
            loop {
                items.push(self.value(levels - 1)?);
                if self.take(b',').is_none() {
                    self.take(b']')?;
                    break;
                }
            }
        }
        Some(Tree::List { source: self.text.get(begin..self.at)?, items })
    }

    fn group(&mut self, levels: u8) -> Option<Tree<'a>> {
        let begin = self.at;
        self.at += 1;
        let mut fields = Vec::new();
        if self.take(b'}').is_none() {
            loop {
                self.space();
                (self.peek()? == b'"').then_some(())?;
                let name = self.quoted()?.unwrap_or_default();
                self.take(b':')?;
                fields.push((name, self.value(levels - 1)?));
                if self.take(b',').is_none() {
                    self.take(b'}')?;
                    break;
                }
            }
        }
        Some(Tree::Group { source: self.text.get(begin..self.at)?, fields })
    }

    /// A list or group that lies too deep, as its text only.
    fn deep(&mut self) -> Option<Tree<'a>> {
        let rest = self.text.get(self.at..)?;
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<&RawValue>();
        let source = values.next()?.ok()?.get();
        self.at += values.byte_offset();
        Some(Tree::List { source, items: Vec::new() })
    }
}

impl<'de> Deserializer<'de> for &Tree<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Tree::Nothing => visitor.visit_unit(),
            Tree::Bare(text) | Tree::Text(Cow::Borrowed(text)) => visitor.visit_borrowed_str(text),
            Tree::Text(Cow::Owned(text)) => visitor.visit_str(text),
            Tree::List { items, .. } => visitor.visit_seq(Items(items.iter())),
            Tree::Group { fields, .. } => visitor.visit_map(Fields { fields: fields.iter(), value: None }),
        }
    }

    /// Anything as text: a list or a group as it is written.
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Tree::List { source, .. } | Tree::Group { source, .. } => visitor.visit_borrowed_str(source),
            Tree::Nothing | Tree::Bare(_) | Tree::Text(_) => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Tree::Nothing => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier
    }
}

struct Items<'t, 'de>(std::slice::Iter<'t, Tree<'de>>);

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.0.next().map(|item| seed.deserialize(item)).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

struct Fields<'t, 'de> {
    fields: std::slice::Iter<'t, (Cow<'de, str>, Tree<'de>)>,
    value: Option<&'t Tree<'de>>,
}

impl<'de> MapAccess<'de> for Fields<'_, 'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((name, value)) = self.fields.next() else { return Ok(None) };
        self.value = Some(value);
        seed.deserialize(serde::de::value::StrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(self.value.take().unwrap_or(&Tree::Nothing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn is_json(text: &str) -> bool {
        serde_json::from_str::<&RawValue>(text).is_ok()
    }

    /// What lies very deep, escapes, and numbers of every size are taken as the library takes them.
    #[test]
    fn reads_what_the_library_reads() {
        let deep = format!("{}1{}", "[".repeat(20_000), "]".repeat(20_000));
        for text in [
            &deep,
            "[1,2",
            "{\"a\":1e400}",
            "\"\\ud800\"",
            "\"\\u12\"",
            "[1,]",
            "{\"a\" : [ ] }",
            "01",
            "\"\u{1}\"",
            "",
        ] {
            assert_eq!(Tree::parse(text).is_some(), is_json(text), "{}", text.get(..20).unwrap_or(text));
        }
    }

    proptest! {
        /// The same texts are JSON here and in the library, and none makes it panic.
        #[test]
        fn any_text(text in "[\\[\\]{}:,\"a-z0-9.eE+\\\\ \n-]{0,40}|(\\[|\\{\"a\":|1|\"x\\\\n\"|,|\\]|\\}|null){0,12}|.{0,40}") {
            prop_assert_eq!(Tree::parse(&text).is_some(), is_json(&text));
        }
    }
}

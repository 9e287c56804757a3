//! Lists in pages. Records page in the store; what is live pages here, by the identity of the last item.

use super::problem::{Answer, Failure};
use crate::time_text;
use api::Page;
use domain::Timestamp;
use serde::Deserialize;

/// Items on a page when the client names no limit.
const LIMIT_DEFAULT: u32 = 100;

/// Most items on a page.
const LIMIT_MAX: u32 = 1000;

/// Query of every list.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// Most items, 1 to 1000; 100 when absent.
    #[serde(default)]
    pub(crate) limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub(crate) cursor: Option<String>,
}

impl PageQuery {
    pub(crate) fn limit(&self) -> Answer<u32> {
        match self.limit.unwrap_or(LIMIT_DEFAULT) {
            limit @ 1..=LIMIT_MAX => Ok(limit),
            _ => Err(Failure::invalid(format!("limit must be between 1 and {LIMIT_MAX}"))),
        }
    }

    /// As the store takes it.
    pub(crate) fn for_store(&self) -> Answer<store::Page> {
        Ok(store::Page { limit: self.limit()?, cursor: self.cursor.clone() })
    }

    /// One page of items that are all in memory; `key` names an item.
    pub(crate) fn page<T>(&self, items: Vec<T>, key: impl Fn(&T) -> String) -> Answer<Page<T>> {
        let limit = usize::try_from(self.limit()?).unwrap_or(usize::MAX);
        let from = match &self.cursor {
            None => 0,
            Some(cursor) => items
                .iter()
                .position(|item| key(item) == *cursor)
                .map(|position| position + 1)
                .ok_or_else(|| Failure::invalid("cursor is no longer in this list; start again without one"))?,
        };
        let more = items.len() > from.saturating_add(limit);
        let items: Vec<T> = items.into_iter().skip(from).take(limit).collect();
        let next_cursor = if more { items.last().map(key) } else { None };
        Ok(Page { items, next_cursor })
    }
}

/// A page of the store for clients.
pub(crate) fn stored<T, U>(list: store::List<T>, item: impl Fn(&T) -> U) -> Page<U> {
    Page { items: list.items.iter().map(item).collect(), next_cursor: list.next_cursor }
}

/// A time in a query: RFC 3339, or milliseconds since 1970.
pub(crate) fn time(name: &str, text: Option<&str>) -> Answer<Option<Timestamp>> {
    text.filter(|text| !text.is_empty())
        .map(|text| {
            text.parse::<i64>()
                .ok()
                .map(Timestamp)
                .or_else(|| time_text::parse(text))
                .ok_or_else(|| Failure::invalid(format!("{name} must be a time such as 2026-11-01T00:00:00Z")))
        })
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Following the cursors visits every item once; a cursor of another list is refused.
    #[test]
    fn pages_cover_the_list() {
        let mut seen = Vec::new();
        let mut query = PageQuery { limit: Some(2), cursor: None };
        loop {
            let page = query.page(vec![1, 2, 3, 4, 5], ToString::to_string).unwrap();
            seen.extend(page.items);
            query.cursor = page.next_cursor;
            if query.cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, [1, 2, 3, 4, 5]);
        query.cursor = Some("9".to_owned());
        assert!(query.page(vec![1], ToString::to_string).is_err());
        assert!(PageQuery { limit: Some(0), cursor: None }.limit().is_err());
    }
}

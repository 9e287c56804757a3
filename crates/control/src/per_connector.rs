//! A value for each connector of the site, in their order.

use crate::plan::Connector;
use crate::state::{ChargerLive, ConnectorLive};
use domain::ChargerId;
use std::collections::BTreeMap;

/// Values by connector. Nearly all are made in order and read in order, many times a second, so they lie side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PerConnector<T>(Vec<(Connector, T)>);

impl<T> Default for PerConnector<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> PerConnector<T> {
    fn place(&self, key: &Connector) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| other.cmp(key))
    }

    pub(crate) fn get(&self, key: &Connector) -> Option<&T> {
        let place = self.place(key).ok()?;
        self.0.get(place).map(|(_, value)| value)
    }

    pub(crate) fn get_mut(&mut self, key: &Connector) -> Option<&mut T> {
        let place = self.place(key).ok()?;
        self.0.get_mut(place).map(|(_, value)| value)
    }

    /// Takes a value; the one before goes.
    pub(crate) fn insert(&mut self, key: Connector, value: T) {
        if self.0.last().is_none_or(|(last, _)| *last < key) {
            self.0.push((key, value));
            return;
        }
        match self.place(&key) {
            Ok(place) => {
                if let Some((_, slot)) = self.0.get_mut(place) {
                    *slot = value;
                }
            }
            Err(place) => self.0.insert(place, (key, value)),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Connector, &T)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// Every connector that has a value here, beside that value.
    pub(crate) fn beside<'t, 'c>(
        &'t self,
        chargers: &'c mut BTreeMap<ChargerId, ChargerLive>,
    ) -> impl Iterator<Item = Beside<'t, 'c, T>> {
        let mut rest = self.0.iter().peekable();
        let connectors = chargers.iter_mut().flat_map(|(id, live)| {
            let is_approved = live.charger.approved;
            live.connectors.iter_mut().map(move |(number, connector)| (id, *number, is_approved, connector))
        });
        connectors.filter_map(move |(id, number, is_approved, connector)| {
            let (key, value) = loop {
                let (key, value) = rest.peek()?;
                match key.0.cmp(id).then(key.1.cmp(&number)) {
                    std::cmp::Ordering::Less => drop(rest.next()),
                    std::cmp::Ordering::Equal => break (key, value),
                    std::cmp::Ordering::Greater => return None,
                }
            };
            Some(Beside { key, value, connector, is_approved })
        })
    }
}

/// A connector beside a value.
pub(crate) struct Beside<'t, 'c, T> {
    pub(crate) key: &'t Connector,
    pub(crate) value: &'t T,
    pub(crate) connector: &'c mut ConnectorLive,
    /// Whether its charger is let in.
    pub(crate) is_approved: bool,
}

impl<T> FromIterator<(Connector, T)> for PerConnector<T> {
    fn from_iter<I: IntoIterator<Item = (Connector, T)>>(values: I) -> Self {
        let mut list = Self::default();
        for (key, value) in values {
            list.insert(key, value);
        }
        list
    }
}

impl<T> IntoIterator for PerConnector<T> {
    type Item = (Connector, T);
    type IntoIter = std::vec::IntoIter<(Connector, T)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a PerConnector<T> {
    type Item = (&'a Connector, &'a T);
    type IntoIter = std::iter::Map<std::slice::Iter<'a, (Connector, T)>, fn(&'a (Connector, T)) -> Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().map(|(key, value)| (key, value))
    }
}

impl<'a, T> IntoIterator for &'a mut PerConnector<T> {
    type Item = (&'a Connector, &'a mut T);
    type IntoIter = std::iter::Map<std::slice::IterMut<'a, (Connector, T)>, fn(&'a mut (Connector, T)) -> Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter_mut().map(|(key, value)| (&*key, value))
    }
}

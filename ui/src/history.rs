//! What the graph shows: readings of the past, asked from the server once, and live points after them.
//!
//! One [`Track`] per quantity holds equally long columns. Values are kW or A; `NaN` is "nothing known".

use crate::time::{DAY_MS, SECOND_MS};
use api::{ChargerItem, ReadingColumns, Snapshot};
use std::collections::BTreeMap;

/// Closest two live points; what comes sooner is left out, so that a day of live points stays small.
const LIVE_STEP_MS: i64 = SECOND_MS;
/// A silence longer than this is asked for again: frames stop while the page is hidden.
const SILENCE_MS: i64 = 180 * SECOND_MS;

/// What the graph measures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Quantity {
    /// Power of all phases in kW.
    #[default]
    Power,
    /// Current on L1 in A.
    L1,
    /// Current on L2 in A.
    L2,
    /// Current on L3 in A.
    L3,
}

impl Quantity {
    /// All of them, in the order of the selector.
    pub(crate) const ALL: [Self; 4] = [Self::Power, Self::L1, Self::L2, Self::L3];

    /// The last part of a series' name and what one of our units is in units of that series.
    const fn series(self) -> (&'static str, f32) {
        match self {
            Self::Power => ("power_w", 1000.0),
            Self::L1 => ("current_l1_ma", 1000.0),
            Self::L2 => ("current_l2_ma", 1000.0),
            Self::L3 => ("current_l3_ma", 1000.0),
        }
    }

    /// Number of the grid phase; `None` for power.
    pub(crate) const fn phase(self) -> Option<u8> {
        match self {
            Self::Power => None,
            Self::L1 => Some(1),
            Self::L2 => Some(2),
            Self::L3 => Some(3),
        }
    }
}

/// Equally long columns of one quantity, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Track {
    /// When, milliseconds since 1970, strictly rising.
    pub(crate) at_ms: Vec<i64>,
    /// The building without chargers.
    pub(crate) house: Vec<f32>,
    /// Each charger, by identity.
    pub(crate) chargers: BTreeMap<String, Vec<f32>>,
    /// Counts up with every change.
    pub(crate) revision: u64,
    /// How far back the server was asked; `None` before.
    pub(crate) asked_from_ms: Option<i64>,
}

impl Track {
    /// Whether readings from `from_ms` on must still be asked for.
    pub(crate) fn needs(&self, from_ms: i64) -> bool {
        // A minute of slack: the window slides on while nothing older is missing.
        self.asked_from_ms.is_none_or(|asked| asked > from_ms + 60 * SECOND_MS)
    }

    /// Appends one live point.
    fn append(&mut self, at_ms: i64, house: f32, chargers: &BTreeMap<&str, f32>) {
        if let Some(last) = self.at_ms.last().copied() {
            if at_ms < last {
                // The clock of the site went back (a demo was restarted): start anew.
                *self = Self { revision: self.revision + 1, ..Self::default() };
            } else if at_ms - last < LIVE_STEP_MS {
                return;
            } else if at_ms - last > SILENCE_MS {
                self.asked_from_ms = None;
            }
        }
        let rows = self.at_ms.len();
        for id in chargers.keys() {
            if !self.chargers.contains_key(*id) {
                self.chargers.insert((*id).to_owned(), vec![f32::NAN; rows]);
            }
        }
        self.at_ms.push(at_ms);
        self.house.push(house);
        for (id, column) in &mut self.chargers {
            column.push(chargers.get(id.as_str()).copied().unwrap_or(f32::NAN));
        }
        self.forget_before(at_ms - DAY_MS - DAY_MS / 24);
        self.revision += 1;
    }

    fn forget_before(&mut self, limit_ms: i64) {
        let old = self.at_ms.partition_point(|at| *at < limit_ms);
        // In batches, since removing from the front moves everything.
        if old > 2000 {
            self.at_ms.drain(..old);
            self.house.drain(..old);
            for column in self.chargers.values_mut() {
                column.drain(..old);
            }
        }
    }

    /// Puts readings of the past in front: they replace all rows up to their last one.
    pub(crate) fn merge(&mut self, quantity: Quantity, past: &ReadingColumns, asked_from_ms: i64) {
        self.asked_from_ms = Some(asked_from_ms);
        self.revision += 1;
        let Some(last) = past.at_ms.last().copied() else { return };
        let keep_from = self.at_ms.partition_point(|at| *at <= last);
        let (suffix, scale) = quantity.series();
        let rows = past.at_ms.len();
        let mut merged =
            Self { at_ms: past.at_ms.clone(), house: vec![f32::NAN; rows], revision: self.revision, ..Self::default() };
        for (name, column) in past.series.iter().zip(&past.values) {
            let Some(source) = name.strip_suffix(suffix) else { continue };
            if source == "house/" {
                merged.house = column.iter().map(|value| value.map_or(f32::NAN, |v| to_f32(v) / scale)).collect();
            } else if let Some(id) = source.strip_prefix("charger/").and_then(|rest| rest.split('/').next()) {
                let sum = merged.chargers.entry(id.to_owned()).or_insert_with(|| vec![f32::NAN; rows]);
                for (into, value) in sum.iter_mut().zip(column) {
                    if let Some(value) = value {
                        *into = if into.is_nan() { 0.0 } else { *into } + to_f32(*value) / scale;
                    }
                }
            }
        }
        merged.house.resize(rows, f32::NAN);
        merged.take_tail(self, keep_from, rows);
        merged.asked_from_ms = self.asked_from_ms;
        *self = merged;
    }

    /// Appends the rows of `live` from `keep_from` on.
    fn take_tail(&mut self, live: &Self, keep_from: usize, rows: usize) {
        self.at_ms.extend_from_slice(live.at_ms.get(keep_from..).unwrap_or_default());
        self.house.extend_from_slice(live.house.get(keep_from..).unwrap_or_default());
        for (id, column) in &live.chargers {
            self.chargers
                .entry(id.clone())
                .or_insert_with(|| vec![f32::NAN; rows])
                .extend_from_slice(column.get(keep_from..).unwrap_or_default());
        }
        let total = self.at_ms.len();
        for column in self.chargers.values_mut() {
            column.resize(total, f32::NAN);
        }
    }
}

/// The tracks of all quantities.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    tracks: BTreeMap<Quantity, Track>,
}

impl History {
    /// The track of a quantity.
    pub(crate) fn track(&mut self, quantity: Quantity) -> &mut Track {
        self.tracks.entry(quantity).or_default()
    }

    /// The track of a quantity, if it has any value.
    pub(crate) fn get(&self, quantity: Quantity) -> Option<&Track> {
        self.tracks.get(&quantity)
    }

    /// Appends what a snapshot says to every track.
    pub(crate) fn append(&mut self, snapshot: &Snapshot) {
        for quantity in Quantity::ALL {
            let Some(house) = house_value(snapshot, quantity) else { continue };
            let chargers: BTreeMap<&str, f32> = snapshot
                .chargers
                .iter()
                .map(|charger| (charger.id.as_str(), charger_value(charger, quantity)))
                .collect();
            self.track(quantity).append(snapshot.at_ms, house, &chargers);
        }
    }
}

/// The building's own load, `None` where the site has no such phase.
fn house_value(snapshot: &Snapshot, quantity: Quantity) -> Option<f32> {
    match quantity.phase() {
        None => Some(narrow(snapshot.site.house_kw)),
        Some(phase) => snapshot.site.house_a.get(usize::from(phase - 1)).copied().map(narrow),
    }
}

/// What a charger draws: kW, or A on one grid phase.
pub(crate) fn charger_value(charger: &ChargerItem, quantity: Quantity) -> f32 {
    let of_connector = |connector: &api::ConnectorItem| match quantity.phase() {
        None => connector.power_kw,
        Some(phase) => charger
            .phases
            .iter()
            .zip(&connector.measured_a)
            .filter(|(wire, _)| **wire == phase)
            .map(|(_, amps)| *amps)
            .sum(),
    };
    narrow(charger.connectors.iter().map(of_connector).sum())
}

/// Names of the series that `GET readings` needs for a quantity.
pub(crate) fn series_names(snapshot: &Snapshot, quantity: Quantity) -> Vec<String> {
    let suffix = quantity.series().0;
    let connectors = snapshot.chargers.iter().flat_map(|charger| {
        charger.connectors.iter().map(move |connector| format!("charger/{}/{}/{suffix}", charger.id, connector.id))
    });
    std::iter::once(format!("house/{suffix}")).chain(connectors).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "a screen shows four digits")]
pub(crate) const fn narrow(value: f64) -> f32 {
    value as f32
}

#[expect(clippy::cast_precision_loss, reason = "a screen shows four digits")]
const fn to_f32(value: i64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(at_ms: &[i64], columns: &[(&str, &[Option<i64>])]) -> ReadingColumns {
        ReadingColumns {
            series: columns.iter().map(|(name, _)| (*name).to_owned()).collect(),
            at_ms: at_ms.to_vec(),
            values: columns.iter().map(|(_, values)| values.to_vec()).collect(),
        }
    }

    /// Readings of the past go in front of live points, connectors of a charger are summed, holes stay holes.
    #[test]
    fn past_and_live_join_without_overlap() {
        let mut track = Track::default();
        track.append(9_000, 1.5, &BTreeMap::from([("B", 2.0)]));
        track.append(11_000, 1.6, &BTreeMap::from([("B", 2.5)]));
        let columns = past(
            &[0, 5_000, 10_000],
            &[
                ("house/power_w", &[Some(1000), None, Some(-1200)]),
                ("charger/A/1/power_w", &[Some(3000), None, None]),
                ("charger/A/2/power_w", &[Some(500), Some(700), None]),
            ],
        );
        track.merge(Quantity::Power, &columns, 0);
        assert_eq!(track.at_ms, [0, 5_000, 10_000, 11_000]);
        assert_eq!(format!("{:?}", track.house), "[1.0, NaN, -1.2, 1.6]");
        assert_eq!(format!("{:?}", track.chargers["A"]), "[3.5, 0.7, NaN, NaN]");
        assert_eq!(format!("{:?}", track.chargers["B"]), "[NaN, NaN, NaN, 2.5]");
        assert!(!track.needs(0), "what was asked for is not asked again");
        assert!(track.needs(-120_000), "an older window is");
    }

    /// A clock that goes back empties the track instead of drawing a line backwards.
    #[test]
    fn a_clock_that_goes_back_starts_anew() {
        let mut track = Track::default();
        track.append(100_000, 1.0, &BTreeMap::new());
        track.append(50_000, 2.0, &BTreeMap::new());
        assert_eq!((track.at_ms.as_slice(), track.asked_from_ms), ([50_000].as_slice(), None));
    }
}

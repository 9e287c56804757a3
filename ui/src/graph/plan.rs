//! What the live graph shows, as data: bands, limits and range of values. Pure; cached by what it depends on.

use super::columns::{Columns, Window, aggregate};
use crate::history::{Quantity, Track};
use api::Snapshot;
use std::sync::Arc;

/// A charger in the stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Band {
    /// Identity.
    pub(crate) id: String,
    /// Name people see.
    pub(crate) name: String,
    /// Which colour; stays with the charger as long as the set of chargers stays.
    pub(crate) color: usize,
}

/// What the live graph shows.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// What is looked at.
    pub(crate) window: Window,
    /// Chargers from the bottom up.
    pub(crate) bands: Vec<Band>,
    /// Their values per pixel column.
    pub(crate) columns: Arc<Columns>,
    /// The limit of the grid connection, in the graph's unit.
    pub(crate) limit: f64,
    /// The limit less the margin.
    pub(crate) limit_less_margin: f64,
    /// Range of values, with room above.
    pub(crate) low: f64,
    /// Upper end of that range.
    pub(crate) high: f64,
}

/// What a plan depends on.
#[derive(Clone, Debug, PartialEq)]
struct Key {
    window: Window,
    quantity: Quantity,
    revision: u64,
    bands: Vec<Band>,
    limits: (u64, u64),
}

/// The last plan and what it was made from.
#[derive(Default)]
pub(crate) struct PlanCache {
    made: Option<(Key, Arc<Plan>)>,
    /// How often a plan had to be made, for tests.
    pub(crate) misses: u64,
}

impl PlanCache {
    /// The plan of a track, made anew only when something it depends on changed.
    pub(crate) fn plan(
        &mut self,
        snapshot: &Snapshot,
        track: &Track,
        quantity: Quantity,
        span_ms: i64,
        width_px: u32,
    ) -> Arc<Plan> {
        let to_ms = track.at_ms.last().copied().unwrap_or(snapshot.at_ms).max(snapshot.at_ms);
        let window = Window { from_ms: to_ms - span_ms, to_ms, width_px };
        let limits = limits(snapshot, quantity);
        let bands = bands(snapshot, track);
        let bits = (limits.0.to_bits(), limits.1.to_bits());
        let key = Key { window, quantity, revision: track.revision, bands, limits: bits };
        if let Some((known, plan)) = &self.made
            && *known == key
        {
            return Arc::clone(plan);
        }
        self.misses += 1;
        let plan = Arc::new(make(track, &key, limits));
        self.made = Some((key, Arc::clone(&plan)));
        plan
    }
}

/// Limit and limit less margin in the unit of the quantity.
pub(crate) fn limits(snapshot: &Snapshot, quantity: Quantity) -> (f64, f64) {
    let site = &snapshot.site;
    match quantity.phase() {
        None => (site.limit_kw, site.limit_kw - site.margin_kw),
        Some(_) => (site.limit_a, site.limit_a - site.margin_a),
    }
}

/// Chargers by identity, so that a change of priority moves no band; removed ones while they have values.
fn bands(snapshot: &Snapshot, track: &Track) -> Vec<Band> {
    let mut bands: Vec<Band> = snapshot
        .chargers
        .iter()
        .map(|charger| Band { id: charger.id.clone(), name: charger.name.clone(), color: 0 })
        .collect();
    for id in track.chargers.keys() {
        if !bands.iter().any(|band| band.id == *id) {
            bands.push(Band { id: id.clone(), name: id.clone(), color: 0 });
        }
    }
    bands.sort_by(|a, b| a.id.cmp(&b.id));
    for (index, band) in bands.iter_mut().enumerate() {
        band.color = index;
    }
    bands
}

fn make(track: &Track, key: &Key, (limit, limit_less_margin): (f64, f64)) -> Plan {
    let stack: Vec<String> = key.bands.iter().map(|band| band.id.clone()).collect();
    let columns = aggregate(track, &stack, key.window);
    let peak = columns.peak.iter().copied().fold(limit, f64::max);
    let low = columns.boundaries.first().into_iter().flatten().copied().fold(0.0, f64::min);
    let high = (peak * 1.08).max(1.0);
    Plan {
        window: key.window,
        bands: key.bands.clone(),
        columns: Arc::new(columns),
        limit,
        limit_less_margin,
        low: low * 1.1,
        high,
    }
}

impl Plan {
    /// The column nearest to a moment; `None` without columns.
    pub(crate) fn nearest(&self, at_ms: f64) -> Option<usize> {
        let at = &self.columns.at_ms;
        let after = at.partition_point(|column| *column < at_ms);
        let distance = |index: usize| at.get(index).map_or(f64::INFINITY, |column| (column - at_ms).abs());
        let before = after.saturating_sub(1);
        let nearest = if distance(before) <= distance(after) { before } else { after };
        at.get(nearest).map(|_| nearest)
    }

    /// Building value of a column.
    pub(crate) fn house(&self, column: usize) -> f64 {
        self.value(0, column)
    }

    /// Value of one charger of a column.
    pub(crate) fn charger(&self, band: usize, column: usize) -> f64 {
        self.value(band + 1, column) - self.value(band, column)
    }

    /// Stacked total of a column.
    pub(crate) fn total(&self, column: usize) -> f64 {
        self.value(self.bands.len(), column)
    }

    fn value(&self, boundary: usize, column: usize) -> f64 {
        self.columns.boundaries.get(boundary).and_then(|values| values.get(column)).copied().unwrap_or(0.0)
    }

    /// Whether a charger draws anything in the window.
    pub(crate) fn is_active(&self, band: usize) -> bool {
        (0..self.columns.at_ms.len()).any(|column| self.charger(band, column) > 0.02)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    /// The same input never aggregates twice; new data, another range or another width does.
    #[test]
    fn plans_are_made_once_per_input() {
        let snapshot = fixtures::snapshot();
        let mut track = fixtures::track(600);
        let mut cache = PlanCache::default();
        for _ in 0..3 {
            cache.plan(&snapshot, &track, Quantity::Power, 900_000, 800);
        }
        assert_eq!(cache.misses, 1);
        cache.plan(&snapshot, &track, Quantity::Power, 3_600_000, 800);
        cache.plan(&snapshot, &track, Quantity::Power, 3_600_000, 801);
        track.revision += 1;
        cache.plan(&snapshot, &track, Quantity::Power, 3_600_000, 801);
        assert_eq!(cache.misses, 4);
    }

    /// What hovering shows adds up: building and chargers make the total.
    #[test]
    fn hover_values_add_up() {
        let snapshot = fixtures::snapshot();
        let plan = PlanCache::default().plan(&snapshot, &fixtures::track(600), Quantity::Power, 900_000, 300);
        let column = plan.nearest(0.0).unwrap();
        let sum: f64 = (0..plan.bands.len()).map(|band| plan.charger(band, column)).sum();
        assert!((plan.house(column) + sum - plan.total(column)).abs() < 1e-6);
    }
}

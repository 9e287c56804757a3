//! The slow planner: once a minute or slower it says who is next in line and what each car can use.
//!
//! [`Planner::update`] learns from what happened since its last call and gives a [`Guidance`], which the
//! fast division uses until the next one. It decides no current: limits are the allocator's business, so
//! nothing here can break one.
//!
//! Must not know: the limits that are in force this second, who carries a setpoint, any clock.

mod appetite;
mod bench;
mod stay;

pub use self::bench::{Bench, Branch, Candidate, Moment};
pub use self::stay::PastSession;

use self::appetite::Appetite;
use self::stay::Stays;
use allocator::Guide;
use domain::{CardUid, ChargerId, ConnectorNumber, Instant, MilliAmps, SessionId, WattHours};
use std::collections::BTreeMap;

/// A connector of the site.
pub type Place = (ChargerId, ConnectorNumber);

/// A minute of the site's local time, counted from 1970-01-01 00:00 there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocalMinute(pub i64);

/// What is known of one car that wants energy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarFacts {
    /// Where it stands.
    pub place: Place,
    /// Its session.
    pub session: SessionId,
    /// The card that began the session.
    pub card: Option<CardUid>,
    /// When the session began.
    pub since: Instant,
    /// Higher is served first.
    pub priority: i32,
    /// Phases it uses.
    pub phases: u8,
    /// Most its charger may give on each wire.
    pub max: MilliAmps,
    /// The car's own maximum where the charger knows it.
    pub car_max: Option<MilliAmps>,
    /// Setpoint in force until now.
    pub set: MilliAmps,
    /// What it drew under that setpoint; `None` when that is not known (yet).
    pub drawn: Option<MilliAmps>,
    /// Energy it got in this session.
    pub delivered: WattHours,
    /// When it has to be ready, if its driver said so.
    pub departs: Option<Instant>,
    /// Energy it still needs by then, if its driver said so.
    pub needs: Option<WattHours>,
}

/// All that an update depends on.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// Now.
    pub now: Instant,
    /// Now, as the clock on the wall of the building shows it.
    pub local: LocalMinute,
    /// Voltage between a wire and neutral, in volts.
    pub volts: u32,
    /// Least a car can charge with.
    pub min: MilliAmps,
    /// The cars that want energy.
    pub cars: &'a [CarFacts],
}

/// What the division is to follow until the next update.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guidance {
    guides: BTreeMap<Place, Guide>,
}

impl Guidance {
    /// The guide of one connector; one nobody knows anything of is last in line.
    #[must_use]
    pub fn of(&self, place: &Place) -> Guide {
        let unknown = Guide { rank: u32::MAX, usable: MilliAmps::MAX, keeps: false };
        self.guides.get(place).copied().unwrap_or(unknown)
    }
}

/// TEMP tuning.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "temporary")]
pub struct Tuning {
    pub mode: u32,
    pub q: u64,
    pub sticky: i64,
    pub a: i64,
    pub b: i64,
    pub c: i64,
    pub hold: u64,
    pub prior: u64,
}

#[derive(Clone, Debug)]
struct Visitor {
    session: SessionId,
    appetite: Appetite,
    /// Since when it has current, or none.
    switched: Instant,
    on: bool,
}

/// Learns and gives guidance.
#[derive(Clone, Debug)]
pub struct Planner {
    visitors: BTreeMap<Place, Visitor>,
    stays: Stays,
    /// Largest current each card's car was seen to be limited to.
    cards: BTreeMap<CardUid, MilliAmps>,
    /// TEMP
    pub tuning: Tuning,
}

const MIN: MilliAmps = MilliAmps::from_amps(6);

impl Default for Planner {
    fn default() -> Self {
        Self::new(Tuning { mode: 2, q: 250, sticky: 20, a: 100, b: 100, c: 100, hold: 600, prior: 100 })
    }
}

impl Planner {
    /// Begins with TEMP.
    #[must_use]
    pub fn new(tuning: Tuning) -> Self {
        let mut stays = Stays::default();
        stays.prior = tuning.prior;
        Self { visitors: BTreeMap::new(), stays, cards: BTreeMap::new(), tuning }
    }

    /// A car left, full or not: how long it stayed is known.
    pub fn left(&mut self, session: &PastSession) {
        self.stays.learn(session);
    }

    /// A car got all it wanted.
    pub fn filled(&mut self, session: &PastSession) {
        self.stays.filled(session.energy.0);
    }

    /// Learns from what happened and gives the guidance until the next update.
    pub fn update(&mut self, facts: &Facts<'_>) -> Guidance {
        let now = facts.now;
        let gone: Vec<Place> = self
            .visitors
            .iter()
            .filter(|(place, v)| !facts.cars.iter().any(|c| c.place == **place && c.session == v.session))
            .map(|(place, _)| place.clone())
            .collect();
        for place in gone {
            self.visitors.remove(&place);
        }
        let mut scores: Vec<(i64, Place, Guide)> = Vec::new();
        for car in facts.cars {
            let expected = car.card.as_ref().and_then(|card| self.cards.get(card)).copied();
            let began = LocalMinute(facts.local.0 - i64::try_from(now.since(car.since).0 / 60_000).unwrap_or(0));
            let visitor = self.visitors.entry(car.place.clone()).or_insert_with(|| Visitor {
                session: car.session,
                appetite: Appetite::expecting(expected),
                switched: Instant(0),
                on: false,
            });
            if let Some(drawn) = car.drawn {
                visitor.appetite.observe(now, car.set, drawn);
                if let (Some(card), Some(cap)) = (&car.card, visitor.appetite.cap()) {
                    if cap >= MIN {
                        let slot = self.cards.entry(card.clone()).or_default();
                        *slot = cap.max(*slot);
                    }
                } else if let Some(card) = &car.card {
                    if let Some(slot) = self.cards.get_mut(card) {
                        *slot = (*slot).max(visitor.appetite.most());
                    }
                }
            }
            let on = !car.set.is_zero();
            if on != visitor.on {
                visitor.on = on;
                visitor.switched = now;
            }
            let usable = car.car_max.unwrap_or_else(|| visitor.appetite.usable(now, MIN)).min(car.max);
            let keeps = on && now.since(visitor.switched).0 < self.tuning.hold * 1000;
            let outlook = self.stays.outlook(car.card.as_ref(), began, facts.local);
            let score = score(&self.tuning, car, facts, &outlook, usable, on, &self.stays);
            let guide = Guide { rank: 0, usable, keeps };
            scores.push((score, car.place.clone(), guide));
        }
        scores.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        let guides =
            scores.into_iter().zip(0..).map(|((_, place, guide), rank)| (place, Guide { rank, ..guide })).collect();
        Guidance { guides }
    }
}

fn score(
    t: &Tuning,
    car: &CarFacts,
    facts: &Facts<'_>,
    outlook: &stay::Outlook,
    usable: MilliAmps,
    on: bool,
    stays: &Stays,
) -> i64 {
    let mins = |ms: u64| i64::try_from(ms / 60_000).unwrap_or(0);
    let sticky = if on { t.sticky } else { 0 };
    let known = car.departs.map(|d| mins(d.since(facts.now).0));
    let left = || stay::quantile(outlook, t.q).unwrap_or(120);
    let wh_per_min = i64::from(facts.volts) * i64::from(usable.0 / 1000) * i64::from(car.phases) / 60;
    let served_min =
        i64::try_from(car.delivered.0).unwrap_or(0) * 60 / (i64::from(facts.volts) * 16 * i64::from(car.phases));
    let needs = car.needs.map_or(0, |n| i64::try_from(n.0).unwrap_or(0) / wh_per_min.max(1));
    match t.mode {
        0 => known.unwrap_or_else(left) - sticky,
        1 => known.unwrap_or_else(left) - needs - sticky,
        2 => left() - sticky,
        3 => served_min - sticky,
        4 => mins(facts.now.since(car.since).0) - sticky,
        5 => left() * t.a / 100 + served_min * t.b / 100 - sticky,
        6 => known.unwrap_or_else(left) * t.a / 100 - needs * t.b / 100 + served_min * t.c / 100 - sticky,
        7 | 8 => {
            let wh_h = u64::from(facts.volts) * u64::from(usable.0.min(32000) / 1000) * u64::from(car.phases);
            let phi = u64::try_from(t.a).unwrap_or(50);
            let (mut w, mut p) = (1u64, 0u64);
            for (d, weight) in outlook {
                w += weight;
                let can = wh_h * u64::try_from(*d).unwrap_or(0) / 60 * phi / 100;
                p += weight * stays.survival(car.delivered.0, can);
            }
            let risk = i64::try_from(p / w).unwrap_or(0);
            if t.mode == 7 {
                served_min * t.b / 100 - risk - sticky
            } else {
                served_min * t.b / 100 - risk * i64::from(car.phases) - sticky
            }
        }
        _ => 0,
    }
}

//! The division itself.

use crate::room::{Path, Room};
use crate::{Demand, Leftover, NodeIndex, Sharing, Snapshot};
use domain::{ChargerId, ConnectorNumber, MilliAmps, Phase};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// The result: one share per demand, highest priority first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The shares.
    pub shares: Vec<Share>,
}

impl Plan {
    /// The share of a connector, if it had a demand.
    #[must_use]
    pub fn share(&self, charger: &ChargerId, connector: ConnectorNumber) -> Option<&Share> {
        self.shares.iter().find(|share| share.charger == *charger && share.connector == connector)
    }
}

/// What a connector gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// Which charger.
    pub charger: ChargerId,
    /// Which connector.
    pub connector: ConnectorNumber,
    /// Current per wire: nothing, or whole amperes from the minimum up.
    pub limit: MilliAmps,
    /// Why.
    pub cause: Cause,
}

/// Why a connector gets what it gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// All it can use.
    Maximum,
    /// An equal share of what a circuit can carry.
    Shared {
        /// How many are limited at this same place, this one included.
        cars: u16,
        /// The place.
        bottleneck: Bottleneck,
        /// Whether this one got the ampere that equal division leaves over.
        extra_amp: bool,
    },
    /// Its minimum does not fit.
    Waiting {
        /// Place in line, from 1.
        place: u16,
        /// Where it does not fit; `None` when its circuit does not exist.
        bottleneck: Option<Bottleneck>,
    },
    /// As many are active as may be.
    WaitingForTurn {
        /// How many may be active.
        max_active: u16,
        /// Place in line, from 1.
        place: u16,
    },
    /// The most it can use is less than the minimum.
    BelowMinimum,
}

/// A phase of a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bottleneck {
    /// The circuit.
    pub node: NodeIndex,
    /// The phase.
    pub phase: Phase,
}

/// The step in which chargers are commanded.
pub(crate) const AMPERE: MilliAmps = MilliAmps::from_amps(1);

/// Divides the current of `snapshot`.
#[must_use]
pub fn allocate(snapshot: &Snapshot) -> Plan {
    let mut division = Division::new(snapshot);
    match (snapshot.sharing, snapshot.leftover) {
        (Sharing::Equally, Leftover::ToHigherPriority) => {
            division.admit();
            division.keep_promises(0..division.candidates.len());
            division.fill_in_turn();
        }
        (Sharing::Equally, Leftover::Kept) => {
            division.admit();
            division.keep_promises(0..division.candidates.len());
            division.fill_together();
        }
        (Sharing::InLine, Leftover::ToHigherPriority | Leftover::Kept) => division.serve_in_line(),
    }
    division.finish()
}

/// One demand while the division runs.
pub(crate) struct Candidate<'a> {
    pub(crate) demand: &'a Demand,
    pub(crate) path: Path,
    pub(crate) max: MilliAmps,
    pub(crate) limit: MilliAmps,
    pub(crate) state: State,
}

#[derive(Clone, Copy)]
pub(crate) enum State {
    /// Gets more as long as it fits.
    Rising,
    /// Has all it can use.
    Full,
    /// Found no room for another ampere.
    Stopped(Bottleneck),
    Waiting(Option<Bottleneck>),
    WaitingForTurn(u16),
    BelowMinimum,
}

pub(crate) struct Division<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) min: MilliAmps,
    pub(crate) room: Room,
    /// In line: higher priority first, then lower rank, then earlier registration.
    pub(crate) candidates: Vec<Candidate<'a>>,
}

impl<'a> Division<'a> {
    fn new(snapshot: &'a Snapshot) -> Self {
        let mut demands: Vec<&Demand> = snapshot.demands.iter().collect();
        demands.sort_by_key(|d| (Reverse(d.priority), d.guide.rank, d.registered, &d.charger, d.connector));
        let candidates = demands
            .into_iter()
            .map(|demand| Candidate {
                demand,
                path: Path::new(&snapshot.nodes, demand),
                max: whole_amps_down(demand.max),
                limit: MilliAmps::ZERO,
                state: State::Waiting(None),
            })
            .collect();
        Self { snapshot, min: whole_amps_up(snapshot.min), room: Room::new(&snapshot.nodes), candidates }
    }

    /// Gives the minimum to everybody it fits for, in the order of priority. Who does not fit is passed over:
    /// a later one who fits hangs on other circuits or phases, so waiting for it would help nobody.
    fn admit(&mut self) {
        let mut active: u16 = 0;
        self.admit_where(&mut active, 0..self.candidates.len(), |demand| demand.guide.unpausable);
        for candidate in self.candidates.iter_mut().filter(|candidate| candidate.limit.is_zero()) {
            candidate.state = if candidate.max < self.min {
                State::BelowMinimum
            } else if let Some(max) = self.snapshot.max_active.filter(|max| active >= *max) {
                State::WaitingForTurn(max)
            } else if !candidate.path.exists() {
                State::Waiting(None)
            } else {
                match self.room.take(&candidate.path, candidate.demand, self.min) {
                    Ok(()) => {
                        active = active.saturating_add(1);
                        candidate.limit = self.min;
                        State::Rising
                    }
                    Err(bottleneck) => State::Waiting(Some(bottleneck)),
                }
            };
        }
    }

    /// One ampere each in turn until nobody can take another: max-min in whole amperes, where the ampere
    /// that does not go round ends with the higher priority.
    fn fill_in_turn(&mut self) {
        // Whose turn it is decides who is admitted, not who gets the ampere that does not go round.
        let mut candidates: Vec<&mut Candidate<'_>> = self.candidates.iter_mut().collect();
        candidates.sort_by_key(|c| (Reverse(c.demand.priority), c.demand.registered));
        let mut risen = true;
        while risen {
            risen = false;
            for candidate in &mut candidates {
                if !matches!(candidate.state, State::Rising) {
                    continue;
                }
                if candidate.limit + AMPERE > candidate.max {
                    candidate.state = State::Full;
                    continue;
                }
                match self.room.take(&candidate.path, candidate.demand, AMPERE) {
                    Ok(()) => {
                        candidate.limit += AMPERE;
                        risen = true;
                    }
                    Err(bottleneck) => candidate.state = State::Stopped(bottleneck),
                }
            }
        }
    }

    /// One ampere to all at once: where it does not go round, nobody at that place gets it.
    fn fill_together(&mut self) {
        loop {
            for candidate in &mut self.candidates {
                if matches!(candidate.state, State::Rising) && candidate.limit + AMPERE > candidate.max {
                    candidate.state = State::Full;
                }
            }
            self.stop_where_an_ampere_does_not_go_round();
            let mut risen = false;
            for candidate in self.candidates.iter_mut().filter(|c| matches!(c.state, State::Rising)) {
                match self.room.take(&candidate.path, candidate.demand, AMPERE) {
                    Ok(()) => {
                        candidate.limit += AMPERE;
                        risen = true;
                    }
                    Err(bottleneck) => candidate.state = State::Stopped(bottleneck),
                }
            }
            if !risen {
                return;
            }
        }
    }

    /// Stopping some lowers the number who need an ampere elsewhere, so it repeats until nothing changes.
    fn stop_where_an_ampere_does_not_go_round(&mut self) {
        loop {
            let mut wanted: BTreeMap<Bottleneck, MilliAmps> = BTreeMap::new();
            for candidate in self.candidates.iter().filter(|c| matches!(c.state, State::Rising)) {
                for (place, _) in self.room.places(&candidate.path, candidate.demand) {
                    *wanted.entry(place).or_default() += AMPERE;
                }
            }
            let mut stopped = false;
            for candidate in self.candidates.iter_mut().filter(|c| matches!(c.state, State::Rising)) {
                let short = self
                    .room
                    .places(&candidate.path, candidate.demand)
                    .find(|(place, left)| wanted.get(place).is_some_and(|wanted| wanted > *left));
                if let Some((bottleneck, _)) = short {
                    candidate.state = State::Stopped(bottleneck);
                    stopped = true;
                }
            }
            if !stopped {
                return;
            }
        }
    }

    fn finish(self) -> Plan {
        let mut groups: BTreeMap<Bottleneck, (u16, MilliAmps)> = BTreeMap::new();
        for candidate in &self.candidates {
            if let State::Stopped(bottleneck) = candidate.state {
                let (cars, least) = groups.entry(bottleneck).or_insert((0, MilliAmps::MAX));
                *cars = cars.saturating_add(1);
                *least = (*least).min(candidate.limit);
            }
        }
        let mut line: u16 = 0;
        let mut next_place = || {
            line = line.saturating_add(1);
            line
        };
        let shares = self.candidates.into_iter().map(|candidate| Share {
            charger: candidate.demand.charger.clone(),
            connector: candidate.demand.connector,
            limit: candidate.limit,
            cause: match candidate.state {
                State::Rising | State::Full => Cause::Maximum,
                State::Stopped(bottleneck) => {
                    let (cars, least) = groups.get(&bottleneck).copied().unwrap_or((1, candidate.limit));
                    Cause::Shared { cars, bottleneck, extra_amp: candidate.limit == least + AMPERE }
                }
                State::Waiting(bottleneck) => Cause::Waiting { place: next_place(), bottleneck },
                State::WaitingForTurn(max_active) => Cause::WaitingForTurn { max_active, place: next_place() },
                State::BelowMinimum => Cause::BelowMinimum,
            },
        });
        Plan { shares: shares.collect() }
    }
}

pub(crate) const fn whole_amps_down(current: MilliAmps) -> MilliAmps {
    MilliAmps(current.0 - current.0 % 1000)
}

const fn whole_amps_up(current: MilliAmps) -> MilliAmps {
    whole_amps_down(MilliAmps(current.0.saturating_add(999)))
}

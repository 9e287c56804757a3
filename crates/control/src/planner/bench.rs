//! The planner and the division by themselves, for measuring tools that bring their own building.

use super::{Branch, CarFacts, Facts, Guidance, LocalMinute, PastSession, Place, Planner};
use crate::check::check;
use allocator::{Cause, Demand, Leftover, Node, NodeIndex, Plan, Share, Sharing, Snapshot, allocate};
use domain::{DurationMs, Instant, MilliAmps, PerPhase, SharingRule};
use std::collections::BTreeMap;

/// One moment of a building.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Now.
    pub now: Instant,
    /// Now, on the wall of the building.
    pub local: LocalMinute,
    /// Voltage between a wire and neutral, in volts.
    pub volts: u32,
    /// Least a car can charge with.
    pub min: MilliAmps,
    /// Most that may charge at once.
    pub max_active: Option<u16>,
    /// The circuits.
    pub branches: Vec<Branch>,
    /// The cars that want energy.
    pub cars: Vec<CarFacts>,
}

/// A building that is decided step by step by the planner, the division and the check that `serve` uses.
#[derive(Clone, Debug)]
pub struct Bench {
    planner: Planner,
    /// The cars of the step before, and what they were given.
    present: BTreeMap<Place, (CarFacts, MilliAmps)>,
}

impl Bench {
    /// Begins with what is known of the past.
    #[must_use]
    pub fn new(past: &[PastSession]) -> Self {
        let mut planner = Planner::default();
        for session in past {
            planner.left(session);
            planner.filled(session);
        }
        Self { planner, present: BTreeMap::new() }
    }

    /// The setpoint of each car. A plan the check refuses is replaced by none at all.
    pub fn step(&mut self, moment: &Moment) -> BTreeMap<Place, MilliAmps> {
        self.notice_departures(moment);
        let facts = Facts {
            now: moment.now,
            local: moment.local,
            volts: moment.volts,
            min: moment.min,
            sharing: SharingRule::ByDeparture,
            branches: &moment.branches,
            cars: &moment.cars,
            periods: &[],
        };
        let guidance = self.planner.update(&facts);
        let snapshot = snapshot(moment, &guidance);
        let plan = allocate(&snapshot);
        let plan = if check(&snapshot, &plan).is_ok() { plan } else { nothing(&snapshot) };
        let limits: BTreeMap<Place, MilliAmps> =
            plan.shares.into_iter().map(|share| ((share.charger, share.connector), share.limit)).collect();
        self.present = moment
            .cars
            .iter()
            .map(|car| {
                let limit = limits.get(&car.place).copied().unwrap_or_default();
                (car.place.clone(), (car.clone(), limit))
            })
            .collect();
        limits
    }

    /// A car that is not listed any more is full or has left. One that was waiting has left; of one that charged
    /// only the energy is known.
    fn notice_departures(&mut self, moment: &Moment) {
        for (place, (last, limit)) in std::mem::take(&mut self.present) {
            if moment.cars.iter().any(|car| car.place == place && car.session == last.session) {
                continue;
            }
            let minutes = u64::try_from(moment.local.0.saturating_sub(last.since.0)).unwrap_or(0);
            let stay = DurationMs(minutes.saturating_mul(60_000));
            let session = PastSession { card: last.card, plugged_in: last.since, stay, energy: last.delivered };
            if limit.is_zero() {
                self.planner.left(&session);
            } else {
                self.planner.filled(&session);
            }
        }
    }
}

fn snapshot(moment: &Moment, guidance: &Guidance) -> Snapshot {
    let nodes = moment.branches.iter().map(|branch| Node {
        parent: branch.parent.map(NodeIndex),
        limit: branch.room,
        load: PerPhase::default(),
    });
    let demands = moment.cars.iter().map(|car| Demand {
        charger: car.place.0.clone(),
        connector: car.place.1,
        node: NodeIndex(car.branch),
        wiring: car.wiring.clone(),
        priority: car.priority,
        registered: car.registered,
        max: car.max,
        guide: guidance.of(&car.place),
    });
    Snapshot {
        nodes: nodes.collect(),
        demands: demands.collect(),
        min: moment.min,
        max_active: moment.max_active,
        leftover: Leftover::ToHigherPriority,
        sharing: Sharing::InLine,
    }
}

fn nothing(snapshot: &Snapshot) -> Plan {
    let shares = snapshot.demands.iter().map(|demand| Share {
        charger: demand.charger.clone(),
        connector: demand.connector,
        limit: MilliAmps::ZERO,
        cause: Cause::BelowMinimum,
    });
    Plan { shares: shares.collect() }
}

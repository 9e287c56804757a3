//! Measures a run against the limit of the grid connection.

use domain::{DurationMs, MilliAmps, Phase, PhaseCount};
use simulator::{BreakerKind, World};

/// Excess over the limit of one phase.
#[derive(Clone, Copy, Debug, Default)]
struct Excess {
    run_ms: u64,
    run_ma_ms: u64,
}

/// Figures that grow while a run goes on.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    limit: MilliAmps,
    phases: PhaseCount,
    per_phase: [Excess; 3],
    by_cars_ms: [u64; 3],
    pub(crate) max_ma: u64,
    pub(crate) over_ms: u64,
    pub(crate) longest_ms: u64,
    pub(crate) longest_by_cars_ms: u64,
    pub(crate) worst_ma_ms: u64,
}

/// Rounding of currents, ramps and registers; less is no excess.
const TOLERANCE_MA: u64 = 50;

impl Metrics {
    pub(crate) fn new(limit: MilliAmps, phases: PhaseCount) -> Self {
        Self {
            limit,
            phases,
            per_phase: [Excess::default(); 3],
            by_cars_ms: [0; 3],
            max_ma: 0,
            over_ms: 0,
            longest_ms: 0,
            longest_by_cars_ms: 0,
            worst_ma_ms: 0,
        }
    }

    /// Begins to count anew, for one step of a script; a run above the limit goes on.
    pub(crate) fn restart(&mut self) {
        let mut fresh = Self::new(self.limit, self.phases);
        fresh.per_phase = self.per_phase;
        fresh.by_cars_ms = self.by_cars_ms;
        *self = fresh;
    }

    pub(crate) fn step(&mut self, world: &World, time: DurationMs) {
        let limit = u64::from(self.limit.0) + TOLERANCE_MA;
        let mut any = false;
        for (index, phase) in Phase::ALL.into_iter().enumerate() {
            if !self.phases.phases().contains(&phase) {
                continue;
            }
            let now = u64::try_from(*world.total_ma().get(phase)).unwrap_or(0);
            let cars = u64::from(world.cars_ma().get(phase).0);
            self.max_ma = self.max_ma.max(now);
            let (Some(excess), Some(by_cars)) = (self.per_phase.get_mut(index), self.by_cars_ms.get_mut(index)) else {
                continue;
            };
            if now > limit {
                any = true;
                excess.run_ms += time.0;
                excess.run_ma_ms += (now - u64::from(self.limit.0)) * time.0;
            } else {
                *excess = Excess::default();
            }
            *by_cars = if now > limit && cars > 0 { *by_cars + time.0 } else { 0 };
            self.longest_ms = self.longest_ms.max(excess.run_ms);
            self.worst_ma_ms = self.worst_ma_ms.max(excess.run_ma_ms);
            self.longest_by_cars_ms = self.longest_by_cars_ms.max(*by_cars);
        }
        if any {
            self.over_ms += time.0;
        }
    }
}

/// The worst phase of each kind of breaker: whether it opened and its share of the way there.
pub(crate) fn breakers(world: &World) -> Vec<(BreakerKind, bool, f64)> {
    BreakerKind::ALL
        .into_iter()
        .map(|kind| {
            let of_kind = || world.breakers().filter(move |(_, breaker)| breaker.kind() == kind);
            let tripped = of_kind().any(|(_, breaker)| breaker.tripped());
            let used = of_kind().map(|(_, breaker)| breaker.used_percent()).fold(0.0, f64::max);
            (kind, tripped, used)
        })
        .collect()
}

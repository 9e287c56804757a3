//! A car: what it takes from the current it is offered, and how late it reacts.

use crate::dice::Dice;
use crate::energy::Energy;
use domain::{DurationMs, MilliAmps, MilliVolts, WattHours};
use std::collections::VecDeque;

/// Below 6 A no current is offered at all (IEC 61851-1).
pub const OFFER_MIN: MilliAmps = MilliAmps(6_000);

/// How a model of car behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CarTraits {
    /// Wires its on-board charger uses, 1 to 3.
    pub wires: usize,
    /// Most it takes from each.
    pub max: MilliAmps,
    /// Time until it begins to follow a change of the offer.
    pub dead: DurationMs,
    /// Time until it draws again after an offer of nothing.
    pub wake: DurationMs,
    /// How fast it raises its current, in mA per second.
    pub up_ma_per_s: u32,
    /// How fast it lowers its current, in mA per second.
    pub down_ma_per_s: u32,
    /// The last thousandths of the wanted energy over which it takes less and less.
    pub taper_per_mille: u32,
}

impl CarTraits {
    /// A car that follows within a second, as the published simulations assume.
    #[must_use]
    pub const fn prompt(wires: usize, max: MilliAmps) -> Self {
        Self {
            wires,
            max,
            dead: DurationMs(500),
            wake: DurationMs(500),
            up_ma_per_s: 40_000,
            down_ma_per_s: 60_000,
            taper_per_mille: 0,
        }
    }

    /// A car as met in garages: dead time 0.5 to 3.5 s, one in seven 4.5 to 8 s; raises slowly, lowers fast.
    #[must_use]
    pub fn drawn(dice: &mut Dice, wires: usize, max: MilliAmps) -> Self {
        let dead = if dice.percent(85) { dice.between(500, 3_500) } else { dice.between(4_500, 8_000) };
        Self {
            wires,
            max,
            dead: DurationMs(dead),
            wake: DurationMs(dice.between(3_000, 15_000)),
            up_ma_per_s: dice.between_u32(1_000, 4_000),
            down_ma_per_s: dice.between_u32(4_000, 20_000),
            taper_per_mille: dice.between_u32(50, 200),
        }
    }
}

/// A car at a charger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualCar {
    traits: CarTraits,
    wanted: Energy,
    received: Energy,
    offer: MilliAmps,
    seen: MilliAmps,
    coming: VecDeque<(u64, MilliAmps)>,
    asleep_ms: u64,
    draws: MilliAmps,
}

impl VirtualCar {
    /// A car that wants this much energy.
    #[must_use]
    pub fn new(traits: CarTraits, wanted: WattHours) -> Self {
        Self {
            traits,
            wanted: Energy::from_wh(wanted),
            received: Energy::ZERO,
            offer: MilliAmps::ZERO,
            seen: MilliAmps::ZERO,
            coming: VecDeque::new(),
            asleep_ms: traits.wake.0,
            draws: MilliAmps::ZERO,
        }
    }

    /// Lets time pass with this offer on the pilot wire; returns what it draws from each of its wires.
    ///
    /// `voltages` belong to the charger's wires in order; the car uses the first ones.
    pub fn step(&mut self, offer: MilliAmps, voltages: &[MilliVolts], time: DurationMs) -> MilliAmps {
        self.notice(offer, time);
        self.follow(time);
        for voltage in voltages.iter().take(self.traits.wires) {
            self.received += Energy::flow(self.draws, *voltage, time);
        }
        self.draws
    }

    fn notice(&mut self, offer: MilliAmps, time: DurationMs) {
        if offer != self.offer {
            self.offer = offer;
            self.coming.push_back((self.traits.dead.0, offer));
        }
        for (left, _) in &mut self.coming {
            *left = left.saturating_sub(time.0);
        }
        while let Some((0, offer)) = self.coming.front().copied() {
            self.seen = offer;
            self.coming.pop_front();
        }
    }

    fn follow(&mut self, time: DurationMs) {
        let target = self.target();
        if target.is_zero() {
            self.asleep_ms = self.traits.wake.0;
        } else if self.draws.is_zero() && self.asleep_ms > 0 {
            self.asleep_ms = self.asleep_ms.saturating_sub(time.0);
            return;
        }
        self.draws = if target > self.draws {
            (self.draws + ramp(self.traits.up_ma_per_s, time)).min(target)
        } else {
            self.draws.saturating_sub(ramp(self.traits.down_ma_per_s, time)).max(target)
        };
    }

    fn target(&self) -> MilliAmps {
        if self.is_full() || self.seen < OFFER_MIN {
            return MilliAmps::ZERO;
        }
        self.seen.min(self.traits.max).min(self.taper())
    }

    /// What the battery still takes; never below the least a car can charge with.
    fn taper(&self) -> MilliAmps {
        let left = self.wants().per_mille_of(self.wanted);
        if left >= self.traits.taper_per_mille {
            return self.traits.max;
        }
        let share = u64::from(self.traits.max.0) * u64::from(left) / u64::from(self.traits.taper_per_mille);
        MilliAmps(u32::try_from(share).unwrap_or(u32::MAX)).max(OFFER_MIN)
    }

    /// How it behaves.
    #[must_use]
    pub const fn traits(&self) -> &CarTraits {
        &self.traits
    }

    /// What it draws from each of its wires now.
    #[must_use]
    pub const fn draws(&self) -> MilliAmps {
        self.draws
    }

    /// Energy it still wants.
    #[must_use]
    pub const fn wants(&self) -> Energy {
        self.wanted.saturating_sub(self.received)
    }

    /// Energy it took so far.
    #[must_use]
    pub const fn received(&self) -> Energy {
        self.received
    }

    /// Whether it has what it wanted.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.received >= self.wanted
    }
}

fn ramp(ma_per_s: u32, time: DurationMs) -> MilliAmps {
    MilliAmps(u32::try_from(u64::from(ma_per_s) * time.0 / 1000).unwrap_or(u32::MAX))
}

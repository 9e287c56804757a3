//! Energy from import registers that reset, jump and lie.
//!
//! Energy never falls, and never grows faster than the charger could possibly deliver.

use domain::{DurationMs, MilliVolts, WattHours};

/// Most a charger of any make in a car park draws on each of three wires; a larger configured maximum counts
/// instead. In mA.
const RATED_MA: u64 = 32_000;
/// Clocks of charger and program differ and registers move in steps, so this much is always plausible.
const SLACK_WH: u64 = 500;
/// After so many readings that agree with each other but not with the past, the register has jumped.
const AGREEING_READINGS: u8 = 3;

/// Most energy that can flow in `elapsed`.
pub(crate) fn plausible(elapsed: DurationMs, max_ma: u32, voltage: MilliVolts) -> WattHours {
    let milli_amps = u128::from(RATED_MA.max(u64::from(max_ma)));
    let micro_watts = milli_amps * u128::from(voltage.0) * 3;
    // A quarter more for voltage and current above nominal. 1 Wh = 3.6e12 uW ms.
    let wh = micro_watts.saturating_mul(u128::from(elapsed.0)) * 5 / 4 / 3_600_000_000_000;
    WattHours(u64::try_from(wh).unwrap_or(u64::MAX).saturating_add(SLACK_WH))
}

/// A register as followed through one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Register {
    /// Newest value believed.
    pub(crate) last: WattHours,
    /// Energy counted.
    pub(crate) energy: WattHours,
    /// Value and energy before the newest fall, in case the fall was a glitch.
    before_fall: Option<(WattHours, WattHours)>,
    /// A value that was not believed, and how often in a row one like it came.
    doubted: Option<(WattHours, u8)>,
}

/// What became of a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It counts.
    Counted,
    /// It cannot be; the last good value stays.
    Doubted,
}

impl Register {
    pub(crate) const fn new(last: WattHours, energy: WattHours) -> Self {
        Self { last, energy, before_fall: None, doubted: None }
    }

    /// Takes a reading, when at most `plausible` can have flowed since the last one that was believed.
    pub(crate) fn take(&mut self, value: WattHours, plausible: WattHours) -> Taken {
        if let Some((last, energy)) = self.before_fall
            && value >= last
            && value.saturating_sub(last) <= plausible
        {
            self.believe(value, energy + value.saturating_sub(last));
            self.before_fall = None;
            return Taken::Counted;
        }
        if value >= self.last {
            let more = value.saturating_sub(self.last);
            if more <= plausible {
                // It climbs from where it fell to, so the fall was a restart and its old value means nothing.
                self.before_fall = self.before_fall.filter(|_| more.is_zero());
                self.believe(value, self.energy + more);
                return Taken::Counted;
            }
            return self.doubt(value, plausible);
        }
        // It fell: the charger restarted its count. What it shows since then counts when it can be true.
        self.before_fall = self.before_fall.or(Some((self.last, self.energy)));
        let since_restart = if value <= plausible { value } else { WattHours::ZERO };
        self.believe(value, self.energy + since_restart);
        Taken::Counted
    }

    const fn believe(&mut self, value: WattHours, energy: WattHours) {
        self.last = value;
        self.energy = energy;
        self.doubted = None;
    }

    /// A jump is believed as the new base, without energy, once several readings agree on it.
    fn doubt(&mut self, value: WattHours, plausible: WattHours) -> Taken {
        let times = match self.doubted {
            Some((seen, times)) if value >= seen && value.saturating_sub(seen) <= plausible => times.saturating_add(1),
            Some(_) | None => 1,
        };
        self.doubted = Some((value, times));
        if times >= AGREEING_READINGS {
            self.believe(value, self.energy);
        }
        Taken::Doubted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: WattHours = WattHours(700);

    fn follow(values: &[u64]) -> u64 {
        let mut register = Register::new(WattHours(values[0]), WattHours::ZERO);
        for value in &values[1..] {
            register.take(WattHours(*value), STEP);
        }
        register.energy.0
    }

    /// Register resets, glitches and jumps never give negative or impossible energy.
    #[test]
    fn register_reset() {
        for (values, energy) in [
            (vec![1000, 1200, 1500], 500),
            (vec![1000, 1200, 0, 300], 500),
            (vec![1000, 1200, 50, 300], 500),
            (vec![1000, 1200, 0, 1300, 1400], 400),
            (vec![1000, 1200, 9_000_000, 1300], 300),
            (vec![1000, 1200, 900_000, 900_100, 900_200, 900_300], 300),
            (vec![1000, 800], 0),
        ] {
            assert_eq!(follow(&values), energy, "{values:?}");
        }
    }

    /// 32 A on three phases at 230 V is 22 kW; a quarter more and some slack is the most one hour can bring.
    #[test]
    fn an_hour_brings_at_most_this() {
        assert_eq!(plausible(DurationMs::from_secs(3600), 16_000, MilliVolts(230_000)), WattHours(27_600 + SLACK_WH));
    }
}

//! Everything in the building that is not a charger: flats, lift and solar roof.
//!
//! All of it is a function of the civil time and the seed, with no state, so that the history of two
//! months and the running demo come from the same lines and agree where they meet.

use crate::dice::{Dice, stream};
use crate::recordings::{DAY_MIN, HOUSE_W};
use domain::{Flow, MilliAmps, MilliVolts, PerPhase, Phase, Timestamp, Watts};

/// How a building's load is made up.
#[derive(Clone, Debug, PartialEq)]
pub struct HouseBuild {
    /// Seed of shifts, noise, lift trips and clouds.
    pub seed: u64,
    /// Flats; each replays the recorded house shifted by days and minutes. Flat `n` hangs on phase `n mod 3`.
    pub flats: u32,
    /// Size of a flat in percent of the recorded house.
    pub flat_percent: u32,
    /// Trips of the lift in an hour of the day; none without a lift.
    pub lift: Lift,
    /// Peak power of the solar roof; zero for none.
    pub solar_peak: Watts,
    /// Latitude in degrees, north positive; decides the path of the sun.
    pub latitude_deg: f64,
    /// Longitude in degrees, east positive.
    pub longitude_deg: f64,
}

/// A building's load as a function of time.
#[derive(Clone, Debug, PartialEq)]
pub struct House {
    build: HouseBuild,
    flats: Vec<Flat>,
}

/// How one flat replays the recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Flat {
    phase: Phase,
    shift_ms: i64,
    size_per_myriad: u64,
}

/// Whether there is a lift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lift {
    /// None.
    Absent,
    /// A three-phase lift with inrush.
    Present,
}

/// Load of the building at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HouseLoad {
    /// Flats and lift, per phase in watts.
    pub consumption_w: PerPhase<u32>,
    /// Solar roof, per phase in watts.
    pub solar_w: PerPhase<u32>,
}

impl HouseLoad {
    /// What flows in from the grid when nobody charges, per phase in watts; negative for export.
    #[must_use]
    pub fn net_w(&self) -> PerPhase<i64> {
        self.consumption_w.zip(self.solar_w).map(|(load, solar)| i64::from(load) - i64::from(solar))
    }
}

/// Turns watts at a voltage into current with direction.
#[must_use]
pub fn current_of(net_w: i64, voltage: MilliVolts) -> Flow<MilliAmps> {
    Flow::from_net_ma(net_w.saturating_mul(1_000_000) / i64::from(voltage.0.max(1)))
}

const MINUTE_MS: i64 = 60_000;
/// Lift trips are drawn per slot of two minutes.
const LIFT_SLOT_MS: i64 = 120_000;
/// Steady and starting power of the lift on each phase: 5.5 kW motor, inrush of about 2.5 times for 0.9 s.
const LIFT_RUN_W: u32 = 1_800;
const LIFT_START_W: u32 = 4_600;
const LIFT_START_MS: i64 = 900;
/// Chance in percent of a trip per slot, by hour of the day.
const LIFT_CHANCE: [u64; 24] =
    [4, 2, 1, 1, 1, 3, 12, 30, 40, 28, 20, 22, 30, 28, 20, 20, 24, 34, 44, 40, 32, 24, 16, 8];
/// Clouds change over about ten minutes.
const CLOUD_SLOT_MS: i64 = 600_000;

impl House {
    /// Draws how each flat differs from the recorded house.
    #[must_use]
    pub fn new(build: HouseBuild) -> Self {
        let flats = (0..build.flats).map(|number| Flat::drawn(&build, number)).collect();
        Self { build, flats }
    }

    /// Load at a moment of civil time.
    #[must_use]
    pub fn load(&self, at: Timestamp) -> HouseLoad {
        let mut consumption_w = PerPhase::splat(self.lift_w(at));
        for flat in &self.flats {
            *consumption_w.get_mut(flat.phase) += flat.watts(at);
        }
        HouseLoad { consumption_w, solar_w: PerPhase::splat(self.solar_w(at) / 3) }
    }

    fn lift_w(&self, at: Timestamp) -> u32 {
        if self.build.lift == Lift::Absent {
            return 0;
        }
        let slot = at.0.div_euclid(LIFT_SLOT_MS);
        let hour = usize::try_from(at.0.div_euclid(3_600_000).rem_euclid(24)).unwrap_or(0);
        let mut dice = Dice::new(self.build.seed, stream::LIFT.wrapping_add(slot.unsigned_abs()));
        if !dice.percent(LIFT_CHANCE.get(hour).copied().unwrap_or(0)) {
            return 0;
        }
        let start = i64::try_from(dice.between(0, 80_000)).unwrap_or(0);
        let length = i64::try_from(dice.between(12_000, 38_000)).unwrap_or(0);
        match at.0.rem_euclid(LIFT_SLOT_MS) - start {
            since if since < 0 || since >= length => 0,
            since if since < LIFT_START_MS => LIFT_START_W,
            _ => LIFT_RUN_W,
        }
    }

    /// Power of the solar roof: clear-sky curve by the height of the sun, dimmed by clouds.
    #[must_use]
    pub fn solar_w(&self, at: Timestamp) -> u32 {
        if self.build.solar_peak.is_zero() {
            return 0;
        }
        let height = self.sun_height_sin(at);
        if height <= 0.0 {
            return 0;
        }
        // Low sun passes more air: the exponent bends the curve as measured roofs do.
        let power = f64::from(self.build.solar_peak.0) * height.powf(1.15) * self.sky(at);
        floor_u32(power)
    }

    /// Sine of the height of the sun over the horizon.
    fn sun_height_sin(&self, at: Timestamp) -> f64 {
        let day_ms = 86_400_000;
        let day = small(at.0.div_euclid(day_ms).rem_euclid(365));
        let hour = small(at.0.rem_euclid(day_ms)) / 3_600_000.0 + self.build.longitude_deg / 15.0;
        let declination = -23.44_f64.to_radians() * ((day + 10.0) * std::f64::consts::TAU / 365.0).cos();
        let angle = ((hour - 12.0) * 15.0).to_radians();
        let latitude = self.build.latitude_deg.to_radians();
        latitude.sin() * declination.sin() + latitude.cos() * declination.cos() * angle.cos()
    }

    /// Share of the light that clouds let through, moving smoothly from slot to slot.
    fn sky(&self, at: Timestamp) -> f64 {
        let slot = at.0.div_euclid(CLOUD_SLOT_MS);
        let part = small(at.0.rem_euclid(CLOUD_SLOT_MS)) / small(CLOUD_SLOT_MS);
        let clear = |slot: i64| {
            let mut dice = Dice::new(self.build.seed, stream::CLOUDS.wrapping_add(slot.unsigned_abs()));
            f64::from(dice.between_u32(45, 100)) / 100.0
        };
        clear(slot) * (1.0 - part) + clear(slot + 1) * part
    }
}

impl Flat {
    /// At its own day, up to 90 minutes earlier or later than recorded, 0.7 to 1.3 times the usual size.
    fn drawn(build: &HouseBuild, number: u32) -> Self {
        let mut dice = Dice::new(build.seed, stream::HOUSES + u64::from(number));
        let day_ms = i64::try_from(DAY_MIN).unwrap_or(0) * MINUTE_MS;
        let days = i64::try_from(dice.between(0, 20)).unwrap_or(0);
        let minutes_ms = i64::try_from(dice.between(0, 180 * 60_000)).unwrap_or(0) - 90 * MINUTE_MS;
        let size_per_myriad = u64::from(dice.between_u32(70, 130)) * u64::from(build.flat_percent);
        Self { phase: phase_of(number), shift_ms: days * day_ms + minutes_ms, size_per_myriad }
    }

    fn watts(&self, at: Timestamp) -> u32 {
        let recording = &*HOUSE_W;
        let length = i64::try_from(recording.len().max(1)).unwrap_or(1);
        let minute = (at.0 + self.shift_ms).div_euclid(MINUTE_MS).rem_euclid(length);
        let watts = usize::try_from(minute).ok().and_then(|index| recording.get(index)).copied().unwrap_or(0);
        u32::try_from(u64::from(watts) * self.size_per_myriad / 10_000).unwrap_or(u32::MAX)
    }
}

fn phase_of(flat: u32) -> Phase {
    match flat % 3 {
        0 => Phase::L1,
        1 => Phase::L2,
        _ => Phase::L3,
    }
}

/// Exact for the small whole numbers used here (below 2^31).
fn small(number: i64) -> f64 {
    f64::from(i32::try_from(number).unwrap_or(i32::MAX))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a non-negative power below 2^32, rounded down"
)]
fn floor_u32(value: f64) -> u32 {
    value.clamp(0.0, 4.0e9) as u32
}

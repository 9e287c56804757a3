//! How much energy everybody can get who says when he leaves and what he needs, when not everybody can get all.
//!
//! The level is the most energy per session such that, place by place and deadline by deadline, all who leave by
//! then can have that much or all they want. Who has reached it lets the others go first, so that a shortage
//! falls on those who want most and nobody leaves with nothing.

use super::real;

/// One car at one place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Claim {
    /// Position in the list of cars.
    pub(crate) car: usize,
    /// Minutes until it leaves.
    pub(crate) left_min: f64,
    /// Energy it got, in Wh.
    pub(crate) got_wh: f64,
    /// Energy it wants in all, in Wh.
    pub(crate) wants_wh: f64,
    /// Power of one ampere on each of its wires, in W.
    pub(crate) watts_per_amp: f64,
}

/// More energy than any session takes, in Wh.
const MOST_WH: f64 = 200_000.0;
/// Halvings until the level is known to about 10 Wh.
const HALVINGS: u32 = 14;
/// Room is filled to this share: who comes later wants some too, and amperes come whole.
const FILL: f64 = 0.95;

/// Lowers `levels` to what is fair at one place that carries `room_a` amperes.
pub(crate) fn lower(levels: &mut [f64], claims: &mut [Claim], room_a: f64) {
    claims.sort_by(|a, b| a.left_min.total_cmp(&b.left_min).then(a.car.cmp(&b.car)));
    let mut given = 0.0;
    let mut rest: &[Claim] = claims;
    while !rest.is_empty() {
        let Some((level, bound)) = tightest(rest, given, room_a * FILL) else { return };
        let (fixed, later) = rest.split_at((bound + 1).min(rest.len()));
        for claim in fixed {
            given += amp_hours(claim, level);
            if let Some(slot) = levels.get_mut(claim.car) {
                *slot = slot.min(level);
            }
        }
        rest = later;
    }
}

/// The highest level everybody in `claims` can reach, and the last one of those who keep it from being higher;
/// `None` when all can have all they want.
fn tightest(claims: &[Claim], given: f64, room_a: f64) -> Option<(f64, usize)> {
    let mut bound = overbooked(claims, MOST_WH, given, room_a)?;
    let (mut low, mut high) = (0.0, MOST_WH);
    for _ in 0..HALVINGS {
        let level = f64::midpoint(low, high);
        match overbooked(claims, level, given, room_a) {
            Some(at) => (high, bound) = (level, at),
            None => low = level,
        }
    }
    Some((low, bound))
}

/// The first by whose departure more would have to flow than can.
fn overbooked(claims: &[Claim], level: f64, given: f64, room_a: f64) -> Option<usize> {
    let mut sum = given;
    claims.iter().position(|claim| {
        sum += amp_hours(claim, level);
        sum > room_a * claim.left_min / 60.0
    })
}

fn amp_hours(claim: &Claim, level: f64) -> f64 {
    (claim.wants_wh.min(level) - claim.got_wh).max(0.0) / claim.watts_per_amp
}

/// Watts of one ampere on each of so many wires.
pub(crate) fn watts_per_amp(volts: u32, wires: usize) -> f64 {
    f64::from(volts) * real(wires)
}

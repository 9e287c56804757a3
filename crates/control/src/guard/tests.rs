use super::steps::{Steps, exceedance};
use super::*;

fn at(second: u64) -> Instant {
    Instant(second * 1000)
}

fn amps(amps: u16) -> MilliAmps {
    MilliAmps::from_amps(amps)
}

/// A day of a kettle of 6 A and an oven of 7 A, each on for two minutes, sampled every 2 s.
fn kitchen() -> Steps {
    let mut steps = Steps::new(MilliAmps(7_500), DurationMs::from_secs(8));
    for second in (0..24 * 3600).step_by(2) {
        let kettle = if second % 900 < 120 { 6_000 } else { 0 };
        let oven = if second % 700 < 120 { 7_000 } else { 0 };
        steps.note(at(second), MilliAmps(2_000 + kettle + oven));
    }
    steps.tidy(at(24 * 3600));
    steps
}

/// Both appliances are learnt with their size, and what is on asks for no room.
#[test]
fn what_is_on_cannot_switch_on_again() {
    let mut steps = kitchen();
    let sizes = |steps: &Steps| steps.available().iter().map(|step| step.size.0 / 1000).collect::<Vec<_>>();
    let off = sizes(&steps);
    assert!(off.contains(&6) && off.contains(&7), "{off:?}");
    for second in 0..10 {
        steps.note(at(24 * 3600 + 2 + second * 2), MilliAmps(2_000));
    }
    let before = exceedance(&steps.available(), amps(8), 10);
    for second in 0..10 {
        steps.note(at(24 * 3600 + 22 + second * 2), MilliAmps(9_000));
    }
    let after = exceedance(&steps.available(), amps(8), 10);
    assert!(after * 3 < before, "with the oven on a rise above 8 A is rare: {after} of {before}");
}

/// A lift's inrush is over before it counts: only what stays on is a step.
#[test]
fn inrush_is_no_step() {
    let mut steps = Steps::new(MilliAmps(7_500), DurationMs::from_secs(8));
    for second in 0..3600_u64 {
        let into = second % 300;
        let lift = match into {
            0..=2 => 14_000,
            3..=24 => 4_000,
            _ => 0,
        };
        steps.note(at(second), MilliAmps(2_000 + lift));
    }
    steps.tidy(at(3600));
    let largest = steps.available().iter().map(|step| step.size).max().unwrap();
    assert!(largest <= MilliAmps(7_500), "nothing beyond the prior: {largest}");
}

/// A motor that is known to start far above what it takes is counted at what it takes, for as long as starts last; two
/// appliances that together reach as high are counted in full.
#[test]
fn a_known_inrush_is_counted_at_what_stays() {
    let mut steps = Steps::new(MilliAmps(7_500), DurationMs::from_secs(8));
    let level = |second: u64| match second % 300 {
        0..=2 => 16_000,
        3..=24 => 6_000,
        100..=160 => 9_000,
        _ => 2_000,
    };
    for second in 1..3000_u64 {
        steps.note(at(second), MilliAmps(level(second)));
    }
    let lasts = DurationMs::from_secs(4);
    steps.note(at(3000), MilliAmps(16_100));
    assert!(steps.inrush(at(3000), at(3001), lasts).0.abs_diff(10_000) < 500, "what goes away");
    assert_eq!(steps.inrush(at(3000), at(3009), lasts), MilliAmps::ZERO, "an old sample says nothing of now");
    steps.note(at(3003), MilliAmps(16_100));
    assert_eq!(steps.inrush(at(3003), at(3004), lasts), MilliAmps::ZERO, "what stays is no inrush");

    let mut kitchen = kitchen();
    for second in 0..10 {
        kitchen.note(at(24 * 3600 + 2 + second * 2), MilliAmps(2_000));
    }
    let both = at(24 * 3600 + 22);
    kitchen.note(both, MilliAmps(15_000));
    assert_eq!(kitchen.inrush(both, both, lasts), MilliAmps::ZERO);
}

/// A car that takes no more than it has does not pass for one that follows slowly.
#[test]
fn a_raise_that_is_not_used_says_nothing_of_speed() {
    let mut car = Car::new(at(0), amps(16));
    let mut second = 0;
    for set in [10, 16, 10, 16, 20] {
        car.read(at(second + 1), car.set);
        second += 40;
        car.commanded(at(second), amps(set));
        let taken = amps(set.min(16));
        for later in 1..38 {
            car.read(at(second + later), if later < 4 { amps(if set == 10 { 16 } else { 10 }) } else { taken });
        }
    }
    assert!(car.response_s() <= 5, "{} s", car.response_s());
}

/// A larger rise is never likelier, and a longer wait never rarer.
#[test]
fn exceedance_is_monotonic() {
    let steps = kitchen().available();
    for window in [1, 5, 20] {
        for rise in 0..30 {
            let here = exceedance(&steps, amps(rise), window);
            assert!(exceedance(&steps, amps(rise + 1), window) <= here);
            assert!(exceedance(&steps, amps(rise), window + 1) >= here);
        }
    }
}

/// Nothing known yet: the reserve assumes two unknown steps within the delay of the slowest car.
#[test]
fn the_first_minutes_are_cautious() {
    let mut watch = Watch::new(TripModel::STRICT_DEFINITE_TIME, PerPhase::splat(amps(30)));
    for second in 0..30 {
        let level = PerPhase::splat(amps(2));
        watch.sampled(at(second * 2), at(second * 2 + 1), level, level);
    }
    let reserve = watch.reserve(&watch.steps.l1.available(), 16, ACCEPTED, 0);
    assert!(reserve >= amps(13), "two unknown steps at least: {reserve}");
}

/// A device that bears overloads for a minute needs no reserve; one that opens after ten seconds does.
#[test]
fn patient_devices_need_no_reserve() {
    assert_eq!(patience(TripModel::STRICT_DEFINITE_TIME), (7, 1045));
    assert!(patience(TripModel::SPANISH_ICP).0 > 100);
    assert_eq!(patience(TripModel::FASTEST_BREAKER).0, 0);
}

/// A car that follows after 4 s is known after three commands; one that grows slow is noticed.
#[test]
fn a_car_is_learnt_from_its_readings() {
    let mut car = Car::new(at(0), amps(8));
    let mut second = 0;
    let mut draws = amps(8);
    let mut follow = |car: &mut Car, set: MilliAmps, delay: u64| {
        for _ in 0..20 {
            second += 1;
            car.read(at(second), draws);
        }
        car.commanded(at(second), set);
        for passed in 1..=20 {
            if passed == delay + 1 {
                draws = set;
            }
            second += 1;
            car.read(at(second), draws);
        }
    };
    for set in [amps(6), amps(9), amps(6)] {
        follow(&mut car, set, 4);
    }
    assert!(car.is_known());
    assert_eq!(car.response_s(), 4);
    follow(&mut car, amps(9), 9);
    assert!(car.response_s() >= 9, "{}", car.response_s());
}

/// What was commanded lower counts at its old value until a reading or the time shows otherwise.
#[test]
fn a_cut_is_not_believed_before_it_shows() {
    let mut car = Car::new(at(0), amps(16));
    for second in 1..30 {
        car.read(at(second), amps(16));
    }
    car.commanded(at(30), amps(6));
    assert_eq!(car.bounds(at(33)).1, amps(16));
    car.read(at(34), amps(6));
    assert_eq!(car.bounds(at(34)), (amps(6), amps(6)));
}

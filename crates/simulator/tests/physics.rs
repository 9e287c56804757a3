//! Cars, outlets, breakers, the house and the visits.

use domain::{
    Clock as _, DurationMs, MilliAmps, MilliVolts, PerPhase, Phase, Quantity, Source, Timestamp, WattHours, Wiring,
};
use proptest::prelude::{prop_assert, prop_assert_eq, proptest};
use simulator::{
    Breaker, BreakerKind, CarTraits, Dice, Energy, House, Outlet, OutletBuild, ScaledClock, Speed, VirtualCar,
    building_plan, history, parse_time, visits,
};

const VOLTS: PerPhase<MilliVolts> = PerPhase::splat(MilliVolts(230_000));

fn outlet(wiring: Wiring, offer_interval: DurationMs) -> Outlet {
    let max = MilliAmps::from_amps(32);
    let mut outlet = Outlet::new(OutletBuild { wiring, max, offer_interval, register: WattHours(0) });
    outlet.set_closed(true);
    outlet
}

proptest! {
    /// What the charger's register counts is what the car got, to the last nanojoule, whatever is offered.
    #[test]
    fn charger_and_car_count_the_same_energy(seed in 0_u64..1_000_000, offers in proptest::collection::vec(0_u32..40_000, 1..60)) {
        let mut dice = Dice::new(seed, 0);
        let traits = CarTraits::drawn(&mut dice, 3, MilliAmps::from_amps(16));
        let mut outlet = outlet(Wiring::three(), DurationMs(5_000));
        outlet.plug(VirtualCar::new(traits, WattHours(2_000)));
        for offer in offers {
            outlet.allow(MilliAmps(offer));
            for _ in 0..70 {
                let flow = outlet.step(VOLTS, DurationMs(100));
                prop_assert!(flow.l1 <= MilliAmps::from_amps(16));
            }
        }
        prop_assert_eq!(outlet.car().unwrap().received(), outlet.delivered());
    }

    /// Once a car had time to react it draws no more than it is offered, and nothing below 6 A.
    #[test]
    fn a_car_follows_what_it_is_offered(seed in 0_u64..1_000_000, first in 6_000_u32..32_000, then in 0_u32..32_000) {
        let mut dice = Dice::new(seed, 0);
        let traits = CarTraits::drawn(&mut dice, 1, MilliAmps::from_amps(32));
        let mut outlet = outlet(Wiring::single(), DurationMs(5_000));
        outlet.plug(VirtualCar::new(traits, WattHours(50_000)));
        for (offer, seconds) in [(first, 60), (then, 30)] {
            outlet.allow(MilliAmps(offer));
            for _ in 0..seconds * 10 {
                outlet.step(VOLTS, DurationMs(100));
            }
            let draws = outlet.car().unwrap().draws();
            prop_assert!(draws.0 <= offer, "offered {} mA, draws {}", offer, draws);
            prop_assert_eq!(draws.is_zero(), offer < 6_000);
        }
    }

    /// Nobody parks in an occupied bay or has two cars, on any days.
    #[test]
    fn visits_never_overlap(seed in 0_u64..1_000, day in 20_000_i64..21_000) {
        let from = Timestamp(day * 86_400_000);
        let list = visits(seed, from, from + DurationMs(14 * 86_400_000), 8, 10);
        for (index, one) in list.iter().enumerate() {
            prop_assert!(one.arrives < one.leaves);
            for other in list.iter().skip(index + 1).filter(|v| v.bay == one.bay || v.household == one.household) {
                prop_assert!(other.arrives > one.leaves);
            }
        }
    }
}

/// The published times to a trip: Linky at twice the subscribed power after 33 s, mid-band after 13 s.
#[test]
fn breakers_open_when_published() {
    for (kind, expected_s) in
        [(BreakerKind::DefiniteTime, 10.0), (BreakerKind::IecMidBand, 12.9), (BreakerKind::Linky, 32.7)]
    {
        let mut breaker = Breaker::new(kind, MilliAmps::from_amps(30));
        let mut seconds: f64 = 0.0;
        while !breaker.tripped() {
            breaker.step(MilliAmps::from_amps(60), DurationMs(100));
            seconds += 0.1;
        }
        assert!((seconds - expected_s).abs() < 1.5, "{kind:?} opened after {seconds} s, not {expected_s} s");
    }
    let mut breaker = Breaker::new(BreakerKind::IecMidBand, MilliAmps::from_amps(30));
    breaker.step(MilliAmps(33_900), DurationMs(3_600_000));
    assert!(!breaker.tripped(), "1.13 times the rating never opens an IEC breaker within an hour");
}

/// Solar power follows the sun and the house is the same for the same seed and time.
#[test]
fn the_house_is_a_function_of_time() {
    let plan = building_plan(7, Timestamp(0)).unwrap();
    let house = House::new(plan.house.clone());
    let (midnight, noon) = (parse_time("2026-06-21T00:30:00Z").unwrap(), parse_time("2026-06-21T12:30:00Z").unwrap());
    assert_eq!(house.solar_w(midnight), 0);
    assert!(house.solar_w(noon) > 5_000, "{} W at noon in June", house.solar_w(noon));
    assert_eq!(house.load(noon), House::new(plan.house).load(noon));
}

/// The building's declared load covers the load of 99.9 % of the minutes of a winter month.
#[test]
fn the_declared_load_is_honest() {
    let plan = building_plan(7, Timestamp(0)).unwrap();
    let house = House::new(plan.house.clone());
    let start = parse_time("2026-01-05T00:00:00Z").unwrap();
    let mut currents: Vec<i64> = Vec::new();
    for minute in 0..28 * 1_440_u64 {
        let load = house.load(start + DurationMs(minute * 60_000));
        let worst =
            Phase::ALL.iter().map(|phase| i64::from(*load.consumption_w.get(*phase)) * 1_000 / 230).max().unwrap();
        currents.push(worst);
    }
    currents.sort_unstable();
    let quantile = currents[currents.len() * 999 / 1_000];
    let mean = currents.iter().sum::<i64>() / i64::try_from(currents.len()).unwrap();
    assert!(
        quantile <= i64::from(plan.site.declared_load.0),
        "99.9 %: {quantile} mA, mean of the worst phase {mean} mA"
    );
    assert!(mean > 12_000, "the house must contend with the cars: mean {mean} mA");
}

/// A session's energy is the integral of its curve, and no reading exceeds the limit.
#[test]
fn history_is_consistent() {
    let plan = building_plan(3, Timestamp(0)).unwrap();
    let until = parse_time("2026-03-10T19:07:13Z").unwrap();
    let past = history(&plan, until - DurationMs(9 * 86_400_000), until).unwrap();
    assert!(past.sessions.len() > 30, "{} sessions in nine days", past.sessions.len());
    assert!(
        past.sessions.iter().all(|s| s.ended_at.is_some() && s.energy == s.meter_last.saturating_sub(s.meter_start))
    );
    let sessions_wh: u64 = past.sessions.iter().map(|session| session.energy.0).sum();
    let registers_wh: u64 = past.registers.values().map(|register| register.0).sum();
    assert!(registers_wh - sessions_wh <= u64::try_from(past.sessions.len()).unwrap());
    let mut curve_wh: f64 = 0.0;
    for (list, hours) in [(&past.minutes, 1.0 / 60.0), (&past.quarters, 0.25)] {
        for (series, values) in list {
            for (at, value) in values {
                let value = i32::try_from(*value).unwrap();
                match (&series.source, series.quantity) {
                    (Source::Connector(..), Quantity::Power) => curve_wh += f64::from(value) * hours,
                    (Source::Circuit(_), Quantity::CurrentL1 | Quantity::CurrentL2 | Quantity::CurrentL3) => {
                        assert!(value <= 60_000, "{value} mA at {at:?}");
                    }
                    _ => {}
                }
            }
        }
    }
    let registers = f64::from(u32::try_from(registers_wh).unwrap());
    assert!((curve_wh - registers).abs() < registers * 0.002, "curve {curve_wh} Wh, registers {registers} Wh");
}

/// The clock never jumps when its speed changes.
#[test]
fn a_change_of_speed_bends_the_clock_but_never_breaks_it() {
    let clock = ScaledClock::new(Timestamp(0), Speed::X60);
    let mut last = clock.now();
    for round in 0..200 {
        clock.set_speed(if round % 2 == 0 { Speed::X1 } else { Speed::X60 });
        let now = clock.now();
        assert!(now.instant >= last.instant && now.wall >= last.wall);
        last = now;
    }
    assert_eq!(clock.real(DurationMs(60_000)), std::time::Duration::from_secs(1));
}

/// Protects the demo on a slow computer: ahead of a program that lags a fast clock runs as in life, and goes on with it.
#[test]
fn a_fast_clock_waits_for_the_program() {
    let begun = std::time::Instant::now();
    let clock = ScaledClock::new(Timestamp(0), Speed::X60);
    let after = |at: DurationMs| domain::Instant(at.0);
    let until = |at: DurationMs| while clock.now().instant < after(at) {};
    clock.reached(after(DurationMs(0)));
    until(DurationMs(2_500));
    for _ in 0..1_000 {
        let now = clock.now().instant;
        let lived = u64::try_from(begun.elapsed().as_millis()).unwrap();
        assert!(now <= after(DurationMs(2_500 + lived)), "{now:?} after {lived} ms");
    }
    clock.reached(after(DurationMs(60_000)));
    until(DurationMs(62_500));
    clock.set_speed(Speed::X1);
    clock.reached(after(DurationMs(0)));
    until(DurationMs(62_510));
    clock.set_speed(Speed::X60);
    assert!(clock.now().instant >= after(DurationMs(62_510)), "it never goes back");
}

/// Protects chargers of the demo from being called disobedient: time does not run away from a car that had no turn, or
/// from a charger that was not answered.
#[test]
fn a_fast_clock_waits_for_the_building() {
    let begun = std::time::Instant::now();
    let clock = ScaledClock::new(Timestamp(0), Speed::X60);
    let after = |at: DurationMs| domain::Instant(at.0);
    clock.reached(after(DurationMs(60_000)));
    clock.lived(after(DurationMs(0)));
    while clock.now().instant < after(DurationMs(1_500)) {}
    for _ in 0..1_000 {
        let now = clock.now().instant;
        let lived = u64::try_from(begun.elapsed().as_millis()).unwrap();
        assert!(now <= after(DurationMs(1_500 + lived)), "{now:?} after {lived} ms");
    }
}

/// Energy is counted without rounding however small the steps are.
#[test]
fn energy_adds_up_exactly() {
    let mut sum = Energy::ZERO;
    for _ in 0..3_600_000 / 7 {
        sum += Energy::flow(MilliAmps(1), MilliVolts(230_001), DurationMs(7));
    }
    assert_eq!(sum, Energy::flow(MilliAmps(1), MilliVolts(230_001), DurationMs(3_600_000 / 7 * 7)));
    assert_eq!(sum.milli_wh(), 230);
}

//! What the planner's knowledge does to the building: who is never paused, who is woken, who waits for cheaper hours,
//! and what is known of the building itself.

use super::{Building, amps, charger, circuits, meter, site, uid};
use crate::{Input, Order, Output, Reason};
use domain::{
    CardPolicy, ChargerPolicy, ChargingTimes, DurationMs, EnergySource, Flow, MeterEvent, MeterId, MeterRole,
    MeterSample, MilliAmps, Outlook, OutlookPeriod, Pacing, Pausing, PerPhase, Record, SharingRule, TimeWindow,
    Timestamp, WattHours, Wiring, Wish,
};

fn policy(b: &mut Building, n: u32, priority: i32, policy: ChargerPolicy) {
    let charger = domain::Charger { priority, policy, ..charger(n, Wiring::single()) };
    b.order(Order::SetCharger(charger)).unwrap();
}

/// A car that must not be paused charges on with its minimum while those of higher priority come, by every rule of
/// sharing; it is paused only when not even its own minimum fits.
#[test]
fn who_must_not_be_paused_is_cut_last() {
    for sharing in [SharingRule::Equal, SharingRule::ByPriority, SharingRule::ByFairness, SharingRule::ByDeparture] {
        let mut settings = site(Pacing::Careful);
        settings.rules.sharing = sharing;
        let mut b = Building::new(settings, 3, MeterRole::House);
        policy(&mut b, 1, 0, ChargerPolicy { pausing: Pausing::Never, ..ChargerPolicy::default() });
        policy(&mut b, 2, 9, ChargerPolicy::default());
        policy(&mut b, 3, 9, ChargerPolicy::default());
        b.house = amps(4);
        b.start(1, amps(32));
        b.run(60);
        b.start(2, amps(32));
        b.start(3, amps(32));
        b.run(60);
        b.house = amps(17);
        let mut paused = 0;
        for _ in 0..300 {
            b.run(1);
            paused += u32::from(b.set(1).is_zero());
        }
        assert_eq!(paused, 0, "{sharing:?}: 13 A are left, of which 6 A are its own");
        b.house = amps(25);
        b.run(5);
        assert!(b.set(1).is_zero(), "{sharing:?}: 5 A are no current for a car");
    }
}

/// A car that sleeps through a pause is woken by taking its pilot away for a moment, is left alone after six attempts,
/// and its card is marked once it turned out that it slept.
#[test]
fn a_sleeping_car_is_woken_and_remembered() {
    let mut b = Building::new(site(Pacing::Careful), 1, MeterRole::House);
    b.house = amps(4);
    b.start(1, amps(16));
    b.run(60);
    assert!(b.set(1) >= amps(6));
    b.house = amps(28);
    b.run(400);
    assert!(b.set(1).is_zero());
    // The car sleeps now; the pilot has to go twice before it begins.
    b.house = amps(4);
    b.cars.insert(1, MilliAmps::ZERO);
    let (mut gaps, mut was_waking) = (0, false);
    for _ in 0..600 {
        b.run(1);
        let waking = matches!(b.reason(1), Reason::Waking { .. });
        assert!(!waking || b.set(1).is_zero(), "the pilot is away while it is woken");
        gaps += u32::from(waking && !was_waking);
        if gaps == 2 && was_waking && !waking {
            b.cars.insert(1, amps(16));
        }
        was_waking = waking;
    }
    assert_eq!(gaps, 2, "awake after the second");
    assert_eq!(b.drawn(1), amps(16));
    let saved = b.log.iter().filter_map(|out| match out {
        Output::Save(Record::Card(card)) if card.uid == uid(1) => Some(card.policy.sleeps),
        _ => None,
    });
    assert_eq!(saved.collect::<Vec<_>>(), [true], "remembered once");
    // From now on others wait first, until the manager takes it back.
    let learnt = b.control.snapshot(b.now()).cards[0].policy;
    assert!(learnt.sleeps);
    b.order(Order::SetCardPolicy { uid: uid(1), policy: CardPolicy { sleeps: false, ..learnt } }).unwrap();
    assert!(!b.control.snapshot(b.now()).cards[0].policy.sleeps);
}

/// A car that is full before a pause is not woken, and one that nothing wakes is left alone with its minimum offered.
#[test]
fn waking_ends() {
    for (full_before, attempts) in [(true, 0), (false, 6)] {
        let mut b = Building::new(site(Pacing::Careful), 1, MeterRole::House);
        b.house = amps(4);
        b.start(1, amps(16));
        b.run(60);
        if full_before {
            b.cars.insert(1, MilliAmps::ZERO);
            b.run(120);
        }
        b.house = amps(31);
        b.run(200);
        assert!(b.set(1).is_zero());
        b.cars.insert(1, MilliAmps::ZERO);
        b.house = amps(4);
        let (mut gaps, mut was_waking) = (0, false);
        for _ in 0..900 {
            b.run(1);
            let waking = matches!(b.reason(1), Reason::Waking { .. });
            gaps += u32::from(waking && !was_waking);
            was_waking = waking;
        }
        assert_eq!(gaps, attempts, "full before: {full_before}");
        assert_eq!(b.set(1), amps(6), "what it may take when it wants to");
    }
}

fn prices(b: &Building, by_hour: &[i64]) -> Input {
    let from = b.now().wall;
    let hour = |n: usize| from + DurationMs::from_secs(3600 * u64::try_from(n).unwrap());
    let periods = by_hour.iter().enumerate().map(|(n, price)| OutlookPeriod {
        from: hour(n),
        to: hour(n + 1),
        price_micro: Some(*price),
        surplus: None,
    });
    Input::Outlook(Some(Outlook::new(periods.collect()).unwrap()))
}

fn cheapest(b: &mut Building, n: u32) {
    policy(b, n, 0, ChargerPolicy { times: ChargingTimes::Cheapest, ..ChargerPolicy::default() });
}

fn wish(b: &mut Building, n: u32, kwh: u64, hours: u64) {
    let session = b.session(n).unwrap();
    let by = b.now().wall + DurationMs::from_secs(hours * 3600);
    b.order(Order::SetWish { session, wish: Some(Wish { energy: WattHours(kwh * 1000), by }) }).unwrap();
}

/// With hours to spare a car waits for the cheap ones and says when it begins; with none, with nothing known, or
/// without any price it charges at once.
#[test]
fn cheap_hours_are_used_when_there_is_slack() {
    let begin = |kwh: u64, hours: u64, feed: Option<&[i64]>| {
        let mut b = Building::new(site(Pacing::Careful), 1, MeterRole::House);
        b.house = amps(4);
        cheapest(&mut b, 1);
        if let Some(by_hour) = feed {
            let feed = prices(&b, by_hour);
            b.input(feed);
        }
        b.start(1, amps(16));
        if kwh > 0 {
            wish(&mut b, 1, kwh, hours);
        }
        b.run(150);
        b
    };
    let cheap_later = [300_000, 300_000, 100_000, 80_000, 300_000, 300_000, 300_000, 300_000];
    let b = begin(5, 8, Some(&cheap_later));
    assert!(b.set(1).is_zero(), "two cheap hours are enough for 5 kWh");
    let Reason::WaitingForPrice { remaining } = b.reason(1) else { panic!("{:?}", b.reason(1)) };
    let hours = remaining.0 / 60_000;
    assert!((105..=135).contains(&hours), "begins at the third hour, by the quarter: {hours} min");
    assert!(b.control.snapshot(b.now()).grid.cars_waiting == 0, "it does not stand in line");
    for (why, b) in [
        ("all hours are needed", begin(25, 8, Some(&cheap_later))),
        ("it leaves before", begin(5, 2, Some(&cheap_later))),
        ("nobody said when it leaves", begin(0, 0, Some(&cheap_later))),
        ("now is as cheap as later", begin(5, 8, Some(&[100_000; 8]))),
        ("nothing makes one hour better", begin(5, 8, None)),
    ] {
        assert!(b.set(1) >= amps(6), "{why}: {:?}", b.reason(1));
    }
}

/// The car begins when the cheap hour does, and has what it needs in time.
#[test]
fn who_waits_for_cheap_hours_is_ready_in_time() {
    let mut b = Building::new(site(Pacing::Careful), 1, MeterRole::House);
    b.house = amps(4);
    cheapest(&mut b, 1);
    let feed = prices(&b, &[300_000, 300_000, 100_000, 80_000, 300_000, 300_000]);
    b.input(feed);
    b.start(1, amps(16));
    wish(&mut b, 1, 5, 6);
    b.report_every = 5;
    let mut dear_wh = 0;
    let mut wh = 0;
    for second in 0..6 * 3600_u64 {
        b.run(1);
        wh += u64::from(b.drawn(1).0) * 230 / 1000;
        if second / 3600 < 2 {
            dear_wh = wh;
        }
        if wh / 3600 >= 5_000 {
            b.cars.insert(1, MilliAmps::ZERO);
        }
    }
    assert!(wh / 3600 >= 5_000, "{} Wh", wh / 3600);
    assert!(dear_wh / 3600 < 300, "{} Wh before the cheap hours", dear_wh / 3600);
}

/// Without a feed the off-peak times of the site are the cheap hours.
#[test]
fn off_peak_times_stand_in_for_prices() {
    let mut settings = site(Pacing::Careful);
    // WALL lies in the day; the night is cheap.
    settings.rules.off_peak = vec![TimeWindow { days: Vec::new(), from_minute: 22 * 60, to_minute: 6 * 60 }];
    let mut b = Building::new(settings, 1, MeterRole::House);
    cheapest(&mut b, 1);
    b.start(1, amps(16));
    wish(&mut b, 1, 5, 23);
    b.run(60);
    let minute = domain::LocalTime::of(b.now().wall, domain::UtcOffset::default()).minute;
    let is_night = !(6 * 60..22 * 60).contains(&minute);
    assert_eq!(b.set(1).is_zero(), !is_night, "at minute {minute}: {:?}", b.reason(1));
}

fn battery(b: &mut Building, watts: i64) {
    let id = MeterId::new("B").unwrap();
    let current = PerPhase::new(Flow::from_net_ma(watts * 1000 / 230), Flow::default(), Flow::default());
    let sample = MeterSample { at: b.now().wall, current, ..MeterSample::default() };
    b.input(Input::Meter { id, event: MeterEvent::Measured(sample) });
}

/// What a battery gives is shown, and is no solar surplus: a car that follows the sun does not empty it.
#[test]
fn a_battery_is_no_sun() {
    for (battery_w, charges) in [(-3_000, false), (0, true), (2_000, true)] {
        let mut setup = crate::Setup::empty(site(Pacing::Careful), circuits(200));
        let policy = ChargerPolicy { source: EnergySource::SolarOnly, ..ChargerPolicy::default() };
        setup.chargers = vec![domain::Charger { policy, ..charger(1, Wiring::single()) }];
        let own = domain::Meter { id: MeterId::new("B").unwrap(), ..meter(MeterRole::Battery) };
        setup.meters = vec![meter(MeterRole::House), own];
        let tenant = domain::Tenant::new(domain::TenantId(1), domain::TenantKey(1), "A", "", Timestamp(0));
        setup.tenants = vec![tenant];
        setup.cards = vec![domain::Card {
            id: domain::CardId(1),
            uid: uid(1),
            tenant: domain::TenantId(1),
            status: domain::CardStatus::Active,
            enrolled_at: Timestamp(0),
            policy: CardPolicy::default(),
            alias_of: None,
        }];
        let mut b = Building::of(setup, MeterRole::House);
        b.event(1, domain::ChargerEvent::Connected);
        b.start(1, amps(16));
        for _ in 0..900 {
            b.ms += 1000;
            // 12 A leave the building as long as no car charges, by the sun and the battery together.
            let current = PerPhase::new(Flow::from_net_ma(-12_000), Flow::default(), Flow::default());
            let sample = MeterSample { at: b.now().wall, current, ..MeterSample::default() };
            b.input(Input::Meter { id: MeterId::new("M").unwrap(), event: MeterEvent::Measured(sample) });
            battery(&mut b, battery_w);
            b.measure(1);
            b.input(Input::Tick);
        }
        assert_eq!(!b.set(1).is_zero(), charges, "{battery_w} W: {:?}", b.reason(1));
        let shown = b.control.snapshot(b.now()).grid.battery_power.map(|flow| flow.net_w());
        assert!(shown.is_some_and(|shown| shown.abs_diff(battery_w) <= 1), "{shown:?}");
    }
}

/// A night of one ampere and an hour of ten in the evening, for so many days, by the minute.
fn past(b: &Building, days: i64) -> Vec<(Timestamp, PerPhase<MilliAmps>)> {
    let now = b.now().wall.0;
    let minutes = 0..days * 1440;
    let load = |minute: i64| if (1140..1200).contains(&(minute % 1440)) { amps(10) } else { amps(1) };
    let of = |minute: i64| (Timestamp(now - (days * 1440 - minute) * 60_000), PerPhase::splat(load(minute)));
    minutes.map(of).collect()
}

/// The declared load of the building counts while the computer is off, until two weeks are measured; then the load it
/// stays below for 99.9 % of the time does, and chargers get the fallback that now fits.
#[test]
fn the_measured_load_replaces_the_declared_one() {
    for (days, building) in [(10, 20), (20, 10)] {
        let mut setup = crate::Setup::empty(site(Pacing::Careful), circuits(200));
        setup.chargers =
            (1..=3).map(|n| domain::Charger { fallback: amps(6), ..charger(n, Wiring::single()) }).collect();
        setup.meters = vec![meter(MeterRole::House)];
        let mut b = Building::of(setup, MeterRole::House);
        let installed = |b: &Building| -> Vec<u32> {
            let check = b.control.snapshot(b.now()).fallbacks;
            check.chargers.iter().map(|fit| fit.installed.amps_floor()).collect()
        };
        assert_eq!(installed(&b), [6, 0, 0], "beside the declared 20 A of 30 A one fits");
        let past = past(&b, days);
        let out = b.input(Input::PastLoads(past));
        let check = b.control.snapshot(b.now()).fallbacks;
        assert_eq!(check.circuits[0].building.l1, amps(building), "{days} days");
        assert_eq!((check.is_measured, i64::from(check.measured_days) >= days - 1), (building == 10, true));
        let told = out.iter().filter(|out| matches!(out, Output::Fallback { limit, .. } if *limit == amps(6))).count();
        assert_eq!((installed(&b), told), if building == 10 { (vec![6, 6, 6], 2) } else { (vec![6, 0, 0], 0) });
    }
}

/// What is foretold of the building is shown with how often it was exceeded, and only what was measured counts.
#[test]
fn the_forecast_shows_how_well_it_does() {
    let mut b = Building::new(site(Pacing::Careful), 1, MeterRole::House);
    assert_eq!(b.control.snapshot(b.now()).forecast, None, "nothing measured yet");
    b.house = amps(3);
    b.run(40 * 60);
    let state = b.control.snapshot(b.now()).forecast.unwrap();
    assert_eq!(state.calibration.target_permille, 10);
    assert!((20..=26).contains(&state.calibration.outcomes), "{state:?}");
    assert_eq!(state.calibration.above, 0, "a steady load exceeds no bound");
    assert!(state.expected.l1.0.abs_diff(3_000) < 10 && state.upper.l1.0.abs_diff(3_000) < 10, "{state:?}");
    b.metered = false;
    b.run(30 * 60);
    let silent = b.control.snapshot(b.now()).forecast.unwrap();
    assert_eq!(silent.calibration, state.calibration, "a silent meter proves nothing");
}

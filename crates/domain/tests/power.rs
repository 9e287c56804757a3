//! Periods, policies and protection devices.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use domain::*;
use proptest::prelude::*;

const DAY: i64 = 86_400_000;
/// Monday 16 November 2026, 00:00 UTC.
const MONDAY: i64 = 1_794_787_200_000;

fn window(days: &[Weekday], from: (u16, u16), to: (u16, u16)) -> TimeWindow {
    TimeWindow { days: days.to_vec(), from_minute: from.0 * 60 + from.1, to_minute: to.0 * 60 + to.1 }
}

fn at(day: Weekday, hour: u16, minute: u16) -> LocalTime {
    LocalTime { day, minute: hour * 60 + minute }
}

/// Protects every period from applying on the wrong day: a UTC moment near midnight is another day elsewhere.
#[test]
fn local_time_is_the_clock_of_the_site() {
    let cases = [
        (MONDAY, 0, at(Weekday::Mon, 0, 0)),
        (MONDAY - 1, 0, at(Weekday::Sun, 23, 59)),
        (MONDAY, -3600, at(Weekday::Sun, 23, 0)),
        (MONDAY + DAY - 60_000, 3600, at(Weekday::Tue, 0, 59)),
        (0, 0, at(Weekday::Thu, 0, 0)),
        (-1, 0, at(Weekday::Wed, 23, 59)),
    ];
    for (ms, offset, expected) in cases {
        assert_eq!(LocalTime::of(Timestamp(ms), UtcOffset(offset)), expected, "{ms} {offset}");
    }
}

/// Protects periods over midnight: they belong to the day on which they begin.
#[test]
fn windows_wrap_over_midnight() {
    let night = window(&[Weekday::Fri], (22, 0), (8, 0));
    assert!(night.contains(at(Weekday::Fri, 22, 0)) && night.contains(at(Weekday::Sat, 7, 59)), "the night it begins");
    assert!(!night.contains(at(Weekday::Fri, 7, 0)) && !night.contains(at(Weekday::Sat, 22, 0)), "not other nights");
    let weekend = window(&[Weekday::Sat, Weekday::Sun], (0, 0), (24, 0));
    assert!(weekend.contains(at(Weekday::Sun, 23, 59)) && !weekend.contains(at(Weekday::Mon, 0, 0)));
    let always = window(&[], (6, 0), (6, 0));
    assert!(
        always.contains(at(Weekday::Mon, 5, 59)) && always.contains(at(Weekday::Mon, 6, 0)),
        "equal ends are a day"
    );
}

fn site() -> Site {
    Site {
        name: "Test".to_owned(),
        time_zone: "Europe/Lisbon".to_owned(),
        currency: "EUR".to_owned(),
        nominal_voltage: MilliVolts(230_000),
        connection: Connection::LineNeutral,
        phases: PhaseCount::Three,
        contracted: VoltAmps(41_400),
        main_fuse: MilliAmps::from_amps(63),
        margin: MilliAmps::ZERO,
        min_charge: MilliAmps::from_amps(6),
        max_active_chargers: None,
        max_meters: 4,
        control_interval: DurationMs::from_secs(5),
        declared_load: MilliAmps::from_amps(10),
        meter_max_age: DurationMs::from_secs(15),
        pacing: Pacing::Careful,
        rules: SiteRules::default(),
    }
}

/// Protects the contract: in a period its own power counts, and the first period that fits wins.
#[test]
fn contract_follows_the_time() {
    let period =
        |days: &[Weekday], va| ContractPeriod { window: window(days, (8, 0), (22, 0)), contracted: VoltAmps(va) };
    let mut site = site();
    site.rules.contract_periods = vec![period(&[Weekday::Sat], 13_800), period(&[], 20_700)];
    assert_eq!(site.check(), Ok(()));
    assert_eq!(site.grid_limit_at(at(Weekday::Sat, 9, 0)), MilliAmps::from_amps(20));
    assert_eq!(site.grid_limit_at(at(Weekday::Mon, 9, 0)), MilliAmps::from_amps(30));
    assert_eq!(site.grid_limit_at(at(Weekday::Mon, 23, 0)), site.grid_limit());
}

/// Protects the electrician from rules no site can have; the message names the field.
#[test]
fn rules_out_of_range_are_named() {
    let with = |change: fn(&mut SiteRules)| {
        let mut site = site();
        change(&mut site.rules);
        site.check().map_err(|error| error.to_string())
    };
    assert_eq!(
        with(|rules| rules.imbalance = Some(MilliAmps(1))),
        Err("imbalance_a must be between 6 A and 10000 A".into())
    );
    assert!(
        with(|rules| rules.stand_alone = Some(MilliAmps::from_amps(64))).unwrap_err().contains("stand_alone_buffer_a")
    );
    for feed in ["ftp://x", "prices.json", "http://", "https://a\nb", "file"] {
        let mut site = site();
        site.rules.feed = Some(feed.to_owned());
        assert_eq!(site.check(), Err(SiteError::Rule(PolicyError::Feed)), "{feed:?}");
    }
    for feed in ["https://prices.example/today", "/srv/prices.json", "C:\\prices.json"] {
        let mut site = site();
        site.rules.feed = Some(feed.to_owned());
        assert_eq!(site.check(), Ok(()), "{feed:?}");
    }
}

/// Protects a charger and a card from currents that charge no car, and a session from wishes nobody can mean.
#[test]
fn policies_are_checked() {
    let (min, max) = (MilliAmps::from_amps(6), MilliAmps::from_amps(16));
    let charger = |guaranteed, fixed| ChargerPolicy { guaranteed, fixed, ..ChargerPolicy::default() }.check(min, max);
    assert_eq!(charger(None, None), Ok(()));
    assert_eq!(charger(Some(max), Some(min)), Ok(()));
    assert!(charger(Some(MilliAmps::from_amps(17)), None).unwrap_err().to_string().contains("guaranteed_a"));
    assert!(charger(None, Some(MilliAmps(5_999))).unwrap_err().to_string().contains("fixed_a"));
    assert!(CardPolicy { max: Some(MilliAmps(1)), ..CardPolicy::default() }.check(min).is_err());
    let wish = |wh, by| Wish { energy: WattHours(wh), by: Timestamp(by) }.check(Timestamp(MONDAY));
    assert_eq!(wish(20_000, MONDAY + DAY), Ok(()));
    for (wh, by) in [(0, MONDAY + DAY), (20_000, MONDAY), (20_000, MONDAY + 15 * DAY), (1_000_001, MONDAY + DAY)] {
        assert_eq!(wish(wh, by), Err(PolicyError::Wish), "{wh} {by}");
    }
}

/// Protects a feeder from a limit that its fuse or its cable does not carry.
#[test]
fn a_limit_never_exceeds_its_protection() {
    let amps = MilliAmps::from_amps;
    let tree = |limit, rated: Option<u16>, cable: Option<u16>| {
        let rating =
            CircuitRating { rated: rated.map(|a| PerPhase::splat(amps(a))), cable: cable.map(amps), device: None };
        let id = CircuitId::new("main").unwrap();
        CircuitTree::new(vec![Circuit {
            id,
            name: "Main".into(),
            parent: None,
            limit: PerPhase::splat(amps(limit)),
            rating,
        }])
    };
    assert!(tree(63, Some(63), None).is_ok());
    assert!(tree(50, Some(63), Some(50)).is_ok());
    assert!(matches!(tree(63, Some(63), Some(50)), Err(CircuitTreeError::AboveRating(_))), "above the cable");
    assert!(matches!(tree(64, Some(63), None), Err(CircuitTreeError::AboveRating(_))), "above the fuse");
    let rating = CircuitRating { rated: Some(PerPhase::splat(amps(63))), cable: Some(amps(50)), device: None };
    assert_eq!(rating.limit(), Some(PerPhase::splat(amps(50))), "the smaller of both");
}

/// Protects the thermal model from figures that trip at the rated current, or never.
#[test]
fn impossible_devices_are_refused() {
    let rated = MilliAmps::from_amps(63);
    let tau = DurationMs::from_secs(50);
    let good = ProtectionDevice::Thermal { rated, trip_theta_milli: 1_664, tau };
    assert_eq!(good.check(), Ok(()));
    assert_eq!(good.trip_model(), TripModel::Thermal { trip_theta_milli: 1_664, tau });
    for device in [ProtectionDevice::Linky, ProtectionDevice::SpanishIcp, ProtectionDevice::PortugueseDcp] {
        assert_eq!((device.check(), device.rated()), (Ok(()), None), "{device:?} follows the contract");
    }
    let cases = [
        (ProtectionDevice::Breaker { curve: BreakerCurve::C, rated: MilliAmps(999) }, DeviceError::Rated),
        (ProtectionDevice::Thermal { rated, trip_theta_milli: 1_000, tau }, DeviceError::Level),
        (ProtectionDevice::Thermal { rated, trip_theta_milli: 1_664, tau: DurationMs(0) }, DeviceError::Time),
        (ProtectionDevice::DefiniteTime { rated, ratio_milli: 900, after: tau }, DeviceError::Level),
        (ProtectionDevice::DefiniteTime { rated, ratio_milli: 1_050, after: DurationMs(u64::MAX) }, DeviceError::Time),
    ];
    for (device, error) in cases {
        assert_eq!(device.check(), Err(error), "{device:?}");
    }
}

/// Protects the plan from prices of two times at once.
#[test]
fn an_outlook_is_in_order() {
    let period =
        |from, to| OutlookPeriod { from: Timestamp(from), to: Timestamp(to), price_micro: Some(1), surplus: None };
    let outlook = Outlook::new(vec![period(0, 10), period(10, 20), period(30, 40)]).unwrap();
    assert_eq!(outlook.at(Timestamp(10)).map(|period| period.to), Some(Timestamp(20)));
    assert_eq!(outlook.at(Timestamp(25)), None, "a gap says nothing");
    assert_eq!(Outlook::new(vec![period(0, 10), period(9, 20)]), Err(OutlookError::Order(2)));
    assert_eq!(Outlook::new(vec![period(5, 5)]), Err(OutlookError::Order(1)));
}

proptest! {
    /// Whatever the window, a week holds exactly the minutes it names on each of its days.
    #[test]
    fn windows_hold_their_minutes(from in 0..1440_u16, to in 0..=1440_u16, days in prop::sample::subsequence(Weekday::ALL.to_vec(), 1..=7)) {
        let window = TimeWindow { days: days.clone(), from_minute: from, to_minute: to };
        let length = if from < to { to - from } else { 1440 - from + to };
        let minutes = Weekday::ALL.into_iter().flat_map(|day| (0..1440).map(move |minute| LocalTime { day, minute }));
        let inside = minutes.filter(|at| window.contains(*at)).count();
        // Windows of neighbouring days may touch but overlap only when one is longer than a day, which none is.
        prop_assert_eq!(inside, usize::from(length) * days.len());
    }
}

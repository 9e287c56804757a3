//! How power is protected and shared, between the API and the deciders.

use super::request::{duration, milli_amps, thousandths};
use super::{amps, circuit_name, per_phase, seconds};
use crate::http::problem::Failure;
use crate::time_text;
use api::{
    CardPolicyItem, ChargerPolicyItem, ChargingTimesKind, ContractPeriodItem, DeviceItem, FallbackCharger,
    FallbackCircuit, FallbackReport, ForecastItem, KnownCarItem, KnownItem, OutlookItem, OutlookPeriodItem,
    SiteRulesItem, TimeWindowItem, WishItem,
};
use control::{CircuitState, ForecastState, Snapshot};
use domain::{
    CardPolicy, Charger, ChargerPolicy, ChargingTimes, ContractPeriod, Known, MilliAmps, Now, OutlookPeriod, Pausing,
    PerPhase, ProtectionDevice, Rotation, SiteRules, TimeWindow, Timestamp, VoltAmps, WattHours, Weekday, Wish,
};

/// A share kept in thousandths.
pub(super) fn share(milli: u16) -> f64 {
    f64::from(milli) / 1000.0
}

fn thousandth(value: u32) -> f64 {
    f64::from(value) / 1000.0
}

/// What protects a circuit, to show.
pub(super) fn device_item(device: ProtectionDevice) -> DeviceItem {
    match device {
        ProtectionDevice::Breaker { curve, rated } => DeviceItem::Breaker { curve, rated_a: amps(rated) },
        ProtectionDevice::Linky => DeviceItem::Linky,
        ProtectionDevice::SpanishIcp => DeviceItem::SpanishIcp,
        ProtectionDevice::PortugueseDcp => DeviceItem::PortugueseDcp,
        ProtectionDevice::Thermal { rated, trip_theta_milli, tau } => {
            DeviceItem::Thermal { rated_a: amps(rated), trip_theta: thousandth(trip_theta_milli), tau_s: seconds(tau) }
        }
        ProtectionDevice::DefiniteTime { rated, ratio_milli, after } => {
            DeviceItem::DefiniteTime { rated_a: amps(rated), ratio: thousandth(ratio_milli), after_s: seconds(after) }
        }
    }
}

/// What protects a circuit, from a request.
pub(super) fn device_from(item: DeviceItem) -> Result<ProtectionDevice, Failure> {
    Ok(match item {
        DeviceItem::Breaker { curve, rated_a } => {
            ProtectionDevice::Breaker { curve, rated: milli_amps("device.rated_a", rated_a)? }
        }
        DeviceItem::Linky => ProtectionDevice::Linky,
        DeviceItem::SpanishIcp => ProtectionDevice::SpanishIcp,
        DeviceItem::PortugueseDcp => ProtectionDevice::PortugueseDcp,
        DeviceItem::Thermal { rated_a, trip_theta, tau_s } => ProtectionDevice::Thermal {
            rated: milli_amps("device.rated_a", rated_a)?,
            trip_theta_milli: thousandths("device.trip_theta", trip_theta)?,
            tau: duration("device.tau_s", tau_s)?,
        },
        DeviceItem::DefiniteTime { rated_a, ratio, after_s } => ProtectionDevice::DefiniteTime {
            rated: milli_amps("device.rated_a", rated_a)?,
            ratio_milli: thousandths("device.ratio", ratio)?,
            after: duration("device.after_s", after_s)?,
        },
    })
}

/// Free current per phase of a circuit under its limit and what is kept free.
pub(super) fn headroom(state: &CircuitState) -> PerPhase<MilliAmps> {
    state.limit.zip(state.kept_free).zip(state.flow).map(|((limit, kept), flow)| {
        let free = i64::from(limit.0) - i64::from(kept.0) - flow.net_ma();
        // Export makes no room beyond the limit itself.
        MilliAmps(u32::try_from(free.max(0)).unwrap_or(u32::MAX)).min(limit.saturating_sub(kept))
    })
}

fn clock_text(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

fn clock_minute(field: &str, text: &str) -> Result<u16, Failure> {
    let wrong = || Failure::invalid(format!("{field}: {text:?} is no time of day; write it as 07:30"));
    let (hours, minutes) = text.trim().split_once(':').ok_or_else(wrong)?;
    let number = |part: &str| part.parse::<u16>().ok().filter(|_| part.len() <= 2).ok_or_else(wrong);
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let is_possible = (hours < 24 && minutes < 60) || (hours == 24 && minutes == 0);
    if is_possible { Ok(hours * 60 + minutes) } else { Err(wrong()) }
}

fn window_from(field: &str, days: &[Weekday], from: &str, to: &str) -> Result<TimeWindow, Failure> {
    let mut days = days.to_vec();
    days.sort_unstable();
    days.dedup();
    let window = TimeWindow { days, from_minute: clock_minute(field, from)?, to_minute: clock_minute(field, to)? };
    if window.is_possible() {
        Ok(window)
    } else {
        Err(Failure::invalid(format!("{field}: a period cannot begin at 24:00; write 00:00")))
    }
}

fn window_item(window: &TimeWindow) -> TimeWindowItem {
    let (from, to) = (clock_text(window.from_minute), clock_text(window.to_minute));
    TimeWindowItem { days: window.days.clone(), from, to }
}

fn windows_from(field: &str, items: &[TimeWindowItem]) -> Result<Vec<TimeWindow>, Failure> {
    items.iter().map(|item| window_from(field, &item.days, &item.from, &item.to)).collect()
}

/// The rules of the site, to show.
pub(crate) fn site_rules_item(rules: &SiteRules) -> SiteRulesItem {
    let period = |period: &ContractPeriod| {
        let TimeWindowItem { days, from, to } = window_item(&period.window);
        ContractPeriodItem { days, from, to, kva: thousandth(period.contracted.0) }
    };
    SiteRulesItem {
        contract_periods: rules.contract_periods.iter().map(period).collect(),
        imbalance_a: rules.imbalance.map(amps),
        sharing: rules.sharing,
        off_peak: rules.off_peak.iter().map(window_item).collect(),
        stand_alone_buffer_a: rules.stand_alone.map(amps),
        price_feed: rules.feed.clone(),
    }
}

/// The rules of the site, from a request; their ranges are checked with the site.
pub(super) fn site_rules_from(item: &SiteRulesItem) -> Result<SiteRules, Failure> {
    let period = |period: &ContractPeriodItem| {
        Ok::<_, Failure>(ContractPeriod {
            window: window_from("contract_periods", &period.days, &period.from, &period.to)?,
            contracted: VoltAmps(thousandths("contract_periods.kva", period.kva)?),
        })
    };
    Ok(SiteRules {
        contract_periods: item.contract_periods.iter().map(period).collect::<Result<_, _>>()?,
        imbalance: item.imbalance_a.map(|limit| milli_amps("imbalance_a", limit)).transpose()?,
        sharing: item.sharing,
        off_peak: windows_from("off_peak", &item.off_peak)?,
        stand_alone: item.stand_alone_buffer_a.map(|a| milli_amps("stand_alone_buffer_a", a)).transpose()?,
        feed: item.price_feed.as_deref().map(str::trim).filter(|feed| !feed.is_empty()).map(str::to_owned),
    })
}

/// What the manager decided about a charger, to show.
pub(super) fn charger_policy_item(charger: &Charger) -> ChargerPolicyItem {
    let policy = &charger.policy;
    let (charging_times, windows) = match &policy.times {
        ChargingTimes::Always => (ChargingTimesKind::Always, Vec::new()),
        ChargingTimes::OffPeak => (ChargingTimesKind::OffPeak, Vec::new()),
        ChargingTimes::Cheapest => (ChargingTimesKind::Cheapest, Vec::new()),
        ChargingTimes::Windows(windows) => (ChargingTimesKind::Windows, windows.iter().map(window_item).collect()),
    };
    ChargerPolicyItem {
        never_pause: policy.pausing == Pausing::Never,
        guaranteed_a: policy.guaranteed.map(amps),
        charging_times,
        windows,
        energy_source: policy.source,
        fixed_a: policy.fixed.map(amps),
        rotation_known: policy.rotation == Rotation::Known,
    }
}

/// What the manager decides about a charger, from a request; ranges are checked with the charger.
pub(crate) fn charger_policy_from(item: &ChargerPolicyItem) -> Result<ChargerPolicy, Failure> {
    let times = match item.charging_times {
        ChargingTimesKind::Always => ChargingTimes::Always,
        ChargingTimesKind::OffPeak => ChargingTimes::OffPeak,
        ChargingTimesKind::Cheapest => ChargingTimes::Cheapest,
        ChargingTimesKind::Windows if item.windows.is_empty() => {
            return Err(Failure::invalid("windows: name at least one time, or choose always"));
        }
        ChargingTimesKind::Windows => ChargingTimes::Windows(windows_from("windows", &item.windows)?),
    };
    Ok(ChargerPolicy {
        pausing: if item.never_pause { Pausing::Never } else { Pausing::Allowed },
        guaranteed: item.guaranteed_a.map(|a| milli_amps("guaranteed_a", a)).transpose()?,
        times,
        source: item.energy_source,
        fixed: item.fixed_a.map(|a| milli_amps("fixed_a", a)).transpose()?,
        rotation: if item.rotation_known { Rotation::Known } else { Rotation::Unknown },
        // Not part of this item; the caller keeps it.
        owner: None,
    })
}

/// What the manager decided about a card, to show.
pub(super) fn card_policy_item(policy: CardPolicy) -> CardPolicyItem {
    CardPolicyItem {
        max_a: policy.max.map(amps),
        priority: policy.priority,
        never_pause: policy.pausing == Pausing::Never,
        sleeps: policy.sleeps,
    }
}

/// What the manager decides about a card, from a request.
pub(crate) fn card_policy_from(item: &CardPolicyItem) -> Result<CardPolicy, Failure> {
    Ok(CardPolicy {
        max: item.max_a.map(|a| milli_amps("max_a", a)).transpose()?,
        priority: item.priority,
        pausing: if item.never_pause { Pausing::Never } else { Pausing::Allowed },
        sleeps: item.sleeps,
    })
}

/// What a session needs, to show. No wish is beyond what a float holds exactly.
pub(super) fn wish_item(wish: Wish) -> WishItem {
    let energy_wh = u32::try_from(wish.energy.0).unwrap_or(u32::MAX);
    WishItem { energy_kwh: thousandth(energy_wh), by: time_text::text(wish.by) }
}

/// What a session needs, from a request.
pub(crate) fn wish_from(item: &WishItem, now: Now, time_zone: &str) -> Result<Wish, Failure> {
    let energy = WattHours(u64::from(thousandths("energy_kwh", item.energy_kwh)?));
    let by = match time_text::parse(&item.by) {
        Some(by) => by,
        None => next_time(clock_minute("by", &item.by)?, now.wall, time_zone).ok_or_else(Failure::internal)?,
    };
    let wish = Wish { energy, by };
    wish.check(now.wall).map_err(|error| Failure::invalid(error.to_string()))?;
    Ok(wish)
}

/// The next moment at which a clock on the wall of the site shows this minute of the day.
fn next_time(minute: u16, now: Timestamp, time_zone: &str) -> Option<Timestamp> {
    let zone = jiff::tz::TimeZone::get(time_zone).ok()?;
    let local = jiff::Timestamp::from_millisecond(now.0).ok()?.to_zoned(zone.clone());
    let midnight = local.date().at(0, 0, 0, 0);
    (0..=2)
        .filter_map(|day| {
            let at = midnight.checked_add(jiff::Span::new().days(day).minutes(i64::from(minute))).ok()?;
            at.to_zoned(zone.clone()).ok().map(|at| Timestamp(at.timestamp().as_millisecond()))
        })
        .find(|at| *at > now)
}

/// What was known when a decision was made; circuits are named as they are now.
pub(super) fn known_item(known: &Known, live: &Snapshot) -> KnownItem {
    let phases = live.site.phases;
    let milli = |value: i64| i32::try_from(value).map_or(0.0, |value| f64::from(value) / 1000.0);
    KnownItem {
        house_a: per_phase(known.house_ma, phases, milli),
        limit_a: per_phase(known.limit, phases, amps),
        margin_a: amps(known.margin),
        reserve_a: per_phase(known.reserve, phases, amps),
        sample_age_s: known.sample_age.map(seconds),
        trip_used: known.trip_used_milli.map(|used| per_phase(used, phases, share)),
        tightest: known.tightest.as_ref().map(|id| circuit_name(live, id)),
        cars: known
            .cars
            .iter()
            .map(|car| KnownCarItem {
                charger: car.charger.to_string(),
                connector: car.connector.0,
                set_a: amps(car.set),
                counted_a: amps(car.counted),
            })
            .collect(),
    }
}

/// What flows when nobody commands the chargers.
pub(crate) fn fallback_report(live: &Snapshot) -> FallbackReport {
    let phases = live.site.phases;
    let circuits = live.fallbacks.circuits.iter().map(|circuit| {
        let together = circuit.building.zip(circuit.chargers).map(|(building, chargers)| building + chargers);
        FallbackCircuit {
            circuit: circuit.circuit.to_string(),
            name: circuit_name(live, &circuit.circuit),
            usable_a: per_phase(circuit.usable, phases, amps),
            building_a: per_phase(circuit.building, phases, amps),
            measured_days: live.fallbacks.measured_days,
            measured: live.fallbacks.is_measured,
            fallbacks_a: per_phase(circuit.chargers, phases, amps),
            fits: phases.phases().iter().all(|phase| together.get(*phase) <= circuit.usable.get(*phase)),
        }
    });
    let chargers = live.fallbacks.chargers.iter().map(|fit| FallbackCharger {
        charger: fit.charger.to_string(),
        name: live
            .chargers
            .iter()
            .find(|state| state.charger.id == fit.charger)
            .map_or_else(|| fit.charger.to_string(), |state| state.charger.name.clone()),
        wanted_a: amps(fit.wanted),
        installed_a: amps(fit.installed),
        held_by: fit.held_by.as_ref().map(|id| circuit_name(live, id)),
    });
    FallbackReport { circuits: circuits.collect(), chargers: chargers.collect() }
}

/// What the building is expected to draw.
pub(super) fn forecast_item(state: &ForecastState, phases: domain::PhaseCount) -> ForecastItem {
    // A thousandth is exact, and no ratio of counts is larger.
    let share = |permille: u64| thousandth(u32::try_from(permille).unwrap_or(u32::MAX));
    ForecastItem {
        ahead_min: state.ahead_min,
        expected_a: per_phase(state.expected, phases, amps),
        upper_a: per_phase(state.upper, phases, amps),
        outcomes: state.calibration.outcomes,
        exceeded: state.calibration.above_permille().map(share),
        target: share(u64::from(state.calibration.target_permille)),
    }
}

/// What the price feed said, from now on.
pub(crate) fn outlook_item(live: &Snapshot) -> OutlookItem {
    let periods = live.outlook.as_ref().map(|outlook| outlook.periods()).unwrap_or_default();
    let micro = |value: i64| {
        // Exact: a feed's prices are below ten thousand.
        let (whole, rest) = (i32::try_from(value / 1_000_000), i32::try_from(value % 1_000_000));
        f64::from(whole.unwrap_or(0)) + f64::from(rest.unwrap_or(0)) / 1e6
    };
    let item = |period: &OutlookPeriod| OutlookPeriodItem {
        from: time_text::text(period.from),
        to: time_text::text(period.to),
        price_per_kwh: period.price_micro.map(micro),
        surplus_kw: period.surplus.map(super::kilowatts),
    };
    OutlookItem { periods: periods.iter().filter(|period| period.to > live.at).map(item).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "07:30" is the next half past seven on the site's clock: today while it lies ahead, else tomorrow, and right in
    /// the night when the clock changes.
    #[test]
    fn next_time_is_on_the_clock_of_the_site() {
        let at = |text: &str| time_text::parse(text).unwrap();
        let cases = [
            ("2026-11-20T06:00:00Z", "Europe/Lisbon", 450, "2026-11-20T07:30:00Z"),
            ("2026-11-20T07:30:00Z", "Europe/Lisbon", 450, "2026-11-21T07:30:00Z"),
            ("2026-07-20T20:00:00Z", "Europe/Paris", 450, "2026-07-21T05:30:00Z"),
            // The night of 24 to 25 October 2026 has 25 hours in Lisbon.
            ("2026-10-24T22:00:00Z", "Europe/Lisbon", 450, "2026-10-25T07:30:00Z"),
        ];
        for (now, zone, minute, expected) in cases {
            assert_eq!(next_time(minute, at(now), zone), Some(at(expected)), "{now} {zone}");
        }
    }

    /// A time that no clock shows is named, and never becomes another time.
    #[test]
    fn impossible_times_are_refused() {
        for text in ["", "7", "25:00", "07:60", "24:01", "-1:00", "007:30", "7:3x"] {
            assert!(clock_minute("by", text).is_err(), "{text:?}");
        }
        assert_eq!(clock_minute("by", "7:05").ok(), Some(425));
        assert_eq!(clock_minute("by", "24:00").ok(), Some(1440));
        assert!(window_from("off_peak", &[], "24:00", "06:00").is_err(), "a period that begins at 24:00");
    }
}

//! Reasons as data for clients.

use super::amps;
use api::Reason;
use domain::{CircuitId, MilliAmps};

/// The reason with the commanded current and the names people gave to circuits.
pub(crate) fn reason_item(reason: &control::Reason, set: MilliAmps, name: impl Fn(&CircuitId) -> String) -> Reason {
    let set_a = amps(set);
    let limit =
        |bottleneck: &Option<control::Bottleneck>| bottleneck.as_ref().map(|found| bottleneck_item(found, &name));
    match reason {
        control::Reason::Idle => Reason::Idle,
        control::Reason::Shared { cars, bottleneck, extra_amp } => {
            Reason::Shared { set_a, cars: *cars, bottleneck: limit(bottleneck), extra_amp: *extra_amp }
        }
        control::Reason::ChargerMaximum => Reason::ChargerMaximum { set_a },
        control::Reason::ManagerLimit => Reason::ManagerLimit { set_a },
        control::Reason::TenantLimit => Reason::TenantLimit { set_a },
        control::Reason::CapReached => Reason::CapReached,
        control::Reason::CarTakesLess { measured } => Reason::CarTakesLess { set_a, measured_a: amps(*measured) },
        control::Reason::Waiting { min, place, bottleneck } => {
            Reason::Waiting { min_a: amps(*min), place: *place, bottleneck: limit(bottleneck) }
        }
        control::Reason::WaitingForNews { chargers } => Reason::WaitingForNews { chargers: *chargers },
        control::Reason::WaitingForTurn { max_active, place } => {
            Reason::WaitingForTurn { max_active: *max_active, place: *place }
        }
        control::Reason::WaitingHold { remaining } => {
            Reason::WaitingHold { remaining_s: u32::try_from(remaining.0.div_ceil(1000)).unwrap_or(u32::MAX) }
        }
        control::Reason::Confirming => Reason::Confirming { set_a },
        control::Reason::Paused => Reason::Paused,
        control::Reason::OutsideTimes => Reason::OutsideTimes,
        control::Reason::NoSurplus => Reason::NoSurplus,
        control::Reason::WaitingForPrice { remaining } => {
            Reason::WaitingForPrice { remaining_s: u32::try_from(remaining.0.div_ceil(1000)).unwrap_or(u32::MAX) }
        }
        control::Reason::Waking { attempt } => Reason::Waking { attempt: *attempt },
        control::Reason::Imbalance => Reason::Imbalance,
        control::Reason::MeterSilent => Reason::MeterSilent { set_a },
        control::Reason::Offline { counted } => Reason::Offline { fallback_a: amps(*counted) },
        control::Reason::Unheard { counted } => Reason::Unheard { counted_a: amps(*counted) },
        control::Reason::Disobeys { counted } => Reason::Disobeys { counted_a: amps(*counted) },
        control::Reason::NotApproved => Reason::NotApproved,
        control::Reason::NotAuthorised => Reason::NotAuthorised,
    }
}

fn bottleneck_item(found: &control::Bottleneck, name: impl Fn(&CircuitId) -> String) -> api::Bottleneck {
    api::Bottleneck {
        circuit: name(&found.circuit),
        kind: match found.kind {
            control::BottleneckKind::MainFuse => api::BottleneckKind::MainFuse,
            control::BottleneckKind::Contract => api::BottleneckKind::Contract,
            control::BottleneckKind::Circuit => api::BottleneckKind::Circuit,
        },
        limit_a: amps(found.limit),
        phase: found.phase.map(domain::Phase::number),
    }
}

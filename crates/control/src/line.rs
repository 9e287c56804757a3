//! What those who wait are told: one line for the whole building, and whom it waits for while chargers are unheard.

use crate::plan::Connector;
use crate::standing::PROFILE_LIFE;
use crate::state::{ChargerLive, Link};
use crate::{Bottleneck, Control, Reason};
use domain::Now;
use std::cmp::Reverse;

impl Control {
    /// Numbers everybody who waits in the order in which they are served. The reasons come from divisions for
    /// different estimates of the building and from different circuits, each of which begins to count at one.
    pub(crate) fn form_line(&mut self, now: Now) {
        let mut last = 0_u16;
        for key in self.in_order_of_service() {
            let Some(reason) = self.connector_mut(&key).map(|connector| connector.reason.clone()) else { continue };
            let told = match reason {
                Reason::Waiting { min, bottleneck, .. } => match self.unheard_above(now, bottleneck.as_ref()) {
                    0 => {
                        last = last.saturating_add(1);
                        Reason::Waiting { min, place: last, bottleneck }
                    }
                    chargers => Reason::WaitingForNews { chargers },
                },
                Reason::WaitingForTurn { max_active, .. } => {
                    last = last.saturating_add(1);
                    Reason::WaitingForTurn { max_active, place: last }
                }
                Reason::Idle
                | Reason::Shared { .. }
                | Reason::ChargerMaximum
                | Reason::ManagerLimit
                | Reason::TenantLimit
                | Reason::CapReached
                | Reason::CarTakesLess { .. }
                | Reason::WaitingForNews { .. }
                | Reason::WaitingHold { .. }
                | Reason::Confirming
                | Reason::Paused
                | Reason::OutsideTimes
                | Reason::NoSurplus
                | Reason::WaitingForPrice { .. }
                | Reason::Waking { .. }
                | Reason::Imbalance
                | Reason::MeterSilent
                | Reason::Offline { .. }
                | Reason::Unheard { .. }
                | Reason::Disobeys { .. }
                | Reason::NotApproved
                | Reason::NotAuthorised => continue,
            };
            if let Some(connector) = self.connector_mut(&key) {
                connector.reason = told;
            }
        }
    }

    /// Those who wait, in the order in which they are served.
    fn in_order_of_service(&self) -> Vec<Connector> {
        let mut list: Vec<(Reverse<i32>, u32, Connector)> = Vec::new();
        for (id, live) in &self.chargers {
            for (number, connector) in &live.connectors {
                if !matches!(connector.reason, Reason::Waiting { .. } | Reason::WaitingForTurn { .. }) {
                    continue;
                }
                let tenant = self.ledger.running(id, *number).and_then(|session| session.tenant);
                let boost = tenant.and_then(|tenant| self.access.tenants.get(&tenant)).map_or(0, |t| t.terms.priority);
                let priority = live.charger.priority.saturating_add(boost);
                list.push((Reverse(priority), live.charger.registered, (id.clone(), *number)));
            }
        }
        list.sort();
        list.into_iter().map(|(_, _, key)| key).collect()
    }

    /// Chargers that are counted at the most they may draw on the circuit that holds somebody down, because nobody
    /// has heard from them since the start.
    fn unheard_above(&self, now: Now, bottleneck: Option<&Bottleneck>) -> u16 {
        let place = bottleneck.and_then(|bottleneck| self.tree.index(&bottleneck.circuit));
        let is_below = |live: &ChargerLive| {
            let own = self.tree.index(&live.charger.circuit);
            place.is_none_or(|place| own.is_some_and(|own| self.tree.path(own).any(|index| index == place)))
        };
        let is_counted = |live: &ChargerLive| {
            let is_young = |since| now.instant.since(since) <= PROFILE_LIFE;
            let may_draw = !live.fallback_in_force().is_zero()
                || live.connectors.keys().any(|number| self.ledger.running(&live.charger.id, *number).is_some());
            matches!(live.link, Link::Unheard { since } if is_young(since)) && live.charger.approved && may_draw
        };
        let unheard = self.chargers.values().filter(|live| is_counted(live) && is_below(live)).count();
        u16::try_from(unheard).unwrap_or(u16::MAX)
    }
}

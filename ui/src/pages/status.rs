//! State of a charger in one word and one colour. Pure.

use crate::text::Text;
use crate::widgets::Mood;
use api::{ChargerItem, ConnectorItem, Reason};
use domain::ConnectorStatus;

/// The word and its mood; the charger's own state goes before that of a connector.
pub(crate) fn of(charger: &ChargerItem, connector: Option<&ConnectorItem>) -> (Text, Mood) {
    if !charger.approved {
        return (Text::StatusNotApproved, Mood::Info);
    }
    if !charger.online {
        return (Text::StatusOffline, Mood::Bad);
    }
    if charger.paused {
        return (Text::StatusPaused, Mood::Warn);
    }
    let Some(connector) = connector else { return (Text::StatusUnknown, Mood::Quiet) };
    let waiting = matches!(
        connector.why,
        Reason::Waiting { .. }
            | Reason::WaitingForNews { .. }
            | Reason::WaitingForTurn { .. }
            | Reason::WaitingHold { .. }
    );
    match connector.status {
        ConnectorStatus::Faulted => (Text::StatusFaulted, Mood::Bad),
        ConnectorStatus::Unavailable => (Text::StatusUnavailable, Mood::Warn),
        _plugged if waiting && connector.status.is_plugged() => (Text::StatusWaiting, Mood::Warn),
        ConnectorStatus::Charging => (Text::StatusCharging, Mood::Good),
        ConnectorStatus::SuspendedEvse => (Text::StatusWaiting, Mood::Warn),
        ConnectorStatus::SuspendedEv => (Text::StatusSuspendedEv, Mood::Quiet),
        ConnectorStatus::Preparing => (Text::StatusPreparing, Mood::Info),
        ConnectorStatus::Finishing => (Text::StatusFinishing, Mood::Quiet),
        ConnectorStatus::Reserved => (Text::StatusReserved, Mood::Info),
        ConnectorStatus::Available => (Text::StatusAvailable, Mood::Quiet),
        ConnectorStatus::Unknown => (Text::StatusUnknown, Mood::Quiet),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    /// What keeps a charger from charging is said first: approval, link, pause, fault, waiting.
    #[test]
    fn the_strongest_state_wins() {
        let mut charger = fixtures::charger("A");
        let state = |charger: &ChargerItem| of(charger, charger.connectors.first()).0;
        assert_eq!(state(&charger), Text::StatusCharging);
        charger.connectors[0].why = Reason::Waiting { min_a: 6.0, place: 1, bottleneck: None };
        assert_eq!(state(&charger), Text::StatusWaiting);
        charger.connectors[0].status = ConnectorStatus::Faulted;
        assert_eq!(state(&charger), Text::StatusFaulted);
        charger.paused = true;
        assert_eq!(state(&charger), Text::StatusPaused);
        charger.online = false;
        assert_eq!(state(&charger), Text::StatusOffline);
        charger.approved = false;
        assert_eq!(state(&charger), Text::StatusNotApproved);
    }
}

//! What is known of chargers beside their sessions: how they are set, what was learnt of them, how their state changed.

use super::turn::Turn;
use super::{Engine, Work};
use central_system::{Learned, Memory, Settings, StationView};
use domain::{
    CardStatus, ChargerEvent, ChargerId, ConnectorNumber, Fact, HardwareInfo, Now, Record, ReportedState, StatusChange,
    Timestamp,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::oneshot;
use tracing::Instrument as _;

/// Somebody looks at a charger, or says how it shall be set.
pub(crate) enum Look {
    /// Show it.
    At {
        /// Which.
        charger: ChargerId,
        /// Where the view goes; `None` for a charger that speaks no OCPP.
        reply: oneshot::Sender<Option<(StationView, Settings)>>,
    },
    /// Set it like this.
    Set {
        /// Which.
        charger: ChargerId,
        /// How.
        settings: Box<Settings>,
        /// Tells that it was taken; `false` for a charger that speaks no OCPP.
        reply: oneshot::Sender<bool>,
    },
}

/// What is kept of chargers and their models between runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    /// By charger.
    pub(crate) memories: BTreeMap<ChargerId, Memory>,
    /// By charger.
    pub(crate) settings: BTreeMap<ChargerId, Settings>,
    /// By model and firmware.
    pub(crate) learned: BTreeMap<String, Learned>,
    /// How meters of other makers are set up.
    pub(crate) foreign: Vec<Fact>,
}

const MEMORY: &str = "memory";
const SETTINGS: &str = "settings";
const LEARNED: &str = "learned";

impl Kept {
    /// From the facts of the last run; one that cannot be read is as good as none.
    pub(crate) fn from_facts(facts: &[Fact]) -> Self {
        let mut kept = Self::default();
        for fact in facts {
            let Some(value) = &fact.value else { continue };
            if crate::foreign::Source::from_fact(fact).is_some() {
                kept.foreign.push(fact.clone());
                continue;
            }
            if let Some(charger) = fact.subject.strip_prefix("charger/").and_then(|id| ChargerId::new(id).ok()) {
                match fact.name.as_str() {
                    MEMORY => {
                        if let Ok(memory) = serde_json::from_str(value) {
                            kept.memories.insert(charger, memory);
                        }
                    }
                    SETTINGS => {
                        if let Ok(settings) = serde_json::from_str(value) {
                            kept.settings.insert(charger, settings);
                        }
                    }
                    _ => {}
                }
            } else if let Some(model) = fact.subject.strip_prefix("model/").filter(|_| fact.name == LEARNED)
                && let Ok(learned) = serde_json::from_str(value)
            {
                kept.learned.insert(model.to_owned(), learned);
            }
        }
        kept
    }
}

/// Chargers of one model with one firmware behave alike.
pub(crate) fn model_of(hardware: &HardwareInfo) -> String {
    format!("{}|{}|{}", hardware.vendor, hardware.model, hardware.firmware)
}

impl Engine {
    /// Every station holds the list of the cards that may charge now.
    pub(super) fn tell_cards(&mut self, now: Now) {
        let live = self.parts.control.snapshot(now);
        let valid = |card: &&domain::Card| {
            live.tenants.iter().any(|tenant| tenant.id == card.tenant && tenant.is_valid_at(now.wall))
        };
        let active = live.cards.iter().filter(|card| card.status == CardStatus::Active).filter(valid);
        let cards: central_system::CardList = active.map(|card| (card.uid.clone(), card.tenant)).collect();
        if cards == *self.cards && !cards.is_empty() {
            return;
        }
        self.cards = Arc::new(cards);
        let stations: Vec<ChargerId> = self.parts.stations.keys().cloned().collect();
        let work =
            stations.into_iter().map(|id| Work::Station(id, central_system::Input::SetCards(Arc::clone(&self.cards))));
        self.turn(now, Turn::of(work));
    }

    pub(super) fn look(&mut self, now: Now, look: Look) {
        match look {
            Look::At { charger, reply } => {
                let view = self.parts.stations.get(&charger).map(|station| station.view(now));
                let settings = self.parts.kept.settings.get(&charger).cloned().unwrap_or_default();
                if reply.send(view.map(|view| (view, settings))).is_err() {
                    tracing::debug!("the client left before its answer");
                }
            }
            Look::Set { charger, settings, reply } => {
                let is_ocpp = self.parts.stations.contains_key(&charger);
                if is_ocpp {
                    self.parts.kept.settings.insert(charger.clone(), (*settings).clone());
                    let input = central_system::Input::SetSettings(settings.clone());
                    let mut turn = Turn::of([Work::Station(charger.clone(), input)]);
                    turn.records.push(fact(format!("charger/{charger}"), SETTINGS, &*settings));
                    self.turn(now, turn);
                }
                if reply.send(is_ocpp).is_err() {
                    tracing::debug!("the client left before its answer");
                }
            }
        }
    }

    /// Signs a charger's request beside the engine: keys and the disk may be slow.
    pub(super) fn issue(&self, charger: &ChargerId, request: String) {
        if !self.parts.access.may_have_certificate(charger) {
            return tracing::warn!(
                %charger,
                "the charger asks for a certificate without having proven who it is; invite it in the console or give it a password"
            );
        }
        let (charger, inbox) = (charger.clone(), self.parts.inbox.clone());
        let certificates = self.parts.certificates.clone();
        let task = async move {
            match certificates.sign(&charger, &request).await {
                Ok(issued) => {
                    tracing::info!(%charger, serial = issued.serial, "certificate issued");
                    let Some(inbox) = inbox.upgrade() else { return };
                    let happened = super::Happened::CertificateIssued { charger, pem: issued.pem };
                    if inbox.send(happened).await.is_err() {
                        tracing::debug!("the engine ended first");
                    }
                }
                Err(error) => {
                    tracing::warn!(%charger, error = crate::error::chain(&error), "no certificate was issued");
                }
            }
        };
        drop(tokio::spawn(task.in_current_span()));
    }

    /// Hands a certificate to the charger that asked for it.
    pub(super) fn issued(&mut self, now: Now, charger: ChargerId, pem: String) {
        let id = self.parts.commands.silent();
        let command = central_system::Command::CertificateSigned { chain: pem };
        let input = central_system::Input::Command { id, command };
        self.turn(now, Turn::of([Work::Station(charger, input)]));
    }

    /// A station learnt something.
    pub(super) fn remember(&mut self, turn: &mut Turn, charger: &ChargerId, memory: &Memory) {
        // What a stranger says is not worth keeping before the manager let it in.
        if !self.parts.approved.contains(charger) {
            return;
        }
        turn.records.push(fact(format!("charger/{charger}"), MEMORY, memory));
        let hardware = self.parts.stations.get(charger).and_then(|station| station.hardware());
        let Some(model) = hardware.map(model_of).filter(|model| model.len() > 2) else { return };
        if self.parts.kept.learned.get(&model) != Some(&memory.learned) {
            turn.records.push(fact(format!("model/{model}"), LEARNED, &memory.learned));
            self.parts.kept.learned.insert(model, memory.learned.clone());
        }
    }

    /// A charger that booted hears what its like taught us.
    pub(super) fn station_event(&mut self, now: Now, turn: &mut Turn, charger: &ChargerId, event: &ChargerEvent) {
        if let ChargerEvent::Booted(hardware) = event
            && let Some(learned) = self.parts.kept.learned.get(&model_of(hardware))
        {
            let input = central_system::Input::SetLearned(Box::new(learned.clone()));
            turn.push(Work::Station(charger.clone(), input));
        }
        self.noted(now, turn, charger, event);
    }

    /// Keeps changes of state for the timeline.
    pub(super) fn noted(&mut self, now: Now, turn: &mut Turn, charger: &ChargerId, event: &ChargerEvent) {
        let (connector, state, error, at): (Option<ConnectorNumber>, ReportedState, String, Timestamp) = match event {
            ChargerEvent::Connected => (None, ReportedState::Online, String::new(), now.wall),
            ChargerEvent::Disconnected => (None, ReportedState::Offline, String::new(), now.wall),
            ChargerEvent::Status { connector, status, detail, at } => {
                let parts = [detail.error.as_str(), detail.info.as_str()];
                let error = parts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("; ");
                // The charger as a whole has one line: its link. Faults of it are shown there, too.
                if connector.is_none() && error.is_empty() {
                    return;
                }
                (*connector, ReportedState::Status(*status), error, *at)
            }
            ChargerEvent::Booted(_)
            | ChargerEvent::CardTapped { .. }
            | ChargerEvent::SessionStarted { .. }
            | ChargerEvent::SessionStopped { .. }
            | ChargerEvent::Measured { .. }
            | ChargerEvent::LimitAnswered { .. } => return,
        };
        if !self.parts.approved.contains(charger) && !self.parts.devices.is_approved(charger.as_str()) {
            return;
        }
        let newest = (state, error.clone());
        if self.timeline.get(&(charger.clone(), connector)) != Some(&newest) {
            self.timeline.insert((charger.clone(), connector), newest);
            let change = StatusChange { charger: charger.clone(), connector, at, state, error };
            turn.records.push(Record::StatusChange(change));
        }
    }
}

fn fact<T: serde::Serialize>(subject: String, name: &str, value: &T) -> Record {
    // Plain values of our own: they can always be written.
    let value = serde_json::to_string(value).ok();
    Record::Fact(Fact { subject, name: name.to_owned(), value })
}

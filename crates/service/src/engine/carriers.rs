//! Towards the carriers: the same wish in the words of each.

use super::turn::{Raise, Turn};
use super::{Engine, Removed, Socket, Work};
use crate::mqtt::{Kind, ToBroker};
use crate::ocpp_socket::ToSocket;
use central_system::{Command, StationConfig, Version};
use domain::{CardVerdict, ChargerId, ConnectorNumber, MilliAmps, Now, ReplyKey, SessionId};
use tokio::sync::mpsc;

/// Unknown chargers that may wait for approval at once; a scan of the port must not fill the list.
const WAITING_MAX: usize = 64;

impl Engine {
    pub(super) fn opened(
        &mut self,
        now: Now,
        charger: ChargerId,
        version: Version,
        generation: u64,
        sender: mpsc::Sender<ToSocket>,
    ) {
        // New firmware may speak another version; what was said in the old one is over.
        if self.parts.stations.get(&charger).is_some_and(|station| station.version() != version) {
            self.parts.stations.remove(&charger);
        }
        if !self.parts.stations.contains_key(&charger) {
            if self.waiting() >= WAITING_MAX {
                tell(&sender, "Too many unknown chargers wait; approve or remove some in the console");
                return;
            }
            let approved = self.parts.approved.contains(&charger);
            let config = StationConfig { approved, ..StationConfig::new(charger.clone()) };
            let mut station = version.machine(config);
            drop(station.handle(now, central_system::Input::SetCards(std::sync::Arc::clone(&self.cards))));
            self.parts.stations.insert(charger.clone(), station);
        }
        if self.sockets.get(&charger).is_some_and(|socket| socket.generation > generation) {
            return tell(&sender, "A newer connection of this charger took its place");
        }
        if let Some(old) = self.sockets.insert(charger.clone(), Socket { generation, sender }) {
            tell(&old.sender, "A newer connection of this charger took its place");
        }
        self.leaving.remove(&charger);
        self.turn(now, Turn::of([Work::Station(charger, central_system::Input::Opened { generation })]));
    }

    pub(super) fn frame(&mut self, now: Now, charger: ChargerId, generation: u64, text: String) {
        self.parts.metrics.ocpp_received();
        if self.heard_leaving(now, &charger, generation, &text) {
            return;
        }
        if self.sockets.get(&charger).is_some_and(|socket| socket.generation == generation) {
            self.turn(now, Turn::of([Work::StationFrame { charger, generation, text }]));
        }
    }

    pub(super) fn closed(&mut self, now: Now, charger: ChargerId, generation: u64) {
        if self.sockets.get(&charger).is_some_and(|socket| socket.generation == generation) {
            self.sockets.remove(&charger);
            self.leaving.remove(&charger);
        }
        // When the program ends every charger goes; that is no fault of theirs.
        if !*self.parts.drain.borrow() {
            self.turn(now, Turn::of([Work::Station(charger, central_system::Input::Closed { generation })]));
        }
    }

    fn waiting(&self) -> usize {
        self.parts
            .control
            .snapshot(self.parts.clock.now())
            .chargers
            .iter()
            .filter(|state| !state.charger.approved)
            .count()
    }

    pub(super) fn close(&mut self, charger: &ChargerId, reason: &str) {
        tracing::warn!(%charger, reason, "the charger's connection is closed");
        if let Some(socket) = self.sockets.get(charger) {
            tell(&socket.sender, reason);
        }
    }

    fn is_ocpp(&self, charger: &ChargerId) -> bool {
        self.parts.stations.contains_key(charger)
    }

    pub(super) fn set_limit(&mut self, _now: Now, turn: &mut Turn, raise: &Raise) {
        let Raise { charger, connector, limit, .. } = raise;
        if self.is_foreign(charger) {
            return;
        }
        turn.push(if self.is_ocpp(charger) {
            Work::Station(charger.clone(), central_system::Input::SetLimit { connector: *connector, limit: *limit })
        } else {
            Work::Mesh(mesh::Input::SetLimit { charger: charger.clone(), connector: *connector, limit: *limit })
        });
    }

    pub(super) fn set_fallback(&self, turn: &mut Turn, charger: ChargerId, limit: MilliAmps) {
        if self.is_foreign(&charger) {
            return;
        }
        turn.push(if self.is_ocpp(&charger) {
            Work::Station(charger, central_system::Input::SetFallback(limit))
        } else {
            Work::Mesh(mesh::Input::SetFallback { charger, limit })
        });
    }

    pub(super) fn approved(&mut self, turn: &mut Turn, charger: ChargerId, approved: bool) {
        if self.is_foreign(&charger) {
            return;
        }
        turn.push(if self.is_ocpp(&charger) {
            if approved {
                self.parts.approved.insert(charger.clone());
            } else {
                self.parts.approved.remove(&charger);
            }
            Work::Station(charger, central_system::Input::SetApproved(approved))
        } else {
            self.parts.devices.set(charger.as_str(), Kind::Charger, approved);
            Work::Mesh(mesh::Input::SetApproved { charger, approved })
        });
    }

    pub(super) fn card_answer(&self, turn: &mut Turn, charger: ChargerId, reply: ReplyKey, verdict: CardVerdict) {
        turn.push(if self.is_ocpp(&charger) {
            Work::Station(charger, central_system::Input::CardAnswer { reply, verdict })
        } else {
            Work::Mesh(mesh::Input::CardAnswer { charger, reply, verdict })
        });
    }

    pub(super) fn start_answer(
        &self,
        turn: &mut Turn,
        charger: ChargerId,
        reply: ReplyKey,
        session: SessionId,
        verdict: CardVerdict,
    ) {
        turn.push(if self.is_ocpp(&charger) {
            Work::Station(charger, central_system::Input::StartAnswer { reply, session, verdict })
        } else {
            Work::Mesh(mesh::Input::StartAnswer { charger, reply, session, verdict })
        });
    }

    pub(super) fn stop_answer(
        &self,
        turn: &mut Turn,
        charger: ChargerId,
        reply: ReplyKey,
        verdict: Option<CardVerdict>,
    ) {
        turn.push(if self.is_ocpp(&charger) {
            Work::Station(charger, central_system::Input::StopAnswer { reply, verdict })
        } else {
            Work::Mesh(mesh::Input::StopAnswer { charger, reply, verdict })
        });
    }

    pub(super) fn end_session(
        &mut self,
        turn: &mut Turn,
        charger: ChargerId,
        connector: ConnectorNumber,
        session: SessionId,
    ) {
        if self.is_foreign(&charger) {
            return;
        }
        let asked = turn.stop_command.take();
        turn.push(match (self.is_ocpp(&charger), asked) {
            (true, asked) => {
                let id = asked.unwrap_or_else(|| self.parts.commands.silent());
                Work::Station(charger, central_system::Input::Command { id, command: Command::RemoteStop { session } })
            }
            (false, Some(id)) => {
                Work::Mesh(mesh::Input::Command { id, charger, command: mesh::Command::Stop { session } })
            }
            (false, None) => Work::Mesh(mesh::Input::EndSession { charger, connector, session }),
        });
    }

    /// MQTT chargers ask for every card, so only OCPP chargers remember any.
    pub(super) fn clear_cache(&self, turn: &mut Turn, charger: ChargerId) {
        if self.is_ocpp(&charger) {
            let id = self.parts.commands.silent();
            turn.push(Work::Station(charger, central_system::Input::Command { id, command: Command::ClearCache }));
        }
    }

    /// An MQTT charger told what it is; the manager's own settings of an approved one stay.
    pub(super) fn described(&self, now: Now, turn: &mut Turn, id: &ChargerId, connectors: u16, max: Option<MilliAmps>) {
        let live = self.parts.control.snapshot(now);
        let Some(state) = live.chargers.iter().find(|state| state.charger.id == *id) else { return };
        let mut charger = state.charger.clone();
        charger.connectors = connectors;
        if let Some(max) = max.filter(|_| !charger.approved) {
            charger.max = max;
        }
        if charger != state.charger {
            turn.push(Work::Control(control::Input::Order(control::Order::SetCharger(charger))));
        }
    }

    pub(super) fn forget(&mut self, now: Now, removed: &Removed) {
        let device = match removed {
            Removed::Charger(charger) => {
                self.remove_foreign(now, charger.as_str());
                self.let_go(now, charger);
                self.parts.approved.remove(charger);
                self.setpoints.retain(|(known, _), _| known != charger);
                self.turn(now, Turn::of([Work::Mesh(mesh::Input::RemoveCharger(charger.clone()))]));
                charger.as_str()
            }
            Removed::Meter(meter) => {
                self.remove_foreign(now, meter.as_str());
                self.turn(now, Turn::of([Work::Mesh(mesh::Input::RemoveMeter(meter.clone()))]));
                meter.as_str()
            }
        };
        self.parts.devices.remove(device);
        self.broker(ToBroker::SendAway(device.to_owned()));
    }
}

fn tell(sender: &mpsc::Sender<ToSocket>, reason: &str) {
    if sender.try_send(ToSocket::Close(reason.to_owned())).is_err() {
        tracing::debug!("the socket ended first");
    }
}

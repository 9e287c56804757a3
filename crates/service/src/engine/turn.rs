//! One turn: from something that happened to everything that follows from it.

use super::pending::Pending;
use super::{Engine, OrderRefused, Removed};
use crate::convert::reason_item;
use crate::journal::Batch;
use crate::mqtt::{Kind, ToBroker};
use crate::ocpp_socket::ToSocket;
use broker::Receipt;
use bytes::Bytes;
use control::{Change, Made, Order, OrderDone, Output};
use domain::{
    ChargerEvent, ChargerId, ConnectorNumber, Decision, Direction, Frame, MeterEvent, MeterId, MilliAmps, Now,
    Protocol, Record,
};
use std::collections::VecDeque;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::oneshot;

/// Machines that answer each other for ever would stop the building; real turns take a few dozen steps.
const STEPS_MAX: usize = 20_000;

/// Frames kept of a charger that waits for approval; it may send as many as it likes.
const STRANGER_FRAMES_MAX: u32 = 500;

/// A machine to ask.
pub(crate) enum Work {
    /// The decider.
    Control(control::Input),
    /// A station.
    Station(ChargerId, central_system::Input<'static>),
    /// A text for a station.
    StationFrame { charger: ChargerId, generation: u64, text: String },
    /// The mesh.
    Mesh(mesh::Input<'static>),
    /// A proven device connected.
    MqttConnected(String),
    /// A connection of a proven device ended.
    MqttDisconnected(String),
    /// A message for the mesh.
    MqttMessage { device: String, trust: mesh::Trust, topic: String, payload: Bytes },
}

impl Work {
    pub(crate) const fn station_tick(charger: ChargerId) -> Self {
        Self::Station(charger, central_system::Input::Tick)
    }
}

/// What gathers during a turn.
#[derive(Default)]
pub(crate) struct Turn {
    queue: VecDeque<Work>,
    pub(super) records: Vec<Record>,
    /// Texts that wait for the records, with what they wait for.
    pub(super) texts: Vec<(ChargerId, u64, String, Wait)>,
    /// Publications that wait for the records to be durable.
    pub(super) publications: Vec<(String, Vec<u8>)>,
    pub(super) raises: Vec<Raise>,
    pub(super) receipt: Option<oneshot::Sender<Receipt>>,
    /// Whether the live state must be published before anybody is answered.
    shown: bool,
    /// Whether a card was enrolled, blocked or removed in it.
    cards_changed: bool,
    /// Whether a session began or ended in it.
    pub(super) transaction: bool,
    pub(super) order: Option<oneshot::Sender<Result<Made, OrderRefused>>>,
    pub(super) done: Option<OrderDone>,
    pub(super) removed: Option<Removed>,
    /// Number of the command that asked for a session's end.
    pub(super) stop_command: Option<u64>,
}

/// What a text waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// The records must be durable.
    Durable,
    /// The records must have been tried.
    Recorded,
}

/// More current for a connector, held until the records of its turn are kept or known to be delayed.
pub(crate) struct Raise {
    pub(super) charger: ChargerId,
    pub(super) connector: ConnectorNumber,
    pub(super) limit: MilliAmps,
    /// Number of the setpoint; a newer one makes this one void.
    pub(super) number: u64,
}

impl Turn {
    pub(crate) fn of(work: impl IntoIterator<Item = Work>) -> Self {
        Self { queue: work.into_iter().collect(), ..Self::default() }
    }

    pub(super) fn push(&mut self, work: Work) {
        self.queue.push_back(work);
    }
}

impl Engine {
    /// Asks machines until none has anything left to say, then hands the records over.
    pub(super) fn turn(&mut self, now: Now, mut turn: Turn) {
        let mut steps = 0;
        while let Some(work) = turn.queue.pop_front() {
            self.step(now, &mut turn, work);
            steps += 1;
            if steps > STEPS_MAX {
                tracing::error!("a turn did not end; the rest of it is dropped, please report this");
                break;
            }
        }
        self.finish(now, turn);
    }

    /// As [`Self::turn`], for an order whose refusal must be known at once.
    pub(super) fn turn_with_refusal(&mut self, now: Now, mut turn: Turn) -> Option<control::OrderError> {
        while let Some(work) = turn.queue.pop_front() {
            self.step(now, &mut turn, work);
        }
        let refused = turn.done.as_ref().and_then(|done| done.as_ref().err().cloned());
        self.finish(now, turn);
        refused
    }

    /// Has control look at the whole site after what chargers reported.
    pub(super) fn settle(&mut self, now: Now) {
        let mut turn = Turn::default();
        for output in self.parts.control.settle(now) {
            self.control_output(now, &mut turn, output);
        }
        self.turn(now, turn);
    }

    fn step(&mut self, now: Now, turn: &mut Turn, work: Work) {
        match work {
            Work::Control(input) => {
                for output in self.parts.control.note(now, input) {
                    self.control_output(now, turn, output);
                }
            }
            Work::Station(charger, input) => self.ask_station(now, turn, &charger, input),
            Work::StationFrame { charger, generation, text } => {
                if self.is_kept(&charger) {
                    turn.records.push(frame(charger.as_str(), Direction::Received, now, "", text.clone()));
                }
                self.ask_station(now, turn, &charger, central_system::Input::Frame { generation, text: &text });
            }
            Work::Mesh(input) => self.ask_mesh(now, turn, input),
            Work::MqttConnected(client) if self.parts.foreign.contains(&client) => {
                let told = self.parts.foreign.link(&client, true);
                self.hear(now, turn, told);
            }
            Work::MqttDisconnected(client) if self.parts.foreign.contains(&client) => {
                let told = self.parts.foreign.link(&client, false);
                self.hear(now, turn, told);
            }
            Work::MqttMessage { device, trust: mesh::Trust::Proven, topic, payload }
                if self.parts.foreign.contains(&device) =>
            {
                let text = String::from_utf8_lossy(&payload);
                let told = self.parts.foreign.take(now, &device, &topic, &text);
                self.hear(now, turn, told);
            }
            Work::MqttConnected(client) => self.ask_mesh(now, turn, mesh::Input::Connected { client: &client }),
            Work::MqttDisconnected(client) => self.ask_mesh(now, turn, mesh::Input::Disconnected { client: &client }),
            Work::MqttMessage { device, trust, topic, payload } => {
                // Strangers can send as much as they like; only known devices fill the log.
                if trust == mesh::Trust::Proven {
                    let text = String::from_utf8_lossy(&payload).into_owned();
                    turn.records.push(frame(&device, Direction::Received, now, &topic, text));
                }
                let input = mesh::Input::Message { client: &device, trust, topic: &topic, payload: &payload };
                self.ask_mesh(now, turn, input);
            }
        }
    }

    fn ask_station(&mut self, now: Now, turn: &mut Turn, charger: &ChargerId, input: central_system::Input<'_>) {
        let Some(station) = self.parts.stations.get_mut(charger) else { return };
        let protocol = station.version().protocol();
        for output in station.handle(now, input) {
            match output {
                central_system::Output::Send { text, gate } => self.send(now, turn, charger, text, gate),
                central_system::Output::Event(event) => {
                    self.station_event(now, turn, charger, &event);
                    turn.charger(charger.clone(), protocol, event);
                }
                central_system::Output::CommandDone { id, outcome, answer } => {
                    self.command_done(id, super::commands::station_outcome(outcome), &answer);
                }
                central_system::Output::Remember(memory) => self.remember(turn, charger, &memory),
                central_system::Output::CertificateWanted(request) => self.issue(charger, request),
                central_system::Output::Close { reason } => self.close(charger, &reason),
                central_system::Output::Notice(text) => tracing::info!(%charger, "{text}"),
            }
        }
    }

    /// Frames of chargers that were let in are kept; of a stranger only the first ones, enough to see what it is.
    fn is_kept(&mut self, charger: &ChargerId) -> bool {
        if self.parts.approved.contains(charger) {
            return true;
        }
        let kept = self.strangers.entry(charger.clone()).or_insert(0);
        *kept = kept.saturating_add(1);
        *kept <= STRANGER_FRAMES_MAX
    }

    fn send(&mut self, now: Now, turn: &mut Turn, charger: &ChargerId, text: String, gate: central_system::Gate) {
        let Some(socket) = self.sockets.get(charger) else {
            return tracing::debug!(%charger, "nobody to send to");
        };
        let generation = socket.generation;
        if self.is_kept(charger) {
            turn.records.push(frame(charger.as_str(), Direction::Sent, now, "", text.clone()));
        }
        match gate {
            // A limit for a session means nothing to a charger that has not heard of the session's number yet.
            central_system::Gate::Now if self.owes_answer(turn, charger) => {
                turn.texts.push((charger.clone(), generation, text, Wait::Recorded));
            }
            central_system::Gate::Now => self.deliver(charger, generation, text),
            central_system::Gate::Recorded => {
                turn.texts.push((charger.clone(), generation, text, Wait::Recorded));
            }
            central_system::Gate::Durable => turn.texts.push((charger.clone(), generation, text, Wait::Durable)),
        }
    }

    /// Whether the answer to a start or end of a session still waits for its records.
    fn owes_answer(&self, turn: &Turn, charger: &ChargerId) -> bool {
        let waiting = self.pending.iter().flat_map(|pending| &pending.texts).chain(&turn.texts);
        waiting.into_iter().any(|(to, _, _, wait)| *wait == Wait::Durable && to == charger)
    }

    fn ask_mesh(&mut self, now: Now, turn: &mut Turn, input: mesh::Input<'_>) {
        for output in self.parts.mesh.handle(now, input) {
            match output {
                mesh::Output::Publish { topic, payload, gate } => {
                    let text = String::from_utf8_lossy(&payload).into_owned();
                    turn.records.push(frame(&topic, Direction::Sent, now, &topic, text));
                    match gate {
                        mesh::Gate::Now => self.broker(ToBroker::Publish { topic, payload }),
                        mesh::Gate::Durable => turn.publications.push((topic, payload)),
                    }
                }
                mesh::Output::Charger { id, event } => {
                    self.noted(now, turn, &id, &event);
                    turn.charger(id, Protocol::Ievcc, event);
                }
                mesh::Output::Meter { id, event } => turn.meter(id, event),
                mesh::Output::ChargerDescribed { id, connectors, max, meter: _ } => {
                    self.described(now, turn, &id, connectors, max);
                }
                mesh::Output::ChargerLeft(id) => {
                    turn.removed = Some(Removed::Charger(id.clone()));
                    turn.push(Work::Control(control::Input::Order(Order::RemoveCharger(id))));
                }
                mesh::Output::MeterLeft(id) => {
                    turn.removed = Some(Removed::Meter(id.clone()));
                    turn.push(Work::Control(control::Input::Order(Order::RemoveMeter(id))));
                }
                mesh::Output::Notice(text) => tracing::info!("{text}"),
                mesh::Output::CommandDone { id, outcome, answer } => {
                    self.command_done(id, super::commands::mesh_outcome(outcome), &answer);
                }
            }
        }
    }

    fn control_output(&mut self, now: Now, turn: &mut Turn, output: Output) {
        match output {
            Output::Setpoint { charger, connector, limit, change } => {
                let number = self.setpoints.entry((charger.clone(), connector)).or_insert(0);
                *number += 1;
                let raise = Raise { charger, connector, limit, number: *number };
                match change {
                    Change::Cut | Change::Renew => self.set_limit(now, turn, &raise),
                    Change::Raise => turn.raises.push(raise),
                }
            }
            Output::Fallback { charger, limit } => self.set_fallback(turn, charger, limit),
            Output::Approved { charger, approved } => self.approved(turn, charger, approved),
            // It was set up as it is, and the mesh does not know it.
            Output::MeterApproved { meter, .. } if self.parts.foreign.contains(meter.as_str()) => {}
            Output::MeterApproved { meter, approved } => {
                self.parts.devices.set(meter.as_str(), Kind::Meter, approved);
                turn.push(Work::Mesh(mesh::Input::MeterApproved { meter, approved }));
            }
            Output::CardAnswer { charger, reply, verdict } => self.card_answer(turn, charger, reply, verdict),
            Output::StartAnswer { charger, reply, session, verdict } => {
                self.start_answer(turn, charger, reply, session, verdict);
            }
            Output::StopAnswer { charger, reply, verdict } => self.stop_answer(turn, charger, reply, verdict),
            Output::EndSession { charger, connector, session } => self.end_session(turn, charger, connector, session),
            Output::ClearCache { charger } => self.clear_cache(turn, charger),
            Output::Save(record) => {
                if let Record::Charger(charger) = &record
                    && self.parts.stations.contains_key(&charger.id)
                {
                    let wires = u8::try_from(charger.wiring.wires().len()).unwrap_or(3);
                    turn.push(Work::Station(charger.id.clone(), central_system::Input::SetWiring(wires)));
                }
                // Whoever was acknowledged looks for itself at once.
                turn.shown |= matches!(record, Record::Charger(_) | Record::Meter(_));
                turn.cards_changed |= matches!(
                    record,
                    Record::Card(_) | Record::CardRemoved(_) | Record::Tenant(_) | Record::TenantErased(..)
                );
                turn.records.push(record);
            }
            Output::Decided { charger, connector, at, limit, reason, known } => {
                let names = self.parts.live.borrow().circuit_names();
                let item = reason_item(&reason, limit, |id| names.get(id).cloned().unwrap_or_else(|| id.to_string()));
                let sentence = item.sentence(api::Language::English);
                turn.records.push(Record::Decision(Decision {
                    charger,
                    connector,
                    at,
                    limit,
                    sentence,
                    reason: serde_json::to_string(&item).ok(),
                    known: Some(*known),
                }));
            }
            Output::Done(done) => turn.done = Some(done),
        }
    }

    fn finish(&mut self, now: Now, turn: Turn) {
        let cards_changed = turn.cards_changed;
        self.keep(now, turn);
        if cards_changed {
            self.tell_cards(now);
        }
    }

    fn keep(&mut self, now: Now, turn: Turn) {
        if let (Some(removed), Some(Ok(_))) = (&turn.removed, &turn.done) {
            self.forget(now, removed);
        }
        if turn.shown {
            self.publish(now);
        }
        let mut pending = Pending::of(now, turn);
        if pending.records.is_empty() {
            return self.release(now, pending, true);
        }
        self.last_batch += 1;
        pending.number = self.last_batch;
        let batch = Batch { number: self.last_batch, records: std::mem::take(&mut pending.records) };
        if self.parts.batches.try_send(batch).is_err() {
            // The journal empties its queue even while the disk hangs, so this means it died.
            tracing::error!("records are lost because the journal takes none; restart Meshwatt and report this");
            return self.release(now, pending, false);
        }
        self.pending.push_back(pending);
    }

    pub(super) fn deliver(&mut self, charger: &ChargerId, generation: u64, text: String) {
        let Some(socket) = self.sockets.get(charger).filter(|socket| socket.generation == generation) else { return };
        self.parts.metrics.ocpp_sent();
        match socket.sender.try_send(ToSocket::Text(text)) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                tracing::warn!(%charger, "the charger does not read what it is sent; its connection is closed");
                self.sockets.remove(charger);
            }
            // Its socket says so in a moment.
            Err(TrySendError::Closed(_)) => tracing::debug!(%charger, "the charger left before its answer"),
        }
    }

    pub(super) fn broker(&self, message: ToBroker) {
        if self.parts.broker.try_send(message).is_err() && !*self.parts.drain.borrow() {
            tracing::warn!("the MQTT broker takes no messages now; devices get the next one");
        }
    }
}

impl Turn {
    fn charger(&mut self, id: ChargerId, protocol: Protocol, event: ChargerEvent) {
        if matches!(event, ChargerEvent::SessionStarted { .. } | ChargerEvent::SessionStopped { .. }) {
            self.transaction = true;
        }
        self.push(Work::Control(control::Input::Charger { id, protocol, event }));
    }

    fn meter(&mut self, id: MeterId, event: MeterEvent) {
        self.push(Work::Control(control::Input::Meter { id, event }));
    }
}

fn frame(device: &str, direction: Direction, now: Now, topic: &str, text: String) -> Record {
    let text = crate::redact::frame(text);
    Record::Frame(Frame { device: device.to_owned(), direction, at: now.wall, topic: topic.to_owned(), text })
}

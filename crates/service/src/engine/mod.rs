//! The one task that owns every decider: control, a station per OCPP charger, and the mesh.
//!
//! Everything that can happen arrives as a [`Happened`]. Handling one is a turn: machines are asked until
//! none has anything left to say; reductions leave at once; the records of the turn go to the journal
//! together; answers leave when the journal has said what became of the records.

mod carriers;
mod chargers;
mod commands;
mod foreign;
mod leaving;
mod live;
mod outcome;
mod pending;
mod turn;

use crate::connections::Connections;
use crate::journal::{Batch, Fate};
use crate::mqtt::{Devices, ToBroker};
use crate::ocpp_socket::ToSocket;
use broker::Receipt;
use bytes::Bytes;
use control::{Control, Made, Order, StorageState};
use domain::{ChargerId, Clock, ConnectorNumber, DurationMs, MeterId, Now, Outlook, Timestamp, UtcOffset};
use mesh::Mesh;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

pub(crate) use self::chargers::{Kept, Look};
pub(crate) use self::commands::{ChargerCommand, CommandRefused, Commands};
pub(crate) use self::foreign::Foreign;
pub(crate) use self::live::Live;
pub(crate) use self::outcome::OrderRefused;
pub(crate) use self::turn::Work;

/// Messages waiting for the engine. Sockets wait when it is full, so a flood slows the flooder down.
pub(crate) const INBOX_MAX: usize = 4096;

/// Fates waiting for the engine; each stands for a whole commit.
pub(crate) const FATES_MAX: usize = 64;

/// What waits already is handled together, so that timers are not set and taken back for each message; a tick or a fate
/// waits for no more than so many.
const TOGETHER: usize = 16;

/// Time between two live snapshots: four a second are smooth for people.
const LIVE_EVERY: Duration = Duration::from_millis(250);

/// Looking at the whole site takes at most one part in this many of the time, however many chargers report.
const SETTLE_PARTS: u32 = 4;

/// A cut waits no longer than this for that.
const SETTLE_WAIT_MAX: Duration = Duration::from_millis(100);

/// Everything that can happen.
pub(crate) enum Happened {
    /// A charger opened a socket.
    OcppOpened {
        /// As it named itself.
        charger: ChargerId,
        /// What it speaks.
        version: central_system::Version,
        /// Number of the socket.
        generation: u64,
        /// Where texts for it go.
        sender: mpsc::Sender<ToSocket>,
    },
    /// A charger sent a text.
    OcppFrame {
        /// As it named itself.
        charger: ChargerId,
        /// Number of the socket.
        generation: u64,
        /// The text.
        text: String,
    },
    /// A socket closed.
    OcppClosed {
        /// As it named itself.
        charger: ChargerId,
        /// Number of the socket.
        generation: u64,
    },
    /// A proven MQTT device connected.
    MqttConnected(String),
    /// A connection of a proven MQTT device ended.
    MqttDisconnected(String),
    /// An MQTT device published.
    MqttMessage {
        /// Who.
        device: String,
        /// How far that is known.
        trust: mesh::Trust,
        /// Where.
        topic: String,
        /// What.
        payload: Bytes,
        /// To be answered before the device gets its acknowledgement.
        receipt: oneshot::Sender<Receipt>,
    },
    /// The broker's router was rebuilt.
    BrokerRestarted,
    /// The price feed spoke.
    Outlook(Option<Outlook>),
    /// What the building drew before this run was read.
    PastLoads(Vec<(Timestamp, domain::PerPhase<domain::MilliAmps>)>),
    /// The manager ordered something.
    Order {
        /// What.
        order: Order,
        /// Where the result goes.
        reply: oneshot::Sender<Result<Made, OrderRefused>>,
    },
    /// A charger's certificate was issued.
    CertificateIssued {
        /// For which.
        charger: ChargerId,
        /// The certificate, PEM.
        pem: String,
    },
    /// Somebody looks at the meters of other makers, or sets one up.
    Foreign(Foreign),
    /// A meter that was asked over HTTP answered, or why not.
    ForeignAnswer {
        /// Which.
        id: String,
        /// Its answer, or a sentence for a person.
        answer: Result<String, String>,
    },
    /// Somebody looks at a charger.
    Look(Look),
    /// The manager commands a charger.
    Command {
        /// Which.
        charger: ChargerId,
        /// What.
        command: ChargerCommand,
        /// Where the number of the command goes.
        reply: oneshot::Sender<Result<u64, CommandRefused>>,
    },
}

/// What the engine is given.
pub(crate) struct Parts {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) control: Control,
    pub(crate) mesh: Mesh,
    /// Chargers known from before, with their sessions.
    pub(crate) stations: BTreeMap<ChargerId, Box<dyn central_system::ChargerMachine>>,
    /// OCPP chargers the manager let in.
    pub(crate) approved: BTreeSet<ChargerId>,
    pub(crate) batches: mpsc::Sender<Batch>,
    pub(crate) broker: mpsc::Sender<ToBroker>,
    pub(crate) devices: Devices,
    /// Meters of other makers.
    pub(crate) foreign: crate::foreign::ForeignMeters,
    /// Tells which of them are asked.
    pub(crate) polled: watch::Sender<Arc<Vec<crate::foreign::Source>>>,
    pub(crate) connections: Connections,
    pub(crate) commands: Commands,
    pub(crate) outcomes: broadcast::Sender<api::CommandState>,
    pub(crate) live: watch::Sender<Arc<Live>>,
    pub(crate) metrics: Arc<crate::http::Metrics>,
    /// Signs what chargers ask for.
    /// Which proof chargers have brought.
    pub(crate) access: crate::access::Access,
    pub(crate) certificates: crate::tls::Certificates,
    /// For tasks that answer later.
    pub(crate) inbox: mpsc::WeakSender<Happened>,
    /// What is kept of chargers and their models.
    pub(crate) kept: Kept,
    pub(crate) demo: bool,
    pub(crate) drain: watch::Receiver<bool>,
}

/// The engine.
pub(crate) struct Engine {
    parts: Parts,
    sockets: BTreeMap<ChargerId, Socket>,
    /// Grows with every setpoint of a connector; a held raise that is no longer the newest is dropped.
    setpoints: BTreeMap<(ChargerId, ConnectorNumber), u64>,
    /// Removed chargers that have not heard their last orders yet.
    leaving: BTreeMap<ChargerId, leaving::Leaving>,
    pending: VecDeque<pending::Pending>,
    /// Frames kept of each OCPP charger that waits for approval.
    strangers: BTreeMap<ChargerId, u32>,
    last_batch: u64,
    storage: StorageState,
    revision: u64,
    changed: bool,
    /// What control was told of the site's clock.
    offset: Option<UtcOffset>,
    /// The cards that may charge.
    cards: Arc<central_system::CardList>,
    /// The newest state of each part of each charger on its timeline.
    timeline: BTreeMap<(ChargerId, Option<ConnectorNumber>), (domain::ReportedState, String)>,
    /// The month the decider was told, with the zone it was found in.
    month: Option<(String, Timestamp, Timestamp)>,
}

/// A charger's newest socket.
struct Socket {
    generation: u64,
    sender: mpsc::Sender<ToSocket>,
}

/// Runs until every sender of the inbox is gone.
pub(crate) async fn run(parts: Parts, mut inbox: mpsc::Receiver<Happened>, mut fates: mpsc::Receiver<Fate>) {
    let clock = Arc::clone(&parts.clock);
    let mut engine = Engine {
        parts,
        sockets: BTreeMap::new(),
        setpoints: BTreeMap::new(),
        leaving: BTreeMap::new(),
        pending: VecDeque::new(),
        strangers: BTreeMap::new(),
        last_batch: 0,
        storage: StorageState::Healthy,
        revision: 0,
        changed: true,
        offset: None,
        cards: Arc::default(),
        timeline: BTreeMap::new(),
        month: None,
    };
    engine.tell_cards(clock.now());
    engine.tick(clock.now());
    let mut live_at = tokio::time::Instant::now();
    let mut tick_at = live_at + clock.real(DurationMs::from_secs(1));
    let mut settle_at = live_at;
    loop {
        tokio::select! {
            biased;
            fate = fates.recv() => match fate {
                Some(fate) => engine.fate(clock.now(), fate),
                None => break,
            },
            () = tokio::time::sleep_until(tick_at) => {
                engine.tick(clock.now());
                // From now, not from when it was due: a suspended computer does not catch up with a thousand ticks.
                tick_at = tokio::time::Instant::now() + clock.real(DurationMs::from_secs(1));
            },
            () = tokio::time::sleep_until(settle_at), if engine.parts.control.is_unsettled() => {
                let begun = std::time::Instant::now();
                engine.settle(clock.now());
                settle_at = tokio::time::Instant::now() + (begun.elapsed() * (SETTLE_PARTS - 1)).min(SETTLE_WAIT_MAX);
            },
            () = tokio::time::sleep_until(live_at), if engine.changed => {
                engine.publish(clock.now());
                live_at = tokio::time::Instant::now() + LIVE_EVERY;
            },
            happened = inbox.recv() => match happened {
                Some(happened) => {
                    engine.happened(clock.now(), happened);
                    for _more in 1..TOGETHER {
                        let Ok(happened) = inbox.try_recv() else { break };
                        engine.happened(clock.now(), happened);
                    }
                }
                None => break,
            },
        }
        if inbox.is_empty() {
            clock.reached(engine.reached(clock.now()));
        }
    }
    tracing::debug!("the engine ended");
}

impl Engine {
    fn tick(&mut self, now: Now) {
        self.changed = true;
        let mut work: Vec<Work> = self.parts.stations.keys().cloned().map(Work::station_tick).collect();
        work.push(Work::Mesh(mesh::Input::Tick));
        if let Some(offset) = self.local_time(now) {
            work.push(Work::Control(control::Input::UtcOffset(offset)));
        }
        work.extend(self.new_month(now).map(Work::Control));
        work.push(Work::Control(control::Input::Tick));
        self.turn(now, turn::Turn::of(work));
        self.tick_foreign(now);
        self.tick_leaving(now);
    }

    /// The offset of the site's clock when it changed: daylight saving, or a new time zone.
    fn local_time(&mut self, now: Now) -> Option<UtcOffset> {
        let zone = self.parts.live.borrow().state.site.time_zone.clone();
        let zone = jiff::tz::TimeZone::get(&zone).ok()?;
        let at = jiff::Timestamp::from_millisecond(now.wall.0).ok()?;
        let offset = UtcOffset(zone.to_offset(at).seconds());
        (self.offset.replace(offset) != Some(offset)).then_some(offset)
    }

    /// Tells the decider which month of the building runs, when that changed.
    fn new_month(&mut self, now: Now) -> Option<control::Input> {
        let zone = self.parts.control.time_zone();
        let same = self
            .month
            .as_ref()
            .is_some_and(|(known, starts, ends)| known == zone && (starts.0..ends.0).contains(&now.wall.0));
        if same {
            return None;
        }
        let (starts, ends) = crate::month::month_of(zone, now.wall)?;
        self.month = Some((zone.to_owned(), starts, ends));
        Some(control::Input::Month { starts, ends })
    }

    fn happened(&mut self, now: Now, happened: Happened) {
        self.changed = true;
        match happened {
            Happened::OcppOpened { charger, version, generation, sender } => {
                self.opened(now, charger, version, generation, sender);
            }
            Happened::OcppFrame { charger, generation, text } => self.frame(now, charger, generation, text),
            Happened::OcppClosed { charger, generation } => self.closed(now, charger, generation),
            Happened::MqttConnected(client) => {
                self.turn(now, turn::Turn::of([Work::MqttConnected(client)]));
            }
            Happened::MqttDisconnected(client) => {
                if !*self.parts.drain.borrow() {
                    self.turn(now, turn::Turn::of([Work::MqttDisconnected(client)]));
                }
            }
            Happened::MqttMessage { device, trust, topic, payload, receipt } => {
                self.parts.metrics.mqtt_message();
                let mut turn = turn::Turn::of([Work::MqttMessage { device, trust, topic, payload }]);
                turn.receipt = Some(receipt);
                self.turn(now, turn);
            }
            Happened::BrokerRestarted => {
                self.turn(now, turn::Turn::of([Work::Control(control::Input::BrokerRestarted)]));
            }
            Happened::Outlook(outlook) => {
                self.turn(now, turn::Turn::of([Work::Control(control::Input::Outlook(outlook))]));
            }
            Happened::PastLoads(past) => {
                // Habits of the building are by its own clock.
                let offset = self.local_time(now).map(control::Input::UtcOffset);
                let inputs = offset.into_iter().chain([control::Input::PastLoads(past)]);
                self.turn(now, turn::Turn::of(inputs.map(Work::Control)));
            }
            Happened::Order { order, reply } => self.order(now, order, reply),
            Happened::Foreign(wish) => self.foreign(now, wish),
            Happened::ForeignAnswer { id, answer } => self.foreign_answer(now, &id, answer),
            Happened::Look(look) => self.look(now, look),
            Happened::CertificateIssued { charger, pem } => self.issued(now, charger, pem),
            Happened::Command { charger, command, reply } => self.command(now, &charger, command, reply),
        }
    }

    fn order(&mut self, now: Now, order: Order, reply: oneshot::Sender<Result<Made, OrderRefused>>) {
        let removed = match &order {
            Order::RemoveCharger(charger) => Some(Removed::Charger(charger.clone())),
            Order::RemoveMeter(meter) => Some(Removed::Meter(meter.clone())),
            Order::SetCharger(charger) => {
                let wires = u8::try_from(charger.wiring.wires().len()).unwrap_or(3);
                let work = Work::Station(charger.id.clone(), central_system::Input::SetWiring(wires));
                self.turn(now, turn::Turn::of([work]));
                None
            }
            Order::SetSite(site) => {
                let input = mesh::Input::SetMaxMeters(site.max_meters);
                self.turn(now, turn::Turn::of([Work::Mesh(input)]));
                None
            }
            Order::Rewire { chargers, .. } => {
                for charger in chargers {
                    let wires = u8::try_from(charger.wiring.wires().len()).unwrap_or(3);
                    let work = Work::Station(charger.id.clone(), central_system::Input::SetWiring(wires));
                    self.turn(now, turn::Turn::of([work]));
                }
                None
            }
            Order::SetCircuits(_)
            | Order::ApproveCharger(_)
            | Order::OrderChargers(_)
            | Order::ApproveMeter(_)
            | Order::SetMeter(_)
            | Order::Hold { .. }
            | Order::AddTenant(_)
            | Order::SetTenant(_)
            | Order::ImportTenants(_)
            | Order::EraseTenant(_)
            | Order::AddAlias { .. }
            | Order::CorrectSession { .. }
            | Order::DecideOrphan(_)
            | Order::AddCard { .. }
            | Order::SetCardStatus { .. }
            | Order::SetCardPolicy { .. }
            | Order::SetWish { .. }
            | Order::RemoveCard(_)
            | Order::Enrol { .. }
            | Order::CaptureCard(_)
            | Order::CancelEnrolment
            | Order::AssignCaptured { .. }
            | Order::EndSession { .. } => None,
        };
        let mut turn = turn::Turn::of([Work::Control(control::Input::Order(order))]);
        turn.order = Some(reply);
        turn.removed = removed;
        self.turn(now, turn);
        self.publish(now);
    }
}

/// What an order took away, for the carriers.
pub(crate) enum Removed {
    /// A charger.
    Charger(ChargerId),
    /// A meter.
    Meter(MeterId),
}

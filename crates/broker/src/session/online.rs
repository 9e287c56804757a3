//! One connection of a session, from the answer to the login to the end.

use std::ops::ControlFlow;

use tokio::time::{Duration, Instant, sleep_until};

use super::state::{Capacity, OUT_BYTES_HIGH};
use super::task::{Attach, Mail, SessionTask, expires_at, next_note};
use super::wire::Wire;
use crate::codec::{
    ConnAck, Connect, Disconnect, Fault, Frame, Packet, Properties, Property, Publish, Reason, Subscribe,
    SubscribeOption, Unsubscribe, Value, Will, kind, read_packet, write_ack, write_connack, write_disconnect,
    write_pingresp, write_suback, write_unsuback,
};
use crate::limits::Seat;
use crate::message::Message;
use crate::router::stopped;
use crate::topic::FilterError;
use crate::{Attempt, Authority, Connection, Origin, Protocol, QoS, Receipt};

/// How a connection ended, for the session.
pub(crate) enum Ended {
    /// A newer connection of the same client is there.
    TakenOver(Box<Attach>),
    /// The client is gone and may come back.
    Left,
    /// The session ends, too.
    Finished,
}

/// How a connection ended, with everything that follows from it.
pub(crate) struct Done {
    pub(crate) ended: Ended,
    pub(crate) reason: String,
    /// The will, when it has to be published.
    pub(crate) will: Option<Will>,
}

/// Why a connection is to end.
struct Close {
    ended: Ended,
    reason: String,
    /// What an MQTT 5 client is told; `None` when it left by itself.
    farewell: Option<Reason>,
    publishes_will: bool,
}

impl Close {
    /// The client did something wrong, or is not allowed to do it.
    fn fault(reason: Reason, text: impl Into<String>) -> Self {
        Self { ended: Ended::Left, reason: text.into(), farewell: Some(reason), publishes_will: true }
    }

    /// Not the client's doing: it reconnects, and its will stays unpublished.
    fn router_gone() -> Self {
        Self {
            ended: Ended::Left,
            reason: "the router was replaced".to_owned(),
            farewell: Some(Reason::ServerShuttingDown),
            publishes_will: false,
        }
    }
}

impl From<Fault> for Close {
    fn from(fault: Fault) -> Self {
        Self::fault(fault.reason, fault.text)
    }
}

type Step = Result<(), Close>;

/// One connection.
pub(super) struct Online<'s, A> {
    session: &'s mut SessionTask<A>,
    wire: Wire,
    connect: Connect,
    connection: Connection,
    capacity: Capacity,
    session_present: bool,
    has_assigned_id: bool,
    /// Taken as long as the connection lives.
    seat: Seat,
}

impl<'s, A: Authority> Online<'s, A> {
    pub(super) fn new(session: &'s mut SessionTask<A>, attach: Attach, session_present: bool) -> Self {
        let Attach { wire, connect, identity: _, connection, has_assigned_id, era: _, seat } = attach;
        let capacity = Capacity {
            protocol: connect.protocol,
            receive_maximum: connect.receive_maximum,
            packet_bytes_max: connect.packet_bytes_max,
        };
        Self { session, wire, connect, connection, capacity, session_present, has_assigned_id, seat }
    }

    pub(super) async fn serve(mut self) -> Done {
        self.welcome();
        let close = loop {
            if let Err(close) = self.step().await {
                break close;
            }
        };
        if let Some(reason) = close.farewell {
            write_disconnect(&mut self.wire.out, self.connect.protocol, reason, &close.reason);
        }
        // The wire is closed beside the session, so that a client that does not listen cannot hold up the next connection.
        let (mut wire, seat) = (self.wire, self.seat);
        let alive = self.session.context.alive.upgrade();
        tokio::spawn(async move {
            wire.last_words().await;
            drop(alive);
            wire.close().await;
            drop(seat);
        });
        let will = if close.publishes_will { self.connect.will } else { None };
        Done { ended: close.ended, reason: close.reason, will }
    }

    fn welcome(&mut self) {
        let mut properties = Properties::default();
        if self.connect.protocol == Protocol::V5 {
            properties = self.terms();
        }
        let connack = ConnAck { session_present: self.session_present, properties };
        write_connack(&mut self.wire.out, self.connect.protocol, &connack);
        self.session.state.resume(&mut self.wire.out, &self.capacity, Instant::now());
    }

    /// What an MQTT 5 client has to know about this broker.
    fn terms(&self) -> Properties {
        let config = &self.session.context.config;
        let packet_bytes_max = u32::try_from(config.packet_bytes_max).unwrap_or(u32::MAX);
        let mut terms = Properties::default()
            .with(Property::ReceiveMaximum, Value::Two(config.inflight_max))
            .with(Property::PacketSizeMaximum, Value::Four(packet_bytes_max))
            .with(Property::SharedSubscriptionAvailable, Value::One(0));
        if self.connect.keep_alive_s > config.keep_alive_s_max {
            terms = terms.with(Property::ServerKeepAlive, Value::Two(config.keep_alive_s_max));
        }
        let expiry_s = u32::try_from(self.session.expiry.as_secs()).unwrap_or(u32::MAX);
        if expiry_s != self.connect.session_expiry_s {
            terms = terms.with(Property::SessionExpiry, Value::Four(expiry_s));
        }
        if self.has_assigned_id {
            terms = terms.with(Property::AssignedClientId, Value::Text(self.connection.client_id.clone()));
        }
        terms
    }

    /// Handles one thing that happens.
    async fn step(&mut self) -> Step {
        if self.wire.out.len() < OUT_BYTES_HIGH
            && let Some(frame) = self.wire.frame()?
        {
            self.handle(frame).await?;
            // The client was waiting for us, not we for it.
            self.wire.heard_at = Instant::now();
        }
        self.session.state.pump(&mut self.wire.out, &self.capacity, Instant::now());
        self.wire.note_output(Instant::now());
        let may_read = self.wire.out.len() < OUT_BYTES_HIGH;
        let has_frame = may_read && self.wire.has_frame();
        let (silent_at, stalled_at) = (self.silent_at(), self.stalled_at());
        let session = &mut *self.session;
        tokio::select! {
            letter = session.mail.recv() => Err(match letter {
                Some(Mail::Attach(newer)) => Close {
                    ended: Ended::TakenOver(newer),
                    reason: "a newer connection of the same client took over".to_owned(),
                    farewell: Some(Reason::SessionTakenOver),
                    publishes_will: true,
                },
                Some(Mail::End) | None => Close {
                    ended: Ended::Finished,
                    reason: "ended by the building's management".to_owned(),
                    farewell: Some(Reason::AdministrativeAction),
                    publishes_will: false,
                },
            }),
            () = stopped(&mut session.stop) => Err(Close {
                ended: Ended::Finished,
                reason: "the broker stops".to_owned(),
                farewell: Some(Reason::ServerShuttingDown),
                publishes_will: false,
            }),
            moved = self.wire.transfer(may_read && !has_frame) => moved.map_err(|source| Close {
                ended: Ended::Left,
                reason: lost(&source),
                farewell: None,
                publishes_will: true,
            }),
            note = next_note(&mut session.link) => match session.take_note(note).await {
                ControlFlow::Continue(()) => Ok(()),
                ControlFlow::Break(()) => Err(Close::router_gone()),
            },
            () = std::future::ready(()), if has_frame => Ok(()),
            () = sleep_until(silent_at.unwrap_or(stalled_at)), if silent_at.is_some() =>
                Err(Close::fault(Reason::KeepAliveTimeout, "nothing was heard for one and a half times the keep-alive time")),
            () = sleep_until(stalled_at), if self.wire.has_to_write() =>
                Err(Close::fault(Reason::QuotaExceeded, "the client did not read what was sent to it")),
        }
    }

    /// What the client asked for; of an MQTT 5 client at most what we told it.
    fn keep_alive_s(&self) -> u16 {
        let asked = self.connect.keep_alive_s;
        match self.connect.protocol {
            Protocol::V5 => asked.min(self.session.context.config.keep_alive_s_max),
            Protocol::V311 => asked,
        }
    }

    fn silent_at(&self) -> Option<Instant> {
        let keep_alive = match self.keep_alive_s() {
            0 => return None,
            seconds => Duration::from_millis(u64::from(seconds) * 1_500),
        };
        Some(self.wire.heard_at + keep_alive)
    }

    fn stalled_at(&self) -> Instant {
        self.wire.taken_at + self.session.context.config.write_timeout
    }

    async fn handle(&mut self, frame: Frame) -> Step {
        let protocol = self.connect.protocol;
        let packet = read_packet(frame, protocol, self.session.context.config.topic_bytes_max)?;
        let Self { session, wire, .. } = self;
        match packet {
            Packet::Publish(publish) => self.publish(publish).await,
            Packet::PubAck { id } => Ok(session.state.acknowledged(id)?),
            Packet::PubRec { id, failed } => Ok(session.state.recorded(id, failed, &mut wire.out, protocol)?),
            Packet::PubComp { id } => {
                session.state.completed(id);
                Ok(())
            }
            Packet::PubRel { id } => {
                let reason = if session.state.released(id) { Reason::Success } else { Reason::PacketIdNotFound };
                write_ack(&mut wire.out, protocol, kind::PUBCOMP, id, reason);
                Ok(())
            }
            Packet::Subscribe(subscribe) => self.subscribe(subscribe).await,
            Packet::Unsubscribe(unsubscribe) => {
                self.unsubscribe(unsubscribe).await;
                Ok(())
            }
            Packet::PingReq => {
                write_pingresp(&mut wire.out);
                Ok(())
            }
            Packet::Disconnect(disconnect) => Err(self.disconnect(&disconnect)),
        }
    }

    async fn publish(&mut self, publish: Publish) -> Step {
        let (id, qos) = (publish.id, publish.qos);
        if qos == QoS::ExactlyOnce {
            if self.session.state.has_received(id) {
                self.answer(qos, id, Reason::Success);
                return Ok(());
            }
            if !self.session.state.can_receive() {
                return Err(Close::fault(Reason::ReceiveMaximumExceeded, "too many messages with QoS 2 at once"));
            }
        }
        let context = &self.session.context;
        let who = &self.session.key.identity;
        if publish.topic.is_reserved() || !context.authority.may_publish(who, publish.topic.as_str()) {
            let topic = publish.topic.as_str().to_owned();
            let text = format!("not allowed to publish on \"{topic}\"");
            let is_reserved = publish.topic.is_reserved();
            context.authority.refused(Attempt::Publish { who: who.clone(), topic }).await;
            if self.connect.protocol == Protocol::V5 && qos != QoS::AtMostOnce {
                self.answer(qos, id, Reason::NotAuthorized);
                return Ok(());
            }
            // MQTT 3.1.1 knows no refusal: close, or acknowledge and give it to nobody. What lies under `$` is nobody's.
            if is_reserved && self.connect.protocol == Protocol::V311 {
                if qos == QoS::ExactlyOnce {
                    self.session.state.note_received(id);
                }
                self.answer(qos, id, Reason::Success);
                return Ok(());
            }
            return Err(Close::fault(Reason::NotAuthorized, text));
        }
        let mut message = Message::new(&publish.topic, publish.payload, qos, self.session.state.number());
        message.retain = publish.retain;
        message.properties = publish.properties;
        message.expires_at = expires_at(publish.expiry_s);
        match self.session.receive(&message, Origin::Device).await {
            Receipt::Taken => {
                self.session.route(message).await;
                if qos == QoS::ExactlyOnce {
                    self.session.state.note_received(id);
                }
                self.answer(qos, id, Reason::Success);
            }
            // An MQTT 3.1.1 client keeps what is not acknowledged and sends it again when it reconnects.
            Receipt::Unavailable if self.connect.protocol == Protocol::V5 => {
                self.answer(qos, id, Reason::QuotaExceeded)
            }
            Receipt::Unavailable => {}
        }
        Ok(())
    }

    fn answer(&mut self, qos: QoS, id: u16, reason: Reason) {
        let packet = match qos {
            QoS::AtMostOnce => return,
            QoS::AtLeastOnce => kind::PUBACK,
            QoS::ExactlyOnce => kind::PUBREC,
        };
        write_ack(&mut self.wire.out, self.connect.protocol, packet, id, reason);
    }

    async fn subscribe(&mut self, subscribe: Subscribe) -> Step {
        let mut codes = Vec::with_capacity(subscribe.options.len());
        let mut retained = Vec::new();
        for option in subscribe.options {
            codes.push(self.subscribe_one(&option, subscribe.subscription_id, &mut retained).await?);
        }
        write_suback(&mut self.wire.out, self.connect.protocol, subscribe.id, &codes);
        for (number, message) in retained {
            self.session.state.route_retained(number, message);
        }
        Ok(())
    }

    async fn subscribe_one(
        &mut self,
        option: &SubscribeOption,
        subscription_id: Option<u32>,
        retained: &mut Vec<(usize, Message)>,
    ) -> Result<Result<QoS, Reason>, Close> {
        let filter = match &option.filter {
            Ok(filter) => filter.clone(),
            Err(FilterError::Invalid) => return Ok(Err(Reason::TopicFilterInvalid)),
            Err(FilterError::Shared) => return Ok(Err(Reason::SharedSubscriptionsNotSupported)),
        };
        let (authority, who) = (&self.session.context.authority, &self.session.key.identity);
        if !authority.may_subscribe(who, filter.as_str()) {
            let attempt = Attempt::Subscribe { who: who.clone(), filter: filter.as_str().to_owned() };
            authority.refused(attempt).await;
            // Clients of 3.1.1 habits know this code only.
            return Ok(Err(Reason::Unspecified));
        }
        let (wanted, wants_retained) = match self.session.state.subscribe(filter.clone(), option, subscription_id) {
            Ok(taken) => taken,
            Err(reason) => return Ok(Err(reason)),
        };
        let number = wanted.number;
        let subscribed = async { self.session.link().await?.subscribe(wanted).await };
        let Ok(kept) = subscribed.await else {
            self.session.state.unsubscribe(filter.as_str());
            return Ok(Err(Reason::QuotaExceeded));
        };
        // What came before the subscription stays before its retained messages.
        while let Some(note) = self.session.link.as_mut().and_then(crate::router::Link::next_now) {
            if self.session.take_note(note).await.is_break() {
                return Err(Close::router_gone());
            }
        }
        if wants_retained {
            retained.extend(kept.into_iter().map(|message| (number, message)));
        }
        Ok(Ok(option.qos))
    }

    async fn unsubscribe(&mut self, unsubscribe: Unsubscribe) {
        let mut codes = Vec::with_capacity(unsubscribe.filters.len());
        for filter in &unsubscribe.filters {
            if self.session.state.unsubscribe(filter) {
                self.session.leave(filter).await;
                codes.push(Reason::Success);
            } else {
                codes.push(Reason::NoSubscriptionExisted);
            }
        }
        write_unsuback(&mut self.wire.out, self.connect.protocol, unsubscribe.id, &codes);
    }

    fn disconnect(&mut self, disconnect: &Disconnect) -> Close {
        if let Some(asked_s) = disconnect.session_expiry_s {
            if self.connect.session_expiry_s == 0 && asked_s != 0 {
                return Fault::protocol("a session that ends with its connection cannot be kept afterwards").into();
            }
            self.session.expiry = self.session.allowed_expiry(asked_s);
        }
        Close {
            ended: Ended::Left,
            reason: "the client said goodbye".to_owned(),
            farewell: None,
            publishes_will: disconnect.with_will,
        }
    }
}

fn lost(source: &std::io::Error) -> String {
    match source.kind() {
        std::io::ErrorKind::UnexpectedEof => "the client closed the connection".to_owned(),
        _ => format!("the connection was lost: {source}"),
    }
}

//! The task of one session, through all its connections.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::sync::{mpsc, watch};
use tokio::time::{Duration, Instant, sleep_until, timeout};
use tracing::{info, warn};

use super::online::{Ended, Online};
use super::registry::{Era, Key, Registry};
use super::state::State;
use super::wire::Wire;
use crate::codec::{Connect, Reason, Will};
use crate::limits::Seat;
use crate::message::{Message, SessionNumber};
use crate::router::{FromRouter, Link, Note, RouterGone, Routing, stopped};
use crate::{Authority, Config, Connection, Identity, Incoming, Origin, Receipt, Standing};

/// What all sessions share.
#[derive(Debug)]
pub(crate) struct Context<A> {
    pub(crate) config: Config,
    pub(crate) authority: Arc<A>,
    pub(crate) routing: Arc<Routing>,
    pub(crate) registry: Registry,
    pub(crate) stop: watch::Receiver<bool>,
    pub(crate) last_generation: AtomicU64,
    /// Each running session holds a strong one; when all are gone, everything has stopped.
    pub(crate) alive: mpsc::WeakSender<()>,
}

/// A connection that was let in and wants its session.
pub(crate) struct Attach {
    pub(crate) wire: Wire,
    pub(crate) connect: Connect,
    pub(crate) identity: Identity,
    pub(crate) connection: Connection,
    /// The client left its id empty and has to be told the one it got.
    pub(crate) has_assigned_id: bool,
    /// When its login began to be checked.
    pub(crate) era: Era,
    pub(crate) seat: Seat,
}

/// What a session can be told.
pub(crate) enum Mail {
    Attach(Box<Attach>),
    End,
}

/// A will whose time has not come.
#[derive(Debug)]
struct WaitingWill {
    will: Will,
    at: Instant,
}

/// One session.
pub(crate) struct SessionTask<A> {
    pub(super) context: Arc<Context<A>>,
    pub(super) key: Key,
    pub(super) mail: mpsc::Receiver<Mail>,
    pub(super) state: State,
    pub(super) link: Option<Link>,
    pub(super) stop: watch::Receiver<bool>,
    /// How long the session stays without a connection, from the moment it loses it.
    pub(super) expiry: Duration,
    will: Option<WaitingWill>,
}

/// What happens to a session without a connection.
enum Offline {
    Back(Box<Attach>),
    End,
}

impl<A: Authority> SessionTask<A> {
    pub(crate) fn new(context: Arc<Context<A>>, key: Key, number: SessionNumber, mail: mpsc::Receiver<Mail>) -> Self {
        let state = State::new(number, &context.config);
        let stop = context.stop.clone();
        Self { context, key, mail, state, link: None, stop, expiry: Duration::ZERO, will: None }
    }

    pub(crate) async fn run(mut self, first: Box<Attach>) {
        let alive = self.context.alive.upgrade();
        let mut next = Some(first);
        while let Some(attach) = next.take() {
            next = match self.online(attach).await {
                Ended::TakenOver(newer) => Some(newer),
                Ended::Finished => None,
                Ended::Left => match self.offline().await {
                    Offline::Back(attach) => Some(attach),
                    Offline::End => None,
                },
            };
        }
        self.finish().await;
        drop(alive);
    }

    /// Serves one connection to its end.
    async fn online(&mut self, attach: Box<Attach>) -> Ended {
        self.will_before(&attach.connect).await;
        let session_present = self.prepare(&attach.connect).await;
        let connection = attach.connection.clone();
        let (identity, authority) = (attach.identity.clone(), Arc::clone(&self.context.authority));
        authority.connected(&identity, &connection).await;
        info!(client = %identity, id = %connection.client_id, peer = %connection.peer, generation = connection.generation, "MQTT client connected");
        let done = Online::new(self, *attach, session_present).serve().await;
        info!(client = %identity, id = %connection.client_id, generation = connection.generation, reason = %done.reason, "MQTT client gone");
        authority.disconnected(&identity, &connection, &done.reason).await;
        if let Some(will) = done.will {
            let delay = self.will_delay(&will, &done.ended);
            if delay.is_zero() {
                self.publish_will(will).await;
            } else {
                self.will = Some(WaitingWill { will, at: Instant::now() + delay });
            }
        }
        done.ended
    }

    /// A will that waits is published when the session it belongs to ends now, and forgotten when the client came back in time.
    async fn will_before(&mut self, connect: &Connect) {
        if let Some(waiting) = self.will.take()
            && connect.clean
        {
            self.publish_will(waiting.will).await;
        }
    }

    /// How long a will waits: as long as the client may still come back to its session.
    fn will_delay(&self, will: &Will, ended: &Ended) -> Duration {
        let delay = Duration::from_secs(u64::from(will.delay_s)).min(self.expiry);
        match ended {
            Ended::Left => delay,
            // The client that takes over goes on with the session, so its earlier will is forgotten if it asked for a delay.
            Ended::TakenOver(newer) if !newer.connect.clean => delay,
            Ended::TakenOver(_) | Ended::Finished => Duration::ZERO,
        }
    }

    async fn publish_will(&mut self, will: Will) {
        if !self.context.authority.may_publish(&self.key.identity, will.topic.as_str()) {
            return;
        }
        let mut message = Message::new(&will.topic, will.payload, will.qos, self.state.number());
        message.retain = will.retain;
        message.properties = will.properties;
        message.expires_at = expires_at(will.expiry_s);
        if self.receive(&message, Origin::Will).await == Receipt::Taken {
            self.route(message).await;
        }
    }

    /// Lets the authority take a message, for as long as the gate has patience.
    pub(super) async fn receive(&self, message: &Message, origin: Origin) -> Receipt {
        let incoming = Incoming {
            who: self.key.identity.clone(),
            client_id: self.key.client_id.clone(),
            topic: String::from_utf8_lossy(&message.topic).into_owned(),
            payload: message.payload.clone(),
            qos: message.qos,
            retain: message.retain,
            origin,
        };
        let patience = self.context.config.receive_timeout;
        match timeout(patience, self.context.authority.received(incoming)).await {
            Ok(receipt) => receipt,
            Err(_) => {
                warn!(client = %self.key.identity, "An MQTT message could not be stored in time and is not acknowledged");
                Receipt::Unavailable
            }
        }
    }

    /// Gives a message that was taken to everybody who wants it.
    pub(super) async fn route(&self, message: Message) {
        if let Err(RouterGone) = self.context.routing.publish(message).await {
            warn!(client = %self.key.identity, "An MQTT message was stored but reached no subscriber: the router is being replaced");
        }
    }

    /// Makes the session ready for a connection; returns whether the client finds an earlier one.
    async fn prepare(&mut self, connect: &Connect) -> bool {
        // Zero: the earlier session ended with its connection, as before the very first one.
        let is_kept = !self.expiry.is_zero() && !connect.clean;
        if !is_kept {
            self.close_link().await;
            self.state = State::new(self.state.number(), &self.context.config);
        } else {
            let (authority, identity) = (Arc::clone(&self.context.authority), self.key.identity.clone());
            for filter in self.state.forget_unless(|filter| authority.may_subscribe(&identity, filter)) {
                self.leave(&filter).await;
            }
        }
        self.expiry = self.allowed_expiry(connect.session_expiry_s);
        self.relink().await;
        if self.key.identity.standing() == Standing::Trusted && self.link().await.is_err() {
            // Opened before it is needed, so that a subscription takes effect at once; the first one tries again.
            tracing::debug!(client = %self.key.identity, "No link to the MQTT router yet");
        }
        is_kept
    }

    /// What the client asks for, within our limit. Somebody who waits for approval leaves nothing behind.
    pub(super) fn allowed_expiry(&self, asked_s: u32) -> Duration {
        match self.key.identity.standing() {
            Standing::Trusted => Duration::from_secs(u64::from(asked_s)).min(self.context.config.session_expiry_max),
            Standing::Quarantined => Duration::ZERO,
        }
    }

    /// Without a connection: keeps what arrives until the client is back or the time is over.
    async fn offline(&mut self) -> Offline {
        if self.expiry.is_zero() {
            return Offline::End;
        }
        let until = Instant::now() + self.expiry;
        let mut ports = self.context.routing.watch();
        self.relink().await;
        while Instant::now() < until {
            let will_at = self.will.as_ref().map_or(until, |waiting| waiting.at.min(until));
            tokio::select! {
                letter = self.mail.recv() => if let Some(Mail::Attach(attach)) = letter {
                    return Offline::Back(attach);
                } else {
                    self.will = None;
                    return Offline::End;
                },
                () = stopped(&mut self.stop) => {
                    self.will = None;
                    return Offline::End;
                }
                note = next_note(&mut self.link) => {
                    if self.take_note(note).await.is_break() {
                        self.relink().await;
                    }
                }
                changed = ports.changed() => match changed {
                    Ok(()) => self.relink().await,
                    Err(_) => return Offline::End,
                },
                () = sleep_until(will_at) => {
                    if let Some(waiting) = self.will.take() {
                        self.publish_will(waiting.will).await;
                    }
                }
            }
        }
        Offline::End
    }

    /// Puts what the router sent into the session. Breaks when the router is gone.
    pub(super) async fn take_note(&mut self, note: Note) -> ControlFlow<()> {
        let Some(link) = &self.link else { return ControlFlow::Break(()) };
        match link.read(note, self.context.routing.epoch).await {
            FromRouter::Message(number, message) => self.state.route(number, message),
            FromRouter::Nothing => {}
            FromRouter::Gone => {
                self.link = None;
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }

    /// The link, opened when there is none yet.
    pub(super) async fn link(&mut self) -> Result<&mut Link, RouterGone> {
        match self.link.take() {
            Some(link) => Ok(self.link.insert(link)),
            None => {
                let link = self.context.routing.port().await?.open().await?;
                Ok(self.link.insert(link))
            }
        }
    }

    /// Subscribes again after the router was replaced.
    async fn relink(&mut self) {
        let wanted = self.state.wanted();
        if self.link.is_some() || wanted.is_empty() {
            return;
        }
        let subscribed = async {
            let link = self.link().await?;
            for wanted in wanted {
                link.subscribe(wanted).await?;
            }
            Ok::<(), RouterGone>(())
        };
        if subscribed.await.is_err() {
            self.link = None;
        }
    }

    /// Ends a subscription in the router.
    pub(super) async fn leave(&self, filter: &str) {
        if let Some(link) = &self.link
            && link.unsubscribe(filter).await.is_err()
        {
            tracing::debug!("The router was replaced while a subscription ended");
        }
    }

    async fn close_link(&mut self) {
        if let Some(link) = self.link.take()
            && link.close().await.is_err()
        {
            tracing::debug!("The router was replaced while a session ended");
        }
    }

    async fn finish(mut self) {
        if let Some(waiting) = self.will.take() {
            self.publish_will(waiting.will).await;
        }
        if self.state.dropped() > 0 {
            warn!(client = %self.key.identity, dropped = self.state.dropped(), "MQTT messages were dropped because the client was too slow or away");
        }
        self.close_link().await;
        self.context.registry.remove(&self.key, self.state.number());
        self.mail.close();
        while let Ok(letter) = self.mail.try_recv() {
            if let Mail::Attach(attach) = letter {
                let context = Arc::clone(&self.context);
                // A new session for whoever came in the last moment.
                tokio::spawn(async move { crate::login::attach(&context, attach).await });
            }
        }
    }
}

/// The next note of a link; never, when there is none.
pub(super) async fn next_note(link: &mut Option<Link>) -> Note {
    match link {
        Some(link) => link.next().await,
        None => std::future::pending().await,
    }
}

/// When a message with this expiry is over.
pub(super) fn expires_at(expiry_s: Option<u32>) -> Option<Instant> {
    Instant::now().checked_add(Duration::from_secs(u64::from(expiry_s?)))
}

/// What a client is told when the authority does not let it in.
pub(crate) const fn refusal_reason(refusal: crate::Refusal) -> Reason {
    match refusal {
        crate::Refusal::BadCredentials => Reason::BadUserNameOrPassword,
        crate::Refusal::NotAuthorized => Reason::NotAuthorized,
        crate::Refusal::Banned => Reason::Banned,
        crate::Refusal::Unavailable => Reason::ServerUnavailable,
    }
}

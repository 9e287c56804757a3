//! Finds the session of a client.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

use super::task::{Attach, Context, Mail, SessionTask};
use crate::message::SessionNumber;
use crate::{Authority, Identity};

/// Letters waiting for one session: connections that want it, one after the other, and orders to end.
const MAIL_MAX: usize = 8;

/// Whose session it is: a client can only ever take over a session of its own identity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) identity: Identity,
    pub(crate) client_id: String,
}

#[derive(Clone, Debug)]
struct Entry {
    number: SessionNumber,
    mail: mpsc::Sender<Mail>,
}

/// Why a connection gets no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoSession {
    /// No room for one more session.
    Full,
    /// Sessions were ended while this login was being checked; what it was given may be outdated.
    Outdated,
}

/// How often sessions were ended by order. A login notes it before it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Era(u64);

/// All sessions.
#[derive(Debug)]
pub(crate) struct Registry {
    sessions: Mutex<BTreeMap<Key, Entry>>,
    last_number: AtomicU64,
    era: AtomicU64,
    sessions_max: usize,
    per_identity_max: usize,
}

impl Registry {
    pub(crate) const fn new(sessions_max: usize, per_identity_max: usize) -> Self {
        Self {
            sessions: Mutex::new(BTreeMap::new()),
            last_number: AtomicU64::new(SessionNumber::SERVER.0),
            era: AtomicU64::new(0),
            sessions_max,
            per_identity_max,
        }
    }

    pub(crate) fn era(&self) -> Era {
        Era(self.era.load(Ordering::SeqCst))
    }

    /// Gives a connection to its session, which is made when there is none.
    pub(crate) async fn attach<A: Authority>(
        context: &Arc<Context<A>>,
        mut attach: Box<Attach>,
    ) -> Result<(), (NoSession, Box<Attach>)> {
        loop {
            if attach.era != context.registry.era() {
                return Err((NoSession::Outdated, attach));
            }
            let key = Key { identity: attach.identity.clone(), client_id: attach.connection.client_id.clone() };
            let known = context.registry.lock().get(&key).cloned();
            let Some(entry) = known else {
                match Self::create(context, key, attach) {
                    Created::Running => return Ok(()),
                    Created::Not(why, attach) => return Err((why, attach)),
                    Created::Exists(returned) => attach = returned,
                }
                continue;
            };
            match entry.mail.send(Mail::Attach(attach)).await {
                Ok(()) => return Ok(()),
                // That session ended just now.
                Err(mpsc::error::SendError(Mail::Attach(returned))) => {
                    attach = returned;
                    context.registry.remove(&key, entry.number);
                }
                Err(mpsc::error::SendError(Mail::End)) => return Ok(()),
            }
        }
    }

    fn create<A: Authority>(context: &Arc<Context<A>>, key: Key, attach: Box<Attach>) -> Created {
        let registry = &context.registry;
        let mut sessions = registry.lock();
        if sessions.contains_key(&key) {
            return Created::Exists(attach);
        }
        if attach.era != registry.era() {
            return Created::Not(NoSession::Outdated, attach);
        }
        let of_identity = sessions.keys().filter(|known| known.identity == key.identity).count();
        if sessions.len() >= registry.sessions_max || of_identity >= registry.per_identity_max {
            return Created::Not(NoSession::Full, attach);
        }
        let number = SessionNumber(registry.last_number.fetch_add(1, Ordering::Relaxed) + 1);
        let (mail, inbox) = mpsc::channel(MAIL_MAX);
        sessions.insert(key.clone(), Entry { number, mail });
        tokio::spawn(SessionTask::new(Arc::clone(context), key, number, inbox).run(attach));
        Created::Running
    }

    /// A session ended. Another one with the same key is not touched.
    pub(crate) fn remove(&self, key: &Key, number: SessionNumber) {
        let mut sessions = self.lock();
        if sessions.get(key).is_some_and(|entry| entry.number == number) {
            sessions.remove(key);
        }
    }

    /// Ends every session of an identity, whatever its standing.
    pub(crate) fn end(&self, identity: &str) {
        let sessions = self.lock();
        self.era.fetch_add(1, Ordering::SeqCst);
        for (key, entry) in sessions.iter() {
            if key.identity.name() == identity
                && let Err(mpsc::error::TrySendError::Full(_)) = entry.mail.try_send(Mail::End)
            {
                tracing::warn!(client = %key.identity, "A session has too many letters waiting to be told to end");
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Entry>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Created {
    Running,
    Exists(Box<Attach>),
    Not(NoSession, Box<Attach>),
}

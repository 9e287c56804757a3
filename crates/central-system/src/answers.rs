//! Answers that wait for a decision: which call each belongs to, and what it changes here.

use crate::port::{Gate, Output};
use crate::station::Station;
use domain::{CardUid, CardVerdict, ConnectorNumber, ReplyKey, SessionId, Timestamp};
use ocpp::Check;
use ocpp::frame::{CallResult, MessageId};
use ocpp::v16::{AuthorizationStatus, AuthorizeResponse, IdTagInfo, StartTransactionResponse, StopTransactionResponse};
use std::collections::BTreeMap;

/// A charger waits for one answer at a time; this many means that nobody decides.
const WAITING_MAX: usize = 256;

/// What a waiting call was about.
#[derive(Clone, Debug)]
pub(crate) enum Asked {
    /// `Authorize`.
    Card,
    /// `StartTransaction`.
    Start {
        /// Where.
        connector: ConnectorNumber,
        /// When, by the charger's corrected clock.
        at: Timestamp,
        /// The card, where it could be read.
        card: Option<CardUid>,
        /// Limits wanted up to then belong to the session before.
        stale: u64,
    },
    /// `StopTransaction`.
    Stop {
        /// Where the session runs, as far as we know.
        connector: Option<ConnectorNumber>,
        /// As in [`Asked::Start`].
        stale: u64,
    },
}

/// A call that waits.
#[derive(Clone, Debug)]
struct Waiting {
    id: MessageId,
    generation: u64,
    asked: Asked,
}

/// Calls that wait for a decision.
#[derive(Clone, Debug, Default)]
pub(crate) struct Replies {
    last_key: u64,
    waiting: BTreeMap<ReplyKey, Waiting>,
}

impl Replies {
    /// Notes a call and gives the key of its answer.
    pub(crate) fn note(&mut self, id: MessageId, generation: u64, asked: Asked) -> ReplyKey {
        if self.waiting.len() >= WAITING_MAX {
            self.waiting.pop_first();
        }
        self.last_key += 1;
        let key = ReplyKey(self.last_key);
        self.waiting.insert(key, Waiting { id, generation, asked });
        key
    }
}

impl Station {
    pub(crate) fn card_answered(&mut self, reply: ReplyKey, verdict: CardVerdict, out: &mut Vec<Output>) {
        let Some(waiting) = self.replies.waiting.remove(&reply) else { return };
        let response = AuthorizeResponse { id_tag_info: tag_info(verdict) };
        self.answer(&waiting, &response, Gate::Recorded, out);
    }

    pub(crate) fn start_answered(
        &mut self,
        reply: ReplyKey,
        session: SessionId,
        verdict: CardVerdict,
        out: &mut Vec<Output>,
    ) {
        let Some(waiting) = self.replies.waiting.remove(&reply) else { return };
        let Asked::Start { connector, at, card, stale } = &waiting.asked else { return };
        // A card that could not be read is nobody's, whatever was decided.
        let verdict = if card.is_some() { verdict } else { CardVerdict::Unknown };
        let response =
            StartTransactionResponse { id_tag_info: tag_info(verdict), transaction_id: i64::from(session.0) };
        if let Some(connector) = self.connector(*connector) {
            connector.begin(session, *at, card.clone(), *stale);
            self.outgoing.live.new_session();
        }
        self.answer(&waiting, &response, Gate::Durable, out);
    }

    pub(crate) fn stop_answered(&mut self, reply: ReplyKey, verdict: Option<CardVerdict>, out: &mut Vec<Output>) {
        let Some(waiting) = self.replies.waiting.remove(&reply) else { return };
        let Asked::Stop { connector, stale } = &waiting.asked else { return };
        if let Some(connector) = connector.and_then(|number| self.connector(number)) {
            connector.end(*stale);
        }
        let response = StopTransactionResponse { id_tag_info: verdict.map(tag_info) };
        self.answer(&waiting, &response, Gate::Durable, out);
    }

    fn answer<R: serde::Serialize + Check>(&self, waiting: &Waiting, response: &R, gate: Gate, out: &mut Vec<Output>) {
        // A charger that has reconnected since asks again under a new id.
        if self.link.as_ref().is_none_or(|link| link.generation != waiting.generation) {
            return;
        }
        let text = match ocpp::write(response) {
            Ok(payload) => CallResult { id: waiting.id.clone(), payload }.to_string(),
            Err(error) => Self::failed(waiting.id.clone(), &error),
        };
        out.push(Output::Send { text, gate });
    }
}

/// A verdict in the words of OCPP 1.6.
fn tag_info(verdict: CardVerdict) -> IdTagInfo {
    let (status, tenant) = match verdict {
        CardVerdict::Accepted { tenant } => (AuthorizationStatus::Accepted, Some(tenant)),
        CardVerdict::Unknown | CardVerdict::NotApproved | CardVerdict::NotHere => (AuthorizationStatus::Invalid, None),
        CardVerdict::Blocked | CardVerdict::CapReached => (AuthorizationStatus::Blocked, None),
        CardVerdict::NotValid => (AuthorizationStatus::Expired, None),
        CardVerdict::InUse => (AuthorizationStatus::ConcurrentTx, None),
    };
    IdTagInfo { expiry_date: None, parent_id_tag: tenant.map(parent), status }
}

/// The group of cards that may end each other's sessions.
pub(crate) fn parent(tenant: domain::TenantId) -> String {
    format!("T{tenant}")
}

/// The answer to a card that cannot exist.
pub(crate) fn invalid_card() -> AuthorizeResponse {
    AuthorizeResponse { id_tag_info: tag_info(CardVerdict::Unknown) }
}

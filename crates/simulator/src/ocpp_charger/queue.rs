//! What the charger wants to say: one request in flight, transaction messages never lost.

use domain::{DurationMs, Instant, Now};
use serde_json::{Value, json};
use std::collections::VecDeque;

/// What a request was about, so that its answer finds its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Boot,
    Heartbeat,
    Status,
    Other,
    /// The card, and whether it is held to start or to end.
    Authorize(String),
    /// The local number of the transaction.
    Start(u64),
    Meter(u64),
    Stop(u64),
}

impl Purpose {
    const fn is_transaction(&self) -> bool {
        match self {
            Self::Start(_) | Self::Meter(_) | Self::Stop(_) => true,
            Self::Boot | Self::Heartbeat | Self::Status | Self::Other | Self::Authorize(_) => false,
        }
    }

    pub(super) const fn action(&self) -> &'static str {
        match self {
            Self::Boot => "BootNotification",
            Self::Heartbeat => "Heartbeat",
            Self::Status => "StatusNotification",
            Self::Authorize(_) => "Authorize",
            Self::Start(_) => "StartTransaction",
            Self::Meter(_) => "MeterValues",
            Self::Stop(_) => "StopTransaction",
            Self::Other => "DataTransfer",
        }
    }
}

/// A request that waits for its turn.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Request {
    pub(super) purpose: Purpose,
    pub(super) action: &'static str,
    pub(super) payload: Value,
    attempts: u32,
}

/// A request that waits for its answer.
#[derive(Clone, Debug, PartialEq)]
struct Flight {
    id: String,
    request: Request,
    sent: Instant,
}

/// The queue of a charger.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Queue {
    /// Lost with the link.
    passing: VecDeque<Request>,
    /// Survive anything; sent in order.
    kept: VecDeque<Request>,
    flight: Option<Flight>,
    sent: u64,
    not_before: Instant,
}

/// How long a charger waits for an answer.
const ANSWER_MS: u64 = 30_000;
/// Meter values kept while offline; older ones are dropped as the standard allows, starts and stops never.
const KEPT_METER_VALUES: usize = 500;

impl Queue {
    pub(super) fn push(&mut self, purpose: Purpose, payload: Value) {
        let action = purpose.action();
        self.push_as(purpose, action, payload);
    }

    pub(super) fn push_as(&mut self, purpose: Purpose, action: &'static str, payload: Value) {
        let request = Request { purpose, action, payload, attempts: 0 };
        if !request.purpose.is_transaction() {
            self.passing.push_back(request);
            return;
        }
        if matches!(request.purpose, Purpose::Meter(_))
            && self.kept.len() >= KEPT_METER_VALUES
            && let Some(oldest) = self.kept.iter().position(|kept| matches!(kept.purpose, Purpose::Meter(_)))
        {
            self.kept.remove(oldest);
        }
        self.kept.push_back(request);
    }

    /// A link is new: what was in flight is sent again if it must not be lost.
    pub(super) fn link_changed(&mut self) {
        self.passing.clear();
        self.not_before = Instant::default();
        if let Some(flight) = self.flight.take()
            && flight.request.purpose.is_transaction()
        {
            self.kept.push_front(flight.request);
        }
    }

    /// The car has left: what is still asked for its card decides nothing any more.
    pub(super) fn forget_cards(&mut self) {
        self.passing.retain(|request| !matches!(request.purpose, Purpose::Authorize(_)));
        if let Some(flight) = &mut self.flight
            && matches!(flight.request.purpose, Purpose::Authorize(_))
        {
            flight.request.purpose = Purpose::Other;
        }
    }

    /// The next frame to send, if nothing is in flight. `only_boot` while the charger is not accepted.
    /// `fill` puts the transaction's identity, unknown when the message was queued, into the payload.
    pub(super) fn next(
        &mut self,
        now: Now,
        prefix: &str,
        only_boot: OnlyBoot,
        fill: impl Fn(&Purpose, &mut Value),
    ) -> Option<String> {
        if self.flight.is_some() {
            return None;
        }
        let mut request = match only_boot {
            OnlyBoot::Yes => {
                let at = self.passing.iter().position(|request| request.purpose == Purpose::Boot)?;
                self.passing.remove(at)?
            }
            OnlyBoot::No => match self.passing.pop_front() {
                Some(request) => request,
                None if now.instant < self.not_before => return None,
                None => self.kept.pop_front()?,
            },
        };
        fill(&request.purpose, &mut request.payload);
        self.sent += 1;
        let id = format!("{prefix}-{}", self.sent);
        let text = json!([2, id, request.action, request.payload]).to_string();
        self.flight = Some(Flight { id, request, sent: now.instant });
        Some(text)
    }

    /// The request this answer belongs to.
    pub(super) fn answered(&mut self, id: &str) -> Option<Purpose> {
        let flight = self.flight.take_if(|flight| flight.id == id)?;
        Some(flight.request.purpose)
    }

    /// The central system answered with an error: transaction messages are repeated a few times.
    pub(super) fn failed(&mut self, now: Now, id: &str, attempts: u32, pause: DurationMs) -> Option<Purpose> {
        let flight = self.flight.take_if(|flight| flight.id == id)?;
        self.again(now, flight.request, attempts, pause)
    }

    /// Gives up waiting for an answer that takes too long.
    pub(super) fn expire(&mut self, now: Now, pause: DurationMs) -> Option<Purpose> {
        let flight = self.flight.take_if(|flight| now.instant.since(flight.sent).0 >= ANSWER_MS)?;
        // No answer is no refusal: such a message is kept however often it takes.
        self.again(now, flight.request, u32::MAX, pause)
    }

    fn again(&mut self, now: Now, mut request: Request, attempts: u32, pause: DurationMs) -> Option<Purpose> {
        request.attempts += 1;
        if request.purpose.is_transaction() && request.attempts < attempts {
            self.not_before = now.instant + DurationMs(pause.0 * u64::from(request.attempts));
            self.kept.push_front(request);
            return None;
        }
        Some(request.purpose)
    }

    /// When the request was sent that waits for its answer.
    pub(super) fn sent_at(&self) -> Option<Instant> {
        self.flight.as_ref().map(|flight| flight.sent)
    }

    /// Whether the central system is being asked about this card.
    pub(super) fn asks_for(&self, card: &str) -> bool {
        let in_flight = self.flight.as_ref().map(|flight| &flight.request);
        let is_it = |request: &Request| matches!(&request.purpose, Purpose::Authorize(asked) if asked == card);
        self.passing.iter().chain(in_flight).any(is_it)
    }

    /// Transaction messages the central system has not confirmed.
    pub(super) fn unconfirmed(&self) -> usize {
        let flying = self.flight.as_ref().is_some_and(|flight| flight.request.purpose.is_transaction());
        self.kept.len() + usize::from(flying)
    }
}

/// Whether only a `BootNotification` may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnlyBoot {
    Yes,
    No,
}

//! What people change about sessions: figures, owners, and ends that fitted no session. The original is kept.

use crate::register::plausible;
use crate::{Control, Correction, Made, OrderDone, OrderError, OrphanOrder, Output};
use domain::{
    DurationMs, EndReason, Now, OrphanDecision, OrphanFate, Provenance, Record, Session, SessionChange, SessionFigures,
    TenantId, Timestamp, WattHours,
};

impl Control {
    /// Corrects a session; `stored` is what the store has, for sessions that ended too long ago to be remembered here.
    pub(crate) fn correct_session(
        &mut self,
        now: Now,
        stored: Session,
        correction: &Correction,
        reason: &str,
        out: &mut Vec<Output>,
    ) -> OrderDone {
        let reason = given(reason)?;
        let before = self.ledger.find(stored.id).cloned().unwrap_or(stored);
        let after = self.corrected(now, &before, correction)?;
        self.replace_session(now, &before, after, reason, out)
    }

    fn corrected(&self, now: Now, before: &Session, correction: &Correction) -> Result<Session, OrderError> {
        let Correction { tenant, started_at, ended_at, energy } = correction;
        let mut after = before.clone();
        if let Some(tenant) = tenant {
            self.payer(*tenant)?;
            after.tenant = *tenant;
        }
        if started_at.is_none() && ended_at.is_none() && energy.is_none() {
            return Ok(after);
        }
        if before.ended_at.is_none() {
            return Err(OrderError::SessionRuns(before.id));
        }
        after.started_at = started_at.unwrap_or(before.started_at);
        after.ended_at = ended_at.or(before.ended_at);
        after.energy = energy.unwrap_or(before.energy);
        let end = after.ended_at.unwrap_or(after.started_at);
        if end < after.started_at || end > now.wall {
            return Err(OrderError::SessionTimes);
        }
        if *energy != Some(before.energy) && energy.is_some() {
            self.deliverable(&after, end)?;
        }
        if SessionFigures::from(&after) != SessionFigures::from(before) {
            after.provenance = Provenance::Corrected;
            // What a person decided is not replaced by an end that arrives later.
            after.end_reason = after.end_reason.map(|reason| match reason {
                EndReason::Lost => EndReason::Manager,
                EndReason::Card
                | EndReason::Manager
                | EndReason::Unplugged
                | EndReason::PowerLoss
                | EndReason::Charger => reason,
            });
        }
        Ok(after)
    }

    /// Somebody who can be made to pay, or nobody.
    fn payer(&self, tenant: Option<TenantId>) -> Result<(), OrderError> {
        let Some(tenant) = tenant else { return Ok(()) };
        self.access.tenant(tenant).map(|_| ())
    }

    /// Energy no charger could have delivered in that time is a typing mistake.
    fn deliverable(&self, session: &Session, end: Timestamp) -> Result<(), OrderError> {
        let rating = self.rating(&session.charger);
        let span = DurationMs(u64::try_from(end.0.saturating_sub(session.started_at.0)).unwrap_or(0));
        let most = plausible(span, rating.max.0, rating.voltage);
        if session.energy > most {
            return Err(OrderError::SessionEnergy { most });
        }
        Ok(())
    }

    fn replace_session(
        &mut self,
        now: Now,
        before: &Session,
        after: Session,
        reason: String,
        out: &mut Vec<Output>,
    ) -> OrderDone {
        let (old, new) = (SessionFigures::from(before), SessionFigures::from(&after));
        if old == new {
            return Err(OrderError::NothingChanged);
        }
        self.ledger.replace(after.clone());
        self.moved.remove(&after.id);
        let change = SessionChange { session: after.id, at: now.wall, reason, before: old, after: new };
        out.push(Output::Save(Record::SessionChanged(change)));
        out.push(Output::Save(Record::Session(after.clone())));
        Ok(Made::Session(after))
    }

    /// Decides about an end that fitted no session.
    pub(crate) fn decide_orphan(&mut self, now: Now, order: OrphanOrder, out: &mut Vec<Output>) -> OrderDone {
        let OrphanOrder { orphan, stop, session, reason } = order;
        let reason = given(&reason)?;
        let Some(stored) = session else {
            let decision = OrphanDecision { orphan, at: now.wall, fate: OrphanFate::Dismissed, reason };
            out.push(Output::Save(Record::OrphanDecided(decision)));
            return Ok(Made::Nothing);
        };
        let before = self.ledger.find(stored.id).cloned().unwrap_or(*stored);
        let request = &stop.request;
        if before.charger != stop.charger || before.started_at > request.at || request.at > now.wall {
            return Err(OrderError::OrphanElsewhere);
        }
        if request.meter < before.meter_start {
            return Err(OrderError::OrphanRegister);
        }
        let after = Session {
            ended_at: Some(request.at),
            meter_last: request.meter,
            energy: WattHours(request.meter.0.saturating_sub(before.meter_start.0)),
            provenance: request.provenance.max(Provenance::ReceivedLate),
            end_reason: Some(EndReason::Charger),
            ..before.clone()
        };
        self.deliverable(&after, request.at)?;
        let done = self.replace_session(now, &before, after, reason.clone(), out)?;
        let fate = OrphanFate::Assigned(before.id);
        out.push(Output::Save(Record::OrphanDecided(OrphanDecision { orphan, at: now.wall, fate, reason })));
        Ok(done)
    }
}

/// A reason somebody gave.
fn given(reason: &str) -> Result<String, OrderError> {
    match reason.trim() {
        "" => Err(OrderError::NoReason),
        reason => Ok(reason.to_owned()),
    }
}

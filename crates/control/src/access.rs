//! Who may charge: tenants, their cards, and enrolling a card by tapping it.

use crate::{EnrolmentState, OrderError};
use domain::{
    Card, CardId, CardStatus, CardUid, CardVerdict, ChargerId, DurationMs, Instant, Now, OwnChargerUse, RefusedCard,
    Tenant, TenantId, TenantStatus,
};
use std::collections::BTreeMap;

/// The list of refused cards is for people who look for one they just tapped.
const REFUSED_MAX: usize = 50;

/// A captured card waits this long for a name.
const NAMING: DurationMs = DurationMs::from_secs(600);

/// Waiting for a card.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Enrolment {
    tenant: Option<TenantId>,
    charger: Option<ChargerId>,
    until: Instant,
    captured: Option<(CardUid, Option<ChargerId>)>,
    bound: bool,
}

/// Tenants and cards.
#[derive(Clone, Debug, Default)]
pub(crate) struct Access {
    pub(crate) tenants: BTreeMap<TenantId, Tenant>,
    pub(crate) cards: BTreeMap<CardUid, Card>,
    /// Whose chargers are whose.
    pub(crate) owners: BTreeMap<ChargerId, (TenantId, OwnChargerUse)>,
    /// Newest first.
    pub(crate) refused: Vec<RefusedCard>,
    pub(crate) last_tenant: i64,
    pub(crate) last_card: i64,
    enrolment: Option<Enrolment>,
}

/// What became of an unknown card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Capture {
    /// It was the one waited for and is bound now.
    Bound(Card),
    /// It was the one waited for; the manager says whose it is.
    Waiting,
    /// Nobody waited for it.
    Stranger,
}

impl Access {
    /// What the card alone may do; where it may do so is decided by the caller.
    pub(crate) fn verdict(&self, uid: &CardUid) -> CardVerdict {
        match self.cards.get(uid) {
            None => CardVerdict::Unknown,
            Some(Card { status: CardStatus::Blocked, .. }) => CardVerdict::Blocked,
            Some(Card { status: CardStatus::Active, tenant, .. }) => CardVerdict::Accepted { tenant: *tenant },
        }
    }

    pub(crate) fn is_active(&self, uid: &CardUid) -> bool {
        self.cards.get(uid).is_some_and(|card| card.status == CardStatus::Active)
    }

    pub(crate) fn enrol(
        &mut self,
        now: Now,
        tenant: Option<TenantId>,
        charger: Option<ChargerId>,
        ttl: DurationMs,
    ) -> Result<(), OrderError> {
        if let Some(tenant) = tenant {
            self.tenant(tenant)?;
        }
        self.enrolment = Some(Enrolment { tenant, charger, until: now.instant + ttl, captured: None, bound: false });
        Ok(())
    }

    pub(crate) fn cancel_enrolment(&mut self) {
        self.enrolment = None;
    }

    /// Ends an enrolment whose time is over.
    pub(crate) fn expire(&mut self, now: Now) {
        self.enrolment = self.enrolment.take().filter(|enrolment| enrolment.until > now.instant);
    }

    /// An unknown card was held to the reader of a charger, or to one at a desk. A card that may be another reading of
    /// one that is enrolled is never bound at once: somebody says whether it is the same.
    pub(crate) fn capture(&mut self, now: Now, uid: &CardUid, charger: Option<&ChargerId>) -> Capture {
        self.expire(now);
        let resembles = self.resembling(uid).is_some();
        let Some(enrolment) = &mut self.enrolment else { return Capture::Stranger };
        if charger.is_some() && enrolment.charger.as_ref().is_some_and(|only| Some(only) != charger) {
            return Capture::Stranger;
        }
        match &enrolment.captured {
            // Readers repeat a card that is held a little longer.
            Some((captured, _)) if captured == uid => return Capture::Waiting,
            Some(_) => return Capture::Stranger,
            None => {
                enrolment.captured = Some((uid.clone(), charger.cloned()));
                // The time was for the tap; now somebody asks for a name.
                enrolment.until = enrolment.until.max(now.instant + NAMING);
            }
        }
        match enrolment.tenant {
            Some(tenant) if !resembles => {
                enrolment.bound = true;
                Capture::Bound(self.insert(now, tenant, uid.clone()))
            }
            Some(_) | None => Capture::Waiting,
        }
    }

    /// A card was read by a reader at a desk, or its number typed.
    pub(crate) fn capture_at_desk(&mut self, now: Now, uid: &CardUid) -> Result<Option<Card>, OrderError> {
        self.free_uid(uid)?;
        match self.capture(now, uid, None) {
            Capture::Bound(card) => Ok(Some(card)),
            Capture::Waiting => Ok(None),
            Capture::Stranger => Err(OrderError::NotEnrolling),
        }
    }

    /// The enrolled card that this number may be another reading of.
    pub(crate) fn resembling(&self, uid: &CardUid) -> Option<&Card> {
        let cards = self.cards.values().filter(|card| card.alias_of.is_none());
        cards
            .filter_map(|card| Some((card.uid.likeness(uid)?, card)))
            .min_by_key(|(likeness, _)| *likeness)
            .map(|(_, card)| card)
    }

    /// Binds the captured card.
    pub(crate) fn assign(&mut self, now: Now, tenant: TenantId) -> Result<Card, OrderError> {
        self.tenant(tenant)?;
        self.expire(now);
        let enrolment = self.enrolment.as_ref().filter(|enrolment| !enrolment.bound);
        let (uid, _) = enrolment.and_then(|e| e.captured.clone()).ok_or(OrderError::NothingCaptured)?;
        let card = self.add(now, tenant, uid)?;
        self.enrolment = None;
        Ok(card)
    }

    pub(crate) fn add(&mut self, now: Now, tenant: TenantId, uid: CardUid) -> Result<Card, OrderError> {
        self.tenant(tenant)?;
        self.free_uid(&uid)?;
        Ok(self.insert(now, tenant, uid))
    }

    /// Whether nobody has this card.
    pub(crate) fn free_uid(&self, uid: &CardUid) -> Result<(), OrderError> {
        let Some(card) = self.cards.get(uid) else { return Ok(()) };
        let owner = self.tenants.get(&card.tenant).map_or_else(|| card.tenant.to_string(), |t| t.name.clone());
        Err(OrderError::CardTaken { uid: uid.clone(), tenant: owner })
    }

    fn insert(&mut self, now: Now, tenant: TenantId, uid: CardUid) -> Card {
        self.last_card = self.last_card.saturating_add(1);
        let card = Card {
            id: CardId(self.last_card),
            uid: uid.clone(),
            tenant,
            status: CardStatus::Active,
            enrolled_at: now.wall,
            policy: domain::CardPolicy::default(),
            alias_of: None,
        };
        self.refused.retain(|refused| refused.uid != uid);
        self.cards.insert(uid, card.clone());
        card
    }

    pub(crate) fn tenant(&self, id: TenantId) -> Result<&Tenant, OrderError> {
        match self.tenants.get(&id) {
            None => Err(OrderError::UnknownTenant(id)),
            Some(Tenant { status: TenantStatus::Erased(_), .. }) => Err(OrderError::TenantErased(id)),
            Some(tenant) => Ok(tenant),
        }
    }

    /// Lists a refused card; the same one at the same place replaces its older entry.
    pub(crate) fn refuse(&mut self, refused: RefusedCard) {
        self.refused.retain(|old| old.uid != refused.uid || old.charger != refused.charger);
        self.refused.insert(0, refused);
        self.refused.truncate(REFUSED_MAX);
    }

    /// Whether the next unknown card at this charger is waited for.
    pub(crate) fn is_enrolling(&self, now: Now, charger: &ChargerId) -> bool {
        self.enrolment.as_ref().is_some_and(|enrolment| {
            enrolment.until > now.instant && enrolment.charger.as_ref().is_none_or(|only| only == charger)
        })
    }

    pub(crate) fn enrolment(&self, now: Now) -> Option<EnrolmentState> {
        self.enrolment.as_ref().filter(|e| e.until > now.instant).map(|enrolment| EnrolmentState {
            tenant: enrolment.tenant,
            charger: enrolment.charger.clone(),
            remaining: enrolment.until.since(now.instant),
            captured: enrolment.captured.clone(),
            bound: enrolment.bound,
            resembles: enrolment
                .captured
                .as_ref()
                .filter(|_| !enrolment.bound)
                .and_then(|(uid, _)| self.resembling(uid))
                .map(|card| card.uid.clone()),
        })
    }
}

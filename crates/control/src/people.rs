//! Orders about tenants and cards. Each happens whole or changes nothing.

use crate::access::Access;
use crate::{Control, Made, OrderDone, OrderError, Output, TenantImport};
use domain::{Card, CardId, CardPolicy, CardStatus, CardUid, Now, Record, Tenant, TenantId, TenantStatus};
use std::collections::BTreeSet;

impl Control {
    /// Creates a tenant; the number is given here.
    pub(crate) fn add_tenant(&mut self, now: Now, tenant: Tenant, out: &mut Vec<Output>) -> OrderDone {
        let tenant = self.checked_tenant(tenant)?;
        let tenant = self.insert_tenant(now, tenant, out);
        Ok(Made::Tenant(tenant))
    }

    fn insert_tenant(&mut self, now: Now, mut tenant: Tenant, out: &mut Vec<Output>) -> Tenant {
        self.access.last_tenant = self.access.last_tenant.saturating_add(1);
        tenant.id = TenantId(self.access.last_tenant);
        tenant.created_at = now.wall;
        tenant.status = TenantStatus::Active;
        self.access.tenants.insert(tenant.id, tenant.clone());
        self.access.note_owners();
        out.push(Output::Save(Record::Tenant(tenant.clone())));
        tenant
    }

    /// What was typed, tidied and checked.
    fn checked_tenant(&self, mut tenant: Tenant) -> Result<Tenant, OrderError> {
        for text in [&mut tenant.name, &mut tenant.unit, &mut tenant.contact.email, &mut tenant.contact.phone] {
            *text = tidy(text);
        }
        let spaces = tenant.terms.parking_spaces.iter().map(|space| tidy(space));
        tenant.terms.parking_spaces = spaces.filter(|space| !space.is_empty()).collect();
        tenant.terms.chargers.sort();
        tenant.terms.chargers.dedup();
        tenant.check(self.site.min_charge, self.site.nominal_voltage).map_err(OrderError::Tenant)?;
        for charger in &tenant.terms.chargers {
            let other = self.access.owner(charger).filter(|(owner, _)| *owner != tenant.id);
            if let Some(owner) = other.and_then(|(owner, _)| self.access.tenants.get(&owner)) {
                return Err(OrderError::ChargerOwned { charger: charger.clone(), tenant: owner.name.clone() });
            }
        }
        Ok(tenant)
    }

    /// Replaces what is known of a tenant, archived or not; number, key and creation stay.
    pub(crate) fn set_tenant(&mut self, tenant: Tenant, out: &mut Vec<Output>) -> OrderDone {
        let known = self.access.tenant(tenant.id)?.clone();
        let status = match (known.status, tenant.status) {
            (TenantStatus::Erased(_), _) => return Err(OrderError::TenantErased(tenant.id)),
            (before @ (TenantStatus::Active | TenantStatus::Archived(_)), TenantStatus::Erased(_)) => before,
            (_, wanted @ (TenantStatus::Active | TenantStatus::Archived(_))) => wanted,
        };
        // Whoever moved out owns no charger any more that somebody else may have by now.
        let tenant = Tenant { key: known.key, created_at: known.created_at, status, ..self.checked_tenant(tenant)? };
        self.access.tenants.insert(tenant.id, tenant.clone());
        self.access.note_owners();
        out.push(Output::Save(Record::Tenant(tenant.clone())));
        self.clear_caches(out);
        Ok(Made::Tenant(tenant))
    }

    /// Forgets the person and their cards. Sessions keep the number, so that sums stay.
    pub(crate) fn erase_tenant(&mut self, now: Now, id: TenantId, out: &mut Vec<Output>) -> OrderDone {
        let erased = self.access.tenant(id)?.erased(now.wall);
        let gone: BTreeSet<CardUid> = self.access.cards_of(id).map(|card| card.uid.clone()).collect();
        self.access.refused.retain(|refused| !gone.contains(&refused.uid));
        self.access.cards.retain(|_, card| card.tenant != id);
        self.access.tenants.insert(id, erased);
        self.access.note_owners();
        out.push(Output::Save(Record::TenantErased(id, now.wall)));
        self.clear_caches(out);
        Ok(Made::Nothing)
    }

    /// Creates many tenants with their cards, or none.
    pub(crate) fn import_tenants(&mut self, now: Now, list: Vec<TenantImport>, out: &mut Vec<Output>) -> OrderDone {
        let mut seen: BTreeSet<&CardUid> = BTreeSet::new();
        for uid in list.iter().flat_map(|item| &item.cards) {
            self.access.free_uid(uid)?;
            if !seen.insert(uid) {
                return Err(OrderError::CardTwice(uid.clone()));
            }
        }
        let mut checked = Vec::with_capacity(list.len());
        let mut owned = BTreeSet::new();
        for TenantImport { tenant, cards } in list {
            let tenant = self.checked_tenant(tenant)?;
            for charger in &tenant.terms.chargers {
                if !owned.insert(charger.clone()) {
                    return Err(OrderError::ChargerOwned { charger: charger.clone(), tenant: tenant.name });
                }
            }
            checked.push((tenant, cards));
        }
        for (tenant, cards) in checked {
            let id = self.insert_tenant(now, tenant, out).id;
            for uid in cards {
                let card = self.access.add(now, id, uid)?;
                out.push(Output::Save(Record::Card(card)));
            }
        }
        self.clear_caches(out);
        Ok(Made::Nothing)
    }

    pub(crate) fn card_made(&self, card: Card, out: &mut Vec<Output>) -> Made {
        out.push(Output::Save(Record::Card(card.clone())));
        self.clear_caches(out);
        Made::Card(card)
    }

    /// Another reading of a card: it may do what the card may do.
    pub(crate) fn add_alias(&mut self, now: Now, of: &CardUid, uid: CardUid, out: &mut Vec<Output>) -> OrderDone {
        let known = self.access.cards.get(of).ok_or_else(|| OrderError::UnknownCard(of.clone()))?.clone();
        let mut alias = self.access.add(now, known.tenant, uid)?;
        alias.alias_of = Some(known.alias_of.unwrap_or(known.id));
        alias.status = known.status;
        alias.policy = known.policy;
        self.access.cards.insert(alias.uid.clone(), alias.clone());
        Ok(self.card_made(alias, out))
    }

    /// Blocks or unblocks a card with all its readings.
    pub(crate) fn set_card_status(&mut self, uid: CardUid, status: CardStatus, out: &mut Vec<Output>) -> OrderDone {
        let group = self.access.group(&uid).ok_or(OrderError::UnknownCard(uid.clone()))?;
        let mut changed = None;
        for card in self.access.cards.values_mut().filter(|card| card.alias_of.unwrap_or(card.id) == group) {
            card.status = status;
            out.push(Output::Save(Record::Card(card.clone())));
            if card.uid == uid {
                changed = Some(card.clone());
            }
        }
        self.clear_caches(out);
        changed.map(Made::Card).ok_or(OrderError::UnknownCard(uid))
    }

    /// Gives a card and all its readings a policy.
    pub(crate) fn set_card_policy(&mut self, uid: CardUid, policy: CardPolicy, out: &mut Vec<Output>) -> OrderDone {
        policy.check(self.site.min_charge).map_err(OrderError::Policy)?;
        let group = self.access.group(&uid).ok_or(OrderError::UnknownCard(uid.clone()))?;
        let mut changed = None;
        for card in self.access.cards.values_mut().filter(|card| card.alias_of.unwrap_or(card.id) == group) {
            card.policy = policy;
            out.push(Output::Save(Record::Card(card.clone())));
            if card.uid == uid {
                changed = Some(card.clone());
            }
        }
        changed.map(Made::Card).ok_or(OrderError::UnknownCard(uid))
    }

    /// Removes a card; with the card itself its other readings go too.
    pub(crate) fn remove_card(&mut self, uid: &CardUid, out: &mut Vec<Output>) -> OrderDone {
        let card = self.access.cards.get(uid).ok_or_else(|| OrderError::UnknownCard(uid.clone()))?.id;
        let goes = |known: &Card| known.uid == *uid || known.alias_of == Some(card);
        let gone: Vec<CardUid> =
            self.access.cards.values().filter(|known| goes(known)).map(|c| c.uid.clone()).collect();
        for uid in gone {
            self.access.cards.remove(&uid);
            out.push(Output::Save(Record::CardRemoved(uid)));
        }
        self.clear_caches(out);
        Ok(Made::Nothing)
    }
}

impl Access {
    fn cards_of(&self, tenant: TenantId) -> impl Iterator<Item = &Card> {
        self.cards.values().filter(move |card| card.tenant == tenant)
    }

    /// The row of the card this number is a reading of.
    pub(crate) fn group(&self, uid: &CardUid) -> Option<CardId> {
        self.cards.get(uid).map(|card| card.alias_of.unwrap_or(card.id))
    }
}

/// One line without blanks at its ends and without control characters.
fn tidy(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned()
}

//! What a tenant's terms allow here and now: validity, own chargers, the month's energy, and power.

use crate::access::Access;
use crate::sessions::Ledger;
use crate::state::ChargerLive;
use crate::{Control, Output};
use domain::{
    CardUid, CardVerdict, ChargerId, MilliAmps, Now, OwnChargerUse, Session, SessionId, Site, TenantId, Timestamp,
    WattHours,
};
use std::collections::BTreeMap;

/// The calendar month of the building that runs now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Month {
    pub(crate) starts: Timestamp,
    pub(crate) ends: Timestamp,
}

impl Control {
    /// What is wrong with a tenant's card at a charger at a time; `None` when nothing is.
    pub(crate) fn refusal(&self, now: Now, id: &ChargerId, tenant: TenantId, at: Timestamp) -> Option<CardVerdict> {
        // Whoever charges here may end it, whatever happened since.
        let charges_here = |session: &Session| {
            session.charger == *id && session.tenant == Some(tenant) && !self.in_use.contains(&session.id)
        };
        if self.ledger.open().any(|session| charges_here(session) && self.is_live(session)) {
            return None;
        }
        let known = self.access.tenants.get(&tenant)?;
        if !known.is_valid_at(at) {
            return Some(CardVerdict::NotValid);
        }
        match self.access.owner(id) {
            Some((owner, OwnChargerUse::OwnerOnly | OwnChargerUse::OwnerPays)) if owner != tenant => {
                return Some(CardVerdict::NotHere);
            }
            Some((_, OwnChargerUse::OwnerOnly | OwnChargerUse::OwnerPays | OwnChargerUse::Everyone)) | None => {}
        }
        let cap = known.terms.monthly_cap?;
        let used = self.month_energy(now, |payer| payer == tenant).remove(&tenant).unwrap_or_default();
        (used >= cap).then_some(CardVerdict::CapReached)
    }

    /// The verdict on a card nobody enrolled, or on none: it is the owner's where a charger's owner pays for those,
    /// by the tenant's terms or by what the manager decided about the charger.
    pub(crate) fn stranger_verdict(&self, id: &ChargerId) -> CardVerdict {
        if let Some((tenant, OwnChargerUse::OwnerPays)) = self.access.owner(id) {
            return CardVerdict::Accepted { tenant };
        }
        let owner = self.chargers.get(id).and_then(|live| live.charger.policy.owner);
        match owner.filter(|owner| self.access.tenants.contains_key(owner)) {
            Some(tenant) => CardVerdict::Accepted { tenant },
            None => CardVerdict::Unknown,
        }
    }

    /// Energy of tenants in the month that runs. A session that began before it counts with the part of its time that
    /// lies in the month.
    fn month_energy(&self, now: Now, counts: impl Fn(TenantId) -> bool) -> BTreeMap<TenantId, WattHours> {
        let mut used: BTreeMap<TenantId, WattHours> = BTreeMap::new();
        let Some(month) = self.month else { return used };
        let in_it = |session: &&Session| session.ended_at.is_none_or(|ended| ended > month.starts);
        for session in self.ledger.all().filter(in_it) {
            if let Some(tenant) = session.tenant.filter(|tenant| counts(*tenant)) {
                *used.entry(tenant).or_default() += energy_since(month.starts, now.wall, session);
            }
        }
        used
    }

    /// Notes who used the energy of the month; a month of sessions is summed, so not for every message.
    pub(crate) fn note_caps(&mut self, now: Now) {
        self.capped.clear();
        let caps: BTreeMap<TenantId, WattHours> =
            self.access.tenants.values().filter_map(|tenant| Some((tenant.id, tenant.terms.monthly_cap?))).collect();
        if caps.is_empty() {
            return;
        }
        let used = self.month_energy(now, |tenant| caps.contains_key(&tenant));
        let over = used.into_iter().filter(|(tenant, used)| caps.get(tenant).is_some_and(|cap| used >= cap));
        self.capped = over.map(|(tenant, _)| tenant).collect();
    }

    /// A month began, or the program did.
    pub(crate) fn begin_month(&mut self, now: Now, month: Month, out: &mut Vec<Output>) {
        self.month = Some(month);
        let refused = !self.capped.is_empty();
        self.note_caps(now);
        if refused {
            // Chargers may remember that they refused a card whose energy was used up.
            self.clear_caches(out);
        }
        self.guard(now, out);
    }

    /// Most current per wire of the sessions whose tenant has a maximum power.
    pub(crate) fn power_limits(&self) -> BTreeMap<SessionId, MilliAmps> {
        power_limits(&self.access, &self.ledger, &self.site, &self.chargers)
    }
}

fn energy_since(start: Timestamp, now: Timestamp, session: &Session) -> WattHours {
    let end = session.ended_at.unwrap_or(now).max(session.started_at);
    if session.started_at >= start {
        return session.energy;
    }
    let span = u128::from(end.0.abs_diff(session.started_at.0)).max(1);
    let inside = u128::from(u64::try_from(end.0.saturating_sub(start.0)).unwrap_or(0));
    WattHours(u64::try_from(u128::from(session.energy.0) * inside / span).unwrap_or(u64::MAX))
}

/// Divides the maximum power of each tenant equally between their sessions. Where that is too little for all, those
/// that began later wait.
fn power_limits(
    access: &Access,
    ledger: &Ledger,
    site: &Site,
    chargers: &BTreeMap<ChargerId, ChargerLive>,
) -> BTreeMap<SessionId, MilliAmps> {
    let mut limits = BTreeMap::new();
    for tenant in access.tenants.values() {
        let Some(power) = tenant.terms.max_power else { continue };
        let mut running: Vec<(Timestamp, SessionId, u64)> = Vec::new();
        for session in ledger.open().filter(|session| session.tenant == Some(tenant.id)) {
            let Some(live) = chargers.get(&session.charger) else { continue };
            let wires = u64::try_from(live.charger.wiring.wires().len()).unwrap_or(1).max(1);
            running.push((session.started_at, session.id, wires));
        }
        running.sort_unstable();
        let micro_watts = u64::from(power.0) * 1_000_000;
        let voltage = u64::from(site.nominal_voltage.0.max(1));
        // Between two phases a load takes more current for the same power on three wires than this counts: it is
        // given less than its maximum there, never more.
        let share = |of: usize, wires: u64| {
            let amps = micro_watts / u64::try_from(of.max(1)).unwrap_or(1) / voltage / wires;
            MilliAmps(u32::try_from(amps).unwrap_or(u32::MAX))
        };
        let fits = |of: &usize| running.iter().take(*of).all(|(_, _, wires)| share(*of, *wires) >= site.min_charge);
        let active = (1..=running.len()).rev().find(fits).unwrap_or(0);
        for (place, (_, session, wires)) in running.iter().enumerate() {
            let limit = if place < active { share(active, *wires) } else { MilliAmps::ZERO };
            limits.insert(*session, MilliAmps(limit.0 / 1000 * 1000));
        }
    }
    limits
}

impl Access {
    /// Whether two numbers are readings of one card.
    pub(crate) fn is_same_card(&self, one: &CardUid, other: &CardUid) -> bool {
        let group = |uid: &CardUid| self.cards.get(uid).map(|card| card.alias_of.unwrap_or(card.id));
        one == other || group(one).is_some_and(|known| group(other) == Some(known))
    }

    /// Whose charger this is, and who may use it.
    pub(crate) fn owner(&self, charger: &ChargerId) -> Option<(TenantId, OwnChargerUse)> {
        self.owners.get(charger).copied()
    }

    /// Notes again whose chargers are whose; to be called whenever tenants change.
    pub(crate) fn note_owners(&mut self) {
        self.owners.clear();
        for tenant in self.tenants.values().filter(|tenant| tenant.is_active()) {
            for charger in &tenant.terms.chargers {
                self.owners.entry(charger.clone()).or_insert((tenant.id, tenant.terms.charger_use));
            }
        }
    }
}

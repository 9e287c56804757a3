//! What the manager orders. An order either happens whole or changes nothing and says what to do instead.

use crate::chargers::CONNECTORS_MAX;
use crate::state::{ChargerLive, ConnectorLive, MeterLive};
use crate::tree::Tree;
use crate::{Change, Control, Made, Order, OrderDone, OrderError, Output};
use domain::{
    Charger, ChargerId, Circuit, CircuitId, CircuitTree, ConnectorNumber, Hold, Meter, MeterId, MilliAmps, Now,
    PerPhase, Phase, PhaseCount, Record, SessionId, Site, Wiring, Wish,
};
use std::cmp::Reverse;

/// The largest charger for alternating current that IEC 61851-1 knows.
const CHARGER_MAX: MilliAmps = MilliAmps::from_amps(80);

impl Control {
    pub(crate) fn order(&mut self, now: Now, order: Order, out: &mut Vec<Output>) -> OrderDone {
        match order {
            Order::SetSite(site) => self.set_site(now, site, out),
            Order::SetCircuits(circuits) => self.set_circuits(circuits, out),
            Order::Rewire { circuits, chargers, meters } => self.rewire(circuits, chargers, meters, out),
            Order::ApproveCharger(id) => self.approve_charger(now, &id, out),
            Order::SetCharger(charger) => self.set_charger(now, charger, out),
            Order::RemoveCharger(id) => self.remove_charger(now, &id, out),
            Order::OrderChargers(ids) => self.order_chargers(&ids, out),
            Order::ApproveMeter(id) => self.approve_meter(&id, out),
            Order::SetMeter(meter) => self.set_meter(meter, out),
            Order::RemoveMeter(id) => self.remove_meter(&id, out),
            Order::Hold { charger, hold } => self.hold(&charger, hold, out),
            Order::AddTenant(tenant) => self.add_tenant(now, *tenant, out),
            Order::SetTenant(tenant) => self.set_tenant(*tenant, out),
            Order::ImportTenants(list) => self.import_tenants(now, list, out),
            Order::EraseTenant(id) => self.erase_tenant(now, id, out),
            Order::AddCard { tenant, uid } => {
                let card = self.access.add(now, tenant, uid)?;
                Ok(self.card_made(card, out))
            }
            Order::AddAlias { card, uid } => self.add_alias(now, &card, uid, out),
            Order::SetCardStatus { uid, status } => self.set_card_status(uid, status, out),
            Order::SetCardPolicy { uid, policy } => self.set_card_policy(uid, policy, out),
            Order::RemoveCard(uid) => self.remove_card(&uid, out),
            Order::Enrol { tenant, charger, ttl } => {
                if let Some(charger) = &charger {
                    self.known_charger(charger)?;
                }
                self.access.enrol(now, tenant, charger, ttl)?;
                Ok(Made::Nothing)
            }
            Order::CaptureCard(uid) => {
                let bound = self.access.capture_at_desk(now, &uid)?;
                Ok(bound.map_or(Made::Nothing, |card| self.card_made(card, out)))
            }
            Order::CancelEnrolment => {
                self.access.cancel_enrolment();
                Ok(Made::Nothing)
            }
            Order::AssignCaptured { tenant } => {
                let card = self.access.assign(now, tenant)?;
                Ok(self.card_made(card, out))
            }
            Order::SetWish { session, wish } => self.set_wish(now, session, wish, out),
            Order::CorrectSession { session, correction, reason } => {
                self.correct_session(now, *session, &correction, &reason, out)
            }
            Order::DecideOrphan(order) => self.decide_orphan(now, order, out),
            Order::EndSession { charger, connector } => self.end_session(charger, connector, out),
        }
    }

    fn known_charger(&self, id: &ChargerId) -> Result<&ChargerLive, OrderError> {
        self.chargers.get(id).ok_or_else(|| OrderError::UnknownCharger(id.clone()))
    }

    fn known_circuit(&self, id: &CircuitId) -> Result<(), OrderError> {
        self.circuits.get(id).map(|_| ()).ok_or_else(|| OrderError::UnknownCircuit(id.clone()))
    }

    fn set_site(&mut self, now: Now, site: Site, out: &mut Vec<Output>) -> OrderDone {
        site.check().map_err(OrderError::Site)?;
        let fuse_before = self.site.main_fuse;
        self.site = site;
        self.root_follows_fuse(fuse_before, out);
        self.contract = self.site.contracted_at(self.wall_clock(now));
        self.tree = Tree::new(&self.site, &self.circuits, self.contract);
        self.peaks.clear();
        self.next_division = self.next_division.min(now.instant + self.site.control_interval);
        // A building that turns out to have one phase has its chargers on it.
        let narrow = self.site.phases == PhaseCount::One;
        for live in self.chargers.values_mut().filter(|live| narrow && live.charger.wiring != Wiring::single()) {
            live.charger.wiring = Wiring::single();
            out.push(Output::Save(Record::Charger(live.charger.clone())));
        }
        out.push(Output::Save(Record::Site(self.site.clone())));
        out.extend(self.fit_fallbacks());
        Ok(Made::Nothing)
    }

    /// A grid connection described by nothing but its main fuse changes with it.
    fn root_follows_fuse(&mut self, fuse_before: MilliAmps, out: &mut Vec<Output>) {
        let root = self.circuits.root().clone();
        let mut list: Vec<Circuit> = self.circuits.iter().cloned().collect();
        let Some(circuit) = list.iter_mut().find(|circuit| circuit.id == root) else { return };
        let described = circuit.rating.limit().is_some();
        if described || fuse_before == self.site.main_fuse || circuit.limit != PerPhase::splat(fuse_before) {
            return;
        }
        circuit.limit = PerPhase::splat(self.site.main_fuse);
        if let Ok(circuits) = CircuitTree::new(list.clone()) {
            self.circuits = circuits;
            out.push(Output::Save(Record::Circuits(list)));
        }
    }

    fn set_circuits(&mut self, circuits: CircuitTree, out: &mut Vec<Output>) -> OrderDone {
        let chargers = self.chargers.values().map(|live| (&live.charger.circuit, live.charger.name.clone()));
        let meters = self.meters.values().map(|live| (&live.meter.circuit, live.meter.name.clone()));
        if let Some((circuit, user)) = chargers.chain(meters).find(|(circuit, _)| circuits.get(circuit).is_none()) {
            return Err(OrderError::CircuitInUse { circuit: circuit.clone(), user });
        }
        self.circuits = circuits;
        self.tree = Tree::new(&self.site, &self.circuits, self.contract);
        self.peaks.clear();
        out.push(Output::Save(Record::Circuits(self.circuits.iter().cloned().collect())));
        out.extend(self.fit_fallbacks());
        Ok(Made::Nothing)
    }

    fn approve_charger(&mut self, now: Now, id: &ChargerId, out: &mut Vec<Output>) -> OrderDone {
        let live = self.chargers.get_mut(id).ok_or_else(|| OrderError::UnknownCharger(id.clone()))?;
        live.charger.approved = true;
        let charger = live.charger.clone();
        out.push(Output::Save(Record::Charger(charger.clone())));
        out.extend(self.fit_fallbacks());
        self.send_again(now, id, out);
        Ok(Made::Charger(charger))
    }

    pub(crate) fn check_charger(&self, charger: &Charger) -> Result<(), OrderError> {
        let min = self.site.min_charge;
        let text = || format!("{} A", min.0.div_ceil(1000));
        self.known_circuit(&charger.circuit)?;
        if charger.name.trim().is_empty() {
            return Err(OrderError::EmptyName);
        }
        if charger.max < min || charger.max > CHARGER_MAX {
            return Err(OrderError::MaximumOutOfRange { min: text() });
        }
        if !charger.fallback.is_zero() && (charger.fallback < min || charger.fallback > charger.max) {
            return Err(OrderError::FallbackOutOfRange { min: text() });
        }
        if charger.connectors == 0 || charger.connectors > CONNECTORS_MAX {
            return Err(OrderError::ConnectorsOutOfRange { max: CONNECTORS_MAX });
        }
        charger.policy.check(min, charger.max).map_err(OrderError::Policy)?;
        let outside = |phase: &Phase| !self.site.phases.phases().contains(phase);
        if charger.wiring.wires().iter().any(outside) {
            return Err(OrderError::WiringOutsideSite);
        }
        Ok(())
    }

    fn set_charger(&mut self, now: Now, mut charger: Charger, out: &mut Vec<Output>) -> OrderDone {
        self.check_charger(&charger)?;
        // A connector where a session runs exists, whatever is configured or announced.
        let here = self.ledger.open().filter(|session| session.charger == charger.id);
        let used = here.map(|session| session.connector.0).max().unwrap_or(0).min(CONNECTORS_MAX);
        charger.connectors = charger.connectors.max(used);
        let next = self.next_registration();
        let mut reordered = false;
        if let Some(live) = self.chargers.get_mut(&charger.id) {
            charger.registered = live.charger.registered;
            charger.protocol = live.charger.protocol;
            reordered = live.charger.priority != charger.priority;
            live.charger = charger.clone();
            let wanted = ConnectorNumber(charger.connectors);
            live.connectors.retain(|number, _| *number <= wanted);
            for number in 1..=charger.connectors {
                live.connectors.entry(ConnectorNumber(number)).or_insert_with(|| ConnectorLive::new(now));
            }
        } else {
            charger.registered = next;
            self.chargers.insert(charger.id.clone(), ChargerLive::new(charger.clone(), now));
        }
        out.push(Output::Save(Record::Charger(charger.clone())));
        out.push(Output::Approved { charger: charger.id.clone(), approved: charger.approved });
        if reordered {
            self.reopen_standby();
        }
        out.extend(self.fit_fallbacks());
        Ok(Made::Charger(charger))
    }

    fn remove_charger(&mut self, now: Now, id: &ChargerId, out: &mut Vec<Output>) -> OrderDone {
        let numbers: Vec<ConnectorNumber> = self.known_charger(id)?.connectors.keys().copied().collect();
        // Nobody counts it any more, so it must not charge any more.
        for connector in numbers {
            if let Some(session) = self.ledger.running(id, connector).map(|session| session.id) {
                out.push(Output::EndSession { charger: id.clone(), connector, session });
            }
            if self.connector_mut(&(id.clone(), connector)).is_some_and(|connector| !connector.set.is_zero()) {
                self.command(now, &(id.clone(), connector), MilliAmps::ZERO, Change::Cut, out);
            }
        }
        let open: Vec<SessionId> = self.ledger.open().filter(|s| s.charger == *id).map(|s| s.id).collect();
        for session in open {
            self.lose(session, out);
        }
        self.chargers.remove(id);
        out.push(Output::Approved { charger: id.clone(), approved: false });
        out.push(Output::Save(Record::ChargerRemoved(id.clone())));
        out.extend(self.fit_fallbacks());
        Ok(Made::Nothing)
    }

    fn order_chargers(&mut self, ids: &[ChargerId], out: &mut Vec<Output>) -> OrderDone {
        for id in ids {
            self.known_charger(id)?;
        }
        let mut order: Vec<ChargerId> = Vec::new();
        for id in ids {
            if !order.contains(id) {
                order.push(id.clone());
            }
        }
        let mut rest: Vec<&Charger> = self.chargers.values().map(|live| &live.charger).collect();
        rest.sort_by_key(|charger| (Reverse(charger.priority), charger.registered));
        let rest: Vec<ChargerId> = rest.into_iter().map(|c| c.id.clone()).filter(|id| !order.contains(id)).collect();
        order.extend(rest);
        for (priority, id) in (1..).zip(order.iter().rev()) {
            let Some(live) = self.chargers.get_mut(id) else { continue };
            if live.charger.priority != priority {
                live.charger.priority = priority;
                out.push(Output::Save(Record::Charger(live.charger.clone())));
            }
        }
        self.reopen_standby();
        out.extend(self.fit_fallbacks());
        Ok(Made::Nothing)
    }

    /// Who is served first changed, so the room that a waiting car once lacked says nothing any more.
    fn reopen_standby(&mut self) {
        for connector in self.chargers.values_mut().flat_map(|live| live.connectors.values_mut()) {
            connector.standby_room = None;
        }
    }

    fn approve_meter(&mut self, id: &MeterId, out: &mut Vec<Output>) -> OrderDone {
        let live = self.meters.get_mut(id).ok_or_else(|| OrderError::UnknownMeter(id.clone()))?;
        live.meter.approved = true;
        let meter = live.meter.clone();
        out.push(Output::Save(Record::Meter(meter.clone())));
        out.push(Output::MeterApproved { meter: id.clone(), approved: true });
        Ok(Made::Meter(meter))
    }

    fn set_meter(&mut self, meter: Meter, out: &mut Vec<Output>) -> OrderDone {
        self.known_circuit(&meter.circuit)?;
        if meter.name.trim().is_empty() {
            return Err(OrderError::EmptyName);
        }
        self.meters.entry(meter.id.clone()).or_insert_with(|| MeterLive::new(meter.clone())).meter = meter.clone();
        out.push(Output::Save(Record::Meter(meter.clone())));
        out.push(Output::MeterApproved { meter: meter.id.clone(), approved: meter.approved });
        Ok(Made::Meter(meter))
    }

    fn remove_meter(&mut self, id: &MeterId, out: &mut Vec<Output>) -> OrderDone {
        self.meters.remove(id).ok_or_else(|| OrderError::UnknownMeter(id.clone()))?;
        out.push(Output::MeterApproved { meter: id.clone(), approved: false });
        out.push(Output::Save(Record::MeterRemoved(id.clone())));
        Ok(Made::Nothing)
    }

    fn hold(&mut self, id: &ChargerId, hold: Option<Hold>, out: &mut Vec<Output>) -> OrderDone {
        let min = self.site.min_charge;
        if let Some(Hold::LimitedTo(limit)) = hold
            && limit < min
        {
            return Err(OrderError::LimitOutOfRange { min: format!("{} A", min.0.div_ceil(1000)) });
        }
        let live = self.chargers.get_mut(id).ok_or_else(|| OrderError::UnknownCharger(id.clone()))?;
        live.hold = hold;
        out.push(Output::Save(Record::Hold(id.clone(), hold)));
        Ok(Made::Nothing)
    }

    fn set_wish(&mut self, now: Now, session: SessionId, wish: Option<Wish>, out: &mut Vec<Output>) -> OrderDone {
        if let Some(wish) = wish {
            wish.check(now.wall).map_err(OrderError::Policy)?;
        }
        if !self.ledger.open().any(|open| open.id == session) {
            return Err(OrderError::UnknownSession(session));
        }
        match wish {
            Some(wish) => self.wishes.insert(session, wish),
            None => self.wishes.remove(&session),
        };
        out.push(Output::Save(Record::Wish(session, wish)));
        Ok(Made::Nothing)
    }

    fn end_session(&self, charger: ChargerId, connector: ConnectorNumber, out: &mut Vec<Output>) -> OrderDone {
        self.known_charger(&charger)?;
        let Some(session) = self.ledger.running(&charger, connector).map(|session| session.id) else {
            return Err(OrderError::NoSession { charger, connector });
        };
        out.push(Output::EndSession { charger, connector, session });
        Ok(Made::Ending(session))
    }
}

//! What is known right now, for people: flows, powers, the snapshot.

use crate::plan::Connector;
use crate::state::{ChargerLive, ConnectorLive, MeterLive};
use crate::{ChargerState, CircuitState, ConnectorState, Control, GridState, MeterState, Reason, Snapshot};
use domain::{
    ConnectorNumber, ConnectorStatus, Flow, MeterRole, MeterSample, MilliAmps, MilliVolts, Now, PerPhase, Phase, Watts,
};
use std::cmp::Reverse;

/// A flow per phase in mA, positive for import.
type Net = PerPhase<i64>;

/// A car that takes more than this is charging.
const CHARGING: MilliAmps = MilliAmps::from_amps(1);

/// The grid connection, as flows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct GridFlows {
    pub(crate) house: Net,
    pub(crate) total: Net,
    pub(crate) house_power_w: i64,
    pub(crate) total_power_w: i64,
    pub(crate) solar_power_w: Option<i64>,
}

impl Control {
    /// The live state.
    #[must_use]
    pub fn snapshot(&self, now: Now) -> Snapshot {
        let mut chargers: Vec<&ChargerLive> = self.chargers.values().collect();
        chargers.sort_by_key(|live| (Reverse(live.charger.priority), live.charger.registered));
        let assessment = self.assess(now);
        let counted = |key: &Connector| assessment.committed.get(key).copied().unwrap_or_default();
        let chargers: Vec<ChargerState> = chargers
            .into_iter()
            .map(|live| ChargerState {
                charger: live.charger.clone(),
                online: live.is_online(),
                hold: live.hold,
                hardware: live.hardware.clone(),
                fallback: live.fallback_in_force(),
                connectors: live
                    .connectors
                    .iter()
                    .map(|(number, connector)| {
                        let key = (live.charger.id.clone(), *number);
                        self.connector_state(now, live, *number, connector, counted(&key))
                    })
                    .collect(),
            })
            .collect();
        let meters = self.meters.values().map(|live| MeterState {
            meter: live.meter.clone(),
            fresh: live.is_fresh(now, self.site.meter_max_age),
            online: live.online,
            sample: live.sample.map(|(_, sample)| sample),
        });
        Snapshot {
            at: now.wall,
            site: self.site.clone(),
            grid: self.grid(now, &chargers),
            circuits: self.circuit_states(now),
            fallbacks: self.fallback_check(),
            outlook: self.outlook.clone(),
            forecast: self.forecast(now),
            chargers,
            meters: meters.collect(),
            alarms: self.alarms.list(),
            enrolment: self.access.enrolment(now),
            refused_cards: self.access.refused.clone(),
            tenants: self.access.tenants.values().cloned().collect(),
            cards: self.access.cards.values().cloned().collect(),
        }
    }

    fn connector_state(
        &self,
        now: Now,
        live: &ChargerLive,
        number: ConnectorNumber,
        connector: &ConnectorLive,
        counted: MilliAmps,
    ) -> ConnectorState {
        let reason = match (&connector.reason, connector.standby_until) {
            (Reason::WaitingHold { .. }, Some(until)) => Reason::WaitingHold { remaining: until.since(now.instant) },
            (reason, _) => reason.clone(),
        };
        let status = if live.status == ConnectorStatus::Faulted { live.status } else { connector.status };
        ConnectorState {
            number,
            status,
            detail: connector.detail.clone(),
            set: connector.set,
            measured: self.drawn_now(now, live, number).map(<[MilliAmps]>::to_vec).unwrap_or_default(),
            power: Watts(u32::try_from(self.connector_power_w(now, live, number)).unwrap_or(0)),
            counted,
            session: self.ledger.running(&live.charger.id, number).cloned(),
            wish: self.ledger.running(&live.charger.id, number).and_then(|open| self.wishes.get(&open.id).copied()),
            reason: if live.charger.approved { reason } else { Reason::NotApproved },
        }
    }

    /// Newest currents of a connector, unless they are of a session that is over.
    pub(crate) fn drawn_now<'a>(
        &self,
        now: Now,
        live: &'a ChargerLive,
        number: ConnectorNumber,
    ) -> Option<&'a [MilliAmps]> {
        let connector = live.connectors.get(&number)?;
        let draw = connector.draw(now)?;
        let is_busy =
            connector.status == ConnectorStatus::Charging || self.ledger.running(&live.charger.id, number).is_some();
        is_busy.then_some(draw.per_wire.as_slice())
    }

    pub(crate) fn connector_power_w(&self, now: Now, live: &ChargerLive, number: ConnectorNumber) -> i64 {
        let Some(per_wire) = self.drawn_now(now, live, number) else { return 0 };
        let measured = live.connectors.get(&number).and_then(|connector| connector.power_now(now));
        let by_current = || {
            let milli_amps: i64 = per_wire.iter().map(|amount| i64::from(amount.0)).sum();
            watts(milli_amps, self.site.nominal_voltage)
        };
        measured.map_or_else(by_current, |power| i64::from(power.0))
    }

    /// What cars below a circuit draw, as newest measured.
    fn cars_below(&self, now: Now, index: usize) -> (Net, i64) {
        let (mut net, mut power_w) = (Net::default(), 0);
        for live in self.chargers.values() {
            if live.connectors.values().all(|connector| connector.draw(now).is_none()) {
                continue;
            }
            let own = self.tree.index(&live.charger.circuit);
            if !own.is_some_and(|own| self.tree.path(own).any(|above| above == index)) {
                continue;
            }
            for number in live.connectors.keys() {
                let Some(per_wire) = self.drawn_now(now, live, *number) else { continue };
                let grid = live.charger.wiring.to_grid(per_wire);
                net = net.zip(grid).map(|(net, amount)| net + i64::from(amount.0));
                power_w += self.connector_power_w(now, live, *number);
            }
        }
        (net, power_w)
    }

    fn approved_meters(&self, index: usize, role: MeterRole) -> impl Iterator<Item = &MeterLive> {
        let id = self.tree.branches.get(index).map(|branch| &branch.id);
        self.meters
            .values()
            .filter(move |live| live.meter.approved && live.meter.role == role && Some(&live.meter.circuit) == id)
    }

    /// Sum of fresh meters of one role; `None` when there are none or one is silent.
    fn metered(&self, now: Now, index: usize, role: MeterRole) -> Option<(Net, i64)> {
        let mut result: Option<(Net, i64)> = None;
        for live in self.approved_meters(index, role) {
            if !live.is_fresh(now, self.site.meter_max_age) {
                return None;
            }
            let (_, sample) = live.sample?;
            let (net, power) = result.unwrap_or_default();
            let net = net.zip(sample.current).map(|(sum, flow)| sum.saturating_add(flow.net_ma()));
            result = Some((net, power + self.sample_power_w(&sample)));
        }
        result
    }

    fn sample_power_w(&self, sample: &MeterSample) -> i64 {
        if let Some(power) = sample.power {
            return power.net_w();
        }
        let phases = self.site.phases.phases();
        let of = |phase: &Phase| {
            let voltage = sample.voltage.map_or(self.site.nominal_voltage, |voltage| *voltage.get(*phase));
            watts(sample.current.get(*phase).net_ma(), voltage)
        };
        phases.iter().map(of).sum()
    }

    /// What is measured to flow through a circuit, chargers included; `None` when that is not known.
    pub(crate) fn known_flow(&self, now: Now, index: usize) -> Option<Net> {
        let cars = self.cars_below(now, index).0;
        let whole = self.metered(now, index, MeterRole::Circuit).map(|(net, _)| net);
        let house = || {
            let (net, _) = self.metered(now, index, MeterRole::House)?;
            Some(net.zip(cars).map(|(house, cars)| house + cars))
        };
        whole.or_else(house).or_else(|| (index != self.tree.root).then_some(cars))
    }

    /// The grid connection: measured, or else with the load that is assumed.
    pub(crate) fn grid_flows(&self, now: Now) -> GridFlows {
        let root = self.tree.root;
        let (cars, cars_w) = self.cars_below(now, root);
        let solar_power_w = self
            .meters
            .values()
            .filter(|m| m.meter.approved && m.meter.role == MeterRole::Solar)
            .filter(|m| m.is_fresh(now, self.site.meter_max_age))
            .filter_map(|m| m.sample.map(|(_, sample)| self.sample_power_w(&sample).abs()))
            .reduce(|a, b| a + b);
        if let Some((total, total_power_w)) = self.metered(now, root, MeterRole::Circuit) {
            let house = total.zip(cars).map(|(total, cars)| total - cars);
            let house_power_w = total_power_w - cars_w;
            return GridFlows { house, total, house_power_w, total_power_w, solar_power_w };
        }
        let (house, house_power_w) = self.metered(now, root, MeterRole::House).unwrap_or_else(|| self.assumed(now));
        let total = house.zip(cars).map(|(house, cars)| house + cars);
        GridFlows { house, total, house_power_w, total_power_w: house_power_w + cars_w, solar_power_w }
    }

    /// Power of all batteries, positive when they charge; `None` when none is measured.
    pub(crate) fn battery_power_w(&self, now: Now) -> Option<i64> {
        let batteries = self.meters.values().filter(|m| m.meter.approved && m.meter.role == MeterRole::Battery);
        batteries
            .filter(|m| m.is_fresh(now, self.site.meter_max_age))
            .filter_map(|m| m.sample.map(|(_, sample)| self.sample_power_w(&sample)))
            .reduce(|a, b| a.saturating_add(b))
    }

    fn assumed(&self, now: Now) -> (Net, i64) {
        let loads = self.assess(now).loads;
        let mut house = Net::default();
        if let Some(load) = loads.get(self.tree.root) {
            for phase in self.site.phases.phases() {
                *house.get_mut(*phase) = i64::from(load.low.get(*phase).0);
            }
        }
        let power = Phase::ALL.iter().map(|phase| watts(*house.get(*phase), self.site.nominal_voltage)).sum();
        (house, power)
    }

    fn grid(&self, now: Now, chargers: &[ChargerState]) -> GridState {
        let flows = self.grid_flows(now);
        let limit = self.tree.branches.get(self.tree.root).map(|branch| branch.limit).unwrap_or_default();
        let phases = self.site.phases.phases();
        let headroom = phases.iter().map(|phase| {
            let free = i64::from(limit.get(*phase).0) - i64::from(self.site.margin.0) - flows.total.get(*phase);
            MilliAmps(u32::try_from(free.max(0)).unwrap_or(u32::MAX))
        });
        let limit_w: i64 = phases.iter().map(|p| watts(i64::from(limit.get(*p).0), self.site.nominal_voltage)).sum();
        let margin_ma = i64::from(self.site.margin.0) * i64::try_from(phases.len()).unwrap_or(1);
        let connectors = || chargers.iter().flat_map(|charger| &charger.connectors);
        let count = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        let draws = |c: &&ConnectorState| c.measured.iter().any(|amount| *amount > CHARGING);
        let waits = |c: &&ConnectorState| c.session.is_some() && c.set.is_zero() && is_standby(&c.reason);
        GridState {
            limit,
            margin: self.site.margin,
            house: flows.house.map(Flow::<MilliAmps>::from_net_ma),
            total: flows.total.map(Flow::<MilliAmps>::from_net_ma),
            house_power: Flow::<Watts>::from_net_w(flows.house_power_w),
            total_power: Flow::<Watts>::from_net_w(flows.total_power_w),
            solar_power: flows.solar_power_w.map(|w| Watts(u32::try_from(w).unwrap_or(0))),
            battery_power: self.battery_power_w(now).map(Flow::<Watts>::from_net_w),
            limit_power: Watts(u32::try_from(limit_w).unwrap_or(u32::MAX)),
            margin_power: Watts(u32::try_from(watts(margin_ma, self.site.nominal_voltage)).unwrap_or(u32::MAX)),
            headroom: headroom.min().unwrap_or_default(),
            cars_charging: count(connectors().filter(draws).count()),
            cars_waiting: count(connectors().filter(waits).count()),
            metered: self.is_metered(now),
        }
    }

    /// Whether the grid connection is measured now.
    pub(crate) fn is_metered(&self, now: Now) -> bool {
        [MeterRole::Circuit, MeterRole::House].iter().any(|role| self.metered(now, self.tree.root, *role).is_some())
    }

    fn circuit_states(&self, now: Now) -> Vec<CircuitState> {
        let root_total = self.grid_flows(now).total;
        let state = |(index, branch): (usize, &crate::tree::Branch)| {
            let flow = self.known_flow(now, index).unwrap_or(root_total).map(Flow::<MilliAmps>::from_net_ma);
            let circuit = self.circuits.get(&branch.id)?.clone();
            let kept_free = self.guard.reserve(index).map(|reserve| reserve + self.site.margin);
            let trip_used_milli = self.gauges.used_milli(index);
            Some(CircuitState { circuit, limit: branch.limit, flow, kept_free, trip_used_milli })
        };
        self.tree.branches.iter().enumerate().filter_map(state).collect()
    }
}

const fn is_standby(reason: &Reason) -> bool {
    match reason {
        Reason::Waiting { .. }
        | Reason::WaitingForNews { .. }
        | Reason::WaitingForTurn { .. }
        | Reason::WaitingHold { .. }
        | Reason::Confirming => true,
        Reason::Idle
        | Reason::Shared { .. }
        | Reason::ChargerMaximum
        | Reason::ManagerLimit
        | Reason::TenantLimit
        | Reason::CapReached
        | Reason::CarTakesLess { .. }
        | Reason::Paused
        | Reason::OutsideTimes
        | Reason::NoSurplus
        | Reason::WaitingForPrice { .. }
        | Reason::Waking { .. }
        | Reason::Imbalance
        | Reason::MeterSilent
        | Reason::Offline { .. }
        | Reason::Unheard { .. }
        | Reason::Disobeys { .. }
        | Reason::NotApproved
        | Reason::NotAuthorised => false,
    }
}

/// Power of a current, rounded to the nearest watt towards zero.
fn watts(milli_amps: i64, voltage: MilliVolts) -> i64 {
    milli_amps.saturating_mul(i64::from(voltage.0)) / 1_000_000
}

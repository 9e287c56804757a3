//! What the building did before the demo began: sessions and load curves that fit each other.
//!
//! The same visits and the same house as in the running demo, in steps of five minutes, the last day in
//! steps of one minute. Current is shared equally in whole amps below every limit. A session's energy is
//! exactly the integral of its connector's curve.

use crate::dice::{Dice, stream};
use crate::energy::Energy;
use crate::house::{House, HouseLoad, current_of};
use crate::plan::BuildingPlan;
use crate::visits::{Visit, visits};
use domain::{
    Charger, ChargerId, CircuitId, CircuitTree, CircuitTreeError, ConnectorNumber, DurationMs, EndReason, Flow,
    MilliAmps, MilliVolts, PerPhase, Phase, Provenance, Quantity, Series, Session, SessionId, Source, TenantId,
    Timestamp, WattHours,
};
use std::collections::BTreeMap;

/// A building's past.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Ended sessions in the order they began; identities from 1.
    pub sessions: Vec<Session>,
    /// Energy of each session since its start, at the quarters of an hour.
    pub traces: Vec<(SessionId, Vec<(Timestamp, WattHours)>)>,
    /// Averages of each minute of the last day, by series; times are the beginnings of the minutes.
    pub minutes: BTreeMap<Series, Vec<(Timestamp, i64)>>,
    /// Averages of each quarter of an hour before that, by series; times are their beginnings.
    pub quarters: BTreeMap<Series, Vec<(Timestamp, i64)>>,
    /// Registers of the chargers at the end.
    pub registers: BTreeMap<ChargerId, WattHours>,
}

const MINUTE: DurationMs = DurationMs(60_000);
const COARSE: DurationMs = DurationMs(300_000);
const QUARTER_MS: i64 = 900_000;
const DAY: DurationMs = DurationMs(86_400_000);
/// Least and most amps a car takes.
const AMPS_MIN: u32 = 6;
/// Voltage of the past.
const VOLTS: MilliVolts = MilliVolts(230_000);

/// The past of a building between two times. Cars that stand there at the end have their session closed
/// at that moment.
///
/// # Errors
/// When the plan's circuits form no tree.
pub fn history(plan: &BuildingPlan, from: Timestamp, until: Timestamp) -> Result<History, CircuitTreeError> {
    let circuits = CircuitTree::new(plan.circuits.clone())?;
    let mut past = Past::new(plan, circuits, from, until);
    let fine_from = quarter_of(until - DAY);
    let mut at = quarter_of(from);
    while at < until {
        let step = if at < fine_from { COARSE } else { MINUTE };
        let end = (at + step).min(until);
        past.step(at, end);
        if step == MINUTE {
            past.read(at, Resolution::Minute);
        } else if quarter_of(end) == end {
            past.read(Timestamp(end.0 - QUARTER_MS), Resolution::Quarter);
        }
        at = end;
    }
    Ok(past.close(until))
}

/// How far apart readings are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resolution {
    Minute,
    Quarter,
}

/// Beginning of the quarter of an hour.
const fn quarter_of(at: Timestamp) -> Timestamp {
    Timestamp(at.0.div_euclid(QUARTER_MS) * QUARTER_MS)
}

/// A charger of the past.
struct Bay<'a> {
    charger: &'a Charger,
    register: Energy,
    /// Register at the last reading.
    read_at: Energy,
    set: u32,
    parked: Option<Parked>,
}

struct Parked {
    visit: Visit,
    session: usize,
    received: Energy,
    wires: usize,
    amps_max: u32,
    trace: Vec<(Timestamp, WattHours)>,
}

struct Past<'a> {
    plan: &'a BuildingPlan,
    circuits: CircuitTree,
    house: House,
    coming: std::iter::Peekable<std::vec::IntoIter<Visit>>,
    bays: Vec<Bay<'a>>,
    dice: Dice,
    since_reading: DurationMs,
    house_w_ms: PerPhase<i64>,
    solar_w_ms: i64,
    cars: PerPhase<Energy>,
    history: History,
}

impl<'a> Past<'a> {
    fn new(plan: &'a BuildingPlan, circuits: CircuitTree, from: Timestamp, until: Timestamp) -> Self {
        let all = visits(plan.seed, from, until - MINUTE, plan.chargers.len(), plan.households.len());
        let bays = plan.chargers.iter().map(|charger| {
            let (register, read_at) = (Energy::ZERO, Energy::ZERO);
            Bay { charger, register, read_at, set: 0, parked: None }
        });
        Self {
            plan,
            circuits,
            house: House::new(plan.house.clone()),
            coming: all.into_iter().peekable(),
            bays: bays.collect(),
            dice: Dice::new(plan.seed, stream::VISITS),
            since_reading: DurationMs::default(),
            house_w_ms: PerPhase::default(),
            solar_w_ms: 0,
            cars: PerPhase::default(),
            history: History::default(),
        }
    }

    fn step(&mut self, at: Timestamp, end: Timestamp) {
        let step = DurationMs(u64::try_from(end.0 - at.0).unwrap_or(0));
        while let Some(visit) = self.coming.next_if(|visit| visit.arrives < end) {
            self.arrive(visit);
        }
        let load = self.house.load(at + DurationMs(step.0 / 2));
        let amps = self.share(&load);
        for (bay, amps) in self.bays.iter_mut().zip(amps) {
            bay.charge(amps, at, end, &mut self.cars);
        }
        if quarter_of(end) == end {
            for bay in &mut self.bays {
                bay.trace(end, &self.history);
            }
        }
        for bay in &mut self.bays {
            if bay.parked.as_ref().is_some_and(|parked| parked.visit.leaves <= end) {
                bay.leave(&mut self.history, None);
            }
        }
        let time = i64::try_from(step.0).unwrap_or(0);
        self.house_w_ms = self.house_w_ms.zip(load.net_w()).map(|(sum, watts)| sum + watts * time);
        self.solar_w_ms += load.solar_w.iter().map(|(_, watts)| i64::from(*watts)).sum::<i64>() * time;
        self.since_reading = DurationMs(self.since_reading.0 + step.0);
    }

    fn arrive(&mut self, visit: Visit) {
        let Some(bay) = self.bays.get_mut(visit.bay).filter(|bay| bay.parked.is_none()) else { return };
        let home = self.plan.households.get(visit.household);
        let wires = bay.charger.wiring.wires().len();
        let single = wires < 3 || self.dice.percent(15);
        let amps_max = if single && self.dice.percent(60) { 32 } else { 16 };
        self.history.sessions.push(Session {
            id: SessionId(i32::try_from(self.history.sessions.len() + 1).unwrap_or(i32::MAX)),
            charger: bay.charger.id.clone(),
            connector: ConnectorNumber(1),
            card: home.and_then(|home| home.cards.first()).map(|card| card.uid.clone()),
            tenant: home.map(|home| -> TenantId { home.tenant.id }),
            started_at: visit.arrives,
            ended_at: None,
            meter_start: bay.register.wh(),
            meter_last: bay.register.wh(),
            energy: WattHours::ZERO,
            provenance: Provenance::Measured,
            end_reason: None,
        });
        let session = self.history.sessions.len() - 1;
        let wires = if single { 1 } else { wires };
        let trace = Vec::new();
        bay.parked = Some(Parked { visit, session, received: Energy::ZERO, wires, amps_max, trace });
    }

    /// Whole amps for each bay: the least for each in the order of registration, then one more in turn.
    fn share(&self, load: &HouseLoad) -> Vec<u32> {
        let mut room = Room::new(self.plan, &self.circuits, load);
        let mut amps = vec![0_u32; self.bays.len()];
        for (bay, given) in self.bays.iter().zip(&mut amps) {
            if bay.wants() && room.take(bay, AMPS_MIN) {
                *given = AMPS_MIN;
            }
        }
        let mut raised = true;
        while raised {
            raised = false;
            for (bay, given) in self.bays.iter().zip(&mut amps) {
                if *given > 0 && *given < bay.amps_max() && room.take(bay, 1) {
                    *given += 1;
                    raised = true;
                }
            }
        }
        amps
    }

    /// Writes what was measured since the last reading.
    fn read(&mut self, at: Timestamp, resolution: Resolution) {
        let time = i64::try_from(self.since_reading.0.max(1)).unwrap_or(1);
        let house_w = self.house_w_ms.map(|sum| sum / time);
        let watts = |values: PerPhase<i64>| values.iter().map(|(_, watts)| *watts).sum::<i64>();
        let cars_w = self.cars.map(|energy| average_w(energy, self.since_reading));
        let total_w = house_w.zip(cars_w).map(|(house, cars)| house + cars);
        let mut rows = vec![
            (Source::House, Quantity::Power, watts(house_w)),
            (Source::Solar, Quantity::Power, self.solar_w_ms / time),
            (Source::Circuit(self.circuits.root().clone()), Quantity::Power, watts(total_w)),
        ];
        if resolution == Resolution::Minute {
            let root = Source::Circuit(self.circuits.root().clone());
            for ((phase, house), (_, total)) in house_w.iter().zip(total_w.iter()) {
                rows.push((Source::House, current(phase), current_of(*house, VOLTS).net_ma()));
                rows.push((root.clone(), current(phase), current_of(*total, VOLTS).net_ma()));
            }
            rows.push((root, Quantity::Limit, i64::from(self.plan.site.grid_limit().0)));
        }
        for bay in &mut self.bays {
            let energy = bay.register.saturating_sub(bay.read_at);
            if energy != Energy::ZERO {
                let source = Source::Connector(bay.charger.id.clone(), ConnectorNumber(1));
                let register = i64::try_from(bay.register.wh().0).unwrap_or(i64::MAX);
                rows.push((source, Quantity::Energy, register));
            }
            bay.read_at = bay.register;
            if energy == Energy::ZERO && bay.parked.is_none() {
                continue;
            }
            let source = Source::Connector(bay.charger.id.clone(), ConnectorNumber(1));
            rows.push((source.clone(), Quantity::Power, average_w(energy, self.since_reading)));
            if resolution == Resolution::Minute {
                rows.push((source, Quantity::Setpoint, i64::from(bay.set) * 1000));
            }
        }
        let list = match resolution {
            Resolution::Minute => &mut self.history.minutes,
            Resolution::Quarter => &mut self.history.quarters,
        };
        for (source, quantity, value) in rows {
            list.entry(Series { source, quantity }).or_default().push((at, value));
        }
        self.since_reading = DurationMs::default();
        (self.house_w_ms, self.solar_w_ms, self.cars) = (PerPhase::default(), 0, PerPhase::default());
    }

    fn close(mut self, until: Timestamp) -> History {
        for bay in &mut self.bays {
            bay.leave(&mut self.history, Some(until));
            self.history.registers.insert(bay.charger.id.clone(), bay.register.wh());
        }
        self.history
    }
}

impl Bay<'_> {
    fn wants(&self) -> bool {
        self.parked.as_ref().is_some_and(|parked| parked.received < Energy::from_wh(parked.visit.wants))
    }

    fn amps_max(&self) -> u32 {
        self.parked.as_ref().map_or(0, |parked| parked.amps_max)
    }

    fn used_wires(&self) -> &[Phase] {
        let wires = self.parked.as_ref().map_or(0, |parked| parked.wires);
        self.charger.wiring.wires().get(..wires).unwrap_or_default()
    }

    /// Charges during the part of the step the car is there.
    fn charge(&mut self, amps: u32, at: Timestamp, end: Timestamp, cars: &mut PerPhase<Energy>) {
        self.set = amps;
        let wires = self.used_wires().to_vec();
        let Some(parked) = &mut self.parked else { return };
        let (begin, stop) = (at.max(parked.visit.arrives), end.min(parked.visit.leaves));
        let time = DurationMs(u64::try_from(stop.0 - begin.0).unwrap_or(0));
        for phase in wires {
            let energy = Energy::flow(MilliAmps(amps * 1000), VOLTS, time);
            parked.received += energy;
            self.register += energy;
            *cars.get_mut(phase) += energy;
        }
    }

    /// Notes how much the session has by now.
    fn trace(&mut self, at: Timestamp, history: &History) {
        let register = self.register.wh();
        let Some(parked) = self.parked.as_mut().filter(|parked| parked.visit.leaves > at) else { return };
        let Some(session) = history.sessions.get(parked.session) else { return };
        parked.trace.push((at, register.saturating_sub(session.meter_start)));
    }

    /// Closes the session, if one runs, at the departure or at `cut`.
    fn leave(&mut self, history: &mut History, cut: Option<Timestamp>) {
        let Some(parked) = self.parked.take() else { return };
        let Some(session) = history.sessions.get_mut(parked.session) else { return };
        history.traces.push((session.id, parked.trace));
        session.ended_at = Some(cut.unwrap_or(parked.visit.leaves));
        session.meter_last = self.register.wh();
        session.energy = session.meter_last.saturating_sub(session.meter_start);
        session.end_reason = Some(if session.id.0 % 3 == 0 { EndReason::Card } else { EndReason::Unplugged });
        self.set = 0;
    }
}

/// What is still free on every phase of every circuit.
struct Room<'a> {
    circuits: &'a CircuitTree,
    free: BTreeMap<&'a CircuitId, PerPhase<i64>>,
}

impl<'a> Room<'a> {
    fn new(plan: &BuildingPlan, circuits: &'a CircuitTree, load: &HouseLoad) -> Self {
        let margin = i64::from(plan.site.margin.0);
        let grid = i64::from(plan.site.grid_limit().0);
        let house = load.net_w().map(|watts| current_of(watts, VOLTS)).map(Flow::net_ma);
        let free = circuits.iter().map(|circuit| {
            let limit = circuit.limit.map(|limit| i64::from(limit.0) - margin);
            let is_root = circuit.id == *circuits.root();
            let free =
                limit.zip(house).map(|(limit, house)| if is_root { limit.min(grid - margin) - house } else { limit });
            (&circuit.id, free)
        });
        Self { circuits, free: free.collect() }
    }

    /// Takes so many amps for a bay, if every circuit above it has them on every phase it uses.
    fn take(&mut self, bay: &Bay<'_>, amps: u32) -> bool {
        let need = i64::from(amps) * 1000;
        let path: Vec<&CircuitId> = self.circuits.path_to_root(&bay.charger.circuit).map(|c| &c.id).collect();
        let wires = bay.used_wires();
        let fits = |free: &PerPhase<i64>| wires.iter().all(|phase| *free.get(*phase) >= need);
        if !path.iter().all(|id| self.free.get(*id).is_some_and(fits)) {
            return false;
        }
        for id in path {
            if let Some(free) = self.free.get_mut(id) {
                wires.iter().for_each(|phase| *free.get_mut(*phase) -= need);
            }
        }
        true
    }
}

const fn current(phase: Phase) -> Quantity {
    match phase {
        Phase::L1 => Quantity::CurrentL1,
        Phase::L2 => Quantity::CurrentL2,
        Phase::L3 => Quantity::CurrentL3,
    }
}

/// Average power over a time, rounded down to whole watts.
fn average_w(energy: Energy, time: DurationMs) -> i64 {
    let milli_watt_hours = u128::from(energy.milli_wh());
    i64::try_from(milli_watt_hours * 3_600 / u128::from(time.0.max(1))).unwrap_or(i64::MAX)
}

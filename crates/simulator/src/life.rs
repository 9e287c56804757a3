//! People of the demo building: they arrive, plug in, tap their card and leave.

use crate::dice::{Dice, stream};
use crate::plan::BuildingPlan;
use crate::visits::{Visit, visits};
use crate::world::{DeviceInput, Traffic, World};
use crate::{CarTraits, Resumed, VirtualCar};
use domain::{CardUid, DurationMs, Instant, MilliAmps, Now, Session, Timestamp, WattHours};
use std::collections::{BTreeMap, VecDeque};

/// Whether people come and go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// As in the recorded sessions.
    Lively,
    /// Nobody comes; only commands move cars.
    Still,
}

/// How far ahead visits are planned.
const AHEAD: DurationMs = DurationMs(60 * 86_400_000);
/// Cars that stand in the building when it begins, so that there is something to see at any time of day.
const CARS_AT_START: usize = 7;
/// Cars that arrive in this time stood there before the demo began.
const OPENING_MS: u64 = 5_000;
/// A driver tries again after this long when the card brought nothing.
const TAP_AGAIN_MS: u64 = 12_000;
/// After so many taps the driver goes to bed with the car unplugged in mind.
const TAPS_MAX: u32 = 40;

/// Time until a car that is awake draws again.
const AWAKE: DurationMs = DurationMs(500);
/// What a car that is far from full still wants.
const LEAST_WH: u64 = 9_000;
const MOST_WH: u64 = 32_000;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Parked {
    card: CardUid,
    leaves: Timestamp,
    mood: Mood,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    /// Holds the card to the reader then.
    Tapping { at: Instant, taps: u32 },
    /// Has a session, or gave up.
    Away,
    /// Ended the session with the card; pulls the cable then.
    Pulling { at: Instant },
}

/// Everyone who uses the garage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct People {
    bays: Vec<(String, usize)>,
    cards: Vec<CardUid>,
    coming: VecDeque<Visit>,
    parked: BTreeMap<String, Parked>,
    began: Instant,
    dice: Dice,
}

impl People {
    /// Nobody is there yet; cars arrive from `now` on.
    #[must_use]
    pub fn new(plan: &BuildingPlan, life: Life, now: Now) -> Self {
        let mut people = Self::absent(plan, now);
        if life == Life::Lively {
            people.coming = people.opening(plan.seed, now.wall);
        }
        people
    }

    /// The cars of these sessions stand in the world's bays and go on charging; others arrive from `now` on.
    #[must_use]
    pub fn returning(plan: &BuildingPlan, life: Life, now: Now, sessions: &[Session], world: &mut World) -> Self {
        let mut people = Self::absent(plan, now);
        for session in sessions {
            people.stay(now, session, world);
        }
        if life == Life::Lively {
            people.coming = people.opening(plan.seed, now.wall);
        }
        people
    }

    /// A car is where its session says, unless another one is there already.
    fn stay(&mut self, now: Now, session: &Session, world: &mut World) {
        let name = session.charger.as_str();
        let Some(wires) = self.bays.iter().find(|(bay, _)| bay == name).map(|(_, wires)| *wires) else { return };
        if self.parked.contains_key(name) {
            return;
        }
        let mut traits = self.model(wires);
        traits.wake = AWAKE;
        let car = VirtualCar::new(traits, WattHours(self.dice.between(LEAST_WH, MOST_WH)));
        let card = session.card.as_ref().map(ToString::to_string).unwrap_or_default();
        let parent = session.tenant.map(|tenant| format!("T{tenant}"));
        let running = Resumed { session: session.id, card, parent, started: session.started_at, car };
        world.resume(now, name, running);
        let leaves = now.wall + DurationMs(self.dice.between(20, 300) * 60_000);
        if let Some(card) = session.card.clone() {
            self.parked.insert(name.to_owned(), Parked { card, leaves, mood: Mood::Away });
        }
    }

    fn absent(plan: &BuildingPlan, now: Now) -> Self {
        let bays: Vec<(String, usize)> =
            plan.chargers.iter().map(|charger| (charger.id.to_string(), charger.wiring.wires().len())).collect();
        let cards: Vec<CardUid> =
            plan.households.iter().filter_map(|home| home.cards.first()).map(|card| card.uid.clone()).collect();
        Self {
            coming: VecDeque::new(),
            parked: BTreeMap::new(),
            began: now.instant,
            dice: Dice::new(plan.seed, stream::CARS),
            bays,
            cards,
        }
    }

    /// Visits from now on, with those under way and some more moved to the first moments. Whoever stands here
    /// already does not arrive again.
    fn opening(&mut self, seed: u64, now: Timestamp) -> VecDeque<Visit> {
        let from = now - DurationMs(86_400_000);
        let all = visits(seed, from, now + AHEAD, self.bays.len(), self.cards.len());
        let (past, later): (Vec<Visit>, Vec<Visit>) = all.into_iter().partition(|visit| visit.arrives <= now);
        let here: Vec<usize> = (0..self.bays.len()).filter(|bay| self.is_taken(*bay)).collect();
        let is_new = |visit: &Visit| !here.contains(&visit.bay) && !self.is_here(visit.household);
        let mut present: Vec<Visit> = past.into_iter().filter(|visit| visit.leaves > now && is_new(visit)).collect();
        // Three-phase bays first: those cars share every phase.
        let mut free: Vec<usize> = (0..self.bays.len())
            .filter(|bay| !here.contains(bay) && !present.iter().any(|visit| visit.bay == *bay))
            .collect();
        free.sort_by_key(|bay| std::cmp::Reverse(self.bays.get(*bay).map(|(_, wires)| *wires)));
        let homes: Vec<usize> = (0..self.cards.len())
            .filter(|home| !self.is_here(*home) && !present.iter().any(|visit| visit.household == *home))
            .collect();
        for (bay, household) in free.into_iter().zip(homes) {
            if here.len() + present.len() >= CARS_AT_START {
                break;
            }
            let leaves = now + DurationMs(self.dice.between(40, 420) * 60_000);
            present.push(Visit { bay, household, arrives: now, leaves, wants: WattHours(0) });
        }
        for (number, visit) in (0_u64..).zip(&mut present) {
            visit.arrives = now + DurationMs(200 + number * 350);
            visit.leaves = visit.leaves.max(now + DurationMs((20 + number * 15) * 60_000));
            // Some are nearly full already.
            let (least, most) = if number % 4 == 2 { (700, 2_500) } else { (LEAST_WH, MOST_WH) };
            visit.wants = WattHours(self.dice.between(least, most));
        }
        present.into_iter().chain(later).collect()
    }

    fn is_taken(&self, bay: usize) -> bool {
        self.bays.get(bay).is_some_and(|(name, _)| self.parked.contains_key(name))
    }

    fn is_here(&self, household: usize) -> bool {
        self.cards.get(household).is_some_and(|card| self.parked.values().any(|parked| parked.card == *card))
    }

    /// Lets everyone do what is due.
    pub fn step(&mut self, now: Now, world: &mut World) -> Vec<Traffic> {
        let mut traffic = Vec::new();
        while self.coming.front().is_some_and(|visit| visit.arrives <= now.wall) {
            if let Some(visit) = self.coming.pop_front() {
                self.arrive(now, &visit, world, &mut traffic);
            }
        }
        let names: Vec<String> = self.parked.keys().cloned().collect();
        for name in names {
            self.attend(now, &name, world, &mut traffic);
        }
        traffic
    }

    fn arrive(&mut self, now: Now, visit: &Visit, world: &mut World, traffic: &mut Vec<Traffic>) {
        let Some(card) = self.cards.get(visit.household).cloned() else { return };
        if self.parked.values().any(|parked| parked.card == card) {
            return;
        }
        let is_free = |name: &str| world.device(name).and_then(|d| d.outlet()).is_some_and(|o| o.car().is_none());
        let usual = self.bays.get(visit.bay).filter(|(name, _)| is_free(name));
        let Some((name, wires)) = usual.or_else(|| self.bays.iter().find(|(name, _)| is_free(name))).cloned() else {
            return;
        };
        let mut traits = self.model(wires);
        if self.is_opening(now) {
            // These cars stand here already and are awake.
            (traits.wake, traits.dead) = (AWAKE, traits.dead.min(DurationMs(1_500)));
        }
        let car = VirtualCar::new(traits, visit.wants);
        act(now, &name, DeviceInput::Plug(car), world, traffic);
        let at = now.instant + DurationMs(self.dice.between(600, 2_500));
        self.parked.insert(name, Parked { card, leaves: visit.leaves, mood: Mood::Tapping { at, taps: 0 } });
    }

    fn is_opening(&self, now: Now) -> bool {
        now.instant.since(self.began).0 < OPENING_MS
    }

    /// A car as found in such a garage.
    fn model(&mut self, wires: usize) -> CarTraits {
        let (wires, amps) = if wires >= 3 && self.dice.percent(85) {
            (3, if self.dice.percent(75) { 16 } else { 32 })
        } else {
            (1, if self.dice.percent(70) { 32 } else { 16 })
        };
        CarTraits::drawn(&mut self.dice, wires, MilliAmps::from_amps(amps))
    }

    fn attend(&mut self, now: Now, name: &str, world: &mut World, traffic: &mut Vec<Traffic>) {
        let device = world.device(name);
        let has_car = device.and_then(|device| device.outlet()).is_some_and(|outlet| outlet.car().is_some());
        let (in_session, ready) = device.map_or((false, false), |d| (d.is_in_session(), d.is_ready()));
        let Some(parked) = self.parked.get_mut(name).filter(|_| has_car) else {
            // Someone else pulled the cable or took the charger away.
            self.parked.remove(name);
            return;
        };
        let leaving = now.wall >= parked.leaves;
        match parked.mood {
            Mood::Tapping { .. } if in_session => parked.mood = Mood::Away,
            Mood::Tapping { taps, .. } if taps >= TAPS_MAX => parked.mood = Mood::Away,
            Mood::Tapping { at, taps } if ready && now.instant >= at && !leaving => {
                parked.mood = Mood::Tapping { at: now.instant + DurationMs(TAP_AGAIN_MS), taps: taps + 1 };
                let card = parked.card.clone();
                act(now, name, DeviceInput::Tap(card), world, traffic);
            }
            Mood::Away if leaving && in_session && self.dice.percent(50) => {
                parked.mood = Mood::Pulling { at: now.instant + DurationMs(6_000) };
                let card = parked.card.clone();
                act(now, name, DeviceInput::Tap(card), world, traffic);
            }
            Mood::Pulling { at } if now.instant < at => {}
            Mood::Pulling { .. } => self.pull(now, name, world, traffic),
            Mood::Tapping { .. } | Mood::Away if leaving => self.pull(now, name, world, traffic),
            Mood::Tapping { .. } | Mood::Away => {}
        }
    }

    fn pull(&mut self, now: Now, name: &str, world: &mut World, traffic: &mut Vec<Traffic>) {
        self.parked.remove(name);
        act(now, name, DeviceInput::Unplug, world, traffic);
    }

    /// Someone else handles this bay from now on.
    pub fn forget(&mut self, name: &str) {
        self.parked.remove(name);
    }

    /// A card nobody enrolled.
    pub(crate) fn stray_card(&mut self) -> Option<CardUid> {
        CardUid::new(format!("{:08X}", self.dice.any() >> 32)).ok()
    }

    /// The card of a household, counted from 0.
    pub(crate) fn card(&self, household: usize) -> Option<&CardUid> {
        self.cards.get(household)
    }
}

/// Does something to a device and keeps what it says.
pub(crate) fn act(now: Now, name: &str, input: DeviceInput<'_>, world: &mut World, traffic: &mut Vec<Traffic>) {
    let outputs = world.handle(now, name, input);
    traffic.extend(outputs.into_iter().map(|output| Traffic { device: name.to_owned(), output }));
}

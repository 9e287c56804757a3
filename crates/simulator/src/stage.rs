//! Plays a script in a building: the house follows the steps, cars come and go in order.

use crate::life::act;
use crate::script::{Script, milli_amps};
use crate::world::{DeviceInput, HouseSource, Traffic, World};
use crate::{CarTraits, VirtualCar};
use domain::{CardUid, DurationMs, Instant, MilliAmps, Now, WattHours};

/// A script being played.
#[derive(Clone, Debug)]
pub struct Stage {
    script: Script,
    chargers: Vec<(String, usize, CardUid)>,
    room: MilliAmps,
    index: usize,
    ends: Instant,
    taps: Vec<(String, CardUid, Instant)>,
}

/// Whether a script goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// It does.
    Playing,
    /// Its last step is over.
    Over,
}

/// Time between plugging in and holding the card to the reader.
const TAP_AFTER_MS: u64 = 1_000;
/// More than any step can deliver.
const WANTS: WattHours = WattHours(500_000);

impl Stage {
    /// Prepares a script. `usable` is what may flow per phase; where it is more than the script was written
    /// for, the house draws the difference, so that as much is free as published. `chargers` are names,
    /// wires and cards in the order of registration.
    #[must_use]
    pub fn new(script: Script, usable: MilliAmps, chargers: Vec<(String, usize, CardUid)>, now: Now) -> Self {
        let room = usable.saturating_sub(milli_amps(script.grid_a));
        Self { script, chargers, room, index: 0, ends: now.instant, taps: Vec::new() }
    }

    /// Begins with the first step.
    pub fn open(&mut self, now: Now, world: &mut World) -> Vec<Traffic> {
        world.set_house(HouseSource::Fixed(self.room));
        self.index = 0;
        self.begin_step(now, world)
    }

    /// Goes on with whatever is due.
    pub fn step(&mut self, now: Now, world: &mut World) -> (Act, Vec<Traffic>) {
        let mut traffic = Vec::new();
        let (due, later) = std::mem::take(&mut self.taps).into_iter().partition(|(_, _, at)| *at <= now.instant);
        self.taps = later;
        for (name, card, _) in due {
            self.tap(now, &name, card, world, &mut traffic);
        }
        if now.instant < self.ends {
            return (Act::Playing, traffic);
        }
        self.index += 1;
        if self.index >= self.script.steps.len() {
            return (Act::Over, traffic);
        }
        traffic.extend(self.begin_step(now, world));
        (Act::Playing, traffic)
    }

    /// A reader that is not ready is tried again; a session needs no second tap.
    fn tap(&mut self, now: Now, name: &str, card: CardUid, world: &mut World, traffic: &mut Vec<Traffic>) {
        let Some(device) = world.device(name) else { return };
        if device.is_in_session() {
            return;
        }
        let ready = device.is_ready();
        self.taps.push((name.to_owned(), card.clone(), now.instant + DurationMs(if ready { 5_000 } else { 500 })));
        if ready {
            act(now, name, DeviceInput::Tap(card), world, traffic);
        }
    }

    fn begin_step(&mut self, now: Now, world: &mut World) -> Vec<Traffic> {
        let mut traffic = Vec::new();
        let Some(step) = self.script.steps.get(self.index).cloned() else { return traffic };
        self.ends = now.instant + DurationMs::from_secs(step.hold_s);
        if let Some(house) = step.house_a {
            world.set_house(HouseSource::Fixed(self.room + milli_amps(house)));
        }
        for number in &step.stop {
            if let Some((name, _, _)) = self.charger(*number) {
                self.taps.retain(|(waiting, _, _)| *waiting != name);
                act(now, &name, DeviceInput::Unplug, world, &mut traffic);
            }
        }
        for number in &step.start {
            if let Some((name, wires, card)) = self.charger(*number) {
                let car = VirtualCar::new(CarTraits::prompt(wires, MilliAmps::from_amps(32)), WANTS);
                act(now, &name, DeviceInput::Plug(car), world, &mut traffic);
                self.taps.push((name, card, now.instant + DurationMs(TAP_AFTER_MS)));
            }
        }
        traffic
    }

    fn charger(&self, number: usize) -> Option<(String, usize, CardUid)> {
        self.chargers.get(number.checked_sub(1)?).cloned()
    }

    /// Unplugs every car the script brought.
    pub fn close(&mut self, now: Now, world: &mut World) -> Vec<Traffic> {
        let mut traffic = Vec::new();
        for (name, _, _) in self.chargers.clone() {
            act(now, &name, DeviceInput::Unplug, world, &mut traffic);
        }
        traffic
    }

    /// Name of the script.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.script.name
    }

    /// The step being played, counted from 0.
    #[must_use]
    pub const fn index(&self) -> usize {
        self.index
    }

    /// The step in words: label and sentence.
    #[must_use]
    pub fn says(&self) -> String {
        let step = self.script.steps.get(self.index);
        step.map_or_else(String::new, |step| format!("({}) {}", step.label, step.says))
    }
}

//! A car's answer seen by the circuit's meter: chargers that report every ten seconds or every minute say too little
//! about how fast their cars follow, but a single command in a quiet moment shows in the circuit's own current.

use super::car::Car;
use crate::plan::Connector;
use crate::{Control, Output};
use domain::{DurationMs, Instant, MilliAmps, Now, PerPhase, Phase};

/// A change smaller than this does not stand out from the building's noise.
const LEAST: MilliAmps = MilliAmps::from_amps(2);
/// A charger that reported within this time says itself how its car follows.
const SAYS_ITSELF: DurationMs = DurationMs::from_secs(5);
/// No other car may have been commanded for this long.
const QUIET: DurationMs = DurationMs::from_secs(16);
/// What has not shown by then is given up; a car that begins takes longer.
const PATIENCE: DurationMs = DurationMs::from_secs(25);
const PATIENCE_AT_START: DurationMs = DurationMs::from_secs(45);
/// For this long nothing is raised, so that the answer can be told apart.
const UNDISTURBED: DurationMs = DurationMs::from_secs(12);

/// A command whose effect is looked for in the current of a circuit.
#[derive(Clone, Debug)]
pub(crate) struct Echo {
    car: Connector,
    at: Instant,
    from: MilliAmps,
    to: MilliAmps,
    circuit: usize,
    wires: Vec<Phase>,
    /// What the circuit carried before, on the mean of these wires, in mA.
    before_ma: i64,
    /// The last sample without the change.
    before: Option<Instant>,
    /// The change was in one sample already.
    shown: Option<Instant>,
}

/// What a sample says of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    NotYet,
    Shown,
    /// Something else changed too.
    Disturbed,
}

impl Echo {
    /// A car that is not known yet is listened to without other raises.
    pub(super) fn wants_quiet(&self, now: Instant) -> bool {
        !self.from.is_zero() && now.since(self.at) < UNDISTURBED
    }

    fn judge(&self, now_ma: i64) -> Heard {
        let wanted = i64::from(self.to.0) - i64::from(self.from.0);
        let moved = (now_ma - self.before_ma) * wanted.signum();
        let wanted = wanted.abs();
        if moved < wanted / 2 {
            return if moved < -wanted / 2 { Heard::Disturbed } else { Heard::NotYet };
        }
        if moved > wanted + (wanted / 3).max(800) { Heard::Disturbed } else { Heard::Shown }
    }
}

impl Echo {
    /// Two samples in a row show the change: the first of them is when the car had followed.
    fn tell(&self, car: &mut Car, first: Instant, second: Instant) {
        if let Some(before) = self.before.filter(|_| !self.from.is_zero()) {
            car.read(before, self.from);
        }
        car.read(first, self.to);
        car.read(second, self.to);
    }
}

fn mean(flow: &PerPhase<i64>, wires: &[Phase]) -> i64 {
    let sum: i64 = wires.iter().map(|phase| *flow.get(*phase)).sum();
    sum / i64::try_from(wires.len()).unwrap_or(1).max(1)
}

impl Control {
    /// Listens for a single command of this turn, given by its output.
    pub(super) fn listen(&mut self, now: Now, key: &Connector, before: MilliAmps, sent: &[Output]) {
        let others = self.guard.cars.iter().filter(|(other, _)| *other != key);
        let is_quiet = others.clone().all(|(_, car)| now.instant.since(car.changed) > QUIET);
        let setpoints = sent.iter().filter(|output| matches!(output, Output::Setpoint { .. })).count();
        self.guard.echo = None;
        if !is_quiet || setpoints != 1 {
            return;
        }
        let (Some(car), Some(live)) = (self.guard.cars.get(key), self.chargers.get(&key.0)) else { return };
        let says_itself = car.newest_reading().is_some_and(|at| now.instant.since(at) <= SAYS_ITSELF);
        let capped = |amount: MilliAmps| car.max.map_or(amount, |max| amount.min(max));
        let (from, to) = (capped(before), capped(car.set));
        let own = self.tree.index(&live.charger.circuit);
        let circuit = own.and_then(|own| self.tree.path(own).find(|index| self.guard.watches.contains_key(index)));
        let flow = circuit.and_then(|circuit| self.known_flow(now, circuit));
        let wires = live.charger.wiring.wires().to_vec();
        if says_itself || from.0.abs_diff(to.0) < LEAST.0 || !(car.awake || from.is_zero()) {
            return;
        }
        if let (Some(circuit), Some(flow)) = (circuit, flow) {
            let before_ma = mean(&flow, &wires);
            let (car, at) = (key.clone(), now.instant);
            self.guard.echo = Some(Echo { car, at, from, to, circuit, wires, before_ma, before: None, shown: None });
        }
    }

    /// What a new sample of a circuit says of the command that is listened for.
    pub(super) fn hear(&mut self, circuit: usize, taken: Instant, flow: &PerPhase<i64>) {
        let Some(mut echo) = self.guard.echo.take_if(|echo| echo.circuit == circuit) else { return };
        let patience = if echo.from.is_zero() { PATIENCE_AT_START } else { PATIENCE };
        let Some(car) = self.guard.cars.get_mut(&echo.car) else { return };
        if taken <= echo.at || taken.since(echo.at) > patience {
            self.guard.echo = (taken <= echo.at).then_some(echo);
            return;
        }
        match (echo.judge(mean(flow, &echo.wires)), echo.shown) {
            (Heard::Disturbed, _) | (Heard::NotYet, Some(_)) => {}
            (Heard::NotYet, None) => {
                echo.before = Some(taken);
                self.guard.echo = Some(echo);
            }
            (Heard::Shown, None) => {
                echo.shown = Some(taken);
                self.guard.echo = Some(echo);
            }
            (Heard::Shown, Some(first)) => echo.tell(car, first, taken),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{ChargerId, ConnectorNumber};

    fn at(second: u64) -> Instant {
        Instant(second * 1000)
    }

    fn echo(from: u16, to: u16) -> Echo {
        Echo {
            car: (ChargerId::new("c1").unwrap(), ConnectorNumber(1)),
            at: at(100),
            from: MilliAmps::from_amps(from),
            to: MilliAmps::from_amps(to),
            circuit: 0,
            wires: vec![Phase::L1],
            before_ma: 20_000,
            before: None,
            shown: None,
        }
    }

    /// A change of the commanded size is the car's; a larger one, or one the other way, is the building's too.
    #[test]
    fn only_a_change_of_its_size_is_an_answer() {
        assert_eq!(echo(12, 8).judge(19_900), Heard::NotYet);
        assert_eq!(echo(12, 8).judge(16_100), Heard::Shown);
        assert_eq!(echo(12, 8).judge(10_000), Heard::Disturbed);
        assert_eq!(echo(12, 8).judge(26_000), Heard::Disturbed);
        assert_eq!(echo(6, 9).judge(23_000), Heard::Shown);
    }

    /// A car whose charger says nothing between its commands is known after three answers the meter heard.
    #[test]
    fn a_silent_charger_is_learnt_from_the_meter() {
        let mut car = Car::new(at(0), MilliAmps::from_amps(9));
        car.read(at(60), MilliAmps::from_amps(9));
        let mut second = 100;
        for (from, to) in [(9, 6), (6, 9), (9, 6)] {
            car.commanded(at(second), MilliAmps::from_amps(to));
            let heard = Echo { before: Some(at(second + 3)), ..echo(from, to) };
            heard.tell(&mut car, at(second + 5), at(second + 7));
            second += 60;
        }
        assert!(car.is_known());
        assert_eq!(car.response_s(), 4);
    }
}

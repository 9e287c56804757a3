//! Meters of other makers among the devices.

use super::turn::Turn;
use super::{Engine, Work};
use crate::foreign::{Known, Source, Told};
use crate::mqtt::Kind;
use domain::{ChargerId, Now, Protocol, Record, WattHours};
use std::sync::Arc;
use tokio::sync::oneshot;

/// What clients want of them.
pub(crate) enum Foreign {
    /// Show all.
    List {
        /// Where they go.
        reply: oneshot::Sender<Vec<Known>>,
    },
    /// Set one up; the meter or charger it stands for exists already.
    Put {
        /// How.
        source: Box<Source>,
        /// Where what is wrong with it goes.
        reply: oneshot::Sender<Result<(), String>>,
    },
    /// Forget one; tells whether there was one.
    Remove {
        /// Which.
        id: String,
        /// Where that goes.
        reply: oneshot::Sender<bool>,
    },
}

impl Engine {
    pub(super) fn foreign(&mut self, now: Now, wish: Foreign) {
        let heard = match wish {
            Foreign::List { reply } => reply.send(self.parts.foreign.iter().cloned().collect()).is_ok(),
            Foreign::Put { source, reply } => reply.send(self.put_foreign(now, *source)).is_ok(),
            Foreign::Remove { id, reply } => reply.send(self.remove_foreign(now, &id)).is_ok(),
        };
        if !heard {
            tracing::debug!("the client left before its answer");
        }
    }

    fn put_foreign(&mut self, now: Now, source: Source) -> Result<(), String> {
        let register = self.register_of(now, &source.id);
        let nominal = self.parts.live.borrow().state.site.nominal_voltage;
        let fact = source.to_fact();
        let id = source.id.clone();
        self.parts.foreign.put(source, nominal, register).map_err(|error| error.to_string())?;
        self.parts.devices.set(&id, Kind::Foreign, true);
        self.tell_poller();
        let mut turn = Turn::default();
        turn.records.push(Record::Fact(fact));
        self.turn(now, turn);
        Ok(())
    }

    /// The newest register of a charger, and whether a session of it is open.
    fn register_of(&self, now: Now, id: &str) -> (Option<WattHours>, bool) {
        let live = self.parts.control.snapshot(now);
        let here = live.chargers.iter().filter(|state| state.charger.id.as_str() == id);
        let open = here.flat_map(|state| &state.connectors).find_map(|connector| connector.session.as_ref());
        (open.map(|session| session.meter_last), open.is_some())
    }

    pub(super) fn remove_foreign(&mut self, now: Now, id: &str) -> bool {
        if !self.parts.foreign.remove(id) {
            return false;
        }
        self.parts.devices.remove(id);
        self.tell_poller();
        let mut turn = Turn::default();
        turn.records.push(Record::Fact(Source::no_fact(id)));
        self.turn(now, turn);
        true
    }

    fn tell_poller(&self) {
        let sources = self.parts.foreign.iter().map(|known| known.source.clone()).collect();
        self.parts.polled.send_replace(Arc::new(sources));
    }

    /// A meter that was asked answered, or did not.
    pub(super) fn foreign_answer(&mut self, now: Now, id: &str, answer: Result<String, String>) {
        match answer {
            Ok(text) => {
                let told = self.parts.foreign.take(now, id, "", &text);
                self.tell(now, told);
            }
            Err(problem) => self.parts.foreign.failed(id, problem),
        }
    }

    pub(super) fn tick_foreign(&mut self, now: Now) {
        let told = self.parts.foreign.tick(now);
        self.tell(now, told);
    }

    fn tell(&mut self, now: Now, told: Vec<Told>) {
        let mut turn = Turn::default();
        self.hear(now, &mut turn, told);
        self.turn(now, turn);
    }

    pub(super) fn hear(&mut self, now: Now, turn: &mut Turn, told: Vec<Told>) {
        for told in told {
            match told {
                Told::Meter(id, event) => turn.push(Work::Control(control::Input::Meter { id, event })),
                Told::Charger(id, event) => {
                    self.noted(now, turn, &id, &event);
                    let protocol = Protocol::Metered;
                    turn.push(Work::Control(control::Input::Charger { id, protocol, event }));
                }
            }
        }
    }

    /// Whether nobody can tell this charger anything.
    pub(super) fn is_foreign(&self, charger: &ChargerId) -> bool {
        self.parts.foreign.contains(charger.as_str())
    }
}

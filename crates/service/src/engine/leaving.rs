//! Chargers that were removed: each hears its last orders before its socket closes.
//!
//! A station asks one thing at a time, so the end of the session and the cut to nothing take more than one answer.

use super::Engine;
use central_system::{ChargerMachine, Gate, Input, Output};
use domain::{ChargerId, DurationMs, Instant, Now};

/// A charger that answers takes a second or two; one that does not is not waited for any longer.
const LEAVES_WITHIN: DurationMs = DurationMs::from_secs(10);

/// Why the socket closes.
const REASON: &str = "The manager removed this charger; it may connect again and wait for approval";

/// A removed charger on its way out.
pub(super) struct Leaving {
    station: Box<dyn ChargerMachine>,
    generation: u64,
    until: Instant,
}

impl Engine {
    /// Takes a charger's station away; the socket closes when nothing urgent is left to say to it.
    pub(super) fn let_go(&mut self, now: Now, charger: &ChargerId) {
        let station = self.parts.stations.remove(charger);
        let generation = self.sockets.get(charger).map(|socket| socket.generation);
        if let Some((station, generation)) = station.zip(generation) {
            let until = now.instant + LEAVES_WITHIN;
            self.leaving.insert(charger.clone(), Leaving { station, generation, until });
        }
        self.part_with(now, charger);
    }

    /// Hands a text of a leaving charger to its station; `false` when it is none.
    pub(super) fn heard_leaving(&mut self, now: Now, charger: &ChargerId, generation: u64, text: &str) -> bool {
        if self.leaving.get(charger).is_none_or(|leaving| leaving.generation != generation) {
            return false;
        }
        self.ask_leaving(now, charger, Input::Frame { generation, text });
        true
    }

    /// Lets time pass for those who leave.
    pub(super) fn tick_leaving(&mut self, now: Now) {
        let ids: Vec<ChargerId> = self.leaving.keys().cloned().collect();
        for id in ids {
            self.ask_leaving(now, &id, Input::Tick);
        }
    }

    /// Only our own requests and their answers count any more. What the charger asks stays unanswered, so that it
    /// keeps what must not be lost and tells it when it is let in again.
    fn ask_leaving(&mut self, now: Now, charger: &ChargerId, input: Input<'_>) {
        let Some(leaving) = self.leaving.get_mut(charger) else { return };
        let generation = leaving.generation;
        for output in leaving.station.handle(now, input) {
            match output {
                Output::Send { text, gate: Gate::Now } => self.deliver(charger, generation, text),
                Output::CommandDone { id, outcome, answer } => {
                    self.command_done(id, super::commands::station_outcome(outcome), &answer);
                }
                Output::Notice(text) => tracing::info!(%charger, "{text}"),
                Output::Send { gate: Gate::Durable | Gate::Recorded, .. }
                | Output::Event(_)
                | Output::CertificateWanted(_)
                | Output::Remember(_)
                | Output::Close { .. } => {}
            }
        }
        self.part_with(now, charger);
    }

    fn part_with(&mut self, now: Now, charger: &ChargerId) {
        let stays = |leaving: &Leaving| now.instant < leaving.until && leaving.station.has_urgent_requests(now);
        if !self.leaving.get(charger).is_some_and(stays) {
            self.leaving.remove(charger);
            self.close(charger, REASON);
            self.sockets.remove(charger);
        }
    }
}

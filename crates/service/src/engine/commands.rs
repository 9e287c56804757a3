//! Commands to chargers, from the request to the outcome.

use super::turn::Turn;
use super::{Engine, Work};
use api::{CommandOutcome, CommandState};
use central_system::{Command, ResetKind, Trigger};
use control::{Input, Order};
use domain::{CardStatus, CardUid, ChargerId, ConnectorNumber, Now, Protocol};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// Commands remembered; the oldest are forgotten.
const REMEMBERED_MAX: usize = 1000;

/// What the manager commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ChargerCommand {
    /// Start a session.
    Start { connector: ConnectorNumber, card: CardUid },
    /// End a session.
    Stop { connector: ConnectorNumber },
    /// Restart.
    Reset(ResetKind),
    /// Release the cable.
    Unlock { connector: ConnectorNumber },
    /// Anything else of OCPP.
    Ocpp(Command),
}

impl ChargerCommand {
    /// As shown in the command's state.
    const fn name(&self) -> &'static str {
        match self {
            Self::Start { .. } => "start",
            Self::Stop { .. } => "stop",
            Self::Reset(_) => "reset",
            Self::Unlock { .. } => "unlock",
            Self::Ocpp(command) => command.name(),
        }
    }

    fn for_station(self) -> Command {
        match self {
            Self::Start { connector, card } => Command::RemoteStart { connector: Some(connector), card },
            // Replaced by the session's own number before it gets here.
            Self::Stop { .. } => Command::TriggerMessage { message: Trigger::StatusNotification, connector: None },
            Self::Reset(kind) => Command::Reset(kind),
            Self::Unlock { connector } => Command::Unlock { connector },
            Self::Ocpp(command) => command,
        }
    }

    /// In the words of the mesh, where it has any.
    fn for_mesh(self) -> Option<mesh::Command> {
        match self {
            Self::Start { connector, card } => Some(mesh::Command::Start { connector, card }),
            Self::Stop { .. } => None,
            Self::Reset(ResetKind::Soft) => Some(mesh::Command::SoftReset),
            Self::Reset(ResetKind::Hard) => Some(mesh::Command::HardReset),
            Self::Unlock { connector } => Some(mesh::Command::Unlock { connector }),
            Self::Ocpp(Command::TriggerMessage { .. }) => Some(mesh::Command::Report),
            Self::Ocpp(_of_ocpp_only) => None,
        }
    }
}

/// Why a command was not even tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CommandRefused {
    /// No such charger.
    UnknownCharger,
    /// It is not connected.
    Offline,
    /// It waits for approval.
    NotApproved,
    /// Its protocol has no such operation.
    Unsupported,
    /// Nobody enrolled the card.
    UnknownCard,
    /// The manager blocked the card.
    BlockedCard,
    /// Nothing runs there.
    Refused(control::OrderError),
}

/// Commands by number, for those who ask later.
#[derive(Clone, Debug, Default)]
pub(crate) struct Commands {
    last: Arc<AtomicU64>,
    states: Arc<Mutex<BTreeMap<u64, CommandState>>>,
}

impl Commands {
    /// Number of a command nobody asks about.
    pub(crate) fn silent(&self) -> u64 {
        self.last.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Number of a reservation, a log or a firmware request: what the charger repeats in its reports. It counts on
    /// from the time, so that numbers of an earlier run are not met again.
    pub(crate) fn request_number(&self, now: Now) -> i32 {
        /// 2020-01-01
        const EPOCH_S: i64 = 1_577_836_800;
        let counted = i64::try_from(self.silent()).unwrap_or(0);
        i32::try_from((now.wall.0 / 1000 - EPOCH_S).saturating_add(counted)).unwrap_or(i32::MAX)
    }

    fn begin(&self, charger: &ChargerId, what: &str) -> u64 {
        let id = self.silent();
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        states.insert(
            id,
            CommandState {
                id,
                charger: charger.to_string(),
                what: what.to_owned(),
                outcome: CommandOutcome::Pending,
                answer: serde_json::Value::Null,
            },
        );
        if states.len() > REMEMBERED_MAX {
            states.pop_first();
        }
        id
    }

    fn end(&self, id: u64, outcome: CommandOutcome, answer: &str) -> Option<CommandState> {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        let state = states.get_mut(&id)?;
        state.outcome = outcome;
        state.answer = match serde_json::from_str(answer) {
            Ok(value) => value,
            Err(_no_json) if answer.is_empty() => serde_json::Value::Null,
            Err(_no_json) => serde_json::Value::String(answer.to_owned()),
        };
        Some(state.clone())
    }

    fn forget(&self, id: u64) {
        self.states.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }

    /// The state of a command.
    pub(crate) fn get(&self, id: u64) -> Option<CommandState> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }
}

pub(super) const fn station_outcome(outcome: central_system::Outcome) -> CommandOutcome {
    match outcome {
        central_system::Outcome::Accepted => CommandOutcome::Accepted,
        central_system::Outcome::Rejected => CommandOutcome::Rejected,
        central_system::Outcome::TimedOut => CommandOutcome::TimedOut,
        central_system::Outcome::Disconnected => CommandOutcome::Disconnected,
    }
}

pub(super) const fn mesh_outcome(outcome: mesh::Outcome) -> CommandOutcome {
    match outcome {
        mesh::Outcome::Accepted => CommandOutcome::Accepted,
        mesh::Outcome::Rejected => CommandOutcome::Rejected,
        mesh::Outcome::TimedOut => CommandOutcome::TimedOut,
        mesh::Outcome::Disconnected => CommandOutcome::Disconnected,
    }
}

impl Engine {
    pub(super) fn command(
        &mut self,
        now: Now,
        charger: &ChargerId,
        command: ChargerCommand,
        reply: oneshot::Sender<Result<u64, CommandRefused>>,
    ) {
        let answer = self.try_command(now, charger, command);
        if reply.send(answer).is_err() {
            tracing::debug!("the client left before its answer");
        }
    }

    fn try_command(&mut self, now: Now, charger: &ChargerId, command: ChargerCommand) -> Result<u64, CommandRefused> {
        let live = self.parts.control.snapshot(now);
        let state =
            live.chargers.iter().find(|state| state.charger.id == *charger).ok_or(CommandRefused::UnknownCharger)?;
        if !state.charger.approved {
            return Err(CommandRefused::NotApproved);
        }
        if !state.online {
            return Err(CommandRefused::Offline);
        }
        if let ChargerCommand::Start { card, .. } = &command {
            // The charger would offer its fallback before anybody asks about the card.
            match live.cards.iter().find(|known| known.uid == *card).map(|known| known.status) {
                Some(CardStatus::Active) => {}
                Some(CardStatus::Blocked) => return Err(CommandRefused::BlockedCard),
                None => return Err(CommandRefused::UnknownCard),
            }
        }
        let name = command.name();
        if let ChargerCommand::Stop { connector } = command {
            return self.stop(now, charger, connector, name);
        }
        match state.charger.protocol {
            Protocol::Ocpp16 => {
                let id = self.parts.commands.begin(charger, name);
                let input = central_system::Input::Command { id, command: command.for_station() };
                self.turn(now, Turn::of([Work::Station(charger.clone(), input)]));
                Ok(id)
            }
            Protocol::Ievcc => {
                let command = command.for_mesh().ok_or(CommandRefused::Unsupported)?;
                let id = self.parts.commands.begin(charger, name);
                let input = mesh::Input::Command { id, charger: charger.clone(), command };
                self.turn(now, Turn::of([Work::Mesh(input)]));
                Ok(id)
            }
            Protocol::Metered => Err(CommandRefused::Unsupported),
        }
    }

    /// Control ends sessions, so that it knows who did; the outcome is the carrier's.
    fn stop(
        &mut self,
        now: Now,
        charger: &ChargerId,
        connector: ConnectorNumber,
        name: &str,
    ) -> Result<u64, CommandRefused> {
        let id = self.parts.commands.begin(charger, name);
        let order = Order::EndSession { charger: charger.clone(), connector };
        let mut turn = Turn::of([Work::Control(Input::Order(order))]);
        turn.stop_command = Some(id);
        let (reply, mut done) = oneshot::channel();
        turn.order = Some(reply);
        let refused = self.turn_with_refusal(now, turn);
        done.close();
        match refused {
            Some(error) => {
                self.parts.commands.forget(id);
                Err(CommandRefused::Refused(error))
            }
            None => Ok(id),
        }
    }

    pub(super) fn command_done(&mut self, id: u64, outcome: CommandOutcome, answer: &str) {
        if let Some(state) = self.parts.commands.end(id, outcome, answer) {
            tracing::info!(id, charger = state.charger, what = state.what, ?outcome, "command ended");
            // Nobody listening is fine: the state can be asked for.
            drop(self.parts.outcomes.send(state));
        }
    }
}

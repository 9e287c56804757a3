//! What follows a command that was carried out: what is read anew, what closes and what is said.

use super::{Model, Stage};
use crate::books::BooksResource;
use crate::command::{Command, Resource};
use crate::records::{RecordsCommand, RecordsResource};
use crate::remote::Remote;
use crate::text::Text;
use crate::toast::Tone;
use crate::view::Dialog;
use api::{CommandAccepted, CommandOutcome, CommandState, NewChargerPassword, TenantItem};

impl Model {
    /// A command was carried out.
    #[expect(clippy::too_many_lines, reason = "a table of what follows each command")]
    pub(super) fn done(&mut self, command: Command, body: &str) {
        match command {
            Command::SignIn(_) | Command::SignInWithTicket(_) | Command::SetUp(_) => self.fetch(Resource::Session),
            Command::SignOut => self.leave(Stage::SignIn),
            Command::AddTenant(_, card) => {
                if let (Some(card), Ok(tenant)) = (card, serde_json::from_str::<TenantItem>(body)) {
                    self.command(Command::AddCard(tenant.id, card));
                } else {
                    self.view.dialog = None;
                }
                self.fetch(Resource::Tenants);
            }
            Command::AddCard(..) => {
                self.toasts.say(Tone::Good, Text::EnrolDone.get(self.language).to_owned());
                if self.snapshot.as_ref().is_some_and(|snapshot| snapshot.enrolment.is_some()) {
                    self.command(Command::CancelEnrolment);
                }
                self.view.dialog = None;
                self.fetch(Resource::Tenants);
            }
            Command::EditTenant(..)
            | Command::RemoveTenant(_)
            | Command::BlockCard(..)
            | Command::SetCardPolicy(..)
            | Command::RemoveCard(_) => {
                self.view.dialog = None;
                self.fetch(Resource::Tenants);
            }
            Command::CorrectSession(id, _) => {
                self.view.dialog = None;
                self.fetch(Resource::Records(RecordsResource::Changes(id)));
                self.records_changed();
            }
            Command::Records(records) => self.records_done(records, body),
            Command::EditSite(_) => {
                self.toasts.say(Tone::Good, Text::SettingsSaved.get(self.language).to_owned());
                self.fetch(Resource::Site);
                self.fetch(Resource::Circuits);
            }
            Command::EditCircuits(_) => {
                self.toasts.say(Tone::Good, Text::CircuitsSaved.get(self.language).to_owned());
                self.fetch(Resource::Circuits);
                self.fetch(Resource::Fallbacks);
            }
            Command::Wish(..) | Command::WithdrawWish(_) => self.view.dialog = None,
            Command::EditCharger(..) => {
                self.toasts.say(Tone::Good, Text::SettingsSaved.get(self.language).to_owned());
            }
            Command::RemoveMeter(_) => self.view.dialog = None,
            Command::RemoveCharger(_) => {
                self.view.dialog = None;
                self.view.charger = None;
            }
            Command::Limit(..) => self.view.dialog = None,
            Command::Enrol(_) => self.view.dialog = Some(Dialog::Enrol),
            Command::SetSecurityPolicy(_) | Command::SetChargerSecurity(..) | Command::RevokeCertificate(_) => {
                self.toasts.say(Tone::Good, Text::SettingsSaved.get(self.language).to_owned());
                self.fetch(Resource::Security);
            }
            Command::PreviewForeign(_) => self.values.foreign_preview = serde_json::from_str(body).ok(),
            Command::PutForeign(..) | Command::RemoveForeign(_) => {
                self.values.foreign_preview = None;
                self.toasts.say(Tone::Good, Text::SettingsSaved.get(self.language).to_owned());
                self.fetch(Resource::ForeignMeters);
            }
            Command::SetListeners(_) => self.fetch(Resource::Listeners),
            Command::RemoveFile(_) | Command::KeepFirmware(_) => self.fetch(Resource::Files),
            Command::GivePassword(_, NewChargerPassword { send: true, .. }) => {
                self.accepted(&command, body);
                self.fetch(Resource::Security);
            }
            Command::AddDevice(_) | Command::GivePassword(..) => {
                self.values.shown_password = serde_json::from_str(body).ok();
                self.view.dialog = Some(Dialog::ShownPassword);
            }
            Command::Books(books) => {
                let (wanted, words) = self.values.books.done(&books, body);
                if let Some(words) = words {
                    self.toasts.say(Tone::Good, words.get(self.language).to_owned());
                }
                for resource in wanted {
                    self.fetch(Resource::Books(resource));
                }
            }
            Command::Keeping(keeping) => {
                let (wanted, words) = self.values.keeping.done(&keeping, body);
                if let Some(words) = words {
                    self.toasts.say(Tone::Good, words.get(self.language).to_owned());
                }
                for resource in wanted {
                    self.fetch(Resource::Keeping(resource));
                }
            }
            Command::Demo(_) => self.fetch(Resource::Demo),
            other => self.accepted(&other, body),
        }
    }

    /// Sessions are not what they were: lists of them and the open month are read anew.
    fn records_changed(&mut self) {
        self.fetch(Resource::Sessions);
        self.values.records.session = Remote::Absent;
        if let Some(month) = self.values.books.month.value().map(|month| month.month.clone()) {
            self.fetch(Resource::Books(BooksResource::Month(month)));
        }
    }

    fn records_done(&mut self, command: RecordsCommand, body: &str) {
        match command {
            // The live state goes on with it.
            RecordsCommand::ReadCard(_) => {}
            RecordsCommand::LookAtReader => {
                self.values.records.reader = Some(serde_json::from_str(body).unwrap_or_default());
            }
            RecordsCommand::Import(_) => {
                let preview: Option<api::ImportPreview> = serde_json::from_str(body).ok();
                if preview.as_ref().is_some_and(|preview| preview.imported) {
                    let count = preview.map_or(0, |preview| preview.rows.len()).to_string();
                    self.toasts.say(Tone::Good, Text::ImportDone.fill(self.language, &[&count]));
                    self.values.records.preview = None;
                    self.view.dialog = None;
                    self.fetch(Resource::Tenants);
                } else {
                    self.values.records.preview = preview;
                }
            }
            RecordsCommand::Decide(..) => {
                self.fetch(Resource::Records(RecordsResource::Orphans));
                self.records_changed();
            }
        }
    }

    /// A command travels to a charger; its outcome arrives on the live socket.
    fn accepted(&mut self, command: &Command, body: &str) {
        let Ok(CommandAccepted { command_id }) = serde_json::from_str(body) else { return };
        let (Command::Stop(charger, _)
        | Command::Start(charger, _)
        | Command::Reset(charger, _)
        | Command::Unlock(charger, _)
        | Command::Operate(charger, _)
        | Command::GivePassword(charger, _)
        | Command::TrustAuthority(charger)
        | Command::AskCertificate(charger)) = command
        else {
            return;
        };
        self.awaited.insert(command_id, command.label());
        let state = CommandState {
            id: command_id,
            charger: charger.clone(),
            what: String::new(),
            outcome: CommandOutcome::Pending,
            answer: serde_json::Value::Null,
        };
        self.note_outcome(command.label(), state);
        if let Some(early) = self.early.remove(&command_id) {
            self.outcome(early);
        }
    }
}

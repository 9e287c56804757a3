//! What the console knows. Pure: arrivals and commands go in, requests come out, no clock and no egui.

mod done;

use crate::books::{BooksResource, BooksValues};
use crate::command::{Command, Resource};
use crate::history::History;
use crate::keeping::{KeepingResource, KeepingValues};
use crate::records::{RecordsCommand, RecordsResource, RecordsValues};
use crate::remote::Remote;
use crate::route::{self, Asking};
use crate::text::Text;
use crate::toast::{Toasts, Tone};
use crate::transport::{Arrival, Method, Request};
use crate::view::{Page, View};
use api::{
    ChargerDetail, CircuitItem, CircuitList, Code, CommandOutcome, CommandState, ConnectionPage, DecisionItem,
    DemoSnapshot, FallbackReport, FileItem, ForeignMeterItem, ForeignPreset, ForeignReading, FrameItem, Language,
    LiveMessage, Page as ListPage, Problem, ReadingColumns, SecurityState, SessionInfo, SessionItem, ShownPassword,
    SiteItem, Snapshot, TenantItem, TimelineItem,
};
use egui::Theme;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Outcomes of commands kept for the charger pages.
const OUTCOMES_MAX: usize = 50;

/// How far the person has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Asking the server who we are.
    #[default]
    Starting,
    /// The server does not answer.
    Unreachable,
    /// The first-run questions are open.
    SetUp,
    /// Nobody is signed in.
    SignIn,
    /// Signed in.
    Inside,
}

/// State of the live socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Link {
    /// Not open yet.
    #[default]
    Opening,
    /// Values arrive.
    Open,
    /// It closed; what is shown is old.
    Lost,
}

/// What the outer layer has to do beyond sending requests.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Effect {
    /// Send this.
    Send(Request),
    /// Open the live socket.
    OpenLive,
    /// Close it.
    CloseLive,
    /// Put text on the clipboard.
    Copy(String),
    /// Remember language and theme for the next visit.
    Remember,
}

/// The open charger's detail is read anew with every so many live messages: about once in two seconds.
const DETAIL_EVERY: u64 = 8;

/// What an answer belongs to.
#[derive(Clone, Debug, PartialEq)]
enum Expected {
    Value(Resource),
    Done(Box<Command>),
}

/// Values read from the server.
#[derive(Debug, Default)]
pub(crate) struct Values {
    /// Settings of the site.
    pub(crate) site: Remote<SiteItem>,
    /// The tree of circuits.
    pub(crate) circuits: Remote<Vec<CircuitItem>>,
    /// What flows while nobody commands.
    pub(crate) fallbacks: Remote<FallbackReport>,
    /// Tenants with their cards.
    pub(crate) tenants: Remote<Vec<TenantItem>>,
    /// Sessions, newest first.
    pub(crate) sessions: Remote<Vec<SessionItem>>,
    /// Where the list of sessions goes on.
    pub(crate) sessions_next: Option<String>,
    /// Sums for the insight page.
    pub(crate) usage: Remote<api::Usage>,
    /// The load curve of the open session.
    pub(crate) curve: Remote<(i32, ReadingColumns)>,
    /// Decisions about the open charger.
    pub(crate) decisions: Remote<(String, Vec<DecisionItem>)>,
    /// The open charger in detail.
    pub(crate) detail: Remote<(String, ChargerDetail)>,
    /// How the open charger's states changed.
    pub(crate) timeline: Remote<(String, Vec<TimelineItem>)>,
    /// Messages of the open charger.
    pub(crate) frames: Remote<(String, Vec<FrameItem>)>,
    /// Devices and their connections.
    pub(crate) connections: Remote<ConnectionPage>,
    /// Which proof chargers must bring.
    pub(crate) security: Remote<SecurityState>,
    /// Meters of other makers.
    pub(crate) foreign: Remote<Vec<ForeignMeterItem>>,
    /// Those whose messages are known.
    pub(crate) foreign_presets: Remote<Vec<ForeignPreset>>,
    /// What a mapping that was tried understood.
    pub(crate) foreign_preview: Option<ForeignReading>,
    /// Files from and for chargers.
    pub(crate) files: Remote<Vec<FileItem>>,
    /// Which listeners are switched on.
    pub(crate) listeners: Remote<api::ListenerItem>,
    /// A password that was made for a device; shown once.
    pub(crate) shown_password: Option<ShownPassword>,
    /// Tariffs and statements.
    pub(crate) books: BooksValues,
    /// Cards, corrections and readings.
    pub(crate) records: RecordsValues,
    /// Cloud and copies.
    pub(crate) keeping: KeepingValues,
    /// The virtual building.
    pub(crate) demo: Remote<DemoSnapshot>,
    /// Readings under way or refused.
    pub(crate) readings: Remote<()>,
}

/// What the console knows.
#[derive(Default)]
pub(crate) struct Model {
    /// How far the person has come.
    pub(crate) stage: Stage,
    /// State of the live socket.
    pub(crate) link: Link,
    /// The newest live state.
    pub(crate) snapshot: Option<Arc<Snapshot>>,
    /// Values over time.
    pub(crate) history: History,
    /// Values read from the server.
    pub(crate) values: Values,
    /// What the person looks at.
    pub(crate) view: View,
    /// The language.
    pub(crate) language: Language,
    /// Light or dark.
    pub(crate) theme: Option<Theme>,
    /// Short messages.
    pub(crate) toasts: Toasts,
    /// Outcomes of commands to chargers, newest first, with the words of the button.
    pub(crate) outcomes: Vec<(Text, CommandState)>,
    /// Why signing in or setting up was refused.
    pub(crate) refusal: Option<String>,
    /// Counts up whenever something arrived that can be seen.
    pub(crate) revision: u64,
    awaited: BTreeMap<u64, Text>,
    early: BTreeMap<u64, CommandState>,
    expected: BTreeMap<u64, Expected>,
    next_token: u64,
    effects: Vec<Effect>,
}

impl Model {
    /// A model that knows nothing yet.
    pub(crate) fn new(language: Language, theme: Option<Theme>) -> Self {
        Self { language, theme, ..Self::default() }
    }

    /// Starts: spends the shell's ticket if there is one, else asks who is signed in.
    pub(crate) fn start(&mut self, ticket: Option<String>) {
        match ticket {
            Some(ticket) => self.command(Command::SignInWithTicket(ticket)),
            None => self.command(Command::Fetch(Resource::Session)),
        }
    }

    /// What the outer layer has to do, in order.
    pub(crate) fn effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// The theme, light until the person chose.
    pub(crate) fn theme(&self) -> Theme {
        self.theme.unwrap_or(Theme::Light)
    }

    /// Whether a command of this kind is still without an answer.
    pub(crate) fn is_busy(&self, kind: impl Fn(&Command) -> bool) -> bool {
        self.expected.values().any(|expected| matches!(expected, Expected::Done(command) if kind(command)))
    }

    /// Does what the person asked for.
    pub(crate) fn command(&mut self, command: Command) {
        if let Some((method, path, body)) = route::of_command(&command, self.snapshot.as_deref()) {
            if matches!(command, Command::SignIn(_) | Command::SetUp(_)) {
                self.refusal = None;
            }
            let file = match &command {
                Command::KeepFirmware(file) => Some(std::sync::Arc::clone(&file.bytes)),
                _ => None,
            };
            self.send_with(method, path, (body, file), Expected::Done(Box::new(command)));
            return;
        }
        match command {
            Command::Show(page) => self.show(page),
            Command::ShowCharger(charger) => {
                self.view.page = Page::Chargers;
                self.values.decisions = Remote::Absent;
                self.values.frames = Remote::Absent;
                self.view.charger = charger;
            }
            Command::ShowSession(session) => {
                self.values.curve = Remote::Absent;
                self.view.session = session;
            }
            Command::ShowDialog(dialog) => {
                self.values.shown_password = None;
                self.values.records.preview = None;
                self.values.records.reader = None;
                self.view.dialog = dialog;
            }
            Command::SetInsight(filter) => {
                self.view.insight = filter;
                self.fetch(Resource::Usage);
            }
            Command::SetSpan(span) => self.view.span = span,
            Command::SetQuantity(quantity) => self.view.quantity = quantity,
            Command::SetGraphForm(form) => self.view.form = form,
            Command::SetLanguage(language) => {
                self.language = language;
                self.effects.push(Effect::Remember);
            }
            Command::SetTheme(theme) => {
                self.theme = Some(theme);
                self.effects.push(Effect::Remember);
            }
            Command::Dismiss(toast) => self.toasts.dismiss(toast),
            Command::Copy(text) => self.effects.push(Effect::Copy(text)),
            Command::Fetch(resource) => self.fetch(resource),
            // All others have a route; one without (such as moving the first charger up) changes nothing.
            _nothing_to_do => {}
        }
    }

    fn show(&mut self, page: Page) {
        self.view.page = page;
        self.view.charger = None;
        self.view.session = None;
        self.view.dialog = None;
        // What a page shows is read anew when it is opened; the old values stay until then.
        match page {
            Page::Overview | Page::Chargers => {}
            Page::Cards => self.fetch(Resource::Tenants),
            Page::Sessions => {
                self.fetch(Resource::Sessions);
                self.fetch(Resource::Records(RecordsResource::Orphans));
                self.fetch(Resource::Tenants);
            }
            Page::Tariffs => self.fetch(Resource::Books(BooksResource::Tariff)),
            Page::Statements => {
                for resource in [BooksResource::Months, BooksResource::Letterhead, BooksResource::Mail] {
                    self.fetch(Resource::Books(resource));
                }
                if let Some(open) = self.values.books.month.value().map(|month| month.month.clone()) {
                    self.fetch(Resource::Books(BooksResource::Month(open)));
                }
            }
            Page::Insight => {
                self.fetch(Resource::Usage);
                self.fetch(Resource::Tenants);
            }
            Page::Cloud => {
                self.fetch(Resource::Keeping(KeepingResource::Cloud));
                self.fetch(Resource::Keeping(KeepingResource::Mqtt));
                self.fetch(Resource::Keeping(KeepingResource::Kafka));
                self.fetch(Resource::Keeping(KeepingResource::Backups));
            }
            Page::Circuits => self.fetch(Resource::Fallbacks),
            Page::Connect => {
                self.fetch(Resource::Connections);
                self.fetch(Resource::Security);
            }
            Page::Settings => {
                for resource in [Resource::Site, Resource::Circuits, Resource::Connections] {
                    self.fetch(resource);
                }
            }
            Page::Demo => self.fetch(Resource::Demo),
        }
    }

    /// Asks for a value unless it is being asked for.
    pub(crate) fn fetch(&mut self, resource: Resource) {
        let asking = Asking {
            snapshot: self.snapshot.as_deref(),
            insight: &self.view.insight,
            filter: &self.view.filter,
            cursor: self.values.sessions_next.as_deref(),
        };
        let Some(path) = route::of_resource(&resource, &asking) else { return };
        match &resource {
            Resource::Session => {}
            Resource::Site => self.values.site.ask(),
            Resource::Circuits => self.values.circuits.ask(),
            Resource::Fallbacks => self.values.fallbacks.ask(),
            Resource::Tenants => self.values.tenants.ask(),
            Resource::Sessions | Resource::MoreSessions => self.values.sessions.ask(),
            Resource::Usage => self.values.usage.ask(),
            Resource::Curve(_) => self.values.curve.ask(),
            Resource::Readings(quantity, from) => {
                self.values.readings.ask();
                self.history.track(*quantity).asked_from_ms = Some(*from);
            }
            Resource::Decisions(_) => self.values.decisions.ask(),
            Resource::Frames(..) => self.values.frames.ask(),
            Resource::Detail(_) => self.values.detail.ask(),
            Resource::Timeline(_) => self.values.timeline.ask(),
            Resource::Connections => self.values.connections.ask(),
            Resource::Security => self.values.security.ask(),
            Resource::ForeignMeters => self.values.foreign.ask(),
            Resource::ForeignPresets => self.values.foreign_presets.ask(),
            Resource::Files => self.values.files.ask(),
            Resource::Listeners => self.values.listeners.ask(),
            Resource::Books(books) => self.values.books.ask(books),
            Resource::Records(records) => self.values.records.ask(records),
            Resource::Keeping(keeping) => self.values.keeping.ask(keeping),
            Resource::Demo => self.values.demo.ask(),
        }
        self.send(Method::Get, path, None, Expected::Value(resource));
    }

    fn send(&mut self, method: Method, path: String, body: Option<String>, expected: Expected) {
        self.send_with(method, path, (body, None), expected);
    }

    fn send_with(
        &mut self,
        method: Method,
        path: String,
        (body, file): (Option<String>, Option<std::sync::Arc<[u8]>>),
        expected: Expected,
    ) {
        self.next_token += 1;
        let token = self.next_token;
        self.expected.insert(token, expected);
        self.effects.push(Effect::Send(Request { token, method, path, body, file }));
    }

    /// Takes in what arrived.
    pub(crate) fn arrive(&mut self, arrival: Arrival) {
        self.revision += 1;
        match arrival {
            Arrival::Answer { token, status, body } => {
                let Some(expected) = self.expected.remove(&token) else { return };
                let answer = if (200..300).contains(&status) { Ok(body) } else { Err(self.problem(&body)) };
                self.answered(expected, answer);
            }
            Arrival::Unreachable { token } => {
                let Some(expected) = self.expected.remove(&token) else { return };
                if self.stage == Stage::Starting {
                    self.stage = Stage::Unreachable;
                }
                self.answered(expected, Err(Refusal::unreachable(self.language)));
            }
            Arrival::LiveOpened => {}
            Arrival::Live(text) => match serde_json::from_str(&text) {
                Ok(LiveMessage::Snapshot(snapshot)) => self.live(Arc::new(*snapshot)),
                Ok(LiveMessage::Command(state)) => self.outcome(state),
                Err(_unreadable) => self.toasts.say(Tone::Bad, Text::AnswerUnreadable.get(self.language).to_owned()),
            },
            Arrival::LiveClosed => {
                if self.stage == Stage::Inside {
                    self.link = Link::Lost;
                    // The cookie may have ended; the answer says so.
                    self.fetch(Resource::Session);
                }
            }
        }
    }

    fn live(&mut self, snapshot: Arc<Snapshot>) {
        self.link = Link::Open;
        self.history.append(&snapshot);
        let before = self.snapshot.replace(Arc::clone(&snapshot));
        if let Some(job) = self.values.books.running() {
            self.fetch(Resource::Books(BooksResource::Job(job)));
        }
        if self.view.page == Page::Cloud && !self.values.keeping.cloud.is_pending() {
            self.fetch(Resource::Keeping(KeepingResource::Cloud));
        }
        if self.view.page == Page::Demo && snapshot.demo && !self.values.demo.is_pending() {
            self.fetch(Resource::Demo);
        }
        if let Some(open) = self.view.charger.clone().filter(|_| self.revision.is_multiple_of(DETAIL_EVERY))
            && self.values.detail.value().is_some()
            && !self.values.detail.is_pending()
        {
            self.fetch(Resource::Detail(open));
        }
        if let Some(open) = self.view.charger.clone() {
            let why = |snapshot: &Snapshot| {
                let charger = snapshot.chargers.iter().find(|charger| charger.id == open)?;
                Some(charger.connectors.iter().map(|c| (c.set_a.to_bits(), c.why.clone())).collect::<Vec<_>>())
            };
            if before.is_some_and(|before| why(&before) != why(&snapshot)) && !self.values.decisions.is_pending() {
                self.fetch(Resource::Decisions(open));
            }
        }
    }

    fn outcome(&mut self, state: CommandState) {
        let Some(what) = self.awaited.get(&state.id).copied() else {
            // The outcome overtook the answer that names the command.
            self.early.insert(state.id, state);
            while self.early.len() > OUTCOMES_MAX {
                self.early.pop_first();
            }
            return;
        };
        let label = what.get(self.language);
        let (tone, text) = match state.outcome {
            CommandOutcome::Pending => return,
            CommandOutcome::Accepted => (Tone::Good, Text::OutcomeAccepted),
            CommandOutcome::Rejected => (Tone::Bad, Text::OutcomeRejected),
            CommandOutcome::TimedOut => (Tone::Bad, Text::OutcomeTimedOut),
            CommandOutcome::Disconnected => (Tone::Bad, Text::OutcomeDisconnected),
        };
        self.toasts.say(tone, text.fill(self.language, &[label]));
        self.awaited.remove(&state.id);
        self.note_outcome(what, state);
    }

    fn note_outcome(&mut self, what: Text, state: CommandState) {
        self.outcomes.retain(|(_, known)| known.id != state.id);
        self.outcomes.insert(0, (what, state));
        self.outcomes.truncate(OUTCOMES_MAX);
    }

    fn answered(&mut self, expected: Expected, answer: Result<String, Refusal>) {
        if let Err(Refusal { code: Some(Code::Unauthenticated), .. }) = &answer
            && self.stage == Stage::Inside
        {
            self.leave(Stage::SignIn);
        }
        match expected {
            Expected::Value(resource) => self.value_arrived(resource, answer),
            Expected::Done(command) => match answer {
                Ok(body) => self.done(*command, &body),
                Err(refusal) => self.refused(&command, refusal),
            },
        }
    }

    fn refused(&mut self, command: &Command, refusal: Refusal) {
        match command {
            Command::SignIn(_) | Command::SetUp(_) => self.refusal = Some(refusal.detail),
            // A spent ticket is no error: the person signs in.
            Command::SignInWithTicket(_) => self.fetch(Resource::Session),
            // Without a reader cards are held to chargers; nobody asked for this one.
            Command::Records(RecordsCommand::LookAtReader) => {
                self.values.records.reader = Some(api::CardReaderItem::default());
            }
            _every_other => self.toasts.say(Tone::Bad, refusal.detail),
        }
    }

    fn value_arrived(&mut self, resource: Resource, answer: Result<String, Refusal>) {
        let language = self.language;
        let values = &mut self.values;
        match resource {
            Resource::Session => match read::<SessionInfo>(answer, language) {
                Ok(info) => self.who(info),
                Err(detail) if self.stage == Stage::Starting => {
                    self.stage = Stage::Unreachable;
                    self.refusal = Some(detail);
                }
                Err(_still_away) => {}
            },
            Resource::Site => values.site.answer(read(answer, language)),
            Resource::Circuits => {
                values.circuits.answer(read::<CircuitList>(answer, language).map(|list| list.items));
            }
            Resource::Fallbacks => values.fallbacks.answer(read(answer, language)),
            Resource::Tenants => values.tenants.answer(items(answer, language)),
            Resource::Sessions => self.sessions_arrived(answer, Vec::new()),
            Resource::MoreSessions => {
                let known = values.sessions.value().cloned().unwrap_or_default();
                self.sessions_arrived(answer, known);
            }
            Resource::Usage => values.usage.answer(read(answer, language)),
            Resource::Curve(id) => values.curve.answer(read(answer, language).map(|columns| (id, columns))),
            Resource::Readings(quantity, from) => {
                let columns = read::<ReadingColumns>(answer, language);
                if let Ok(columns) = &columns {
                    self.history.track(quantity).merge(quantity, columns, from);
                }
                values.readings.answer(columns.map(|_| ()));
            }
            Resource::Decisions(id) => values.decisions.answer(items(answer, language).map(|list| (id, list))),
            Resource::Detail(id) => values.detail.answer(read(answer, language).map(|detail| (id, detail))),
            Resource::Timeline(id) => values.timeline.answer(items(answer, language).map(|list| (id, list))),
            Resource::Frames(id, _) => values.frames.answer(items(answer, language).map(|list| (id, list))),
            Resource::Connections => values.connections.answer(read(answer, language)),
            Resource::Security => values.security.answer(read(answer, language)),
            Resource::ForeignMeters => values.foreign.answer(read(answer, language)),
            Resource::ForeignPresets => values.foreign_presets.answer(read(answer, language)),
            Resource::Files => values.files.answer(items(answer, language)),
            Resource::Listeners => values.listeners.answer(read(answer, language)),
            Resource::Books(books) => {
                let answer = answer.map_err(|refusal| refusal.detail);
                if let Some(next) = values.books.answer(&books, answer, language) {
                    self.fetch(Resource::Books(next));
                }
            }
            Resource::Records(records) => {
                let answer = answer.map_err(|refusal| refusal.detail);
                values.records.answer(records, answer, Text::AnswerUnreadable.get(language));
            }
            Resource::Keeping(keeping) => {
                values.keeping.answer(&keeping, answer.map_err(|refusal| refusal.detail), language);
            }
            Resource::Demo => values.demo.answer(read(answer, language)),
        }
    }

    fn sessions_arrived(&mut self, answer: Result<String, Refusal>, mut known: Vec<SessionItem>) {
        let page = read::<ListPage<SessionItem>>(answer, self.language).map(|page| {
            known.extend(page.items);
            (known, page.next_cursor)
        });
        match page {
            Ok((list, next)) => {
                self.values.sessions_next = next;
                self.values.sessions.answer(Ok(list));
            }
            Err(detail) => self.values.sessions.answer(Err(detail)),
        }
    }

    fn who(&mut self, info: SessionInfo) {
        if info.signed_in {
            self.enter();
        } else if info.setup_needed {
            self.leave(Stage::SetUp);
        } else {
            self.leave(Stage::SignIn);
        }
    }

    fn enter(&mut self) {
        if self.stage != Stage::Inside {
            self.stage = Stage::Inside;
            self.refusal = None;
            self.effects.push(Effect::OpenLive);
            self.fetch(Resource::Site);
        }
    }

    fn leave(&mut self, stage: Stage) {
        if self.stage == Stage::Inside {
            self.effects.push(Effect::CloseLive);
            // Nothing of the building stays on the screen of someone who is not signed in.
            let (token, revision) = (self.next_token, self.revision);
            let effects = std::mem::take(&mut self.effects);
            *self = Self::new(self.language, self.theme);
            (self.next_token, self.revision, self.effects) = (token, revision, effects);
        }
        self.stage = stage;
    }

    fn problem(&self, body: &str) -> Refusal {
        match serde_json::from_str::<Problem>(body) {
            Ok(problem) => Refusal { detail: problem_text(&problem, self.language), code: Some(problem.code) },
            Err(_not_a_problem) => Refusal { detail: Text::AnswerUnreadable.get(self.language).to_owned(), code: None },
        }
    }
}

/// Why a request failed.
#[derive(Clone, Debug)]
struct Refusal {
    detail: String,
    code: Option<Code>,
}

impl Refusal {
    fn unreachable(language: Language) -> Self {
        Self { detail: Text::Unreachable.get(language).to_owned(), code: None }
    }
}

/// The server's own words in English; in Portuguese ours where the code says enough, else the sentence said in Portuguese.
fn problem_text(problem: &Problem, language: Language) -> String {
    if language == Language::English {
        return problem.detail.clone();
    }
    let text = match problem.code {
        Code::WrongPassword => Text::ProblemWrongPassword,
        Code::TooManyAttempts => Text::ProblemTooManyAttempts,
        Code::Unauthenticated => Text::ProblemUnauthenticated,
        Code::ChargerOffline => Text::ProblemChargerOffline,
        Code::NotApproved => Text::ProblemNotApproved,
        Code::Unsupported => Text::ProblemUnsupported,
        Code::StorageFailing => Text::ProblemStorageFailing,
        Code::NotFound => Text::ProblemNotFound,
        Code::SetupNeeded | Code::SetupDone | Code::Invalid | Code::Conflict | Code::DemoOnly | Code::Internal => {
            return crate::text::said(&problem.detail, language);
        }
    };
    text.get(language).to_owned()
}

fn read<T: DeserializeOwned>(answer: Result<String, Refusal>, language: Language) -> Result<T, String> {
    let body = answer.map_err(|refusal| refusal.detail)?;
    serde_json::from_str(&body).map_err(|_unreadable| Text::AnswerUnreadable.get(language).to_owned())
}

fn items<T: DeserializeOwned>(answer: Result<String, Refusal>, language: Language) -> Result<Vec<T>, String> {
    read::<ListPage<T>>(answer, language).map(|page| page.items)
}

#[cfg(test)]
mod tests;

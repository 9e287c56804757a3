//! Cards, imports, corrections and readings as the console knows them: what it asks for, what it sends, what came back. Pure.

use crate::remote::Remote;
use crate::text::Text;
use crate::transport::Method;
use api::{
    CardReaderItem, ImportPreview, ImportRequest, OrphanDecisionRequest, OrphanItem, Page, ReadingColumns,
    SessionChangeItem, SessionItem,
};
use serde::de::DeserializeOwned;

/// A value about cards and sessions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RecordsResource {
    /// Ends that fit no session.
    Orphans,
    /// What was changed about a session.
    Changes(i32),
    /// One session, wherever it is in the list.
    Session(i32),
    /// Sessions at a charger, which an end may belong to.
    Candidates(String),
    /// Names of everything that is measured.
    Series,
    /// Readings, by the path of the question.
    Measured(String),
}

/// Something to do with cards and sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RecordsCommand {
    /// A card was read at this desk, or its number was typed.
    ReadCard(String),
    /// Look for a card on the reader of the computer the server runs on.
    LookAtReader,
    /// Look at a list of tenants, or take it in.
    Import(ImportRequest),
    /// Say which session an end belongs to.
    Decide(i64, OrphanDecisionRequest),
}

impl RecordsCommand {
    /// What a button says.
    pub(crate) const fn label(&self) -> Text {
        match self {
            Self::ReadCard(_) => Text::CardTypedDo,
            Self::LookAtReader => Text::TryAgain,
            Self::Import(ImportRequest { dry_run: true, .. }) => Text::Refresh,
            Self::Import(_) => Text::ImportDo,
            Self::Decide(_, OrphanDecisionRequest { session_id: Some(_), .. }) => Text::OrphanAssign,
            Self::Decide(..) => Text::OrphanDismiss,
        }
    }

    /// Its request.
    pub(crate) fn route(&self) -> (Method, String, Option<String>) {
        let (path, body) = match self {
            Self::ReadCard(uid) => ("enrolment/card".to_owned(), Some(serde_json::json!({ "uid": uid }).to_string())),
            Self::LookAtReader => ("enrolment/reader".to_owned(), Some("{}".to_owned())),
            Self::Import(request) => ("tenants/import".to_owned(), serde_json::to_string(request).ok()),
            Self::Decide(id, request) => (format!("orphan-stops/{id}/decide"), serde_json::to_string(request).ok()),
        };
        (Method::Post, path, body)
    }
}

impl RecordsResource {
    /// Where it is.
    pub(crate) fn path(&self) -> String {
        match self {
            Self::Orphans => "orphan-stops?open=true&limit=500".to_owned(),
            Self::Changes(id) => format!("sessions/{id}/changes"),
            Self::Session(id) => format!("sessions/{id}"),
            Self::Candidates(charger) => format!("sessions?limit=30&charger={}", crate::route::part(charger)),
            Self::Series => "readings/series".to_owned(),
            Self::Measured(path) => path.clone(),
        }
    }
}

/// Values about cards and sessions.
#[derive(Debug, Default)]
pub(crate) struct RecordsValues {
    /// Ends nobody decided about.
    pub(crate) orphans: Remote<Vec<OrphanItem>>,
    /// What was changed about the open session.
    pub(crate) changes: Remote<(i32, Vec<SessionChangeItem>)>,
    /// The session that is being corrected.
    pub(crate) session: Remote<SessionItem>,
    /// Sessions at a charger.
    pub(crate) candidates: Remote<(String, Vec<SessionItem>)>,
    /// Everything that is measured.
    pub(crate) series: Remote<Vec<String>>,
    /// Readings, and which question they answer.
    pub(crate) measured: Remote<(String, ReadingColumns)>,
    /// What the last look at the card reader found.
    pub(crate) reader: Option<CardReaderItem>,
    /// What the chosen list of tenants says.
    pub(crate) preview: Option<ImportPreview>,
}

fn parsed<T: DeserializeOwned>(answer: Result<String, String>, unreadable: &str) -> Result<T, String> {
    serde_json::from_str(&answer?).map_err(|_unreadable| unreadable.to_owned())
}

impl RecordsValues {
    /// Notes that a value was asked for.
    pub(crate) fn ask(&mut self, resource: &RecordsResource) {
        match resource {
            RecordsResource::Orphans => self.orphans.ask(),
            RecordsResource::Changes(_) => self.changes.ask(),
            RecordsResource::Session(_) => self.session.ask(),
            RecordsResource::Candidates(_) => self.candidates.ask(),
            RecordsResource::Series => self.series.ask(),
            RecordsResource::Measured(_) => self.measured.ask(),
        }
    }

    /// Takes an answer in.
    pub(crate) fn answer(&mut self, resource: RecordsResource, answer: Result<String, String>, unreadable: &str) {
        match resource {
            RecordsResource::Orphans => {
                self.orphans.answer(parsed::<Page<OrphanItem>>(answer, unreadable).map(|page| page.items));
            }
            RecordsResource::Changes(id) => {
                let list = parsed::<Page<SessionChangeItem>>(answer, unreadable);
                self.changes.answer(list.map(|page| (id, page.items)));
            }
            RecordsResource::Session(_) => self.session.answer(parsed(answer, unreadable)),
            RecordsResource::Candidates(charger) => {
                let list = parsed::<Page<SessionItem>>(answer, unreadable);
                self.candidates.answer(list.map(|page| (charger, page.items)));
            }
            RecordsResource::Series => self.series.answer(parsed(answer, unreadable)),
            RecordsResource::Measured(path) => {
                self.measured.answer(parsed(answer, unreadable).map(|columns| (path, columns)));
            }
        }
    }

    /// The session of this identity, if it was asked for.
    pub(crate) fn session_of(&self, id: i32) -> Option<&SessionItem> {
        self.session.value().filter(|session| session.id == id)
    }
}

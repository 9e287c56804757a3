//! Tariffs and statements as the console knows them: what it asks for, what it sends, what came back. Pure.

use crate::remote::Remote;
use crate::text::Text;
use crate::transport::Method;
use api::{
    DeliveryItem, ExportRequest, JobItem, JobState, Language, LetterheadItem, MailItem, MonthItem, MonthStatement,
    ObstacleDecision, Page, SendRequest, TariffDocument, TariffPage,
};
use serde::de::DeserializeOwned;

/// A value about the books.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum BooksResource {
    /// Months with sessions.
    Months,
    /// One month.
    Month(String),
    /// The tariff.
    Tariff,
    /// Who sends the statements.
    Letterhead,
    /// The mail server.
    Mail,
    /// E-mails of a month.
    Deliveries(String),
    /// Progress of a long job.
    Job(u64),
}

/// Something to do with the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BooksCommand {
    /// Close a month for ever.
    Close(String),
    /// Accept an obstacle, or take that back.
    Decide(String, ObstacleDecision),
    /// Make files for all tenants.
    Export(String, ExportRequest),
    /// E-mail all tenants.
    Send(String, SendRequest),
    /// Stop a long job.
    Cancel(u64),
    /// Replace the tariff.
    SetTariff(Box<TariffDocument>),
    /// Look what a tariff would be like.
    CheckTariff(Box<TariffDocument>),
    /// Replace the letterhead.
    SetLetterhead(Box<LetterheadItem>),
    /// Replace the mail server.
    SetMail(Box<MailItem>),
}

impl BooksCommand {
    /// What a button says.
    pub(crate) const fn label(&self) -> Text {
        match self {
            Self::Close(_) => Text::CloseMonthDo,
            Self::Decide(_, decision) if decision.reason.is_empty() => Text::TakeBack,
            Self::Decide(..) => Text::Accept,
            Self::Export(..) => Text::AllFiles,
            Self::Send(..) => Text::SendAll,
            Self::Cancel(_) => Text::Cancel,
            Self::SetTariff(_) | Self::SetLetterhead(_) | Self::SetMail(_) => Text::Save,
            Self::CheckTariff(_) => Text::Refresh,
        }
    }

    /// Its request.
    pub(crate) fn route(&self) -> (Method, String, Option<String>) {
        let json = |value: serde_json::Result<String>| value.ok();
        match self {
            Self::Close(month) => (Method::Post, format!("statements/{month}/close"), Some("{}".to_owned())),
            Self::Decide(month, decision) => {
                (Method::Put, format!("statements/{month}/decisions"), json(serde_json::to_string(decision)))
            }
            Self::Export(month, request) => {
                (Method::Post, format!("statements/{month}/export"), json(serde_json::to_string(request)))
            }
            Self::Send(month, request) => {
                (Method::Post, format!("statements/{month}/send"), json(serde_json::to_string(request)))
            }
            Self::Cancel(job) => (Method::Delete, format!("statement-jobs/{job}"), None),
            Self::SetTariff(tariff) => (Method::Put, "tariffs".to_owned(), json(serde_json::to_string(tariff))),
            Self::CheckTariff(tariff) => {
                (Method::Post, "tariffs/check".to_owned(), json(serde_json::to_string(tariff)))
            }
            Self::SetLetterhead(item) => (Method::Put, "letterhead".to_owned(), json(serde_json::to_string(item))),
            Self::SetMail(item) => (Method::Put, "mail".to_owned(), json(serde_json::to_string(item))),
        }
    }
}

impl BooksResource {
    /// Where it is.
    pub(crate) fn path(&self) -> String {
        match self {
            Self::Months => "statements".to_owned(),
            Self::Month(month) => format!("statements/{month}"),
            Self::Tariff => "tariffs".to_owned(),
            Self::Letterhead => "letterhead".to_owned(),
            Self::Mail => "mail".to_owned(),
            Self::Deliveries(month) => format!("statements/{month}/deliveries"),
            Self::Job(id) => format!("statement-jobs/{id}"),
        }
    }
}

/// Where a file of a month is; the summary without a tenant.
pub(crate) fn file_of(month: &str, tenant: Option<i64>, format: &str, dialect: &str) -> String {
    let tenant = tenant.map(|id| format!("&tenant_id={id}")).unwrap_or_default();
    let dialect = if dialect.is_empty() { String::new() } else { format!("&dialect={dialect}") };
    format!("/api/v1/statements/{month}?format={format}{tenant}{dialect}")
}

/// Where the archive of a job is.
pub(crate) fn archive_of(job: u64) -> String {
    format!("/api/v1/statement-jobs/{job}/file")
}

/// Values about the books.
#[derive(Debug, Default)]
pub(crate) struct BooksValues {
    /// Months, newest first.
    pub(crate) months: Remote<Vec<MonthItem>>,
    /// The month that is open.
    pub(crate) month: Remote<MonthStatement>,
    /// The tariff in force.
    pub(crate) tariff: Remote<TariffPage>,
    /// What the tariff being typed would be like.
    pub(crate) checked: Option<TariffPage>,
    /// Who sends the statements.
    pub(crate) letterhead: Remote<LetterheadItem>,
    /// The mail server.
    pub(crate) mail: Remote<MailItem>,
    /// E-mails of the open month.
    pub(crate) deliveries: Remote<Vec<DeliveryItem>>,
    /// The newest long job.
    pub(crate) job: Option<JobItem>,
    /// Counts up when the tariff, letterhead or mail server was saved: forms begin anew.
    pub(crate) saved: u32,
}

fn parsed<T: DeserializeOwned>(answer: Result<String, String>, language: Language) -> Result<T, String> {
    serde_json::from_str(&answer?).map_err(|_unreadable| Text::AnswerUnreadable.get(language).to_owned())
}

impl BooksValues {
    /// Notes that a value was asked for.
    pub(crate) fn ask(&mut self, resource: &BooksResource) {
        match resource {
            BooksResource::Months => self.months.ask(),
            BooksResource::Month(_) => self.month.ask(),
            BooksResource::Tariff => self.tariff.ask(),
            BooksResource::Letterhead => self.letterhead.ask(),
            BooksResource::Mail => self.mail.ask(),
            BooksResource::Deliveries(_) => self.deliveries.ask(),
            BooksResource::Job(_) => {}
        }
    }

    /// Takes an answer in; gives what is to be asked for next.
    pub(crate) fn answer(
        &mut self,
        resource: &BooksResource,
        answer: Result<String, String>,
        language: Language,
    ) -> Option<BooksResource> {
        match resource {
            BooksResource::Months => {
                self.months.answer(parsed::<Page<MonthItem>>(answer, language).map(|page| page.items));
            }
            BooksResource::Month(_) => self.month.answer(parsed(answer, language)),
            BooksResource::Tariff => {
                self.checked = None;
                self.tariff.answer(parsed(answer, language));
            }
            BooksResource::Letterhead => self.letterhead.answer(parsed(answer, language)),
            BooksResource::Mail => self.mail.answer(parsed(answer, language)),
            BooksResource::Deliveries(_) => {
                self.deliveries.answer(parsed::<Page<DeliveryItem>>(answer, language).map(|page| page.items));
            }
            BooksResource::Job(_) => {
                self.job = parsed(answer, language).ok();
                let ended = self.job.as_ref().filter(|job| job.state != JobState::Running && job.kind == "send");
                return ended.map(|job| BooksResource::Deliveries(job.month.clone()));
            }
        }
        None
    }

    /// A command was carried out; gives what is to be asked for now and what to say.
    pub(crate) fn done(&mut self, command: &BooksCommand, body: &str) -> (Vec<BooksResource>, Option<Text>) {
        match command {
            BooksCommand::Close(_) => {
                self.month_changed(body);
                (vec![BooksResource::Months], Some(Text::MonthClosed))
            }
            BooksCommand::Decide(..) => {
                self.month_changed(body);
                (Vec::new(), None)
            }
            BooksCommand::Export(..) | BooksCommand::Send(..) | BooksCommand::Cancel(_) => {
                self.job = serde_json::from_str(body).ok();
                (Vec::new(), None)
            }
            BooksCommand::SetTariff(_) => {
                if let Ok(page) = serde_json::from_str(body) {
                    self.tariff.answer(Ok(page));
                }
                self.checked = None;
                self.saved += 1;
                (Vec::new(), Some(Text::TariffSaved))
            }
            BooksCommand::CheckTariff(_) => {
                let before = self.checked.take().map(|page| page.calendars).unwrap_or_default();
                self.checked = serde_json::from_str(body).ok();
                // While something half typed cannot be read, the weeks stay as they were.
                if let Some(page) = self.checked.as_mut().filter(|page| page.calendars.is_empty()) {
                    page.calendars = before;
                }
                (Vec::new(), None)
            }
            BooksCommand::SetLetterhead(_) => {
                self.saved += 1;
                (vec![BooksResource::Letterhead], Some(Text::SettingsSaved))
            }
            BooksCommand::SetMail(_) => {
                self.saved += 1;
                (vec![BooksResource::Mail], Some(Text::SettingsSaved))
            }
        }
    }

    fn month_changed(&mut self, body: &str) {
        if let Ok(month) = serde_json::from_str(body) {
            self.month.answer(Ok(month));
        }
    }

    /// The job that is under way, to be asked about.
    pub(crate) fn running(&self) -> Option<u64> {
        self.job.as_ref().filter(|job| job.state == JobState::Running).map(|job| job.id)
    }
}

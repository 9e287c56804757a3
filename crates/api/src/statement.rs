//! Statements as the console shows them. Energy is in Wh, money a decimal written as text, times are RFC 3339 UTC.

use crate::Language;
use serde::{Deserialize, Serialize};

/// State of a month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MonthState {
    /// Computed from what is known now.
    #[default]
    Preview,
    /// Closed: it never changes.
    Closed,
}

/// A month in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MonthItem {
    /// `yyyy-mm`.
    pub month: String,
    /// State.
    pub state: MonthState,
    /// When it was closed.
    pub closed_at: Option<String>,
}

/// A month of the whole building.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MonthStatement {
    /// `yyyy-mm`.
    pub month: String,
    /// State.
    pub state: MonthState,
    /// When it was closed.
    pub closed_at: Option<String>,
    /// Hash of the month's summary in the chain.
    pub hash: Option<String>,
    /// ISO 4217 code.
    pub currency: String,
    /// Tariff versions in force.
    pub versions: Vec<String>,
    /// One per tenant.
    pub tenants: Vec<StatementRow>,
    /// What nobody pays.
    pub unassigned: StatementRow,
    /// Energy of each day in Wh.
    pub days_wh: Vec<u64>,
    /// Energy of all sessions in Wh.
    pub energy_wh: u64,
    /// Sum of all totals.
    pub total: String,
    /// Sessions against registers and meters.
    pub reconciliation: Vec<ReconciliationRow>,
    /// What keeps it from closing, and what was accepted.
    pub obstacles: Vec<ObstacleItem>,
}

/// One tenant of a month.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StatementRow {
    /// Tenant; `null` for the building's own part, or one that was erased.
    pub tenant_id: Option<i64>,
    /// Name; empty for the building's own part.
    pub name: String,
    /// Unit.
    pub unit: String,
    /// Sessions.
    pub sessions: u32,
    /// Energy in Wh.
    pub energy_wh: u64,
    /// Before taxes.
    pub net: String,
    /// Taxes.
    pub tax: String,
    /// Total.
    pub total: String,
}

/// A register or meter against the sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReconciliationRow {
    /// Charger with connector, or meter.
    pub name: String,
    /// Energy of its sessions in Wh.
    pub sessions_wh: u64,
    /// What it counted in Wh; `null` when it cannot be told.
    pub counted_wh: Option<u64>,
    /// Counted less sessions in Wh.
    pub difference_wh: Option<i64>,
    /// `equal`, `within_tolerance`, `register_reset`, `no_register`, `outside_sessions` or `sessions_exceed`.
    pub explanation: String,
}

/// One tenant's statement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StatementItem {
    /// `yyyy-mm`.
    pub month: String,
    /// State of the month.
    pub state: MonthState,
    /// ISO 4217 code.
    pub currency: String,
    /// Sums.
    pub row: StatementRow,
    /// Lines before taxes.
    pub lines: Vec<StatementLine>,
    /// Taxes.
    pub taxes: Vec<StatementLine>,
    /// Sessions.
    pub sessions: Vec<StatementSession>,
    /// Energy of each day in Wh.
    pub days_wh: Vec<u64>,
    /// Of the energy, measured by MID-certified meters, in Wh.
    pub mid_wh: u64,
    /// Place in the chain.
    pub number: Option<i64>,
    /// Hash in the chain.
    pub hash: Option<String>,
}

/// A line of a statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StatementLine {
    /// `energy`, `solar`, `flag`, `session`, `idle`, `power`, `fee`, `cost`, `invoice`, `correction` or `tax`.
    pub category: String,
    /// Name in the tariff.
    pub name: String,
    /// Energy in Wh, where the line is about energy.
    pub energy_wh: Option<i64>,
    /// How much of it otherwise: sessions, minutes, days, or the common amount.
    pub quantity: Option<String>,
    /// Price of a unit, or the rate of a tax.
    pub price: Option<String>,
    /// What it costs.
    pub amount: String,
}

/// The part of a session that lies in the month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StatementSession {
    /// Session.
    pub id: i32,
    /// Charger.
    pub charger: String,
    /// Connector.
    pub connector: u16,
    /// Start.
    pub started_at: String,
    /// End; `null` while it runs.
    pub ended_at: Option<String>,
    /// Energy in this month in Wh.
    pub energy_wh: u64,
    /// Its share of the energy lines.
    pub amount: String,
    /// Trust.
    pub provenance: String,
    /// Whether part of it lies in another month.
    pub is_cut: bool,
}

/// What kind of obstacle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ObstacleCode {
    /// The month has not ended.
    MonthRuns,
    /// An earlier month is open.
    EarlierMonthOpen,
    /// A later month is closed.
    LaterMonthClosed,
    /// Days without a price.
    NoTariff,
    /// The supplier's invoice is missing.
    InvoiceMissing,
    /// The month's flag is missing.
    FlagMissing,
    /// A session runs.
    OpenSession,
    /// A session ended before it began.
    EndsBeforeStart,
    /// More energy than possible.
    ImpossibleEnergy,
    /// Energy and registers disagree.
    RegisterDoubt,
    /// Nobody pays.
    NoTenant,
    /// The end was estimated.
    EndEstimated,
    /// Readings are missing at a cut.
    ReadingsMissing,
    /// An end without a session.
    OrphanStop,
    /// A register and its sessions differ.
    RegisterMismatch,
    /// A meter and the sessions differ.
    MeterMismatch,
}

/// What keeps a month from closing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ObstacleItem {
    /// Names it in a decision.
    pub key: String,
    /// What it is.
    pub code: ObstacleCode,
    /// Whether the manager may accept it as it is.
    pub can_accept: bool,
    /// Why it was accepted; `null` while it stands in the way.
    pub accepted: Option<String>,
    /// The session it is about.
    pub session_id: Option<i32>,
    /// The charger, meter, month or day it is about; may be empty.
    pub subject: String,
    /// Energy or difference in Wh it is about; 0 for none.
    pub energy_wh: i64,
}

/// A decision about an obstacle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ObstacleDecision {
    /// Which obstacle.
    pub key: String,
    /// Why it is accepted; empty takes the decision back.
    pub reason: String,
}

/// What files to make for all tenants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExportRequest {
    /// `pdf`, `xlsx` or `csv`.
    pub format: String,
    /// `rfc4180` or `semicolon`, for CSV.
    #[serde(default)]
    pub dialect: Option<String>,
}

/// Who gets an e-mail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SendRequest {
    /// Only these tenants; all of the month when empty.
    #[serde(default)]
    pub tenant_ids: Vec<i64>,
}

/// State of a long job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Under way.
    #[default]
    Running,
    /// Finished.
    Done,
    /// Cancelled.
    Cancelled,
    /// Failed.
    Failed,
}

/// A long job: files or e-mails for all tenants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobItem {
    /// Number.
    pub id: u64,
    /// `export` or `send`.
    pub kind: String,
    /// `yyyy-mm`.
    pub month: String,
    /// State.
    pub state: JobState,
    /// Tenants done.
    pub done: u32,
    /// Tenants altogether.
    pub total: u32,
    /// Why it failed, in English; empty otherwise.
    pub detail: String,
}

/// An e-mail that was sent, or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeliveryItem {
    /// To whom.
    pub tenant_id: i64,
    /// Name, if known still.
    pub name: String,
    /// When.
    pub at: String,
    /// Whether the server took it.
    pub sent: bool,
    /// What the server said, or why it was not sent.
    pub detail: String,
}

/// Whether the chain of closed statements holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChainCheck {
    /// Whether nothing was altered.
    pub whole: bool,
    /// Documents in the chain.
    pub documents: u64,
    /// Newest hash.
    pub newest_hash: String,
    /// What is wrong; empty when nothing is.
    pub detail: String,
}

impl ObstacleItem {
    fn kwh(&self) -> String {
        let wh = self.energy_wh;
        let sign = if wh < 0 { "−" } else { "" };
        format!("{sign}{}.{:03} kWh", wh.unsigned_abs() / 1000, wh.unsigned_abs() % 1000)
    }

    /// What is in the way, in a sentence for people.
    #[must_use]
    pub fn sentence(&self, language: Language) -> String {
        match language {
            Language::English => self.english(),
            Language::Portuguese => self.portuguese(),
        }
    }

    fn english(&self) -> String {
        let id = self.session_id.unwrap_or_default();
        let (subject, kwh) = (&self.subject, self.kwh());
        match self.code {
            ObstacleCode::MonthRuns => "The month has not ended".to_owned(),
            ObstacleCode::EarlierMonthOpen => format!("{subject} is not closed yet"),
            ObstacleCode::LaterMonthClosed => format!("{subject} is closed already"),
            ObstacleCode::NoTariff => format!("No tariff is valid from {subject} on"),
            ObstacleCode::InvoiceMissing => "The amount of the supplier's invoice is missing".to_owned(),
            ObstacleCode::FlagMissing => "The flag of the month is missing".to_owned(),
            ObstacleCode::OpenSession => {
                format!("Session {id} at {subject} runs and was not read since the month ended")
            }
            ObstacleCode::EndsBeforeStart => format!("Session {id} ended before it began"),
            ObstacleCode::ImpossibleEnergy => format!("Session {id} has {kwh}, more than its time allows"),
            ObstacleCode::RegisterDoubt => format!("Session {id} has {kwh}, but its registers say otherwise"),
            ObstacleCode::NoTenant => format!("Nobody pays for session {id} with {kwh}"),
            ObstacleCode::EndEstimated => format!("The end of session {id} never arrived"),
            ObstacleCode::ReadingsMissing => format!("Session {id} is cut between readings far apart"),
            ObstacleCode::OrphanStop => format!("{subject} reported the end of a session nobody knows"),
            ObstacleCode::RegisterMismatch => format!("The register of {subject} and its sessions differ by {kwh}"),
            ObstacleCode::MeterMismatch => format!("The meter {subject} and the sessions differ by {kwh}"),
        }
    }

    fn portuguese(&self) -> String {
        let id = self.session_id.unwrap_or_default();
        let (subject, kwh) = (&self.subject, self.kwh().replace('.', ","));
        match self.code {
            ObstacleCode::MonthRuns => "O mês ainda não terminou".to_owned(),
            ObstacleCode::EarlierMonthOpen => format!("{subject} ainda não está fechado"),
            ObstacleCode::LaterMonthClosed => format!("{subject} já está fechado"),
            ObstacleCode::NoTariff => format!("Nenhum tarifário é válido a partir de {subject}"),
            ObstacleCode::InvoiceMissing => "Falta o valor da fatura do fornecedor".to_owned(),
            ObstacleCode::FlagMissing => "Falta a bandeira do mês".to_owned(),
            ObstacleCode::OpenSession => {
                format!("A sessão {id} em {subject} está a decorrer e não foi lida desde o fim do mês")
            }
            ObstacleCode::EndsBeforeStart => format!("A sessão {id} terminou antes de começar"),
            ObstacleCode::ImpossibleEnergy => format!("A sessão {id} tem {kwh}, mais do que o seu tempo permite"),
            ObstacleCode::RegisterDoubt => format!("A sessão {id} tem {kwh}, mas os contadores dizem outra coisa"),
            ObstacleCode::NoTenant => format!("Ninguém paga a sessão {id} com {kwh}"),
            ObstacleCode::EndEstimated => format!("O fim da sessão {id} nunca chegou"),
            ObstacleCode::ReadingsMissing => format!("A sessão {id} é cortada entre leituras muito afastadas"),
            ObstacleCode::OrphanStop => format!("{subject} comunicou o fim de uma sessão desconhecida"),
            ObstacleCode::RegisterMismatch => format!("O contador de {subject} e as suas sessões diferem em {kwh}"),
            ObstacleCode::MeterMismatch => format!("O contador {subject} e as sessões diferem em {kwh}"),
        }
    }

    /// What to do about it, in a sentence for people.
    #[must_use]
    pub const fn fix(&self, language: Language) -> &'static str {
        let (english, portuguese) = match self.code {
            ObstacleCode::MonthRuns => ("Close it when it is over", "Feche-o quando terminar"),
            ObstacleCode::EarlierMonthOpen => ("Close that month first", "Feche primeiro esse mês"),
            ObstacleCode::LaterMonthClosed => (
                "What belongs here becomes a correction of the next month",
                "O que falta passa a acerto do mês seguinte",
            ),
            ObstacleCode::NoTariff => {
                ("Add or extend a version under Tariffs", "Acrescente ou prolongue uma versão em Tarifários")
            }
            ObstacleCode::InvoiceMissing => ("Enter it under Tariffs", "Introduza-o em Tarifários"),
            ObstacleCode::FlagMissing => ("Choose it under Tariffs", "Escolha-a em Tarifários"),
            ObstacleCode::OpenSession => (
                "Wait for the charger to report, or end the session at the charger",
                "Espere pelo carregador ou termine a sessão no carregador",
            ),
            ObstacleCode::EndsBeforeStart | ObstacleCode::ImpossibleEnergy | ObstacleCode::RegisterDoubt => {
                ("Correct the session, or accept it with a reason", "Corrija a sessão, ou aceite-a com um motivo")
            }
            ObstacleCode::NoTenant => (
                "Assign the session, or accept that the building pays",
                "Atribua a sessão, ou aceite que o edifício pague",
            ),
            ObstacleCode::EndEstimated => (
                "Wait for the charger to report, or accept the last reading",
                "Espere pelo carregador, ou aceite a última leitura",
            ),
            ObstacleCode::ReadingsMissing => ("Accept the estimate with a reason", "Aceite a estimativa com um motivo"),
            ObstacleCode::OrphanStop => (
                "Assign it to a session, or accept that it counts for nobody",
                "Atribua-o a uma sessão, ou aceite que não conte",
            ),
            ObstacleCode::RegisterMismatch | ObstacleCode::MeterMismatch => (
                "Look for sessions that are missing, or accept the difference",
                "Procure sessões em falta, ou aceite a diferença",
            ),
        };
        match language {
            Language::English => english,
            Language::Portuguese => portuguese,
        }
    }
}

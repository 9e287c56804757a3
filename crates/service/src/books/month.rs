//! A month: computed while it is open, read from the chain once it is closed.

use super::around::Around;
use super::files::{FileKind, Which, render};
use super::input::{Building, Given};
use super::{Books, BooksError};
use domain::Timestamp;
use reports::chain::{self, ChainError, Document, Filed, Sealed};
use reports::render::{Language, Seal};
use reports::{Basis, Cents, Correction, Month, MonthResult, Statement, Tariff, compute, corrections, corrections_in};
use std::collections::BTreeMap;
use store::{ClosedMonth, ClosedStatement, StatementRecord, Writer};

/// Statements of the chain read at once when it is checked.
const CHAIN_STEP: u32 = 500;

/// A month with everything needed to print it.
#[derive(Clone, Debug)]
pub struct MonthBook {
    pub(crate) month: Month,
    pub(crate) closed_at: Option<Timestamp>,
    pub(crate) result: MonthResult,
    /// By pseudonym; `None` is the building's own part.
    pub(crate) seals: BTreeMap<Option<String>, Seal>,
    pub(crate) summary_seal: Option<Seal>,
    pub(crate) around: Around,
}

/// A chain that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Documents in it.
    pub documents: u64,
    /// Hash of the newest; 64 zeros for an empty chain.
    pub newest_hash: String,
}

impl Books {
    /// A month as closed, or as it would close now.
    ///
    /// # Errors
    /// When the records cannot be read or the chain is damaged there.
    pub async fn month(&self, month: Month, now: Timestamp) -> Result<MonthBook, BooksError> {
        let building = self.building().await?;
        let closed = self.reader.closed_month_list().await?;
        match closed.iter().find(|one| one.month == month.to_string()) {
            Some(one) => self.closed(&building, month, one).await,
            None => self.preview(building, month, now, &closed).await,
        }
    }

    async fn closed(&self, building: &Building, month: Month, one: &ClosedMonth) -> Result<MonthBook, BooksError> {
        let around = around(building);
        let closed_on = around.zone.date(one.closed_at);
        let (mut statements, mut unassigned, mut summary, mut summary_seal) = (Vec::new(), None, None, None);
        let mut seals = BTreeMap::new();
        for sealed in self.reader.statement_list(&one.month).await?.into_iter().map(sealed) {
            let seal = Seal { number: sealed.number, hash: sealed.hash.clone(), closed_on };
            match chain::open(&sealed)? {
                Document::Statement(statement) => {
                    seals.insert(statement.tenant.clone(), seal);
                    if statement.tenant.is_none() {
                        unassigned = Some(*statement);
                    } else {
                        statements.push(*statement);
                    }
                }
                Document::Summary(found) => (summary, summary_seal) = (Some(*found), Some(seal)),
            }
        }
        let (Some(summary), Some(unassigned)) = (summary, unassigned) else {
            return Err(BooksError::Chain(chain::ChainError::Unreadable(0)));
        };
        let result = MonthResult { summary, statements, unassigned };
        Ok(MonthBook { month, closed_at: Some(one.closed_at), result, seals, summary_seal, around })
    }

    async fn preview(
        &self,
        building: Building,
        month: Month,
        now: Timestamp,
        closed: &[ClosedMonth],
    ) -> Result<MonthBook, BooksError> {
        let tariff = self.tariff().await?;
        let newest_closed = closed.iter().filter_map(|one| one.month.parse().ok()).max();
        let corrections = self.corrections(&building, closed, now).await?;
        let given = Given { tariff, previous: self.previous(month).await?, corrections, newest_closed, now };
        let input = self.input(&building, month, given).await?;
        let result = computed(input).await?;
        let around = around(&building);
        Ok(MonthBook { month, closed_at: None, result, seals: BTreeMap::new(), summary_seal: None, around })
    }

    /// Energy and totals of the month before, if it is closed.
    async fn previous(&self, month: Month) -> Result<BTreeMap<String, (u64, Cents)>, BooksError> {
        let statements = self.statements(&month.previous().to_string()).await?;
        let entry = |one: Statement| one.tenant.clone().map(|key| (key, (one.energy_wh, one.total)));
        Ok(statements.into_iter().filter_map(entry).collect())
    }

    /// Closed statements of a month, without its summary.
    async fn statements(&self, month: &str) -> Result<Vec<Statement>, BooksError> {
        let mut statements = Vec::new();
        for one in self.reader.statement_list(month).await? {
            if let Document::Statement(statement) = chain::open(&sealed(one))? {
                statements.push(*statement);
            }
        }
        Ok(statements)
    }

    /// What closed months should have had. Only months whose sessions changed are computed again.
    async fn corrections(
        &self,
        building: &Building,
        closed: &[ClosedMonth],
        now: Timestamp,
    ) -> Result<Vec<Correction>, BooksError> {
        let mut all = Vec::new();
        for (index, one) in closed.iter().enumerate() {
            if self.reader.session_fingerprint(one.from, one.to).await? == one.fingerprint {
                continue;
            }
            let Ok(month) = one.month.parse::<Month>() else { continue };
            self.check_basis(one).await?;
            let mut made = Vec::new();
            for later in closed.iter().skip(index + 1) {
                made.extend(self.statements(&later.month).await?.iter().flat_map(corrections_in));
            }
            let tariff: Tariff = serde_json::from_str(&one.tariff)
                .map_err(|source| BooksError::Document { name: super::TARIFF, source })?;
            let given = Given { tariff, previous: BTreeMap::new(), corrections: Vec::new(), newest_closed: None, now };
            let again = computed(self.input(building, month, given).await?).await?;
            all.extend(corrections(&self.statements(&one.month).await?, &made, &again));
        }
        Ok(all)
    }

    /// Refuses to correct a month by a tariff it was not closed with.
    async fn check_basis(&self, one: &ClosedMonth) -> Result<(), BooksError> {
        for document in self.reader.statement_list(&one.month).await? {
            if let Document::Summary(summary) = chain::open(&sealed(document))?
                && summary.closed_with.as_ref() != Some(&basis(one))
            {
                return Err(ChainError::Basis(one.month.clone()).into());
            }
        }
        Ok(())
    }

    /// Checks the whole chain of closed statements, that it is complete, and that it has the document with a hash that was
    /// noted elsewhere.
    ///
    /// # Errors
    /// Names the first document that does not hold.
    pub async fn verify(&self, noted: Option<&str>) -> Result<Verified, BooksError> {
        let mut all: Vec<Sealed> = Vec::new();
        let mut places: Vec<(String, Option<String>)> = Vec::new();
        loop {
            let next = i64::try_from(all.len()).unwrap_or(i64::MAX).saturating_add(1);
            let step = self.reader.statement_chain(next, CHAIN_STEP).await?;
            let Some(last) = step.last().map(|one| one.number) else { break };
            for mut one in step {
                places.push((std::mem::take(&mut one.month), one.tenant.take()));
                all.push(sealed(one));
            }
            if last != i64::try_from(all.len()).unwrap_or(i64::MAX) {
                break;
            }
        }
        let newest_hash = chain::verify(&all)?;
        let closed = self.reader.closed_month_list().await?;
        let closed = closed.iter().map(|one| (one.month.clone(), basis(one))).collect();
        let filed = all.iter().zip(&places);
        let filed = filed.map(|(sealed, (month, tenant))| Filed { sealed, month, tenant: tenant.as_deref() });
        chain::verify_filing(&filed.collect::<Vec<_>>(), &closed)?;
        if let Some(hash) = noted.filter(|hash| !all.iter().any(|one| one.hash.eq_ignore_ascii_case(hash.trim()))) {
            return Err(ChainError::Replaced(hash.trim().to_owned()).into());
        }
        Ok(Verified { documents: u64::try_from(all.len()).unwrap_or(u64::MAX), newest_hash })
    }

    /// Closes a month: refused while anything is to be settled.
    pub(crate) async fn close(&self, writer: &Writer, month: Month, now: Timestamp) -> Result<MonthBook, BooksError> {
        let name = month.to_string();
        if self.reader.closed_month_list().await?.iter().any(|one| one.month == name) {
            return Err(BooksError::Closed);
        }
        let building = self.building().await?;
        let (from, to) = month.range(&building.zone);
        // Before the sessions are read: what changes in between differs from it and becomes a correction.
        let fingerprint = self.reader.session_fingerprint(from, to).await?;
        let tariff = self.tariff().await?;
        let tariff =
            serde_json::to_string(&tariff).map_err(|source| BooksError::Document { name: super::TARIFF, source })?;
        let book = self.month(month, now).await?;
        let open = book.result.summary.obstacles.iter().filter(|one| one.is_open()).count();
        if open > 0 {
            return Err(BooksError::Obstacles(open));
        }
        let last = self.reader.statement_last().await?;
        let month_row = ClosedMonth { month: name.clone(), closed_at: now, from, to, tariff, fingerprint };
        let last = last.as_ref().map(|(number, hash)| (*number, hash.as_str()));
        let sealed = chain::seal(last, &book.result, basis(&month_row))?;
        let keys = book.result.statements.iter().map(|one| one.tenant.clone());
        let kinds = keys.map(|key| (key, "statement")).chain([(None, "statement"), (None, "summary")]);
        let statements = sealed.into_iter().zip(kinds).map(|(one, (tenant, kind))| ClosedStatement {
            number: one.number,
            month: name.clone(),
            tenant,
            kind: kind.to_owned(),
            text: one.text,
            previous: one.previous,
            hash: one.hash,
        });
        writer.statement(StatementRecord::Close(month_row, statements.collect())).await?;
        self.month(month, now).await
    }
}

impl MonthBook {
    /// Whether it is closed.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.closed_at.is_some()
    }

    /// What still keeps it from closing.
    #[must_use]
    pub fn obstacles(&self) -> usize {
        self.result.summary.obstacles.iter().filter(|one| one.is_open()).count()
    }

    /// Everything that can be printed: the summary, and a statement for each tenant.
    #[must_use]
    pub fn papers(&self) -> Vec<Which> {
        let tenants = self.result.statements.iter().filter_map(|one| one.tenant.clone()).map(Which::Tenant);
        std::iter::once(Which::Summary).chain(tenants).collect()
    }

    /// One paper as a file; `None` takes the tenant's own language.
    ///
    /// # Errors
    /// When the tenant has no statement, or a library fails.
    pub fn file(&self, which: &Which, kind: FileKind, language: Option<Language>) -> Result<Vec<u8>, BooksError> {
        render(self, which, kind, language)
    }

    pub(crate) fn statement(&self, key: &str) -> Option<&Statement> {
        self.result.statements.iter().find(|one| one.tenant.as_deref() == Some(key))
    }

    /// Pseudonym of a tenant of this month.
    pub(crate) fn key(&self, tenant: domain::TenantId) -> Option<String> {
        let known = self.around.known.iter().find(|(_, known)| known.id == tenant).map(|(key, _)| key.clone());
        known.filter(|key| self.statement(key).is_some())
    }
}

/// Half a second of work for the largest building: not on a thread that answers others.
async fn computed(input: reports::MonthInput) -> Result<MonthResult, BooksError> {
    tokio::task::spawn_blocking(move || compute(&input)).await.map_err(|_cancelled| BooksError::Ending)
}

fn around(building: &Building) -> Around {
    let Building { site, zone, tenants, chargers, letterhead, .. } = building;
    Around::new(zone.clone(), site, letterhead, tenants, chargers)
}

/// What a closed month keeps beside its documents, as the chain knows it.
fn basis(one: &ClosedMonth) -> Basis {
    Basis {
        closed_at: one.closed_at,
        from: one.from,
        to: one.to,
        tariff: chain::hash_of(&one.tariff),
        sessions: one.fingerprint.clone(),
    }
}

fn sealed(one: ClosedStatement) -> Sealed {
    Sealed { number: one.number, text: one.text, previous: one.previous, hash: one.hash }
}

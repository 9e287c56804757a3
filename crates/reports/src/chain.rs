//! The chain of closed statements: each carries a hash over its own text and the hash of the one before, so that no
//! statement can be changed, taken out or slipped in without every later hash failing.

use crate::statement::{Basis, MonthResult, Statement, Summary};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// What a closed document is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Document {
    /// One tenant's statement, or the building's own part.
    Statement(Box<Statement>),
    /// The month's summary: the last of its month.
    Summary(Box<Summary>),
}

/// A closed document in the chain. Its text holds pseudonyms, never names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Place in the chain, from 1.
    pub number: i64,
    /// The document as JSON, exactly as hashed.
    pub text: String,
    /// Hash of the one before; 64 zeros for the first.
    pub previous: String,
    /// SHA-256 over the previous hash, a line feed and the text, in hexadecimal.
    pub hash: String,
}

/// Why a chain does not hold.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// Documents are missing.
    #[error("statement {expected} of the chain is missing; {found} follows instead")]
    Missing {
        /// Number that should follow.
        expected: i64,
        /// Number that does.
        found: i64,
    },
    /// A document does not name the one before it.
    #[error("statement {0} does not follow the one before it: one of them was replaced")]
    Link(i64),
    /// A document was altered.
    #[error("statement {0} was altered after it was closed")]
    Altered(i64),
    /// A document cannot be read.
    #[error("statement {0} cannot be read by this version of the program")]
    Unreadable(i64),
    /// A document lies under a month or tenant that is not its own.
    #[error("statement {0} is filed under another month or tenant than it says")]
    Filed(i64),
    /// Documents of a month are missing, or there are some of a month that was never closed.
    #[error("{0} does not have the documents it was closed with; restore the records from a backup")]
    Incomplete(String),
    /// The tariff, period or fingerprint beside the documents is not what it was.
    #[error("the tariff or the period that {0} was closed with was altered; restore the records from a backup")]
    Basis(String),
    /// A hash that was noted elsewhere is not in the chain.
    #[error("no closed document has the hash {0}; the chain was replaced, or the hash is of another building")]
    Replaced(String),
    /// A document cannot be written.
    #[error("the statement cannot be written")]
    Unwritable(#[source] serde_json::Error),
}

/// The hash before the first document.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The hash of a document.
#[must_use]
pub fn hash(previous: &str, text: &str) -> String {
    let mut digest = Sha256::new();
    digest.update(previous.as_bytes());
    digest.update(b"\n");
    digest.update(text.as_bytes());
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The hash of a text that is kept beside the documents.
#[must_use]
pub fn hash_of(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Closes a month after the last document of the chain: its statements, the building's own part, its summary, which carries
/// what the month was closed with.
///
/// # Errors
/// When a document cannot be written as JSON.
pub fn seal(last: Option<(i64, &str)>, result: &MonthResult, basis: Basis) -> Result<Vec<Sealed>, ChainError> {
    let statements = result.statements.iter().chain([&result.unassigned]);
    let documents = statements
        .map(|statement| Document::Statement(Box::new(statement.clone())))
        .chain([Document::Summary(Box::new(Summary { closed_with: Some(basis), ..result.summary.clone() }))]);
    let (mut number, mut previous) = last.map_or((0, GENESIS.to_owned()), |(number, hash)| (number, hash.to_owned()));
    let mut sealed = Vec::new();
    for document in documents {
        let text = serde_json::to_string(&document).map_err(ChainError::Unwritable)?;
        number += 1;
        let next = hash(&previous, &text);
        sealed.push(Sealed { number, text, previous: std::mem::replace(&mut previous, next.clone()), hash: next });
    }
    Ok(sealed)
}

/// Checks a whole chain, first document first. Gives the newest hash.
///
/// # Errors
/// Names the first document that does not hold.
pub fn verify<'a>(chain: impl IntoIterator<Item = &'a Sealed>) -> Result<String, ChainError> {
    let (mut number, mut previous) = (0, GENESIS.to_owned());
    for one in chain {
        number += 1;
        if one.number != number {
            return Err(ChainError::Missing { expected: number, found: one.number });
        }
        if one.previous != previous {
            return Err(ChainError::Link(number));
        }
        if hash(&one.previous, &one.text) != one.hash {
            return Err(ChainError::Altered(number));
        }
        open(one)?;
        previous.clone_from(&one.hash);
    }
    Ok(previous)
}

/// A document where it lies in the records.
#[derive(Clone, Copy, Debug)]
pub struct Filed<'a> {
    /// The document.
    pub sealed: &'a Sealed,
    /// The month it is filed under.
    pub month: &'a str,
    /// The tenant it is filed under.
    pub tenant: Option<&'a str>,
}

/// Checks that a chain that holds is complete: every month that was closed has its summary and all the statements the summary
/// names, in their order, each filed where it belongs, and what is kept of it beside them is what it was closed with. This is
/// what a chain cut off at its end fails.
///
/// # Errors
/// Names the first document or month that does not hold.
pub fn verify_filing(chain: &[Filed<'_>], closed: &BTreeMap<String, Basis>) -> Result<(), ChainError> {
    let mut found = BTreeSet::new();
    let mut open_month: Option<String> = None;
    let mut tenants: Vec<Option<String>> = Vec::new();
    for one in chain {
        let number = one.sealed.number;
        let (month, tenant) = match open(one.sealed)? {
            Document::Statement(statement) => {
                tenants.push(statement.tenant.clone());
                open_month = Some(statement.month.to_string());
                (statement.month, statement.tenant)
            }
            Document::Summary(summary) => {
                let rows = summary.tenants.iter().chain([&summary.unassigned]);
                if !rows.map(|row| &row.tenant).eq(tenants.iter()) {
                    return Err(ChainError::Incomplete(summary.month.to_string()));
                }
                tenants.clear();
                open_month = None;
                verify_basis(&summary, closed)?;
                found.insert(summary.month.to_string());
                (summary.month, None)
            }
        };
        if month.to_string() != one.month || tenant.as_deref() != one.tenant {
            return Err(ChainError::Filed(number));
        }
    }
    let closed = closed.keys().cloned().collect();
    match open_month.or_else(|| found.symmetric_difference(&closed).next().cloned()) {
        Some(month) => Err(ChainError::Incomplete(month)),
        None => Ok(()),
    }
}

fn verify_basis(summary: &Summary, closed: &BTreeMap<String, Basis>) -> Result<(), ChainError> {
    let month = summary.month.to_string();
    match closed.get(&month) {
        Some(kept) if summary.closed_with.as_ref() != Some(kept) => Err(ChainError::Basis(month)),
        // A month nobody closed is found as such.
        Some(_) | None => Ok(()),
    }
}

/// The document inside.
///
/// # Errors
/// When this version of the program cannot read it.
pub fn open(sealed: &Sealed) -> Result<Document, ChainError> {
    serde_json::from_str(&sealed.text).map_err(|_unreadable| ChainError::Unreadable(sealed.number))
}

//! What stands around the figures: letterhead, names, languages.

use super::BooksError;
use api::LetterheadItem;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::{Charger, ChargerId, Site, Tenant, TenantId};
use reports::Zone;
use reports::render::{Language, Letterhead, Logo, Person, Seal, Setting};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The letterhead as kept in the records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LetterheadDocument {
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) lines: Vec<String>,
    #[serde(default)]
    pub(crate) logo_base64: String,
    #[serde(default)]
    pub(crate) language: Language,
    #[serde(default)]
    pub(crate) mid_chargers: Vec<ChargerId>,
}

/// Lines of an address that fit beside the logo.
const LINES_MAX: usize = 4;

/// Checks a letterhead from outside.
pub(crate) fn letterhead_from(item: &LetterheadItem) -> Result<LetterheadDocument, BooksError> {
    let language = if item.language.is_empty() { Ok(Language::default()) } else { item.language.parse() };
    let logo_base64 = item.logo_base64.trim().to_owned();
    if !logo_base64.is_empty() {
        let bytes = STANDARD
            .decode(&logo_base64)
            .map_err(|_not_base64| BooksError::Logo(reports::render::LogoError::NotAPicture))?;
        Logo::new(bytes).map_err(BooksError::Logo)?;
    }
    let mid_chargers: Vec<ChargerId> = item.mid_chargers.iter().filter_map(|id| ChargerId::new(id).ok()).collect();
    let lines = item.lines.iter().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty());
    Ok(LetterheadDocument {
        name: item.name.trim().to_owned(),
        lines: lines.take(LINES_MAX).collect(),
        logo_base64,
        language: language.map_err(BooksError::Language)?,
        mid_chargers,
    })
}

/// The letterhead for clients.
pub(crate) fn letterhead_item(document: &LetterheadDocument) -> LetterheadItem {
    LetterheadItem {
        name: document.name.clone(),
        lines: document.lines.clone(),
        logo_base64: document.logo_base64.clone(),
        language: document.language.code().to_owned(),
        mid_chargers: document.mid_chargers.iter().map(|id| id.as_str().to_owned()).collect(),
    }
}

/// A tenant beside their pseudonym.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) id: TenantId,
    pub(crate) person: Person,
    pub(crate) email: String,
    pub(crate) language: Option<Language>,
}

/// Pseudonym of a tenant in closed statements.
pub(crate) fn key_of(tenant: &Tenant) -> String {
    tenant.key.to_string()
}

/// Pseudonym of a tenant of whom only the number is left.
pub(crate) fn key_of_id(id: TenantId) -> String {
    format!("t{id}")
}

/// Everything printed that is not in a statement.
#[derive(Clone, Debug)]
pub(crate) struct Around {
    pub(crate) zone: Zone,
    pub(crate) letterhead: Letterhead,
    pub(crate) language: Language,
    pub(crate) known: BTreeMap<String, Known>,
    people: BTreeMap<String, Person>,
    pub(crate) chargers: BTreeMap<ChargerId, String>,
}

impl Around {
    pub(crate) fn new(
        zone: Zone,
        site: &Site,
        document: &LetterheadDocument,
        tenants: &[Tenant],
        chargers: &[Charger],
    ) -> Self {
        let logo = STANDARD.decode(&document.logo_base64).ok().and_then(|bytes| Logo::new(bytes).ok());
        let name = if document.name.is_empty() { &site.name } else { &document.name };
        let known: BTreeMap<String, Known> = tenants.iter().map(|tenant| (key_of(tenant), known(tenant))).collect();
        Self {
            zone,
            letterhead: Letterhead { name: name.clone(), lines: document.lines.clone(), logo },
            language: document.language,
            people: known.iter().map(|(key, known)| (key.clone(), known.person.clone())).collect(),
            known,
            chargers: chargers.iter().map(|charger| (charger.id.clone(), charger.name.clone())).collect(),
        }
    }

    pub(crate) fn setting<'a>(&'a self, language: Language, seal: Option<&'a Seal>) -> Setting<'a> {
        Setting {
            language,
            zone: &self.zone,
            letterhead: &self.letterhead,
            people: &self.people,
            chargers: &self.chargers,
            seal,
        }
    }
}

fn known(tenant: &Tenant) -> Known {
    Known {
        id: tenant.id,
        person: Person { name: tenant.name.clone(), unit: tenant.unit.clone() },
        email: tenant.contact.email.clone(),
        language: tenant.language.tag().parse().ok(),
    }
}

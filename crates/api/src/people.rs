//! Tenants and their cards.

use crate::CardPolicyItem;
use domain::{OwnChargerUse, TenantLanguage};
use serde::{Deserialize, Serialize};

/// A tenant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TenantItem {
    /// Identity.
    pub id: i64,
    /// Pseudonym that statements refer to: 32 hexadecimal digits.
    #[serde(default)]
    pub key: String,
    /// What the manager entered.
    #[serde(flatten)]
    pub form: TenantForm,
    /// Their cards.
    pub cards: Vec<CardItem>,
    /// Created.
    pub created_at: String,
    /// Since when the name and all that belongs to the person are gone; `null` while they are kept.
    #[serde(default)]
    pub erased_at: Option<String>,
    /// Since when they no longer live here; `null` while they do.
    #[serde(default)]
    pub archived_at: Option<String>,
}

/// What the manager enters about a tenant: the body of `POST tenants`, and any part of it of `PATCH tenants/{id}`,
/// where `null` takes a rule away.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TenantForm {
    /// Name.
    pub name: String,
    /// Flat; may be empty.
    #[serde(default)]
    pub unit: String,
    /// E-mail address; may be empty.
    #[serde(default)]
    pub email: String,
    /// Telephone; may be empty.
    #[serde(default)]
    pub phone: String,
    /// Language of what they receive: `pt-PT`, `pt-BR` or `en`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    #[serde(default)]
    pub language: TenantLanguage,
    /// Parking spaces, as painted on the floor.
    #[serde(default)]
    pub parking_spaces: Vec<String>,
    /// Identities of chargers that belong to the tenant.
    #[serde(default)]
    pub chargers: Vec<String>,
    /// Who may charge at those: `owner_only`, `everyone` or `owner_pays`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    #[serde(default)]
    pub charger_use: OwnChargerUse,
    /// Most power of all their sessions together; `null` for no such rule.
    #[serde(default)]
    pub max_power_kw: Option<f64>,
    /// Added to the priority of the charger; higher is served first.
    #[serde(default)]
    pub priority: i32,
    /// Most energy in a calendar month; `null` for no such rule.
    #[serde(default)]
    pub monthly_cap_kwh: Option<f64>,
    /// Cards are refused before this: a time, or a day of the building such as `2026-11-01`; `null` for no such rule.
    #[serde(default)]
    pub valid_from: Option<String>,
    /// Cards are refused from this time on, or after this day; `null` for no such rule.
    #[serde(default)]
    pub valid_until: Option<String>,
    /// Share of common costs in thousandths of the building, with up to three decimals; `null` when unknown.
    #[serde(default)]
    pub unit_key_permille: Option<f64>,
}

impl TenantForm {
    /// A name and a flat, without any rules.
    #[must_use]
    pub fn named(name: impl Into<String>, unit: impl Into<String>) -> Self {
        Self { name: name.into(), unit: unit.into(), ..Self::default() }
    }
}

/// Changes of a tenant; absent fields stay, `null` takes a rule away.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TenantPatch {
    /// Name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Flat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Telephone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Language of what they receive.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<TenantLanguage>,
    /// Parking spaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parking_spaces: Option<Vec<String>>,
    /// Chargers that belong to the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chargers: Option<Vec<String>>,
    /// Who may charge at those.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charger_use: Option<OwnChargerUse>,
    /// Most power of all their sessions together.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub max_power_kw: Option<Option<f64>>,
    /// Added to the priority of the charger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// Most energy in a calendar month.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub monthly_cap_kwh: Option<Option<f64>>,
    /// Cards are refused before this.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub valid_from: Option<Option<String>>,
    /// Cards are refused from this time on, or after this day.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub valid_until: Option<Option<String>>,
    /// Share of common costs in thousandths of the building.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub unit_key_permille: Option<Option<f64>>,
    /// Whether they no longer live here: their cards are refused, all that was is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
}

/// Tells `null` from absent.
pub(crate) fn given<'de, T: Deserialize<'de>, D: serde::Deserializer<'de>>(
    value: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(value).map(Some)
}

impl From<TenantForm> for TenantPatch {
    /// Every field, whether it differs or not.
    fn from(form: TenantForm) -> Self {
        Self {
            name: Some(form.name),
            unit: Some(form.unit),
            email: Some(form.email),
            phone: Some(form.phone),
            language: Some(form.language),
            parking_spaces: Some(form.parking_spaces),
            chargers: Some(form.chargers),
            charger_use: Some(form.charger_use),
            max_power_kw: Some(form.max_power_kw),
            priority: Some(form.priority),
            monthly_cap_kwh: Some(form.monthly_cap_kwh),
            valid_from: Some(form.valid_from),
            valid_until: Some(form.valid_until),
            unit_key_permille: Some(form.unit_key_permille),
            archived: None,
        }
    }
}

/// A card.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CardItem {
    /// Identity.
    pub id: i64,
    /// Canonical number.
    pub uid: String,
    /// Whose it is.
    pub tenant_id: i64,
    /// Whether it is blocked.
    pub blocked: bool,
    /// Enrolled.
    pub enrolled_at: String,
    /// What the manager decided about it.
    #[serde(default)]
    pub policy: CardPolicyItem,
    /// Identity of the card this is another reading of; `null` for a card itself.
    #[serde(default)]
    pub alias_of: Option<i64>,
}

/// A new card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewCard {
    /// As any reader prints it.
    pub uid: String,
    /// Number of the enrolled card this is another reading of; `null` for a card of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias_of: Option<String>,
}

/// Changes of a card; absent fields stay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CardPatch {
    /// Whether it is blocked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<bool>,
    /// What the manager decides about it, as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<CardPolicyItem>,
}

/// A column of a list of tenants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ImportColumn {
    /// Name.
    Name,
    /// Flat.
    Unit,
    /// E-mail address.
    Email,
    /// Telephone.
    Phone,
    /// Language.
    Language,
    /// Card numbers, separated by `|`.
    Cards,
    /// Parking spaces.
    ParkingSpaces,
    /// Chargers of their own.
    Chargers,
    /// Maximum power.
    MaxPower,
    /// Priority.
    Priority,
    /// Monthly limit.
    MonthlyCap,
    /// First day.
    ValidFrom,
    /// Last day.
    ValidUntil,
    /// Unit key.
    UnitKey,
}

/// What is wrong with a cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportProblem {
    /// Where.
    pub column: ImportColumn,
    /// What it says.
    pub value: String,
    /// What to do.
    pub detail: String,
}

/// A row of a list of tenants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportRow {
    /// Its line in the file, from 1.
    pub line: u32,
    /// The tenant.
    pub tenant: TenantForm,
    /// Their cards.
    pub cards: Vec<String>,
    /// What is wrong with it; nothing is imported while any row has something wrong.
    pub problems: Vec<ImportProblem>,
}

/// A list of tenants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ImportRequest {
    /// The CSV file as it is, in Base64: its encoding is found out.
    pub content_base64: String,
    /// `true` only looks: nothing is changed.
    #[serde(default)]
    pub dry_run: bool,
}

/// What a list of tenants says, and whether it was imported.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportPreview {
    /// `utf-8` or `windows-1252`.
    pub encoding: String,
    /// What separates the columns.
    pub separator: String,
    /// Rows below the heading.
    pub rows: Vec<ImportRow>,
    /// Rows with something wrong.
    pub wrong_rows: u32,
    /// Whether all of it is in force now.
    pub imported: bool,
}

/// State of the card reader of the computer the program runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CardReaderState {
    /// This build talks to no readers.
    #[default]
    NotBuilt,
    /// The system's service for card readers does not run.
    NoService,
    /// No reader is plugged in.
    NoReader,
    /// A reader waits for a card.
    Empty,
    /// A card was read and handed to the enrolment.
    Read,
    /// A card was there, but cannot be taken.
    Refused,
}

/// The card reader of the computer the program runs on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CardReaderItem {
    /// State.
    pub state: CardReaderState,
    /// Name of the reader; may be empty.
    pub name: String,
    /// Number of the card, or why there is none; may be empty.
    pub detail: String,
}

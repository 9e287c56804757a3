//! Tenants: who pays, on which terms they charge, and what is known of the person.
//!
//! Names and contacts can be erased; the number and the [`TenantKey`] stay, so that sums stay true.

use crate::{ChargerId, MilliAmps, MilliVolts, TenantId, Timestamp, WattHours, Watts};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A random pseudonym of a tenant, made once. Statements refer to it instead of a name, so that erasing the name
/// changes no statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantKey(pub u128);

impl fmt::Display for TenantKey {
    /// 32 lower-case hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// A text that is no [`TenantKey`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a tenant key has 32 hexadecimal digits")]
pub struct TenantKeyError;

impl FromStr for TenantKey {
    type Err = TenantKeyError;
    fn from_str(text: &str) -> Result<Self, TenantKeyError> {
        let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !digits {
            return Err(TenantKeyError);
        }
        u128::from_str_radix(text, 16).map(Self).map_err(|_not_hex| TenantKeyError)
    }
}

/// Language of what a tenant receives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TenantLanguage {
    /// Portuguese of Portugal.
    #[default]
    #[serde(rename = "pt-PT")]
    PortuguesePortugal,
    /// Portuguese of Brazil.
    #[serde(rename = "pt-BR")]
    PortugueseBrazil,
    /// English.
    #[serde(rename = "en")]
    English,
}

impl TenantLanguage {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::PortuguesePortugal, Self::PortugueseBrazil, Self::English];

    /// Its IETF tag, as in the API.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::PortuguesePortugal => "pt-PT",
            Self::PortugueseBrazil => "pt-BR",
            Self::English => "en",
        }
    }
}

/// How to reach a tenant; each may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contact {
    /// E-mail address.
    pub email: String,
    /// Telephone number as written.
    pub phone: String,
}

/// A flat's share of common costs in millionths of the building ("permilagem", which has at most three decimals).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitKey(pub u32);

impl UnitKey {
    /// The whole building.
    pub const WHOLE: Self = Self(1_000_000);
}

/// Who may charge at the chargers that belong to a tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnChargerUse {
    /// Only the tenant's own cards; others are refused there.
    #[default]
    OwnerOnly,
    /// Every card that may charge elsewhere may charge here too.
    Everyone,
    /// A start without a card, or with one that nobody enrolled, is the tenant's: for chargers that charge without
    /// a card or send a fixed one. Other tenants are refused.
    OwnerPays,
}

/// On which terms a tenant charges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantTerms {
    /// Parking spaces, as painted on the floor.
    pub parking_spaces: Vec<String>,
    /// Chargers that belong to the tenant.
    pub chargers: Vec<ChargerId>,
    /// Who may use those.
    pub charger_use: OwnChargerUse,
    /// Most power that all sessions of the tenant may have together; `None` for no such rule.
    pub max_power: Option<Watts>,
    /// Added to the priority of the charger; higher is served first.
    pub priority: i32,
    /// Most energy in a calendar month of the building; `None` for no such rule.
    pub monthly_cap: Option<WattHours>,
    /// Cards are refused before this; `None` for no such rule.
    pub valid_from: Option<Timestamp>,
    /// Cards are refused from then on; `None` for no such rule.
    pub valid_until: Option<Timestamp>,
    /// Share of the building's common costs; `None` when nobody entered it.
    pub unit_key: Option<UnitKey>,
}

/// Whether a tenant is one of today.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TenantStatus {
    /// Lives here.
    #[default]
    Active,
    /// Moved out at this time: cards are refused, sessions and statements stay.
    Archived(Timestamp),
    /// As archived, and all that names the person is gone.
    Erased(Timestamp),
}

/// A household that pays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Row.
    pub id: TenantId,
    /// Pseudonym; never changes.
    pub key: TenantKey,
    /// As on the letter box; empty once erased.
    pub name: String,
    /// Flat, such as "2.º Esq."; may be empty.
    pub unit: String,
    /// How to reach them.
    pub contact: Contact,
    /// Language of what they receive.
    pub language: TenantLanguage,
    /// Terms.
    pub terms: TenantTerms,
    /// Whether they are one of today.
    pub status: TenantStatus,
    /// When the tenant was created.
    pub created_at: Timestamp,
}

/// Why a tenant cannot be as told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TenantError {
    /// No name.
    #[error("a tenant needs a name; enter one")]
    Name,
    /// Not an address.
    #[error("the e-mail address {0:?} cannot exist; enter one such as ana@example.com or leave it empty")]
    Email(String),
    /// Never valid.
    #[error("valid_until must be later than valid_from; change one of them or leave one empty")]
    Validity,
    /// Too little for any car.
    #[error("max_power_kw must be at least {min_w} W, the least a car charges with, or empty for no such rule")]
    MaxPower {
        /// Least useful power.
        min_w: u32,
    },
    /// A cap of nothing.
    #[error("monthly_cap_kwh must be more than 0, or empty for no such rule; block the cards to allow nothing")]
    Cap,
    /// Outside the building.
    #[error("unit_key_permille must be more than 0 and at most 1000")]
    UnitKey,
}

impl Tenant {
    /// A tenant without any special terms.
    #[must_use]
    pub fn new(id: TenantId, key: TenantKey, name: impl Into<String>, unit: impl Into<String>, at: Timestamp) -> Self {
        Self {
            id,
            key,
            name: name.into(),
            unit: unit.into(),
            contact: Contact::default(),
            language: TenantLanguage::default(),
            terms: TenantTerms::default(),
            status: TenantStatus::Active,
            created_at: at,
        }
    }

    /// Checks what a person typed against the least current a car charges with.
    ///
    /// # Errors
    /// Names the first thing that cannot be.
    pub fn check(&self, min_charge: MilliAmps, voltage: MilliVolts) -> Result<(), TenantError> {
        if self.name.trim().is_empty() {
            return Err(TenantError::Name);
        }
        let email = self.contact.email.as_str();
        let shaped = email.split_once('@').is_some_and(|(user, host)| {
            !user.is_empty() && host.contains('.') && !host.starts_with('.') && !host.ends_with('.')
        });
        let plain = !email.contains(|c: char| c.is_whitespace() || c.is_control() || "<>,;\"".contains(c));
        let one_at = email.matches('@').count() == 1;
        if !(email.is_empty() || shaped && plain && one_at) {
            return Err(TenantError::Email(email.to_owned()));
        }
        let terms = &self.terms;
        if terms.valid_from.zip(terms.valid_until).is_some_and(|(from, until)| until <= from) {
            return Err(TenantError::Validity);
        }
        let least = u64::from(min_charge.0) * u64::from(voltage.0) / 1_000_000;
        let least = u32::try_from(least).unwrap_or(u32::MAX);
        if terms.max_power.is_some_and(|power| power.0 < least) {
            return Err(TenantError::MaxPower { min_w: least });
        }
        if terms.monthly_cap.is_some_and(WattHours::is_zero) {
            return Err(TenantError::Cap);
        }
        if terms.unit_key.is_some_and(|key| key.0 == 0 || key > UnitKey::WHOLE) {
            return Err(TenantError::UnitKey);
        }
        Ok(())
    }

    /// Whether they live here.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.status == TenantStatus::Active
    }

    /// Whether nothing names them any more.
    #[must_use]
    pub const fn is_erased(&self) -> bool {
        matches!(self.status, TenantStatus::Erased(_))
    }

    /// Whether their cards are valid at a time.
    #[must_use]
    pub fn is_valid_at(&self, at: Timestamp) -> bool {
        self.is_active()
            && self.terms.valid_from.is_none_or(|from| at >= from)
            && self.terms.valid_until.is_none_or(|until| at < until)
    }

    /// The same tenant without anything that names the person; number, key and terms of money stay.
    #[must_use]
    pub fn erased(&self, at: Timestamp) -> Self {
        Self {
            name: String::new(),
            unit: String::new(),
            contact: Contact::default(),
            terms: TenantTerms { parking_spaces: Vec::new(), chargers: Vec::new(), ..self.terms.clone() },
            status: TenantStatus::Erased(at),
            ..self.clone()
        }
    }
}

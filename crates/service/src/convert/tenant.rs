//! Tenants and cards as the API shows and takes them.

use super::request::thousandths;
use crate::http::problem::Failure;
use crate::time_text;
use api::{CardItem, TenantForm, TenantItem, TenantPatch};
use domain::{
    Card, CardStatus, ChargerId, Contact, Tenant, TenantId, TenantKey, TenantStatus, TenantTerms, Timestamp, UnitKey,
    WattHours, Watts,
};
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Longest text of a tenant, in characters.
const TEXT_CHARS_MAX: usize = 200;

/// Most parking spaces and chargers of one tenant.
const LIST_MAX: usize = 100;

/// A tenant with their cards.
pub(crate) fn tenant_item(tenant: &Tenant, cards: &[Card]) -> TenantItem {
    let (archived_at, erased_at) = match tenant.status {
        TenantStatus::Active => (None, None),
        TenantStatus::Archived(at) => (Some(time_text::text(at)), None),
        TenantStatus::Erased(at) => (Some(time_text::text(at)), Some(time_text::text(at))),
    };
    TenantItem {
        id: tenant.id.0,
        key: tenant.key.to_string(),
        form: tenant_form(tenant),
        cards: cards.iter().filter(|card| card.tenant == tenant.id).map(card_item).collect(),
        created_at: time_text::text(tenant.created_at),
        erased_at,
        archived_at,
    }
}

fn tenant_form(tenant: &Tenant) -> TenantForm {
    let terms = &tenant.terms;
    TenantForm {
        name: tenant.name.clone(),
        unit: tenant.unit.clone(),
        email: tenant.contact.email.clone(),
        phone: tenant.contact.phone.clone(),
        language: tenant.language,
        parking_spaces: terms.parking_spaces.clone(),
        chargers: terms.chargers.iter().map(ToString::to_string).collect(),
        charger_use: terms.charger_use,
        max_power_kw: terms.max_power.map(|power| f64::from(power.0) / 1000.0),
        priority: terms.priority,
        monthly_cap_kwh: terms.monthly_cap.map(|cap| f64::from(u32::try_from(cap.0).unwrap_or(u32::MAX)) / 1000.0),
        valid_from: terms.valid_from.map(time_text::text),
        valid_until: terms.valid_until.map(time_text::text),
        unit_key_permille: terms.unit_key.map(|key| f64::from(key.0) / 1000.0),
    }
}

/// A card.
pub(crate) fn card_item(card: &Card) -> CardItem {
    CardItem {
        id: card.id.0,
        uid: card.uid.to_string(),
        tenant_id: card.tenant.0,
        blocked: card.status == CardStatus::Blocked,
        enrolled_at: time_text::text(card.enrolled_at),
        policy: super::power::card_policy_item(card.policy),
        alias_of: card.alias_of.map(|id| id.0),
    }
}

/// A new tenant of a request; number and times are given by the decider.
pub(crate) fn tenant_from(form: &TenantForm, key: TenantKey, zone: &str) -> Result<Tenant, Failure> {
    let mut tenant = Tenant::new(TenantId(0), key, "", "", Timestamp(0));
    fill(&mut tenant, form, zone)?;
    Ok(tenant)
}

/// A tenant with what a request changes; `now` is when they moved out, if that is what it says.
pub(crate) fn patched_tenant(
    tenant: &Tenant,
    patch: TenantPatch,
    zone: &str,
    now: Timestamp,
) -> Result<Tenant, Failure> {
    let mut form = tenant_form(tenant);
    macro_rules! take {
        ($($field:ident),*) => { $(if let Some(value) = patch.$field { form.$field = value; })* };
    }
    take!(name, unit, email, phone, language, parking_spaces, chargers, charger_use, max_power_kw, priority);
    take!(monthly_cap_kwh, valid_from, valid_until, unit_key_permille);
    let mut tenant = tenant.clone();
    fill(&mut tenant, &form, zone)?;
    tenant.status = match (patch.archived, tenant.status) {
        (Some(true), TenantStatus::Active) => TenantStatus::Archived(now),
        (Some(false), TenantStatus::Archived(_)) => TenantStatus::Active,
        (_, status) => status,
    };
    Ok(tenant)
}

fn fill(tenant: &mut Tenant, form: &TenantForm, zone: &str) -> Result<(), Failure> {
    tenant.name = text("name", &form.name)?;
    tenant.unit = text("unit", &form.unit)?;
    tenant.contact = Contact { email: text("email", &form.email)?, phone: text("phone", &form.phone)? };
    tenant.language = form.language;
    if form.parking_spaces.len() > LIST_MAX || form.chargers.len() > LIST_MAX {
        return Err(Failure::invalid(format!("a tenant has at most {LIST_MAX} parking spaces and chargers")));
    }
    let spaces = form.parking_spaces.iter().map(|space| text("parking_spaces", space));
    tenant.terms = TenantTerms {
        parking_spaces: spaces.collect::<Result<_, _>>()?,
        chargers: form.chargers.iter().map(ChargerId::new).collect::<Result<_, _>>()?,
        charger_use: form.charger_use,
        max_power: form.max_power_kw.map(|kw| thousandths("max_power_kw", kw).map(Watts)).transpose()?,
        priority: priority(form.priority)?,
        monthly_cap: form
            .monthly_cap_kwh
            .map(|kwh| thousandths("monthly_cap_kwh", kwh).map(|wh| WattHours(u64::from(wh))))
            .transpose()?,
        valid_from: moment("valid_from", form.valid_from.as_deref(), zone, Edge::Start)?,
        valid_until: moment("valid_until", form.valid_until.as_deref(), zone, Edge::End)?,
        unit_key: form
            .unit_key_permille
            .map(|permille| thousandths("unit_key_permille", permille).map(UnitKey))
            .transpose()?,
    };
    Ok(())
}

/// Priorities of chargers, tenants and cards are added; beyond this nobody means anything.
fn priority(priority: i32) -> Result<i32, Failure> {
    if (-1000..=1000).contains(&priority) {
        return Ok(priority);
    }
    Err(Failure::invalid("priority must be between -1000 and 1000"))
}

/// Which end of a day is meant where only a day is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edge {
    Start,
    End,
}

fn moment(field: &str, text: Option<&str>, zone: &str, edge: Edge) -> Result<Option<Timestamp>, Failure> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    let day = || {
        let date: Date = text.parse().ok()?;
        let date = match edge {
            Edge::Start => date,
            Edge::End => date.tomorrow().ok()?,
        };
        let midnight = date.to_zoned(TimeZone::get(zone).ok()?).ok()?;
        Some(Timestamp(midnight.timestamp().as_millisecond()))
    };
    let found = if text.len() == 10 { day() } else { time_text::parse(text) };
    found
        .map(Some)
        .ok_or_else(|| Failure::invalid(format!("{field} must be a day such as 2026-11-01, or a time with its offset")))
}

fn text(field: &str, text: &str) -> Result<String, Failure> {
    let text = text.trim();
    if text.chars().count() > TEXT_CHARS_MAX {
        return Err(Failure::invalid(format!("{field} has at most {TEXT_CHARS_MAX} characters")));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISBON: &str = "Europe/Lisbon";

    fn form() -> TenantForm {
        TenantForm {
            name: "Ana".to_owned(),
            max_power_kw: Some(7.4),
            monthly_cap_kwh: Some(120.5),
            valid_from: Some("2026-10-25".to_owned()),
            valid_until: Some("2026-10-25".to_owned()),
            unit_key_permille: Some(12.345),
            ..TenantForm::default()
        }
    }

    /// A day lasts from midnight to midnight of the building, also when it has 25 hours.
    #[test]
    fn days_are_days_of_the_building() {
        let tenant = tenant_from(&form(), TenantKey(1), LISBON).unwrap();
        let (from, until) = (tenant.terms.valid_from.unwrap(), tenant.terms.valid_until.unwrap());
        assert_eq!(until.0 - from.0, 25 * 3_600_000);
        assert_eq!(tenant.terms.max_power, Some(Watts(7_400)));
        assert_eq!(tenant.terms.unit_key, Some(UnitKey(12_345)));
        assert_eq!(tenant.terms.monthly_cap, Some(WattHours(120_500)));
    }

    /// What is shown can be sent back and changes nothing; absent fields stay, null takes a rule away.
    #[test]
    fn a_patch_changes_only_what_it_names() {
        let tenant = tenant_from(&form(), TenantKey(1), LISBON).unwrap();
        let all = TenantPatch::from(tenant_form(&tenant));
        assert_eq!(patched_tenant(&tenant, all, LISBON, Timestamp(5)).unwrap(), tenant);
        let patch: TenantPatch = serde_json::from_str(r#"{"max_power_kw":null,"archived":true}"#).unwrap();
        let patched = patched_tenant(&tenant, patch, LISBON, Timestamp(5)).unwrap();
        assert_eq!(patched.terms.max_power, None);
        assert_eq!(patched.terms.monthly_cap, tenant.terms.monthly_cap);
        assert_eq!(patched.status, TenantStatus::Archived(Timestamp(5)));
    }
}

//! The dialog about a tenant: person, terms, own chargers.

use super::Cx;
use crate::command::Command;
use crate::format::{field_precise, read_number};
use crate::text::Text;
use crate::tokens;
use crate::widgets::{self, Field, Loudness};
use api::{TenantForm, TenantPatch};
use domain::{OwnChargerUse, TenantLanguage};
use egui::{Align, Layout, Ui};

/// What is typed about a tenant.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TenantTyped {
    /// Whose it is; `None` for a new tenant.
    pub(crate) of: Option<i64>,
    name: String,
    unit: String,
    email: String,
    phone: String,
    language: TenantLanguage,
    spaces: String,
    chargers: String,
    charger_use: OwnChargerUse,
    max_power: String,
    priority: String,
    cap: String,
    from: String,
    until: String,
    key: String,
}

impl TenantTyped {
    /// What is known of a tenant, as fields show it. `day` writes a moment as a day of the building; the end of a day
    /// is the midnight after it.
    pub(crate) fn of(
        of: Option<i64>,
        form: &TenantForm,
        language: api::Language,
        day: impl Fn(&str, i64) -> String,
    ) -> Self {
        let number = |value: Option<f64>| value.map_or_else(String::new, |value| field_precise(value, language));
        Self {
            of,
            name: form.name.clone(),
            unit: form.unit.clone(),
            email: form.email.clone(),
            phone: form.phone.clone(),
            language: form.language,
            spaces: form.parking_spaces.join(", "),
            chargers: form.chargers.join(", "),
            charger_use: form.charger_use,
            max_power: number(form.max_power_kw),
            priority: form.priority.to_string(),
            cap: number(form.monthly_cap_kwh),
            from: form.valid_from.as_deref().map_or_else(String::new, |at| day(at, 0)),
            until: form.valid_until.as_deref().map_or_else(String::new, |at| day(at, -1)),
            key: number(form.unit_key_permille),
        }
    }

    /// What would be sent; the name of the first field that cannot be read otherwise.
    pub(crate) fn form(&self) -> Result<TenantForm, Text> {
        let list = |text: &str| -> Vec<String> {
            text.split([',', ';']).map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
        };
        let number = |text: &str, field: Text| match text.trim() {
            "" => Ok(None),
            text => read_number(text).map(Some).ok_or(field),
        };
        let day = |text: &str, field: Text| match text.trim() {
            "" => Ok(None),
            text => iso_day(text).map(Some).ok_or(field),
        };
        if self.name.trim().is_empty() {
            return Err(Text::Name);
        }
        Ok(TenantForm {
            name: self.name.trim().to_owned(),
            unit: self.unit.trim().to_owned(),
            email: self.email.trim().to_owned(),
            phone: self.phone.trim().to_owned(),
            language: self.language,
            parking_spaces: list(&self.spaces),
            chargers: list(&self.chargers),
            charger_use: self.charger_use,
            max_power_kw: number(&self.max_power, Text::TenantMaxPower)?,
            priority: match self.priority.trim() {
                "" => 0,
                text => text.parse().map_err(|_not_whole| Text::TenantPriority)?,
            },
            monthly_cap_kwh: number(&self.cap, Text::TenantCap)?,
            valid_from: day(&self.from, Text::TenantFrom)?,
            valid_until: day(&self.until, Text::TenantUntil)?,
            unit_key_permille: number(&self.key, Text::TenantKey)?,
        })
    }
}

/// A day as people of either language write it, as the server reads it: `2026-11-01` or `01/11/2026`.
fn iso_day(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split(['/', '-', '.']).collect();
    let [first, month, last] = parts.as_slice() else { return None };
    let (year, day) = if first.len() == 4 { (first, last) } else { (last, first) };
    let (year, month, day): (u16, u8, u8) = (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    let real = (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    real.then(|| format!("{year:04}-{month:02}-{day:02}"))
}

/// The dialog that adds or edits a tenant.
pub(crate) fn dialog(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut Option<TenantTyped>, edited: Option<i64>) {
    let known = cx.model.values.tenants.value().and_then(|list| list.iter().find(|tenant| Some(tenant.id) == edited));
    if state.as_ref().is_none_or(|typed| typed.of != edited) {
        let form = known.map(|tenant| tenant.form.clone()).unwrap_or_default();
        let day = |at: &str, earlier_ms: i64| {
            crate::time::parse(at).map_or_else(String::new, |ms| {
                let ms = ms + earlier_ms;
                let civil = crate::time::civil(ms, cx.offset(ms));
                format!("{:04}-{:02}-{:02}", civil.year, civil.month, civil.day)
            })
        };
        *state = Some(TenantTyped::of(edited, &form, cx.language(), day));
    }
    let Some(typed) = state.as_mut() else { return };
    let heading = if edited.is_some() { Text::EditTenantTitle } else { Text::AddTenantTitle };
    widgets::heading(ui, cx.text(heading), tokens::TEXT_TITLE);
    widgets::scroll("tenant-form", (ui.ctx().content_rect().height() - 230.0).max(200.0)).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 10.0;
        person(cx, ui, typed);
        terms(cx, ui, typed);
    });
    let form = typed.form();
    if let Err(field) = &form
        && *field != Text::Name
    {
        let text = cx.fill(Text::TenantUnreadable, &[cx.text(*field)]);
        widgets::notice(ui, crate::icons::Icon::Alert, &text, widgets::Mood::Bad);
    }
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let ready = form.is_ok();
            let form = form.unwrap_or_default();
            let command = match edited {
                Some(id) => Command::EditTenant(id, TenantPatch::from(form)),
                None => Command::AddTenant(form, None),
            };
            cx.button_if(ui, ready, Loudness::Primary, "", command);
            if let Some(tenant) = known {
                ui.hyperlink_to(cx.text(Text::ExportTenant), super::cards::export_of(tenant.id));
                let archived = Some(tenant.archived_at.is_none());
                let patch = TenantPatch { archived, ..TenantPatch::default() };
                cx.button(ui, Loudness::Normal, None, "", Command::EditTenant(tenant.id, patch));
            }
            super::cancel(cx, ui);
        });
    });
}

fn pair(ui: &mut Ui, left: impl FnOnce(&mut Ui), right: impl FnOnce(&mut Ui)) {
    ui.columns(2, |columns| {
        if let [first, second] = columns {
            left(first);
            right(second);
        }
    });
}

fn person(cx: &Cx<'_>, ui: &mut Ui, typed: &mut TenantTyped) {
    let TenantTyped { name, unit, email, phone, language, spaces, .. } = typed;
    pair(
        ui,
        |ui| drop(widgets::form_field(ui, cx.text(Text::Name), "", name, Field::Text)),
        |ui| drop(widgets::form_field(ui, cx.text(Text::Unit), "", unit, Field::Text)),
    );
    pair(
        ui,
        |ui| drop(widgets::form_field(ui, cx.text(Text::TenantEmail), "", email, Field::Text)),
        |ui| drop(widgets::form_field(ui, cx.text(Text::TenantPhone), "", phone, Field::Text)),
    );
    pair(
        ui,
        |ui| {
            let choices = TenantLanguage::ALL.map(|known| {
                let name = match known {
                    TenantLanguage::PortuguesePortugal => "Português (Portugal)",
                    TenantLanguage::PortugueseBrazil => "Português (Brasil)",
                    TenantLanguage::English => "English",
                };
                (known, name.to_owned())
            });
            widgets::field_label(ui, cx.text(Text::TenantLanguage));
            let width = ui.available_width();
            if let Some(chosen) = widgets::select(ui, cx.text(Text::TenantLanguage), &choices, language, width) {
                *language = chosen;
            }
        },
        |ui| drop(widgets::form_field(ui, cx.text(Text::TenantSpaces), "", spaces, Field::Text)),
    );
}

fn terms(cx: &Cx<'_>, ui: &mut Ui, typed: &mut TenantTyped) {
    let TenantTyped { chargers, charger_use, max_power, priority, cap, from, until, key, .. } = typed;
    pair(
        ui,
        |ui| drop(widgets::form_field(ui, cx.text(Text::TenantFrom), "", from, Field::Text)),
        |ui| drop(widgets::form_field(ui, cx.text(Text::TenantUntil), "", until, Field::Text)),
    );
    pair(
        ui,
        |ui| drop(widgets::form_field(ui, cx.text(Text::TenantMaxPower), "", max_power, Field::Text)),
        |ui| drop(widgets::form_field(ui, cx.text(Text::TenantCap), "", cap, Field::Text)),
    );
    pair(
        ui,
        |ui| drop(widgets::form_field(ui, cx.text(Text::TenantPriority), "", priority, Field::Text)),
        |ui| drop(widgets::form_field(ui, cx.text(Text::TenantKey), "", key, Field::Text)),
    );
    widgets::form_field(ui, cx.text(Text::TenantChargers), cx.text(Text::TenantChargersHint), chargers, Field::Text);
    if !chargers.trim().is_empty() {
        let uses = [
            (OwnChargerUse::OwnerOnly, cx.text(Text::UseOwnerOnly).to_owned()),
            (OwnChargerUse::Everyone, cx.text(Text::UseEveryone).to_owned()),
            (OwnChargerUse::OwnerPays, cx.text(Text::UseOwnerPays).to_owned()),
        ];
        let width = ui.available_width();
        if let Some(chosen) = widgets::select(ui, cx.text(Text::TenantUse), &uses, charger_use, width) {
            *charger_use = chosen;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is shown is what is sent, and what cannot be read is named instead of being sent.
    #[test]
    fn fields_say_what_they_show() {
        let form = TenantForm {
            max_power_kw: Some(7.4),
            monthly_cap_kwh: Some(120.5),
            unit_key_permille: Some(12.345),
            valid_from: Some("2026-11-01".to_owned()),
            parking_spaces: vec!["12".to_owned(), "13 A".to_owned()],
            ..TenantForm::named("Ana", "2.º Esq.")
        };
        let typed = TenantTyped::of(Some(1), &form, api::Language::Portuguese, |at, _| at.to_owned());
        assert_eq!(typed.form(), Ok(form));
        let wrong = TenantTyped { cap: "much".to_owned(), ..typed.clone() };
        assert_eq!(wrong.form(), Err(Text::TenantCap));
        let wrong = TenantTyped { from: "soon".to_owned(), ..typed };
        assert_eq!(wrong.form(), Err(Text::TenantFrom));
        assert_eq!(iso_day("1/11/2026").as_deref(), Some("2026-11-01"));
    }
}

//! The dialog that corrects a session or says who pays for it.

use super::Cx;
use crate::command::Command;
use crate::format::{field_precise, read_number};
use crate::text::Text;
use crate::tokens;
use crate::widgets::{self, Field, Loudness};
use api::SessionPatch;
use egui::{Align, Layout, Ui};

/// What is typed in the dialog.
#[derive(Default)]
pub(crate) struct CorrectForm {
    of: Option<i32>,
    tenant: Option<i64>,
    energy: String,
    reason: String,
}

/// Kilowatt-hours as watt-hours; `None` for what no session has.
fn watt_hours(kwh: f64) -> Option<u64> {
    // Bounded, so the text of the rounded number always fits.
    (0.0..=1_000_000.0).contains(&kwh).then(|| format!("{:.0}", kwh * 1000.0).parse().ok()).flatten()
}

/// The dialog.
pub(crate) fn dialog(cx: &mut Cx<'_>, ui: &mut Ui, form: &mut CorrectForm, id: i32) {
    let list = cx.model.values.sessions.value();
    let Some(session) = list.and_then(|list| list.iter().find(|session| session.id == id)) else {
        return super::cancel(cx, ui);
    };
    let shown = u32::try_from(session.energy_wh).map_or(0.0, |wh| f64::from(wh) / 1000.0);
    let shown = field_precise(shown, cx.language());
    if form.of != Some(id) {
        *form = CorrectForm { of: Some(id), tenant: session.tenant_id, energy: shown.clone(), reason: String::new() };
    }
    widgets::heading(ui, &cx.fill(Text::CorrectTitle, &[&id.to_string()]), tokens::TEXT_TITLE);
    widgets::weak(ui, cx.text(Text::CorrectSub));
    let mut tenants = vec![(None, cx.text(Text::NoTenant).to_owned())];
    let known = cx.model.values.tenants.value().into_iter().flatten().filter(|tenant| tenant.erased_at.is_none());
    tenants.extend(
        known.map(|tenant| (Some(tenant.id), format!("{} {}", tenant.form.name, tenant.form.unit).trim().to_owned())),
    );
    widgets::field_label(ui, cx.text(Text::Tenant));
    let width = ui.available_width();
    if let Some(chosen) = widgets::select(ui, cx.text(Text::Tenant), &tenants, &form.tenant, width) {
        form.tenant = chosen;
    }
    if session.ended_at.is_some() {
        widgets::form_field(ui, cx.text(Text::CorrectEnergy), "", &mut form.energy, Field::Text);
    }
    widgets::form_field(
        ui,
        cx.text(Text::CorrectReason),
        cx.text(Text::CorrectReasonHint),
        &mut form.reason,
        Field::Text,
    );
    let energy = read_number(&form.energy).and_then(watt_hours);
    let changed = form.energy != shown && session.ended_at.is_some();
    let patch = SessionPatch {
        reason: form.reason.trim().to_owned(),
        tenant_id: (form.tenant != session.tenant_id).then_some(form.tenant),
        energy_wh: energy.filter(|_| changed),
        ..SessionPatch::default()
    };
    let ready = !patch.reason.is_empty()
        && (patch.tenant_id.is_some() || patch.energy_wh.is_some())
        && (!changed || energy.is_some());
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            cx.button_if(ui, ready, Loudness::Primary, "", Command::CorrectSession(id, patch));
            super::cancel(cx, ui);
        });
    });
}

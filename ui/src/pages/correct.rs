//! The dialog that corrects a session or says who pays for it.

use super::{Cx, not_yet};
use crate::command::{Command, Resource};
use crate::format::{field_precise, read_number};
use crate::records::RecordsResource;
use crate::text::Text;
use crate::time::{civil, parse, rfc3339};
use crate::tokens;
use crate::widgets::{self, Field, Loudness};
use api::{SessionItem, SessionPatch};
use egui::{Align, Layout, Ui};

/// What is typed in the dialog.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CorrectForm {
    of: Option<i32>,
    tenant: Option<i64>,
    energy: String,
    start: String,
    end: String,
    reason: String,
}

/// Kilowatt-hours as watt-hours; `None` for what no session has.
fn watt_hours(kwh: f64) -> Option<u64> {
    // Bounded, so the text of the rounded number always fits.
    (0.0..=1_000_000.0).contains(&kwh).then(|| format!("{:.0}", kwh * 1000.0).parse().ok()).flatten()
}

/// A moment as the building's clocks show it, to the second: `2026-10-25 18:30:07`.
fn shown(at: &str, offset: impl Fn(i64) -> i32) -> String {
    parse(at).map_or_else(String::new, |ms| {
        let c = civil(ms, offset(ms));
        format!("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", c.year, c.month, c.day, c.hour, c.minute, c.second)
    })
}

/// The moment at which the building's clocks show this; seconds may be left out.
pub(super) fn moment(text: &str, offset: impl Fn(i64) -> i32) -> Option<i64> {
    let text = text.trim().replacen([' ', 'T'], "T", 1);
    let seconds = if text.matches(':').count() == 1 { ":00" } else { "" };
    let as_if_utc = parse(&format!("{text}{seconds}Z"))?;
    // The 31st of February is read as another day: what does not come back as it was typed is no time.
    if !rfc3339(as_if_utc).starts_with(&text) {
        return None;
    }
    let minutes = |ms: i64| i64::from(offset(ms)) * 60_000;
    // The offset at the moment itself, found from the one nearby; the second look is right beside a change of clocks.
    let near = as_if_utc - minutes(as_if_utc);
    Some(as_if_utc - minutes(near))
}

/// What would be sent; the field that cannot be read otherwise.
fn patch(
    form: &CorrectForm,
    known: &CorrectForm,
    session: &SessionItem,
    offset: impl Fn(i64) -> i32,
) -> Result<SessionPatch, Text> {
    let time = |typed: &str, before: &str, field: Text| match typed == before {
        true => Ok(None),
        false => moment(typed, &offset).map(|ms| Some(rfc3339(ms))).ok_or(field),
    };
    let energy_wh = match form.energy == known.energy {
        true => None,
        false => Some(read_number(&form.energy).and_then(watt_hours).ok_or(Text::CorrectEnergy)?),
    };
    Ok(SessionPatch {
        reason: form.reason.trim().to_owned(),
        tenant_id: (form.tenant != session.tenant_id).then_some(form.tenant),
        started_at: time(&form.start, &known.start, Text::CorrectStart)?,
        ended_at: time(&form.end, &known.end, Text::CorrectEnd)?,
        energy_wh,
    })
}

/// What is known of a session, as the fields show it.
fn of(cx: &Cx<'_>, session: &SessionItem) -> CorrectForm {
    let kwh = u32::try_from(session.energy_wh).map_or(0.0, |wh| f64::from(wh) / 1000.0);
    let time = |at: &str| shown(at, |ms| cx.offset(ms));
    CorrectForm {
        of: Some(session.id),
        tenant: session.tenant_id,
        energy: field_precise(kwh, cx.language()),
        start: time(&session.started_at),
        end: session.ended_at.as_deref().map(time).unwrap_or_default(),
        reason: String::new(),
    }
}

/// The dialog.
pub(crate) fn dialog(cx: &mut Cx<'_>, ui: &mut Ui, form: &mut CorrectForm, id: i32) {
    widgets::heading(ui, &cx.fill(Text::CorrectTitle, &[&id.to_string()]), tokens::TEXT_TITLE);
    widgets::weak(ui, cx.text(Text::CorrectSub));
    let wanted = cx.model.values.tenants.is_wanted();
    cx.want(wanted, Resource::Tenants);
    let list = cx.model.values.sessions.value();
    let found = list.and_then(|list| list.iter().find(|session| session.id == id));
    let Some(session) = found.or_else(|| cx.model.values.records.session_of(id)).cloned() else {
        let remote = &cx.model.values.records.session;
        let resource = || Resource::Records(RecordsResource::Session(id));
        let other = remote.value().is_some() && !remote.is_pending() && remote.failure().is_none();
        cx.want(remote.is_wanted() || other, resource());
        not_yet(cx, ui, &cx.model.values.records.session, resource());
        return super::cancel(cx, ui);
    };
    let known = of(cx, &session);
    if form.of != Some(id) {
        *form = known.clone();
    }
    fields(cx, ui, form, &session);
    let patch = patch(form, &known, &session, |ms| cx.offset(ms));
    if let Err(field) = &patch {
        let text = cx.fill(Text::TenantUnreadable, &[cx.text(*field)]);
        widgets::notice(ui, crate::icons::Icon::Alert, &text, widgets::Mood::Bad);
    }
    let changes = |patch: &SessionPatch| {
        patch.tenant_id.is_some() || patch.energy_wh.is_some() || patch.started_at.is_some() || patch.ended_at.is_some()
    };
    let ready = patch.as_ref().is_ok_and(|patch| !patch.reason.is_empty() && changes(patch));
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let correct = Command::CorrectSession(id, patch.unwrap_or_default());
            cx.button_if(ui, ready, Loudness::Primary, "", correct);
            super::cancel(cx, ui);
        });
    });
}

fn fields(cx: &Cx<'_>, ui: &mut Ui, form: &mut CorrectForm, session: &SessionItem) {
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
        ui.columns(2, |columns| {
            if let [left, right] = columns {
                widgets::form_field(left, cx.text(Text::CorrectStart), "", &mut form.start, Field::Text);
                widgets::form_field(right, cx.text(Text::CorrectEnd), "", &mut form.end, Field::Text);
            }
        });
    }
    let hint = cx.text(Text::CorrectReasonHint);
    widgets::form_field(ui, cx.text(Text::CorrectReason), hint, &mut form.reason, Field::Text);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lisbon in 2026: an hour ahead of UTC until 25 October at 01:00 UTC.
    fn lisbon(ms: i64) -> i32 {
        if ms < parse("2026-10-25T01:00:00Z").unwrap() { 60 } else { 0 }
    }

    /// What is shown is the moment it was made from, also beside a change of clocks; nonsense is no moment.
    #[test]
    fn times_are_the_buildings() {
        for at in ["2026-10-24T22:59:59Z", "2026-10-25T02:00:00Z", "2026-12-31T23:00:00Z"] {
            let text = shown(at, lisbon);
            assert_eq!(moment(&text, lisbon), parse(at), "{text}");
        }
        assert_eq!(shown("2026-10-24T22:59:59Z", lisbon), "2026-10-24 23:59:59");
        assert_eq!(moment("2026-10-24 23:59", lisbon), parse("2026-10-24T22:59:00Z"));
        for text in ["", "yesterday", "2026-13-01 10:00", "2026-02-31 10:00", "2026-10-24 24:00"] {
            assert_eq!(moment(text, lisbon), None, "{text:?}");
        }
    }
}

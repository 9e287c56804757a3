//! The dialog about ends that fit no session: each belongs to one of the sessions at its charger, or to none.

use super::{Cx, not_yet};
use crate::command::{Command, Resource};
use crate::format;
use crate::icons::Icon;
use crate::records::{RecordsCommand, RecordsResource};
use crate::text::Text;
use crate::tokens;
use crate::widgets::{self, Field, Loudness, Mood};
use api::{OrphanDecisionRequest, OrphanItem, SessionItem, Snapshot};
use egui::{Align, Layout, Ui};

/// What is typed in the dialog.
#[derive(Default)]
pub(crate) struct OrphansForm {
    /// The end it is about.
    of: Option<i64>,
    session: Option<i32>,
    reason: String,
}

/// The dialog: one end after the other, oldest first.
pub(crate) fn dialog(cx: &mut Cx<'_>, ui: &mut Ui, form: &mut OrphansForm, snapshot: &Snapshot) {
    widgets::heading(ui, cx.text(Text::OrphansTitle), tokens::TEXT_TITLE);
    widgets::weak(ui, cx.text(Text::OrphansSub));
    let wanted = cx.model.values.records.orphans.is_wanted();
    cx.want(wanted, Resource::Records(RecordsResource::Orphans));
    let remote = &cx.model.values.records.orphans;
    let Some(list) = remote.value().cloned() else {
        return not_yet(cx, ui, remote, Resource::Records(RecordsResource::Orphans));
    };
    let Some(orphan) = list.last() else {
        widgets::notice(ui, Icon::Check, cx.text(Text::OrphansNone), Mood::Good);
        return super::cancel(cx, ui);
    };
    if form.of != Some(orphan.id) {
        *form = OrphansForm { of: Some(orphan.id), session: orphan.session_id, reason: String::new() };
        cx.send(Command::Fetch(Resource::Records(RecordsResource::Candidates(orphan.charger.clone()))));
    }
    let left = cx.fill(Text::OrphansLeft, &[&list.len().to_string()]);
    widgets::weak(ui, &left);
    facts(cx, ui, orphan, snapshot);
    candidates(cx, ui, form, orphan);
    let hint = cx.text(Text::CorrectReasonHint);
    widgets::form_field(ui, cx.text(Text::CorrectReason), hint, &mut form.reason, Field::Text);
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let reason = form.reason.trim().to_owned();
            let has_reason = !reason.is_empty();
            let request = |session_id| OrphanDecisionRequest { session_id, reason: reason.clone() };
            let decide = |session_id| Command::Records(RecordsCommand::Decide(orphan.id, request(session_id)));
            // Without a session there is nothing to assign it to; 0 is never one.
            let assign = decide(Some(form.session.unwrap_or(0)));
            cx.button_if(ui, has_reason && form.session.is_some(), Loudness::Primary, "", assign);
            cx.button_if(ui, has_reason, Loudness::Normal, "", decide(None));
            super::cancel(cx, ui);
        });
    });
}

fn facts(cx: &Cx<'_>, ui: &mut Ui, orphan: &OrphanItem, snapshot: &Snapshot) {
    let charger = snapshot.chargers.iter().find(|charger| charger.id == orphan.charger);
    let place = charger.map_or(orphan.charger.as_str(), |charger| charger.name.as_str());
    let register = format::energy(orphan.meter_wh, cx.language());
    let named = orphan.session_id.map(|id| cx.fill(Text::SessionTitle, &[&id.to_string()]));
    let facts = [
        (Text::ColCharger, place.to_owned()),
        (Text::ColTo, cx.local(&orphan.at)),
        (Text::OrphanRegister, register),
        (Text::Card, orphan.card.clone().unwrap_or_else(|| format::UNKNOWN.to_owned())),
        (Text::OrphanNamed, named.unwrap_or_else(|| format::UNKNOWN.to_owned())),
    ];
    egui::Grid::new("orphan").num_columns(2).spacing([18.0, 5.0]).show(ui, |ui| {
        for (name, value) in facts {
            widgets::weak(ui, cx.text(name));
            widgets::line(ui, &value);
            ui.end_row();
        }
    });
}

/// What a session that it may belong to is called.
fn called(cx: &Cx<'_>, session: &SessionItem) -> String {
    let who = session.tenant.clone().unwrap_or_else(|| cx.text(Text::NoTenant).to_owned());
    let energy = format::energy(session.energy_wh, cx.language());
    format!("{} · {} · {who} · {energy}", session.id, cx.local(&session.started_at))
}

fn candidates(cx: &Cx<'_>, ui: &mut Ui, form: &mut OrphansForm, orphan: &OrphanItem) {
    let known = cx.model.values.records.candidates.value().filter(|(charger, _)| *charger == orphan.charger);
    let ended = crate::time::parse(&orphan.at).unwrap_or(i64::MAX);
    let began_before =
        |session: &&SessionItem| crate::time::parse(&session.started_at).is_some_and(|start| start <= ended);
    let mut choices = vec![(None, cx.text(Text::OrphanChoose).to_owned())];
    let list = known.map(|(_, list)| list.as_slice()).unwrap_or_default();
    choices.extend(list.iter().filter(began_before).map(|session| (Some(session.id), called(cx, session))));
    if form.session.is_some_and(|id| !choices.iter().any(|(known, _)| *known == Some(id))) {
        form.session = None;
    }
    widgets::field_label(ui, cx.text(Text::OrphanSession));
    let width = ui.available_width();
    if let Some(picked) = widgets::select(ui, cx.text(Text::OrphanSession), &choices, &form.session, width) {
        form.session = picked;
    }
}

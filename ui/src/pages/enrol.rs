//! Enrolling a card: wait for the tap, then ask whose card it is.

use super::{Cx, cards};
use crate::command::Command;
use crate::icons::Icon;
use crate::records::RecordsCommand;
use crate::text::Text;
use crate::tokens::{self, palette};
use crate::widgets::{self, Field, Loudness, Mood};
use api::{DemoCommand, EnrolmentState, NewCard, Snapshot, TenantForm};
use egui::{Align, Layout, RichText, Ui};

/// Whose card it will be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Whose {
    #[default]
    New,
    Known,
}

/// What is typed in the dialog.
#[derive(Default)]
pub(crate) struct EnrolState {
    whose: Whose,
    name: String,
    unit: String,
    tenant: Option<i64>,
    /// The card that was read and where; kept while its owner is named, however long that takes.
    captured: Option<(String, String)>,
    /// The number being typed, by a person or by a reader that types.
    typed: String,
}

/// Where an enrolment stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// Waiting for a tap, with the seconds left.
    Waiting(u32),
    /// A card was read; somebody has to say whose it is.
    Captured(String, String),
    /// The card was read and bound to the tenant named before.
    Bound(String),
    /// Nothing was read in time.
    Over,
}

/// Where an enrolment stands, by what the server says. Pure.
pub(crate) fn step(state: Option<&EnrolmentState>) -> Step {
    let Some(state) = state else { return Step::Over };
    match (&state.captured_uid, state.bound) {
        (None, _) => Step::Waiting(state.remaining_s),
        (Some(uid), true) => Step::Bound(uid.clone()),
        (Some(uid), false) => Step::Captured(uid.clone(), state.captured_at_charger.clone().unwrap_or_default()),
    }
}

/// The dialog while the server waits for a card.
pub(crate) fn dialog(cx: &mut Cx<'_>, ui: &mut Ui, form: &mut EnrolState, snapshot: &Snapshot) {
    widgets::heading(ui, cx.text(Text::EnrolTitle), tokens::TEXT_TITLE);
    let busy = cx.model.is_busy(|command| matches!(command, Command::Enrol(_)));
    let now = step(snapshot.enrolment.as_ref());
    if let Step::Captured(uid, charger) = &now {
        if form.captured.is_none()
            && let Some(tenant) = snapshot.enrolment.as_ref().and_then(|enrolment| enrolment.tenant_id)
        {
            (form.whose, form.tenant) = (Whose::Known, Some(tenant));
        }
        form.captured = Some((uid.clone(), charger.clone()));
    }
    let now = match (now, &form.captured) {
        (Step::Over, Some((uid, charger))) => Step::Captured(uid.clone(), charger.clone()),
        (now, _) => now,
    };
    match now {
        Step::Waiting(seconds) => waiting(cx, ui, form, snapshot, seconds),
        Step::Captured(uid, charger) => {
            let text = match charger.as_str() {
                "" => cx.fill(Text::EnrolCapturedHere, &[&uid]),
                charger => cx.fill(Text::EnrolCaptured, &[&uid, &charger_name(snapshot, charger)]),
            };
            widgets::notice(ui, Icon::Check, &text, Mood::Good);
            whose(cx, ui, form, &uid, true);
        }
        Step::Bound(_) => {
            widgets::notice(ui, Icon::Check, cx.text(Text::EnrolDone), Mood::Good);
            close(cx, ui, true);
        }
        Step::Over if busy => {
            widgets::weak(ui, cx.text(Text::Loading));
        }
        Step::Over => {
            widgets::notice(ui, Icon::Clock, cx.text(Text::EnrolExpired), Mood::Warn);
            ui.horizontal(|ui| {
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let label = cx.text(Text::EnrolAgain);
                    let look =
                        widgets::Look { loudness: Loudness::Primary, icon: None, label, name: label, enabled: true };
                    if widgets::button(ui, look).clicked() {
                        let again = cards::enrol(cx, None);
                        cx.send(again);
                    }
                    super::cancel(cx, ui);
                });
            });
        }
    }
}

fn charger_name(snapshot: &Snapshot, id: &str) -> String {
    let found = snapshot.chargers.iter().find(|charger| charger.id == id);
    found.map_or_else(|| id.to_owned(), |charger| charger.name.clone())
}

fn waiting(cx: &mut Cx<'_>, ui: &mut Ui, form: &mut EnrolState, snapshot: &Snapshot, seconds: u32) {
    let p = palette(ui);
    ui.vertical_centered(|ui| {
        let (rect, _) = ui.allocate_exact_size(egui::Vec2::splat(88.0), egui::Sense::hover());
        ui.painter().circle_filled(rect.center(), 44.0, p.accent_low);
        Icon::Card.paint(ui.painter(), rect.shrink(24.0), p.accent);
        ui.label(RichText::new(cx.text(Text::EnrolHold)).font(tokens::strong(17.0)));
        let tenant = snapshot.enrolment.as_ref().and_then(|enrolment| enrolment.tenant_id);
        let known = cx.model.values.tenants.value().into_iter().flatten().find(|known| Some(known.id) == tenant);
        if let Some(tenant) = known {
            widgets::weak(ui, &cx.fill(Text::EnrolHoldFor, &[&tenant.form.name]));
        }
        let left = cx.fill(Text::EnrolRemaining, &[&seconds.to_string()]);
        ui.label(RichText::new(left).size(14.0).color(p.text_weak));
        if let Some(tap) = virtual_tap(snapshot) {
            let label = cx.text(Text::EnrolDemoTap);
            let look = widgets::Look { loudness: Loudness::Normal, icon: None, label, name: label, enabled: true };
            if widgets::button(ui, look).on_hover_text(cx.text(Text::EnrolDemoTapTip)).clicked() {
                cx.send(Command::Demo(tap));
            }
        }
    });
    at_the_desk(cx, ui, form);
    close(cx, ui, false);
}

/// A field for a reader that types, which is a keyboard and ends with Enter, and what the reader of the computer says.
fn at_the_desk(cx: &mut Cx<'_>, ui: &mut Ui, form: &mut EnrolState) {
    widgets::hairline(ui);
    let name = cx.text(Text::CardTyped);
    widgets::field_label(ui, name);
    let mut entered = false;
    ui.horizontal(|ui| {
        let width = ui.available_width() - 130.0;
        let field = widgets::text_field(ui, name, "04A1B2C3", &mut form.typed, Field::Text, width);
        // Enter takes the focus away; it is looked at before the focus comes back.
        entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        // A reader types into whatever has the focus.
        if ui.memory(|memory| memory.focused().is_none()) {
            field.request_focus();
        }
        let number = form.typed.trim().to_owned();
        let read = Command::Records(RecordsCommand::ReadCard(number.clone()));
        let pressed = cx.button_if(ui, !number.is_empty(), Loudness::Normal, "", read.clone()).clicked();
        if entered && !number.is_empty() && !pressed {
            cx.send(read);
        }
        if entered || pressed {
            form.typed.clear();
            field.request_focus();
        }
    });
    widgets::weak(ui, cx.text(Text::CardTypedHint));
    reader(cx, ui);
}

/// Looks for a card on the reader of the server's computer again and again, as long as there can be one.
fn reader(cx: &mut Cx<'_>, ui: &mut Ui) {
    use api::CardReaderState as S;
    let seen = cx.model.values.records.reader.clone();
    let is_asking = cx.model.is_busy(|command| matches!(command, Command::Records(RecordsCommand::LookAtReader)));
    let goes_on = match seen.as_ref().map(|seen| seen.state) {
        None | Some(S::NoReader | S::Empty) => true,
        Some(S::NotBuilt | S::NoService | S::Refused | S::Read) => false,
    };
    if goes_on && !is_asking {
        cx.send(Command::Records(RecordsCommand::LookAtReader));
    }
    let Some(seen) = seen else { return };
    match seen.state {
        S::NotBuilt | S::Read => {}
        S::NoService => {
            widgets::weak(ui, cx.text(Text::ReaderNoService));
        }
        S::NoReader => {
            widgets::weak(ui, cx.text(Text::ReaderNone));
        }
        S::Empty => {
            widgets::weak(ui, &cx.fill(Text::ReaderReady, &[&seen.name]));
        }
        S::Refused => {
            widgets::notice(
                ui,
                Icon::Alert,
                &cx.fill(Text::ReaderRefused, &[&crate::text::said(&seen.detail, cx.language())]),
                Mood::Warn,
            );
            cx.button(ui, Loudness::Quiet, None, "", Command::Records(RecordsCommand::LookAtReader));
        }
    }
}

/// A tap of a card nobody knows, at a charger where nobody charges if there is one; only in the demo.
fn virtual_tap(snapshot: &Snapshot) -> Option<DemoCommand> {
    if !snapshot.demo {
        return None;
    }
    let online = || snapshot.chargers.iter().filter(|charger| charger.online && charger.approved);
    let idle = online().find(|charger| charger.connectors.iter().all(|connector| connector.session_id.is_none()));
    let charger = idle.or_else(|| online().next())?.id.clone();
    // The clock makes each card another one.
    Some(DemoCommand::TapCard { charger, uid: format!("04{:010X}", snapshot.at_ms / 250) })
}

/// Closes the dialog and tells the server to stop waiting.
fn close(cx: &mut Cx<'_>, ui: &mut Ui, finished: bool) {
    let label = cx.text(if finished { Text::Close } else { Text::Cancel });
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let loudness = if finished { Loudness::Primary } else { Loudness::Normal };
            let look = widgets::Look { loudness, icon: None, label, name: label, enabled: true };
            if widgets::button(ui, look).clicked() {
                cx.send(Command::CancelEnrolment);
                cx.send(Command::ShowDialog(None));
                cx.send(Command::Fetch(crate::command::Resource::Tenants));
            }
        });
    });
}

/// The dialog about a card that was refused before.
pub(crate) fn refused_dialog(cx: &mut Cx<'_>, ui: &mut Ui, form: &mut EnrolState, uid: &str) {
    widgets::heading(ui, cx.text(Text::EnrolTitle), tokens::TEXT_TITLE);
    ui.label(RichText::new(uid).monospace().size(16.0));
    whose(cx, ui, form, uid, false);
}

fn whose(cx: &mut Cx<'_>, ui: &mut Ui, form: &mut EnrolState, uid: &str, waiting: bool) {
    same_card(cx, ui, uid);
    let mut tenants: Vec<(Option<i64>, String)> = cx
        .model
        .values
        .tenants
        .value()
        .into_iter()
        .flatten()
        .map(|tenant| (Some(tenant.id), format!("{} {}", tenant.form.name, tenant.form.unit).trim().to_owned()))
        .collect();
    tenants.sort_by(|a, b| a.1.cmp(&b.1));
    let none_known = tenants.is_empty();
    tenants.insert(0, (None, cx.text(Text::ChooseTenant).to_owned()));
    let question = cx.text(Text::EnrolWhose);
    widgets::field_label(ui, question);
    if !none_known {
        let choices = [(Whose::New, cx.text(Text::EnrolNewTenant)), (Whose::Known, cx.text(Text::EnrolKnownTenant))];
        if let Some(whose) = widgets::segmented(ui, question, &choices, form.whose) {
            form.whose = whose;
        }
    }
    let command = match form.whose {
        Whose::New => {
            widgets::form_field(ui, cx.text(Text::Name), "", &mut form.name, Field::Text);
            widgets::form_field(ui, cx.text(Text::Unit), cx.text(Text::UnitHint), &mut form.unit, Field::Text);
            let (name, unit) = (form.name.trim().to_owned(), form.unit.trim().to_owned());
            let card = NewCard { uid: uid.to_owned(), alias_of: None };
            if name.is_empty() { None } else { Some(Command::AddTenant(TenantForm::named(name, unit), Some(card))) }
        }
        Whose::Known => {
            let width = ui.available_width();
            if let Some(tenant) = widgets::select(ui, cx.text(Text::Tenant), &tenants, &form.tenant, width) {
                form.tenant = tenant;
            }
            form.tenant.map(|tenant| Command::AddCard(tenant, NewCard { uid: uid.to_owned(), alias_of: None }))
        }
    };
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let ready = command.is_some();
            let fallback = Command::AddCard(0, NewCard { uid: uid.to_owned(), alias_of: None });
            cx.button_if(ui, ready, Loudness::Primary, "", command.unwrap_or(fallback));
            let label = cx.text(Text::Cancel);
            let look = widgets::Look { loudness: Loudness::Normal, icon: None, label, name: label, enabled: true };
            if widgets::button(ui, look).clicked() {
                if waiting {
                    cx.send(Command::CancelEnrolment);
                }
                cx.send(Command::ShowDialog(None));
            }
        });
    });
}

/// Offers a number that may be an enrolled card, read differently, as another reading of that card.
fn same_card(cx: &mut Cx<'_>, ui: &mut Ui, uid: &str) {
    let tenants = cx.model.values.tenants.value().map(Vec::as_slice).unwrap_or_default();
    let Some((card, tenant)) = cards::resembling(tenants, uid) else { return };
    let text = cx.fill(Text::CardLikeOf, &[&card.uid, &tenant.form.name]);
    let alias = NewCard { uid: uid.to_owned(), alias_of: Some(card.uid.clone()) };
    let accept = Command::AddCard(tenant.id, alias);
    widgets::notice(ui, Icon::Card, &text, Mood::Info);
    ui.horizontal(|ui| {
        let label = cx.text(Text::CardSame);
        let look = widgets::Look { loudness: Loudness::Primary, icon: None, label, name: label, enabled: true };
        if widgets::button(ui, look).clicked() {
            cx.send(accept);
        }
        widgets::weak(ui, cx.text(Text::CardSameElse));
    });
    widgets::hairline(ui);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each state of the server leads to one step of the dialog.
    #[test]
    fn steps_follow_the_server() {
        let mut state = crate::fixtures::enrolment(90);
        assert_eq!(step(None), Step::Over);
        assert_eq!(step(Some(&state)), Step::Waiting(90));
        state.captured_uid = Some("04A1".to_owned());
        state.captured_at_charger = Some("C1".to_owned());
        assert_eq!(step(Some(&state)), Step::Captured("04A1".to_owned(), "C1".to_owned()));
        state.tenant_id = Some(3);
        assert_eq!(step(Some(&state)), Step::Captured("04A1".to_owned(), "C1".to_owned()));
        state.bound = true;
        assert_eq!(step(Some(&state)), Step::Bound("04A1".to_owned()));
    }
}

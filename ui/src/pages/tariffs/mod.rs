//! The tariff: its versions, an editor, and the week as a heat map.

mod editor;
mod heat;

use super::{Cx, not_yet, title};
use crate::books::{BooksCommand, BooksResource};
use crate::command::{Command, Resource};
use crate::icons::Icon;
use crate::text::Text;
use crate::tokens;
use crate::view::Page;
use crate::widgets::{self, Look, Loudness, Mood};
use api::{Language, TariffDocument, TariffPage};
use egui::{Align, Layout, Ui};

/// What the page keeps between frames.
#[derive(Default)]
pub(crate) struct TariffsState {
    /// The tariff as typed; `None` until it is changed.
    draft: Option<TariffDocument>,
    /// Which version is open.
    selected: usize,
    /// Saves seen: a newer one ends the draft.
    saved: u32,
    /// Month whose entry is being typed.
    pub(super) month: String,
}

/// Shows the tariff.
pub(crate) fn show(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut TariffsState) {
    let wanted = cx.model.values.books.tariff.is_wanted();
    cx.want(wanted, Resource::Books(BooksResource::Tariff));
    if state.saved != cx.model.values.books.saved {
        state.saved = cx.model.values.books.saved;
        state.draft = None;
    }
    let is_changed = state.draft.is_some();
    let problems = cx.model.values.books.checked.as_ref().map_or(0, |page| page.problems.len());
    title(cx, ui, Page::Tariffs, |cx, ui| {
        if let Some(draft) = state.draft.clone() {
            let save = Command::Books(BooksCommand::SetTariff(Box::new(draft)));
            cx.button_if(ui, problems == 0, Loudness::Primary, "", save);
            let label = cx.text(Text::Discard);
            let look = Look { loudness: Loudness::Normal, icon: None, label, name: label, enabled: true };
            if widgets::button(ui, look).clicked() {
                state.draft = None;
            }
        }
    });
    let remote = &cx.model.values.books.tariff;
    let Some(page) = remote.value().cloned() else {
        return not_yet(cx, ui, remote, Resource::Books(BooksResource::Tariff));
    };
    let shown = if is_changed { cx.model.values.books.checked.clone() } else { None };
    let mut document = state.draft.clone().unwrap_or_else(|| page.tariff.clone());
    let before = document.clone();
    for problem in problems_of(shown.as_ref().unwrap_or(&page), cx.language()).iter().take(4) {
        widgets::notice(ui, Icon::Alert, problem, Mood::Bad);
    }
    let width = ui.available_width();
    let aside = tokens::ASIDE_WIDTH;
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = tokens::GAP_L;
        ui.allocate_ui_with_layout(egui::vec2(aside, 0.0), Layout::top_down(Align::Min), |ui| {
            widgets::card(ui, |ui| versions(cx, ui, state, &mut document, &page));
        });
        let main = egui::vec2(width - aside - tokens::GAP_L, 0.0);
        ui.allocate_ui_with_layout(main, Layout::top_down(Align::Min), |ui| {
            let height = widgets::rest_of_window(ui, 120.0);
            widgets::scroll("tariff", height).show(ui, |ui| {
                open_version(cx, ui, state, &mut document, shown.as_ref().unwrap_or(&page));
            });
        });
    });
    if document != before {
        cx.send(Command::Books(BooksCommand::CheckTariff(Box::new(document.clone()))));
        state.draft = Some(document);
    }
}

/// What keeps a tariff from being used, in the person's language.
fn problems_of(page: &TariffPage, language: Language) -> &[String] {
    match language {
        Language::Portuguese if !page.problems_pt.is_empty() => &page.problems_pt,
        Language::Portuguese | Language::English => &page.problems,
    }
}

fn versions(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut TariffsState, document: &mut TariffDocument, page: &TariffPage) {
    widgets::card_title(ui, cx.text(Text::TariffVersions), cx.text(Text::TariffVersionsSub));
    for (index, version) in document.versions.iter().enumerate() {
        let until = version.valid_to.clone().unwrap_or_else(|| "…".to_owned());
        let name = if version.name.is_empty() { "–" } else { version.name.as_str() };
        let loudness = if index == state.selected { Loudness::Primary } else { Loudness::Quiet };
        let look = Look { loudness, icon: None, label: name, name, enabled: true };
        if widgets::button(ui, look).clicked() {
            state.selected = index;
        }
        widgets::weak_line(ui, &format!("{} – {until}", version.valid_from));
    }
    widgets::hairline(ui);
    widgets::field_label(ui, cx.text(Text::AddVersion));
    let mut choices = vec![(None, cx.text(Text::ChooseTemplate).to_owned())];
    choices.extend(page.templates.iter().enumerate().map(|(index, one)| (Some(index), one.name.clone())));
    let picked = widgets::select(ui, cx.text(Text::AddVersion), &choices, &None, 220.0);
    if let Some(version) = picked.flatten().and_then(|index| page.templates.get(index)) {
        document.versions.push(version.clone());
        state.selected = document.versions.len() - 1;
    }
    widgets::weak(ui, cx.text(Text::TemplatesHint));
    widgets::hairline(ui);
    editor::month_entry(cx, ui, state, document);
}

fn open_version(
    cx: &mut Cx<'_>,
    ui: &mut Ui,
    state: &mut TariffsState,
    document: &mut TariffDocument,
    shown: &TariffPage,
) {
    let selected = state.selected.min(document.versions.len().saturating_sub(1));
    let Some(version) = document.versions.get_mut(selected) else {
        widgets::empty(ui, Icon::List, cx.text(Text::NoTariffYet), cx.text(Text::NoTariffYetSub));
        return;
    };
    widgets::card(ui, |ui| {
        widgets::card_title(ui, cx.text(Text::HeatMap), cx.text(Text::HeatMapSub));
        if let Some(calendar) = shown.calendars.get(selected) {
            heat::show(cx, ui, version, calendar);
        }
    });
    ui.add_space(tokens::GAP_M);
    let remove = widgets::card(ui, |ui| editor::version(cx, ui, version));
    if remove {
        document.versions.remove(selected);
        state.selected = selected.saturating_sub(1);
    }
}

//! One charger in detail: values, settings, operations, decisions, messages.

use super::charger_operations::{self, OperationsState};
use super::charger_setup::{self, SetupState};
use super::{Cx, charger_status, decisions, named, not_yet, policy, status, wish};
use crate::command::{Command, Resource};
use crate::format::{self, read_number};
use crate::icons::Icon;
use crate::text::Text;
use crate::tokens::{self, palette};
use crate::view::Dialog;
use crate::widgets::{self, Field, Loudness, Mood};
use api::{ChargerItem, ChargerPatch};
use domain::Protocol;
use egui::{Align, Layout, RichText, Ui};

/// Parts of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Tab {
    #[default]
    Overview,
    Values,
    Setup,
    Operations,
    Messages,
}

/// What is being typed about one charger.
#[derive(Default)]
pub(crate) struct DetailState {
    /// Whose form it is.
    of: String,
    name: String,
    max_a: String,
    fallback_a: String,
    circuit: String,
    phases: Vec<u8>,
    error: Option<String>,
    tab: Tab,
    operations: OperationsState,
    setup: SetupState,
    search: String,
    policy: policy::PolicyForm,
    decisions: decisions::DecisionsState,
}

impl DetailState {
    fn follow(&mut self, charger: &ChargerItem, language: api::Language) {
        if self.of == charger.id {
            return;
        }
        *self = Self {
            of: charger.id.clone(),
            name: charger.name.clone(),
            max_a: format::field_number(charger.max_a, language),
            fallback_a: format::field_number(charger.fallback_a, language),
            circuit: charger.circuit.clone(),
            phases: charger.phases.clone(),
            ..Self::default()
        };
        self.operations.connector = charger.connectors.first().map_or(1, |connector| connector.id);
    }

    /// The changes against the charger, or what is wrong with them.
    fn patch(&self, charger: &ChargerItem, cx: &Cx<'_>) -> Result<ChargerPatch, String> {
        let name = self.name.trim();
        if name.is_empty() {
            return Err(cx.text(Text::ErrorName).to_owned());
        }
        let range = || cx.fill(Text::ErrorRange, &[cx.text(Text::MaxA).trim_end_matches(" (A)"), "6", "80"]);
        let max_a = read_number(&self.max_a).filter(|max| (6.0..=80.0).contains(max)).ok_or_else(range)?;
        let fits = |fallback: &f64| *fallback == 0.0 || (6.0..=max_a).contains(fallback);
        let fallback_a = read_number(&self.fallback_a).filter(fits);
        let fallback_a = fallback_a.ok_or_else(|| cx.text(Text::ErrorFallback).to_owned())?;
        let changed = |new: f64, old: f64| ((new - old).abs() > 1e-6).then_some(new);
        Ok(ChargerPatch {
            name: (name != charger.name).then(|| name.to_owned()),
            max_a: changed(max_a, charger.max_a),
            fallback_a: changed(fallback_a, charger.fallback_a),
            circuit: (self.circuit != charger.circuit).then(|| self.circuit.clone()),
            phases: (self.phases != charger.phases).then(|| self.phases.clone()),
            ..ChargerPatch::default()
        })
    }
}

/// Shows one charger.
pub(crate) fn show(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut DetailState, charger: &ChargerItem) {
    state.follow(charger, cx.language());
    let wanted = cx.model.values.decisions.is_wanted();
    cx.want(wanted, Resource::Decisions(charger.id.clone()));
    header(cx, ui, charger);
    let tabs = [
        (Tab::Overview, Text::TabOverview),
        (Tab::Values, Text::TabValues),
        (Tab::Setup, Text::TabSetup),
        (Tab::Operations, Text::TabOperations),
        (Tab::Messages, Text::TabMessages),
    ];
    let tabs = tabs.map(|(tab, text)| (tab, cx.text(text)));
    if let Some(tab) = widgets::segmented(ui, &charger.name, &tabs, state.tab) {
        state.tab = tab;
    }
    match state.tab {
        Tab::Overview => two(
            ui,
            cx,
            state,
            &mut |cx, ui, state| {
                widgets::card(ui, |ui| configuration(cx, ui, state, charger));
                widgets::card(ui, |ui| policy::show(cx, ui, &mut state.policy, charger));
                widgets::card(ui, |ui| charger_status::identity(cx, ui, charger));
            },
            &mut |cx, ui, state| {
                widgets::card(ui, |ui| charger_status::timeline(cx, ui, charger));
                widgets::card(ui, |ui| decisions::show(cx, ui, &mut state.decisions, charger));
            },
        ),
        Tab::Values => widgets::card(ui, |ui| charger_status::values(cx, ui, charger)),
        Tab::Setup => two(
            ui,
            cx,
            state,
            &mut |cx, ui, state| {
                widgets::card(ui, |ui| charger_setup::wishes(cx, ui, &mut state.setup, charger));
            },
            &mut |cx, ui, state| {
                widgets::card(ui, |ui| charger_setup::table(cx, ui, &mut state.setup, charger));
            },
        ),
        Tab::Operations => two(
            ui,
            cx,
            state,
            &mut |cx, ui, state| {
                widgets::card(ui, |ui| charger_operations::show(cx, ui, &mut state.operations, charger));
            },
            &mut |cx, ui, _state| {
                widgets::card(ui, |ui| charger_status::reports(cx, ui, charger));
            },
        ),
        Tab::Messages => widgets::card(ui, |ui| messages(cx, ui, state, charger)),
    }
}

type Column<'c> = &'c mut dyn FnMut(&mut Cx<'_>, &mut Ui, &mut DetailState);

/// Two columns of cards.
fn two<'c>(ui: &mut Ui, cx: &mut Cx<'_>, state: &mut DetailState, left: Column<'c>, right: Column<'c>) {
    let width = ui.available_width();
    let first = (width * 0.42).min(560.0);
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = tokens::GAP_L;
        for (width, column) in [(first, left), (width - first - tokens::GAP_L, right)] {
            ui.allocate_ui_with_layout(egui::vec2(width, 0.0), Layout::top_down(Align::Min), |ui| {
                ui.spacing_mut().item_spacing.y = tokens::GAP_M;
                column(cx, ui, state);
            });
        }
    });
}

fn header(cx: &mut Cx<'_>, ui: &mut Ui, charger: &ChargerItem) {
    ui.horizontal(|ui| {
        cx.icon(ui, Icon::Left, true, "", Command::ShowCharger(None));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let id = || charger.id.clone();
            cx.button(ui, Loudness::Danger, None, "", Command::ShowDialog(Some(Dialog::RemoveCharger(id()))));
            cx.button(ui, Loudness::Normal, None, "", Command::ShowDialog(Some(Dialog::Limit(id()))));
            let hold = if charger.paused { Command::Resume(id()) } else { Command::Pause(id()) };
            cx.button(ui, Loudness::Normal, None, "", hold);
            if !charger.approved {
                cx.button(ui, Loudness::Primary, None, "", Command::ApproveCharger(id()));
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let (word, mood) = status::of(charger, charger.connectors.first());
                widgets::badge(ui, cx.text(word), mood);
                widgets::heading(ui, &charger.name, tokens::TEXT_PAGE);
            });
        });
    });
    let protocol = match charger.protocol {
        Protocol::Ocpp16 => "OCPP 1.6",
        Protocol::Ievcc => "IEVCC",
        Protocol::Metered => cx.text(Text::MeteredOnly),
    };
    let facts = [charger.id.as_str(), protocol, charger.hardware.as_str(), charger.firmware.as_str()];
    let known: Vec<&str> = facts.into_iter().filter(|fact| !fact.is_empty()).collect();
    widgets::weak_line(ui, &known.join(" · "));
    for connector in &charger.connectors {
        let sentence = connector.why.sentence(cx.language());
        let text = if charger.connectors.len() > 1 {
            format!("{}: {sentence}", cx.fill(Text::Connector, &[&connector.id.to_string()]))
        } else {
            sentence
        };
        widgets::line(ui, &text);
        wish::line(cx, ui, charger, connector);
    }
    ui.add_space(tokens::GAP_S);
}

fn configuration(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut DetailState, charger: &ChargerItem) {
    widgets::heading(ui, cx.text(Text::Configuration), tokens::TEXT_TITLE);
    widgets::form_field(ui, cx.text(Text::Name), "", &mut state.name, Field::Text);
    ui.columns(2, |columns| {
        if let [left, right] = columns {
            widgets::form_field(left, cx.text(Text::MaxA), "", &mut state.max_a, Field::Text);
            let hint = cx.text(Text::FallbackHint);
            widgets::form_field(right, cx.text(Text::FallbackA), hint, &mut state.fallback_a, Field::Text);
        }
    });
    circuit(cx, ui, state);
    widgets::field_label(ui, cx.text(Text::WirePhases));
    ui.horizontal_wrapped(|ui| wires(cx, ui, "", &mut state.phases));
    if let Some(error) = &state.error {
        widgets::notice(ui, Icon::Alert, error, Mood::Bad);
    }
    let busy = cx.model.is_busy(|command| matches!(command, Command::EditCharger(..)));
    let label = cx.text(Text::Save);
    let look = widgets::Look { loudness: Loudness::Primary, icon: None, label, name: label, enabled: !busy };
    if widgets::button(ui, look).clicked() {
        match state.patch(charger, cx) {
            Ok(patch) => {
                state.error = None;
                cx.send(Command::EditCharger(charger.id.clone(), patch));
            }
            Err(error) => state.error = Some(error),
        }
    }
}

/// The circuit it hangs on, where there is a choice.
fn circuit(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut DetailState) {
    let wanted = cx.model.values.circuits.is_wanted();
    cx.want(wanted, Resource::Circuits);
    let circuits = cx.model.values.circuits.value().map_or(&[][..], Vec::as_slice);
    if circuits.len() < 2 {
        return;
    }
    let choices: Vec<(String, String)> =
        circuits.iter().map(|circuit| (circuit.id.clone(), circuit.name.clone())).collect();
    widgets::field_label(ui, cx.text(Text::Circuit));
    if let Some(picked) = widgets::select(ui, cx.text(Text::Circuit), &choices, &state.circuit, 220.0) {
        state.circuit = picked;
    }
}

/// A choice of grid phase for each wire; 0 stands for a wire that is not used.
pub(crate) fn wires(cx: &Cx<'_>, ui: &mut Ui, subject: &str, phases: &mut Vec<u8>) {
    let mut chosen: Vec<u8> = phases.clone();
    chosen.resize(3, 0);
    let mut choices: Vec<(u8, String)> = [1_u8, 2, 3].map(|phase| (phase, format!("L{phase}"))).to_vec();
    choices.push((0, cx.text(Text::NotConnectedWire).to_owned()));
    let mut changed = false;
    for (index, phase) in chosen.iter_mut().enumerate() {
        let label = cx.fill(Text::Wire, &[&(index + 1).to_string()]);
        widgets::weak(ui, &label);
        let name = named(&label, subject);
        let open: &[(u8, String)] = if index == 0 { choices.get(..3).unwrap_or(&choices) } else { &choices };
        if let Some(picked) = widgets::select(ui, &name, open, phase, 70.0) {
            *phase = picked;
            changed = true;
        }
    }
    if changed {
        *phases = chosen.into_iter().filter(|phase| *phase > 0).collect();
    }
}

fn messages(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut DetailState, charger: &ChargerItem) {
    let resource = || Resource::Frames(charger.id.clone(), state.search.trim().to_owned());
    log_header(cx, ui, Text::Messages, Text::MessagesSub, resource());
    ui.horizontal(|ui| {
        let hint = cx.text(Text::SearchMessages);
        let typed = widgets::text_field(ui, hint, hint, &mut state.search, Field::Text, 320.0);
        let asked = typed.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        let label = cx.text(Text::Search);
        let look = widgets::Look { loudness: Loudness::Normal, icon: None, label, name: label, enabled: true };
        if widgets::button(ui, look).clicked() || asked {
            cx.send(Command::Fetch(Resource::Frames(charger.id.clone(), state.search.trim().to_owned())));
        }
        for format in ["csv", "jsonl"] {
            let label = cx.fill(Text::ExportAs, &[&format.to_uppercase()]);
            let look =
                widgets::Look { loudness: Loudness::Normal, icon: None, label: &label, name: &label, enabled: true };
            if widgets::button(ui, look).clicked() {
                let path = crate::route::export_of_frames(&charger.id, state.search.trim(), format);
                ui.ctx().open_url(egui::OpenUrl::new_tab(path));
            }
        }
    });
    let resource = Resource::Frames(charger.id.clone(), state.search.trim().to_owned());
    let remote = &cx.model.values.frames;
    let is_other = remote.value().is_some_and(|(id, _)| *id != charger.id);
    cx.want((remote.is_wanted() || is_other) && !remote.is_pending(), resource.clone());
    let remote = &cx.model.values.frames;
    let Some((_, list)) = remote.value().filter(|(id, _)| *id == charger.id) else {
        return not_yet(cx, ui, remote, resource);
    };
    if list.is_empty() {
        widgets::weak(ui, cx.text(Text::NoMessages));
    }
    widgets::text_rows(ui, 20.0);
    let height = widgets::rest_of_window(ui, 330.0);
    widgets::scroll("frames", height).show_rows(ui, 20.0, list.len(), |ui, range| {
        for frame in list.get(range).unwrap_or_default() {
            ui.horizontal(|ui| {
                let p = palette(ui);
                time_cell(cx, ui, &frame.at);
                let (arrow, word, ink) = if frame.direction == "sent" {
                    ("→", Text::Sent, p.info)
                } else {
                    ("←", Text::Received, p.good)
                };
                ui.label(RichText::new(arrow).font(tokens::strong(13.0)).color(ink)).on_hover_text(cx.text(word));
                let text = RichText::new(&frame.text).monospace();
                ui.add(egui::Label::new(text).truncate());
            });
        }
    });
}

pub(crate) fn log_header(cx: &mut Cx<'_>, ui: &mut Ui, title: Text, subtitle: Text, resource: Resource) {
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let subject = cx.text(title);
            cx.button(ui, Loudness::Quiet, None, subject, Command::Fetch(resource));
            ui.with_layout(Layout::top_down(Align::Min), |ui| {
                widgets::card_title(ui, cx.text(title), cx.text(subtitle));
            });
        });
    });
}

pub(crate) fn time_cell(cx: &Cx<'_>, ui: &mut Ui, at: &str) {
    ui.allocate_ui_with_layout(egui::vec2(104.0, 18.0), Layout::left_to_right(Align::Center), |ui| {
        ui.set_min_width(104.0);
        widgets::weak_line(ui, &cx.local_seconds(at));
    });
}

/// The question before a charger is removed.
pub(crate) fn remove_dialog(cx: &mut Cx<'_>, ui: &mut Ui, name: &str, id: &str) {
    widgets::heading(ui, &cx.fill(Text::RemoveChargerTitle, &[name]), tokens::TEXT_TITLE);
    widgets::weak(ui, cx.text(Text::RemoveChargerSub));
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            cx.button(ui, Loudness::Danger, None, "", Command::RemoveCharger(id.to_owned()));
            super::cancel(cx, ui);
        });
    });
}

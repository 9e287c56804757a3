//! The editor of the drawing: the tree at the left, the chosen circuit at the right. Nothing is sent until "Save".

use super::super::{Cx, windows};
use super::draft::{DeviceKind, Draft, DraftCircuit};
use crate::command::Command;
use crate::icons::Icon;
use crate::pages::charger::wires;
use crate::text::Text;
use crate::tokens::{self, palette};
use crate::widgets::{self, Field, Look, Loudness, Mood};
use api::Snapshot;
use egui::accesskit::Role;
use egui::{Align, Layout, RichText, Sense, Ui, WidgetInfo};

/// Width of the tree.
const TREE_WIDTH: f32 = 330.0;

/// The drawing being edited.
#[derive(Default)]
pub(crate) struct EditorState {
    /// The building when editing began; `None` before anything was shown.
    before: Option<Draft>,
    draft: Draft,
    selected: String,
    error: Option<String>,
    /// Whether a save is under way.
    saving: bool,
}

impl EditorState {
    /// Follows the building while nothing was changed, and again once a save is through.
    fn follow(&mut self, snapshot: &Snapshot, cx: &Cx<'_>) {
        let is_busy = cx.model.is_busy(|command| matches!(command, Command::EditCircuits(_)));
        if self.saving && !is_busy {
            self.saving = false;
        }
        let untouched = self.before.as_ref().is_none_or(|before| *before == self.draft);
        if untouched || self.is_saved(snapshot, cx) {
            let now = Draft::of(snapshot, cx.language());
            self.draft = now.clone();
            self.before = Some(now);
        }
        if self.draft.get(&self.selected).is_none() {
            self.selected = self.draft.order().first().map(|(_, id)| id.clone()).unwrap_or_default();
        }
    }

    /// Whether the building is now as it was drawn.
    fn is_saved(&self, snapshot: &Snapshot, cx: &Cx<'_>) -> bool {
        let language = cx.language();
        let now = Draft::of(snapshot, language);
        let drawn = self.draft.read(&now, language);
        let stands = now.read(&now, language);
        let (Ok(drawn), Ok(mut stands)) = (drawn, stands) else { return false };
        for (mine, theirs) in drawn.items.iter().zip(stands.items.iter_mut()) {
            // A limit that follows from the rating is not part of the drawing.
            theirs.limit_a.clone_from(&mine.limit_a);
        }
        drawn == stands
    }
}

/// Shows the editor.
pub(super) fn show(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut EditorState, snapshot: &Snapshot) {
    state.follow(snapshot, cx);
    bar(cx, ui, state);
    if let Some(error) = &state.error {
        widgets::notice(ui, Icon::Alert, error, Mood::Bad);
    }
    let width = ui.available_width();
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = tokens::GAP_L;
        let column = |ui: &mut Ui, width: f32, add: &mut dyn FnMut(&mut Ui)| {
            ui.allocate_ui_with_layout(egui::vec2(width, 0.0), Layout::top_down(Align::Min), |ui| {
                ui.spacing_mut().item_spacing.y = tokens::GAP_M;
                add(ui);
            });
        };
        column(ui, TREE_WIDTH, &mut |ui| widgets::card(ui, |ui| tree(cx, ui, state)));
        column(ui, width - TREE_WIDTH - tokens::GAP_L, &mut |ui| {
            widgets::card(ui, |ui| circuit(cx, ui, state));
            widgets::card(ui, |ui| chargers(cx, ui, state));
            widgets::card(ui, |ui| meters(cx, ui, state));
        });
    });
}

/// Save and discard, and whether there is anything to save.
fn bar(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut EditorState) {
    let changed = state.before.as_ref().is_some_and(|before| *before != state.draft);
    ui.horizontal(|ui| {
        let label = cx.text(Text::SaveCircuits);
        let enabled = changed && !state.saving;
        let save = Look { loudness: Loudness::Primary, icon: None, label, name: label, enabled };
        if widgets::button(ui, save).clicked()
            && let Some(before) = &state.before
        {
            match state.draft.read(before, cx.language()) {
                Ok(list) => {
                    (state.error, state.saving) = (None, true);
                    cx.send(Command::EditCircuits(Box::new(list)));
                }
                Err(error) => {
                    state.selected = error.circuit;
                    state.error = Some(error.text);
                }
            }
        }
        let label = cx.text(Text::DiscardCircuits);
        let discard = Look { loudness: Loudness::Normal, icon: None, label, name: label, enabled };
        if widgets::button(ui, discard).clicked()
            && let Some(before) = &state.before
        {
            state.draft = before.clone();
            state.error = None;
        }
        let word = if changed { Text::DraftChanged } else { Text::DraftUnchanged };
        widgets::weak(ui, cx.text(word));
    });
}

fn tree(cx: &Cx<'_>, ui: &mut Ui, state: &mut EditorState) {
    widgets::card_title(ui, cx.text(Text::Circuits), cx.text(Text::EditCircuitsSub));
    for (depth, id) in state.draft.order() {
        let Some(circuit) = state.draft.get(&id) else { continue };
        if row(ui, depth, circuit, state.selected == id) {
            state.selected = id;
        }
    }
    ui.add_space(tokens::GAP_S);
    let subject = state.draft.get(&state.selected).map(|circuit| circuit.name.clone()).unwrap_or_default();
    ui.horizontal_wrapped(|ui| {
        if windows::add(cx, ui, Text::AddCircuit, &subject)
            && let Some(id) = state.draft.add_below(&state.selected, cx.text(Text::NewCircuit))
        {
            state.selected = id;
        }
        let is_root = state.draft.get(&state.selected).is_none_or(|circuit| circuit.parent.is_none());
        let label = cx.text(Text::RemoveCircuit);
        let name = super::super::named(label, &subject);
        let look = Look { loudness: Loudness::Danger, icon: None, label, name: &name, enabled: !is_root };
        let response = widgets::button(ui, look).on_hover_text(cx.text(Text::RemoveCircuitTip));
        if response.clicked()
            && let Some(parent) = state.draft.remove(&state.selected)
        {
            state.selected = parent;
        }
    });
}

/// A line of the tree; says whether it was chosen.
fn row(ui: &mut Ui, depth: usize, circuit: &DraftCircuit, selected: bool) -> bool {
    let p = palette(ui);
    let (rect, response) = ui.allocate_exact_size(egui::vec2(ui.available_width(), 32.0), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::TreeItem, true, selected, &circuit.name));
    let fill = match (selected, response.hovered()) {
        (true, _) => p.accent_low,
        (false, true) => p.surface_low,
        (false, false) => egui::Color32::TRANSPARENT,
    };
    ui.painter().rect_filled(rect, tokens::RADIUS_CONTROL, fill);
    let indent = 10.0 + 18.0 * f32::from(u8::try_from(depth.min(8)).unwrap_or(8));
    let ink = if selected { p.accent } else { p.text };
    let mut inside = rect;
    inside.min.x += indent;
    let mut child = ui.new_child(egui::UiBuilder::new().max_rect(inside).layout(Layout::left_to_right(Align::Center)));
    child.add(egui::Label::new(RichText::new(&circuit.name).color(ink)).truncate().selectable(false));
    widgets::focus_ring(ui, &response, tokens::RADIUS_CONTROL);
    response.on_hover_cursor(egui::CursorIcon::PointingHand).clicked()
}

fn circuit(cx: &Cx<'_>, ui: &mut Ui, state: &mut EditorState) {
    let parents = state.draft.possible_parents(&state.selected);
    let selected = state.selected.clone();
    let Some(circuit) = state.draft.circuits.iter_mut().find(|circuit| circuit.id == selected) else { return };
    widgets::heading(ui, &circuit.name, tokens::TEXT_TITLE);
    widgets::form_field(ui, cx.text(Text::Name), "", &mut circuit.name, Field::Text);
    if let Some(parent) = &mut circuit.parent {
        widgets::field_label(ui, cx.text(Text::HangsOn));
        if let Some(picked) = widgets::select(ui, cx.text(Text::HangsOn), &parents, parent, 260.0) {
            *parent = picked;
        }
    }
    widgets::field_label(ui, cx.text(Text::RatedAmps));
    ui.horizontal(|ui| {
        for (phase, typed) in circuit.rated.iter_mut().enumerate() {
            let phase = format!("L{}", phase + 1);
            widgets::weak(ui, &phase);
            let name = super::super::named(cx.text(Text::RatedAmps), &phase);
            widgets::text_field(ui, &name, "", typed, Field::Text, 70.0);
        }
    });
    ui.columns(2, |columns| {
        if let [left, right] = columns {
            widgets::form_field(
                left,
                cx.text(Text::CableAmps),
                cx.text(Text::CableHint),
                &mut circuit.cable,
                Field::Text,
            );
            device(cx, right, circuit);
        }
    });
}

fn device(cx: &Cx<'_>, ui: &mut Ui, circuit: &mut DraftCircuit) {
    widgets::field_label(ui, cx.text(Text::Protection));
    let choices = DeviceKind::ALL.map(|kind| (kind, cx.text(kind.name()).to_owned()));
    let width = ui.available_width() - 8.0;
    if let Some(kind) = widgets::select(ui, cx.text(Text::Protection), &choices, &circuit.device, width) {
        circuit.device = kind;
        if kind.is_rated() && circuit.device_rated.is_empty() {
            circuit.device_rated = circuit.rated.first().cloned().unwrap_or_default();
        }
    }
    let hint = match circuit.device {
        DeviceKind::Unknown => Text::DeviceUnknownHint,
        DeviceKind::Linky | DeviceKind::SpanishIcp | DeviceKind::PortugueseDcp => Text::DeviceMeterHint,
        DeviceKind::BreakerB | DeviceKind::BreakerC | DeviceKind::BreakerD => Text::DeviceBreakerHint,
        DeviceKind::Thermal | DeviceKind::DefiniteTime => Text::DeviceCustomHint,
    };
    if circuit.device.is_rated() {
        widgets::form_field(ui, cx.text(Text::DeviceRated), "", &mut circuit.device_rated, Field::Text);
    }
    let figures = match circuit.device {
        DeviceKind::Thermal => Some((Text::TripTheta, Text::TimeConstant)),
        DeviceKind::DefiniteTime => Some((Text::TripRatio, Text::TripDelay)),
        DeviceKind::Unknown
        | DeviceKind::BreakerB
        | DeviceKind::BreakerC
        | DeviceKind::BreakerD
        | DeviceKind::Linky
        | DeviceKind::SpanishIcp
        | DeviceKind::PortugueseDcp => None,
    };
    if let Some((level, seconds)) = figures {
        widgets::form_field(ui, cx.text(level), "", &mut circuit.level, Field::Text);
        widgets::form_field(ui, cx.text(seconds), "", &mut circuit.seconds, Field::Text);
    }
    widgets::weak(ui, cx.text(hint));
}

fn places(state: &EditorState) -> Vec<(String, String)> {
    let order = state.draft.order();
    let named = |id: &String| state.draft.get(id).map(|circuit| (id.clone(), circuit.name.clone()));
    order.iter().filter_map(|(_, id)| named(id)).collect()
}

fn chargers(cx: &Cx<'_>, ui: &mut Ui, state: &mut EditorState) {
    widgets::card_title(ui, cx.text(Text::ChargersHere), cx.text(Text::ChargersHereSub));
    let places = places(state);
    let here = state.selected.clone();
    let mut any = false;
    for charger in state.draft.chargers.iter_mut().filter(|charger| charger.circuit == here) {
        any = true;
        widgets::hairline(ui);
        widgets::strong_line(ui, &charger.name);
        ui.horizontal_wrapped(|ui| {
            let name = super::super::named(cx.text(Text::HangsOn), &charger.name);
            if let Some(picked) = widgets::select(ui, &name, &places, &charger.circuit, 200.0) {
                charger.circuit = picked;
            }
            let known = [(true, cx.text(Text::PhasesKnown)), (false, cx.text(Text::PhasesUnknown))];
            let group = super::super::named(cx.text(Text::WirePhases), &charger.name);
            if let Some(picked) = widgets::segmented(ui, &group, &known, charger.rotation_known) {
                charger.rotation_known = picked;
            }
        });
        if charger.rotation_known {
            ui.push_id(&charger.id, |ui| ui.horizontal_wrapped(|ui| wires(cx, ui, &charger.name, &mut charger.phases)));
        } else {
            widgets::weak(ui, cx.text(Text::PhasesUnknownHint));
        }
    }
    if !any {
        widgets::weak(ui, cx.text(Text::NoChargersHere));
    }
    let others = state.draft.chargers.iter().filter(|charger| charger.circuit != here);
    let mut choices: Vec<(String, String)> = vec![(String::new(), cx.text(Text::MoveChargerHere).to_owned())];
    choices.extend(others.map(|charger| (charger.id.clone(), charger.name.clone())));
    let picked = widgets::select(ui, cx.text(Text::MoveChargerHere), &choices, &String::new(), 260.0);
    if let Some(charger) = picked.and_then(|id| state.draft.chargers.iter_mut().find(|charger| charger.id == id)) {
        charger.circuit = here;
    }
}

fn meters(cx: &Cx<'_>, ui: &mut Ui, state: &mut EditorState) {
    widgets::card_title(ui, cx.text(Text::MetersHere), cx.text(Text::MetersHereSub));
    let places = places(state);
    let here = state.selected.clone();
    let mut any = false;
    for meter in state.draft.meters.iter_mut().filter(|meter| meter.circuit == here) {
        any = true;
        ui.horizontal(|ui| {
            widgets::line(ui, &meter.name);
            let name = super::super::named(cx.text(Text::HangsOn), &meter.name);
            if let Some(picked) = widgets::select(ui, &name, &places, &meter.circuit, 200.0) {
                meter.circuit = picked;
            }
        });
    }
    if !any {
        widgets::weak(ui, cx.text(Text::NotMetered));
    }
    let others = state.draft.meters.iter().filter(|meter| meter.circuit != here);
    let mut choices: Vec<(String, String)> = vec![(String::new(), cx.text(Text::MoveMeterHere).to_owned())];
    choices.extend(others.map(|meter| (meter.id.clone(), meter.name.clone())));
    let picked = widgets::select(ui, cx.text(Text::MoveMeterHere), &choices, &String::new(), 260.0);
    if let Some(meter) = picked.and_then(|id| state.draft.meters.iter_mut().find(|meter| meter.id == id)) {
        meter.circuit = here;
    }
}

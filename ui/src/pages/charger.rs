//! One charger in detail: values, settings, operations, decisions, messages.

use super::{Cx, named, not_yet, status};
use crate::command::{Command, Resource};
use crate::format::{self, read_number};
use crate::icons::Icon;
use crate::text::Text;
use crate::tokens::{self, palette};
use crate::view::Dialog;
use crate::widgets::{self, Field, Loudness, Mood};
use api::{ChargerItem, ChargerPatch, CommandOutcome, ConnectorTarget, Operation, ResetKind, StartRequest};
use domain::Protocol;
use egui::{Align, Layout, RichText, Ui};

/// Messages a charger can be asked for (OCPP 1.6, TriggerMessage).
const MESSAGES: [&str; 6] = [
    "StatusNotification",
    "MeterValues",
    "Heartbeat",
    "BootNotification",
    "DiagnosticsStatusNotification",
    "FirmwareStatusNotification",
];

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
    connector: u16,
    card: String,
    message: String,
    read_key: String,
    key: String,
    value: String,
    vendor: String,
    message_id: String,
    data: String,
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
            connector: charger.connectors.first().map_or(1, |connector| connector.id),
            message: "StatusNotification".to_owned(),
            ..Self::default()
        };
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
    let wanted = cx.model.values.frames.is_wanted();
    cx.want(wanted, Resource::Frames(charger.id.clone()));
    header(cx, ui, charger);
    let width = ui.available_width();
    let left = (width * 0.42).min(560.0);
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = tokens::GAP_L;
        let column = |ui: &mut Ui, width: f32, add: &mut dyn FnMut(&mut Ui)| {
            ui.allocate_ui_with_layout(egui::vec2(width, 0.0), Layout::top_down(Align::Min), |ui| {
                ui.spacing_mut().item_spacing.y = tokens::GAP_M;
                add(ui);
            });
        };
        column(ui, left, &mut |ui| {
            widgets::card(ui, |ui| configuration(cx, ui, state, charger));
            widgets::card(ui, |ui| operations(cx, ui, state, charger));
        });
        column(ui, width - left - tokens::GAP_L, &mut |ui| {
            widgets::card(ui, |ui| decisions(cx, ui, charger));
            widgets::card(ui, |ui| messages(cx, ui, charger));
        });
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
    ui.horizontal_wrapped(|ui| wires(cx, ui, &mut state.phases));
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
fn wires(cx: &Cx<'_>, ui: &mut Ui, phases: &mut Vec<u8>) {
    let mut chosen: Vec<u8> = phases.clone();
    chosen.resize(3, 0);
    let mut choices: Vec<(u8, String)> = [1_u8, 2, 3].map(|phase| (phase, format!("L{phase}"))).to_vec();
    choices.push((0, cx.text(Text::NotConnectedWire).to_owned()));
    let mut changed = false;
    for (index, phase) in chosen.iter_mut().enumerate() {
        let name = cx.fill(Text::Wire, &[&(index + 1).to_string()]);
        widgets::weak(ui, &name);
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

fn operations(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut DetailState, charger: &ChargerItem) {
    widgets::card_title(ui, cx.text(Text::Operations), cx.text(Text::OperationsSub));
    if charger.protocol == Protocol::Ievcc {
        widgets::weak(ui, cx.text(Text::OperationsNone));
        return;
    }
    let id = || charger.id.clone();
    if charger.connectors.len() > 1 {
        let name = cx.text(Text::KindDevice);
        let choices: Vec<(u16, String)> = charger
            .connectors
            .iter()
            .map(|connector| (connector.id, cx.fill(Text::Connector, &[&connector.id.to_string()])))
            .collect();
        if let Some(connector) = widgets::select(ui, name, &choices, &state.connector, 140.0) {
            state.connector = connector;
        }
    }
    let connector = state.connector;
    let quiet = Loudness::Normal;
    ui.horizontal_wrapped(|ui| {
        for command in [
            Command::Reset(id(), ResetKind::Soft),
            Command::Reset(id(), ResetKind::Hard),
            Command::Unlock(id(), ConnectorTarget { connector }),
            Command::Operate(id(), Operation::ChangeAvailability { connector, operative: false }),
            Command::Operate(id(), Operation::ChangeAvailability { connector, operative: true }),
            Command::Operate(id(), Operation::ClearCache),
        ] {
            cx.button(ui, quiet, None, "", command);
        }
    });
    widgets::hairline(ui);
    more_operations(cx, ui, state, charger);
    outcomes(cx, ui, charger);
}

fn more_operations(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut DetailState, charger: &ChargerItem) {
    let id = || charger.id.clone();
    let optional = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
    let connector = state.connector;
    let wide = (ui.available_width() - 250.0).max(80.0);
    ui.horizontal(|ui| {
        let name = cx.text(Text::CardNumber);
        widgets::text_field(ui, name, name, &mut state.card, Field::Text, wide);
        let start = Command::Start(id(), StartRequest { connector, card: state.card.trim().to_owned() });
        cx.button_if(ui, !state.card.trim().is_empty(), Loudness::Normal, "", start);
    });
    ui.horizontal(|ui| {
        let choices = MESSAGES.map(|message| (message.to_owned(), message.to_owned()));
        if let Some(message) = widgets::select(ui, cx.text(Text::MessageName), &choices, &state.message, wide + 8.0) {
            state.message = message;
        }
        let trigger = Operation::TriggerMessage { message: state.message.clone(), connector: Some(connector) };
        cx.button(ui, Loudness::Normal, None, "", Command::Operate(id(), trigger));
    });
    ui.horizontal(|ui| {
        let name = named(cx.text(Text::ReadConfiguration), cx.text(Text::Key));
        widgets::text_field(ui, &name, cx.text(Text::Key), &mut state.read_key, Field::Text, wide);
        let read = Operation::GetConfiguration { keys: optional(&state.read_key).into_iter().collect() };
        cx.button(ui, Loudness::Normal, None, "", Command::Operate(id(), read));
    });
    ui.horizontal(|ui| {
        let half = (wide - 30.0) / 2.0;
        widgets::text_field(ui, cx.text(Text::Key), cx.text(Text::Key), &mut state.key, Field::Text, half);
        widgets::text_field(ui, cx.text(Text::Value), cx.text(Text::Value), &mut state.value, Field::Text, half);
        let write = Operation::ChangeConfiguration { key: state.key.trim().to_owned(), value: state.value.clone() };
        cx.button_if(ui, !state.key.trim().is_empty(), Loudness::Normal, "", Command::Operate(id(), write));
    });
    ui.horizontal(|ui| {
        let third = (wide - 60.0) / 3.0;
        let fields = [
            (Text::VendorId, &mut state.vendor),
            (Text::MessageId, &mut state.message_id),
            (Text::Data, &mut state.data),
        ];
        for (name, typed) in fields {
            widgets::text_field(ui, cx.text(name), cx.text(name), typed, Field::Text, third);
        }
        let transfer = Operation::DataTransfer {
            vendor_id: state.vendor.trim().to_owned(),
            message_id: optional(&state.message_id),
            data: optional(&state.data),
        };
        cx.button_if(ui, !state.vendor.trim().is_empty(), Loudness::Normal, "", Command::Operate(id(), transfer));
    });
}

fn outcomes(cx: &Cx<'_>, ui: &mut Ui, charger: &ChargerItem) {
    let mut of_charger = cx.model.outcomes.iter().filter(|(_, state)| state.charger == charger.id).take(5).peekable();
    if of_charger.peek().is_none() {
        return;
    }
    widgets::field_label(ui, cx.text(Text::LastOutcomes));
    for (what, state) in of_charger {
        let (text, mood) = match state.outcome {
            CommandOutcome::Pending => (Text::OutcomePending, Mood::Quiet),
            CommandOutcome::Accepted => (Text::OutcomeAccepted, Mood::Good),
            CommandOutcome::Rejected => (Text::OutcomeRejected, Mood::Bad),
            CommandOutcome::TimedOut => (Text::OutcomeTimedOut, Mood::Bad),
            CommandOutcome::Disconnected => (Text::OutcomeDisconnected, Mood::Bad),
        };
        let p = palette(ui);
        ui.label(RichText::new(cx.fill(text, &[cx.text(*what)])).size(13.0).color(mood.ink(p)));
        if !state.answer.is_null() {
            let answer = match &state.answer {
                serde_json::Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            ui.add(egui::Label::new(RichText::new(answer).monospace().color(p.text_weak)).wrap().selectable(true));
        }
    }
}

fn decisions(cx: &mut Cx<'_>, ui: &mut Ui, charger: &ChargerItem) {
    log_header(cx, ui, Text::Decisions, Text::DecisionsSub, Resource::Decisions(charger.id.clone()));
    let remote = &cx.model.values.decisions;
    let Some((_, list)) = remote.value().filter(|(id, _)| *id == charger.id) else {
        return not_yet(cx, ui, remote, Resource::Decisions(charger.id.clone()));
    };
    if list.is_empty() {
        widgets::weak(ui, cx.text(Text::NoDecisions));
    }
    widgets::text_rows(ui, 20.0);
    widgets::scroll("decisions", 220.0).show_rows(ui, 20.0, list.len(), |ui, range| {
        for decision in list.get(range).unwrap_or_default() {
            ui.horizontal(|ui| {
                time_cell(cx, ui, &decision.at);
                widgets::line(ui, &decision.sentence);
            });
        }
    });
}

fn messages(cx: &mut Cx<'_>, ui: &mut Ui, charger: &ChargerItem) {
    log_header(cx, ui, Text::Messages, Text::MessagesSub, Resource::Frames(charger.id.clone()));
    let remote = &cx.model.values.frames;
    let Some((_, list)) = remote.value().filter(|(id, _)| *id == charger.id) else {
        return not_yet(cx, ui, remote, Resource::Frames(charger.id.clone()));
    };
    if list.is_empty() {
        widgets::weak(ui, cx.text(Text::NoMessages));
    }
    widgets::text_rows(ui, 20.0);
    widgets::scroll("frames", 300.0).show_rows(ui, 20.0, list.len(), |ui, range| {
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

fn log_header(cx: &mut Cx<'_>, ui: &mut Ui, title: Text, subtitle: Text, resource: Resource) {
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

fn time_cell(cx: &Cx<'_>, ui: &mut Ui, at: &str) {
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

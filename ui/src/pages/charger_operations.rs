//! What a charger can be told to do: the everyday orders as buttons, everything else of its protocol as a form.

use super::charger_forms::{Form, FormField, Kind};
use super::{Cx, named};
use crate::command::{Command, Resource};
use crate::icons::Icon;
use crate::text::Text;
use crate::tokens::palette;
use crate::widgets::{self, Field, Loudness, Mood};
use api::{ChargerItem, CommandOutcome, ConnectorTarget, Operation, ResetKind, StartRequest};
use domain::Protocol;
use egui::{RichText, Ui};
use std::collections::BTreeMap;

/// What is being typed.
#[derive(Default)]
pub(crate) struct OperationsState {
    pub(crate) connector: u16,
    card: String,
    form: Option<Form>,
    typed: BTreeMap<&'static str, String>,
    gap: Option<Text>,
}

/// The card with everything a charger can be told.
pub(crate) fn show(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut OperationsState, charger: &ChargerItem) {
    widgets::card_title(ui, cx.text(Text::Operations), cx.text(Text::OperationsSub));
    if charger.protocol != Protocol::Ocpp16 {
        widgets::weak(ui, cx.text(Text::OperationsNone));
        return;
    }
    everyday(cx, ui, state, charger);
    widgets::hairline(ui);
    form(cx, ui, state, charger);
    outcomes(cx, ui, charger);
}

fn everyday(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut OperationsState, charger: &ChargerItem) {
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
    ui.horizontal_wrapped(|ui| {
        for command in [
            Command::Reset(id(), ResetKind::Soft),
            Command::Reset(id(), ResetKind::Hard),
            Command::Unlock(id(), ConnectorTarget { connector }),
            Command::Operate(id(), Operation::ChangeAvailability { connector, operative: false }),
            Command::Operate(id(), Operation::ChangeAvailability { connector, operative: true }),
            Command::Operate(id(), Operation::ClearCache),
        ] {
            cx.button(ui, Loudness::Normal, None, "", command);
        }
    });
    ui.horizontal(|ui| {
        let name = cx.text(Text::CardNumber);
        widgets::text_field(ui, name, name, &mut state.card, Field::Text, 220.0);
        let start = Command::Start(id(), StartRequest { connector, card: state.card.trim().to_owned() });
        cx.button_if(ui, !state.card.trim().is_empty(), Loudness::Normal, "", start);
    });
}

/// One form at a time, picked from a list.
fn form(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut OperationsState, charger: &ChargerItem) {
    let current = state.form.unwrap_or(Form::ReadConfiguration);
    let choices: Vec<(Form, String)> = Form::ALL.iter().map(|form| (*form, cx.text(form.label()).to_owned())).collect();
    widgets::field_label(ui, cx.text(Text::OtherOperation));
    if let Some(picked) = widgets::select(ui, cx.text(Text::OtherOperation), &choices, &current, 280.0) {
        (state.form, state.gap) = (Some(picked), None);
        state.typed.clear();
    }
    for field in current.fields() {
        one_field(cx, ui, &field, state.typed.entry(field.key).or_default());
    }
    if let Some(gap) = state.gap {
        let text = cx.fill(Text::FieldMissing, &[cx.text(gap)]);
        widgets::notice(ui, Icon::Alert, &text, Mood::Bad);
    }
    let label = cx.text(current.label());
    let name = named(label, cx.text(Text::OtherOperation));
    let look = widgets::Look { loudness: Loudness::Primary, icon: None, label, name: &name, enabled: true };
    if widgets::button(ui, look).clicked() {
        match current.request(&state.typed, state.connector, cx.now_ms()) {
            Ok(operation) => {
                state.gap = None;
                cx.send(Command::Operate(charger.id.clone(), operation));
            }
            Err(gap) => state.gap = Some(gap),
        }
    }
}

fn one_field(cx: &mut Cx<'_>, ui: &mut Ui, field: &FormField, typed: &mut String) {
    let label = cx.text(field.label);
    match field.kind {
        Kind::Connector => {}
        Kind::File => firmware(cx, ui, label, typed),
        Kind::Choice(words) => {
            let current = if words.contains(&typed.as_str()) {
                typed.clone()
            } else {
                words.first().map_or("", |word| *word).to_owned()
            };
            let choices: Vec<(String, String)> = words
                .iter()
                .map(|word| {
                    let shown = if word.is_empty() { cx.text(Text::Any) } else { *word };
                    ((*word).to_owned(), shown.to_owned())
                })
                .collect();
            widgets::field_label(ui, label);
            if let Some(picked) = widgets::select(ui, label, &choices, &current, 280.0) {
                *typed = picked;
            }
        }
        Kind::Lines => {
            widgets::field_label(ui, label);
            let edit = egui::TextEdit::multiline(typed).desired_rows(4).desired_width(f32::INFINITY);
            let response = ui.add(edit.code_editor());
            ui.ctx().accesskit_node_builder(response.id, |node| node.set_label(label));
        }
        Kind::Words | Kind::Number | Kind::Minutes | Kind::Periods => {
            let hint = match field.kind {
                Kind::Periods => cx.text(Text::FieldPeriodsHint),
                _ => "",
            };
            widgets::form_field(ui, label, hint, typed, Field::Text);
        }
    }
}

/// Firmware that is kept here, and a way to bring more.
fn firmware(cx: &mut Cx<'_>, ui: &mut Ui, label: &str, typed: &mut String) {
    let wanted = cx.model.values.files.is_wanted();
    cx.want(wanted, Resource::Files);
    let files = cx.model.values.files.value().map_or(&[][..], Vec::as_slice);
    let kept = files.iter().filter(|file| file.kind == "firmware");
    let mut choices = vec![(String::new(), "–".to_owned())];
    choices.extend(kept.map(|file| (file.id.clone(), file.name.clone())));
    widgets::field_label(ui, label);
    ui.horizontal(|ui| {
        if let Some(picked) = widgets::select(ui, label, &choices, typed, 280.0) {
            *typed = picked;
        }
        super::connect::files::keep(cx, ui);
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
        if let Some(lines) = schedule(&state.answer) {
            for line in lines {
                ui.label(RichText::new(line).monospace());
            }
        } else if !state.answer.is_null() {
            let answer = match &state.answer {
                serde_json::Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            ui.add(egui::Label::new(RichText::new(answer).monospace().color(p.text_weak)).wrap().selectable(true));
        }
    }
}

/// A composite schedule as lines: from which second which limit.
fn schedule(answer: &serde_json::Value) -> Option<Vec<String>> {
    let schedule = answer.get("chargingSchedule")?;
    let unit = schedule.get("chargingRateUnit")?.as_str()?;
    let periods = schedule.get("chargingSchedulePeriod")?.as_array()?;
    let line = |period: &serde_json::Value| {
        let (from, limit) = (period.get("startPeriod")?.as_i64()?, period.get("limit")?.as_f64()?);
        Some(format!("{:02}:{:02}:{:02}  {limit} {unit}", from / 3600, from / 60 % 60, from % 60))
    };
    periods.iter().map(line).collect()
}

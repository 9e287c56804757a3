//! How a charger is set: its configuration table with what differs from what is wanted, and the wishes themselves.

use super::charger_status::detail;
use super::{Cx, named};
use crate::command::Command;
use crate::icons::Icon;
use crate::text::Text;
use crate::tokens::{self, palette};
use crate::widgets::{self, Field, Loudness, Mood};
use api::{ChargerDetail, ChargerItem, ChargerSettings, ConfigurationItem, Operation};
use egui::{RichText, Ui};

/// Measurands offered as boxes; others can be typed into the key `MeterValuesSampledData`.
const MEASURANDS: [&str; 8] = [
    "Energy.Active.Import.Register",
    "Power.Active.Import",
    "Current.Import",
    "Voltage",
    "Current.Offered",
    "Power.Offered",
    "SoC",
    "Temperature",
];

/// What is being typed.
#[derive(Default)]
pub(crate) struct SetupState {
    of: String,
    interval: String,
    heartbeat: String,
    measurands: Vec<String>,
    key: Option<(String, String)>,
    search: String,
    error: Option<String>,
}

impl SetupState {
    fn follow(&mut self, charger: &str, settings: &ChargerSettings) {
        if self.of == charger {
            return;
        }
        let text = |number: Option<u32>| number.map_or_else(String::new, |number| number.to_string());
        *self = Self {
            of: charger.to_owned(),
            interval: text(settings.sample_interval_s),
            heartbeat: text(settings.heartbeat_s),
            measurands: settings.measurands.clone(),
            ..Self::default()
        };
    }

    /// The wishes as typed, or the label of what makes no sense.
    fn settings(&self, known: &ChargerSettings) -> Result<ChargerSettings, Text> {
        let number = |text: &str, label: Text, range: std::ops::RangeInclusive<u32>| match text.trim() {
            "" => Ok(None),
            text => text.parse().ok().filter(|number| range.contains(number)).map(Some).ok_or(label),
        };
        Ok(ChargerSettings {
            sample_interval_s: number(&self.interval, Text::SampleInterval, 1..=3600)?,
            heartbeat_s: number(&self.heartbeat, Text::HeartbeatInterval, 10..=900)?,
            measurands: self.measurands.clone(),
            keys: known.keys.clone(),
        })
    }
}

/// The wishes: sampling interval, measurands, heartbeat.
pub(crate) fn wishes(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut SetupState, charger: &ChargerItem) {
    widgets::card_title(ui, cx.text(Text::Sampling), cx.text(Text::SamplingSub));
    let Some(detail) = detail(cx, ui, charger) else { return };
    state.follow(&charger.id, &detail.settings);
    ui.columns(2, |columns| {
        if let [left, right] = columns {
            let hint = cx.text(Text::ProgramChoice);
            widgets::form_field(left, cx.text(Text::SampleInterval), hint, &mut state.interval, Field::Text);
            widgets::form_field(right, cx.text(Text::HeartbeatInterval), hint, &mut state.heartbeat, Field::Text);
        }
    });
    widgets::field_label(ui, cx.text(Text::Measurands));
    for measurand in MEASURANDS {
        let mut chosen = state.measurands.iter().any(|known| known == measurand);
        if widgets::tick(ui, &mut chosen, measurand).changed() {
            state.measurands.retain(|known| known != measurand);
            if chosen {
                state.measurands.push(measurand.to_owned());
            }
        }
    }
    widgets::weak(ui, cx.text(Text::MeasurandsHint));
    if let Some(error) = &state.error {
        widgets::notice(ui, Icon::Alert, error, Mood::Bad);
    }
    let label = cx.text(Text::Save);
    let name = named(label, cx.text(Text::Sampling));
    let look = widgets::Look { loudness: Loudness::Primary, icon: None, label, name: &name, enabled: true };
    if widgets::button(ui, look).clicked() {
        match state.settings(&detail.settings) {
            Ok(settings) => {
                state.error = None;
                cx.send(Command::SetCharger(charger.id.clone(), settings));
            }
            Err(gap) => state.error = Some(cx.fill(Text::FieldMissing, &[cx.text(gap)])),
        }
    }
}

/// The configuration table.
pub(crate) fn table(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut SetupState, charger: &ChargerItem) {
    let id = || charger.id.clone();
    ui.horizontal(|ui| {
        widgets::heading(ui, cx.text(Text::ConfigurationTable), tokens::TEXT_TITLE);
        let all = Operation::GetConfiguration { keys: Vec::new() };
        cx.button(ui, Loudness::Normal, None, "", Command::Operate(id(), all));
        let hint = cx.text(Text::SearchKeys);
        widgets::text_field(ui, hint, hint, &mut state.search, Field::Text, 180.0);
    });
    let Some(detail) = detail(cx, ui, charger) else { return };
    state.follow(&charger.id, &detail.settings);
    if !detail.restart_for.is_empty() {
        let text = cx.fill(Text::RestartFor, &[&detail.restart_for.join(", ")]);
        widgets::notice(ui, Icon::Alert, &text, Mood::Warn);
    }
    editor(cx, ui, state, charger, detail);
    let search = state.search.to_lowercase();
    let wanted = |item: &&ConfigurationItem| search.is_empty() || item.key.to_lowercase().contains(&search);
    let items: Vec<&ConfigurationItem> = detail.configuration.iter().filter(wanted).collect();
    widgets::text_rows(ui, 22.0);
    widgets::scroll("configuration", 420.0).show_rows(ui, 22.0, items.len(), |ui, range| {
        for item in items.get(range).unwrap_or_default() {
            row(cx, ui, state, item);
        }
    });
}

fn row(cx: &Cx<'_>, ui: &mut Ui, state: &mut SetupState, item: &ConfigurationItem) {
    let p = palette(ui);
    ui.horizontal(|ui| {
        let width = ui.available_width();
        let cell = |ui: &mut Ui, part: f32, text: RichText| {
            ui.allocate_ui_with_layout(
                egui::vec2(width * part, 22.0),
                egui::Layout::left_to_right(egui::Align::Center),
                |ui| {
                    ui.set_min_width(width * part);
                    ui.add(egui::Label::new(text).truncate());
                },
            );
        };
        cell(ui, 0.40, RichText::new(&item.key).font(tokens::strong(13.0)));
        cell(ui, 0.25, RichText::new(item.value.as_deref().unwrap_or("–")).monospace());
        let (text, ink) = match (&item.wanted, item.drift) {
            (Some(wanted), true) => (cx.fill(Text::Wanted, &[wanted]), p.bad),
            (Some(_), false) => (cx.text(Text::AsWanted).to_owned(), p.text_weak),
            (None, _) => (String::new(), p.text_weak),
        };
        cell(ui, 0.20, RichText::new(text).size(12.0).color(ink));
        if item.readonly {
            widgets::weak(ui, cx.text(Text::ReadOnly));
        } else {
            let label = cx.text(Text::Edit);
            let name = named(label, &item.key);
            let look = widgets::Look { loudness: Loudness::Quiet, icon: None, label, name: &name, enabled: true };
            if widgets::button(ui, look).clicked() {
                state.key = Some((item.key.clone(), item.value.clone().unwrap_or_default()));
            }
        }
    });
}

/// The key being edited: write it once, or want it after every restart.
fn editor(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut SetupState, charger: &ChargerItem, detail: &ChargerDetail) {
    let Some((key, mut value)) = state.key.clone() else { return };
    widgets::form_field(ui, &key, "", &mut value, Field::Text);
    let id = charger.id.clone();
    let mut done = false;
    ui.horizontal(|ui| {
        let write = Operation::ChangeConfiguration { key: key.clone(), value: value.clone() };
        done |= cx.button(ui, Loudness::Normal, None, &key, Command::Operate(id.clone(), write)).clicked();
        let label = cx.text(Text::KeepSo);
        let name = named(label, &key);
        let look = widgets::Look { loudness: Loudness::Primary, icon: None, label, name: &name, enabled: true };
        if widgets::button(ui, look).on_hover_text(cx.text(Text::KeepSoTip)).clicked() {
            let mut settings = detail.settings.clone();
            settings.keys.insert(key.clone(), value.clone());
            cx.send(Command::SetCharger(id.clone(), settings));
            done = true;
        }
        let label = cx.text(Text::Cancel);
        let look = widgets::Look { loudness: Loudness::Normal, icon: None, label, name: label, enabled: true };
        done |= widgets::button(ui, look).clicked();
    });
    state.key = (!done).then_some((key, value));
}

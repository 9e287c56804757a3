//! Meters of other makers: which there are, what is understood of them, and how one is added.

use super::super::{Cx, not_yet};
use crate::command::{Command, Resource};
use crate::format::number;
use crate::icons::Icon;
use crate::text::Text;
use crate::tokens::{self, palette};
use crate::widgets::{self, Field, Loudness, Mood};
use api::{
    ForeignMeterItem, ForeignMeterPut, ForeignPreset, ForeignPreview, ForeignReading, ForeignRule, ForeignStands,
    ForeignTransport,
};
use egui::{Align, Layout, RichText, Ui};

/// Values are looked at anew this often while the card is shown, in ms.
const AGAIN_MS: i64 = 2_000;
/// Widths of a mapping's columns.
const QUANTITY_WIDTH: f32 = 150.0;
const PLACE_WIDTH: f32 = 240.0;
const TOPIC_WIDTH: f32 = 170.0;
const FACTOR_WIDTH: f32 = 70.0;
const NAME_WIDTH: f32 = 260.0;
/// What a value can be, as the server calls it.
const QUANTITIES: [&str; 14] = [
    "current_l1_a",
    "current_l2_a",
    "current_l3_a",
    "voltage_l1_v",
    "voltage_l2_v",
    "voltage_l3_v",
    "power_l1_w",
    "power_l2_w",
    "power_l3_w",
    "power_w",
    "import_l1_wh",
    "import_l2_wh",
    "import_l3_wh",
    "import_wh",
];

/// What the card keeps between frames.
#[derive(Default)]
pub(super) struct ForeignState {
    asked_ms: i64,
    form: Option<Form>,
}

/// A meter as it is typed in.
#[derive(Clone, Default)]
struct Form {
    /// Whether it exists already.
    known: bool,
    name: String,
    put: ForeignMeterPut,
}

impl Form {
    fn of(item: &ForeignMeterItem) -> Self {
        Self {
            known: true,
            name: item.id.clone(),
            put: ForeignMeterPut {
                stands: item.stands,
                transport: item.transport,
                url: item.url.clone(),
                every_s: (item.every_s > 0).then_some(item.every_s),
                phases: Some(item.phases),
                preset: item.preset.clone(),
                rules: if item.preset.is_some() { Vec::new() } else { item.rules.clone() },
                circuit: None,
            },
        }
    }

    fn preview(&self) -> ForeignPreview {
        let http = self.put.transport == ForeignTransport::Http;
        ForeignPreview {
            id: (!http).then(|| self.name.trim().to_owned()),
            url: http.then(|| self.put.url.clone()),
            stands: self.put.stands,
            phases: self.put.phases,
            preset: self.put.preset.clone(),
            rules: self.put.rules.clone(),
            ..ForeignPreview::default()
        }
    }
}

/// Shows the card.
pub(super) fn show(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut ForeignState) {
    widgets::card_title(ui, cx.text(Text::ForeignMeters), cx.text(Text::ForeignMetersSub));
    let presets = &cx.model.values.foreign_presets;
    let wanted = presets.is_wanted();
    let presets = presets.value().cloned().unwrap_or_default();
    cx.want(wanted, Resource::ForeignPresets);
    let remote = &cx.model.values.foreign;
    let wanted = remote.is_wanted();
    let Some(items) = remote.value().cloned() else {
        not_yet(cx, ui, remote, Resource::ForeignMeters);
        return cx.want(wanted, Resource::ForeignMeters);
    };
    let now = cx.now_ms();
    if (now - state.asked_ms).abs() >= AGAIN_MS {
        state.asked_ms = now;
        cx.send(Command::Fetch(Resource::ForeignMeters));
    }
    if items.is_empty() && state.form.is_none() {
        widgets::weak(ui, cx.text(Text::ForeignNone));
    }
    for item in &items {
        widgets::hairline(ui);
        one(cx, ui, state, item);
    }
    match state.form.take() {
        Some(form) => {
            widgets::hairline(ui);
            state.form = edit(cx, ui, form, &presets);
        }
        None => {
            let label = cx.text(Text::ForeignAdd);
            if plain(ui, Loudness::Normal, Some(Icon::Plus), label, &crate::pages::named(label, "")) {
                let put = ForeignMeterPut {
                    preset: Some("shelly_3em".to_owned()),
                    phases: Some(3),
                    ..ForeignMeterPut::default()
                };
                state.form = Some(Form { put, ..Form::default() });
            }
        }
    }
}

fn plain(ui: &mut Ui, loudness: Loudness, icon: Option<Icon>, label: &str, name: &str) -> bool {
    widgets::button(ui, widgets::Look { loudness, icon, label, name, enabled: true }).clicked()
}

fn one(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut ForeignState, item: &ForeignMeterItem) {
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            cx.button(ui, Loudness::Quiet, None, &item.id, Command::RemoveForeign(item.id.clone()));
            let label = cx.text(Text::Change);
            let name = crate::pages::named(label, &item.id);
            if plain(ui, Loudness::Quiet, None, label, &name) {
                state.form = Some(Form::of(item));
            }
            ui.with_layout(Layout::top_down(Align::Min), |ui| {
                ui.spacing_mut().item_spacing.y = 1.0;
                widgets::strong_line(ui, &item.id);
                let kind = cx.text(match item.stands {
                    ForeignStands::Meter => Text::StandsMeter,
                    ForeignStands::Charger => Text::StandsCharger,
                });
                let way = match item.transport {
                    ForeignTransport::Mqtt => "MQTT",
                    ForeignTransport::Http => item.url.as_str(),
                };
                widgets::weak_line(ui, &[kind, way].join(" · "));
            });
        });
    });
    understood(cx, ui, &item.reading);
}

/// What was understood, or what is wrong, in one or two lines.
fn understood(cx: &mut Cx<'_>, ui: &mut Ui, reading: &ForeignReading) {
    let language = cx.language();
    let mut parts: Vec<String> = Vec::new();
    for (index, current) in reading.current_a.iter().enumerate() {
        parts.push(format!("L{} {} A", index + 1, number(*current, 2, language)));
    }
    parts.extend(reading.power_w.map(|power| format!("{} W", number(power, 0, language))));
    #[expect(clippy::cast_precision_loss, reason = "shown with one place")]
    parts.extend(reading.energy_wh.map(|energy| format!("{} kWh", number(energy as f64 / 1000.0, 1, language))));
    if !parts.is_empty() {
        ui.label(parts.join(" · "));
    }
    if !reading.problem.is_empty() {
        widgets::weak(ui, &reading.problem);
    }
}

fn edit(cx: &mut Cx<'_>, ui: &mut Ui, mut form: Form, presets: &[ForeignPreset]) -> Option<Form> {
    let title = if form.known { Text::ForeignChange } else { Text::ForeignAddTitle };
    widgets::heading(ui, cx.text(title), tokens::TEXT_TITLE);
    ui.horizontal_wrapped(|ui| {
        ui.add_enabled_ui(!form.known, |ui| {
            widgets::text_field(ui, cx.text(Text::Name), "shelly-grid", &mut form.name, Field::Text, NAME_WIDTH);
        });
        kinds(cx, ui, &mut form);
    });
    preset(cx, ui, &mut form, presets);
    match form.put.transport {
        ForeignTransport::Mqtt => {
            widgets::weak(ui, cx.text(Text::ForeignMqttHow));
        }
        ForeignTransport::Http => {
            let hint = "http://192.168.1.40";
            widgets::text_field(ui, cx.text(Text::ForeignUrl), hint, &mut form.put.url, Field::Text, NAME_WIDTH * 1.6);
        }
    }
    if form.put.preset.is_none() {
        rules(cx, ui, &mut form);
    }
    let mut open = true;
    ui.horizontal_wrapped(|ui| {
        let named = !form.name.trim().is_empty();
        let save = Command::PutForeign(form.name.trim().to_owned(), Box::new(form.put.clone()));
        if cx.button_if(ui, named, Loudness::Primary, "", save).clicked() {
            open = false;
        }
        let can_try = form.known || form.put.transport == ForeignTransport::Http;
        cx.button_if(ui, can_try, Loudness::Normal, "", Command::PreviewForeign(Box::new(form.preview())));
        let label = cx.text(Text::Cancel);
        open &= !plain(ui, Loudness::Quiet, None, label, label);
    });
    preview(cx, ui);
    open.then_some(form)
}

fn kinds(cx: &mut Cx<'_>, ui: &mut Ui, form: &mut Form) {
    if !form.known {
        let choices = [
            (ForeignStands::Meter, cx.text(Text::StandsMeter)),
            (ForeignStands::Charger, cx.text(Text::StandsCharger)),
        ];
        if let Some(picked) = widgets::segmented(ui, cx.text(Text::ForeignStands), &choices, form.put.stands) {
            form.put.stands = picked;
        }
    }
    let choices = [(ForeignTransport::Mqtt, "MQTT"), (ForeignTransport::Http, "HTTP")];
    if let Some(picked) = widgets::segmented(ui, cx.text(Text::ForeignTransport), &choices, form.put.transport) {
        form.put.transport = picked;
    }
    let choices = [(1_u8, cx.text(Text::OnePhase)), (3, cx.text(Text::ThreePhases))];
    if let Some(picked) = widgets::segmented(ui, cx.text(Text::Phases), &choices, form.put.phases.unwrap_or(3)) {
        form.put.phases = Some(picked);
    }
}

fn preset(cx: &mut Cx<'_>, ui: &mut Ui, form: &mut Form, presets: &[ForeignPreset]) {
    let mut choices: Vec<(Option<String>, String)> =
        presets.iter().map(|preset| (Some(preset.key.clone()), preset.title.clone())).collect();
    choices.push((None, cx.text(Text::OwnMapping).to_owned()));
    ui.horizontal_wrapped(|ui| {
        widgets::weak(ui, cx.text(Text::Model));
        let Some(picked) = widgets::select(ui, cx.text(Text::Model), &choices, &form.put.preset, NAME_WIDTH) else {
            return;
        };
        match presets.iter().find(|preset| Some(&preset.key) == picked.as_ref()) {
            Some(known) => {
                form.put.phases = Some(known.phases);
                form.put.rules.clear();
            }
            // One's own mapping begins with that of the model before.
            None => {
                let before = presets.iter().find(|preset| Some(&preset.key) == form.put.preset.as_ref());
                form.put.rules = before.map(|preset| preset.rules.clone()).unwrap_or_default();
            }
        }
        form.put.preset = picked;
    });
}

fn rules(cx: &mut Cx<'_>, ui: &mut Ui, form: &mut Form) {
    widgets::weak(ui, cx.text(Text::MappingHow));
    let quantities: Vec<(String, String)> =
        QUANTITIES.iter().map(|word| ((*word).to_owned(), (*word).to_owned())).collect();
    let mut removed = None;
    for (index, rule) in form.put.rules.iter_mut().enumerate() {
        ui.horizontal(|ui| {
            ui.push_id(("rule", index), |ui| {
                let number = (index + 1).to_string();
                let name = |text: &str| format!("{text} {number}");
                let label = name(cx.text(Text::MapValue));
                if let Some(picked) = widgets::select(ui, &label, &quantities, &rule.quantity, QUANTITY_WIDTH) {
                    rule.quantity = picked;
                }
                let fields = [
                    (Text::MapPlace, "emeters[0].power", &mut rule.path, PLACE_WIDTH),
                    (Text::MapTopic, "status/em:0", &mut rule.topic, TOPIC_WIDTH),
                    (Text::MapFactor, "1", &mut rule.factor, FACTOR_WIDTH),
                ];
                for (text, hint, value, width) in fields {
                    let label = name(cx.text(text));
                    let field = egui::TextEdit::singleline(value).hint_text(hint).desired_width(width);
                    let response = ui.add(field).on_hover_text(cx.text(text));
                    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, &label));
                }
                let label = cx.text(Text::Remove);
                if plain(ui, Loudness::Quiet, None, label, &name(label)) {
                    removed = Some(index);
                }
            });
        });
    }
    if let Some(index) = removed {
        form.put.rules.remove(index);
    }
    let label = cx.text(Text::MapAdd);
    if plain(ui, Loudness::Quiet, Some(Icon::Plus), label, label) {
        let quantity = "power_w".to_owned();
        form.put.rules.push(ForeignRule { quantity, factor: "1".to_owned(), ..ForeignRule::default() });
    }
}

/// What was last tried.
fn preview(cx: &mut Cx<'_>, ui: &mut Ui) {
    let Some(reading) = cx.model.values.foreign_preview.clone() else { return };
    widgets::card_title(ui, cx.text(Text::Understood), cx.text(Text::UnderstoodSub));
    let language = cx.language();
    understood(cx, ui, &reading);
    if reading.problem.is_empty() {
        widgets::badge(ui, cx.text(Text::UnderstoodAll), Mood::Good);
    }
    for value in &reading.values {
        widgets::weak_line(ui, &format!("{} = {}", value.quantity, number(value.value, 3, language)));
    }
    widgets::scroll("foreign-messages", 180.0).show(ui, |ui| {
        for message in &reading.messages {
            let p = palette(ui);
            let text = RichText::new(format!("{} {}", message.topic, message.text));
            ui.add(egui::Label::new(text.font(egui::FontId::monospace(12.0)).color(p.text)).wrap().selectable(true));
        }
    });
}

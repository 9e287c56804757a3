//! Settings: the building, its meters and circuits, this console.

use super::rules::{self, RulesForm};
use super::{Cx, not_yet, title, windows};
use crate::command::{Command, Resource};
use crate::format::{self, UNKNOWN, read_number};
use crate::icons::Icon;
use crate::text::Text;
use crate::tokens::{self, palette};
use crate::view::{Dialog, Page};
use crate::widgets::{self, Field, Loudness, Mood};
use api::{CircuitItem, Language, MeterItem, MeterPatch, SiteItem, Snapshot};
use domain::{Connection, MeterRole, Pacing, PhaseCount};
use egui::{Align, Layout, RichText, Theme, Ui};

/// A number of the form.
struct Number {
    name: Text,
    hint: Option<Text>,
    range: (f64, f64),
    get: fn(&SiteItem) -> f64,
    set: fn(&mut SiteItem, f64),
}

/// The numbers of the form with the ranges that the server checks too.
const NUMBERS: [Number; 8] = [
    Number {
        name: Text::ContractedPower,
        hint: Some(Text::ContractedHint),
        range: (1.0, 10_000.0),
        get: |site| site.contracted_kva,
        set: |site, value| site.contracted_kva = value,
    },
    Number {
        name: Text::MainFuse,
        hint: None,
        range: (6.0, 10_000.0),
        get: |site| site.main_fuse_a,
        set: |site, value| site.main_fuse_a = value,
    },
    Number {
        name: Text::Margin,
        hint: Some(Text::MarginHint),
        range: (0.0, 10_000.0),
        get: |site| site.margin_a,
        set: |site, value| site.margin_a = value,
    },
    Number {
        name: Text::MinCharge,
        hint: None,
        range: (6.0, 32.0),
        get: |site| site.min_charge_a,
        set: |site, value| site.min_charge_a = value,
    },
    Number {
        name: Text::DeclaredLoad,
        hint: Some(Text::DeclaredLoadHint),
        range: (0.0, 10_000.0),
        get: |site| site.declared_load_a,
        set: |site, value| site.declared_load_a = value,
    },
    Number {
        name: Text::ControlInterval,
        hint: None,
        range: (1.0, 60.0),
        get: |site| site.control_interval_s,
        set: |site, value| site.control_interval_s = value,
    },
    Number {
        name: Text::MeterMaxAge,
        hint: None,
        range: (5.0, 600.0),
        get: |site| site.meter_max_age_s,
        set: |site, value| site.meter_max_age_s = value,
    },
    Number {
        name: Text::Voltage,
        hint: None,
        range: (100.0, 500.0),
        get: |site| site.nominal_voltage_v,
        set: |site, value| site.nominal_voltage_v = value,
    },
];

/// What is typed on the settings page.
#[derive(Default)]
pub(crate) struct SettingsState {
    /// The site the form was filled from; a newer one fills it again.
    filled_from: Option<SiteItem>,
    site: Option<SiteItem>,
    numbers: Vec<String>,
    max_active: String,
    max_meters: String,
    rules: RulesForm,
    error: Option<String>,
}

impl SettingsState {
    fn follow(&mut self, site: &SiteItem, language: Language) {
        if self.filled_from.as_ref() == Some(site) {
            return;
        }
        self.filled_from = Some(site.clone());
        self.numbers = NUMBERS.iter().map(|number| format::field_number((number.get)(site), language)).collect();
        self.max_active = site.max_active_chargers.map_or_else(String::new, |most| most.to_string());
        self.max_meters = site.max_meters.to_string();
        self.rules = RulesForm::of(&site.rules, language);
        self.site = Some(site.clone());
        self.error = None;
    }

    /// The settings as typed, or what is wrong with the first wrong one.
    pub(crate) fn read(&self, language: Language) -> Result<SiteItem, String> {
        let mut site = self.site.clone().ok_or_else(|| Text::Loading.get(language).to_owned())?;
        site.name = site.name.trim().to_owned();
        if site.name.is_empty() {
            return Err(Text::ErrorName.get(language).to_owned());
        }
        for (number, typed) in NUMBERS.iter().zip(&self.numbers) {
            let (low, high) = number.range;
            let value = read_number(typed).filter(|value| (low..=high).contains(value)).ok_or_else(|| {
                let bound = |value: f64| format::number(value, 0, language);
                Text::ErrorRange.fill(language, &[number.name.get(language), &bound(low), &bound(high)])
            })?;
            (number.set)(&mut site, value);
        }
        let whole = |typed: &str, name: Text| {
            let wrong = || Text::ErrorInteger.fill(language, &[name.get(language), "1", "1000"]);
            typed.trim().parse::<u16>().ok().filter(|value| (1..=1000).contains(value)).ok_or_else(wrong)
        };
        site.max_active_chargers = match self.max_active.trim() {
            "" => None,
            typed => Some(whole(typed, Text::MaxActive)?),
        };
        site.max_meters = whole(&self.max_meters, Text::MaxMeters)?;
        site.rules = self.rules.read(language)?;
        Ok(site)
    }
}

/// Shows the settings.
pub(crate) fn show(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut SettingsState, snapshot: &Snapshot) {
    title(cx, ui, Page::Settings, |_, _| {});
    let wanted = cx.model.values.circuits.is_wanted();
    cx.want(wanted, Resource::Circuits);
    let wanted = cx.model.values.connections.is_wanted();
    cx.want(wanted, Resource::Connections);
    let width = ui.available_width();
    let left = (width * 0.5).min(tokens::FORM_WIDTH_MAX + 60.0);
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = tokens::GAP_L;
        ui.allocate_ui_with_layout(egui::vec2(left, 0.0), Layout::top_down(Align::Min), |ui| {
            ui.spacing_mut().item_spacing.y = tokens::GAP_M;
            widgets::card(ui, |ui| site_form(cx, ui, state));
            if state.site.is_some() {
                widgets::card(ui, |ui| rules_form(cx, ui, state));
            }
        });
        let right = egui::vec2(width - left - tokens::GAP_L, 0.0);
        ui.allocate_ui_with_layout(right, Layout::top_down(Align::Min), |ui| {
            ui.spacing_mut().item_spacing.y = tokens::GAP_M;
            widgets::card(ui, |ui| appearance(cx, ui));
            widgets::card(ui, |ui| meters(cx, ui, snapshot));
            widgets::card(ui, |ui| circuits(cx, ui));
            widgets::card(ui, |ui| connections(cx, ui));
        });
    });
}

fn site_form(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut SettingsState) {
    widgets::heading(ui, cx.text(Text::SiteSettings), tokens::TEXT_TITLE);
    let remote = &cx.model.values.site;
    let Some(site) = remote.value() else { return not_yet(cx, ui, remote, Resource::Site) };
    state.follow(site, cx.language());
    let language = cx.language();
    if let Some(typed) = &mut state.site {
        widgets::form_field(ui, cx.text(Text::BuildingName), "", &mut typed.name, Field::Text);
        ui.columns(2, |columns| {
            if let [left, right] = columns {
                widgets::form_field(left, cx.text(Text::TimeZone), "", &mut typed.time_zone, Field::Text);
                widgets::form_field(right, cx.text(Text::Currency), "", &mut typed.currency, Field::Text);
            }
        });
        choices(cx, ui, typed);
    }
    for (pair, numbers) in state.numbers.chunks_mut(2).zip(NUMBERS.chunks(2)) {
        ui.columns(2, |columns| {
            for ((column, typed), number) in columns.iter_mut().zip(pair).zip(numbers) {
                let hint = number.hint.map_or("", |hint| hint.get(language));
                widgets::form_field(column, number.name.get(language), hint, typed, Field::Text);
            }
        });
    }
    ui.columns(2, |columns| {
        if let [left, right] = columns {
            let hint = Text::MaxActiveHint.get(language);
            widgets::form_field(left, Text::MaxActive.get(language), hint, &mut state.max_active, Field::Text);
            widgets::form_field(right, Text::MaxMeters.get(language), "", &mut state.max_meters, Field::Text);
        }
    });
    complaint_and_save(cx, ui, state, Text::Save);
}

/// The rest of the same form; both buttons save all of it.
fn rules_form(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut SettingsState) {
    rules::show(cx, ui, &mut state.rules);
    complaint_and_save(cx, ui, state, Text::SaveRules);
}

fn complaint_and_save(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut SettingsState, label: Text) {
    if let Some(error) = &state.error {
        widgets::notice(ui, Icon::Alert, error, Mood::Bad);
    }
    let busy = cx.model.is_busy(|command| matches!(command, Command::EditSite(_)));
    let label = cx.text(label);
    let look = widgets::Look { loudness: Loudness::Primary, icon: None, label, name: label, enabled: !busy };
    if widgets::button(ui, look).clicked() {
        match state.read(cx.language()) {
            Ok(site) => {
                state.error = None;
                cx.send(Command::EditSite(Box::new(site)));
            }
            Err(error) => state.error = Some(error),
        }
    }
}

fn choices(cx: &Cx<'_>, ui: &mut Ui, site: &mut SiteItem) {
    let choice = |ui: &mut Ui, name: Text, add: &mut dyn FnMut(&mut Ui, &str)| {
        widgets::field_label(ui, cx.text(name));
        add(ui, cx.text(name));
    };
    choice(ui, Text::Phases, &mut |ui, name| {
        let options = [(PhaseCount::One, cx.text(Text::SinglePhase)), (PhaseCount::Three, cx.text(Text::ThreePhase))];
        if let Some(phases) = widgets::segmented(ui, name, &options, site.phases.count()) {
            site.phases = phases.into();
        }
    });
    choice(ui, Text::ConnectionKind, &mut |ui, name| {
        let options =
            [(Connection::LineNeutral, cx.text(Text::LineNeutral)), (Connection::LineLine, cx.text(Text::LineLine))];
        if let Some(connection) = widgets::segmented(ui, name, &options, site.connection) {
            site.connection = connection;
        }
    });
    choice(ui, Text::Pacing, &mut |ui, name| {
        let options =
            [(Pacing::Careful, cx.text(Text::PacingCareful)), (Pacing::Published, cx.text(Text::PacingPublished))];
        if let Some(pacing) = widgets::segmented(ui, name, &options, site.pacing) {
            site.pacing = pacing;
        }
    });
}

fn appearance(cx: &mut Cx<'_>, ui: &mut Ui) {
    widgets::heading(ui, cx.text(Text::Appearance), tokens::TEXT_TITLE);
    ui.horizontal_wrapped(|ui| {
        let languages = [(Language::English, "English"), (Language::Portuguese, "Português")];
        if let Some(language) = widgets::segmented(ui, cx.text(Text::LanguageName), &languages, cx.language()) {
            cx.send(Command::SetLanguage(language));
        }
        let themes = [(Theme::Light, cx.text(Text::Light)), (Theme::Dark, cx.text(Text::Dark))];
        if let Some(theme) = widgets::segmented(ui, cx.text(Text::Theme), &themes, cx.model.theme()) {
            cx.send(Command::SetTheme(theme));
        }
    });
}

fn meters(cx: &mut Cx<'_>, ui: &mut Ui, snapshot: &Snapshot) {
    widgets::card_title(ui, cx.text(Text::Meters), cx.text(Text::MetersSub));
    if snapshot.meters.is_empty() {
        widgets::empty(ui, Icon::Gauge, cx.text(Text::NoMeters), cx.text(Text::NoMetersSub));
    }
    for meter in &snapshot.meters {
        widgets::hairline(ui);
        show_meter(cx, ui, meter);
    }
}

fn show_meter(cx: &mut Cx<'_>, ui: &mut Ui, meter: &MeterItem) {
    let language = cx.language();
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let remove = Command::ShowDialog(Some(Dialog::RemoveMeter(meter.id.clone())));
            cx.icon(ui, Icon::Cross, true, &meter.name, remove);
            if !meter.approved {
                cx.button(ui, Loudness::Primary, None, &meter.name, Command::ApproveMeter(meter.id.clone()));
            }
            let (word, mood) = match (meter.approved, meter.online) {
                (false, _) => (Text::StatusNotApproved, Mood::Info),
                (true, true) => (Text::MeterFresh, Mood::Good),
                (true, false) => (Text::MeterSilent, Mood::Bad),
            };
            widgets::badge(ui, cx.text(word), mood);
            ui.with_layout(Layout::top_down(Align::Min), |ui| {
                ui.spacing_mut().item_spacing.y = 1.0;
                widgets::strong_line(ui, &meter.name);
                let power = meter.power_kw.map_or_else(|| UNKNOWN.to_owned(), |kw| format::kilowatts(kw, language));
                let amps = format::amps_per_wire(&meter.current_a, language);
                widgets::weak_line(ui, &format!("{power} · {amps}"));
            });
        });
    });
    ui.horizontal(|ui| {
        widgets::weak(ui, cx.text(Text::Role));
        let name = super::named(cx.text(Text::Role), &meter.name);
        let roles = [MeterRole::Circuit, MeterRole::House, MeterRole::Solar, MeterRole::Battery];
        let choices = roles.map(|role| (role, cx.text(role_name(role)).to_owned()));
        if let Some(role) = widgets::select(ui, &name, &choices, &meter.role, 220.0) {
            let patch = MeterPatch { role: Some(role), ..MeterPatch::default() };
            cx.send(Command::EditMeter(meter.id.clone(), patch));
        }
    });
}

const fn role_name(role: MeterRole) -> Text {
    match role {
        MeterRole::Circuit => Text::RoleCircuit,
        MeterRole::House => Text::RoleHouse,
        MeterRole::Solar => Text::RoleSolar,
        MeterRole::Battery => Text::RoleBattery,
    }
}

/// Circuits with their depth in the tree, parents before children. Pure; a broken tree loses nothing.
pub(crate) fn tree(circuits: &[CircuitItem]) -> Vec<(usize, &CircuitItem)> {
    fn below<'a>(parent: Option<&str>, depth: usize, all: &'a [CircuitItem], out: &mut Vec<(usize, &'a CircuitItem)>) {
        for circuit in all.iter().filter(|circuit| circuit.parent.as_deref() == parent) {
            if !out.iter().any(|(_, known)| known.id == circuit.id) {
                out.push((depth, circuit));
                below(Some(&circuit.id), depth + 1, all, out);
            }
        }
    }
    let mut out = Vec::new();
    below(None, 0, circuits, &mut out);
    for circuit in circuits {
        if !out.iter().any(|(_, known)| known.id == circuit.id) {
            out.push((0, circuit));
        }
    }
    out
}

fn circuits(cx: &mut Cx<'_>, ui: &mut Ui) {
    widgets::card_title(ui, cx.text(Text::Circuits), cx.text(Text::CircuitsSub));
    windows::link(cx, ui, Page::Circuits);
    let remote = &cx.model.values.circuits;
    let Some(list) = remote.value() else { return not_yet(cx, ui, remote, Resource::Circuits) };
    let language = cx.language();
    for (depth, circuit) in tree(list) {
        ui.horizontal(|ui| {
            ui.add_space(18.0 * f32::from(u8::try_from(depth.min(8)).unwrap_or(8)));
            widgets::strong_line(ui, &circuit.name);
            let limit = cx.fill(Text::CircuitLimit, &[&format::amps_per_wire(&circuit.limit_a, language)]);
            let now = cx.fill(Text::CircuitNow, &[&format::amps_per_wire(&circuit.measured_a, language)]);
            widgets::weak_line(ui, &format!("{limit} · {now}"));
        });
    }
}

/// The question before a meter is removed.
pub(crate) fn remove_meter_dialog(cx: &mut Cx<'_>, ui: &mut Ui, name: &str, id: &str) {
    widgets::heading(ui, &cx.fill(Text::RemoveMeterTitle, &[name]), tokens::TEXT_TITLE);
    widgets::weak(ui, cx.text(Text::RemoveMeterSub));
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            cx.button(ui, Loudness::Danger, None, "", Command::RemoveMeter(id.to_owned()));
            super::cancel(cx, ui);
        });
    });
}

fn connections(cx: &mut Cx<'_>, ui: &mut Ui) {
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let subject = cx.text(Text::Connections);
            cx.button(ui, Loudness::Quiet, None, subject, Command::Fetch(Resource::Connections));
            ui.with_layout(Layout::top_down(Align::Min), |ui| {
                widgets::card_title(ui, cx.text(Text::Connections), cx.text(Text::ConnectionsSub));
            });
        });
    });
    let remote = &cx.model.values.connections;
    let Some(list) = remote.value() else { return not_yet(cx, ui, remote, Resource::Connections) };
    if list.items.is_empty() {
        widgets::weak(ui, cx.text(Text::NoConnections));
    }
    for connection in &list.items {
        widgets::hairline(ui);
        let (word, mood) = match connection.state.as_str() {
            "connected" => (Text::StateConnected, Mood::Good),
            "waiting" => (Text::StateWaiting, Mood::Info),
            "refused" => (Text::StateRefused, Mood::Bad),
            _gone => (Text::StateGone, Mood::Quiet),
        };
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                widgets::badge(ui, cx.text(word), mood);
                ui.with_layout(Layout::top_down(Align::Min), |ui| {
                    ui.spacing_mut().item_spacing.y = 1.0;
                    widgets::line(ui, &connection.device);
                    let parts =
                        [connection.protocol.as_str(), &connection.address, &cx.local(&connection.at)].join(" · ");
                    widgets::weak_line(ui, &parts);
                    if !connection.detail.is_empty() {
                        let p = palette(ui);
                        ui.add(egui::Label::new(RichText::new(&connection.detail).size(12.5).color(p.bad)).wrap());
                    }
                });
            });
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    /// A form that nobody touched says what the site says; wrong numbers are named with their range.
    #[test]
    fn form_reads_what_was_typed() {
        let site = fixtures::site();
        for language in [Language::English, Language::Portuguese] {
            let mut state = SettingsState::default();
            state.follow(&site, language);
            assert_eq!(state.read(language).as_ref(), Ok(&site), "{language:?}: untouched form");
            state.numbers[3] = "5".to_owned();
            let error = state.read(language).unwrap_err();
            assert!(error.contains('6') && error.contains("32"), "{error}");
        }
    }

    /// Parents come before children, and a circuit whose parent is missing is still shown.
    #[test]
    fn tree_is_in_order_and_complete() {
        let circuit = |id: &str, parent: Option<&str>| CircuitItem {
            id: id.to_owned(),
            name: id.to_owned(),
            parent: parent.map(str::to_owned),
            limit_a: vec![60.0],
            ..CircuitItem::default()
        };
        let list = [circuit("b", Some("a")), circuit("lost", Some("x")), circuit("a", None)];
        let order: Vec<(usize, &str)> = tree(&list).into_iter().map(|(depth, c)| (depth, c.id.as_str())).collect();
        assert_eq!(order, [(0, "a"), (1, "b"), (0, "lost")]);
    }
}

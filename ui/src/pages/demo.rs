//! The demo panel: what one can do to the virtual building.

use super::{Cx, not_yet, title};
use crate::command::{Command, Resource};
use crate::format;
use crate::icons::Icon;
use crate::text::Text;
use crate::tokens;
use crate::view::Page;
use crate::widgets::{self, Field, Loudness, Mood};
use api::{DemoCharger, DemoCommand, DemoProtocol, DemoScenario, DemoSnapshot, DemoSpeed};
use egui::{Align, Layout, Ui};

/// Energy the car wants that the button plugs in.
const CAR_WANTS_KWH: f64 = 20.0;
/// Extra load the slider reaches, in kW.
const EXTRA_LOAD_KW: std::ops::RangeInclusive<f64> = -20.0..=60.0;

/// What the demo page keeps between frames.
pub(crate) struct DemoState {
    card: String,
    /// Where the slider stands while it is moved.
    extra_kw: Option<f64>,
    /// Counts up so that each new card has another number.
    cards_made: u32,
}

impl Default for DemoState {
    fn default() -> Self {
        Self { card: "04D1E2F3".to_owned(), extra_kw: None, cards_made: 0 }
    }
}

/// Shows the demo panel.
pub(crate) fn show(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut DemoState) {
    title(cx, ui, Page::Demo, |_, _| {});
    let wanted = cx.model.values.demo.is_wanted();
    cx.want(wanted, Resource::Demo);
    let remote = &cx.model.values.demo;
    let Some(demo) = remote.value() else { return not_yet(cx, ui, remote, Resource::Demo) };
    let width = ui.available_width();
    let left = (width * 0.36).min(460.0);
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = tokens::GAP_L;
        ui.allocate_ui_with_layout(egui::vec2(left, 0.0), Layout::top_down(Align::Min), |ui| {
            ui.spacing_mut().item_spacing.y = tokens::GAP_M;
            widgets::card(ui, |ui| speed(cx, ui, demo));
            widgets::card(ui, |ui| load(cx, ui, state, demo));
            widgets::card(ui, |ui| scenarios(cx, ui, demo));
        });
        let right = egui::vec2(width - left - tokens::GAP_L, 0.0);
        ui.allocate_ui_with_layout(right, Layout::top_down(Align::Min), |ui| {
            ui.spacing_mut().item_spacing.y = tokens::GAP_M;
            widgets::card(ui, |ui| chargers(cx, ui, state, demo));
            widgets::card(ui, |ui| meters(cx, ui, demo));
        });
    });
}

fn speed(cx: &mut Cx<'_>, ui: &mut Ui, demo: &DemoSnapshot) {
    widgets::card_title(ui, cx.text(Text::Speed), cx.text(Text::SpeedSub));
    let choices = [(DemoSpeed::X1, "1×"), (DemoSpeed::X10, "10×"), (DemoSpeed::X60, "60×")];
    if let Some(speed) = widgets::segmented(ui, cx.text(Text::Speed), &choices, demo.speed) {
        cx.send(Command::Demo(DemoCommand::SetSpeed { speed }));
    }
}

fn load(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut DemoState, demo: &DemoSnapshot) {
    let name = cx.text(Text::ExtraLoad);
    widgets::card_title(ui, name, cx.text(Text::ExtraLoadSub));
    let mut value = state.extra_kw.unwrap_or(demo.extra_load_kw);
    let language = cx.language();
    let width = ui.available_width();
    ui.spacing_mut().slider_width = (width - 90.0).max(80.0);
    let slider = egui::Slider::new(&mut value, EXTRA_LOAD_KW)
        .step_by(0.5)
        .custom_formatter(move |value, _| format::kilowatts(value, language))
        .custom_parser(|text| format::read_number(text.trim_end_matches("kW")));
    let ink = crate::tokens::palette(ui).accent;
    let response = ui
        .scope(|ui| {
            let visuals = ui.visuals_mut();
            visuals.selection.bg_fill = ink;
            for state in [&mut visuals.widgets.inactive, &mut visuals.widgets.hovered, &mut visuals.widgets.active] {
                state.fg_stroke = egui::Stroke::new(2.0, ink);
            }
            ui.add(slider)
        })
        .inner;
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_label(name));
    if response.changed() {
        state.extra_kw = Some(value);
    }
    // One command when the hand lets go, not one per pixel.
    if let Some(extra_load_kw) = state.extra_kw
        && !response.dragged()
    {
        state.extra_kw = None;
        if (extra_load_kw - demo.extra_load_kw).abs() > 1e-6 {
            cx.send(Command::Demo(DemoCommand::SetExtraLoad { extra_load_kw }));
        }
    }
}

fn scenarios(cx: &mut Cx<'_>, ui: &mut Ui, demo: &DemoSnapshot) {
    widgets::card_title(ui, cx.text(Text::Simulations), cx.text(Text::SimulationsSub));
    if let Some((scenario, step)) = &demo.scenario {
        let name = cx.text(scenario_name(*scenario));
        let running = if step.is_empty() { name.to_owned() } else { format!("{name} · {step}") };
        widgets::notice(ui, Icon::Play, &cx.fill(Text::ScenarioRuns, &[&running]), Mood::Info);
        cx.button(ui, Loudness::Primary, None, "", Command::Demo(DemoCommand::StopScenario));
    }
    for scenario in [DemoScenario::OneCharger, DemoScenario::ThreeChargers, DemoScenario::Available19] {
        let name = cx.text(scenario_name(scenario));
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let start = Command::Demo(DemoCommand::StartScenario { scenario });
                cx.button(ui, Loudness::Normal, Some(Icon::Play), name, start);
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| widgets::line(ui, name));
            });
        });
    }
}

const fn scenario_name(scenario: DemoScenario) -> Text {
    match scenario {
        DemoScenario::OneCharger => Text::ScenarioOne,
        DemoScenario::ThreeChargers => Text::ScenarioThree,
        DemoScenario::Available19 => Text::ScenarioAvailable,
    }
}

fn chargers(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut DemoState, demo: &DemoSnapshot) {
    ui.horizontal(|ui| {
        widgets::heading(ui, cx.text(Text::VirtualChargers), tokens::TEXT_TITLE);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            for protocol in [DemoProtocol::Ievcc, DemoProtocol::Ocpp] {
                let add = Command::Demo(DemoCommand::AddCharger { protocol });
                cx.button(ui, Loudness::Normal, Some(Icon::Plus), "", add);
            }
        });
    });
    ui.horizontal(|ui| {
        let name = cx.text(Text::TapCardNumber);
        widgets::weak(ui, name);
        widgets::text_field(ui, name, "", &mut state.card, Field::Text, 150.0);
        let label = cx.text(Text::RandomCard);
        let look = widgets::Look { loudness: Loudness::Quiet, icon: None, label, name: label, enabled: true };
        if widgets::button(ui, look).on_hover_text(cx.text(Text::RandomCardTip)).clicked() {
            state.cards_made += 1;
            // Spread over the number space by a prime, so that neighbours look different.
            let number = (state.cards_made.wrapping_mul(2_654_435_761)) ^ u32::from_be_bytes(*b"mesh");
            state.card = format!("{number:08X}");
        }
    });
    for charger in &demo.chargers {
        widgets::hairline(ui);
        show_charger(cx, ui, state, charger);
    }
}

fn show_charger(cx: &mut Cx<'_>, ui: &mut Ui, state: &DemoState, charger: &DemoCharger) {
    let language = cx.language();
    let known = cx.model.snapshot.as_ref().and_then(|s| s.chargers.iter().find(|known| known.id == charger.id));
    let title = known.map_or(charger.id.as_str(), |known| known.name.as_str()).to_owned();
    let id = || charger.id.clone();
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            let subject = charger.id.as_str();
            let remove = Command::Demo(DemoCommand::RemoveCharger { charger: id() });
            cx.icon(ui, Icon::Cross, true, subject, remove);
            let link = Command::Demo(DemoCommand::SetLink { device: id(), linked: !charger.linked });
            cx.icon(ui, Icon::Link, true, subject, link);
            let uid = state.card.trim().to_owned();
            let ready = !uid.is_empty();
            let tap = Command::Demo(DemoCommand::TapCard { charger: id(), uid });
            cx.button_if(ui, ready, Loudness::Normal, subject, tap);
            let plug = match charger.car {
                Some(_) => DemoCommand::Unplug { charger: id() },
                None => DemoCommand::Plug { charger: id(), wants_kwh: CAR_WANTS_KWH },
            };
            cx.button(ui, Loudness::Normal, None, subject, Command::Demo(plug));
            ui.with_layout(Layout::top_down(Align::Min), |ui| {
                ui.spacing_mut().item_spacing.y = 1.0;
                widgets::strong_line(ui, &title);
                let car = charger.car.as_ref().map_or_else(
                    || cx.text(Text::NoCar).to_owned(),
                    |car| {
                        let wants = format!("{} kWh", format::number(car.wants_kwh, 1, language));
                        cx.fill(Text::CarWants, &[&wants, &format::amps(car.draws_a, language)])
                    },
                );
                let protocol = match charger.protocol {
                    DemoProtocol::Ocpp => "OCPP 1.6",
                    DemoProtocol::Ievcc => "IEVCC",
                };
                let offline = if charger.linked { "" } else { cx.text(Text::StatusOffline) };
                let parts = [protocol, car.as_str(), offline];
                let known: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
                widgets::weak_line(ui, &known.join(" · "));
            });
        });
    });
}

fn meters(cx: &mut Cx<'_>, ui: &mut Ui, demo: &DemoSnapshot) {
    ui.horizontal(|ui| {
        widgets::heading(ui, cx.text(Text::VirtualMeters), tokens::TEXT_TITLE);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            cx.button(ui, Loudness::Normal, Some(Icon::Plus), "", Command::Demo(DemoCommand::AddMeter));
        });
    });
    for meter in &demo.meters {
        widgets::hairline(ui);
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let id = || meter.id.clone();
                let remove = Command::Demo(DemoCommand::RemoveMeter { meter: id() });
                cx.icon(ui, Icon::Cross, true, &meter.id, remove);
                let link = Command::Demo(DemoCommand::SetLink { device: id(), linked: !meter.linked });
                cx.icon(ui, Icon::Link, true, &meter.id, link);
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    widgets::strong_line(ui, &meter.id);
                    if !meter.linked {
                        widgets::badge(ui, cx.text(Text::StatusOffline), Mood::Bad);
                    }
                });
            });
        });
    }
}

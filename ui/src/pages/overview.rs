//! The overview: tiles, live graph, alarms, devices that wait.

use super::{Cx, status, title};
use crate::command::{Command, Resource};
use crate::format;
use crate::graph::paint::{self, Style};
use crate::graph::plan::PlanCache;
use crate::graph::table;
use crate::history::Quantity;
use crate::icons::Icon;
use crate::text::Text;
use crate::tokens::{self, palette};
use crate::view::{GraphForm, Page, Span};
use crate::widgets::{self, Loudness, Mood};
use api::{ConnectionItem, Snapshot};
use egui::accesskit::Role;
use egui::{RichText, Ui};

/// What the overview keeps between frames.
#[derive(Default)]
pub(crate) struct OverviewState {
    /// The graph's plan.
    pub(crate) plans: PlanCache,
}

/// What a tile says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tile {
    /// Handle for tests.
    pub(crate) id: &'static str,
    /// What it measures.
    pub(crate) title: Text,
    /// The number.
    pub(crate) value: String,
    /// Its unit; empty for a count.
    pub(crate) unit: &'static str,
    /// A weak line.
    pub(crate) detail: String,
    /// Its colour.
    pub(crate) mood: Mood,
    /// How full its bar is, if it has one.
    pub(crate) fraction: Option<f64>,
}

/// The tiles of a snapshot. Pure.
pub(crate) fn tiles(snapshot: &Snapshot, language: api::Language) -> Vec<Tile> {
    let site = &snapshot.site;
    let number = |value: f64| format::number(value, 1, language);
    let limit = format::kilowatts(site.limit_kw, language);
    let available = (site.limit_kw - site.margin_kw - site.house_kw).max(0.0);
    let share = if site.limit_kw > 0.0 { site.total_kw / site.limit_kw } else { 0.0 };
    let used_mood = match share {
        share if share > 1.0 => Mood::Bad,
        share if share > 0.9 => Mood::Warn,
        _normal => Mood::Good,
    };
    let charging_kw: f64 = snapshot.chargers.iter().flat_map(|c| &c.connectors).map(|c| c.power_kw).sum();
    let used_detail = if site.total_kw < 0.0 {
        Text::ExportSub.get(language).to_owned()
    } else if !site.metered {
        Text::Assumed.get(language).to_owned()
    } else {
        Text::UsedSub.fill(language, &[&format!("{} %", format::number(share * 100.0, 0, language))])
    };
    let waiting = if site.cars_waiting > 0 { Text::CarsWaitingSub } else { Text::NobodyWaits };
    let tile = |id, title, value, unit, detail, mood, fraction| Tile { id, title, value, unit, detail, mood, fraction };
    let mut tiles = vec![
        tile(
            "tile-available",
            Text::Available,
            number(available),
            "kW",
            Text::AvailableSub.fill(language, &[&limit]),
            Mood::Quiet,
            None,
        ),
        tile("tile-used", Text::Used, number(site.total_kw), "kW", used_detail, used_mood, Some(share)),
        tile(
            "tile-headroom",
            Text::Headroom,
            number(site.headroom_a),
            "A",
            Text::HeadroomSub.get(language).to_owned(),
            if !site.metered {
                Mood::Warn
            } else if site.headroom_a < 0.0 {
                Mood::Bad
            } else {
                Mood::Quiet
            },
            None,
        ),
        tile(
            "tile-charging",
            Text::CarsCharging,
            site.cars_charging.to_string(),
            "",
            Text::CarsChargingSub.fill(language, &[&format::kilowatts(charging_kw, language)]),
            Mood::Quiet,
            None,
        ),
        tile(
            "tile-waiting",
            Text::CarsWaiting,
            site.cars_waiting.to_string(),
            "",
            waiting.get(language).to_owned(),
            if site.cars_waiting > 0 { Mood::Warn } else { Mood::Quiet },
            None,
        ),
    ];
    if site.solar_kw.is_some() || site.battery_kw.is_some() {
        let value = site.solar_kw.map_or_else(|| format::UNKNOWN.to_owned(), number);
        tiles.push(tile("tile-sun", Text::Sun, value, "kW", battery(site.battery_kw, language), Mood::Quiet, None));
    }
    tiles
}

/// What the battery does, in words.
fn battery(battery_kw: Option<f64>, language: api::Language) -> String {
    let Some(power) = battery_kw else { return Text::SunSub.get(language).to_owned() };
    let word = if power < 0.0 { Text::BatteryGives } else { Text::BatteryTakes };
    word.fill(language, &[&format::kilowatts(power.abs(), language)])
}

/// Shows the overview.
pub(crate) fn show(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut OverviewState, snapshot: &Snapshot) {
    title(cx, ui, Page::Overview, |_, _| {});
    tile_row(cx, ui, snapshot);
    ui.add_space(tokens::GAP_S);
    let width = ui.available_width();
    let aside = tokens::ASIDE_WIDTH;
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = tokens::GAP_L;
        ui.allocate_ui_with_layout(
            egui::vec2(width - aside - tokens::GAP_L, 0.0),
            egui::Layout::top_down(egui::Align::Min),
            |ui| {
                widgets::card(ui, |ui| graph(cx, ui, state, snapshot));
            },
        );
        ui.allocate_ui_with_layout(egui::vec2(aside, 0.0), egui::Layout::top_down(egui::Align::Min), |ui| {
            ui.spacing_mut().item_spacing.y = tokens::GAP_L;
            if !snapshot.waiting_devices.is_empty() {
                widgets::card(ui, |ui| waiting_devices(cx, ui, snapshot));
            }
            widgets::card(ui, |ui| alarms(cx, ui, snapshot));
            if !snapshot.chargers.is_empty() {
                widgets::card(ui, |ui| chargers_now(cx, ui, snapshot));
            }
        });
    });
}

fn tile_row(cx: &Cx<'_>, ui: &mut Ui, snapshot: &Snapshot) {
    let tiles = tiles(snapshot, cx.language());
    let gap = tokens::GAP_M;
    let count = f32::from(u8::try_from(tiles.len()).unwrap_or(1));
    let width = (ui.available_width() - gap * (count - 1.0)) / count;
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = gap;
        for tile in &tiles {
            ui.allocate_ui_with_layout(egui::vec2(width, 104.0), egui::Layout::top_down(egui::Align::Min), |ui| {
                widgets::card_with(ui, egui::Margin::symmetric(16, 13), |ui| paint_tile(cx, ui, tile));
            });
        }
    });
}

fn paint_tile(cx: &Cx<'_>, ui: &mut Ui, tile: &Tile) {
    let p = palette(ui);
    ui.set_min_height(78.0);
    ui.spacing_mut().item_spacing.y = 3.0;
    widgets::weak_line(ui, cx.text(tile.title));
    let ink = match tile.mood {
        Mood::Quiet | Mood::Good | Mood::Info => p.text,
        Mood::Warn | Mood::Bad => tile.mood.ink(p),
    };
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 5.0;
        let value = egui::Label::new(RichText::new(&tile.value).font(tokens::strong(tokens::TEXT_VALUE)).color(ink));
        let response = ui.add(value);
        // One node says the whole: name, number and unit, found by tests under its handle.
        let name = cx.text(tile.title);
        let spoken = if tile.unit.is_empty() { tile.value.clone() } else { format!("{} {}", tile.value, tile.unit) };
        ui.ctx().accesskit_node_builder(response.id, |node| {
            node.set_role(Role::Status);
            node.set_label(name);
            node.set_value(spoken);
            node.set_author_id(tile.id);
        });
        if !tile.unit.is_empty() {
            ui.with_layout(egui::Layout::left_to_right(egui::Align::Max), |ui| {
                ui.label(RichText::new(tile.unit).size(15.0).color(p.text_weak));
            });
        }
    });
    if let Some(fraction) = tile.fraction {
        widgets::bar(ui, crate::history::narrow(fraction), tile.mood);
    }
    widgets::weak_line(ui, &tile.detail);
}

fn graph(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut OverviewState, snapshot: &Snapshot) {
    let view = &cx.model.view;
    let (span, form) = (view.span, view.form);
    let phases = snapshot.site.total_a.len();
    let quantity = if view.quantity.phase().is_some_and(|phase| usize::from(phase) > phases) {
        Quantity::Power
    } else {
        view.quantity
    };
    graph_header(cx, ui, phases, quantity);
    ui.add_space(tokens::GAP_S);
    let from_ms = snapshot.at_ms - span.ms();
    let track = cx.model.history.get(quantity);
    let missing = track.is_none_or(|track| track.needs(from_ms));
    cx.want(missing && !cx.model.values.readings.is_pending(), Resource::Readings(quantity, from_ms));
    let Some(track) = track else { return };
    let width = pixels(ui.available_width() * ui.ctx().pixels_per_point());
    let plan = state.plans.plan(snapshot, track, quantity, span.ms(), width);
    let unit = if quantity.phase().is_some() { "A" } else { "kW" };
    let value = |value: f64| format!("{} {unit}", format::number(value, 1, cx.language()));
    let now = plan.columns.peak.last().copied().unwrap_or_default();
    let name = cx.fill(Text::LoadGraph, &[cx.text(span.label()), &value(now), &value(plan.limit)]);
    let height = (ui.ctx().content_rect().height() - 376.0).clamp(240.0, 760.0);
    let style = Style { language: cx.language(), offset_min: cx.offset(snapshot.at_ms), unit, name: &name, height };
    match form {
        GraphForm::Graph => paint::show(ui, &plan, &style),
        GraphForm::Table => table::show(ui, &plan, &style),
    }
    ui.add_space(2.0);
    paint::legend(ui, &plan, cx.language());
    let note = match (cx.model.values.readings.is_pending(), plan.columns.at_ms.len()) {
        (true, _) => Some(Text::LoadingHistory),
        (false, 0 | 1) => Some(Text::NoHistory),
        (false, _) => None,
    };
    match (note, cx.model.values.readings.failure()) {
        (_, Some(detail)) => {
            widgets::weak(ui, detail);
        }
        (Some(note), None) => {
            widgets::weak(ui, cx.text(note));
        }
        (None, None) => {}
    }
}

/// A width in whole pixels.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the size of a screen first")]
pub(crate) const fn pixels(width: f32) -> u32 {
    width.clamp(1.0, 16_384.0) as u32
}

fn graph_header(cx: &mut Cx<'_>, ui: &mut Ui, phases: usize, quantity: Quantity) {
    let (span, form) = (cx.model.view.span, cx.model.view.form);
    ui.horizontal(|ui| {
        widgets::heading(ui, cx.text(Text::Load), tokens::TEXT_TITLE);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 10.0;
            let (icon, other) = match form {
                GraphForm::Graph => (Icon::Table, GraphForm::Table),
                GraphForm::Table => (Icon::Graph, GraphForm::Graph),
            };
            cx.icon(ui, icon, true, "", Command::SetGraphForm(other));
            let spans = Span::ALL.map(|span| (span, cx.text(span.label())));
            if let Some(span) = widgets::segmented(ui, cx.text(Text::Range), &spans, span) {
                cx.send(Command::SetSpan(span));
            }
            let names = [cx.text(Text::QuantityPower), "L1", "L2", "L3"];
            let choices: Vec<(Quantity, &str)> = Quantity::ALL.into_iter().zip(names).take(1 + phases).collect();
            if let Some(quantity) = widgets::segmented(ui, cx.text(Text::QuantityName), &choices, quantity) {
                cx.send(Command::SetQuantity(quantity));
            }
        });
    });
}

fn alarms(cx: &mut Cx<'_>, ui: &mut Ui, snapshot: &Snapshot) {
    widgets::heading(ui, cx.text(Text::Alarms), tokens::TEXT_TITLE);
    if snapshot.alarms.is_empty() {
        let p = palette(ui);
        ui.horizontal(|ui| {
            let (rect, _) = ui.allocate_exact_size(egui::Vec2::splat(32.0), egui::Sense::hover());
            ui.painter().circle_filled(rect.center(), 16.0, p.good_low);
            Icon::Check.paint(ui.painter(), rect.shrink(8.0), p.good);
            widgets::card_title(ui, cx.text(Text::NoAlarms), cx.text(Text::NoAlarmsSub));
        });
        return;
    }
    widgets::scroll("alarms", 230.0).show(ui, |ui| {
        for alarm in &snapshot.alarms {
            ui.horizontal_top(|ui| {
                let p = palette(ui);
                let (rect, _) = ui.allocate_exact_size(egui::Vec2::splat(18.0), egui::Sense::hover());
                Icon::Alert.paint(ui.painter(), rect, Mood::Warn.ink(p));
                ui.vertical(|ui| {
                    ui.spacing_mut().item_spacing.y = 1.0;
                    let sentence = alarm.text.sentence(cx.language());
                    let response = ui.add(egui::Label::new(RichText::new(sentence).size(13.5)).wrap());
                    ui.ctx().accesskit_node_builder(response.id, |node| node.set_role(Role::Alert));
                    widgets::weak(ui, &cx.fill(Text::Since, &[&cx.local(&alarm.raised_at)]));
                });
            });
            ui.add_space(2.0);
        }
    });
}

fn waiting_devices(cx: &mut Cx<'_>, ui: &mut Ui, snapshot: &Snapshot) {
    widgets::card_title(ui, cx.text(Text::WaitingDevices), cx.text(Text::WaitingDevicesSub));
    for device in &snapshot.waiting_devices {
        widgets::hairline(ui);
        ui.horizontal(|ui| {
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if let Some(command) = approval(device) {
                    cx.button(ui, Loudness::Primary, None, &device.device, command);
                }
                ui.with_layout(egui::Layout::top_down(egui::Align::Min), |ui| {
                    ui.spacing_mut().item_spacing.y = 1.0;
                    widgets::strong_line(ui, &device.device);
                    let kind = cx.text(kind_of(device));
                    widgets::weak_line(ui, &cx.fill(Text::DeviceFrom, &[kind, &device.address]));
                });
            });
        });
    }
}

/// What a device says it is.
pub(crate) fn kind_of(device: &ConnectionItem) -> Text {
    match device.kind.as_str() {
        "charger" => Text::KindCharger,
        "meter" => Text::KindMeter,
        _unknown => Text::KindDevice,
    }
}

/// How a waiting device is let in; `None` while its kind is unknown.
pub(crate) fn approval(device: &ConnectionItem) -> Option<Command> {
    match device.kind.as_str() {
        "charger" => Some(Command::ApproveCharger(device.device.clone())),
        "meter" => Some(Command::ApproveMeter(device.device.clone())),
        _unknown => None,
    }
}

fn chargers_now(cx: &mut Cx<'_>, ui: &mut Ui, snapshot: &Snapshot) {
    ui.horizontal(|ui| {
        widgets::heading(ui, cx.text(Text::ChargersNow), tokens::TEXT_TITLE);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            cx.icon(ui, Icon::Right, true, "", Command::Show(Page::Chargers));
        });
    });
    let rows: Vec<_> =
        snapshot.chargers.iter().flat_map(|charger| charger.connectors.iter().map(move |c| (charger, c))).collect();
    let busy = rows.into_iter().filter(|(_, connector)| connector.status.is_plugged());
    let mut any = false;
    widgets::text_rows(ui, 22.0);
    for (charger, connector) in busy.take(12) {
        any = true;
        let (word, mood) = status::of(charger, Some(connector));
        ui.horizontal(|ui| {
            let p = palette(ui);
            let (rect, _) = ui.allocate_exact_size(egui::vec2(8.0, 20.0), egui::Sense::hover());
            ui.painter().circle_filled(rect.center(), 4.0, mood.ink(p));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let text = if connector.set_a > 0.0 {
                    format::amps(connector.set_a, cx.language())
                } else {
                    cx.text(word).to_owned()
                };
                ui.label(RichText::new(text).font(tokens::strong(13.0)));
                ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                    widgets::line(ui, &charger.name).on_hover_text(connector.why.sentence(cx.language()));
                });
            });
        });
    }
    if !any {
        widgets::weak(ui, cx.text(Text::NoCarPlugged));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    /// The tiles say the same as the snapshot, in the person's decimals, and colour what is wrong.
    #[test]
    fn tiles_say_what_the_snapshot_says() {
        let mut snapshot = fixtures::snapshot();
        snapshot.site.total_kw = 43.0;
        snapshot.site.limit_kw = 41.4;
        snapshot.site.cars_waiting = 0;
        let tiles = tiles(&snapshot, api::Language::Portuguese);
        let used = tiles.iter().find(|tile| tile.id == "tile-used").unwrap();
        assert_eq!((used.value.as_str(), used.mood), ("43,0", Mood::Bad));
        assert_eq!(used.detail, "104 % do limite");
        let waiting = tiles.iter().find(|tile| tile.id == "tile-waiting").unwrap();
        assert_eq!(waiting.detail, "ninguém espera");
        let sun = tiles.iter().find(|tile| tile.id == "tile-sun").unwrap();
        assert_eq!((sun.value.as_str(), sun.detail.as_str()), ("1,2", "a bateria dá 0,8 kW"));
    }
}

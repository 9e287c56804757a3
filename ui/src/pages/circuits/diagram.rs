//! The wiring diagram: every circuit with its protection and, per phase, the live current against the limit; below
//! each circuit the chargers that hang on it.

use super::super::Cx;
use crate::format;
use crate::icons::Icon;
use crate::pages::status;
use crate::text::Text;
use crate::tokens::{self, palette};
use crate::widgets::{self, Mood};
use api::{ChargerItem, CircuitItem, DeviceItem, Language, Snapshot};
use egui::{Align, CornerRadius, Frame, Layout, Margin, Rect, RichText, Stroke, Ui};

/// Width by which a branch stands further right than what it hangs on.
const INDENT: f32 = 30.0;
/// Deepest indentation that is drawn; deeper branches stand below each other.
const DEPTH_MAX: usize = 8;
/// Room for the name and the protection.
const NAME_WIDTH: f32 = 250.0;

/// A line of the diagram.
#[derive(Clone, Copy)]
enum Row<'a> {
    Circuit(&'a CircuitItem),
    Charger(&'a ChargerItem),
}

/// Lines with their depth, each below what it hangs on. Pure; a broken tree loses nothing.
fn rows<'a>(circuits: &'a [CircuitItem], chargers: &'a [ChargerItem]) -> Vec<(usize, Row<'a>)> {
    let mut out = Vec::new();
    for (depth, circuit) in crate::pages::settings::tree(circuits) {
        out.push((depth, Row::Circuit(circuit)));
        let here = chargers.iter().filter(|charger| charger.circuit == circuit.id);
        out.extend(here.map(|charger| (depth + 1, Row::Charger(charger))));
    }
    out
}

/// Shows the diagram.
pub(super) fn show(cx: &mut Cx<'_>, ui: &mut Ui, snapshot: &Snapshot) {
    widgets::card(ui, |ui| {
        widgets::card_title(ui, cx.text(Text::WiringDiagram), cx.text(Text::WiringDiagramSub));
        if snapshot.circuits.is_empty() {
            widgets::empty(ui, Icon::Bolt, cx.text(Text::NoCircuits), cx.text(Text::NoCircuitsSub));
            return;
        }
        let mut placed: Vec<(usize, Rect)> = Vec::new();
        for (depth, row) in rows(&snapshot.circuits, &snapshot.chargers) {
            let depth = depth.min(DEPTH_MAX);
            let indent = INDENT * f32::from(u8::try_from(depth).unwrap_or(8));
            let rect = ui
                .horizontal(|ui| {
                    ui.spacing_mut().item_spacing.x = 0.0;
                    ui.add_space(indent);
                    match row {
                        Row::Circuit(circuit) => show_circuit(cx, ui, circuit, snapshot),
                        Row::Charger(charger) => show_charger(cx, ui, charger),
                    }
                })
                .inner;
            wire(ui, &placed, depth, rect);
            placed.push((depth, rect));
        }
    });
}

/// The line from what a row hangs on down and across to it.
fn wire(ui: &Ui, placed: &[(usize, Rect)], depth: usize, rect: Rect) {
    let above = placed.iter().rev().find(|(other, _)| *other < depth);
    let Some((_, above)) = above else { return };
    let stroke = Stroke::new(1.5, palette(ui).border_strong);
    let x = rect.left() - INDENT / 2.0;
    ui.painter().vline(x, above.bottom()..=rect.center().y, stroke);
    ui.painter().hline(x..=rect.left(), rect.center().y, stroke);
}

fn show_circuit(cx: &Cx<'_>, ui: &mut Ui, circuit: &CircuitItem, snapshot: &Snapshot) -> Rect {
    let p = palette(ui);
    let worst = (0..circuit.measured_a.len()).map(|phase| load_of(circuit, phase).mood).max_by_key(severity);
    let edge = match worst {
        Some(Mood::Bad) => p.bad,
        Some(Mood::Warn) => p.warn,
        Some(Mood::Quiet | Mood::Good | Mood::Info) | None => p.border_strong,
    };
    let frame = Frame::new()
        .fill(p.surface_low)
        .stroke(Stroke::new(1.0, edge))
        .corner_radius(CornerRadius::same(tokens::RADIUS_CONTROL))
        .inner_margin(Margin::symmetric(12, 8));
    frame
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing = egui::vec2(12.0, 2.0);
            ui.set_width(ui.available_width());
            ui.horizontal_top(|ui| {
                ui.allocate_ui_with_layout(egui::vec2(NAME_WIDTH, 0.0), Layout::top_down(Align::Min), |ui| {
                    ui.set_width(NAME_WIDTH);
                    widgets::strong_line(ui, &circuit.name);
                    widgets::weak_line(ui, &protection(circuit, cx.language()));
                    let meters: Vec<&str> = snapshot
                        .meters
                        .iter()
                        .filter(|meter| meter.circuit == circuit.id)
                        .map(|meter| meter.name.as_str())
                        .collect();
                    let meters = if meters.is_empty() {
                        cx.text(Text::NotMetered).to_owned()
                    } else {
                        cx.fill(Text::MeteredBy, &[&meters.join(", ")])
                    };
                    widgets::weak_line(ui, &meters);
                });
                phases(cx, ui, circuit);
            });
        })
        .response
        .rect
}

const fn severity(mood: &Mood) -> u8 {
    match mood {
        Mood::Quiet | Mood::Good | Mood::Info => 0,
        Mood::Warn => 1,
        Mood::Bad => 2,
    }
}

/// What flows in one phase, against what may.
struct Load {
    now: f64,
    limit: f64,
    mood: Mood,
}

fn load_of(circuit: &CircuitItem, phase: usize) -> Load {
    let at = |values: &[f64]| values.get(phase).copied().unwrap_or(0.0);
    let (now, limit, kept) = (at(&circuit.measured_a), at(&circuit.in_force_a), at(&circuit.kept_free_a));
    let mood = if now > limit {
        Mood::Bad
    } else if now > limit - kept {
        Mood::Warn
    } else {
        Mood::Good
    };
    Load { now, limit, mood }
}

fn phases(cx: &Cx<'_>, ui: &mut Ui, circuit: &CircuitItem) {
    let language = cx.language();
    let count = circuit.measured_a.len().max(1);
    ui.columns(count, |columns| {
        for (phase, ui) in columns.iter_mut().enumerate().take(circuit.measured_a.len()) {
            let load = load_of(circuit, phase);
            let name = format!("L{}", phase + 1);
            let (now, limit) = (format::number(load.now, 1, language), format::amps(load.limit, language));
            let p = palette(ui);
            let ink = if load.mood == Mood::Good { p.text } else { load.mood.ink(p) };
            let text = RichText::new(format!("{name}  {now} / {limit}")).font(tokens::strong(13.0)).color(ink);
            let response = ui.add(egui::Label::new(text).truncate());
            let spoken = cx.fill(Text::PhaseLoad, &[&circuit.name, &name, &now, &limit]);
            ui.ctx().accesskit_node_builder(response.id, |node| node.set_value(spoken));
            let fraction = if load.limit > 0.0 { load.now / load.limit } else { 0.0 };
            widgets::bar(ui, narrow(fraction), load.mood);
            let headroom = circuit.headroom_a.get(phase).copied().unwrap_or(0.0);
            let mut line = cx.fill(Text::HeadroomOf, &[&format::amps(headroom, language)]);
            if let Some(used) = circuit.trip_used.as_ref().and_then(|used| used.get(phase)) {
                let percent = format::number(used * 100.0, 0, language);
                line = format!("{line} · {}", cx.fill(Text::TripUsed, &[&percent]));
            }
            widgets::weak_line(ui, &line);
        }
    });
}

/// A fraction for a bar; what lies outside is clamped by the bar itself.
fn narrow(fraction: f64) -> f32 {
    let percent = crate::graph::paint::whole((fraction * 100.0).clamp(0.0, 100.0));
    f32::from(u8::try_from(percent).unwrap_or(100)) / 100.0
}

/// `C 63 A · cable 75 A`, in words.
fn protection(circuit: &CircuitItem, language: Language) -> String {
    let device = match circuit.device {
        None => None,
        Some(DeviceItem::Breaker { curve, rated_a }) => Some(format!("{curve:?} {}", format::amps(rated_a, language))),
        Some(DeviceItem::Linky) => Some(Text::DeviceLinky.get(language).to_owned()),
        Some(DeviceItem::SpanishIcp) => Some(Text::DeviceSpanishIcp.get(language).to_owned()),
        Some(DeviceItem::PortugueseDcp) => Some(Text::DevicePortugueseDcp.get(language).to_owned()),
        Some(DeviceItem::Thermal { rated_a, .. }) => {
            Some(format!("{} {}", Text::DeviceThermal.get(language), format::amps(rated_a, language)))
        }
        Some(DeviceItem::DefiniteTime { rated_a, .. }) => {
            Some(format!("{} {}", Text::DeviceDefiniteTime.get(language), format::amps(rated_a, language)))
        }
    };
    let device = device.unwrap_or_else(|| Text::ProtectionUnknown.get(language).to_owned());
    match circuit.cable_a {
        Some(cable) => format!("{device} · {}", Text::CableOf.fill(language, &[&format::amps(cable, language)])),
        None => device,
    }
}

fn show_charger(cx: &Cx<'_>, ui: &mut Ui, charger: &ChargerItem) -> Rect {
    let p = palette(ui);
    let language = cx.language();
    let frame = Frame::new()
        .fill(p.surface)
        .stroke(Stroke::new(1.0, p.border))
        .corner_radius(CornerRadius::same(tokens::RADIUS_CONTROL))
        .inner_margin(Margin::symmetric(10, 4));
    frame
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing = egui::vec2(10.0, 2.0);
            ui.set_width(ui.available_width());
            ui.horizontal(|ui| {
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let (word, mood) = status::of(charger, charger.connectors.first());
                    widgets::badge(ui, cx.text(word), mood);
                    for connector in charger.connectors.iter().rev() {
                        let set = cx.fill(Text::SetTo, &[&format::amps(connector.set_a, language)]);
                        let drawn = format::amps_per_wire(&connector.measured_a, language);
                        widgets::weak(ui, &format!("{set} · {drawn}"));
                    }
                    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                        ui.add(egui::Label::new(RichText::new(&charger.name).font(tokens::strong(13.0))).truncate());
                        widgets::weak_line(ui, &wiring(charger, language));
                    });
                });
            });
        })
        .response
        .rect
}

/// `L2 L3 L1`, or that nobody knows.
fn wiring(charger: &ChargerItem, language: Language) -> String {
    let phases: Vec<String> = charger.phases.iter().map(|phase| format!("L{phase}")).collect();
    if charger.policy.rotation_known { phases.join(" ") } else { Text::RotationUnknown.get(language).to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    /// Chargers stand below their circuit, and one whose circuit is missing hides nothing else.
    #[test]
    fn chargers_stand_below_their_circuit() {
        let mut snapshot = fixtures::snapshot();
        snapshot.chargers.truncate(3);
        snapshot.chargers[1].circuit = "garage-2".to_owned();
        snapshot.chargers[2].circuit = "nowhere".to_owned();
        let names: Vec<(usize, &str)> = rows(&snapshot.circuits, &snapshot.chargers)
            .into_iter()
            .map(|(depth, row)| match row {
                Row::Circuit(circuit) => (depth, circuit.id.as_str()),
                Row::Charger(charger) => (depth, charger.id.as_str()),
            })
            .collect();
        let expected = [(0, "main"), (1, "CP-01"), (1, "garage"), (2, "garage-1"), (2, "garage-2"), (3, "CP-02")];
        assert_eq!(names, expected);
    }

    /// A phase above its limit is bad, one inside what is kept free wants attention.
    #[test]
    fn loads_are_judged_against_the_limit_in_force() {
        let circuits = fixtures::snapshot().circuits;
        let garage = circuits.iter().find(|circuit| circuit.id == "garage-2").unwrap();
        let moods: Vec<Mood> = (0..3).map(|phase| load_of(garage, phase).mood).collect();
        assert_eq!(moods, [Mood::Warn, Mood::Bad, Mood::Good]);
    }
}

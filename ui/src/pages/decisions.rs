//! The history of decisions about one charger, and what was known at the moment of each.

use super::{Cx, charger, not_yet};
use crate::command::Resource;
use crate::format;
use crate::text::Text;
use crate::tokens::{self, palette};
use crate::widgets;
use api::{ChargerItem, DecisionItem, KnownItem, Language};
use egui::accesskit::Role;
use egui::{RichText, Ui, WidgetInfo};
use std::borrow::Cow;

/// The decision that is open, by its time and connector.
#[derive(Default)]
pub(crate) struct DecisionsState {
    open: Option<(String, u16)>,
}

/// Shows the history.
pub(crate) fn show(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut DecisionsState, charger: &ChargerItem) {
    charger::log_header(cx, ui, Text::Decisions, Text::DecisionsSub, Resource::Decisions(charger.id.clone()));
    let remote = &cx.model.values.decisions;
    let Some((_, list)) = remote.value().filter(|(id, _)| *id == charger.id) else {
        return not_yet(cx, ui, remote, Resource::Decisions(charger.id.clone()));
    };
    if list.is_empty() {
        widgets::weak(ui, cx.text(Text::NoDecisions));
    }
    ui.scope(|ui| {
        widgets::text_rows(ui, 20.0);
        widgets::scroll("decisions", 220.0).show_rows(ui, 20.0, list.len(), |ui, range| {
            for decision in list.get(range).unwrap_or_default() {
                ui.horizontal(|ui| {
                    charger::time_cell(cx, ui, &decision.at);
                    let key = (decision.at.clone(), decision.connector);
                    let is_open = state.open.as_ref() == Some(&key);
                    let ink = if is_open { palette(ui).accent } else { palette(ui).text };
                    let sentence = said(decision, cx.language());
                    let text = RichText::new(&*sentence).color(ink);
                    let line = ui.add(egui::Label::new(text).truncate().sense(egui::Sense::click()));
                    line.widget_info(|| WidgetInfo::selected(Role::Button, true, is_open, &*sentence));
                    widgets::focus_ring(ui, &line, 3);
                    if line.on_hover_text(cx.text(Text::KnownTip)).clicked() {
                        state.open = (!is_open).then_some(key);
                    }
                });
            }
        });
    });
    let open = state.open.as_ref();
    let open = open.and_then(|(at, connector)| list.iter().find(|d| d.at == *at && d.connector == *connector));
    if let Some(decision) = open {
        widgets::hairline(ui);
        known(cx, ui, decision);
    }
}

/// Why, in the language of who reads; a decision of an older version only has its English sentence.
fn said(decision: &DecisionItem, language: Language) -> Cow<'_, str> {
    decision.reason.as_ref().map_or(Cow::Borrowed(&decision.sentence), |reason| reason.sentence(language).into())
}

fn known(cx: &Cx<'_>, ui: &mut Ui, decision: &DecisionItem) {
    let title = cx.fill(Text::KnownAt, &[&cx.local_seconds(&decision.at)]);
    ui.label(RichText::new(title).font(tokens::strong(tokens::TEXT)).color(palette(ui).text));
    let Some(known) = &decision.known else {
        widgets::weak(ui, cx.text(Text::KnownNothing));
        return;
    };
    let text = RichText::new(&*said(decision, cx.language())).color(palette(ui).text);
    ui.add(egui::Label::new(text).wrap());
    egui::Grid::new("known").num_columns(2).spacing(egui::vec2(18.0, 4.0)).show(ui, |ui| {
        for (name, value) in facts(cx, known) {
            widgets::weak(ui, cx.text(name));
            ui.label(value);
            ui.end_row();
        }
    });
}

/// What was known, as names and values.
fn facts(cx: &Cx<'_>, known: &KnownItem) -> Vec<(Text, String)> {
    let language = cx.language();
    let mut facts = vec![
        (Text::KnownHouse, format::amps_per_wire(&known.house_a, language)),
        (Text::KnownLimit, format::amps_per_wire(&known.limit_a, language)),
        (Text::KnownMargin, format::amps(known.margin_a, language)),
    ];
    if known.reserve_a.iter().any(|reserve| *reserve > 0.0) {
        facts.push((Text::KnownReserve, format::amps_per_wire(&known.reserve_a, language)));
    }
    let age = known.sample_age_s.map_or_else(
        || cx.text(Text::KnownNoSample).to_owned(),
        |age| format!("{} s", format::number(age, 1, language)),
    );
    facts.push((Text::KnownAge, age));
    if let Some(used) = &known.trip_used {
        let percent: Vec<String> = used.iter().map(|used| format::number(used * 100.0, 0, language)).collect();
        facts.push((Text::KnownTrip, format!("{} %", percent.join(" / "))));
    }
    if let Some(tightest) = &known.tightest {
        facts.push((Text::KnownTightest, tightest.clone()));
    }
    let name = |id: &str| {
        let snapshot = cx.model.snapshot.as_ref();
        let known = snapshot.and_then(|snapshot| snapshot.chargers.iter().find(|charger| charger.id == id));
        known.map_or_else(|| id.to_owned(), |charger| charger.name.clone())
    };
    let cars: Vec<String> = known
        .cars
        .iter()
        .map(|car| {
            let parts = [format::amps(car.set_a, language), format::amps(car.counted_a, language)];
            cx.fill(Text::KnownCar, &[&name(&car.charger), &parts[0], &parts[1]])
        })
        .collect();
    let cars = if cars.is_empty() { cx.text(Text::KnownNoCars).to_owned() } else { cars.join("\n") };
    facts.push((Text::KnownCars, cars));
    facts
}

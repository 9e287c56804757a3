//! What flows at every circuit while nobody commands the chargers, and who cannot charge then.

use super::super::{Cx, not_yet};
use crate::command::Resource;
use crate::format;
use crate::icons::Icon;
use crate::text::Text;
use crate::tokens::{self, palette};
use crate::widgets::{self, Mood};
use api::{FallbackCircuit, FallbackReport, ForecastItem, Snapshot};
use egui::{RichText, Ui};

/// Shows the check.
pub(super) fn show(cx: &mut Cx<'_>, ui: &mut Ui, snapshot: &Snapshot) {
    if let Some(forecast) = &snapshot.site.forecast {
        widgets::card(ui, |ui| foretold(cx, ui, forecast));
        ui.add_space(tokens::GAP_M);
    }
    let wanted = cx.model.values.fallbacks.is_wanted();
    cx.want(wanted, Resource::Fallbacks);
    widgets::card(ui, |ui| {
        widgets::card_title(ui, cx.text(Text::WhileOff), cx.text(Text::WhileOffSub));
        let remote = &cx.model.values.fallbacks;
        let Some(report) = remote.value() else { return not_yet(cx, ui, remote, Resource::Fallbacks) };
        verdict(cx, ui, report);
        if let Some(circuit) = report.circuits.first() {
            let days = circuit.measured_days.to_string();
            let text = if circuit.measured { Text::BuildingMeasured } else { Text::BuildingDeclared };
            widgets::weak(ui, &cx.fill(text, &[&days]));
        }
        for circuit in &report.circuits {
            widgets::hairline(ui);
            show_circuit(cx, ui, circuit);
        }
    });
}

/// What the building is expected to draw, and how often the bound was exceeded.
fn foretold(cx: &Cx<'_>, ui: &mut Ui, forecast: &ForecastItem) {
    let language = cx.language();
    widgets::card_title(ui, &cx.fill(Text::Forecast, &[&forecast.ahead_min.to_string()]), cx.text(Text::ForecastSub));
    for (phase, (expected, upper)) in forecast.expected_a.iter().zip(&forecast.upper_a).enumerate() {
        let name = format!("L{}", phase + 1);
        let parts = [name.as_str(), &format::amps(*expected, language), &format::amps(*upper, language)];
        widgets::weak(ui, &cx.fill(Text::ForecastPhase, &parts));
    }
    let percent = |share: f64| format!("{} %", format::number(share * 100.0, 1, language));
    match forecast.exceeded {
        Some(exceeded) => {
            let outcomes = forecast.outcomes.to_string();
            let parts = [percent(exceeded), outcomes, percent(forecast.target)];
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            widgets::weak(ui, &cx.fill(Text::ForecastKept, &parts));
        }
        None => drop(widgets::weak(ui, cx.text(Text::ForecastNew))),
    }
}

fn verdict(cx: &Cx<'_>, ui: &mut Ui, report: &FallbackReport) {
    let language = cx.language();
    if report.chargers.is_empty() {
        widgets::weak(ui, cx.text(Text::NoChargers));
        return;
    }
    let held: Vec<_> = report.chargers.iter().filter_map(|c| c.held_by.as_ref().map(|by| (c, by))).collect();
    for (charger, by) in &held {
        let wanted = format::amps(charger.wanted_a, language);
        widgets::notice(ui, Icon::Alert, &cx.fill(Text::CannotWhileOff, &[&charger.name, &wanted, by]), Mood::Warn);
    }
    let set_to_nothing: Vec<&str> =
        report.chargers.iter().filter(|charger| charger.wanted_a == 0.0).map(|charger| charger.name.as_str()).collect();
    if !set_to_nothing.is_empty() {
        widgets::weak(ui, &cx.fill(Text::NothingWhileOff, &[&set_to_nothing.join(", ")]));
    }
    if held.is_empty() {
        widgets::notice(ui, Icon::Check, cx.text(Text::AllFitWhileOff), Mood::Good);
    }
}

fn show_circuit(cx: &Cx<'_>, ui: &mut Ui, circuit: &FallbackCircuit) {
    let language = cx.language();
    ui.horizontal(|ui| {
        let (word, mood) = if circuit.fits { (Text::Fits, Mood::Good) } else { (Text::DoesNotFit, Mood::Bad) };
        widgets::badge(ui, cx.text(word), mood);
        ui.label(RichText::new(&circuit.name).font(tokens::strong(tokens::TEXT)).color(palette(ui).text));
    });
    let count = circuit.usable_a.len().max(1);
    ui.columns(count, |columns| {
        let values = circuit.usable_a.iter().zip(&circuit.building_a).zip(&circuit.fallbacks_a);
        for (phase, (ui, ((usable, building), chargers))) in columns.iter_mut().zip(values).enumerate() {
            let number = |value: f64| format::number(value, 1, language);
            let parts =
                [format!("L{}", phase + 1), number(*building), number(*chargers), format::amps(*usable, language)];
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            let text = cx.fill(Text::WhileOffPhase, &parts);
            widgets::weak(ui, &text);
        }
    });
}

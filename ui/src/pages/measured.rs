//! What meters and chargers measured: any quantity, any places, any period, as a graph and as a file.

use super::{Cx, not_yet};
use crate::command::{Command, Resource};
use crate::format;
use crate::graph::columns::to_f64;
use crate::graph::paint::{Style, frame};
use crate::icons::Icon;
use crate::records::RecordsResource;
use crate::route::readings;
use crate::text::Text;
use crate::time::{DAY_MS, civil, rfc3339};
use crate::tokens::{self, palette};
use crate::widgets::{self, Field, Look, Loudness, Mood};
use api::{ReadingColumns, Snapshot};
use domain::{Quantity, Series, Source};
use egui::accesskit::Role;
use egui::{RichText, Ui, WidgetInfo};
use egui_plot::{Line, PlotBounds, PlotPoints};
use std::collections::BTreeSet;

/// Steps of a graph: more than the widest screen has points.
const STEPS: i64 = 1500;
/// Steps of a file, as the server allows.
const STEPS_FILE: i64 = 19_000;
/// Places that are chosen at first: more lines cannot be told apart.
const PLACES: usize = 4;
/// Height of a graph alone, and of each of several.
const GRAPH: f32 = 320.0;
const GRAPH_OF_SEVERAL: f32 = 190.0;

/// What is chosen.
#[derive(Default)]
pub(crate) struct MeasuredForm {
    /// Each gets a graph of its own; empty before anything was chosen.
    quantities: BTreeSet<Quantity>,
    /// Names of series without their quantity; `None` before anything was chosen.
    places: Option<BTreeSet<String>>,
    from: String,
    to: String,
    /// The question that was asked last.
    asked: Option<String>,
}

const fn quantity_name(quantity: Quantity) -> Text {
    match quantity {
        Quantity::Power => Text::QuantityPower,
        Quantity::CurrentL1 => Text::QuantityL1,
        Quantity::CurrentL2 => Text::QuantityL2,
        Quantity::CurrentL3 => Text::QuantityL3,
        Quantity::Energy => Text::QuantityEnergy,
        Quantity::Setpoint => Text::QuantitySetpoint,
        Quantity::Limit => Text::QuantityLimit,
        Quantity::VoltageL1 => Text::QuantityVoltage1,
        Quantity::VoltageL2 => Text::QuantityVoltage2,
        Quantity::VoltageL3 => Text::QuantityVoltage3,
        Quantity::StateOfCharge => Text::QuantitySoc,
        Quantity::Temperature => Text::QuantityTemperature,
    }
}

/// The unit people read, and how many of the kept units it has.
const fn unit(quantity: Quantity) -> (&'static str, f64) {
    match quantity {
        Quantity::Power => ("kW", 1000.0),
        Quantity::Energy => ("kWh", 1000.0),
        Quantity::CurrentL1 | Quantity::CurrentL2 | Quantity::CurrentL3 | Quantity::Setpoint | Quantity::Limit => {
            ("A", 1000.0)
        }
        Quantity::VoltageL1 | Quantity::VoltageL2 | Quantity::VoltageL3 => ("V", 1000.0),
        Quantity::StateOfCharge => ("%", 1.0),
        Quantity::Temperature => ("°C", 10.0),
    }
}

/// Where something is measured, in words.
fn place_name(cx: &Cx<'_>, snapshot: &Snapshot, source: &Source) -> String {
    match source {
        Source::House => cx.text(Text::PlaceHouse).to_owned(),
        Source::Solar => cx.text(Text::PlaceSolar).to_owned(),
        Source::Circuit(id) => {
            let circuits = cx.model.values.circuits.value().into_iter().flatten();
            let known = circuits.into_iter().find(|circuit| circuit.id == id.as_str());
            known.map_or_else(|| id.to_string(), |circuit| circuit.name.clone())
        }
        Source::Meter(id) => {
            let known = snapshot.meters.iter().find(|meter| meter.id == id.as_str());
            known.map_or_else(|| id.to_string(), |meter| meter.name.clone())
        }
        Source::Connector(id, number) => {
            let known = snapshot.chargers.iter().find(|charger| charger.id == id.as_str());
            match known {
                Some(charger) if charger.connectors.len() > 1 => format!("{} · {}", charger.name, number.0),
                Some(charger) => charger.name.clone(),
                None => format!("{id} · {}", number.0),
            }
        }
    }
}

/// The moment at which the building's clocks show a day, or a day with a time.
fn moment(cx: &Cx<'_>, text: &str) -> Option<i64> {
    let text = text.trim();
    let whole = match text.len() {
        10 => format!("{text} 00:00"),
        _ => text.to_owned(),
    };
    super::correct::moment(&whole, |ms| cx.offset(ms))
}

fn local_day(cx: &Cx<'_>, ms: i64) -> String {
    let c = civil(ms, cx.offset(ms));
    format!("{:04}-{:02}-{:02}", c.year, c.month, c.day)
}

/// Shows the choice, the graph and the export.
pub(crate) fn show(cx: &mut Cx<'_>, ui: &mut Ui, form: &mut MeasuredForm, snapshot: &Snapshot) {
    let (wanted, circuits) = (cx.model.values.records.series.is_wanted(), cx.model.values.circuits.is_wanted());
    cx.want(wanted, Resource::Records(RecordsResource::Series));
    cx.want(circuits, Resource::Circuits);
    let remote = &cx.model.values.records.series;
    let Some(names) = remote.value() else {
        return not_yet(cx, ui, remote, Resource::Records(RecordsResource::Series));
    };
    let known: Vec<Series> = names.iter().filter_map(|name| name.parse().ok()).collect();
    if form.from.is_empty() {
        form.from = local_day(cx, snapshot.at_ms - 7 * DAY_MS);
        form.to = local_day(cx, snapshot.at_ms + DAY_MS);
    }
    if form.quantities.is_empty() {
        form.quantities.insert(Quantity::Power);
    }
    choice(cx, ui, form, &known);
    let here: Vec<&Series> = known.iter().filter(|series| form.quantities.contains(&series.quantity)).collect();
    let places = form.places.get_or_insert_with(|| here.iter().map(|series| place_of(series)).take(PLACES).collect());
    for quantity in &form.quantities {
        // A quantity that is measured at none of the chosen places brings its own.
        let own = || here.iter().filter(|series| series.quantity == *quantity).map(|series| place_of(series));
        if !own().any(|place| places.contains(&place)) {
            places.extend(own().take(PLACES));
        }
    }
    widgets::field_label(ui, cx.text(Text::MeasuredWhere));
    ui.horizontal_wrapped(|ui| {
        let mut shown = BTreeSet::new();
        for series in &here {
            let place = place_of(series);
            if !shown.insert(place.clone()) {
                continue;
            }
            let mut is_on = places.contains(&place);
            if widgets::tick(ui, &mut is_on, place_name(cx, snapshot, &series.source)).changed() {
                if is_on {
                    places.insert(place);
                } else {
                    places.remove(&place);
                }
            }
        }
    });
    let chosen: Vec<&Series> = here.into_iter().filter(|series| places.contains(&place_of(series))).collect();
    plot(cx, ui, form, snapshot, &chosen);
}

/// A series without its quantity.
fn place_of(series: &Series) -> String {
    let name = series.to_string();
    name.rsplit_once('/').map_or_else(|| name.clone(), |(place, _)| place.to_owned())
}

fn choice(cx: &Cx<'_>, ui: &mut Ui, form: &mut MeasuredForm, known: &[Series]) {
    widgets::field_label(ui, cx.text(Text::MeasuredWhat));
    ui.horizontal_wrapped(|ui| {
        for kind in Quantity::ALL.into_iter().filter(|kind| known.iter().any(|series| series.quantity == *kind)) {
            let mut is_on = form.quantities.contains(&kind);
            if widgets::tick(ui, &mut is_on, cx.text(quantity_name(kind))).changed() {
                if is_on {
                    form.quantities.insert(kind);
                } else if form.quantities.len() > 1 {
                    form.quantities.remove(&kind);
                }
            }
        }
    });
    ui.horizontal_wrapped(|ui| {
        for (text, typed) in [(Text::MeasuredFrom, &mut form.from), (Text::MeasuredTo, &mut form.to)] {
            let name = cx.text(text);
            widgets::weak(ui, name);
            widgets::text_field(ui, name, "2026-11-01 18:00", typed, Field::Text, 140.0);
        }
        for (label, days) in [("1 d", 1), ("7 d", 7), ("31 d", 31)] {
            let look = Look { loudness: Loudness::Quiet, icon: None, label, name: label, enabled: true };
            if widgets::button(ui, look).clicked() {
                let now = cx.now_ms();
                form.from = local_day(cx, now - (days - 1) * DAY_MS);
                form.to = local_day(cx, now + DAY_MS);
            }
        }
    });
}

fn plot(cx: &mut Cx<'_>, ui: &mut Ui, form: &mut MeasuredForm, snapshot: &Snapshot, chosen: &[&Series]) {
    let period = moment(cx, &form.from).zip(moment(cx, &form.to)).filter(|(from, to)| from < to);
    let Some((from, to)) = period else {
        widgets::notice(ui, Icon::Alert, cx.text(Text::MeasuredUnreadable), Mood::Bad);
        return;
    };
    if chosen.is_empty() {
        widgets::weak(ui, cx.text(Text::MeasuredChoose));
        return;
    }
    let names: Vec<String> = chosen.iter().map(ToString::to_string).collect();
    let step = |steps: i64| ((to - from) / steps / 1000).max(5);
    let path = readings(&names, from, to, step(STEPS));
    let file = readings(&names, from, to, step(STEPS_FILE));
    ui.hyperlink_to(cx.text(Text::InsightCsv), format!("/api/v1/{file}&format=csv"));
    let remote = &cx.model.values.records.measured;
    if form.asked.as_ref() != Some(&path) && !remote.is_pending() {
        form.asked = Some(path.clone());
        cx.send(Command::Fetch(Resource::Records(RecordsResource::Measured(path))));
    }
    let remote = &cx.model.values.records.measured;
    let Some((asked, columns)) = remote.value() else {
        let resource = Resource::Records(RecordsResource::Measured(form.asked.clone().unwrap_or_default()));
        return not_yet(cx, ui, remote, resource);
    };
    // While the answer to a newer question travels, the older one stands with its own lines.
    let columns = columns.clone();
    let is_old = form.asked.as_ref() != Some(asked);
    if is_old {
        ui.set_opacity(0.6);
    }
    graphs(cx, ui, snapshot, &columns, (from, to));
}

/// A line of a graph: its series and what was measured.
type Measured = (Series, Vec<[f64; 2]>);

fn graphs(cx: &Cx<'_>, ui: &mut Ui, snapshot: &Snapshot, columns: &ReadingColumns, period: (i64, i64)) {
    let lines: Vec<Measured> = columns
        .series
        .iter()
        .zip(&columns.values)
        .filter_map(|(name, values)| Some((name.parse::<Series>().ok()?, points(columns, values))))
        .collect();
    if lines.iter().all(|(_, points)| points.is_empty()) {
        widgets::empty(ui, Icon::Graph, cx.text(Text::MeasuredNone), cx.text(Text::MeasuredNoneSub));
        return;
    }
    // A place has one colour in all graphs.
    let places: BTreeSet<String> = lines.iter().map(|(series, _)| place_of(series)).collect();
    let places: Vec<String> = places.into_iter().collect();
    let colour = |series: &Series| places.iter().position(|place| *place == place_of(series)).unwrap_or(0);
    let quantities: BTreeSet<Quantity> = lines.iter().map(|(series, _)| series.quantity).collect();
    let height = if quantities.len() == 1 { GRAPH } else { GRAPH_OF_SEVERAL };
    for quantity in quantities {
        let own: Vec<(usize, &Measured)> = lines
            .iter()
            .filter(|(series, points)| series.quantity == quantity && !points.is_empty())
            .map(|line| (colour(&line.0), line))
            .collect();
        if own.is_empty() {
            let none = [cx.text(quantity_name(quantity))];
            widgets::weak(ui, &cx.fill(Text::MeasuredNoneOf, &none));
        } else {
            graph(cx, ui, snapshot, quantity, &own, period, height);
        }
        ui.add_space(tokens::GAP_S);
    }
}

/// Whether zero belongs into the graph: not where all values lie close together far from it.
const fn shows_zero(quantity: Quantity) -> bool {
    match quantity {
        Quantity::Energy | Quantity::VoltageL1 | Quantity::VoltageL2 | Quantity::VoltageL3 => false,
        Quantity::Power
        | Quantity::CurrentL1
        | Quantity::CurrentL2
        | Quantity::CurrentL3
        | Quantity::Setpoint
        | Quantity::Limit
        | Quantity::StateOfCharge
        | Quantity::Temperature => true,
    }
}

fn graph(
    cx: &Cx<'_>,
    ui: &mut Ui,
    snapshot: &Snapshot,
    quantity: Quantity,
    lines: &[(usize, &Measured)],
    (from, to): (i64, i64),
    height: f32,
) {
    let (unit, scale) = unit(quantity);
    let values = || lines.iter().flat_map(|(_, (_, points))| points.iter().map(|point| point[1] / scale));
    let high = values().fold(f64::MIN, f64::max);
    let low = if shows_zero(quantity) { values().fold(0.0, f64::min) } else { values().fold(f64::MAX, f64::min) };
    // A line of one value lies in the middle of a scale that can be read.
    let middle = if shows_zero(quantity) { 0.0 } else { (1.0 - (high - low)).max(0.0) / 2.0 };
    let (low, high) = (low - middle, high + middle);
    let room = (high - low).max(0.1) * 0.08;
    let count = lines.iter().map(|(_, (_, points))| points.len()).sum::<usize>().to_string();
    let title = cx.text(quantity_name(quantity));
    let name = cx.fill(Text::MeasuredGraph, &[title, &cx.local(&rfc3339(from)), &cx.local(&rfc3339(to)), &count]);
    legend(cx, ui, snapshot, title, lines);
    let style = Style { language: cx.language(), offset_min: cx.offset(from), unit, name: &name, height };
    let p = palette(ui);
    let plot = frame(quantity.name(), (from, to), f64::from(ui.available_width()), &style, p);
    let response = plot.show(ui, |plot_ui| {
        plot_ui.set_plot_bounds(PlotBounds::from_min_max(
            [to_f64(from), low - room.min(low.abs())],
            [to_f64(to), high + room],
        ));
        for (colour, (_, points)) in lines {
            for part in unbroken(points, (to - from) / STEPS) {
                let points: PlotPoints<'_> = part.iter().map(|point| [point[0], point[1] / scale]).collect();
                if part.len() == 1 {
                    let dot = egui_plot::Points::new("", points).radius(2.0).color(tokens::series(*colour));
                    plot_ui.points(dot.allow_hover(false));
                    continue;
                }
                plot_ui.line(Line::new("", points).color(tokens::series(*colour)).width(1.6).allow_hover(false));
            }
        }
    });
    response.response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &name));
    widgets::weak(ui, &name);
}

/// What was measured, holes left out.
fn points(columns: &ReadingColumns, values: &[Option<i64>]) -> Vec<[f64; 2]> {
    columns.at_ms.iter().zip(values).filter_map(|(at, value)| value.map(|value| [to_f64(*at), to_f64(value)])).collect()
}

/// Longest time between two readings that a line may cross: older ones are kept by the quarter of an hour.
const HOLE_MS: i64 = 20 * 60 * 1000;

/// The stretches without a hole: a line across one would say that something was measured.
fn unbroken(points: &[[f64; 2]], step_ms: i64) -> impl Iterator<Item = &[[f64; 2]]> {
    let longest = to_f64(HOLE_MS.max(3 * step_ms));
    points.chunk_by(move |one, next| next[0] - one[0] <= longest)
}

fn legend(cx: &Cx<'_>, ui: &mut Ui, snapshot: &Snapshot, title: &str, lines: &[(usize, &Measured)]) {
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(title).font(tokens::strong(13.0)));
        ui.add_space(6.0);
        for (colour, (series, points)) in lines {
            let (rect, _) = ui.allocate_exact_size(egui::vec2(12.0, 12.0), egui::Sense::hover());
            ui.painter().rect_filled(rect.shrink(1.0), 3.0, tokens::series(*colour));
            let (unit, scale) = unit(series.quantity);
            let newest = points.last().map_or(f64::NAN, |point| point[1] / scale);
            let place = place_name(cx, snapshot, &series.source);
            let value =
                if newest.is_nan() { format::UNKNOWN.to_owned() } else { format::number(newest, 1, cx.language()) };
            ui.label(RichText::new(format!("{place} {value} {unit}")).size(12.5));
            ui.add_space(6.0);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every kept quantity has words and a unit, and a place is a series without its quantity.
    #[test]
    fn every_quantity_has_words() {
        for quantity in Quantity::ALL {
            assert!(!unit(quantity).0.is_empty() && !quantity_name(quantity).get(api::Language::English).is_empty());
        }
        let series: Series = "charger/CP-01/1/power_w".parse().unwrap();
        assert_eq!(place_of(&series), "charger/CP-01/1");
    }

    /// Zero is part of a graph of currents, and would flatten one of voltages.
    #[test]
    fn graphs_of_voltages_do_not_begin_at_zero() {
        assert!(shows_zero(Quantity::Power) && shows_zero(Quantity::StateOfCharge));
        assert!(!shows_zero(Quantity::VoltageL1) && !shows_zero(Quantity::Energy));
    }

    /// A line stops where nothing was measured for longer than readings are apart.
    #[test]
    fn lines_do_not_cross_holes() {
        let at = |minutes: i64| [to_f64(minutes * 60_000), 1.0];
        let points = [at(0), at(15), at(30), at(90), at(100), at(300)];
        let parts: Vec<usize> = unbroken(&points, 5_000).map(<[_]>::len).collect();
        assert_eq!(parts, [3, 2, 1], "a single point is a part of its own: a dot");
    }

    /// A hole stays a hole.
    #[test]
    fn holes_are_left_out() {
        let columns = ReadingColumns { series: Vec::new(), at_ms: vec![0, 1000, 2000], values: Vec::new() };
        assert_eq!(points(&columns, &[Some(5), None, Some(7)]), [[0.0, 5.0], [2000.0, 7.0]]);
    }
}

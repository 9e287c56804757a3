//! Insight: energy by tenant, charger, day, month and hour of the day.

use super::{Cx, measured, not_yet, title};
use crate::command::{Command, Resource};
use crate::format;
use crate::icons::Icon;
use crate::text::Text;
use crate::tokens::{self, palette};
use crate::view::{Axis, InsightFilter, Page, Period};
use crate::widgets;
use api::{Snapshot, Usage, UsageRow};
use egui::accesskit::Role;
use egui::{Align, Layout, RichText, Ui, WidgetInfo};
use egui_plot::{Bar, BarChart, Plot};

/// Height of the chart.
const CHART: f32 = 260.0;

/// Which half of the page is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Half {
    /// Energy of sessions, summed.
    #[default]
    Sums,
    /// What meters and chargers measured.
    Measured,
}

/// What the page keeps between frames.
#[derive(Default)]
pub(crate) struct InsightState {
    half: Half,
    measured: measured::MeasuredForm,
}

/// Shows the page.
pub(crate) fn show(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut InsightState, snapshot: &Snapshot) {
    let wanted = cx.model.values.usage.is_wanted();
    cx.want(wanted, Resource::Usage);
    let wanted = cx.model.values.tenants.is_wanted();
    cx.want(wanted, Resource::Tenants);
    title(cx, ui, Page::Insight, |cx, ui| {
        let halves = [(Half::Sums, cx.text(Text::TabSums)), (Half::Measured, cx.text(Text::TabMeasured))];
        if let Some(half) = widgets::segmented(ui, cx.text(Text::Insight), &halves, state.half) {
            state.half = half;
        }
    });
    if state.half == Half::Measured {
        widgets::card(ui, |ui| measured::show(cx, ui, &mut state.measured, snapshot));
        return;
    }
    widgets::card(ui, |ui| {
        filters(cx, ui, snapshot);
        let remote = &cx.model.values.usage;
        let Some(usage) = remote.value() else { return not_yet(cx, ui, remote, Resource::Usage) };
        if usage.rows.is_empty() {
            widgets::empty(ui, Icon::Graph, cx.text(Text::InsightEmpty), cx.text(Text::InsightEmptySub));
            return;
        }
        summary(cx, ui, snapshot, usage);
        match cx.model.view.insight.axis {
            Axis::Tenant | Axis::Charger => ranking(cx, ui, usage),
            Axis::Day | Axis::Month | Axis::Hour => chart(cx, ui, usage),
        }
    });
}

fn filters(cx: &mut Cx<'_>, ui: &mut Ui, snapshot: &Snapshot) {
    let filter = cx.model.view.insight.clone();
    let mut changed = None;
    ui.horizontal_wrapped(|ui| {
        let axes = Axis::ALL.map(|axis| (axis, cx.text(axis.label())));
        if let Some(axis) = widgets::segmented(ui, cx.text(Text::InsightBy), &axes, filter.axis) {
            changed = Some(InsightFilter { axis, ..filter.clone() });
        }
        let periods = Period::ALL.map(|period| (period, cx.text(period.label())));
        if let Some(period) = widgets::segmented(ui, cx.text(Text::FilterPeriod), &periods, filter.period) {
            changed = Some(InsightFilter { period, ..filter.clone() });
        }
        let mut tenants = vec![(None, cx.text(Text::Everyone).to_owned())];
        let known = cx.model.values.tenants.value().into_iter().flatten().filter(|tenant| tenant.erased_at.is_none());
        tenants.extend(known.map(|tenant| (Some(tenant.id), tenant.form.name.clone())));
        if let Some(tenant_id) = widgets::select(ui, cx.text(Text::FilterTenant), &tenants, &filter.tenant_id, 170.0) {
            changed = Some(InsightFilter { tenant_id, ..filter.clone() });
        }
        let mut chargers = vec![(None, cx.text(Text::AllChargers).to_owned())];
        chargers.extend(snapshot.chargers.iter().map(|charger| (Some(charger.id.clone()), charger.name.clone())));
        if let Some(charger) = widgets::select(ui, cx.text(Text::FilterCharger), &chargers, &filter.charger, 170.0) {
            changed = Some(InsightFilter { charger, ..filter.clone() });
        }
    });
    if let Some(filter) = changed {
        cx.send(Command::SetInsight(filter));
    }
    ui.add_space(4.0);
}

fn summary(cx: &Cx<'_>, ui: &mut Ui, snapshot: &Snapshot, usage: &Usage) {
    let energy = format::energy(usage.energy_wh, cx.language());
    let text = cx.fill(Text::InsightTotal, &[&energy, &usage.sessions.to_string()]);
    ui.horizontal(|ui| {
        widgets::heading(ui, &text, tokens::TEXT_TITLE);
        if let Some(path) = crate::route::usage(&cx.model.view.insight, snapshot.at_ms) {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.hyperlink_to(cx.text(Text::InsightCsv), format!("/api/v1/{path}&format=csv"));
            });
        }
    });
    for pattern in patterns(cx, usage) {
        widgets::weak(ui, &pattern);
    }
    ui.add_space(6.0);
}

/// The days as they stand in a sentence, Monday first.
const WEEKDAYS: [Text; 7] = [
    Text::InWordsMonday,
    Text::InWordsTuesday,
    Text::InWordsWednesday,
    Text::InWordsThursday,
    Text::InWordsFriday,
    Text::InWordsSaturday,
    Text::InWordsSunday,
];

/// How people charge, in words; nothing is said where there is nothing to say it from.
fn patterns(cx: &Cx<'_>, usage: &Usage) -> Vec<String> {
    let mut said = Vec::new();
    if let Some(hour) = usage.busiest_hour {
        said.push(busiest(cx, usage, hour));
    }
    let days = usage.weekdays_wh.iter().zip(WEEKDAYS);
    if let Some((_, day)) = days.filter(|(wh, _)| **wh > 0).max_by_key(|(wh, _)| **wh) {
        said.push(cx.fill(Text::PatternDay, &[cx.text(day)]));
    }
    if let Some(mean) = usage.energy_wh.checked_div(u64::from(usage.sessions)) {
        let seconds = usage.connected_s.checked_div(u64::from(usage.sessions)).unwrap_or(0);
        let lasts = format::duration(i64::try_from(seconds).unwrap_or(0) * 1000);
        said.push(cx.fill(Text::PatternSession, &[&format::energy(mean, cx.language()), &lasts]));
    }
    said
}

/// The hour with the most energy, and how much of all lies within three hours around it.
fn busiest(cx: &Cx<'_>, usage: &Usage, hour: u8) -> String {
    let all: u64 = usage.hours_wh.iter().sum();
    let hours = [(hour + 23) % 24, hour, (hour + 1) % 24];
    let around: u64 = hours.iter().filter_map(|hour| usage.hours_wh.get(usize::from(*hour))).sum();
    let Some(percent) = (around * 100).checked_div(all) else {
        return cx.fill(Text::InsightBusiest, &[&hour.to_string()]);
    };
    let (from, to) = ((hour + 23) % 24, (hour + 2) % 24);
    cx.fill(Text::PatternBusiest, &[&hour.to_string(), &format!("{percent} %"), &from.to_string(), &to.to_string()])
}

/// Watt-hours as kilowatt-hours for drawing; no chart holds more than a float does exactly.
fn kwh(row: &UsageRow) -> f64 {
    f64::from(u32::try_from(row.energy_wh).unwrap_or(u32::MAX)) / 1000.0
}

fn chart(cx: &Cx<'_>, ui: &mut Ui, usage: &Usage) {
    let p = palette(ui);
    let bars: Vec<Bar> = usage
        .rows
        .iter()
        .zip(0_u32..)
        .map(|(row, place)| Bar::new(f64::from(place), kwh(row)).width(0.7).name(&row.bucket).fill(p.accent))
        .collect();
    let labels: Vec<String> = usage.rows.iter().map(|row| bucket_label(cx, row)).collect();
    let ticks = labels.clone();
    let response = Plot::new("usage")
        .height(CHART)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .show_x(false)
        .show_grid([false, true])
        .include_y(0.0)
        .y_axis_label("kWh")
        .x_axis_formatter(move |mark, _| {
            let place = crate::graph::paint::whole(mark.value);
            let whole = (mark.value - mark.value.round()).abs() < 0.01;
            usize::try_from(place).ok().filter(|_| whole).and_then(|at| ticks.get(at).cloned()).unwrap_or_default()
        })
        .show(ui, |plot| plot.bar_chart(BarChart::new("", bars).allow_hover(true)));
    let name = cx.fill(Text::InsightChart, &[&format::energy(usage.energy_wh, cx.language())]);
    response.response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &name));
    ui.add_space(8.0);
    // The same as a table: for screen readers, and for reading a value.
    let height = widgets::rest_of_window(ui, 560.0);
    widgets::scroll("usage-table", height).show(ui, |ui| {
        egui::Grid::new("usage-rows").num_columns(3).spacing([24.0, 6.0]).show(ui, |ui| {
            for (row, label) in usage.rows.iter().zip(&labels) {
                ui.label(RichText::new(label).size(13.5));
                ui.label(RichText::new(format::energy(row.energy_wh, cx.language())).size(13.5));
                widgets::weak(ui, &cx.fill(Text::InsightSessions, &[&row.sessions.to_string()]));
                ui.end_row();
            }
        });
    });
}

fn bucket_label(cx: &Cx<'_>, row: &UsageRow) -> String {
    match cx.model.view.insight.axis {
        Axis::Hour => format!("{} h", row.bucket),
        Axis::Day => {
            let at = crate::time::parse(&format!("{}T00:00:00Z", row.bucket));
            at.map_or_else(|| row.bucket.clone(), |ms| format::day_month(crate::time::civil(ms, 0), cx.language()))
        }
        Axis::Month | Axis::Tenant | Axis::Charger => row.bucket.clone(),
    }
}

/// Largest first, each with a bar as long as its part of the largest.
fn ranking(cx: &Cx<'_>, ui: &mut Ui, usage: &Usage) {
    let mut rows: Vec<&UsageRow> = usage.rows.iter().collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.energy_wh));
    let most = rows.first().map_or(1.0, |row| kwh(row)).max(0.001);
    let height = widgets::rest_of_window(ui, 300.0);
    widgets::scroll("usage-ranking", height).show(ui, |ui| {
        for row in rows {
            let name = match (row.name.as_str(), row.id.as_str()) {
                ("", "") => cx.text(Text::NoTenant).to_owned(),
                // Somebody who was erased.
                ("", id) => format!("# {id}"),
                (name, _) => name.to_owned(),
            };
            ui.columns(2, |columns| {
                if let [left, right] = columns {
                    widgets::strong_line(left, &name);
                    let energy = format::energy(row.energy_wh, cx.language());
                    let sessions = cx.fill(Text::InsightSessions, &[&row.sessions.to_string()]);
                    widgets::weak_line(right, &format!("{energy} · {sessions}"));
                }
            });
            // Narrowing is harmless: it is the length of a bar.
            let part = format!("{:.4}", kwh(row) / most).parse().unwrap_or(0.0_f32);
            widgets::bar(ui, part, widgets::Mood::Info);
            ui.add_space(4.0);
        }
    });
}

//! Paints a plan: bands, limits, hover and legend. Makes no decisions about values.

use super::axis::{time_marks, value_step};
use super::columns::to_f64;
use super::plan::Plan;
use crate::format;
use crate::text::Text;
use crate::tokens::{self, Palette, palette};
use crate::widgets::weak_line;
use api::Language;
use egui::accesskit::Role;
use egui::{Color32, RichText, Sense, Stroke, Ui, WidgetInfo};
use egui_plot::{FilledArea, GridInput, GridMark, HLine, Line, LineStyle, Plot, PlotBounds, PlotPoints, VLine};

/// How a graph is shown.
pub(crate) struct Style<'a> {
    /// Language of numbers.
    pub(crate) language: Language,
    /// Minutes the building's clocks are ahead of UTC.
    pub(crate) offset_min: i32,
    /// Unit of the values, `kW` or `A`.
    pub(crate) unit: &'a str,
    /// What a screen reader says.
    pub(crate) name: &'a str,
    /// Height in points.
    pub(crate) height: f32,
}

/// An empty graph with our axes and no interaction but hovering.
pub(crate) fn frame<'a>(id: &str, window: (i64, i64), width: f64, style: &Style<'a>, p: &Palette) -> Plot<'a> {
    let (from, to) = window;
    let (offset, language, unit) = (style.offset_min, style.language, style.unit.to_owned());
    let span = to - from;
    Plot::new(id.to_owned())
        .height(style.height)
        .allow_zoom(false)
        .allow_drag(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .allow_double_click_reset(false)
        .allow_axis_zoom_drag(false)
        .show_x(false)
        .show_y(false)
        .show_background(false)
        .show_crosshair(false)
        .show_grid([false, true])
        .grid_color(p.border)
        .grid_fade(0.0)
        .set_margin_fraction(egui::Vec2::ZERO)
        .sense(Sense::hover())
        .label_formatter(|_| None)
        .y_axis_min_width(40.0)
        .x_grid_spacer(move |input: GridInput| {
            let (marks, step) = time_marks(whole(input.bounds.0), whole(input.bounds.1), offset, width);
            marks.into_iter().map(|mark| GridMark { value: to_f64(mark), step_size: to_f64(step) }).collect()
        })
        .x_axis_formatter(move |mark, range| {
            let at = whole(mark.value);
            // A label at the very edge would hang out of the card.
            let edge = (range.end() - range.start()) * 0.025;
            if mark.value < range.start() + edge || mark.value > range.end() - edge {
                return String::new();
            }
            if span > 2 * crate::time::DAY_MS {
                let civil = crate::time::civil(at, offset);
                let is_midnight = civil.hour == 0 && civil.minute == 0;
                if is_midnight { format::day_month(civil, language) } else { String::new() }
            } else if span < 10 * crate::time::MINUTE_MS {
                format::clock_seconds(at, offset)
            } else {
                format::clock(at, offset)
            }
        })
        .y_grid_spacer(|input: GridInput| {
            let (low, high) = input.bounds;
            let step = value_step(high - low, 5.0);
            let first = (low / step).ceil();
            let marks = (0_u32..20).map(|n| (first + f64::from(n)) * step).take_while(|mark| *mark <= high);
            marks.map(|value| GridMark { value, step_size: step }).collect()
        })
        .y_axis_formatter(move |mark, _range| {
            let decimals = usize::from(mark.step_size < 1.0);
            format!("{} {unit}", format::number(mark.value, decimals, language))
        })
}

/// Milliseconds of a position on the time axis.
#[expect(clippy::cast_possible_truncation, reason = "positions on the axis are milliseconds since 1970")]
pub(crate) const fn whole(value: f64) -> i64 {
    value as i64
}

/// Paints the live graph.
pub(crate) fn show(ui: &mut Ui, plan: &Plan, style: &Style<'_>) {
    let p = palette(ui);
    let window = (plan.window.from_ms, plan.window.to_ms);
    let plot = frame("load", window, f64::from(ui.available_width()), style, p);
    let response = plot.show(ui, |plot_ui| {
        let bounds = PlotBounds::from_min_max([to_f64(window.0), plan.low], [to_f64(window.1), plan.high]);
        plot_ui.set_plot_bounds(bounds);
        for segment in &plan.columns.segments {
            paint_segment(plot_ui, plan, segment.clone(), p);
        }
        plot_ui.hline(HLine::new("limit", plan.limit).color(p.bad).width(1.5));
        let margin = HLine::new("margin", plan.limit_less_margin).color(p.warn).width(1.2);
        plot_ui.hline(margin.style(LineStyle::Dashed { length: 7.0 }));
        let hovered = plot_ui.pointer_coordinate().filter(|_| plot_ui.response().hovered());
        let column = hovered.and_then(|point| plan.nearest(point.x));
        if let Some(at) = column.and_then(|column| plan.columns.at_ms.get(column)) {
            plot_ui.vline(VLine::new("hover", *at).color(p.total).width(1.0));
        }
        column
    });
    response.response.widget_info(|| WidgetInfo::labeled(Role::Image, true, style.name));
    if let Some(column) = response.inner {
        response.response.on_hover_ui_at_pointer(|ui| tooltip(ui, plan, column, style));
    }
}

fn paint_segment<'a>(plot_ui: &mut egui_plot::PlotUi<'a>, plan: &Plan, segment: std::ops::Range<usize>, p: &Palette) {
    let slice = |values: &'_ Vec<f64>| values.get(segment.clone()).unwrap_or_default().to_vec();
    let xs = slice(&plan.columns.at_ms);
    if xs.len() < 2 {
        return;
    }
    let dense = xs.len() * 2 > usize::try_from(plan.window.width_px).unwrap_or(usize::MAX);
    let mut below: Vec<f64> = vec![0.0; xs.len()];
    for (index, boundary) in plan.columns.boundaries.iter().enumerate() {
        let above = slice(boundary);
        let color = if index == 0 { p.house } else { tokens::series(index - 1) };
        if above != below {
            plot_ui.add(FilledArea::new("", &xs, &below, &above).fill_color(color.gamma_multiply(0.85)));
            // A seam in the colour of the card separates neighbours and smooths their edge; where every pixel
            // has a value of its own, seams would cover what they separate.
            if !dense {
                let points: PlotPoints<'a> = xs.iter().zip(&above).map(|(x, y)| [*x, *y]).collect();
                plot_ui.line(Line::new("", points).color(p.surface).width(1.0).allow_hover(false));
            }
        }
        below = above;
    }
    // Peaks that the mean of a column hides stand as a shade above the total.
    let peak = slice(&plan.columns.peak);
    plot_ui.add(FilledArea::new("", &xs, &below, &peak).fill_color(p.total.gamma_multiply(0.22)));
    let line: PlotPoints<'a> = xs.iter().zip(&below).map(|(x, y)| [*x, *y]).collect();
    let (ink, width) = if dense { (p.total.gamma_multiply(0.5), 0.8) } else { (p.total, 1.3) };
    plot_ui.line(Line::new("", line).color(ink).width(width).allow_hover(false));
}

/// Most chargers listed one by one under the pointer.
const TOOLTIP_ROWS: usize = 12;

fn tooltip(ui: &mut Ui, plan: &Plan, column: usize, style: &Style<'_>) {
    let p = palette(ui);
    let at = plan.columns.at_ms.get(column).copied().unwrap_or_default();
    let value = |value: f64| format!("{} {}", format::number(value, 1, style.language), style.unit);
    let words = |text: Text| text.get(style.language);
    ui.set_max_width(260.0);
    ui.spacing_mut().item_spacing.y = 2.0;
    ui.spacing_mut().interact_size.y = 16.0;
    ui.label(RichText::new(format::clock_seconds(whole(at), style.offset_min)).font(tokens::strong(13.0)));
    row(ui, p.total, words(Text::Total), &value(plan.total(column)));
    let peak = plan.columns.peak.get(column).copied().unwrap_or_default();
    if peak > plan.total(column) + 0.05 {
        row(ui, p.total.gamma_multiply(0.4), words(Text::Peak), &value(peak));
    }
    let active: Vec<usize> = (0..plan.bands.len()).rev().filter(|band| plan.charger(*band, column) > 0.02).collect();
    for band in active.iter().take(TOOLTIP_ROWS).copied() {
        let name = plan.bands.get(band).map_or("", |band| band.name.as_str());
        row(ui, tokens::series(band), name, &value(plan.charger(band, column)));
    }
    if active.len() > TOOLTIP_ROWS {
        let rest = active.len() - TOOLTIP_ROWS;
        let sum: f64 = active.iter().skip(TOOLTIP_ROWS).map(|band| plan.charger(*band, column)).sum();
        row(ui, p.text_weak, &Text::Others.fill(style.language, &[&rest.to_string()]), &value(sum));
    }
    row(ui, p.house, words(Text::Building), &value(plan.house(column)));
    row(ui, p.bad, words(Text::Limit), &value(plan.limit));
    row(ui, p.warn, words(Text::LimitLessMargin), &value(plan.limit_less_margin));
}

fn row(ui: &mut Ui, color: Color32, name: &str, value: &str) {
    ui.horizontal(|ui| {
        let (rect, _) = ui.allocate_exact_size(egui::vec2(10.0, 16.0), Sense::hover());
        ui.painter().rect_filled(egui::Rect::from_center_size(rect.center(), egui::Vec2::splat(9.0)), 2.5, color);
        ui.allocate_ui(egui::vec2(150.0, 16.0), |ui| {
            ui.set_min_width(150.0);
            weak_line(ui, name);
        });
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            ui.label(RichText::new(value).font(tokens::strong(12.5)));
        });
    });
}

/// Names and colours of what the graph shows; chargers that draw nothing in the window are left out.
pub(crate) fn legend(ui: &mut Ui, plan: &Plan, language: Language) {
    let p = palette(ui);
    crate::widgets::scroll("legend", 44.0).show(ui, |ui| {
        ui.spacing_mut().interact_size.y = 18.0;
        ui.spacing_mut().item_spacing = egui::vec2(14.0, 4.0);
        ui.horizontal_wrapped(|ui| {
            entry(ui, Swatch::Area(p.house), Text::Building.get(language));
            for (index, band) in plan.bands.iter().enumerate() {
                if plan.is_active(index) {
                    entry(ui, Swatch::Area(tokens::series(band.color)), &band.name);
                }
            }
            entry(ui, Swatch::Line(p.bad), Text::Limit.get(language));
            entry(ui, Swatch::Dashes(p.warn), Text::LimitLessMargin.get(language));
        });
    });
}

enum Swatch {
    Area(Color32),
    Line(Color32),
    Dashes(Color32),
}

/// Widest name in the legend, in points; longer ones are elided.
const LEGEND_NAME_WIDTH: f32 = 150.0;

fn entry(ui: &mut Ui, swatch: Swatch, name: &str) {
    let p = palette(ui);
    let font = egui::FontId::proportional(tokens::TEXT_SMALL);
    let mut job = egui::text::LayoutJob::simple_singleline(name.to_owned(), font, p.text_weak);
    job.wrap = egui::text::TextWrapping::truncate_at_width(LEGEND_NAME_WIDTH);
    let galley = ui.painter().layout_job(job);
    let size = egui::vec2(galley.size().x + 17.0, 18.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let mark = egui::Rect::from_center_size(rect.left_center() + egui::vec2(5.5, 0.0), egui::vec2(11.0, 11.0));
    match swatch {
        Swatch::Area(color) => {
            ui.painter().rect_filled(mark, 3.0, color);
        }
        Swatch::Line(color) => {
            ui.painter().hline(mark.x_range(), mark.center().y, Stroke::new(2.0, color));
        }
        Swatch::Dashes(color) => {
            let points = [mark.left_center(), mark.right_center()];
            ui.painter().add(egui::Shape::dashed_line(&points, Stroke::new(2.0, color), 4.0, 3.0));
        }
    }
    let elided = galley.elided;
    ui.painter().galley(rect.left_center() + egui::vec2(17.0, -galley.size().y / 2.0), galley, p.text_weak);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, name));
    if elided {
        response.on_hover_text(name);
    }
}

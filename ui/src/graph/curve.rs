//! The load curve of one session.

use super::columns::to_f64;
use super::paint::{Style, frame};
use crate::tokens::palette;
use api::ReadingColumns;
use egui::accesskit::Role;
use egui::{Ui, WidgetInfo};
use egui_plot::{FilledArea, Line, PlotBounds, PlotPoints};

/// Power over time in kW, holes left out: `(milliseconds, kW)`.
pub(crate) fn points(columns: &ReadingColumns) -> Vec<(f64, f64)> {
    let of_connector = |name: &&String| name.starts_with("charger/") && name.ends_with("/power_w");
    let Some(power) = columns.series.iter().position(|name| of_connector(&name)) else { return Vec::new() };
    let values = columns.values.get(power).map(Vec::as_slice).unwrap_or_default();
    columns
        .at_ms
        .iter()
        .zip(values)
        .filter_map(|(at, value)| value.map(|watts| (to_f64(*at), to_f64(watts) / 1000.0)))
        .collect()
}

/// Paints it.
pub(crate) fn show(ui: &mut Ui, points: &[(f64, f64)], style: &Style<'_>) {
    let p = palette(ui);
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return };
    let window = (super::paint::whole(first.0), super::paint::whole(last.0).max(super::paint::whole(first.0) + 60_000));
    let peak = points.iter().map(|point| point.1).fold(1.0, f64::max);
    let plot = frame("curve", window, f64::from(ui.available_width()), style, p);
    let response = plot.show(ui, |plot_ui| {
        let bounds = PlotBounds::from_min_max([to_f64(window.0), 0.0], [to_f64(window.1), peak * 1.1]);
        plot_ui.set_plot_bounds(bounds);
        let xs: Vec<f64> = points.iter().map(|point| point.0).collect();
        let ys: Vec<f64> = points.iter().map(|point| point.1).collect();
        plot_ui.add(FilledArea::new("", &xs, &vec![0.0; xs.len()], &ys).fill_color(p.accent.gamma_multiply(0.18)));
        let line: PlotPoints<'_> = points.iter().map(|point| [point.0, point.1]).collect();
        plot_ui.line(Line::new("", line).color(p.accent).width(2.0).allow_hover(false));
    });
    response.response.widget_info(|| WidgetInfo::labeled(Role::Image, true, style.name));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Watts become kW and holes are left out, whatever column the power is in.
    #[test]
    fn finds_the_power_column() {
        let columns = ReadingColumns {
            series: vec!["charger/A/1/set_ma".to_owned(), "charger/A/1/power_w".to_owned()],
            at_ms: vec![0, 5_000],
            values: vec![vec![Some(8000), Some(8000)], vec![Some(1840), None]],
        };
        assert_eq!(points(&columns), [(0.0, 1.84)]);
        assert!(points(&ReadingColumns::default()).is_empty(), "no columns, no points");
    }
}

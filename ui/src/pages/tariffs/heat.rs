//! The week of a tariff as a heat map: a row per day, a column per quarter of an hour.

use crate::pages::Cx;
use crate::text::Text;
use crate::tokens::{self, palette};
use api::{TariffCalendar, TariffHolidays, TariffVersion};
use egui::accesskit::Role;
use egui::{Align2, Color32, FontId, Rect, RichText, Sense, Ui, WidgetInfo, pos2, vec2};

const ROW: f32 = 17.0;
const LABEL: f32 = 78.0;

/// Days of the week and holiday, in the order of the calendar.
pub(super) const DAYS: [Text; 8] = [
    Text::Monday,
    Text::Tuesday,
    Text::Wednesday,
    Text::Thursday,
    Text::Friday,
    Text::Saturday,
    Text::Sunday,
    Text::Holiday,
];

/// Shows both halves of the year, or one map where they are the same.
pub(super) fn show(cx: &Cx<'_>, ui: &mut Ui, version: &TariffVersion, calendar: &TariffCalendar) {
    if calendar.summer == calendar.winter {
        map(cx, ui, Text::WholeYear, version, &calendar.summer);
    } else {
        map(cx, ui, Text::WinterTime, version, &calendar.winter);
        ui.add_space(tokens::GAP_S);
        map(cx, ui, Text::SummerTime, version, &calendar.summer);
    }
    legend(ui, version);
}

/// The colour of a period: the dearer, the warmer.
fn color(ui: &Ui, version: &TariffVersion, period: usize) -> Color32 {
    let price = |index: usize| {
        version.energy.periods.get(index).and_then(|period| period.price_per_kwh.parse::<f64>().ok()).unwrap_or(0.0)
    };
    let mut prices: Vec<f64> = (0..version.energy.periods.len()).map(price).collect();
    prices.sort_by(f64::total_cmp);
    let place = prices.iter().position(|known| *known >= price(period)).unwrap_or(0);
    let p = palette(ui);
    let steps = [p.good_low, p.warn_low, p.bad_low];
    let full = [p.good, p.warn, p.bad];
    let index = if prices.len() <= 1 { 0 } else { (place * 2).div_ceil(prices.len().saturating_sub(1)).min(2) };
    let (low, high) = (steps.get(index).copied().unwrap_or(p.info_low), full.get(index).copied().unwrap_or(p.info));
    low.lerp_to_gamma(high, 0.35)
}

fn map(cx: &Cx<'_>, ui: &mut Ui, title: Text, version: &TariffVersion, days: &[Vec<Option<u8>>]) {
    let p = palette(ui);
    // Without a calendar of holidays no day is one.
    let has_holidays = version.energy.holidays != TariffHolidays::None;
    let rows: u8 = if has_holidays { 8 } else { 7 };
    let height = ROW * f32::from(rows) + 34.0;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
    let name = format!("{} {} {}", cx.text(Text::HeatMap), version.name, cx.text(title));
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &name));
    let painter = ui.painter();
    let small = FontId::proportional(11.0);
    painter.text(rect.min, Align2::LEFT_TOP, cx.text(title), tokens::strong(12.0), p.text);
    let top = rect.top() + 20.0;
    let quarter = (rect.width() - LABEL) / 96.0;
    for (row, (label, day)) in DAYS.iter().zip(days).take(usize::from(rows)).enumerate() {
        let y = top + ROW * f32::from(u8::try_from(row).unwrap_or(0));
        painter.text(
            pos2(rect.left(), y + ROW / 2.0),
            Align2::LEFT_CENTER,
            cx.text(*label),
            small.clone(),
            p.text_weak,
        );
        let mut from = 0_usize;
        while from < day.len() {
            let period = day.get(from).copied().flatten();
            let to = day.iter().skip(from).position(|next| *next != period).map_or(day.len(), |run| from + run);
            let x = |index: usize| rect.left() + LABEL + quarter * f32::from(u8::try_from(index).unwrap_or(96));
            let cell = Rect::from_min_max(pos2(x(from), y + 1.0), pos2(x(to) - 0.5, y + ROW - 1.0));
            let fill = period.map_or(p.surface_low, |period| color(ui, version, usize::from(period)));
            painter.rect_filled(cell, 2.0, fill);
            if period.is_none() {
                painter.text(cell.center(), Align2::CENTER_CENTER, "?", small.clone(), p.bad);
            }
            from = to;
        }
    }
    let base = top + ROW * f32::from(rows) + 2.0;
    for hour in [0_u8, 4, 8, 12, 16, 20, 24] {
        let x = rect.left() + LABEL + quarter * 4.0 * f32::from(hour);
        let align = if hour == 24 { Align2::RIGHT_TOP } else { Align2::LEFT_TOP };
        painter.text(pos2(x, base), align, format!("{hour:02}:00"), FontId::proportional(10.0), p.text_weak);
    }
}

fn legend(ui: &mut Ui, version: &TariffVersion) {
    ui.horizontal_wrapped(|ui| {
        for (index, period) in version.energy.periods.iter().enumerate() {
            let (rect, _) = ui.allocate_exact_size(vec2(12.0, 12.0), Sense::hover());
            ui.painter().rect_filled(rect, 3.0, color(ui, version, index));
            let text = format!("{} {}", period.name, period.price_per_kwh);
            ui.label(RichText::new(text).size(tokens::TEXT_SMALL).color(palette(ui).text_weak));
            ui.add_space(8.0);
        }
    });
}

//! Energy per day as bars.

use super::canvas::{Align, Canvas, INNER, MARGIN, Style, Tone, Weight};
use super::format::Language;
use rust_decimal::Decimal;

const HEIGHT: f32 = 86.0;
const AXIS: f32 = 30.0;

/// Draws a bar per day, with a scale of round numbers, from the canvas' place on.
pub(super) fn days(canvas: &mut Canvas, language: Language, days_wh: &[u64]) {
    let most = days_wh.iter().copied().max().unwrap_or(0);
    let step = step_wh(most);
    let top_wh = most.div_ceil(step).max(1) * step;
    let base = canvas.y + HEIGHT;
    let small = Style::new(6.8, Weight::Regular, Tone::Grey);
    let mut mark = 0;
    while mark <= top_wh {
        let y = base - HEIGHT * part(mark, top_wh);
        canvas.rule(MARGIN + AXIS, y, INNER - AXIS);
        let label = language.number(Decimal::from(mark) / Decimal::ONE_THOUSAND, 0);
        canvas.text((MARGIN + AXIS - 6.0, y + 2.4), Align::Right, small, &label);
        mark += step;
    }
    let slot = (INNER - AXIS) / part_count(days_wh.len());
    for (index, wh) in days_wh.iter().enumerate() {
        let x = MARGIN + AXIS + slot * count(index);
        let high = HEIGHT * part(*wh, top_wh);
        if *wh > 0 {
            canvas.area((x + slot * 0.18, base - high), (slot * 0.64, high), Tone::Accent);
        }
        let day = (index + 1).to_string();
        canvas.text((x + slot / 2.0, base + 10.0), Align::Center, small, &day);
    }
    canvas.y = base + 16.0;
}

/// A round step that gives two to five lines.
fn step_wh(most: u64) -> u64 {
    let mut step = 1_000;
    loop {
        for times in [1, 2, 5] {
            if most.div_ceil(step * times) <= 4 {
                return step * times;
            }
        }
        step *= 10;
    }
}

#[expect(clippy::cast_precision_loss, reason = "a length on paper")]
fn part(wh: u64, of: u64) -> f32 {
    wh as f32 / of.max(1) as f32
}

#[expect(clippy::cast_precision_loss, reason = "at most 31 days")]
fn count(days: usize) -> f32 {
    days as f32
}

fn part_count(days: usize) -> f32 {
    count(days.max(1))
}

//! Tables that run over pages, with their head on each.

use super::canvas::{Align, BOTTOM, Canvas, INNER, MARGIN, Style, Tone, Weight, fitted, shrunk};

/// A column.
pub(super) struct Column {
    pub(super) head: String,
    /// Part of the width, all columns together 1.
    pub(super) part: f32,
    pub(super) align: Align,
}

/// A cell.
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) weight: Weight,
    pub(super) tone: Tone,
}

impl Cell {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), weight: Weight::Regular, tone: Tone::Ink }
    }

    pub(super) fn grey(text: impl Into<String>) -> Self {
        Self { tone: Tone::Grey, ..Self::new(text) }
    }

    pub(super) fn bold(text: impl Into<String>) -> Self {
        Self { weight: Weight::Bold, ..Self::new(text) }
    }

    pub(super) fn amber(text: impl Into<String>) -> Self {
        Self { tone: Tone::Amber, ..Self::new(text) }
    }
}

/// Height of a row.
const ROW: f32 = 16.5;
const HEAD: f32 = 18.0;
const SIZE: f32 = 8.6;
const PAD: f32 = 6.0;

/// Draws a table from the canvas' place on.
pub(super) fn table(canvas: &mut Canvas, columns: &[Column], rows: &[Vec<Cell>]) {
    // A head without a row below it helps nobody.
    if canvas.y + HEAD + ROW > BOTTOM {
        canvas.new_page();
    }
    head(canvas, columns);
    for (index, row) in rows.iter().enumerate() {
        if canvas.y + ROW > BOTTOM {
            canvas.new_page();
            head(canvas, columns);
        }
        if index % 2 == 1 {
            canvas.area((MARGIN, canvas.y), (INNER, ROW), Tone::Zebra);
        }
        let base = canvas.y + ROW - 5.2;
        let mut x = MARGIN;
        for (column, cell) in columns.iter().zip(row) {
            let wide = column.part * INNER;
            let style = Style::new(SIZE, cell.weight, cell.tone);
            let room = wide - 2.0 * PAD + 2.0;
            let style = shrunk(&cell.text, style, room);
            let text = fitted(&cell.text, style, room);
            canvas.text((edge(x, wide, column.align), base), column.align, style, &text);
            x += wide;
        }
        canvas.y += ROW;
    }
    canvas.rule(MARGIN, canvas.y, INNER);
}

fn head(canvas: &mut Canvas, columns: &[Column]) {
    let base = canvas.y + HEAD - 6.0;
    let mut x = MARGIN;
    for column in columns {
        let wide = column.part * INNER;
        let style = Style::new(7.6, Weight::Bold, Tone::Grey);
        let style = shrunk(&column.head, style, wide - 2.0 * PAD + 2.0);
        let text = fitted(&column.head, style, wide - PAD);
        canvas.text((edge(x, wide, column.align), base), column.align, style, &text);
        x += wide;
    }
    canvas.y += HEAD;
    canvas.area((MARGIN, canvas.y - 1.0), (INNER, 1.0), Tone::Accent);
}

const fn edge(x: f32, wide: f32, align: Align) -> f32 {
    match align {
        Align::Left => x + PAD,
        Align::Right => x + wide - PAD,
        Align::Center => x + wide / 2.0,
    }
}

//! What statement and summary have in common: head, cards, section titles, footer.

use super::Setting;
use super::canvas::{
    Align, BOTTOM, Canvas, INNER, MARGIN, PAGE, Style, Tone, Weight, Written, fitted, shrunk, width, wrapped,
};
use crate::Month;
use krilla::metadata::{DateTime, Metadata};

/// Logo, name and address on the left; title, month and state on the right.
pub(super) fn head(canvas: &mut Canvas, setting: &Setting<'_>, title: &str, month: Month) {
    let top = MARGIN - 8.0;
    let taken = canvas.logo((MARGIN, top), (120.0, 46.0));
    let x = if taken > 0.0 { MARGIN + taken + 14.0 } else { MARGIN };
    let large = Style::new(16.0, Weight::Bold, Tone::Accent);
    let room = PAGE.0 - MARGIN - width(title, large).max(150.0) - 18.0 - x;
    let name = Style::new(11.5, Weight::Bold, Tone::Ink);
    let lines = two_lines(&setting.letterhead.name, name, room);
    let lower = 12.0 * line_number(lines.len().saturating_sub(1));
    for (index, line) in lines.iter().enumerate() {
        let name = shrunk(line, name, room);
        let y = top + 12.0 + 13.0 * line_number(index);
        canvas.text((x, y), Align::Left, name, &fitted(line, name, room));
    }
    let small = Style::new(8.0, Weight::Regular, Tone::Grey);
    for (index, line) in setting.letterhead.lines.iter().take(4).enumerate() {
        let y = top + 24.0 + lower + 10.5 * line_number(index);
        canvas.text((x, y), Align::Left, small, &fitted(line, small, room));
    }
    let right = PAGE.0 - MARGIN;
    canvas.text((right, top + 15.0), Align::Right, large, title);
    let medium = Style::new(11.0, Weight::Regular, Tone::Ink);
    canvas.text((right, top + 31.0), Align::Right, medium, &setting.language.month(month));
    if setting.seal.is_none() {
        let style = Style::new(7.5, Weight::Bold, Tone::Amber);
        canvas.text((right, top + 45.0), Align::Right, style, setting.language.text().preview);
    }
    // Two lines of a name and two of an address need no more room than one and three.
    let below = if setting.letterhead.lines.len() > 2 { top + 62.0 + lower } else { top + 62.0 };
    canvas.area((MARGIN, below), (INNER, 1.4), Tone::Accent);
    canvas.y = below + 20.0;
}

/// A name on one line or two; what the second cannot hold is cut by whoever writes it.
pub(super) fn two_lines(text: &str, style: Style, room: f32) -> Vec<String> {
    let mut lines = wrapped(text, style, room);
    let rest = lines.split_off(lines.len().min(1)).join(" ");
    lines.extend((!rest.is_empty()).then_some(rest));
    lines
}

fn line_number(index: usize) -> f32 {
    f32::from(u16::try_from(index).unwrap_or(0))
}

/// Label and value in two columns at `x`.
pub(super) fn facts(canvas: &mut Canvas, (x, room): (f32, f32), facts: &[(&str, String)]) -> f32 {
    let label = Style::new(8.4, Weight::Regular, Tone::Grey);
    let value = Style::new(8.4, Weight::Regular, Tone::Ink);
    let mut y = canvas.y + 9.0;
    for (name, text) in facts.iter().filter(|(_, text)| !text.is_empty()) {
        canvas.text((x, y), Align::Left, label, name);
        let left = room - width(name, label) - 8.0;
        canvas.text((x + room, y), Align::Right, value, &fitted(text, value, left));
        y += 13.0;
    }
    y
}

/// A figure in large print.
pub(super) struct Card<'a> {
    pub(super) label: &'a str,
    pub(super) figure: String,
    pub(super) below: String,
    pub(super) accented: bool,
}

/// Cards beside each other over the whole width.
pub(super) fn cards(canvas: &mut Canvas, cards: &[Card<'_>]) {
    const HIGH: f32 = 58.0;
    const GAP: f32 = 10.0;
    let count = line_number(cards.len()).max(1.0);
    let wide = (INNER - GAP * (count - 1.0)) / count;
    for (index, card) in cards.iter().enumerate() {
        let x = MARGIN + (wide + GAP) * line_number(index);
        let (back, label, figure) =
            if card.accented { (Tone::Accent, Tone::White, Tone::White) } else { (Tone::Tint, Tone::Grey, Tone::Ink) };
        canvas.area((x, canvas.y), (wide, HIGH), back);
        let room = wide - 24.0;
        canvas.text((x + 12.0, canvas.y + 17.0), Align::Left, Style::new(8.2, Weight::Regular, label), card.label);
        let large = Style::new(17.0, Weight::Bold, figure);
        canvas.text((x + 12.0, canvas.y + 37.0), Align::Left, large, &fitted(&card.figure, large, room));
        let small = Style::new(7.4, Weight::Regular, label);
        canvas.text((x + 12.0, canvas.y + 50.0), Align::Left, small, &fitted(&card.below, small, room));
    }
    canvas.y += HIGH + 20.0;
}

/// Title of a section; begins a page when less than `needs` is left below it.
pub(super) fn section(canvas: &mut Canvas, title: &str, needs: f32) {
    if canvas.y + 16.0 + needs > BOTTOM {
        canvas.new_page();
    }
    canvas.text((MARGIN, canvas.y + 9.0), Align::Left, Style::new(10.5, Weight::Bold, Tone::Ink), title);
    canvas.y += 16.0;
}

/// Small print over the whole width.
pub(super) fn small_print(canvas: &mut Canvas, text: &str) {
    let style = Style::new(7.6, Weight::Regular, Tone::Grey);
    for line in wrapped(text, style, INNER) {
        if canvas.y + 12.0 > BOTTOM {
            canvas.new_page();
        }
        canvas.text((MARGIN, canvas.y + 9.0), Align::Left, style, &line);
        canvas.y += 11.0;
    }
}

/// Not an invoice, the seal and the page number under every page; what it is about above every page but the first.
pub(super) fn footer(canvas: &mut Canvas, setting: &Setting<'_>, about: &str) {
    let text = setting.language.text();
    let seal = setting.seal.map(|seal| format!("{} {} · SHA-256 {}", text.chain, seal.number, seal.hash));
    canvas.on_every_page(|page, pages| {
        let bold = Style::new(7.8, Weight::Bold, Tone::Ink);
        let small = Style::new(6.6, Weight::Regular, Tone::Grey);
        let y = PAGE.1 - 40.0;
        let mut all = vec![
            Written::Rule { x: MARGIN, y: y - 13.0, w: INNER },
            Written::Text { at: (MARGIN, y), align: Align::Left, style: bold, text: text.not_an_invoice.to_owned() },
            Written::Text {
                at: (PAGE.0 - MARGIN, y),
                align: Align::Right,
                style: Style::new(7.8, Weight::Regular, Tone::Grey),
                text: format!("{} {page} {} {pages}", text.page, text.of),
            },
        ];
        all.extend(seal.clone().map(|text| Written::Text {
            at: (MARGIN, y + 12.0),
            align: Align::Left,
            style: small,
            text,
        }));
        if page > 1 {
            let style = Style::new(7.8, Weight::Regular, Tone::Grey);
            let text = fitted(&format!("{about} · {}", setting.letterhead.name), style, INNER);
            all.push(Written::Text { at: (MARGIN, MARGIN - 14.0), align: Align::Left, style, text });
        }
        all
    });
}

/// What the file says about itself.
pub(super) fn metadata(setting: &Setting<'_>, title: String) -> Metadata {
    let mut metadata = Metadata::new()
        .title(title)
        .language(setting.language.code().to_owned())
        .authors(vec![setting.letterhead.name.clone()])
        .creator("Meshwatt".to_owned());
    if let Some(date) = setting.seal.map(|seal| seal.closed_on) {
        let part = |value: i8| u8::try_from(value).unwrap_or(1);
        let year = u16::try_from(date.year()).unwrap_or(0);
        metadata = metadata.creation_date(DateTime::new(year).month(part(date.month())).day(part(date.day())));
    }
    metadata
}

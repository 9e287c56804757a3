//! One tenant's statement as PDF.

use super::canvas::{Align, Canvas, INNER, MARGIN, PAGE, PdfError, Style, Tone, Weight, fitted, shrunk};
use super::format::Language;
use super::parts::{Card, cards, facts, footer, head, metadata, section, small_print, two_lines};
use super::table::{Cell, Column, table};
use super::text::Text;
use super::{Setting, chart};
use crate::{Amount, Category, Line, SessionLine, Statement, TaxLine, TaxRate};
use rust_decimal::Decimal;

/// A tenant's statement, or the building's own part, as a PDF of A4 pages.
///
/// # Errors
/// When a font or the library fails; never because of the figures or the names.
pub fn statement_pdf(statement: &Statement, setting: &Setting<'_>) -> Result<Vec<u8>, PdfError> {
    let (text, language) = (setting.language.text(), setting.language);
    let mut canvas = Canvas::new(setting.letterhead.logo.as_ref());
    head(&mut canvas, setting, text.title, statement.month);
    addressee(&mut canvas, statement, setting);
    cards(&mut canvas, &figures(statement, language));
    section(&mut canvas, text.per_day, 110.0);
    canvas.y += 6.0;
    chart::days(&mut canvas, language, &statement.days_wh);
    canvas.y += 14.0;
    section(&mut canvas, text.costs, 60.0);
    costs(&mut canvas, statement, language);
    canvas.y += 16.0;
    section(&mut canvas, text.sessions, 60.0);
    sessions(&mut canvas, statement, setting);
    canvas.y += 8.0;
    small_print(&mut canvas, &mid_note(statement, language));
    small_print(&mut canvas, text.session_shares);
    small_print(&mut canvas, text.rounding);
    let person = setting.person(statement.tenant.as_deref());
    let month = language.month(statement.month);
    footer(&mut canvas, setting, &format!("{} · {month} · {}", text.title, person.name));
    canvas.finish(metadata(setting, format!("{} {month} {}", text.title, person.name)))
}

fn addressee(canvas: &mut Canvas, statement: &Statement, setting: &Setting<'_>) {
    let (text, language) = (setting.language.text(), setting.language);
    let person = setting.person(statement.tenant.as_deref());
    let half = INNER / 2.0 - 20.0;
    let label = Style::new(8.2, Weight::Regular, Tone::Grey);
    let name = Style::new(12.5, Weight::Bold, Tone::Ink);
    let unit = Style::new(9.5, Weight::Regular, Tone::Ink);
    let top = canvas.y;
    canvas.text((MARGIN, top + 8.0), Align::Left, label, text.tenant);
    // A name is what the paper is about: a long one takes two lines before any of it is cut.
    let lines = two_lines(&person.name, name, half);
    let mut y = top + 24.0;
    for line in &lines {
        let name = shrunk(line, name, half);
        canvas.text((MARGIN, y), Align::Left, name, &fitted(line, name, half));
        y += 15.0;
    }
    if !person.unit.is_empty() {
        let line = format!("{} {}", text.unit, person.unit);
        canvas.text((MARGIN, y - 1.0), Align::Left, unit, &fitted(&line, unit, half));
        y += 13.0;
    }
    let dates: Vec<_> = statement.month.dates().collect();
    let ends = dates.first().zip(dates.last());
    let period = ends.map(|(first, last)| format!("{} – {}", language.date(*first), language.date(*last)));
    let right = PAGE.0 - MARGIN - half;
    let below = facts(
        canvas,
        (right, half),
        &[
            (text.period, period.unwrap_or_default()),
            (text.number, setting.seal.map(|seal| format!("{}/{}", statement.month, seal.number)).unwrap_or_default()),
            (text.closed_on, setting.seal.map(|seal| language.date(seal.closed_on)).unwrap_or_default()),
        ],
    );
    canvas.y = below.max(top + 46.0).max(y - 5.0) + 8.0;
}

fn figures<'a>(statement: &Statement, language: Language) -> [Card<'a>; 3] {
    let text = language.text();
    let against = |change: Option<String>| match (statement.previous, change) {
        (Some(_), Some(change)) => format!("{change} {}", text.last_month),
        (Some(_) | None, _) => text.no_last_month.to_owned(),
    };
    let signed = |wh: u64| i64::try_from(wh).unwrap_or(i64::MAX);
    let energy =
        statement.previous.and_then(|last| language.change(signed(last.energy_wh), signed(statement.energy_wh)));
    let total = statement.previous.and_then(|last| language.change(last.total.0, statement.total.0));
    let average = statement.energy_wh.checked_div(u64::try_from(statement.sessions.len()).unwrap_or(0));
    [
        Card {
            label: text.energy,
            figure: language.kwh_short(statement.energy_wh),
            below: against(energy),
            accented: false,
        },
        Card {
            label: text.sessions,
            figure: statement.sessions.len().to_string(),
            below: average.map(|wh| format!("Ø {}", language.kwh_short(wh))).unwrap_or_default(),
            accented: false,
        },
        Card {
            label: text.to_pay,
            figure: language.money(statement.total, &statement.currency),
            below: against(total),
            accented: true,
        },
    ]
}

fn costs(canvas: &mut Canvas, statement: &Statement, language: Language) {
    let text = language.text();
    let column = |head: &str, part, align| Column { head: head.to_owned(), part, align };
    let columns = [
        column(text.description, 0.44, Align::Left),
        column(text.quantity, 0.22, Align::Right),
        column(text.price, 0.18, Align::Right),
        column(text.amount, 0.16, Align::Right),
    ];
    let mut rows: Vec<Vec<Cell>> = statement.lines.iter().map(|line| cost_row(line, statement, language)).collect();
    if !statement.taxes.is_empty() {
        let net = language.money(statement.net, &statement.currency);
        rows.push(vec![Cell::bold(text.before_taxes), Cell::new(""), Cell::new(""), Cell::bold(net)]);
        rows.extend(statement.taxes.iter().map(|tax| tax_row(tax, statement, language)));
    }
    table(canvas, &columns, &rows);
    canvas.area((MARGIN, canvas.y), (INNER, 24.0), Tone::Tint);
    let style = Style::new(10.5, Weight::Bold, Tone::Accent);
    canvas.text((MARGIN + 6.0, canvas.y + 16.0), Align::Left, style, text.to_pay);
    let total = language.money(statement.total, &statement.currency);
    canvas.text((MARGIN + INNER - 6.0, canvas.y + 16.0), Align::Right, style, &total);
    canvas.y += 28.0;
}

/// What a line is called.
pub(super) fn line_name(line: &Line, text: &Text, language: Language) -> String {
    let category = text.category(line.category);
    let name = match line.category {
        Category::Correction => {
            let month = line.name.parse().map_or_else(|_| line.name.clone(), |month| language.month(month));
            format!("{category} {month}")
        }
        Category::Energy | Category::Flag => format!("{category} · {}", line.name),
        Category::Power | Category::Fee | Category::Cost => line.name.clone(),
        Category::Solar | Category::Session | Category::Idle | Category::Invoice => category.to_owned(),
    };
    match &line.version {
        Some(version) => format!("{name} ({version})"),
        None => name,
    }
}

/// How much of it, in words.
pub(super) fn line_quantity(line: &Line, statement: &Statement, language: Language) -> String {
    let text = language.text();
    match line.quantity {
        Amount::Energy(wh) => language.kwh(i64::try_from(wh).unwrap_or(i64::MAX)),
        Amount::EnergyChange(wh) => language.kwh(wh),
        Amount::Sessions(count) => count.to_string(),
        Amount::Minutes(minutes) => format!("{}:{:02} h", minutes / 60, minutes % 60),
        Amount::Days(days) => format!("{days} {}", text.days),
        Amount::ShareOf(whole) => format!("{} {}", text.share_of, language.money(whole, &statement.currency)),
    }
}

fn cost_row(line: &Line, statement: &Statement, language: Language) -> Vec<Cell> {
    let price = line.price.map(|price| {
        let unit = match line.quantity {
            Amount::Energy(_) | Amount::EnergyChange(_) => "/kWh",
            Amount::Minutes(_) => "/h",
            Amount::Sessions(_) | Amount::Days(_) | Amount::ShareOf(_) => "",
        };
        format!("{}{unit}", language.price(price, &statement.currency))
    });
    vec![
        Cell::new(line_name(line, language.text(), language)),
        Cell::new(line_quantity(line, statement, language)),
        Cell::grey(price.unwrap_or_default()),
        Cell::new(language.money(line.amount, &statement.currency)),
    ]
}

/// Rate and base of a tax in words.
pub(super) fn tax_terms(tax: &TaxLine, statement: &Statement, language: Language) -> (String, String) {
    match &tax.rate {
        TaxRate::Percent(percent) => (
            format!("{} {}", language.text().of_base, language.money(tax.base, &statement.currency)),
            format!("{}\u{a0}%", language.number(*percent, 0)),
        ),
        TaxRate::PerKwh(price) => (
            language.kwh(i64::try_from(tax.energy_wh).unwrap_or(i64::MAX)),
            format!("{}/kWh", language.price(*price, &statement.currency)),
        ),
    }
}

fn tax_row(tax: &TaxLine, statement: &Statement, language: Language) -> Vec<Cell> {
    let (base, rate) = tax_terms(tax, statement, language);
    let amount = language.money(tax.amount, &statement.currency);
    vec![Cell::new(tax.name.clone()), Cell::grey(base), Cell::grey(rate), Cell::new(amount)]
}

fn sessions(canvas: &mut Canvas, statement: &Statement, setting: &Setting<'_>) {
    let text = setting.language.text();
    if statement.sessions.is_empty() {
        small_print(canvas, text.no_sessions);
        return;
    }
    let column = |head: &str, part, align| Column { head: head.to_owned(), part, align };
    let columns = [
        column(text.start, 0.15, Align::Left),
        column(text.end, 0.15, Align::Left),
        column(text.charger, 0.17, Align::Left),
        column(text.note, 0.25, Align::Left),
        column(text.energy, 0.15, Align::Right),
        column(text.amount, 0.13, Align::Right),
    ];
    let rows: Vec<Vec<Cell>> = statement.sessions.iter().map(|line| session_row(line, statement, setting)).collect();
    table(canvas, &columns, &rows);
}

/// Where a session's figures come from, in words, and whether a MID-certified meter counted them.
pub(super) fn session_note(line: &SessionLine, text: &Text) -> String {
    let cut = match (line.is_cut, line.is_cut_estimated) {
        (_, true) => Some(text.cut_estimated),
        (true, false) => Some(text.cut),
        (false, false) => None,
    };
    let provenance = text.provenance(line.provenance);
    let mid = if line.is_mid { " · MID" } else { "" };
    cut.map_or_else(|| format!("{provenance}{mid}"), |cut| format!("{provenance}, {cut}{mid}"))
}

fn session_row(line: &SessionLine, statement: &Statement, setting: &Setting<'_>) -> Vec<Cell> {
    let (text, language) = (setting.language.text(), setting.language);
    let note = session_note(line, text);
    let plain = line.provenance == domain::Provenance::Measured && !line.is_cut_estimated;
    vec![
        Cell::new(language.moment(line.started_at, setting.zone)),
        Cell::new(line.ended_at.map_or_else(|| text.running.to_owned(), |at| language.moment(at, setting.zone))),
        Cell::new(setting.charger(&line.charger)),
        if plain { Cell::grey(note) } else { Cell::amber(note) },
        Cell::new(language.kwh(i64::try_from(line.energy_wh).unwrap_or(i64::MAX))),
        Cell::new(language.money(line.amount, &statement.currency)),
    ]
}

fn mid_note(statement: &Statement, language: Language) -> String {
    let text = language.text();
    if statement.mid_wh == 0 {
        text.mid_none.to_owned()
    } else if statement.mid_wh == statement.energy_wh {
        text.mid_all.to_owned()
    } else {
        let mid = language.number(Decimal::from(statement.mid_wh) / Decimal::ONE_THOUSAND, 3);
        format!("{mid} kWh {}", text.mid_part)
    }
}

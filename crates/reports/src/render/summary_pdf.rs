//! The month of the whole building as PDF.

use super::accepted;
use super::canvas::{Align, Canvas, INNER, MARGIN, PdfError};
use super::parts::{Card, cards, facts, footer, head, metadata, section, small_print};
use super::table::{Cell, Column, table};
use super::{Setting, chart};
use crate::{Summary, SummaryRow};

/// The building's summary with its reconciliation, as a PDF of A4 pages.
///
/// # Errors
/// As [`super::statement_pdf`].
pub fn summary_pdf(summary: &Summary, setting: &Setting<'_>) -> Result<Vec<u8>, PdfError> {
    let (text, language) = (setting.language.text(), setting.language);
    let mut canvas = Canvas::new(setting.letterhead.logo.as_ref());
    head(&mut canvas, setting, text.summary_title, summary.month);
    let below = facts(
        &mut canvas,
        (MARGIN, INNER / 2.0),
        &[
            (text.tariff, summary.versions.join(", ")),
            (text.closed_on, setting.seal.map(|seal| language.date(seal.closed_on)).unwrap_or_default()),
        ],
    );
    canvas.y = below + 6.0;
    let sessions: u32 =
        summary.tenants.iter().chain([&summary.unassigned]).map(|row| row.sessions).fold(0, u32::saturating_add);
    let tenants = summary.tenants.len();
    cards(
        &mut canvas,
        &[
            Card {
                label: text.energy,
                figure: language.kwh_short(summary.energy_wh),
                below: String::new(),
                accented: false,
            },
            Card {
                label: text.sessions,
                figure: sessions.to_string(),
                below: format!("{}: {tenants}", text.tenants),
                accented: false,
            },
            Card {
                label: text.total,
                figure: language.money(summary.total, &summary.currency),
                below: String::new(),
                accented: true,
            },
        ],
    );
    section(&mut canvas, text.per_day, 110.0);
    canvas.y += 6.0;
    chart::days(&mut canvas, language, &summary.days_wh);
    canvas.y += 14.0;
    section(&mut canvas, text.costs, 60.0);
    tenants_table(&mut canvas, summary, setting);
    canvas.y += 16.0;
    reconciliation(&mut canvas, summary, setting);
    decisions(&mut canvas, summary, setting);
    let about = format!("{} · {}", text.summary_title, language.month(summary.month));
    footer(&mut canvas, setting, &about);
    canvas.finish(metadata(setting, format!("{} {}", text.summary_title, language.month(summary.month))))
}

fn column(head: &str, part: f32, align: Align) -> Column {
    Column { head: head.to_owned(), part, align }
}

fn tenants_table(canvas: &mut Canvas, summary: &Summary, setting: &Setting<'_>) {
    let (text, language) = (setting.language.text(), setting.language);
    let columns = [
        column(text.unit, 0.13, Align::Left),
        column(text.tenant, 0.31, Align::Left),
        column(text.sessions, 0.09, Align::Right),
        column(text.energy, 0.14, Align::Right),
        column(text.before_taxes, 0.11, Align::Right),
        column(text.taxes, 0.1, Align::Right),
        column(text.total, 0.12, Align::Right),
    ];
    let money = |amount| language.money(amount, &summary.currency);
    let kwh = |wh: u64| language.kwh(i64::try_from(wh).unwrap_or(i64::MAX));
    let cells = |row: &SummaryRow| {
        let person = setting.person(row.tenant.as_deref());
        vec![
            Cell::new(person.unit),
            Cell::new(person.name),
            Cell::new(row.sessions.to_string()),
            Cell::new(kwh(row.energy_wh)),
            Cell::new(money(row.net)),
            Cell::new(money(row.tax)),
            Cell::bold(money(row.total)),
        ]
    };
    let all = || summary.tenants.iter().chain([&summary.unassigned]);
    let mut rows: Vec<Vec<Cell>> = all().map(cells).collect();
    rows.push(vec![
        Cell::bold(text.total),
        Cell::new(""),
        Cell::bold(all().map(|row| row.sessions).fold(0, u32::saturating_add).to_string()),
        Cell::bold(kwh(summary.energy_wh)),
        Cell::bold(money(all().map(|row| row.net).sum())),
        Cell::bold(money(all().map(|row| row.tax).sum())),
        Cell::bold(money(summary.total)),
    ]);
    table(canvas, &columns, &rows);
}

fn reconciliation(canvas: &mut Canvas, summary: &Summary, setting: &Setting<'_>) {
    let (text, language) = (setting.language.text(), setting.language);
    let rows = &summary.reconciliation;
    let kwh = |wh: i64| language.kwh(wh);
    let signed = |wh: u64| i64::try_from(wh).unwrap_or(i64::MAX);
    section(canvas, text.reconciliation, 80.0);
    let sums = [column(text.description, 0.6, Align::Left), column(text.energy, 0.4, Align::Right)];
    table(
        canvas,
        &sums,
        &[
            vec![Cell::new(text.paid_by_tenants), Cell::new(kwh(signed(rows.tenants_wh)))],
            vec![Cell::new(text.unassigned_energy), Cell::new(kwh(signed(rows.unassigned_wh)))],
            vec![Cell::bold(text.all_sessions), Cell::bold(kwh(signed(rows.sessions_wh)))],
        ],
    );
    canvas.y += 10.0;
    let columns = |head: &str| {
        [
            column(head, 0.24, Align::Left),
            column(text.sessions, 0.14, Align::Right),
            column(text.register, 0.14, Align::Right),
            column(text.difference, 0.13, Align::Right),
            column(text.explanation, 0.35, Align::Left),
        ]
    };
    let note = |explanation| Cell::grey(text.explained(explanation));
    let optional = |wh: Option<i64>| Cell::new(wh.map_or_else(|| "–".to_owned(), kwh));
    let registers: Vec<Vec<Cell>> = rows
        .registers
        .iter()
        .map(|row| {
            let name = format!("{} · {}", setting.charger(&row.charger), row.connector);
            let sessions = Cell::new(kwh(signed(row.sessions_wh)));
            let register = optional(row.register_wh.map(signed));
            vec![Cell::new(name), sessions, register, optional(row.difference_wh), note(row.explanation)]
        })
        .collect();
    if !registers.is_empty() {
        table(canvas, &columns(text.registers), &registers);
        canvas.y += 10.0;
    }
    let meter = |row: &crate::MeterRow| {
        let (sessions, counted) = (kwh(signed(rows.sessions_wh)), kwh(signed(row.meter_wh)));
        let difference = Cell::new(kwh(row.difference_wh));
        vec![Cell::new(&row.name), Cell::new(sessions), Cell::new(counted), difference, note(row.explanation)]
    };
    let meters: Vec<Vec<Cell>> = rows.meters.iter().map(meter).collect();
    if !meters.is_empty() {
        table(canvas, &columns(text.meters), &meters);
        canvas.y += 10.0;
    }
}

fn decisions(canvas: &mut Canvas, summary: &Summary, setting: &Setting<'_>) {
    let decided: Vec<(String, &str)> = summary
        .obstacles
        .iter()
        .filter_map(|one| one.accepted.as_deref().map(|reason| (accepted::words(one, setting), reason)))
        .collect();
    if decided.is_empty() {
        return;
    }
    section(canvas, setting.language.text().decided, 30.0);
    for (what, reason) in decided {
        small_print(canvas, &format!("{what} – {reason}"));
    }
}

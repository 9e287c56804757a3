//! Statements as XLSX workbooks.

use super::statement_pdf::{line_name, line_quantity, session_note, tax_terms};
use super::{Language, Setting};
use crate::{Amount, Cents, Currency, Line, Statement, Summary, SummaryRow};
use domain::Timestamp;
use rust_decimal::prelude::ToPrimitive as _;
use rust_xlsxwriter::{Chart, ChartType, Color, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

/// Why no workbook came out.
#[derive(Debug, thiserror::Error)]
#[error("the workbook cannot be written")]
pub struct XlsxFailure(#[source] XlsxError);

impl From<XlsxError> for XlsxFailure {
    fn from(error: XlsxError) -> Self {
        Self(error)
    }
}

struct Formats {
    head: Format,
    title: Format,
    money: Format,
    kwh: Format,
    energy: Format,
    price: Format,
    time: Format,
    bold: Format,
    bold_money: Format,
    bold_kwh: Format,
}

impl Formats {
    fn new(currency: &Currency, language: Language) -> Self {
        let time = match language {
            Language::PtPt | Language::PtBr => "dd/mm/yyyy hh:mm",
            Language::En => "yyyy-mm-dd hh:mm",
        };
        let digits = "0".repeat(usize::try_from(currency.digits()).unwrap_or(2));
        let point = if digits.is_empty() { "" } else { "." };
        let money = format!("#,##0{point}{digits}\\ \"{}\"", currency.symbol());
        let bold = || Format::new().set_bold();
        Self {
            head: bold().set_background_color(Color::RGB(0x0B_5F_6B)).set_font_color(Color::White),
            title: bold().set_font_size(14),
            money: Format::new().set_num_format(&money),
            kwh: Format::new().set_num_format("#,##0.000"),
            energy: Format::new().set_num_format("#,##0.000\\ \"kWh\""),
            price: Format::new().set_num_format("#,##0.0000"),
            time: Format::new().set_num_format(time),
            bold: bold(),
            bold_money: bold().set_num_format(&money),
            bold_kwh: bold().set_num_format("#,##0.000"),
        }
    }
}

/// Money as a spreadsheet's number: exact to the cent far beyond any statement.
fn number(amount: Cents, currency: &Currency) -> f64 {
    amount.decimal(currency).to_f64().unwrap_or(0.0)
}

fn kwh(wh: u64) -> f64 {
    crate::kwh(wh).to_f64().unwrap_or(0.0)
}

fn signed_kwh(wh: i64) -> f64 {
    rust_decimal::Decimal::new(wh, 3).to_f64().unwrap_or(0.0)
}

fn time(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    at: Timestamp,
    setting: &Setting<'_>,
    format: &Format,
) -> Result<(), XlsxError> {
    let wall = setting.zone.wall(at);
    let day = ExcelDateTime::from_ymd(
        u16::try_from(wall.date.year()).unwrap_or(1900),
        u8::try_from(wall.date.month()).unwrap_or(1),
        u8::try_from(wall.date.day()).unwrap_or(1),
    )?;
    let at = day.and_hms(wall.minute / 60, u8::try_from(wall.minute % 60).unwrap_or(0), f64::from(wall.second))?;
    sheet.write_datetime_with_format(row, column, &at, format).map(|_| ())
}

fn heads(sheet: &mut Worksheet, row: u32, names: &[&str], format: &Format) -> Result<(), XlsxError> {
    for (column, name) in (0_u16..).zip(names) {
        sheet.write_with_format(row, column, *name, format)?;
    }
    Ok(())
}

/// A quantity as a number that can be summed, where it is one; else in words.
fn quantity(
    sheet: &mut Worksheet,
    row: u32,
    line: &Line,
    statement: &Statement,
    language: Language,
    formats: &Formats,
) -> Result<(), XlsxError> {
    match line.quantity {
        Amount::Energy(wh) => sheet.write_with_format(row, 1, kwh(wh), &formats.energy)?,
        Amount::EnergyChange(wh) => sheet.write_with_format(row, 1, signed_kwh(wh), &formats.energy)?,
        Amount::Sessions(count) => sheet.write(row, 1, count)?,
        Amount::Minutes(_) | Amount::Days(_) | Amount::ShareOf(_) => {
            sheet.write(row, 1, line_quantity(line, statement, language))?
        }
    };
    Ok(())
}

/// A tenant's statement: costs and sessions on two sheets, with the days as a chart.
///
/// # Errors
/// When the library refuses a value.
pub fn statement_xlsx(statement: &Statement, setting: &Setting<'_>) -> Result<Vec<u8>, XlsxFailure> {
    let (text, language) = (setting.language.text(), setting.language);
    let formats = Formats::new(&statement.currency, language);
    let person = setting.person(statement.tenant.as_deref());
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name(text.costs)?;
    sheet.write_with_format(0, 0, format!("{} · {}", text.title, language.month(statement.month)), &formats.title)?;
    sheet.write(1, 0, format!("{} {}", person.name, person.unit).trim())?;
    sheet.write(2, 0, text.not_an_invoice)?;
    heads(sheet, 4, &[text.description, text.quantity, text.price, text.amount], &formats.head)?;
    let mut row = 5;
    for line in &statement.lines {
        sheet.write(row, 0, line_name(line, text, language))?;
        quantity(sheet, row, line, statement, language, &formats)?;
        if let Some(price) = line.price.and_then(|price| price.to_f64()) {
            sheet.write_with_format(row, 2, price, &formats.price)?;
        }
        sheet.write_with_format(row, 3, number(line.amount, &statement.currency), &formats.money)?;
        row += 1;
    }
    for tax in &statement.taxes {
        let (base, rate) = tax_terms(tax, statement, language);
        sheet.write(row, 0, &tax.name)?.write(row, 1, base)?.write(row, 2, rate)?;
        sheet.write_with_format(row, 3, number(tax.amount, &statement.currency), &formats.money)?;
        row += 1;
    }
    sheet.write_with_format(row, 0, text.to_pay, &formats.bold)?;
    sheet.write_with_format(row, 3, number(statement.total, &statement.currency), &formats.bold_money)?;
    sheet.autofit();
    let sheet = book.add_worksheet().set_name(text.sessions)?;
    let names = [text.start, text.end, text.charger, text.note, "kWh", text.amount];
    heads(sheet, 0, &names, &formats.head)?;
    for (row, line) in (1_u32..).zip(&statement.sessions) {
        time(sheet, (row, 0), line.started_at, setting, &formats.time)?;
        if let Some(ended_at) = line.ended_at {
            time(sheet, (row, 1), ended_at, setting, &formats.time)?;
        }
        sheet.write(row, 2, setting.charger(&line.charger))?.write(row, 3, session_note(line, text))?;
        sheet.write_with_format(row, 4, kwh(line.energy_wh), &formats.kwh)?;
        sheet.write_with_format(row, 5, number(line.amount, &statement.currency), &formats.money)?;
    }
    sheet.set_freeze_panes(1, 0)?;
    sheet.autofit();
    day_sheet(&mut book, &statement.days_wh, setting, &formats)?;
    Ok(book.save_to_buffer()?)
}

fn day_sheet(book: &mut Workbook, days_wh: &[u64], setting: &Setting<'_>, formats: &Formats) -> Result<(), XlsxError> {
    let text = setting.language.text();
    let sheet = book.add_worksheet().set_name("kWh")?;
    heads(sheet, 0, &[text.day, "kWh"], &formats.head)?;
    for (row, wh) in (1_u32..).zip(days_wh) {
        sheet.write(row, 0, row)?.write_with_format(row, 1, kwh(*wh), &formats.kwh)?;
    }
    let last = u32::try_from(days_wh.len()).unwrap_or(31);
    let mut chart = Chart::new(ChartType::Column);
    chart.add_series().set_categories(("kWh", 1, 0, last, 0)).set_values(("kWh", 1, 1, last, 1));
    chart.title().set_name(text.per_day);
    chart.legend().set_hidden();
    sheet.insert_chart(1, 3, &chart)?;
    Ok(())
}

/// The building's summary: tenants, reconciliation and days on three sheets.
///
/// # Errors
/// As [`statement_xlsx`].
pub fn summary_xlsx(summary: &Summary, setting: &Setting<'_>) -> Result<Vec<u8>, XlsxFailure> {
    let (text, language) = (setting.language.text(), setting.language);
    let formats = Formats::new(&summary.currency, language);
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name(text.costs)?;
    let title = format!("{} · {} · {}", setting.letterhead.name, text.summary_title, language.month(summary.month));
    sheet.write_with_format(0, 0, title, &formats.title)?;
    sheet.write(1, 0, text.not_an_invoice)?;
    let names = [text.unit, text.tenant, text.sessions, "kWh", text.before_taxes, text.taxes, text.total];
    heads(sheet, 3, &names, &formats.head)?;
    let rows: Vec<&SummaryRow> = summary.tenants.iter().chain([&summary.unassigned]).collect();
    let mut row = 4;
    for one in &rows {
        let person = setting.person(one.tenant.as_deref());
        sheet.write(row, 0, &person.unit)?.write(row, 1, &person.name)?.write(row, 2, one.sessions)?;
        sheet.write_with_format(row, 3, kwh(one.energy_wh), &formats.kwh)?;
        for (column, amount) in (4_u16..).zip([one.net, one.tax, one.total]) {
            sheet.write_with_format(row, column, number(amount, &summary.currency), &formats.money)?;
        }
        row += 1;
    }
    sheet.write_with_format(row, 0, text.total, &formats.bold)?;
    sheet.write_with_format(row, 3, kwh(summary.energy_wh), &formats.bold_kwh)?;
    sheet.write_with_format(row, 6, number(summary.total, &summary.currency), &formats.bold_money)?;
    sheet.autofit();
    reconciliation_sheet(&mut book, summary, setting, &formats)?;
    day_sheet(&mut book, &summary.days_wh, setting, &formats)?;
    Ok(book.save_to_buffer()?)
}

fn reconciliation_sheet(
    book: &mut Workbook,
    summary: &Summary,
    setting: &Setting<'_>,
    formats: &Formats,
) -> Result<(), XlsxError> {
    let text = setting.language.text();
    let rows = &summary.reconciliation;
    // Sheet names have at most 31 characters.
    let name: String = text.reconciliation.chars().take(31).collect();
    let sheet = book.add_worksheet().set_name(name)?;
    let sums = [
        (text.paid_by_tenants, rows.tenants_wh),
        (text.unassigned_energy, rows.unassigned_wh),
        (text.all_sessions, rows.sessions_wh),
    ];
    for (row, (name, wh)) in (0_u32..).zip(sums) {
        sheet.write(row, 0, name)?.write_with_format(row, 1, kwh(wh), &formats.kwh)?;
    }
    let names = [text.charger, text.sessions, text.register, text.difference, text.explanation];
    heads(sheet, 4, &names, &formats.head)?;
    let mut row = 5;
    for one in &rows.registers {
        sheet.write(row, 0, format!("{} · {}", setting.charger(&one.charger), one.connector))?;
        sheet.write_with_format(row, 1, kwh(one.sessions_wh), &formats.kwh)?;
        if let Some(wh) = one.register_wh {
            sheet.write_with_format(row, 2, kwh(wh), &formats.kwh)?;
        }
        if let Some(wh) = one.difference_wh {
            sheet.write_with_format(row, 3, signed_kwh(wh), &formats.kwh)?;
        }
        sheet.write(row, 4, text.explained(one.explanation))?;
        row += 1;
    }
    for one in &rows.meters {
        sheet.write(row, 0, &one.name)?;
        sheet.write_with_format(row, 1, kwh(rows.sessions_wh), &formats.kwh)?;
        sheet.write_with_format(row, 2, kwh(one.meter_wh), &formats.kwh)?;
        sheet.write_with_format(row, 3, signed_kwh(one.difference_wh), &formats.kwh)?;
        sheet.write(row, 4, text.explained(one.explanation))?;
        row += 1;
    }
    sheet.autofit();
    Ok(())
}

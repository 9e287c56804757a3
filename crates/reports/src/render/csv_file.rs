//! Statements as CSV, in two dialects.

use super::statement_pdf::{line_name, session_note};
use super::{Language, Setting};
use crate::{Amount, Cents, Currency, Statement, Summary, SummaryRow, TaxRate};
use domain::Timestamp;
use rust_decimal::Decimal;

/// How a CSV is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// RFC 4180: comma, decimal point, CRLF, UTF-8.
    #[default]
    Rfc4180,
    /// As spreadsheets in Portugal and Brazil open it: semicolon, decimal comma, CRLF, UTF-8 with a byte order mark.
    Semicolon,
}

/// Tells spreadsheets that the text is UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl Dialect {
    fn number(self, value: Decimal) -> String {
        let plain = value.to_string();
        match self {
            Self::Rfc4180 => plain,
            Self::Semicolon => plain.replace('.', ","),
        }
    }

    fn money(self, amount: Cents, currency: &Currency) -> String {
        self.number(amount.decimal(currency))
    }

    fn kwh(self, wh: i64) -> String {
        self.number(Decimal::new(wh, 3))
    }

    fn write(self, rows: &[Vec<String>]) -> Vec<u8> {
        let separator = match self {
            Self::Rfc4180 => b',',
            Self::Semicolon => b';',
        };
        let mut file = match self {
            Self::Rfc4180 => Vec::new(),
            Self::Semicolon => BYTE_ORDER_MARK.to_vec(),
        };
        let mut writer = csv::WriterBuilder::new()
            .delimiter(separator)
            .terminator(csv::Terminator::CRLF)
            .flexible(true)
            .from_writer(Vec::new());
        for row in rows {
            // Writing to memory cannot fail.
            let _infallible = writer.write_record(row);
        }
        file.extend(writer.into_inner().unwrap_or_default());
        file
    }
}

/// A text from outside: a spreadsheet would take one that begins like this for a formula.
pub(super) fn guarded(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

/// A moment by the clock on the building's wall with its offset left out, as spreadsheets read it.
fn moment(at: Timestamp, setting: &Setting<'_>) -> String {
    let wall = setting.zone.wall(at);
    format!("{} {:02}:{:02}:{:02}", wall.date, wall.minute / 60, wall.minute % 60, wall.second)
}

/// Words of the first line and the first column, which people read in Portuguese spreadsheets; programs read RFC 4180.
const PORTUGUESE: [(&str, &str); 23] = [
    ("row", "linha"),
    ("month", "mês"),
    ("unit", "fração"),
    ("tenant", "condómino"),
    ("description", "descrição"),
    ("start", "início"),
    ("end", "fim"),
    ("charger", "carregador"),
    ("connector", "tomada"),
    ("energy_kwh", "energia_kwh"),
    ("quantity", "quantidade"),
    ("price", "preço"),
    ("amount", "valor"),
    ("currency", "moeda"),
    ("note", "nota"),
    ("sessions", "sessões"),
    ("net", "subtotal"),
    ("tax", "impostos"),
    ("total", "total"),
    ("session", "sessão"),
    ("line", "custo"),
    // In the first column.
    ("one tax", "imposto"),
    ("one total", "total"),
];

/// Columns of a statement.
const COLUMNS: [&str; 15] = [
    "row",
    "month",
    "unit",
    "tenant",
    "description",
    "start",
    "end",
    "charger",
    "connector",
    "energy_kwh",
    "quantity",
    "price",
    "amount",
    "currency",
    "note",
];

/// A word of the file itself.
fn word(english: &'static str, dialect: Dialect, language: Language) -> &'static str {
    let portuguese = match (dialect, language) {
        (Dialect::Semicolon, Language::PtPt | Language::PtBr) => {
            PORTUGUESE.iter().find(|(word, _)| *word == english).map(|(_, portuguese)| *portuguese)
        }
        (Dialect::Semicolon, Language::En) | (Dialect::Rfc4180, Language::PtPt | Language::PtBr | Language::En) => None,
    };
    let word = portuguese.unwrap_or_else(|| english.strip_prefix("one ").unwrap_or(english));
    // Brazil's words where they are others.
    match (language, word) {
        (Language::PtBr, "fração") => "unidade",
        (Language::PtBr, "condómino") => "condômino",
        _ => word,
    }
}

fn head(words: &[&'static str], dialect: Dialect, language: Language) -> Vec<String> {
    words.iter().map(|one| word(one, dialect, language).to_owned()).collect()
}

fn row(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_owned()).collect()
}

/// A tenant's statement: its sessions, then its lines and taxes. The first column says what a row is.
#[must_use]
pub fn statement_csv(statement: &Statement, setting: &Setting<'_>, dialect: Dialect) -> Vec<u8> {
    let text = setting.language.text();
    let person = setting.person(statement.tenant.as_deref());
    let (name, unit, month) = (guarded(&person.name), guarded(&person.unit), statement.month.to_string());
    let money = |amount| dialect.money(amount, &statement.currency);
    let language = setting.language;
    let mut rows = vec![head(&COLUMNS, dialect, language)];
    let code = statement.currency.code();
    let mut add = |kind: &'static str, what: &str, rest: [String; 8], note: &str| {
        let mut cells = row(&[word(kind, dialect, language), &month, &unit, &name, &guarded(what)]);
        cells.extend(rest);
        cells.push(code.to_owned());
        cells.push(guarded(note));
        rows.push(cells);
    };
    for line in &statement.sessions {
        let end = line.ended_at.map_or_else(String::new, |at| moment(at, setting));
        let kwh = dialect.kwh(i64::try_from(line.energy_wh).unwrap_or(i64::MAX));
        let place = guarded(&setting.charger(&line.charger));
        let rest = [
            moment(line.started_at, setting),
            end,
            place,
            line.connector.to_string(),
            kwh,
            String::new(),
            String::new(),
            money(line.amount),
        ];
        add("session", &line.id.to_string(), rest, &session_note(line, text));
    }
    let none = String::new;
    for line in &statement.lines {
        let (kwh, quantity) = match line.quantity {
            Amount::Energy(wh) => (dialect.kwh(i64::try_from(wh).unwrap_or(i64::MAX)), none()),
            Amount::EnergyChange(wh) => (dialect.kwh(wh), none()),
            Amount::Sessions(count) => (none(), count.to_string()),
            Amount::Minutes(minutes) => (none(), minutes.to_string()),
            Amount::Days(days) => (none(), days.to_string()),
            Amount::ShareOf(whole) => (none(), money(whole)),
        };
        let price = line.price.map(|price| dialect.number(price)).unwrap_or_default();
        let what = line_name(line, text, setting.language);
        add("line", &what, [none(), none(), none(), none(), kwh, quantity, price, money(line.amount)], "");
    }
    for tax in &statement.taxes {
        let (base, rate) = match &tax.rate {
            TaxRate::Percent(percent) => (money(tax.base), format!("{} %", dialect.number(*percent))),
            TaxRate::PerKwh(price) => (dialect.kwh(i64::try_from(tax.energy_wh).unwrap_or(0)), dialect.number(*price)),
        };
        add("one tax", &tax.name, [none(), none(), none(), none(), none(), base, rate, money(tax.amount)], "");
    }
    let total = dialect.kwh(i64::try_from(statement.energy_wh).unwrap_or(i64::MAX));
    let rest = [none(), none(), none(), none(), total, none(), none(), money(statement.total)];
    add("one total", text.to_pay, rest, text.not_an_invoice);
    dialect.write(&rows)
}

/// The building's summary, one row per tenant.
#[must_use]
pub fn summary_csv(summary: &Summary, setting: &Setting<'_>, dialect: Dialect) -> Vec<u8> {
    let month = summary.month.to_string();
    let money = |amount| dialect.money(amount, &summary.currency);
    let names = ["month", "unit", "tenant", "sessions", "energy_kwh", "net", "tax", "total", "currency"];
    let mut rows = vec![head(&names, dialect, setting.language)];
    let cells = |one: &SummaryRow| {
        let person = setting.person(one.tenant.as_deref());
        vec![
            month.clone(),
            guarded(&person.unit),
            guarded(&person.name),
            one.sessions.to_string(),
            dialect.kwh(i64::try_from(one.energy_wh).unwrap_or(i64::MAX)),
            money(one.net),
            money(one.tax),
            money(one.total),
            summary.currency.code().to_owned(),
        ]
    };
    rows.extend(summary.tenants.iter().chain([&summary.unassigned]).map(cells));
    dialect.write(&rows)
}

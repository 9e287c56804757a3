//! Lists of tenants as spreadsheets write them: finds encoding, separator and columns, and says what is wrong in which
//! row. Nothing is changed here.

use api::{ImportColumn, ImportProblem, ImportRow, TenantForm};
use domain::{CardUid, TenantLanguage};
use std::collections::{BTreeMap, BTreeSet};

/// Most rows: five times the largest building.
const ROWS_MAX: usize = 2_500;

/// What a file holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Read {
    /// `utf-8` or `windows-1252`.
    pub(crate) encoding: &'static str,
    /// `;`, `,` or tabulator.
    pub(crate) separator: char,
    /// Rows below the heading.
    pub(crate) rows: Vec<ImportRow>,
}

/// Why a file cannot be read at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReadError {
    /// Two bytes for each letter.
    #[error("the file is UTF-16; save it as CSV UTF-8 and try again")]
    Utf16,
    /// Neither of the encodings we know.
    #[error("the letters of line {line} cannot be read (\"{text}\"); save the file as CSV UTF-8 and try again")]
    Encoding {
        /// Line, from 1.
        line: usize,
        /// What it would say.
        text: String,
    },
    /// No line.
    #[error("the file is empty; the first line names the columns, such as name;unit;email;cards")]
    Empty,
    /// No column of names.
    #[error("no column is called name; the first line names the columns, such as name;unit;email;cards")]
    NoName,
    /// A heading nobody knows.
    #[error(
        "the column {0:?} is not known; remove it or call it name, unit, email, phone, language, cards, parking_spaces, chargers, max_power_kw, priority, monthly_cap_kwh, valid_from, valid_until or unit_key_permille"
    )]
    Column(String),
    /// A heading that comes twice.
    #[error("the column {0:?} comes twice; remove one of the two")]
    Twice(String),
    /// Quotation marks that do not end.
    #[error("the quotation mark opened in line {0} is never closed; close it")]
    Quote(usize),
    /// More rows than any building has.
    #[error("a list has at most {ROWS_MAX} rows; split it")]
    TooLong,
}

/// Reads a file.
pub(crate) fn read(bytes: &[u8]) -> Result<Read, ReadError> {
    let (text, encoding) = decode(bytes)?;
    let first = text.lines().find(|line| !line.trim().is_empty()).ok_or(ReadError::Empty)?;
    let separator = [';', ',', '\t'].into_iter().max_by_key(|c| first.matches(*c).count()).unwrap_or(';');
    let mut lines = cells(&text, separator)?.into_iter().filter(|(_, row)| row.iter().any(|cell| !cell.is_empty()));
    let (_, heading) = lines.next().ok_or(ReadError::Empty)?;
    let columns = columns(&heading)?;
    let rows: Vec<ImportRow> = lines.map(|(line, row)| row_of(line, &row, &columns)).collect();
    if rows.len() > ROWS_MAX {
        return Err(ReadError::TooLong);
    }
    Ok(Read { encoding, separator, rows: with_repeats(rows) })
}

/// The text of a file: UTF-8, with or without its mark, or Windows-1252.
fn decode(bytes: &[u8]) -> Result<(String, &'static str), ReadError> {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) || bytes.contains(&0) {
        return Err(ReadError::Utf16);
    }
    let bytes = bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        return match suspicious(text, |two| matches!(two, ['Ã' | 'Â', '\u{80}'..='\u{BF}'])) {
            // UTF-8 that was read as Windows-1252 and saved again.
            Some(error) => Err(error),
            None => Ok((text.to_owned(), "utf-8")),
        };
    }
    let text: String = bytes.iter().map(|byte| windows_1252(*byte)).collect();
    // Letters of old code pages become these signs in the middle of a word.
    let foreign = |two: &[char]| match two {
        [before, sign] => {
            *sign == char::REPLACEMENT_CHARACTER
                || (before.is_alphabetic() && "‚ƒ„…†‡ˆ‰‹•˜›¡¢£¤¥¦§¨©¬®¯±²³´µ¶·¸¹¼½¾¿×÷".contains(*sign))
        }
        _ => false,
    };
    match suspicious(&text, foreign) {
        Some(error) => Err(error),
        None => Ok((text, "windows-1252")),
    }
}

fn suspicious(text: &str, wrong: impl Fn(&[char]) -> bool) -> Option<ReadError> {
    text.lines().zip(1..).find_map(|(line, number)| {
        let chars: Vec<char> = line.chars().collect();
        chars
            .windows(2)
            .any(&wrong)
            .then(|| ReadError::Encoding { line: number, text: line.chars().take(60).collect() })
    })
}

/// Windows-1252 differs from Latin-1 in 0x80 to 0x9F.
fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{FFFD}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{FFFD}', 'Ž', '\u{FFFD}',
        '\u{FFFD}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{FFFD}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9F => HIGH.get(usize::from(byte - 0x80)).copied().unwrap_or(char::REPLACEMENT_CHARACTER),
        _ => char::from(byte),
    }
}

/// Cells with the line their row begins in; quotation marks may hold separators, line ends and doubled marks.
fn cells(text: &str, separator: char) -> Result<Vec<(usize, Vec<String>)>, ReadError> {
    let mut rows = Vec::new();
    let (mut row, mut cell): (Vec<String>, String) = (Vec::new(), String::new());
    let (mut line, mut begins) = (1, 1);
    let mut quoted: Option<usize> = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, quoted) {
            ('"', Some(_)) if chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            ('"', Some(_)) => quoted = None,
            ('"', None) if cell.trim().is_empty() => {
                cell.clear();
                quoted = Some(line);
            }
            ('\r', None) => {}
            ('\n', None) => {
                row.push(std::mem::take(&mut cell).trim().to_owned());
                rows.push((begins, std::mem::take(&mut row)));
                line += 1;
                begins = line;
            }
            (c, None) if c == separator => row.push(std::mem::take(&mut cell).trim().to_owned()),
            (c, _) => {
                line += usize::from(c == '\n');
                cell.push(c);
            }
        }
    }
    if let Some(line) = quoted {
        return Err(ReadError::Quote(line));
    }
    row.push(cell.trim().to_owned());
    rows.push((begins, row));
    Ok(rows)
}

fn columns(heading: &[String]) -> Result<BTreeMap<ImportColumn, usize>, ReadError> {
    let mut columns = BTreeMap::new();
    for (place, text) in heading.iter().enumerate().filter(|(_, text)| !text.is_empty()) {
        let column = column(text).ok_or_else(|| ReadError::Column(text.clone()))?;
        if columns.insert(column, place).is_some() {
            return Err(ReadError::Twice(text.clone()));
        }
    }
    if columns.contains_key(&ImportColumn::Name) { Ok(columns) } else { Err(ReadError::NoName) }
}

/// A column by its English or Portuguese name, whatever its case and blanks.
fn column(text: &str) -> Option<ImportColumn> {
    use ImportColumn as C;
    let name: String = text.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
    Some(match name.as_str() {
        "name" | "nome" | "tenant" | "condómino" | "condomino" => C::Name,
        "unit" | "flat" | "fração" | "fracao" | "fracção" | "unidade" | "apartamento" => C::Unit,
        "email" | "mail" | "correioeletrónico" => C::Email,
        "phone" | "telephone" | "telefone" | "telemóvel" | "telemovel" | "celular" => C::Phone,
        "language" | "língua" | "lingua" | "idioma" => C::Language,
        "cards" | "card" | "cartões" | "cartoes" | "cartão" | "cartao" | "rfid" | "uid" => C::Cards,
        "parkingspaces" | "parkingspace" | "parking" | "lugares" | "lugar" | "vaga" | "vagas" => C::ParkingSpaces,
        "chargers" | "charger" | "carregadores" | "carregador" => C::Chargers,
        "maxpowerkw" | "maximumpowerkw" | "potênciamáximakw" | "potenciamaximakw" | "potência" => C::MaxPower,
        "priority" | "prioridade" => C::Priority,
        "monthlycapkwh" | "monthlylimitkwh" | "limitemensalkwh" => C::MonthlyCap,
        "validfrom" | "válidodesde" | "validodesde" => C::ValidFrom,
        "validuntil" | "válidoaté" | "validoate" => C::ValidUntil,
        "unitkeypermille" | "unitkey" | "permilagem" => C::UnitKey,
        _ => return None,
    })
}

fn row_of(line: usize, row: &[String], columns: &BTreeMap<ImportColumn, usize>) -> ImportRow {
    use ImportColumn as C;
    let cell = |column| columns.get(&column).and_then(|place| row.get(*place)).map_or("", String::as_str);
    let mut problems = Vec::new();
    let mut wrong = |column: ImportColumn| {
        problems.push(ImportProblem { column, value: cell(column).to_owned(), detail: detail(column).to_owned() });
    };
    let list = |column: ImportColumn| -> Vec<String> {
        let parts = cell(column).split(['|', ',', ';', '/', '\n']);
        parts.map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
    };
    if cell(C::Name).is_empty() {
        wrong(C::Name);
    }
    let mut number = |column: ImportColumn| {
        let text = cell(column);
        let value = decimal(text);
        if !text.is_empty() && value.is_none() {
            wrong(column);
        }
        value
    };
    let (max_power_kw, monthly_cap_kwh) = (number(C::MaxPower), number(C::MonthlyCap));
    let unit_key_permille = number(C::UnitKey);
    let priority = cell(C::Priority);
    let priority_read = priority.parse().ok();
    if !priority.is_empty() && priority_read.is_none() {
        wrong(C::Priority);
    }
    let mut day = |column: ImportColumn| {
        let text = cell(column);
        let value = iso_day(text);
        if !text.is_empty() && value.is_none() {
            wrong(column);
        }
        value
    };
    let (valid_from, valid_until) = (day(C::ValidFrom), day(C::ValidUntil));
    let language = language(cell(C::Language));
    if language.is_none() {
        wrong(C::Language);
    }
    let cards = list(C::Cards);
    if cards.iter().any(|card| CardUid::new(card).is_err()) {
        wrong(C::Cards);
    }
    let tenant = TenantForm {
        name: cell(C::Name).to_owned(),
        unit: cell(C::Unit).to_owned(),
        email: cell(C::Email).to_owned(),
        phone: cell(C::Phone).to_owned(),
        language: language.unwrap_or_default(),
        parking_spaces: list(C::ParkingSpaces),
        chargers: list(C::Chargers),
        max_power_kw,
        priority: priority_read.unwrap_or(0),
        monthly_cap_kwh,
        valid_from,
        valid_until,
        unit_key_permille,
        ..TenantForm::default()
    };
    ImportRow { line: u32::try_from(line).unwrap_or(u32::MAX), tenant, cards, problems }
}

/// A card named in two rows is wrong in the second.
fn with_repeats(mut rows: Vec<ImportRow>) -> Vec<ImportRow> {
    let mut seen = BTreeSet::new();
    for row in &mut rows {
        for card in row.cards.clone() {
            let known = CardUid::new(&card).ok().is_some_and(|uid| !seen.insert(uid));
            if known {
                let detail = "this card is in the list twice; remove one of the two".to_owned();
                row.problems.push(ImportProblem { column: ImportColumn::Cards, value: card, detail });
            }
        }
    }
    rows
}

const fn detail(column: ImportColumn) -> &'static str {
    use ImportColumn as C;
    match column {
        C::Name => "a tenant needs a name; enter one",
        C::Language => "write pt-PT, pt-BR or en, or leave it empty",
        C::Cards => "a card number has letters and digits; separate several with |",
        C::ValidFrom | C::ValidUntil => "write a day such as 2026-11-01 or 01/11/2026, or leave it empty",
        C::MaxPower | C::MonthlyCap | C::UnitKey => "write a number such as 7.4 or 7,4, or leave it empty",
        C::Priority => "write a whole number, or leave it empty",
        C::Unit | C::Email | C::Phone | C::ParkingSpaces | C::Chargers => "correct it or leave it empty",
    }
}

fn decimal(text: &str) -> Option<f64> {
    text.replace(',', ".").parse().ok().filter(|value: &f64| value.is_finite() && *value >= 0.0)
}

fn language(text: &str) -> Option<TenantLanguage> {
    match text.to_lowercase().as_str() {
        "" | "pt" | "pt-pt" | "português" | "portugues" => Some(TenantLanguage::PortuguesePortugal),
        "pt-br" | "brasil" => Some(TenantLanguage::PortugueseBrazil),
        "en" | "english" | "inglês" | "ingles" => Some(TenantLanguage::English),
        _ => None,
    }
}

fn iso_day(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split(['/', '-', '.']).collect();
    let [first, month, last] = parts.as_slice() else { return None };
    let (year, day) = if first.len() == 4 { (first, last) } else { (last, first) };
    let date = jiff::civil::Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()?;
    (date.year() >= 1970).then(|| date.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str =
        "Nome;Fração;Cartões;Permilagem;Válido desde\r\n\"Conceição; Ávila\";2.º Esq.;04A1|04 B2;12,5;01/11/2026\r\n";

    fn windows(text: &str) -> Vec<u8> {
        text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
    }

    /// The same list is read from UTF-8, with and without its mark, and from Windows-1252, with either separator.
    #[test]
    fn encodings_are_found() {
        let marked = [b"\xEF\xBB\xBF".as_slice(), LIST.as_bytes()].concat();
        for (bytes, encoding) in
            [(LIST.as_bytes().to_vec(), "utf-8"), (marked, "utf-8"), (windows(LIST), "windows-1252")]
        {
            let read = read(&bytes).unwrap();
            assert_eq!((read.encoding, read.separator), (encoding, ';'));
            let row = &read.rows[0];
            assert_eq!(row.tenant.name, "Conceição; Ávila");
            assert_eq!(row.cards, ["04A1", "04 B2"]);
            assert_eq!(row.tenant.unit_key_permille, Some(12.5));
            assert_eq!(row.tenant.valid_from.as_deref(), Some("2026-11-01"));
            assert!(row.problems.is_empty(), "{:?}", row.problems);
        }
        assert_eq!(read(b"name,unit\nAna,R/C\n").unwrap().separator, ',');
    }

    /// A file in another encoding is refused with its line instead of giving people wrong names.
    #[test]
    fn wrong_encodings_are_refused() {
        assert_eq!(read(b"\xFF\xFEn\0a\0m\0e\0"), Err(ReadError::Utf16));
        // "José" in code page 850, and UTF-8 that was saved twice.
        assert!(matches!(read(b"name\nJos\x82\n"), Err(ReadError::Encoding { line: 2, .. })));
        assert!(matches!(read("name\nJosÃ©\n".as_bytes()), Err(ReadError::Encoding { line: 2, .. })));
        assert!(matches!(read(b"name\n\"Ana\n"), Err(ReadError::Quote(2))));
        assert_eq!(read(b"unit\n1\n"), Err(ReadError::NoName));
        assert_eq!(read(b"name;colour\nAna;red\n"), Err(ReadError::Column("colour".to_owned())));
    }

    /// Every row says what is wrong with it, and the good ones stay readable.
    #[test]
    fn rows_say_what_is_wrong() {
        let text = "name;cards;valid_until;max_power_kw;language\nAna;04A1;;;\n;04A1;soon;much;klingon\n";
        let rows = read(text.as_bytes()).unwrap().rows;
        assert!(rows[0].problems.is_empty());
        let columns: Vec<ImportColumn> = rows[1].problems.iter().map(|problem| problem.column).collect();
        use ImportColumn as C;
        assert_eq!(columns, [C::Name, C::MaxPower, C::ValidUntil, C::Language, C::Cards]);
        assert_eq!(rows[1].line, 3);
    }
}

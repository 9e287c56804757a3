//! The files: what they say, in every language and dialect, also with hostile names. They are left in the target
//! folder to be looked at.

use crate::common::{at, charge, date, decimal, flat, input, month, read, session, tariff};
use domain::{ChargerId, Provenance};
use reports::render::{
    Dialect, Language, Letterhead, Logo, LogoError, Person, Seal, Setting, statement_csv, statement_pdf,
    statement_xlsx, summary_csv, summary_pdf, summary_xlsx,
};
use reports::{
    Category, Cents, Correction, Every, MonthInput, MonthResult, Share, Tax, TaxRate, Zone, compute, template,
};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A month with everything in it: three periods, fees, taxes, a cut session, a late one, a correction.
fn sample() -> MonthInput {
    let mut version = template("pt_tri_weekly", date("2026-01-01")).unwrap().version;
    version.session_fee = decimal("0.25");
    version.charges.push(charge("42.50", Every::Month, Share::Equal));
    version.taxes.push(Tax {
        name: "IEC".to_owned(),
        rate: TaxRate::PerKwh(decimal("0.001")),
        on: vec![Category::Energy],
    });
    let mut sessions = Vec::new();
    for day in 1..=28 {
        let (from, to) = (format!("2026-10-{day:02}T19:10:00Z"), format!("2026-10-{:02}T06:40:00Z", day + 1));
        let wh = 4_000 + 917 * (day % 7) + 13 * day;
        let mut one = session(i32::try_from(day).unwrap(), Some(1 + i64::try_from(day % 3).unwrap()), &from, &to, wh);
        if day % 9 == 4 {
            one.session.provenance = Provenance::ReceivedLate;
        }
        if day % 5 == 0 {
            one.session.charger = ChargerId::new("C2").unwrap();
        }
        sessions.push(one);
    }
    let late = session(90, Some(2), "2026-10-31T20:00:00Z", "2026-11-01T06:00:00Z", 9_000);
    sessions.push(read(late, &[("2026-10-31T23:58:00Z", 5_000), ("2026-11-01T00:03:00Z", 5_100)]));
    sessions.push(session(91, None, "2026-10-14T10:00:00Z", "2026-10-14T11:00:00Z", 3_000));
    let mut input = input("2026-10", tariff(vec![version]), sessions);
    input.mid_chargers.insert(ChargerId::new("C1").unwrap());
    input.previous = [("key-2".to_owned(), (61_200, Cents(2_310)))].into();
    input.corrections = vec![Correction {
        month: month("2026-09"),
        tenant: Some("key-2".to_owned()),
        energy_wh: 1_200,
        amount: Cents(31),
    }];
    input
}

struct Around {
    zone: Zone,
    letterhead: Letterhead,
    people: BTreeMap<String, Person>,
    chargers: BTreeMap<ChargerId, String>,
    seal: Seal,
}

impl Around {
    fn new() -> Self {
        let person = |name: &str, unit: &str| Person { name: name.to_owned(), unit: unit.to_owned() };
        Self {
            zone: Zone::new("Europe/Lisbon").unwrap(),
            letterhead: Letterhead {
                name: "Condomínio Jardim das Amoreiras".to_owned(),
                lines: vec![
                    "Rua das Amoreiras 72, 1250-024 Lisboa".to_owned(),
                    "administracao@amoreiras.example · +351 210 000 000".to_owned(),
                    "NIPC 900 000 000".to_owned(),
                ],
                logo: Some(Logo::new(include_bytes!("../../../../icons/128.png").to_vec()).unwrap()),
            },
            people: [
                ("key-1".to_owned(), person("Ana Sofia Gonçalves", "2.º Esq.")),
                ("key-2".to_owned(), person("João Conceição", "3.º Dto.")),
                (
                    "key-3".to_owned(),
                    person("=HYPERLINK(\"x\")\u{1f600}漢字 with a name that goes on and on and on and on and on", "@1"),
                ),
            ]
            .into(),
            chargers: [(ChargerId::new("C1").unwrap(), "Lugar 12".to_owned())].into(),
            seal: Seal { number: 17, hash: "3f".repeat(32), closed_on: date("2026-11-02") },
        }
    }

    fn setting(&self, language: Language) -> Setting<'_> {
        Setting {
            language,
            zone: &self.zone,
            letterhead: &self.letterhead,
            people: &self.people,
            chargers: &self.chargers,
            seal: Some(&self.seal),
        }
    }
}

fn keep(name: &str, bytes: &[u8]) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("statements");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(name), bytes).unwrap();
}

/// Every tenant gets a PDF in every language, whatever their name; a preview says so.
#[test]
fn pdfs_are_written() {
    let (result, around) = (compute(&sample()), Around::new());
    for language in Language::ALL {
        for (index, statement) in result.statements.iter().chain([&result.unassigned]).enumerate() {
            let pdf = statement_pdf(statement, &around.setting(language)).unwrap();
            assert!(pdf.starts_with(b"%PDF-") && pdf.len() > 5_000);
            keep(&format!("{}-{index}.pdf", language.code()), &pdf);
        }
        let pdf = summary_pdf(&result.summary, &around.setting(language)).unwrap();
        keep(&format!("{}-summary.pdf", language.code()), &pdf);
    }
    let bare = Letterhead { name: "Building".to_owned(), ..Letterhead::default() };
    let preview = Setting { seal: None, letterhead: &bare, ..around.setting(Language::En) };
    keep("preview.pdf", &statement_pdf(&result.statements[0], &preview).unwrap());
}

/// A tenant with a session every few hours of 31 days, a name of a whole family, and a month with something accepted.
#[test]
fn long_papers_are_written() {
    let mut sessions = Vec::new();
    for day in 1..=30 {
        for (index, hour) in [1, 9, 17].into_iter().enumerate() {
            let (from, to) =
                (format!("2026-10-{day:02}T{hour:02}:10:00Z"), format!("2026-10-{day:02}T{:02}:40:00Z", hour + 4));
            let id = day * 3 + i32::try_from(index).unwrap();
            sessions.push(session(id, Some(1), &from, &to, 5_000 + 31 * u64::from(id.unsigned_abs())));
        }
    }
    sessions.push(session(500, None, "2026-10-14T10:00:00Z", "2026-10-14T11:00:00Z", 3_000));
    let version = template("pt_tri_weekly", date("2026-01-01")).unwrap().version;
    let mut input = input("2026-10", tariff(vec![version]), sessions);
    for obstacle in compute(&input).summary.obstacles {
        input.decisions.insert(obstacle.key, "Visitante da administração".to_owned());
    }
    let (result, mut around) = (compute(&input), Around::new());
    let name = "Maria da Conceição Albuquerque de Vasconcelos e Sousa Ferreira Guimarães Teixeira";
    around
        .people
        .insert("key-1".to_owned(), Person { name: name.to_owned(), unit: "Bloco B, 12.º Esquerdo Frente".to_owned() });
    around.letterhead.name = "Administração do Condomínio dos Jardins da Quinta das Conchas e dos Lilases".to_owned();
    for language in Language::ALL {
        let setting = around.setting(language);
        keep(&format!("{}-long.pdf", language.code()), &statement_pdf(&result.statements[0], &setting).unwrap());
        keep(&format!("{}-long-summary.pdf", language.code()), &summary_pdf(&result.summary, &setting).unwrap());
    }
}

/// The same figures make the same file, byte for byte.
#[test]
fn files_are_reproducible() {
    let (result, around) = (compute(&sample()), Around::new());
    let again = || statement_pdf(&result.statements[0], &around.setting(Language::PtPt)).unwrap();
    assert_eq!(again(), again());
}

/// Workbooks open with the zip signature and hold every sheet.
#[test]
fn workbooks_are_written() {
    let (result, around) = (compute(&sample()), Around::new());
    for language in Language::ALL {
        let book = statement_xlsx(&result.statements[1], &around.setting(language)).unwrap();
        assert!(book.starts_with(b"PK"));
        keep(&format!("{}.xlsx", language.code()), &book);
        let book = summary_xlsx(&result.summary, &around.setting(language)).unwrap();
        keep(&format!("{}-summary.xlsx", language.code()), &book);
    }
}

fn summary_of(result: &MonthResult, language: Language, dialect: Dialect) -> String {
    String::from_utf8(summary_csv(&result.summary, &Around::new().setting(language), dialect)).unwrap()
}

/// RFC 4180 has commas, points, quotes and CRLF; the other dialect a byte order mark, semicolons and decimal commas;
/// in both a name cannot become a formula.
#[test]
fn csv_dialects() {
    let result = compute(&sample());
    let rfc = summary_of(&result, Language::En, Dialect::Rfc4180);
    assert!(
        rfc.starts_with("month,unit,tenant,sessions,energy_kwh,net,tax,total,currency\r\n2026-10,2.º Esq.,Ana Sofia")
    );
    assert!(rfc.contains("\"'=HYPERLINK(\"\"x\"\")"), "{rfc}");
    assert!(rfc.contains(",'@1,"));
    let spreadsheet = summary_of(&result, Language::PtPt, Dialect::Semicolon);
    assert!(
        spreadsheet.starts_with("\u{feff}mês;fração;condómino;sessões;energia_kwh;subtotal;impostos;total;moeda\r\n")
    );
    let brazil = summary_of(&result, Language::PtBr, Dialect::Semicolon);
    assert!(brazil.starts_with("\u{feff}mês;unidade;condômino;"));
    let english = summary_of(&result, Language::En, Dialect::Semicolon);
    assert!(english.starts_with("\u{feff}month;unit;"), "English readers get English words");
    assert!(spreadsheet.contains(";Sem condómino (edifício);1;3,000;0,99;"), "{spreadsheet}");
    let one = statement_csv(&result.statements[1], &Around::new().setting(Language::PtPt), Dialect::Semicolon);
    let one = String::from_utf8(one).unwrap();
    assert!(
        one.contains(
            "\r\nsessão;2026-10;3.º Dto.;João Conceição;90;2026-10-31 20:00:00;2026-11-01 06:00:00;Lugar 12;1;5,040;"
        ),
        "{one}"
    );
    assert!(one.contains("Acerto de setembro de 2026"), "{one}");
    assert!(one.contains("não serve de fatura"), "{one}");
    keep("statement.csv", one.as_bytes());
}

/// What is no picture is refused in words, and never kept.
#[test]
fn a_letterhead_needs_a_picture() {
    assert_eq!(Logo::new(b"%PDF-1.7".to_vec()), Err(LogoError::NotAPicture));
    assert_eq!(Logo::new(b"\x89PNG\r\n\x1a\n and then nothing".to_vec()), Err(LogoError::Damaged));
    assert!(matches!(
        Logo::new([b"\xff\xd8\xff".to_vec(), vec![0; 600_000]].concat()),
        Err(LogoError::TooLarge { .. })
    ));
}

/// A statement without any session and one of zero still render.
#[test]
fn an_empty_month_renders() {
    let result = compute(&input("2026-02", tariff(vec![flat("0.1", "2026-01-01")]), Vec::new()));
    let around = Around::new();
    assert!(result.statements.is_empty());
    keep("empty.pdf", &statement_pdf(&result.unassigned, &around.setting(Language::PtBr)).unwrap());
    keep("empty-summary.pdf", &summary_pdf(&result.summary, &around.setting(Language::PtBr)).unwrap());
    assert_eq!(at("2026-02-01T00:00:00Z"), result.summary.month.range(&around.zone).0);
}

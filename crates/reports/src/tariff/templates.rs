//! Ready-made calendars to begin with; periods and prices in them are examples the manager compares with a contract. They are
//! written from general knowledge of the sources named here, not copied from the text of any year.
//!
//! Portugal: the daily and weekly cycles of ERSE for low voltage (Regulamento Tarifário, periods published each year
//! with the Diretiva "Tarifas e Preços da Energia Elétrica", mainland Portugal), which change with the legal time.
//! Brazil: the white tariff of ANEEL (Resolução Normativa 1000/2021 and PRORET 7.1): three hours of peak and one hour
//! before and after it on working days, off-peak on weekends and national holidays; each distributor sets its peak,
//! here 18:00 to 21:00. Flags: the surcharges ANEEL set for 2024 and 2025 (Resolução Homologatória 3.306/2024).

use super::{
    Category, Charge, ChargeKind, ClockTime, DayKind, EnergyPrice, Every, Flag, Period, Rule, Season, Share, Tax,
    TaxRate, Version,
};
use crate::holiday::Holidays;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// A ready-made version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    /// Its name in requests, such as `pt_tri_weekly`.
    pub key: String,
    /// The version, valid from the day asked for.
    pub version: Version,
}

/// Names of all templates, in the order shown.
const KEYS: [&str; 8] =
    ["flat", "pt_bi_daily", "pt_bi_weekly", "pt_tri_daily", "pt_tri_weekly", "br_flat_flags", "br_white", "invoice"];

/// All templates, valid from a day.
#[must_use]
pub fn templates(from: Date) -> Vec<Template> {
    KEYS.iter().filter_map(|key| template(key, from)).collect()
}

/// One template by name, valid from a day.
#[must_use]
pub fn template(key: &str, from: Date) -> Option<Template> {
    let (name, energy) = match key {
        "flat" => ("Simples", flat("Simples", 1_580)),
        "pt_bi_daily" => ("Bi-horário, ciclo diário", portuguese(&["Vazio", "Fora de vazio"], bi_daily())),
        "pt_bi_weekly" => ("Bi-horário, ciclo semanal", portuguese(&["Vazio", "Fora de vazio"], bi_weekly())),
        "pt_tri_daily" => ("Tri-horário, ciclo diário", portuguese(&["Vazio", "Cheias", "Ponta"], tri_daily())),
        "pt_tri_weekly" => ("Tri-horário, ciclo semanal", portuguese(&["Vazio", "Cheias", "Ponta"], tri_weekly())),
        "br_flat_flags" => ("Tarifa convencional", flat("Convencional", 7_600)),
        "br_white" => ("Tarifa branca", white()),
        "invoice" => ("Fatura do fornecedor", flat("Energia", 0)),
        _ => return None,
    };
    let mut version = Version {
        name: name.to_owned(),
        valid_from: from,
        valid_to: None,
        energy,
        solar_price_per_kwh: None,
        flags: Vec::new(),
        session_fee: Decimal::ZERO,
        idle_fee: None,
        charges: Vec::new(),
        invoice: None,
        taxes: Vec::new(),
    };
    match key {
        "br_flat_flags" | "br_white" => version.flags = flags(),
        "invoice" => version.invoice = Some(Share::ByUse),
        _ => version = with_portuguese_extras(version),
    }
    Some(Template { key: key.to_owned(), version })
}

/// Ten-thousandths of the main unit.
fn price(ten_thousandths: i64) -> Decimal {
    Decimal::new(ten_thousandths, 4)
}

fn period(name: &str, ten_thousandths: i64) -> Period {
    Period { name: name.to_owned(), price_per_kwh: price(ten_thousandths) }
}

fn flat(name: &str, ten_thousandths: i64) -> EnergyPrice {
    EnergyPrice { periods: vec![period(name, ten_thousandths)], rules: Vec::new(), holidays: Holidays::None }
}

fn with_portuguese_extras(mut version: Version) -> Version {
    version.charges = vec![Charge {
        kind: ChargeKind::Power,
        name: "Potência contratada".to_owned(),
        amount: price(11_250),
        every: Every::Day,
        share: Share::Equal,
    }];
    let on = vec![Category::Energy, Category::Solar, Category::Session, Category::Idle, Category::Power];
    version.taxes = vec![Tax { name: "IVA 23 %".to_owned(), rate: TaxRate::Percent(Decimal::from(23)), on }];
    version
}

fn portuguese(names: &[&str], rules: Vec<Rule>) -> EnergyPrice {
    let prices: &[i64] = if names.len() == 2 { &[1_070, 1_940] } else { &[1_020, 1_660, 2_480] };
    let periods = names.iter().zip(prices).map(|(name, price)| period(name, *price)).collect();
    EnergyPrice { periods, rules, holidays: Holidays::None }
}

const EVERY_DAY: [DayKind; 7] = [
    DayKind::Monday,
    DayKind::Tuesday,
    DayKind::Wednesday,
    DayKind::Thursday,
    DayKind::Friday,
    DayKind::Saturday,
    DayKind::Sunday,
];

/// Rules of some days: `(from, to, period)` with times as hour times 100 plus minute.
fn rules(days: &[DayKind], season: Season, spans: &[(u16, u16, usize)]) -> Vec<Rule> {
    let time = |clock: u16| ClockTime::new(clock / 100, clock % 100).unwrap_or(ClockTime::END);
    let rule = |(from, to, period): &(u16, u16, usize)| Rule {
        days: days.to_vec(),
        season,
        from: time(*from),
        to: time(*to),
        period: *period,
    };
    spans.iter().map(rule).collect()
}

const VAZIO: usize = 0;
/// Of two: outside the empty hours.
const FORA: usize = 1;
/// Of three: full hours.
const CHEIAS: usize = 1;
const PONTA: usize = 2;

fn bi_daily() -> Vec<Rule> {
    rules(&EVERY_DAY, Season::All, &[(0, 800, VAZIO), (800, 2200, FORA), (2200, 2400, VAZIO)])
}

fn bi_weekly() -> Vec<Rule> {
    let mut all = rules(&DayKind::WORKDAYS, Season::All, &[(0, 700, VAZIO), (700, 2400, FORA)]);
    all.extend(saturday(FORA));
    all.extend(rules(&[DayKind::Sunday], Season::All, &[(0, 2400, VAZIO)]));
    all
}

/// Saturday of the weekly cycles, the same for two and three periods.
fn saturday(full: usize) -> Vec<Rule> {
    let mut all = rules(
        &[DayKind::Saturday],
        Season::Winter,
        &[(0, 930, VAZIO), (930, 1300, full), (1300, 1830, VAZIO), (1830, 2200, full), (2200, 2400, VAZIO)],
    );
    all.extend(rules(
        &[DayKind::Saturday],
        Season::Summer,
        &[(0, 900, VAZIO), (900, 1400, full), (1400, 2000, VAZIO), (2000, 2200, full), (2200, 2400, VAZIO)],
    ));
    all
}

fn tri_daily() -> Vec<Rule> {
    let mut all = rules(
        &EVERY_DAY,
        Season::Winter,
        &[
            (0, 800, VAZIO),
            (800, 900, CHEIAS),
            (900, 1030, PONTA),
            (1030, 1800, CHEIAS),
            (1800, 2030, PONTA),
            (2030, 2200, CHEIAS),
            (2200, 2400, VAZIO),
        ],
    );
    all.extend(rules(
        &EVERY_DAY,
        Season::Summer,
        &[
            (0, 800, VAZIO),
            (800, 1030, CHEIAS),
            (1030, 1300, PONTA),
            (1300, 1930, CHEIAS),
            (1930, 2100, PONTA),
            (2100, 2200, CHEIAS),
            (2200, 2400, VAZIO),
        ],
    ));
    all
}

fn tri_weekly() -> Vec<Rule> {
    let mut all = rules(
        &DayKind::WORKDAYS,
        Season::Winter,
        &[
            (0, 700, VAZIO),
            (700, 930, CHEIAS),
            (930, 1200, PONTA),
            (1200, 1830, CHEIAS),
            (1830, 2100, PONTA),
            (2100, 2400, CHEIAS),
        ],
    );
    all.extend(rules(
        &DayKind::WORKDAYS,
        Season::Summer,
        &[(0, 700, VAZIO), (700, 915, CHEIAS), (915, 1215, PONTA), (1215, 2400, CHEIAS)],
    ));
    all.extend(saturday(CHEIAS));
    all.extend(rules(&[DayKind::Sunday], Season::All, &[(0, 2400, VAZIO)]));
    all
}

fn white() -> EnergyPrice {
    let spans = [(0, 1700, 0), (1700, 1800, 1), (1800, 2100, 2), (2100, 2200, 1), (2200, 2400, 0)];
    let mut all = rules(&DayKind::WORKDAYS, Season::All, &spans);
    let off = [DayKind::Saturday, DayKind::Sunday, DayKind::Holiday];
    all.extend(rules(&off, Season::All, &[(0, 2400, 0)]));
    let periods = vec![period("Fora ponta", 6_400), period("Intermediário", 9_900), period("Ponta", 15_200)];
    EnergyPrice { periods, rules: all, holidays: Holidays::Brazil }
}

fn flags() -> Vec<Flag> {
    let flag = |name: &str, units: i64| Flag { name: name.to_owned(), per_kwh: Decimal::new(units, 5).normalize() };
    vec![flag("Verde", 0), flag("Amarela", 1_885), flag("Vermelha 1", 4_463), flag("Vermelha 2", 7_877)]
}

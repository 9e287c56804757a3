//! The form of a version.

use super::TariffsState;
use super::heat::DAYS;
use crate::icons::Icon;
use crate::pages::{Cx, named};
use crate::text::Text;
use crate::tokens;
use crate::widgets::{self, Field, Look, Loudness};
use api::{
    TariffCharge, TariffDocument, TariffEnergy, TariffFlag, TariffHolidays, TariffIdleFee, TariffMonth, TariffPeriod,
    TariffRate, TariffRule, TariffShare, TariffTax, TariffVersion,
};
use egui::Ui;

/// Words of the days, in the order of [`DAYS`].
const DAY_WORDS: [&str; 8] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "holiday"];

const CATEGORIES: [(&str, Text); 9] = [
    ("energy", Text::CatEnergy),
    ("solar", Text::CatSolar),
    ("flag", Text::CatFlag),
    ("session", Text::CatSession),
    ("idle", Text::CatIdle),
    ("power", Text::CatPower),
    ("fee", Text::CatFee),
    ("cost", Text::CatCost),
    ("invoice", Text::CatInvoice),
];

/// The form of a version; whether it is to be removed.
pub(super) fn version(cx: &Cx<'_>, ui: &mut Ui, version: &mut TariffVersion) -> bool {
    ui.horizontal_wrapped(|ui| {
        labelled(cx, ui, Text::Name, &version.name.clone(), &mut version.name, 220.0);
        labelled(cx, ui, Text::ValidFrom, "", &mut version.valid_from, 110.0);
        let mut until = version.valid_to.clone().unwrap_or_default();
        labelled(cx, ui, Text::ValidTo, "", &mut until, 110.0);
        version.valid_to = (!until.trim().is_empty()).then_some(until);
    });
    energy(cx, ui, &mut version.energy);
    fees(cx, ui, version);
    list(cx, ui, Text::FixedAmounts, &mut version.charges, new_charge(cx), charge);
    list(cx, ui, Text::Flags, &mut version.flags, new_flag(cx), flag);
    list(cx, ui, Text::TaxesTitle, &mut version.taxes, new_tax(cx), tax);
    widgets::hairline(ui);
    plain(cx, ui, Loudness::Danger, Text::RemoveVersion, &version.name)
}

fn plain(cx: &Cx<'_>, ui: &mut Ui, loudness: Loudness, label: Text, subject: &str) -> bool {
    let label = cx.text(label);
    let look = Look { loudness, icon: None, label, name: &named(label, subject), enabled: true };
    widgets::button(ui, look).clicked()
}

fn labelled(cx: &Cx<'_>, ui: &mut Ui, name: Text, subject: &str, text: &mut String, width: f32) {
    ui.vertical(|ui| {
        ui.set_width(width + 24.0);
        ui.spacing_mut().item_spacing.y = 3.0;
        let label = cx.text(name);
        widgets::field_label(ui, label);
        let _changed = widgets::text_field(ui, &named(label, subject), "", text, Field::Text, width);
    });
}

/// A price: a comma is read as a point.
fn price(ui: &mut Ui, name: &str, text: &mut String) {
    if widgets::text_field(ui, name, "0", text, Field::Text, 84.0).changed() {
        *text = text.trim().replace(',', ".");
    }
}

fn energy(cx: &Cx<'_>, ui: &mut Ui, energy: &mut TariffEnergy) {
    widgets::hairline(ui);
    widgets::heading(ui, cx.text(Text::PeriodsTitle), tokens::TEXT_TITLE);
    let mut removed = None;
    for (index, period) in energy.periods.iter_mut().enumerate() {
        ui.horizontal(|ui| {
            let name = format!("{} {}", cx.text(Text::Period), index + 1);
            widgets::text_field(ui, &name, &name, &mut period.name, Field::Text, 180.0);
            price(ui, &format!("{} {}", cx.text(Text::PricePerKwh), index + 1), &mut period.price_per_kwh);
            widgets::weak(ui, "/ kWh");
            if plain(cx, ui, Loudness::Quiet, Text::Remove, &name) {
                removed = Some(index);
            }
        });
    }
    if let Some(index) = removed {
        energy.periods.remove(index);
        energy.rules.retain(|rule| rule.period != index);
        energy.rules.iter_mut().filter(|rule| rule.period > index).for_each(|rule| rule.period -= 1);
    }
    if plain(cx, ui, Loudness::Normal, Text::AddTariffPeriod, "") {
        energy.periods.push(TariffPeriod { name: String::new(), price_per_kwh: "0".to_owned() });
    }
    rules(cx, ui, energy);
}

fn rules(cx: &Cx<'_>, ui: &mut Ui, energy: &mut TariffEnergy) {
    let periods: Vec<(usize, String)> =
        energy.periods.iter().enumerate().map(|(index, period)| (index, period.name.clone())).collect();
    let seasons = [("all", Text::WholeYear), ("summer", Text::SummerTime), ("winter", Text::WinterTime)];
    let seasons: Vec<(String, String)> =
        seasons.iter().map(|(word, text)| ((*word).to_owned(), cx.text(*text).to_owned())).collect();
    let mut removed = None;
    if !energy.rules.is_empty() {
        widgets::field_label(ui, cx.text(Text::RulesTitle));
    }
    for (index, rule) in energy.rules.iter_mut().enumerate() {
        let number = (index + 1).to_string();
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 2.0;
            days(cx, ui, rule, &number);
            ui.add_space(6.0);
            let name = |text| format!("{} {number}", cx.text(text));
            widgets::text_field(ui, &name(Text::From), "07:00", &mut rule.from, Field::Text, 64.0);
            widgets::text_field(ui, &name(Text::To), "24:00", &mut rule.to, Field::Text, 64.0);
            if let Some(season) = widgets::select(ui, &name(Text::Season), &seasons, &rule.season, 110.0) {
                rule.season = season;
            }
            if let Some(period) = widgets::select(ui, &name(Text::Period), &periods, &rule.period, 120.0) {
                rule.period = period;
            }
            if plain(cx, ui, Loudness::Quiet, Text::Remove, &name(Text::Rule)) {
                removed = Some(index);
            }
        });
    }
    if let Some(index) = removed {
        energy.rules.remove(index);
    }
    ui.horizontal(|ui| {
        if plain(cx, ui, Loudness::Normal, Text::AddRule, "") {
            let days = DAY_WORDS.iter().take(7).map(|day| (*day).to_owned()).collect();
            let (from, to) = ("00:00".to_owned(), "24:00".to_owned());
            energy.rules.push(TariffRule { days, season: "all".to_owned(), from, to, period: 0 });
        }
        let holidays = [
            (TariffHolidays::None, cx.text(Text::NoHolidays).to_owned()),
            (TariffHolidays::Portugal, cx.text(Text::HolidaysPortugal).to_owned()),
            (TariffHolidays::Brazil, cx.text(Text::HolidaysBrazil).to_owned()),
        ];
        if let Some(picked) = widgets::select(ui, cx.text(Text::Holidays), &holidays, &energy.holidays, 190.0) {
            energy.holidays = picked;
        }
    });
}

/// A small button per day, pressed in where the rule holds.
fn days(cx: &Cx<'_>, ui: &mut Ui, rule: &mut TariffRule, number: &str) {
    for (word, text) in DAY_WORDS.iter().zip(DAYS) {
        let is_on = rule.days.iter().any(|day| day == word);
        let full = cx.text(text);
        let letter: String = full.chars().take(2).collect();
        let name = format!("{full} {} {number}", cx.text(Text::Rule));
        let loudness = if is_on { Loudness::Primary } else { Loudness::Normal };
        let look = Look { loudness, icon: None, label: &letter, name: &name, enabled: true };
        if widgets::button(ui, look).clicked() {
            if is_on {
                rule.days.retain(|day| day != word);
            } else {
                rule.days.push((*word).to_owned());
            }
        }
    }
}

fn fees(cx: &Cx<'_>, ui: &mut Ui, version: &mut TariffVersion) {
    widgets::hairline(ui);
    widgets::heading(ui, cx.text(Text::FeesTitle), tokens::TEXT_TITLE);
    ui.horizontal_wrapped(|ui| {
        let mut fee = version.session_fee.clone();
        labelled(cx, ui, Text::SessionFee, "", &mut fee, 84.0);
        version.session_fee = fee.trim().replace(',', ".");
        let mut solar = version.solar_price_per_kwh.clone().unwrap_or_default();
        labelled(cx, ui, Text::SolarPrice, "", &mut solar, 84.0);
        version.solar_price_per_kwh = (!solar.trim().is_empty()).then(|| solar.trim().replace(',', "."));
        let idle = version.idle_fee.clone();
        let mut hour = idle.as_ref().map(|fee| fee.per_hour.clone()).unwrap_or_default();
        labelled(cx, ui, Text::IdlePerHour, "", &mut hour, 84.0);
        let mut grace = idle.map(|fee| fee.grace_minutes.to_string()).unwrap_or_default();
        labelled(cx, ui, Text::IdleGrace, "", &mut grace, 60.0);
        version.idle_fee = (!hour.trim().is_empty()).then(|| TariffIdleFee {
            per_hour: hour.trim().replace(',', "."),
            grace_minutes: grace.trim().parse().unwrap_or(0),
        });
    });
    let shares: Vec<(Option<TariffShare>, String)> = [
        (None, Text::NoInvoice),
        (Some(TariffShare::ByUse), Text::InvoiceByUse),
        (Some(TariffShare::Equal), Text::InvoiceEqual),
        (Some(TariffShare::ByUnitKey), Text::InvoiceByKey),
    ]
    .map(|(share, text)| (share, cx.text(text).to_owned()))
    .to_vec();
    if let Some(share) = widgets::select(ui, cx.text(Text::RecoverInvoice), &shares, &version.invoice, 300.0) {
        version.invoice = share;
    }
}

/// A list of rows, each with a way to remove it, and a button that adds one.
fn list<T: Clone>(
    cx: &Cx<'_>,
    ui: &mut Ui,
    title: Text,
    rows: &mut Vec<T>,
    new: T,
    show: impl Fn(&Cx<'_>, &mut Ui, &mut T, &str),
) {
    widgets::hairline(ui);
    widgets::heading(ui, cx.text(title), tokens::TEXT_TITLE);
    let mut removed = None;
    for (index, row) in rows.iter_mut().enumerate() {
        let number = format!("{} {}", cx.text(title), index + 1);
        ui.horizontal_wrapped(|ui| {
            show(cx, ui, row, &number);
            if plain(cx, ui, Loudness::Quiet, Text::Remove, &number) {
                removed = Some(index);
            }
        });
    }
    if let Some(index) = removed {
        rows.remove(index);
    }
    let label = cx.text(Text::Add);
    let name = named(label, cx.text(title));
    let look = Look { loudness: Loudness::Normal, icon: Some(Icon::Plus), label, name: &name, enabled: true };
    if widgets::button(ui, look).clicked() {
        rows.push(new);
    }
}

fn new_charge(cx: &Cx<'_>) -> TariffCharge {
    TariffCharge {
        kind: "power".to_owned(),
        name: cx.text(Text::CatPower).to_owned(),
        amount: "0".to_owned(),
        every: "day".to_owned(),
        share: TariffShare::Equal,
    }
}

fn charge(cx: &Cx<'_>, ui: &mut Ui, row: &mut TariffCharge, number: &str) {
    let words = |pairs: &[(&str, Text)]| -> Vec<(String, String)> {
        pairs.iter().map(|(word, text)| ((*word).to_owned(), cx.text(*text).to_owned())).collect()
    };
    let kinds = words(&[("power", Text::CatPower), ("fee", Text::CatFee), ("cost", Text::CatCost)]);
    if let Some(kind) = widgets::select(ui, &named(cx.text(Text::Kind), number), &kinds, &row.kind, 110.0) {
        row.kind = kind;
    }
    widgets::text_field(ui, &named(cx.text(Text::Name), number), "", &mut row.name, Field::Text, 150.0);
    price(ui, &named(cx.text(Text::Amount), number), &mut row.amount);
    let every = words(&[("day", Text::DueEachDay), ("month", Text::EveryMonth)]);
    if let Some(picked) = widgets::select(ui, &named(cx.text(Text::Every), number), &every, &row.every, 110.0) {
        row.every = picked;
    }
    let shares = [
        (TariffShare::Each, Text::ShareEach),
        (TariffShare::Equal, Text::SharedEqually),
        (TariffShare::ByUse, Text::ShareByUse),
        (TariffShare::ByUnitKey, Text::ShareByKey),
    ]
    .map(|(share, text)| (share, cx.text(text).to_owned()));
    if let Some(share) = widgets::select(ui, &named(cx.text(Text::Share), number), &shares, &row.share, 170.0) {
        row.share = share;
    }
}

fn new_flag(cx: &Cx<'_>) -> TariffFlag {
    TariffFlag { name: cx.text(Text::CatFlag).to_owned(), per_kwh: "0".to_owned() }
}

fn flag(cx: &Cx<'_>, ui: &mut Ui, row: &mut TariffFlag, number: &str) {
    widgets::text_field(ui, &named(cx.text(Text::Name), number), "", &mut row.name, Field::Text, 150.0);
    price(ui, &named(cx.text(Text::PricePerKwh), number), &mut row.per_kwh);
    widgets::weak(ui, "/ kWh");
}

fn new_tax(cx: &Cx<'_>) -> TariffTax {
    let on = vec!["energy".to_owned()];
    TariffTax { name: cx.text(Text::TaxesTitle).to_owned(), rate: TariffRate::Percent("23".to_owned()), on }
}

fn tax(cx: &Cx<'_>, ui: &mut Ui, row: &mut TariffTax, number: &str) {
    widgets::text_field(ui, &named(cx.text(Text::Name), number), "", &mut row.name, Field::Text, 130.0);
    let (mut value, is_percent) = match &row.rate {
        TariffRate::Percent(value) => (value.clone(), true),
        TariffRate::PerKwh(value) => (value.clone(), false),
    };
    price(ui, &named(cx.text(Text::Amount), number), &mut value);
    let units = [(true, "%".to_owned()), (false, "/ kWh".to_owned())];
    let name = named(cx.text(Text::Kind), number);
    let is_percent = widgets::select(ui, &name, &units, &is_percent, 70.0).unwrap_or(is_percent);
    row.rate = if is_percent { TariffRate::Percent(value) } else { TariffRate::PerKwh(value) };
    for (word, text) in CATEGORIES {
        let mut is_on = row.on.iter().any(|known| known == word);
        if widgets::tick(ui, &mut is_on, cx.text(text)).changed() {
            if is_on {
                row.on.push(word.to_owned());
            } else {
                row.on.retain(|known| known != word);
            }
        }
    }
}

/// What the manager enters for one month: flag and supplier's invoice.
pub(super) fn month_entry(cx: &Cx<'_>, ui: &mut Ui, state: &mut TariffsState, document: &mut TariffDocument) {
    widgets::card_title(ui, cx.text(Text::MonthEntry), cx.text(Text::MonthEntrySub));
    widgets::text_field(ui, cx.text(Text::MonthName), "2026-10", &mut state.month, Field::Text, 110.0);
    let month = state.month.trim().to_owned();
    let is_month = month.len() == 7 && month.as_bytes().get(4) == Some(&b'-');
    if is_month {
        let entry = document.months.get(&month).cloned().unwrap_or_default();
        let mut amount = entry.invoice_amount.clone().unwrap_or_default();
        widgets::field_label(ui, cx.text(Text::InvoiceAmount));
        price(ui, cx.text(Text::InvoiceAmount), &mut amount);
        let mut flags = vec![(None, "–".to_owned())];
        for flag in document.versions.iter().flat_map(|version| &version.flags) {
            if !flags.iter().any(|(known, _)| known.as_ref() == Some(&flag.name)) {
                flags.push((Some(flag.name.clone()), flag.name.clone()));
            }
        }
        let flag = widgets::select(ui, cx.text(Text::CatFlag), &flags, &entry.flag, 150.0).unwrap_or(entry.flag);
        let changed = TariffMonth { flag, invoice_amount: (!amount.trim().is_empty()).then_some(amount) };
        if changed == TariffMonth::default() {
            document.months.remove(&month);
        } else {
            document.months.insert(month, changed);
        }
    }
    for (month, entry) in &document.months {
        let parts = [Some(month.clone()), entry.flag.clone(), entry.invoice_amount.clone()];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        widgets::weak_line(ui, &parts.join(" · "));
    }
}

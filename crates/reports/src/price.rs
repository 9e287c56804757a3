//! From what a payer used to the lines of a statement.

use crate::cut::{Account, Cut, share_among_sessions};
use crate::input::{Correction, MonthInput};
use crate::money::{Cents, apportion, kwh};
use crate::statement::{Amount, Line, Previous, Statement, TaxLine};
use crate::tariff::{Category, Charge, ChargeKind, Every, Share, Tax, TaxRate, Version};
use jiff::civil::Date;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// A line with the version its taxes come from.
type Priced = (usize, Line);

/// Someone who takes part in a month: a tenant, or at the end of the list the building itself.
pub(crate) struct Party {
    /// Pseudonym; `None` is the building.
    pub(crate) key: Option<String>,
    pub(crate) account: Account,
    /// Days of tenancy in the month, in order; empty for the building.
    pub(crate) days: Vec<Date>,
    /// Share of the building in thousandths.
    pub(crate) unit_key: u32,
    pub(crate) lines: Vec<Priced>,
}

/// Minutes of an hour, for prices per hour.
const HOUR: u32 = 60;

/// Adds every line to every party. The building is the last one and carries what nobody else can.
pub(crate) fn price(input: &MonthInput, cut: &Cut<'_>, parties: &mut [Party]) {
    for (index, version) in input.tariff.versions.iter().enumerate() {
        let days: Vec<Date> = input.month.dates().filter(|date| version.holds(*date)).collect();
        if days.is_empty() {
            continue;
        }
        for party in parties.iter_mut() {
            usage_lines(input, cut, (index, version), party);
        }
        for charge in &version.charges {
            charge_lines(input, (index, version), charge, &days, parties);
        }
    }
    invoice_lines(input, parties);
    for correction in &input.corrections {
        correction_line(correction, parties);
    }
}

fn usage_lines(input: &MonthInput, cut: &Cut<'_>, (index, version): (usize, &Version), party: &mut Party) {
    let round = |exact: Decimal| input.currency.round(exact);
    let label = label(input, version);
    let account = &party.account;
    let mut add = |category, name: &str, quantity, price: Decimal, amount| {
        let line =
            Line { category, name: name.to_owned(), version: label.clone(), quantity, price: Some(price), amount };
        party.lines.push((index, line));
    };
    for (place, wh) in account.grid_wh.iter().filter(|(place, _)| place.version == index) {
        if let Some(period) = version.energy.periods.get(place.period) {
            let price = period.price_per_kwh;
            add(Category::Energy, &period.name, Amount::Energy(*wh), price, round(kwh(*wh) * price));
        }
    }
    if let Some(wh) = account.solar_wh.get(&index) {
        let price = version.solar_price_per_kwh.unwrap_or_default();
        add(Category::Solar, "", Amount::Energy(*wh), price, round(kwh(*wh) * price));
    }
    let grid_wh: u64 = account.grid_wh.iter().filter(|(place, _)| place.version == index).map(|(_, wh)| wh).sum();
    let flag = cut.flag_per_kwh(index);
    if grid_wh > 0 && flag > Decimal::ZERO {
        let name = input.tariff.months.get(&input.month).and_then(|entry| entry.flag.clone()).unwrap_or_default();
        add(Category::Flag, &name, Amount::Energy(grid_wh), flag, round(kwh(grid_wh) * flag));
    }
    if let Some(count) = account.sessions.get(&index).filter(|_| version.session_fee > Decimal::ZERO) {
        let price = version.session_fee;
        add(Category::Session, "", Amount::Sessions(*count), price, round(Decimal::from(*count) * price));
    }
    if let Some((minutes, fee)) = account.idle_minutes.get(&index).zip(version.idle_fee.as_ref()) {
        let amount = round(Decimal::from(*minutes) * fee.per_hour / Decimal::from(HOUR));
        add(Category::Idle, "", Amount::Minutes(*minutes), fee.per_hour, amount);
    }
}

/// The version's name where a month has several.
fn label(input: &MonthInput, version: &Version) -> Option<String> {
    let whole = input.month.dates().all(|date| version.holds(date));
    (!whole).then(|| version.name.clone())
}

const fn category(kind: ChargeKind) -> Category {
    match kind {
        ChargeKind::Power => Category::Power,
        ChargeKind::Fee => Category::Fee,
        ChargeKind::Cost => Category::Cost,
    }
}

fn charge_lines(
    input: &MonthInput,
    (index, version): (usize, &Version),
    charge: &Charge,
    days: &[Date],
    parties: &mut [Party],
) {
    let due = |days: usize| {
        let days = Decimal::from(days);
        let exact = match charge.every {
            Every::Day => charge.amount * days,
            Every::Month => charge.amount * days / Decimal::from(input.month.days()),
        };
        input.currency.round(exact)
    };
    let line = |quantity, price, amount| {
        let name = charge.name.clone();
        (index, Line { category: category(charge.kind), name, version: label(input, version), quantity, price, amount })
    };
    if charge.share == Share::Each {
        for party in parties.iter_mut().filter(|party| party.key.is_some()) {
            let present = party.days.iter().filter(|date| days.contains(date)).count();
            if present > 0 {
                let quantity = Amount::Days(u32::try_from(present).unwrap_or(u32::MAX));
                let price = (charge.every == Every::Day).then_some(charge.amount);
                party.lines.push(line(quantity, price, due(present)));
            }
        }
        return;
    }
    let whole = due(days.len());
    let weights = weights(charge.share, parties, days, Some(index));
    divide(whole, &weights, parties, |amount| line(Amount::ShareOf(whole), None, amount));
}

fn weights(share: Share, parties: &[Party], days: &[Date], version: Option<usize>) -> Vec<u128> {
    let present = |party: &Party| party.days.iter().filter(|date| days.contains(date)).count() as u128;
    let used = |party: &Party| match version {
        Some(index) => party.account.version_wh.get(&index).copied().unwrap_or(0),
        None => party.account.energy_wh,
    };
    let weight = |party: &Party| match share {
        Share::Each | Share::Equal => present(party),
        Share::ByUse => u128::from(used(party)),
        Share::ByUnitKey => present(party) * u128::from(party.unit_key),
    };
    parties.iter().map(weight).collect()
}

/// Divides an amount; what nobody can be named to carry stays with the building.
fn divide(whole: Cents, weights: &[u128], parties: &mut [Party], line: impl Fn(Cents) -> Priced) {
    match apportion(whole, weights) {
        Some(parts) => {
            for ((party, part), _) in parties.iter_mut().zip(parts).zip(weights).filter(|(_, weight)| **weight > 0) {
                party.lines.push(line(part));
            }
        }
        None => {
            if let Some(building) = parties.last_mut().filter(|_| whole != Cents::ZERO) {
                building.lines.push(line(whole));
            }
        }
    }
}

fn invoice_lines(input: &MonthInput, parties: &mut [Party]) {
    let Some((index, share)) = invoice_rule(input) else { return };
    let Some(exact) = input.tariff.months.get(&input.month).and_then(|entry| entry.invoice_amount) else { return };
    let whole = input.currency.round(exact);
    let days: Vec<Date> = input.month.dates().collect();
    let weights = weights(share, parties, &days, None);
    let line = |amount| {
        let quantity = Amount::ShareOf(whole);
        (index, Line { category: Category::Invoice, name: String::new(), version: None, quantity, price: None, amount })
    };
    divide(whole, &weights, parties, line);
}

/// The version whose rule divides the month's invoice: the last one that holds in it and has one.
pub(crate) fn invoice_rule(input: &MonthInput) -> Option<(usize, Share)> {
    let mut dates: Vec<Date> = input.month.dates().collect();
    dates.reverse();
    let versions = dates.into_iter().filter_map(|date| input.tariff.version_on(date));
    versions.filter_map(|(index, version)| version.invoice.map(|share| (index, share))).next()
}

fn correction_line(correction: &Correction, parties: &mut [Party]) {
    // A tenant who left since is the building's to settle, in view of everyone.
    let found = parties.iter().position(|party| party.key == correction.tenant);
    let at = found.unwrap_or(parties.len().saturating_sub(1));
    let Some(party) = parties.get_mut(at) else { return };
    let line = Line {
        category: Category::Correction,
        name: correction.month.to_string(),
        version: None,
        quantity: Amount::EnergyChange(correction.energy_wh),
        price: None,
        amount: correction.amount,
    };
    party.lines.push((usize::MAX, line));
}

/// Finishes a statement: order, taxes, totals, shares of the sessions.
pub(crate) fn finish(input: &MonthInput, mut party: Party) -> Statement {
    party.lines.sort_by_key(|(version, line)| (line.category, *version));
    let taxes = taxes(input, &party, |_| true);
    let usage_tax: Cents = self::taxes(input, &party, Category::is_usage).iter().map(|tax| tax.amount).sum();
    let Party { key, mut account, lines, .. } = party;
    let lines: Vec<Line> = lines.into_iter().map(|(_, line)| line).collect();
    let sum = |wanted: fn(Category) -> bool| -> Cents {
        lines.iter().filter(|line| wanted(line.category)).map(|line| line.amount).sum()
    };
    let of_energy = |category| matches!(category, Category::Energy | Category::Solar | Category::Flag);
    share_among_sessions(&mut account, sum(of_energy));
    let order: BTreeMap<_, _> = account.lines.into_iter().map(|line| ((line.started_at, line.id), line)).collect();
    let (net, tax) = (sum(|_| true), taxes.iter().map(|tax| tax.amount).sum());
    let previous = key.as_ref().and_then(|key| input.previous.get(key));
    Statement {
        month: input.month,
        previous: previous.map(|(energy_wh, total)| Previous { energy_wh: *energy_wh, total: *total }),
        tenant: key,
        time_zone: input.zone.name().to_owned(),
        currency: input.currency.clone(),
        sessions: order.into_values().collect(),
        energy_wh: account.energy_wh,
        mid_wh: account.mid_wh,
        days_wh: account.days_wh,
        usage_total: sum(Category::is_usage) + usage_tax,
        lines,
        taxes,
        net,
        tax,
        total: net + tax,
    }
}

/// Taxes on the lines of some categories. One name at one rate is one tax, also across versions.
fn taxes(input: &MonthInput, party: &Party, wanted: impl Fn(Category) -> bool) -> Vec<TaxLine> {
    let mut found: Vec<(&Tax, Cents, u64)> = Vec::new();
    for (index, version) in input.tariff.versions.iter().enumerate() {
        for tax in &version.taxes {
            let taxed = |(version, line): &&Priced| {
                *version == index && tax.on.contains(&line.category) && wanted(line.category)
            };
            let lines = || party.lines.iter().filter(taxed);
            let base: Cents = lines().map(|(_, line)| line.amount).sum();
            let energy =
                lines().filter(|(_, line)| line.category != Category::Flag).map(|(_, line)| match line.quantity {
                    Amount::Energy(wh) => wh,
                    Amount::EnergyChange(_)
                    | Amount::Sessions(_)
                    | Amount::Minutes(_)
                    | Amount::Days(_)
                    | Amount::ShareOf(_) => 0,
                });
            let energy = energy.sum::<u64>();
            if base == Cents::ZERO && energy == 0 {
                continue;
            }
            match found.iter_mut().find(|(known, ..)| known.name == tax.name && known.rate == tax.rate) {
                Some((_, sum, wh)) => {
                    *sum += base;
                    *wh += energy;
                }
                None => found.push((tax, base, energy)),
            }
        }
    }
    let line = |(tax, base, energy): (&Tax, Cents, u64)| {
        let (exact, energy_wh) = match &tax.rate {
            TaxRate::Percent(percent) => (base.decimal(&input.currency) * *percent / Decimal::ONE_HUNDRED, 0),
            TaxRate::PerKwh(price) => (kwh(energy) * *price, energy),
        };
        let amount = input.currency.round(exact);
        TaxLine { name: tax.name.clone(), rate: tax.rate.clone(), base, energy_wh, amount }
    };
    found.into_iter().map(line).collect()
}

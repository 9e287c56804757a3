//! Sessions cut at midnights, month ends and changes of price, and added up for each payer.

use crate::input::{MeteredSession, MonthInput};
use crate::money::kwh;
use crate::statement::SessionLine;
use crate::timeline::{Place, QUARTER_MS, Span, Timeline};
use crate::trace::Trace;
use crate::{Cents, Version};
use domain::Timestamp;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// What one payer used in a month, by price.
#[derive(Clone, Debug, Default)]
pub(crate) struct Account {
    pub(crate) energy_wh: u64,
    pub(crate) mid_wh: u64,
    pub(crate) days_wh: Vec<u64>,
    /// From the grid, or from anywhere where solar energy has no price of its own.
    pub(crate) grid_wh: BTreeMap<Place, u64>,
    /// From the roof, by version.
    pub(crate) solar_wh: BTreeMap<usize, u64>,
    /// Of any origin, by version.
    pub(crate) version_wh: BTreeMap<usize, u64>,
    /// Sessions with energy that began in the month, by version.
    pub(crate) sessions: BTreeMap<usize, u32>,
    /// Minutes connected without drawing, after the grace, by version.
    pub(crate) idle_minutes: BTreeMap<usize, u64>,
    pub(crate) lines: Vec<SessionLine>,
    /// Exact cost of the energy of each line, in ten-trillionths of the main unit: only for dividing.
    pub(crate) weights: Vec<u128>,
}

impl Account {
    pub(crate) fn new(days: u8) -> Self {
        Self { days_wh: vec![0; usize::from(days)], ..Self::default() }
    }
}

/// Decimals of a weight: ten of a price and three of a kWh.
const WEIGHT_SCALE: u32 = 13;

/// One session against one month.
pub(crate) struct Cut<'a> {
    input: &'a MonthInput,
    timeline: &'a Timeline,
    /// Surcharge per kWh of the month's flag, by version.
    flags: Vec<Decimal>,
}

impl<'a> Cut<'a> {
    pub(crate) fn new(input: &'a MonthInput, timeline: &'a Timeline) -> Self {
        let flag = input.tariff.months.get(&input.month).and_then(|entry| entry.flag.as_deref());
        let flags = input.tariff.versions.iter().map(|version| flag_of(version, flag)).collect();
        Self { input, timeline, flags }
    }

    /// Surcharge per kWh of the month's flag in a version.
    pub(crate) fn flag_per_kwh(&self, version: usize) -> Decimal {
        self.flags.get(version).copied().unwrap_or_default()
    }

    /// Adds the part of a session that lies in the month to its payer's account, if any part does.
    pub(crate) fn add(&self, one: &MeteredSession, trace: &Trace, account: &mut Account) {
        let session = &one.session;
        let (from, to) = (self.timeline.from, self.timeline.to);
        let begins_here = from <= session.started_at && session.started_at < to;
        let energy_wh = trace.between(from, to);
        if energy_wh == 0 && !begins_here {
            return;
        }
        let end = session.ended_at.unwrap_or_else(|| trace.newest_at()).max(session.started_at);
        let mut cost = Decimal::ZERO;
        let mut remainder = 0;
        for span in self.timeline.touched(session.started_at.max(from), end.min(to)) {
            let wh = trace.between(span.from, span.to);
            if wh == 0 {
                continue;
            }
            let solar_wh = self.solar_wh(trace, span, &mut remainder).min(wh);
            self.add_span(span, wh, solar_wh, account, &mut cost);
        }
        self.add_idle(one, trace, account);
        if begins_here
            && session.energy.0 > 0
            && let Some(version) = self.version_at(session.started_at)
        {
            *account.sessions.entry(version).or_default() += 1;
        }
        let is_mid = self.input.mid_chargers.contains(&session.charger);
        account.energy_wh += energy_wh;
        account.mid_wh += if is_mid { energy_wh } else { 0 };
        let mut estimated = [from, to].into_iter().filter(|at| session.started_at < *at && *at < end);
        account.weights.push(weight(cost));
        account.lines.push(SessionLine {
            id: session.id,
            charger: session.charger.clone(),
            connector: session.connector,
            started_at: session.started_at,
            ended_at: session.ended_at,
            energy_wh,
            amount: Cents::ZERO,
            provenance: session.provenance,
            is_cut: energy_wh != session.energy.0,
            is_cut_estimated: estimated.any(|at| trace.is_estimated_at(at)),
            is_mid,
        });
    }

    fn add_span(&self, span: &Span, wh: u64, solar_wh: u64, account: &mut Account, cost: &mut Decimal) {
        if let Some(day) = account.days_wh.get_mut(span.day) {
            *day += wh;
        }
        let Some(place) = span.place else { return };
        let Some(version) = self.input.tariff.versions.get(place.version) else { return };
        *account.version_wh.entry(place.version).or_default() += wh;
        let grid_wh = wh - solar_wh;
        let price = version.energy.periods.get(place.period).map(|period| period.price_per_kwh).unwrap_or_default();
        if grid_wh > 0 {
            *account.grid_wh.entry(place).or_default() += grid_wh;
            *cost += kwh(grid_wh) * (price + self.flag_per_kwh(place.version));
        }
        if solar_wh > 0 {
            *account.solar_wh.entry(place.version).or_default() += solar_wh;
            *cost += kwh(solar_wh) * version.solar_price_per_kwh.unwrap_or_default();
        }
    }

    /// Energy of a span that came from the roof. Fractions of a watt-hour are carried along the session.
    fn solar_wh(&self, trace: &Trace, span: &Span, remainder: &mut u64) -> u64 {
        let version = span.place.and_then(|place| self.input.tariff.versions.get(place.version));
        let shares = &self.input.solar_permille;
        if shares.is_empty() || version.is_none_or(|version| version.solar_price_per_kwh.is_none()) {
            return 0;
        }
        let first = span.from.0.div_euclid(QUARTER_MS) * QUARTER_MS;
        let mut solar = 0;
        for (quarter, permille) in shares.range(first..span.to.0) {
            let (from, to) = (span.from.max(Timestamp(*quarter)), span.to.min(Timestamp(*quarter + QUARTER_MS)));
            let milli = trace.between(from, to) * u64::from((*permille).min(1000)) + *remainder;
            solar += milli / 1000;
            *remainder = milli % 1000;
        }
        solar
    }

    fn add_idle(&self, one: &MeteredSession, trace: &Trace, account: &mut Account) {
        let (Some(full_at), Some(ended_at)) = (trace.full_at(), one.session.ended_at) else { return };
        // Billed whole in the month it ends in: a minute is not cut.
        if ended_at <= self.timeline.from || ended_at > self.timeline.to {
            return;
        }
        let Some(index) = self.version_at(Timestamp(ended_at.0 - 1)) else { return };
        let fee = self.input.tariff.versions.get(index).and_then(|version| version.idle_fee.as_ref());
        let Some(fee) = fee else { return };
        let minutes = u64::try_from((ended_at.0 - full_at.0) / 60_000).unwrap_or(0);
        let billed = minutes.saturating_sub(u64::from(fee.grace_minutes));
        if billed > 0 {
            *account.idle_minutes.entry(index).or_default() += billed;
        }
    }

    fn version_at(&self, at: Timestamp) -> Option<usize> {
        let date = self.input.zone.date(at);
        self.input.tariff.version_on(date).map(|(index, _)| index)
    }
}

fn flag_of(version: &Version, name: Option<&str>) -> Decimal {
    let found = name.and_then(|name| version.flags.iter().find(|flag| flag.name == name));
    found.map(|flag| flag.per_kwh).unwrap_or_default()
}

fn weight(cost: Decimal) -> u128 {
    let mut scaled = cost;
    scaled.rescale(WEIGHT_SCALE);
    scaled.mantissa().unsigned_abs()
}

/// Gives each session its share of the money its energy costs.
pub(crate) fn share_among_sessions(account: &mut Account, energy_total: Cents) {
    let parts = crate::money::apportion(energy_total, &account.weights);
    for (line, part) in account.lines.iter_mut().zip(parts.unwrap_or_default()) {
        line.amount = part;
    }
}

//! What a month is computed from, gathered from the records.

use super::around::{LetterheadDocument, key_of, key_of_id};
use super::{Books, BooksError};
use domain::{
    Charger, CircuitTree, DurationMs, Meter, MeterRole, PhaseCount, Provenance, Quantity, Series, Site, Source, Tenant,
    TenantId, Timestamp, WattHours,
};
use reports::{
    Cents, ConnectorRegister, Correction, Currency, MeterCount, MeteredSession, Month, MonthInput, Payer, Tariff, Zone,
};
use std::collections::{BTreeMap, BTreeSet};
use store::{StatementBasis, TracedSession};

/// A register that was not read for so long says nothing about a month.
const REGISTER_AGE: DurationMs = DurationMs(31 * 86_400_000);

/// Readings are kept for ever at this step.
const QUARTER: DurationMs = DurationMs(900_000);

/// The building, read once for several months.
pub(super) struct Building {
    pub(super) site: Site,
    pub(super) zone: Zone,
    pub(super) tenants: Vec<Tenant>,
    pub(super) chargers: Vec<Charger>,
    pub(super) letterhead: LetterheadDocument,
    meters: Vec<Meter>,
    circuits: Option<CircuitTree>,
}

/// What does not come from the records of the month itself.
pub(super) struct Given {
    pub(super) tariff: Tariff,
    pub(super) previous: BTreeMap<String, (u64, Cents)>,
    pub(super) corrections: Vec<Correction>,
    pub(super) newest_closed: Option<Month>,
    pub(super) now: Timestamp,
}

impl Books {
    pub(super) async fn building(&self) -> Result<Building, BooksError> {
        let StatementBasis { site, circuits, meters, chargers, tenants } = self.reader.statement_basis().await?;
        let site = site.ok_or(BooksError::NoSite)?;
        let zone = Zone::new(&site.time_zone).map_err(BooksError::Zone)?;
        let letterhead = self.letterhead().await?;
        Ok(Building { site, zone, tenants, chargers, letterhead, meters, circuits })
    }

    /// Everything a month follows from.
    pub(super) async fn input(
        &self,
        building: &Building,
        month: Month,
        given: Given,
    ) -> Result<MonthInput, BooksError> {
        let (from, to) = month.range(&building.zone);
        let traced = self.reader.session_list_traced(from, to).await?;
        let orphans = self.reader.orphan_stop_list_between(from, to).await?;
        let decisions = self.reader.obstacle_decision_list(&month.to_string()).await?;
        let closed_before = given.newest_closed.map(Month::next).filter(|next| *next < month);
        Ok(MonthInput {
            month,
            zone: building.zone.clone(),
            currency: Currency::new(&building.site.currency),
            tenants: payers(building, &traced),
            sessions: sessions(building, traced),
            orphans,
            registers: self.registers(from, to).await?,
            meters: self.meters(building, from, to).await?,
            solar_permille: self.solar(building, &given.tariff, from, to).await?,
            mid_chargers: building.letterhead.mid_chargers.iter().cloned().collect(),
            decisions,
            previous: given.previous,
            corrections: given.corrections,
            earlier_open: closed_before,
            newest_closed: given.newest_closed,
            now: given.now,
            tariff: with_unit_keys(given.tariff, &building.tenants),
        })
    }

    /// Registers of all connectors before both ends of the month.
    async fn registers(&self, from: Timestamp, to: Timestamp) -> Result<Vec<ConnectorRegister>, BooksError> {
        let series: Vec<Series> = self
            .reader
            .series_list()
            .await?
            .into_iter()
            .filter(|series| series.quantity == Quantity::Energy && matches!(series.source, Source::Connector(..)))
            .collect();
        let (starts, ends) = (self.before(&series, from).await?, self.before(&series, to).await?);
        let row = |((series, at_start), at_end): ((Series, _), _)| match series.source {
            Source::Connector(charger, connector) => Some(ConnectorRegister { charger, connector, at_start, at_end }),
            Source::Circuit(_) | Source::House | Source::Solar | Source::Meter(_) => None,
        };
        Ok(series.into_iter().zip(starts).zip(ends).filter_map(row).collect())
    }

    /// Last value of each series before a moment.
    async fn before(&self, series: &[Series], at: Timestamp) -> Result<Vec<Option<WattHours>>, BooksError> {
        if series.is_empty() {
            return Ok(Vec::new());
        }
        let columns = self.reader.reading_columns(series, at - REGISTER_AGE, at, QUARTER).await?;
        let last = |column: &Vec<Option<i64>>| column.iter().rev().flatten().next().copied();
        let register = |value: i64| u64::try_from(value).ok().map(WattHours);
        Ok(columns.values.iter().map(|column| last(column).and_then(register)).collect())
    }

    /// Meters behind which there are all the chargers and nothing else.
    async fn meters(&self, building: &Building, from: Timestamp, to: Timestamp) -> Result<Vec<MeterCount>, BooksError> {
        let Some(circuits) = &building.circuits else { return Ok(Vec::new()) };
        let covers_all = |meter: &&Meter| {
            let below = |charger: &Charger| circuits.path_to_root(&charger.circuit).any(|one| one.id == meter.circuit);
            meter.role == MeterRole::Circuit
                && meter.circuit != *circuits.root()
                && !building.chargers.is_empty()
                && building.chargers.iter().all(below)
        };
        let mut counts = Vec::new();
        for meter in building.meters.iter().filter(covers_all) {
            let series = [Series { source: Source::Meter(meter.id.clone()), quantity: Quantity::Energy }];
            let ends = (self.before(&series, from).await?.pop(), self.before(&series, to).await?.pop());
            if let (Some(Some(start)), Some(Some(end))) = ends
                && end >= start
            {
                counts.push(MeterCount { name: meter.name.clone(), energy: end.saturating_sub(start) });
            }
        }
        Ok(counts)
    }

    /// The roof's part of what the building used, by the quarter of an hour; nothing where no version prices it.
    async fn solar(
        &self,
        building: &Building,
        tariff: &Tariff,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<BTreeMap<i64, u16>, BooksError> {
        let wanted = tariff.versions.iter().any(|version| version.solar_price_per_kwh.is_some());
        let Some(circuits) = building.circuits.as_ref().filter(|_| wanted) else { return Ok(BTreeMap::new()) };
        let power = |source| Series { source, quantity: Quantity::Power };
        let series = [power(Source::Solar), power(Source::Circuit(circuits.root().clone()))];
        let columns = self.reader.reading_columns(&series, from, to, QUARTER).await?;
        let [solar, grid] = columns.values.as_slice() else { return Ok(BTreeMap::new()) };
        let both = columns.at.iter().zip(solar.iter().zip(grid));
        let share = |(at, (solar, grid)): (&Timestamp, (&Option<i64>, &Option<i64>))| {
            let (solar, grid) = ((*solar)?.max(0), (*grid)?);
            let permille = solar.saturating_mul(1000).checked_div(solar.saturating_add(grid)).unwrap_or(0);
            // More than all of it means that some of it flowed out.
            let permille = if solar > 0 && grid <= 0 { 1000 } else { permille };
            Some((at.0, u16::try_from(permille.clamp(0, 1000)).ok()?)).filter(|(_, permille)| *permille > 0)
        };
        Ok(both.filter_map(share).collect())
    }
}

/// Tenants, and whoever has sessions and is no tenant any more.
fn payers(building: &Building, traced: &[TracedSession]) -> Vec<Payer> {
    let known: BTreeSet<TenantId> = building.tenants.iter().map(|tenant| tenant.id).collect();
    let gone: BTreeSet<TenantId> =
        traced.iter().filter_map(|one| one.session.tenant).filter(|id| !known.contains(id)).collect();
    let payer = |tenant: &Tenant| Payer {
        id: tenant.id,
        key: key_of(tenant),
        from: Some(building.zone.date(tenant.terms.valid_from.unwrap_or(tenant.created_at))),
        to: left_at(tenant).map(|at| building.zone.date(at)),
    };
    // Nobody is present any day: only their sessions are theirs.
    let left = |id: TenantId| Payer { id, key: key_of_id(id), from: None, to: Some(building.zone.date(Timestamp(0))) };
    building.tenants.iter().map(payer).chain(gone.into_iter().map(left)).collect()
}

/// When a tenant left: moved out, was erased, or is valid no longer.
fn left_at(tenant: &Tenant) -> Option<Timestamp> {
    let ended = match tenant.status {
        domain::TenantStatus::Active => None,
        domain::TenantStatus::Archived(at) | domain::TenantStatus::Erased(at) => Some(at),
    };
    // The first moment that is not valid any more: its day before is the last.
    let until = tenant.terms.valid_until.map(|until| until - DurationMs(1));
    ended.into_iter().chain(until).min()
}

/// The tariff with the shares the tenants have, in millionths of the building: they are entered there and nowhere else.
pub(crate) fn with_unit_keys(mut tariff: Tariff, tenants: &[Tenant]) -> Tariff {
    tariff.unit_keys = tenants.iter().filter_map(|tenant| Some((tenant.id.0, tenant.terms.unit_key?.0))).collect();
    tariff
}

fn sessions(building: &Building, traced: Vec<TracedSession>) -> Vec<MeteredSession> {
    let voltage = u64::from(building.site.nominal_voltage.0);
    let power = |charger: &Charger| {
        let wires = match building.site.phases {
            PhaseCount::One => 1,
            PhaseCount::Three => u64::try_from(charger.wiring.wires().len()).unwrap_or(3),
        };
        u64::from(charger.max.0) * voltage * wires / 1_000_000
    };
    let ratings: BTreeMap<_, _> = building.chargers.iter().map(|charger| (&charger.id, power(charger))).collect();
    let metered = |one: TracedSession| MeteredSession {
        power_max_w: ratings.get(&one.session.charger).copied().unwrap_or(0),
        decided: is_decided(one.session.provenance),
        session: one.session,
        readings: one.trace,
    };
    traced.into_iter().map(metered).collect()
}

/// Whether the manager corrected the session.
const fn is_decided(provenance: Provenance) -> bool {
    match provenance {
        Provenance::Measured | Provenance::ReceivedLate | Provenance::ClockCorrected | Provenance::Estimated => false,
        Provenance::Corrected => true,
    }
}

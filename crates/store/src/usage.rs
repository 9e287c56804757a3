//! Sums over sessions for charts: by tenant, by charger, and by any slices of time.
//!
//! The energy of a session is spread evenly over its time, to the watt-hour: the parts always add up to the whole. A
//! session counts where it began. Statements split sessions by their readings instead; charts of months ago must not
//! need those.

use crate::table::{Result, bad, to_u64};
use domain::{ChargerId, TenantId, Timestamp, WattHours};
use sqlx::{QueryBuilder, SqliteConnection};
use std::collections::BTreeMap;

/// A stretch of time that begins here and ends where the next one begins; several may share a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Beginning.
    pub start: Timestamp,
    /// What it is summed under: a day, an hour of the day, whatever the caller counts.
    pub key: i32,
}

/// What is summed separately, beside the slices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UsageGroup {
    /// Nothing.
    #[default]
    All,
    /// Each tenant, and what belongs to nobody.
    Tenant,
    /// Each charger.
    Charger,
}

/// Which sum.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UsageKey {
    /// Of everything.
    All,
    /// Of a tenant; `None` of nobody.
    Tenant(Option<TenantId>),
    /// Of a charger.
    Charger(ChargerId),
}

/// What to sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageQuestion {
    /// Only this tenant.
    pub tenant: Option<TenantId>,
    /// Only this charger.
    pub charger: Option<ChargerId>,
    /// What is summed separately.
    pub group: UsageGroup,
    /// Slices in the order of time; the first begins the period.
    pub slices: Vec<Slice>,
    /// End of the last slice.
    pub to: Timestamp,
    /// Until when sessions that run have run.
    pub now: Timestamp,
}

/// A sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageSum {
    /// Of whom.
    pub of: UsageKey,
    /// In slices with this key.
    pub slice: i32,
    /// Energy.
    pub energy: WattHours,
    /// Sessions that began.
    pub sessions: u32,
    /// Milliseconds during which a car was connected.
    pub connected_ms: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    energy: u64,
    sessions: u32,
    connected_ms: u64,
}

#[derive(sqlx::FromRow)]
struct Row {
    charger: String,
    tenant: Option<i64>,
    started_at_ms: i64,
    ended_at_ms: Option<i64>,
    energy_wh: i64,
}

/// Reads the sessions that touch the period once and sums them.
pub(crate) async fn sums(conn: &mut SqliteConnection, question: &UsageQuestion) -> Result<Vec<UsageSum>> {
    let Some(first) = question.slices.first() else { return Ok(Vec::new()) };
    let mut query = QueryBuilder::new(
        "SELECT charger, tenant, started_at_ms, ended_at_ms, energy_wh FROM session WHERE started_at_ms < ",
    );
    query.push_bind(question.to.0);
    query.push(" AND (started_at_ms >= ").push_bind(first.start.0);
    query.push(" OR ended_at_ms > ").push_bind(first.start.0).push(" OR ended_at_ms IS NULL)");
    if let Some(tenant) = question.tenant {
        query.push(" AND tenant = ").push_bind(tenant.0);
    }
    if let Some(charger) = &question.charger {
        query.push(" AND charger = ").push_bind(charger.as_str().to_owned());
    }
    let mut sums: BTreeMap<(UsageKey, i32), Sum> = BTreeMap::new();
    let rows: Vec<Row> = query.build_query_as().fetch_all(conn).await?;
    for row in rows {
        let of = match question.group {
            UsageGroup::All => UsageKey::All,
            UsageGroup::Tenant => UsageKey::Tenant(row.tenant.map(TenantId)),
            UsageGroup::Charger => {
                UsageKey::Charger(ChargerId::new(&row.charger).map_err(|error| bad("session", error))?)
            }
        };
        add(&mut sums, question, &of, &row)?;
    }
    let sum = |((of, slice), sum): ((UsageKey, i32), Sum)| UsageSum {
        of,
        slice,
        energy: WattHours(sum.energy),
        sessions: sum.sessions,
        connected_ms: sum.connected_ms,
    };
    Ok(sums.into_iter().map(sum).collect())
}

/// Spreads one session over the slices it touches.
fn add(sums: &mut BTreeMap<(UsageKey, i32), Sum>, question: &UsageQuestion, of: &UsageKey, row: &Row) -> Result<()> {
    let energy = to_u64("session", row.energy_wh)?;
    let start = row.started_at_ms;
    let end = row.ended_at_ms.unwrap_or(question.now.0).max(start);
    let slices = &question.slices;
    // The slice that holds the start, or the first one for a session that began before the period.
    let first = slices.partition_point(|slice| slice.start.0 <= start).saturating_sub(1);
    for (index, slice) in slices.iter().enumerate().skip(first) {
        let until = slices.get(index + 1).map_or(question.to.0, |next| next.start.0);
        let (begin, stop) = (start.max(slice.start.0), end.min(until));
        let begins_here = start >= slice.start.0 && start < until;
        if slice.start.0 > end || (begin > stop && !begins_here) {
            break;
        }
        let part = spread(energy, (start, end), stop) - spread(energy, (start, end), begin);
        let part = if end == start && begins_here { energy } else { part };
        if part == 0 && stop <= begin && !begins_here {
            continue;
        }
        let sum = sums.entry((of.clone(), slice.key)).or_default();
        sum.energy = sum.energy.saturating_add(part);
        sum.sessions = sum.sessions.saturating_add(u32::from(begins_here));
        sum.connected_ms = sum.connected_ms.saturating_add(u64::try_from(stop - begin).unwrap_or(0));
    }
    Ok(())
}

/// Energy from the start until `at`, rounded down: differences of it add up to the whole.
fn spread(energy: u64, (start, end): (i64, i64), at: i64) -> u64 {
    let span = u128::from((end - start).unsigned_abs());
    if span == 0 || at <= start {
        return 0;
    }
    let passed = u128::from((at.min(end) - start).unsigned_abs());
    u64::try_from(u128::from(energy) * passed / span).unwrap_or(energy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(starts: &[(i64, i32)], to: i64) -> UsageQuestion {
        UsageQuestion {
            tenant: None,
            charger: None,
            group: UsageGroup::All,
            slices: starts.iter().map(|(start, key)| Slice { start: Timestamp(*start), key: *key }).collect(),
            to: Timestamp(to),
            now: Timestamp(to),
        }
    }

    fn parts(
        question: &UsageQuestion,
        started_at_ms: i64,
        ended_at_ms: Option<i64>,
        energy_wh: i64,
    ) -> Vec<(i32, u64)> {
        let mut sums = BTreeMap::new();
        let row = Row { charger: "C1".to_owned(), tenant: None, started_at_ms, ended_at_ms, energy_wh };
        add(&mut sums, question, &UsageKey::All, &row).unwrap();
        sums.into_iter().map(|((_, key), sum)| (key, sum.energy)).collect()
    }

    /// Odd energies over odd times: the parts of a session inside the period add up to the watt-hour.
    #[test]
    fn the_parts_add_up() {
        let slices = question(&[(0, 0), (10, 1), (20, 2), (30, 0)], 40);
        assert_eq!(parts(&slices, 5, Some(35), 100), [(0, 33), (1, 34), (2, 33)]);
        for energy in [1, 2, 7, 99, 101] {
            let total: u64 = parts(&slices, 3, Some(38), energy).iter().map(|(_, part)| part).sum();
            assert_eq!(total, u64::try_from(energy).unwrap());
        }
    }

    /// What lies outside the period does not count, and a session without length counts where it is.
    #[test]
    fn only_the_period_counts() {
        let slices = question(&[(10, 0), (20, 1)], 30);
        assert_eq!(parts(&slices, 0, Some(20), 100), [(0, 50)]);
        assert_eq!(parts(&slices, 25, Some(35), 100), [(1, 50)]);
        assert_eq!(parts(&slices, 15, Some(15), 7), [(0, 7)]);
        assert_eq!(parts(&slices, 20, None, 8), [(1, 8)]);
        assert_eq!(parts(&slices, 22, Some(12), 9), [(1, 9)], "an end before the start");
    }
}

//! The two bundled recordings; their sources and licences are in `data/README.md`.

use std::sync::LazyLock;

const SCEAUX: &str = include_str!("../data/sceaux_house_load_1min.csv");
const TRONDHEIM: &str = include_str!("../data/trondheim_ev_sessions.csv");

/// Minutes in a day.
pub(crate) const DAY_MIN: u64 = 1_440;
/// The recording of the house begins at 17:24.
const SCEAUX_START_MIN: u64 = 17 * 60 + 24;

/// One house, one value in watts per minute, whole days from midnight on.
pub(crate) static HOUSE_W: LazyLock<Vec<u32>> = LazyLock::new(|| {
    let values: Vec<u32> = SCEAUX.lines().skip(1).filter_map(house_line).collect();
    let until_midnight = usize::try_from(DAY_MIN - SCEAUX_START_MIN).unwrap_or(0);
    let days = values.len().saturating_sub(until_midnight) / usize::try_from(DAY_MIN).unwrap_or(1);
    let minutes = days * usize::try_from(DAY_MIN).unwrap_or(1);
    values.into_iter().skip(until_midnight).take(minutes).collect()
});

/// `2006-12-16T17:24,4.216` in kW becomes 4216 W.
fn house_line(line: &str) -> Option<u32> {
    let (_, kw) = line.split_once(',')?;
    thousandths(kw)
}

/// A decimal number with up to three places, times 1000.
fn thousandths(text: &str) -> Option<u32> {
    let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let mut part: String = part.chars().take(3).collect();
    while part.len() < 3 {
        part.push('0');
    }
    let whole: u32 = whole.parse().ok()?;
    whole.checked_mul(1000)?.checked_add(part.parse().ok()?)
}

/// One recorded charging session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RecordedSession {
    /// Day since 1970, local time.
    pub(crate) day: i64,
    /// Minute of that day the car arrived.
    pub(crate) minute: u64,
    /// Minutes it stayed.
    pub(crate) stay_min: u64,
    /// Energy it took.
    pub(crate) energy_wh: u64,
}

/// Sessions of the housing cooperative in the order they began.
pub(crate) static SESSIONS: LazyLock<Vec<RecordedSession>> = LazyLock::new(|| {
    let mut sessions: Vec<RecordedSession> = TRONDHEIM.lines().skip(1).filter_map(session_line).collect();
    sessions.sort_by_key(|session| (session.day, session.minute, session.stay_min, session.energy_wh));
    sessions
});

fn session_line(line: &str) -> Option<RecordedSession> {
    let mut fields = line.split(',');
    let (plugged_in, plugged_out) = (minutes(fields.next()?)?, minutes(fields.next()?)?);
    let energy_wh = u64::from(thousandths(fields.nth(4)?)?);
    let stay_min = u64::try_from(plugged_out - plugged_in).ok()?;
    let day = plugged_in.div_euclid(1_440);
    let minute = u64::try_from(plugged_in.rem_euclid(1_440)).ok()?;
    // Tests of a cable and cars that stayed for days say nothing about a normal day.
    let useful = (20..=3 * DAY_MIN).contains(&stay_min) && (500..=60_000).contains(&energy_wh);
    useful.then_some(RecordedSession { day, minute, stay_min, energy_wh })
}

/// Minutes since 1970 of a local time such as `2018-12-21T11:33:00`.
fn minutes(text: &str) -> Option<i64> {
    let time: jiff::civil::DateTime = text.parse().ok()?;
    Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second() / 60)
}

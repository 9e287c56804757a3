//! A month as the tariff sees it: spans of time with one day, one version and one period each.

use crate::Month;
use crate::tariff::Tariff;
use crate::zone::Zone;
use domain::Timestamp;
use jiff::civil::Date;

/// Every zone's offset and every tariff time is a multiple of this.
pub(crate) const QUARTER_MS: i64 = 900_000;

/// Where a price is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Index of the version.
    pub(crate) version: usize,
    /// Index of its period.
    pub(crate) period: usize,
}

/// Time with one price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
    /// Day of the month, from 0.
    pub(crate) day: usize,
    /// `None` where no version has a price.
    pub(crate) place: Option<Place>,
}

/// A month cut at every midnight and every change of price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Timeline {
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
    pub(crate) spans: Vec<Span>,
    /// Days without a price.
    pub(crate) unpriced: Vec<Date>,
}

impl Timeline {
    pub(crate) fn new(zone: &Zone, tariff: &Tariff, month: Month) -> Self {
        let (from, to) = month.range(zone);
        let mut spans: Vec<Span> = Vec::new();
        let mut unpriced: Vec<Date> = Vec::new();
        let mut at = from;
        while at < to {
            let end = Timestamp((at.0 + QUARTER_MS).min(to.0));
            let wall = zone.wall(at);
            let place = tariff.version_on(wall.date).and_then(|(version, found)| {
                let kind = found.energy.day_kind(wall.date);
                found.energy.period_at(kind, wall.summer, wall.minute).map(|period| Place { version, period })
            });
            if place.is_none() && unpriced.last() != Some(&wall.date) {
                unpriced.push(wall.date);
            }
            let day = usize::try_from(wall.date.day()).unwrap_or(1).saturating_sub(1);
            match spans.last_mut().filter(|last| last.day == day && last.place == place) {
                Some(last) => last.to = end,
                None => spans.push(Span { from: at, to: end, day, place }),
            }
            at = end;
        }
        Self { from, to, spans, unpriced }
    }

    /// The spans that a stretch of time touches; a stretch without length touches the span it lies in.
    pub(crate) fn touched(&self, from: Timestamp, to: Timestamp) -> &[Span] {
        let first = self.spans.partition_point(|span| span.to <= from);
        let end = self.spans.partition_point(|span| span.from < to.max(Timestamp(from.0.saturating_add(1))));
        self.spans.get(first..end.max(first)).unwrap_or_default()
    }
}

//! What a source of prices says about the coming hours.

use crate::{Timestamp, Watts};

/// Prices and expected surplus, period by period, in order and without overlap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outlook {
    periods: Vec<OutlookPeriod>,
}

/// One period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutlookPeriod {
    /// First moment.
    pub from: Timestamp,
    /// First moment after it.
    pub to: Timestamp,
    /// Price of one kWh in millionths of the site's currency; negative when taking energy is paid for.
    pub price_micro: Option<i64>,
    /// Power that the source expects to have left over.
    pub surplus: Option<Watts>,
}

/// Why an outlook cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutlookError {
    /// A period that ends before it begins, or overlaps the one before.
    #[error("the periods must follow each other: period {0} begins before the one before it ends, or has no length")]
    Order(usize),
    /// More than a month of minutes.
    #[error("at most {max} periods can be used, the feed has {given}")]
    TooMany {
        /// Given.
        given: usize,
        /// Most.
        max: usize,
    },
}

/// A month of quarter hours.
const PERIODS_MAX: usize = 3_000;

impl Outlook {
    /// Checks order and number.
    ///
    /// # Errors
    /// Names the period that breaks the order, counted from 1.
    pub fn new(periods: Vec<OutlookPeriod>) -> Result<Self, OutlookError> {
        if periods.len() > PERIODS_MAX {
            return Err(OutlookError::TooMany { given: periods.len(), max: PERIODS_MAX });
        }
        let mut end = Timestamp(i64::MIN);
        for (number, period) in (1..).zip(&periods) {
            if period.from < end || period.to <= period.from {
                return Err(OutlookError::Order(number));
            }
            end = period.to;
        }
        Ok(Self { periods })
    }

    /// The periods in order.
    #[must_use]
    pub fn periods(&self) -> &[OutlookPeriod] {
        &self.periods
    }

    /// The period in which a moment lies.
    #[must_use]
    pub fn at(&self, at: Timestamp) -> Option<&OutlookPeriod> {
        self.periods.iter().find(|period| period.from <= at && at < period.to)
    }
}

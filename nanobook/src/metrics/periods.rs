//! Returns by calendar.

use super::MetricsError;
use crate::backtest::calendar::date;

/// The return of a month or a year.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PeriodReturn {
    /// The year, UTC.
    pub year: i64,
    /// The month, 1 to 12; `None` for a whole year.
    pub month: Option<u32>,
    /// Returns of the period, compounded.
    pub ret: f64,
    /// How many there were.
    pub periods: usize,
}

/// Returns compounded by month; each belongs to the month in which it ends.
///
/// # Errors
/// When times and returns differ in number. Times are ns since the epoch.
pub fn monthly(times: &[i64], returns: &[f64]) -> Result<Vec<PeriodReturn>, MetricsError> {
    grouped(times, returns, |time| {
        let (year, month, _) = date(time);
        (year, Some(month))
    })
}

/// Returns compounded by year.
///
/// # Errors
/// When times and returns differ in number. Times are ns since the epoch.
pub fn yearly(times: &[i64], returns: &[f64]) -> Result<Vec<PeriodReturn>, MetricsError> {
    grouped(times, returns, |time| (date(time).0, None))
}

fn grouped(
    times: &[i64],
    returns: &[f64],
    key: impl Fn(i64) -> (i64, Option<u32>),
) -> Result<Vec<PeriodReturn>, MetricsError> {
    if times.len() != returns.len() {
        return Err(MetricsError::Lengths {
            what: "times",
            returns: returns.len(),
            other: times.len(),
        });
    }
    let mut periods: Vec<PeriodReturn> = Vec::new();
    for (&time, &ret) in times.iter().zip(returns) {
        let (year, month) = key(time);
        match periods.last_mut() {
            Some(last) if (last.year, last.month) == (year, month) => {
                last.ret = (1.0 + last.ret) * (1.0 + ret) - 1.0;
                last.periods += 1;
            }
            _ => periods.push(PeriodReturn {
                year,
                month,
                ret,
                periods: 1,
            }),
        }
    }
    Ok(periods)
}

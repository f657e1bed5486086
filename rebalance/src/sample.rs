//! Sample weights and prices, so that the command works before anything is set up. The prices are made up.

use nanobook::{Symbol, Timestamp};

use crate::targets::{Constraints, Place, Restriction, Target, Targets};

/// Symbol, weight and price, one line each.
const SAMPLE: &str = include_str!("../data/sample.csv");

/// A line of the sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SampleRow {
    /// The symbol.
    pub symbol: Symbol,
    /// Its weight.
    pub weight: f64,
    /// Its price, which is made up.
    pub price: f64,
}

/// The lines of the sample.
///
/// # Panics
/// Never: the sample is part of the program and tested.
pub fn rows() -> Vec<SampleRow> {
    let row = |line: &str| {
        let mut cells = line.split(',');
        let mut next = || cells.next().unwrap_or_default();
        Some(SampleRow {
            symbol: next().parse().ok()?,
            weight: next().parse().ok()?,
            price: next().parse().ok()?,
        })
    };
    SAMPLE.lines().skip(1).filter_map(row).collect()
}

/// The weights as targets that were made on the day of a time.
pub fn targets(now: Timestamp) -> Targets {
    const DAY: i64 = 86_400_000_000_000;
    let mut rows: Vec<Target> = rows()
        .iter()
        .enumerate()
        .map(|(at, row)| Target {
            symbol: row.symbol,
            weight: row.weight,
            min_weight: None,
            max_weight: None,
            restrict: Restriction::None,
            place: Place::Line(at as u64 + 2),
        })
        .collect();
    rows.sort_by_key(|row| row.symbol);
    Targets {
        source: "the sample weights".to_owned(),
        account_id: None,
        as_of: Some(Timestamp(now.0.div_euclid(DAY) * DAY)),
        rows,
        constraints: Constraints::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_sample_is_a_row_and_the_weights_are_whole() {
        assert_eq!(rows().len(), SAMPLE.lines().count() - 1);
        let sum: f64 = rows().iter().map(|row| row.weight).sum();
        assert!((sum - 0.98).abs() < 1e-12, "{sum}");
        assert!(rows().iter().all(|row| row.price > 1.0 && row.weight > 0.0));
    }
}

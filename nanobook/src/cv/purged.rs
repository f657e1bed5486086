use std::ops::Range;

use super::{Split, at_least_two};
use crate::stats::{Error, Result};

/// K folds of neighbouring rows; rows whose label reaches into the test fold are purged from training, and an embargo
/// follows the test fold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PurgedKFold {
    /// How many folds.
    pub folds: usize,
    /// Rows after a test fold's last label that do not train, against serial correlation.
    pub embargo: usize,
}

impl PurgedKFold {
    /// The splits of rows whose label is known `horizon` rows later.
    ///
    /// # Errors
    /// As [`split_labels`](PurgedKFold::split_labels).
    ///
    /// ```
    /// use nanobook::cv::PurgedKFold;
    ///
    /// let splits = PurgedKFold { folds: 3, embargo: 1 }.split(12, 1)?;
    /// assert_eq!(splits[1].test, [4..8]);
    /// assert_eq!(splits[1].train, [0..3, 10..12]);
    /// # Ok::<(), nanobook::stats::Error>(())
    /// ```
    pub fn split(&self, rows: usize, horizon: usize) -> Result<Vec<Split>> {
        let last = rows.saturating_sub(1);
        let ends: Vec<usize> = (0..rows)
            .map(|row| row.saturating_add(horizon).min(last))
            .collect();
        self.split_labels(&ends)
    }

    /// The splits of rows whose label is made of the rows from itself to `ends[row]`.
    ///
    /// Folds are as equal as possible, the first ones a row longer. A row trains when its label ends before the test fold
    /// begins, or when it begins after the last label of the fold has ended and the embargo is over.
    ///
    /// # Errors
    /// When there are fewer than two folds or fewer rows than folds, a label ends before it begins, or nothing is left to
    /// train on.
    pub fn split_labels(&self, ends: &[usize]) -> Result<Vec<Split>> {
        let rows = ends.len();
        at_least_two("folds", self.folds)?;
        crate::stats::error::at_least("the sample", rows, self.folds)?;
        if let Some(row) = (0..rows).find(|&row| ends[row] < row) {
            return Err(Error::Parameter {
                name: "the end of a label",
                found: ends[row] as f64,
                wanted: "a label may not end before its own row",
            });
        }
        let (size, longer) = (rows / self.folds, rows % self.folds);
        let mut start = 0;
        (0..self.folds)
            .map(|fold| {
                let end = start + size + usize::from(fold < longer);
                let test = start..end;
                start = end;
                let reach = ends[test.clone()].iter().copied().max().unwrap_or(end);
                let resume = reach.saturating_add(1).saturating_add(self.embargo);
                let mut train: Vec<Range<usize>> = Vec::new();
                let before = (0..test.start).filter(|&row| ends[row] < test.start);
                for row in before.chain(resume.max(test.end)..rows.max(resume)) {
                    match train.last_mut() {
                        Some(range) if range.end == row => range.end += 1,
                        _ => train.push(row..row + 1),
                    }
                }
                if train.is_empty() {
                    return Err(Error::TooFew {
                        what: "a training set",
                        needed: 1,
                        found: 0,
                    });
                }
                Ok(Split {
                    train,
                    test: vec![test],
                })
            })
            .collect()
    }
}

//! Ways to split rows into training and test sets without letting the future into the past.
//!
//! A [`Split`] holds ranges of rows, so a year of minute bars is split without a list of its rows.
//!
//! | function | agrees with |
//! |---|---|
//! | [`TimeSeriesSplit`] | scikit-learn's `TimeSeriesSplit` |
//! | [`WalkForward`] | skfolio's `WalkForward` |
//! | [`PurgedKFold`] | López de Prado, "Advances in Financial Machine Learning" (2018), chapter 7 |
//! | [`CombinatorialPurged`] | skfolio's `CombinatorialPurgedCV` |

use std::ops::Range;

use crate::stats::{Error, Result};

mod combinatorial;
mod purged;

pub use combinatorial::{CombinatorialPurged, CombinatorialSplit};
pub use purged::PurgedKFold;

/// Rows to train on and rows to test on, each in ascending ranges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Training rows.
    pub train: Vec<Range<usize>>,
    /// Test rows.
    pub test: Vec<Range<usize>>,
}

impl Split {
    /// Every training row, ascending.
    pub fn train_rows(&self) -> impl Iterator<Item = usize> + '_ {
        self.train.iter().cloned().flatten()
    }

    /// Every test row, ascending.
    pub fn test_rows(&self) -> impl Iterator<Item = usize> + '_ {
        self.test.iter().cloned().flatten()
    }
}

/// Growing training sets, each followed by a test set of equal size at the end of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeSeriesSplit {
    /// How many splits.
    pub splits: usize,
    /// Rows of a test set; rows / (splits + 1) when none.
    pub test_size: Option<usize>,
    /// Most rows of a training set; all when none.
    pub max_train_size: Option<usize>,
    /// Rows left out between training and test.
    pub gap: usize,
}

impl TimeSeriesSplit {
    /// The given number of splits, no gap, no limit.
    pub fn new(splits: usize) -> Self {
        TimeSeriesSplit {
            splits,
            test_size: None,
            max_train_size: None,
            gap: 0,
        }
    }

    /// The splits of `rows` rows.
    ///
    /// # Errors
    /// When there are fewer than two splits or too few rows for them.
    ///
    /// ```
    /// use nanobook::cv::TimeSeriesSplit;
    ///
    /// let splits = TimeSeriesSplit::new(2).split(6)?;
    /// assert_eq!(splits[1].train, [0..4]);
    /// assert_eq!(splits[1].test, [4..6]);
    /// # Ok::<(), nanobook::stats::Error>(())
    /// ```
    pub fn split(&self, rows: usize) -> Result<Vec<Split>> {
        at_least_two("splits", self.splits)?;
        let size = self.test_size.unwrap_or(rows / (self.splits + 1));
        positive("test_size", size)?;
        if let Some(most) = self.max_train_size {
            positive("max_train_size", most)?;
        }
        let tests = size.saturating_mul(self.splits);
        let needed = tests.saturating_add(self.gap).saturating_add(1);
        if rows < needed {
            return Err(Error::TooFew {
                what: "the sample",
                needed,
                found: rows,
            });
        }
        Ok((0..self.splits)
            .map(|k| {
                let start = rows - tests + k * size;
                let end = start - self.gap;
                let first = self
                    .max_train_size
                    .map_or(0, |most| end.saturating_sub(most));
                one(first..end, start..start + size)
            })
            .collect())
    }
}

/// A window of training rows, a gap, a window of test rows, moved on by the test window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WalkForward {
    /// Rows of the (first) training window.
    pub train_size: usize,
    /// Rows of a test window, and how far the windows move.
    pub test_size: usize,
    /// Rows left out between training and test, for labels that look ahead.
    pub gap: usize,
    /// Whether the training window rolls or grows.
    pub window: Window,
    /// What happens to a last test window with fewer rows.
    pub last: LastWindow,
}

/// What a training window does as it moves on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// Keeps its length.
    Rolling,
    /// Keeps its start.
    Expanding,
}

/// What happens to a test window that the rows do not fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastWindow {
    /// It is left out.
    Drop,
    /// It is kept with fewer rows.
    Keep,
}

impl WalkForward {
    /// Rolling windows without a gap.
    pub fn new(train_size: usize, test_size: usize) -> Self {
        WalkForward {
            train_size,
            test_size,
            gap: 0,
            window: Window::Rolling,
            last: LastWindow::Drop,
        }
    }

    /// The splits of `rows` rows.
    ///
    /// # Errors
    /// When a window is empty or the rows do not hold a single pair of windows.
    pub fn split(&self, rows: usize) -> Result<Vec<Split>> {
        positive("train_size", self.train_size)?;
        positive("test_size", self.test_size)?;
        let first = self.train_size.saturating_add(self.gap);
        let mut splits = Vec::new();
        let mut start = first;
        while start < rows {
            let end = start.saturating_add(self.test_size);
            if end > rows && self.last == LastWindow::Drop {
                break;
            }
            let stop = start - self.gap;
            let from = match self.window {
                Window::Rolling => stop - self.train_size,
                Window::Expanding => 0,
            };
            splits.push(one(from..stop, start..end.min(rows)));
            start = end;
        }
        if splits.is_empty() {
            return Err(Error::TooFew {
                what: "the sample",
                needed: match self.last {
                    LastWindow::Drop => first.saturating_add(self.test_size),
                    LastWindow::Keep => first.saturating_add(1),
                },
                found: rows,
            });
        }
        Ok(splits)
    }
}

fn one(train: Range<usize>, test: Range<usize>) -> Split {
    Split {
        train: if train.is_empty() {
            Vec::new()
        } else {
            vec![train]
        },
        test: vec![test],
    }
}

fn positive(name: &'static str, value: usize) -> Result<()> {
    if value == 0 {
        return Err(Error::Parameter {
            name,
            found: 0.0,
            wanted: "give at least one row",
        });
    }
    Ok(())
}

fn at_least_two(name: &'static str, value: usize) -> Result<()> {
    if value < 2 {
        return Err(Error::Parameter {
            name,
            found: value as f64,
            wanted: "give at least two",
        });
    }
    Ok(())
}

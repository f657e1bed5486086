use std::ops::Range;

use super::{Split, at_least_two};
use crate::stats::{Error, Result};

/// Every choice of test folds among equal folds of neighbouring rows (López de Prado 2018, chapter 12), so that every
/// row is tested many times and the tests join into many paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CombinatorialPurged {
    /// How many folds.
    pub folds: usize,
    /// How many of them test at a time.
    pub test_folds: usize,
    /// Rows that do not train on either side of a test fold, for labels that look ahead.
    pub purge: usize,
    /// Further rows that do not train after a test fold, against serial correlation.
    pub embargo: usize,
}

/// One choice of test folds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CombinatorialSplit {
    /// Training rows, and test rows with a range for each test fold.
    pub split: Split,
    /// The folds that test, ascending.
    pub folds: Vec<usize>,
    /// The path to which each test fold belongs: a path tests every fold once.
    pub paths: Vec<usize>,
}

impl CombinatorialPurged {
    /// How many splits there are: folds choose test folds.
    pub fn splits(&self) -> usize {
        let k = self
            .test_folds
            .min(self.folds.saturating_sub(self.test_folds));
        (0..k).fold(1usize, |count, i| {
            count.saturating_mul(self.folds - i) / (i + 1)
        })
    }

    /// How many whole paths the tests join into.
    pub fn paths(&self) -> usize {
        self.splits() * self.test_folds / self.folds.max(1)
    }

    /// The splits of `rows` rows, choices in lexicographic order. The last fold takes the rows that are left over.
    ///
    /// # Errors
    /// When there are fewer than two folds, not fewer test folds than folds, fewer rows than folds, more than a million
    /// splits, or nothing is left to train on.
    ///
    /// ```
    /// use nanobook::cv::CombinatorialPurged;
    ///
    /// let plan = CombinatorialPurged { folds: 6, test_folds: 2, purge: 5, embargo: 3 };
    /// assert_eq!((plan.splits(), plan.paths()), (15, 5));
    /// let splits = plan.split(1_256)?;
    /// assert_eq!(splits[0].split.train, [426..1_256]);
    /// # Ok::<(), nanobook::stats::Error>(())
    /// ```
    pub fn split(&self, rows: usize) -> Result<Vec<CombinatorialSplit>> {
        at_least_two("folds", self.folds)?;
        if self.test_folds == 0 || self.test_folds >= self.folds {
            return Err(Error::Parameter {
                name: "test_folds",
                found: self.test_folds as f64,
                wanted: "give at least one, and fewer than folds",
            });
        }
        crate::stats::error::at_least("the sample", rows, self.folds)?;
        if self.splits() > 1_000_000 {
            return Err(Error::Parameter {
                name: "folds",
                found: self.folds as f64,
                wanted: "at most a million splits are possible",
            });
        }
        let size = rows / self.folds;
        let fold_rows = |fold: usize| -> Range<usize> {
            let end = if fold + 1 == self.folds {
                rows
            } else {
                (fold + 1) * size
            };
            fold * size..end
        };
        let mut uses = vec![0; self.folds];
        let mut chosen: Vec<usize> = (0..self.test_folds).collect();
        let mut splits = Vec::with_capacity(self.splits());
        loop {
            let mut free = 0;
            let mut train: Vec<Range<usize>> = Vec::new();
            for &fold in &chosen {
                let test = fold_rows(fold);
                let until = test.start.saturating_sub(self.purge);
                if until > free {
                    train.push(free..until);
                }
                free = test
                    .end
                    .saturating_add(self.purge)
                    .saturating_add(self.embargo);
            }
            if free < rows {
                train.push(free..rows);
            }
            if train.is_empty() {
                return Err(Error::TooFew {
                    what: "a training set",
                    needed: 1,
                    found: 0,
                });
            }
            let paths = chosen
                .iter()
                .map(|&fold| {
                    uses[fold] += 1;
                    uses[fold] - 1
                })
                .collect();
            splits.push(CombinatorialSplit {
                split: Split {
                    train,
                    test: chosen.iter().map(|&fold| fold_rows(fold)).collect(),
                },
                folds: chosen.clone(),
                paths,
            });
            // The next choice: raise the last fold that can be raised.
            let Some(raise) =
                (0..chosen.len()).rfind(|&i| chosen[i] < self.folds - chosen.len() + i)
            else {
                return Ok(splits);
            };
            let from = chosen[raise] + 1;
            for (i, fold) in chosen[raise..].iter_mut().enumerate() {
                *fold = from + i;
            }
        }
    }
}

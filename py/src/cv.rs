//! Bindings of `nanobook::cv`. Ranges cross as pairs; Python makes arrays of rows of them.

use std::ops::Range;

use nanobook::cv::{
    CombinatorialPurged, LastWindow, PurgedKFold, Split, TimeSeriesSplit, WalkForward, Window,
};
use pyo3::prelude::*;
use pyo3::types::PyModule;

use crate::error::Error;

type Pairs = Vec<(usize, usize)>;

fn pairs(ranges: &[Range<usize>]) -> Pairs {
    ranges
        .iter()
        .map(|range| (range.start, range.end))
        .collect()
}

fn all(splits: &[Split]) -> Vec<(Pairs, Pairs)> {
    splits
        .iter()
        .map(|split| (pairs(&split.train), pairs(&split.test)))
        .collect()
}

#[pyfunction]
fn time_series(
    rows: usize,
    splits: usize,
    test_size: Option<usize>,
    max_train_size: Option<usize>,
    gap: usize,
) -> PyResult<Vec<(Pairs, Pairs)>> {
    let plan = TimeSeriesSplit {
        splits,
        test_size,
        max_train_size,
        gap,
    };
    Ok(all(&plan.split(rows).map_err(Error::from)?))
}

#[pyfunction]
fn walk_forward(
    rows: usize,
    train_size: usize,
    test_size: usize,
    gap: usize,
    expanding: bool,
    keep_last: bool,
) -> PyResult<Vec<(Pairs, Pairs)>> {
    let plan = WalkForward {
        train_size,
        test_size,
        gap,
        window: if expanding {
            Window::Expanding
        } else {
            Window::Rolling
        },
        last: if keep_last {
            LastWindow::Keep
        } else {
            LastWindow::Drop
        },
    };
    Ok(all(&plan.split(rows).map_err(Error::from)?))
}

#[pyfunction]
fn purged_k_fold(ends: Vec<usize>, folds: usize, embargo: usize) -> PyResult<Vec<(Pairs, Pairs)>> {
    Ok(all(&PurgedKFold { folds, embargo }
        .split_labels(&ends)
        .map_err(Error::from)?))
}

/// Training ranges, test ranges, and the path of each test fold.
#[pyfunction]
fn combinatorial_purged(
    rows: usize,
    folds: usize,
    test_folds: usize,
    purge: usize,
    embargo: usize,
) -> PyResult<Vec<(Pairs, Pairs, Vec<usize>)>> {
    let plan = CombinatorialPurged {
        folds,
        test_folds,
        purge,
        embargo,
    };
    let found = plan.split(rows).map_err(Error::from)?;
    Ok(found
        .into_iter()
        .map(|choice| {
            (
                pairs(&choice.split.train),
                pairs(&choice.split.test),
                choice.paths,
            )
        })
        .collect())
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(time_series, module)?)?;
    module.add_function(wrap_pyfunction!(walk_forward, module)?)?;
    module.add_function(wrap_pyfunction!(purged_k_fold, module)?)?;
    module.add_function(wrap_pyfunction!(combinatorial_purged, module)?)
}

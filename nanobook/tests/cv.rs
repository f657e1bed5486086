//! Splits never leak, cover what they promise, and refuse what they cannot do.

use nanobook::cv::{
    CombinatorialPurged, LastWindow, PurgedKFold, Split, TimeSeriesSplit, WalkForward, Window,
};
use nanobook::stats::Error;
use proptest::prelude::*;

fn forward_only(split: &Split, gap: usize) -> bool {
    match (split.train_rows().max(), split.test_rows().min()) {
        (Some(train), Some(test)) => train + gap < test,
        (None, Some(_)) => true,
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn time_series_splits_look_back(rows in 1usize..300, splits in 2usize..9, gap in 0usize..9, most in 0usize..40) {
        let plan = TimeSeriesSplit { splits, test_size: None, max_train_size: (most > 0).then_some(most), gap };
        let Ok(found) = plan.split(rows) else {
            let size = rows / (splits + 1);
            prop_assert!(size == 0 || rows < size * splits + gap + 1);
            return Ok(());
        };
        prop_assert_eq!(found.len(), splits);
        for (k, split) in found.iter().enumerate() {
            prop_assert!(forward_only(split, gap));
            prop_assert!(split.train_rows().count() >= 1);
            prop_assert!(most == 0 || split.train_rows().count() <= most);
            if k > 0 {
                prop_assert_eq!(found[k - 1].test_rows().max().unwrap() + 1, split.test_rows().min().unwrap());
            }
        }
        prop_assert_eq!(found[splits - 1].test_rows().max().unwrap(), rows - 1);
    }

    #[test]
    fn walks_look_back(
        rows in 1usize..400, train in 1usize..60, test in 1usize..30, gap in 0usize..9, grow: bool, keep: bool,
    ) {
        let plan = WalkForward {
            train_size: train,
            test_size: test,
            gap,
            window: if grow { Window::Expanding } else { Window::Rolling },
            last: if keep { LastWindow::Keep } else { LastWindow::Drop },
        };
        match plan.split(rows) {
            Ok(found) => {
                for (k, split) in found.iter().enumerate() {
                    prop_assert!(forward_only(split, gap));
                    prop_assert_eq!(split.test_rows().min().unwrap(), train + gap + k * test);
                    prop_assert_eq!(split.train_rows().count(), if grow { train + k * test } else { train });
                    prop_assert!(split.test_rows().max().unwrap() < rows);
                }
                let tested = found.iter().map(|s| s.test_rows().count()).sum::<usize>();
                let left = rows - train - gap - tested;
                let most = if keep { 1 } else { test };
                prop_assert!(left < most);
            }
            Err(error) => {
                let few = matches!(error, Error::TooFew { .. });
                let needed = train + gap + if keep { 1 } else { test };
                prop_assert!(few && rows < needed);
            }
        }
    }

    #[test]
    fn no_label_reaches_from_training_into_test(
        lengths in prop::collection::vec(0usize..12, 4..150), folds in 2usize..6, embargo in 0usize..6,
    ) {
        let rows = lengths.len();
        let ends: Vec<usize> = lengths.iter().enumerate().map(|(i, l)| (i + l).min(rows - 1)).collect();
        let Ok(found) = (PurgedKFold { folds, embargo }).split_labels(&ends) else { return Ok(()); };
        let mut tested = vec![0; rows];
        for split in &found {
            for test in split.test_rows() {
                tested[test] += 1;
            }
            let last_label = split.test_rows().map(|t| ends[t]).max().unwrap();
            let first = split.test_rows().min().unwrap();
            let mut trained = vec![false; rows];
            for train in split.train_rows() {
                trained[train] = true;
                for test in split.test_rows() {
                    prop_assert!(ends[train] < test || train > ends[test]);
                }
                prop_assert!(train < first || train > last_label + embargo);
            }
            // Nothing more was left out than had to be.
            for row in 0..rows {
                let overlaps = if row < first { ends[row] >= first } else { row <= last_label + embargo };
                prop_assert_eq!(trained[row], !overlaps);
            }
        }
        prop_assert!(tested.iter().all(|&count| count == 1));
    }

    #[test]
    fn combinations_purge_and_join_into_paths(
        rows in 30usize..200, folds in 3usize..7, test_folds in 1usize..3, purge in 0usize..3, embargo in 0usize..3,
    ) {
        let plan = CombinatorialPurged { folds, test_folds, purge, embargo };
        let Ok(found) = plan.split(rows) else { return Ok(()); };
        prop_assert_eq!(found.len(), plan.splits());
        let mut paths = vec![vec![0; folds]; plan.paths()];
        for choice in &found {
            for (&fold, &path) in choice.folds.iter().zip(&choice.paths) {
                paths[path][fold] += 1;
            }
            let mut left_out = vec![false; rows];
            for test in &choice.split.test {
                let until = (test.end + purge + embargo).min(rows);
                left_out[test.start.saturating_sub(purge)..until].fill(true);
            }
            let trained: Vec<usize> = choice.split.train_rows().collect();
            let wanted: Vec<usize> = (0..rows).filter(|&row| !left_out[row]).collect();
            prop_assert_eq!(trained, wanted);
        }
        prop_assert!(paths.iter().flatten().all(|&uses| uses == 1));
    }
}

#[test]
fn impossible_plans_are_refused() {
    assert!(matches!(
        TimeSeriesSplit::new(1).split(10),
        Err(Error::Parameter { name: "splits", .. })
    ));
    assert!(matches!(
        TimeSeriesSplit::new(5).split(5),
        Err(Error::Parameter {
            name: "test_size",
            ..
        })
    ));
    assert!(matches!(
        WalkForward::new(0, 5).split(10),
        Err(Error::Parameter {
            name: "train_size",
            ..
        })
    ));
    assert!(matches!(
        WalkForward::new(8, 5).split(10),
        Err(Error::TooFew {
            needed: 13,
            found: 10,
            ..
        })
    ));
    assert!(matches!(
        PurgedKFold {
            folds: 2,
            embargo: 0
        }
        .split_labels(&[0, 0, 2]),
        Err(Error::Parameter { .. })
    ));
    assert!(matches!(
        PurgedKFold {
            folds: 2,
            embargo: 99
        }
        .split(4, 9),
        Err(Error::TooFew { .. })
    ));
    let plan = CombinatorialPurged {
        folds: 3,
        test_folds: 3,
        purge: 0,
        embargo: 0,
    };
    assert!(matches!(
        plan.split(10),
        Err(Error::Parameter {
            name: "test_folds",
            ..
        })
    ));
    assert!(matches!(
        CombinatorialPurged {
            folds: 60,
            test_folds: 30,
            ..plan
        }
        .split(100),
        Err(Error::Parameter { .. })
    ));
}

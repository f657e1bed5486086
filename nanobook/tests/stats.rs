//! Statistics by their definitions, on degenerate input, and against values of other packages.

use nanobook::linalg::Matrix;
use nanobook::stats::{
    Error, Errors, Method, Resampling, SharpeMoments, bootstrap, decay, expected_best_sharpe,
    factor_regression, information_coefficients, kendall, newey_west_lags, newey_west_mean,
    normal_cdf, normal_quantile, overfitting_probability, pearson, quantile_returns, ranks,
    spearman, student_two_sided,
};
use proptest::prelude::*;

fn near(a: f64, b: f64, tolerance: f64) {
    assert!(
        (a - b).abs() <= tolerance * b.abs().max(1.0),
        "{a}, expected {b}"
    );
}

/// Numbers between 0 and 1 that both this and the Python tests can make.
fn uniform(mut seed: u64, count: usize) -> Vec<f64> {
    (0..count)
        .map(|_| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 40) as f64 / f64::from(1u32 << 24)
        })
        .collect()
}

#[test]
fn correlations_equal_scipy() {
    // scipy 1.17.1: pearsonr, spearmanr, kendalltau of these ten pairs, with ties.
    let x = [1.0, 2.0, 2.0, 3.0, 4.0, 5.0, 5.0, 6.0, 7.0, 8.0];
    let y = [2.0, 1.0, 4.0, 3.0, 3.0, 7.0, 5.0, 8.0, 6.0, 9.0];
    for (found, coefficient, p_value) in [
        (
            pearson(&x, &y),
            0.878_688_966_811_457_8,
            0.000_816_420_494_906_220_8,
        ),
        (
            spearman(&x, &y),
            0.880_738_063_294_908_3,
            0.000_764_604_773_300_291_9,
        ),
        (
            kendall(&x, &y),
            0.735_680_783_794_724_6,
            0.003_772_107_928_020_935,
        ),
    ] {
        let found = found.unwrap();
        near(found.coefficient, coefficient, 1e-12);
        near(found.p_value, p_value, 1e-12);
    }
}

#[test]
#[allow(clippy::float_cmp, reason = "a certain coefficient is exactly one")]
fn pairs_on_a_line_are_certain() {
    for seed in 0..300 {
        for rows in 3..12 {
            let x = uniform(seed, rows);
            let up: Vec<f64> = x.iter().map(|x| 0.1 + 0.7 * x).collect();
            let down: Vec<f64> = x.iter().map(|x| -3.0 * x).collect();
            for (y, sign) in [(&up, 1.0), (&down, -1.0)] {
                for found in [spearman(&x, y).unwrap(), pearson(&x, y).unwrap()] {
                    assert_eq!(
                        (found.coefficient, found.p_value),
                        (sign, 0.0),
                        "{rows} rows"
                    );
                }
            }
        }
    }
}

#[test]
fn exact_kendall_counts_permutations() {
    // Of the 24 orders of four values one has no and three have one discordant pair.
    let p = kendall(&[1.0, 2.0, 3.0, 4.0], &[1.0, 2.0, 4.0, 3.0])
        .unwrap()
        .p_value;
    near(p, 2.0 * 4.0 / 24.0, 1e-12);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn kendall_equals_a_count_of_pairs(pairs in prop::collection::vec((0i8..12, 0i8..12), 4..60)) {
        let x: Vec<f64> = pairs.iter().map(|p| f64::from(p.0)).collect();
        let y: Vec<f64> = pairs.iter().map(|p| f64::from(p.1)).collect();
        let (mut balance, mut x_pairs, mut y_pairs) = (0i32, 0i32, 0i32);
        for i in 0..pairs.len() {
            for j in 0..i {
                let a = (pairs[i].0 - pairs[j].0).signum();
                let b = (pairs[i].1 - pairs[j].1).signum();
                balance += i32::from(a * b);
                x_pairs += i32::from(a.abs());
                y_pairs += i32::from(b.abs());
            }
        }
        match kendall(&x, &y) {
            Ok(found) => {
                let wanted = f64::from(balance) / (f64::from(x_pairs) * f64::from(y_pairs)).sqrt();
                prop_assert!((found.coefficient - wanted).abs() < 1e-12);
                prop_assert!((0.0..=1.0).contains(&found.p_value));
            }
            Err(error) => {
                let constant = matches!(error, Error::Constant { .. });
                prop_assert!(constant && (x_pairs == 0 || y_pairs == 0));
            }
        }
    }

    #[test]
    fn ranks_do_not_see_a_monotone_change(values in prop::collection::vec(-5.0..5.0f64, 3..40), seed in 0u64..1000) {
        let other = uniform(seed, values.len());
        let stretched: Vec<f64> = values.iter().map(|v| v.exp() * 3.0 + 1.0).collect();
        prop_assert_eq!(ranks(&values), ranks(&stretched));
        let (a, b) = (spearman(&values, &other).unwrap(), spearman(&stretched, &other).unwrap());
        prop_assert!((a.coefficient - b.coefficient).abs() < 1e-12);
        prop_assert!(a.coefficient.abs() <= 1.0 && (0.0..=1.0).contains(&a.p_value));
    }

    #[test]
    fn quantiles_invert_the_distribution(p in 1e-12..1.0f64) {
        prop_assume!(p < 1.0 - 1e-12);
        prop_assert!((normal_cdf(normal_quantile(p)) - p).abs() <= 1e-14 + 1e-12 * p);
    }

    #[test]
    fn a_newey_west_error_without_lags_is_the_deviation(values in prop::collection::vec(-1.0..1.0f64, 3..50)) {
        let found = newey_west_mean(&values, 0).unwrap();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
        prop_assert!((found.mean - mean).abs() < 1e-12);
        prop_assert!((found.error - (variance / n).sqrt()).abs() < 1e-12);
    }
}

#[test]
fn degenerate_series_are_errors_with_a_place() {
    let flat = [1.0; 5];
    let rising = [1.0, 2.0, 3.0, 4.0, 5.0];
    let holed = [1.0, 2.0, f64::NAN, 4.0, 5.0];
    for test in [pearson, spearman, kendall] {
        assert_eq!(
            test(&flat, &rising),
            Err(Error::Constant {
                name: "x",
                column: 0
            })
        );
        assert_eq!(
            test(&rising, &flat),
            Err(Error::Constant {
                name: "y",
                column: 0
            })
        );
        let found = test(&rising, &holed);
        assert_eq!(
            found,
            Err(Error::NotFinite {
                name: "y",
                row: 2,
                column: 0
            })
        );
        assert!(matches!(
            test(&rising[..2], &rising[..2]),
            Err(Error::TooFew {
                needed: 3,
                found: 2,
                ..
            })
        ));
        assert!(matches!(
            test(&rising, &rising[..4]),
            Err(Error::Length {
                found: 4,
                wanted: 5,
                ..
            })
        ));
    }
    assert!(matches!(
        SharpeMoments::of(&flat),
        Err(Error::Constant { .. })
    ));
    assert!(matches!(
        newey_west_mean(&flat, 0),
        Err(Error::Constant { .. })
    ));
    assert!(matches!(
        newey_west_mean(&rising, 5),
        Err(Error::TooFew { .. })
    ));
    let twice: Vec<f64> = rising.iter().flat_map(|v| [*v, 2.0 * v]).collect();
    let singular = factor_regression(
        &[1.0, 0.0, 2.0, 1.0, 3.0],
        Matrix::new(&twice, 2).unwrap(),
        Errors::Plain,
    );
    assert!(matches!(singular, Err(Error::Singular { .. })));
    assert!(Matrix::new(&rising, 2).is_err() && Matrix::new(&rising, 0).is_err());
}

#[test]
fn deflated_sharpe_is_the_published_one() {
    // Bailey and López de Prado (2014), the numerical example: an annual ratio of 2.5 over five years of daily returns,
    // 100 trials with variance 1/2, skew −3, kurtosis 10 gives 0.9004.
    let moments = SharpeMoments {
        sharpe: 2.5 / 250f64.sqrt(),
        skew: -3.0,
        kurtosis: 10.0,
        rows: 1250,
    };
    near(
        expected_best_sharpe(100, 0.5 / 250.0).unwrap(),
        0.1132,
        1e-4,
    );
    near(moments.deflated(100, 0.5 / 250.0).unwrap(), 0.9004, 1e-4);
    // More trials, less confidence; the number of trials is not the length of the sample.
    assert!(moments.deflated(1000, 0.5 / 250.0).unwrap() < 0.9);
    near(
        moments.deflated(1, 0.5 / 250.0).unwrap(),
        moments.probabilistic(0.0),
        1e-12,
    );
    assert!(matches!(
        moments.deflated(0, 0.1),
        Err(Error::Parameter { name: "trials", .. })
    ));
}

#[test]
fn track_record_is_where_the_probability_is_reached() {
    let moments =
        SharpeMoments::of(&uniform(3, 400).iter().map(|u| u - 0.47).collect::<Vec<_>>()).unwrap();
    let needed = moments.minimum_track_record(0.01, 0.95).unwrap();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a length"
    )]
    let rows = needed.round() as usize;
    near(
        SharpeMoments { rows, ..moments }.probabilistic(0.01),
        0.95,
        1e-3,
    );
    assert!(
        moments
            .minimum_track_record(9.0, 0.95)
            .unwrap()
            .is_infinite()
    );
    assert!(moments.minimum_track_record(0.0, 1.0).is_err());
}

#[test]
fn track_record_is_the_published_one() {
    // Bailey and López de Prado (2012): to be 95 % sure that a normal strategy with an annual ratio of 2 is above 1
    // takes 2.73 years of days, 2.83 of weeks, 3.24 of months.
    for (year, years) in [(250.0f64, 2.73), (52.0, 2.83), (12.0, 3.24)] {
        let moments = SharpeMoments {
            sharpe: 2.0 / year.sqrt(),
            skew: 0.0,
            kurtosis: 3.0,
            rows: 1_000,
        };
        let needed = moments
            .minimum_track_record(1.0 / year.sqrt(), 0.95)
            .unwrap();
        near(needed / year, years, 0.005);
    }
}

#[test]
fn information_coefficients_leave_out_what_is_missing() {
    let signal = [
        1.0,
        2.0,
        3.0,
        4.0,
        f64::NAN,
        1.0,
        2.0,
        3.0,
        1.0,
        1.0,
        f64::NAN,
        2.0,
    ];
    let forward = [0.1, 0.2, 0.3, 0.4, 0.5, 0.3, 0.2, 0.1, 0.1, 0.2, 0.3, 0.4];
    let (signal, forward) = (
        Matrix::new(&signal, 4).unwrap(),
        Matrix::new(&forward, 4).unwrap(),
    );
    let found = information_coefficients(signal, forward, Method::Spearman).unwrap();
    near(found[0].correlation.unwrap().coefficient, 1.0, 1e-12);
    assert_eq!(found[1].pairs, 3);
    near(found[1].correlation.unwrap().coefficient, -1.0, 1e-12);
    assert_eq!(found[2].pairs, 3);
    let spreads = quantile_returns(signal, forward, 2).unwrap();
    near(spreads[0].spread, 0.2, 1e-12);
    assert!(quantile_returns(signal, forward, 1).is_err());
    assert!(
        quantile_returns(signal, forward, 4).unwrap()[1]
            .spread
            .is_nan()
    );
}

#[test]
fn a_signal_that_knows_the_next_return_decays() {
    let (rows, columns) = (200, 10);
    let noise = uniform(5, rows * columns);
    let mut prices = vec![100.0; columns];
    for row in 1..rows {
        for column in 0..columns {
            let last = prices[(row - 1) * columns + column];
            prices.push(last * (1.0 + (noise[row * columns + column] - 0.5) / 10.0));
        }
    }
    let signal: Vec<f64> = (0..rows * columns)
        .map(|i| noise.get(i + columns).copied().unwrap_or(0.5))
        .collect();
    let found = decay(
        Matrix::new(&signal, columns).unwrap(),
        Matrix::new(&prices, columns).unwrap(),
        &[1, 5, 20],
        Method::Spearman,
    )
    .unwrap();
    near(found[0].mean, 1.0, 1e-9);
    assert!(found[1].mean < 0.7 && found[2].mean < found[1].mean && found[2].t_value > 2.0);
}

#[test]
fn the_bootstrap_knows_the_error_of_a_mean() {
    let series = uniform(11, 500);
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    // The deviation of a uniform number over the root of the length.
    let wanted = (1.0f64 / 12.0 / 500.0).sqrt();
    for resampling in [
        Resampling::Stationary(5.0),
        Resampling::Circular(5),
        Resampling::Moving(5),
    ] {
        let found = bootstrap(&series, resampling, 4_000, 7, mean).unwrap();
        near(found.estimate, mean(&series), 1e-12);
        assert!(
            (found.standard_error() / wanted - 1.0).abs() < 0.12,
            "{resampling:?}"
        );
        let again = bootstrap(&series, resampling, 4_000, 7, mean).unwrap();
        assert_eq!(found, again);
        let (low, high) = found.interval(0.9).unwrap();
        assert!(((high - low) / wanted / 3.29 - 1.0).abs() < 0.12);
    }
    // Longer blocks see the correlation of a random walk, single rows do not.
    let mut level = 0.0;
    let walk: Vec<f64> = uniform(12, 500)
        .iter()
        .map(|u| {
            level = level * 0.9 + u - 0.5;
            level
        })
        .collect();
    let error = |length| {
        bootstrap(&walk, Resampling::Circular(length), 2_000, 3, mean)
            .unwrap()
            .standard_error()
    };
    assert!(error(25) > 2.5 * error(1));
    assert!(bootstrap(&series, Resampling::Moving(501), 10, 0, mean).is_err());
    assert!(bootstrap(&series, Resampling::Stationary(0.5), 10, 0, mean).is_err());
}

#[test]
fn overfitting_is_likely_without_skill_and_not_with_it() {
    let (rows, strategies) = (480, 20);
    let noise = |seed| -> Vec<f64> {
        uniform(seed, rows * strategies)
            .iter()
            .map(|u| u - 0.5)
            .collect()
    };
    let mut luck = 0.0;
    for seed in 0..10 {
        let returns = noise(seed * 7_919 + 1);
        let found =
            overfitting_probability(Matrix::new(&returns, strategies).unwrap(), 10).unwrap();
        assert_eq!(found.logits.len(), 252);
        luck += found.probability / 10.0;
    }
    assert!(luck > 0.3, "{luck}");
    let mut returns = noise(21);
    for row in 0..rows {
        returns[row * strategies + 4] += 0.15;
    }
    let skill = overfitting_probability(Matrix::new(&returns, strategies).unwrap(), 12).unwrap();
    assert!(skill.probability < 0.02);
    let m = Matrix::new(&returns, strategies).unwrap();
    assert!(overfitting_probability(m, 5).is_err() && overfitting_probability(m, 22).is_err());
}

#[test]
fn tails_of_distributions() {
    near(student_two_sided(2.228_138_851_986_274, 10.0), 0.05, 1e-12);
    near(student_two_sided(0.0, 3.0), 1.0, 1e-12);
    assert!(student_two_sided(40.0, 100.0) < 1e-50);
    near(normal_quantile(0.975), 1.959_963_984_540_054, 1e-14);
    assert!(normal_quantile(0.0).is_infinite() && normal_quantile(1.5).is_nan());
    assert_eq!((newey_west_lags(100), newey_west_lags(1000)), (4, 6));
}

//! Optimizers against analytic answers, reference values, random feasible points and degenerate input.

#![allow(
    clippy::unwrap_used,
    clippy::many_single_char_names,
    reason = "tests stop at what is wrong"
)]

use nanobook::covariance::{Covariance, denoised, exponential, ledoit_wolf, sample};
use nanobook::linalg::Matrix;
use nanobook::optimize::{
    Constraints, Group, Solution, Turnover, conditional_drawdown, conditional_value_at_risk,
    hierarchical_risk_parity, inverse_cdar, inverse_cvar, inverse_volatility, max_diversification,
    max_sharpe, mean_variance, min_cdar, min_cvar, min_variance, risk_parity,
};
use nanobook::stats::Error;
use proptest::prelude::*;

fn near(a: f64, b: f64, tolerance: f64) {
    assert!((a - b).abs() <= tolerance, "{a}, expected {b}");
}

struct Random(u64);

impl Random {
    /// From −1 to 1.
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f64 / f64::from(1u32 << 23) - 1.0
    }

    /// Returns with a common factor, row after row.
    fn returns(&mut self, rows: usize, assets: usize) -> Vec<f64> {
        let betas: Vec<f64> = (0..assets).map(|_| 1.0 + 0.5 * self.next()).collect();
        let sizes: Vec<f64> = (0..assets).map(|_| 0.015 + 0.01 * self.next()).collect();
        let mut values = Vec::with_capacity(rows * assets);
        for _ in 0..rows {
            let market = 0.01 * self.next();
            for (beta, size) in betas.iter().zip(&sizes) {
                values.push(0.0003 + beta * market + size * self.next());
            }
        }
        values
    }

    /// Weights that sum to one.
    fn weights(&mut self, assets: usize) -> Vec<f64> {
        let raw: Vec<f64> = (0..assets)
            .map(|_| -(self.next().abs().max(1e-12)).ln())
            .collect();
        let total: f64 = raw.iter().sum();
        raw.iter().map(|w| w / total).collect()
    }
}

fn means(returns: Matrix<'_>) -> Vec<f64> {
    (0..returns.columns())
        .map(|c| returns.column(c).iter().sum::<f64>() / returns.rows() as f64)
        .collect()
}

fn series(returns: Matrix<'_>, weights: &[f64]) -> Vec<f64> {
    (0..returns.rows())
        .map(|row| {
            returns
                .row(row)
                .iter()
                .zip(weights)
                .map(|(r, w)| r * w)
                .sum()
        })
        .collect()
}

fn tail_risk(returns: Matrix<'_>, weights: &[f64]) -> f64 {
    let losses: Vec<f64> = series(returns, weights).iter().map(|r| -r).collect();
    conditional_value_at_risk(&losses, 0.9)
}

/// The convex problems, and whether a turnover penalty leaves them convex.
const PROBLEMS: [(&str, bool); 6] = [
    ("min_variance", true),
    ("mean_variance", true),
    ("max_sharpe", false),
    ("max_diversification", false),
    ("min_cvar", true),
    ("min_cdar", true),
];

/// What the problems are about.
struct Problems<'a> {
    returns: Matrix<'a>,
    means: Vec<f64>,
    covariance: Covariance,
}

impl<'a> Problems<'a> {
    const RISK_FREE: f64 = -0.02;

    fn new(values: &'a [f64], assets: usize) -> Self {
        let returns = Matrix::new(values, assets).unwrap();
        Problems {
            returns,
            means: means(returns),
            covariance: sample(returns).unwrap(),
        }
    }

    fn solve(&self, name: &str, limits: &Constraints) -> Result<Solution, Error> {
        match name {
            "min_variance" => min_variance(&self.covariance, limits),
            "mean_variance" => mean_variance(&self.means, &self.covariance, 5.0, limits),
            "max_sharpe" => max_sharpe(&self.means, &self.covariance, Self::RISK_FREE, limits),
            "max_diversification" => max_diversification(&self.covariance, limits),
            "min_cvar" => min_cvar(self.returns, 0.9, limits),
            _ => min_cdar(self.returns, 0.9, limits),
        }
    }

    /// What is minimized, by its definition.
    fn value(&self, name: &str, weights: &[f64], limits: &Constraints) -> f64 {
        let sum = |values: &[f64]| -> f64 { values.iter().zip(weights).map(|(v, w)| v * w).sum() };
        let variance = self.covariance.variance(weights);
        let cost = limits.turnover.as_ref().map_or(0.0, |turnover| {
            let moves = weights.iter().zip(&turnover.current);
            turnover.penalty * moves.map(|(w, c)| (w - c).abs()).sum::<f64>()
        });
        cost + match name {
            "min_variance" => variance,
            "mean_variance" => 2.5 * variance - sum(&self.means),
            "max_sharpe" => (Self::RISK_FREE - sum(&self.means)) / variance.sqrt(),
            "max_diversification" => -sum(&self.covariance.deviations()) / variance.sqrt(),
            "min_cvar" => tail_risk(self.returns, weights),
            _ => conditional_drawdown(&series(self.returns, weights), 0.9),
        }
    }
}

/// Whether weights keep to limits.
fn within(weights: &[f64], limits: &Constraints, slack: f64) -> bool {
    let bounds = limits.lower.iter().zip(&limits.upper).zip(weights);
    let inside = |(l, u, w): (f64, f64, f64)| l - slack <= w && w <= u + slack;
    let groups = limits.groups.iter().all(|group| {
        let sum = group.members.iter().map(|&member| weights[member]).sum();
        inside((group.lower, group.upper, sum))
    });
    let size = weights.iter().map(|w| w.abs()).sum::<f64>();
    bounds.into_iter().all(|((&l, &u), &w)| inside((l, u, w)))
        && groups
        && size <= limits.leverage.unwrap_or(f64::INFINITY) + slack
        && (weights.iter().sum::<f64>() - 1.0).abs() < 1e-9
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn no_feasible_point_is_better(seed in 0u64..1_000_000, assets in 2usize..12) {
        let mut random = Random(seed);
        let values = random.returns(120, assets);
        let returns = Matrix::new(&values, assets).unwrap();
        let covariance = sample(returns).unwrap();
        let mean = means(returns);
        let limits = Constraints::long_only(assets);
        let variance = min_variance(&covariance, &limits).unwrap();
        let utility = mean_variance(&mean, &covariance, 5.0, &limits).unwrap();
        // Under the best mean, so that there is something to find also when all of them are low.
        let risk_free = mean.iter().copied().fold(f64::NEG_INFINITY, f64::max) - 0.001;
        let sharpe = max_sharpe(&mean, &covariance, risk_free, &limits).unwrap();
        let diverse = max_diversification(&covariance, &limits).unwrap();
        let cvar = min_cvar(returns, 0.9, &limits).unwrap();
        let cdar = min_cdar(returns, 0.9, &limits).unwrap();
        for found in [&variance, &utility, &sharpe, &diverse, &cvar, &cdar] {
            prop_assert!(found.converged, "{found:?}");
            prop_assert!((found.weights.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            prop_assert!(found.weights.iter().all(|w| (0.0..=1.0).contains(w)));
        }
        let deviations = covariance.deviations();
        let weigh = |values: &[f64], w: &[f64]| values.iter().zip(w).map(|(v, w)| v * w).sum::<f64>();
        for _ in 0..1_000 {
            let w = random.weights(assets);
            let v = covariance.variance(&w);
            prop_assert!(variance.objective <= v + variance.gap + 1e-12);
            prop_assert!(utility.objective <= 2.5 * v - weigh(&mean, &w) + utility.gap + 1e-12);
            prop_assert!(sharpe.objective + sharpe.gap >= (weigh(&mean, &w) - risk_free) / v.sqrt() - 1e-9);
            prop_assert!(diverse.objective + diverse.gap >= weigh(&deviations, &w) / v.sqrt() - 1e-9);
        }
        for _ in 0..200 {
            let w = random.weights(assets);
            prop_assert!(cvar.objective <= tail_risk(returns, &w) + cvar.gap + 1e-12);
            prop_assert!(cdar.objective <= conditional_drawdown(&series(returns, &w), 0.9) + cdar.gap + 1e-12);
        }
    }

    #[test]
    fn order_and_units_do_not_matter(seed in 0u64..1_000_000, assets in 3usize..10) {
        let mut random = Random(seed);
        let values = random.returns(100, assets);
        let turned: Vec<f64> = values.chunks(assets).flat_map(|row| row.iter().rev().map(|v| v * 100.0)).collect();
        let (one, other) = (Matrix::new(&values, assets).unwrap(), Matrix::new(&turned, assets).unwrap());
        let (a, b) = (sample(one).unwrap(), sample(other).unwrap());
        let limits = Constraints { upper: vec![0.7; assets], ..Constraints::long_only(assets) };
        let pairs = [
            (min_variance(&a, &limits).unwrap(), min_variance(&b, &limits).unwrap()),
            (max_diversification(&a, &limits).unwrap(), max_diversification(&b, &limits).unwrap()),
            (risk_parity(&a, None).unwrap(), risk_parity(&b, None).unwrap()),
        ];
        for (x, y) in pairs {
            for (x, y) in x.weights.iter().zip(y.weights.iter().rev()) {
                prop_assert!((x - y).abs() < 1e-4, "{x} {y}");
            }
        }
        let (x, y) = (min_cvar(one, 0.9, &limits).unwrap(), min_cvar(other, 0.9, &limits).unwrap());
        prop_assert!((x.objective * 100.0 - y.objective).abs() < 1e-6 * y.objective.abs());
    }

    #[test]
    fn limits_hold_and_nothing_within_them_is_better(seed in 0u64..1_000_000, assets in 4usize..9) {
        let mut random = Random(seed);
        let values = random.returns(90, assets);
        let problems = Problems::new(&values, assets);
        let equal = vec![1.0 / assets as f64; assets];
        let limits = Constraints {
            lower: vec![-0.2; assets],
            upper: vec![0.6; assets],
            groups: vec![
                Group { members: vec![0, 1], lower: 0.1, upper: 0.7 },
                Group { members: vec![1, 2, 3], lower: f64::NEG_INFINITY, upper: 0.8 },
            ],
            leverage: Some(1.5),
            turnover: None,
        };
        let costly = Constraints {
            turnover: Some(Turnover { current: equal.clone(), penalty: 1e-4 }),
            ..limits.clone()
        };
        // Steps from equal weights, which are within the limits, as far as these allow.
        let points: Vec<Vec<f64>> = (0..1_000)
            .map(|_| {
                let raw: Vec<f64> = equal.iter().map(|_| random.next()).collect();
                let mean = raw.iter().sum::<f64>() / assets as f64;
                let mut step = 2.0;
                loop {
                    let point: Vec<f64> = raw.iter().zip(&equal).map(|(r, e)| e + step * (r - mean)).collect();
                    if within(&point, &limits, 0.0) {
                        return point;
                    }
                    step *= 0.7;
                }
            })
            .collect();
        for (name, with_turnover) in PROBLEMS {
            let limits = if with_turnover { &costly } else { &limits };
            let found = problems.solve(name, limits).unwrap();
            prop_assert!(found.converged, "{name}: {found:?}");
            prop_assert!(within(&found.weights, limits, 1e-7), "{name}: {:?}", found.weights);
            let least = problems.value(name, &found.weights, limits);
            for point in &points {
                // Half way to the best is as good a point as any, and a closer one.
                let near: Vec<f64> = point.iter().zip(&found.weights).map(|(p, w)| f64::midpoint(*p, *w)).collect();
                for point in [point, &near] {
                    let value = problems.value(name, point, limits);
                    prop_assert!(least <= value + found.gap + 1e-7 * value.abs(), "{name}: {least}, {value} at {point:?}");
                }
            }
        }
    }

    #[test]
    fn fewer_choices_are_never_better(seed in 0u64..1_000_000, assets in 4usize..10) {
        let mut random = Random(seed);
        let values = random.returns(100, assets);
        let problems = Problems::new(&values, assets);
        let covariance = &problems.covariance;
        let free = Constraints { lower: vec![-1.0; assets], upper: vec![1.0; assets], ..Constraints::long_only(assets) };
        let levered = Constraints { leverage: Some(1.4), ..free.clone() };
        let long = Constraints::long_only(assets);
        let capped = Constraints { upper: vec![0.4; assets], ..long.clone() };
        let grouped = Constraints { groups: vec![Group { members: vec![0, 1], lower: 0.3, upper: 0.4 }], ..capped.clone() };
        for (name, _) in PROBLEMS {
            let mut last = f64::NEG_INFINITY;
            for (at, limits) in [&free, &levered, &long, &capped, &grouped].into_iter().enumerate() {
                let found = problems.solve(name, limits).unwrap();
                prop_assert!(found.converged, "{name} {at}: {found:?}");
                prop_assert!(within(&found.weights, limits, 1e-7), "{name} {at}: {:?}", found.weights);
                let value = problems.value(name, &found.weights, limits);
                prop_assert!(value >= last - 1e-6 * value.abs() - 1e-12, "{name} {at}: {value} after {last}");
                last = value;
            }
        }
        let mut moved = f64::INFINITY;
        for penalty in [0.0, 1e-5, 1e-3, 1.0] {
            let current = vec![1.0 / assets as f64; assets];
            let turnover = Some(Turnover { current: current.clone(), penalty });
            let found = min_variance(covariance, &Constraints { turnover, ..Constraints::long_only(assets) }).unwrap();
            let now: f64 = found.weights.iter().zip(&current).map(|(w, c)| (w - c).abs()).sum();
            prop_assert!(now <= moved + 1e-5, "{penalty}: {now} after {moved}");
            moved = now;
        }
        prop_assert!(moved < 1e-5);
    }

    #[test]
    fn shares_of_risk_equal_their_budgets(seed in 0u64..1_000_000, assets in 2usize..40) {
        let mut random = Random(seed);
        let values = random.returns(150, assets);
        let covariance = sample(Matrix::new(&values, assets).unwrap()).unwrap();
        let budgets: Vec<f64> = (0..assets).map(|_| 1.2 + random.next()).collect();
        let total: f64 = budgets.iter().sum();
        let found = risk_parity(&covariance, Some(&budgets)).unwrap();
        prop_assert!(found.converged);
        let variance = covariance.variance(&found.weights);
        for (i, budget) in budgets.iter().enumerate() {
            let marginal: f64 = covariance.row(i).iter().zip(&found.weights).map(|(c, w)| c * w).sum();
            prop_assert!((found.weights[i] * marginal / variance - budget / total).abs() < 1e-8);
        }
    }
}

#[test]
fn the_large_problem_is_the_small_one_with_checks() {
    // Above 80 assets a working set is used: a hundred copies of the constraint set must not change the optimum.
    let mut random = Random(9);
    let assets = 160;
    let values = random.returns(400, assets);
    let returns = Matrix::new(&values, assets).unwrap();
    let covariance = sample(returns).unwrap();
    let mean = means(returns);
    let quick = Constraints::long_only(assets);
    // A lower limit on a group keeps all assets in the program, and does not bind.
    let whole = Constraints {
        groups: vec![Group {
            members: (0..assets).collect(),
            lower: 0.5,
            upper: f64::INFINITY,
        }],
        ..quick.clone()
    };
    let pairs = [
        (
            min_variance(&covariance, &quick).unwrap(),
            min_variance(&covariance, &whole).unwrap(),
        ),
        (
            max_sharpe(&mean, &covariance, 0.0, &quick).unwrap(),
            max_sharpe(&mean, &covariance, 0.0, &whole).unwrap(),
        ),
        (
            mean_variance(&mean, &covariance, 3.0, &quick).unwrap(),
            mean_variance(&mean, &covariance, 3.0, &whole).unwrap(),
        ),
        (
            max_diversification(&covariance, &quick).unwrap(),
            max_diversification(&covariance, &whole).unwrap(),
        ),
    ];
    for (a, b) in pairs {
        assert!(a.converged && b.converged);
        near(a.objective / b.objective, 1.0, 1e-7);
        for (a, b) in a.weights.iter().zip(&b.weights) {
            near(*a, *b, 1e-4);
        }
    }
}

#[test]
fn two_assets_have_an_analytic_answer() {
    let (a, b, c) = (0.04, 0.09, 0.012);
    let covariance = Covariance::new(vec![a, c, c, b], 2).unwrap();
    let limits = Constraints::long_only(2);
    near(
        min_variance(&covariance, &limits).unwrap().weights[0],
        (b - c) / (a + b - 2.0 * c),
        1e-7,
    );
    let (x, y) = (0.05, 0.08);
    let (p, q) = (x * b - y * c, y * a - x * c);
    let found = max_sharpe(&[x, y], &covariance, 0.0, &limits).unwrap();
    near(found.weights[0], p / (p + q), 1e-6);
    near(
        found.objective,
        ((x * p + y * q) / (a * b - c * c)).sqrt(),
        1e-8,
    );
    near(
        risk_parity(&covariance, None).unwrap().weights[0],
        0.3 / (0.2 + 0.3),
        1e-9,
    );
    near(
        max_diversification(&covariance, &limits).unwrap().weights[0],
        0.3 / 0.5,
        1e-6,
    );
}

#[test]
fn min_variance_is_not_equal_weights() {
    // The prior art's answer for these was 54 % and 46 %.
    let covariance = Covariance::new(vec![0.001f64.powi(2), 0.0, 0.0, 0.05f64.powi(2)], 2).unwrap();
    let found = min_variance(&covariance, &Constraints::long_only(2)).unwrap();
    near(found.weights[0], 2500.0 / 2501.0, 1e-7);
    let daily = [1e-5, 4e-5, 9e-5, 1.6e-4, 4e-4];
    let mut diagonal = vec![0.0; 25];
    daily
        .iter()
        .enumerate()
        .for_each(|(i, v)| diagonal[i * 6] = *v);
    let found = min_variance(
        &Covariance::new(diagonal, 5).unwrap(),
        &Constraints::long_only(5),
    )
    .unwrap();
    let total: f64 = daily.iter().map(|v| 1.0 / v).sum();
    for (w, v) in found.weights.iter().zip(daily) {
        near(*w, 1.0 / v / total, 1e-6);
    }
}

#[test]
fn degenerate_input_has_an_answer_or_an_error() {
    let limits = |n| Constraints::long_only(n);
    let one = Covariance::new(vec![0.04], 1).unwrap();
    near(
        min_variance(&one, &limits(1)).unwrap().weights[0],
        1.0,
        1e-9,
    );
    near(risk_parity(&one, None).unwrap().weights[0], 1.0, 1e-12);
    near(hierarchical_risk_parity(&one).unwrap()[0], 1.0, 1e-12);
    // Two identical assets: any split is optimal, the objective is not in doubt.
    let twins = Covariance::new(vec![0.04; 4], 2).unwrap();
    near(
        min_variance(&twins, &limits(2)).unwrap().objective,
        0.04,
        1e-9,
    );
    near(risk_parity(&twins, None).unwrap().weights[0], 0.5, 1e-9);
    // Opposite assets: no risk is possible, so shares of it mean nothing.
    let opposite = Covariance::new(vec![0.04, -0.04, -0.04, 0.04], 2).unwrap();
    let riskless = min_variance(&opposite, &limits(2)).unwrap();
    near(riskless.objective, 0.0, 1e-9);
    assert!(riskless.converged, "{riskless:?}");
    assert!(matches!(
        risk_parity(&opposite, None),
        Err(Error::Singular { .. })
    ));
    assert!(matches!(
        max_sharpe(&[0.1, 0.1], &opposite, 0.0, &limits(2)),
        Err(Error::Unbounded { .. })
    ));
    // More assets than rows.
    let mut random = Random(4);
    let values = random.returns(10, 30);
    let short = Matrix::new(&values, 30).unwrap();
    let covariance = sample(short).unwrap();
    let found = min_variance(&covariance, &limits(30)).unwrap();
    assert!(found.converged && found.objective >= 0.0 && found.gap < 1e-9);
    assert!(
        min_variance(&ledoit_wolf(short).unwrap(), &limits(30))
            .unwrap()
            .converged
    );
    // Losses that cancel in every row: the best tail is zero.
    let cancel: Vec<f64> = values
        .chunks(30)
        .flat_map(|row| [row[0], -row[0]])
        .collect();
    let cancel = Matrix::new(&cancel, 2).unwrap();
    for found in [
        min_cvar(cancel, 0.9, &limits(2)).unwrap(),
        min_cdar(cancel, 0.9, &limits(2)).unwrap(),
        min_cvar(Matrix::new(&[0.0; 30], 3).unwrap(), 0.9, &limits(3)).unwrap(),
    ] {
        near(found.objective, 0.0, 1e-9);
        assert!(found.converged, "{found:?}");
    }
    // A constant asset has no risk and takes all; heuristics that divide by it say so.
    let idle: Vec<f64> = values.chunks(30).flat_map(|row| [row[0], 0.0]).collect();
    let idle = Matrix::new(&idle, 2).unwrap();
    let covariance = sample(idle).unwrap();
    near(
        min_variance(&covariance, &limits(2)).unwrap().weights[1],
        1.0,
        1e-4,
    );
    assert_eq!(
        inverse_volatility(&covariance).unwrap_err(),
        Error::Constant {
            name: "the risk of an asset",
            column: 1
        }
    );
    assert!(matches!(
        risk_parity(&covariance, None),
        Err(Error::Constant { column: 1, .. })
    ));
    assert!(matches!(
        hierarchical_risk_parity(&covariance),
        Err(Error::Constant { column: 1, .. })
    ));
    assert!(matches!(
        denoised(idle),
        Err(Error::Constant { column: 1, .. })
    ));
    // Nothing earns more than the risk-free rate: no silent fallback.
    let losing = max_sharpe(
        &[-0.1, -0.2],
        &Covariance::new(vec![0.04, 0.0, 0.0, 0.04], 2).unwrap(),
        0.0,
        &limits(2),
    );
    assert!(matches!(losing, Err(Error::Infeasible { .. })));
    let holed = [0.1, f64::NAN, 0.2, 0.3];
    let holed = Matrix::new(&holed, 2).unwrap();
    let place = Error::NotFinite {
        name: "returns",
        row: 0,
        column: 1,
    };
    assert_eq!(sample(holed).unwrap_err(), place);
    assert_eq!(min_cvar(holed, 0.9, &limits(2)).unwrap_err(), place);
    assert_eq!(inverse_cvar(holed, 0.9).unwrap_err(), place);
}

#[test]
fn every_problem_knows_degenerate_returns() {
    let mut random = Random(21);
    let values = random.returns(60, 3);
    let column = |at: usize| values.chunks(3).map(move |row| row[at]);
    let one: Vec<f64> = column(0).collect();
    let twins: Vec<f64> = column(0).flat_map(|r| [r, r]).collect();
    let singular: Vec<f64> = values
        .chunks(3)
        .flat_map(|row| [row[0], row[1], f64::midpoint(row[0], row[1])])
        .collect();
    let short = random.returns(10, 25);
    for (returns, assets) in [(one, 1), (twins, 2), (singular, 3), (short, 25)] {
        let problems = Problems::new(&returns, assets);
        let limits = Constraints::long_only(assets);
        for (name, _) in PROBLEMS {
            let found = match problems.solve(name, &limits) {
                // With fewer rows than assets some portfolios have no risk at all.
                Err(Error::Unbounded { .. }) if assets == 25 => continue,
                found => found.unwrap(),
            };
            assert!(found.converged, "{name} of {assets}: {found:?}");
            assert!(within(&found.weights, &limits, 1e-9), "{name} of {assets}");
        }
    }
}

#[test]
fn contradictions_are_errors() {
    let covariance = Covariance::new(vec![0.04, 0.0, 0.0, 0.09], 2).unwrap();
    let long = Constraints::long_only(2);
    let infeasible = [
        Constraints {
            upper: vec![0.4; 2],
            ..long.clone()
        },
        Constraints {
            lower: vec![0.6; 2],
            ..long.clone()
        },
        Constraints {
            lower: vec![0.5, 0.0],
            upper: vec![0.4, 1.0],
            ..long.clone()
        },
        Constraints {
            groups: vec![Group {
                members: vec![0, 1],
                lower: 0.0,
                upper: 0.5,
            }],
            ..long.clone()
        },
        Constraints {
            leverage: Some(0.9),
            ..long.clone()
        },
    ];
    for limits in infeasible {
        assert!(
            matches!(
                min_variance(&covariance, &limits),
                Err(Error::Infeasible { .. })
            ),
            "{limits:?}"
        );
    }
    let odd = Constraints {
        groups: vec![Group {
            members: vec![2],
            lower: 0.0,
            upper: 1.0,
        }],
        ..long.clone()
    };
    assert!(matches!(
        min_variance(&covariance, &odd),
        Err(Error::Parameter { .. })
    ));
    let turnover = Some(Turnover {
        current: vec![0.5; 2],
        penalty: 0.1,
    });
    let ratio = max_sharpe(
        &[0.1, 0.1],
        &covariance,
        0.0,
        &Constraints { turnover, ..long },
    );
    assert!(matches!(
        ratio,
        Err(Error::Parameter {
            name: "turnover",
            ..
        })
    ));
    assert!(Covariance::new(vec![1.0, 0.5, 0.4, 1.0], 2).is_err());
    assert!(Covariance::new(vec![-1.0], 1).is_err());
}

#[test]
fn estimators_by_their_definitions() {
    let mut random = Random(17);
    let values = random.returns(60, 4);
    let returns = Matrix::new(&values, 4).unwrap();
    let plain = sample(returns).unwrap();
    let (x, y) = (returns.column(1), returns.column(2));
    let (mx, my) = (x.iter().sum::<f64>() / 60.0, y.iter().sum::<f64>() / 60.0);
    let cross: f64 = x
        .iter()
        .zip(&y)
        .map(|(a, b)| (a - mx) * (b - my))
        .sum::<f64>()
        / 59.0;
    near(plain.row(1)[2], cross, 1e-15);
    let flat = exponential(returns, 1.0 - 1e-12).unwrap();
    near(flat.row(1)[2], cross, 1e-12);
    let shrunk = ledoit_wolf(returns).unwrap();
    let share = shrunk.shrinkage().unwrap();
    assert!((0.0..=1.0).contains(&share));
    near(shrunk.row(1)[2], (1.0 - share) * cross * 59.0 / 60.0, 1e-15);
    let clean = denoised(returns).unwrap();
    for asset in 0..4 {
        near(clean.row(asset)[asset], plain.row(asset)[asset], 1e-15);
    }
    // Noise alone is cleaned to nothing but its diagonal.
    let noise: Vec<f64> = (0..4_000).map(|_| random.next()).collect();
    let clean = denoised(Matrix::new(&noise, 10).unwrap()).unwrap();
    near(clean.row(0)[1], 0.0, 1e-12);
}

/// Values of cvxpy, skfolio, Riskfolio and `PyPortfolioOpt` on 20 stocks.
#[test]
fn equals_reference_portfolios() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/oracle");
    let (Ok(text), Ok(table)) = (
        std::fs::read_to_string(folder.join("09_optimizers.json")),
        std::fs::read_to_string(folder.join("09_opt_returns.csv")),
    ) else {
        println!("skipped: {} is absent", folder.display());
        return;
    };
    let mut lines = table.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').skip(1).collect();
    let values: Vec<f64> = lines
        .flat_map(|line| line.split(',').skip(1).map(|v| v.parse().unwrap()))
        .collect();
    let returns = Matrix::new(&values, names.len()).unwrap();
    let covariance = sample(returns).unwrap();
    let mean = means(returns);
    let limits = Constraints::long_only(names.len());
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let check = |case: &str, weights: &[f64], tolerance: f64| {
        for (name, weight) in names.iter().zip(weights) {
            let wanted = json["solutions"][case]["weights"][*name].as_f64().unwrap();
            assert!(
                (weight - wanted).abs() < tolerance,
                "{case} {name}: {weight}, reference {wanted}"
            );
        }
        json["solutions"][case]["objective"]
            .as_f64()
            .unwrap_or(f64::NAN)
    };
    let found = min_variance(&covariance, &limits).unwrap();
    near(
        found.objective / check("min_variance", &found.weights, 1e-4),
        1.0,
        1e-6,
    );
    let found = max_sharpe(&mean, &covariance, 0.0, &limits).unwrap();
    near(
        found.objective * 252f64.sqrt() / check("max_sharpe_rf0", &found.weights, 1e-4),
        1.0,
        1e-6,
    );
    let found = min_cvar(returns, 0.95, &limits).unwrap();
    near(
        found.objective / check("min_cvar95", &found.weights, 1e-4),
        1.0,
        1e-6,
    );
    check(
        "inverse_vol",
        &inverse_volatility(&covariance).unwrap(),
        1e-10,
    );
    check(
        "inverse_cvar95_RU",
        &inverse_cvar(returns, 0.95).unwrap(),
        1e-10,
    );
    check(
        "inverse_cdar95_uncompounded_RU",
        &inverse_cdar(returns, 0.95).unwrap(),
        1e-10,
    );
    check(
        "hrp_pypfopt_single",
        &hierarchical_risk_parity(&covariance).unwrap(),
        1e-10,
    );
}

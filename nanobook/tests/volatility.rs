//! Volatility models against arch's values on the S&P 500, in other units, and on degenerate input.

#![allow(clippy::unwrap_used, reason = "tests stop at what is wrong")]

use nanobook::stats::Error;
use nanobook::volatility::{
    Bars, Distribution, Estimator, Mean, Model, Variance, ewma_variance, garch_ewma_forecast,
    garch_forecast, realized,
};

fn series() -> Vec<f64> {
    let mut state = 7u64;
    let mut variance = 1.0f64;
    (0..800)
        .map(|_| {
            let mut sum = 0.0;
            for _ in 0..12 {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                sum += (state >> 40) as f64 / f64::from(1u32 << 24);
            }
            let value = (sum - 6.0) * variance.sqrt();
            variance = 0.05 + 0.1 * value * value + 0.85 * variance;
            value
        })
        .collect()
}

#[test]
fn equals_arch_on_the_index() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/oracle");
    let (Ok(text), Ok(table)) = (
        std::fs::read_to_string(folder.join("08_garch.json")),
        std::fs::read_to_string(folder.join("08_garch_sp500_returns_pct.csv")),
    ) else {
        println!("skipped: {} is absent", folder.display());
        return;
    };
    let returns: Vec<f64> = table
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(1).unwrap().parse().unwrap())
        .collect();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    for (name, mean) in [
        ("garch11_zero_normal", Mean::Zero),
        ("garch11_constant_normal", Mean::Constant),
    ] {
        let wanted = &json["models"][name];
        let model = Model {
            mean,
            ..Model::garch11()
        };
        let fit = model.fit(&returns).unwrap();
        assert!(fit.converged);
        let log_likelihood = wanted["loglik"].as_f64().unwrap();
        assert!((fit.log_likelihood / log_likelihood - 1.0).abs() < 1e-8);
        for (parameter, value) in model.parameter_names().iter().zip(&fit.parameters) {
            let reference = wanted["params"][parameter].as_f64().unwrap();
            assert!(
                (value - reference).abs() < 1e-4,
                "{name} {parameter}: {value}, arch {reference}"
            );
        }
        if mean == Mean::Zero {
            // With a mean, arch reports the backcast about the fitted one, though it fits with the one about its start.
            assert!((fit.backcast / wanted["backcast"].as_f64().unwrap() - 1.0).abs() < 1e-9);
        }
        let forecast = fit.forecast(5, 0).unwrap();
        for (step, reference) in forecast
            .steps
            .iter()
            .zip(wanted["forecast_var"].as_array().unwrap())
        {
            assert!((step.variance / reference.as_f64().unwrap() - 1.0).abs() < 1e-4);
        }
    }
}

#[test]
fn units_do_not_matter() {
    let one = series();
    let other: Vec<f64> = one.iter().map(|r| r / 100.0).collect();
    for variance in [
        Variance::Garch { p: 1, q: 1 },
        Variance::Gjr { p: 1, o: 1, q: 1 },
        Variance::Egarch { p: 1, o: 1, q: 1 },
    ] {
        let model = Model {
            mean: Mean::Zero,
            variance,
            distribution: Distribution::Normal,
        };
        let (a, b) = (model.fit(&one).unwrap(), model.fit(&other).unwrap());
        let (x, y) = (
            a.forecast(1, 0).unwrap().steps[0].variance,
            b.forecast(1, 0).unwrap().steps[0].variance,
        );
        assert!((x / y / 1e4 - 1.0).abs() < 1e-3, "{variance:?}: {x} {y}");
    }
}

#[test]
fn the_last_shock_counts_once() {
    let returns = series();
    let model = Model {
        mean: Mean::Zero,
        ..Model::garch11()
    };
    let fit = model.fit(&returns).unwrap();
    let (shock, variance) = (returns[799] * returns[799], fit.variances[799]);
    let ahead = fit.parameters[0] + fit.parameters[1] * shock + fit.parameters[2] * variance;
    assert!(
        (garch_forecast(&returns, 1, 1, Mean::Zero).unwrap().powi(2) / ahead - 1.0).abs() < 1e-9
    );
    // One return: the sample variance is its square, and so is every step.
    let flat = garch_ewma_forecast(&[0.2, -0.2], Mean::Zero).unwrap();
    assert!((flat - 0.2).abs() < 1e-12);
}

#[test]
fn degenerate_input_is_an_error_with_a_place() {
    let model = Model::garch11();
    assert_eq!(
        model.fit(&[0.1; 100]),
        Err(Error::Constant {
            name: "returns",
            column: 0
        })
    );
    assert!(matches!(
        model.fit(&[0.1, 0.2]),
        Err(Error::TooFew {
            needed: 40,
            found: 2,
            ..
        })
    ));
    let mut holed = series();
    holed[9] = f64::NAN;
    assert_eq!(
        model.fit(&holed),
        Err(Error::NotFinite {
            name: "returns",
            row: 9,
            column: 0
        })
    );
    let none = Model {
        variance: Variance::Garch { p: 0, q: 1 },
        ..model
    };
    assert!(matches!(
        none.fit(&series()),
        Err(Error::Parameter { name: "p", .. })
    ));
    assert!(ewma_variance(&[], 0.94).is_err() && ewma_variance(&[0.1], 1.0).is_err());
    let fit = model.fit(&series()).unwrap();
    assert!(fit.forecast(0, 0).is_err() && fit.forecast(1, 0).unwrap().intervals(1.0).is_err());
    let bars = Bars {
        open: &[],
        high: &[1.0],
        low: &[1.0],
        close: &[1.0, 2.0],
    };
    assert!(matches!(
        realized(bars, Estimator::Parkinson, 2),
        Err(Error::Length { .. })
    ));
    let bars = Bars {
        open: &[],
        high: &[],
        low: &[],
        close: &[1.0, 0.0],
    };
    assert!(matches!(
        realized(bars, Estimator::CloseToClose, 2),
        Err(Error::Parameter { name: "close", .. })
    ));
}

//! The reference cases: values by vectorbt, cvxportfolio and others on real prices.

use nanobook::backtest::{
    Config, EquityCurve, HoldingRows, Journal, Matrix, Panel, Schedule, Stops, run,
};
use nanobook::metrics::{Basis, Metrics};
use nanobook::portfolio::{CostModel, PerSymbol, Rule};

use crate::data::{Frame, csv, day, shared};

struct Case {
    prices: Frame,
    weights: Frame,
}

/// Monthly momentum, top five of twenty.
fn momentum() -> Option<Case> {
    let prices = csv(&shared("oracle/01_weights_close_prices.csv.gz")?);
    let weights = csv(&shared("oracle/01_weights_close_weights.csv")?);
    let long = |rows: Vec<Vec<String>>, [symbol, value]: [usize; 2]| {
        let row = |row: Vec<String>| {
            (
                day(&row[0]),
                row[symbol].clone(),
                row[value].parse().unwrap(),
            )
        };
        rows.into_iter().map(row).collect::<Vec<_>>()
    };
    Some(Case {
        prices: Frame::from_long(&long(prices, [6, 4]), f64::NAN),
        weights: Frame::from_long(&long(weights, [1, 2]), 0.0),
    })
}

fn simulate(case: &Case, config: &Config) -> (EquityCurve, Journal, HoldingRows) {
    let (prices, weights) = (&case.prices, &case.weights);
    let close = Matrix::from_rows(&prices.values, prices.symbols.len()).unwrap();
    let panel = Panel::new(&prices.times, &prices.symbols, close).unwrap();
    let matrix = Matrix::from_rows(&weights.values, weights.symbols.len()).unwrap();
    let schedule = Schedule::new(&weights.times, &weights.symbols, matrix).unwrap();
    let mut curve = EquityCurve::default();
    let mut journal = Journal::default();
    let mut holdings = HoldingRows::default();
    // Once for the account alone and once for everything: the first adds up columns, the second goes row by row.
    run(&panel, &schedule, config, &mut curve).unwrap();
    let mut again = EquityCurve::default();
    let all = (&mut again, (&mut journal, &mut holdings));
    run(&panel, &schedule, config, all).unwrap();
    assert_near("both ways", &curve.equity, &again.equity, 1e-13);
    (curve, journal, holdings)
}

fn assert_near(what: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (row, (a, b)) in found.iter().zip(expected).enumerate() {
        let off = (a - b).abs() / b.abs().max(1.0);
        assert!(off <= tolerance, "{what}, row {row}: {a} and {b}");
    }
}

fn column(rows: &[Vec<String>], at: usize) -> Vec<f64> {
    rows.iter().map(|row| row[at].parse().unwrap()).collect()
}

fn assert_equity(curve: &EquityCurve, file: &str) {
    let expected = csv(&shared(file).unwrap());
    assert_near("equity", &curve.equity, &column(&expected, 1), 1e-10);
    // Two of the files leave these columns zero.
    let turnover = column(&expected, 2);
    if turnover.iter().any(|value| *value != 0.0) {
        assert_near("turnover", &curve.turnover, &turnover, 1e-10);
        assert_near("fees", &curve.cost, &column(&expected, 3), 1e-10);
    }
}

#[test]
fn case_01_monthly_momentum() {
    let Some(case) = momentum() else { return };
    let config = Config {
        costs: CostModel::bps(5.0),
        ..Config::default()
    };
    let (curve, journal, holdings) = simulate(&case, &config);
    assert_equity(&curve, "oracle/01_weights_close_equity.csv");
    assert_near(
        "final",
        &curve.equity[curve.equity.len() - 1..],
        &[4_221_358.834_681_275],
        1e-12,
    );
    let fees: f64 = journal.fills.iter().map(|fill| fill.cost.commission).sum();
    assert_near("fees", &[fees], &[45_089.238_949_781_226], 1e-10);
    let shares = csv(&shared("oracle/01_weights_close_shares.csv").unwrap());
    let held: Vec<_> = shares
        .iter()
        .filter(|row| row[2].parse::<f64>().unwrap() != 0.0)
        .collect();
    assert_eq!(holdings.qty.len(), held.len());
    let places = holdings.places.iter();
    for ((at, row), (price_row, symbol)) in held.iter().enumerate().zip(places) {
        assert_eq!(case.prices.times[price_row], day(&row[0]));
        assert_eq!(case.prices.symbols[symbol], row[1]);
        assert_near(
            "shares",
            &[holdings.qty[at]],
            &[row[2].parse().unwrap()],
            1e-10,
        );
    }
}

#[test]
fn case_03_whole_shares_and_a_least_fee() {
    let Some(case) = momentum() else { return };
    let config = Config {
        costs: CostModel {
            commission_min: 1.0,
            ..CostModel::bps(5.0)
        },
        rule: Rule {
            lot: PerSymbol::All(1.0),
            ..Rule::default()
        },
        ..Config::default()
    };
    let (curve, journal, _) = simulate(&case, &config);
    assert_equity(&curve, "oracle/03_weights_lots_minfee_equity.csv");
    assert_eq!(journal.fills.len(), 463);
    assert_near(
        "cash",
        &curve.cash[curve.cash.len() - 1..],
        &[203_537.500_302_361_9],
        1e-10,
    );
}

#[test]
fn case_04_trailing_stops() {
    let Some(case) = momentum() else { return };
    let config = Config {
        costs: CostModel::bps(5.0),
        stops: Stops {
            trailing: PerSymbol::All(0.1),
            ..Stops::default()
        },
        ..Config::default()
    };
    let (curve, journal, _) = simulate(&case, &config);
    assert_equity(&curve, "oracle/04_trailing_stop_close_equity.csv");
    let expected = csv(&shared("oracle/04_trailing_stop_close_stops.csv").unwrap());
    assert_eq!(journal.stops.len(), 126);
    assert_eq!(journal.stops.len(), expected.len());
    for (stop, row) in journal.stops.iter().zip(&expected) {
        assert_eq!(case.prices.times[stop.row], day(&row[0]));
        assert_eq!(case.prices.symbols[stop.symbol], row[1]);
        let (level, exit) = (row[2].parse().unwrap(), row[3].parse().unwrap());
        assert_near(
            "stop",
            &[stop.level, stop.exit_price],
            &[level, exit],
            1e-12,
        );
    }
}

#[test]
fn case_07_metrics() {
    let Some(path) = shared("oracle/07_metrics.json") else {
        return;
    };
    let reference: serde_json::Value =
        serde_json::from_str(&crate::data::text(&path).replace("NaN", "null")).unwrap();
    for name in ["case01", "spy"] {
        let series = &reference["series"][name];
        let file = shared(&format!("oracle/07_metrics_{name}_returns.csv")).unwrap();
        let found = Metrics::of(&column(&csv(&file), 1), Basis::default()).unwrap();
        for (value, package, key) in [
            (found.total_return, "empyrical", "cum_returns_final"),
            (found.annual_return, "empyrical", "annual_return"),
            (found.volatility, "empyrical", "annual_volatility"),
            (found.sharpe, "empyrical", "sharpe_ratio"),
            (found.sortino, "empyrical", "sortino_ratio"),
            (found.calmar, "empyrical", "calmar_ratio"),
            (-found.max_drawdown, "empyrical", "max_drawdown"),
            (found.omega, "empyrical", "omega_ratio"),
            (found.tail_ratio, "empyrical", "tail_ratio"),
            (found.stability, "empyrical", "stability_of_timeseries"),
            (found.downside_risk, "empyrical", "downside_risk"),
            (found.value_at_risk, "empyrical", "value_at_risk"),
            (
                found.conditional_value_at_risk,
                "empyrical",
                "conditional_value_at_risk",
            ),
            (found.ulcer_index, "quantstats", "ulcer_index"),
            (found.profit_factor, "quantstats", "profit_factor"),
            (found.payoff, "quantstats", "payoff_ratio"),
            (found.win_rate, "quantstats", "win_rate"),
            (found.kelly, "quantstats", "kelly_criterion"),
            (found.recovery_factor, "quantstats", "recovery_factor"),
            (found.skew, "quantstats", "skew"),
            (found.kurtosis, "quantstats", "kurtosis"),
        ] {
            let expected = series[package][key].as_f64().unwrap();
            let off = (value - expected).abs() / expected.abs();
            assert!(off < 1e-9, "{name} {package} {key}: {value} and {expected}");
        }
    }
}

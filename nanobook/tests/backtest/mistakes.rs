//! Mistakes of engines before this one, each as a case that they got wrong.

use nanobook::backtest::{
    Classic, Config, EquityCurve, Error, EventKind, Field, FillAt, Journal, OnNull, Stops,
    backtest_weights,
};
use nanobook::portfolio::{CostModel, PerSymbol, Rule, Unmet};

use crate::small::{Small, assert_close};

#[test]
fn a_held_name_without_a_price_is_not_worth_zero() {
    // It was: half of equity gone in the row, and back in the next.
    let case = Small::new(2, &[10.0, 10.0, f64::NAN, 10.0, 10.0, 10.0]).weights(0, &[0.5, 0.5]);
    let (curve, _) = case.run(&Config::default());
    assert_close(&curve.equity, &[1e6, 1e6, 1e6]);
    assert_eq!(curve.stale, [0, 1, 0]);
}

#[test]
fn nothing_is_ever_sold_at_zero() {
    let case = Small::new(1, &[10.0, 0.0])
        .weights(0, &[1.0])
        .weights(1, &[0.0]);
    let error = case.try_run(&Config::default()).unwrap_err();
    assert!(matches!(error, Error::BadPrice { row: 1, .. }), "{error}");
    // A name whose data has ended is paid out at its last price, in the first row without one.
    let case = Small::new(2, &[10.0, 1.0, 12.0, 1.0, f64::NAN, 1.0]).weights(0, &[1.0, 0.0]);
    let (curve, journal) = case.run(&Config::default());
    assert_close(&curve.equity, &[1e6, 1.2e6, 1.2e6]);
    assert_close(&curve.cash, &[0.0, 0.0, 1.2e6]);
    assert_eq!(journal.events[0].kind, EventKind::Delisted);
}

#[test]
fn basis_points_are_for_each_side() {
    // "15 bps round trip" was 15 for each side; here that is what is said.
    let case = Small::new(1, &[10.0, 10.0])
        .weights(0, &[0.5])
        .weights(1, &[0.0]);
    let config = Config {
        costs: CostModel::bps(15.0),
        ..Config::default()
    };
    let (curve, _) = case.run(&config);
    assert_close(&curve.cost, &[750.0, 750.0]);
    assert_close(&curve.equity[1..], &[1e6 - 1_500.0]);
}

#[test]
fn the_first_row_is_no_return() {
    let case = Small::new(1, &[10.0, 11.0, 12.1]).weights(0, &[1.0]);
    let (curve, _) = case.run(&Config::default());
    assert_close(&curve.returns(), &[0.1, 0.1]);
}

#[test]
fn a_stopped_name_stays_flat_until_the_next_weights() {
    // It was bought again in the next row, and stopped again, row after row.
    let case = Small::new(1, &[10.0, 8.0, 8.0, 7.0, 9.0])
        .weights(0, &[1.0])
        .weights(4, &[1.0]);
    let config = Config {
        stops: Stops {
            trailing: PerSymbol::All(0.1),
            ..Stops::default()
        },
        ..Config::default()
    };
    let (curve, journal) = case.run(&config);
    assert_eq!(journal.stops.len(), 1);
    assert_close(
        &[journal.stops[0].level, journal.stops[0].exit_price],
        &[9.0, 8.0],
    );
    assert_close(&curve.gross, &[1e6, 0.0, 0.0, 0.0, 8e5]);
}

#[test]
fn a_row_of_weights_and_a_stop_do_not_both_trade() {
    // The rebalance traded first and the stop sold right after, at twice the cost.
    let case = Small::new(1, &[10.0, 5.0])
        .weights(0, &[1.0])
        .weights(1, &[1.0]);
    let config = Config {
        stops: Stops {
            fixed: PerSymbol::All(0.1),
            ..Stops::default()
        },
        ..Config::default()
    };
    let (_, journal) = case.run(&config);
    assert_eq!((journal.fills.len(), journal.stops.len()), (1, 0));
}

#[test]
fn a_fill_at_the_next_open_is_booked_in_the_next_row() {
    // It was booked in the row of the decision, which put the next row's prices into its equity.
    let case = Small::new(1, &[10.0, 20.0, 20.0])
        .field(Field::Open, &[10.0, 16.0, 20.0])
        .weights(0, &[1.0]);
    let config = Config {
        fill: FillAt::NextOpen,
        ..Config::default()
    };
    let (curve, journal) = case.run(&config);
    assert_eq!(journal.fills[0].row, 1);
    assert_close(&curve.equity, &[1e6, 1.25e6, 1.25e6]);
}

#[test]
fn sales_pay_for_buys_whatever_the_order_of_symbols() {
    // Buys before sales starved of cash: up to six percent of final equity.
    for (first, second) in [([1.0, 0.0], [0.0, 1.0]), ([0.0, 1.0], [1.0, 0.0])] {
        let case = Small::new(2, &[10.0, 10.0, 20.0, 20.0, 20.0, 20.0])
            .weights(0, &first)
            .weights(1, &second);
        let (curve, _) = case.run(&Config::default());
        assert_close(&curve.equity, &[1e6, 2e6, 2e6]);
        assert_close(&curve.cash, &[0.0, 0.0, 0.0]);
    }
}

#[test]
fn cash_never_goes_below_zero_unless_it_may() {
    // Fully invested at 15 bps ended with cash below zero, and a weight of 5 was taken as it was.
    for weight in [1.0, 5.0] {
        let case = Small::new(1, &[10.0, 10.0]).weights(0, &[weight]);
        let config = Config {
            costs: CostModel::bps(15.0),
            ..Config::default()
        };
        let (curve, _) = case.run(&config);
        assert_close(&curve.cash, &[0.0, 0.0]);
        assert!(curve.scaled[0] < 1.0 / weight, "the row says so");
        assert_close(&curve.gross, &[1e6 / 1.0015, 1e6 / 1.0015]);
    }
}

#[test]
fn a_row_without_weights_holds_and_an_empty_one_does_not_liquidate() {
    let held = Small::new(1, &[10.0, 11.0, 12.0])
        .weights(0, &[1.0])
        .weights(1, &[f64::NAN]);
    let error = held.try_run(&Config::default()).unwrap_err();
    assert!(matches!(error, Error::NullWeight { row: 1, .. }), "{error}");
    let hold = Config {
        on_null: OnNull::Hold,
        ..Config::default()
    };
    assert_close(&held.run(&hold).0.equity, &[1e6, 1.1e6, 1.2e6]);
    let zero = Config {
        on_null: OnNull::Zero,
        ..Config::default()
    };
    assert_close(&held.run(&zero).0.equity, &[1e6, 1.1e6, 1.1e6]);
}

#[test]
fn prices_are_not_rounded_to_cents() {
    let case = Small::new(1, &[0.123_456, 0.123_457]).weights(0, &[1.0]);
    let (curve, _) = case.run(&Config::default());
    assert_close(&curve.equity[1..], &[1e6 * 0.123_457 / 0.123_456]);
}

#[test]
fn bad_input_is_an_error_and_never_an_empty_result() {
    let case = Small::new(1, &[10.0, 11.0]).weights(0, &[1.0]);
    let cash = Config {
        cash: 0.0,
        ..Config::default()
    };
    assert!(matches!(
        case.try_run(&cash),
        Err(Error::BadSetting {
            setting: "cash",
            ..
        })
    ));
    let costs = Config {
        costs: CostModel::bps(f64::NAN),
        ..Config::default()
    };
    assert!(matches!(
        case.try_run(&costs),
        Err(Error::BadSetting {
            setting: "commission_bps",
            ..
        })
    ));
}

#[test]
fn what_could_not_be_traded_is_told() {
    let case = Small::new(2, &[10.0, 10.0, 10.0, f64::NAN, 10.0, 10.0])
        .weights(0, &[0.2, 0.2])
        .weights(1, &[0.4, 0.4]);
    let (_, journal) = case.run(&Config::default());
    let event = journal.events[0];
    assert_eq!(
        (event.row, event.symbol, event.kind),
        (1, Some(1), EventKind::Unmet(Unmet::NoPrice))
    );
    assert_close(&[event.wanted, event.done], &[20_000.0, 0.0]);
}

#[test]
fn attribution_of_what_is_held_adds_up_to_the_return() {
    // Weights at the end of a row were multiplied with the return that had already happened.
    let case = Small::new(2, &[10.0, 10.0, 11.0, 9.0, 12.0, 9.0]).weights(0, &[0.7, 0.3]);
    let (curve, holdings) = case.holdings(&Config::default());
    let returns = curve.returns();
    let ret = [[0.1, -0.1], [1.0 / 11.0, 0.0]];
    for (row, expected) in returns.iter().enumerate() {
        let held = holdings.places.iter().zip(&holdings.weight);
        let held = held.filter(|((at, _), _)| *at == row);
        let sum: f64 = held
            .map(|((_, symbol), weight)| weight * ret[row][symbol])
            .sum();
        assert_close(&[sum], &[*expected]);
    }
}

#[test]
fn rolling_again_gives_the_same_bits() {
    let case = Small::new(2, &[10.0, 10.0, 11.0, 9.0, 12.0, 9.5])
        .weights(0, &[0.7, 0.3])
        .weights(1, &[0.1, 0.2]);
    let config = Config {
        costs: CostModel::bps(3.0),
        rule: Rule {
            lot: PerSymbol::All(1.0),
            ..Rule::default()
        },
        ..Config::default()
    };
    let all = || {
        let (mut curve, mut journal) = (EquityCurve::default(), Journal::default());
        case.with(&config, (&mut curve, &mut journal)).unwrap();
        (curve, journal)
    };
    assert_eq!(all(), all());
}

#[test]
fn the_classic_bridge_says_what_is_wrong() {
    // Lists of different length, no cash, NaN weights and negative prices gave an empty result.
    let good = [vec![("A", 0.5)], vec![("A", 0.5)]];
    let prices = [vec![("A", 1_000)], vec![("A", 1_100)]];
    let says = |weights: &[Vec<(&str, f64)>], prices: &[Vec<(&str, i64)>], settings: &Classic| {
        backtest_weights(weights, prices, settings)
            .unwrap_err()
            .to_string()
    };
    let settings = Classic::default();
    assert!(says(&good[..1], &prices, &settings).contains("1 rows"));
    assert!(
        says(&[vec![("A", f64::NAN)], vec![]], &prices, &settings).contains("weight of A in row 0")
    );
    assert!(
        says(&good, &[vec![("A", -5)], vec![("A", 5)]], &settings).contains("close of A in row 0")
    );
    assert!(says(&[vec![("B", 1.0)], vec![]], &prices, &settings).contains("B has weights"));
    let doubled = [vec![("A", 0.1), ("A", 0.2)], vec![]];
    assert!(says(&doubled, &prices, &settings).contains("A stands twice"));
    let late = [vec![("A", 1), ("B", 1)], vec![("A", 1), ("B", 1), ("C", 1)]];
    let settings_with_stops = Classic {
        stops: Stops {
            fixed: PerSymbol::All(0.1),
            ..Stops::default()
        },
        ..Classic::default()
    };
    let early = [vec![], vec![("C", 1.0)]];
    assert!(backtest_weights(&early, &late, &settings_with_stops).is_ok());
    let early = [vec![("C", 1.0)], vec![]];
    assert!(says(&early, &late, &settings_with_stops).contains("price row 0"));
    let broke = Classic {
        initial_cash: 0,
        ..Classic::default()
    };
    assert!(says(&good, &prices, &broke).contains("cash is 0"));
    assert!(says(&[], &[], &settings).contains("no rows"));
}

#[test]
fn the_classic_bridge_trades_whole_shares_for_cents() {
    let weights = [vec![("A", 1.0)], vec![("A", 1.0)], vec![]];
    let prices = [vec![("A", 300)], vec![("A", 200)], vec![("A", 200)]];
    let settings = Classic {
        initial_cash: 1_000,
        cost_bps: 100.0,
        ..Classic::default()
    };
    let result = backtest_weights(&weights, &prices, &settings).unwrap();
    // Three shares for 900 and 9 of cost; then worth 600, with 91 cash: still three; sold for 600 less 6.
    assert_eq!(result.equity_curve, [1_000, 991, 691, 685]);
    assert_close(
        &result.returns,
        &[-0.009, 691.0 / 991.0 - 1.0, 685.0 / 691.0 - 1.0],
    );
    assert_eq!(result.holdings[2], []);
    // The stop sells where the period before bought, and the next period buys again.
    let stops = Stops {
        trailing: PerSymbol::All(0.1),
        ..Stops::default()
    };
    let weights = vec![vec![("A", 1.0)]; 3];
    let result = backtest_weights(&weights, &prices, &Classic { stops, ..settings }).unwrap();
    let [(symbol, stop)] = &result.stop_events[..] else {
        panic!("one stop, not {:?}", result.stop_events);
    };
    assert_eq!((symbol.as_str(), stop.row), ("A", 1));
    assert_close(&[stop.level, stop.exit_price], &[270.0, 200.0]);
    assert_eq!(result.holdings[1], []);
    assert_eq!(result.holdings[2].len(), 1);
    // 91 of cash and three shares at 200 less 6 of cost; then three again, for 600 and 6.
    assert_eq!(result.equity_curve, [1_000, 991, 685, 679]);
}

//! The rules one by one, on numbers small enough to do by hand; and both ways through a row against each other.

use nanobook::backtest::{
    Action, ActionKind, BookVenue, Chunk, Column, Config, EngineVenue, EquityCurve, Error,
    EventKind, Field, FillAt, FillReason, HoldingRows, Journal, Matrix, OnMissing, Panel, Reentry,
    Schedule, StopKind, Stops, Validity, Watch, run, run_on,
};
use nanobook::book::OrderBook;
use nanobook::matching::Engine;
use nanobook::portfolio::{BandTo, CostModel, Overdraft, PerSymbol, Rule, Sizing, Unmet};
use nanobook::{BookDelta, OrderId, OrderRequest, Price, Qty, Side};
use proptest::prelude::*;

use crate::small::{DAY, Small, action, assert_close};

fn rule(rule: Rule) -> Config {
    Config {
        rule,
        ..Config::default()
    }
}

#[test]
fn weights_between_rows_of_prices_trade_in_the_next_one_and_the_later_of_two_counts() {
    let mut case = Small::new(1, &[10.0, 20.0, 40.0, 80.0]);
    case.weight_times = vec![DAY / 2, DAY / 2 + 1, 5 * DAY];
    case.weights = vec![0.3, 1.0, 0.0];
    let mut curve = EquityCurve::default();
    let summary = case.with(&Config::default(), &mut curve).unwrap();
    assert_close(&curve.equity, &[1e6, 1e6, 2e6, 4e6]);
    assert_eq!((summary.unused.late, summary.unused.superseded), (1, 1));
    let lag = Config {
        lag: 1,
        ..Config::default()
    };
    assert_close(&case.run(&lag).0.equity, &[1e6, 1e6, 1e6, 2e6]);
}

#[test]
fn fills_are_at_the_price_that_is_asked_for() {
    let case = Small::new(1, &[10.0, 20.0, 20.0])
        .field(Field::Vwap, &[8.0, 16.0, 20.0])
        .weights(0, &[1.0]);
    let at = |fill: FillAt| {
        let config = Config {
            fill,
            ..Config::default()
        };
        case.try_run(&config).map(|(curve, _)| curve.equity)
    };
    assert_close(&at(FillAt::Close).unwrap(), &[1e6, 2e6, 2e6]);
    assert_close(&at(FillAt::NextClose).unwrap(), &[1e6, 1e6, 1e6]);
    assert_close(&at(FillAt::Vwap).unwrap(), &[1.25e6, 2.5e6, 2.5e6]);
    let missing = at(FillAt::NextOpen).unwrap_err();
    assert_eq!(
        missing.to_string(),
        "fill needs open prices; give them, or change it"
    );
}

#[test]
fn weights_after_costs_leave_no_debt() {
    let case = Small::new(1, &[10.0]).weights(0, &[1.0]);
    let config = Config {
        costs: CostModel::bps(100.0),
        ..rule(Rule {
            sizing: Sizing::PostCost,
            ..Rule::default()
        })
    };
    let (curve, _) = case.run(&config);
    assert_close(&curve.gross, &[1e6 / 1.01]);
    assert_close(&curve.cash, &[0.0]);
    assert_close(&curve.scaled, &[1.0]);
}

#[test]
fn an_overdraft_is_scaled_allowed_or_refused() {
    let case = Small::new(1, &[10.0, 10.0]).weights(0, &[2.0]);
    let with = |overdraft: Overdraft| {
        case.run(&rule(Rule {
            overdraft,
            ..Rule::default()
        }))
    };
    assert_close(&with(Overdraft::Scale).0.cash, &[0.0, 0.0]);
    assert_close(&with(Overdraft::Allow).0.cash, &[-1e6, -1e6]);
    let (curve, journal) = with(Overdraft::Reject);
    assert_close(&curve.cash, &[1e6, 1e6]);
    assert_eq!(journal.events[0].kind, EventKind::Unmet(Unmet::Cash));
    assert!(journal.fills.is_empty());
}

#[test]
fn targets_are_cut_toward_zero_to_whole_lots() {
    let case = Small::new(2, &[3.0, 7.0]).weights(0, &[0.5, -0.4]);
    let (_, journal) = case.run(&rule(Rule {
        lot: PerSymbol::Each(vec![1.0, 100.0]),
        ..Rule::default()
    }));
    let qty: Vec<f64> = journal.fills.iter().map(|fill| fill.qty).collect();
    assert_close(&qty, &[166_666.0, -57_100.0]);
}

#[test]
fn a_band_leaves_small_drift_alone_and_closes_what_is_to_be_closed() {
    let case = Small::new(1, &[10.0, 11.0, 11.0, 11.0])
        .weights(0, &[0.5])
        .weights(1, &[0.5])
        .weights(2, &[0.3])
        .weights(3, &[0.0]);
    let band = |band_to: BandTo| {
        let (_, journal) = case.run(&rule(Rule {
            no_trade_band: 0.05,
            band_to,
            ..Rule::default()
        }));
        journal
            .fills
            .iter()
            .map(|fill| (fill.row, fill.qty))
            .collect::<Vec<_>>()
    };
    let equity = 1.05e6;
    let to_target = 0.3 * equity / 11.0 - 50_000.0;
    // At the edge from the start: 45,000 shares.
    let to_edge = 0.35 * 1.045e6 / 11.0 - 45_000.0;
    for (band, second, first) in [
        (band(BandTo::Target), to_target, 50_000.0),
        (band(BandTo::Edge), to_edge, 45_000.0),
    ] {
        assert_eq!(
            band.iter().map(|fill| fill.0).collect::<Vec<_>>(),
            [0, 2, 3]
        );
        assert_close(&[band[1].1, band[2].1], &[second, -first - second]);
    }
}

#[test]
fn limits_cut_orders_and_say_so() {
    let case = Small::new(2, &[10.0, 10.0])
        .field(Field::Volume, &[1_000.0, 1e9])
        .weights(0, &[0.4, 0.4]);
    let (_, journal) = case.run(&rule(Rule {
        max_participation: Some(0.1),
        max_turnover: Some(0.2),
        ..Rule::default()
    }));
    let part = 0.2 * 1e6 / (1_000.0 + 400_000.0);
    let qty: Vec<f64> = journal.fills.iter().map(|fill| fill.qty).collect();
    assert_close(&qty, &[100.0 * part, 40_000.0 * part]);
    let kinds: Vec<&str> = journal
        .events
        .iter()
        .map(|event| event.kind.as_str())
        .collect();
    assert_eq!(kinds, ["participation", "turnover", "turnover"]);
    let (_, journal) = case.run(&rule(Rule {
        min_order_value: 500_000.0,
        ..Rule::default()
    }));
    assert!(journal.fills.is_empty());
    assert_eq!(journal.events.len(), 2);
}

#[test]
fn a_name_without_a_price_yet_is_an_error_or_makes_room() {
    let case = Small::new(2, &[10.0, f64::NAN, 10.0, 10.0]).weights(0, &[0.4, 0.4]);
    let error = case.try_run(&Config::default()).unwrap_err();
    assert!(
        matches!(&error, Error::NoPriceYet { symbol, row: 0, .. } if symbol == "S1"),
        "{error}"
    );
    let spread = Config {
        on_missing: OnMissing::Renormalize,
        ..Config::default()
    };
    assert_close(&case.run(&spread).0.gross, &[8e5, 8e5]);
}

#[test]
fn a_name_that_is_missing_for_too_long_is_closed() {
    let nan = f64::NAN;
    let case = Small::new(1, &[10.0, nan, nan, nan, 20.0]).weights(0, &[1.0]);
    let patient = case.run(&Config::default());
    assert_close(&patient.0.equity, &[1e6, 1e6, 1e6, 1e6, 2e6]);
    let config = Config {
        stale_after: Some(1),
        ..Config::default()
    };
    let (curve, journal) = case.run(&config);
    assert_close(&curve.equity, &[1e6; 5]);
    assert_eq!(
        (journal.fills[1].row, journal.fills[1].reason),
        (2, FillReason::Delisted)
    );
}

#[test]
fn dividends_splits_borrowing_and_interest_come_in_order() {
    let case = Small::new(2, &[100.0, 50.0, 49.0, 50.0, 49.0, 50.0]).weights(0, &[0.5, -0.2]);
    let config = Config {
        periods_per_year: 100.0,
        costs: CostModel {
            borrow_bps: 100.0,
            cash_bps: 200.0,
            ..CostModel::default()
        },
        actions: vec![
            action(1, 0, ActionKind::Split(2.0)),
            action(1, 0, ActionKind::Dividend(1.0)),
            action(1, 1, ActionKind::Dividend(0.5)),
        ],
        ..Config::default()
    };
    let (curve, journal) = case.run(&config);
    // 5,000 shares and −4,000: the dividend is paid on the shares before the split, and by the short.
    assert_close(&curve.dividends, &[0.0, 5_000.0 - 2_000.0, 0.0]);
    assert_close(&curve.borrow, &[200_000.0 * 0.0001; 3]);
    let cash = 1e6 - 500_000.0 + 200_000.0;
    assert_close(&curve.interest[..1], &[cash * 0.0002]);
    let first = cash * 1.0002 - 20.0;
    let second = (first + 3_000.0) * 1.0002 - 20.0;
    assert_close(&curve.cash[..2], &[first, second]);
    assert_close(&curve.net[1..2], &[10_000.0 * 49.0 - 200_000.0]);
    let kinds: Vec<EventKind> = journal.events.iter().map(|event| event.kind).collect();
    assert_eq!(
        kinds,
        [EventKind::Dividend, EventKind::Dividend, EventKind::Split]
    );
}

#[test]
fn a_stop_within_the_row_fills_at_its_level_or_at_the_open_beyond_it() {
    let case = Small::new(2, &[10.0, 10.0, 10.0, 9.0, 10.0, 9.0])
        .field(Field::Open, &[10.0, 10.0, 10.0, 8.5, 10.0, 9.0])
        .field(Field::High, &[10.0, 10.0, 10.5, 9.5, 10.0, 9.0])
        .field(Field::Low, &[10.0, 10.0, 8.0, 8.0, 10.0, 9.0])
        .weights(0, &[0.5, 0.5]);
    let config = Config {
        stops: Stops {
            trailing: PerSymbol::All(0.1),
            watch: Watch::Intrabar,
            ..Stops::default()
        },
        ..Config::default()
    };
    let (_, journal) = case.run(&config);
    let stops: Vec<_> = journal
        .stops
        .iter()
        .map(|s| (s.trigger, s.level, s.exit_price))
        .collect();
    assert_eq!(stops, [(8.0, 9.0, 9.0), (8.5, 9.0, 8.5)]);
}

#[test]
fn the_tightest_stop_counts_and_shorts_mirror_longs() {
    let case = Small::new(2, &[10.0, 10.0, 9.4, 10.6]).weights(0, &[0.3, -0.3]);
    let config = Config {
        stops: Stops {
            fixed: PerSymbol::All(0.2),
            trailing: PerSymbol::All(0.05),
            ..Stops::default()
        },
        ..Config::default()
    };
    let (_, journal) = case.run(&config);
    let stops: Vec<_> = journal
        .stops
        .iter()
        .map(|s| (s.kind, s.level, s.qty))
        .collect();
    assert_eq!(stops.len(), 2);
    assert_eq!(
        (stops[0].0, stops[1].0),
        (StopKind::Trailing, StopKind::Trailing)
    );
    assert_close(&[stops[0].1, stops[1].1], &[9.5, 10.5]);
    assert!(stops[0].2 < 0.0 && stops[1].2 > 0.0);
}

#[test]
fn a_stopped_name_waits_as_long_as_it_is_told() {
    let mut case = Small::new(1, &[10.0, 8.0, 8.0, 8.0, 8.0, 8.0]).weights(0, &[1.0]);
    for day in 2..6 {
        case = case.weights(day, &[1.0]);
    }
    let first_buy = |reentry: Reentry| {
        let config = Config {
            stops: Stops {
                fixed: PerSymbol::All(0.1),
                reentry,
                ..Stops::default()
            },
            ..Config::default()
        };
        let (_, journal) = case.run(&config);
        let later = journal.fills.iter().filter(|fill| fill.row > 1);
        later.map(|fill| fill.row).next()
    };
    assert_eq!(first_buy(Reentry::NextWeights), Some(2));
    assert_eq!(first_buy(Reentry::After(2)), Some(4));
    assert_eq!(first_buy(Reentry::Never), None);
}

#[test]
fn an_average_range_is_named_for_what_it_is() {
    let closes = [10.0, 11.0, 10.0, 11.0, 8.0];
    let case = Small::new(1, &closes).weights(0, &[1.0]);
    let config = Config {
        stops: Stops {
            atr: PerSymbol::All(1.5),
            atr_period: 2,
            ..Stops::default()
        },
        ..Config::default()
    };
    let (_, journal) = case.run(&config);
    assert_eq!(journal.stops[0].kind, StopKind::MeanAbsChange);
    assert_close(&[journal.stops[0].level], &[11.0 - 1.5 * 2.0]);
    let high: Vec<f64> = closes.iter().map(|close| close + 1.0).collect();
    let low: Vec<f64> = closes.iter().map(|close| close - 1.0).collect();
    let (_, journal) = case
        .field(Field::High, &high)
        .field(Field::Low, &low)
        .run(&config);
    assert!(journal.stops.iter().all(|stop| stop.kind == StopKind::Atr));
}

#[test]
fn a_schedule_can_be_filled_on_matching_books() {
    let case = Small::new(1, &[100.0, 100.0])
        .weights(0, &[0.5])
        .weights(1, &[0.0]);
    let close = Matrix::from_rows(&case.close, 1).unwrap();
    let panel = Panel::new(&case.times, &case.symbols, close).unwrap();
    let matrix = Matrix::from_rows(&case.weights, 1).unwrap();
    let schedule = Schedule::new(&case.weight_times, &case.symbols, matrix).unwrap();
    let config = Config {
        cash: 10_000.0,
        costs: CostModel::bps(10.0),
        ..rule(Rule {
            lot: PerSymbol::All(1.0),
            ..Rule::default()
        })
    };
    let quote = |engine: &mut Engine, side: Side, price: i64, qty: u64| {
        let request = OrderRequest::limit(side, Price(price * 1_000_000_000), Qty(qty));
        engine.submit(request, &mut Vec::new()).unwrap();
    };
    let mut venue = EngineVenue::new(vec![Engine::default()], |time, engines: &mut [Engine]| {
        if time == 0 {
            quote(&mut engines[0], Side::Sell, 101, 30);
            quote(&mut engines[0], Side::Sell, 102, 30);
        } else {
            quote(&mut engines[0], Side::Buy, 99, 20);
        }
    });
    let (mut curve, mut journal) = (EquityCurve::default(), Journal::default());
    let sink = (&mut curve, &mut journal);
    run_on(&panel, &schedule, &config, Some(&mut venue), sink).unwrap();
    let fills: Vec<_> = journal
        .fills
        .iter()
        .map(|fill| (fill.qty, fill.price))
        .collect();
    assert_eq!(fills, [(30.0, 101.0), (20.0, 102.0), (-20.0, 99.0)]);
    // 30 shares found no buyer, and the row says so.
    let event = journal.events[0];
    assert_eq!(
        (event.kind, event.wanted, event.done),
        (EventKind::Unfilled, -50.0, -20.0)
    );
    let paid = 3_030.0 + 2_040.0;
    assert_close(
        &curve.cash,
        &[
            10_000.0 - paid * 1.001,
            10_000.0 - paid * 1.001 + 1_980.0 * 0.999,
        ],
    );
    assert_close(&curve.net, &[5_000.0, 3_000.0]);

    // Passive books, as a replay keeps them, are left as they are.
    let mut books = BookVenue::new(vec![OrderBook::new()], |time, books: &mut [OrderBook]| {
        if time == 0 {
            let (id, side, price, qty) = (OrderId(1), Side::Sell, Price(101_000_000_000), Qty(80));
            books[0].apply(BookDelta::Add {
                id,
                side,
                price,
                qty,
            });
        }
    });
    let mut journal = Journal::default();
    run_on(&panel, &schedule, &config, Some(&mut books), &mut journal).unwrap();
    assert_eq!(
        (journal.fills[0].qty, journal.fills[0].price),
        (50.0, 101.0)
    );
    assert_eq!(journal.events[0].kind, EventKind::Unfilled);
}

/// Random prices without gaps, random weights at some rows.
fn panels() -> impl Strategy<Value = (Small, f64, bool)> {
    (1_usize..20, 1_usize..40).prop_flat_map(|(symbols, rows)| {
        let prices = prop::collection::vec(1.0_f64..100.0, symbols * rows);
        let weights = prop::collection::vec(-1.0_f64..1.0, symbols * rows);
        let days = prop::collection::vec(any::<bool>(), rows);
        let others = (0.0_f64..50.0, any::<bool>(), prop::bool::ANY);
        (prices, weights, days, others).prop_map(move |(prices, weights, days, others)| {
            let mut case = Small::new(symbols, &prices);
            for (day, _) in days.iter().enumerate().filter(|(_, is_row)| **is_row) {
                let weights = &weights[day * symbols..][..symbols];
                let gross: f64 = weights.iter().map(|weight| weight.abs()).sum();
                let sign = |weight: f64| if others.1 { weight } else { weight.abs() };
                let weights: Vec<f64> = weights.iter().map(|w| sign(*w) / gross.max(0.1)).collect();
                case = case.weights(i64::try_from(day).unwrap(), &weights);
            }
            (case, others.0, others.2)
        })
    })
}

use proptest::strategy::Strategy;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_fast_way_and_the_careful_one_agree((case, bps, allow) in panels()) {
        let overdraft = if allow { Overdraft::Allow } else { Overdraft::Scale };
        let costs = CostModel { slippage_bps: bps / 3.0, ..CostModel::bps(bps) };
        let fast = Config { costs, ..rule(Rule { overdraft, ..Rule::default() }) };
        // A limit that never binds takes the careful way.
        let careful = rule(Rule { overdraft, max_turnover: Some(1e9), ..Rule::default() });
        let careful = Config { costs, ..careful };
        let mut journal = Journal::default();
        let mut held = HoldingRows::default();
        let mut one = EquityCurve::default();
        case.with(&fast, (&mut one, (&mut journal, &mut held))).unwrap();
        let mut plain = EquityCurve::default();
        case.with(&fast, &mut plain).unwrap();
        let (two, expected) = case.run(&careful);
        let (_, other) = case.holdings(&careful);
        // Cash of an account that is all invested is what rounding of its equity leaves.
        let most = two.equity.iter().fold(1e6_f64, |most, value| most.max(value.abs()));
        for (a, b) in [(&one.equity, &two.equity), (&one.cash, &two.cash), (&one.gross, &two.gross),
            (&one.cost, &two.cost), (&one.turnover, &two.turnover), (&plain.equity, &two.equity),
            (&plain.gross, &two.gross), (&held.qty, &other.qty), (&held.value, &other.value)] {
            let scale = b.iter().fold(most, |most, value| most.max(value.abs()));
            prop_assert_eq!(a.len(), b.len());
            for (a, b) in a.iter().zip(b) {
                prop_assert!((a - b).abs() <= 1e-9 * scale, "{} {}", a, b);
            }
        }
        // What is near the least that is an order may be one for only one of the two.
        let orders = |journal: &Journal| -> Vec<_> {
            let fills = journal.fills.iter().copied();
            fills.filter(|fill| fill.qty.abs() * fill.price > 1e-3).collect()
        };
        let events = |journal: &Journal| -> Vec<_> {
            let events = journal.events.iter().copied();
            events.filter(|event| event.wanted.abs() > 1e-3).collect()
        };
        let (told, expected_told) = (events(&journal), events(&expected));
        prop_assert_eq!(told.len(), expected_told.len());
        for (a, b) in told.iter().zip(&expected_told) {
            prop_assert_eq!((a.row, a.symbol, a.kind), (b.row, b.symbol, b.kind));
            for (a, b) in [(a.wanted, b.wanted), (a.done, b.done)] {
                prop_assert!((a - b).abs() <= 1e-9 * b.abs().max(1e6), "{} {}", a, b);
            }
        }
        let (orders, expected) = (orders(&journal), orders(&expected));
        prop_assert_eq!(orders.len(), expected.len());
        for (a, b) in orders.iter().zip(&expected) {
            prop_assert_eq!((a.row, a.symbol), (b.row, b.symbol));
            prop_assert!((a.qty - b.qty).abs() <= 1e-9 * b.qty.abs().max(1e6));
            prop_assert!((a.price - b.price).abs() <= 1e-9 * b.price);
        }
    }

    #[test]
    fn columns_in_chunks_are_the_same_as_rows((case, bps, _) in panels(), cut in 0_usize..40, order in any::<u64>()) {
        let config = Config { costs: CostModel::bps(bps), ..Config::default() };
        let (expected, _) = case.run(&config);
        let (rows, width) = (case.times.len(), case.symbols.len());
        let cut = cut.min(rows);
        let column = |values: &[f64], symbol: usize, len: usize| -> Vec<f64> {
            (0..len).map(|row| values[row * width + symbol]).collect()
        };
        let columns: Vec<Vec<f64>> = (0..width).map(|symbol| column(&case.close, symbol, rows)).collect();
        let bits = vec![0xff_u8; rows.div_ceil(8) + 1];
        let valid = Some(Validity { bits: &bits, offset: 3 });
        let part = |from: usize, to: usize| Chunk {
            columns: columns.iter().map(|c| Column { values: &c[from..to], valid }).collect(),
        };
        let close = Matrix::from_chunks(vec![part(0, cut), part(cut, rows)]).unwrap();
        let panel = Panel::new(&case.times, &case.symbols, close).unwrap();
        // The weights' symbols in another order than those of the prices.
        let mut symbols: Vec<usize> = (0..width).collect();
        symbols.sort_by_key(|symbol| (*symbol as u64).wrapping_mul(order | 1) % 7_919);
        let names: Vec<String> = symbols.iter().map(|at| case.symbols[*at].clone()).collect();
        let len = case.weight_times.len();
        let weights: Vec<Vec<f64>> = symbols.iter().map(|at| column(&case.weights, *at, len)).collect();
        let weights = weights.iter().map(|values| Column::new(values)).collect();
        let schedule = Schedule::new(&case.weight_times, &names, Matrix::from_columns(weights).unwrap()).unwrap();
        let mut curve = EquityCurve::default();
        run(&panel, &schedule, &config, &mut curve).unwrap();
        for (a, b) in curve.equity.iter().zip(&expected.equity) {
            prop_assert!((a - b).abs() <= 1e-9 * b.abs().max(1e6), "{} {}", a, b);
        }
    }
}

#[test]
fn what_is_wrong_with_input_is_said_with_row_and_symbol() {
    let good = Small::new(2, &[10.0, 20.0, 11.0, 21.0]).weights(0, &[0.5, 0.5]);
    let says = |case: &Small, config: &Config, words: &[&str]| {
        let text = case.try_run(config).unwrap_err().to_string();
        for word in words {
            assert!(text.contains(word), "{text:?} lacks {word:?}");
        }
    };
    let default = Config::default();
    let mut case = good.clone();
    case.times = vec![DAY, 0];
    says(
        &case,
        &default,
        &["row 1", "1970-01-01, after 1970-01-02", "sort"],
    );
    case.times = vec![DAY, DAY];
    says(&case, &default, &["row 1", "only once"]);
    for price in [0.0, -1.0, f64::INFINITY] {
        let mut case = good.clone();
        case.close[3] = price;
        says(&case, &default, &["close of S1 in row 1", "1970-01-02"]);
    }
    for weight in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
        let mut case = good.clone();
        case.weights[1] = weight;
        says(&case, &default, &["weight of S1 in row 0"]);
    }
    let mut case = good.clone();
    case.symbols[1] = "S0".into();
    says(&case, &default, &["S0 stands twice"]);
    let empty = Small::new(1, &[]);
    says(&empty, &default, &["prices has no rows"]);
    let nobody = Small {
        times: vec![0],
        ..Small::default()
    };
    says(&nobody, &default, &["prices has no symbols"]);
    let limit = Config {
        gross_limit: Some(0.9),
        ..Config::default()
    };
    says(
        &good,
        &limit,
        &["gross weight of row 0", "1, over the limit of 0.9"],
    );
    let mut short = good.clone();
    short.weights[1] = -0.5;
    says(
        &short,
        &Config {
            long_only: true,
            ..Config::default()
        },
        &["S1 in row 0", "long-only"],
    );
    for level in [1.0, -0.1, f64::NAN, f64::INFINITY] {
        let stops = Stops {
            trailing: PerSymbol::All(level),
            ..Stops::default()
        };
        says(
            &good,
            &Config {
                stops,
                ..Config::default()
            },
            &["trailing is", "between 0 and 1"],
        );
    }
    let stops = Stops {
        fixed: PerSymbol::Each(vec![0.1, 1.5]),
        ..Stops::default()
    };
    says(
        &good,
        &Config {
            stops,
            ..Config::default()
        },
        &["fixed of S1 is 1.5", "between 0 and 1"],
    );
    let lots = rule(Rule {
        lot: PerSymbol::Each(vec![1.0, -1.0]),
        ..Rule::default()
    });
    says(&good, &lots, &["lot of S1 is -1", "not below zero"]);
    let lots = rule(Rule {
        lot: PerSymbol::Each(vec![1.0]),
        ..Rule::default()
    });
    says(&good, &lots, &["lot has 1 values for 2 symbols"]);
    let actions = vec![Action {
        time: 0,
        symbol: 1,
        kind: ActionKind::Split(0.0),
    }];
    says(
        &good,
        &Config {
            actions,
            ..Config::default()
        },
        &["split of S1", "above zero"],
    );
    let huge = Small::new(1, &[1e-300, 1e300]).weights(0, &[1.0]);
    says(
        &huge,
        &Config {
            cash: 1e300,
            ..Config::default()
        },
        &["equity in row", "too large", "position in S0"],
    );
    let mut unknown = good.clone();
    unknown.symbols = vec!["S0".into(), "S1".into()];
    let panel_names = ["S0".to_owned(), "X".to_owned()];
    let close = Matrix::from_rows(&good.close, 2).unwrap();
    let panel = Panel::new(&good.times, &panel_names, close).unwrap();
    let weights = Matrix::from_rows(&good.weights, 2).unwrap();
    let schedule = Schedule::new(&good.weight_times, &good.symbols, weights).unwrap();
    let text = run(&panel, &schedule, &default, ())
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("S1 has weights") && text.contains("S0, X"),
        "{text}"
    );
    // One row is no mistake.
    let one = Small::new(1, &[10.0]).weights(0, &[1.0]);
    assert_close(&one.run(&default).0.equity, &[1e6]);
}

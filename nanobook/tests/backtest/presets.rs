//! Strategies that are known by name against plain loops, alone and in a sweep.

use nanobook::backtest::{
    Chunk, Column, Config, Error, FillRows, HoldingRows, Journal, Matrix, Outcome, Panel, Preset,
    Rebalance, Schedule, Signal, SweepOptions, run, sweep_presets,
};
use nanobook::metrics::Basis;
use proptest::prelude::*;

use crate::data::day;
use crate::small::DAY;

/// Prices by row and symbol, NaN where missing, and symbols that are not in order.
#[derive(Clone, Debug)]
struct Market {
    times: Vec<i64>,
    symbols: Vec<String>,
    close: Vec<Vec<f64>>,
}

impl Market {
    fn flat(&self) -> Vec<f64> {
        self.close.concat()
    }

    /// Calls with a panel of columns in two chunks.
    fn with<R>(&self, work: impl FnOnce(&Panel<'_>) -> R) -> R {
        let column = |symbol: usize| self.close.iter().map(move |row| row[symbol]);
        let columns: Vec<Vec<f64>> = (0..self.symbols.len())
            .map(|symbol| column(symbol).collect())
            .collect();
        let cut = self.times.len() / 2;
        let chunk = |rows: std::ops::Range<usize>| Chunk {
            columns: columns
                .iter()
                .map(|column| Column::new(&column[rows.clone()]))
                .collect(),
        };
        let chunks = vec![chunk(0..cut), chunk(cut..self.times.len())];
        let close = Matrix::from_chunks(chunks).unwrap();
        work(&Panel::new(&self.times, &self.symbols, close).unwrap())
    }
}

fn market() -> impl Strategy<Value = Market> {
    (1_usize..7, 2_usize..90).prop_flat_map(|(width, rows)| {
        let names = Just((0..width).map(|at| format!("S{at}")).collect::<Vec<_>>()).prop_shuffle();
        // Few prices, so that names tie; now and then one is missing.
        let price = prop_oneof![8 => (1_u8..12).prop_map(f64::from), 1 => Just(f64::NAN)];
        let close = prop::collection::vec(prop::collection::vec(price, width), rows);
        let first = 0_i64..400;
        (names, close, first).prop_map(move |(symbols, close, first)| Market {
            times: (first..).take(rows).map(|day| day * DAY).collect(),
            symbols,
            close,
        })
    })
}

fn preset() -> impl Strategy<Value = Preset> {
    let momentum =
        (0_usize..6, 1_usize..20, 1_usize..9).prop_map(|(skip, more, k)| Signal::MomentumTopK {
            lookback: skip + more,
            skip,
            k,
        });
    let cross = (1_usize..10, 1_usize..20).prop_map(|(fast, more)| Signal::MovingAverageCross {
        fast,
        slow: fast + more,
    });
    let inverse = (2_usize..20).prop_map(|lookback| Signal::InverseVolatility { lookback });
    let rebalance = prop_oneof![
        (1_usize..9).prop_map(Rebalance::Rows),
        Just(Rebalance::Week),
        Just(Rebalance::Month),
    ];
    let signal = prop_oneof![momentum, cross, inverse];
    (signal, rebalance, 0_usize..30, 0.1_f64..1.5).prop_map(|(signal, rebalance, start, gross)| {
        Preset {
            signal,
            rebalance,
            start,
            gross,
        }
    })
}

/// The weights of a row, symbol by symbol; `None` when there are too few rows before it.
fn plain(market: &Market, signal: Signal, gross: f64, row: usize) -> Option<Vec<f64>> {
    let width = market.symbols.len();
    let price = |row: usize, symbol: usize| market.close[row][symbol];
    let last = |rows: usize, symbol: usize| -> Vec<f64> {
        (row + 1 - rows..=row)
            .map(|row| price(row, symbol))
            .collect()
    };
    let mut weights = vec![0.0; width];
    match signal {
        Signal::MomentumTopK { lookback, skip, k } => {
            row.checked_sub(lookback)?;
            let mut names: Vec<usize> = (0..width).collect();
            let rose = |s: &usize| price(row - skip, *s) / price(row - lookback, *s);
            names.retain(|s| !price(row, *s).is_nan() && !rose(s).is_nan());
            names.sort_by(|a, b| {
                let by_name = market.symbols[*a].cmp(&market.symbols[*b]);
                rose(b).total_cmp(&rose(a)).then(by_name)
            });
            names.truncate(k);
            for symbol in &names {
                weights[*symbol] = gross / names.len() as f64;
            }
        }
        Signal::MovingAverageCross { fast, slow } => {
            row.checked_sub(slow - 1)?;
            let known: Vec<usize> = (0..width)
                .filter(|s| last(slow, *s).iter().all(|price| !price.is_nan()))
                .collect();
            for &symbol in &known {
                // Prices are whole, so sums are exact.
                let sum = |rows: usize| last(rows, symbol).iter().sum::<f64>();
                if sum(fast) * slow as f64 > sum(slow) * fast as f64 {
                    weights[symbol] = gross / known.len() as f64;
                }
            }
        }
        Signal::InverseVolatility { lookback } => {
            row.checked_sub(lookback)?;
            let volatility = |symbol: usize| {
                let prices = last(lookback + 1, symbol);
                let returns: Vec<f64> = prices.windows(2).map(|p| p[1] / p[0] - 1.0).collect();
                let mean = returns.iter().sum::<f64>() / lookback as f64;
                let squares: f64 = returns.iter().map(|ret| (ret - mean).powi(2)).sum();
                (squares / (lookback - 1) as f64).sqrt()
            };
            let known = |volatility: f64| volatility > 1e-12;
            let all: Vec<f64> = (0..width).map(volatility).collect();
            let sum: f64 = all.iter().filter(|v| known(**v)).map(|v| 1.0 / v).sum();
            for (weight, volatility) in weights.iter_mut().zip(&all) {
                if known(*volatility) {
                    *weight = gross / volatility / sum;
                }
            }
        }
        _ => unreachable!("a signal without a twin"),
    }
    Some(weights)
}

fn is_due(market: &Market, rebalance: Rebalance, row: usize) -> bool {
    let day = |row: usize| market.times[row] / DAY;
    let is_last_of = |length: i64, offset: i64| {
        let is_followed = row + 1 < market.times.len();
        is_followed && (day(row) + offset) / length != (day(row + 1) + offset) / length
    };
    match rebalance {
        Rebalance::Rows(rows) => row.is_multiple_of(rows),
        // 1970-01-04 was a Sunday.
        Rebalance::Week => is_last_of(7, 3),
        _ => {
            // 1970 and 1971, every day a row.
            let ends = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
            row + 1 < market.times.len() && ends.contains(&((day(row) + 1) % 365))
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn weights_are_those_of_plain_loops(market in market(), preset in preset()) {
        let found = market.with(|panel| preset.weights(panel)).unwrap();
        let mut rows = Vec::new();
        for row in preset.start..market.times.len() {
            let expected = plain(&market, preset.signal, preset.gross, row);
            let Some(expected) = expected.filter(|_| is_due(&market, preset.rebalance, row)) else {
                continue;
            };
            let width = expected.len();
            let weights = found.weights.get(rows.len() * width..).unwrap_or(&[]);
            prop_assert!(weights.len() >= width, "no weights in row {row}");
            for (a, b) in weights.iter().zip(&expected) {
                prop_assert!((a - b).abs() < 1e-12, "row {row}: {weights:?} {expected:?}");
            }
            rows.push(row);
        }
        prop_assert_eq!(&found.rows, &rows);
        let times: Vec<i64> = rows.iter().map(|row| market.times[*row]).collect();
        prop_assert_eq!(&found.times, &times);
        // The same prices row after row, and no later ones.
        let flat = market.flat();
        let cut = market.times.len() * 2 / 3 + 1;
        let width = market.symbols.len();
        let close = Matrix::from_rows(&flat[..cut * width], width).unwrap();
        let early = Panel::new(&market.times[..cut], &market.symbols, close).unwrap();
        let early = preset.weights(&early).unwrap();
        // Whether the last of the rows there are ends a month is known by the next one.
        let known = early.rows.iter().filter(|row| **row + 1 < cut).count();
        prop_assert_eq!(&early.rows[..known], &found.rows[..known]);
        prop_assert_eq!(&early.weights[..known * width], &found.weights[..known * width]);
    }

    #[test]
    fn a_sweep_of_presets_is_each_of_them_alone(
        market in market(),
        presets in prop::collection::vec(preset(), 0..12),
        threads in 1_usize..4,
    ) {
        let config = Config { on_missing: nanobook::backtest::OnMissing::Renormalize, ..Config::default() };
        let outcome = |panel: &Panel<'_>, schedule: nanobook::backtest::Result<Schedule<'_>>| {
            Outcome::of(panel, &schedule?, &config, Basis::default())
        };
        let options = SweepOptions { threads: Some(threads), ..SweepOptions::default() };
        let (together, alone) = market.with(|panel| {
            let together = sweep_presets(panel, &presets, &options, |at, schedule| (at, outcome(panel, schedule)));
            let alone = presets.iter().map(|preset| {
                let weights = preset.weights(panel)?;
                outcome(panel, weights.schedule(panel.symbols()))
            });
            (together, alone.collect::<Vec<_>>())
        });
        prop_assert_eq!(together.len(), presets.len());
        for (at, ((place, one), other)) in together.iter().zip(&alone).enumerate() {
            prop_assert_eq!(*place, at);
            // NaN metrics are equal here.
            prop_assert_eq!(format!("{one:?}"), format!("{other:?}"));
        }
    }

    /// What is written column by column is what is written fill by fill.
    #[test]
    fn columns_of_whole_rows_are_those_of_single_fills(market in market(), seed in 1_u64..1000, bps in prop_oneof![Just(0.0), 1.0..30.0], slip in prop_oneof![Just(0.0), 1.0..30.0]) {
        let full: Vec<f64> = market.flat().iter().map(|price| if price.is_nan() { 3.0 } else { *price }).collect();
        let width = market.symbols.len();
        let panel = Panel::new(&market.times, &market.symbols, Matrix::from_rows(&full, width).unwrap()).unwrap();
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            // Now and then no weight at all, so that not every symbol trades.
            if state >> 60 == 0 { 0.0 } else { (state >> 40) as f64 / (1_u64 << 24) as f64 / width as f64 }
        };
        let weights: Vec<f64> = full.iter().map(|_| next()).collect();
        let weights = Matrix::from_rows(&weights, width).unwrap();
        let schedule = Schedule::new(&market.times, &market.symbols, weights).unwrap();
        let config = Config {
            costs: nanobook::portfolio::CostModel { commission_bps: bps, slippage_bps: slip, ..Default::default() },
            ..Config::default()
        };
        let (mut journal, mut fills, mut held) = (Journal::default(), FillRows::default(), HoldingRows::default());
        run(&panel, &schedule, &config, (&mut journal, (&mut fills, &mut held))).unwrap();
        prop_assert_eq!(journal.fills.len(), fills.places.len());
        let places: Vec<_> = fills.places.iter().collect();
        let mut qty = vec![0.0; width];
        for (at, fill) in journal.fills.iter().enumerate() {
            prop_assert_eq!((fill.row, fill.symbol), places[at]);
            prop_assert_eq!(fill.qty, fills.qty[at] * f64::from(fills.side[at]));
            prop_assert_eq!((fill.price, fill.cost.commission), (fills.price[at], fills.commission[at]));
            prop_assert_eq!(fill.qty.abs() * fill.price, fills.value[at]);
            prop_assert_eq!(fill.cost.slippage, fills.slippage.get(at).copied().unwrap_or(0.0));
            prop_assert_eq!(fill.reason, fills.reason[at]);
        }
        prop_assert_eq!(held.places.len(), held.qty.len());
        for (at, (row, symbol)) in held.places.iter().enumerate() {
            let traded = journal.fills.iter().filter(|fill| fill.symbol == symbol && fill.row <= row);
            qty[symbol] = traded.map(|fill| fill.qty).sum();
            prop_assert!((held.qty[at] - qty[symbol]).abs() < 1e-6 * qty[symbol].abs().max(1.0));
            prop_assert_eq!(held.price[at], full[row * width + symbol]);
            prop_assert_eq!(held.value[at], held.qty[at] * held.price[at]);
        }
    }
}

#[test]
fn the_ends_of_months_quarters_and_years_are_those_of_the_calendar() {
    // Weekdays of 2023 and 2024.
    let days = (day("2023-01-02")..=day("2024-12-31")).step_by(usize::try_from(DAY).unwrap());
    let times: Vec<i64> = days.filter(|at| (at / DAY + 3) % 7 < 5).collect();
    let symbols = ["A".to_owned()];
    let prices = vec![1.0; times.len()];
    let panel = Panel::new(&times, &symbols, Matrix::from_rows(&prices, 1).unwrap()).unwrap();
    let found = |rebalance| {
        let signal = Signal::MomentumTopK {
            lookback: 1,
            skip: 0,
            k: 1,
        };
        let preset = Preset {
            signal,
            rebalance,
            ..Preset::default()
        };
        preset.weights(&panel).unwrap().times
    };
    let months = found(Rebalance::Month);
    assert_eq!(months.len(), 23, "the last row of all is none");
    assert_eq!(
        months[..3],
        ["2023-01-31", "2023-02-28", "2023-03-31"].map(day)
    );
    assert_eq!(months[13], day("2024-02-29"));
    let quarters = found(Rebalance::Quarter);
    assert_eq!(quarters.len(), 7);
    assert_eq!(quarters[..2], ["2023-03-31", "2023-06-30"].map(day));
    assert_eq!(found(Rebalance::Year), [day("2023-12-29")]);
    let weeks = found(Rebalance::Week);
    assert!(weeks.len() == 104 && weeks.iter().all(|at| (at / DAY + 3) % 7 == 4));
}

#[test]
fn parameters_that_cannot_be_are_named() {
    let symbols = ["A".to_owned()];
    let panel = Panel::new(
        &[1, 2],
        &symbols,
        Matrix::from_rows(&[1.0, 2.0], 1).unwrap(),
    )
    .unwrap();
    let base = Preset::default();
    let momentum = |lookback, skip, k| Preset {
        signal: Signal::MomentumTopK { lookback, skip, k },
        ..base
    };
    let of = |signal| Preset { signal, ..base };
    for (preset, name) in [
        (momentum(5, 5, 1), "lookback"),
        (momentum(5, 0, 0), "k"),
        (of(Signal::MovingAverageCross { fast: 0, slow: 3 }), "fast"),
        (of(Signal::MovingAverageCross { fast: 3, slow: 3 }), "slow"),
        (of(Signal::InverseVolatility { lookback: 1 }), "lookback"),
        (
            Preset {
                rebalance: Rebalance::Rows(0),
                ..base
            },
            "rebalance",
        ),
        (
            Preset {
                gross: f64::NAN,
                ..base
            },
            "gross",
        ),
    ] {
        let error = preset.weights(&panel).unwrap_err();
        assert!(
            matches!(error, Error::BadSetting { setting, .. } if setting == name),
            "{error}"
        );
    }
    // More rows than there are: nothing is ever invested.
    assert!(momentum(500, 0, 1).weights(&panel).unwrap().rows.is_empty());
}

//! Indicators: batch against stream, definitions by hand, TA-Lib's own values, and input that has nothing to give.

#![allow(
    clippy::unwrap_used,
    clippy::many_single_char_names,
    reason = "tests stop at what is wrong; h, l, c, v are bars"
)]

use std::io::Read;
use std::num::NonZeroUsize;

use nanobook::indicators::{
    Ad, AdOsc, Adx, Aroon, AroonOsc, Atr, Bbands, Cci, Dema, Dx, Ema, Indicator, Kama, LinearReg,
    Macd, Mfi, MinusDi, Mom, Natr, Obv, PlusDi, Roc, Rsi, Sar, Sma, StdDev, Stoch, StochF,
    StochRsi, Stream, Tema, TrueRange, UltOsc, WillR, Wma, panel,
};
use nanobook::stats::Error;
use proptest::prelude::*;

/// High, low, close, volume.
type Bars = [Vec<f64>; 4];

/// Every indicator over its inputs: name, first row with a value, batch and stream.
fn every(bars: &Bars, n: usize, mut visit: impl FnMut(&str, usize, Vec<Vec<f64>>, Vec<Vec<f64>>)) {
    fn one<const I: usize, const O: usize, T: Indicator<I, O> + Clone>(
        indicator: T,
        inputs: [&[f64]; I],
    ) -> (usize, Vec<Vec<f64>>, Vec<Vec<f64>>) {
        let lookback = indicator.lookback();
        let batch = indicator.clone().batch(inputs).unwrap();
        let mut stream = Stream::new(indicator);
        let mut streamed = vec![Vec::new(); O];
        for row in 0..inputs[0].len() {
            let values = stream.update(inputs.map(|input| input[row]));
            for (column, value) in streamed.iter_mut().zip(values) {
                column.push(value);
            }
        }
        (lookback, batch.to_vec(), streamed)
    }
    let [h, l, c, v] = bars.each_ref().map(Vec::as_slice);
    macro_rules! visit {
        ($($name:literal: $indicator:expr, $inputs:expr;)*) => {
            $(let (lookback, batch, stream) = one($indicator, $inputs);
            visit($name, lookback, batch, stream);)*
        };
    }
    visit! {
        "sma": Sma::new(n).unwrap(), [c];
        "ema": Ema::new(n).unwrap(), [c];
        "wma": Wma::new(n).unwrap(), [c];
        "dema": Dema::new(n).unwrap(), [c];
        "tema": Tema::new(n).unwrap(), [c];
        "kama": Kama::new(n).unwrap(), [c];
        "macd": Macd::new(n, 2 * n, 3).unwrap(), [c];
        "bbands": Bbands::new(n, 2.0, 1.5).unwrap(), [c];
        "stddev": StdDev::new(n, 1.0).unwrap(), [c];
        "linearreg": LinearReg::new(n).unwrap(), [c];
        "trange": TrueRange, [h, l, c];
        "atr": Atr::new(n).unwrap(), [h, l, c];
        "natr": Natr::new(n).unwrap(), [h, l, c];
        "plus_di": PlusDi::new(n).unwrap(), [h, l, c];
        "minus_di": MinusDi::new(n).unwrap(), [h, l, c];
        "dx": Dx::new(n).unwrap(), [h, l, c];
        "adx": Adx::new(n).unwrap(), [h, l, c];
        "sar": Sar::new(0.02, 0.2).unwrap(), [h, l];
        "rsi": Rsi::new(n).unwrap(), [c];
        "stochrsi": StochRsi::new(n, 5, 3).unwrap(), [c];
        "stoch": Stoch::new(n, 3, 2).unwrap(), [h, l, c];
        "stochf": StochF::new(n, 3).unwrap(), [h, l, c];
        "willr": WillR::new(n).unwrap(), [h, l, c];
        "cci": Cci::new(n).unwrap(), [h, l, c];
        "roc": Roc::new(n).unwrap(), [c];
        "mom": Mom::new(n).unwrap(), [c];
        "ultosc": UltOsc::new(n, 2 * n, 4 * n).unwrap(), [h, l, c];
        "aroon": Aroon::new(n).unwrap(), [h, l];
        "aroonosc": AroonOsc::new(n).unwrap(), [h, l];
        "obv": Obv::default(), [c, v];
        "ad": Ad::default(), [h, l, c, v];
        "adosc": AdOsc::new(n, n + 7).unwrap(), [h, l, c, v];
        "mfi": Mfi::new(n).unwrap(), [h, l, c, v];
    }
}

fn bars(steps: &[(f64, f64, f64)]) -> Bars {
    let mut close = 100.0;
    let mut bars: Bars = Default::default();
    for &(change, spread, volume) in steps {
        let open: f64 = close;
        close = (open + change).max(1.0);
        bars[0].push(open.max(close) + spread);
        bars[1].push(open.min(close) - spread);
        bars[2].push(close);
        bars[3].push(volume);
    }
    bars
}

/// A series without randomness that rises, falls and stands still.
fn sample(rows: u32) -> Bars {
    let steps: Vec<(f64, f64, f64)> = (0..rows)
        .map(|i| {
            let change = f64::from(i * 37 % 23) / 10.0 - 1.1;
            let still = i % 50 > 45;
            (
                if still { 0.0 } else { change },
                if still { 0.0 } else { 0.3 },
                f64::from(i * 91 % 1000),
            )
        })
        .collect();
    bars(&steps)
}

fn close_enough(a: f64, b: f64, scale: f64) -> bool {
    (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-9 * scale.max(1.0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn batch_and_stream_agree(
        steps in prop::collection::vec((-3.0..3.0f64, 0.0..1.0f64, 0.0..1e6f64), 0..200),
        n in 2usize..20,
        head in 0usize..4,
    ) {
        let mut bars = bars(&steps);
        for row in 0..head.min(steps.len()) {
            bars[row % 4][row] = f64::NAN;
        }
        every(&bars, n, |name, _, batch, stream| {
            for (column, (batch, stream)) in batch.iter().zip(&stream).enumerate() {
                for (row, (&a, &b)) in batch.iter().zip(stream).enumerate() {
                    assert!(close_enough(a, b, b.abs()), "{name} output {column} row {row}: {a} and {b}");
                }
            }
        });
    }

    #[test]
    fn the_past_does_not_change(
        steps in prop::collection::vec((-3.0..3.0f64, 0.0..1.0f64, 0.0..1e6f64), 2..120),
        n in 2usize..10,
    ) {
        let whole = bars(&steps);
        let cut = bars(&steps[..steps.len() / 2]);
        let mut early = Vec::new();
        every(&cut, n, |_, _, batch, _| early.push(batch));
        let mut early = early.into_iter();
        every(&whole, n, |name, _, batch, _| {
            for (before, after) in early.next().unwrap().iter().zip(&batch) {
                for (row, (&a, &b)) in before.iter().zip(after).enumerate() {
                    assert!(close_enough(a, b, b.abs()), "{name} row {row}: {a}, later {b}");
                }
            }
        });
    }
}

#[test]
fn the_head_is_as_long_as_the_lookback() {
    let bars = sample(300);
    for n in [2, 7, 20] {
        every(&bars, n, |name, lookback, batch, _| {
            for column in &batch {
                let head = column.iter().take_while(|v| v.is_nan()).count();
                assert_eq!(head, lookback, "{name}");
                assert!(column[head..].iter().all(|v| v.is_finite()), "{name}");
            }
        });
    }
}

#[test]
fn fewer_rows_than_the_window_give_only_nan() {
    for rows in [0, 1, 5] {
        every(&sample(rows), 20, |name, lookback, batch, _| {
            for column in &batch {
                assert_eq!(column.len(), rows as usize);
                for (row, value) in column.iter().enumerate() {
                    assert_eq!(value.is_nan(), row < lookback, "{name} row {row}");
                }
            }
        });
    }
}

#[test]
fn a_column_of_nan_gives_nan() {
    let mut bars = sample(80);
    bars[0].fill(f64::NAN);
    bars[2].fill(f64::NAN);
    every(&bars, 5, |name, _, batch, stream| {
        for column in batch.iter().chain(&stream) {
            assert!(column.iter().all(|v| v.is_nan()), "{name}");
        }
    });
}

#[test]
fn a_constant_series_gives_numbers() {
    let still = bars(&vec![(0.0, 0.0, 100.0); 120]);
    every(&still, 5, |name, lookback, batch, _| {
        for column in &batch {
            assert!(column[lookback..].iter().all(|v| v.is_finite()), "{name}");
        }
    });
}

#[test]
fn a_nan_inside_is_never_passed_over() {
    let bars = sample(1_200);
    let mut whole = Vec::new();
    every(&bars, 5, |_, _, batch, _| whole.push(batch));
    // In all columns, and in each alone: what does not read the column must not change.
    for holes in [&[0, 1, 2, 3][..], &[0], &[1], &[2], &[3]] {
        let mut holed = bars.clone();
        for &column in holes {
            holed[column][700] = f64::NAN;
        }
        let mut whole = whole.iter();
        every(&holed, 5, |name, _, batch, stream| {
            for (clean, holed) in whole.next().unwrap().iter().zip(batch.iter().zip(&stream)) {
                let (holed, stream) = holed;
                assert!(
                    holed[700].is_nan() || holes.len() == 1,
                    "{name} at the hole"
                );
                for row in 0..bars[0].len() {
                    // A number that is given is the number of the clean series, but for what carries no past.
                    let same = close_enough(clean[row], holed[row], clean[row].abs());
                    assert!(
                        holed[row].is_nan() || same,
                        "{name} row {row}: {} and {}, hole in {holes:?}",
                        clean[row],
                        holed[row]
                    );
                    assert!(
                        close_enough(holed[row], stream[row], clean[row].abs()),
                        "{name} row {row}: {} in batch, {} streamed, hole in {holes:?}",
                        holed[row],
                        stream[row]
                    );
                }
            }
        });
    }
}

#[test]
fn bad_windows_are_refused() {
    assert!(matches!(
        Sma::new(0),
        Err(Error::Parameter { name: "window", .. })
    ));
    assert!(matches!(Rsi::new(1), Err(Error::Parameter { .. })));
    assert!(matches!(
        Macd::new(12, 26, 0),
        Err(Error::Parameter { name: "signal", .. })
    ));
    assert!(matches!(
        Sar::new(-0.1, 0.2),
        Err(Error::Parameter {
            name: "acceleration",
            ..
        })
    ));
    assert!(matches!(Sma::new(100_001), Err(Error::Parameter { .. })));
    let lengths = Atr::new(3)
        .unwrap()
        .batch([&[1.0, 2.0], &[1.0], &[1.0, 2.0]]);
    assert!(matches!(
        lengths,
        Err(Error::Length {
            found: 1,
            wanted: 2,
            ..
        })
    ));
}

#[test]
fn a_panel_does_not_depend_on_the_threads() {
    let symbols: Vec<Bars> = (40..60).map(sample).collect();
    let columns = |k: usize| {
        symbols
            .iter()
            .map(|bars| bars[k].as_slice())
            .collect::<Vec<_>>()
    };
    let (high, low, close) = (columns(0), columns(1), columns(2));
    let adx = Adx::new(5).unwrap();
    let run = |threads| {
        panel(
            &adx,
            [&high, &low, &close],
            NonZeroUsize::new(threads).unwrap(),
        )
        .unwrap()
    };
    let [one] = run(1);
    for threads in 2..5 {
        let [many] = run(threads);
        for (a, b) in one.iter().flatten().zip(many.iter().flatten()) {
            assert_eq!(a.to_bits(), b.to_bits());
        }
    }
    let uneven = panel(&adx, [&high, &low[1..], &close], NonZeroUsize::MIN);
    assert!(matches!(uneven, Err(Error::Length { .. })));
}

#[test]
fn averages_equal_their_definition() {
    let [_, _, close, _] = sample(200);
    let n = 13;
    let [sma] = Sma::new(n).unwrap().batch([&close]).unwrap();
    let [wma] = Wma::new(n).unwrap().batch([&close]).unwrap();
    let [deviation] = StdDev::new(n, 1.0).unwrap().batch([&close]).unwrap();
    let [line] = LinearReg::new(n).unwrap().batch([&close]).unwrap();
    for row in n - 1..200 {
        let window = &close[row + 1 - n..=row];
        let mean = window.iter().sum::<f64>() / 13.0;
        let weighted = (1u32..)
            .zip(window)
            .map(|(w, v)| f64::from(w) * v)
            .sum::<f64>()
            / 91.0;
        let variance = window.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / 13.0;
        let slope = (0u32..)
            .zip(window)
            .map(|(x, v)| (f64::from(x) - 6.0) * (v - mean))
            .sum::<f64>()
            / 182.0;
        for (found, wanted) in [
            (sma[row], mean),
            (wma[row], weighted),
            (deviation[row], variance.sqrt()),
            (line[row], mean + 6.0 * slope),
        ] {
            assert!(
                (found - wanted).abs() < 1e-9,
                "row {row}: {found}, by definition {wanted}"
            );
        }
    }
}

/// TA-Lib's values on real prices; the comparison with the live package at every index is in the Python tests.
#[test]
fn equals_talib_on_real_prices() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data/oracle/10_indicators_aapl_talib.csv.gz");
    let Ok(file) = std::fs::File::open(&path) else {
        println!("skipped: {} is absent", path.display());
        return;
    };
    let mut text = String::new();
    flate2::read::GzDecoder::new(file)
        .read_to_string(&mut text)
        .unwrap();
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let mut columns = vec![Vec::new(); names.len()];
    for line in lines {
        for (column, cell) in columns.iter_mut().zip(line.split(',')) {
            column.push(cell.parse::<f64>().unwrap_or(f64::NAN));
        }
    }
    let column = |name: &str| columns[names.iter().position(|n| *n == name).unwrap()].as_slice();
    let (h, l, c, v) = (
        column("high"),
        column("low"),
        column("close"),
        column("volume"),
    );
    let mut compared = 0;
    let mut check = |name: &str, found: &[f64]| {
        let wanted = column(name);
        assert_eq!(found.len(), wanted.len());
        for (row, (&a, &b)) in found.iter().zip(wanted).enumerate() {
            assert!(
                close_enough(a, b, b.abs()),
                "{name} row {row}: {a}, TA-Lib {b}"
            );
        }
        compared += 1;
    };
    macro_rules! check {
        ($($indicator:expr, $inputs:expr => $($name:literal),+;)*) => {
            $(let outputs = $indicator.batch($inputs).unwrap();
            for (name, output) in [$($name),+].iter().zip(&outputs) { check(name, output); })*
        };
    }
    check! {
        Sma::new(20).unwrap(), [c] => "sma_20";
        Ema::new(20).unwrap(), [c] => "ema_20";
        Wma::new(20).unwrap(), [c] => "wma_20";
        Dema::new(20).unwrap(), [c] => "dema_20";
        Tema::new(20).unwrap(), [c] => "tema_20";
        Kama::new(30).unwrap(), [c] => "kama_30";
        Rsi::new(14).unwrap(), [c] => "rsi_14";
        Macd::new(12, 26, 9).unwrap(), [c] => "macd", "macd_signal", "macd_hist";
        Bbands::new(20, 2.0, 2.0).unwrap(), [c] => "bb_up", "bb_mid", "bb_low";
        Atr::new(14).unwrap(), [h, l, c] => "atr_14";
        Natr::new(14).unwrap(), [h, l, c] => "natr_14";
        TrueRange, [h, l, c] => "trange";
        Adx::new(14).unwrap(), [h, l, c] => "adx_14";
        PlusDi::new(14).unwrap(), [h, l, c] => "plus_di_14";
        MinusDi::new(14).unwrap(), [h, l, c] => "minus_di_14";
        Cci::new(20).unwrap(), [h, l, c] => "cci_20";
        WillR::new(14).unwrap(), [h, l, c] => "willr_14";
        Mom::new(10).unwrap(), [c] => "mom_10";
        Roc::new(10).unwrap(), [c] => "roc_10";
        Obv::default(), [c, v] => "obv";
        Ad::default(), [h, l, c, v] => "ad";
        AdOsc::new(3, 10).unwrap(), [h, l, c, v] => "adosc";
        UltOsc::new(7, 14, 28).unwrap(), [h, l, c] => "ultosc";
        Mfi::new(14).unwrap(), [h, l, c, v] => "mfi_14";
        Sar::new(0.02, 0.2).unwrap(), [h, l] => "sar";
        StdDev::new(20, 1.0).unwrap(), [c] => "stddev_20";
        LinearReg::new(14).unwrap(), [c] => "linreg_14";
    }
    assert_eq!(compared, 31);
}

//! A backtest whose orders meet the books of a replayed day: every fill is what the books had at its time.
#![cfg(all(feature = "replay", feature = "synth"))]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use nanobook::backtest::{
    BookVenue, Config, EquityCurve, EventKind, Journal, Matrix, Panel, Schedule, run_on,
};
use nanobook::book::OrderBook;
use nanobook::portfolio::{CostModel, PerSymbol, Rule};
use nanobook::{Side, Timestamp};
use nanobook_itch::Framing;
use nanobook_itch::replay::{Config as ReplayConfig, Replay};
use nanobook_itch::synth::{Config as DayConfig, Day};

const HOUR: i64 = 3_600_000_000_000;
const MIDNIGHT: i64 = 1_577_682_000_000_000_000;
const LOCATES: [u16; 3] = [1, 2, 3];

/// A day, and where the messages up to a time of the session end.
struct Feed {
    bytes: Vec<u8>,
    /// The time of each message, ns since midnight, and the offset behind it.
    ends: Vec<(i64, usize)>,
}

impl Feed {
    fn new() -> Self {
        let config = DayConfig {
            seed: 7,
            messages: 60_000,
            symbols: 3,
            ..DayConfig::default()
        };
        let mut bytes = Vec::new();
        Day::new(config).write_to(&mut bytes).unwrap();
        let (mut ends, mut at) = (Vec::new(), 0);
        while at + 2 <= bytes.len() {
            let len = usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]));
            if len == 0 {
                break;
            }
            let time = bytes[at + 7..at + 13].iter();
            let time = time.fold(0, |so_far, byte| so_far << 8 | i64::from(*byte));
            at += 2 + len;
            ends.push((time, at));
        }
        Self { bytes, ends }
    }

    fn end(&self, time: i64) -> usize {
        let messages = self.ends.partition_point(|(at, _)| *at <= time);
        messages.checked_sub(1).map_or(0, |last| self.ends[last].1)
    }

    /// The books at a time, from a replay of nothing but the day up to it.
    fn books(&self, time: i64) -> Vec<OrderBook> {
        let mut replay = Replay::new(ReplayConfig::new(Timestamp(MIDNIGHT)));
        let block = &self.bytes[..self.end(time)];
        replay.block(block, Framing::Length, &mut ()).unwrap();
        let book = |locate: &u16| replay.book(*locate).cloned().unwrap_or_default();
        LOCATES.iter().map(book).collect()
    }
}

#[test]
fn orders_of_a_backtest_take_what_a_replayed_day_shows() {
    let feed = Feed::new();
    // Every twenty minutes from ten to half past three.
    let of_day: Vec<i64> = (30..=46).map(|at| at * HOUR / 3).collect();
    let times: Vec<i64> = of_day.iter().map(|time| MIDNIGHT + time).collect();
    let books: Vec<Vec<OrderBook>> = of_day.iter().map(|time| feed.books(*time)).collect();
    let mids: Vec<f64> = books
        .iter()
        .flatten()
        .map(|book| {
            let touch = [Side::Buy, Side::Sell].map(|side| book.best(side).unwrap().price.as_f64());
            f64::midpoint(touch[0], touch[1])
        })
        .collect();
    let symbols = ["A", "B", "C"].map(str::to_owned);
    let panel = Panel::new(&times, &symbols, Matrix::from_rows(&mids, 3).unwrap()).unwrap();
    let weights: Vec<f64> = (0..times.len())
        .flat_map(|row| [[0.5, 0.3, 0.1], [0.1, 0.2, 0.6], [0.0, 0.4, -0.3]][row % 3])
        .collect();
    let weights = Matrix::from_rows(&weights, 3).unwrap();
    let schedule = Schedule::new(&times, &symbols, weights).unwrap();
    let config = Config {
        // So much that some orders want more than a book has.
        cash: 40_000_000.0,
        rule: Rule {
            lot: PerSymbol::All(1.0),
            ..Rule::default()
        },
        costs: CostModel::bps(1.0),
        ..Config::default()
    };

    let mut replay = Replay::new(ReplayConfig::new(Timestamp(MIDNIGHT)));
    let mut from = 0;
    let mut venue = BookVenue::new(
        vec![OrderBook::default(); 3],
        |time, books: &mut [OrderBook]| {
            let end = feed.end(time - MIDNIGHT);
            let block = &feed.bytes[from..end];
            replay.block(block, Framing::Length, &mut ()).unwrap();
            from = end;
            for (book, locate) in books.iter_mut().zip(LOCATES) {
                book.clone_from(replay.book(locate).unwrap());
            }
        },
    );
    let (mut curve, mut journal) = (EquityCurve::default(), Journal::default());
    let sink = (&mut curve, &mut journal);
    run_on(&panel, &schedule, &config, Some(&mut venue), sink).unwrap();

    let unfilled = |row: usize, symbol: usize| {
        let mut events = journal.events.iter();
        events.find(|event| {
            event.kind == EventKind::Unfilled && (event.row, event.symbol) == (row, Some(symbol))
        })
    };
    let (mut cash, mut qty) = (config.cash, [0.0; 3]);
    let (mut swept, mut short) = (0, 0);
    for (row, shown) in books.iter().enumerate() {
        for (symbol, book) in shown.iter().enumerate() {
            let fills = journal.fills.iter();
            let fills: Vec<_> = fills
                .filter(|fill| (fill.row, fill.symbol) == (row, symbol))
                .collect();
            let done: f64 = fills.iter().map(|fill| fill.qty).sum();
            let wanted = unfilled(row, symbol).map_or(done, |event| event.wanted);
            let side = if wanted > 0.0 { Side::Sell } else { Side::Buy };
            // Level by level, as far as the order goes.
            let mut left = wanted.abs();
            let mut expected = Vec::new();
            for level in book.levels(side) {
                let taken = left.min(level.qty.0 as f64);
                if taken > 0.0 {
                    expected.push((taken.copysign(wanted), level.price.as_f64()));
                }
                left -= taken;
            }
            let found: Vec<_> = fills.iter().map(|fill| (fill.qty, fill.price)).collect();
            assert_eq!(found, expected, "row {row}, {}", symbols[symbol]);
            assert_eq!(unfilled(row, symbol).is_some(), left > 0.0);
            swept += usize::from(found.len() > 1);
            short += usize::from(left > 0.0);
            for fill in fills {
                assert!((fill.price - mids[row * 3 + symbol]) * fill.qty > 0.0);
                cash -= fill.qty * fill.price + fill.cost.commission;
                qty[symbol] += fill.qty;
            }
        }
        let value: f64 = (0..3)
            .map(|symbol| qty[symbol] * mids[row * 3 + symbol])
            .sum();
        assert!((curve.cash[row] - cash).abs() < 1e-6);
        assert!((curve.equity[row] - cash - value).abs() < 1e-6);
    }
    assert!(swept > 10, "{swept} orders went through several levels");
    assert!(short > 0, "some wanted more than there was");
    // The books are worse than the mid, so the same weights earn less on them.
    let mut at_mid = EquityCurve::default();
    run_on(&panel, &schedule, &config, None, &mut at_mid).unwrap();
    assert!(curve.equity.last() < at_mid.equity.last());
}

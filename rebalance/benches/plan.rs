//! 5,000 targets against 5,000 positions: the plan, and the risk checks that judge it.
//!
//! `cargo bench -p nanobook-rebalance --bench plan`

#![allow(
    missing_docs,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a benchmark"
)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use nanobook::trading::{
    Account, DataType, Instrument, InstrumentState, Position, Quote, TimeInForce, Units,
};
use nanobook::{Money, Price, Symbol, Timestamp};
use nanobook_rebalance::config::Config;
use nanobook_rebalance::plan::{Inputs, Settings, WholeShares, plan};
use nanobook_rebalance::shell::verdict::Verdict;
use nanobook_rebalance::show::{Length, Table};
use nanobook_rebalance::targets::{Constraints, Place, Restriction, Target, Targets};
use nanobook_risk::{Limits, RiskEngine, Session, Situation};

const COUNT: usize = 5_000;

fn symbol(at: usize) -> Symbol {
    format!("S{at:04}").parse().unwrap()
}

fn five_thousand(c: &mut Criterion) {
    let cents = |at: usize| 10_000_000 * (500 + i64::try_from(at % 397).unwrap() * 25);
    let targets = Targets {
        source: "a bench".to_owned(),
        account_id: None,
        as_of: Some(Timestamp(0)),
        rows: (0..COUNT)
            .map(|at| Target {
                symbol: symbol(at),
                weight: 0.98 / COUNT as f64,
                min_weight: None,
                max_weight: None,
                restrict: Restriction::None,
                place: Place::Row(at as u64 + 1),
            })
            .collect(),
        constraints: Constraints::default(),
    };
    let positions: Vec<Position> = (0..COUNT)
        .map(|at| Position {
            account_id: "PAPER".to_owned(),
            symbol: symbol(at),
            qty: Units::whole(1 + i64::try_from((at * 7_919) % 200).unwrap()),
            available: None,
            avg_px: None,
            market_px: None,
        })
        .collect();
    let quotes: Vec<Quote> = (0..COUNT)
        .map(|at| Quote {
            symbol: symbol(at),
            bid_px: Some(Price(cents(at))),
            bid_qty: None,
            ask_px: Some(Price(cents(at) + 10_000_000)),
            ask_qty: None,
            last_px: None,
            data_type: Some(DataType::Live),
            ts_event: Timestamp(0),
        })
        .collect();
    let instruments: Vec<Instrument> = (0..COUNT)
        .map(|at| Instrument {
            symbol: symbol(at),
            currency: "USD".parse().unwrap(),
            base: None,
            tick: Price(10_000_000),
            lot: Units::whole(1),
            min_qty: None,
            max_qty: None,
            min_price: None,
            max_price: None,
            min_notional: None,
            max_notional: None,
            state: InstrumentState::Trading,
        })
        .collect();
    let value: i128 = (positions.iter().zip(&quotes))
        .map(|(p, q)| p.qty.0 * i128::from(q.bid_px.unwrap().0) / 1_000_000_000)
        .sum();
    let cash = Money(1_000_000_000_000_000);
    let account = Account {
        account_id: "PAPER".to_owned(),
        currency: "USD".parse().unwrap(),
        equity: Some(Money(cash.0 + value)),
        cash,
        buying_power: Some(cash),
        is_paper: true,
        ts_event: None,
    };
    let inputs = Inputs {
        targets: &targets,
        account: &account,
        positions: &positions,
        quotes: &quotes,
        instruments: &instruments,
        now: Timestamp(0),
    };
    let settings = Settings::new(&Config::default(), WholeShares::Yes);
    let engine = RiskEngine::new(Limits::default());
    let situation = Situation {
        working: Some(&[]),
        positions: Some(&positions),
        account: Some(&account),
        quotes: &quotes,
        instruments: &instruments,
        session: Session {
            kill_switch: Some(false),
            halted: Some(false),
            reduce_only: Some(false),
            market_open: Some(true),
            account_id: Some("PAPER"),
            paper: Some(true),
            unexplained: Some(0),
            ..Session::UNKNOWN
        },
        ..Situation::new(Timestamp(0))
    };
    let made = plan(&inputs, &settings).unwrap();
    let orders = made.proposed(TimeInForce::Day);
    assert!(orders.len() > 4_000, "{} orders", orders.len());
    let verdict = Verdict::new(&engine, &orders, &situation);
    assert!(verdict.passed(), "{:?}", verdict.breaches().next());
    c.bench_function("plan and risk, 5,000 targets, 5,000 positions", |b| {
        b.iter(|| {
            let plan = plan(black_box(&inputs), &settings).unwrap();
            let orders = plan.proposed(TimeInForce::Day);
            Verdict::new(&engine, &orders, &situation).failed()
        });
    });
    c.bench_function("table of it, short", |b| {
        b.iter(|| {
            Table::new(black_box(&made), Length::Short)
                .to_string()
                .len()
        });
    });
}

criterion_group!(benches, five_thousand);
criterion_main!(benches);

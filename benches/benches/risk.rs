//! 1,000 orders against an account of 5,000 positions: every check that needs no list, from slices to rows.
//!
//! `benches/risk.py` does the same sums in Python, starts this, and prints the ratio.

#![expect(clippy::print_stdout, reason = "benches/risk.py reads it")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use nanobook::trading::{
    Account, DataType, Instrument, InstrumentState, NewOrder, Position, Quote, TimeInForce, Units,
};
use nanobook::{Money, OrderKind, Price, Side, Symbol, Timestamp};
use nanobook_risk::{Limits, Report, RiskEngine, Session, Situation};

const POSITIONS: i64 = 5_000;
const ORDERS: usize = 1_000;

const LIMITS: &str = r"
    max_order_qty = 100000
    max_order_notional = 1000000
    max_batch_notional = 100000000
    max_orders_per_run = 2000
    max_turnover = 1
    max_position_notional = 10000000
    max_weight = 0.1
    max_net_exposure = 2
    max_short_exposure = 1
    max_spread_bps = 50
    min_cash_buffer = 0.01
    fee_bps = 1
";

fn symbol(i: i64) -> Symbol {
    format!("S{i:05}").parse().expect("six letters")
}

fn cents(n: i64) -> Price {
    Price(n * 10_000_000)
}

struct World {
    orders: Vec<NewOrder>,
    positions: Vec<Position>,
    quotes: Vec<Quote>,
    instruments: Vec<Instrument>,
    account: Account,
}

fn world() -> World {
    let dollar = "USD".parse().expect("three letters");
    let all = 0..POSITIONS;
    let quote = |i: i64| Quote {
        symbol: symbol(i),
        bid_px: Some(cents(5_000 + i)),
        bid_qty: None,
        ask_px: Some(cents(5_002 + i)),
        ask_qty: None,
        last_px: None,
        data_type: Some(DataType::Live),
        ts_event: Timestamp(0),
    };
    let position = |i: i64| Position {
        account_id: "DU1".into(),
        symbol: symbol(i),
        qty: Units::whole(100 + i % 7),
        available: None,
        avg_px: None,
        market_px: None,
    };
    let instrument = |i: i64| Instrument {
        symbol: symbol(i),
        currency: dollar,
        base: None,
        tick: cents(1),
        lot: Units::whole(1),
        min_qty: None,
        max_qty: None,
        min_price: None,
        max_price: None,
        min_notional: None,
        max_notional: None,
        state: InstrumentState::Trading,
    };
    let order = |i: i64| NewOrder {
        client_order_id: format!("run-{i}").parse().expect("short"),
        symbol: symbol(i * 5),
        side: if i % 2 == 0 { Side::Buy } else { Side::Sell },
        qty: Units::whole(10 + i % 13),
        kind: OrderKind::Limit {
            price: cents(5_001 + i * 5),
        },
        tif: TimeInForce::Day,
    };
    World {
        orders: (0..POSITIONS).step_by(5).map(|i| order(i / 5)).collect(),
        positions: all.clone().map(position).collect(),
        quotes: all.clone().map(quote).collect(),
        instruments: all.map(instrument).collect(),
        account: Account {
            account_id: "DU1".into(),
            currency: dollar,
            equity: Some(Money(100_000_000_000_000_000)),
            cash: Money(50_000_000_000_000_000),
            buying_power: Some(Money(50_000_000_000_000_000)),
            is_paper: true,
            ts_event: None,
        },
    }
}

/// Milliseconds of the processor for one call, over many; wall time where the system does not count it.
fn cpu_ms(mut work: impl FnMut()) -> f64 {
    const CALLS: u32 = 500;
    let cpu_ns = || {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    };
    for _ in 0..20 {
        work();
    }
    let (before, start) = (cpu_ns(), Instant::now());
    for _ in 0..CALLS {
        work();
    }
    let wall = start.elapsed();
    let spent = match (before, cpu_ns()) {
        (Some(before), Some(after)) => Duration::from_nanos(after - before),
        _ => wall,
    };
    spent.as_secs_f64() * 1e3 / f64::from(CALLS)
}

fn thousand_orders(c: &mut Criterion) {
    let world = world();
    assert_eq!(world.orders.len(), ORDERS);
    let situation = Situation {
        working: Some(&[]),
        positions: Some(&world.positions),
        account: Some(&world.account),
        quotes: &world.quotes,
        instruments: &world.instruments,
        session: Session {
            kill_switch: Some(false),
            halted: Some(false),
            reduce_only: Some(false),
            market_open: Some(true),
            account_id: Some("DU1"),
            paper: Some(true),
            unexplained: Some(0),
            ..Session::UNKNOWN
        },
        ..Situation::new(Timestamp(1))
    };
    let engine = RiskEngine::new(Limits::from_toml(LIMITS).expect("limits"));
    let mut report = engine.check(&world.orders, &situation);
    assert!(report.passed(), "{report}");
    assert!(report.rows().len() > 20 * ORDERS);
    let mut counts = BTreeMap::<&str, usize>::new();
    for row in report.rows() {
        *counts.entry(row.check.code()).or_default() += 1;
    }
    for (code, count) in counts {
        println!("rows {code} {count}");
    }
    let reused = cpu_ms(|| engine.check_into(black_box(&world.orders), &situation, &mut report));
    let fresh = cpu_ms(|| drop(black_box(engine.check(&world.orders, &situation))));
    println!("cpu {reused} {fresh}");
    let mut group = c.benchmark_group("risk");
    group.bench_function("1,000 orders, 5,000 positions, memory reused", |b| {
        b.iter(|| engine.check_into(black_box(&world.orders), &situation, &mut report));
    });
    group.bench_function("1,000 orders, 5,000 positions", |b| {
        b.iter(|| -> Report { engine.check(black_box(&world.orders), &situation) });
    });
    group.finish();
}

criterion_group!(benches, thousand_orders);
criterion_main!(benches);

//! Latency of each operation, at least 10 million times each: p50, p99, p99.9 and the worst, in ns.
//!
//! The book has about 100,000 live orders over 200 prices. Memory is bounded (closed orders are forgotten after a
//! million ids, no event log), as in a process that runs all day. Each operation is timed alone, so every number has the
//! cost of reading the clock in it, which is printed too; the worst case is mostly that of the machine.

#![expect(clippy::print_stdout, reason = "it prints a table")]

use std::hint::black_box;
use std::time::Instant;

use nanobook::matching::{Config, Engine, Output};
use nanobook::rows::PriceLevel;
use nanobook::{OrderId, OrderRequest, Price, Qty, Side, TimeInForce};
use nanobook_benches::Random;

/// Counts of latencies, one for each ns below 65,536, and the worst.
struct Histogram {
    counts: Vec<u64>,
    total: u64,
    worst: u64,
}

impl Histogram {
    fn new() -> Self {
        Self {
            counts: vec![0; 1 << 16],
            total: 0,
            worst: 0,
        }
    }

    fn add(&mut self, ns: u64) {
        let last = self.counts.len() - 1;
        let at = usize::try_from(ns).map_or(last, |at| at.min(last));
        self.counts[at] += 1;
        self.total += 1;
        self.worst = self.worst.max(ns);
    }

    /// The smallest latency that at most `beyond` in a thousand operations exceed.
    fn quantile(&self, beyond: u64) -> usize {
        let mut left = self.total * beyond / 1_000;
        for (ns, count) in self.counts.iter().enumerate().rev() {
            if *count > left {
                return ns;
            }
            left -= count;
        }
        0
    }
}

const MID: i64 = 1_000_000;
const LIVE: usize = 100_000;
/// Of these each kind has a tenth at least.
const OPERATIONS: u64 = 100_000_000;
const NAMES: [&str; 8] = [
    "clock alone",
    "submit, rests",
    "submit, one fill",
    "cancel",
    "reduce",
    "replace",
    "best prices",
    "depth of 10",
];

fn passive(random: &mut Random) -> OrderRequest {
    let away = i64::try_from(1 + random.below(100)).expect("small");
    let qty = Qty(2 + random.below(9));
    if random.below(2) == 0 {
        OrderRequest::limit(Side::Buy, Price(MID - away), qty)
    } else {
        OrderRequest::limit(Side::Sell, Price(MID + away), qty)
    }
}

fn main() {
    let mut engine = Engine::new(Config {
        keep_closed: Some(1_000_000),
        record: false,
        ..Config::default()
    });
    engine.reserve(2_000_000);
    let mut out: Vec<Output> = Vec::with_capacity(64);
    let mut random = Random(1);
    let mut ids: Vec<OrderId> = Vec::with_capacity(2 * LIVE);
    for _ in 0..LIVE {
        let ack = engine.submit(passive(&mut random), &mut out);
        ids.push(ack.expect("a good order").id);
        out.clear();
    }
    let blank = PriceLevel {
        price: Price(0),
        qty: Qty(0),
        count: 0,
    };
    let mut levels = [blank; 10];
    // Where a replaced order goes: near the touch, where it sometimes trades.
    let prices = [-2, -1, 0, 1, 2].map(|away| Price(MID + away));
    let mut histograms: Vec<_> = NAMES.iter().map(|_| Histogram::new()).collect();
    for _ in 0..OPERATIONS {
        out.clear();
        let which = match random.below(100) {
            0..2 => 0,
            2..13 => 2,
            13..57 if ids.len() > LIVE => 3,
            13..57 => 1,
            57..68 => 4,
            68..79 => 5,
            79..90 => 6,
            _ => 7,
        };
        let request = passive(&mut random);
        let at = usize::try_from(random.below(ids.len() as u64)).expect("small");
        let id = ids[at];
        let start = Instant::now();
        let mut alive = true;
        match which {
            1 => {
                let ack = engine.submit(request, &mut out);
                ids.push(black_box(ack).expect("a good order").id);
            }
            2 => {
                let take = OrderRequest::limit(request.side, Price(MID + 200), Qty(1));
                let take = match request.side {
                    Side::Buy => take,
                    Side::Sell => OrderRequest::limit(Side::Sell, Price(MID - 200), Qty(1)),
                };
                let ack = engine.submit(take.with_tif(TimeInForce::IOC), &mut out);
                black_box(ack).expect("a good order");
            }
            3 => {
                let _ = black_box(engine.cancel(id, &mut out));
                alive = false;
            }
            4 => alive = black_box(engine.reduce(id, Qty(1), &mut out)).is_ok_and(|a| a.open.0 > 0),
            5 => {
                let price = prices[at % prices.len()];
                alive = black_box(engine.replace(id, price, Qty(5), &mut out)).is_ok();
            }
            6 => {
                black_box(engine.market().quote());
            }
            7 => {
                black_box(engine.market().depth(request.side, &mut levels));
            }
            _ => {}
        }
        let ns = start.elapsed().as_nanos();
        histograms[which].add(u64::try_from(ns).unwrap_or(u64::MAX));
        if !alive {
            ids.swap_remove(at);
        }
    }
    println!("ns over {OPERATIONS} operations on {LIVE} live orders at 200 prices");
    println!(
        "{:<18} {:>10} {:>7} {:>7} {:>8} {:>12}",
        "", "count", "p50", "p99", "p99.9", "worst"
    );
    for (name, h) in NAMES.iter().zip(&histograms) {
        let [p50, p99, p999] = [500, 10, 1].map(|beyond| h.quantile(beyond));
        println!(
            "{name:<18} {:>10} {p50:>7} {p99:>7} {p999:>8} {:>12}",
            h.total, h.worst
        );
    }
}

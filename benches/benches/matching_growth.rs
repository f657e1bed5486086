//! How the cost of a mixed flow grows with the number of levels and of live orders: a table in ns per operation.
//!
//! Half of the operations add, 35 % cancel an order that lives, 15 % take. Prices are uniform over the levels of a
//! side, the worst case for a sorted ladder: real flow is near the touch.

#![expect(clippy::print_stdout, reason = "it prints a table")]

use std::fmt::Write;
use std::time::Instant;

use nanobook::matching::{Config, Engine, Output};
use nanobook::{OrderId, OrderRequest, Price, Qty, Side};
use nanobook_benches::Random;

const MID: i64 = 1_000_000;

struct Flow {
    engine: Engine,
    out: Vec<Output>,
    random: Random,
    levels: u64,
    /// Ids to cancel from; some have traded already.
    ids: Vec<OrderId>,
}

impl Flow {
    fn new(levels: u64, orders: u64) -> Self {
        // As in a process that runs all day: memory is bounded, and there from the start.
        let config = Config {
            keep_closed: Some(1 << 16),
            record: false,
            ..Config::default()
        };
        let mut engine = Engine::new(config);
        engine.reserve(usize::try_from(orders).expect("small") + (1 << 17));
        let mut flow = Self {
            engine,
            out: Vec::new(),
            random: Random(1),
            levels,
            ids: Vec::new(),
        };
        for _ in 0..orders {
            flow.add();
        }
        flow
    }

    fn add(&mut self) {
        let away = i64::try_from(1 + self.random.below(self.levels)).expect("small");
        let (side, price) = if self.random.below(2) == 0 {
            (Side::Buy, Price(MID - away))
        } else {
            (Side::Sell, Price(MID + away))
        };
        self.out.clear();
        let qty = Qty(1 + self.random.below(9));
        let request = OrderRequest::limit(side, price, qty);
        if let Ok(ack) = self.engine.submit(request, &mut self.out) {
            self.ids.push(ack.id);
        }
    }

    fn step(&mut self) {
        match self.random.below(100) {
            0..50 => self.add(),
            50..85 => {
                if self.ids.is_empty() {
                    return;
                }
                let at = self.random.below(self.ids.len() as u64);
                let id = self.ids.swap_remove(usize::try_from(at).expect("small"));
                self.out.clear();
                // It may have traded: then it is refused, as in life.
                let _ = self.engine.cancel(id, &mut self.out);
            }
            _ => {
                let side = [Side::Buy, Side::Sell][usize::from(self.random.below(2) == 0)];
                self.out.clear();
                let qty = Qty(1 + self.random.below(9));
                let _ = self
                    .engine
                    .submit(OrderRequest::market(side, qty), &mut self.out);
            }
        }
    }
}

fn main() {
    const STEPS: u32 = 400_000;
    println!("ns per operation of a mixed flow: 50 % add, 35 % cancel, 15 % take");
    println!(
        "{:>12} {:>10} {:>10} {:>10}",
        "live orders", "1 level", "100", "10,000"
    );
    for orders in [1_000, 10_000, 100_000, 1_000_000] {
        let mut row = format!("{orders:>12}");
        for levels in [1, 100, 10_000] {
            let mut best = f64::INFINITY;
            for _ in 0..3 {
                let mut flow = Flow::new(levels, orders);
                let start = Instant::now();
                for _ in 0..STEPS {
                    flow.step();
                }
                best = best.min(start.elapsed().as_nanos() as f64 / f64::from(STEPS));
            }
            write!(row, " {best:>10.1}").expect("a string takes it");
        }
        println!("{row}");
    }
}

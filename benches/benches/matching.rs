//! The matching engine beside two others from the registry: the same orders, the same answers, then the time.
//!
//! Books are built and dropped outside the timed region. `nanobook_classic` is the crate `nanobook` of the registry.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use nanobook::matching::{Engine, Output};
use nanobook::rows::PriceLevel;
use nanobook::{OrderId, OrderRequest, Price, Qty, Side, TimeInForce};
use nanobook_benches::Random;

use nanobook_classic as classic;

/// What the timed operations are made of, for every engine alike. Order ids are 1, 2, 3, … in order of submission.
trait Venue {
    type Price;
    fn new() -> Self;
    /// Forgets what is closed, where there is such a thing; memory is kept.
    fn forget(&mut self);
    fn limit(&mut self, buy: bool, price: u64, qty: u64);
    fn take(&mut self, buy: bool, price: u64, qty: u64) -> u64;
    fn cancel(&mut self, id: u64);
    /// Best bid and ask as the engine gives them.
    fn best(&self) -> (Option<Self::Price>, Option<Self::Price>);
    fn number(price: Self::Price) -> u64;
    /// Sum of the quantities and prices of the best ten levels of both sides.
    fn depth(&mut self) -> u64;
}

fn side(buy: bool) -> Side {
    if buy { Side::Buy } else { Side::Sell }
}

fn price(price: u64) -> Price {
    Price(i64::try_from(price).expect("small"))
}

/// Ours, with a buffer that is used again.
struct Ours {
    engine: Engine,
    out: Vec<Output>,
    levels: [PriceLevel; 10],
}

impl Venue for Ours {
    type Price = Price;

    fn new() -> Self {
        let blank = PriceLevel {
            price: Price(0),
            qty: Qty(0),
            count: 0,
        };
        Self {
            engine: Engine::default(),
            out: Vec::with_capacity(64),
            levels: [blank; 10],
        }
    }

    fn forget(&mut self) {
        self.engine.forget_closed();
        self.engine.clear_log();
    }

    #[inline]
    fn limit(&mut self, buy: bool, at: u64, qty: u64) {
        self.out.clear();
        let request = OrderRequest::limit(side(buy), price(at), Qty(qty));
        let ack = self.engine.submit(request, &mut self.out);
        black_box(ack).expect("a good order");
    }

    #[inline]
    fn take(&mut self, buy: bool, at: u64, qty: u64) -> u64 {
        self.out.clear();
        let request = OrderRequest::limit(side(buy), price(at), Qty(qty));
        let request = request.with_tif(TimeInForce::IOC);
        let ack = self.engine.submit(request, &mut self.out);
        black_box(&self.out);
        ack.expect("a good order").filled.0
    }

    #[inline]
    fn cancel(&mut self, id: u64) {
        self.out.clear();
        let _ = black_box(self.engine.cancel(OrderId(id), &mut self.out));
    }

    #[inline]
    fn best(&self) -> (Option<Price>, Option<Price>) {
        let market = self.engine.market();
        (market.best_price(Side::Buy), market.best_price(Side::Sell))
    }

    fn number(price: Price) -> u64 {
        price.0.cast_unsigned()
    }

    #[inline]
    fn depth(&mut self) -> u64 {
        let mut sum = 0;
        for side in [Side::Buy, Side::Sell] {
            let n = self.engine.market().depth(side, &mut self.levels);
            for level in &self.levels[..n] {
                sum += level.qty.0 + level.price.0.cast_unsigned();
            }
        }
        sum
    }
}

impl Venue for classic::Exchange {
    type Price = classic::Price;

    fn new() -> Self {
        classic::Exchange::new()
    }

    fn forget(&mut self) {
        self.clear_trades();
        self.clear_order_history();
        self.clear_events();
        self.compact();
    }

    #[inline]
    fn limit(&mut self, buy: bool, price: u64, qty: u64) {
        let side = if buy {
            classic::Side::Buy
        } else {
            classic::Side::Sell
        };
        let price = classic::Price(i64::try_from(price).expect("small"));
        black_box(self.submit_limit(side, price, qty, classic::TimeInForce::GTC));
    }

    #[inline]
    fn take(&mut self, buy: bool, price: u64, qty: u64) -> u64 {
        let side = if buy {
            classic::Side::Buy
        } else {
            classic::Side::Sell
        };
        let price = classic::Price(i64::try_from(price).expect("small"));
        let result = self.submit_limit(side, price, qty, classic::TimeInForce::IOC);
        black_box(result).filled_quantity
    }

    #[inline]
    fn cancel(&mut self, id: u64) {
        black_box(classic::Exchange::cancel(self, classic::OrderId(id)));
    }

    #[inline]
    fn best(&self) -> (Option<classic::Price>, Option<classic::Price>) {
        self.best_bid_ask()
    }

    fn number(price: classic::Price) -> u64 {
        price.0.cast_unsigned()
    }

    #[inline]
    fn depth(&mut self) -> u64 {
        let snapshot = classic::Exchange::depth(self, 10);
        let levels = snapshot.bids.iter().chain(&snapshot.asks);
        levels
            .map(|level| level.quantity + level.price.0.cast_unsigned())
            .sum()
    }
}

/// `lobster`, whose caller gives the ids.
struct Lobster {
    book: lobster::OrderBook,
    next: u128,
}

impl Venue for Lobster {
    type Price = u64;

    fn new() -> Self {
        Self {
            book: lobster::OrderBook::default(),
            next: 1,
        }
    }

    fn forget(&mut self) {}

    #[inline]
    fn limit(&mut self, buy: bool, price: u64, qty: u64) {
        let side = if buy {
            lobster::Side::Bid
        } else {
            lobster::Side::Ask
        };
        let id = self.next;
        self.next += 1;
        let order = lobster::OrderType::Limit {
            id,
            side,
            qty,
            price,
        };
        black_box(self.book.execute(order));
    }

    /// It has no immediate-or-cancel; the orders that are taken here fill in full.
    #[inline]
    fn take(&mut self, buy: bool, price: u64, qty: u64) -> u64 {
        let side = if buy {
            lobster::Side::Bid
        } else {
            lobster::Side::Ask
        };
        let id = self.next;
        self.next += 1;
        let order = lobster::OrderType::Limit {
            id,
            side,
            qty,
            price,
        };
        match black_box(self.book.execute(order)) {
            lobster::OrderEvent::Filled { filled_qty, .. }
            | lobster::OrderEvent::PartiallyFilled { filled_qty, .. } => filled_qty,
            _ => 0,
        }
    }

    #[inline]
    fn cancel(&mut self, id: u64) {
        black_box(
            self.book
                .execute(lobster::OrderType::Cancel { id: id.into() }),
        );
    }

    #[inline]
    fn best(&self) -> (Option<u64>, Option<u64>) {
        (self.book.max_bid(), self.book.min_ask())
    }

    fn number(price: u64) -> u64 {
        price
    }

    /// It sums up the whole book whatever the number of levels, the worst bid first.
    #[inline]
    fn depth(&mut self) -> u64 {
        let depth = self.book.depth(10);
        let bids = depth.bids.iter().rev().take(10);
        let levels = bids.chain(depth.asks.iter().take(10));
        levels.map(|level| level.qty + level.price).sum()
    }
}

const MID: u64 = 1_000_000;

/// Orders that come and go before a book is filled, so that its memory is there: more than ever live at once.
const WARM: u64 = 40_000;

/// A book without orders that has seen some: no timed operation pays for memory that it is the first to touch.
fn warm<V: Venue>() -> V {
    let mut venue = V::new();
    for id in 1..=WARM {
        venue.limit(
            id % 2 == 0,
            if id % 2 == 0 {
                MID - 1 - id % 50
            } else {
                MID + 1 + id % 50
            },
            1,
        );
    }
    for id in 1..=WARM {
        venue.cancel(id);
    }
    venue.forget();
    venue
}

/// A warm book of `orders` orders of quantity 1 over `levels` prices a side, none of which meet.
fn filled<V: Venue>(levels: u64, orders: u64) -> V {
    let mut venue = warm::<V>();
    let mut random = Random(1);
    for _ in 0..orders {
        let (buy, price) = passive(&mut random, levels);
        venue.limit(buy, price, 1);
    }
    venue
}

fn passive(random: &mut Random, levels: u64) -> (bool, u64) {
    let away = 1 + random.below(levels);
    if random.below(2) == 0 {
        (true, MID - away)
    } else {
        (false, MID + away)
    }
}

/// Time of `iters` operations, each on a book that `setup` makes and that serves for `chunk` of them. Whole chunks are
/// timed and their time scaled, so that few iterations do not mean a book that is colder.
fn timed<S>(
    iters: u64,
    chunk: u32,
    setup: impl Fn() -> S,
    mut op: impl FnMut(&mut S, u64),
) -> Duration {
    let mut total = Duration::ZERO;
    let chunks = u32::try_from(iters.div_ceil(chunk.into())).expect("seconds of chunks");
    for _ in 0..chunks {
        let mut state = setup();
        let start = Instant::now();
        for i in 0..u64::from(chunk) {
            op(&mut state, i);
        }
        total += start.elapsed();
        drop(state);
    }
    total.mul_f64(iters as f64 / (f64::from(chunks) * f64::from(chunk)))
}

fn submit_rest<V: Venue>(c: &mut Criterion, name: &str, levels: u64) {
    let mut random = Random(2);
    let orders: Vec<_> = (0..20_000).map(|_| passive(&mut random, levels)).collect();
    c.bench_function(&format!("submit_rest/{levels}_levels/{name}"), |b| {
        b.iter_custom(|iters| {
            timed(
                iters,
                20_000,
                || filled::<V>(levels, 10_000),
                |venue, i| {
                    let (buy, price) = orders[usize::try_from(i).expect("small")];
                    venue.limit(buy, price, 1);
                },
            )
        });
    });
}

fn submit_fill<V: Venue>(c: &mut Criterion, name: &str) {
    c.bench_function(&format!("submit_fill/{name}"), |b| {
        b.iter_custom(|iters| {
            timed(
                iters,
                4_000,
                || filled::<V>(100, 10_000),
                |venue, i| {
                    let buy = i % 2 == 0;
                    let price = if buy { MID + 100 } else { MID - 100 };
                    black_box(venue.take(buy, price, 1));
                },
            )
        });
    });
}

/// 20 queues of 1,000 orders; one order in four is cancelled, anywhere in its queue.
fn queues<V: Venue>() -> V {
    let mut venue = warm::<V>();
    for i in 0..20_000 {
        venue.limit(true, MID - 1 - i % 20, 1);
    }
    venue
}

fn scattered() -> Vec<u64> {
    let mut ids: Vec<u64> = (1..=20_000).map(|i| WARM + i).collect();
    let mut random = Random(3);
    for i in (1..ids.len()).rev() {
        let j = usize::try_from(random.below(i as u64 + 1)).expect("small");
        ids.swap(i, j);
    }
    ids
}

fn cancel<V: Venue>(c: &mut Criterion, name: &str) {
    let ids = scattered();
    c.bench_function(&format!("cancel_in_queue_of_1000/{name}"), |b| {
        b.iter_custom(|iters| {
            timed(iters, 5_000, queues::<V>, |venue, i| {
                venue.cancel(ids[usize::try_from(i).expect("small")]);
            })
        });
    });
}

fn depth<V: Venue>(c: &mut Criterion, name: &str) {
    let mut venue = filled::<V>(100, 10_000);
    c.bench_function(&format!("depth_10/{name}"), |b| {
        b.iter(|| black_box(&mut venue).depth());
    });
}

fn best<V: Venue>(c: &mut Criterion, name: &str) {
    let venue = filled::<V>(100, 10_000);
    c.bench_function(&format!("bbo/{name}"), |b| {
        b.iter(|| black_box(&venue).best());
    });
}

/// Everything that the timed operations do, as numbers that must agree.
fn answers<V: Venue>() -> Vec<u64> {
    let mut answers = Vec::new();
    let mut see = |venue: &mut V| {
        let (bid, ask) = venue.best();
        let prices = [bid, ask].map(|price| price.map_or(0, V::number));
        answers.extend([prices[0], prices[1], venue.depth()]);
    };
    let mut venue = filled::<V>(100, 10_000);
    see(&mut venue);
    let mut taken = 0;
    for i in 0..4_000 {
        let buy = i % 2 == 0;
        taken += venue.take(buy, if buy { MID + 100 } else { MID - 100 }, 1);
    }
    assert_eq!(taken, 4_000, "every order fills");
    see(&mut venue);
    let mut venue = queues::<V>();
    for id in &scattered()[..5_000] {
        venue.cancel(*id);
    }
    see(&mut venue);
    answers
}

fn all(c: &mut Criterion) {
    let ours = answers::<Ours>();
    assert_eq!(ours, answers::<classic::Exchange>());
    assert_eq!(ours, answers::<Lobster>());
    for levels in [10, 100, 1_000] {
        submit_rest::<Ours>(c, "ours", levels);
        submit_rest::<classic::Exchange>(c, "nanobook_classic", levels);
        submit_rest::<Lobster>(c, "lobster", levels);
    }
    submit_fill::<Ours>(c, "ours");
    submit_fill::<classic::Exchange>(c, "nanobook_classic");
    submit_fill::<Lobster>(c, "lobster");
    cancel::<Ours>(c, "ours");
    cancel::<classic::Exchange>(c, "nanobook_classic");
    cancel::<Lobster>(c, "lobster");
    depth::<Ours>(c, "ours");
    depth::<classic::Exchange>(c, "nanobook_classic");
    depth::<Lobster>(c, "lobster");
    best::<Ours>(c, "ours");
    best::<classic::Exchange>(c, "nanobook_classic");
    best::<Lobster>(c, "lobster");
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(40);
    targets = all
}
criterion_main!(benches);

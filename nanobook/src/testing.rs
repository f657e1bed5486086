//! Random sessions for the matching engine and the check that it does what its naive twin does.

#![expect(clippy::missing_panics_doc, reason = "what the tests use may panic")]

use std::num::NonZeroU32;

use crate::book::OrderBook;
use crate::matching::naive::NaiveEngine;
use crate::matching::{Applied, Config, Engine, Event, Output, Phase};
use crate::{
    OrderId, OrderKind, OrderRequest, Owner, Price, Qty, Reject, Side, StpPolicy, TimeInForce,
    Trail,
};

/// Where choices come from.
pub trait Choices {
    /// A number below `n`.
    fn below(&mut self, n: u64) -> u64;
}

/// Choices from a seed (splitmix64).
#[derive(Clone, Copy, Debug)]
pub struct Seeded(pub u64);

impl Choices for Seeded {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % n
    }
}

/// Choices from bytes, zero when they have run out.
#[derive(Clone, Copy, Debug)]
pub struct Bytes<'a>(pub &'a [u8]);

impl Choices for Bytes<'_> {
    fn below(&mut self, n: u64) -> u64 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        u64::from(*first) % n
    }
}

/// The tick of generated prices: one cent.
pub const TICK: i64 = 10_000_000;

/// A configuration: every policy, bounds small enough to be met.
pub fn config(choices: &mut impl Choices) -> Config {
    let limit = [1_000, 1, 2, 3][index(choices, 4)];
    Config {
        stp: policy(choices),
        keep_closed: [None, None, Some(0), Some(1), Some(3), Some(8)][index(choices, 6)],
        cascade_limit: NonZeroU32::new(limit).expect("above zero"),
        min_price: [Price(1), Price(-5 * TICK)][index(choices, 2)],
        record: true,
    }
}

/// A command: few prices, so that queues are deep and stops cascade; few ids beyond those that are there; now and then
/// an extreme.
pub fn event(choices: &mut impl Choices, next_id: OrderId) -> Event {
    match choices.below(64) {
        0..=39 => Event::Submit(request(choices)),
        40..=48 => Event::Cancel {
            id: id(choices, next_id),
        },
        49..=52 => Event::Reduce {
            id: id(choices, next_id),
            qty: qty(choices),
        },
        53..=57 => Event::Replace {
            id: id(choices, next_id),
            price: price(choices),
            qty: qty(choices),
        },
        58 => Event::MassCancel {
            owner: Owner(u32::try_from(choices.below(3)).expect("small")),
        },
        59 => Event::BeginAuction,
        60 | 61 => Event::Uncross {
            reference: (choices.below(2) == 0).then(|| price(choices)),
        },
        62 => match choices.below(4) {
            0 => Event::ForgetClosed,
            1 => Event::SetStpPolicy(policy(choices)),
            _ => Event::Resume,
        },
        _ => Event::Resume,
    }
}

/// A session of commands with its configuration.
pub fn session(choices: &mut impl Choices, length: usize) -> (Config, Vec<Event>) {
    let config = config(choices);
    // Ids are drawn around the number of orders there would be if every submit were taken.
    let mut next = 1;
    let events = (0..length)
        .map(|_| {
            let event = event(choices, OrderId(next));
            next += u64::from(matches!(event, Event::Submit(_)));
            event
        })
        .collect();
    (config, events)
}

fn index(choices: &mut impl Choices, n: usize) -> usize {
    usize::try_from(choices.below(n as u64)).expect("below n")
}

fn policy(choices: &mut impl Choices) -> StpPolicy {
    [
        StpPolicy::Off,
        StpPolicy::CancelNewest,
        StpPolicy::CancelOldest,
        StpPolicy::CancelBoth,
        StpPolicy::Decrement,
    ][index(choices, 5)]
}

fn price(choices: &mut impl Choices) -> Price {
    match choices.below(100) {
        0 => Price(0),
        1 => Price(i64::MIN),
        2 => Price(i64::MAX),
        3 => crate::matching::MAX_PRICE,
        4 => Price(-TICK),
        n => Price(TICK * (100 + i64::try_from(n % 7).expect("small"))),
    }
}

fn qty(choices: &mut impl Choices) -> Qty {
    Qty(match choices.below(64) {
        0 => 0,
        1 => u64::MAX - 1,
        n => 1 + n % 9,
    })
}

fn id(choices: &mut impl Choices, next_id: OrderId) -> OrderId {
    let next = next_id.0;
    OrderId(match choices.below(8) {
        0 => choices.below(next + 2),
        _ => next.saturating_sub(1 + choices.below(8)),
    })
}

fn trail(choices: &mut impl Choices) -> Trail {
    match choices.below(3) {
        0 => Trail::Fixed(Price(TICK * [1, 2, 0, i64::MAX / TICK][index(choices, 4)])),
        1 => Trail::Percentage {
            ppm: [10_000, 25_000, 0, u32::MAX][index(choices, 4)],
        },
        _ => Trail::MeanAbsChange {
            multiplier_ppm: [500_000, 1_500_000, u32::MAX, 0][index(choices, 4)],
            period: [1, 2, 5, 1_024, 1_025, 0][index(choices, 6)],
        },
    }
}

fn request(choices: &mut impl Choices) -> OrderRequest {
    let side = [Side::Buy, Side::Sell][index(choices, 2)];
    let kind = match choices.below(16) {
        0..=9 => OrderKind::Limit {
            price: price(choices),
        },
        10 => OrderKind::Market,
        11 | 12 => OrderKind::StopMarket {
            stop: price(choices),
        },
        13 => OrderKind::StopLimit {
            stop: price(choices),
            price: price(choices),
        },
        14 => OrderKind::TrailingStopMarket {
            stop: price(choices),
            trail: trail(choices),
        },
        _ => OrderKind::TrailingStopLimit {
            stop: price(choices),
            price: price(choices),
            trail: trail(choices),
        },
    };
    let tif = match choices.below(12) {
        0 | 1 => TimeInForce::IOC,
        2 | 3 => TimeInForce::FOK,
        _ => TimeInForce::GTC,
    };
    OrderRequest {
        side,
        kind,
        qty: qty(choices),
        tif,
        post_only: choices.below(16) == 0,
        owner: [None, Some(Owner(0)), Some(Owner(1)), Some(Owner(2))][index(choices, 4)],
    }
}

/// Engine, twin and the passive book that follows the engine's outputs, side by side.
#[derive(Debug)]
pub struct Pair {
    /// The engine.
    pub engine: Engine,
    /// Its twin.
    pub twin: NaiveEngine,
    follower: OrderBook,
    out: Vec<Output>,
    twin_out: Vec<Output>,
}

impl Pair {
    /// Both without orders.
    pub fn new(config: Config) -> Self {
        Self {
            engine: Engine::new(config),
            twin: NaiveEngine::new(config),
            follower: OrderBook::new(),
            out: Vec::new(),
            twin_out: Vec::new(),
        }
    }

    /// What the last command did.
    pub fn outputs(&self) -> &[Output] {
        &self.out
    }

    /// Both do what an event says, and everything that can be seen of them is compared. Gives their answer.
    ///
    /// # Errors
    /// When they refuse the event.
    ///
    /// # Panics
    /// When they differ, or the engine breaks an invariant.
    pub fn apply(&mut self, event: Event) -> Result<Applied, Reject> {
        self.out.clear();
        self.twin_out.clear();
        let answer = self.engine.apply(event, &mut self.out);
        let twin_answer = self.twin.apply(event, &mut self.twin_out);
        assert_eq!(answer, twin_answer, "answer to {event:?}");
        assert_eq!(self.out, self.twin_out, "outputs of {event:?}");
        for delta in self.out.iter().flat_map(Output::deltas).flatten() {
            self.follower.apply(delta);
        }
        self.compare();
        answer
    }

    fn compare(&self) {
        let (engine, twin, market) = (&self.engine, &self.twin, self.engine.market());
        assert_eq!(engine.digest(), twin.digest(), "digest");
        assert_eq!(market.phase(), twin.phase(), "phase");
        assert_eq!(market.last_price(), twin.last_price(), "last price");
        assert_eq!(engine.known_orders(), twin.known_orders(), "known orders");
        let mut resting = 0;
        for side in [Side::Buy, Side::Sell] {
            let orders: Vec<_> = market.orders(side).collect();
            assert_eq!(orders, twin.orders(side), "orders of {side}");
            if self.engine.config().min_price > Price(0) {
                let followed: Vec<_> = self.follower.orders(side).collect();
                assert_eq!(followed, orders, "the book made from the outputs, {side}");
            }
            resting += orders.len();
            let levels: Vec<_> = market.levels(side).collect();
            assert_eq!(levels, twin.levels(side), "levels of {side}");
            assert_eq!(market.level_count(side), levels.len());
            assert!(levels.iter().all(|level| level.count > 0), "an empty level");
            assert_eq!(market.best(side), levels.first().copied());
            assert_eq!(market.best_price(side), levels.first().map(|l| l.price));
        }
        assert_eq!(market.len(), resting, "number of resting orders");
        if market.phase() == Phase::Continuous {
            assert!(!market.is_crossed(), "crossed after a command");
        }
    }

    /// Compares what is too slow to compare after every command: each order that there ever was, its place in the
    /// queue, and the auction that could be held.
    ///
    /// # Panics
    /// When they differ, or the quantities of an order do not add up.
    pub fn compare_orders(&self) {
        for id in (0..=self.engine.next_order_id().0).map(OrderId) {
            let order = self.engine.order(id);
            assert_eq!(order, self.twin.order(id), "order {id}");
            let place = self.engine.queue_position(id);
            assert_eq!(place, self.twin.queue_position(id), "place of order {id}");
            if let Some(order) = order {
                let sum = order.filled.0 + order.open.0 + order.cancelled.0;
                assert_eq!(order.qty.0, sum, "quantities of order {id}");
                assert_eq!(order.status.is_active(), order.open.0 > 0, "order {id}");
            }
        }
        for reference in [None, Some(Price(103 * TICK))] {
            let indicative = self.engine.indicative(reference);
            assert_eq!(indicative, self.twin.indicative(reference), "indicative");
        }
    }
}

/// Runs a session on engine and twin.
///
/// # Panics
/// When they differ, or the engine breaks an invariant.
pub fn run(config: Config, events: &[Event]) {
    let mut pair = Pair::new(config);
    for event in events {
        // A refusal is an answer like another.
        let _ = pair.apply(*event);
    }
    pair.compare_orders();
}

/// Arbitrary bytes as a session.
///
/// # Panics
/// When engine and twin differ, or the engine breaks an invariant.
pub fn run_bytes(bytes: &[u8]) {
    let mut choices = Bytes(bytes);
    let mut pair = Pair::new(config(&mut choices));
    while !choices.0.is_empty() {
        let event = event(&mut choices, pair.engine.next_order_id());
        let _ = pair.apply(event);
    }
    pair.compare_orders();
}

/// The shortest session that still fails, found by leaving events out one at a time.
pub fn shrink(config: Config, mut events: Vec<Event>) -> Vec<Event> {
    let fails = |events: &[Event]| std::panic::catch_unwind(|| run(config, events)).is_err();
    let mut at = 0;
    while at < events.len() {
        let mut fewer = events.clone();
        fewer.remove(at);
        if fails(&fewer) {
            events = fewer;
            at = 0;
        } else {
            at += 1;
        }
    }
    events
}

//! The fast book and its naive twin say the same after every delta.

use nanobook::book::OrderBook;
use nanobook::book::naive::NaiveBook;
use nanobook::rows::PriceLevel;
use nanobook::{BookDelta, Fault, OrderId, Price, Qty, Side};
use proptest::prelude::*;

/// Few ids, so that they meet again: known, unknown and duplicate ones.
fn id() -> impl Strategy<Value = OrderId> {
    prop_oneof![
        8 => (0_u64..24).prop_map(OrderId),
        1 => (0_u64..6).prop_map(|high| OrderId(high << 32 | 5)),
        1 => (0_u64..6).prop_map(|high| OrderId(high << 32 | (5 ^ high))),
    ]
}

/// Few prices, so that queues are deep and books cross; zero and the extremes too.
fn price() -> impl Strategy<Value = Price> {
    prop_oneof![
        20 => (1_i64..=12).prop_map(|tick| Price(tick * 100_000)),
        1 => Just(Price(0)),
        1 => Just(Price(-100_000)),
        1 => Just(Price(i64::MIN)),
        1 => Just(Price(i64::MAX)),
    ]
}

fn qty() -> impl Strategy<Value = Qty> {
    prop_oneof![20 => (1_u64..=5).prop_map(Qty), 1 => Just(Qty(0)), 1 => Just(Qty(u64::MAX - 2))]
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Buy), Just(Side::Sell)]
}

fn delta() -> impl Strategy<Value = BookDelta> {
    prop_oneof![
        5 => (id(), side(), price(), qty())
            .prop_map(|(id, side, price, qty)| BookDelta::Add { id, side, price, qty }),
        2 => (id(), qty()).prop_map(|(id, qty)| BookDelta::Execute { id, qty }),
        1 => (id(), qty()).prop_map(|(id, qty)| BookDelta::Reduce { id, qty }),
        2 => id().prop_map(|id| BookDelta::Delete { id }),
        2 => (id(), id(), price(), qty())
            .prop_map(|(old_id, id, price, qty)| BookDelta::Replace { old_id, id, price, qty }),
    ]
}

fn assert_same(fast: &OrderBook, naive: &NaiveBook) -> Result<(), TestCaseError> {
    prop_assert_eq!(fast.len(), naive.len());
    prop_assert_eq!(fast.is_empty(), naive.is_empty());
    for side in [Side::Buy, Side::Sell] {
        let orders: Vec<_> = fast.orders(side).collect();
        prop_assert_eq!(&orders, &naive.orders(side));
        let levels: Vec<_> = fast.levels(side).collect();
        prop_assert_eq!(&levels, &naive.levels(side));
        prop_assert_eq!(fast.best(side), naive.best(side));
        prop_assert_eq!(fast.level_count(side), levels.len());
        for (rank, level) in levels.iter().enumerate() {
            prop_assert_eq!(fast.levels_from(side, rank).next(), Some(*level));
            prop_assert_eq!(fast.level(side, level.price), Some(*level));
        }
        prop_assert_eq!(fast.levels_from(side, levels.len()).next(), None);
        prop_assert_eq!(fast.level(side, Price(-77)), None);
        for order in &orders {
            prop_assert_eq!(fast.order(order.id), Some(*order));
            prop_assert_eq!(
                fast.queue_position(order.id),
                naive.queue_position(order.id)
            );
        }
        let blank = PriceLevel {
            price: Price(0),
            qty: Qty(0),
            count: 0,
        };
        let mut best = [blank; 3];
        let filled = fast.depth(side, &mut best);
        prop_assert_eq!(&best[..filled], &levels[..levels.len().min(3)]);
    }
    let crossed = matches!(
        (naive.best(Side::Buy), naive.best(Side::Sell)),
        (Some(bid), Some(ask)) if bid.price >= ask.price
    );
    prop_assert_eq!(fast.is_crossed(), crossed);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn the_fast_book_equals_the_naive_book_after_every_delta(
        deltas in proptest::collection::vec(delta(), 1..120),
        clear_at in 0_usize..400,
    ) {
        let (mut fast, mut naive) = (OrderBook::new(), NaiveBook::new());
        for (step, delta) in deltas.into_iter().enumerate() {
            if step == clear_at {
                fast.clear();
                naive = NaiveBook::new();
            }
            prop_assert_eq!(fast.apply(delta), naive.apply(delta), "{:?}", delta);
            assert_same(&fast, &naive)?;
        }
    }
}

/// Deep queues and many prices: an add anywhere in a long ladder, cancels at every place of a long queue.
#[test]
fn a_long_ladder_and_a_long_queue_agree_with_the_naive_book() {
    let (mut fast, mut naive) = (OrderBook::new(), NaiveBook::new());
    let mut both = |delta| assert_eq!(fast.apply(delta), naive.apply(delta), "{delta:?}");
    let mut state = 1_u64;
    let mut random = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for id in 0..1_500 {
        let side = if random(2) == 0 {
            Side::Buy
        } else {
            Side::Sell
        };
        let price = Price(i64::try_from(1 + random(400)).unwrap());
        both(BookDelta::Add {
            id: OrderId(id),
            side,
            price,
            qty: Qty(1 + random(9)),
        });
    }
    for id in 1_500..2_500 {
        both(BookDelta::Add {
            id: OrderId(id),
            side: Side::Buy,
            price: Price(500),
            qty: Qty(7),
        });
    }
    for _ in 0..4_000 {
        let id = OrderId(random(2_600));
        both(match random(3) {
            0 => BookDelta::Delete { id },
            1 => BookDelta::Reduce {
                id,
                qty: Qty(1 + random(3)),
            },
            _ => BookDelta::Replace {
                old_id: id,
                id,
                price: Price(450),
                qty: Qty(2),
            },
        });
    }
    assert_same(&fast, &naive).unwrap();
}

#[test]
fn an_overflowing_level_refuses_the_order_and_keeps_its_total() {
    let mut book = OrderBook::new();
    let add = |id, qty| BookDelta::Add {
        id: OrderId(id),
        side: Side::Sell,
        price: Price(5),
        qty,
    };
    assert_eq!(book.apply(add(1, Qty(u64::MAX))).fault, None);
    assert_eq!(book.apply(add(2, Qty(1))).fault, Some(Fault::QtyOverflow));
    assert_eq!(book.best(Side::Sell).unwrap().qty, Qty(u64::MAX));
    assert_eq!(book.len(), 1);
}

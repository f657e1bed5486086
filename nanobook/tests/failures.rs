//! What the prior art got wrong, one test each, named after the failure.

use nanobook::matching::{Config, Engine, Event, Output};
use nanobook::testing::{Choices, Pair, Seeded, TICK};
use nanobook::{
    Exchange, MultiExchange, OrderId, OrderRequest, OrderStatus, Owner, Price, Qty, Reject, Side,
    StpPolicy, Symbol, TimeInForce,
};

const GTC: TimeInForce = TimeInForce::GTC;
const AT: Price = Price(100 * TICK);

/// Three asks, take one, cancel the second, take again: it hung, or took the wrong order.
#[test]
fn f01_a_cancel_after_a_fill_takes_the_right_order_and_the_next_take_ends() {
    let mut exchange = Exchange::new();
    let ids = [1, 2, 3].map(|_| exchange.submit_limit(Side::Sell, AT, 10, GTC).order_id);
    assert_eq!(exchange.submit_market(Side::Buy, 10).filled, Qty(10));
    assert_eq!(exchange.cancel(ids[1]).cancelled, Qty(10));
    let result = exchange.submit_market(Side::Buy, 30);
    assert_eq!(result.trades.len(), 1);
    assert_eq!(result.trades[0].resting(), Some(ids[2]));
    assert_eq!((result.filled, result.cancelled), (Qty(10), Qty(20)));
    assert_eq!(exchange.best_ask(), None);
}

/// The same after `compact`, which shifted the queue under its index.
#[test]
fn f02_compact_changes_nothing_that_can_be_seen() {
    let mut exchange = Exchange::new();
    let ids = [1, 2, 3, 4].map(|_| exchange.submit_limit(Side::Sell, AT, 10, GTC).order_id);
    exchange.cancel(ids[0]);
    let digest = exchange.engine().digest();
    exchange.compact();
    assert_eq!(exchange.engine().digest(), digest);
    assert!(exchange.cancel(ids[2]).success);
    let left: Vec<_> = exchange.order_book().asks.iter().map(|o| o.id).collect();
    assert_eq!(left, [ids[1], ids[3]]);
}

/// It counted as active, and cancelling it removed somebody else's order.
#[test]
fn f03_a_partly_filled_ioc_has_ended() {
    let mut exchange = Exchange::new();
    exchange.submit_limit(Side::Sell, AT, 5, GTC);
    let ioc = exchange.submit_limit(Side::Buy, AT, 8, TimeInForce::IOC);
    let other = exchange.submit_limit(Side::Buy, AT, 2, GTC);
    assert_eq!(ioc.status, OrderStatus::Cancelled);
    assert_eq!(
        (ioc.filled, ioc.cancelled, ioc.resting),
        (Qty(5), Qty(3), Qty(0))
    );
    assert_eq!(exchange.cancel(ioc.order_id).error, Some(Reject::NotActive));
    let modified = exchange.modify(ioc.order_id, AT, 1);
    assert_eq!(modified.error, Some(Reject::NotActive));
    let bids = exchange.full_book().bids;
    assert_eq!((bids.len(), bids[0].qty, bids[0].count), (1, Qty(2), 1));
    assert!(
        exchange
            .get_order(other.order_id)
            .unwrap()
            .status
            .is_active()
    );
}

/// A modify neither moved the last price nor triggered stops, and the replay of the log did.
#[test]
fn f04_a_modify_that_trades_is_a_print_and_replays_to_the_same_state() {
    let mut exchange = Exchange::new();
    exchange.submit_limit(Side::Sell, AT, 5, GTC);
    let stop = exchange.submit_stop_market(Side::Buy, AT, 1).order_id;
    let bid = exchange.submit_limit(Side::Buy, Price(99 * TICK), 2, GTC);
    let modified = exchange.modify(bid.order_id, AT, 3);
    assert_eq!(modified.trades.len(), 1);
    assert_eq!(exchange.last_trade_price(), Some(AT));
    let stop = exchange.get_stop_order(stop).unwrap();
    assert_eq!(stop.status, OrderStatus::Triggered);
    let child = exchange.get_order(stop.child.unwrap()).unwrap();
    assert_eq!(
        (child.status, child.parent),
        (OrderStatus::Filled, Some(stop.id))
    );
    let again = Exchange::replay(exchange.engine().log()).unwrap();
    assert_eq!(again.engine().digest(), exchange.engine().digest());
}

/// The log had neither owner nor policy, so a replay traded where the session had not.
#[test]
fn f05_owner_and_policy_are_in_the_log() {
    let mut exchange = Exchange::with_stp_policy(StpPolicy::CancelNewest);
    for side in [Side::Sell, Side::Buy] {
        exchange.submit_limit_with_owner(side, AT, 5, GTC, Owner(7));
    }
    exchange.set_stp_policy(StpPolicy::CancelOldest);
    exchange.submit_limit_with_owner(Side::Buy, AT, 5, GTC, Owner(7));
    assert!(exchange.trades().is_empty());
    let again = Exchange::replay(exchange.engine().log()).unwrap();
    assert!(again.trades().is_empty());
    assert_eq!(again.engine().digest(), exchange.engine().digest());
    assert_eq!(again.stp_policy(), StpPolicy::CancelOldest);
}

/// Every order and event was kept for ever.
#[test]
fn f32_memory_can_be_bounded_by_what_is_open() {
    let config = Config {
        keep_closed: Some(100),
        record: false,
        ..Config::default()
    };
    let mut engine = Engine::new(config);
    let mut out = Vec::new();
    let old = OrderRequest::limit(Side::Buy, Price(TICK), Qty(1));
    let old = engine.submit(old, &mut out).unwrap().id;
    for n in 0..100_000 {
        out.clear();
        let side = [Side::Buy, Side::Sell][n % 2];
        engine
            .submit(OrderRequest::limit(side, AT, Qty(1)), &mut out)
            .unwrap();
        assert!(engine.known_orders() <= 102);
    }
    assert_eq!(engine.log().len(), 0);
    assert_eq!(engine.next_order_id(), OrderId(100_002), "ids have no gap");
    assert_eq!(engine.order(old).unwrap().status, OrderStatus::New);
    assert_eq!(engine.order(OrderId(2)), None);
    assert_eq!(
        engine.cancel(OrderId(2), &mut out),
        Err(Reject::UnknownOrder)
    );
    assert!(engine.cancel(old, &mut out).is_ok());
}

/// "L3" was levels.
#[test]
fn f36_l3_is_every_order_in_its_queue() {
    let mut exchange = Exchange::new();
    for (price, qty) in [(100, 5), (101, 2), (100, 7)] {
        exchange.submit_limit(Side::Buy, Price(price * TICK), qty, GTC);
    }
    let bids = exchange.order_book().bids;
    let seen: Vec<_> = bids
        .iter()
        .map(|o| (o.id.0, o.price.0 / TICK, o.qty.0))
        .collect();
    assert_eq!(seen, [(2, 101, 2), (1, 100, 5), (3, 100, 7)]);
    let levels = exchange.full_book().bids;
    let seen: Vec<_> = levels
        .iter()
        .map(|l| (l.price.0 / TICK, l.qty.0, l.count))
        .collect();
    assert_eq!(seen, [(101, 2, 1), (100, 12, 2)]);
}

/// Quantity 0 was "filled", and negative prices were taken.
#[test]
fn f38_zero_quantity_and_negative_price_are_refused_and_change_nothing() {
    let mut exchange = Exchange::new();
    let digest = exchange.engine().digest();
    let cases = [
        (
            exchange.submit_limit(Side::Buy, AT, 0, GTC),
            Reject::ZeroQty,
        ),
        (
            exchange.submit_limit(Side::Buy, Price(-1), 1, GTC),
            Reject::PriceOutOfRange,
        ),
        (
            exchange.submit_limit(Side::Buy, Price(0), 1, GTC),
            Reject::PriceOutOfRange,
        ),
        (
            exchange.submit_limit(Side::Buy, Price(i64::MAX), 1, GTC),
            Reject::PriceOutOfRange,
        ),
        (exchange.submit_market(Side::Buy, 0), Reject::ZeroQty),
        (
            exchange.submit_stop_market(Side::Buy, Price(-1), 1),
            Reject::PriceOutOfRange,
        ),
    ];
    for (result, reject) in cases {
        assert_eq!(
            (result.status, result.reject),
            (OrderStatus::Rejected, Some(reject))
        );
    }
    assert_eq!(
        exchange.try_submit_limit(Side::Sell, AT, 0, GTC),
        Err(Reject::ZeroQty)
    );
    assert_eq!(
        exchange.try_submit_market(Side::Sell, 0),
        Err(Reject::ZeroQty)
    );
    assert_eq!(exchange.engine().digest(), digest);
    assert!(exchange.events().is_empty());
}

/// `get_or_create` gave a copy, so orders went nowhere.
#[test]
fn f40_an_order_for_a_symbol_reaches_the_book_of_the_symbol() {
    let mut exchange = MultiExchange::default();
    let (a, b): (Symbol, Symbol) = ("A".parse().unwrap(), "B".parse().unwrap());
    let mut out = Vec::new();
    let bid = OrderRequest::limit(Side::Buy, AT, Qty(1));
    assert_eq!(
        exchange.submit(a, bid, &mut out),
        Err(Reject::UnknownSymbol)
    );
    exchange.list(a);
    exchange.list(b);
    assert_eq!(
        exchange.list(a),
        exchange.list(a),
        "listing again changes nothing"
    );
    exchange.submit(b, bid, &mut out).unwrap();
    let prices: Vec<_> = exchange.best_prices().collect();
    assert_eq!(prices, [(a, None, None), (b, Some(AT), None)]);
    assert_eq!(exchange.market(b).unwrap().len(), 1);
    assert!(exchange.market("C".parse().unwrap()).is_none());
}

/// A random flow of 50 % adds, 35 % cancels and 15 % takes over three levels: 500 of 500 seeds went wrong, and no test
/// had queues deep enough to see it.
#[test]
fn f43_a_random_flow_over_three_levels_agrees_with_a_naive_engine() {
    for seed in 0..500 {
        let mut choices = Seeded(seed);
        let mut pair = Pair::new(Config::default());
        for _ in 0..200 {
            let side = [Side::Buy, Side::Sell][usize::from(choices.below(2) == 0)];
            let away = TICK * (1 + i64::try_from(choices.below(3)).unwrap());
            let price = match side {
                Side::Buy => Price(AT.0 - away),
                Side::Sell => Price(AT.0 + away),
            };
            let qty = Qty(1 + choices.below(9));
            let next = pair.engine.next_order_id().0;
            let _ = pair.apply(match choices.below(100) {
                0..50 => Event::Submit(OrderRequest::limit(side, price, qty)),
                50..85 => Event::Cancel {
                    id: OrderId(choices.below(next)),
                },
                _ => Event::Submit(OrderRequest::market(side, qty)),
            });
        }
        pair.compare_orders();
    }
}

/// A fill-or-kill order passed its check and was then cut by self-trade prevention.
#[test]
fn a_fill_or_kill_order_is_never_cut() {
    for policy in [
        StpPolicy::CancelNewest,
        StpPolicy::CancelOldest,
        StpPolicy::CancelBoth,
        StpPolicy::Decrement,
    ] {
        let mut exchange = Exchange::with_stp_policy(policy);
        exchange.submit_limit(Side::Sell, AT, 3, GTC);
        exchange.submit_limit_with_owner(Side::Sell, AT, 3, GTC, Owner(7));
        let fok = TimeInForce::FOK;
        let result = exchange.submit_limit_with_owner(Side::Buy, AT, 6, fok, Owner(7));
        assert_eq!(
            (result.status, result.filled),
            (OrderStatus::Cancelled, Qty(0)),
            "{policy:?}"
        );
        assert_eq!(exchange.full_book().asks[0].qty, Qty(6), "{policy:?}");
    }
}

/// Only the last price of a sweep triggered stops.
#[test]
fn every_print_of_a_sweep_triggers() {
    let mut exchange = Exchange::new();
    exchange.submit_limit(Side::Buy, Price(99 * TICK), 1, GTC);
    exchange.submit_limit(Side::Buy, Price(98 * TICK), 1, GTC);
    exchange.submit_limit(Side::Sell, Price(105 * TICK), 9, GTC);
    // A buy stop at 99 is reached by the first print of the sell sweep only.
    exchange.submit_limit(Side::Buy, Price(97 * TICK), 9, GTC);
    let stop = exchange
        .submit_stop_market(Side::Buy, Price(99 * TICK), 1)
        .order_id;
    exchange.submit_limit(Side::Sell, Price(98 * TICK), 2, GTC);
    let stop = exchange.get_stop_order(stop).unwrap();
    assert_eq!(stop.status, OrderStatus::Triggered);
    assert_eq!(exchange.pending_stop_count(), 0);
}

/// Child trades could not be told from others.
#[test]
fn outputs_say_who_became_what() {
    let mut engine = Engine::default();
    let mut out = Vec::new();
    let mut submit = |request| engine.submit(request, &mut out).unwrap().id;
    submit(OrderRequest::limit(Side::Sell, AT, Qty(1)));
    let stop = submit(OrderRequest::stop_market(Side::Buy, AT, Qty(1)));
    let taker = submit(OrderRequest::market(Side::Buy, Qty(1)));
    let child = OrderId(taker.0 + 1);
    let triggered = Output::Triggered {
        id: stop,
        child,
        price: AT,
    };
    assert!(out.contains(&triggered));
}

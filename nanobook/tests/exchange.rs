//! The exchange with the classic names, and many instruments with one id space.

use nanobook::matching::{CancelReason, Config, Engine, Event, Output, Trade};
use nanobook::testing::{Seeded, TICK, session};
use nanobook::{
    Exchange, InstrumentId, MultiEvent, MultiExchange, OrderId, OrderRequest, OrderStatus, Owner,
    Price, Qty, Reject, Side, StpPolicy, Symbol, TimeInForce, TradeId, Trail,
};

const GTC: TimeInForce = TimeInForce::GTC;

fn at(ticks: i64) -> Price {
    Price(ticks * TICK)
}

#[test]
fn the_classic_readme_works() {
    let mut exchange = Exchange::new();
    exchange.submit_limit(Side::Sell, Price(50_00), 100, TimeInForce::GTC);
    let result = exchange.submit_limit(Side::Buy, Price(50_00), 100, TimeInForce::GTC);
    assert_eq!(result.trades.len(), 1);
    assert_eq!(result.trades[0].price, Price(50_00));
    assert_eq!(result.status, OrderStatus::Filled);
    assert_eq!(exchange.trades(), result.trades);
}

#[test]
fn a_modify_is_a_new_order_behind_all_others() {
    let mut exchange = Exchange::new();
    let old = exchange.submit_limit_with_owner(Side::Buy, at(100), 5, GTC, Owner(7));
    let other = exchange.submit_limit(Side::Buy, at(100), 5, GTC);
    let result = exchange.modify(old.order_id, at(100), 4);
    assert!(result.success && result.trades.is_empty());
    assert_eq!(
        (result.old_order_id, result.cancelled),
        (old.order_id, Qty(5))
    );
    let new = result.new_order_id.unwrap();
    assert_eq!(new, OrderId(3));
    assert_eq!(exchange.get_order(new).unwrap().owner, Some(Owner(7)));
    let queue: Vec<_> = exchange.order_book().bids.iter().map(|o| o.id).collect();
    assert_eq!(queue, [other.order_id, new]);

    let digest = exchange.engine().digest();
    let mut refused = |id, price, qty: u64| exchange.modify(id, price, qty).error.unwrap();
    assert_eq!(refused(new, at(100), 0), Reject::ZeroQty);
    assert_eq!(refused(new, Price(0), 1), Reject::PriceOutOfRange);
    assert_eq!(refused(OrderId(9), at(100), 1), Reject::UnknownOrder);
    assert_eq!(refused(old.order_id, at(100), 1), Reject::NotActive);
    assert_eq!(
        exchange.engine().digest(),
        digest,
        "a refused modify cancels nothing"
    );
    let stop = exchange.submit_stop_market(Side::Buy, at(200), 1).order_id;
    assert_eq!(
        exchange.modify(stop, at(100), 1).error,
        Some(Reject::StopOrder)
    );
}

#[test]
fn the_four_stops_can_be_submitted_seen_and_cancelled() {
    let mut exchange = Exchange::new();
    let trail = Trail::percentage(0.02).unwrap();
    let ids = [
        exchange.submit_stop_market(Side::Buy, at(101), 1),
        exchange.submit_stop_limit(Side::Buy, at(101), at(102), 1, GTC),
        exchange.submit_trailing_stop_market(Side::Sell, at(90), 1, trail),
        exchange.submit_trailing_stop_limit(Side::Sell, at(90), at(89), 1, GTC, trail),
    ]
    .map(|result| {
        assert_eq!(
            (result.status, result.resting),
            (OrderStatus::Pending, Qty(1))
        );
        result.order_id
    });
    assert_eq!(exchange.pending_stop_count(), 4);
    assert_eq!(exchange.engine().pending_stops(), ids);
    let third = exchange.get_stop_order(ids[2]).unwrap();
    assert_eq!(
        (third.kind.stop(), third.kind.trail()),
        (Some(at(90)), Some(trail))
    );
    assert!(exchange.cancel(ids[2]).success);
    assert_eq!(exchange.pending_stop_count(), 3);
    let sell = exchange.submit_stop_market(Side::Sell, at(50), 1).order_id;
    let buy = exchange.submit_stop_market(Side::Buy, at(150), 1).order_id;
    let pending = exchange.engine().pending_stops();
    assert_eq!(
        pending,
        [ids[0], ids[1], ids[3], sell, buy],
        "in order of id"
    );
    let limit = exchange.submit_limit(Side::Buy, at(95), 1, GTC).order_id;
    assert_eq!(exchange.get_stop_order(limit), None);
    let refused = exchange.replace(ids[0], at(1), 1);
    assert_eq!(refused, Err(Reject::StopOrder));
}

#[test]
fn trails_are_made_from_plain_numbers() {
    assert_eq!(
        Trail::percentage(0.02),
        Some(Trail::Percentage { ppm: 20_000 })
    );
    let three = Trail::mean_abs_change(2.5, 14);
    let (multiplier_ppm, period) = (2_500_000, 14);
    assert_eq!(
        three,
        Some(Trail::MeanAbsChange {
            multiplier_ppm,
            period
        })
    );
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY, 5_000.0] {
        assert_eq!(Trail::percentage(bad), None, "{bad}");
    }
    assert_eq!(
        Trail::percentage(0.000_001),
        Some(Trail::Percentage { ppm: 1 })
    );
}

#[test]
fn depth_and_analytics_say_what_the_book_holds() {
    let mut exchange = Exchange::new();
    assert_eq!(exchange.best_bid_ask(), (None, None));
    assert_eq!(exchange.spread(), None);
    let quote = exchange.engine().market().quote();
    assert_eq!((quote.mid(), quote.micro_price()), (None, None));
    assert_eq!(exchange.full_book().imbalance(), None);
    assert!(exchange.engine().market().is_empty());
    for (side, price, qty) in [
        (Side::Buy, 99, 6),
        (Side::Buy, 98, 10),
        (Side::Sell, 101, 2),
        (Side::Sell, 103, 4),
    ] {
        exchange.submit_limit(side, Price(price * 1_000_000_000), qty, GTC);
    }
    let quote = exchange.engine().market().quote();
    assert_eq!(exchange.spread(), Some(Price(2_000_000_000)));
    assert_eq!(quote.mid(), Some(100.0));
    assert_eq!(quote.micro_price(), Some((99.0 * 2.0 + 101.0 * 6.0) / 8.0));
    let top = exchange.depth(1);
    assert_eq!((top.bids.len(), top.asks.len(), top.quote()), (1, 1, quote));
    assert_eq!(top.imbalance(), Some(0.5));
    assert_eq!(exchange.full_book().imbalance(), Some(10.0 / 22.0));
    let market = exchange.engine().market();
    assert_eq!((market.len(), market.is_empty()), (4, false));
    let mut best = exchange.full_book().asks;
    assert_eq!(market.depth(Side::Buy, &mut best[..1]), 1);
    assert_eq!(market.depth(Side::Buy, &mut best), 2);
    assert_eq!(best, exchange.full_book().bids);
    let cost = market.cost(Side::Buy, Qty(4));
    assert_eq!((cost.qty, cost.vwap()), (Qty(4), Some(102.0)));
    assert_eq!(cost.worst_px, Some(Price(103_000_000_000)));
    let cost = market.cost(Side::Sell, Qty(100));
    assert_eq!(
        (cost.qty, cost.worst_px),
        (Qty(16), Some(Price(98_000_000_000)))
    );
    let cost = market.cost(Side::Sell, Qty(0));
    assert_eq!((cost.qty, cost.vwap(), cost.worst_px), (Qty(0), None, None));
    assert_eq!((market.len(), market.is_empty()), (4, false));
    assert_eq!(market.level_count(Side::Buy), 2);
}

#[test]
fn tape_history_and_events_can_be_cleared() {
    let mut exchange = Exchange::new();
    exchange.submit_limit(Side::Sell, at(100), 5, GTC);
    exchange.submit_limit(Side::Buy, at(100), 3, GTC);
    assert_eq!((exchange.trades().len(), exchange.events().len()), (1, 2));
    exchange.clear_trades();
    assert!(exchange.trades().is_empty());
    assert_eq!(exchange.clear_order_history(), 1);
    assert_eq!(exchange.get_order(OrderId(2)), None);
    assert_eq!(exchange.get_order(OrderId(1)).unwrap().open, Qty(2));
    exchange.clear_events();
    assert!(exchange.events().is_empty());
    assert_eq!(exchange.submit_market(Side::Buy, 1).order_id, OrderId(3));
    assert_eq!(exchange.trades()[0].id, TradeId(2), "ids go on");
    assert_eq!(exchange.reduce(OrderId(1), 9), Ok(Qty(0)));
    let forgotten = exchange.reduce(OrderId(1), 9);
    assert_eq!(
        forgotten,
        Err(Reject::UnknownOrder),
        "it was open when history was cleared"
    );
}

#[test]
fn a_trade_names_both_sides() {
    let trade = |price: i64, qty, side| Trade {
        id: TradeId(1),
        price: Price(price * 1_000_000_000),
        qty: Qty(qty),
        buy_order_id: OrderId(4),
        sell_order_id: OrderId(3),
        side,
    };
    let sold = trade(100, 1, Some(Side::Sell));
    assert_eq!(
        (sold.aggressor(), sold.resting()),
        (Some(OrderId(3)), Some(OrderId(4)))
    );
    let crossed = trade(106, 2, None);
    assert_eq!((crossed.aggressor(), crossed.resting()), (None, None));
    assert_eq!(Trade::vwap(&[sold, crossed]), Some(104.0));
    assert_eq!(Trade::vwap(&[]), None);
    assert_eq!(sold.notional(), nanobook::Money(100_000_000_000));
    assert_eq!(sold.order_of(Side::Buy), OrderId(4));
}

fn renumber(output: Output, order: impl Fn(OrderId) -> OrderId, trade: TradeId) -> Output {
    match output {
        Output::Rested {
            id,
            side,
            price,
            qty,
        } => Output::Rested {
            id: order(id),
            side,
            price,
            qty,
        },
        Output::Trade(t) => Output::Trade(Trade {
            id: trade,
            buy_order_id: order(t.buy_order_id),
            sell_order_id: order(t.sell_order_id),
            ..t
        }),
        Output::Cancelled { id, qty, reason } => Output::Cancelled {
            id: order(id),
            qty,
            reason,
        },
        Output::Triggered { id, child, price } => Output::Triggered {
            id: order(id),
            child: order(child),
            price,
        },
        stopped @ Output::CascadeStopped { .. } => stopped,
    }
}

/// Each instrument of many does what an engine of its own would, under the common numbers.
#[test]
fn many_instruments_are_many_engines_with_one_id_space() {
    let symbols: [Symbol; 3] = ["A", "B", "C"].map(|text| text.parse().unwrap());
    for seed in 0..300 {
        let (config, events) = session(&mut Seeded(seed), 90);
        let config = Config {
            keep_closed: None,
            ..config
        };
        let mut multi = MultiExchange::new(config);
        assert!(multi.is_empty());
        for (n, symbol) in symbols.into_iter().enumerate() {
            assert_eq!(multi.list(symbol), InstrumentId(u32::try_from(n).unwrap()));
        }
        let mut engines = [0, 1, 2].map(|_| Engine::new(config));
        // The common id of each engine's orders.
        let mut ids: [Vec<OrderId>; 3] = Default::default();
        let (mut orders, mut trades) = (0, 0);
        for (n, event) in events.into_iter().enumerate() {
            let on = n % 3;
            let global = |id: OrderId| match id.0.checked_sub(1) {
                Some(at) => ids[on]
                    .get(usize::try_from(at).unwrap())
                    .copied()
                    .unwrap_or(OrderId(u64::MAX)),
                None => id,
            };
            let (mut out, mut multi_out) = (Vec::new(), Vec::new());
            let (own, multi_event) = match event {
                Event::MassCancel { .. } | Event::SetStpPolicy(_) | Event::ForgetClosed => continue,
                Event::Cancel { id } => (event, Event::Cancel { id: global(id) }),
                Event::Reduce { id, qty } => {
                    let id = global(id);
                    (event, Event::Reduce { id, qty })
                }
                Event::Replace { id, price, qty } => {
                    let id = global(id);
                    (event, Event::Replace { id, price, qty })
                }
                other => (other, other),
            };
            let own = engines[on].apply(own, &mut out);
            let multi_event = MultiEvent::One(symbols[on], multi_event);
            let answer = multi.apply(multi_event, &mut multi_out);
            assert_eq!(own.is_ok(), answer.is_ok(), "seed {seed}, {event:?}");
            while (ids[on].len() as u64) + 1 < engines[on].next_order_id().0 {
                orders += 1;
                ids[on].push(OrderId(orders));
            }
            let global = |id: OrderId| ids[on][usize::try_from(id.0).unwrap() - 1];
            for output in &mut out {
                trades += u64::from(matches!(output, Output::Trade(_)));
                *output = renumber(*output, global, TradeId(trades));
            }
            assert_eq!(out, multi_out, "seed {seed}, {event:?}");
            for id in &ids[on] {
                assert_eq!(multi.symbol_of(*id), Some(symbols[on]));
                assert_eq!(multi.order(*id).unwrap().id, *id);
            }
            let (own, market) = (engines[on].market(), multi.market(symbols[on]).unwrap());
            assert_eq!(own.snapshot(usize::MAX), market.snapshot(usize::MAX));
        }
        assert_eq!((multi.len(), multi.symbols()), (3, &symbols[..]));
    }
}

#[test]
fn commands_to_all_instruments_reach_all() {
    let symbols: [Symbol; 2] = ["A", "B"].map(|text| text.parse().unwrap());
    let mut multi = MultiExchange::default();
    let mut out = Vec::new();
    for symbol in symbols {
        multi.list(symbol);
        let bid = OrderRequest::limit(Side::Buy, at(5), Qty(1)).with_owner(Owner(7));
        multi.submit(symbol, bid, &mut out).unwrap();
    }
    multi.set_stp_policy(StpPolicy::CancelNewest);
    out.clear();
    let ask = OrderRequest::limit(Side::Sell, at(5), Qty(1)).with_owner(Owner(7));
    multi.submit(symbols[1], ask, &mut out).unwrap();
    let (id, qty, reason) = (OrderId(3), Qty(1), CancelReason::SelfTrade);
    assert_eq!(out, [Output::Cancelled { id, qty, reason }]);
    assert_eq!(multi.mass_cancel(Owner(7), &mut out), 2);
    assert_eq!(multi.cancel(OrderId(1), &mut out), Err(Reject::NotActive));
    multi.forget_closed();
    assert_eq!(
        multi.cancel(OrderId(1), &mut out),
        Err(Reject::UnknownOrder)
    );
    let unknown = "Z".parse().unwrap();
    assert_eq!(multi.begin_auction(unknown), Err(Reject::UnknownSymbol));
    assert_eq!(
        multi.uncross(unknown, None, &mut out),
        Err(Reject::UnknownSymbol)
    );
    assert_eq!(multi.resume(unknown, &mut out), Err(Reject::UnknownSymbol));
    let no_symbol = MultiEvent::All(Event::BeginAuction);
    assert_eq!(multi.apply(no_symbol, &mut out), Err(Reject::UnknownSymbol));
}

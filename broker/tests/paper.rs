//! The paper account: parts, latency, hours, refusals, its file, its three sources of quotes, and its books to the unit.

#![allow(clippy::unwrap_used, reason = "tests and their helpers")]

use nanobook::portfolio::CostModel;
use nanobook::trading::{NewOrder, OrderState, Quote, TimeInForce, Units, decimal};
use nanobook::{Money, OrderKind, Price, Side, Symbol, Timestamp};
use nanobook_broker::paper::{Config, FromBroker, Hours, PaperBroker, Recorded, Time};
use nanobook_broker::{Broker, Denial, Error, OrderKey, Outcome};
use proptest::prelude::*;

fn px(text: &str) -> Price {
    decimal::price(text).unwrap()
}

fn quote(ts: i64, bid: &str, ask: &str, shares: i64) -> Quote {
    Quote {
        symbol: "A".parse().unwrap(),
        bid_px: Some(px(bid)),
        bid_qty: Some(Units::whole(shares)),
        ask_px: Some(px(ask)),
        ask_qty: Some(Units::whole(shares)),
        last_px: None,
        data_type: None,
        ts_event: Timestamp(ts),
    }
}

fn limit(id: &str, side: Side, shares: i64, price: &str) -> NewOrder {
    NewOrder {
        client_order_id: id.parse().unwrap(),
        symbol: "A".parse().unwrap(),
        side,
        qty: Units::whole(shares),
        kind: OrderKind::Limit { price: px(price) },
        tif: TimeInForce::Day,
    }
}

fn stepped() -> Config {
    Config {
        time: Time::Stepped(Timestamp(0)),
        cash: decimal::money("10000").unwrap(),
        ..Config::default()
    }
}

fn broker(config: Config, quotes: Vec<Quote>) -> PaperBroker {
    let mut broker = PaperBroker::new(config).with_quotes(Recorded::new(quotes));
    broker.connect().unwrap();
    broker
}

fn state(broker: &mut PaperBroker, order: &NewOrder) -> (OrderState, i128) {
    let orders = broker.order(OrderKey::of(order)).unwrap();
    assert_eq!(orders.len(), 1);
    (orders[0].state, orders[0].filled_qty.0 / decimal::ONE)
}

#[test]
fn an_order_larger_than_the_quote_fills_in_parts_as_quotes_come() {
    let quotes = vec![
        quote(0, "9.99", "10", 60),
        quote(5, "9.99", "10", 30),
        quote(9, "9.98", "9.99", 30),
    ];
    let mut broker = broker(stepped(), quotes);
    let order = limit("a", Side::Buy, 100, "10");
    let outcome = broker.submit(&order);
    assert_eq!(outcome.order().unwrap().state, OrderState::PartiallyFilled);
    assert_eq!(
        state(&mut broker, &order),
        (OrderState::PartiallyFilled, 60)
    );
    broker.advance(Timestamp(5)).unwrap();
    assert_eq!(
        state(&mut broker, &order),
        (OrderState::PartiallyFilled, 90)
    );
    broker.advance(Timestamp(20)).unwrap();
    assert_eq!(state(&mut broker, &order), (OrderState::Filled, 100));
    // The last ten rested at 10 when the market came down to 9.99.
    let fills = broker.fills_since(&[], Timestamp(0)).unwrap();
    assert_eq!(fills.last().unwrap().price, px("10"));
    assert_eq!(fills.len(), 3);
}

#[test]
fn half_of_the_depth_can_be_had_where_so_configured() {
    let config = Config {
        depth: 0.5,
        ..stepped()
    };
    let mut broker = broker(config, vec![quote(0, "9.99", "10", 61)]);
    let order = limit("a", Side::Buy, 100, "10");
    let _ = broker.submit(&order);
    assert_eq!(
        state(&mut broker, &order),
        (OrderState::PartiallyFilled, 30)
    );
}

#[test]
fn an_order_arrives_after_the_latency_and_sees_the_quote_of_then() {
    let config = Config {
        latency_ns: 10,
        ..stepped()
    };
    let mut broker = broker(
        config,
        vec![quote(0, "9.99", "10", 100), quote(7, "10.04", "10.05", 100)],
    );
    let order = limit("a", Side::Buy, 10, "10");
    assert_eq!(
        broker.submit(&order).order().unwrap().state,
        OrderState::Accepted
    );
    broker.advance(Timestamp(9)).unwrap();
    assert_eq!(state(&mut broker, &order), (OrderState::Accepted, 0));
    broker.advance(Timestamp(10)).unwrap();
    // The ask moved away in the meantime.
    assert_eq!(state(&mut broker, &order), (OrderState::Accepted, 0));
    let outcome = broker.cancel(OrderKey::of(&order));
    assert!(
        !outcome.order().unwrap().state.is_final(),
        "a cancel takes its time too"
    );
    broker.advance(Timestamp(20)).unwrap();
    assert_eq!(state(&mut broker, &order), (OrderState::Cancelled, 0));
}

#[test]
fn a_day_order_ends_with_its_session_and_outside_of_it_orders_are_refused() {
    let hours = Hours::Sessions(vec![(Timestamp(0), Timestamp(100))]);
    let mut broker = broker(
        Config { hours, ..stepped() },
        vec![quote(0, "9.99", "10", 100)],
    );
    let order = limit("a", Side::Buy, 10, "9");
    let _ = broker.submit(&order);
    broker.advance(Timestamp(100)).unwrap();
    assert_eq!(state(&mut broker, &order), (OrderState::Expired, 0));
    assert!(matches!(
        broker.submit(&limit("b", Side::Buy, 1, "9")),
        Outcome::Rejected(_)
    ));
}

#[test]
fn ioc_and_fok_do_not_rest() {
    let mut broker = broker(stepped(), vec![quote(0, "9.99", "10", 60)]);
    let ioc = NewOrder {
        tif: TimeInForce::Ioc,
        ..limit("a", Side::Buy, 100, "10")
    };
    let _ = broker.submit(&ioc);
    assert_eq!(state(&mut broker, &ioc), (OrderState::Cancelled, 60));
    let fok = NewOrder {
        tif: TimeInForce::Fok,
        ..limit("b", Side::Sell, 60, "10")
    };
    let _ = broker.submit(&fok);
    assert_eq!(state(&mut broker, &fok), (OrderState::Cancelled, 0));
}

#[test]
fn what_the_account_cannot_pay_or_deliver_is_rejected() {
    let mut broker = broker(stepped(), vec![quote(0, "9.99", "10", 5_000)]);
    let rejected = |outcome: Outcome| matches!(outcome, Outcome::Rejected(_));
    assert!(rejected(broker.submit(&limit("a", Side::Buy, 1_001, "10"))));
    assert!(rejected(broker.submit(&limit("b", Side::Sell, 1, "9"))));
    // Working orders count.
    assert!(!rejected(broker.submit(&limit("c", Side::Buy, 600, "9"))));
    assert!(rejected(broker.submit(&limit("d", Side::Buy, 512, "9"))));
    assert!(!rejected(broker.submit(&limit("e", Side::Buy, 400, "9"))));
    let twice = broker.submit(&limit("e", Side::Buy, 1, "9"));
    assert!(rejected(twice), "an id is used once");
}

#[test]
fn what_breaks_the_rules_is_denied_before_it_is_sent() {
    let mut broker = broker(stepped(), vec![]);
    for (order, rule) in [
        (limit("a", Side::Buy, 1, "10.001"), "tick"),
        (limit("a", Side::Buy, 0, "10"), "lot"),
        (
            NewOrder {
                qty: Units(1),
                ..limit("a", Side::Buy, 1, "10")
            },
            "lot",
        ),
    ] {
        let Outcome::Denied(Denial::Filter { filter, .. }) = broker.submit(&order) else {
            panic!("{order:?} was sent");
        };
        assert_eq!(filter, rule);
    }
}

#[test]
fn an_account_in_a_file_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("account.json");
    let quotes = vec![quote(0, "9.99", "10", 60)];
    let open = |quotes: Vec<Quote>| {
        let mut broker = PaperBroker::open(stepped(), &path)
            .unwrap()
            .with_quotes(Recorded::new(quotes));
        broker.connect().unwrap();
        broker
    };
    let order = limit("a", Side::Buy, 100, "10");
    let before = {
        let mut broker = open(quotes);
        let _ = broker.submit(&order);
        assert!(
            matches!(PaperBroker::open(stepped(), &path), Err(Error::File { .. })),
            "two processes had one account"
        );
        (broker.account().unwrap(), broker.positions().unwrap())
    };
    let mut broker = open(vec![quote(1, "9.99", "10", 15)]);
    assert_eq!(
        (broker.account().unwrap(), broker.positions().unwrap()),
        before
    );
    // What was taken from the quote before is not there again.
    assert_eq!(
        state(&mut broker, &order),
        (OrderState::PartiallyFilled, 60)
    );
    broker.advance(Timestamp(1)).unwrap();
    assert_eq!(
        state(&mut broker, &order),
        (OrderState::PartiallyFilled, 75)
    );
    drop(broker);
    std::fs::write(&path, "{\"version\": 1").unwrap();
    let error = PaperBroker::open(stepped(), &path)
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("not a paper account"), "{error}");
}

#[test]
fn a_replayed_day_is_a_market() {
    use nanobook_itch::FrameReader;
    use nanobook_itch::replay::{Config as Replaying, Replay, Wanted};
    use nanobook_itch::synth::{Config as Synth, Day};

    /// The quotes of a day, and whose they are.
    #[derive(Default)]
    struct Market {
        quotes: Recorded,
        names: std::collections::BTreeSet<Symbol>,
    }

    impl nanobook::Sink for Market {
        fn bbo(&mut self, row: &nanobook::rows::Bbo) {
            self.names.extend(row.header.symbol);
            self.quotes.bbo(row);
        }
    }

    let day = Day::new(Synth {
        seed: 7,
        messages: 40_000,
        symbols: 20,
        ..Synth::default()
    });
    let mut reader = FrameReader::detect(day).unwrap();
    let wanted = Wanted {
        bbo: true,
        ..Wanted::default()
    };
    let mut replay = Replay::new(Replaying {
        wanted,
        ..Replaying::new(Timestamp(0))
    });
    let mut market = Market::default();
    while let Some(block) = reader.next_block().unwrap() {
        replay
            .block(block.bytes, block.framing, &mut market)
            .unwrap();
    }
    replay.finish(&mut market);
    let Market { quotes, names } = market;
    assert!(quotes.len() > 1_000);
    let open = Timestamp(10 * 3_600 * 1_000_000_000);
    let config = Config {
        time: Time::Stepped(open),
        ..Config::default()
    };
    let mut broker = PaperBroker::new(config).with_quotes(quotes);
    broker.connect().unwrap();
    let symbols: Vec<Symbol> = names.into_iter().collect();
    let now = broker.quotes(&symbols).unwrap();
    let two_sided = now.iter().find(|quote| quote.mid().is_some());
    let symbol = two_sided
        .expect("a stock with both sides by ten o'clock")
        .symbol;
    let order = NewOrder {
        symbol,
        kind: OrderKind::Market,
        tif: TimeInForce::Ioc,
        ..limit("a", Side::Buy, 1, "1")
    };
    let outcome = broker.submit(&order);
    assert_eq!(
        outcome.order().map(|o| o.state),
        Some(OrderState::Filled),
        "{outcome}"
    );
    let fill = &broker.fills_since(&[], Timestamp(0)).unwrap()[0];
    assert_eq!(
        Some(fill.price),
        broker.quotes(&[symbol]).unwrap()[0].ask_px
    );
}

#[test]
fn another_broker_is_a_market() {
    let market =
        PaperBroker::new(stepped()).with_quotes(Recorded::new(vec![quote(0, "9.99", "10", 60)]));
    let mut broker = PaperBroker::new(stepped()).with_quotes(FromBroker::new(market));
    broker.connect().unwrap();
    let order = limit("a", Side::Buy, 10, "10");
    assert_eq!(
        broker.submit(&order).order().unwrap().state,
        OrderState::Filled
    );
}

#[test]
fn before_connect_nothing_is_known_and_nothing_is_sent() {
    let mut broker = PaperBroker::new(stepped());
    assert!(matches!(
        broker.positions(),
        Err(Error::NotConnected { .. })
    ));
    assert!(matches!(
        broker.open_orders(),
        Err(Error::NotConnected { .. })
    ));
    assert!(matches!(
        broker.submit(&limit("a", Side::Buy, 1, "1")),
        Outcome::Denied(Denial::NotConnected)
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Cash, positions and orders follow from the fills, to the unit, whatever happens.
    #[test]
    fn the_books_balance(
        prices in prop::collection::vec((900..1_100_i64, 1..5_i64, 1..80_i64), 1..20),
        orders in prop::collection::vec((any::<bool>(), 1..60_i64, 900..1_100_i64, any::<bool>()), 1..20),
        bps in 0..30_i32,
    ) {
        let cents = |n: i64| format!("{}.{:02}", n / 100, n % 100);
        let quotes = prices.iter().enumerate().map(|(i, (bid, spread, shares))| {
            quote(10 * i64::try_from(i).unwrap(), &cents(*bid), &cents(bid + spread), *shares)
        });
        let start = decimal::money("1000000").unwrap();
        let costs = CostModel { commission_min: 1.0, slippage_bps: 3.0, ..CostModel::bps(f64::from(bps)) };
        let config = Config { costs, short: true, cash: start, latency_ns: 3, ..stepped() };
        let mut broker = broker(config, quotes.collect());
        for (i, (buys, shares, price, market)) in orders.iter().enumerate() {
            let side = if *buys { Side::Buy } else { Side::Sell };
            let mut order = limit(&format!("o{i}"), side, *shares, &cents(*price));
            if *market {
                order.kind = OrderKind::Market;
                order.tif = TimeInForce::Ioc;
            }
            let _ = broker.submit(&order);
            broker.advance(Timestamp(10 * i64::try_from(i).unwrap() + 9)).unwrap();
        }
        let fills = broker.fills_since(&[], Timestamp(0)).unwrap();
        let (mut cash, mut held) = (start.0, 0_i128);
        for fill in &fills {
            let qty = fill.qty.signed(fill.side).0;
            cash -= qty * i128::from(fill.price.0) / decimal::ONE + fill.fee.unwrap_or(Money(0)).0;
            held += qty;
        }
        prop_assert_eq!(broker.account().unwrap().cash.0, cash);
        let positions = broker.positions().unwrap();
        prop_assert_eq!(positions.first().map_or(0, |p| p.qty.0), held);
        for i in 0..orders.len() {
            let id = format!("o{i}").parse().unwrap();
            let key = OrderKey { client_order_id: id, symbol: "A".parse().unwrap() };
            for order in broker.order(key).unwrap() {
                let traded: i128 = fills.iter().filter(|f| f.client_order_id == Some(id)).map(|f| f.qty.0).sum();
                prop_assert_eq!(order.filled_qty.0, traded);
                for fill in fills.iter().filter(|f| f.client_order_id == Some(id)) {
                    if let Some(worst) = order.kind.price() {
                        let better = i128::from(fill.side.sign()) * i128::from(worst.0 - fill.price.0);
                        prop_assert!(better >= 0, "a limit was not kept");
                    }
                }
            }
        }
    }
}

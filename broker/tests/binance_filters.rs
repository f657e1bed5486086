//! Every filter of Binance over a real socket: just inside the venue takes the order, just outside nothing is sent.

#![cfg(all(feature = "binance", feature = "testing"))]
#![allow(clippy::unwrap_used, reason = "tests and their helpers")]

use nanobook::trading::{InstrumentState, NewOrder, TimeInForce, decimal};
use nanobook::{OrderKind, Side};
use nanobook_broker::binance::{BinanceBroker, Config, Endpoint, Signer};
use nanobook_broker::fake::binance::{BinanceServer, Fault, Key};
use nanobook_broker::secret::Secret;
use nanobook_broker::{Broker, Denial, Outcome};
use serde_json::{Value, json};

const PLACE: &str = "POST /api/v3/order";

fn connected(server: &BinanceServer, own_filters: bool) -> BinanceBroker {
    server.allow("test-key", Key::Hmac("test-secret".to_owned()));
    let signer = Signer::Hmac(Secret::new("test-secret".to_owned()));
    let config = Config {
        endpoint: Endpoint::at(&server.url()).unwrap(),
        timeout_ms: 1_000,
        own_filters,
        ..Config::new(Secret::new("test-key".to_owned()), signer)
    };
    let mut broker = BinanceBroker::new(config).unwrap();
    broker.connect().unwrap();
    broker
}

/// A broker of a server with filters, by instrument.
fn with(filters: &[(&str, Value)]) -> (BinanceServer, BinanceBroker) {
    let server = BinanceServer::start().unwrap();
    for (symbol, filter) in filters {
        server.set_filter(symbol, filter.clone());
    }
    let broker = connected(&server, true);
    (server, broker)
}

fn order(id: &str, side: Side, qty: &str, price: Option<&str>) -> NewOrder {
    NewOrder {
        client_order_id: id.parse().unwrap(),
        symbol: "BTCUSDT".parse().unwrap(),
        side,
        qty: qty.parse().unwrap(),
        kind: price.map_or(OrderKind::Market, |price| OrderKind::Limit {
            price: decimal::price(price).unwrap(),
        }),
        tif: TimeInForce::Gtc,
    }
}

fn buy(id: &str, qty: &str, price: &str) -> NewOrder {
    order(id, Side::Buy, qty, Some(price))
}

/// The order is denied by a filter, and the venue hears nothing of it.
fn assert_denied(server: &BinanceServer, broker: &mut BinanceBroker, order: &NewOrder, name: &str) {
    let placed = |server: &BinanceServer| server.requests().iter().filter(|r| *r == PLACE).count();
    let before = placed(server);
    let outcome = broker.submit(order);
    let Outcome::Denied(Denial::Filter { filter, .. }) = &outcome else {
        panic!("{name}: {outcome}");
    };
    assert_eq!(*filter, name, "{outcome}");
    assert_eq!(placed(server), before, "{name}: it was sent");
}

fn assert_taken(broker: &mut BinanceBroker, order: &NewOrder) {
    let outcome = broker.submit(order);
    assert!(matches!(outcome, Outcome::Confirmed(_)), "{outcome}");
}

fn band(mins: u32) -> Value {
    json!({
        "filterType": "PERCENT_PRICE_BY_SIDE", "bidMultiplierUp": "1.1", "bidMultiplierDown": "0.5",
        "askMultiplierUp": "2", "askMultiplierDown": "0.9", "avgPriceMins": mins
    })
}

#[test]
fn a_price_is_compared_with_the_mean_of_the_last_minutes_by_side() {
    let (server, mut broker) = with(&[("BTCUSDT", band(5))]);
    server.set_mean("BTCUSDT", "52000");
    assert_taken(&mut broker, &buy("low", "0.001", "26000"));
    assert_denied(
        &server,
        &mut broker,
        &buy("a", "0.001", "25999.99"),
        "PERCENT_PRICE",
    );
    assert_taken(&mut broker, &buy("high", "0.001", "57200"));
    assert_denied(
        &server,
        &mut broker,
        &buy("b", "0.001", "57200.01"),
        "PERCENT_PRICE",
    );
    let sell = |id, price| order(id, Side::Sell, "0.001", Some(price));
    assert_taken(&mut broker, &sell("s", "104000"));
    assert_denied(
        &server,
        &mut broker,
        &sell("c", "104000.01"),
        "PERCENT_PRICE",
    );
    assert_taken(&mut broker, &sell("t", "46800"));
    assert_denied(
        &server,
        &mut broker,
        &sell("d", "46799.99"),
        "PERCENT_PRICE",
    );
}

#[test]
fn the_reference_price_comes_before_the_mean() {
    let one = json!({
        "filterType": "PERCENT_PRICE", "multiplierUp": "1.3", "multiplierDown": "0.7", "avgPriceMins": 5
    });
    let (server, mut broker) = with(&[("ETHUSDT", one)]);
    server.set_mean("ETHUSDT", "3000");
    server.set_reference("ETHUSDT", "2900");
    let eth = |id, price| NewOrder {
        symbol: "ETHUSDT".parse().unwrap(),
        ..buy(id, "0.1", price)
    };
    assert_taken(&mut broker, &eth("in", "2030"));
    assert_denied(
        &server,
        &mut broker,
        &eth("out", "2029.99"),
        "PERCENT_PRICE",
    );
}

#[test]
fn a_mean_of_other_minutes_is_weighted_from_bars_and_one_of_none_is_the_last_price() {
    let (server, mut broker) = with(&[("BTCUSDT", band(2)), ("ETHUSDT", band(0))]);
    // 4 at 50,000 and 1 at 45,000 are 49,000; the first minute is too long ago.
    let bars = [["9", "90000"], ["4", "200000"], ["1", "45000"]];
    server.set_minutes("BTCUSDT", &bars);
    assert_taken(&mut broker, &buy("in", "0.001", "24500"));
    assert_denied(
        &server,
        &mut broker,
        &buy("out", "0.001", "24499.99"),
        "PERCENT_PRICE",
    );
    let eth = |id, price| NewOrder {
        symbol: "ETHUSDT".parse().unwrap(),
        ..buy(id, "0.1", price)
    };
    assert_taken(&mut broker, &eth("eth-in", "1500"));
    assert_denied(
        &server,
        &mut broker,
        &eth("eth-out", "1499.99"),
        "PERCENT_PRICE",
    );
    // Minutes in which nothing traded leave the last price, 50,000.
    server.set_minutes("BTCUSDT", &[]);
    assert_denied(
        &server,
        &mut broker,
        &buy("none", "0.001", "24500"),
        "PERCENT_PRICE",
    );
}

#[test]
fn a_market_order_is_valued_at_the_mean_price() {
    let (server, mut broker) = with(&[]);
    server.set_mean("BTCUSDT", "50000");
    let market = |id, qty| order(id, Side::Buy, qty, None);
    assert_denied(
        &server,
        &mut broker,
        &market("small", "0.00009"),
        "NOTIONAL",
    );
    assert_taken(&mut broker, &market("enough", "0.0001"));
}

#[test]
fn open_orders_of_an_instrument_and_of_the_account_are_counted() {
    let (server, mut broker) = with(&[
        (
            "BTCUSDT",
            json!({"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 2}),
        ),
        (
            "",
            json!({"filterType": "EXCHANGE_MAX_NUM_ORDERS", "maxNumOrders": 3}),
        ),
    ]);
    assert_taken(&mut broker, &buy("one", "0.001", "40000"));
    assert_taken(&mut broker, &buy("two", "0.001", "40000"));
    assert_denied(
        &server,
        &mut broker,
        &buy("three", "0.001", "40000"),
        "MAX_NUM_ORDERS",
    );
    let eth = |id| NewOrder {
        symbol: "ETHUSDT".parse().unwrap(),
        ..buy(id, "0.01", "2000")
    };
    assert_taken(&mut broker, &eth("eth-1"));
    assert_denied(
        &server,
        &mut broker,
        &eth("eth-2"),
        "EXCHANGE_MAX_NUM_ORDERS",
    );
    // One that has filled is open no more.
    server.fill("two", "0.001");
    assert_taken(&mut broker, &buy("four", "0.001", "40000"));
}

#[test]
fn a_position_is_what_is_held_locked_and_on_order() {
    let most = json!({"filterType": "MAX_POSITION", "maxPosition": "1.5"});
    let (server, mut broker) = with(&[("BTCUSDT", most)]);
    // One is held: 0.2 of it locked in a sell.
    assert_taken(
        &mut broker,
        &order("sell", Side::Sell, "0.2", Some("60000")),
    );
    assert_taken(&mut broker, &buy("buy", "0.3", "40000"));
    assert_taken(&mut broker, &buy("rest", "0.2", "40000"));
    assert_denied(
        &server,
        &mut broker,
        &buy("most", "0.001", "40000"),
        "MAX_POSITION",
    );
    // Sells are free to go.
    assert_taken(&mut broker, &order("out", Side::Sell, "0.8", Some("60000")));
}

#[test]
fn the_largest_amount_of_an_asset_is_the_accounts_own_filter() {
    let filters = [
        (
            "",
            json!({"filterType": "MAX_ASSET", "asset": "BTC", "limit": "0.5"}),
        ),
        (
            "",
            json!({"filterType": "MAX_ASSET", "asset": "USDT", "limit": "10000"}),
        ),
    ];
    let (server, mut broker) = with(&filters);
    assert_taken(&mut broker, &buy("in", "0.25", "40000"));
    assert_denied(
        &server,
        &mut broker,
        &buy("value", "0.25001", "40000"),
        "MAX_ASSET",
    );
    assert_denied(
        &server,
        &mut broker,
        &buy("qty", "0.50001", "15000"),
        "MAX_ASSET",
    );
    let sells = order("market", Side::Sell, "0.20001", None);
    assert_denied(&server, &mut broker, &sells, "MAX_ASSET");
    let asked = |server: &BinanceServer| {
        let asked = server.requests();
        asked.iter().filter(|r| r.ends_with("/myFilters")).count()
    };
    assert_eq!(asked(&server), 1, "40 of weight are spent once");
    // Who does not ask is told by the venue.
    let mut other = connected(&server, false);
    let outcome = other.submit(&buy("late", "0.25001", "40000"));
    assert!(
        matches!(&outcome, Outcome::Rejected(r) if r.code == -1013 && r.text.contains("MAX_ASSET")),
        "{outcome}"
    );
}

#[test]
fn no_question_is_asked_that_no_filter_needs() {
    let (server, mut broker) = with(&[]);
    let before = server.requests().len();
    assert_denied(
        &server,
        &mut broker,
        &buy("a", "0.000001", "40000"),
        "LOT_SIZE",
    );
    assert_eq!(server.requests().len(), before);
    assert_taken(&mut broker, &buy("b", "0.001", "40000"));
    let asked = server.requests().split_off(before);
    assert_eq!(
        asked,
        [
            "GET /api/v3/myFilters",
            "GET /api/v3/referencePrice",
            "GET /api/v3/avgPrice",
            "GET /api/v3/openOrders",
            "GET /api/v3/order",
            PLACE
        ]
    );
}

#[test]
fn when_a_question_for_a_filter_fails_nothing_is_sent() {
    let (server, mut broker) = with(&[]);
    for path in ["myFilters", "referencePrice", "avgPrice", "openOrders"] {
        server.fail_next(
            &format!("GET /api/v3/{path}"),
            Fault::Answer {
                status: 500,
                code: -1000,
                text: "as scripted".to_owned(),
                retry_after: None,
                processed: false,
            },
        );
        let outcome = broker.submit(&buy("a", "0.001", "40000"));
        assert!(
            matches!(outcome, Outcome::Denied(Denial::Unprepared { .. })),
            "{path}: {outcome}"
        );
    }
    assert_eq!(server.accepted("a"), 0);
    assert_taken(&mut broker, &buy("a", "0.001", "40000"));
}

#[test]
fn an_instrument_that_does_not_trade_takes_no_orders() {
    for (status, state) in [
        ("HALT", InstrumentState::Halted),
        ("BREAK", InstrumentState::Closed),
        ("CANCEL_ONLY", InstrumentState::CancelOnly),
    ] {
        let server = BinanceServer::start().unwrap();
        let mut broker = connected(&server, true);
        let symbol = "BTCUSDT".parse().unwrap();
        server.set_status("BTCUSDT", status);
        // It stopped after its rules were read: the venue says so.
        let outcome = broker.submit(&buy("late", "0.001", "40000"));
        assert!(
            matches!(&outcome, Outcome::Rejected(r) if r.code == -1013),
            "{outcome}"
        );
        assert_eq!(broker.instruments(&[symbol]).unwrap()[0].state, state);
        let outcome = broker.submit(&buy("known", "0.001", "40000"));
        assert!(
            matches!(outcome, Outcome::Denied(Denial::Unsupported { .. })),
            "{outcome}"
        );
    }
}

#[test]
fn the_orders_of_ten_seconds_are_counted_from_the_headers_and_not_exceeded() {
    let server = BinanceServer::start().unwrap();
    server.set_order_limit(3);
    // Early in ten seconds of the venue, so that none end in between.
    let since = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap()
        .as_millis();
    server.set_clock(1_000 - i64::try_from(since % 10_000).unwrap());
    let mut broker = connected(&server, true);
    for id in ["one", "two", "three"] {
        assert_taken(&mut broker, &buy(id, "0.001", "40000"));
    }
    let outcome = broker.submit(&buy("four", "0.001", "40000"));
    assert!(
        matches!(outcome, Outcome::Denied(Denial::Paused { wait_ms }) if wait_ms <= 10_000),
        "{outcome}"
    );
    let placed = server.requests().iter().filter(|r| *r == PLACE).count();
    assert_eq!(placed, 3, "the venue had to say so");
}

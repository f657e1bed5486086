//! Binance over a real socket, against the server on loopback: every behaviour and trap that is documented or was met.

#![cfg(all(feature = "binance", feature = "testing"))]
#![allow(clippy::unwrap_used, reason = "tests and their helpers")]

use ed25519_dalek::SigningKey;
use nanobook::trading::{NewOrder, OrderState, TimeInForce, Units, decimal};
use nanobook::{Money, OrderKind, Side, Symbol, Timestamp};
use nanobook_broker::binance::{BinanceBroker, Config, Endpoint, Signer};
use nanobook_broker::fake::binance::{BinanceServer, Fault, Key};
use nanobook_broker::secret::Secret;
use nanobook_broker::{Broker, Denial, Error, OrderKey, Outcome};

const SECRET: &str = "hush-this-is-the-secret";

fn btc() -> Symbol {
    "BTCUSDT".parse().unwrap()
}

fn config(server: &BinanceServer) -> Config {
    server.allow("test-key", Key::Hmac(SECRET.to_owned()));
    let signer = Signer::Hmac(Secret::new(SECRET.to_owned()));
    Config {
        endpoint: Endpoint::at(&server.url()).unwrap(),
        timeout_ms: 1_000,
        look_again: 2,
        look_pause_ms: 5,
        ..Config::new(Secret::new("test-key".to_owned()), signer)
    }
}

fn connected() -> (BinanceServer, BinanceBroker) {
    let server = BinanceServer::start().unwrap();
    let mut broker = BinanceBroker::new(config(&server)).unwrap();
    broker.connect().unwrap();
    (server, broker)
}

fn limit(id: &str, side: Side, qty: &str, price: &str) -> NewOrder {
    NewOrder {
        client_order_id: id.parse().unwrap(),
        symbol: btc(),
        side,
        qty: qty.parse().unwrap(),
        kind: OrderKind::Limit {
            price: decimal::price(price).unwrap(),
        },
        tif: TimeInForce::Gtc,
    }
}

fn answer(status: u16, code: i32, processed: bool) -> Fault {
    Fault::Answer {
        status,
        code,
        text: "as scripted".to_owned(),
        retry_after: None,
        processed,
    }
}

const PLACE: &str = "POST /api/v3/order";
const LOOK: &str = "GET /api/v3/order";

#[test]
fn an_order_fills_rests_and_is_cancelled() {
    let (server, mut broker) = connected();
    let taken = limit("take", Side::Buy, "0.1", "50001");
    let order = broker.submit(&taken);
    let order = order.order().unwrap();
    assert_eq!(
        (order.state, order.filled_qty),
        (OrderState::Filled, taken.qty)
    );
    assert_eq!(order.avg_px, Some(decimal::price("50001").unwrap()));
    let rests = limit("rest", Side::Buy, "0.1", "40000");
    assert_eq!(
        broker.submit(&rests).order().unwrap().state,
        OrderState::Accepted
    );
    let open = broker.open_orders().unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].client_order_id, Some(rests.client_order_id));
    server.fill("rest", "0.03");
    let found = broker.order(OrderKey::of(&rests)).unwrap();
    assert_eq!(found[0].state, OrderState::PartiallyFilled);
    let gone = broker.cancel(OrderKey::of(&rests));
    let gone = gone.order().unwrap();
    // The answer to a cancel has a new id; ours is in another field.
    assert_eq!(gone.client_order_id, Some(rests.client_order_id));
    assert_eq!(
        (gone.state, gone.filled_qty),
        (OrderState::Cancelled, "0.03".parse().unwrap())
    );
    let fills = broker.fills_since(&[btc()], Timestamp(0)).unwrap();
    assert_eq!(fills.len(), 2);
    assert_eq!(fills[1].client_order_id, Some(rests.client_order_id));
}

#[test]
fn fees_are_taken_from_what_was_bought() {
    let (_server, mut broker) = connected();
    let order = NewOrder {
        symbol: "ADAUSDT".parse().unwrap(),
        ..limit("ada", Side::Buy, "1000", "0.5001")
    };
    let _ = broker.submit(&order);
    let positions = broker.positions().unwrap();
    let ada = positions.iter().find(|p| p.symbol == order.symbol).unwrap();
    assert_eq!(ada.qty, Units::whole(999));
    let fill = &broker.fills_since(&[order.symbol], Timestamp(0)).unwrap()[0];
    assert_eq!(fill.fee, Some(Money(decimal::ONE)));
    assert_eq!(fill.fee_currency.unwrap().as_str(), "ADA");
    let rules = broker.instruments(&[order.symbol]).unwrap()[0];
    assert_eq!(
        ada.available.unwrap().floor_to(rules.lot),
        Units::whole(999)
    );
}

#[test]
fn equity_is_cash_and_every_holding_at_the_middle_of_its_quote() {
    let (server, mut broker) = connected();
    assert_eq!(
        broker.account().unwrap().equity,
        Some(decimal::money("150000").unwrap())
    );
    // What has no market here has no price, so equity is not known.
    server.set_balance("XYZ", "1");
    assert_eq!(broker.account().unwrap().equity, None);
}

#[test]
fn an_ed25519_key_signs_what_the_venue_accepts() {
    let server = BinanceServer::start().unwrap();
    let key = SigningKey::from_bytes(&[7; 32]);
    server.allow("ed", Key::Ed25519(key.verifying_key()));
    let settings = Config {
        key: Secret::new("ed".to_owned()),
        signer: Signer::Ed25519(Box::new(key)),
        ..config(&server)
    };
    let mut broker = BinanceBroker::new(settings).unwrap();
    broker.connect().unwrap();
    assert!(matches!(
        broker.submit(&limit("a", Side::Buy, "0.1", "40000")),
        Outcome::Confirmed(_)
    ));
    let other = Config {
        key: Secret::new("ed".to_owned()),
        signer: Signer::Ed25519(Box::new(SigningKey::from_bytes(&[8; 32]))),
        ..config(&server)
    };
    let error = BinanceBroker::new(other).unwrap().connect().unwrap_err();
    assert!(
        matches!(error, Error::Refused { code: -1022, .. }),
        "{error}"
    );
}

#[test]
fn a_clock_that_is_off_is_set_by_the_venue_both_ways() {
    for offset in [-7_000, 7_000] {
        let server = BinanceServer::start().unwrap();
        server.set_clock(offset);
        let mut broker = BinanceBroker::new(config(&server)).unwrap();
        let session = broker.connect().unwrap();
        assert!((session.clock_offset_ns / 1_000_000 - offset).abs() < 200);
        assert!(broker.positions().is_ok());
    }
}

#[test]
fn minus_1021_is_answered_by_one_look_at_the_clock_and_one_repeat() {
    let (server, mut broker) = connected();
    for offset in [-20_000, 20_000] {
        server.set_clock(offset);
        let order = limit(&format!("o{}", offset + 30_000), Side::Buy, "0.1", "40000");
        assert!(matches!(broker.submit(&order), Outcome::Confirmed(_)));
        assert_eq!(server.accepted(order.client_order_id.as_str()), 1);
    }
}

#[test]
fn minus_1007_after_the_order_was_taken_is_resolved_by_its_id() {
    let (server, mut broker) = connected();
    for (at, fault) in [
        answer(504, -1007, true),
        answer(500, -1006, true),
        answer(503, -1000, true),
        answer(502, 0, true),
        Fault::Drop { processed: true },
        Fault::Silence { processed: true },
        Fault::Garbage,
    ]
    .into_iter()
    .enumerate()
    {
        server.fail_next(PLACE, fault.clone());
        let id = format!("doubt-{at}");
        let outcome = broker.submit(&limit(&id, Side::Buy, "0.01", "40000"));
        assert!(
            matches!(outcome, Outcome::Confirmed(_)),
            "{fault:?}: {outcome}"
        );
        assert_eq!(server.accepted(&id), 1, "{fault:?}");
    }
}

#[test]
fn an_order_that_may_not_have_arrived_is_unknown_and_not_sent_again() {
    let (server, mut broker) = connected();
    for (at, fault) in [
        answer(504, -1007, false),
        answer(503, -1000, false),
        Fault::Drop { processed: false },
        Fault::Silence { processed: false },
    ]
    .into_iter()
    .enumerate()
    {
        server.fail_next(PLACE, fault.clone());
        let id = format!("lost-{at}");
        let order = limit(&id, Side::Buy, "0.01", "40000");
        let outcome = broker.submit(&order);
        assert!(outcome.is_unknown(), "{fault:?}: {outcome}");
        let again = broker.submit(&order);
        assert!(
            matches!(again, Outcome::Denied(Denial::AlreadySent { .. })),
            "{again}"
        );
        assert_eq!(server.accepted(&id), 0);
    }
    let placed = server.requests().iter().filter(|r| *r == PLACE).count();
    assert_eq!(placed, 4);
}

#[test]
fn minus_2013_can_be_a_lag_and_is_not_taken_for_an_answer() {
    let (server, mut broker) = connected();
    // The order is taken, the answer lost, and the first look does not see it: the second does.
    server.fail_next(PLACE, Fault::Hide { questions: 1 });
    let order = limit("late", Side::Buy, "0.01", "40000");
    let outcome = broker.submit(&order);
    assert!(matches!(outcome, Outcome::Confirmed(_)));
    assert!(broker.order(OrderKey::of(&order)).unwrap().is_empty());
    assert_eq!(broker.order(OrderKey::of(&order)).unwrap().len(), 1);
    assert!(broker.capabilities().visibility_lag_ns > 0);
}

#[test]
fn an_id_that_filled_before_is_not_sent_again_though_the_venue_would_take_it() {
    let (server, mut broker) = connected();
    let order = limit("once", Side::Buy, "0.01", "50001");
    assert!(matches!(broker.submit(&order), Outcome::Confirmed(_)));
    // A process that was started anew remembers nothing.
    let mut other = BinanceBroker::new(config(&server)).unwrap();
    other.connect().unwrap();
    let outcome = other.submit(&order);
    assert!(
        matches!(outcome, Outcome::Denied(Denial::AlreadySent { .. })),
        "{outcome}"
    );
    assert_eq!(server.accepted("once"), 1);
}

#[test]
fn when_the_search_for_an_earlier_order_fails_nothing_is_sent() {
    let (server, mut broker) = connected();
    server.fail_next(LOOK, answer(500, -1000, false));
    let outcome = broker.submit(&limit("a", Side::Buy, "0.01", "40000"));
    assert!(
        matches!(outcome, Outcome::Denied(Denial::Unprepared { .. })),
        "{outcome}"
    );
    assert_eq!(server.accepted("a"), 0);
}

#[test]
fn a_question_that_fails_is_never_an_empty_answer() {
    let (server, mut broker) = connected();
    for fault in [
        answer(500, -1000, true),
        answer(403, 0, false),
        Fault::Drop { processed: true },
        Fault::Silence { processed: true },
        Fault::Garbage,
    ] {
        for path in ["account", "openOrders", "myTrades"] {
            server.fail_next(&format!("GET /api/v3/{path}"), fault.clone());
        }
        assert!(broker.positions().is_err(), "{fault:?}");
        assert!(broker.open_orders().is_err(), "{fault:?}");
        assert!(
            broker.fills_since(&[btc()], Timestamp(0)).is_err(),
            "{fault:?}"
        );
    }
}

#[test]
fn after_429_nothing_is_sent_until_the_pause_is_over() {
    let (server, mut broker) = connected();
    server.fail_next(
        "GET /api/v3/openOrders",
        Fault::Answer {
            status: 429,
            code: -1003,
            text: "Too much request weight used.".to_owned(),
            retry_after: Some(1),
            processed: false,
        },
    );
    let error = broker.open_orders().unwrap_err();
    assert!(
        matches!(
            error,
            Error::Paused {
                banned: false,
                wait_ms: 1_000,
                ..
            }
        ),
        "{error}"
    );
    let count = server.requests().len();
    let order = limit("a", Side::Buy, "0.01", "40000");
    assert!(matches!(broker.submit(&order), Outcome::Denied(_)));
    assert!(matches!(broker.positions(), Err(Error::Paused { .. })));
    assert_eq!(
        server.requests().len(),
        count,
        "something was sent in the pause"
    );
    std::thread::sleep(std::time::Duration::from_millis(1_050));
    assert!(matches!(broker.submit(&order), Outcome::Confirmed(_)));
}

#[test]
fn a_ban_is_kept_for_as_long_as_the_venue_says() {
    let (server, mut broker) = connected();
    server.fail_next(
        PLACE,
        Fault::Answer {
            status: 418,
            code: -1003,
            text: "Way too much request weight used; IP banned.".to_owned(),
            retry_after: Some(120),
            processed: false,
        },
    );
    let outcome = broker.submit(&limit("a", Side::Buy, "0.01", "40000"));
    assert!(
        matches!(&outcome, Outcome::Rejected(refusal) if refusal.code == -1003),
        "{outcome}"
    );
    let error = broker.account().unwrap_err();
    assert!(
        matches!(error, Error::Paused { banned: true, wait_ms, .. } if wait_ms > 100_000),
        "{error}"
    );
}

#[test]
fn the_weight_of_a_minute_is_counted_from_the_headers_and_not_exceeded() {
    let server = BinanceServer::start().unwrap();
    server.set_weight_limit(200);
    // Half way through a minute of the venue, so that none ends in between.
    let since = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap()
        .as_millis();
    server.set_clock(30_000 - i64::try_from(since % 60_000).unwrap());
    let mut broker = BinanceBroker::new(config(&server)).unwrap();
    broker.connect().unwrap();
    assert!(broker.used_weight() >= 41);
    let error = loop {
        match broker.open_orders() {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert!(
        matches!(error, Error::Paused { banned: false, .. }),
        "{error}"
    );
    assert_eq!(server.ignored_pauses(), 0, "the venue had to say so");
}

#[test]
fn filters_refuse_before_anything_is_sent() {
    let (server, mut broker) = connected();
    for (qty, price, name) in [
        ("0.01", "40000.001", "PRICE_FILTER"),
        ("0.000001", "40000", "LOT_SIZE"),
        ("0.0001", "40000", "NOTIONAL"),
    ] {
        let outcome = broker.submit(&limit("a", Side::Buy, qty, price));
        let Outcome::Denied(Denial::Filter { filter, .. }) = outcome else {
            panic!("{outcome}");
        };
        assert_eq!(filter, name);
    }
    assert!(!server.requests().contains(&PLACE.to_owned()));
}

#[test]
fn refusals_of_the_venue_are_refusals() {
    let (_server, mut broker) = connected();
    let outcome = broker.submit(&limit("a", Side::Buy, "8", "50000"));
    assert!(
        matches!(&outcome, Outcome::Rejected(r) if r.code == -2010),
        "{outcome}"
    );
    let outcome = broker.cancel(OrderKey::of(&limit("never", Side::Buy, "1", "1")));
    assert!(
        matches!(&outcome, Outcome::Rejected(r) if r.code == -2011),
        "{outcome}"
    );
    let unknown = NewOrder {
        symbol: "NOPEUSDT".parse().unwrap(),
        ..limit("c", Side::Buy, "1", "1")
    };
    assert!(matches!(
        broker.submit(&unknown),
        Outcome::Denied(Denial::UnknownInstrument { .. })
    ));
    let day = NewOrder {
        tif: TimeInForce::Day,
        ..limit("d", Side::Buy, "0.01", "40000")
    };
    assert!(matches!(
        broker.submit(&day),
        Outcome::Denied(Denial::Unsupported { .. })
    ));
}

#[test]
fn a_cancel_that_meets_a_fill_says_that_it_filled() {
    let (server, mut broker) = connected();
    let order = limit("race", Side::Buy, "0.01", "40000");
    let _ = broker.submit(&order);
    server.fill("race", "0.01");
    let outcome = broker.cancel(OrderKey::of(&order));
    assert!(
        matches!(&outcome, Outcome::Rejected(r) if r.code == -2011),
        "{outcome}"
    );
    assert_eq!(
        broker.order(OrderKey::of(&order)).unwrap()[0].state,
        OrderState::Filled
    );
    // The same with the answer lost on its way.
    let order = limit("race-2", Side::Buy, "0.01", "40000");
    let _ = broker.submit(&order);
    server.fail_next("DELETE /api/v3/order", Fault::Drop { processed: true });
    let outcome = broker.cancel(OrderKey::of(&order));
    assert_eq!(
        outcome.order().map(|o| o.state),
        Some(OrderState::Cancelled),
        "{outcome}"
    );
}

#[test]
fn part_fills_come_as_the_market_does() {
    let (server, mut broker) = connected();
    server.set_quote("BTCUSDT", ["49999", "50001", "0.04"]);
    let order = limit("part", Side::Buy, "0.1", "50001");
    let first = broker.submit(&order);
    assert_eq!(first.order().unwrap().filled_qty, "0.04".parse().unwrap());
    server.set_quote("BTCUSDT", ["49998", "50000", "0.03"]);
    assert_eq!(
        broker.order(OrderKey::of(&order)).unwrap()[0].filled_qty,
        "0.07".parse().unwrap()
    );
    let ioc = NewOrder {
        tif: TimeInForce::Ioc,
        ..limit("ioc", Side::Sell, "0.1", "49998")
    };
    let outcome = broker.submit(&ioc);
    let ended = outcome.order().unwrap();
    assert_eq!(
        (ended.state, ended.filled_qty),
        (OrderState::Expired, "0.03".parse().unwrap())
    );
}

#[test]
fn live_is_asked_for_by_name_and_remote_hosts_are_encrypted() {
    for bad in [
        "http://testnet.binance.vision",
        "https://api.binance.com",
        "https://api1.binance.com/x",
        "ftp://127.0.0.1.example.com",
        "https://user:pass@example.com",
    ] {
        assert!(Endpoint::at(bad).is_err(), "{bad}");
    }
    assert!(!Endpoint::testnet().is_live());
    assert!(Endpoint::live().is_live());
    for good in [
        "http://127.0.0.1:1",
        "http://[::1]:1",
        "http://localhost:1",
        "https://testnet.binance.vision",
    ] {
        assert!(Endpoint::at(good).is_ok(), "{good}");
    }
}

#[test]
fn another_account_than_the_one_that_was_meant_is_refused() {
    let server = BinanceServer::start().unwrap();
    let settings = Config {
        account_id: Some("1".to_owned()),
        ..config(&server)
    };
    let mut broker = BinanceBroker::new(settings).unwrap();
    assert!(matches!(broker.connect(), Err(Error::WrongAccount { .. })));
    assert!(matches!(
        broker.positions(),
        Err(Error::NotConnected { .. })
    ));
}

#[test]
fn the_key_is_in_no_error_and_in_no_debug_print() {
    let server = BinanceServer::start().unwrap();
    let settings = config(&server);
    let mut texts = vec![
        format!("{settings:?}"),
        format!("{server:?}")
            .replace(SECRET, "")
            .replace("test-key", ""),
    ];
    let mut broker = BinanceBroker::new(settings).unwrap();
    broker.connect().unwrap();
    for fault in [
        answer(500, -1000, false),
        answer(400, -1022, false),
        answer(403, 0, false),
        Fault::Drop { processed: false },
        Fault::Silence { processed: false },
        Fault::Garbage,
    ] {
        server.fail_next("GET /api/v3/account", fault.clone());
        let error = broker.account().unwrap_err();
        texts.push(format!("{error} {error:?}"));
        server.fail_next(PLACE, fault);
        let outcome = broker.submit(&limit(
            &format!("s{}", texts.len()),
            Side::Buy,
            "0.01",
            "40000",
        ));
        texts.push(format!("{outcome} {outcome:?}"));
    }
    drop(server);
    let error = broker.account().unwrap_err();
    texts.push(format!("{error} {error:?}"));
    for text in texts {
        for word in [SECRET, "test-key", "signature="] {
            assert!(!text.contains(word), "{word} in {text}");
        }
    }
}

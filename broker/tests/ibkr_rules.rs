//! Hours, ticks by price and what-if margin of Interactive Brokers over a real socket, against the gateway on loopback.

#![cfg(all(feature = "ibkr", feature = "testing"))]
#![allow(clippy::unwrap_used, reason = "tests and their helpers")]

use jiff::{Timestamp as Now, ToSpan as _, tz::TimeZone};
use nanobook::trading::{InstrumentState, NewOrder, TimeInForce, Units, decimal};
use nanobook::{Money, OrderKind, Price, Side, Symbol};
use nanobook_broker::fake::tws::{Fault, TwsGateway};
use nanobook_broker::ibkr::{Config, IbkrBroker, TradingHours};
use nanobook_broker::{Broker, Denial, Error, Outcome, market_open};

const PLACE: i32 = 3;
const RULE: i32 = 91;
const DETAILS: i32 = 9;

fn symbol(name: &str) -> Symbol {
    name.parse().unwrap()
}

fn price(text: &str) -> Price {
    decimal::price(text).unwrap()
}

fn connected(gateway: &TwsGateway, hours: TradingHours) -> IbkrBroker {
    let config = Config {
        address: gateway.address(),
        timeout_ms: 1_000,
        hours,
        ..Config::new("DU1234567")
    };
    let mut broker = IbkrBroker::new(config).unwrap();
    broker.connect().unwrap();
    broker
}

fn limit(id: &str, at: &str) -> NewOrder {
    NewOrder {
        client_order_id: id.parse().unwrap(),
        symbol: symbol("AAPL"),
        side: Side::Buy,
        qty: Units::whole(1),
        kind: OrderKind::Limit { price: price(at) },
        tif: TimeInForce::Day,
    }
}

fn market(id: &str) -> NewOrder {
    NewOrder {
        kind: OrderKind::Market,
        ..limit(id, "1")
    }
}

/// A session from so many minutes from now to so many, as the gateway writes it, in New York.
fn session(from: i64, to: i64) -> String {
    let zone = TimeZone::get("America/New_York").unwrap();
    let at = |minutes: i64| {
        let then = Now::now().checked_add(minutes.minutes()).unwrap();
        then.to_zoned(zone.clone())
            .strftime("%Y%m%d:%H%M")
            .to_string()
    };
    format!("{}-{}", at(from), at(to))
}

fn closed_for(outcome: &Outcome) -> Option<u64> {
    match outcome {
        Outcome::Denied(Denial::Closed { wait_ms, .. }) => *wait_ms,
        other => panic!("{other}"),
    }
}

#[test]
fn an_instrument_is_closed_outside_its_hours_in_its_own_zone() {
    let gateway = TwsGateway::start().unwrap();
    let [open, later] = [session(-60, 60), session(120, 180)];
    gateway.set_hours("AAPL", ["US/Eastern", &open, &open]);
    gateway.set_hours("MSFT", ["EST (Eastern Standard Time)", &later, &later]);
    // The same digits in Tokyo are another time.
    gateway.set_hours("SPY", ["Asia/Tokyo", &open, &open]);
    let mut broker = connected(&gateway, TradingHours::Regular);
    assert!(broker.capabilities().hours);
    let asked = ["AAPL", "MSFT", "SPY"].map(symbol);
    let instruments = broker.instruments(&asked).unwrap();
    let states: Vec<_> = instruments.iter().map(|i| i.state).collect();
    let closed = InstrumentState::Closed;
    assert_eq!(states, [InstrumentState::Trading, closed, closed]);
    assert_eq!(market_open(&instruments), Some(false));
    assert_eq!(market_open(&instruments[..1]), Some(true));
    assert!(matches!(
        broker.submit(&limit("open", "150")),
        Outcome::Confirmed(_)
    ));
    let placed = gateway.requests().len();
    let outcome = broker.submit(&NewOrder {
        symbol: symbol("MSFT"),
        ..limit("shut", "150")
    });
    let minutes = closed_for(&outcome).unwrap() / 60_000;
    assert!((118..=121).contains(&minutes), "{outcome}");
    assert!(
        outcome
            .to_string()
            .contains("MSFT does not trade now; it opens in")
    );
    assert!(!gateway.requests()[placed..].contains(&PLACE));
}

#[test]
fn a_closed_day_and_hours_that_are_not_listed_are_not_open() {
    let gateway = TwsGateway::start().unwrap();
    let today = session(0, 0)[..8].to_owned() + ":CLOSED";
    gateway.set_hours("AAPL", ["US/Eastern", &today, &today]);
    gateway.set_hours("MSFT", ["US/Eastern", "", ""]);
    let mut broker = connected(&gateway, TradingHours::Regular);
    let instruments = broker
        .instruments(&[symbol("AAPL"), symbol("MSFT")])
        .unwrap();
    assert!(
        instruments
            .iter()
            .all(|i| i.state == InstrumentState::Closed)
    );
    assert_eq!(closed_for(&broker.submit(&limit("a", "150"))), None);
    // Hours of another form are no hours, and no reason to guess.
    gateway.set_hours("SPY", ["Atlantis", &today, "20261123:0930-20261123:1600"]);
    let error = broker.instruments(&[symbol("SPY")]).unwrap_err();
    assert!(matches!(&error, Error::Protocol { .. }), "{error}");
    assert!(error.to_string().contains("Atlantis"), "{error}");
}

#[test]
fn the_market_closes_on_orders_that_come_later_by_the_gateways_clock() {
    let gateway = TwsGateway::start().unwrap();
    let open = session(-60, 60);
    gateway.set_hours("AAPL", ["US/Eastern", &open, &open]);
    let mut broker = connected(&gateway, TradingHours::Regular);
    broker.instruments(&[symbol("AAPL")]).unwrap();
    assert!(matches!(
        broker.submit(&limit("now", "150")),
        Outcome::Confirmed(_)
    ));
    gateway.set_clock(2 * 3_600_000);
    assert_eq!(closed_for(&broker.submit(&limit("late", "150"))), None);
    assert_eq!(gateway.accepted("late"), 0);
}

#[test]
fn extended_hours_are_for_limit_orders_and_are_asked_for() {
    let gateway = TwsGateway::start().unwrap();
    let [all, regular] = [session(-60, 240), session(60, 120)];
    gateway.set_hours("AAPL", ["US/Eastern", &all, &regular]);
    for (hours, limits, markets) in [
        (TradingHours::Regular, false, false),
        (TradingHours::Extended, true, false),
        (TradingHours::Any, true, true),
    ] {
        let mut broker = connected(&gateway, hours);
        let instruments = broker.instruments(&[symbol("AAPL")]).unwrap();
        let trades = instruments[0].state == InstrumentState::Trading;
        assert_eq!(trades, limits, "{hours:?}");
        for (order, taken) in [
            (limit(&format!("l-{hours:?}"), "150"), limits),
            (market(&format!("m-{hours:?}")), markets),
        ] {
            let outcome = broker.submit(&order);
            let denied = matches!(outcome, Outcome::Denied(Denial::Closed { .. }));
            assert_eq!(denied, !taken, "{hours:?}: {outcome}");
            let reference = order.client_order_id;
            let outside = gateway.outside_hours(reference.as_str());
            let wanted = taken.then_some(hours == TradingHours::Extended);
            assert_eq!(outside, wanted, "{hours:?}");
        }
    }
}

#[test]
fn a_price_keeps_the_tick_of_its_band_of_the_exchange_that_orders_go_to() {
    let gateway = TwsGateway::start().unwrap();
    gateway.set_ticks("AAPL", &[["0", "0.0001"], ["1", "0.01"], ["100", "0.05"]]);
    let mut broker = connected(&gateway, TradingHours::Regular);
    let known = broker
        .instruments(&[symbol("AAPL"), symbol("MSFT"), symbol("SPY")])
        .unwrap();
    let ticks: Vec<Price> = known.iter().map(|i| i.tick).collect();
    assert_eq!(ticks, [price("0.0001"), price("0.01"), price("0.01")]);
    let asked = gateway.requests().iter().filter(|r| **r == RULE).count();
    assert_eq!(asked, 2, "a rule that two share is asked for once");
    for (at, taken) in [
        ("0.9999", true),
        ("0.99995", false),
        ("1.01", true),
        ("1.001", false),
        ("99.99", true),
        ("100.05", true),
        ("100.01", false),
    ] {
        let before = gateway.requests().len();
        let outcome = broker.submit(&limit(&format!("p-{}", at.replace('.', "_")), at));
        assert_eq!(
            matches!(outcome, Outcome::Confirmed(_)),
            taken,
            "{at}: {outcome}"
        );
        let sent = gateway.requests()[before..].contains(&PLACE);
        assert_eq!(sent, taken, "{at}");
    }
    let outcome = broker.submit(&limit("words", "100.01"));
    assert_eq!(
        outcome.to_string(),
        "denied: tick: 100.01 where a multiple of 0.05 from 100 on is asked for"
    );
    let rules = broker.rules(symbol("AAPL")).unwrap();
    let snapped = rules.ticks.snap(price("100.01"), Side::Sell);
    assert_eq!(snapped, Some(price("100.05")));
}

#[test]
fn the_gateway_agrees_on_the_ticks_of_a_band() {
    let gateway = TwsGateway::start().unwrap();
    let mut broker = connected(&gateway, TradingHours::Regular);
    broker.instruments(&[symbol("AAPL")]).unwrap();
    // The bands change after they were asked for.
    gateway.set_ticks("AAPL", &[["0", "0.01"], ["100", "0.05"]]);
    let outcome = broker.submit(&limit("old", "100.01"));
    assert!(
        matches!(&outcome, Outcome::Rejected(r) if r.code == 110),
        "{outcome}"
    );
}

#[test]
fn rules_without_an_answer_leave_the_instrument_unknown() {
    let gateway = TwsGateway::start().unwrap();
    let mut broker = connected(&gateway, TradingHours::Regular);
    for request in [RULE, DETAILS] {
        gateway.fail(Fault::NoAnswer { request });
        let error = broker.instruments(&[symbol("AAPL")]).unwrap_err();
        assert!(matches!(error, Error::Timeout { .. }), "{error}");
        let outcome = broker.submit(&limit("a", "150"));
        assert!(matches!(
            outcome,
            Outcome::Denied(Denial::UnknownInstrument { .. })
        ));
    }
}

#[test]
fn a_gateway_that_is_too_old_is_refused_when_connecting() {
    let gateway = TwsGateway::start().unwrap();
    gateway.set_version(178);
    let config = Config {
        address: gateway.address(),
        timeout_ms: 1_000,
        ..Config::new("DU1234567")
    };
    let mut broker = IbkrBroker::new(config).unwrap();
    let error = broker.connect().unwrap_err();
    assert!(error.to_string().contains("213"), "{error}");
    assert!(matches!(
        broker.positions(),
        Err(Error::NotConnected { .. })
    ));
    // Versions in between are spoken.
    gateway.set_version(213);
    broker.connect().unwrap();
    assert_eq!(broker.positions().unwrap().len(), 1);
}

#[test]
fn an_account_that_is_not_named_is_the_only_one_or_none() {
    let gateway = TwsGateway::start().unwrap();
    let config = Config {
        address: gateway.address(),
        timeout_ms: 1_000,
        ..Config::new("")
    };
    let mut broker = IbkrBroker::new(config.clone()).unwrap();
    assert_eq!(broker.connect().unwrap().account_id, "DU1234567");
    assert_eq!(broker.positions().unwrap().len(), 1);
    gateway.set_accounts(&["DU1234567", "DU7654321"]);
    let error = IbkrBroker::new(config).unwrap().connect().unwrap_err();
    assert!(matches!(error, Error::WrongAccount { .. }), "{error}");
}

#[test]
fn what_an_order_would_do_is_asked_without_placing_it() {
    let gateway = TwsGateway::start().unwrap();
    let mut broker = connected(&gateway, TradingHours::Regular);
    assert!(broker.capabilities().margin);
    let order = NewOrder {
        qty: Units::whole(100),
        ..limit("if", "200")
    };
    let margin = broker.margin(&order).unwrap();
    let money = |text: &str| decimal::money(text).ok();
    // 50 MSFT at 400.5 are held, and 100 AAPL at 200 would be.
    assert_eq!(margin.initial_before, money("10012.5"));
    assert_eq!(margin.initial_after, money("20012.5"));
    assert_eq!(margin.maintenance_after, money("12007.5"));
    assert_eq!(margin.equity_before, money("120025"));
    assert_eq!(margin.equity_after, money("120024"));
    assert_eq!(margin.is_covered(), Some(true));
    assert_eq!(margin.fee, Some(Money(decimal::ONE)));
    assert_eq!(margin.min_fee, None, "the largest double is no fee");
    assert_eq!(margin.currency, Some(symbol("USD")));
    assert_eq!(gateway.accepted("if"), 0);
    assert!(broker.open_orders().unwrap().is_empty());
    // The same id is free to be sent: nothing was.
    broker.instruments(&[symbol("AAPL")]).unwrap();
    assert!(matches!(broker.submit(&order), Outcome::Confirmed(_)));
    // A refusal and a silence are errors, and never a margin of zero.
    gateway.fail(Fault::Refuse {
        code: 201,
        text: "Order rejected".to_owned(),
    });
    let error = broker.margin(&limit("no", "150")).unwrap_err();
    assert!(matches!(error, Error::Refused { code: 201, .. }), "{error}");
    gateway.fail(Fault::NoAnswer { request: PLACE });
    let error = broker.margin(&limit("mute", "150")).unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error}");
}

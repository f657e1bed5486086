//! Risk and a broker together, as the README shows them: what fails is not sent, what passes is.

#![allow(clippy::unwrap_used, reason = "tests and their helpers")]

use nanobook::trading::{DataType, NewOrder, Quote, TimeInForce, Units, decimal};
use nanobook::{OrderKind, Side, Symbol, Timestamp};
use nanobook_broker::paper::{Config, PaperBroker, Recorded, Time};
use nanobook_broker::{Broker, Outcome, Result};
use nanobook_risk::{Check, Limits, Report, RiskEngine, Session, Situation};

fn send(
    broker: &mut dyn Broker,
    risk: &RiskEngine,
    orders: &[NewOrder],
    symbols: &[Symbol],
) -> Result<(Report, Vec<Outcome>)> {
    let venue = broker.connect()?;
    let (account, positions, working) = (
        broker.account()?,
        broker.positions()?,
        broker.open_orders()?,
    );
    let (quotes, instruments) = (broker.quotes(symbols)?, broker.instruments(symbols)?);
    let situation = Situation {
        account: Some(&account),
        positions: Some(&positions),
        working: Some(&working),
        quotes: &quotes,
        instruments: &instruments,
        session: Session {
            kill_switch: Some(false),
            halted: Some(false),
            reduce_only: Some(false),
            market_open: Some(true),
            account_id: Some(&venue.account_id),
            paper: Some(venue.is_paper),
            unexplained: Some(0),
            ..Session::UNKNOWN
        },
        ..Situation::new(broker.clock()?)
    };
    let report = risk.check(orders, &situation);
    let outcomes = if report.passed() {
        orders.iter().map(|order| broker.submit(order)).collect()
    } else {
        Vec::new()
    };
    Ok((report, outcomes))
}

#[test]
fn what_fails_is_not_sent_and_what_passes_is() {
    let symbol: Symbol = "AAPL".parse().unwrap();
    let quote = Quote {
        symbol,
        bid_px: decimal::price("199").ok(),
        bid_qty: None,
        ask_px: decimal::price("200").ok(),
        ask_qty: None,
        last_px: None,
        data_type: Some(DataType::Live),
        ts_event: Timestamp(0),
    };
    let config = Config {
        time: Time::Stepped(Timestamp(0)),
        ..Config::default()
    };
    let mut broker = PaperBroker::new(config).with_quotes(Recorded::new(vec![quote]));
    let risk = RiskEngine::new(Limits::from_toml("max_weight = 0.1").unwrap());
    let order = |id: &str, shares: i64| NewOrder {
        client_order_id: id.parse().unwrap(),
        symbol,
        side: Side::Buy,
        qty: Units::whole(shares),
        kind: OrderKind::Limit {
            price: decimal::price("200").unwrap(),
        },
        tif: TimeInForce::Day,
    };
    // 502 shares at 199.50 are just over a tenth of a million.
    let (report, outcomes) = send(&mut broker, &risk, &[order("a", 502)], &[symbol]).unwrap();
    assert_eq!(
        report.breaches().map(|row| row.check).collect::<Vec<_>>(),
        [Check::MaxWeight]
    );
    assert!(outcomes.is_empty() && broker.positions().unwrap().is_empty());
    let (report, outcomes) = send(&mut broker, &risk, &[order("b", 501)], &[symbol]).unwrap();
    assert!(report.passed(), "{report}");
    assert!(matches!(&outcomes[..], [Outcome::Confirmed(_)]));
    // What is held counts from now on.
    let (report, _) = send(&mut broker, &risk, &[order("c", 1)], &[symbol]).unwrap();
    assert!(!report.passed(), "{report}");
}

//! Interactive Brokers over a real socket, against the gateway on loopback: every trap of the client library and every
//! behaviour of the real gateway that users reported.

#![cfg(all(feature = "ibkr", feature = "testing"))]
#![allow(clippy::unwrap_used, reason = "tests and their helpers")]

use nanobook::trading::{DataType, NewOrder, OrderState, TimeInForce, Units, decimal};
use nanobook::{Money, OrderKind, Side, Symbol, Timestamp};
use nanobook_broker::fake::tws::{Fault, TwsGateway};
use nanobook_broker::ibkr::{Config, IbkrBroker};
use nanobook_broker::{Broker, Denial, Error, OrderKey, Outcome};

const PLACE: i32 = 3;
const EXECUTIONS: i32 = 7;
const OPEN: i32 = 16;
const POSITIONS: i32 = 61;
const SUMMARY: i32 = 62;

fn aapl() -> Symbol {
    "AAPL".parse().unwrap()
}

fn config(gateway: &TwsGateway) -> Config {
    Config {
        address: gateway.address(),
        timeout_ms: 1_000,
        ..Config::new("DU1234567")
    }
}

fn connected() -> (TwsGateway, IbkrBroker) {
    let gateway = TwsGateway::start().unwrap();
    let mut broker = IbkrBroker::new(config(&gateway)).unwrap();
    broker.connect().unwrap();
    broker.instruments(&[aapl()]).unwrap();
    (gateway, broker)
}

fn limit(id: &str, side: Side, shares: i64, price: &str) -> NewOrder {
    NewOrder {
        client_order_id: id.parse().unwrap(),
        symbol: aapl(),
        side,
        qty: Units::whole(shares),
        kind: OrderKind::Limit {
            price: decimal::price(price).unwrap(),
        },
        tif: TimeInForce::Day,
    }
}

fn state(broker: &mut IbkrBroker, order: &NewOrder) -> (OrderState, Units) {
    let orders = broker.order(OrderKey::of(order)).unwrap();
    assert_eq!(orders.len(), 1, "{orders:?}");
    (orders[0].state, orders[0].filled_qty)
}

#[test]
fn an_order_fills_rests_and_is_cancelled() {
    let (gateway, mut broker) = connected();
    let taken = limit("take", Side::Buy, 100, "200");
    assert!(matches!(broker.submit(&taken), Outcome::Confirmed(_)));
    assert_eq!(state(&mut broker, &taken), (OrderState::Filled, taken.qty));
    let rests = limit("rest", Side::Buy, 100, "150");
    assert_eq!(
        broker.submit(&rests).order().unwrap().state,
        OrderState::Accepted
    );
    gateway.fill("rest", ["30", "150"]);
    let open = broker.open_orders().unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(
        (open[0].state, open[0].filled_qty),
        (OrderState::PartiallyFilled, Units::whole(30))
    );
    let gone = broker.cancel(OrderKey::of(&rests));
    let gone = gone.order().unwrap();
    assert_eq!(
        (gone.state, gone.filled_qty, gone.qty),
        (OrderState::Cancelled, Units::whole(30), rests.qty)
    );
    let fills = broker.fills_since(&[], Timestamp(0)).unwrap();
    assert_eq!(fills.len(), 2);
    assert_eq!(
        (fills[1].client_order_id, fills[1].fee),
        (Some(rests.client_order_id), Some(Money(decimal::ONE)))
    );
    let positions = broker.positions().unwrap();
    assert_eq!(
        positions.iter().find(|p| p.symbol == aapl()).unwrap().qty,
        Units::whole(130)
    );
    let account = broker.account().unwrap();
    assert_eq!(account.cash, decimal::money("75498").unwrap());
    assert!(account.equity.is_some() && account.is_paper);
}

// Traps of the client library.

#[test]
fn lists_whose_end_is_a_row_come_to_an_end() {
    let (_gateway, mut broker) = connected();
    assert_eq!(broker.positions().unwrap().len(), 1);
    assert!(broker.account().is_ok());
}

#[test]
fn a_list_that_is_cut_short_is_an_error_and_not_a_short_list() {
    let (gateway, mut broker) = connected();
    gateway.fail(Fault::NoEnd { request: POSITIONS });
    assert!(matches!(broker.positions(), Err(Error::Timeout { .. })));
    gateway.fail(Fault::NoEnd { request: SUMMARY });
    assert!(broker.account().is_err());
    gateway.fail(Fault::NoEnd { request: OPEN });
    assert!(broker.open_orders().is_err());
    gateway.fail(Fault::NoEnd {
        request: EXECUTIONS,
    });
    assert!(broker.fills_since(&[], Timestamp(0)).is_err());
}

#[test]
fn a_query_without_an_answer_is_neither_flat_nor_free_of_orders() {
    let (gateway, mut broker) = connected();
    for request in [POSITIONS, SUMMARY, OPEN, EXECUTIONS] {
        gateway.fail(Fault::NoAnswer { request });
    }
    assert!(broker.positions().is_err());
    assert!(broker.account().is_err());
    assert!(broker.open_orders().is_err());
    assert!(broker.fills_since(&[], Timestamp(0)).is_err());
}

#[test]
fn a_snapshot_of_an_unknown_symbol_is_no_quote() {
    let (_gateway, mut broker) = connected();
    let nope: Symbol = "NOPE".parse().unwrap();
    let quotes = broker.quotes(&[nope, aapl()]).unwrap();
    assert_eq!(
        quotes.iter().map(|q| q.symbol).collect::<Vec<_>>(),
        [aapl()]
    );
    assert!(broker.instruments(&[nope]).unwrap().is_empty());
    assert!(matches!(
        broker.submit(&NewOrder {
            symbol: nope,
            ..limit("a", Side::Buy, 1, "1")
        }),
        Outcome::Denied(Denial::UnknownInstrument { .. })
    ));
}

#[test]
fn a_quote_says_what_it_lacks_and_how_late_it_is() {
    let (gateway, mut broker) = connected();
    let quote = broker.quotes(&[aapl()]).unwrap()[0];
    assert_eq!(
        (quote.data_type, quote.mid()),
        (Some(DataType::Live), decimal::price("199.5").ok())
    );
    gateway.set_quote("AAPL", ["199", "0", "100"]);
    let quote = broker.quotes(&[aapl()]).unwrap()[0];
    assert_eq!((quote.ask_px, quote.mid()), (None, None));
    gateway.set_quote("AAPL", ["199", "200", "100"]);
    gateway.fail(Fault::Delayed);
    assert_eq!(
        broker.quotes(&[aapl()]).unwrap()[0].data_type,
        Some(DataType::Delayed)
    );
    gateway.fail(Fault::NoMarketData);
    assert!(broker.quotes(&[aapl()]).unwrap().is_empty());
}

#[test]
fn a_drop_in_mid_fill_is_resolved_by_what_executed() {
    let (gateway, mut broker) = connected();
    gateway.fail(Fault::DropInMidFill);
    let order = limit("half", Side::Buy, 100, "190");
    let outcome = broker.submit(&order);
    // What came before the drop said that the venue has it; had it not, this would be unknown.
    assert!(
        matches!(outcome, Outcome::Confirmed(_) | Outcome::Unknown(_)),
        "{outcome}"
    );
    // Until we connect again nothing is known, and nothing is made up.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(2);
    while broker.positions().is_ok() && std::time::Instant::now() < deadline {}
    assert!(broker.positions().is_err());
    broker.connect().unwrap();
    assert_eq!(
        state(&mut broker, &order),
        (OrderState::PartiallyFilled, Units::whole(50))
    );
    assert_eq!(broker.fills_since(&[], Timestamp(0)).unwrap().len(), 1);
    assert!(matches!(
        broker.submit(&order),
        Outcome::Denied(Denial::AlreadySent { .. })
    ));
    assert_eq!(gateway.accepted("half"), 1);
}

#[test]
fn a_half_open_connection_is_noticed_before_an_order_is_sent_into_it() {
    let (gateway, mut broker) = connected();
    gateway.fail(Fault::HalfOpen);
    let order = limit("void", Side::Buy, 100, "150");
    let outcome = broker.submit(&order);
    assert!(
        matches!(outcome, Outcome::Denied(Denial::Unprepared { .. })),
        "{outcome}"
    );
    assert!(!gateway.requests().contains(&PLACE));
    assert!(matches!(broker.clock(), Err(Error::Timeout { .. })));
    gateway.cut();
    broker.connect().unwrap();
    assert!(
        matches!(broker.submit(&order), Outcome::Confirmed(_)),
        "it was never sent, so it may be sent now"
    );
}

// Behaviours of the real gateway.

#[test]
fn a_status_that_comes_twice_counts_once() {
    let (gateway, mut broker) = connected();
    gateway.fail(Fault::RepeatStatus);
    let order = limit("twice", Side::Buy, 400, "200");
    let _ = broker.submit(&order);
    assert_eq!(
        state(&mut broker, &order),
        (OrderState::PartiallyFilled, Units::whole(300))
    );
    assert_eq!(broker.fills_since(&[], Timestamp(0)).unwrap().len(), 1);
}

#[test]
fn an_execution_is_corrected_by_the_end_of_its_id() {
    let (gateway, mut broker) = connected();
    let _ = broker.submit(&limit("fix", Side::Buy, 100, "200"));
    gateway.correct("199.5");
    let fills = broker.fills_since(&[], Timestamp(0)).unwrap();
    assert_eq!(fills.len(), 1, "{fills:?}");
    assert_eq!(
        (fills[0].price, fills[0].correction),
        (decimal::price("199.5").unwrap(), 1)
    );
    let order = &broker
        .order(OrderKey::of(&limit("fix", Side::Buy, 100, "200")))
        .unwrap()[0];
    assert_eq!(
        (order.filled_qty, order.avg_px),
        (Units::whole(100), decimal::price("199.5").ok())
    );
}

#[test]
fn order_ids_that_start_again_hit_no_other_order() {
    let (gateway, mut broker) = connected();
    let first = limit("first", Side::Buy, 10, "150");
    let _ = broker.submit(&first);
    gateway.fail(Fault::RollBack);
    gateway.cut();
    broker.connect().unwrap();
    let second = limit("second", Side::Buy, 10, "151");
    assert!(matches!(broker.submit(&second), Outcome::Confirmed(_)));
    let outcome = broker.cancel(OrderKey::of(&second));
    assert_eq!(
        outcome.order().map(|o| o.client_order_id),
        Some(Some(second.client_order_id)),
        "{outcome}"
    );
    assert_eq!(
        state(&mut broker, &first),
        (OrderState::Accepted, Units::ZERO)
    );
    // A process that was started anew learns it from the venue.
    gateway.fail(Fault::RollBack);
    let mut other = IbkrBroker::new(config(&gateway)).unwrap();
    other.connect().unwrap();
    other.instruments(&[aapl()]).unwrap();
    assert!(matches!(
        other.submit(&limit("third", Side::Buy, 10, "152")),
        Outcome::Confirmed(_)
    ));
    assert_eq!(gateway.accepted("third"), 1);
}

#[test]
fn executions_around_1100_are_found_by_asking() {
    let (gateway, mut broker) = connected();
    let order = limit("gap", Side::Buy, 100, "150");
    let _ = broker.submit(&order);
    gateway.notify(1_100);
    gateway.fail(Fault::LoseCallbacks);
    gateway.fill("gap", ["100", "150"]);
    gateway.notify(1_102);
    assert_eq!(
        state(&mut broker, &order),
        (OrderState::Filled, Units::whole(100))
    );
    assert_eq!(
        broker.fills_since(&[], Timestamp(0)).unwrap()[0].qty,
        Units::whole(100)
    );
    assert_eq!(gateway.last_symbol().as_deref(), Some("AAPL"));
}

#[test]
fn an_order_into_a_dying_connection_is_unknown_until_it_is_found() {
    let (gateway, mut broker) = connected();
    for (at, processed) in [true, false].into_iter().enumerate() {
        gateway.fail(Fault::DropOrder { processed });
        let order = limit(&format!("dying-{at}"), Side::Buy, 10, "150");
        let outcome = broker.submit(&order);
        assert!(outcome.is_unknown(), "{outcome}");
        assert!(
            !matches!(broker.submit(&order), Outcome::Confirmed(_)),
            "it was sent again"
        );
        broker.connect().unwrap();
        let found = broker.order(OrderKey::of(&order)).unwrap();
        assert_eq!(found.len(), usize::from(processed));
        // What was unknown stays denied in this process, found or not.
        assert!(matches!(
            broker.submit(&order),
            Outcome::Denied(Denial::AlreadySent { .. })
        ));
        assert_eq!(
            gateway.accepted(order.client_order_id.as_str()),
            usize::from(processed)
        );
    }
}

#[test]
fn an_order_without_an_answer_is_looked_for_and_else_unknown() {
    let (gateway, mut broker) = connected();
    gateway.fail(Fault::NoAnswer { request: PLACE });
    let outcome = broker.submit(&limit("mute", Side::Buy, 10, "150"));
    assert!(
        matches!(outcome, Outcome::Unknown(Error::Timeout { .. })),
        "{outcome}"
    );
}

#[test]
fn late_visibility_is_not_taken_for_an_answer() {
    let (gateway, mut broker) = connected();
    let order = limit("late", Side::Buy, 10, "150");
    let _ = broker.submit(&order);
    gateway.fail(Fault::Hide { lists: 2 });
    assert!(broker.order(OrderKey::of(&order)).unwrap().is_empty());
    assert_eq!(broker.order(OrderKey::of(&order)).unwrap().len(), 1);
    assert!(broker.capabilities().visibility_lag_ns > 0);
}

#[test]
fn one_reference_can_have_two_permanent_ids() {
    let (gateway, mut broker) = connected();
    let order = limit("two", Side::Buy, 10, "150");
    let _ = broker.submit(&order);
    gateway.split("two");
    let found = broker.order(OrderKey::of(&order)).unwrap();
    let states: Vec<OrderState> = found.iter().map(|o| o.state).collect();
    assert_eq!(states, [OrderState::Cancelled, OrderState::Accepted]);
    assert_ne!(found[0].order_id, found[1].order_id);
    let outcome = broker.cancel(OrderKey::of(&order));
    assert_eq!(
        outcome.order().map(|o| o.state),
        Some(OrderState::Cancelled),
        "{outcome}"
    );
}

#[test]
fn an_execution_may_come_before_its_status() {
    let (gateway, mut broker) = connected();
    gateway.fail(Fault::ExecutionFirst);
    let order = limit("early", Side::Buy, 400, "200");
    assert!(matches!(broker.submit(&order), Outcome::Confirmed(_)));
    assert_eq!(
        state(&mut broker, &order),
        (OrderState::PartiallyFilled, Units::whole(300))
    );
}

#[test]
fn the_venue_takes_a_reference_twice_and_we_do_not_send_it_twice() {
    let (gateway, mut broker) = connected();
    let order = limit("free-text", Side::Buy, 10, "150");
    let _ = broker.submit(&order);
    let mut other = IbkrBroker::new(Config {
        client_id: 18,
        ..config(&gateway)
    })
    .unwrap();
    other.connect().unwrap();
    other.instruments(&[aapl()]).unwrap();
    let outcome = other.submit(&order);
    assert!(
        matches!(outcome, Outcome::Denied(Denial::AlreadySent { .. })),
        "{outcome}"
    );
    assert_eq!(gateway.accepted("free-text"), 1);
    assert!(!broker.capabilities().unique_ids);
    // An order of another client is seen, and left alone.
    assert_eq!(other.open_orders().unwrap().len(), 1);
    assert!(matches!(
        other.cancel(OrderKey::of(&order)),
        Outcome::Rejected(_)
    ));
    assert_eq!(broker.open_orders().unwrap().len(), 1);
}

#[test]
fn a_commission_that_is_not_known_yet_is_not_minus_one() {
    let (gateway, mut broker) = connected();
    gateway.fail(Fault::PendingCommission);
    let _ = broker.submit(&limit("fee", Side::Buy, 10, "200"));
    let fills = broker.fills_since(&[], Timestamp(0)).unwrap();
    assert_eq!((fills.len(), fills[0].fee), (1, None));
}

#[test]
fn refusals_are_told_by_their_codes() {
    let (gateway, mut broker) = connected();
    for (at, code) in [103, 110, 201, 321, 10_243].into_iter().enumerate() {
        gateway.fail(Fault::Refuse {
            code,
            text: "no".to_owned(),
        });
        let outcome = broker.submit(&limit(&format!("no-{at}"), Side::Buy, 10, "150"));
        assert!(
            matches!(&outcome, Outcome::Rejected(r) if r.code == code),
            "{code}: {outcome}"
        );
    }
    // The venue's own: no money for this.
    let outcome = broker.submit(&limit("rich", Side::Buy, 10_000, "200"));
    assert!(
        matches!(&outcome, Outcome::Rejected(r) if r.code == 201),
        "{outcome}"
    );
}

#[test]
fn a_preset_that_alters_an_order_is_a_warning_and_not_a_refusal() {
    let (gateway, mut broker) = connected();
    for (at, code) in [10_349, 399, 2_109].into_iter().enumerate() {
        gateway.fail(Fault::Warn {
            code,
            text: "Warning: as you wish".to_owned(),
        });
        let order = limit(&format!("warned-{at}"), Side::Buy, 10, "150");
        let outcome = broker.submit(&order);
        assert!(
            matches!(outcome, Outcome::Confirmed(_)),
            "{code}: {outcome}"
        );
    }
}

#[test]
fn a_client_id_that_is_busy_is_an_error_that_says_so() {
    let gateway = TwsGateway::start().unwrap();
    gateway.fail(Fault::ClientIdBusy { times: 1 });
    let mut broker = IbkrBroker::new(config(&gateway)).unwrap();
    let error = broker.connect().unwrap_err().to_string();
    assert!(error.contains("already in use"), "{error}");
    broker.connect().unwrap();
}

#[test]
fn account_and_mode_are_those_that_were_meant() {
    let gateway = TwsGateway::start().unwrap();
    let connect = |settings: Config| IbkrBroker::new(settings).unwrap().connect();
    let other = Config {
        account_id: "DU9".to_owned(),
        ..config(&gateway)
    };
    assert!(matches!(connect(other), Err(Error::WrongAccount { .. })));
    let live = Config {
        paper: false,
        ..config(&gateway)
    };
    assert!(matches!(
        connect(live),
        Err(Error::WrongMode { is_paper: true, .. })
    ));
    gateway.set_accounts(&["U1234567", "DU1234567"]);
    let real = Config {
        account_id: "U1234567".to_owned(),
        ..config(&gateway)
    };
    assert!(matches!(
        connect(real),
        Err(Error::WrongMode {
            is_paper: false,
            ..
        })
    ));
    assert!(connect(config(&gateway)).unwrap().is_paper);
}

#[test]
fn executions_of_another_account_are_not_ours() {
    let (gateway, mut broker) = connected();
    let _ = broker.submit(&limit("mine", Side::Buy, 10, "200"));
    gateway.fail(Fault::Foreign);
    assert!(broker.fills_since(&[], Timestamp(0)).unwrap().is_empty());
    assert_eq!(broker.fills_since(&[], Timestamp(0)).unwrap().len(), 1);
}

#[test]
fn fractions_are_for_accounts_that_may_have_them() {
    let (gateway, mut broker) = connected();
    let half = NewOrder {
        qty: "0.5".parse().unwrap(),
        ..limit("half", Side::Buy, 1, "200")
    };
    assert!(matches!(
        broker.submit(&half),
        Outcome::Denied(Denial::Filter { .. })
    ));
    let mut other = IbkrBroker::new(Config {
        fractional: true,
        client_id: 18,
        ..config(&gateway)
    })
    .unwrap();
    other.connect().unwrap();
    other.instruments(&[aapl()]).unwrap();
    assert!(matches!(other.submit(&half), Outcome::Confirmed(_)));
    assert_eq!(state(&mut other, &half), (OrderState::Filled, half.qty));
}

#[test]
fn a_cancel_that_meets_a_fill_says_that_it_filled() {
    let (gateway, mut broker) = connected();
    let order = limit("race", Side::Buy, 10, "150");
    let _ = broker.submit(&order);
    gateway.fail(Fault::FillBeforeCancel);
    let outcome = broker.cancel(OrderKey::of(&order));
    let filled = match &outcome {
        Outcome::Confirmed(order) => order.state == OrderState::Filled,
        Outcome::Rejected(refusal) => refusal.code == 10_148,
        _ => false,
    };
    assert!(filled, "{outcome}");
    assert_eq!(
        state(&mut broker, &order),
        (OrderState::Filled, Units::whole(10))
    );
    let outcome = broker.cancel(OrderKey::of(&limit("never", Side::Buy, 1, "1")));
    assert!(
        matches!(&outcome, Outcome::Rejected(r) if r.code == 10_147),
        "{outcome}"
    );
}

#[test]
fn only_a_gateway_on_this_machine_is_talked_to() {
    for address in ["192.0.2.1:4002", "example", "0.0.0.0:4002"] {
        let settings = Config {
            address: address.to_owned(),
            ..Config::new("DU1")
        };
        assert!(
            matches!(IbkrBroker::new(settings), Err(Error::Config { .. })),
            "{address}"
        );
    }
}

#[test]
fn symbols_with_a_space_are_symbols() {
    let (_gateway, mut broker) = connected();
    let symbol: Symbol = "BRK B".parse().unwrap();
    assert_eq!(broker.instruments(&[symbol]).unwrap()[0].symbol, symbol);
}

#[test]
fn messages_are_kept_within_the_pace_of_the_venue() {
    let gateway = TwsGateway::start().unwrap();
    for pace in [0, 51] {
        let settings = Config {
            messages_per_second: pace,
            ..config(&gateway)
        };
        assert!(IbkrBroker::new(settings).is_err());
    }
    let settings = Config {
        messages_per_second: 5,
        timeout_ms: 5_000,
        ..config(&gateway)
    };
    let mut broker = IbkrBroker::new(settings).unwrap();
    broker.connect().unwrap();
    let before = gateway.requests().len();
    let start = std::time::Instant::now();
    for _ in 0..12 {
        broker.clock().unwrap();
    }
    let most = 5 * (usize::try_from(start.elapsed().as_secs()).unwrap() + 2);
    let sent = gateway.requests().len() - before;
    assert!(sent <= most, "{sent} in {:?}", start.elapsed());
}

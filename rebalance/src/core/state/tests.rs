use nanobook::trading::{Instrument, InstrumentState, TimeInForce};
use nanobook::{Money, Price, Side, Timestamp};

use super::*;
use crate::core::{Failure, Settings, Why};

const ID: &str = "nb-000000000000-0-0";

fn plan() -> Plan {
    let rules = Instrument {
        symbol: "A".parse().unwrap(),
        currency: "USD".parse().unwrap(),
        base: Some("A1".parse().unwrap()),
        tick: Price(10),
        lot: Units(10),
        min_qty: None,
        max_qty: None,
        min_price: None,
        max_price: None,
        min_notional: None,
        max_notional: None,
        state: InstrumentState::Trading,
    };
    Plan {
        run_id: "test".into(),
        account_id: "SIM".into(),
        is_paper: true,
        ts: Timestamp(0),
        cash: Money(0),
        equity: None,
        legs: vec![Leg {
            instrument: rules,
            side: Side::Buy,
            qty: Units(100),
            start: Units(50),
            ref_px: Price(100),
            worst_px: Price(110),
            slices: 1,
        }],
        watch: Vec::new(),
        settings: Settings::default(),
    }
}

fn order(qty: i128) -> NewOrder {
    NewOrder {
        client_order_id: ID.parse().unwrap(),
        symbol: "A".parse().unwrap(),
        side: Side::Buy,
        qty: Units(qty),
        kind: OrderKind::Limit { price: Price(110) },
        tif: TimeInForce::Day,
    }
}

fn seen(filled: i128, state: OrderState) -> Order {
    let sent = order(100);
    Order {
        client_order_id: Some(sent.client_order_id),
        order_id: Some(OrderId(7)),
        account_id: "SIM".into(),
        symbol: sent.symbol,
        side: sent.side,
        kind: sent.kind,
        tif: sent.tif,
        qty: sent.qty,
        filled_qty: Units(filled),
        avg_px: None,
        state,
        reject_code: None,
        reject_text: None,
        ts_event: None,
    }
}

fn fill(trade_id: &str, qty: i128, correction: u32) -> Record {
    Record::Filled {
        fill: Fill {
            trade_id: trade_id.into(),
            client_order_id: ID.parse().ok(),
            order_id: None,
            account_id: "SIM".into(),
            symbol: "A".parse().unwrap(),
            side: Side::Buy,
            qty: Units(qty),
            price: Price(100),
            fee: Some(Money(1)),
            fee_currency: "A1".parse().ok(),
            liquidity: None,
            correction,
            ts_event: Timestamp(0),
        },
    }
}

/// A plan, an order, and what follows.
fn state(records: Vec<Record>) -> State {
    let begin = [
        Record::Approved {
            plan: Box::new(plan()),
            checks: Vec::new(),
        },
        Record::Intent {
            leg: 0,
            attempt: 0,
            order: order(100),
        },
    ];
    let entries: Vec<Entry> = (0..)
        .zip(begin.into_iter().chain(records))
        .map(|(seq, record)| Entry {
            seq,
            ts: Timestamp(0),
            record,
        })
        .collect();
    State::replay(&entries).unwrap()
}

fn replied(reply: Reply) -> Record {
    Record::Submitted {
        client_order_id: ID.parse().unwrap(),
        reply,
    }
}

fn lost() -> Reply {
    Reply::Unknown(Failure {
        text: String::new(),
        reconnect: true,
        pause_ns: 0,
    })
}

#[test]
fn what_has_ended_and_traded_stays_so_whatever_old_answers_say() {
    let state = state(vec![
        replied(Reply::Confirmed(seen(30, OrderState::PartiallyFilled))),
        Record::Seen {
            order: seen(60, OrderState::Cancelled),
        },
        Record::Seen {
            order: seen(10, OrderState::Accepted),
        },
    ]);
    let order = &state.orders[0];
    assert_eq!(order.state, OrderState::Cancelled);
    assert_eq!((order.filled(), order.leaves()), (Units(60), Units::ZERO));
    assert!(!order.is_settled(), "executions of 60 are not named");
}

#[test]
fn executions_count_once_and_as_corrected() {
    let state = state(vec![
        replied(Reply::Confirmed(seen(60, OrderState::Cancelled))),
        fill("1", 40, 0),
        fill("1", 40, 0),
        fill("2", 20, 0),
        fill("1", 10, 1),
    ]);
    let order = &state.orders[0];
    assert_eq!((order.filled(), order.is_settled()), (Units(30), true));
    // Of two executions a unit each was taken as a fee.
    let leg = &state.plan.as_ref().unwrap().legs[0];
    assert_eq!(state.expected(0, leg), Units(50 + 30 - 2));
}

#[test]
fn a_late_refusal_counts_only_for_an_order_that_was_never_shown() {
    let refusal = || Reply::Rejected {
        code: 201,
        text: String::new(),
    };
    let lost_then_refused = state(vec![replied(lost()), replied(refusal())]);
    assert_eq!(lost_then_refused.orders[0].state, OrderState::Rejected);
    assert_eq!(lost_then_refused.legs[0].refusals, 1);
    let shown = state(vec![
        replied(Reply::Confirmed(seen(0, OrderState::Accepted))),
        replied(refusal()),
    ]);
    assert_eq!(shown.orders[0].state, OrderState::Accepted);
}

#[test]
fn a_new_process_does_not_know_what_became_of_an_order_without_an_answer() {
    let ended = LegEnd::Review(crate::core::Doubt::Unresolved);
    let state = state(vec![
        Record::LegEnded { leg: 0, end: ended },
        Record::Killed,
        Record::Resumed,
    ]);
    assert_eq!(state.orders[0].state, OrderState::Unknown);
    assert_eq!(state.legs[0].end, None, "a review is taken up again");
    assert!(
        state.killed,
        "the run was cut off, and the switch still counts"
    );
}

#[test]
fn records_that_do_not_follow_change_nothing() {
    let good = state(Vec::new());
    let bad = [
        (2, fill("1", 1, 0), "nb-1"),
        (9, Record::Killed, ID),
        (
            2,
            Record::LegEnded {
                leg: 5,
                end: LegEnd::Residual(Why::Cash),
            },
            ID,
        ),
        (
            2,
            Record::Intent {
                leg: 0,
                attempt: 1,
                order: order(1),
            },
            ID,
        ),
    ];
    for (seq, mut record, id) in bad {
        if let Record::Filled { fill } = &mut record {
            fill.client_order_id = id.parse().ok();
        }
        let mut state = good.clone();
        let entry = Entry {
            seq,
            ts: Timestamp(0),
            record,
        };
        assert!(state.apply(&entry).is_err(), "{entry:?}");
        assert_eq!((state.orders.len(), state.next_seq), (1, 2), "{entry:?}");
    }
    assert!(
        State::replay(&[Entry {
            seq: 0,
            ts: Timestamp(0),
            record: Record::Killed
        }])
        .is_err()
    );
}

//! Order messages and prints: what they say to the book, and their rows.

use nanobook::book::Outcome;
use nanobook::rows::{Action, Code, Header, Mbo, Trade, TradeKind};
use nanobook::{BookDelta, OrderId, Price, Qty, Side, TradeId};
use nanobook_itch::{Int4, Int8, Message, Price4};

pub(crate) fn side(indicator: u8) -> Option<Side> {
    match indicator {
        b'B' => Some(Side::Buy),
        b'S' => Some(Side::Sell),
        _ => None,
    }
}

/// Units of 1e-9 from units of 1e-4.
fn price(wire: Price4) -> Price {
    Price(i64::from(wire.raw()) * 100_000)
}

/// Zero is no price.
pub(crate) fn some_price(wire: Price4) -> Option<Price> {
    Some(price(wire)).filter(|price| *price != Price(0))
}

fn qty(wire: Int4) -> Qty {
    Qty(wire.get().into())
}

fn id(wire: Int8) -> OrderId {
    OrderId(wire.get())
}

/// What an order message says; `None` for an add without a side.
pub(crate) fn delta(message: &Message<'_>) -> Option<BookDelta> {
    Some(match message {
        Message::AddOrder(m) => BookDelta::Add {
            id: id(m.order_reference_number),
            side: side(m.buy_sell_indicator)?,
            price: price(m.price),
            qty: qty(m.shares),
        },
        Message::AddOrderAttributed(m) => BookDelta::Add {
            id: id(m.order_reference_number),
            side: side(m.buy_sell_indicator)?,
            price: price(m.price),
            qty: qty(m.shares),
        },
        Message::OrderExecuted(m) => BookDelta::Execute {
            id: id(m.order_reference_number),
            qty: qty(m.executed_shares),
        },
        Message::OrderExecutedWithPrice(m) => BookDelta::Execute {
            id: id(m.order_reference_number),
            qty: qty(m.executed_shares),
        },
        Message::OrderCancel(m) => BookDelta::Reduce {
            id: id(m.order_reference_number),
            qty: qty(m.cancelled_shares),
        },
        Message::OrderDelete(m) => BookDelta::Delete {
            id: id(m.order_reference_number),
        },
        Message::OrderReplace(m) => BookDelta::Replace {
            old_id: id(m.original_order_reference_number),
            id: id(m.new_order_reference_number),
            price: price(m.price),
            qty: qty(m.shares),
        },
        _ => return None,
    })
}

/// The row of an order message, from what the book had of the order before.
pub(crate) fn mbo(header: Header, message: &Message<'_>, outcome: Outcome) -> Mbo {
    let resting = outcome.resting;
    // A message about an order that rests, by which so much of it goes.
    let taken = |action, order: Int8, shares: Int4| Mbo {
        header,
        action,
        side: resting.map(|order| order.side),
        price: resting.map(|order| order.price),
        qty: Some(qty(shares)),
        order_id: id(order),
        old_order_id: None,
        leaves_qty: resting.map(|order| Qty(order.qty.0 - order.qty.min(qty(shares)).0)),
        match_id: None,
        printable: None,
        mpid: None,
    };
    // An order that comes rests whole, unless the book has an objection.
    let rests = |wire: Price4, shares: Int4| if wire.raw() == 0 { Qty(0) } else { qty(shares) };
    match message {
        Message::AddOrder(m) => Mbo {
            side: side(m.buy_sell_indicator),
            price: Some(price(m.price)),
            leaves_qty: Some(match side(m.buy_sell_indicator) {
                Some(_) => rests(m.price, m.shares),
                None => Qty(0),
            }),
            ..taken(Action::Add, m.order_reference_number, m.shares)
        },
        Message::AddOrderAttributed(m) => Mbo {
            side: side(m.buy_sell_indicator),
            price: Some(price(m.price)),
            leaves_qty: Some(match side(m.buy_sell_indicator) {
                Some(_) => rests(m.price, m.shares),
                None => Qty(0),
            }),
            mpid: Code::new(m.attribution.bytes()),
            ..taken(Action::Add, m.order_reference_number, m.shares)
        },
        Message::OrderExecuted(m) => Mbo {
            match_id: Some(TradeId(m.match_number.get())),
            printable: Some(true),
            ..taken(Action::Execute, m.order_reference_number, m.executed_shares)
        },
        Message::OrderExecutedWithPrice(m) => Mbo {
            match_id: Some(TradeId(m.match_number.get())),
            printable: Some(m.printable == b'Y'),
            ..taken(Action::Execute, m.order_reference_number, m.executed_shares)
        },
        Message::OrderCancel(m) => {
            taken(Action::Reduce, m.order_reference_number, m.cancelled_shares)
        }
        Message::OrderDelete(m) => Mbo {
            qty: resting.map(|order| order.qty),
            leaves_qty: resting.map(|_| Qty(0)),
            ..taken(Action::Delete, m.order_reference_number, 0.into())
        },
        Message::OrderReplace(m) => Mbo {
            price: Some(price(m.price)),
            old_order_id: Some(id(m.original_order_reference_number)),
            leaves_qty: resting.map(|_| rests(m.price, m.shares)),
            ..taken(Action::Replace, m.new_order_reference_number, m.shares)
        },
        _ => unreachable!("only order messages have this row"),
    }
}

/// The row of a public print; `None` for other messages.
pub(crate) fn trade(header: Header, message: &Message<'_>, outcome: Outcome) -> Option<Trade> {
    let row = Trade {
        header,
        kind: TradeKind::Hidden,
        price: None,
        qty: Qty(0),
        side: None,
        order_id: None,
        match_id: TradeId(0),
        cross_type: None,
        broken: false,
    };
    let aggressor = outcome.resting.map(|order| match order.side {
        Side::Buy => Side::Sell,
        Side::Sell => Side::Buy,
    });
    match message {
        Message::OrderExecuted(m) => Some(Trade {
            kind: TradeKind::Displayed,
            price: outcome.resting.map(|order| order.price),
            qty: qty(m.executed_shares),
            side: aggressor,
            order_id: Some(id(m.order_reference_number)),
            match_id: TradeId(m.match_number.get()),
            ..row
        }),
        Message::OrderExecutedWithPrice(m) if m.printable == b'Y' => Some(Trade {
            kind: TradeKind::DisplayedAtPrice,
            price: some_price(m.execution_price),
            qty: qty(m.executed_shares),
            side: aggressor,
            order_id: Some(id(m.order_reference_number)),
            match_id: TradeId(m.match_number.get()),
            ..row
        }),
        Message::Trade(m) => Some(Trade {
            price: some_price(m.price),
            qty: qty(m.shares),
            match_id: TradeId(m.match_number.get()),
            ..row
        }),
        Message::CrossTrade(m) => Some(Trade {
            kind: TradeKind::Cross,
            price: some_price(m.cross_price),
            qty: Qty(m.shares.get()),
            match_id: TradeId(m.match_number.get()),
            cross_type: Code::new(&[m.cross_type]),
            ..row
        }),
        _ => None,
    }
}

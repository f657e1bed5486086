//! Trades, events and best prices as frames.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Int64Array, StringViewArray, UInt32Array, UInt64Array};
use nanobook::matching::{Event, Trade};
use nanobook::{MultiEvent, OrderKind, OrderRequest, Price, Symbol};

use crate::error::Error;
use crate::frame::Frame;
use crate::words::{side_name, stp_name, tif_name};

fn trade_columns(trades: &[Trade]) -> Vec<(&'static str, ArrayRef)> {
    let number = |of: fn(&Trade) -> u64| -> ArrayRef {
        Arc::new(trades.iter().map(of).collect::<UInt64Array>())
    };
    let prices: Int64Array = trades.iter().map(|trade| trade.price.0).collect();
    let sides: StringViewArray = trades
        .iter()
        .map(|trade| trade.side.map(side_name))
        .collect();
    vec![
        ("trade_id", number(|trade| trade.id.0)),
        ("price", Arc::new(prices)),
        ("qty", number(|trade| trade.qty.0)),
        ("side", Arc::new(sides)),
        ("buy_order_id", number(|trade| trade.buy_order_id.0)),
        ("sell_order_id", number(|trade| trade.sell_order_id.0)),
    ]
}

/// Trades: `trade_id, price, qty, side` (of the aggressor; null in an auction)`, buy_order_id, sell_order_id`.
pub(super) fn trades_frame(trades: &[Trade]) -> Result<Frame, Error> {
    Frame::of("exchange_trades", trade_columns(trades))
}

/// The same with `symbol` in front.
pub(super) fn symbol_trades_frame(
    trades: &[Trade],
    symbols: impl Iterator<Item = Option<Symbol>>,
) -> Result<Frame, Error> {
    let symbols: StringViewArray = symbols
        .collect::<Vec<_>>()
        .iter()
        .map(|s| s.as_ref().map(Symbol::as_str))
        .collect();
    let mut columns = trade_columns(trades);
    columns.insert(0, ("symbol", Arc::new(symbols)));
    Frame::of("exchange_trades", columns)
}

/// One line of the event log.
#[derive(Clone, Copy, Default)]
struct Line {
    symbol: Option<Symbol>,
    event: &'static str,
    request: Option<OrderRequest>,
    order_id: Option<u64>,
    price: Option<i64>,
    qty: Option<u64>,
    owner: Option<u32>,
    policy: Option<&'static str>,
}

impl Line {
    fn of(symbol: Option<Symbol>, event: &Event) -> Self {
        let line = |event| Self {
            symbol,
            event,
            ..Self::default()
        };
        match *event {
            Event::Submit(request) => Self {
                request: Some(request),
                price: request.kind.price().map(|price| price.0),
                qty: Some(request.qty.0),
                owner: request.owner.map(|owner| owner.0),
                ..line("submit")
            },
            Event::Cancel { id } => Self {
                order_id: Some(id.0),
                ..line("cancel")
            },
            Event::Reduce { id, qty } => Self {
                order_id: Some(id.0),
                qty: Some(qty.0),
                ..line("reduce")
            },
            Event::Replace { id, price, qty } => Self {
                order_id: Some(id.0),
                price: Some(price.0),
                qty: Some(qty.0),
                ..line("replace")
            },
            Event::MassCancel { owner } => Self {
                owner: Some(owner.0),
                ..line("mass_cancel")
            },
            Event::BeginAuction => line("begin_auction"),
            Event::Uncross { reference } => Self {
                price: reference.map(|price| price.0),
                ..line("uncross")
            },
            Event::Resume => line("resume"),
            Event::SetStpPolicy(policy) => Self {
                policy: Some(stp_name(policy)),
                ..line("set_stp_policy")
            },
            Event::ForgetClosed => line("forget_closed"),
        }
    }
}

const fn kind_name(kind: OrderKind) -> &'static str {
    match kind {
        OrderKind::Limit { .. } => "limit",
        OrderKind::Market => "market",
        OrderKind::StopMarket { .. } => "stop_market",
        OrderKind::StopLimit { .. } => "stop_limit",
        OrderKind::TrailingStopMarket { .. } => "trailing_stop_market",
        OrderKind::TrailingStopLimit { .. } => "trailing_stop_limit",
    }
}

fn lines_frame(lines: &[Line], with_symbols: bool) -> Result<Frame, Error> {
    let text = |of: &dyn Fn(&Line) -> Option<&'static str>| -> ArrayRef {
        Arc::new(lines.iter().map(of).collect::<StringViewArray>())
    };
    let number = |of: &dyn Fn(&Line) -> Option<u64>| -> ArrayRef {
        Arc::new(lines.iter().map(of).collect::<UInt64Array>())
    };
    let price = |of: &dyn Fn(&Line) -> Option<i64>| -> ArrayRef {
        Arc::new(lines.iter().map(of).collect::<Int64Array>())
    };
    let owners: UInt32Array = lines.iter().map(|line| line.owner).collect();
    let post_only: BooleanArray = lines
        .iter()
        .map(|line| line.request.map(|r| r.post_only))
        .collect();
    let seqs: UInt64Array = (0..).take(lines.len()).collect();
    let mut columns: Vec<(&str, ArrayRef)> = vec![("seq", Arc::new(seqs))];
    if with_symbols {
        let symbols: StringViewArray = lines
            .iter()
            .map(|line| line.symbol.as_ref().map(Symbol::as_str))
            .collect();
        columns.push(("symbol", Arc::new(symbols)));
    }
    columns.extend([
        ("event", text(&|line| Some(line.event))),
        ("order_id", number(&|line| line.order_id)),
        (
            "side",
            text(&|line| line.request.map(|r| side_name(r.side))),
        ),
        (
            "kind",
            text(&|line| line.request.map(|r| kind_name(r.kind))),
        ),
        ("price", price(&|line| line.price)),
        (
            "stop",
            price(&|line| line.request.and_then(|r| r.kind.stop()).map(|stop| stop.0)),
        ),
        ("qty", number(&|line| line.qty)),
        ("tif", text(&|line| line.request.map(|r| tif_name(r.tif)))),
        ("post_only", Arc::new(post_only) as ArrayRef),
        ("owner", Arc::new(owners) as ArrayRef),
        ("policy", text(&|line| line.policy)),
    ]);
    Frame::of("exchange_events", columns)
}

/// The commands of one exchange, in order; what a command does not say is null.
pub(super) fn events_frame(events: &[Event]) -> Result<Frame, Error> {
    let lines: Vec<Line> = events.iter().map(|event| Line::of(None, event)).collect();
    lines_frame(&lines, false)
}

/// The commands of a [`nanobook::MultiExchange`], in order; `symbol` is null where one is for all.
pub(super) fn multi_events_frame(events: &[MultiEvent]) -> Result<Frame, Error> {
    let line = |event: &MultiEvent| match event {
        MultiEvent::List(symbol) => Line {
            symbol: Some(*symbol),
            event: "list",
            ..Line::default()
        },
        MultiEvent::One(symbol, event) => Line::of(Some(*symbol), event),
        MultiEvent::All(event) => Line::of(None, event),
    };
    let lines: Vec<Line> = events.iter().map(line).collect();
    lines_frame(&lines, true)
}

/// Best prices: `symbol, bid_px, ask_px`.
pub(super) fn best_prices_frame(
    prices: impl Iterator<Item = (Symbol, Option<Price>, Option<Price>)>,
) -> Result<Frame, Error> {
    let rows: Vec<_> = prices.collect();
    let symbols: StringViewArray = rows
        .iter()
        .map(|(symbol, ..)| Some(symbol.as_str()))
        .collect();
    let bids: Int64Array = rows
        .iter()
        .map(|(_, bid, _)| bid.map(|price| price.0))
        .collect();
    let asks: Int64Array = rows
        .iter()
        .map(|(.., ask)| ask.map(|price| price.0))
        .collect();
    Frame::of(
        "best_prices",
        vec![
            ("symbol", Arc::new(symbols)),
            ("bid_px", Arc::new(bids)),
            ("ask_px", Arc::new(asks)),
        ],
    )
}

//! Sessions in plain text, `scenarios/*.txt`, run on the engine and on its twin.
//!
//! A line is a comment (`#`), a setting before the first command (`stp decrement`, `keep 0`, `cascade 2`), a command,
//! or an expectation (`>`):
//!
//! ```text
//! buy 5 @ 100                    sell 5 market          buy 5 @ 100 fok owner 7 post-only
//! sell 5 stop 99                 buy 5 stop 101 @ 102   sell 5 trail 1 from 97        (also trail 2%, trail 1.5x3)
//! cancel 1    reduce 1 by 2      replace 1 5 @ 101      mass-cancel 7
//! auction     uncross    uncross near 100    resume    policy newest    forget
//! > rest 1 buy 5 @ 100           > trade 3 @ 100: 2 buys from 1        (in an auction: `2 and 1`)
//! > cancel 1: 5 (requested)      > trigger 3 as 4 at 99        > cascade stopped, 2 wait
//! > reject: the reason           > order 1: partially filled, 3 filled, 2 open, 0 cancelled
//! > uncross 5 @ 100, buy surplus 2
//! > place 3: 2 orders, 8 ahead   > quote: spread 2, mid 100, micro 99.5, imbalance 0.25 of the best 1
//! > cost buy 4: 4 for 406, worst 102
//! > book                         then the book as it is drawn, ask over bid, `price: order×qty …` in order of the queue
//! ```
//!
//! Every output of a command must be expected, in order; `> nothing` says that there is none. Prices are in currency.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at what it does not expect"
)]

use std::fmt::Write;
use std::num::NonZeroU32;
use std::path::Path;

use nanobook::matching::{Applied, CancelReason, Config, Event, Output};
use nanobook::testing::Pair;
use nanobook::{
    OrderId, OrderKind, OrderRequest, Owner, Price, Qty, Reject, Side, StpPolicy, TimeInForce,
    Trail,
};

fn price(text: &str) -> Price {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{fraction:0<9}");
    let whole: i64 = whole.parse().expect("a price");
    let units: i64 = digits.parse().expect("a price");
    Price(whole * 1_000_000_000 + if text.starts_with('-') { -units } else { units })
}

fn qty(text: &str) -> Qty {
    Qty(text.parse().expect("a quantity"))
}

fn id(text: &str) -> OrderId {
    OrderId(text.parse().expect("an order id"))
}

fn policy(text: &str) -> StpPolicy {
    match text {
        "off" => StpPolicy::Off,
        "newest" => StpPolicy::CancelNewest,
        "oldest" => StpPolicy::CancelOldest,
        "both" => StpPolicy::CancelBoth,
        "decrement" => StpPolicy::Decrement,
        _ => panic!("no policy: {text}"),
    }
}

fn trail(text: &str) -> Trail {
    if let Some(percent) = text.strip_suffix('%') {
        let percent: f64 = percent.parse().expect("a percentage");
        Trail::percentage(percent / 100.0).expect("a trail")
    } else if let Some((multiple, period)) = text.split_once('x') {
        let multiple = multiple.parse().expect("a multiple");
        Trail::mean_abs_change(multiple, period.parse().expect("a period")).expect("a trail")
    } else {
        Trail::Fixed(price(text))
    }
}

/// `buy 5 …` and `sell 5 …`.
fn order(side: Side, words: &[&str]) -> OrderRequest {
    let mut request = OrderRequest::market(side, qty(words[0])).with_tif(TimeInForce::GTC);
    let (mut limit, mut stop, mut trails) = (None, None, None);
    let mut rest = &words[1..];
    while let Some((word, tail)) = rest.split_first() {
        rest = tail;
        let mut argument = || {
            let (first, tail) = rest.split_first().expect("an argument");
            rest = tail;
            *first
        };
        match *word {
            "@" => limit = Some(price(argument())),
            "stop" | "from" => stop = Some(price(argument())),
            "trail" => trails = Some(trail(argument())),
            "market" | "ioc" => request.tif = TimeInForce::IOC,
            "fok" => request.tif = TimeInForce::FOK,
            "post-only" => request.post_only = true,
            "owner" => request.owner = Some(Owner(argument().parse().expect("an owner"))),
            other => panic!("no such word: {other}"),
        }
    }
    request.kind = match (limit, stop, trails) {
        (Some(price), None, None) => OrderKind::Limit { price },
        (None, None, None) => OrderKind::Market,
        (None, Some(stop), None) => OrderKind::StopMarket { stop },
        (Some(price), Some(stop), None) => OrderKind::StopLimit { stop, price },
        (None, Some(stop), Some(trail)) => OrderKind::TrailingStopMarket { stop, trail },
        (Some(price), Some(stop), Some(trail)) => {
            OrderKind::TrailingStopLimit { stop, price, trail }
        }
        (_, None, Some(_)) => panic!("a trail needs `from`"),
    };
    request
}

fn command(line: &str) -> Event {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        ["buy", ..] => Event::Submit(order(Side::Buy, &words[1..])),
        ["sell", ..] => Event::Submit(order(Side::Sell, &words[1..])),
        ["cancel", order] => Event::Cancel { id: id(order) },
        ["reduce", order, "by", by] => Event::Reduce {
            id: id(order),
            qty: qty(by),
        },
        ["replace", order, size, "@", at] => Event::Replace {
            id: id(order),
            price: price(at),
            qty: qty(size),
        },
        ["mass-cancel", owner] => Event::MassCancel {
            owner: Owner(owner.parse().expect("an owner")),
        },
        ["auction"] => Event::BeginAuction,
        ["uncross"] => Event::Uncross { reference: None },
        ["uncross", "near", at] => Event::Uncross {
            reference: Some(price(at)),
        },
        ["resume"] => Event::Resume,
        ["policy", name] => Event::SetStpPolicy(policy(name)),
        ["forget"] => Event::ForgetClosed,
        _ => panic!("no such command: {line}"),
    }
}

fn reason(reason: CancelReason) -> &'static str {
    match reason {
        CancelReason::Requested => "requested",
        CancelReason::Reduced => "reduced",
        CancelReason::Replaced => "replaced",
        CancelReason::MassCancel => "mass cancel",
        CancelReason::NoLiquidity => "no liquidity",
        CancelReason::FillOrKill => "fill or kill",
        CancelReason::SelfTrade => "self trade",
        CancelReason::PostOnly => "post only",
        CancelReason::LevelOverflow => "level overflow",
        _ => "new reason",
    }
}

fn said(output: &Output) -> String {
    match *output {
        Output::Rested {
            id,
            side,
            price,
            qty,
        } => format!("rest {id} {side} {qty} @ {price}"),
        Output::Trade(trade) => {
            let (price, qty) = (trade.price, trade.qty);
            match (trade.side, trade.aggressor(), trade.resting()) {
                (Some(Side::Buy), Some(a), Some(r)) => {
                    format!("trade {qty} @ {price}: {a} buys from {r}")
                }
                (Some(Side::Sell), Some(a), Some(r)) => {
                    format!("trade {qty} @ {price}: {a} sells to {r}")
                }
                _ => {
                    let (buy, sell) = (trade.buy_order_id, trade.sell_order_id);
                    format!("trade {qty} @ {price}: {buy} and {sell}")
                }
            }
        }
        Output::Cancelled {
            id,
            qty,
            reason: why,
        } => format!("cancel {id}: {qty} ({})", reason(why)),
        Output::Triggered { id, child, price } => format!("trigger {id} as {child} at {price}"),
        Output::CascadeStopped { waiting } => format!("cascade stopped, {waiting} wait"),
    }
}

/// Everything that a command is expected to say, one line each.
fn answer(answer: Result<Applied, Reject>, outputs: &[Output]) -> Vec<String> {
    let mut lines: Vec<String> = outputs.iter().map(said).collect();
    match answer {
        Err(reject) => lines.push(format!("reject: {reject}")),
        Ok(Applied::Uncross(Some(uncross))) => {
            let mut line = format!("uncross {} @ {}", uncross.qty, uncross.price);
            if let Some(side) = uncross.surplus_side {
                write!(line, ", {side} surplus {}", uncross.surplus).unwrap();
            }
            lines.push(line);
        }
        _ => {}
    }
    if lines.is_empty() {
        lines.push("nothing".into());
    }
    lines
}

/// The book as it is drawn: asks above bids, the best in the middle.
fn drawn(pair: &Pair) -> Vec<String> {
    let market = pair.engine.market();
    let side = |side| {
        let mut rows: Vec<(Price, String)> = Vec::new();
        for order in market.orders(side) {
            let order_text = format!(" {}×{}", order.id, order.qty);
            match rows.last_mut() {
                Some((price, row)) if *price == order.price => row.push_str(&order_text),
                _ => rows.push((order.price, format!("{}:{order_text}", order.price))),
            }
        }
        rows.into_iter().map(|(_, row)| row).collect::<Vec<_>>()
    };
    let mut rows = side(Side::Sell);
    rows.reverse();
    rows.push("---".into());
    rows.extend(side(Side::Buy));
    rows
}

fn status(pair: &Pair, text: &str) -> String {
    let order = pair.engine.order(id(text)).expect("an order");
    let status = match order.status {
        nanobook::OrderStatus::PartiallyFilled => "partially filled".into(),
        other => format!("{other:?}").to_lowercase(),
    };
    let mut line = format!(
        "order {text}: {status}, {} filled, {} open, {} cancelled",
        order.filled, order.open, order.cancelled
    );
    if let Some(stop) = order.kind.stop() {
        write!(line, ", stop {stop}").unwrap();
    }
    if let Some(parent) = order.parent {
        write!(line, ", from stop {parent}").unwrap();
    }
    if let Some(child) = order.child {
        write!(line, ", became {child}").unwrap();
    }
    line
}

fn place(pair: &Pair, text: &str) -> String {
    let place = pair.engine.queue_position(id(text)).expect("it rests");
    let (orders, ahead) = (place.orders_ahead, place.qty_ahead);
    format!("place {text}: {orders} orders, {ahead} ahead")
}

/// What is made of the best levels of both sides, `-` for nothing.
fn quote(pair: &Pair, levels: usize) -> String {
    let depth = pair.engine.market().snapshot(levels);
    let quote = pair.engine.market().quote();
    assert_eq!(depth.quote(), quote, "the same in a snapshot");
    let or_dash = |value: Option<f64>| value.map_or("-".into(), |value| value.to_string());
    format!(
        "quote: spread {}, mid {}, micro {}, imbalance {} of the best {levels}",
        quote
            .spread()
            .map_or("-".into(), |spread| spread.to_string()),
        or_dash(quote.mid()),
        or_dash(quote.micro_price()),
        or_dash(depth.imbalance()),
    )
}

/// What an order that takes would get now.
fn cost(pair: &Pair, side: &str, wanted: &str) -> String {
    let taker = if side == "buy" { Side::Buy } else { Side::Sell };
    let cost = pair.engine.market().cost(taker, qty(wanted));
    let worst = cost.worst_px.map_or("-".into(), |worst| worst.to_string());
    format!(
        "cost {side} {wanted}: {} for {}, worst {worst}",
        cost.qty, cost.notional
    )
}

fn run(path: &Path) {
    let text = std::fs::read_to_string(path).unwrap();
    let mut config = Config::default();
    let mut pair: Option<Pair> = None;
    let mut pending: Vec<String> = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((number, line)) = lines.next() {
        let at = || format!("{}:{}", path.display(), number + 1);
        let line = line.split('#').next().unwrap().trim();
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            [] => {}
            ["stp", name] => config.stp = policy(name),
            ["keep", n] => config.keep_closed = Some(n.parse().unwrap()),
            ["cascade", n] => config.cascade_limit = NonZeroU32::new(n.parse().unwrap()).unwrap(),
            ["min-price", at] => config.min_price = price(at),
            [">", "book"] => {
                assert!(pending.is_empty(), "{}: not expected: {pending:?}", at());
                let mut rows = Vec::new();
                while let Some((_, row)) = lines.next_if(|(_, row)| !row.trim().is_empty()) {
                    rows.push(row.trim().to_owned());
                }
                assert_eq!(drawn(pair.as_ref().unwrap()), rows, "{}: the book", at());
            }
            [">", "order", order, ..] => {
                let pair = pair.as_ref().unwrap();
                let order = order.trim_end_matches(':');
                assert_eq!(status(pair, order), line[1..].trim(), "{}", at());
            }
            [">", "place", order, ..] => {
                let pair = pair.as_ref().unwrap();
                let order = order.trim_end_matches(':');
                assert_eq!(place(pair, order), line[1..].trim(), "{}", at());
            }
            [">", "quote:", .., levels] => {
                let seen = quote(pair.as_ref().unwrap(), levels.parse().unwrap());
                assert_eq!(seen, line[1..].trim(), "{}", at());
            }
            [">", "cost", side, wanted, ..] => {
                let seen = cost(pair.as_ref().unwrap(), side, wanted.trim_end_matches(':'));
                assert_eq!(seen, line[1..].trim(), "{}", at());
            }
            [">", ..] => {
                assert!(!pending.is_empty(), "{}: nothing more was said", at());
                assert_eq!(pending.remove(0), line[1..].trim(), "{}", at());
            }
            _ => {
                assert!(pending.is_empty(), "{}: not expected: {pending:?}", at());
                let pair = pair.get_or_insert_with(|| Pair::new(config));
                let done = pair.apply(command(line));
                pending = answer(done, pair.outputs());
            }
        }
    }
    assert!(pending.is_empty(), "{}: {pending:?}", path.display());
    pair.expect("a session has commands").compare_orders();
}

#[test]
fn every_scenario_goes_as_it_is_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    assert!(paths.len() >= 10, "the scenarios are there");
    for path in paths {
        run(&path);
    }
}

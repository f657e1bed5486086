//! Decoding and books, one thread, beside the crates `itch5` and `itchy`.
//!
//! `cargo bench -p nanobook-benches --bench itch [-- FILE]`: FILE is an unpacked, length-prefixed ITCH 5.0 file; without
//! it a synthetic day of 5 million messages is made in memory. Engines take turns, and each must give the same checksum
//! over the same fields before it is timed. Prints one line of JSON for each figure: nanoseconds a message by round.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::Instant;

use itch5::MessageHandler;
use itch5::messages as peer;
use nanobook::Timestamp;
use nanobook_itch::replay::{Config, Replay, Wanted};
use nanobook_itch::{Frames, Framing, Message, synth};

const ROUNDS: usize = 7;

/// Bytes of the blocks that the replay gets, as the command `nanobook` cuts them.
const BLOCK: usize = 16 << 20;

fn main() {
    // cargo gives `--bench` too.
    let path = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'));
    let day = match path {
        Some(path) => std::fs::read(&path).expect("the file can be read"),
        None => synthetic(5_000_000),
    };
    let messages = Frames::new(&day, Framing::Length).count();
    let plain = without(&day, b"hO");
    let plain_messages = Frames::new(&plain, Framing::Length).count();

    assert_eq!(ours(&day), itch5(&day), "the two decoders disagree");
    assert_eq!(
        ours_headers(&plain),
        itchy(&plain),
        "the two decoders disagree"
    );
    let figure = |name, messages, run: fn(&[u8]) -> u64, feed| Figure {
        name,
        messages,
        run,
        feed,
        times: Vec::new(),
    };
    let mut figures = [
        figure("decode nanobook", messages, ours, &day),
        figure("decode itch5", messages, itch5, &day),
        figure("decode itchy", plain_messages, itchy, &plain),
        figure("book nanobook", messages, books, &day),
    ];
    for _ in 0..ROUNDS {
        for figure in &mut figures {
            let start = Instant::now();
            black_box((figure.run)(figure.feed));
            figure
                .times
                .push(start.elapsed().as_secs_f64() * 1e9 / figure.messages as f64);
        }
    }
    for Figure {
        name,
        messages,
        times,
        ..
    } in &figures
    {
        println!(
            "{{\"name\": \"{name}\", \"messages\": {messages}, \"ns_per_message\": {times:?}}}"
        );
    }
}

/// One engine at one work.
struct Figure<'a> {
    name: &'static str,
    messages: usize,
    run: fn(&[u8]) -> u64,
    feed: &'a [u8],
    /// Nanoseconds a message.
    times: Vec<f64>,
}

fn synthetic(messages: u64) -> Vec<u8> {
    let config = synth::Config {
        messages,
        ..synth::Config::default()
    };
    let mut day = Vec::new();
    synth::Day::new(config)
        .write_to(&mut day)
        .expect("a vector takes all");
    day
}

/// The feed without messages of some types: `itchy` panics on those that it does not know.
fn without(day: &[u8], types: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(day.len());
    for (_, message) in Frames::new(day, Framing::Length) {
        if !types.contains(&message[0]) {
            Framing::Length.encode_bytes(message, &mut kept);
        }
    }
    kept
}

/// The sum of the fields of order messages and trades, and of the times of all.
fn ours(day: &[u8]) -> u64 {
    let mut sum = 0_u64;
    let end = Frames::new(day, Framing::Length).visit(
        &mut sum,
        |sum, _, order| {
            let fields = order
                .order_reference_number
                .wrapping_add(order.new_order_reference_number)
                .wrapping_add(order.match_number)
                .wrapping_add(order.shares.into())
                .wrapping_add(order.price.raw().into());
            *sum = sum.wrapping_add(fields).wrapping_add(order.ns);
        },
        |sum, _, bytes| {
            let Ok(message) = Message::parse(bytes) else {
                return;
            };
            let fields = match message {
                Message::Trade(m) => {
                    u64::from(m.shares.get()) + u64::from(m.price.raw()) + m.match_number.get()
                }
                _ => 0,
            };
            *sum = sum.wrapping_add(fields).wrapping_add(message.header().ns());
        },
    );
    end.finish().expect("the day is whole");
    sum
}

/// The sum of times and stock locates, which is what can be compared with `itchy` in one line.
fn ours_headers(day: &[u8]) -> u64 {
    Frames::new(day, Framing::Length)
        .filter_map(|(_, bytes)| Message::parse(bytes).ok())
        .map(|message| message.header().ns() + u64::from(message.header().stock_locate.get()))
        .fold(0, u64::wrapping_add)
}

#[derive(Default)]
struct Sum(u64);

macro_rules! sums {
    ($($method:ident($type:ty) => |$m:ident| $fields:expr;)*) => {
        impl MessageHandler for Sum {
            $(#[inline]
            fn $method(&mut self, $m: &$type) -> ControlFlow<()> {
                self.0 = self.0.wrapping_add($fields).wrapping_add($m.timestamp().to_u64());
                ControlFlow::Continue(())
            })*
        }
    };
}

sums! {
    on_add_order_no_mpid_attribution(peer::AddOrderNoMPIDAttribution) => |m|
        m.order_reference_number() + u64::from(m.shares()) + u64::from(m.price().into_u32());
    on_add_order_with_mpid_attribution(peer::AddOrderWithMPIDAttribution) => |m|
        m.order_reference_number() + u64::from(m.shares()) + u64::from(m.price().into_u32());
    on_order_executed(peer::OrderExecuted) => |m|
        m.order_reference_number() + u64::from(m.executed_shares()) + m.match_number();
    on_order_executed_with_price(peer::OrderExecutedWithPrice) => |m|
        m.order_reference_number() + u64::from(m.executed_shares()) + m.match_number()
            + u64::from(m.execution_price().into_u32());
    on_order_cancel(peer::OrderCancel) => |m|
        m.order_reference_number() + u64::from(m.cancelled_shares());
    on_order_delete(peer::OrderDelete) => |m| m.order_reference_number();
    on_order_replace(peer::OrderReplace) => |m|
        m.original_order_reference_number() + m.new_order_reference_number()
            + u64::from(m.shares()) + u64::from(m.price().into_u32());
    on_trade(peer::Trade) => |m|
        u64::from(m.shares()) + u64::from(m.price().into_u32()) + m.match_number();
    on_system_event(peer::SystemEvent) => |m| 0;
    on_stock_directory(peer::StockDirectory) => |m| 0;
    on_stock_trading_action(peer::StockTradingAction) => |m| 0;
    on_reg_sho_restriction(peer::RegSHORestriction) => |m| 0;
    on_market_participant_position(peer::MarketParticipantPosition) => |m| 0;
    on_mwcb_decline_level(peer::MWCBDeclineLevel) => |m| 0;
    on_mwcb_status(peer::MWCBStatus) => |m| 0;
    on_quoting_period_update(peer::QuotingPeriodUpdate) => |m| 0;
    on_luld_auction_collar(peer::LULDAuctionCollar) => |m| 0;
    on_operational_halt(peer::OperationalHalt) => |m| 0;
    on_cross_trade(peer::CrossTrade) => |m| 0;
    on_broken_trade(peer::BrokenTrade) => |m| 0;
    on_net_order_imbalance_indicator(peer::NetOrderImbalanceIndicator) => |m| 0;
    on_retail_price_improvement_indicator(peer::RetailPriceImprovementIndicator) => |m| 0;
    on_direct_listing_with_capital_raise_price_discovery(
        peer::DirectListingwithCapitalRaisePriceDiscovery
    ) => |m| 0;
}

fn itch5(day: &[u8]) -> u64 {
    let mut sum = Sum::default();
    itch5::Parser::new(day)
        .parse_stream(&mut sum)
        .expect("the day is whole");
    sum.0
}

fn itchy(day: &[u8]) -> u64 {
    itchy::MessageStream::from_reader(day)
        .map(|message| message.expect("the day holds no type that it does not know"))
        .map(|message| message.timestamp + u64::from(message.stock_locate))
        .fold(0, u64::wrapping_add)
}

/// All books of the day; says how many orders rest in the end.
fn books(day: &[u8]) -> u64 {
    let config = Config {
        wanted: Wanted::default(),
        ..Config::new(Timestamp(0))
    };
    let mut replay = Replay::new(config);
    let mut rest = day;
    while !rest.is_empty() {
        let mut frames = Frames::new(rest, Framing::Length);
        while frames.offset() < BLOCK && frames.next().is_some() {}
        let (block, later) = rest.split_at(frames.offset());
        assert!(!block.is_empty(), "the day ends with a whole frame");
        replay
            .block(block, Framing::Length, &mut ())
            .expect("the block is whole");
        rest = later;
    }
    replay.finish(&mut ()).live_orders
}

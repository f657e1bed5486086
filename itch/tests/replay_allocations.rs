//! The replay allocates nothing once its memory is there.
#![cfg(feature = "replay")]

use allocation_counter::measure;
use nanobook::rows::{Bar, Bbo, Depth, Mbo, Trade};
use nanobook::{Sink, Timestamp};
use nanobook_itch::replay::{Config, Replay, Wanted};
use nanobook_itch::{
    AddOrder, Framing, OrderCancel, OrderDelete, OrderExecuted, OrderReplace, Price4, Stock8,
    SystemEvent, Time48,
};

const STOCKS: u16 = 100;
const ORDERS: u64 = 40;

/// Rows by kind: something must come out of what is measured.
#[derive(Default)]
struct Counts {
    mbo: u64,
    bbo: u64,
    depth: u64,
    trades: u64,
    bars: u64,
}

impl Sink for Counts {
    fn mbo(&mut self, _: &Mbo) {
        self.mbo += 1;
    }

    fn bbo(&mut self, _: &Bbo) {
        self.bbo += 1;
    }

    fn depth(&mut self, _: &Depth<'_>) {
        self.depth += 1;
    }

    fn trade(&mut self, _: &Trade) {
        self.trades += 1;
    }

    fn bar(&mut self, _: &Bar) {
        self.bars += 1;
    }
}

/// A second of the day in which each book fills, trades, changes and empties again.
fn second(number: u64) -> Vec<u8> {
    let mut out = Vec::new();
    let timestamp = Time48::new((34_200 + number) * 1_000_000_000);
    let framing = Framing::Length;
    framing.encode(
        &SystemEvent {
            timestamp,
            event_code: b'Q',
            ..Default::default()
        },
        &mut out,
    );
    let stocks = || (1..=STOCKS).map(|locate| (locate.into(), u64::from(locate)));
    for order in 0..ORDERS {
        for (stock_locate, locate) in stocks() {
            let reference = (number * ORDERS + order) * 1_000_003 + locate;
            let add = AddOrder {
                stock_locate,
                timestamp,
                order_reference_number: reference.into(),
                buy_sell_indicator: if order % 2 == 0 { b'B' } else { b'S' },
                shares: 300.into(),
                stock: Stock8::new("ABC").expect("three letters"),
                price: Price4::new(match order % 2 {
                    0 => 990_000 - 100 * u32::try_from(order % 7).expect("small"),
                    _ => 1_000_000 + 100 * u32::try_from(order % 7).expect("small"),
                }),
                ..Default::default()
            };
            framing.encode(&add, &mut out);
        }
    }
    for order in 0..ORDERS {
        for (stock_locate, locate) in stocks() {
            let reference = ((number * ORDERS + order) * 1_000_003 + locate).into();
            let executed = OrderExecuted {
                stock_locate,
                timestamp,
                order_reference_number: reference,
                executed_shares: 100.into(),
                ..Default::default()
            };
            let cancel = OrderCancel {
                stock_locate,
                timestamp,
                order_reference_number: reference,
                cancelled_shares: 50.into(),
                ..Default::default()
            };
            let replace = OrderReplace {
                stock_locate,
                timestamp,
                original_order_reference_number: reference,
                new_order_reference_number: (reference.get() << 20).into(),
                shares: 200.into(),
                price: Price4::new(if order % 2 == 0 { 989_000 } else { 1_001_000 }),
                ..Default::default()
            };
            let delete = OrderDelete {
                stock_locate,
                timestamp,
                order_reference_number: replace.new_order_reference_number,
                ..Default::default()
            };
            framing.encode(&executed, &mut out);
            framing.encode(&cancel, &mut out);
            framing.encode(&replace, &mut out);
            framing.encode(&delete, &mut out);
        }
    }
    out
}

/// Replays seconds until memory has grown, and says what the seconds after that allocate.
fn allocations_after_warming_up(wanted: Wanted) -> (u64, Counts) {
    let mut replay = Replay::new(Config {
        wanted,
        ..Config::new(Timestamp(0))
    });
    let seconds: Vec<Vec<u8>> = (0..20).map(second).collect();
    for block in &seconds[..10] {
        replay
            .block(block, Framing::Length, &mut ())
            .expect("whole frames");
    }
    let mut counts = Counts::default();
    let allocated = measure(|| {
        for block in &seconds[10..] {
            replay
                .block(block, Framing::Length, &mut counts)
                .expect("whole frames");
        }
    });
    let report = replay.report();
    assert_eq!(report.live_orders, 0);
    assert!(!report.has_faults(), "{report:?}");
    assert_eq!(replay.messages(), 20 * (1 + 5 * ORDERS * u64::from(STOCKS)));
    (allocated.count_total, counts)
}

#[test]
fn blocks_allocate_nothing_once_memory_has_grown() {
    let book = Wanted {
        mbo: true,
        bbo: true,
        trades: true,
        depth: 5,
        ..Wanted::default()
    };
    let (allocations, counts) = allocations_after_warming_up(book);
    assert_eq!(allocations, 0);
    let messages = 10 * u64::from(STOCKS) * ORDERS;
    assert_eq!((counts.mbo, counts.trades), (5 * messages, messages));
    assert!(counts.bbo > messages / 10 && counts.depth > messages);
}

#[test]
fn rows_of_intervals_allocate_nothing_either() {
    let intervals = Wanted {
        depth: 5,
        every_ns: Some(1_000_000_000),
        bars_ns: Some(1_000_000_000),
        ..Wanted::default()
    };
    let (allocations, counts) = allocations_after_warming_up(intervals);
    assert_eq!(allocations, 0);
    // Each second ends in the block of the next one.
    assert_eq!(counts.bars, 10 * u64::from(STOCKS));
    assert_eq!(counts.depth, 10 * u64::from(STOCKS));
}

//! Rows of every table, made from a seed.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test uses a part, and may panic"
)]

use nanobook::rows::{
    Action, Bar, Bbo, Code, DirectListing, Header, Imbalance, Ipo, Luld, MarketHeader, Mbo, Mwcb,
    Participant, PriceLevel, RegSho, Rpii, Status, StatusKind, StockDirectory, SystemEvent, Trade,
    TradeKind,
};
use nanobook::{InstrumentId, OrderId, Price, Qty, Side, Symbol, Timestamp, TradeId};
use nanobook_arrow::{DepthRow, PriceType, Table, TableOptions};

/// `SplitMix64`: small, seeded, and good enough to hit every branch.
pub(crate) struct Rng {
    state: u64,
    seq: u64,
    ts: i64,
    pub(crate) options: TableOptions,
}

impl Rng {
    pub(crate) fn new(seed: u64, options: TableOptions) -> Self {
        Self {
            state: seed,
            seq: 0,
            ts: 1_580_391_000_000_000_000,
            options,
        }
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }

    fn option<T>(&mut self, make: impl Fn(&mut Self) -> T) -> Option<T> {
        (self.below(4) > 0).then(|| make(self))
    }

    /// Any number, often a small or an extreme one.
    fn number(&mut self) -> u64 {
        match self.below(8) {
            0 => 0,
            1 => u64::MAX,
            2 => self.next(),
            _ => self.below(1000),
        }
    }

    fn small(&mut self) -> u32 {
        u32::try_from(self.number() & u64::from(u32::MAX)).unwrap()
    }

    fn tracking(&mut self) -> u16 {
        u16::try_from(self.number() & u64::from(u16::MAX)).unwrap()
    }

    /// A wire price; for the exact types sometimes one that has nine decimals or is negative.
    fn price(&mut self) -> Price {
        let wire = Price::from_ten_thousandths(match self.below(4) {
            0 => u32::MAX,
            1 => 0,
            _ => u32::try_from(self.below(10_000_000)).unwrap(),
        });
        match (self.options.price_type, self.below(4)) {
            (PriceType::Fixed, 0) => Price(self.next().cast_signed()),
            (PriceType::Decimal, 0) => Price(self.next().cast_signed() % 1_000_000_000_000_000_000),
            _ => wire,
        }
    }

    fn qty(&mut self) -> Qty {
        Qty(self.number())
    }

    fn side(&mut self) -> Side {
        self.pick(&[Side::Buy, Side::Sell])
    }

    fn code(&mut self) -> Option<Code> {
        self.option(|rng| rng.pick(&["A", "LUDP", "T1", "N", "a"]))
            .and_then(|text| Code::new(text.as_bytes()))
    }

    fn time(&mut self) -> Timestamp {
        Timestamp(self.ts + i64::try_from(self.below(1_000_000_000)).unwrap())
    }

    pub(crate) fn header(&mut self) -> Header {
        let MarketHeader { ts_event, seq } = self.market_header();
        let id = self.small() % 9000;
        let symbol = self.option(|rng| {
            let text = [
                "A",
                "AAPL",
                "BRK.B",
                "ZVZZT",
                "TWELVE-BYTES",
                "FIFTEEN-BYTES-X",
            ];
            rng.pick(&text).parse::<Symbol>().unwrap()
        });
        Header {
            ts_event,
            seq,
            instrument_id: InstrumentId(if id == 0 { u32::MAX } else { id }),
            symbol,
        }
    }

    pub(crate) fn market_header(&mut self) -> MarketHeader {
        self.seq += self.below(3);
        self.ts += i64::try_from(self.below(1_000_000)).unwrap();
        MarketHeader {
            ts_event: Timestamp(self.ts),
            seq: self.seq,
        }
    }

    fn level(&mut self) -> PriceLevel {
        PriceLevel {
            price: self.price(),
            qty: self.qty(),
            count: self.small(),
        }
    }

    fn levels(&mut self) -> Vec<PriceLevel> {
        let count = self.below(self.options.levels as u64 + 1);
        (0..count).map(|_| self.level()).collect()
    }
}

/// A row that can be made up.
pub(crate) trait Sample:
    Table + Clone + PartialEq + std::fmt::Debug + Send + Sync + 'static
{
    fn sample(rng: &mut Rng) -> Self;
}

macro_rules! sample {
    ($($row:ident |$rng:ident| { $($field:ident: $value:expr),* $(,)? })*) => {$(
        impl Sample for $row {
            fn sample($rng: &mut Rng) -> Self {
                Self { $($field: $value),* }
            }
        }
    )*};
}

sample! {
    Mbo |rng| {
        header: rng.header(),
        action: rng.pick(&[Action::Add, Action::Execute, Action::Reduce, Action::Delete, Action::Replace]),
        side: rng.option(Rng::side),
        price: rng.option(Rng::price),
        qty: rng.option(Rng::qty),
        order_id: OrderId(rng.number()),
        old_order_id: rng.option(|rng| OrderId(rng.number())),
        leaves_qty: rng.option(Rng::qty),
        match_id: rng.option(|rng| TradeId(rng.number())),
        printable: rng.option(|rng| rng.below(2) == 0),
        mpid: rng.code(),
    }
    Bbo |rng| { header: rng.header(), bid: rng.option(Rng::level), ask: rng.option(Rng::level) }
    DepthRow |rng| { header: rng.header(), bids: rng.levels(), asks: rng.levels() }
    Trade |rng| {
        header: rng.header(),
        kind: rng.pick(&[TradeKind::Displayed, TradeKind::DisplayedAtPrice, TradeKind::Hidden, TradeKind::Cross]),
        price: rng.option(Rng::price),
        qty: rng.qty(),
        side: rng.option(Rng::side),
        order_id: rng.option(|rng| OrderId(rng.number())),
        match_id: TradeId(rng.number()),
        cross_type: rng.code(),
        broken: rng.below(5) == 0,
    }
    Bar |rng| {
        header: rng.header(),
        interval_ns: i64::try_from(rng.below(1 << 40)).unwrap(),
        ohlc: rng.option(|rng| [(); 4].map(|()| rng.price())),
        volume: rng.qty(),
        vwap: rng.option(|rng| f64::from(rng.small()) / 7.0),
        trade_count: rng.small(),
        bid_px: rng.option(Rng::price),
        ask_px: rng.option(Rng::price),
    }
    Imbalance |rng| {
        header: rng.header(),
        paired_qty: rng.qty(),
        imbalance_qty: rng.qty(),
        imbalance_direction: rng.code(),
        imbalance_side: rng.option(Rng::side),
        far_px: rng.option(Rng::price),
        near_px: rng.option(Rng::price),
        ref_px: rng.option(Rng::price),
        cross_type: rng.code(),
        variation: rng.code(),
        tracking_number: rng.tracking(),
    }
    Status |rng| {
        header: rng.header(),
        kind: rng.pick(&[StatusKind::TradingAction, StatusKind::OperationalHalt]),
        state: rng.code(),
        reason: rng.code(),
        market: rng.code(),
        tracking_number: rng.tracking(),
    }
    StockDirectory |rng| {
        header: rng.header(),
        market_category: rng.code(),
        financial_status_indicator: rng.code(),
        round_lot_size: rng.small(),
        round_lots_only: rng.code(),
        issue_classification: rng.code(),
        issue_sub_type: rng.code(),
        authenticity: rng.code(),
        short_sale_threshold_indicator: rng.code(),
        ipo_flag: rng.code(),
        luld_reference_price_tier: rng.code(),
        etp_flag: rng.code(),
        etp_leverage_factor: rng.small(),
        inverse_indicator: rng.code(),
        tracking_number: rng.tracking(),
    }
    RegSho |rng| { header: rng.header(), reg_sho_action: rng.code(), tracking_number: rng.tracking() }
    Luld |rng| {
        header: rng.header(),
        auction_collar_reference_price: rng.option(Rng::price),
        upper_auction_collar_price: rng.option(Rng::price),
        lower_auction_collar_price: rng.option(Rng::price),
        auction_collar_extension: rng.small(),
        tracking_number: rng.tracking(),
    }
    Mwcb |rng| {
        header: rng.market_header(),
        level_1: rng.option(Rng::price),
        level_2: rng.option(Rng::price),
        level_3: rng.option(Rng::price),
        breached_level: rng.code(),
        tracking_number: rng.tracking(),
    }
    Ipo |rng| {
        header: rng.header(),
        ipo_quotation_release_time: rng.option(Rng::time),
        ipo_quotation_release_qualifier: rng.code(),
        ipo_price: rng.option(Rng::price),
        tracking_number: rng.tracking(),
    }
    Participant |rng| {
        header: rng.header(),
        mpid: rng.code(),
        primary_market_maker: rng.code(),
        market_maker_mode: rng.code(),
        market_participant_state: rng.code(),
        tracking_number: rng.tracking(),
    }
    Rpii |rng| { header: rng.header(), interest_flag: rng.code(), tracking_number: rng.tracking() }
    DirectListing |rng| {
        header: rng.header(),
        open_eligibility_status: rng.code(),
        minimum_allowable_price: rng.option(Rng::price),
        maximum_allowable_price: rng.option(Rng::price),
        near_execution_price: rng.option(Rng::price),
        near_execution_time: rng.option(Rng::time),
        lower_price_range_collar: rng.option(Rng::price),
        upper_price_range_collar: rng.option(Rng::price),
        tracking_number: rng.tracking(),
    }
    SystemEvent |rng| { header: rng.market_header(), event_code: rng.code(), tracking_number: rng.tracking() }
}

/// Made-up rows of a table.
pub(crate) fn rows<T: Sample>(seed: u64, count: usize, options: TableOptions) -> Vec<T> {
    let mut rng = Rng::new(seed, options);
    (0..count).map(|_| T::sample(&mut rng)).collect()
}

/// Calls a generic function for every table.
#[macro_export]
macro_rules! for_every_table {
    ($f:ident($($arg:expr),*)) => {{
        use nanobook::rows::*;
        $f::<Mbo>($($arg),*);
        $f::<Bbo>($($arg),*);
        $f::<nanobook_arrow::DepthRow>($($arg),*);
        $f::<Trade>($($arg),*);
        $f::<Bar>($($arg),*);
        $f::<Imbalance>($($arg),*);
        $f::<Status>($($arg),*);
        $f::<StockDirectory>($($arg),*);
        $f::<RegSho>($($arg),*);
        $f::<Luld>($($arg),*);
        $f::<Mwcb>($($arg),*);
        $f::<Ipo>($($arg),*);
        $f::<Participant>($($arg),*);
        $f::<Rpii>($($arg),*);
        $f::<DirectListing>($($arg),*);
        $f::<SystemEvent>($($arg),*);
    }};
}

/// The three price types.
pub(crate) const PRICE_TYPES: [PriceType; 3] =
    [PriceType::Float, PriceType::Decimal, PriceType::Fixed];

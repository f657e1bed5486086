//! Trades, imbalances and indications: §1.5 to §1.8 of the specification.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::{Int2, Int4, Int8, Price4, Stock8, Time48};

/// `P`, §1.5.1: a match with an order that was not displayed. It changes no book.
#[derive(
    FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Debug, Clone, Copy, PartialEq, Eq,
)]
#[repr(C)]
pub struct Trade {
    /// Always `b'P'`.
    pub message_type: u8,
    /// Number of the stock for this day.
    pub stock_locate: Int2,
    /// NASDAQ's internal tracking number.
    pub tracking_number: Int2,
    /// Time of day in ns.
    pub timestamp: Time48,
    /// Number of the hidden order; 0 in feeds since December 2010.
    pub order_reference_number: Int8,
    /// Side of the hidden order; always `B` since July 2014.
    pub buy_sell_indicator: u8,
    /// Shares matched.
    pub shares: Int4,
    /// The symbol.
    pub stock: Stock8,
    /// Price of the match.
    pub price: Price4,
    /// Number of the match.
    pub match_number: Int8,
}

/// `Q`, §1.5.2: the result of an auction, sent even when nothing matched.
#[derive(
    FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Debug, Clone, Copy, PartialEq, Eq,
)]
#[repr(C)]
pub struct CrossTrade {
    /// Always `b'Q'`.
    pub message_type: u8,
    /// Number of the stock for this day.
    pub stock_locate: Int2,
    /// NASDAQ's internal tracking number.
    pub tracking_number: Int2,
    /// Time of day in ns.
    pub timestamp: Time48,
    /// Shares matched.
    pub shares: Int8,
    /// The symbol.
    pub stock: Stock8,
    /// Price of the auction.
    pub cross_price: Price4,
    /// Number of the match.
    pub match_number: Int8,
    /// `O` opening, `C` closing, `H` after a halt or for a new issue.
    pub cross_type: u8,
}

/// `B`, §1.5.3: an execution is void. It changes no book.
#[derive(
    FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Debug, Clone, Copy, PartialEq, Eq,
)]
#[repr(C)]
pub struct BrokenTrade {
    /// Always `b'B'`.
    pub message_type: u8,
    /// Number of the stock for this day.
    pub stock_locate: Int2,
    /// NASDAQ's internal tracking number.
    pub tracking_number: Int2,
    /// Time of day in ns.
    pub timestamp: Time48,
    /// The match that is void.
    pub match_number: Int8,
}

/// `I`, §1.6: what an auction would do now, sent in the minutes before it.
#[derive(
    FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Debug, Clone, Copy, PartialEq, Eq,
)]
#[repr(C)]
pub struct NetOrderImbalance {
    /// Always `b'I'`.
    pub message_type: u8,
    /// Number of the stock for this day.
    pub stock_locate: Int2,
    /// NASDAQ's internal tracking number.
    pub tracking_number: Int2,
    /// Time of day in ns.
    pub timestamp: Time48,
    /// Shares that would match at the reference price.
    pub paired_shares: Int8,
    /// Shares that would not.
    pub imbalance_shares: Int8,
    /// `B` buy, `S` sell, `N` none, `O` too few orders to tell, `P` paused.
    pub imbalance_direction: u8,
    /// The symbol.
    pub stock: Stock8,
    /// Price at which auction orders alone would clear; 0 if there is none.
    pub far_price: Price4,
    /// Price at which auction and continuous orders would clear; 0 if there is none.
    pub near_price: Price4,
    /// Price at which the imbalance is computed.
    pub current_reference_price: Price4,
    /// `O` opening, `C` closing, `H` after a halt or for a new issue, `A` extended trading close.
    pub cross_type: u8,
    /// Distance of the near price from the reference price: `L` under 1 %, `1` to `9` that many
    /// percent, `A` 10 to 20 %, `B` 20 to 30 %, `C` 30 % and more, space if it cannot be computed.
    pub price_variation_indicator: u8,
}

/// `N`, §1.7: retail price improvement orders are there.
#[derive(
    FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Debug, Clone, Copy, PartialEq, Eq,
)]
#[repr(C)]
pub struct RetailInterest {
    /// Always `b'N'`.
    pub message_type: u8,
    /// Number of the stock for this day.
    pub stock_locate: Int2,
    /// NASDAQ's internal tracking number.
    pub tracking_number: Int2,
    /// Time of day in ns.
    pub timestamp: Time48,
    /// The symbol.
    pub stock: Stock8,
    /// `B` buy side, `S` sell side, `A` both, `N` none.
    pub interest_flag: u8,
}

/// `O`, §1.8: price discovery of a direct listing with a capital raise.
#[derive(
    FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Debug, Clone, Copy, PartialEq, Eq,
)]
#[repr(C)]
pub struct DirectListing {
    /// Always `b'O'`.
    pub message_type: u8,
    /// Number of the stock for this day.
    pub stock_locate: Int2,
    /// NASDAQ's internal tracking number.
    pub tracking_number: Int2,
    /// Time of day in ns.
    pub timestamp: Time48,
    /// The symbol.
    pub stock: Stock8,
    /// `Y` may be released for trading, `N` not yet.
    pub open_eligibility_status: u8,
    /// 20 % below the lowest price of the registration.
    pub minimum_allowable_price: Price4,
    /// 80 % above the highest price of the registration.
    pub maximum_allowable_price: Price4,
    /// Reference price when the volatility test was passed.
    pub near_execution_price: Price4,
    /// When it was set, as the wire has it.
    pub near_execution_time: Int8,
    /// 10 % below the near execution price.
    pub lower_price_range_collar: Price4,
    /// 10 % above the near execution price.
    pub upper_price_range_collar: Price4,
}

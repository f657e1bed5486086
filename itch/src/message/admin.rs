//! System and stock messages: §1.1 and §1.2 of the specification.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::{Alpha2, Alpha4, Int2, Int4, Price4, Price8, Stock8, Time48};

/// `S`, §1.1: a phase of the day begins or ends.
#[derive(
    FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Debug, Clone, Copy, PartialEq, Eq,
)]
#[repr(C)]
pub struct SystemEvent {
    /// Always `b'S'`.
    pub message_type: u8,
    /// Always 0: the message concerns no stock in particular.
    pub stock_locate: Int2,
    /// NASDAQ's internal tracking number.
    pub tracking_number: Int2,
    /// Time of day in ns.
    pub timestamp: Time48,
    /// `O` start of messages, `S` start of system hours, `Q` start of market hours, `M` end of market
    /// hours, `E` end of system hours, `C` end of messages.
    pub event_code: u8,
}

/// `R`, §1.2.1: a stock and its attributes, sent before trading for every stock of the day.
#[derive(
    FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Debug, Clone, Copy, PartialEq, Eq,
)]
#[repr(C)]
pub struct StockDirectory {
    /// Always `b'R'`.
    pub message_type: u8,
    /// Number of the stock for this day.
    pub stock_locate: Int2,
    /// NASDAQ's internal tracking number.
    pub tracking_number: Int2,
    /// Time of day in ns.
    pub timestamp: Time48,
    /// The symbol.
    pub stock: Stock8,
    /// Listing market: `Q` NASDAQ Global Select, `G` NASDAQ Global, `S` NASDAQ Capital, `N` NYSE,
    /// `A` NYSE American, `P` NYSE Arca, `Z` BATS, `V` Investors' Exchange, space if not available.
    pub market_category: u8,
    /// `D` deficient, `E` delinquent, `Q` bankrupt, `S` suspended, `G` deficient and bankrupt,
    /// `H` deficient and delinquent, `J` delinquent and bankrupt, `K` all three, `C` creations or
    /// redemptions suspended, `N` normal, space if not available.
    pub financial_status_indicator: u8,
    /// Shares in a round lot.
    pub round_lot_size: Int4,
    /// `Y` only round lots are accepted, `N` any size.
    pub round_lots_only: u8,
    /// Kind of security: `A` depositary share, `C` common stock, `O` ordinary share, and so on.
    pub issue_classification: u8,
    /// Finer kind of security, `Z ` if not applicable.
    pub issue_sub_type: Alpha2,
    /// `P` live, `T` test.
    pub authenticity: u8,
    /// `Y` on the Regulation SHO threshold list, `N` not, space if not available.
    pub short_sale_threshold_indicator: u8,
    /// `Y` set up for release as a new issue, `N` not, space if not available.
    pub ipo_flag: u8,
    /// Limit up-limit down tier: `1`, `2`, space if not applicable.
    pub luld_reference_price_tier: u8,
    /// `Y` exchange traded product, `N` not, space if not available.
    pub etp_flag: u8,
    /// Leverage of the product, 0 if it has none.
    pub etp_leverage_factor: Int4,
    /// `Y` inverse product, `N` not.
    pub inverse_indicator: u8,
}

/// `H`, §1.2.2: the trading state of a stock, at the start of the day and when it changes.
#[derive(
    FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Debug, Clone, Copy, PartialEq, Eq,
)]
#[repr(C)]
pub struct StockTradingAction {
    /// Always `b'H'`.
    pub message_type: u8,
    /// Number of the stock for this day.
    pub stock_locate: Int2,
    /// NASDAQ's internal tracking number.
    pub tracking_number: Int2,
    /// Time of day in ns.
    pub timestamp: Time48,
    /// The symbol.
    pub stock: Stock8,
    /// `H` halted in all US markets, `P` paused in all US markets, `Q` quotation only, `T` trading.
    pub trading_state: u8,
    /// Reserved.
    pub reserved: u8,
    /// Reason code, blank if none.
    pub reason: Alpha4,
}

/// `Y`, §1.2.3: the short sale price test of a stock.
#[derive(
    FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Debug, Clone, Copy, PartialEq, Eq,
)]
#[repr(C)]
pub struct RegShoRestriction {
    /// Always `b'Y'`.
    pub message_type: u8,
    /// Number of the stock for this day.
    pub stock_locate: Int2,
    /// NASDAQ's internal tracking number.
    pub tracking_number: Int2,
    /// Time of day in ns.
    pub timestamp: Time48,
    /// The symbol.
    pub stock: Stock8,
    /// `0` no price test, `1` in effect because of a drop during the day, `2` still in effect.
    pub reg_sho_action: u8,
}

/// `L`, §1.2.4: a market participant's standing in a stock.
#[derive(
    FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Debug, Clone, Copy, PartialEq, Eq,
)]
#[repr(C)]
pub struct MarketParticipantPosition {
    /// Always `b'L'`.
    pub message_type: u8,
    /// Number of the stock for this day.
    pub stock_locate: Int2,
    /// NASDAQ's internal tracking number.
    pub tracking_number: Int2,
    /// Time of day in ns.
    pub timestamp: Time48,
    /// The market participant.
    pub mpid: Alpha4,
    /// The symbol.
    pub stock: Stock8,
    /// `Y` primary market maker, `N` not.
    pub primary_market_maker: u8,
    /// `N` normal, `P` passive, `S` syndicate, `R` pre-syndicate, `L` penalty.
    pub market_maker_mode: u8,
    /// `A` active, `E` excused or withdrawn, `W` withdrawn, `S` suspended, `D` deleted.
    pub market_participant_state: u8,
}

/// `V`, §1.2.5.1: the index levels of the market-wide circuit breaker for the day.
#[derive(
    FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Debug, Clone, Copy, PartialEq, Eq,
)]
#[repr(C)]
pub struct MwcbDeclineLevel {
    /// Always `b'V'`.
    pub message_type: u8,
    /// Always 0: the message concerns no stock in particular.
    pub stock_locate: Int2,
    /// NASDAQ's internal tracking number.
    pub tracking_number: Int2,
    /// Time of day in ns.
    pub timestamp: Time48,
    /// Level 1.
    pub level_1: Price8,
    /// Level 2.
    pub level_2: Price8,
    /// Level 3.
    pub level_3: Price8,
}

/// `W`, §1.2.5.2: a level of the market-wide circuit breaker has been breached.
#[derive(
    FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Debug, Clone, Copy, PartialEq, Eq,
)]
#[repr(C)]
pub struct MwcbStatus {
    /// Always `b'W'`.
    pub message_type: u8,
    /// Always 0: the message concerns no stock in particular.
    pub stock_locate: Int2,
    /// NASDAQ's internal tracking number.
    pub tracking_number: Int2,
    /// Time of day in ns.
    pub timestamp: Time48,
    /// `1`, `2` or `3`.
    pub breached_level: u8,
}

/// `K`, §1.2.6: when quoting in a new issue is expected to start.
#[derive(
    FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Debug, Clone, Copy, PartialEq, Eq,
)]
#[repr(C)]
pub struct QuotingPeriodUpdate {
    /// Always `b'K'`.
    pub message_type: u8,
    /// Number of the stock for this day.
    pub stock_locate: Int2,
    /// NASDAQ's internal tracking number.
    pub tracking_number: Int2,
    /// Time of day in ns.
    pub timestamp: Time48,
    /// The symbol.
    pub stock: Stock8,
    /// Expected start of quoting, in seconds since midnight; 0 if cancelled or postponed.
    pub ipo_quotation_release_time: Int4,
    /// `A` anticipated, `C` cancelled or postponed.
    pub ipo_quotation_release_qualifier: u8,
    /// Price of the new issue.
    pub ipo_price: Price4,
}

/// `J`, §1.2.7: the collar within which the auction after a volatility pause may print.
#[derive(
    FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Debug, Clone, Copy, PartialEq, Eq,
)]
#[repr(C)]
pub struct LuldAuctionCollar {
    /// Always `b'J'`.
    pub message_type: u8,
    /// Number of the stock for this day.
    pub stock_locate: Int2,
    /// NASDAQ's internal tracking number.
    pub tracking_number: Int2,
    /// Time of day in ns.
    pub timestamp: Time48,
    /// The symbol.
    pub stock: Stock8,
    /// Price from which the collar was made.
    pub auction_collar_reference_price: Price4,
    /// Upper threshold.
    pub upper_auction_collar_price: Price4,
    /// Lower threshold.
    pub lower_auction_collar_price: Price4,
    /// How many times the auction was extended; 0 the first time.
    pub auction_collar_extension: Int4,
}

/// `h`, §1.2.8: one market alone interrupts or resumes trading in a stock.
#[derive(
    FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Debug, Clone, Copy, PartialEq, Eq,
)]
#[repr(C)]
pub struct OperationalHalt {
    /// Always `b'h'`.
    pub message_type: u8,
    /// Number of the stock for this day.
    pub stock_locate: Int2,
    /// NASDAQ's internal tracking number.
    pub tracking_number: Int2,
    /// Time of day in ns.
    pub timestamp: Time48,
    /// The symbol.
    pub stock: Stock8,
    /// `Q` NASDAQ, `B` BX, `X` PSX.
    pub market_code: u8,
    /// `H` halted, `T` resumed.
    pub operational_halt_action: u8,
}

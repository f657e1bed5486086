//! Rows of the messages that are not about orders. Fields are named as in the ITCH 5.0 specification, section 1.

use super::{Code, Header, MarketHeader};
use crate::{Price, Qty, Side, Timestamp};

/// Start or end of a phase of the day (`S`, section 1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemEvent {
    /// Time and ordinal.
    pub header: MarketHeader,
    /// `O` start of messages, `S` start of system hours, `Q` start of market hours, `M` end of market hours, `E` end of
    /// system hours, `C` end of messages.
    pub event_code: Option<Code>,
    /// The venue's internal number.
    pub tracking_number: u16,
}

/// An instrument of the day (`R`, section 1.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StockDirectory {
    /// Time, ordinal and instrument.
    pub header: Header,
    /// Listing market and tier.
    pub market_category: Option<Code>,
    /// Deficient, delinquent, bankrupt and the like.
    pub financial_status_indicator: Option<Code>,
    /// Shares in a round lot.
    pub round_lot_size: u32,
    /// `Y` when only round lots are accepted.
    pub round_lots_only: Option<Code>,
    /// Security class.
    pub issue_classification: Option<Code>,
    /// Security sub-class.
    pub issue_sub_type: Option<Code>,
    /// `P` live, `T` test.
    pub authenticity: Option<Code>,
    /// Whether Rule 203(b)(3) restricts short sales.
    pub short_sale_threshold_indicator: Option<Code>,
    /// `Y` for a new issue.
    pub ipo_flag: Option<Code>,
    /// Limit-up limit-down tier.
    pub luld_reference_price_tier: Option<Code>,
    /// `Y` for an exchange-traded product.
    pub etp_flag: Option<Code>,
    /// Leverage of the product.
    pub etp_leverage_factor: u32,
    /// `Y` for an inverse product.
    pub inverse_indicator: Option<Code>,
    /// The venue's internal number.
    pub tracking_number: u16,
}

/// Which message a [`Status`] row comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StatusKind {
    /// Stock trading action (`H`, section 1.2.2).
    TradingAction,
    /// Operational halt (`h`, section 1.2.8).
    OperationalHalt,
}

impl StatusKind {
    /// The word of the `kind` column.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TradingAction => "trading_action",
            Self::OperationalHalt => "operational_halt",
        }
    }
}

/// Trading is halted, paused, quoted or resumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Time, ordinal and instrument.
    pub header: Header,
    /// Which message.
    pub kind: StatusKind,
    /// `H` halted, `P` paused, `Q` quotation only, `T` trading.
    pub state: Option<Code>,
    /// Reason of a trading action.
    pub reason: Option<Code>,
    /// Market of an operational halt (`Q` NASDAQ, `B` BX, `X` PSX).
    pub market: Option<Code>,
    /// The venue's internal number.
    pub tracking_number: u16,
}

/// Short-sale price test (`Y`, section 1.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegSho {
    /// Time, ordinal and instrument.
    pub header: Header,
    /// `0` no test, `1` test in effect through a fall today, `2` remains in effect.
    pub reg_sho_action: Option<Code>,
    /// The venue's internal number.
    pub tracking_number: u16,
}

/// A market participant's position in an instrument (`L`, section 1.2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Participant {
    /// Time, ordinal and instrument.
    pub header: Header,
    /// The participant.
    pub mpid: Option<Code>,
    /// `Y` for a primary market maker.
    pub primary_market_maker: Option<Code>,
    /// Quoting mode.
    pub market_maker_mode: Option<Code>,
    /// Registration state.
    pub market_participant_state: Option<Code>,
    /// The venue's internal number.
    pub tracking_number: u16,
}

/// Market-wide circuit breaker: its levels (`V`, section 1.2.5.1) or a breach (`W`, section 1.2.5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mwcb {
    /// Time and ordinal.
    pub header: MarketHeader,
    /// First level, in index points; `None` for a breach.
    pub level_1: Option<Price>,
    /// Second level; `None` for a breach.
    pub level_2: Option<Price>,
    /// Third level; `None` for a breach.
    pub level_3: Option<Price>,
    /// The level that was breached; `None` for the day's levels.
    pub breached_level: Option<Code>,
    /// The venue's internal number.
    pub tracking_number: u16,
}

/// Quoting period of a new issue (`K`, section 1.2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ipo {
    /// Time, ordinal and instrument.
    pub header: Header,
    /// When quoting is to begin; `None` when the release was cancelled (zero on the wire).
    pub ipo_quotation_release_time: Option<Timestamp>,
    /// `A` anticipated, `C` cancelled or postponed.
    pub ipo_quotation_release_qualifier: Option<Code>,
    /// Price of the new issue; `None` when zero on the wire.
    pub ipo_price: Option<Price>,
    /// The venue's internal number.
    pub tracking_number: u16,
}

/// Limit-up limit-down auction collar (`J`, section 1.2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Luld {
    /// Time, ordinal and instrument.
    pub header: Header,
    /// Price that the collar is measured from.
    pub auction_collar_reference_price: Option<Price>,
    /// Upper price of the collar.
    pub upper_auction_collar_price: Option<Price>,
    /// Lower price of the collar.
    pub lower_auction_collar_price: Option<Price>,
    /// How many times it was widened.
    pub auction_collar_extension: u32,
    /// The venue's internal number.
    pub tracking_number: u16,
}

/// Net order imbalance before an auction (`I`, section 1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imbalance {
    /// Time, ordinal and instrument.
    pub header: Header,
    /// Shares that can trade at the reference price.
    pub paired_qty: Qty,
    /// Shares that cannot.
    pub imbalance_qty: Qty,
    /// Side of the imbalance as the feed writes it: `B` buy, `S` sell, `N` none, `O` not enough orders, `P` paused.
    pub imbalance_direction: Option<Code>,
    /// Side of the imbalance; `None` when there is none.
    pub imbalance_side: Option<Side>,
    /// Price that would clear orders of the auction only; `None` when zero on the wire.
    pub far_px: Option<Price>,
    /// Price that would clear auction and continuous orders; `None` when zero on the wire.
    pub near_px: Option<Price>,
    /// Price at which the quantities are computed; `None` when zero on the wire.
    pub ref_px: Option<Price>,
    /// Type of the cross.
    pub cross_type: Option<Code>,
    /// Band of the deviation between the near price and the reference price.
    pub variation: Option<Code>,
    /// The venue's internal number.
    pub tracking_number: u16,
}

/// Retail price improvement indicator (`N`, section 1.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rpii {
    /// Time, ordinal and instrument.
    pub header: Header,
    /// `B` buy, `S` sell, `A` both sides, `N` none.
    pub interest_flag: Option<Code>,
    /// The venue's internal number.
    pub tracking_number: u16,
}

/// Direct listing with capital raise (`O`, section 1.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirectListing {
    /// Time, ordinal and instrument.
    pub header: Header,
    /// `Y` when eligible to be released for trading.
    pub open_eligibility_status: Option<Code>,
    /// Lowest allowed price; `None` when zero on the wire.
    pub minimum_allowable_price: Option<Price>,
    /// Highest allowed price; `None` when zero on the wire.
    pub maximum_allowable_price: Option<Price>,
    /// Price at which it would open; `None` when zero on the wire.
    pub near_execution_price: Option<Price>,
    /// When that price was computed; `None` when zero on the wire.
    pub near_execution_time: Option<Timestamp>,
    /// Lower collar; `None` when zero on the wire.
    pub lower_price_range_collar: Option<Price>,
    /// Upper collar; `None` when zero on the wire.
    pub upper_price_range_collar: Option<Price>,
    /// The venue's internal number.
    pub tracking_number: u16,
}

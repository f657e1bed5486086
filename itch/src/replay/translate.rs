//! Wire messages to vocabulary: no state, nothing but names and units changes.

use nanobook::rows::{
    Code, DirectListing, Header, Imbalance, Ipo, Luld, MarketHeader, Mwcb, Participant, RegSho,
    Rpii, Status, StatusKind, StockDirectory, SystemEvent,
};
use nanobook::{BookDelta, OrderId, Price, Qty, Side, Symbol, Timestamp};

use super::report::Faults;
use crate::message::{self, Message};
use crate::{Price4, Price8};

/// Where a message's ticker lies, by its type; 0 for types without one.
pub(super) const STOCK_AT: [u8; 256] = {
    let mut at = [0; 256];
    let mut types: &[(u8, u8)] = &[
        (b'R', 11),
        (b'H', 11),
        (b'Y', 11),
        (b'L', 15),
        (b'K', 11),
        (b'J', 11),
        (b'h', 11),
        (b'A', 24),
        (b'F', 24),
        (b'P', 24),
        (b'Q', 19),
        (b'I', 28),
        (b'N', 11),
        (b'O', 11),
    ];
    while let [(tag, offset), rest @ ..] = types {
        at[*tag as usize] = *offset;
        types = rest;
    }
    at
};

/// The side of a wire indicator; `None` when it is neither `B` nor `S`.
#[inline]
pub(super) fn side(indicator: u8) -> Option<Side> {
    match indicator {
        b'B' => Some(Side::Buy),
        b'S' => Some(Side::Sell),
        _ => None,
    }
}

/// A wire price in units of 1e-9.
#[inline]
pub(super) fn price(wire: Price4) -> Price {
    Price::from_ten_thousandths(wire.raw())
}

/// What an order message says to the book; `None` for other messages and for an add without a side.
#[inline]
pub fn delta(message: &Message<'_>) -> Option<BookDelta> {
    let id = |wire: crate::Int8| OrderId(wire.get());
    let qty = |wire: crate::Int4| Qty(wire.get().into());
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

/// Price and quantity of a print away from the displayed book.
pub(super) fn print(message: &Message<'_>) -> Option<(Price, Qty)> {
    match message {
        Message::Trade(m) => nonzero(m.price).map(|price| (price, Qty(m.shares.get().into()))),
        Message::CrossTrade(m) => nonzero(m.cross_price).map(|price| (price, Qty(m.shares.get()))),
        _ => None,
    }
}

/// A ticker padded with spaces; `None` when it is blank or not printable ASCII.
pub(super) fn symbol(stock: &[u8]) -> Option<Symbol> {
    Symbol::new(stock.trim_ascii_end()).ok()
}

/// Translates the messages that have a row of their own, counting text that can't be shown.
pub(super) struct Translator<'a> {
    pub(super) midnight: Timestamp,
    pub(super) faults: &'a mut Faults,
}

impl Translator<'_> {
    /// A code of one to four characters: blank is null; what can't be shown is null and counted.
    fn code(&mut self, field: &[u8]) -> Option<Code> {
        let code = Code::new(field);
        if code.is_none() && !field.trim_ascii().is_empty() {
            self.faults.bad_text += 1;
        }
        code
    }

    fn letter(&mut self, field: u8) -> Option<Code> {
        self.code(&[field])
    }

    /// A time of day; `None` for zero and for one beyond the years that a timestamp can hold.
    fn time(&self, ns: u64) -> Option<Timestamp> {
        let ns = i64::try_from(ns).ok().filter(|ns| *ns != 0)?;
        self.midnight.0.checked_add(ns).map(Timestamp)
    }

    pub(super) fn system_event(
        &mut self,
        header: MarketHeader,
        m: &message::SystemEvent,
    ) -> SystemEvent {
        SystemEvent {
            header,
            event_code: self.letter(m.event_code),
            tracking_number: m.tracking_number.get(),
        }
    }

    pub(super) fn stock_directory(
        &mut self,
        header: Header,
        m: &message::StockDirectory,
    ) -> StockDirectory {
        StockDirectory {
            header,
            market_category: self.letter(m.market_category),
            financial_status_indicator: self.letter(m.financial_status_indicator),
            round_lot_size: m.round_lot_size.get(),
            round_lots_only: self.letter(m.round_lots_only),
            issue_classification: self.letter(m.issue_classification),
            issue_sub_type: self.code(m.issue_sub_type.bytes()),
            authenticity: self.letter(m.authenticity),
            short_sale_threshold_indicator: self.letter(m.short_sale_threshold_indicator),
            ipo_flag: self.letter(m.ipo_flag),
            luld_reference_price_tier: self.letter(m.luld_reference_price_tier),
            etp_flag: self.letter(m.etp_flag),
            etp_leverage_factor: m.etp_leverage_factor.get(),
            inverse_indicator: self.letter(m.inverse_indicator),
            tracking_number: m.tracking_number.get(),
        }
    }

    pub(super) fn trading_action(
        &mut self,
        header: Header,
        m: &message::StockTradingAction,
    ) -> Status {
        Status {
            header,
            kind: StatusKind::TradingAction,
            state: self.letter(m.trading_state),
            reason: self.code(m.reason.bytes()),
            market: None,
            tracking_number: m.tracking_number.get(),
        }
    }

    pub(super) fn operational_halt(
        &mut self,
        header: Header,
        m: &message::OperationalHalt,
    ) -> Status {
        Status {
            header,
            kind: StatusKind::OperationalHalt,
            state: self.letter(m.operational_halt_action),
            reason: None,
            market: self.letter(m.market_code),
            tracking_number: m.tracking_number.get(),
        }
    }

    pub(super) fn reg_sho(&mut self, header: Header, m: &message::RegShoRestriction) -> RegSho {
        RegSho {
            header,
            reg_sho_action: self.letter(m.reg_sho_action),
            tracking_number: m.tracking_number.get(),
        }
    }

    pub(super) fn participant(
        &mut self,
        header: Header,
        m: &message::MarketParticipantPosition,
    ) -> Participant {
        Participant {
            header,
            mpid: self.code(m.mpid.bytes()),
            primary_market_maker: self.letter(m.primary_market_maker),
            market_maker_mode: self.letter(m.market_maker_mode),
            market_participant_state: self.letter(m.market_participant_state),
            tracking_number: m.tracking_number.get(),
        }
    }

    pub(super) fn mwcb_levels(
        &mut self,
        header: MarketHeader,
        m: &message::MwcbDeclineLevel,
    ) -> Mwcb {
        Mwcb {
            header,
            level_1: self.index_level(m.level_1),
            level_2: self.index_level(m.level_2),
            level_3: self.index_level(m.level_3),
            breached_level: None,
            tracking_number: m.tracking_number.get(),
        }
    }

    pub(super) fn mwcb_status(&mut self, header: MarketHeader, m: &message::MwcbStatus) -> Mwcb {
        Mwcb {
            header,
            level_1: None,
            level_2: None,
            level_3: None,
            breached_level: self.letter(m.breached_level),
            tracking_number: m.tracking_number.get(),
        }
    }

    pub(super) fn ipo(&mut self, header: Header, m: &message::QuotingPeriodUpdate) -> Ipo {
        let seconds = u64::from(m.ipo_quotation_release_time.get());
        Ipo {
            header,
            ipo_quotation_release_time: self.time(seconds * 1_000_000_000),
            ipo_quotation_release_qualifier: self.letter(m.ipo_quotation_release_qualifier),
            ipo_price: nonzero(m.ipo_price),
            tracking_number: m.tracking_number.get(),
        }
    }

    pub(super) fn luld(header: Header, m: &message::LuldAuctionCollar) -> Luld {
        Luld {
            header,
            auction_collar_reference_price: nonzero(m.auction_collar_reference_price),
            upper_auction_collar_price: nonzero(m.upper_auction_collar_price),
            lower_auction_collar_price: nonzero(m.lower_auction_collar_price),
            auction_collar_extension: m.auction_collar_extension.get(),
            tracking_number: m.tracking_number.get(),
        }
    }

    pub(super) fn imbalance(
        &mut self,
        header: Header,
        m: &message::NetOrderImbalance,
    ) -> Imbalance {
        Imbalance {
            header,
            paired_qty: Qty(m.paired_shares.get()),
            imbalance_qty: Qty(m.imbalance_shares.get()),
            imbalance_direction: self.letter(m.imbalance_direction),
            imbalance_side: side(m.imbalance_direction),
            far_px: nonzero(m.far_price),
            near_px: nonzero(m.near_price),
            ref_px: nonzero(m.current_reference_price),
            cross_type: self.letter(m.cross_type),
            variation: self.letter(m.price_variation_indicator),
            tracking_number: m.tracking_number.get(),
        }
    }

    pub(super) fn rpii(&mut self, header: Header, m: &message::RetailInterest) -> Rpii {
        Rpii {
            header,
            interest_flag: self.letter(m.interest_flag),
            tracking_number: m.tracking_number.get(),
        }
    }

    pub(super) fn direct_listing(
        &mut self,
        header: Header,
        m: &message::DirectListing,
    ) -> DirectListing {
        DirectListing {
            header,
            open_eligibility_status: self.letter(m.open_eligibility_status),
            minimum_allowable_price: nonzero(m.minimum_allowable_price),
            maximum_allowable_price: nonzero(m.maximum_allowable_price),
            near_execution_price: nonzero(m.near_execution_price),
            near_execution_time: self.time(m.near_execution_time.get()),
            lower_price_range_collar: nonzero(m.lower_price_range_collar),
            upper_price_range_collar: nonzero(m.upper_price_range_collar),
            tracking_number: m.tracking_number.get(),
        }
    }

    /// An index level has eight decimals; `None` and counted when it does not fit nine in an `i64`.
    fn index_level(&mut self, wire: Price8) -> Option<Price> {
        let level = i64::try_from(wire.raw())
            .ok()
            .and_then(|raw| raw.checked_mul(10))
            .map(Price);
        if level.is_none() {
            self.faults.bad_text += 1;
        }
        level
    }
}

/// A price that the feed leaves zero when there is none.
pub(super) fn nonzero(wire: Price4) -> Option<Price> {
    (wire.raw() != 0).then(|| price(wire))
}

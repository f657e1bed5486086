//! The rows of messages that are not about orders, each with every field of its message.

use nanobook::rows::{
    Code, DirectListing, Header, Imbalance, Ipo, Luld, MarketHeader, Mwcb, Participant, RegSho,
    Rpii, Status, StatusKind, StockDirectory, SystemEvent, TradeBreak,
};
use nanobook::{Price, Qty, Timestamp, TradeId};
use nanobook_itch::{Message, Price8};

use crate::orders::{side, some_price};
use crate::rows::Rows;

/// Pushes the row of a message, if it has one of its own, and says how many of its fields can't be shown.
pub(crate) fn push(
    rows: &mut Rows,
    midnight: Timestamp,
    (header, market): (Header, MarketHeader),
    message: &Message<'_>,
) -> u64 {
    let mut codes = Codes { bad: 0 };
    about_the_market(rows, &mut codes, market, message);
    about_a_stock(rows, &mut codes, header, message);
    about_a_price(rows, &mut codes, (header, midnight), message);
    codes.bad
}

/// Reads codes and counts those that can't be shown.
struct Codes {
    bad: u64,
}

impl Codes {
    fn code(&mut self, field: &[u8]) -> Option<Code> {
        let code = Code::new(field);
        self.bad += u64::from(code.is_none() && !field.trim_ascii().is_empty());
        code
    }

    /// Units of 1e-9 from units of 1e-8.
    fn level(&mut self, wire: Price8) -> Option<Price> {
        let level = i64::try_from(u128::from(wire.raw()) * 10).ok().map(Price);
        self.bad += u64::from(level.is_none());
        level
    }
}

/// A time of day; zero is none, and so is one beyond the years of a timestamp.
fn time(midnight: Timestamp, ns: u64) -> Option<Timestamp> {
    let ns = i64::try_from(ns).ok().filter(|ns| *ns != 0)?;
    midnight.0.checked_add(ns).map(Timestamp)
}

fn about_the_market(
    rows: &mut Rows,
    codes: &mut Codes,
    market: MarketHeader,
    message: &Message<'_>,
) {
    match message {
        Message::SystemEvent(m) => rows.system_events.push(SystemEvent {
            header: market,
            event_code: codes.code(&[m.event_code]),
            tracking_number: m.tracking_number.get(),
        }),
        Message::MwcbDeclineLevel(m) => rows.mwcb.push(Mwcb {
            header: market,
            level_1: codes.level(m.level_1),
            level_2: codes.level(m.level_2),
            level_3: codes.level(m.level_3),
            breached_level: None,
            tracking_number: m.tracking_number.get(),
        }),
        Message::MwcbStatus(m) => rows.mwcb.push(Mwcb {
            header: market,
            level_1: None,
            level_2: None,
            level_3: None,
            breached_level: codes.code(&[m.breached_level]),
            tracking_number: m.tracking_number.get(),
        }),
        _ => {}
    }
}

fn about_a_stock(rows: &mut Rows, codes: &mut Codes, header: Header, message: &Message<'_>) {
    match message {
        Message::StockDirectory(m) => rows.stock_directory.push(StockDirectory {
            header,
            market_category: codes.code(&[m.market_category]),
            financial_status_indicator: codes.code(&[m.financial_status_indicator]),
            round_lot_size: m.round_lot_size.get(),
            round_lots_only: codes.code(&[m.round_lots_only]),
            issue_classification: codes.code(&[m.issue_classification]),
            issue_sub_type: codes.code(m.issue_sub_type.bytes()),
            authenticity: codes.code(&[m.authenticity]),
            short_sale_threshold_indicator: codes.code(&[m.short_sale_threshold_indicator]),
            ipo_flag: codes.code(&[m.ipo_flag]),
            luld_reference_price_tier: codes.code(&[m.luld_reference_price_tier]),
            etp_flag: codes.code(&[m.etp_flag]),
            etp_leverage_factor: m.etp_leverage_factor.get(),
            inverse_indicator: codes.code(&[m.inverse_indicator]),
            tracking_number: m.tracking_number.get(),
        }),
        Message::StockTradingAction(m) => rows.status.push(Status {
            header,
            kind: StatusKind::TradingAction,
            state: codes.code(&[m.trading_state]),
            reason: codes.code(m.reason.bytes()),
            market: None,
            tracking_number: m.tracking_number.get(),
        }),
        Message::OperationalHalt(m) => rows.status.push(Status {
            header,
            kind: StatusKind::OperationalHalt,
            state: codes.code(&[m.operational_halt_action]),
            reason: None,
            market: codes.code(&[m.market_code]),
            tracking_number: m.tracking_number.get(),
        }),
        Message::RegShoRestriction(m) => rows.reg_sho.push(RegSho {
            header,
            reg_sho_action: codes.code(&[m.reg_sho_action]),
            tracking_number: m.tracking_number.get(),
        }),
        Message::MarketParticipantPosition(m) => rows.participants.push(Participant {
            header,
            mpid: codes.code(m.mpid.bytes()),
            primary_market_maker: codes.code(&[m.primary_market_maker]),
            market_maker_mode: codes.code(&[m.market_maker_mode]),
            market_participant_state: codes.code(&[m.market_participant_state]),
            tracking_number: m.tracking_number.get(),
        }),
        Message::RetailInterest(m) => rows.rpii.push(Rpii {
            header,
            interest_flag: codes.code(&[m.interest_flag]),
            tracking_number: m.tracking_number.get(),
        }),
        Message::BrokenTrade(m) => {
            let match_id = TradeId(m.match_number.get());
            rows.breaks.push(TradeBreak { header, match_id });
        }
        _ => {}
    }
}

fn about_a_price(
    rows: &mut Rows,
    codes: &mut Codes,
    (header, midnight): (Header, Timestamp),
    message: &Message<'_>,
) {
    match message {
        Message::QuotingPeriodUpdate(m) => rows.ipo.push(Ipo {
            header,
            ipo_quotation_release_time: time(
                midnight,
                u64::from(m.ipo_quotation_release_time.get()) * 1_000_000_000,
            ),
            ipo_quotation_release_qualifier: codes.code(&[m.ipo_quotation_release_qualifier]),
            ipo_price: some_price(m.ipo_price),
            tracking_number: m.tracking_number.get(),
        }),
        Message::LuldAuctionCollar(m) => rows.luld.push(Luld {
            header,
            auction_collar_reference_price: some_price(m.auction_collar_reference_price),
            upper_auction_collar_price: some_price(m.upper_auction_collar_price),
            lower_auction_collar_price: some_price(m.lower_auction_collar_price),
            auction_collar_extension: m.auction_collar_extension.get(),
            tracking_number: m.tracking_number.get(),
        }),
        Message::NetOrderImbalance(m) => rows.imbalance.push(Imbalance {
            header,
            paired_qty: Qty(m.paired_shares.get()),
            imbalance_qty: Qty(m.imbalance_shares.get()),
            imbalance_direction: codes.code(&[m.imbalance_direction]),
            imbalance_side: side(m.imbalance_direction),
            far_px: some_price(m.far_price),
            near_px: some_price(m.near_price),
            ref_px: some_price(m.current_reference_price),
            cross_type: codes.code(&[m.cross_type]),
            variation: codes.code(&[m.price_variation_indicator]),
            tracking_number: m.tracking_number.get(),
        }),
        Message::DirectListing(m) => rows.direct_listing.push(DirectListing {
            header,
            open_eligibility_status: codes.code(&[m.open_eligibility_status]),
            minimum_allowable_price: some_price(m.minimum_allowable_price),
            maximum_allowable_price: some_price(m.maximum_allowable_price),
            near_execution_price: some_price(m.near_execution_price),
            near_execution_time: time(midnight, m.near_execution_time.get()),
            lower_price_range_collar: some_price(m.lower_price_range_collar),
            upper_price_range_collar: some_price(m.upper_price_range_collar),
            tracking_number: m.tracking_number.get(),
        }),
        _ => {}
    }
}

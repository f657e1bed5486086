//! Order messages: §1.3 and §1.4 of the specification.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::{Alpha4, Int2, Int4, Int8, Price4, Stock8, Time48};

/// `A`, §1.3.1: a new order without attribution.
#[derive(
    FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Debug, Clone, Copy, PartialEq, Eq,
)]
#[repr(C)]
pub struct AddOrder {
    /// Always `b'A'`.
    pub message_type: u8,
    /// Number of the stock for this day.
    pub stock_locate: Int2,
    /// NASDAQ's internal tracking number.
    pub tracking_number: Int2,
    /// Time of day in ns.
    pub timestamp: Time48,
    /// Number of the order, unique for the day.
    pub order_reference_number: Int8,
    /// `B` buy, `S` sell.
    pub buy_sell_indicator: u8,
    /// Displayed shares.
    pub shares: Int4,
    /// The symbol.
    pub stock: Stock8,
    /// Displayed price.
    pub price: Price4,
}

/// `F`, §1.3.2: a new order with its market participant.
#[derive(
    FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Debug, Clone, Copy, PartialEq, Eq,
)]
#[repr(C)]
pub struct AddOrderAttributed {
    /// Always `b'F'`.
    pub message_type: u8,
    /// Number of the stock for this day.
    pub stock_locate: Int2,
    /// NASDAQ's internal tracking number.
    pub tracking_number: Int2,
    /// Time of day in ns.
    pub timestamp: Time48,
    /// Number of the order, unique for the day.
    pub order_reference_number: Int8,
    /// `B` buy, `S` sell.
    pub buy_sell_indicator: u8,
    /// Displayed shares.
    pub shares: Int4,
    /// The symbol.
    pub stock: Stock8,
    /// Displayed price.
    pub price: Price4,
    /// The market participant.
    pub attribution: Alpha4,
}

/// `E`, §1.4.1: an order executes in part or whole at its displayed price.
#[derive(
    FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Debug, Clone, Copy, PartialEq, Eq,
)]
#[repr(C)]
pub struct OrderExecuted {
    /// Always `b'E'`.
    pub message_type: u8,
    /// Number of the stock for this day.
    pub stock_locate: Int2,
    /// NASDAQ's internal tracking number.
    pub tracking_number: Int2,
    /// Time of day in ns.
    pub timestamp: Time48,
    /// The resting order.
    pub order_reference_number: Int8,
    /// Shares executed.
    pub executed_shares: Int4,
    /// Number of the match, which a [`BrokenTrade`](crate::BrokenTrade) may refer to.
    pub match_number: Int8,
}

/// `C`, §1.4.2: an order executes in part or whole at another price than displayed.
#[derive(
    FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Debug, Clone, Copy, PartialEq, Eq,
)]
#[repr(C)]
pub struct OrderExecutedWithPrice {
    /// Always `b'C'`.
    pub message_type: u8,
    /// Number of the stock for this day.
    pub stock_locate: Int2,
    /// NASDAQ's internal tracking number.
    pub tracking_number: Int2,
    /// Time of day in ns.
    pub timestamp: Time48,
    /// The resting order.
    pub order_reference_number: Int8,
    /// Shares executed.
    pub executed_shares: Int4,
    /// Number of the match.
    pub match_number: Int8,
    /// `Y` counts in volume, `N` does not (a cross has a bulk print of its own).
    pub printable: u8,
    /// Price of the execution.
    pub execution_price: Price4,
}

/// `X`, §1.4.3: an order loses some of its shares.
#[derive(
    FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Debug, Clone, Copy, PartialEq, Eq,
)]
#[repr(C)]
pub struct OrderCancel {
    /// Always `b'X'`.
    pub message_type: u8,
    /// Number of the stock for this day.
    pub stock_locate: Int2,
    /// NASDAQ's internal tracking number.
    pub tracking_number: Int2,
    /// Time of day in ns.
    pub timestamp: Time48,
    /// The resting order.
    pub order_reference_number: Int8,
    /// Shares taken off the order.
    pub cancelled_shares: Int4,
}

/// `D`, §1.4.4: all remaining shares of an order are cancelled.
#[derive(
    FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Debug, Clone, Copy, PartialEq, Eq,
)]
#[repr(C)]
pub struct OrderDelete {
    /// Always `b'D'`.
    pub message_type: u8,
    /// Number of the stock for this day.
    pub stock_locate: Int2,
    /// NASDAQ's internal tracking number.
    pub tracking_number: Int2,
    /// Time of day in ns.
    pub timestamp: Time48,
    /// The resting order.
    pub order_reference_number: Int8,
}

/// `U`, §1.4.5: an order is cancelled and a new one takes its side, stock and attribution.
#[derive(
    FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Debug, Clone, Copy, PartialEq, Eq,
)]
#[repr(C)]
pub struct OrderReplace {
    /// Always `b'U'`.
    pub message_type: u8,
    /// Number of the stock for this day.
    pub stock_locate: Int2,
    /// NASDAQ's internal tracking number.
    pub tracking_number: Int2,
    /// Time of day in ns.
    pub timestamp: Time48,
    /// The order that goes.
    pub original_order_reference_number: Int8,
    /// Number of the new order.
    pub new_order_reference_number: Int8,
    /// Displayed shares of the new order.
    pub shares: Int4,
    /// Displayed price of the new order.
    pub price: Price4,
}

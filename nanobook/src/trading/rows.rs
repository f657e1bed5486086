//! Rows of the trading tables.

use super::{ClientOrderId, Units};
use crate::{Money, OrderId, Price, Side, Symbol, Timestamp};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// Whether an execution took from the book or rested in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(Serialize, Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Liquidity {
    /// It rested.
    Resting,
    /// It came and took.
    Aggressor,
}

/// An execution of one of our orders: a row of the table `fills`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Fill {
    /// The venue's id of the execution, unique in an account and a symbol; a correction has the id of what it corrects.
    pub trade_id: String,
    /// Ours; `None` for an execution of an order that was not placed by us.
    pub client_order_id: Option<ClientOrderId>,
    /// The venue's id of the order.
    pub order_id: Option<OrderId>,
    /// The account.
    pub account_id: String,
    /// What was bought or sold.
    pub symbol: Symbol,
    /// Its side.
    pub side: Side,
    /// How much.
    pub qty: Units,
    /// At what price.
    pub price: Price,
    /// What it cost, above zero, or brought, below; `None` while the venue has not said.
    pub fee: Option<Money>,
    /// The currency or asset of the fee.
    pub fee_currency: Option<Symbol>,
    /// Whether it rested or took; `None` when the venue does not say.
    pub liquidity: Option<Liquidity>,
    /// How many corrections of the execution came before this one; 0 for the first report.
    pub correction: u32,
    /// Venue time.
    pub ts_event: Timestamp,
}

/// What an account holds of an instrument: a row of the table `positions`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Position {
    /// The account.
    pub account_id: String,
    /// What is held; of a spot venue, the market in which the asset trades against the account's currency.
    pub symbol: Symbol,
    /// How much, below zero when short.
    pub qty: Units,
    /// How much of it an order can sell now; `None` when the venue does not say.
    pub available: Option<Units>,
    /// Mean price paid; `None` when the venue does not say.
    pub avg_px: Option<Price>,
    /// The price at which the venue marks it; `None` when it does not say.
    pub market_px: Option<Price>,
}

/// What an account is worth: a row of the table `accounts`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Account {
    /// The account.
    pub account_id: String,
    /// Its currency.
    pub currency: Symbol,
    /// Cash and positions at market; `None` when the venue does not say.
    pub equity: Option<Money>,
    /// Cash, settled or not; below zero when borrowed.
    pub cash: Money,
    /// What can be spent on orders; `None` when the venue does not say.
    pub buying_power: Option<Money>,
    /// Whether its money is play money.
    pub is_paper: bool,
    /// Venue time; `None` when the venue does not say.
    pub ts_event: Option<Timestamp>,
}

/// How fresh a quote is by its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(Serialize, Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum DataType {
    /// As it happens.
    Live,
    /// Some minutes late.
    Delayed,
    /// The last one before the market closed or the feed stopped.
    Frozen,
}

/// Best bid and ask of an instrument: a row of the table `quotes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Quote {
    /// The instrument.
    pub symbol: Symbol,
    /// Best bid; `None` when there is none.
    pub bid_px: Option<Price>,
    /// How much is bid for at it.
    pub bid_qty: Option<Units>,
    /// Best ask; `None` when there is none.
    pub ask_px: Option<Price>,
    /// How much is offered at it.
    pub ask_qty: Option<Units>,
    /// Price of the last trade.
    pub last_px: Option<Price>,
    /// Live, delayed or frozen; `None` when the venue does not say.
    pub data_type: Option<DataType>,
    /// When it held: venue time, or the time of receipt where the venue gives none.
    pub ts_event: Timestamp,
}

impl Quote {
    /// Midway between bid and ask, rounded up to a unit of 1e-9; `None` when a side is missing.
    pub fn mid(&self) -> Option<Price> {
        let sum = i128::from(self.bid_px?.0) + i128::from(self.ask_px?.0);
        // Half of two prices lies between them.
        i64::try_from(sum.div_euclid(2) + sum.rem_euclid(2))
            .ok()
            .map(Price)
    }
}

/// Whether an instrument trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(Serialize, Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum InstrumentState {
    /// Orders are taken and trade.
    Trading,
    /// It does not trade for the moment.
    Halted,
    /// It does not trade outside its hours.
    Closed,
    /// Orders are only cancelled.
    CancelOnly,
}

/// What a venue says of an instrument and its orders: a row of the trading table `instruments`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Instrument {
    /// The instrument.
    pub symbol: Symbol,
    /// The currency of its prices.
    pub currency: Symbol,
    /// The asset that is bought, of a spot market; `None` of a security.
    pub base: Option<Symbol>,
    /// Prices are multiples of it.
    pub tick: Price,
    /// Quantities are multiples of it.
    pub lot: Units,
    /// The smallest quantity; `None` for one lot.
    pub min_qty: Option<Units>,
    /// The largest quantity of an order; `None` when there is no bound.
    pub max_qty: Option<Units>,
    /// The lowest price of an order; `None` when there is no bound.
    pub min_price: Option<Price>,
    /// The highest price of an order; `None` when there is no bound.
    pub max_price: Option<Price>,
    /// The smallest price times quantity; `None` when there is no bound.
    pub min_notional: Option<Money>,
    /// The largest price times quantity; `None` when there is no bound.
    pub max_notional: Option<Money>,
    /// Whether it trades.
    pub state: InstrumentState,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mid_is_rounded_up_and_needs_both_sides() {
        let quote = Quote {
            symbol: "A".parse().unwrap(),
            bid_px: Some(Price(10)),
            bid_qty: None,
            ask_px: Some(Price(13)),
            ask_qty: None,
            last_px: None,
            data_type: None,
            ts_event: Timestamp(0),
        };
        assert_eq!(quote.mid(), Some(Price(12)));
        assert_eq!(
            Quote {
                ask_px: None,
                ..quote
            }
            .mid(),
            None
        );
        let top = Some(Price(i64::MAX));
        assert_eq!(
            Quote {
                bid_px: top,
                ask_px: top,
                ..quote
            }
            .mid(),
            top
        );
    }
}

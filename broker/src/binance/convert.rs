//! The venue's answers as our rows.

use nanobook::trading::decimal::{self, ONE};
use nanobook::trading::{ClientOrderId, Fill, Liquidity, Order, OrderState, TimeInForce, Units};
use nanobook::{Money, OrderId, OrderKind, Price, Side, Symbol, Timestamp};
use serde::Deserialize;

/// An order as the venue tells of it, in answers to `order`, `openOrders` and a cancel.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawOrder {
    pub(super) symbol: String,
    pub(super) order_id: u64,
    pub(super) client_order_id: String,
    /// Of a cancelled order, the id that it was sent with.
    pub(super) orig_client_order_id: Option<String>,
    price: String,
    orig_qty: String,
    executed_qty: String,
    #[serde(alias = "cumulativeQuoteQty")]
    cummulative_quote_qty: String,
    status: String,
    time_in_force: String,
    #[serde(rename = "type")]
    kind: String,
    side: String,
    update_time: Option<i64>,
    transact_time: Option<i64>,
    time: Option<i64>,
}

/// An execution, of `myTrades`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawTrade {
    pub(super) symbol: String,
    pub(super) id: u64,
    pub(super) order_id: u64,
    price: String,
    qty: String,
    commission: String,
    commission_asset: String,
    pub(super) time: i64,
    is_buyer: bool,
    is_maker: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawAccount {
    pub(super) uid: Option<u64>,
    pub(super) can_trade: bool,
    pub(super) update_time: i64,
    pub(super) balances: Vec<RawBalance>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RawBalance {
    pub(super) asset: String,
    free: String,
    locked: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawTicker {
    pub(super) symbol: String,
    pub(super) bid_price: String,
    pub(super) bid_qty: String,
    pub(super) ask_price: String,
    pub(super) ask_qty: String,
}

/// The price that filters compare with; none while it is not set.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawReference {
    pub(super) reference_price: Option<String>,
}

/// A price of the last minutes, or the last one.
#[derive(Debug, Deserialize)]
pub(super) struct RawMean {
    pub(super) mins: Option<u32>,
    pub(super) price: String,
}

/// What can't be read, in words.
pub(super) type Parsed<T> = Result<T, String>;

pub(super) fn units(text: &str) -> Parsed<i128> {
    decimal::parse(text).map_err(|e| format!("{text:?}: {e}"))
}

pub(super) fn price(text: &str) -> Parsed<Price> {
    decimal::price(text).map_err(|e| format!("{text:?}: {e}"))
}

pub(super) fn symbol(text: &str) -> Parsed<Symbol> {
    text.parse().map_err(|e| format!("{text:?}: {e}"))
}

pub(super) fn millis(ms: i64) -> Timestamp {
    Timestamp(ms.saturating_mul(1_000_000))
}

fn side(text: &str) -> Parsed<Side> {
    match text {
        "BUY" => Ok(Side::Buy),
        "SELL" => Ok(Side::Sell),
        _ => Err(format!("a side {text:?}")),
    }
}

impl RawOrder {
    pub(super) fn order(&self, account_id: &str) -> Parsed<Order> {
        let executed = units(&self.executed_qty)?;
        let quote = units(&self.cummulative_quote_qty)?;
        let state = match self.status.as_str() {
            "NEW" | "PENDING_NEW" | "PENDING_CANCEL" => OrderState::Accepted,
            "PARTIALLY_FILLED" => OrderState::PartiallyFilled,
            "FILLED" => OrderState::Filled,
            "CANCELED" => OrderState::Cancelled,
            "REJECTED" => OrderState::Rejected,
            "EXPIRED" | "EXPIRED_IN_MATCH" => OrderState::Expired,
            // A word of a later version: it may well trade.
            _ => OrderState::Unknown,
        };
        let kind = match self.kind.as_str() {
            "MARKET" => OrderKind::Market,
            "LIMIT" | "LIMIT_MAKER" => OrderKind::Limit {
                price: price(&self.price)?,
            },
            // Stops of others: shown by their price, if they have one.
            _ => match price(&self.price)? {
                Price(0) => OrderKind::Market,
                price => OrderKind::Limit { price },
            },
        };
        let id = self
            .orig_client_order_id
            .as_ref()
            .unwrap_or(&self.client_order_id);
        let ts = self.update_time.or(self.transact_time).or(self.time);
        Ok(Order {
            client_order_id: id.parse::<ClientOrderId>().ok(),
            order_id: Some(OrderId(self.order_id)),
            account_id: account_id.to_owned(),
            symbol: symbol(&self.symbol)?,
            side: side(&self.side)?,
            kind,
            tif: match self.time_in_force.as_str() {
                "IOC" => TimeInForce::Ioc,
                "FOK" => TimeInForce::Fok,
                _ => TimeInForce::Gtc,
            },
            qty: Units(units(&self.orig_qty)?),
            filled_qty: Units(executed),
            avg_px: mean(quote, executed),
            state,
            reject_code: None,
            reject_text: None,
            ts_event: ts.map(millis),
        })
    }
}

impl RawOrder {
    /// Whether the venue counts it among its "algo" orders.
    pub(super) fn is_algo(&self) -> bool {
        self.kind.starts_with("STOP_LOSS") || self.kind.starts_with("TAKE_PROFIT")
    }

    pub(super) fn buys(&self) -> bool {
        self.side == "BUY"
    }

    /// What may yet trade.
    pub(super) fn leaves(&self) -> Parsed<Units> {
        let left = units(&self.orig_qty)? - units(&self.executed_qty)?;
        Ok(Units(left.max(0)))
    }
}

/// The mean price of bars, weighted by volume: value over quantity. `None` when nothing traded.
pub(super) fn weighted(bars: &[Vec<serde_json::Value>]) -> Parsed<Option<Price>> {
    /// Where a bar has its volume in the asset, and in what pays.
    const VOLUMES: [usize; 2] = [5, 7];
    let [mut qty, mut value] = [0_i128; 2];
    for bar in bars {
        let [base, quote] = VOLUMES.map(|at| {
            let text = bar.get(at).and_then(serde_json::Value::as_str);
            text.ok_or_else(|| format!("a bar without field {at}"))
                .and_then(units)
        });
        qty += base?;
        value += quote?;
    }
    Ok(mean(value, qty))
}

/// Money over quantity to the nearest unit; the venue says below zero where it does not know.
fn mean(quote: i128, executed: i128) -> Option<Price> {
    if executed <= 0 || quote < 0 {
        return None;
    }
    let scaled = quote.checked_mul(ONE)?;
    let nearest = (scaled + executed / 2) / executed;
    i64::try_from(nearest).ok().map(Price)
}

impl RawTrade {
    pub(super) fn fill(&self, account_id: &str, id: Option<ClientOrderId>) -> Parsed<Fill> {
        Ok(Fill {
            trade_id: self.id.to_string(),
            client_order_id: id,
            order_id: Some(OrderId(self.order_id)),
            account_id: account_id.to_owned(),
            symbol: symbol(&self.symbol)?,
            side: if self.is_buyer { Side::Buy } else { Side::Sell },
            qty: Units(units(&self.qty)?),
            price: price(&self.price)?,
            fee: Some(Money(units(&self.commission)?)),
            fee_currency: Some(symbol(&self.commission_asset)?),
            liquidity: Some(if self.is_maker {
                Liquidity::Resting
            } else {
                Liquidity::Aggressor
            }),
            correction: 0,
            ts_event: millis(self.time),
        })
    }
}

impl RawBalance {
    /// What can be sold, and all of it.
    pub(super) fn amounts(&self) -> Parsed<(Units, Units)> {
        let (free, locked) = (units(&self.free)?, units(&self.locked)?);
        Ok((Units(free), Units(free + locked)))
    }
}

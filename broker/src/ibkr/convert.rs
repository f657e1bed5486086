//! Both vocabularies: the only file that builds our rows from the gateway's.

use std::collections::BTreeMap;

use ibapi::contracts::{Contract, SecurityType};
use ibapi::orders::{
    Action, CommissionReport, ExecutionData, ExecutionSide, Liquidity as RawLiquidity, OrderData,
    OrderStatus, OrderStatusKind, TimeInForce as RawTif,
};
use nanobook::trading::decimal::{self, ONE};
use nanobook::trading::{
    ClientOrderId, Fill, Liquidity, NewOrder, Order, OrderState, TimeInForce, Units,
};
use nanobook::{Money, OrderId, OrderKind, Price, Side, Symbol, Timestamp};

use super::config::{Config, TradingHours};
use crate::Margin;

/// What can't be read, in words.
pub(super) type Parsed<T> = Result<T, String>;

pub(super) fn qty(value: f64) -> Parsed<Units> {
    decimal::from_f64(value)
        .map(Units)
        .map_err(|e| format!("{value}: {e}"))
}

pub(super) fn price(value: f64) -> Parsed<Price> {
    let units = decimal::nearest(value).map_err(|e| format!("{value}: {e}"))?;
    i64::try_from(units)
        .map(Price)
        .map_err(|_| format!("{value}: too large"))
}

/// The symbol of a contract: of a stock its ticker, of anything else its number, so that an option never passes for
/// the share it is on.
pub(super) fn symbol(contract: &Contract) -> Parsed<Symbol> {
    let text = match contract.security_type {
        SecurityType::Stock => contract.symbol.0.clone(),
        _ => format!("#{}", contract.contract_id),
    };
    text.parse().map_err(|e| format!("{text:?}: {e}"))
}

pub(super) fn stock(symbol: Symbol, currency: Symbol) -> Contract {
    Contract {
        symbol: symbol.as_str().into(),
        security_type: SecurityType::Stock,
        exchange: "SMART".into(),
        currency: currency.as_str().into(),
        ..Contract::default()
    }
}

/// An order for the gateway.
pub(super) fn raw_order(order: &NewOrder, config: &Config) -> ibapi::orders::Order {
    let (order_type, limit_price) = match order.kind.price() {
        Some(price) => ("LMT", Some(price.as_f64())),
        None => ("MKT", None),
    };
    ibapi::orders::Order {
        action: match order.side {
            Side::Buy => Action::Buy,
            Side::Sell => Action::Sell,
        },
        total_quantity: order.qty.as_f64(),
        order_type: order_type.to_owned(),
        limit_price,
        tif: match order.tif {
            TimeInForce::Day => RawTif::Day,
            TimeInForce::Gtc => RawTif::GoodTillCanceled,
            TimeInForce::Ioc => RawTif::ImmediateOrCancel,
            TimeInForce::Fok => RawTif::FillOrKill,
        },
        account: config.account_id.clone(),
        outside_rth: config.hours == TradingHours::Extended && limit_price.is_some(),
        order_ref: order.client_order_id.to_string(),
        transmit: true,
        ..ibapi::orders::Order::default()
    }
}

pub(super) fn state(status: &OrderStatusKind, filled: Units) -> OrderState {
    match status {
        OrderStatusKind::Filled => OrderState::Filled,
        OrderStatusKind::Cancelled | OrderStatusKind::ApiCancelled => OrderState::Cancelled,
        // Refused, or held by the gateway: it may be sent yet.
        OrderStatusKind::Inactive | OrderStatusKind::Unknown(_) => OrderState::Unknown,
        _ if !filled.is_zero() => OrderState::PartiallyFilled,
        _ => OrderState::Accepted,
    }
}

/// What a gateway tells of an order in several messages, put together by permanent id.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) order: Order,
    /// The gateway's number for it in this session, and whose it is.
    pub(super) order_id: i32,
    pub(super) client_id: i32,
}

/// Orders by permanent id.
pub(super) type Orders = BTreeMap<i64, Known>;

/// Adds an order of a list. Of a completed one the quantity is what did not trade.
pub(super) fn add_order(orders: &mut Orders, data: &OrderData, completed: bool) -> Parsed<()> {
    let raw = &data.order;
    let filled = qty(raw.filled_quantity)?;
    let asked = qty(raw.total_quantity)?;
    let total = if completed {
        asked
            .checked_add(filled)
            .ok_or("a quantity that is too large")?
    } else {
        asked
    };
    let kind = match raw.limit_price {
        Some(limit) if raw.order_type != "MKT" => OrderKind::Limit {
            price: price(limit)?,
        },
        _ => OrderKind::Market,
    };
    let order = Order {
        client_order_id: raw.order_ref.parse::<ClientOrderId>().ok(),
        order_id: u64::try_from(raw.perm_id)
            .ok()
            .filter(|id| *id > 0)
            .map(OrderId),
        account_id: raw.account.clone(),
        symbol: symbol(&data.contract)?,
        side: match raw.action {
            Action::Buy => Side::Buy,
            Action::Sell | Action::SellShort | Action::SellLong => Side::Sell,
        },
        kind,
        tif: match raw.tif {
            RawTif::ImmediateOrCancel => TimeInForce::Ioc,
            RawTif::FillOrKill => TimeInForce::Fok,
            RawTif::GoodTillCanceled => TimeInForce::Gtc,
            _ => TimeInForce::Day,
        },
        qty: total,
        filled_qty: filled,
        avg_px: None,
        state: state(&data.order_state.status, filled),
        reject_code: None,
        reject_text: None,
        ts_event: None,
    };
    orders.insert(
        raw.perm_id,
        Known {
            order,
            order_id: data.order_id,
            client_id: raw.client_id,
        },
    );
    Ok(())
}

/// Adds a status, which may come again, or late: what has filled never becomes less.
pub(super) fn add_status(orders: &mut Orders, status: &OrderStatus) -> Parsed<()> {
    let Some(known) = orders.get_mut(&status.perm_id) else {
        return Ok(());
    };
    let filled = qty(status.filled)?;
    let order = &mut known.order;
    if filled < order.filled_qty || order.state.is_final() {
        return Ok(());
    }
    order.filled_qty = filled;
    order.state = state(&status.status, filled);
    order.avg_px = match status.average_fill_price {
        Some(average) if !filled.is_zero() => Some(price(average)?),
        _ => None,
    };
    Ok(())
}

/// Executions by the part of their id that a correction keeps.
#[derive(Clone, Debug, Default)]
pub(super) struct Fills(BTreeMap<String, (Fill, i64)>);

/// The part of an execution's id that a correction keeps, and which report of it this is.
///
/// The last part of the id counts reports: `…01` is the first, `…02` corrects it.
pub(super) fn split_exec_id(id: &str) -> (&str, u32) {
    match id.rsplit_once('.') {
        Some((base, last)) => match last.parse::<u32>() {
            Ok(number) => (base, number.saturating_sub(1)),
            Err(_) => (id, 0),
        },
        None => (id, 0),
    }
}

impl Fills {
    /// Adds a report. The same one again changes nothing, and a correction takes the place of what it corrects.
    pub(super) fn add(&mut self, data: &ExecutionData, account_id: &str) -> Parsed<()> {
        let raw = &data.execution;
        if raw.account_number != account_id {
            return Ok(());
        }
        let (base, correction) = split_exec_id(&raw.execution_id);
        if let Some((known, _)) = self.0.get(base)
            && known.correction >= correction
        {
            return Ok(());
        }
        let fill = Fill {
            trade_id: raw.execution_id.clone(),
            client_order_id: raw.order_reference.parse().ok(),
            order_id: u64::try_from(raw.perm_id)
                .ok()
                .filter(|id| *id > 0)
                .map(OrderId),
            account_id: account_id.to_owned(),
            symbol: symbol(&data.contract)?,
            side: match raw.side {
                ExecutionSide::Bought => Side::Buy,
                ExecutionSide::Sold => Side::Sell,
            },
            qty: qty(raw.shares)?,
            price: price(raw.price)?,
            fee: None,
            fee_currency: None,
            liquidity: match raw.last_liquidity {
                RawLiquidity::AddedLiquidity => Some(Liquidity::Resting),
                RawLiquidity::RemovedLiquidity => Some(Liquidity::Aggressor),
                _ => None,
            },
            correction,
            ts_event: time(&raw.time)?,
        };
        self.0.insert(base.to_owned(), (fill, raw.perm_id));
        Ok(())
    }

    /// Adds a commission. The gateway says -1, or the largest double, while it is not known.
    pub(super) fn commission(&mut self, report: &CommissionReport) -> Parsed<()> {
        let (base, _) = split_exec_id(&report.execution_id);
        let is_known =
            report.commission.is_finite() && report.commission >= 0.0 && report.commission < 1e15;
        if let Some((fill, _)) = self.0.get_mut(base)
            && is_known
        {
            let units = decimal::nearest(report.commission).map_err(|e| e.to_string())?;
            fill.fee = Some(Money(units));
            fill.fee_currency = report.currency.parse().ok();
        }
        Ok(())
    }

    /// In order of time.
    pub(super) fn rows(self) -> Vec<Fill> {
        let mut rows: Vec<Fill> = self.0.into_values().map(|(fill, _)| fill).collect();
        rows.sort_by(|a, b| (a.ts_event, &a.trade_id).cmp(&(b.ts_event, &b.trade_id)));
        rows
    }

    /// Makes orders agree with their executions: an execution can come before the status of its order, and the order
    /// can be in no list any more.
    pub(super) fn complete(&self, orders: &mut Orders) -> Parsed<()> {
        let mut sums: BTreeMap<i64, (i128, i128, &Fill)> = BTreeMap::new();
        for (fill, perm_id) in self.0.values() {
            let value = fill
                .qty
                .exact_notional(fill.price)
                .ok_or("a value that is too large")?;
            let sum = sums.entry(*perm_id).or_insert((0, 0, fill));
            sum.0 += fill.qty.0;
            sum.1 += value;
            if fill.ts_event >= sum.2.ts_event {
                sum.2 = fill;
            }
        }
        for (perm_id, (traded, value, last)) in sums {
            let average = (value + traded / 2) / traded.max(1);
            let average = i64::try_from(average).ok().map(Price);
            let known = orders.entry(perm_id).or_insert_with(|| Known {
                order: Order {
                    client_order_id: last.client_order_id,
                    order_id: last.order_id,
                    account_id: last.account_id.clone(),
                    symbol: last.symbol,
                    side: last.side,
                    kind: OrderKind::Market,
                    tif: TimeInForce::Day,
                    qty: Units(traded),
                    filled_qty: Units(traded),
                    avg_px: average,
                    // In no list: it may have more to trade for all we know.
                    state: OrderState::Unknown,
                    reject_code: None,
                    reject_text: None,
                    ts_event: Some(last.ts_event),
                },
                order_id: -1,
                client_id: -1,
            });
            let order = &mut known.order;
            order.ts_event = Some(last.ts_event);
            if traded >= order.filled_qty.0 {
                order.filled_qty = Units(traded);
                order.avg_px = average;
                if order.state == OrderState::Accepted || order.state == OrderState::PartiallyFilled
                {
                    order.state = if order.filled_qty >= order.qty {
                        OrderState::Filled
                    } else {
                        OrderState::PartiallyFilled
                    };
                }
            }
        }
        Ok(())
    }
}

/// A time as the gateway writes it: `20261123 14:30:00 US/Eastern`, or `20261123-14:30:00`, which is UTC.
fn time(text: &str) -> Parsed<Timestamp> {
    let bad = || format!("a time {text:?}");
    let cleaned = text.replacen('-', " ", 1);
    let mut words = cleaned.split_whitespace();
    let (date, clock) = (words.next().ok_or_else(bad)?, words.next().ok_or_else(bad)?);
    let zone = words.next().unwrap_or("UTC");
    let civil = jiff::civil::DateTime::strptime("%Y%m%d %H:%M:%S", format!("{date} {clock}"))
        .map_err(|_| bad())?;
    let zoned = civil.in_tz(zone).map_err(|_| bad())?;
    let ns = zoned.timestamp().as_nanosecond();
    i64::try_from(ns).map(Timestamp).map_err(|_| bad())
}

/// What an account is worth, from a text; an absent one is `None`, and one that is no number an error.
pub(super) fn money(text: Option<&String>) -> Parsed<Option<Money>> {
    let parse = |text: &String| decimal::money(text).map_err(|e| format!("{text:?}: {e}"));
    text.map(parse).transpose()
}

/// What the gateway says that an order would do.
pub(super) fn margin(state: &ibapi::orders::OrderState) -> Margin {
    let amount = |value: Option<f64>| {
        // What is not known is the largest double.
        let known = value.filter(|value| value.abs() < 1e15)?;
        decimal::nearest(known).ok().map(Money)
    };
    Margin {
        currency: state.margin_currency.parse().ok(),
        initial_before: amount(state.initial_margin_before),
        initial_after: amount(state.initial_margin_after),
        maintenance_before: amount(state.maintenance_margin_before),
        maintenance_after: amount(state.maintenance_margin_after),
        equity_before: amount(state.equity_with_loan_before),
        equity_after: amount(state.equity_with_loan_after),
        fee: amount(state.commission),
        min_fee: amount(state.minimum_commission),
        max_fee: amount(state.maximum_commission),
        fee_currency: state.commission_currency.parse().ok(),
        warning: Some(state.warning_text.clone()).filter(|text| !text.is_empty()),
    }
}

/// Whether a quantity survives the trip through the gateway's doubles.
pub(super) fn survives(order: &NewOrder) -> bool {
    let qty_back = decimal::from_f64(order.qty.as_f64());
    let price_back = order.kind.price().map(|p| decimal::from_f64(p.as_f64()));
    qty_back == Ok(order.qty.0)
        && price_back.is_none_or(|back| back == Ok(order.kind.price().map_or(0, |p| p.0.into())))
}

/// Whether a quantity is whole.
pub(super) const fn is_whole(qty: Units) -> bool {
    qty.0 % ONE == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_the_gateway_are_read_in_their_zone() {
        let utc = time("20261123 14:30:00 UTC").unwrap();
        assert_eq!(utc.0, 1_795_444_200_000_000_000);
        assert_eq!(time("20261123-14:30:00").unwrap(), utc);
        assert_eq!(time("20261123 09:30:00 US/Eastern").unwrap(), utc);
        assert!(time("yesterday").is_err());
        assert!(time("20261123 14:30:00 Atlantis").is_err());
    }

    #[test]
    fn a_correction_keeps_all_of_an_id_but_its_end() {
        assert_eq!(
            split_exec_id("0001f4e8.65a1b2c3.01.01"),
            ("0001f4e8.65a1b2c3.01", 0)
        );
        assert_eq!(
            split_exec_id("0001f4e8.65a1b2c3.01.02"),
            ("0001f4e8.65a1b2c3.01", 1)
        );
        assert_eq!(split_exec_id("odd"), ("odd", 0));
    }
}

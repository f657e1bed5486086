//! The trading tables, one after the other.

use nanobook::trading::{
    Account, DataType, Fill, Instrument, InstrumentState, Liquidity, Order, OrderState, Position,
    Quote, RiskCheckRow, TimeInForce, Units,
};
use nanobook::{Money, OrderId, OrderKind, Price, Side, Symbol};

use super::sealed::Row;
use super::{Cell, Cells, Kind, TradingColumn, TradingTable};
use crate::error::Result;

const fn column(name: &'static str, kind: Kind, fix_tag: u32) -> TradingColumn {
    TradingColumn {
        name,
        kind,
        nullable: false,
        fix_tag,
    }
}

const fn nullable(name: &'static str, kind: Kind, fix_tag: u32) -> TradingColumn {
    TradingColumn {
        nullable: true,
        ..column(name, kind, fix_tag)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "callers have it to give")]
fn text(value: impl ToString) -> Cell {
    Cell::Text(Some(value.to_string()))
}

fn maybe_text<T: ToString>(value: Option<T>) -> Cell {
    Cell::Text(value.map(|value| value.to_string()))
}

const fn units(value: Units) -> Cell {
    Cell::Decimal(Some(value.0))
}

fn maybe_units(value: Option<Units>) -> Cell {
    Cell::Decimal(value.map(|value| value.0))
}

fn maybe_price(value: Option<Price>) -> Cell {
    Cell::Decimal(value.map(|value| value.0.into()))
}

fn maybe_money(value: Option<Money>) -> Cell {
    Cell::Decimal(value.map(|value| value.0))
}

fn side(value: Side) -> Cell {
    Cell::Side(Some(value.sign()))
}

fn symbol(text: &str) -> Option<Symbol> {
    text.parse().ok()
}

const SYMBOL: &str = "a symbol of 1 to 15 printable ASCII characters";
const ID: &str = "a client order id of 1 to 36 letters, digits, - and _";

impl TradingTable for Order {
    const NAME: &'static str = "orders";
    const VERSION: u32 = 1;
}

fn order_type(kind: OrderKind) -> &'static str {
    match kind {
        OrderKind::Limit { .. } => "limit",
        OrderKind::Market => "market",
        OrderKind::StopMarket { .. } => "stop_market",
        OrderKind::StopLimit { .. } => "stop_limit",
        OrderKind::TrailingStopMarket { .. } => "trailing_stop_market",
        OrderKind::TrailingStopLimit { .. } => "trailing_stop_limit",
    }
}

impl Row for Order {
    fn columns() -> &'static [TradingColumn] {
        const COLUMNS: &[TradingColumn] = &[
            nullable("ts_event", Kind::Time, 60),
            column("account_id", Kind::Text, 1),
            nullable("client_order_id", Kind::Text, 11),
            nullable("order_id", Kind::U64, 37),
            column("symbol", Kind::Text, 55),
            column("side", Kind::Side, 54),
            column("order_type", Kind::Text, 40),
            column("tif", Kind::Text, 59),
            column("qty", Kind::Decimal, 38),
            nullable("price", Kind::Decimal, 44),
            nullable("stop_px", Kind::Decimal, 99),
            column("status", Kind::Text, 39),
            column("filled_qty", Kind::Decimal, 14),
            column("leaves_qty", Kind::Decimal, 151),
            nullable("avg_px", Kind::Decimal, 6),
            nullable("reject_code", Kind::I32, 103),
            nullable("reject_text", Kind::Text, 58),
        ];
        COLUMNS
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::Time(self.ts_event.map(|ts| ts.0)),
            text(&self.account_id),
            maybe_text(self.client_order_id),
            Cell::U64(self.order_id.map(|id| id.0)),
            text(self.symbol),
            side(self.side),
            text(order_type(self.kind)),
            text(self.tif.as_str()),
            units(self.qty),
            maybe_price(self.kind.price()),
            maybe_price(self.kind.stop()),
            text(self.state),
            units(self.filled_qty),
            units(self.leaves_qty()),
            maybe_price(self.avg_px),
            Cell::I32(self.reject_code),
            maybe_text(self.reject_text.as_ref()),
        ]
    }

    fn from_cells(cells: &mut Cells) -> Result<Self> {
        let ts_event = cells.time();
        let account_id = cells.required_text()?;
        let client_order_id = cells.parsed(ID, |text| text.parse().ok())?;
        let order_id = cells.u64().map(OrderId);
        let symbol = cells.required(SYMBOL, symbol)?;
        let side = cells.side()?;
        let order_type = cells.required_text()?;
        let tifs = [
            TimeInForce::Day,
            TimeInForce::Gtc,
            TimeInForce::Ioc,
            TimeInForce::Fok,
        ];
        let tif = cells.required("day, gtc, ioc or fok", |text| {
            tifs.into_iter().find(|tif| tif.as_str() == text)
        })?;
        let qty = Units(cells.required_decimal()?);
        let (price, stop) = (cells.price()?, cells.price()?);
        let kind = match (order_type.as_str(), price, stop) {
            ("limit", Some(price), None) => OrderKind::Limit { price },
            ("market", None, None) => OrderKind::Market,
            ("stop_market", None, Some(stop)) => OrderKind::StopMarket { stop },
            ("stop_limit", Some(price), Some(stop)) => OrderKind::StopLimit { stop, price },
            // How a trailing stop follows is not in the table.
            _ => return Err(cells.bad("the prices of its order type", order_type)),
        };
        let state = cells.required("a status of an order", |text| {
            OrderState::ALL.into_iter().find(|s| s.as_str() == text)
        })?;
        let filled_qty = Units(cells.required_decimal()?);
        // What is left follows from the rest.
        cells.required_decimal()?;
        Ok(Self {
            client_order_id,
            order_id,
            account_id,
            symbol,
            side,
            kind,
            tif,
            qty,
            filled_qty,
            avg_px: cells.price()?,
            state,
            reject_code: cells.i32(),
            reject_text: cells.text(),
            ts_event,
        })
    }
}

impl TradingTable for Fill {
    const NAME: &'static str = "fills";
    const VERSION: u32 = 1;
}

impl Row for Fill {
    fn columns() -> &'static [TradingColumn] {
        const COLUMNS: &[TradingColumn] = &[
            column("ts_event", Kind::Time, 60),
            column("account_id", Kind::Text, 1),
            column("trade_id", Kind::Text, 17),
            nullable("client_order_id", Kind::Text, 11),
            nullable("order_id", Kind::U64, 37),
            column("symbol", Kind::Text, 55),
            column("side", Kind::Side, 54),
            column("qty", Kind::Decimal, 32),
            column("price", Kind::Decimal, 31),
            nullable("fee", Kind::Decimal, 12),
            nullable("fee_currency", Kind::Text, 479),
            nullable("liquidity", Kind::Text, 851),
            column("correction", Kind::U32, 0),
        ];
        COLUMNS
    }

    fn cells(&self) -> Vec<Cell> {
        let liquidity = self.liquidity.map(|liquidity| match liquidity {
            Liquidity::Resting => "resting",
            Liquidity::Aggressor => "aggressor",
        });
        vec![
            Cell::Time(Some(self.ts_event.0)),
            text(&self.account_id),
            text(&self.trade_id),
            maybe_text(self.client_order_id),
            Cell::U64(self.order_id.map(|id| id.0)),
            text(self.symbol),
            side(self.side),
            units(self.qty),
            maybe_price(Some(self.price)),
            maybe_money(self.fee),
            maybe_text(self.fee_currency),
            maybe_text(liquidity),
            Cell::U32(Some(self.correction)),
        ]
    }

    fn from_cells(cells: &mut Cells) -> Result<Self> {
        Ok(Self {
            ts_event: cells.required_time()?,
            account_id: cells.required_text()?,
            trade_id: cells.required_text()?,
            client_order_id: cells.parsed(ID, |text| text.parse().ok())?,
            order_id: cells.u64().map(OrderId),
            symbol: cells.required(SYMBOL, symbol)?,
            side: cells.side()?,
            qty: Units(cells.required_decimal()?),
            price: cells.price()?.ok_or_else(|| cells.bad("a price", "null"))?,
            fee: cells.decimal().map(Money),
            fee_currency: cells.parsed(SYMBOL, symbol)?,
            liquidity: cells.parsed("resting or aggressor", |text| match text {
                "resting" => Some(Liquidity::Resting),
                "aggressor" => Some(Liquidity::Aggressor),
                _ => None,
            })?,
            correction: cells.u32().unwrap_or_default(),
        })
    }
}

impl TradingTable for Position {
    const NAME: &'static str = "positions";
    const VERSION: u32 = 1;
}

impl Row for Position {
    fn columns() -> &'static [TradingColumn] {
        const COLUMNS: &[TradingColumn] = &[
            column("account_id", Kind::Text, 1),
            column("symbol", Kind::Text, 55),
            column("position_qty", Kind::Decimal, 0),
            nullable("available_qty", Kind::Decimal, 0),
            nullable("avg_px", Kind::Decimal, 6),
            nullable("market_px", Kind::Decimal, 0),
        ];
        COLUMNS
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            text(&self.account_id),
            text(self.symbol),
            units(self.qty),
            maybe_units(self.available),
            maybe_price(self.avg_px),
            maybe_price(self.market_px),
        ]
    }

    fn from_cells(cells: &mut Cells) -> Result<Self> {
        Ok(Self {
            account_id: cells.required_text()?,
            symbol: cells.required(SYMBOL, symbol)?,
            qty: Units(cells.required_decimal()?),
            available: cells.decimal().map(Units),
            avg_px: cells.price()?,
            market_px: cells.price()?,
        })
    }
}

impl TradingTable for Account {
    const NAME: &'static str = "accounts";
    const VERSION: u32 = 1;
}

impl Row for Account {
    fn columns() -> &'static [TradingColumn] {
        const COLUMNS: &[TradingColumn] = &[
            nullable("ts_event", Kind::Time, 60),
            column("account_id", Kind::Text, 1),
            column("currency", Kind::Text, 15),
            nullable("equity", Kind::Decimal, 0),
            column("cash", Kind::Decimal, 0),
            nullable("buying_power", Kind::Decimal, 0),
            column("is_paper", Kind::Flag, 0),
        ];
        COLUMNS
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::Time(self.ts_event.map(|ts| ts.0)),
            text(&self.account_id),
            text(self.currency),
            maybe_money(self.equity),
            maybe_money(Some(self.cash)),
            maybe_money(self.buying_power),
            Cell::Flag(Some(self.is_paper)),
        ]
    }

    fn from_cells(cells: &mut Cells) -> Result<Self> {
        Ok(Self {
            ts_event: cells.time(),
            account_id: cells.required_text()?,
            currency: cells.required(SYMBOL, symbol)?,
            equity: cells.decimal().map(Money),
            cash: Money(cells.required_decimal()?),
            buying_power: cells.decimal().map(Money),
            is_paper: cells.flag()?,
        })
    }
}

impl TradingTable for Quote {
    const NAME: &'static str = "quotes";
    const VERSION: u32 = 1;
}

impl Row for Quote {
    fn columns() -> &'static [TradingColumn] {
        const COLUMNS: &[TradingColumn] = &[
            column("ts_event", Kind::Time, 60),
            column("symbol", Kind::Text, 55),
            nullable("bid_px", Kind::Decimal, 132),
            nullable("bid_qty", Kind::Decimal, 134),
            nullable("ask_px", Kind::Decimal, 133),
            nullable("ask_qty", Kind::Decimal, 135),
            nullable("last_px", Kind::Decimal, 31),
            nullable("data_type", Kind::Text, 0),
        ];
        COLUMNS
    }

    fn cells(&self) -> Vec<Cell> {
        let data_type = self.data_type.map(|data_type| match data_type {
            DataType::Live => "live",
            DataType::Delayed => "delayed",
            DataType::Frozen => "frozen",
        });
        vec![
            Cell::Time(Some(self.ts_event.0)),
            text(self.symbol),
            maybe_price(self.bid_px),
            maybe_units(self.bid_qty),
            maybe_price(self.ask_px),
            maybe_units(self.ask_qty),
            maybe_price(self.last_px),
            maybe_text(data_type),
        ]
    }

    fn from_cells(cells: &mut Cells) -> Result<Self> {
        Ok(Self {
            ts_event: cells.required_time()?,
            symbol: cells.required(SYMBOL, symbol)?,
            bid_px: cells.price()?,
            bid_qty: cells.decimal().map(Units),
            ask_px: cells.price()?,
            ask_qty: cells.decimal().map(Units),
            last_px: cells.price()?,
            data_type: cells.parsed("live, delayed or frozen", |text| match text {
                "live" => Some(DataType::Live),
                "delayed" => Some(DataType::Delayed),
                "frozen" => Some(DataType::Frozen),
                _ => None,
            })?,
        })
    }
}

impl TradingTable for Instrument {
    const NAME: &'static str = "tradables";
    const VERSION: u32 = 1;
}

impl Row for Instrument {
    fn columns() -> &'static [TradingColumn] {
        const COLUMNS: &[TradingColumn] = &[
            column("symbol", Kind::Text, 55),
            column("currency", Kind::Text, 15),
            nullable("base", Kind::Text, 0),
            column("tick", Kind::Decimal, 0),
            column("lot", Kind::Decimal, 0),
            nullable("min_qty", Kind::Decimal, 0),
            nullable("max_qty", Kind::Decimal, 0),
            nullable("min_price", Kind::Decimal, 0),
            nullable("max_price", Kind::Decimal, 0),
            nullable("min_notional", Kind::Decimal, 0),
            nullable("max_notional", Kind::Decimal, 0),
            column("status", Kind::Text, 0),
        ];
        COLUMNS
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            text(self.symbol),
            text(self.currency),
            maybe_text(self.base),
            maybe_price(Some(self.tick)),
            units(self.lot),
            maybe_units(self.min_qty),
            maybe_units(self.max_qty),
            maybe_price(self.min_price),
            maybe_price(self.max_price),
            maybe_money(self.min_notional),
            maybe_money(self.max_notional),
            text(match self.state {
                InstrumentState::Trading => "trading",
                InstrumentState::Halted => "halted",
                InstrumentState::Closed => "closed",
                InstrumentState::CancelOnly => "cancel_only",
            }),
        ]
    }

    fn from_cells(cells: &mut Cells) -> Result<Self> {
        Ok(Self {
            symbol: cells.required(SYMBOL, symbol)?,
            currency: cells.required(SYMBOL, symbol)?,
            base: cells.parsed(SYMBOL, symbol)?,
            tick: cells.price()?.ok_or_else(|| cells.bad("a price", "null"))?,
            lot: Units(cells.required_decimal()?),
            min_qty: cells.decimal().map(Units),
            max_qty: cells.decimal().map(Units),
            min_price: cells.price()?,
            max_price: cells.price()?,
            min_notional: cells.decimal().map(Money),
            max_notional: cells.decimal().map(Money),
            state: cells.required(
                "trading, halted, closed or cancel_only",
                |text| match text {
                    "trading" => Some(InstrumentState::Trading),
                    "halted" => Some(InstrumentState::Halted),
                    "closed" => Some(InstrumentState::Closed),
                    "cancel_only" => Some(InstrumentState::CancelOnly),
                    _ => None,
                },
            )?,
        })
    }
}

impl TradingTable for RiskCheckRow {
    const NAME: &'static str = "risk_checks";
    const VERSION: u32 = 1;
}

impl Row for RiskCheckRow {
    fn columns() -> &'static [TradingColumn] {
        const COLUMNS: &[TradingColumn] = &[
            column("ts", Kind::Time, 60),
            column("run_id", Kind::Text, 0),
            column("check_code", Kind::Text, 0),
            column("level", Kind::Text, 0),
            column("subject", Kind::Text, 0),
            nullable("order_index", Kind::U32, 0),
            nullable("limit", Kind::Decimal, 0),
            nullable("observed", Kind::Decimal, 0),
            column("unit", Kind::Text, 0),
            column("outcome", Kind::Text, 0),
            column("detail", Kind::Text, 58),
        ];
        COLUMNS
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::Time(Some(self.ts.0)),
            text(&self.run_id),
            text(&self.check_code),
            text(&self.level),
            text(&self.subject),
            Cell::U32(self.order_index),
            Cell::Decimal(self.limit),
            Cell::Decimal(self.observed),
            text(&self.unit),
            text(&self.outcome),
            text(&self.detail),
        ]
    }

    fn from_cells(cells: &mut Cells) -> Result<Self> {
        Ok(Self {
            ts: cells.required_time()?,
            run_id: cells.required_text()?,
            check_code: cells.required_text()?,
            level: cells.required_text()?,
            subject: cells.required_text()?,
            order_index: cells.u32(),
            limit: cells.decimal(),
            observed: cells.decimal(),
            unit: cells.required_text()?,
            outcome: cells.required_text()?,
            detail: cells.required_text()?,
        })
    }
}

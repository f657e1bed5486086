//! Bindings of the classic façade over the matching engine: `Exchange` and `MultiExchange`.
//!
//! Prices are whole numbers of the caller's unit (cents, ticks), quantities whole lots.

mod events;
mod results;

use std::path::PathBuf;

use nanobook::matching::{Config, Output};
use nanobook::{
    MultiExchange, OrderId, OrderKind, OrderRequest, OrderStatus, Owner, Price, Qty, Reject, Side,
    Trail,
};
use pyo3::prelude::*;
use pyo3::types::PyModule;

use self::events::{events_frame, multi_events_frame, trades_frame};
use self::results::{CancelResult, Cost, ModifyResult, Order, SubmitResult, Trade};
use crate::book::{Prices, depth_frame, orders_frame};
use crate::error::{Error, Kind};
use crate::frame::Frame;
use crate::words;

/// A trail by its kind and value.
fn trail(kind: &str, value: f64, period: Option<u16>) -> Result<Trail, Error> {
    let wrong = || {
        Error::input(format!(
            "a trail of {value} is not above zero, or too large"
        ))
    };
    match kind {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "checked to be a whole number that fits"
        )]
        "fixed" if value.fract() == 0.0 && value.abs() < 9e15 => {
            Ok(Trail::Fixed(Price(value as i64)))
        }
        "fixed" => Err(Error::input(format!(
            "a fixed trail of {value} is no whole number of price units"
        ))),
        "percentage" => Trail::percentage(value).ok_or_else(wrong),
        "mean_abs_change" | "sma_abs_change" | "atr" => {
            Trail::mean_abs_change(value, period.unwrap_or(14)).ok_or_else(wrong)
        }
        _ => Err(words::choice(
            "trail",
            kind,
            &["fixed", "percentage", "mean_abs_change"],
        )),
    }
}

/// What goes with an order besides what it does.
fn request(
    side: &str,
    kind: OrderKind,
    qty: u64,
    tif: &str,
    owner: Option<u32>,
) -> Result<OrderRequest, Error> {
    let mut request =
        OrderRequest::new(words::side(side)?, kind, Qty(qty)).with_tif(words::tif(tif)?);
    request.owner = owner.map(Owner);
    Ok(request)
}

/// One instrument's exchange: a matching engine by price and time.
///
/// Prices are whole numbers of your unit (cents, ticks), quantities whole lots. Frames of it have prices in that unit.
///
/// Parameters
/// ----------
/// stp
///     What happens when an order would trade with one of its owner: `"off"`, `"cancel_newest"`, `"cancel_oldest"`,
///     `"cancel_both"` or `"decrement"`.
///
/// Examples
/// --------
/// >>> import nanobook as nb
/// >>> exchange = nb.Exchange()
/// >>> exchange.submit_limit("sell", 50_00, 100, "gtc")
/// SubmitResult(order 1, new: 0 filled, 100 resting, 0 cancelled, 0 trades)
/// >>> exchange.submit_limit("buy", 50_00, 40).trades
/// [Trade(1: 40 at 5000, buy)]
/// >>> exchange.best_bid_ask()
/// (None, 5000)
#[pyclass(module = "nanobook", name = "Exchange")]
#[derive(Clone, Debug)]
pub(crate) struct PyExchange {
    exchange: nanobook::Exchange,
}

impl PyExchange {
    fn submit(&mut self, request: OrderRequest) -> PyResult<SubmitResult> {
        let result = self.exchange.try_submit(request).map_err(words::rejected)?;
        Ok(result.into())
    }
}

#[pymethods]
impl PyExchange {
    #[new]
    #[pyo3(signature = (*, stp="off"))]
    fn py_new(stp: &str) -> PyResult<Self> {
        let exchange = nanobook::Exchange::with_stp_policy(words::stp(stp)?);
        Ok(Self { exchange })
    }

    /// Enters a limit order.
    ///
    /// Parameters
    /// ----------
    /// side
    ///     `"buy"` or `"sell"`.
    /// price
    ///     The worst price, in whole units of your choice (cents, ticks).
    /// qty
    ///     How much, above zero.
    /// tif
    ///     `"gtc"` rests what does not trade, `"ioc"` cancels it, `"fok"` trades all or nothing.
    /// post_only
    ///     Cancelled rather than trade on entry.
    /// owner
    ///     Whose it is, for self-trade prevention.
    ///
    /// Raises
    /// ------
    /// InputError
    ///     When the order makes no sense; nothing has changed then.
    #[pyo3(signature = (side, price, qty, tif="gtc", *, post_only=false, owner=None))]
    fn submit_limit(
        &mut self,
        side: &str,
        price: i64,
        qty: u64,
        tif: &str,
        post_only: bool,
        owner: Option<u32>,
    ) -> PyResult<SubmitResult> {
        let kind = OrderKind::Limit {
            price: Price(price),
        };
        let mut request = request(side, kind, qty, tif, owner)?;
        request.post_only = post_only;
        self.submit(request)
    }

    /// Enters a market order; what finds nobody to trade with is cancelled.
    #[pyo3(signature = (side, qty, *, owner=None))]
    fn submit_market(
        &mut self,
        side: &str,
        qty: u64,
        owner: Option<u32>,
    ) -> PyResult<SubmitResult> {
        self.submit(request(side, OrderKind::Market, qty, "ioc", owner)?)
    }

    /// Enters a market order that waits for a print at or beyond `stop`.
    #[pyo3(signature = (side, stop, qty, *, owner=None))]
    fn submit_stop_market(
        &mut self,
        side: &str,
        stop: i64,
        qty: u64,
        owner: Option<u32>,
    ) -> PyResult<SubmitResult> {
        let kind = OrderKind::StopMarket { stop: Price(stop) };
        self.submit(request(side, kind, qty, "gtc", owner)?)
    }

    /// Enters a limit order that waits for a print at or beyond `stop`.
    #[pyo3(signature = (side, stop, price, qty, tif="gtc", *, owner=None))]
    fn submit_stop_limit(
        &mut self,
        side: &str,
        stop: i64,
        price: i64,
        qty: u64,
        tif: &str,
        owner: Option<u32>,
    ) -> PyResult<SubmitResult> {
        let kind = OrderKind::StopLimit {
            stop: Price(stop),
            price: Price(price),
        };
        self.submit(request(side, kind, qty, tif, owner)?)
    }

    /// Enters a market order whose stop follows the market.
    ///
    /// Parameters
    /// ----------
    /// stop
    ///     Where it stands until the trail is tighter.
    /// trail
    ///     `"fixed"` by an amount, `"percentage"` by a part of the best price (0.05 is 5 %), `"mean_abs_change"` by a multiple
    ///     of the mean absolute change over the last `period` prints (14).
    /// value
    ///     The amount, part or multiple.
    #[pyo3(signature = (side, stop, qty, trail, value, period=None, *, owner=None))]
    #[expect(clippy::too_many_arguments, reason = "the classic signature")]
    fn submit_trailing_stop_market(
        &mut self,
        side: &str,
        stop: i64,
        qty: u64,
        trail: &str,
        value: f64,
        period: Option<u16>,
        owner: Option<u32>,
    ) -> PyResult<SubmitResult> {
        let kind = OrderKind::TrailingStopMarket {
            stop: Price(stop),
            trail: self::trail(trail, value, period)?,
        };
        self.submit(request(side, kind, qty, "gtc", owner)?)
    }

    /// Enters a limit order whose stop follows the market; the limit does not follow.
    #[pyo3(signature = (side, stop, price, qty, trail, value, tif="gtc", period=None, *, owner=None))]
    #[expect(clippy::too_many_arguments, reason = "the classic signature")]
    fn submit_trailing_stop_limit(
        &mut self,
        side: &str,
        stop: i64,
        price: i64,
        qty: u64,
        trail: &str,
        value: f64,
        tif: &str,
        period: Option<u16>,
        owner: Option<u32>,
    ) -> PyResult<SubmitResult> {
        let kind = OrderKind::TrailingStopLimit {
            stop: Price(stop),
            price: Price(price),
            trail: self::trail(trail, value, period)?,
        };
        self.submit(request(side, kind, qty, tif, owner)?)
    }

    /// Cancels what is open of an order; a refusal is an answer too.
    fn cancel(&mut self, order_id: u64) -> CancelResult {
        self.exchange.cancel(OrderId(order_id)).into()
    }

    /// Gives an order a new price and quantity: it is cancelled and enters anew under a new id.
    fn modify(&mut self, order_id: u64, price: i64, qty: u64) -> ModifyResult {
        self.exchange
            .modify(OrderId(order_id), Price(price), qty)
            .into()
    }

    /// Takes quantity away from an order, which keeps its place, and returns what is left.
    fn reduce(&mut self, order_id: u64, by: u64) -> PyResult<u64> {
        let left = self.exchange.reduce(OrderId(order_id), by);
        Ok(left.map_err(words::rejected)?.0)
    }

    /// The best bid and ask; None where a side is empty.
    fn best_bid_ask(&self) -> (Option<i64>, Option<i64>) {
        (self.best_bid(), self.best_ask())
    }

    /// The best bid.
    fn best_bid(&self) -> Option<i64> {
        self.exchange.best_bid().map(|price| price.0)
    }

    /// The best ask.
    fn best_ask(&self) -> Option<i64> {
        self.exchange.best_ask().map(|price| price.0)
    }

    /// Ask less bid.
    fn spread(&self) -> Option<i64> {
        self.exchange.spread().map(|price| price.0)
    }

    /// Price of the last trade.
    fn last_trade_price(&self) -> Option<i64> {
        self.exchange.last_trade_price().map(|price| price.0)
    }

    /// (bid quantity − ask quantity) / their sum over the best levels, −1 to 1.
    #[pyo3(signature = (levels=10))]
    fn imbalance(&self, levels: usize) -> Option<f64> {
        self.exchange.depth(levels).imbalance()
    }

    /// What taking a quantity would cost now: `buy` takes from the asks.
    fn cost(&self, side: &str, qty: u64) -> PyResult<Cost> {
        let cost = self
            .exchange
            .engine()
            .market()
            .cost(words::side(side)?, Qty(qty));
        Ok(cost.into())
    }

    /// The best levels of both sides: `level, bid_px, bid_qty, bid_count, ask_px, ask_qty, ask_count` (L2).
    #[pyo3(signature = (levels=10))]
    fn depth(&self, levels: usize) -> PyResult<Frame> {
        let depth = self.exchange.depth(levels);
        Ok(depth_frame(&depth.bids, &depth.asks, Prices::Integer)?)
    }

    /// All levels of both sides.
    fn full_book(&self) -> PyResult<Frame> {
        let depth = self.exchange.full_book();
        Ok(depth_frame(&depth.bids, &depth.asks, Prices::Integer)?)
    }

    /// All resting orders, best price first, in order of the queue: `side, price, qty, order_id` (L3).
    fn orders(&self) -> PyResult<Frame> {
        let orders = self.exchange.order_book();
        let all = orders.bids.into_iter().chain(orders.asks);
        Ok(orders_frame(all, Prices::Integer)?)
    }

    /// All trades: `trade_id, price, qty, side, buy_order_id, sell_order_id`; the side is the aggressor's.
    fn trades(&self) -> PyResult<Frame> {
        Ok(trades_frame(self.exchange.trades())?)
    }

    /// The commands, in order; replayed, they give the same state. What a command does not say is null.
    fn events(&self) -> PyResult<Frame> {
        Ok(events_frame(&self.exchange.events())?)
    }

    /// An order; None when it is unknown.
    fn get_order(&self, order_id: u64) -> Option<Order> {
        self.exchange.get_order(OrderId(order_id)).map(Order::from)
    }

    /// A stop; None when it is unknown or none.
    fn get_stop_order(&self, order_id: u64) -> Option<Order> {
        self.exchange
            .get_stop_order(OrderId(order_id))
            .map(Order::from)
    }

    /// Orders ahead of an order at its price, and their quantity.
    fn queue_position(&self, order_id: u64) -> PyResult<(u32, u64)> {
        let position = self.exchange.engine().queue_position(OrderId(order_id));
        let position = position
            .ok_or_else(|| Error::new(Kind::Missing, format!("order {order_id} does not rest")))?;
        Ok((position.orders_ahead, position.qty_ahead.0))
    }

    /// Number of stops that wait.
    fn pending_stop_count(&self) -> usize {
        self.exchange.pending_stop_count()
    }

    /// Forgets the trades.
    fn clear_trades(&mut self) {
        self.exchange.clear_trades();
    }

    /// Forgets closed orders and says how many.
    fn clear_order_history(&mut self) -> u64 {
        self.exchange.clear_order_history()
    }

    /// Gives memory back.
    fn compact(&mut self) {
        self.exchange.compact();
    }

    /// Writes the event log as JSON Lines.
    fn save(&self, path: PathBuf) -> PyResult<()> {
        let saved = self.exchange.save(&path);
        Ok(saved
            .map_err(|error| Error::new(Kind::Source, format!("{}: {error}", path.display())))?)
    }

    /// Reads an event log and replays it; a torn last line is left out.
    #[staticmethod]
    fn load(path: PathBuf) -> PyResult<Self> {
        let loaded = nanobook::Exchange::load(&path);
        let exchange = loaded
            .map_err(|error| Error::new(Kind::Source, format!("{}: {error}", path.display())))?;
        Ok(Self { exchange })
    }

    fn __copy__(&self) -> Self {
        self.clone()
    }

    fn __repr__(&self) -> String {
        let price = |price: Option<i64>| price.map_or("none".to_owned(), |price| price.to_string());
        format!(
            "Exchange: bid {}, ask {}, {} orders rest, {} trades",
            price(self.best_bid()),
            price(self.best_ask()),
            self.exchange.engine().market().len(),
            self.exchange.trades().len()
        )
    }
}

/// Exchanges by symbol that number orders and trades together, so that an id says which order of which symbol it is.
///
/// A symbol is listed with its first order.
///
/// Examples
/// --------
/// >>> import nanobook as nb
/// >>> exchange = nb.MultiExchange()
/// >>> exchange.submit_limit("AAPL", "buy", 185_00, 100).order_id
/// 1
/// >>> exchange.submit_limit("F", "sell", 12_00, 100).order_id
/// 2
/// >>> exchange.best_prices().to_dict()
/// {'symbol': ['AAPL', 'F'], 'bid_px': [18500, None], 'ask_px': [None, 1200]}
#[pyclass(module = "nanobook", name = "MultiExchange")]
#[derive(Clone, Debug, Default)]
pub(crate) struct PyMultiExchange {
    exchange: MultiExchange,
    trades: Vec<nanobook::matching::Trade>,
    out: Vec<Output>,
}

impl PyMultiExchange {
    fn keep_trades(&mut self) -> Vec<nanobook::matching::Trade> {
        let trade = |output: Output| match output {
            Output::Trade(trade) => Some(trade),
            _ => None,
        };
        let trades: Vec<_> = self.out.drain(..).filter_map(trade).collect();
        self.trades.extend_from_slice(&trades);
        trades
    }

    fn submit(&mut self, symbol: &str, request: OrderRequest) -> PyResult<SubmitResult> {
        let symbol = words::symbol(symbol)?;
        self.exchange.list(symbol);
        let ack = self
            .exchange
            .submit(symbol, request, &mut self.out)
            .map_err(words::rejected)?;
        let trades = self.keep_trades();
        let order = self.exchange.order(ack.id);
        Ok(SubmitResult::of(&ack, request.qty, &trades, order.as_ref()))
    }

    /// Cancels an order that is to enter anew, once it is known that it may.
    fn anew(
        &mut self,
        id: OrderId,
        price: Price,
        qty: Qty,
    ) -> Result<(nanobook::Symbol, Qty, OrderRequest), Reject> {
        let old = self.exchange.order(id).ok_or(Reject::UnknownOrder)?;
        let symbol = self.exchange.symbol_of(id).ok_or(Reject::UnknownOrder)?;
        match old.status {
            OrderStatus::New | OrderStatus::PartiallyFilled => {}
            OrderStatus::Pending => return Err(Reject::StopOrder),
            _ => return Err(Reject::NotActive),
        }
        let request = OrderRequest {
            side: old.side,
            kind: OrderKind::Limit { price },
            qty,
            tif: old.tif,
            post_only: old.post_only,
            owner: old.owner,
        };
        // What makes no sense is refused by an empty book, too.
        nanobook::Exchange::new().try_submit(request)?;
        let cancelled = self.exchange.cancel(id, &mut self.out)?;
        self.out.clear();
        Ok((symbol, cancelled, request))
    }

    fn market(&self, symbol: &str) -> Result<&nanobook::matching::Market, Error> {
        let found = self.exchange.market(words::symbol(symbol)?);
        found.ok_or_else(|| Error::new(Kind::Missing, format!("{symbol} is not listed")))
    }
}

#[pymethods]
impl PyMultiExchange {
    #[new]
    #[pyo3(signature = (*, stp="off"))]
    fn py_new(stp: &str) -> PyResult<Self> {
        let config = Config {
            stp: words::stp(stp)?,
            ..Config::default()
        };
        Ok(Self {
            exchange: MultiExchange::new(config),
            ..Self::default()
        })
    }

    /// Enters a limit order.
    ///
    /// Parameters
    /// ----------
    /// side
    ///     `"buy"` or `"sell"`.
    /// price
    ///     The worst price, in whole units of your choice (cents, ticks).
    /// qty
    ///     How much, above zero.
    /// tif
    ///     `"gtc"` rests what does not trade, `"ioc"` cancels it, `"fok"` trades all or nothing.
    /// post_only
    ///     Cancelled rather than trade on entry.
    /// owner
    ///     Whose it is, for self-trade prevention.
    ///
    /// Raises
    /// ------
    /// InputError
    ///     When the order makes no sense; nothing has changed then.
    #[pyo3(signature = (symbol, side, price, qty, tif="gtc", *, post_only=false, owner=None))]
    #[expect(clippy::too_many_arguments, reason = "the classic signature")]
    fn submit_limit(
        &mut self,
        symbol: &str,
        side: &str,
        price: i64,
        qty: u64,
        tif: &str,
        post_only: bool,
        owner: Option<u32>,
    ) -> PyResult<SubmitResult> {
        let kind = OrderKind::Limit {
            price: Price(price),
        };
        let mut request = request(side, kind, qty, tif, owner)?;
        request.post_only = post_only;
        self.submit(symbol, request)
    }

    /// Enters a market order; what finds nobody to trade with is cancelled.
    #[pyo3(signature = (symbol, side, qty, *, owner=None))]
    fn submit_market(
        &mut self,
        symbol: &str,
        side: &str,
        qty: u64,
        owner: Option<u32>,
    ) -> PyResult<SubmitResult> {
        let request = request(side, OrderKind::Market, qty, "ioc", owner)?;
        self.submit(symbol, request)
    }

    /// Enters a market order that waits for a print at or beyond `stop`.
    #[pyo3(signature = (symbol, side, stop, qty, *, owner=None))]
    fn submit_stop_market(
        &mut self,
        symbol: &str,
        side: &str,
        stop: i64,
        qty: u64,
        owner: Option<u32>,
    ) -> PyResult<SubmitResult> {
        let kind = OrderKind::StopMarket { stop: Price(stop) };
        self.submit(symbol, request(side, kind, qty, "gtc", owner)?)
    }

    /// Enters a limit order that waits for a print at or beyond `stop`.
    #[pyo3(signature = (symbol, side, stop, price, qty, tif="gtc", *, owner=None))]
    #[expect(
        clippy::too_many_arguments,
        reason = "the signature of Exchange, and a symbol"
    )]
    fn submit_stop_limit(
        &mut self,
        symbol: &str,
        side: &str,
        stop: i64,
        price: i64,
        qty: u64,
        tif: &str,
        owner: Option<u32>,
    ) -> PyResult<SubmitResult> {
        let kind = OrderKind::StopLimit {
            stop: Price(stop),
            price: Price(price),
        };
        self.submit(symbol, request(side, kind, qty, tif, owner)?)
    }

    /// Enters a market order whose stop follows the market; see `Exchange.submit_trailing_stop_market`.
    #[pyo3(signature = (symbol, side, stop, qty, trail, value, period=None, *, owner=None))]
    #[expect(
        clippy::too_many_arguments,
        reason = "the signature of Exchange, and a symbol"
    )]
    fn submit_trailing_stop_market(
        &mut self,
        symbol: &str,
        side: &str,
        stop: i64,
        qty: u64,
        trail: &str,
        value: f64,
        period: Option<u16>,
        owner: Option<u32>,
    ) -> PyResult<SubmitResult> {
        let kind = OrderKind::TrailingStopMarket {
            stop: Price(stop),
            trail: self::trail(trail, value, period)?,
        };
        self.submit(symbol, request(side, kind, qty, "gtc", owner)?)
    }

    /// Enters a limit order whose stop follows the market; the limit does not follow.
    #[pyo3(signature = (symbol, side, stop, price, qty, trail, value, tif="gtc", period=None, *, owner=None))]
    #[expect(
        clippy::too_many_arguments,
        reason = "the signature of Exchange, and a symbol"
    )]
    fn submit_trailing_stop_limit(
        &mut self,
        symbol: &str,
        side: &str,
        stop: i64,
        price: i64,
        qty: u64,
        trail: &str,
        value: f64,
        tif: &str,
        period: Option<u16>,
        owner: Option<u32>,
    ) -> PyResult<SubmitResult> {
        let kind = OrderKind::TrailingStopLimit {
            stop: Price(stop),
            price: Price(price),
            trail: self::trail(trail, value, period)?,
        };
        self.submit(symbol, request(side, kind, qty, tif, owner)?)
    }

    /// Cancels what is open of an order; a refusal is an answer too.
    fn cancel(&mut self, order_id: u64) -> CancelResult {
        let cancelled = self.exchange.cancel(OrderId(order_id), &mut self.out);
        self.out.clear();
        CancelResult::of(cancelled)
    }

    /// Cancels all orders and stops of an owner in all symbols, and says how many.
    fn mass_cancel(&mut self, owner: u32) -> u32 {
        let count = self.exchange.mass_cancel(Owner(owner), &mut self.out);
        self.out.clear();
        count
    }

    /// Gives an order a new price and quantity: it is cancelled and enters anew under a new id. A refusal is an answer too,
    /// and leaves the order as it is.
    fn modify(&mut self, order_id: u64, price: i64, qty: u64) -> PyResult<ModifyResult> {
        match self.anew(OrderId(order_id), Price(price), Qty(qty)) {
            Ok((symbol, cancelled, request)) => {
                let submitted = self.submit(symbol.as_str(), request)?;
                Ok(ModifyResult::of(order_id, cancelled, submitted))
            }
            Err(reject) => Ok(ModifyResult::refused(order_id, reject)),
        }
    }

    /// Gives an order a new price and open quantity under its id; it keeps its place only when the quantity falls at the
    /// same price. Returns what was filled at once.
    fn replace(&mut self, order_id: u64, price: i64, qty: u64) -> PyResult<u64> {
        let id = OrderId(order_id);
        let replaced = self
            .exchange
            .replace(id, Price(price), Qty(qty), &mut self.out);
        self.keep_trades();
        Ok(replaced.map_err(words::rejected)?.filled.0)
    }

    /// Takes quantity away from an order, which keeps its place, and returns what is left.
    fn reduce(&mut self, order_id: u64, by: u64) -> PyResult<u64> {
        let left = self
            .exchange
            .reduce(OrderId(order_id), Qty(by), &mut self.out);
        self.out.clear();
        Ok(left.map_err(words::rejected)?.open.0)
    }

    /// The best bid and ask; None where a side is empty.
    fn best_bid_ask(&self, symbol: &str) -> PyResult<(Option<i64>, Option<i64>)> {
        let market = self.market(symbol)?;
        let best = |side| market.best_price(side).map(|price| price.0);
        Ok((best(Side::Buy), best(Side::Sell)))
    }

    /// The best levels of both sides: `level, bid_px, bid_qty, bid_count, ask_px, ask_qty, ask_count` (L2).
    #[pyo3(signature = (symbol, levels=10))]
    fn depth(&self, symbol: &str, levels: usize) -> PyResult<Frame> {
        let depth = self.market(symbol)?.snapshot(levels);
        Ok(depth_frame(&depth.bids, &depth.asks, Prices::Integer)?)
    }

    /// All resting orders, best price first, in order of the queue: `side, price, qty, order_id` (L3).
    fn orders(&self, symbol: &str) -> PyResult<Frame> {
        let orders = self.market(symbol)?.order_snapshot();
        let all = orders.bids.into_iter().chain(orders.asks);
        Ok(orders_frame(all, Prices::Integer)?)
    }

    /// Best prices of all symbols: `symbol, bid_px, ask_px`.
    fn best_prices(&self) -> PyResult<Frame> {
        Ok(events::best_prices_frame(self.exchange.best_prices())?)
    }

    /// All trades: `trade_id, price, qty, side, buy_order_id, sell_order_id`; the side is the aggressor's.
    fn trades(&self) -> PyResult<Frame> {
        let symbols = self
            .trades
            .iter()
            .map(|trade| self.exchange.symbol_of(trade.buy_order_id));
        Ok(events::symbol_trades_frame(&self.trades, symbols)?)
    }

    /// The commands, in order; replayed, they give the same state. What a command does not say is null.
    fn events(&self) -> PyResult<Frame> {
        Ok(multi_events_frame(self.exchange.events())?)
    }

    /// An order; None when it is unknown.
    fn get_order(&self, order_id: u64) -> Option<Order> {
        self.exchange.order(OrderId(order_id)).map(Order::from)
    }

    /// The symbols, in order of their first order.
    fn symbols(&self) -> Vec<String> {
        self.exchange
            .symbols()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    fn __len__(&self) -> usize {
        self.exchange.len()
    }

    fn __repr__(&self) -> String {
        format!(
            "MultiExchange: {} symbols, {} trades",
            self.exchange.len(),
            self.trades.len()
        )
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyExchange>()?;
    module.add_class::<PyMultiExchange>()?;
    module.add_class::<SubmitResult>()?;
    module.add_class::<CancelResult>()?;
    module.add_class::<ModifyResult>()?;
    module.add_class::<Cost>()?;
    module.add_class::<Order>()?;
    module.add_class::<Trade>()
}

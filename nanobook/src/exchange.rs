//! A matching engine for callers who want an answer, not a buffer.

use crate::matching::{Config, Depth, Engine, Event, Orders, Output, Trade};
use crate::{
    Order, OrderId, OrderKind, OrderRequest, OrderStatus, Owner, Price, Qty, Reject, Side,
    StpPolicy, TimeInForce, Trail,
};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// What became of a submitted order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct SubmitResult {
    /// The order; 0, which no order has, when it was refused.
    pub order_id: OrderId,
    /// Where it is in its life; [`OrderStatus::Rejected`] when it was refused.
    pub status: OrderStatus,
    /// Its trades, in order; those of stops that it set off are in [`Exchange::trades`].
    pub trades: Vec<Trade>,
    /// How much has traded.
    pub filled: Qty,
    /// How much rests, or waits for a stop to trigger.
    pub resting: Qty,
    /// How much was cancelled.
    pub cancelled: Qty,
    /// Why it was refused; `None` when it was not.
    pub reject: Option<Reject>,
}

impl SubmitResult {
    fn refused(reject: Reject) -> Self {
        Self {
            order_id: OrderId(0),
            status: OrderStatus::Rejected,
            trades: Vec::new(),
            filled: Qty(0),
            resting: Qty(0),
            cancelled: Qty(0),
            reject: Some(reject),
        }
    }
}

/// What became of a cancel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct CancelResult {
    /// Whether the order was open and is cancelled.
    pub success: bool,
    /// How much was open.
    pub cancelled: Qty,
    /// Why it was refused; `None` when it was not.
    pub error: Option<Reject>,
}

/// What became of a modify.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct ModifyResult {
    /// Whether the old order is cancelled and the new one entered.
    pub success: bool,
    /// The order that was to be changed.
    pub old_order_id: OrderId,
    /// The order that took its place; `None` when the modify was refused.
    pub new_order_id: Option<OrderId>,
    /// How much was open of the old order.
    pub cancelled: Qty,
    /// Trades of the new order.
    pub trades: Vec<Trade>,
    /// Why it was refused; `None` when it was not.
    pub error: Option<Reject>,
}

/// One instrument's exchange: submits answer with a result, and trades are kept on a tape.
///
/// Quantities are given as [`Qty`] or as plain numbers.
///
/// # Examples
/// ```
/// use nanobook::{Exchange, Price, Side, TimeInForce};
///
/// let mut exchange = Exchange::new();
/// exchange.submit_limit(Side::Sell, Price(50_00), 100, TimeInForce::GTC);
/// let result = exchange.submit_limit(Side::Buy, Price(50_00), 100, TimeInForce::GTC);
/// assert_eq!(result.trades.len(), 1);
/// assert_eq!(result.trades[0].price, Price(50_00));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Exchange {
    engine: Engine,
    trades: Vec<Trade>,
    out: Vec<Output>,
}

impl Exchange {
    /// An exchange without orders.
    pub fn new() -> Self {
        Self::default()
    }

    /// An exchange without orders that does as it is told.
    pub fn with_config(config: Config) -> Self {
        Self {
            engine: Engine::new(config),
            trades: Vec::new(),
            out: Vec::new(),
        }
    }

    /// An exchange with a self-trade policy.
    pub fn with_stp_policy(policy: StpPolicy) -> Self {
        Self::with_config(Config {
            stp: policy,
            ..Config::default()
        })
    }

    /// What happens when an order would trade with one of its owner.
    pub fn stp_policy(&self) -> StpPolicy {
        self.engine.config().stp
    }

    /// Changes what happens when an order would trade with one of its owner.
    pub fn set_stp_policy(&mut self, policy: StpPolicy) {
        self.engine.set_stp_policy(policy);
    }

    /// Enters any order. A refused one is a result too: its status is [`OrderStatus::Rejected`].
    pub fn submit(&mut self, request: OrderRequest) -> SubmitResult {
        self.try_submit(request)
            .unwrap_or_else(SubmitResult::refused)
    }

    /// Enters any order.
    ///
    /// # Errors
    /// A [`Reject`] when the order makes no sense; nothing has changed then.
    pub fn try_submit(&mut self, request: OrderRequest) -> Result<SubmitResult, Reject> {
        self.out.clear();
        let ack = self.engine.submit(request, &mut self.out)?;
        self.keep_trades();
        // What is left of the request was taken away: a bound on closed orders may have forgotten the order itself.
        let gone = request.qty.0 - ack.filled.0 - ack.open.0;
        Ok(SubmitResult {
            order_id: ack.id,
            status: ack.status,
            trades: self.trades_of(ack.id),
            filled: ack.filled,
            resting: ack.open,
            cancelled: Qty(gone),
            reject: None,
        })
    }

    /// Enters a limit order.
    pub fn submit_limit(
        &mut self,
        side: Side,
        price: Price,
        qty: impl Into<Qty>,
        tif: TimeInForce,
    ) -> SubmitResult {
        self.submit(OrderRequest::limit(side, price, qty.into()).with_tif(tif))
    }

    /// Enters a limit order of an owner.
    pub fn submit_limit_with_owner(
        &mut self,
        side: Side,
        price: Price,
        qty: impl Into<Qty>,
        tif: TimeInForce,
        owner: Owner,
    ) -> SubmitResult {
        let request = OrderRequest::limit(side, price, qty.into());
        self.submit(request.with_tif(tif).with_owner(owner))
    }

    /// Enters a market order.
    pub fn submit_market(&mut self, side: Side, qty: impl Into<Qty>) -> SubmitResult {
        self.submit(OrderRequest::market(side, qty.into()))
    }

    /// Enters a limit order.
    ///
    /// # Errors
    /// A [`Reject`] when the order makes no sense; nothing has changed then.
    pub fn try_submit_limit(
        &mut self,
        side: Side,
        price: Price,
        qty: impl Into<Qty>,
        tif: TimeInForce,
    ) -> Result<SubmitResult, Reject> {
        self.try_submit(OrderRequest::limit(side, price, qty.into()).with_tif(tif))
    }

    /// Enters a market order.
    ///
    /// # Errors
    /// A [`Reject`] when the order makes no sense; nothing has changed then.
    pub fn try_submit_market(
        &mut self,
        side: Side,
        qty: impl Into<Qty>,
    ) -> Result<SubmitResult, Reject> {
        self.try_submit(OrderRequest::market(side, qty.into()))
    }

    /// Enters a stop that becomes a market order.
    pub fn submit_stop_market(
        &mut self,
        side: Side,
        stop: Price,
        qty: impl Into<Qty>,
    ) -> SubmitResult {
        self.submit(OrderRequest::stop_market(side, stop, qty.into()))
    }

    /// Enters a stop that becomes a limit order.
    pub fn submit_stop_limit(
        &mut self,
        side: Side,
        stop: Price,
        price: Price,
        qty: impl Into<Qty>,
        tif: TimeInForce,
    ) -> SubmitResult {
        let kind = OrderKind::StopLimit { stop, price };
        self.submit(OrderRequest::new(side, kind, qty.into()).with_tif(tif))
    }

    /// Enters a trailing stop that becomes a market order.
    pub fn submit_trailing_stop_market(
        &mut self,
        side: Side,
        stop: Price,
        qty: impl Into<Qty>,
        trail: Trail,
    ) -> SubmitResult {
        let kind = OrderKind::TrailingStopMarket { stop, trail };
        self.submit(OrderRequest::new(side, kind, qty.into()))
    }

    /// Enters a trailing stop that becomes a limit order.
    pub fn submit_trailing_stop_limit(
        &mut self,
        side: Side,
        stop: Price,
        price: Price,
        qty: impl Into<Qty>,
        tif: TimeInForce,
        trail: Trail,
    ) -> SubmitResult {
        let kind = OrderKind::TrailingStopLimit { stop, price, trail };
        self.submit(OrderRequest::new(side, kind, qty.into()).with_tif(tif))
    }

    /// Cancels an order or a waiting stop.
    pub fn cancel(&mut self, id: OrderId) -> CancelResult {
        self.out.clear();
        let answer = self.engine.cancel(id, &mut self.out);
        CancelResult {
            success: answer.is_ok(),
            cancelled: answer.unwrap_or_default(),
            error: answer.err(),
        }
    }

    /// Cancels an order and enters another of its side, time in force and owner, under a new id and behind all others.
    /// [`Exchange::replace`] keeps the id, and the place where it can.
    pub fn modify(&mut self, id: OrderId, price: Price, qty: impl Into<Qty>) -> ModifyResult {
        self.try_modify(id, price, qty.into())
            .unwrap_or_else(|reject| ModifyResult {
                success: false,
                old_order_id: id,
                new_order_id: None,
                cancelled: Qty(0),
                trades: Vec::new(),
                error: Some(reject),
            })
    }

    fn try_modify(&mut self, id: OrderId, price: Price, qty: Qty) -> Result<ModifyResult, Reject> {
        let old = self.engine.order(id).ok_or(Reject::UnknownOrder)?;
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
        self.engine.check(&request)?;
        self.out.clear();
        let cancelled = self.engine.cancel(id, &mut self.out)?;
        let submitted = self.try_submit(request)?;
        Ok(ModifyResult {
            success: true,
            old_order_id: id,
            new_order_id: Some(submitted.order_id),
            cancelled,
            trades: submitted.trades,
            error: None,
        })
    }

    /// As [`Engine::reduce`]: takes `by` away from an order, which keeps its place; says how much is still open.
    ///
    /// # Errors
    /// A [`Reject`] when `by` is zero or the order is unknown or closed.
    pub fn reduce(&mut self, id: OrderId, by: impl Into<Qty>) -> Result<Qty, Reject> {
        self.out.clear();
        Ok(self.engine.reduce(id, by.into(), &mut self.out)?.open)
    }

    /// As [`Engine::replace`], and gives the trades of the order.
    ///
    /// # Errors
    /// A [`Reject`] when price or quantity make no sense, or the order is unknown, closed or a waiting stop.
    pub fn replace(
        &mut self,
        id: OrderId,
        price: Price,
        qty: impl Into<Qty>,
    ) -> Result<Vec<Trade>, Reject> {
        self.apply(&Event::Replace {
            id,
            price,
            qty: qty.into(),
        })?;
        Ok(self.trades_of(id))
    }

    /// Does what an event says and gives all its trades.
    ///
    /// # Errors
    /// A [`Reject`] as of the method that the event stands for.
    pub fn apply(&mut self, event: &Event) -> Result<Vec<Trade>, Reject> {
        let before = self.trades.len();
        self.out.clear();
        self.engine.apply(*event, &mut self.out)?;
        self.keep_trades();
        Ok(self.trades[before..].to_vec())
    }

    /// Best bid and best ask.
    #[inline]
    pub fn best_bid_ask(&self) -> (Option<Price>, Option<Price>) {
        (self.best_bid(), self.best_ask())
    }

    /// The best bid; `None` when no bid rests.
    #[inline]
    pub fn best_bid(&self) -> Option<Price> {
        self.engine.market().best_price(Side::Buy)
    }

    /// The best ask; `None` when no ask rests.
    #[inline]
    pub fn best_ask(&self) -> Option<Price> {
        self.engine.market().best_price(Side::Sell)
    }

    /// Ask less bid; `None` unless both are there.
    pub fn spread(&self) -> Option<Price> {
        self.engine.market().quote().spread()
    }

    /// The best `levels` levels of both sides.
    pub fn depth(&self, levels: usize) -> Depth {
        self.engine.market().snapshot(levels)
    }

    /// All levels of both sides.
    pub fn full_book(&self) -> Depth {
        self.depth(usize::MAX)
    }

    /// Every resting order of both sides, in order of the queue.
    pub fn order_book(&self) -> Orders {
        self.engine.market().order_snapshot()
    }

    /// An order by its id; `None` when there is none, or it is closed and forgotten.
    pub fn get_order(&self, id: OrderId) -> Option<Order> {
        self.engine.order(id)
    }

    /// A stop by its id, waiting or not; `None` when the id is of another order.
    pub fn get_stop_order(&self, id: OrderId) -> Option<Order> {
        self.get_order(id)
            .filter(|order| order.kind.stop().is_some())
    }

    /// Number of stops that wait.
    pub fn pending_stop_count(&self) -> usize {
        self.engine.pending_stops().len()
    }

    /// The price of the last trade; `None` before the first.
    pub fn last_trade_price(&self) -> Option<Price> {
        self.engine.market().last_price()
    }

    /// All trades since the tape was cleared.
    pub fn trades(&self) -> &[Trade] {
        &self.trades
    }

    /// The engine within.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Clears the tape.
    pub fn clear_trades(&mut self) {
        self.trades.clear();
    }

    /// Forgets all closed orders and says how many there were. Ids go on without a gap.
    pub fn clear_order_history(&mut self) -> u64 {
        let before = self.engine.known_orders();
        self.engine.forget_closed();
        before - self.engine.known_orders()
    }

    /// Gives unused memory of the tape back. Nothing that can be seen changes: no queue ever holds a dead order.
    pub fn compact(&mut self) {
        self.trades.shrink_to_fit();
        self.out.shrink_to_fit();
    }

    fn keep_trades(&mut self) {
        let trades = self.out.iter().filter_map(|output| match output {
            Output::Trade(trade) => Some(*trade),
            _ => None,
        });
        self.trades.extend(trades);
    }

    /// The trades of an order in the last command.
    fn trades_of(&self, id: OrderId) -> Vec<Trade> {
        let own = |output: &Output| match output {
            Output::Trade(trade) if trade.buy_order_id == id || trade.sell_order_id == id => {
                Some(*trade)
            }
            _ => None,
        };
        self.out.iter().filter_map(own).collect()
    }
}

#[cfg(feature = "event-log")]
impl Exchange {
    /// All commands that were not refused, since the log was cleared.
    pub fn events(&self) -> Vec<Event> {
        self.engine.log().events().collect()
    }

    /// Drops the events; what is recorded from now on can't be replayed from the start.
    pub fn clear_events(&mut self) {
        self.engine.clear_log();
    }

    /// An exchange that has done everything in a log: same orders, same trades, same digest.
    ///
    /// # Errors
    /// A [`ReplayError`](crate::matching::ReplayError) when the beginning was cleared, or an event is refused.
    pub fn replay(log: &crate::matching::Log) -> Result<Self, crate::matching::ReplayError> {
        let mut exchange = Self::default();
        exchange.engine = log.replay(&mut exchange.out)?;
        exchange.keep_trades();
        exchange.out.clear();
        Ok(exchange)
    }
}

#[cfg(feature = "persistence")]
impl Exchange {
    /// Writes the event log to a file, see [`persist`](crate::matching::persist).
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn save(
        &self,
        path: impl AsRef<std::path::Path>,
    ) -> Result<(), crate::matching::persist::Error> {
        crate::matching::persist::save(self.engine.log(), path)
    }

    /// Reads an event log from a file and replays it; a torn tail is left out.
    ///
    /// # Errors
    /// When the file can't be read, or holds something else than an event log.
    pub fn load(
        path: impl AsRef<std::path::Path>,
    ) -> Result<Self, crate::matching::persist::Error> {
        let loaded = crate::matching::persist::load(path)?;
        Ok(Self::replay(&loaded.log)?)
    }
}

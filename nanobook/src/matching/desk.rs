//! What commands do: the rules of matching, over one market and the state that all markets share.

use super::auction::{self, Uncross};
use super::market::{Market, Phase};
use super::output::{CancelReason, Output, Trade};
use super::records::{Record, State};
use super::shared::Shared;
use super::stop::MAX_PERIOD;
use super::{MAX_PRICE, stp};
use crate::book::access::{Berth, Front, Taken};
use crate::{Ack, OrderId, OrderKind, OrderRequest, OrderStatus, Owner, Price, Qty, Reject, Side};
use crate::{StpPolicy, TimeInForce, TradeId, Trail};

/// One market, open for one command.
pub(crate) struct Desk<'a> {
    pub(crate) market: &'a mut Market,
    pub(crate) shared: &'a mut Shared,
    pub(crate) out: &'a mut Vec<Output>,
}

/// An order that comes to the market.
#[derive(Clone, Copy)]
pub(super) struct Taker<'a> {
    pub(super) id: OrderId,
    /// Its side, its flags and its owner; what it is and how much of it is open stands below.
    pub(super) asked: &'a OrderRequest,
    /// The worst price; `None` for any.
    pub(super) limit: Option<Price>,
    pub(super) open: u64,
    pub(super) filled: u64,
}

impl<'a> Taker<'a> {
    #[inline]
    fn new(id: OrderId, asked: &'a OrderRequest, limit: Option<Price>) -> Self {
        Self {
            id,
            asked,
            limit,
            open: asked.qty.0,
            filled: 0,
        }
    }
}

/// Whether an order with a limit would trade at a price of the other side. Without a branch by the side, which can't be
/// foreseen: prices are too small for their difference to overflow.
#[inline]
fn accepts(side: Side, limit: Price, price: Price) -> bool {
    (limit.0 - price.0) * i64::from(side.sign()) >= 0
}

/// As [`accepts`], where an order may have no limit.
#[inline]
pub(super) fn takes(side: Side, limit: Option<Price>, price: Price) -> bool {
    limit.is_none_or(|limit| accepts(side, limit, price))
}

impl Desk<'_> {
    /// Enters an order of any kind.
    pub(crate) fn submit(&mut self, request: &OrderRequest) -> Result<Ack, Reject> {
        self.check(request)?;
        let kind = match request.kind {
            OrderKind::Limit { price } => return Ok(self.submit_limit(request, price)),
            kind => kind,
        };
        let id = self.open(request);
        if kind == OrderKind::Market {
            return Ok(self.enter(Taker::new(id, request, None)));
        }
        let slot = self.shared.records.live(id).slot;
        let stop = *self.shared.records.stop(slot);
        self.market.stops.wait(id, request.side, &stop);
        self.release();
        Ok(self.ack(id))
    }

    /// Enters a limit order that makes sense.
    pub(crate) fn submit_limit(&mut self, request: &OrderRequest, price: Price) -> Ack {
        let id = self.open(request);
        self.enter(Taker::new(id, request, Some(price)))
    }

    /// As [`Desk::submit_limit`], for one that does not trade now.
    #[inline]
    pub(crate) fn submit_passive(&mut self, request: &OrderRequest, price: Price) -> Ack {
        let id = self.open_limit(request, price, request.qty.0);
        let taker = Taker::new(id, request, Some(price));
        let status = self.stay(taker);
        self.answer(taker, status)
    }

    /// As [`Desk::submit_limit`], for one that can trade now, may do so in part and meets no owner: takes the first
    /// step, a trade with the first order of the other side. Gives its id and what is left of it.
    #[inline]
    pub(crate) fn submit_crossing(
        &mut self,
        request: &OrderRequest,
        price: Price,
    ) -> (OrderId, u64) {
        let piece = self.market.book.take_front(!request.side, request.qty.0);
        let piece = piece.expect("a book that is crossed has a best price");
        let open = request.qty.0 - piece.qty;
        let id = self.open_limit(request, price, open);
        self.trade(id, request.side, &piece);
        (id, open)
    }

    /// Goes on where [`Desk::submit_crossing`] has left something of an order.
    pub(crate) fn go_on(
        &mut self,
        request: &OrderRequest,
        price: Price,
        (id, open): (OrderId, u64),
    ) -> Ack {
        let mut taker = Taker {
            open,
            filled: request.qty.0 - open,
            ..Taker::new(id, request, Some(price))
        };
        let status = if open > 0 {
            self.meet(&mut taker)
        } else {
            OrderStatus::Filled
        };
        self.answer(taker, status)
    }

    /// Whether nothing but price and quantity decide with whom an order trades.
    #[inline]
    pub(crate) fn is_plain(&self, request: &OrderRequest) -> bool {
        !request.post_only && request.tif != TimeInForce::FOK && !self.looks_at_owners(request)
    }

    /// Whether self-trade prevention can keep an order from trading.
    #[inline]
    fn looks_at_owners(&self, asked: &OrderRequest) -> bool {
        asked.owner.is_some() && self.shared.config.stp != StpPolicy::Off
    }

    /// Whether a limit order can trade when it comes.
    #[inline]
    pub(crate) fn crosses(&self, side: Side, price: Price) -> bool {
        let best = self.market.book.best_price(!side);
        best.is_some_and(|best| accepts(side, price, best))
            && self.market.phase == Phase::Continuous
    }

    /// The id of a new limit order.
    #[inline]
    fn open_limit(&mut self, request: &OrderRequest, price: Price, open: u64) -> OrderId {
        let instrument = self.market.instrument;
        let records = &mut self.shared.records;
        records.open_limit(instrument, request, price, open)
    }

    /// The id of a new order.
    fn open(&mut self, request: &OrderRequest) -> OrderId {
        let instrument = self.market.instrument;
        self.shared.records.open(instrument, request, None)
    }

    #[inline]
    pub(crate) fn cancel(&mut self, id: OrderId, reason: CancelReason) -> Result<Qty, Reject> {
        let record = self
            .shared
            .records
            .get_mut(id)
            .ok_or(Reject::UnknownOrder)?;
        let (open, slot, side) = (record.open, record.slot, record.side);
        match record.state {
            State::Live => {
                let berth = Berth {
                    slot,
                    level: record.level,
                };
                record.cancel();
                self.market.book.vacate(berth, open);
                self.market.resting -= 1;
            }
            State::Pending => {
                record.cancel();
                let stop = self.shared.records.stop(slot);
                self.market.stops.remove(id, side, stop);
            }
            State::Triggered | State::Filled | State::Cancelled => return Err(Reject::NotActive),
        }
        self.shared.records.expire(id);
        self.say_cancelled(id, open, reason);
        Ok(Qty(open))
    }

    pub(crate) fn reduce(&mut self, id: OrderId, by: Qty) -> Result<Ack, Reject> {
        if by.is_zero() {
            return Err(Reject::ZeroQty);
        }
        let record = self.active(id)?;
        if by.0 >= record.open {
            self.cancel(id, CancelReason::Reduced)?;
        } else {
            self.shrink(id, &record, by.0, CancelReason::Reduced);
        }
        Ok(self.ack(id))
    }

    pub(crate) fn replace(&mut self, id: OrderId, price: Price, qty: Qty) -> Result<Ack, Reject> {
        if qty.is_zero() {
            return Err(Reject::ZeroQty);
        }
        self.in_range(price)?;
        let record = self.active(id)?;
        if record.state == State::Pending {
            return Err(Reject::StopOrder);
        }
        let terms = *self.shared.records.live_terms(id);
        let filled = record.filled(&terms);
        filled.checked_add(qty.0).ok_or(Reject::QtyOverflow)?;
        let open = record.open;
        if price == terms.price && qty.0 <= open {
            if qty.0 < open {
                self.shrink(id, &record, open - qty.0, CancelReason::Replaced);
            }
            self.restate(id, price, qty.0, filled);
            self.release();
            Ok(self.ack(id))
        } else {
            self.withdraw(&record);
            self.take_away(id, open, CancelReason::Replaced);
            self.restate(id, price, qty.0, filled);
            let asked = OrderRequest {
                side: record.side,
                kind: OrderKind::Limit { price },
                qty,
                tif: terms.tif,
                post_only: terms.post_only,
                owner: record.owner(),
            };
            let taker = Taker::new(id, &asked, Some(price));
            Ok(self.enter(Taker { filled, ..taker }))
        }
    }

    /// Cancels all orders of an owner in this market, in order of id, and says how many.
    pub(crate) fn mass_cancel(&mut self, owner: Owner) -> u32 {
        let mut ids = std::mem::take(&mut self.shared.ids);
        ids.clear();
        for side in [Side::Buy, Side::Sell] {
            ids.extend(self.market.book.orders(side).map(|order| order.id));
        }
        ids.extend(self.market.stops.waiting());
        ids.extend(self.market.stops.due().map(|(id, _)| *id));
        let records = &self.shared.records;
        ids.retain(|id| {
            let is_theirs = |record: &Record| record.owner() == Some(owner);
            self.active(*id).is_ok() && records.get(*id).is_some_and(is_theirs)
        });
        ids.sort_unstable();
        let mut count = 0;
        for id in &ids {
            count += u32::from(self.cancel(*id, CancelReason::MassCancel).is_ok());
        }
        self.shared.ids = ids;
        count
    }

    pub(crate) fn begin_auction(&mut self) -> Result<(), Reject> {
        if self.market.phase == Phase::Auction {
            return Err(Reject::AlreadyInAuction);
        }
        self.market.phase = Phase::Auction;
        Ok(())
    }

    pub(crate) fn uncross(&mut self, reference: Option<Price>) -> Result<Option<Uncross>, Reject> {
        if self.market.phase == Phase::Continuous {
            return Err(Reject::NotInAuction);
        }
        if let Some(reference) = reference {
            self.in_range(reference)?;
        }
        let uncross = auction::indicative(self.market, reference);
        if let Some(uncross) = uncross {
            self.cross(uncross.price);
        }
        self.market.phase = Phase::Continuous;
        self.release();
        Ok(uncross)
    }

    /// Sets off the stops that have triggered, first come first served, as many as one command may.
    #[inline]
    pub(crate) fn release(&mut self) {
        if self.market.stops.any_due() && self.market.phase == Phase::Continuous {
            self.cascade();
        }
    }

    #[cold]
    fn cascade(&mut self) {
        let mut left = self.shared.config.cascade_limit.get();
        while let Some((id, price)) = self.market.stops.next_due() {
            let Ok(record) = self.active(id) else {
                continue;
            };
            if left == 0 {
                self.market.stops.put_back(id, price);
                let waits = |(id, _): &&(OrderId, Price)| self.active(*id).is_ok();
                let waiting = self.market.stops.due().filter(waits).count();
                self.out.push(Output::CascadeStopped {
                    waiting: u32::try_from(waiting).unwrap_or(u32::MAX),
                });
                return;
            }
            left -= 1;
            self.set_off(id, &record, price);
        }
    }

    /// Turns a stop into the order that it stands for.
    fn set_off(&mut self, id: OrderId, record: &Record, price: Price) {
        let records = &mut self.shared.records;
        let kind = match records.stop(record.slot).kind.price() {
            Some(price) => OrderKind::Limit { price },
            None => OrderKind::Market,
        };
        let terms = records.live_terms(id);
        let request = OrderRequest {
            side: record.side,
            kind,
            qty: Qty(record.open),
            tif: terms.tif,
            post_only: terms.post_only,
            owner: record.owner(),
        };
        let child = records.open(self.market.instrument, &request, Some(id));
        records.live_terms_mut(id).related = child.0;
        records.live_mut(id).take_away(request.qty.0);
        records.close(id, State::Triggered);
        self.out.push(Output::Triggered { id, child, price });
        self.meet(&mut Taker::new(child, &request, kind.price()));
    }

    /// Matches an order that a command brings, and sets off the stops that this triggers.
    fn enter(&mut self, mut taker: Taker) -> Ack {
        let status = self.meet(&mut taker);
        self.answer(taker, status)
    }

    /// Sets off the stops that an order has triggered, and says what became of it.
    #[inline]
    fn answer(&mut self, taker: Taker, mut status: OrderStatus) -> Ack {
        let (mut filled, mut open) = (taker.filled, taker.open);
        if status == OrderStatus::Cancelled {
            open = 0;
        }
        if self.market.stops.any_due() {
            self.release();
            let now = self.ack(taker.id);
            (status, filled, open) = (now.status, now.filled.0, now.open.0);
        }
        // Not looked up, and made in one place: what has just been written in small pieces can't be read at once in
        // larger ones.
        Ack {
            id: taker.id,
            status,
            filled: Qty(filled),
            open: Qty(open),
        }
    }

    /// Matches an order that comes, and rests or cancels what is left.
    fn meet(&mut self, taker: &mut Taker) -> OrderStatus {
        if self.meets(taker) && self.market.phase == Phase::Continuous {
            self.take(taker)
        } else {
            self.stay(*taker)
        }
    }

    /// Whether an order accepts the best price of the other side.
    #[inline]
    fn meets(&self, taker: &Taker) -> bool {
        let best = self.market.book.best_price(!taker.asked.side);
        best.is_some_and(|best| takes(taker.asked.side, taker.limit, best))
    }

    /// Matches an order that can trade, and rests or cancels what is left.
    ///
    /// What is called from here is told numbers, not where the order is: so the order itself can be in registers.
    #[inline]
    fn take(&mut self, taker: &mut Taker) -> OrderStatus {
        let Taker { id, asked, .. } = *taker;
        if asked.post_only {
            return self.end(id, taker.open, CancelReason::PostOnly);
        }
        if asked.tif == TimeInForce::FOK && !self.can_fill(asked, taker.limit) {
            return self.end(id, taker.open, CancelReason::FillOrKill);
        }
        let status = self.sweep(taker);
        if taker.open == 0 {
            status
        } else {
            self.stay_after(asked, taker.limit, (id, taker.open, taker.filled))
        }
    }

    /// Whether an order can trade in full at once.
    #[inline(never)]
    fn can_fill(&self, asked: &OrderRequest, limit: Option<Price>) -> bool {
        stp::can_fill(&self.market.book, self.shared, asked, limit)
    }

    /// As [`Desk::stay`], for what a sweep has left of an order.
    #[inline(never)]
    fn stay_after(
        &mut self,
        asked: &OrderRequest,
        limit: Option<Price>,
        (id, open, filled): (OrderId, u64, u64),
    ) -> OrderStatus {
        let taker = Taker::new(id, asked, limit);
        self.stay(Taker {
            open,
            filled,
            ..taker
        })
    }

    /// Rests or cancels what is left of an order.
    #[inline]
    fn stay(&mut self, taker: Taker) -> OrderStatus {
        match (taker.limit, taker.asked.tif) {
            (Some(price), TimeInForce::GTC) => self.rest(taker, price),
            (_, TimeInForce::FOK) => self.end(taker.id, taker.open, CancelReason::FillOrKill),
            _ => self.end(taker.id, taker.open, CancelReason::NoLiquidity),
        }
    }

    /// Trades with the other side, best price first and first come first served, while the limit allows. The status is
    /// that of an order of which nothing is left.
    #[inline]
    fn sweep(&mut self, taker: &mut Taker) -> OrderStatus {
        let mut traded_last = false;
        while taker.open > 0 && self.meets(taker) {
            if self.looks_at_owners(taker.asked)
                && let Some(front) = self.market.book.front(!taker.asked.side)
                && self.shared.records.live(front.id).owner() == taker.asked.owner
            {
                taker.open -= self.prevent(taker, front);
                traded_last = false;
                continue;
            }
            let others = !taker.asked.side;
            let Some(piece) = self.market.book.take_front(others, taker.open) else {
                break;
            };
            taker.open -= piece.qty;
            taker.filled += piece.qty;
            traded_last = true;
            self.trade(taker.id, taker.asked.side, &piece);
        }
        let record = self.shared.records.live_mut(taker.id);
        record.open = taker.open;
        if taker.open > 0 || !traded_last {
            return OrderStatus::Cancelled;
        }
        record.state = State::Filled;
        self.shared.records.expire(taker.id);
        OrderStatus::Filled
    }

    /// Notes a trade with the first order of the other side.
    #[inline]
    fn trade(&mut self, id: OrderId, side: Side, piece: &Taken) {
        self.note(piece, State::Filled);
        let (buy_order_id, sell_order_id) = match side {
            Side::Buy => (id, piece.id),
            Side::Sell => (piece.id, id),
        };
        self.print(Trade {
            id: TradeId(self.shared.last_trade + 1),
            price: piece.price,
            qty: Qty(piece.qty),
            buy_order_id,
            sell_order_id,
            side: Some(side),
        });
    }

    /// Keeps two orders of one owner from trading. Says what the one that comes loses.
    #[cold]
    fn prevent(&mut self, taker: &Taker, resting: Front) -> u64 {
        let Taker {
            id, asked, open, ..
        } = *taker;
        let policy = self.shared.config.stp;
        let (from_taker, from_resting) = stp::loss(policy, open, resting.qty.0);
        if from_resting > 0 {
            self.lower(!asked.side, from_resting, State::Cancelled);
            self.say_cancelled(resting.id, from_resting, CancelReason::SelfTrade);
        }
        if from_taker > 0 {
            self.shared.records.live_mut(id).cancelled += from_taker;
            self.say_cancelled(id, from_taker, CancelReason::SelfTrade);
            if from_taker == open {
                self.shared.records.close(id, State::Cancelled);
            }
        }
        from_taker
    }

    /// Trades the orders of a crossed book at one price until one side has none left that accepts it.
    fn cross(&mut self, price: Price) {
        let book = &self.market.book;
        let (mut bid, mut ask) = (book.front(Side::Buy), book.front(Side::Sell));
        while let (Some(buy), Some(sell)) = (bid, ask) {
            if buy.price < price || sell.price > price {
                return;
            }
            let qty = buy.qty.min(sell.qty);
            self.lower(Side::Buy, qty.0, State::Filled);
            self.lower(Side::Sell, qty.0, State::Filled);
            self.print(Trade {
                id: TradeId(self.shared.last_trade + 1),
                price,
                qty,
                buy_order_id: buy.id,
                sell_order_id: sell.id,
                side: None,
            });
            bid = self.market.book.front(Side::Buy);
            ask = self.market.book.front(Side::Sell);
        }
    }

    /// Takes quantity that rests from the first order of the best level: what trades, or what is cancelled.
    fn lower(&mut self, side: Side, by: u64, end: State) {
        if let Some(piece) = self.market.book.take_front(side, by) {
            self.note(&piece, end);
        }
    }

    /// Notes what was taken from a resting order. A trade only writes to the record, which is seldom in the cache.
    #[inline]
    fn note(&mut self, piece: &Taken, end: State) {
        let record = self.shared.records.live_mut(piece.id);
        record.open = piece.left;
        if end == State::Cancelled {
            record.cancelled += piece.qty;
        }
        if piece.left == 0 {
            record.state = end;
            self.shared.records.expire(piece.id);
            self.market.resting -= 1;
        }
    }

    #[inline]
    fn print(&mut self, trade: Trade) {
        self.shared.last_trade = trade.id.0;
        self.out.push(Output::Trade(trade));
        self.market
            .stops
            .print(trade.price, &mut self.shared.records);
    }

    #[inline]
    fn rest(&mut self, taker: Taker, price: Price) -> OrderStatus {
        let qty = Qty(taker.open);
        let Market { book, hints, .. } = &mut *self.market;
        let Ok(Berth { slot, level }) =
            book.enter_near(hints, taker.id, taker.asked.side, price, qty)
        else {
            return self.end(taker.id, taker.open, CancelReason::LevelOverflow);
        };
        let record = self.shared.records.live_mut(taker.id);
        (record.slot, record.level) = (slot, level);
        self.market.resting += 1;
        self.out.push(Output::Rested {
            id: taker.id,
            side: taker.asked.side,
            price,
            qty,
        });
        if taker.filled == 0 {
            OrderStatus::New
        } else {
            OrderStatus::PartiallyFilled
        }
    }

    /// Cancels what is open of an order that does not rest. Not a part of its callers: they would share one piece of code
    /// with it that pushes an output from memory, which has to wait for the fields to be written.
    #[inline(never)]
    fn end(&mut self, id: OrderId, open: u64, reason: CancelReason) -> OrderStatus {
        self.take_away(id, open, reason);
        self.shared.records.close(id, State::Cancelled);
        OrderStatus::Cancelled
    }

    /// Takes a resting order out of the book.
    fn withdraw(&mut self, record: &Record) {
        self.market.book.leave(record.slot);
        self.market.resting -= 1;
    }

    /// Takes part of an active order away; it keeps its place.
    fn shrink(&mut self, id: OrderId, record: &Record, by: u64, reason: CancelReason) {
        if record.state == State::Live {
            self.market.book.shrink(record.slot, Qty(by));
        }
        self.take_away(id, by, reason);
    }

    #[inline]
    fn take_away(&mut self, id: OrderId, qty: u64, reason: CancelReason) {
        self.shared.records.live_mut(id).take_away(qty);
        self.say_cancelled(id, qty, reason);
    }

    #[inline]
    fn say_cancelled(&mut self, id: OrderId, qty: u64, reason: CancelReason) {
        self.out.push(Output::Cancelled {
            id,
            qty: Qty(qty),
            reason,
        });
    }

    /// Gives an order the price and the open quantity that a replace asks for.
    fn restate(&mut self, id: OrderId, price: Price, open: u64, filled: u64) {
        let terms = self.shared.records.live_terms_mut(id);
        (terms.price, terms.qty) = (price, filled + open);
        let record = self.shared.records.live_mut(id);
        (record.open, record.cancelled) = (open, 0);
    }

    /// The record of an order that can still trade or be cancelled.
    #[inline]
    fn active(&self, id: OrderId) -> Result<Record, Reject> {
        let record = self.shared.records.get(id).ok_or(Reject::UnknownOrder)?;
        match record.state {
            State::Live | State::Pending => Ok(*record),
            State::Triggered | State::Filled | State::Cancelled => Err(Reject::NotActive),
        }
    }

    #[inline]
    fn ack(&self, id: OrderId) -> Ack {
        let records = &self.shared.records;
        let (record, terms) = (records.live(id), records.live_terms(id));
        Ack {
            id,
            status: record.status(terms),
            filled: Qty(record.filled(terms)),
            open: Qty(record.open),
        }
    }

    #[inline]
    fn in_range(&self, price: Price) -> Result<(), Reject> {
        let min = self.shared.config.min_price.0.max(-MAX_PRICE.0);
        if (min..=MAX_PRICE.0).contains(&price.0) {
            Ok(())
        } else {
            Err(Reject::PriceOutOfRange)
        }
    }

    /// Whether an order makes sense: quantity, prices, trail, flags, phase.
    pub(super) fn check(&self, request: &OrderRequest) -> Result<(), Reject> {
        match request.kind {
            OrderKind::Limit { price } => self.check_limit(request, price),
            OrderKind::Market if request.qty.is_zero() => Err(Reject::ZeroQty),
            OrderKind::Market if request.post_only => Err(Reject::PostOnlyMustRest),
            OrderKind::Market if self.market.phase == Phase::Auction => Err(Reject::InAuction),
            OrderKind::Market => Ok(()),
            kind => self.check_stop(request, kind),
        }
    }

    /// Whether a limit order makes sense.
    #[inline]
    pub(super) fn check_limit(&self, request: &OrderRequest, price: Price) -> Result<(), Reject> {
        if request.qty.is_zero() {
            return Err(Reject::ZeroQty);
        }
        self.in_range(price)?;
        if request.tif == TimeInForce::GTC {
            Ok(())
        } else if request.post_only {
            Err(Reject::PostOnlyMustRest)
        } else if self.market.phase == Phase::Auction {
            Err(Reject::InAuction)
        } else {
            Ok(())
        }
    }

    fn check_stop(&self, request: &OrderRequest, kind: OrderKind) -> Result<(), Reject> {
        if request.qty.is_zero() {
            return Err(Reject::ZeroQty);
        }
        for price in [kind.price(), kind.stop()].into_iter().flatten() {
            self.in_range(price)?;
        }
        if kind.trail().is_some_and(|trail| !is_trail(trail)) {
            return Err(Reject::TrailOutOfRange);
        }
        let may_rest = kind.price().is_some() && request.tif == TimeInForce::GTC;
        if request.post_only && !may_rest {
            return Err(Reject::PostOnlyMustRest);
        }
        Ok(())
    }
}

/// Whether a trail follows at a distance that makes sense.
fn is_trail(trail: Trail) -> bool {
    match trail {
        Trail::Fixed(by) => by.0 > 0 && by <= MAX_PRICE,
        Trail::Percentage { ppm } => ppm > 0,
        Trail::MeanAbsChange {
            multiplier_ppm,
            period,
        } => multiplier_ppm > 0 && (1..=MAX_PERIOD).contains(&period),
    }
}

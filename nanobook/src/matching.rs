//! The matching engine: orders of one instrument meet by price and time.
//!
//! # Rules
//! - The better price trades first, and at a price the order that came first. A trade has the price of the order that
//!   rested.
//! - Ids of orders and of trades are 1, 2, 3, … without a gap. A command that is refused uses none and changes nothing.
//! - What is left of an immediate-or-cancel or market order is cancelled; a fill-or-kill order trades in full or not at
//!   all, and knows what self-trade prevention would take from it. A post-only order that would trade is cancelled.
//! - A reduce keeps the order's place. A replace keeps it when the price stays and the quantity does not grow; otherwise
//!   the order leaves and comes again, under its id, behind all others.
//! - Every trade is a print, and each print moves the trailing stops and then triggers the stops that it reaches, in
//!   order of id. They wait until the command that made the print has done its own matching, and then become orders,
//!   first triggered first, each with a new id and linked to its stop. A new stop that the last print reaches already
//!   triggers at once; a trailing stop waits for its first print.
//! - One command sets off at most [`Config::cascade_limit`] stops, says so when more wait, and the next submit, replace,
//!   uncross or resume goes on.
//! - In an auction orders rest without trading. It ends at the price at which most trades, then with the least left
//!   over, then nearest to the reference, then the lowest; everything trades at that price, by price and time, whoever
//!   owns it.
//!
//! The engine has no clock, draws no random number and shows nothing in the order of a hash: the same commands give the
//! same outputs everywhere. [`naive`] says the same rules again, slowly.

mod auction;
pub(crate) mod desk;
mod digest;
mod event;
#[cfg(feature = "event-log")]
mod log;
mod market;
#[cfg(any(test, feature = "testing"))]
pub mod naive;
mod output;
#[cfg(feature = "event-log")]
mod pack;
#[cfg(feature = "persistence")]
pub mod persist;
mod records;
pub(crate) mod shared;
mod snapshot;
mod stop;
mod stp;

use std::num::NonZeroU32;

use crate::book::QueuePosition;
use crate::{
    Ack, Order, OrderId, OrderKind, OrderRequest, OrderStatus, Owner, Price, Qty, Reject, StpPolicy,
};
use desk::Desk;
use shared::Shared;

pub use auction::Uncross;
pub use digest::DIGEST_VERSION;
pub use event::{Applied, Event};
#[cfg(feature = "event-log")]
pub use log::{Log, ReplayError};
pub use market::{Market, Phase};
pub use output::{CancelReason, Output, Trade};
pub use snapshot::{Cost, Depth, Orders, Quote};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// The largest price that an engine takes: about 2.3 billion. Sums and differences of two such prices can't overflow.
pub const MAX_PRICE: Price = Price(i64::MAX / 4);

/// What an engine is told once, before its first command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(default))]
pub struct Config {
    /// What happens when an order would trade with one of its owner. Default: they trade.
    pub stp: StpPolicy,
    /// A closed order is remembered until this many ids have been given after its own; `None` remembers all.
    /// Default: all. Orders that can still trade are never forgotten.
    pub keep_closed: Option<u64>,
    /// How many stops one command may set off. Default: 1,000.
    pub cascade_limit: NonZeroU32,
    /// The smallest price. Default: 1e-9. Below zero for instruments whose price can be negative.
    pub min_price: Price,
    /// Whether commands are recorded (feature `event-log`). Default: yes.
    pub record: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            stp: StpPolicy::Off,
            keep_closed: None,
            cascade_limit: NonZeroU32::new(1_000).expect("above zero"),
            min_price: Price(1),
            record: true,
        }
    }
}

/// A matching engine for one instrument.
///
/// Commands push what they do into a buffer of the caller, which they do not clear: kept from command to command, it
/// makes them allocate nothing. [`Exchange`](crate::Exchange) wraps the engine for callers who do not care.
///
/// # Examples
/// ```
/// use nanobook::matching::{Engine, Output};
/// use nanobook::{OrderRequest, OrderStatus, Price, Qty, Side};
///
/// let mut engine = Engine::default();
/// let mut out = Vec::new();
/// let price = Price(50_000_000_000);
/// let ask = engine.submit(OrderRequest::limit(Side::Sell, price, Qty(100)), &mut out)?;
/// out.clear();
/// let bid = engine.submit(OrderRequest::limit(Side::Buy, price, Qty(30)), &mut out)?;
/// assert_eq!((bid.status, bid.filled), (OrderStatus::Filled, Qty(30)));
/// let [Output::Trade(trade)] = out[..] else { panic!() };
/// assert_eq!((trade.price, trade.resting()), (price, Some(ask.id)));
/// # Ok::<(), nanobook::Reject>(())
/// ```
#[derive(Clone, Debug)]
pub struct Engine {
    market: Market,
    shared: Shared,
    /// As it was before the first command.
    #[cfg(feature = "event-log")]
    log: Log,
}

impl Default for Engine {
    fn default() -> Self {
        Self::new(Config::default())
    }
}

impl Engine {
    /// An engine without orders.
    pub fn new(config: Config) -> Self {
        Self {
            market: Market::new(0),
            shared: Shared::new(config),
            #[cfg(feature = "event-log")]
            log: Log::new(config),
        }
    }

    /// Enters an order.
    ///
    /// # Errors
    /// A [`Reject`] when the order makes no sense; nothing has changed then.
    #[inline]
    pub fn submit(&mut self, request: OrderRequest, out: &mut Vec<Output>) -> Result<Ack, Reject> {
        // The most frequent kinds have code of their own, in which the kind is known, little of the order is written to
        // memory, and the answer is made in one place: what is written in small pieces and read back in larger ones, as
        // the fields of two answers that meet, takes as long as all the rest. For that reason an order that rests stays
        // in here, too: the caller of something shorter would copy the answer.
        let OrderKind::Limit { price } = request.kind else {
            return self.submit_other(&request, out);
        };
        self.desk(out).check_limit(&request, price)?;
        if self.desk(out).crosses(request.side, price) {
            return Ok(self.submit_crossing(&request, price, out));
        }
        let ack = self.desk(out).submit_passive(&request, price);
        self.log_limit(&request, price);
        self.shared.settle();
        Ok(ack)
    }

    /// Enters a limit order that can trade now.
    #[inline(never)]
    fn submit_crossing(
        &mut self,
        request: &OrderRequest,
        price: Price,
        out: &mut Vec<Output>,
    ) -> Ack {
        // Noted first: what would be wanted of the request later would be kept in memory.
        self.log_limit(request, price);
        let mut desk = self.desk(out);
        if !desk.is_plain(request) {
            return self.submit_careful(request, price, out);
        }
        let (id, open) = desk.submit_crossing(request, price);
        if open > 0 || self.market.stops.any_due() {
            return self.go_on(request, price, (id, open), out);
        }
        self.shared.settle();
        Ack {
            id,
            status: OrderStatus::Filled,
            filled: request.qty,
            open: Qty(0),
        }
    }

    /// Enters a limit order that looks at more than price and quantity.
    #[inline(never)]
    fn submit_careful(
        &mut self,
        request: &OrderRequest,
        price: Price,
        out: &mut Vec<Output>,
    ) -> Ack {
        let ack = self.desk(out).submit_limit(request, price);
        self.shared.settle();
        ack
    }

    /// Goes on with an order after its first trade, which has left something of it or triggered a stop.
    #[inline(never)]
    fn go_on(
        &mut self,
        request: &OrderRequest,
        price: Price,
        so_far: (OrderId, u64),
        out: &mut Vec<Output>,
    ) -> Ack {
        let ack = self.desk(out).go_on(request, price, so_far);
        self.shared.settle();
        ack
    }

    /// Enters an order that is no limit order.
    #[inline(never)]
    fn submit_other(
        &mut self,
        request: &OrderRequest,
        out: &mut Vec<Output>,
    ) -> Result<Ack, Reject> {
        let ack = self.desk(out).submit(request)?;
        self.done(Event::Submit(*request));
        Ok(ack)
    }

    /// Records a limit order that is taken.
    #[inline]
    fn log_limit(&mut self, request: &OrderRequest, price: Price) {
        #[cfg(feature = "event-log")]
        if self.shared.records_events() {
            self.log.push_limit(request, price);
        }
        #[cfg(not(feature = "event-log"))]
        let _ = (request, price);
    }

    /// Cancels what is open of an order and says how much.
    ///
    /// # Errors
    /// A [`Reject`] when the order is unknown or closed.
    #[inline]
    pub fn cancel(&mut self, id: OrderId, out: &mut Vec<Output>) -> Result<Qty, Reject> {
        let open = self.desk(out).cancel(id, CancelReason::Requested)?;
        self.done(Event::Cancel { id });
        Ok(open)
    }

    /// Takes `by` away from an order, which keeps its place; cancels it when nothing is left.
    ///
    /// # Errors
    /// A [`Reject`] when `by` is zero or the order is unknown or closed.
    #[inline]
    pub fn reduce(&mut self, id: OrderId, by: Qty, out: &mut Vec<Output>) -> Result<Ack, Reject> {
        let ack = self.desk(out).reduce(id, by)?;
        self.done(Event::Reduce { id, qty: by });
        Ok(ack)
    }

    /// Gives a resting order another price and `qty` as its open quantity, under the same id. It keeps its place only
    /// when the price stays and the quantity does not grow.
    ///
    /// # Errors
    /// A [`Reject`] when price or quantity make no sense, or the order is unknown, closed or a waiting stop.
    #[inline]
    pub fn replace(
        &mut self,
        id: OrderId,
        price: Price,
        qty: Qty,
        out: &mut Vec<Output>,
    ) -> Result<Ack, Reject> {
        let ack = self.desk(out).replace(id, price, qty)?;
        self.done(Event::Replace { id, price, qty });
        Ok(ack)
    }

    /// Cancels all orders and stops of an owner, in order of id, and says how many there were. Walks the whole book.
    pub fn mass_cancel(&mut self, owner: Owner, out: &mut Vec<Output>) -> u32 {
        let count = self.desk(out).mass_cancel(owner);
        self.done(Event::MassCancel { owner });
        count
    }

    /// Begins an auction: from now on orders rest without trading.
    ///
    /// # Errors
    /// [`Reject::AlreadyInAuction`].
    pub fn begin_auction(&mut self) -> Result<(), Reject> {
        self.desk(&mut Vec::new()).begin_auction()?;
        self.done(Event::BeginAuction);
        Ok(())
    }

    /// Ends an auction: trades all that can trade at one price, and goes back to continuous trading. Says what traded,
    /// `None` when the book was not crossed.
    ///
    /// Among the limits of the crossed orders and the reference (where it lies between best ask and best bid) the price
    /// is that at which most trades, then that with the least left over, then that nearest to the reference, then the
    /// lowest. Without a reference the last print is one.
    ///
    /// # Errors
    /// [`Reject::NotInAuction`], or [`Reject::PriceOutOfRange`] for the reference.
    pub fn uncross(
        &mut self,
        reference: Option<Price>,
        out: &mut Vec<Output>,
    ) -> Result<Option<Uncross>, Reject> {
        let uncross = self.desk(out).uncross(reference)?;
        self.done(Event::Uncross { reference });
        Ok(uncross)
    }

    /// What [`Engine::uncross`] would trade now; `None` when the book is not crossed.
    pub fn indicative(&self, reference: Option<Price>) -> Option<Uncross> {
        auction::indicative(&self.market, reference)
    }

    /// Sets off stops that a bounded cascade has left.
    pub fn resume(&mut self, out: &mut Vec<Output>) {
        self.desk(out).release();
        self.done(Event::Resume);
    }

    /// Changes what happens when an order would trade with one of its owner.
    pub fn set_stp_policy(&mut self, policy: StpPolicy) {
        self.shared.set_stp_policy(policy);
        self.done(Event::SetStpPolicy(policy));
    }

    /// Forgets all closed orders: their ids are unknown from now on. Ids go on without a gap. An order that is open now
    /// is forgotten as soon as it closes.
    pub fn forget_closed(&mut self) {
        self.shared.forget_closed();
        self.done(Event::ForgetClosed);
    }

    /// Does what an event says.
    ///
    /// # Errors
    /// A [`Reject`] as of the method that the event stands for.
    pub fn apply(&mut self, event: Event, out: &mut Vec<Output>) -> Result<Applied, Reject> {
        Ok(match event {
            Event::Submit(request) => Applied::Order(self.submit(request, out)?),
            Event::Cancel { id } => Applied::Qty(self.cancel(id, out)?),
            Event::Reduce { id, qty } => Applied::Order(self.reduce(id, qty, out)?),
            Event::Replace { id, price, qty } => Applied::Order(self.replace(id, price, qty, out)?),
            Event::MassCancel { owner } => Applied::Count(self.mass_cancel(owner, out)),
            Event::BeginAuction => {
                self.begin_auction()?;
                Applied::Done
            }
            Event::Uncross { reference } => Applied::Uncross(self.uncross(reference, out)?),
            Event::Resume => {
                self.resume(out);
                Applied::Done
            }
            Event::SetStpPolicy(policy) => {
                self.set_stp_policy(policy);
                Applied::Done
            }
            Event::ForgetClosed => {
                self.forget_closed();
                Applied::Done
            }
        })
    }

    /// The instrument as it stands: best prices, depth, orders, analytics.
    #[inline]
    pub fn market(&self) -> &Market {
        &self.market
    }

    /// An order by its id; `None` when there is none, or it is closed and forgotten.
    pub fn order(&self, id: OrderId) -> Option<Order> {
        self.shared.order(id)
    }

    /// What stands before a resting order at its price; `None` when it does not rest. Walks the queue.
    pub fn queue_position(&self, id: OrderId) -> Option<QueuePosition> {
        let record = self.shared.records.get(id)?;
        (record.state == records::State::Live)
            .then(|| self.market.book.queue_position_of(record.slot))
    }

    /// The stops that wait, in order of id.
    pub fn pending_stops(&self) -> Vec<OrderId> {
        let records = &self.shared.records;
        let pending = |id: &OrderId| {
            let record = records.get(*id);
            record.is_some_and(|record| record.state == records::State::Pending)
        };
        let due = self.market.stops.due().map(|(id, _)| *id);
        let mut ids: Vec<_> = self.market.stops.waiting().chain(due).collect();
        ids.retain(pending);
        ids.sort_unstable();
        ids
    }

    /// The configuration, with the self-trade policy as it is now.
    pub fn config(&self) -> Config {
        self.shared.config
    }

    /// The id that the next order gets.
    pub fn next_order_id(&self) -> OrderId {
        OrderId(self.shared.records.next_id())
    }

    /// Number of orders that are remembered, open and closed.
    pub fn known_orders(&self) -> u64 {
        self.shared.records.len()
    }

    /// Makes room for this many more orders, and commands in the log, so that they allocate nothing.
    pub fn reserve(&mut self, orders: usize) {
        self.shared.records.reserve(orders);
        self.market.book.reserve(orders);
        #[cfg(feature = "event-log")]
        self.log.reserve(orders);
    }

    /// A hash of all that can influence an answer to come, by a rule of our own that does not change from machine to
    /// machine: equal histories have equal digests. Walks everything that is remembered.
    pub fn digest(&self) -> u64 {
        self.shared.digest(std::slice::from_ref(&self.market))
    }

    /// Why an order would be refused now, if it would be.
    pub(crate) fn check(&mut self, request: &OrderRequest) -> Result<(), Reject> {
        self.desk(&mut Vec::new()).check(request)
    }

    #[inline]
    fn desk<'a>(&'a mut self, out: &'a mut Vec<Output>) -> Desk<'a> {
        Desk {
            market: &mut self.market,
            shared: &mut self.shared,
            out,
        }
    }

    /// Ends a command: records it and forgets what the bound says.
    #[inline]
    fn done(&mut self, event: Event) {
        #[cfg(feature = "event-log")]
        if self.shared.records_events() {
            self.log.push(&event);
        }
        #[cfg(not(feature = "event-log"))]
        let _ = event;
        self.shared.settle();
    }
}

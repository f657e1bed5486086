//! Many instruments, one id space.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use crate::matching::desk::Desk;
use crate::matching::shared::Shared;
use crate::matching::{Applied, CancelReason, Config, Event, Market, Output, Uncross};
use crate::{
    Ack, InstrumentId, Order, OrderId, OrderRequest, Owner, Price, Qty, Reject, Side, StpPolicy,
    Symbol,
};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// One command of a [`MultiExchange`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum MultiEvent {
    /// A symbol is listed.
    List(Symbol),
    /// A command to one instrument.
    One(Symbol, Event),
    /// A command to all: a mass cancel, a self-trade policy, or forgetting closed orders.
    All(Event),
}

/// Matching engines by symbol that number their orders and trades together: 1, 2, 3, … over all of them, so that an id
/// says which order of which instrument it is.
///
/// # Examples
/// ```
/// use nanobook::{MultiExchange, OrderRequest, Price, Qty, Side};
///
/// let mut exchange = MultiExchange::default();
/// let mut out = Vec::new();
/// let (apple, ford) = ("AAPL".parse()?, "F".parse()?);
/// exchange.list(apple);
/// exchange.list(ford);
/// let first = exchange.submit(apple, OrderRequest::limit(Side::Buy, Price(5), Qty(1)), &mut out)?;
/// let second = exchange.submit(ford, OrderRequest::limit(Side::Buy, Price(5), Qty(1)), &mut out)?;
/// assert_eq!((first.id.0, second.id.0), (1, 2));
/// assert_eq!(exchange.symbol_of(second.id), Some(ford));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct MultiExchange {
    shared: Shared,
    markets: Vec<Market>,
    symbols: Vec<Symbol>,
    index: HashMap<Symbol, u32, FixedState>,
    #[cfg(feature = "event-log")]
    events: Vec<MultiEvent>,
}

impl Default for MultiExchange {
    fn default() -> Self {
        Self::new(Config::default())
    }
}

impl MultiExchange {
    /// An exchange that lists nothing.
    pub fn new(config: Config) -> Self {
        Self {
            shared: Shared::new(config),
            markets: Vec::new(),
            symbols: Vec::new(),
            index: HashMap::default(),
            #[cfg(feature = "event-log")]
            events: Vec::new(),
        }
    }

    /// Lists a symbol, if it is not listed yet, and gives its number: 0, 1, 2, … in order of listing.
    ///
    /// # Panics
    /// When 2^32 symbols are listed.
    pub fn list(&mut self, symbol: Symbol) -> InstrumentId {
        if let Some(at) = self.index.get(&symbol) {
            return InstrumentId(*at);
        }
        let at = u32::try_from(self.markets.len()).expect("fewer than 2^32 symbols");
        self.markets.push(Market::new(at));
        self.symbols.push(symbol);
        self.index.insert(symbol, at);
        self.done(MultiEvent::List(symbol));
        InstrumentId(at)
    }

    /// Enters an order.
    ///
    /// # Errors
    /// A [`Reject`] when the symbol is not listed or the order makes no sense; nothing has changed then.
    pub fn submit(
        &mut self,
        symbol: Symbol,
        request: OrderRequest,
        out: &mut Vec<Output>,
    ) -> Result<Ack, Reject> {
        let ack = self.desk(self.at(symbol)?, out).submit(&request)?;
        self.done(MultiEvent::One(symbol, Event::Submit(request)));
        Ok(ack)
    }

    /// Cancels what is open of an order and says how much.
    ///
    /// # Errors
    /// A [`Reject`] when the order is unknown or closed.
    pub fn cancel(&mut self, id: OrderId, out: &mut Vec<Output>) -> Result<Qty, Reject> {
        let at = self.at_order(id)?;
        let open = self.desk(at, out).cancel(id, CancelReason::Requested)?;
        self.done(MultiEvent::One(self.symbols[at], Event::Cancel { id }));
        Ok(open)
    }

    /// Takes `by` away from an order, which keeps its place; cancels it when nothing is left.
    ///
    /// # Errors
    /// A [`Reject`] when `by` is zero or the order is unknown or closed.
    pub fn reduce(&mut self, id: OrderId, by: Qty, out: &mut Vec<Output>) -> Result<Ack, Reject> {
        let at = self.at_order(id)?;
        let ack = self.desk(at, out).reduce(id, by)?;
        let event = Event::Reduce { id, qty: by };
        self.done(MultiEvent::One(self.symbols[at], event));
        Ok(ack)
    }

    /// Gives a resting order another price and open quantity, as [`Engine::replace`](crate::matching::Engine::replace).
    ///
    /// # Errors
    /// A [`Reject`] when price or quantity make no sense, or the order is unknown, closed or a waiting stop.
    pub fn replace(
        &mut self,
        id: OrderId,
        price: Price,
        qty: Qty,
        out: &mut Vec<Output>,
    ) -> Result<Ack, Reject> {
        let at = self.at_order(id)?;
        let ack = self.desk(at, out).replace(id, price, qty)?;
        let event = Event::Replace { id, price, qty };
        self.done(MultiEvent::One(self.symbols[at], event));
        Ok(ack)
    }

    /// Cancels all orders and stops of an owner, instrument by instrument in order of listing, and says how many.
    pub fn mass_cancel(&mut self, owner: Owner, out: &mut Vec<Output>) -> u32 {
        let mut count = 0;
        for at in 0..self.markets.len() {
            count += self.desk(at, out).mass_cancel(owner);
        }
        self.done(MultiEvent::All(Event::MassCancel { owner }));
        count
    }

    /// Begins an auction in one instrument.
    ///
    /// # Errors
    /// [`Reject::UnknownSymbol`], or [`Reject::AlreadyInAuction`].
    pub fn begin_auction(&mut self, symbol: Symbol) -> Result<(), Reject> {
        let at = self.at(symbol)?;
        self.desk(at, &mut Vec::new()).begin_auction()?;
        self.done(MultiEvent::One(symbol, Event::BeginAuction));
        Ok(())
    }

    /// Ends the auction of one instrument, as [`Engine::uncross`](crate::matching::Engine::uncross).
    ///
    /// # Errors
    /// [`Reject::UnknownSymbol`], [`Reject::NotInAuction`], or [`Reject::PriceOutOfRange`] for the reference.
    pub fn uncross(
        &mut self,
        symbol: Symbol,
        reference: Option<Price>,
        out: &mut Vec<Output>,
    ) -> Result<Option<Uncross>, Reject> {
        let at = self.at(symbol)?;
        let uncross = self.desk(at, out).uncross(reference)?;
        self.done(MultiEvent::One(symbol, Event::Uncross { reference }));
        Ok(uncross)
    }

    /// Sets off stops of one instrument that a bounded cascade has left.
    ///
    /// # Errors
    /// [`Reject::UnknownSymbol`].
    pub fn resume(&mut self, symbol: Symbol, out: &mut Vec<Output>) -> Result<(), Reject> {
        let at = self.at(symbol)?;
        self.desk(at, out).release();
        self.done(MultiEvent::One(symbol, Event::Resume));
        Ok(())
    }

    /// Changes what happens when an order would trade with one of its owner.
    pub fn set_stp_policy(&mut self, policy: StpPolicy) {
        self.shared.set_stp_policy(policy);
        self.done(MultiEvent::All(Event::SetStpPolicy(policy)));
    }

    /// Forgets all closed orders, as [`Engine::forget_closed`](crate::matching::Engine::forget_closed).
    pub fn forget_closed(&mut self) {
        self.shared.forget_closed();
        self.done(MultiEvent::All(Event::ForgetClosed));
    }

    /// Does what an event says. An event to one instrument that names an order goes to the order's instrument.
    ///
    /// # Errors
    /// A [`Reject`] as of the method that the event stands for.
    pub fn apply(&mut self, event: MultiEvent, out: &mut Vec<Output>) -> Result<Applied, Reject> {
        let (symbol, event) = match event {
            MultiEvent::List(symbol) => {
                self.list(symbol);
                return Ok(Applied::Done);
            }
            MultiEvent::One(symbol, event) => (Some(symbol), event),
            MultiEvent::All(event) => (None, event),
        };
        let symbol = symbol.ok_or(Reject::UnknownSymbol);
        Ok(match event {
            Event::Submit(request) => Applied::Order(self.submit(symbol?, request, out)?),
            Event::Cancel { id } => Applied::Qty(self.cancel(id, out)?),
            Event::Reduce { id, qty } => Applied::Order(self.reduce(id, qty, out)?),
            Event::Replace { id, price, qty } => Applied::Order(self.replace(id, price, qty, out)?),
            Event::MassCancel { owner } => Applied::Count(self.mass_cancel(owner, out)),
            Event::BeginAuction => {
                self.begin_auction(symbol?)?;
                Applied::Done
            }
            Event::Uncross { reference } => {
                Applied::Uncross(self.uncross(symbol?, reference, out)?)
            }
            Event::Resume => {
                self.resume(symbol?, out)?;
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

    /// An instrument as it stands; `None` when the symbol is not listed.
    pub fn market(&self, symbol: Symbol) -> Option<&Market> {
        self.at(symbol).ok().map(|at| &self.markets[at])
    }

    /// An order by its id; `None` when there is none, or it is closed and forgotten.
    pub fn order(&self, id: OrderId) -> Option<Order> {
        self.shared.order(id)
    }

    /// The symbol of an order; `None` when there is none, or it is closed and forgotten.
    pub fn symbol_of(&self, id: OrderId) -> Option<Symbol> {
        self.at_order(id).ok().map(|at| self.symbols[at])
    }

    /// The symbols in order of listing.
    pub fn symbols(&self) -> &[Symbol] {
        &self.symbols
    }

    /// Best bid and best ask of every symbol, in order of listing.
    pub fn best_prices(&self) -> impl Iterator<Item = (Symbol, Option<Price>, Option<Price>)> {
        let symbols = self.symbols.iter().copied();
        symbols.zip(&self.markets).map(|(symbol, market)| {
            let (bid, ask) = (market.best_price(Side::Buy), market.best_price(Side::Sell));
            (symbol, bid, ask)
        })
    }

    /// Number of symbols.
    pub fn len(&self) -> usize {
        self.symbols.len()
    }

    /// Whether nothing is listed.
    pub fn is_empty(&self) -> bool {
        self.symbols.is_empty()
    }

    /// A hash of the state of all instruments, by the rule of [`Engine::digest`](crate::matching::Engine::digest).
    pub fn digest(&self) -> u64 {
        self.shared.digest(&self.markets)
    }

    fn at(&self, symbol: Symbol) -> Result<usize, Reject> {
        let at = self.index.get(&symbol).ok_or(Reject::UnknownSymbol)?;
        Ok(*at as usize)
    }

    fn at_order(&self, id: OrderId) -> Result<usize, Reject> {
        let at = self.shared.instrument(id).ok_or(Reject::UnknownOrder)?;
        Ok(at as usize)
    }

    fn desk<'a>(&'a mut self, at: usize, out: &'a mut Vec<Output>) -> Desk<'a> {
        Desk {
            market: &mut self.markets[at],
            shared: &mut self.shared,
            out,
        }
    }

    fn done(&mut self, event: MultiEvent) {
        #[cfg(feature = "event-log")]
        if self.shared.records_events() {
            self.events.push(event);
        }
        #[cfg(not(feature = "event-log"))]
        let _ = event;
        self.shared.settle();
    }
}

#[cfg(feature = "event-log")]
impl MultiExchange {
    /// All commands that were not refused, since the exchange was made.
    pub fn events(&self) -> &[MultiEvent] {
        &self.events
    }

    /// An exchange that has done all of these events.
    ///
    /// # Errors
    /// The [`Reject`] of an event that is refused: then the events are not those of an exchange.
    pub fn replay(config: Config, events: &[MultiEvent]) -> Result<Self, Reject> {
        let mut exchange = Self::new(config);
        let mut out = Vec::new();
        for event in events {
            out.clear();
            exchange.apply(*event, &mut out)?;
        }
        Ok(exchange)
    }
}

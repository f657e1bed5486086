//! The account: time, checks, cash and positions around the books.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use nanobook::trading::decimal::{self, ONE};
use nanobook::trading::{
    Account, Fill, Instrument, InstrumentState, Liquidity, NewOrder, Order, OrderState, Position,
    Quote, TimeInForce, Units,
};
use nanobook::{Money, OrderId, OrderKind, OrderRequest, Price, Qty, Side, Symbol, Timestamp};

use super::book::{Book, Event};
use super::config::{Config, Hours, Time};
use super::quotes::QuoteSource;
use super::state::{Entry, Holding, Shown, State, Store};
use super::sums::{PLENTY, hold, nearest, share, wall, worsen};
use crate::error::{Error, Result};
use crate::outcome::{Denial, Outcome};
use crate::{Broker, Capabilities, OrderKey, Session, Venue};

/// Codes of refusals.
mod code {
    pub(super) const DUPLICATE: i32 = 1;
    pub(super) const CLOSED: i32 = 2;
    pub(super) const CASH: i32 = 3;
    pub(super) const SHORT: i32 = 4;
    pub(super) const HALTED: i32 = 5;
    pub(super) const NO_ORDER: i32 = 6;
}

const TIFS: &[TimeInForce] = &[
    TimeInForce::Day,
    TimeInForce::Gtc,
    TimeInForce::Ioc,
    TimeInForce::Fok,
];

/// A paper account.
///
/// # Examples
/// ```
/// use nanobook::trading::{NewOrder, OrderState, Quote, TimeInForce, Units};
/// use nanobook::{OrderKind, Price, Side, Timestamp};
/// use nanobook_broker::paper::{Config, PaperBroker, Recorded, Time};
/// use nanobook_broker::{Broker, Outcome};
///
/// let quote = Quote {
///     symbol: "AAPL".parse()?,
///     bid_px: Some(Price(199_990_000_000)),
///     bid_qty: Some(Units::whole(300)),
///     ask_px: Some(Price(200_000_000_000)),
///     ask_qty: Some(Units::whole(60)),
///     last_px: None,
///     data_type: None,
///     ts_event: Timestamp(1),
/// };
/// let config = Config { time: Time::Stepped(Timestamp(1)), ..Config::default() };
/// let mut broker = PaperBroker::new(config).with_quotes(Recorded::new(vec![quote]));
/// broker.connect()?;
/// let outcome = broker.submit(&NewOrder {
///     client_order_id: "demo-0".parse()?,
///     symbol: "AAPL".parse()?,
///     side: Side::Buy,
///     qty: Units::whole(100),
///     kind: OrderKind::Limit { price: Price(200_000_000_000) },
///     tif: TimeInForce::Day,
/// });
/// // Sixty were on offer.
/// let order = outcome.order().unwrap();
/// assert_eq!(order.state, OrderState::PartiallyFilled);
/// assert_eq!(order.filled_qty, Units::whole(60));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct PaperBroker {
    config: Config,
    capabilities: Capabilities,
    state: State,
    store: Option<Store>,
    source: Option<Box<dyn QuoteSource>>,
    books: BTreeMap<Symbol, Book>,
    /// Places of the orders that can still trade.
    live: BTreeSet<usize>,
    connected: bool,
}

impl PaperBroker {
    /// An account that ends with the process.
    pub fn new(config: Config) -> Self {
        let start = match config.time {
            Time::Wall => wall(),
            Time::Stepped(start) => start,
        };
        let state = State::new(config.account_id.clone(), config.cash, start);
        Self::from_state(config, state, None)
    }

    /// An account in a file, as it was left, or a new one.
    ///
    /// # Errors
    /// When the file can't be read or written, is not a paper account, is another account, or another process has it.
    pub fn open(config: Config, path: &Path) -> Result<Self> {
        let (store, state) = Store::open(path)?;
        let Some(state) = state else {
            let mut broker = Self::new(config);
            store.save(&broker.state)?;
            broker.store = Some(store);
            return Ok(broker);
        };
        if state.account_id != config.account_id {
            return Err(Error::WrongAccount {
                expected: config.account_id,
                found: state.account_id,
            });
        }
        let mut broker = Self::from_state(config, state, Some(store));
        broker.rebuild();
        Ok(broker)
    }

    fn from_state(config: Config, state: State, store: Option<Store>) -> Self {
        let capabilities = Capabilities {
            venue: Venue::Paper,
            fractional: true,
            short: config.short,
            market_orders: true,
            tifs: TIFS,
            unique_ids: true,
            fee_in_asset: false,
            hours: config.hours != Hours::Always,
            margin: false,
            visibility_lag_ns: 0,
        };
        Self {
            config,
            capabilities,
            state,
            store,
            source: None,
            live: BTreeSet::new(),
            books: BTreeMap::new(),
            connected: false,
        }
    }

    /// The same account with a market.
    #[must_use]
    pub fn with_quotes(mut self, source: impl QuoteSource + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    /// Lets the time run up to `to`: quotes come, orders arrive and trade.
    ///
    /// # Errors
    /// When the account is on the computer's time, when time would go back, when quotes can't be had, or when the
    /// account can't be saved.
    pub fn advance(&mut self, to: Timestamp) -> Result<()> {
        if self.config.time == Time::Wall || to < self.state.now {
            return Err(Error::Config {
                setting: "time",
                detail: "only a stepped clock is advanced, and only forward".to_owned(),
            });
        }
        self.settle(to, &[])?;
        self.save()
    }

    /// Puts the orders of a loaded account back into books.
    fn rebuild(&mut self) {
        for (symbol, shown) in self.state.quotes.clone() {
            self.show(symbol, shown);
        }
        let orders = self.state.orders.iter().enumerate();
        self.live = orders
            .filter(|(_, entry)| entry.order.state.may_trade())
            .map(|(at, _)| at)
            .collect();
        for at in self.live.clone() {
            if self.state.orders[at].order.state != OrderState::Sent {
                self.arrive(at);
            }
        }
    }

    fn now(&self) -> Timestamp {
        match self.config.time {
            // The account's time never goes back, whatever the computer's does.
            Time::Wall => wall().max(self.state.now),
            Time::Stepped(_) => self.state.now,
        }
    }

    fn save(&self) -> Result<()> {
        match &self.store {
            Some(store) => store.save(&self.state),
            None => Ok(()),
        }
    }

    /// Brings everything up to a time, in order of time.
    fn settle(&mut self, to: Timestamp, asked: &[Symbol]) -> Result<()> {
        let mut symbols: Vec<Symbol> = asked.to_vec();
        symbols.extend(self.state.holdings.keys());
        symbols.extend(self.working().map(|entry| entry.order.symbol));
        symbols.sort_unstable();
        symbols.dedup();
        let quotes = match &mut self.source {
            Some(source) => source.until(to, &symbols)?,
            None => Vec::new(),
        };
        for quote in quotes {
            self.run_until(quote.ts_event.min(to));
            self.take_quote(quote);
        }
        self.run_until(to);
        self.state.now = to.max(self.state.now);
        Ok(())
    }

    /// Orders that can still trade, in order of arrival.
    fn working(&self) -> impl Iterator<Item = &Entry> {
        self.live.iter().map(|at| &self.state.orders[*at])
    }

    /// Lets orders arrive, be cancelled and expire, up to a time.
    fn run_until(&mut self, to: Timestamp) {
        loop {
            let next = self.live.iter().filter_map(|&at| {
                let entry = &self.state.orders[at];
                let waits = entry.order.state == OrderState::Sent;
                let arrives = waits.then_some((entry.live_at, at, 0));
                let cancelled = entry.cancel_at.map(|time| (time, at, 1));
                let expires = Some((entry.expires, at, 2));
                [arrives, cancelled, expires].into_iter().flatten().min()
            });
            let Some((time, at, what)) = next.min().filter(|(time, ..)| *time <= to) else {
                return;
            };
            self.state.now = self.state.now.max(time);
            match what {
                0 => self.arrive(at),
                1 => self.withdraw(at, OrderState::Cancelled),
                _ => self.withdraw(at, OrderState::Expired),
            }
        }
    }

    fn withdraw(&mut self, at: usize, state: OrderState) {
        let symbol = self.state.orders[at].order.symbol;
        if let Some(book) = self.books.get_mut(&symbol) {
            book.cancel(at);
        }
        self.end(at, state);
    }

    fn end(&mut self, at: usize, state: OrderState) {
        let now = self.state.now;
        let order = &mut self.state.orders[at].order;
        if !order.state.is_final() {
            order.state = state;
            order.ts_event = Some(now);
        }
        self.live.remove(&at);
    }

    fn arrive(&mut self, at: usize) {
        let order = &mut self.state.orders[at].order;
        let symbol = order.symbol;
        order.state = if order.filled_qty.is_zero() {
            OrderState::Accepted
        } else {
            OrderState::PartiallyFilled
        };
        let Some(lots) = self.config.instrument(symbol).and_then(|i| {
            u64::try_from(self.state.orders[at].order.leaves_qty().0 / i.lot.0.max(1)).ok()
        }) else {
            return self.end(at, OrderState::Cancelled);
        };
        let order = &self.state.orders[at].order;
        let request =
            OrderRequest::new(order.side, order.kind, Qty(lots)).with_tif(order.tif.engine());
        let events = self
            .books
            .entry(symbol)
            .or_insert_with(Book::new)
            .enter(at, request);
        self.apply(symbol, &events);
    }

    fn take_quote(&mut self, quote: Quote) {
        let Some(instrument) = self.config.instrument(quote.symbol) else {
            return;
        };
        let lots = |price: Option<Price>, qty: Option<Units>| match (price, qty) {
            (None, _) => 0,
            (Some(_), None) => PLENTY,
            (Some(_), Some(qty)) => share(qty, self.config.depth, instrument.lot),
        };
        let shown = Shown {
            bid_lots: lots(quote.bid_px, quote.bid_qty),
            ask_lots: lots(quote.ask_px, quote.ask_qty),
            quote,
        };
        self.state.quotes.insert(quote.symbol, shown);
        self.show(quote.symbol, shown);
    }

    /// Puts a quote into the book, its prices worse by slippage and half-spread.
    fn show(&mut self, symbol: Symbol, shown: Shown) {
        let Some(instrument) = self.config.instrument(symbol) else {
            return;
        };
        let worse = self.config.costs.worse();
        let side = |price: Option<Price>, lots: u64, sign: f64| {
            let price = worsen(price?, sign * worse, instrument.tick)?;
            Some((price, lots))
        };
        let book = self.books.entry(symbol).or_insert_with(Book::new);
        let events = book.quote(
            side(shown.quote.bid_px, shown.bid_lots, -1.0),
            side(shown.quote.ask_px, shown.ask_lots, 1.0),
        );
        self.apply(symbol, &events);
    }

    fn apply(&mut self, symbol: Symbol, events: &[Event]) {
        for event in events {
            match *event {
                Event::Fill {
                    order,
                    lots,
                    price,
                    rested,
                } => self.fill(order, lots, price, rested),
                Event::Ended { order } => self.end(order, OrderState::Cancelled),
            }
        }
        if let (Some(shown), Some(book)) =
            (self.state.quotes.get_mut(&symbol), self.books.get(&symbol))
        {
            shown.bid_lots = book.left(Side::Buy).min(shown.bid_lots);
            shown.ask_lots = book.left(Side::Sell).min(shown.ask_lots);
        }
    }

    fn fill(&mut self, at: usize, lots: u64, price: Price, rested: bool) {
        let now = self.state.now;
        let entry = &mut self.state.orders[at];
        let symbol = entry.order.symbol;
        let lot = self.config.instrument(symbol).map_or(Units(ONE), |i| i.lot);
        let qty = Units(lot.0 * i128::from(lots));
        let value = qty.0 * i128::from(price.0);
        entry.traded += value;
        let order = &mut entry.order;
        order.filled_qty = Units(order.filled_qty.0 + qty.0);
        order.avg_px = i64::try_from(nearest(entry.traded, order.filled_qty.0))
            .ok()
            .map(Price);
        order.state = if order.filled_qty == order.qty {
            OrderState::Filled
        } else {
            OrderState::PartiallyFilled
        };
        order.ts_event = Some(now);
        if order.state.is_final() {
            self.live.remove(&at);
        }
        // Commission of the order as a whole, less what was paid of it: its minimum is paid once.
        let shares = order.filled_qty.as_f64();
        let total = self
            .config
            .costs
            .commission(shares, entry.traded as f64 / 1e18);
        let fee = decimal::nearest(total).unwrap_or(0) - entry.fees.0;
        entry.fees.0 += fee;
        let signed = qty.signed(order.side);
        // To the unit of 1e-9, against us.
        let paid = (signed.0 * i128::from(price.0)).div_euclid(ONE)
            + i128::from((signed.0 * i128::from(price.0)).rem_euclid(ONE) > 0);
        self.state.cash.0 -= paid + fee;
        let fill = Fill {
            trade_id: format!("P{}", self.state.fills.len() + 1),
            client_order_id: order.client_order_id,
            order_id: order.order_id,
            account_id: order.account_id.clone(),
            symbol,
            side: order.side,
            qty,
            price,
            fee: Some(Money(fee)),
            fee_currency: Some(self.config.currency),
            liquidity: Some(if rested {
                Liquidity::Resting
            } else {
                Liquidity::Aggressor
            }),
            correction: 0,
            ts_event: now,
        };
        self.state.fills.push(fill);
        let holding = self.state.holdings.entry(symbol).or_default();
        hold(holding, signed, price);
        if holding.qty.is_zero() {
            self.state.holdings.remove(&symbol);
        }
    }

    /// Why the account can't afford an order.
    fn unaffordable(&self, order: &NewOrder, instrument: &Instrument) -> Option<Outcome> {
        let same =
            |entry: &&Entry| entry.order.symbol == order.symbol && entry.order.side == order.side;
        if order.side == Side::Sell {
            let held = self
                .state
                .holdings
                .get(&order.symbol)
                .map_or(0, |h| h.qty.0);
            let working: i128 = self
                .working()
                .filter(same)
                .map(|e| e.order.leaves_qty().0)
                .sum();
            let short = held - working - order.qty.0 < 0;
            return (short && !self.config.short)
                .then(|| Outcome::rejected(code::SHORT, "the position would be short"));
        }
        let quoted = |symbol: Symbol| self.state.quotes.get(&symbol).and_then(|s| s.quote.ask_px);
        let cost = |qty: Units, kind: OrderKind, symbol: Symbol| {
            let price = kind.price().or_else(|| {
                let worse = self.config.costs.worse();
                worsen(quoted(symbol)?, worse, instrument.tick)
            })?;
            let value = qty.exact_notional(price)?;
            let fee = self
                .config
                .costs
                .commission(qty.as_f64(), value as f64 / 1e18);
            (value / ONE).checked_add(1 + decimal::nearest(fee).ok()?)
        };
        let others = self.working().filter(|entry| entry.order.side == Side::Buy);
        let mut total = cost(order.qty, order.kind, order.symbol);
        for entry in others {
            let o = &entry.order;
            total = match (total, cost(o.leaves_qty(), o.kind, o.symbol)) {
                (Some(total), Some(cost)) => total.checked_add(cost),
                _ => None,
            };
        }
        let power = self.buying_power();
        match (total, power) {
            // The unit that was added for rounding is nobody's loss.
            (Some(total), Some(power)) if total - 1 <= power.0 => None,
            (None, _) => Some(Outcome::rejected(code::CASH, "there is no price to buy at")),
            _ => Some(Outcome::rejected(code::CASH, "there is not enough cash")),
        }
    }

    fn mark(&self, symbol: Symbol) -> Option<Price> {
        let quote = self.state.quotes.get(&symbol).map(|shown| shown.quote);
        quote.and_then(|quote| {
            let one_sided = quote.last_px.or(quote.bid_px).or(quote.ask_px);
            quote.mid().or(one_sided)
        })
    }

    /// Value of all positions, with its sign or without; `None` when one has no price.
    fn value(&self, gross: bool) -> Option<i128> {
        self.state
            .holdings
            .iter()
            .try_fold(0_i128, |sum, (symbol, holding)| {
                let qty = if gross {
                    Units(holding.qty.0.abs())
                } else {
                    holding.qty
                };
                sum.checked_add(qty.exact_notional(self.mark(*symbol)?)? / ONE)
            })
    }

    fn equity(&self) -> Option<Money> {
        Some(Money(self.state.cash.0.checked_add(self.value(false)?)?))
    }

    fn buying_power(&self) -> Option<Money> {
        if self.config.leverage <= 1.0 {
            return Some(self.state.cash);
        }
        let equity = self.equity()?;
        let most = decimal::nearest(equity.as_f64() * self.config.leverage).ok()?;
        Some(Money(most - self.value(true)?))
    }

    /// What of an order the rules refuse.
    fn denial(&self, order: &NewOrder) -> std::result::Result<Instrument, Denial> {
        if !self.connected {
            return Err(Denial::NotConnected);
        }
        let symbol = order.symbol;
        let Some(instrument) = self.config.instrument(symbol) else {
            return Err(Denial::UnknownInstrument { symbol });
        };
        let filter = |filter, expected: String, found: String| {
            Err(Denial::Filter {
                filter,
                expected,
                found,
            })
        };
        if !matches!(order.kind, OrderKind::Limit { .. } | OrderKind::Market) {
            return Err(Denial::Unsupported {
                venue: Venue::Paper,
                what: "a stop".to_owned(),
            });
        }
        if let Some(price) = order.kind.price()
            && (price.0 <= 0 || price.0 % instrument.tick.0.max(1) != 0)
        {
            return filter(
                "tick",
                format!("a multiple of {}", instrument.tick),
                price.to_string(),
            );
        }
        let lot = instrument.lot.0.max(1);
        let least = instrument.min_qty.unwrap_or(instrument.lot);
        let most = instrument.max_qty.unwrap_or(Units(i128::MAX));
        if order.qty.0 % lot != 0
            || order.qty < least
            || order.qty > most
            || order.qty.0 / lot > i128::from(PLENTY)
        {
            let expected = format!("a multiple of {} from {least}", instrument.lot);
            return filter("lot", expected, order.qty.to_string());
        }
        Ok(instrument)
    }

    fn accept(&mut self, order: &NewOrder) -> usize {
        let now = self.state.now;
        let expires = match order.tif {
            TimeInForce::Day => self.config.session_end(now).unwrap_or(now),
            _ => Timestamp(i64::MAX),
        };
        let at = self.state.orders.len();
        self.state.orders.push(Entry {
            order: Order {
                client_order_id: Some(order.client_order_id),
                order_id: Some(OrderId(at as u64 + 1)),
                account_id: self.state.account_id.clone(),
                symbol: order.symbol,
                side: order.side,
                kind: order.kind,
                tif: order.tif,
                qty: order.qty,
                filled_qty: Units::ZERO,
                avg_px: None,
                state: OrderState::Sent,
                reject_code: None,
                reject_text: None,
                ts_event: Some(now),
            },
            live_at: Timestamp(now.0.saturating_add(self.config.latency_ns)),
            cancel_at: None,
            expires,
            traded: 0,
            fees: Money(0),
        });
        self.live.insert(at);
        self.run_until(now);
        at
    }

    fn ready(&self) -> Result<()> {
        if self.connected {
            Ok(())
        } else {
            Err(Error::NotConnected {
                venue: Venue::Paper,
            })
        }
    }

    /// What a venue shows of an order that is on its way: that it has it.
    fn shown(entry: &Entry) -> Order {
        let mut order = entry.order.clone();
        if order.state == OrderState::Sent {
            order.state = OrderState::Accepted;
        }
        order
    }
}

impl Broker for PaperBroker {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn connect(&mut self) -> Result<Session> {
        self.connected = true;
        Ok(Session {
            account_id: self.state.account_id.clone(),
            is_paper: true,
            clock_offset_ns: 0,
        })
    }

    fn clock(&mut self) -> Result<Timestamp> {
        self.ready()?;
        Ok(self.now())
    }

    fn account(&mut self) -> Result<Account> {
        self.ready()?;
        self.settle(self.now(), &[])?;
        self.save()?;
        Ok(Account {
            account_id: self.state.account_id.clone(),
            currency: self.config.currency,
            equity: self.equity(),
            cash: self.state.cash,
            buying_power: self.buying_power(),
            is_paper: true,
            ts_event: Some(self.state.now),
        })
    }

    fn positions(&mut self) -> Result<Vec<Position>> {
        self.ready()?;
        self.settle(self.now(), &[])?;
        self.save()?;
        let position = |(symbol, holding): (&Symbol, &Holding)| {
            let selling = self
                .working()
                .filter(|e| e.order.symbol == *symbol && e.order.side == Side::Sell);
            let working: i128 = selling.map(|e| e.order.leaves_qty().0).sum();
            Position {
                account_id: self.state.account_id.clone(),
                symbol: *symbol,
                qty: holding.qty,
                available: Some(Units((holding.qty.0 - working).max(0))),
                avg_px: holding.avg_px,
                market_px: self.mark(*symbol),
            }
        };
        Ok(self.state.holdings.iter().map(position).collect())
    }

    fn instruments(&mut self, symbols: &[Symbol]) -> Result<Vec<Instrument>> {
        self.ready()?;
        let is_open = self.config.session_end(self.now()).is_some();
        let instrument = |symbol: &Symbol| {
            let mut instrument = self.config.instrument(*symbol)?;
            if !is_open {
                instrument.state = InstrumentState::Closed;
            }
            Some(instrument)
        };
        Ok(symbols.iter().filter_map(instrument).collect())
    }

    fn quotes(&mut self, symbols: &[Symbol]) -> Result<Vec<Quote>> {
        self.ready()?;
        self.settle(self.now(), symbols)?;
        self.save()?;
        let quote = |symbol: &Symbol| self.state.quotes.get(symbol).map(|shown| shown.quote);
        Ok(symbols.iter().filter_map(quote).collect())
    }

    fn submit(&mut self, order: &NewOrder) -> Outcome {
        let instrument = match self.denial(order) {
            Ok(instrument) => instrument,
            Err(denial) => return Outcome::Denied(denial),
        };
        if let Err(error) = self.settle(self.now(), &[order.symbol]) {
            return Outcome::Denied(Denial::Unprepared {
                what: "quotes",
                detail: error.to_string(),
            });
        }
        let id = Some(order.client_order_id);
        if self
            .state
            .orders
            .iter()
            .any(|entry| entry.order.client_order_id == id)
        {
            return Outcome::rejected(code::DUPLICATE, "an order with this id was sent before");
        }
        if self.config.session_end(self.state.now).is_none() {
            return Outcome::rejected(code::CLOSED, "the market is closed");
        }
        if instrument.state != InstrumentState::Trading {
            return Outcome::rejected(code::HALTED, "the instrument does not trade");
        }
        if let Some(refusal) = self.unaffordable(order, &instrument) {
            return refusal;
        }
        let at = self.accept(order);
        match self.save() {
            Ok(()) => Outcome::Confirmed(Self::shown(&self.state.orders[at])),
            Err(error) => Outcome::Unknown(error),
        }
    }

    fn cancel(&mut self, key: OrderKey) -> Outcome {
        if !self.connected {
            return Outcome::Denied(Denial::NotConnected);
        }
        if let Err(error) = self.settle(self.now(), &[key.symbol]) {
            return Outcome::Denied(Denial::Unprepared {
                what: "quotes",
                detail: error.to_string(),
            });
        }
        let id = Some(key.client_order_id);
        let Some(at) = self
            .state
            .orders
            .iter()
            .position(|e| e.order.client_order_id == id)
        else {
            return Outcome::rejected(code::NO_ORDER, "there is no such order");
        };
        let now = self.state.now;
        let entry = &mut self.state.orders[at];
        if entry.order.state.is_final() {
            return Outcome::rejected(
                code::NO_ORDER,
                format!("the order is {}", entry.order.state),
            );
        }
        let arrives = Timestamp(now.0.saturating_add(self.config.latency_ns));
        entry.cancel_at.get_or_insert(arrives);
        self.run_until(now);
        match self.save() {
            Ok(()) => Outcome::Confirmed(Self::shown(&self.state.orders[at])),
            Err(error) => Outcome::Unknown(error),
        }
    }

    fn order(&mut self, key: OrderKey) -> Result<Vec<Order>> {
        self.ready()?;
        self.settle(self.now(), &[key.symbol])?;
        self.save()?;
        let id = Some(key.client_order_id);
        let ours = self
            .state
            .orders
            .iter()
            .filter(|e| e.order.client_order_id == id);
        Ok(ours.map(Self::shown).collect())
    }

    fn open_orders(&mut self) -> Result<Vec<Order>> {
        self.ready()?;
        self.settle(self.now(), &[])?;
        self.save()?;
        Ok(self.working().map(Self::shown).collect())
    }

    fn fills_since(&mut self, _: &[Symbol], since: Timestamp) -> Result<Vec<Fill>> {
        self.ready()?;
        self.settle(self.now(), &[])?;
        self.save()?;
        let later = self
            .state
            .fills
            .iter()
            .filter(|fill| fill.ts_event >= since);
        Ok(later.cloned().collect())
    }
}

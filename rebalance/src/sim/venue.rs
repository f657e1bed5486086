//! A venue: orders, executions, positions and cash as they are, and as they show.

use nanobook::trading::{
    Account, ClientOrderId, DataType, Fill, Instrument, InstrumentState, NewOrder, Order,
    OrderState, Position, Quote, Units,
};
use nanobook::{Money, OrderId, OrderKind, Price, Side, Timestamp};

use super::rng::Rng;
use super::scenario::{NANO, SECOND, START, Scenario, TICK};

/// By whose rules the venue goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Model {
    /// Interactive Brokers: ids of ours are free text, whole shares, fees in cash.
    Ibkr,
    /// Binance: an id is taken while its order is open, fractions, the fee of a buy is taken from what was bought.
    Binance,
}

/// An order at the venue.
#[derive(Clone, Debug)]
pub(super) struct VenueOrder {
    pub(super) sent: NewOrder,
    /// Whether it came from us.
    pub(super) ours: bool,
    pub(super) id: u64,
    pub(super) symbol: usize,
    pub(super) filled: i128,
    pub(super) at: i64,
    pub(super) ended: Option<(i64, OrderState)>,
    /// A cancel that is on its way.
    pub(super) cancel_at: Option<i64>,
    lag: i64,
}

/// An execution at the venue.
#[derive(Clone, Debug)]
pub(super) struct Execution {
    pub(super) order: usize,
    pub(super) id: u64,
    pub(super) qty: i128,
    pub(super) price: i64,
    at: i64,
    lag: i64,
    /// When it was corrected, and to what quantity and price.
    pub(super) revised: Option<(i64, i128, i64)>,
}

/// A trade of somebody else.
#[derive(Clone, Copy, Debug)]
struct Shock {
    at: i64,
    symbol: usize,
    qty: i128,
    cash: i128,
}

#[derive(Debug)]
pub(super) struct Venue {
    pub(super) model: Model,
    pub(super) instruments: Vec<Instrument>,
    start: Vec<i128>,
    start_cash: i128,
    pub(super) ticks: Vec<i64>,
    /// Ticks between bid and ask.
    pub(super) spread: Vec<i64>,
    pub(super) halted: Vec<bool>,
    pub(super) orders: Vec<VenueOrder>,
    pub(super) executions: Vec<Execution>,
    shocks: Vec<Shock>,
    next_id: u64,
    /// How late things show: at most this long.
    pub(super) most_lag: i64,
    /// The most of an order that trades at once, in percent.
    pub(super) part: i64,
}

/// Why the venue refuses an order.
pub(super) enum Refusal {
    Halted,
    Duplicate,
    Cash,
}

impl Venue {
    pub(super) fn new(model: Model, scenario: &Scenario) -> Self {
        let count = scenario.instruments.len();
        Self {
            model,
            instruments: scenario.instruments.clone(),
            start: scenario.held.clone(),
            start_cash: scenario.plan.cash.0,
            ticks: scenario.ticks.clone(),
            spread: vec![2; count],
            halted: vec![false; count],
            orders: Vec::new(),
            executions: Vec::new(),
            shocks: Vec::new(),
            next_id: 1_000,
            most_lag: 0,
            part: 100,
        }
    }

    pub(super) fn place(&self, symbol: nanobook::Symbol) -> Option<usize> {
        self.instruments.iter().position(|i| i.symbol == symbol)
    }

    fn bid(&self, symbol: usize) -> i64 {
        (self.ticks[symbol] - self.spread[symbol] / 2) * TICK
    }

    fn ask(&self, symbol: usize) -> i64 {
        (self.ticks[symbol] + self.spread[symbol] - self.spread[symbol] / 2) * TICK
    }

    /// Cash as it is at the venue, by what shows until `seen`.
    pub(super) fn cash(&self, seen: i64) -> i128 {
        let shocks = self.shocks.iter().filter(|shock| shock.at <= seen);
        let mut cash = self.start_cash + shocks.map(|shock| shock.cash).sum::<i128>();
        for fill in self
            .executions
            .iter()
            .filter(|fill| fill.at + fill.lag <= seen)
        {
            let (qty, price) = fill.as_of(seen);
            let side = self.orders[fill.order].sent.side;
            let value = qty * i128::from(price) / NANO;
            cash -= value * i128::from(side.sign());
            let (fee, in_base) = self.fee(side, qty, price);
            if !in_base {
                cash -= fee;
            }
        }
        cash
    }

    /// The fee of an execution, and whether it is taken from what was bought.
    fn fee(&self, side: Side, qty: i128, price: i64) -> (i128, bool) {
        match (self.model, side) {
            (Model::Ibkr, _) => (qty * i128::from(price) / NANO * 5 / 10_000, false),
            (Model::Binance, Side::Sell) => (qty * i128::from(price) / NANO / 1_000, false),
            (Model::Binance, Side::Buy) => (qty / 1_000, true),
        }
    }

    /// A position, by what shows until `seen`.
    pub(super) fn position(&self, symbol: usize, seen: i64) -> i128 {
        let shocks = self.shocks.iter();
        let shocks = shocks.filter(|shock| shock.at <= seen && shock.symbol == symbol);
        let mut held = self.start[symbol] + shocks.map(|shock| shock.qty).sum::<i128>();
        for fill in self
            .executions
            .iter()
            .filter(|fill| fill.at + fill.lag <= seen)
        {
            let order = &self.orders[fill.order];
            if order.symbol == symbol {
                let (qty, price) = fill.as_of(seen);
                held += qty * i128::from(order.sent.side.sign());
                let (fee, in_base) = self.fee(order.sent.side, qty, price);
                if in_base {
                    held -= fee;
                }
            }
        }
        held
    }

    /// Fees that were taken from a position.
    pub(super) fn fees_of(&self, symbol: usize) -> i128 {
        let fills = self.executions.iter();
        let fills = fills.filter(|fill| self.orders[fill.order].symbol == symbol);
        fills
            .map(|fill| {
                let (qty, price) = fill.as_of(i64::MAX);
                match self.fee(self.orders[fill.order].sent.side, qty, price) {
                    (fee, true) => fee,
                    _ => 0,
                }
            })
            .sum()
    }

    /// Cash and positions that somebody else has moved since a time.
    pub(super) fn cash_moved_since(&self, since: i64) -> i128 {
        let shocks = self.shocks.iter().filter(|shock| shock.at > since);
        let corrected = self.executions.iter().filter_map(|fill| {
            let (at, qty, price) = fill.revised?;
            let before = fill.qty * i128::from(fill.price) / NANO;
            let after = qty * i128::from(price) / NANO;
            let sign = i128::from(self.orders[fill.order].sent.side.sign());
            (at > since).then_some((before - after) * sign)
        });
        shocks.map(|shock| shock.cash).sum::<i128>() + corrected.sum::<i128>()
    }

    /// By how much others, and corrections, have moved a position since a time; and corrections what has traded.
    pub(super) fn moved_since(&self, symbol: usize, since: i64) -> (i128, i128) {
        let shocks = self.shocks.iter();
        let shocks = shocks.filter(|shock| shock.at > since && shock.symbol == symbol);
        let shocks = shocks.map(|shock| shock.qty).sum::<i128>();
        let mut corrected = (0, 0);
        for fill in &self.executions {
            let order = &self.orders[fill.order];
            if let (Some((at, qty, _)), true) = (fill.revised, order.symbol == symbol)
                && at > since
            {
                corrected.0 += (qty - fill.qty) * i128::from(order.sent.side.sign());
                corrected.1 += qty - fill.qty;
            }
        }
        (shocks + corrected.0, corrected.1)
    }

    /// Takes an order, or refuses it. What is marketable trades at once, as far as there is something to trade with.
    pub(super) fn submit(
        &mut self,
        sent: NewOrder,
        now: i64,
        rng: &mut Rng,
    ) -> Result<usize, Refusal> {
        let symbol = self.place(sent.symbol).unwrap_or(0);
        if self.halted[symbol] {
            return Err(Refusal::Halted);
        }
        let open = |order: &VenueOrder| order.ended.is_none();
        let known = |order: &VenueOrder| order.sent.client_order_id == sent.client_order_id;
        if self.model == Model::Binance && self.orders.iter().any(|o| open(o) && known(o)) {
            return Err(Refusal::Duplicate);
        }
        if sent.side == Side::Buy && self.cash(i64::MAX) - self.claims() < cost(&sent) {
            return Err(Refusal::Cash);
        }
        let at = self.add(sent, true, symbol, now, rng);
        self.trade(at, now, rng);
        Ok(at)
    }

    /// Cash that open buys of ours may take.
    pub(super) fn claims(&self) -> i128 {
        let open = self.orders.iter().filter(|order| order.ended.is_none());
        open.filter(|order| order.sent.side == Side::Buy && order.ours)
            .map(|order| {
                let mut rest = order.sent;
                rest.qty = Units(order.sent.qty.0 - order.filled);
                cost(&rest)
            })
            .sum()
    }

    fn add(&mut self, sent: NewOrder, ours: bool, symbol: usize, now: i64, rng: &mut Rng) -> usize {
        self.next_id += 1;
        let lag = if self.most_lag > 0 {
            rng.between(0, self.most_lag)
        } else {
            0
        };
        self.orders.push(VenueOrder {
            sent,
            ours,
            id: self.next_id,
            symbol,
            filled: 0,
            at: now,
            ended: None,
            cancel_at: None,
            lag,
        });
        self.orders.len() - 1
    }

    /// Somebody else's order, which rests far from the market.
    pub(super) fn foreign_order(&mut self, symbol: usize, now: i64, rng: &mut Rng) {
        let sent = NewOrder {
            client_order_id: "web-1".parse().expect("an id"),
            symbol: self.instruments[symbol].symbol,
            side: Side::Buy,
            qty: self.instruments[symbol].lot,
            kind: OrderKind::Limit {
                price: Price(self.ticks[symbol] / 2 * TICK),
            },
            tif: nanobook::trading::TimeInForce::Gtc,
        };
        self.add(sent, false, symbol, now, rng);
    }

    /// Somebody else trades a lot at the market.
    pub(super) fn foreign_trade(&mut self, symbol: usize, side: Side, now: i64) {
        let qty = self.instruments[symbol].lot.0 * i128::from(side.sign());
        let cash = -(qty * i128::from(self.ticks[symbol] * TICK) / NANO);
        self.shocks.push(Shock {
            at: now,
            symbol,
            qty,
            cash,
        });
    }

    /// Trades an order with the quote, as far as it is marketable.
    pub(super) fn trade(&mut self, at: usize, now: i64, rng: &mut Rng) {
        let order = &self.orders[at];
        let symbol = order.symbol;
        if order.ended.is_some() || self.halted[symbol] {
            return;
        }
        let limit = order.sent.kind.price().map_or(0, |price| price.0);
        let (marketable, price) = match order.sent.side {
            Side::Buy => (limit >= self.ask(symbol), self.ask(symbol)),
            Side::Sell => (limit <= self.bid(symbol), self.bid(symbol)),
        };
        if !marketable {
            return;
        }
        let lot = self.instruments[symbol].lot.0;
        let left = order.sent.qty.0 - order.filled;
        let part = left * i128::from(rng.between(1, self.part)) / 100;
        let whole = if self.part == 100 { 40 } else { 10 };
        let qty = if rng.chance(whole) {
            left
        } else {
            (part / lot * lot).max(lot.min(left))
        };
        self.execute(at, qty, price, now, rng);
    }

    fn execute(&mut self, at: usize, qty: i128, price: i64, now: i64, rng: &mut Rng) {
        let lag = if self.most_lag > 0 {
            rng.between(0, self.most_lag)
        } else {
            0
        };
        self.next_id += 1;
        self.executions.push(Execution {
            order: at,
            id: self.next_id,
            qty,
            price,
            at: now,
            lag,
            revised: None,
        });
        let order = &mut self.orders[at];
        order.filled += qty;
        if order.filled == order.sent.qty.0 {
            order.ended = Some((now, OrderState::Filled));
        }
    }

    /// Prices move, cancels arrive, orders trade.
    pub(super) fn tick(&mut self, now: i64, rng: &mut Rng) {
        for symbol in 0..self.ticks.len() {
            let step = (self.ticks[symbol] / 2_000).max(1);
            self.ticks[symbol] += rng.between(-step, step);
            self.spread[symbol] = rng.between(1, 4);
        }
        for at in 0..self.orders.len() {
            if self.orders[at].ours && rng.chance(60) {
                self.trade(at, now, rng);
            }
            self.end_cancels(at, now);
        }
    }

    fn end_cancels(&mut self, at: usize, now: i64) {
        let order = &mut self.orders[at];
        if order.ended.is_none() && order.cancel_at.is_some_and(|at| at <= now) {
            order.ended = Some((now, OrderState::Cancelled));
        }
    }

    /// The place of the newest order with an id, among those that show.
    pub(super) fn find(&self, id: ClientOrderId) -> Vec<usize> {
        let orders = self.orders.iter().enumerate();
        orders
            .filter(|(_, order)| order.ours && order.sent.client_order_id == id)
            .map(|(at, _)| at)
            .collect()
    }

    /// Whether an order shows at a time.
    pub(super) fn shows(&self, at: usize, seen: i64) -> bool {
        self.orders[at].at + self.orders[at].lag <= seen
    }

    /// Whether the venue does not name an order any more: it does not keep every one that has ended.
    pub(super) fn is_forgotten(&self, at: usize) -> bool {
        self.orders[at].ended.is_some() && self.orders[at].id.is_multiple_of(3)
    }

    /// An order as it shows at a time.
    pub(super) fn row(&self, at: usize, seen: i64) -> Order {
        let order = &self.orders[at];
        let fills = self.executions.iter();
        let filled: i128 = fills
            .filter(|fill| fill.order == at && fill.at <= seen)
            .map(|fill| fill.qty)
            .sum();
        let state = match order.ended {
            Some((ended, state)) if ended <= seen => state,
            _ if filled > 0 => OrderState::PartiallyFilled,
            _ => OrderState::Accepted,
        };
        Order {
            client_order_id: Some(order.sent.client_order_id),
            order_id: Some(OrderId(order.id)),
            account_id: "SIM".into(),
            symbol: order.sent.symbol,
            side: order.sent.side,
            kind: order.sent.kind,
            tif: order.sent.tif,
            qty: order.sent.qty,
            filled_qty: Units(filled),
            avg_px: None,
            state,
            reject_code: None,
            reject_text: None,
            ts_event: Some(Timestamp(START + order.at)),
        }
    }

    /// Executions that show at a time.
    pub(super) fn fills(&self, seen: i64) -> Vec<Fill> {
        let visible = self
            .executions
            .iter()
            .filter(|fill| fill.at + fill.lag <= seen);
        visible
            .filter(|fill| self.orders[fill.order].ours)
            .map(|fill| {
                let order = &self.orders[fill.order];
                let (qty, price) = fill.as_of(seen);
                let (fee, in_base) = self.fee(order.sent.side, qty, price);
                let rules = &self.instruments[order.symbol];
                Fill {
                    trade_id: fill.id.to_string(),
                    client_order_id: Some(order.sent.client_order_id),
                    order_id: Some(OrderId(order.id)),
                    account_id: "SIM".into(),
                    symbol: order.sent.symbol,
                    side: order.sent.side,
                    qty: Units(qty),
                    price: Price(price),
                    fee: Some(Money(fee)),
                    fee_currency: if in_base {
                        rules.base
                    } else {
                        Some(rules.currency)
                    },
                    liquidity: None,
                    correction: u32::from(fill.revised.is_some_and(|(at, ..)| at <= seen)),
                    ts_event: Timestamp(START + fill.at),
                }
            })
            .collect()
    }

    pub(super) fn positions(&self, seen: i64) -> Vec<Position> {
        (0..self.instruments.len())
            .map(|symbol| Position {
                account_id: "SIM".into(),
                symbol: self.instruments[symbol].symbol,
                qty: Units(self.position(symbol, seen)),
                available: None,
                avg_px: None,
                market_px: Some(Price(self.ticks[symbol] * TICK)),
            })
            .filter(|position| !position.qty.is_zero())
            .collect()
    }

    pub(super) fn account(&self, seen: i64) -> Account {
        let cash = self.cash(seen);
        let held: i128 = (0..self.ticks.len())
            .map(|symbol| {
                self.position(symbol, seen) * i128::from(self.ticks[symbol] * TICK) / NANO
            })
            .sum();
        Account {
            account_id: "SIM".into(),
            currency: self.instruments[0].currency,
            equity: Some(Money(cash + held)),
            cash: Money(cash),
            buying_power: Some(Money(cash)),
            is_paper: true,
            ts_event: None,
        }
    }

    pub(super) fn quote(&self, symbol: usize, now: i64) -> Quote {
        Quote {
            symbol: self.instruments[symbol].symbol,
            bid_px: Some(Price(self.bid(symbol))),
            bid_qty: Some(self.instruments[symbol].lot),
            ask_px: Some(Price(self.ask(symbol))),
            ask_qty: Some(self.instruments[symbol].lot),
            last_px: None,
            data_type: Some(DataType::Live),
            ts_event: Timestamp(START + now),
        }
    }

    pub(super) fn rules(&self, symbol: usize) -> Instrument {
        Instrument {
            state: if self.halted[symbol] {
                InstrumentState::Halted
            } else {
                InstrumentState::Trading
            },
            ..self.instruments[symbol]
        }
    }

    /// What has traded of our orders in an instrument, corrected.
    pub(super) fn ours(&self, symbol: usize) -> i128 {
        let fills = self.executions.iter();
        fills
            .filter(|fill| self.orders[fill.order].ours && self.orders[fill.order].symbol == symbol)
            .map(|fill| fill.as_of(i64::MAX).0)
            .sum()
    }

    /// What may still trade of our orders in an instrument.
    pub(super) fn leaves(&self, symbol: usize) -> i128 {
        let orders = self.orders.iter();
        orders
            .filter(|order| order.ours && order.symbol == symbol && order.ended.is_none())
            .map(|order| order.sent.qty.0 - order.filled)
            .sum()
    }

    /// Corrects an execution: takes it back, or makes it smaller.
    pub(super) fn correct(&mut self, at: usize, now: i64, rng: &mut Rng) {
        let symbol = self.orders[self.executions[at].order].symbol;
        let lot = self.instruments[symbol].lot.0;
        let fill = &mut self.executions[at];
        if fill.revised.is_some() {
            return;
        }
        let qty = if rng.chance(50) {
            0
        } else {
            fill.qty / 2 / lot * lot
        };
        fill.revised = Some((now, qty, fill.price));
    }
}

impl Execution {
    /// Quantity and price, as corrected until a time.
    pub(super) fn as_of(&self, seen: i64) -> (i128, i64) {
        match self.revised {
            Some((at, qty, price)) if at <= seen => (qty, price),
            _ => (self.qty, self.price),
        }
    }
}

/// What a buy takes at its limit, with the larger of the fees.
pub(super) fn cost(order: &NewOrder) -> i128 {
    let limit = order.kind.price().map_or(0, |price| price.0);
    let value = order.qty.0 * i128::from(limit) / NANO;
    value + value / 2_000
}

/// How long an order lives until the venue looks at it again.
pub(super) const TICK_EVERY: i64 = SECOND / 2;

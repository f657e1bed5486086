//! A look at the venue: what is asked before the next decision.

use std::collections::{HashMap, VecDeque};

use nanobook::trading::{Account, Instrument, Order, Position, Quote, Units};
use nanobook::{Side, Symbol};
use nanobook_broker::OrderKey;

use super::{Core, Defect, Next, Record, Request};

/// Where a look is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// Open orders are asked for.
    #[default]
    Open,
    /// Orders that are not among them are asked for.
    Orders,
    Fills,
    Positions,
    Instruments,
    Account,
    Quotes,
    /// All is known that is needed.
    Act,
    /// What was decided is sent.
    Send,
}

/// What was seen so far.
#[derive(Debug, Default)]
pub(super) struct Look {
    pub(super) step: Step,
    /// Whether everything is asked for, to see whether the run is over.
    pub(super) verify: bool,
    pub(super) open: Vec<Order>,
    pub(super) keys: VecDeque<OrderKey>,
    pub(super) positions: Option<Vec<Position>>,
    pub(super) held: HashMap<Symbol, Units>,
    pub(super) account: Option<Account>,
    pub(super) quotes: Vec<Quote>,
    pub(super) instruments: Vec<Instrument>,
}

impl Look {
    /// What is held of a symbol; `None` when the venue was not asked.
    pub(super) fn position(&self, symbol: Symbol) -> Option<Units> {
        self.positions.as_ref()?;
        Some(self.held.get(&symbol).copied().unwrap_or(Units::ZERO))
    }

    pub(super) fn quote(&self, symbol: Symbol) -> Option<&Quote> {
        self.quotes.iter().find(|quote| quote.symbol == symbol)
    }

    pub(super) fn instrument(&self, symbol: Symbol) -> Option<&Instrument> {
        self.instruments.iter().find(|rules| rules.symbol == symbol)
    }
}

impl Core {
    /// What to ask, or decide, next.
    pub(super) fn next(&mut self) -> Next {
        if !self.live.connected {
            if self.live.failures > 0 && self.flawed(Defect::ConnectsOnce) {
                return Next::Sleep;
            }
            return Next::Ask(Request::Connect);
        }
        match self.live.look.step {
            Step::Open => {
                self.live.look = Look {
                    verify: self.live.verify,
                    ..Look::default()
                };
                Next::Ask(Request::Open)
            }
            Step::Orders => match self.live.look.keys.front() {
                Some(&key) => Next::Ask(Request::Order(key)),
                None => self.go(Step::Fills),
            },
            Step::Fills => {
                let symbols = self.wanted_fills();
                if symbols.is_empty() {
                    return self.go(Step::Positions);
                }
                let since = self.plan().ts;
                Next::Ask(Request::Fills { symbols, since })
            }
            Step::Positions if self.wants_positions() => Next::Ask(Request::Positions),
            Step::Positions => self.go(Step::Instruments),
            // Of all that is held, too: risk checks look at the account as a whole, in its currency.
            Step::Instruments if self.wants_orders() => {
                let plan = self.plan();
                let legs = plan.legs.iter().map(super::Leg::symbol);
                Next::Ask(Request::Instruments(
                    legs.chain(plan.watch.iter().copied()).collect(),
                ))
            }
            Step::Instruments => self.go(Step::Account),
            Step::Account if self.live.look.verify || self.wants_orders() => {
                Next::Ask(Request::Account)
            }
            Step::Account => self.go(Step::Quotes),
            Step::Quotes if self.wants_orders() => {
                let plan = self.plan();
                let legs = plan.legs.iter().map(super::Leg::symbol);
                Next::Ask(Request::Quotes(
                    legs.chain(plan.watch.iter().copied()).collect(),
                ))
            }
            Step::Quotes => self.go(Step::Act),
            Step::Act => {
                self.live.look.step = Step::Send;
                self.act();
                Next::Again
            }
            Step::Send => self.send(),
        }
    }

    fn go(&mut self, step: Step) -> Next {
        self.live.look.step = step;
        Next::Again
    }

    /// Sends what was decided, cancels first.
    fn send(&mut self) -> Next {
        if let Some(id) = self.live.to_cancel.pop_front() {
            let now = self.mono();
            self.live.watch.entry(id).or_default().cancelled_at = Some(now);
            let open = self.live.look.open.iter();
            let mut open = open.filter(|order| order.client_order_id == Some(id));
            let ours = self.state.tracked(&id).map(|order| order.order.symbol);
            let symbol = ours.or_else(|| open.next().map(|order| order.symbol));
            return match symbol {
                Some(symbol) => Next::Ask(Request::Cancel(OrderKey {
                    client_order_id: id,
                    symbol,
                })),
                None => Next::Again,
            };
        }
        if self.closing().is_some() && !self.flawed(Defect::KillSeenLate) {
            self.drop_batch("no order is sent any more");
        }
        if let Some(id) = self.live.to_submit.pop_front() {
            let order = self.state.tracked(&id).map(|tracked| tracked.order);
            self.live.watch.entry(id).or_default().since = self.mono();
            return order.map_or(Next::Again, |order| Next::Ask(Request::Submit(order)));
        }
        let verifies_next = self.live.verify && !self.live.look.verify;
        self.live.look.step = Step::Open;
        if verifies_next || !self.live.unwritten.is_empty() {
            return Next::Again;
        }
        Next::Sleep
    }

    /// Orders that were going to be sent are not.
    pub(super) fn drop_batch(&mut self, why: &str) {
        while let Some(client_order_id) = self.live.to_submit.pop_front() {
            self.record(Record::Unsent {
                client_order_id,
                why: why.into(),
            });
        }
    }

    /// Instruments of whose executions something is missing.
    fn wanted_fills(&self) -> Vec<Symbol> {
        let legs = self.plan().legs.iter().enumerate();
        let wanted = legs.filter(|&(at, _)| {
            let everything = self.live.look.verify || !self.live.doubts[at].moved.is_new();
            if self.flawed(Defect::CorrectionsIgnored) && self.live.look.verify {
                return false;
            }
            self.state.orders_of(at).any(|order| {
                everything
                    || order.told > order.first
                    || (order.blind && !self.is_settled(order))
                    || (self.is_missing(order) && !self.flawed(Defect::AbsentByOrderAlone))
            })
        });
        wanted.map(|(_, leg)| leg.symbol()).collect()
    }

    /// Whether a leg stands between two orders: nothing of it is working, and it is not over.
    fn is_between(&self, leg: usize) -> bool {
        let fills_are_all = self.flawed(Defect::FillsAreAll);
        self.state.legs[leg].end.is_none()
            && self
                .state
                .orders_of(leg)
                .all(|order| self.is_settled(order) || (fills_are_all && !order.may_trade()))
    }

    /// Whether it is not known how an order stands: the venue has not shown it, or has not named it when asked.
    pub(super) fn is_missing(&self, order: &super::Tracked) -> bool {
        let watch = self.live.watch.get(&order.order.client_order_id);
        order.may_trade() && (Self::is_unknown(order) || watch.is_some_and(|w| w.absent > 0))
    }

    fn wants_positions(&self) -> bool {
        self.live.look.verify
            || (0..self.state.legs.len()).any(|leg| self.is_between(leg))
            || self.state.orders.iter().any(|order| self.is_missing(order))
    }

    /// Whether orders may follow from this look.
    fn wants_orders(&self) -> bool {
        self.closing().is_none()
            && (0..self.state.legs.len()).any(|leg| self.is_between(leg) && self.is_its_turn(leg))
    }

    /// Sells come first.
    pub(super) fn is_its_turn(&self, leg: usize) -> bool {
        let is_sell = |at: usize| self.plan().legs[at].side == Side::Sell;
        is_sell(leg)
            || self.flawed(Defect::BuysFirst)
            || self.flawed(Defect::ProceedsExpected)
            || (0..self.state.legs.len())
                .all(|at| !is_sell(at) || self.state.legs[at].end.is_some())
    }
}

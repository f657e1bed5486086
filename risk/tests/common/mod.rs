//! A small account in which everything is known and everything passes, to be spoiled one thing at a time.
#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, reason = "a helper of tests")]

use nanobook::trading::{
    Account, DataType, Instrument, InstrumentState, NewOrder, Order, OrderState, Position, Quote,
    TimeInForce, Units, decimal,
};
use nanobook::{Money, OrderKind, Price, Side, Symbol, Timestamp};
use nanobook_risk::{
    Check, Day, Limits, Outcome, Proceeds, Report, RiskCheck, RiskEngine, Session, Situation,
    Targets,
};

pub(crate) const SECOND: i64 = 1_000_000_000;

pub(crate) fn px(text: &str) -> Price {
    decimal::price(text).unwrap()
}

pub(crate) fn qty(text: &str) -> Units {
    text.parse().unwrap()
}

pub(crate) fn money(text: &str) -> Money {
    decimal::money(text).unwrap()
}

pub(crate) fn sym(text: &str) -> Symbol {
    text.parse().unwrap()
}

pub(crate) fn order(id: &str, symbol: &str, side: Side, q: &str, limit: &str) -> NewOrder {
    NewOrder {
        client_order_id: id.parse().unwrap(),
        symbol: sym(symbol),
        side,
        qty: qty(q),
        kind: OrderKind::Limit { price: px(limit) },
        tif: TimeInForce::Day,
    }
}

pub(crate) fn working(order: &NewOrder, state: OrderState, filled: &str) -> Order {
    Order {
        client_order_id: Some(order.client_order_id),
        order_id: None,
        account_id: "DU1".into(),
        symbol: order.symbol,
        side: order.side,
        kind: order.kind,
        tif: order.tif,
        qty: order.qty,
        filled_qty: qty(filled),
        avg_px: None,
        state,
        reject_code: None,
        reject_text: None,
        ts_event: None,
    }
}

pub(crate) fn position(symbol: &str, q: &str) -> Position {
    Position {
        account_id: "DU1".into(),
        symbol: sym(symbol),
        qty: qty(q),
        available: None,
        avg_px: None,
        market_px: None,
    }
}

pub(crate) fn quote(symbol: &str, bid: &str, ask: &str) -> Quote {
    Quote {
        symbol: sym(symbol),
        bid_px: Some(px(bid)),
        bid_qty: None,
        ask_px: Some(px(ask)),
        ask_qty: None,
        last_px: None,
        data_type: Some(DataType::Live),
        ts_event: Timestamp(100 * SECOND),
    }
}

pub(crate) fn instrument(symbol: &str) -> Instrument {
    Instrument {
        symbol: sym(symbol),
        currency: sym("USD"),
        base: None,
        tick: px("0.01"),
        lot: qty("1"),
        min_qty: None,
        max_qty: Some(qty("100000")),
        min_price: None,
        max_price: None,
        min_notional: Some(money("1")),
        max_notional: None,
        state: InstrumentState::Trading,
    }
}

/// Equity 1,000,000: 5,000 B at 100 and 500,000 in cash; buys 1,000 A at 100, quoted 99 to 101.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) limits: String,
    pub(crate) orders: Vec<NewOrder>,
    pub(crate) working: Option<Vec<Order>>,
    pub(crate) positions: Option<Vec<Position>>,
    pub(crate) account: Option<Account>,
    pub(crate) quotes: Vec<Quote>,
    pub(crate) instruments: Vec<Instrument>,
    pub(crate) volumes: Vec<(Symbol, Units)>,
    pub(crate) located: Vec<(Symbol, Units)>,
    pub(crate) proceeds: Proceeds,
    pub(crate) as_of: Timestamp,
    pub(crate) weights: Option<Vec<(Symbol, f64)>>,
    pub(crate) plan: Option<Vec<NewOrder>>,
    pub(crate) day: Option<Day>,
    pub(crate) session: Session<'static>,
}

impl World {
    pub(crate) fn new(limits: &str) -> Self {
        Self {
            limits: limits.into(),
            orders: vec![order("a-0", "A", Side::Buy, "1000", "100")],
            working: Some(vec![]),
            positions: Some(vec![position("B", "5000")]),
            account: Some(Account {
                account_id: "DU1".into(),
                currency: sym("USD"),
                equity: Some(money("1000000")),
                cash: money("500000"),
                buying_power: Some(money("500000")),
                is_paper: true,
                ts_event: None,
            }),
            quotes: vec![quote("A", "99", "101"), quote("B", "99", "101")],
            instruments: vec![instrument("A"), instrument("B")],
            volumes: vec![],
            located: vec![],
            proceeds: Proceeds::Ignored,
            as_of: Timestamp(100 * SECOND),
            weights: None,
            plan: None,
            day: None,
            session: Session {
                kill_switch: Some(false),
                halted: Some(false),
                reduce_only: Some(false),
                market_open: Some(true),
                account_id: Some("DU1"),
                paper: Some(true),
                unexplained: Some(0),
                orders_sent: Some(0),
                messages_sent: Some(0),
                runs: Some(0),
            },
        }
    }

    pub(crate) fn report(&self) -> Report {
        let engine = RiskEngine::new(Limits::from_toml(&self.limits).unwrap());
        let targets = self.weights.as_deref().map(|weights| Targets {
            as_of: self.as_of,
            weights,
        });
        let situation = Situation {
            working: self.working.as_deref(),
            positions: self.positions.as_deref(),
            account: self.account.as_ref(),
            quotes: &self.quotes,
            instruments: &self.instruments,
            volumes: &self.volumes,
            located: &self.located,
            proceeds: self.proceeds,
            targets: targets.as_ref(),
            plan: self.plan.as_deref(),
            day: self.day,
            session: self.session,
            ..Situation::new(Timestamp(100 * SECOND))
        };
        engine.check(&self.orders, &situation)
    }

    /// The worst row of a check.
    pub(crate) fn worst(&self, check: Check) -> RiskCheck {
        let report = self.report();
        let rows = report.rows().iter().filter(|row| row.check == check);
        *rows
            .max_by_key(|row| row.outcome)
            .unwrap_or_else(|| panic!("{check} did not run"))
    }

    pub(crate) fn passes(&self, check: Check) -> bool {
        self.worst(check).outcome == Outcome::Pass
    }

    pub(crate) fn account(&mut self) -> &mut Account {
        self.account.as_mut().unwrap()
    }
}

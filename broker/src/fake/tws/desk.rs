//! What the gateway knows: accounts, quotes, orders, executions. It answers with frames and to whom they go.

use std::collections::{BTreeMap, VecDeque};

use nanobook::trading::decimal::{self, ONE, Plain};

use super::clock::{now_ms, now_text};
use super::fault::Fault;
use super::listing::{Listing, stock};
use super::wire::Message;

/// To whom a frame goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To {
    /// Who asked.
    Asker,
    /// The client that placed the order.
    Client(i32),
}

/// The field of an order that is not to be placed.
const WHAT_IF: u32 = 65;

/// A frame to be sent.
pub(super) type Out = (To, i32, Message);

/// What is to be done with the connection after the frames are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    Go,
    Cut,
    Deaf,
}

#[derive(Clone, Debug)]
#[expect(clippy::struct_field_names, reason = "the names of the protocol")]
pub(super) struct Order {
    pub(super) order_id: i64,
    pub(super) client_id: i32,
    pub(super) perm_id: i64,
    pub(super) order_ref: String,
    contract: Message,
    order: Message,
    pub(super) symbol: String,
    buys: bool,
    qty: i128,
    limit: Option<i128>,
    tif: String,
    filled: i128,
    value: i128,
    pub(super) status: &'static str,
}

#[derive(Clone, Debug)]
pub(super) struct Execution {
    exec_id: String,
    order_id: i64,
    client_id: i32,
    perm_id: i64,
    order_ref: String,
    contract: Message,
    symbol: String,
    buys: bool,
    qty: i128,
    price: i128,
    filled: i128,
    average: f64,
    time: String,
    commission: Option<i128>,
}

#[derive(Debug)]
pub(super) struct Desk {
    pub(super) accounts: Vec<String>,
    pub(super) cash: i128,
    pub(super) positions: BTreeMap<String, (i128, i128)>,
    /// Bid, ask, and how many at each.
    pub(super) quotes: BTreeMap<String, [i128; 4]>,
    pub(super) orders: Vec<Order>,
    pub(super) executions: Vec<Execution>,
    pub(super) faults: VecDeque<Fault>,
    pub(super) next_order_id: i64,
    next_perm: i64,
    next_exec: u32,
    pub(super) log: Vec<i32>,
    /// The gateway's clock less that of the machine, in milliseconds.
    pub(super) clock_ms: i64,
    pub(super) listing: Listing,
    /// Of `Hide`.
    hidden: u32,
}

fn units(value: i128) -> String {
    Plain(value).to_string()
}

fn double(value: i128) -> f64 {
    value as f64 / 1e9
}

pub(super) fn error(id: i64, code: i32, text: &str) -> Message {
    Message::new()
        .with_int(1, id)
        .with_int(2, 0)
        .with_int(3, i64::from(code))
        .with_text(4, text)
}

impl Desk {
    pub(super) fn new() -> Self {
        let whole = |n: i128| n * ONE;
        Self {
            accounts: vec!["DU1234567".to_owned()],
            cash: whole(100_000),
            positions: BTreeMap::from([("MSFT".to_owned(), (whole(50), whole(400)))]),
            quotes: BTreeMap::from([
                (
                    "AAPL".to_owned(),
                    [whole(199), whole(200), whole(300), whole(300)],
                ),
                (
                    "MSFT".to_owned(),
                    [whole(400), whole(401), whole(300), whole(300)],
                ),
                (
                    "SPY".to_owned(),
                    [whole(500), whole(501), whole(300), whole(300)],
                ),
            ]),
            orders: Vec::new(),
            executions: Vec::new(),
            faults: VecDeque::new(),
            next_order_id: 1,
            next_perm: 900_000_001,
            next_exec: 1,
            log: Vec::new(),
            clock_ms: 0,
            listing: Listing::default(),
            hidden: 0,
        }
    }

    /// Takes a fault that waits.
    pub(super) fn take(&mut self, wanted: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let at = self.faults.iter().position(wanted)?;
        self.faults.remove(at)
    }

    /// Whether a lasting fault is on.
    fn on(&self, fault: &Fault) -> bool {
        self.faults.contains(fault)
    }

    /// Answers a request.
    pub(super) fn handle(&mut self, client: i32, id: i32, request: &Message) -> (Vec<Out>, Then) {
        self.log.push(id);
        if self
            .take(|f| matches!(f, Fault::NoAnswer { request } if *request == id))
            .is_some()
        {
            return (Vec::new(), Then::Go);
        }
        if self.take(|f| *f == Fault::HalfOpen).is_some() {
            return (Vec::new(), Then::Deaf);
        }
        let endless = self
            .take(|f| matches!(f, Fault::NoEnd { request } if *request == id))
            .is_some();
        let req_id = request.int(1);
        let to = To::Asker;
        let mut out: Vec<Out> = match id {
            105 => {
                vec![(to, 109, Message::new().with_int(1, self.now_ms()))]
            }
            49 => {
                vec![(to, 49, Message::new().with_int(1, self.now_ms() / 1_000))]
            }
            8 => vec![(to, 9, Message::new().with_int(1, self.next_order_id))],
            17 => vec![(to, 15, Message::new().with_text(1, self.accounts.join(",")))],
            62 => self.summary(req_id),
            61 => self.position_rows(),
            9 => self.listing.details(req_id, &request.message(2)),
            91 => self.listing.rule(req_id),
            1 => self.snapshot(req_id, &request.message(2)),
            16 | 5 => self.open_rows(),
            7 => self.execution_rows(req_id),
            99 => self.completed_rows(),
            3 => return self.place(client, request),
            4 => self.cancel(client, req_id),
            _ => Vec::new(),
        };
        if endless {
            out.pop();
        }
        (out, Then::Go)
    }

    fn now_ms(&self) -> i64 {
        now_ms() + self.clock_ms
    }

    /// Whether the last order with a reference may trade outside regular hours.
    pub(super) fn outside_hours(&self, order_ref: &str) -> Option<bool> {
        /// The field of an order that says so.
        const OUTSIDE: u32 = 19;
        let order = self.orders.iter().rfind(|o| o.order_ref == order_ref)?;
        Some(order.order.int(OUTSIDE) == 1)
    }

    fn net(&self) -> i128 {
        let value = |(symbol, (qty, _)): (&String, &(i128, i128))| {
            self.quotes
                .get(symbol)
                .map_or(0, |q| q[0].midpoint(q[1]) * qty / ONE)
        };
        self.cash + self.positions.iter().map(value).sum::<i128>()
    }

    fn summary(&self, req_id: i64) -> Vec<Out> {
        let mut out = Vec::new();
        for account in &self.accounts {
            let mut row = |tag: &str, value: String| {
                let row = Message::new()
                    .with_int(1, req_id)
                    .with_text(2, account)
                    .with_text(3, tag)
                    .with_text(4, value)
                    .with_text(5, "USD");
                out.push((To::Asker, 63, row));
            };
            row("NetLiquidation", units(self.net()));
            row("TotalCashValue", units(self.cash));
            row("BuyingPower", units(self.cash.max(0)));
        }
        out.push((To::Asker, 64, Message::new().with_int(1, req_id)));
        out
    }

    fn position_rows(&self) -> Vec<Out> {
        let row = |(symbol, (qty, cost)): (&String, &(i128, i128))| {
            let row = Message::new()
                .with_text(1, &self.accounts[0])
                .with_message(2, &stock(symbol).unwrap_or_default())
                .with_text(3, units(*qty))
                .with_double(4, double(*cost));
            (To::Asker, 61, row)
        };
        let mut out: Vec<Out> = self.positions.iter().map(row).collect();
        out.push((To::Asker, 62, Message::new()));
        out
    }

    fn snapshot(&mut self, req_id: i64, asked: &Message) -> Vec<Out> {
        let answer = |code, text: &str| vec![(To::Asker, 4, error(req_id, code, text))];
        let Some(quote) = self.quotes.get(&asked.text(2)) else {
            return answer(200, "No security definition has been found for the request");
        };
        if self.on(&Fault::NoMarketData) {
            return answer(354, "Requested market data is not subscribed.");
        }
        let delayed = self.on(&Fault::Delayed);
        let kind = if delayed { 3 } else { 1 };
        let [bid, ask, bid_qty, ask_qty] = *quote;
        let types = if delayed { [66, 67] } else { [1, 2] };
        let mut out = vec![(
            To::Asker,
            58,
            Message::new().with_int(1, req_id).with_int(2, kind),
        )];
        for (number, price, qty) in [(types[0], bid, bid_qty), (types[1], ask, ask_qty)] {
            let shown = if price > 0 { double(price) } else { -1.0 };
            let tick = Message::new()
                .with_int(1, req_id)
                .with_int(2, number)
                .with_double(3, shown)
                .with_text(4, units(qty))
                .with_int(5, 0);
            out.push((To::Asker, 1, tick));
        }
        out.push((To::Asker, 57, Message::new().with_int(1, req_id)));
        out
    }

    fn open_order(order: &Order) -> Message {
        let filled = order
            .order
            .clone()
            .with_int(1, i64::from(order.client_id))
            .with_int(2, order.order_id)
            .with_int(3, order.perm_id)
            .with_text(115, units(order.filled));
        Message::new()
            .with_int(1, order.order_id)
            .with_message(2, &order.contract)
            .with_message(3, &filled)
            .with_message(4, &Message::new().with_text(1, order.status))
    }

    fn status(order: &Order) -> Message {
        let average = if order.filled > 0 {
            double(order.value) / double(order.filled)
        } else {
            0.0
        };
        Message::new()
            .with_int(1, order.order_id)
            .with_text(2, order.status)
            .with_text(3, units(order.filled))
            .with_text(4, units(order.qty - order.filled))
            .with_double(5, average)
            .with_int(6, order.perm_id)
            .with_int(9, i64::from(order.client_id))
    }

    fn is_open(order: &Order) -> bool {
        matches!(order.status, "PreSubmitted" | "Submitted" | "PendingSubmit")
    }

    fn shown(&mut self) -> bool {
        if let Some(Fault::Hide { lists }) = self.take(|f| matches!(f, Fault::Hide { .. })) {
            self.hidden = lists;
        }
        let shown = self.hidden == 0;
        self.hidden = self.hidden.saturating_sub(1);
        shown
    }

    fn open_rows(&mut self) -> Vec<Out> {
        let mut out = Vec::new();
        if self.shown() {
            for order in self.orders.iter().filter(|order| Self::is_open(order)) {
                out.push((To::Asker, 5, Self::open_order(order)));
                out.push((To::Asker, 3, Self::status(order)));
            }
        }
        out.push((To::Asker, 53, Message::new()));
        out
    }

    fn completed_rows(&mut self) -> Vec<Out> {
        let mut out = Vec::new();
        if self.shown() {
            for order in self.orders.iter().filter(|order| !Self::is_open(order)) {
                // Of a completed order the quantity is what did not trade.
                let left = order
                    .order
                    .clone()
                    .with_int(3, order.perm_id)
                    .with_text(6, units(order.qty - order.filled))
                    .with_text(115, units(order.filled));
                let state = Message::new().with_text(1, order.status);
                let row = Message::new()
                    .with_message(1, &order.contract)
                    .with_message(2, &left)
                    .with_message(3, &state);
                out.push((To::Asker, 101, row));
            }
        }
        out.push((To::Asker, 102, Message::new()));
        out
    }

    fn execution_row(req_id: i64, execution: &Execution, account: &str) -> Message {
        let row = Message::new()
            .with_int(1, execution.order_id)
            .with_text(2, &execution.exec_id)
            .with_text(3, &execution.time)
            .with_text(4, account)
            .with_text(5, "NASDAQ")
            .with_text(6, if execution.buys { "BOT" } else { "SLD" })
            .with_text(7, units(execution.qty))
            .with_double(8, double(execution.price))
            .with_int(9, execution.perm_id)
            .with_int(10, i64::from(execution.client_id))
            .with_text(12, units(execution.filled))
            .with_double(13, execution.average)
            .with_text(14, &execution.order_ref)
            .with_int(18, 2);
        Message::new()
            .with_int(1, req_id)
            .with_message(2, &execution.contract)
            .with_message(3, &row)
    }

    fn commission_row(execution: &Execution) -> Message {
        let fee = execution.commission.map_or(-1.0, double);
        Message::new()
            .with_text(1, &execution.exec_id)
            .with_double(2, fee)
            .with_text(3, "USD")
    }

    fn execution_rows(&mut self, req_id: i64) -> Vec<Out> {
        let foreign = self.take(|f| *f == Fault::Foreign).is_some();
        let account = if foreign {
            "DU7654321"
        } else {
            &self.accounts[0]
        };
        let mut out = Vec::new();
        for execution in &self.executions {
            out.push((
                To::Asker,
                11,
                Self::execution_row(req_id, execution, account),
            ));
            out.push((To::Asker, 59, Self::commission_row(execution)));
        }
        out.push((To::Asker, 55, Message::new().with_int(1, req_id)));
        out
    }

    fn place(&mut self, client: i32, request: &Message) -> (Vec<Out>, Then) {
        let order_id = request.int(1);
        let asked = request.message(3);
        let symbol = request.message(2).text(2);
        let refuse =
            |code, text: &str| (vec![(To::Asker, 4, error(order_id, code, text))], Then::Go);
        let faulty = self.take(|f| {
            matches!(
                f,
                Fault::DropOrder { .. }
                    | Fault::DropInMidFill
                    | Fault::Refuse { .. }
                    | Fault::Warn { .. }
            )
        });
        match &faulty {
            Some(Fault::DropOrder { processed: false }) => return (Vec::new(), Then::Cut),
            Some(Fault::Refuse { code, text }) => return refuse(*code, text),
            _ => {}
        }
        // Only the order id is compared; a reference may come twice.
        if self
            .orders
            .iter()
            .any(|o| o.order_id == order_id && o.client_id == client)
            && order_id < self.next_order_id
        {
            return refuse(103, "Duplicate order id");
        }
        let Some(contract) = stock(&symbol) else {
            return refuse(200, "No security definition has been found for the request");
        };
        let qty = decimal::parse(&asked.text(6)).unwrap_or_default();
        let price = asked.double(9).filter(|price| *price < 1e300);
        let limit = match (asked.text(8).as_str(), price) {
            ("LMT", Some(price)) => decimal::nearest(price).ok(),
            _ => None,
        };
        if limit.is_some_and(|limit| !self.listing.takes(&symbol, limit)) {
            return refuse(
                110,
                "The price does not conform to the minimum price variation for this contract.",
            );
        }
        let buys = asked.text(5) == "BUY";
        if buys && limit.unwrap_or_default() * qty / ONE > self.cash {
            return refuse(
                201,
                "Order rejected - reason:YOUR ORDER IS NOT ACCEPTED. INSUFFICIENT FUNDS",
            );
        }
        self.next_order_id = self.next_order_id.max(order_id + 1);
        if asked.int(WHAT_IF) == 1 {
            let answer = self.what_if(order_id, &contract, &asked, limit);
            return (vec![(To::Asker, 5, answer)], Then::Go);
        }
        let at = self.orders.len();
        self.orders.push(Order {
            order_id,
            client_id: client,
            perm_id: self.next_perm,
            order_ref: asked.text(28),
            contract,
            symbol,
            buys,
            qty,
            limit,
            tif: asked.text(11),
            order: asked,
            filled: 0,
            value: 0,
            status: "PreSubmitted",
        });
        self.next_perm += 1;
        let mut out = Vec::new();
        if let Some(Fault::Warn { code, text }) = &faulty {
            out.push((To::Asker, 4, error(order_id, *code, text)));
        }
        let to = To::Client(client);
        out.push((to, 5, Self::open_order(&self.orders[at])));
        self.tell_status(at, &mut out);
        self.orders[at].status = "Submitted";
        self.tell_status(at, &mut out);
        if faulty == Some(Fault::DropInMidFill) {
            let price = self.orders[at].limit.unwrap_or_default();
            out.extend(self.trade(at, qty / 2, price));
            return (out, Then::Cut);
        }
        out.extend(self.cross(at));
        if faulty == Some(Fault::DropOrder { processed: true }) {
            return (Vec::new(), Then::Cut);
        }
        (out, Then::Go)
    }

    /// What an order would do: half of what positions are worth is margin, and three tenths keep them.
    fn what_if(
        &self,
        order_id: i64,
        contract: &Message,
        asked: &Message,
        limit: Option<i128>,
    ) -> Message {
        let qty = decimal::parse(&asked.text(6)).unwrap_or_default();
        let quote = self.quotes.get(&contract.text(2)).copied();
        let ask = quote.map_or(0, |[_, ask, _, _]| ask);
        let value = limit.unwrap_or(ask) * qty / ONE;
        let change = if asked.text(5) == "BUY" {
            value
        } else {
            -value
        };
        let before = self.net() - self.cash;
        let after = before + change;
        let state = Message::new()
            .with_text(1, "PreSubmitted")
            .with_double(2, double(before / 2))
            .with_double(3, double(before * 3 / 10))
            .with_double(4, double(self.net()))
            .with_double(8, double(after / 2))
            .with_double(9, double(after * 3 / 10))
            .with_double(10, double(self.net() - ONE))
            .with_double(11, 1.0)
            // The largest double: not known.
            .with_double(12, f64::MAX)
            .with_text(14, "USD")
            .with_text(15, "USD");
        Message::new()
            .with_int(1, order_id)
            .with_message(2, contract)
            .with_message(3, asked)
            .with_message(4, &state)
    }

    fn tell_status(&self, at: usize, out: &mut Vec<Out>) {
        let order = &self.orders[at];
        let times = if self.on(&Fault::RepeatStatus) { 2 } else { 1 };
        for _ in 0..times {
            out.push((To::Client(order.client_id), 3, Self::status(order)));
        }
    }

    /// Trades an order with the quote.
    fn cross(&mut self, at: usize) -> Vec<Out> {
        let order = self.orders[at].clone();
        let Some([bid, ask, bid_qty, ask_qty]) = self.quotes.get(&order.symbol).copied() else {
            return Vec::new();
        };
        let (price, there) = if order.buys {
            (ask, ask_qty)
        } else {
            (bid, bid_qty)
        };
        let meets = match order.limit {
            None => true,
            Some(limit) if order.buys => limit >= price,
            Some(limit) => limit <= price,
        };
        let left = order.qty - order.filled;
        let mut qty = if meets && price > 0 {
            there.min(left)
        } else {
            0
        };
        if order.tif == "FOK" && qty < left {
            qty = 0;
        }
        let mut out = Vec::new();
        if qty > 0 {
            if let Some(quote) = self.quotes.get_mut(&order.symbol) {
                quote[if order.buys { 3 } else { 2 }] -= qty;
            }
            out = self.trade(at, qty, price);
        }
        let rests = order.limit.is_some() && !matches!(order.tif.as_str(), "IOC" | "FOK");
        if self.orders[at].filled < order.qty && !rests {
            self.orders[at].status = "Cancelled";
            self.tell_status(at, &mut out);
        }
        out
    }

    /// Trades a resting order, at its own price, with a quote that came to it.
    fn meet(&mut self, at: usize) -> Vec<Out> {
        let order = &self.orders[at];
        let (left, buys) = (order.qty - order.filled, order.buys);
        let Some(limit) = order.limit else {
            return Vec::new();
        };
        let Some(quote) = self.quotes.get_mut(&order.symbol) else {
            return Vec::new();
        };
        let (price, there) = if buys {
            (quote[1], &mut quote[3])
        } else {
            (quote[0], &mut quote[2])
        };
        let meets = price > 0 && if buys { limit >= price } else { limit <= price };
        let qty = left.min(*there);
        if !meets || qty <= 0 {
            return Vec::new();
        }
        *there -= qty;
        self.trade(at, qty, limit)
    }

    /// An execution, and what is told of it.
    pub(super) fn trade(&mut self, at: usize, qty: i128, price: i128) -> Vec<Out> {
        let pending = self.on(&Fault::PendingCommission);
        let order = &mut self.orders[at];
        order.filled += qty;
        order.value += price * qty / ONE;
        if order.filled == order.qty {
            order.status = "Filled";
        }
        let execution = Execution {
            exec_id: format!("0001f4e8.65a1b2c3.{:02}.01", self.next_exec),
            order_id: order.order_id,
            client_id: order.client_id,
            perm_id: order.perm_id,
            order_ref: order.order_ref.clone(),
            contract: order.contract.clone(),
            symbol: order.symbol.clone(),
            buys: order.buys,
            qty,
            price,
            filled: order.filled,
            average: double(order.value) / double(order.filled),
            time: now_text(),
            commission: (!pending).then_some(ONE),
        };
        self.next_exec += 1;
        let signed = if order.buys { qty } else { -qty };
        self.cash -= price * signed / ONE + execution.commission.unwrap_or_default();
        let position = self.positions.entry(order.symbol.clone()).or_default();
        position.0 += signed;
        position.1 = price;
        self.positions.retain(|_, (qty, _)| *qty != 0);
        let client = To::Client(self.orders[at].client_id);
        let told = (
            client,
            11,
            Self::execution_row(-1, &execution, &self.accounts[0]),
        );
        let commission = (client, 59, Self::commission_row(&execution));
        self.executions.push(execution);
        let mut out = Vec::new();
        if self.on(&Fault::ExecutionFirst) {
            out.push(told);
            self.tell_status(at, &mut out);
        } else {
            self.tell_status(at, &mut out);
            out.push(told);
        }
        out.push(commission);
        if self.take(|f| *f == Fault::LoseCallbacks).is_some() {
            out.clear();
        }
        out
    }

    fn cancel(&mut self, client: i32, order_id: i64) -> Vec<Out> {
        let found = self
            .orders
            .iter()
            .rposition(|o| o.order_id == order_id && o.client_id == client);
        let Some(at) = found else {
            let text = format!("OrderId {order_id} that needs to be cancelled is not found.");
            return vec![(To::Asker, 4, error(order_id, 10_147, &text))];
        };
        let mut out = Vec::new();
        if self.take(|f| *f == Fault::FillBeforeCancel).is_some() {
            let order = &self.orders[at];
            let (left, price) = (order.qty - order.filled, order.limit.unwrap_or_default());
            out.extend(self.trade(at, left, price));
        }
        if !Self::is_open(&self.orders[at]) {
            let text = format!(
                "OrderId {order_id} that needs to be cancelled can not be cancelled, state: {}.",
                self.orders[at].status
            );
            out.push((To::Asker, 4, error(order_id, 10_148, &text)));
            return out;
        }
        self.orders[at].status = "Cancelled";
        self.tell_status(at, &mut out);
        out.push((
            To::Asker,
            4,
            error(order_id, 202, "Order Canceled - reason:"),
        ));
        out
    }

    /// Gives the last execution another price, as a corrected report of it.
    pub(super) fn correct(&mut self, price: i128) {
        if let Some(last) = self.executions.last().cloned() {
            let base = last
                .exec_id
                .rsplit_once('.')
                .map_or("", |(base, _)| base)
                .to_owned();
            let exec_id = format!("{base}.02");
            self.executions.push(Execution {
                exec_id,
                price,
                ..last
            });
        }
    }

    /// Gives an open order another permanent id, as a change or a lost connection can, and keeps the old one as
    /// cancelled.
    pub(super) fn split(&mut self, order_ref: &str) {
        if let Some(at) = self.orders.iter().position(|o| o.order_ref == order_ref) {
            let mut other = self.orders[at].clone();
            self.orders[at].status = "Cancelled";
            other.perm_id = self.next_perm;
            self.next_perm += 1;
            self.orders.push(other);
        }
    }

    pub(super) fn show(&mut self, symbol: &str, quote: [i128; 4]) -> Vec<Out> {
        self.quotes.insert(symbol.to_owned(), quote);
        let mut out = Vec::new();
        for at in 0..self.orders.len() {
            let order = &self.orders[at];
            if order.symbol == symbol && Self::is_open(order) {
                out.extend(self.meet(at));
            }
        }
        out
    }

    /// Whether the last execution was in this symbol.
    pub(super) fn last_symbol(&self) -> Option<&str> {
        self.executions
            .last()
            .map(|execution| execution.symbol.as_str())
    }
}

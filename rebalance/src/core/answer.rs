//! What answers teach.

use std::collections::BTreeSet;

use nanobook::trading::{Fill, Order, OrderState};
use nanobook::{Symbol, Timestamp};
use nanobook_broker::OrderKey;

use super::look::Step;
use super::{Answer, Core, Defect, Doubt, Failure, LegEnd, Record, Reply, Request};

/// The pause after a failure doubles this often at most.
const MOST_DOUBLINGS: u32 = 4;

impl Core {
    /// The answer to a request, in time or late.
    pub(super) fn answered(&mut self, id: u64, answer: Answer) {
        let any = self.flawed(Defect::AnswersUnmatched);
        if let Some(flight) = self.live.flight.take_if(|flight| any || flight.id == id) {
            let asked = flight.deadline - self.settings().request_timeout_ns;
            self.answer(flight.request, asked, answer);
        } else if let Some(client_order_id) = self.live.late.remove(&id)
            && let Answer::Reply(reply) = answer
            && !matches!(reply, Reply::Unknown(_) | Reply::Duplicate { .. })
        {
            // It says what became of the order after all.
            self.submitted(client_order_id, reply);
        }
    }

    /// The answer to a request that was asked at this time.
    fn answer(&mut self, request: Request, asked: i64, answer: Answer) {
        let answer = match (&request, answer) {
            (Request::Order(_) | Request::Open, Answer::Failed(failure))
                if !failure.reconnect && self.flawed(Defect::ErrorIsEmpty) =>
            {
                Answer::Orders(Vec::new())
            }
            (Request::Positions, Answer::Failed(failure))
                if !failure.reconnect && self.flawed(Defect::ErrorIsEmpty) =>
            {
                Answer::Positions(Vec::new())
            }
            (_, answer) => answer,
        };
        match (request, answer) {
            (_, Answer::Failed(failure)) => {
                self.fail(&failure);
                return;
            }
            (Request::Connect, Answer::Connected(session)) => {
                let wall = self.live.now.wall.0.saturating_add(session.clock_offset_ns);
                self.live.venue_offset = wall.saturating_sub(self.mono());
                self.live.connected = true;
                self.live.connected_at = self.mono();
                self.live.look.step = Step::Open;
            }
            (Request::Submit(order), Answer::Reply(reply)) => {
                self.submitted(order.client_order_id, reply);
                return;
            }
            (Request::Cancel(_), Answer::Reply(reply)) => match reply {
                Reply::Confirmed(mut order) => {
                    if self.flawed(Defect::CancelReplyIsFinal) && !order.state.is_final() {
                        order.state = OrderState::Cancelled;
                    }
                    self.see(order);
                }
                Reply::Rejected { .. } | Reply::Duplicate { .. } => {}
                Reply::NotSent(failure) | Reply::Unknown(failure) => {
                    self.fail(&failure);
                    return;
                }
            },
            (Request::Order(key), Answer::Orders(orders)) => {
                self.live.look.keys.pop_front();
                self.looked_for(key, orders);
            }
            (Request::Open, Answer::Orders(orders)) => self.opened(orders),
            (Request::Fills { symbols, .. }, Answer::Fills(fills)) => {
                self.looked_for_fills(&symbols, asked);
                for fill in fills {
                    self.filled(fill);
                }
                self.live.look.step = Step::Positions;
            }
            (Request::Positions, Answer::Positions(positions)) => {
                let held = positions.iter().map(|held| (held.symbol, held.qty));
                self.live.look.held = held.collect();
                self.live.look.positions = Some(positions);
                self.live.look.step = Step::Instruments;
            }
            (Request::Instruments(_), Answer::Instruments(instruments)) => {
                self.live.look.instruments = instruments;
                self.live.look.step = Step::Account;
            }
            (Request::Account, Answer::Account(account)) => {
                self.live.look.account = Some(account);
                self.live.look.step = Step::Quotes;
            }
            (Request::Quotes(_), Answer::Quotes(quotes)) => {
                self.live.look.quotes = quotes;
                self.live.look.step = Step::Act;
            }
            _ => {
                self.fail(&Failure {
                    text: "an answer to another question".into(),
                    reconnect: true,
                    pause_ns: 0,
                });
                return;
            }
        }
        self.live.failures = 0;
    }

    /// A question failed: nothing is known. Pause, connect if need be, and look anew.
    pub(super) fn fail(&mut self, failure: &Failure) {
        let forgets = self.flawed(Defect::ClockNeverSet) && failure.text.contains("recvWindow");
        if failure.reconnect && !forgets {
            self.live.connected = false;
        }
        let pause = self.settings().poll_ns << self.live.failures.min(MOST_DOUBLINGS);
        self.live.failures += 1;
        let asked = if self.flawed(Defect::PauseIgnored) {
            0
        } else {
            failure.pause_ns
        };
        self.sleep(asked.max(pause));
        self.drop_batch("the connection failed before it was sent");
        self.live.to_cancel.clear();
        self.live.look.step = Step::Open;
    }

    fn submitted(&mut self, client_order_id: nanobook::trading::ClientOrderId, reply: Reply) {
        let reply = match reply {
            Reply::Unknown(failure)
                if self.flawed(if failure.reconnect {
                    Defect::BreakIsRefusal
                } else {
                    Defect::ErrorIsRefusal
                }) =>
            {
                Reply::NotSent(failure)
            }
            reply => reply,
        };
        let failure = match &reply {
            Reply::NotSent(failure) | Reply::Unknown(failure) => Some(failure.clone()),
            _ => None,
        };
        let altered = match &reply {
            Reply::Confirmed(order) => self.is_altered(order),
            _ => false,
        };
        if let Reply::Confirmed(order) = &reply
            && order.client_order_id != Some(client_order_id)
            && !self.flawed(Defect::AnswersUnmatched)
        {
            // Whatever this is, it is not an answer to our order.
            let text = "the venue confirmed another order".into();
            return self.submitted(
                client_order_id,
                Reply::Unknown(Failure {
                    text,
                    reconnect: false,
                    pause_ns: 0,
                }),
            );
        }
        self.record(Record::Submitted {
            client_order_id,
            reply,
        });
        if altered {
            self.stray(client_order_id, Doubt::Altered);
        }
        match failure {
            Some(failure) => self.fail(&failure),
            None => self.live.failures = 0,
        }
    }

    /// Whether the venue has something else than was sent.
    fn is_altered(&self, order: &Order) -> bool {
        let sent = order
            .client_order_id
            .and_then(|id| self.state.tracked(&id))
            .map(|tracked| &tracked.order);
        sent.is_some_and(|sent| {
            sent.symbol != order.symbol
                || sent.side != order.side
                || sent.qty != order.qty
                || sent.kind.price() != order.kind.price()
        })
    }

    fn stray(&mut self, id: nanobook::trading::ClientOrderId, doubt: Doubt) {
        if let Some(leg) = self.state.tracked(&id).map(|order| order.leg) {
            self.end_leg(leg as usize, LegEnd::Review(doubt));
        }
    }

    /// The venue says how an order of ours stands.
    fn see(&mut self, order: Order) {
        let Some(id) = order.client_order_id else {
            return;
        };
        let Some(known) = self.state.tracked(&id) else {
            return;
        };
        if self.flawed(Defect::LastAnswerWins) {
            return self.record(Record::Seen { order });
        }
        let mut after = known.clone();
        after.see(&order);
        let is_news = after != *known;
        let now = self.mono();
        if let Some(watch) = self.live.watch.get_mut(&id) {
            watch.absent = 0;
            if is_news {
                (watch.news, watch.quiet) = (now, 0);
            }
        }
        let altered = self.is_altered(&order);
        if is_news {
            self.record(Record::Seen { order });
        }
        if altered {
            self.stray(id, Doubt::Altered);
        }
    }

    /// What the venue knows under an order's id.
    fn looked_for(&mut self, key: OrderKey, orders: Vec<Order>) {
        let by_number = self.flawed(Defect::MatchedByOrderId);
        let number = self
            .state
            .tracked(&key.client_order_id)
            .and_then(|known| known.order_id);
        let ours = |order: &Order| {
            (by_number && order.order_id == number)
                || order.client_order_id == Some(key.client_order_id) && order.symbol == key.symbol
        };
        let mut orders: Vec<Order> = orders.into_iter().filter(ours).collect();
        if by_number {
            for order in &mut orders {
                order.client_order_id = Some(key.client_order_id);
            }
        }
        let ids: BTreeSet<_> = orders.iter().filter_map(|order| order.order_id).collect();
        if ids.len() > 1 {
            self.stray(key.client_order_id, Doubt::Stray);
        }
        // An order may hide for a while when it is new; what is absent after that has ended or never was. What an order
        // traded before it ended may hide for a while too, and that is why absence must last.
        let (now, mut grace) = (self.mono(), self.settings().grace_ns);
        if self.flawed(Defect::AbsentAtOnce) {
            grace = 0;
        }
        let watch = self.live.watch.entry(key.client_order_id).or_default();
        if orders.is_empty() && now - watch.since >= grace {
            if watch.absent == 0 {
                watch.absent_since = now;
            }
            watch.absent += 1;
        }
        for order in orders {
            self.see(order);
        }
    }

    /// All open orders: ours are seen, and those of ours that are missing are asked for by their ids.
    fn opened(&mut self, orders: Vec<Order>) {
        let named: BTreeSet<_> = orders
            .iter()
            .filter_map(|order| order.client_order_id)
            .collect();
        for order in &orders {
            let Some(id) = order.client_order_id else {
                continue;
            };
            if self.state.tracked(&id).is_some() {
                self.see(order.clone());
            } else if id.as_str().starts_with(&self.prefix) {
                // An order of this run that the journal has lost: its leg, and all others of the symbol, must wait.
                let mut legs = self.plan().legs.iter();
                let at = legs.position(|leg| leg.symbol() == order.symbol);
                if let Some(leg) = at {
                    self.end_leg(leg, LegEnd::Review(Doubt::Stray));
                }
            }
        }
        if self.flawed(Defect::MissingIsCancelled) {
            self.cancel_missing(&named);
        }
        let missing = self
            .state
            .orders
            .iter()
            .filter(|order| order.may_trade() && !named.contains(&order.order.client_order_id));
        self.live.look.keys = missing.map(|order| OrderKey::of(&order.order)).collect();
        self.live.look.open = orders;
        self.live.look.step = Step::Orders;
    }

    /// Executions of these instruments were asked for: what has news of an order takes this back.
    fn looked_for_fills(&mut self, symbols: &[Symbol], asked: i64) {
        let grace = self.settings().grace_ns;
        for order in &self.state.orders {
            let watch = self.live.watch.get_mut(&order.order.client_order_id);
            if let Some(watch) = watch
                && symbols.contains(&order.order.symbol)
                && asked - watch.news >= grace
            {
                watch.quiet = watch.quiet.saturating_add(1);
            }
        }
    }

    /// The venue names an execution; that of an order which is not ours is none of our business.
    fn filled(&mut self, mut fill: Fill) {
        if self.flawed(Defect::MatchedByOrderId) {
            let mut orders = self.state.orders.iter();
            let same = orders.find(|order| order.order_id == fill.order_id);
            let ours = same.map(|order| order.order.client_order_id);
            fill.client_order_id = ours.or(fill.client_order_id);
        }
        let again = self.flawed(Defect::FillsCounted);
        let reads = !self.flawed(Defect::CorrectionsIgnored) || fill.correction == 0;
        let Some(tracked) = fill.client_order_id.and_then(|id| self.state.tracked(&id)) else {
            return;
        };
        if tracked.order.symbol == fill.symbol
            && tracked.order.side == fill.side
            && (tracked.is_news(&fill) || again)
            && reads
        {
            let (now, leg) = (self.mono(), tracked.leg as usize);
            // It was there a moment ago: absence begins anew.
            if let Some(watch) = fill
                .client_order_id
                .and_then(|id| self.live.watch.get_mut(&id))
            {
                watch.absent = 0;
                (watch.news, watch.quiet) = (now, 0);
            }
            self.live.doubts[leg].unsettled.is_over();
            self.record(Record::Filled { fill });
        }
    }

    /// What a planted mistake does with orders that are not among the open ones.
    fn cancel_missing(&mut self, named: &BTreeSet<nanobook::trading::ClientOrderId>) {
        let ids: Vec<_> = (self.state.orders.iter())
            .filter(|order| order.may_trade() && order.shown)
            .map(|order| order.order.client_order_id)
            .filter(|id| !named.contains(id))
            .collect();
        for id in ids {
            if let Some(order) = self.state.tracked(&id) {
                let mut order = super::act::as_working(order, "");
                order.state = OrderState::Cancelled;
                self.record(Record::Seen { order });
            }
        }
    }

    /// The venue's time.
    pub(super) fn venue_now(&self) -> Timestamp {
        Timestamp(self.mono().saturating_add(self.live.venue_offset))
    }

    /// Whether it is not known that the venue has the order.
    pub(super) fn is_unknown(order: &super::Tracked) -> bool {
        matches!(order.state, OrderState::Unknown | OrderState::Journaled) && !order.shown
    }
}

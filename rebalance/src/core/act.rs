//! Decisions: what follows from a look.

use nanobook::trading::{ClientOrderId, InstrumentState, NewOrder, Order, OrderState, Units};
use nanobook::{Money, OrderKind, Price, Side};
use nanobook_risk::{Outcome as Verdict, Proceeds, Session, Situation, Subject};

use super::outcome::{Doubt, Ending, LegEnd, Outcome, Residual, Why};
use super::settings::Spend;
use super::state::Tracked;
use super::{Core, Defect, Record, SECOND, price};

/// Polls between two looks, beyond which the venue did not answer in between.
const LONGEST_STEP: i64 = 4;

/// An order that a leg would send.
struct Candidate {
    leg: usize,
    order: NewOrder,
}

impl Core {
    /// Decides for every leg, and for the run.
    pub(super) fn act(&mut self) {
        let now = self.mono();
        let longest = LONGEST_STEP * self.settings().poll_ns;
        self.live.step = (now - self.live.acted_at).min(longest);
        self.live.acted_at = now;
        self.believe_absence();
        let mut candidates = Vec::new();
        if self.is_stale() {
            return;
        }
        // Every leg is settled before any sends: what one of them turns out to be decides whose turn it is.
        let legs = 0..self.state.legs.len();
        let ready: Vec<usize> = legs
            .filter(|&leg| {
                self.tend(leg);
                self.settle(leg)
            })
            .collect();
        for leg in ready {
            if self.is_its_turn(leg)
                && candidates.len() < self.settings().batch as usize
                && let Some(candidate) = self.candidate(leg)
            {
                candidates.push(candidate);
            }
        }
        let candidates = self.within_cash(candidates);
        let candidates = self.within_limits(candidates);
        for candidate in candidates {
            self.intend(&candidate);
        }
        self.conclude();
    }

    /// Before the first order every position must be what the plan was made for.
    fn is_stale(&mut self) -> bool {
        if !self.state.orders.is_empty() || self.live.look.positions.is_none() {
            return false;
        }
        let legs = self.plan().legs.iter();
        let moved = legs.filter(|leg| self.live.look.position(leg.symbol()) != Some(leg.start));
        if moved.count() == 0 {
            return false;
        }
        let (step, grace) = (self.live.step, self.settings().grace_ns);
        let lasting =
            (self.live.doubts.first_mut()).is_some_and(|doubts| doubts.moved.lasts(step, grace));
        if lasting {
            self.end(Ending::Stale);
        }
        true
    }

    /// Orders that the venue does not name, however often and long it was asked, never arrived, or have ended where it has
    /// shown them before; when the position is what the known executions explain.
    fn believe_absence(&mut self) {
        let settings = self.settings();
        let (mut grace, mut answers) = (settings.grace_ns, settings.absent_answers);
        if self.flawed(Defect::AbsentAtOnce) {
            (grace, answers) = (0, 1);
        }
        let now = self.mono();
        let mut absent = Vec::new();
        for order in self.state.orders.iter().filter(|o| self.is_missing(o)) {
            let id = order.order.client_order_id;
            let Some(watch) = self.live.watch.get(&id) else {
                continue;
            };
            let over_ns = now - watch.absent_since;
            let enough = watch.absent >= answers && over_ns >= grace;
            let leg = order.leg as usize;
            let mut position = self.position_if_explained(leg);
            if self.flawed(Defect::AbsentByOrderAlone) {
                position = Some(Units::ZERO);
            }
            let Some(position) = position else {
                continue;
            };
            if enough {
                absent.push(Record::Absent {
                    client_order_id: id,
                    answers: watch.absent,
                    over_ns,
                    position,
                });
            }
        }
        for record in absent {
            self.record(record);
        }
    }

    /// The position of a leg, when the venue was asked and our executions explain it to within half a lot: an execution of
    /// one lot is not explained by the fee that was taken from it.
    fn position_if_explained(&self, at: usize) -> Option<Units> {
        let leg = &self.plan().legs[at];
        let held = self.live.look.position(leg.symbol())?;
        if self.flawed(Defect::PositionIgnored) || self.flawed(Defect::FillsAreAll) {
            return Some(held);
        }
        let off = held.0 - self.state.expected(at, leg).0;
        let most = if self.flawed(Defect::BlindIsKnown) {
            leg.instrument.lot.0
        } else {
            (leg.instrument.lot.0 + 1) / 2
        };
        (off.abs() < most).then_some(held)
    }

    /// Cancels what has rested long enough, and what must not work any more.
    fn tend(&mut self, leg: usize) {
        let settings = self.settings();
        let (now, chase, again) = (self.mono(), settings.chase_ns, settings.request_timeout_ns);
        let over = self.closing().is_some() || self.state.legs[leg].end.is_some();
        let newest = self.state.legs[leg].orders.last().copied();
        let mut cancels = Vec::new();
        for &at in &self.state.legs[leg].orders {
            let order = &self.state.orders[at];
            if !order.may_trade() || (Self::is_unknown(order) && !over) {
                continue;
            }
            let id = order.order.client_order_id;
            let watch = self.live.watch.get(&id).copied().unwrap_or_default();
            let rested = now - watch.since >= chase;
            let asked = watch.cancelled_at.is_some_and(|asked| now - asked < again);
            if !asked && (over || rested || Some(at) != newest) {
                cancels.push((id, order.cancelling));
            }
        }
        for (client_order_id, cancelling) in cancels {
            if self.flawed(Defect::ChangedWithoutRecord) {
                self.state.legs[leg].chases += 1;
            }
            if !cancelling {
                self.record(Record::Cancelling { client_order_id });
            }
            self.live.to_cancel.push_back(client_order_id);
        }
        if over && self.flawed(Defect::CancelsAll) {
            let open = self.live.look.open.iter();
            let ids = open.filter_map(|order| order.client_order_id);
            self.live.to_cancel.extend(ids);
        }
    }

    /// Whether a leg stands between two orders and has something left to trade, with everything about it known. Ends it
    /// when it is over, or when something about it stays unexplained.
    fn settle(&mut self, at: usize) -> bool {
        let (step, patience) = (self.live.step, self.settings().patience_ns);
        let unknown = self.state.orders_of(at).any(Self::is_unknown);
        let fills_are_all = self.flawed(Defect::FillsAreAll);
        let ended = (self.state.orders_of(at))
            .any(|o| !o.may_trade() && !self.is_settled(o) && !fills_are_all);
        let ends = self.state.legs[at].end;
        if unknown || ended {
            let since = &mut self.live.doubts[at].unsettled;
            if since.lasts(step, patience) && ends.is_none() {
                let doubt = if unknown {
                    Doubt::Unresolved
                } else {
                    Doubt::FillsMissing
                };
                self.end_leg(at, LegEnd::Review(doubt));
            }
            return false;
        }
        self.live.doubts[at].unsettled.is_over();
        if self.state.orders_of(at).any(Tracked::may_trade)
            || matches!(ends, Some(LegEnd::Review(_)))
        {
            return false;
        }
        if self.live.look.positions.is_none() {
            return false;
        }
        if self.position_if_explained(at).is_none() {
            if self.live.doubts[at].moved.lasts(step, patience) {
                self.end_leg(at, LegEnd::Review(Doubt::PositionMoved));
            }
            return false;
        }
        self.live.doubts[at].moved.is_over();
        let leg = &self.plan().legs[at];
        let left = leg.qty.0 - self.state.filled(at).0;
        let lot = leg.instrument.lot.0;
        match ends {
            // An execution was corrected after the leg had ended.
            Some(LegEnd::Done) if left >= lot => {
                self.record(Record::LegReopened {
                    leg: u32::try_from(at).unwrap_or(u32::MAX),
                });
                false
            }
            Some(_) => false,
            None if left < 0 => {
                self.end_leg(at, LegEnd::Review(Doubt::Altered));
                false
            }
            None if left < lot => {
                self.end_leg(at, LegEnd::Done);
                false
            }
            None => match self.closing() {
                Some(why) => {
                    self.end_leg(at, LegEnd::Residual(why));
                    false
                }
                None => true,
            },
        }
    }

    /// The order that a leg would send now.
    fn candidate(&mut self, at: usize) -> Option<Candidate> {
        let (step, patience) = (self.live.step, self.settings().patience_ns);
        let settings = self.settings();
        let leg = &self.plan().legs[at];
        let known = &self.state.legs[at];
        if known.refusals >= settings.refusals.max(1) {
            self.end_leg(at, LegEnd::Residual(Why::Refused));
            return None;
        }
        if known.chases > settings.chases.saturating_mul(leg.slices) {
            self.end_leg(at, LegEnd::Residual(Why::GaveUp));
            return None;
        }
        let due = self.due(at);
        if due.is_zero() {
            return None;
        }
        let (symbol, side) = (leg.symbol(), leg.side);
        let trades = (self.live.look.instrument(symbol))
            .is_some_and(|rules| rules.state == InstrumentState::Trading)
            || self.flawed(Defect::HaltUnchecked);
        let any_quote = self.flawed(Defect::QuoteUnchecked);
        let quote = (self.live.look.quote(symbol)).filter(|quote| {
            trades && (any_quote || price::is_usable(quote, self.venue_now(), settings))
        });
        let mut leg = leg.clone();
        if self.flawed(Defect::CollarIgnored) {
            leg.worst_px = Price(leg.worst_px.0 + leg.worst_px.0 / 2 * i64::from(leg.side.sign()));
        }
        let leg = &leg;
        let limit = quote.and_then(|quote| price::limit(leg, quote, known.chases, settings));
        let Some(price) = limit else {
            if self.live.doubts[at].no_quote.lasts(step, patience) {
                self.end_leg(at, LegEnd::Residual(Why::NoQuote));
            }
            return None;
        };
        let qty = leg.instrument.max_qty.map_or(due, |most| due.min(most));
        let qty = qty.floor_to(leg.instrument.lot);
        let attempt = known.attempts;
        let tif = settings.tif;
        let left = Units(leg.qty.0 - self.state.filled(at).0);
        if !leg_allows(leg, qty, price) {
            // More may come with the next slice; what is left of the leg will not grow.
            if due >= left.floor_to(leg.instrument.lot) {
                self.end_leg(at, LegEnd::Residual(Why::Minimum));
            }
            return None;
        }
        self.live.doubts[at].no_quote.is_over();
        let leg_number = u32::try_from(at).unwrap_or(u32::MAX);
        Some(Candidate {
            leg: at,
            order: NewOrder {
                client_order_id: super::Plan::client_order_id(&self.prefix, leg_number, attempt),
                symbol,
                side,
                qty,
                kind: OrderKind::Limit { price },
                tif,
            },
        })
    }

    /// How much of a leg may be sent now: what its slices have released, less what has traded.
    fn due(&self, at: usize) -> Units {
        let (leg, settings) = (&self.plan().legs[at], self.settings());
        let filled = if self.flawed(Defect::ResidualIsWhole) {
            0
        } else {
            self.state.filled(at).0
        };
        let slices = i128::from(leg.slices);
        let passed = (self.mono() - self.live.started) / settings.slice_ns.max(1);
        let released = (i128::from(passed) + 1).min(slices);
        let open = Units(leg.qty.0 * released / slices).floor_to(leg.instrument.lot);
        Units((open.0 - filled).max(0)).floor_to(leg.instrument.lot)
    }

    /// Cash that nothing has a claim on: what the venue says, and not more than our own sums say; less what working
    /// buys may still take.
    fn free_cash(&self) -> Option<Money> {
        let settings = self.settings();
        let account = self.live.look.account.as_ref()?;
        let said = match settings.spend {
            Spend::Cash => account.cash.0,
            Spend::BuyingPower => account.buying_power?.0,
        };
        let mut ours = self.plan().cash.0;
        let mut claimed = settings.cash_buffer.0;
        for order in &self.state.orders {
            for fill in order.fills.values() {
                let value = price::cost(fill.qty, fill.price, settings)?.0;
                let bare = fill.qty.exact_notional(fill.price)? / 1_000_000_000;
                ours += match fill.side {
                    Side::Buy => -value,
                    Side::Sell => bare - (value - bare),
                };
            }
            // Trades whose executions are not named yet take cash too.
            let open = if self.is_settled(order) {
                Units::ZERO
            } else if self.flawed(Defect::CashUnclaimed) {
                order.leaves()
            } else {
                Units(order.claim().0 - order.net.0)
            };
            let value = price::cost(open, order.limit(), settings)?.0;
            match order.order.side {
                Side::Buy => claimed += value,
                Side::Sell if self.flawed(Defect::ProceedsExpected) => claimed -= value,
                Side::Sell => {}
            }
        }
        let free = match settings.spend {
            Spend::Cash => said.min(ours),
            Spend::BuyingPower => said,
        };
        Some(Money(free - claimed))
    }

    /// Buys are cut to what confirmed cash is enough for.
    fn within_cash(&mut self, candidates: Vec<Candidate>) -> Vec<Candidate> {
        let (step, patience) = (self.live.step, self.settings().patience_ns);
        let Some(mut cash) = self.free_cash() else {
            return Vec::new();
        };
        let mut kept = Vec::new();
        for mut candidate in candidates {
            let at = candidate.leg;
            if candidate.order.side == Side::Buy {
                let settings = self.settings();
                let leg = &self.plan().legs[at];
                let limit = candidate.order.kind.price().unwrap_or(Price(i64::MAX));
                let qty = candidate.order.qty;
                let qty = price::affordable(qty, limit, &leg.instrument, cash, settings);
                if !leg_allows(leg, qty, limit) {
                    let waits = self.state.orders.iter().any(Tracked::may_trade);
                    if waits {
                        self.live.doubts[at].no_cash.is_over();
                    } else if self.live.doubts[at].no_cash.lasts(step, patience) {
                        self.end_leg(at, LegEnd::Residual(Why::Cash));
                    }
                    continue;
                }
                cash.0 -= price::cost(qty, limit, settings).map_or(cash.0, |cost| cost.0);
                candidate.order.qty = qty;
                self.live.doubts[at].no_cash.is_over();
            }
            kept.push(candidate);
        }
        kept
    }

    /// The risk checks, over the whole account and every order that may trade.
    fn within_limits(&mut self, mut candidates: Vec<Candidate>) -> Vec<Candidate> {
        if candidates.is_empty() {
            return candidates;
        }
        let plan = self.plan();
        let orders: Vec<NewOrder> = candidates.iter().map(|c| c.order).collect();
        let look = &self.live.look;
        let ours = |order: &Order| {
            order
                .client_order_id
                .is_some_and(|id| self.state.tracked(&id).is_some())
        };
        let mut working: Vec<Order> = (look.open.iter())
            .filter(|order| !ours(order))
            .cloned()
            .collect();
        working.extend(
            (self.state.orders.iter())
                .filter(|o| o.may_trade())
                .map(|order| as_working(order, &plan.account_id)),
        );
        let window = u32::try_from(self.live.sends.len()).unwrap_or(u32::MAX);
        let instruments: Vec<_> = look.instruments.clone();
        let situation = Situation {
            account: look.account.as_ref(),
            positions: look.positions.as_deref(),
            working: Some(&working),
            quotes: &look.quotes,
            instruments: &instruments,
            proceeds: Proceeds::Ignored,
            session: Session {
                kill_switch: Some(self.state.killed),
                halted: Some(false),
                reduce_only: Some(false),
                market_open: Some(true),
                account_id: Some(&plan.account_id),
                paper: Some(plan.is_paper),
                unexplained: Some(0),
                orders_sent: Some(window),
                messages_sent: Some(window),
                ..Session::UNKNOWN
            },
            ..Situation::new(self.venue_now())
        };
        let report = self.engine.check(&orders, &situation);
        if report.passed() || self.ignores_risk() {
            for candidate in &candidates {
                self.live.doubts[candidate.leg].risk.is_over();
            }
            return candidates;
        }
        // What fails of an order stops that order; what fails of the account stops all.
        let mut stopped = vec![false; orders.len()];
        for row in report.rows() {
            if row.outcome != Verdict::Fail {
                continue;
            }
            match row.subject {
                Subject::Order { index, .. } => stopped[index as usize] = true,
                _ => stopped.fill(true),
            }
        }
        let (step, patience) = (self.live.step, self.settings().patience_ns);
        let rows = report.table(self.live.now.wall, &plan.run_id);
        let rows = rows
            .into_iter()
            .filter(|row| row.outcome == "fail")
            .collect();
        let mut news = false;
        for (candidate, _) in candidates.iter().zip(&stopped).filter(|(_, stop)| **stop) {
            let since = &mut self.live.doubts[candidate.leg].risk;
            news |= since.is_new();
            if since.lasts(step, patience) {
                self.end_leg(candidate.leg, LegEnd::Residual(Why::Risk));
            }
        }
        if news {
            self.record(Record::Checked { checks: rows });
        }
        let mut stops = stopped.iter();
        candidates.retain(|_| stops.next() == Some(&false));
        candidates
    }

    /// Whether a planted mistake does without the risk checks, which would make up for it.
    fn ignores_risk(&self) -> bool {
        let blind = [
            Defect::RiskIgnored,
            Defect::QuoteUnchecked,
            Defect::HaltUnchecked,
        ];
        blind.into_iter().any(|defect| self.flawed(defect))
    }

    /// Fixes an order in the journal; it is sent once that is on the disk.
    fn intend(&mut self, candidate: &Candidate) {
        let leg = u32::try_from(candidate.leg).unwrap_or(u32::MAX);
        let left = self.plan().legs[candidate.leg].qty.0 - self.state.filled(candidate.leg).0;
        let flawed = self.flawed(Defect::ResidualIsWhole) || self.flawed(Defect::CollarIgnored);
        assert!(
            flawed || self.plan().allows(leg, &candidate.order) && candidate.order.qty.0 <= left,
            "an order beyond the plan: {:?}",
            candidate.order
        );
        let id: ClientOrderId = candidate.order.client_order_id;
        self.record(Record::Intent {
            leg,
            attempt: self.state.legs[candidate.leg].attempts,
            order: candidate.order,
        });
        self.live.to_submit.push_back(id);
    }

    pub(super) fn end_leg(&mut self, leg: usize, end: LegEnd) {
        if self.state.legs[leg].end == Some(end) {
            return;
        }
        self.record(Record::LegEnded {
            leg: u32::try_from(leg).unwrap_or(u32::MAX),
            end,
        });
    }

    /// Ends the run when every leg has ended, nothing may trade, and a full look says so.
    fn conclude(&mut self) {
        let over = self.state.legs.iter().all(|leg| leg.end.is_some())
            && !self
                .state
                .orders
                .iter()
                .any(|order| order.may_trade() && !self.is_hopeless(order));
        if !over {
            self.live.verify = false;
            return;
        }
        if !self.live.look.verify {
            self.live.verify = true;
            return;
        }
        let unexplained = (0..self.state.legs.len()).any(|leg| {
            !matches!(self.state.legs[leg].end, Some(LegEnd::Review(_)))
                && self.position_if_explained(leg).is_none()
        });
        let unsettled = (self.state.orders.iter()).any(|order| {
            let end = self.state.legs[order.leg as usize].end;
            !self.is_settled(order) && !matches!(end, Some(LegEnd::Review(_)))
        });
        if unexplained || unsettled {
            return;
        }
        let look = &mut self.live.look;
        if let (Some(account), Some(positions)) = (look.account.take(), look.positions.take()) {
            self.record(Record::Holding { account, positions });
        }
        self.finish();
    }

    /// Whether nothing more can be found out about an order: its leg is under review, and it was asked for in vain for
    /// as long as we are patient.
    fn is_hopeless(&self, order: &Tracked) -> bool {
        let leg = order.leg as usize;
        let patience = self.settings().patience_ns;
        let since = self
            .live
            .watch
            .get(&order.order.client_order_id)
            .map_or(0, |w| w.since);
        matches!(self.state.legs[leg].end, Some(LegEnd::Review(_)))
            && self.mono() - since >= patience + 10 * SECOND
    }

    /// Ends the run as its legs have ended.
    pub(super) fn finish(&mut self) {
        let is = |find: fn(&LegEnd) -> bool| {
            self.state
                .legs
                .iter()
                .any(|leg| leg.end.as_ref().is_some_and(find))
        };
        let ending = if is(|end| matches!(end, LegEnd::Review(_))) {
            Ending::Review
        } else if is(|end| *end == LegEnd::Residual(Why::Killed)) {
            Ending::Killed
        } else if is(|end| matches!(end, LegEnd::Residual(_))) {
            Ending::Residual
        } else {
            Ending::Done
        };
        self.end(ending);
    }

    fn end(&mut self, ending: Ending) {
        let plan = self.plan();
        let mut residuals = Vec::new();
        for (at, leg) in plan.legs.iter().enumerate() {
            let mut qty = Units((leg.qty.0 - self.state.filled(at).0).max(0));
            if self.flawed(Defect::ResidualInexact) {
                qty = leg.qty;
            }
            let end = match (self.state.legs[at].end, ending) {
                (Some(LegEnd::Done), _) => continue,
                (Some(LegEnd::Residual(_)), _) if self.flawed(Defect::ResidualForgotten) => {
                    continue;
                }
                (Some(end), _) => end,
                (None, _) => LegEnd::Review(Doubt::PositionMoved),
            };
            residuals.push(Residual {
                leg: u32::try_from(at).unwrap_or(u32::MAX),
                symbol: leg.symbol(),
                side: leg.side,
                qty,
                end,
            });
        }
        self.record(Record::Ended {
            outcome: Outcome { ending, residuals },
        });
    }
}

/// Whether an order of this size is worth sending: the venue's smallest quantity and value.
fn leg_allows(leg: &super::Leg, qty: Units, price: Price) -> bool {
    let rules = &leg.instrument;
    let least = rules.min_qty.unwrap_or(rules.lot);
    let value = qty.exact_notional(price).unwrap_or(i128::MAX) / 1_000_000_000;
    qty.0 > 0 && qty >= least && rules.min_notional.is_none_or(|least| value >= least.0)
}

/// One of our orders as the risk checks count it: as sent, until the venue has shown it.
pub(super) fn as_working(order: &Tracked, account_id: &str) -> Order {
    Order {
        client_order_id: Some(order.order.client_order_id),
        order_id: order.order_id,
        account_id: account_id.to_owned(),
        symbol: order.order.symbol,
        side: order.order.side,
        kind: order.order.kind,
        tif: order.order.tif,
        qty: order.order.qty,
        filled_qty: order.filled(),
        avg_px: None,
        state: if order.state == OrderState::Journaled {
            OrderState::Unknown
        } else {
            order.state
        },
        reject_code: None,
        reject_text: None,
        ts_event: None,
    }
}

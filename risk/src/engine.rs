//! All checks over all orders.

use nanobook::trading::{NewOrder, Units};
use nanobook::{Money, Side};

use crate::checks::account::{self, Change};
use crate::checks::{batch, order, session};
use crate::code::Check;
use crate::exact::Exact;
use crate::ledger::{Ledger, Slot};
use crate::limits::{Limits, Rule, Severity};
use crate::report::{Finding, Input, Report, Subject};
use crate::situation::{Proceeds, Situation};

/// Rows of an order with every check on.
const ROWS_PER_ORDER: usize = 24;

/// Checks orders against limits.
///
/// # Examples
/// ```
/// use nanobook::Timestamp;
/// use nanobook_risk::{Limits, RiskEngine, Situation};
///
/// let engine = RiskEngine::new(Limits::default());
/// // Nothing is known, so nothing passes.
/// let report = engine.check(&[], &Situation::new(Timestamp(0)));
/// assert!(!report.passed());
/// ```
#[derive(Clone, Debug, Default)]
pub struct RiskEngine {
    limits: Limits,
}

/// The rows, and the severities by which they are judged.
struct Rows<'a> {
    report: &'a mut Report,
}

impl Rows<'_> {
    /// Runs a check that needs no number.
    #[inline]
    fn switch(
        &mut self,
        severity: Severity,
        check: Check,
        subject: Subject,
        find: impl FnOnce() -> Finding,
    ) {
        if severity != Severity::Off {
            self.report.add(check, severity, subject, find());
        }
    }

    /// Runs a check that has a limit.
    #[inline]
    fn rule(
        &mut self,
        rule: Option<Rule>,
        check: Check,
        subject: Subject,
        find: impl FnOnce(i128) -> Finding,
    ) {
        if let Some(rule) = rule
            && rule.severity != Severity::Off
        {
            self.report
                .add(check, rule.severity, subject, find(rule.limit.0));
        }
    }
}

/// Sums over the account.
struct Totals {
    gross: Change,
    short: Change,
    /// Long less short: now, and at both ends.
    net: [Option<Exact>; 3],
    /// Why there are no sums.
    missing: Option<Finding>,
}

/// What orders cost.
#[derive(Clone, Copy)]
struct Costs {
    /// Of all buys, with the fees of everything.
    cash: Option<Exact>,
    /// Of what opens or adds to positions, with fees.
    opening: Option<Exact>,
    fees: Option<Exact>,
    /// Price times quantity of the orders of the call.
    batch: Option<Exact>,
    missing: Option<Finding>,
}

impl RiskEngine {
    /// With limits.
    pub const fn new(limits: Limits) -> Self {
        Self { limits }
    }

    /// The limits.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Runs every check that is on.
    pub fn check(&self, orders: &[NewOrder], situation: &Situation<'_>) -> Report {
        let mut report = Report::default();
        self.check_into(orders, situation, &mut report);
        report
    }

    /// Runs every check that is on, into the memory of an earlier report.
    pub fn check_into(&self, orders: &[NewOrder], situation: &Situation<'_>, report: &mut Report) {
        report.start(&self.limits);
        report.reserve(orders.len() * ROWS_PER_ORDER + 64);
        let ledger = Ledger::new(orders, situation);
        let mut rows = Rows { report };
        self.session(orders, situation, &mut rows);
        for (at, order) in orders.iter().enumerate() {
            let slot = &ledger.slots[ledger.of_order[at] as usize];
            let subject = Subject::Order {
                index: u32::try_from(at).unwrap_or(u32::MAX),
                symbol: order.symbol,
            };
            self.order(order, slot, situation, subject, &mut rows, &ledger);
        }
        let costs = self.costs(orders, situation, &ledger);
        let equity = account::equity_after(
            situation.account.and_then(|account| account.equity),
            costs.fees,
        );
        self.batch(orders, situation, &costs, equity, &mut rows);
        self.positions(situation, &ledger, equity, &mut rows);
        self.account(situation, &ledger, &costs, equity, &mut rows);
    }

    fn session(&self, orders: &[NewOrder], situation: &Situation<'_>, rows: &mut Rows<'_>) {
        let limits = &self.limits;
        let state = &situation.session;
        let all = Subject::Account;
        let equity = situation.account.and_then(|account| account.equity);
        let day = situation.day.unwrap_or_default();
        // The switch can't be configured away.
        rows.switch(Severity::Hard, Check::KillSwitch, all, || {
            session::is_not(state.kill_switch)
        });
        rows.switch(Severity::Hard, Check::Halted, all, || {
            session::is_not(state.halted)
        });
        rows.switch(limits.market_open, Check::MarketClosed, all, || {
            session::market_open(state.market_open)
        });
        rows.switch(limits.account_mode, Check::AccountMode, all, || {
            session::account_mode(situation.account, state)
        });
        rows.switch(limits.reconciled, Check::ReconcileDirty, all, || {
            session::reconciled(state.unexplained)
        });
        rows.rule(limits.max_order_rate, Check::OrderRate, all, |limit| {
            session::rate(state.orders_sent, orders.len(), limit)
        });
        rows.rule(limits.max_message_rate, Check::MessageRate, all, |limit| {
            session::rate(state.messages_sent, orders.len(), limit)
        });
        rows.rule(limits.max_runs, Check::RepeatedExecution, all, |limit| {
            session::rate(state.runs, 1, limit)
        });
        rows.rule(limits.max_daily_loss, Check::DailyLoss, all, |limit| {
            session::loss(day.start_equity, equity, limit)
        });
        rows.rule(limits.max_drawdown, Check::Drawdown, all, |limit| {
            session::loss(day.peak_equity, equity, limit)
        });
    }

    fn order(
        &self,
        o: &NewOrder,
        slot: &Slot<'_>,
        situation: &Situation<'_>,
        subject: Subject,
        rows: &mut Rows<'_>,
        ledger: &Ledger<'_>,
    ) {
        let limits = &self.limits;
        let (quote, instrument) = (slot.quote, slot.instrument);
        let fits = Self::currency(slot, situation);
        let in_currency = |finding: Finding| match fits {
            Ok(()) => finding,
            Err(missing) => missing,
        };
        rows.switch(limits.instrument, Check::InstrumentUnknown, subject, || {
            Finding::flag(instrument.is_some())
        });
        rows.switch(limits.instrument, Check::InstrumentHalted, subject, || {
            order::instrument_halted(instrument)
        });
        if !limits.restricted.is_empty() {
            rows.switch(Severity::Hard, Check::Restricted, subject, || {
                Finding::flag(!limits.restricted.contains(&o.symbol))
            });
        }
        if let Some(allowed) = &limits.allowed {
            rows.switch(Severity::Hard, Check::Allowed, subject, || {
                Finding::flag(allowed.contains(&o.symbol))
            });
        }
        rows.switch(limits.tick_size, Check::TickSize, subject, || {
            order::tick_size(o, instrument)
        });
        rows.switch(limits.lot_size, Check::LotStep, subject, || {
            order::lot_step(o, instrument)
        });
        rows.switch(limits.lot_size, Check::MinQty, subject, || {
            order::min_qty(o, instrument)
        });
        rows.switch(limits.lot_size, Check::MaxQty, subject, || {
            order::max_qty(o, instrument)
        });
        rows.switch(limits.min_notional, Check::MinNotional, subject, || {
            order::min_notional(o, quote, instrument)
        });
        rows.switch(limits.quote_sanity, Check::QuoteOneSided, subject, || {
            order::quote_one_sided(quote)
        });
        rows.switch(limits.quote_sanity, Check::QuoteCrossed, subject, || {
            order::quote_crossed(quote)
        });
        rows.switch(limits.live_quotes, Check::QuoteDelayed, subject, || {
            order::quote_delayed(quote)
        });
        rows.rule(
            limits.max_quote_age_s,
            Check::QuoteStale,
            subject,
            |limit| order::quote_stale(quote, situation.now, limit),
        );
        rows.rule(
            limits.max_spread_bps,
            Check::SpreadTooWide,
            subject,
            |limit| order::spread_too_wide(quote, limit),
        );
        rows.rule(
            limits.price_collar_bps,
            Check::PriceCollar,
            subject,
            |limit| order::price_collar(o, quote, limit),
        );
        rows.rule(
            limits.limit_through_bps,
            Check::LimitPriceSane,
            subject,
            |limit| order::limit_price_sane(o, quote, limit),
        );
        rows.rule(limits.max_order_qty, Check::MaxOrderQty, subject, |limit| {
            order::max_order_qty(o, limit)
        });
        rows.rule(
            limits.max_order_notional,
            Check::MaxOrderNotional,
            subject,
            |limit| in_currency(order::max_order_notional(o, quote, limit)),
        );
        rows.rule(
            limits.max_adv_participation,
            Check::AdvParticipation,
            subject,
            |limit| order::adv_participation(o, slot.volume, limit),
        );
        if limits.duplicate_order != Severity::Off || limits.self_cross != Severity::Off {
            let others = situation.working.map(|_| slot.others(o, ledger.same_id(o)));
            rows.switch(
                limits.duplicate_order,
                Check::DuplicateOrder,
                subject,
                || order::duplicate_order(others.as_ref()),
            );
            rows.switch(limits.self_cross, Check::SelfCross, subject, || {
                order::self_cross(o, others.as_ref())
            });
        }
    }

    /// Whether an instrument is in the account's currency.
    fn currency(slot: &Slot<'_>, situation: &Situation<'_>) -> Result<(), Finding> {
        let account = situation.account.ok_or(Finding::missing(Input::Account))?;
        match slot.instrument {
            Some(instrument) if instrument.currency == account.currency => Ok(()),
            Some(_) => Err(Finding::missing(Input::Currency)),
            None => Err(Finding::missing(Input::Instrument)),
        }
    }

    fn fee(&self, value: Exact) -> Option<Exact> {
        // A basis point is 1e-4 of the value.
        let least = Exact::money(Money(self.limits.min_fee.0))?;
        let scaled = value.part(self.limits.fee_bps.0)?;
        Some(Exact(scaled.0 / 10_000 + i128::from(scaled.0 % 10_000 > 0)).max(least))
    }

    /// What the orders of the call and those that work can cost.
    fn costs(&self, orders: &[NewOrder], situation: &Situation<'_>, ledger: &Ledger<'_>) -> Costs {
        let zero = Some(Exact(0));
        let mut costs = Costs {
            cash: zero,
            opening: zero,
            fees: zero,
            batch: zero,
            missing: None,
        };
        let mut proceeds = zero;
        for (at, o) in orders.iter().enumerate() {
            let slot = &ledger.slots[ledger.of_order[at] as usize];
            let value = self.cost(
                &mut costs,
                o.side,
                o.qty,
                order::worst_price(o, slot.quote),
                slot,
                situation,
            );
            costs.batch = add(costs.batch, value);
            if o.side == Side::Sell {
                proceeds = add(proceeds, value);
            }
        }
        let Some(working) = situation.working else {
            costs.missing = costs.missing.or(Some(Finding::missing(Input::Working)));
            return costs;
        };
        for o in working.iter().filter(|o| o.state.may_trade()) {
            let Some(slot) = ledger.get(o.symbol) else {
                continue;
            };
            // What rests at no price of its own trades at the market.
            let price = o
                .kind
                .price()
                .or_else(|| slot.quote?.ask_px)
                .or_else(|| slot.mark());
            self.cost(&mut costs, o.side, o.leaves_qty(), price, slot, situation);
        }
        costs.cash = add(costs.cash, costs.fees);
        costs.opening = add(costs.opening, costs.fees);
        if situation.proceeds == Proceeds::SoldFirst {
            let less = |sum: Option<Exact>| sum?.minus(proceeds?);
            costs.cash = less(costs.cash);
            costs.opening = less(costs.opening);
        }
        costs
    }

    /// Adds one order to the costs, and gives its value.
    fn cost(
        &self,
        costs: &mut Costs,
        side: Side,
        qty: Units,
        price: Option<nanobook::Price>,
        slot: &Slot<'_>,
        situation: &Situation<'_>,
    ) -> Option<Exact> {
        if let Err(missing) = Self::currency(slot, situation) {
            costs.missing = costs.missing.or(Some(missing));
        }
        let Some(price) = price.filter(|price| price.0 > 0) else {
            costs.missing = costs.missing.or(Some(Finding::missing(Input::Price)));
            return Some(Exact(0));
        };
        let value = Exact::notional(price, qty);
        costs.fees = add(costs.fees, value.and_then(|value| self.fee(value)));
        if side == Side::Buy {
            costs.cash = add(costs.cash, value);
        }
        // What closes needs no buying power; what is beyond that does.
        let closes = match side {
            Side::Buy => (-slot.held.0).max(0),
            Side::Sell => slot.held.0.max(0),
        };
        let (buys, sells) = (
            slot.buys.unwrap_or_default(),
            slot.sells.unwrap_or_default(),
        );
        let same_side = if side == Side::Buy { buys } else { sells };
        let opens = if same_side.0 <= closes { Units(0) } else { qty };
        costs.opening = add(costs.opening, Exact::notional(price, opens));
        value
    }

    fn batch(
        &self,
        orders: &[NewOrder],
        situation: &Situation<'_>,
        costs: &Costs,
        equity: Result<Exact, Finding>,
        rows: &mut Rows<'_>,
    ) {
        let limits = &self.limits;
        let all = Subject::Batch;
        let targets = situation.targets;
        let valued = |finding: Finding| costs.missing.unwrap_or(finding);
        rows.rule(
            limits.max_batch_notional,
            Check::MaxBatchNotional,
            all,
            |limit| valued(batch::max_batch_notional(costs.batch, limit)),
        );
        rows.rule(
            limits.max_orders_per_run,
            Check::MaxOrdersPerRun,
            all,
            |limit| batch::max_orders(orders.len(), limit),
        );
        rows.rule(limits.max_turnover, Check::MaxTurnover, all, |limit| {
            valued(batch::max_turnover(costs.batch, equity, limit))
        });
        rows.rule(
            limits.max_day_turnover,
            Check::MaxDayTurnover,
            all,
            |limit| match situation.day.and_then(|day| day.traded) {
                None => Finding::missing(Input::Day),
                Some(traded) => {
                    let sum = add(costs.batch, Exact::money(traded));
                    valued(batch::max_turnover(sum, equity, limit))
                }
            },
        );
        rows.rule(limits.max_target_age_s, Check::TargetStale, all, |limit| {
            batch::target_stale(targets, situation.now, limit)
        });
        rows.rule(limits.max_weight_sum, Check::WeightSum, all, |limit| {
            batch::weight_sum(targets, limit)
        });
        rows.switch(limits.targets, Check::WeightNan, all, || {
            batch::weight_nan(targets)
        });
        rows.switch(limits.targets, Check::DuplicateSymbol, all, || {
            batch::duplicate_symbol(targets)
        });
        rows.switch(limits.plan_equality, Check::PlanEquality, all, || {
            batch::plan_equality(orders, situation.plan)
        });
    }

    /// The positions that the orders touch.
    fn positions(
        &self,
        situation: &Situation<'_>,
        ledger: &Ledger<'_>,
        equity: Result<Exact, Finding>,
        rows: &mut Rows<'_>,
    ) {
        let limits = &self.limits;
        let known = match (situation.positions, situation.working) {
            (None, _) => Err(Finding::missing(Input::Positions)),
            (_, None) => Err(Finding::missing(Input::Working)),
            _ => Ok(()),
        };
        let symbols = ledger.symbols();
        for (slot, symbol) in ledger.slots.iter().zip(symbols) {
            if !slot.has_orders {
                continue;
            }
            let subject = Subject::Position(symbol);
            let span = slot.span();
            let valued = || {
                known?;
                Self::currency(slot, situation)?;
                let price = slot.mark().ok_or(Finding::missing(Input::Price))?;
                Ok(Self::change(slot, price))
            };
            let counted = |finding: Finding| known.err().unwrap_or(finding);
            rows.rule(
                limits.max_position_qty,
                Check::MaxPositionQty,
                subject,
                |limit| counted(account::max_position_qty(span.as_ref(), limit)),
            );
            rows.rule(
                limits.max_position_notional,
                Check::MaxPositionNotional,
                subject,
                |limit| {
                    valued()
                        .map_or_else(|missing| missing, |value| account::max_value(value, limit))
                },
            );
            rows.rule(limits.max_weight, Check::MaxWeight, subject, |limit| {
                valued().map_or_else(
                    |missing| missing,
                    |value| account::max_ratio(value, equity, limit),
                )
            });
            rows.switch(Severity::Hard, Check::Short, subject, || {
                counted(account::short(span.as_ref(), limits.short, slot.located))
            });
            rows.switch(Severity::Hard, Check::ReduceOnly, subject, || {
                counted(account::reduce_only(
                    span.as_ref(),
                    situation.session.reduce_only,
                ))
            });
        }
    }

    fn change(slot: &Slot<'_>, price: nanobook::Price) -> Change {
        let span = slot.span();
        Change {
            now: span.and_then(|span| span.held_value(price)),
            after: span.and_then(|span| span.worst_value(price)),
        }
    }

    fn totals(situation: &Situation<'_>, ledger: &Ledger<'_>) -> Totals {
        let zero = Some(Exact(0));
        let mut totals = Totals {
            gross: Change::ZERO,
            short: Change::ZERO,
            net: [zero; 3],
            missing: None,
        };
        for slot in &ledger.slots {
            if slot.held.is_zero() && !slot.has_orders {
                continue;
            }
            let Some(price) = slot.mark() else {
                totals.missing = Some(Finding::missing(Input::Price));
                return totals;
            };
            if let Err(missing) = Self::currency(slot, situation) {
                totals.missing = Some(missing);
                return totals;
            }
            let Some(span) = slot.span() else {
                totals.missing = Some(Finding::overflow(None));
                return totals;
            };
            totals.gross = totals.gross + Self::change(slot, price);
            let below = |qty: Units| Exact::notional(price, Units((-qty.0).max(0)));
            totals.short = totals.short
                + Change {
                    now: below(span.held),
                    after: below(span.low),
                };
            for (sum, qty) in totals.net.iter_mut().zip([span.held, span.low, span.high]) {
                *sum = add(*sum, Exact::notional(price, qty));
            }
        }
        totals
    }

    fn account(
        &self,
        situation: &Situation<'_>,
        ledger: &Ledger<'_>,
        costs: &Costs,
        equity: Result<Exact, Finding>,
        rows: &mut Rows<'_>,
    ) {
        let limits = &self.limits;
        let all = Subject::Account;
        let mut totals = Self::totals(situation, ledger);
        if situation.positions.is_none() {
            totals.missing = Some(Finding::missing(Input::Positions));
        } else if situation.working.is_none() {
            totals.missing = Some(Finding::missing(Input::Working));
        }
        let valued = |finding: Finding| totals.missing.unwrap_or(finding);
        rows.rule(
            limits.max_gross_exposure,
            Check::GrossExposure,
            all,
            |limit| valued(account::max_value(totals.gross, limit)),
        );
        rows.rule(limits.max_leverage, Check::Leverage, all, |limit| {
            valued(account::max_ratio(totals.gross, equity, limit))
        });
        rows.rule(limits.max_net_exposure, Check::NetExposure, all, |limit| {
            valued(account::net_exposure(totals.net, equity, limit))
        });
        rows.rule(
            limits.max_short_exposure,
            Check::ShortExposure,
            all,
            |limit| valued(account::max_ratio(totals.short, equity, limit)),
        );
        for (at, group) in limits.groups.values().enumerate() {
            let subject = Subject::Group(u16::try_from(at).unwrap_or(u16::MAX));
            rows.switch(group.severity, Check::GroupConcentration, subject, || {
                let slots = group
                    .symbols
                    .iter()
                    .filter_map(|symbol| ledger.get(*symbol));
                let value = |slot: &Slot<'_>| slot.mark().map(|price| Self::change(slot, price));
                // A slot without a price is one without a position, or the totals are missing.
                let sum = slots.filter_map(value).fold(Change::ZERO, |sum, c| sum + c);
                valued(account::max_ratio(sum, equity, group.limit.0))
            });
        }
        let priced = |finding: Finding| costs.missing.unwrap_or(finding);
        let known = situation.account;
        rows.switch(limits.buying_power, Check::BuyingPower, all, || {
            priced(match known {
                Some(known) => account::buying_power(known.buying_power, costs.opening),
                None => Finding::missing(Input::Account),
            })
        });
        rows.switch(limits.cash, Check::Cash, all, || {
            priced(account::cash(known.map(|a| a.cash), costs.cash))
        });
        rows.rule(limits.min_cash_buffer, Check::MinCashBuffer, all, |limit| {
            priced(account::min_cash_buffer(
                known.map(|a| a.cash),
                costs.cash,
                equity,
                limit,
            ))
        });
    }
}

fn add(a: Option<Exact>, b: Option<Exact>) -> Option<Exact> {
    a?.plus(b?)
}

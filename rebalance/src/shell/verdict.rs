//! What the risk checks say of a plan whose sells are over before its buys begin.
//!
//! The worst case over all orders at once, buys filled and sells not, can't happen here: buys are sent when the sells have
//! ended, and are checked again then. So exposures are judged in both situations that can: the sells alone, and the buys
//! after the sells, which have brought what they bring at their limits. Everything else is judged over all orders.

use std::collections::HashMap;

use nanobook::trading::decimal::ONE;
use nanobook::trading::{Account, NewOrder, Position, Quote, RiskCheckRow, Units};
use nanobook::{Money, OrderKind, Side, Symbol, Timestamp};
use nanobook_risk::{Check, Outcome, Proceeds, Report, RiskCheck, RiskEngine, Situation};

/// What the risk checks found.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// Over all orders.
    all: Report,
    /// Of the sells alone, and of the buys after them, where there are both.
    phases: Option<[Report; 2]>,
}

/// Whether a check is about exposures, which sells take away before buys add to them.
const fn is_exposure(check: Check) -> bool {
    matches!(
        check,
        Check::GrossExposure
            | Check::Leverage
            | Check::NetExposure
            | Check::ShortExposure
            | Check::GroupConcentration
    )
}

impl Verdict {
    /// Judges orders.
    pub fn new(engine: &RiskEngine, orders: &[NewOrder], situation: &Situation<'_>) -> Self {
        let whole = Situation {
            proceeds: Proceeds::SoldFirst,
            ..*situation
        };
        let all = engine.check(orders, &whole);
        let of_side = |side| -> Vec<NewOrder> {
            let orders = orders.iter().filter(|order| order.side == side);
            orders.copied().collect()
        };
        let (sells, buys) = (of_side(Side::Sell), of_side(Side::Buy));
        if sells.is_empty() || buys.is_empty() {
            return Self { all, phases: None };
        }
        let first = engine.check(&sells, situation);
        let account = situation
            .account
            .map(|account| paid(engine, account, situation, &sells));
        let positions = situation.positions.map(|positions| sold(positions, &sells));
        let after = Situation {
            account: account.as_ref(),
            positions: positions.as_deref(),
            ..*situation
        };
        let second = engine.check(&buys, &after);
        Self {
            all,
            phases: Some([first, second]),
        }
    }

    /// The rows that count, each with its report.
    pub fn rows(&self) -> impl Iterator<Item = (&Report, &RiskCheck)> {
        let in_phases = self.phases.is_some();
        let all = self.all.rows().iter().map(|row| (&self.all, row));
        let all = all.filter(move |(_, row)| !(in_phases && is_exposure(row.check)));
        let phases = self.phases.iter().flatten();
        let phases = phases.flat_map(|report| report.rows().iter().map(move |row| (report, row)));
        all.chain(phases.filter(|(_, row)| is_exposure(row.check)))
    }

    fn count(&self, outcome: Outcome) -> usize {
        self.rows()
            .filter(|(_, row)| row.outcome == outcome)
            .count()
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows().count()
    }

    /// Whether nothing was judged.
    pub fn is_empty(&self) -> bool {
        self.all.rows().is_empty()
    }

    /// How many hard checks failed.
    pub fn failed(&self) -> usize {
        self.count(Outcome::Fail)
    }

    /// How many soft checks did not hold.
    pub fn warned(&self) -> usize {
        self.count(Outcome::Warn)
    }

    /// Whether no hard check failed, so that the orders may be sent.
    pub fn passed(&self) -> bool {
        self.failed() == 0 && !self.is_empty()
    }

    /// What does not hold, in sentences.
    pub fn breaches(&self) -> impl Iterator<Item = String> {
        let breaches = self.rows().filter(|(_, row)| row.outcome != Outcome::Pass);
        breaches.map(|(report, row)| format!("{} {}", row.outcome.as_str(), report.sentence(row)))
    }

    /// The rows as those of the table `risk_checks`.
    pub fn table(&self, ts: Timestamp, run_id: &str) -> Vec<RiskCheckRow> {
        let in_phases = self.phases.is_some();
        let chosen = |report: &Report, wanted: &dyn Fn(Check) -> bool| -> Vec<RiskCheckRow> {
            let rows = report.table(ts, run_id).into_iter().zip(report.rows());
            rows.filter(|(_, row)| wanted(row.check))
                .map(|(row, _)| row)
                .collect()
        };
        let mut rows = chosen(&self.all, &|check| !(in_phases && is_exposure(check)));
        for report in self.phases.iter().flatten() {
            rows.extend(chosen(report, &is_exposure));
        }
        rows
    }
}

/// Positions after the sells.
fn sold(positions: &[Position], sells: &[NewOrder]) -> Vec<Position> {
    let mut positions = positions.to_vec();
    let places = positions.iter().enumerate().map(|(at, p)| (p.symbol, at));
    let places: HashMap<Symbol, usize> = places.collect();
    for sell in sells {
        match places.get(&sell.symbol).map(|at| &mut positions[*at]) {
            Some(position) => position.qty = Units(position.qty.0.saturating_sub(sell.qty.0)),
            None => positions.push(Position {
                account_id: String::new(),
                symbol: sell.symbol,
                qty: Units(sell.qty.0.saturating_neg()),
                available: None,
                avg_px: None,
                market_px: None,
            }),
        }
    }
    positions
}

/// The account after the sells, each at its limit and with its fee.
fn paid(
    engine: &RiskEngine,
    account: &Account,
    situation: &Situation<'_>,
    sells: &[NewOrder],
) -> Account {
    let limits = engine.limits();
    let quotes = situation.quotes.iter().map(|quote| (quote.symbol, quote));
    let quotes: HashMap<Symbol, &Quote> = quotes.collect();
    let (mut proceeds, mut lost) = (0_i128, 0_i128);
    for sell in sells {
        let OrderKind::Limit { price } = sell.kind else {
            continue;
        };
        let value = sell.qty.exact_notional(price).unwrap_or(0) / ONE;
        let part = limits.fee_bps.0.saturating_mul(value / ONE) / 10_000;
        let fee = part.max(limits.min_fee.0);
        let middle = quotes.get(&sell.symbol).and_then(|quote| quote.mid());
        let at_middle = middle.and_then(|middle| sell.qty.exact_notional(middle));
        proceeds = proceeds.saturating_add(value - fee);
        lost = lost.saturating_add(at_middle.map_or(0, |value| value / ONE) - value + fee);
    }
    let more = |money: Money| Money(money.0.saturating_add(proceeds));
    Account {
        cash: more(account.cash),
        buying_power: account.buying_power.map(more),
        equity: account
            .equity
            .map(|equity| Money(equity.0.saturating_sub(lost))),
        ..account.clone()
    }
}

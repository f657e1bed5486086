//! Commands that look and change nothing.

use std::collections::BTreeMap;

use nanobook::Symbol;
use nanobook::trading::{Fill, Units};
use serde_json::json;

use super::args::TargetsArgs;
use super::{Context, Result, outcome_json};
use crate::config::AccountConfig;
use crate::core::{Answer, Ending, Request, State};
use crate::shell::Failure;
use crate::shell::code;
use crate::shell::day::Past;
use crate::shell::folder::Run;
use crate::shell::log::now;
use crate::shell::prepare::{Seen, patience, prepare};
use crate::shell::venue::{self, Venue};
use crate::show::{Amount, Length, Table};

/// How the last run stands.
pub(super) fn status(context: &Context<'_>, account: &AccountConfig) -> Result<u8> {
    let folder = context.folder(account)?;
    let killed = folder.is_killed();
    if killed {
        context.say("the kill switch is on; `rebalancer kill --reset` turns it off\n");
    }
    let Some(last) = folder.last_run()? else {
        context.say(format_args!("no run yet in {}\n", folder.path().display()));
        context.tell(&json!({"run": null, "kill_switch": killed}));
        return Ok(code::DONE);
    };
    // Whoever holds the lock is at work.
    let works = matches!(folder.lock(), Err(Failure::Busy { .. }));
    let state = &last.state;
    let ending = state.outcome.as_ref().map(|outcome| outcome.ending);
    let (word, code) = match ending {
        None if works => ("at work", code::DONE),
        None => ("not ended: run `rebalancer recover`", code::REVIEW),
        Some(Ending::Review) => ("look at it, then run `rebalancer recover`", code::REVIEW),
        Some(ending) => (ending.as_str(), super::ending_code(ending)),
    };
    context.say(format_args!("run {}: {word}\n", last.file.name));
    let plan = state.plan.as_deref();
    let legs = plan.map_or(&[][..], |plan| &plan.legs[..]);
    let mut open = 0;
    for (at, leg) in legs.iter().enumerate() {
        let filled = state.filled(at);
        let working = state
            .orders_of(at)
            .filter(|order| order.may_trade())
            .count();
        open += working;
        if state.legs[at].end == Some(crate::core::LegEnd::Done) {
            continue;
        }
        context.say(format_args!(
            "  {} {} of {} {}, {working} working{}\n",
            if leg.side == nanobook::Side::Buy {
                "bought"
            } else {
                "sold"
            },
            filled,
            leg.qty,
            leg.symbol(),
            state.legs[at]
                .end
                .map_or(String::new(), |end| format!(", {end}"))
        ));
    }
    let ended = state.legs.iter().filter(|leg| leg.end.is_some()).count();
    let fills: usize = state.orders.iter().map(|order| order.fills.len()).sum();
    context.say(format_args!(
        "  {ended} of {} legs ended, {} orders, {open} open, {fills} fills\n",
        legs.len(),
        state.orders.len()
    ));
    context.tell(&json!({
        "run": last.file.name,
        "at_work": works,
        "kill_switch": killed,
        "legs": legs.len(),
        "legs_ended": ended,
        "orders": state.orders.len(),
        "open": open,
        "fills": fills,
        "outcome": state.outcome.as_ref().map(outcome_json),
    }));
    Ok(code)
}

/// What the broker says the account holds.
pub(super) fn positions(context: &Context<'_>, account: &AccountConfig) -> Result<u8> {
    let folder = context.folder(account)?;
    let _lock = folder.lock()?;
    let mut venue = Venue::start(venue::open(&context.config, account, folder.path())?);
    let seen = Seen::ask(&mut venue, &context.config, &[])?;
    let marks: BTreeMap<Symbol, f64> = seen
        .quotes
        .iter()
        .filter_map(|quote| Some((quote.symbol, quote.mid()?.as_f64())))
        .collect();
    let value = |symbol: Symbol, qty: Units, venue: Option<nanobook::Price>| {
        let mark = marks
            .get(&symbol)
            .copied()
            .or(venue.map(nanobook::Price::as_f64));
        mark.map(|mark| (mark, qty.as_f64() * mark))
    };
    let cash = seen.account.cash.as_f64();
    let mut equity = Some(cash);
    let mut rows = Vec::new();
    for position in &seen.positions {
        let valued = value(position.symbol, position.qty, position.market_px);
        equity = equity.zip(valued).map(|(sum, (_, value))| sum + value);
        rows.push((position, valued));
    }
    context.say(format_args!(
        "account {} ({}), equity {} {}, cash {}\n",
        seen.session.account_id,
        if seen.session.is_paper {
            "paper"
        } else {
            "LIVE"
        },
        Amount(equity.unwrap_or(f64::NAN)),
        seen.account.currency,
        Amount(cash)
    ));
    context.say(format_args!(
        "{:<16}{:>16}{:>14}{:>18}{:>10}\n",
        "symbol", "qty", "price", "value", "weight"
    ));
    let mut list = Vec::new();
    for (position, valued) in rows {
        let (mark, value) = valued.unwrap_or((f64::NAN, f64::NAN));
        let weight = equity.map_or(f64::NAN, |equity| value / equity);
        context.say(format_args!(
            "{:<16}{:>16}{:>14}{:>18}{:>9.2} %\n",
            position.symbol,
            position.qty.to_string(),
            Amount(mark),
            Amount(value),
            weight * 100.0
        ));
        list.push(json!({
            "symbol": position.symbol.as_str(),
            "qty": position.qty.to_string(),
            "value": valued.map(|(_, value)| value),
            "weight": weight.is_finite().then_some(weight),
        }));
    }
    for order in &seen.working {
        context.say(format_args!(
            "open order: {} {} {} {}\n",
            if order.side == nanobook::Side::Buy {
                "buy"
            } else {
                "sell"
            },
            order.leaves_qty(),
            order.symbol,
            order.state
        ));
    }
    context.tell(&json!({
        "account": seen.session.account_id,
        "paper": seen.session.is_paper,
        "equity": equity,
        "cash": seen.account.cash.to_string(),
        "positions": list,
        "open_orders": seen.working.len(),
    }));
    Ok(code::DONE)
}

/// What differs between the account, the journal and the targets.
pub(super) fn reconcile(
    context: &Context<'_>,
    account: &AccountConfig,
    args: &TargetsArgs,
) -> Result<u8> {
    let folder = context.folder(account)?;
    let _lock = folder.lock()?;
    let mut venue = Venue::start(venue::open(&context.config, account, folder.path())?);
    let mut differences = Vec::new();
    let targets = context.targets(account, args)?;
    let past = Past::of(&folder, &context.config, now())?;
    let prepared = prepare(&context.config, account, &targets, &mut venue, &past)?;
    context.say(Table::new(&prepared.plan, Length::Short));
    let off: f64 = prepared
        .plan
        .rows
        .iter()
        .filter_map(crate::plan::Row::drift)
        .map(|drift| drift * drift)
        .sum();
    // To the lot: costs have changed equity since, and with it what a weight is in shares.
    let orders = prepared
        .plan
        .orders()
        .filter(|order| order.qty > order.lot)
        .count();
    if orders > 0 {
        differences.push(format!(
            "{orders} orders of more than a lot would be needed to reach the targets"
        ));
    }
    if let Some(last) = folder.last_run()? {
        differences.extend(against_journal(context, &last, &prepared.seen, &mut venue)?);
    }
    for difference in &differences {
        context.say(format_args!("differs: {difference}\n"));
    }
    context.say(format_args!(
        "distance from the targets (root of the sum of squares): {:.3} %\n",
        off.sqrt() * 100.0
    ));
    context.tell(&json!({"differences": differences, "distance": off.sqrt()}));
    Ok(if differences.is_empty() {
        code::DONE
    } else {
        code::DIFFERS
    })
}

/// What the venue says against what the journal of the last run says.
fn against_journal(
    context: &Context<'_>,
    run: &Run,
    seen: &Seen,
    venue: &mut Venue,
) -> Result<Vec<String>> {
    let state = &run.state;
    let Some(plan) = state.plan.as_deref() else {
        return Ok(Vec::new());
    };
    let mut differences = Vec::new();
    for order in &seen.working {
        let ours = order
            .client_order_id
            .is_some_and(|id| state.tracked(&id).is_some());
        if ours {
            differences.push(format!("our order in {} is still open", order.symbol));
        }
    }
    let held: BTreeMap<Symbol, Units> = seen.positions.iter().map(|p| (p.symbol, p.qty)).collect();
    for (at, leg) in plan.legs.iter().enumerate() {
        let expected = state.expected(at, leg);
        let found = held.get(&leg.symbol()).copied().unwrap_or(Units::ZERO);
        if (expected.0 - found.0).abs() >= leg.instrument.lot.0 {
            differences.push(format!(
                "{}: {found} are held, and the last run explains {expected}",
                leg.symbol()
            ));
        }
    }
    let symbols: Vec<Symbol> = plan.legs.iter().map(crate::core::Leg::symbol).collect();
    if symbols.is_empty() {
        return Ok(differences);
    }
    let since = plan.ts;
    let request = Request::Fills { symbols, since };
    let Answer::Fills(fills) = venue.ask(request, patience(&context.config))? else {
        return Ok(differences);
    };
    differences.extend(fills_differ(state, &fills));
    Ok(differences)
}

/// Executions of ours that one side knows and the other does not, or knows otherwise.
fn fills_differ(state: &State, fills: &[Fill]) -> Vec<String> {
    type Key = (Symbol, String);
    let key = |fill: &Fill| -> Key { (fill.symbol, fill.trade_id.clone()) };
    let ours = fills.iter().filter(|fill| {
        fill.client_order_id
            .is_some_and(|id| state.tracked(&id).is_some())
    });
    let venue: BTreeMap<Key, &Fill> = ours.map(|fill| (key(fill), fill)).collect();
    let journal: BTreeMap<Key, &Fill> = state
        .orders
        .iter()
        .flat_map(|order| order.fills.values())
        .map(|fill| (key(fill), fill))
        .collect();
    let mut differences = Vec::new();
    for (key, fill) in &venue {
        match journal.get(key) {
            None => differences.push(format!(
                "execution {} of {} is not in the journal",
                key.1, key.0
            )),
            Some(known) if known.qty != fill.qty || known.price != fill.price => {
                differences.push(format!(
                    "execution {} of {}: the journal has {} at {}, the venue {} at {}",
                    key.1, key.0, known.qty, known.price, fill.qty, fill.price
                ));
            }
            Some(_) => {}
        }
    }
    for key in journal.keys().filter(|key| !venue.contains_key(*key)) {
        differences.push(format!(
            "execution {} of {} is in the journal and not at the venue",
            key.1, key.0
        ));
    }
    differences
}

//! From inputs to a plan.

use std::collections::HashMap;

use nanobook::portfolio::{
    BandTo, Holdings, Overdraft, PerSymbol, Plan as Sized, Rule, Sizing, Unmet,
};
use nanobook::trading::decimal::ONE;
use nanobook::trading::{Instrument, InstrumentState, Position, Quote, Units};
use nanobook::{Side, Symbol};

use super::order::{Draft, limit_price};
use super::{Inputs, Note, Plan, PlanError, Row, Settings};
use crate::config::{Direction, Name, TradeTo, Unlisted};
use crate::targets::{Restriction, Target};

/// Lots of an order beyond which doubles can't count.
const MOST_LOTS: f64 = 9e15;

/// What is known of a symbol.
struct Item<'a> {
    symbol: Symbol,
    target: Option<&'a Target>,
    position: Option<&'a Position>,
    quote: Option<&'a Quote>,
    instrument: Option<&'a Instrument>,
    /// Why it can't trade now.
    blocked: Option<Note>,
    /// Why its weight is no target.
    held: Option<Note>,
    lot: Units,
}

/// Columns of the rule, in order of symbol.
struct Columns {
    weight: Vec<f64>,
    qty: Vec<f64>,
    price: Vec<f64>,
    mark: Vec<f64>,
    lot: Vec<f64>,
}

pub(super) fn build(inputs: &Inputs<'_>, settings: &Settings) -> Result<Plan, PlanError> {
    let items = items(inputs, settings);
    for item in &items {
        if let Some(instrument) = item.instrument
            && instrument.currency != inputs.account.currency
        {
            return Err(PlanError::Currency {
                symbol: item.symbol,
                found: instrument.currency,
                expected: inputs.account.currency,
            });
        }
    }
    let mut columns = columns(&items)?;
    let cash = inputs.account.cash.as_f64();
    let equity = holdings(&columns, cash).equity();
    if equity.is_nan() || equity <= 0.0 {
        return Err(PlanError::NoEquity { equity });
    }
    let scale = buffer(&items, settings);
    for weight in &mut columns.weight {
        *weight *= scale;
    }
    let targets = columns.weight.clone();
    let mut notes = bounds(&items, &mut columns, settings, equity);
    let rule = rule(settings, &columns);
    if let Some((name, value)) = rule.fault() {
        return Err(PlanError::Setting { name, value });
    }
    let mut sized = Sized::default();
    let run = |columns: &Columns, sized: &mut Sized| {
        let held = holdings(columns, cash);
        rule.plan(&columns.weight, &held, &settings.costs, sized);
    };
    run(&columns, &mut sized);
    // What may go one way only is taken out, and the rest sized again without its money.
    let mut again = false;
    for (at, wanted) in wanted(&sized, items.len()).into_iter().enumerate() {
        let note = one_way(&items[at], settings.plan.direction, wanted);
        if note.is_some() {
            (columns.weight[at], notes[at], again) = (f64::NAN, note, true);
        }
    }
    if again {
        run(&columns, &mut sized);
    }
    let mut drafts: Vec<Option<Draft>> = vec![None; items.len()];
    for order in &sized.orders {
        let at = order.symbol;
        let (draft, note) = draft(&items[at], order.qty, order.price, settings)?;
        drafts[at] = draft;
        notes[at] = note.or(notes[at]);
    }
    for shortfall in &sized.shortfalls {
        let at = shortfall.symbol;
        let note = match shortfall.why {
            Unmet::NoPrice => items[at].blocked.unwrap_or(Note::NoQuote),
            Unmet::Turnover => Note::Turnover,
            Unmet::Cash => Note::Cash,
            _ => Note::TooSmall,
        };
        notes[at] = Some(note);
    }
    let mut scaled = sized.scaled;
    if !settings.plan.margin {
        let least = settings.plan.cash_buffer * equity;
        scaled *= fit_cash(&items, &mut drafts, &mut notes, settings, cash - least);
    }
    let mut plan = Plan {
        account_id: inputs.account.account_id.clone(),
        currency: inputs.account.currency,
        equity,
        cash: inputs.account.cash,
        cash_after: cash,
        leverage: 0.0,
        leverage_after: 0.0,
        rows: Vec::with_capacity(items.len()),
        scaled,
        remarks: Vec::new(),
    };
    for (at, item) in items.iter().enumerate() {
        plan.rows.push(row(
            item,
            drafts[at],
            notes[at],
            &columns,
            [targets[at], equity],
            settings,
            at,
        ));
    }
    finish(&mut plan, settings);
    remark(&mut plan, inputs, scale);
    Ok(plan)
}

fn items<'a>(inputs: &Inputs<'a>, settings: &Settings) -> Vec<Item<'a>> {
    let targets = inputs.targets.by_symbol();
    let positions = inputs.positions.iter().filter(|p| !p.qty.is_zero());
    let positions: HashMap<Symbol, &Position> = positions.map(|p| (p.symbol, p)).collect();
    let quotes: HashMap<Symbol, &Quote> = inputs.quotes.iter().map(|q| (q.symbol, q)).collect();
    let instruments = inputs.instruments.iter().map(|i| (i.symbol, i));
    let instruments: HashMap<Symbol, &Instrument> = instruments.collect();
    let mut symbols: Vec<Symbol> = targets.keys().chain(positions.keys()).copied().collect();
    symbols.sort_unstable();
    symbols.dedup();
    let item = |symbol: Symbol| {
        let target = targets.get(&symbol).copied();
        let quote = quotes.get(&symbol).copied();
        let instrument = instruments.get(&symbol).copied();
        let untouchable = settings.plan.untouchable.contains(&Name(symbol));
        let held = match target {
            _ if untouchable => Some(Note::Untouchable),
            Some(target) if target.restrict == Restriction::NoTrade => Some(Note::NoTrade),
            None if settings.plan.unlisted == Unlisted::Keep => Some(Note::Kept),
            _ => None,
        };
        Item {
            symbol,
            target,
            position: positions.get(&symbol).copied(),
            quote,
            instrument,
            blocked: blocked(instrument, quote, inputs, settings),
            held,
            lot: instrument.map_or(settings.least_lot, |i| i.lot.max(settings.least_lot)),
        }
    };
    symbols.into_iter().map(item).collect()
}

/// Why a symbol can't be traded now.
fn blocked(
    instrument: Option<&Instrument>,
    quote: Option<&Quote>,
    inputs: &Inputs<'_>,
    settings: &Settings,
) -> Option<Note> {
    let Some(instrument) = instrument else {
        return Some(Note::Unknown);
    };
    if instrument.state != InstrumentState::Trading {
        return Some(Note::Halted);
    }
    let Some(quote) = quote else {
        return Some(Note::NoQuote);
    };
    let above = |price: Option<nanobook::Price>| price.filter(|price| price.0 > 0);
    let (Some(bid), Some(ask)) = (above(quote.bid_px), above(quote.ask_px)) else {
        return Some(Note::OneSided);
    };
    if bid > ask {
        return Some(Note::Crossed);
    }
    let age = inputs.now.0.saturating_sub(quote.ts_event.0);
    let stale = settings.max_quote_age_ns.is_some_and(|most| age > most);
    stale.then_some(Note::StaleQuote)
}

fn columns(items: &[Item<'_>]) -> Result<Columns, PlanError> {
    let mut columns = Columns {
        weight: Vec::with_capacity(items.len()),
        qty: Vec::with_capacity(items.len()),
        price: Vec::with_capacity(items.len()),
        mark: Vec::with_capacity(items.len()),
        lot: Vec::with_capacity(items.len()),
    };
    for item in items {
        let qty = item.position.map_or(0.0, |position| position.qty.as_f64());
        let quote = item.quote;
        let mid = quote.and_then(Quote::mid);
        let last = quote.and_then(|quote| quote.last_px);
        let venue = item.position.and_then(|position| position.market_px);
        let side = quote.and_then(|quote| quote.bid_px.or(quote.ask_px));
        let mark = mid.or(last).or(venue).or(side);
        let mark = mark.filter(|mark| mark.0 > 0).map(nanobook::Price::as_f64);
        if qty != 0.0 && mark.is_none() {
            let symbol = item.symbol;
            return Err(PlanError::NoPrice { symbol });
        }
        let weight = match (item.held, item.target) {
            (Some(_), _) => f64::NAN,
            (None, Some(target)) => target.weight,
            (None, None) => 0.0,
        };
        let mark = mark.unwrap_or(f64::NAN);
        columns.weight.push(weight);
        columns.qty.push(qty);
        columns.mark.push(mark);
        columns.price.push(if item.blocked.is_some() {
            f64::NAN
        } else {
            mark
        });
        columns.lot.push(item.lot.as_f64());
    }
    Ok(columns)
}

fn holdings(columns: &Columns, cash: f64) -> Holdings<'_> {
    Holdings {
        cash,
        qty: &columns.qty,
        price: &columns.price,
        mark: &columns.mark,
        volume: None,
    }
}

/// By how much targets are scaled so that the buffer stays cash.
fn buffer(items: &[Item<'_>], settings: &Settings) -> f64 {
    let buffer = settings.plan.cash_buffer;
    let long = |item: &Item<'_>| item.target.map_or(0.0, |target| target.weight.max(0.0));
    let sum: f64 = items
        .iter()
        .filter(|item| item.held.is_none())
        .map(long)
        .sum();
    if buffer > 0.0 && sum > 1.0 - buffer {
        (1.0 - buffer) / sum
    } else {
        1.0
    }
}

/// Takes what is within its bounds out, and aims at the nearer edge where that is asked for.
fn bounds(
    items: &[Item<'_>],
    columns: &mut Columns,
    settings: &Settings,
    equity: f64,
) -> Vec<Option<Note>> {
    let band = settings.plan.drift_band;
    let mut notes: Vec<Option<Note>> = items.iter().map(|item| item.held).collect();
    for (at, item) in items.iter().enumerate() {
        let Some(target) = item.target.filter(|_| item.held.is_none()) else {
            continue;
        };
        if target.min_weight.is_none() && target.max_weight.is_none() {
            continue;
        }
        let qty = columns.qty[at];
        let now = if qty == 0.0 {
            0.0
        } else {
            qty * columns.mark[at] / equity
        };
        let low = target.min_weight.unwrap_or(f64::NEG_INFINITY);
        let high = target.max_weight.unwrap_or(f64::INFINITY);
        if low <= now && now <= high {
            columns.weight[at] = f64::NAN;
            notes[at] = Some(Note::WithinBand);
        } else if settings.plan.trade_to == TradeTo::Edge {
            // The rule stops a band short of what it aims at; a weight of zero would be an exit to it.
            let aim = if now > high { high - band } else { low + band };
            columns.weight[at] = if aim == 0.0 { f64::MIN_POSITIVE } else { aim };
        }
    }
    notes
}

fn rule(settings: &Settings, columns: &Columns) -> Rule {
    let plan = &settings.plan;
    Rule {
        sizing: Sizing::PreCost,
        overdraft: if plan.margin {
            Overdraft::Allow
        } else {
            Overdraft::Scale
        },
        lot: PerSymbol::Each(columns.lot.clone()),
        no_trade_band: plan.drift_band,
        band_to: match plan.trade_to {
            TradeTo::Target => BandTo::Target,
            TradeTo::Edge => BandTo::Edge,
        },
        min_order_value: plan.min_order_value,
        max_turnover: plan.max_turnover,
        max_participation: None,
    }
}

/// What the rule wants of each symbol, in shares, before limits of cash and turnover.
fn wanted(sized: &Sized, symbols: usize) -> Vec<f64> {
    let mut wanted = vec![0.0; symbols];
    for order in &sized.orders {
        wanted[order.symbol] = order.qty;
    }
    for cut in &sized.shortfalls {
        wanted[cut.symbol] = cut.wanted;
    }
    wanted
}

/// Why an order may not go its way.
fn one_way(item: &Item<'_>, direction: Direction, wanted: f64) -> Option<Note> {
    let restrict = item.target.map(|target| target.restrict);
    let buy_only = restrict == Some(Restriction::BuyOnly) || direction == Direction::BuyOnly;
    let sell_only = restrict == Some(Restriction::SellOnly) || direction == Direction::SellOnly;
    if wanted < 0.0 && buy_only {
        Some(Note::BuyOnly)
    } else if wanted > 0.0 && sell_only {
        Some(Note::SellOnly)
    } else {
        None
    }
}

/// An order of the rule as the venue takes it.
fn draft(
    item: &Item<'_>,
    qty: f64,
    price: f64,
    settings: &Settings,
) -> Result<(Option<Draft>, Option<Note>), PlanError> {
    let (Some(instrument), Some(quote)) = (item.instrument, item.quote) else {
        return Ok((None, Some(Note::Unknown)));
    };
    let side = if qty > 0.0 { Side::Buy } else { Side::Sell };
    let held = item.position.map_or(Units::ZERO, |position| position.qty);
    let lots = qty.abs() / item.lot.as_f64();
    if lots.is_nan() || lots > MOST_LOTS {
        let symbol = item.symbol;
        return Err(PlanError::TooLarge { symbol, qty, price });
    }
    // What is whole but for rounding is whole, as in the rule.
    let nearest = lots.round();
    let is_whole = (lots - nearest).abs() <= 1e-9 * nearest.max(1.0);
    #[expect(clippy::cast_possible_truncation, reason = "bounded above")]
    let lots = if is_whole { nearest } else { lots.floor() } as i128;
    let mut units = Units(lots * item.lot.0);
    let mut note = None;
    // An exit leaves what is less than a lot.
    let exits = side == Side::Sell && (qty + held.as_f64()).abs() < 1e-12 * held.as_f64().abs();
    if exits {
        units = units.min(held.floor_to(item.lot));
        note = (units < held).then_some(Note::Remainder);
    }
    // What a sell closes must be there to be sold; what goes beyond is a short.
    if side == Side::Sell
        && let Some(available) = item.position.and_then(|position| position.available)
        && held.0 > 0
        && units <= held
        && units > available
    {
        units = available.floor_to(item.lot);
        note = Some(Note::Remainder);
    }
    if let Some(most) = instrument.max_qty.filter(|most| units > *most) {
        units = most.floor_to(item.lot);
        note = Some(Note::TooLarge);
    }
    let Some(limit) = limit_price(quote, side, settings.collar_bps, instrument.tick) else {
        return Ok((None, Some(Note::NoQuote)));
    };
    let Some(mid) = quote.mid() else {
        return Ok((None, Some(Note::OneSided)));
    };
    let draft = Draft {
        symbol: item.symbol,
        side,
        qty: units,
        limit,
        mid,
        tick: instrument.tick,
        lot: item.lot,
    };
    if is_too_small(&draft, instrument) {
        return Ok((None, Some(Note::TooSmall)));
    }
    Ok((Some(draft), note))
}

fn is_too_small(draft: &Draft, instrument: &Instrument) -> bool {
    let value = draft.qty.exact_notional(draft.limit).map(|v| v / ONE);
    draft.qty.0 <= 0
        || draft.qty < instrument.min_qty.unwrap_or(draft.lot)
        || value.is_none()
        || instrument
            .min_notional
            .is_some_and(|least| value < Some(least.0))
}

/// Cuts buys, all by the same part, until cash is enough when everything trades at its limit; gives the part.
fn fit_cash(
    items: &[Item<'_>],
    drafts: &mut [Option<Draft>],
    notes: &mut [Option<Note>],
    settings: &Settings,
    cash: f64,
) -> f64 {
    let sum = |drafts: &[Option<Draft>], side: Side| -> f64 {
        let of_side = drafts.iter().flatten().filter(|draft| draft.side == side);
        let cash = of_side.map(|draft| {
            let cash = draft.worst_cash(settings.fee_bps, settings.min_fee);
            cash.unwrap_or(i128::MAX / 1_000_000)
        });
        cash.fold(0.0, |sum, units| sum + units as f64 / 1e9)
    };
    let have = (cash - sum(drafts, Side::Sell)).max(0.0);
    let need = sum(drafts, Side::Buy);
    if need <= have {
        return 1.0;
    }
    let whole = drafts.to_vec();
    let mut part = have / need;
    // Least commissions don't shrink with their orders; a few rounds are enough.
    for _ in 0..64 {
        for (at, (draft, whole)) in drafts.iter_mut().zip(&whole).enumerate() {
            let Some(whole) = whole.filter(|draft| draft.side == Side::Buy) else {
                continue;
            };
            #[expect(
                clippy::cast_possible_truncation,
                reason = "smaller than what it is a part of"
            )]
            let lots = (part * (whole.qty.0 / whole.lot.0.max(1)) as f64).floor() as i128;
            let cut = Draft {
                qty: Units(lots * whole.lot.0),
                ..whole
            };
            if cut.qty < whole.qty {
                notes[at] = Some(Note::Cash);
            }
            let small = items[at].instrument.is_none_or(|i| is_too_small(&cut, i));
            *draft = (!small).then_some(cut);
        }
        if sum(drafts, Side::Buy) <= have {
            break;
        }
        part *= 0.999;
    }
    part
}

fn row(
    item: &Item<'_>,
    order: Option<Draft>,
    note: Option<Note>,
    columns: &Columns,
    [target, equity]: [f64; 2],
    settings: &Settings,
    at: usize,
) -> Row {
    let (qty, mark) = (columns.qty[at], columns.mark[at]);
    let weight = |qty: f64| if qty == 0.0 { 0.0 } else { qty * mark / equity };
    let now = weight(qty);
    let target = (!target.is_nan()).then_some(target);
    let quiet = match target {
        _ if order.is_some() => item.target.is_none().then_some(Note::Unlisted),
        Some(target) => {
            let off = (now - target).abs();
            let in_band = off < settings.plan.drift_band && target != 0.0;
            Some(if in_band {
                Note::WithinBand
            } else {
                Note::OnTarget
            })
        }
        None => None,
    };
    let cost = match (order, item.quote) {
        (Some(order), Some(quote)) => order.expected_cost(&settings.costs, quote),
        _ => 0.0,
    };
    Row {
        symbol: item.symbol,
        qty: item.position.map_or(Units::ZERO, |position| position.qty),
        mark: (!mark.is_nan()).then_some(mark),
        now,
        target,
        order,
        cost,
        after: weight(qty + order.map_or(0.0, |order| order.signed().as_f64())),
        cash_after: None,
        leverage_after: None,
        note: note.or(quiet),
    }
}

/// Puts rows in order and adds up cash and leverage along the orders.
fn finish(plan: &mut Plan, settings: &Settings) {
    let key = |row: &Row| {
        let order = match row.order {
            Some(Draft {
                side: Side::Sell, ..
            }) => 0,
            Some(_) => 1,
            None => 2,
        };
        let size = row.order.map_or(row.now.abs(), |order| order.notional());
        (order, size)
    };
    plan.rows.sort_by(|a, b| {
        let ((first, large), (second, small)) = (key(a), key(b));
        first
            .cmp(&second)
            .then(small.total_cmp(&large))
            .then(a.symbol.cmp(&b.symbol))
    });
    let mut gross: f64 = plan.rows.iter().map(|row| row.now.abs()).sum();
    plan.leverage = gross;
    let mut cash = plan.cash.as_f64();
    for row in &mut plan.rows {
        if let Some(order) = &row.order {
            cash -= order
                .worst_cash(settings.fee_bps, settings.min_fee)
                .map_or(f64::NAN, |units| units as f64 / 1e9);
            gross += row.after.abs() - row.now.abs();
            row.cash_after = Some(cash);
            row.leverage_after = Some(gross);
        }
    }
    plan.cash_after = cash;
    plan.leverage_after = gross;
}

/// What people should know.
fn remark(plan: &mut Plan, inputs: &Inputs<'_>, scale: f64) {
    let mut remarks = Vec::new();
    if scale < 1.0 {
        remarks.push(format!(
            "targets are scaled by {scale:.4} so that the cash buffer stays"
        ));
    }
    if plan.scaled < 1.0 {
        remarks.push(format!(
            "cash is enough for {:.2} % of the buys at their limits; they are cut alike",
            plan.scaled * 100.0
        ));
    }
    if let Some(venue) = inputs.account.equity {
        let venue = venue.as_f64();
        if (venue - plan.equity).abs() > 0.01 * plan.equity {
            remarks.push(format!(
                "the venue says that equity is {venue:.2}, and cash and positions at these quotes make {:.2}",
                plan.equity
            ));
        }
    }
    plan.remarks = remarks;
}

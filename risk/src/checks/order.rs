//! Checks of one order.

use nanobook::trading::decimal::ONE;
use nanobook::trading::{DataType, Instrument, InstrumentState, NewOrder, Quote, Units};
use nanobook::{OrderKind, Price, Side, Timestamp};

use crate::exact::Exact;
use crate::report::{Finding, Input};

/// Ten-thousandths in one.
const BPS: i128 = 10_000;

/// Nanoseconds in a second.
const SECOND: i128 = 1_000_000_000;

/// Both sides of a quote, if it has them and both are above zero.
fn sides(quote: Option<&Quote>) -> Result<(i128, i128), Finding> {
    let quote = quote.ok_or(Finding::missing(Input::Quote))?;
    match (quote.bid_px, quote.ask_px) {
        (Some(bid), Some(ask)) if bid.0 > 0 && ask.0 > 0 => Ok((bid.0.into(), ask.0.into())),
        _ => Err(Finding::missing(Input::Quote)),
    }
}

/// The worst price at which an order is meant to trade: its limit, or the other side of the quote for a market order.
/// `None` when there is neither above zero.
pub fn worst_price(order: &NewOrder, quote: Option<&Quote>) -> Option<Price> {
    let price = if let Some(price) = order.kind.price() {
        price
    } else {
        let touch = match order.side {
            Side::Buy => quote?.ask_px?,
            Side::Sell => quote?.bid_px?,
        };
        // A stop buys above the market and sells below it.
        match (order.kind.stop(), order.side) {
            (Some(stop), Side::Buy) => touch.max(stop),
            (Some(stop), Side::Sell) => touch.min(stop),
            (None, _) => touch,
        }
    };
    (price.0 > 0).then_some(price)
}

/// `amount / whole` in bps, rounded up, against a limit in bps; all in units of 1e-9.
fn bps(amount: i128, whole: i128, limit: i128) -> Finding {
    let scaled = amount.checked_mul(BPS).and_then(|a| a.checked_mul(ONE));
    let (Some(scaled), Some(bound)) = (scaled, whole.checked_mul(limit)) else {
        return Finding::overflow(Some(limit));
    };
    let observed = scaled / whole + i128::from(scaled % whole > 0);
    Finding::of(limit, observed, scaled <= bound)
}

/// `PRICE_COLLAR`: distance of the price from the middle of the quote, in bps of it, in either direction. A market
/// order has the price of the other side.
pub fn price_collar(order: &NewOrder, quote: Option<&Quote>, limit: i128) -> Finding {
    let (bid, ask) = match sides(quote) {
        Ok(sides) => sides,
        Err(missing) => return missing,
    };
    let Some(price) = worst_price(order, quote) else {
        return Finding::missing(Input::Price);
    };
    let distance = (2 * i128::from(price.0) - bid - ask).abs();
    bps(distance, bid + ask, limit)
}

/// `LIMIT_PRICE_SIDE_SANE`: prices are above zero, a buy is at most so many bps above the ask, a sell at most so many
/// below the bid, and a stop is on the side of the market where it has not triggered yet.
pub fn limit_price_sane(order: &NewOrder, quote: Option<&Quote>, limit: i128) -> Finding {
    let (bid, ask) = match sides(quote) {
        Ok(sides) => sides,
        Err(missing) => return missing,
    };
    let prices = [order.kind.price(), order.kind.stop()];
    if prices.into_iter().flatten().any(|price| price.0 <= 0) {
        return Finding::missing(Input::Price);
    }
    if let Some(stop) = order.kind.stop() {
        let waits = match order.side {
            Side::Buy => i128::from(stop.0) >= bid,
            Side::Sell => i128::from(stop.0) <= ask,
        };
        return Finding::flag(waits);
    }
    let Some(price) = order.kind.price() else {
        return bps(0, bid + ask, limit);
    };
    match order.side {
        Side::Buy => bps((i128::from(price.0) - ask).max(0), ask, limit),
        Side::Sell => bps((bid - i128::from(price.0)).max(0), bid, limit),
    }
}

/// `TICK_SIZE`: every price of the order is a multiple of the tick.
pub fn tick_size(order: &NewOrder, instrument: Option<&Instrument>) -> Finding {
    let Some(tick) = instrument.map(|i| i.tick.0).filter(|&tick| tick > 0) else {
        return Finding::missing(Input::Instrument);
    };
    let prices = [order.kind.price(), order.kind.stop()];
    let off = prices
        .into_iter()
        .flatten()
        .find(|price| price.0 % tick != 0);
    match off {
        Some(price) => Finding::of(tick.into(), price.0.into(), false),
        None => Finding {
            observed: order.kind.price().map(|price| price.0.into()),
            ..Finding::of(tick.into(), 0, true)
        },
    }
}

/// `LOT_STEP`: the quantity is above zero and a multiple of the lot.
pub fn lot_step(order: &NewOrder, instrument: Option<&Instrument>) -> Finding {
    let Some(lot) = instrument.map(|i| i.lot.0).filter(|&lot| lot > 0) else {
        return Finding::missing(Input::Instrument);
    };
    let qty = order.qty.0;
    Finding::of(lot, qty, qty > 0 && qty % lot == 0)
}

/// `MIN_QTY`: at least the venue's smallest quantity, which is one lot unless it says otherwise.
pub fn min_qty(order: &NewOrder, instrument: Option<&Instrument>) -> Finding {
    let Some(instrument) = instrument else {
        return Finding::missing(Input::Instrument);
    };
    let least = instrument.min_qty.unwrap_or(instrument.lot).0;
    Finding::of(least, order.qty.0, order.qty.0 >= least)
}

/// `MAX_QTY`: at most the venue's largest quantity, if it has one.
pub fn max_qty(order: &NewOrder, instrument: Option<&Instrument>) -> Finding {
    let Some(instrument) = instrument else {
        return Finding::missing(Input::Instrument);
    };
    match instrument.max_qty {
        Some(most) => Finding::at_most(most.0, order.qty.0),
        None => Finding::flag(true),
    }
}

/// `MIN_NOTIONAL`: price times quantity is at least the venue's least, if it has one. A market order is valued on its
/// own side of the quote, where it is worth less.
pub fn min_notional(
    order: &NewOrder,
    quote: Option<&Quote>,
    instrument: Option<&Instrument>,
) -> Finding {
    let Some(instrument) = instrument else {
        return Finding::missing(Input::Instrument);
    };
    let Some(least) = instrument.min_notional else {
        return Finding::flag(true);
    };
    let price = match order.kind.price() {
        Some(price) => Some(price),
        None => quote.and_then(|q| q.bid_px),
    };
    let Some(price) = price.filter(|price| price.0 > 0) else {
        return Finding::missing(Input::Price);
    };
    match (Exact::notional(price, order.qty), Exact::money(least)) {
        (Some(value), Some(bound)) => Finding::of(least.0, value.0 / ONE, value >= bound),
        _ => Finding::overflow(Some(least.0)),
    }
}

/// `MAX_ORDER_QTY`: at most our largest quantity.
pub fn max_order_qty(order: &NewOrder, limit: i128) -> Finding {
    Finding::at_most(limit, order.qty.0)
}

/// `MAX_ORDER_NOTIONAL`: price times quantity is at most our largest.
pub fn max_order_notional(order: &NewOrder, quote: Option<&Quote>, limit: i128) -> Finding {
    // A sell below the market trades at the market.
    let price = match (worst_price(order, quote), order.side) {
        (Some(price), Side::Buy) => Some(price),
        (Some(price), Side::Sell) => quote.and_then(|q| q.bid_px).map(|bid| price.max(bid)),
        (None, _) => None,
    };
    let Some(price) = price else {
        return Finding::missing(Input::Price);
    };
    money_at_most(limit, Exact::notional(price, order.qty))
}

/// An exact sum against a limit in money.
pub(super) fn money_at_most(limit: i128, sum: Option<Exact>) -> Finding {
    match (sum, limit.checked_mul(ONE)) {
        (Some(sum), Some(bound)) => Finding::of(limit, sum.to_money(), sum.0 <= bound),
        _ => Finding::overflow(Some(limit)),
    }
}

/// `ADV_PARTICIPATION`: quantity over average daily volume.
pub fn adv_participation(order: &NewOrder, volume: Option<Units>, limit: i128) -> Finding {
    let Some(volume) = volume.filter(|volume| volume.0 > 0) else {
        return Finding::missing(Input::Volume);
    };
    super::account::ratio_at_most(limit, Some(Exact(order.qty.0)), Exact(volume.0))
}

/// `SPREAD_TOO_WIDE`: spread in bps of the middle of the quote.
pub fn spread_too_wide(quote: Option<&Quote>, limit: i128) -> Finding {
    match sides(quote) {
        // A crossed quote has no spread to speak of; QUOTE_CROSSED is there to refuse it.
        Ok((bid, ask)) => bps(2 * (ask - bid).max(0), bid + ask, limit),
        Err(missing) => missing,
    }
}

/// `QUOTE_STALE`: age of the quote in seconds. A quote of the future is as bad as an old one.
pub fn quote_stale(quote: Option<&Quote>, now: Timestamp, limit: i128) -> Finding {
    let Some(quote) = quote else {
        return Finding::missing(Input::Quote);
    };
    let age = (i128::from(now.0) - i128::from(quote.ts_event.0)).abs();
    // A nanosecond is 1e-9 seconds: the age is in the units of the limit as it stands.
    debug_assert_eq!(SECOND, ONE);
    Finding::at_most(limit, age)
}

/// `QUOTE_DELAYED`: the quote is known to be live.
pub fn quote_delayed(quote: Option<&Quote>) -> Finding {
    match quote.and_then(|q| q.data_type) {
        Some(kind) => Finding::flag(kind == DataType::Live),
        None => Finding::missing(Input::Quote),
    }
}

/// `QUOTE_ONE_SIDED`: bid and ask are there and above zero.
pub fn quote_one_sided(quote: Option<&Quote>) -> Finding {
    match quote {
        None => Finding::missing(Input::Quote),
        Some(_) => Finding::flag(sides(quote).is_ok()),
    }
}

/// `QUOTE_CROSSED`: the bid is not above the ask.
pub fn quote_crossed(quote: Option<&Quote>) -> Finding {
    match sides(quote) {
        Ok((bid, ask)) => Finding::at_most(ask, bid),
        Err(missing) => missing,
    }
}

/// `INSTRUMENT_HALTED`: the instrument trades.
pub fn instrument_halted(instrument: Option<&Instrument>) -> Finding {
    match instrument {
        Some(instrument) => Finding::flag(instrument.state == InstrumentState::Trading),
        None => Finding::missing(Input::Instrument),
    }
}

/// What is at work, or about to be, on one instrument besides the order that is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Others {
    /// How many have its id, on any instrument.
    pub same_id: u32,
    /// How many are on its side.
    pub same_side: u32,
    /// The best price that an order on the other side may trade at: the lowest of sells, the highest of buys. A market
    /// order has none and is counted below.
    pub other_side: Option<Price>,
    /// How many on the other side trade at any price.
    pub other_side_market: u32,
}

/// `DUPLICATE_ORDER`: no other order with this id, or on this side of this instrument.
pub fn duplicate_order(others: Option<&Others>) -> Finding {
    match others {
        None => Finding::missing(Input::Working),
        Some(others) => {
            let count = i128::from(others.same_id) + i128::from(others.same_side);
            Finding::at_most(0, count * ONE)
        }
    }
}

/// `SELF_CROSS`: no order of ours on the other side at a price that this one would meet.
pub fn self_cross(order: &NewOrder, others: Option<&Others>) -> Finding {
    let Some(others) = others else {
        return Finding::missing(Input::Working);
    };
    if others.other_side_market > 0 {
        return Finding::flag(false);
    }
    let Some(other) = others.other_side else {
        return Finding::flag(true);
    };
    match (order.kind, order.kind.price(), order.side) {
        (OrderKind::Market, ..) | (_, None, _) => Finding::flag(false),
        (_, Some(price), Side::Buy) => Finding::of(other.0.into(), price.0.into(), price < other),
        (_, Some(price), Side::Sell) => Finding::of(other.0.into(), price.0.into(), price > other),
    }
}

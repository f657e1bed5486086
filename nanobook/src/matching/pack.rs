//! Events as words of 64 bits: one that says what it is and holds the small fields, then the large ones.

use super::Event;
use crate::{OrderId, OrderKind, OrderRequest, Owner, Price, Qty, Side};
use crate::{StpPolicy, TimeInForce, Trail};

/// Words of a limit order, the most frequent event.
pub(super) const TYPICAL: usize = 3;

const SUBMIT: u64 = 0;
const CANCEL: u64 = 1;
const REDUCE: u64 = 2;
const REPLACE: u64 = 3;
const MASS_CANCEL: u64 = 4;
const BEGIN_AUCTION: u64 = 5;
const UNCROSS: u64 = 6;
const UNCROSS_NEAR: u64 = 7;
const RESUME: u64 = 8;
const SET_STP_POLICY: u64 = 9;
const FORGET_CLOSED: u64 = 10;

const _: () = assert!(TimeInForce::GTC as u64 == 0);
const _: () = assert!(TimeInForce::IOC as u64 * IOC == IOC && TimeInForce::FOK as u64 * IOC == FOK);

/// Bits of the tag.
const TAG: u64 = 0xF;
/// A small field next to the tag: a policy.
const FIELD: u32 = 4;
const SELL: u64 = 1 << 4;
const IOC: u64 = 1 << 5;
const FOK: u64 = 1 << 6;
const POST_ONLY: u64 = 1 << 7;
const OWNED: u64 = 1 << 8;
/// It has a limit, a stop, a trail.
const LIMIT: u64 = 1 << 9;
const STOP: u64 = 1 << 10;
const TRAIL: u64 = 1 << 11;
/// What the trail is.
const PERCENTAGE: u64 = 1 << 12;
const MEAN_ABS_CHANGE: u64 = 1 << 13;
/// An owner is the upper half of its word, a period that of the word of its trail.
const UPPER: u32 = 32;

/// Adds an event.
#[inline]
pub(super) fn put(event: &Event, to: &mut Vec<u64>) {
    match *event {
        Event::Submit(request) => match request.kind {
            OrderKind::Limit { price } => put_limit(&request, price, to),
            _ => put_other(&request, to),
        },
        Event::Cancel { id } => to.extend_from_slice(&[CANCEL, id.0]),
        Event::Reduce { id, qty } => to.extend_from_slice(&[REDUCE, id.0, qty.0]),
        Event::Replace { id, price, qty } => {
            to.extend_from_slice(&[REPLACE, id.0, word(price), qty.0]);
        }
        Event::MassCancel { owner } => to.push(MASS_CANCEL | u64::from(owner.0) << UPPER),
        Event::BeginAuction => to.push(BEGIN_AUCTION),
        Event::Uncross { reference: None } => to.push(UNCROSS),
        Event::Uncross {
            reference: Some(price),
        } => to.extend_from_slice(&[UNCROSS_NEAR, word(price)]),
        Event::Resume => to.push(RESUME),
        Event::SetStpPolicy(policy) => to.push(SET_STP_POLICY | (policy as u64) << FIELD),
        Event::ForgetClosed => to.push(FORGET_CLOSED),
    }
}

/// Adds the submit of a limit order.
#[inline]
pub(super) fn put_limit(request: &OrderRequest, price: Price, to: &mut Vec<u64>) {
    let head = SUBMIT | LIMIT | flags(request);
    to.extend_from_slice(&[head, request.qty.0, word(price)]);
}

/// Takes the first event off; `None` at the end.
pub(super) fn take(from: &mut &[u64]) -> Option<Event> {
    let head = next(from)?;
    Some(match head & TAG {
        SUBMIT => Event::Submit(take_request(head, from)?),
        CANCEL => Event::Cancel {
            id: OrderId(next(from)?),
        },
        REDUCE => Event::Reduce {
            id: OrderId(next(from)?),
            qty: Qty(next(from)?),
        },
        REPLACE => Event::Replace {
            id: OrderId(next(from)?),
            price: next_price(from)?,
            qty: Qty(next(from)?),
        },
        MASS_CANCEL => Event::MassCancel { owner: owner(head) },
        BEGIN_AUCTION => Event::BeginAuction,
        UNCROSS => Event::Uncross { reference: None },
        UNCROSS_NEAR => Event::Uncross {
            reference: Some(next_price(from)?),
        },
        RESUME => Event::Resume,
        SET_STP_POLICY => Event::SetStpPolicy(policy(head >> FIELD)),
        _ => Event::ForgetClosed,
    })
}

#[inline]
fn word(price: Price) -> u64 {
    price.0.cast_unsigned()
}

/// The small fields of an order.
#[inline]
fn flags(request: &OrderRequest) -> u64 {
    let side = u64::from(request.side == Side::Sell) * SELL;
    // 0, 1 and 2 become neither bit, the lower and the upper.
    let tif = (request.tif as u64) * IOC;
    let post_only = u64::from(request.post_only) * POST_ONLY;
    let has_owner = u64::from(request.owner.is_some()) * OWNED;
    let owner = u64::from(request.owner.map_or(0, |owner| owner.0)) << UPPER;
    side | tif | post_only | has_owner | owner
}

/// An order that is no limit order.
fn put_other(request: &OrderRequest, to: &mut Vec<u64>) {
    let at = to.len();
    let mut head = SUBMIT | flags(request);
    to.extend_from_slice(&[0, request.qty.0]);
    if let Some(price) = request.kind.price() {
        head |= LIMIT;
        to.push(word(price));
    }
    if let Some(stop) = request.kind.stop() {
        head |= STOP;
        to.push(word(stop));
    }
    match request.kind.trail() {
        None => {}
        Some(Trail::Fixed(by)) => {
            head |= TRAIL;
            to.push(word(by));
        }
        Some(Trail::Percentage { ppm }) => {
            head |= TRAIL | PERCENTAGE;
            to.push(ppm.into());
        }
        Some(Trail::MeanAbsChange {
            multiplier_ppm,
            period,
        }) => {
            head |= TRAIL | MEAN_ABS_CHANGE;
            to.push(u64::from(period) << UPPER | u64::from(multiplier_ppm));
        }
    }
    to[at] = head;
}

fn take_request(head: u64, from: &mut &[u64]) -> Option<OrderRequest> {
    let has = |flag| head & flag != 0;
    let qty = Qty(next(from)?);
    let price = if has(LIMIT) {
        Some(next_price(from)?)
    } else {
        None
    };
    let stop = if has(STOP) {
        Some(next_price(from)?)
    } else {
        None
    };
    let trail = if has(TRAIL) {
        Some(take_trail(head, next(from)?))
    } else {
        None
    };
    let kind = match (price, stop, trail) {
        (Some(price), None, _) => OrderKind::Limit { price },
        (None, None, _) => OrderKind::Market,
        (None, Some(stop), None) => OrderKind::StopMarket { stop },
        (Some(price), Some(stop), None) => OrderKind::StopLimit { stop, price },
        (None, Some(stop), Some(trail)) => OrderKind::TrailingStopMarket { stop, trail },
        (Some(price), Some(stop), Some(trail)) => {
            OrderKind::TrailingStopLimit { stop, price, trail }
        }
    };
    Some(OrderRequest {
        side: if has(SELL) { Side::Sell } else { Side::Buy },
        kind,
        qty,
        tif: if has(IOC) {
            TimeInForce::IOC
        } else if has(FOK) {
            TimeInForce::FOK
        } else {
            TimeInForce::GTC
        },
        post_only: has(POST_ONLY),
        owner: has(OWNED).then(|| owner(head)),
    })
}

#[expect(clippy::cast_possible_truncation, reason = "the halves are meant")]
fn take_trail(head: u64, word: u64) -> Trail {
    if head & PERCENTAGE != 0 {
        Trail::Percentage { ppm: word as u32 }
    } else if head & MEAN_ABS_CHANGE != 0 {
        Trail::MeanAbsChange {
            multiplier_ppm: word as u32,
            period: (word >> UPPER) as u16,
        }
    } else {
        Trail::Fixed(Price(word.cast_signed()))
    }
}

fn owner(head: u64) -> Owner {
    Owner((head >> UPPER) as u32)
}

fn policy(code: u64) -> StpPolicy {
    match code {
        0 => StpPolicy::Off,
        1 => StpPolicy::CancelNewest,
        2 => StpPolicy::CancelOldest,
        3 => StpPolicy::CancelBoth,
        _ => StpPolicy::Decrement,
    }
}

fn next(from: &mut &[u64]) -> Option<u64> {
    let (first, rest) = from.split_first()?;
    *from = rest;
    Some(*first)
}

fn next_price(from: &mut &[u64]) -> Option<Price> {
    next(from).map(|word| Price(word.cast_signed()))
}

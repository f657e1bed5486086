//! A book that is obviously right: one list of orders in order of arrival, everything else computed when asked.
//!
//! Written from the rules of [`Fault`], not from [`OrderBook`](super::OrderBook), and used only in tests.

use super::{BookOrder, Outcome, QueuePosition};
use crate::rows::PriceLevel;
use crate::{BookDelta, Fault, OrderId, Price, Qty, Resting, Side};

/// The orders of one instrument, in order of arrival.
#[derive(Clone, Debug, Default)]
pub struct NaiveBook {
    arrivals: Vec<BookOrder>,
}

impl NaiveBook {
    /// An empty book.
    pub fn new() -> Self {
        Self::default()
    }

    /// Does what a feed says.
    pub fn apply(&mut self, delta: BookDelta) -> Outcome {
        match delta {
            BookDelta::Add {
                id,
                side,
                price,
                qty,
            } => self.add(id, side, price, qty),
            BookDelta::Execute { id, qty } | BookDelta::Reduce { id, qty } => {
                let Some(at) = self.position(id) else {
                    return unknown();
                };
                let before = self.arrivals[at];
                let mut fault = None;
                if qty == Qty(0) {
                    fault = Some(Fault::ZeroQty);
                } else if qty >= before.qty {
                    self.arrivals.remove(at);
                    if qty > before.qty {
                        fault = Some(Fault::Oversized);
                    }
                } else {
                    self.arrivals[at].qty = Qty(before.qty.0 - qty.0);
                }
                Outcome {
                    resting: Some(seen(before)),
                    fault,
                }
            }
            BookDelta::Delete { id } => match self.position(id) {
                Some(at) => Outcome {
                    resting: Some(seen(self.arrivals.remove(at))),
                    fault: None,
                },
                None => unknown(),
            },
            BookDelta::Replace {
                old_id,
                id,
                price,
                qty,
            } => match self.position(old_id) {
                Some(at) => {
                    let old = self.arrivals.remove(at);
                    let fault = self.add(id, old.side, price, qty).fault;
                    Outcome {
                        resting: Some(seen(old)),
                        fault,
                    }
                }
                None => unknown(),
            },
        }
    }

    fn add(&mut self, id: OrderId, side: Side, price: Price, qty: Qty) -> Outcome {
        if qty == Qty(0) {
            return Outcome {
                resting: None,
                fault: Some(Fault::ZeroQty),
            };
        }
        if price == Price(0) {
            return Outcome {
                resting: None,
                fault: Some(Fault::ZeroPrice),
            };
        }
        let evicted = self.position(id).map(|at| self.arrivals.remove(at));
        let there: u128 = self
            .at(side, price)
            .map(|order| u128::from(order.qty.0))
            .sum();
        let fault = if there + u128::from(qty.0) > u128::from(u64::MAX) {
            Some(Fault::QtyOverflow)
        } else {
            self.arrivals.push(BookOrder {
                id,
                side,
                price,
                qty,
            });
            evicted.map(|_| Fault::DuplicateOrder)
        };
        Outcome {
            resting: evicted.map(seen),
            fault,
        }
    }

    /// The best price of a side.
    pub fn best(&self, side: Side) -> Option<PriceLevel> {
        self.levels(side).first().copied()
    }

    /// The levels of a side, best first.
    pub fn levels(&self, side: Side) -> Vec<PriceLevel> {
        let mut prices: Vec<Price> = self
            .arrivals
            .iter()
            .filter(|o| o.side == side)
            .map(|o| o.price)
            .collect();
        prices.sort();
        prices.dedup();
        if side == Side::Buy {
            prices.reverse();
        }
        let level = |price| PriceLevel {
            price,
            qty: Qty(self.at(side, price).map(|o| o.qty.0).sum()),
            count: count(self.at(side, price).count()),
        };
        prices.into_iter().map(level).collect()
    }

    /// The orders of a side: best price first, and at a price in order of arrival.
    pub fn orders(&self, side: Side) -> Vec<BookOrder> {
        self.levels(side)
            .iter()
            .flat_map(|level| self.at(side, level.price))
            .copied()
            .collect()
    }

    /// An order by its id.
    pub fn order(&self, id: OrderId) -> Option<BookOrder> {
        self.position(id).map(|at| self.arrivals[at])
    }

    /// What stands before an order at its price.
    pub fn queue_position(&self, id: OrderId) -> Option<QueuePosition> {
        let order = self.order(id)?;
        let ahead: Vec<_> = self
            .at(order.side, order.price)
            .take_while(|o| o.id != id)
            .collect();
        Some(QueuePosition {
            orders_ahead: count(ahead.len()),
            qty_ahead: Qty(ahead.iter().map(|o| o.qty.0).sum()),
        })
    }

    /// Number of orders.
    pub fn len(&self) -> usize {
        self.arrivals.len()
    }

    /// Whether no order rests.
    pub fn is_empty(&self) -> bool {
        self.arrivals.is_empty()
    }

    fn at(&self, side: Side, price: Price) -> impl Iterator<Item = &BookOrder> {
        self.arrivals
            .iter()
            .filter(move |o| o.side == side && o.price == price)
    }

    fn position(&self, id: OrderId) -> Option<usize> {
        self.arrivals.iter().position(|o| o.id == id)
    }
}

fn count(orders: usize) -> u32 {
    u32::try_from(orders).unwrap_or(u32::MAX)
}

fn seen(order: BookOrder) -> Resting {
    Resting {
        side: order.side,
        price: order.price,
        qty: order.qty,
    }
}

fn unknown() -> Outcome {
    Outcome {
        resting: None,
        fault: Some(Fault::UnknownOrder),
    }
}

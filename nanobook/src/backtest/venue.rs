//! Books instead of a price column: orders go to matching engines, or take what a replayed day shows.
//!
//! Books trade whole lots, so a configuration for them has a `lot` of one. Sizes and marks still come from the panel.

use crate::book::OrderBook;
use crate::matching::{Engine, Output};
use crate::{OrderRequest, Price, Qty, Side};

/// A part of an order that a venue has filled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Execution {
    /// Shares, above zero.
    pub qty: f64,
    /// The price.
    pub price: f64,
}

/// Where orders are filled.
pub trait Venue {
    /// Fills what it can of an order, negative for a sale, at the time of a row, ns since the epoch. What is not filled is
    /// given up, and reported.
    fn execute(&mut self, time: i64, symbol: usize, qty: f64) -> Vec<Execution>;
}

/// The side and the whole lots of an order; `None` when there are none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked, and a fraction of a lot can't trade"
)]
fn lots(qty: f64) -> Option<(Side, Qty)> {
    let lots = (qty.abs() + 1e-9).floor();
    let side = if qty > 0.0 { Side::Buy } else { Side::Sell };
    (1.0..9.0e15)
        .contains(&lots)
        .then_some((side, Qty(lots as u64)))
}

/// One matching engine for each symbol of the panel. Before the orders of a row the caller may bring the engines to its
/// time: quotes come and go, others trade.
///
/// # Examples
/// ```
/// use nanobook::backtest::{EngineVenue, Venue};
/// use nanobook::{matching::Engine, OrderRequest, Price, Qty, Side};
///
/// let mut engine = Engine::default();
/// for (price, qty) in [(100_000_000_000, 30), (101_000_000_000, 30)] {
///     engine.submit(OrderRequest::limit(Side::Sell, Price(price), Qty(qty)), &mut Vec::new())?;
/// }
/// let mut venue = EngineVenue::new(vec![engine], |_time: i64, _engines: &mut [Engine]| {});
/// let fills = venue.execute(0, 0, 40.0);
/// assert_eq!(fills.iter().map(|f| (f.qty, f.price)).collect::<Vec<_>>(), [(30.0, 100.0), (10.0, 101.0)]);
/// # Ok::<(), nanobook::Reject>(())
/// ```
#[derive(Debug)]
pub struct EngineVenue<F> {
    engines: Vec<Engine>,
    bring_to: F,
    time: Option<i64>,
    out: Vec<Output>,
}

impl<F: FnMut(i64, &mut [Engine])> EngineVenue<F> {
    /// Engines in the order of the panel's symbols, and what brings them to a time.
    pub fn new(engines: Vec<Engine>, bring_to: F) -> Self {
        Self {
            engines,
            bring_to,
            time: None,
            out: Vec::new(),
        }
    }

    /// The engines.
    pub fn engines(&self) -> &[Engine] {
        &self.engines
    }
}

impl<F: FnMut(i64, &mut [Engine])> Venue for EngineVenue<F> {
    fn execute(&mut self, time: i64, symbol: usize, qty: f64) -> Vec<Execution> {
        if self.time != Some(time) {
            (self.bring_to)(time, &mut self.engines);
            self.time = Some(time);
        }
        let (Some((side, qty)), Some(engine)) = (lots(qty), self.engines.get_mut(symbol)) else {
            return Vec::new();
        };
        self.out.clear();
        let request = OrderRequest::market(side, qty);
        let Ok(ack) = engine.submit(request, &mut self.out) else {
            return Vec::new();
        };
        let ours = self.out.iter().filter_map(|output| match output {
            // Our order may set off stops of others, which trade too.
            Output::Trade(trade) if trade.aggressor() == Some(ack.id) => Some(Execution {
                qty: trade.qty.0 as f64,
                price: trade.price.as_f64(),
            }),
            _ => None,
        });
        ours.collect()
    }
}

/// Passive books, one for each symbol of the panel, that a replay of a feed keeps: an order takes the levels of the other
/// side, best first, and leaves the books as the feed has them.
#[derive(Debug)]
pub struct BookVenue<F> {
    books: Vec<OrderBook>,
    bring_to: F,
    time: Option<i64>,
}

impl<F: FnMut(i64, &mut [OrderBook])> BookVenue<F> {
    /// Books in the order of the panel's symbols, and what replays them up to a time.
    pub fn new(books: Vec<OrderBook>, bring_to: F) -> Self {
        Self {
            books,
            bring_to,
            time: None,
        }
    }
}

impl<F: FnMut(i64, &mut [OrderBook])> Venue for BookVenue<F> {
    fn execute(&mut self, time: i64, symbol: usize, qty: f64) -> Vec<Execution> {
        if self.time != Some(time) {
            (self.bring_to)(time, &mut self.books);
            self.time = Some(time);
        }
        let (Some((side, mut left)), Some(book)) = (lots(qty), self.books.get(symbol)) else {
            return Vec::new();
        };
        let mut executions = Vec::new();
        for level in book.levels(!side) {
            let taken = Qty(left.0.min(level.qty.0));
            if taken.is_zero() || level.price <= Price(0) {
                break;
            }
            executions.push(Execution {
                qty: taken.0 as f64,
                price: level.price.as_f64(),
            });
            left = left.saturating_sub(taken);
        }
        executions
    }
}

//! Where the quotes of a paper account come from.

use nanobook::trading::{DataType, Quote, Units};
use nanobook::{Sink, Symbol, Timestamp, rows};

use crate::error::Result;
use crate::{Broker, Session};

/// Gives quotes in order of time.
pub trait QuoteSource: Send {
    /// The quotes since the last call, up to and with `now`, of these instruments at least; oldest first.
    ///
    /// # Errors
    /// When they can't be had.
    fn until(&mut self, now: Timestamp, symbols: &[Symbol]) -> Result<Vec<Quote>>;
}

/// Quotes of a table or of a replayed day, in order of time.
///
/// As a [`Sink`] it takes the best bids and asks of a replay.
///
/// # Examples
/// ```
/// use nanobook::trading::Quote;
/// use nanobook_broker::paper::Recorded;
///
/// let quotes: Vec<Quote> = Vec::new();
/// let source = Recorded::new(quotes);
/// assert_eq!(source.len(), 0);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    quotes: Vec<Quote>,
    next: usize,
}

impl Recorded {
    /// From rows, which are put in order of time.
    pub fn new(mut quotes: Vec<Quote>) -> Self {
        quotes.sort_by_key(|quote| quote.ts_event);
        Self { quotes, next: 0 }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.quotes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.quotes.is_empty()
    }
}

impl Sink for Recorded {
    fn bbo(&mut self, row: &rows::Bbo) {
        let Some(symbol) = row.header.symbol else {
            return;
        };
        let shares =
            |qty: nanobook::Qty| Units(i128::from(qty.0) * nanobook::trading::decimal::ONE);
        self.quotes.push(Quote {
            symbol,
            bid_px: row.bid.map(|level| level.price),
            bid_qty: row.bid.map(|level| shares(level.qty)),
            ask_px: row.ask.map(|level| level.price),
            ask_qty: row.ask.map(|level| shares(level.qty)),
            last_px: None,
            data_type: Some(DataType::Live),
            ts_event: row.header.ts_event,
        });
    }
}

impl QuoteSource for Recorded {
    fn until(&mut self, now: Timestamp, _: &[Symbol]) -> Result<Vec<Quote>> {
        let rest = &self.quotes[self.next..];
        let count = rest.partition_point(|quote| quote.ts_event <= now);
        self.next += count;
        Ok(rest[..count].to_vec())
    }
}

/// Quotes of another broker, asked for each time somebody needs them.
pub struct FromBroker<B> {
    broker: B,
    connected: Option<Session>,
}

impl<B: Broker + Send> FromBroker<B> {
    /// Takes the other broker; it is only asked for quotes.
    pub const fn new(broker: B) -> Self {
        Self {
            broker,
            connected: None,
        }
    }
}

impl<B: Broker + Send> QuoteSource for FromBroker<B> {
    fn until(&mut self, _: Timestamp, symbols: &[Symbol]) -> Result<Vec<Quote>> {
        if self.connected.is_none() {
            self.connected = Some(self.broker.connect()?);
        }
        let answer = self.broker.quotes(symbols);
        if answer.as_ref().is_err_and(crate::Error::is_connection_lost) {
            self.connected = None;
        }
        answer
    }
}

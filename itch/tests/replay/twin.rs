//! A replay that is obviously right: message by message in file order, one list of orders for each
//! stock, and every row computed from the state before and after its message.
//!
//! Written from the documentation of the rows and not from the replay. A filter is nothing but a
//! question that is asked when a row is about to be pushed.

use std::collections::{BTreeMap, BTreeSet};

use nanobook::book::Outcome;
use nanobook::book::naive::NaiveBook;
use nanobook::rows::{Bar, Bbo, Header, MarketHeader, PriceLevel, Trade};
use nanobook::{Fault, InstrumentId, Price, Qty, Side, Symbol, Timestamp};
use nanobook_itch::replay::{Config, Report};
use nanobook_itch::{Message, Reason};

use crate::orders::{delta, mbo, trade};
use crate::rows::{OwnedDepth, Rows};
use crate::session;

/// Trades of an interval, and that there is something to tell about it.
#[derive(Debug, Default)]
struct OpenBar {
    end_ns: u64,
    seq: u64,
    prints: Vec<(Price, u64)>,
}

#[derive(Debug, Default)]
struct Stock {
    name: Option<Symbol>,
    book: NaiveBook,
    crossed: bool,
    quote: [Option<PriceLevel>; 2],
    depth: [Vec<PriceLevel>; 2],
    bar: Option<OpenBar>,
    /// End of the interval in which depth changed, and the last message that changed it.
    sample: Option<(u64, u64)>,
}

/// The session up to some message.
pub(crate) struct Twin {
    config: Config,
    pub rows: Rows,
    report: Report,
    seq: u64,
    stocks: BTreeMap<u16, Stock>,
    /// Stocks that a message was about.
    mentioned: BTreeSet<u16>,
}

impl Twin {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            config,
            rows: Rows::default(),
            report: Report::default(),
            seq: 0,
            stocks: BTreeMap::new(),
            mentioned: BTreeSet::new(),
        }
    }

    /// The session's end: what is open is told.
    pub(crate) fn finish(&mut self) {
        self.close_intervals(u64::MAX);
    }

    pub(crate) fn report(&self) -> Report {
        let books = || self.stocks.values().map(|stock| &stock.book);
        Report {
            instruments: self.mentioned.len() as u64,
            crossed_books: books().filter(|book| is_crossed(book)).count() as u64,
            live_orders: books().map(|book| book.len() as u64).sum(),
            ..self.report.clone()
        }
    }

    pub(crate) fn book(&self, locate: u16) -> Option<&NaiveBook> {
        self.mentioned
            .contains(&locate)
            .then(|| &self.stocks[&locate].book)
    }

    /// Takes the bytes of one frame.
    pub(crate) fn message(&mut self, bytes: &[u8]) {
        self.seq += 1;
        self.report.messages.add(bytes[0]);
        let message = match Message::parse(bytes) {
            Ok(message) => message,
            Err(Reason::UnknownType { tag }) => return self.report.unknown_type.add(tag),
            Err(_) => return self.report.wrong_length.add(bytes[0]),
        };
        let locate = message.header().stock_locate.get();
        let order = is_order(&message);
        let stock = self.stocks.entry(locate).or_default();
        if let Some(ticker) = message.stock() {
            // The directory has the last word; before it any ticker will do.
            if stock.name.is_none() || matches!(message, Message::StockDirectory(_)) {
                stock.name = Symbol::new(ticker.trimmed()).ok();
            }
        }
        if !is_about_market(&message) {
            self.mentioned.insert(locate);
        }

        let ns = message.header().timestamp.ns();
        self.report.first_ns.get_or_insert(ns);
        let now_ns = ns.max(self.report.last_ns.unwrap_or(0));
        self.report.faults.time_reversal += u64::from(ns < now_ns);
        self.report.last_ns = Some(now_ns);
        self.close_intervals(now_ns);

        if order {
            self.order(locate, ns, now_ns, &message);
        } else {
            self.other(locate, ns, now_ns, &message);
        }
    }

    fn shows_ns(&self, ns: u64) -> bool {
        self.config.from_ns <= ns && ns < self.config.to_ns
    }

    fn shows(&self, locate: u16) -> bool {
        let name = self.stocks[&locate].name;
        match &self.config.symbols {
            None => true,
            Some(only) => name.is_some_and(|name| only.contains(&name)),
        }
    }

    fn time(&self, ns: u64) -> Timestamp {
        let ns = i64::try_from(ns).unwrap_or(i64::MAX);
        Timestamp(self.config.midnight.0.saturating_add(ns))
    }

    fn header(&self, locate: u16, ns: u64, seq: u64) -> Header {
        Header {
            ts_event: self.time(ns),
            seq,
            instrument_id: InstrumentId(locate.into()),
            symbol: self.stocks[&locate].name,
        }
    }

    /// Tells of the intervals that have ended by now, the earliest first.
    fn close_intervals(&mut self, now_ns: u64) {
        let mut bars = Vec::new();
        let mut samples = Vec::new();
        for (&locate, stock) in &mut self.stocks {
            if let Some(bar) = stock.bar.take_if(|bar| bar.end_ns <= now_ns) {
                bars.push((bar.end_ns, locate, bar));
            }
            if let Some((due_ns, seq)) = stock.sample.take_if(|(due_ns, _)| *due_ns <= now_ns) {
                samples.push((due_ns, locate, seq));
            }
        }
        bars.sort_by_key(|(end_ns, locate, _)| (*end_ns, *locate));
        for (end_ns, locate, OpenBar { seq, prints, .. }) in bars {
            let interval_ns = self.config.wanted.bars_ns.expect("there is a bar");
            let start_ns = end_ns - interval_ns;
            if !self.shows(locate) || !self.shows_ns(start_ns) {
                continue;
            }
            let prices: Vec<Price> = prints.iter().map(|(price, _)| *price).collect();
            let volume: u128 = prints.iter().map(|(_, qty)| u128::from(*qty)).sum();
            let value: f64 = prints
                .iter()
                .map(|(price, qty)| price.as_f64() * *qty as f64)
                .sum();
            let book = &self.stocks[&locate].book;
            let best = |side| book.best(side).map(|level| level.price);
            self.rows.bars.push(Bar {
                header: self.header(locate, start_ns, seq),
                interval_ns: i64::try_from(interval_ns).unwrap_or(i64::MAX),
                ohlc: (!prices.is_empty()).then(|| {
                    let high = prices.iter().max().copied().unwrap_or_default();
                    let low = prices.iter().min().copied().unwrap_or_default();
                    [prices[0], high, low, prices[prices.len() - 1]]
                }),
                volume: Qty(u64::try_from(volume).unwrap_or(u64::MAX)),
                vwap: (volume > 0).then(|| value / volume as f64),
                trade_count: u32::try_from(prints.len()).unwrap_or(u32::MAX),
                bid_px: best(Side::Buy),
                ask_px: best(Side::Sell),
            });
        }
        samples.sort_unstable();
        for (due_ns, locate, seq) in samples {
            if self.shows(locate) && self.shows_ns(due_ns) {
                let [bids, asks] = self.stocks[&locate].depth.clone();
                let header = self.header(locate, due_ns, seq);
                self.rows.depth.push(OwnedDepth { header, bids, asks });
            }
        }
    }

    fn order(&mut self, locate: u16, ns: u64, now_ns: u64, message: &Message<'_>) {
        let wanted = self.config.wanted;
        let shown = self.shows(locate) && self.shows_ns(ns);
        let header = self.header(locate, ns, self.seq);
        let stock = self.stocks.entry(locate).or_default();
        let Some(delta) = delta(message) else {
            self.report.faults.bad_side += 1;
            if shown && wanted.mbo {
                self.rows.mbo.push(mbo(header, message, Outcome::default()));
            }
            return;
        };
        let outcome = stock.book.apply(delta);
        let faults = &mut self.report.faults;
        match outcome.fault {
            None => {}
            Some(Fault::UnknownOrder) => faults.unknown_order += 1,
            Some(Fault::DuplicateOrder) => faults.duplicate_order += 1,
            Some(Fault::Oversized) => faults.oversized += 1,
            Some(Fault::ZeroQty) => faults.zero_qty += 1,
            Some(Fault::ZeroPrice) => faults.zero_price += 1,
            Some(Fault::QtyOverflow) => faults.qty_overflow += 1,
        }
        let crossed = is_crossed(&stock.book);
        self.report.crossings += u64::from(crossed && !stock.crossed);
        stock.crossed = crossed;

        let quote = [Side::Buy, Side::Sell].map(|side| stock.book.best(side));
        let quoted = quote.map(seen) != stock.quote.map(seen);
        stock.quote = quote;
        let depth = [Side::Buy, Side::Sell].map(|side| {
            let mut levels = stock.book.levels(side);
            levels.truncate(wanted.depth);
            levels
        });
        let deepened = depth != stock.depth;
        stock.depth.clone_from(&depth);
        if deepened && let Some(every_ns) = wanted.every_ns {
            let (_, last) = stock.sample.get_or_insert((end_of(now_ns, every_ns), 0));
            *last = self.seq;
        }

        let print = trade(header, message, outcome);
        let counted = print.as_ref().and_then(counts);
        if let Some(interval_ns) = wanted.bars_ns
            && (quoted || counted.is_some())
        {
            stock.tell_bar(end_of(now_ns, interval_ns), self.seq, counted);
        }

        if !shown {
            return;
        }
        if wanted.mbo {
            self.rows.mbo.push(mbo(header, message, outcome));
        }
        if wanted.trades {
            self.rows.trades.extend(print);
        }
        if wanted.bbo && quoted {
            let [bid, ask] = quote;
            self.rows.bbo.push(Bbo { header, bid, ask });
        }
        if deepened && wanted.every_ns.is_none() {
            let [bids, asks] = depth;
            self.rows.depth.push(OwnedDepth { header, bids, asks });
        }
    }

    fn other(&mut self, locate: u16, ns: u64, now_ns: u64, message: &Message<'_>) {
        let header = self.header(locate, ns, self.seq);
        let market = MarketHeader {
            ts_event: header.ts_event,
            seq: self.seq,
        };
        let timeless = matches!(
            message,
            Message::StockDirectory(_) | Message::BrokenTrade(_)
        );
        let in_time = self.shows_ns(ns) || timeless;
        let shown = in_time && (is_about_market(message) || self.shows(locate));
        if let Message::SystemEvent(m) = message {
            self.report.last_system_event = Some(m.event_code);
        }
        if let Some(row) = trade(header, message, Outcome::default()) {
            let counted = counts(&row);
            if let (Some(interval_ns), Some(_)) = (self.config.wanted.bars_ns, counted) {
                let stock = self.stocks.entry(locate).or_default();
                stock.tell_bar(end_of(now_ns, interval_ns), self.seq, counted);
            }
            if shown && self.config.wanted.trades {
                self.rows.trades.push(row);
            }
        }
        if shown {
            let midnight = self.config.midnight;
            let bad_text = session::push(&mut self.rows, midnight, (header, market), message);
            self.report.faults.bad_text += bad_text;
        }
    }
}

impl Stock {
    fn tell_bar(&mut self, end_ns: u64, seq: u64, print: Option<(Price, u64)>) {
        let bar = self.bar.get_or_insert_with(|| OpenBar {
            end_ns,
            ..OpenBar::default()
        });
        bar.seq = seq;
        bar.prints.extend(print);
    }
}

/// What counts as a trade in a bar: a print with a price and a quantity.
fn counts(row: &Trade) -> Option<(Price, u64)> {
    row.price
        .map(|price| (price, row.qty.0))
        .filter(|(_, qty)| *qty > 0)
}

/// What counts as a change of the quote: the number of orders does not.
fn seen(level: Option<PriceLevel>) -> Option<(Price, Qty)> {
    level.map(|level| (level.price, level.qty))
}

fn end_of(ns: u64, interval_ns: u64) -> u64 {
    (ns / interval_ns + 1) * interval_ns
}

fn is_crossed(book: &NaiveBook) -> bool {
    match (book.best(Side::Buy), book.best(Side::Sell)) {
        (Some(bid), Some(ask)) => bid.price >= ask.price,
        _ => false,
    }
}

fn is_about_market(message: &Message<'_>) -> bool {
    matches!(
        message,
        Message::SystemEvent(_) | Message::MwcbDeclineLevel(_) | Message::MwcbStatus(_)
    )
}

fn is_order(message: &Message<'_>) -> bool {
    matches!(
        message,
        Message::AddOrder(_)
            | Message::AddOrderAttributed(_)
            | Message::OrderExecuted(_)
            | Message::OrderExecutedWithPrice(_)
            | Message::OrderCancel(_)
            | Message::OrderDelete(_)
            | Message::OrderReplace(_)
    )
}

//! Bars and sampled depth: rows at the ends of intervals that are the same for all instruments.
//!
//! Intervals are counted from midnight. An instrument's interval ends with its first message of a later one, or when
//! a block is done and its last message is of a later one. Either way the row says the same, and rows are pushed in
//! order of their time and stock locate, so they do not depend on how a file is cut into blocks.

use nanobook::rows::{self, Header, PriceLevel};
use nanobook::{Price, Qty, Sink, Timestamp};

use super::depth::{self, Pushed};
use super::{Config, Instrument, Slot, header_of};

/// An interval of an instrument that is open.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bar {
    /// End of the interval, in ns since midnight; 0 when none is open.
    end_ns: u64,
    last_seq: u64,
    ohlc: Option<[Price; 4]>,
    volume: u128,
    /// Price times quantity, in 1e-9.
    notional: i128,
    trade_count: u32,
}

/// The changes of an instrument's depth since its last sample.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sample {
    /// When the sample is due, in ns since midnight; 0 when nothing changed.
    due_ns: u64,
    last_seq: u64,
}

/// End of the interval that a time lies in.
#[inline]
fn end_of(ns: u64, interval_ns: u64) -> u64 {
    (ns / interval_ns)
        .saturating_add(1)
        .saturating_mul(interval_ns)
}

/// The time of day `ns` after midnight.
pub(super) fn at(midnight: Timestamp, ns: u64) -> Timestamp {
    Timestamp(
        midnight
            .0
            .saturating_add(i64::try_from(ns).unwrap_or(i64::MAX)),
    )
}

/// What the rows of intervals need of the session.
pub(super) struct Session<'a> {
    pub(super) config: &'a Config,
    /// By stock locate.
    pub(super) names: &'a [Header],
    /// By stock locate.
    pub(super) slots: &'a [Slot],
}

impl Session<'_> {
    fn shows(&self, ns: u64) -> bool {
        (self.config.from_ns..self.config.to_ns).contains(&ns)
    }

    fn header(&self, ns: u64, seq: u64, locate: u16) -> Header {
        header_of(self.names, locate, at(self.config.midnight, ns), seq)
    }
}

#[derive(Clone, Copy, Debug)]
struct ClosedBar {
    locate: u16,
    bar: Bar,
    bid_px: Option<Price>,
    ask_px: Option<Price>,
}

/// Bars of all instruments.
#[derive(Debug)]
pub(super) struct Bars {
    interval_ns: u64,
    /// Instruments with an open interval.
    open: Vec<u32>,
    closed: Vec<ClosedBar>,
}

impl Bars {
    pub(super) fn new(interval_ns: u64) -> Self {
        Self {
            interval_ns,
            open: Vec::new(),
            closed: Vec::new(),
        }
    }

    /// Closes the instrument's interval if `ns` is not in it any more.
    pub(super) fn close_before(&mut self, instrument: &mut Instrument, ns: u64) {
        if instrument.bar.end_ns != 0 && ns >= instrument.bar.end_ns {
            self.close(instrument);
        }
    }

    /// Adds a trade or a change of the quote.
    pub(super) fn add(
        &mut self,
        instrument: &mut Instrument,
        handle: u32,
        (ns, seq): (u64, u64),
        print: Option<(Price, Qty)>,
    ) {
        let bar = &mut instrument.bar;
        if bar.end_ns == 0 {
            bar.end_ns = end_of(ns, self.interval_ns);
            self.open.push(handle);
        }
        bar.last_seq = seq;
        let Some((price, qty)) = print else {
            return;
        };
        let [open, high, low, _] = bar.ohlc.unwrap_or([price; 4]);
        bar.ohlc = Some([open, high.max(price), low.min(price), price]);
        bar.volume = bar.volume.saturating_add(qty.0.into());
        bar.notional = bar.notional.saturating_add(price.notional(qty).0);
        bar.trade_count = bar.trade_count.saturating_add(1);
    }

    /// Takes over what others hold of the same instruments.
    pub(super) fn absorb(&mut self, others: &mut Self) {
        self.open.append(&mut others.open);
        self.closed.append(&mut others.closed);
    }

    fn close(&mut self, instrument: &mut Instrument) {
        let bar = std::mem::take(&mut instrument.bar);
        if !instrument.shown {
            return;
        }
        let [bid_px, ask_px] = instrument.quote.map(|level| level.map(|level| level.price));
        self.closed.push(ClosedBar {
            locate: instrument.locate,
            bar,
            bid_px,
            ask_px,
        });
    }

    /// Pushes the bars that ended by `now_ns`, or all of them at the end of the session.
    pub(super) fn push(
        &mut self,
        instruments: &mut [Instrument],
        now_ns: Option<u64>,
        session: &Session<'_>,
        sink: &mut impl Sink,
    ) {
        let mut open = std::mem::take(&mut self.open);
        open.retain(|&handle| {
            let instrument = &mut instruments[handle as usize];
            let end_ns = instrument.bar.end_ns;
            if end_ns != 0 && now_ns.is_none_or(|now| now >= end_ns) {
                self.close(instrument);
            }
            instrument.bar.end_ns != 0
        });
        open.sort_unstable();
        open.dedup();
        self.open = open;
        self.closed
            .sort_unstable_by_key(|closed| (closed.bar.end_ns, closed.locate));
        for ClosedBar {
            locate,
            bar,
            bid_px,
            ask_px,
        } in self.closed.drain(..)
        {
            let start_ns = bar.end_ns - self.interval_ns;
            if !session.shows(start_ns) {
                continue;
            }
            let vwap = (bar.volume > 0).then(|| {
                bar.notional as f64 / bar.volume as f64 / nanobook::UNITS_PER_CURRENCY as f64
            });
            sink.bar(&rows::Bar {
                header: session.header(start_ns, bar.last_seq, locate),
                interval_ns: i64::try_from(self.interval_ns).unwrap_or(i64::MAX),
                ohlc: bar.ohlc,
                volume: Qty(u64::try_from(bar.volume).unwrap_or(u64::MAX)),
                vwap,
                trade_count: bar.trade_count,
                bid_px,
                ask_px,
            });
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct DueSample {
    due_ns: u64,
    seq: u64,
    locate: u16,
    start: usize,
    bids: usize,
    asks: usize,
}

/// Depth of all instruments at the ends of intervals.
#[derive(Debug)]
pub(super) struct DepthSamples {
    interval_ns: u64,
    /// Instruments whose depth changed.
    changed: Vec<u32>,
    due: Vec<DueSample>,
    levels: Vec<PriceLevel>,
}

impl DepthSamples {
    pub(super) fn new(interval_ns: u64) -> Self {
        Self {
            interval_ns,
            changed: Vec::new(),
            due: Vec::new(),
            levels: Vec::new(),
        }
    }

    /// Takes the instrument's sample if `ns` is at or after its time.
    pub(super) fn close_before(&mut self, instrument: &mut Instrument, ns: u64) {
        if instrument.sample.due_ns != 0 && ns >= instrument.sample.due_ns {
            self.take(instrument);
        }
    }

    /// Notes that the instrument's depth changed.
    pub(super) fn changed(
        &mut self,
        instrument: &mut Instrument,
        handle: u32,
        (ns, seq): (u64, u64),
    ) {
        if instrument.sample.due_ns == 0 {
            instrument.sample.due_ns = end_of(ns, self.interval_ns);
            self.changed.push(handle);
        }
        instrument.sample.last_seq = seq;
    }

    /// Takes over what others hold of the same instruments.
    pub(super) fn absorb(&mut self, others: &mut Self) {
        self.changed.append(&mut others.changed);
        let levels = self.levels.len();
        self.due
            .extend(others.due.drain(..).map(|sample| DueSample {
                start: levels + sample.start,
                ..sample
            }));
        self.levels.append(&mut others.levels);
    }

    fn take(&mut self, instrument: &mut Instrument) {
        let Sample { due_ns, last_seq } = std::mem::take(&mut instrument.sample);
        if !instrument.shown {
            return;
        }
        let [bids, asks] = &instrument.depth;
        self.due.push(DueSample {
            due_ns,
            seq: last_seq,
            locate: instrument.locate,
            start: self.levels.len(),
            bids: bids.len(),
            asks: asks.len(),
        });
        self.levels.extend_from_slice(bids);
        self.levels.extend_from_slice(asks);
    }

    /// Pushes the samples that were due by `now_ns`, or all of them at the end of the session.
    pub(super) fn push(
        &mut self,
        (instruments, pushed): (&mut [Instrument], &mut Pushed),
        now_ns: Option<u64>,
        session: &Session<'_>,
        sink: &mut impl Sink,
    ) {
        let mut changed = std::mem::take(&mut self.changed);
        changed.retain(|&handle| {
            let instrument = &mut instruments[handle as usize];
            let due_ns = instrument.sample.due_ns;
            if due_ns != 0 && now_ns.is_none_or(|now| now >= due_ns) {
                self.take(instrument);
            }
            instrument.sample.due_ns != 0
        });
        changed.sort_unstable();
        changed.dedup();
        self.changed = changed;
        self.due
            .sort_unstable_by_key(|sample| (sample.due_ns, sample.locate));
        for sample in &self.due {
            if session.shows(sample.due_ns) {
                let levels = &self.levels[sample.start..][..sample.bids + sample.asks];
                let (bids, asks) = levels.split_at(sample.bids);
                let header = session.header(sample.due_ns, sample.seq, sample.locate);
                let handle = session.slots[usize::from(sample.locate)].handle as usize;
                let changed = pushed.differences(handle, [bids, asks]);
                let counts = [bids, asks].map(depth::count);
                sink.depth(&pushed.row(handle, header, counts, changed));
            }
        }
        self.due.clear();
        self.levels.clear();
    }
}

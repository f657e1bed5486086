//! Every row of a replay, and how two replays differ.

use nanobook::Sink;
use nanobook::rows::{
    Bar, Bbo, Depth, DirectListing, Header, Imbalance, Ipo, Luld, Mbo, Mwcb, Participant,
    PriceLevel, RegSho, Rpii, SomeLevels, Status, StockDirectory, SystemEvent, Trade, TradeBreak,
};

/// Depth with levels of its own.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OwnedDepth {
    pub header: Header,
    pub bids: Vec<PriceLevel>,
    pub asks: Vec<PriceLevel>,
}

/// Every row that was pushed, by its kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Rows {
    pub mbo: Vec<Mbo>,
    pub bbo: Vec<Bbo>,
    pub depth: Vec<OwnedDepth>,
    pub trades: Vec<Trade>,
    pub breaks: Vec<TradeBreak>,
    pub bars: Vec<Bar>,
    pub imbalance: Vec<Imbalance>,
    pub status: Vec<Status>,
    pub stock_directory: Vec<StockDirectory>,
    pub reg_sho: Vec<RegSho>,
    pub luld: Vec<Luld>,
    pub mwcb: Vec<Mwcb>,
    pub ipo: Vec<Ipo>,
    pub participants: Vec<Participant>,
    pub rpii: Vec<Rpii>,
    pub direct_listing: Vec<DirectListing>,
    pub system_events: Vec<SystemEvent>,
}

/// What is not among the levels that can differ is as it was, and what is among them is as it is now.
fn check(before: &[PriceLevel], now: &[PriceLevel], some: &SomeLevels<'_>) {
    let changed = some.first..some.first + some.levels.len();
    assert_eq!(&now[changed.clone()], some.levels);
    let others = (0..now.len()).filter(|rank| !changed.contains(rank));
    for rank in others {
        assert_eq!(
            before.get(rank),
            now.get(rank),
            "rank {rank} is not said to differ"
        );
    }
}

macro_rules! keep {
    ($($method:ident($row:ty) $field:ident;)*) => {
        impl Sink for Rows {
            $(fn $method(&mut self, row: &$row) { self.$field.push(*row); })*

            fn depth(&mut self, row: &Depth<'_>) {
                let Depth { header, bids, asks, change } = *row;
                if let Some(change) = change {
                    let of_book = |row: &&OwnedDepth| row.header.instrument_id == header.instrument_id;
                    let before = self.depth.iter().rfind(of_book).expect("an earlier row");
                    assert_eq!(before.header.seq, change.since);
                    check(&before.bids, bids, &change.bids);
                    check(&before.asks, asks, &change.asks);
                }
                self.depth.push(OwnedDepth { header, bids: bids.to_vec(), asks: asks.to_vec() });
            }
        }
    };
}

keep! {
    mbo(Mbo) mbo;
    bbo(Bbo) bbo;
    trade(Trade) trades;
    trade_break(TradeBreak) breaks;
    bar(Bar) bars;
    imbalance(Imbalance) imbalance;
    status(Status) status;
    stock_directory(StockDirectory) stock_directory;
    reg_sho(RegSho) reg_sho;
    luld(Luld) luld;
    mwcb(Mwcb) mwcb;
    ipo(Ipo) ipo;
    participant(Participant) participants;
    rpii(Rpii) rpii;
    direct_listing(DirectListing) direct_listing;
    system_event(SystemEvent) system_events;
}

impl Rows {
    /// Takes the mean prices of the bars out, which are compared by their distance.
    pub(crate) fn take_vwaps(&mut self) -> Vec<Option<f64>> {
        self.bars.iter_mut().map(|bar| bar.vwap.take()).collect()
    }

    /// What differs first; `None` when nothing does.
    pub(crate) fn difference(&self, other: &Self) -> Option<String> {
        macro_rules! compare {
            ($($field:ident)*) => {
                $(if let Some(text) = first_difference(&self.$field, &other.$field) {
                    return Some(format!("{}: {text}", stringify!($field)));
                })*
            };
        }
        let (mut ours, mut theirs) = (self.clone(), other.clone());
        let (our_means, their_means) = (ours.take_vwaps(), theirs.take_vwaps());
        if let Some(text) = first_difference(&ours.bars, &theirs.bars) {
            return Some(format!("bars: {text}"));
        }
        for (at, means) in our_means.iter().zip(&their_means).enumerate() {
            let close = match means {
                (Some(a), Some(b)) => (a - b).abs() <= 1e-12 * b.abs(),
                (None, None) => true,
                _ => false,
            };
            if !close {
                return Some(format!("vwap of bar {at}: {means:?}"));
            }
        }
        compare! {
            mbo bbo depth trades breaks imbalance status stock_directory reg_sho luld mwcb ipo participants rpii
            direct_listing system_events
        }
        None
    }
}

fn first_difference<T: PartialEq + std::fmt::Debug>(a: &[T], b: &[T]) -> Option<String> {
    if let Some(at) = (0..a.len().min(b.len())).find(|&at| a[at] != b[at]) {
        return Some(format!(
            "row {at} is\n{:?}\nand should be\n{:?}",
            a[at], b[at]
        ));
    }
    (a.len() != b.len()).then(|| {
        let more = if a.len() > b.len() {
            &a[b.len()]
        } else {
            &b[a.len()]
        };
        format!(
            "{} rows instead of {}; the first one is {more:?}",
            a.len(),
            b.len()
        )
    })
}

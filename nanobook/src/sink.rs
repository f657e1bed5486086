//! Where rows go.

use crate::InstrumentId;
use crate::rows::{
    Bar, Bbo, Depth, DirectListing, Imbalance, Ipo, Luld, Mbo, Mwcb, Participant, RegSho, Rpii,
    Status, StockDirectory, SystemEvent, Trade, TradeBreak,
};

macro_rules! sink {
    ($($(#[$doc:meta])* $method:ident($row:ty);)*) => {
        /// Takes rows as they happen, in order of their `seq`; each method does nothing unless it is written.
        ///
        /// # Examples
        /// ```
        /// use nanobook::{Sink, rows::Trade};
        ///
        /// #[derive(Default)]
        /// struct Volume(u64);
        ///
        /// impl Sink for Volume {
        ///     fn trade(&mut self, row: &Trade) {
        ///         self.0 += row.qty.0;
        ///     }
        /// }
        /// ```
        pub trait Sink {
            $($(#[$doc])* #[inline] fn $method(&mut self, row: &$row) { let _ = row; })*

            /// Rows about this instrument are about to come: a hint to fetch into the cache what they will need.
            #[inline]
            fn expect(&self, instrument: InstrumentId) { let _ = instrument; }
        }

        /// Throws everything away.
        impl Sink for () {}

        impl<S: Sink + ?Sized> Sink for &mut S {
            $(#[inline] fn $method(&mut self, row: &$row) { (**self).$method(row); })*

            #[inline]
            fn expect(&self, instrument: InstrumentId) { (**self).expect(instrument); }
        }
    };
}

sink! {
    /// An order message.
    mbo(Mbo);
    /// The best bid or ask changed.
    bbo(Bbo);
    /// One of the best levels changed, or an interval ended.
    depth(Depth<'_>);
    /// A public print.
    trade(Trade);
    /// An earlier print is void.
    trade_break(TradeBreak);
    /// An interval ended.
    bar(Bar);
    /// An imbalance before an auction.
    imbalance(Imbalance);
    /// A halt or resumption.
    status(Status);
    /// An instrument of the day.
    stock_directory(StockDirectory);
    /// A short-sale price test.
    reg_sho(RegSho);
    /// An auction collar.
    luld(Luld);
    /// A market-wide circuit breaker.
    mwcb(Mwcb);
    /// The quoting period of a new issue.
    ipo(Ipo);
    /// A market participant's position.
    participant(Participant);
    /// A retail interest.
    rpii(Rpii);
    /// A direct listing.
    direct_listing(DirectListing);
    /// A phase of the day.
    system_event(SystemEvent);
}

//! Rows of the market-data tables: one type for each table, pushed into a [`Sink`](crate::Sink) in file order.
//!
//! | row | table | one per |
//! |---|---|---|
//! | [`Mbo`] | `mbo` | order message |
//! | [`Bbo`] | `bbo` | change of the best price or quantity |
//! | [`Depth`] | `depth` | change within the best levels, or interval |
//! | [`Trade`] | `trades` | public print |
//! | [`Bar`] | `bars` | interval with a trade or a quote |
//! | [`Imbalance`] | `imbalance` | auction imbalance message |
//! | [`Status`] | `status` | trading action or operational halt |
//! | [`StockDirectory`] | `instruments` | stock directory message |
//! | [`RegSho`] [`Luld`] [`Mwcb`] [`Ipo`] [`Participant`] [`Rpii`] [`DirectListing`] [`SystemEvent`] | `reg_sho` `luld` `mwcb` `ipo` `participants` `rpii` `direct_listing` `system_events` | message |
//!
//! `None` is what the feed does not say; it is null in the table.

mod book;
mod session;

pub use book::{
    Action, Bar, Bbo, Depth, DepthChange, Mbo, PriceLevel, SomeLevels, Trade, TradeBreak, TradeKind,
};
pub use session::{
    DirectListing, Imbalance, Ipo, Luld, Mwcb, Participant, RegSho, Rpii, Status, StatusKind,
    StockDirectory, SystemEvent,
};

use crate::{InstrumentId, Symbol, Timestamp};

/// What every row about one instrument starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The venue's time of the message.
    pub ts_event: Timestamp,
    /// Ordinal of the message in the session file, from 1; skipped messages count.
    pub seq: u64,
    /// The instrument's id in the session.
    pub instrument_id: InstrumentId,
    /// Its ticker; `None` when the file has not named it.
    pub symbol: Option<Symbol>,
}

/// What every row about the whole market starts with; its `instrument_id` and `symbol` are null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarketHeader {
    /// The venue's time of the message.
    pub ts_event: Timestamp,
    /// Ordinal of the message in the session file, from 1; skipped messages count.
    pub seq: u64,
}

/// A code of the feed: 1 to 4 printable ASCII characters without spaces at its ends, such as an MPID or a reason.
///
/// # Examples
/// ```
/// use nanobook::rows::Code;
/// assert_eq!(Code::new(b"LUDP").unwrap().as_str(), "LUDP");
/// assert_eq!(Code::new(b"T   ").unwrap().as_str(), "T");
/// assert_eq!(Code::new(b"    "), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code {
    bytes: [u8; 4],
    len: std::num::NonZeroU8,
}

const _: () = assert!(size_of::<Option<Code>>() == 5);

impl Code {
    /// From a field of at most 4 bytes padded with spaces; `None` when it is blank, longer, or not printable ASCII.
    pub fn new(field: &[u8]) -> Option<Self> {
        let text = field.trim_ascii_end();
        let printable =
            text.iter().all(|b| b.is_ascii_graphic() || *b == b' ') && !text.starts_with(b" ");
        if text.len() > 4 || !printable {
            return None;
        }
        let len = u8::try_from(text.len())
            .ok()
            .and_then(std::num::NonZeroU8::new)?;
        let mut bytes = [0; 4];
        bytes[..text.len()].copy_from_slice(text);
        Some(Self { bytes, len })
    }

    /// The text.
    #[expect(clippy::missing_panics_doc, reason = "it cannot panic")]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.len.get())])
            .expect("only ASCII is let in")
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self.as_str(), f)
    }
}

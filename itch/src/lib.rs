//! NASDAQ TotalView-ITCH 5.0: from bytes to messages and back.
//!
//! Every message of a trading day, every field of every message, viewed where it lies: decoding
//! copies nothing and allocates nothing. All errors say at which byte. Unknown types and wrong
//! lengths are skipped by the length in front of them, and left to the caller to count.
//!
//! # Quickstart
//! ```
//! use nanobook_itch::{AddOrder, Directory, FrameReader, Framing, Message, OrderExecuted, Price4, Stock8};
//!
//! // A feed of two messages; a `File` or a decompressor does as well.
//! let mut feed = Vec::new();
//! let add = AddOrder {
//!     stock_locate: 13.into(),
//!     order_reference_number: 42.into(),
//!     buy_sell_indicator: b'B',
//!     shares: 100.into(),
//!     stock: Stock8::new("AAPL")?,
//!     price: Price4::new(1_891_500),
//!     ..AddOrder::default()
//! };
//! Framing::Length.encode(&add, &mut feed);
//! let executed = OrderExecuted { order_reference_number: 42.into(), ..OrderExecuted::default() };
//! Framing::Length.encode(&executed, &mut feed);
//!
//! let mut directory = Directory::new();
//! let mut unknown = 0;
//! let mut reader = FrameReader::detect(feed.as_slice())?;
//! while let Some(block) = reader.next_block()? {
//!     for (_offset, bytes) in block.frames() {
//!         let Ok(message) = Message::parse(bytes) else {
//!             unknown += 1;
//!             continue;
//!         };
//!         directory.learn(message);
//!         match message {
//!             Message::AddOrder(add) => assert_eq!(add.price.to_string(), "189.1500"),
//!             Message::OrderExecuted(e) => assert_eq!(e.order_reference_number.get(), 42),
//!             _ => {}
//!         }
//!     }
//! }
//! assert_eq!(directory.stock(13), Some(add.stock));
//! assert_eq!(unknown, 0);
//! # Ok::<(), nanobook_itch::Error>(())
//! ```
//!
//! # The wire
//! ```text
//! 00 24 │ 41 │ 00 0d │ 00 02 │ 1f 1a ce d9 f0 00 │ 00 … 2a │ 42 │ 00 00 00 64 │ AAPL____ │ 00 1c dc ac
//! length  type locate  track.  ns since midnight  reference  side  shares       stock      price × 10⁴
//!   36    'A'                  0        5        11         19    20           24         32        36
//! ```
//! All integers are big-endian, all text is ASCII padded with spaces. The first eleven bytes are
//! the same in every message ([`Header`]), the first nineteen in every order message
//! ([`OrderHeader`]). Two bytes of length stand in front, unless the [`Framing`] is another.
//!
//! # Modules
//! | module | what |
//! |---|---|
//! | [`wire`] | [`Price4`], [`Time48`], [`Stock8`] and the integers: how a field lies in the bytes |
//! | [`message`] | [`Message`] and one struct per message, with parsing and encoding |
//! | [`frame`] | [`Frames`] over a slice, [`FrameReader`] over anything that can be read |
//! | [`flat`] | [`OrderMessage`]: all order messages in one shape, for the fastest loops |
//! | [`directory`] | [`Directory`]: locate number to symbol |
//! | `replay` | messages to order books and rows (feature `replay`, the one part that needs `nanobook`) |
//! | `synth` | seeded synthetic trading days of any length (feature `synth`) |

pub mod directory;
mod encode;
mod error;
pub mod flat;
pub mod frame;
pub mod message;
#[cfg(feature = "replay")]
pub mod replay;
#[cfg(feature = "synth")]
pub mod synth;
pub mod wire;

pub use self::directory::{Directory, Listing};
pub use self::error::{Error, Reason, Result};
pub use self::flat::OrderMessage;
pub use self::frame::{Block, FrameReader, Frames, Framing};
pub use self::message::{
    AddOrder, AddOrderAttributed, Body, BrokenTrade, CrossTrade, DirectListing, Header, LENGTH,
    LuldAuctionCollar, MAX_LENGTH, MarketParticipantPosition, Message, MwcbDeclineLevel,
    MwcbStatus, NetOrderImbalance, OperationalHalt, OrderCancel, OrderDelete, OrderExecuted,
    OrderExecutedWithPrice, OrderHeader, OrderReplace, QuotingPeriodUpdate, RegShoRestriction,
    RetailInterest, StockDirectory, StockTradingAction, SystemEvent, TAGS, Trade,
};
pub use self::wire::{Alpha, Alpha2, Alpha4, Int2, Int4, Int8, Price4, Price8, Stock8, Time48};

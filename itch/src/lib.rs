//! NASDAQ TotalView-ITCH 5.0.

mod encode;
mod error;
pub mod frame;
pub mod message;
#[cfg(feature = "replay")]
pub mod replay;
#[cfg(feature = "synth")]
pub mod synth;
pub mod wire;

pub use self::error::{Error, Reason, Result};
pub use self::frame::{Block, FrameReader, Frames, Framing};
pub use self::message::{
    AddOrder, AddOrderAttributed, Body, BrokenTrade, CrossTrade, DirectListing, Header, LENGTH,
    LuldAuctionCollar, MAX_LENGTH, MarketParticipantPosition, Message, MwcbDeclineLevel,
    MwcbStatus, NetOrderImbalance, OperationalHalt, OrderCancel, OrderDelete, OrderExecuted,
    OrderExecutedWithPrice, OrderHeader, OrderReplace, QuotingPeriodUpdate, RegShoRestriction,
    RetailInterest, StockDirectory, StockTradingAction, SystemEvent, TAGS, Trade,
};
pub use self::wire::{Alpha, Alpha2, Alpha4, Int2, Int4, Int8, Price4, Price8, Stock8, Time48};

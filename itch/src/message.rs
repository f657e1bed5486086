//! The messages of ITCH 5.0, one struct each.
//!
//! Structs and fields stand in the order of the specification and carry its names. All are
//! `#[repr(C)]` with alignment 1, so a `&AddOrder` is a view of 36 bytes of the feed: nothing is
//! copied until a field is read.
//!
//! | type | struct | bytes | § |
//! |---|---|---|---|
//! | `S` | [`SystemEvent`] | 12 | 1.1 |
//! | `R` | [`StockDirectory`] | 39 | 1.2.1 |
//! | `H` | [`StockTradingAction`] | 25 | 1.2.2 |
//! | `Y` | [`RegShoRestriction`] | 20 | 1.2.3 |
//! | `L` | [`MarketParticipantPosition`] | 26 | 1.2.4 |
//! | `V` | [`MwcbDeclineLevel`] | 35 | 1.2.5.1 |
//! | `W` | [`MwcbStatus`] | 12 | 1.2.5.2 |
//! | `K` | [`QuotingPeriodUpdate`] | 28 | 1.2.6 |
//! | `J` | [`LuldAuctionCollar`] | 35 | 1.2.7 |
//! | `h` | [`OperationalHalt`] | 21 | 1.2.8 |
//! | `A` | [`AddOrder`] | 36 | 1.3.1 |
//! | `F` | [`AddOrderAttributed`] | 40 | 1.3.2 |
//! | `E` | [`OrderExecuted`] | 31 | 1.4.1 |
//! | `C` | [`OrderExecutedWithPrice`] | 36 | 1.4.2 |
//! | `X` | [`OrderCancel`] | 23 | 1.4.3 |
//! | `D` | [`OrderDelete`] | 19 | 1.4.4 |
//! | `U` | [`OrderReplace`] | 35 | 1.4.5 |
//! | `P` | [`Trade`] | 44 | 1.5.1 |
//! | `Q` | [`CrossTrade`] | 40 | 1.5.2 |
//! | `B` | [`BrokenTrade`] | 19 | 1.5.3 |
//! | `I` | [`NetOrderImbalance`] | 50 | 1.6 |
//! | `N` | [`RetailInterest`] | 20 | 1.7 |
//! | `O` | [`DirectListing`] | 48 | 1.8 |

mod admin;
mod order;
mod trade;

use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout, Unaligned};

pub use self::admin::{
    LuldAuctionCollar, MarketParticipantPosition, MwcbDeclineLevel, MwcbStatus, OperationalHalt,
    QuotingPeriodUpdate, RegShoRestriction, StockDirectory, StockTradingAction, SystemEvent,
};
pub use self::order::{
    AddOrder, AddOrderAttributed, OrderCancel, OrderDelete, OrderExecuted, OrderExecutedWithPrice,
    OrderReplace,
};
pub use self::trade::{
    BrokenTrade, CrossTrade, DirectListing, NetOrderImbalance, RetailInterest, Trade,
};
use crate::{Int2, Int8, Reason, Stock8, Time48};

/// The longest message, in bytes (`I`).
pub const MAX_LENGTH: usize = 50;

/// The eleven bytes with which every message begins.
///
/// For loops that must route a message before they decode it.
///
/// # Examples
/// ```
/// use nanobook_itch::{Header, OrderDelete};
/// use zerocopy::IntoBytes;
///
/// let message = OrderDelete { stock_locate: 7.into(), ..OrderDelete::default() };
/// let header = Header::peek(message.as_bytes()).expect("a message of 19 bytes has a header");
/// assert_eq!((header.message_type, header.stock_locate.get()), (b'D', 7));
/// ```
#[derive(
    FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Debug, Clone, Copy, PartialEq, Eq,
)]
#[repr(C)]
pub struct Header {
    /// The type of the message.
    pub message_type: u8,
    /// Number of the stock for this day; 0 in messages about no stock in particular.
    pub stock_locate: Int2,
    /// NASDAQ's internal tracking number.
    pub tracking_number: Int2,
    /// Time of day in ns.
    pub timestamp: Time48,
}

impl Header {
    /// Views the first bytes of a message; `None` if there are fewer than eleven.
    #[inline]
    pub fn peek(message: &[u8]) -> Option<&Self> {
        Self::ref_from_prefix(message)
            .ok()
            .map(|(header, _)| header)
    }

    /// The time of day in ns, read with one 8-byte load.
    #[inline]
    pub fn ns(&self) -> u64 {
        // Tracking number and time lie side by side: eight bytes, of which the last six count.
        let b: [u8; 11] = zerocopy::transmute!(*self);
        u64::from_be_bytes([b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10]]) & Time48::MAX_NS
    }
}

/// The nineteen bytes with which every order message (`A F E C X D U`) begins.
///
/// `P` has an order reference number in the same place.
#[derive(
    FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Debug, Clone, Copy, PartialEq, Eq,
)]
#[repr(C)]
pub struct OrderHeader {
    /// What every message begins with.
    pub header: Header,
    /// The order that is added or that something happens to.
    pub order_reference_number: Int8,
}

impl OrderHeader {
    /// Views the first bytes of an order message; `None` if there are fewer than nineteen.
    ///
    /// It does not look at the type.
    #[inline]
    pub fn peek(message: &[u8]) -> Option<&Self> {
        Self::ref_from_prefix(message)
            .ok()
            .map(|(header, _)| header)
    }
}

/// A message struct: fixed size, alignment 1, any bytes allowed.
///
/// The bound for functions over messages of any type; implemented by the 23 structs of this
/// module and by nothing else.
pub trait Body:
    FromBytes + IntoBytes + Immutable + KnownLayout + Unaligned + Copy + Default + sealed::Sealed
{
    /// The type byte.
    const TAG: u8;

    /// The common header.
    #[inline]
    fn header(&self) -> &Header {
        Header::peek(self.as_bytes()).expect("every message is longer than its header")
    }

    /// Wraps a reference in the enum of all messages.
    fn as_message(&self) -> Message<'_>;
}

mod sealed {
    pub trait Sealed {}
}

/// From one line per message: the enum, the table of lengths, the parser, and `Body`.
macro_rules! messages {
    ($($tag:literal $length:literal $name:ident: $doc:literal,)*) => {
        /// One message, viewed where it lies.
        ///
        /// # Examples
        /// ```
        /// use nanobook_itch::{Message, OrderDelete};
        /// use zerocopy::IntoBytes;
        ///
        /// let bytes = OrderDelete { order_reference_number: 42.into(), ..Default::default() };
        /// match Message::parse(bytes.as_bytes())? {
        ///     Message::OrderDelete(delete) => assert_eq!(delete.order_reference_number.get(), 42),
        ///     other => panic!("{other:?}"),
        /// }
        /// # Ok::<(), nanobook_itch::Reason>(())
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Message<'a> {
            $(#[doc = $doc] $name(&'a $name),)*
        }

        /// Length of a message by its type, type byte included; 0 for an unknown type.
        pub const LENGTH: [u8; 256] = {
            let mut length = [0; 256];
            $(length[$tag as usize] = $length;)*
            length
        };

        /// The 23 types in the order of the specification.
        pub const TAGS: [u8; 23] = [$($tag),*];

        impl<'a> Message<'a> {
            /// Views `bytes` (one message, without framing) as a message.
            ///
            /// # Errors
            /// [`Reason`] if there are no bytes, the type is unknown, or the length is not that of
            /// the type.
            // Only when inlined is a caller's match on the message one with the match on the type.
            #[inline(always)]
            pub fn parse(bytes: &'a [u8]) -> Result<Self, Reason> {
                let Some(&tag) = bytes.first() else {
                    return Err(Reason::Empty);
                };
                match tag {
                    $($tag => match $name::ref_from_bytes(bytes) {
                        Ok(message) => Ok(Self::$name(message)),
                        Err(_) => Err(wrong_length(tag, bytes.len())),
                    },)*
                    _ => Err(Reason::UnknownType { tag }),
                }
            }

            /// The type byte.
            #[inline]
            pub const fn tag(&self) -> u8 {
                match self {
                    $(Self::$name(_) => $tag,)*
                }
            }

            /// The common header.
            #[inline]
            pub fn header(&self) -> &'a Header {
                match self {
                    $(Self::$name(message) => message.header(),)*
                }
            }

            /// The bytes of the message, without framing.
            #[inline]
            pub fn as_bytes(&self) -> &'a [u8] {
                match self {
                    $(Self::$name(message) => message.as_bytes(),)*
                }
            }
        }

        $(
            const _: () = assert!(size_of::<$name>() == $length && align_of::<$name>() == 1);

            impl sealed::Sealed for $name {}

            impl Body for $name {
                const TAG: u8 = $tag;

                #[inline]
                fn as_message(&self) -> Message<'_> {
                    Message::$name(self)
                }
            }

            impl Default for $name {
                /// The type byte set and every other byte zero.
                fn default() -> Self {
                    Self { message_type: $tag, ..Self::new_zeroed() }
                }
            }

            impl<'a> From<&'a $name> for Message<'a> {
                #[inline]
                fn from(message: &'a $name) -> Self {
                    Self::$name(message)
                }
            }
        )*
    };
}

messages! {
    b'S' 12 SystemEvent: "`S`: start and end of messages, system hours, market hours.",
    b'R' 39 StockDirectory: "`R`: a stock and its attributes for the day.",
    b'H' 25 StockTradingAction: "`H`: a stock is halted, paused, quoted only, or trades.",
    b'Y' 20 RegShoRestriction: "`Y`: short sale price test of a stock.",
    b'L' 26 MarketParticipantPosition: "`L`: a market maker's standing in a stock.",
    b'V' 35 MwcbDeclineLevel: "`V`: levels of the market-wide circuit breaker.",
    b'W' 12 MwcbStatus: "`W`: a level of the market-wide circuit breaker is breached.",
    b'K' 28 QuotingPeriodUpdate: "`K`: when the quoting of an initial public offering starts.",
    b'J' 35 LuldAuctionCollar: "`J`: price collar of the auction that ends a volatility pause.",
    b'h' 21 OperationalHalt: "`h`: one market stops or resumes trading in a stock.",
    b'A' 36 AddOrder: "`A`: a new order, anonymous.",
    b'F' 40 AddOrderAttributed: "`F`: a new order with its market participant.",
    b'E' 31 OrderExecuted: "`E`: an order executes at its own price.",
    b'C' 36 OrderExecutedWithPrice: "`C`: an order executes at another price.",
    b'X' 23 OrderCancel: "`X`: an order shrinks.",
    b'D' 19 OrderDelete: "`D`: an order is gone.",
    b'U' 35 OrderReplace: "`U`: an order gives way to a new one on the same side.",
    b'P' 44 Trade: "`P`: a match with a hidden order.",
    b'Q' 40 CrossTrade: "`Q`: the bulk print of an auction.",
    b'B' 19 BrokenTrade: "`B`: an earlier match is void.",
    b'I' 50 NetOrderImbalance: "`I`: what an auction would do now.",
    b'N' 20 RetailInterest: "`N`: retail price improvement is on offer.",
    b'O' 48 DirectListing: "`O`: price discovery of a direct listing with a capital raise.",
}

const _: () = assert!(size_of::<Header>() == 11 && size_of::<OrderHeader>() == 19);

#[cold]
fn wrong_length(tag: u8, found: usize) -> Reason {
    Reason::WrongLength {
        tag,
        expected: LENGTH[usize::from(tag)],
        found,
    }
}

impl<'a> Message<'a> {
    /// The stock the message names; `None` for types without a symbol.
    ///
    /// Most order messages name none: they refer to the stock by locate number.
    #[inline]
    pub fn stock(&self) -> Option<&'a Stock8> {
        match self {
            Self::StockDirectory(m) => Some(&m.stock),
            Self::StockTradingAction(m) => Some(&m.stock),
            Self::RegShoRestriction(m) => Some(&m.stock),
            Self::MarketParticipantPosition(m) => Some(&m.stock),
            Self::QuotingPeriodUpdate(m) => Some(&m.stock),
            Self::LuldAuctionCollar(m) => Some(&m.stock),
            Self::OperationalHalt(m) => Some(&m.stock),
            Self::AddOrder(m) => Some(&m.stock),
            Self::AddOrderAttributed(m) => Some(&m.stock),
            Self::Trade(m) => Some(&m.stock),
            Self::CrossTrade(m) => Some(&m.stock),
            Self::NetOrderImbalance(m) => Some(&m.stock),
            Self::RetailInterest(m) => Some(&m.stock),
            Self::DirectListing(m) => Some(&m.stock),
            Self::SystemEvent(_)
            | Self::MwcbDeclineLevel(_)
            | Self::MwcbStatus(_)
            | Self::OrderExecuted(_)
            | Self::OrderExecutedWithPrice(_)
            | Self::OrderCancel(_)
            | Self::OrderDelete(_)
            | Self::OrderReplace(_)
            | Self::BrokenTrade(_) => None,
        }
    }
}

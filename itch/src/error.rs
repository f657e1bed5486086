//! What can go wrong, with the place in the bytes.

use std::io;

/// A [`std::result::Result`] with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error that ends the reading of a feed.
///
/// A single message that makes no sense is not one of these: see [`Reason`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes end inside a message. All messages before it were delivered.
    #[error(
        "input ends at byte {} inside a message that starts at byte {offset}: have {have} of {need} bytes{}",
        end(*.offset, *.have), of_type(*.tag)
    )]
    Truncated {
        /// Where the frame of the incomplete message starts, framing bytes included.
        offset: u64,
        /// The type of the incomplete message; `None` if the cut is before it.
        tag: Option<u8>,
        /// Bytes there are from `offset` on.
        have: usize,
        /// Bytes the frame needs, as far as can be known from what is there.
        need: usize,
    },
    /// A message without a length of its own has a type of unknown size, so the next message
    /// cannot be found.
    #[error(
        "unknown message type {} at byte {offset} cannot be skipped because {framing} framing carries no lengths",
        show(*.tag)
    )]
    Unskippable {
        /// Where the frame starts.
        offset: u64,
        /// The unknown type.
        tag: u8,
        /// The framing in use.
        framing: crate::Framing,
    },
    /// Two zero bytes were expected in front of a message and something else was there.
    #[error(
        "expected two zero bytes in front of the message at byte {offset}, found 0x{:02x} 0x{:02x}",
        found[0],
        found[1]
    )]
    NotZero {
        /// Where the frame starts.
        offset: u64,
        /// What stands there.
        found: [u8; 2],
    },
    /// The first bytes look like no framing of ITCH 5.0.
    #[error(
        "cannot tell the framing from the first {looked} bytes: this does not look like ITCH 5.0; name the framing if it is"
    )]
    UnknownFraming {
        /// How many bytes were looked at.
        looked: usize,
    },
    /// The source failed.
    #[error("reading failed at byte {offset}")]
    Io {
        /// Bytes read before the failure.
        offset: u64,
        /// What the source said.
        #[source]
        source: io::Error,
    },
    /// Text that cannot be put in a field of fixed width.
    #[error("{text:?} is not printable ASCII of at most {width} characters")]
    Text {
        /// The text.
        text: String,
        /// Characters the field holds.
        width: usize,
    },
}

impl Error {
    /// True if the input ends too early: inside a message, or inside what it is packed in (a cut
    /// gzip file reads as [`io::ErrorKind::UnexpectedEof`]).
    ///
    /// Everything before the cut was delivered, so a caller may choose to go on without the rest.
    pub fn is_truncation(&self) -> bool {
        match self {
            Self::Truncated { .. } => true,
            Self::Io { source, .. } => source.kind() == io::ErrorKind::UnexpectedEof,
            _ => false,
        }
    }

    /// Moves the offset of a framing error by `base`.
    pub(crate) fn at(mut self, base: u64) -> Self {
        match &mut self {
            Self::Truncated { offset, .. }
            | Self::Unskippable { offset, .. }
            | Self::NotZero { offset, .. } => *offset += base,
            Self::UnknownFraming { .. } | Self::Io { .. } | Self::Text { .. } => {}
        }
        self
    }
}

/// Why the bytes of one frame are not a message.
///
/// A frame that came with its length can be skipped and counted; the feed goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// There are no bytes.
    #[error("message is empty")]
    Empty,
    /// No message of ITCH 5.0 has this type.
    #[error("unknown message type {}", show(*.tag))]
    UnknownType {
        /// The first byte.
        tag: u8,
    },
    /// The type is known and has another length.
    #[error("message of type {} has {found} bytes instead of {expected}", show(*.tag))]
    WrongLength {
        /// The type.
        tag: u8,
        /// Bytes the specification gives it, type included.
        expected: u8,
        /// Bytes there are.
        found: usize,
    },
}

fn end(offset: u64, have: usize) -> u64 {
    offset.saturating_add(have as u64)
}

fn of_type(tag: Option<u8>) -> String {
    tag.map(|tag| format!(" of type {}", show(tag)))
        .unwrap_or_default()
}

fn show(tag: u8) -> String {
    format!("'{}' (0x{tag:02x})", tag.escape_ascii())
}

const _: () = assert!(size_of::<Reason>() <= 16);

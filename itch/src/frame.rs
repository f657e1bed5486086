//! Framing: where one message ends and the next begins.
//!
//! [`Frames`] cuts a slice into messages, [`FrameReader`] does the same for anything that can be
//! read, in blocks of whole frames. Neither looks into a message further than its type.
//!
//! ```text
//! Length   00 0c  S ...........   00 27  R ......................   00 00 (end of session)
//! Zero     00 00  S ...........   00 00  R ......................
//! None            S ...........          R ......................
//! ```

mod detect;
mod reader;
#[cfg(test)]
mod tests;

use std::fmt;
use std::iter::FusedIterator;

pub use self::reader::{Block, FrameReader};
use crate::{Error, LENGTH, Result};

/// How messages follow each other in a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Framing {
    /// Two bytes of big-endian length in front of every message, as NASDAQ writes its files.
    /// A length of zero ends the session.
    #[default]
    Length,
    /// Two zero bytes in front of every message; the size follows from the type.
    Zero,
    /// Messages back to back; the size follows from the type.
    None,
}

impl Framing {
    /// Bytes in front of every message.
    #[inline]
    pub const fn prefix_len(self) -> usize {
        match self {
            Self::Length | Self::Zero => 2,
            Self::None => 0,
        }
    }

    /// Reads the frame at the start of `bytes`.
    #[inline]
    fn step(self, bytes: &[u8]) -> Step {
        let (prefix, len) = match self {
            Self::Length => match bytes.first_chunk() {
                Some(&prefix) => (2, usize::from(u16::from_be_bytes(prefix))),
                None => return Step::Short { need: 2 },
            },
            Self::Zero => match bytes.first_chunk() {
                Some(&[0, 0, tag]) => (2, usize::from(LENGTH[usize::from(tag)])),
                Some(&[a, b, _]) => return Step::NotZero { found: [a, b] },
                None => return Step::Short { need: 3 },
            },
            Self::None => match bytes.first() {
                Some(&tag) => (0, usize::from(LENGTH[usize::from(tag)])),
                None => return Step::Short { need: 1 },
            },
        };
        let need = prefix + len;
        if len == 0 {
            Step::Zero
        } else if need <= bytes.len() {
            Step::Whole { prefix, len }
        } else {
            Step::Short { need }
        }
    }
}

impl fmt::Display for Framing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Length => "length",
            Self::Zero => "zero",
            Self::None => "none",
        })
    }
}

/// What stands at the start of some bytes.
enum Step {
    Whole {
        prefix: usize,
        len: usize,
    },
    /// More bytes are needed, at least so many in all.
    Short {
        need: usize,
    },
    /// A zero length: the end of the session, or a type of unknown length.
    Zero,
    NotZero {
        found: [u8; 2],
    },
}

/// The messages of a slice, each with the offset of its first byte (the type) in the slice.
///
/// The iterator stops at the end of the slice, in front of a message that is not whole, at the end
/// of the session, and where no message can be found; [`Frames::finish`] tells which.
///
/// # Examples
/// ```
/// use nanobook_itch::{Frames, Framing, Message, OrderDelete};
///
/// let mut bytes = Vec::new();
/// for order in [5, 6] {
///     let message = OrderDelete { order_reference_number: order.into(), ..Default::default() };
///     Framing::Length.encode(&message, &mut bytes);
/// }
/// bytes.pop();
///
/// let mut frames = Frames::new(&bytes, Framing::Length);
/// for (offset, message) in &mut frames {
///     let Message::OrderDelete(delete) = Message::parse(message)? else { panic!() };
///     assert_eq!((offset, delete.order_reference_number.get()), (2, 5));
/// }
/// assert_eq!(frames.offset(), 21);
/// assert!(frames.finish().is_err()); // the second message lacks a byte
/// # Ok::<(), nanobook_itch::Reason>(())
/// ```
#[derive(Debug, Clone)]
pub struct Frames<'a> {
    data: &'a [u8],
    at: usize,
    framing: Framing,
}

impl<'a> Frames<'a> {
    /// The messages of `data`, which starts with a frame.
    #[inline]
    pub const fn new(data: &'a [u8], framing: Framing) -> Self {
        Self {
            data,
            at: 0,
            framing,
        }
    }

    /// Where the next frame starts in the slice, its framing bytes included.
    #[inline]
    pub const fn offset(&self) -> usize {
        self.at
    }

    /// The slice.
    #[inline]
    pub(crate) const fn data(&self) -> &'a [u8] {
        self.data
    }

    /// What has not been cut yet.
    #[inline]
    pub fn rest(&self) -> &'a [u8] {
        &self.data[self.at..]
    }

    /// The framing.
    #[inline]
    pub const fn framing(&self) -> Framing {
        self.framing
    }

    /// True in front of the zero length that ends a session.
    pub fn is_session_end(&self) -> bool {
        self.framing == Framing::Length && matches!(self.framing.step(self.rest()), Step::Zero)
    }

    /// Steps over `bytes` that are known to be there.
    #[inline]
    pub(crate) const fn advance(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// Goes back to where a frame starts.
    #[inline]
    pub(crate) const fn rewind(&mut self, offset: usize) {
        self.at = offset;
    }

    /// True if a whole frame follows, or would if there were more bytes.
    fn may_go_on(&self) -> bool {
        matches!(
            self.framing.step(self.rest()),
            Step::Whole { .. } | Step::Short { .. }
        )
    }

    /// Tells why the iterator has stopped.
    ///
    /// # Errors
    /// [`Error::Truncated`] if bytes of an incomplete message are left, [`Error::Unskippable`] if
    /// the next type is unknown and the framing has no lengths, [`Error::NotZero`] if the two zero
    /// bytes are missing. The offset in each is one in the slice.
    pub fn finish(&self) -> Result<()> {
        let rest = self.rest();
        let offset = self.at as u64;
        let tag = rest.get(self.framing.prefix_len()).copied();
        match self.framing.step(rest) {
            _ if rest.is_empty() => Ok(()),
            Step::Whole { .. } => Ok(()),
            Step::Short { need } => Err(Error::Truncated {
                offset,
                tag,
                have: rest.len(),
                need,
            }),
            Step::Zero => match tag {
                Some(tag) if self.framing != Framing::Length => Err(Error::Unskippable {
                    offset,
                    tag,
                    framing: self.framing,
                }),
                _ => Ok(()),
            },
            Step::NotZero { found } => Err(Error::NotZero { offset, found }),
        }
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = (usize, &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.data.get(self.at..)?;
        let Step::Whole { prefix, len } = self.framing.step(rest) else {
            return None;
        };
        let message = rest.get(prefix..prefix + len)?;
        let offset = self.at + prefix;
        self.at = offset + len;
        Some((offset, message))
    }
}

impl FusedIterator for Frames<'_> {}

//! Framing: where one message ends and the next begins.

use std::fmt;

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

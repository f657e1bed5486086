//! Messages to bytes.

use crate::{Body, Framing, Message};

impl Framing {
    /// Appends one framed message to `out`.
    ///
    /// The type byte is written as the type demands, whatever the struct holds in it.
    ///
    /// # Examples
    /// ```
    /// use nanobook_itch::{Framing, SystemEvent};
    ///
    /// let mut out = Vec::new();
    /// Framing::Length.encode(&SystemEvent { event_code: b'O', ..Default::default() }, &mut out);
    /// assert_eq!(out, b"\x00\x0cS\0\0\0\0\0\0\0\0\0\0O");
    /// ```
    #[inline]
    pub fn encode<M: Body>(self, message: &M, out: &mut Vec<u8>) {
        // A message is at most 50 bytes, so its length is one byte after a zero.
        #[expect(clippy::cast_possible_truncation, reason = "asserted below")]
        let length = const {
            assert!(size_of::<M>() <= crate::MAX_LENGTH);
            size_of::<M>() as u8
        };
        match self {
            Self::Length => out.extend_from_slice(&[0, length]),
            Self::Zero => out.extend_from_slice(&[0, 0]),
            Self::None => {}
        }
        let start = out.len();
        out.extend_from_slice(message.as_bytes());
        out[start] = M::TAG;
    }

    /// Appends the bytes of any message, framed, to `out`.
    #[inline]
    pub fn encode_message(self, message: Message<'_>, out: &mut Vec<u8>) {
        self.encode_bytes(message.as_bytes(), out);
    }

    /// Appends `message`, framed and otherwise as it is, to `out`.
    ///
    /// Meant for bytes that are not a message too, such as those a test wants skipped.
    ///
    /// # Panics
    /// If `message` is longer than 65,535 bytes, which no length can state.
    pub fn encode_bytes(self, message: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Length => {
                let length =
                    u16::try_from(message.len()).expect("a frame holds at most 65,535 bytes");
                out.extend_from_slice(&length.to_be_bytes());
            }
            Self::Zero => out.extend_from_slice(&[0, 0]),
            Self::None => {}
        }
        out.extend_from_slice(message);
    }
}

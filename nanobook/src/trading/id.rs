//! The id that we give an order before it is sent.

use std::fmt;
use std::str::FromStr;

/// The longest client order id, in bytes: Binance takes no more.
pub const MAX_CLIENT_ORDER_ID_LEN: usize = 36;

/// Our id of an order: 1 to 36 letters, digits, `-` and `_`, which every venue takes.
///
/// It is fixed before the order is sent, and the order is found again by it. No venue promises that it is unique:
/// Interactive Brokers treats it as free text, Binance compares it with open orders only.
///
/// # Examples
/// ```
/// use nanobook::trading::ClientOrderId;
/// let id: ClientOrderId = "run7-AAPL-0".parse()?;
/// assert_eq!(id.as_str(), "run7-AAPL-0");
/// # Ok::<(), nanobook::trading::IdError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientOrderId {
    bytes: [u8; MAX_CLIENT_ORDER_ID_LEN],
    len: u8,
}

/// Why a text is not a [`ClientOrderId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// Not 1 to 36 bytes.
    #[error("a client order id has 1 to {MAX_CLIENT_ORDER_ID_LEN} characters, this one has {len}")]
    BadLength {
        /// Its length in bytes.
        len: usize,
    },
    /// Something else than letters, digits, `-` and `_`.
    #[error("byte {byte:#04x} at position {at} can't stand in a client order id")]
    BadByte {
        /// The byte.
        byte: u8,
        /// Its position, from zero.
        at: usize,
    },
}

impl ClientOrderId {
    /// The text.
    #[expect(clippy::missing_panics_doc, reason = "it cannot panic")]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).expect("only ASCII is let in")
    }
}

impl FromStr for ClientOrderId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let len = text.len();
        if len == 0 || len > MAX_CLIENT_ORDER_ID_LEN {
            return Err(IdError::BadLength { len });
        }
        let mut bytes = [0; MAX_CLIENT_ORDER_ID_LEN];
        for (at, byte) in text.bytes().enumerate() {
            if !(byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
                return Err(IdError::BadByte { byte, at });
            }
            bytes[at] = byte;
        }
        let len = u8::try_from(len).map_err(|_| IdError::BadLength { len })?;
        Ok(Self { bytes, len })
    }
}

impl fmt::Display for ClientOrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for ClientOrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for ClientOrderId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for ClientOrderId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_every_venue_takes_gets_in() {
        assert!("a".repeat(36).parse::<ClientOrderId>().is_ok());
        assert_eq!(
            "a".repeat(37).parse::<ClientOrderId>(),
            Err(IdError::BadLength { len: 37 })
        );
        assert_eq!(
            "".parse::<ClientOrderId>(),
            Err(IdError::BadLength { len: 0 })
        );
        assert_eq!(
            "a b".parse::<ClientOrderId>(),
            Err(IdError::BadByte { byte: b' ', at: 1 })
        );
    }
}

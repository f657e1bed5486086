//! Ticker text, inline and `Copy`.

use std::fmt;
use std::num::NonZeroU8;
use std::str::FromStr;

/// The longest symbol, in bytes.
pub const MAX_SYMBOL_LEN: usize = 15;

/// A ticker: 1 to 15 printable ASCII characters, stored inline in 16 bytes.
///
/// `Option<Symbol>` is as small as `Symbol`.
///
/// # Examples
/// ```
/// use nanobook::Symbol;
/// let symbol: Symbol = "BRK.B".parse()?;
/// assert_eq!(symbol.as_str(), "BRK.B");
/// # Ok::<(), nanobook::SymbolError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Symbol {
    bytes: [u8; MAX_SYMBOL_LEN],
    len: NonZeroU8,
}

const _: () = assert!(size_of::<Option<Symbol>>() == 16);

/// Why a text is not a [`Symbol`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SymbolError {
    /// No characters.
    #[error("a symbol needs at least one character")]
    Empty,
    /// More than [`MAX_SYMBOL_LEN`] bytes.
    #[error("a symbol has at most {MAX_SYMBOL_LEN} characters, this one has {len}")]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// A byte outside printable ASCII, or a space at an end.
    #[error("byte {byte:#04x} at position {at} can't stand in a symbol")]
    BadByte {
        /// The byte.
        byte: u8,
        /// Its position, from zero.
        at: usize,
    },
}

impl Symbol {
    /// From the bytes of a ticker.
    ///
    /// # Errors
    /// When it is empty, longer than 15 bytes, or holds anything but printable ASCII (a space may stand inside).
    pub fn new(text: &[u8]) -> Result<Self, SymbolError> {
        if text.len() > MAX_SYMBOL_LEN {
            return Err(SymbolError::TooLong { len: text.len() });
        }
        for (at, &byte) in text.iter().enumerate() {
            let at_end = at == 0 || at + 1 == text.len();
            if !(byte.is_ascii_graphic() || byte == b' ' && !at_end) {
                return Err(SymbolError::BadByte { byte, at });
            }
        }
        let len = u8::try_from(text.len())
            .ok()
            .and_then(NonZeroU8::new)
            .ok_or(SymbolError::Empty)?;
        let mut bytes = [0; MAX_SYMBOL_LEN];
        bytes[..text.len()].copy_from_slice(text);
        Ok(Self { bytes, len })
    }

    /// The text.
    #[expect(clippy::missing_panics_doc, reason = "it cannot panic")]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).expect("only ASCII is let in")
    }

    /// The text as bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len.get())]
    }
}

impl PartialOrd for Symbol {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Symbol {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl FromStr for Symbol {
    type Err = SymbolError;

    fn from_str(text: &str) -> Result<Self, SymbolError> {
        Self::new(text.as_bytes())
    }
}

impl AsRef<str> for Symbol {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Symbol {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Symbol {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Takes borrowed and owned text alike.
        struct Text;
        impl serde::de::Visitor<'_> for Text {
            type Value = Symbol;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(
                    f,
                    "a symbol of 1 to {MAX_SYMBOL_LEN} printable ASCII characters"
                )
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Symbol, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_long_is_an_error_and_never_a_cut() {
        assert_eq!(
            "ABCDEFGHIJKLMNOP".parse::<Symbol>(),
            Err(SymbolError::TooLong { len: 16 })
        );
        assert_eq!(
            "ABCDEFGHIJKLMNO".parse::<Symbol>().unwrap().as_str().len(),
            15
        );
    }

    #[test]
    fn only_printable_ascii_gets_in() {
        assert_eq!("".parse::<Symbol>(), Err(SymbolError::Empty));
        assert_eq!(
            "A\n".parse::<Symbol>(),
            Err(SymbolError::BadByte { byte: b'\n', at: 1 })
        );
        assert_eq!(
            "A ".parse::<Symbol>(),
            Err(SymbolError::BadByte { byte: b' ', at: 1 })
        );
        assert_eq!("BRK B".parse::<Symbol>().unwrap().as_str(), "BRK B");
        assert!("É".parse::<Symbol>().is_err());
    }

    #[test]
    fn symbols_sort_as_their_text() {
        let mut symbols: Vec<Symbol> = ["B", "AAPL", "A", "AA"].map(|s| s.parse().unwrap()).into();
        symbols.sort();
        assert_eq!(
            symbols.iter().map(Symbol::as_str).collect::<Vec<_>>(),
            ["A", "AA", "AAPL", "B"]
        );
    }
}

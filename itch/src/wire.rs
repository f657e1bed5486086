//! Wire types: how a field lies in the bytes, with no meaning added.
//!
//! Every type here has alignment 1 and accepts any bytes, so a message struct made of them can be
//! laid over a buffer at any offset. Integers are big-endian on the wire and native when read.

use std::fmt;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned, big_endian};

use crate::{Error, Result};

/// Writes one big-endian integer newtype; the three differ in width only.
macro_rules! integer {
    ($(#[$doc:meta])* $name:ident, $inner:ident, $native:ty) => {
        $(#[$doc])*
        #[derive(
            FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
            Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord,
        )]
        #[repr(transparent)]
        pub struct $name(big_endian::$inner);

        impl $name {
            /// Puts a native integer on the wire.
            #[inline]
            pub const fn new(value: $native) -> Self {
                Self(big_endian::$inner::new(value))
            }

            /// The native integer.
            #[inline]
            pub const fn get(self) -> $native {
                self.0.get()
            }
        }

        impl From<$native> for $name {
            #[inline]
            fn from(value: $native) -> Self {
                Self::new(value)
            }
        }

        impl From<$name> for $native {
            #[inline]
            fn from(value: $name) -> Self {
                value.get()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.get(), f)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.get(), f)
            }
        }
    };
}

integer!(
    /// A 2-byte unsigned integer.
    Int2,
    U16,
    u16
);
integer!(
    /// A 4-byte unsigned integer.
    Int4,
    U32,
    u32
);
integer!(
    /// An 8-byte unsigned integer.
    Int8,
    U64,
    u64
);

/// A price in four bytes with four implied decimals: 1,234,500 is 123.4500.
#[derive(
    FromBytes,
    IntoBytes,
    Immutable,
    KnownLayout,
    Unaligned,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
)]
#[repr(transparent)]
pub struct Price4(big_endian::U32);

impl Price4 {
    /// From units of 0.0001.
    #[inline]
    pub const fn new(raw: u32) -> Self {
        Self(big_endian::U32::new(raw))
    }

    /// Units of 0.0001.
    #[inline]
    pub const fn raw(self) -> u32 {
        self.0.get()
    }
}

impl fmt::Display for Price4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let raw = self.raw();
        write!(f, "{}.{:04}", raw / 10_000, raw % 10_000)
    }
}

impl fmt::Debug for Price4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A price in eight bytes with eight implied decimals (market-wide circuit breaker levels).
#[derive(
    FromBytes,
    IntoBytes,
    Immutable,
    KnownLayout,
    Unaligned,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
)]
#[repr(transparent)]
pub struct Price8(big_endian::U64);

impl Price8 {
    /// From units of 0.00000001.
    #[inline]
    pub const fn new(raw: u64) -> Self {
        Self(big_endian::U64::new(raw))
    }

    /// Units of 0.00000001.
    #[inline]
    pub const fn raw(self) -> u64 {
        self.0.get()
    }
}

impl fmt::Display for Price8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let raw = self.raw();
        write!(f, "{}.{:08}", raw / 100_000_000, raw % 100_000_000)
    }
}

impl fmt::Debug for Price8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A time of day in six bytes: nanoseconds since midnight, New York.
///
/// # Examples
/// ```
/// use nanobook_itch::Time48;
///
/// let open = Time48::new(34_200_000_000_000);
/// assert_eq!(open.ns(), 34_200_000_000_000);
/// assert_eq!(open.to_string(), "09:30:00.000000000");
/// ```
#[derive(
    FromBytes,
    IntoBytes,
    Immutable,
    KnownLayout,
    Unaligned,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
)]
#[repr(transparent)]
pub struct Time48([u8; 6]);

impl Time48 {
    /// The largest time the six bytes hold, in ns (a little over 78 hours).
    pub const MAX_NS: u64 = (1 << 48) - 1;

    /// From nanoseconds since midnight.
    ///
    /// # Panics
    /// If `ns` does not fit in 48 bits ([`Time48::MAX_NS`]).
    #[inline]
    pub const fn new(ns: u64) -> Self {
        assert!(ns <= Self::MAX_NS, "time does not fit in 48 bits");
        let b = ns.to_be_bytes();
        Self([b[2], b[3], b[4], b[5], b[6], b[7]])
    }

    /// Nanoseconds since midnight.
    #[inline]
    pub const fn ns(self) -> u64 {
        let b = self.0;
        u64::from_be_bytes([0, 0, b[0], b[1], b[2], b[3], b[4], b[5]])
    }
}

impl fmt::Display for Time48 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ns = self.ns();
        let s = ns / 1_000_000_000;
        write!(
            f,
            "{:02}:{:02}:{:02}.{:09}",
            s / 3600,
            s / 60 % 60,
            s % 60,
            ns % 1_000_000_000
        )
    }
}

impl fmt::Debug for Time48 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Text of `N` ASCII characters, left-justified and padded with spaces.
///
/// The bytes are kept as they came: nothing is checked on the way in, so that whatever is on the
/// wire can be read and written back.
///
/// # Examples
/// ```
/// use nanobook_itch::Stock8;
///
/// let stock = Stock8::new("AAPL")?;
/// assert_eq!(stock.bytes(), b"AAPL    ");
/// assert_eq!(stock.trimmed(), b"AAPL");
/// assert!(Stock8::new("TOOLONGNAME").is_err());
/// # Ok::<(), nanobook_itch::Error>(())
/// ```
#[derive(
    FromBytes,
    IntoBytes,
    Immutable,
    KnownLayout,
    Unaligned,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
)]
#[repr(transparent)]
pub struct Alpha<const N: usize>([u8; N]);

/// A stock symbol.
pub type Stock8 = Alpha<8>;
/// A market participant identifier, or a reason code.
pub type Alpha4 = Alpha<4>;
/// A two-character code.
pub type Alpha2 = Alpha<2>;

impl<const N: usize> Alpha<N> {
    /// All spaces.
    pub const BLANK: Self = Self([b' '; N]);

    /// From text, padded with spaces.
    ///
    /// # Errors
    /// [`Error::Text`] if `text` is longer than `N` characters or has one outside printable ASCII.
    pub fn new(text: &str) -> Result<Self> {
        let fits = text.len() <= N && text.bytes().all(|b| (b' '..=b'~').contains(&b));
        if !fits {
            return Err(Error::Text {
                text: text.to_owned(),
                width: N,
            });
        }
        let mut bytes = [b' '; N];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Ok(Self(bytes))
    }

    /// From the bytes as they lie on the wire.
    #[inline]
    pub const fn from_bytes(bytes: [u8; N]) -> Self {
        Self(bytes)
    }

    /// The bytes as they lie on the wire.
    #[inline]
    pub const fn bytes(&self) -> &[u8; N] {
        &self.0
    }

    /// The bytes without the padding on the right.
    #[inline]
    pub const fn trimmed(&self) -> &[u8] {
        self.0.trim_ascii_end()
    }

    /// The text without its padding; `None` if the bytes are not ASCII.
    #[inline]
    pub fn as_str(&self) -> Option<&str> {
        let text = self.trimmed();
        text.is_ascii().then(|| str::from_utf8(text).ok()).flatten()
    }
}

impl<const N: usize> Default for Alpha<N> {
    fn default() -> Self {
        Self::BLANK
    }
}

impl<const N: usize> fmt::Display for Alpha<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.trimmed().utf8_chunks() {
            f.write_str(chunk.valid())?;
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

impl<const N: usize> fmt::Debug for Alpha<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_big_endian() {
        assert_eq!(Int2::new(0x0102).as_bytes(), [1, 2]);
        assert_eq!(Int4::from(0x0102_0304).as_bytes(), [1, 2, 3, 4]);
        assert_eq!(u64::from(Int8::new(u64::MAX - 1)), u64::MAX - 1);
        assert_eq!(format!("{:?} {}", Int2::new(7), Int4::new(8)), "7 8");
    }

    #[test]
    fn prices_print_all_decimals() {
        assert_eq!(Price4::new(1_234_500).to_string(), "123.4500");
        assert_eq!(Price4::new(1).to_string(), "0.0001");
        assert_eq!(format!("{:?}", Price8::new(123_456_789)), "1.23456789");
    }

    #[test]
    fn time_holds_48_bits() {
        assert_eq!(Time48::new(Time48::MAX_NS).ns(), Time48::MAX_NS);
        assert_eq!(Time48::new(1).as_bytes(), [0, 0, 0, 0, 0, 1]);
    }

    #[test]
    #[should_panic(expected = "48 bits")]
    fn time_refuses_49_bits() {
        let _ = Time48::new(1 << 48);
    }

    #[test]
    fn text_keeps_what_came() {
        let odd = Alpha4::from_bytes([b'A', 0xff, b' ', b' ']);
        assert_eq!(odd.as_str(), None);
        assert_eq!(odd.to_string(), "A\\xff");
        assert_eq!(odd.trimmed(), [b'A', 0xff]);
        assert_eq!(Alpha4::default().as_str(), Some(""));
        assert!(Alpha2::new("é").is_err());
    }
}

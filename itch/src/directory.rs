//! Which stock a locate number means.

use crate::{Message, Stock8};

/// What is known of a stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listing {
    /// The symbol.
    pub stock: Stock8,
    /// Shares in a round lot; `None` if the stock had no directory message.
    pub round_lot: Option<u32>,
}

/// Stock locate numbers and their symbols, learned from the feed.
///
/// Most order messages carry a locate number and no symbol. The directory messages (`R`) at the
/// start of a day tie the two together; in a feed that lacks them, the first message that carries
/// both does.
///
/// # Examples
/// ```
/// use nanobook_itch::{AddOrder, Directory, Stock8};
///
/// let mut directory = Directory::new();
/// let add = AddOrder { stock_locate: 13.into(), stock: Stock8::new("AAPL")?, ..Default::default() };
/// assert!(directory.learn((&add).into()));
/// assert_eq!(directory.stock(13), Some(add.stock));
/// assert_eq!(directory.stock(14), None);
/// # Ok::<(), nanobook_itch::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Directory {
    /// By locate number.
    listings: Vec<Option<Listing>>,
    len: usize,
}

impl Directory {
    /// Knows no stock yet.
    pub const fn new() -> Self {
        Self {
            listings: Vec::new(),
            len: 0,
        }
    }

    /// Learns from a message; true if the directory has changed.
    ///
    /// A directory message always counts, any other message only for a stock not seen before.
    #[inline]
    pub fn learn(&mut self, message: Message<'_>) -> bool {
        let Some(&stock) = message.stock() else {
            return false;
        };
        let locate = message.header().stock_locate.get();
        match message {
            Message::StockDirectory(listed) => self.set(
                locate,
                Listing {
                    stock,
                    round_lot: Some(listed.round_lot_size.get()),
                },
            ),
            _ if self.get(locate).is_some() => false,
            _ => self.set(
                locate,
                Listing {
                    stock,
                    round_lot: None,
                },
            ),
        }
    }

    /// What is known of a stock.
    #[inline]
    pub fn get(&self, locate: u16) -> Option<&Listing> {
        self.listings.get(usize::from(locate))?.as_ref()
    }

    /// The symbol of a stock.
    #[inline]
    pub fn stock(&self, locate: u16) -> Option<Stock8> {
        self.get(locate).map(|listing| listing.stock)
    }

    /// How many stocks are known.
    #[inline]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// True if no stock is known.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All stocks by locate number.
    pub fn iter(&self) -> impl Iterator<Item = (u16, &Listing)> {
        (0..=u16::MAX)
            .zip(&self.listings)
            .filter_map(|(locate, listing)| Some((locate, listing.as_ref()?)))
    }

    fn set(&mut self, locate: u16, listing: Listing) -> bool {
        let locate = usize::from(locate);
        if self.listings.len() <= locate {
            self.listings.resize(locate + 1, None);
        }
        let old = self.listings[locate].replace(listing);
        self.len += usize::from(old.is_none());
        old != Some(listing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{OrderDelete, StockDirectory, Trade};

    fn trade(locate: u16, stock: &str) -> Trade {
        Trade {
            stock_locate: locate.into(),
            stock: Stock8::new(stock).unwrap(),
            ..Default::default()
        }
    }

    #[test]
    fn first_symbol_stays_until_the_directory_speaks() {
        let mut directory = Directory::new();
        assert!(directory.learn((&trade(7, "ABC")).into()));
        assert!(!directory.learn((&trade(7, "XYZ")).into()));
        assert_eq!(directory.stock(7), Some(Stock8::new("ABC").unwrap()));
        let listed = StockDirectory {
            stock_locate: 7.into(),
            stock: Stock8::new("XYZ").unwrap(),
            round_lot_size: 10.into(),
            ..Default::default()
        };
        assert!(directory.learn((&listed).into()));
        assert!(!directory.learn((&listed).into()));
        let listing = directory.get(7).unwrap();
        assert_eq!((listing.stock, listing.round_lot), (listed.stock, Some(10)));
        assert_eq!(directory.len(), 1);
    }

    #[test]
    fn holes_are_no_stocks() {
        let mut directory = Directory::new();
        assert!(!directory.learn((&OrderDelete::default()).into()));
        assert!(directory.is_empty());
        directory.learn((&trade(u16::MAX, "LAST")).into());
        directory.learn((&trade(0, "ZERO")).into());
        let locates: Vec<u16> = directory.iter().map(|(locate, _)| locate).collect();
        assert_eq!(locates, [0, u16::MAX]);
        assert_eq!(directory.get(1), None);
    }
}

//! Feeds that break every rule a feed should keep.
//!
//! For tests that compare one reading of a feed with another: each message is well formed, and what
//! it says may be impossible. Among orders that are added, executed, cancelled, deleted and replaced
//! at every place of their queues there are references that are unknown, gone, or in use;
//! executions and cancels of more than there is, or of nothing; prices and sizes of zero and of the
//! largest number; bids above asks; replaces of an order by itself or onto another; locate numbers
//! that do not fit the order; times that go back; and under [`Framing::Length`] frames that are no
//! message at all.

use super::rng::Rng;
use crate::{
    AddOrder, AddOrderAttributed, Alpha4, BrokenTrade, CrossTrade, Framing, Int2, Int8, LENGTH,
    OrderCancel, OrderDelete, OrderExecuted, OrderExecutedWithPrice, OrderReplace, Price4, Stock8,
    StockDirectory, StockTradingAction, SystemEvent, TAGS, Time48, Trade,
};

/// What feed to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// Same seed, same feed.
    pub seed: u64,
    /// Frames of the feed.
    pub messages: u32,
    /// Stocks the feed is about, with locate numbers from 1.
    pub symbols: u16,
    /// How messages are framed.
    pub framing: Framing,
}

impl Default for Config {
    /// Seed 1, 500 frames, three stocks, length framing.
    fn default() -> Self {
        Self {
            seed: 1,
            messages: 500,
            symbols: 3,
            framing: Framing::Length,
        }
    }
}

/// Makes a feed.
///
/// # Examples
/// ```
/// use nanobook_itch::Frames;
/// use nanobook_itch::synth::chaos::{Config, feed};
///
/// let config = Config::default();
/// let bytes = feed(config);
/// assert_eq!(Frames::new(&bytes, config.framing).count(), 500);
/// assert_eq!(feed(config), bytes);
/// ```
pub fn feed(config: Config) -> Vec<u8> {
    let mut chaos = Chaos {
        rng: Rng::new(config.seed),
        config,
        orders: Vec::new(),
        ns: 34_200_000_000_000,
        out: Vec::new(),
    };
    for _ in 0..config.messages {
        chaos.message();
    }
    chaos.out
}

/// An order as it was added; it may be gone.
#[derive(Debug, Clone, Copy)]
struct Seen {
    locate: u16,
    reference: u64,
    shares: u32,
}

struct Chaos {
    config: Config,
    rng: Rng,
    orders: Vec<Seen>,
    ns: u64,
    out: Vec<u8>,
}

impl Chaos {
    fn message(&mut self) {
        match self.rng.below(100) {
            0..=39 => self.add(),
            40..=54 => self.execute(),
            55..=66 => self.cancel(),
            67..=79 => self.delete(),
            80..=91 => self.replace(),
            92..=97 => self.other(),
            _ if self.config.framing == Framing::Length => self.broken_frame(),
            _ => self.add(),
        }
    }

    fn head(&mut self, locate: u16) -> (Int2, Int2, Time48) {
        self.ns = if self.rng.chance(1, 50) {
            self.ns.saturating_sub(u64::from(self.rng.below(5_000)))
        } else {
            self.ns + u64::from(self.rng.below(1_000))
        };
        let locate = if self.rng.chance(1, 100) {
            self.locate()
        } else {
            locate
        };
        (locate.into(), 0.into(), Time48::new(self.ns))
    }

    fn locate(&mut self) -> u16 {
        let symbols = u32::from(self.config.symbols.clamp(1, u16::MAX - 1));
        u16::try_from(1 + self.rng.below(symbols)).unwrap_or(1)
    }

    fn stock(locate: u16) -> Stock8 {
        let mut bytes = *b"CHAOS   ";
        bytes[5] = b'A' + u8::try_from(locate % 26).unwrap_or_default();
        bytes[6] = b'A' + u8::try_from(locate / 26 % 26).unwrap_or_default();
        Stock8::from_bytes(bytes)
    }

    /// A reference that was used before in most cases.
    fn known(&mut self) -> Seen {
        let unknown = Seen {
            locate: self.locate(),
            reference: self.fresh(),
            shares: 100,
        };
        if self.orders.is_empty() || self.rng.chance(4, 100) {
            return unknown;
        }
        // The latest orders are the likeliest to be live, the others are for what is gone.
        let window = if self.rng.chance(4, 5) {
            40
        } else {
            self.orders.len()
        };
        let from = self.orders.len().saturating_sub(window);
        self.rng.pick(&self.orders[from..])
    }

    fn fresh(&mut self) -> u64 {
        match self.rng.below(200) {
            0 => u64::MAX,
            1 => 0,
            2 => self.rng.next(),
            _ => 4 * (self.orders.len() as u64 + 1),
        }
    }

    /// Few prices, so that queues are long and sides overlap.
    fn price(&mut self) -> u32 {
        match self.rng.below(60) {
            0 => 0,
            1 => u32::MAX,
            2 => 1 + self.rng.below(10_000),
            _ => 100_000 + 100 * self.rng.below(12),
        }
    }

    fn shares(&mut self) -> u32 {
        match self.rng.below(60) {
            0 => 0,
            1 => u32::MAX,
            2..=20 => 1 + self.rng.below(300),
            _ => 100,
        }
    }

    /// Shares to take off an order: a part, all, more than all, or none.
    fn taken(&mut self, from: u32) -> u32 {
        match self.rng.below(12) {
            0 => 0,
            1 => from.saturating_add(1 + self.rng.below(200)),
            2..=5 => from,
            _ => self.rng.below(from),
        }
    }

    fn add(&mut self) {
        let locate = self.locate();
        let reference = if self.rng.chance(4, 100) {
            self.known().reference
        } else {
            self.fresh()
        };
        let (price, shares) = (self.price(), self.shares());
        self.orders.push(Seen {
            locate,
            reference,
            shares,
        });
        let (stock_locate, tracking_number, timestamp) = self.head(locate);
        let add = AddOrder {
            message_type: b'A',
            stock_locate,
            tracking_number,
            timestamp,
            order_reference_number: reference.into(),
            buy_sell_indicator: match self.rng.below(80) {
                0 => b'?',
                n if n % 2 == 0 => b'B',
                _ => b'S',
            },
            shares: shares.into(),
            stock: Self::stock(locate),
            price: Price4::new(price),
        };
        if self.rng.chance(1, 8) {
            let attributed = AddOrderAttributed {
                message_type: b'F',
                stock_locate: add.stock_locate,
                tracking_number: add.tracking_number,
                timestamp: add.timestamp,
                order_reference_number: add.order_reference_number,
                buy_sell_indicator: add.buy_sell_indicator,
                shares: add.shares,
                stock: add.stock,
                price: add.price,
                attribution: Alpha4::from_bytes(*b"CHAO"),
            };
            self.config.framing.encode(&attributed, &mut self.out);
        } else {
            self.config.framing.encode(&add, &mut self.out);
        }
    }

    fn execute(&mut self) {
        let order = self.known();
        let (stock_locate, tracking_number, timestamp) = self.head(order.locate);
        let executed_shares = self.taken(order.shares).into();
        let match_number = Int8::new(u64::from(self.rng.below(2_000)));
        if self.rng.chance(1, 4) {
            let executed = OrderExecutedWithPrice {
                message_type: b'C',
                stock_locate,
                tracking_number,
                timestamp,
                order_reference_number: order.reference.into(),
                executed_shares,
                match_number,
                printable: self.rng.pick(b"YN?"),
                execution_price: Price4::new(self.price()),
            };
            self.config.framing.encode(&executed, &mut self.out);
        } else {
            let executed = OrderExecuted {
                message_type: b'E',
                stock_locate,
                tracking_number,
                timestamp,
                order_reference_number: order.reference.into(),
                executed_shares,
                match_number,
            };
            self.config.framing.encode(&executed, &mut self.out);
        }
    }

    fn cancel(&mut self) {
        let order = self.known();
        let (stock_locate, tracking_number, timestamp) = self.head(order.locate);
        let cancel = OrderCancel {
            message_type: b'X',
            stock_locate,
            tracking_number,
            timestamp,
            order_reference_number: order.reference.into(),
            cancelled_shares: self.taken(order.shares).into(),
        };
        self.config.framing.encode(&cancel, &mut self.out);
    }

    fn delete(&mut self) {
        let order = self.known();
        let (stock_locate, tracking_number, timestamp) = self.head(order.locate);
        let delete = OrderDelete {
            message_type: b'D',
            stock_locate,
            tracking_number,
            timestamp,
            order_reference_number: order.reference.into(),
        };
        self.config.framing.encode(&delete, &mut self.out);
    }

    fn replace(&mut self) {
        let order = self.known();
        let reference = match self.rng.below(25) {
            0 => order.reference,
            1 => self.known().reference,
            _ => self.fresh(),
        };
        let (price, shares) = (self.price(), self.shares());
        self.orders.push(Seen {
            locate: order.locate,
            reference,
            shares,
        });
        let (stock_locate, tracking_number, timestamp) = self.head(order.locate);
        let replace = OrderReplace {
            message_type: b'U',
            stock_locate,
            tracking_number,
            timestamp,
            original_order_reference_number: order.reference.into(),
            new_order_reference_number: reference.into(),
            shares: shares.into(),
            price: Price4::new(price),
        };
        self.config.framing.encode(&replace, &mut self.out);
    }

    /// What does not touch a book.
    fn other(&mut self) {
        let locate = self.locate();
        let (stock_locate, tracking_number, timestamp) = self.head(locate);
        let stock = Self::stock(locate);
        let match_number = Int8::new(u64::from(self.rng.below(2_000)));
        let framing = self.config.framing;
        let out = &mut self.out;
        match self.rng.below(6) {
            0 => framing.encode(
                &StockDirectory {
                    stock_locate,
                    timestamp,
                    stock,
                    round_lot_size: 100.into(),
                    ..Default::default()
                },
                out,
            ),
            1 => framing.encode(
                &StockTradingAction {
                    stock_locate,
                    timestamp,
                    stock,
                    trading_state: self.rng.pick(b"HPQT"),
                    ..Default::default()
                },
                out,
            ),
            2 => framing.encode(
                &SystemEvent {
                    timestamp,
                    event_code: self.rng.pick(b"OSQMEC"),
                    ..Default::default()
                },
                out,
            ),
            3 => framing.encode(
                &BrokenTrade {
                    stock_locate,
                    tracking_number,
                    timestamp,
                    match_number,
                    ..Default::default()
                },
                out,
            ),
            4 => framing.encode(
                &CrossTrade {
                    stock_locate,
                    timestamp,
                    stock,
                    match_number,
                    shares: u64::from(self.rng.below(1_000)).into(),
                    cross_price: Price4::new(self.rng.below(200_000)),
                    cross_type: self.rng.pick(b"OCH"),
                    ..Default::default()
                },
                out,
            ),
            _ => framing.encode(
                &Trade {
                    stock_locate,
                    timestamp,
                    stock,
                    match_number,
                    buy_sell_indicator: b'B',
                    shares: self.rng.below(1_000).into(),
                    price: Price4::new(self.rng.below(200_000)),
                    ..Default::default()
                },
                out,
            ),
        }
    }

    /// An unknown type, or a known one with a wrong length; never empty, which would end the feed.
    fn broken_frame(&mut self) {
        let tag = if self.rng.chance(1, 2) {
            self.rng.pick(&TAGS)
        } else {
            self.rng.pick(b"zZ?\x00\xff")
        };
        let known = u32::from(LENGTH[usize::from(tag)]);
        let mut len = 1 + self.rng.below(60);
        if len == known {
            len += 1;
        }
        let mut frame: Vec<u8> = (0..len)
            .map(|_| self.rng.pick(b"\x00\x01AZ \xff"))
            .collect();
        frame[0] = tag;
        self.config.framing.encode_bytes(&frame, &mut self.out);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{Frames, Message};

    #[test]
    fn frames_hold_and_every_kind_of_trouble_comes() {
        let config = Config {
            messages: 20_000,
            ..Config::default()
        };
        let bytes = feed(config);
        let mut frames = Frames::new(&bytes, config.framing);
        let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
        let mut used = std::collections::HashSet::new();
        for (_, bytes) in &mut frames {
            let mut count = |what| *counts.entry(what).or_default() += 1;
            match Message::parse(bytes) {
                Err(_) => count("broken frame"),
                Ok(Message::AddOrder(add)) => {
                    if !used.insert(add.order_reference_number) {
                        count("reference used before");
                    }
                    if add.shares.get() == 0 || add.price.raw() == 0 {
                        count("zero");
                    }
                }
                Ok(Message::OrderReplace(replace)) => {
                    if replace.original_order_reference_number == replace.new_order_reference_number
                    {
                        count("replaced by itself");
                    }
                }
                Ok(Message::OrderDelete(delete)) => {
                    if !used.contains(&delete.order_reference_number) {
                        count("unknown reference");
                    }
                }
                Ok(_) => count("other"),
            }
        }
        assert!(frames.finish().is_ok());
        assert_eq!(counts.len(), 6, "{counts:?}");
        assert!(counts.values().all(|&n| n > 20), "{counts:?}");
    }

    #[test]
    fn no_framing_breaks() {
        for framing in [Framing::Length, Framing::Zero, Framing::None] {
            for seed in 0..50 {
                let config = Config {
                    seed,
                    framing,
                    ..Config::default()
                };
                let bytes = feed(config);
                let mut frames = Frames::new(&bytes, framing);
                assert_eq!(frames.by_ref().count(), 500);
                assert!(frames.finish().is_ok());
            }
        }
    }
}

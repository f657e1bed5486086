//! Seeded synthetic trading days (feature `synth`).
//!
//! A day is a stream of spec-exact messages with the shape of a real one: the same mix of types, a
//! few stocks that are very active and thousands that are not, prices near the touch, orders that
//! mostly live for moments and sometimes for hours, auctions, halts, imbalances, and some broken
//! trades. Books are never crossed and every message refers to what exists. The same [`Config`]
//! gives the same bytes everywhere; memory follows the number of live orders, not the length of the
//! day.
//!
//! | share | of |
//! |---|---|
//! | 43.9 % | `A` |
//! | 40.1 % | `D` |
//! | 8.2 % | `U` |
//! | 3.2 % | `E` |
//! | 1.5 % | `X` |
//! | 0.9 % each | `F`, `I` |
//! | 0.5 % | `P` |
//! | the rest | `C` and the administrative messages |

mod book;
mod flow;
mod listing;
mod plan;
mod rng;
mod tape;

use std::io::{self, Read, Write};

use self::flow::Flow;
use self::plan::{Act, IMBALANCES, SLICES};
use self::rng::Rng;
use self::tape::Tape;
use crate::{
    Alpha2, Alpha4, BrokenTrade, DirectListing, Framing, Int2, LENGTH, LuldAuctionCollar,
    MAX_LENGTH, MarketParticipantPosition, MwcbDeclineLevel, MwcbStatus, OperationalHalt, Price4,
    Price8, QuotingPeriodUpdate, RegShoRestriction, RetailInterest, StockDirectory,
    StockTradingAction, SystemEvent, Time48,
};

/// What day to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// Same seed, same day.
    pub seed: u64,
    /// Messages of the day; fewer than [`Config::MIN_MESSAGES`] are raised to it.
    pub messages: u64,
    /// Stocks listed; at most one for 100 messages, and at least one.
    pub symbols: u16,
    /// How messages are framed.
    pub framing: Framing,
}

impl Config {
    /// The shortest day: one stock, its directory, both auctions and a few orders.
    pub const MIN_MESSAGES: u64 = 32;
}

impl Default for Config {
    /// Seed 1, a million messages, 8,907 stocks (as many as a real day had), length framing.
    fn default() -> Self {
        Self {
            seed: 1,
            messages: 1_000_000,
            symbols: 8_907,
            framing: Framing::Length,
        }
    }
}

/// A synthetic day in the making.
///
/// Read it like a file ([`Read`]), write it out ([`Day::write_to`]), or take its messages one by
/// one ([`Day::frames`]).
///
/// # Examples
/// ```
/// use nanobook_itch::synth::{Config, Day};
///
/// let config = Config { messages: 1_000, ..Config::default() };
/// let mut bytes = Vec::new();
/// Day::new(config).write_to(&mut bytes)?;
/// // The first message is the start of messages: 12 bytes, type S, event O.
/// assert_eq!(bytes[..3], *b"\x00\x0cS");
/// assert_eq!(bytes[13], b'O');
/// assert_eq!(Day::new(config).frames().count(), 1_000);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Day {
    flow: Flow,
    tape: Tape,
    rng: Rng,
    /// What is sure to happen, last first.
    acts: Vec<(u64, Act)>,
    /// Index of the current slice, and how many book messages it still has.
    slice: usize,
    left: u64,
    /// Bytes of the tape already handed out by `Read`.
    taken: usize,
}

/// The tape is handed over in pieces of about this size.
const PIECE: usize = 1 << 18;

impl Day {
    /// Prepares a day; nothing of its length is generated yet.
    pub fn new(config: Config) -> Self {
        let messages = config.messages.max(Config::MIN_MESSAGES);
        let most = u16::try_from(messages / 100).unwrap_or(u16::MAX - 1);
        let symbols = config.symbols.min(most).clamp(1, u16::MAX - 1);
        let mut rng = Rng::new(config.seed);
        let flow = Flow::new(symbols, &mut rng);
        let mut acts = plan::acts(messages, symbols, &mut rng);
        acts.reverse();
        let mut tape = Tape::new(config.framing, messages);
        tape.reserved = acts.len() as u64;
        let mut day = Self {
            flow,
            tape,
            rng,
            acts,
            slice: 0,
            left: 0,
            taken: 0,
        };
        day.enter(0);
        day
    }

    /// Writes the whole day and returns how many bytes it has.
    ///
    /// # Errors
    /// What `out` says when it cannot be written to.
    pub fn write_to(mut self, out: &mut impl Write) -> io::Result<u64> {
        let mut written = 0;
        while self.refill() {
            out.write_all(&self.tape.bytes)?;
            written += self.tape.bytes.len() as u64;
            self.taken = self.tape.bytes.len();
        }
        out.flush()?;
        Ok(written)
    }

    /// The messages one by one, each with its framing.
    pub fn frames(self) -> DayFrames {
        DayFrames { day: self }
    }

    /// Orders resting now.
    pub fn live_orders(&self) -> usize {
        self.flow.books.live()
    }

    /// Makes the next piece when the last one is used up; false at the end of the day.
    fn refill(&mut self) -> bool {
        if self.taken < self.tape.bytes.len() {
            return true;
        }
        self.tape.bytes.clear();
        self.taken = 0;
        while self.tape.bytes.len() < PIECE && self.step() {}
        !self.tape.bytes.is_empty()
    }

    /// Writes the next message (or sweep of messages); false at the end of the day.
    fn step(&mut self) -> bool {
        let now = self.tape.now;
        if let Some(time) = self.next_book_time()
            && self.acts.last().is_none_or(|&(due, _)| due > time)
        {
            self.book_message(time);
            return true;
        }
        let Some((due, act)) = self.acts.pop() else {
            return false;
        };
        self.tape.now = due.max(now);
        self.tape.reserved -= 1;
        self.act(act);
        true
    }

    /// When the next book message is due at the latest; `None` when there are no more.
    fn next_book_time(&mut self) -> Option<u64> {
        // Auctions may have written more than was reserved for them.
        self.left = self.left.min(self.tape.room());
        while self.left == 0 {
            if self.slice + 1 >= SLICES.len() {
                return None;
            }
            self.enter(self.slice + 1);
        }
        Some(self.tape.now.max(SLICES[self.slice].start))
    }

    /// Starts a slice with its share of the messages that are left.
    fn enter(&mut self, slice: usize) {
        self.slice = slice;
        let weight: u64 = SLICES[slice..].iter().map(|slice| slice.weight).sum();
        // A day has far fewer than 2^54 messages.
        self.left = self.tape.room() * SLICES[slice].weight / weight;
    }

    fn book_message(&mut self, earliest: u64) {
        let slice = SLICES[self.slice];
        let is_burst = self.flow.turn(&mut self.rng);
        let mean = (slice.end - earliest) / self.left;
        let gap = if is_burst {
            // An answer to the message before: from hundreds of ns to a fraction of a ms.
            u64::from(self.rng.tail(18)).min(mean)
        } else {
            // 57 in 100 messages share the time, so each takes up to 2 / 0.57 of the mean.
            self.rng.below_wide(mean.saturating_mul(7) / 2)
        };
        self.tape.now = (earliest + gap).min(slice.end - 1).max(earliest);
        let before = self.tape.written;
        match slice.auction {
            Some(kind) if self.rng.chance(IMBALANCES, 1_000) => {
                self.flow
                    .imbalance(None, kind, &mut self.rng, &mut self.tape);
            }
            _ => self.flow.step(slice.phase, &mut self.rng, &mut self.tape),
        }
        self.left = self.left.saturating_sub(self.tape.written - before);
    }

    /// Writes what was sure to happen.
    fn act(&mut self, act: Act) {
        let (rng, tape) = (&mut self.rng, &mut self.tape);
        match act {
            Act::System(event_code) => tape.put(&SystemEvent {
                timestamp: Time48::new(tape.now),
                event_code,
                ..Default::default()
            }),
            Act::Cross(stock, kind) => self.flow.cross(stock, kind, rng, tape),
            Act::Imbalance(stock, kind) => self.flow.imbalance(Some(stock), kind, rng, tape),
            Act::DeclineLevels => tape.put(&MwcbDeclineLevel {
                timestamp: Time48::new(tape.now),
                level_1: Price8::new(301_116_000_000),
                level_2: Price8::new(281_687_000_000),
                level_3: Price8::new(259_024_000_000),
                ..Default::default()
            }),
            Act::Breach(breached_level) => tape.put(&MwcbStatus {
                timestamp: Time48::new(tape.now),
                breached_level,
                ..Default::default()
            }),
            Act::Broken => {
                if let Some((stock, number)) = self.flow.recent_match(rng) {
                    let (stock_locate, tracking_number, timestamp) = tape.head(stock);
                    tape.put(&BrokenTrade {
                        stock_locate,
                        tracking_number,
                        timestamp,
                        match_number: number.into(),
                        ..Default::default()
                    });
                }
            }
            Act::Directory(stock, nth) => self.directory(stock, nth),
            Act::Participant(stock, _)
            | Act::TradingAction(stock, ..)
            | Act::OperationalHalt(stock, ..)
            | Act::Collar(stock, _)
            | Act::Offering(stock, ..)
            | Act::Listing(stock, _)
            | Act::Interest(stock, _) => self.stock_act(stock, act),
        }
    }

    fn directory(&mut self, index: u16, nth: u8) {
        let (rng, tape) = (&mut self.rng, &mut self.tape);
        let listing = &self.flow.listings.all[usize::from(index)];
        let (stock_locate, _, timestamp) = tape.head(index);
        let (tracking_number, stock) = (Int2::new(0), listing.stock);
        let flag = |yes: bool| if yes { b'Y' } else { b'N' };
        match nth {
            0 => tape.put(&StockDirectory {
                message_type: b'R',
                stock_locate,
                tracking_number,
                timestamp,
                stock,
                market_category: listing.category,
                financial_status_indicator: if rng.chance(97, 100) { b'N' } else { b'D' },
                round_lot_size: listing.round_lot.into(),
                round_lots_only: b'N',
                issue_classification: if listing.is_etp {
                    b'Q'
                } else {
                    rng.pick(b"CCCCCAOPW")
                },
                issue_sub_type: Alpha2::from_bytes(if listing.is_etp { *b"E " } else { *b"Z " }),
                authenticity: b'P',
                short_sale_threshold_indicator: flag(rng.chance(1, 100)),
                ipo_flag: flag(index + 1 == self.flow.listings.len()),
                luld_reference_price_tier: if listing.is_etp {
                    b'1'
                } else {
                    rng.pick(b"12")
                },
                etp_flag: flag(listing.is_etp),
                etp_leverage_factor: u32::from(listing.is_etp && rng.chance(1, 10))
                    .saturating_mul(2)
                    .into(),
                inverse_indicator: flag(listing.is_etp && rng.chance(1, 20)),
            }),
            1 => tape.put(&StockTradingAction {
                message_type: b'H',
                stock_locate,
                tracking_number,
                timestamp,
                stock,
                trading_state: b'T',
                reserved: b' ',
                reason: Alpha4::BLANK,
            }),
            _ => tape.put(&RegShoRestriction {
                message_type: b'Y',
                stock_locate,
                tracking_number,
                timestamp,
                stock,
                reg_sho_action: if rng.chance(97, 100) { b'0' } else { b'2' },
            }),
        }
    }

    fn stock_act(&mut self, index: u16, act: Act) {
        let (rng, tape) = (&mut self.rng, &mut self.tape);
        let listing = &self.flow.listings.all[usize::from(index)];
        let book = &mut self.flow.books.all[usize::from(index)];
        let (stock_locate, tracking_number, timestamp) = tape.head(index);
        let (stock, tick) = (listing.stock, listing.tick);
        let price = book.anchor;
        let off = |percent: u32| {
            let price = u64::from(price) * u64::from(percent) / 100;
            let price = u32::try_from(price).unwrap_or(u32::MAX);
            Price4::new((price / tick * tick).max(tick))
        };
        match act {
            Act::Participant(_, nth) => {
                let mpid = rng.pick(&self.flow.mpids);
                tape.put(&MarketParticipantPosition {
                    message_type: b'L',
                    stock_locate,
                    tracking_number: Int2::new(0),
                    timestamp,
                    mpid,
                    stock,
                    primary_market_maker: if nth == 0 { b'Y' } else { b'N' },
                    market_maker_mode: b'N',
                    market_participant_state: if rng.chance(98, 100) { b'A' } else { b'E' },
                });
            }
            Act::TradingAction(_, trading_state, reason) => {
                book.is_halted = trading_state != b'T';
                tape.put(&StockTradingAction {
                    message_type: b'H',
                    stock_locate,
                    tracking_number,
                    timestamp,
                    stock,
                    trading_state,
                    reserved: b' ',
                    reason: Alpha4::from_bytes(reason),
                });
            }
            Act::OperationalHalt(_, market_code, operational_halt_action) => {
                tape.put(&OperationalHalt {
                    message_type: b'h',
                    stock_locate,
                    tracking_number,
                    timestamp,
                    stock,
                    market_code,
                    operational_halt_action,
                });
            }
            Act::Collar(_, extension) => tape.put(&LuldAuctionCollar {
                message_type: b'J',
                stock_locate,
                tracking_number,
                timestamp,
                stock,
                auction_collar_reference_price: Price4::new(price),
                upper_auction_collar_price: off(105 + 5 * u32::from(extension)),
                lower_auction_collar_price: off(95 - 5 * u32::from(extension)),
                auction_collar_extension: u32::from(extension).into(),
            }),
            Act::Offering(_, qualifier, release) => tape.put(&QuotingPeriodUpdate {
                message_type: b'K',
                stock_locate,
                tracking_number,
                timestamp,
                stock,
                ipo_quotation_release_time: release.into(),
                ipo_quotation_release_qualifier: qualifier,
                ipo_price: off(100),
            }),
            Act::Listing(_, open_eligibility_status) => tape.put(&DirectListing {
                message_type: b'O',
                stock_locate,
                tracking_number,
                timestamp,
                stock,
                open_eligibility_status,
                minimum_allowable_price: off(80),
                maximum_allowable_price: off(180),
                near_execution_price: Price4::new(price),
                near_execution_time: tape.now.into(),
                lower_price_range_collar: off(90),
                upper_price_range_collar: off(110),
            }),
            Act::Interest(_, interest_flag) => tape.put(&RetailInterest {
                message_type: b'N',
                stock_locate,
                tracking_number,
                timestamp,
                stock,
                interest_flag,
            }),
            _ => {}
        }
    }
}

impl Read for Day {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if !self.refill() {
            return Ok(0);
        }
        let rest = &self.tape.bytes[self.taken..];
        let n = rest.len().min(buf.len());
        buf[..n].copy_from_slice(&rest[..n]);
        self.taken += n;
        Ok(n)
    }
}

/// The messages of a [`Day`], each with its framing.
#[derive(Debug, Clone)]
pub struct DayFrames {
    day: Day,
}

/// The bytes of one message with its framing.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    bytes: [u8; MAX_LENGTH + 2],
    len: u8,
}

impl Frame {
    /// The bytes, framing included.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl Iterator for DayFrames {
    type Item = Frame;

    fn next(&mut self) -> Option<Frame> {
        if !self.day.refill() {
            return None;
        }
        let tape = &self.day.tape;
        let rest = &tape.bytes[self.day.taken..];
        let prefix = tape.framing.prefix_len();
        let len = LENGTH[usize::from(rest[prefix])] + if prefix == 0 { 0 } else { 2 };
        let mut bytes = [0; MAX_LENGTH + 2];
        bytes[..usize::from(len)].copy_from_slice(&rest[..usize::from(len)]);
        self.day.taken += usize::from(len);
        Some(Frame { bytes, len })
    }
}

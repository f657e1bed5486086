//! A synthetic day against the simplest books there are.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Read;

use nanobook_itch::synth::{Config, Day};
use nanobook_itch::{Directory, FrameReader, Frames, Framing, Message, Stock8};

fn bytes_of(config: Config) -> Vec<u8> {
    let mut bytes = Vec::new();
    let written = Day::new(config)
        .write_to(&mut bytes)
        .expect("a vector takes everything");
    assert_eq!(written, bytes.len() as u64);
    bytes
}

fn day(seed: u64, messages: u64, symbols: u16) -> Vec<u8> {
    bytes_of(Config {
        seed,
        messages,
        symbols,
        ..Config::default()
    })
}

struct Order {
    locate: u16,
    is_bid: bool,
    price: u32,
    shares: u32,
    /// Book messages of its stock before it.
    born: u64,
}

/// Orders of a level in time order, by price.
type Side = BTreeMap<u32, Vec<u64>>;

#[derive(Default)]
struct Stock {
    bids: Side,
    asks: Side,
    /// Book messages so far.
    events: u64,
    is_halted: bool,
}

impl Stock {
    fn side(&mut self, is_bid: bool) -> &mut Side {
        if is_bid {
            &mut self.bids
        } else {
            &mut self.asks
        }
    }
}

/// Keeps every book in ordered maps, asserts that every message makes sense, and counts.
#[derive(Default)]
struct Checker {
    counts: BTreeMap<char, u64>,
    orders: HashMap<u64, Order>,
    stocks: HashMap<u16, Stock>,
    matches: HashSet<u64>,
    directory: Directory,
    events: String,
    last_ns: u64,
    most_live: usize,
    /// Messages of the stock between an order and its delete.
    ages: Vec<u64>,
    near: u64,
    far: u64,
    at_head: u64,
    behind: u64,
}

impl Checker {
    fn check(bytes: &[u8]) -> Self {
        let mut checker = Self::default();
        let mut frames = Frames::new(bytes, Framing::Length);
        for (offset, message) in &mut frames {
            let message = Message::parse(message).unwrap_or_else(|e| panic!("{e} at {offset}"));
            checker.message(message);
        }
        frames.finish().expect("the day ends with a whole message");
        checker
    }

    fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    fn share(&self, tag: char) -> f64 {
        let count = self.counts.get(&tag).copied().unwrap_or_default();
        #[expect(clippy::cast_precision_loss, reason = "counts are small")]
        let share = 100.0 * count as f64 / self.total() as f64;
        share
    }

    fn message(&mut self, message: Message<'_>) {
        *self.counts.entry(char::from(message.tag())).or_default() += 1;
        let header = message.header();
        assert!(header.ns() >= self.last_ns, "time goes back: {message:?}");
        self.last_ns = header.ns();
        let locate = header.stock_locate.get();
        self.directory.learn(message);
        if let Some(&stock) = message.stock() {
            assert_eq!(self.directory.stock(locate), Some(stock), "{message:?}");
        }
        match message {
            Message::SystemEvent(m) => self.events.push(char::from(m.event_code)),
            Message::StockTradingAction(m) => {
                self.stocks.entry(locate).or_default().is_halted = m.trading_state != b'T';
            }
            Message::AddOrder(m) => {
                let order = (m.buy_sell_indicator, m.price.raw(), m.shares.get());
                self.add(locate, m.order_reference_number.get(), order);
            }
            Message::AddOrderAttributed(m) => {
                let order = (m.buy_sell_indicator, m.price.raw(), m.shares.get());
                assert_eq!(m.attribution.trimmed().len(), 4);
                self.add(locate, m.order_reference_number.get(), order);
            }
            Message::OrderExecuted(m) => {
                let (order, shares) = (m.order_reference_number.get(), m.executed_shares.get());
                self.execute(locate, order, shares, m.match_number.get());
                assert!(!self.stocks[&locate].is_halted, "execution while halted");
            }
            Message::OrderExecutedWithPrice(m) => {
                let (order, shares) = (m.order_reference_number.get(), m.executed_shares.get());
                self.execute(locate, order, shares, m.match_number.get());
                assert!(m.execution_price.raw() > 0);
            }
            Message::OrderCancel(m) => {
                let order = self.order(locate, m.order_reference_number.get());
                assert!((1..order.shares).contains(&m.cancelled_shares.get()));
                order.shares -= m.cancelled_shares.get();
            }
            Message::OrderDelete(m) => {
                let order = self.remove(locate, m.order_reference_number.get());
                self.ages.push(self.stocks[&locate].events - order.born);
            }
            Message::OrderReplace(m) => {
                let old = self.remove(locate, m.original_order_reference_number.get());
                let reference = m.new_order_reference_number.get();
                self.insert(locate, reference, old.is_bid, m.price.raw(), m.shares.get());
            }
            Message::Trade(m) => {
                assert_eq!(m.buy_sell_indicator, b'B');
                self.new_match(m.match_number.get());
            }
            Message::CrossTrade(m) => {
                assert_eq!(m.shares.get() == 0, m.cross_price.raw() == 0);
                self.new_match(m.match_number.get());
            }
            Message::BrokenTrade(m) => {
                assert!(self.matches.contains(&m.match_number.get()), "{message:?}");
            }
            _ => {}
        }
        if let Some(stock) = self.stocks.get_mut(&locate) {
            stock.events += u64::from(b"AFECXDU".contains(&message.tag()));
            let (bid, ask) = (stock.bids.last_key_value(), stock.asks.first_key_value());
            if let (Some((bid, _)), Some((ask, _))) = (bid, ask) {
                assert!(bid < ask, "crossed by {message:?}");
            }
        }
        self.most_live = self.most_live.max(self.orders.len());
    }

    fn add(&mut self, locate: u16, reference: u64, (side, price, shares): (u8, u32, u32)) {
        assert!(matches!(side, b'B' | b'S'));
        let is_bid = side == b'B';
        let levels = self.stocks.entry(locate).or_default().side(is_bid);
        let better = if is_bid {
            levels.range(price + 1..).take(10).count()
        } else {
            levels.range(..price).take(10).count()
        };
        if better < 10 {
            self.near += 1;
        } else {
            self.far += 1;
        }
        self.insert(locate, reference, is_bid, price, shares);
    }

    fn insert(&mut self, locate: u16, reference: u64, is_bid: bool, price: u32, shares: u32) {
        assert!(price > 0 && shares > 0);
        let is_sub_dollar = price < 10_000;
        assert!(is_sub_dollar || price.is_multiple_of(100), "price {price}");
        let stock = self.stocks.entry(locate).or_default();
        stock.side(is_bid).entry(price).or_default().push(reference);
        let order = Order {
            locate,
            is_bid,
            price,
            shares,
            born: stock.events,
        };
        let old = self.orders.insert(reference, order);
        assert!(old.is_none(), "reference {reference} is in use");
    }

    fn order(&mut self, locate: u16, reference: u64) -> &mut Order {
        let order = self.orders.get_mut(&reference).expect("a live order");
        assert_eq!(order.locate, locate);
        order
    }

    fn remove(&mut self, locate: u16, reference: u64) -> Order {
        let order = self.orders.remove(&reference).expect("a live order");
        assert_eq!(order.locate, locate);
        let side = self.stocks.entry(locate).or_default().side(order.is_bid);
        let queue = side.get_mut(&order.price).expect("a level");
        queue.retain(|&other| other != reference);
        if queue.is_empty() {
            side.remove(&order.price);
        }
        order
    }

    fn execute(&mut self, locate: u16, reference: u64, shares: u32, number: u64) {
        self.new_match(number);
        let order = self.order(locate, reference);
        assert!((1..=order.shares).contains(&shares));
        order.shares -= shares;
        let (is_gone, is_bid) = (order.shares == 0, order.is_bid);
        let side = self.stocks.entry(locate).or_default().side(is_bid);
        let best = if is_bid {
            side.last_key_value()
        } else {
            side.first_key_value()
        };
        if best.expect("a level").1[0] == reference {
            self.at_head += 1;
        } else {
            self.behind += 1;
        }
        if is_gone {
            self.remove(locate, reference);
        }
    }

    fn new_match(&mut self, number: u64) {
        assert!(self.matches.insert(number), "match {number} came twice");
    }
}

#[test]
fn any_length_is_met_exactly_and_makes_sense() {
    for (messages, symbols) in [
        (0, 1),
        (32, 1),
        (33, 5),
        (100, 1),
        (777, 3),
        (2_000, 20),
        (5_000, 8_907),
        (20_000, 1),
    ] {
        for seed in 0..3 {
            let checker = Checker::check(&day(seed, messages, symbols));
            assert_eq!(checker.total(), messages.max(Config::MIN_MESSAGES));
            assert_eq!(checker.events, "OSQMEC");
            let listed = u64::from(symbols).min(messages / 100).max(1);
            assert_eq!(checker.directory.len() as u64, listed);
        }
    }
}

#[test]
fn mix_and_shape_are_those_of_a_real_day() {
    let messages = 400_000;
    let mut checker = Checker::check(&day(7, messages, 200));
    for (tag, percent) in [
        ('A', 43.9),
        ('D', 40.1),
        ('U', 8.2),
        ('E', 3.2),
        ('X', 1.5),
        ('F', 0.9),
        ('I', 0.9),
        ('P', 0.5),
    ] {
        let share = checker.share(tag);
        let tolerance = 0.4 + percent * 0.01;
        assert!((share - percent).abs() < tolerance, "{tag}: {share} %");
    }
    assert_eq!(checker.counts.len(), 23, "{:?}", checker.counts);

    let live = checker.most_live as u64 * 1_000 / messages;
    assert!((15..=35).contains(&live), "{live} in 1,000 live at most");
    checker.ages.sort_unstable();
    let median = checker.ages[checker.ages.len() / 2];
    let longest = checker.ages[checker.ages.len() * 98 / 100];
    assert!(
        (10..=25).contains(&median),
        "half are deleted after {median}"
    );
    assert!(longest > 50 * median, "few live longer than {longest}");
    let near = checker.near * 100 / (checker.near + checker.far);
    assert!((70..=90).contains(&near), "{near} % of adds near the touch");
    assert!(checker.at_head > 20 * checker.behind && checker.behind > 0);
}

#[test]
fn a_day_of_100_000_has_every_type_for_any_number_of_stocks() {
    for symbols in [1, 2, 7, 1_000] {
        let checker = Checker::check(&day(3, 100_000, symbols));
        assert_eq!(checker.counts.len(), 23, "{symbols}: {:?}", checker.counts);
    }
}

#[test]
fn penny_stocks_and_dear_ones_are_listed() {
    let bytes = day(1, 100_000, 1_000);
    let mut cheapest = u32::MAX;
    let mut dearest = 0;
    for (_, message) in Frames::new(&bytes, Framing::Length) {
        if let Ok(Message::AddOrder(add)) = Message::parse(message) {
            cheapest = cheapest.min(add.price.raw());
            dearest = dearest.max(add.price.raw());
        }
    }
    assert!(cheapest < 5_000, "cheapest {cheapest}");
    assert!(dearest > 10_000_000, "dearest {dearest}");
}

#[test]
fn all_ways_out_give_the_same_bytes() {
    let config = Config {
        seed: 5,
        messages: 30_000,
        symbols: 40,
        ..Config::default()
    };
    let written = bytes_of(config);
    let mut read = Vec::new();
    let mut day = Day::new(config);
    // An odd size, so that reads end inside messages.
    let mut buffer = [0; 1_021];
    loop {
        match day.read(&mut buffer).expect("a day never fails") {
            0 => break,
            n => read.extend_from_slice(&buffer[..n]),
        }
    }
    assert!(written == read);
    let framed: Vec<u8> = Day::new(config)
        .frames()
        .flat_map(|frame| frame.as_bytes().to_vec())
        .collect();
    assert!(written == framed);
    assert_eq!(Day::new(config).frames().count(), 30_000);
}

#[test]
fn framing_changes_nothing_else() {
    let messages = |framing| {
        let bytes = bytes_of(Config {
            messages: 10_000,
            symbols: 9,
            framing,
            ..Config::default()
        });
        let mut reader = FrameReader::detect(bytes.as_slice()).expect("a feed");
        assert_eq!(reader.framing(), framing);
        let mut joined = Vec::new();
        while let Some((_, message)) = reader.next_message().expect("whole messages") {
            joined.extend_from_slice(message);
        }
        joined
    };
    let expected = messages(Framing::Length);
    assert!(messages(Framing::Zero) == expected);
    assert!(messages(Framing::None) == expected);
}

/// FNV-1a: enough to see a change, and a few lines.
fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// A change here changes the synthetic day of every user: say so in the changelog.
#[test]
fn a_seed_means_the_same_bytes_for_ever() {
    let one = day(1, 50_000, 300);
    assert!(one == day(1, 50_000, 300));
    assert!(one != day(2, 50_000, 300));
    assert_eq!(format!("{:016x}", digest(&one)), "de41b8134cf460bb");
}

#[test]
fn live_orders_are_counted() {
    let config = Config {
        messages: 20_000,
        symbols: 10,
        ..Config::default()
    };
    let mut day = Day::new(config);
    let mut bytes = Vec::new();
    day.read_to_end(&mut bytes).expect("a day never fails");
    let checker = Checker::check(&bytes);
    assert_eq!(day.live_orders(), checker.orders.len());
    assert!(checker.directory.stock(1) < Some(Stock8::from_bytes([b'Z'; 8])));
}

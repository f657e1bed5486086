//! Random feeds: few stocks, few references and few prices, so that everything meets everything.

use nanobook::{Symbol, Timestamp};
use nanobook_itch::replay::{Config, Wanted};
use nanobook_itch::{Framing, LENGTH, TAGS, Time48};
use proptest::collection::vec;
use proptest::prelude::*;

/// Stock locates, the likeliest first.
pub(crate) const LOCATES: [u16; 8] = [1, 1, 1, 2, 2, 3, 0, u16::MAX];

/// How a feed names its stocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    /// Each stock has one name, in every message that carries one.
    Steady,
    /// The same, but blank or unprintable now and then: a stock may be known late, or not for a while.
    Late,
    /// Names are blank, unprintable, or those of others now and then, and change.
    Wild,
}

/// How times go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Times {
    /// Never back.
    Forward,
    /// Back now and then.
    Back,
}

/// What to be random about one frame: places in short lists, and bytes for the rest.
pub(crate) type Act = (u8, u8, u8, u8, u8, u8, u8, u8, u64);

#[derive(Clone, Debug)]
pub(crate) struct Feed {
    pub acts: Vec<Act>,
    pub framing: Framing,
    pub names: Names,
    pub times: Times,
}

/// Feeds of fewer than `most` frames.
pub(crate) fn feed(names: Names, times: Times, most: usize) -> impl Strategy<Value = Feed> {
    let any8 = any::<u8>;
    let act = (
        any8(),
        0..8_u8,
        0..32_u8,
        0..32_u8,
        0..16_u8,
        0..16_u8,
        any8(),
        any8(),
        any::<u64>(),
    );
    let framing = prop_oneof![
        6 => Just(Framing::Length),
        1 => Just(Framing::Zero),
        1 => Just(Framing::None),
    ];
    (vec(act, 1..most), framing).prop_map(move |(acts, framing)| Feed {
        acts,
        framing,
        names,
        times,
    })
}

pub(crate) fn config() -> impl Strategy<Value = Config> {
    let wanted = (
        any::<[bool; 3]>(),
        prop_oneof![Just(0_usize), Just(1), Just(2), Just(3), Just(10)],
        prop_oneof![
            2 => Just(None),
            1 => Just(Some(1_000_000_000_u64)),
            1 => Just(Some(7)),
        ],
        prop_oneof![
            1 => Just(None),
            2 => Just(Some(1_000_000_000_u64)),
            1 => Just(Some(60_000_000_000)),
            1 => Just(Some(3)),
        ],
    );
    let time = prop_oneof![
        3 => Just(None),
        1 => (0..10_000_000_000_u64).prop_map(|ns| Some(START_NS + ns)),
    ];
    (wanted, time.clone(), time, any::<bool>()).prop_map(|(wanted, from, to, winter)| {
        let ([mbo, bbo, trades], depth, every_ns, bars_ns) = wanted;
        let midnight = Timestamp(if winter { 1_580_360_400_000_000_000 } else { 0 });
        Config {
            wanted: Wanted {
                mbo,
                bbo,
                trades,
                depth,
                every_ns,
                bars_ns,
            },
            from_ns: from.unwrap_or(0),
            to_ns: to.unwrap_or(u64::MAX),
            ..Config::new(midnight)
        }
    })
}

/// Some of the names of steady feeds, one that they do not have, or none at all.
pub(crate) fn symbols() -> impl Strategy<Value = Vec<Symbol>> {
    let all: Vec<Symbol> = [1_u16, 2, 3, u16::MAX, 7]
        .iter()
        .map(|locate| Symbol::new(name(*locate).trim_ascii_end()).expect("four letters"))
        .collect();
    proptest::sample::subsequence(all, 0..4)
}

/// When feeds begin: half past nine.
const START_NS: u64 = 34_200_000_000_000;

/// The steady name of a stock.
fn name(locate: u16) -> [u8; 8] {
    let [high, low] = locate.to_be_bytes();
    [
        b'S',
        b'K',
        b'A' + high % 26,
        b'A' + low % 26,
        b' ',
        b' ',
        b' ',
        b' ',
    ]
}

/// Where a ticker lies, by type (specification, section 1).
fn ticker_at(tag: u8) -> Option<usize> {
    Some(match tag {
        b'R' | b'H' | b'Y' | b'K' | b'J' | b'h' | b'N' | b'O' => 11,
        b'L' => 15,
        b'A' | b'F' | b'P' => 24,
        b'Q' => 19,
        b'I' => 28,
        _ => return None,
    })
}

impl Feed {
    /// The frames' messages, without what stands in front of them.
    pub(crate) fn messages(&self) -> Vec<Vec<u8>> {
        let mut ns = START_NS;
        self.acts
            .iter()
            .map(|act| self.message(act, &mut ns))
            .collect()
    }

    /// The feed, and where its frames end.
    pub(crate) fn bytes(&self) -> (Vec<u8>, Vec<usize>) {
        let mut bytes = Vec::new();
        let mut ends = Vec::new();
        for message in self.messages() {
            self.framing.encode_bytes(&message, &mut bytes);
            ends.push(bytes.len());
        }
        (bytes, ends)
    }

    fn message(&self, act: &Act, ns: &mut u64) -> Vec<u8> {
        let &(kind, locate, reference, other, price, shares, odd, step, fill) = act;
        let Some(tag) = self.tag(kind, odd) else {
            return broken(odd, fill);
        };
        *ns = self.step(*ns, step);
        let locate = LOCATES[usize::from(locate)];
        // Text fields and codes from few bytes, most of them as the feed has them.
        let palette = b"AYN T012 \x00H\xff  BS";
        let mut spread = fill | 1;
        let mut message: Vec<u8> = (0..LENGTH[usize::from(tag)])
            .map(|_| {
                spread = spread
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                palette[(spread >> 60) as usize]
            })
            .collect();
        let mut put =
            |at: usize, bytes: &[u8]| message[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &[tag]);
        put(1, &locate.to_be_bytes());
        put(3, &[0, odd]);
        put(5, &ns.to_be_bytes()[2..]);
        if let Some(at) = ticker_at(tag) {
            put(at, &self.ticker(locate, tag, odd));
        }
        // Few references, so that they are live, gone, and used again; more in a long feed.
        let references = if self.acts.len() < 100 { 13 } else { 30 };
        let reference_of = |place: u8| match place {
            30 => 0,
            31 => u64::MAX,
            place => u64::from(place % references),
        };
        let id = reference_of(reference).to_be_bytes();
        let price = match price {
            0 => 0,
            1 => u32::MAX,
            2 => 1,
            // Prices around which sides overlap.
            price => 1_000_000 + 100 * u32::from(price / 2),
        }
        .to_be_bytes();
        let shares = match shares {
            0 => 0,
            1 => u32::MAX,
            2..=5 => 100,
            6..=8 => 300,
            shares => 50 * u32::from(shares - 7),
        }
        .to_be_bytes();
        let indicator = match odd % 40 {
            0 => b'?',
            1 => 0,
            n if n % 2 == 0 => b'B',
            _ => b'S',
        };
        match tag {
            b'A' | b'F' | b'P' => {
                put(11, &id);
                put(19, &[indicator]);
                put(20, &shares);
                put(32, &price);
            }
            b'E' | b'C' => {
                put(11, &id);
                put(19, &shares);
                put(23, &u64::from(other).to_be_bytes());
                if tag == b'C' {
                    put(31, &[b"YYNN?"[usize::from(odd % 5)]]);
                    put(32, &price);
                }
            }
            b'X' => {
                put(11, &id);
                put(19, &shares);
            }
            b'D' => put(11, &id),
            b'U' => {
                // Onto a new reference, onto itself, and onto another live one.
                put(11, &id);
                put(19, &reference_of(other).to_be_bytes());
                put(27, &shares);
                put(31, &price);
            }
            b'Q' => {
                put(11, &[0; 4]);
                put(15, &shares);
                put(27, &price);
            }
            b'B' => put(11, &u64::from(other).to_be_bytes()),
            _ => {}
        }
        message
    }

    /// The type of a message; `None` for a frame that is no message.
    fn tag(&self, kind: u8, odd: u8) -> Option<u8> {
        Some(match kind {
            0..=69 => b'A',
            70..=89 => b'F',
            90..=114 => b'E',
            115..=129 => b'C',
            130..=149 => b'X',
            150..=169 => b'D',
            170..=204 => b'U',
            205..=209 => b'P',
            210..=214 => b'Q',
            215..=219 => b'B',
            220..=223 => b'R',
            224..=245 => TAGS[usize::from(odd) % TAGS.len()],
            _ if self.framing == Framing::Length => return None,
            _ => b'D',
        })
    }

    fn step(&self, ns: u64, step: u8) -> u64 {
        let ns = match step {
            0..=199 => ns + u64::from(step % 8),
            200..=229 => ns + 100_000_000 * u64::from(step - 199),
            230..=239 => ns + 60_000_000_000,
            _ if self.times == Times::Forward => ns,
            240..=247 => ns.saturating_sub(5),
            248..=252 => ns.saturating_sub(2_000_000_000),
            253 => ns.saturating_sub(120_000_000_000),
            254 => 0,
            255 => Time48::MAX_NS,
        };
        ns.min(Time48::MAX_NS)
    }

    fn ticker(&self, locate: u16, tag: u8, odd: u8) -> [u8; 8] {
        match (self.names, odd % 16) {
            (Names::Late | Names::Wild, 0 | 1) => *b"        ",
            (Names::Late | Names::Wild, 2) => *b"\xffA      ",
            (Names::Wild, 3 | 4) => name(2),
            (Names::Wild, 5) if tag == b'R' => name(7),
            _ => name(locate),
        }
    }
}

/// A frame that is no message: an unknown type, or a known one with another length; never empty,
/// which would end the session.
fn broken(odd: u8, fill: u64) -> Vec<u8> {
    let tag = match odd {
        0..=99 => TAGS[usize::from(odd) % TAGS.len()],
        _ => b"zZ?\x00\xff"[usize::from(odd % 5)],
    };
    let mut length = 1 + (fill % 60) as usize;
    if length == usize::from(LENGTH[usize::from(tag)]) {
        length += 1;
    }
    let mut frame = vec![fill.to_be_bytes()[0]; length];
    frame[0] = tag;
    frame
}

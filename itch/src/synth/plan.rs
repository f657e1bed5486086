//! The timetable: what is sure to happen, when, and how the other messages spread over the day.

use super::flow::Phase;
use super::rng::Rng;

const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;

/// A time of day in ns.
pub(super) const fn at(hour: u64, minute: u64, second: u64) -> u64 {
    ((hour * 60 + minute) * 60 + second) * SECOND
}

/// A part of the day with its share of the book messages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slice {
    pub(super) start: u64,
    pub(super) end: u64,
    /// Share of the day's book messages, in 1/1,000.
    pub(super) weight: u64,
    pub(super) phase: Phase,
    /// The auction ahead, if imbalances are sent in this slice.
    pub(super) auction: Option<u8>,
}

const fn slice(start: u64, end: u64, weight: u64, phase: Phase, auction: Option<u8>) -> Slice {
    Slice {
        start,
        end,
        weight,
        phase,
        auction,
    }
}

/// Busy at the open and before the close, quiet at noon.
pub(super) const SLICES: [Slice; 20] = [
    slice(at(4, 0, 0), at(7, 0, 0), 14, Phase::Early, None),
    slice(at(7, 0, 0), at(8, 0, 0), 15, Phase::Early, None),
    slice(at(8, 0, 0), at(9, 0, 0), 25, Phase::Early, None),
    slice(at(9, 0, 0), at(9, 25, 0), 21, Phase::Early, None),
    slice(at(9, 25, 0), at(9, 28, 0), 8, Phase::Early, Some(b'O')),
    slice(at(9, 28, 0), at(9, 30, 0), 17, Phase::Early, Some(b'O')),
    slice(at(9, 30, 0), at(9, 35, 0), 60, Phase::Regular, None),
    slice(at(9, 35, 0), at(9, 45, 0), 70, Phase::Regular, None),
    slice(at(9, 45, 0), at(10, 0, 0), 70, Phase::Regular, None),
    slice(at(10, 0, 0), at(10, 30, 0), 100, Phase::Regular, None),
    slice(at(10, 30, 0), at(11, 30, 0), 120, Phase::Regular, None),
    slice(at(11, 30, 0), at(13, 30, 0), 140, Phase::Regular, None),
    slice(at(13, 30, 0), at(14, 30, 0), 80, Phase::Regular, None),
    slice(at(14, 30, 0), at(15, 30, 0), 110, Phase::Regular, None),
    slice(at(15, 30, 0), at(15, 50, 0), 50, Phase::Regular, None),
    slice(at(15, 50, 0), at(15, 55, 0), 25, Phase::Regular, Some(b'C')),
    slice(at(15, 55, 0), at(16, 0, 0), 45, Phase::Regular, Some(b'C')),
    slice(at(16, 0, 0), at(16, 5, 0), 12, Phase::Late, None),
    slice(at(16, 5, 0), at(17, 0, 0), 8, Phase::Late, None),
    slice(at(17, 0, 0), at(20, 0, 0), 10, Phase::Late, None),
];

/// Share of imbalances among the messages of a slice before an auction, in 1/1,000: 0.9 % of the
/// day's messages over 9.5 % of them.
pub(super) const IMBALANCES: u32 = 95;

/// Something sure to happen at a time, to a stock (the first one if it concerns none).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) time: u64,
    pub(super) stock: u16,
    pub(super) act: Act,
}

/// One message each, except that a cross may execute orders too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    System(u8),
    Directory,
    InitialState,
    ShortSale,
    /// True for the primary market maker.
    Participant(bool),
    DeclineLevels,
    Breach(u8),
    TradingAction(u8, [u8; 4]),
    OperationalHalt(u8, u8),
    /// With the number of extensions.
    Collar(u8),
    Imbalance(u8),
    Cross(u8),
    /// With the release time in seconds.
    Offering(u8, u32),
    DirectListing(u8),
    Interest(u8),
    Broken,
}

/// The acts of a day in order of time.
///
/// `messages` is the length of the day and `symbols` the number of stocks.
pub(super) fn acts(messages: u64, symbols: u16, rng: &mut Rng) -> Vec<Due> {
    let mut acts = Vec::new();
    let mut put = |time, stock, act| acts.push(Due { time, stock, act });
    put(at(3, 4, 30), 0, Act::System(b'O'));
    // One participant for every 200 messages, but 24 a stock are the most a real day has.
    let positions = (messages / 200 / u64::from(symbols)).clamp(1, 24);
    let gap = 50 * MINUTE / (u64::from(symbols) * (3 + positions));
    let mut time = at(3, 4, 32);
    for stock in 0..symbols {
        for act in [Act::Directory, Act::InitialState, Act::ShortSale] {
            time += rng.below_wide(gap);
            put(time, stock, act);
        }
        for nth in 0..positions {
            time += rng.below_wide(gap);
            put(time, stock, Act::Participant(nth == 0));
        }
    }
    put(at(3, 58, 0), 0, Act::DeclineLevels);
    put(at(4, 0, 0), 0, Act::System(b'S'));
    put(at(9, 30, 0), 0, Act::System(b'Q'));
    put(at(16, 0, 0), 0, Act::System(b'M'));
    // All stocks cross within two seconds.
    let gap = 2 * SECOND / u64::from(symbols);
    for (start, kind) in [(at(9, 30, 0), b'O'), (at(16, 0, 0), b'C')] {
        for stock in 0..symbols {
            let time = start + 1_000 + u64::from(stock) * gap + rng.below_wide(gap);
            put(time, stock, Act::Cross(kind));
        }
    }
    if messages >= EVENTFUL {
        eventful(messages, symbols, rng, &mut put);
    }
    put(at(20, 0, 0), 0, Act::System(b'E'));
    put(at(20, 5, 0), 0, Act::System(b'C'));
    acts.sort_by_key(|due| due.time);
    acts
}

/// Days shorter than this have only what every day must have.
const EVENTFUL: u64 = 2_000;

/// Halts, a new issue, indications, broken trades.
fn eventful(messages: u64, symbols: u16, rng: &mut Rng, put: &mut impl FnMut(u64, u16, Act)) {
    let any = |rng: &mut Rng| {
        u16::try_from(rng.below(u32::from(symbols))).expect("below the number of stocks")
    };
    let during_hours = |rng: &mut Rng| at(9, 45, 0) + rng.below_wide(at(15, 30, 0) - at(9, 45, 0));
    let count = |one_in: u64, least: u64| (messages / one_in).max(least);

    // The level 1 breach comes after 15:25, when it no longer halts the market.
    put(at(15, 40, 7), 0, Act::Breach(b'1'));

    // Volatility pauses end with an auction, news halts as well.
    let halts = count(400_000, 3).min(u64::from(symbols).div_ceil(4));
    for nth in 0..halts {
        // Each stock at most once, so that one halt is over before the next.
        let stock = nth * u64::from(symbols) / halts;
        let stock = u16::try_from(stock).expect("below the number of stocks");
        let start = during_hours(rng);
        let quoted = start + 4 * MINUTE;
        let is_pause = nth % 3 < 2;
        let (state, reason, end) = if is_pause {
            (b'P', *b"LUDP", *b"LUDP")
        } else {
            (b'H', *b"T1  ", *b"T3  ")
        };
        put(start, stock, Act::TradingAction(state, reason));
        if is_pause {
            put(start + 2 * SECOND, stock, Act::Collar(0));
            put(quoted - SECOND, stock, Act::Collar(1));
        }
        put(quoted, stock, Act::TradingAction(b'Q', end));
        for nth in 1..=6 {
            put(quoted + 9 * nth * SECOND, stock, Act::Imbalance(b'H'));
        }
        let release = quoted + MINUTE;
        put(release, stock, Act::Cross(b'H'));
        put(release + 1_500, stock, Act::TradingAction(b'T', end));
    }

    // A new issue: quoting at 10:30, and one that is put off.
    let issue = symbols - 1;
    put(at(8, 0, 0), issue, Act::Offering(b'A', 37_800));
    put(at(9, 50, 0), issue, Act::Offering(b'A', 37_800));
    put(at(11, 0, 0), issue / 2, Act::Offering(b'C', 0));
    for (nth, eligible) in (0..).zip(*b"NNNYY") {
        let time = at(10, 20, 0) + nth * SECOND;
        put(time, issue, Act::DirectListing(eligible));
    }

    for (_, &market) in (0..count(1_000_000, 2)).zip(b"BX".iter().cycle()) {
        let (stock, start) = (any(rng), during_hours(rng));
        put(start, stock, Act::OperationalHalt(market, b'H'));
        put(
            start + 3 * MINUTE,
            stock,
            Act::OperationalHalt(market, b'T'),
        );
    }
    for _ in 0..count(50_000, 4) {
        let interest = Act::Interest(rng.pick(b"BSAN"));
        put(during_hours(rng), any(rng), interest);
    }
    for _ in 0..count(1_000_000, 3) {
        put(during_hours(rng), 0, Act::Broken);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_join_and_fill_the_day() {
        assert!(SLICES.is_sorted_by(|a, b| a.end == b.start));
        assert_eq!(SLICES.iter().map(|slice| slice.weight).sum::<u64>(), 1_000);
    }

    #[test]
    fn acts_are_few_even_on_a_short_day() {
        for (messages, symbols) in [(32, 1), (2_000, 20), (100_000, 1_000)] {
            let acts = acts(messages, symbols, &mut Rng::new(1));
            assert!(acts.is_sorted_by_key(|due| due.time));
            assert!(
                (acts.len() as u64) < messages,
                "{} of {messages}",
                acts.len()
            );
        }
    }
}

//! The replay against a naive one, on feeds that break every rule, and cut anywhere.
#![cfg(all(feature = "replay", feature = "synth"))]

mod feeds;
mod orders;
mod rows;
mod session;
mod twin;

use std::cell::RefCell;
use std::collections::BTreeSet;

use nanobook::book::BookOrder;
use nanobook::rows::{Mbo, PriceLevel};
use nanobook::{InstrumentId, Side, Sink};
use nanobook_itch::replay::{Config, Replay, Report, Run, Wanted};
use nanobook_itch::synth::{self, chaos};
use nanobook_itch::{Frames, Framing};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use self::feeds::{Feed, LOCATES, Names, Times};
use self::rows::Rows;
use self::twin::Twin;

/// Feeds of each kind. The seed is fixed, so that a failure is there again the next time; the fuzz
/// target `replay` looks for others with the same twin.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(50),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// What is left of a replay: its rows, its report, and its books by locate.
type Left = (Rows, Report, Vec<Option<Book>>);

/// Levels and orders of both sides, best first and in order of the queue.
type Book = [(Vec<PriceLevel>, Vec<BookOrder>); 2];

/// Whether a replay is told what comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ahead {
    Yes,
    No,
}

/// Replays a feed in blocks that end behind some of its frames.
fn replay(
    config: &Config,
    feed: &Feed,
    is_cut_after: impl Fn(usize) -> bool,
    ahead: Ahead,
) -> Left {
    let (bytes, ends) = feed.bytes();
    let is_end = |(frame, end): &(usize, usize)| *end == bytes.len() || is_cut_after(*frame);
    let cuts: Vec<usize> = ends
        .iter()
        .copied()
        .enumerate()
        .filter(is_end)
        .map(|(_, end)| end)
        .collect();
    let starts = std::iter::once(0).chain(cuts.iter().copied());
    let blocks = starts.zip(&cuts).map(|(start, end)| &bytes[start..*end]);
    let mut runs = blocks.map(|block| Run::new(block, feed.framing));
    let threads = if ahead == Ahead::Yes { 2 } else { 1 };
    let mut replay = Replay::new(config.clone()).threads(threads);
    let mut rows = Rows::default();
    let mut next = runs.next();
    while let Some(mut run) = next {
        next = runs.next();
        let behind = next.as_mut().filter(|_| ahead == Ahead::Yes);
        replay
            .run(&mut run, || behind, &mut rows)
            .expect("blocks hold whole frames");
    }
    assert_eq!(replay.messages(), ends.len() as u64);
    let book = |locate: &u16| {
        let book = replay.book(*locate)?;
        Some([Side::Buy, Side::Sell].map(|side| {
            assert_eq!(book.level_count(side), book.levels(side).count());
            (book.levels(side).collect(), book.orders(side).collect())
        }))
    };
    let books = LOCATES.iter().map(book).collect();
    let report = replay.finish(&mut rows);
    (rows, report, books)
}

fn replay_naively(config: &Config, feed: &Feed) -> Left {
    let mut twin = Twin::new(config.clone());
    for message in feed.messages() {
        twin.message(&message);
    }
    twin.finish();
    let book = |locate: &u16| {
        let book = twin.book(*locate)?;
        Some([Side::Buy, Side::Sell].map(|side| (book.levels(side), book.orders(side))))
    };
    let books = LOCATES.iter().map(book).collect();
    let report = twin.report();
    (twin.rows, report, books)
}

/// The same rows, the same report, the same books.
fn same(ours: &Left, naive: &Left) -> Result<(), TestCaseError> {
    if let Some(difference) = ours.0.difference(&naive.0) {
        return Err(TestCaseError::fail(difference));
    }
    prop_assert_eq!(&ours.1, &naive.1, "report");
    prop_assert_eq!(&ours.2, &naive.2, "books");
    Ok(())
}

/// In one block, in blocks of one frame, and cut at random.
fn same_however_cut(config: &Config, feed: &Feed, cuts: u64) -> Result<(), TestCaseError> {
    let naive = replay_naively(config, feed);
    let random = |frame| cuts >> (frame % 64) & 1 == 1;
    same(&replay(config, feed, |_| false, Ahead::No), &naive)?;
    for ahead in [Ahead::Yes, Ahead::No] {
        same(&replay(config, feed, |_| true, ahead), &naive)?;
        same(&replay(config, feed, random, ahead), &naive)?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(6_000))]

    #[test]
    fn feeds_that_break_every_rule_agree_with_the_naive_replay(
        feed in feeds::feed(Names::Wild, Times::Back, 60),
        config in feeds::config(),
        cuts in any::<u64>(),
    ) {
        same_however_cut(&config, &feed, cuts)?;
    }
}

proptest! {
    #![proptest_config(cases(3_000))]

    #[test]
    fn feeds_that_keep_time_agree_with_the_naive_replay(
        feed in feeds::feed(Names::Steady, Times::Forward, 60),
        config in feeds::config(),
        cuts in any::<u64>(),
    ) {
        same_however_cut(&config, &feed, cuts)?;
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn long_feeds_agree_with_the_naive_replay(
        feed in feeds::feed(Names::Wild, Times::Back, 1_500),
        config in feeds::config(),
        cuts in any::<u64>(),
    ) {
        same_however_cut(&config, &feed, cuts)?;
    }
}

proptest! {
    #![proptest_config(cases(3_000))]

    /// Rows of chosen symbols are those that a replay of everything has of them.
    #[test]
    fn a_filter_on_symbols_leaves_the_other_rows_as_they_are(
        feed in feeds::feed(Names::Late, Times::Back, 60),
        config in feeds::config(),
        symbols in feeds::symbols(),
        cuts in any::<u64>(),
    ) {
        let symbols = Some(BTreeSet::from_iter(symbols));
        let config = Config { symbols, ..config };
        let (naive, report, _) = replay_naively(&config, &feed);
        for cuts in [0, u64::MAX, cuts] {
            let is_cut_after = |frame| cuts >> (frame % 64) & 1 == 1;
            let (rows, ours, _) = replay(&config, &feed, is_cut_after, Ahead::Yes);
            if let Some(difference) = rows.difference(&naive) {
                return Err(TestCaseError::fail(difference));
            }
            prop_assert_eq!(ours.messages, report.messages.clone());
            prop_assert_eq!(ours.wrong_length, report.wrong_length.clone());
            prop_assert_eq!(ours.unknown_type, report.unknown_type.clone());
            prop_assert_eq!(ours.first_ns, report.first_ns);
            prop_assert_eq!(ours.last_ns, report.last_ns);
            prop_assert_eq!(ours.instruments, report.instruments);
        }
    }
}

#[test]
fn a_block_that_ends_in_a_frame_is_replayed_up_to_it() {
    for framing in [Framing::Length, Framing::Zero, Framing::None] {
        let config = chaos::Config {
            framing,
            ..Default::default()
        };
        let bytes = chaos::feed(config);
        for cut in 0..bytes.len().min(2_000) {
            let data = &bytes[..cut];
            let mut frames = Frames::new(data, framing);
            let whole = frames.by_ref().count() as u64;
            let mut replay = Replay::new(everything());
            let result = replay.block(data, framing, &mut ());
            assert_eq!(replay.messages(), whole);
            let (ours, theirs) = (result.err(), frames.finish().err());
            assert_eq!(ours.map(|e| e.to_string()), theirs.map(|e| e.to_string()));
        }
    }
}

/// A day as it should be, and its framing.
fn synthetic_day(messages: u64, symbols: u16) -> (Vec<u8>, Framing) {
    let day = synth::Config {
        messages,
        symbols,
        ..Default::default()
    };
    let mut bytes = Vec::new();
    synth::Day::new(day)
        .write_to(&mut bytes)
        .expect("a vector takes everything");
    (bytes, day.framing)
}

/// A day as it should be, of many stocks, in blocks of many messages.
#[test]
fn a_synthetic_day_agrees_with_the_naive_replay() {
    let (bytes, framing) = synthetic_day(200_000, 300);
    let sampled = Wanted {
        every_ns: Some(1_000_000_000),
        ..everything().wanted
    };
    for config in [
        everything(),
        Config {
            wanted: sampled,
            ..everything()
        },
    ] {
        let mut twin = Twin::new(config.clone());
        for (_, message) in Frames::new(&bytes, framing) {
            twin.message(message);
        }
        twin.finish();
        for threads in [1, 3] {
            let mut replay = Replay::new(config.clone()).threads(threads);
            let mut rows = Rows::default();
            let mut rest = bytes.as_slice();
            let mut run = Run::new(&rest[..0], framing);
            for messages in [1, 50_000, 7, 60_000, 20_000, 500, usize::MAX] {
                let mut frames = Frames::new(rest, framing);
                frames.by_ref().take(messages).for_each(drop);
                let (block, behind) = rest.split_at(frames.offset());
                let mut next = Run::new(block, framing);
                // With one thread nobody looks ahead.
                replay
                    .run(&mut run, || Some(&mut next), &mut rows)
                    .expect("the block holds whole frames");
                (rest, run) = (behind, next);
            }
            replay
                .run(&mut run, || None, &mut rows)
                .expect("the block holds whole frames");
            let report = replay.finish(&mut rows);
            if let Some(difference) = rows.difference(&twin.rows) {
                panic!("{threads} threads: {difference}");
            }
            assert_eq!(report, twin.report());
            assert!(!report.has_faults(), "{report:?}");
            assert_eq!(report.messages.total(), 200_000);
            assert!(rows.mbo.len() > 150_000 && rows.bbo.len() > 10_000 && rows.bars.len() > 1_000);
        }
    }
}

/// What was found in a run that then comes later, or in another replay, is not used.
#[test]
fn a_run_that_does_not_come_next_is_looked_through_again() {
    let feed = |seed| {
        let config = chaos::Config {
            seed,
            ..Default::default()
        };
        chaos::feed(config)
    };
    let feeds = [1, 2, 3].map(feed);
    let run = |feed| Run::new(&feeds[feed], chaos::Config::default().framing);
    let mut plain = Rows::default();
    let mut replay = Replay::new(everything());
    for feed in [0, 2, 1] {
        let result = replay.run(&mut run(feed), || None, &mut plain);
        result.expect("whole frames");
    }
    let report = replay.finish(&mut plain);

    let mut rows = Rows::default();
    let mut replay = Replay::new(everything()).threads(2);
    let (mut first, mut later, mut other) = (run(0), run(1), run(2));
    let mut elsewhere = Replay::new(everything()).threads(2);
    let result = elsewhere.run(&mut run(1), || Some(&mut other), &mut ());
    result.expect("whole frames");
    for (run, next) in [(&mut first, Some(&mut later)), (&mut other, None)] {
        let result = replay.run(run, || next, &mut rows);
        result.expect("whole frames");
    }
    let result = replay.run(&mut later, || None, &mut rows);
    result.expect("whole frames");
    assert_eq!(replay.finish(&mut rows), report);
    assert_eq!(rows.difference(&plain), None);
}

/// Checks that the instruments of rows are expected before they come.
#[derive(Default)]
struct Expecting {
    expected: RefCell<BTreeSet<InstrumentId>>,
    rows: usize,
}

impl Sink for Expecting {
    fn mbo(&mut self, row: &Mbo) {
        let expected = self.expected.get_mut();
        assert!(expected.contains(&row.header.instrument_id), "{row:?}");
        self.rows += 1;
    }

    fn expect(&self, instrument: InstrumentId) {
        self.expected.borrow_mut().insert(instrument);
    }
}

#[test]
fn a_sink_is_told_which_instruments_to_expect() {
    let (bytes, framing) = synthetic_day(20_000, 30);
    let mut sink = Expecting::default();
    Replay::new(everything())
        .block(&bytes, framing, &mut &mut sink)
        .expect("the block holds whole frames");
    assert!(sink.rows > 15_000);
    let expected = sink.expected.get_mut();
    // Messages about the whole market name the instrument 0.
    expected.remove(&InstrumentId(0));
    assert_eq!(expected.len(), 30);
}

/// All rows of the book, five levels.
fn everything() -> Config {
    let wanted = Wanted {
        mbo: true,
        bbo: true,
        trades: true,
        depth: 5,
        every_ns: None,
        bars_ns: Some(60_000_000_000),
    };
    Config {
        wanted,
        ..Config::new(nanobook::Timestamp(1_580_360_400_000_000_000))
    }
}

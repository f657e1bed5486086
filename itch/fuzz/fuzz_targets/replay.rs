//! Any bytes through framing and replay, in one block or cut anywhere, against the naive replay of the tests.
//!
//! The first byte says what is wanted, the second how bytes are framed and made likelier to meet each other, the third
//! where blocks end. The rest is the feed.
#![no_main]

#[path = "../../tests/replay/orders.rs"]
mod orders;
#[path = "../../tests/replay/rows.rs"]
mod rows;
#[path = "../../tests/replay/session.rs"]
mod session;
// The tests look at its books too.
#[allow(dead_code)]
#[path = "../../tests/replay/twin.rs"]
mod twin;

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use nanobook::{Symbol, Timestamp};
use nanobook_itch::replay::{Config, Replay, Run, Wanted};
use nanobook_itch::{FrameReader, Frames, Framing, LENGTH};

use self::rows::Rows;
use self::twin::Twin;

/// Leaves few stocks, orders, prices and times, so that messages are about each other.
fn fold(bytes: &mut [u8], framing: Framing) {
    let frames: Vec<(usize, usize)> = Frames::new(bytes, framing)
        .map(|(start, message)| (start, message.len()))
        .collect();
    for (start, length) in frames {
        let message = &mut bytes[start..start + length];
        let tag = message[0];
        if usize::from(LENGTH[usize::from(tag)]) != length {
            continue;
        }
        message[1] = 0;
        message[2] &= 3;
        // Up to 18 seconds, in steps of 16 ms.
        message[5] = 0;
        message[6] &= 3;
        if matches!(tag, b'A' | b'F' | b'E' | b'C' | b'X' | b'D' | b'U') {
            message[11..18].fill(0);
            message[18] &= 7;
        }
        if tag == b'U' {
            message[19..26].fill(0);
            message[26] &= 7;
            message[27..30].fill(0);
            message[31..34].fill(0);
            message[34] &= 15;
        }
        if matches!(tag, b'A' | b'F') {
            message[19] = if message[19] < 4 {
                message[19]
            } else {
                b"BS"[usize::from(message[19] % 2)]
            };
            message[20..23].fill(0);
            message[32..35].fill(0);
            message[35] &= 15;
        }
        if matches!(tag, b'E' | b'C' | b'X') {
            message[19..22].fill(0);
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let &[tables, how, cuts, ref feed @ ..] = data else {
        return;
    };
    let bit = |byte: u8, place: u8| byte >> place & 1 == 1;
    let framing = match how & 3 {
        0 | 3 => Framing::Length,
        1 => Framing::Zero,
        _ => Framing::None,
    };
    let framing = match Framing::detect(feed) {
        Ok(found) if how & 3 == 3 => found,
        _ => framing,
    };
    let mut feed = feed.to_vec();
    if bit(how, 2) {
        fold(&mut feed, framing);
    }
    let config = Config {
        wanted: Wanted {
            mbo: bit(tables, 0),
            bbo: bit(tables, 1),
            trades: bit(tables, 2),
            depth: usize::from(tables >> 3 & 3),
            every_ns: bit(tables, 5).then_some(1_000_000_000),
            bars_ns: bit(tables, 6).then_some(1_000_000_000),
        },
        symbols: bit(how, 3).then(|| BTreeSet::from([Symbol::new(b"A").expect("a letter")])),
        from_ns: if bit(how, 4) { 4_000_000_000 } else { 0 },
        to_ns: if bit(how, 5) {
            12_000_000_000
        } else {
            u64::MAX
        },
        ..Config::new(Timestamp(if bit(how, 6) {
            i64::MAX
        } else {
            1_580_360_400_000_000_000
        }))
    };

    let mut rows = Rows::default();
    // With two threads, what comes next is looked through before its turn.
    let threads = if bit(tables, 7) { 2 } else { 1 };
    let mut replay = Replay::new(config.clone()).threads(threads);
    let mut frames = Frames::new(&feed, framing);
    let mut naive = Twin::new(config.clone());
    let mut block_start = 0;
    let mut run = Run::new(&feed[..0], framing);
    let mut messages = 0;
    while let Some((_, message)) = frames.next() {
        naive.message(message);
        messages += 1;
        if bit(cuts, (messages % 8) as u8) {
            let mut next = Run::new(&feed[block_start..frames.offset()], framing);
            replay
                .run(&mut run, || Some(&mut next), &mut rows)
                .expect("the block holds whole frames");
            (run, block_start) = (next, frames.offset());
        }
    }
    let mut last = Run::new(&feed[block_start..], framing);
    replay
        .run(&mut run, || Some(&mut last), &mut rows)
        .expect("the block holds whole frames");
    let end = replay.run(&mut last, || None, &mut rows);
    assert_eq!(end.is_ok(), frames.finish().is_ok());
    assert_eq!(replay.messages(), messages);
    let ours = replay.finish(&mut rows);
    naive.finish();
    let report = naive.report();
    assert_eq!(ours.messages, report.messages);
    assert_eq!(
        (ours.first_ns, ours.last_ns),
        (report.first_ns, report.last_ns)
    );
    // A book begins where the directory renames a stock to one that was chosen: then the naive rows are others.
    if config.symbols.is_none() {
        assert_eq!(ours, report);
        if let Some(difference) = rows.difference(&naive.rows) {
            panic!("{difference}");
        }
    }

    // The same through a reader, as files come.
    if bit(how, 7) {
        let mut reader = FrameReader::with_capacity(&feed[..], framing, 0);
        let mut replay = Replay::new(config);
        let mut again = Rows::default();
        let read = loop {
            match reader.next_block() {
                Ok(Some(block)) => replay
                    .block(block.bytes, framing, &mut again)
                    .expect("blocks hold whole frames"),
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        assert_eq!(read.is_ok(), end.is_ok());
        assert_eq!(replay.finish(&mut again), ours);
        assert!(again == rows || rows.difference(&again).is_none());
    }
});

//! Real and made-up files of the reference data, counted by message type.
//!
//! The folder lies beside the project; without it each test says that it was skipped.

#![expect(clippy::print_stdout, reason = "a skipped test says so")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use flate2::read::MultiGzDecoder;
use nanobook_itch::{Directory, Error, FrameReader, Framing, Message};

/// What reading a file to its end gave.
struct Seen {
    framing: Framing,
    counts: BTreeMap<char, u64>,
    wrong_lengths: u64,
    directory: Directory,
    went_back: u64,
    error: Option<Error>,
}

fn read(name: &str) -> Option<Seen> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data/itch")
        .join(name);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) => {
            println!("skipped: {name} of the reference data is not there ({error})");
            return None;
        }
    };
    let source: Box<dyn Read> = match path.extension() {
        Some(gz) if gz == "gz" => Box::new(MultiGzDecoder::new(file)),
        _ => Box::new(file),
    };
    let mut reader = FrameReader::detect(source).expect("the file looks like a feed");
    let mut seen = Seen {
        framing: reader.framing(),
        counts: BTreeMap::new(),
        wrong_lengths: 0,
        directory: Directory::new(),
        went_back: 0,
        error: None,
    };
    let mut last = 0;
    loop {
        match reader.next_message() {
            Ok(Some((_, bytes))) => {
                *seen.counts.entry(char::from(bytes[0])).or_default() += 1;
                match Message::parse(bytes) {
                    Ok(message) => {
                        seen.directory.learn(message);
                        let ns = message.header().timestamp.ns();
                        seen.went_back += u64::from(ns < last);
                        last = ns;
                    }
                    Err(_) => seen.wrong_lengths += 1,
                }
            }
            Ok(None) => return Some(seen),
            Err(error) => {
                seen.error = Some(error);
                return Some(seen);
            }
        }
    }
}

fn counts<const N: usize>(counts: [(char, u64); N]) -> BTreeMap<char, u64> {
    counts.into()
}

#[test]
fn real_premarket() {
    let Some(seen) = read("12302019.NASDAQ_ITCH50.premarket_cut.gz") else {
        return;
    };
    assert_eq!(seen.framing, Framing::Length);
    let expected = counts([
        ('S', 2),
        ('R', 8_906),
        ('H', 8_897),
        ('Y', 8_893),
        ('L', 215_036),
        ('A', 5_609),
        ('D', 2_658),
        ('U', 331),
        ('X', 1_453),
        ('F', 36),
        ('E', 13),
        ('P', 3),
    ]);
    assert_eq!(seen.counts, expected);
    assert_eq!(seen.wrong_lengths, 0);
    assert_eq!(seen.went_back, 0);
    assert_eq!(seen.directory.len(), 8_906);
    // Cut in the middle of a message and of the gzip stream.
    let error = seen.error.expect("the file is cut");
    assert!(error.is_truncation(), "{error}");
}

#[test]
fn real_directory() {
    let Some(seen) = read("12302019.NASDAQ_ITCH50.directory_cut") else {
        return;
    };
    assert_eq!(seen.framing, Framing::Length);
    let expected = counts([('S', 1), ('R', 993), ('H', 3), ('Y', 3)]);
    assert_eq!(seen.counts, expected);
    assert_eq!(seen.wrong_lengths, 0);
    assert_eq!(seen.directory.len(), 993);
    assert!(
        seen.directory.iter().all(|(_, listing)| {
            listing.round_lot.is_some() && listing.stock.as_str().is_some()
        })
    );
    assert!(seen.error.is_none());
}

#[test]
fn zero_prefix() {
    let Some(seen) = read("20101224.TEST_ITCH_50.zero_prefix.gz") else {
        return;
    };
    assert_eq!(seen.framing, Framing::Zero);
    let expected = counts([
        ('P', 5_000),
        ('A', 4_997),
        ('D', 1_745),
        ('E', 198),
        ('X', 45),
        ('U', 12),
        ('S', 6),
        ('R', 3),
        ('H', 3),
        ('F', 3),
    ]);
    assert_eq!(seen.counts, expected);
    assert!(seen.error.is_none());
}

#[test]
fn no_prefix() {
    let Some(seen) = read("no_prefix.itch") else {
        return;
    };
    assert_eq!(seen.framing, Framing::None);
    let expected = counts([('A', 200), ('E', 20), ('S', 2), ('R', 2)]);
    assert_eq!(seen.counts, expected);
    assert!(seen.error.is_none());
}

#[test]
fn synthetic_three_symbols() {
    let Some(seen) = read("synthetic_3symbols.NASDAQ_ITCH50") else {
        return;
    };
    assert_eq!(seen.framing, Framing::Length);
    let expected = counts([
        ('S', 6),
        ('R', 3),
        ('A', 4_328),
        ('E', 1_182),
        ('X', 823),
        ('D', 1_667),
    ]);
    assert_eq!(seen.counts, expected);
    assert_eq!(seen.wrong_lengths, 0);
    assert!(seen.error.is_none());
}

#[test]
fn wrong_lengths_still_chain() {
    let Some(seen) = read("malformed_lengths.itch") else {
        return;
    };
    assert_eq!(seen.framing, Framing::Length);
    let expected = counts([
        ('S', 4),
        ('A', 7_615),
        ('E', 2_623),
        ('X', 2_314),
        ('D', 2_371),
        ('C', 816),
        ('U', 2_046),
        ('F', 1_378),
        ('P', 837),
    ]);
    assert_eq!(seen.wrong_lengths, expected.values().sum::<u64>());
    assert_eq!(seen.counts, expected);
    assert!(seen.error.is_none());
}

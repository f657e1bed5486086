use std::io::{self, Read};

use super::*;
use crate::{AddOrder, OrderDelete, StockDirectory, SystemEvent};

const FRAMINGS: [Framing; 3] = [Framing::Length, Framing::Zero, Framing::None];

/// Four messages of four lengths.
fn feed(framing: Framing) -> Vec<u8> {
    let mut bytes = Vec::new();
    framing.encode(&SystemEvent::default(), &mut bytes);
    framing.encode(&StockDirectory::default(), &mut bytes);
    framing.encode(&AddOrder::default(), &mut bytes);
    framing.encode(&OrderDelete::default(), &mut bytes);
    bytes
}

/// A source that gives at most `chunk` bytes at a time and then fails or ends.
struct Chunks<'a> {
    bytes: &'a [u8],
    chunk: usize,
    fails: bool,
}

impl Read for Chunks<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.bytes.is_empty() && self.fails {
            return Err(io::Error::other("cable cut"));
        }
        let n = self.chunk.min(buf.len()).min(self.bytes.len());
        buf[..n].copy_from_slice(&self.bytes[..n]);
        self.bytes = &self.bytes[n..];
        Ok(n)
    }
}

fn all<R: Read>(mut reader: FrameReader<R>) -> (Vec<(u64, u8)>, Option<Error>) {
    let mut messages = Vec::new();
    loop {
        match reader.next_message() {
            Ok(Some((offset, message))) => messages.push((offset, message[0])),
            Ok(None) => return (messages, None),
            Err(error) => {
                assert!(
                    matches!(reader.next_message(), Ok(None)),
                    "an error comes once"
                );
                return (messages, Some(error));
            }
        }
    }
}

#[test]
fn slice_and_reader_agree_at_any_chunk_size() {
    for framing in FRAMINGS {
        let bytes = feed(framing);
        let expected: Vec<(u64, u8)> = Frames::new(&bytes, framing)
            .map(|(offset, message)| (offset as u64, message[0]))
            .collect();
        assert_eq!(expected.len(), 4);
        for chunk in 1..=bytes.len() {
            let source = Chunks {
                bytes: &bytes,
                chunk,
                fails: false,
            };
            let (messages, error) = all(FrameReader::detect(source).unwrap());
            assert_eq!(messages, expected);
            assert!(error.is_none());
        }
    }
}

#[test]
fn cut_at_every_offset_delivers_what_is_whole() {
    for framing in FRAMINGS {
        let bytes = feed(framing);
        let mut ends = vec![0];
        let mut frames = Frames::new(&bytes, framing);
        while frames.next().is_some() {
            ends.push(frames.offset());
        }
        for cut in 0..=bytes.len() {
            let whole = ends.iter().filter(|&&end| end > 0 && end <= cut).count();
            let start = ends[whole];
            let (messages, error) = all(FrameReader::with_capacity(&bytes[..cut], framing, 0));
            assert_eq!(messages.len(), whole, "{framing} cut at {cut}");
            match error {
                None => assert_eq!(cut, start),
                Some(Error::Truncated {
                    offset,
                    tag,
                    have,
                    need,
                }) => {
                    assert_eq!(offset, start as u64);
                    assert_eq!(have, cut - start);
                    assert!(have < need && start + need <= bytes.len());
                    assert_eq!(tag.is_some(), have > framing.prefix_len());
                }
                Some(other) => panic!("{other}"),
            }
        }
    }
}

#[test]
fn failing_source_comes_after_its_frames() {
    let bytes = feed(Framing::Length);
    for keep in 0..bytes.len() {
        let source = Chunks {
            bytes: &bytes[..keep],
            chunk: 7,
            fails: true,
        };
        let (messages, error) = all(FrameReader::with_capacity(source, Framing::Length, 0));
        let whole = Frames::new(&bytes[..keep], Framing::Length).count();
        assert_eq!(messages.len(), whole);
        match error {
            Some(Error::Io { offset, source }) => {
                assert_eq!(offset, keep as u64);
                assert_eq!(source.to_string(), "cable cut");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn zero_length_ends_the_session() {
    let mut bytes = feed(Framing::Length);
    let end = bytes.len();
    bytes.extend_from_slice(&[0, 0]);
    bytes.extend_from_slice(&feed(Framing::Length));
    let mut frames = Frames::new(&bytes, Framing::Length);
    assert_eq!(frames.by_ref().count(), 4);
    assert_eq!(frames.offset(), end);
    assert!(frames.is_session_end());
    assert!(frames.finish().is_ok());
    let (messages, error) = all(FrameReader::new(bytes.as_slice(), Framing::Length));
    assert_eq!(messages.len(), 4);
    assert!(error.is_none());
}

#[test]
fn unknown_type_is_skipped_only_by_its_length() {
    for framing in FRAMINGS {
        let mut bytes = feed(framing);
        let at = bytes.len() as u64;
        framing.encode_bytes(b"?unknown", &mut bytes);
        framing.encode(&OrderDelete::default(), &mut bytes);
        let (messages, error) = all(FrameReader::new(bytes.as_slice(), framing));
        if framing == Framing::Length {
            assert_eq!(messages.len(), 6);
            assert_eq!(messages[4].1, b'?');
            assert!(error.is_none());
        } else {
            assert_eq!(messages.len(), 4);
            assert!(matches!(
                error,
                Some(Error::Unskippable { offset, tag: b'?', .. }) if offset == at
            ));
        }
    }
}

#[test]
fn missing_zero_bytes_are_named() {
    let mut bytes = feed(Framing::Zero);
    let at = bytes.len() as u64;
    bytes.extend_from_slice(&feed(Framing::Length));
    let (messages, error) = all(FrameReader::new(bytes.as_slice(), Framing::Zero));
    assert_eq!(messages.len(), 4);
    match error {
        Some(Error::NotZero { offset, found }) => assert_eq!((offset, found), (at, [0, 12])),
        other => panic!("{other:?}"),
    }
}

#[test]
fn blocks_join_to_the_whole() {
    let one = feed(Framing::Length);
    let bytes = one.repeat(5_000);
    let mut reader = FrameReader::with_capacity(bytes.as_slice(), Framing::Length, 0);
    let mut joined = Vec::new();
    let mut blocks = 0;
    let mut block = Vec::new();
    while let Some(offset) = reader.read_block(&mut block).unwrap() {
        assert_eq!(offset, joined.len() as u64);
        joined.extend_from_slice(&block);
        blocks += 1;
    }
    assert!(blocks > 3);
    assert!(joined == bytes);
}

#[test]
fn a_block_goes_on_where_messages_stopped() {
    let bytes = feed(Framing::None);
    let mut reader = FrameReader::new(bytes.as_slice(), Framing::None);
    assert_eq!(reader.next_message().unwrap().unwrap().1[0], b'S');
    let block = reader.next_block().unwrap().unwrap();
    assert_eq!(block.offset, 12);
    assert_eq!(block.frames().count(), 3);
    assert!(reader.next_message().unwrap().is_none());
}

#[test]
fn longest_frame_fits() {
    let mut bytes = Vec::new();
    Framing::Length.encode_bytes(&vec![b'z'; 65_535], &mut bytes);
    let bytes = bytes.repeat(4);
    let (messages, error) = all(FrameReader::with_capacity(
        bytes.as_slice(),
        Framing::Length,
        0,
    ));
    assert_eq!(messages.len(), 4);
    assert!(error.is_none());
}

#[test]
fn framing_is_found_from_one_message_whole_or_torn() {
    for framing in FRAMINGS {
        let bytes = feed(framing);
        for keep in 3..=bytes.len() {
            assert_eq!(Framing::detect(&bytes[..keep]).unwrap(), framing, "{keep}");
        }
    }
    assert_eq!(Framing::detect(&[]).unwrap(), Framing::Length);
    assert_eq!(Framing::detect(&[0, 0]).unwrap(), Framing::Length);
}

#[test]
fn framing_is_found_behind_wrong_lengths_and_unknown_types() {
    let mut bytes = Vec::new();
    for _ in 0..10 {
        let mut message = feed(Framing::None)[..12].to_vec();
        message.extend_from_slice(b"xx");
        Framing::Length.encode_bytes(&message, &mut bytes);
    }
    assert_eq!(Framing::detect(&bytes).unwrap(), Framing::Length);
    let mut bytes = Vec::new();
    Framing::Length.encode_bytes(b"?what", &mut bytes);
    bytes.extend_from_slice(&feed(Framing::Length));
    assert_eq!(Framing::detect(&bytes).unwrap(), Framing::Length);
}

#[test]
fn other_files_have_no_framing() {
    for other in [
        &b"\x1f\x8b\x08\x00\x00\x00\x00\x00"[..],
        b"PAR1\x15\x04\x15\x10",
        b"timestamp,price,size\n",
        &[0; 100],
        &[0xff; 100],
    ] {
        // A first byte that happens to be a type leaves one torn message: an error all the same.
        match Framing::detect(other) {
            Err(Error::UnknownFraming { looked }) => assert_eq!(looked, other.len()),
            Err(other) => panic!("{other}"),
            Ok(framing) => {
                let (messages, error) = all(FrameReader::new(other, framing));
                assert!(messages.is_empty() && error.is_some(), "{framing}");
            }
        }
    }
}

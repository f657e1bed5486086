//! Any bytes through every framing, from a slice and from a reader, and through the parser.
#![no_main]

use std::io::{self, Read};

use libfuzzer_sys::fuzz_target;
use nanobook_itch::{Directory, FrameReader, Frames, Framing, LENGTH, Message};

/// Gives few bytes at a time.
struct Drip<'a>(&'a [u8]);

impl Read for Drip<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = buf.len().min(self.0.len()).min(7);
        buf[..n].copy_from_slice(&self.0[..n]);
        self.0 = &self.0[n..];
        Ok(n)
    }
}

fuzz_target!(|data: &[u8]| {
    let _ = Framing::detect(data);
    for framing in [Framing::Length, Framing::Zero, Framing::None] {
        let mut directory = Directory::new();
        let mut encoded = Vec::new();
        let mut are_all_messages = true;
        let mut frames = Frames::new(data, framing);
        let mut reader = FrameReader::with_capacity(Drip(data), framing, 0);
        for (offset, bytes) in &mut frames {
            let read = reader.next_message().expect("a whole frame comes before an error");
            assert_eq!(read, Some((offset as u64, bytes)));
            match Message::parse(bytes) {
                Ok(message) => {
                    // Large numbers only cost memory.
                    if message.header().stock_locate.get() < 64 {
                        directory.learn(message);
                    }
                    assert_eq!(message.as_bytes(), bytes);
                    assert_eq!(message.header().ns(), message.header().timestamp.ns());
                    framing.encode_message(message, &mut encoded);
                }
                Err(_) => {
                    are_all_messages = false;
                    assert_ne!(bytes.len(), usize::from(LENGTH[usize::from(bytes[0])]));
                }
            }
        }
        if are_all_messages {
            assert_eq!(encoded, data[..frames.offset()]);
        }
        match (frames.finish(), reader.next_message()) {
            (Ok(()), Ok(None)) => {}
            (Err(slice), Err(read)) => assert_eq!(slice.to_string(), read.to_string()),
            (slice, read) => panic!("slice says {slice:?}, reader says {read:?}"),
        }
    }
});

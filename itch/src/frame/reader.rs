//! Frames from anything that can be read.

use std::io::{ErrorKind, Read};

use super::{Frames, Framing};
use crate::{Error, Result};

/// Size of a buffer at first.
const FIRST: usize = 1 << 13;

/// Reads whole frames from a source, wherever its chunks end.
///
/// Data comes in blocks of whole frames ([`FrameReader::next_block`], or
/// [`FrameReader::read_block`] into a buffer of the caller's, to be sent elsewhere), or message by
/// message ([`FrameReader::next_message`]). Buffers are reused: after the first block nothing is
/// allocated.
///
/// An error comes only after all whole frames before it were delivered, and once; then the reader
/// is at its end. So a caller that tolerates a torn tail ignores [`Error::Truncated`] and has
/// everything there was.
///
/// # Examples
/// ```
/// use nanobook_itch::{FrameReader, Framing, OrderDelete};
///
/// let mut bytes = Vec::new();
/// for _ in 0..3 {
///     Framing::Zero.encode(&OrderDelete::default(), &mut bytes);
/// }
/// let mut reader = FrameReader::detect(bytes.as_slice())?;
/// assert_eq!(reader.framing(), Framing::Zero);
/// let mut messages = 0;
/// while let Some(block) = reader.next_block()? {
///     messages += block.frames().count();
/// }
/// assert_eq!(messages, 3);
/// # Ok::<(), nanobook_itch::Error>(())
/// ```
#[derive(Debug)]
pub struct FrameReader<R> {
    source: R,
    framing: Framing,
    /// Size to which a block is filled.
    capacity: usize,
    /// Bytes after the last block: the start of a frame that was not whole.
    carry: Vec<u8>,
    /// Absolute offset of `carry`.
    offset: u64,
    state: State,
    /// The block behind `next_block` and `next_message`, its offset, and what was used of it.
    block: Vec<u8>,
    block_offset: u64,
    used: usize,
}

#[derive(Debug)]
enum State {
    Reading,
    /// The source has no more, but `carry` may hold something.
    SourceEnded,
    /// To be reported once, when what came before has been delivered.
    Failed(Error),
    Ended,
}

/// A run of whole frames.
#[derive(Debug, Clone, Copy)]
pub struct Block<'a> {
    /// Where the block starts in the source, in bytes.
    pub offset: u64,
    /// The frames.
    pub bytes: &'a [u8],
    /// How they are framed.
    pub framing: Framing,
}

impl<'a> Block<'a> {
    /// The messages with their offsets in [`Block::bytes`].
    #[inline]
    pub const fn frames(&self) -> Frames<'a> {
        Frames::new(self.bytes, self.framing)
    }
}

impl<R: Read> FrameReader<R> {
    /// Bytes of a block unless another size is asked for.
    pub const CAPACITY: usize = 1 << 20;
    /// The smallest block: a frame of the greatest length that two bytes can state fits in it.
    pub const MIN_CAPACITY: usize = 1 << 17;

    /// Reads `source` with a known framing.
    pub fn new(source: R, framing: Framing) -> Self {
        Self::with_capacity(source, framing, Self::CAPACITY)
    }

    /// Reads `source` with a known framing, in blocks of up to `capacity` bytes (at least
    /// [`FrameReader::MIN_CAPACITY`]).
    pub fn with_capacity(source: R, framing: Framing, capacity: usize) -> Self {
        Self {
            source,
            framing,
            capacity: capacity.max(Self::MIN_CAPACITY),
            carry: Vec::new(),
            offset: 0,
            state: State::Reading,
            block: Vec::new(),
            block_offset: 0,
            used: 0,
        }
    }

    /// Reads `source` with the framing that its first bytes show.
    ///
    /// # Errors
    /// [`Error::UnknownFraming`] if they show none, [`Error::Io`] if they cannot be read.
    pub fn detect(source: R) -> Result<Self> {
        let mut reader = Self::new(source, Framing::Length);
        let mut head = vec![0; Framing::HEAD];
        let filled = reader.fill(&mut head, 0);
        head.truncate(filled);
        match Framing::detect(&head) {
            Ok(framing) => reader.framing = framing,
            Err(error) => {
                // A source that fails at once says more than the bytes that did not come.
                return Err(match reader.state {
                    State::Failed(error) => error,
                    _ => error,
                });
            }
        }
        if head.is_empty()
            && let State::Failed(error) = reader.state
        {
            return Err(error);
        }
        reader.carry = head;
        Ok(reader)
    }

    /// The same reader with blocks of up to `capacity` bytes (at least
    /// [`FrameReader::MIN_CAPACITY`]) from the next one on.
    #[must_use]
    pub fn block_capacity(mut self, capacity: usize) -> Self {
        self.capacity = capacity.max(Self::MIN_CAPACITY);
        self
    }

    /// The framing.
    pub const fn framing(&self) -> Framing {
        self.framing
    }

    /// Bytes that were read and are in no block yet; at the end, what follows the last message: nothing, a torn
    /// message, or the zero length that ends a session and what stands behind it.
    pub fn unread(&self) -> &[u8] {
        &self.carry
    }

    /// The source, which may have been read further than the last message.
    pub fn into_inner(self) -> R {
        self.source
    }

    /// Fills `block` with the next whole frames and returns where they start in the source;
    /// `None` at the end.
    ///
    /// What was in `block` is dropped, its capacity is kept.
    ///
    /// # Errors
    /// [`Error::Truncated`] if the source ends inside a message, [`Error::Io`] if it fails,
    /// [`Error::Unskippable`] or [`Error::NotZero`] if there is no way on; each after all whole
    /// frames in front of it.
    pub fn read_block(&mut self, block: &mut Vec<u8>) -> Result<Option<u64>> {
        let carried = self.carry.len();
        // A buffer that has been full before is filled at once, a new one grows with the source:
        // the bytes that `resize` adds are zeroed first.
        let mut size = block.len().max(carried).clamp(FIRST, self.capacity);
        block.resize(size, 0);
        block[..carried].copy_from_slice(&self.carry);
        let mut filled = carried;
        while matches!(self.state, State::Reading) {
            filled = self.fill(block, filled);
            if filled < size || size == self.capacity {
                break;
            }
            size = (4 * size).min(self.capacity);
            block.resize(size, 0);
        }
        if matches!(self.state, State::Ended) {
            block.clear();
            return Ok(None);
        }

        let mut frames = Frames::new(&block[..filled], self.framing);
        frames.by_ref().for_each(drop);
        if !frames.may_go_on() && matches!(self.state, State::Reading) {
            // More bytes would not help, and might never come.
            self.state = State::SourceEnded;
        }
        let whole = frames.offset();
        let offset = self.offset;
        self.offset += whole as u64;
        self.carry.clear();
        self.carry.extend_from_slice(frames.rest());
        if whole == 0 {
            block.clear();
            return self.end().map(|()| None);
        }
        block.truncate(whole);
        Ok(Some(offset))
    }

    /// The next whole frames; `None` at the end.
    ///
    /// # Errors
    /// As [`FrameReader::read_block`].
    pub fn next_block(&mut self) -> Result<Option<Block<'_>>> {
        if self.used == self.block.len() {
            let mut block = std::mem::take(&mut self.block);
            let offset = self.read_block(&mut block);
            self.block = block;
            self.used = 0;
            match offset? {
                Some(offset) => self.block_offset = offset,
                None => return Ok(None),
            }
        }
        let used = std::mem::replace(&mut self.used, self.block.len());
        Ok(Some(Block {
            offset: self.block_offset + used as u64,
            bytes: &self.block[used..],
            framing: self.framing,
        }))
    }

    /// The next message with the absolute offset of its first byte; `None` at the end.
    ///
    /// # Errors
    /// As [`FrameReader::read_block`].
    #[inline]
    pub fn next_message(&mut self) -> Result<Option<(u64, &[u8])>> {
        if self.used == self.block.len() {
            if self.next_block()?.is_none() {
                return Ok(None);
            }
            self.used = 0;
        }
        let mut frames = Frames::new(&self.block[self.used..], self.framing);
        let Some((at, message)) = frames.next() else {
            return Ok(None);
        };
        let offset = self.block_offset + (self.used + at) as u64;
        self.used += frames.offset();
        Ok(Some((offset, message)))
    }

    /// Reads until `buf` is full or the source has no more; returns how far it is filled.
    fn fill(&mut self, buf: &mut [u8], mut filled: usize) -> usize {
        while filled < buf.len() {
            match self.source.read(&mut buf[filled..]) {
                Ok(0) => {
                    self.state = State::SourceEnded;
                    break;
                }
                Ok(n) => filled += n,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(source) => {
                    self.state = State::Failed(Error::Io {
                        offset: self.offset + filled as u64,
                        source,
                    });
                    break;
                }
            }
        }
        filled
    }

    /// No whole frame is left: says why.
    fn end(&mut self) -> Result<()> {
        let state = std::mem::replace(&mut self.state, State::Ended);
        let rest = Frames::new(&self.carry, self.framing);
        // What stands in the carried bytes comes before what the source said after them.
        match rest.finish() {
            Err(Error::Truncated { .. }) if matches!(state, State::Failed(_)) => {}
            Err(error) => return Err(error.at(self.offset)),
            Ok(()) => {}
        }
        match state {
            State::Failed(error) => Err(error),
            _ => Ok(()),
        }
    }
}

//! Where the messages of a synthetic day are written, and its clock.

use crate::{Body, Framing};

/// The output buffer, the time of day, and how many messages there are and may be.
#[derive(Debug, Clone)]
pub(super) struct Tape {
    pub(super) framing: Framing,
    pub(super) bytes: Vec<u8>,
    pub(super) now: u64,
    pub(super) written: u64,
    /// Messages of the whole day.
    pub(super) total: u64,
    /// Messages that are sure to come later.
    pub(super) reserved: u64,
}

impl Tape {
    pub(super) fn new(framing: Framing, total: u64) -> Self {
        Self {
            framing,
            bytes: Vec::new(),
            now: 0,
            written: 0,
            total,
            reserved: 0,
        }
    }

    #[inline]
    pub(super) fn put<M: Body>(&mut self, message: &M) {
        self.framing.encode(message, &mut self.bytes);
        self.written += 1;
    }

    /// Messages that may still be written besides those that are sure to come.
    #[inline]
    pub(super) fn room(&self) -> u64 {
        self.total.saturating_sub(self.written + self.reserved)
    }

    /// True if one more message than planned does no harm.
    #[inline]
    pub(super) fn has_room(&self) -> bool {
        self.room() > 8
    }
}

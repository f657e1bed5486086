//! Data on its way into a replay.

use super::gather::Gathered;
use crate::Framing;

/// A run of whole frames, and what another thread has found in it before its turn.
///
/// See [`Replay::run`](super::Replay::run).
#[derive(Debug)]
pub struct Run<B> {
    data: B,
    framing: Framing,
    pub(super) gathered: Option<Gathered>,
}

impl<B: AsRef<[u8]>> Run<B> {
    /// Data that nobody has looked at.
    pub fn new(data: B, framing: Framing) -> Self {
        Self {
            data,
            framing,
            gathered: None,
        }
    }

    /// The data.
    pub fn into_inner(self) -> B {
        self.data
    }

    pub(super) fn frames(&self) -> crate::Frames<'_> {
        crate::Frames::new(self.data.as_ref(), self.framing)
    }
}

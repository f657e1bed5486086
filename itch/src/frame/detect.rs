//! Finding out the framing from the first bytes.

use super::{Framing, Step};
use crate::{Error, LENGTH, Result};

/// Frames that are looked at.
const ENOUGH: usize = 64;
/// A message up to so many bytes longer or shorter than its type says is taken for a wrong length,
/// beyond that for chance.
const NEAR: usize = 16;

impl Framing {
    /// Bytes that are plenty for [`Framing::detect`].
    pub const HEAD: usize = 4096;

    /// Finds the framing from the first bytes of a file.
    ///
    /// Each framing is tried on as many frames as there are, and the one wins under which most of
    /// them are messages of about the right length. Frames with wrong lengths still chain, so
    /// they do not mislead it; a single message, whole or torn, is enough. Bytes too few to hold a
    /// type (an empty file, say) pass for [`Framing::Length`].
    ///
    /// # Errors
    /// [`Error::UnknownFraming`] if the bytes look like no framing of ITCH 5.0.
    ///
    /// # Examples
    /// ```
    /// use nanobook_itch::{Framing, SystemEvent};
    ///
    /// for framing in [Framing::Length, Framing::Zero, Framing::None] {
    ///     let mut head = Vec::new();
    ///     framing.encode(&SystemEvent::default(), &mut head);
    ///     assert_eq!(Framing::detect(&head)?, framing);
    /// }
    /// assert!(Framing::detect(b"not a feed").is_err());
    /// # Ok::<(), nanobook_itch::Error>(())
    /// ```
    pub fn detect(head: &[u8]) -> Result<Self> {
        if matches!(head, [] | [0] | [0, _]) {
            return Ok(Self::Length);
        }
        [Self::Length, Self::Zero, Self::None]
            .into_iter()
            .map(|framing| (framing, framing.chain(head)))
            .filter(|&(_, (messages, frames))| messages * 2 > frames)
            // The first of equals: a length is better evidence than its absence.
            .rev()
            .max_by_key(|&(_, (messages, _))| messages)
            .map(|(framing, _)| framing)
            .ok_or(Error::UnknownFraming { looked: head.len() })
    }

    /// How many of the first frames look like messages, and how many frames there are, one that is
    /// torn or impossible included.
    fn chain(self, mut bytes: &[u8]) -> (usize, usize) {
        let (mut messages, mut frames) = (0, 0);
        while frames < ENOUGH && !bytes.is_empty() {
            let tag = bytes.get(self.prefix_len()).copied().unwrap_or_default();
            let usual = usize::from(LENGTH[usize::from(tag)]);
            let (len, next) = match self.step(bytes) {
                Step::Whole { prefix, len } => (len, prefix + len),
                Step::Short { need } if bytes.len() > self.prefix_len() => {
                    (need - self.prefix_len(), bytes.len())
                }
                // Cut before the type: no evidence either way.
                Step::Short { .. } => break,
                // The session ends here, or else this framing does.
                Step::Zero if self == Self::Length && frames > 0 => break,
                Step::Zero | Step::NotZero { .. } => (0, bytes.len()),
            };
            frames += 1;
            messages += usize::from(usual > 0 && len > 0 && len.abs_diff(usual) <= NEAR);
            bytes = &bytes[next..];
        }
        (messages, frames)
    }
}

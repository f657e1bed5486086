//! The event log: every command that was not refused, from the first.

use super::pack;
use super::{Config, Engine, Event, Output};
use crate::{OrderRequest, Price, Reject};

/// The commands that an engine took since it was made, and what it was told before the first.
///
/// Events are packed: a limit order takes 24 bytes, a cancel 16.
///
/// # Examples
/// ```
/// use nanobook::matching::Engine;
/// use nanobook::{OrderRequest, Price, Qty, Side};
///
/// let mut engine = Engine::default();
/// let bid = OrderRequest::limit(Side::Buy, Price(5), Qty(1));
/// engine.submit(bid, &mut Vec::new())?;
/// let again = engine.log().replay(&mut Vec::new()).unwrap();
/// assert_eq!(again.digest(), engine.digest());
/// # Ok::<(), nanobook::Reject>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    config: Config,
    /// Events that were cleared away from the front.
    cleared: u64,
    len: u64,
    words: Vec<u64>,
}

/// Why a log can't be replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// Its beginning was cleared.
    #[error("the log begins after {cleared} events that were cleared; replay needs the first")]
    Cleared {
        /// How many events are missing.
        cleared: u64,
    },
    /// An event was refused, so the log is not one that an engine wrote.
    #[error("event {seq} was refused: {reject}")]
    Refused {
        /// Which event, from 0.
        seq: u64,
        /// Why.
        reject: Reject,
    },
}

impl Log {
    /// A log without events.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            cleared: 0,
            len: 0,
            words: Vec::new(),
        }
    }

    /// What the engine was told before the first event.
    pub fn config(&self) -> Config {
        self.config
    }

    /// The events, oldest first.
    pub fn events(&self) -> impl Iterator<Item = Event> {
        let mut rest = &self.words[..];
        std::iter::from_fn(move || pack::take(&mut rest))
    }

    /// Number of events.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are no events.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many events were cleared away before the first of [`Log::events`].
    pub fn cleared(&self) -> u64 {
        self.cleared
    }

    /// Adds an event.
    #[inline]
    pub fn push(&mut self, event: &Event) {
        pack::put(event, &mut self.words);
        self.len += 1;
    }

    /// Adds the submit of a limit order.
    #[inline]
    pub(super) fn push_limit(&mut self, request: &OrderRequest, price: Price) {
        pack::put_limit(request, price, &mut self.words);
        self.len += 1;
    }

    /// A new engine that has done all of it. Its outputs go to `out`, all of them.
    ///
    /// # Errors
    /// A [`ReplayError`] when the beginning was cleared, or an event is refused.
    pub fn replay(&self, out: &mut Vec<Output>) -> Result<Engine, ReplayError> {
        if self.cleared > 0 {
            return Err(ReplayError::Cleared {
                cleared: self.cleared,
            });
        }
        let mut engine = Engine::new(self.config);
        for (seq, event) in self.events().enumerate() {
            let seq = seq as u64;
            engine
                .apply(event, out)
                .map_err(|reject| ReplayError::Refused { seq, reject })?;
        }
        Ok(engine)
    }

    pub(super) fn reserve(&mut self, events: usize) {
        self.words.reserve(events.saturating_mul(pack::TYPICAL));
    }

    fn clear(&mut self) {
        self.cleared += self.len;
        self.len = 0;
        self.words.clear();
    }
}

impl Engine {
    /// What was done so far.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Drops the events of the log; what is recorded from now on can't be replayed from the start.
    pub fn clear_log(&mut self) {
        self.log.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Qty, Side};

    #[test]
    fn room_that_is_made_is_enough_for_as_many_orders() {
        let mut engine = Engine::default();
        engine.reserve(1_000);
        assert!(engine.log.is_empty());
        let room = engine.log.words.capacity();
        assert!((3_000..10_000).contains(&room), "{room}");
        for _ in 0..1_000 {
            let request = OrderRequest::limit(Side::Buy, Price(1), Qty(1));
            engine.submit(request, &mut Vec::new()).unwrap();
        }
        assert_eq!(
            (engine.log.words.capacity(), engine.log.len()),
            (room, 1_000)
        );
        assert!(!engine.log.is_empty());
    }
}

//! The event log: every command that was not refused, from the first.

use super::{Config, Engine, Event, Output};
use crate::Reject;

/// The commands that an engine took since it was made, and what it was told before the first.
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
    pub(super) config: Config,
    /// Events that were cleared away from the front.
    pub(super) cleared: u64,
    pub(super) events: Vec<Event>,
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
            events: Vec::new(),
        }
    }

    /// What the engine was told before the first event.
    pub fn config(&self) -> Config {
        self.config
    }

    /// The events, oldest first.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// How many events were cleared away before the first of [`Log::events`].
    pub fn cleared(&self) -> u64 {
        self.cleared
    }

    /// Adds an event.
    #[inline]
    pub fn push(&mut self, event: Event) {
        self.events.push(event);
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
        engine.reserve(self.events.len());
        for (seq, event) in self.events.iter().enumerate() {
            engine
                .apply(*event, out)
                .map_err(|reject| ReplayError::Refused {
                    seq: seq as u64,
                    reject,
                })?;
        }
        Ok(engine)
    }

    pub(super) fn reserve(&mut self, events: usize) {
        self.events.reserve(events);
    }

    fn clear(&mut self) {
        self.cleared += self.events.len() as u64;
        self.events.clear();
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

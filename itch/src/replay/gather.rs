//! The messages of a block, noted one after the other.
//!
//! Nothing but the block changes meanwhile, so that the next block may be gathered by another thread while the rows of
//! the one before are pushed: up to a message that gives an instrument its name, if there is one.

#![expect(
    clippy::cast_possible_truncation,
    reason = "a session has at most 2^16 instruments"
)]

use std::sync::Arc;

use nanobook::{Sink, Symbol};

use super::apply::{SHARED, helper};
use super::block::{Block, is_about_an_order};
use super::translate::{self, STOCK_AT};
use super::{Instrument, NO_HANDLE, Replay, Slot, unnamed};
use crate::{Frames, Header, LENGTH};

/// Where gathering stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pause {
    /// At the end of the data, or where no frame is.
    End,
    /// The block is full.
    Full,
    /// In front of a message that gives an instrument its name, or is the first of its stock locate.
    Name,
}

/// A block that was gathered before its turn, or the start of one.
#[derive(Debug)]
pub(super) struct Gathered {
    block: Block,
    /// Where the next frame starts in the data.
    offset: usize,
    pause: Pause,
    /// Messages before it.
    seq: u64,
    /// What it was gathered by.
    slots: Arc<Vec<Slot>>,
}

/// Notes messages.
struct Gatherer<'a> {
    /// By stock locate.
    slots: &'a [Slot],
    /// Whether books take prints, too.
    prints: bool,
    block: &'a mut Block,
}

impl Gatherer<'_> {
    /// Notes messages up to the end of the block.
    fn run(&mut self, frames: &mut Frames<'_>) -> Pause {
        while !self.block.is_full(frames.offset()) {
            self.block.note_orders(frames, self.slots);
            let before = frames.offset();
            let Some((start, message)) = frames.next() else {
                return Pause::End;
            };
            if is_whole(message) && self.names(message) {
                frames.rewind(before);
                return Pause::Name;
            }
            self.note(start, message);
        }
        Pause::Full
    }

    /// Whether a message gives its instrument a name or a place.
    #[inline]
    fn names(&self, message: &[u8]) -> bool {
        let Some(slot) = self.slots.get(locate_of(message)) else {
            return true;
        };
        let tag = message[0];
        if STOCK_AT[usize::from(tag)] != 0 {
            !slot.named || tag == b'R'
        } else {
            slot.handle == NO_HANDLE && (is_about_an_order(tag) || tag == b'B')
        }
    }

    /// Notes a message whose instrument is known.
    fn note(&mut self, start: usize, message: &[u8]) {
        let Self { block, slots, .. } = self;
        let tag = message.first().copied().unwrap_or(0);
        block.seen.messages.add(tag);
        if !is_whole(message) {
            block.seen.skip(tag);
            block.note(start);
            return;
        }
        let slot = slots[locate_of(message)];
        let is_order = is_about_an_order(tag);
        let stock_at = usize::from(STOCK_AT[usize::from(tag)]);
        let late = (block.seen).note_time(Header::peek(message).map_or(0, Header::ns));
        let hidden = (stock_at != 0 || tag == b'B') && !slot.shown;
        if is_order || hidden {
            block.note(start);
        } else {
            block.note_direct(start);
        }
        if let Some(clock_ns) = late {
            block.note_late(clock_ns);
        }
        let is_print = matches!(tag, b'P' | b'Q');
        if slot.kept && (is_order || is_print && self.prints) {
            block.hand_over(start, slot.handle);
        }
    }
}

impl Replay {
    /// Starts the next block, or goes on with the one that was gathered before its turn; says whether the data may hold
    /// more behind it.
    pub(super) fn begin(&mut self, frames: &mut Frames<'_>, before: Option<Gathered>) -> bool {
        let mut pause = Pause::Name;
        if let Some(gathered) = before.filter(|gathered| gathered.is_next_of(self)) {
            frames.rewind(gathered.offset);
            pause = gathered.pause;
            let mut last = std::mem::replace(&mut self.block, gathered.block);
            std::mem::swap(&mut self.block.shards, &mut last.shards);
            self.spare = Some(last);
        } else {
            let known = self.instruments.len();
            self.block
                .reset(frames.offset(), known, self.report.last_ns);
        }
        if pause == Pause::Name {
            pause = self.gather(frames);
            self.block.sort();
        }
        pause == Pause::Full
    }

    /// Notes messages until the block is full, the data ends, or an instrument gets another name.
    fn gather(&mut self, frames: &mut Frames<'_>) -> Pause {
        loop {
            let pause = self.gatherer().run(frames);
            if pause != Pause::Name {
                return pause;
            }
            let before = frames.offset();
            let Some((start, message)) = frames.next() else {
                return Pause::End;
            };
            if !self.name_of(message) {
                frames.rewind(before);
                return Pause::Full;
            }
            self.gatherer().note(start, message);
        }
    }

    fn gatherer(&mut self) -> Gatherer<'_> {
        Gatherer {
            slots: &self.slots,
            prints: self.config.wanted.bars_ns.is_some(),
            block: &mut self.block,
        }
    }

    /// Takes the name that a message gives its instrument, if it gives one; `false` if that must wait for the next block.
    #[cold]
    fn name_of(&mut self, message: &[u8]) -> bool {
        let locate = locate_of(message);
        if locate >= self.slots.len() {
            self.meet(locate);
        }
        let slot = self.slots[locate];
        let tag = message[0];
        let stock_at = usize::from(STOCK_AT[usize::from(tag)]);
        if stock_at == 0 {
            if slot.handle == NO_HANDLE && (is_about_an_order(tag) || tag == b'B') {
                self.name(locate, None);
            }
            return true;
        }
        let symbol = translate::symbol(&message[stock_at..stock_at + 8]);
        // A name holds for the whole block, so the block ends before it changes.
        let renamed = slot.handle != NO_HANDLE && self.names[locate].symbol != symbol;
        if renamed && self.block.len() > 0 {
            return false;
        }
        self.name(locate, symbol);
        true
    }

    /// Makes room for a stock locate that is larger than all before.
    fn meet(&mut self, locate: usize) {
        let known = self.slots.len() as u32;
        Arc::make_mut(&mut self.slots).resize(locate + 1, Slot::default());
        self.names.extend((known..=locate as u32).map(unnamed));
    }

    /// Gives a stock locate its name, and a book if it has none yet.
    fn name(&mut self, locate: usize, symbol: Option<Symbol>) {
        let slot = &mut Arc::make_mut(&mut self.slots)[locate];
        if slot.handle == NO_HANDLE {
            slot.handle = self.instruments.len() as u32;
            self.instruments.push(Instrument::default());
            self.block.add_instrument();
        }
        let only = self.config.symbols.as_ref();
        slot.named = symbol.is_some();
        slot.shown = only.is_none_or(|only| symbol.is_some_and(|symbol| only.contains(&symbol)));
        // An instrument without a name may yet turn out to be wanted.
        slot.kept = slot.shown || symbol.is_none();
        self.names[locate].symbol = symbol;
        let instrument = &mut self.instruments[slot.handle as usize];
        instrument.shown = slot.shown;
        instrument.locate = locate as u16;
    }

    /// Pushes the rows of the block, moves on behind it and gathers the next one, if there is data and the replay has more
    /// than one thread: meanwhile on another one, where that is worth its start.
    pub(super) fn emit_and_gather(
        &mut self,
        data: &[u8],
        next: Option<Frames<'_>>,
        sink: &mut impl Sink,
    ) -> Option<Gathered> {
        let Some(mut frames) = next.filter(|_| self.block.shards.len() > 1) else {
            self.emit(data, sink);
            return None;
        };
        let mut block = self.spare.take().unwrap_or_default();
        let known = self.instruments.len();
        block.reset(frames.offset(), known, self.block.seen.last_ns);
        let seq = self.seq + self.block.len() as u64;
        let slots = Arc::clone(&self.slots);
        let prints = self.config.wanted.bars_ns.is_some();
        let gather = move || {
            let mut gatherer = Gatherer {
                slots: &slots,
                prints,
                block: &mut block,
            };
            let pause = gatherer.run(&mut frames);
            if pause != Pause::Name {
                block.sort();
            }
            Gathered {
                block,
                offset: frames.offset(),
                pause,
                seq,
                slots,
            }
        };
        if self.block.len() < SHARED {
            self.emit(data, sink);
            return Some(gather());
        }
        std::thread::scope(|scope| {
            let thread = helper().spawn_scoped(scope, gather);
            self.emit(data, sink);
            // Without the thread, the block is gathered when its turn comes.
            let gathered = thread.ok()?.join();
            Some(gathered.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })
    }
}

impl Gathered {
    /// Whether it is of a replay and stands where that is.
    fn is_next_of(&self, replay: &Replay) -> bool {
        self.seq == replay.seq && Arc::ptr_eq(&self.slots, &replay.slots)
    }
}

/// Whether a message has the length of its type.
#[inline]
fn is_whole(message: &[u8]) -> bool {
    let tag = message.first().copied().unwrap_or(0);
    !message.is_empty() && usize::from(LENGTH[usize::from(tag)]) == message.len()
}

/// The stock locate of a whole message.
#[inline]
fn locate_of(message: &[u8]) -> usize {
    usize::from(u16::from_be_bytes([message[1], message[2]]))
}

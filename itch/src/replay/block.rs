//! One block: its messages in file order, and by instrument those that a book takes.

#![expect(
    clippy::cast_possible_truncation,
    reason = "a block has at most 2^20 messages in 2^28 bytes, and a session at most 2^16 instruments"
)]

use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering};

use nanobook::Symbol;
use nanobook::rows::SomeLevels;

use super::apply::{At, Change, Shard};
use super::depth::{self, DepthStep};
use super::translate::{self, STOCK_AT};
use super::{Instrument, NO_HANDLE, Quote, Replay, Slot, unnamed};
use crate::message::Message;
use crate::{Frames, LENGTH};

/// Most messages of a block, however long the data is: 20 bits of a [`Task`].
const BLOCK: usize = 1 << 20;

/// Most bytes of a block before its last message, which starts a little later: 28 bits of a [`Task`].
const SPAN: usize = 1 << 27;

/// Nothing to push for a message.
const SILENT: u32 = 0;
/// The message is pushed by itself, without anything from a book.
const DIRECT: u32 = u32::MAX;

/// How many messages are fetched at a time.
pub(super) const AHEAD: usize = 64;

/// A message of a block.
#[derive(Debug)]
struct Note {
    /// Where it starts, from the base of the block.
    start: u32,
    /// [`SILENT`], [`DIRECT`], or where its change is. Threads that apply books set it, each message's by one of them.
    mark: AtomicU32,
}

/// A message that a book takes: its instrument, its place in the block and where it starts, in 8 bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Task(u64);

impl Task {
    #[inline]
    fn new(handle: u32, ordinal: u32, start: u32) -> Self {
        Self(u64::from(handle) << 48 | u64::from(ordinal) << 28 | u64::from(start))
    }

    #[inline]
    fn handle(self) -> usize {
        (self.0 >> 48) as usize
    }

    /// Place of the message in its block.
    #[inline]
    pub(super) fn ordinal(self) -> u32 {
        (self.0 >> 28) as u32 & (BLOCK as u32 - 1)
    }

    #[inline]
    fn start(self) -> usize {
        self.0 as usize & ((1 << 28) - 1)
    }
}

/// Working memory of a block, reused for the next.
#[derive(Debug)]
pub(super) struct Block {
    /// The messages in file order.
    notes: Vec<Note>,
    base: usize,
    /// Places of the messages that are pushed by themselves.
    direct: Vec<u32>,
    /// What books take, in file order.
    tasks: Vec<Task>,
    /// The same by instrument, and in file order within one.
    sorted: Vec<Task>,
    /// By instrument: number of its tasks, then the end of its run in `sorted`.
    runs: Vec<u32>,
    /// What books changed, by the thread that applied it.
    pub(super) shards: Vec<Shard>,
    /// Messages whose time is before that of an earlier one, and that time.
    late: Vec<(u32, u64)>,
}

impl Block {
    pub(super) fn new(shards: Vec<Shard>) -> Self {
        Self {
            notes: Vec::new(),
            base: 0,
            direct: Vec::new(),
            tasks: Vec::new(),
            sorted: Vec::new(),
            runs: Vec::new(),
            shards,
            late: Vec::new(),
        }
    }

    fn reset(&mut self, base: usize) {
        self.base = base;
        self.notes.clear();
        self.direct.clear();
        self.tasks.clear();
        self.runs.fill(0);
        self.shards.iter_mut().for_each(Shard::clear);
        self.late.clear();
    }

    /// Number of messages.
    pub(super) fn len(&self) -> usize {
        self.notes.len()
    }

    /// Whether no book has changed anything that is pushed.
    #[inline]
    pub(super) fn is_direct(&self) -> bool {
        self.shards.iter().all(|shard| shard.changes.is_empty())
    }

    /// Places of the messages that are pushed by themselves.
    #[inline]
    pub(super) fn direct(&self) -> &[u32] {
        &self.direct
    }

    /// What books take by instrument, and where the run of each instrument ends.
    pub(super) fn runs(&self) -> (&[Task], &[u32]) {
        (&self.sorted, &self.runs)
    }

    /// Fetches those of the [`AHEAD`] messages from `first` on for which there is something to push.
    ///
    /// Changes lie in the order in which books were applied, so in file order nearly each is a miss of the cache. Taken
    /// many at a time the misses overlap; one by one, between the rows that they cause, they do not.
    ///
    /// `look` is shown each of them and what it does to the depth, to fetch what else is looked at for its rows.
    #[inline]
    pub(super) fn fetch<'a>(
        &self,
        first: usize,
        into: &'a mut [(u32, Change); AHEAD],
        look: impl Fn(u32, Option<&DepthStep>),
    ) -> &'a [(u32, Change)] {
        let mut found = 0;
        for (ordinal, note) in (first as u32..).zip(self.notes[first..].iter().take(AHEAD)) {
            // Without a branch: whether a message is silent can't be foreseen.
            into[found].0 = ordinal;
            found += usize::from(note.mark.load(Ordering::Relaxed) != SILENT);
        }
        let into = &mut into[..found];
        for (ordinal, change) in &mut *into {
            // That of a direct message is of no shard.
            let mark = self.notes[*ordinal as usize].mark.load(Ordering::Relaxed);
            *change = At::of(mark)
                .and_then(|at| self.shards.get(at.shard())?.changes.get(at.index()))
                .copied()
                .unwrap_or_default();
        }
        for (ordinal, change) in &*into {
            if let Some(quote) = self.quote(change) {
                black_box(quote[0].is_some());
            }
            let step = self.step(change).map(|(step, changed)| {
                for some in changed {
                    depth::touch(some.levels);
                }
                step
            });
            look(*ordinal, step);
        }
        into
    }

    /// The quote after a change, if it is another one.
    #[inline]
    pub(super) fn quote(&self, change: &Change) -> Option<&Quote> {
        change.quote.map(|at| self.shards[at.shard()].quote(at))
    }

    /// What a change did to the depth, if anything, and the bids and asks that changed.
    #[inline]
    pub(super) fn step(&self, change: &Change) -> Option<(&DepthStep, [SomeLevels<'_>; 2])> {
        change.depth.map(|at| self.shards[at.shard()].step(at))
    }

    /// The stock locate of a message.
    #[inline]
    pub(super) fn locate(&self, data: &[u8], ordinal: u32) -> u16 {
        let start = self.base + self.notes[ordinal as usize].start as usize;
        u16::from_be_bytes([data[start + 1], data[start + 2]])
    }

    /// A message of known type and right length, as `gather` found it.
    #[inline]
    pub(super) fn message<'a>(&self, data: &'a [u8], ordinal: usize) -> Option<Message<'a>> {
        self.message_at(data, self.notes[ordinal].start as usize)
    }

    /// The message of a task.
    #[inline]
    pub(super) fn message_of<'a>(&self, data: &'a [u8], task: Task) -> Option<Message<'a>> {
        self.message_at(data, task.start())
    }

    #[inline]
    fn message_at<'a>(&self, data: &'a [u8], start: usize) -> Option<Message<'a>> {
        let bytes = data.get(self.base + start..)?;
        let length = usize::from(LENGTH[usize::from(*bytes.first()?)]);
        Message::parse(bytes.get(..length)?).ok()
    }

    /// Reads through the messages of tasks, so that their lines arrive together instead of one after the other.
    #[inline]
    pub(super) fn touch(&self, data: &[u8], tasks: &[Task]) {
        let data = &data[self.base..];
        let seen = tasks.iter().fold(0, |seen, task| {
            // Both ends of the shortest message that a book takes: half of all messages lie across two lines.
            seen ^ data[task.start()] ^ data[task.start() + 18]
        });
        black_box(seen);
    }

    /// Marks a message as one that caused a change.
    #[inline]
    pub(super) fn mark(&self, ordinal: u32, change: At) {
        let note = &self.notes[ordinal as usize];
        note.mark.store(change.into(), Ordering::Relaxed);
    }

    /// Adds an instrument.
    fn add_instrument(&mut self) {
        self.runs.push(0);
    }

    /// Notes a message and whether it is pushed by itself.
    #[inline]
    fn note(&mut self, start: usize, mark: u32) {
        self.notes.push(Note {
            start: (start - self.base) as u32,
            mark: AtomicU32::new(mark),
        });
    }

    /// Place of the message that was noted last.
    #[inline]
    fn last(&self) -> u32 {
        self.notes.len() as u32 - 1
    }

    /// Notes that the message that was noted last is of an earlier time than one before it.
    #[cold]
    fn note_late(&mut self, clock_ns: u64) {
        self.late.push((self.last(), clock_ns));
    }

    /// The latest time up to a message: its own, unless it is late.
    #[inline]
    pub(super) fn clock(&self, ordinal: u32, ns: u64) -> u64 {
        if self.late.is_empty() {
            return ns;
        }
        match self.late.binary_search_by_key(&ordinal, |(late, _)| *late) {
            Ok(at) => self.late[at].1,
            Err(_) => ns,
        }
    }

    /// Notes that an instrument's book takes the message that was noted last.
    #[inline]
    fn hand_over(&mut self, start: usize, handle: u32) {
        let start = (start - self.base) as u32;
        self.tasks.push(Task::new(handle, self.last(), start));
        self.runs[handle as usize] += 1;
    }

    /// Sorts the tasks by instrument; counting keeps those of one in file order.
    pub(super) fn sort(&mut self) {
        let mut end = 0;
        for run in &mut self.runs {
            (*run, end) = (end, end + *run);
        }
        self.sorted.resize(self.tasks.len(), Task::default());
        for task in &self.tasks {
            let place = &mut self.runs[task.handle()];
            self.sorted[*place as usize] = *task;
            *place += 1;
        }
    }
}

impl Replay {
    /// Notes messages until the block is full, the data ends, or an instrument gets another name;
    /// says whether there may be more.
    pub(super) fn gather(&mut self, frames: &mut Frames<'_>) -> bool {
        self.block.reset(frames.offset());
        while self.block.len() < BLOCK && frames.offset() - self.block.base < SPAN {
            self.gather_orders(frames);
            let before = frames.clone();
            let Some((start, message)) = frames.next() else {
                return false;
            };
            let tag = message.first().copied().unwrap_or(0);
            let length = usize::from(LENGTH[usize::from(tag)]);
            if length != message.len() || length == 0 {
                self.report.messages.add(tag);
                self.skip(tag, length);
                self.block.note(start, SILENT);
                continue;
            }
            let locate = usize::from(u16::from_be_bytes([message[1], message[2]]));
            if locate >= self.slots.len() {
                self.meet(locate);
            }
            let mut slot = self.slots[locate];
            let is_order = is_about_an_order(tag);
            let stock_at = usize::from(STOCK_AT[usize::from(tag)]);
            if stock_at != 0 && (!slot.named || tag == b'R') {
                let symbol = translate::symbol(&message[stock_at..stock_at + 8]);
                // A name holds for the whole block, so the block ends before it changes.
                let renamed = slot.handle != NO_HANDLE && self.names[locate].symbol != symbol;
                if renamed && !self.block.notes.is_empty() {
                    *frames = before;
                    return true;
                }
                slot = self.name(locate, symbol);
            } else if slot.handle == NO_HANDLE && (is_order || tag == b'B') {
                slot = self.name(locate, None);
            }
            self.report.messages.add(tag);
            let late = self.note_time(crate::Header::peek(message).map_or(0, crate::Header::ns));
            let hidden = (stock_at != 0 || tag == b'B') && !slot.shown;
            if is_order || hidden {
                self.block.note(start, SILENT);
            } else {
                self.block.note(start, DIRECT);
                self.block.direct.push(self.block.last());
            }
            if let Some(clock_ns) = late {
                self.block.note_late(clock_ns);
            }
            let is_print = matches!(tag, b'P' | b'Q');
            if slot.kept && (is_order || is_print && self.config.wanted.bars_ns.is_some()) {
                self.block.hand_over(start, slot.handle);
            }
        }
        true
    }

    /// Notes order messages up to the first that needs a closer look: nearly every message, so without a branch on
    /// their type, and some at a time, so that the counts of what there is stay in registers.
    #[inline]
    fn gather_orders(&mut self, frames: &mut Frames<'_>) {
        const SOME: usize = 32;
        let Some(mut last_ns) = self.report.last_ns else {
            return;
        };
        let Block {
            notes,
            tasks,
            runs,
            base,
            ..
        } = &mut self.block;
        let mut more = true;
        while more && notes.len() + SOME <= BLOCK && frames.offset() - *base < SPAN {
            let mut starts = [0; SOME];
            let mut taken = [Task::default(); SOME];
            let (mut noted, mut kept) = (0, 0);
            let first = notes.len() as u32;
            while noted < SOME {
                let before = frames.offset();
                let Some((start, order)) = frames.next_order() else {
                    more = false;
                    break;
                };
                let slot = self.slots.get(usize::from(order.stock_locate));
                let slot = slot.copied().unwrap_or_default();
                if !slot.named || order.ns < last_ns {
                    frames.rewind(before);
                    more = false;
                    break;
                }
                last_ns = order.ns;
                self.report.messages.add(order.message_type);
                let start = (start - *base) as u32;
                starts[noted] = start;
                // Written in any case, and counted if its book is kept.
                taken[kept] = Task::new(slot.handle, first + noted as u32, start);
                kept += usize::from(slot.kept);
                runs[slot.handle as usize] += u32::from(slot.kept);
                noted += 1;
            }
            notes.extend(starts[..noted].iter().map(|start| Note {
                start: *start,
                mark: AtomicU32::new(SILENT),
            }));
            tasks.extend_from_slice(&taken[..kept]);
        }
        self.report.last_ns = Some(last_ns);
    }

    /// Counts a message that can't be decoded.
    #[cold]
    fn skip(&mut self, tag: u8, length: usize) {
        if length == 0 {
            self.report.unknown_type.add(tag);
        } else {
            self.report.wrong_length.add(tag);
        }
    }

    /// Keeps the time of a message; returns the latest time when that is later.
    #[inline]
    fn note_time(&mut self, ns: u64) -> Option<u64> {
        match self.report.last_ns {
            Some(last) if ns < last => {
                self.report.faults.time_reversal += 1;
                return Some(last);
            }
            Some(_) => self.report.last_ns = Some(ns),
            None => (self.report.first_ns, self.report.last_ns) = (Some(ns), Some(ns)),
        }
        None
    }

    /// Makes room for a stock locate that is larger than all before.
    #[cold]
    fn meet(&mut self, locate: usize) {
        let known = self.slots.len() as u32;
        self.slots.resize(locate + 1, Slot::default());
        self.names.extend((known..=locate as u32).map(unnamed));
    }

    /// Gives a stock locate its name, and a book if it has none yet.
    #[cold]
    fn name(&mut self, locate: usize, symbol: Option<Symbol>) -> Slot {
        let slot = &mut self.slots[locate];
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
        *slot
    }
}

/// Whether a message of this type changes the book.
#[inline]
pub(super) fn is_about_an_order(tag: u8) -> bool {
    matches!(tag, b'A' | b'F' | b'E' | b'C' | b'X' | b'D' | b'U')
}

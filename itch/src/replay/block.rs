//! One block: its messages in file order, and by instrument those that a book takes.

#![expect(
    clippy::cast_possible_truncation,
    reason = "a block has at most 2^20 messages in 2^28 bytes, and a session at most 2^16 instruments"
)]

use nanobook::prefetch;
use nanobook::rows::SomeLevels;

use super::apply::{At, Change, Shard};
use super::depth::{self, DepthStep};
use super::marks::{Mark, Marks, SILENT, WINDOW};
use super::report::Report;
use super::{Quote, Slot};
use crate::message::{AddOrder, Message};
use crate::{Frames, LENGTH};

/// Most messages of a block, however long the data is: 20 bits of a [`Task`].
const BLOCK: usize = 1 << 20;

/// Most bytes of a block before its last message, which starts a little later: 28 bits of a [`Task`].
const SPAN: usize = 1 << 27;

/// The message is pushed by itself, without anything from a book.
const DIRECT: u32 = u32::MAX;
/// Beside where a quote is: nothing else changed that is pushed. No [`At`] has this bit.
pub(super) const QUOTE: u32 = 1 << 31;

/// What a direct message changed.
static UNCHANGED: Change = Change {
    resting: None,
    quote: None,
    depth: None,
};

/// From the start of an order to add to its last byte.
const ADD: usize = size_of::<AddOrder>() - 1;

/// How many messages are fetched at a time.
pub(super) const AHEAD: usize = 32;

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

/// Messages for which there is something to push.
#[derive(Debug, Default)]
pub(super) struct Found {
    marks: [Mark; AHEAD],
    len: usize,
}

impl Found {
    fn marks(&self) -> &[Mark] {
        &self.marks[..self.len]
    }
}

/// Working memory of a block, reused for another one.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// Where messages start, from the base, in file order.
    starts: Vec<u32>,
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
    /// What was seen while it was gathered; its last time goes on from the block before.
    pub(super) seen: Report,
}

impl Block {
    pub(super) fn new(shards: Vec<Shard>) -> Self {
        Self {
            shards,
            ..Self::default()
        }
    }

    /// Makes room for messages from `base` on, of so many instruments, behind those up to a time.
    pub(super) fn reset(&mut self, base: usize, instruments: usize, last_ns: Option<u64>) {
        self.base = base;
        self.starts.clear();
        self.direct.clear();
        self.tasks.clear();
        self.runs.clear();
        self.runs.resize(instruments, 0);
        self.late.clear();
        self.seen = Report {
            last_ns,
            ..Report::default()
        };
    }

    /// Number of messages.
    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether no book has changed anything that is pushed.
    #[inline]
    pub(super) fn is_direct(&self) -> bool {
        self.shards.iter().all(Shard::is_empty)
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

    /// Brings the marks of the block into file order.
    pub(super) fn spread(&self, marks: &mut Marks) {
        marks.spread(self.shards.iter().map(Shard::marks), self.len());
    }

    /// What is to be pushed for each message of a window: nothing behind the last one.
    pub(super) fn window(&self, number: usize, marks: &Marks, into: &mut [u32; WINDOW]) {
        marks.window(number, into);
        let first = number * WINDOW;
        let end = first + WINDOW;
        let at = |place: usize| {
            self.direct
                .partition_point(|ordinal| (*ordinal as usize) < place)
        };
        for ordinal in &self.direct[at(first)..at(end)] {
            into[*ordinal as usize - first] = DIRECT;
        }
    }

    /// Finds those of up to [`AHEAD`] messages from `first` on for which there is something to push, of which these are the
    /// marks, and asks for it.
    ///
    /// Changes lie in the order in which books were applied, so in file order nearly each is a miss of the cache. They come
    /// while the rows of the messages before are pushed.
    pub(super) fn find(&self, first: usize, marks: &[u32], found: &mut Found) {
        found.len = 0;
        for (ordinal, what) in (first as u32..).zip(marks.iter().copied()) {
            // Without a branch: whether a message is silent can't be foreseen.
            found.marks[found.len] = Mark { ordinal, what };
            found.len += usize::from(what != SILENT);
        }
        for mark in found.marks() {
            match change_at(mark.what) {
                Some((at, true)) => prefetch(self.shards[at.shard()].quote(at)),
                Some((at, false)) => prefetch(self.shards[at.shard()].change(at)),
                None => {}
            }
        }
    }

    /// Fetches what was found. `look` is shown each of it and what it does to the depth, to ask for what else is looked at
    /// for its rows.
    #[inline]
    pub(super) fn fetch<'a>(
        &self,
        found: &Found,
        into: &'a mut [(u32, Change); AHEAD],
        look: impl Fn(u32, Option<&DepthStep>),
    ) -> &'a [(u32, Change)] {
        let into = &mut into[..found.len];
        for ((ordinal, change), mark) in into.iter_mut().zip(found.marks()) {
            *ordinal = mark.ordinal;
            self.copy_change(mark.what, change);
        }
        for (ordinal, change) in &*into {
            if let Some(quote) = self.quote(change) {
                prefetch(quote);
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
        let start = self.base + self.starts[ordinal as usize] as usize;
        u16::from_be_bytes([data[start + 1], data[start + 2]])
    }

    /// A message of known type and right length, as `gather` found it.
    #[inline]
    pub(super) fn message<'a>(&self, data: &'a [u8], ordinal: usize) -> Option<Message<'a>> {
        self.message_at(data, self.starts[ordinal] as usize)
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

    /// Asks for the messages of tasks, so that their lines arrive together instead of one after the other.
    #[inline]
    pub(super) fn touch(&self, data: &[u8], tasks: &[Task]) {
        let data = &data[self.base..];
        for task in tasks {
            // Both ends of a long message: half of all messages lie across two lines.
            prefetch(&data[task.start()]);
            prefetch(&data[(task.start() + ADD).min(data.len() - 1)]);
        }
    }

    /// Copies what a mark says, from where it lies: a change that is put together of its parts and then copied costs the
    /// wait for them.
    #[inline]
    fn copy_change(&self, mark: u32, change: &mut Change) {
        *change = match change_at(mark) {
            Some((at, true)) => {
                *change = UNCHANGED;
                change.quote = Some(at);
                return;
            }
            Some((at, false)) => *self.shards[at.shard()].change(at),
            None => UNCHANGED,
        };
    }

    /// Adds an instrument.
    pub(super) fn add_instrument(&mut self) {
        self.runs.push(0);
    }

    /// Whether it takes no more messages, and the data up to an offset ends it.
    pub(super) fn is_full(&self, offset: usize) -> bool {
        self.len() >= BLOCK || self.is_long(offset)
    }

    #[inline]
    fn is_long(&self, offset: usize) -> bool {
        offset - self.base >= SPAN
    }

    /// Notes a message that is not pushed unless a book changes.
    #[inline]
    pub(super) fn note(&mut self, start: usize) {
        self.starts.push((start - self.base) as u32);
    }

    /// Notes a message that is pushed by itself.
    #[inline]
    pub(super) fn note_direct(&mut self, start: usize) {
        self.note(start);
        self.direct.push(self.last());
    }

    /// Notes order messages up to the first that needs a closer look: nearly every message, so without a branch on
    /// their type, and some at a time, so that the counts of what there is stay in registers.
    #[inline]
    pub(super) fn note_orders(&mut self, frames: &mut Frames<'_>, slots: &[Slot]) {
        const SOME: usize = 32;
        let Some(mut last_ns) = self.seen.last_ns else {
            return;
        };
        let mut more = true;
        while more && self.len() + SOME <= BLOCK && !self.is_long(frames.offset()) {
            let mut starts = [0; SOME];
            let mut taken = [Task::default(); SOME];
            let (mut noted, mut kept) = (0, 0);
            let first = self.len() as u32;
            while noted < SOME {
                let before = frames.offset();
                let Some((start, order)) = frames.next_order() else {
                    more = false;
                    break;
                };
                let slot = slots.get(usize::from(order.stock_locate));
                let slot = slot.copied().unwrap_or_default();
                if !slot.named || order.ns < last_ns {
                    frames.rewind(before);
                    more = false;
                    break;
                }
                last_ns = order.ns;
                self.seen.messages.add(order.message_type);
                let start = (start - self.base) as u32;
                starts[noted] = start;
                // Written in any case, and counted if its book is kept.
                taken[kept] = Task::new(slot.handle, first + noted as u32, start);
                kept += usize::from(slot.kept);
                self.runs[slot.handle as usize] += u32::from(slot.kept);
                noted += 1;
            }
            self.starts.extend_from_slice(&starts[..noted]);
            self.tasks.extend_from_slice(&taken[..kept]);
        }
        self.seen.last_ns = Some(last_ns);
    }

    /// Place of the message that was noted last.
    #[inline]
    fn last(&self) -> u32 {
        self.starts.len() as u32 - 1
    }

    /// Notes that the message that was noted last is of an earlier time than one before it.
    #[cold]
    pub(super) fn note_late(&mut self, clock_ns: u64) {
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
    pub(super) fn hand_over(&mut self, start: usize, handle: u32) {
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

/// Whether a message of this type changes the book.
#[inline]
pub(super) fn is_about_an_order(tag: u8) -> bool {
    matches!(tag, b'A' | b'F' | b'E' | b'C' | b'X' | b'D' | b'U')
}

/// Where what a mark says is, and whether it is a quote alone; `None` for a message that is pushed by itself.
#[inline]
fn change_at(mark: u32) -> Option<(At, bool)> {
    if mark == DIRECT {
        return None;
    }
    At::of(mark & !QUOTE).map(|at| (at, mark & QUOTE != 0))
}

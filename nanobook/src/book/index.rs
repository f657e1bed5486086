//! Order id → slot: open addressing with linear probing, 8 bytes an entry, at most half full.

/// Smallest table: one cache line.
const MIN_CAPACITY: usize = 8;

/// 2^32 divided by the golden ratio, odd: spreads ids that rise in steps (Knuth, TAOCP vol. 3, section 6.4).
const GOLDEN: u32 = 0x9E37_79B9;

/// A slot and 32 bits of its id, from which its home is known without reading the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    tag: u32,
    slot: u32,
}

const EMPTY: Entry = Entry {
    tag: 0,
    slot: u32::MAX,
};

/// Where a new id belongs, until the index changes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    tag: u32,
    at: usize,
}

/// Finds slots by id. Two ids can share a tag, so the caller confirms a find.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    /// Length zero or a power of two.
    entries: Vec<Entry>,
    /// Bits to shift a 32-bit product right for a home.
    shift: u32,
    len: usize,
}

/// All 64 bits of an id folded into 32.
#[inline]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the upper half is folded in first"
)]
fn tag(id: u64) -> u32 {
    (id ^ (id >> 32)) as u32
}

impl Index {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The slot of an id for which `is_it` holds.
    #[inline]
    pub(super) fn find(&self, id: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        if self.entries.is_empty() {
            return None;
        }
        let tag = tag(id);
        let mut at = self.home(tag);
        loop {
            let entry = self.entries[at];
            if entry == EMPTY {
                return None;
            }
            if entry.tag == tag && is_it(entry.slot) {
                return Some(entry.slot);
            }
            at = self.after(at);
        }
    }

    /// The slot of an id for which `is_it` holds, or where it belongs.
    #[inline]
    pub(super) fn find_or_place(
        &mut self,
        id: u64,
        is_it: impl Fn(u32) -> bool,
    ) -> Result<u32, Place> {
        if 2 * (self.len + 1) > self.entries.len() {
            self.grow();
        }
        let tag = tag(id);
        let mut at = self.home(tag);
        loop {
            let entry = self.entries[at];
            if entry == EMPTY {
                return Err(Place { tag, at });
            }
            if entry.tag == tag && is_it(entry.slot) {
                return Ok(entry.slot);
            }
            at = self.after(at);
        }
    }

    /// Adds an id at the place that [`Index::find_or_place`] has just given.
    #[inline]
    pub(super) fn fill(&mut self, place: Place, slot: u32) {
        let Place { tag, at } = place;
        self.entries[at] = Entry { tag, slot };
        self.len += 1;
    }

    /// Removes an id that is there, and closes the gap.
    #[inline]
    pub(super) fn remove(&mut self, id: u64, slot: u32) {
        let mut gap = self.home(tag(id));
        while self.entries[gap].slot != slot {
            gap = self.after(gap);
        }
        let mut at = gap;
        loop {
            at = self.after(at);
            let entry = self.entries[at];
            if entry == EMPTY {
                break;
            }
            // It may move back unless its home lies behind the gap.
            let mask = self.entries.len() - 1;
            let from_home = at.wrapping_sub(self.home(entry.tag)) & mask;
            let from_gap = at.wrapping_sub(gap) & mask;
            if from_home >= from_gap {
                self.entries[gap] = entry;
                gap = at;
            }
        }
        self.entries[gap] = EMPTY;
        self.len -= 1;
    }

    /// Reads every cache line.
    pub(super) fn warm(&self) {
        for line in self.entries.chunks(8) {
            std::hint::black_box(line[0].slot);
        }
    }

    pub(super) fn clear(&mut self) {
        self.entries.fill(EMPTY);
        self.len = 0;
    }

    #[inline]
    fn home(&self, tag: u32) -> usize {
        (tag.wrapping_mul(GOLDEN) >> self.shift) as usize
    }

    #[inline]
    fn after(&self, at: usize) -> usize {
        (at + 1) & (self.entries.len() - 1)
    }

    #[inline]
    fn place(&mut self, entry: Entry) {
        let mut at = self.home(entry.tag);
        while self.entries[at] != EMPTY {
            at = self.after(at);
        }
        self.entries[at] = entry;
    }

    #[cold]
    fn grow(&mut self) {
        let capacity = (2 * self.entries.len()).max(MIN_CAPACITY);
        let old = std::mem::replace(&mut self.entries, vec![EMPTY; capacity]);
        self.shift = 32 - capacity.trailing_zeros();
        for entry in old {
            if entry != EMPTY {
                self.place(entry);
            }
        }
    }
}

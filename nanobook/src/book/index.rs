//! Order id → slot: buckets of 32 bytes, six ids each, at most three of them taken on average.
//!
//! The tags of a bucket are the bytes of one word and are compared all at once, so that finding, adding and removing an
//! id takes no loop that ends where the processor does not expect it. The few ids that find their bucket full go into a
//! later one; each bucket counts those that went past it, and where that is zero a search ends.

use super::ask_lines;

/// Ids of a bucket.
const LANES: usize = 6;

/// Ids of a bucket when the table grows, on average: one in thirty finds its bucket full then.
const LOAD: usize = 3;

/// 2^64 divided by the golden ratio, odd: spreads ids that rise in steps (Knuth, TAOCP vol. 3, section 6.4).
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// The lowest bit of every byte.
const ONES: u64 = u64::MAX / 255;

/// The highest bit of every byte that is a tag.
const MARKS: u64 = (ONES << 7) & (u64::MAX >> 16);

/// Tag of a free lane.
const FREE: u8 = 0;

/// Six ids.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(32))]
struct Bucket {
    /// A byte for each lane, which the ids in it share with others, and in the two uppermost bytes the number of ids in
    /// later buckets whose way from home led past this one. A number that does not fit stays what it is.
    word: u64,
    slots: [u32; LANES],
}

const _: () = assert!(size_of::<Bucket>() == 32);

impl Bucket {
    /// The lanes with a tag: the highest bit of their bytes.
    #[inline]
    fn lanes(&self, tag: u8) -> u64 {
        let other = self.word ^ (ONES * u64::from(tag));
        // The sum carries into the highest bit of a byte unless its lower seven are zero, and never further.
        let low = u64::MAX - (ONES << 7);
        !(((other & low) + low) | other) & MARKS
    }

    #[inline]
    fn passed(&self) -> u16 {
        (self.word >> 48) as u16
    }

    /// Whether ids went past this bucket.
    #[inline]
    fn is_passed(&self) -> bool {
        self.passed() > 0
    }

    fn set_passed(&mut self, passed: u16) {
        self.word = (self.word << 16 >> 16) + (u64::from(passed) << 48);
    }

    /// Gives a free lane its tag, or frees the lane of a tag: the tag of a free lane has no bits.
    #[inline]
    fn mark(&mut self, lane: usize, tag: u8) {
        self.word ^= u64::from(tag) << (8 * lane);
    }
}

/// The first of some lanes.
#[inline]
fn first(lanes: u64) -> usize {
    (lanes.trailing_zeros() / u8::BITS) as usize
}

/// Where the entry of an id is, or where that of a new one belongs, until the index changes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    bucket: usize,
    lane: usize,
}

/// Finds slots by id. The caller knows the id of every slot.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    /// Length zero or a power of two.
    buckets: Vec<Bucket>,
    /// Bits to shift a hash right for a home.
    shift: u32,
    len: usize,
}

/// What of an id decides its place: a tag, and the bits above 32 for the home.
#[derive(Clone, Copy)]
struct Hash(u64);

impl Hash {
    #[inline]
    fn of(id: u64) -> Self {
        Self(id.wrapping_mul(GOLDEN))
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "eight bits are picked")]
    fn tag(self) -> u8 {
        ((self.0 >> 24) as u8).max(FREE + 1)
    }
}

impl Index {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The slot of an id, and the place of its entry.
    #[inline]
    pub(super) fn find(&self, id: u64, id_of: impl Fn(u32) -> u64) -> Option<(u32, Place)> {
        let hash = Hash::of(id);
        let mut at = self.home(hash);
        for _ in 0..self.buckets.len() {
            let bucket = &self.buckets[at];
            if let Some((slot, lane)) = find_in(bucket, hash, id, &id_of) {
                return Some((slot, Place { bucket: at, lane }));
            }
            if !bucket.is_passed() {
                break;
            }
            at = self.after(at);
        }
        None
    }

    /// The slot of an id and the place of its entry, or the place where that belongs.
    #[inline]
    pub(super) fn find_or_place(
        &mut self,
        id: u64,
        id_of: impl Fn(u32) -> u64,
    ) -> Result<(u32, Place), Place> {
        if self.len >= LOAD * self.buckets.len() {
            self.grow(&id_of);
        }
        let hash = Hash::of(id);
        let home = self.home(hash);
        let bucket = &self.buckets[home];
        if let Some((slot, lane)) = find_in(bucket, hash, id, &id_of) {
            return Ok((slot, Place { bucket: home, lane }));
        }
        let free = bucket.lanes(FREE);
        if free == 0 || bucket.is_passed() {
            return self.find_or_place_far(id, id_of);
        }
        let lane = first(free);
        Err(Place { bucket: home, lane })
    }

    /// Adds an id at the place that [`Index::find_or_place`] has just given.
    #[inline]
    pub(super) fn fill(&mut self, id: u64, at: Place, slot: u32) {
        let hash = Hash::of(id);
        let bucket = &mut self.buckets[at.bucket];
        bucket.mark(at.lane, hash.tag());
        bucket.slots[at.lane] = slot;
        self.len += 1;
        if self.home(hash) != at.bucket {
            self.pass(hash, at, |passed| passed.saturating_add(1));
        }
    }

    /// Removes the entry of an id from the place where it was found.
    #[inline]
    pub(super) fn remove(&mut self, id: u64, at: Place) {
        let hash = Hash::of(id);
        self.buckets[at.bucket].mark(at.lane, hash.tag());
        self.len -= 1;
        if self.home(hash) != at.bucket {
            let one_less = |passed| match passed {
                u16::MAX => u16::MAX,
                passed => passed - 1,
            };
            self.pass(hash, at, one_less);
        }
    }

    /// See [`OrderBook::warm`](super::OrderBook::warm).
    pub(super) fn warm(&self) -> usize {
        ask_lines(&self.buckets)
    }

    pub(super) fn clear(&mut self) {
        self.buckets.fill(Bucket::default());
        self.len = 0;
    }

    #[inline]
    fn home(&self, hash: Hash) -> usize {
        (hash.0 >> 32 >> self.shift) as usize
    }

    #[inline]
    fn after(&self, at: usize) -> usize {
        (at + 1) & (self.buckets.len() - 1)
    }

    /// [`Index::find_or_place`] where a bucket is or was full.
    #[cold]
    fn find_or_place_far(
        &self,
        id: u64,
        id_of: impl Fn(u32) -> u64,
    ) -> Result<(u32, Place), Place> {
        match self.find(id, id_of) {
            Some(found) => Ok(found),
            None => Err(self.free_from(self.home(Hash::of(id)))),
        }
    }

    /// The first free lane from a bucket on: there is one, since half of all are free.
    fn free_from(&self, mut at: usize) -> Place {
        loop {
            let free = self.buckets[at].lanes(FREE);
            if free != 0 {
                let lane = first(free);
                return Place { bucket: at, lane };
            }
            at = self.after(at);
        }
    }

    /// Changes the count of every bucket between a home and the place of an entry.
    #[cold]
    fn pass(&mut self, hash: Hash, to: Place, change: impl Fn(u16) -> u16) {
        let mut at = self.home(hash);
        while at != to.bucket {
            let passed = change(self.buckets[at].passed());
            self.buckets[at].set_passed(passed);
            at = self.after(at);
        }
    }

    #[cold]
    fn grow(&mut self, id_of: impl Fn(u32) -> u64) {
        let capacity = (2 * self.buckets.len()).max(1);
        let old = std::mem::replace(&mut self.buckets, vec![Bucket::default(); capacity]);
        self.shift = 32 - capacity.trailing_zeros();
        self.len = 0;
        for bucket in old {
            let free = bucket.lanes(FREE);
            for (lane, slot) in bucket.slots.into_iter().enumerate() {
                if free >> (8 * lane) & 0x80 == 0 {
                    let id = id_of(slot);
                    let place = self.free_from(self.home(Hash::of(id)));
                    self.fill(id, place, slot);
                }
            }
        }
    }
}

/// The slot of an id in a bucket, and its lane.
#[inline]
fn find_in(
    bucket: &Bucket,
    hash: Hash,
    id: u64,
    id_of: impl Fn(u32) -> u64,
) -> Option<(u32, usize)> {
    let mut lanes = bucket.lanes(hash.tag());
    while lanes != 0 {
        let lane = first(lanes);
        let slot = bucket.slots[lane];
        if id_of(slot) == id {
            return Some((slot, lane));
        }
        lanes &= lanes - 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_are_those_of_the_tag_and_no_others() {
        let mut bucket = Bucket::default();
        for passed in [1, 0, u16::MAX] {
            bucket.set_passed(passed);
            assert_eq!((bucket.passed(), bucket.is_passed()), (passed, passed != 0));
        }
        for (lane, tag) in [7, 8, 7, 0x80, 0x87, 0xff].into_iter().enumerate() {
            bucket.mark(lane, tag);
        }
        for tag in 0..=u8::MAX {
            let expected = [7, 8, 7, 0x80, 0x87, 0xff].into_iter().enumerate();
            let expected = expected.filter(|(_, other)| *other == tag);
            let expected: u64 = expected.map(|(lane, _)| 0x80 << (8 * lane)).sum();
            assert_eq!(bucket.lanes(tag), expected, "tag {tag}");
        }
        assert_eq!(bucket.passed(), u16::MAX);
    }

    /// Ids whose hashes have the same upper bits: every bucket but one is empty when they come.
    fn crowd() -> Vec<u64> {
        // The inverse of the multiplier gives an id for any hash.
        let mut inverse = GOLDEN;
        for _ in 0..6 {
            inverse = inverse.wrapping_mul(2_u64.wrapping_sub(GOLDEN.wrapping_mul(inverse)));
        }
        (0..100_u64)
            .map(|n| (u64::MAX - (n << 20)).wrapping_mul(inverse))
            .collect()
    }

    #[test]
    fn ids_of_one_home_are_found_and_leave_nothing_behind() {
        let ids = crowd();
        let id_of = |slot: u32| ids[slot as usize];
        let mut index = Index::default();
        for round in 0..3 {
            for (slot, id) in (0..).zip(&ids) {
                assert!(index.find(*id, id_of).is_none());
                let place = index.find_or_place(*id, id_of).unwrap_err();
                index.fill(*id, place, slot);
            }
            for (slot, id) in (0..).zip(&ids) {
                assert_eq!(index.find(*id, id_of).unwrap().0, slot, "round {round}");
                assert_eq!(index.find_or_place(*id, id_of).unwrap().0, slot);
            }
            for id in ids.iter().step_by(2).chain(ids.iter().skip(1).step_by(2)) {
                let (_, place) = index.find(*id, id_of).unwrap();
                index.remove(*id, place);
                assert!(index.find(*id, id_of).is_none());
            }
            assert!(index.len() == 0 && index.buckets.iter().all(|bucket| bucket.word == 0));
        }
    }

    /// What makes it fast: ids in steps of any size fill buckets evenly, and few share a tag.
    #[test]
    fn ids_that_rise_in_steps_spread() {
        for step in [1, 2, 7, 1_000, 1 << 20] {
            let ids: Vec<u64> = (1..=3_000).map(|n| n * step).collect();
            let mut index = Index::default();
            for (slot, id) in (0..).zip(&ids) {
                let place = index.find_or_place(*id, |slot| ids[slot as usize]);
                index.fill(*id, place.unwrap_err(), slot);
            }
            let used = index.buckets.iter().filter(|bucket| bucket.word != 0);
            assert_eq!(index.buckets.len(), 1_024);
            assert!(used.count() > 900, "steps of {step}");
            let passed = index.buckets.iter().map(|b| u32::from(b.passed()));
            let passed: u32 = passed.sum();
            assert!(passed < 300, "steps of {step}: {passed} went on");
            let mut tags: Vec<u8> = ids.iter().map(|id| Hash::of(*id).tag()).collect();
            tags.sort_unstable();
            tags.dedup();
            assert!(tags.len() > 100 && tags[0] != FREE, "steps of {step}");
        }
    }
}

//! Distinct values, numbered as they come.

/// Values that a dictionary may have: more than this, and plain values are no larger.
const MAX_LEN: usize = 131_072;

/// Places that are looked at for one value. Values that were chosen to collide give up the dictionary, not the time.
const MAX_PROBES: usize = 256;

/// A value as a number that sorts as the value does.
pub(super) trait Key: Copy + Ord {
    /// The smallest number.
    const MIN: Self;

    /// The largest number.
    const MAX: Self;

    /// A number whose upper bits differ when values do.
    fn hash(self) -> u64;
}

/// An odd number without a pattern in its bits: 2^64 divided by the golden ratio.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

impl Key for u64 {
    const MIN: Self = Self::MIN;
    const MAX: Self = Self::MAX;

    #[inline]
    fn hash(self) -> u64 {
        (self ^ self >> 32).wrapping_mul(GOLDEN)
    }
}

impl Key for u128 {
    const MIN: Self = Self::MIN;
    const MAX: Self = Self::MAX;

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
    fn hash(self) -> u64 {
        let (high, low) = ((self >> 64) as u64, self as u64);
        (high ^ low.wrapping_mul(GOLDEN).rotate_left(32)).hash()
    }
}

/// Gives each distinct value its place, in order of first appearance.
///
/// It can be used for one column after the other, so that its memory is asked for once.
pub(super) struct Dictionary<K> {
    keys: Vec<K>,
    /// A power of two of places; one more than a key's number, or 0.
    slots: Vec<u32>,
    /// How far down the upper bits of a hash are, as many as number the slots.
    shift: u32,
    /// Whether there were too many values.
    overflow: bool,
}

/// Slots of a new dictionary, as a power of two.
const FIRST_BITS: u32 = 10;

impl<K> Default for Dictionary<K> {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            slots: vec![0; 1 << FIRST_BITS],
            shift: u64::BITS - FIRST_BITS,
            overflow: false,
        }
    }
}

impl<K: Key> Dictionary<K> {
    /// Forgets all values.
    pub(super) fn clear(&mut self) {
        self.keys.clear();
        self.slots.clear();
        self.slots.resize(1 << FIRST_BITS, 0);
        self.shift = u64::BITS - FIRST_BITS;
        self.overflow = false;
    }

    /// The distinct values; `None` when there were too many, and then the numbers that were given mean nothing.
    pub(super) fn keys(&self) -> Option<&[K]> {
        (!self.overflow).then_some(&self.keys)
    }

    /// The number of a value.
    #[inline]
    pub(super) fn number(&mut self, key: K) -> u32 {
        let slot = self.first_slot(key);
        let number = self.slots[slot];
        match self.keys.get((number as usize).wrapping_sub(1)) {
            Some(&known) if known == key => number - 1,
            _ => self.search(key, slot),
        }
    }

    /// The number of a value that is not in its first slot.
    #[inline(never)]
    fn search(&mut self, key: K, mut slot: usize) -> u32 {
        let mask = self.slots.len() - 1;
        for _ in 0..MAX_PROBES {
            let number = self.slots[slot];
            if number == 0 {
                return self.add(key, slot);
            }
            if self.keys[number as usize - 1] == key {
                return number - 1;
            }
            slot = (slot + 1) & mask;
        }
        self.overflow = true;
        0
    }

    #[inline]
    fn first_slot(&self, key: K) -> usize {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "as many bits as number the slots"
        )]
        let slot = (key.hash() >> self.shift) as usize;
        slot
    }

    #[cold]
    fn add(&mut self, key: K, slot: usize) -> u32 {
        if self.overflow || self.keys.len() == MAX_LEN {
            self.overflow = true;
            return 0;
        }
        let number = u32::try_from(self.keys.len()).unwrap_or_default();
        self.keys.push(key);
        self.slots[slot] = number + 1;
        if self.keys.len() * 2 > self.slots.len() {
            self.grow();
        }
        number
    }

    fn grow(&mut self) {
        let slots = self.slots.len() * 4;
        self.slots.clear();
        self.slots.resize(slots, 0);
        self.shift -= 2;
        let mask = self.slots.len() - 1;
        for (number, &key) in (1..).zip(&self.keys) {
            let mut slot = self.first_slot(key);
            while self.slots[slot] != 0 {
                slot = (slot + 1) & mask;
            }
            self.slots[slot] = number;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_numbered_as_they_come() {
        let mut dictionary = Dictionary::default();
        let mut seen = std::collections::HashMap::new();
        for i in 0..200_000_u64 {
            let key = i * i % 60_013 * 1_000_003;
            let next = u32::try_from(seen.len()).unwrap();
            let expected = *seen.entry(key).or_insert(next);
            assert_eq!(dictionary.number(key), expected);
        }
        assert_eq!(dictionary.keys().unwrap().len(), seen.len());
    }

    #[test]
    fn too_many_values_give_up() {
        let mut dictionary = Dictionary::default();
        for key in 0..MAX_LEN as u128 {
            dictionary.number(key << 60);
        }
        assert_eq!(dictionary.keys().map(<[u128]>::len), Some(MAX_LEN));
        dictionary.number(u128::MAX);
        assert!(dictionary.keys().is_none());
    }

    #[test]
    fn values_that_collide_give_up() {
        // The inverse of the multiplication makes values with one and the same hash.
        let mut inverse = GOLDEN;
        for _ in 0..6 {
            inverse = inverse.wrapping_mul(2_u64.wrapping_sub(GOLDEN.wrapping_mul(inverse)));
        }
        let mut dictionary = Dictionary::default();
        for low in 0..2000_u64 {
            let mixed = low.wrapping_mul(inverse);
            let key = mixed ^ mixed >> 32;
            assert_eq!(key.hash(), low);
            dictionary.number(key);
        }
        assert!(dictionary.keys().is_none());
    }
}

//! Random numbers of our own, so that a seed means the same bytes for ever.

/// Xoshiro256++ (Blackman and Vigna), seeded by `SplitMix64`. Integers only: no result depends on a
/// platform's floating point.
#[derive(Debug, Clone)]
pub(super) struct Rng([u64; 4]);

impl Rng {
    pub(super) fn new(seed: u64) -> Self {
        let mut x = seed;
        Self(std::array::from_fn(|_| {
            x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = x;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        }))
    }

    #[inline]
    pub(super) fn next(&mut self) -> u64 {
        let s = &mut self.0;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// Uniform below `n`, or 0 if `n` is 0.
    #[inline]
    pub(super) fn below(&mut self, n: u32) -> u32 {
        (((self.next() >> 32) * u64::from(n)) >> 32) as u32
    }

    /// Uniform below `n`, or 0 if `n` is 0.
    #[inline]
    pub(super) fn below_wide(&mut self, n: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(n)) >> 64) as u64
    }

    /// True in `part` of `whole` cases.
    #[inline]
    pub(super) fn chance(&mut self, part: u32, whole: u32) -> bool {
        self.below(whole) < part
    }

    /// Heavy-tailed: every power of two up to `2^bits` is about equally likely.
    #[inline]
    pub(super) fn tail(&mut self, bits: u32) -> u32 {
        let bound = 1 << self.below(bits + 1);
        self.below(bound)
    }

    /// One of `items`.
    #[inline]
    pub(super) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        #[expect(clippy::cast_possible_truncation, reason = "menus are short")]
        let n = items.len() as u32;
        items[self.below(n) as usize]
    }
}

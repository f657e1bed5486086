//! The distance between prices of which others are multiples.

/// The largest size: so many steps as fit the window are less than 2^63 then.
const MAX_SIZE: u64 = 1 << 57;

/// A tick: counts steps between prices by a multiplication, since a division takes ten times as long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tick {
    size: u64,
    /// Inverse of the odd factor of the size, modulo 2^64.
    inverse: u64,
    /// How often two is a factor of the size.
    twos: u32,
}

impl Tick {
    /// A tick of any size, limited to what a window can be made of.
    pub(super) fn new(size: u64) -> Self {
        let size = size.clamp(1, MAX_SIZE);
        let twos = size.trailing_zeros();
        let odd = size >> twos;
        // Newton: an odd number is its own inverse in the lowest three bits, and each round doubles the right ones.
        let mut inverse = odd;
        for _ in 0..5 {
            inverse = inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)));
        }
        Self {
            size,
            inverse,
            twos,
        }
    }

    /// The largest tick of which all gaps are multiples; `None` when there is no gap.
    pub(super) fn of(gaps: impl Iterator<Item = u64>) -> Option<Self> {
        let size = gaps.fold(0, gcd);
        (size > 0).then(|| Self::new(size))
    }

    #[inline]
    pub(super) fn size(self) -> u64 {
        self.size
    }

    /// Number of ticks of a gap if it is a multiple and has fewer than 64, else 64 or any larger number.
    #[inline]
    pub(super) fn steps(self, gap: u64) -> u64 {
        // Less than 64 can come of one gap only: undone, the rotation and the product give back less than 2^63.
        gap.wrapping_mul(self.inverse).rotate_right(self.twos)
    }

    /// Number of ticks that a gap reaches over, the last one in part or in whole, but no more than `most`, which is 64 or
    /// less. A longer gap takes no division.
    #[inline]
    pub(super) fn span(self, gap: u64, most: u64) -> u64 {
        if gap >= most * self.size {
            most
        } else {
            gap.div_ceil(self.size)
        }
    }
}

/// The greatest common divisor; that of a number and zero is the number.
fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_multiple_of_less_than_64_ticks_is_that_many_steps() {
        let sizes = [
            1,
            2,
            3,
            64,
            100,
            10_000_000,
            1 << 56,
            MAX_SIZE - 1,
            MAX_SIZE,
        ];
        for size in sizes {
            let tick = Tick::new(size);
            assert_eq!(tick.size(), size);
            for steps in 0..64 {
                let gap = steps * size;
                assert_eq!((tick.steps(gap), tick.span(gap, 64)), (steps, steps));
                assert!(tick.steps(gap.wrapping_neg()) >= 64 || steps == 0);
                for off in [1, size / 2, size.saturating_sub(1)] {
                    if off % size != 0 {
                        assert!(tick.steps(gap + off) >= 64, "{size}: {steps} and {off}");
                        assert_eq!(tick.span(gap + off, 64), steps + 1);
                    }
                }
            }
            for gap in [64 * size, 65 * size, 1 << 63, u64::MAX] {
                assert!(tick.steps(gap) >= 64, "{size}: {gap}");
                assert_eq!((tick.span(gap, 64), tick.span(gap, 9)), (64, 9));
            }
        }
    }

    #[test]
    fn a_tick_divides_all_gaps_and_is_not_too_large() {
        let of = |gaps: &[u64]| Tick::of(gaps.iter().copied()).map(Tick::size);
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[0]), None);
        assert_eq!(of(&[300]), Some(300));
        assert_eq!(of(&[300, 500, 900]), Some(100));
        assert_eq!(of(&[300, 500, 901]), Some(1));
        assert_eq!(of(&[1 << 60, 1 << 61]), Some(MAX_SIZE));
        assert_eq!(Tick::new(0).size(), 1);
    }
}

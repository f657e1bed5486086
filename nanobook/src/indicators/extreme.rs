//! Highest and lowest value of a moving window, in constant time whatever the data (van Herk 1992, Gil and Werman
//! 1993): a window is the tail of one block and the head of the next. The buffer holds raw values of the running block
//! up to now, and behind it running extremes from the end of the block before.

use multiversion::multiversion;

use super::block::{BLOCK, NEAR};

#[derive(Debug, Clone)]
pub(super) struct Extreme<const HIGH: bool> {
    buffer: Vec<f64>,
    slot: usize,
    head: f64,
    /// Rows until the newest NaN has left the window.
    blind: usize,
}

#[inline]
fn better<const HIGH: bool>(a: f64, b: f64) -> f64 {
    if HIGH {
        if a > b { a } else { b }
    } else if a < b {
        a
    } else {
        b
    }
}

impl<const HIGH: bool> Extreme<HIGH> {
    const WORST: f64 = if HIGH {
        f64::NEG_INFINITY
    } else {
        f64::INFINITY
    };

    pub(super) fn new(window: usize) -> Self {
        Extreme {
            buffer: vec![Self::WORST; window],
            slot: 0,
            head: Self::WORST,
            blind: 0,
        }
    }

    pub(super) fn window(&self) -> usize {
        self.buffer.len()
    }

    /// The extreme of the window that ends with `value`; of fewer rows at the start; NaN when the window holds a NaN.
    #[inline]
    pub(super) fn push(&mut self, value: f64) -> f64 {
        let window = self.buffer.len();
        if value.is_nan() {
            self.blind = window;
        }
        self.head = better::<HIGH>(self.head, value);
        self.buffer[self.slot] = value;
        self.slot += 1;
        let found = if self.slot < window {
            better::<HIGH>(self.buffer[self.slot], self.head)
        } else {
            let found = self.head;
            self.slot = 0;
            self.head = Self::WORST;
            let mut tail = Self::WORST;
            for entry in self.buffer.iter_mut().rev() {
                // A NaN is passed over here and reported by `blind`.
                tail = better::<HIGH>(*entry, tail);
                *entry = tail;
            }
            found
        };
        if self.blind > 0 {
            self.blind -= 1;
            return f64::NAN;
        }
        found
    }
}

/// What stands between two passes over a block and the rows before it.
pub(super) type Spans = [[f64; BLOCK + NEAR]; 2];

/// The extremes of each `window` of numbers: as many as there are values less `window - 1`.
///
/// Spans are doubled, in passes that many rows take at once.
#[multiversion(targets("x86_64+avx2"))]
pub(super) fn extremes<const HIGH: bool>(
    window: usize,
    values: &[f64],
    spans: &mut Spans,
    out: &mut [f64],
) {
    let [mut from, mut to] = spans.each_mut().map(|span| &mut span[..values.len()]);
    let mut span = 1;
    let mut seen = values;
    while 2 * span < window {
        join::<HIGH>(seen, span, to);
        std::mem::swap(&mut from, &mut to);
        seen = &from[..values.len() + 1 - 2 * span];
        span *= 2;
    }
    join::<HIGH>(seen, window - span, out);
}

/// The better one of each value and the one `distance` behind it.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "made anew for each instruction set of its callers"
)]
fn join<const HIGH: bool>(values: &[f64], distance: usize, out: &mut [f64]) {
    for ((out, &a), &b) in out.iter_mut().zip(values).zip(&values[distance..]) {
        *out = better::<HIGH>(a, b);
    }
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, Extreme, NEAR, extremes};

    #[test]
    fn passes_equal_a_scan_of_the_window() {
        let values: Vec<f64> = (0..300u32).map(|i| f64::from(i * i * 7919 % 101)).collect();
        let mut spans = [[0.0; BLOCK + NEAR]; 2];
        for window in 1..40 {
            let mut high = vec![0.0; values.len() + 1 - window];
            let mut low = high.clone();
            extremes::<true>(window, &values, &mut spans, &mut high);
            extremes::<false>(window, &values, &mut spans, &mut low);
            for (row, seen) in values.windows(window).enumerate() {
                let most = seen.iter().copied().fold(f64::MIN, f64::max);
                let least = seen.iter().copied().fold(f64::MAX, f64::min);
                assert_eq!(
                    (high[row].to_bits(), low[row].to_bits()),
                    (most.to_bits(), least.to_bits())
                );
            }
        }
    }

    #[test]
    fn equals_a_scan_of_the_window() {
        let values: Vec<f64> = (0..400u32)
            .map(|i| {
                if i % 61 == 60 {
                    f64::NAN
                } else {
                    f64::from(i * i * 7919 % 101)
                }
            })
            .collect();
        for window in 1..20 {
            let mut high = Extreme::<true>::new(window);
            let mut low = Extreme::<false>::new(window);
            for (i, &value) in values.iter().enumerate() {
                let seen = &values[(i + 1).saturating_sub(window)..=i];
                let (top, bottom) = (high.push(value), low.push(value));
                if seen.iter().any(|v| v.is_nan()) {
                    assert!(top.is_nan() && bottom.is_nan());
                    continue;
                }
                let most = seen.iter().copied().fold(f64::MIN, f64::max);
                let least = seen.iter().copied().fold(f64::MAX, f64::min);
                assert!((top - most).abs() < 1e-300 && (bottom - least).abs() < 1e-300);
            }
        }
    }
}

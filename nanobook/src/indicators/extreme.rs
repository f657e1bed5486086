//! Highest and lowest value of a moving window, in constant time whatever the data (van Herk 1992, Gil and Werman
//! 1993): a window is the tail of one block and the head of the next. The buffer holds raw values of the running block
//! up to now, and behind it running extremes from the end of the block before.

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

#[cfg(test)]
mod tests {
    use super::Extreme;

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

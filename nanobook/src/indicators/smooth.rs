//! Averages of a series that is made on the way, for indicators built on others.

/// An exponential average seeded by the simple average of its first `window` values.
#[derive(Debug, Clone)]
pub(super) struct Exponential {
    pub(super) window: usize,
    factor: f64,
    seen: usize,
    value: f64,
}

impl Exponential {
    pub(super) fn new(window: usize) -> Self {
        Exponential {
            window,
            factor: 2.0 / (window as f64 + 1.0),
            seen: 0,
            value: 0.0,
        }
    }

    /// Starts from a given average.
    pub(super) fn seed(&mut self, value: f64) {
        self.seen = self.window;
        self.value = value;
    }

    /// The average including `value`; none while fewer than `window` were seen.
    #[inline]
    pub(super) fn push(&mut self, value: f64) -> Option<f64> {
        if self.seen >= self.window {
            self.value += (value - self.value) * self.factor;
            return Some(self.value);
        }
        self.seen += 1;
        self.value += value;
        if self.seen < self.window {
            return None;
        }
        self.value /= self.window as f64;
        Some(self.value)
    }
}

/// A simple average over a ring of its own.
#[derive(Debug, Clone)]
pub(super) struct Simple {
    ring: Vec<f64>,
    slot: usize,
    seen: usize,
    sum: f64,
}

impl Simple {
    pub(super) fn new(window: usize) -> Self {
        Simple {
            ring: vec![0.0; window],
            slot: 0,
            seen: 0,
            sum: 0.0,
        }
    }

    #[inline]
    pub(super) fn push(&mut self, value: f64) -> Option<f64> {
        let window = self.ring.len();
        self.sum += value;
        self.ring[self.slot] = value;
        self.slot += 1;
        if self.slot == window {
            self.slot = 0;
        }
        if self.seen + 1 < window {
            self.seen += 1;
            return None;
        }
        if self.sum.is_nan() {
            self.sum = self.ring.iter().sum();
        }
        let mean = self.sum / window as f64;
        // After the advance the slot holds the oldest value, which leaves the window now.
        self.sum -= self.ring[self.slot];
        Some(mean)
    }
}

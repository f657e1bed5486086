//! Averages of a series that is made on the way, for indicators built on others.

use multiversion::multiversion;

use super::recurrence::{Passes, Recurrence};

/// An exponential average seeded by the simple average of its first `window` values.
#[derive(Debug, Clone)]
pub(super) struct Exponential {
    pub(super) window: usize,
    pub(super) steps: Recurrence,
    seen: usize,
    pub(super) value: f64,
}

impl Exponential {
    pub(super) fn new(window: usize) -> Self {
        let share = 2.0 / (window as f64 + 1.0);
        Exponential {
            window,
            steps: Recurrence::new(1.0 - share, share),
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
            return Some(self.steps.one(&mut self.value, value));
        }
        self.seen += 1;
        self.value += value;
        if self.seen < self.window {
            return None;
        }
        self.value /= self.window as f64;
        Some(self.value)
    }

    /// The averages at values behind the first window.
    #[inline]
    pub(super) fn run(&mut self, values: &[f64], passes: &mut Passes, out: &mut [f64]) {
        self.steps.run(&mut self.value, values, passes, out);
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

    pub(super) fn window(&self) -> usize {
        self.ring.len()
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

/// Averages of each `window` of numbers: as many as there are values less `window - 1`.
#[multiversion(targets("x86_64+avx2"))]
pub(super) fn averages(window: usize, values: &[f64], out: &mut [f64]) {
    let n = window as f64;
    if window == 3 {
        // The usual one, without a sum that is carried along.
        for (out, x) in out.iter_mut().zip(values.array_windows::<3>()) {
            *out = (x[0] + x[1] + x[2]) / n;
        }
        return;
    }
    let (first, news) = values.split_at(window - 1);
    let mut sum: f64 = first.iter().sum();
    for ((out, &new), &old) in out.iter_mut().zip(news).zip(values) {
        sum += new;
        *out = sum / n;
        sum -= old;
    }
}

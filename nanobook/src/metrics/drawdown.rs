//! Falls from a peak.

/// One fall from a peak until it is reached again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drawdown {
    /// The row of the peak.
    pub peak: usize,
    /// The row of the lowest value.
    pub trough: usize,
    /// The first row at or above the peak again; `None` when there is none yet.
    pub recovery: Option<usize>,
    /// How far it fell, as a positive fraction of the peak.
    pub depth: f64,
}

/// Every fall of a curve from its highest value so far, in order of time.
///
/// # Examples
/// ```
/// use nanobook::metrics::drawdowns;
/// let falls = drawdowns(&[100.0, 90.0, 95.0, 101.0, 50.5]);
/// assert_eq!((falls[0].peak, falls[0].trough, falls[0].recovery), (0, 1, Some(3)));
/// assert_eq!((falls[1].depth, falls[1].recovery), (0.5, None));
/// ```
pub fn drawdowns(equity: &[f64]) -> Vec<Drawdown> {
    let mut falls: Vec<Drawdown> = Vec::new();
    let mut peak = 0;
    for (row, &value) in equity.iter().enumerate() {
        if value >= equity[peak] {
            if let Some(last) = falls.last_mut().filter(|last| last.recovery.is_none()) {
                last.recovery = Some(row);
            }
            peak = row;
            continue;
        }
        let depth = 1.0 - value / equity[peak];
        match falls.last_mut().filter(|last| last.recovery.is_none()) {
            Some(last) if depth > last.depth => (last.trough, last.depth) = (row, depth),
            Some(_) => {}
            None => falls.push(Drawdown {
                peak,
                trough: row,
                recovery: None,
                depth,
            }),
        }
    }
    falls
}

/// How far each value of a curve is below its highest so far: zero or a negative fraction.
pub fn drawdown_series(equity: &[f64]) -> Vec<f64> {
    let mut peak = f64::NEG_INFINITY;
    let below = |value: &f64| {
        peak = peak.max(*value);
        (value / peak - 1.0).min(0.0)
    };
    equity.iter().map(below).collect()
}

use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Indicator;
use crate::stats::Error;

/// Runs one indicator over many symbols on up to `threads` threads: `inputs[i][s]` is input `i` of symbol `s`, and the
/// result's `[o][s]` its output `o`.
///
/// The result does not depend on the number of threads.
///
/// # Errors
/// When the inputs have different numbers of symbols, or a symbol's inputs differ in length.
///
/// # Panics
/// Only when a thread panics, which none does.
///
/// ```
/// use nanobook::indicators::{Sma, panel};
///
/// let (a, b) = ([1.0, 2.0, 3.0], [4.0, 6.0, 8.0]);
/// let [means] = panel(&Sma::new(2)?, [&[&a, &b]], std::num::NonZeroUsize::MIN)?;
/// assert_eq!(means[1][1..], [5.0, 7.0]);
/// # Ok::<(), nanobook::stats::Error>(())
/// ```
pub fn panel<const I: usize, const O: usize, T>(
    indicator: &T,
    inputs: [&[&[f64]]; I],
    threads: NonZeroUsize,
) -> Result<[Vec<Vec<f64>>; O], Error>
where
    T: Indicator<I, O> + Clone + Sync,
{
    let symbols = inputs.first().map_or(0, |input| input.len());
    for input in &inputs {
        crate::stats::error::same_length("an input's symbols", input.len(), symbols)?;
    }
    let compute = |symbol: usize| -> Result<[Vec<f64>; O], Error> {
        indicator.clone().batch(inputs.map(|input| input[symbol]))
    };
    let threads = threads.get().min(symbols.max(1));
    let rows: Vec<[Vec<f64>; O]> = if threads == 1 {
        (0..symbols).map(compute).collect::<Result<_, _>>()?
    } else {
        let next = AtomicUsize::new(0);
        let done = Mutex::new(Vec::with_capacity(symbols));
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    let mut mine = Vec::new();
                    loop {
                        let symbol = next.fetch_add(1, Ordering::Relaxed);
                        if symbol >= symbols {
                            break;
                        }
                        mine.push((symbol, compute(symbol)));
                    }
                    done.lock()
                        .expect("no thread panics while it holds this")
                        .extend(mine);
                });
            }
        });
        let mut done = done.into_inner().expect("all threads have ended");
        done.sort_unstable_by_key(|(symbol, _)| *symbol);
        done.into_iter()
            .map(|(_, values)| values)
            .collect::<Result<_, _>>()?
    };
    let mut outputs = std::array::from_fn(|_| Vec::with_capacity(symbols));
    for values in rows {
        for (output, value) in outputs.iter_mut().zip(values) {
            output.push(value);
        }
    }
    Ok(outputs)
}

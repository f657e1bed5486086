use super::error::at_least;
use super::{Error, Result};
use crate::linalg::Matrix;

/// What combinatorially symmetric cross-validation says of choosing the best of many strategies.
#[derive(Debug, Clone, PartialEq)]
pub struct Overfitting {
    /// Share of splits in which the best strategy in sample was not above the median out of sample.
    pub probability: f64,
    /// Logit of the out-of-sample rank of the best in sample, one for each split, in lexicographic order of the blocks
    /// that train.
    pub logits: Vec<f64>,
    /// Slope of out-of-sample on in-sample Sharpe ratio of the chosen strategy over splits.
    pub slope: f64,
    /// Share of splits in which the chosen strategy lost money out of sample.
    pub loss_probability: f64,
}

/// The probability of backtest overfitting (Bailey, Borwein, López de Prado and Zhu 2015): every half of `blocks` equal
/// blocks of rows trains, the other half tests, strategies (columns) are ranked by Sharpe ratio. Rows that do not fill
/// the last block are left out at the end. The rank is r / (strategies + 1), ties averaged.
///
/// # Errors
/// When `blocks` is odd or not from 2 to 20, there are fewer than two strategies or two rows a block, a return is not
/// finite, or a strategy does not vary in a half.
pub fn overfitting_probability(returns: Matrix<'_>, blocks: usize) -> Result<Overfitting> {
    if !(2..=20).contains(&blocks) || blocks % 2 == 1 {
        return Err(Error::Parameter {
            name: "blocks",
            found: blocks as f64,
            wanted: "give an even number from 2 to 20",
        });
    }
    at_least("strategies", returns.columns(), 2)?;
    at_least("rows", returns.rows(), 2 * blocks)?;
    returns.finite("returns")?;
    let strategies = returns.columns();
    let length = returns.rows() / blocks;
    // Sums and sums of squares about the whole mean, so that a half is a sum of blocks.
    let rows = length * blocks;
    let mut mean = vec![0.0; strategies];
    for row in 0..rows {
        for (mean, value) in mean.iter_mut().zip(returns.row(row)) {
            *mean += value / rows as f64;
        }
    }
    let mut sums = vec![[0.0; 2]; blocks * strategies];
    for row in 0..rows {
        let block = &mut sums[row / length * strategies..][..strategies];
        for ((sum, value), mean) in block.iter_mut().zip(returns.row(row)).zip(&mean) {
            let distance = value - mean;
            sum[0] += distance;
            sum[1] += distance * distance;
        }
    }
    let half_rows = (rows / 2) as f64;
    let ratios = |mask: u32| -> Result<Vec<f64>> {
        (0..strategies)
            .map(|strategy| {
                let (mut sum, mut squares) = (0.0, 0.0);
                for block in (0..blocks).filter(|block| mask >> block & 1 == 1) {
                    let [s, q] = sums[block * strategies + strategy];
                    sum += s;
                    squares += q;
                }
                let variance = (squares - sum * sum / half_rows) / (half_rows - 1.0);
                if variance <= 0.0 {
                    return Err(Error::Constant {
                        name: "a strategy",
                        column: strategy,
                    });
                }
                Ok((sum / half_rows + mean[strategy]) / variance.sqrt())
            })
            .collect()
    };
    let all = (1u32 << blocks) - 1;
    let mut masks: Vec<u32> = (0..=all)
        .filter(|m| m.count_ones() as usize == blocks / 2)
        .collect();
    masks.sort_unstable_by_key(|mask| std::cmp::Reverse(mask.reverse_bits()));
    let mut logits = Vec::with_capacity(masks.len());
    let (mut inside, mut outside) = (Vec::new(), Vec::new());
    for mask in masks {
        let (train, test) = (ratios(mask)?, ratios(all & !mask)?);
        let best = (0..strategies).fold(0, |best, s| if train[s] > train[best] { s } else { best });
        let rank = super::rank::ranks(&test)[best] / (strategies as f64 + 1.0);
        logits.push((rank / (1.0 - rank)).ln());
        inside.push(train[best]);
        outside.push(test[best]);
    }
    let count = logits.len() as f64;
    let losing = |values: &[f64]| values.iter().filter(|v| **v <= 0.0).count() as f64 / count;
    let average = |values: &[f64]| values.iter().sum::<f64>() / count;
    let (mean_in, mean_out) = (average(&inside), average(&outside));
    let cross: f64 = inside
        .iter()
        .zip(&outside)
        .map(|(i, o)| (i - mean_in) * (o - mean_out))
        .sum();
    let own: f64 = inside.iter().map(|i| (i - mean_in) * (i - mean_in)).sum();
    Ok(Overfitting {
        probability: losing(&logits),
        slope: cross / own,
        loss_probability: losing(&outside),
        logits,
    })
}

//! Matrices as plain slices.

use crate::stats::{Error, Result};

/// A borrowed matrix, row after row: row `r` is one time, column `c` one asset or factor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Matrix<'a> {
    values: &'a [f64],
    columns: usize,
}

impl<'a> Matrix<'a> {
    /// Views `values` as rows of `columns` values each.
    ///
    /// # Errors
    /// When the values do not fill whole rows.
    ///
    /// ```
    /// use nanobook::linalg::Matrix;
    ///
    /// let returns = Matrix::new(&[0.01, -0.02, 0.00, 0.03], 2)?;
    /// assert_eq!((returns.rows(), returns.columns()), (2, 2));
    /// assert_eq!(returns.row(1), [0.00, 0.03]);
    /// # Ok::<(), nanobook::stats::Error>(())
    /// ```
    pub fn new(values: &'a [f64], columns: usize) -> Result<Self> {
        if columns == 0 || !values.len().is_multiple_of(columns) {
            return Err(Error::Length {
                name: "a matrix",
                found: values.len(),
                wanted: values
                    .len()
                    .checked_div(columns)
                    .map_or(0, |rows| (rows + 1) * columns),
            });
        }
        Ok(Matrix { values, columns })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.values.len() / self.columns
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// All values, row after row.
    pub fn values(&self) -> &'a [f64] {
        self.values
    }

    /// One row.
    pub fn row(&self, row: usize) -> &'a [f64] {
        &self.values[row * self.columns..(row + 1) * self.columns]
    }

    /// The value at a row and a column.
    pub fn at(&self, row: usize, column: usize) -> f64 {
        self.values[row * self.columns + column]
    }

    /// A copy of one column.
    pub fn column(&self, column: usize) -> Vec<f64> {
        self.values
            .iter()
            .skip(column)
            .step_by(self.columns)
            .copied()
            .collect()
    }

    /// Checks that every value is finite.
    pub(crate) fn finite(&self, name: &'static str) -> Result<()> {
        match self.values.iter().position(|v| !v.is_finite()) {
            None => Ok(()),
            Some(at) => Err(Error::NotFinite {
                name,
                row: at / self.columns,
                column: at % self.columns,
            }),
        }
    }
}

/// The lower triangle of the Cholesky factor of a symmetric matrix of `n` rows; none when it is not positive definite.
pub(crate) fn cholesky(matrix: &[f64], n: usize) -> Option<Vec<f64>> {
    let mut factor = vec![0.0; n * n];
    let scale = (0..n).map(|i| matrix[i * n + i].abs()).fold(0.0, f64::max);
    for i in 0..n {
        for j in 0..=i {
            let (row_i, row_j) = (&factor[i * n..i * n + j], &factor[j * n..j * n + j]);
            let sum = matrix[i * n + j] - dot(row_i, row_j);
            if i == j {
                if sum.is_nan() || sum <= scale * 1e-15 {
                    return None;
                }
                factor[i * n + i] = sum.sqrt();
            } else {
                factor[i * n + j] = sum / factor[j * n + j];
            }
        }
    }
    Some(factor)
}

/// Solves with a Cholesky factor, in place.
pub(crate) fn cholesky_solve(factor: &[f64], n: usize, x: &mut [f64]) {
    for i in 0..n {
        let sum = x[i] - dot(&factor[i * n..i * n + i], &x[..i]);
        x[i] = sum / factor[i * n + i];
    }
    for i in (0..n).rev() {
        let value = x[i] / factor[i * n + i];
        x[i] = value;
        let row = &factor[i * n..i * n + i];
        for (x, &f) in x[..i].iter_mut().zip(row) {
            *x -= f * value;
        }
    }
}

/// The inner product, in eight lanes.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (a_chunks, b_chunks) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = a_chunks
        .remainder()
        .iter()
        .zip(b_chunks.remainder())
        .map(|(x, y)| x * y)
        .sum();
    for (x, y) in a_chunks.zip(b_chunks) {
        for k in 0..8 {
            lanes[k] += x[k] * y[k];
        }
    }
    lanes.iter().sum::<f64>() + rest
}

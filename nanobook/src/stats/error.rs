use thiserror::Error;

/// Why a statistic could not be computed. Shared by [`stats`](crate::stats), [`cv`](crate::cv),
/// [`indicators`](crate::indicators), [`volatility`](crate::volatility) and the optimizers.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Error {
    /// A parameter is outside the values for which the statistic is defined.
    #[error("{name} is {found}: {wanted}")]
    Parameter {
        /// The parameter's name.
        name: &'static str,
        /// What was given.
        found: f64,
        /// What is accepted.
        wanted: &'static str,
    },
    /// There are fewer rows (or columns) than the statistic needs.
    #[error("{what} has {found}, at least {needed} are needed")]
    TooFew {
        /// What was counted.
        what: &'static str,
        /// How many are needed.
        needed: usize,
        /// How many there are.
        found: usize,
    },
    /// Two inputs that belong together differ in length.
    #[error("{name} has {found} values, {wanted} were expected")]
    Length {
        /// The input that does not fit.
        name: &'static str,
        /// Its length.
        found: usize,
        /// The length that the other inputs have.
        wanted: usize,
    },
    /// A value is NaN or infinite where a number is needed.
    #[error("{name} is not finite at row {row}, column {column}: drop or fill it first")]
    NotFinite {
        /// The input.
        name: &'static str,
        /// Row, from 0.
        row: usize,
        /// Column, from 0; 0 for a single series.
        column: usize,
    },
    /// A series does not vary, so that dividing by its deviation would mean nothing.
    #[error("{name} is constant in column {column}: the statistic is not defined for it")]
    Constant {
        /// The input.
        name: &'static str,
        /// Column, from 0; 0 for a single series.
        column: usize,
    },
    /// A matrix has no inverse, and the method needs one.
    #[error("{name} is singular: {hint}")]
    Singular {
        /// The matrix.
        name: &'static str,
        /// What to do about it.
        hint: &'static str,
    },
    /// No weights satisfy all the constraints.
    #[error("no weights satisfy the constraints: {detail}")]
    Infeasible {
        /// Which constraints contradict each other, as far as that is known.
        detail: String,
    },
    /// The problem has no finite optimum.
    #[error("the objective has no finite optimum: {hint}")]
    Unbounded {
        /// What to do about it.
        hint: &'static str,
    },
    /// The solver stopped before it reached its tolerance.
    #[error("{what} did not converge after {iterations} iterations, {detail}")]
    NotConverged {
        /// What was being solved.
        what: &'static str,
        /// Iterations that were made.
        iterations: usize,
        /// How far it came.
        detail: String,
    },
}

/// The result of a statistic.
pub type Result<T> = std::result::Result<T, Error>;

/// Checks that every value is finite.
pub(crate) fn finite(name: &'static str, values: &[f64]) -> Result<()> {
    match values.iter().position(|v| !v.is_finite()) {
        None => Ok(()),
        Some(row) => Err(Error::NotFinite {
            name,
            row,
            column: 0,
        }),
    }
}

/// Checks that there are at least `needed` values.
pub(crate) fn at_least(what: &'static str, found: usize, needed: usize) -> Result<()> {
    if found < needed {
        return Err(Error::TooFew {
            what,
            needed,
            found,
        });
    }
    Ok(())
}

/// Checks that a second input is as long as the first.
pub(crate) fn same_length(name: &'static str, found: usize, wanted: usize) -> Result<()> {
    if found != wanted {
        return Err(Error::Length {
            name,
            found,
            wanted,
        });
    }
    Ok(())
}

use crate::stats::error::{at_least, finite};
use crate::stats::{Error, Result};

/// The mean of the returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mean {
    /// Zero.
    Zero,
    /// A constant, estimated with the rest.
    Constant,
}

/// How today's variance follows from the past. Residual `e`, variance `h`, standardized residual `z = e / √h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variance {
    /// `h = ω + Σ αᵢ e²₋ᵢ + Σ βⱼ h₋ⱼ` (Bollerslev 1986).
    Garch {
        /// Lags of the squared residual, at least one.
        p: usize,
        /// Lags of the variance.
        q: usize,
    },
    /// `h = ω + Σ αᵢ e²₋ᵢ + Σ γᵢ e²₋ᵢ [e₋ᵢ < 0] + Σ βⱼ h₋ⱼ` (Glosten, Jagannathan and Runkle 1993).
    Gjr {
        /// Lags of the squared residual, at least one.
        p: usize,
        /// Lags of the squared negative residual, at most `p`.
        o: usize,
        /// Lags of the variance.
        q: usize,
    },
    /// `ln h = ω + Σ αᵢ (|z₋ᵢ| − √(2/π)) + Σ γᵢ z₋ᵢ + Σ βⱼ ln h₋ⱼ` (Nelson 1991).
    Egarch {
        /// Lags of the size of the standardized residual, at least one.
        p: usize,
        /// Lags of the standardized residual.
        o: usize,
        /// Lags of the log variance.
        q: usize,
    },
}

/// The distribution of standardized residuals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distribution {
    /// Normal.
    Normal,
    /// Student's t scaled to variance one; its degrees of freedom ν, from 2.05 to 500, are estimated.
    StudentT,
}

/// A volatility model.
///
/// ```
/// use nanobook::volatility::{Distribution, Mean, Model, Variance};
///
/// let model = Model {
///     mean: Mean::Constant,
///     variance: Variance::Gjr { p: 1, o: 1, q: 1 },
///     distribution: Distribution::StudentT,
/// };
/// assert_eq!(model.parameter_names(), ["mu", "omega", "alpha[1]", "gamma[1]", "beta[1]", "nu"]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Model {
    /// Of the returns.
    pub mean: Mean,
    /// Of the residuals.
    pub variance: Variance,
    /// Of the standardized residuals.
    pub distribution: Distribution,
}

/// Most lags of a kind.
const MAX_LAGS: usize = 20;

/// Lags of squares, of asymmetry and of the variance, and where each parameter is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    pub(super) p: usize,
    pub(super) o: usize,
    pub(super) q: usize,
    pub(super) log: bool,
    pub(super) mean: bool,
    pub(super) student: bool,
}

impl Layout {
    pub(super) fn omega(&self) -> usize {
        usize::from(self.mean)
    }

    pub(super) fn alpha(&self) -> usize {
        self.omega() + 1
    }

    pub(super) fn gamma(&self) -> usize {
        self.alpha() + self.p
    }

    pub(super) fn beta(&self) -> usize {
        self.gamma() + self.o
    }

    /// Parameters of mean and variance.
    pub(super) fn dynamic(&self) -> usize {
        self.beta() + self.q
    }

    pub(super) fn len(&self) -> usize {
        self.dynamic() + usize::from(self.student)
    }
}

impl Model {
    /// GARCH(1,1) with a constant mean and normal residuals.
    pub fn garch11() -> Self {
        Model {
            mean: Mean::Constant,
            variance: Variance::Garch { p: 1, q: 1 },
            distribution: Distribution::Normal,
        }
    }

    pub(super) fn layout(&self) -> Layout {
        let (p, o, q, log) = match self.variance {
            Variance::Garch { p, q } => (p, 0, q, false),
            Variance::Gjr { p, o, q } => (p, o, q, false),
            Variance::Egarch { p, o, q } => (p, o, q, true),
        };
        Layout {
            p,
            o,
            q,
            log,
            mean: self.mean == Mean::Constant,
            student: self.distribution == Distribution::StudentT,
        }
    }

    /// Names of the parameters in the order of [`Fit::parameters`](super::Fit::parameters), as `arch` names them.
    pub fn parameter_names(&self) -> Vec<String> {
        let layout = self.layout();
        let mut names = Vec::with_capacity(layout.len());
        if layout.mean {
            names.push("mu".into());
        }
        names.push("omega".into());
        for (name, lags) in [("alpha", layout.p), ("gamma", layout.o), ("beta", layout.q)] {
            names.extend((1..=lags).map(|lag| format!("{name}[{lag}]")));
        }
        if layout.student {
            names.push("nu".into());
        }
        names
    }

    pub(super) fn check(&self, returns: &[f64]) -> Result<()> {
        let layout = self.layout();
        let refuse = |name, found: usize, wanted| {
            Err(Error::Parameter {
                name,
                found: found as f64,
                wanted,
            })
        };
        if layout.p == 0 || layout.p > MAX_LAGS {
            return refuse("p", layout.p, "give from 1 to 20 lags");
        }
        if layout.q > MAX_LAGS {
            return refuse("q", layout.q, "give at most 20 lags");
        }
        if layout.o > MAX_LAGS || (!layout.log && layout.o > layout.p) {
            return refuse("o", layout.o, "give at most as many lags as p");
        }
        at_least("returns", returns.len(), 10 * layout.len())?;
        finite("returns", returns)?;
        let first = returns[0];
        if returns.iter().all(|r| r.to_bits() == first.to_bits()) {
            return Err(Error::Constant {
                name: "returns",
                column: 0,
            });
        }
        Ok(())
    }
}

use crate::stats::error::same_length;
use crate::stats::{Error, Result};

/// What weights must satisfy. They always sum to one.
///
/// ```
/// use nanobook::optimize::{Constraints, Group};
///
/// let limits = Constraints {
///     upper: vec![0.4; 5],
///     groups: vec![Group { members: vec![0, 1], lower: 0.1, upper: 0.5 }],
///     ..Constraints::long_only(5)
/// };
/// assert_eq!(limits.lower, [0.0; 5]);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Constraints {
    /// Least weight of each asset; negative allows to be short.
    pub lower: Vec<f64>,
    /// Most weight of each asset.
    pub upper: Vec<f64>,
    /// Limits on sums of weights.
    pub groups: Vec<Group>,
    /// Most that the sizes of all weights may sum to.
    pub leverage: Option<f64>,
    /// What it costs to move away from current weights.
    pub turnover: Option<Turnover>,
}

/// A limit on the sum of some weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Assets, by position.
    pub members: Vec<usize>,
    /// Least sum.
    pub lower: f64,
    /// Most sum.
    pub upper: f64,
}

/// A penalty on turnover, added to what is minimized: `penalty × Σ |w − current|`.
#[derive(Debug, Clone, PartialEq)]
pub struct Turnover {
    /// Weights held now.
    pub current: Vec<f64>,
    /// In units of the objective, for each unit of weight.
    pub penalty: f64,
}

impl Constraints {
    /// Weights from zero to one, nothing else.
    pub fn long_only(assets: usize) -> Self {
        Constraints {
            lower: vec![0.0; assets],
            upper: vec![1.0; assets],
            groups: Vec::new(),
            leverage: None,
            turnover: None,
        }
    }

    /// Checks shapes, numbers, and what can be seen to contradict itself.
    pub(super) fn check(&self, assets: usize) -> Result<()> {
        same_length("lower", self.lower.len(), assets)?;
        same_length("upper", self.upper.len(), assets)?;
        let refuse = |name, found, wanted| {
            Err(Error::Parameter {
                name,
                found,
                wanted,
            })
        };
        for (asset, (&low, &high)) in self.lower.iter().zip(&self.upper).enumerate() {
            if !low.is_finite() || !high.is_finite() {
                let found = if low.is_finite() { high } else { low };
                return refuse("a bound", found, "bounds are finite numbers");
            }
            if low > high {
                return Err(Error::Infeasible {
                    detail: format!("asset {asset} has lower bound {low} above upper bound {high}"),
                });
            }
        }
        let (least, most): (f64, f64) = (self.lower.iter().sum(), self.upper.iter().sum());
        if least > 1.0 + 1e-12 || most < 1.0 - 1e-12 {
            return Err(Error::Infeasible {
                detail: format!(
                    "weights sum to one, but the bounds allow sums from {least} to {most}"
                ),
            });
        }
        for (group, limit) in self.groups.iter().enumerate() {
            if let Some(&asset) = limit.members.iter().find(|asset| **asset >= assets) {
                return refuse(
                    "a group's member",
                    asset as f64,
                    "members are positions of assets, from 0",
                );
            }
            if limit.lower.is_nan() || limit.upper.is_nan() || limit.lower > limit.upper {
                return Err(Error::Infeasible {
                    detail: format!(
                        "group {group} has limits from {} to {}",
                        limit.lower, limit.upper
                    ),
                });
            }
        }
        if let Some(leverage) = self.leverage {
            if leverage.is_nan() {
                return refuse("leverage", leverage, "give a number of at least one");
            }
            if leverage < 1.0 {
                return Err(Error::Infeasible {
                    detail: format!(
                        "weights sum to one, but their sizes may sum to {leverage} at most"
                    ),
                });
            }
        }
        if let Some(turnover) = &self.turnover {
            same_length("current", turnover.current.len(), assets)?;
            crate::stats::error::finite("current", &turnover.current)?;
            if !(turnover.penalty >= 0.0 && turnover.penalty.is_finite()) {
                return refuse(
                    "penalty",
                    turnover.penalty,
                    "give zero or a positive number",
                );
            }
        }
        Ok(())
    }

    /// What moving to the weights costs.
    pub(super) fn cost(&self, weights: &[f64]) -> f64 {
        self.turnover.as_ref().map_or(0.0, |turnover| {
            let moved: f64 = weights
                .iter()
                .zip(&turnover.current)
                .map(|(w, c)| (w - c).abs())
                .sum();
            turnover.penalty * moved
        })
    }
}

//! What is held: positions with average cost and realized gain, cash, marks; and the rule that turns weights into orders.
//!
//! | type | what |
//! |---|---|
//! | [`Portfolio`] | cash and positions, from fills and marks |
//! | [`Position`] | shares of one symbol, what they cost on average, what was gained |
//! | [`Rule`] | weights, prices and holdings in, orders out: the one rule of backtest and rebalancer |
//! | [`CostModel`] | what trading and holding cost |
//!
//! Numbers are doubles: shares may be fractions. Whole shares and prices of four decimals are exact in them.

mod cost;
mod target;

pub use cost::{CostModel, OrderCost};
pub use target::{
    BandTo, Holdings, Overdraft, PerSymbol, Plan, PlannedOrder, Rule, Shortfall, Sizing, Unmet,
    whole_lots,
};

use std::collections::BTreeMap;

/// Why a fill or a mark was not taken.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PortfolioError {
    /// A price that can't be.
    #[error("the price of {symbol} is {price}; a price is finite and above zero")]
    BadPrice {
        /// Whose.
        symbol: String,
        /// The price.
        price: f64,
    },
    /// A quantity or a fee that can't be.
    #[error("{what} of {symbol} is {value}; it must be a finite number")]
    NotFinite {
        /// `qty` or `fee`.
        what: &'static str,
        /// Whose.
        symbol: String,
        /// The number.
        value: f64,
    },
    /// A position whose price was never given.
    #[error("{symbol} is held and has no price; mark it before its value is asked for")]
    NoMark {
        /// Whose.
        symbol: String,
    },
}

/// Shares of one symbol.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Position {
    /// Shares, negative when short.
    pub qty: f64,
    /// What a share cost on average, fees aside; zero when flat.
    pub avg_price: f64,
    /// What closed parts gained, fees aside.
    pub realized: f64,
    /// The last known price; `None` before the first.
    pub mark: Option<f64>,
}

impl Position {
    /// Takes a fill: `qty` is signed.
    ///
    /// Adding averages the cost, reducing realizes the difference to it, and crossing zero does both: the old side is
    /// closed, and what is left is opened at the price of the fill.
    pub fn fill(&mut self, qty: f64, price: f64) {
        let held = self.qty;
        let after = held + qty;
        if held == 0.0 || (held > 0.0) == (qty > 0.0) {
            let basis = held * self.avg_price + qty * price;
            self.avg_price = if after == 0.0 { 0.0 } else { basis / after };
        } else {
            let closed = if qty.abs() < held.abs() { -qty } else { held };
            self.realized += closed * (price - self.avg_price);
            if after == 0.0 {
                self.avg_price = 0.0;
            } else if (after > 0.0) != (held > 0.0) {
                self.avg_price = price;
            }
        }
        self.qty = after;
        self.mark = Some(price);
    }

    /// A split: `ratio` shares for one.
    pub fn split(&mut self, ratio: f64) {
        self.qty *= ratio;
        self.avg_price /= ratio;
        self.mark = self.mark.map(|mark| mark / ratio);
    }

    /// What it would bring at the mark, negative when short; `None` when it is held and was never marked.
    pub fn value(&self) -> Option<f64> {
        match self.mark {
            _ if self.qty == 0.0 => Some(0.0),
            mark => mark.map(|mark| self.qty * mark),
        }
    }

    /// What it has gained since it was opened, at the mark.
    pub fn unrealized(&self) -> Option<f64> {
        let value = self.value()?;
        Some(value - self.qty * self.avg_price)
    }
}

/// Cash and positions of one account.
///
/// # Examples
/// ```
/// use nanobook::portfolio::Portfolio;
///
/// let mut portfolio = Portfolio::new(10_000.0);
/// portfolio.fill("AAPL", 10.0, 150.0, 1.0)?;
/// portfolio.fill("AAPL", -4.0, 160.0, 1.0)?;
/// portfolio.mark("AAPL", 155.0)?;
/// let position = portfolio.position("AAPL").expect("it is held");
/// assert_eq!((position.qty, position.avg_price, position.realized), (6.0, 150.0, 40.0));
/// assert_eq!(portfolio.cash(), 10_000.0 - 1_500.0 + 640.0 - 2.0);
/// assert_eq!(portfolio.equity()?, portfolio.cash() + 6.0 * 155.0);
/// # Ok::<(), nanobook::portfolio::PortfolioError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Portfolio {
    cash: f64,
    fees: f64,
    positions: BTreeMap<String, Position>,
}

impl Portfolio {
    /// With cash and nothing else.
    pub fn new(cash: f64) -> Self {
        Self {
            cash,
            fees: 0.0,
            positions: BTreeMap::new(),
        }
    }

    /// Cash, negative when borrowed.
    pub fn cash(&self) -> f64 {
        self.cash
    }

    /// Fees paid so far.
    pub fn fees(&self) -> f64 {
        self.fees
    }

    /// A position; `None` when the symbol was never held.
    pub fn position(&self, symbol: &str) -> Option<&Position> {
        self.positions.get(symbol)
    }

    /// All positions that were ever held, by symbol.
    pub fn positions(&self) -> impl Iterator<Item = (&str, &Position)> {
        self.positions
            .iter()
            .map(|(symbol, position)| (symbol.as_str(), position))
    }

    /// Takes a fill: `qty` is signed, `fee` is paid beside it.
    ///
    /// # Errors
    /// When the price is not above zero, or a number is not finite. Nothing has changed then.
    pub fn fill(
        &mut self,
        symbol: &str,
        qty: f64,
        price: f64,
        fee: f64,
    ) -> Result<(), PortfolioError> {
        check_price(symbol, price)?;
        for (what, value) in [("qty", qty), ("fee", fee)] {
            if !value.is_finite() {
                let symbol = symbol.to_owned();
                return Err(PortfolioError::NotFinite {
                    what,
                    symbol,
                    value,
                });
            }
        }
        self.cash -= qty * price + fee;
        self.fees += fee;
        let position = self.positions.entry(symbol.to_owned()).or_default();
        position.fill(qty, price);
        Ok(())
    }

    /// Gives a symbol its price. One that is not held needs none.
    ///
    /// # Errors
    /// When the price is not finite or not above zero: a position is never worth nothing because a price is missing.
    pub fn mark(&mut self, symbol: &str, price: f64) -> Result<(), PortfolioError> {
        check_price(symbol, price)?;
        if let Some(position) = self.positions.get_mut(symbol) {
            position.mark = Some(price);
        }
        Ok(())
    }

    /// Pays a cash dividend for each share held; a short position pays it.
    pub fn dividend(&mut self, symbol: &str, per_share: f64) {
        if let Some(position) = self.positions.get(symbol) {
            self.cash += position.qty * per_share;
        }
    }

    /// Splits a symbol's shares: `ratio` new ones for each.
    pub fn split(&mut self, symbol: &str, ratio: f64) {
        if let Some(position) = self.positions.get_mut(symbol) {
            position.split(ratio);
        }
    }

    /// Cash and positions at their marks.
    ///
    /// # Errors
    /// When a position that is held has no mark.
    pub fn equity(&self) -> Result<f64, PortfolioError> {
        let mut equity = self.cash;
        for (symbol, position) in &self.positions {
            equity += position.value().ok_or_else(|| PortfolioError::NoMark {
                symbol: symbol.clone(),
            })?;
        }
        Ok(equity)
    }

    /// The part of equity that each held symbol is, negative when short.
    ///
    /// # Errors
    /// When a position that is held has no mark.
    pub fn weights(&self) -> Result<Vec<(&str, f64)>, PortfolioError> {
        let equity = self.equity()?;
        let held = self.positions().filter(|(_, position)| position.qty != 0.0);
        let weight =
            |(symbol, position): (_, &Position)| (symbol, position.value().unwrap_or(0.0) / equity);
        Ok(held.map(weight).collect())
    }

    /// What closed positions gained, fees aside.
    pub fn realized(&self) -> f64 {
        self.positions
            .values()
            .map(|position| position.realized)
            .sum()
    }
}

fn check_price(symbol: &str, price: f64) -> Result<(), PortfolioError> {
    if price.is_finite() && price > 0.0 {
        return Ok(());
    }
    let symbol = symbol.to_owned();
    Err(PortfolioError::BadPrice { symbol, price })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crossing_zero_closes_and_opens() {
        let mut position = Position::default();
        position.fill(10.0, 100.0);
        position.fill(10.0, 110.0);
        assert_eq!((position.qty, position.avg_price), (20.0, 105.0));
        position.fill(-30.0, 120.0);
        assert_eq!(
            (position.qty, position.avg_price, position.realized),
            (-10.0, 120.0, 300.0)
        );
        position.fill(10.0, 90.0);
        assert_eq!(
            (position.qty, position.avg_price, position.realized),
            (0.0, 0.0, 600.0)
        );
    }

    #[test]
    fn a_held_name_without_a_price_is_an_error_and_never_worth_zero() {
        let mut portfolio = Portfolio::new(0.0);
        portfolio.fill("A", 1.0, 10.0, 0.0).unwrap();
        assert!(portfolio.mark("A", 0.0).is_err());
        assert!(portfolio.fill("A", -1.0, 0.0, 0.0).is_err());
        assert_eq!(
            portfolio.equity(),
            Ok(0.0),
            "it is marked at its last price"
        );
    }

    #[test]
    fn equity_is_what_went_in_plus_gains_less_fees() {
        let mut portfolio = Portfolio::new(1_000.0);
        portfolio.fill("A", 5.0, 10.0, 0.5).unwrap();
        portfolio.fill("B", -5.0, 20.0, 0.5).unwrap();
        portfolio.mark("A", 12.0).unwrap();
        portfolio.mark("B", 21.0).unwrap();
        assert_eq!(portfolio.equity(), Ok(1_000.0 + 10.0 - 5.0 - 1.0));
        assert!((portfolio.fees() - 1.0).abs() < 1e-12);
        portfolio.split("A", 2.0);
        portfolio.dividend("A", 0.1);
        assert_eq!(portfolio.equity(), Ok(1_004.0 + 1.0));
        assert_eq!(portfolio.weights().unwrap().len(), 2);
    }
}

//! What an order would do to an account.

use nanobook::{Money, Symbol};

/// What an order would do to an account's margin, as the venue works it out. What it does not say is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Margin {
    /// The currency of the amounts.
    pub currency: Option<Symbol>,
    /// Margin that is needed to take positions on, before the order.
    pub initial_before: Option<Money>,
    /// The same after it.
    pub initial_after: Option<Money>,
    /// Margin that is needed to keep positions, before the order.
    pub maintenance_before: Option<Money>,
    /// The same after it.
    pub maintenance_after: Option<Money>,
    /// Equity that counts for margin, before the order.
    pub equity_before: Option<Money>,
    /// The same after it.
    pub equity_after: Option<Money>,
    /// What the order costs; `None` while only its bounds are known.
    pub fee: Option<Money>,
    /// The least that it costs.
    pub min_fee: Option<Money>,
    /// The most that it costs.
    pub max_fee: Option<Money>,
    /// The currency of the fee.
    pub fee_currency: Option<Symbol>,
    /// What the venue warns of.
    pub warning: Option<String>,
}

impl Margin {
    /// Whether equity covers the initial margin after the order; `None` when the venue does not say.
    ///
    /// # Examples
    /// ```
    /// use nanobook::Money;
    /// use nanobook_broker::Margin;
    ///
    /// let margin = Margin {
    ///     initial_after: Some(Money(50)),
    ///     equity_after: Some(Money(49)),
    ///     ..Margin::default()
    /// };
    /// assert_eq!(margin.is_covered(), Some(false));
    /// ```
    pub fn is_covered(&self) -> Option<bool> {
        Some(self.equity_after? >= self.initial_after?)
    }
}

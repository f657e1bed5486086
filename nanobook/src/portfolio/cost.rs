//! What trading and holding cost.

/// Basis points in one.
const BPS: f64 = 1e4;

/// Costs of orders and of what is held, every one for one side: a round trip pays twice.
///
/// Slippage, half-spread and impact make the price of a fill worse; commission comes out of cash beside it. All are
/// zero unless they are given.
///
/// # Examples
/// ```
/// use nanobook::portfolio::CostModel;
///
/// let costs = CostModel { commission_bps: 5.0, commission_min: 1.0, ..CostModel::default() };
/// assert_eq!(costs.commission(10.0, 1_000.0), 1.0);
/// assert_eq!(costs.commission(10.0, 100_000.0), 50.0);
/// assert_eq!(CostModel::bps(5.0).commission(10.0, 1_000.0), 0.5);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default)
)]
pub struct CostModel {
    /// Commission, in basis points of the traded value.
    pub commission_bps: f64,
    /// Commission for each share.
    pub commission_per_share: f64,
    /// The least commission of an order.
    pub commission_min: f64,
    /// How much worse a fill is than the price of its row, in basis points.
    pub slippage_bps: f64,
    /// Half of the spread, in basis points of the price.
    pub half_spread_bps: f64,
    /// Square-root impact: how much worse, in basis points, an order is that is as large as the volume of its row.
    /// One of a hundredth of the volume pays a tenth of it. Needs volumes.
    pub impact_bps: f64,
    /// What a short position pays a year, in basis points of its value at each close.
    pub borrow_bps: f64,
    /// What cash earns a year, in basis points.
    pub cash_bps: f64,
    /// What negative cash pays a year, in basis points; `None` for the rate that cash earns.
    pub financing_bps: Option<f64>,
}

/// What one order costs, in currency.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OrderCost {
    /// Commission, out of cash.
    pub commission: f64,
    /// Slippage, in the price.
    pub slippage: f64,
    /// Half-spread, in the price.
    pub spread: f64,
    /// Impact, in the price.
    pub impact: f64,
}

impl CostModel {
    /// A commission in basis points of the traded value, and nothing else.
    pub fn bps(commission_bps: f64) -> Self {
        Self {
            commission_bps,
            ..Self::default()
        }
    }

    /// The first field that can't be, as its name and value: every one is finite and none is negative, but rates of
    /// cash may be.
    pub fn fault(&self) -> Option<(&'static str, f64)> {
        let never_negative = [
            ("commission_bps", self.commission_bps),
            ("commission_per_share", self.commission_per_share),
            ("commission_min", self.commission_min),
            ("slippage_bps", self.slippage_bps),
            ("half_spread_bps", self.half_spread_bps),
            ("impact_bps", self.impact_bps),
            ("borrow_bps", self.borrow_bps),
        ];
        let rates = [
            ("cash_bps", self.cash_bps),
            ("financing_bps", self.financing_bps.unwrap_or(0.0)),
        ];
        let bad = |value: f64| !(0.0..f64::INFINITY).contains(&value);
        let first = never_negative.into_iter().find(|(_, value)| bad(*value));
        first
            .or_else(|| rates.into_iter().find(|(_, value)| !value.is_finite()))
            .or_else(|| (self.worse() >= 1.0).then_some(("slippage_bps", self.slippage_bps)))
    }

    /// The commission of an order, from its shares and its value at the price of the fill.
    #[inline]
    pub fn commission(&self, shares: f64, value: f64) -> f64 {
        let commission = self.commission_bps / BPS * value + self.commission_per_share * shares;
        commission.max(self.commission_min)
    }

    /// The part of the price that slippage and half-spread take.
    #[inline]
    pub fn worse(&self) -> f64 {
        (self.slippage_bps + self.half_spread_bps) / BPS
    }

    /// The part of the price that impact takes, from shares and the row's volume.
    #[inline]
    pub fn impact(&self, shares: f64, volume: f64) -> f64 {
        if self.impact_bps > 0.0 {
            self.impact_bps / BPS * (shares / volume).sqrt()
        } else {
            0.0
        }
    }

    /// The price at which an order is filled: `qty` is signed, `price` is that of the row.
    #[inline]
    pub fn fill_price(&self, qty: f64, price: f64, volume: f64) -> f64 {
        let worse = self.worse() + self.impact(qty.abs(), volume);
        // A sale can't bring less than nothing.
        (price * (1.0 + worse.copysign(qty))).max(0.0)
    }

    /// The price at which an order is filled and what it costs, part by part.
    pub fn order(&self, qty: f64, price: f64, volume: f64) -> (f64, OrderCost) {
        let shares = qty.abs();
        let fill_price = self.fill_price(qty, price, volume);
        let cost = OrderCost {
            commission: self.commission(shares, shares * fill_price),
            slippage: shares * price * self.slippage_bps / BPS,
            spread: shares * price * self.half_spread_bps / BPS,
            impact: shares * price * self.impact(shares, volume),
        };
        (fill_price, cost)
    }

    /// What an order takes out of cash, negative when it brings some: its value at the price of the fill, and the
    /// commission.
    #[inline]
    pub fn cash_out(&self, qty: f64, price: f64, volume: f64) -> f64 {
        let value = qty * self.fill_price(qty, price, volume);
        value + self.commission(qty.abs(), value.abs())
    }

    /// Whether twice the order costs twice as much.
    #[inline]
    pub fn is_linear(&self) -> bool {
        self.commission_min <= 0.0 && self.impact_bps <= 0.0
    }

    /// What is paid on shorts for one of `periods` in a year, from their value, above zero.
    #[inline]
    pub fn borrow(&self, short_value: f64, periods: f64) -> f64 {
        self.borrow_bps / BPS * short_value / periods
    }

    /// What cash earns in one of `periods` in a year, negative where it pays.
    #[inline]
    pub fn interest(&self, cash: f64, periods: f64) -> f64 {
        let rate = if cash < 0.0 {
            self.financing_bps.unwrap_or(self.cash_bps)
        } else {
            self.cash_bps
        };
        rate / BPS * cash / periods
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-12 * b.abs().max(1.0)
    }

    #[test]
    fn bps_are_for_one_side() {
        let costs = CostModel::bps(15.0);
        let buy = costs.cash_out(100.0, 10.0, f64::NAN);
        let sale = costs.cash_out(-100.0, 10.0, f64::NAN);
        assert!(close(buy, 1_001.5) && close(sale, -998.5));
        assert!(close(buy + sale, 2.0 * 1.5), "a round trip pays twice");
    }

    #[test]
    fn a_worse_price_is_higher_for_a_buy_and_lower_for_a_sale() {
        let costs = CostModel {
            slippage_bps: 10.0,
            half_spread_bps: 5.0,
            ..CostModel::default()
        };
        assert!(close(costs.fill_price(1.0, 100.0, f64::NAN), 100.15));
        assert!(close(costs.fill_price(-1.0, 100.0, f64::NAN), 99.85));
        let (_, cost) = costs.order(-2.0, 100.0, f64::NAN);
        assert!(close(cost.slippage, 0.2) && close(cost.spread, 0.1));
    }

    #[test]
    fn impact_grows_with_the_root_of_the_share_of_volume() {
        let costs = CostModel {
            impact_bps: 100.0,
            ..CostModel::default()
        };
        assert!(close(costs.fill_price(100.0, 50.0, 100.0), 50.5));
        assert!(close(costs.fill_price(1.0, 50.0, 100.0), 50.05));
    }

    #[test]
    fn faults_are_named() {
        let named = |costs: CostModel| costs.fault().map(|(name, _)| name);
        assert_eq!(named(CostModel::default()), None);
        assert_eq!(named(CostModel::bps(-1.0)), Some("commission_bps"));
        let nan = CostModel {
            cash_bps: f64::NAN,
            ..CostModel::default()
        };
        assert_eq!(named(nan), Some("cash_bps"));
    }
}
